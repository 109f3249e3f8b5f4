"""Small pictures of items, read from overviews so that a full scene costs a few blocks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.io.allowed_folders import outside_error
from eolab.catalog.io.documents import is_remote, read_bytes
from eolab.catalog.io.item_logins import is_refusal, login_of, refusal_hint
from eolab.catalog.io.logins import SourceLogin, without_signature
from eolab.catalog.io.rasters import opened, opened_href
from eolab.catalog.items.bands import common_names, find_band, has_band, spectral_bands
from eolab.catalog.items.file_facts import file_facts, masks_of, nodata_of
from eolab.catalog.items.parsed import Layer, ParsedItem, has_raster, parse_item, stated_bands
from eolab.catalog.items.quality_masks import mask
from eolab.catalog.items.radiometry import Radiometry, radiometry
from eolab.catalog.items.spectral_indices import bands_for, compute
from eolab.errors import InvalidInputError, NotFoundError, RemoteError, nearest

if TYPE_CHECKING:
    import pystac
    import rasterio

TRUE_COLOUR = ("red", "green", "blue")
_PICTURES = ("image/png", "image/jpeg")
_FEW = 0.02  # of a scene: so few clear pixels tell nothing of it


def thumbnail(item: pystac.Item, *, size: int = 256) -> tuple[bytes, str]:
    """The item's own thumbnail, else a true-colour picture of its bands: bytes and media type.

    Raises:
        NotFoundError: It has neither, or the file is missing.
        InvalidInputError: Its files lie where its catalogue may not name any.
        RemoteError: The file cannot be read.
    """
    for asset in item.assets.values():
        roles = set(asset.roles or [])
        kind = (asset.media_type or "").partition(";")[0].lower()
        if kind in _PICTURES and roles & {"thumbnail", "overview"}:
            login = login_of(item)
            if is_remote(asset.href):
                return read_bytes(login.signed(asset.href) if login else asset.href, login), kind
            return shrink(asset.href, size=size, login=login), "image/png"
    return preview(item, size=size), "image/png"


def can_preview(item: pystac.Item) -> bool:
    """Whether `thumbnail` has something to show."""
    for asset in item.assets.values():
        if (asset.media_type or "").startswith(_PICTURES) and "thumbnail" in (asset.roles or []):
            return True
    return has_raster(item)


def _picture_bands(item: ParsedItem) -> list[Layer] | None:
    if all(has_band(item, name) for name in TRUE_COLOUR):
        return [find_band(item, name) for name in TRUE_COLOUR]
    found = list(item.layers)
    # Last resort: a file that holds at least three bands, in their order.
    for band in found:
        if band.count >= 3:
            return [item.layer(band.asset, k, count=band.count) for k in (1, 2, 3)]
    return found[:1] or None


def _as_stored(item: ParsedItem, band: Layer) -> list[Layer]:
    """The three bands of a file that calls them red, green, blue, where its item names none."""
    import rasterio

    if stated_bands(item.item.assets[band.asset]):
        return [band]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with opened(item.item, band.asset) as file:
                colours = tuple(meaning.name for meaning in file.colorinterp[:3])
    except rasterio.errors.RasterioError:
        return [band]  # reading it tells why
    if colours != TRUE_COLOUR:
        return [band]
    return [item.layer(band.asset, number, count=3) for number in (1, 2, 3)]


@dataclass(frozen=True)
class Picture:
    """A PNG with the values that it draws as its darkest and brightest."""

    png: bytes
    low: float
    high: float


def preview(
    item: pystac.Item,
    *,
    bands: Sequence[str] | None = None,
    size: int = 256,
    stretch: tuple[float, float] | None = None,
    index: str | None = None,
    cmap: str = "viridis",
) -> bytes:
    """The PNG of `picture`, which takes the same arguments."""
    return picture(item, bands=bands, size=size, stretch=stretch, index=index, cmap=cmap).png


def picture(
    item: pystac.Item,
    *,
    bands: Sequence[str] | None = None,
    size: int = 256,
    stretch: tuple[float, float] | None = None,
    index: str | None = None,
    cmap: str = "viridis",
) -> Picture:
    """A picture of one or three bands or of an index, transparent where there is nothing.

    Args:
        item: The item.
        bands: One or three names; None for true colour.
        size: Longest side in pixels.
        stretch: Values drawn darkest and brightest; None takes the 2nd and 98th percentile of the
            clear pixels, where the item says which these are. Lock it to compare dates.
        index: A spectral index instead of bands, drawn with the colour map.
        cmap: Name of one of Matplotlib's colour maps.

    Raises:
        NotFoundError: The item has nothing to draw, or a file is missing.
        InvalidInputError: Unknown band, index or colour map; not one or three bands.
    """
    parsed = parse_item(item)
    if index is not None:
        return _index_picture(parsed, index, cmap, size, stretch)
    picked = (
        _picture_bands(parsed) if bands is None else [find_band(parsed, name) for name in bands]
    )
    if picked is None:
        if (outside := outside_error(item)) is not None:
            raise outside
        raise NotFoundError(f"item {item.id} has nothing to draw", "It names no raster bands.")
    if len(picked) == 1:
        picked = _as_stored(parsed, picked[0])
    if len(picked) not in (1, 3):
        raise InvalidInputError(f"{len(picked)} bands cannot be drawn", "Name one or three.")
    layers, clear = _layers(parsed, picked, size, clear=stretch is None)
    finite = np.isfinite(layers).all(axis=0)
    low, high = stretch or _percentiles(layers, finite, clear)
    grey = (_scaled(layers, low, high) * 255).astype(np.uint8)
    colour = np.repeat(grey, 3, axis=0) if len(grey) == 1 else grey
    alpha = (finite[None] * 255).astype(np.uint8)
    return Picture(png(np.concatenate([colour, alpha])), low, high)


def _index_picture(
    item: ParsedItem, index: str, cmap: str, size: int, stretch: tuple[float, float] | None
) -> Picture:
    import matplotlib as mpl

    if cmap not in mpl.colormaps:
        names = list(mpl.colormaps)
        raise InvalidInputError(f"no colour map {cmap!r}", nearest(cmap, names, "colour maps"))
    letters = bands_for(index, common_names(item))
    bands = [find_band(item, name) for name in letters.values()]
    layers, clear = _layers(item, bands, size, clear=stretch is None)
    values = compute(index, dict(zip(letters, layers, strict=True)))
    finite = np.isfinite(values)
    low, high = stretch or _percentiles(values[None], finite, clear)
    colour = mpl.colormaps[cmap](_scaled(values, low, high), bytes=True)
    image = np.moveaxis(colour, -1, 0).copy()
    image[3] = finite * 255
    return Picture(png(image), low, high)


def _layers(
    item: ParsedItem, bands: Sequence[Layer], size: int, *, clear: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Bands of one item, float32 (bands, rows, columns); coarser ones on the grid of the finest.

    Beside them which pixels are clear (rows, columns), if that is asked for and can be known.
    """
    with ThreadPoolExecutor(len(bands) + 1) as pool:
        known = pool.submit(_clear, item, size) if clear else None
        read = list(pool.map(lambda band: read_small(item, band, size), bands))
    shape = max((layer.shape for layer in read), key=lambda s: s[0] * s[1])
    seen = known.result() if known else None
    grown = None if seen is None else _grown(seen, shape)
    return np.stack([_grown(layer, shape) for layer in read]), grown


