"""What was deleted, kept for 30 days: `bin/` in the workspace.

A folder is moved there and back in one step of the file system, so that it is always at one of the
two places and whole. Stdlib only: the Jupyter server reads it without the library.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol, get_args

from eolab.errors import ConflictError, EolabError, InvalidInputError, NotFoundError
from eolab.files import locks, writes
from eolab.records import lineage, titles
from eolab.records.lineage import Ref
from eolab.user_warnings import warn

FORMAT = 1
FOLDER = "bin"
DAYS = 30
Kind = Literal["study", "group", "view", "dataset", "model"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ENTRY, _CONTENT = "entry.json", "content"
# In an entry as long as not all is done that deleting or restoring it asks for.
_OPEN = "open"
# In an entry that was found to be too old, with the time of that.
_DUE = "due"
_DAY = 86400.0
_NAME = re.compile(r"[0-9]{14}-[0-9a-f]{6}")


@dataclass(frozen=True)
class DeletedEntry:
    """Something in the bin of a workspace.

    Attributes:
        kind: What it is: "study", "group", "view", "dataset" (a training dataset) or "model".
        name: The name it had: "forest", "spectra/1", "season/1#2", "crops" or "crops/1".
        deleted: When, UTC; it is kept for 30 days at least.
        folder: Where its files are until then.
        title: What it was called, "" where that was its name.

    Example:
        >>> ws.deleted()
        []
    """

    kind: Kind
    name: str
    deleted: datetime
    folder: Path
    title: str = ""

    @property
    def id(self) -> str:
        """Its own in the bin.

        Example:
            >>> entry = study.delete()
            >>> ws.deleted()[0].id == entry.id
            True
            >>> ws.restore(entry)
            Ref(kind='study', id='forest')
        """
        return self.folder.parent.name


@dataclass(frozen=True)
class StoredEntry:
    """An entry with what only its keepers need.

    Attributes:
        entry: The entry.
        place: Where its folder was, relative to the workspace.
        archived: Whether lists left it out.
        record: What a registry held of it, plain JSON.
        parts: How its parts were shown.
    """

    entry: DeletedEntry
    place: str
    archived: bool
    record: Mapping[str, object]
    parts: Mapping[Ref, titles.Display]

    @property
    def ref(self) -> Ref:
        """As everything else names it."""
        return Ref(self.entry.kind, self.entry.name)


class Registered(Protocol):
    """What stands in a registry besides its folder, and is the thing as long as it does."""

    def take_out(self, entry: str) -> None:
        """Take it out, in one step; ``entry`` is the id of its entry in the bin."""

    def bring_back(self, entry: str) -> None:
        """Enter it again, in one step."""

    def is_out(self, entry: str) -> bool:
        """Whether it is taken out."""


def put(
    root: Path,
    kind: Kind,
    name: str,
    folder: Path,
    *,
    registered: Registered | None = None,
    record: Mapping[str, object] | None = None,
) -> DeletedEntry:
    """Move a thing of the workspace into its bin.

    It is gone in one step: the move of its folder, or where it is registered, that it is taken out
    there. What is left to do after a kill, `settle` does.

    Args:
        root: The workspace.
        kind: What it is.
        name: Its name.
        folder: Its folder, below ``root``.
        registered: Where it is registered, too.
        record: What the registry held of it, plain JSON.

    Raises:
        NotFoundError: The folder is not there (any more).
        OSError: It cannot be moved; it is where it was.
    """
    with _locked(root) as bin_folder:
        if not folder.is_dir():
            raise NotFoundError(f"{kind} {name!r} is not there", "It was deleted already.")
        deleted = datetime.now(UTC)
        place = bin_folder / f"{deleted:%Y%m%d%H%M%S}-{secrets.token_hex(3)}"
        if folder.stat().st_dev != bin_folder.stat().st_dev or not os.access(
            folder.parent, os.W_OK
        ):
            raise PermissionError(errno.EACCES, "it cannot be moved", str(folder))
        ref = Ref(kind, name)
        shown = titles.read(root).get(ref, titles.Display())
        place.mkdir()
        try:
            (place / _OPEN).touch()
            document = {
                "format": FORMAT,
                "kind": kind,
                "name": name,
                "deleted": deleted.isoformat(),
                "place": folder.relative_to(root).as_posix(),
                "title": shown.title,
                "archived": shown.archived,
                "record": dict(record or {}),
                "parts": titles.to_rows(titles.parts(root, ref)),
            }
            writes.write_json(place / _ENTRY, document)
            if registered is not None:
                registered.take_out(place.name)
            else:
                folder.rename(place / _CONTENT)
        except BaseException:  # an interrupt may come once it has gone, too
            if not _has_left(place, registered):
                shutil.rmtree(place, ignore_errors=True)
            raise
        if registered is not None:
            folder.rename(place / _CONTENT)
        _close(root, place, ref)
    return DeletedEntry(kind, name, deleted, place / _CONTENT, shown.title)


def _has_left(place: Path, registered: Registered | None) -> bool:
    """Whether a thing is in the bin, or on its way there: `settle` does the rest."""
    if (place / _CONTENT).exists():
        return True
    try:
        return registered is not None and registered.is_out(place.name)
    except EolabError:
        return True  # nobody says


def _close(root: Path, place: Path, ref: Ref) -> None:
    """What is left once something is in the bin."""
    titles.forget(root, ref)
    lineage.note_deleted(root, ref)
    (place / _OPEN).unlink(missing_ok=True)


def entries(root: Path) -> list[DeletedEntry]:
    """What is in the bin, the latest first; what nobody can read is left out."""
    return [each.entry for each in _read(root)]


def unsettled(root: Path) -> list[StoredEntry]:
    """Entries whose deletion or restoration was cut off, or goes on just now."""
    found = [
        stored
        for folder in _folders(root)
        if (folder / _OPEN).exists() and (stored := _entry(root, folder)) is not None
    ]
    return sorted(found, key=lambda each: each.entry.deleted)


def settle(root: Path, stored: StoredEntry, registered: Registered | None) -> None:
    """Bring to its end what was cut off: the thing is there, or in the bin, with all it has.

    Args:
        root: The workspace.
        stored: One of `unsettled`.
        registered: Where it is registered, if it is of such a kind.
    """
    with _locked(root):
        if (stored.entry.folder.parent / _OPEN).exists():  # else whoever was at it has done it
            _settle(root, stored, registered)


def _settle(root: Path, stored: StoredEntry, registered: Registered | None) -> None:
    place, target = stored.entry.folder.parent, root / stored.place
    out = stored.entry.folder.is_dir()
    if registered is not None and registered.is_out(place.name):
        if not out and target.is_dir():
            target.rename(stored.entry.folder)
        stored.entry.folder.mkdir(exist_ok=True)
        out = True
    elif registered is not None and out and not target.exists():
        stored.entry.folder.rename(target)
        out = False
    if out:
        _close(root, place, stored.ref)
    else:
        lineage.note_restored(root, stored.ref)
        shutil.rmtree(place, ignore_errors=True)


def _read(root: Path) -> list[StoredEntry]:
    read = [each for folder in _folders(root) if (each := _entry(root, folder)) is not None]
    there = [each for each in read if each.entry.folder.is_dir()]
    return sorted(there, key=lambda each: each.entry.deleted, reverse=True)


def stored(root: Path, entry: DeletedEntry) -> StoredEntry:
    """An entry with what only its keepers need.

    Raises:
        NotFoundError: It is not in the bin any more.
    """
    for each in _read(root):
        if each.entry.folder == entry.folder:
            return each
    raise NotFoundError(
        f"{entry.kind} {entry.name!r} is not in the bin any more",
        f"It was restored already, or deleted more than {DAYS} days ago.",
    )


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


def restore(
    root: Path,
    entry: DeletedEntry,
    registered: Registered | None = None,
    names: Collection[str] = (),
) -> Path:
    """Put something back to its place, which is returned.

    Args:
        root: The workspace.
        entry: One of `entries`.
        registered: Where it is registered, if it is of such a kind.
        names: Of the things of its kind that are there: none of them is its title.

    Raises:
        NotFoundError: It is not in the bin any more.
        ConflictError: Its place is taken, or its name is another's title by now.
        OSError: It cannot be moved; it is in the bin.
    """
    with _locked(root):
        found = stored(root, entry)
        target, place = root / found.place, entry.folder.parent
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise ConflictError(
                f"there is a {entry.kind} {entry.name!r} again, made after this one was deleted",
                "Delete it first; then take the entry to restore from ws.deleted().",
            )
        _check_name_is_free(root, found.ref)
        (place / _OPEN).touch()
        try:
            shown = {found.ref: titles.Display(entry.title, found.archived), **found.parts}
            for node in titles.bring_back(root, shown, names):
                warn(
                    f"the title {shown[node].title!r} is another {node.kind}'s now: "
                    f"{node.id!r} is back without it",
                    UserWarning,
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            entry.folder.rename(target)
            if registered is not None:
                registered.bring_back(place.name)
        except BaseException:  # an interrupt may come once it is back, too
            with contextlib.suppress(OSError, EolabError):  # else when it is opened next
                _settle(root, found, registered)
            raise
        lineage.note_restored(root, found.ref)
        shutil.rmtree(place, ignore_errors=True)
    return target


def _check_name_is_free(root: Path, ref: Ref) -> None:
    """Names and titles open things: none is two things of a kind.

    Raises:
        ConflictError: Another one has this name as its title.
    """
    names = {ref.id} if ref.kind == "dataset" else {ref.id, ref.id.partition("/")[0]}
    for other, shown in titles.read(root).items():
        if other.kind == ref.kind and shown.title in names:
            raise ConflictError(
                f"the {ref.kind} {other.id!r} is called {shown.title!r} now",
                "Rename that one first; then restore.",
            )


def sweep(root: Path, purge: Callable[[StoredEntry], None] | None = None) -> int:
    """Remove for good what was deleted more than 30 days ago; says how many entries went.

    It goes once it was found to be too old twice, a day or more apart: a clock that is wrong for
    once removes nothing. A workspace that cannot be written to stays as it is.

    Args:
        root: The workspace.
        purge: Takes what is registered out for good, before the files go; where it fails the
            entry stays until the next time.
    """
    if not (root / FOLDER).is_dir():
        return 0
    removed = 0
    with contextlib.suppress(OSError), _locked(root):
        for folder in _folders(root):
            read = _entry(root, folder)
            # What a killed process left without an entry is as old as its folder.
            at = folder.stat().st_mtime if read is None else read.entry.deleted.timestamp()
            with contextlib.suppress(OSError):  # another one's, who shares the workspace
                if not _is_due(folder, at) or (read and (folder / _OPEN).exists()):
                    continue
                if read is not None and purge is not None:
                    try:
                        purge(read)
                    except EolabError:
                        continue
                shutil.rmtree(folder)
                removed += 1
    return removed


def _is_due(folder: Path, deleted: float) -> bool:
    """Whether an entry is too old, and was so a day ago."""
    mark, now = folder / _DUE, time.time()
    if deleted >= now - DAYS * _DAY:
        mark.unlink(missing_ok=True)
        return False
    try:
        found = float(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = math.inf
    if not found <= now:  # never found before, or by a clock that was wrong
        age = folder.stat()
        mark.write_text(repr(now), encoding="utf-8")
        os.utime(folder, ns=(age.st_atime_ns, age.st_mtime_ns))  # what has no entry is as old
        return False
    return now - found >= _DAY


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


def _entry(root: Path, folder: Path) -> StoredEntry | None:
    """What an entry says of itself; None where nobody can read it."""
    try:
        document = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
        kind, name, place = document["kind"], document["name"], document["place"]
        known = kind in KINDS and document["format"] == FORMAT
        deleted = datetime.fromisoformat(document["deleted"])
        inside = (root / place).resolve().is_relative_to(root.resolve())
        parts = titles.from_rows(document.get("parts", ()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not known or not inside:
        return None
    record = document.get("record")
    return StoredEntry(
        DeletedEntry(kind, str(name), deleted, folder / _CONTENT, str(document.get("title") or "")),
        str(place),
        bool(document.get("archived")),
        record if isinstance(record, dict) else {},
        parts,
    )
