"""Every pixel of a map compared with a reference raster of its grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eolab.accuracy.assessment import Assessment, ClassAccuracy, SampleEstimate
from eolab.accuracy.class_labels import folded
from eolab.accuracy.class_raster import ClassRaster, count_classes, indexed
from eolab.accuracy.population import MapPopulation
from eolab.errors import InvalidInputError
from eolab.user_warnings import warn


def compare_rasters(
    raster: ClassRaster,
    reference: ClassRaster,
    classes: Mapping[int, str] | None,
    exclude: Sequence[int | str],
    confidence: float,
) -> Assessment:
    """Every pixel compared with a reference raster of the same grid."""
    if reference.shape != raster.shape or not reference.transform.almost_equals(
        raster.transform, precision=1e-6 * abs(raster.transform.a)
    ):
        raise InvalidInputError(
            "the reference raster has another grid than the map",
            "Warp it to the map's grid with nearest neighbours, or draw a sample of points.",
        )
    if not reference.crs.equals(raster.crs, ignore_axis_order=True):
        raise InvalidInputError(
            f"the reference raster lies in {reference.crs.name}, the map in {raster.crs.name}",
            "Warp it to the map's grid with nearest neighbours.",
        )
    if classes is None:
        _check_names(raster.names, reference.names)
    counts = count_classes(raster)
    population = MapPopulation.of(raster, counts, classes, exclude)
    pixels, areas, others = _joint(raster, reference, population)
    names = [population.name(i) for i in range(len(population.codes))]
    extra = [population.names.of(code) for code in others]
    seen = pixels.sum()
    if not seen:
        raise InvalidInputError(
            "the reference raster has no class where the map has one",
            "See the nodata of both.",
        )
    if others and not pixels[:, : len(names)].any():
        raise InvalidInputError(
            f"no code of the reference raster ({', '.join(map(str, others[:8]))}) is one of the "
            f"map ({', '.join(map(str, population.codes[:8]))})",
            "Recode one of them: both must call a class by one code.",
        )
    notes = []
    if extra:
        notes.append(
            f"Classes that the map does not have: {', '.join(extra)}. They count as errors."
        )
    missing = int(population.pixels.sum() - seen)
    if missing:
        text = (
            f"The reference covers {seen / population.pixels.sum():.1%} of the map's pixels; "
            f"figures and areas hold for this part, {areas.sum():,.1f} ha."
        )
        warn(text, UserWarning)
        notes.append(text)
    labels = (*names, *extra)
    agree = np.trace(areas)

    def exact(value: float, of: float) -> SampleEstimate:
        share = value / of if of else float("nan")
        return SampleEstimate(share, 0.0 if of else float("nan"), share, share)

    rows = []
    for place, name in enumerate(labels):
        on_map = place < len(names)
        hit = float(areas[place, place]) if on_map else 0.0
        mapped = float(areas[place].sum()) if on_map else 0.0
        so = float(areas[:, place].sum())
        rows.append(
            ClassAccuracy(
                name=name,
                users=exact(hit, mapped),
                producers=exact(hit, so),
                f1=exact(2 * hit, mapped + so),
                hectares=SampleEstimate(so, 0.0, so, so),
                map_hectares=float(population.hectares[place]) if on_map else 0.0,
                n_map=int(pixels[place].sum()) if on_map else 0,
                n_reference=int(pixels[:, place].sum()),
            )
        )
    return Assessment(
        design="census",
        overall=exact(float(agree), float(areas.sum())),
        classes=tuple(rows),
        counts=pixels,
        proportions=areas / areas.sum(),
        strata=(),
        hectares=float(areas.sum()),
        confidence=confidence,
        notes=tuple(notes),
    )


def _check_names(mapped: Mapping[int, str], referred: Mapping[int, str]) -> None:
    """Raises InvalidInputError where map and reference call a code by two names."""
    for code in sorted(set(mapped) & set(referred)):
        if folded(mapped[code]) != folded(referred[code]):
            raise InvalidInputError(
                f"the code {code} is {mapped[code]!r} in the map and {referred[code]!r} in the "
                "reference raster",
                "Recode one of them; classes= names the codes where they mean the same.",
            )


def _joint(
    raster: ClassRaster, reference: ClassRaster, population: MapPopulation
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Pixels and hectares by class of map and reference, and the reference's other codes."""
    codes = np.array(population.codes)
    sums: dict[tuple[int, int], tuple[int, float]] = {}
    for first, mapped, valid in raster.strips():
        found, there = reference.read(first, first + len(mapped))
        both = valid & there & np.isin(mapped, codes)
        held, one = indexed(mapped, both)
        labels, two = indexed(found, both)
        row = np.broadcast_to(np.arange(len(mapped))[:, None], mapped.shape)[both]
        flat = (row * held.size + one) * labels.size + two
        size = len(mapped) * held.size * labels.size
        table = np.bincount(flat, minlength=size).reshape(len(mapped), held.size, labels.size)
        hectares = np.tensordot(
            population.row_hectares[first : first + len(mapped)], table, axes=(0, 0)
        )
        for i, code in enumerate(held.tolist()):
            for j, label in enumerate(labels.tolist()):
                n, area = sums.get((code, label), (0, 0.0))
                sums[code, label] = n + int(table[:, i, j].sum()), area + float(hectares[i, j])
    others = sorted({label for (_, label), (n, _) in sums.items() if n} - set(population.codes))
    labels_all = [*population.codes, *others]
    pixels = np.zeros((len(codes), len(labels_all)), np.int64)
    areas = np.zeros(pixels.shape)
    for (code, label), (n, area) in sums.items():
        if n:
            place = population.codes.index(code), labels_all.index(label)
            pixels[place], areas[place] = n, area
    return pixels, areas, others
