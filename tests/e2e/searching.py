"""The search tab as tests and people open it."""

from __future__ import annotations

import json
import urllib.request

from playwright.sync_api import Locator, Page, expect

from tests.e2e.jupyter import Lab

S2 = "sentinel-2-l2a-simulated"
# Inside of the sample region.
FIELD = {"West": "11.99", "South": "48.60", "East": "11.995", "North": "48.603"}


def open_lab(page: Page, lab: Lab, name: str) -> None:
    page.goto(lab.link(f"lab/workspaces/search-{name}"))
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('eolab:search-scenes')")


def open_search(page: Page, **args: object) -> Locator:
    """The tab, opened by its command; it has an answer and a drawn map."""
    command = "args => void window.jupyterapp.commands.execute('eolab:search-scenes', args)"
    page.evaluate(command, args)
    tab = page.locator(".eolab-SearchTab")
    expect(tab.get_by_role("grid")).to_be_visible()
    drawn(page)
    return tab


def drawn(page: Page) -> None:
    """Wait until OpenLayers says that all footprints are on the map."""
    page.wait_for_function(
        "() => performance.getEntriesByName('eolab-search-drawn').length > 0"
        " && !document.querySelector('.eolab-SearchTab-places[aria-busy=true]')"
    )


def count(tab: Locator) -> Locator:
    return tab.get_by_role("toolbar", name="Code").get_by_role("status")


def draw_field(tab: Locator) -> None:
    for side, value in FIELD.items():
        tab.get_by_label(side, exact=True).fill(value)


def post(lab: Lab, path: str, body: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{lab.url}eolab/api/v1/{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"token {lab.token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status in (200, 201)
