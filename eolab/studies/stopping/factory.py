"""From what a user says (`pruner=`) to a stop rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from eolab.errors import InvalidInputError, nearest
from eolab.studies.space.states import Direction
from eolab.studies.stopping.base import AnyRule, NoRule, Rule
from eolab.studies.stopping.rules import PatientRule, PercentileRule, Schedule, ThresholdRule

RuleSpec: TypeAlias = "str | Mapping[str, object] | Rule | Sequence[RuleSpec] | None"

RULES: dict[str, tuple[str, ...]] = {
    "none": (),
    "median": ("startup", "warmup", "interval", "least"),
    "percentile": ("percentile", "startup", "warmup", "interval", "least"),
    "patient": ("patience", "min_delta", "inner"),
    "threshold": ("bound", "lower", "upper", "warmup", "interval"),
}
"""The rules with their options; the first one may be given without its name: "percentile:25"."""


def parse_spec(spec: str, known: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    """A description from text: ``"percentile:25,warmup=3"`` -> kind, percentile, warmup.

    Args:
        spec: The text.
        known: Kind -> names of its options; the first may stand without its name.

    Raises:
        InvalidInputError: An unknown kind or option, or an option given twice.
    """
    kind, _, rest = (part.strip() for part in spec.partition(":"))
    if kind not in known:
        raise InvalidInputError(f"unknown stop rule {kind!r}", nearest(kind, tuple(known), "rules"))
    found: dict[str, object] = {"kind": kind}
    for i, part in enumerate(filter(None, (part.strip() for part in rest.split(",")))):
        name, equals, value = (text.strip() for text in part.partition("="))
        if not equals:
            if i or not known[kind] or kind == "median":
                raise InvalidInputError(f"{spec!r}: {part!r} has no name", _options(kind, known))
            name, value = known[kind][0], part
        if name in found:
            raise InvalidInputError(f"{spec!r}: {name} is given twice", "Give it once.")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def check_options(
    spec: Mapping[str, object], known: Mapping[str, tuple[str, ...]]
) -> tuple[str, dict[str, float]]:
    """The kind of a description and its numbers.

    Raises:
        InvalidInputError: An unknown kind or option, or an option that is no number.
    """
    kind = str(spec.get("kind"))
    if kind not in known:
        raise InvalidInputError(f"unknown stop rule {kind!r}", nearest(kind, tuple(known), "rules"))
    numbers: dict[str, float] = {}
    for name, value in spec.items():
        if name == "kind" or value is None:
            continue
        if name not in known[kind]:
            raise InvalidInputError(f"{kind} has no option {name!r}", _options(kind, known))
        if name == "inner":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInputError(f"{kind}: {name}={value!r}", "Give a number.")
        numbers[name] = value
    return kind, numbers


def _options(kind: str, known: Mapping[str, tuple[str, ...]]) -> str:
    if not known[kind]:
        return f"{kind} has no options."
    return f"The options of {kind} are {', '.join(known[kind])}: {kind}:{known[kind][0]}=..."


def make_rule(spec: RuleSpec, *, direction: Direction, metric: str = "value") -> Rule:
    """A stop rule from text, a description, several of them, or your own object.

    Args:
        spec: None or "none"; "median"; "percentile:25"; "patient:5" (patience alone) or
            "patient:5,inner=median"; "threshold:0.2" (the bad side by the direction) or
            "threshold:lower=0.1,upper=9". Options follow by name: "median:startup=10,warmup=3".
            A list stops a trial when any of its rules does. An own rule is a `Rule`.
        direction: Whether large or small values of the metric are good.
        metric: Its name, for messages.

    Raises:
        InvalidInputError: Naming what is wrong with the specification.
    """
    if spec is None:
        return NoRule()
    if isinstance(spec, Rule):
        return spec
    if isinstance(spec, str):
        return make_rule(parse_spec(spec, RULES), direction=direction, metric=metric)
    if isinstance(spec, Sequence):
        return AnyRule([make_rule(one, direction=direction, metric=metric) for one in spec])
    if not isinstance(spec, Mapping):
        raise InvalidInputError(
            f"pruner={spec!r} is no stop rule", f"Give one of {', '.join(RULES)}."
        )
    kind, numbers = check_options(spec, RULES)
    if kind == "none":
        return NoRule()
    schedule = Schedule(numbers.get("warmup", 0), numbers.get("interval", 1))
    if kind == "threshold":
        bounds = {"lower": numbers.get("lower"), "upper": numbers.get("upper")}
        if "bound" in numbers:
            side = "lower" if direction == "maximize" else "upper"
            if bounds[side] is not None:
                raise InvalidInputError(f"threshold: {side} is given twice", "Give it once.")
            bounds[side] = numbers["bound"]
        return ThresholdRule(**bounds, schedule=schedule)
    if kind == "patient":
        if "patience" not in numbers:
            raise InvalidInputError("patient without a patience", 'Give it: "patient:5".')
        inner = make_rule(_inner(spec.get("inner")), direction=direction, metric=metric)
        if not isinstance(inner, NoRule | PercentileRule):
            raise InvalidInputError(
                "patient waits for another rule", 'inner can be "median" or "percentile".'
            )
        return PatientRule(
            int(numbers["patience"]),
            direction=direction,
            min_delta=numbers.get("min_delta", 0.0),
            inner=inner if isinstance(inner, PercentileRule) else None,
        )
    if kind == "percentile" and "percentile" not in numbers:
        raise InvalidInputError("percentile without a number", 'Give it: "percentile:25".')
    return PercentileRule(
        numbers.get("percentile", 50.0),
        direction=direction,
        startup=int(numbers.get("startup", 5)),
        schedule=schedule,
        least=int(numbers.get("least", 1)),
    )


def _inner(value: object) -> RuleSpec:
    if value is None or isinstance(value, str | Mapping):
        return value
    raise InvalidInputError(f"patient: inner={value!r}", 'inner can be "median" or "percentile".')
