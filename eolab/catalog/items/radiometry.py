"""From stored numbers to physical values: scale, offset and nodata, decided for each layer.

In this order: the user's own word; what the item declares for that asset and band; numbers that are
decoded already are left alone; the file's own tags; and last what the product's publisher says
(`products`), for the layers and data types that it names. Real numbers are never scaled by a rule.

Never by date and never twice. Since processing baseline 04.00 Sentinel-2 products carry an offset
of -1000 (ESA, Sentinel-2 Products Specification Document 14.9: BOA_ADD_OFFSET);
archives are reprocessed, providers take it out or leave it in, some declare it though it is out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from eolab.catalog.items.bands import common_name
from eolab.catalog.items.file_facts import FileFacts
from eolab.catalog.items.parsed import Layer, Origin, ParsedItem
from eolab.catalog.items.products import (
    SENTINEL_2_L1C,
    SENTINEL_2_L2A,
    LayerRule,
    PublishedProduct,
    Quantity,
    plain_platform,
    product_by_short_name,
)
from eolab.errors import InvalidInputError

_Fact = TypeVar("_Fact", float, str)
OFFSET_SINCE = (4, 0)  # processing baseline of Sentinel-2
_REFLECTANCE = 0.0001
_REFLECTANCES = ("surface reflectance", "top of atmosphere reflectance")


@dataclass(frozen=True)
class UserValues:
    """The user's own word on a layer; None where nothing was said.

    Attributes:
        scale: Factor; without an offset none is added.
        offset: Added after the factor.
        nodata: Stored number that means nothing.
    """

    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None


@dataclass(frozen=True)
class Radiometry:
    """value = number * scale + offset, where number is not nodata.

    Attributes:
        scale: Factor.
        offset: Added after the factor.
        nodata: Stored number that means nothing; None where there is none.
        rule: Which line of the table decided, for people.
        unit: Of the values: as stated, else by the product's table; None where nobody says.
            "1" for shares such as reflectance.
        origins: Where each of scale, offset, nodata and unit was found.
        quantity: What the values are, where the product's table knows it.
        data_type: Of the stored numbers, as far as it is known.
        thermal: K1 and K2 of a thermal band: values become K2 / ln(K1 / value + 1).
        more_nodata: Other stored numbers that mean nothing.
    """

    scale: float
    offset: float
    nodata: float | None
    rule: str
    unit: str | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)
    quantity: Quantity | None = None
    data_type: str | None = None
    thermal: tuple[float, float] | None = None
    more_nodata: tuple[float, ...] = ()


def radiometry(
    item: ParsedItem,
    layer: Layer,
    *,
    given: UserValues | None = None,
    file: FileFacts | None = None,
) -> Radiometry:
    """How the numbers of this band of this item become values.

    Of Sentinel-2 reflectance, whose providers contradict themselves, the first match counts:

    ==========================================  ==========================================
    what the item says                          what is done
    ==========================================  ==========================================
    `boa_offset_applied` is true                scale 0.0001, no offset, whatever is declared
    an offset of 0                              scale 0.0001, no offset
    baseline 04.00 or later                     scale 0.0001, offset -0.1, declared or not
    an earlier baseline                         scale 0.0001, no offset
    no baseline                                 as declared, else scale 0.0001
    ==========================================  ==========================================

    Args:
        item: The item.
        layer: Of the item.
        given: The user's own word.
        file: What the file says; without it the rest is decided as if it said nothing.
    """
    data_type = layer.data_type if file is None else file.data_type
    product = item.product
    if product is None and file is not None and file.short_name is not None:
        product = product_by_short_name(file.short_name)
    rule = _published(product, item, layer, data_type)
    found = _decide(item, layer, product, rule, data_type, file)
    quantity = None if rule is None else rule.quantity
    if rule is None and (layer.role == "classes" or _by_palette(layer, file, found)):
        quantity = "classes"
    elif quantity == "uncalibrated" and (found.scale, found.offset) != (1.0, 0.0):
        quantity = None  # the item gives the factors that the product lacks
    more = () if found.origins["nodata"] == "user" else layer.more_nodata
    found = replace(found, quantity=quantity, data_type=data_type, more_nodata=more)
    return found if given is None else _with_user_values(found, given)


def _by_palette(layer: Layer, file: FileFacts | None, found: Radiometry) -> bool:
    """Whether a palette says that numbers are names, and nobody that they are measured."""
    plain = (found.scale, found.offset) == (1.0, 0.0) and layer.unit is None
    return plain and file is not None and file.palette


def _published(
    product: PublishedProduct | None, item: ParsedItem, layer: Layer, data_type: str | None
) -> LayerRule | None:
    """The product's rule for a layer, where it is stored as it was published."""
    if product is None:
        return None
    rule = named_rule(product, item, layer)
    return rule if rule is None or data_type is None or data_type in rule.types else None


