"""The Delta Lake table behind a feature group: appended to under a lock, read through DuckDB.

Every row carries the time at which it was ingested and whether it is the first of its key (0), a
newer version of one (1) or a deletion (2). Nothing is rewritten: what was known at a time is what
had been ingested by then. Rows of one key are told apart on read, and only where there are such.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import ConflictError, RemoteError
from eolab.features import arrays
from eolab.features.storage.arrow import CHANGE, INGESTED, OWN
from eolab.features.storage.commits import Commit, TableSnapshot, commit_of, logged, properties
from eolab.features.storage.duckdb import connect, parquet, quote_identifier, quote_identifiers
from eolab.features.storage.files import translate_errors, writer
from eolab.features.storage.row_fetch import NO_ROW, ROW_NUMBER, ROW_NUMBER_SQL, VIRTUAL
from eolab.files import locks

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable
    from duckdb import DuckDBPyConnection

# Rows, their history and what was known when must outlive Delta's default of 30 days.
CONFIGURATION = {"delta.logRetentionDuration": "interval 36500 days"}
# The number of a row among those that are to be inserted.
_PLACE = f"{OWN}place"


class OfflineTable:
    """The rows of one feature group.

    Writers are one at a time (a lock file, freed by the system when its holder dies); readers
    never wait and see whole commits only.

    Args:
        folder: Its own folder; made with the first insert.
        keys: The primary key, then the event time where there is one.
        together: Columns by which the rows of a commit are ordered in its files, so that a
            condition on them passes over the rest. Not Delta's partitions: those make many small
            files of a few rows each, and their values are not in the files.
    """

    def __init__(self, folder: Path, keys: Sequence[str], *, together: Sequence[str] = ()) -> None:
        self.folder, self.together = folder, tuple(together)
        self.path = folder / "table"
        self.keys = tuple(keys)
        # Of the version seen last: opening the table costs as much as a small join.
        self._kept: TableSnapshot | None = None

    def open(self) -> DeltaTable | None:
        """The Delta table at its newest version; None before the first insert."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        try:
            return DeltaTable(str(self.path))
        except TableNotFoundError:
            return None

    def schema(self) -> pa.Schema | None:
        """The columns, the store's own ones too; None before the first insert."""
        found = self._newest()
        return None if found is None else found.schema

    def snapshot(self) -> TableSnapshot:
        """What there is to read.

        Raises:
            ConflictError: Nothing was ever inserted, or the table uses a feature that we cannot
                read.
        """
        found = self._newest()
        if found is None:
            name = self.folder.parent.name
            raise ConflictError(f"nothing was inserted into {name!r} yet", "Call insert first.")
        return found

    def _newest(self) -> TableSnapshot | None:
        import pyarrow as pa

        kept = self._kept
        if kept is not None and not self._log(kept.commit.version + 1).exists():
            return kept
        table = self.open()
        if table is None:
            return None
        features = set(table.protocol().reader_features or ())
        if features & {"deletionVectors", "columnMapping"}:
            raise ConflictError(
                f"{self.path} uses Delta's {', '.join(sorted(features))}, which is not read here",
                "Write it without.",
            )
        # Its own log entry: the history may have grown by another process's commit.
        commit = logged(self._log(table.version()))
        schema = arrays.with_shapes(pa.schema(table.schema()))
        self._kept = TableSnapshot(table.file_uris(), schema, commit)
        return self._kept

    def _log(self, version: int) -> Path:
        """Where Delta tells of a version: without the next one's, a version is the newest."""
        return self.path / "_delta_log" / f"{version:020d}.json"

    def last(self) -> Commit | None:
        """The newest commit; None before the first insert."""
        found = self._newest()
        return None if found is None else found.commit

    def commits(self) -> list[Commit]:
        """All commits, oldest first."""
        table = self.open()
        return [] if table is None else [commit_of(entry) for entry in reversed(table.history())]

    def append(
        self, prepare: Callable[[pa.Schema | None], pa.Table], *, only_new: bool = False
    ) -> Commit:
        """Add rows as one commit.

        Args:
            prepare: Gives the rows, unique by key, for the columns that the table has (None before
                the first insert). It is called with the lock held, so that two first inserts
                cannot both choose the columns.
            only_new: Refuse rows whose key is there already.

        Raises:
            ConflictError: Keys are there already, with ``only_new``.
            RemoteError: The disk is full or cannot be written; nothing was added.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        with self.locked():
            table = self.open()
            known = None if table is None else arrays.with_shapes(pa.schema(table.schema()))
            rows = prepare(known)
            if self.together:
                rows = rows.sort_by([(name, "ascending") for name in self.together])
            change, live = self._known(table, rows)
            if live and only_new:
                raise ConflictError(
                    f"{live} of {rows.num_rows} keys are in the group already",
                    "Insert with mode='upsert' to keep the rows as newer versions.",
                )
            commit = self.next_commit(
                table, "insert", rows.num_rows, rows.num_rows - live, rows.num_rows - live
            )
            commit = replace(
                commit, changed=commit.changed or bool(pc.any(pc.greater(change, 0)).as_py())
            )
            self.write(table, self.stamp(rows, change, commit.ingested), commit)
            return commit

    def delete(self, keys: pa.Table) -> Commit | None:
        """Mark rows as deleted from now on, by key; None where none of them is there."""
        import numpy as np
        import pyarrow as pa

        with self.locked():
            table = self.open()
            if table is None:
                return None
            with connect(self.folder) as con:
                self.view(con, "present")
                con.register("gone", keys)
                found = con.sql(
                    f"SELECT {quote_identifiers(self.keys)} FROM present SEMI JOIN gone "
                    f"USING ({quote_identifiers(keys.column_names)})"
                ).to_arrow_table()
            if not found.num_rows:
                return None
            schema = pa.schema(table.schema())
            rows = pa.table(
                {
                    n: found.column(n).cast(schema.field(n).type)
                    if n in self.keys
                    else pa.nulls(found.num_rows, schema.field(n).type)
                    for n in schema.names
                    if n not in {INGESTED, CHANGE}
                }
            )
            commit = self.next_commit(table, "delete", rows.num_rows, 0, -rows.num_rows)
            commit = replace(commit, changed=True, deleted=True)
            change = pa.array(np.full(rows.num_rows, 2, np.int8))
            self.write(table, self.stamp(rows, change, commit.ingested), commit)
            return commit

    def optimize(self) -> Commit | None:
        """Put the rows of many small files into few large ones; None where there is nothing to do.

        All rows stay, so that what was known at any time is still known.
        """
        with self.locked():
            table = self.open()
            if table is None:
                return None
            before = table.version()
            commit = self.next_commit(table, "optimize", 0, 0, 0)
            commit = replace(commit, ingested=commit_of(table.history(1)[0]).ingested)
            with translate_errors(self.path):
                table.optimize.compact(commit_properties=properties(commit))
            after = self.open()
            if after is None or after.version() == before:
                return None
            return commit_of(after.history(1)[0])

    def vacuum(self, hours: int) -> int:
        """Delete files that no commit of the last ``hours`` reads; how many there were."""
        with self.locked():
            table = self.open()
            if table is None:
                return 0
            commit = self.next_commit(table, "vacuum", 0, 0, 0)
            commit = replace(commit, ingested=commit_of(table.history(1)[0]).ingested)
            with translate_errors(self.path):
                removed = table.vacuum(
                    retention_hours=hours,
                    dry_run=False,
                    enforce_retention_duration=False,
                    commit_properties=properties(commit),
                )
            return len(removed)

    def stamp(self, rows: pa.Table, change: pa.Array, ingested: int) -> pa.Table:
        """The rows with the store's own columns; keys first, so that Delta keeps their ranges."""
        import pyarrow as pa

        moment = pa.scalar(ingested, pa.int64()).cast(pa.timestamp("us", "UTC"))
        own = {INGESTED: pa.repeat(moment, rows.num_rows), CHANGE: change}
        columns = {n: rows.column(n) for n in rows.column_names}
        first = {n: columns.pop(n) for n in self.keys}
        return pa.table({**first, **own, **columns})

    def next_commit(
        self, table: DeltaTable | None, operation: str, rows: int, new: int, growth: int
    ) -> Commit:
        """The commit that would follow; its ingestion time is later than all before.

        Call it with the lock held.
        """
        before = None if table is None else commit_of(table.history(1)[0])
        now = time.time_ns() // 1000
        return Commit(
            version=0 if before is None else before.version + 1,
            time=now / 1e6,
            operation=operation,
            rows=rows,
            new=new,
            # The clock may stand still or go back; the order of commits must not.
            ingested=now if before is None else max(now, before.ingested + 1),
            total=growth if before is None else before.total + growth,
            changed=False if before is None else before.changed,
            deleted=False if before is None else before.deleted,
        )

    def write(self, table: DeltaTable | None, rows: pa.Table, commit: Commit) -> None:
        """Append ``rows`` as ``commit``; with the lock held.

        Raises:
            RemoteError: The disk is full or cannot be written; nothing was added.
        """
        from deltalake import write_deltalake

        started = time.time()
        rows = arrays.as_lists(rows)
        try:
            with translate_errors(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                write_deltalake(
                    str(self.path) if table is None else table,
                    rows,
                    mode="append",
                    schema_mode="merge" if table is not None else None,
                    configuration=CONFIGURATION if table is None else None,
                    writer_properties=writer(rows.schema),
                    commit_properties=properties(commit),
                )
        except RemoteError:
            self._clean(started)
            raise

    def _clean(self, since: float) -> None:
        """Delete data files of a failed write: they are in no commit."""
        found = self._newest()
        kept = set() if found is None else {Path(name).name for name in found.files}
        for file in self.path.glob("*.parquet"):
            try:
                if file.name not in kept and file.stat().st_mtime >= since - 1:
                    file.unlink()
            except OSError:
                continue

    def _known(self, table: DeltaTable | None, rows: pa.Table) -> tuple[pa.Array, int]:
        """For each row 1 where its key was ever there, else 0 (int8); how many are there now."""
        import numpy as np
        import pyarrow as pa

        out = np.zeros(rows.num_rows, dtype=np.int8)
        files = [] if table is None or not rows.num_rows else self._overlapping(table, rows)
        if not files or table is None:
            return pa.array(out), 0
        keys = quote_identifiers(self.keys)
        numbered = rows.select(list(self.keys)).append_column(
            _PLACE, pa.array(np.arange(rows.num_rows))
        )
        with connect(self.folder) as con:
            con.register("incoming", numbered)
            con.execute(
                f"CREATE TEMP VIEW present AS SELECT {keys}, {INGESTED}, {CHANGE} "
                f"FROM {parquet(files)}"
            )
            found = con.sql(
                f"SELECT i.{_PLACE}, arg_max(p.{CHANGE}, p.{INGESTED}) AS newest "
                f"FROM incoming i JOIN present p USING ({keys}) GROUP BY 1"
                if commit_of(table.history(1)[0]).changed
                else f"SELECT {_PLACE}, 0 AS newest FROM incoming SEMI JOIN present USING ({keys})"
            ).to_arrow_table()
        out[found.column(_PLACE).to_numpy()] = 1
        return pa.array(out), int((found.column("newest").to_numpy() != 2).sum())

    def _overlapping(self, table: DeltaTable, rows: pa.Table) -> list[str]:
        """The files that may hold one of these keys, by the ranges that Delta keeps."""
        import pyarrow as pa
        import pyarrow.compute as pc

        actions = pa.table(table.get_add_actions(flatten=True))
        keep = pa.array([True] * actions.num_rows, pa.bool_())
        for key in self.keys:
            kind = rows.schema.field(key).type
            # Long texts are cut in Delta's statistics, so only numbers and times are compared.
            if f"min.{key}" not in actions.column_names or not (
                pa.types.is_timestamp(kind) or pa.types.is_integer(kind)
            ):
                continue
            low, high = (
                actions.column(f"{side}.{key}").cast(pa.int64()) for side in ("min", "max")
            )
            span = pc.min_max(rows.column(key).cast(pa.int64())).as_py()
            # The protocol allows writers to cut time stamps to milliseconds.
            slack = 1000 if pa.types.is_timestamp(kind) else 0
            inside = pc.and_(
                pc.less_equal(low, span["max"]), pc.greater_equal(pc.add(high, slack), span["min"])
            )
            keep = pc.and_(keep, pc.fill_null(inside, True))
        return [str(self.path / name) for name in actions.column("path").filter(keep).to_pylist()]

    def view(
        self,
        con: DuckDBPyConnection,
        name: str,
        *,
        as_of: int | None = None,
        resolve: bool = True,
        files: Sequence[str] | None = None,
        row_numbers: bool = False,
    ) -> TableSnapshot:
        """Make a view ``name`` of the rows on a connection.

        Args:
            con: From `connect`.
            name: The view's name.
            as_of: Ingestion time up to which rows are seen, microseconds since the epoch.
            resolve: Keep only the newest row of each key, and no deleted ones. Without it, rows of
                all ingestion times, deletions too.
            files: Only these files.
            row_numbers: With a column that says where each row lies (see `fetching`).

        Returns:
            What the view sees; its commit says whether the table may hold several rows of one key.

        Raises:
            ConflictError: Nothing was ever inserted, or the table uses a feature that we cannot
                read.
        """
        seen = self.snapshot()
        seen = seen if files is None else seen._replace(files=list(files))
        if seen.files:
            raw, row_number = parquet(seen.files), ROW_NUMBER_SQL
        else:
            raw, row_number = f"{name}_empty", f"CAST({NO_ROW} AS BIGINT)"
            con.register(raw, seen.schema.empty_table())
        when = "" if as_of is None else f" WHERE {INGESTED} <= make_timestamptz({as_of})"
        columns = "*"
        if row_numbers:
            columns = f"*, {row_number} AS {ROW_NUMBER}"
            if seen.files and {name.lower() for name in seen.schema.names} & {*VIRTUAL}:
                # A column of the group hides DuckDB's own of that name, until it is renamed.
                names = con.sql(f"SELECT * FROM {raw}").columns
                own = [f"{OWN}c{i}" for i in range(len(names))]
                raw += f" AS {OWN}file({', '.join(own)})"
                both = zip(own, names, strict=True)
                columns = ", ".join(f"{a} AS {quote_identifier(b)}" for a, b in both)
                columns += f", {row_number} AS {ROW_NUMBER}"
                when = when.replace(INGESTED, own[names.index(INGESTED)])
        if not (resolve and seen.commit.changed):
            con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {columns} FROM {raw}{when}")
            return seen
        keys = quote_identifiers(self.keys)
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS "
            f"WITH raw AS (SELECT {columns} FROM {raw}{when}), "
            f"again AS (SELECT DISTINCT {keys} FROM raw WHERE {CHANGE} > 0) "
            f"SELECT * FROM raw ANTI JOIN again USING ({keys}) UNION ALL BY NAME "
            f"SELECT * FROM (SELECT * FROM raw SEMI JOIN again USING ({keys}) "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {INGESTED} DESC) = 1) "
            f"WHERE {CHANGE} <> 2"
        )
        return seen

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the writers' lock."""
        with locks.locked(self.folder / "lock"):
            yield
