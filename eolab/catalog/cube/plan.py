"""What a load will read, before it reads: items, bands, grid, size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from eolab.catalog.areas.areas import Area, boxes, check_bbox, parse_area
from eolab.catalog.cube.acquisitions import GROUPINGS, GroupBy, hidden, slices_of
from eolab.catalog.cube.checks import (
    check_choice,
    check_crs,
    check_items,
    check_mask,
    check_resolution,
)
from eolab.catalog.cube.grid import (
    choose_grid,
    item_crs,
    item_geobox,
    native_grid,
)
from eolab.catalog.cube.radar import check_terrain
from eolab.catalog.io.allowed_folders import outside_error
from eolab.catalog.io.documents import is_remote
from eolab.catalog.io.rasters import Readers
from eolab.catalog.items.bands import common_names, find_band
from eolab.catalog.items.calibration import CALIBRATIONS, Calibration, calibrated
from eolab.catalog.items.duplicates import Dropped, resolve
from eolab.catalog.items.file_facts import FileFacts
from eolab.catalog.items.headers import AT_ONCE, look_ahead, read_header
from eolab.catalog.items.parsed import CATEGORIES, Layer, ParsedItem, stated_bands
from eolab.catalog.items.quality_masks import Mask, is_number
from eolab.catalog.items.radiometry import Radiometry, UserValues, radiometry, to_oli
from eolab.deprecation import renamed_arguments
from eolab.errors import EolabError, InvalidInputError, NotFoundError, RemoteError, nearest
from eolab.redaction import redact

if TYPE_CHECKING:
    import pystac
    from odc.geo.geobox import GeoBox
    from shapely.geometry.base import BaseGeometry

MASK = "eolab_mask"
ByBand: TypeAlias = "float | Mapping[str, float]"
Calibrations: TypeAlias = "Mapping[str, tuple[Calibration, bool]]"
COORDINATES = (
    "time", "y", "x", "latitude", "longitude", "spatial_ref", "item_id", "platform", "baseline",
    "relative_orbit", "orbit_state",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class LoadEstimate:
    """What a load will read, before it reads.

    Attributes:
        grid: Pixel grid of the cube.
        bands: Names of the variables.
        slices: Items of each acquisition, ordered by time.
        dropped: Items left out as duplicates.
        megabytes: Size of the cube as float32, or float64 where numbers need that.
        reads: Rasters to open.
        missing: Items left out because a file or band is missing.
        layer: Band to mask with, "" for none.
        hidden: Items that lie on the same ground as another of the same slice, which hides them.
        own_grid: The call says the whole grid, whatever the items state of theirs.

    Example:
        >>> estimate = eo.estimate_load(items, bands=["red"], resolution=60)
        >>> estimate.bands, estimate.reads, len(estimate.slices)
        (('red',), 4, 2)
    """

    grid: GeoBox
    bands: tuple[str, ...]
    slices: tuple[tuple[Scene, ...], ...]
    dropped: tuple[Dropped, ...]
    megabytes: float
    reads: int
    missing: tuple[str, ...] = ()
    layer: str = ""
    hidden: tuple[Dropped, ...] = ()
    own_grid: bool = False

    def __str__(self) -> str:
        rows, columns = self.grid.shape
        return (
            f"{len(self.slices)} dates x {rows} x {columns} pixels x {len(self.bands)} bands: "
            f"{self.megabytes:,.0f} MB, {self.reads} rasters"
        )

    def __repr__(self) -> str:
        sizes = dict.fromkeys((abs(self.grid.resolution.x), abs(self.grid.resolution.y)))
        size = " x ".join(f"{side:g}" for side in sizes)
        lines = [f"<{self}>", f"{', '.join(self.bands)} on {self.grid.crs} at {size}"]
        if self.layer:
            lines.append(f"masked by {self.layer}")
        lines += [f"left out: {d.item}, {d.reason} ({d.kept} is kept)" for d in self.dropped]
        lines += [f"left out: {item}, a file or band is missing" for item in self.missing]
        lines += [f"hidden where {d.kept} has values: {d.item}, {d.reason}" for d in self.hidden]
        return "\n  ".join(lines)


@dataclass(frozen=True)
class Scene:
    """One item with the bands to read and how their numbers become values.

    Attributes:
        item: The item.
        bands: To read, by variable.
        radiometry: How their numbers become values.
        given: The user's own word.
        harmonise: Of `estimate_load`.
        assumed: What the files of some bands are taken to say, until they are read.
        masks: Addresses of masks that lie beside files, by variable.
        calibrate: What numbers become by the scene's metadata, by variable.
    """

    item: ParsedItem
    bands: Mapping[str, Layer]
    radiometry: Mapping[str, Radiometry]
    given: Mapping[str, UserValues] = field(default_factory=dict)
    harmonise: str | None = None
    assumed: Mapping[str, tuple[FileFacts, ...]] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    calibrate: Calibrations = field(default_factory=dict)

    def decided(
        self,
        files: Mapping[str, FileFacts],
        assumed: Mapping[str, tuple[FileFacts, ...]] | None = None,
    ) -> Scene:
        """The scene with its rules decided by what the files say, by name of the band.

        Args:
            files: What those of some bands say.
            assumed: Of those that were not opened, what all bands of the file are taken to say.
        """
        rules = {
            name: decide(
                self.item,
                band,
                self.given.get(name),
                self.harmonise,
                files.get(name),
                self.calibrate.get(name),
            )
            if name in files
            else self.radiometry[name]
            for name, band in self.bands.items()
        }
        return replace(self, radiometry=rules, assumed=assumed or {})


def decide(
    item: ParsedItem,
    layer: Layer,
    given: UserValues | None,
    harmonise: str | None,
    file: FileFacts | None = None,
    calibrate: tuple[Calibration, bool] | None = None,
) -> Radiometry:
    """How numbers become values, the user's wishes included."""
    rule = radiometry(item, layer, given=given, file=file)
    if calibrate is not None:
        wanted, all_bands = calibrate
        rule = calibrated(item, layer, rule, wanted, all_bands=all_bands)
    return rule if harmonise is None else to_oli(item, layer, rule)


