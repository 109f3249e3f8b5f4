"""A study's folder: the journal with its one writer, its readers, and the commands to it.

``study.json`` says what the study is, ``events.jsonl`` what happened (append-only, the truth),
``commands.jsonl`` what was asked of it, ``lock`` who writes. Standard library only: the Jupyter
server imports this file.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from eolab.errors import ConflictError, NotFoundError
from eolab.files import disk, leavings, locks, writes
from eolab.studies.journal.answers import Head, StudySnapshot, StudySummary
from eolab.studies.journal.commands import COMMANDS as RULES
from eolab.studies.journal.commands import TrialState, find_command
from eolab.studies.journal.spec import StudySpec
from eolab.studies.journal.state import (
    ENDED,
    FORMAT,
    Event,
    Record,
)

STUDY, EVENTS, COMMANDS, LOCK, PROCESS = (
    "study.json",
    "events.jsonl",
    "commands.jsonl",
    "lock",
    "process.json",
)
WAITING_LOCK = "waiting.lock"
"""Held while the study's process cannot write: a lock needs no room, and goes with its holder."""
MLFLOW_LOCK = "mlflow.lock"  # of the process that copies it to MLflow, see `eolab.tracking`
TOKEN, FUNCTION, DATA, PLAN = "token", "train.pkl", "data.pkl", "plan.pkl"
IDENTITY = "identity.json"
"""The parts of function and data, each with a hash, by which a change is named."""
DATA_HERE = "data_here.pkl"
"""Data that has another name on the cluster than here: `DATA` holds that of the cluster."""
LOG_BYTES = 256 * 1024
READ_BYTES = 1 << 20


def read_study(run: Path) -> StudySpec:
    """What the study is.

    Raises:
        NotFoundError: There is no study in this folder.
        ConflictError: It was written by a newer eolab.
    """
    try:
        document: StudySpec = json.loads((run / STUDY).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"no study in {run}", "List the studies with ws.studies().") from None
    except ValueError as error:
        raise ConflictError(
            f"{run / STUDY} is damaged: {error}", "Restore it, or delete the folder."
        ) from error
    if document.get("format") != FORMAT:
        raise ConflictError(
            f"study {run.name!r} has format {document.get('format')}, this eolab reads {FORMAT}",
            "Upgrade eolab.",
        )
    return document


# -- who writes ----------------------------------------------------------------------------


def take_lock(run: Path) -> int | None:
    """A file handle that holds the writer's lock (it may be handed to a child), or None if taken.

    Raises:
        ConflictError: The file system knows no locks, is full or cannot be written to.
    """
    try:
        with disk.translate_errors(f"study {run.name!r} cannot be changed", run):
            return locks.take(run / LOCK)
    except OSError as error:
        raise ConflictError(
            f"files in {run} cannot be locked: {error}",
            "Put the workspace on a file system with locks, a local disk for example.",
        ) from error


def is_alive(run: Path) -> bool:
    """Whether a study process (or one just being started) holds the lock."""
    return locks.is_held(run / LOCK)


def is_waiting(run: Path) -> bool:
    """Whether the study process waits for room on its disk, or until it can write there again."""
    return locks.is_held(run / WAITING_LOCK)


