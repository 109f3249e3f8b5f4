"""Scalers and encoders that a view keeps: fitted on the training part only, applied everywhere.

What was fitted is plain JSON: it travels in ``split.source["transformations"]`` and is applied
again to online vectors. Missing values stay missing, except where a transformation fills them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    from eolab.training_data import TrainingData

KINDS = ("standard", "minmax", "robust", "impute", "log1p", "onehot")
Fitted = Mapping[str, Sequence[Mapping[str, object]]]


def resolve(
    patterns: Mapping[str, str | Sequence[str]], names: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Transformations by feature, in order.

    Args:
        patterns: By feature or pattern ("*_median"): one of "standard" (mean 0, deviation 1),
            "minmax" (0 to 1), "robust" (median 0, quartiles 1 apart), "impute" (missing to the
            median), "log1p", "onehot" (one column a value; text too), or several in order.
        names: The features of the view.

    Raises:
        InvalidInputError: An unknown transformation, a pattern that meets no feature, "onehot" with
            others.
    """
    out: dict[str, tuple[str, ...]] = {}
    for pattern, kinds in patterns.items():
        steps = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        for kind in steps:
            if kind not in KINDS:
                raise InvalidInputError(f"unknown transformation {kind!r}", nearest(kind, KINDS))
        if "onehot" in steps and len(steps) > 1:
            raise InvalidInputError("'onehot' goes with no other transformation", "Name it alone.")
        met = [n for n in names if n == pattern or fnmatchcase(n, pattern)]
        if not met:
            raise InvalidInputError(
                f"no feature {pattern!r} to transform", nearest(pattern, list(names))
            )
        out.update(dict.fromkeys(met, steps))
    return out


def by_column(
    transformed: Mapping[str, Sequence[str]], columns: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Transformations by column of X: each element or channel of an array has its own.

    Args:
        transformed: By feature (see `resolve`).
        columns: The columns that each feature became.
    """
    return {
        column: kinds
        for name, kinds in transformed.items()
        for column in columns.get(name, (name,))
    }


def fit(
    train: TrainingData,
    transformed: Mapping[str, Sequence[str]],
    vocabularies: Mapping[str, tuple[str, ...]],
) -> dict[str, list[dict[str, object]]]:
    """Learn each feature's transformations from the training part, in order."""
    out: dict[str, list[dict[str, object]]] = {}
    for name, kinds in transformed.items():
        values = train.X[..., train.columns.index(name)].astype(np.float64).ravel()
        steps: list[dict[str, object]] = []
        for kind in kinds:
            step = _learn(kind, values[~np.isnan(values)], vocabularies.get(name))
            steps.append(step)
            if kind != "onehot":
                values = _step(values, step)
        out[name] = steps
    return out


def _learn(kind: str, known: np.ndarray, words: tuple[str, ...] | None) -> dict[str, object]:
    if kind == "onehot":
        codes = np.unique(known)
        return {"kind": kind, "values": [words[int(c)] if words else float(c) for c in codes]}
    if not len(known):
        known = np.zeros(1)
    if kind == "standard":
        center, scale = known.mean(), known.std()
    elif kind == "minmax":
        center, scale = known.min(), known.max() - known.min()
    elif kind == "robust":
        low, center, high = np.quantile(known, [0.25, 0.5, 0.75])
        scale = high - low
    elif kind == "impute":
        return {"kind": kind, "value": float(np.median(known))}
    else:
        return {"kind": kind}
    # A constant feature is moved, not blown up.
    return {"kind": kind, "center": float(center), "scale": float(scale) or 1.0}


def _step(values: np.ndarray, step: Mapping[str, object]) -> np.ndarray:
    if step["kind"] == "impute":
        return np.where(np.isnan(values), float(str(step["value"])), values)
    if step["kind"] == "log1p":
        with np.errstate(invalid="ignore", divide="ignore"):
            out = np.log1p(values)
        return np.where(np.isfinite(out), out, np.nan)
    return (values - float(str(step["center"]))) / float(str(step["scale"]))


def apply(
    data: TrainingData, fitted: Fitted, vocabularies: Mapping[str, tuple[str, ...]]
) -> TrainingData:
    """The samples with their features transformed; "onehot" makes columns ``name=value``."""
    if not fitted:
        return data
    columns: list[np.ndarray] = []
    names: list[str] = []
    for i, name in enumerate(data.columns):
        values = data.X[..., i].astype(np.float64)
        steps = fitted.get(name, ())
        if steps and steps[0]["kind"] == "onehot":
            for value in _values(steps[0]):
                words = vocabularies.get(name)
                code = words.index(str(value)) if words else float(str(value))
                columns.append((values == code).astype(np.float64))
                names.append(f"{name}={value if words else f'{float(str(value)):g}'}")
            continue
        for step in steps:
            values = _step(values, step)
        columns.append(values)
        names.append(name)
    X = np.stack(columns, axis=-1).astype(np.float32)
    return replace(data, X=X, columns=tuple(names))


def apply_vector(vector: Sequence[object], names: Sequence[str], fitted: Fitted) -> list[object]:
    """One online vector transformed as the training part was."""
    out: list[object] = []
    for value, name in zip(vector, names, strict=True):
        steps = fitted.get(name, ())
        if steps and steps[0]["kind"] == "onehot":
            out += [float(_is(value, known)) for known in _values(steps[0])]
            continue
        for step in steps:
            value = float(_step(np.asarray(value, dtype=np.float64), step))  # noqa: PLW2901
        out.append(value)
    return out


def _is(value: object, known: object) -> bool:
    """Whether an online value is the one that "onehot" learnt, by its own type or as text."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float | Decimal):
        try:  # decimals ("2.50") are floats online; what is missing (NaN) is no word "nan"
            return float(str(known)) == float(value)
        except ValueError:
            pass
    return known in (value, word_of(value))


def word_of(value: object) -> str:
    """A value as text, by which "onehot" names it: a whole number is the same in decimals."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _values(step: Mapping[str, object]) -> list[object]:
    values = step["values"]
    assert isinstance(values, list)
    return values
