"""Areas in longitude and latitude: boxes, outlines, whatever users call an area."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from eolab.catalog.areas.antimeridian import cut
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pystac
    from shapely.geometry.base import BaseGeometry


# Degrees. Edges of global grids lie half a pixel beyond their outermost centres.
HAIR = 0.5


class HasGeometry(Protocol):
    """Shapely geometries, features of GeoJSON libraries, rows of GeoPandas."""

    @property
    def __geo_interface__(self) -> Mapping[str, object]: ...


Area = Mapping[str, object] | HasGeometry


def check_bbox(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees (six numbers with heights lose the heights).

    Raises:
        InvalidInputError: Other lengths, no numbers, latitudes off the globe or upside down.
    """
    try:
        numbers = [float(v) for v in bbox]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    hint = "Give west, south, east, north in degrees."
    if len(numbers) != 4 or any(v != v for v in numbers):  # noqa: PLR0124  NaN
        raise InvalidInputError(f"bbox = {bbox!r}", hint)
    west, south, east, north = numbers
    if south > north or south < -90 - HAIR or north > 90 + HAIR:
        raise InvalidInputError(
            f"bbox = {tuple(numbers)} lies outside the globe or is upside down", hint
        )
    if max(abs(west), abs(east)) > 180 + HAIR:
        if 0 <= west <= 360 + HAIR and 0 <= east <= 360 + HAIR:
            hint = "Longitudes go from -180 to 180: take 360 from those above 180."
        raise InvalidInputError(f"bbox = {tuple(numbers)} lies outside the globe", hint)
    west, east = (min(max(v, -180.0), 180.0) for v in (west, east))
    south, north = (min(max(v, -90.0), 90.0) for v in (south, north))
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
        InvalidInputError: It is no geometry, empty, or not in degrees.
    """
    import shapely
    from shapely.geometry import shape

    if not isinstance(area, Mapping) and not hasattr(area, "__geo_interface__"):
        raise InvalidInputError(f"{type(area).__name__!r} is no area", _instead(area))
    frame = getattr(area, "to_crs", None)
    if frame is not None:
        crs = getattr(area, "crs", None)
        if crs is None:
            raise InvalidInputError(
                "the area has no reference system", "Set it: area.set_crs(...)."
            )
        area = frame("EPSG:4326")
    try:
        document: Mapping[str, object] = (
            area if isinstance(area, Mapping) else area.__geo_interface__
        )
        found = _shapes(document)
        # Each is mended by itself: what crosses itself cannot be united with others.
        geometry = shapely.union_all([shapely.make_valid(shape(g)) for g in found])
    except Exception as error:
        raise InvalidInputError(
            f"the area is no geometry: {error}",
            "Give GeoJSON, a shapely geometry or a GeoDataFrame in longitude and latitude.",
        ) from error
    if geometry.is_empty:
        raise InvalidInputError("the area is empty", "Give an area with at least one point.")
    west, south, east, north = geometry.bounds
    if max(-west, east) > 180 + HAIR or max(-south, north) > 90 + HAIR:
        raise InvalidInputError(
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
                geometry = cut(geometry)
            return geometry if geometry.is_valid else shapely.make_valid(geometry)
    if item.bbox and len(item.bbox) in (4, 6):
        half = len(item.bbox) // 2
        return boxes([*item.bbox[:2], *item.bbox[half : half + 2]])
    return None
