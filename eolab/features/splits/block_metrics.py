"""How good predictions are, and how sure that is: metrics with block-bootstrap intervals.

Neighbouring pixels and parcels resemble each other, so an interval from resampled samples is too
narrow. Whole units (blocks) are resampled instead: Künsch 1989, "The jackknife and the bootstrap
for general stationary observations"; for maps, Ploton et al. 2020, doi:10.1038/s41467-020-18321-y.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from eolab.errors import InvalidInputError

RESAMPLES = 1_000
LEVEL = 0.95
DRAWN = 4_000_000
"""So many numbers are drawn at a time."""
Metric = Literal["accuracy", "macro_f1"]


def accuracy(y: np.ndarray, pred: np.ndarray) -> float:
    """The share of samples whose predicted class is the true one.

    Args:
        y: True classes, shape (n,).
        pred: Predicted classes, shape (n,).
    """
    return float(_accuracy(_confusion(*_codes(y, pred))[None])[0])


def macro_f1(y: np.ndarray, pred: np.ndarray) -> float:
    """The mean over classes of F1 = 2 TP / (2 TP + FP + FN).

    Classes are those that occur in ``y`` or ``pred``, as scikit-learn's
    ``f1_score(average="macro", zero_division=0)`` counts them.

    Args:
        y: True classes, shape (n,).
        pred: Predicted classes, shape (n,).
    """
    return float(_macro_f1(_confusion(*_codes(y, pred))[None])[0])


def block_bootstrap(
    y: np.ndarray,
    pred: np.ndarray,
    groups: np.ndarray,
    seed: int = 0,
    *,
    metric: Metric = "macro_f1",
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float, float]:
    """A metric and its percentile interval, units resampled with replacement.

    Args:
        y: True classes, shape (n,).
        pred: Predicted classes, shape (n,).
        groups: The unit of each sample, shape (n,).
        seed: Seed of the resampling.
        metric: "macro_f1" or "accuracy".
        resamples: How many resamples.
        level: Coverage of the interval, 0 to 1.

    Returns:
        (value, low, high); low and high are NaN where there are fewer than two units.
    """
    table = unit_tables(y, pred, groups)
    measure = _METRICS[metric]
    value = float(measure(table.sum(axis=0)[None])[0])
    low, high = _interval(table, measure, seed, resamples, level)
    return value, low, high


def classification(
    y: np.ndarray, pred: np.ndarray, groups: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """Accuracy and macro-F1, each with ``_low`` and ``_high``, and what they stand on."""
    metrics: dict[str, float] = {}
    for metric in _METRICS:
        value, low, high = block_bootstrap(y, pred, groups, seed, metric=metric)
        metrics |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
    return metrics | {"test_samples": float(len(y)), "test_units": float(len(np.unique(groups)))}


def regression(
    y: np.ndarray, pred: np.ndarray, groups: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """RMSE, MAE and bias (in units of ``y``) and R², each with ``_low`` and ``_high``.

    The bias is the mean of prediction minus truth. Intervals are of the block bootstrap. R² is NaN
    where ``y`` never changes.

    Raises:
        InvalidInputError: Values that are no numbers, or another number of predictions.
    """
    y, pred = np.asarray(y, dtype=float), np.asarray(pred, dtype=float).reshape(-1)
    _check(y, pred, groups)
    for what, values in (("labels", y), ("predictions", pred)):
        lost = int((~np.isfinite(values)).sum())
        if lost:
            raise InvalidInputError(
                f"{lost} of {len(values)} {what} are not a number",
                "Fill or drop the samples before they are evaluated.",
            )
    error = pred - y
    # From the mean, so that the variance of a resample loses no digits.
    centred = y - y.mean()
    _, unit = np.unique(groups, return_inverse=True)
    sums = (np.ones(len(y)), error**2, np.abs(error), error, centred, centred**2)
    table = np.stack([np.bincount(unit, weights=each) for each in sums], axis=1)
    metrics: dict[str, float] = {}
    for metric, measure in _QUANTITIES.items():
        low, high = _interval(table, measure, seed, RESAMPLES, LEVEL)
        value = float(measure(table.sum(axis=0)[None])[0])
        metrics |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
    return metrics | {"test_samples": float(len(y)), "test_units": float(len(table))}


def _r2(sums: np.ndarray) -> np.ndarray:
    spread = sums[:, 5] - sums[:, 4] ** 2 / sums[:, 0]
    known = spread > 1e-12 * np.maximum(sums[:, 5], np.finfo(float).tiny)
    return np.asarray(np.where(known, 1 - sums[:, 1] / np.where(known, spread, 1), np.nan))


# Of sums over samples: how many, squared error, absolute error, error, label, squared label.
_QUANTITIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rmse": lambda sums: np.asarray(np.sqrt(sums[:, 1] / sums[:, 0])),
    "mae": lambda sums: np.asarray(sums[:, 2] / sums[:, 0]),
    "bias": lambda sums: np.asarray(sums[:, 3] / sums[:, 0]),
    "r2": _r2,
}


def unit_tables(y: np.ndarray, pred: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """A confusion matrix a unit, shape (units, classes, classes): rows true, columns predicted."""
    true, predicted, count = _codes(y, pred)
    _check(true, predicted, groups)
    names, unit = np.unique(groups, return_inverse=True)
    cells = np.zeros((len(names), count, count), dtype=np.int64)
    np.add.at(cells, (unit, true, predicted), 1)
    return cells


def _interval(
    table: np.ndarray,
    measure: Callable[[np.ndarray], np.ndarray],
    seed: int,
    resamples: int,
    level: float,
) -> tuple[float, float]:
    units = len(table)
    if units < 2:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    # How often each unit is drawn says all: a resample's table is a weighted sum of theirs. Some at
    # a time, as units may be as many as samples; sums of whole numbers are exact.
    flat = table.reshape(units, -1).astype(np.float64)
    share, rows = np.full(units, 1 / units), max(1, DRAWN // units)
    sums = np.concatenate(
        [
            random.multinomial(units, share, size=min(rows, resamples - first)) @ flat
            for first in range(0, resamples, rows)
        ]
    ).reshape(resamples, *table.shape[1:])
    values = measure(sums)
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(values, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def _accuracy(tables: np.ndarray) -> np.ndarray:
    return np.asarray(np.trace(tables, axis1=1, axis2=2) / tables.sum(axis=(1, 2)))


def _macro_f1(tables: np.ndarray) -> np.ndarray:
    right = np.diagonal(tables, axis1=1, axis2=2)
    both = tables.sum(axis=1) + tables.sum(axis=2)
    seen = both > 0
    f1 = np.where(seen, 2 * right / np.where(seen, both, 1), 0.0)
    return np.asarray(f1.sum(axis=1) / seen.sum(axis=1))


_METRICS: dict[Metric, Callable[[np.ndarray], np.ndarray]] = {
    "accuracy": _accuracy,
    "macro_f1": _macro_f1,
}


def _codes(y: np.ndarray, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    y, pred = np.asarray(y).reshape(-1), np.asarray(pred).reshape(-1)
    _check(y, pred, y)
    classes, codes = np.unique(np.concatenate([y, pred]), return_inverse=True)
    return codes[: len(y)], codes[len(y) :], len(classes)


def _confusion(true: np.ndarray, predicted: np.ndarray, count: int) -> np.ndarray:
    cells = np.bincount(true * count + predicted, minlength=count * count)
    return cells.reshape(count, count)


def _check(y: np.ndarray, pred: np.ndarray, groups: np.ndarray) -> None:
    if not len(y) == len(pred) == len(groups):
        raise InvalidInputError(
            f"{len(y)} labels, {len(pred)} predictions, {len(groups)} units",
            "Give one of each for every sample.",
        )
    if len(y) == 0:
        raise InvalidInputError("no samples to evaluate on", "Give at least one.")
