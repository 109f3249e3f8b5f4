"""From cubes to rows: statistics by zone, points, and pixels inside labelled shapes.

A cube is an xarray Dataset (time, y, x) with a CRS, as `eolab.load` gives it: float, NaN where
nothing was seen. The scenes of its ``item_id`` coordinate travel in ``frame.attrs`` and become the
origin of the commit that inserts the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.argument_checks import checked
from eolab.errors import InvalidInputError
from eolab.features.extract.cube_layout import (
    DroppedWarning,
    inside,
    known_numbers,
    layout,
    origin,
)
from eolab.features.extract.embeddings import embeddings
from eolab.features.extract.radar_indices import radar
from eolab.features.extract.seasonal import seasonal_features
from eolab.features.extract.zonal import zonal
from eolab.features.frame_attrs import CRS_ATTR, PIXELS
from eolab.features.geometry import crs_text, is_metric
from eolab.progress import track

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from affine import Affine
    from pyproj import CRS

__all__ = [
    "DroppedWarning",
    "embeddings",
    "pixel_labels",
    "pixels",
    "radar",
    "sample",
    "seasonal_features",
    "zonal",
]


@checked
def sample(
    cube: xr.Dataset,
    points: gpd.GeoDataFrame,
    *,
    id: str = "point_id",
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """The bands of the pixel under each point, by date.

    Rows in which every band is NaN are left out.

    Args:
        cube: (time, y, x) or (y, x), NaN where nothing was seen.
        points: Points with a CRS; they are converted to the cube's.
        id: Column that names a point.
        columns: Columns of the points to carry along.

    Returns:
        One row a point and date: ``id``, ``x``, ``y`` (of the point, in the cube's CRS), ``time``
        (UTC), the bands, the columns.

    Raises:
        InvalidInputError: No CRS, unknown column, other shapes than points, none inside the cube.
    """
    bands, times, _, crs = layout(cube)
    places, row, column = under(cube, points, id, columns)
    frames = dated(cube, places, row, column, bands, times)
    return _finished(frames, [id], bands, cube, crs)


def under(
    cube: xr.Dataset, points: gpd.GeoDataFrame, id: str, columns: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The points inside the cube, with the rows and columns of their pixels."""
    import pandas as pd

    _, _, transform, crs = layout(cube)
    carried = list(dict.fromkeys([id, *columns]))
    placed = inside(points, crs, cube, transform, carried, "points")
    if not (placed.geom_type == "Point").all():
        raise InvalidInputError("the points hold other shapes", "Take zonal() for polygons.")
    x, y = placed.geometry.x.to_numpy(), placed.geometry.y.to_numpy()
    # A point on the far edge belongs to the last pixel.
    column = np.clip(((x - transform.c) / transform.a).astype(int), 0, cube.sizes["x"] - 1)
    row = np.clip(((y - transform.f) / transform.e).astype(int), 0, cube.sizes["y"] - 1)
    places = pd.DataFrame(placed[carried]).reset_index(drop=True)
    places.insert(1, "x", x)
    places.insert(2, "y", y)
    return places, row, column


def dated(
    cube: xr.Dataset,
    places: pd.DataFrame,
    row: np.ndarray,
    column: np.ndarray,
    bands: Sequence[str],
    times: np.ndarray,
) -> list[pd.DataFrame]:
    """One frame a date with the places and the bands at their pixels."""
    import pandas as pd

    frames = []
    for t in track(range(max(len(times), 1)), "Pixels"):
        layer = cube.isel(time=t) if len(times) else cube
        values = {b: known_numbers(layer[b], "y", "x")[row, column] for b in bands}
        frame = pd.DataFrame(values)
        if len(times):
            stamp = pd.Series(times[t], index=range(len(frame))).dt.tz_localize("UTC")
            frame.insert(0, "time", stamp)
        frame = pd.concat([places, frame], axis=1)
        frames.append(frame[frame[list(bands)].notna().any(axis=1)])
    return frames


def _finished(
    frames: Sequence[pd.DataFrame],
    keys: Sequence[str],
    bands: Sequence[str],
    cube: xr.Dataset,
    crs: object,
) -> pd.DataFrame:
    """One frame, ordered, that knows its scenes and its CRS."""
    import pandas as pd

    rows = pd.concat(frames, ignore_index=True)
    if rows.empty:
        raise InvalidInputError(
            "no pixel inside the labels was seen at any date", "Load more dates, or mask less."
        )
    dated = ["time"] if "time" in rows else []
    head = [*keys, "x", "y", *dated, *bands]
    rows = rows[head + [c for c in rows.columns if c not in head]]
    rows = rows.sort_values([*keys, *dated], ignore_index=True)
    rows.attrs.update({**origin(cube), CRS_ATTR: crs_text(crs)})
    return rows


@checked
def pixels(
    cube: xr.Dataset,
    labels: gpd.GeoDataFrame,
    *,
    columns: Sequence[str] = (),
    stratify: str | None = None,
    per_class: int = 1000,
) -> pd.DataFrame:
    """The bands of each pixel inside the labelled shapes, by date.

    A pixel belongs to the shape that holds its centre; where shapes overlap, to the last one.
    Rows in which every band is NaN are left out.

    Args:
        cube: (time, y, x) or (y, x), NaN where nothing was seen.
        labels: Polygons or points with a CRS; they are converted to the cube's.
        columns: Columns of the shapes to carry along.
        stratify: Column of the shapes by whose values pixels are thinned out, so that no class
            drowns the others; by a hash of the pixel, so that the choice is always the same.
        per_class: Pixels that are kept of each value of ``stratify``.

    Returns:
        One row a pixel and date: ``pixel_id`` (CRS and centre, the same in every cube on this
        grid), ``x``, ``y`` (centre in the cube's CRS), ``time`` (UTC), the bands, the columns.

    Raises:
        InvalidInputError: No CRS, unknown column, no shape inside the cube or on a pixel's centre.
    """
    bands, times, transform, crs = layout(cube)
    places, row, column = located(cube, labels, columns, transform, crs, stratify, per_class)
    frames = dated(cube, places, row, column, bands, times)
    rows = _finished(frames, ["pixel_id"], bands, cube, crs)
    rows.attrs[PIXELS] = True
    return rows


@checked
def pixel_labels(
    cube: xr.Dataset,
    labels: gpd.GeoDataFrame,
    *,
    columns: Sequence[str],
    stratify: str | None = None,
    per_class: int = 1000,
) -> pd.DataFrame:
    """One row a pixel inside the labelled shapes: ``pixel_id``, ``x``, ``y`` and the columns.

    What `pixels` observes joins these on ``pixel_id``; insert them as the label group. The same
    ``stratify`` and ``per_class`` choose the same pixels.
    """
    _, _, transform, crs = layout(cube)
    places, _, _ = located(cube, labels, columns, transform, crs, stratify, per_class)
    rows = places[["pixel_id", "x", "y", *columns]].sort_values("pixel_id", ignore_index=True)
    rows.attrs.update({CRS_ATTR: crs_text(crs), PIXELS: True})
    return rows


def located(
    cube: xr.Dataset,
    labels: gpd.GeoDataFrame,
    columns: Sequence[str],
    transform: Affine,
    crs: object,
    stratify: str | None,
    per_class: int,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The pixels whose centre is in a shape, with their rows and columns in the cube."""
    import pandas as pd
    from rasterio.features import rasterize

    reserved = {"pixel_id", "x", "y", "time", *map(str, cube.data_vars)}
    for name in columns:
        if name in reserved:
            raise InvalidInputError(
                f"the label column {name!r} has the name of a pixel column", "Rename it."
            )
    if isinstance(per_class, bool) or not isinstance(per_class, int) or per_class < 1:
        raise InvalidInputError(
            f"per_class={per_class!r} is no number of pixels", "Give 1 or more."
        )
    needed = list(dict.fromkeys([*columns, *([stratify] if stratify else [])]))
    placed = inside(labels, crs, cube, transform, needed, "labels")
    shape = (cube.sizes["y"], cube.sizes["x"])
    burnt = rasterize(
        zip(placed.geometry, range(1, len(placed) + 1), strict=True),
        out_shape=shape,
        transform=transform,
        dtype="int32",
    )
    row, column = np.nonzero(burnt)
    if not len(row):
        raise InvalidInputError(
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
    shapes = burnt[row, column] - 1
    carried = pd.DataFrame(placed[list(columns)].iloc[shapes].reset_index(drop=True))
    places = pd.concat([places, carried], axis=1)
    if stratify is None:
        return places, row, column
    chance = pd.Series(pd.util.hash_array(np.asarray(ids, dtype=object)))
    rank = chance.groupby(placed[stratify].to_numpy()[shapes]).rank(method="first")
    keep = np.flatnonzero(rank.to_numpy() <= per_class)
    return places.iloc[keep].reset_index(drop=True), row[keep], column[keep]


def _crs(crs: object) -> CRS:
    from pyproj import CRS

    return CRS.from_user_input(crs)
