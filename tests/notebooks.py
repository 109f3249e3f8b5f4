"""Our notebooks, run from the first to the last cell, as their readers will run them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from eolab.settings.config import Config

ROOT = Path(__file__).resolve().parents[1]
RAN = ROOT / "test-results" / "notebooks"


@dataclass(frozen=True)
class Ran:
    """A notebook that has run to its end.

    Attributes:
        notebook: It, with its outputs.
        text: What its cells said, as text.
    """

    notebook: nbformat.NotebookNode
    text: str

    @property
    def outputs(self) -> list[nbformat.NotebookNode]:
        """All outputs, in their order."""
        code = (cell for cell in self.notebook.cells if cell.cell_type == "code")
        return [output for cell in code for output in cell.outputs]


def run_notebook(
    name: str,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    *,
    keep: Callable[[nbformat.NotebookNode], bool] = lambda cell: True,
) -> Ran:
    """Run those cells of ``notebooks/<name>`` that are kept, in this workspace.

    A notebook that ran as a whole stays in ``test-results``: the documentation shows its outputs.
    """
    monkeypatch.setenv("EOLAB_WORKSPACE", str(config.file))
    # `!eolab` is the one beside this interpreter.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    cells = notebook.cells
    notebook.cells = [cell for cell in cells if keep(cell)]
    NotebookClient(
        notebook, timeout=600, kernel_name="python3",
        resources={"metadata": {"path": str(config.file.parent)}},
    ).execute()  # fmt: skip
    if len(notebook.cells) == len(cells):
        RAN.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(notebook).replace(str(config.file.parent), "/home/you/project")
        (RAN / name).write_text(text, encoding="utf-8")
    ran = Ran(notebook, "")
    said = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in ran.outputs]
    return Ran(notebook, "\n".join(said))
