"""Old names of studies go on for a release, and say the new ones."""

from __future__ import annotations

import warnings
from typing import Annotated

import pytest

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.facade import Workspace
from eolab.settings.config import Config
from eolab.studies import Space, Study, tune
from eolab.studies.ablation import ablate
from eolab.studies.ablation.design import Run as AblationRun
from eolab.studies.ablation.design import Variant
from eolab.studies.ablation.result import summarise
from eolab.studies.ablation.study import AblateOptions
from eolab.studies.client.options import TuneOptions
from eolab.studies.plans.factory import make_strategy
from tests.studies.conftest import Run

pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning:tests")


def square(reporter, *, seed, x: Annotated[float, eo.uniform(-1, 1)] = 0.5):
    reporter.report(step=0, score=-(x**2))


@pytest.fixture
def study(run: Run) -> Study:
    return run(square, trials=2, workers=1)


def test_stop_is_pruner(config: Config, run: Run) -> None:
    with pytest.warns(DeprecationWarning, match=r"stop= is now pruner="):
        done = run(square, trials=2, workers=1, stop="median")
    assert done.spec["stop"] == run(square, trials=2, workers=1, pruner="median").spec["stop"]
    with pytest.warns(DeprecationWarning, match=r"stop= is now pruner="):
        again = Workspace(config).tune(
            square, name="s", metric="score", trials=2, workers=1, sampler="random",
            tracking=False, stop="median",
        )  # fmt: skip
    assert again.trials == done.trials
    with pytest.raises(TypeError, match="both pruner= and stop="):
        run(square, stop="median", pruner="median")


def test_a_plan_of_before_names_its_rule_stop() -> None:
    space = Space.from_dict({"x": eo.uniform(0, 1)})
    options = {"direction": "maximize", "metric": "score", "seed": 0, "trials": 3}
    _, then = make_strategy(space, stop="median", **options)
    _, now = make_strategy(space, pruner="median", **options)
    assert then.to_json() == now.to_json()


def test_resume_anyway_is_force(run: Run, study: Study) -> None:
    def other(reporter, *, seed, x: Annotated[float, eo.uniform(-1, 1)] = 0.5):
        return x

    with pytest.warns(DeprecationWarning, match='resume="anyway" is now resume="force"'):
        assert run(other, trials=3, workers=1, resume="anyway").state == "completed"
    with pytest.raises(InvalidInputError, match="resume='farce'"):
        run(other, trials=3, workers=1, resume="farce")


def test_n_of_a_trial_is_its_number(study: Study) -> None:
    for trial in (*study.trials, study.best):
        with pytest.warns(DeprecationWarning, match=r'trial\["n"\] is now trial\["number"\]'):
            assert trial["n"] == trial["number"]
    with pytest.raises(KeyError, match="nothing"):
        study.trials[0]["nothing"]
    with pytest.warns(DeprecationWarning, match="n= is now number="):
        assert study.log(n=0) == study.log(0)


def test_keep_is_save_model() -> None:
    reporter = eo.Reporter()
    with pytest.warns(DeprecationWarning, match=r"reporter\.keep is now reporter\.save_model"):
        reporter.keep("a model")
    assert reporter.saved == ["a model"]


@pytest.mark.parametrize("package", ["eolab", "eolab.studies"])
def test_discrete_is_ordinal(package: str) -> None:
    import importlib

    module = importlib.import_module(package)
    with pytest.warns(DeprecationWarning, match=f"{package}.discrete is now {package}.ordinal"):
        assert module.discrete is eo.ordinal


def test_an_ordinal_parameter_is_still_called_discrete_on_disk() -> None:
    assert eo.ordinal(1, 2).to_json()["kind"] == "discrete"
    assert repr(eo.ordinal(1, 2)) == "eo.ordinal(1, 2)"


def test_words_of_an_ablation() -> None:
    values = {AblationRun(v, f, 0): float(f) for v in ("baseline", "without a") for f in (0, 1)}
    result = summarise(
        [Variant("baseline"), Variant("without a", ("a",))], values, metric="f1",
        direction="maximize", overlap=0.5,
    )  # fmt: skip
    with pytest.warns(DeprecationWarning, match=r"in_words is now AblationResult\.describe"):
        assert result.in_words() == result.describe()
    with pytest.warns(DeprecationWarning, match=r"Row\.spread is now Row\.std"):
        assert result.baseline.spread == result.baseline.std
    with pytest.raises(AttributeError, match="nothing"):
        result.nothing  # noqa: B018


def test_the_new_names_warn_of_nothing(run: Run) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        done = run(square, trials=2, workers=1, pruner="median", resume="force")
        assert [trial["number"] for trial in done.trials] == [0, 1]


@pytest.mark.parametrize(("function", "options"), [(tune, TuneOptions), (ablate, AblateOptions)])
def test_editors_see_the_options_that_there_are(function, options) -> None:
    """`ws.tune(**options: Unpack[TuneOptions])` and `tune` name the same, with the same types."""
    taken = {k: v for k, v in function.__annotations__.items() if k not in {"config", "train"}}
    del taken["return"]
    seen = {name: kind.__forward_arg__ for name, kind in options.__annotations__.items()}
    assert seen.pop("metric") == "Required[str]"
    assert taken.pop("metric") == "str"
    assert taken == seen
