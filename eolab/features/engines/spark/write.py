"""Rows from Spark into a group: its tasks write the files, the driver makes them one commit.

Until the commit the files are in no log, so nobody reads them: checks are made on what was
written, the caller's DataFrame is computed once, and a refused insert deletes its files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from eolab.errors import ConflictError, InvalidInputError
from eolab.features import arrays
from eolab.features.engines.spark.read import identifier, rows, ticked
from eolab.features.queries.query import GroupHandle
from eolab.features.storage import arrow as schemas
from eolab.features.storage.arrow import CHANGE, INGESTED, OWN
from eolab.features.storage.commits import Commit, properties
from eolab.features.storage.delta_table import CONFIGURATION
from eolab.features.storage.files import translate_errors

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# A row whose key was there before: -1 where it was not, else the newest change of that key.
_WAS = f"{OWN}was"


class StagedFile(TypedDict):
    """What a task says of a file that it wrote."""

    path: str
    size: int
    rows: int
    live: int
    known: int
    low: dict[str, int]
    high: dict[str, int]
    nulls: dict[str, int]


@dataclass(frozen=True)
class Staged:
    """Files that tasks wrote into a table's folder and that no commit names yet."""

    folder: Path
    files: tuple[StagedFile, ...]

    @property
    def rows(self) -> int:
        return sum(int(f["rows"]) for f in self.files)

    @property
    def live(self) -> int:
        """Rows whose key is in the group now."""
        return sum(int(f["live"]) for f in self.files)

    @property
    def known(self) -> int:
        """Rows whose key was ever in the group."""
        return sum(int(f["known"]) for f in self.files)

    @property
    def paths(self) -> list[str]:
        return [str(self.folder / f["path"]) for f in self.files]

    def delete(self) -> None:
        for path in self.paths:
            Path(path).unlink(missing_ok=True)


def insert_from_spark(
    group: GroupHandle,
    frame: DataFrame,
    *,
    only_new: bool,
    add_columns: bool,
    prepare: Callable[[pa.Table, pa.Schema | None], pa.Table],
    check: Callable[[Sequence[str]], None],
) -> Commit:
    """Add the rows of a Spark DataFrame as one commit; executors must see the workspace's files.

    Args:
        group: Where to.
        frame: The rows.
        only_new: Refuse rows whose key is there already.
        add_columns: Add columns that the group does not have.
        prepare: Gives an empty table of the frame's columns in the group's types, for the columns
            that the group has (None before the first insert); raises where they do not fit.
        check: Looks at the files that were written, before they count; raises to refuse them.

    Raises:
        InvalidInputError: The columns do not fit, keys are missing or twice. Nothing is written.
        ConflictError: Keys are there already, with ``only_new``.
        RemoteError: The commit cannot be written.
    """
    import pyarrow as pa

    spark = frame.sparkSession
    table = group.table
    with table.locked():
        before = table.open()
        existing = None if before is None else pa.schema(before.schema())
        _no_arrays(group)
        empty = schemas.to_arrow(frame.limit(0).toArrow(), known=existing)
        schemas.check_keys(empty, group.primary_key, group.event_time)
        _no_rounding(empty.schema, existing)
        empty = prepare(empty, existing)
        if existing is not None and add_columns and set(empty.column_names) - set(existing.names):
            # Columns come by a commit of their own, without rows.
            commit = table.next_commit(before, "insert", 0, 0, 0)
            stamped = table.stamp(empty, pa.array([], pa.int8()), commit.ingested)
            table.write(before, stamped, commit)
            before = table.open()
        commit = table.next_commit(before, "insert", 0, 0, 0)
        target = table.stamp(empty, pa.array([], pa.int8()), commit.ingested).schema
        staged = _stage(spark, group, frame, target, commit.ingested, fresh=before is None)
        try:
            _check(spark, group, staged, only_new=only_new)
            check(staged.paths)
            commit = replace(
                commit,
                rows=staged.rows,
                new=staged.rows - staged.live,
                total=commit.total + staged.rows - staged.live,
                changed=commit.changed or staged.known > 0,
            )
            _commit(group, staged, target, commit, fresh=before is None)
        except BaseException:
            staged.delete()
            raise
    return commit


