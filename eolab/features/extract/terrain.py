"""What an elevation model says of each pixel: slope and the direction it faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError, nearest
from eolab.features.extract.cube_layout import known_numbers, layout
from eolab.features.geometry import crs_text, is_true_scale

if TYPE_CHECKING:
    import xarray as xr


def terrain(cube: xr.Dataset, band: str = "elevation") -> xr.Dataset:
    """Slope and aspect by Horn's third-order differences over 3 x 3 pixels.

    Horn 1981, Proceedings of the IEEE 69, 14-47; the same as `gdaldem slope` and `gdaldem aspect`.

    Args:
        cube: (y, x), in a CRS in metres, with an elevation in metres.
        band: Its name.

    Returns:
        ``slope`` (degrees, 0 is flat), and ``northness`` and ``eastness``: cosine and sine of the
        direction that the slope faces, so that 359 and 1 degree are neighbours; both are 0 where
        it is flat. float32; NaN at the edge and beside missing pixels.

    Raises:
        InvalidInputError: No such band, one with time, or a CRS in other units than metres.
    """
    from pyproj import CRS

    bands, _, transform, crs = layout(cube)
    if band not in bands:
        raise InvalidInputError(
            f"no band {band!r} in the cube", nearest(band, list(bands), "bands")
        )
    if set(cube[band].dims) != {"y", "x"}:
        raise InvalidInputError(
            f"{band!r} has the dimensions {cube[band].dims}", "Give one elevation a pixel."
        )
    ends = np.array([(0, 0), (cube.sizes["x"], cube.sizes["y"])])
    corners = np.column_stack([
        transform.c + transform.a * ends[:, 0], transform.f + transform.e * ends[:, 1]
    ])  # fmt: skip
    if not is_true_scale(CRS.from_user_input(crs), corners):
        raise InvalidInputError(
            f"slopes need a CRS in metres, and true ones here ({crs_text(crs)} has none)",
            "Load the elevation with crs='EPSG:326..' of its zone.",
        )
    z = known_numbers(cube[band], "y", "x").astype(np.float64)
    east, north = np.full(z.shape, np.nan), np.full(z.shape, np.nan)
    if min(z.shape) >= 3:
        rows = {-1: slice(0, -2), 0: slice(1, -1), 1: slice(2, None)}
        weight = {-1: 1.0, 0: 2.0, 1: 1.0}
        inner = (slice(1, -1), slice(1, -1))
        # Rises by metre along the axes of the grid, then of the Earth: rows mostly go south.
        east[inner] = sum(
            weight[r] * (z[rows[r], rows[1]] - z[rows[r], rows[-1]]) for r in rows
        ) / (8 * transform.a)
        north[inner] = sum(
            weight[c] * (z[rows[1], rows[c]] - z[rows[-1], rows[c]]) for c in rows
        ) / (8 * transform.e)
    steep = np.hypot(east, north)
    safe = np.where(steep > 0, steep, 1.0)
    layers = {
        "slope": np.degrees(np.arctan(steep)),
        # It faces downhill.
        "northness": -north / safe,
        "eastness": -east / safe,
    }
    made = cube[[band]].drop_vars(band)
    for name, values in layers.items():
        made[name] = cube[band].transpose("y", "x").copy(data=values.astype(np.float32))
    return made
