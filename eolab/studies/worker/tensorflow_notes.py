"""TensorFlow's start-up notes kept out of cells and logs; all else passes, errors first of all.

TensorFlow 2.21 writes notes while it is imported that heed no level: its C++ logger is not set up
by then. They go to file descriptor 2, past everything that Python filters.

This file travels with `trial_process.py` to machines without eolab: standard library only.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator

LEVEL = "1"
"""TF_CPP_MIN_LOG_LEVEL of what we start: no notes, but warnings and errors."""

# "I0000 00:00:1795789671.751566    8837 port.cc:153] oneDNN ...": I is a note, E an error.
_NOTE = re.compile(
    rb"I\d{4} \d\d:\d\d:[\d.]+ +\d+ \S+\] |WARNING: All log messages before absl::InitializeLog"
)


@contextlib.contextmanager
def without_notes() -> Iterator[None]:
    """Let what is imported or built inside write no start-up notes; other lines pass at once."""
    if "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", LEVEL)
    try:
        kept = os.dup(2)
    except OSError:  # closed: nobody reads it
        yield
        return
    _flush()
    read, write = os.pipe()
    os.dup2(write, 2)
    os.close(write)
    forward = threading.Thread(target=_forward, args=(read, kept), daemon=True)
    forward.start()
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, 2)  # the last writer: the thread comes to its end
        forward.join(1.0)  # a process that was started inside may hold the pipe open
        if not forward.is_alive():
            os.close(kept)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


def _forward(read: int, kept: int) -> None:
    with open(read, "rb") as lines:
        for line in lines:
            if not _NOTE.match(line):
                os.write(kept, line)
