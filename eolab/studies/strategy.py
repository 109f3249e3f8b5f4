"""From what a user says (sampler=, stop=) to a plan and a stop rule."""

from __future__ import annotations

from eolab.studies.plan import Plan, SearchPlan
from eolab.studies.space import Space
from eolab.studies.stopping import NoRule, Rule, RuleSpec, make_rule
from eolab.studies.suggest import Direction, SamplerSpec, make_sampler


def make_strategy(
    space: Space,
    *,
    sampler: SamplerSpec,
    stop: RuleSpec,
    metric: str,
    direction: Direction,
    seed: int,
    trials: int,
) -> tuple[Plan, Rule | None]:
    """The plan and the rule of a study.

    Raises:
        BadInput: An unknown name or option.
    """
    suggestions = make_sampler(sampler, space, direction=direction, seed=seed, trials=trials)
    rule = make_rule(stop, direction=direction, metric=metric)
    return SearchPlan(suggestions), None if isinstance(rule, NoRule) else rule
