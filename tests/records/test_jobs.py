"""Work with a process of its own: what its folder says of it."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

import pytest

from eolab.errors import ConflictError
from eolab.files import locks
from eolab.records import jobs

HOLD = """
import os, sys, time
from pathlib import Path
from eolab.records import jobs
folder = Path(sys.argv[1])
handle = jobs.hold(folder)
jobs.write_state(folder, {"state": "running", "pid": os.getpid()})
time.sleep(60)
"""
HOLDING = (sys.executable, "-c", HOLD)
NOTHING = (sys.executable, "-c", "")


def until(look, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end
        time.sleep(0.02)


def state(folder: Path) -> str:
    return jobs.state_of(folder, jobs.read_state(folder))


def test_a_job_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    folder = tmp_path / jobs.begin(tmp_path, {"a": 1}, HOLDING, kept=5)
    until(lambda: jobs.read_state(folder).get("state") == "running")
    assert jobs.runs_on(folder)
    assert jobs.find(tmp_path, folder.name) == folder
    os.kill(int(str(jobs.read_state(folder)["pid"])), 9)
    until(lambda: not jobs.is_alive(folder))
    assert state(folder) == "running"  # it may have begun a moment ago
    old = time.time() - jobs.SILENT - 1
    os.utime(folder / "state.json", (old, old))
    assert state(folder) == "interrupted"


def test_only_the_newest_are_kept_and_no_other_folder_is_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    names = [jobs.begin(tmp_path, {}, NOTHING, kept=2) for _ in range(4)]
    assert len(jobs.listed(tmp_path)) == 2
    assert {folder.name for folder in jobs.listed(tmp_path)} <= set(names)
    assert (tmp_path / "mine").is_dir()
    assert jobs.find(tmp_path, "mine") is None
    assert jobs.find(tmp_path, "../mine") is None


def test_where_files_have_no_locks_a_job_has_failed_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "take", refuse)
    assert jobs.hold(tmp_path) is None
    assert jobs.read_state(tmp_path)["state"] == "failed"
    assert "No locks available" in str(jobs.read_state(tmp_path)["message"])


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConflictError, match="cannot be written"):
        jobs.begin(tmp_path / "file", {}, NOTHING, kept=1)
