"""The newest row of each thing, by key, in microseconds: a SQLite file beside a group's table.

It follows the Delta table: one transaction brings in all that was ingested since its mark and
moves the mark. A process killed in the middle leaves the file as before, and the next insert
brings in what is missing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eolab.errors import ConflictError, InvalidInputError, RemoteError
from eolab.features.storage.arrow import INGESTED, RESERVED
from eolab.features.storage.delta_table import OfflineTable
from eolab.features.storage.duckdb import connect, quote_identifier, quote_identifiers

if TYPE_CHECKING:
    import pyarrow as pa

# Since 2 decimal keys are text: as floating-point numbers two of them could be one.
FORMAT = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH = 50_000
_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "lustre", "gpfs", "beegfs")


class OnlineTable:
    """The newest row of each primary key of one group.

    Args:
        offline: The group's table.
        primary_key: Its primary key.
        event_time: Its event time column, or None.
    """

    def __init__(
        self, offline: OfflineTable, primary_key: Sequence[str], event_time: str | None
    ) -> None:
        self.offline = offline
        self.path = offline.folder / "online.db"
        self.primary_key, self.event_time = tuple(primary_key), event_time

    def reader(self, columns: Sequence[str], schema: pa.Schema) -> OnlineReader:
        """Reads columns by key (see `OnlineReader`)."""
        return OnlineReader(self, columns, schema)

    def sync(self) -> int:
        """Bring in what was ingested since the last time; how many keys changed.

        Raises:
            RemoteError: The file cannot be written.
        """
        commit = self.offline.last()
        schema = self.offline.schema()
        if commit is None or schema is None:
            return 0
        try:
            con = self._open()
            try:
                # Immediate: of two processes, the second sees the first one's mark.
                con.execute("BEGIN IMMEDIATE")
                mark = self._prepare(con, schema)
                count = 0
                if mark < commit.ingested:
                    count = self._bring(con, schema, mark, commit.ingested)
                    con.execute("UPDATE mark SET ingested = ?", (commit.ingested,))
                con.execute("COMMIT")
            finally:
                con.close()
        except sqlite3.Error as error:
            raise RemoteError(
                f"{self.path} cannot be written: {error}",
                "The rows are in the group; call sync_online() once the disk is well.",
            ) from error
        return count

    def _open(self) -> sqlite3.Connection:
        # Autocommit: transactions are begun by hand.
        con = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        # The write-ahead log needs shared memory, which network file systems do not have.
        mode = "DELETE" if on_network(self.path.parent) else "WAL"
        con.execute(f"PRAGMA journal_mode = {mode}")
        con.execute("PRAGMA synchronous = NORMAL")
        return con

    def _prepare(self, con: sqlite3.Connection, schema: pa.Schema) -> int:
        """The tables, with a column for each of the group's; the mark up to which they are."""
        found = con.execute("PRAGMA user_version").fetchone()[0]
        if found not in {0, 1, FORMAT}:
            raise ConflictError(
                f"{self.path} has format {found}, allowed: {FORMAT}",
                "Delete it and call sync_online(), or upgrade eolab.",
            )
        if found == 1 and decimal_keys(schema, self.primary_key):
            con.execute("DROP TABLE newest")
            con.execute("DROP TABLE mark")
            found = 0
        if found == 0:
            keys = quote_identifiers(self.primary_key)
            con.execute(f"CREATE TABLE newest ({keys}, PRIMARY KEY ({keys})) WITHOUT ROWID")
            con.execute("CREATE TABLE mark (ingested INTEGER NOT NULL)")
            con.execute("INSERT INTO mark VALUES (-1)")
            con.execute(f"PRAGMA user_version = {FORMAT}")
        present = {row[1] for row in con.execute("PRAGMA table_info(newest)")}
        for name in schema.names:
            if name not in present and name not in RESERVED:
                con.execute(f"ALTER TABLE newest ADD COLUMN {quote_identifier(name)}")
        return int(con.execute("SELECT ingested FROM mark").fetchone()[0])

    def _bring(self, con: sqlite3.Connection, schema: pa.Schema, mark: int, upto: int) -> int:
        rows, deleted = changed_rows(
            self.offline, self.primary_key, self.event_time, schema, mark, upto
        )
        marks = ", ".join("?" * rows.num_columns)
        names = quote_identifiers(rows.column_names)
        insert = f"INSERT OR REPLACE INTO newest ({names}) VALUES ({marks})"
        for batch in rows.to_batches(max_chunksize=_BATCH):
            columns = [
                stored(batch.column(i), key=name in self.primary_key)
                for i, name in enumerate(rows.column_names)
            ]
            con.executemany(insert, zip(*columns, strict=True))
        if deleted.num_rows:
            match = " AND ".join(f"{quote_identifier(k)} = ?" for k in self.primary_key)
            columns = [stored(deleted.column(k), key=True) for k in self.primary_key]
            con.executemany(f"DELETE FROM newest WHERE {match}", zip(*columns, strict=True))
        return int(rows.num_rows + deleted.num_rows)


def changed_rows(
    offline: OfflineTable,
    primary_key: Sequence[str],
    event_time: str | None,
    schema: pa.Schema,
    mark: int,
    upto: int,
) -> tuple[pa.Table, pa.Table]:
    """The newest rows of the keys that were touched after ``mark``, and the keys that are gone.

    ``mark`` and ``upto`` are ingestion times in microseconds since the epoch.
    """
    keys = quote_identifiers(primary_key)
    names = [n for n in schema.names if n not in RESERVED]
    order = f"{quote_identifier(event_time)} DESC" if event_time else keys
    with connect(offline.folder) as duck:
        offline.view(duck, "every", as_of=upto, resolve=False)
        offline.view(duck, "resolved", as_of=upto)
        duck.execute(
            f"CREATE TEMP TABLE touched AS SELECT DISTINCT {keys} FROM every "
            f"WHERE {INGESTED} > make_timestamptz({mark})"
        )
        rows = duck.sql(
            f"SELECT {quote_identifiers(names)} FROM resolved SEMI JOIN touched USING ({keys}) "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {order}) = 1"
        ).to_arrow_table()
        deleted = duck.sql(
            f"SELECT {keys} FROM touched ANTI JOIN resolved USING ({keys})"
        ).to_arrow_table()
    return rows, deleted


