"""Downloads that a panel or the command line started: `transfers/ID/` in the workspace.

Each is a job with a process of its own (`python -m eolab.catalog.downloads.process FOLDER`): see
`eolab.records.jobs`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.records import jobs

if TYPE_CHECKING:
    from eolab.settings.config import Config

MOST = 1_000  # items of one download
KEPT = 50  # finished ones that are listed
COMMAND = (sys.executable, "-m", "eolab.catalog.downloads.process")


class DownloadFileJson(TypedDict):
    """One file of a download."""

    item: str
    asset: str
    path: str
    """Below the folder."""
    state: Annotated[str, Literal["waiting", "running", "done", "there", "failed"]]
    done: int
    """Bytes."""
    total: int | None
    """Null where nobody said it."""
    message: str


class DownloadJson(TypedDict):
    """A download; interrupted: its process is gone."""

    id: str
    catalog: str
    items: int
    """How many."""
    assets: list[str]
    state: Annotated[
        str, Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
    ]
    message: str
    done: int
    """Bytes."""
    total: int
    files: list[DownloadFileJson]
    folder: str


@dataclass(frozen=True)
class DownloadJob:
    """What is wanted.

    Attributes:
        catalog: Name of a configured catalogue.
        items: (collection, id) of each.
        assets: Keys; none takes those that hold the data.
        workspace: The `eolab.toml`, or the workspace folder.
    """

    catalog: str
    items: tuple[tuple[str, str], ...]
    assets: tuple[str, ...]
    workspace: str


def make_job(config: Config, catalog: str, items: object, assets: object) -> DownloadJob:
    """A job out of a request.

    Raises:
        InvalidInputError: It names no items, too many, or something else than names.
        NotFoundError: No such catalogue.
    """
    if catalog not in config.catalogs:
        raise NotFoundError(f"no catalogue {catalog!r}", f"They are: {', '.join(config.catalogs)}.")
    if not isinstance(items, Sequence) or isinstance(items, str) or not 1 <= len(items) <= MOST:
        raise InvalidInputError("items is no list of items", f"Send 1 to {MOST} [collection, id].")
    pairs = []
    for pair in items:
        if not isinstance(pair, Sequence) or not _texts(pair) or len(pair) != 2:
            raise InvalidInputError(f"{pair!r:.80} is no item", "Send [collection, id].")
        pairs.append((str(pair[0]), str(pair[1])))
    if not isinstance(assets, Sequence) or not _texts(assets) or len(assets) > 200:
        raise InvalidInputError(
            "assets is no list of names", "Send keys of assets, or an empty list."
        )
    return DownloadJob(catalog, tuple(pairs), tuple(assets), str(config.file or config.root))


def _texts(values: Sequence[object]) -> bool:
    return not isinstance(values, str) and all(isinstance(v, str) for v in values)


def start(config: Config, job: DownloadJob) -> str:
    """Begin a download; returns its id.

    Raises:
        ConflictError: The workspace cannot be written.
    """
    return jobs.begin(config.transfers, asdict(job), COMMAND, kept=KEPT)


def read_job(folder: Path) -> DownloadJob:
    """What a folder wants.

    Raises:
        NotFoundError: It holds no job.
    """
    try:
        document = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        items = tuple((str(collection), str(item)) for collection, item in document["items"])
        return DownloadJob(
            str(document["catalog"]), items, tuple(document["assets"]), str(document["workspace"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFoundError(f"{folder} holds no download", "Start it again.") from error


def read_all(config: Config) -> list[DownloadJson]:
    """All downloads, the newest first: see `read`."""
    found = []
    for folder in jobs.listed(config.transfers):
        try:
            found.append(read(folder))
        except NotFoundError:
            continue
    return found


def read(folder: Path) -> DownloadJson:
    """`{"id", "catalog", "items", "assets", "state", "message", "done", "total", "files"}`.

    States: waiting, running, done, failed (some files could not be had), cancelled, interrupted
    (its process is gone). Of a file: item, asset, path, state, done, total (bytes, null where
    nobody said), message.

    Raises:
        NotFoundError: The folder holds none.
    """
    job = read_job(folder)
    document = jobs.read_state(folder)
    listed = document.get("files")
    entries = listed if isinstance(listed, list) else []
    files = [_file(entry) for entry in entries if isinstance(entry, dict)]
    return {
        "id": folder.name,
        "catalog": job.catalog,
        "items": len(job.items),
        "assets": list(job.assets),
        "state": jobs.state_of(folder, document),
        "message": str(document.get("message", "")),
        "done": sum(file["done"] for file in files),
        "total": sum(max(file["done"], file["total"] or 0) for file in files),
        "files": files,
        "folder": str(document.get("folder", "")),
    }


def _file(entry: Mapping[str, object]) -> DownloadFileJson:
    done, total = entry.get("done"), entry.get("total")
    return {
        "item": str(entry.get("item", "")),
        "asset": str(entry.get("asset", "")),
        "path": str(entry.get("path", "")),
        "state": str(entry.get("state", "waiting")),
        "done": done if isinstance(done, int) else 0,
        "total": total if isinstance(total, int) else None,
        "message": str(entry.get("message", "")),
    }


def command(config: Config, identity: str, what: str) -> None:
    """Act on a download: "cancel" it, "resume" it (only what is missing comes), "forget" it.

    What has come stays where it is.

    Raises:
        NotFoundError: No such download.
        InvalidInputError: No such command.
        ConflictError: It runs, or does not.
    """
    folder = jobs.find(config.transfers, identity)
    if folder is None:
        raise NotFoundError(f"no download {identity!r}", "It may have been removed from the list.")
    if what == "cancel":
        (folder / "cancel").touch()
    elif what in ("resume", "forget"):
        if jobs.runs_on(folder):
            raise ConflictError("the download is running", "Cancel it first.")
        if what == "forget":
            shutil.rmtree(folder, ignore_errors=True)
        else:
            state = {**jobs.read_state(folder), "state": "waiting", "message": ""}
            jobs.write_state(folder, state)
            jobs.run(folder, COMMAND)
    else:
        raise InvalidInputError(f"no command {what!r}", "Send cancel, resume or forget.")
