"""Lock files that say "this one runs".

A lock belongs to the open file: it goes with the last process that holds the handle, so a killed
process never leaves a stale one. What looks costs an instant and needs nothing of the holder.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


def take(path: Path) -> int | None:
    """A handle that holds the lock (it may be handed to a child), or None if another one has it.

    Raises:
        OSError: The file cannot be written, or its file system knows no locks.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    for _ in range(20):  # who looks whether it is held, holds it for an instant
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
