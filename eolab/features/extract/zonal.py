"""Statistics of a cube by zone, with exact shares of the pixels on the border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.argument_checks import checked
from eolab.errors import InvalidInputError, nearest
from eolab.features.extract.cube_layout import (
    DroppedWarning,
    inside,
    known_numbers,
    layout,
    origin,
)
from eolab.features.geometry import buffered, crs_text
from eolab.progress import track
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from affine import Affine

STATS = (
    "mean",
    "median",
    "min",
    "max",
    "std",
    "stdev",
    "variance",
    "sum",
    "majority",
    "minority",
    "coefficient_of_variation",
)
# A statistic of exactextract with its options.
Operation = tuple[str, dict[str, float]]
_SUM: Operation = ("sum", {})
# What one pass holds of the cube, so that a long season never has to fit in memory at once.
PASS_BYTES = 128 * 2**20


@checked
def zonal(
    cube: xr.Dataset,
    zones: gpd.GeoDataFrame,
    *,
    id: str = "parcel_id",
    stats: Sequence[str] = ("median",),
    buffer: float = 0.0,
    min_pixels: float = 1,
) -> pd.DataFrame:
    """Statistics of each band by zone and date, with exact shares of the pixels on the border.

    Args:
        cube: (time, y, x) or (y, x), NaN where nothing was seen.
        zones: Polygons with a CRS; they are converted to the cube's.
        id: Column that names a zone.
        stats: "mean", "median", "min", "max", "std", "sum", "q25" (any quantile), ... of the
            valid pixels, weighted by the share of a pixel that is inside. "std" is the standard
            deviation of the pixels as a whole; "stdev" is the same under another column's name.
        buffer: Metres by which zones grow; negative shrinks them, away from mixed border pixels.
        min_pixels: Rows with fewer clear pixels are left out.

    Returns:
        One row a zone and date: ``id``, ``time`` (UTC; where the cube has times),
        ``<band>_<stat>``, ``count`` (pixels clear in all bands), ``clear`` (their share of the
        whole zone, 0..1, also where the cube ends within it).

    Raises:
        InvalidInputError: No CRS, unknown statistic, zones without an id or an area, no zone inside
            the cube.
    """
    _, _, transform, crs = layout(cube)
    ops = operations(stats)
    placed = measurable(zones, id, crs, buffer, cube, transform)
    rows = measured(cube, placed, id, ops, min_pixels)
    if rows.empty:
        raise InvalidInputError(
            f"no zone has {min_pixels:g} clear pixels at any date",
            "Lower min_pixels, shrink the buffer, or load more dates.",
        )
    lost = len(placed) - rows[id].nunique()
    if lost:
        warn(
            f"{lost} of {len(placed)} zones have no date with {min_pixels:g} clear pixels",
            DroppedWarning,
        )
    keys = [id, *(["time"] if "time" in rows else [])]
    rows = rows.sort_values(keys, ignore_index=True)
    rows.attrs.update(origin(cube))
    return rows


def measured(
    cube: xr.Dataset,
    placed: gpd.GeoDataFrame,
    id: str,
    ops: Mapping[str, Operation],
    min_pixels: float,
) -> pd.DataFrame:
    """The rows of zones from `measurable`, in no order; a few dates in memory at a time."""
    import pandas as pd

    bands, times, transform, _ = layout(cube)
    size = cube.sizes["y"] * cube.sizes["x"] * 4 * (len(bands) + 1)
    step = max(1, int(PASS_BYTES // size))
    whole: np.ndarray | None = None
    slices = [
        slice(i, min(i + step, max(len(times), 1))) for i in range(0, max(len(times), 1), step)
    ]
    parts = []
    for part in track(slices, "Statistics by zone"):
        found, whole = _pass(cube, bands, times, part, placed, id, ops, transform, whole)
        parts.append(found)
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["count"] >= max(float(min_pixels), 1e-9)]


def operations(stats: Sequence[str] | str) -> dict[str, Operation]:
    """The statistics by name, each once.

    Raises:
        InvalidInputError: An unknown one.
    """
    return {s: _operation(s) for s in dict.fromkeys([stats] if isinstance(stats, str) else stats)}


def _operation(stat: str) -> Operation:
    if stat == "std":
        return "stdev", {}
    if stat in {*STATS, "count"}:
        return stat, {}
    if stat.startswith("q") and stat[1:].isdigit() and 0 <= int(stat[1:]) <= 100:
        return "quantile", {"q": int(stat[1:]) / 100}
    raise InvalidInputError(
        f"unknown statistic {stat!r}", nearest(stat, [*STATS, "count", "q25", "q75"], "statistics")
    )


def measurable(
    zones: gpd.GeoDataFrame,
    name: str,
    crs: object,
    buffer: float,
    cube: xr.Dataset,
    transform: Affine,
) -> gpd.GeoDataFrame:
    """The zones as they are measured: in the cube's CRS, inside the cube, buffered."""
    import geopandas as gpd

    placed = inside(zones, crs, cube, transform, [name], "zones")
    column = placed[name]
    if column.isna().any():
        raise InvalidInputError(
            f"{int(column.isna().sum())} zones have no {name!r}",
            f"Drop them: zones.dropna(subset=[{name!r}]).",
        )
    if column.duplicated().any():
        raise InvalidInputError(
            f"the zone {column[column.duplicated()].iloc[0]!r} is there twice",
            f"Dissolve first: zones.dissolve({name!r}).",
        )
    placed = placed.set_geometry(_polygons(placed.geometry.to_numpy()), crs=placed.crs)
    if buffer:
        moved = buffered(placed.geometry.to_numpy(), crs_text(crs), buffer)
        placed = placed.set_geometry(gpd.GeoSeries(moved, index=placed.index, crs=placed.crs))
        vanished = placed.geometry.is_empty
        if vanished.any():
            warn(
                f"{int(vanished.sum())} of {len(placed)} zones vanish with buffer={buffer:g} m",
                DroppedWarning,
            )
            placed = placed[~vanished]
        if placed.empty:
            raise InvalidInputError(
                f"every zone vanishes with buffer={buffer:g} m", "Take a smaller one."
            )
    return _with_area(placed, name).reset_index(drop=True)


