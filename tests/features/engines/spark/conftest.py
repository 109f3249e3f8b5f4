"""Engines that must give the same answers: DuckDB, classic Spark, Spark Connect.

Classic Spark runs in this process, the Connect server in its own; each is started once.
"""

from __future__ import annotations

import importlib.util
import os
import sys

import pandas as pd
import pytest

from eolab.clusters.spark import java, server
from eolab.testing.engines import PublicWays
from tests import jvm
from tests.guarded import Store

SECRET, CANARY = "EOLAB_TESTS_SECRET", "c4nary-on-the-executor"


class SparkEngine:
    """Inserts and reads by a Spark session."""

    def __init__(self, spark):
        self.spark = spark

    def frame(self, rows):
        """Rows as Spark's DataFrame, times with a zone kept."""
        import pyarrow as pa

        table = pa.Table.from_pandas(rows, preserve_index=False)
        frame = self.spark.createDataFrame(table)
        for field in table.schema:
            if pa.types.is_timestamp(field.type) and field.type.tz is None:
                # Spark would read it in the session's zone.
                frame = frame.selectExpr(
                    f"* EXCEPT ({field.name})", f"CAST({field.name} AS TIMESTAMP_NTZ) {field.name}"
                )
        return frame

    def insert(self, group, rows, **options):
        return group.insert(self.frame(rows), **options)

    def read(self, source, columns=None, **options):
        if columns is not None:
            options["columns"] = columns
        found = source.to_spark(self.spark, **options).toArrow().to_pandas()
        for name in found.columns:
            if isinstance(found[name].dtype, pd.DatetimeTZDtype):
                found[name] = found[name].dt.tz_convert("UTC")
        return found.sort_values([c for c in ("id", "time") if c in found]).reset_index(drop=True)


@pytest.fixture(scope="session", autouse=True)
def _needs_spark():
    if importlib.util.find_spec("pyspark") is None or (java.java_version() or 0) < java.LEAST:
        pytest.skip("Spark needs PySpark and Java 17 or later")


@pytest.fixture(scope="session")
def duckdb():
    return PublicWays()


@pytest.fixture(scope="session")
def classic(tmp_path_factory):
    from pyspark.sql import SparkSession

    # Left by whoever opened a Connect session in this process: classic Spark would not start.
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "700m")
        .config(map=jvm.DRIVER)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "America/Lima")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield SparkEngine(spark)
    spark.stop()


@pytest.fixture(scope="session")
def connect(tmp_path_factory):
    # By its own class: the builder's mode is one a process, and classic Spark is in this one.
    from pyspark.sql.connect.session import SparkSession

    folder = tmp_path_factory.mktemp("connect")
    (folder / "events").mkdir()
    conf = {
        "spark.driver.memory": "700m", "spark.sql.shuffle.partitions": "2", **jvm.DRIVER,
        "spark.eventLog.enabled": "true", "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.eventLog.compress": "false",
    }  # fmt: skip
    os.environ[SECRET] = CANARY  # workers find their secrets in their own environment
    try:
        started = server.ensure(folder, slots=2, conf=conf)
    finally:
        del os.environ[SECRET]
    spark = SparkSession.builder.remote(started.url).create()
    made = SparkEngine(spark)
    made.folder = folder
    yield made
    spark.stop()
    assert server.stop(folder)


@pytest.fixture
def stores(sample):
    """Two web servers of the sample region: one asks for the secret, one takes whoever comes."""
    own = Store(sample, lambda path, sent: None if CANARY in str(sent) else "log in")
    other = Store(sample, lambda path, sent: None)
    own.elsewhere = other.url
    yield own, other
    own.close()
    other.close()
