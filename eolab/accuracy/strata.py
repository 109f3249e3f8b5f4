"""By which design the rows of a reference were drawn, and how large its strata are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from eolab.accuracy.class_labels import ClassNames, match_labels
from eolab.accuracy.estimators import SampleStratum
from eolab.accuracy.population import MapPopulation
from eolab.accuracy.reference import INCLUSION, PIXELS, STRATUM, stated_strata
from eolab.accuracy.sampled_rows import SampledRows
from eolab.errors import InvalidInputError, nearest
from eolab.user_warnings import warn

StatedDesign: TypeAlias = Literal["stratified", "simple random", "post-stratified"]
DESIGNS: tuple[StatedDesign, ...] = ("stratified", "simple random", "post-stratified")
SAME_AREA = 0.005
"""By how much the strata's area may be off from the map's and be taken for the same ground."""


@dataclass(frozen=True)
class DesignStrata:
    """The design of the rows that count, with indices of each."""

    design: StatedDesign | None
    strata: list[SampleStratum]
    index: np.ndarray
    mapped: np.ndarray
    labelled: np.ndarray
    hectares: np.ndarray
    notes: list[str]

    @staticmethod
    def of(
        rows: SampledRows,
        population: MapPopulation,
        design: StatedDesign | None,
        stratum: str | None,
        inclusion: str | None,
    ) -> DesignStrata:
        columns = set(rows.sample.frame.columns)
        drawn = STRATUM in columns and bool({PIXELS, INCLUSION} & columns)
        if drawn and design in {"simple random", "post-stratified"}:
            raise InvalidInputError(
                f"design={design!r}, and the columns of the reference say that it is stratified",
                f"Leave design= out, or drop {STRATUM!r} if the columns are of another sample.",
            )
        if stratum is None and drawn:
            stratum = STRATUM
        if inclusion is None and INCLUSION in columns and stratum is not None:
            inclusion = INCLUSION
        if inclusion is not None and stratum is None:
            raise InvalidInputError(
                "inclusion probabilities alone do not say how samples were drawn together",
                'Name the column of the strata too (stratum=), or say design="simple random".',
            )
        if stratum is not None and design in {"simple random", "post-stratified"}:
            raise InvalidInputError(
                f"design={design!r} has no strata, and stratum={stratum!r} names some",
                "Give one of both.",
            )
        if stratum is not None:
            return _by_columns(rows, population, stratum, inclusion)
        if design == "simple random":
            whole = SampleStratum(
                "map", int(population.pixels.sum()), float(population.hectares.sum())
            )
            on_map = rows.mapped >= 0
            index = np.zeros(on_map.sum(), dtype=int)
            return _taken(rows, on_map, design, [whole], index, _silent(rows, population))
        return _by_class(rows, population, design)


def _taken(
    rows: SampledRows,
    which: np.ndarray,
    design: StatedDesign | None,
    strata: list[SampleStratum],
    index: np.ndarray,
    notes: list[str],
) -> DesignStrata:
    labelled = np.where(rows.mapped >= 0, rows.labels.index, -1)
    return DesignStrata(
        design, strata, index, rows.mapped[which], labelled[which], rows.hectares[which], notes
    )


def _class_strata(population: MapPopulation) -> list[SampleStratum]:
    return [
        SampleStratum(
            population.name(place),
            int(population.pixels[place]),
            float(population.hectares[place]),
            place,
        )
        for place in range(len(population.codes))
    ]


def _by_class(
    rows: SampledRows, population: MapPopulation, design: StatedDesign | None
) -> DesignStrata:
    """Strata that are the map's classes."""
    on_map = rows.mapped >= 0
    counted = np.bincount(rows.mapped[on_map], minlength=len(population.codes))
    bare = [
        f"{population.name(i)} ({population.hectares[i]:,.1f} ha)"
        for i in np.flatnonzero(~(counted > 0))
    ]
    if bare:
        names = [population.names.of(population.codes[i]) for i in np.flatnonzero(counted == 0)]
        raise InvalidInputError(
            f"classes of the map have no sample: {', '.join(bare)}",
            f"Sample them, or leave them out of what is assessed: exclude={names!r}. A code that "
            "means nothing is said by nodata=.",
        )
    return _taken(rows, on_map, design, _class_strata(population), rows.mapped[on_map], [])


