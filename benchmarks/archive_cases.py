"""Layers of a mixed archive, drawn by chance, with what each pixel is by the way it was made.

What is right is known from what was written: the numbers, what the item and the file were made to
say, and what the product's publisher says. Nothing of eolab is asked. Who counts first: the user,
the item (band, asset, properties), the file, the publisher; what the item or the file calls nodata
is unknown, and so is what a mask covers. Outside of the published products zero is a value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pystac
import rasterio
import rasterio.warp
from affine import Affine
from rasterio.enums import ColorInterp

SIDE = 12  # pixels of a scene, each way
TIFF = "image/tiff; application=geotiff"
T = TypeVar("T")


@dataclass(frozen=True)
class Grid:
    """Where pixels lie."""

    crs: str = "EPSG:32633"
    transform: Affine = field(default_factory=lambda: Affine(10, 0, 500000, 0, -10, 5200000))
    shape: tuple[int, int] = (SIDE, SIDE)

    def places(self, crs: object, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels that are compared, by number, and their centres in another reference system.

        Args:
            crs: In which the places are told.
            block: Side of the squares of equal numbers, of which the middle is compared.
        """
        axes = [np.arange(block // 2, side, block) for side in self.shape]
        rows, columns = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))
        t = self.transform
        half = 0.5 if block % 2 else 0.0
        x = t.a * (columns + half) + t.b * (rows + half) + t.c
        y = t.d * (columns + half) + t.e * (rows + half) + t.f
        if str(crs) != self.crs:
            x, y = (np.asarray(v) for v in rasterio.warp.transform(self.crs, crs, x, y))
        return rows * self.shape[1] + columns, x, y

    @property
    def corners(self) -> list[tuple[float, float]]:
        high, wide = self.shape
        t = self.transform
        pixels = [(0, 0), (wide, 0), (wide, high), (0, high), (0, 0)]
        return [(t.a * c + t.b * r + t.c, t.d * c + t.e * r + t.f) for c, r in pixels]

    @property
    def outline(self) -> dict[str, object]:
        """In degrees."""
        x, y = zip(*self.corners, strict=True)
        lon, lat = rasterio.warp.transform(self.crs, "EPSG:4326", x, y)
        ring = [list(place) for place in zip(lon, lat, strict=True)]
        return {"type": "Polygon", "coordinates": [ring]}


@dataclass(frozen=True)
class Truth:
    """What one layer of a cube is to hold: real values, and the numbers as they are stored."""

    variable: str
    time: datetime
    grid: Grid
    values: np.ndarray
    numbers: np.ndarray
    item: str
    band: str


@dataclass
class Case:
    """Layers that are read in one call.

    Attributes:
        kind: For people.
        layers: What is right.
        load: Arguments of `eolab.load`.
        items: To load, or
        files: folder or files to ingest before.
        refusal: Words, one of which a refusal names beside item and band; none where it is to be
            read.
        block: Side of the squares of equal numbers.
        flat: Of each layer every known value is the same, wherever the pixels of the cube lie.
        zone: Its mean over a zone is compared too.
        may_refuse: It can be read, but need not be.
    """

    kind: str
    layers: list[Truth]
    load: dict[str, object] = field(default_factory=dict)
    items: list[pystac.Item] = field(default_factory=list)
    files: Path | None = None
    refusal: tuple[str, ...] = ()
    block: int = 1
    flat: bool = False
    zone: bool = False
    may_refuse: bool = False

    @property
    def raw(self) -> bool:
        return bool(self.load.get("raw"))


