"""The rows to which values are looked up: labels, or a query's base rows, with their times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError, nearest
from eolab.features import arrays
from eolab.features.geometry import RowGeometry
from eolab.features.queries.arguments import require_columns
from eolab.features.queries.query import GroupHandle, Join, Query
from eolab.features.queries.time_steps import NO_TIME, windows
from eolab.features.storage.duckdb import quote_identifiers, run

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

# Columns of a label group that say for which span its labels hold.
VALID_FROM, VALID_TO = "valid_from", "valid_to"


@dataclass(frozen=True)
class Spine:
    """The rows to which values are looked up.

    Attributes:
        rows: A table with the key columns; row i is sample i.
        times: Event time of each row, microseconds since the epoch, int64, shape (n,);
            `time_steps.NO_TIME` where the rows have none.
        geometry: How the rows know where they are; None where they do not.
        since: Time before which nothing is seen, like ``times``; None for no such limit.
    """

    rows: pa.Table
    times: np.ndarray
    geometry: RowGeometry | None = None
    since: np.ndarray | None = None

    def sql_name(self, column: str) -> str:
        """What a column of the rows is called in SQL; so named, none is taken for one of ours."""
        return f"c{self.rows.column_names.index(column)}"

    def register(
        self, con: DuckDBPyConnection, extra: Mapping[str, pa.Array | pa.ChunkedArray]
    ) -> None:
        """Make the table ``spine``: the rows' columns (see `sql_name`), ``_row``, ``_t``, more."""
        import pyarrow as pa

        table = self.rows.rename_columns([f"c{i}" for i in range(self.rows.num_columns)])
        table = table.append_column("_row", pa.array(np.arange(self.rows.num_rows)))
        table = table.append_column("_t", pa.array(self.times, pa.timestamp("us", "UTC")))
        for name, values in extra.items():
            table = table.append_column(name, values)
        con.register("spine", table)


def keys_of(part: Join, available: Sequence[str]) -> tuple[str, ...]:
    """The columns on which a part is matched; none where it is matched by place.

    Raises:
        InvalidInputError: They are not all among the spine's, or do not name one row of the part.
    """
    if part.near is not None:
        return ()
    group = part.query.group
    on = part.on or group.primary_key
    for name in on:
        if name not in available:
            raise InvalidInputError(
                f"{group.label} is matched on {name!r}, which the rows do not have",
                nearest(name, list(available), "rows' columns")
                + " Or name the columns with on=[...].",
            )
    missing = [k for k in group.primary_key if k not in on]
    if missing:
        raise InvalidInputError(
            f"on={list(on)} leaves out {missing[0]!r} of {group.label}'s primary key",
            "One row would match several; add it.",
        )
    for name in on:
        if name not in group.columns:
            raise InvalidInputError(
                f"no column {name!r} in {group.label}", nearest(name, group.columns, "columns")
            )
    return tuple(on)


def check_types(rows: pa.Schema, group: GroupHandle, keys: Sequence[str]) -> None:
    """Raises InvalidInputError where a key is text on one side and a number on the other."""
    import pyarrow as pa

    def family(kind: pa.DataType) -> str:
        if pa.types.is_decimal(kind):
            return "a decimal"
        return "a whole number" if pa.types.is_integer(kind) else str(kind)

    for key in keys:
        left, right = family(rows.field(key).type), family(group.schema.field(key).type)
        if left != right:
            raise InvalidInputError(
                f"the key {key!r} is {left} in the rows and {right} in {group.label}",
                "Give both the same type.",
            )


def shown_names(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """What joined columns are called in an answer that has the columns ``taken`` already."""
    out: list[str] = []
    for name in names:
        free = name
        while free in taken or free in out:
            free += "_feature"
        out.append(free)
    return out


def keys_needed(query: Query, available: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(k for part in query.parts for k in keys_of(part, available)))


def label_rows(
    con: DuckDBPyConnection, labels: Query, as_of: int | None, extra: Sequence[str]
) -> pa.Table:
    group = labels.group
    columns, geometry = group.columns, group.geometry
    require_columns(list(dict.fromkeys(extra)), columns, group.label)
    place = geometry.columns if geometry else ()
    valid = [n for n in (VALID_FROM, VALID_TO) if n in columns]
    names = list(dict.fromkeys([*group.keys, *labels.columns, *place, *valid, *extra]))
    group.table.view(con, "labels", as_of=as_of)
    where = f" WHERE {labels.where}" if labels.where else ""
    found = run(
        con,
        f"SELECT {quote_identifiers(names)} FROM labels{where} "
        f"ORDER BY {quote_identifiers(group.keys)}",
    )
    return arrays.back(found, group.schema)


def last_of_season(rows: pa.Table, labels: Query, query: Query) -> pa.Table:
    """One row a thing and season, where a sequence's labels are a column of its own group.

    Its values, and the label, are the last known ones of the season. Other labels stay as they
    are: a row of a label group is a sample.

    Args:
        rows: From `label_rows`, in the order of the keys.
        labels: The label column.
        query: The features.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    group, steps = labels.group, query.steps
    own = group.label == query.group.label and labels.columns
    if steps is None or group.event_time is None or not own:
        return rows
    if steps.last is not None:  # a window up to each row: there are no seasons
        return rows
    times = np.asarray(rows.column(group.event_time).cast(pa.int64()).to_numpy())
    low, high = windows(times, steps, None)
    inside = pa.array((times >= low) & (times < high))
    rows = rows.filter(inside)
    name = labels.columns[0]
    number = pa.array(np.arange(rows.num_rows))
    labelled = pc.if_else(pc.is_valid(rows.column(name)), number, pa.scalar(None, pa.int64()))
    # Named anew, so that no column can be mistaken for one of ours.
    keys = {f"k{i}": rows.column(key) for i, key in enumerate(group.primary_key)}
    season = {"season": pa.array(low).filter(inside), "last": number, "label": labelled}
    # Rows are in the order of their times, so that the largest number is the last.
    found = pa.table(keys | season).group_by([*keys, "season"])
    found = found.aggregate([("last", "max"), ("label", "max")]).sort_by("last_max")
    last, label = found.column("last_max"), found.column("label_max")
    known = rows.column(name).take(label)
    out = rows.take(last)
    return out.set_column(out.schema.get_field_index(name), name, known)


def spine_of(rows: pa.Table, group: GroupHandle) -> Spine:
    """The rows of a group as those to which values are looked up.

    Values are those known at a row's event time; or, where the group has columns ``valid_from``
    and ``valid_to``, those of that span.
    """
    import pyarrow as pa

    def micros(name: str, missing: int) -> np.ndarray:
        column = rows.column(name)
        if not pa.types.is_timestamp(column.type):
            raise InvalidInputError(
                f"the column {name!r} of {group.label} holds no time stamps ({column.type})",
                "Give it time stamps with a zone, or another name.",
            )
        return np.asarray(column.cast(pa.int64()).fill_null(missing).to_numpy())

    times = np.full(rows.num_rows, NO_TIME, dtype=np.int64)
    if group.event_time is not None:
        times = micros(group.event_time, NO_TIME)
    if VALID_TO in rows.column_names:
        until = micros(VALID_TO, -1)
        times = np.where(until < 0, times, until)
    since = micros(VALID_FROM, -(2**62)) if VALID_FROM in rows.column_names else None
    return Spine(rows, times, group.geometry, since)