def _clear(item: ParsedItem, size: int) -> np.ndarray | None:
    """Where there is neither cloud nor shadow, (rows, columns); None where the item cannot tell."""
    usual = mask()
    try:
        layer = usual.band([item])
        values = np.nan_to_num(read_small(item, find_band(item, layer), size))
    except (InvalidInputError, NotFoundError, RemoteError):
        return None  # the picture needs no mask
    return ~usual.flags(values, layer)


def _grown(layer: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """By nearest neighbour: a picture of bands of several pixel sizes."""
    rows = np.arange(shape[0]) * layer.shape[0] // shape[0]
    columns = np.arange(shape[1]) * layer.shape[1] // shape[1]
    grown: np.ndarray = layer if layer.shape == shape else layer[np.ix_(rows, columns)]
    return grown


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    scaled: np.ndarray = np.clip(np.nan_to_num((values - low) / max(high - low, 1e-9)), 0, 1)
    return scaled


def _percentiles(
    values: np.ndarray, finite: np.ndarray, clear: np.ndarray | None
) -> tuple[float, float]:
    """Of values (bands, rows, columns): of the clear pixels, of all where next to none is clear."""
    drawn = finite if clear is None else finite & clear
    if drawn.sum() < _FEW * finite.sum():
        drawn = finite
    if not drawn.any():
        return 0.0, 1.0
    low, high = np.percentile(values[:, drawn], (2, 98))
    return float(low), float(high)


def read_small(item: ParsedItem, band: Layer, size: int) -> np.ndarray:
    """A band as values, float32, at most ``size`` pixels a side, NaN where unknown.

    Raises:
        NotFoundError: The file is missing or cannot be read.
    """
    import rasterio
    from rasterio.enums import Resampling

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with opened(item.item, band.asset) as file:
                factor = max(1.0, max(file.shape) / size)
                shape = (max(1, round(file.height / factor)), max(1, round(file.width / factor)))
                numbers = file.read(band.index, out_shape=shape, resampling=Resampling.nearest)
                rule = radiometry(item, band, file=file_facts(file)[band.index - 1])
                unknown = _unknown(file, band, numbers, rule, spectral_bands(item, band.asset))
    except rasterio.errors.RasterioError as error:
        kind = RemoteError if is_remote(band.href) else NotFoundError
        refused = is_refusal(str(error))
        raise kind(
            f"asset {band.asset!r} of item {item.id} cannot be read: "
            f"{without_signature(str(error))}",
            refusal_hint(band.href, login_of(item.item)) if refused else "Check the file.",
        ) from error
    values: np.ndarray = numbers.astype(np.float32) * np.float32(rule.scale)
    values += np.float32(rule.offset)
    values[unknown] = np.nan
    return values


def _unknown(
    file: rasterio.DatasetReader,
    band: Layer,
    numbers: np.ndarray,
    rule: Radiometry,
    spectral: Sequence[int],
) -> np.ndarray:
    """Where the read numbers mean nothing: by their nodata, an alpha band or a mask."""
    from rasterio.enums import Resampling

    found = np.zeros(numbers.shape, dtype=bool)
    for stated in (rule.nodata, *rule.more_nodata, *nodata_of(file, band.index)):
        if stated is not None:
            found |= numbers == stated
    alpha, mask = masks_of(file, band.index, spectral)
    if alpha:
        found |= file.read(alpha, out_shape=numbers.shape, resampling=Resampling.nearest) == 0
    if mask:
        found |= file.read_masks(band.index, out_shape=numbers.shape) == 0
    return found


def shrink(href: str, *, size: int, login: SourceLogin | None = None) -> bytes:
    """A picture file as PNG of at most ``size`` pixels a side.

    Args:
        href: Where it lies.
        size: Pixels.
        login: By which it is read.

    Raises:
        NotFoundError: It is missing or no picture.
    """
    import rasterio

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with opened_href(href, login) as file:
                factor = max(1.0, max(file.shape) / size)
                shape = (file.count, round(file.height / factor), round(file.width / factor))
                return png(file.read(out_shape=shape).astype(np.uint8))
    except rasterio.errors.RasterioError as error:
        raise NotFoundError(f"{href} cannot be read as a picture", "Check the file.") from error


def png(image: np.ndarray) -> bytes:
    """A PNG of an image uint8, shape (1 to 4, rows, columns)."""
    import rasterio
    from rasterio.io import MemoryFile

    count, height, width = image.shape
    with warnings.catch_warnings(), MemoryFile() as memory:
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with memory.open(
            driver="PNG", width=width, height=height, count=count, dtype="uint8"
        ) as file:
            file.write(image)
        return bytes(memory.read())
