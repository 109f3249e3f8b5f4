"""Studies leave for Optuna whole: states, values, parameters, curves; its dashboard opens them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated
from urllib.request import urlopen

import optuna
import pytest

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.studies import Study
from tests.studies.conftest import Run


def mixed(
    reporter,
    *,
    lr: Annotated[float, eo.loguniform(1e-4, 1e-1)] = 1e-2,
    depth: Annotated[int, eo.integer(2, 9, step=3)] = 2,
    kind: Annotated[str, eo.choice("a", "b")] = "a",
    width: Annotated[int, eo.ordinal(8, 16, 64)] = 8,
    part: Annotated[float, eo.uniform(0, 1, step=0.25)] = 0.5,
):
    for step in range(4):
        reporter.report(step=step, score=-depth * lr * step - part)
        if kind == "b" and depth == 8:
            raise ValueError("no")
    return -depth * lr - part


@pytest.fixture
def study(run: Run) -> Study:
    return run(mixed, trials=24, pruner="median:startup=3", seed=5)


def test_an_optuna_study_says_the_same(study: Study) -> None:
    found = study.to_optuna()
    states = {"completed": "COMPLETE", "failed": "FAIL", "stopped": "PRUNED"}
    assert [t.state.name for t in found.trials] == [states[t["state"]] for t in study.trials]
    assert [t.params for t in found.trials] == [t["params"] for t in study.trials]
    assert found.best_value == study.best_value
    assert found.best_params == study.best_params
    for theirs, ours in zip(found.trials, study.trials, strict=True):
        assert list(theirs.intermediate_values.items()) == [tuple(p) for p in ours["curve"]]
    assert len(optuna.importance.get_param_importances(found)) == 5


def test_a_journal_file_is_read_back_by_optuna(study: Study, tmp_path: Path) -> None:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = study.to_journal_file(tmp_path / "s.log")
    storage = JournalStorage(JournalFileBackend(str(path)))
    read = optuna.load_study(study_name="s", storage=storage)
    assert read.best_params == study.best_params
    assert len(read.trials) == 24
    assert [p.name for p in tmp_path.glob("*s.log*")] == ["s.log"]
    with pytest.raises(InvalidInputError, match="exists"):
        study.to_journal_file(path)


def test_optunas_dashboard_opens_the_file(study: Study, tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    path = study.to_journal_file(tmp_path / "s.log")
    code = "from optuna_dashboard._cli import main; main()"
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    dashboard = subprocess.Popen(
        [sys.executable, "-c", code, str(path), "--port", str(port), "--host", "127.0.0.1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        answer = None
        for _ in range(900):  # it imports slowly on a busy machine
            try:
                with urlopen(f"http://127.0.0.1:{port}/api/studies") as response:
                    answer = json.load(io.TextIOWrapper(response))
                break
            except OSError:
                assert dashboard.poll() is None, dashboard.stdout.read()  # type: ignore[union-attr]
                time.sleep(0.1)
        assert answer is not None
        (shown,) = answer["study_summaries"]
        assert shown["study_name"] == "s"
        with urlopen(f"http://127.0.0.1:{port}/api/studies/{shown['study_id']}") as response:
            detail = json.load(response)
        assert len(detail["trials"]) == 24
        assert {t["state"] for t in detail["trials"]} >= {"Complete"}
    finally:
        dashboard.kill()
        dashboard.wait()
