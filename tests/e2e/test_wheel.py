"""The wheel alone, in an empty environment without Node.js, shows what the checkout shows."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.jupyter import ROOT, serve
from tests.e2e.test_places import HUB, PLACES, check_sidebar

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with nothing but the wheel, its base and Notebook 7."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", python, wheel, "notebook"],
        check=True,
    )
    return python


@pytest.mark.parametrize(
    ("application", "address", "open_panel"), PLACES, ids=["lab", "notebook-7"]
)
def test_the_wheel_shows_the_sidebar_under_a_base_url(
    application: str,
    address: str,
    open_panel: Callable[[Page], None],
    bare_python: Path,
    sample_folder: Path,
    page: Page,
    shoot: Callable[[Page, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Only the environment's own programs: there is no Node.js to be found.
    monkeypatch.setenv("PATH", str(bare_python.parent))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with serve(
        sample_folder, application=application, python=str(bare_python), base=HUB
    ) as jupyter:
        page.goto(jupyter.link(address))
        open_panel(page)
        check_sidebar(page)
        shoot(page, f"wheel-{application}")
