"""The stop rules: percentile (median), patience, threshold.

They agree with Optuna's pruners of the same names, which the tests use as oracle.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from dataclasses import dataclass, field

from eolab.errors import InvalidInputError
from eolab.studies.space.states import Direction, End
from eolab.studies.stopping.base import Rule


@dataclass(frozen=True)
class Schedule:
    """At which steps a rule looks.

    Attributes:
        warmup: Not before this step.
        interval: Once per so many steps, counted from ``warmup``.
    """

    warmup: float = 0
    interval: float = 1

    def __post_init__(self) -> None:
        if self.warmup < 0 or self.interval <= 0:
            raise InvalidInputError(
                f"warmup={self.warmup!r}, interval={self.interval!r}",
                "Give a warmup of 0 or more and an interval above 0.",
            )

    def due(self, step: float, previous: float | None) -> bool:
        """Whether to look at ``step``, the trial's last one, ``previous`` the one before it."""
        if step < self.warmup:
            return False
        start = (step - self.warmup) // self.interval * self.interval + self.warmup
        return previous is None or previous < start

    def to_json(self) -> dict[str, object]:
        return {"warmup": self.warmup, "interval": self.interval}


@dataclass
class _Curve:
    """What a running trial has reported, step -> value, with its two largest steps."""

    values: dict[float, float] = field(default_factory=dict)
    last: float | None = None
    previous: float | None = None
    best: float = math.nan

    def add(self, step: float, value: float, sign: float) -> bool:
        """Take a report; False for a step that is already there."""
        if step in self.values:
            return False
        self.values[step] = value
        if self.last is None or step > self.last:
            self.last, self.previous = step, self.last
        elif self.previous is None or step > self.previous:
            self.previous = step
        if not math.isnan(value) and (math.isnan(self.best) or sign * value < sign * self.best):
            self.best = value
        return True


class PercentileRule(Rule):
    """Stop a trial whose best value so far is worse than a percentile of others at this step.

    Args:
        percentile: Of the completed trials so many percent are good enough: 25 keeps the best
            quarter, 50 is the median rule (Golovin et al. 2017, Google Vizier).
        direction: Whether large or small values are good.
        startup: Stop nothing before so many trials have completed.
        schedule: Steps at which to look.
        least: Stop nothing at a step that fewer completed trials have reached.
    """

    def __init__(
        self,
        percentile: float,
        *,
        direction: Direction,
        startup: int = 5,
        schedule: Schedule | None = None,
        least: int = 1,
    ) -> None:
        if not 0 <= percentile <= 100:
            raise InvalidInputError(f"percentile {percentile!r}", "Give 0 to 100.")
        if startup < 0 or least < 1:
            raise InvalidInputError(
                f"startup={startup!r}, least={least!r}",
                "Give a startup of 0 or more and a least of 1 or more.",
            )
        self.percentile, self.startup, self.least = percentile, startup, least
        self.schedule = schedule or Schedule()
        self._sign = 1.0 if direction == "minimize" else -1.0
        self._running: dict[int, _Curve] = {}
        self._completed = 0
        self._at: dict[float, _Sorted] = {}  # step -> losses of completed trials
        self._unknown: dict[float, int] = {}  # step -> completed trials that reported NaN there

    def report(self, n: int, step: float, value: float) -> str | None:
        self.observe(n, step, value)
        return self.judge(n)

    def observe(self, n: int, step: float, value: float) -> None:
        self._running.setdefault(n, _Curve()).add(step, value, self._sign)

    def judge(self, n: int) -> str | None:
        """What `report` answers, from what is already known of trial ``n``."""
        curve = self._running.get(n)
        if curve is None or curve.last is None:
            return None
        if self._completed == 0 or self._completed < self.startup:
            return None
        step = curve.last
        if not self.schedule.due(step, curve.previous):
            return None
        if math.isnan(curve.best):
            return f"no value but NaN up to step {step:g}"
        losses = self._at[step].look() if step in self._at else []
        if not losses or len(losses) + self._unknown.get(step, 0) < self.least:
            return None
        bound = _quantile(losses, self.percentile / 100)
        if self._sign * curve.best <= bound:
            return None
        word = "median" if self.percentile == 50 else f"{self.percentile:g}th percentile"
        return (
            f"best {curve.best:.6g} up to step {step:g} is worse than {self._sign * bound:.6g}, "
            f"the {word} of {len(losses)} completed trials there"
        )

    def bounds(self) -> dict[float, float]:
        """What a trial's best value is compared with, by step; empty while nothing is stopped."""
        if self._completed == 0 or self._completed < self.startup:
            return {}
        return {
            step: self._sign * _quantile(losses, self.percentile / 100)
            for step, losses in sorted((step, known.look()) for step, known in self._at.items())
            if step >= self.schedule.warmup
            and len(losses) + self._unknown.get(step, 0) >= self.least
        }

    def end(self, n: int, state: End) -> None:
        curve = self._running.pop(n, None)
        if state != "completed":
            return
        self._completed += 1
        for step, value in (curve.values if curve else {}).items():
            if math.isnan(value):
                self._unknown[step] = self._unknown.get(step, 0) + 1
            else:
                self._at.setdefault(step, _Sorted()).add(self._sign * value)

    def forget(self, n: int) -> None:
        self._running.pop(n, None)

    def to_json(self) -> object:
        return {
            "kind": "percentile",
            "percentile": self.percentile,
            "startup": self.startup,
            "least": self.least,
            **self.schedule.to_json(),
        }


