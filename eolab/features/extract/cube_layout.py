"""What extraction needs to know of a cube: its bands, times, grid and scenes; and labels on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError, nearest
from eolab.features.extract.layer_facts import layer_facts
from eolab.features.frame_attrs import CUBE, ITEMS, LAYERS
from eolab.features.geometry import crs_text
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr
    from affine import Affine


class DroppedWarning(UserWarning):
    """Zones or labels that gave no row, with the reason."""


def inside(
    labels: gpd.GeoDataFrame,
    crs: object,
    cube: xr.Dataset,
    transform: Affine,
    columns: Sequence[str],
    what: str,
) -> gpd.GeoDataFrame:
    """The shapes inside the cube, in its CRS, with these columns."""
    import geopandas as gpd
    import shapely

    if not isinstance(labels, gpd.GeoDataFrame):
        raise InvalidInputError(
            f"the {what} are a {type(labels).__name__}",
            "Give a GeoDataFrame, for example geopandas.read_file(...).",
        )
    for column in columns:
        if column not in labels.columns:
            raise InvalidInputError(
                f"the {what} have no column {column!r}",
                nearest(column, [str(c) for c in labels.columns], "columns"),
            )
    if labels.crs is None:
        raise InvalidInputError(
            f"the {what} have no coordinate reference system", "Set it: .set_crs('EPSG:...')."
        )
    _check_degrees(labels, what)
    placed = labels[[*columns, labels.geometry.name]].to_crs(crs)
    nothing = placed.geometry.isna() | placed.geometry.is_empty
    placed = placed[~nothing]
    height, width = cube.sizes["y"], cube.sizes["x"]
    corners = [
        (transform.c + col * transform.a, transform.f + row * transform.e)
        for col, row in ((0, 0), (width, 0), (width, height), (0, height))
    ]
    within = placed.intersects(shapely.Polygon(corners))
    if not within.any():
        raise InvalidInputError(
            f"none of the {len(labels)} {what} lies inside the scenes",
            f"The scenes cover {_bounds(corners)} in {crs_text(crs)}, "
            f"the {what} {_bounds_of(placed)}. Search another area.",
        )
    left_out = [
        (int((~within).sum()), "lie outside the scenes"),
        (int(nothing.sum()), "have no geometry"),
    ]
    messages = [f"{number} of {len(labels)} {what} {why}" for number, why in left_out if number]
    if messages:
        warn("; ".join(messages), DroppedWarning)
    return placed[within]


def _check_degrees(labels: gpd.GeoDataFrame, what: str) -> None:
    """Raises: InvalidInputError: Metres that are said to be degrees."""
    if not labels.crs.is_geographic:
        return
    west, south, east, north = labels.total_bounds
    if max(abs(west), abs(east)) > 540 or max(abs(south), abs(north)) > 91:
        raise InvalidInputError(
            f"the {what} are in {crs_text(labels.crs)}, whose coordinates are degrees, and reach "
            f"x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}",
            "Say the system that they are in: .set_crs('EPSG:...', allow_override=True).",
        )


def _bounds(corners: Sequence[tuple[float, float]]) -> str:
    xs, ys = zip(*corners, strict=True)
    return f"x {min(xs):.6g} to {max(xs):.6g}, y {min(ys):.6g} to {max(ys):.6g}"


def _bounds_of(placed: gpd.GeoDataFrame) -> str:
    west, south, east, north = placed.total_bounds
    return f"x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}"


def layout(cube: xr.Dataset) -> tuple[tuple[str, ...], np.ndarray, Affine, object]:
    """Bands, times (naive, UTC; empty where there are none), affine transform and CRS of a cube.

    The times of a composite are the ends of its periods.
    """
    import odc.geo.xr  # noqa: F401  (registers .odc)

    bands = tuple(str(b) for b in cube.data_vars if {"y", "x"} <= set(cube[b].dims))
    if not bands:
        raise InvalidInputError(
            f"the cube has no band with dimensions y and x (it has {dict(cube.sizes)})",
            "Give what eolab.load returned.",
        )
    geobox = cube.odc.geobox
    if geobox is None or geobox.crs is None:
        raise InvalidInputError(
            "the cube has no coordinate reference system",
            "Set it: cube.odc.assign_crs('EPSG:...'), or load it with crs=.",
        )
    for name in ("y", "x"):
        if name in cube.coords:
            check_even(cube[name].to_numpy(), name)
    if abs(geobox.transform.b) > 1e-12 or abs(geobox.transform.d) > 1e-12:
        raise InvalidInputError(
            "the cube's grid is rotated", "Load it on an upright grid: crs=, resolution=."
        )
    # What was made of a span of time is known at its end, so that is its event time.
    when = "time_end" if "time_end" in cube.coords else "time"
    times = cube[when].to_numpy() if "time" in cube.dims else np.array([], "datetime64[ns]")
    return bands, times, geobox.transform, geobox.crs.proj


def known_numbers(band: xr.DataArray, *dims: str) -> np.ndarray:
    """A band as real numbers, NaN where nothing was seen, with its dimensions in this order.

    The nodata of a cube of stored numbers (``raw=True``) is no number; whole numbers of 32 bits
    keep their digits.
    """
    values = band.transpose(*dims).to_numpy()
    small = values.dtype.itemsize <= (4 if values.dtype.kind == "f" else 2)
    numbers = values.astype(np.float32 if small else np.float64)
    nodata = band.attrs.get("nodata")
    if nodata is not None and not np.isnan(nodata):
        numbers[values == nodata] = np.nan
    return numbers


def check_even(axis: np.ndarray, name: str) -> None:
    """Raises: InvalidInputError: The steps of an axis differ by more than a hundredth."""
    if len(axis) < 3 or axis.dtype.kind not in "fiu":
        return
    values = axis.astype(np.float64)
    step = (values[-1] - values[0]) / (len(values) - 1)
    off = np.abs(values - np.linspace(values[0], values[-1], len(values))).max()
    rounding = np.finfo(axis.dtype).eps * np.abs(values).max() if axis.dtype.kind == "f" else 0.0
    if off > 0.01 * abs(step) + 4 * rounding:
        raise InvalidInputError(
            f"the steps of the axis {name!r} differ: pixels would move by up to {off:.3g}",
            "Bring the cube to an even grid first, for example with cube.interp(...).",
        )


def origin(cube: xr.Dataset) -> dict[str, object]:
    """What a frame notes of the cube that its rows were made from (see `frame_attrs`)."""
    facts = layer_facts(cube).to_dict()
    return {ITEMS: scenes(cube), CUBE: recipe(cube), **({LAYERS: facts} if facts else {})}


def recipe(cube: xr.Dataset) -> str:
    """A name for a cube: its bands and dates, and a number made of its scenes, times and grid.

    Equal for cubes of the same recipe, whatever their masks and values.
    """
    bands, times, transform, crs = layout(cube)
    size = cube.sizes["y"], cube.sizes["x"]
    # In units and digits that do not depend on who read the scenes.
    moments = times.astype("datetime64[us]").astype("int64").tolist()
    grid = tuple(round(number, 6) for number in transform)
    parts = (bands, moments, grid, crs_text(crs), size)
    digest = hashlib.sha256(repr((parts, scenes(cube))).encode()).digest()
    number = int.from_bytes(digest[:8], "big") % 10**10
    shown = ", ".join(bands[:4]) + (", ..." if len(bands) > 4 else "")
    dates = f", {len(times)} dates" if len(times) else ""
    return f"{shown}{dates}, {size[1]} x {size[0]} pixels, {number:010d}"


def scenes(cube: xr.Dataset) -> list[str]:
    """The scenes of a cube; a date that several were merged into names them with commas between."""
    if "item_id" not in cube.coords:
        return []
    names = (
        n for value in np.atleast_1d(cube["item_id"].to_numpy()) for n in str(value).split(",")
    )
    return sorted({n.strip() for n in names if n.strip()})
