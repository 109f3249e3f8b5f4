"""What `tune` promises: parallel trials, the best one, errors before the first, resuming."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

import eolab as eo
from eolab.config import Config
from eolab.data import Split, TrainingData
from eolab.errors import BadInput, Conflict, NotFound
from eolab.studies import Study, journal, list_studies, open_study
from tests.studies.conftest import Run, events, until


def parabola(reporter, *, seed, x: Annotated[float, eo.uniform(-1, 1)] = 0.0):
    for step in range(3):
        reporter.report(step=step, score=-(x**2) - 1 / (step + 1))
    return -(x**2)


def test_runs_all_trials_and_finds_the_best(run: Run) -> None:
    study = run(parabola, trials=10)
    assert study.state == "completed"
    assert [t["state"] for t in study.trials] == ["completed"] * 10
    values = [t["value"] for t in study.trials]
    assert study.best_value == max(values)
    assert study.best_value == -(study.best_params["x"] ** 2)
    assert study.trials[0]["curve"][1] == [1.0, values[0] - 0.5]
    frame = study.to_dataframe()
    assert list(frame["params.x"]) == [t["params"]["x"] for t in study.trials]
    assert frame["score"].max() == study.best_value


def test_same_seed_gives_the_same_trials_on_any_number_of_workers(run: Run) -> None:
    def noisy(*, seed, x: Annotated[float, eo.uniform(-1, 1)] = 0.0):
        return {"score": x + np.random.default_rng(seed).normal() + np.random.normal()}  # noqa: NPY002  the global one is seeded too

    found = [
        {
            t["n"]: (t["params"]["x"], t["value"])
            for t in run(noisy, name=f"s{w}", workers=w, trials=8, seed=7).trials
        }
        for w in (1, 3)
    ]
    assert found[0] == found[1]
    other = run(noisy, name="other", trials=8, seed=8).trials
    assert found[0][0] != (other[0]["params"]["x"], other[0]["value"])


def test_trials_run_in_parallel_in_processes_of_their_own(run: Run) -> None:
    def where(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import os
        import time

        time.sleep(0.3)
        return {"score": x, "pid": os.getpid()}

    study = run(where, trials=4, workers=2)
    started = sorted((e["t"], e["w"]) for e in events(study, "start"))
    assert {w for _, w in started[:2]} == {"w0", "w1"}
    ends = sorted(e["t"] for e in events(study, "finish"))
    assert started[1][0] < ends[0]  # the second began before the first ended


def test_a_cell_run_again_hands_back_the_finished_study(run: Run) -> None:
    before = run(parabola).trials
    second = run(parabola)
    assert second.trials == before
    assert len(events(second, "process")) == 1


def test_more_trials_continue_the_study_without_repeating_suggestions(run: Run) -> None:
    first = run(parabola, trials=4).trials
    more = run(parabola, trials=9)
    assert more.trials[:4] == first
    assert len({t["params"]["x"] for t in more.trials}) == 9


def test_other_code_space_or_data_under_one_name_is_a_conflict_that_says_what_changed(
    run: Run,
) -> None:
    run(parabola, trials=2)

    def edited(reporter, *, seed, x: Annotated[float, eo.uniform(-1, 1)] = 0.0):
        reporter.report(step=0, score=-abs(x))

    with pytest.raises(Conflict, match="the train function changed"):
        run(edited, trials=2)
    with pytest.raises(Conflict, match="the space changed"):
        run(parabola, trials=2, space={"x": eo.uniform(-2, 2)})
    with pytest.raises(Conflict, match="the data changed"):
        run(parabola, trials=2, data=np.ones(3))
    with pytest.raises(Conflict, match="already"):
        run(parabola, trials=2, resume=False)
    study = run(edited, trials=4, resume="anyway")
    assert [t["value"] for t in study.trials[2:]] == [
        -abs(t["params"]["x"]) for t in study.trials[2:]
    ]


def test_the_digest_follows_the_code_not_the_cell(run: Run) -> None:
    from eolab.studies.shipping import digest_function

    texts = [f"def f(x):\n    return x + {k}\n" for k in (1, 1, 2)]
    digests = []
    for i, text in enumerate(texts):
        space: dict[str, object] = {"__name__": "__main__"}
        exec(compile("\n" * i + text, f"<cell {i}>", "exec"), space)
        digests.append(digest_function(space["f"]))  # type: ignore[arg-type]
    assert digests[0] == digests[1] != digests[2]


def test_attaching_from_elsewhere_by_name(run: Run, config: Config) -> None:
    study = run(parabola, trials=3)
    assert open_study(config, "s").best == study.best
    assert [s["name"] for s in list_studies(config)] == ["s"]
    with pytest.raises(NotFound) as caught:
        open_study(config, "t")
    assert "'s'" in caught.value.hint or "s" in caught.value.hint


# -- one failing trial fails alone -----------------------------------------------------------


def test_a_failing_trial_fails_alone_with_its_traceback_in_its_log(run: Run) -> None:
    def sometimes(*, k: Annotated[int, eo.integer(0, 3)] = 0):
        if k == 0:
            raise RuntimeError("this one is broken")
        if k == 1:
            return None
        if k == 2:
            return float("nan")
        return {"scoree": 1.0} if k == 4 else {"score": 3.0}

    study = run(sometimes, sampler="grid", trials=4)
    by_k = {t["params"]["k"]: t for t in study.trials}
    assert study.state == "completed"
    assert [by_k[k]["state"] for k in range(4)] == ["failed", "failed", "failed", "completed"]
    assert "RuntimeError: this one is broken" in by_k[0]["error"]
    assert "Traceback" in study.log(by_k[0]["n"])
    assert "returned nothing" in by_k[1]["error"]
    assert "nan" in by_k[2]["error"]
    assert study.best_params == {"k": 3}


def test_a_missing_metric_is_an_error_never_a_zero(run: Run) -> None:
    def other(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        reporter.report(step=0, val_accuracy=x)

    with pytest.raises(BadInput, match="all 2 trials failed"):
        run(other, trials=2, metric="quality")
    study = open_study_of(run)
    assert {t["state"] for t in study.trials} == {"failed"}
    assert "no metric 'quality', it gave val_accuracy" in study.trials[0]["error"]


def open_study_of(run: Run) -> Study:
    (config,) = [
        c.cell_contents for c in run.__closure__ or () if isinstance(c.cell_contents, Config)
    ]
    return open_study(config, "s")


def test_first_five_failures_pause_the_study_and_say_why(run: Run) -> None:
    def broken(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        raise ImportError("no module named terrain")

    with pytest.raises(
        BadInput, match="the first 5 trials all failed: ImportError: no module named terrain"
    ):
        run(broken, trials=30)
    study = open_study_of(run)
    assert study.state == "paused"
    assert study.snapshot()["counts"]["failed"] <= 6  # the other worker's may have been on its way


def test_a_mended_function_goes_on_with_what_failed_tried_again(run: Run) -> None:
    def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        raise ImportError("no module named terrain")

    with pytest.raises(BadInput, match="first 5 trials all failed"):
        run(train, trials=8)

    def mended(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return x

    with pytest.raises(Conflict, match="the train function changed"):
        run(mended, trials=8)
    study = run(mended, trials=8, resume="anyway")
    assert [t["state"] for t in study.trials] == ["completed"] * 8
    assert len({t["params"]["x"] for t in study.trials}) == 8


class Unloadable:
    """Pickles, and fails when it is loaded."""

    def __reduce__(self):
        return (__import__, ("no_such_library",))


def test_a_function_that_does_not_load_says_so(run: Run) -> None:
    thing = Unloadable()

    def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return thing and x

    with pytest.raises(BadInput, match="cannot be loaded: ModuleNotFoundError"):
        run(train, trials=2, workers=1)
    assert "no_such_library" in open_study_of(run).log(0)


def test_two_equal_configurations_are_two_trials(run: Run) -> None:
    def equal(*, k: Annotated[int, eo.integer(1, 2)] = 1):
        return {"score": k}

    study = run(equal, trials=6)
    assert [t["n"] for t in study.trials] == list(range(6))
    assert study.summary()["counts"]["completed"] == 6


# -- errors before the first trial -----------------------------------------------------------


def test_errors_before_the_first_trial(run: Run, config: Config) -> None:
    lock = threading.Lock()

    def holds_lock(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        with lock:
            return x

    def plain(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return {"val_f1": x}

    def nothing(reporter):
        return 1.0

    def needs(colour, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return x

    faults = [
        (holds_lock, {}, "'lock'"),
        (nothing, {}, "empty"),
        (plain, {"space": {"y": eo.uniform(0, 1)}}, "no parameter 'y'"),
        (plain, {"space": {"x": eo.uniform(1, 0)}}, "low"),
        (plain, {"metric": "val_loss"}, "looks wrong"),
        (plain, {"metric": "accuracy", "direction": "minimize"}, "looks wrong"),
        (plain, {"metric": "val_fl"}, "never names the metric 'val_fl'"),
        (plain, {"direction": "up"}, "direction='up'"),
        (plain, {"trials": 0}, "trials=0"),
        (plain, {"sampler": "tpee"}, "tpee"),
        (plain, {"stop": "medain"}, "medain"),
        (plain, {"on": "cluster"}, "no cluster 'cluster'"),
        (plain, {"name": "../x"}, "not a good name"),
        (needs, {}, "nobody gives the argument 'colour'"),
        (3, {"space": {"x": eo.uniform(0, 1)}}, "not a function"),
    ]
    for train, options, words in faults:
        with pytest.raises(BadInput, match=words) as caught:
            run(train, **options)
        assert caught.value.hint, words
    assert not config.runs.exists() or not list(config.runs.iterdir())


def test_a_loss_may_be_maximised_on_purpose(run: Run) -> None:
    def plain(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return {"loss": x}

    assert run(plain, metric="loss", check_metric=False, trials=2).state == "completed"


# -- acting on a study -----------------------------------------------------------------------


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
    with pytest.raises(Conflict, match="is paused: it cannot pause"):
        study.pause()
    study.resume()
    until(lambda: study.summary()["counts"]["completed"] > done)
    study.cancel()
    until(lambda: study.state == "cancelled")
    assert study.summary()["counts"]["running"] == 0
    until(lambda: not journal.is_alive(study.folder))
    finished = {t["n"]: t["value"] for t in study.trials if t["state"] == "completed"}
    again = run(short, trials=40)  # the cell, run again
    assert again.state == "completed"
    assert again.summary()["counts"] == {
        "queued": 0,
        "running": 0,
        "completed": 40,
        "failed": 0,
        "stopped": 0,
    }
    assert finished.items() <= {t["n"]: t["value"] for t in again.trials}.items()


def test_stop_one_trial_and_retry_it(run: Run) -> None:
    study = run(slow, trials=2, wait=False)
    until(lambda: study.summary()["counts"]["running"] == 2 and len(study.trials[0]["curve"]) > 2)
    study.stop_trial(0)
    until(lambda: study.trials[0]["state"] == "stopped")
    stopped = study.trials[0]
    assert stopped["error"] == "stopped by command"
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
    study.retry_trial(failed["n"])
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


# -- data and the refit ----------------------------------------------------------------------


def make_split() -> Split:
    def part(n: int, seed: int) -> TrainingData:
        r = np.random.default_rng(seed)
        X = r.normal(size=(n, 3)).astype("float32")
        return TrainingData(
            X, (X[:, 0] > 0).astype("int64"), np.arange(n) // 10, ("a", "b", "c"), ("no", "yes")
        )

    return Split(part(80, 0), part(40, 1), part(40, 2), {"view": "crops/1"})


def logistic(data, reporter, *, seed, C: Annotated[float, eo.loguniform(1e-3, 1e3)] = 1.0):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, random_state=seed).fit(data.train.X, data.train.y)
    reporter.report(
        step=len(data.train), val_accuracy=model.score(data.validation.X, data.validation.y)
    )
    reporter.keep(model)


def test_refit_saves_the_model_with_where_it_comes_from(run: Run) -> None:
    split = make_split()
    study = run(logistic, data=split, metric="val_accuracy", trials=3, workers=1)
    assert study.trials[0]["curve"][0][0] == 80
    fitted = study.refit()
    assert (fitted.flavour, fitted.columns, fitted.classes) == (
        "sklearn",
        ("a", "b", "c"),
        ("no", "yes"),
    )
    assert fitted.params == study.best_params
    assert fitted.metrics["val_accuracy"] == study.best_value
    assert fitted.source == {"view": "crops/1"}
    assert fitted.data_digest == split.digest()

    from sklearn.linear_model import LogisticRegression

    both = TrainingData.concatenate(split.train, split.validation)  # type: ignore[arg-type]
    oracle = LogisticRegression(C=study.best_params["C"]).fit(both.X, both.y)
    np.testing.assert_allclose(fitted.load().coef_, oracle.coef_, rtol=1e-4)  # type: ignore[attr-defined]
    alone = LogisticRegression(C=study.best_params["C"]).fit(split.train.X, split.train.y)
    np.testing.assert_allclose(study.refit(on="train").load().coef_, alone.coef_, rtol=1e-4)  # type: ignore[attr-defined]


def test_the_test_part_never_reaches_a_train_function(run: Run) -> None:
    def peeks(data, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return {"score": len(data.test)}

    with pytest.raises(BadInput, match="no test part"):
        run(peeks, data=make_split(), trials=1)


def test_a_trial_cannot_change_the_data_of_the_next(run: Run) -> None:
    def scales(data, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        data.train.X[:] = 0
        return {"score": x}

    with pytest.raises(BadInput, match="read-only"):
        run(scales, data=make_split(), trials=1)
    assert "change a copy" in (open_study_of(run).trials[0]["error"] or "")


def test_a_refit_without_a_kept_model_says_so(run: Run) -> None:
    with pytest.raises(BadInput, match="kept no model") as caught:
        run(parabola, trials=1).refit()
    assert "reporter.keep" in caught.value.hint


def test_the_function_and_the_token_are_nobody_elses_business(run: Run) -> None:
    study = run(parabola, trials=1, data=np.ones(2))
    for name in ("train.pkl", "data.pkl", "plan.pkl", "token", "workers/w0.json"):
        assert (study.folder / name).stat().st_mode & 0o077 == 0, name


def test_the_function_runs_alone_with_the_plain_reporter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parabola(eo.Reporter(), seed=0) == 0
    assert "score=-1" in capsys.readouterr().out