@renamed_arguments(geometry="intersects")
def estimate_load(
    items: Iterable[pystac.Item | ParsedItem] | pystac.Item,
    *,
    bands: Mapping[str, str] | Sequence[str] | str | None = None,
    crs: str | int | None = None,
    resolution: float | None = None,
    mask: Mask | None = None,
    native: bool = False,
    geobox: GeoBox | None = None,
    bbox: Sequence[float] | None = None,
    intersects: Area | None = None,
    missing: Literal["raise", "skip"] = "raise",
    duplicates: Literal["resolve", "keep"] = "resolve",
    group_by: GroupBy = "acquisition",
    harmonise: Literal["hls"] | None = None,
    scale: ByBand | None = None,
    offset: ByBand | None = None,
    nodata: ByBand | None = None,
    calibrate: Calibration | Mapping[str, Calibration] | None = None,
) -> LoadEstimate:
    """Estimate what `load` with the same arguments reads, and how large the cube becomes.

    No pixel is read; headers of files only where the items do not state their grid.

    Args:
        items: Items of one sensor, or one of them.
        bands: Asset keys, band names or common names; None for all; or a mapping of the names
            of the cube to those of the items, such as {"red": "band3"}.
        crs: Reference system; None takes the one whose items cover most.
        resolution: Pixel size in its units; None takes the finest band's, in these units.
        mask: What to leave out, from `mask`.
        native: Keep the items' own grid, which they must share.
        geobox: An exact grid, instead of crs, resolution and area.
        bbox: Crop to west, south, east, north in degrees.
        intersects: Crop to an area in longitude and latitude.
        missing: Raise for an item that lacks a file or a band, or leave it out.
        duplicates: Keep one product a tile and datatake, or all.
        group_by: What a slice is: "acquisition", "solar_day", "time" or "id", as in `load`.
        harmonise: "hls" to bring Sentinel-2's reflectance to Landsat OLI's bands.
        scale: Your own factor, for all bands or by name, instead of what items and files say.
        offset: Your own addend, likewise.
        nodata: Your own number that means nothing, likewise.
        calibrate: What the numbers of Level-1 scenes become by their metadata, as in `load`.

    Raises:
        InvalidInputError: No items, unknown or ambiguous band, nothing to mask with, no reference
            system.
        NotFoundError: A file is missing.

    Example:
        >>> estimate = eo.estimate_load(items, bands=["red", "nir"], crs="EPSG:32633")
        >>> print(estimate)
        2 dates x 496 x 1051 pixels x 2 bands: 8 MB, 8 rasters
        >>> [dropped.item for dropped in estimate.dropped]
        ['SIM_S2B_32UQU_20210520_N0300', 'SIM_S2B_33UTP_20210520_N0300']
    """
    listed = check_items(items)
    check_choice("harmonise", harmonise, ("hls", None))
    check_choice("missing", missing, ("raise", "skip"))
    check_choice("duplicates", duplicates, ("resolve", "keep"))
    check_choice("group_by", group_by, GROUPINGS)
    check_mask(mask)
    _check_grid(native=native, geobox=geobox, crs=crs, resolution=resolution, bbox=bbox)
    if duplicates == "resolve":
        listed, dropped = resolve(listed)
    else:
        listed, dropped = sorted(listed, key=lambda item: item.order), []
    named = _names(listed[0], bands)
    names = tuple(named)
    layer = None if mask is None else mask.band(listed)
    given = user_values(names, scale=scale, offset=offset, nodata=nodata)
    asked = Asked(named, layer, harmonise, given, _calibrations(names, calibrate, given))
    scenes, left_out = [], []
    for item, look in _looks(listed, asked):
        try:
            scenes.append(look())
        except (InvalidInputError, NotFoundError, RemoteError):
            if missing == "raise":
                raise
            left_out.append(item.id)
    if not scenes:
        raise NotFoundError("every item lacks a file or a band", f"Look at {left_out[0]}.")
    area = _area(bbox, intersects)
    wanted = [(s.item, {n: b for n, b in s.bands.items() if n != MASK}) for s in scenes]
    if geobox is not None:
        grid = geobox
    elif native:
        grid = native_grid([(item, next(iter(b.values()))) for item, b in wanted], area)
    else:
        if resolution is None:
            look_ahead(
                (item, layer.asset)
                for item, picked in wanted
                for layer in picked.values()
                if layer.transform is None and not layer.pixel_size
            )
        grid = choose_grid(wanted, crs=crs, resolution=resolution, area=area)
    if 0 in grid.shape:
        raise InvalidInputError("the cube would be empty", "Give an area that the items cover.")
    # Scenes come by time, and so do the slices by their first one.
    groups = slices_of([scene.item for scene in scenes], group_by)
    slices = tuple(tuple(scenes[number] for number in group) for group in groups)
    under = tuple(one for group in slices for one in hidden([scene.item for scene in group]))
    bytes_ = sum(_bytes(scene.radiometry[name] for scene in scenes) for name in names)
    size = len(slices) * grid.shape[0] * grid.shape[1] * bytes_ / 1e6
    reads = sum(len(scene.bands) for scene in scenes)
    return LoadEstimate(
        grid,
        names,
        slices,
        tuple(dropped),
        size,
        reads,
        tuple(left_out),
        layer or "",
        under,
        geobox is not None or not (crs is None or resolution is None or area is None),
    )


