"""The journal: whole lines, one writer, readers that see what the writer wrote."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.errors import ConflictError, NotFoundError
from eolab.files import writes
from eolab.studies.journal import files as journal

STUDY = {
    "format": 1, "name": "s", "kind": "tune", "metric": "score", "direction": "maximize",
    "trials": 10,
    "workers": 2, "timeout": None, "target": None, "space": [], "created": 1.0,
}  # fmt: skip

EVENTS = [
    {"t": 1.0, "e": "process", "pid": 1, "host": "h", "resumed": False},
    {"t": 1.0, "e": "state", "state": "running"},
    {"t": 1.1, "e": "worker", "w": "w0", "state": "joined"},
    {"t": 1.2, "e": "trial", "n": 0, "params": {"x": 1.5}},
    {"t": 1.2, "e": "start", "n": 0, "a": 1, "w": "w0"},
    {"t": 1.3, "e": "report", "n": 0, "a": 1, "step": 0, "m": {"score": 0.5, "bad": None}},
    {"t": 1.4, "e": "report", "n": 0, "a": 1, "step": 1, "m": {"score": 0.75}},
    {"t": 1.5, "e": "finish", "n": 0, "a": 1, "state": "completed", "value": 0.75},
    {"t": 1.6, "e": "from-a-newer-eolab", "x": 1},
    {"t": 1.7, "e": "state", "state": "completed", "message": "done"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    writes.write_json(tmp_path / journal.STUDY, STUDY)
    return tmp_path


def write(folder: Path, events: list[dict[str, object]]) -> None:
    writer = journal.Writer(folder)
    for event in events:
        writer.append(event)
    writer.close()


def test_snapshot_and_summary_follow_the_journal(folder: Path) -> None:
    write(folder, EVENTS)
    snapshot = journal.Follower(folder).snapshot()
    assert snapshot["state"] == "completed"
    assert snapshot["counts"] == {
        "queued": 0,
        "running": 0,
        "completed": 1,
        "failed": 0,
        "stopped": 0,
    }
    assert snapshot["best"] == {"trial": 0, "value": 0.75, "params": {"x": 1.5}}
    assert snapshot["best_curve"] == [[1.5, 0.75]]
    assert snapshot["seq"] == len(EVENTS)
    (trial,) = snapshot["trials"]
    assert trial["curve"] == [[0.0, 0.5], [1.0, 0.75]]
    assert (trial["worker"], trial["attempts"], trial["error"]) == ("w0", 1, None)
    assert snapshot["workers"] == [{"id": "w0", "state": "idle", "trial": None}]
    json.dumps(snapshot, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(1, 600), max_size=12))
def test_a_follower_that_reads_in_pieces_sees_the_same(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    writes.write_json(folder / journal.STUDY, STUDY)
    write(folder, EVENTS)
    whole = (folder / journal.EVENTS).read_bytes()
    expected = journal.Follower(folder).snapshot()
    (folder / journal.EVENTS).write_bytes(b"")
    follower = journal.Follower(folder)
    for cut in sorted(cuts):
        with (folder / journal.EVENTS).open("r+b") as file:
            file.write(whole[:cut])  # may end in the middle of a line
        follower.refresh()
    with (folder / journal.EVENTS).open("r+b") as file:
        file.write(whole)
    found = follower.snapshot()
    assert {**found, "now": 0} == {**expected, "now": 0}
    shutil.rmtree(folder)


@given(torn=st.integers(0, 80))
@settings(max_examples=40, deadline=None)
def test_a_torn_last_line_is_healed_and_nothing_else_is_lost(
    torn: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    writes.write_json(folder / journal.STUDY, STUDY)
    write(folder, EVENTS[:4])
    whole = (folder / journal.EVENTS).read_bytes()
    line = json.dumps({"v": 1, **EVENTS[4]}).encode()
    with (folder / journal.EVENTS).open("ab") as file:
        file.write(line[:torn])  # killed while writing
    write(folder, EVENTS[4:])
    content = (folder / journal.EVENTS).read_bytes()
    assert content.startswith(whole)
    assert [e["e"] for e in journal.read_events(folder)] == [e["e"] for e in EVENTS]
    shutil.rmtree(folder)


def test_a_healed_journal_is_read_again_by_those_who_follow(folder: Path) -> None:
    write(folder, EVENTS[:5])
    follower = journal.Follower(folder)
    follower.refresh()
    os.truncate(folder / journal.EVENTS, (folder / journal.EVENTS).stat().st_size - 10)
    write(folder, EVENTS[4:])
    assert follower.snapshot()["counts"]["completed"] == 1


def _hold(folder: str, ready: object, release: object) -> None:
    assert journal.take_lock(Path(folder)) is not None
    ready.set()  # type: ignore[attr-defined]
    release.wait(20)  # type: ignore[attr-defined]


def test_one_writer_and_a_killed_one_leaves_no_stale_lock(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready, release = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(str(folder), ready, release))
    holder.start()
    assert ready.wait(10)
    assert journal.is_alive(folder)
    assert journal.take_lock(folder) is None
    holder.kill()
    holder.join()
    assert not journal.is_alive(folder)
    handle = journal.take_lock(folder)
    assert handle is not None
    os.close(handle)


def test_a_full_disk_leaves_whole_lines_and_says_so(folder: Path) -> None:
    writer = journal.Writer(folder)
    writer.append(EVENTS[0])
    before = (folder / journal.EVENTS).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            writer.append(EVENTS[3])
        assert (folder / journal.EVENTS).read_bytes() == before
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    writer.append(EVENTS[3])
    writer.close()
    assert [e["e"] for e in journal.read_events(folder)] == ["process", "trial"]


def test_jq_reads_it(folder: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    write(folder, EVENTS)
    found = subprocess.run(
        ["jq", "-r", 'select(.e == "finish") | .value', str(folder / journal.EVENTS)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "0.75"


def test_no_study_a_damaged_one_and_one_of_another_format(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no study in"):
        journal.Follower(tmp_path / "none")
    (tmp_path / journal.STUDY).write_text("{")
    with pytest.raises(ConflictError, match="damaged"):
        journal.Follower(tmp_path)
    (tmp_path / journal.STUDY).write_text(json.dumps({**STUDY, "format": 99}))
    with pytest.raises(ConflictError, match="format 99"):
        journal.Follower(tmp_path)


def test_the_server_half_is_light() -> None:
    code = (
        "import sys; import eolab.studies.journal.files; "
        "heavy = ('numpy', 'optuna', 'cloudpickle', 'pandas', 'asyncio');"
        "print([m for m in heavy if m in sys.modules])"
    )
    import sys

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_long_log_is_read_from_its_end(folder: Path) -> None:
    (folder / "logs").mkdir()
    (folder / "logs" / "3.2.log").write_text("new\n")
    (folder / "logs" / "3.10.log").write_text("x" * 1000 + "newest\n")
    assert journal.read_log(folder, 3) == ("x" * 1000 + "newest\n", False)
    assert journal.read_log(folder, 3, most=7) == ("newest\n", True)
    assert journal.read_log(folder, 4) == ("", False)


def test_a_command_that_a_full_disk_tears_is_refused_and_takes_no_other_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, EVENTS[:2])
    monkeypatch.setattr(journal, "is_alive", lambda _: True)
    write_all = os.write
    monkeypatch.setattr(os, "write", lambda handle, line: write_all(handle, line[:9]))
    with pytest.raises(OSError, match="No space left"):
        journal.append_command(folder, "pause")
    monkeypatch.setattr(os, "write", write_all)
    journal.append_command(folder, "cancel")
    torn, whole = (folder / journal.COMMANDS).read_text().splitlines()
    assert len(torn) == 9
    assert json.loads(whole)["command"] == "cancel"
