"""Folders and rasters of this machine that a panel may name, for those who type a path."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from eolab.errors import InvalidInputError, NotFoundError
from eolab.settings.edit import RASTERS, ROOTS
from eolab.settings.limits import Limits, in_force
from eolab.settings.roots import is_inside, roots_of

if TYPE_CHECKING:
    from eolab.settings.config import Config

SHOWN = 50


class FolderJson(TypedDict):
    """What lies in a folder that somebody types."""

    path: str
    """As the machine calls it."""
    entries: Sequence[str]
    """Its folders (ending in a slash) and rasters whose names begin as typed."""
    rasters: int
    """Rasters that lie in the folder itself, or in the folders in it."""
    stac: bool
    """Whether it is a STAC catalogue already."""
    whole: bool
    """False where so much lies there that looking was ended: there may be more of all."""


def named_path(config: Config, root_dir: str, text: str) -> Path:
    """A path that a panel names: absolute, or as the file browser shows it.

    It must lie in a folder that Jupyter shows, in the workspace, or where catalogues may name
    files. Links inside these folders are the user's own and are followed.

    Args:
        config: The workspace.
        root_dir: The folder that the Jupyter server shows; "" for none.
        text: As it was typed.

    Raises:
        InvalidInputError: It is none, or lies elsewhere.
    """
    if not text.strip() or "\0" in text:
        raise InvalidInputError("the path is empty", "Name a folder or a file.")
    base = Path(root_dir).absolute() if root_dir else config.root
    try:
        path = Path(os.path.normpath(base / Path(text.strip()).expanduser()))
        os.fsencode(path)
    except (OSError, ValueError, RuntimeError) as error:  # odd characters, ~nobody
        raise InvalidInputError(
            f"no file can be called that: {error}", "Type the path again."
        ) from error
    if not is_inside(path, _allowed(config, root_dir)):
        raise InvalidInputError(
            f"{path} lies outside of the folders that Jupyter and the workspace show",
            f"To let the panel in: roots = [{json.dumps(str(path))}] below [workspace] in"
            " eolab.toml; eolab.ingest(...) in a notebook reads any folder.",
        )
    try:
        path.exists()
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be looked at: {error.strerror}", "Type it again."
        ) from error
    return path


def _allowed(config: Config, root_dir: str) -> list[Path]:
    return [*([Path(root_dir).absolute()] if root_dir else []), *roots_of(config)]


def list_folder(config: Config, root_dir: str, text: str) -> FolderJson:
    """What there is at a path that is being typed, or below it.

    Looking ends at `Limits.folder_entries` and `folder_seconds`, all folders together.

    Raises:
        InvalidInputError: See `named_path`.
        NotFoundError: Neither it nor its folder is there.
    """
    path, begin = named_path(config, root_dir, text or "."), ""
    if text and not (text.endswith("/") and path.is_dir()):
        # The last part is being typed; above the folders that are shown there is nothing to see.
        inside = is_inside(path.parent, _allowed(config, root_dir))
        path, begin = (path.parent, path.name) if inside else (path, "")
    lead = text[: len(text) - len(begin)] if text.endswith(begin) else f"{path}/"
    at = path / begin if begin and (path / begin).is_dir() else path
    look = _Look(in_force(config.limits))
    here = list(look.scan(path))
    shown = [entry for entry in here if not entry[0].startswith(".")]
    names = [
        f"{lead}{name}{'/' if is_folder else ''}"
        for name, is_folder in shown
        if name.lower().startswith(begin.lower())
    ]
    rasters = 0
    for name, is_folder in here if at == path else list(look.scan(at)):
        rasters += name.lower().endswith(RASTERS)
        if is_folder and not name.startswith("."):
            with contextlib.suppress(NotFoundError):  # it went while we looked
                rasters += sum(inner.lower().endswith(RASTERS) for inner, _ in look.scan(at / name))
    return {
        "path": str(at),
        "entries": sorted(names)[:SHOWN],
        "rasters": rasters,
        "stac": any((at / root).is_file() for root in ROOTS),
        "whole": look.whole,
    }


class _Look:
    """A look at some folders, which ends by number and by the clock.

    Attributes:
        whole: Whether all was seen that it went through.
    """

    def __init__(self, limits: Limits) -> None:
        self.whole = True
        self._left = limits.folder_entries
        self._end = time.monotonic() + limits.folder_seconds

    def scan(self, folder: Path) -> Iterator[tuple[str, bool]]:
        """Folders and rasters of a folder.

        Raises:
            NotFoundError: It is gone.
        """
        if not self.whole:
            return
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0 or time.monotonic() > self._end:
                        self.whole = False
                        return
                    is_folder = _is_folder(entry)
                    if is_folder or entry.name.lower().endswith(RASTERS):
                        yield entry.name, is_folder
        except PermissionError:
            return
        except OSError as error:
            raise NotFoundError(f"{folder} is not there", "Check the path.") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False
