"""Lock files: one at a time, and "this one runs".

A lock belongs to the open file: it goes with the last process that holds the handle, so a killed
process never leaves a stale one. Looking whether it is held costs an instant and needs nothing of
the holder.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eolab.files import folders


@contextmanager
def locked(path: Path, *, required: bool = True) -> Iterator[None]:
    """Hold a lock for a block, after waiting for it; threads of one process exclude each other too.

    Args:
        path: The lock file; it is made with its folder.
        required: False goes on without the lock where the file system knows none (some NFS) or
            cannot be written to.

    Raises:
        OSError: The file cannot be written, or its file system knows no locks.
    """
    try:
        folders.make(path.parent)
        handle = _open(path)
    except OSError:
        if required:
            raise
        yield  # who can make no lock file makes nothing else there
        return
    try:
        try:
            _lock(handle, wait=True)
        except OSError:
            if required:
                raise
        yield
    finally:
        os.close(handle)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder itself for a block, which leaves no lock file behind.

    Where the file system knows no such lock the block runs without one.

    Raises:
        OSError: There is no such folder.
    """
    if sys.platform == "win32":  # it opens no folders
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            _lock(handle, wait=True)
        yield
    finally:
        os.close(handle)


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Hold a folder, beside others who use it, against one who would move it (see `moving`).

    Where the file system knows no such lock the block runs without one.

    Raises:
        OSError: There is no such folder.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@contextmanager
def moving(folder: Path) -> Iterator[bool]:
    """Hold a folder for oneself, which then may be moved; says False where somebody uses it.

    Raises:
        OSError: There is no such folder.
    """
    if sys.platform == "win32":
        yield True
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        free = True
        try:
            _lock(handle, wait=False)
        except BlockingIOError:
            free = False
        except OSError:  # its file system knows no locks
            pass
        yield free
    finally:
        os.close(handle)


def take(path: Path) -> int | None:
    """A handle that holds the lock (it may be handed to a child), or None if another one has it.

    Raises:
        OSError: The file cannot be written, or its file system knows no locks.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    for _ in range(20):  # who looks whether it is held, holds it for an instant
        try:
            _lock(handle, wait=False)
            return handle
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            os.close(handle)
            raise
    os.close(handle)
    return None


def is_held(path: Path) -> bool:
    """Whether a process holds the lock; where files have no locks none does."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError:
        # Another user's, in a shared workspace: on most file systems who reads it may lock it.
        return os.open(path, os.O_RDONLY)


def _lock(handle: int, *, wait: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
