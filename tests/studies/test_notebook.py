"""The tuning notebook runs from its first to its last cell, as its readers will run it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from nbconvert import HTMLExporter

from eolab.clusters.spark.java import LEAST, java_version
from eolab.settings.config import Config
from eolab.studies import list_studies
from tests.notebooks import run_notebook


@pytest.mark.timeout(600)
def test_the_tuning_notebook(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    with_spark = (java_version() or 0) >= LEAST and find_spec("pyspark") is not None
    ran = run_notebook(
        "02-tuning.ipynb", config, monkeypatch,
        keep=lambda cell: with_spark or "spark" not in cell.metadata.get("tags", ()),
    )  # fmt: skip
    text = ran.text
    assert "the train function changed since" in text
    assert "the space changed since" in text
    assert "interrupted" in text
    assert "the first 5 trials all failed: FileNotFoundError: terrain.tif" in text
    if with_spark:
        assert "spark runs at sc://localhost" in text
        assert "parcels" in text
        assert "spark is stopped" in text
    states = {s["name"]: s["state"] for s in list_studies(config)}
    assert states == {
        "season": "completed", "fragile": "completed", "broken": "cancelled",
        "season-asha": "completed", "season-mixed": "completed",
        "hands-on": "completed", **({"season-spark": "completed"} if with_spark else {}),
    }  # fmt: skip
    # Exported, it shows how its studies stood, without a server and without our extension.
    html, _ = HTMLExporter().from_notebook_node(ran.notebook)
    assert html.count("<title>Learning curves: val_accuracy by step</title>") >= 2
    assert html.count("<title>Best val_accuracy so far</title>") >= 2
