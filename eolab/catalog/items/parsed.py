"""Each item read once: what its documents state of time, place and layers, and where they state it.

All that follows (plans, cubes, previews, masks) takes what is found here and looks into no item's
properties again. Nothing is decided here: how stored numbers become values is the business of
`radiometry`, which name means which layer that of `bands`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

import numpy as np

from eolab.catalog.areas.areas import footprint
from eolab.catalog.items.products import (
    PublishedProduct,
    baseline_of_id,
    plain_platform,
    product_of,
)
from eolab.catalog.query.query import cloud_cover, item_time, order

if TYPE_CHECKING:
    import pystac
    from shapely.geometry.base import BaseGeometry

Origin = Literal["user", "metadata", "band", "asset", "item", "file", "rule", "none"]
"""Where a fact was found.

"user": what the call asked for; "metadata": the scene's own metadata file, read on request; "band":
the asset's object for this band (`raster:bands`, `bands`); "asset": the asset; "item": the item's
properties; "file": the raster's own header; "rule": a published table for the product; "none":
nobody says.
"""

CATEGORIES = frozenset({
    "scl", "qa_pixel", "qa_radsat", "qa_aerosol", "sr_qa_aerosol", "sr_cloud_qa", "qa", "visual_qa",
    "fmask", "clm", "clp", "cld", "cloud", "cloud_probability", "snow", "mask",
})  # fmt: skip


# Roles of the STAC best practices for layers that say something of the pixels of others.
_QUALITY_ROLES = frozenset({
    "data-mask", "cloud-shadow", "snow-ice", "land-water", "water-mask", "saturation", "flags",
})  # fmt: skip
_PLACES: tuple[Origin, ...] = ("band", "asset", "item")  # the first that says a fact counts
GIVEN = "eolab:given"  # field of a band: its facts that the user stated when it was described
PALETTE = "eolab:palette"  # field of a band whose file says by a palette that it shows classes
_OF_A_BAND = frozenset({"statistics", "histogram"})  # objects that one band has
CLASS_FIELDS = frozenset({"classification:classes", "classification:bitfields", PALETTE})


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
        more_nodata: Others that mean nothing: of classes that are marked so.
        scale: Declared factor.
        offset: Declared, added after the factor.
        unit: Of the values.
        crs: Reference system: a code, or WKT.
        transform: Affine transform, six numbers.
        shape: Rows and columns.
        pixel_size: In units of the reference system.
        numbered: It was asked for by its number in the file.
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
    numbered: bool = False
    more_nodata: tuple[float, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class ParsedItem:
    """An item with what its documents state, each read when it is first asked for, and once.

    Attributes:
        item: The item itself.
        opened: Headers of its files, by asset: each is read once.
    """

    item: pystac.Item
    opened: dict[str, object] = field(default_factory=dict, init=False, compare=False, repr=False)
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
        stated = _baseline(self.item.properties)
        return baseline_of_id(self.item.id) if stated is None else stated

    @property
    def baseline_text(self) -> str:
        """The processing baseline as its provider writes it, such as "05.11"; "" if unknown."""
        return ".".join(f"{part:02d}" for part in self.baseline or ())

    @cached_property
    def product(self) -> PublishedProduct | None:
        """The published product that it says it is, None where it does not say."""
        return product_of(self.item)

    @property
    def offset_applied(self) -> bool | None:
        """Whether the provider took the offset of Sentinel-2 out of the numbers; None: unsaid."""
        for key, value in self.item.properties.items():
            if key.rpartition(":")[2] == "boa_offset_applied":
                text = str(value).strip().lower()
                return {"true": True, "1": True, "false": False, "0": False}.get(text)
        return None

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
    def _rasters(self) -> tuple[str, ...]:
        """Keys of the assets that hold data."""
        assets = self.item.assets.items()
        found = [(k, a.href) for k, a in assets if is_raster(a.media_type, a.roles, a.href)]
        # A group of a Zarr store is none where its arrays are assets too.
        inner = [href for _, href in found if ".zarr/" in href]
        return tuple(k for k, href in found if not any(h.startswith(f"{href}/") for h in inner))

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every band of the assets that hold data, in order of the assets."""
        return tuple(layer for key in self._rasters for layer in self.layers_of(key))

    @cached_property
    def states_crs(self) -> bool:
        """Whether the reference system of every layer is stated."""
        for_all = _Finder({"asset": {}, "item": self.item.properties}).crs()
        return for_all is not None or all(layer.crs is not None for layer in self.layers)

    @cached_property
    def side_layers(self) -> tuple[Layer, ...]:
        """Every band of rasters that are quality or metadata by their role: loaded when named."""
        data = {layer.asset for layer in self.layers}
        return tuple(
            layer
            for key in self.item.assets
            if key not in data
            for layer in self.layers_of(key)
            if "metadata" in layer.roles
        )

    def layers_of(self, key: str) -> tuple[Layer, ...]:
        """The bands of one asset; none where it is no raster, or is not there."""
        if key not in self._of_asset:
            asset = self.item.assets.get(key)
            there = asset is not None and is_raster(asset.media_type, (), asset.href)
            self._of_asset[key] = self._read(key) if there else ()
        return self._of_asset[key]

    @cached_property
    def _by_file(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for key, asset in self.item.assets.items():
            found[asset.href] = (*found.get(asset.href, ()), key)
        return found

    def same_file(self, key: str) -> tuple[str, ...]:
        """Keys of the assets that are the same file, its own among them."""
        return self._by_file.get(self.item.assets[key].href, (key,))

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
        return self._one(key, index, max(count, len(stated), index), name, stated, listed=False)

    def _read(self, key: str) -> tuple[Layer, ...]:
        stated = stated_bands(self.item.assets[key])
        made = []
        for number, entry in enumerate(stated or [{}], 1):
            name = entry.get("name")
            # A band of a file of several needs a name of its own.
            called = name if isinstance(name, str) and name else key
            if called == key and len(stated) > 1:
                called = f"{key}.{number}"
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
        listed: bool,
    ) -> Layer:
        asset = self.item.assets[key]
        own: Mapping[str, object] = stated[index - 1] if index <= len(stated) else {}
        common = own.get("common_name") or own.get("eo:common_name")
        found = _Finder({"band": own, "asset": asset.extra_fields, "item": self.item.properties})
        transform = found.list_of("transform", "proj:transform", (6, 9))
        shape = found.list_of("shape", "proj:shape", (2,))
        data_type = found.data_type()
        scale = found.number("scale", "raster:scale", "scale", positive=True)
        offset = found.number("offset", "raster:offset", "offset")
        unit = found.text("unit", "unit")
        nodata, more_nodata = found.nodata()
        # What an item says of several assets at once does not tell the measured ones.
        near = ("band", "asset", "item") if len(self._rasters) == 1 else ("band", "asset")
        said = [fact for fact in ("scale", "offset", "unit") if found.origins[fact] in near]
        measured = bool(said) or (
            data_type is not None
            and not data_type.startswith("uint")
            and found.origins["data_type"] in near
        )
        # What the user said when the file was described counts as their word.
        given = own.get(GIVEN)
        for fact in given if isinstance(given, list) else ():
            if found.origins.get(str(fact)) == "band":
                found.origins[str(fact)] = "user"
        return Layer(
            asset=key,
            index=index,
            count=count,
            name=name,
            href=asset.href,
            common=common.lower() if listed and isinstance(common, str) else None,
            media_type=asset.media_type,
            roles=tuple(asset.roles or ()),
            role="classes" if self._is_classes(key, name, own, measured=measured) else "data",
            data_type=data_type,
            nodata=nodata,
            more_nodata=more_nodata,
            scale=scale,
            offset=offset,
            unit=unit,
            crs=found.crs(),
            transform=None if transform is None else tuple(transform[:6]),
            shape=None if shape is None else (int(shape[0]), int(shape[1])),
            pixel_size=found.pixel_size(stated),
            numbered=not listed,
            origins=found.origins,
        )

    def _is_classes(
        self, key: str, name: str, own: Mapping[str, object], *, measured: bool
    ) -> bool:
        """Whether numbers are names of classes or flags: as the item says, else by their name.

        A name counts only where nothing says that the numbers are measured: a depth of "snow".
        """
        asset = self.item.assets[key]
        if any(own.get(word) or asset.extra_fields.get(word) for word in CLASS_FIELDS):
            return True
        if _QUALITY_ROLES & set(asset.roles or ()):
            return True
        return not measured and bool({key.lower(), name.lower()} & CATEGORIES)