def _by_columns(
    rows: SampledRows, population: MapPopulation, stratum: str, inclusion: str | None
) -> DesignStrata:
    """Strata that the columns of the reference say."""
    frame = rows.sample.frame
    everyone = stated_strata(frame, stratum, inclusion)
    if everyone.pixels is None:
        return _by_class_column(rows, population, stratum)
    index = everyone.index[rows.kept]
    counted = np.bincount(index, minlength=len(everyone.keys))
    notes: list[str] = []
    if everyone.drawn is not None:
        fewer = [
            f"{key} ({n} of {drawn})"
            for key, n, drawn in zip(everyone.keys, counted, everyone.drawn, strict=True)
            if n != drawn
        ]
        if fewer:
            text = (
                f"The design drew other numbers of samples in strata {', '.join(fewer)}: those "
                "that are missing were taken for missing at random."
            )
            warn(text, UserWarning)
            notes.append(text)
    empty = [str(key) for key, n in zip(everyone.keys, counted, strict=True) if not n]
    if empty:
        raise InvalidInputError(
            f"strata have no labelled sample: {', '.join(empty)}",
            "Label at least two in each stratum.",
        )
    places = _classes_of_strata(rows, population, index, everyone.pixels)
    if places is not None:
        strata = _class_strata(population)
        on_map = rows.mapped >= 0
        return _taken(rows, on_map, "stratified", strata, rows.mapped[on_map], notes)
    hectares = everyone.hectares
    if hectares is None:
        if not population.equal:
            raise InvalidInputError(
                "pixels of this map have unequal areas, and nothing says those of the strata",
                "Give them in a column stratum_hectares, as eo.sample_design writes it.",
            )
        hectares = everyone.pixels * population.row_hectares[0]
    notes += _same_ground(hectares, population)
    strata = [
        SampleStratum(str(key), int(pixels), float(area))
        for key, pixels, area in zip(everyone.keys, everyone.pixels, hectares, strict=True)
    ]
    notes += _silent(rows, population)
    return _taken(rows, np.ones(index.size, bool), "stratified", strata, index, notes)


def _by_class_column(rows: SampledRows, population: MapPopulation, stratum: str) -> DesignStrata:
    """A column of strata without sizes: right only where it repeats the map's classes."""
    named = match_labels(
        rows.sample.frame[stratum].to_numpy(dtype=object),
        population.names,
        population.codes,
        stratum,
    ).index[rows.kept]
    other = np.flatnonzero((named != rows.mapped) & (rows.mapped >= 0))
    if other.size:
        raise InvalidInputError(
            f"{other.size} samples of {stratum!r} lie in another class of the map, so the strata "
            "are not its classes, and nothing says how large they are",
            "Add the pixels of each stratum as a column stratum_pixels, or the inclusion "
            "probabilities (inclusion=).",
        )
    return _by_class(rows, population, "stratified")


def _classes_of_strata(
    rows: SampledRows, population: MapPopulation, index: np.ndarray, pixels: np.ndarray
) -> list[int] | None:
    """The map class of each stratum where the strata are the map's classes, else None."""
    if (rows.mapped < 0).any() or len(pixels) != len(population.codes):
        return None
    found = []
    for place, size in enumerate(pixels):
        held = np.unique(rows.mapped[index == place])
        if held.size != 1 or population.pixels[held[0]] != size:
            return None
        found.append(int(held[0]))
    return found if len(set(found)) == len(found) else None


def _same_ground(hectares: np.ndarray, population: MapPopulation) -> list[str]:
    total, known = float(population.hectares.sum()), float(hectares.sum())
    if known < total * (1 - SAME_AREA):
        raise InvalidInputError(
            f"the strata cover {known:,.1f} ha, the map {total:,.1f} ha",
            "A stratum lost its samples, or the sample was drawn on a smaller map: clip the map to "
            "what was sampled, or exclude= its other classes.",
        )
    if known > total * (1 + SAME_AREA):
        text = (
            f"The strata cover {known:,.1f} ha, the map {total:,.1f} ha: figures hold for the part "
            "of the strata that the map covers."
        )
        return [text]
    return []


def _silent(rows: SampledRows, population: MapPopulation) -> list[str]:
    """Map classes without a sample, where the strata are others: nothing is known of them."""
    counted = np.bincount(rows.mapped[rows.mapped >= 0], minlength=len(population.codes))
    bare = [population.name(i) for i in np.flatnonzero(counted == 0)]
    if not bare:
        return []
    return [f"No sample lies in the map's classes {', '.join(bare)}: their accuracy is unknown."]


def variance_groups(
    strata: list[SampleStratum],
    counted: np.ndarray,
    collapse: Sequence[Sequence[int | str]],
    names: ClassNames,
) -> tuple[list[int], list[str]]:
    """The group of each stratum, and the names of those that have one sample and no partner."""
    groups = list(range(len(strata)))
    places = {s.name: i for i, s in enumerate(strata)}
    seen: set[int] = set()
    if isinstance(collapse, str) or not isinstance(collapse, Sequence):
        raise InvalidInputError(
            f"collapse={collapse!r} is no list of groups",
            'Give lists of strata: collapse=[["water", "wetland"]].',
        )
    for group in collapse:
        if isinstance(group, str) or not isinstance(group, Sequence):
            raise InvalidInputError(
                f"collapse= has {group!r}, which is no group",
                'Give lists of strata: collapse=[["water", "wetland"]].',
            )
        members = []
        for key in group:
            name = str(key)
            if name not in places and not isinstance(key, str):
                name = names.of(int(key))
            if name not in places:
                raise InvalidInputError(
                    f"collapse= names {key!r}, which is no stratum",
                    nearest(str(key), list(places), "strata"),
                )
            members.append(places[name])
        if seen & set(members):
            raise InvalidInputError(
                "collapse= has a stratum in two groups", "Give each in one group."
            )
        seen |= set(members)
        for member in members:
            groups[member] = members[0]
    size = np.bincount(groups, counted, minlength=len(strata))
    lone = [s.name for i, s in enumerate(strata) if size[groups[i]] < 2 and s.pixels > counted[i]]
    return groups, lone