class Draw:
    """Chance, a folder, and names and days that were not there before."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = np.random.default_rng(seed)
        self.folder = folder
        self.count = 0
        self.day = datetime(2021, 1, 3, 10, 20, 31, tzinfo=UTC)

    def one(self, *choices: T) -> T:
        return choices[int(self.rng.integers(len(choices)))]

    def often(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def home(self) -> Path:
        self.count += 1
        made = self.folder / f"f{self.count}"
        made.mkdir()
        return made

    def path(self, name: str = "layer", suffix: str = ".tif") -> Path:
        return self.home() / f"{name}{suffix}"

    def time(self) -> datetime:
        self.day += timedelta(days=int(self.rng.integers(3, 9)), minutes=int(self.rng.integers(90)))
        return self.day

    def id(self, lead: str = "field") -> str:
        self.count += 1
        return f"{lead}_{self.count}"


# --- numbers -------------------------------------------------------------------------------------

WHOLE = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
REAL = ("float32", "float64")


def holds(dtype: str, number: float | None) -> bool:
    """Whether a data type has this number."""
    if number is None or math.isnan(number):
        return False
    if dtype in REAL:
        return True
    limits = np.iinfo(dtype)
    return math.isfinite(number) and number == int(number) and limits.min <= number <= limits.max


def numbers_of(draw: Draw, dtype: str, grid: Grid, block: int = 1) -> np.ndarray:
    """Any numbers of a type; of whole ones with more than 32 bits those that doubles hold."""
    shape = tuple(-(-side // block) for side in grid.shape)
    if dtype in REAL:
        small = draw.rng.normal(0, draw.one(0.3, 1.0, 200.0), shape).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        low, high = max(limits.min, -(2**40)), min(limits.max, 2**40)
        if draw.often(0.4):  # as most data are: small and positive
            low, high = 0, min(high, 3000)
        small = draw.rng.integers(low, high, shape, endpoint=True).astype(dtype)
    large = np.repeat(np.repeat(small, block, 0), block, 1)
    return np.ascontiguousarray(large[: grid.shape[0], : grid.shape[1]])


def values_of(
    numbers: np.ndarray,
    nothing: Sequence[float | None] = (),
    masked: np.ndarray | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
) -> np.ndarray:
    values = numbers.astype(np.float64) * scale + offset
    unknown = np.isnan(values) if masked is None else masked | np.isnan(values)
    for number in nothing:
        if holds(numbers.dtype.name, number):
            unknown = unknown | (numbers == numbers.dtype.type(number))
    return np.where(unknown, np.nan, values)


def nodata_for(draw: Draw, dtype: str, *, odd: bool) -> float:
    """A nodata as people choose it; an odd one is none of the type's numbers."""
    if dtype in REAL:
        return float(draw.one(-9999.0, 0.0, float("nan"), -3.4028234663852886e38, 1e20, -32768.0))
    limits = np.iinfo(dtype)
    if odd:
        return float(draw.one(float("nan"), -9999.0 if limits.min == 0 else 1e30, 0.5, 1e20))
    low = max(-9999, limits.min)
    return float(draw.one(0, low, min(limits.max, 65535), 1))