def _no_arrays(group: GroupHandle) -> None:
    for found in group.schema:
        shape = arrays.shape_of(found.type)
        if shape is not None:
            raise InvalidInputError(
                f"the column {found.name!r} of {group.label} keeps arrays of shape {shape}, and "
                "Spark's have no shape",
                "Insert these rows from pandas or Arrow: group.insert(frame.toArrow()).",
            )


def _no_rounding(incoming: pa.Schema, existing: pa.Schema | None) -> None:
    import pyarrow as pa

    for name in incoming.names if existing is not None else ():
        assert existing is not None
        if name not in existing.names or not pa.types.is_integer(existing.field(name).type):
            continue
        if pa.types.is_floating(incoming.field(name).type):
            raise InvalidInputError(
                f"the column {name!r} has the type {incoming.field(name).type}, "
                f"the group keeps {existing.field(name).type}",
                "Cast it in Spark: frame.withColumn(name, ...).",
            )


def _stage(
    spark: SparkSession,
    group: GroupHandle,
    frame: DataFrame,
    target: pa.Schema,
    ingested: int,
    *,
    fresh: bool,
) -> Staged:
    """Let the tasks write the rows, one file a partition."""
    from pyspark.sql.pandas.types import from_arrow_schema

    keys = ticked(group.keys)
    if fresh:
        known = frame.selectExpr("*", f"CAST(-1 AS TINYINT) AS {_WAS}")
    else:
        every, _ = rows(spark, group, as_of=None, resolve=False)
        known = spark.sql(
            f"SELECT f.*, coalesce(w.{_WAS}, CAST(-1 AS TINYINT)) AS {_WAS} FROM {{frame}} f "
            f"LEFT JOIN (SELECT {keys}, max_by({CHANGE}, {INGESTED}) AS {_WAS} "
            f"FROM {{every}} GROUP BY {keys}) w USING ({keys})",
            frame=frame,
            every=every,
        )
    kinds = {f.name: f.dataType.simpleString() for f in from_arrow_schema(target)}
    selected = []
    for number, name in enumerate(target.names):
        value = {
            INGESTED: f"timestamp_micros({ingested})",
            CHANGE: f"IF({_WAS} >= 0, 1, 0)",
        }.get(name, identifier(name))
        if kinds[name] in {"double", "float"}:
            # One notion of missing: null.
            value = f"IF(isnan({value}), NULL, {value})"
        selected.append(f"CAST({value} AS {kinds[name]}) AS c{number}")
    if group.partition_key:
        near = ticked(group.partition_key)
        known = spark.sql(f"SELECT * FROM {{rows}} DISTRIBUTE BY {near} SORT BY {near}", rows=known)
    write = _writer(str(group.table.path), target, group.keys, _WAS)
    group.table.path.mkdir(parents=True, exist_ok=True)
    found = known.selectExpr(*selected, _WAS).mapInArrow(write, "account string").collect()
    return Staged(group.table.path, tuple(json.loads(row["account"]) for row in found))


