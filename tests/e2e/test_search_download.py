"""Files of scenes are saved from the search tab: chosen, watched, ended, gone on with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import accessibility
from tests.e2e.jupyter import Lab, set_theme
from tests.e2e.searching import S2, open_lab, open_search, post
from tests.far import scene, slow_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]
SIZE = 6_000_000


@pytest.fixture
def far(sample_folder: Path) -> Iterator[tuple[Path, threading.Event]]:
    """A catalogue whose file stops coming half-way until `go` is set."""
    path = sample_folder / "far.json"
    settings = sample_folder / "eolab.toml"
    before = settings.read_text(encoding="utf-8")
    with slow_server(SIZE, silent_from=SIZE // 2) as (url, go):
        asset = {"href": f"{url}/band.tif", "roles": ["data"], "file:size": SIZE}
        path.write_text(json.dumps(scene({"band": asset}, "far-scene")))
        yield path, go
        settings.write_text(before, encoding="utf-8")  # other tests count the catalogues
        path.unlink()


def test_files_of_chosen_scenes_are_saved(
    lab: Lab, page: Page, sample_folder: Path, shoot: Shoot
) -> None:
    open_lab(page, lab, "download")
    tab = open_search(page, catalog="sample", collection=S2)
    tab.get_by_role("tab", name="Files").click()
    expect(tab.get_by_text("Select scenes to save their files.")).to_be_visible()
    tab.locator("[aria-rowindex='2']").click()
    tab.locator("[aria-rowindex='3']").click(modifiers=["Control"])
    choice = tab.locator(".eolab-Download-choice")
    expect(choice).to_contain_text("Files of 2 scenes")
    # What holds the data is chosen; the picture of it is not.
    expect(choice.get_by_role("checkbox", name="thumbnail")).not_to_be_checked()
    expect(choice.get_by_role("checkbox", name="B04")).to_be_checked()
    choice.get_by_role("button", name="None").click()
    # By the keyboard alone from here.
    box = choice.get_by_role("checkbox", name="B04")
    box.focus()
    page.keyboard.press("Space")
    button = choice.get_by_role("button", name="Download 2 files")
    button.focus()
    page.keyboard.press("Enter")
    row = tab.locator(".eolab-Download-row").first
    expect(row).to_have_attribute("data-state", "done")
    expect(row).to_contain_text("2 of 2 files")
    row.get_by_role("button", name="Files").click()
    expect(row).to_contain_text("B04.tif")
    saved = list((sample_folder / "eolab-workspace/downloads" / S2).rglob("B04.tif"))
    assert len(saved) == 2
    for theme in ("Light", "Dark"):
        set_theme(page, theme)
        shoot(page, f"search-{theme.lower()}-download")
        assert not accessibility.findings(page)
    set_theme(page, "Light")
    row.get_by_role("button", name="Insert code").click()
    # No notebook is open here.
    expect(page.get_by_text("the code is in the clipboard")).to_be_visible()


def test_a_download_is_ended_and_gone_on_with(
    lab: Lab,
    page: Page,
    sample_folder: Path,
    far: tuple[Path, threading.Event],
    shoot: Shoot,
) -> None:
    path, go = far
    post(lab, "catalogs", {"name": "far", "url": str(path), "kind": "static"})
    open_lab(page, lab, "download-far")
    tab = open_search(page, catalog="far")
    tab.locator("[aria-rowindex='2']").click()
    tab.get_by_role("tab", name="Files").click()
    tab.get_by_role("button", name="Download 1 file, about 6.0 MB").click()
    row = tab.locator(".eolab-Download-row").first
    expect(row).to_have_attribute("data-state", "running")
    expect(row).to_contain_text("of 6.0 MB")
    page.wait_for_function(
        "() => Number(document.querySelector('.eolab-Download-row progress')?.value) > 2e6"
    )
    shoot(page, "search-downloading")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_attribute("data-state", "cancelled")
    target = sample_folder / "eolab-workspace/downloads/far/far-scene/band.tif"
    assert not target.exists()
    go.set()
    row.get_by_role("button", name="Go on").click()
    expect(row).to_have_attribute("data-state", "done")
    assert target.stat().st_size == SIZE
    row.get_by_role("button", name="Remove from list").click()
    expect(tab.locator(".eolab-Download-row[data-state=cancelled]")).to_have_count(0)
    assert target.exists()
