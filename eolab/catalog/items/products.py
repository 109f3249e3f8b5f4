"""What the publishers of products say of their numbers: one table, with its sources.

It counts last, where neither the user nor the item nor the file says anything, and only for what
the table names: this layer of this product, stored as these whole numbers. An item is of a product
where it says so by its platform or by the product's whole identifier. Part of a file's name or of a
collection's id proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pystac

Quantity = Literal[
    "surface reflectance",
    "top of atmosphere reflectance",
    "temperature",
    "classes",
    "probability",
    "uncalibrated",
    "picture",
    "other",
]

_DIVISOR = 100.0  # a file's scale of so much or more is meant to divide
_U8, _U16, _I16 = ("uint8",), ("uint16",), ("int16",)
_16 = ("uint16", "int16")
_INTEGERS = ("uint8", "uint16", "int16", "int32", "uint32")


@dataclass(frozen=True)
class LayerRule:
    """How some layers of a product are stored: value = number * scale + offset.

    Attributes:
        layers: Regular expression of the layers' names, whole, capitals do not count.
        shown: The layers, for people.
        quantity: What the values are.
        scale: Factor.
        offset: Added after the factor.
        unit: Of the values; None where it has none.
        nodata: Stored number that means nothing; None where every number is a value.
        types: Data types in which the product is published: no other is meant.
    """

    layers: str
    shown: str
    quantity: Quantity
    scale: float = 1.0
    offset: float = 0.0
    unit: str | None = None
    nodata: float | None = None
    types: tuple[str, ...] = _16

    def names(self, name: str) -> bool:
        """Whether a layer's name is one of these."""
        return _compiled(self.layers).fullmatch(name) is not None


@dataclass(frozen=True)
class PublishedProduct:
    """One published product.

    Attributes:
        name: For people.
        source: Where its numbers are described.
        rules: Of its layers, the first that names one counts.
        sensor: Key of the table of bands.
        divides: Its files state a scale of 10000 by which numbers are to be divided.
    """

    name: str
    source: str
    rules: tuple[LayerRule, ...]
    sensor: str | None = None
    divides: bool = False

    def factor(self, stated: float) -> float:
        """The factor that a file's stated scale means: in some products it divides."""
        return 1 / stated if self.divides and stated >= _DIVISOR else stated

    def rule(self, *names: str | None) -> LayerRule | None:
        """The rule of a layer by the first of its names that the table knows."""
        for name in names:
            for rule in self.rules:
                if name and rule.names(name):
                    return rule
        return None

    def rule_of_file(self, href: str) -> LayerRule | None:
        """The rule of a file that is called as the publisher calls it, with its scene and band."""
        name = href.partition("?")[0].replace("\\", "/").rpartition("/")[2].partition(".")[0]
        return self.rule(name) if _SCENE_FILE.match(name) else None


@lru_cache(maxsize=256)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


_PICTURE = LayerRule(
    r"(?:\w+_)?(?:visual|tci|true[-_]?colou?r)(?:[-_]\d+m)?(?:-jp2)?|preview|overview|rendered_preview",
    "visual, TCI, preview",
    "picture",
    types=_U8,
)


def _sentinel_2(quantity: Quantity) -> tuple[LayerRule, ...]:
    names = (
        "coastal|blue|green|red|nir|nir0[89]|rededge(?:[1-4]|07[158])|water_vapour|cirrus"
        "|swir(?:16|22)"
    )
    native = r"(?:T?\d{2}[A-Z]{3}_\d{8}T\d{6}_)?B(?:0?[1-9]|1[0-2]|8A)(?:_\d+m)?"
    prefix = r"(?:(?:L2A_)?T\d{2}[A-Z]{3}_\d{8}T\d{6}_)?"
    tail = r"(?:_\d+m)?(?:-jp2)?"
    return (
        _PICTURE,
        LayerRule(
            rf"{native}(?:-jp2)?|(?:{names})(?:-jp2)?",
            "B01 to B12, B8A",
            quantity,
            1e-4,
            unit="1",
            nodata=0,
        ),
        LayerRule(rf"{prefix}AOT{tail}", "AOT", "other", 1e-3, unit="1", nodata=0),
        LayerRule(rf"{prefix}WVP{tail}", "WVP", "other", 1e-3, unit="cm", nodata=0),
        LayerRule(rf"{prefix}SCL{tail}", "SCL", "classes", nodata=0, types=_U8),
        LayerRule(
            r"cld|cloud|cloud_probability|snow|snow_probability|snw|MSK_(?:CLD|SNW)PRB(?:_\d+m)?(?:-jp2)?",
            "CLD, SNW",
            "probability",
            unit="percent",
            types=_U8,
        ),
    )


