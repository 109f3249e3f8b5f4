"""What the Catalogue panel shows of a source: rows of collections and items, and thumbnails."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlparse
from urllib.request import url2pathname, urlopen

from eolab.errors import NotFound, RemoteError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pystac

    from eolab.catalog import Source
    from eolab.config import Config

SIZE = 256
LARGEST = 8 * 2**20
THUMBNAILS = {"thumbnail", "preview", "rendered_preview"}
# Sentinel-2 and Landsat items that name their assets by band number only.
RGB_KEYS = (("red", "green", "blue"), ("B04", "B03", "B02"), ("B4", "B3", "B2"), ("visual",) * 3)


def open_named(config: Config, name: str) -> Source:
    """A source by its name in the configuration; a request never opens a free address or path.

    Raises:
        NotFound: No such catalogue.
    """
    from eolab.catalog import open_source

    if name not in config.catalogs:
        raise NotFound(f"no catalogue {name!r}", nearest(name, list(config.catalogs), "catalogues"))
    return open_source(config, name)


def collections(config: Config, name: str) -> dict[str, object]:
    """The body of `catalogs/{name}/collections`."""
    source = open_named(config, name)
    rows = []
    for collection in source.collections():
        extent = collection.extent
        box = extent.spatial.bboxes[0] if extent and extent.spatial.bboxes else None
        interval = (None, None)
        if extent and extent.temporal.intervals:
            interval = extent.temporal.intervals[0]
        count = collection.extra_fields.get("eolab:items")
        rows.append(
            {
                "id": collection.id,
                "title": collection.title or collection.id,
                "description": collection.description or "",
                "license": collection.license,
                "items": count if isinstance(count, int) else None,
                "bbox": _flat(box),
                "interval": [None if t is None else t.isoformat() for t in interval],
                "simulated": source.simulated,
            }
        )
    return {"collections": rows, "skipped": _skipped(source)}


def items(
    config: Config,
    name: str,
    *,
    collection: str | None,
    datetime: str | None,
    bbox: Sequence[float] | None,
    max_cloud: float | None,
    limit: int,
    offset: int,
) -> dict[str, object]:
    """The body of `catalogs/{name}/items`."""
    source = open_named(config, name)
    # One more than the page tells whether the end is reached, where nothing is counted for us.
    found = list(
        source.search(
            collections=[collection] if collection else None,
            bbox=list(bbox) if bbox else None,
            datetime=datetime or None,
            max_cloud=max_cloud,
            limit=offset + limit + 1,
        )
    )
    whole = len(found) <= offset + limit
    return {
        "items": [_row(item) for item in found[offset : offset + limit]],
        "matched": len(found) if whole else None,
        "skipped": _skipped(source),
    }


def thumbnail(config: Config, name: str, collection: str, item_id: str) -> dict[str, str]:
    """A picture of at most 256 pixels: the item's own thumbnail, else from its colour bands.

    Raises:
        NotFound: No such item, or nothing of it can be shown.
        RemoteError: Its file cannot be read.
    """
    source = open_named(config, name)
    found = list(source.search(collections=[collection] if collection else None, ids=[item_id]))
    if not found:
        raise NotFound(f"no item {item_id!r} in {name!r}", "Search again: it may have changed.")
    item = found[0]
    ready = _thumbnail_asset(item)
    if ready is not None:
        data = _read(ready)
        kind = _kind(data)
        if kind:
            return {"type": kind, "base64": base64.b64encode(data).decode()}
    bands = _rgb_assets(item)
    if bands is None:
        raise NotFound(
            f"item {item_id!r} has no picture",
            "It names neither a thumbnail nor red, green and blue bands.",
        )
    return {"type": "image/png", "base64": base64.b64encode(_render(bands)).decode()}


def _row(item: pystac.Item) -> dict[str, object]:
    properties = item.properties
    when = item.datetime or item.common_metadata.start_datetime
    cloud = properties.get("eo:cloud_cover")
    return {
        "id": item.id,
        "collection": item.collection_id,
        "datetime": None if when is None else when.isoformat(),
        "cloud_cover": cloud if isinstance(cloud, int | float) else None,
        "platform": properties.get("platform"),
        "bbox": _flat(item.bbox),
        "epsg": _epsg(properties),
        "thumbnail": _thumbnail_asset(item) is not None or _rgb_assets(item) is not None,
        "bands": _bands(item),
        "notes": [str(note) for note in properties.get("eolab:notes", [])],
    }


def _skipped(source: Source) -> list[dict[str, str]]:
    return [{"href": skipped.href, "message": skipped.message} for skipped in source.skipped]


def _flat(box: Sequence[float] | None) -> list[float] | None:
    """West, south, east, north of a box of four or six numbers."""
    if box is None or len(box) not in {4, 6}:
        return None
    half = len(box) // 2
    return [float(v) for v in (*box[:2], *box[half : half + 2])]


def _epsg(properties: dict[str, object]) -> int | None:
    code = properties.get("proj:code") or properties.get("proj:epsg")
    text = str(code or "").upper().removeprefix("EPSG:")
    return int(text) if text.isdigit() else None


def _band_names(asset: pystac.Asset) -> list[str]:
    fields = asset.extra_fields
    names = []
    for band in [*fields.get("bands", []), *fields.get("eo:bands", [])]:
        if isinstance(band, dict):
            name = band.get("eo:common_name") or band.get("common_name") or band.get("name")
            if name:
                names.append(str(name))
    return list(dict.fromkeys(names))


def _bands(item: pystac.Item) -> list[str]:
    names: list[str] = []
    for key, asset in item.assets.items():
        if "data" in (asset.roles or []) or _band_names(asset):
            names.extend(_band_names(asset) or [key])
    return list(dict.fromkeys(names))


def _thumbnail_asset(item: pystac.Item) -> pystac.Asset | None:
    for key, asset in item.assets.items():
        if "thumbnail" in (asset.roles or []) or key in THUMBNAILS:
            return asset
    return None


def _rgb_assets(item: pystac.Item) -> list[tuple[pystac.Asset, int]] | None:
    """The assets of red, green and blue, each with its band number (from 1)."""
    named: dict[str, tuple[pystac.Asset, int]] = {}
    for asset in item.assets.values():
        for number, name in enumerate(_band_names(asset), start=1):
            named.setdefault(name, (asset, number))
    for keys in RGB_KEYS:
        if keys[0] == "visual":
            if "visual" in item.assets:
                return [(item.assets["visual"], number) for number in (1, 2, 3)]
        elif all(key in named for key in keys):
            return [named[key] for key in keys]
        elif all(key in item.assets for key in keys):
            return [(item.assets[key], 1) for key in keys]
    return None


def _address(asset: pystac.Asset) -> str:
    return asset.get_absolute_href() or asset.href


def _read(asset: pystac.Asset) -> bytes:
    address = _address(asset)
    parts = urlparse(address)
    try:
        if parts.scheme in {"http", "https"}:
            with urlopen(address, timeout=20) as answer:  # noqa: S310 - http(s) only, just checked
                return bytes(answer.read(LARGEST))
        path = url2pathname(parts.path) if parts.scheme == "file" else address
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except (OSError, ValueError) as error:
        raise RemoteError(f"{address} cannot be read: {error}", "It may have moved.") from error


def _kind(data: bytes) -> str | None:
    """The type by the file's first bytes: what an asset says of itself is not believed."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return None


