"""The point-in-time join on Spark: union and window, nothing is collected.

The rows that ask and the rows that know are put into one table; within a key, in the order of
time, each asking row takes the last known values before it. That is one shuffle a group, whatever
its size, and the order (event time, then ingestion time) resolves reprocessed rows on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError
from eolab.features.engines.spark.read import condition, rows, tick, ticked
from eolab.features.engines.spine import (
    VALID_FROM,
    VALID_TO,
    check_types,
    keys_needed,
    keys_of,
    shown_names,
)
from eolab.features.queries.arguments import seconds
from eolab.features.queries.query import GroupHandle, Join, Query
from eolab.features.storage.arrow import INGESTED
from eolab.features.storage.duckdb import moment

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Later than all others, for rows without a time: 9999-12-31.
_NO_TIME = "TIMESTAMP '9999-12-31 00:00:00+00:00'"


def query_on_spark(query: Query, spark: SparkSession, *, as_of: object = None) -> DataFrame:
    """What `Query.read` gives, in no order.

    Raises:
        InvalidInputError: The query has a sequence or a join by place.
    """
    at, group = moment(as_of), query.group
    _check(query)
    names = [*group.keys, *keys_needed(query, group.columns)]
    where = "" if query.where is None else f" WHERE {condition(query.where, spark, group)}"
    base, _ = rows(spark, group, as_of=at)
    base = spark.sql(f"SELECT * FROM {{base}}{where}", base=base)
    own = tuple(dict.fromkeys(names))
    plain = Query(group, query.columns, query.joins)
    return _joined(spark, base, group, own, plain, at, shown=group.keys)


def view_on_spark(
    labels: Query, query: Query, spark: SparkSession, *, as_of: object = None
) -> DataFrame:
    """What `FeatureView.read` gives, in no order: no label is lost, geometries are WKB.

    Raises:
        InvalidInputError: The view has a sequence or a join by place.
    """
    at = moment(as_of)
    _check(query)
    group = labels.group
    where = "" if labels.where is None else f" WHERE {condition(labels.where, spark, group)}"
    frame, _ = rows(spark, group, as_of=at)
    frame = spark.sql(f"SELECT * FROM {{labels}}{where}", labels=frame)
    place = group.geometry.columns if group.geometry else ()
    valid = [n for n in (VALID_FROM, VALID_TO) if n in group.columns]
    needed = keys_needed(query, group.columns)
    own = tuple(dict.fromkeys([*group.keys, *labels.columns, *place, *valid, *needed]))
    return _joined(spark, frame, group, own, query, at, shown=own)


def _check(query: Query) -> None:
    if query.steps is not None:
        raise InvalidInputError(
            "a sequence is not cut on Spark", "Read the view without a session, or join only."
        )
    if any(part.near is not None for part in query.parts):
        raise InvalidInputError(
            "a join by place is not made on Spark", "Insert what it finds into a group first."
        )


def _joined(
    spark: SparkSession,
    base: DataFrame,
    group: GroupHandle,
    own: Sequence[str],
    query: Query,
    as_of: int | None,
    *,
    shown: Sequence[str],
) -> DataFrame:
    """The asking rows with the query's columns.

    ``base`` holds rows of ``group``, of which the columns ``own`` are carried along and ``shown``
    are in the answer.
    """
    time = tick(group.event_time) if group.event_time else _NO_TIME
    if VALID_TO in own:
        time = f"coalesce({tick(VALID_TO)}, {time})"
    # Renamed, so that no column can be mistaken for one of a part.
    carried = ", ".join(f"{tick(name)} AS s{i}" for i, name in enumerate(own))
    frame = spark.sql(f"SELECT {carried}, {time} AS _at FROM {{base}}", base=base)
    place = {name: f"s{i}" for i, name in enumerate(own)}
    selected = [f"{place[name]} AS {tick(name)}" for name in shown]
    inner = []
    names = [n for n in query.names if n not in group.keys]
    free = iter(shown_names(names, shown))
    for number, part in enumerate(query.parts):
        keys = keys_of(part, own)
        check_types(group.schema, part.query.group, keys)
        frame = _part(spark, frame, part, number, keys, [place[k] for k in keys], as_of)
        for i, column in enumerate(part.query.columns):
            name = part.prefix + column
            if name not in group.keys:
                selected.append(f"p{number}.c{i} AS {tick(next(free))}")
        if part.kind == "inner":
            inner.append(f"p{number} IS NOT NULL")
    where = f" WHERE {' AND '.join(inner)}" if inner else ""
    return spark.sql(f"SELECT {', '.join(selected)} FROM {{frame}}{where}", frame=frame)


def _part(
    spark: SparkSession,
    frame: DataFrame,
    part: Join,
    number: int,
    keys: Sequence[str],
    asking: Sequence[str],
    as_of: int | None,
) -> DataFrame:
    """The asking rows with a struct ``p<number>`` more: the part's values, null where none are."""
    group, columns = part.query.group, part.query.columns
    # A condition or a deletion must be seen before the search: it decides what is newest.
    deleted = group.table.snapshot().commit.deleted
    resolve = deleted or part.query.where is not None or group.event_time is None
    known, _ = rows(spark, group, as_of=as_of, resolve=resolve)
    where = f" WHERE {condition(part.query.where, spark, group)}" if part.query.where else ""
    event = tick(group.event_time) if group.event_time else "NULL"
    fields = ", ".join([f"'e', {event}", *(f"'c{i}', {tick(c)}" for i, c in enumerate(columns))])
    theirs = ", ".join(f"{tick(k)} AS _k{i}" for i, k in enumerate(keys))
    if group.event_time is None:
        values = spark.sql(
            f"SELECT {theirs}, named_struct({fields}) AS p{number} FROM {{known}}{where}",
            known=known,
        )
        same = " AND ".join(f"s.{a} = g._k{i}" for i, a in enumerate(asking))
        return spark.sql(
            f"SELECT s.*, g.p{number} FROM {{frame}} s LEFT JOIN {{values}} g ON {same}",
            frame=frame,
            values=values,
        )
    # At equal times what is known comes before who asks; of two versions the newest comes last.
    values = spark.sql(
        f"SELECT {theirs}, {event} AS _t, 0 AS _side, {INGESTED} AS _i, "
        f"named_struct({fields}) AS _v FROM {{known}}{where}",
        known=known,
    )
    mine = ", ".join(f"{a} AS _k{i}" for i, a in enumerate(asking))
    asked = spark.sql(f"SELECT *, {mine}, _at AS _t, 1 AS _side FROM {{frame}}", frame=frame)
    both = asked.unionByName(values, allowMissingColumns=True)
    window = (
        f"(PARTITION BY {ticked([f'_k{i}' for i in range(len(keys))])} "
        "ORDER BY _t, _side, _i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    )
    fresh = "TRUE"
    if part.max_age is not None:
        age = seconds(part.max_age, "max_age") * 1_000_000
        fresh = f"unix_micros(_at) - unix_micros(_found.e) <= {age}"
    kept = ticked(frame.columns)
    return spark.sql(
        f"SELECT {kept}, IF({fresh}, _found, NULL) AS p{number} FROM "
        f"(SELECT *, last_value(_v) IGNORE NULLS OVER {window} AS _found FROM {{both}}) "
        "WHERE _side = 1",
        both=both,
    )
