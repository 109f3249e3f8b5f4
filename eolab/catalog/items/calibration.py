"""Calibration by a scene's own metadata, on request: what the numbers of a Level-1 product mean.

Landsat (USGS, Landsat 8-9 Collection 2 Level 1 Data Format Control Book, LSDS-1822, and "Using the
USGS Landsat Level-1 Data Product"), by the MTL file of the scene, Q being the stored number:

- radiance L = RADIANCE_MULT * Q + RADIANCE_ADD, in W m-2 sr-1 um-1
- reflectance at the top of the atmosphere = (REFLECTANCE_MULT * Q + REFLECTANCE_ADD) divided by
  the sine of SUN_ELEVATION, the sun's height at the centre of the scene
- brightness temperature = K2_CONSTANT / ln(K1_CONSTANT / L + 1), in kelvin

PlanetScope Analytic (Planet, PlanetScope Product Specifications, "Radiometric interpretation"), by
the metadata XML of the scene, of each band:

- radiance = radiometricScaleFactor * Q, in W m-2 sr-1 um-1
- reflectance at the top of the atmosphere = reflectanceCoefficient * Q
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.documents import is_remote, read_bytes, read_object
from eolab.catalog.io.item_logins import login_of
from eolab.catalog.items.bands import native_name
from eolab.catalog.items.parsed import Layer, ParsedItem
from eolab.catalog.items.products import LANDSAT_L1, Quantity
from eolab.catalog.items.radiometry import Radiometry, named_rule
from eolab.errors import EolabError, InvalidInputError

Calibration = Literal["reflectance", "radiance", "temperature"]
CALIBRATIONS = ("reflectance", "radiance", "temperature")

_UNITS: Mapping[Calibration, tuple[str, Quantity]] = {
    "reflectance": ("1", "top of atmosphere reflectance"),
    "radiance": ("W m-2 sr-1 um-1", "other"),
    "temperature": ("kelvin", "temperature"),
}
# Groups of the MTL file that are about Level 1: that of Level 2 has others of the same keys.
_GROUPS = {
    "LEVEL1_RADIOMETRIC_RESCALING", "LEVEL1_THERMAL_CONSTANTS", "IMAGE_ATTRIBUTES",
    "RADIOMETRIC_RESCALING", "TIRS_THERMAL_CONSTANTS", "THERMAL_CONSTANTS",
}  # fmt: skip
_MTL = re.compile(r"(?:.*_)?MTL\.(?:json|txt)", re.IGNORECASE)
_PLANET = re.compile(
    r"(?P<scene>\d{8}_\d{6}_\w+?_\d[AB]_AnalyticMS)(?P<bands>_8b)?(?P<clip>_clip)?\.tiff?"
)
_PLANET_XML = re.compile(r"\d{8}_\d{6}_\w+?_AnalyticMS(?:_8b)?_metadata(?:_clip)?\.xml")
_REMARK = re.compile(r"<!--.*?-->", re.DOTALL)
_BLOCK = re.compile(
    r"<(?:\w+:)?bandSpecificMetadata\b[^>]*>(.*?)</(?:\w+:)?bandSpecificMetadata>", re.DOTALL
)
_FACTOR = re.compile(
    r"<(?:\w+:)?(bandNumber|radiometricScaleFactor|reflectanceCoefficient)\b[^>]*>\s*([^<\s]+)\s*<"
)


def calibrated(
    item: ParsedItem, layer: Layer, found: Radiometry, wanted: Calibration, *, all_bands: bool
) -> Radiometry:
    """How numbers become calibrated values, by the metadata of the scene.

    Args:
        item: The item.
        layer: Of the item.
        found: How they become values without.
        wanted: What they are to become.
        all_bands: The call says it of all its bands: layers that are no measured ones stay.

    Raises:
        InvalidInputError: The product is not known here, its metadata are missing, or say nothing
            of the band.
    """
    if item.product is LANDSAT_L1:
        # With factors that the item gives they are no longer uncalibrated.
        measured = named_rule(LANDSAT_L1, item, layer)
        if all_bands and measured is not None and measured.quantity != "uncalibrated":
            return found
        return _landsat(item, layer, found, wanted)
    if all_bands and found.quantity == "classes":
        return found
    if (named := _PLANET.fullmatch(_file_name(layer.href))) is not None:
        return _planet(item, layer, found, wanted, named)
    product = "its product is not known" if item.product is None else f"it is {item.product.name}"
    raise InvalidInputError(
        f"calibrate={wanted!r}: {layer.asset!r} of item {item.id} cannot be calibrated: {product}",
        "Landsat Level-1 and PlanetScope AnalyticMS scenes can, by their metadata file. Leave"
        " calibrate= out, or give the factors yourself: scale=, offset=.",
    )


def _landsat(item: ParsedItem, layer: Layer, found: Radiometry, wanted: Calibration) -> Radiometry:
    facts = _mtl(item, layer)
    band = _landsat_band(item, layer)

    def fact(key: str) -> float:
        if key not in facts:
            raise InvalidInputError(
                f"calibrate={wanted!r}: the MTL file of item {item.id} states no {key}, which"
                f" {layer.asset!r} needs",
                "Thermal bands have a temperature, others a reflectance, all a radiance: say it by"
                " band, calibrate={'red': 'reflectance', 'lwir11': 'temperature'}.",
            )
        return facts[key]

    thermal = None
    if wanted == "reflectance":
        sun = fact("SUN_ELEVATION")
        if not 0 < sun <= 90:
            raise InvalidInputError(
                f"calibrate='reflectance': the sun is at {sun:g} degrees in item {item.id}",
                "At night there is none: load the radiance.",
            )
        height = math.sin(math.radians(sun))
        scale = fact(f"REFLECTANCE_MULT_BAND_{band}") / height
        offset = fact(f"REFLECTANCE_ADD_BAND_{band}") / height
        how = f"the sun at {sun:g} degrees"
    else:
        if wanted == "temperature":
            thermal = (fact(f"K1_CONSTANT_BAND_{band}"), fact(f"K2_CONSTANT_BAND_{band}"))
        scale = fact(f"RADIANCE_MULT_BAND_{band}")
        offset = fact(f"RADIANCE_ADD_BAND_{band}")
        how = "" if thermal is None else f"K1 {thermal[0]:g}, K2 {thermal[1]:g}"
    made = _made(found, wanted, scale, offset, f"{wanted} by the scene's MTL file")
    return replace(made, rule=f"{made.rule}, {how}" if how else made.rule, thermal=thermal)


def _made(
    found: Radiometry, wanted: Calibration, scale: float, offset: float, rule: str
) -> Radiometry:
    unit, quantity = _UNITS[wanted]
    origins = {**found.origins, "scale": "metadata", "offset": "metadata", "unit": "metadata"}
    nodata = found.nodata
    if nodata is None:  # in either product 0 is the fill, whatever type it is kept in
        nodata, origins["nodata"] = 0.0, "rule"
    return replace(
        found,
        scale=scale,
        offset=offset,
        nodata=nodata,
        rule=rule,
        unit=unit,
        quantity=quantity,
        origins=origins,
    )


def _landsat_band(item: ParsedItem, layer: Layer) -> str:
    """Number of a band as the MTL file writes it: "4", or "6_VCID_1" of ETM+."""
    for name in (_file_name(layer.href).partition(".")[0], layer.asset, layer.name):
        if (found := re.search(r"(?:^|_)B(\d{1,2}(?:_VCID_[12])?)$", name.upper())) is not None:
            return found[1]
    native = native_name(item, layer)
    if native is None:
        raise InvalidInputError(
            f"which band of Landsat {layer.asset!r} of item {item.id} is, nobody says",
            "Ask for one by its number, such as B4, or leave calibrate= out for it.",
        )
    return native.removeprefix("B")


def _mtl(item: ParsedItem, layer: Layer) -> Mapping[str, float]:
    near = _file_name(layer.href).rpartition("_B")[0] or item.id
    if (known := item.opened.get(f"{near}_MTL")) is not None:
        assert isinstance(known, dict)
        return known
    href = _document(item, layer, _MTL, (f"{near}_MTL.json", f"{near}_MTL.txt"), "MTL")
    text = _text(item, href)
    facts = _of_json(text) if text.lstrip().startswith("{") else _of_text(text)
    if not facts:
        raise InvalidInputError(
            f"{href} of item {item.id} states no LEVEL1_RADIOMETRIC_RESCALING",
            "It should be the MTL file of a Level-1 scene: check it, or leave calibrate= out.",
        )
    item.opened[f"{near}_MTL"] = facts
    return facts


def _of_json(text: str) -> dict[str, float]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    groups = next(iter(document.values()), None) if isinstance(document, dict) else None
    facts: dict[str, float] = {}
    for name, group in groups.items() if isinstance(groups, dict) else ():
        if name in _GROUPS and isinstance(group, dict):
            facts |= {key: n for key, value in group.items() if (n := _number(value)) is not None}
    return facts


def _of_text(text: str) -> dict[str, float]:
    facts: dict[str, float] = {}
    group = ""
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "GROUP":
            group = value
        elif group in _GROUPS and (number := _number(value)) is not None:
            facts[key] = number
    return facts


def _number(value: object) -> float | None:
    try:
        number = float(str(value).strip('"'))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _planet(
    item: ParsedItem,
    layer: Layer,
    found: Radiometry,
    wanted: Calibration,
    named: re.Match[str],
) -> Radiometry:
    if wanted == "temperature":
        raise InvalidInputError(
            f"calibrate='temperature': PlanetScope has no thermal band (item {item.id})",
            "Ask for the reflectance or the radiance.",
        )
    wide, clip = named["bands"] or "", named["clip"] or ""
    file = f"{named['scene']}{wide}_metadata{clip}.xml"
    known = item.opened.get(file)
    if known is None:
        text = _text(item, _document(item, layer, _PLANET_XML, (file,), "metadata"))
        plain = _REMARK.sub("", text)
        blocks = [dict(_FACTOR.findall(block)) for block in _BLOCK.findall(plain)]
        known = item.opened[file] = {block.get("bandNumber"): block for block in blocks}
    assert isinstance(known, dict)
    key = {"reflectance": "reflectanceCoefficient", "radiance": "radiometricScaleFactor"}[wanted]
    factor = _number(known.get(str(layer.index), {}).get(key))
    if factor is None:
        raise InvalidInputError(
            f"calibrate={wanted!r}: the metadata file of item {item.id} states no {key} of band"
            f" {layer.index}, which {layer.name!r} is",
            "Take the metadata file of this very scene, or leave calibrate= out.",
        )
    return _made(found, wanted, factor, 0.0, f"{wanted} by the scene's metadata file")


def _document(
    item: ParsedItem, layer: Layer, named: re.Pattern[str], beside: tuple[str, ...], what: str
) -> str:
    """Address of the metadata: an asset of the item, else a file beside a local raster.

    Raises:
        InvalidInputError: There is none.
    """
    hrefs = [asset.href for asset in item.item.assets.values()]
    hits = [href for href in hrefs if named.fullmatch(_file_name(href))]
    # Of several scenes in one item each has its own.
    own = [href for href in hits if _file_name(href) in beside]
    same = {href.partition("?")[0].rpartition(".")[0] for href in hits}  # as JSON and as text
    if own or len(same) == 1:
        return (own or hits)[0]
    for file in local_files(layer.href):
        for name in beside:
            if (path := Path(file).with_name(name)).is_file():
                return str(path)
    raise InvalidInputError(
        f"calibrate=: item {item.id} has no {what} file, which tells what the numbers of"
        f" {layer.asset!r} mean",
        f"Put {beside[0]} beside the raster, or name it among the item's assets; or leave"
        " calibrate= out: the numbers stay as they are stored.",
    )


def _text(item: ParsedItem, href: str) -> str:
    login = login_of(item.item)
    store = href.startswith("s3://")
    address = href if login is None or store else login.signed(href)
    if not is_remote(address) and not store and "://" in address:
        raise InvalidInputError(
            f"calibrate=: {href} of item {item.id} is read over HTTP, from an S3 store or from"
            " disk only",
            "Download the scene with its metadata first: eo.download(..., assets=[...]).",
        )
    try:
        found = read_object(href, login) if store else read_bytes(address, login)
        return found.decode("utf-8", "replace")
    except EolabError as error:
        raise type(error)(f"calibrate=: {error.message} (item {item.id})", error.hint) from error


def _file_name(href: str) -> str:
    return href.partition("?")[0].replace("\\", "/").rpartition("/")[2]