class OnlineReader:
    """Reads columns of one group by key; safe to use from several threads.

    Args:
        table: The online table; it must exist.
        columns: What to read, in order.
        schema: The group's columns, which say how values are decoded from what SQLite keeps.
    """

    def __init__(self, table: OnlineTable, columns: Sequence[str], schema: pa.Schema) -> None:
        if not table.path.exists():
            raise ConflictError(
                f"there is no online store at {table.path}",
                "Make the group with online_enabled=True, or call its sync_online().",
            )
        self._path, self._keys = table.path, table.primary_key
        self._local = threading.local()
        self._decimals = decimal_keys(schema, self._keys)
        if self._decimals:
            # Those of a file that an older version wrote are numbers still.
            table.sync()
        match = " AND ".join(f"{quote_identifier(k)} = ?" for k in table.primary_key)
        self._sql = f"SELECT {quote_identifiers(columns)} FROM newest WHERE {match}"
        first = quote_identifier(self._keys[0])
        self._many = f"SELECT {first}, {quote_identifiers(columns)} FROM newest WHERE {first} IN "
        self._back = [(i, back) for i, c in enumerate(columns) if (back := decoder(schema, c))]

    def get(self, key: Mapping[str, object]) -> tuple[object, ...] | None:
        """The newest values of a key; None where it is not there."""
        row = self._connection().execute(self._sql, self._bound(key)).fetchone()
        return row if row is None or not self._back else self._decode_row(row)

    def get_many(self, keys: Sequence[Mapping[str, object]]) -> list[tuple[object, ...] | None]:
        """The newest values of each key, in order."""
        connection = self._connection()
        if len(self._keys) > 1:
            return [self.get(key) for key in keys]
        bound = [self._bound(key)[0] for key in keys]
        found: dict[object, tuple[object, ...]] = {}
        for start in range(0, len(bound), 500):
            part = bound[start : start + 500]
            marks = ",".join("?" * len(part))
            for row in connection.execute(f"{self._many}({marks})", part):
                found[row[0]] = row[1:] if not self._back else self._decode_row(row[1:])
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
        values = list(row)
        for i, back in self._back:
            if values[i] is not None:
                values[i] = back(values[i])
        return tuple(values)

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=60)
            self._local.connection = found
        return found


def decimal_keys(schema: pa.Schema, keys: Sequence[str]) -> frozenset[str]:
    """The keys that are decimals: they are kept as text."""
    import pyarrow as pa

    return frozenset(k for k in keys if pa.types.is_decimal(schema.field(k).type))


def decimal_text(value: object) -> str:
    """One text for all ways to write a decimal: 1.10, 1.1 and 1.100."""
    number = Decimal(str(value))
    text = format(number.copy_abs() if number == 0 else number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value: object, *, decimal: bool = False) -> object:
    """A key as SQLite keeps it: NumPy's scalars unwrapped, time stamps as microseconds.

    With ``decimal`` it is a key that is kept as a decimal.
    """
    if isinstance(value, np.datetime64):
        raise InvalidInputError(
            f"the key {value!r} has no time zone",
            "Give a time stamp with one: pandas.Timestamp(..., tz='UTC').",
        )
    item = getattr(value, "item", None)
    if item is not None and not isinstance(value, datetime):
        value = item()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInputError(
                f"the key {value!r} has no time zone", "Give it one: .tz_localize('UTC')."
            )
        return (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return (value - _EPOCH.date()).days
    if decimal:
        try:
            return decimal_text(value)
        except InvalidOperation:
            raise InvalidInputError(
                f"the key {value!r} is no number", "Give a decimal.Decimal."
            ) from None
    # A decimal for a key of another kind of number.
    return float(value) if isinstance(value, Decimal) else value


def stored(column: pa.Array, *, key: bool = False) -> list[object]:
    """The values as they are kept; decimals as floating-point numbers, as a key as text."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_date(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_nested(kind):
        import json

        return [None if v is None else json.dumps(v) for v in column.to_pylist()]
    elif pa.types.is_decimal(kind):
        # Python rounds to the nearest number; Arrow's cast may be one beside it.
        convert = decimal_text if key else float
        return [None if v is None else convert(v) for v in column.to_pylist()]
    values: list[object] = column.to_pylist()
    return values


def decoder(schema: pa.Schema, name: str) -> Callable[[Any], object] | None:
    """How a value is decoded from what SQLite keeps; None where they are the same."""
    import pyarrow as pa

    kind = schema.field(name).type
    if pa.types.is_timestamp(kind):
        return lambda v: _EPOCH + timedelta(microseconds=v)
    if pa.types.is_date(kind):
        return lambda v: _EPOCH.date() + timedelta(days=v)
    if pa.types.is_boolean(kind):
        return bool
    if pa.types.is_nested(kind):
        import json

        return json.loads
    return None


def on_network(folder: Path) -> bool:
    """Whether a folder is on a network file system, as far as the system tells (Linux)."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    place = str(folder.resolve()) + "/"
    best, kind = "", ""
    for line in mounts:
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].rstrip("/") + "/"
        if place.startswith(point) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind.startswith(_NETWORK)
