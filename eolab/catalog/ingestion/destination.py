"""Where a collection of the user's own rasters lies, and under which name it is found."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from eolab.catalog.io.documents import is_remote
from eolab.catalog.sources.base import Source
from eolab.errors import ConflictError, InvalidInputError
from eolab.settings import config as configuration
from eolab.settings import edit
from eolab.settings.config import Config, check_name, is_name

ABOUT = "Rasters described by eolab"
FOLDER = "catalogs"  # in the workspace: collections that are called by a name


@dataclass(frozen=True)
class Destination:
    """Where a collection lies.

    Attributes:
        home: Its folder.
        collection: Its id.
        about: Title and license that it has already.
        workspace: Folder of the workspace that reads it; None for the one that counts here.
        config: Of the workspace in which it is to stand by a name, else None.
        name: That name.
    """

    home: Path
    collection: str
    about: dict[str, str] = field(default_factory=dict)
    workspace: Path | None = None
    config: Config | None = None
    name: str = ""

    def check(self) -> None:
        """Refuse a place where nothing can be written, before anything is read.

        Raises:
            ConflictError: The folder, or the file that is to name it, cannot be written.
        """
        places = [self.home]
        if self.config is not None and self.name not in self.config.catalogs:
            places += [self.config.file] if self.config.file is not None else []
        for place in places:
            there = next(path for path in (place, *place.parents) if path.exists())
            if not os.access(there, os.W_OK) or (there.is_file() and there != place):
                raise ConflictError(
                    f"{there} cannot be written",
                    "Name a folder that you may write to: to=FOLDER, collection=NAME; or open"
                    " another workspace.",
                )

    def register(self) -> None:
        """Name it in the workspace's `eolab.toml`, so that panel and `ws.catalog` find it."""
        if self.config is None or self.name in self.config.catalogs:
            return
        url = str(self.home)
        if self.config.file is not None and self.home.is_relative_to(self.config.file.parent):
            url = self.home.relative_to(self.config.file.parent).as_posix()
        edit.add_catalog(self.config, Path.cwd(), name=self.name, url=url)


def destination(
    to: str | os.PathLike[str] | Source, collection: str | None, workspace: Path | None
) -> Destination:
    """What `ingest` writes into.

    Args:
        to: A name in the workspace, a folder, or a catalogue that `ingest` has made.
        collection: Its id, where it differs from the name.
        workspace: Folder or `eolab.toml` of the workspace; None for the one that counts here.

    Raises:
        InvalidInputError: A bad id, no id, or a catalogue that `ingest` has not made.
    """
    if isinstance(to, Source):
        made = _of_catalog(to.name, to.url)
        at = to.workspace if workspace is None else workspace
        return _checked(made, collection, at)
    if isinstance(to, str) and is_name(to):
        config = _config(workspace)
        entry = config.catalogs.get(to)
        if entry is not None:
            found = _of_catalog(to, entry.url)
            return _checked(found, collection, config.root, config, to)
        earlier = (Path(to) / "collection.json").is_file()
        if not earlier and (config.file is not None or os.environ.get("EOLAB_WORKSPACE")):
            home = config.root / FOLDER / to
            return _checked(_known(home, to), collection, config.root, config, to)
        if earlier and config.file is not None:
            home = Path(to).resolve()
            return _checked(_known(home, ""), collection, config.root, config, to)
    home = Path(to).expanduser().resolve()
    at = _config(workspace).root if workspace is not None and workspace.is_file() else workspace
    return _checked((home, {"id": collection or ""}), collection, at)


def _checked(
    made: tuple[Path, dict[str, str]],
    collection: str | None,
    workspace: Path | None,
    config: Config | None = None,
    name: str = "",
) -> Destination:
    home, about = made
    known = about.get("title") is not None
    if known and collection not in (None, about["id"]):
        raise InvalidInputError(
            f"the catalogue's collection is {about['id']!r}, not {collection!r}",
            "Leave collection= out.",
        )
    identity = about["id"] if known else collection or about["id"]
    if not identity:
        raise InvalidInputError(
            "the collection has no id",
            "Give one: collection=NAME; or a plain name: to=NAME stands in the workspace.",
        )
    check_name(identity, "collection")
    return Destination(home, identity, about, workspace, config, name)


def _config(workspace: Path | None) -> Config:
    """The configuration whose workspace lies in the folder."""
    if workspace is not None and workspace.is_file():
        return configuration.load(workspace)
    here = configuration.find()
    if workspace is None or here.root == workspace:
        return here
    near = configuration.find(workspace)
    return near if near.root == workspace else configuration.open_path(workspace)


def _known(home: Path, name: str) -> tuple[Path, dict[str, str]]:
    """A folder with what its collection says of itself, if an earlier call has made one."""
    if not (home / "collection.json").is_file():
        return home, {"id": name}
    return _of_catalog(name or home.name, str(home))


def _of_catalog(name: str, url: str) -> tuple[Path, dict[str, str]]:
    """Folder, id, title and license of a catalogue that `ingest` has made.

    Raises:
        InvalidInputError: A catalogue of another kind.
    """
    path = Path(url)
    home = path if path.is_dir() else path.parent
    try:
        document = json.loads((home / "collection.json").read_text(encoding="utf-8"))
        ours = str(document["description"]).startswith(ABOUT) and path.name != "catalog.json"
        about = {key: str(document[key]) for key in ("id", "title", "license")}
    except (OSError, ValueError, KeyError, TypeError):
        ours, about = False, {}
    if is_remote(url) or not ours:
        raise InvalidInputError(
            f"catalogue {name!r} was not made by `ingest`",
            "Take another name: eolab.ingest(files, to=NAME) makes a catalogue of it.",
        )
    return home, about
