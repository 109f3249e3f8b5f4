"""The kinds of layers that `benchmarks.archive` draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pystac
import rasterio
import xarray as xr
from affine import Affine

from benchmarks.archive_cases import (
    GRIDS,
    REAL,
    SIDE,
    TURNED,
    WHOLE,
    Case,
    Draw,
    Grid,
    Truth,
    band_fields,
    holds,
    item,
    nodata_for,
    numbers_of,
    put,
    values_of,
    write_tif,
    write_vrt,
)

FACTORS = (
    (0.0001, 0.0), (0.01, 0.0), (2.75e-5, -0.2), (0.1, -273.15), (10.0, 0.0), (-0.5, 3.0),
    (1.0, 100.0), (0.0001, -0.1), (1 / 3, 0.0),
)  # fmt: skip


@dataclass
class Layer:
    """One band as it is drawn: the numbers, and who says what of them."""

    dtype: str
    numbers: np.ndarray
    values: np.ndarray
    stated: dict[str, object]  # by the item
    file: dict[str, float] = field(default_factory=dict)  # nodata, scale and offset by the file


def draw_layer(
    draw: Draw,
    grid: Grid,
    *,
    block: int = 1,
    dtype: str | None = None,
    masked: np.ndarray | None = None,
    file_nodata: float | None = None,
    may_file: bool = True,
    words: str = "",
    stated_too: bool = True,
    user: Mapping[str, float] | None = None,
) -> Layer:
    """A band of no product: dtype, nodata and scale, each said by the item, the file, or nobody."""
    dtype = dtype or draw.one(*WHOLE, *REAL, "uint8", "int16", "uint16", "float32")
    numbers = numbers_of(draw, dtype, grid, block)
    stated: dict[str, object] = {}
    told: dict[str, float] = {}
    if draw.often(0.7):
        stated["data_type"] = dtype
    own: float | None = None
    if draw.often(0.5):
        own = nodata_for(draw, dtype, odd=draw.often(0.15))
        stated["nodata"] = own
    if file_nodata is None and may_file and draw.often(0.4):
        same = own is not None and draw.often(0.5)
        file_nodata = own if same else nodata_for(draw, dtype, odd=False)
        if not holds(dtype, file_nodata) and dtype not in REAL:
            file_nodata = None
    if file_nodata is not None:
        told["nodata"] = file_nodata
    if stated_too:
        put(draw, numbers, own, block)
    else:
        own = None
        stated.clear()
    put(draw, numbers, file_nodata, block)
    if dtype in REAL and draw.often(0.4):
        put(draw, numbers, float("nan"), block)
    scale, offset = 1.0, 0.0
    who = draw.one("none", "none", "item", "item", "file" if may_file else "item", "both")
    if who in ("item", "both"):
        scale, offset = draw.one(*FACTORS)
        part = draw.one("all", "all", "scale", "offset") if who == "item" else "all"
        if part in ("all", "scale"):
            stated["scale"] = scale
        if part in ("all", "offset"):
            stated["offset"] = offset
        scale, offset = (scale if part != "offset" else 1.0), (offset if part != "scale" else 0.0)
    if who in ("file", "both") and may_file:
        told["scale"], told["offset"] = draw.one(*FACTORS)
        if who == "file":
            scale, offset = told["scale"], told["offset"]
    if draw.often(0.3) and words:
        stated["unit"] = words
    nothing = [own, file_nodata]
    if user:
        scale = user.get("scale", scale)
        offset = user.get("offset", 0.0 if "scale" in user else offset)
        if "nodata" in user:
            put(draw, numbers, user["nodata"], block)
            nothing = [user["nodata"]]
    values = values_of(numbers, nothing, masked, scale, offset)
    return Layer(dtype, numbers, values, stated, told)


def write_layers(draw: Draw, layers: Sequence[Layer], grid: Grid, **more: object) -> str:
    """One file of bands of one type; one whose bands differ in what it says is a VRT."""
    told = [layer.file for layer in layers]
    bands = [layer.numbers for layer in layers]
    if all(one == told[0] for one in told) or len(layers) == 1:
        facts = told[0]
        factors = "scale" in facts
        # As other formats say it, and programs that converted them left it.
        as_tags = factors and layers[0].dtype in WHOLE and draw.often(0.3)
        names = {"scale": "scale_factor", "offset": "add_offset"}
        tags = {names[k]: repr(v) for k, v in facts.items() if as_tags and k in names}
        plain = factors and not as_tags
        return write_tif(
            draw.path(), bands, grid, nodata=facts.get("nodata"), tags=tags,
            scales=[facts["scale"]] * len(bands) if plain else None,
            offsets=[facts["offset"]] * len(bands) if plain else None, **more,
        )  # fmt: skip
    source = write_tif(draw.path(), bands, grid)
    names = {"nodata": "NoDataValue", "offset": "Offset", "scale": "Scale"}
    facts = [{names[k]: v for k, v in one.items()} for one in told]
    return write_vrt(draw.path(suffix=".vrt"), source, len(bands), layers[0].dtype, grid, facts)


def truth(layer: Layer, name: str, time: datetime, grid: Grid, of: str, band: str = "") -> Truth:
    return Truth(name, time, grid, layer.values, layer.numbers, of, band or name)


TRAPS = (
    ("S2A_flood", "own"), ("LC08_ndvi_2021", "landsat-lst"), ("HLS_map", "hls-water"),
    ("MOD13_mine", "modis"), ("sentinel-2-l2a_classes", "sentinel-2-ndvi"), ("field", "own"),
    ("S2_mosaic", "sentinel-2-l2a-mosaic"), ("ESA_WorldCover_change", "esa-worldcover-change"),
    ("L8_composite", "landsat-c2-l2-composites"), ("dem", "cop-dem-derived"),
)  # fmt: skip
PLACES = {"1.0.0": ("band",), "1.1.0": ("band", "asset", "item")}
KEYS = (
    "B04",
    "red",
    "data",
    "SR_B4",
    "SCL",
    "AOT",
    "ndvi",
    "LST_Day_1km",
    "vv",
    "lwir11",
    "map",
    "QA_PIXEL",
)


def declared(draw: Draw) -> Case:
    """One scene of no product, read by its item."""
    grid = draw.one(*GRIDS)
    trap, collection = draw.one(*TRAPS)
    name, time = draw.id(trap), draw.time()
    key = draw.one(*KEYS)
    variable = draw.one(key, "mine")
    load: dict[str, object] = {"bands": {variable: key}}
    user: dict[str, float] = {}
    raw = draw.often(0.2)
    if draw.often(0.25) and not raw:
        if draw.often(0.7):
            user["scale"] = draw.one(0.01, 2.0, -1.0)
        if draw.often(0.4):
            user["offset"] = draw.one(5.0, -0.1)
        if draw.often(0.5) or not user:
            user["nodata"] = draw.one(0.0, 7.0, 255.0)
        load |= {k: draw.one(v, {variable: v}) for k, v in user.items()}
    masked = draw.rng.random(grid.shape) < 0.2 if draw.often(0.3) else None
    layer = draw_layer(draw, grid, masked=masked, user=user)
    if key in ("SCL", "QA_PIXEL"):
        _measured(layer)
    more: dict[str, object] = {}
    if masked is not None:
        # GDAL takes no mask beside a nodata that the file itself tells.
        layer.file.pop("nodata", None)
        layer.values = _again(layer, masked, user)
        more = {"mask": masked, "internal": draw.often(0.5)}
    version, place = draw.one(*((v, p) for v in ("1.0.0", "1.1.0") for p in PLACES[v]))
    fields, properties = band_fields(version, place, [{"name": key, **layer.stated}])
    href = write_layers(draw, [layer], grid, **more)
    may_refuse = raw and layer.dtype == "uint64"
    made = item(
        name, time, grid, {key: (href, fields)}, version=version, collection=collection,
        proj=draw.one("asset", "item", "code", "none"), **properties,
    )  # fmt: skip
    kind = f"declared {layer.dtype} {version} {place}" + (" raw" if raw else "")
    case = Case(kind, [truth(layer, variable, time, grid, name, key)], load, [made])
    case.may_refuse = may_refuse
    if draw.often(0.15):
        case.load["chunks"] = {"x": 7, "y": 7}
    if raw:
        case.load["raw"] = True
    case.zone = draw.often(0.3) and grid.crs == "EPSG:32633"
    return case


def _again(layer: Layer, masked: np.ndarray | None, user: Mapping[str, float]) -> np.ndarray:
    """Its values, by what is said now."""
    stated, told = layer.stated, layer.file
    by_item = "scale" in stated or "offset" in stated
    source: Mapping[str, object] = stated if by_item else told
    scale = float(source.get("scale", 1.0))
    offset = float(source.get("offset", 0.0))
    scale, offset = (
        user.get("scale", scale),
        user.get("offset", 0.0 if "scale" in user else offset),
    )
    nothing = [user["nodata"]] if "nodata" in user else [stated.get("nodata"), told.get("nodata")]
    return values_of(layer.numbers, nothing, masked, scale, offset)


def _measured(layer: Layer) -> None:
    """Layers with a name of classes, of which nobody says more, are classes: not drawn here."""
    layer.stated.setdefault("unit", "m")
    layer.stated["data_type"] = layer.dtype


def decoded(draw: Draw) -> Case:
    """Numbers that were packed, as the item says, and arrive as real ones."""
    grid, name, time = Grid(), draw.id(), draw.time()
    numbers = numbers_of(draw, "float32", grid)
    put(draw, numbers, float("nan"))
    packed = draw.one("uint16", "int16", "uint8")
    fields, _ = band_fields(
        draw.one("1.0.0", "1.1.0"), "band",
        [{"name": "red", "data_type": packed, "nodata": 0, "scale": 0.0001, "offset": -0.1}],
    )  # fmt: skip
    layer = Layer("float32", numbers, values_of(numbers), {})
    made = item(name, time, grid, {"red": (write_layers(draw, [layer], grid), fields)})
    load: dict[str, object] = {"bands": ["red"]}
    if draw.often(0.3):
        load["chunks"] = {"x": 8, "y": 8}
    return Case("decoded", [truth(layer, "red", time, grid, name)], load, [made])


def several_bands(draw: Draw) -> Case:
    """A file of several bands, each with its own nodata and factors."""
    grid, name, time = draw.one(*GRIDS), draw.id(draw.one(*TRAPS)[0]), draw.time()
    count = int(draw.rng.integers(2, 6))
    dtype = draw.one(*WHOLE, *REAL)
    layers = [draw_layer(draw, grid, dtype=dtype) for _ in range(count)]
    names = [f"p{k}" for k in range(count)]
    version, place = draw.one(("1.0.0", "band"), ("1.1.0", "band"), ("1.1.0", "asset"))
    href = write_layers(draw, layers, grid)
    stated = [{"name": n, **layer.stated} for n, layer in zip(names, layers, strict=True)]
    fields, properties = band_fields(version, place, stated)
    made = item(name, time, grid, {"stack": (href, fields)}, version=version, **properties)
    picked = draw.rng.permutation(count)[: draw.one(1, 2, count)]
    load: dict[str, object] = {"bands": [names[k] for k in picked]}
    if draw.often(0.25):
        load["raw"] = True
    return Case(
        f"bands {dtype} {version} {place}",
        [truth(layers[k], names[k], time, grid, name) for k in picked],
        load,
        [made],
        may_refuse=dtype == "uint64" and "raw" in load,
    )


def alpha(draw: Draw) -> Case:
    """An alpha band tells what is transparent; a near infrared in its place does not."""
    grid, name, time = draw.one(*GRIDS[:5]), draw.id(), draw.time()
    dtype = draw.one("uint8", "uint16")
    spectral = draw.often(0.3)
    three = draw.often(0.6) or spectral
    count = 3 if three else 1
    bands = [numbers_of(draw, dtype, grid) for _ in range(count + 1)]
    hole = draw.rng.random(grid.shape) < 0.3
    bands[-1][:] = np.where(hole, 0, np.iinfo(dtype).max)
    href = write_tif(draw.path(), bands, grid, alpha=True)
    names = ["red", "green", "blue", "nir"] if three else ["pan", "alpha"]
    told = names if spectral else names[:count]
    entries = [{"name": n, "data_type": dtype} for n in told]
    fields, _ = band_fields(draw.one("1.0.0", "1.1.0"), "band", entries)
    made = item(name, time, grid, {"picture": (href, fields)})
    layers = [
        Layer(dtype, band, values_of(band, (), None if spectral else hole), {}) for band in bands
    ]
    wanted = range(len(told))
    return Case(
        "alpha" + (" is nir" if spectral else ""),
        [truth(layers[k], told[k], time, grid, name) for k in wanted],
        {"bands": told},
        [made],
    )


def mixed(draw: Draw) -> Case:
    """Scenes that differ in all but place, in one cube, under one name."""
    grid = draw.one(*GRIDS)
    layers, items = [], []
    raw = draw.often(0.2)
    wide = draw.often(0.7)
    for _ in range(int(draw.rng.integers(2, 6))):
        name, time = draw.id(draw.one(*TRAPS)[0]), draw.time()
        dtype = draw.one(
            "uint8", "int8", "int16", "uint16", "float32", "float64", "int32", "uint32"
        )
        count = draw.one(1, 1, 3, 4)
        if raw:
            dtype = draw.one("uint8", "int8", "int16", "uint16")
        band = int(draw.rng.integers(count))
        drawn = [draw_layer(draw, grid, dtype=dtype) for _ in range(count)]
        if not wide:
            for one in drawn:
                one.stated.pop("scale", None), one.stated.pop("offset", None)
                one.values = _again(one, None, {})
        version, place = draw.one(("1.0.0", "band"), ("1.1.0", "band"), ("1.1.0", "asset"))
        names = [f"p{k}" for k in range(count)]
        names[band] = "red"
        stated = [{"name": n, **one.stated} for n, one in zip(names, drawn, strict=True)]
        fields, properties = band_fields(version, place, stated)
        href = write_layers(draw, drawn, grid)
        key = draw.one("data", "image", "B02")
        items.append(
            item(
                name, time, grid, {key: (href, fields)}, version=version,
                proj=draw.one("asset", "item", "none"), **properties,
            )
        )  # fmt: skip
        layers.append(truth(drawn[band], "red", time, grid, name))
    load: dict[str, object] = {"bands": ["red"]}
    if raw:
        load["raw"] = True
    if draw.often(0.25):
        load["chunks"] = {"x": 7, "y": 7}
    order = draw.rng.permutation(len(items))
    return Case("mixed" + (" raw" if raw else ""), layers, load, [items[k] for k in order])


def tiles(draw: Draw) -> Case:
    """Two scenes side by side at one time, which differ in all but their grid."""
    left = draw.one(*GRIDS[:6])
    t = left.transform
    right = replace(left, transform=Affine(t.a, t.b, t.c + t.a * SIDE, t.d, t.e, t.f))
    time, items, layers = draw.time(), [], []
    raw = draw.often(0.25)
    for grid in (left, right):
        name = draw.id()
        dtype = draw.one("uint8", "int8", "int16", "uint16") if raw else None
        layer = draw_layer(draw, grid, dtype=dtype)
        fields, _ = band_fields("1.1.0", "band", [{"name": "red", **layer.stated}])
        key = draw.one("red", "data", "B4")
        made = {key: (write_layers(draw, [layer], grid), fields)}
        items.append(item(name, time, grid, made, version="1.1.0"))
        layers.append(truth(layer, "red", time, grid, name))
    load: dict[str, object] = {"bands": ["red"]}
    if raw:
        load["raw"] = True
    if draw.often(0.3):
        load["chunks"] = {"x": 5, "y": 9}
    # Of whole numbers of 64 bits no one is free in a cube that shows other numbers too.
    big = any(layer.numbers.dtype == "uint64" for layer in layers)
    return Case("tiles" + (" raw" if raw else ""), layers, load, items, may_refuse=raw and big)


def turned(draw: Draw) -> Case:
    """Rotated, transposed and sheared rasters, brought to a grid."""
    grid, name, time = draw.one(*TURNED), draw.id(), draw.time()
    raw = draw.often(0.3)
    dtype = draw.one("uint8", "int16", "uint16", "int32", "float32") if raw else None
    layer = draw_layer(draw, grid, block=5, dtype=dtype)
    fields, _ = band_fields("1.1.0", "band", [{"name": "data", **layer.stated}])
    href = write_layers(draw, [layer], grid)
    made = item(
        name, time, grid, {"data": (href, fields)}, version="1.1.0",
        proj=draw.one("asset", "item", "none"),
    )  # fmt: skip
    load: dict[str, object] = {"bands": ["data"]}
    if raw:
        load["raw"] = True
    return Case("turned", [truth(layer, "data", time, grid, name)], load, [made], block=5)


def warped(draw: Draw) -> Case:
    """Brought to another reference system by nearest neighbour."""
    base = draw.one(*GRIDS[:3], GRIDS[6])
    grid = replace(base, shape=(35, 35))
    name, time = draw.id(), draw.time()
    masked = None
    more: dict[str, object] = {}
    if draw.often(0.3):
        small = draw.rng.random((7, 7)) < 0.25
        masked = np.repeat(np.repeat(small, 5, 0), 5, 1)
    raw = draw.often(0.3)
    dtype = draw.one("uint8", "int16", "uint16", "int32", "float32") if raw else None
    layer = draw_layer(draw, grid, block=5, masked=masked, may_file=masked is None, dtype=dtype)
    if masked is not None:
        more = {"mask": masked, "internal": draw.often(0.5)}
    fields, _ = band_fields("1.0.0", "band", [{"name": "data", **layer.stated}])
    href = write_layers(draw, [layer], grid, **more)
    made = item(name, time, grid, {"data": (href, fields)}, proj=draw.one("asset", "none"))
    size = abs(base.transform.e) * (2 if base.crs == "EPSG:3857" else 1) / 2
    crs, resolution = draw.one(
        ("EPSG:4326", size * 7e-6), ("EPSG:3857", size), ("EPSG:32632", size),
        ("EPSG:3035", size), ("EPSG:32634", size),
    )  # fmt: skip
    load: dict[str, object] = {"bands": ["data"], "crs": crs, "resolution": resolution}
    if raw:
        load["raw"] = True
    return Case(f"warped to {crs}", [truth(layer, "data", time, grid, name)], load, [made], block=5)


def resampled(draw: Draw) -> Case:
    """One value with holes, averaged or interpolated: nothing between the value and the nodata."""
    grid = replace(Grid(), shape=(40, 40))
    name, time = draw.id(), draw.time()
    dtype = draw.one("uint8", "int16", "uint16", "float32", "int32")
    one = int(draw.rng.integers(20, 120))
    numbers = np.full(grid.shape, one, dtype)
    who = draw.one("item", "file", "mask", "alpha", "user", "nan")
    nodata = float(draw.one(0, 1 if dtype == "uint8" else -9999 if dtype == "int16" else 10000))
    if not holds(dtype, nodata):
        nodata = 0.0
    hole = draw.rng.random(grid.shape) < 0.3
    load: dict[str, object] = {
        "bands": ["data"], "resolution": draw.one(25, 40, 7), "crs": draw.one(None, "EPSG:32632"),
        "resampling": draw.one("average", "bilinear", "cubic", "lanczos"),
    }  # fmt: skip
    stated: dict[str, object] = {"data_type": dtype, "scale": 0.5, "offset": 1.0}
    bands, more = [numbers], {}
    if who == "nan":
        numbers = numbers.astype("float32")
        numbers[hole] = np.nan
        stated["data_type"], dtype, bands = "float32", "float32", [numbers]
    elif who in ("item", "file", "user"):
        numbers[hole] = nodata
        if who == "item":
            stated["nodata"] = nodata
        elif who == "file":
            more["nodata"] = nodata
        else:
            load["nodata"] = nodata
    elif who == "mask":
        more = {"mask": hole}
    else:
        dtype = "uint8"
        stated["data_type"] = dtype
        bands = [numbers.astype(dtype), np.where(hole, 0, 255).astype(dtype)]
        more = {"alpha": True}
    href = write_tif(draw.path(), bands, grid, **more)
    fields, _ = band_fields("1.0.0", "band", [{"name": "data", **stated}])
    made = item(name, time, grid, {"data": (href, fields)})
    values = np.full(grid.shape, one * 0.5 + 1.0)
    layer = Truth("data", time, grid, values, numbers, name, "data")
    return Case(f"{load['resampling']} {who}", [layer], load, [made], flat=True)


def classes(draw: Draw) -> Case:
    """Classes: by the extension, a role or a palette; as they are stored, whatever the scale."""
    grid, name, time = Grid(), draw.id(), draw.time()
    numbers = numbers_of(draw, "uint8", grid, 1) % 12
    nodata = draw.one(None, 0.0, 255.0)
    stated: dict[str, object] = {"data_type": "uint8", "nodata": nodata}
    if draw.often(0.3):
        stated["scale"] = 0.01
    fields, _ = band_fields("1.1.0", "band", [{"name": "cover", **stated}])
    listed = [{"value": k, "name": f"c{k}"} for k in range(12)]
    where = fields["bands"][0] if draw.often(0.5) else fields
    where["classification:classes"] = listed
    href = write_tif(draw.path(), [numbers], grid, palette=draw.often(0.5))
    made = item(name, time, grid, {"cover": (href, fields)}, version="1.1.0")
    values = values_of(numbers, [nodata])
    layer = Truth("cover", time, grid, values, numbers, name, "cover")
    load: dict[str, object] = {"bands": ["cover"], "resampling": draw.one("nearest", "average")}
    return Case("classes", [layer], load, [made], zone=draw.often(0.3))


# --- products, as their publishers describe them --------------------------------------------------

REFLECTANCE = (0.0001, 0.0)


@dataclass(frozen=True)
class Product:
    """Some layers of a published product: numbers, factors, nodata.

    Attributes:
        lead: Of the item's id; TIME is its time.
        layers: By key: data type, scale, offset, nodata; nodata None where every number is a value.
        properties: Of the item.
        collection: Its id.
    """

    lead: str
    layers: Mapping[str, tuple[str, float, float, float | None]]
    properties: Mapping[str, object] = field(default_factory=dict)
    collection: str | None = None


def _s2(offset: float) -> dict[str, tuple[str, float, float, float | None]]:
    return {
        "B04": ("uint16", 0.0001, offset, 0), "B8A": ("uint16", 0.0001, offset, 0),
        "AOT": ("uint16", 0.001, 0.0, 0), "WVP": ("uint16", 0.001, 0.0, 0),
        "SCL": ("uint8", 1.0, 0.0, 0),
    }  # fmt: skip


def _by_name(layers: Mapping[str, tuple[str, float, float, float | None]]) -> dict:
    names = {"B04": "red", "B8A": "nir08", "AOT": "aot", "WVP": "wvp", "SCL": "scl"}
    return {names[k]: v for k, v in layers.items()}


_C2 = {
    "SR_B4": ("uint16", 2.75e-5, -0.2, 0.0), "ST_B10": ("uint16", 0.00341802, 149.0, 0.0),
    "ST_QA": ("int16", 0.01, 0.0, -9999.0), "ST_EMIS": ("int16", 0.0001, 0.0, -9999.0),
    "ST_CDIST": ("int16", 0.01, 0.0, -9999.0), "ST_URAD": ("int16", 0.001, 0.0, -9999.0),
    "QA_PIXEL": ("uint16", 1.0, 0.0, 1.0),
}  # fmt: skip
_C2_NAMES = {
    "red": _C2["SR_B4"], "lwir11": _C2["ST_B10"], "emis": _C2["ST_EMIS"], "cdist": _C2["ST_CDIST"],
    "qa_pixel": _C2["QA_PIXEL"], "qa": _C2["ST_QA"],
}  # fmt: skip
PRODUCTS: tuple[Product, ...] = (
    Product("S2B_MSIL2A_TIMET101031_N0400_R022_T33UWP_TIMET141302", _s2(-0.1)),
    Product("S2A_MSIL2A_TIMET101031_N0301_R022_T33UWP_TIMET141302", _s2(0.0)),
    Product(
        "S2A_MSIL1C_TIMET101031_N0511_R022_T33UWP_TIMET141302", {"B04": ("uint16", 1e-4, -0.1, 0)}
    ),
    Product(
        "S2A_33UWP_TIME_0_L2A",
        _by_name(_s2(0.0)),
        {
            "platform": "sentinel-2a",
            "earthsearch:boa_offset_applied": True,
            "s2:processing_baseline": "05.11",
        },
        "sentinel-2-l2a",
    ),
    Product(
        "S2C_33UWP_TIME_0_L2A",
        _by_name(_s2(-0.1)),
        {
            "platform": "sentinel-2c",
            "earthsearch:boa_offset_applied": False,
            "s2:processing_baseline": "05.11",
        },
        "sentinel-2-l2a",
    ),
    Product(
        "S2A_33UWP_TIME_0_L2A",
        _s2(0.0),
        {
            "platform": "sentinel-2a",
            "sentinel:boa_offset_applied": True,
            "sentinel:processing_baseline": "04.00",
        },
        "sentinel-s2-l2a-cogs",
    ),
    Product(
        "scene",
        _s2(-0.1),
        {
            "platform": "Sentinel-2B",
            "constellation": "Sentinel 2",
            "s2:processing_baseline": "04.00",
        },
        "sentinel-2-l2a",
    ),
    Product("scene", _s2(0.0), {"platform": "sentinel-2b", "s2:processing_baseline": "02.14"}),
    Product(
        "HLS.S30.T33UWP.DAYT101031.v2.0",
        {
            "B04": ("int16", 1e-4, 0.0, -9999.0),
            "B10": ("int16", 1e-4, 0.0, -9999.0),
            "SZA": ("uint16", 0.01, 0.0, 40000.0),
            "Fmask": ("uint8", 1.0, 0.0, 255.0),
        },
    ),
    Product(
        "HLS.L30.T33UWP.DAYT101031.v2.0",
        {
            "B04": ("int16", 1e-4, 0.0, -9999.0),
            "B10": ("int16", 0.01, 0.0, -9999.0),
            "VAA": ("uint16", 0.01, 0.0, 40000.0),
            "Fmask": ("uint8", 1.0, 0.0, 255.0),
        },
    ),
    Product("x", {"B05": ("int16", 1e-4, 0.0, -9999.0)}, {}, "HLSL30_2.0"),
    Product("x", {"B8A": ("int16", 1e-4, 0.0, -9999.0)}, {}, "hls2-s30"),
    Product("LC08_L2SP_190027_TIME_TIME_02_T1", _C2),
    Product("LC09_L2SP_190027_TIME_02_T1", _C2_NAMES, {"platform": "landsat-9"}, "landsat-c2-l2"),
    Product("LE07_L2SP_190027_TIME_TIME_02_T1", {"SR_B4": _C2["SR_B4"], "ST_B6": _C2["ST_B10"]}),
    Product(
        "scene",
        _C2_NAMES,
        {"platform": "LANDSAT_8", "landsat:correction": "L2SP", "landsat:collection_number": "02"},
    ),
    Product(
        "LC08_L1TP_190027_TIME_TIME_02_T1",
        {"B4": ("uint16", 1.0, 0.0, 0.0), "SZA": ("int16", 0.01, 0.0, 0.0)},
    ),
    Product(
        "MOD09GA.ADAY.h18v04.061.2021140030405", {"sur_refl_b01": ("int16", 1e-4, 0.0, -28672.0)}
    ),
    Product(
        "MYD13Q1.ADAY.h18v04.061.2021140030405",
        {"250m_16_days_NDVI": ("int16", 1e-4, 0.0, -3000.0)},
    ),
    Product(
        "MOD11A1.ADAY.h18v04.061.2021140030405",
        {"LST_Day_1km": ("uint16", 0.02, 0.0, 0.0), "Emis_31": ("uint8", 0.002, 0.49, 0.0)},
    ),
    Product(
        "MCD43A4.ADAY.h18v04.061.2021140030405",
        {"Nadir_Reflectance_Band1": ("int16", 1e-4, 0.0, 32767.0)},
    ),
    Product(
        "VNP09GA.ADAY.h18v04.001.2021140030405",
        {"SurfReflect_M5_1": ("int16", 1e-4, 0.0, -28672.0)},
    ),
    Product("ESA_WorldCover_10m_2021_v200_N48E009_Map", {"map": ("uint8", 1.0, 0.0, 0.0)}),
)


def scene_of(draw: Draw, product: Product, key: str, grid: Grid) -> tuple[pystac.Item, Truth]:
    """One layer of a product as it is published, silent or said by the item or file as well."""
    time = draw.time()
    lead = product.lead.replace("TIME", f"{time:%Y%m%d}").replace("DAY", f"{time:%Y%j}")
    name = draw.id(lead) if lead in ("scene", "x") else lead
    dtype, scale, offset, nodata = product.layers[key]
    numbers = numbers_of(draw, dtype, grid)
    if dtype in WHOLE and key not in ("QA_PIXEL", "qa_pixel"):
        numbers = (numbers % min(9000, np.iinfo(dtype).max)).astype(dtype)
    put(draw, numbers, nodata)
    say = draw.one("silent", "silent", "item", "file nodata", "data type")
    stated: dict[str, object] = {}
    if say in ("item", "data type"):
        stated["data_type"] = dtype
    if say == "item":
        stated["nodata"] = nodata
        if scale != 1:
            stated |= {"scale": scale, "offset": offset}
    fields, _ = band_fields("1.0.0", "band", [{"name": key, **stated}] if stated else [{}])
    href = write_tif(draw.path(), [numbers], grid, nodata=nodata if say == "file nodata" else None)
    made = item(
        name, time, grid, {key: (href, fields)}, collection=product.collection, **product.properties
    )
    values = values_of(numbers, [nodata], None, scale, offset)
    return made, Truth(key, time, grid, values, numbers, name, key)


def product(draw: Draw) -> Case:
    """A published product, read by its item."""
    which = draw.one(*PRODUCTS)
    key = draw.one(*which.layers)
    made, layer = scene_of(draw, which, key, Grid())
    load: dict[str, object] = {"bands": [key]}
    if draw.often(0.2):
        load["raw"] = True
    return Case(f"product {which.lead[:12]} {key}", [layer], load, [made])


def not_as_published(draw: Draw) -> Case:
    """A layer of a product in a type in which it is not published, or one beside its layers."""
    which = draw.one(*PRODUCTS)
    key = draw.one(*which.layers)
    grid, time = Grid(), draw.time()
    lead = which.lead.replace("TIME", f"{time:%Y%m%d}").replace("DAY", f"{time:%Y%j}")
    dtype = draw.one("float32", "float64")
    if draw.often(0.4):
        key = draw.one("flood", "lai", "my_ndvi", "crop_mask", "height")
        dtype = draw.one("float32", "int16", "uint8", "uint16")
    numbers = numbers_of(draw, dtype, grid)
    fields, _ = band_fields("1.0.0", "band", [{"name": key, "data_type": dtype}])
    href = write_tif(draw.path(), [numbers], grid)
    made = item(
        lead, time, grid, {key: (href, fields if draw.often(0.5) else {})},
        collection=which.collection, **which.properties,
    )  # fmt: skip
    layer = Layer(dtype, numbers, values_of(numbers), {})
    # Real numbers of a scale's own nodata are values: nobody says else.
    return Case(
        f"unpublished {lead[:10]} {key} {dtype}",
        [truth(layer, key, time, grid, lead)],
        {"bands": [key]},
        [made],
    )


def products_together(draw: Draw) -> Case:
    """The red of several sensors and baselines in one cube."""
    names = {
        "B04": [p for p in PRODUCTS[:2] + PRODUCTS[8:10] if "B04" in p.layers],
        "red": [p for p in PRODUCTS if "red" in p.layers],
    }
    reds = [(p, key) for key, listed in names.items() for p in listed]
    reds += [(p, "SR_B4") for p in PRODUCTS if p.lead.startswith("LC08_L2")]
    items, layers = [], []
    for k in draw.rng.permutation(len(reds))[: int(draw.rng.integers(2, 6))]:
        which, key = reds[k]
        made, layer = scene_of(draw, which, key, Grid())
        made.assets["r"] = made.assets.pop(key)
        made.assets["r"].extra_fields.setdefault("eo:bands", [{}])[0].update(
            {"name": key, "common_name": "red"}
        )
        items.append(made)
        layers.append(replace(layer, variable="red"))
    return Case("products together", layers, {"bands": ["red"], "duplicates": "keep"}, items)


# --- what is to be refused -----------------------------------------------------------------------


def refused(draw: Draw) -> Case:
    """Inputs of which no reading is right."""
    grid, name, time = Grid(), draw.id(), draw.time()
    which = draw.one(
        "complex",
        "two units",
        "silent stack",
        "two of one name",
        "one of two",
        "digits",
        "GRD",
        "elsewhere",
    )
    band = "data"
    load: dict[str, object] = {"bands": ["data"]}
    if which == "complex":
        numbers = numbers_of(draw, "float32", grid).astype("complex64")
        href = write_tif(draw.path(), [numbers], grid)
        items, words = [item(name, time, grid, {"data": (href, {})})], ("bands=", "abs")
    elif which == "two units":
        units = draw.one(("K", "degree_Celsius"), ("m", "mm"))
        items = []
        for unit in units:
            layer = draw_layer(draw, grid, dtype="int16")
            fields, _ = band_fields(
                "1.1.0", "band", [{"name": "data", **layer.stated, "unit": unit}]
            )
            name = draw.id()
            href = write_layers(draw, [layer], grid)
            items.append(item(name, draw.time(), grid, {"data": (href, fields)}, version="1.1.0"))
        words = ("scale=",)
    elif which == "silent stack":
        bands = [numbers_of(draw, "int16", grid) for _ in range(3)]
        href = write_tif(draw.path(), bands, grid)
        items, words = [item(name, time, grid, {"data": (href, {})})], ("data.1",)
    elif which == "two of one name":
        band = "red"
        assets = {}
        for key in ("one", "two"):
            layer = draw_layer(draw, grid, dtype="int16")
            fields, _ = band_fields("1.0.0", "band", [{"common": "red", **layer.stated}])
            assets[key] = (write_layers(draw, [layer], grid), fields)
        items, words = [item(name, time, grid, assets)], ("one", "bands=")
        load = {"bands": ["red"]}
    elif which == "one of two":
        # Two assets share a file of two bands, and each names one: which is which nobody says.
        layers = [draw_layer(draw, grid, dtype="int16", may_file=False) for _ in range(2)]
        href = write_layers(draw, layers, grid)
        assets = {}
        for key in ("data", "other"):
            told = {"data_type": "int16", "scale": 0.1, "nodata": -1}
            assets[key] = (href, band_fields("1.0.0", "band", [{"name": key, **told}])[0])
        items, words = [item(name, time, grid, assets)], ("data.1",)
    elif which == "elsewhere":
        href = write_tif(draw.path(), [numbers_of(draw, "uint16", grid)], grid)
        told = draw.one(
            replace(grid, transform=Affine(10, 0, 530000, 0, -10, 5200000)),
            replace(grid, crs="EPSG:32634"),
            replace(grid, shape=(SIDE, SIDE // 2)),
            replace(grid, transform=Affine(10, 0, 500050, 0, -10, 5200000)),
        )
        items = [item(name, time, told, {"data": (href, {})})]
        words = ("geobox=",)
    elif which == "GRD":
        href = write_tif(draw.path(), [numbers_of(draw, "uint16", grid)], grid)
        radar = {"platform": "sentinel-1a", "sar:product_type": "GRD"}
        items, words = [item(name, time, grid, {"data": (href, {})}, **radar)], ("missing=", "skip")
    else:
        numbers = np.full(grid.shape, 2**60 + 1, "int64")
        href = write_tif(draw.path(), [numbers], grid)
        items, words = [item(name, time, grid, {"data": (href, {})})], ("raw=True",)
    layers = [
        Truth(
            band,
            one.datetime or time,
            grid,
            np.zeros(grid.shape),
            np.zeros(grid.shape),
            one.id,
            band,
        )
        for one in items
    ]
    return Case(f"refused: {which}", layers, load, items, refusal=words)


# --- files of one's own --------------------------------------------------------------------------

CLOCKS: tuple[tuple[str, str], ...] = (
    ("%Y%m%d", "day"), ("%Y-%m-%d", "day"), ("%Y%jT%H%M%S", "second"), ("%Y%m%dT%H%M%S", "second"),
    ("%Y%m%d_%H%M%S", "second"), ("%d.%m.%Y", "day"), ("%Y%m%d%H%M%S", "second"), ("%Y%j", "day"),
    ("%d%b%Y", "day"), ("%Y-%m-%dT%H-%M-%S", "second"), ("%Y_%m_%d", "day"),
    ("%Y%m%dT%H%M%SZ", "second"),
)  # fmt: skip
OWN = (
    "S2A_flood",
    "LC08_ndvi",
    "HLS_water",
    "MOD13_mine",
    "sentinel2_classes",
    "map",
    "Höhe",
    "a b",
)


def _clock(draw: Draw, time: datetime) -> tuple[str, datetime]:
    form, precision = draw.one(*CLOCKS)
    plain = time.replace(hour=0, minute=0, second=0) if precision == "day" else time
    return time.strftime(form), plain


def own_files(draw: Draw) -> Case:
    """A folder of one's own rasters, ingested: names, clocks, types and masks as they come."""
    grid = draw.one(*GRIDS)
    home = draw.home()
    layers = []
    raw = draw.often(0.2)
    for _ in range(int(draw.rng.integers(1, 5))):
        text, time = _clock(draw, draw.time())
        name = f"{draw.one(*OWN)}_{text}"
        masked = draw.rng.random(grid.shape) < 0.2 if draw.often(0.25) else None
        dtype = draw.one("uint8", "int8", "int16", "uint16") if raw else None
        layer = draw_layer(
            draw, grid, dtype=dtype, masked=masked, may_file=masked is None, stated_too=False
        )
        layer.stated.clear()  # there is no item yet
        if masked is None and draw.often(0.3):
            layer.file = {k: v for k, v in layer.file.items() if k == "nodata"}
        layer.values = _again(layer, masked, {})
        facts = layer.file
        write_tif(
            home / f"{name}.tif", [layer.numbers], grid, nodata=facts.get("nodata"),
            scales=[facts["scale"]] if "scale" in facts else None,
            offsets=[facts["offset"]] if "scale" in facts else None,
            mask=masked, internal=draw.often(0.5),
        )  # fmt: skip
        layers.append(truth(layer, "data", time, grid, name))
    load: dict[str, object] = {"raw": True} if raw else {}
    return Case("own files" + (" raw" if raw else ""), layers, load, files=home)


