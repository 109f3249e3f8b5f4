"""Which libraries a function needs: so that they are there, and seeded, before a trial."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pytest

from eolab.studies.ablation.trial import Recipe, make_trial
from eolab.studies.client.imports import imported_modules, needed_imports


def builds(data):
    from keras import layers

    return layers.Dense(1)


def trains(data, model):
    return float(np.mean(data))


class Callable:
    def __call__(self, data):
        import torch

        return torch.zeros(1)


@dataclass
class Holder:
    function: object


def closed_over(value):
    def train(data):
        return value

    return train


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (trains, ["numpy"]),
        (builds, ["keras"]),
        (functools.partial(builds, data=None), ["keras"]),
        (Callable(), ["torch"]),
        (closed_over(builds), ["keras"]),
        (closed_over([Holder(builds), trains]), ["numpy", "keras"]),
        (closed_over({"a": Callable}), ["torch"]),
        (closed_over(np.zeros(3)), ["numpy"]),
        (make_trial(Recipe(trains, builds)), ["numpy", "keras"]),
        (make_trial(Recipe(trains, changes={"c": Callable()})), ["numpy", "torch"]),
        (closed_over(3.5), []),
    ],
)
def test_libraries_with_random_states_are_found_wherever_the_code_is(function, expected):
    assert needed_imports(function) == expected


def test_what_a_library_imports_itself_is_not_asked_for():
    from sklearn.ensemble import RandomForestClassifier

    needed = imported_modules(closed_over(RandomForestClassifier), None)
    assert "sklearn" in needed
    assert not {"scipy", "joblib", "eolab", "builtins"} & set(needed)


def test_a_function_that_holds_itself_ends_the_search():
    def again(data):
        return again(data)

    assert needed_imports(again) == []
