"""What `tune` promises: parallel trials, the best one, errors before the first, resuming."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

import eolab as eo
from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.facade import Workspace
from eolab.settings.config import Config
from eolab.studies import Study, list_studies, open_study
from eolab.studies.client import packing
from tests.studies.conftest import Run, events, parabola


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
            t["number"]: (t["params"]["x"], t["value"])
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

    with pytest.raises(ConflictError, match="the train function changed"):
        run(edited, trials=2)
    with pytest.raises(ConflictError, match="the space changed"):
        run(parabola, trials=2, space={"x": eo.uniform(-2, 2)})
    with pytest.raises(ConflictError, match="the data changed"):
        run(parabola, trials=2, data=np.ones(3))
    with pytest.raises(ConflictError, match="already"):
        run(parabola, trials=2, resume=False)
    study = run(edited, trials=4, resume="force")
    assert [t["value"] for t in study.trials[2:]] == [
        -abs(t["params"]["x"]) for t in study.trials[2:]
    ]


def test_a_change_far_from_the_function_is_named(run: Run) -> None:
    def small() -> float:
        return 1.0

    models = {"small": small}

    def train(*, x: Annotated[float, eo.uniform(-1, 1)] = 0.0) -> float:
        return models["small"]() + x

    run(train, trials=1)

    def smaller() -> float:
        return 0.5

    models["small"] = smaller
    with pytest.raises(ConflictError, match=r"constant 1\.0 -> 0\.5 in models\['small'\]"):
        run(train, trials=1)


def test_what_cannot_be_compared_is_asked_about_not_answered_from_the_past(
    run: Run, tmp_path: Path
) -> None:
    def train(data, *, x: Annotated[float, eo.uniform(-1, 1)] = 0.0) -> float:
        return float(data["file"].getvalue())

    table = tmp_path / "table.csv"
    for value in ("2", "5"):
        table.write_text(value)
        with table.open() as file:  # it travels by its content, and is compared by nothing
            if value == "2":
                run(train, trials=1, data={"file": file})
                continue
            with pytest.raises(ConflictError, match=r"compare data\['file'\]") as caught:
                run(train, trials=1, data={"file": file})
            assert "resume='force'" in caught.value.hint
            study = run(train, trials=2, data={"file": file}, resume="force")
    assert [t["value"] for t in study.trials] == [2.0, 5.0]


def test_a_study_of_version_1_is_compared_by_it_and_written_anew_when_it_goes_on(
    run: Run,
) -> None:
    study = run(parabola, trials=2)
    file = study.folder / "study.json"
    document = json.loads(file.read_text())
    document["digest"] = {
        "code": packing.digest_function(parabola),
        "space": document["digest"]["space"],
        "data": packing.digest_data(None),
        "options": document["digest"]["options"],
    }
    file.write_text(json.dumps(document))
    before = file.read_bytes()
    assert run(parabola, trials=2).trials == study.trials
    assert file.read_bytes() == before
    run(parabola, trials=3)
    assert json.loads(file.read_text())["digest"]["version"] == 3


def test_attaching_from_elsewhere_by_name(run: Run, config: Config) -> None:
    study = run(parabola, trials=3)
    assert open_study(config, "s").best == study.best
    assert [s["name"] for s in list_studies(config)] == ["s"]
    with pytest.raises(NotFoundError, match="no study 't'") as caught:
        open_study(config, "t")
    assert caught.value.hint == "The studies are: s."


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
    log = study.log(by_k[0]["number"])
    assert "Traceback" in log
    assert "trial_process.py" not in log  # it begins with the function, not with who called it
    assert "in sometimes" in log.split("File ")[1]
    assert "returned nothing" in by_k[1]["error"]
    assert "nan" in by_k[2]["error"]
    assert study.best_params == {"k": 3}


def test_a_missing_metric_is_an_error_never_a_zero(run: Run) -> None:
    def other(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        reporter.report(step=0, val_accuracy=x)

    with pytest.raises(InvalidInputError, match="all 2 trials failed"):
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
        InvalidInputError,
        match="the first 5 trials all failed: ImportError: no module named terrain",
    ):
        run(broken, trials=30)
    study = open_study_of(run)
    assert study.state == "paused"
    assert study.snapshot()["counts"]["failed"] <= 6  # the other worker's may have been on its way


def test_the_pause_says_how_many_failed_why_and_how_to_go_on(run: Run) -> None:
    def broken(*, k: Annotated[int, eo.integer(0, 9)] = 0):
        raise ValueError("too deep") if k < 2 else KeyError("red")

    with pytest.raises(InvalidInputError, match="first 5 trials all failed") as caught:
        run(broken, trials=10, workers=1, sampler="grid")
    assert "4 with KeyError: 'red'; 1 with ValueError: too deep" in str(caught.value)
    assert "resume='force'" in caught.value.hint


def test_a_mended_function_goes_on_with_what_failed_tried_again(run: Run) -> None:
    def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        raise ImportError("no module named terrain")

    with pytest.raises(InvalidInputError, match="first 5 trials all failed"):
        run(train, trials=8)

    def mended(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return x

    with pytest.raises(ConflictError, match="the train function changed"):
        run(mended, trials=8)
    study = run(mended, trials=8, resume="force")
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

    with pytest.raises(InvalidInputError, match="cannot be loaded: ModuleNotFoundError"):
        run(train, trials=2, workers=1)
    assert "no_such_library" in open_study_of(run).log(0)


def test_two_equal_configurations_are_two_trials(run: Run) -> None:
    def equal(*, k: Annotated[int, eo.integer(1, 2)] = 1):
        return {"score": k}

    study = run(equal, trials=6)
    assert [t["number"] for t in study.trials] == list(range(6))
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

    def bare(*, x: eo.uniform(0, 1) = 0.5):  # type: ignore[valid-type]
        return x

    def takes_data(data, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
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
        (plain, {"pruner": "medain"}, "medain"),
        (plain, {"on": "cluster"}, "no cluster 'cluster'"),
        (plain, {"name": "../x"}, "not a good name"),
        (needs, {}, "nobody gives the argument 'colour'"),
        (bare, {}, "space where its type belongs"),
        (takes_data, {}, "takes data, and none is given"),
        (3, {"space": {"x": eo.uniform(0, 1)}}, "not a function"),
    ]
    for train, options, words in faults:
        with pytest.raises(InvalidInputError, match=words) as caught:
            run(train, **options)
        assert caught.value.hint, words
    assert not config.runs.exists() or not list(config.runs.iterdir())


def test_options_of_the_workspace_are_checked_and_have_defaults(config: Config) -> None:
    def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return x

    ws = Workspace(config)
    for options, words, hint in (
        ({"metric": "score", "worker": 2}, "no option worker=", "'workers'"),
        ({"trials": 2}, "needs metric=", "ws.tune"),
    ):
        with pytest.raises(InvalidInputError, match=words) as caught:
            ws.tune(train, **options)
        assert hint in caught.value.hint
    study = ws.tune(train, metric="score", tracking=False)
    assert (study.name, len(study.trials)) == ("train", 16)


def test_trials_that_all_fail_are_told_with_the_way_on(run: Run) -> None:
    def misnamed(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return {"accuracy": x}

    with pytest.raises(
        InvalidInputError, match="gave no metric 'score', it gave accuracy"
    ) as caught:
        run(misnamed, name="wrong", trials=2)
    assert caught.value.hint.startswith("Name one of these as metric=. ws.study('wrong').log(")


def test_a_loss_may_be_maximised_on_purpose(run: Run) -> None:
    def plain(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return {"loss": x}

    assert run(plain, metric="loss", check_metric=False, trials=2).state == "completed"


def test_the_function_and_the_token_are_nobody_elses_business(run: Run) -> None:
    study = run(parabola, trials=1, data=np.ones(2))
    for name in ("train.pkl", "data.pkl", "plan.pkl", "token", "workers/w0.json"):
        assert (study.folder / name).stat().st_mode & 0o077 == 0, name


def test_the_function_runs_alone_with_the_plain_reporter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parabola(eo.Reporter(), seed=0) == 0
    assert "score=-1" in capsys.readouterr().out
