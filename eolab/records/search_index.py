"""One box that finds everything: collections, items seen, feature groups, studies, models.

Domains publish what they have; nothing here knows them. SQLite's FTS5 ranks by words, place and
time filter. The file is a copy of what stands elsewhere: damaged or old, it is made again.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from eolab.errors import InvalidInputError
from eolab.json_types import BBox, Json

FORMAT = 1
FILE = "search.db"
_OPEN = 1e15  # seconds: a side of an interval without an end
_TABLES = """
CREATE TABLE entries (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, title TEXT, detail TEXT,
    west REAL, south REAL, east REAL, north REAL, first REAL, last REAL, UNIQUE (kind, id));
CREATE VIRTUAL TABLE words USING fts5 (title, text, tokenize = "unicode61 remove_diacritics 2");
"""


class SearchHitJson(TypedDict):
    """A result as plain JSON."""

    id: str
    title: str
    detail: Mapping[str, Json]
    """How to reach it."""
    bbox: BBox | None
    start: float | None
    end: float | None


@dataclass(frozen=True)
class Entry:
    """One thing that can be found.

    Attributes:
        kind: "collection", "item", "group", "view", "chips", "study", "model".
        id: Unique in its kind.
        title: What a result shows first.
        text: All other words by which it is found.
        bbox: West, south, east, north in degrees; None where it has no place.
        start: First instant; None where it has none.
        end: Last instant; None where it goes on, or has none.
        detail: What a result carries, plain JSON.
    """

    kind: str
    id: str
    title: str
    text: str = ""
    bbox: tuple[float, float, float, float] | None = None
    start: datetime | None = None
    end: datetime | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


def publish(root: Path, entries: Iterable[Entry], *, whole: Sequence[str] = ()) -> None:
    """Add entries, or bring them up to date.

    Args:
        root: The workspace folder, which exists.
        entries: What there is.
        whole: Kinds of which ``entries`` holds all there are: others of the kind are forgotten.

    Raises:
        sqlite3.OperationalError: The file is locked for long or cannot be written.
    """
    with _open(root) as db, db:
        for kind in whole:
            numbers = "SELECT number FROM entries WHERE kind = ?"
            db.execute(f"DELETE FROM words WHERE rowid IN ({numbers})", [kind])
            db.execute("DELETE FROM entries WHERE kind = ?", [kind])
        for entry in entries:
            box = entry.bbox or (None, None, None, None)
            first, last = _span(entry)
            (number,) = db.execute(
                "INSERT INTO entries"
                " (kind, id, title, detail, west, south, east, north, first, last)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET"
                " title = excluded.title, detail = excluded.detail, west = excluded.west,"
                " south = excluded.south, east = excluded.east, north = excluded.north,"
                " first = excluded.first, last = excluded.last RETURNING number",
                [
                    entry.kind,
                    _text(entry.id),
                    _text(entry.title),
                    json.dumps(entry.detail),
                    *box,
                    first,
                    last,
                ],
            ).fetchone()
            db.execute("DELETE FROM words WHERE rowid = ?", [number])
            db.execute(
                "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
                [number, _text(f"{entry.title} {entry.id}"), _text(entry.text)],
            )


def copy(root: Path, home: Path) -> None:
    """Put a copy of the index into another folder, where there is one that can be read.

    Args:
        root: The workspace folder.
        home: Where the copy goes.
    """
    with suppress(OSError):
        shutil.copyfile(root / FILE, home / FILE)


def forget(root: Path, kinds: Sequence[str], start: str) -> None:
    """Drop the entries of these kinds whose id begins with ``start``.

    Raises:
        sqlite3.OperationalError: The file is locked for long or cannot be written.
    """
    if not (root / FILE).exists():
        return
    where = f"kind IN ({', '.join('?' * len(kinds))}) AND substr(id, 1, ?) = ?"
    values = [*kinds, len(start), start]
    with _open(root) as db, db:
        db.execute(
            f"DELETE FROM words WHERE rowid IN (SELECT number FROM entries WHERE {where})", values
        )
        db.execute(f"DELETE FROM entries WHERE {where}", values)


def find(
    root: Path,
    text: str = "",
    *,
    bbox: tuple[float, float, float, float] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    kinds: Sequence[str] = (),
    limit: int = 20,
) -> dict[str, list[SearchHitJson]]:
    """What answers, grouped by kind, the best first.

    What has no place is not found by place, what has no time not by time.

    Args:
        root: The workspace folder.
        text: Words that must all occur, each as the start of a word; "" for all.
        bbox: West, south, east, north in degrees; west > east crosses the antimeridian.
        start: Nothing that ended before.
        end: Nothing that began after.
        kinds: Only these.
        limit: At most so many of each kind.

    Returns:
        By kind: ``id``, ``title``, ``detail``, ``bbox`` (or None), ``start`` and ``end`` (seconds
        since the epoch, or None).

    Raises:
        InvalidInputError: A limit below 1.
    """
    if limit < 1:
        raise InvalidInputError(f"limit = {limit}", "Give a whole number above 0.")
    if not (root / FILE).exists():
        return {}
    conditions: list[str] = []
    values: list[object] = []
    plain = text.replace('"', " ").replace("\0", " ")
    words = [word for word in plain.split() if any(c.isalnum() for c in word)]
    if words:
        conditions.append("words MATCH ?")
        values.append(" AND ".join(f'"{word}"*' for word in words))
    if bbox is not None:
        west, south, east, north = bbox
        across = "OR" if west > east else "AND"
        conditions.append(f"south <= ? AND north >= ? AND (west <= ? {across} east >= ?)")
        values += [north, south, east, west]
    if start is not None:
        conditions.append("last >= ?")
        values.append(start.timestamp())
    if end is not None:
        conditions.append("first <= ?")
        values.append(end.timestamp())
    if kinds:
        conditions.append(f"kind IN ({', '.join('?' * len(kinds))})")
        values += list(kinds)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    # A word in the title counts more than one in the text.
    rank = "bm25(words, 5.0, 1.0)" if words else "0"
    found: dict[str, list[SearchHitJson]] = {}
    with _open(root) as db:
        rows = db.execute(
            "SELECT kind, id, entries.title, detail, west, south, east, north, first, last FROM ("
            "SELECT *,"
            " row_number() OVER (PARTITION BY kind ORDER BY score, last DESC, id) AS place"
            f" FROM (SELECT entries.*, {rank} AS score FROM words"
            f" JOIN entries ON entries.number = words.rowid {where})) AS entries"
            " WHERE place <= ? ORDER BY kind, place",
            [*values, limit],
        )
        for kind, identity, title, detail, west, south, east, north, first, last in rows:
            found.setdefault(kind, []).append(
                {
                    "id": identity,
                    "title": title,
                    "detail": json.loads(detail),
                    "bbox": None if west is None else [west, south, east, north],
                    "start": None if first is None or first <= -_OPEN else first,
                    "end": None if last is None or last >= _OPEN else last,
                }
            )
    return found


def _span(entry: Entry) -> tuple[float | None, float | None]:
    """First and last second; one that is not known is open."""
    if entry.start is None and entry.end is None:
        return None, None
    first = -_OPEN if entry.start is None else entry.start.timestamp()
    return first, _OPEN if entry.end is None else entry.end.timestamp()


@contextmanager
def _open(root: Path) -> Iterator[sqlite3.Connection]:
    """The file, made or made again where it is of another version or damaged."""
    path = root / FILE
    for fresh in (False, True):
        if fresh:
            path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path, timeout=5)) as db:
            try:
                usable = _prepare(db)
            except sqlite3.DatabaseError as error:
                locked = isinstance(error, sqlite3.OperationalError)
                if fresh or locked:
                    raise
                usable = False
            if usable:
                yield db
                return
    raise sqlite3.DatabaseError(f"{path} cannot be made")


def _prepare(db: sqlite3.Connection) -> bool:
    """Make the tables of a new file; False for a file of another version."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
        db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {FORMAT};")
        db.commit()
        return True
    return bool(version == FORMAT)


def _text(value: str) -> str:
    """Text as UTF-8 can hold it: JSON of others may carry halves of characters."""
    return value.encode(errors="replace").decode()
