"""Outlines that reach over 180 degrees, or around a pole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# The map of the search tab goes by the same two (`antimeridian.ts`).
_LEAP = 270  # degrees from one corner to the next: a scene is less than a quarter of the Earth wide
_SLENDER = 3  # times taller than wide: such a box rather goes the other way round


def cut(geometry: BaseGeometry) -> BaseGeometry:
    """Polygons as GeoJSON wants those that reach over 180 degrees (RFC 7946, 3.1.9): in two.

    Args:
        geometry: In degrees; longitudes may jump at 180 degrees or go on beyond.

    Returns:
        The same place with longitudes from -180 to 180; other geometries than polygons as they are.
        Holes of a polygon that is cut are filled.
    """
    import shapely

    parts = shapely.get_parts(geometry)
    if not all(part.geom_type == "Polygon" for part in parts):
        return geometry
    return shapely.union_all([piece for part in parts for piece in _pieces(part)])


def _pieces(polygon: BaseGeometry) -> list[BaseGeometry]:
    import shapely

    ring = shapely.get_coordinates(shapely.get_exterior_ring(polygon))
    steps = np.diff(ring[:, 0])
    jumps = (np.abs(steps) > 180) & (np.abs(steps) < 360)
    leaves = np.abs(ring[:, 0]).max() > 180
    around = np.sign(steps[jumps]).sum() != 0  # a pole
    leaps = bool((np.abs(steps[jumps]) > _LEAP).any()) and not _is_wide(ring)
    if not (leaves or around or leaps):
        return [polygon]
    turns = np.concatenate([[0], np.cumsum(np.where(jumps, -np.sign(steps) * 360, 0))])
    x, y = ring[:, 0] + turns, ring[:, 1]
    if abs(x[-1] - x[0]) > 180:  # around a pole: closed by way of it
        pole = np.copysign(90.0, y[0])
        x, y = np.concatenate([x, [x[-1], x[0], x[0]]]), np.concatenate([y, [pole, pole, y[0]]])
    whole = shapely.make_valid(shapely.Polygon(np.column_stack([x, y])))
    pieces = []
    for turn in (-360, 0, 360):
        piece = shapely.intersection(whole, shapely.box(turn - 180, -90, turn + 180, 90))
        if shapely.get_dimensions(piece) == 2:
            pieces.append(shapely.transform(piece, lambda c, by=turn: c - [by, 0]))
    return pieces or [polygon]


def _is_wide(ring: np.ndarray) -> bool:
    """A box such as -179.9 to 179.9: all of the Earth rather than a sliver across 180 degrees."""
    low, high = ring.min(axis=0), ring.max(axis=0)
    box = len(ring) == 5 and bool(((ring == low) | (ring == high)).all())
    gap = 360 - (high[0] - low[0])
    return box and bool(high[1] - low[1] > _SLENDER * gap)