def needs_doubles(data_type: str | None) -> bool:
    """Whether values of numbers of this type need float64: 32 bits and more, or real ones of 64."""
    kind = np.dtype(data_type or "float32")
    return kind.itemsize > (4 if kind.kind == "f" else 2)


def _bytes(rules: Iterable[Radiometry]) -> int:
    """Bytes of a pixel of a variable, as far as its types are stated."""
    return 8 if any(needs_doubles(rule.data_type) for rule in rules) else 4


def user_values(
    names: Sequence[str],
    *,
    scale: ByBand | None,
    offset: ByBand | None,
    nodata: ByBand | None,
) -> dict[str, UserValues]:
    """The user's own word, by variable.

    Raises:
        InvalidInputError: No number, a factor of nothing, or a band that is not loaded.
    """
    words: dict[str, dict[str, float]] = {name: {} for name in names}
    for word, value in (("scale", scale), ("offset", offset), ("nodata", nodata)):
        if value is None:
            continue
        by_band = value if isinstance(value, Mapping) else dict.fromkeys(names, value)
        for name, number in by_band.items():
            if name not in words:
                raise InvalidInputError(
                    f"{word}: no band {name!r} is loaded", nearest(str(name), list(names), "bands")
                )
            real = is_number(number) and (word == "nodata" or np.isfinite(number))
            if not real or (word == "scale" and number == 0):
                raise InvalidInputError(
                    f"{word} = {number!r} of band {name!r}",
                    "Give a number: values are numbers * scale + offset.",
                )
            words[name][word] = float(number)
    return {name: UserValues(**said) for name, said in words.items() if said}


