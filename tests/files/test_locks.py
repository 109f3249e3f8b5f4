"""A lock is held by one at a time, and goes with the process that held it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eolab.files import locks

HOLD = (
    "import sys, time, pathlib; from eolab.files import locks\n"
    "handle = locks.take(pathlib.Path(sys.argv[1])); print(handle is not None, flush=True)\n"
    "time.sleep(60)"
)


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "True\n"
    return process


def test_a_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = holder(path)
    try:
        assert locks.is_held(path)
        assert locks.take(path) is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not locks.is_held(path)
    handle = locks.take(path)
    assert handle is not None
    os.close(handle)


def test_a_lock_that_nobody_ever_took_is_not_held(tmp_path: Path) -> None:
    assert not locks.is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_a_block_waits_for_another_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lock"
    with locks.locked(path):
        pass
    process = holder(path)
    threading.Timer(0.3, process.kill).start()
    with locks.locked(path):
        assert process.wait() != 0
    process.communicate()


def test_threads_exclude_each_other(tmp_path: Path) -> None:
    inside, most = [], []

    def work() -> None:
        for _ in range(20):
            with locks.locked(tmp_path / "lock"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert set(most) == {1}


def test_a_lock_file_of_another_user_is_held_by_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.touch()
    opened = os.open

    def refuse(name: Path, flags: int, *mode: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", str(name))
        return opened(name, flags, *mode)

    monkeypatch.setattr(os, "open", refuse)
    with locks.locked(path, required=False):
        assert locks.is_held(path)
    assert not locks.is_held(path)