_S2_SOURCE = (
    "ESA, Sentinel-2 Products Specification Document 14.9, and"
    " sentiwiki.copernicus.eu/web/s2-products"
)
SENTINEL_2_L2A = PublishedProduct(
    "Sentinel-2 Level-2A", _S2_SOURCE, _sentinel_2("surface reflectance"), "sentinel-2"
)
SENTINEL_2_L1C = PublishedProduct(
    "Sentinel-2 Level-1C",
    _S2_SOURCE,
    _sentinel_2("top of atmosphere reflectance"),
    "sentinel-2",
)

_HLS_SOURCE = "HLS Product User Guide 2.0, tables 6 to 10"
_HLS_MORE = (
    LayerRule("SZA|SAA|VZA|VAA", "SZA, SAA, VZA, VAA", "other", 0.01, unit="degree", nodata=40000),
    LayerRule("fmask", "Fmask", "classes", nodata=255, types=_U8),
)
HLS_S30 = PublishedProduct(
    "HLS S30 v2",
    _HLS_SOURCE,
    (
        LayerRule(
            r"B(?:0?[1-9]|1[0-2]|8A)|coastal|blue|green|red|rededge[1-3]|nir|nir0[89]|cirrus|swir(?:16|22)",
            "B01 to B12, B8A",
            "surface reflectance",
            1e-4,
            unit="1",
            nodata=-9999,
            types=_I16,
        ),
        *_HLS_MORE,
    ),
    "hls-s30",
)
HLS_L30 = PublishedProduct(
    "HLS L30 v2",
    _HLS_SOURCE,
    (
        LayerRule(
            r"B(?:0?[1-7]|0?9)|coastal|blue|green|red|nir|nir08|cirrus|swir(?:16|22)",
            "B01 to B07, B09",
            "surface reflectance",
            1e-4,
            unit="1",
            nodata=-9999,
            types=_I16,
        ),
        LayerRule(
            "B1[01]|lwir1[12]",
            "B10, B11 (thermal)",
            "temperature",
            0.01,
            unit="degree_Celsius",
            nodata=-9999,
            types=_I16,
        ),
        *_HLS_MORE,
    ),
    "hls-l30",
)

