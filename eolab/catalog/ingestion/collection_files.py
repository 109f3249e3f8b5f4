"""Documents of a static catalogue that we write: a collection of the items below its folder."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eolab.files import locks, writes

WORLD = [-180.0, -90.0, 180.0, 90.0]
LONGEST = 100  # characters of a name
LONGEST_BYTES = 200  # of a name with other letters: file systems take 255, with a suffix
FOLDER = "eolab:folder"  # field of an item: where its files were
NAMED = "eolab:name"  # field of an item: what its files are called, without the band
_DEVICES = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")  # no names of files on Windows


def safe_name(text: str) -> str:
    """A name for a file or folder: letters, digits, ``_ . -``; changed ones stay apart."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", text).lstrip(".")[:LONGEST]
    if plain and plain == text:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    stem, dot, suffix = plain.rpartition(".")
    return f"{stem}-{digest}{dot}{suffix}" if stem else f"{plain or 'file'}-{digest}"


def readable_name(text: str) -> str:
    """A name for an item, its file and folder: letters of all scripts, digits, ``_ . -``."""
    plain = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", text)).lstrip(".")
    while len(plain) > LONGEST or len(plain.encode()) > LONGEST_BYTES:
        plain = plain[:-1]
    plain = plain.rstrip("._") if plain.strip("._") else "item"
    return f"_{plain}" if _DEVICES.fullmatch(plain) else plain


def name_items(home: Path, wanted: Sequence[tuple[Path, str]]) -> dict[tuple[Path, str], str]:
    """Ids of items, by folder and name of their files; what is there already keeps its id.

    The same name in another folder is another scene, as long as the other folder is there. Ids
    that differ by capitals only would be one file on some machines.

    Args:
        home: Folder of the collection.
        wanted: Folder and name of each item's files.
    """
    there: dict[str, tuple[Path | None, str | None]] = {}
    for name, document in read_items(home).items():
        folder, text = document.get(FOLDER), document.get(NAMED)
        near = Path(folder) if isinstance(folder, str) and Path(folder).is_dir() else None
        there[name] = near, text if isinstance(text, str) else None
    named: dict[tuple[Path, str], str] = {}
    used: set[str] = set()
    for folder, item in wanted:
        for name in _earlier_names(folder, item):
            home_of, text = there.get(name, (None, ""))
            if text in (item, None) and home_of in (folder, None) and name not in used:
                named[folder, item] = name
                used.add(name)
                break
    used = {name.casefold() for name in used}
    used |= {name.casefold() for name, (home_of, _) in there.items() if home_of is not None}
    for folder, item in wanted:
        if (folder, item) not in named:
            name = next(n for n in _names(folder, item) if n.casefold() not in used)
            named[folder, item] = name
            used.add(name.casefold())
    return named


def _names(folder: Path, item: str) -> Iterator[str]:
    """Names that an item may have, the plainest first."""
    for text in (item, f"{folder.name}_{item}", f"{folder}_{item}"):
        yield readable_name(text)
    digest = hashlib.sha256(f"{folder}/{item}".encode("utf-8", "replace")).hexdigest()
    for length in range(8, len(digest) + 1):
        yield f"{readable_name(item)}-{digest[:length]}"


def _earlier_names(folder: Path, item: str) -> list[str]:
    """What an earlier call may have called it, also when names did not keep their letters."""
    texts = item, f"{folder.name}_{item}", f"{folder}_{item}"
    return [*map(safe_name, texts), *_names(folder, item)]


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
    with locks.locked_folder(home):  # else the older of two lists could be written last
        _write_collection(home, name, title or name, license, description)
    return home / "collection.json"


def _write_collection(home: Path, name: str, title: str, license: str, description: str) -> None:
    items = read_items(home)
    boxes = [box for body in items.values() if (box := _box(body))]
    west, south, east, north = zip(*(boxes or [WORLD]), strict=True)
    times = [_times(body) for body in items.values()]
    starts = sorted(start for start, _ in times if start)
    ends = sorted(end for _, end in times if end)
    interval = [starts[0] if starts else None, ends[-1] if ends else None]
    writes.write_json(
        home / "collection.json",
        {
            "type": "Collection",
            "stac_version": "1.1.0",
            "id": name,
            "title": title,
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


def read_items(home: Path, name: str = "") -> dict[str, Mapping[str, object]]:
    """Documents of the items that lie in a folder, each as NAME/NAME.json.

    Args:
        home: The folder.
        name: Only this one.
    """
    items: dict[str, Mapping[str, object]] = {}
    listed = [home / name / f"{name}.json"] if name else sorted(home.glob("*/*.json"))
    for path in listed:
        if not path.is_file():
            continue
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