def _calibrations(
    names: Sequence[str],
    calibrate: Calibration | Mapping[str, Calibration] | None,
    given: Mapping[str, UserValues],
) -> dict[str, tuple[Calibration, bool]]:
    """What each variable becomes by the scenes' metadata, and whether that is said of all.

    Raises:
        InvalidInputError: Another word, a band that is not loaded, or one with the user's factors.
    """
    if calibrate is None:
        return {}
    everything = not isinstance(calibrate, Mapping)
    words = calibrate if isinstance(calibrate, Mapping) else dict.fromkeys(names, calibrate)
    for name, word in words.items():
        if name not in names:
            raise InvalidInputError(
                f"calibrate: no band {name!r} is loaded", nearest(str(name), list(names), "bands")
            )
        check_choice("calibrate", word, CALIBRATIONS)
        own = given.get(name)
        if own is not None and not (own.scale is None and own.offset is None):
            raise InvalidInputError(
                f"both calibrate= and scale= or offset= are given of band {name!r}", "Give one."
            )
    return {name: (word, everything) for name, word in words.items()}


def _check_grid(
    *,
    native: bool,
    geobox: GeoBox | None,
    crs: str | int | None,
    resolution: float | None,
    bbox: Sequence[float] | None,
) -> None:
    """One way to say a grid, not two that could differ."""
    from odc.geo.geobox import GeoBox

    if crs is not None:
        check_crs(crs)
    if resolution is not None:
        check_resolution(resolution)
    if native and (crs is not None or resolution is not None):
        raise InvalidInputError("native=True takes no crs or resolution", "Leave them out.")
    if geobox is None:
        return
    if not isinstance(geobox, GeoBox):
        raise InvalidInputError(
            f"geobox = {type(geobox).__name__!r} is no grid",
            "Give one of odc.geo: cube.odc.geobox.",
        )
    if native or not (crs is None and resolution is None and bbox is None):
        raise InvalidInputError(
            "a geobox says the whole grid: it takes no crs, resolution, bbox or native",
            "Leave them out, or the geobox.",
        )


@dataclass(frozen=True)
class Asked:
    """What is read of every item.

    Attributes:
        bands: What each variable means in the items.
        mask: Band to mask with.
        harmonise: Of `estimate_load`.
        given: The user's word on numbers, by variable.
        calibrate: What they become by the scene's metadata, by variable.
    """

    bands: Mapping[str, str]
    mask: str | None
    harmonise: str | None
    given: Mapping[str, UserValues]
    calibrate: Calibrations = field(default_factory=dict)


def _names(
    item: ParsedItem, bands: Mapping[str, str] | Sequence[str] | str | None
) -> dict[str, str]:
    """What each variable means in the items."""
    if bands is None:
        named = zip(common_names(item), item.layers, strict=True)
        plain = {name for name, layer in named if layer.role == "classes"}
        wanted = [
            name for name in _all_names(item) if name not in plain or name.lower() not in CATEGORIES
        ]
        names = dict(zip(wanted, wanted, strict=True))
    elif isinstance(bands, Mapping):
        names = {str(name): meant for name, meant in bands.items()}
    else:
        listed = [bands] if isinstance(bands, str) else list(bands)
        names = dict(zip(listed, listed, strict=True))
    for name, meant in names.items():
        if not isinstance(name, str) or not isinstance(meant, str):
            raise InvalidInputError(
                f"bands: {meant!r} is no name of a band",
                'Give names, or a mapping of new names to the items\' own: {"red": "band3"}.',
            )
    if not names:
        if (outside := outside_error(item.item)) is not None:
            raise outside
        raise InvalidInputError(f"item {item.id} has no bands to load", "Name them: bands=[...].")
    for name in names:
        if name in COORDINATES:
            raise InvalidInputError(
                f"a band cannot be called {name!r}: that is a coordinate of the cube",
                f"Name it anew: bands={{'other': {name!r}}}.",
            )
    return names


