"""What of the search tab takes longer: the poles, base maps, dragging."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import accessibility
from tests.e2e.jupyter import Lab
from tests.e2e.searching import S2, open_lab, open_search

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]


@pytest.fixture
def tiles() -> Iterator[tuple[str, list[str]]]:
    """A server of one-coloured tiles on loopback: its address, and what it was asked for."""
    from eolab.catalog.preview import png

    tile, asked = png(np.full((3, 256, 256), 90, np.uint8)), []

    class Tiles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(tile)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_poles_and_base_maps(
    lab: Lab, page: Page, tiles: tuple[str, list[str]], shoot: Shoot
) -> None:
    """The Earth from above its poles; a base map is fetched when it is chosen, not before."""
    url, asked = tiles
    open_lab(page, lab, "poles")
    raw = json.dumps({"baseMaps": [{"name": "grey", "url": f"{url}/{{z}}/{{x}}/{{y}}.png"}]})
    page.evaluate(
        "async raw => { await window.jupyterapp.serviceManager.settings.save("
        "'eolab:catalog', raw); }",
        raw,
    )
    page.reload()
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('eolab:search-scenes')")
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
    tab.get_by_label("Base map").select_option("grey")
    end = time.monotonic() + 60
    while not asked and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert asked[0].endswith(".png")
    shoot(page, "search-base-map")
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
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 40, steps=4)
    expect(page.locator(".eolab-DragImage")).to_be_visible()
    page.mouse.move(goal["x"] + 30, goal["y"] + 8, steps=8)
    page.mouse.up()
    expect(cell).to_contain_text(scene)
    shoot(page, "search-dragged")
