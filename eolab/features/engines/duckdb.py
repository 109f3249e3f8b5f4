"""Groups, queries and views read by DuckDB in this process, as Arrow tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError
from eolab.features import arrays
from eolab.features.engines import point_in_time
from eolab.features.engines.spine import (
    keys_needed,
    label_rows,
    last_of_season,
    shown_names,
    spine_of,
)
from eolab.features.queries.arguments import require_columns
from eolab.features.queries.query import GroupHandle, Query
from eolab.features.storage.duckdb import connect, moment, quote_identifiers, run

if TYPE_CHECKING:
    import pyarrow as pa


class DuckDBEngine:
    """A `QueryEngine` whose rows are Arrow tables, in the order of their keys.

    Args:
        folder: Below it DuckDB spills what does not fit in memory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_group(
        self,
        group: GroupHandle,
        columns: Sequence[str] | None = None,
        *,
        as_of: object = None,
        filter: str | None = None,
    ) -> pa.Table:
        known = group.columns
        names = known if columns is None else require_columns(list(columns), known, group.label)
        with connect(self.folder) as con:
            group.table.view(con, "resolved", as_of=moment(as_of))
            where = "" if filter is None else f" WHERE {filter}"
            found = run(
                con,
                f"SELECT {quote_identifiers(names)} FROM resolved{where} "
                f"ORDER BY {quote_identifiers(group.keys)}",
            )
        return arrays.back(found, group.schema)

    def read_query(self, query: Query, *, as_of: object = None) -> pa.Table:
        if query.steps is not None:
            raise InvalidInputError(
                "a sequence needs labels",
                "Make a feature view of it; or read the query without sequence().",
            )
        at = moment(as_of)
        group = query.group
        with connect(self.folder) as con:
            group.table.view(con, "base", as_of=at)
            where = f" WHERE {query.where}" if query.where else ""
            place = group.geometry.columns if group.geometry else ()
            needed = keys_needed(query, group.columns)
            names = list(dict.fromkeys([*group.keys, *needed, *query.columns, *place]))
            rows = run(
                con,
                f"SELECT {quote_identifiers(names)} FROM base{where} "
                f"ORDER BY {quote_identifiers(group.keys)}",
            )
            asked = replace(query, where=None)
            table, kept = point_in_time.flat(con, spine_of(rows, group), asked, at)
        found = rows.select(list(group.keys))
        for name in table.column_names:
            if name not in group.keys:
                found = found.append_column(name, table.column(name))
        return found if kept.all() else found.filter(kept)

    def read_view(self, labels: Query, query: Query, *, as_of: object = None) -> pa.Table:
        at = moment(as_of)
        group = labels.group
        with connect(self.folder) as con:
            rows = label_rows(con, labels, at, keys_needed(query, group.columns))
            if query.steps is not None:
                return last_of_season(rows, labels, query)
            table, kept = point_in_time.flat(con, spine_of(rows, group), query, at)
        joined = [i for i, name in enumerate(table.column_names) if name not in group.keys]
        names = [table.column_names[i] for i in joined]
        for number, free in zip(joined, shown_names(names, rows.column_names), strict=True):
            rows = rows.append_column(free, table.column(number))
        return rows if kept.all() else rows.filter(kept)
