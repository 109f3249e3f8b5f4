"""The online store on PostgreSQL, for teams: the same promises as the SQLite file beside a group.

One transaction brings in what was ingested since the group's mark and moves the mark; a process
that is killed in the middle leaves the tables as before. TimeSplit and nested values are kept as in
SQLite, so that both stores tell the same.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from eolab.errors import ConflictError, InvalidInputError, RemoteError
from eolab.features.online.sqlite import changed_rows, decimal_keys, decoder, plain, stored
from eolab.features.storage.arrow import RESERVED
from eolab.features.storage.delta_table import OfflineTable
from eolab.features.storage.duckdb import quote_identifier, quote_identifiers

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg import Connection

_BATCH = 50_000
# Bytes of a name in PostgreSQL.
_LONGEST = 63


class PostgresSchema(NamedTuple):
    """Where a workspace's online tables are: a database, and a schema of its own in it."""

    url: str
    schema: str


class PostgresTable:
    """The newest row of each primary key of one group, in PostgreSQL.

    Args:
        place: Database and schema.
        name: The group's name and version.
        offline: The group's table.
        primary_key: Its primary key.
        event_time: Its event time column, or None.
    """

    def __init__(
        self,
        place: PostgresSchema,
        name: str,
        offline: OfflineTable,
        primary_key: Sequence[str],
        event_time: str | None,
    ) -> None:
        self.place, self.name, self.offline = place, name, offline
        self.primary_key, self.event_time = tuple(primary_key), event_time

    @property
    def table(self) -> str:
        """The table's name as SQL; a long one is cut, and stays different from others by a hash."""
        name = self.name
        if len(name.encode()) > _LONGEST:
            digest = hashlib.sha256(name.encode()).hexdigest()[:16]
            name = f"{name[: _LONGEST - 17]}_{digest}"
        return f"{quote_identifier(self.place.schema)}.{quote_identifier(name)}"

    def reader(self, columns: Sequence[str], schema: pa.Schema) -> PostgresReader:
        """Reads columns by key."""
        return PostgresReader(self, columns, schema)

    def sync(self) -> int:
        """Bring in what was ingested since the last time; how many keys changed.

        Raises:
            RemoteError: The database cannot be reached or written.
        """
        commit, schema = self.offline.last(), self.offline.schema()
        if commit is None or schema is None:
            return 0
        with _translate_errors(self.place.url), connected(self.place.url) as con, con.transaction():
            # Of two processes, the second waits here and then sees the first one's mark.
            con.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (self.table,))
            mark = self._prepare(con, schema)
            count = 0
            if mark < commit.ingested:
                count = self._bring(con, schema, mark, commit.ingested)
                con.execute(
                    f"UPDATE {quote_identifier(self.place.schema)}.marks "
                    "SET ingested = %s WHERE name = %s",
                    (commit.ingested, self.name),
                )
        return count

    def drop(self) -> None:
        """Remove the table of a group that was deleted; `sync` makes it anew.

        Raises:
            RemoteError: The database cannot be reached or written.
        """
        home = quote_identifier(self.place.schema)
        with _translate_errors(self.place.url), connected(self.place.url) as con, con.transaction():
            found = con.execute("SELECT to_regclass(%s)", (f"{home}.marks",)).fetchone()
            if found is None or found[0] is None:
                return
            con.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (self.table,))
            con.execute(f"DROP TABLE IF EXISTS {self.table}")
            con.execute(f"DELETE FROM {home}.marks WHERE name = %s", (self.name,))

    def _prepare(self, con: Connection, schema: pa.Schema) -> int:
        """The tables, with a column for each of the group's; the mark up to which they are."""
        home = quote_identifier(self.place.schema)
        found = con.execute("SELECT to_regclass(%s)", (f"{home}.marks",)).fetchone()
        if found is None or found[0] is None:
            con.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (home,))
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {home}")
            con.execute(
                f"CREATE TABLE IF NOT EXISTS {home}.marks "
                "(name TEXT PRIMARY KEY, ingested BIGINT NOT NULL)"
            )
        kinds = {f.name: _sql_type(f.type) for f in schema if f.name not in RESERVED}
        kinds |= dict.fromkeys(decimal_keys(schema, self.primary_key), "TEXT")
        long = [name for name in kinds if len(name.encode()) > _LONGEST]
        if long:
            # PostgreSQL would cut them, and take one for the other.
            raise InvalidInputError(
                f"the column {long[0]!r} of {self.name} is too long for PostgreSQL",
                f"Names of columns that are served online have up to {_LONGEST} bytes.",
            )
        keys = quote_identifiers(self.primary_key)
        typed = ", ".join(f"{quote_identifier(k)} {kinds[k]} NOT NULL" for k in self.primary_key)
        con.execute(f"CREATE TABLE IF NOT EXISTS {self.table} ({typed}, PRIMARY KEY ({keys}))")
        for name, kind in kinds.items():
            if name not in self.primary_key:
                con.execute(
                    f"ALTER TABLE {self.table} "
                    f"ADD COLUMN IF NOT EXISTS {quote_identifier(name)} {kind}"
                )
        con.execute(
            f"INSERT INTO {home}.marks VALUES (%s, -1) ON CONFLICT DO NOTHING", (self.name,)
        )
        row = con.execute(
            f"SELECT ingested FROM {home}.marks WHERE name = %s", (self.name,)
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _bring(self, con: Connection, schema: pa.Schema, mark: int, upto: int) -> int:
        rows, deleted = changed_rows(
            self.offline, self.primary_key, self.event_time, schema, mark, upto
        )
        keys = quote_identifiers(self.primary_key)
        names = rows.column_names
        columns = quote_identifiers(names)
        con.execute(f"CREATE TEMP TABLE arrived (LIKE {self.table}) ON COMMIT DROP")
        _copy(con, "arrived", rows, self.primary_key)
        others = [n for n in names if n not in self.primary_key]
        sets = ", ".join(f"{quote_identifier(n)} = EXCLUDED.{quote_identifier(n)}" for n in others)
        con.execute(
            f"INSERT INTO {self.table} ({columns}) SELECT {columns} FROM arrived "
            f"ON CONFLICT ({keys}) DO {f'UPDATE SET {sets}' if sets else 'NOTHING'}"
        )
        if deleted.num_rows:
            con.execute(
                f"CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT {keys} FROM {self.table} LIMIT 0"
            )
            _copy(con, "gone", deleted, self.primary_key)
            con.execute(f"DELETE FROM {self.table} WHERE ({keys}) IN (SELECT {keys} FROM gone)")
        return int(rows.num_rows + deleted.num_rows)


class PostgresReader:
    """Reads columns of one group by key; safe to use from several threads.

    Args:
        table: The online table; it must exist.
        columns: What to read, in order.
        schema: The group's columns, which say how values are decoded from what is kept.
    """

    def __init__(self, table: PostgresTable, columns: Sequence[str], schema: pa.Schema) -> None:
        self._url, self._keys = table.place.url, table.primary_key
        self._local = threading.local()
        match = " AND ".join(f"{quote_identifier(k)} = %s" for k in self._keys)
        self._sql = f"SELECT {quote_identifiers(columns)} FROM {table.table} WHERE {match}"
        self._decimals = decimal_keys(schema, self._keys)
        kinds = [
            "TEXT" if k in self._decimals else _sql_type(schema.field(k).type) for k in self._keys
        ]
        lists = ", ".join(f"%s::{kind}[]" for kind in kinds)
        self._many = (
            f"SELECT {quote_identifiers([*self._keys, *columns])} FROM {table.table} "
            f"WHERE ({quote_identifiers(self._keys)}) IN (SELECT * FROM unnest({lists}))"
        )
        self._back = [(i, back) for i, c in enumerate(columns) if (back := decoder(schema, c))]
        with _translate_errors(self._url):
            found = self._connection().execute("SELECT to_regclass(%s)", (table.table,)).fetchone()
        if found is None or found[0] is None:
            raise ConflictError(
                f"there is no online table {table.table}",
                "Make the group with online_enabled=True, or call its sync_online().",
            )

    def get(self, key: Mapping[str, object]) -> tuple[object, ...] | None:
        """The newest values of a key; None where it is not there."""
        with _translate_errors(self._url):
            row = self._connection().execute(self._sql, self._bound(key), prepare=True).fetchone()
        return None if row is None else self._decode_row(row)

    def get_many(self, keys: Sequence[Mapping[str, object]]) -> list[tuple[object, ...] | None]:
        """The newest values of each key, in order."""
        bound = [tuple(self._bound(key)) for key in keys]
        if not bound:
            return []
        lists = [list(column) for column in zip(*bound, strict=True)]
        with _translate_errors(self._url):
            rows = self._connection().execute(self._many, lists, prepare=True).fetchall()
        width = len(self._keys)
        found = {row[:width]: self._decode_row(row[width:]) for row in rows}
        return [found.get(key) for key in bound]

    def _bound(self, key: Mapping[str, object]) -> list[object]:
        try:
            return [plain(key[name], decimal=name in self._decimals) for name in self._keys]
        except KeyError as error:
            raise InvalidInputError(
                f"the key {dict(key)!r} has no {error.args[0]!r}",
                f"Name all of the primary key: {', '.join(self._keys)}.",
            ) from None

    def _decode_row(self, row: tuple[object, ...]) -> tuple[object, ...]:
        if not self._back:
            return row
        values = list(row)
        for i, back in self._back:
            if values[i] is not None:
                values[i] = back(values[i])
        return tuple(values)

    def _connection(self) -> Connection:
        found: Connection | None = getattr(self._local, "connection", None)
        # The server may have been started anew in between.
        if found is None or found.closed or found.broken:
            found = self._local.connection = _open(self._url)
        return found


def _copy(con: Connection, table: str, rows: pa.Table, keys: Sequence[str]) -> None:
    """Send rows by COPY, some at a time in memory."""
    with (
        con.cursor() as cursor,
        cursor.copy(f"COPY {table} ({quote_identifiers(rows.column_names)}) FROM STDIN") as copy,
    ):
        for batch in rows.to_batches(max_chunksize=_BATCH):
            columns = [
                stored(batch.column(i), key=name in keys)
                for i, name in enumerate(rows.column_names)
            ]
            for row in zip(*columns, strict=True):
                copy.write_row(row)


def _sql_type(kind: pa.DataType) -> str:
    """The type of what `stored` makes of a column."""
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if kind == pa.uint64():
        return "NUMERIC"
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "BIGINT"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "DOUBLE PRECISION"
    return "BYTEA" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else "TEXT"


def _open(url: str) -> Connection:
    try:
        import psycopg
    except ImportError as error:
        raise InvalidInputError(
            "the driver of PostgreSQL is not installed", "pip install 'eolab[postgres]'"
        ) from error
    return psycopg.connect(url, autocommit=True, connect_timeout=10)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that is closed at the end."""
    con = _open(url)
    try:
        yield con
    finally:
        con.close()


@contextmanager
def _translate_errors(url: str) -> Iterator[None]:
    """Report faults of a database with the way out; the address without what may be secret."""
    try:
        import psycopg
    except ImportError:
        yield  # `_open` says so
        return
    try:
        yield
    except psycopg.Error as error:
        place = url.rpartition("@")[2].partition("?")[0]
        raise RemoteError(
            f"the online store at {place} failed: {str(error).strip() or type(error).__name__}",
            "The rows are in the group; call sync_online() once the database is well.",
        ) from error
