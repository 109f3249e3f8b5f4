"""A small file system that is full, or read-only: two lines with the way on, and reading works."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin

import eolab as eo
from eolab.cli.app import main
from eolab.errors import ConflictError, RemoteError
from eolab.files import disk, locks, writes
from eolab.server.study_readers import Followers
from eolab.server.watcher import Watcher
from eolab.settings.config import load
from eolab.studies import FittedModel
from eolab.studies.ablation.result import AblationResult
from eolab.studies.journal.files import Writer, is_alive, read_events
from tests.studies.conftest import until


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
    handle = os.open(home / "filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
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
def test_every_act_says_what_to_do_and_nothing_is_lost(small, spoil, tmp_path):
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
    with rasterio.open(
        tmp_path / "field_20240501_red.tif", "w", driver="GTiff", width=8, height=8, count=1,
        dtype="uint8", crs="EPSG:32633", transform=from_origin(5e5, 5e6, 10, 10),
    ) as file:  # fmt: skip
        file.write(np.ones((8, 8), "uint8"), 1)
    (tmp_path / "refit").mkdir()
    (tmp_path / "refit" / "model.pkl").write_bytes(b"a model")
    fitted = FittedModel(tmp_path / "refit", "sklearn", {})
    empty = AblationResult((), (), {}, "score", "max", 0.0, one_split=True, planned=0)
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
        "delete": lambda: ws.delete(group),
        "delete study": lambda: ws.delete(study),
        "rename": lambda: ws.rename(group, "Mine"),
        "archive": lambda: ws.archive(study),
        "catalogue": lambda: ws.add_catalog("c", "https://example.org/x", kind="api"),
        "update": lambda: group.update(description="other"),
        "delete rows": lambda: group.delete_rows(rows[["field", "t"]]),
        "export": lambda: group.export(small / "rows.parquet"),
        "journal file": lambda: study.to_journal_file(small / "study.log"),
        "register": lambda: ws.models.register("mine", fitted),
        "ingest": lambda: eo.ingest(tmp_path, to=small / "own", collection="own"),
        "table": lambda: empty.to_csv(small / "table.csv"),
    }  # fmt: skip
    for name, act in acts.items():
        with pytest.raises(
            (ConflictError, RemoteError), match=r"full|cannot be written|No space|Read-only"
        ) as told:
            act()
        if spoil is fill:
            fill(small)  # what was tried and undone has left room
        assert told.value.hint, name
        assert len(str(told.value).splitlines()) == 2, name
    assert not [path for path in small.iterdir() if path.name.startswith((".", "table", "study"))]
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


def test_a_study_on_a_full_disk_waits_for_room_says_so_and_loses_nothing(small, tmp_path, capsys):
    (small / "eolab.toml").write_text('format = 1\n[workspace]\npath = "ws"\n')
    ws = eo.workspace(small / "eolab.toml")
    gate = tmp_path / "gate"
    gate.write_text("1")
    path = str(gate)

    def held(reporter, *, x):
        import time
        from pathlib import Path

        reporter.report(step=0, score=0.0)
        while reporter.trial >= int(Path(path).read_text()):
            time.sleep(0.01)
        return {"score": x}

    study = ws.tune(
        held, space={"x": eo.uniform(0, 1)}, metric="score", trials=60, workers=2, sampler="random",
        tracking=False, name="held", wait=False, lease=2.0,
    )  # fmt: skip
    until(lambda: study.record.counts["completed"] == 1 and study.record.counts["running"] == 2)
    fill(small)
    gate.write_text("1000")
    until(lambda: study.state == "waiting")
    # Longer than a lease: the workers that hold results are not to blame.
    time.sleep(3)
    assert study.state == "waiting"
    assert "is full" in study.message
    assert "MB are needed); it goes on by itself once there is room" in study.message
    assert repr(study).startswith("<study 'held' waiting: ")
    assert repr(study).endswith("goes on by itself once there is room>")
    assert main(["studies", "list", "--workspace", str(small)]) == 0
    assert "waiting" in (printed := capsys.readouterr().out)
    assert "goes on by itself" in printed
    (row,) = Followers().summaries(load(small / "eolab.toml"))
    assert (row["state"], row["allowed"]) == ("waiting", ["pause", "cancel", "set"])
    assert Watcher().scan(load(small / "eolab.toml")) == []
    for act in (study.pause, study.cancel, lambda: study.add_trials(1)):
        with pytest.raises(ConflictError, match=r"full|waits") as told:
            act()
        assert len(str(told.value).splitlines()) == 2
    (small / "filler").unlink()
    # What was asked meanwhile and found room is carried out; else the study goes on as it was.
    until(lambda: study.state != "waiting")
    if study.state in {"paused", "cancelled"}:
        study.resume()
    study.wait(quiet=True)
    assert study.state == "completed"
    finished = [e for e in read_events(study.folder) if e["e"] == "finish"]
    assert len(finished) == len({e["n"] for e in finished}) == len(study.trials) >= 60
    assert [t["state"] for t in study.trials] == ["completed"] * len(study.trials)


@pytest.mark.parametrize("spoil", [fill, close])
@pytest.mark.parametrize("state", ["paused", "completed", "interrupted"])
def test_a_study_at_rest_on_a_bad_disk_refuses_each_act_in_two_lines(small, spoil, state):
    (small / "eolab.toml").write_text('format = 1\n[workspace]\npath = "ws"\n')
    ws = eo.workspace(small / "eolab.toml")
    study = ws.tune(
        train, space={"x": eo.uniform(0, 1)}, metric="score", trials=1, workers=1,
        sampler="random", tracking=False, name="rest",
    )  # fmt: skip
    until(lambda: not is_alive(study.folder))
    if state != "completed":
        writer = Writer(study.folder)
        now = "running" if state == "interrupted" else state
        writer.append({"t": time.time(), "e": "state", "state": now, "message": "paused by user"})
        writer.close()
    assert study.state == state
    spoil(small)
    before = (study.folder / "events.jsonl").read_bytes()
    acts = {
        "add": lambda: study.add_trials(1),
        "workers": lambda: study.set_workers(2),
        "delete": study.delete,
        "refit": study.refit,
    }
    if state != "completed":
        acts |= {"resume": study.resume, "cancel": study.cancel}
    for name, act in acts.items():
        if name == "delete" and spoil is fill:
            continue  # moving a folder may find room
        with pytest.raises(ConflictError, match=r"is full|cannot be written to") as told:
            act()
        assert len(str(told.value).splitlines()) == 2, name
    assert (study.folder / "events.jsonl").read_bytes() == before
    assert study.state == state
