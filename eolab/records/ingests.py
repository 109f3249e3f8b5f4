"""Rasters that a panel has described as a collection: `ingests/ID/` in the workspace.

Each is a job with a process of its own (`python -m eolab.catalog.ingestion.process FOLDER`): see
`eolab.records.jobs`.
"""

from __future__ import annotations

import json
import math
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

MOST = 1_000  # paths that are named
SHOWN = 200  # skipped files that are listed
KEPT = 20  # finished ones that are listed
COMMAND = (sys.executable, "-m", "eolab.catalog.ingestion.process")
WORDS = ("collection", "pattern", "time", "bands", "scale", "offset", "nodata")
_TEXTS = ("collection", "pattern")


class SkippedFileJson(TypedDict):
    href: str
    message: str


class IngestJson(TypedDict):
    """Rasters on their way into a collection; interrupted: the process is gone."""

    id: str
    catalog: str
    """Name of the catalogue in the workspace."""
    paths: Sequence[str]
    state: Annotated[
        str, Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
    ]
    step: str
    """What is being done."""
    done: int
    total: int
    """Of this step; 0 where nobody knows."""
    items: int
    """Items that were made."""
    holds: int
    """Items that the collection holds now."""
    skipped: Sequence[SkippedFileJson]
    """The first of them."""
    skipped_count: int
    notes: Sequence[str]
    message: str
    """Why it failed."""
    hint: str


@dataclass(frozen=True)
class IngestJob:
    """What is wanted.

    Attributes:
        catalog: Name of the catalogue.
        paths: Folders and files.
        words: What the user says of them: keyword arguments of `ingest`.
        workspace: The `eolab.toml`, or the workspace folder.
    """

    catalog: str
    paths: tuple[str, ...]
    words: Mapping[str, object]
    workspace: str


def check_words(said: Mapping[str, object]) -> dict[str, object]:
    """What a request says of files, as keyword arguments of `ingest`; that checks the rest.

    Raises:
        InvalidInputError: It says something else, or no text where one is due.
    """
    made: dict[str, object] = {}
    for key, value in said.items():
        if key not in WORDS:
            raise InvalidInputError(f"files have no {key!r}", f"They have: {', '.join(WORDS)}.")
        if value is None or value == "":
            continue
        if key in _TEXTS and not isinstance(value, str):
            raise InvalidInputError(f"{key} = {value!r:.80} is no text", "Send a text.")
        made[key] = _number(value) if key == "nodata" else value
    return made


def _number(value: object) -> object:
    """A number, or numbers by file, with the one that JSON has no word for."""
    if isinstance(value, Mapping):
        return {key: _number(inner) for key, inner in value.items()}
    return math.nan if isinstance(value, str) and value.lower() == "nan" else value


def start(config: Config, job: IngestJob, cwd: str) -> str:
    """Begin; returns its id.

    Args:
        config: The workspace.
        job: What is wanted.
        cwd: Folder in which the process runs.

    Raises:
        ConflictError: The workspace cannot be written.
    """
    return jobs.begin(home(config), asdict(job), COMMAND, kept=KEPT, cwd=cwd)


def home(config: Config) -> Path:
    """The folder of all of them."""
    return config.root / "ingests"


def read_job(folder: Path) -> IngestJob:
    """What a folder wants.

    Raises:
        NotFoundError: It holds no job.
    """
    try:
        document = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        paths = tuple(str(path) for path in document["paths"])
        words = dict(document["words"])
        return IngestJob(str(document["catalog"]), paths, words, str(document["workspace"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFoundError(f"{folder} adds no rasters", "Start it again.") from error


def read_all(config: Config) -> list[IngestJson]:
    """All of them, the newest first."""
    found = []
    for folder in jobs.listed(home(config)):
        try:
            found.append(read(folder))
        except NotFoundError:
            continue
    return found


def read(folder: Path) -> IngestJson:
    """How far one is.

    Raises:
        NotFoundError: The folder holds none.
    """
    job = read_job(folder)
    document = jobs.read_state(folder)

    def number(key: str) -> int:
        value = document.get(key)
        return value if isinstance(value, int) else 0

    def listed(key: str) -> list[object]:
        value = document.get(key)
        return value if isinstance(value, list) else []

    return {
        "id": folder.name,
        "catalog": job.catalog,
        "paths": list(job.paths),
        "state": jobs.state_of(folder, document),
        "step": str(document.get("step", "")),
        "done": number("done"),
        "total": number("total"),
        "items": number("items"),
        "holds": number("holds"),
        "skipped": [
            {"href": str(row.get("href", "")), "message": str(row.get("message", ""))}
            for row in listed("skipped")
            if isinstance(row, dict)
        ],
        "skipped_count": number("skipped_count"),
        "notes": [str(note) for note in listed("notes")],
        "message": str(document.get("message", "")),
        "hint": str(document.get("hint", "")),
    }


def command(config: Config, identity: str, what: str) -> None:
    """Act on one: "cancel" it, or "forget" it. Items that are written stay.

    Raises:
        NotFoundError: There is none.
        InvalidInputError: No such command.
        ConflictError: It runs.
    """
    folder = jobs.find(home(config), identity)
    if folder is None:
        raise NotFoundError(f"nothing {identity!r} is added", "It may have been forgotten.")
    if what == "cancel":
        (folder / "cancel").touch()
    elif what == "forget":
        if read(folder)["state"] in ("waiting", "running") or jobs.runs_on(folder):
            raise ConflictError("rasters are being added", "Cancel that first.")
        shutil.rmtree(folder, ignore_errors=True)
    else:
        raise InvalidInputError(f"no command {what!r}", "Send cancel or forget.")
