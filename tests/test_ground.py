"""Errors, lineage and progress: what every room stands on."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import pytest

from eolab import errors, progress
from eolab.errors import InvalidInputError, nearest
from eolab.records.lineage import Ref, downstream, edges, record, upstream


def test_a_cell_shows_two_lines_and_the_log_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    monkeypatch.setattr(errors, "_log", None)
    errors.set_log(tmp_path)
    shell = InteractiveShell()
    with capture_output() as shown:
        shell.run_cell(
            "from eolab.errors import InvalidInputError\n"
            "raise InvalidInputError('no such band', 'Try red.')"
        )
    lines = [line for line in shown.stdout.splitlines() if line.strip()]
    assert lines[0] == "InvalidInputError: no such band"
    assert lines[1].startswith("Hint: Try red.")
    assert len(lines) == 2
    assert "Traceback" in (tmp_path / "errors.log").read_text()


def test_an_error_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(InvalidInputError("a", "b")))
    assert (again.message, again.hint, again.status) == ("a", "b", 400)


def test_a_misspelt_name_gets_the_nearest() -> None:
    assert nearest("ndvi_median", ["NDVI_median", "red_median"]).startswith(
        "Did you mean 'NDVI_median'"
    )
    assert "red" in nearest("zzz", ["red"], "bands")
    # Two letters in the wrong order are one slip, though many letters stand elsewhere.
    for slip in ("NDIV", "NDV", "NDVII", "NDWI"):
        assert nearest(slip, ["NDSIWV", "NMDI", "NIRV", "NDVI"]).startswith("Did you mean 'NDVI'")
    assert nearest("conv3", ["conv1", "conv2", "dense"]) == "Did you mean 'conv2' or 'conv1'?"
    assert nearest("x", [], "studies") == "There are no studies yet."


def test_lineage_is_walked_both_ways(tmp_path: Path) -> None:
    items = [Ref("item", "a"), Ref("item", "b")]
    commit, view, model = Ref("commit", "p/1@0"), Ref("view", "v/1"), Ref("model", "m/1")
    record(tmp_path, items, commit, {"rows": 3})
    record(tmp_path, [commit], view)
    record(tmp_path, [view], model)
    assert upstream(tmp_path, model) == [view, commit, *items]
    assert downstream(tmp_path, items[0]) == [commit, view, model]
    assert next(edges(tmp_path)).detail == {"rows": 3}


def test_a_torn_line_loses_only_itself(tmp_path: Path) -> None:
    record(tmp_path, [Ref("item", "a")], Ref("commit", "c"))
    with (tmp_path / "lineage.jsonl").open("a") as file:
        file.write('{"v": 1, "t"\n')
    record(tmp_path, [Ref("item", "b")], Ref("commit", "c"))
    assert set(upstream(tmp_path, Ref("commit", "c"))) == {Ref("item", "a"), Ref("item", "b")}


def _append(folder: Path, number: int) -> None:
    for i in range(50):
        record(folder, [Ref("item", f"{number}-{i}")], Ref("commit", "c"))


def test_processes_append_at_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_append, args=(tmp_path, n)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(upstream(tmp_path, Ref("commit", "c"))) == 200


def test_a_cycle_ends(tmp_path: Path) -> None:
    record(tmp_path, [Ref("a", "1")], Ref("b", "1"))
    record(tmp_path, [Ref("b", "1")], Ref("a", "1"))
    assert upstream(tmp_path, Ref("a", "1")) == [Ref("b", "1")]


def test_a_progress_bar_is_closed_on_error(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    class Bar:
        def __init__(self, label: str) -> None:
            seen.append(label)

        def update(self, done: int, total: int, text: str) -> None:
            seen.append((done, total))

        def close(self) -> None:
            seen.append("closed")

    monkeypatch.setattr(progress, "_make_bar", Bar)

    def work() -> None:
        for item in progress.track([1, 2], "work"):
            print(1 / (item - 1))

    with pytest.raises(ZeroDivisionError):
        work()
    assert seen == ["work", (0, 2), "closed"]
    seen.clear()
    assert list(progress.track(range(2), "work")) == [0, 1]
    assert seen == ["work", (0, 2), (1, 2), (2, 2), "closed"]
