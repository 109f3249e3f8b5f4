"""Each item read once: what its documents state of time, place and layers, and where they state it.

All that follows (plans, cubes, previews, masks) takes what is found here and looks into no item's
properties again. Nothing is decided here: how stored numbers become values is the business of
`radiometry`, which name means which layer that of `bands`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from eolab.catalog.areas.areas import footprint
from eolab.catalog.query.query import cloud_cover, item_time, order

if TYPE_CHECKING:
    import pystac
    from shapely.geometry.base import BaseGeometry

Origin = Literal["user", "band", "asset", "item", "file", "rule", "none"]
"""Where a fact was found.

"user": what the call asked for; "band": the asset's object for this band (`raster:bands`, `bands`);
"asset": the asset; "item": the item's properties; "file": the raster's own header; "rule": a
published table for the product; "none": nobody says.
"""

CATEGORIES = frozenset({
    "scl", "qa_pixel", "qa_radsat", "qa_aerosol", "sr_qa_aerosol", "sr_cloud_qa", "qa", "visual_qa",
    "fmask", "clm", "clp", "cld", "cloud", "cloud_probability", "snow", "mask",
})  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """One band of one item, as its documents state it.

    Attributes:
        asset: Key of the asset.
        index: Number of the band in the file, from 1.
        count: Bands in the file, as far as the item says.
        name: The band's name at the provider.
        common: Common name that is stated, lower case.
        href: Address of the file, not signed yet.
        media_type: Of the file.
        roles: Of the asset.
        role: "classes" for numbers that are names of classes or flags, else "data".
        data_type: Of the stored numbers, as NumPy names it.
        nodata: Stored number that means nothing.
        scale: Declared factor.
        offset: Declared, added after the factor.
        unit: Of the values.
        crs: Reference system: a code, or WKT.
        transform: Affine transform, six numbers.
        shape: Rows and columns.
        pixel_size: In units of the reference system.
        origins: Where each of data_type, nodata, scale, offset, unit, crs, transform, shape and
            pixel_size was found; what is None has "none".
    """

    asset: str
    index: int
    count: int
    name: str
    href: str
    common: str | None = None
    media_type: str | None = None
    roles: tuple[str, ...] = ()
    role: Literal["data", "classes"] = "data"
    data_type: str | None = None
    nodata: float | None = None
    scale: float | None = None
    offset: float | None = None
    unit: str | None = None
    crs: str | None = None
    transform: tuple[float, ...] | None = None
    shape: tuple[int, int] | None = None
    pixel_size: float | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class ParsedItem:
    """An item with what its documents state, each read when it is first asked for, and once.

    Attributes:
        item: The item itself.
    """

    item: pystac.Item
    _of_asset: dict[str, tuple[Layer, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def collection(self) -> str | None:
        """Id of its collection."""
        return self.item.collection_id

    @cached_property
    def times(self) -> tuple[datetime | None, datetime | None]:
        """First and last instant, UTC."""
        return item_time(self.item)

    @property
    def time(self) -> datetime | None:
        """First instant, UTC."""
        return self.times[0]

    @cached_property
    def order(self) -> tuple[datetime, str]:
        """Sort key: date, then id."""
        return order(self.item)

    @cached_property
    def cloud_cover(self) -> float | None:
        """Percent."""
        return cloud_cover(self.item)

    @cached_property
    def outline(self) -> BaseGeometry | None:
        """In degrees."""
        return footprint(self.item)

    @property
    def platform(self) -> str | None:
        """Name of the satellite as stated."""
        value = self.item.properties.get("platform")
        return None if value is None else str(value)

    @property
    def relative_orbit(self) -> object:
        """Number of the orbit as stated; None where it is not."""
        return self.item.properties.get("sat:relative_orbit")

    @property
    def orbit_state(self) -> object:
        """Direction of the flight as stated; None where it is not."""
        return self.item.properties.get("sat:orbit_state")

    @cached_property
    def orbit(self) -> str:
        """Direction and relative orbit: looks of different ones are never laid over each other."""
        parts = (self.orbit_state, self.relative_orbit)
        return " ".join(str(part) for part in parts if part is not None)

    @cached_property
    def sensor(self) -> str | None:
        """Key of the sensor's table of bands, or None where it is unknown."""
        return _sensor(self.item)

    @cached_property
    def is_radar(self) -> bool:
        p = self.item.properties
        return "sar:instrument_mode" in p or "sentinel-1" in str(p.get("platform", "")).lower()

    @property
    def product_type(self) -> str:
        """Of radar, upper case: "GRD", "SLC", ...; "" where it is not stated."""
        return str(self.item.properties.get("sar:product_type", "")).upper()

    @cached_property
    def baseline(self) -> tuple[int, ...] | None:
        """Processing baseline, such as (5, 11), or None."""
        return _baseline(self.item.properties)

    @property
    def baseline_text(self) -> str:
        """The processing baseline as its provider writes it, such as "05.11"; "" if unknown."""
        return ".".join(f"{part:02d}" for part in self.baseline or ())

    @property
    def offset_applied(self) -> bool:
        """Whether the provider says that it took the offset of Sentinel-2 out of the numbers."""
        return self.item.properties.get("earthsearch:boa_offset_applied") is True

    @cached_property
    def tile(self) -> str | None:
        """MGRS tile or WRS path and row, or None."""
        return _tile(self.item.properties)

    @cached_property
    def overpass(self) -> str:
        """Key of one pass of a satellite: the datatake without baseline, else platform and day."""
        p = self.item.properties
        datatake = p.get("s2:datatake_id")
        if isinstance(datatake, str) and datatake:
            # GS2A_20210520T101031_000022_N05.10: product, start, absolute orbit, baseline
            return re.sub(r"_N\d\d\.\d\d$", "", datatake)
        day = "" if self.time is None else f"{self.time:%Y%m%d}"
        return f"{p.get('platform', '')}_{day}_{p.get('sat:relative_orbit', '')}"

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every band of the assets that hold data, in order of the assets."""
        return tuple(layer for key in self.item.assets for layer in self.layers_of(key))

    def layers_of(self, key: str) -> tuple[Layer, ...]:
        """The bands of one asset; none where it holds no data, or is not there."""
        if key not in self._of_asset:
            asset = self.item.assets.get(key)
            there = asset is not None and is_raster(asset.media_type, asset.roles, asset.href)
            self._of_asset[key] = self._read(key) if there else ()
        return self._of_asset[key]

    def layer(self, key: str, index: int, *, count: int = 0, name: str = "") -> Layer:
        """A band by its number in the file of an asset, whether the item lists it or not.

        Args:
            key: Key of the asset, which must be there.
            index: From 1.
            count: Bands in the file, where more are known than the item lists.
            name: What it is called.
        """
        asset = self.item.assets[key]
        stated = stated_bands(asset)
        return self._one(key, index, max(count, len(stated), index), name, stated)

    def _read(self, key: str) -> tuple[Layer, ...]:
        stated = stated_bands(self.item.assets[key])
        made = []
        for number, entry in enumerate(stated or [{}], 1):
            name = entry.get("name")
            called = name if isinstance(name, str) else key
            made.append(self._one(key, number, max(len(stated), 1), called, stated, listed=True))
        return tuple(made)

    def _one(
        self,
        key: str,
        index: int,
        count: int,
        name: str,
        stated: list[Mapping[str, object]],
        *,
        listed: bool = False,
    ) -> Layer:
        asset = self.item.assets[key]
        own: Mapping[str, object] = stated[index - 1] if index <= len(stated) else {}
        common = own.get("common_name") or own.get("eo:common_name")
        found = _Finder({"band": own, "asset": asset.extra_fields, "item": self.item.properties})
        transform = found.list_of("transform", "proj:transform", (6, 9))
        shape = found.list_of("shape", "proj:shape", (2,))
        return Layer(
            asset=key,
            index=index,
            count=count,
            name=name,
            href=asset.href,
            common=common.lower() if listed and isinstance(common, str) else None,
            media_type=asset.media_type,
            roles=tuple(asset.roles or ()),
            role="classes" if {key.lower(), name.lower()} & CATEGORIES else "data",
            data_type=found.data_type(),
            nodata=found.number("nodata", "nodata"),
            scale=found.number("scale", "raster:scale", "scale"),
            offset=found.number("offset", "raster:offset", "offset"),
            unit=found.text("unit", "unit"),
            crs=found.crs(),
            transform=None if transform is None else tuple(transform[:6]),
            shape=None if shape is None else (int(shape[0]), int(shape[1])),
            pixel_size=found.pixel_size(stated),
            origins=found.origins,
        )


class _Finder:
    """Looks for facts in the places of one band, and notes where each was found."""

    def __init__(self, places: Mapping[Origin, Mapping[str, object]]) -> None:
        self.places = places
        self.origins: dict[str, Origin] = {}

    def number(self, fact: str, *keys: str) -> float | None:
        """Of the band or its asset."""
        for origin in ("band", "asset"):
            for key in keys:
                value = self.places[origin].get(key)
                number = float("nan") if value == "nan" else _number(value)
                if number is not None:
                    self.origins[fact] = origin
                    return number
        self.origins[fact] = "none"
        return None

    def text(self, fact: str, key: str) -> str | None:
        """Of the band, else of its asset."""
        for origin in ("band", "asset"):
            if value := self.places[origin].get(key):
                if not isinstance(value, str):
                    break
                self.origins[fact] = origin
                return value
        self.origins[fact] = "none"
        return None

    def data_type(self) -> str | None:
        """What is stated of the numbers, where that is a type at all."""
        stated = self.text("data_type", "data_type")
        try:
            return None if stated is None else np.dtype(stated).name
        except (TypeError, ValueError, SyntaxError):
            self.origins["data_type"] = "none"
            return None

    def list_of(self, fact: str, key: str, lengths: tuple[int, ...]) -> list[float] | None:
        """Numbers of the asset, else of the item."""
        self.origins[fact] = "none"
        for origin in ("asset", "item"):
            if value := self.places[origin].get(key):
                if not isinstance(value, list) or len(value) not in lengths:
                    return None
                numbers = [number for v in value if (number := _number(v)) is not None]
                if len(numbers) < len(value):
                    return None
                self.origins[fact] = origin
                return numbers
        return None

    def crs(self) -> str | None:
        """Reference system of the asset, else of the item."""
        for origin in ("asset", "item"):
            place = self.places[origin]
            code, epsg, wkt = (place.get(f"proj:{key}") for key in ("code", "epsg", "wkt2"))
            found = code if isinstance(code, str) else None
            if found is None and isinstance(epsg, int):
                found = f"EPSG:{epsg}"
            if found is None and isinstance(wkt, str) and wkt:
                found = wkt
            if found is not None:
                self.origins["crs"] = origin
                return found
        self.origins["crs"] = "none"
        return None

    def pixel_size(self, stated: Iterable[Mapping[str, object]]) -> float | None:
        """By the transform, else by the stated resolution, else by the ground sample distance."""
        asset, item = self.places["asset"], self.places["item"]
        for origin in ("asset", "item"):
            transform = self.places[origin].get("proj:transform")
            if isinstance(transform, list) and len(transform) >= 6:
                size = _number(transform[0])
                if size is not None:
                    self.origins["pixel_size"] = origin
                    return abs(size)
        sizes: list[tuple[Origin, object]] = [("asset", asset.get("raster:spatial_resolution"))]
        sizes += [("band", band.get("spatial_resolution")) for band in stated]
        sizes += [("asset", asset.get("gsd")), ("item", item.get("gsd"))]
        for origin, value in sizes:
            if isinstance(value, int | float):
                self.origins["pixel_size"] = origin
                return float(value)
        self.origins["pixel_size"] = "none"
        return None


def parse_item(item: pystac.Item | ParsedItem) -> ParsedItem:
    """An item as it is read from here on; one that is parsed stays as it is.

    Args:
        item: An item, whose documents are not changed while the result is in use.

    Example:
        >>> from eolab.catalog.items.parsed import parse_item
        >>> red = parse_item(items[0]).layers_of("B04")[0]
        >>> red.data_type, red.origins["data_type"], red.origins["crs"]
        ('uint16', 'asset', 'item')
    """
    return item if isinstance(item, ParsedItem) else ParsedItem(item)


def stated_bands(asset: pystac.Asset) -> list[Mapping[str, object]]:
    """Band objects of an asset, of STAC 1.1 (`bands`) or 1.0 (`eo:bands`, `raster:bands`)."""
    lists = [asset.extra_fields.get(key) for key in ("bands", "eo:bands", "raster:bands")]
    rows = [entries for entries in lists if isinstance(entries, list) and entries]
    length = max((len(entries) for entries in rows), default=0)
    merged: list[Mapping[str, object]] = []
    for number in range(length):
        band: dict[str, object] = {}
        for entries in reversed(rows):
            if number < len(entries) and isinstance(entries[number], Mapping):
                band.update(entries[number])
        merged.append(band)
    return merged


def has_raster(item: pystac.Item) -> bool:
    """Whether an item has a data asset with bands: quicker than all of them."""
    return any(is_raster(a.media_type, a.roles, a.href) for a in item.assets.values())


def is_raster(media_type: str | None, roles: Iterable[str] | None, href: str) -> bool:
    """Whether an asset that says this of itself holds data with bands."""
    if not {"thumbnail", "overview", "metadata"}.isdisjoint(roles or ()):
        return False
    kind = (media_type or "").lower()
    if kind.startswith("image/") or "zarr" in kind or "netcdf" in kind:
        return "png" not in kind and "jpeg" not in kind
    path = href.partition("?")[0].lower()
    return path.endswith((".tif", ".tiff", ".jp2", ".vrt", ".img"))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _sensor(item: pystac.Item) -> str | None:
    text = " ".join(
        str(v).lower()
        for v in (
            item.properties.get("platform"),
            item.properties.get("constellation"),
            item.collection_id,
            item.id,
        )
        if v
    )
    if "hls" in text:
        return "hls-l30" if "l30" in text else "hls-s30"
    product = item.id.lower().startswith(("s2a_", "s2b_", "s2c_", "s2_"))
    if "sentinel-2" in text or "sentinel2" in text or product:
        return "sentinel-2"
    if "landsat" in text:
        old = any(f"landsat-{n}" in text or f"lt0{n}" in text or f"le0{n}" in text for n in "457")
        return "landsat-tm" if old else "landsat-oli"
    return None


def _baseline(properties: Mapping[str, object]) -> tuple[int, ...] | None:
    for key in ("s2:processing_baseline", "processing:version", "sentinel:processing_baseline"):
        value = properties.get(key)
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


def _tile(p: Mapping[str, object]) -> str | None:
    for value in (p.get("grid:code"), p.get("s2:mgrs_tile"), p.get("s2:tile")):
        if isinstance(value, str) and value:
            return value.upper().removeprefix("MGRS-").removeprefix("T").lstrip("0")
    zone, band, square = (p.get(f"mgrs:{k}") for k in ("utm_zone", "latitude_band", "grid_square"))
    if zone and band and square:
        return f"{zone}{band}{square}".upper()
    path, row = p.get("landsat:wrs_path"), p.get("landsat:wrs_row")
    if path and row:
        return f"WRS-{path}-{row}"
    return None