def put(draw: Draw, numbers: np.ndarray, number: float | None, block: int = 1) -> None:
    """Some pixels of this number."""
    if number is None or not (holds(numbers.dtype.name, number) or math.isnan(number)):
        return
    if math.isnan(number) and numbers.dtype.kind != "f":
        return
    high, wide = numbers.shape
    small = draw.rng.random((-(-high // block), -(-wide // block))) < 0.15
    where = np.repeat(np.repeat(small, block, 0), block, 1)[:high, :wide]
    numbers[where] = numbers.dtype.type(number)


# --- files and items -----------------------------------------------------------------------------


def write_tif(
    path: Path,
    bands: Sequence[np.ndarray],
    grid: Grid,
    *,
    nodata: float | None = None,
    scales: Sequence[float] | None = None,
    offsets: Sequence[float] | None = None,
    tags: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
    mask: np.ndarray | None = None,
    internal: bool = True,
    alpha: bool = False,
    palette: bool = False,
    unit: str = "",
    **profile: object,
) -> str:
    """A GeoTIFF; where ``alpha`` is set its last band tells what is transparent."""
    stack = np.stack(bands)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal),
        rasterio.open(
            path, "w", driver="GTiff", count=len(stack), height=grid.shape[0],
            width=grid.shape[1], dtype=stack.dtype, crs=grid.crs, transform=grid.transform,
            nodata=nodata, **profile,
        ) as file,
    ):  # fmt: skip
        if alpha:
            plain = [ColorInterp.gray] if len(stack) == 2 else [
                ColorInterp.red, ColorInterp.green, ColorInterp.blue,
            ]  # fmt: skip
            file.colorinterp = [*plain, ColorInterp.alpha]
        if palette:
            file.write_colormap(1, {k: (k, 255 - k, 0, 255) for k in range(256)})
        file.write(stack)
        if scales is not None:
            file.scales = tuple(scales)
        if offsets is not None:
            file.offsets = tuple(offsets)
        if unit:
            file.units = [unit] * len(stack)
        if tags:
            file.update_tags(**tags)
        for number, name in enumerate(names or (), 1):
            file.set_band_description(number, name)
        if mask is not None:
            file.write_mask(~mask)
    return str(path)


def write_vrt(
    path: Path,
    source: str,
    count: int,
    dtype: str,
    grid: Grid,
    facts: Sequence[Mapping[str, float]],
) -> str:
    """A virtual raster, whose bands may have a nodata, a scale and an offset each."""
    kinds = {"uint8": "Byte", "int8": "Int8", "float32": "Float32", "float64": "Float64"}
    kind = kinds.get(dtype) or dtype.capitalize().replace("Uint", "UInt")
    high, wide = grid.shape
    bands = "".join(
        f'<VRTRasterBand dataType="{kind}" band="{k}">'
        + "".join(f"<{tag}>{value!r}</{tag}>" for tag, value in facts[k - 1].items())
        + f'<SimpleSource><SourceFilename relativeToVRT="0">{source}</SourceFilename>'
        f"<SourceBand>{k}</SourceBand></SimpleSource></VRTRasterBand>"
        for k in range(1, count + 1)
    )
    t = grid.transform
    numbers = ", ".join(repr(v) for v in (t.c, t.a, t.b, t.f, t.d, t.e))
    path.write_text(
        f'<VRTDataset rasterXSize="{wide}" rasterYSize="{high}"><SRS>{grid.crs}</SRS>'
        f"<GeoTransform>{numbers}</GeoTransform>{bands}</VRTDataset>"
    )
    return str(path)


def item(
    name: str,
    time: datetime,
    grid: Grid,
    assets: Mapping[str, tuple[str, Mapping[str, object]]],
    *,
    version: str = "1.0.0",
    proj: str = "asset",
    collection: str | None = "own",
    grids: Mapping[str, Grid] | None = None,
    **properties: object,
) -> pystac.Item:
    """An item that tells its grid by asset, by its properties, by its code alone, or not at all."""
    code: dict[str, object] = {"proj:code": grid.crs}
    if version == "1.0.0":
        code = {"proj:epsg": int(grid.crs.removeprefix("EPSG:"))}
    outline = grid.outline
    ring = np.array(outline["coordinates"])[0]

    def place(key: str) -> dict[str, object]:
        own = (grids or {}).get(key, grid)
        return {"proj:transform": list(own.transform)[:6], "proj:shape": list(own.shape)}

    return pystac.Item.from_dict({
        "type": "Feature", "stac_version": version, "id": name, "links": [],
        "stac_extensions": [], **({"collection": collection} if collection else {}),
        "geometry": outline, "bbox": [*ring.min(axis=0), *ring.max(axis=0)],
        "properties": {
            "datetime": time.isoformat(), **(code if proj != "none" else {}),
            **(place("") if proj == "item" else {}), **properties,
        },
        "assets": {
            key: {"href": href, "type": TIFF, "roles": ["data"],
                  **(place(key) if proj == "asset" else {}), **fields}
            for key, (href, fields) in assets.items()
        },
    })  # fmt: skip


GRIDS = (
    Grid(),
    Grid("EPSG:32633", Affine(20, 0, 600020, 0, -10, 5300010)),  # oblong
    Grid("EPSG:3857", Affine(30, 0, 1500000, 0, -30, 8300000)),
    Grid("EPSG:4326", Affine(0.001, 0, 11.5, 0, -0.001, 48.5)),
    Grid("EPSG:4326", Affine(0.002, 0, -60.25, 0, -0.001, -10.5)),
    Grid("EPSG:2263", Affine(30, 0, 980010, 0, -30, 200010)),  # US survey feet
    Grid("EPSG:3035", Affine(10, 0, 4321000, 0, -10, 3210000), (9, 15)),
    Grid("EPSG:32719", Affine(10, 0, 300000, 0, 10, 7900000)),  # south above
    Grid("EPSG:32760", Affine(60, 0, 690000, 0, -60, 8000000)),  # near 180 degrees
    Grid("EPSG:3413", Affine(100, 0, -500000, 0, -100, -900000)),
)
TURNED = (
    Grid("EPSG:32633", Affine(8, 6, 500000, 6, -8, 5200000), (25, 25)),
    Grid("EPSG:32633", Affine(0, 10, 500000, -10, 0, 5200000), (25, 30)),
    Grid("EPSG:32633", Affine(10, 2, 500000, 0, -10, 5200000), (30, 25)),
)


def band_fields(
    version: str, place: str, bands: Sequence[Mapping[str, object]]
) -> tuple[dict[str, object], dict[str, object]]:
    """Fields of an asset and of its item that say the same of its bands in one of STAC's ways.

    Args:
        version: Of STAC.
        place: "band", "asset" or "item": where what all bands share is said.
        bands: With name, common, data_type, nodata, scale, offset, unit; None says nothing.
    """
    plain = [{k: _word(v) for k, v in band.items() if v is not None} for band in bands]
    if version == "1.0.0":
        keys = {"name": "name", "common": "common_name"}
        names = [{keys[k]: v for k, v in band.items() if k in keys} for band in plain]
        facts = [{k: v for k, v in band.items() if k not in ("name", "common")} for band in plain]
        fields: dict[str, object] = {"eo:bands": names} if any(names) else {}
        if any(facts):
            fields["raster:bands"] = facts
        return fields, {}
    words = {"common": "eo:common_name", "scale": "raster:scale", "offset": "raster:offset"}
    made = [{words.get(k, k): v for k, v in band.items()} for band in plain]
    if place == "band":
        return {"bands": made}, {}
    shared = {
        k: v
        for k, v in made[0].items()
        if k not in ("name", "eo:common_name") and all(band.get(k, "") == v for band in made)
    }
    left = [{k: v for k, v in band.items() if k not in shared} for band in made]
    fields = {"bands": left} if any(left) else {}
    return ({**fields, **shared}, {}) if place == "asset" else (fields, shared)


def _word(value: object) -> object:
    """Numbers that JSON does not have are words of the raster extension."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
