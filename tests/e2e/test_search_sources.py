"""Catalogues that somebody added in the panel: changed, removed, had back."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import accessibility
from tests.e2e.jupyter import Lab, set_theme
from tests.e2e.searching import S2, count, open_lab, open_search, post

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]


@pytest.fixture
def added(lab: Lab, real_or_made_data: Path) -> Iterator[Path]:
    """Two more, one with a long name and a login; at the end the file is as it was."""
    settings = lab.folder / "eolab.toml"
    before = settings.read_text(encoding="utf-8")
    scenes = real_or_made_data / "eolearn-slovenia-stac" / "collection.json"
    post(lab, "catalogs", {"name": "five-scenes", "url": str(scenes)})
    guarded = {
        "name": "scenes-of-the-agency-with-a-long-name",
        "url": "https://stac.example.org/v1",
        "kind": "api",
        "description": "Asked with a key, for those who have one",
        "token": "env:AGENCY_TOKEN",
        "s3": {"profile": "agency"},
    }
    post(lab, "catalogs", guarded)
    yield settings
    settings.write_text(before, encoding="utf-8")


def open_panel(page: Page) -> Locator:
    page.evaluate("() => window.jupyterapp.restored")  # what it restores comes to the front
    page.evaluate("() => void window.jupyterapp.commands.execute('eolab:open-panel')")
    return page.locator("#eolab-sidebar-catalog")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_catalogue_is_removed_and_had_back(
    lab: Lab, page: Page, added: Path, theme: str, shoot: Shoot
) -> None:
    open_lab(page, lab, f"sources-{theme.lower()}")
    set_theme(page, theme)
    tab = open_search(page, catalog="five-scenes")
    expect(count(tab)).to_contain_text("5 scenes")
    panel = open_panel(page)
    expect(panel.get_by_role("button", name="Remove five-scenes")).to_be_visible()
    expect(panel.get_by_role("button", name="Remove earth-search")).to_have_count(0)
    shoot(page, f"search-sources-{theme.lower()}")
    before = added.read_text()
    panel.get_by_role("button", name="Remove five-scenes").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("No file is deleted")
    shoot(page, f"search-sources-question-{theme.lower()}")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert added.read_text() == before
    # By the keyboard alone.
    panel.get_by_role("button", name="Remove five-scenes").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Remove")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Remove five-scenes")).to_have_count(0)
    assert "five-scenes" not in tomllib.loads(added.read_text())["catalogs"]
    # The tab has let go of it.
    expect(tab.get_by_label("Catalogue", exact=False).first).to_have_value("")
    expect(tab.get_by_text("Nothing was asked yet.")).to_be_visible()
    expect(page.get_by_text("“five-scenes” was removed.")).to_be_visible()
    shoot(page, f"search-sources-removed-{theme.lower()}")
    assert not accessibility.findings(page)
    page.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("button", name="Remove five-scenes")).to_be_visible()
    assert tomllib.loads(added.read_text()) == tomllib.loads(before)


def test_address_and_login_are_changed(
    lab: Lab, page: Page, added: Path, sample_folder: Path, shoot: Shoot
) -> None:
    open_lab(page, lab, "sources-change")
    panel = open_panel(page)
    name = "scenes-of-the-agency-with-a-long-name"
    before = tomllib.loads(added.read_text())["catalogs"][name]
    panel.get_by_role("button", name=f"Change {name}").click()
    form = panel.get_by_role("form", name=f"Change {name}")
    # More than one form holds: it stays as the file has it.
    expect(form.get_by_label("Login")).to_have_value("kept")
    form.get_by_label("Description").fill("")
    shoot(page, "search-sources-change")
    assert not accessibility.findings(page)
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    del before["description"]
    assert tomllib.loads(added.read_text())["catalogs"][name] == before
    # Another place: what is shown of it follows.
    panel.get_by_role("button", name="Change five-scenes").click()
    form = panel.get_by_role("form", name="Change five-scenes")
    form.get_by_label("Address").fill("no/such/place")
    form.get_by_label("Address").press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("there is no")
    form.get_by_label("Address").fill(str(sample_folder / "eolab-workspace/sample/catalog.json"))
    form.get_by_label("Address").press("Enter")
    expect(form).to_have_count(0)
    row = panel.locator("li").filter(has_text="five-scenes")
    row.get_by_role("button", name="five-scenes", exact=False).first.click()
    expect(
        row.get_by_role("button", name="Search Simulated Sentinel-2", exact=False)
    ).to_be_visible()
    shoot(page, "search-sources-changed")


def test_everything_is_found_from_one_box(lab: Lab, page: Page, shoot: Shoot) -> None:
    """A scene that was seen once is a few letters away; so is a search that was kept."""
    open_lab(page, lab, "everything")
    tab = open_search(page, catalog="sample", collection=S2)
    panel = open_panel(page)
    box = panel.get_by_label("Find in the workspace")
    box.fill("simulated")
    expect(panel.get_by_role("region", name="Collections")).to_contain_text("sample")
    box.fill("SIM_S2B_33UTP_20220717")
    scenes = panel.get_by_role("region", name="Scenes")
    expect(scenes.get_by_role("button")).to_have_count(1)
    shoot(page, "search-everything")
    assert not accessibility.findings(page)
    scenes.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(count(tab)).to_contain_text("1 scene · 1 selected")
    box.fill("nothing is called so")
    expect(panel.get_by_text("Nothing is called so.")).to_be_visible()
    box.fill("")
    query = {"catalog": "sample", "collection": S2, "maxCloud": 10}
    post(lab, "saved", {"kind": "search", "name": "hardly a cloud", "value": query})
    panel.get_by_role("button", name="Saved searches").click()
    panel.get_by_role("button", name="hardly a cloud", exact=True).click()
    expect(tab.get_by_role("slider")).to_have_value("10")
    expect(count(tab)).not_to_contain_text("1 scene ·")
    shoot(page, "search-saved-panel")
    panel.get_by_role("button", name="Drop hardly a cloud").click()
    expect(panel.get_by_role("button", name="hardly a cloud", exact=True)).to_have_count(0)
