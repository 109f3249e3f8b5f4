"""`eolab lab`: JupyterLab on a workspace that is ready to be used."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from eolab.errors import NotFoundError
from eolab.settings import config as configuration

FIRST = "notebooks/01-from-scenes-to-model.ipynb"


def prepare(folder: Path) -> configuration.Config:
    """An `eolab.toml` (unless one counts here already) and the sample region, once."""
    config = configuration.find(folder)
    if config.file is None and "EOLAB_WORKSPACE" not in os.environ:
        config = configuration.init(folder)
        print(f"Workspace: {config.root} (named by {config.file})", flush=True)
    if not (config.sample / "sample.json").exists():
        from eolab.catalog.simulate.write import write_sample

        print("Making the sample region (simulated; the first time only)", flush=True)
        write_sample(config.sample)
    return config


def start(*, notebook: str | None = None, browser: bool = True, port: int | None = None) -> int:
    """Make what is missing, then become JupyterLab.

    Args:
        notebook: The notebook to open, relative to the working directory.
        browser: Open a window.
        port: Port to listen on; None takes Jupyter's default or the next free one.

    Returns:
        The exit status of JupyterLab (on POSIX this process becomes JupyterLab and the call does
        not return).

    Raises:
        NotFoundError: The notebook does not exist.
    """
    folder = Path.cwd()
    if notebook is not None and not (folder / notebook).is_file():
        raise NotFoundError(f"there is no notebook {notebook}", f"Name one below {folder}.")
    prepare(folder)
    target = notebook or (FIRST if (folder / FIRST).is_file() else None)
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.root_dir", str(folder)]
    command.append("--EolabApp.open_panel=True")
    if target:
        command.append(f"--LabApp.default_url=/lab/tree/{target}")
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command.append(f"--port={port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container there is often no other user; Jupyter refuses root unless told.
        command.append("--allow-root")
    if os.name == "posix":
        # Becoming it keeps Ctrl-C, signals and the exit status as Jupyter's users know them.
        os.execv(sys.executable, command)
    import subprocess

    return subprocess.run(command, check=False).returncode
