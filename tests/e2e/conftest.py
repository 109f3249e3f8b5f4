"""JupyterLab on a fresh workspace and a real Chromium, both started once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.jupyter import ROOT, Lab, chromium, serve

SHOTS = ROOT / "test-results"
# A first answer waits for imports of the server's helper process: seconds, more on a busy machine.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def sample_folder(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with `eolab.toml`, the sample region and our notebooks."""
    from eolab.settings import config

    folder = tmp_path_factory.mktemp("project")
    made = config.init(folder)
    shutil.copytree(sample, made.sample)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    return folder


@pytest.fixture(scope="session")
def lab(sample_folder: Path) -> Iterator[Lab]:
    # With the application in the page's reach, tests call commands as extensions do.
    with serve(sample_folder, options=["--LabApp.expose_app_in_browser=True"]) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep what the window showed when a test failed."""
    report = yield
    if report.when == "call" and report.failed and "page" in item.funcargs:
        SHOTS.mkdir(exist_ok=True)
        item.funcargs["page"].screenshot(path=SHOTS / f"failed-{item.name[:60]}.png")
    return report


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh window; what it printed as errors is shown when the test fails."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    new = context.new_page()
    new.set_default_timeout(30_000)
    new.on("pageerror", lambda error: print("page error:", error, error.stack))
    yield new
    context.close()


@pytest.fixture
def shoot() -> Callable[[Page, str], Path]:
    """Keep a screenshot in `test-results/`, in light and dark."""

    def take(page: Page, name: str) -> Path:
        SHOTS.mkdir(exist_ok=True)
        path = SHOTS / f"{name}.png"
        page.screenshot(path=path)
        return path

    return take
