"""Files and folders that are there whole or not at all, however their writer ends.

A draft beside the target takes its place in one step of the file system. Who reads meanwhile sees
the old file or the new one; a draft that a killed process left behind tells by its name whose it
was.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eolab.files import folders

_DRAFT = re.compile(r"^\..*\.(\d+)\.tmp")


class Changed(Exception):
    """A program that takes no turns with us wrote the file meanwhile."""


def content(path: Path) -> bytes | None:
    """What a file holds; None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


_ANYTHING = b"\0anything"


@contextmanager
def draft(path: Path, *, instead_of: bytes | None = _ANYTHING) -> Iterator[Path]:
    """A file to write to, which replaces ``path`` when the block ends well and goes otherwise.

    The folder must be there. Nothing is made before the block writes: so the caller, or the
    library that it calls, says with which permissions.

    Args:
        path: The file.
        instead_of: What `content` gave of it: only that is replaced. Locks keep our own processes
            apart; an editor knows none of them.

    Raises:
        Changed: The file holds something else by now.
    """
    beside = _beside(path)
    try:
        yield beside
        if instead_of is not _ANYTHING and content(path) != instead_of:
            raise Changed(path)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):  # what went wrong counts, not that tidying up went wrong, too
            beside.unlink(missing_ok=True)
        raise


@contextmanager
def draft_folder(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """An empty folder to write into, which is ``folder`` when the block ends well.

    Args:
        folder: The folder; those above it are made.
        replace: Put it in place of one that is there.

    Raises:
        FileExistsError: The folder is there, or another process made it meanwhile.
    """
    if folder.exists() and not replace:
        raise FileExistsError(folder)
    beside = _beside(folder)
    try:
        folders.make(beside.parent)
        beside.mkdir()
        yield beside
        if folder.exists():
            if not replace:
                raise FileExistsError(folder)
            shutil.rmtree(folder)
        beside.replace(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_bytes(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file whole or not at all.

    Args:
        path: The file; its folder must be there.
        content: All of it.
        mode: Permissions from the first moment, less those that the process's mask takes away.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    with draft(path) as beside:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)


def write_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write a text in UTF-8 (see `write_bytes`)."""
    write_bytes(path, text.encode(), mode=mode)


def write_json(
    path: Path, document: object, *, indent: int | None = 1, mode: int = 0o666, nan: bool = False
) -> None:
    """Write a document as JSON (see `write_bytes`).

    Args:
        path: The file; its folder must be there.
        document: What `json.dumps` takes.
        indent: None for one line.
        mode: As in `write_bytes`.
        nan: Write NaN and infinity, which Python reads and most others do not.

    Raises:
        OSError: It cannot be written; the file is as it was.
        ValueError: NaN or infinity without ``nan=True``.
    """
    write_text(path, json.dumps(document, indent=indent, allow_nan=nan), mode=mode)


def append(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Add whole lines to a file that several processes append to (one write a call).

    Where a full disk took only a part of an earlier line, that one takes none of these with it.

    Args:
        path: The file; its folder must be there.
        text: One line or several, without the last line feed.
        mode: Permissions of a new file, less those that the process's mask takes away.

    Raises:
        OSError: It cannot be written, or the disk took only a part.
    """
    data = f"{text}\n".encode()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            data = b"\n" + data
        if os.write(handle, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(handle)


def sweep_drafts(folder: Path) -> None:
    """Remove what processes that were killed had half written."""
    for path in folder.glob(".*.tmp*"):
        found = _DRAFT.match(path.name)
        if found and not _is_running(int(found[1])):
            path.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """A name of its own for each writer: threads of one process write the same file, too."""
    return path.with_name(f".{path.name}.{secrets.token_hex(3)}.{os.getpid()}.tmp")


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True
