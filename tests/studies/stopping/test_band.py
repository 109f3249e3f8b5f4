"""The line in the picture is where the rule really stops."""

from __future__ import annotations

import math
import random

import pytest

from eolab.studies.journal.state import Trial
from eolab.studies.panel.stop_bounds import band
from eolab.studies.stopping.factory import make_rule


def completed(n: int, values: list[float]) -> Trial:
    return Trial(n, {}, "completed", values[-1], list(enumerate(map(float, values))))


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(
    "spec", ["median:startup=3,warmup=2", "percentile:20,startup=0,least=4", "threshold:0.4"]
)
def test_a_trial_on_the_line_goes_on_and_one_beyond_it_is_stopped(spec, direction):
    rng = random.Random(3)
    trials = [completed(n, [rng.random() for _ in range(rng.randint(3, 8))]) for n in range(9)]
    rule = make_rule(spec, direction=direction)
    for trial in trials:
        for step, value in trial.curve:
            rule.report(trial.n, step, value)
        rule.end(trial.n, "completed")
    (bound,) = band(rule.to_json(), trials, direction=direction)
    assert bound["side"] == ("below" if direction == "maximize" else "above")
    away = -1.0 if bound["side"] == "below" else 1.0
    for number, (step, limit) in enumerate(bound["points"]):
        assert rule.report(100 + number, step, limit) is None
        assert rule.report(200 + number, step, limit + away * 1e-6) is not None
    drawn = {step for step, _ in bound["points"]}
    for number, step in enumerate(float(s) for s in range(8)):
        worst = rule.report(300 + number, step, away * 1e9)
        assert (worst is not None) == (step in drawn)


def test_there_is_no_line_without_a_rule_or_before_enough_trials():
    trials = [completed(n, [0.5, 0.6]) for n in range(4)]
    assert band(None, trials, direction="maximize") == []
    spec = make_rule("median", direction="maximize").to_json()
    assert band(spec, trials, direction="maximize") == []
    assert len(band(spec, [*trials, completed(9, [0.1])], direction="maximize")) == 1
    patience = make_rule("patient:2,inner=median", direction="maximize").to_json()
    both = [patience, make_rule("threshold:upper=9", direction="maximize").to_json()]
    found = band(both, [*trials, completed(9, [math.inf])], direction="maximize")
    assert [bound["side"] for bound in found] == ["below", "above"]
