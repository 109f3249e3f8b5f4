"""Stop rules: they agree with Optuna's pruners report by report, on generated curves."""

from __future__ import annotations

import json
import math
import random
import re
import warnings

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.errors import InvalidInputError
from eolab.studies.stopping.base import Rule
from eolab.studies.stopping.factory import make_rule
from eolab.studies.stopping.rules import PercentileRule
from eolab.testing import StopRuleContract

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.mark.parametrize(
    "spec",
    [
        None, "median", "percentile:25,startup=2,warmup=2,interval=3", "patient:2",
        "patient:3,inner=median,min_delta=0.1", "threshold:0.2", ["median", "threshold:lower=-2"],
    ],
    ids=str,
)  # fmt: skip
class TestOurRules(StopRuleContract):
    @pytest.fixture
    def rule(self, spec):
        return lambda direction: make_rule(spec, direction=direction)


VALUES = [math.nan, *[float(i) for i in range(-3, 4)]]
"""Few whole numbers, so that ties happen; NaN, which functions do report.

No infinity: NumPy's percentile makes NaN of it, so that Optuna stops nothing; we compare with it.
"""


def some_reports(seed):
    """(trial slot, step, value), interleaved as parallel workers do.

    Most slots report step after step; some values are noise, some steps are skipped, repeated or
    out of order.
    """
    chance = random.Random(seed)
    at = dict.fromkeys(range(chance.randint(1, 6)), 0)
    for _ in range(300):
        slot = chance.choice(list(at))
        at[slot] += chance.choice([0, 1, 1, 1, 1, 1, 2, -1])
        at[slot] = max(at[slot], 0)
        value = chance.choice(VALUES) if chance.random() < 0.4 else chance.gauss(slot / 4, 1)
        yield slot, at[slot], value
        if at[slot] >= 12:
            at[slot] = 0


reports = st.integers(0, 2**32).map(lambda seed: list(some_reports(seed)))
ends = st.integers(0, 2**32).map(
    lambda seed: {
        i: chance.choice(["completed", "completed", "failed"])
        for chance in [random.Random(seed)]
        for i in range(300)
        if chance.random() < 0.1
    }
)
directions = st.sampled_from(["maximize", "minimize"])


class Oracle:
    """Optuna's study with one of its pruners, fed the same reports."""

    def __init__(self, pruner, direction):
        self.study = optuna.create_study(direction=direction, pruner=pruner)
        self.trials = {}

    def report(self, n, step, value):
        trial = self.trials.setdefault(n, None) or self.study.ask()
        self.trials[n] = trial
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial.report(value, step)
            return trial.should_prune()

    def end(self, n, state):
        if n in self.trials:
            states = optuna.trial.TrialState
            if state == "completed":
                self.study.tell(self.trials.pop(n), 0.0)
            else:
                self.study.tell(self.trials.pop(n), state=states.FAIL)


def agree(spec, pruner, direction, reports, ends):
    rule, oracle = make_rule(spec, direction=direction), Oracle(pruner, direction)
    resumed = make_rule(spec, direction=direction)  # hears the first half from the journal
    live = {}  # trial slot -> number; a slot is used again after its trial ended
    count = 0
    for i, (slot, step, value) in enumerate(reports):
        if slot not in live:
            live[slot] = count
            count += 1
        n = live[slot]
        stop = rule.report(n, step, value) is not None
        assert stop == oracle.report(n, step, value), (i, n, step, value)
        if i < len(reports) // 2:
            resumed.observe(n, step, value)
        else:
            assert (resumed.report(n, step, value) is not None) == stop
        if stop or i in ends:
            state = "stopped" if stop else ends[i]
            rule.end(n, state)
            resumed.end(n, state)
            oracle.end(n, state)
            del live[slot]


@settings(max_examples=60, deadline=None)
@given(
    directions, st.sampled_from([0.0, 10.0, 25.0, 50.0, 80.0, 100.0]), st.integers(0, 3),
    st.integers(0, 4), st.integers(1, 3), st.integers(1, 3), reports, ends,
)  # fmt: skip
def test_percentile_and_median_agree_with_optuna(
    direction, percentile, startup, warmup, interval, least, reports, ends
):
    pruner = optuna.pruners.PercentilePruner(
        percentile, startup, warmup, interval, n_min_trials=least
    )
    options = f"startup={startup},warmup={warmup},interval={interval},least={least}"
    agree(f"percentile:{percentile},{options}", pruner, direction, reports, ends)
    if percentile == 50:
        agree(f"median:{options}", pruner, direction, reports, ends)


@settings(max_examples=40, deadline=None)
@given(directions, st.integers(0, 4), st.sampled_from([0.0, 0.5]), reports, ends)
@pytest.mark.parametrize("inner", [None, "median"])
def test_patience_agrees_with_optuna(inner, direction, patience, min_delta, reports, ends):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        median = optuna.pruners.MedianPruner(n_startup_trials=1)
        pruner = optuna.pruners.PatientPruner(median if inner else None, patience, min_delta)
    spec = {"kind": "patient", "patience": patience, "min_delta": min_delta}
    if inner:
        spec["inner"] = "median:startup=1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(spec, pruner, direction, reports, ends)


@settings(max_examples=40, deadline=None)
@given(directions, st.integers(0, 4), st.integers(1, 3), reports, ends)
def test_threshold_agrees_with_optuna(direction, warmup, interval, reports, ends):
    pruner = optuna.pruners.ThresholdPruner(-1.0, 1.5, warmup, interval)
    spec = f"threshold:lower=-1,upper=1.5,warmup={warmup},interval={interval}"
    agree(spec, pruner, direction, reports, ends)


