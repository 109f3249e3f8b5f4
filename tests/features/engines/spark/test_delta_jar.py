"""Delta's own JAR from Maven, on Spark 4.2 in an environment of its own, reads what we wrote.

Ours needs no JAR (the files that the log names are read as parquet); where a cluster has it,
everybody else reads the same tables with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from eolab.features import FeatureStore

ROOT = Path(__file__).resolve().parents[4]
# Exactly: the JAR of the same version must be on Maven, where it may come later than on PyPI.
WANTED = ("pyspark>=4.2,<4.3", "delta-spark==4.4.0")


@pytest.fixture(scope="module")
def python():
    """A Python with Spark 4.2 and delta-spark in front of our packages."""
    folder = ROOT / ".make" / "spark42"
    make = [sys.executable, str(ROOT / "scripts" / "environment.py"), str(folder), "--on-top"]
    done = subprocess.run([*make, *WANTED], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Spark 4.2 cannot be installed here: {done.stderr.strip()[-300:]}")
    return folder / "bin" / "python"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_deltas_own_jar_reads_what_we_wrote_and_what_spark_wrote_through_us(python, config):
    group = FeatureStore(config).create_feature_group(
        "g", primary_key=["id"], event_time="time", partition_key=["id"]
    )
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"], utc=True)
    first = pd.DataFrame({"id": [1, 2, 3], "time": days, "value": [1.0, 2.0, 3.0]})
    group.insert(first)
    group.insert(first.head(2).assign(value=[10.0, 20.0]))
    group.optimize()
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("delta_jar.py")), str(config.root),
         str(ROOT / ".make" / "ivy")],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    if "UNRESOLVED DEPENDENCIES" in done.stderr:
        pytest.skip("Maven cannot be reached here")
    assert not done.returncode, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["spark"].startswith("4.2.")
    assert [row[2] for row in found["every"]] == [1.0, 10.0, 2.0, 20.0, 3.0]
    assert [row[2] for row in found["first"]] == [1.0, 2.0, 3.0]
    assert (found["history"], found["ours"]) == (3, 3)
    assert (found["after"], found["resolved"]) == (7, 5)
    # What Spark wrote is here without Spark.
    assert group.read()["value"].tolist() == [10.0, 20.0, 3.0, 70.0, 80.0]
