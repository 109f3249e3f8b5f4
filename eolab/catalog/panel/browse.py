"""What the Catalogue panel shows: bodies of the REST answers, and pictures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.items.bands import common_names
from eolab.catalog.items.duplicates import resolve
from eolab.catalog.items.parsed import CATEGORIES, ParsedItem, parse_item
from eolab.catalog.panel import previews
from eolab.catalog.panel.answers import (
    CatalogsJson,
    CollectionsJson,
    ItemJson,
    ItemsJson,
    QueryablesJson,
    SkippedJson,
)
from eolab.catalog.query.query import cloud_cover, make_query
from eolab.catalog.query.times import stamp
from eolab.catalog.sources.base import Source, is_simulated
from eolab.catalog.sources.open import guess_kind, open_source
from eolab.catalog.sources.search_entries import note_collections
from eolab.errors import NotFoundError
from eolab.settings.config import built_in

if TYPE_CHECKING:
    import pystac

    from eolab.settings.config import Config


def catalogs(config: Config) -> CatalogsJson:
    """Body of `catalogs`: what is configured; nothing is asked over the network.

    ``own`` are those that somebody added, and may change and remove.
    """
    given = built_in(config)
    return {
        "catalogs": [
            {
                "name": entry.name,
                "kind": _kind(entry.url) if entry.kind == "auto" else entry.kind,
                "url": entry.url,
                "description": entry.description,
                "simulated": entry.url == str(config.sample / "catalog.json"),
                "own": entry.name not in given,
            }
            for entry in config.catalogs.values()
            # A sample that is not made yet has nothing to show.
            if entry.url != str(config.sample / "catalog.json") or Path(entry.url).exists()
        ]
    }


def _kind(url: str) -> str:
    remote = url.startswith(("http://", "https://"))
    plain = url.partition("?")[0].lower()
    if remote and not plain.endswith((".json", ".geojson", ".parquet", ".geoparquet")):
        return "api"  # telling for sure would need a request
    return guess_kind(url)


def collections(config: Config, name: str) -> CollectionsJson:
    """Body of `catalogs/{name}/collections`.

    Raises:
        NotFoundError: No such catalogue, or nothing at its address.
        RemoteError: The service fails.
    """
    source = open_source(config, name)
    found = source.collections()
    note_collections(source.workspace, source.name, found)
    return {
        "collections": [
            {
                "id": collection.id,
                "title": collection.title or collection.id,
                "description": collection.description or "",
                "license": collection.license or "",
                "items": _count(collection),
                "bbox": _bbox(collection),
                "interval": _interval(collection),
                "simulated": is_simulated(collection),
            }
            for collection in found
        ],
        "skipped": _skipped(source),
    }


def items(
    config: Config,
    name: str,
    *,
    collection: str | None = None,
    datetime: str | None = None,
    bbox: Sequence[float] | None = None,
    max_cloud: float | None = None,
    limit: int = 50,
    offset: int = 0,
) -> ItemsJson:
    """Body of `catalogs/{name}/items`; ``matched`` is null where a service was not read to its end.

    Raises:
        InvalidInputError: A filter that cannot be used.
        NotFoundError: No such catalogue, or nothing at its address.
        RemoteError: The service fails.
    """
    source = open_source(config, name)
    query = make_query(
        collections=None if collection is None else [collection],
        datetime=datetime,
        bbox=bbox,
        max_cloud=max_cloud,
    )
    able = source.capabilities
    last = None if able.whole else offset + limit + 1
    found = list(source.run(replace(query, limit=last)))
    matched: int | None = len(found)
    if able.count:
        matched = source.count(query)
    elif not able.whole and len(found) > offset + limit:
        matched = None
    parsed = [parse_item(item) for item in found]
    older = {dropped.item: dropped.reason for dropped in resolve(parsed)[1]}
    return {
        "items": [_item(item, older) for item in parsed[offset : offset + limit]],
        "matched": matched,
        "skipped": _skipped(source),
    }


def thumbnail(config: Config, name: str, collection: str, item: str) -> tuple[bytes, str]:
    """A picture of an item, at most 256 pixels a side: bytes and media type.

    Without an item it is of the clearest of the collection's newest.

    Raises:
        NotFoundError: No such item, or nothing to draw.
        RemoteError: A remote file cannot be read.
    """
    source = open_source(config, name)
    if item:
        return previews.thumbnail(source.item(collection, item), size=256)
    newest = list(source.search([collection], sortby="-datetime", limit=20))
    fitting = [each for each in newest if previews.can_preview(each)]
    if not fitting:
        raise NotFoundError(f"collection {collection!r} has nothing to draw", "Look at its items.")
    return previews.thumbnail(min(fitting, key=lambda each: cloud_cover(each) or 0.0), size=256)


def picture(
    config: Config,
    name: str,
    collection: str,
    item: str,
    *,
    bands: Sequence[str] | None = None,
    size: int = 512,
    stretch: Sequence[float] | None = None,
    index: str | None = None,
    cmap: str = "viridis",
) -> previews.Picture:
    """Body of `catalogs/{name}/preview`: a PNG of one or three bands, or of an index.

    Raises:
        NotFoundError: No such item, or nothing to draw.
        InvalidInputError: An unknown band, not one or three of them.
        RemoteError: A remote file cannot be read.
    """
    found = open_source(config, name).item(collection, item)
    limits = None if stretch is None else (float(stretch[0]), float(stretch[1]))
    return previews.picture(found, bands=bands, size=size, stretch=limits, index=index, cmap=cmap)


def queryables(config: Config, name: str, collection: str) -> QueryablesJson:
    """Body of `catalogs/{name}/queryables`.

    Raises:
        NotFoundError: No such collection.
        RemoteError: The service fails.
    """
    return {"queryables": open_source(config, name).queryables(collection)}


def _item(item: ParsedItem, older: dict[str, str]) -> ItemJson:
    return {
        "id": item.id,
        "collection": item.collection or "",
        "datetime": _time(item.time),
        "cloud_cover": item.cloud_cover,
        "platform": item.platform,
        "bbox": item.item.bbox,
        "epsg": _epsg(item),
        "thumbnail": previews.can_preview(item.item),
        "bands": list(dict.fromkeys(common_names(item))),
        "notes": _notes(item, older),
    }


def _notes(item: ParsedItem, older: dict[str, str]) -> list[str]:
    """What a user should know before loading."""
    notes = []
    if is_simulated(item.item):
        notes.append("simulated")
    if item.id in older:
        notes.append(older[item.id])
    names = {layer.asset.lower() for layer in item.layers}
    if names and not names & CATEGORIES:
        notes.append("no layer to mask clouds with")
    return notes


def _epsg(item: ParsedItem) -> int | None:
    for layer in item.layers:
        # Opening the file where nothing is stated would cost a request an item.
        authority, _, code = (layer.crs or "").partition(":")
        return int(code) if authority == "EPSG" and code.isdigit() else None
    return None


def _count(collection: pystac.Collection) -> int | None:
    count = collection.extra_fields.get("eolab:items")
    return count if isinstance(count, int) else None


def _bbox(collection: pystac.Collection) -> list[float] | None:
    boxes = collection.extent.spatial.bboxes
    if not boxes or len(boxes[0]) not in (4, 6):
        return None
    half = len(boxes[0]) // 2
    return [float(v) for v in (*boxes[0][:2], *boxes[0][half : half + 2])]


def _interval(collection: pystac.Collection) -> list[str | None]:
    intervals = collection.extent.temporal.intervals
    first = intervals[0] if intervals else [None, None]
    return [_time(first[0]), _time(first[1])]


def _time(time: dt.datetime | None) -> str | None:
    return None if time is None else stamp(time)


def _skipped(source: Source) -> list[SkippedJson]:
    return [{"href": s.href, "message": s.message} for s in source.skipped]
