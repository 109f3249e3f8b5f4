"""The wheel alone, in an empty environment without Node.js, shows what the checkout shows."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.jupyter import ROOT, serve

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


def test_sidebar_in_lab_and_in_notebook_under_a_base_url(
    bare_python: Path,
    browser: Browser,
    page: Page,
    sample_folder: Path,
    shoot: Callable[[Page, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Only the environment's own programs: there is no Node.js to be found.
    monkeypatch.setenv("PATH", str(bare_python.parent))
    with serve(sample_folder, python=str(bare_python), base="/user/ann/") as lab:
        assert "/user/ann/" in lab.url
        page.goto(lab.link("lab"))
        page.get_by_role("tab", name="EO", exact=True).click()
        expect(page.get_by_text("Simulated Sentinel-2").first).to_be_visible()
        shoot(page, "wheel-lab-base-url")
    with serve(
        sample_folder, application="notebook", python=str(bare_python), base="/user/ann/"
    ) as lab:
        page.goto(lab.link("notebooks/notebooks/01-from-scenes-to-model.ipynb"))
        page.get_by_role("menuitem", name="View").click()
        shoot(page, "wheel-notebook-7")
