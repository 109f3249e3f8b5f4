"""Downloads that a panel or the command line started: `transfers/ID/` in the workspace.

Each is a process of its own (`python -m eolab.catalog.downloads.process FOLDER`), so that it goes
on when the page is closed or the Jupyter server ends. `job.json` says what is wanted, `state.json`
what has come, the file `cancel` asks it to end. Stdlib only: the server reads and starts them
without the library.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.files import folders, locks, writes

if TYPE_CHECKING:
    from eolab.settings.config import Config

FORMAT = 1
MOST = 1_000  # items of one download
KEPT = 50  # finished ones that are listed
COMMAND = (sys.executable, "-m", "eolab.catalog.downloads.process")
_ID = re.compile(r"^[0-9]{14}-[0-9a-f]{8}$")


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
    identity = f"{time.strftime('%Y%m%d%H%M%S')}-{uuid.uuid4().hex[:8]}"
    folder = config.transfers / identity
    try:
        folders.make(folder)
        writes.write_json(folder / "job.json", {"format": FORMAT, **asdict(job)}, indent=None)
        writes.write_json(
            folder / "state.json", {"state": "waiting", "files": [], "message": ""}, indent=None
        )
        _run(folder)
    except OSError as error:
        raise ConflictError(
            f"{folder} cannot be written: {error}", "Check the workspace."
        ) from error
    _tidy(config.transfers)
    return identity


def _run(folder: Path) -> None:
    (folder / "cancel").unlink(missing_ok=True)
    with (folder / "log.txt").open("ab") as log:
        subprocess.Popen(
            (*COMMAND, str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


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
    for folder in sorted(config.transfers.glob("*"), reverse=True):
        if _ID.match(folder.name):
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
    try:
        document: dict[str, object] = json.loads(
            (folder / "state.json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        document = {"state": "waiting", "files": [], "message": ""}
    state = str(document.get("state"))
    if state in ("waiting", "running") and not is_alive(folder) and _age(folder) > 10:
        state = "interrupted"
    listed = document.get("files")
    entries = listed if isinstance(listed, list) else []
    files = [_file(entry) for entry in entries if isinstance(entry, dict)]
    return {
        "id": folder.name,
        "catalog": job.catalog,
        "items": len(job.items),
        "assets": list(job.assets),
        "state": state,
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
    folder = config.transfers / identity
    if not _ID.match(identity) or not folder.is_dir():
        raise NotFoundError(f"no download {identity!r}", "It may have been removed from the list.")
    if what == "cancel":
        (folder / "cancel").touch()
    elif what in ("resume", "forget"):
        if _runs_on(folder):
            raise ConflictError("the download is running", "Cancel it first.")
        if what == "forget":
            shutil.rmtree(folder, ignore_errors=True)
        else:
            writes.write_json(
                folder / "state.json",
                {**_read_state(folder), "state": "waiting", "message": ""},
                indent=None,
            )
            _run(folder)
    else:
        raise InvalidInputError(f"no command {what!r}", "Send cancel, resume or forget.")


def _runs_on(folder: Path) -> bool:
    """Whether its process runs; one that has reported its end is given a moment to leave."""
    ended = _read_state(folder).get("state") in ("done", "failed", "cancelled")
    for _ in range(40 if ended else 0):
        if not is_alive(folder):
            return False
        time.sleep(0.05)
    return is_alive(folder)


def _read_state(folder: Path) -> dict[str, object]:
    try:
        document = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def hold(folder: Path) -> int | None:
    """The lock that says "this one runs"; None where another process has it, or files have none."""
    try:
        handle = locks.take(folder / "lock")
    except OSError:
        return None
    if handle is not None:
        # Whose it is, for people who want to end it.
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    return handle


def is_alive(folder: Path) -> bool:
    """Whether its process runs."""
    return locks.is_held(folder / "lock")


def write_state(folder: Path, state: Mapping[str, object]) -> None:
    """Write how far a download is."""
    writes.write_json(folder / "state.json", state, indent=None)


def _age(folder: Path) -> float:
    """Seconds since anything was reported."""
    try:
        return time.time() - (folder / "state.json").stat().st_mtime
    except OSError:
        return float("inf")


def _tidy(home: Path) -> None:
    """Forget the oldest that have ended."""
    folders = sorted((f for f in home.glob("*") if _ID.match(f.name)), reverse=True)
    for folder in folders[KEPT:]:
        if not is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)
