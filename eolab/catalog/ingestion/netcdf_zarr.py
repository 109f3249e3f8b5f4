"""Cubes in netCDF and Zarr that GDAL does not understand: xarray reads them.

GDAL wants coordinates with units and standard names by the CF conventions, and of Zarr's version 3
it knows few codecs; what xarray writes by default is often neither.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.ingestion.file_names import Dating, name_of, time_of
from eolab.catalog.ingestion.raster import Raster

if TYPE_CHECKING:
    import xarray as xr
    from odc.geo.geobox import GeoBox

_DEGREES = {"lat", "lon", "latitude", "longitude"}


def read_cube(path: Path, dating: Dating) -> list[Raster]:
    """A raster of each variable and time step that lies on a grid; none where xarray fails too."""
    try:
        cube = _open(path)
    except Exception:  # no cube, no engine: what GDAL said counts
        return []
    made = []
    for name, variable in cube.data_vars.items():
        box = _grid(variable)
        if box is not None:
            made += _steps(path, str(name), variable, box, dating)
    return made


def _open(path: Path) -> xr.Dataset:
    import xarray as xr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata that other programs may not read
        # Numbers as stored: how they become values is told to whoever loads them.
        engine = "zarr" if path.is_dir() else None
        return xr.open_dataset(path, engine=engine, decode_coords="all", mask_and_scale=False)


def _grid(variable: xr.DataArray) -> GeoBox | None:
    """Where a variable lies; None where it does not say, or has more dimensions than a time."""
    import odc.geo.xr  # noqa: F401  the accessor

    places = variable.odc.spatial_dims
    if places is None or len(set(variable.dims) - {*places, "time"}):
        return None
    if variable.odc.crs is None and set(places) <= _DEGREES:
        variable = variable.odc.assign_crs("EPSG:4326")
    box: GeoBox | None = variable.odc.geobox
    if box is None or box.crs is None or abs(box.transform.b) + abs(box.transform.d) > 0:
        return None
    return box


def _steps(
    path: Path, name: str, variable: xr.DataArray, box: GeoBox, dating: Dating
) -> list[Raster]:
    rows, columns = variable.odc.spatial_dims
    # As images lie: north above, west on the left.
    order = {}
    if box.transform.e > 0:
        box, order[rows] = box.flipy(), slice(None, None, -1)
    if box.transform.a < 0:
        box, order[columns] = box.flipx(), slice(None, None, -1)
    turned = variable.isel(order).transpose(..., rows, columns)
    crs = box.crs
    assert crs is not None, "_grid gives none without"
    whole = Raster(
        path=path,
        address="",
        name=name_of(path, name),
        crs=f"EPSG:{crs.epsg}" if crs.epsg else crs.to_wkt(),
        transform=list(box.transform)[:6],
        shape=list(box.shape),
        bands=[_band(name, variable)],
        time=datetime.min.replace(tzinfo=UTC),
    )
    if "time" not in turned.coords or turned["time"].dtype.kind != "M":
        steps = turned.isel(time=[0]) if "time" in turned.dims else turned
        return [_written(whole, steps.squeeze(drop=True), box, time_of(path, {}, dating), "")]
    made = []
    for k, moment in enumerate(np.atleast_1d(turned["time"].to_numpy())):
        time = _moment(moment)
        step = turned.isel(time=k) if "time" in turned.dims else turned
        made.append(_written(whole, step, box, time, f"_{time:%Y%m%dT%H%M%S}"))
    return made


def _written(whole: Raster, step: xr.DataArray, box: GeoBox, time: datetime, suffix: str) -> Raster:
    name = replace(whole.name, item=whole.name.item + suffix)
    return replace(whole, name=name, time=time, write=_writer(step, box, whole.bands[0]))


def _band(name: str, variable: xr.DataArray) -> dict[str, object]:
    """The variable as STAC lists a band, by the attributes of the CF conventions."""
    band: dict[str, object] = {"name": name, "data_type": str(variable.dtype)}
    fill = variable.attrs.get("_FillValue", variable.attrs.get("missing_value"))
    if fill is not None:
        band["nodata"] = "nan" if np.isnan(fill) else float(fill)
    scale, offset = (variable.attrs.get(key) for key in ("scale_factor", "add_offset"))
    if scale is not None or offset is not None:
        band["raster:scale"] = 1.0 if scale is None else float(scale)
        band["raster:offset"] = 0.0 if offset is None else float(offset)
    return band


def _moment(value: np.datetime64) -> datetime:
    import pandas as pd

    return pd.Timestamp(value).round("s").to_pydatetime().replace(tzinfo=UTC)


def _writer(step: xr.DataArray, box: GeoBox, band: dict[str, object]) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        import rasterio

        assert box.crs is not None
        values = step.to_numpy()
        nodata = band.get("nodata")
        with rasterio.open(
            target,
            "w",
            driver="GTiff",
            width=box.shape[1],
            height=box.shape[0],
            count=1,
            dtype=values.dtype,
            crs=box.crs.to_wkt(),
            transform=box.transform,
            nodata=None if nodata is None else float(str(nodata)),
        ) as file:
            file.write(values, 1)
            if "raster:scale" in band:
                file.scales, file.offsets = [band["raster:scale"]], [band["raster:offset"]]

    return write
