"""What paired runs say: differences, intervals, corrected tests, Shapley values.

- Interval and test: the t statistic with the variance of Nadeau and Bengio (Machine Learning 52
  (2003) 239-281), extended to repeated folds by Bouckaert and Frank (PAKDD 2004): results on
  folds whose training parts overlap are not independent, so the variance of their mean is
  (1/J + n_test / n_train) times the variance of a single one, not 1/J.
- Many comparisons: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
- Stopping early: Lan and DeMets, Biometrika 70 (1983) 659-663 (see `sequential`).
- Shapley values of components: Shapley (1953), over all subsets.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A mean of paired differences and how sure it is.

    Attributes:
        value: The mean.
        low: Lower end of the interval; None with fewer than two pairs or without variance.
        high: Upper end.
        p: Two-sided p of "no difference"; None with fewer than two pairs or without variance.
        pairs: Number of independent pairs: folds, or seeds on a single split.
        level: Of the interval.
        repeats: How many pairs said exactly the same, from which no variance can be known; 0 where
            they differ. Seeds that say the same are one pair.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    pairs: int
    level: float = 0.95
    repeats: int = 0


def estimate(
    differences: Sequence[float],
    *,
    overlap: float = 0.0,
    level: float = 0.95,
    scale: float = 0.0,
    one_split: bool = False,
) -> Estimate | None:
    """Mean, interval and test of paired differences; None where there are none.

    Args:
        differences: One a fold, or one a seed where there is only one split.
        overlap: n_test / n_train of the folds; 0 for independent pairs, or for pairs on one and
            the same split, about which alone the interval then speaks.
        level: Of the interval.
        scale: Size of the values that were subtracted, for what is equal but for rounding.
        one_split: The pairs are seeds on one split: where all say the same, they are one run.
    """
    j = len(differences)
    if j == 0:
        return None
    mean = math.fsum(differences) / j
    if j == 1:
        return Estimate(mean, None, None, None, 1, level)
    if max(differences) - min(differences) <= max(_ROUNDING * abs(mean), _ROUNDING * scale):
        return Estimate(mean, None, None, None, 1 if one_split else j, level, j)
    variance = math.fsum((d - mean) ** 2 for d in differences) / (j - 1)
    error = math.sqrt((1 / j + overlap) * variance)
    if error == 0:  # too small for a float
        return Estimate(mean, None, None, None, 1 if one_split else j, level, j)
    from scipy import stats

    half = float(stats.t.ppf(0.5 + level / 2, j - 1)) * error
    p = float(2 * stats.t.sf(abs(mean) / error, j - 1))
    return Estimate(mean, mean - half, mean + half, p, j, level)


_ROUNDING = 1e-12
"""Relative difference below which two figures are the same but for rounding."""


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the given order."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    adjusted = [0.0] * len(ps)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = largest
    return adjusted


def shapley(value: Mapping[frozenset[str], float], names: Sequence[str]) -> dict[str, float]:
    """Each component's average contribution over all orders of adding them.

    Args:
        value: The metric with each subset of components present, the empty one included.
        names: The components.
    """
    n = len(names)
    found = {}
    for name in names:
        others = [other for other in names if other != name]
        terms = []
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for subset in itertools.combinations(others, size):
                without = frozenset(subset)
                terms.append(weight * (value[without | {name}] - value[without]))
        found[name] = math.fsum(terms)
    return found


def independent(
    differences: Mapping[tuple[int, int], float], *, one_split: bool = True
) -> list[float]:
    """One difference a fold (the mean over its seeds), or one a seed where there is one split.

    Seeds on one fold share its data: counted one by one they would make the interval too narrow.

    Args:
        differences: (fold, repeat) -> difference.
        one_split: The plan has one fold; else a single fold that has ended is one difference.
    """
    folds = sorted({fold for fold, _ in differences})
    if len(folds) < 2 and one_split:
        return [differences[key] for key in sorted(differences)]
    found = []
    for fold in folds:
        mine = [value for key, value in sorted(differences.items()) if key[0] == fold]
        found.append(math.fsum(mine) / len(mine))
    return found


def spending(looks: int, alpha: float = 0.05) -> list[float]:
    """The error that each of ``looks`` looks may spend; they sum to ``alpha``."""
    from scipy import stats

    z = float(stats.norm.ppf(1 - alpha / 2))
    until = [float(2 * stats.norm.sf(z / math.sqrt(k / looks))) for k in range(1, looks + 1)]
    return [b - a for a, b in zip([0.0, *until], until, strict=False)]


def describe_effect(
    what: str,
    drop: Estimate | None,
    *,
    metric: str,
    corrected: float | None,
    comparisons: int,
    one_split: bool = False,
    alpha: float = 0.05,
) -> str:
    """One sentence on a component that claims no more than the interval says.

    Args:
        what: The condition, "Without sar".
        drop: How much worse the metric is there than in the baseline (positive: worse).
        metric: Its name.
        corrected: p after correction for the other comparisons.
        comparisons: How many there were.
        one_split: All pairs come from one split, so nothing is said about others.
        alpha: Of the corrected test.
    """
    if drop is None:
        return f"{what}: no pair of runs has ended, so nothing can be said."
    where = f"{drop.pairs} seeds on one split" if one_split else f"{drop.pairs} folds"
    if drop.repeats and drop.value == 0 and not one_split:
        return f"{what}: {metric} was the same, run by run ({where})."
    if drop.low is None or drop.high is None or drop.p is None:
        return f"{what}: {metric} was {_worse(drop.value)} {_uncertain(drop, one_split=one_split)}"
    interval = f"{drop.level:.0%} interval {_signed(drop.low)} to {_signed(drop.high)}"
    if drop.low <= 0 <= drop.high:
        return (
            f"{what}: {metric} was {_worse(drop.value)} on average, which is not significant "
            f"({interval}, {where})."
        )
    adjusted = drop.p if corrected is None else corrected
    if adjusted > alpha:
        return (
            f"{what}: {metric} was {_worse(drop.value)} ({interval}, {where}); "
            f"not significant among {comparisons} comparisons (corrected p = {adjusted:.2g})."
        )
    return (
        f"{what}: {metric} is {_worse(drop.value)} ({interval}, {where}, "
        f"corrected p {_p(adjusted)})."
    )


def _uncertain(drop: Estimate, *, one_split: bool) -> str:
    """Why nothing can be said about chance, and what would help."""
    if drop.repeats and one_split:
        return (
            f"in {drop.repeats} runs that repeat each other exactly and count as one; nothing can "
            "be said about chance. Give several folds, or let train and build use the seed."
        )
    if drop.repeats:
        return (
            f"on each of {drop.repeats} folds, exactly; without variance nothing can be said about "
            "chance. Give more folds, or a metric that is finer."
        )
    return (
        "in a single pair of runs; without repetition nothing can be said about chance. Give "
        "several seeds (repeats=) or folds."
    )


def _worse(value: float) -> str:
    if value == 0:
        return "the same"
    return f"{abs(value):.3g} {'worse' if value > 0 else 'better'}"


def _signed(value: float) -> str:
    return f"{value:+.3g}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"
