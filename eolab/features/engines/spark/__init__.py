"""The same groups, queries and views on Spark: classic or Connect, a session that is handed in.

A group's table is plain Delta Lake. What its log names is read as parquet, so that no cluster needs
a JAR; rows from Spark are written by its tasks and become part of the table in one commit of the
driver. Everything is said in SQL text, which classic and Connect understand alike.
"""

from __future__ import annotations

from eolab.features.engines.spark.engine import SparkEngine
from eolab.features.engines.spark.read import is_spark
from eolab.features.engines.spark.write import insert_from_spark

__all__ = ["SparkEngine", "insert_from_spark", "is_spark"]