class _Sorted:
    """Numbers in order; new ones are put in their places when somebody looks."""

    __slots__ = ("_fresh", "_ordered")

    def __init__(self) -> None:
        self._ordered: list[float] = []
        self._fresh: list[float] = []

    def add(self, number: float) -> None:
        self._fresh.append(number)

    def look(self) -> list[float]:
        if len(self._fresh) > 8:  # after a replay, thousands
            self._ordered += self._fresh
            self._ordered.sort()
        else:
            for number in self._fresh:
                bisect.insort(self._ordered, number)
        self._fresh.clear()
        return self._ordered


def _quantile(ordered: list[float], q: float) -> float:
    """Linear interpolation between order statistics, as `numpy.percentile` does by default."""
    position = q * (len(ordered) - 1)
    i = math.floor(position)
    low, high = ordered[i], ordered[min(i + 1, len(ordered) - 1)]
    if low == high:  # also two infinities, whose difference is no number
        return low
    t = position - i
    # NumPy's own order of operations, so that ties fall the same way.
    return high - (high - low) * (1 - t) if t >= 0.5 else low + (high - low) * t


class PatientRule(Rule):
    """Stop a trial that has not improved for ``patience`` steps, if ``inner`` agrees.

    Args:
        patience: The last ``patience`` + 1 reports are compared with the best before them.
        direction: Whether large or small values are good.
        min_delta: Worse by no more than this still counts as good enough.
        inner: A percentile rule that must agree; None: patience alone decides.
    """

    def __init__(
        self,
        patience: int,
        *,
        direction: Direction,
        min_delta: float = 0.0,
        inner: PercentileRule | None = None,
    ) -> None:
        if patience < 0 or min_delta < 0:
            raise InvalidInputError(
                f"patience={patience!r}, min_delta={min_delta!r}", "Give 0 or more of both."
            )
        self.patience, self.min_delta, self.inner = patience, min_delta, inner
        self._sign = 1.0 if direction == "minimize" else -1.0
        self._running: dict[int, _Window] = {}

    def report(self, n: int, step: float, value: float) -> str | None:
        window = self._running.setdefault(n, _Window(self.patience + 1))
        window.add(step, self._sign * value)
        agreed = self.inner.report(n, step, value) if self.inner else ""
        before, after = window.best_before, window.best_after()
        if math.isnan(before) or math.isnan(after) or not before + self.min_delta < after:
            return None
        if agreed is None:
            return None
        said = f"no improvement on {self._sign * before:.6g} for {self.patience} steps"
        return f"{said}; {agreed}" if agreed else said

    def observe(self, n: int, step: float, value: float) -> None:
        self._running.setdefault(n, _Window(self.patience + 1)).add(step, self._sign * value)
        if self.inner:
            self.inner.observe(n, step, value)

    def end(self, n: int, state: End) -> None:
        self._running.pop(n, None)
        if self.inner:
            self.inner.end(n, state)

    def forget(self, n: int) -> None:
        self._running.pop(n, None)
        if self.inner:
            self.inner.forget(n)

    def to_json(self) -> object:
        return {
            "kind": "patient",
            "patience": self.patience,
            "min_delta": self.min_delta,
            "inner": self.inner.to_json() if self.inner else None,
        }


class _Window:
    """Losses by step: the last ``size`` of them, and the best of all before."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.best_before = math.nan
        self._steps: set[float] = set()
        self._last: deque[tuple[float, float]] = deque()

    def add(self, step: float, loss: float) -> None:
        if step in self._steps:
            return
        self._steps.add(step)
        late: list[tuple[float, float]] = []
        while self._last and self._last[-1][0] > step:  # reported out of order
            late.append(self._last.pop())
        self._last.append((step, loss))
        self._last.extend(reversed(late))
        if len(self._last) > self.size:
            self.best_before = _better(self.best_before, self._last.popleft()[1])

    def best_after(self) -> float:
        best = math.nan
        for _, loss in self._last:
            best = _better(best, loss)
        return best


def _better(a: float, b: float) -> float:
    """The smaller loss; NaN counts for nothing."""
    return b if math.isnan(a) else a if math.isnan(b) else min(a, b)


class ThresholdRule(Rule):
    """Stop a trial that leaves a band of values, or reports NaN.

    Args:
        lower: Stop below this.
        upper: Stop above this.
        schedule: Steps at which to look.
    """

    def __init__(
        self,
        *,
        lower: float | None = None,
        upper: float | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        if lower is None and upper is None:
            raise InvalidInputError(
                "a threshold without a bound", 'Give one: "threshold:lower=0.2".'
            )
        if lower is not None and upper is not None and lower > upper:
            raise InvalidInputError(f"a threshold from {lower!r} to {upper!r}", "Swap the two.")
        self.lower, self.upper = lower, upper
        self.schedule = schedule or Schedule()
        self._running: dict[int, _Curve] = {}

    def report(self, n: int, step: float, value: float) -> str | None:
        curve = self._running.setdefault(n, _Curve())
        curve.add(step, value, 1.0)
        if curve.last is None or not self.schedule.due(curve.last, curve.previous):
            return None
        latest = curve.values[curve.last]
        if math.isnan(latest):
            return f"NaN at step {curve.last:g}"
        if self.lower is not None and latest < self.lower:
            return f"{latest:.6g} at step {curve.last:g} is below {self.lower:g}"
        if self.upper is not None and latest > self.upper:
            return f"{latest:.6g} at step {curve.last:g} is above {self.upper:g}"
        return None

    def end(self, n: int, state: End) -> None:  # noqa: ARG002
        self._running.pop(n, None)

    def forget(self, n: int) -> None:
        self._running.pop(n, None)

    def to_json(self) -> object:
        return {
            "kind": "threshold",
            "lower": self.lower,
            "upper": self.upper,
            **self.schedule.to_json(),
        }
