"""What a user's raster files say of themselves: bands, grid, time; and what their names say."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import BadInput, NotFound

if TYPE_CHECKING:
    from rasterio import DatasetReader

SUFFIXES = (".tif", ".tiff", ".jp2", ".nc", ".vrt", ".img")
# Dates as they stand in names: 20210324T101031, 2021-03-24, 2021083 (day of the year).
DATES = (
    r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)T(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)",
    r"(?P<year>\d{4})[-_.](?P<month>0[1-9]|1[0-2])[-_.](?P<day>[0-3]\d)",
    r"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?!\d)",
    r"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<ordinal>[0-3]\d{2})(?!\d)",
)
_BAND = re.compile(
    r"(?:^|[_.\-])(B\d{1,2}A?|SCL|CLM|CLP|QA_PIXEL|FMASK|VV|VH|NDVI|red|green|blue|nir|swir\d*)"
    r"(?:_\d+m)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Raster:
    """One raster: a file or a variable of one."""

    path: Path
    address: str
    item: str
    asset: str
    crs: str
    transform: list[float]
    shape: list[int]
    bands: list[dict[str, object]]
    time: datetime
    properties: Mapping[str, object] = field(default_factory=dict)


def find_rasters(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    listed = [files] if isinstance(files, str | os.PathLike) else list(files)
    found: list[Path] = []
    for entry in listed:
        path = Path(entry).expanduser().resolve()
        if is_zarr(path):
            found.append(path)
        elif path.is_dir():
            inner = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            # In a SAFE folder the quality and preview rasters are no bands.
            found += [p for p in inner if not {"QI_DATA", "AUX_DATA", "HTML"} & set(p.parts)]
            found += [p for p in sorted(path.rglob("*.zarr")) if is_zarr(p)]
        elif path.is_file():
            found.append(path)
        else:
            raise NotFound(f"{path} is not there", "Check the path.")
    if not found:
        raise NotFound("there is no raster", f"Looked for {', '.join(SUFFIXES)} and .zarr.")
    return found


def compile_pattern(pattern: str) -> re.Pattern[str]:
    hint = r"For example: (?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise BadInput(f"pattern = {pattern!r}: {error}", hint) from error
    if "year" not in compiled.groupindex:
        raise BadInput(f"pattern = {pattern!r} has no group `year`", hint)
    return compiled


def read_rasters(path: Path, expressions: Sequence[re.Pattern[str]]) -> list[Raster]:
    """The rasters of one file.

    Raises:
        BadInput: No reference system, no time.
    """
    import rasterio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            # A container of several rasters (netCDF) names them; each is an asset.
            inner = [name for name in file.subdatasets if "bounds" not in name.lower()]
            if not inner:
                return [_describe(path, str(path), file, expressions)]
        made = []
        for address in inner:
            try:
                with rasterio.open(address) as file:
                    if file.crs is not None and not file.transform.is_identity:
                        made += _steps(path, address, file, expressions)
            except rasterio.errors.RasterioIOError:
                continue  # a variable without two dimensions, such as the grid mapping
    if not made:
        raise BadInput("none of its variables says where it lies", "Write its grid into the file.")
    return made


def _steps(
    path: Path, address: str, file: DatasetReader, expressions: Sequence[re.Pattern[str]]
) -> list[Raster]:
    """A variable of a container: one raster a time step, if it has a time of its own."""
    times = [_step_time(file.tags(k)) for k in range(1, file.count + 1)]
    if path.suffix.lower() != ".zarr" or None in times:
        return [_describe(path, address, file, expressions)]
    variable = address.rpartition(":/")[2]
    made = []
    for number, time in enumerate(times):
        assert time is not None
        # GDAL counts the steps of a dimension in the address.
        step = f'ZARR:"{path}":/{variable}:{number}'
        one = _describe(path, step, file, expressions, time=time)
        item = f"{one.item}_{time:%Y%m%dT%H%M%S}"
        made.append(replace(one, item=item, asset=variable, bands=one.bands[number : number + 1]))
    return made


def _step_time(tags: Mapping[str, str]) -> datetime | None:
    """The time of a step as its tags tell it by the CF conventions, None where they do not."""
    value, unit = tags.get("DIM_time_VALUE"), tags.get("DIM_time_UNIT")
    if value is None or unit is None:
        return None
    import numpy as np
    import pandas as pd
    import xarray as xr

    raw = xr.Dataset({"t": ("t", np.array([float(value)]), {"units": unit})})
    try:
        (time,) = xr.decode_cf(raw)["t"].to_numpy()
        return pd.Timestamp(time).round("s").to_pydatetime().replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr store, of version 2 or 3."""
    return path.is_dir() and any(
        (path / name).is_file() for name in (".zgroup", ".zarray", "zarr.json")
    )


