"""Spaces: what a user writes is what is tried, and faults are said before the first trial."""

from __future__ import annotations

import json
import math
import re
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.studies.client.checks import check_call
from eolab.studies.space.parameters import Parameter, choice, integer, loguniform, ordinal, uniform
from eolab.studies.space.space import Space

units = st.floats(0, 1, exclude_max=True)


def parameters() -> st.SearchStrategy[Parameter]:
    number = st.floats(-1e6, 1e6, allow_nan=False)
    pair = st.tuples(number, number).map(sorted).filter(lambda p: p[0] < p[1])
    whole = st.tuples(st.integers(-1000, 1000), st.integers(0, 1000))
    return st.one_of(
        pair.map(lambda p: uniform(p[0], p[1])),
        st.tuples(st.integers(0, 50), st.integers(1, 50), st.sampled_from([0.1, 0.25, 1.0])).map(
            lambda p: uniform(p[0], p[0] + p[1] * p[2], step=p[2])
        ),
        st.tuples(st.floats(1e-9, 1), st.floats(1.5, 1e6)).map(
            lambda p: loguniform(p[0], p[0] * p[1])
        ),
        st.tuples(whole, st.integers(1, 7)).map(
            lambda p: integer(p[0][0], p[0][0] + p[0][1], step=p[1])
        ),
        st.tuples(st.integers(1, 50), st.integers(0, 500)).map(
            lambda p: integer(p[0], p[0] + p[1], log=True)
        ),
        st.lists(st.text(max_size=3), min_size=1, unique=True).map(choice),
        st.lists(st.integers(-9, 99), min_size=1, unique=True).map(lambda v: ordinal(sorted(v))),
    )


@given(parameters(), units)
def test_every_point_of_the_unit_interval_is_an_allowed_value(parameter, u):
    assert parameter.problem() is None
    assert parameter.contains(parameter.from_unit(u))


@given(parameters(), units)
def test_values_survive_the_way_to_the_unit_interval_and_back(parameter, u):
    value = parameter.from_unit(u)
    back = parameter.from_unit(parameter.to_unit(value))
    if isinstance(value, float):
        assert math.isclose(back, value, rel_tol=1e-6, abs_tol=1e-6)
    else:
        assert back == value


@given(parameters())
def test_a_parameter_with_steps_lists_its_values(parameter):
    if parameter.count is None:
        with pytest.raises(InvalidInputError, match="has no list of values"):
            parameter.values()
    else:
        values = parameter.values()
        assert len(values) == parameter.count == len(set(values))
        assert all(parameter.contains(value) for value in values)


@given(st.dictionaries(st.sampled_from("abcd"), parameters(), min_size=1))
def test_a_space_survives_json(parameters):
    space = Space.from_dict(parameters)
    assert Space.from_json(json.loads(json.dumps(space.to_json()))) == space


def test_steps_are_told_as_a_user_would_write_them():
    assert uniform(0, 1, step=0.1).values() == (
        0.0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
        1.0,
    )
    assert integer(1, 10, step=4).values() == (1, 5, 9)


def test_the_train_functions_annotations_are_the_space_and_it_still_runs_alone():
    def train(
        data,
        reporter,
        *,
        seed: int = 0,
        lr: Annotated[float, loguniform(1e-5, 1e-1)] = 1e-3,
        layers: Annotated[int, integer(1, 4)] = 2,
        plain: float = 0.5,
    ):
        return lr

    space = Space.from_signature(train)
    assert dict(space) == {"lr": loguniform(1e-5, 1e-1), "layers": integer(1, 4)}
    assert space.defaults == {"lr": 1e-3, "layers": 2}
    assert train(None, None) == 1e-3


def test_annotations_that_use_local_names_are_found():
    top = 0.5

    def train(*, x: Annotated[float, uniform(0, top)] = 0.1):
        return x, top

    assert Space.from_signature(train)["x"] == uniform(0, 0.5)


def test_a_conditional_parameter_is_there_only_when_its_condition_holds():
    space = Space.from_dict(
        {
            "momentum": uniform(0, 0.99, when={"optimizer": "sgd"}),
            "optimizer": choice("adam", "sgd"),
            "nesterov": choice(True, False, when={"optimizer": ["sgd"]}),
        }
    )
    assert space.order() == ["optimizer", "momentum", "nesterov"]
    assert space.from_unit([0.1, 0.5, 0.5]) == {"optimizer": "adam"}
    assert space.from_unit([0.9, 0.5, 0.1]) == {
        "momentum": 0.495,
        "optimizer": "sgd",
        "nesterov": True,
    }