class Writer:
    """The one writer of a journal: whole lines, a torn last line healed.

    The caller holds the lock (`take_lock`).
    """

    def __init__(self, run: Path) -> None:
        self.path = run / EVENTS
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        self.size = self._synced = _heal(self._file)
        os.lseek(self._file, self.size, os.SEEK_SET)

    def append(self, event: Event) -> None:
        """Write one event as one line.

        Raises:
            OSError: The disk is full or gone; the journal is as it was before the call.
        """
        line = (
            json.dumps({"v": FORMAT, **event}, separators=(",", ":"), allow_nan=False).encode()
            + b"\n"
        )
        try:
            done = 0
            while done < len(line):
                done += os.write(self._file, line[done:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
                os.lseek(self._file, self.size, os.SEEK_SET)
            raise
        self.size += len(line)

    def sync(self) -> None:
        """Let the disk have it too (a kill never loses what was written, a power cut may).

        A disk may take long: call it in a thread, which `append` does not wait for.
        """
        size = self.size
        if size != self._synced:
            with contextlib.suppress(OSError):
                os.fsync(self._file)
                self._synced = size

    def close(self) -> None:
        self.sync()
        os.close(self._file)


def _heal(file: int) -> int:
    """Cut a torn last line off; the size that is left."""
    size = os.lseek(file, 0, os.SEEK_END)
    end = size
    while end > 0:
        start = max(0, end - 65536)
        block = os.pread(file, end - start, start)
        newline = block.rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(file, end)
    return end


def read_events(run: Path) -> Iterator[Event]:
    """All events in order; a line that is no JSON object is passed over."""
    try:
        file = (run / EVENTS).open("rb")
    except FileNotFoundError:
        return
    with file:
        while lines := file.readlines(READ_BYTES):
            if not lines[-1].endswith(b"\n"):
                lines.pop()  # being written
            yield from _decode(lines)


def _decode(lines: list[bytes]) -> list[Event]:
    """The events of whole lines, several thousand at once: half the time of one by one."""
    try:
        found = json.loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        found = []
    if len(found) != len(lines):  # one of them is damaged
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return [event for event in found if isinstance(event, dict)]


def make_record(study: StudySpec) -> Record:
    """An empty record of this study."""
    record = Record(study["metric"], study["direction"], study["trials"])
    record.timeout, record.target = study.get("timeout"), study.get("target")
    record.wanted_workers = study.get("workers")
    return record


class Follower:
    """Reads a study as it grows: each call reads only what is new.

    Args:
        run: The study's folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = Path(run)
        self.study = read_study(self.run)
        self.record = make_record(self.study)
        self._offset = 0
        self._inode = 0

    def refresh(self) -> bool:
        """Read what is new; True if there was something."""
        try:
            file = (self.run / EVENTS).open("rb")
        except FileNotFoundError:
            return False
        with file:
            stat = os.fstat(file.fileno())
            if stat.st_size < self._offset or (self._inode and stat.st_ino != self._inode):
                self.record, self._offset = make_record(self.study), 0
            self._inode = stat.st_ino
            if stat.st_size == self._offset:
                return False
            file.seek(self._offset)
            block = file.read()
        end = block.rfind(b"\n") + 1
        for event in _decode(block[:end].splitlines()):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self.record.apply(event)
        self._offset += end
        return end > 0

    @property
    def state(self) -> str:
        """The state; "interrupted" where the process died before the study's end.

        "waiting" where it lives and cannot write: no journal can say so.
        """
        state = self.record.state
        if state in {"starting", "running"} and is_waiting(self.run):
            return "waiting"
        if state not in ENDED and not is_alive(self.run):
            self.refresh()  # it may have written its end just before it went
            state = self.record.state
            if state not in {*ENDED, "paused"}:  # a paused study needs no process
                return "interrupted"
        return state

    def summary(self) -> StudySummary:
        """One line of the studies list (see the REST contract in the server)."""
        self.refresh()
        state = self.state
        head: Head = {
            "name": self.study["name"],
            "kind": self.study["kind"],
            "metric": self.study["metric"],
            "direction": self.study["direction"],
            "created": self.study["created"],
        }
        body = self.record.summary(time.time())
        if state == "interrupted":
            body["workers_alive"] = 0
            body["message"] = "its process is gone; resume continues it with nothing lost"
        if state == "waiting":
            body["message"] = disk.describe_wait(self.run, self._need())
        return {**head, **body, "state": state}

    def _need(self) -> int:
        """Bytes that the trials that are left will write, going by those that were."""
        written = sum(
            path.stat().st_size for path in (self.run / EVENTS, *self.run.glob("logs/*.log"))
        )
        known = max(1, len(self.record.trials))
        left = self.record.budget_trials - len(self.record.finish_order)
        return disk.ROOM + written * max(1, left) // known

    def snapshot(self) -> StudySnapshot:
        """The summary with parameters, workers and trials."""
        return {**self.summary(), "parameters": self.study["space"], **self.record.details()}


# -- what is asked of a study --------------------------------------------------------------


def append_command(run: Path, command: str, **args: float | None) -> None:
    """Write a command down for a study's process, which carries it out within half a second.

    A study without a process has nobody who reads it: `eolab.studies.client.launch.send_command`
    starts one.

    Args:
        run: The study's folder.
        command: "pause", "resume", "cancel", "stop", "retry" (number=), "set" (trials=, ...).
        args: What the command needs. ``number`` is a trial's.

    Raises:
        ConflictError: It cannot apply in the study's state, with the state named.
        NotFoundError: No such study or trial.
        OSError: The disk is full or cannot be written to: the command is not carried out.
    """
    rule = RULES[find_command(command)]
    follower = Follower(run)
    follower.refresh()
    state = follower.state
    if state not in rule.states:
        raise ConflictError(f"study {run.name!r} is {state}: it cannot {command}", _hint(state))
    if rule.trials:
        number = args.pop("number", None)
        trial = None if number is None else follower.record.trials.get(int(number))
        if trial is None:
            raise NotFoundError(
                f"study {run.name!r} has no trial {number}", "Trials are counted from 0."
            )
        if trial.state not in rule.trials:
            already = " already" if command == "stop" else ""
            fitting = " or ".join(state for state in get_args(TrialState) if state in rule.trials)
            raise ConflictError(
                f"trial {trial.n} is {trial.state}{already}",
                f"Only a {fitting} trial can be {rule.done}.",
            )
        args["n"] = trial.n  # as the processes of studies have always read it
    entry = {"v": FORMAT, "t": time.time(), "command": command, **args}
    writes.append(run / COMMANDS, json.dumps(entry))


def _hint(state: str) -> str:
    if state in {"completed", "failed"}:
        return "It has ended; run it again with more trials to go on."
    return "Look at study.state first."


def sweep_refits(root: Path, runs: Path) -> int:
    """Remove what killed refits left half written more than a day ago; says how many went.

    Args:
        root: The workspace.
        runs: Its folder of studies.
    """
    return leavings.remove(root, runs.glob("*/refit/.*"), "half a refit")


def read_log(run: Path, n: int, *, most: int = LOG_BYTES) -> tuple[str, bool]:
    """The last ``most`` bytes that trial ``n`` printed lately, and whether there is more."""
    files = sorted((run / "logs").glob(f"{n}.*.log"), key=lambda p: int(p.name.split(".")[1]))
    if not files:
        return "", False
    with files[-1].open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - most))
        return file.read().decode("utf-8", "replace"), size > most
