"""The search tab around the world and in small windows: 180 degrees, poles, what a reload keeps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.jupyter import Lab
from tests.e2e.searching import S2, count, open_lab, open_search, post

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]
Ring = list[list[float]]


def box(west: float, south: float, east: float, north: float) -> Ring:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


# What catalogues offer, whether or not GeoJSON would have it so.
FOOTPRINTS: dict[str, tuple[str, list[Ring] | list[list[Ring]]]] = {
    "two-parts": ("MultiPolygon", [[box(5, 45, 15, 52)], [box(-24, 63, -14, 67)]]),
    "cut-at-180": ("MultiPolygon", [[box(175, -20, 180, -10)], [box(-180, -20, -172, -10)]]),
    "jumps-at-180": ("Polygon", [[[175, 0], [-172, 2], [-172, 12], [175, 10], [175, 0]]]),
    "beyond-180": ("Polygon", [box(175, 30, 188, 40)]),
    "arctic": ("Polygon", [box(-180, 70, 180, 90)]),
    "antarctic": ("Polygon", [box(-180, -90, 180, -65)]),
}


@pytest.fixture
def odd(lab: Lab) -> Iterator[str]:
    """A catalogue of odd footprints."""
    folder = lab.folder / "odd"
    folder.mkdir(exist_ok=True)
    home = [{"rel": rel, "href": "./collection.json"} for rel in ("root", "parent", "collection")]
    for day, (name, (kind, coordinates)) in enumerate(FOOTPRINTS.items(), 1):
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": name,
            "collection": "odd",
            "geometry": {"type": kind, "coordinates": coordinates},
            "bbox": [-180, -90, 180, 90],
            "properties": {"datetime": f"2024-01-{day:02}T00:00:00Z"},
            "assets": {},
            "links": home,
        }
        (folder / f"{name}.json").write_text(json.dumps(item))
    collection = {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": "odd",
        "description": "Odd footprints",
        "license": "CC0-1.0",
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2024-01-01T00:00:00Z", None]]},
        },
        "links": [home[0], *({"rel": "item", "href": f"./{name}.json"} for name in FOOTPRINTS)],
    }
    (folder / "collection.json").write_text(json.dumps(collection))
    settings = lab.folder / "eolab.toml"
    before = settings.read_text(encoding="utf-8")
    post(lab, "catalogs", {"name": "odd", "url": str(folder / "collection.json")})
    yield "odd"
    settings.write_text(before, encoding="utf-8")


def middle(tab: Locator) -> tuple[float, float]:
    place = tab.locator(".eolab-SearchMap-view").bounding_box()
    assert place
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def draw_box(page: Page, tab: Locator, left: float, right: float) -> list[float]:
    """By two clicks on the map; its sides in degrees."""
    west = tab.get_by_label("West", exact=True)
    before = west.input_value()
    tab.get_by_role("button", name="Draw box").click()
    _, y = middle(tab)
    page.mouse.click(left, y - 60)
    page.mouse.move((left + right) / 2, y, steps=4)
    page.mouse.click(right, y + 60)
    expect(west).not_to_have_value(before)
    names = ("West", "South", "East", "North")
    return [float(tab.get_by_label(name, exact=True).input_value()) for name in names]


def test_the_map_goes_around_the_world(lab: Lab, page: Page, odd: str, shoot: Shoot) -> None:
    open_lab(page, lab, "world")
    tab = open_search(page, catalog=odd)
    expect(count(tab)).to_contain_text(f"{len(FOOTPRINTS)} scenes")
    for earth in ("Mercator", "degrees", "Arctic", "Antarctic"):
        tab.get_by_label("Projection").select_option(earth)
        page.wait_for_timeout(800)
        shoot(page, f"search-world-{earth.lower()}")
    tab.get_by_label("Projection").select_option("Mercator")
    page.wait_for_timeout(500)
    # To the east, over 180 degrees, without a click that gives the map the focus.
    x, y = middle(tab)
    page.mouse.move(x + 200, y)
    page.mouse.down()
    page.mouse.move(x - 20, y, steps=8)
    page.mouse.up()
    page.wait_for_timeout(1500)
    west, _, east, _ = draw_box(page, tab, x - 60, x + 60)
    degrees = ((east - west) % 360) / 120  # in a pixel
    edge = x - 60 + ((180 - west) % 360) / degrees
    if edge > x + 220:  # the same meridian, a world further west
        edge -= 360 / degrees
    west, _, east, _ = draw_box(page, tab, edge - 20, edge + 20)
    assert 90 < west < 180
    assert -180 < east < -90
    expect(count(tab)).to_contain_text("3 scenes")
    shoot(page, "search-world-over")
    # The wheel, without a click either.
    tab.get_by_label("Projection").focus()
    scale = tab.locator(".ol-scale-line-inner")
    before = scale.inner_text()
    page.mouse.move(x, y)
    page.mouse.wheel(0, -600)
    expect(scale).not_to_have_text(before)
    # A box around the pole holds it.
    tab.get_by_label("Projection").select_option("Arctic")
    page.wait_for_timeout(800)
    tab.get_by_role("button", name="Use the map view").click()
    expect(tab.get_by_label("North", exact=True)).to_have_value("90")
    expect(tab.get_by_label("West", exact=True)).to_have_value("-180")
    expect(tab.get_by_label("East", exact=True)).to_have_value("180")
    shoot(page, "search-world-pole")
    # An area that is typed is gone to where it is out of sight, and not where it can be seen.
    tab.get_by_label("Projection").select_option("Mercator")
    tab.get_by_role("button", name="Reset area").click()
    tab.locator(".eolab-SearchMap-view").focus()
    for _ in range(6):
        page.keyboard.press("+")
        page.wait_for_timeout(400)
    close = scale.inner_text()
    far = {"West": "176", "South": "-20", "East": "-178", "North": "-15"}
    for side, value in far.items():
        tab.get_by_label(side, exact=True).fill(value)
    expect(count(tab)).to_contain_text("1 scene")
    expect(scale).not_to_have_text(close)
    whole = scale.inner_text()
    tab.get_by_label("North", exact=True).fill("31")
    expect(count(tab)).not_to_contain_text("1 scene")
    expect(scale).to_have_text(whole)
    shoot(page, "search-world-typed")


def shares(workspace: dict) -> list[float]:
    """Of the height, as Lab keeps them for the sections of the panel."""
    left = workspace["data"]["layout-restorer:data"]["left"]
    found: list[float] = left["widgetStates"]["eolab-sidebar"]["sizes"]
    return found


def test_a_reload_brings_back_what_was_looked_at(lab: Lab, page: Page, shoot: Shoot) -> None:
    """The scene, the projection, and the heights of the panel's sections."""
    open_lab(page, lab, "looked-at")
    page.evaluate("() => window.jupyterapp.restored")
    page.evaluate("() => void window.jupyterapp.commands.execute('eolab:open-panel')")
    heights = (
        "() => { const tall = [...document.querySelectorAll("
        "'#eolab-sidebar .eolab-SectionPanel')].map(node => node.offsetHeight);"
        " const all = tall.reduce((sum, one) => sum + one, 0);"
        " return tall.map(one => one / Math.max(all, 1)); }"
    )
    page.wait_for_function(f"({heights})()[0] > 0")
    first = page.evaluate(heights)
    assert first[0] > 2 * max(first[1:])
    tab = open_search(page, catalog="sample", collection=S2)
    edge = page.locator("#eolab-sidebar .lm-SplitPanel-handle").first.bounding_box()
    assert edge
    page.mouse.move(edge["x"] + 40, edge["y"] + edge["height"] / 2)
    page.mouse.down()
    page.mouse.move(edge["x"] + 40, edge["y"] - 60, steps=6)
    page.mouse.up()
    page.wait_for_function(f"most => ({heights})()[0] < most", arg=first[0] - 0.05)
    tab.locator("[aria-rowindex='4']").click()
    with page.expect_response(
        lambda answer: (
            "api/workspaces/" in answer.url
            and answer.request.method == "PUT"
            and "EPSG:4326" in (answer.request.post_data or "")
        )
    ):
        tab.get_by_label("Projection").select_option("degrees")
    kept = "lab/api/workspaces/search-looked-at"
    end = time.monotonic() + 60
    while shares(lab.get(kept))[0] > 0.42:
        assert time.monotonic() < end
        page.wait_for_timeout(300)
    moved = page.evaluate(heights)
    page.reload()
    tab = page.locator(".eolab-SearchTab")
    expect(tab.locator("[aria-rowindex='4']")).to_have_attribute("aria-selected", "true")
    expect(tab.get_by_label("Projection")).to_have_value("EPSG:4326")
    page.wait_for_function(f"({heights})()[0] > 0")
    page.wait_for_function(
        f"moved => ({heights})().every((tall, at) => Math.abs(tall - moved[at]) < 0.01)", arg=moved
    )
    shoot(page, "search-reloaded")


def test_every_part_is_reached_in_a_small_window(lab: Lab, page: Page, shoot: Shoot) -> None:
    """As at 200 percent on a laptop: what has no room is scrolled to."""
    page.set_viewport_size({"width": 720, "height": 450})
    open_lab(page, lab, "small")
    tab = open_search(page, catalog="sample", collection=S2)
    form = tab.get_by_role("form", name="Search")
    for collapsed in (False, True):
        page.evaluate(
            "collapsed => window.jupyterapp.shell[collapsed ? 'collapseLeft' : 'expandLeft']()",
            collapsed,
        )
        for part, least in (
            (form, 200),
            (tab.locator(".eolab-SearchMap-view"), 100),
            (tab.get_by_role("grid"), 100),
            (tab.locator(".eolab-SearchTab-aside"), 200),
        ):
            part.scroll_into_view_if_needed()
            place = part.bounding_box()
            assert place
            assert place["height"] >= least, part
        shoot(page, f"search-small-{'wide' if collapsed else 'narrow'}")