def _polygons(shapes: np.ndarray) -> np.ndarray:
    """Of collections the polygons: overlays and repairs leave lines and points beside them."""
    import shapely

    crossing = ~shapely.is_valid(shapes)
    shapes = np.where(crossing, shapely.make_valid(shapes), shapes)
    mixed = shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION
    for number in np.flatnonzero(mixed):
        parts = shapely.get_parts(shapes[number])
        whole = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
        # What has none may get an area by a buffer.
        shapes[number] = shapely.union_all(parts) if whole.is_empty else whole
    return np.asarray(shapes, dtype=object)


def _with_area(placed: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """The zones that have one; others are named in a warning.

    Raises:
        InvalidInputError: None has.
    """
    import shapely

    flat = shapely.get_dimensions(placed.geometry.to_numpy()) < 2
    if flat.all():
        raise InvalidInputError(
            "the zones have no area: they are lines or points",
            "Give them one with buffer=, or take sample() for points.",
        )
    if flat.any():
        some = ", ".join(repr(v) for v in placed[name][flat][:3].tolist())
        warn(
            f"{int(flat.sum())} of {len(placed)} zones have no area, being lines or points: "
            f"{some}{', ...' if flat.sum() > 3 else ''}",
            DroppedWarning,
        )
    return placed[~flat]


def _pass(
    cube: xr.Dataset,
    bands: Sequence[str],
    times: np.ndarray,
    part: slice,
    zones: gpd.GeoDataFrame,
    name: str,
    ops: Mapping[str, Operation],
    transform: Affine,
    whole: np.ndarray | None,
) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows of some dates, and the size of each zone in pixels, shape (zones,).

    One call for all layers finds the shares of pixels once; ``whole`` is known after the first.
    """
    import pandas as pd

    block = cube[list(bands)]
    block = block.isel(time=part) if len(times) else block.expand_dims("time")
    values = [known_numbers(block[b], "time", "y", "x") for b in bands]
    count = values[0].shape[0]
    clear = np.logical_and.reduce([np.isfinite(v) for v in values])
    layers = {
        f"{t}_{i}": (values[i][t], {f"{t}_{i}_{stat}": op for stat, op in ops.items()})
        for t in range(count)
        for i in range(len(bands))
    }
    for t in range(count):
        layers[f"{t}"] = clear[t].astype(np.float32), {f"{t}_clear": _SUM}
    if whole is None:
        layers["all"] = np.ones(clear.shape[1:], np.float32), {"whole": _SUM}
    measures = _measure(layers, zones, name, transform)
    if whole is None:
        whole = _whole(measures["whole"].to_numpy(dtype=float), zones, clear.shape[1:], transform)
    out = []
    for t in range(count):
        pixels = measures[f"{t}_clear"].to_numpy(dtype=float)
        rows: dict[str, object] = {name: zones[name].to_numpy()}
        if len(times):
            rows["time"] = pd.Series(times[part][t], index=range(len(zones))).dt.tz_localize("UTC")
        for i, band in enumerate(bands):
            for stat in ops:
                rows[f"{band}_{stat}"] = measures[f"{t}_{i}_{stat}"].to_numpy(dtype=np.float64)
        rows["count"] = pixels
        with np.errstate(divide="ignore", invalid="ignore"):
            rows["clear"] = np.where(whole > 0, np.clip(pixels / whole, 0, 1), 0.0)
        out.append(pd.DataFrame(rows))
    return pd.concat(out, ignore_index=True), whole


def _whole(
    seen: np.ndarray, zones: gpd.GeoDataFrame, shape: tuple[int, ...], transform: Affine
) -> np.ndarray:
    """Pixels of each whole zone: those in the cube, and of what reaches beyond it the area."""
    x = np.sort([transform.c, transform.c + shape[1] * transform.a])
    y = np.sort([transform.f, transform.f + shape[0] * transform.e])
    west, south, east, north = zones.bounds.to_numpy().T
    beyond = (west < x[0]) | (east > x[1]) | (south < y[0]) | (north > y[1])
    return np.where(beyond, zones.area.to_numpy() / abs(transform.a * transform.e), seen)


def _measure(
    layers: Mapping[str, tuple[np.ndarray, Mapping[str, Operation]]],
    zones: gpd.GeoDataFrame,
    name: str,
    transform: Affine,
) -> pd.DataFrame:
    """One row a zone, in their order, with a column for each figure of each layer."""
    from exactextract import exact_extract, operation
    from exactextract.raster import NumPyRasterSource

    height, width = next(iter(layers.values()))[0].shape
    x0, y0 = transform.c, transform.f
    x1, y1 = x0 + width * transform.a, y0 + height * transform.e
    wkt = zones.crs.to_wkt()
    sources, operations = [], []
    for key, (layer, measures) in layers.items():
        # Rows from north to south and columns from west to east, as exactextract reads them.
        upright = layer[:: -1 if y1 > y0 else 1, :: -1 if x1 < x0 else 1]
        source = NumPyRasterSource(
            np.ascontiguousarray(upright),
            min(x0, x1),
            min(y0, y1),
            max(x0, x1),
            max(y0, y1),
            nodata=np.nan,
            name=key,
            srs_wkt=wkt,
        )
        sources.append(source)
        for field, (stat, options) in measures.items():
            operations.append(operation.Operation(stat, field, source, options=options))
    found: pd.DataFrame = exact_extract(
        sources, zones, operations, include_cols=[name], output="pandas"
    )
    # By position: exactextract writes a quantile's number behind the name that it was given.
    return found.set_axis([name, *(f for _, measures in layers.values() for f in measures)], axis=1)
