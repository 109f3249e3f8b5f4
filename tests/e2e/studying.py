"""The views of studies as tests and people open them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.jupyter import Lab

# Dark once in every run, on the tab; the rest of it in `make test-more`.
THEMES = ["Light", pytest.param("Dark", marks=pytest.mark.slow)]


def open_lab(page: Page, lab: Lab, name: str) -> None:
    """A window with a layout of its own."""
    page.goto(lab.link(f"lab/workspaces/{name}"))
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('eolab:open-study')")


def open_study(page: Page, name: str) -> Locator:
    """The tab of a study, opened by its command."""
    command = "name => void window.jupyterapp.commands.execute('eolab:open-study', { name })"
    page.evaluate(command, name)
    tab = page.locator(".eolab-StudyTab").filter(has_text=name)
    expect(tab.get_by_role("grid")).to_be_visible()
    return tab


def row(tab: Locator, trial: int) -> Locator:
    number = f'[role=gridcell]:first-child:text-is("{trial}")'
    return tab.locator(f"[role=row]:has(> {number})")


def drawn(page: Page) -> None:
    """Let the canvases be drawn, which follow in the next frames."""
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Press Tab until the focus is on the element, as somebody without a pointer does."""
    wanted = page.locator(selector).first
    wanted.wait_for()
    for _ in range(most):
        if wanted.evaluate("node => node === document.activeElement"):
            outline = wanted.evaluate("node => getComputedStyle(node).outlineStyle")
            assert outline != "none", f"the focus cannot be seen on {selector}"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {selector}")
