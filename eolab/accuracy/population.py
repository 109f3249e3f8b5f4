"""What is assessed: the pixels of a map's classes, by number and by area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass

import numpy as np

from eolab.accuracy.class_labels import ClassNames, class_names, codes_of
from eolab.accuracy.class_raster import ClassCounts, ClassRaster
from eolab.errors import InvalidInputError


@dataclass(frozen=True)
class MapPopulation:
    """What is assessed: the pixels of the map's classes.

    Attributes:
        codes: Of the classes, in the order of the matrix.
        names: Of the codes.
        pixels, hectares: Of each class.
        row_hectares: Of a pixel of each row of the map.
        equal: Whether all pixels have one area.
    """

    codes: list[int]
    names: ClassNames
    pixels: np.ndarray
    hectares: np.ndarray
    row_hectares: np.ndarray
    equal: bool

    @staticmethod
    def of(
        raster: ClassRaster,
        counts: ClassCounts,
        classes: Mapping[int, str] | None,
        exclude: Sequence[int | str],
    ) -> MapPopulation:
        held = counts.codes
        left_out = [int(c) for c in held if c in _excluded(exclude, classes, raster, held)]
        kept = np.array([i for i, code in enumerate(held) if code not in left_out], dtype=int)
        if not kept.size:
            raise InvalidInputError("exclude= leaves no class", "Leave some in.")
        names = class_names(classes, raster.names, held[kept])
        areas = raster.hectares()
        rows = counts.rows[:, kept]
        return MapPopulation(
            codes=[int(code) for code in held[kept]],
            names=names,
            pixels=rows.sum(axis=0),
            hectares=areas @ rows,
            row_hectares=areas,
            equal=bool(np.allclose(areas, areas[0], rtol=1e-9)),
        )

    def name(self, place: int | np.integer) -> str:
        return self.names.of(self.codes[place])


def _excluded(
    exclude: Sequence[int | str],
    classes: Mapping[int, str] | None,
    raster: ClassRaster,
    held: np.ndarray,
) -> list[int]:
    if isinstance(exclude, Sized) and not len(exclude):
        return []
    known = {**raster.names, **(classes if isinstance(classes, Mapping) else {})}
    names = ClassNames({int(c): str(known.get(int(c), c)) for c in held}, named=True)
    return codes_of(exclude, names, held, "exclude=")