def own_stack(draw: Draw) -> Case:
    """A file of several named bands of one's own."""
    grid = draw.one(*GRIDS)
    home = draw.home()
    text, time = _clock(draw, draw.time())
    name = f"{draw.one(*OWN)}_{text}"
    dtype = draw.one(*WHOLE, *REAL)
    count = int(draw.rng.integers(2, 5))
    told = draw_layer(draw, grid, dtype=dtype).file
    layers = [draw_layer(draw, grid, dtype=dtype, stated_too=False) for _ in range(count)]
    for layer in layers:
        layer.stated.clear()
        layer.file = told
        layer.values = _again(layer, None, {})
    names = [f"p{k}" for k in range(count)]
    write_tif(
        home / f"{name}.tif", [layer.numbers for layer in layers], grid, nodata=told.get("nodata"),
        scales=[told["scale"]] * count if "scale" in told else None,
        offsets=[told["offset"]] * count if "scale" in told else None, names=names,
    )  # fmt: skip
    truths = [truth(layer, n, time, grid, name) for layer, n in zip(layers, names, strict=True)]
    return Case("own stack", truths, {}, files=home)


def own_odd(draw: Draw) -> Case:
    """One file with something about it: turned, 0..360, a palette, tags, alpha, bands unnamed."""
    which = draw.one("turned", "360", "palette", "tags", "alpha", "unnamed", "nan")
    text, time = _clock(draw, draw.time())
    name, home = f"{draw.one(*OWN)}_{text}", draw.home()
    path = home / f"{name}.tif"
    grid, block = Grid(), 1
    right: dict[str, np.ndarray] = {}
    numbers = numbers_of(draw, draw.one("uint8", "int16", "uint16", "float32"), grid)
    hole = draw.rng.random(grid.shape) < 0.3
    stored = {"data": numbers}
    if which == "turned":
        grid, block = draw.one(*TURNED), 5
        numbers = numbers_of(draw, "int16", grid, block)
        put(draw, numbers, -9999, block)
        write_tif(path, [numbers], grid, nodata=-9999)
        right, stored = {"data": values_of(numbers, [-9999])}, {"data": numbers}
    elif which == "360":
        west = draw.one(200.0, 350.0, 270.0)
        there = Grid("EPSG:4326", Affine(0.5, 0, west, 0, -0.5, 20.0))
        grid = replace(there, transform=Affine(0.5, 0, west - 360, 0, -0.5, 20.0))
        put(draw, numbers, 0)
        write_tif(path, [numbers], there, nodata=0)
        right = {"data": values_of(numbers, [0])}
    elif which == "palette":
        numbers = stored["data"] = numbers_of(draw, "uint8", grid)
        write_tif(path, [numbers], grid, palette=True)
        right = {"data": values_of(numbers)}
    elif which == "tags":
        numbers = stored["data"] = numbers_of(draw, draw.one("int16", "float32"), grid)
        scale, offset = draw.one(*FACTORS)
        tags = {"scale_factor": repr(scale), "add_offset": repr(offset)}
        write_tif(path, [numbers], grid, tags=tags)
        # Beside real numbers they are what is left of a decoding.
        factors = (scale, offset) if numbers.dtype.kind == "i" else (1.0, 0.0)
        right = {"data": values_of(numbers, (), None, *factors)}
    elif which == "nan":
        numbers = stored["data"] = numbers_of(draw, draw.one(*REAL), grid)
        numbers[hole] = np.nan
        put(draw, numbers, -9999)
        write_tif(path, [numbers], grid, nodata=-9999)
        right = {"data": values_of(numbers, [-9999])}
    elif which == "alpha":
        numbers = stored["data"] = numbers_of(draw, "uint8", grid)
        bands = [numbers, np.where(hole, 0, 255).astype("uint8")]
        write_tif(path, bands, grid, alpha=True)
        right = {"data": values_of(numbers, (), hole)}
    else:
        bands = [numbers_of(draw, "int16", grid) for _ in range(3)]
        write_tif(path, bands, grid)
        stored = {f"band{k + 1}": band for k, band in enumerate(bands)}
        right = {key: values_of(band) for key, band in stored.items()}
    layers = [Truth(k, time, grid, v, stored[k], name, k) for k, v in right.items()]
    load: dict[str, object] = {}
    if which == "alpha":
        load["bands"] = {"data": "data.1"}
    return Case(f"own {which}", layers, load, files=home, block=block)


