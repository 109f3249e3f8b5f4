"""Areas in longitude and latitude: boxes, outlines, whatever users call an area."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eolab.errors import BadInput

if TYPE_CHECKING:
    import pystac
    from shapely.geometry.base import BaseGeometry


class HasGeometry(Protocol):
    """Shapely geometries, features of GeoJSON libraries, rows of GeoPandas."""

    @property
    def __geo_interface__(self) -> Mapping[str, object]: ...


Area = Mapping[str, object] | HasGeometry


def check_bbox(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees (six numbers with heights lose the heights).

    Raises:
        BadInput: Other lengths, no numbers, latitudes off the globe or upside down.
    """
    try:
        numbers = [float(v) for v in bbox]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    hint = "Give west, south, east, north in degrees."
    if len(numbers) != 4 or any(v != v for v in numbers):  # noqa: PLR0124  NaN
        raise BadInput(f"bbox = {bbox!r}", hint)
    west, south, east, north = numbers
    if not -90 <= south <= north <= 90 or max(abs(west), abs(east)) > 180:
        raise BadInput(f"bbox = {tuple(numbers)} lies outside the globe or is upside down", hint)
    return west, south, east, north


def boxes(bbox: Sequence[float]) -> BaseGeometry:
    """The box as a geometry; two boxes where it crosses the antimeridian (west > east).

    A box without width or height is a line or a point: as polygons they vanish from unions, and
    what only touches them would not be found.
    """
    import shapely

    west, south, east, north = bbox
    if west <= east:
        return _box(west, south, east, north)
    return shapely.union_all([_box(west, south, 180, north), _box(-180, south, east, north)])


def _box(west: float, south: float, east: float, north: float) -> BaseGeometry:
    import shapely

    if west < east and south < north:
        return shapely.box(west, south, east, north)
    corners = [(west, south), (east, north)]
    return (
        shapely.Point(corners[0])
        if west == east and south == north
        else shapely.LineString(corners)
    )


def parse_area(area: Area) -> BaseGeometry:
    """Any geometry in longitude and latitude: GeoJSON, shapely, GeoPandas (reprojected).

    Raises:
        BadInput: It is no geometry, empty, or not in degrees.
    """
    import shapely
    from shapely.geometry import shape

    if not isinstance(area, Mapping) and not hasattr(area, "__geo_interface__"):
        raise BadInput(f"{type(area).__name__!r} is no area", _instead(area))
    frame = getattr(area, "to_crs", None)
    if frame is not None:
        crs = getattr(area, "crs", None)
        if crs is None:
            raise BadInput("the area has no reference system", "Set it: area.set_crs(...).")
        area = frame("EPSG:4326")
    try:
        document: Mapping[str, object] = (
            area if isinstance(area, Mapping) else area.__geo_interface__
        )
        found = _shapes(document)
        geometry = shapely.union_all([shape(g) for g in found])
    except Exception as error:
        raise BadInput(
            f"the area is no geometry: {error}",
            "Give GeoJSON, a shapely geometry or a GeoDataFrame in longitude and latitude.",
        ) from error
    if geometry.is_empty:
        raise BadInput("the area is empty", "Give an area with at least one point.")
    west, south, east, north = geometry.bounds
    if west < -180.001 or east > 180.001 or south < -90.001 or north > 90.001:
        raise BadInput(
            f"the area's coordinates reach {geometry.bounds}",
            "Areas are in longitude and latitude; reproject with to_crs('EPSG:4326').",
        )
    return geometry if geometry.is_valid else shapely.make_valid(geometry)


def _instead(area: object) -> str:
    """What was probably meant by something that is no geometry."""
    if isinstance(area, str):
        return "Read a file with geopandas.read_file(...), WKT with shapely.from_wkt(...)."
    if isinstance(area, Sequence) and len(area) == 4:
        return "Four numbers are a box: bbox=."
    return "Give GeoJSON, a shapely geometry or a GeoDataFrame in longitude and latitude."


def _shapes(document: Mapping[str, object]) -> list[Mapping[str, object]]:
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document["features"]
        assert isinstance(features, Iterable)
        return [g for feature in features for g in _shapes(feature)]
    if kind == "Feature":
        geometry = document["geometry"]
        assert isinstance(geometry, Mapping)
        return [geometry]
    return [document]


def footprint(item: pystac.Item) -> BaseGeometry | None:
    """The item's outline in degrees, mended where it is invalid; None where it states none.

    An outline whose longitudes jump at 180 degrees, or go on beyond, is cut in two there.
    """
    import shapely
    from shapely.geometry import shape

    if item.geometry:
        geometry = shape(item.geometry)
        if not geometry.is_empty:
            west, _, east, _ = geometry.bounds
            if east - west > 180 or west < -180 or east > 180:
                geometry = _cut(geometry)
            return geometry if geometry.is_valid else shapely.make_valid(geometry)
    if item.bbox and len(item.bbox) in (4, 6):
        half = len(item.bbox) // 2
        return boxes([*item.bbox[:2], *item.bbox[half : half + 2]])
    return None


# The map of the search tab goes by the same two (`antimeridian.ts`).
_LEAP = 270  # degrees from one corner to the next: a scene is less than a quarter of the Earth wide
_SLENDER = 3  # times taller than wide: such a box rather goes the other way round


def _cut(geometry: BaseGeometry) -> BaseGeometry:
    """Polygons as GeoJSON wants those that reach over 180 degrees (RFC 7946, 3.1.9): in two."""
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
