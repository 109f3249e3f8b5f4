"""The point-in-time join on DuckDB: to each row the newest values that were so at its time.

Where a group holds several versions of a row, only keys and times are searched (a narrow ASOF
join); the newest version of what was found is told apart there, and its values are fetched last.
That costs little more than a join that ignores reprocessing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import BadInput, nearest
from eolab.features.query import Join, Query, Steps, seconds
from eolab.features.schema import CHANGE, INGESTED
from eolab.features.spatial import near_name, nearby
from eolab.features.sql import condition_errors, quote, run
from eolab.features.windows import filled, step_names, windows

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from eolab.features.geometry import Geometry
    from eolab.features.group import FeatureGroup


@dataclass(frozen=True)
class Spine:
    """The rows to which values are looked up.

    Attributes:
        rows: A table with the key columns; row i is sample i.
        times: Event time of each row, microseconds since the epoch, int64, shape (n,);
            `windows.NO_TIME` where the rows have none.
        geometry: How the rows know where they are; None where they do not.
        since: Time before which nothing is seen, like ``times``; None for no such limit.
    """

    rows: pa.Table
    times: np.ndarray
    geometry: Geometry | None = None
    since: np.ndarray | None = None

    def register(
        self, con: DuckDBPyConnection, extra: Mapping[str, pa.Array | pa.ChunkedArray]
    ) -> None:
        import pyarrow as pa

        table = self.rows.append_column("_row", pa.array(np.arange(self.rows.num_rows)))
        table = table.append_column("_t", pa.array(self.times, pa.timestamp("us", "UTC")))
        for name, values in extra.items():
            table = table.append_column(name, values)
        con.register("spine", table)


def keys_of(part: Join, available: Sequence[str]) -> tuple[str, ...]:
    """The columns on which a part is matched; none where it is matched by place.

    Raises:
        BadInput: They are not all among the spine's, or do not name one row of the part.
    """
    if part.near is not None:
        return ()
    group = part.query.group
    on = part.on or group.primary_key
    for name in on:
        if name not in available:
            raise BadInput(
                f"{group.label} is matched on {name!r}, which the rows do not have",
                nearest(name, list(available), "rows' columns")
                + " Or name the columns with on=[...].",
            )
    missing = [k for k in group.primary_key if k not in on]
    if missing:
        raise BadInput(
            f"on={list(on)} leaves out {missing[0]!r} of {group.label}'s primary key",
            "One row would match several; add it.",
        )
    for name in on:
        if name not in group.columns:
            raise BadInput(
                f"no column {name!r} in {group.label}", nearest(name, group.columns, "columns")
            )
    return tuple(on)


def flat(
    con: DuckDBPyConnection, spine: Spine, query: Query, known_at: int | None
) -> tuple[pa.Table, np.ndarray]:
    """One row a spine row with the query's columns; nulls where nothing was known.

    Returns:
        The table in the order of the spine, and a mask (n,) of rows that every inner join matched.
    """
    spine.register(con, _placed(con, spine, query, known_at))
    kept = np.ones(spine.rows.num_rows, dtype=bool)
    selected, joins = [], []
    for number, part in enumerate(query.parts):
        _match(con, spine, part, number, known_at)
        selected += [
            f"p{number}.{quote('c' + str(i))} AS {quote(part.prefix + c)}"
            for i, c in enumerate(part.query.columns)
        ]
        joins.append(f"LEFT JOIN part{number} p{number} ON p{number}._row = s._row")
        if part.kind == "inner":
            matched = (
                con.sql(f"SELECT _row FROM part{number}").to_arrow_table().column("_row").to_numpy()
            )
            kept &= np.isin(np.arange(len(kept)), matched)
    table = con.sql(
        f"SELECT {', '.join(selected)} FROM spine s {' '.join(joins)} ORDER BY s._row"
    ).to_arrow_table()
    return table, kept


def _placed(
    con: DuckDBPyConnection, spine: Spine, query: Query, known_at: int | None
) -> dict[str, pa.ChunkedArray]:
    """For each part that is matched by place, the keys of what each row meets."""
    out: dict[str, pa.ChunkedArray] = {}
    for number, part in enumerate(query.parts):
        if part.near is not None:
            out |= nearby(con, spine.rows, spine.geometry, part, number, known_at)
    return out


def _pairs(spine: Spine, part: Join, number: int) -> list[tuple[str, str]]:
    """The spine's and the group's columns that must be equal."""
    group = part.query.group
    if part.near is not None:
        return [(near_name(number, i), k) for i, k in enumerate(group.primary_key)]
    keys = keys_of(part, spine.rows.column_names)
    check_types(spine.rows.schema, group, keys)
    return [(k, k) for k in keys]


def _match(
    con: DuckDBPyConnection, spine: Spine, part: Join, number: int, known_at: int | None
) -> None:
    """Make the table ``part<number>`` (_row, c0, c1, ...): at most one row a spine row."""
    group, columns = part.query.group, part.query.columns
    pairs = _pairs(spine, part, number)
    # Renamed, so that no column can be mistaken for one of the spine.
    values = [f"{quote(c)} AS c{i}" for i, c in enumerate(columns)]
    match = [f"{quote(k)} AS k{i}" for i, (_, k) in enumerate(pairs)]
    same = " AND ".join(f"s.{quote(k)} = g.k{i}" for i, (k, _) in enumerate(pairs))
    out = ", ".join(["s._row", *(f"g.c{i}" for i in range(len(columns)))])
    target = f"CREATE OR REPLACE TEMP TABLE part{number} AS"
    where = f" WHERE {part.query.where}" if part.query.where else ""
    commit = group.table.view(con, "resolved", known_at=known_at)
    if group.event_time is None:
        inner = f"(SELECT {', '.join([*match, *values])} FROM resolved{where})"
        with condition_errors():
            con.execute(f"{target} SELECT {out} FROM spine s JOIN {inner} g ON {same}")
        return
    event = quote(group.event_time)
    fresh = ""
    if part.max_age is not None:
        age = seconds(part.max_age, "max_age") * 1_000_000
        fresh = f" WHERE epoch_us(s._t) - epoch_us(g._e) <= {age}"
    found = f"{same} AND s._t >= g._e{fresh}"
    if not commit.changed or commit.deleted or where:
        # A condition or a deletion must be seen before the search: it decides what is newest.
        inner = f"(SELECT {', '.join([*match, f'{event} AS _e', *values])} FROM resolved{where})"
        with condition_errors():
            con.execute(f"{target} SELECT {out} FROM spine s ASOF JOIN {inner} g ON {found}")
        return
    group.table.view(con, "every", known_at=known_at, resolve=False)
    inner = f"(SELECT {', '.join([*match, f'{event} AS _e', f'{INGESTED} AS _i'])} FROM every)"
    mine = [f"k{i}" for i in range(len(pairs))]
    hit = ", ".join(["s._row", "g._e", "g._i", *(f"g.{k}" for k in mine)])
    theirs = ", ".join([*match, f"{event} AS _e", f"max({INGESTED}) AS _newest"])
    both = ", ".join([*mine, "_e"])
    # Of several versions the search finds any; the few rows that came again name their newest.
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE hits AS "
        f"SELECT h.* REPLACE (coalesce(u._newest, h._i) AS _i) "
        f"FROM (SELECT {hit} FROM spine s ASOF JOIN {inner} g ON {found}) h "
        f"LEFT JOIN (SELECT {theirs} FROM every WHERE {CHANGE} > 0 GROUP BY ALL) u USING ({both})"
    )
    again = " AND ".join(
        [
            f"h._e = g.{event}",
            f"h._i = g.{INGESTED}",
            *(f"h.k{i} = g.{quote(k)}" for i, (_, k) in enumerate(pairs)),
        ]
    )
    fetched = ", ".join(["h._row", *(f"g.{quote(c)} AS c{i}" for i, c in enumerate(columns))])
    con.execute(f"{target} SELECT {fetched} FROM hits h JOIN every g ON {again}")


def check_types(rows: pa.Schema, group: FeatureGroup, keys: Sequence[str]) -> None:
    """Raises BadInput where a key is text on one side and a number on the other."""
    import pyarrow as pa

    def family(kind: pa.DataType) -> str:
        return "a whole number" if pa.types.is_integer(kind) else str(kind)

    for key in keys:
        left, right = family(rows.field(key).type), family(group.schema.field(key).type)
        if left != right:
            raise BadInput(
                f"the key {key!r} is {left} in the rows and {right} in {group.label}",
                "Give both the same type.",
            )


def sequences(
    con: DuckDBPyConnection, spine: Spine, query: Query, known_at: int | None
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
    low, high = windows(spine.times, steps, _seen(con, query.group, known_at))
    n, t = spine.rows.num_rows, len(names)
    X = np.full((n, t, len(query.names)), np.nan, dtype=np.float32)
    counts = np.zeros((n, t), dtype=np.int32)
    near = _placed(con, spine, query, known_at)
    since = low if spine.since is None else np.maximum(low, spine.since)
    limits = {"_w0": pa.array(low), "_w1": pa.array(high), "_since": pa.array(since)}
    spine.register(con, {**limits, **near})
    at = 0
    for number, part in enumerate(query.parts):
        group, width = part.query.group, len(part.query.columns)
        if group.event_time is None or part.repeat:
            _match(con, spine, part, number, known_at)
            table = con.sql(f"SELECT * FROM part{number}").to_arrow_table()
            rows = table.column("_row").to_numpy()
            X[rows, :, at : at + width] = _floats(table, width)[:, None, :]
        else:
            table = _stepped(con, spine, part, number, every, t, steps, known_at)
            rows, at_step = table.column("_row").to_numpy(), table.column("_step").to_numpy()
            X[rows, at_step, at : at + width] = _floats(table, width)
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
    known_at: int | None,
) -> pa.Table:
    group, columns = part.query.group, part.query.columns
    assert group.event_time is not None
    pairs = _pairs(spine, part, number)
    same = " AND ".join(f"s.{quote(k)} = g.k{i}" for i, (k, _) in enumerate(pairs))
    group.table.view(con, "resolved", known_at=known_at)
    where = f" WHERE {part.query.where}" if part.query.where else ""
    values = [f"CAST({quote(c)} AS DOUBLE) AS c{i}" for i, c in enumerate(columns)]
    inner = ", ".join(
        [
            *(f"{quote(k)} AS k{i}" for i, (_, k) in enumerate(pairs)),
            f"epoch_us({quote(group.event_time)}) AS _e",
            *values,
        ]
    )
    newest = (
        "arg_max(g.c{i}, g._e) FILTER (g.c{i} IS NOT NULL)"
        if steps.how == "last"
        else "avg(g.c{i})"
    )
    figures = ", ".join(f"{newest.format(i=i)} AS c{i}" for i in range(len(columns)))
    return run(
        con,
        f"SELECT s._row, CAST(least((g._e - s._w0) // {every}, {t - 1}) AS INTEGER) AS _step, "
        f"count(*) AS _n, {figures} "
        f"FROM spine s JOIN (SELECT {inner} FROM resolved{where}) g "
        f"ON {same} AND g._e >= s._since AND g._e < s._w1 AND g._e <= epoch_us(s._t) GROUP BY 1, 2",
    )


def _seen(
    con: DuckDBPyConnection, group: FeatureGroup, known_at: int | None
) -> tuple[int, int] | None:
    assert group.event_time is not None
    group.table.view(con, "resolved", known_at=known_at)
    event = quote(group.event_time)
    row = con.sql(
        f"SELECT epoch_us(min({event})), epoch_us(max({event})) FROM resolved"
    ).fetchall()[0]
    return None if row[0] is None else (int(row[0]), int(row[1]))


def _floats(table: pa.Table, width: int) -> np.ndarray:
    columns = [
        table.column(f"c{i}").to_pandas().to_numpy(dtype=np.float32, na_value=np.nan)
        for i in range(width)
    ]
    return np.column_stack(columns) if columns else np.empty((table.num_rows, 0), np.float32)
