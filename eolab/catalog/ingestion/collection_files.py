"""Documents of a static catalogue that we write: a collection of the items below its folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from eolab.catalog.io.documents import write_json

WORLD = [-180.0, -90.0, 180.0, 90.0]
LONGEST = 100  # characters of a name


def safe_name(text: str) -> str:
    """A name for a file or folder: letters, digits, ``_ . -``; changed ones stay apart."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", text).lstrip(".")[:LONGEST]
    if plain and plain == text:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    stem, dot, suffix = plain.rpartition(".")
    return f"{stem}-{digest}{dot}{suffix}" if stem else f"{plain or 'file'}-{digest}"


def write_collection(home: Path, name: str, *, title: str, license: str, description: str) -> Path:
    """Write `collection.json` with all items that lie in the folder, each as NAME/NAME.json.

    Args:
        home: The folder.
        name: Id of the collection.
        title: For people; the id where it is empty.
        license: Of the data, as SPDX or "other".
        description: What it is.

    Returns:
        The document.
    """
    items = read_items(home)
    boxes = [box for body in items.values() if (box := _box(body))]
    west, south, east, north = zip(*(boxes or [WORLD]), strict=True)
    times = [_times(body) for body in items.values()]
    starts = sorted(start for start, _ in times if start)
    ends = sorted(end for _, end in times if end)
    interval = [starts[0] if starts else None, ends[-1] if ends else None]
    write_json(
        home / "collection.json",
        {
            "type": "Collection",
            "stac_version": "1.1.0",
            "id": name,
            "title": title or name,
            "description": description,
            "license": license,
            "extent": {
                "spatial": {"bbox": [[min(west), min(south), max(east), max(north)]]},
                "temporal": {"interval": [interval]},
            },
            "links": [
                {"rel": "root", "href": "./collection.json", "type": "application/json"},
                *(
                    {"rel": "item", "href": f"./{key}/{key}.json", "type": "application/geo+json"}
                    for key in sorted(items)
                ),
            ],
        },
    )
    return home / "collection.json"


def read_items(home: Path) -> dict[str, Mapping[str, object]]:
    """Documents of the items that lie in a folder, each as NAME/NAME.json."""
    items: dict[str, Mapping[str, object]] = {}
    for path in sorted(home.glob("*/*.json")):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        ours = path.stem == path.parent.name
        if ours and isinstance(body, dict) and body.get("type") == "Feature":
            items[path.stem] = body
    return items


def _box(body: Mapping[str, object]) -> list[float]:
    box = body.get("bbox")
    if not isinstance(box, list) or len(box) not in (4, 6):
        return []
    half = len(box) // 2
    return [*box[:2], *box[half : half + 2]]


def _times(body: Mapping[str, object]) -> tuple[str, str]:
    """First and last time of an item; "" where it states none."""
    found = body.get("properties")
    properties = found if isinstance(found, Mapping) else {}
    one = properties.get("datetime")
    start, end = (properties.get(key) or one for key in ("start_datetime", "end_datetime"))
    return (str(start) if start else ""), (str(end) if end else "")


def sweep_drafts(folder: Path) -> None:
    """Remove what processes that were killed had half written (``.NAME.PID.tmp`` and beside it)."""
    for draft in folder.glob(".*.tmp*"):
        found = re.search(r"\.(\d+)\.tmp", draft.name)
        if found and not _is_running(int(found[1])):
            draft.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True
