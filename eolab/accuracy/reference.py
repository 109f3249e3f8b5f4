"""The reference of an assessment: labelled points on pixels of a map, and how they were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import numpy as np

from eolab.accuracy.class_raster import ClassRaster
from eolab.errors import InvalidInputError, NotFoundError, nearest

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr

    Reference: TypeAlias = gpd.GeoDataFrame | pd.DataFrame | xr.DataArray | str | Path

_VECTORS = {".gpkg", ".geojson", ".json", ".shp", ".fgb", ".parquet", ".geoparquet"}
_TABLES = {".csv", ".tsv", ".txt", ".xls", ".xlsx"}
# Columns of a sample design: together they say how each row was drawn.
STRATUM, PIXELS, HECTARES, INCLUSION = "stratum", "stratum_pixels", "stratum_hectares", "inclusion"
_CUT = {name[:10]: name for name in (PIXELS, HECTARES)}  # as a shapefile keeps them


@dataclass(frozen=True)
class PointSample:
    """Rows of a reference and the pixels on which they lie.

    Attributes:
        frame: The rows, as they were given.
        rows, columns: Pixels of the map, -1 outside of it.
        inside: Which rows lie on the grid.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    columns: np.ndarray
    inside: np.ndarray


def is_raster(reference: Reference) -> TypeGuard[xr.DataArray | str | Path]:
    """Whether a reference is another map.

    Raises:
        InvalidInputError: It is neither a map nor a table, or the path of a bare table.
    """
    import pandas as pd
    import xarray as xr

    if isinstance(reference, str | Path):
        path = Path(str(reference))
        if path.suffix.lower() in _TABLES:
            raise InvalidInputError(
                f"the reference {path.name} is a table without a reference system",
                "Read it (pandas.read_csv) and give the table, with x and y in the map's system.",
            )
        return path.suffix.lower() not in _VECTORS
    if isinstance(reference, pd.DataFrame | xr.DataArray):
        return isinstance(reference, xr.DataArray)
    raise InvalidInputError(
        f"the reference is of type {type(reference).__name__}",
        "Give a GeoDataFrame of points with labels, or a raster of the map's grid.",
    )


def read_points(reference: Reference, raster: ClassRaster, label: str) -> PointSample:
    """The points of a reference on a map's grid.

    Args:
        reference: A GeoDataFrame of points, a table with the map's axes as columns (x and y), or
            the path of a vector file.
        raster: The map.
        label: The column of the labels.

    Raises:
        InvalidInputError: No label column, no reference system, other shapes than points.
        NotFoundError: No such file.
    """
    import geopandas as gpd

    frame = _spelt_out(_table(reference))
    if label not in frame.columns:
        raise InvalidInputError(
            f"the reference has no column {label!r}",
            nearest(label, [str(c) for c in frame.columns], "columns"),
        )
    if frame.columns.duplicated().any():
        raise InvalidInputError(
            "the reference has two columns of one name", "Rename one: each name says one column."
        )
    if not len(frame):
        raise InvalidInputError("the reference has no rows", "Give one row for each sample.")
    if isinstance(frame, gpd.GeoDataFrame):
        x, y = _points(frame, raster)
    else:
        x, y = _coordinates(frame, raster)
    return PointSample(frame, *raster.places(x, y))


def _table(reference: Reference) -> pd.DataFrame:
    import geopandas as gpd
    import pandas as pd

    if isinstance(reference, pd.DataFrame):
        return reference
    path = Path(str(reference))
    if not path.exists():
        raise NotFoundError(f"the reference {path} is not there", "See its folder and spelling.")
    reader = gpd.read_parquet if "parquet" in path.suffix else gpd.read_file
    try:
        table: pd.DataFrame = reader(path)
    except Exception as error:
        raise InvalidInputError(
            f"the reference {path} cannot be read: {error}", "Give a GeoPackage of points."
        ) from error
    return table


