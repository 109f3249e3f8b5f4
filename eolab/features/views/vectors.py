"""Feature vectors of a view from the online store: what a deployed model asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.features.samples.array_features import axes_of_features

if TYPE_CHECKING:
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
            self._parts.append((group.online.reader(part.query.columns, group.schema), group.label))
        self._widths = [len(part.query.columns) for part in query.parts]

    def get(
        self, key: Mapping[str, object], passed: Mapping[str, object] | None, missing: Missing
    ) -> list[object]:
        """One vector in the order of ``names``."""
        vector: list[object] = []
        for (reader, label), width in zip(self._parts, self._widths, strict=True):
            row = reader.get(key)
            if row is None:
                vector += self._absent(key, label, width, missing)
            else:
                vector += [NAN if v is None else v for v in row] if None in row else row
        return self._with(vector, passed) if passed else vector

    def get_many(
        self,
        keys: Sequence[Mapping[str, object]],
        passed: Sequence[Mapping[str, object]] | None,
        missing: Missing,
    ) -> list[list[object]]:
        """One vector a key."""
        vectors: list[list[object]] = [[] for _ in keys]
        for (reader, label), width in zip(self._parts, self._widths, strict=True):
            for key, row, vector in zip(keys, reader.get_many(keys), vectors, strict=True):
                vector.extend(
                    self._absent(key, label, width, missing)
                    if row is None
                    else [NAN if v is None else v for v in row]
                )
        if passed is not None:
            if len(passed) != len(keys):
                raise InvalidInputError(
                    f"{len(keys)} keys and {len(passed)} sets of passed features",
                    "Pass one set a key.",
                )
            vectors = [self._with(v, p) for v, p in zip(vectors, passed, strict=True)]
        return vectors

    @staticmethod
    def _absent(
        key: Mapping[str, object], label: str, width: int, missing: Missing
    ) -> list[object]:
        if missing == "error":
            raise NotFoundError(
                f"{label} has no row of {dict(key)!r} online",
                "Insert it, or pass missing='nan' to get NaN.",
            )
        return [NAN] * width

    def _with(self, vector: list[object], passed: Mapping[str, object]) -> list[object]:
        for name, value in passed.items():
            if name not in self.names:
                raise InvalidInputError(
                    f"the view has no feature {name!r}", nearest(name, self.names, "features")
                )
            vector[self.names.index(name)] = value
        return vector