class _Finder:
    """Looks for facts in the places of one band, and notes where each was found."""

    def __init__(self, places: Mapping[Origin, Mapping[str, object]]) -> None:
        self.places = places
        self.origins: dict[str, Origin] = {}

    def number(self, fact: str, *keys: str, positive: bool = False) -> float | None:
        """Of the band, its asset or the item, which STAC 1.1 lets speak for all its assets.

        A factor of nothing is none.
        """
        for origin in _PLACES:
            place = self.places[origin]
            for key in keys:
                if key not in place or (origin == "item" and ":" not in key):
                    continue
                number = _said(place[key])
                if number is None or not math.isfinite(number) or (positive and number == 0):
                    continue
                self.origins[fact] = origin
                return number
        self.origins[fact] = "none"
        return None

    def nodata(self) -> tuple[float | None, tuple[float, ...]]:
        """Of the band, asset or item: a number, or one of the words of the raster extension.

        Classes that are marked as no data are such numbers beside the one that is stated.
        """
        marked, marked_of = self._marked()
        for origin in _PLACES:
            place = self.places[origin]
            for key in ("nodata", "raster:nodata", "file:nodata"):
                if key in place and (numbers := _all_said(place[key])):
                    self.origins["nodata"] = origin
                    first, *more = dict.fromkeys((*numbers, *marked))
                    return first, tuple(more)
        self.origins["nodata"] = marked_of
        return (marked[0], marked[1:]) if marked else (None, ())

    def _marked(self) -> tuple[tuple[float, ...], Origin]:
        """Classes of the band, else of the asset, that are marked as no data, lowest first."""
        for origin in _PLACES[:2]:
            listed = self.places[origin].get("classification:classes")
            marked = {
                number
                for each in (listed if isinstance(listed, list) else ())
                if isinstance(each, Mapping) and each.get("nodata") is True
                if (number := _said(each.get("value"))) is not None
            }
            if marked:
                return tuple(sorted(marked)), origin
        return (), "none"

    def text(self, fact: str, key: str) -> str | None:
        """Of the band, else of its asset, else of the item."""
        for origin in _PLACES:
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
    return item if isinstance(item, ParsedItem) else ParsedItem(_placed(item))