def _spelt_out(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a design by their whole names."""
    if STRATUM not in frame.columns or INCLUSION not in frame.columns:
        return frame
    return frame.rename(columns={c: n for c, n in _CUT.items() if n not in frame.columns})


def _points(frame: gpd.GeoDataFrame, raster: ClassRaster) -> tuple[np.ndarray, np.ndarray]:
    if frame.crs is None:
        raise InvalidInputError(
            "the reference has no reference system",
            "Say in which its coordinates are: reference.set_crs('EPSG:...').",
        )
    shapes = frame.geometry
    bare = np.flatnonzero((shapes.isna() | shapes.is_empty).to_numpy())
    if bare.size:
        raise InvalidInputError(
            f"{bare.size} rows of the reference have no point, the first is row {bare[0]}",
            "Drop them, and say so: reference[~reference.geometry.is_empty].",
        )
    kinds = sorted(set(shapes.geom_type) - {"Point"})
    if kinds:
        raise InvalidInputError(
            f"the reference holds {', '.join(kinds)}; samples are points on pixels",
            "Of polygons that cover the map make a raster of its grid (rasterio.features."
            "rasterize) and give that; else take points within them.",
        )
    there = shapes.to_crs(raster.crs)
    return there.x.to_numpy(dtype=float), there.y.to_numpy(dtype=float)


def _coordinates(frame: pd.DataFrame, raster: ClassRaster) -> tuple[np.ndarray, np.ndarray]:
    down, across = raster.axes
    missing = [name for name in (across, down) if name not in frame.columns]
    if missing:
        raise InvalidInputError(
            f"the reference has no geometry, and no column {' and '.join(map(repr, missing))}",
            "Give a GeoDataFrame of points, or columns named as the map's axes, in its system.",
        )
    import pandas as pd

    values = [
        pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in (across, down)
    ]
    odd = np.flatnonzero(~np.isfinite(values[0]) | ~np.isfinite(values[1]))
    if odd.size:
        raise InvalidInputError(
            f"{odd.size} rows of the reference have no coordinates, the first is row {odd[0]}",
            "Drop them, and say so in the report.",
        )
    return values[0], values[1]


# --- the design ------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatedStrata:
    """Strata as the columns of a reference say them.

    Attributes:
        keys: Of each stratum.
        index: The stratum of each row, shape (n,).
        pixels: Of each stratum, N_h; None where nothing says it.
        hectares: Of each stratum, A_h; None where nothing says it.
        drawn: How many samples the design drew in each, by its inclusion probability; None where
            nothing says it.
    """

    keys: tuple[object, ...]
    index: np.ndarray
    pixels: np.ndarray | None
    hectares: np.ndarray | None
    drawn: np.ndarray | None


def stated_strata(frame: pd.DataFrame, stratum: str, inclusion: str | None) -> StatedStrata:
    """Strata by the columns of a table.

    Args:
        frame: The rows.
        stratum: The column of the strata.
        inclusion: The column of the inclusion probabilities, if there is one.

    Raises:
        InvalidInputError: A column that is missing or has gaps, sizes that differ within a
            stratum, probabilities that are none.
    """
    import pandas as pd

    for name in filter(None, (stratum, inclusion)):
        if name not in frame.columns:
            raise InvalidInputError(
                f"the reference has no column {name!r}",
                nearest(name, [str(c) for c in frame.columns], "columns"),
            )
        gaps = np.flatnonzero(frame[name].isna().to_numpy())
        if gaps.size:
            raise InvalidInputError(
                f"{gaps.size} rows have no {name!r}, the first is row {gaps[0]}",
                "Each row of a stratified sample belongs to one stratum.",
            )
    index, unique = pd.factorize(frame[stratum], sort=False)
    keys = unique.tolist()
    chance = None
    if inclusion is not None:
        chance = _one_each(frame, inclusion, index, keys)
        if not ((chance > 0) & (chance <= 1)).all():
            raise InvalidInputError(
                f"{inclusion!r} holds {chance.min():g} to {chance.max():g}",
                "Inclusion probabilities lie above 0 and up to 1: samples over pixels.",
            )
    counted = np.bincount(index, minlength=len(keys))
    pixels = _one_each(frame, PIXELS, index, keys) if PIXELS in frame.columns else None
    drawn = None
    if pixels is None and chance is not None:
        pixels = np.round(counted / chance)
    elif pixels is not None and chance is not None:
        drawn = np.round(pixels * chance).astype(int)
    if pixels is not None and (pixels < counted).any():
        worst = int(np.argmax(counted - pixels))
        raise InvalidInputError(
            f"stratum {keys[worst]} has {pixels[worst]:g} pixels and {counted[worst]} samples",
            f"{PIXELS!r} is the number of pixels in all of the stratum.",
        )
    hectares = _one_each(frame, HECTARES, index, keys) if HECTARES in frame.columns else None
    return StatedStrata(tuple(keys), np.asarray(index), pixels, hectares, drawn)


def _one_each(
    frame: pd.DataFrame, column: str, index: np.ndarray, keys: Sequence[object]
) -> np.ndarray:
    """The one value of a column in each stratum."""
    import pandas as pd

    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
    found = np.empty(len(keys))
    for place, key in enumerate(keys):
        inside = values[index == place]
        if not np.isfinite(inside).all() or not np.allclose(inside, inside[0], rtol=1e-9):
            raise InvalidInputError(
                f"{column!r} is not one number in all rows of stratum {key}",
                "It belongs to the stratum: eo.sample_design writes the same in each of its rows.",
            )
        found[place] = inside[0]
    if (found <= 0).any():
        raise InvalidInputError(
            f"{column!r} holds {found.min():g}", "Sizes of strata are above zero."
        )
    return found
