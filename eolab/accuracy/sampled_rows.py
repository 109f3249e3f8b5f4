"""Which rows of a reference count: labelled, on a class of the map, one for each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eolab.accuracy.class_labels import MatchedLabels, match_labels
from eolab.accuracy.class_raster import ClassCounts
from eolab.accuracy.population import MapPopulation
from eolab.accuracy.reference import PointSample
from eolab.errors import InvalidInputError
from eolab.user_warnings import warn


@dataclass(frozen=True)
class SampledRows:
    """Rows of a reference that have a label.

    Attributes:
        sample: All rows of the reference.
        kept: Which rows have a label, as places.
        mapped: Place of each kept row's map class, -1 where there is none.
        labels: Of the kept rows.
        hectares: Of the kept rows' pixels; the map's mean outside of it.
        notes: On rows that do not count.
    """

    sample: PointSample
    kept: np.ndarray
    mapped: np.ndarray
    labels: MatchedLabels
    hectares: np.ndarray
    notes: list[str]

    @staticmethod
    def of(
        sample: PointSample,
        counts: ClassCounts,
        population: MapPopulation,
        label: str,
        unlabelled: str,
        duplicates: str,
    ) -> SampledRows:
        notes: list[str] = []
        for name, value, allowed in (
            ("unlabelled", unlabelled, ("refuse", "drop")),
            ("duplicates", duplicates, ("refuse", "keep")),
        ):
            if value not in allowed:
                raise InvalidInputError(
                    f"{name}={value!r} is no way", f"Give {' or '.join(map(repr, allowed))}."
                )
        labels = match_labels(
            sample.frame[label].to_numpy(dtype=object), population.names, population.codes, label
        )
        kept = np.flatnonzero(labels.index >= 0)
        missing = len(labels.index) - kept.size
        if not kept.size:
            raise InvalidInputError(
                f"no row has a label in {label!r} yet", "Label the samples first."
            )
        if missing and unlabelled == "refuse":
            raise InvalidInputError(
                f"{missing} of {len(labels.index)} rows have no label in {label!r}",
                'Label them, or unlabelled="drop" takes them for missing at random.',
            )
        if missing:
            notes.append(
                f"{missing} of {len(labels.index)} samples have no label and were taken for "
                "missing at random."
            )
        inside = sample.inside & counts.valid
        place = {code: i for i, code in enumerate(population.codes)}
        mapped = np.array(
            [
                place.get(int(code), -1) if there else -1
                for code, there in zip(counts.values[kept], inside[kept], strict=True)
            ]
        )
        _say_outside(sample, counts, kept, mapped, notes)
        _check_pixels(sample, kept[mapped >= 0], duplicates, notes)
        areas = np.where(
            sample.inside[kept],
            population.row_hectares[sample.rows[kept]],  # any row where it is on none
            population.hectares.sum() / population.pixels.sum(),
        )
        of_kept = _that_count(labels, kept, mapped, len(population.codes), notes)
        return SampledRows(sample, kept, mapped, of_kept, areas, notes)


def _that_count(
    labels: MatchedLabels, kept: np.ndarray, mapped: np.ndarray, assessed: int, notes: list[str]
) -> MatchedLabels:
    """Labels of the kept rows; of classes that are not the map's those that lie on the map."""
    index = labels.index[kept]
    counted = np.bincount(index[mapped >= 0], minlength=len(labels.classes))
    others = [i for i in range(assessed, len(labels.classes)) if counted[i]]
    if others:
        listed = ", ".join(f"{labels.classes[i]} ({counted[i]} samples)" for i in others)
        notes.append(f"Labels that are no assessed class of the map: {listed}. They are errors.")
    order = [*range(assessed), *others]
    place = np.full(len(labels.classes), -1)
    place[order] = np.arange(len(order))
    return MatchedLabels(place[index], tuple(labels.classes[i] for i in order))


def _say_outside(
    sample: PointSample,
    counts: ClassCounts,
    kept: np.ndarray,
    mapped: np.ndarray,
    notes: list[str],
) -> None:
    outside = int((~sample.inside[kept]).sum())
    bare = int((sample.inside & ~counts.valid)[kept].sum())
    others = int((mapped < 0).sum()) - outside - bare
    parts = [
        f"{count} {where}"
        for count, where in (
            (outside, "outside of the map"),
            (bare, "on nodata"),
            (others, "on excluded classes"),
        )
        if count
    ]
    if not parts:
        return
    if (mapped < 0).all():
        raise InvalidInputError(
            f"no sample lies on a class of the map: {', '.join(parts)}",
            "See the reference systems of both, and the map's nodata.",
        )
    text = f"Of {kept.size} labelled samples {' and '.join(parts)} do not count."
    if outside or bare:
        warn(text, UserWarning)
    notes.append(text)


def _check_pixels(sample: PointSample, kept: np.ndarray, duplicates: str, notes: list[str]) -> None:
    pixels = np.stack([sample.rows[kept], sample.columns[kept]], axis=1)
    _, first, count = np.unique(pixels, axis=0, return_index=True, return_counts=True)
    twice = int((count - 1).sum())
    if not twice:
        return
    row = int(kept[first[np.argmax(count > 1)]])
    if duplicates == "refuse":
        raise InvalidInputError(
            f"{twice} samples lie on a pixel that has one already, the first beside row {row}",
            'Keep one label for each pixel; duplicates="keep" counts all, as drawn with '
            "replacement.",
        )
    notes.append(f"{twice} samples lie on a pixel that has one already, and count.")
