"""Starts a study process that outlives whoever started it, and asks it for things.

Standard library only: the Jupyter server imports this file.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from eolab.errors import ConflictError, NotFoundError, RemoteError
from eolab.files import disk, locks
from eolab.files.folders import open_log
from eolab.records import deleted
from eolab.records.deleted import DeletedEntry
from eolab.studies.journal import files as journal
from eolab.studies.journal.state import ENDED

HEARD_SECONDS = 20.0


def start_process(run: Path) -> bool:
    """Start the study process of this folder; False where one lives already.

    It is a session of its own, so neither Ctrl-C nor the end of a kernel reaches it. The writer's
    lock is taken here and handed over: from this moment on everybody sees the study as living, and
    two callers never start two processes.

    Raises:
        RemoteError: The Python that made the study is not there any more.
        ConflictError: `study.json` was changed, and does not say how to start it.
    """
    study = journal.read_study(run)
    missing = [key for key in ("python", "library") if not isinstance(study.get(key), str)]
    if missing:
        raise ConflictError(
            f"study.json of {run.name!r} does not say its {' and '.join(missing)}",
            "It is not as eolab wrote it: put it back from a copy, or run the study again.",
        )
    lock = journal.take_lock(run)
    if lock is None:
        return False
    python = str(study["python"])
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONSTARTUP", "MPLBACKEND"}}
    library = Path(str(study["library"]))
    if library.name not in {"site-packages", "dist-packages"}:
        # A checkout is found by its path; an installed eolab by that Python, which may not be ours.
        paths = [str(library), *environment.get("PYTHONPATH", "").split(os.pathsep)]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(p for p in paths if p))
    environment["EOLAB_LOCK"] = str(lock)
    try:
        with open_log(run / "process.log") as log:
            process = subprocess.Popen(
                [python, "-m", "eolab.studies.coordinator.process", str(run)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=run,
                env=environment,
                pass_fds=(lock,),
                start_new_session=True,
            )
    except OSError as error:
        raise RemoteError(
            f"the study process of {run.name!r} cannot be started: {error}",
            f"It was made with {python}; run the cell again from an environment that has eolab.",
        ) from error
    finally:
        os.close(lock)
    _children[:] = [child for child in _children if child.poll() is None] + [process]
    return True


# Kept, so that a finished process is reaped when the next one is started.
_children: list[subprocess.Popen[bytes]] = []


def send_command(run: Path, command: str, **args: float | None) -> None:
    """Ask a study for something; a study without a process gets one, which carries it out.

    Args:
        run: The study's folder.
        command: See `eolab.studies.journal.files.append_command`, whose errors come up here too.
        args: What the command needs.

    Raises:
        RemoteError: The study's process cannot be started.
        ConflictError: Its folder cannot be written to.
    """
    act = "be changed" if command == "set" else command
    with disk.translate_errors(f"study {run.name!r} cannot {act}", run):
        if (run / journal.STUDY).exists() and not journal.is_alive(run):
            disk.check_room(run)  # a process that finds none dies at once
        journal.append_command(run, command, **args)
        if not journal.is_alive(run):
            start_process(run)


def delete(run: Path) -> DeletedEntry:
    """Move a study to the bin of its workspace.

    Raises:
        ConflictError: It has a process, or is still being written to MLflow.
        NotFoundError: It is not there (any more).
    """
    name = run.name
    if not (run / journal.STUDY).exists():
        raise NotFoundError(f"study {name!r} is not there", "It was deleted already.")
    follower = journal.Follower(run)
    follower.refresh()
    end = time.monotonic() + HEARD_SECONDS
    while follower.state in ENDED and journal.is_alive(run) and time.monotonic() < end:
        time.sleep(0.02)  # it has ended and is just leaving
    # Held while it moves, so that nobody starts a process in it.
    lock = journal.take_lock(run)
    if lock is None:
        raise ConflictError(f"study {name!r} is {follower.state}", "Cancel it, then delete it.")
    try:
        # Whoever copies it to MLflow goes by its path: he would go on with the next of its name.
        while locks.is_held(run / journal.MLFLOW_LOCK):
            if time.monotonic() > end:
                raise ConflictError(
                    f"study {name!r} is being written to MLflow", "Delete it in a moment."
                )
            time.sleep(0.02)
        with disk.translate_errors(f"study {name!r} cannot be deleted", run):
            return deleted.put(run.parent.parent, "study", name, run)
    finally:
        os.close(lock)


def await_commands(run: Path) -> None:
    """Wait until the study has read its commands; a process that just ended is followed by another.

    Raises:
        RemoteError: Nobody reads them.
        ConflictError: The study waits for room on its disk, and reads them then.
    """
    follower = journal.Follower(run)
    size = (run / journal.COMMANDS).stat().st_size
    end = time.monotonic() + HEARD_SECONDS
    while time.monotonic() < end:
        follower.refresh()
        if follower.record.commands_read >= size:
            return
        if journal.is_waiting(run):
            raise ConflictError(
                f"study {run.name!r} waits: {follower.summary()['message']}",
                "It has your command and carries it out then.",
            )
        if not journal.is_alive(run):
            start_process(run)
        time.sleep(0.01)
    raise RemoteError(
        f"the process of study {run.name!r} does not answer: {last_words(run)}",
        f"Its output is in {run / 'process.log'}.",
    )


def last_words(run: Path) -> str:
    """The last line that a study process printed, for a message on its death."""
    try:
        lines = (
            (run / "process.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        )
    except OSError:
        return ""
    return lines[-1] if lines else ""


def read_process(run: Path) -> dict[str, object]:
    """What the study process says of itself: pid, url, host; empty before the first one."""
    try:
        document: dict[str, object] = json.loads((run / journal.PROCESS).read_text())
    except (OSError, ValueError):
        return {}
    return document
