"""Libraries that talk while they load: nothing waits for them, nothing spins, nothing is lost."""

from __future__ import annotations

import resource
from pathlib import Path

import cloudpickle
import pytest

from eolab.studies.worker.child_process import LOG_MOST, ChildProcess
from eolab.studies.worker.supervisor import Supervisor


def supervise(folder: Path, library: str) -> tuple[Supervisor, ChildProcess]:
    """A supervisor whose child has just begun to load a library with this text."""
    (folder / "talking.py").write_text(library)
    (folder / "train.pkl").write_bytes(cloudpickle.dumps(lambda: 1.0))
    settings = {
        "worker": "w0", "metric": "score", "scratch": str(folder), "imports": ["talking"],
        "sys_path": [str(folder)], "function": str(folder / "train.pkl"),
        "address": {"url": "http://127.0.0.1:9", "token": "t"},
    }  # fmt: skip
    supervisor = Supervisor(settings)
    return supervisor, supervisor.start_child()


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


@pytest.mark.timeout(120)
def test_more_than_a_pipe_holds_stops_nobody_and_is_kept_for_the_log(tmp_path):
    lines = "".join(f"part {i} of the library\n" for i in range(20_000))
    supervisor, child = supervise(tmp_path, f"print({lines!r}, end='')\n")
    try:
        supervisor.await_child()
        assert supervisor.ready
        assert child.printed().decode() == lines[:LOG_MOST]
    finally:
        child.kill()


def test_the_supervisor_sleeps_while_its_child_loads(tmp_path):
    supervisor, child = supervise(
        tmp_path, "import time\nprint('hello', flush=True)\ntime.sleep(2)\n"
    )
    before = processor_seconds()
    try:
        supervisor.await_child()
        assert supervisor.ready
    finally:
        child.kill()
    assert processor_seconds() - before < 0.5
