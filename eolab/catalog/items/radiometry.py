"""From stored numbers to physical values: scale, offset and nodata, decided for each item.

Never by date and never twice. Since processing baseline 04.00 Sentinel-2 products carry an offset
of -1000 (ESA, Sentinel-2 Products Specification Document 14.9: BOA_ADD_OFFSET);
archives are reprocessed, providers take it out or leave it in, some declare it though it is out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eolab.catalog.items.bands import CATEGORIES, Band, common_name, sensor, stated_bands
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pystac

OFFSET_SINCE = (4, 0)  # processing baseline of Sentinel-2
_REFLECTANCE = 0.0001
OPTICAL = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22")  # of Landsat


@dataclass(frozen=True)
class Radiometry:
    """value = number * scale + offset, where number is not nodata.

    Attributes:
        scale: Factor.
        offset: Added after the factor.
        nodata: Stored number that means nothing; None where there is none.
        rule: Which line of the table decided, for people.
        unit: Of the values; "1" for shares such as reflectance.
    """

    scale: float
    offset: float
    nodata: float | None
    rule: str
    unit: str = "1"


def radiometry(item: pystac.Item, band: Band) -> Radiometry:
    """How the numbers of this band of this item become values.

    The table, first match counts:

    ==========================================  ==========================================
    what the item says                          what is done
    ==========================================  ==========================================
    a classification or quality layer           nothing
    Sentinel-2, `boa_offset_applied` is true    scale 0.0001, no offset, whatever is declared
    Sentinel-2, baseline 04.00 or later         scale 0.0001, offset -0.1, declared or not
    Sentinel-2, an earlier baseline             scale 0.0001, no offset
    Sentinel-2 without a baseline               as declared, else scale 0.0001
    HLS                                         scale 0.0001
    Landsat Collection 2 Level 2, undeclared    reflectance 2.75e-5 - 0.2; surface temperature
                                                0.00341802 + 149 (kelvin)
    anything else                               as declared, else nothing
    ==========================================  ==========================================
    """
    declared = _declared(item, band)
    family = sensor(item)
    if {band.asset.lower(), band.name.lower()} & CATEGORIES:
        return Radiometry(1.0, 0.0, declared.nodata, "classes")
    if family == "sentinel-2":
        # Aerosol, water vapour and the like declare other scales.
        if declared.scale is not None and abs(declared.scale - _REFLECTANCE) > 1e-9:
            return _as_declared(declared, 0.0)
        return _sentinel_2(item, declared)
    if family in ("hls-s30", "hls-l30"):
        nodata = -9999.0 if declared.nodata is None else declared.nodata
        return Radiometry(declared.scale or _REFLECTANCE, declared.offset or 0.0, nodata, "HLS")
    level_2 = "l2" in (item.collection_id or "").lower() or "_SR" in item.id or "_L2S" in item.id
    if family in ("landsat-oli", "landsat-tm") and declared.scale is None and level_2:
        return _landsat(item, band, declared)
    return _as_declared(declared, None)


def _sentinel_2(item: pystac.Item, declared: _Declared) -> Radiometry:
    # Zero is nodata in every Sentinel-2 product; some items forget to say so.
    nodata = 0.0 if declared.nodata is None else declared.nodata
    if item.properties.get("earthsearch:boa_offset_applied") is True:
        return Radiometry(_REFLECTANCE, 0.0, nodata, "offset applied by the provider")
    version = baseline(item)
    if version is None:
        scale = _REFLECTANCE if declared.scale is None else declared.scale
        return Radiometry(scale, declared.offset or 0.0, nodata, "as declared, no baseline")
    if version >= OFFSET_SINCE:
        return Radiometry(_REFLECTANCE, -0.1, nodata, "baseline 04.00 or later")
    return Radiometry(_REFLECTANCE, 0.0, nodata, "baseline before 04.00")


def _landsat(item: pystac.Item, band: Band, declared: _Declared) -> Radiometry:
    # USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide, table 6-1.
    name = common_name(item, band)
    if name in OPTICAL:
        return Radiometry(2.75e-5, -0.2, 0.0, "Landsat Collection 2 Level 2")
    if name.startswith("lwir"):
        rule = "Landsat Collection 2 Level 2, kelvin"
        return Radiometry(0.00341802, 149.0, 0.0, rule, "kelvin")
    return _as_declared(declared, None)


# OLI = slope * MSI + intercept, by satellite and band: HLS User Guide 2.0, table 5 (Claverie et al.
# 2018, doi:10.1016/j.rse.2018.09.002).
_TO_OLI = {
    "a": {
        "coastal": (0.9959, -0.0002),
        "blue": (0.9778, -0.0040),
        "green": (1.0053, -0.0009),
        "red": (0.9765, 0.0009),
        "nir08": (0.9983, -0.0001),
        "swir16": (0.9987, -0.0011),
        "swir22": (1.0030, -0.0012),
    },
    "b": {
        "coastal": (0.9959, -0.0002),
        "blue": (0.9778, -0.0040),
        "green": (1.0075, -0.0008),
        "red": (0.9761, 0.0010),
        "nir08": (0.9966, 0.0000),
        "swir16": (1.0000, -0.0003),
        "swir22": (0.9867, 0.0004),
    },
}


def to_oli(item: pystac.Item, band: Band, rule: Radiometry) -> Radiometry:
    """The rule followed by the band-pass adjustment of Sentinel-2 to Landsat OLI.

    Landsat and HLS items stay as they are.

    Raises:
        InvalidInputError: A Sentinel-2 band or satellite without published coefficients.
    """
    if sensor(item) != "sentinel-2":
        return rule
    satellite = str(item.properties.get("platform", ""))[-1:].lower()
    name = common_name(item, band)
    if satellite not in _TO_OLI or name not in _TO_OLI[satellite]:
        raise InvalidInputError(
            f"no HLS coefficients for {name} of {item.properties.get('platform')}",
            "They exist for sentinel-2a and -2b: coastal, blue, green, red, nir08, swir16, swir22.",
        )
    slope, intercept = _TO_OLI[satellite][name]
    return Radiometry(
        rule.scale * slope,
        rule.offset * slope + intercept,
        rule.nodata,
        f"{rule.rule}, brought to OLI",
    )


def baseline(item: pystac.Item) -> tuple[int, ...] | None:
    """Processing baseline, such as (5, 11), or None."""
    for key in ("s2:processing_baseline", "processing:version", "sentinel:processing_baseline"):
        value = item.properties.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:05.2f}"
        if isinstance(value, str):
            plain = value.lstrip("Nn")
            parts = (
                [plain[:2], plain[2:]] if len(plain) == 4 and "." not in plain else plain.split(".")
            )
            if all(part.isdigit() for part in parts):
                return tuple(int(part) for part in parts)
    return None


@dataclass(frozen=True)
class _Declared:
    scale: float | None
    offset: float | None
    nodata: float | None


def _declared(item: pystac.Item, band: Band) -> _Declared:
    asset = item.assets[band.asset]
    stated = stated_bands(asset)
    own: Mapping[str, object] = stated[band.index - 1] if band.index <= len(stated) else {}

    def first(*keys: str) -> float | None:
        for place in (own, asset.extra_fields):
            for key in keys:
                value = place.get(key)
                if value == "nan":
                    return float("nan")
                if isinstance(value, int | float) and not isinstance(value, bool):
                    return float(value)
        return None

    return _Declared(
        first("raster:scale", "scale"), first("raster:offset", "offset"), first("nodata")
    )


def _as_declared(declared: _Declared, nodata: float | None) -> Radiometry:
    scale = 1.0 if declared.scale is None else declared.scale
    known = nodata if declared.nodata is None else declared.nodata
    return Radiometry(scale, declared.offset or 0.0, known, "as declared")
