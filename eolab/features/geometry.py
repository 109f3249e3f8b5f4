"""Where samples are: reading positions from a table's columns, and distances in metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features import arrays

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyproj import CRS

# Cylindrical equal-area on WGS 84: one grid for the whole Earth, cells of equal area in metres.
EQUAL_AREA = "EPSG:6933"
EXACT = 2**53
"""Up to here float64 holds every whole number."""
# Column pairs that name a position by themselves.
_LON_LAT = (("lon", "lat"), ("longitude", "latitude"))

PlaceKind: TypeAlias = Literal["point", "line", "area", "mixed"]


class GroupGeometryJson(TypedDict):
    columns: Sequence[str]
    crs: str
    pixels: bool
    """Whether rows are pixels of a grid."""


@dataclass(frozen=True)
class RowGeometry:
    """How the rows of a table know where they are.

    Attributes:
        columns: One column of WKB geometries, or the two columns of x and y (longitude, latitude).
        crs: The coordinate reference system as text ("EPSG:32633" or WKT).
        pixels: Whether the rows are pixels of a raster, which are neighbours by nature.
    """

    columns: tuple[str, ...]
    crs: str
    pixels: bool = False

    def to_dict(self) -> GroupGeometryJson:
        return {"columns": list(self.columns), "crs": self.crs, "pixels": self.pixels}

    @staticmethod
    def from_dict(spec: Mapping[str, object] | None) -> RowGeometry | None:
        if not spec:
            return None
        columns = spec["columns"]
        assert isinstance(columns, list)
        return RowGeometry(
            tuple(str(c) for c in columns), str(spec["crs"]), bool(spec.get("pixels"))
        )


@dataclass(frozen=True)
class SampleLocations:
    """Where samples are.

    Attributes:
        shapes: shapely geometries, shape (n,), none missing.
        crs: Their coordinate reference system.
        points: The middle of each, shape (n, 2).
    """

    shapes: np.ndarray
    crs: str
    points: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", positions(self.shapes))

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def areas(self) -> bool:
        """Whether some are more than points."""
        import shapely

        return bool((shapely.get_dimensions(self.shapes) > 0).any())


def crs_text(crs: object) -> str:
    """A CRS as text that finds it again.

    Raises:
        InvalidInputError: Not a CRS.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        found = CRS.from_user_input(crs)
    except (CRSError, TypeError, ValueError) as error:  # of a table, say
        raise InvalidInputError(
            f"{crs!r} is not a coordinate reference system", "Write for example 'EPSG:32633'."
        ) from error
    code = found.to_epsg()
    return f"EPSG:{code}" if code else str(found.to_wkt())


def detect(
    frame: object,
    declared: str | Sequence[str] | None,
    crs: str | None,
    *,
    xy_crs: str | None = None,
    pixels: bool = False,
) -> RowGeometry | None:
    """The geometry as declared, of a GeoDataFrame, of rows made from a cube, or lon/lat.

    Args:
        frame: The rows: a DataFrame, GeoDataFrame or pyarrow Table.
        declared: The geometry column or the columns of x and y, where they were named.
        crs: The coordinate reference system that was named.
        xy_crs: That of ``x`` and ``y`` in rows made from a cube.
        pixels: Whether such rows are pixels.

    Raises:
        InvalidInputError: A geometry without a coordinate reference system.
    """
    # A pyarrow Table's .columns are its arrays.
    names = frame.column_names if hasattr(frame, "column_names") else getattr(frame, "columns", [])
    columns = [str(c) for c in names]
    if declared is not None:
        pair = (declared,) if isinstance(declared, str) else tuple(declared)
        known = crs or xy_crs or _frame_crs(frame)
        if known is None and pair in _LON_LAT:
            known = "EPSG:4326"
        if known is None:
            raise InvalidInputError(
                f"the geometry {', '.join(pair)} has no coordinate reference system",
                "Pass crs='EPSG:...' with geometry=, or insert a GeoDataFrame that has one.",
            )
        return RowGeometry(pair, crs_text(known), pixels)
    active = getattr(frame, "_geometry_column_name", None)
    if active in columns:
        found = _frame_crs(frame) or crs
        if found is None:
            raise InvalidInputError(
                f"the GeoDataFrame's {active!r} has no coordinate reference system",
                "Set it with frame.set_crs('EPSG:...').",
            )
        return RowGeometry((str(active),), crs_text(found))
    if xy_crs is not None and {"x", "y"} <= set(columns):
        return RowGeometry(("x", "y"), crs_text(xy_crs), pixels)
    for pair in _LON_LAT:
        if set(pair) <= set(columns):
            return RowGeometry(pair, crs_text(crs or "EPSG:4326"))
    return None