def _describe(
    path: Path,
    address: str,
    file: DatasetReader,
    expressions: Sequence[re.Pattern[str]],
    *,
    time: datetime | None = None,
) -> Raster:
    if file.crs is None:
        raise BadInput("no reference system", "Write one into it: gdal_edit.py -a_srs EPSG:...")
    if file.transform.is_identity:
        raise BadInput("no position", "Write one into it: gdal_edit.py -a_ullr ...")
    stem = path.stem
    variable = address.rpartition(":")[2].strip('"/') if address != str(path) else ""
    band = _BAND.search(stem)
    if variable:
        item, asset = stem, variable
    elif band:
        item, asset = stem[: band.start()] or path.parent.name, band[1]
    else:
        item, asset = stem, "data"
    bands = []
    for k in range(1, file.count + 1):
        name = file.descriptions[k - 1] or (asset if file.count == 1 else f"band{k}")
        entry: dict[str, object] = {"name": name, "data_type": file.dtypes[k - 1]}
        nodata = file.nodatavals[k - 1]
        if nodata is not None:
            entry["nodata"] = "nan" if nodata != nodata else nodata  # noqa: PLR0124
        if (file.scales[k - 1], file.offsets[k - 1]) != (1.0, 0.0):
            entry |= {"raster:scale": file.scales[k - 1], "raster:offset": file.offsets[k - 1]}
        bands.append(entry)
    return Raster(
        path=path,
        address=address,
        item=re.sub(r"[^A-Za-z0-9_.-]", "_", item),
        asset=asset,
        crs=file.crs.to_string(),
        transform=list(file.transform)[:6],
        shape=list(file.shape),
        bands=bands,
        time=time or _time(path, file.tags(), expressions),
        properties=_platform(path),
    )


def _time(path: Path, tags: Mapping[str, str], expressions: Sequence[re.Pattern[str]]) -> datetime:
    """By the nearest part of the path that holds a date, else by the file's tags."""
    for part in (path.stem, *(parent.name for parent in list(path.parents)[:3])):
        for expression in expressions:
            for found in expression.finditer(part):
                time = _build(found.groupdict())
                if time is not None:
                    return time
    for name in (
        "TIFFTAG_DATETIME",
        "ACQUISITION_DATE",
        "acquisition_date",
        "datetime",
        "DATETIME",
    ):
        text = tags.get(name, "").strip().replace("/", "-")
        for form in ("%Y:%m:%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"):
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                continue
    raise BadInput("no date in its name or tags", "Give pattern= with the groups year, month, day.")


def _build(parts: Mapping[str, str | None]) -> datetime | None:
    year = int(parts["year"] or 0)
    clock = [int(parts.get(name) or 0) for name in ("hour", "minute", "second")]
    try:
        if parts.get("ordinal"):
            day = datetime.strptime(f"{year} {parts['ordinal']}", "%Y %j").replace(tzinfo=UTC)
            return day.replace(hour=clock[0], minute=clock[1], second=clock[2])
        month, day_ = int(parts.get("month") or 1), int(parts.get("day") or 1)
        return datetime(year, month, day_, clock[0], clock[1], clock[2], tzinfo=UTC)
    except ValueError:
        return None


def _platform(path: Path) -> Mapping[str, object]:
    """What a Sentinel-2 name says: satellite, tile, orbit, baseline."""
    found = re.search(
        r"(S2[ABC])_MSI(L1C|L2A)_(\d{8}T\d{6})_N(\d{2})(\d{2})_R(\d{3})_T(\d{2}[A-Z]{3})", str(path)
    )
    if not found:
        return {}
    return {
        "platform": f"sentinel-2{found[1][-1].lower()}",
        "constellation": "sentinel-2",
        "s2:product_type": f"S2MSI{found[2][1:]}",
        "s2:processing_baseline": f"{found[4]}.{found[5]}",
        "sat:relative_orbit": int(found[6]),
        "grid:code": f"MGRS-{found[7]}",
    }