_LANDSAT = r"(?:L[COTEM]0\d_\w+?_)?"
_KELVIN_SOURCE = (
    "USGS, Landsat 8-9 Collection 2 Level 2 Science Product Guide (LSDS-1619) and Landsat 4-7"
    " (LSDS-1618), tables of band specifications"
)
LANDSAT_C2_L2 = PublishedProduct(
    "Landsat Collection 2 Level-2",
    _KELVIN_SOURCE,
    (
        LayerRule(
            rf"{_LANDSAT}SR_B[1-7]|B0?[1-57]|coastal|blue|green|red|nir|nir08|swir(?:16|22)",
            "SR_B1 to SR_B7",
            "surface reflectance",
            2.75e-5,
            -0.2,
            "1",
            0,
            _U16,
        ),
        LayerRule(
            rf"{_LANDSAT}ST_B(?:6|10)|B10|lwir|lwir11",
            "ST_B6, ST_B10",
            "temperature",
            0.00341802,
            149.0,
            "kelvin",
            0,
            _U16,
        ),
        LayerRule(
            rf"{_LANDSAT}ST_QA|qa", "ST_QA", "other", 0.01, unit="kelvin", nodata=-9999, types=_I16
        ),
        LayerRule(
            rf"{_LANDSAT}ST_(?:EMIS|EMSD|ATRAN)|emis|emsd|atran",
            "ST_EMIS, ST_EMSD, ST_ATRAN",
            "other",
            1e-4,
            unit="1",
            nodata=-9999,
            types=_I16,
        ),
        LayerRule(
            rf"{_LANDSAT}ST_(?:DRAD|URAD|TRAD)|drad|urad|trad",
            "ST_DRAD, ST_URAD, ST_TRAD",
            "other",
            1e-3,
            unit="W m-2 sr-1 um-1",
            nodata=-9999,
            types=_I16,
        ),
        LayerRule(
            rf"{_LANDSAT}ST_CDIST|cdist",
            "ST_CDIST",
            "other",
            0.01,
            unit="km",
            nodata=-9999,
            types=_I16,
        ),
        LayerRule(
            rf"{_LANDSAT}SR_ATMOS_OPACITY|atmos_opacity",
            "SR_ATMOS_OPACITY",
            "other",
            1e-3,
            unit="1",
            nodata=-9999,
            types=_I16,
        ),
        LayerRule(rf"{_LANDSAT}(?:QA_PIXEL)", "QA_PIXEL", "classes", nodata=1, types=_U16),
        LayerRule(rf"{_LANDSAT}SR_QA_AEROSOL|qa_aerosol", "SR_QA_AEROSOL", "classes", types=_U8),
        LayerRule(
            rf"{_LANDSAT}(?:QA_RADSAT|SR_CLOUD_QA)|cloud_qa",
            "QA_RADSAT, SR_CLOUD_QA",
            "classes",
            types=_INTEGERS,
        ),
    ),
)
LANDSAT_L1 = PublishedProduct(
    "Landsat Collection 2 Level-1",
    "USGS, Landsat 8-9 OLI/TIRS Collection 2 Level 1 Data Format Control Book (LSDS-1822): factors"
    " are in each scene's MTL file, which eo.load(calibrate=) reads",
    (
        LayerRule(rf"{_LANDSAT}QA_PIXEL", "QA_PIXEL", "classes", nodata=1, types=_U16),
        LayerRule(rf"{_LANDSAT}QA_RADSAT", "QA_RADSAT", "classes", types=_INTEGERS),
        LayerRule(
            rf"{_LANDSAT}(?:SAA|SZA|VAA|VZA)",
            "SAA, SZA, VAA, VZA",
            "other",
            0.01,
            unit="degree",
            nodata=0,
            types=_I16,
        ),
        LayerRule(
            rf"{_LANDSAT}B\d+(?:_VCID_[12])?|coastal|blue|green|red|nir|nir0[89]|cirrus|swir(?:16|22)"
            r"|pan|lwir|lwir1[12]",
            "all bands",
            "uncalibrated",
            nodata=0,
            types=("uint8", "uint16"),
        ),
    ),
)
SENTINEL_1_GRD = PublishedProduct(
    "Sentinel-1 GRD",
    "ESA, Sentinel-1 Product Specification (S1-RS-MDA-52-7441): factors are in each product's"
    " calibration tables",
    (LayerRule("vv|vh|hh|hv", "VV, VH, HH, HV", "uncalibrated", nodata=0, types=_U16),),
)