def own_product(draw: Draw) -> Case:
    """Files with the whole names of providers."""
    home, grid = draw.home(), Grid()
    time = draw.time()
    which = draw.one(
        ("HLS.S30.T33UWP.{:%Y%jT%H%M%S}.v2.0", "B04", ("int16", 1e-4, 0.0, -9999.0)),
        ("HLS.L30.T33UWP.{:%Y%jT%H%M%S}.v2.0", "B10", ("int16", 0.01, 0.0, -9999.0)),
    )
    lead, key, (dtype, scale, offset, nodata) = which
    name = lead.format(time)
    numbers = numbers_of(draw, dtype, grid)
    put(draw, numbers, nodata)
    write_tif(home / f"{name}.{key}.tif", [numbers], grid)
    layer = Layer(dtype, numbers, values_of(numbers, [nodata], None, scale, offset), {})
    return Case("own product", [truth(layer, key, time, grid, name)], {"bands": [key]}, files=home)


AXES = (
    ("y", "x", "EPSG:32633"),
    ("lat", "lon", "EPSG:4326"),
    ("latitude", "longitude", "EPSG:4326"),
)


def own_cube(draw: Draw) -> Case:
    """NetCDF or Zarr with time, level, band; north or south first; longitudes to 360."""
    y, x, crs = draw.one(*AXES)
    rows, columns = (int(n) for n in draw.rng.integers(4, 10, 2))
    degrees = crs == "EPSG:4326"
    to_360 = degrees and draw.often(0.4)
    if degrees:
        step = draw.one(0.25, 0.5, 0.1)
        west, north = draw.one((200.0, 40.0), (300.0, -20.0)) if to_360 else (10.0, 50.0)
    else:
        step, west, north = draw.one(10.0, 30.0), 500000.0, 5200000.0
    xs = west + step * (np.arange(columns) + 0.5)
    ys = north - step * (np.arange(rows) + 0.5)
    grid = Grid(
        crs, Affine(step, 0, west - (360 if to_360 else 0), 0, -step, north), (rows, columns)
    )
    times = draw.one(0, 1, 3)
    axis = draw.one("time", "valid_time", "t")
    extra = draw.one("", "", "level", "band", "member")
    entries = 2 if extra else 1
    labels: list[object] = (
        [850, 500] if extra == "level" else [0, 1] if extra == "member" else ["red", "nir"]
    )
    dtype = draw.one("int16", "uint8", "int8", "uint16", "int32", "float32", "float64")
    text, at = _clock(draw, draw.time())
    stamps = [draw.time().replace(second=0) for _ in range(times)] or [at]
    shape = (len(stamps), entries, rows, columns)
    numbers = numbers_of(draw, dtype, replace(grid, shape=(shape[0] * shape[1] * rows, columns)))
    numbers = numbers.reshape(shape)
    attrs: dict[str, object] = {}
    nodata = None
    if draw.often(0.6):
        nodata = nodata_for(draw, dtype, odd=False)
        attrs["_FillValue"] = np.dtype(dtype).type(nodata)
        where = draw.rng.random(shape) < 0.15
        if not (math.isnan(nodata) and dtype not in REAL):
            numbers[where] = np.dtype(dtype).type(nodata)
    scale, offset = 1.0, 0.0
    if draw.often(0.5):
        scale, offset = draw.one(*FACTORS)
        attrs |= {"scale_factor": scale, "add_offset": offset}
    low, high = -math.inf, math.inf
    if draw.often(0.25):
        low, high = (float(v) for v in np.nanquantile(numbers, (0.2, 0.8), method="nearest"))
        limits = {"valid_range": [low, high], "valid_min": low, "valid_max": high}
        said = draw.one(*limits)
        attrs[said] = np.array(limits[said], dtype)
        low = -math.inf if said == "valid_max" else low
        high = math.inf if said == "valid_min" else high
    dims = [axis] if times else []
    dims += [extra] if extra else []
    values = numbers if times else numbers[0]
    values = values if extra else values[..., 0, :, :]
    coords: dict[str, object] = {y: ys, x: xs}
    if draw.often(0.4):
        coords[y] = ys[::-1]
        values = values[..., ::-1, :]
    if times:
        coords[axis] = [np.datetime64(one.replace(tzinfo=None), "ns") for one in stamps]
    if extra:
        coords[extra] = labels
    names_of = [*dims, y, x]
    order = list(range(len(names_of)))
    if draw.often(0.2):
        draw.rng.shuffle(order)
    cube = xr.Dataset(
        {
            "v": (
                tuple(names_of[k] for k in order),
                np.ascontiguousarray(values.transpose(order)),
                attrs,
            )
        },
        coords,
    )
    if degrees:
        cube[y].attrs, cube[x].attrs = {"units": "degrees_north"}, {"units": "degrees_east"}
    else:
        cube = cube.assign_coords(spatial_ref=0)
        cube["spatial_ref"].attrs = {
            "crs_wkt": _wkt(crs),
            "grid_mapping_name": "transverse_mercator",
        }
        cube["v"].attrs["grid_mapping"] = "spatial_ref"
    home = draw.home()
    stem = f"{draw.one('cube', 'S2A_flood', 'era')}_{text}"
    if draw.often(0.7):
        cube.to_netcdf(home / f"{stem}.nc", engine="h5netcdf")
        kind = "netcdf"
    else:
        cube.to_zarr(home / f"{stem}.zarr", zarr_format=draw.one(2, 3), consolidated=False)
        kind = "zarr"
    truths = []
    for t, time in enumerate(stamps):
        for e in range(entries):
            one = numbers[t, e]
            label = labels[e] if extra else ""
            name = str(label) if extra == "band" else f"v_{label}" if extra else "v"
            right = values_of(one, [nodata], (one < low) | (one > high), scale, offset)
            truths.append(Truth(name, time, grid, right, one, stem, "v"))
    case_kind = f"{kind} {dtype} {axis if times else '-'} {extra or '-'}" + (
        " 360" if to_360 else ""
    )
    return Case(case_kind, truths, {}, files=home)


def _wkt(crs: str) -> str:
    return str(rasterio.CRS.from_string(crs).to_wkt())


Kind = Callable[[Draw], Case]
KINDS: tuple[tuple[Kind, float], ...] = (
    (declared, 6), (decoded, 0.7), (several_bands, 2), (alpha, 1), (mixed, 3), (tiles, 1.5),
    (turned, 1.2),
    (warped, 1.5), (resampled, 2), (classes, 1), (product, 5), (not_as_published, 2),
    (products_together, 1), (refused, 1.5), (own_files, 2), (own_stack, 1),
    (own_odd, 2.5), (own_product, 0.5),
    (own_cube, 3),
)  # fmt: skip


def cases(draw: Draw, layers: int) -> list[Case]:
    """So many layers or a few more, of every kind."""
    weights = np.array([weight for _, weight in KINDS])
    made: list[Case] = []
    count = 0
    while count < layers:
        number = int(draw.rng.choice(len(KINDS), p=weights / weights.sum()))
        if len(made) < len(KINDS):
            number = len(made)
        case = KINDS[number][0](draw)
        made.append(case)
        count += 0 if case.refusal else len(case.layers)
    return made
