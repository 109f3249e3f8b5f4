"""Folders of workspaces: a new workspace is its owner's alone, unless it is said to be shared.

What lies in a workspace tells of fields, models and addresses of services; on machines of several
users it is nobody else's business. Folders that are there keep their permissions.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

LOG_MOST = 4 << 20  # bytes
OWN_FOLDER, OWN_FILE = 0o700, 0o600
_OPEN_FOLDER, _OPEN_FILE = 0o777, 0o666  # less what the process's mask takes away
_workspaces: dict[Path, bool] = {}  # roots known to this process, and whether they are shared


def note_workspace(root: Path, *, shared: bool, said: bool = True) -> None:
    """Say that a folder is a workspace's; it need not be there.

    Args:
        root: Absolute.
        shared: Others of the owner's group work in it.
        said: Somebody said so; else what was said before stays.
    """
    if said or root not in _workspaces:
        _workspaces[root] = shared


def file_mode(*, shared: bool) -> int:
    """Permissions of a new log in a workspace."""
    return _OPEN_FILE if shared else OWN_FILE


def open_log(path: Path) -> IO[bytes]:
    """A log to append to: its owner's alone unless its workspace is shared.

    One that has grown large is set aside, and the one set aside before goes.

    Args:
        path: In a workspace; its folder must be there.

    Raises:
        OSError: It cannot be written.
    """
    if path.exists() and path.stat().st_size > LOG_MOST:
        path.replace(path.with_name(f"{path.name}.1"))
    shared = any(_workspaces.get(folder, False) for folder in path.parents)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, file_mode(shared=shared))
    return os.fdopen(handle, "ab")


def is_endless(path: Path) -> bool:
    """Whether reading would wait for ever or never end: a pipe, a socket or a device.

    Of what is not there, or cannot be looked at, whoever opens it says more.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def make(folder: Path) -> None:
    """Make a folder and those above it where they are not there.

    Args:
        folder: In a workspace, or anywhere.

    Raises:
        OSError: It cannot be made.
    """
    missing = []
    here = folder
    while not here.exists() and here != here.parent:
        missing.append(here)
        here = here.parent
    for each in reversed(missing):
        mode = OWN_FOLDER if _workspaces.get(each) is False else _OPEN_FOLDER
        each.mkdir(mode=mode, exist_ok=True)
    folder.mkdir(exist_ok=True)  # it says what is wrong where a file lies there
