"""From stored numbers to physical values: scale, offset and nodata, decided for each item.

Never by date and never twice. Since processing baseline 04.00 Sentinel-2 products carry an offset
of -1000 (ESA, Sentinel-2 Products Specification Document 14.9: BOA_ADD_OFFSET);
archives are reprocessed, providers take it out or leave it in, some declare it though it is out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from eolab.catalog.items.bands import common_name
from eolab.catalog.items.parsed import Layer, Origin, ParsedItem
from eolab.errors import InvalidInputError

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
        unit: Of the values, as the item states it; "1" for shares such as reflectance.
        origins: Where each of scale, offset, nodata and unit was found.
    """

    scale: float
    offset: float
    nodata: float | None
    rule: str
    unit: str = "1"
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)


def radiometry(item: ParsedItem, layer: Layer) -> Radiometry:
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
    family = item.sensor
    if layer.role == "classes":
        return _found(layer, 1.0, 0.0, layer.nodata, "classes")
    if family == "sentinel-2":
        # Aerosol, water vapour and the like declare other scales.
        if layer.scale is not None and abs(layer.scale - _REFLECTANCE) > 1e-9:
            return _as_declared(layer, 0.0)
        return _sentinel_2(item, layer)
    if family in ("hls-s30", "hls-l30"):
        nodata = -9999.0 if layer.nodata is None else layer.nodata
        return _found(layer, layer.scale or _REFLECTANCE, layer.offset or 0.0, nodata, "HLS")
    level_2 = "l2" in (item.collection or "").lower() or "_SR" in item.id or "_L2S" in item.id
    if family in ("landsat-oli", "landsat-tm") and layer.scale is None and level_2:
        return _landsat(item, layer)
    return _as_declared(layer, None)


def _sentinel_2(item: ParsedItem, layer: Layer) -> Radiometry:
    # Zero is nodata in every Sentinel-2 product; some items forget to say so.
    nodata = 0.0 if layer.nodata is None else layer.nodata
    if item.offset_applied:
        return _found(layer, _REFLECTANCE, 0.0, nodata, "offset applied by the provider")
    version = item.baseline
    if version is None:
        scale = _REFLECTANCE if layer.scale is None else layer.scale
        return _found(layer, scale, layer.offset or 0.0, nodata, "as declared, no baseline")
    if version >= OFFSET_SINCE:
        return _found(layer, _REFLECTANCE, -0.1, nodata, "baseline 04.00 or later")
    return _found(layer, _REFLECTANCE, 0.0, nodata, "baseline before 04.00")


def _landsat(item: ParsedItem, layer: Layer) -> Radiometry:
    # USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide, table 6-1.
    name = common_name(item, layer)
    if name in OPTICAL:
        return _found(layer, 2.75e-5, -0.2, 0.0, "Landsat Collection 2 Level 2")
    if name.startswith("lwir"):
        rule = "Landsat Collection 2 Level 2, kelvin"
        return _found(layer, 0.00341802, 149.0, 0.0, rule, "kelvin")
    return _as_declared(layer, None)


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


def to_oli(item: ParsedItem, layer: Layer, rule: Radiometry) -> Radiometry:
    """The rule followed by the band-pass adjustment of Sentinel-2 to Landsat OLI.

    Landsat and HLS items stay as they are.

    Raises:
        InvalidInputError: A Sentinel-2 band or satellite without published coefficients.
    """
    if item.sensor != "sentinel-2":
        return rule
    satellite = (item.platform or "")[-1:].lower()
    name = common_name(item, layer)
    if satellite not in _TO_OLI or name not in _TO_OLI[satellite]:
        raise InvalidInputError(
            f"no HLS coefficients for {name} of {item.platform}",
            "They exist for sentinel-2a and -2b: coastal, blue, green, red, nir08, swir16, swir22.",
        )
    slope, intercept = _TO_OLI[satellite][name]
    return replace(
        rule,
        scale=rule.scale * slope,
        offset=rule.offset * slope + intercept,
        rule=f"{rule.rule}, brought to OLI",
        origins={**rule.origins, "scale": "user", "offset": "user"},
    )


def _as_declared(layer: Layer, nodata: float | None) -> Radiometry:
    scale = 1.0 if layer.scale is None else layer.scale
    known = nodata if layer.nodata is None else layer.nodata
    return _found(layer, scale, layer.offset or 0.0, known, "as declared")


def _found(
    layer: Layer,
    scale: float,
    offset: float,
    nodata: float | None,
    rule: str,
    unit: str = "1",
) -> Radiometry:
    """The decision, with where each number is from: as the layer declares it, else by the rule."""
    decided = {"scale": scale, "offset": offset, "nodata": nodata}
    origins: dict[str, Origin] = {
        name: layer.origins.get(name, "none")
        if value is None or value is getattr(layer, name) or value == getattr(layer, name)
        else "rule"
        for name, value in decided.items()
    }
    for name, neutral in (("scale", 1.0), ("offset", 0.0)):
        if getattr(layer, name) is None and decided[name] == neutral:
            origins[name] = "none"
    origins["unit"] = "rule" if layer.unit is None else layer.origins["unit"]
    return Radiometry(scale, offset, nodata, rule, layer.unit or unit, origins)
