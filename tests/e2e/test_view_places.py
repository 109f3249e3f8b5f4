"""Views in cells, where JupyterLab is not alone: Notebook 7 under a hub's base_url, a server that
goes and comes back."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from eolab.settings import config
from eolab.studies import open_study
from eolab.views import study_view
from tests.e2e import accessibility, journals
from tests.e2e.jupyter import ROOT, serve, write_notebook

# Three servers' starts: in `make test-more`.
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(600)]

HUB, NAME = "/user/ann/", "far-away"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with a study at work and a notebook that shows it, with no kernel."""
    made = config.init(tmp_path)
    folder = journals.begin(made.runs, NAME, trials=6, workers=6)
    command = [sys.executable, "-m", "tests.e2e.journals", str(folder), "6", "380"]
    process = subprocess.Popen(command, cwd=ROOT)
    shown = study_view(open_study(made, NAME))
    write_notebook(tmp_path / "live.ipynb", f"ws.study({NAME!r})", shown)
    yield tmp_path
    process.terminate()
    process.wait(20)


def test_a_cell_view_in_notebook_7_outlives_its_server(
    project: Path, page: Page, shoot: Callable[[Page, str], Path]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    place = {"application": "notebook", "base": HUB, "port": port, "token": "known-to-both"}
    view = page.get_by_role("region", name=f"Study {NAME}").first
    with serve(project, **place) as jupyter:  # type: ignore[arg-type]
        page.goto(jupyter.link("notebooks/live.ipynb"))
        expect(view).to_be_visible()
        expect(view.locator("header")).to_contain_text("running")
        assert not accessibility.findings(page)
        accessibility.check_tree(view.locator("header"), "cell-header")
        shoot(page, "notebook-7-cell")
        view.get_by_role("button", name="Open").click()
        tab = page.locator(".eolab-StudyTab")
        expect(tab.get_by_role("grid")).to_be_visible()
        shoot(page, "notebook-7-study")
        assert not accessibility.findings(page)
    # The server is gone: what was seen last stays, and says so.
    expect(view).to_contain_text("Not refreshed")
    expect(view.get_by_role("grid")).to_be_visible()
    shoot(page, "server-gone")
    with serve(project, **place):  # type: ignore[arg-type]
        # Back without a reload of the page.
        expect(view).not_to_contain_text("Not refreshed", timeout=120_000)
        steps = view.locator("[aria-rowindex='2'] [role=gridcell]").nth(6)
        before = steps.inner_text()
        expect(steps).not_to_have_text(before)
        close = page.locator(".jp-Dialog .jp-mod-reject, .jp-Dialog .jp-mod-accept").last
        if close.count():
            close.click()
        shoot(page, "server-back")