def _writer(
    folder: str, target: pa.Schema, keys: Sequence[str], was: str
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task does; by value and without eolab, which executors need not have."""
    schema = target.serialize().to_pybytes()
    named = list(keys)

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import json
        import os
        import uuid

        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        wanted = pa.ipc.read_schema(pa.py_buffer(schema))
        path = f"part-{uuid.uuid4()}.zstd.parquet"
        out = None
        counts = {"rows": 0, "live": 0, "known": 0}
        low: dict[str, int] = {}
        high: dict[str, int] = {}
        nulls = dict.fromkeys(named, 0)
        for batch in batches:
            if not batch.num_rows:
                continue
            table = pa.Table.from_batches([batch])
            before = table.column(was)
            # By number: PySpark takes dots and backticks in a name for its own.
            numbered = [f"c{i}" for i in range(len(wanted.names))]
            table = table.select(numbered).rename_columns(wanted.names).cast(wanted)
            if out is None:
                out = pq.ParquetWriter(os.path.join(folder, path), wanted, compression="zstd")  # noqa: PTH118
            out.write_table(table)
            counts["rows"] += table.num_rows
            counts["known"] += pc.sum(pc.greater_equal(before, 0)).as_py()
            counts["live"] += pc.sum(
                pc.and_(pc.greater_equal(before, 0), pc.not_equal(before, 2))
            ).as_py()
            for key in named:
                column = table.column(key)
                nulls[key] += column.null_count
                if pa.types.is_integer(column.type) or pa.types.is_timestamp(column.type):
                    ends = pc.min_max(column.cast(pa.int64())).as_py()
                    if ends["min"] is not None:
                        low[key] = min(low.get(key, ends["min"]), ends["min"])
                        high[key] = max(high.get(key, ends["max"]), ends["max"])
        if out is None:
            return
        out.close()
        account = {
            **counts,
            "path": path,
            "size": os.path.getsize(os.path.join(folder, path)),  # noqa: PTH118, PTH202
            "low": low,
            "high": high,
            "nulls": nulls,
        }
        yield pa.RecordBatch.from_pydict({"account": [json.dumps(account)]})

    return write


def _check(spark: SparkSession, group: GroupHandle, staged: Staged, *, only_new: bool) -> None:
    for key in group.keys:
        missing = sum(int(f["nulls"][key]) for f in staged.files)
        if missing:
            raise InvalidInputError(
                f"{missing} rows have no value in the column {key!r}",
                f"Drop them: frame.dropna(subset=[{key!r}]).",
            )
    if only_new and staged.live:
        raise ConflictError(
            f"{staged.live} of {staged.rows} keys are in the group already",
            "Insert with mode='upsert' to keep the rows as newer versions.",
        )
    if not staged.files:
        return
    keys = ticked(group.keys)
    twice = spark.sql(
        f"SELECT {keys}, count(*) AS {OWN}n FROM {{staged}} GROUP BY {keys} HAVING count(*) > 1 "
        "LIMIT 1",
        staged=spark.read.parquet(*[f"file://{path}" for path in staged.paths]),
    ).collect()
    if twice:
        shown = ", ".join(f"{k}={twice[0][k]}" for k in group.keys)
        raise InvalidInputError(
            f"keys are there more than once, for example {shown} {twice[0][-1]} times",
            f"Keep one row a key: frame.dropDuplicates({list(group.keys)!r}).",
        )


def _commit(
    group: GroupHandle, staged: Staged, target: pa.Schema, commit: Commit, *, fresh: bool
) -> None:
    import time

    from deltalake import Schema
    from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

    actions: list[AddAction | RemoveAction] = [
        AddAction(
            path=f["path"],
            size=int(f["size"]),
            partition_values={},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps(
                {
                    "numRecords": f["rows"],
                    "minValues": _statistics_values(target, f["low"]),
                    "maxValues": _statistics_values(target, f["high"]),
                    "nullCount": f["nulls"],
                }
            ),
        )
        for f in staged.files
    ]
    schema = Schema.from_arrow(target)
    path = group.table.path
    with translate_errors(path):
        if fresh:
            create_table_with_add_actions(
                str(path),
                schema,
                [a for a in actions if isinstance(a, AddAction)],
                mode="append",
                configuration=CONFIGURATION,
                commit_properties=properties(commit),
            )
            return
        table = group.table.open()
        assert table is not None
        table.create_write_transaction(
            actions, "append", schema, commit_properties=properties(commit)
        )


def _statistics_values(target: pa.Schema, values: dict[str, int]) -> dict[str, object]:
    """Ends of a file's keys as Delta writes them: time stamps in ISO 8601."""
    import pyarrow as pa

    out: dict[str, object] = {}
    for name, value in values.items():
        kind = target.field(name).type
        if pa.types.is_timestamp(kind):
            stamp = pa.scalar(value, pa.int64()).cast(kind).as_py()
            out[name] = stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        else:
            out[name] = value
    return out