def _placed(item: pystac.Item) -> pystac.Item:
    """The item with its files where its document lies: a copy, where it names them by relation."""
    where = item.get_self_href()
    if where is None or not any(_is_relative(asset.href) for asset in item.assets.values()):
        return item
    made = item.clone()
    for asset in made.assets.values():
        if not _is_relative(asset.href):
            continue
        if "://" in where:
            asset.href = urljoin(where, asset.href)
        else:  # a folder's name may hold what cuts an address: # and ?
            asset.href = os.path.normpath(os.path.join(os.path.dirname(where), asset.href))  # noqa: PTH118, PTH120
    return made


def _is_relative(href: str) -> bool:
    return "://" not in href and not href.startswith(("/", "\\")) and href[1:2] != ":"


def stated_bands(asset: pystac.Asset) -> list[Mapping[str, object]]:
    """Band objects of an asset, of STAC 1.1 (`bands`) or 1.0 (`eo:bands`, `raster:bands`).

    One of `raster:bands` beside several of the others speaks for all of them.
    """
    lists = [_listed(asset.extra_fields.get(key)) for key in ("bands", "eo:bands", "raster:bands")]
    rows = [entries for entries in lists if entries]
    length = max((len(entries) for entries in rows), default=0)
    rows = [
        entries * length if entries is lists[2] and len(entries) == 1 else entries
        for entries in rows
    ]
    merged: list[Mapping[str, object]] = []
    for number in range(length):
        band: dict[str, object] = {}
        for entries in reversed(rows):
            if number < len(entries) and isinstance(entry := entries[number], Mapping):
                band.update(entry)
        merged.append(band)
    return merged


def _listed(value: object) -> list[object]:
    """Band objects in a list, also where a document has one alone, or several by their names."""
    if not isinstance(value, Mapping):
        return value if isinstance(value, list) else []
    named = all(isinstance(each, Mapping) for each in value.values())
    if named and _OF_A_BAND.isdisjoint(value):
        return [{"name": name, **each} for name, each in value.items()]
    return [value]


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


def _said(value: object) -> float | None:
    """A number, also where it is written as text or as a list of one, as some documents do."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if not isinstance(value, str):
        return _number(value)
    try:
        return float(value)
    except ValueError:
        return None


def _all_said(value: object) -> list[float]:
    """All numbers of a list, or of a text: a number beside what is none is taken for none."""
    parts = re.split(r"[\s,;]+", value.strip(" []")) if isinstance(value, str) else value
    numbers = [_said(part) for part in (parts if isinstance(parts, list) else [parts])]
    return [] if None in numbers else [number for number in numbers if number is not None]


def _sensor(item: pystac.Item) -> str | None:
    product = product_of(item)
    if product is not None and product.sensor is not None:
        return product.sensor
    platform = plain_platform(item)
    named = re.fullmatch(r"L[COTEM]0(\d)_.*", item.id)
    landsat = re.fullmatch(r"landsat-(\d)", platform)
    number = named[1] if named else landsat[1] if landsat else None
    stated = item.properties.get("instruments")
    instruments = {str(text).lower() for text in stated} if isinstance(stated, list) else set()
    if number is not None:
        if item.id.startswith("LM0") or "mss" in instruments or number in "123":
            return "landsat-mss-123" if number in "123" else "landsat-mss"
        if number in "457":
            return "landsat-tm"
        return "landsat-oli"
    # How their bands are called, not what their numbers mean: so a name may tell it.
    text = f"{item.properties.get('constellation', '')} {item.collection_id} {item.id}".lower()
    if "sentinel-2" in text or "sentinel2" in text or item.id.lower().startswith(_LIKE_SENTINEL_2):
        return "sentinel-2"
    return "landsat-oli" if "landsat" in text else None


_LIKE_SENTINEL_2 = ("s2a_", "s2b_", "s2c_", "s2d_", "s2_")


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
