"""Where a stop rule draws its line at each step: what a picture of learning curves shows.

The rule itself says it, after it has heard the completed trials as the journal tells them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from eolab.studies.panel.answers import BoundJson
from eolab.studies.stopping.base import AnyRule, Rule
from eolab.studies.stopping.factory import make_rule
from eolab.studies.stopping.rules import PatientRule, PercentileRule, ThresholdRule

if TYPE_CHECKING:
    from eolab.studies.journal.state import Trial
    from eolab.studies.space.states import Direction


def band(spec: object, trials: Iterable[Trial], *, direction: Direction) -> list[BoundJson]:
    """The bounds that a study's stop rule compares running trials with.

    Args:
        spec: The rule as `study.json` has it.
        trials: All trials so far.
        direction: Whether large or small values are good.

    Returns:
        For each bound ``side`` ("below" or "above": where a trial is stopped), ``of`` ("best": its
        best value so far is compared, "last": its newest) and ``points``, [[step, value], ...]. A
        percentile rule has none before enough trials have completed; patience alone has no line.
    """
    rules = _rules(make_rule(cast("Mapping[str, object]", spec), direction=direction))
    percentiles = [rule for rule in rules if isinstance(rule, PercentileRule)]
    steps: set[float] = set()
    for trial in trials:
        steps.update(step for step, _ in trial.curve)
        if trial.state == "completed" and percentiles:
            for percentile in percentiles:
                for step, value in trial.curve:
                    percentile.observe(trial.n, step, value)
                percentile.end(trial.n, "completed")
    worse = "below" if direction == "maximize" else "above"
    found: list[BoundJson] = []
    for percentile in percentiles:
        points = [[step, bound] for step, bound in percentile.bounds().items()]
        found.append({"side": worse, "of": "best", "points": points})
    for rule in rules:
        if isinstance(rule, ThresholdRule):
            looked = sorted(step for step in steps if step >= rule.schedule.warmup)
            for side, limit in (("below", rule.lower), ("above", rule.upper)):
                if limit is not None:
                    points = [[step, limit] for step in looked]
                    found.append({"side": side, "of": "last", "points": points})
    return [bound for bound in found if bound["points"]]


def _rules(rule: Rule) -> Sequence[Rule]:
    """A rule's parts that have a line of their own."""
    if isinstance(rule, AnyRule):
        return [part for each in rule.rules for part in _rules(each)]
    if isinstance(rule, PatientRule):
        return [rule.inner] if rule.inner else []
    return [rule]