def named_rule(
    product: PublishedProduct | None, item: ParsedItem, layer: Layer
) -> LayerRule | None:
    """The product's rule for a layer by its names, last by that of its file, however it is stored.

    Args:
        product: That the item is of.
        item: The item.
        layer: Of the item.
    """
    if product is None:
        return None
    rule = product.rule(layer.asset, layer.name, layer.common)
    # B6 is one band of each sensor and another of the next: what it is called there tells.
    rule = rule or product.rule(common_name(item, layer))
    # Archives call assets as they like, and leave the files as they are.
    return product.rule_of_file(layer.href) if rule is None and layer.count == 1 else rule


def _decide(
    item: ParsedItem,
    layer: Layer,
    product: PublishedProduct | None,
    rule: LayerRule | None,
    data_type: str | None,
    file: FileFacts | None,
) -> Radiometry:
    nodata, nodata_of = _first(
        (layer.nodata, layer.origins.get("nodata", "none")),
        (None if file is None else file.nodata, "file"),
        (_rule_nodata(layer, rule, data_type), "rule"),
    )
    unit, unit_of = _first(
        (layer.unit, layer.origins.get("unit", "none")),
        (None if file is None else file.unit, "file"),
        (None if rule is None else rule.unit, "rule"),
    )

    def made(
        scale: float, scale_of: Origin, offset: float, offset_of: Origin, why: str
    ) -> Radiometry:
        origins: dict[str, Origin] = {
            "scale": scale_of,
            "offset": offset_of,
            "nodata": nodata_of,
            "unit": unit_of,
        }
        return Radiometry(scale, offset, nodata, why, unit, origins)

    if layer.origins.get("scale") == "user" and layer.scale is not None:
        offset_of = layer.origins.get("offset", "none")
        return made(layer.scale, "user", layer.offset or 0.0, offset_of, "as given by the user")
    if layer.origins.get("offset") == "user" and layer.offset is not None:
        # The factor is whose it was: an addend says nothing of it.
        rest = replace(layer, offset=None, origins={**layer.origins, "offset": "none"})
        factor = _decide(item, rest, product, rule, data_type, file)
        scale_of = factor.origins["scale"]
        return made(factor.scale, scale_of, layer.offset, "user", "as given by the user")
    classes = layer.role == "classes" if rule is None else rule.quantity == "classes"
    factors = file is not None and file.scale is not None
    if classes and not (rule is None and factors):
        return made(1.0, "none", 0.0, "none", "classes")
    if rule is not None and _is_sentinel_2(product, rule, layer):
        return made(*_sentinel_2(item, layer, file))
    if layer.scale is not None or layer.offset is not None:
        published = named_rule(product, item, layer)
        if _decoded(layer, data_type, published):
            return made(1.0, "none", 0.0, "none", "decoded already: real numbers are not scaled")
        return made(
            1.0 if layer.scale is None else layer.scale,
            layer.origins.get("scale", "none"),
            layer.offset or 0.0,
            layer.origins.get("offset", "none"),
            "as declared",
        )
    if file is not None and (file.scale is not None or file.offset is not None):
        stated = 1.0 if file.scale is None else file.scale
        scale = stated if product is None else product.factor(stated)
        why = "as the file says" + ("" if scale == stated else ", whose scale divides")
        return made(scale, "file", file.offset or 0.0, "file", why)
    if rule is None or (rule.scale, rule.offset) == (1.0, 0.0):
        plain = "uncalibrated" if rule is not None and rule.quantity == "uncalibrated" else None
        why = f"{product.name}: uncalibrated numbers" if plain and product else "as declared"
        return made(1.0, "none", 0.0, "none", why)
    assert product is not None, "a rule is of a product"
    offset_of = "rule" if rule.offset else "none"
    return made(rule.scale, "rule", rule.offset, offset_of, f"{product.name}, {rule.shown}")


def _first(
    *stated: tuple[_Fact | None, Origin],
) -> tuple[_Fact | None, Origin]:
    """The first fact that somebody states."""
    return next(((fact, origin) for fact, origin in stated if fact is not None), (None, "none"))


def _rule_nodata(layer: Layer, rule: LayerRule | None, data_type: str | None) -> float | None:
    if rule is not None:
        return rule.nodata
    # Sentinel-2's scene classification by its own name: its zero is no class, whoever stores it.
    named = layer.role == "classes" and layer.asset.upper() == "SCL"
    is_scl = named and data_type in (None, "uint8")
    return 0.0 if is_scl else None


def _decoded(layer: Layer, data_type: str | None, published: LayerRule | None) -> bool:
    """Whether numbers that are packed as whole ones, as declared or published, arrive as real."""
    kinds = [None if text is None else np.dtype(text).kind for text in (layer.data_type, data_type)]
    packed = kinds[0] in ("u", "i") or (
        published is not None and all(np.dtype(text).kind in "ui" for text in published.types)
    )
    return packed and kinds[1] == "f"