_MODIS_09 = LayerRule(
    r"sur_refl_b0[1-7](?:_\d)?|red|green|blue|nir08|swir\d*",
    "sur_refl_b01 to b07",
    "surface reflectance",
    1e-4,
    unit="1",
    nodata=-28672,
    types=_I16,
)
MODIS_09 = PublishedProduct(
    "MODIS MOD09, MYD09",
    "MODIS Surface Reflectance User's Guide, Collection 6.1",
    (_MODIS_09,),
    divides=True,
)
MODIS_13 = PublishedProduct(
    "MODIS MOD13, MYD13",
    "MODIS Vegetation Index User's Guide, Collection 6.1",
    (
        LayerRule(
            r"(?:[\w. ]*(?:16_days|monthly)_)?(?:NDVI|EVI)",
            "NDVI, EVI",
            "other",
            1e-4,
            unit="1",
            nodata=-3000,
            types=_I16,
        ),
        LayerRule(
            r"(?:[\w. ]*(?:16_days|monthly)_)?(?:red|nir|blue|mir)_reflectance",
            "red, NIR, blue, MIR reflectance",
            "surface reflectance",
            1e-4,
            unit="1",
            nodata=-1000,
            types=_I16,
        ),
    ),
    divides=True,
)
MODIS_11 = PublishedProduct(
    "MODIS MOD11, MYD11",
    "MODIS Land Surface Temperature Products User's Guide, Collection 6.1",
    (
        LayerRule(
            "LST_(?:Day|Night)_1km|LST",
            "LST_Day_1km, LST_Night_1km",
            "temperature",
            0.02,
            unit="kelvin",
            nodata=0,
            types=_U16,
        ),
        LayerRule("Emis_3[12]", "Emis_31, Emis_32", "other", 0.002, 0.49, "1", nodata=0, types=_U8),
    ),
)
MODIS_43 = PublishedProduct(
    "MODIS MCD43A4",
    "MODIS BRDF and Albedo User Guide, Collection 6.1",
    (
        LayerRule(
            "Nadir_Reflectance_Band[1-7]",
            "Nadir_Reflectance_Band1 to 7",
            "surface reflectance",
            1e-4,
            unit="1",
            nodata=32767,
            types=_I16,
        ),
    ),
)
VIIRS_09 = PublishedProduct(
    "VIIRS VNP09, VJ109",
    "VIIRS Surface Reflectance User's Guide 2.0",
    (
        LayerRule(
            r"SurfReflect_[IM]\d+(?:_\d)?|I[123]|M\d+",
            "SurfReflect_I1 to I3, M1 to M11",
            "surface reflectance",
            1e-4,
            unit="1",
            nodata=-28672,
            types=_I16,
        ),
    ),
    divides=True,
)
WORLDCOVER = PublishedProduct(
    "ESA WorldCover",
    "ESA WorldCover Product User Manual 2.0",
    (LayerRule("map|esa_worldcover\\w*|data", "map", "classes", nodata=0, types=_U8),),
)
PRODUCTS = (
    SENTINEL_2_L2A, SENTINEL_2_L1C, HLS_S30, HLS_L30, LANDSAT_C2_L2, LANDSAT_L1, SENTINEL_1_GRD,
    MODIS_09, MODIS_11, MODIS_13, MODIS_43, VIIRS_09, WORLDCOVER,
)  # fmt: skip
# Published as they are meant, so nothing is done: real numbers, or classes with their own nodata.
AS_STORED: Mapping[str, str] = {
    "Sentinel-1 RTC": "linear power, float32, NaN outside (OPERA RTC-S1 Product Specification)",
    "Copernicus DEM": "metres over EGM2008 of the surface, float32; 0 is a height, and there is no"
    " tile over the ocean (Copernicus DEM Product Handbook 5.0)",
    "PlanetScope": "numbers as delivered: factors of radiance and of reflectance are in each"
    " scene's XML, which eo.load(calibrate=) reads; surface reflectance is published times 10000"
    " (Planet Imagery Product Specification): give scale=0.0001",
    "ERA5": "read as CF netCDF: packed numbers become values by their own scale_factor and"
    " add_offset (ECMWF, ERA5 data documentation)",
}