def _render(bands: list[tuple[pystac.Asset, int]]) -> bytes:
    """A PNG from three bands, read small, stretched between the 2nd and 98th percentile."""
    import numpy as np
    import rasterio
    from rasterio.errors import RasterioError

    layers = []
    try:
        for asset, number in bands:
            with rasterio.open(_address(asset)) as file:
                scale = max(file.width, file.height, SIZE) / SIZE
                shape = (max(1, round(file.height / scale)), max(1, round(file.width / scale)))
                layer = file.read(number, out_shape=shape, masked=True)
                layers.append(layer.astype("float32").filled(np.nan))
    except (RasterioError, OSError, IndexError) as error:
        raise RemoteError(f"a band cannot be read: {error}", "Is its file there?") from error
    shape = layers[0].shape
    picture = np.zeros((4, *shape), dtype="uint8")
    clear = np.ones(shape, dtype=bool)
    for index, layer in enumerate(layers):
        if layer.shape != shape:
            raise NotFound("the bands have different shapes", "No picture can be made.")
        picture[index], seen = _stretch(layer)
        clear &= seen
    picture[3] = np.where(clear, 255, 0)
    return _png(picture)


def _stretch(layer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    # Zero is "no data" in products that do not declare one.
    seen = np.isfinite(layer) & (layer != 0)
    if not seen.any():
        return np.zeros(layer.shape, dtype="uint8"), seen
    low, high = np.percentile(layer[seen], (2, 98))
    scaled = (np.nan_to_num(layer) - low) / max(float(high - low), 1e-9)
    return (np.clip(scaled, 0, 1) * 255).astype("uint8"), seen


def _png(picture: np.ndarray) -> bytes:
    import rasterio
    from rasterio.io import MemoryFile

    count, height, width = picture.shape
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        shape = {"count": count, "height": height, "width": width}
        with memory.open(driver="PNG", dtype="uint8", **shape) as out:
            out.write(picture)
        return bytes(memory.read())
