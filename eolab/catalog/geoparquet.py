"""stac-geoparquet files, one row an item: written for quick pages, searched with DuckDB."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.cql2 import quote, to_sql
from eolab.catalog.query import Query, parse_interval, stamp
from eolab.catalog.sources import Skipped, Source, as_items, check_document, self_href
from eolab.errors import BadInput, NotFound

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import pystac

ROW_GROUP = 2_000  # items; a page reads few of them, their statistics keep out the others
_CELL = 2_000  # items that lie together, ordered by time
_PAGE = 250
_HELD = 5_000_000  # rows whose plain columns are kept in memory, about 100 bytes each


class GeoParquetSource(Source):
    """A stac-geoparquet file. DuckDB finds the rows, only their row groups are read in full."""

    @property
    def kind(self) -> str:
        return "geoparquet"

    def collections(self) -> list[pystac.Collection]:
        """Collections as the file's metadata has them, else made up from the items."""
        import pystac

        simulated = '"eolab:simulated"' if "eolab:simulated" in self._columns else "FALSE"
        rows = self._run(
            f"SELECT collection, count(*), min(bbox.xmin), min(bbox.ymin), max(bbox.xmax), "
            f"max(bbox.ymax), min({self._start}), max({self._end}), bool_or({simulated}) "
            f"FROM items GROUP BY collection ORDER BY collection"
        )
        made, stated = [], self._stated
        for name, count, west, south, east, north, first, last, fake in rows:
            if name in stated:
                document = {**stated[name], "links": []}
                collection = pystac.Collection.from_dict(document, preserve_dict=True)
                collection.extra_fields["eolab:items"] = count
                made.append(collection)
                continue
            made.append(
                pystac.Collection(
                    name or Path(self.url).stem,
                    f"Items of {self.url}",
                    pystac.Extent(
                        pystac.SpatialExtent([[west, south, east, north]]),
                        pystac.TemporalExtent([[first, last]]),
                    ),
                    keywords=["simulated"] if fake else None,
                    extra_fields={"eolab:items": count},
                )
            )
        return made

    def count(self, query: Query) -> int:
        """Number of items whose box, time and properties answer the query.

        Exact for boxes; an area of another shape is taken by its box.
        """
        return int(self._run(f"SELECT count(*) FROM items {self._where(query)}")[0][0])

    def histogram(self, query: Query, *, period: str = "month") -> pd.DataFrame:
        """Items over time: columns ``time`` and ``items``, by day, week, month or year.

        Raises:
            BadInput: Another period.
        """
        if period not in ("day", "week", "month", "year"):
            raise BadInput(f"period = {period!r}", 'Give "day", "week", "month" or "year".')
        import pandas as pd

        rows = self._run(
            f"SELECT date_trunc('{period}', CAST({self._start} AS TIMESTAMP)) AS t, count(*) "
            f"FROM items {self._where(query)} GROUP BY t ORDER BY t"
        )
        return pd.DataFrame(rows, columns=["time", "items"])

    def _sorted(self, query: Query) -> bool:
        return all(name in self._columns for name, _ in query.sort)

    def _candidates(self, query: Query) -> Iterator[pystac.Item]:
        self.skipped = []
        _ = self._file  # opened before anything is promised
        return as_items(self._documents(query), self)

    def _documents(self, query: Query) -> Iterator[tuple[str, Mapping[str, object]]]:
        order = [f'"{n}" {"DESC" if d else "ASC"} NULLS LAST' for n, d in query.sort]
        order += [f"{self._start} NULLS LAST", "id"]
        where = self._where(query)
        done, size = 0, max(_PAGE, query.limit or 0) if query.limit else 5_000
        while True:
            rows = self._run(
                f"SELECT file_row_number FROM items {where} "
                f"ORDER BY {', '.join(order if self._sorted(query) else order[-2:])} "
                f"LIMIT {size} OFFSET {done}"
            )
            yield from self._fetch([int(row[0]) for row in rows])
            done += len(rows)
            if len(rows) < size:
                return

    def _fetch(self, rows: Sequence[int]) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Whole items by row number, in that order."""
        import pyarrow as pa
        from stac_geoparquet.arrow import stac_table_to_items

        if not rows:
            return
        starts = self._starts
        wanted: dict[int, list[int]] = {}
        for row in rows:
            wanted.setdefault(_group_of(starts, row), []).append(row)
        tables: list[pa.Table] = []
        places: dict[int, int] = {}
        held = 0
        for group, members in sorted(wanted.items()):
            table = self._file.read_row_group(group)
            for k, row in enumerate(members):
                places[row] = held + k
            tables.append(table.take([row - starts[group] for row in members]))
            held += len(members)
        table = pa.concat_tables(tables).take([places[row] for row in rows])
        for document in stac_table_to_items(table):
            yield self_href(document) or f"{self.url}#{document.get('id')}", document

    def _where(self, query: Query) -> str:
        """A condition that keeps all rows that answer the query, perhaps more."""
        parts = []
        if query.collections:
            parts.append(f"collection IN ({', '.join(map(quote, query.collections))})")
        if query.ids:
            parts.append(f"id IN ({', '.join(map(quote, query.ids))})")
        if query.start is not None:
            parts.append(f"{self._end} >= TIMESTAMPTZ '{query.start.isoformat()}'")
        if query.end is not None:
            parts.append(f"{self._start} <= TIMESTAMPTZ '{query.end.isoformat()}'")
        if query.max_cloud is not None and "eo:cloud_cover" in self._columns:
            missing = ' OR "eo:cloud_cover" IS NULL' if query.cloud_missing == "keep" else ""
            parts.append(f'("eo:cloud_cover" <= {query.max_cloud!r}{missing})')
        if query.bbox is not None:
            parts.append(_meets(query.bbox))
        if query.intersects is not None:
            parts.append(_meets(query.intersects.bounds))
        if query.filter is not None:
            sql = to_sql(query.filter, self._columns)
            if sql is not None:
                parts.append(sql)
        return f"WHERE {' AND '.join(parts)}" if parts else ""

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        held = self._file.metadata.num_rows <= _HELD
        connection = duckdb.connect()
        connection.execute("SET parquet_metadata_cache = true; SET TimeZone = 'UTC'")
        file = f"read_parquet({quote(self.url)}, file_row_number = true)"
        kinds = connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()
        # What searches ask for: one value a row, and the box.
        plain = [n for n, kind, *_ in kinds if n == "bbox" or ("(" not in kind and "[" not in kind)]
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in plain)
        what = "TABLE" if held else "VIEW"
        connection.execute(f"CREATE {what} items AS SELECT {names} FROM {file}")
        return connection

    def _run(self, sql: str) -> list[tuple]:  # type: ignore[type-arg]  # rows of any columns
        return self._connection.cursor().execute(sql).fetchall()

    @cached_property
    def _columns(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self._run("DESCRIBE items")}

    @cached_property
    def _start(self) -> str:
        return self._time("start_datetime")

    @cached_property
    def _end(self) -> str:
        return self._time("end_datetime")

    def _time(self, name: str) -> str:
        known = [f'"{n}"' for n in (name, "datetime") if n in self._columns]
        return f"coalesce({', '.join(known)})" if len(known) > 1 else known[0]

    @cached_property
    def _file(self) -> pq.ParquetFile:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not Path(self.url).is_file():
            raise NotFound(f"{self.url} is not there", "Check the path.")
        try:
            file = pq.ParquetFile(self.url)
        except (pa.ArrowException, OSError) as error:
            raise BadInput(f"{self.url} is no Parquet file: {error}", "Check the path.") from error
        missing = {"id", "bbox"} - set(file.schema_arrow.names)
        if missing or not {"datetime", "start_datetime"} & set(file.schema_arrow.names):
            raise BadInput(
                f"{self.url} is no stac-geoparquet file: it lacks {', '.join(sorted(missing))}",
                "Write one with eolab.catalog.geoparquet.write_items.",
            )
        return file

    @cached_property
    def _stated(self) -> dict[str, dict[str, object]]:
        """Collections in the file's metadata by id."""
        raw = (self._file.schema_arrow.metadata or {}).get(b"stac-geoparquet", b"{}")
        try:
            found = json.loads(raw).get("collections")
        except (ValueError, AttributeError):
            return {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def _starts(self) -> list[int]:
        starts, total = [], 0
        for k in range(self._file.num_row_groups):
            starts.append(total)
            total += self._file.metadata.row_group(k).num_rows
        return starts


def _group_of(starts: Sequence[int], row: int) -> int:
    from bisect import bisect_right

    return bisect_right(starts, row) - 1


def _meets(bbox: Sequence[float]) -> str:
    """SQL for boxes that touch; both may cross the antimeridian."""
    west, south, east, north = bbox
    inside = f"bbox.xmin <= {east!r} AND bbox.xmax >= {west!r}"
    crossing = f"(bbox.xmin <= {east!r} OR bbox.xmax >= {west!r})"
    if west > east:
        across = crossing  # a box of the file that crosses too always meets
        return (
            f"(bbox.ymin <= {north!r} AND bbox.ymax >= {south!r} AND "
            f"(bbox.xmin > bbox.xmax OR {across}))"
        )
    return (
        f"(bbox.ymin <= {north!r} AND bbox.ymax >= {south!r} AND "
        f"(({inside}) OR (bbox.xmin > bbox.xmax AND {crossing})))"
    )


def write_items(
    path: Path,
    documents: Iterable[Mapping[str, object]],
    *,
    collections: Iterable[Mapping[str, object]] = (),
) -> list[Skipped]:
    """Write items as stac-geoparquet, neighbours together, in small row groups.

    Args:
        path: Target; it appears when it is complete.
        documents: Items as JSON objects.
        collections: Their collections, kept in the file's metadata.

    Returns:
        Items that were left out because their fields contradict the others' types.

    Raises:
        BadInput: There is nothing to write.
    """
    listed: list[Mapping[str, object]] = []
    skipped: list[Skipped] = []
    for document in documents:
        try:
            listed.append(_storable(document))
        except Exception as error:  # a document can be wrong in ways nobody listed
            message = getattr(error, "message", str(error))
            skipped.append(Skipped(self_href(document) or str(document.get("id")), message))
    if not listed and not skipped:
        raise BadInput("there are no items to write", "Search for some first.")
    listed = _agreeing(listed, skipped)
    listed.sort(key=_order)
    table = _table(listed, skipped) if listed else None
    if table is None:
        raise BadInput("none of the items can be written", skipped[0].message)
    write_table(path, table, collections=collections)
    return skipped


def write_table(
    path: Path, table: pa.Table, *, collections: Iterable[Mapping[str, object]] = ()
) -> None:
    """Write an Arrow table of items, neighbours together, so that a page reads few row groups."""
    import pyarrow as pa
    from stac_geoparquet.arrow import to_parquet

    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    # One batch becomes one row group.
    order = neighbours(table)
    if (order[1:] < order[:-1]).any():
        table = table.take(order)
    batches = table.combine_chunks().to_batches(max_chunksize=ROW_GROUP)
    reader = pa.RecordBatchReader.from_batches(table.schema, batches)
    known = {str(document["id"]): dict(document) for document in collections}
    try:
        to_parquet(reader, draft, collections=known or None, compression="zstd")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def neighbours(table: pa.Table) -> np.ndarray:
    """Positions of the rows by place, then time: sort-tile-recursive packing (Leutenegger 1997)."""
    n = len(table)
    box = table["bbox"].combine_chunks()
    side = max(1, round(np.sqrt(n / _CELL)))

    def centre(low: str, high: str) -> np.ndarray:
        both = [box.field(name).to_numpy(zero_copy_only=False) for name in (low, high)]
        return np.asarray(np.nan_to_num((both[0] + both[1]) / 2), dtype=np.float64)

    def slices(values: np.ndarray, within: np.ndarray) -> np.ndarray:
        """Number of the slice of equal size that each row falls into, inside its group."""
        ranked = np.lexsort((values, within))
        out = np.empty(n, dtype=np.int64)
        groups = within[ranked]
        first = np.searchsorted(groups, groups, side="left")
        size = np.searchsorted(groups, groups, side="right") - first
        out[ranked] = (np.arange(n) - first) * side // np.maximum(size, 1)
        return out

    column = slices(centre("xmin", "xmax"), np.zeros(n, dtype=np.int64))
    cell = column * side + slices(centre("ymin", "ymax"), column)
    name = "datetime" if "datetime" in table.column_names else "start_datetime"
    time = table[name].cast("int64", safe=False).fill_null(0).to_numpy()
    return np.asarray(np.lexsort((time, cell)), dtype=np.int64)


def _storable(document: Mapping[str, object]) -> Mapping[str, object]:
    """The item as the file can hold it: times to the microsecond, a box where there is an outline.

    Raises:
        ValueError: It is no item.
        BadInput: A time that cannot be read.
    """
    import shapely
    from shapely.geometry import shape

    check_document(document)
    properties = dict(_mapping(document["properties"]))
    for name in ("datetime", "start_datetime", "end_datetime"):
        if properties.get(name) is not None:
            time = parse_interval(str(properties[name]))[0]
            properties[name] = None if time is None else stamp(time)
    if not any(properties.get(name) for name in ("datetime", "start_datetime", "end_datetime")):
        raise ValueError("the item has no datetime")
    geometry = document.get("geometry")
    outline = shape(geometry) if isinstance(geometry, Mapping) else None
    bbox = document.get("bbox")
    if not isinstance(bbox, list) or len(bbox) not in (4, 6):
        if outline is None or shapely.is_empty(outline):
            raise ValueError("the item has neither an outline nor a box")
        bbox = list(outline.bounds)
    half = len(bbox) // 2
    box = [float(v) for v in (*bbox[:2], *bbox[half : half + 2])]
    return {**document, "properties": properties, "bbox": box}


def _agreeing(
    documents: list[Mapping[str, object]], skipped: list[Skipped]
) -> list[Mapping[str, object]]:
    """The items whose fields are of the kind that most items have there: columns have one type."""
    kinds: dict[str, Counter[str]] = {}
    of_each = []
    for document in documents:
        own = set(_kinds({k: v for k, v in document.items() if k != "geometry"}, ""))
        of_each.append(own)
        for path, kind in own:
            kinds.setdefault(path, Counter())[kind] += 1
    usual = {path: counts.most_common(1)[0][0] for path, counts in kinds.items()}
    mixed = {path for path, counts in kinds.items() if len(counts) > 1}
    kept = []
    for document, own in zip(documents, of_each, strict=True):
        odd = [(p, kind) for p, kind in own if p in mixed and kind != usual[p]]
        if odd:
            path, kind = min(odd)
            message = f"{path} is {kind}, elsewhere {usual[path]}"
            skipped.append(Skipped(self_href(document) or str(document.get("id")), message))
        else:
            kept.append(document)
    return kept


def _kinds(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every path in a document with the kind of value there; null fits everywhere."""
    if isinstance(value, Mapping):
        yield path, "an object"
        for key, inner in value.items():
            yield from _kinds(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        yield path, "a list"
        for inner in value:
            yield from _kinds(inner, f"{path}[]")
    elif isinstance(value, bool):
        yield path, "true or false"
    elif isinstance(value, str):
        yield path, "text"
    elif value is not None:
        yield path, "a number"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _order(document: Mapping[str, object]) -> tuple[str, str]:
    properties = document.get("properties")
    found = properties if isinstance(properties, Mapping) else {}
    time = found.get("datetime") or found.get("start_datetime") or ""
    return str(time), str(document.get("id"))


def _table(documents: list[Mapping[str, object]], skipped: list[Skipped]) -> pa.Table | None:
    """Items as an Arrow table; those that do not fit are found by halving."""
    import pyarrow as pa
    from stac_geoparquet.arrow import parse_stac_items_to_arrow

    try:
        return parse_stac_items_to_arrow([dict(d) for d in documents]).read_all()
    except Exception as error:  # types of foreign documents contradict in many ways
        if len(documents) == 1:
            skipped.append(Skipped(str(documents[0].get("id")), f"cannot be indexed: {error}"))
            return None
    middle = len(documents) // 2
    halves = [_table(documents[:middle], skipped), _table(documents[middle:], skipped)]
    known = [half for half in halves if half is not None]
    if len(known) < 2:
        return known[0] if known else None
    try:
        return pa.concat_tables(known, promote_options="permissive")
    except pa.ArrowException as error:
        # Each half agrees in itself: the smaller one is left out.
        small = min(known, key=len)
        skipped.extend(
            Skipped(str(name), f"cannot be indexed: {error}") for name in small["id"].to_pylist()
        )
        return max(known, key=len)
