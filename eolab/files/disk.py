"""Disks that are full or cannot be written to: said in two lines, whatever library met it."""

from __future__ import annotations

import errno
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eolab.errors import ConflictError, EolabError

ROOM = 256 * 1024
"""Bytes that must be free before work that writes little by little is begun, or goes on."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
# What libraries that keep no number say, in lower case.
_FULL_WORDS = ("no space left on device", "disk is full", "quota exceeded", "os error 28")
_CLOSED_WORDS = (
    "read-only file system", "readonly database", "permission denied", "os error 30",
    "unable to open database file",
)  # fmt: skip


@contextmanager
def translate_errors(what: str, place: Path) -> Iterator[None]:
    """Turn what a full or read-only disk makes a library raise into an error with the way on.

    Args:
        what: What cannot be done, as a sentence begins: "the study cannot be made".
        place: Folder that is written to.

    Raises:
        ConflictError: The disk is full, or the folder cannot be written to.
    """
    try:
        yield
    except EolabError:
        raise
    except Exception as error:
        reason = trouble(error)
        if reason == "full":
            raise ConflictError(
                f"{what}: the disk of {place} is full ({_free(place)} MB are free)",
                "Make room, then do it again.",
            ) from error
        if reason:
            raise ConflictError(
                f"{what}: {place} cannot be written to",
                "It can be read. Check its permissions, or open another workspace.",
            ) from error
        raise


def trouble(error: BaseException) -> str:
    """What of a disk is behind an error: "full", "closed" (it is not to be written to), or ""."""
    seen: BaseException | None = error
    while seen is not None:
        number = seen.errno if isinstance(seen, OSError) else None
        text = str(seen).lower()
        if number in _FULL or any(words in text for words in _FULL_WORDS):
            return "full"
        if number in _CLOSED or any(words in text for words in _CLOSED_WORDS):
            return "closed"
        seen = seen.__cause__
    return ""


def check_room(folder: Path) -> None:
    """See by writing a little that there is room; nothing of it stays, even after a kill.

    Args:
        folder: It must be there.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        left = memoryview(bytes(ROOM))
        while left:
            left = left[file.write(left) :]


def describe_wait(place: Path, need: int) -> str:
    """Why something waits that cannot write to a folder, and how it goes on.

    Args:
        place: The folder.
        need: Bytes that are needed there at least.
    """
    try:
        state = os.statvfs(place)
    except (OSError, AttributeError):  # gone, or a system that has no such call
        state = None
    closed = state is not None and bool(state.f_flag & os.ST_RDONLY)
    if closed or not os.access(place, os.W_OK):
        return f"{place} cannot be written to; it goes on by itself once it can"
    wanted = max(1, math.ceil(need / 1e6))
    return (
        f"the disk of {place} is full ({_free(place)} MB are free, about {wanted} MB are needed); "
        "it goes on by itself once there is room"
    )


def _free(place: Path) -> str:
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return f"{shutil.disk_usage(place).free / 1e6:,.0f}"
    except OSError:
        return "0"
