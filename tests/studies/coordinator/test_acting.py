"""What can be asked of a study while it runs, and what ends it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.errors import ConflictError
from eolab.studies.journal import files as journal
from tests.studies.conftest import Run, until


def slow(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    for step in range(200):
        reporter.report(step=step, score=x + step)
        time.sleep(0.05)


def test_pause_resume_and_cancel(run: Run) -> None:
    def short(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        time.sleep(0.1)
        return {"score": x}

    study = run(short, trials=40, wait=False)
    until(lambda: study.summary()["counts"]["completed"] >= 2)
    study.pause()
    until(lambda: study.state == "paused" and study.summary()["counts"]["running"] == 0)
    done = study.summary()["counts"]["completed"]
    time.sleep(0.4)
    assert study.summary()["counts"]["completed"] == done
    with pytest.raises(ConflictError, match="is paused: it cannot pause"):
        study.pause()
    study.resume()
    until(lambda: study.summary()["counts"]["completed"] > done)
    study.cancel()
    until(lambda: study.state == "cancelled")
    assert study.summary()["counts"]["running"] == 0
    until(lambda: not journal.is_alive(study.folder))
    finished = {t["number"]: t["value"] for t in study.trials if t["state"] == "completed"}
    again = run(short, trials=40)  # the cell, run again
    assert again.state == "completed"
    assert again.summary()["counts"] == {
        "queued": 0,
        "running": 0,
        "completed": 40,
        "failed": 0,
        "stopped": 0,
    }
    assert finished.items() <= {t["number"]: t["value"] for t in again.trials}.items()


def test_stop_one_trial_and_retry_it(run: Run) -> None:
    study = run(slow, trials=2, wait=False)
    until(lambda: study.summary()["counts"]["running"] == 2 and len(study.trials[0]["curve"]) > 2)
    study.stop_trial(0)
    until(lambda: study.trials[0]["state"] == "stopped")
    stopped = study.trials[0]
    assert stopped["error"] == "stopped by user"
    assert stopped["value"] == stopped["curve"][-1][1]
    assert study.trials[1]["state"] == "running"
    study.retry_trial(0)
    until(lambda: study.trials[0]["state"] == "running")
    assert study.trials[0]["attempts"] == 2
    study.cancel()


def test_a_command_to_a_finished_study_restarts_its_process(run: Run, tmp_path: Path) -> None:
    mended = tmp_path / "mended"

    def flaky(*, k: Annotated[int, eo.integer(0, 1)] = 0):
        if k == 0 and not mended.exists():
            raise OSError("not yet")
        return {"score": k}

    study = run(flaky, sampler="grid", trials=2)
    (failed,) = [t for t in study.trials if t["state"] == "failed"]
    until(lambda: not journal.is_alive(study.folder))
    mended.touch()
    study.retry_trial(failed["number"])
    study.wait()
    assert [t["state"] for t in study.trials] == ["completed", "completed"]


def test_workers_join_and_leave_while_it_runs(run: Run) -> None:
    def short(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        time.sleep(0.1)
        return {"score": x}

    study = run(short, trials=200, workers=1, wait=False)
    until(lambda: study.summary()["counts"]["running"] == 1)
    study.set_workers(3)
    until(lambda: study.summary()["counts"]["running"] == 3)
    study.set_workers(1)
    until(lambda: study.summary()["workers_alive"] == 1)
    study.cancel()


def test_budget_of_time_and_of_a_target(run: Run) -> None:
    def short(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        time.sleep(0.05)
        return {"score": x}

    # Long enough for workers to start on a busy machine.
    timed = run(short, name="timed", trials=10_000, timeout=5.0)
    assert timed.state == "completed"
    assert 2 <= len(timed.trials) < 400
    found = run(short, name="found", trials=10_000, target=0.8)
    assert found.best_value >= 0.8
    assert len(found.trials) < 200
    budgets = [study.summary()["budget"] for study in (timed, found)]
    assert [b["timeout"] for b in budgets] == [5.0, None]  # what the header shows
    assert [b["target"] for b in budgets] == [None, 0.8]


def test_waiting_may_end_before_the_study(run: Run) -> None:
    study = run(slow, trials=2, wait=False)
    study.wait(timeout=0.2)
    assert study.state in {"starting", "running"}
    study.cancel()


def test_trial_timeout_fails_the_trial_not_the_worker(run: Run) -> None:
    def hangs(*, k: Annotated[int, eo.integer(0, 1)] = 0):
        while k == 0:
            time.sleep(1)
        return {"score": k}

    study = run(hangs, sampler="grid", trials=2, workers=1, trial_timeout=1.0)
    by_k = {t["params"]["k"]: t for t in study.trials}
    assert by_k[0]["state"] == "failed"
    assert "longer than 1 s" in by_k[0]["error"]
    assert by_k[1]["state"] == "completed"
