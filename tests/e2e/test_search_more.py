"""What of the search tab takes longer: the poles, base maps, dragging."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import accessibility
from tests.e2e.jupyter import Lab
from tests.e2e.mapserver import serving
from tests.e2e.searching import S2, open_lab, open_search

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]
COLOUR = (200, 30, 90)


@pytest.fixture
def maps() -> Iterator[tuple[str, list[str]]]:
    """A server of base maps on loopback: its address, and what it was asked for."""
    with serving(COLOUR) as started:
        yield started


def offer_maps(page: Page, maps: list[dict[str, str]]) -> None:
    """Name base maps in the user's settings."""
    page.evaluate(
        "async raw => { await window.jupyterapp.serviceManager.settings.save("
        "'eolab:catalog', raw); }",
        json.dumps({"baseMaps": maps}),
    )
    page.reload()
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('eolab:search-scenes')")


def share_of_colour(tab: Locator) -> float:
    """How much of the map's picture is of the base map's colour."""
    from rasterio.io import MemoryFile

    picture = tab.locator(".eolab-SearchMap-view").screenshot()
    with MemoryFile(picture) as file, file.open() as image:
        pixels = image.read((1, 2, 3)).astype(int)
    off = np.abs(pixels - np.array(COLOUR)[:, None, None]).max(axis=0)
    return float((off < 12).mean())


def test_poles_and_base_maps(
    lab: Lab, page: Page, maps: tuple[str, list[str]], shoot: Shoot
) -> None:
    """The Earth from above its poles; a base map is fetched when it is chosen, not before."""
    url, asked = maps
    open_lab(page, lab, "poles")
    offer_maps(
        page,
        [
            {"name": "tiles", "url": f"{url}/{{z}}/{{x}}/{{y}}.png"},
            {"name": "wmts", "kind": "wmts", "url": f"{url}/capabilities.xml", "layer": "plain"},
            {"name": "file", "kind": "pmtiles", "url": f"{url}/world.pmtiles"},
            {"name": "wrong", "kind": "wmts", "url": f"{url}/capabilities.xml", "layer": "no"},
        ],
    )
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    tab = open_search(page, catalog="sample", collection=S2)
    for earth in ("Arctic", "Antarctic", "degrees"):
        tab.get_by_label("Projection").select_option(earth)
        page.wait_for_function(
            "() => [...document.querySelectorAll('.eolab-SearchMap-view canvas')].some(canvas =>"
            " canvas.getContext('2d').getImageData(canvas.width / 3, canvas.height / 3, 200, 200)"
            " .data.some(value => value > 0))"
        )
        shoot(page, f"search-{earth.lower()}")
    assert not faults
    assert not asked
    tab.get_by_label("Projection").select_option("Mercator")
    tab.get_by_label("Base map").select_option("wrong")
    expect(page.get_by_text("cannot be had")).to_be_visible()
    for name, path in (("tiles", ".png"), ("wmts", "/wmts/"), ("file", ".pmtiles")):
        assert share_of_colour(tab) < 0.01
        asked.clear()
        tab.get_by_label("Base map").select_option(name)
        end = time.monotonic() + 60
        while share_of_colour(tab) < 0.5:
            assert time.monotonic() < end, asked
            page.wait_for_timeout(200)
        assert any(path in one for one in asked)
        shoot(page, f"search-base-{name}")
        tab.get_by_label("Base map").select_option(index=0)
        page.wait_for_timeout(500)
    assert not faults
    assert not accessibility.findings(page)


def test_a_scene_is_dragged_into_a_notebook(lab: Lab, page: Page, shoot: Shoot) -> None:
    open_lab(page, lab, "drag")
    tab = open_search(page, catalog="sample", collection=S2)
    page.evaluate(
        "async () => {"
        " const panel = await window.jupyterapp.commands.execute('notebook:create-new',"
        " { kernelName: 'python3' }); await panel.context.ready;"
        " window.jupyterapp.shell.add(panel, 'main', { mode: 'split-bottom' }); }"
    )
    page.locator(".lm-TabBar-tab").filter(has_text="Scenes").click()
    picture = tab.locator(".eolab-Gallery-item").first
    expect(picture).to_be_visible()
    scene = picture.get_attribute("title")
    assert scene
    start, cell = picture.bounding_box(), page.locator(".jp-NotebookPanel .cm-content").first
    goal = cell.bounding_box()
    assert start
    assert goal
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    # Nobody drags faster than a catalogue on this machine answers.
    with page.expect_response(lambda answer: "/item?" in answer.url):
        page.mouse.down()
        page.mouse.move(start["x"] + 40, start["y"] + 40, steps=4)
    expect(page.locator(".eolab-DragImage")).to_be_visible()
    page.mouse.move(goal["x"] + 30, goal["y"] + 8, steps=8)
    page.mouse.up()
    expect(cell).to_contain_text(scene)
    # Sentinel-2 tells its clouds: what loads it leaves them out.
    expect(cell).to_contain_text('mask=eo.mask(drop=["cloud", "shadow"])')
    shoot(page, "search-dragged")
