"""How fast the map of the search tab is, beside a bare OpenLayers page in the same browser.

    python -m benchmarks.search_tab [--json] [--quick]

10,000 footprints come from a stac-geoparquet file. `draw_vs_ol` is the time from the answer in
hand to all footprints on the map, in the tab (whose table and pictures fill meanwhile), over that
of a page that holds nothing but an OpenLayers map of the same size with the same footprints.
`pan_vs_ol` is the mean time to a frame while a drag moves the map, until it rests again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.catalogue import make_file
from benchmarks.views import PAINTED
from eolab.settings import config
from tests.e2e.jupyter import ROOT, Lab, chromium, serve

COUNT = 10_000
REACH = {"draw_vs_ol": 1.3, "pan_vs_ol": 1.3}
OPEN = "args => void window.jupyterapp.commands.execute('eolab:search-scenes', args)"
DRAWN = "() => performance.getEntriesByName('eolab-search-drawn').length"
TOOK = """() => {
  const last = name => performance.getEntriesByName(name).at(-1).startTime;
  return last('eolab-search-drawn') - last('eolab-search-answer');
}"""
# The same drag in both pages: real events of the pointer, as the browser would send them.
PAN = (
    "async ([selector, steps]) => {"
    + PAINTED
    + """
  const view = document.querySelector(selector + ' .ol-viewport');
  const box = view.getBoundingClientRect();
  const at = { x: box.left + box.width * 0.7, y: box.top + box.height * 0.6 };
  const send = (type, x, y) => view.dispatchEvent(new PointerEvent(type, {
    bubbles: true, cancelable: true, clientX: x, clientY: y, pointerId: 1, pointerType: 'mouse',
    isPrimary: true, button: 0, buttons: type === 'pointerup' ? 0 : 1,
  }));
  await painted();
  const start = performance.now();
  send('pointerdown', at.x, at.y);
  for (let i = 1; i <= steps; i += 1) {
    send('pointermove', at.x - i * 6, at.y - i * 2);
    await painted();
  }
  send('pointerup', at.x - steps * 6, at.y - steps * 2);
  // What was put off while it moved is drawn now, and counts.
  for (let i = 0; i < 4; i += 1) await painted();
  return (performance.now() - start) / (steps + 4);
}"""
)
BARE = """async ([items, colour, width, height]) => {
  document.body.innerHTML = `<div id="map" style="width:${width}px;height:${height}px"></div>`;
  document.body.style.margin = '0';
  const map = new ol.Map({ target: 'map', view: new ol.View({ center: [0, 0], zoom: 1 }) });
  await new Promise(done => map.once('rendercomplete', done));
  const start = performance.now();
  const features = items.map(item => new ol.Feature(
    new ol.geom.Polygon(item.rings).transform('EPSG:4326', 'EPSG:3857')));
  map.addLayer(new ol.layer.Vector({
    source: new ol.source.Vector({ features }),
    style: new ol.style.Style({
      stroke: new ol.style.Stroke({ color: colour, width: 1.2 }),
      fill: new ol.style.Fill({ color: colour + '08' }),
    }),
  }));
  await new Promise(done => map.once('rendercomplete', done));
  return performance.now() - start;
}"""


def tab(browser: Browser, lab: Lab, turn: int, steps: int) -> dict[str, Any]:
    """The tab with all footprints: drawn, then dragged."""
    page = window(browser)
    page.goto(lab.link(f"lab/workspaces/bench-{turn}"))
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('eolab:search-scenes')")
    # The map is there before the answer, as it is when somebody searches.
    page.evaluate(OPEN, {"query": {"catalog": "big", "limit": 100}})
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(1_500)
    before = page.evaluate(DRAWN)
    with page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/search")) as got:
        page.evaluate(OPEN, {"query": {"catalog": "big", "limit": COUNT}})
    items = got.value.json()["items"]
    page.wait_for_function(f"before => ({DRAWN})() > before", arg=before)
    box = page.locator(".eolab-SearchMap-view").bounding_box()
    assert box is not None
    assert len(items) == COUNT
    took = page.evaluate(TOOK)
    page.wait_for_timeout(500)
    pans = [page.evaluate(PAN, [".eolab-SearchMap-view", steps]) for _ in range(3)]
    colour = page.evaluate(
        "() => getComputedStyle(document.body).getPropertyValue('--jp-brand-color1').trim()"
    )
    page.context.close()
    return {"draw": took, "pan": statistics.median(pans), "items": items, "box": box,
            "colour": colour}  # fmt: skip


def bare(browser: Browser, like: dict[str, Any], steps: int) -> dict[str, float]:
    """Nothing but OpenLayers."""
    page = window(browser)
    page.set_content("<!doctype html><title>bare</title><body></body>")
    page.add_style_tag(path=ROOT / "node_modules" / "ol" / "ol.css")
    page.add_script_tag(path=ROOT / "node_modules" / "ol" / "dist" / "ol.js")
    box = like["box"]
    items = [
        {"rings": [list(zip(ring[::2], ring[1::2], strict=True)) for ring in item["rings"]]}
        for item in like["items"]
    ]
    colour = like["colour"] if len(like["colour"]) == 7 else "#1976d2"
    took = page.evaluate(BARE, [items, colour, box["width"], box["height"]])
    page.wait_for_timeout(500)
    pans = [page.evaluate(PAN, ["#map", steps]) for _ in range(3)]
    page.context.close()
    return {"draw": took, "pan": statistics.median(pans)}


def window(browser: Browser) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    return page


def measure(quick: bool) -> dict[str, object]:
    """Both pages by turns, so that a slow moment of the machine meets both."""
    steps = 20 if quick else 40
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        make_file(folder / "big.parquet", COUNT)
        file = config.init(folder).file
        assert file is not None
        with file.open("a") as out:
            out.write('\n[catalogs.big]\nurl = "big.parquet"\n')
        expose = ["--LabApp.expose_app_in_browser=True"]
        with serve(folder, options=expose) as lab, chromium() as browser:
            for turn in range(1 if quick else 5):
                ours.append(tab(browser, lab, turn, steps))
                theirs.append(bare(browser, ours[-1], steps))
    figures: dict[str, object] = {}
    for what in ("draw", "pan"):
        mine = statistics.median(float(each[what]) for each in ours)
        other = statistics.median(each[what] for each in theirs)
        figures[f"{what}_ms"] = round(mine, 1)
        figures[f"{what}_ol_ms"] = round(other, 1)
        figures[f"{what}_vs_ol"] = round(mine / other, 2)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="one turn")
    options = parser.parse_args()
    start, load = time.perf_counter(), os.getloadavg()[0]
    figures = measure(options.quick)
    figures["seconds"] = round(time.perf_counter() - start, 1)
    figures["load_average"] = [load, os.getloadavg()[0]]
    figures["missed"] = [name for name, most in REACH.items() if not _fits(figures[name], most)]
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        told = f"  (reach <= {REACH[name]:g})" if name in REACH else ""
        print(f"{name:<16} {value}{told}", file=sys.stdout)


def _fits(value: object, most: float) -> bool:
    return isinstance(value, float) and value <= most


if __name__ == "__main__":
    main()
