"""Figures agree with scikit-learn; the interval resamples units, not samples."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import accuracy_score, f1_score, r2_score, root_mean_squared_error

from eolab.errors import InvalidInputError
from eolab.features.splits import block_metrics

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(labels)
def test_accuracy_and_macro_f1_are_those_of_scikit_learn(pairs):
    y, pred = np.array(pairs).T
    assert block_metrics.accuracy(y, pred) == pytest.approx(accuracy_score(y, pred))
    oracle = f1_score(y, pred, average="macro", zero_division=0)
    assert block_metrics.macro_f1(y, pred) == pytest.approx(oracle)


def test_classes_may_be_text():
    y, pred = np.array(["maize", "wheat", "maize"]), np.array(["maize", "maize", "maize"])
    oracle = f1_score(y, pred, average="macro", zero_division=0)
    assert block_metrics.macro_f1(y, pred) == pytest.approx(oracle)


@pytest.fixture
def fields():
    """Twelve units of forty samples; a unit is right or wrong as a whole, nine times in ten."""
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(12), 40)
    y = random.integers(0, 3, len(groups))
    good = np.where(random.random(len(groups)) < 0.9, random.random(12)[groups] < 0.7, True)
    pred = np.where(good, y, (y + 1) % 3)
    return y, pred, groups


def test_the_interval_is_the_percentile_interval_of_resampled_units(fields):
    y, pred, groups = fields
    value, low, high = block_metrics.block_bootstrap(y, pred, groups, 7)
    assert value == pytest.approx(f1_score(y, pred, average="macro"))
    # The same draws, counted the long way: samples of drawn units put together, then scikit-learn.
    random = np.random.default_rng(7)
    drawn = random.multinomial(12, np.full(12, 1 / 12), size=1_000)[:200]
    slow = []
    for times in drawn:
        rows = np.concatenate(
            [np.repeat(np.flatnonzero(groups == g), n) for g, n in enumerate(times)]
        )
        slow.append(f1_score(y[rows], pred[rows], average="macro", zero_division=0))
    _, low200, high200 = _first(y, pred, groups, 7, 200)
    assert (low200, high200) == pytest.approx(tuple(np.quantile(slow, (0.025, 0.975))))
    assert low < value < high


def _first(y, pred, groups, seed, resamples):
    return block_metrics.block_bootstrap(y, pred, groups, seed, resamples=resamples)


def test_units_give_a_wider_interval_than_samples(fields):
    y, pred, groups = fields
    _, low, high = block_metrics.block_bootstrap(y, pred, groups, 0)
    _, naive_low, naive_high = block_metrics.block_bootstrap(y, pred, np.arange(len(y)), 0)
    assert high - low > 2 * (naive_high - naive_low)


def test_the_same_seed_gives_the_same_interval_in_any_row_order(fields):
    y, pred, groups = fields
    order = np.random.default_rng(1).permutation(len(y))
    first = block_metrics.classification(y, pred, groups, 5)
    assert block_metrics.classification(y[order], pred[order], groups[order], 5) == first


def test_one_unit_has_no_interval():
    value, low, high = block_metrics.block_bootstrap(
        np.array([0, 1]), np.array([0, 1]), np.array([4, 4])
    )
    assert value == 1.0
    assert math.isnan(low)
    assert math.isnan(high)


def test_regression_figures_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    y = random.normal(size=200)
    pred = y + random.normal(scale=0.3, size=200)
    figures = block_metrics.regression(y, pred, np.repeat(np.arange(20), 10))
    assert figures["rmse"] == pytest.approx(root_mean_squared_error(y, pred))
    assert figures["r2"] == pytest.approx(r2_score(y, pred))
    assert figures["rmse_low"] < figures["rmse"] < figures["rmse_high"]


@pytest.mark.parametrize("lengths", [(2, 3, 3), (3, 3, 2), (0, 0, 0)])
def test_arrays_that_do_not_fit_are_refused(lengths):
    y, pred, groups = (np.zeros(n, dtype=int) for n in lengths)
    with pytest.raises(InvalidInputError):
        block_metrics.block_bootstrap(y, pred, groups)


def test_resamples_drawn_some_at_a_time_are_the_same(monkeypatch):
    random = np.random.default_rng(0)
    y, pred, groups = random.integers(0, 3, 90), random.integers(0, 3, 90), np.arange(90)
    known = block_metrics.classification(y, pred, groups)
    monkeypatch.setattr(block_metrics, "DRAWN", 700)
    assert block_metrics.classification(y, pred, groups) == known
