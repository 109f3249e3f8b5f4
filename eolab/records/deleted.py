"""What was deleted, kept for 30 days: `bin/` in the workspace.

A folder is moved there and back in one step of the file system, so that it is always at one of the
two places and whole. Stdlib only: the Jupyter server reads it without the library.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.files import locks, writes

FORMAT = 1
FOLDER = "bin"
DAYS = 30
Kind = Literal["study"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ENTRY, _CONTENT = "entry.json", "content"
_NAME = re.compile(r"[0-9]{14}-[0-9a-f]{6}")


@dataclass(frozen=True)
class DeletedEntry:
    """Something in the bin of a workspace.

    Attributes:
        kind: What it is, "study".
        name: The name it had.
        deleted: When, UTC; 30 days later it goes for good.
        folder: Where its files are until then.

    Example:
        >>> ws.deleted()
        []
    """

    kind: Kind
    name: str
    deleted: datetime
    folder: Path


def put(root: Path, kind: Kind, name: str, folder: Path) -> DeletedEntry:
    """Move a folder of the workspace into its bin.

    Args:
        root: The workspace.
        kind: What it is.
        name: Its name.
        folder: Its folder, below ``root``.

    Raises:
        NotFoundError: The folder is not there (any more).
        OSError: It cannot be moved; it is where it was.
    """
    with _locked(root) as bin_folder:
        if not folder.is_dir():
            raise NotFoundError(f"{kind} {name!r} is not there", "It was deleted already.")
        deleted = datetime.now(UTC)
        place = bin_folder / f"{deleted:%Y%m%d%H%M%S}-{secrets.token_hex(3)}"
        place.mkdir()
        try:
            document = {
                "format": FORMAT,
                "kind": kind,
                "name": name,
                "deleted": deleted.isoformat(),
                "place": folder.relative_to(root).as_posix(),
            }
            writes.write_json(place / _ENTRY, document)
            folder.rename(place / _CONTENT)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return DeletedEntry(kind, name, deleted, place / _CONTENT)


def entries(root: Path) -> list[DeletedEntry]:
    """What is in the bin, the latest first; what nobody can read is left out."""
    return [entry for entry, _ in _read(root)]


def _read(root: Path) -> list[tuple[DeletedEntry, str]]:
    read = [each for folder in _folders(root) if (each := _entry(root, folder)) is not None]
    return sorted(read, key=lambda each: each[0].deleted, reverse=True)


def find(root: Path, kind: str, name: str) -> DeletedEntry:
    """What was deleted last under a name.

    Raises:
        InvalidInputError: There is no such kind.
        NotFoundError: The bin has none of this name.
    """
    if kind not in KINDS:
        raise InvalidInputError(f"kind={kind!r}", f"It is one of {', '.join(KINDS)}.")
    held = [entry for entry in entries(root) if entry.kind == kind]
    for entry in held:
        if entry.name == name:
            return entry
    names = ", ".join(sorted({entry.name for entry in held}))
    raise NotFoundError(
        f"no {kind} {name!r} was deleted in the last {DAYS} days",
        f"The bin has: {names}." if names else "The bin is empty.",
    )


def restore(root: Path, entry: DeletedEntry) -> Path:
    """Put something back to its place, which is returned.

    Raises:
        NotFoundError: It is not in the bin any more.
        ConflictError: Its place is taken.
        OSError: It cannot be moved; it is in the bin.
    """
    with _locked(root):
        place = next((place for each, place in _read(root) if each.folder == entry.folder), None)
        if place is None:
            raise NotFoundError(
                f"{entry.kind} {entry.name!r} is not in the bin any more",
                f"It was restored already, or deleted more than {DAYS} days ago.",
            )
        target = root / place
        if target.exists():
            raise ConflictError(
                f"there is a {entry.kind} {entry.name!r} again, made after this one was deleted",
                "Delete it first; then take the entry to restore from ws.deleted().",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        entry.folder.rename(target)
        shutil.rmtree(entry.folder.parent, ignore_errors=True)
    return target


def sweep(root: Path) -> int:
    """Remove for good what was deleted more than 30 days ago; says how many entries went.

    A workspace that cannot be written to stays as it is.
    """
    if not (root / FOLDER).is_dir():
        return 0
    removed = 0
    with contextlib.suppress(OSError), _locked(root):
        for folder in _folders(root):
            read = _entry(root, folder)
            # What a killed process left without an entry is as old as its folder.
            at = folder.stat().st_mtime if read is None else read[0].deleted.timestamp()
            if at < time.time() - DAYS * 86400:
                shutil.rmtree(folder)
                removed += 1
    return removed


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[Path]:
    bin_folder = root / FOLDER
    bin_folder.mkdir(exist_ok=True)
    with locks.locked_folder(bin_folder):
        yield bin_folder


def _folders(root: Path) -> list[Path]:
    """Folders of entries; nothing that somebody else put into the bin."""
    try:
        return [folder for folder in (root / FOLDER).iterdir() if _NAME.fullmatch(folder.name)]
    except FileNotFoundError:
        return []


def _entry(root: Path, folder: Path) -> tuple[DeletedEntry, str] | None:
    """An entry and the place that it came from, relative to the workspace."""
    try:
        document = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
        kind, name, place = document["kind"], document["name"], document["place"]
        deleted = datetime.fromisoformat(document["deleted"])
        inside = (root / place).resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if kind not in KINDS or document["format"] != FORMAT or not inside:
        return None
    if not (folder / _CONTENT).is_dir():
        return None
    return DeletedEntry(kind, str(name), deleted, folder / _CONTENT), str(place)
