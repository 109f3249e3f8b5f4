"""Work that a panel or the command line started: a folder each, with a process of its own.

So it goes on when the page is closed or the Jupyter server ends. `job.json` says what is wanted,
`state.json` how far it is, the file `cancel` asks it to end, `lock` is held while it runs. Stdlib
only: the server reads and starts them without the library.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from eolab.errors import ConflictError
from eolab.files import folders, locks, writes

FORMAT = 1
SILENT = 10.0  # seconds that a process may take to start, or to say something
_ID = re.compile(r"^[0-9]{14}-[0-9a-f]{8}$")


def begin(
    home: Path, job: Mapping[str, object], command: Sequence[str], *, kept: int, cwd: str = ""
) -> str:
    """Start the process of a job in a new folder; returns the folder's name.

    Args:
        home: Folder of all jobs of this kind.
        job: What is wanted.
        command: What is run, with the new folder behind it.
        kept: How many are listed; older ones that have ended are removed.
        cwd: Folder in which the process runs.

    Raises:
        ConflictError: The workspace cannot be written.
    """
    identity = f"{time.strftime('%Y%m%d%H%M%S')}-{uuid.uuid4().hex[:8]}"
    folder = home / identity
    try:
        folders.make(folder)
        writes.write_json(folder / "job.json", {"format": FORMAT, **job}, indent=None, nan=True)
        write_state(folder, {"state": "waiting"})
        run(folder, command, cwd=cwd)
    except OSError as error:
        raise ConflictError(
            f"{folder} cannot be written: {error}", "Check the workspace."
        ) from error
    for old in listed(home)[kept:]:
        if not is_alive(old):
            shutil.rmtree(old, ignore_errors=True)
    return identity


def run(folder: Path, command: Sequence[str], *, cwd: str = "") -> None:
    """Start the process of a folder (anew).

    Raises:
        OSError: It cannot be started, or the folder cannot be written.
    """
    (folder / "cancel").unlink(missing_ok=True)
    with (folder / "log.txt").open("ab") as log:
        subprocess.Popen(
            (*command, str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cwd or None,
            start_new_session=True,
        )


def listed(home: Path) -> list[Path]:
    """The folders of all jobs, the newest first."""
    return sorted((f for f in home.glob("*") if _ID.match(f.name)), reverse=True)


def find(home: Path, identity: str) -> Path | None:
    """The folder of a job; None where there is none of this name."""
    folder = home / identity
    return folder if _ID.match(identity) and folder.is_dir() else None


def read_state(folder: Path) -> dict[str, object]:
    """How far a job is, as its process wrote it; empty before it did."""
    try:
        document = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def state_of(folder: Path, document: Mapping[str, object]) -> str:
    """What `read_state` says it does, or "interrupted" where its process is gone."""
    state = str(document.get("state", "waiting"))
    alive = state not in ("waiting", "running") or is_alive(folder) or _age(folder) <= SILENT
    return state if alive else "interrupted"


def write_state(folder: Path, state: Mapping[str, object]) -> None:
    """Write how far a job is."""
    writes.write_json(folder / "state.json", state, indent=None)


def hold(folder: Path) -> int | None:
    """The lock that says "this one runs"; None where another process has it.

    Where files have no locks the job has failed, and its state says so.
    """
    try:
        handle = locks.take(folder / "lock")
    except OSError as error:
        reason = f"files in {folder} cannot be locked: {error.strerror or error}"
        hint = "Keep the workspace on a disk of this machine."
        write_state(folder, {"state": "failed", "message": reason, "hint": hint})
        return None
    if handle is not None:
        # Whose it is, for people who want to end it.
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    return handle


def is_alive(folder: Path) -> bool:
    """Whether its process runs."""
    return locks.is_held(folder / "lock")


def runs_on(folder: Path) -> bool:
    """Whether its process runs; one that has reported its end is given a moment to leave."""
    ended = read_state(folder).get("state") in ("done", "failed", "cancelled")
    for _ in range(40 if ended else 0):
        if not is_alive(folder):
            return False
        time.sleep(0.05)
    return is_alive(folder)


def _age(folder: Path) -> float:
    """Seconds since anything was reported."""
    try:
        return time.time() - (folder / "state.json").stat().st_mtime
    except OSError:
        return float("inf")
