"""Splits of a view's samples: parts and folds that share no block, or no time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.samples.samples import Samples
from eolab.features.splits import assign
from eolab.features.splits.blocks import PARTS, Column, SpatialBlocks, TimeSplit
from eolab.features.splits.variogram import round_up, variogram_range
from eolab.training_data import Split
from eolab.user_warnings import warn

SIZE = 0.2
"""Share of the validation and of the test part where nobody says another."""


class NarrowBlocks(UserWarning):
    """Blocks narrower than samples are alike, as wider ones leave too few."""


class EmptyPart(UserWarning):
    """A part that was asked for holds no sample."""


class Splittable(Protocol):
    """What is split: a feature view."""

    @property
    def transformations(self) -> Mapping[str, Sequence[str]]:
        """By feature, what is fitted on the training part."""

    def load(self, as_of: object = None, extra: Sequence[str] = ()) -> Samples:
        """The samples, with these columns of their label rows."""

    def split_source(self, *, as_of: object, **detail: object) -> dict[str, object]:
        """Where a split comes from, as plain JSON."""


def split_parts(
    view: Splittable,
    by: assign.By | None,
    *,
    validation_size: float | None,
    test_size: float | None,
    seed: int,
    unit: str | None,
    min_samples: int,
    as_of: object,
    stratify: bool,
) -> Split:
    """Three parts that share no block (see `FeatureView.train_validation_test_split`)."""
    given = (("validation_size", validation_size), ("test_size", test_size))
    for name, size in given if isinstance(by, Column) else ():
        if size:  # 0 is no such part, whose rows are then refused by their value
            raise InvalidInputError(
                f"{name}={size!r}, and eo.Column says which rows are in which part",
                f"Leave {name} away, or split by a size: by=eo.SpatialBlocks(...).",
            )
    validation_size = SIZE if validation_size is None else validation_size
    test_size = SIZE if test_size is None else test_size
    for name, size in (("validation_size", validation_size), ("test_size", test_size)):
        if not 0 <= size < 1:
            raise InvalidInputError(
                f"{name}={size!r} is not a share", "Give a number from 0 to below 1."
            )
    if validation_size + test_size >= 1:
        raise InvalidInputError(
            "validation_size + test_size leave no training part", "Make them smaller."
        )
    train_size = 1 - validation_size - test_size
    sizes = dict(zip(PARTS, (train_size, validation_size, test_size), strict=True))
    names = [p for p, size in sizes.items() if size > 0]
    found, cell, by = _cells(view, by, unit, as_of, len(names))
    found, cell, side = assign.divide(
        found,
        cell,
        by,
        names,
        [sizes[p] for p in names],
        seed=seed,
        min_samples=min_samples,
        stratify=stratify,
    )
    source = view.split_source(seed=seed, as_of=as_of, **sizes)
    made = assign.split(found, cell, by, np.asarray(names)[side], view.transformations, source)
    there = {"train": made.train, "validation": made.validation, "test": made.held_out}
    for place, empty in enumerate(names):
        if there[empty] is not None:
            continue
        if isinstance(by, Column):
            why = (
                f"no row of {by.name} has a value of it. "
                f"Name its values: eo.Column({by.name!r}, ..., {empty}=[...])."
            )
        elif (side == place).any():
            why = "all its samples lie within the buffer. Take a smaller one, or larger blocks."
        else:
            why = "no sample came to it. Take smaller blocks, other times, or another seed."
        warn(f"the {empty} part is empty: {why}", EmptyPart)
    return made


def split_folds(
    view: Splittable,
    by: assign.By | None,
    *,
    n_splits: int,
    seed: int,
    unit: str | None,
    min_samples: int,
    as_of: object,
    stratify: bool,
) -> list[Split]:
    """Outer folds, each block held out once (see `FeatureView.folds`)."""
    if isinstance(n_splits, bool) or not isinstance(n_splits, int) or n_splits < 3:
        raise InvalidInputError(
            f"n_splits={n_splits!r} folds cannot hold training, validation and test",
            "Take 3 or more.",
        )
    found, cell, by = _cells(view, by, unit, as_of, n_splits)
    if isinstance(by, Column):
        raise InvalidInputError(
            "eo.Column says one split, and folds make several",
            "Pass the column's name, which keeps its values together, or eo.SpatialBlocks(...).",
        )
    # In time, fold k trains on all before its two periods, so there are two more periods.
    count = n_splits + 2 if isinstance(by, TimeSplit) else n_splits
    if isinstance(by, TimeSplit) and not by.by_share:
        raise InvalidInputError("folds cut the time themselves", "Pass by=eo.TimeSplit().")
    names = [f"part {k}" for k in range(count)]
    found, cell, side = assign.divide(
        found, cell, by, names, [1 / count] * count,
        seed=seed, min_samples=min_samples, stratify=stratify,
    )  # fmt: skip
    out = []
    for fold in range(n_splits):
        if isinstance(by, TimeSplit):
            held_out = [side <= fold, side == fold + 1, side == fold + 2]
            part = np.select(held_out, PARTS, "later")
        else:
            part = np.where(
                side == fold, "test", np.where(side == (fold + 1) % n_splits, "validation", "train")
            )
        source = view.split_source(seed=seed, as_of=as_of, fold=fold, folds=n_splits)
        out.append(assign.split(found, cell, by, part, view.transformations, source))
    return out


def propose_blocks(samples: Samples) -> SpatialBlocks:
    """Blocks as wide as samples are alike, by the variogram of the features, in metres.

    Raises:
        InvalidInputError: Fewer than 30 samples with a place.
    """
    if samples.geometry is None:
        raise InvalidInputError(
            "by= is missing, and the labels have no geometry",
            "Pass by='random', a column of the label group, or give the labels a geometry.",
        )
    return SpatialBlocks(round_up(variogram_range(samples)))


def _cells(
    view: Splittable, by: assign.By | None, unit: str | None, as_of: object, count: int
) -> tuple[Samples, np.ndarray, assign.By]:
    column = by.name if isinstance(by, Column) else by if isinstance(by, str) else None
    for option, name in (("by", column), ("unit", unit)):
        if name == "":
            raise InvalidInputError(
                f"{option}='' names no column", "Name a column of the label group."
            )
    extra = [c for c in (unit, None if column == assign.RANDOM else column) if c]
    loaded = view.load(as_of, extra)
    if by is None:
        by = _narrowed(loaded, propose_blocks(loaded), unit, count)
    found, cell = assign.cells(loaded, by, unit)
    return found, cell, by


def _narrowed(
    loaded: Samples, wanted: SpatialBlocks, unit: str | None, count: int
) -> SpatialBlocks:
    """The proposal, or the widest smaller one that gives ``count`` parts their classes."""
    blocks = wanted
    few = "no two classes" if loaded.data.classes else "too few of them"
    try:
        while not assign.enough(loaded, blocks, unit, count):
            if blocks.size < 2:
                return wanted
            blocks = replace(blocks, size=blocks.size / 2)
    except InvalidInputError:  # a place is wider than such a block
        return wanted
    if blocks != wanted:
        warn(
            f"samples are alike up to {wanted.size:,g} m, but blocks of that size leave {few} for "
            f"{count} parts; those of {blocks.size:,g} m are taken, which may flatter a model. "
            "Pass by=eo.SpatialBlocks(...) to choose.",
            NarrowBlocks,
        )
    return blocks