def check_same_crs(frame: object, geometry: RowGeometry) -> None:
    """Raises InvalidInputError where a GeoDataFrame's CRS is missing or not the group's."""
    from pyproj import CRS

    active = getattr(frame, "_geometry_column_name", None)
    if active is None or active not in geometry.columns:
        return
    found = _frame_crs(frame)
    if found is None:
        raise InvalidInputError(
            "the GeoDataFrame has no coordinate reference system",
            f"Set it: frame.set_crs({geometry.crs!r}).",
        )
    if CRS.from_user_input(found) != CRS.from_user_input(geometry.crs):
        raise InvalidInputError(
            f"the GeoDataFrame is in {crs_text(found)}, the group in {geometry.crs}",
            f"Convert it: frame.to_crs({geometry.crs!r}).",
        )


def _frame_crs(frame: object) -> object:
    # A GeoDataFrame without an active geometry raises on .crs
    return getattr(frame, "crs", None) if getattr(frame, "_geometry_column_name", None) else None


def shapes(frame: pd.DataFrame, geometry: RowGeometry) -> np.ndarray:
    """The geometries of a table's rows as shapely objects, shape (n,); None where unknown."""
    import shapely

    if len(geometry.columns) == 1:
        values = frame[geometry.columns[0]].to_numpy(dtype=object)
        known = np.array(
            [isinstance(v, bytes | bytearray | memoryview) for v in values], dtype=bool
        )
        out = values.copy()
        if known.any():
            out[known] = shapely.from_wkb([bytes(v) for v in values[known]])
        return np.asarray(out, dtype=object)
    x, y = (frame[c].to_numpy(dtype=float) for c in geometry.columns)
    points = np.asarray(shapely.points(x, y), dtype=object)
    points[np.isnan(x) | np.isnan(y)] = None
    return points


def is_metric(crs: CRS) -> bool:
    """Whether both axes are in metres."""
    return bool(
        crs.is_projected
        and all(abs(a.unit_conversion_factor - 1) < 1e-9 for a in crs.axis_info[:2])
    )


def is_true_scale(crs: CRS, points: np.ndarray) -> bool:
    """Whether a metre of the map is one on the ground, to a hundredth, wherever the points lie.

    It is in UTM and in most national grids. A metre of Web Mercator is half of one at 60 degrees.

    Args:
        crs: Any.
        points: In this system, shape (n, 2); NaN are left out.
    """
    from pyproj import Proj

    known = points[np.isfinite(points).all(axis=1)]
    if not is_metric(crs) or not len(known):
        return is_metric(crs)
    low, high = known.min(axis=0), known.max(axis=0)
    corners = np.array([[x, y] for x in (low[0], high[0]) for y in (low[1], high[1])])
    places = np.vstack([corners, (low + high)[None] / 2])
    lon_lat = project(places, crs.to_wkt(), "EPSG:4326")
    inside = np.isfinite(lon_lat).all(axis=1)
    if not inside.any():
        return False
    factors = Proj(crs).get_factors(lon_lat[inside, 0], lon_lat[inside, 1])
    scales = np.array([factors.tissot_semimajor, factors.tissot_semiminor])
    return bool(np.isfinite(scales).all() and (np.abs(scales - 1) < 0.01).all())


def buffered(geometries: np.ndarray, crs: str, distance: float) -> np.ndarray:
    """Geometries grown by metres on the ground (shrunk by negative ones), in their own CRS.

    Where the CRS is not in true metres (feet, degrees, Web Mercator, ...) each is grown in an
    azimuthal plane around the middle of its neighbourhood, a degree wide.
    """
    import shapely
    from pyproj import CRS

    system = CRS.from_user_input(crs)
    places = positions(geometries)
    # Wide ones could reach to where the scale of the map is another.
    bounds = shapely.bounds(geometries).reshape(-1, 2)
    if is_true_scale(system, bounds):
        return np.asarray(shapely.buffer(geometries, distance), dtype=object)
    lon_lat = places if system.is_geographic else project(places, crs, "EPSG:4326")
    cells = np.floor(lon_lat)
    made = np.array(geometries, dtype=object)
    # Off the globe there are no metres: nothing is left, rather than an outline without its buffer.
    made[np.isnan(lon_lat).any(axis=1)] = shapely.Polygon()
    for cell in np.unique(cells, axis=0):
        members = np.flatnonzero((cells == cell).all(axis=1))
        if not len(members):  # NaN: no place on the globe
            continue
        middle = lon_lat[members].mean(axis=0)
        local = _azimuthal(middle[0], middle[1])
        there = reproject(_dense(geometries[members], system), crs, local)
        made[members] = reproject(shapely.buffer(there, distance), local, crs)
    return made


