"""Build the documentation: a copy of `docs/`, our notebooks with their outputs, then Sphinx.

    .make/docs/bin/python scripts/docs.py [--out FOLDER] [--skip-notebooks]

A notebook whose code cells are as `make test` ran them comes with the outputs of that run
(`test-results/notebooks`); any other is run here, in a workspace of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
RAN = ROOT / "test-results" / "notebooks"
SHOWN = {"text/html", "text/markdown", "text/plain", "image/png", "image/svg+xml"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs")
    parser.add_argument(
        "--skip-notebooks", action="store_true", help="show notebooks that did not run bare"
    )
    options = parser.parse_args()
    source, pages = options.out / "source", options.out / "html"
    stage(source)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        put_notebook(notebook, source / "tutorials" / notebook.name, run=not options.skip_notebooks)
    from sphinx.cmd.build import main as build

    # A warning is a fault of ours; all of them are shown before the build fails.
    shutil.rmtree(pages, ignore_errors=True)
    asked = ["-W", "--keep-going", "-q", "-E", "-b", "html", "-d", str(options.out / "doctrees")]
    status = build([*asked, str(source), str(pages)])
    if status == 0:
        print(f"Open {pages / 'index.html'}")
    return status


def stage(source: Path) -> None:
    """Copy the pages: all anew, for one that is gone would be found by the search."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "CHANGELOG.md", source)


def put_notebook(notebook: Path, there: Path, *, run: bool) -> None:
    """Put a notebook among the pages, with outputs."""
    import nbformat

    bare = nbformat.read(notebook, as_version=4)
    ran = RAN / notebook.name
    found = nbformat.read(ran, as_version=4) if ran.is_file() else None
    if found is None or _code(found) != _code(bare):
        found = run_notebook(bare, notebook.name) if run else bare
    # Words may have changed since it ran.
    for cell, now in zip(found.cells, bare.cells, strict=True):
        if cell.cell_type == "markdown":
            cell.source = now.source
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_shown(output)]
            for output in cell.outputs:
                for kind in set(output.get("data", ())) - SHOWN:  # live views have no server here
                    del output["data"][kind]
    found.metadata.pop("widgets", None)
    found.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    nbformat.write(found, there)


def run_notebook(notebook: NotebookNode, name: str) -> NotebookNode:
    """Run all cells in a workspace with the sample region, and keep the result for the next time.

    Raises:
        CellExecutionError: A cell failed.
    """
    import nbformat
    from nbclient import NotebookClient

    from eolab.catalog.simulate.write import write_sample
    from eolab.settings import config

    print(f"running {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="eolab-docs-") as folder:
        made = config.init(Path(folder))
        write_sample(made.sample)
        os.environ["EOLAB_WORKSPACE"] = str(made.file)
        # `!eolab` is the one beside this interpreter's libraries.
        os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=900, kernel_name="python3", resources=resources).execute()
        text = nbformat.writes(notebook).replace(folder, "/home/you/project")
    RAN.mkdir(parents=True, exist_ok=True)
    (RAN / name).write_text(text, encoding="utf-8")
    return nbformat.reads(text, as_version=4)


def _is_shown(output: NotebookNode) -> bool:
    """Bars that say how far a call is are of no use when it is over."""
    return "<progress" not in output.get("data", {}).get("text/html", "")


def _code(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


if __name__ == "__main__":
    sys.exit(main())