# How the files of a scene begin that have its name: Landsat's and Sentinel-2's.
_SCENE_FILE = re.compile(r"L[COTEM]0\d_L\w{3}_\d{6}_\d{8}_|(?:L2A_)?T\d{2}[A-Z]{3}_\d{8}T\d{6}_")
# Whole identifiers, as the providers build them.
_TILE = r"T?\d{1,2}[C-X][A-Z]{2}"
_S2_IDS = (
    rf"S2[A-D]_MSI(?P<level>L1C|L2A)_\d{{8}}T\d{{6}}(?:_N(?P<baseline>\d{{4}}))?_R\d{{3}}_{_TILE}(?:_\d{{8}}T\d{{6}})?(?:\.SAFE)?",
    rf"S2[A-D]_{_TILE}_\d{{8}}(?:T\d{{6}})?(?:_\d+)?_(?P<level>L1C|L2A)",
)
_HLS_ID = rf"HLS\.(?P<kind>[LS]30)\.{_TILE}\.\d{{7}}T\d{{6}}\.v\d+\.\d+"
_HLS_COLLECTION = r"HLS(?P<kind>[LS]30)(?:[._]v?2\.0|[._]002)?|hls2-(?P<other>[ls]30)"
_LANDSAT_ID = (
    r"L[COTEM]0\d_L(?P<level>[12])\w{2}_\d{6}_\d{8}(?:_\d{8})?_(?P<collection>0[12])_(?:T1|T2|RT|A1|A2)"
    r"(?:_(?:SR|ST|TOA|ALB))?"
)
_LANDSAT_FILE = rf"{_LANDSAT_ID}_(?:B\d+|[A-Z]{{2}}_\w+)\.tiff?"
_LANDSAT_COLLECTION = (
    r"landsat-c2-l(?P<level>[12])|landsat-c2l(?P<other>[12])(?:-(?:sr|st))?|landsat-c2ard-(?:sr|st)"
)
_NASA_ID = (
    r"(?P<short>(?:MOD|MYD|MCD|VNP|VJ1|VJ2)\w{2,6})\.A\d{7}(?:\.h\d{2}v\d{2})?\.\d{3}"
    r"\.\d{7,13}(?:\.\w+)?"
)
_NASA: Mapping[str, PublishedProduct] = {
    r"M[OY]D09\w*": MODIS_09,
    r"M[OY]D11\w*": MODIS_11,
    r"M[OY]D13\w*": MODIS_13,
    r"MCD43A4": MODIS_43,
    r"V(?:NP|J1|J2)09\w*": VIIRS_09,
}


def _whole(expression: str, text: str | None) -> Mapping[str, str | None] | None:
    found = _compiled(expression).fullmatch(text or "")
    return None if found is None else found.groupdict()


def plain_platform(item: pystac.Item) -> str:
    """Name of the satellite in one spelling: "LANDSAT_8" and "Landsat 8" are "landsat-8"."""
    text = str(item.properties.get("platform") or "").strip().lower()
    text = re.sub(r"[\s_]+", "-", text)
    return re.sub(r"^(landsat|sentinel)(?=\d)", r"\1-", text)


def baseline_of_id(name: str) -> tuple[int, ...] | None:
    """The processing baseline in the whole name of a Sentinel-2 product, None in other names."""
    found = _whole(_S2_IDS[0], name)
    text = None if found is None else found["baseline"]
    return None if text is None else (int(text[:2]), int(text[2:]))


def product_of(item: pystac.Item) -> PublishedProduct | None:
    """The published product that an item says it is, None where it does not say.

    Args:
        item: The item.

    Example:
        >>> from eolab.catalog.items.products import product_of
        >>> product_of(items[0]).name
        'Sentinel-2 Level-2A'
    """
    finders: tuple[Callable[[pystac.Item], PublishedProduct | None], ...] = (
        _hls, _nasa, _landsat, _sentinel, _radar, _worldcover,
    )  # fmt: skip
    return next((found for finder in finders if (found := finder(item)) is not None), None)


def _hls(item: pystac.Item) -> PublishedProduct | None:
    for found in (_whole(_HLS_ID, item.id), _whole(_HLS_COLLECTION, item.collection_id)):
        if found is not None:
            kind = str(found["kind"] or found.get("other")).upper()
            return HLS_L30 if kind == "L30" else HLS_S30
    return None