def _dense(geometries: np.ndarray, crs: CRS) -> np.ndarray:
    """Long edges in pieces: what is straight on one map bends on another."""
    import shapely

    longest = 0.05 if crs.is_geographic else 5_000 / crs.axis_info[0].unit_conversion_factor
    return np.asarray(shapely.segmentize(geometries, longest), dtype=object)


def _azimuthal(lon: float, lat: float) -> str:
    """A plane in metres around a place."""
    return f"+proj=aeqd +lat_0={lat:.6f} +lon_0={lon:.6f} +datum=WGS84 +units=m"


def positions(geometries: np.ndarray) -> np.ndarray:
    """One point a geometry, shape (n, 2): itself, or the middle (centroid) of a line or area."""
    import shapely

    middle = shapely.centroid(geometries)
    return np.column_stack([shapely.get_x(middle), shapely.get_y(middle)])


def project(points: np.ndarray, source: str, target: str) -> np.ndarray:
    """Points of shape (n, 2), x before y, from one CRS into another."""
    from pyproj import Transformer

    x, y = Transformer.from_crs(source, target, always_xy=True).transform(
        points[:, 0], points[:, 1]
    )
    return np.column_stack([x, y])


def reproject(geometries: np.ndarray, source: str, target: str) -> np.ndarray:
    """Geometries from one CRS into another."""
    import shapely

    if source == target:
        return geometries
    return np.asarray(
        shapely.transform(geometries, lambda p: project(p, source, target)), dtype=object
    )


def metres(points: np.ndarray, crs: str) -> np.ndarray:
    """Coordinates between which straight distances are metres.

    In a projected CRS in true metres they are the points themselves, so that pixel centres keep
    their exact spacing; elsewhere geocentric x, y, z on WGS 84 (shape (n, 3)): the chord is shorter
    than the arc by less than 1e-6 up to 30 km, anywhere on Earth.
    """
    from pyproj import CRS, Transformer

    system = CRS.from_user_input(crs)
    if is_true_scale(system, points):
        return points
    lon_lat = points if system.is_geographic else project(points, crs, "EPSG:4326")
    transformer = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    x, y, z = transformer.transform(lon_lat[:, 0], lon_lat[:, 1], np.zeros(len(points)))
    return np.column_stack([x, y, z])


def planar(geometries: np.ndarray, crs: str) -> np.ndarray:
    """Geometries in a plane in metres: their own if true, else azimuthal around their middle."""
    import shapely
    from pyproj import CRS, Transformer

    if is_true_scale(CRS.from_user_input(crs), positions(geometries)):
        return geometries
    middle = project(np.nanmean(positions(geometries), axis=0, keepdims=True), crs, "EPSG:4326")[0]
    local = _azimuthal(middle[0], middle[1])
    transformer = Transformer.from_crs(crs, local, always_xy=True)

    def move(points: np.ndarray) -> np.ndarray:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return np.asarray(shapely.transform(geometries, move), dtype=object)


def to_pandas(table: pa.Table, geometry: RowGeometry | None) -> pd.DataFrame:
    """A DataFrame; a GeoDataFrame where the WKB geometry is among the columns."""
    frame = exact_frame(table)
    if geometry is not None and len(geometry.columns) == 1 and geometry.columns[0] in frame.columns:
        import geopandas as gpd

        name = geometry.columns[0]
        frame[name] = gpd.GeoSeries.from_wkb(frame[name], crs=geometry.crs)
        located: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=name, crs=geometry.crs)
        return located
    return frame


def exact_frame(table: pa.Table) -> pd.DataFrame:
    """A DataFrame without a value that float64 would change.

    pandas reads whole numbers with missing ones among them as float64, which is exact up to 2^53;
    columns with larger ones become its own ``Int64`` or ``UInt64``. In lists and structs they stay
    whole beside None. Arrays of one shape are NumPy arrays of that shape.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    frame: pd.DataFrame = table.to_pandas()
    for name, column in zip(table.column_names, table.columns, strict=True):
        cells = arrays.cells_of(column)
        if cells is not None:
            frame[name] = pd.Series(cells, dtype=object)
        if not pa.types.is_integer(column.type) or not column.null_count:
            continue
        ends = pc.min_max(column).as_py()
        if ends["max"] is not None and max(ends["max"], -ends["min"]) > EXACT:
            whole = pd.Int64Dtype() if pa.types.is_signed_integer(column.type) else pd.UInt64Dtype()
            frame[name] = pd.array(column.to_pylist(), dtype=whole)
    return frame
