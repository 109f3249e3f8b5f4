"""From samples to training, validation and test parts: cells, small classes, buffer, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.samples import transformations
from eolab.features.samples.samples import without_small_classes
from eolab.features.splits import blocks as splits
from eolab.features.splits.blocks import PARTS, Column, SpatialBlocks, TimeSplit
from eolab.training_data import Split, TrainingData

if TYPE_CHECKING:
    from eolab.features.samples.samples import Samples

RANDOM = "random"


By = SpatialBlocks | TimeSplit | Column | str


def cells(samples: Samples, by: By, unit: str | None) -> tuple[Samples, np.ndarray]:
    """The cell of each sample as text, shape (n,); the report then counts units.

    Raises:
        InvalidInputError: No way to split, or no geometry for blocks.
    """
    if by == RANDOM or isinstance(by, Column):
        assert samples.data.ids is not None
        return samples, samples.data.ids.astype(str)
    if isinstance(by, str):
        return samples, samples.texts(by)
    if isinstance(by, TimeSplit):
        return samples, samples.times().astype("datetime64[us]").astype("datetime64[D]").astype(str)
    if not isinstance(by, SpatialBlocks):
        raise InvalidInputError(
            f"by={by!r} is no way to split",
            "Pass eo.SpatialBlocks(...), eo.TimeSplit(...), eo.Column(...), 'random', "
            "or a column of the label group.",
        )
    places = samples.places()
    if places is None or samples.geometry is None:
        raise InvalidInputError(
            "the labels have no geometry, so there are no blocks",
            "Insert a GeoDataFrame, or make the label group with geometry=('lon', 'lat').",
        )
    reach = by.reach(samples.geometry)
    units = splits.units(places, reach)
    splits.check_units(by, places, units)
    if unit is not None:
        units = splits.units(places, reach, samples.texts(unit))
    report = {**samples.report, "units": len(np.unique(units))}
    return replace(samples, report=report), splits.cells(by, places, units)


def enough(samples: Samples, blocks: SpatialBlocks, unit: str | None, count: int) -> bool:
    """Whether blocks give ``count`` parts two classes, or a quantity samples in each."""
    _, cell = cells(samples, blocks, unit)
    y = samples.data.y
    if not samples.data.classes:
        return len(np.unique(cell)) >= count
    lie = [len(np.unique(cell[y == code])) >= count for code in range(len(samples.data.classes))]
    return sum(lie) >= min(2, len(lie))


def divide(
    samples: Samples,
    cell: np.ndarray,
    by: By,
    names: Sequence[str],
    weights: Sequence[float],
    *,
    seed: int,
    min_samples: int,
    stratify: bool,
) -> tuple[Samples, np.ndarray, np.ndarray]:
    """Put each cell on one side, after leaving out classes that are too small to be on all.

    By time and by a published column there is no choice of sides, so that only ``min_samples``
    leaves classes out.

    Returns:
        The samples, their cells and their sides 0..len(weights)-1, shape (n,); the report names
        the classes that were left out.
    """
    if samples.data.classes:
        left_out = splits.too_few(
            samples.data.y,
            samples.data.classes,
            cell,
            min_samples,
            0 if isinstance(by, TimeSplit | Column) else len(weights),
        )
        if left_out:
            samples, use = without_small_classes(samples, left_out)
            cell = cell[use]
        samples = replace(samples, report={**samples.report, "left_out": dict(left_out)})
    elif not isinstance(by, TimeSplit | Column) and len(np.unique(cell)) < len(weights):
        raise InvalidInputError(
            f"the samples lie in {len(np.unique(cell))} blocks, fewer than {len(weights)} parts",
            "Take smaller blocks, another column, or fewer parts.",
        )
    if isinstance(by, TimeSplit):
        return samples, cell, by.sides(samples.times(), names, weights)
    if isinstance(by, Column):
        return samples, cell, by.sides(samples.rows.column(by.name).to_pylist(), names)
    if not stratify:
        return samples, cell, splits.scatter(cell, weights, seed)
    classes = samples.data.y if samples.data.classes else np.zeros(len(cell), dtype=np.int64)
    return samples, cell, splits.assign(cell, classes, weights, seed)


def split(
    samples: Samples,
    cell: np.ndarray,
    by: By,
    part: np.ndarray,
    transformed: Mapping[str, Sequence[str]],
    source: Mapping[str, object],
) -> Split:
    """The parts, with the buffer between them and transformations fitted on the training part.

    Args:
        samples: From `divide`.
        cell: Their cells.
        by: How they were cut.
        part: "train", "validation" or "test" of each sample, shape (n,).
        transformed: Transformations by feature (see `transformations.resolve`).
        source: Where it comes from; "by", "report" and "transformations" are added.

    Raises:
        InvalidInputError: The buffer leaves no training sample.
    """
    masks = {name: part == name for name in PARTS}
    dropped = {"train": 0, "validation": 0}
    places = samples.places() if isinstance(by, SpatialBlocks) and by.buffer > 0 else None
    if isinstance(by, SpatialBlocks) and places is not None:
        # The test part stays whole; then validation; training gives way to both.
        close = splits.near(places, masks["validation"], masks["test"], by)
        masks["validation"] &= ~close
        dropped["validation"] = int(close.sum())
        close = splits.near(places, masks["train"], masks["test"] | masks["validation"], by)
        masks["train"] &= ~close
        dropped["train"] = int(close.sum())
    if not masks["train"].any():
        raise InvalidInputError(
            "no training sample is left",
            "Take larger blocks, a smaller buffer, or later times.",
        )
    data = replace(samples.data, groups=cell)
    parts = {name: data.subset(mask) for name, mask in masks.items()}
    transformed = transformations.by_column(transformed, samples.columns)
    fitted = transformations.fit(parts["train"], transformed, samples.vocabularies)
    parts = {
        name: transformations.apply(d, fitted, samples.vocabularies) for name, d in parts.items()
    }
    report: dict[str, object] = {
        **samples.report,
        "samples": len(data),
        "blocks": len(np.unique(cell)),
        "dropped_by_buffer": dropped,
        "parts": {name: _count(d) for name, d in parts.items()},
    }
    if samples.source is not None:
        report["sources"] = _by_source(samples.texts(samples.source), masks)
    how: object = {"kind": "column", "column": by} if isinstance(by, str) else by.to_dict()
    if by == RANDOM:
        how = {"kind": RANDOM}
    return Split(
        parts["train"],
        parts["validation"] if masks["validation"].any() else None,
        parts["test"] if masks["test"].any() else None,
        {**source, "task": data.task, "by": how, "transformations": fitted, "report": report},
    )


def _by_source(sources: np.ndarray, masks: Mapping[str, np.ndarray]) -> dict[str, dict[str, int]]:
    """For each part, the number of labels from each source."""
    out = {}
    for part, mask in masks.items():
        names, counts = np.unique(sources[mask], return_counts=True)
        out[part] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return out


def _count(data: TrainingData) -> dict[str, object]:
    out: dict[str, object] = {"samples": len(data), "blocks": len(np.unique(data.groups))}
    if data.classes:
        out["classes"] = {
            name: {
                "samples": int((data.y == c).sum()),
                "blocks": len(np.unique(data.groups[data.y == c])),
            }
            for c, name in enumerate(data.classes)
        }
    return out
