"""The data of an ablation: folds, with or without some columns."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from eolab.errors import InvalidInputError
from eolab.studies.client.packing import digest_data, stored
from eolab.studies.space.seeds import derive_seed
from eolab.training_data import Split, StoredSplit, TrainingData

if TYPE_CHECKING:
    pass

NOTHING = "nothing"
"""Name of the column of zeros that a model sees when every feature is taken away."""


@dataclass(frozen=True)
class Folds:
    """The folds of the data as given, and of each dataset variant.

    Attributes:
        parts: Name ("" for the data as given) -> what the train function gets, one a fold.
    """

    parts: Mapping[str, tuple[object, ...]]
    identity_by: ClassVar[str] = "content"
    """In a study's identity each fold counts by its content, by which a change is named."""

    def __len__(self) -> int:
        return len(self.parts[""])

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features; empty where the data has none that we know."""
        return columns_of(self.parts[""][0])

    @property
    def overlap(self) -> float:
        """Mean of n_test / n_train over several folds (see `inference.estimate`), 0 for one."""
        if len(self) < 2:
            return 0.0
        ratios = [
            len(part.validation) / len(part.train)
            for part in self.parts[""]
            if isinstance(part, Split) and part.validation is not None
        ]
        return sum(ratios) / len(ratios) if ratios else 1 / (len(self) - 1)

    def digest(self) -> str:
        """A SHA-256 of all parts."""
        h = hashlib.sha256()
        for name, parts in sorted(self.parts.items()):
            h.update(name.encode())
            for part in parts:
                h.update(digest_data(part).encode())
        return h.hexdigest()


FOLDS = 5


def make_folds(
    data: object, *, folds: int | None, seed: int, datasets: Mapping[str, object] | None = None
) -> Folds:
    """Read `data=` and `datasets=`.

    Args:
        data: A `Split` or a training dataset; several splits (as `FeatureView.folds` gives them);
            `TrainingData`, which is cut into ``folds`` along its groups; or anything that the
            train function understands.
        folds: Number of folds for `TrainingData`, 5 where None; other data have as many as they
            have.
        seed: Decides which groups share a fold.
        datasets: Variants of the data by name, of the same form.

    Raises:
        InvalidInputError: A split without validation part, too few groups, another number of folds
            than the data have, or a dataset variant with another number of folds.
    """
    parts = {"": _parts(data, folds, seed)}
    for name, other in (datasets or {}).items():
        parts[name] = _parts(other, folds, seed)
        if len(parts[name]) != len(parts[""]):
            raise InvalidInputError(
                f"dataset {name!r} has {len(parts[name])} folds, the data {len(parts[''])}",
                "Make both with the same blocks and seed.",
            )
    return Folds(parts)


def _parts(data: object, folds: int | None, seed: int) -> tuple[object, ...]:
    data = stored(data)
    if isinstance(data, StoredSplit):
        data = data.open_on_worker()  # here: columns and folds must be known before the first run
    if isinstance(data, TrainingData):
        return tuple(group_folds(data, FOLDS if folds is None else folds, seed))
    several = isinstance(data, Sequence) and bool(data) and isinstance(data[0], Split)
    parts = tuple(data) if several and isinstance(data, Sequence) else (data,)
    if folds is not None and folds != len(parts):
        raise InvalidInputError(
            f"folds={folds}, and the data (a {type(data).__name__}) are {len(parts)} "
            f"{'fold' if len(parts) == 1 else 'folds'}",
            "Leave folds away; or give the data of view.folds(...), or TrainingData, which is cut "
            "into folds here.",
        )
    for part in parts:
        if isinstance(part, Split) and part.validation is None:
            raise InvalidInputError(
                "a split without a validation part cannot compare variants",
                "Make it with validation_size, or give FeatureView.folds(...).",
            )
    return tuple(part.sealed() if isinstance(part, Split) else part for part in parts)


def group_folds(data: TrainingData, folds: int, seed: int) -> list[Split]:
    """Cut samples into folds along their groups, so that no group is on both sides.

    Groups are dealt out from the largest to the smallest, each to the smallest fold, ties in an
    order given by the seed.
    """
    names, inverse, counts = np.unique(data.groups, return_inverse=True, return_counts=True)
    if folds < 2 or folds > len(names):
        raise InvalidInputError(
            f"{folds} folds of {len(names)} groups", "Give 2 folds up to the number of groups."
        )
    order = list(range(len(names)))
    random.Random(derive_seed(seed, 0, "folds")).shuffle(order)
    order.sort(key=lambda i: -int(counts[i]))
    sizes = [0] * folds
    home = np.zeros(len(names), dtype=np.int64)
    for i in order:
        smallest = sizes.index(min(sizes))
        home[i] = smallest
        sizes[smallest] += int(counts[i])
    fold = home[inverse]
    return [
        Split(
            data.subset(fold != k),
            data.subset(fold == k),
            source={"fold": k, "folds": folds, "seed": seed},
        )
        for k in range(folds)
    ]


def columns_of(data: object) -> tuple[str, ...]:
    """Names of the features of whatever the train function gets."""
    part = data.train if isinstance(data, Split) else data
    return tuple(str(name) for name in getattr(part, "columns", ()))


def without(data: object, removed: Sequence[str]) -> object:
    """The data without these columns; with a column of zeros if nothing is left.

    Raises:
        InvalidInputError: Data that cannot be given without columns.
    """
    if not removed:
        return data
    if isinstance(data, Split):
        return replace(
            data,
            train=_without(data.train, removed),
            validation=None if data.validation is None else _without(data.validation, removed),
        )
    if isinstance(data, TrainingData):
        return _without(data, removed)
    own = getattr(data, "without", None)
    if callable(own):
        return own(list(removed))
    drop = getattr(data, "drop", None)
    if callable(drop):
        return drop(columns=list(removed))
    raise InvalidInputError(
        f"a {type(data).__name__} cannot be given without columns",
        "Give a Split, TrainingData, a table, or an object with without(columns).",
    )


def _without(data: TrainingData, removed: Sequence[str]) -> TrainingData:
    if set(removed) >= set(data.columns):
        return replace(data, X=np.zeros_like(data.X[..., :1]), columns=(NOTHING,))
    return data.without(removed)
