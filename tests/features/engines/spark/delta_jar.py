"""What a session with Delta's own JAR sees of our tables; run by `test_delta_jar.py`.

python delta_jar.py WORKSPACE IVY

Runs in an environment with Spark 4.2 and delta-spark, which fetches the JAR from Maven into IVY.
Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys

import pandas as pd
from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

from eolab.features import FeatureStore
from eolab.settings import config

CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"


def main(workspace: str, ivy: str) -> dict[str, object]:
    # Else workers take the first python3 on the path.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.jars.ivy", ivy)
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config(
            "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog"
        )
    )
    spark = configure_spark_with_delta_pip(builder).getOrCreate()
    try:
        group = FeatureStore(config.open_path(workspace)).feature_group("g")
        path = str(group.table.path)

        def rows(**options: object) -> list[list[object]]:
            reader = spark.read.format("delta")
            for name, value in options.items():
                reader = reader.option(name, value)
            found = reader.load(path).toPandas().sort_values(["id", "time", "_ingested_at"])
            found["time"] = found["time"].astype("int64")
            return found[["id", "time", "value"]].to_numpy().tolist()

        out: dict[str, object] = {
            "spark": spark.version,
            "every": rows(),
            "first": rows(versionAsOf=0),
            "history": spark.sql(f"DESCRIBE HISTORY delta.`{path}`").count(),
            "ours": len(group.to_spark(spark).toPandas()),
        }
        # A commit from Spark, on the session that has the JAR, is a commit to both.
        frame = pd.DataFrame(
            {"id": [7, 8], "time": pd.Timestamp("2024-03-01", tz="UTC"), "value": [70.0, 80.0]}
        )
        group.insert(spark.createDataFrame(frame))
        out["after"] = len(rows())
        out["resolved"] = group.to_spark(spark).count()
        return out
    finally:
        spark.stop()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
