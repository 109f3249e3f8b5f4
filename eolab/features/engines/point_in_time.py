"""The point-in-time join on DuckDB: to each row the newest values that were so at its time.

Only keys and times are searched (a narrow ASOF join), and only those of times that a label can
see; values are fetched last, of what was found (see `fetching`). Where a group holds several
versions of a row the newest is told apart in between, among the few rows that came again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.features.engines.spatial_join import near_name, nearby
from eolab.features.engines.spine import Spine, check_types, keys_of
from eolab.features.queries.arguments import seconds
from eolab.features.queries.query import GroupHandle, Join, Query, Steps
from eolab.features.queries.time_steps import NO_TIME, filled, step_names, windows
from eolab.features.storage.arrow import CHANGE, INGESTED, OWN
from eolab.features.storage.commits import TableSnapshot
from eolab.features.storage.duckdb import quote_identifier, run
from eolab.features.storage.row_fetch import NO_ROW, ROW_NUMBER, fetch

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


# So many times more rows in a group than are to be matched, and its other keys are left out first.
PREFILTER_RATIO = 20
_EVENT = f"{OWN}event"


def flat(
    con: DuckDBPyConnection, spine: Spine, query: Query, as_of: int | None
) -> tuple[pa.Table, np.ndarray]:
    """One row a spine row with the query's columns; nulls where nothing was known.

    Returns:
        The table in the order of the spine, and a mask (n,) of rows that every inner join matched.
    """
    import pyarrow as pa

    spine.register(con, _placed(con, spine, query, as_of))
    kept = np.ones(spine.rows.num_rows, dtype=bool)
    columns: list[pa.ChunkedArray] = []
    for number, part in enumerate(query.parts):
        seen, row_numbers = _match(con, spine, part, number, as_of)
        columns += fetch(part.query.columns, seen, row_numbers).columns
        if part.kind == "inner":
            kept &= row_numbers != NO_ROW
    return pa.table(columns, names=list(query.names)), kept


def _placed(
    con: DuckDBPyConnection, spine: Spine, query: Query, as_of: int | None
) -> dict[str, pa.ChunkedArray]:
    """For each part that is matched by place, the keys of what each row meets."""
    out: dict[str, pa.ChunkedArray] = {}
    for number, part in enumerate(query.parts):
        if part.near is not None:
            out |= nearby(con, spine.rows, spine.geometry, part, number, as_of)
    return out


def _pairs(spine: Spine, part: Join, number: int) -> list[tuple[str, str]]:
    """The spine's and the group's columns that must be equal."""
    group = part.query.group
    if part.near is not None:
        return [(near_name(number, i), k) for i, k in enumerate(group.primary_key)]
    keys = keys_of(part, spine.rows.column_names)
    check_types(spine.rows.schema, group, keys)
    return [(spine.sql_name(k), k) for k in keys]


def _match(
    con: DuckDBPyConnection, spine: Spine, part: Join, number: int, as_of: int | None
) -> tuple[TableSnapshot, np.ndarray]:
    """Where the row that belongs to each row of the spine lies, int64, shape (n,).

    `NO_ROW` where there is none. The snapshot holds the files that are meant.
    """
    group = part.query.group
    pairs = _pairs(spine, part, number)
    # Renamed, so that no column can be mistaken for one of the spine, or for one of ours.
    keys = [f"{OWN}k{i}" for i in range(len(pairs))]
    match = [
        f"{quote_identifier(theirs)} AS {k}" for k, (_, theirs) in zip(keys, pairs, strict=True)
    ]
    same = " AND ".join(f"s.{ours} = g.{k}" for k, (ours, _) in zip(keys, pairs, strict=True))
    where = [f"({part.query.where})"] if part.query.where else []
    seen = group.table.snapshot()
    commit = seen.commit
    # A condition or a deletion must be seen before the search: it decides what is newest.
    later = group.event_time is not None and commit.changed and not (commit.deleted or where)
    group.table.view(
        con, "theirs", as_of=as_of, resolve=not later, files=seen.files, row_numbers=True
    )
    # Far fewer rows here than there: most of theirs have no match, and are not sorted.
    few = spine.rows.num_rows * PREFILTER_RATIO < commit.total

    def narrow(*columns: str) -> str:
        selected = ", ".join([*match, ROW_NUMBER, *columns])
        found = f"SELECT {selected} FROM theirs{' WHERE ' if where else ''}{' AND '.join(where)}"
        return f"(SELECT * FROM ({found}) g SEMI JOIN spine s ON {same})" if few else f"({found})"

    if group.event_time is None:
        sql = f"SELECT s._row, g.{ROW_NUMBER} FROM spine s JOIN {narrow()} g ON {same}"
        return seen, _row_numbers(spine, run(con, sql))
    time = quote_identifier(group.event_time)
    where += [f"{time} {sign} make_timestamptz({limit})" for sign, limit in _limits(spine, part)]
    event, met = f"{time} AS {_EVENT}", f"{same} AND s._t >= g.{_EVENT}"
    if part.max_age is not None:
        age = seconds(part.max_age, "max_age") * 1_000_000
        met += f" WHERE epoch_us(s._t) - epoch_us(g.{_EVENT}) <= {age}"
    hits = ", ".join(["s._row", *(f"g.{name}" for name in (*keys, _EVENT, ROW_NUMBER))])
    if later:
        # Each row's first version stands for all: none of the others has another key or time.
        where.append(f"{CHANGE} = 0")
    sql = f"SELECT {hits} FROM spine s ASOF JOIN {narrow(event)} g ON {met}"
    if later:
        # The few that came again name their newest.
        where[-1] = f"{CHANGE} > 0"
        both = ", ".join([*keys, _EVENT])
        sql = (
            f"WITH hits AS MATERIALIZED ({sql}), "
            f"again AS (SELECT h._row, arg_max(g.{ROW_NUMBER}, g.{INGESTED}) AS newest "
            f"FROM hits h JOIN {narrow(event, INGESTED)} g USING ({both}) GROUP BY 1) "
            f"SELECT h._row, coalesce(a.newest, h.{ROW_NUMBER}) AS {ROW_NUMBER} "
            f"FROM hits h LEFT JOIN again a USING (_row)"
        )
    return seen, _row_numbers(spine, run(con, sql))


def _limits(spine: Spine, part: Join) -> list[tuple[str, int]]:
    """The event times that any row of the spine can see: what lies outside is not searched."""
    known = spine.times[spine.times != NO_TIME]
    if len(known) < len(spine.times) or not len(known):
        return []
    out = [("<=", int(known.max()))]
    if part.max_age is not None:
        out.append((">=", int(known.min()) - seconds(part.max_age, "max_age") * 1_000_000))
    return out


def _row_numbers(spine: Spine, found: pa.Table) -> np.ndarray:
    out = np.full(spine.rows.num_rows, NO_ROW, dtype=np.int64)
    out[found.column("_row").to_numpy()] = found.column(ROW_NUMBER).to_numpy()
    return out


def sequences(
    con: DuckDBPyConnection, spine: Spine, query: Query, as_of: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """The arrays of a query with steps.

    Returns:
        Values, float32, shape (n, t, f), NaN where nothing was observed; and how many observations
        each step holds, int32, shape (n, t), of the group that has most.
    """
    import pyarrow as pa

    steps = query.steps
    assert steps is not None
    names, every = step_names(steps), seconds(steps.every, "every") * 1_000_000
    low, high = windows(spine.times, steps, _seen(con, query.group, as_of))
    n, t = spine.rows.num_rows, len(names)
    X = np.full((n, t, len(query.names)), np.nan, dtype=np.float32)
    counts = np.zeros((n, t), dtype=np.int32)
    near = _placed(con, spine, query, as_of)
    since = low if spine.since is None else np.maximum(low, spine.since)
    limits = {"_w0": pa.array(low), "_w1": pa.array(high), "_since": pa.array(since)}
    spine.register(con, {**limits, **near})
    at = 0
    for number, part in enumerate(query.parts):
        group, width = part.query.group, len(part.query.columns)
        if group.event_time is None or part.repeat:
            table = fetch(part.query.columns, *_match(con, spine, part, number, as_of))
            X[:, :, at : at + width] = _floats(table)[:, None, :]
        else:
            table = _stepped(con, spine, part, number, every, t, steps, as_of)
            rows, at_step = table.column("_row").to_numpy(), table.column("_step").to_numpy()
            X[rows, at_step, at : at + width] = _floats(
                table.select([f"c{i}" for i in range(width)])
            )
            np.maximum.at(counts, (rows, at_step), table.column("_n").to_numpy().astype(np.int32))
            if steps.fill is not None:
                gap = (
                    t
                    if steps.max_gap is None
                    else seconds(steps.max_gap, "max_gap") * 1_000_000 // every
                )
                X[:, :, at : at + width] = filled(
                    X[:, :, at : at + width], steps.fill, gap, (spine.times - low) // every
                )
        at += width
    return X, counts


def _stepped(
    con: DuckDBPyConnection,
    spine: Spine,
    part: Join,
    number: int,
    every: int,
    t: int,
    steps: Steps,
    as_of: int | None,
) -> pa.Table:
    group, columns = part.query.group, part.query.columns
    assert group.event_time is not None
    pairs = _pairs(spine, part, number)
    same = " AND ".join(f"s.{k} = g.{OWN}k{i}" for i, (k, _) in enumerate(pairs))
    group.table.view(con, "resolved", as_of=as_of)
    where = f" WHERE {part.query.where}" if part.query.where else ""
    values = [f"CAST({quote_identifier(c)} AS DOUBLE) AS {OWN}c{i}" for i, c in enumerate(columns)]
    inner = ", ".join(
        [
            *(f"{quote_identifier(k)} AS {OWN}k{i}" for i, (_, k) in enumerate(pairs)),
            f"epoch_us({quote_identifier(group.event_time)}) AS {_EVENT}",
            *values,
        ]
    )
    newest = (
        f"arg_max({{c}}, g.{_EVENT}) FILTER ({{c}} IS NOT NULL)"
        if steps.how == "last"
        else "avg({c})"
    )
    aggregates = ", ".join(
        f"{newest.format(c=f'g.{OWN}c{i}')} AS c{i}" for i in range(len(columns))
    )
    return run(
        con,
        f"SELECT s._row, "
        f"CAST(least((g.{_EVENT} - s._w0) // {every}, {t - 1}) AS INTEGER) AS _step, "
        f"count(*) AS _n, {aggregates} "
        f"FROM spine s JOIN (SELECT {inner} FROM resolved{where}) g "
        f"ON {same} AND g.{_EVENT} >= s._since AND g.{_EVENT} < s._w1 "
        f"AND g.{_EVENT} <= epoch_us(s._t) GROUP BY 1, 2",
    )


def _seen(con: DuckDBPyConnection, group: GroupHandle, as_of: int | None) -> tuple[int, int] | None:
    assert group.event_time is not None
    group.table.view(con, "resolved", as_of=as_of)
    event = quote_identifier(group.event_time)
    row = con.sql(
        f"SELECT epoch_us(min({event})), epoch_us(max({event})) FROM resolved"
    ).fetchall()[0]
    return None if row[0] is None else (int(row[0]), int(row[1]))


def newest(con: DuckDBPyConnection, group: GroupHandle, as_of: int | None) -> int | None:
    """The latest event time of a group with event times; None where it has no row."""
    seen = _seen(con, group, as_of)
    return None if seen is None else seen[1]


def _floats(table: pa.Table) -> np.ndarray:
    columns = [c.to_pandas().to_numpy(dtype=np.float32, na_value=np.nan) for c in table.columns]
    return np.column_stack(columns) if columns else np.empty((table.num_rows, 0), np.float32)
