"""No trial sees what another one did, whatever it was given."""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable
from typing import Annotated

import cloudpickle
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.studies.worker.isolation import Fresh, worker_memory
from tests.studies.conftest import Run

LR = Annotated[float, eo.uniform(0, 1)]
LARGE = np.ones((300, 300))
MODEL = SGDClassifier(random_state=0)
SEEN: list[float] = []
LEFT = {"a": 1.0, "b": 2.0}


class Counter:
    count = 0


def in_place(data, *, lr: LR = 0.5):
    data /= 2
    return float(data.sum())


def column(data, *, lr: LR = 0.5):
    data["ndvi"] = data["ndvi"] * 10
    return float(data["ndvi"].sum())


def popped(data, *, lr: LR = 0.5):
    return float(data.pop("y").sum())


def drawn(data, *, lr: LR = 0.5):
    return float(data.random())


def of_globals(*, lr: LR = 0.5):
    SEEN.append(1.0)
    Counter.count += 1
    return LEFT.pop("a") + len(SEEN) + Counter.count


def of_a_model(*, lr: LR = 0.5):
    MODEL.partial_fit(np.array([[0.0], [1.0]]), [0, 1], classes=[0, 1])
    return float(MODEL.t_)


def remembered(*, lr: LR = 0.5):
    of_globals.calls = getattr(of_globals, "calls", 0) + 1
    return float(of_globals.calls)


@pytest.mark.parametrize(
    ("train", "data", "value"),
    [
        (in_place, LARGE, 45_000.0),
        (in_place, np.ones(4), 2.0),
        (column, pd.DataFrame({"ndvi": np.full(20_000, 0.1)}), 20_000.0),
        (popped, {"y": np.ones(20_000)}, 20_000.0),
        (popped, pd.DataFrame({"y": [1.0, 2.0]}), 3.0),
        (of_globals, None, 3.0),
        (of_a_model, None, 3.0),
        (remembered, None, 1.0),
    ],
)
def test_trials_of_one_worker_do_not_see_each_other(
    run: Run, train: Callable[..., object], data: object, value: float
) -> None:
    study = run(train, data=data, trials=3, workers=1)
    assert [t["value"] for t in study.trials] == pytest.approx([value] * 3)


def test_a_generator_begins_anew_in_each_trial(run: Run) -> None:
    study = run(drawn, data=np.random.default_rng(3), trials=3, workers=1)
    assert len({t["value"] for t in study.trials}) == 1


def test_a_random_forest_learns_from_large_arrays(run: Run) -> None:
    def train(data, *, lr: LR = 0.5):
        fitted = RandomForestClassifier(2, random_state=0).fit(data["X"], data["y"])
        return float(fitted.score(data["X"], data["y"]))

    rng = np.random.default_rng(0)
    X = rng.random((4_000, 6), dtype="float32")
    study = run(train, data={"X": X, "y": (X[:, 0] > 0.5).astype(int)}, trials=2, workers=1)
    assert min(t["value"] for t in study.trials) > 0.9


def pickled(value: object) -> bytes:
    return bytes(cloudpickle.dumps(value, protocol=5))


def test_large_arrays_are_shared_until_a_trial_writes() -> None:
    fresh = Fresh(pickled(abs), pickled({"x": LARGE, "y": [1]}), 1e12)
    _, first = fresh.make()
    _, second = fresh.make()
    assert first["x"].flags.writeable
    assert not first["x"].flags.owndata
    first["x"] += 1
    first["y"].append(2)
    assert (second["x"] == LARGE).all()
    assert fresh.make()[1] == {"x": pytest.approx(LARGE), "y": [1]}


def test_above_a_quarter_of_the_memory_arrays_are_read_only() -> None:
    data = np.ones(300_000)
    assert not Fresh(pickled(abs), pickled(data), 4.0 * data.nbytes - 1).make()[1].flags.writeable
    assert Fresh(pickled(abs), pickled(data), 4.0 * data.nbytes).make()[1].flags.writeable


def test_a_trial_that_writes_to_too_large_data_is_told_to_copy(
    run: Run,
) -> None:
    data = np.ones(40_000_000)  # more than a quarter of the gigabyte that a trial may take
    with pytest.raises(InvalidInputError, match="read-only") as caught:
        run(in_place, data=data, trials=1, workers=1, memory=1.0)
    assert ".copy()" in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pa.table({"a": np.arange(50_000)}),
        lambda: collections.OrderedDict(a=LARGE, b=LARGE[:10, :10]),
        lambda: pd.DataFrame(LARGE).iloc[::2],
        lambda: np.asfortranarray(LARGE),
        lambda: functools.partial(np.add, LARGE),
        lambda: lambda: LARGE,
    ],
)
def test_what_was_given_is_what_arrives(make: Callable[[], object]) -> None:
    from eolab.studies.identity.walk import identify

    given = make()
    _, arrived = Fresh(pickled(abs), pickled(given), 1e12).make()
    assert identify(arrived, "data").digest == identify(given, "data").digest


def test_the_memory_of_a_worker_is_its_limit_or_its_share() -> None:
    assert worker_memory(5e9, 4) == 5e9
    assert worker_memory(0, 2) == pytest.approx(worker_memory(0, 1) / 2)
