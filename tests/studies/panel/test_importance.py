"""What matters is found, what does not is not, and too little to tell is told."""

from __future__ import annotations

import math
import random
import re

import numpy as np
import pytest

from eolab.errors import ConflictError
from eolab.studies.panel.importance import importance
from eolab.studies.space.parameters import choice, integer, loguniform, uniform


def space(**parameters):
    return [{"name": name, **p.to_json()} for name, p in parameters.items()]


def trials(function, n=60, **draw):
    stream = np.random.default_rng(0)
    rows = []
    for number in range(n):
        params = {name: d(stream) for name, d in draw.items()}
        value = function(**params)
        rows.append({"number": number, "state": "completed", "params": params, "value": value})
    return rows


def test_the_parameter_that_decides_comes_first():
    told = importance(
        space(lr=loguniform(1e-4, 1), width=integer(1, 9), model=choice("a", "b")),
        trials(
            lambda lr, width, model: math.log10(lr) + 0.01 * width,
            lr=lambda r: float(10 ** r.uniform(-4, 0)),
            width=lambda r: int(r.integers(1, 10)),
            model=lambda r: str(r.choice(["a", "b"])),
        ),
    )
    rows = {row["name"]: row["value"] for row in told["importance"]}
    assert told["importance"][0]["name"] == "lr"
    assert rows["lr"] > 0.9
    assert sum(rows.values()) == pytest.approx(1)
    assert told["trials"] == 60
    assert told["left_out"] == []


def test_the_same_trials_give_the_same_figures():
    rows = trials(lambda x, y: x * y, x=lambda r: r.uniform(), y=lambda r: r.uniform())
    parameters = space(x=uniform(0, 1), y=uniform(0, 1))
    assert importance(parameters, rows) == importance(parameters, rows)


def test_only_the_best_and_a_random_part_of_many_trials_are_used():
    rows = trials(lambda x: x, n=3_000, x=lambda r: r.uniform())
    assert importance(space(x=uniform(0, 1)), rows)["trials"] == 1_000


def test_what_never_varied_matters_nothing_and_conditional_ones_are_named():
    rows = trials(lambda x, y: x, x=lambda r: r.uniform(), y=lambda r: 0.5)
    rows[3]["params"]["z"] = 0.1
    told = importance(space(x=uniform(0, 1), y=uniform(0, 1), z=uniform(0, 1)), rows)
    assert told["importance"][-1] == {"name": "y", "value": 0.0}
    assert told["left_out"] == ["z"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (trials(lambda x: x, n=7, x=lambda r: r.uniform()), "8 are needed"),
        (trials(lambda x: 1.0, x=lambda r: r.uniform()), "same value"),
        (trials(lambda x: random.random(), x=lambda r: 0.5), "no parameter varied"),
    ],
)
def test_too_little_to_tell_is_told(rows, told):
    with pytest.raises(ConflictError, match=told):
        importance(space(x=uniform(0, 1)), rows)


@pytest.mark.parametrize(("ended", "hint"), [(False, "Wait"), (True, r"study.add_trials\(3\)")])
def test_an_ended_study_needs_more_trials_not_more_patience(ended, hint):
    rows = trials(lambda x: x, n=5, x=lambda r: r.uniform())
    with pytest.raises(ConflictError, match="5 trials have completed") as caught:
        importance(space(x=uniform(0, 1)), rows, ended=ended)
    assert re.search(hint, caught.value.hint)
