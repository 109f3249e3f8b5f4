"""Our notebooks, run from the first to the last cell, as their readers will run them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from eolab.config import Config

ROOT = Path(__file__).resolve().parents[1]


def run_notebook(name: str, config: Config, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run ``notebooks/<name>`` in this workspace; what its cells said, as text."""
    monkeypatch.setenv("EOLAB_WORKSPACE", str(config.file))
    # `!eolab` is the one beside this interpreter.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3",
        resources={"metadata": {"path": str(config.file.parent)}},
    ).execute()  # fmt: skip
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
