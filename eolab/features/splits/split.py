"""How a view's samples are split: what `FeatureView` offers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.splits import assign
from eolab.features.splits.blocks import Blocks, Times
from eolab.features.views import checks
from eolab.user_warnings import warn

if TYPE_CHECKING:
    from eolab.features.samples.samples import Samples
    from eolab.training_data import Split


class NarrowBlocks(UserWarning):
    """Blocks narrower than samples are alike, as wider ones leave too few."""


class Splitting:
    """The part of `FeatureView` that splits its samples."""

    transformations: Mapping[str, Sequence[str]]

    def load(self, known_at: object = None, extra: Sequence[str] = ()) -> Samples:
        raise NotImplementedError

    def _source(self, *, known_at: object, **detail: object) -> dict[str, object]:
        raise NotImplementedError

    def train_test_split(
        self,
        by: assign.By | None = None,
        *,
        test_size: float = 0.2,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        known_at: object = None,
        stratify: bool = True,
    ) -> Split:
        """Two parts that share no block (see `train_validation_test_split`)."""
        return self.train_validation_test_split(
            by, validation_size=0, test_size=test_size, seed=seed, unit=unit,
            min_samples=min_samples, known_at=known_at, stratify=stratify,
        )  # fmt: skip

    def train_validation_test_split(
        self,
        by: assign.By | None = None,
        *,
        validation_size: float = 0.2,
        test_size: float = 0.2,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        known_at: object = None,
        stratify: bool = True,
    ) -> Split:
        """Three parts that share no block.

        Args:
            by: `Blocks` (by default those of `propose_blocks`, or smaller ones, with a warning,
                where they leave no two classes); "random" (by hash of the key: flatters, for
                comparison); `Times` (the newest labels are held out); or a column
                of the label group whose values stay together.
            validation_size: Share of each class for validation.
            test_size: Share of each class that is held out until a model is registered.
            seed: Another seed, another arrangement. Row order never matters.
            unit: Column of the label group whose values stay together within blocks (a parcel).
            min_samples: Classes with fewer samples are left out; so are those in fewer blocks than
                there are parts.
            known_at: Use what was known then.
            stratify: Give each part its share of each class; where a block lies then depends on
                the others. False goes by a hash of the block alone: shares are rougher, but no
                sample ever changes its part when others are added.

        Returns:
            The parts; ``source["report"]`` says what was left out, and why.

        Raises:
            InvalidInputError: Sizes that leave no training part, no geometry, or no class that can
                be split.
        """
        for name, size in (("validation_size", validation_size), ("test_size", test_size)):
            if not 0 <= size < 1:
                raise InvalidInputError(
                    f"{name}={size!r} is not a share", "Give a number from 0 to below 1."
                )
        if validation_size + test_size >= 1:
            raise InvalidInputError(
                "validation_size + test_size leave no training part", "Make them smaller."
            )
        sizes = dict(
            zip(
                assign.PARTS,
                (1 - validation_size - test_size, validation_size, test_size),
                strict=True,
            )
        )
        names = [p for p, size in sizes.items() if size > 0]
        found, cell, by = self._cells(by, unit, known_at, len(names))
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
        source = self._source(seed=seed, known_at=known_at, **sizes)
        return assign.split(found, cell, by, np.asarray(names)[side], self.transformations, source)

    def folds(
        self,
        by: assign.By | None = None,
        *,
        n: int = 5,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        known_at: object = None,
        stratify: bool = True,
    ) -> list[Split]:
        """``n`` outer folds: each block is held out once.

        In each split one fold is held out, the next is for validation, the rest for training. With
        `Times` each fold holds out a later period, validates on the one before, and trains on all
        that is older.
        See `train_validation_test_split` for the arguments; classes in fewer than ``n`` blocks are
        left out by name.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 3:
            raise InvalidInputError(
                f"n={n!r} folds cannot hold training, validation and test", "Take 3 or more."
            )
        found, cell, by = self._cells(by, unit, known_at, n)
        # In time, fold k trains on all before its two periods, so there are two more periods.
        count = n + 2 if isinstance(by, Times) else n
        if isinstance(by, Times) and not by.by_share:
            raise InvalidInputError("folds cut the time themselves", "Pass by=Times().")
        names = [f"part {k}" for k in range(count)]
        found, cell, side = assign.divide(
            found, cell, by, names, [1 / count] * count,
            seed=seed, min_samples=min_samples, stratify=stratify,
        )  # fmt: skip
        out = []
        for fold in range(n):
            if isinstance(by, Times):
                part = np.select(
                    [side <= fold, side == fold + 1, side == fold + 2], assign.PARTS, "later"
                )
            else:
                part = np.where(
                    side == fold, "test", np.where(side == (fold + 1) % n, "validation", "train")
                )
            source = self._source(seed=seed, known_at=known_at, fold=fold, folds=n)
            out.append(assign.split(found, cell, by, part, self.transformations, source))
        return out

    def _cells(
        self, by: assign.By | None, unit: str | None, known_at: object, count: int
    ) -> tuple[Samples, np.ndarray, assign.By]:
        extra = [
            c for c in (unit, by if isinstance(by, str) and by != assign.RANDOM else None) if c
        ]
        loaded = self.load(known_at, extra)
        if by is None:
            by = self._shared_out(loaded, self._proposal(loaded), unit, count)
        found, cell = assign.cells(loaded, by, unit)
        return found, cell, by

    @staticmethod
    def _shared_out(loaded: Samples, wanted: Blocks, unit: str | None, count: int) -> Blocks:
        """The proposal, or the widest smaller one that gives ``count`` parts their classes."""
        blocks = wanted
        try:
            while assign.classes_in(loaded, blocks, unit, count) < min(2, len(loaded.data.classes)):
                if blocks.size < 2:
                    return wanted
                blocks = replace(blocks, size=blocks.size / 2)
        except InvalidInputError:  # a place is wider than such a block
            return wanted
        if blocks != wanted:
            warn(
                f"samples are alike up to {wanted.size:,g} m, but blocks of that size leave no two "
                f"classes for {count} parts; those of {blocks.size:,g} m are taken, which may "
                "flatter a model. Pass by=eo.Blocks(...) to choose.",
                NarrowBlocks,
            )
        return blocks

    def propose_blocks(self, *, known_at: object = None) -> Blocks:
        """Blocks as wide as samples are alike, by the variogram of the features, in metres.

        Raises:
            InvalidInputError: Fewer than 30 samples with a place.
        """
        return self._proposal(self.load(known_at))

    @staticmethod
    def _proposal(loaded: Samples) -> Blocks:
        if loaded.geometry is None:
            raise InvalidInputError(
                "by= is missing, and the labels have no geometry",
                "Pass by='random', a column of the label group, or give the labels a geometry.",
            )
        return Blocks(checks.round_up(checks.reach_of_alikeness(loaded)))
