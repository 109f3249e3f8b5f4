"""A small file system that is full, or read-only: two lines with the way on, and reading works."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

import eolab as eo
from eolab.errors import ConflictError, RemoteError
from eolab.files import disk, locks, writes


def train(reporter, *, x):
    return {"score": x}


@pytest.fixture
def small(tmp_path):
    """A file system of 40 MB of its own; permissions say nothing to root."""
    home = tmp_path / "small"
    home.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", home], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    yield home
    subprocess.run(["umount", "-l", home], check=True)


def fill(home: Path) -> None:
    handle = os.open(home / "filler", os.O_WRONLY | os.O_CREAT)
    for size in (4096, 1):
        try:
            while True:
                os.write(handle, b"x" * size)
        except OSError:
            pass
    os.close(handle)


def close(home: Path) -> None:
    end = time.monotonic() + 20
    while subprocess.run(["mount", "-o", "remount,ro", home], check=False).returncode:
        assert time.monotonic() < end, "the file system stays busy"
        time.sleep(0.2)


@pytest.mark.parametrize("spoil", [fill, close])
def test_every_act_says_what_to_do_and_nothing_is_lost(small, spoil):
    (small / "eolab.toml").write_text('format = 1\n[workspace]\npath = "ws"\n')
    ws = eo.workspace(small / "eolab.toml")
    rows = pd.DataFrame(
        {"field": [1, 2], "t": pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True), "v": [1, 2]}
    )
    group = ws.features.create_feature_group("old", primary_key=["field"], event_time="t")
    group.insert(rows)
    study = ws.tune(
        train, space={"x": eo.uniform(0, 1)}, metric="score", trials=1, workers=1,
        sampler="random", tracking=False, name="done",
    )  # fmt: skip
    before = group.read()
    spoil(small)
    later = rows.assign(t=rows.t + pd.Timedelta("1D"))
    acts = {
        "create": lambda: ws.features.create_feature_group("new", primary_key=["field"]),
        "insert": lambda: group.insert(later),
        "tune": lambda: ws.tune(
            train, space={"x": eo.uniform(0, 1)}, metric="score", trials=1, workers=1,
            tracking=False, name="more",
        ),
        "add": lambda: study.add_trials(2),
        "catalogue": lambda: ws.add_catalog("c", "https://example.org/x", kind="api"),
    }  # fmt: skip
    for name, act in acts.items():
        with pytest.raises(
            (ConflictError, RemoteError), match=r"full|cannot be written|No space|Read-only"
        ) as told:
            act()
        assert told.value.hint, name
        assert len(str(told.value).splitlines()) == 2, name
    # What is there can be read.
    pd.testing.assert_frame_equal(group.read(), before)
    assert ws.study("done").best["number"] == 0
    assert [each["name"] for each in ws.studies()] == ["done"]
    assert ws.models.list() == []
    assert ws.search("done")["study"][0]["id"] == "done"
    assert ws.features.feature_group("old").read().shape == before.shape


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (OSError(errno.ENOSPC, "x"), "full"),
        (OSError(errno.EROFS, "x"), "closed"),
        (PermissionError(errno.EACCES, "x"), "closed"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "closed"),
        (sqlite3.OperationalError("database or disk is full"), "full"),
        (
            RuntimeError("Generic LocalFileSystem error: No space left on device (os error 28)"),
            "full",
        ),
        (ValueError("a column is missing"), ""),
        (FileNotFoundError(errno.ENOENT, "x"), ""),
    ],
)
def test_libraries_say_each_in_its_way_that_a_disk_is_full_or_closed(error, trouble, tmp_path):
    assert disk.trouble(error) == trouble
    wrapped = RuntimeError("it failed")
    wrapped.__cause__ = error
    assert disk.trouble(wrapped) == trouble
    with (
        pytest.raises(ConflictError if trouble else type(error)),
        disk.translate_errors("no", tmp_path),
    ):
        raise error


def test_what_went_wrong_is_said_also_where_tidying_up_fails(tmp_path, monkeypatch):
    def refuse(self, missing_ok=False):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(KeyError, match="the reason"), writes.draft(tmp_path / "a"):
        raise KeyError("the reason")


def test_a_lock_that_is_not_required_is_no_obstacle_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with locks.locked(tmp_path / "file" / "lock", required=False):
        pass
    with pytest.raises(OSError, match="file"), locks.locked(tmp_path / "file" / "lock"):
        pass
