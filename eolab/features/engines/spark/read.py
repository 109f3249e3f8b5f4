"""A group's rows as a Spark DataFrame."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeGuard

from eolab.errors import InvalidInputError
from eolab.features import arrays
from eolab.features.queries.arguments import require_columns
from eolab.features.queries.query import GroupHandle
from eolab.features.storage.arrow import CHANGE, INGESTED, OWN
from eolab.features.storage.commits import Commit
from eolab.features.storage.duckdb import moment

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# Text literals stay; what DuckDB quotes with " Spark quotes with `.
_UTC = ("UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT", "+00:00", "UTC+00:00", "Zulu", "UCT")
# Texts of days and times, those that name their zone, and what else may stand before a bracket.
_DAY = re.compile(r"\d{4}-\d{1,2}")
_ZONED = re.compile(r"\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)'$")
_ZONELESS = {"and", "or", "not", "in", "coalesce", "when", "then", "else"}
_LITERAL_OR_NAME = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")


def is_spark(frame: object) -> TypeGuard[DataFrame]:
    """Whether this is a DataFrame of classic Spark or of Spark Connect."""
    kind = type(frame)
    return "pyspark" in sys.modules and any(
        c.__module__.startswith("pyspark.sql") and c.__name__ == "DataFrame" for c in kind.__mro__
    )


def identifier(name: str) -> str:
    """An identifier of Spark SQL in an expression of its own."""
    return "`" + name.replace("`", "``") + "`"


def tick(name: str) -> str:
    """An identifier for `SparkSession.sql` with frames as arguments, which braces name."""
    return identifier(name).replace("{", "{{").replace("}", "}}")


def ticked(names: Sequence[str], prefix: str = "") -> str:
    """Identifiers of Spark SQL with commas between."""
    return ", ".join(prefix + tick(name) for name in names)


def condition(sql: str, spark: SparkSession, group: GroupHandle) -> str:
    """A user's condition, written for DuckDB, for `SparkSession.sql` with frames as arguments.

    Raises:
        InvalidInputError: It asks for times without a zone, and the session has another than UTC.
    """
    zone = str(spark.conf.get("spark.sql.session.timeZone"))
    if zone not in _UTC and _by_zone(sql, group.schema):
        raise InvalidInputError(
            f"the condition {sql!r} has times in UTC, and the Spark session works in {zone}",
            "Set it: spark.conf.set('spark.sql.session.timeZone', 'UTC').",
        )

    def rewritten(match: re.Match[str]) -> str:
        found = match[0]
        if found.startswith('"'):
            return tick(found[1:-1].replace('""', '"'))
        # Spark takes a backslash for an escape, and '' for nothing.
        return "'" + found[1:-1].replace("\\", "\\\\").replace("''", "\\'") + "'"

    # Braces name frames in SparkSession.sql.
    return _LITERAL_OR_NAME.sub(rewritten, sql).replace("{", "{{").replace("}", "}}")


def _by_zone(sql: str, schema: pa.Schema) -> bool:
    """Whether a condition may mean other rows in another zone."""
    import pyarrow as pa

    literals = [found for found in _LITERAL_OR_NAME.findall(sql) if found.startswith("'")]
    rest = re.sub(r"'(?:[^']|'')*'", "''", sql).lower()
    times = [
        f.name.lower() for f in schema if pa.types.is_timestamp(f.type) or pa.types.is_date(f.type)
    ]
    asked = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", rest) for name in times)
    if not asked and not re.search(r"timestamp|current_|now\s*\(", rest):
        return False
    called = {*re.findall(r"(\w+)\s*\(", rest)} - _ZONELESS
    unzoned = any(_DAY.search(text) and not _ZONED.search(text) for text in literals)
    return unzoned or bool(called) or "::" in rest or "current_" in rest or " date " in f" {rest}"


def rows(
    spark: SparkSession, group: GroupHandle, *, as_of: int | None, resolve: bool = True
) -> tuple[DataFrame, Commit]:
    """The rows of a group with the store's own columns, and its newest commit.

    Args:
        spark: Any session whose executors see the workspace's files.
        group: The group.
        as_of: Ingestion time up to which rows are seen, microseconds since the epoch.
        resolve: Keep only the newest row of each key, and no deleted ones.

    Raises:
        ConflictError: Nothing was inserted yet.
        InvalidInputError: Two columns differ only by capitals, which Spark takes for one.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    files, schema, commit = group.table.snapshot()
    lowered = [name.lower() for name in schema.names]
    if len(set(lowered)) < len(lowered) and spark.conf.get("spark.sql.caseSensitive") != "true":
        raise InvalidInputError(
            f"columns of {group.label} differ only by capitals, which Spark takes for one",
            "Set it: spark.conf.set('spark.sql.caseSensitive', 'true').",
        )
    kinds = from_arrow_schema(arrays.schema_of_lists(schema))
    if files:
        # Spark's default file system may be another than this machine's.
        frame = spark.read.schema(kinds).parquet(*[f"file://{file}" for file in files])
    else:
        frame = spark.createDataFrame([], kinds)
    if as_of is not None:
        frame = frame.where(f"{INGESTED} <= timestamp_micros({as_of})")
    if resolve and commit.changed:
        keys = ticked(group.keys)
        frame = spark.sql(
            f"SELECT {ticked(schema.names)} FROM (SELECT *, row_number() OVER "
            f"(PARTITION BY {keys} ORDER BY {INGESTED} DESC) AS {OWN}number FROM {{raw}}) "
            f"WHERE {OWN}number = 1 AND {CHANGE} <> 2",
            raw=frame,
        )
    return frame, commit


def group_on_spark(
    group: GroupHandle,
    spark: SparkSession,
    columns: Sequence[str] | None = None,
    *,
    as_of: object = None,
    filter: str | None = None,
) -> DataFrame:
    """What `FeatureGroup.read` gives, as a Spark DataFrame in no order; geometries are WKB."""
    names = (
        group.columns
        if columns is None
        else require_columns(list(columns), group.columns, group.label)
    )
    frame, _ = rows(spark, group, as_of=moment(as_of))
    where = "" if filter is None else f" WHERE {condition(filter, spark, group)}"
    return spark.sql(f"SELECT {ticked(names)} FROM {{resolved}}{where}", resolved=frame)