@pytest.mark.parametrize(
    ("space", "message", "hint"),
    [
        ({}, "empty", "eo.loguniform"),
        ({"x": uniform(2, 1)}, "'x' is empty", "Swap"),
        ({"x": uniform(0, math.nan)}, "nan", "finite"),
        ({"x": uniform("0", 1)}, "'0'", "finite"),
        ({"x": loguniform(0, 1)}, "starts at 0", "above 0"),
        ({"x": integer(0.5, 2)}, "fractional", "eo.uniform"),
        ({"x": uniform(0, 1, step=-1)}, "step -1", "above 0"),
        ({"x": integer(1, 8, step=2, log=True)}, "has a step", "eo.ordinal"),
        ({"x": choice()}, "no value", "at least one"),
        ({"x": choice("a", "a")}, "twice", "once"),
        ({"x": choice(1, True)}, "twice", "once"),
        ({"x": choice([1, 2], [3])}, "list", "look larger things up"),
        ({"x": ordinal(4, 2)}, "rising", "Sort"),
        ({"x": ordinal("a")}, "no number", "eo.choice"),
        ({"x": 3}, "'x' is 3", "eo.uniform"),
        ({"x y": uniform(0, 1)}, "argument's name", "letters"),
        ({"seed": uniform(0, 1)}, "filled in", "another name"),
        ({"x": {"kind": "unifrom", "low": 0, "high": 1}}, "unifrom", "'uniform'"),
        (
            {"o": choice("adam", "sgd"), "m": uniform(0, 1, when={"0": "sgd"})},
            "'0', which is no parameter",
            "o",
        ),
        (
            {"optimizer": choice("adam", "sgd"), "m": uniform(0, 1, when={"optimiser": "sgd"})},
            "'optimiser'",
            "'optimizer'",
        ),
        (
            {"o": choice("adam", "sgd"), "m": uniform(0, 1, when={"o": "sdg"})},
            "never occurs",
            "'sgd'",
        ),
        ({"o": uniform(0, 1), "m": uniform(0, 1, when={"o": 0.5})}, "continuous", "choice"),
        (
            {"a": choice(1, 2, when={"b": 1}), "b": choice(1, 2, when={"a": 1})},
            "circle",
            "when",
        ),
    ],
)
def test_an_impossible_space_is_told_with_a_hint(space, message, hint):
    with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
        Space.from_dict(space)
    assert hint in error.value.hint


def test_faults_in_a_signature_are_told_with_a_hint():
    def outside(*, lr: Annotated[float, uniform(0, 1)] = 3.0): ...
    def kind(*, n: Annotated[int, uniform(0, 9)] = 3): ...
    def default(*, lr=uniform(0, 1)): ...  # noqa: B008
    def twice(*, lr: Annotated[float, uniform(0, 1), uniform(0, 2)] = 0.5): ...

    for train, message in [
        (outside, "default 3.0 is outside uniform(0, 1)"),
        (kind, "gives floats"),
        (default, "as its default"),
        (twice, "2 spaces"),
    ]:
        with pytest.raises(InvalidInputError, match=r"lr|n") as error:
            Space.from_signature(train)
        assert message in error.value.message
        assert error.value.hint


def test_an_annotation_that_cannot_be_read_is_an_error_and_not_a_missing_parameter():
    def train(*, lr=1.0): ...

    train.__annotations__ = {"lr": "Annotated[float, nowhere.uniform(0, 1)]"}
    with pytest.raises(InvalidInputError, match=r"lr.*cannot be read"):
        Space.from_signature(train)


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        (lambda: eo.integer(np.int64(1), np.int64(3)), (1, 2, 3)),
        (lambda: eo.integer(0, 4, step=np.int64(2)), (0, 2, 4)),
        (lambda: eo.uniform(np.float32(0), np.float32(1), step=np.float64(0.5)), (0.0, 0.5, 1.0)),
        (lambda: eo.ordinal(np.array([16, 32])), (16, 32)),
        (lambda: eo.ordinal(*np.array([16, 32])), (16, 32)),
        (lambda: eo.choice(np.True_, np.False_), (True, False)),
        (lambda: eo.choice(np.array(["a", "b"])), ("a", "b")),
    ],
)
def test_numbers_of_numpy_are_numbers(parameter, values):
    space = Space.from_dict({"k": parameter()})
    assert space["k"].values() == values
    assert [type(v) for v in space["k"].values()] == [type(v) for v in values]
    assert Space.from_json(json.loads(json.dumps(space.to_json()))) == space


def test_a_default_and_a_condition_of_numpy_are_plain_too():
    def train(
        *,
        k: Annotated[int, eo.integer(0, 3)] = np.int64(1),
        d: Annotated[float, eo.uniform(0, 1, when={"k": np.array(2)[()]})] = 0.5,
    ):
        return k

    space = Space.from_signature(train)
    assert space.defaults["k"] == 1
    assert space.active("d", {"k": 2})


def test_a_parameter_that_is_suggested_only_sometimes_needs_a_default():
    def train(*, opt, momentum):
        return 0.0

    def wide(*, opt, momentum=0.0):
        return 0.0

    when = {"opt": eo.choice("sgd", "adam"), "momentum": eo.uniform(0, 1, when={"opt": "sgd"})}
    with pytest.raises(InvalidInputError, match=r"'momentum' has no default.*only where opt in"):
        check_call(train, Space.from_dict(when), has_data=False)
    check_call(wide, Space.from_dict(when), has_data=False)
    always = {**when, "momentum": eo.uniform(0, 1, when={"opt": ["sgd", "adam"]})}
    check_call(train, Space.from_dict(always), has_data=False)
