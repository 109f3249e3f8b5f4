"""The tab that searches catalogues: light, dark, by keyboard alone, on made-up and real scenes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import accessibility
from tests.e2e.jupyter import Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

S2 = "sentinel-2-l2a-simulated"
# Inside of the sample region.
FIELD = {"West": "11.99", "South": "48.60", "East": "11.995", "North": "48.603"}
Shoot = Callable[[Page, str], Path]


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


def set_theme(page: Page, theme: str) -> None:
    page.evaluate(
        "theme => void window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {theme}",
    )
    light = "true" if theme == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)


def post(lab: Lab, path: str, body: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{lab.url}eolab/api/v1/{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"token {lab.token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status in (200, 201)


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_part_of_the_tab(lab: Lab, page: Page, theme: str, shoot: Shoot) -> None:
    name = theme.lower()
    open_lab(page, lab, f"parts-{name}")
    set_theme(page, theme)
    tab = open_search(page, catalog="sample", collection=S2)
    expect(count(tab)).to_contain_text("36 scenes")
    expect(tab.locator(".eolab-Gallery-item img").first).to_be_visible()
    shoot(page, f"search-{name}-pictures")
    assert not accessibility.findings(page)

    # One selection in table, pictures and map.
    row = tab.locator("[aria-rowindex='3']")
    row.click()
    expect(row).to_have_attribute("aria-selected", "true")
    chosen = tab.locator(".eolab-Gallery-item[aria-pressed=true]")
    expect(chosen).to_have_count(1)
    other = tab.locator(".eolab-Gallery-item").nth(3)
    other.hover()
    expect(tab.locator("[aria-rowindex='5']")).to_have_attribute("data-hovered", "true")

    tab.get_by_role("tab", name="Scene").click()
    scene = tab.locator(".eolab-Item-pane")
    expect(scene.locator(".eolab-Preview img")).to_be_visible()
    expect(scene.locator("figcaption")).to_contain_text("simulated")
    expect(scene.get_by_role("cell", name="nir", exact=True)).to_be_visible()
    scene.get_by_label("Picture").select_option("NDVI")
    expect(scene.get_by_label("Colours")).to_be_visible()
    expect(scene.locator(".eolab-Preview img")).to_be_visible()
    scene.get_by_text("Same stretch on all dates").click()
    told = scene.locator("figcaption").inner_text()
    scene.get_by_role("button", name="Older").click()
    expect(scene.locator("figcaption")).to_have_text(told)
    shoot(page, f"search-{name}-scene")
    assert not accessibility.findings(page)

    draw_field(tab)
    tab.get_by_role("tab", name="Calendar").click()
    passes = tab.locator(".eolab-Calendar-pass")
    expect(passes.first).to_contain_text("% clear")
    shoot(page, f"search-{name}-calendar")
    assert not accessibility.findings(page)
    tab.get_by_role("tab", name="Field").click()
    curve = tab.locator(".eolab-Field")
    expect(curve.locator("canvas")).to_be_visible()
    expect(curve).to_contain_text("Clouds and shadows are left out")
    expect(curve).to_contain_text("simulated")
    shoot(page, f"search-{name}-field")
    assert not accessibility.findings(page)
    if theme == "Light":
        accessibility.check_tree(tab.get_by_role("form", name="Search"), "search-form")
        accessibility.check_tree(tab.locator(".eolab-SearchTab-places"), "search-places")
        accessibility.check_tree(tab.locator(".eolab-Calendar, .eolab-Field"), "search-field")


def test_narrowing_a_search(lab: Lab, page: Page, shoot: Shoot) -> None:
    open_lab(page, lab, "narrow")
    tab = open_search(page, catalog="sample")
    expect(count(tab)).to_contain_text("52 scenes")
    tab.get_by_label("Collection").select_option(S2)
    expect(count(tab)).to_contain_text("36 scenes")
    # Dates, by a drag over the first bars of the histogram.
    bars = tab.locator(".eolab-SearchForm-histogram canvas")
    box = bars.bounding_box()
    assert box
    page.mouse.move(box["x"] + 1, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
    page.mouse.up()
    expect(tab.get_by_label("To", exact=True)).not_to_have_value("")
    expect(count(tab)).not_to_contain_text("36 scenes")
    tab.get_by_role("button", name="All dates").click()
    expect(count(tab)).to_contain_text("36 scenes")
    tab.get_by_role("slider").fill("10")
    expect(count(tab)).not_to_contain_text("36 scenes")
    few = count(tab).inner_text()
    # A property, with the values that the catalogue names.
    tab.get_by_label("Add a filter").select_option("sat:relative_orbit")
    orbit = tab.get_by_role("group", name="sat:relative_orbit")
    orbit.get_by_label("sat:relative_orbit at least").fill("60")
    expect(count(tab)).not_to_have_text(few)
    orbit.get_by_role("button").click()
    expect(count(tab)).to_have_text(few)
    # A box by two clicks on the map.
    tab.get_by_role("button", name="Draw box").click()
    view = tab.locator(".eolab-SearchMap-view")
    map_box = view.bounding_box()
    assert map_box
    middle = map_box["x"] + map_box["width"] / 2, map_box["y"] + map_box["height"] / 2
    page.mouse.click(middle[0] - 30, middle[1] - 20)
    page.mouse.move(middle[0], middle[1], steps=4)
    page.mouse.click(middle[0] + 30, middle[1] + 20)
    expect(tab.get_by_label("West", exact=True)).not_to_have_value("")
    expect(tab.get_by_role("button", name="Clear area")).to_be_visible()
    shoot(page, "search-narrowed")
    # Nothing fits: said, with what to do.
    tab.get_by_label("Words").fill("nothing is called so")
    expect(tab.get_by_text("No scene fits.")).to_be_visible()
    shoot(page, "search-empty")


def test_a_service_that_is_not_there_is_told(lab: Lab, page: Page, shoot: Shoot) -> None:
    gone = {"name": "gone", "url": "http://127.0.0.1:9/v1", "kind": "api"}
    post(lab, "catalogs", gone)
    open_lab(page, lab, "gone")
    command = (
        "() => void window.jupyterapp.commands.execute('eolab:search-scenes', {catalog: 'gone'})"
    )
    page.evaluate(command)
    alert = page.locator(".eolab-SearchTab-places").get_by_role("alert")
    expect(alert).to_contain_text("127.0.0.1:9", timeout=120_000)
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()
    shoot(page, "search-failed")


def test_code_goes_into_the_notebook(lab: Lab, page: Page, shoot: Shoot) -> None:
    """Its own cell is replaced while it is unchanged; a changed one is left alone."""
    open_lab(page, lab, "code")
    page.evaluate(
        "async () => {"
        " const panel = await window.jupyterapp.commands.execute('notebook:create-new',"
        " { kernelName: 'python3' }); await panel.context.ready; }"
    )
    notebook = page.locator(".jp-NotebookPanel:visible")
    expect(notebook).to_be_visible()
    tab = open_search(page, catalog="sample", collection=S2)
    tab.get_by_role("slider").fill("20")
    expect(count(tab)).not_to_contain_text("36 scenes")
    sources = (
        "() => [...window.jupyterapp.shell.widgets('main')]"
        ".filter(w => w.content?.widgets && w.context)"
        ".flatMap(w => w.content.widgets.map(c => c.model.sharedModel.getSource()))"
    )

    def insert() -> list[str]:
        page.locator(".lm-TabBar-tab").filter(has_text="Scenes").click()
        tab.get_by_role("button", name="Insert code").click()
        expect(page.locator(".jp-NotebookPanel:visible")).to_be_visible()
        found: list[str] = page.evaluate(sources)
        return [text for text in found if text]

    first = insert()
    assert len(first) == 1
    assert "max_cloud=20" in first[0]
    assert 'mask=eo.mask(drop=["cloud", "shadow"])' in first[0]
    shoot(page, "search-code")
    page.locator(".lm-TabBar-tab").filter(has_text="Scenes").click()
    tab.get_by_role("slider").fill("30")
    drawn(page)
    again = insert()
    assert len(again) == 1
    assert "max_cloud=30" in again[0]
    # Somebody works on it: it is theirs now.
    page.evaluate(
        "() => [...window.jupyterapp.shell.widgets('main')]"
        ".filter(w => w.content?.widgets && w.context)"
        ".flatMap(w => w.content.widgets)"
        ".filter(c => c.model.sharedModel.getSource())"
        ".forEach(c => c.model.sharedModel.setSource("
        "c.model.sharedModel.getSource() + '\\n# mine'))"
    )
    both = insert()
    assert len(both) == 2
    assert sum(text.endswith("# mine") for text in both) == 1
    # The code does what it says, in a fresh process.

    script = "\n".join([*again[0].splitlines()[:-1], "print(sorted(cube.data_vars), cube.sizes)"])
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=lab.folder, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'nir'" in done.stdout


def test_kept_searches_sources_and_reload(lab: Lab, page: Page, shoot: Shoot) -> None:
    open_lab(page, lab, "kept")
    tab = open_search(page, catalog="sample", collection=S2)
    draw_field(tab)
    tab.get_by_label("Name of the area").fill("my field")
    tab.get_by_label("Name of the area").press("Enter")
    expect(tab.get_by_role("button", name="my field", exact=True)).to_be_visible()
    tab.get_by_label("Name of the search").fill("the field")
    tab.get_by_label("Name of the search").press("Enter")
    with page.expect_response(
        lambda answer: (
            "api/workspaces/" in answer.url
            and answer.request.method == "PUT"
            and "eolab-search" in (answer.request.post_data or "")
            and '"maxCloud":50' in (answer.request.post_data or "").replace("\\", "")
        )
    ):
        tab.get_by_role("slider").fill("50")
    page.reload()
    tab = page.locator(".eolab-SearchTab")
    expect(tab.get_by_role("grid")).to_be_visible()
    expect(tab.get_by_label("North", exact=True)).to_have_value(FIELD["North"])
    expect(tab.get_by_role("slider")).to_have_value("50")
    tab.get_by_role("button", name="Clear", exact=True).click()
    expect(tab.get_by_label("North", exact=True)).to_have_value("")
    tab.get_by_role("button", name="the field", exact=True).click()
    expect(tab.get_by_label("North", exact=True)).to_have_value(FIELD["North"])
    shoot(page, "search-kept")

    # The panel: sources, collections with picture, extent and licence, one more source.
    page.evaluate("() => void window.jupyterapp.commands.execute('eolab:open-panel')")
    panel = page.locator("#eolab-sidebar-catalog")
    panel.get_by_role("button", name="sample").first.click()
    collection = panel.get_by_role("button", name="Simulated Sentinel-2").first
    collection.click()
    expect(panel.locator(".eolab-CollectionAbout").first).to_contain_text("CC0-1.0")
    expect(panel.locator(".eolab-CollectionAbout img").first).to_be_visible()
    panel.get_by_role("button", name="Add a catalogue").click()
    panel.get_by_label("Name").fill("mine")
    panel.get_by_label("Address").fill("no/such/place")
    panel.get_by_role("button", name="Add", exact=True).click()
    expect(panel.get_by_role("alert")).to_contain_text("there is no")
    panel.get_by_label("Address").fill("eolab-workspace/sample/catalog.json")
    panel.get_by_role("button", name="Add", exact=True).click()
    expect(panel.get_by_text("“mine” was added.")).to_be_visible()
    assert '[catalogs.mine]\nurl = "eolab-workspace' in (lab.folder / "eolab.toml").read_text()
    shoot(page, "search-panel")
    assert not accessibility.findings(page)


def test_by_keyboard_alone(lab: Lab, page: Page, shoot: Shoot) -> None:
    """From the palette to a scene's bands and a field's curve, without a pointer."""
    from tests.e2e.test_study_views import tab_to

    open_lab(page, lab, "keyboard")
    page.locator("body").press("Control+Shift+C")
    page.keyboard.type("search catalogues")
    page.keyboard.press("Enter")
    tab = page.locator(".eolab-SearchTab")
    expect(tab.get_by_role("grid")).to_be_visible()
    drawn(page)
    tab_to(page, ".eolab-SearchForm label:has-text('Collection') select")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(count(tab)).to_contain_text("36 scenes")
    for side, value in FIELD.items():
        tab_to(page, f".eolab-SearchForm label:has(span:text-is('{side}')) input")
        page.keyboard.type(value)
    expect(tab.get_by_role("button", name="Clear area")).to_be_visible()
    tab_to(page, ".eolab-SearchMap-view")
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    tab_to(page, ".eolab-Results")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(tab.locator("[aria-rowindex='3']")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    tab_to(page, ".eolab-SearchTab [role=tab][aria-selected=true]")
    page.keyboard.press("ArrowRight")
    expect(tab.locator(".eolab-Preview img")).to_be_visible()
    page.keyboard.press("End")
    expect(tab.locator(".eolab-Field canvas")).to_be_visible()
    shoot(page, "search-keyboard")


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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_a_field_of_real_scenes(lab: Lab, page: Page, shared_data: Path, shoot: Shoot) -> None:
    """Scenes without a scene classification: the curve says that nothing is masked."""
    scenes = shared_data / "eolearn-slovenia-stac" / "collection.json"
    post(lab, "catalogs", {"name": "slovenia", "url": str(scenes)})
    open_lab(page, lab, "slovenia")
    tab = open_search(page, catalog="slovenia")
    expect(count(tab)).to_contain_text("5 scenes")
    assert tab.get_by_text("simulated").count() == 0
    tab.get_by_role("slider").fill("50")
    expect(count(tab)).to_contain_text("3 scenes")
    collection = tab.get_by_label("Collection").locator("option").nth(1)
    value = collection.get_attribute("value")
    assert value
    tab.get_by_label("Collection").select_option(value)
    expect(count(tab)).to_contain_text("3 scenes")
    tab.get_by_role("tab", name="Field").click()
    start = time.monotonic()
    tab.get_by_role("button", name="Use the map view").click()
    expect(tab.locator(".eolab-Field canvas")).to_be_visible()
    print(f"curve after {time.monotonic() - start:.1f} s")
    expect(tab.locator(".eolab-Field")).to_contain_text("Nothing tells what is cloudy")
    shoot(page, "search-slovenia")
