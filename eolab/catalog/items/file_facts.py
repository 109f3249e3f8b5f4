"""What a raster file says of its own numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import rasterio


@dataclass(frozen=True)
class FileFacts:
    """What a raster file says of one of its bands.

    Attributes:
        data_type: Of the stored numbers.
        nodata: Its own; None where it states none.
        scale: Its own; None where it states none.
        offset: Its own.
        unit: Its own.
        short_name: Of the product, in NASA's files.
        alpha: Whether it says only what is transparent.
        palette: Whether its numbers are places in a palette: names of classes.
    """

    data_type: str
    nodata: float | None = None
    scale: float | None = None
    offset: float | None = None
    unit: str | None = None
    short_name: str | None = None
    alpha: bool = False
    palette: bool = False


def same_facts(one: Sequence[FileFacts], other: Sequence[FileFacts]) -> bool:
    """Whether two files say the same of their bands; not a number is the same as itself.

    Args:
        one: Of the bands of a file.
        other: Of those of another.
    """
    return repr(one) == repr(other)


def file_facts(file: rasterio.DatasetReader) -> tuple[FileFacts, ...]:
    """The facts of each band of an open file.

    Args:
        file: Opened by rasterio.
    """
    tags = {key.lower(): value for key, value in file.tags().items()}
    short = tags.get("shortname")
    alpha = alpha_band(file)
    found = []
    for k in range(file.count):
        scale, offset = _stated(file, k, tags)
        found.append(
            FileFacts(
                data_type=file.dtypes[k],
                nodata=next(iter(_nodata(file, k, tags)), None),
                scale=scale,
                offset=offset,
                unit=(file.units[k] or None) if k < len(file.units) else None,
                short_name=short,
                alpha=k + 1 == alpha,
                palette=file.colorinterp[k].name == "palette",
            )
        )
    return tuple(found)


def _stated(
    file: rasterio.DatasetReader, k: int, tags: dict[str, str]
) -> tuple[float | None, float | None]:
    """Scale and offset of a band: GDAL's own, else the tags that they have in other formats."""
    if (file.scales[k], file.offsets[k]) != (1.0, 0.0):
        return float(file.scales[k]), float(file.offsets[k])
    if not file.dtypes[k].startswith(("int", "uint")):
        return None, None  # tags that stayed behind when the numbers were decoded
    own = {**tags, **{key.lower(): value for key, value in file.tags(k + 1).items()}}
    scale, offset = (_number(own.get(key), k, file.count) for key in ("scale_factor", "add_offset"))
    return (None, None) if not scale else (scale, offset)


def nodata_of(file: rasterio.DatasetReader, band: int) -> tuple[float, ...]:
    """All numbers that a file says mean nothing: the nodata of the band, then those of its tags.

    Args:
        file: Opened by rasterio.
        band: Its number.
    """
    return _nodata(file, band - 1, {key.lower(): value for key, value in file.tags().items()})


def _nodata(file: rasterio.DatasetReader, k: int, tags: dict[str, str]) -> tuple[float, ...]:
    """Nodata of a band: GDAL's own, and the tags that it has in other formats."""
    known = file.nodatavals[k]
    own = {**tags, **{key.lower(): value for key, value in file.tags(k + 1).items()}}
    texts = (_number(own.get(key), k, file.count) for key in ("_fillvalue", "missing_value"))
    stated = [number for number in texts if number is not None]
    if not file.dtypes[k].startswith(("int", "uint")):
        # Tags that stayed behind when the numbers were decoded: there the first counts.
        return tuple(([float(known)] if known is not None else stated)[:1])
    return tuple(dict.fromkeys([*([] if known is None else [float(known)]), *stated]))


def _number(text: str | None, k: int, count: int) -> float | None:
    """A number as tags have it: "0.0001", "0.0001f", "[0.0001]", or one for each of the bands."""
    parts = re.split(r"[\s,;]+", (text or "").strip(" \t\n[](){}"))
    if len(parts) not in (1, count):
        return None
    try:
        number = float(re.sub(r"(?<=[\d.])[fFdDlL]$", "", parts[k if len(parts) > 1 else 0]))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def held_nodata(nodata: float | None, dtype: np.dtype) -> float | None:
    """A nodata as numbers of this type have it; None where none of them can be it.

    Args:
        nodata: As stated: infinity, or -9999 of bytes, as some products do.
        dtype: Of the stored numbers.
    """
    if nodata is None:
        return None
    if math.isnan(nodata):
        return math.nan if dtype.kind == "f" else None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return float(dtype.type(nodata))
    limits = np.iinfo(dtype)
    whole = math.isfinite(nodata) and nodata == int(nodata)
    return nodata if whole and limits.min <= nodata <= limits.max else None


def masks_of(
    file: rasterio.DatasetReader, band: int, spectral: Collection[int]
) -> tuple[int, bool]:
    """What beside nodata tells where a band means nothing: an alpha band's number, or a mask.

    Args:
        file: Opened by rasterio.
        band: Its number.
        spectral: Numbers of the bands that are no alpha band, whatever the file calls them.

    Returns:
        The number of the alpha band, 0 for none, and whether the band has a mask beside it: of
        the whole file, or of its own.
    """
    from rasterio.enums import MaskFlags

    alpha = alpha_band(file)
    if alpha == band or alpha in spectral:
        alpha = 0
    made = {MaskFlags.all_valid, MaskFlags.alpha, MaskFlags.nodata}  # by GDAL, of what is known
    return alpha, made.isdisjoint(file.mask_flag_enums[band - 1])


def alpha_band(file: rasterio.DatasetReader) -> int:
    """Number of the band that says which pixels are transparent, 0 where there is none.

    Args:
        file: Opened by rasterio.
    """
    if file.count < 2:
        return 0
    names = [meaning.name for meaning in file.colorinterp]
    return names.index("alpha") + 1 if "alpha" in names else 0
