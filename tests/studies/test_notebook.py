"""The tuning notebook runs from its first to its last cell, as its readers will run it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from eolab.clusters.spark.java import LEAST, java_version
from eolab.config import Config
from eolab.studies import list_studies

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(600)
def test_the_tuning_notebook(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EOLAB_WORKSPACE", str(config.file))
    # `!eolab` is the one beside this interpreter.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(ROOT / "notebooks" / "02-tuning.ipynb", as_version=4)
    with_spark = (java_version() or 0) >= LEAST and find_spec("pyspark") is not None
    if not with_spark:
        notebook.cells = [c for c in notebook.cells if "spark" not in c.metadata.get("tags", ())]
    NotebookClient(
        notebook, timeout=300, kernel_name="python3",
        resources={"metadata": {"path": str(config.file.parent)}}
    ).execute()  # fmt: skip
    text = "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "the train function and the space changed since" in text
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
    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert html.count("<title>Learning curves: val_accuracy by step</title>") >= 2
    assert html.count("<title>Best val_accuracy so far</title>") >= 2
