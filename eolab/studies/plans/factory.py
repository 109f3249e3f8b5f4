"""From what a user says (`sampler=`, `pruner=`) to a plan and a stop rule."""

from __future__ import annotations

from collections.abc import Mapping

from eolab.errors import InvalidInputError
from eolab.studies.plans.asha import AshaPlan, HyperbandPlan, Ladder
from eolab.studies.plans.base import Plan, SearchPlan
from eolab.studies.samplers.factory import SamplerSpec, make_sampler
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction
from eolab.studies.stopping.base import NoRule, Rule
from eolab.studies.stopping.factory import RULES, RuleSpec, check_options, make_rule, parse_spec

PROMOTIONS = {"asha": ("max", "min", "eta"), "hyperband": ("max", "min", "eta", "rounds")}
"""The strategies that hand out budgets, with their options: "asha:27", "asha:max=27,eta=4"."""


def make_strategy(
    space: Space,
    *,
    direction: Direction,
    metric: str,
    seed: int,
    trials: int | None = None,
    sampler: SamplerSpec = "tpe",
    pruner: RuleSpec = None,
    stop: RuleSpec = None,
) -> tuple[Plan, Rule | None]:
    """The plan and the rule of a study; the rule is None where every trial runs to its end.

    Args:
        space: What may be suggested; checked here.
        direction: Whether large or small values of the metric are good.
        metric: Its name.
        seed: The study's seed.
        trials: How many trials will run; None where the plan says when it is finished.
        sampler: See `eolab.studies.samplers.factory.make_sampler`.
        pruner: See `eolab.studies.stopping.factory.make_rule`; or "asha:27" and "hyperband:27",
            which promote: 27 is the largest budget, min=1 the smallest, eta=3 the step between.
        stop: ``pruner`` in the plans that older versions wrote into a study's folder.

    Raises:
        InvalidInputError: Whatever is wrong with any of them.
    """
    pruner = stop if pruner is None else pruner
    made = make_sampler(sampler, space, direction=direction, seed=seed, trials=trials)
    known = {**RULES, **PROMOTIONS}
    spec = parse_spec(pruner, known) if isinstance(pruner, str) else pruner
    if not isinstance(spec, Mapping) or spec.get("kind") not in PROMOTIONS:
        rule = make_rule(spec, direction=direction, metric=metric)
        return SearchPlan(made), None if isinstance(rule, NoRule) else rule
    kind, numbers = check_options(spec, known)
    if "max" not in numbers:
        raise InvalidInputError(f"{kind} needs the largest budget", f'Give it: pruner="{kind}:27".')
    eta = numbers.get("eta", 3)
    if eta != int(eta):
        raise InvalidInputError(f"{kind}: eta={eta!r}", "Give a whole number; 3 and 4 are usual.")
    ladder = Ladder(_whole(numbers.get("min", 1)), _whole(numbers["max"]), int(eta))
    if kind == "asha":
        return AshaPlan(made, ladder, direction), None
    rounds = numbers.get("rounds", None if trials else 1)
    if rounds is not None and (rounds < 1 or rounds != int(rounds)):
        raise InvalidInputError(
            f"hyperband: rounds={rounds!r}", "Give a whole number of 1 or more."
        )
    whole = None if rounds is None else int(rounds)
    return HyperbandPlan(made, ladder, direction, rounds=whole), None


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number
