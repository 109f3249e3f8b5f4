"""Studies that leave no process behind."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.settings.config import Config
from eolab.studies import Study, tune
from eolab.studies.client.launch import read_process
from eolab.studies.journal import files as journal

Run = Callable[..., Study]


def parabola(reporter, *, seed, x: Annotated[float, eo.uniform(-1, 1)] = 0.0):
    for step in range(3):
        reporter.report(step=step, score=-(x**2) - 1 / (step + 1))
    return -(x**2)


@pytest.fixture
def run(config: Config) -> Iterator[Run]:
    """`tune` in a fresh workspace with two workers, random suggestions and no MLflow."""

    def start(train: Callable[..., object], **options: object) -> Study:
        defaults: dict[str, object] = {
            "name": "s", "metric": "score", "trials": 6, "workers": 2, "sampler": "random",
            "tracking": False,
        }  # fmt: skip
        return tune(config, train, **{**defaults, **options})  # type: ignore[arg-type]

    yield start
    if config.runs.is_dir():
        for folder in config.runs.iterdir():
            if (folder / journal.STUDY).exists():
                _end(folder)


def _end(folder: Path) -> None:
    def ended() -> bool:
        # Asked anew each time: a process may end by itself at any moment, and one that is just
        # starting has not yet written who it is.
        if not journal.is_alive(folder):
            return True
        pid = read_process(folder).get("pid")
        if isinstance(pid, int) and _runs(pid, folder, b"eolab.studies.coordinator.process"):
            send(pid, signal.SIGCONT)
            send(pid, signal.SIGTERM)
        return False

    until(ended, 60)
    for settings in (folder / "workers").glob("*.json"):
        kill_worker(folder, settings.stem)


def send(pid: int, number: int) -> bool:
    """Send a signal; whether there was still somebody to get it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _runs(pid: int, folder: Path, program: bytes) -> bool:
    """Whether this process is (still) this program, at work in this folder."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return program in words and str(folder).encode() in words


def worker_pid(folder: Path, worker: str) -> int | None:
    """The supervisor's process id, from the journal."""
    pid = None
    for event in journal.read_events(folder):
        if event["e"] == "worker" and event["w"] == worker and event.get("pid"):
            pid = int(event["pid"])
    return pid


def kill_worker(folder: Path, worker: str) -> None:
    pid = worker_pid(folder, worker)
    if pid is not None and _runs(pid, folder, b"supervisor.py"):
        send(pid, signal.SIGKILL)


def kill_study(study: Study) -> None:
    """Kill -9 of the study process, and wait until everybody sees that it is gone."""
    pid = read_process(study.folder)["pid"]
    assert isinstance(pid, int)
    assert send(pid, signal.SIGKILL), "the study was over before it could be killed"
    until(lambda: not journal.is_alive(study.folder))


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to become true.

    Raises:
        AssertionError: It has not, in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def events(study: Study, kind: str) -> list[dict[str, object]]:
    """The events of one kind in a study's journal."""
    return [e for e in journal.read_events(study.folder) if e["e"] == kind]


def read_json_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
