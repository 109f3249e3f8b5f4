"""stac-geoparquet files, one row an item: written for quick pages, searched with DuckDB."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eolab.catalog.items.parsed import is_raster
from eolab.catalog.query.free_text import ABOVE, words_to_sql
from eolab.catalog.query.prefilter import quote_literal, to_sql
from eolab.catalog.query.query import SearchQuery
from eolab.catalog.sources.base import Capabilities, Source
from eolab.catalog.sources.parse_items import as_items, make_collection, self_href
from eolab.errors import EolabError, InvalidInputError, NotFoundError
from eolab.redaction import redact

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import pystac

_PAGE = 250
_READ = 64_000  # rows read in full at once, about 100 MB
_HELD = 5_000_000  # rows whose plain columns are kept in memory, about 100 bytes each
_AT_ONCE = 8  # files that stay open
_TRIES = 3  # to open a file that others write
REWRITE = "Write it anew with eolab.catalog.sources.geoparquet_writer.write_items."


class GeoParquetSource(Source):
    """A stac-geoparquet file. DuckDB finds the rows, only their row groups are read in full."""

    @property
    def kind(self) -> str:
        return "geoparquet"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(count=True, histogram=True, free_text=True, waits=False)

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
        for stored, count, west, south, east, north, first, last, fake in rows:
            name = None if stored is None else str(stored)
            if name in stated:
                collection = make_collection({**stated[name], "id": name})
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

    def count(self, query: SearchQuery) -> int:
        return int(self._run(f"SELECT count(*) FROM items {self._where(query)}")[0][0])

    def histogram(self, query: SearchQuery, *, period: str = "month") -> pd.DataFrame:
        if period not in ("day", "week", "month", "year"):
            raise InvalidInputError(
                f"period = {period!r}", 'Give "day", "week", "month" or "year".'
            )
        import pandas as pd

        rows = self._run(
            f"SELECT date_trunc('{period}', CAST({self._start} AS TIMESTAMP)) AS t, count(*) "
            f"FROM items {self._where(query)} GROUP BY t ORDER BY t"
        )
        # Times beyond the years of Python come as text; their items are no items either.
        known = [(time, count) for time, count in rows if not isinstance(time, str)]
        return pd.DataFrame(known, columns=["time", "items"])

    def sorts(self, query: SearchQuery) -> bool:
        return all(name in self._columns for name, _ in query.sort)

    def candidates(self, query: SearchQuery) -> Iterator[pystac.Item]:
        self.skipped = []
        _ = self._file  # opened before anything is promised
        return as_items(self._documents(query), self)

    def _documents(self, query: SearchQuery) -> Iterator[tuple[str, Mapping[str, object]]]:
        order = [f'"{n}" {"DESC" if d else "ASC"} NULLS LAST' for n, d in query.sort]
        order += [f"{self._start} NULLS LAST", "id"]
        where = self._where(query, words_to_sql(query.words, query.about, self._columns))
        # Boxes answer for nearly all outlines: little more than the page is read at first.
        done, size = 0, query.limit + 10 if query.limit else 5_000
        while True:
            rows = self._run(
                f"SELECT file_row_number FROM items {where} "
                f"ORDER BY {', '.join(order if self.sorts(query) else order[-2:])} "
                f"LIMIT {size} OFFSET {done}"
            )
            yield from self._fetch([int(row[0]) for row in rows], brief=query.brief)
            done += len(rows)
            if len(rows) < size:
                return
            size = max(size, _PAGE)

    def _fetch(
        self, rows: Sequence[int], *, brief: bool
    ) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Items by row number, in that order: whole, or with one asset where that will do.

        Rows that cannot be made items of are skipped with a message.
        """
        if not rows:
            return
        try:
            found = list(self._brief(rows) if brief else self._whole(rows))
        except EolabError:
            raise
        except Exception:  # one of them is odd: which, is seen one by one
            found = list(self._one_by_one(rows))
        for document in found:
            yield self_href(document) or f"{self.url}#{document.get('id')}", document

    def _whole(self, rows: Sequence[int]) -> Iterator[dict[str, object]]:
        from stac_geoparquet.arrow import stac_table_to_items

        return iter(stac_table_to_items(self._table(rows)))

    def _one_by_one(self, rows: Sequence[int]) -> Iterator[Mapping[str, object]]:
        """Rows in full, each read for itself."""
        for row in rows:
            try:
                (document,) = self._whole([row])
            except EolabError:
                raise
            except Exception as error:
                self.skip(f"{self.url}#row={row}", error)
                continue
            yield document

    def _brief(self, rows: Sequence[int]) -> Iterator[Mapping[str, object]]:
        """Items with the first asset of each that holds data and lies in the network.

        Most of a row are its assets: the others are not even read. An item that has no such asset
        keeps all of them, since what it may name is judged by the whole.
        """
        import pyarrow as pa
        from stac_geoparquet.arrow import stac_table_to_items

        schema = self._file.schema_arrow
        assets = schema.field("assets").type if "assets" in schema.names else pa.null()
        kept: dict[int, dict[str, object]] = {}
        left = list(rows)
        for asset in assets if pa.types.is_struct(assets) else ():
            names = {part.name for part in asset.type} if pa.types.is_struct(asset.type) else set()
            if not left or "href" not in names:
                continue
            columns = [f"assets.{asset.name}.{n}" for n in ("href", "type", "roles") if n in names]
            later = []
            for row, found in zip(left, self._table(left, columns)["assets"], strict=True):
                asset_fields = (found.as_py() or {}).get(asset.name) or {}
                href = asset_fields.get("href") or ""
                if not is_raster(asset_fields.get("type"), asset_fields.get("roles"), href):
                    later.append(row)
                elif href.startswith(("https://", "http://", "s3://")):
                    kept[row] = {asset.name: asset_fields}
            left = later
        whole = [row for row in rows if row not in kept]
        rest = iter(stac_table_to_items(self._table(whole))) if whole else iter(())
        plain = [name for name in schema.names if name != "assets"]
        for row, document in zip(rows, stac_table_to_items(self._table(rows, plain)), strict=True):
            yield {**document, "assets": kept[row]} if row in kept else next(rest)

    def _table(self, rows: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Rows by number, in that order: all columns, or these and what lies in them."""
        import numpy as np
        import pyarrow as pa

        starts = np.asarray([*self._starts, self._file.metadata.num_rows])
        sizes = np.diff(starts)
        ordered = np.unique(rows)
        owners = np.searchsorted(starts, ordered, side="right") - 1  # row group of each
        groups = np.unique(owners)
        tables: list[pa.Table] = []
        # Several at a time keep all cores busy; few enough that the memory stays small.
        turns = np.cumsum(sizes[groups]) // _READ
        for turn in np.unique(turns):
            batch = groups[turns == turn]
            with self._readable():
                table = self._file.read_row_groups(batch.tolist(), columns=columns)
            within = np.isin(owners, batch)
            held = np.searchsorted(batch, owners[within])
            above = np.cumsum(sizes[batch]) - sizes[batch]  # rows of the table before each group
            tables.append(table.take(ordered[within] - starts[batch][held] + above[held]))
        return pa.concat_tables(tables).take(np.searchsorted(ordered, rows))

    def _where(self, query: SearchQuery, also: Sequence[str] = ()) -> str:
        """A condition that keeps all rows that answer the query but its words, perhaps more."""
        parts = [*also]
        if query.collections:
            parts.append(f"collection IN ({', '.join(map(quote_literal, query.collections))})")
        if query.ids:
            parts.append(f"id IN ({', '.join(map(quote_literal, query.ids))})")
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
            plain = {name: kind for name, kind in self._columns.items() if name != ABOVE}
            sql = to_sql(query.filter, plain)
            if sql is not None:
                parts.append(sql)
        return f"WHERE {' AND '.join(parts)}" if parts else ""

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        opened = self._opened
        with self._readable():
            rows = opened.connection.cursor().execute(sql).fetchall()
        if not opened.held and _key(self.url) != opened.key:
            # The numbers of its rows are no longer those of the file that PyArrow has open.
            raise InvalidInputError(
                f"{self.url} was written anew since it was opened", "Open the catalogue again."
            )
        return rows

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        """Say what DuckDB and PyArrow say of a file that is damaged, or is not what it claims.

        Raises:
            InvalidInputError: They cannot read it.
        """
        import duckdb
        import pyarrow as pa

        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise _unreadable(self.url, error) from error

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
        if not known:
            raise InvalidInputError(f"{self.url} has no times that can be compared", REWRITE)
        return f"coalesce({', '.join(known)})" if len(known) > 1 else known[0]

    @cached_property
    def _opened(self) -> _Opened:
        return _open(self.url)

    @property
    def _file(self) -> pq.ParquetFile:
        return self._opened.file

    @cached_property
    def _stated(self) -> dict[str, dict[str, object]]:
        """Collections in the file's metadata by id."""
        raw = (self._file.schema_arrow.metadata or {}).get(b"stac-geoparquet", b"{}")
        try:
            found = json.loads(raw).get("collections")
        except (ValueError, AttributeError):
            return {}
        stated = found if isinstance(found, dict) else {}
        return {name: document for name, document in stated.items() if isinstance(document, dict)}

    @cached_property
    def _starts(self) -> list[int]:
        starts, total = [], 0
        for k in range(self._file.num_row_groups):
            starts.append(total)
            total += self._file.metadata.row_group(k).num_rows
        return starts


@dataclass(frozen=True)
class _Opened:
    """A file, and its rows as the table `items`: what searches ask for, with `file_row_number`.

    Attributes:
        key: What tells the file from what it was before.
        file: As PyArrow reads it.
        connection: With the table.
        held: Whether the table is in memory; else each search reads the file anew.
    """

    key: tuple[str, int, int]
    file: pq.ParquetFile
    connection: duckdb.DuckDBPyConnection
    held: bool


# By path, time and size. The panel makes a source for each question; filling a table of a million
# rows takes longer than all the rest of an answer.
_open_files: OrderedDict[tuple[str, int, int], _Opened] = OrderedDict()
_opening = threading.Lock()


def _open(path: str) -> _Opened:
    """A stac-geoparquet file as it is now; the last ones stay open.

    Raises:
        NotFoundError: It is not there.
        InvalidInputError: It is none.
    """
    if not Path(path).is_file():
        raise NotFoundError(f"{path} is not there", "Check the path.")
    with _opening:
        key = _key(path)
        if key in _open_files:
            _open_files.move_to_end(key)
            return _open_files[key]
        for older in [k for k in _open_files if k[0] == path]:
            del _open_files[older]
        made = _load(path)
        for _ in range(_TRIES):
            if _key(path) == made.key:
                break
            made = _load(path)  # written anew meanwhile: PyArrow has one file, DuckDB another
        else:
            raise InvalidInputError(f"{path} is being written", "Try again when that is done.")
        _open_files[made.key] = made
        while len(_open_files) > 1 and (
            len(_open_files) > _AT_ONCE
            or sum(each.file.metadata.num_rows for each in _open_files.values()) > _HELD
        ):
            _open_files.popitem(last=False)
        return made


def _key(path: str) -> tuple[str, int, int]:
    """What tells a file from what it was before.

    Raises:
        NotFoundError: It is gone.
    """
    try:
        state = Path(path).stat()
    except OSError as error:
        raise NotFoundError(f"{path} is not there", "Check the path.") from error
    return path, state.st_mtime_ns, state.st_size


def _load(path: str) -> _Opened:
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

    key = _key(path)
    try:
        file = pq.ParquetFile(path)
        columns = file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInputError(f"{path} is no Parquet file: {error}", "Check the path.") from error
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise InvalidInputError(f"{path} has more than one column {twice[0]!r}", REWRITE)
    missing = {"id", "bbox"} - set(columns)
    if not {"datetime", "start_datetime"} & set(columns):
        missing.add("datetime")
    if missing:
        raise InvalidInputError(
            f"{path} is no stac-geoparquet file: it lacks {', '.join(sorted(missing))}",
            REWRITE,
        )
    connection = duckdb.connect()
    # Cursors take over what is global only.
    connection.execute("SET GLOBAL parquet_metadata_cache = true; SET GLOBAL TimeZone = 'UTC'")
    source = f"read_parquet({quote_literal(path)}, file_row_number = true)"
    try:
        kinds = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error:
        # Outlines as older versions of GeoParquet (0.4 on) state them, which DuckDB does not know;
        # searches go by boxes, and items are read by PyArrow.
        connection.execute("SET GLOBAL enable_geoparquet_conversion = false")
        try:
            kinds = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        except duckdb.Error as error:
            raise _unreadable(path, error) from error
    # What searches ask for: one value a row, the box, and names.
    plain = [
        name
        for name, kind, *_ in kinds
        if name in ("bbox", ABOVE) or ("(" not in kind and "[" not in kind and kind != "BLOB")
    ]
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in plain)
    what = "TABLE" if file.metadata.num_rows <= _HELD else "VIEW"
    try:
        connection.execute(f"CREATE {what} items AS SELECT {names} FROM {source}")
    except (duckdb.Error, OverflowError) as error:
        raise _unreadable(path, error) from error
    return _Opened(key, file, connection, held=what == "TABLE")


def _unreadable(path: str, error: Exception) -> InvalidInputError:
    text = str(error).strip().splitlines() or [type(error).__name__]
    return InvalidInputError(f"{path} cannot be read: {redact(text[0])[:300]}", REWRITE)


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
