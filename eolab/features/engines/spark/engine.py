"""Groups, queries and views read by Spark, as its DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eolab.features.engines.spark.join import query_on_spark, view_on_spark
from eolab.features.engines.spark.read import group_on_spark
from eolab.features.queries.query import GroupHandle, Query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SparkEngine:
    """A `QueryEngine` whose rows are Spark DataFrames, in no order; geometries are WKB.

    Args:
        spark: Any session, classic or Connect, whose executors see the workspace's files.
    """

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark

    def read_group(
        self,
        group: GroupHandle,
        columns: Sequence[str] | None = None,
        *,
        as_of: object = None,
        filter: str | None = None,
    ) -> DataFrame:
        return group_on_spark(group, self.spark, columns, as_of=as_of, filter=filter)

    def read_query(self, query: Query, *, as_of: object = None) -> DataFrame:
        return query_on_spark(query, self.spark, as_of=as_of)

    def read_view(self, labels: Query, query: Query, *, as_of: object = None) -> DataFrame:
        return view_on_spark(labels, query, self.spark, as_of=as_of)