def _nasa(item: pystac.Item) -> PublishedProduct | None:
    found = _whole(_NASA_ID, item.id)
    return None if found is None else product_by_short_name(str(found["short"]))


def product_by_short_name(short: str) -> PublishedProduct | None:
    """A product of NASA's by its short name, such as "MOD13Q1"."""
    return next((product for key, product in _NASA.items() if _whole(key, short) is not None), None)


def _landsat(item: pystac.Item) -> PublishedProduct | None:
    level, collection = None, item.properties.get("landsat:collection_number")
    if (found := _landsat_name(item)) is not None:
        level, collection = found["level"], found["collection"]
    elif not re.fullmatch(r"landsat-\d", plain_platform(item)):
        return None
    if level is None:
        stated = str(item.properties.get("landsat:correction") or "")
        stated = stated or str(item.properties.get("processing:level") or "")
        if (said := re.fullmatch(r"L([12])\w*", stated.upper())) is not None:
            level = said[1]
        elif (whole := _whole(_LANDSAT_COLLECTION, item.collection_id)) is not None:
            level, collection = whole["level"] or whole["other"] or "2", "02"
    if level == "1":
        return LANDSAT_L1
    # Level 2 of Collection 1 has other factors, and none of them is in this table.
    return LANDSAT_C2_L2 if level == "2" and collection in ("02", 2, None) else None


def _landsat_name(item: pystac.Item) -> Mapping[str, str | None] | None:
    """The parts of the whole identifier: of the item, its title, or the files as USGS calls them.

    Some archives (Digital Earth Africa) give items ids of their own and leave the files as they
    are. Files of two products are none.
    """
    for name in (item.id, item.properties.get("title")):
        if isinstance(name, str) and (found := _whole(_LANDSAT_ID, name)) is not None:
            return found
    if not re.fullmatch(r"landsat-\d", plain_platform(item)):
        return None
    files = [asset.href.partition("?")[0].rpartition("/")[2] for asset in item.assets.values()]
    named = [found for file in files if (found := _whole(_LANDSAT_FILE, file)) is not None]
    same = {tuple(sorted(found.items(), key=str)) for found in named}
    return named[0] if len(same) == 1 else None


def _sentinel(item: pystac.Item) -> PublishedProduct | None:
    level = ""
    for expression in _S2_IDS:
        if (found := _whole(expression, item.id)) is not None:
            level = str(found["level"])
    properties = item.properties
    if not level and not (
        re.fullmatch(r"sentinel-2[a-d]?", plain_platform(item))
        or str(properties.get("constellation") or "").lower() == "sentinel-2"
    ):
        return None
    stated = [properties.get(k) for k in ("s2:product_type", "product:type", "processing:level")]
    texts = [level, *(str(text).upper() for text in stated if text)]
    return SENTINEL_2_L1C if any("1C" in text for text in texts) else SENTINEL_2_L2A


def _radar(item: pystac.Item) -> PublishedProduct | None:
    is_grd = str(item.properties.get("sar:product_type", "")).upper() == "GRD"
    return SENTINEL_1_GRD if is_grd and plain_platform(item).startswith("sentinel-1") else None


def _worldcover(item: pystac.Item) -> PublishedProduct | None:
    whole = _whole(r"ESA_WorldCover_10m_20\d\d_v\d{3}_[NS]\d{2}[EW]\d{3}(?:_Map)?", item.id)
    return None if whole is None else WORLDCOVER


def table_rows() -> list[str]:
    """The table as rows of Markdown, for the documentation."""
    rows = []
    for product in PRODUCTS:
        for rule in product.rules:
            nodata = "none" if rule.nodata is None else f"{rule.nodata:g}"
            done = "as stored" if (rule.scale, rule.offset) == (1, 0) else f"x {rule.scale:g}"
            done += f" {rule.offset:+g}" if rule.offset else ""
            rows.append(
                f"| {product.name} | {rule.shown} | {rule.quantity} | {done} | {rule.unit or ''} |"
                f" {nodata} | {', '.join(rule.types)} |"
            )
    return rows
