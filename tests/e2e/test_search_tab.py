"""The tab that searches catalogues: light, dark, by keyboard alone, on made-up and real scenes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import accessibility
from tests.e2e.jupyter import Lab, run_by_palette, set_theme
from tests.e2e.searching import (
    FIELD,
    S2,
    count,
    draw_field,
    drawn,
    open_lab,
    open_search,
    post,
)
from tests.e2e.studying import tab_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]


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
    scene.get_by_role("combobox", name="Preview").select_option("NDVI")
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
    expect(passes.first).to_contain_text("% valid")
    shoot(page, f"search-{name}-calendar")
    assert not accessibility.findings(page)
    tab.get_by_role("tab", name="Field").click()
    curve = tab.locator(".eolab-Field")
    expect(curve.locator("canvas")).to_be_visible()
    expect(curve).to_contain_text("Clouds and shadows are masked")
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
    expect(tab.get_by_role("button", name="Reset area")).to_be_visible()
    shoot(page, "search-narrowed")
    # Nothing fits: said, with what to do.
    tab.get_by_label("Keywords").fill("nothing is called so")
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
    tab.get_by_role("button", name="Reset", exact=True).click()
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
    open_lab(page, lab, "keyboard")
    run_by_palette(page, "search catalogues", "Search Catalogues for Scenes")
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
    expect(tab.get_by_role("button", name="Reset area")).to_be_visible()
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
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tab.locator(".eolab-Field canvas")).to_be_visible()
    shoot(page, "search-keyboard")


def test_a_field_of_real_scenes(
    lab: Lab, page: Page, real_or_made_data: Path, shoot: Shoot
) -> None:
    """Scenes without a scene classification: the curve says that nothing is masked."""
    scenes = real_or_made_data / "eolearn-slovenia-stac" / "collection.json"
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