def _all_names(item: ParsedItem) -> list[str]:
    """What we call all its layers; of files of which the item lists no bands, each band."""
    # A picture of the bands is none of them, where there are others.
    pictures = {layer.asset for layer in item.layers if {"visual", "overview"} & set(layer.roles)}
    names = zip(common_names(item), item.layers, strict=True)
    found = [name for name, layer in names if layer.asset not in pictures]
    if not found:
        found = common_names(item)
    assets = [layer.asset for layer in item.layers]
    if len(set(assets)) == 1 and not stated_bands(item.item.assets[assets[0]]):
        header = read_header(item, assets[0])
        if len(header.bands) > 1:
            numbers = range(1, len(header.bands) + 1)
            return [f"{assets[0]}.{k}" for k in numbers if k != header.alpha]
    return list(dict.fromkeys(found))


def _looks(
    items: Sequence[ParsedItem], asked: Asked
) -> Iterator[tuple[ParsedItem, Callable[[], Scene]]]:
    """Each item with the look at it; far files that alone say where they lie are opened together.

    Args:
        items: To read.
        asked: What of them.
    """
    if not asked.calibrate and all(item.states_crs for item in items):
        for item in items:
            yield item, partial(_scene, item, asked)
        return
    with Readers(AT_ONCE) as pool:
        for item, one in [(item, pool.submit(_scene, item, asked)) for item in items]:
            yield item, one.result


def _scene(item: ParsedItem, asked: Asked) -> Scene:
    try:
        return _inspect(item, asked)
    except EolabError:
        raise
    except Exception as error:  # a document can be wrong in ways nobody listed
        raise InvalidInputError(
            f"item {item.id} cannot be used: {type(error).__name__}: {redact(str(error))[:200]}",
            "Leave it out, or load with missing='skip'.",
        ) from error


def _inspect(item: ParsedItem, asked: Asked) -> Scene:
    from odc.geo import CRS

    check_terrain(item, ", ".join(asked.bands.values()))
    given, harmonise = asked.given, asked.harmonise
    picked = {name: find_band(item, meant) for name, meant in asked.bands.items()}
    if asked.mask is not None:
        picked[MASK] = find_band(item, asked.mask)
    for band in picked.values():
        href = band.href
        local = not is_remote(href) and "://" not in href and not href.startswith("/vsi")
        if local and not Path(href).exists():
            raise NotFoundError(
                f"asset {band.asset!r} of item {item.id} is missing: {href}",
                "Restore the file, leave the item out, or load with missing='skip'.",
            )
        _check_shared(item, band)
    adjust = {name: None if name == MASK else harmonise for name in picked}
    rules = {
        name: decide(item, band, given.get(name), adjust[name], calibrate=asked.calibrate.get(name))
        for name, band in picked.items()
    }
    first = next(iter(picked.values()))
    CRS(item_crs(item, first))  # raises where it is nonsense
    item_geobox(item, first)
    return Scene(item, picked, rules, given, harmonise, calibrate=asked.calibrate)


def _check_shared(item: ParsedItem, band: Layer) -> None:
    """Refuse a band of a file of several, of whose place in it two assets say different things."""
    if band.numbered:
        return
    others = [key for key in item.same_file(band.asset) if key != band.asset]
    rivals = [
        layer
        for key in others
        for layer in item.layers_of(key)
        if layer.index == band.index and layer.name.lower() != band.name.lower()
    ]
    if not rivals:
        return
    header = read_header(item, band.asset)
    inner = [k for k in range(1, len(header.bands) + 1) if k != header.alpha]
    if len(inner) > max(band.count, *(layer.count for layer in rivals)):
        choices = [f"{band.asset}.{k}" for k in inner]
        raise InvalidInputError(
            f"assets {band.asset!r} and {rivals[0].asset!r} of item {item.id} are one file of"
            f" {len(inner)} bands, and each calls its band {band.index} by another name",
            f"Ask by the number in the file: bands={{{band.name!r}: {choices[0]!r}}}; there are"
            f" {', '.join(choices)}.",
        )


def _area(bbox: Sequence[float] | None, intersects: Area | None) -> BaseGeometry | None:
    if bbox is not None and intersects is not None:
        raise InvalidInputError("both bbox and intersects are given", "Give one.")
    if bbox is not None:
        return boxes(check_bbox(bbox))
    return None if intersects is None else parse_area(intersects)
