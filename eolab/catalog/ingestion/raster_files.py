"""What a user's raster files say of themselves: bands, grid, time."""

from __future__ import annotations

import itertools
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.ingestion.cf_attributes import flags
from eolab.catalog.ingestion.eopf import read_product
from eolab.catalog.ingestion.file_names import (
    Dated,
    Dating,
    Raster,
    name_of,
    properties_of,
    time_of,
)
from eolab.catalog.ingestion.longitudes import between_180
from eolab.catalog.ingestion.netcdf_zarr import read_cube
from eolab.catalog.ingestion.time_axes import step_time
from eolab.catalog.items.file_facts import file_facts
from eolab.catalog.items.parsed import PALETTE
from eolab.catalog.items.products import product_by_short_name
from eolab.errors import InvalidInputError, NotFoundError
from eolab.files.folders import is_endless

if TYPE_CHECKING:
    from rasterio import DatasetReader

CONTAINERS = (".nc", ".zarr")
SUFFIXES = (".tif", ".tiff", ".jp2", ".nc", ".vrt", ".img")


def find_rasters(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, most: int | None = None
) -> tuple[list[Path], bool]:
    """Files and Zarr stores to look into.

    Args:
        files: Files, or folders that are searched through.
        most: Entries of a folder that are looked at; None for all.

    Returns:
        What was found, and whether all entries were looked at.

    Raises:
        NotFoundError: A file or folder is missing, or there is none.
    """
    listed = [files] if isinstance(files, str | os.PathLike) else list(files)
    found: list[Path] = []
    whole = True
    for entry in listed:
        path = Path(entry).expanduser().resolve()
        if is_zarr(path):
            found.append(path)
        elif path.is_dir():
            inner = sorted(itertools.islice(path.rglob("*"), most))
            whole = whole and (most is None or len(inner) < most)
            # In a SAFE folder the quality and preview rasters are no bands.
            found += [
                p
                for p in inner
                if p.suffix.lower() in SUFFIXES
                and not is_endless(p)
                and not {"QI_DATA", "AUX_DATA", "HTML"} & set(p.parts)
            ]
            found += [p for p in inner if p.suffix == ".zarr" and is_zarr(p)]
        elif path.is_file():
            found.append(path)
        else:
            raise NotFoundError(f"{path} is not there", "Check the path.")
    if not found:
        seen = "" if whole else f" among the first {most:,} entries"
        raise NotFoundError(
            f"there is no raster{seen}", f"Looked for {', '.join(SUFFIXES)} and .zarr."
        )
    return list(dict.fromkeys(found)), whole


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr store, of version 2 or 3."""
    return path.is_dir() and any(
        (path / name).is_file() for name in (".zgroup", ".zarray", "zarr.json")
    )


def read_rasters(path: Path, dating: Dating, skipped: list[str]) -> list[Raster]:
    """The rasters of one file or Zarr store.

    Args:
        path: The file or store.
        dating: How its time is told.
        skipped: Gets a line for each variable of a container that cannot be used.

    Raises:
        InvalidInputError: No reference system, no time.
    """
    return [part for raster in _found(path, dating, skipped) for part in between_180(raster)]


def _found(path: Path, dating: Dating, skipped: list[str]) -> list[Raster]:
    if path.suffix.lower() not in CONTAINERS:
        return _read_rasters(path, dating)
    if path.suffix.lower() == ".zarr" and (found := read_product(path, dating)):
        return found
    unused: list[str] = []
    if found := read_cube(path, dating, unused):
        skipped += unused
        return found
    try:
        return _read_rasters(path, dating)
    except InvalidInputError:
        if unused:
            raise InvalidInputError("; ".join(unused), "") from None
        raise


def _read_rasters(path: Path, dating: Dating) -> list[Raster]:
    import rasterio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            # A container of several rasters (netCDF) names them; each is an asset.
            inner = [name for name in file.subdatasets if "bounds" not in name.lower()]
            if not inner:
                return _steps(path, str(path), file, dating)
        made = []
        for address in inner:
            try:
                with rasterio.open(address) as file:
                    if _crs(file) is not None and not file.transform.is_identity:
                        made += _steps(path, address, file, dating)
            except rasterio.errors.RasterioIOError:
                continue  # a variable without two dimensions, such as the grid mapping
    if not made:
        raise InvalidInputError(
            "none of its variables says where it lies", "Write its grid into the file."
        )
    return made


def _steps(path: Path, address: str, file: DatasetReader, dating: Dating) -> list[Raster]:
    """A file or variable: one raster a time step, if it has a time axis."""
    tags = [file.tags(k) for k in range(1, file.count + 1)]
    variable = tags[0].get("NETCDF_VARNAME", "") if tags else ""
    if address != str(path):
        variable = variable or address.rpartition(":")[2].strip('"/')
    elif re.fullmatch(r"Band\d+", variable):
        variable = ""  # what GDAL calls it when nobody gave it a name
    times = [step_time(band, file.tags()) for band in tags]
    if None in times or not times:
        return [_describe(path, address, file, dating, variable)]
    # Levels and members of one time stay together.
    steps: dict[datetime, list[int]] = {}
    known = [time for time in times if time is not None]
    axis = known[0][1]
    for number, (time, _) in enumerate(known):
        steps.setdefault(time, []).append(number)
    made = []
    for time, numbers in steps.items():
        if path.suffix.lower() == ".zarr":
            # GDAL counts the steps of a dimension in the address.
            step = f"{address}:{numbers[0]}"
        else:
            step = f"vrt://{address}?bands={','.join(str(n + 1) for n in numbers)}"
        one = _describe(path, step, file, dating, variable, time=time)
        name = replace(one.name, item=f"{path.stem}_{time:%Y%m%dT%H%M%S}")
        bands = [
            {**one.bands[n], "name": _level(name.asset, tags[n], axis, alone=len(numbers) == 1)}
            for n in numbers
        ]
        made.append(replace(one, name=name, bands=bands))
    return made


def _level(asset: str, tags: Mapping[str, str], axis: str, *, alone: bool) -> str:
    """Name of a band by its places on the axes other than time."""
    if alone:
        return asset
    lead = "NETCDF_DIM_"
    axes = {key.removeprefix(lead): v for key, v in tags.items() if key.startswith(lead)}
    named = tags.get("NETCDF_VARNAME") or asset
    return "_".join([named, *(value for key, value in axes.items() if key != axis)])


def _crs(file: DatasetReader) -> str | None:
    """Reference system of a file; by the CF conventions axes in degrees need not name one."""
    if file.crs is not None:
        return str(file.crs.to_string())
    units = {value for key, value in file.tags().items() if key.endswith("#units")}
    return "EPSG:4326" if {"degrees_north", "degrees_east"} <= units else None


def _describe(
    path: Path,
    address: str,
    file: DatasetReader,
    dating: Dating,
    variable: str,
    *,
    time: datetime | None = None,
) -> Raster:
    crs = _crs(file)
    if crs is None and file.gcps[0]:
        raise InvalidInputError(
            "its pixels lie by tie points only (radar in ground or slant range)",
            "Correct it for the terrain first, or take such a product (RTC).",
        )
    if crs is None:
        raise InvalidInputError(
            "no reference system", "Write one into it: gdal_edit.py -a_srs EPSG:..."
        )
    if file.transform.is_identity:
        raise InvalidInputError("no position", "Write one into it: gdal_edit.py -a_ullr ...")
    if file.crs is None:
        lead = address if address.startswith("vrt://") else f"vrt://{address}"
        address = f"{lead}{'&' if '?' in lead else '?'}a_srs={crs}"
    name = name_of(path, variable)
    dated = time_of(path, file.tags(), dating) if time is None else Dated(time, "axis")
    return Raster(
        path=path,
        address=address,
        name=name,
        crs=crs,
        transform=list(file.transform)[:6],
        shape=list(file.shape),
        bands=_bands(file, name.asset),
        time=dated.time,
        time_from=dated.origin,
        properties=properties_of(path),
    )


def _bands(file: DatasetReader, asset: str) -> list[dict[str, object]]:
    bands = []
    facts = file_facts(file)
    for k in range(1, file.count + 1):
        name = file.descriptions[k - 1] or (asset if file.count == 1 else f"band{k}")
        entry: dict[str, object] = {"name": name, "data_type": file.dtypes[k - 1]}
        own = facts[k - 1]
        nodata = own.nodata
        if nodata is not None:
            entry["nodata"] = "nan" if nodata != nodata else nodata  # noqa: PLR0124
        if own.palette:
            entry[PALETTE] = True
        if own.scale is not None:
            product = product_by_short_name(own.short_name or "")
            scale = own.scale if product is None else product.factor(own.scale)
            entry |= {"raster:scale": scale, "raster:offset": own.offset or 0.0}
        # What GDAL reads of netCDF, or has made of it, keeps the attributes as tags.
        bands.append({**entry, **flags(file.tags(k), np.dtype(file.dtypes[k - 1]))})
    return bands