def curve(quality, length=30):
    return [quality * (1 - math.exp(-step / 8)) for step in range(length)]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_median_rule_stops_the_worse_half_and_never_the_best(sign):
    rule = make_rule("median", direction="maximize" if sign > 0 else "minimize")
    stopped = []
    for n in range(40):
        quality = (n * 17 % 40) / 40
        for step, value in enumerate(curve(quality)):
            if rule.report(n, step, sign * value):
                stopped.append(quality)
                rule.end(n, "stopped")
                break
        else:
            rule.end(n, "completed")
    assert len(stopped) > 10
    assert max(stopped) < 0.9


def test_trials_are_compared_at_equal_step_whatever_the_clock():
    """A late starter at step 2 is not compared with what others have reached by now."""
    rule = make_rule("median:startup=1", direction="maximize")
    for step in range(10):
        rule.report(0, step, float(step))
    rule.end(0, "completed")
    assert rule.report(1, 2, 2.0) is None
    assert "worse than 3" in rule.report(1, 3, 1.5)


def test_a_diverged_loss_is_worse_than_any_median():
    rule = make_rule("median:startup=1", direction="minimize")
    rule.report(0, 0, 0.5)
    rule.end(0, "completed")
    assert rule.report(1, 0, math.inf)
    assert rule.report(2, 0, math.nan)
    assert not rule.report(3, 0, 0.4)


def test_the_reason_names_step_value_and_bound():
    rule = make_rule("median:startup=1", direction="minimize")
    rule.report(0, 4, 0.25)
    rule.end(0, "completed")
    reason = rule.report(1, 4, 0.75)
    assert reason == (
        "best 0.75 up to step 4 is worse than 0.25, the median of 1 completed trials there"
    )


def test_a_new_attempt_starts_with_an_empty_curve():
    rule = make_rule("patient:2", direction="maximize")
    for step, value in enumerate([5.0, 1.0, 1.0]):
        assert rule.report(0, step, value) is None
    rule.forget(0)
    for step, value in enumerate([1.0, 1.0, 1.0]):
        assert rule.report(0, step, value) is None


def test_a_threshold_without_a_side_takes_the_bad_one():
    assert make_rule("threshold:0.2", direction="maximize").report(0, 0, 0.1)
    assert not make_rule("threshold:0.2", direction="minimize").report(0, 0, 0.1)
    assert make_rule("threshold:0.2", direction="minimize").report(0, 0, 0.3)


def test_several_rules_stop_a_trial_when_one_says_so():
    rule = make_rule(["median", "threshold:0.2"], direction="maximize")
    assert rule.report(0, 0, 0.5) is None
    assert "below 0.2" in rule.report(0, 1, 0.1)


class Impatient(Rule):
    def report(self, n, step, value):
        return "enough" if step > 2 else None

    def end(self, n, state): ...
    def forget(self, n): ...
    def to_json(self):
        return {"kind": "impatient"}


def test_an_own_rule_is_used_as_it_is():
    rule = Impatient()
    assert make_rule(rule, direction="maximize") is rule


def test_a_report_late_in_a_study_touches_no_more_than_an_early_one():
    """The work of a report, counted in steps of the interpreter: the same at trial 10,000."""
    import sys

    def work(rule, n):
        steps = 0

        def count(frame, event, argument):
            nonlocal steps
            steps += 1
            return count

        sys.settrace(count)
        try:
            rule.report(n, 1, 0.6)
        finally:
            sys.settrace(None)
        return steps

    rule = make_rule("median", direction="maximize")
    seen = {}
    for n in range(10_001):
        if n in {10, 10_000}:
            seen[n] = work(rule, n)
        for step in range(1, 4):
            rule.report(n, step, n % 7 / 7)
        rule.end(n, "completed")
    assert seen[10_000] <= seen[10] + 2


@pytest.mark.parametrize(
    "spec",
    [
        None, "none", "median", "median:startup=10,warmup=3,interval=2", "percentile:25",
        "patient:5", "patient:5,inner=median", "threshold:lower=0.1,upper=9",
        ["median", "patient:3"],
    ],
)  # fmt: skip
def test_a_rule_survives_study_json(spec):
    rule = make_rule(spec, direction="maximize")
    document = json.loads(json.dumps(rule.to_json()))
    assert make_rule(document, direction="maximize").to_json() == rule.to_json()


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("medain", "unknown stop rule 'medain'", "'median'"),
        ("percentile", "without a number", "percentile:25"),
        ("percentile:200", "200", "0 to 100"),
        ("percentile:25,warmpu=3", "'warmpu'", "warmup"),
        ("median:5", "'5' has no name", "startup"),
        ("patient", "without a patience", "patient:5"),
        ("patient:5,inner=threshold:1", "another rule", "median"),
        ("threshold", "without a bound", "lower"),
        ("threshold:lower=2,upper=1", "from 2.0 to 1.0", "Swap"),
        ("median:startup=soon", "'soon'", "number"),
        ("median:warmup=1,warmup=2", "twice", "once"),
        (5, "no stop rule", "median"),
    ],
)
def test_an_impossible_rule_is_told_with_a_hint(spec, message, hint):
    with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
        make_rule(spec, direction="maximize")
    assert hint in error.value.hint


def test_percentiles_are_numpys():
    import numpy as np

    from eolab.studies.stopping.rules import _quantile

    chance = np.random.default_rng(0)
    for size in range(1, 40):
        data = sorted(chance.normal(size=size).tolist())
        for q in (0, 0.1, 0.25, 0.5, 0.77, 1):
            assert _quantile(data, q) == np.percentile(data, 100 * q)
    assert PercentileRule(25, direction="maximize").percentile == 25