def _is_sentinel_2(product: PublishedProduct | None, rule: LayerRule, layer: Layer) -> bool:
    """Whether this is its reflectance, which others than the publisher scale in no other way."""
    if product not in (SENTINEL_2_L2A, SENTINEL_2_L1C) or rule.quantity not in _REFLECTANCES:
        return False
    return layer.scale is None or math.isclose(layer.scale, _REFLECTANCE, rel_tol=1e-6)


def _sentinel_2(
    item: ParsedItem, layer: Layer, file: FileFacts | None
) -> tuple[float, Origin, float, Origin, str]:
    scale_of: Origin = "rule" if layer.scale is None else layer.origins.get("scale", "none")
    stated = None if layer.offset is None else (layer.offset, layer.origins.get("offset", "none"))
    if stated is None and file is not None and file.offset is not None:
        stated = (file.offset, "file")

    def given(offset: float, why: str) -> tuple[float, Origin, float, Origin, str]:
        same = stated is not None and math.isclose(stated[0], offset, abs_tol=1e-9)
        origin: Origin = stated[1] if same and stated else "rule"
        if stated is None and offset == 0:
            origin = "none"
        return _REFLECTANCE, scale_of, offset, origin, why

    if item.offset_applied is True:
        return given(0.0, "offset applied by the provider")
    version = item.baseline
    if version is None:
        return given(0.0 if stated is None else stated[0], "as declared, no baseline")
    if version < OFFSET_SINCE:
        return given(0.0, "baseline before 04.00")
    if stated is not None and stated[0] == 0 and item.offset_applied is None:
        return given(0.0, "offset declared as none")
    return given(-0.1, "baseline 04.00 or later")


def _with_user_values(found: Radiometry, given: UserValues) -> Radiometry:
    """With the user's own word, which counts before all."""
    origins = dict(found.origins)
    scale, offset, nodata = found.scale, found.offset, found.nodata
    if given.scale is not None:
        scale, offset = given.scale, 0.0
        origins |= {"scale": "user", "offset": "user"}
    if given.offset is not None:
        offset = given.offset
        origins["offset"] = "user"
    if given.nodata is not None:
        nodata = given.nodata
        origins["nodata"] = "user"
        found = replace(found, more_nodata=())
    scaled = given.scale is not None or given.offset is not None
    found = replace(found, scale=scale, offset=offset, nodata=nodata, origins=origins)
    if not scaled or found.quantity == "classes":
        return found
    # Of what the user's own factors make nobody else knows the unit.
    origins["unit"] = "none"
    return replace(found, rule="as given by the user", unit=None, origins=origins)


# OLI = slope * MSI + intercept, by satellite and band: HLS User Guide 2.0, table 5 (Claverie et al.
# 2018, doi:10.1016/j.rse.2018.09.002); of Sentinel-2C as the HLS project computes with since 2025
# (github.com/NASA-IMPACT/hls-sentinel, hls_libs/L8like/bandpass_parameter.S2C.txt).
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
    "c": {
        "coastal": (1.003, 0.0),
        "blue": (0.9851, -0.0027),
        "green": (1.0038, -0.0009),
        "red": (0.9718, 0.0011),
        "nir08": (0.9995, -0.0003),
        "swir16": (0.9994, -0.0007),
        "swir22": (0.991, 0.0004),
    },
}


def to_oli(item: ParsedItem, layer: Layer, rule: Radiometry) -> Radiometry:
    """The rule followed by the band-pass adjustment of Sentinel-2 to Landsat OLI.

    Landsat and HLS items stay as they are; so do classes.

    Raises:
        InvalidInputError: A Sentinel-2 band or satellite without published coefficients.
    """
    if item.sensor != "sentinel-2" or rule.quantity == "classes":
        return rule
    satellite = _satellite(item)
    name = common_name(item, layer)
    if satellite not in _TO_OLI:
        raise InvalidInputError(
            f"no HLS coefficients for {name} of {item.platform} (item {item.id})",
            "They are published for sentinel-2a, -2b and -2c: leave the item out, or load without"
            " harmonise.",
        )
    if name not in _TO_OLI[satellite]:
        raise InvalidInputError(
            f"no HLS coefficients for {name} of {item.platform} (item {item.id})",
            "They are published for coastal, blue, green, red, nir08, swir16, swir22.",
        )
    slope, intercept = _TO_OLI[satellite][name]
    return replace(
        rule,
        scale=rule.scale * slope,
        offset=rule.offset * slope + intercept,
        rule=f"{rule.rule}, brought to OLI",
        origins={**rule.origins, "scale": "user", "offset": "user"},
    )


def _satellite(item: ParsedItem) -> str:
    """Letter of a Sentinel-2, by the platform, else by the product's identifier; "" if unsaid."""
    for text, lead in ((plain_platform(item.item), "sentinel-2"), (item.id.lower(), "s2")):
        if text.startswith(lead) and text[len(lead) : len(lead) + 1] in tuple("abcd"):
            return text[len(lead)]
    return ""
