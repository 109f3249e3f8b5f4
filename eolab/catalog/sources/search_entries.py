"""What was seen of catalogues, noted for the search over everything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.areas.areas import footprint
from eolab.catalog.query.query import item_time
from eolab.records.search_index import Entry, forget, publish

if TYPE_CHECKING:
    import pystac

MOST = 500  # items noted of one search: the panel's pages, not an archive


def note_items(workspace: Path | None, catalog: str, items: Iterable[pystac.Item]) -> None:
    """Note the items of an answer; a search must not fail for it.

    Args:
        workspace: Its folder; without one nothing is noted.
        catalog: Name of the catalogue that was searched.
        items: What it found.
    """
    if workspace is None or not workspace.is_dir():
        return
    entries: list[Entry] = []
    for item in items:
        if len(entries) >= MOST:
            break
        shape = footprint(item)
        first, last = item_time(item)
        values = [f"{v}" for v in item.properties.values() if isinstance(v, str)]
        entries.append(
            Entry(
                "item",
                f"{catalog}/{item.collection_id}/{item.id}",
                str(item.properties.get("title") or item.id),
                " ".join([item.collection_id or "", *values]),
                None if shape is None or shape.is_empty else shape.bounds,
                first,
                last,
                {"catalog": catalog, "collection": item.collection_id, "item": item.id},
            )
        )
    _publish(workspace, entries)


def note_collections(
    workspace: Path | None, catalog: str, collections: Iterable[pystac.Collection]
) -> None:
    """Note a catalogue's collections, as `note_items`; listing them must not fail for it."""
    if workspace is None or not workspace.is_dir():
        return
    entries: list[Entry] = []
    for collection in collections:
        boxes = collection.extent.spatial.bboxes
        times = collection.extent.temporal.intervals
        box = boxes[0] if boxes and len(boxes[0]) in (4, 6) else None
        half = 0 if box is None else len(box) // 2
        first, last = times[0] if times else (None, None)
        entries.append(
            Entry(
                "collection",
                f"{catalog}/{collection.id}",
                collection.title or collection.id,
                " ".join([collection.description or "", *(collection.keywords or [])]),
                None if box is None else (box[0], box[1], box[half], box[half + 1]),
                first,
                last,
                {"catalog": catalog, "collection": collection.id},
            )
        )
    _publish(workspace, entries)


def forget_catalog(root: Path, name: str) -> None:
    """Forget what was noted of a catalogue that is gone, or has another address now."""
    try:
        forget(root, ("collection", "item"), f"{name}/")
    except (sqlite3.Error, OSError):
        pass  # locked: its results say, when they are opened, that it is not there


def _publish(workspace: Path, entries: list[Entry]) -> None:
    try:
        publish(workspace, entries)
    except (sqlite3.Error, OSError, OverflowError):
        pass  # locked or full: it is noted the next time
