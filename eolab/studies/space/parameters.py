"""One hyperparameter: its range, steps and condition.

This file imports the standard library only, so that `import eolab` stays light.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from eolab.errors import InvalidInputError, nearest

Value: TypeAlias = float | int | str | bool | None
"""A value of a hyperparameter: what JSON can hold without nesting."""

Params: TypeAlias = dict[str, Value]
"""One suggestion: the value of each hyperparameter that is active."""

Kind = Literal["uniform", "loguniform", "integer", "choice", "discrete"]


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter: made by `uniform`, `loguniform`, `integer`, `choice` or `ordinal`.

    Nothing is checked here: `Space.check` names the parameter in what it says.

    Attributes:
        kind: "uniform" and "loguniform" are floats, "integer" whole numbers, "choice" one of
            unordered values, "discrete" one of ordered numbers (`ordinal`; studies on disk say so).
        low: Smallest value (numbers only).
        high: Largest value, included.
        step: Distance between allowed values, counted from ``low``; None for a continuous one.
        log: Whether an integer is spread evenly over its logarithm.
        choices: The values of "choice" and "discrete".
        when: The condition: pairs of another parameter's name and the values at which this one is
            active. Where it is inactive it is left out of the suggestion and the train function's
            own default counts.
    """

    kind: Kind
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()
    when: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    def __repr__(self) -> str:
        when = f", when={dict(self.when)!r})" if self.when else ")"
        return f"eo.{describe(self)[:-1]}{when}"

    def problem(self) -> tuple[str, str] | None:
        """What is wrong with the range as (message, hint); None where it can be used."""
        if self.kind in ("choice", "discrete"):
            return self._problem_of_choices()
        numbers = (self.low, self.high) if self.step is None else (self.low, self.high, self.step)
        for number in numbers:
            if (
                isinstance(number, bool)
                or not isinstance(number, int | float)
                or not math.isfinite(number)
            ):
                return f"has the bound {number!r}", "Give finite numbers."
        low, high = self._bounds()
        if low > high:
            return f"is empty: low {self.low!r} is above high {self.high!r}", "Swap the two."
        if self.kind == "integer" and any(
            number != int(number) for number in (low, high, self.step or 1)
        ):
            return (
                "is an integer with a fractional bound or step",
                "Use whole numbers, or eo.uniform.",
            )
        if (self.kind == "loguniform" or self.log) and low <= 0:
            return (
                f"is logarithmic and starts at {self.low!r}",
                "Start above 0, or use a linear range.",
            )
        if self.step is not None and self.step <= 0:
            return f"has the step {self.step!r}", "Give a step above 0, or none."
        if self.log and self.step not in (None, 1):
            return (
                "is logarithmic and has a step",
                "Take one of the two; eo.ordinal lists any values.",
            )
        return None

    def _problem_of_choices(self) -> tuple[str, str] | None:
        if not self.choices:
            return "is empty: there is no value to choose", "Give at least one value."
        given: tuple[object, ...] = self.choices  # whatever the user typed
        for i, value in enumerate(given):
            if value is not None and not isinstance(value, bool | int | float | str):
                return (
                    f"offers {value!r}, which is a {type(value).__name__}",
                    "Offer numbers, text, True, False or None; look larger things up by name.",
                )
            if isinstance(value, float) and not math.isfinite(value):
                return f"offers {value!r}", "Offer finite numbers."
            if value in given[:i]:  # 1, 1.0 and True are equal and could not be told apart
                return f"offers {value!r} twice", "Offer each value once."
        if self.kind == "discrete":
            if any(
                isinstance(value, bool) or not isinstance(value, int | float)
                for value in self.choices
            ):
                return (
                    "is ordinal and offers something that is no number",
                    "Use eo.choice for unordered values.",
                )
            if list(self.choices) != sorted(typing.cast("tuple[float, ...]", self.choices)):
                return (
                    "is ordinal and its values are not in rising order",
                    "Sort them, or use eo.choice.",
                )
        return None

    def _bounds(self) -> tuple[float, float]:
        if self.low is None or self.high is None:
            raise InvalidInputError(f"a {self.kind} parameter has no bounds", "Give low and high.")
        return self.low, self.high

    @property
    def count(self) -> int | None:
        """Number of values; None for a continuous parameter."""
        if self.kind in ("choice", "discrete"):
            return len(self.choices)
        low, high = self._bounds()
        if self.kind == "integer":
            return int((high - low) // (self.step or 1)) + 1
        if self.step is None:
            return 1 if low == high else None
        return math.floor((high - low) / self.step + 1e-9) + 1

    def values(self) -> tuple[Value, ...]:
        """All values in order.

        Raises:
            InvalidInputError: The parameter is continuous.
        """
        if self.choices:
            return self.choices
        count = self.count
        if count is None:
            raise InvalidInputError(
                f"a {self.kind} parameter without a step has no list of values", "Give it a step."
            )
        return tuple(self._at(i) for i in range(count))

    def _at(self, i: int) -> float | int:
        low, _ = self._bounds()
        if self.kind == "integer":
            return int(low) + i * int(self.step or 1)
        if self.step is None:
            return float(low)
        return float(f"{low + i * self.step:.12g}")  # 0.1 * 3 is 0.30000000000000004

    def contains(self, value: object) -> bool:
        """Whether ``value`` can be suggested (text "1" is no number, True is no 1)."""
        if self.choices:
            return any(
                value == choice and isinstance(value, bool) == isinstance(choice, bool)
                for choice in self.choices
            )
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            return False
        low, high = self._bounds()
        if not low <= value <= high or (self.kind == "integer" and value != int(value)):
            return False
        if self.step is None:
            return True
        steps = (value - low) / self.step
        return abs(steps - round(steps)) < 1e-6

    def from_unit(self, u: float) -> Value:
        """The value at ``u`` in [0, 1): equal lengths of ``u`` for equal probability."""
        if self.choices:
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        low, high = self._bounds()
        if self.kind == "integer" and self.log:
            start, end = math.log(low - 0.5), math.log(high + 0.5)
            return min(max(round(math.exp(start + u * (end - start))), int(low)), int(high))
        count = self.count
        if count is not None:
            return self._at(min(int(u * count), count - 1))
        if self.kind == "loguniform":
            return min(
                max(math.exp(math.log(low) + u * (math.log(high) - math.log(low))), low), high
            )
        return low + u * (high - low)

    def to_unit(self, value: Value) -> float:
        """The middle of the part of [0, 1) that `from_unit` maps to ``value``."""
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        number = float(typing.cast("float", value))
        low, high = self._bounds()
        if self.kind == "integer" and self.log:
            start, end = math.log(low - 0.5), math.log(high + 0.5)
            return (math.log(number) - start) / (end - start)
        count = self.count
        if count is not None:
            step = self.step or 1
            return (round((number - low) / step) + 0.5) / count
        if self.kind == "loguniform":
            return (math.log(number) - math.log(low)) / (math.log(high) - math.log(low))
        return (number - low) / (high - low)

    def to_json(self) -> dict[str, object]:
        """A description for `study.json` and the panels; `from_json` reads it."""
        return {
            "kind": self.kind,
            "low": self.low,
            "high": self.high,
            "step": self.step,
            "log": self.log or self.kind == "loguniform",
            "choices": list(self.choices) if self.choices else None,
            "when": {name: list(values) for name, values in self.when} or None,
        }

    @staticmethod
    def from_json(document: Mapping[str, object]) -> Parameter:
        """The parameter that `to_json` described; short hand-written forms work too."""
        known = ("name", "kind", "low", "high", "step", "log", "choices", "when")
        for key in document:
            if key not in known:
                raise InvalidInputError(
                    f"unknown key {key!r} in a parameter", nearest(key, known, "keys")
                )
        kinds = typing.get_args(Kind)
        kind = document.get("kind")
        if kind not in kinds:
            raise InvalidInputError(
                f"unknown kind of parameter {kind!r}", nearest(str(kind), kinds, "kinds")
            )
        choices, when = document.get("choices") or (), document.get("when") or {}
        if (
            not isinstance(choices, Sequence)
            or isinstance(choices, str)
            or not isinstance(when, Mapping)
        ):
            raise InvalidInputError(
                "choices must be a list and when a table",
                'For example choices=[8, 16], when={"a": "b"}.',
            )
        return Parameter(
            typing.cast("Kind", kind),
            typing.cast("float | None", document.get("low")),
            typing.cast("float | None", document.get("high")),
            typing.cast("float | None", document.get("step")),
            bool(document.get("log")) and kind == "integer",
            tuple(choices),
            _condition(when),
        )


Condition: TypeAlias = Mapping[str, Value | Sequence[Value]]
"""`when=`: another parameter's name -> the value, or the values, at which this one is active."""


def uniform(
    low: float, high: float, *, step: float | None = None, when: Condition | None = None
) -> Parameter:
    """A float between ``low`` and ``high``, both included, every value equally likely.

    Args:
        low: Smallest value.
        high: Largest value.
        step: Allow only low, low + step, ...
        when: Active only then, for example ``when={"optimizer": "sgd"}``.

    Example:
        >>> eo.uniform(0, 1, step=0.25)
        eo.uniform(0, 1, step=0.25)
    """
    return Parameter("uniform", _plain(low), _plain(high), _plain(step), when=_condition(when))


def loguniform(low: float, high: float, *, when: Condition | None = None) -> Parameter:
    """A float between ``low`` and ``high``, every order of magnitude equally likely.

    Args:
        low: Smallest value, above 0.
        high: Largest value.
        when: Active only then, for example ``when={"optimizer": "sgd"}``.

    Example:
        As a hyperparameter in a train function's signature:

        >>> from typing import Annotated
        >>> def train(reporter, *, lr: Annotated[float, eo.loguniform(1e-5, 1e-1)] = 1e-3):
        ...     reporter.report(accuracy=0.5)
    """
    return Parameter("loguniform", _plain(low), _plain(high), when=_condition(when))


def integer(
    low: int, high: int, *, step: int = 1, log: bool = False, when: Condition | None = None
) -> Parameter:
    """A whole number between ``low`` and ``high``, both included.

    Args:
        low: Smallest value.
        high: Largest value.
        step: Allow only low, low + step, ...
        log: Every order of magnitude equally likely.
        when: Active only then, for example ``when={"optimizer": "sgd"}``.

    Example:
        >>> eo.integer(16, 64, step=16)
        eo.integer(16, 64, step=16)
    """
    distance = None if step == 1 else _plain(step)
    return Parameter("integer", _plain(low), _plain(high), distance, log, when=_condition(when))


def choice(*values: Value | Sequence[Value], when: Condition | None = None) -> Parameter:
    """One of unordered values.

    Args:
        values: ``choice("adam", "sgd")`` or ``choice(["adam", "sgd"])``: numbers, text, True,
            False or None.
        when: Active only then, for example ``when={"optimizer": "sgd"}``.

    Example:
        >>> eo.choice("adam", "sgd")
        eo.choice('adam', 'sgd')
    """
    return Parameter("choice", choices=_flat(values), when=_condition(when))


def ordinal(*values: float | Sequence[float], when: Condition | None = None) -> Parameter:
    """One of ordered numbers; a sampler may use that 32 lies between 16 and 64.

    Args:
        values: ``ordinal(16, 32, 64)`` or ``ordinal([16, 32, 64])``, in rising order.
        when: Active only then, for example ``when={"optimizer": "sgd"}``.

    Example:
        >>> eo.ordinal(16, 32, 64)
        eo.ordinal(16, 32, 64)
    """
    return Parameter("discrete", choices=_flat(values), when=_condition(when))


def _flat(values: Sequence[Value | Sequence[Value]]) -> tuple[Value, ...]:
    given: object = values[0] if len(values) == 1 else values
    listed = getattr(given, "tolist", None)
    if _is_numpy(given) and callable(listed):  # an array
        given = listed()
    several = given if isinstance(given, list | tuple | range) else values
    if isinstance(given, set | frozenset):  # in an order that is the same in every process
        several = sorted(given, key=lambda value: (type(value).__name__, value))
    elif isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping | Sequence):
        # An iterator, a Series, an Index; a data frame is no list of its columns' names.
        several = values if hasattr(given, "columns") else list(given)
    return tuple(plain_value(value) for value in several)


def _is_numpy(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "numpy"


def plain_value(value: object) -> Any:
    """A number of NumPy's as one of Python's; anything else as it is."""
    item = getattr(value, "item", None)
    return (
        item() if _is_numpy(value) and callable(item) and not hasattr(value, "__len__") else value
    )


NumberT = TypeVar("NumberT")


def _plain(number: NumberT) -> NumberT:
    plain: NumberT = plain_value(number)
    return plain


def _condition(when: Condition | None) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    if when is not None and not isinstance(when, Mapping):
        raise InvalidInputError(
            f"when= is a {type(when).__name__}, and names no other parameter",
            'For example when={"optimizer": "sgd"}, or when={"layers": [2, 3]}.',
        )
    return tuple((name, _flat((values,))) for name, values in (when or {}).items())


def describe(parameter: Parameter) -> str:
    """A parameter in a few words, as a user would type it."""
    if parameter.choices:
        kind = "ordinal" if parameter.kind == "discrete" else parameter.kind
        return f"{kind}({', '.join(map(repr, parameter.choices))})"
    step = f", step={parameter.step!r}" if parameter.step is not None else ""
    log = ", log=True" if parameter.log else ""
    return f"{parameter.kind}({parameter.low!r}, {parameter.high!r}{step}{log})"
