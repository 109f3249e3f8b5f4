"""Feature vectors of a view from the online store: what a deployed model asks for."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from eolab.argument_checks import shown
from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.features.samples.array_features import axes_of_features

if TYPE_CHECKING:
    import pyarrow as pa

    from eolab.features.queries.query import Query

Missing = Literal["nan", "error"]
NAN = float("nan")


class VectorReader:
    """The newest values of a query's columns, by key; made once by a view and kept.

    Safe to use from several threads. It sees each insert as soon as that returns.
    """

    def __init__(self, query: Query) -> None:
        if query.steps is not None:
            raise InvalidInputError(
                "a sequence has no online vector: the online store keeps the newest row only",
                "Make a view without sequence(), or predict from training data.",
            )
        if any(part.query.where for part in query.parts):
            raise InvalidInputError(
                "a query with a condition has no online vector", "Leave filter() out."
            )
        if any(part.near is not None for part in query.parts):
            raise InvalidInputError(
                "a join by place has no online vector", "Insert what it finds into a group."
            )
        for name, axes in axes_of_features(query).items():
            if axes:
                raise InvalidInputError(
                    f"the feature {name!r} is an array, and an online vector has one number a "
                    "feature",
                    "Read the newest arrays with view.batch_data(entities).",
                )
        self.names = query.names
        self._parts = []
        for part in query.parts:
            group = part.query.group
            schema = group.schema  # read once: nobody waits for it at a key that is not there
            keys = _Keys(group.label, {name: schema.field(name).type for name in group.primary_key})
            self._parts.append((group.online.reader(part.query.columns, schema), keys))
        self._widths = [len(part.query.columns) for part in query.parts]

    def get(
        self, key: Mapping[str, object], passed: Mapping[str, object] | None, missing: Missing
    ) -> list[object]:
        """One vector in the order of ``names``."""
        key = _by_name(key, "key")
        _check_missing(missing)
        vector: list[object] = []
        for (reader, keys), width in zip(self._parts, self._widths, strict=True):
            row = reader.get(key)
            if row is None:
                vector += self._absent(key, keys, width, missing)
            else:
                vector += [NAN if v is None else v for v in row] if None in row else row
        return vector if passed is None else self._with(vector, _by_name(passed, "passed"))

    def get_many(
        self,
        keys: Sequence[Mapping[str, object]],
        passed: Sequence[Mapping[str, object]] | None,
        missing: Missing,
    ) -> list[list[object]]:
        """One vector a key."""
        keys = [_by_name(key, "key") for key in _rows(keys, "keys")]
        _check_missing(missing)
        vectors: list[list[object]] = [[] for _ in keys]
        for (reader, known), width in zip(self._parts, self._widths, strict=True):
            for key, row, vector in zip(keys, reader.get_many(keys), vectors, strict=True):
                vector.extend(
                    self._absent(key, known, width, missing)
                    if row is None
                    else [NAN if v is None else v for v in row]
                )
        if passed is not None:
            passed = [_by_name(each, "passed") for each in _rows(passed, "passed")]
            if len(passed) != len(keys):
                raise InvalidInputError(
                    f"{len(keys)} keys and {len(passed)} sets of passed features",
                    "Pass one set a key.",
                )
            vectors = [self._with(v, p) for v, p in zip(vectors, passed, strict=True)]
        return vectors

    @staticmethod
    def _absent(
        key: Mapping[str, object], keys: _Keys, width: int, missing: Missing
    ) -> list[object]:
        _check_kinds(key, keys)
        if missing == "error":
            raise NotFoundError(
                f"{keys.label} has no row of {dict(key)!r} online",
                "Insert it, or pass missing='nan' to get NaN.",
            )
        return [NAN] * width

    def _with(self, vector: list[object], passed: Mapping[str, object]) -> list[object]:
        for name, value in passed.items():
            if name not in self.names:
                raise InvalidInputError(
                    f"the view has no feature {name!r}", nearest(str(name), self.names, "features")
                )
            vector[self.names.index(name)] = value
        return vector


def _by_name(given: object, option: str) -> Mapping[str, object]:
    """Values by name: a mapping, or a row of a table (a Series, a named tuple)."""
    if isinstance(given, Mapping):
        return given
    for attribute in ("to_dict", "_asdict"):
        convert = getattr(given, attribute, None)
        found = convert() if callable(convert) and not hasattr(given, "columns") else None
        if isinstance(found, dict):
            return found
    hint = "Give values by name: {'parcel_id': 'P0001'}."
    raise InvalidInputError(f"{option}={shown(given)} has no names", hint)


def _rows(given: object, option: str) -> Sequence[object]:
    """One mapping each: a list of them, an iterator, or the rows of a table."""
    for attribute in ("to_dicts", "to_pylist"):  # of Polars and Arrow
        if hasattr(given, "columns") and callable(rows := getattr(given, attribute, None)):
            each: list[object] = rows()
            return each
    if hasattr(given, "columns") and callable(records := getattr(given, "to_dict", None)):
        found: list[object] = records("records")
        return found
    flat = getattr(given, "ndim", 1) == 0
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable) or flat:
        raise InvalidInputError(
            f"{option}={shown(given)} is no list", "Give one mapping a vector: [{'parcel_id': 1}]."
        )
    return list(given)


def _check_missing(missing: object) -> None:
    if not isinstance(missing, str) or missing not in ("nan", "error"):
        raise InvalidInputError(
            f"missing={shown(missing)} says not what to do", "Use 'nan' or 'error'."
        )


@dataclass(frozen=True)
class _Keys:
    """A group's name, and the types of its keys by name."""

    label: str
    types: Mapping[str, pa.DataType]


def _check_kinds(key: Mapping[str, object], keys: _Keys) -> None:
    """Text for a key of numbers, or a number for one of text, finds nothing and is a mistake."""
    import pyarrow as pa

    for name, kind in keys.types.items():
        value = key[name]
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        numeric = isinstance(value, numbers.Real) and not math.isnan(value)
        if (number and isinstance(value, str)) or (text and numeric):
            raise InvalidInputError(
                f"the key {name}={value!r} is {'text' if number else 'a number'}, and "
                f"{keys.label} has {kind} there",
                f"Give {name} as it was inserted.",
            )
