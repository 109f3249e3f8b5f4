"""Where JupyterLab is not alone at the root: a hub's base_url, and Notebook 7."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.jupyter import serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HUB = "/user/ann/"
SECTIONS = ("Catalogue", "Features", "Studies", "Models")


def open_in_lab(page: Page) -> None:
    page.locator("[data-id=eolab-sidebar]").click()


def open_in_notebook(page: Page) -> None:
    """Notebook 7 shows sidebars from its View menu."""
    page.get_by_role("menuitem", name="View", exact=True).click()
    page.get_by_text("Left Sidebar", exact=True).hover()
    page.get_by_text("Show Earth Observation", exact=True).click()


PLACES = [
    ("jupyterlab", "lab", open_in_lab),
    ("notebook", "notebooks/notebooks/01-from-scenes-to-model.ipynb", open_in_notebook),
]


def check_sidebar(page: Page) -> None:
    """The four sections stand, and the sample's collection is listed."""
    panel = page.locator("#eolab-sidebar")
    for section in SECTIONS:
        expect(panel.get_by_role("region", name=section)).to_be_visible()
    panel.get_by_role("button", name="sample").first.click()
    expect(panel.get_by_text("Simulated Sentinel-2", exact=False).first).to_be_visible()


@pytest.mark.parametrize(
    ("application", "address", "open_panel"), PLACES, ids=["lab", "notebook-7"]
)
def test_the_sidebar_works_under_a_base_url(
    application: str,
    address: str,
    open_panel: Callable[[Page], None],
    sample_folder: Path,
    page: Page,
    shoot: Callable[[Page, str], Path],
) -> None:
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    with serve(sample_folder, application=application, base=HUB) as jupyter:
        assert HUB in jupyter.url
        page.goto(jupyter.link(address))
        open_panel(page)
        check_sidebar(page)
        shoot(page, f"base-url-{application}")
    assert not [text for text in complaints if "eolab" in text]


def test_the_panel_opens_by_itself_once_where_eolab_lab_asks_for_it(
    sample_folder: Path, page: Page
) -> None:
    panel = page.locator("#eolab-sidebar")
    options = ("--EolabApp.open_panel=True", "--LabApp.expose_app_in_browser=True")
    with serve(sample_folder, options=options) as jupyter:
        page.goto(jupyter.link("lab"))
        expect(panel).to_be_visible(timeout=60_000)
        with page.expect_response(lambda r: "/api/workspaces/" in r.url and r.ok):
            page.locator("[data-id=filebrowser]").click()  # the user prefers the files
        expect(panel).to_be_hidden()
        page.reload()
        expect(page.locator("#filebrowser")).to_be_visible(timeout=60_000)
        page.evaluate("() => window.jupyterapp.restored")
        expect(panel).to_be_hidden()
