"""What a pixel of a grid covers on the ground, in hectares, row by row.

A degree of longitude is shorter in the north, and a metre of Web Mercator is half a metre in
Vienna: there pixels of one grid are not equal, and counts of pixels are no areas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS

SQUARE_METRES = 1e4  # of a hectare
NEARLY_EQUAL = 0.01
"""By how much a projection's area may be off (UTM: 0.1 to 0.2 %) and be taken at its word."""


def row_hectares(transform: Affine, shape: tuple[int, int], crs: CRS) -> np.ndarray:
    """Hectares of one pixel of each row, shape (rows,).

    - Degrees: the area between two meridians and two parallels on the ellipsoid of ``crs``.
    - Cylindrical projections (Web Mercator, Plate Carrée): the same, between the meridians and
      parallels into which the pixel's edges turn.
    - Other projections, true to area within 1 % over the map: the pixel's size in the grid.

    Args:
        transform: Of the grid, without rotation.
        shape: Rows and columns.
        crs: Its reference system, geographic or projected.

    Raises:
        InvalidInputError: The pixels of a row differ in area.
    """
    rows, columns = shape
    edges = transform.f + transform.e * np.arange(rows + 1)
    if crs.is_geographic:
        unit = _unit(crs)
        return _band_areas(edges * unit, abs(transform.a) * unit, crs)
    cylinder = _cylindrical(edges, transform, columns, crs)
    if cylinder is not None:
        latitudes, width = cylinder
        return _band_areas(latitudes, width, crs)
    unit = _unit(crs)
    low, high = _areal_scales(transform, shape, crs)
    if not (low > 1 - NEARLY_EQUAL and high < 1 + NEARLY_EQUAL):
        raise InvalidInputError(
            f"pixels of this map in {_name(crs)} are not of one area: the projection shows "
            f"{low:.3g} to {high:.3g} times the area on the ground",
            "Warp the map to an equal-area system (gdalwarp -r near -t_srs EPSG:6933), or to the "
            "grid in which it was made.",
        )
    return np.full(rows, abs(transform.a * transform.e) * unit**2 / SQUARE_METRES)


def _name(crs: CRS) -> str:
    authority = crs.to_authority()
    return ":".join(authority) if authority else str(crs.name)


def _unit(crs: CRS) -> float:
    """Radians or metres of one unit of the system's axes."""
    return float(crs.axis_info[0].unit_conversion_factor) if crs.axis_info else 1.0


def _band_areas(latitudes: np.ndarray, width: float, crs: CRS) -> np.ndarray:
    """Hectares between neighbouring parallels, over ``width`` radians of longitude.

    Snyder 1987 (Map projections: a working manual), eq. 3-12, gives q, whose differences are areas
    on the ellipsoid: S = a^2 / 2 * width * (q2 - q1).
    """
    ellipsoid = crs.ellipsoid or crs.get_geod()
    a = float(getattr(ellipsoid, "semi_major_metre", getattr(ellipsoid, "a", 6378137.0)))
    b = float(getattr(ellipsoid, "semi_minor_metre", getattr(ellipsoid, "b", 6356752.314245)))
    squared = 1 - (b / a) ** 2
    sine = np.sin(np.clip(latitudes, -np.pi / 2, np.pi / 2))
    if squared < 1e-14:
        q = 2 * sine
    else:
        e = np.sqrt(squared)
        q = (1 - squared) * (sine / (1 - squared * sine**2) + np.arctanh(e * sine) / e)
    return np.asarray(np.abs(np.diff(q)) * a**2 / 2 * width / SQUARE_METRES)


def _cylindrical(
    edges: np.ndarray, transform: Affine, columns: int, crs: CRS
) -> tuple[np.ndarray, float] | None:
    """Latitudes of the rows' edges and a pixel's width, in radians, of a cylindrical projection.

    None where latitude does not go by y alone, or longitude not in equal steps along x.
    """
    from pyproj import Transformer

    base = crs.geodetic_crs
    if base is None:
        return None
    back = Transformer.from_crs(crs, base, always_xy=True)
    x = transform.c + transform.a * np.linspace(0, columns, 9)
    some = edges[np.unique(np.linspace(0, edges.size - 1, 9).astype(int))]
    lon, lat = back.transform(*np.meshgrid(x, some))
    lon, lat = np.asarray(lon), np.asarray(lat)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    steps = np.diff(np.unwrap(lon, period=360, axis=1), axis=1)
    if np.ptp(lat, axis=1).max() > 1e-9 or np.ptp(steps) > 1e-9:
        return None
    _, latitudes = back.transform(np.full(edges.size, x[4]), edges)
    unit = np.pi / 180
    return np.asarray(latitudes) * unit, float(abs(steps.sum(axis=1)[0])) / columns * unit


def _areal_scales(transform: Affine, shape: tuple[int, int], crs: CRS) -> tuple[float, float]:
    """Least and largest area that the projection shows of an area on the ground, over the map."""
    from pyproj import Proj

    rows, columns = shape
    x = transform.c + transform.a * np.linspace(0, columns, 9)
    y = transform.f + transform.e * np.linspace(0, rows, 9)
    projection = Proj(crs)
    across, down = np.meshgrid(x, y)
    lon, lat = projection(across.ravel(), down.ravel(), inverse=True)
    lon, lat = np.asarray(lon), np.asarray(lat)
    on_globe = np.isfinite(lon) & np.isfinite(lat)
    if not on_globe.any():
        raise InvalidInputError(
            f"the map's grid lies outside of {_name(crs)}",
            "See whether its reference system and transform belong together.",
        )
    scale = projection.get_factors(lon[on_globe], lat[on_globe]).areal_scale
    return float(np.min(scale)), float(np.max(scale))
