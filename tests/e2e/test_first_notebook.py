"""The main job in a browser: the first notebook, live through reload and kernel death."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.jupyter import Lab

pytestmark = [pytest.mark.browser, pytest.mark.keras, pytest.mark.timeout(1500)]

NOTEBOOK = "lab/tree/notebooks/01-from-scenes-to-model.ipynb"
FOREST, NETWORK = "crops-forest", "crops-network"
ENDED = {"completed", "failed", "cancelled", "interrupted"}


def open_notebook(page: Page, lab: Lab) -> None:
    page.goto(lab.link(NOTEBOOK))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    tab = page.locator("[data-id=eolab-sidebar]")
    tab.wait_for()
    if "lm-mod-current" not in (tab.get_attribute("class") or ""):
        tab.click()
    expect(page.get_by_role("region", name="Studies")).to_be_visible()


def run_all(page: Page) -> None:
    # Before the kernel is there, "Run All" asks which one to take.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def in_cell(page: Page, study: str) -> Locator:
    """The live view of a study below its cell."""
    return page.locator(".jp-Notebook").get_by_role("region", name=f"Study {study}")


def in_section(page: Page, study: str) -> Locator:
    return page.locator("#eolab-sidebar").get_by_role("progressbar", name=f"Trials of {study}")


def done(view: Locator) -> int:
    """Finished trials as the view's progress bar says."""
    bar = view if view.get_attribute("role") == "progressbar" else view.get_by_role("progressbar")
    return int(bar.first.get_attribute("aria-valuenow") or "0")


def study_state(lab: Lab, study: str) -> str:
    return str(lab.get(f"eolab/api/v1/studies/{study}")["state"])


def wait_until(told: str, check: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:g} s: {told}")
        time.sleep(0.25)


def test_the_notebook_runs_and_its_studies_outlive_page_and_kernel(
    lab: Lab, page: Page, shoot: Callable[[Page, str], Path]
) -> None:
    open_notebook(page, lab)
    shoot(page, "first-notebook-start")
    run_all(page)

    # Live in the cell and in the Studies section.
    in_cell(page, FOREST).wait_for(timeout=180_000)
    in_section(page, NETWORK).wait_for(timeout=180_000)
    network = in_cell(page, NETWORK)
    network.scroll_into_view_if_needed(timeout=60_000)
    expect(network).to_be_visible(timeout=60_000)
    wait_until("a trial done in the cell", lambda: done(network) >= 1, 180)
    assert study_state(lab, NETWORK) == "running"
    assert done(in_section(page, NETWORK)) >= 1
    shoot(page, "first-notebook-running")

    # The page is reloaded while the cell runs: the view still moves.
    page.reload()
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    network = in_cell(page, NETWORK)
    network.scroll_into_view_if_needed(timeout=60_000)
    before = done(network)
    assert study_state(lab, NETWORK) == "running"
    wait_until("the view moves after the reload", lambda: done(network) > before, 180)

    # The kernel is killed: the study goes on to its end, and the view shows it.
    assert lab.get_list("api/kernels")
    kill_kernel(lab)
    assert study_state(lab, NETWORK) == "running"
    wait_until("the study's end", lambda: study_state(lab, NETWORK) in ENDED, 300)
    assert study_state(lab, NETWORK) == "completed"
    wait_until("the end in the cell", lambda: "6" in network.inner_text(), 10)
    expect(network.locator("[data-state=completed]").first).to_be_visible()
    shoot(page, "first-notebook-after-kernel-death")

    # Run again from the top on a new kernel: finished studies are handed back, the model gets
    # registered.
    open_notebook(page, lab)
    run_all(page)
    models = page.get_by_role("region", name="Models")
    expect(models.get_by_text("crops", exact=True).first).to_be_visible(timeout=300_000)
    snapshot = lab.get("eolab/api/v1/models")
    (version,) = next(m for m in snapshot["models"] if m["name"] == "crops")["versions"]
    assert 0.5 < version["metrics"]["macro_f1_low"] <= version["metrics"]["macro_f1"] <= 1
    assert {"study", "view", "commit", "item"} <= {node["kind"] for node in version["lineage"]}
    errors = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert errors.count() == 0, errors.all_inner_texts()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_four_sections_are_filled(
    lab: Lab, page: Page, theme: str, shoot: Callable[[Page, str], Path]
) -> None:
    """After the notebook: what a visitor of the panels sees, in both themes."""
    mend_saved(lab.folder / NOTEBOOK.removeprefix("lab/tree/"))
    open_notebook(page, lab)
    choose_theme(page, theme)
    sidebar = page.locator("#eolab-sidebar")
    sidebar.get_by_role("button", name="sample").first.click()
    expect(sidebar.get_by_text("Simulated", exact=False).first).to_be_visible()
    expect(sidebar.get_by_text("parcel_spectra").first).to_be_visible()
    expect(in_section(page, FOREST)).to_be_visible()
    expect(page.get_by_role("region", name="Models").get_by_text("crops").first).to_be_visible()
    in_cell(page, NETWORK).scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)  # the curves are drawn in the next frames
    name = "dark" if "Dark" in theme else "light"
    shoot(page, f"four-sections-{name}")


def mend_saved(notebook: Path) -> None:
    """Leave off what stands behind the notebook's text.

    JupyterLab saves a notebook as its page goes, and its server does not keep two savings apart:
    seen once, the end of a longer text stood behind a shorter one, and the file opened no more.
    """
    text = notebook.read_text(encoding="utf-8")
    _, end = json.JSONDecoder().raw_decode(text)
    notebook.write_text(text[:end] + "\n", encoding="utf-8")


def choose_theme(page: Page, theme: str) -> None:
    page.get_by_role("menuitem", name="Settings").click()
    page.locator(".lm-Menu").get_by_text("Theme", exact=True).click()
    page.locator(".lm-Menu").get_by_text(theme, exact=True).click()
    wanted = "false" if "Dark" in theme else "true"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", wanted)


def kill_kernel(lab: Lab) -> None:
    """Shut the kernel down through the server, as the Running panel does."""
    for kernel in lab.get_list("api/kernels"):
        request = urllib.request.Request(
            f"{lab.url}api/kernels/{kernel['id']}",
            method="DELETE",
            headers={"Authorization": f"token {lab.token}"},
        )
        urllib.request.urlopen(request, timeout=60).close()
