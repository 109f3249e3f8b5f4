"""From cubes to rows: statistics by zone, and pixels inside labelled shapes.

A cube is an xarray Dataset (time, y, x) with a CRS, as `eolab.load` gives it: float, NaN where
nothing was seen. The scenes of its ``item_id`` coordinate travel in ``frame.attrs`` and become the
origin of the commit that inserts the rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import BadInput, nearest
from eolab.features.geometry import CRS_ATTR, PIXELS, crs_text, is_metric
from eolab.features.group import ITEMS
from eolab.progress import track

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from affine import Affine
    from pyproj import CRS

STATS = (
    "mean",
    "median",
    "min",
    "max",
    "stdev",
    "variance",
    "sum",
    "majority",
    "minority",
    "coefficient_of_variation",
)
# What one pass holds of the cube, so that a long season never has to fit in memory at once.
_PASS_BYTES = 128 * 2**20


class Dropped(UserWarning):
    """Zones or labels that gave no row, with the reason."""


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
        stats: "mean", "median", "min", "max", "stdev", "sum", "q25" (any quantile), ... of the
            valid pixels, weighted by the share of a pixel that is inside.
        buffer: Metres by which zones grow; negative shrinks them, away from mixed border pixels.
        min_pixels: Rows with fewer clear pixels are left out.

    Returns:
        One row a zone and date: ``id``, ``time`` (UTC; where the cube has times),
        ``<band>_<stat>``, ``count`` (pixels clear in all bands), ``clear`` (their share of the
        zone, 0..1).

    Raises:
        BadInput: No CRS, unknown statistic, zones without an id, no zone inside the cube.
    """
    import pandas as pd

    bands, times, transform, crs = _layout(cube)
    ops = {
        s: _operation(s)
        for s in dict.fromkeys(
            ["median"]
            if isinstance(stats, str) and stats == "median"
            else [stats]
            if isinstance(stats, str)
            else stats
        )
    }
    placed = _zones(zones, id, crs, buffer, cube, transform)
    size = cube.sizes["y"] * cube.sizes["x"] * 4 * (len(bands) + 1)
    step = max(1, int(_PASS_BYTES // size))
    whole = _pixel_counts(cube, placed, id, transform)
    slices = [
        slice(i, min(i + step, max(len(times), 1))) for i in range(0, max(len(times), 1), step)
    ]
    parts = [
        _pass(cube, bands, times, part, placed, id, ops, transform, whole)
        for part in track(slices, "Statistics by zone")
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["count"] >= max(float(min_pixels), 1e-9)]
    if rows.empty:
        raise BadInput(
            f"no zone has {min_pixels:g} clear pixels at any date",
            "Lower min_pixels, shrink the buffer, or load more dates.",
        )
    lost = len(placed) - rows[id].nunique()
    if lost:
        warnings.warn(
            f"{lost} of {len(placed)} zones have no date with {min_pixels:g} clear pixels",
            Dropped,
            stacklevel=2,
        )
    keys = [id, *(["time"] if "time" in rows else [])]
    rows = rows.sort_values(keys, ignore_index=True)
    rows.attrs[ITEMS] = _items(cube)
    return rows


def _operation(stat: str) -> str:
    if stat in STATS:
        return stat
    if stat.startswith("q") and stat[1:].isdigit() and 0 <= int(stat[1:]) <= 100:
        return f"quantile(q={int(stat[1:]) / 100:g})"
    if stat == "count":
        return "count"
    raise BadInput(
        f"unknown statistic {stat!r}", nearest(stat, [*STATS, "count", "q25", "q75"], "statistics")
    )


def _zones(
    zones: gpd.GeoDataFrame,
    name: str,
    crs: object,
    buffer: float,
    cube: xr.Dataset,
    transform: Affine,
) -> gpd.GeoDataFrame:
    """The zones as they are measured: in the cube's CRS, inside the cube, buffered."""
    placed = _labels(zones, crs, cube, transform, [name], "zones")
    column = placed[name]
    if column.isna().any():
        raise BadInput(
            f"{int(column.isna().sum())} zones have no {name!r}",
            f"Drop them: zones.dropna(subset=[{name!r}]).",
        )
    if column.duplicated().any():
        raise BadInput(
            f"the zone {column[column.duplicated()].iloc[0]!r} is there twice",
            f"Dissolve first: zones.dissolve({name!r}).",
        )
    if buffer:
        from pyproj import CRS

        shape = placed.geometry
        if is_metric(CRS.from_user_input(crs)):
            moved = shape.buffer(buffer)
        else:
            moved = shape.to_crs(shape.estimate_utm_crs()).buffer(buffer).to_crs(placed.crs)
        placed = placed.set_geometry(moved)
        gone = placed.geometry.is_empty
        if gone.any():
            warnings.warn(
                f"{int(gone.sum())} of {len(placed)} zones vanish with buffer={buffer:g} m",
                Dropped,
                stacklevel=3,
            )
            placed = placed[~gone]
        if placed.empty:
            raise BadInput(f"every zone vanishes with buffer={buffer:g} m", "Take a smaller one.")
    return placed.reset_index(drop=True)


def _labels(
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
        raise BadInput(
            f"the {what} are a {type(labels).__name__}",
            "Give a GeoDataFrame, for example geopandas.read_file(...).",
        )
    for column in columns:
        if column not in labels.columns:
            raise BadInput(
                f"the {what} have no column {column!r}",
                nearest(column, [str(c) for c in labels.columns], "columns"),
            )
    if labels.crs is None:
        raise BadInput(
            f"the {what} have no coordinate reference system", "Set it: .set_crs('EPSG:...')."
        )
    placed = labels[[*columns, labels.geometry.name]].to_crs(crs)
    placed = placed[~(placed.geometry.isna() | placed.geometry.is_empty)]
    height, width = cube.sizes["y"], cube.sizes["x"]
    corners = [
        (transform.c + col * transform.a, transform.f + row * transform.e)
        for col, row in ((0, 0), (width, 0), (width, height), (0, height))
    ]
    inside = placed.intersects(shapely.Polygon(corners))
    if not inside.any():
        raise BadInput(
            f"none of the {len(labels)} {what} lies inside the scenes",
            f"The scenes cover {_bounds(corners)} in {crs_text(crs)}, "
            f"the {what} {_bounds_of(placed)}. Search another area.",
        )
    if not inside.all():
        warnings.warn(
            f"{int((~inside).sum())} of {len(labels)} {what} lie outside the scenes",
            Dropped,
            stacklevel=4,
        )
    return placed[inside]


def _bounds(corners: Sequence[tuple[float, float]]) -> str:
    xs, ys = zip(*corners, strict=True)
    return f"x {min(xs):.6g} to {max(xs):.6g}, y {min(ys):.6g} to {max(ys):.6g}"


def _bounds_of(placed: gpd.GeoDataFrame) -> str:
    west, south, east, north = placed.total_bounds
    return f"x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}"


def _pixel_counts(
    cube: xr.Dataset, zones: gpd.GeoDataFrame, name: str, transform: Affine
) -> np.ndarray:
    """Pixels (with shares) inside each zone, seen or not, shape (zones,)."""
    ones = np.ones((cube.sizes["y"], cube.sizes["x"]), np.float32)
    return np.asarray(
        _measure({"all": ones}, zones, name, ["sum"], transform)["sum"].to_numpy(), dtype=float
    )


def _pass(
    cube: xr.Dataset,
    bands: Sequence[str],
    times: np.ndarray,
    part: slice,
    zones: gpd.GeoDataFrame,
    name: str,
    ops: dict[str, str],
    transform: Affine,
    whole: np.ndarray,
) -> pd.DataFrame:
    """The rows of some dates: one call for all layers finds the shares of pixels once."""
    import pandas as pd

    block = cube[list(bands)]
    block = block.isel(time=part) if len(times) else block.expand_dims("time")
    values = [
        np.asarray(block[b].transpose("time", "y", "x").to_numpy(), dtype=np.float32) for b in bands
    ]
    count = values[0].shape[0]
    layers = {f"L{t}_{i}": values[i][t] for t in range(count) for i in range(len(bands))}
    clear = np.logical_and.reduce([np.isfinite(v) for v in values])
    figures = _measure(layers, zones, name, list(ops.values()), transform)
    seen = _measure(
        {f"C{t}_0": clear[t].astype(np.float32) for t in range(count)},
        zones,
        name,
        ["sum"],
        transform,
    )
    out = []
    for t in range(count):
        pixels = seen[f"C{t}_0_sum" if count > 1 else "sum"].to_numpy(dtype=float)
        rows: dict[str, object] = {name: zones[name].to_numpy()}
        if len(times):
            rows["time"] = pd.Series(times[part][t], index=range(len(zones))).dt.tz_localize("UTC")
        for i, band in enumerate(bands):
            for stat, op in ops.items():
                column = op if len(layers) == 1 else f"L{t}_{i}_{op}"
                rows[f"{band}_{stat}"] = figures[_column(figures, column)].to_numpy(
                    dtype=np.float64
                )
        rows["count"] = pixels
        with np.errstate(divide="ignore", invalid="ignore"):
            rows["clear"] = np.where(whole > 0, np.clip(pixels / whole, 0, 1), 0.0)
        out.append(pd.DataFrame(rows))
    return pd.concat(out, ignore_index=True)


def _column(frame: pd.DataFrame, wanted: str) -> str:
    # exactextract calls quantile(q=0.25) "quantile_25".
    if wanted in frame.columns:
        return wanted
    head, _, q = wanted.partition("quantile(q=")
    return f"{head}quantile_{round(float(q.rstrip(')')) * 100)}"


def _measure(
    layers: dict[str, np.ndarray],
    zones: gpd.GeoDataFrame,
    name: str,
    ops: list[str],
    transform: Affine,
) -> pd.DataFrame:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    first = next(iter(layers.values()))
    height, width = first.shape
    x0, y0 = transform.c, transform.f
    x1, y1 = x0 + width * transform.a, y0 + height * transform.e
    wkt = zones.crs.to_wkt()
    sources = []
    for key, layer in layers.items():
        # Rows from north to south and columns from west to east, as exactextract reads them.
        upright = layer[:: -1 if y1 > y0 else 1, :: -1 if x1 < x0 else 1]
        sources.append(
            NumPyRasterSource(
                np.ascontiguousarray(upright),
                min(x0, x1),
                min(y0, y1),
                max(x0, x1),
                max(y0, y1),
                nodata=np.nan,
                name=key,
                srs_wkt=wkt,
            )
        )
    found: pd.DataFrame = exact_extract(sources, zones, ops, include_cols=[name], output="pandas")
    return found


def pixels(
    cube: xr.Dataset, labels: gpd.GeoDataFrame, *, columns: Sequence[str] = ()
) -> pd.DataFrame:
    """The bands of each pixel inside the labelled shapes, by date.

    A pixel belongs to the shape that holds its centre; where shapes overlap, to the last one.
    Rows in which every band is NaN are left out.

    Args:
        cube: (time, y, x) or (y, x), NaN where nothing was seen.
        labels: Polygons or points with a CRS; they are converted to the cube's.
        columns: Columns of the shapes to carry along.

    Returns:
        One row a pixel and date: ``pixel_id`` (CRS and centre, the same in every cube on this
        grid), ``x``, ``y`` (centre in the cube's CRS), ``time`` (UTC), the bands, the columns.

    Raises:
        BadInput: No CRS, unknown column, no shape inside the cube or on a pixel's centre.
    """
    import pandas as pd

    bands, times, transform, crs = _layout(cube)
    places, row, column = _located(cube, labels, columns, transform, crs)
    frames = []
    for t in track(range(max(len(times), 1)), "Pixels"):
        layer = cube.isel(time=t) if len(times) else cube
        values = {
            b: np.asarray(layer[b].transpose("y", "x").to_numpy(), dtype=np.float32)[row, column]
            for b in bands
        }
        frame = pd.DataFrame(values)
        if len(times):
            frame.insert(
                0, "time", pd.Series(times[t], index=range(len(frame))).dt.tz_localize("UTC")
            )
        frame = pd.concat([places, frame], axis=1)
        frames.append(frame[frame[list(bands)].notna().any(axis=1)])
    rows = pd.concat(frames, ignore_index=True)
    order = ["pixel_id", "x", "y", *(["time"] if len(times) else []), *bands, *columns]
    rows = rows[order].sort_values(
        ["pixel_id", *(["time"] if len(times) else [])], ignore_index=True
    )
    if rows.empty:
        raise BadInput(
            "no pixel inside the labels was seen at any date", "Load more dates, or mask less."
        )
    rows.attrs.update({ITEMS: _items(cube), CRS_ATTR: crs_text(crs), PIXELS: True})
    return rows


def pixel_labels(
    cube: xr.Dataset, labels: gpd.GeoDataFrame, *, columns: Sequence[str]
) -> pd.DataFrame:
    """One row a pixel inside the labelled shapes: ``pixel_id``, ``x``, ``y`` and the columns.

    What `pixels` observes joins these on ``pixel_id``; insert them as the label group.
    """
    _, _, transform, crs = _layout(cube)
    places, _, _ = _located(cube, labels, columns, transform, crs)
    rows = places[["pixel_id", "x", "y", *columns]].sort_values("pixel_id", ignore_index=True)
    rows.attrs.update({CRS_ATTR: crs_text(crs), PIXELS: True})
    return rows


def _located(
    cube: xr.Dataset,
    labels: gpd.GeoDataFrame,
    columns: Sequence[str],
    transform: Affine,
    crs: object,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The pixels whose centre is in a shape, with their rows and columns in the cube."""
    import pandas as pd
    from rasterio.features import rasterize

    reserved = {"pixel_id", "x", "y", "time", *map(str, cube.data_vars)}
    for name in columns:
        if name in reserved:
            raise BadInput(
                f"the label column {name!r} has the name of a pixel column", "Rename it."
            )
    placed = _labels(labels, crs, cube, transform, list(columns), "labels")
    shape = (cube.sizes["y"], cube.sizes["x"])
    burnt = rasterize(
        zip(placed.geometry, range(1, len(placed) + 1), strict=True),
        out_shape=shape,
        transform=transform,
        dtype="int32",
    )
    row, column = np.nonzero(burnt)
    if not len(row):
        raise BadInput(
            "no label covers the centre of a pixel",
            "Load a finer resolution, or label larger shapes.",
        )
    x = transform.c + (column + 0.5) * transform.a
    y = transform.f + (row + 0.5) * transform.e
    code = crs_text(crs)
    head = code.partition(":")[2] if code.startswith("EPSG:") else "crs"
    # Centimetres (or 1e-7 degrees) name a centre the same in every cube on this grid.
    digits = 2 if is_metric(_crs(crs)) else 7
    ids = [f"{head}_{a:.{digits}f}_{b:.{digits}f}" for a, b in zip(x, y, strict=True)]
    places = pd.DataFrame({"pixel_id": ids, "x": x, "y": y})
    carried = placed[list(columns)].iloc[burnt[row, column] - 1].reset_index(drop=True)
    return pd.concat([places, pd.DataFrame(carried)], axis=1), row, column


def _crs(crs: object) -> CRS:
    from pyproj import CRS

    return CRS.from_user_input(crs)


def _layout(cube: xr.Dataset) -> tuple[tuple[str, ...], np.ndarray, Affine, object]:
    """Bands, times (naive, UTC; empty where there are none), affine transform and CRS of a cube."""
    import odc.geo.xr  # noqa: F401  (registers .odc)

    bands = tuple(str(b) for b in cube.data_vars if {"y", "x"} <= set(cube[b].dims))
    if not bands:
        raise BadInput(
            f"the cube has no band with dimensions y and x (it has {dict(cube.sizes)})",
            "Give what eolab.load returned.",
        )
    geobox = cube.odc.geobox
    if geobox is None or geobox.crs is None:
        raise BadInput(
            "the cube has no coordinate reference system",
            "Set it: cube.odc.assign_crs('EPSG:...'), or load it with crs=.",
        )
    if abs(geobox.transform.b) > 1e-12 or abs(geobox.transform.d) > 1e-12:
        raise BadInput(
            "the cube's grid is rotated", "Load it on an upright grid: crs=, resolution=."
        )
    times = cube["time"].to_numpy() if "time" in cube.dims else np.array([], "datetime64[ns]")
    return bands, times, geobox.transform, geobox.crs.proj


def _items(cube: xr.Dataset) -> list[str]:
    """The scenes of a cube; a date that several were merged into names them with commas between."""
    if "item_id" not in cube.coords:
        return []
    names = (
        n for value in np.atleast_1d(cube["item_id"].to_numpy()) for n in str(value).split(",")
    )
    return sorted({n.strip() for n in names if n.strip()})
