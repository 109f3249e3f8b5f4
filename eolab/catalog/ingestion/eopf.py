"""Sentinel-2 products of ESA's new format (EOPF, Zarr): each band an asset, as in a SAFE product.

A product is one Zarr store with groups for each resolution, whose arrays say by `proj:epsg` where
they lie, and by `scale_factor` and `add_offset` what their numbers mean: these are read as stored,
and nobody decodes them before.
(Copernicus EOPF Core Python Modules, "Product structure definition"; zarr.eopf.copernicus.eu)
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from eolab.catalog.ingestion.file_names import (
    Dated,
    Dating,
    Name,
    Raster,
    name_of,
    properties_of,
    time_of,
)
from eolab.catalog.io.rasters import gdal_address
from eolab.catalog.items.file_facts import file_facts
from eolab.errors import InvalidInputError

# Where the bands lie; of a band at several resolutions the finest counts.
_GROUPS = (
    "measurements/reflectance",
    "quality/atmosphere",
    "conditions/mask/l2a_classification",
)
_RESOLUTION = re.compile(r"r(\d+)m")
_BAND = re.compile(r"b(0[1-9]|1[0-2]|8a)|scl|aot|wvp")


def read_product(path: Path, dating: Dating) -> list[Raster]:
    """The bands of a product; none where the store is no such product.

    Args:
        path: The Zarr store.
        dating: How its time is told.

    Raises:
        InvalidInputError: It is one, but does not say where it lies, or a band cannot be read.
    """
    _refuse_version_3(path)
    discovery = _attributes(path).get("stac_discovery")
    if not isinstance(discovery, Mapping) or not (path / _GROUPS[0]).is_dir():
        return []
    said = discovery.get("properties")
    stated = said if isinstance(said, Mapping) else {}
    dated = _time(stated) or time_of(path, {}, dating)
    finest: dict[str, tuple[int, str]] = {}
    for size, array in _arrays(path):
        name = array.rpartition("/")[2].upper()
        finest[name] = min(finest.get(name, (size, array)), (size, array))
    if not finest:
        raise InvalidInputError(
            "this EOPF product holds no band by the names of Sentinel-2",
            f"Looked for b01 to b12 below {_GROUPS[0]}/r10m, r20m and r60m.",
        )
    named = name_of(path, "")
    return [
        _band(path, array, replace(named, item=path.stem, asset=name), stated, dated)
        for name, (_, array) in sorted(finest.items())
    ]


def _refuse_version_3(path: Path) -> None:
    try:
        found = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    attributes = found.get("attributes") if isinstance(found, dict) else None
    if isinstance(attributes, Mapping) and "stac_discovery" in attributes:
        raise InvalidInputError(
            "this EOPF product is a Zarr store of version 3, whose groups are not read",
            "Write it anew as version 2: xarray.open_datatree(...).to_zarr(..., zarr_format=2).",
        )


def _arrays(path: Path) -> Iterator[tuple[int, str]]:
    """Resolution and place of each array that is a band."""
    for group in _GROUPS:
        for folder in sorted((path / group).glob("r*m")):
            size = _RESOLUTION.fullmatch(folder.name)
            for array in sorted(folder.iterdir()) if size else ():
                if _BAND.fullmatch(array.name) and (array / ".zarray").is_file():
                    yield int(size[1]) if size else 0, array.relative_to(path).as_posix()


def _band(
    path: Path, array: str, name: Name, product: Mapping[str, object], dated: Dated
) -> Raster:
    import rasterio

    address = gdal_address(f"{path}/{array}")
    crs = _system(_attributes(path / array)) or _system(product)
    other = _attributes(path).get("other_metadata")
    if crs is None and isinstance(other, Mapping):
        crs = _system({"proj:code": other.get("horizontal_CRS_code")})
    if crs is None:
        raise InvalidInputError(
            f"array {array} does not say its reference system",
            "Write proj:epsg into its attributes (.zattrs).",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        try:
            with rasterio.open(address) as file:
                (facts,) = file_facts(file)
                transform, shape = list(file.transform)[:6], list(file.shape)
        except rasterio.errors.RasterioError as error:
            raise InvalidInputError(
                f"array {array} cannot be read: {error}",
                "Write the product anew as Zarr of version 2, for example with xarray.",
            ) from error
    if transform[:3] == [1.0, 0.0, 0.0]:
        raise InvalidInputError(
            f"array {array} does not say where it lies", "It needs its axes x and y beside it."
        )
    entry: dict[str, object] = {"name": name.asset, "data_type": facts.data_type}
    if facts.nodata is not None:
        entry["nodata"] = "nan" if facts.nodata != facts.nodata else facts.nodata
    scale, offset = facts.scale, facts.offset
    if scale is None and facts.data_type.startswith(("int", "uint")):
        scale, offset = _packing(_attributes(path / array).get("_eopf_attrs"))
    if scale is not None:
        entry |= {"raster:scale": scale, "raster:offset": offset or 0.0}
    platform = product.get("platform")
    return Raster(
        path=path,
        address=f"vrt://{address}?a_srs={crs}",  # GDAL knows no proj:epsg
        name=name,
        crs=crs,
        transform=transform,
        shape=shape,
        bands=[entry],
        time=dated.time,
        time_from=dated.origin,
        properties={
            **({"platform": platform} if isinstance(platform, str) else {}),
            **properties_of(path),
        },
    )


def _attributes(folder: Path) -> Mapping[str, object]:
    """The attributes of a group or array of Zarr 2."""
    try:
        found = json.loads((folder / ".zattrs").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _packing(stated: object) -> tuple[float | None, float | None]:
    """Factor and addend as EOPF keeps them by themselves, beside those of CF or instead."""
    words = stated if isinstance(stated, Mapping) else {}
    found = [words.get("scale_factor"), words.get("add_offset")]
    scale, offset = (
        float(each) if isinstance(each, int | float) and math.isfinite(each) else None
        for each in found
    )
    return (scale, offset) if scale else (None, None)


def _system(stated: Mapping[str, object]) -> str | None:
    code, epsg = stated.get("proj:code"), stated.get("proj:epsg")
    if isinstance(code, str) and code:
        return code.upper()
    return f"EPSG:{epsg}" if isinstance(epsg, int) and not isinstance(epsg, bool) else None


def _time(stated: Mapping[str, object]) -> Dated | None:
    for key in ("datetime", "start_datetime"):
        text = stated.get(key)
        if isinstance(text, str) and text:
            try:
                time = datetime.fromisoformat(text)
            except ValueError:
                continue
            return Dated(time if time.tzinfo else time.replace(tzinfo=UTC), "tags")
    return None
