"""How smooth the views of studies are, in a real Chromium on a real JupyterLab.

    python -m benchmarks.views [--json] [--quick] [--only MEASURE ...] [--figures]

The studies are journals written as the study process writes them: one of 10,000 finished trials,
and live ones with 200 running trials that report ten times a second each. Every figure is of
JupyterLab as a whole, its own work included; `--quick` watches for a shorter time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from eolab.settings import config
from eolab.studies import tune, uniform
from tests.e2e import journals
from tests.e2e.jupyter import ROOT, Lab, chromium, serve

RESULTS = Path(__file__).parent / "results"
REACH = {
    "open_ms": 1500.0,
    "scroll_ms": 50.0,
    "sort_ms": 300.0,
    "event_to_pixel_ms": 1000.0,
    "busy_pct": 15.0,
    "lab_ms": 200.0,
    "effect_ms": 2000.0,
}
BIG, LIVE = "ten-thousand", "live-{}"
RUNNING = 200

# What is called in the page: resolves after the next picture that the browser shows.
PAINTED = """
const painted = () => new Promise(done => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done(performance.now());
  channel.port2.postMessage(0);
}));
"""
OPEN = (
    "async name => {"
    + PAINTED
    + """
  const start = performance.now();
  void window.jupyterapp.commands.execute('eolab:open-study', { name });
  for (;;) {
    const now = await painted();
    const rows = document.querySelectorAll('.eolab-StudyTab .eolab-DataGrid-row').length;
    if (rows > 5 && document.querySelector('.eolab-StudyTab .uplot canvas')) {
      return now - start;
    }
    if (now - start > 60000) throw new Error('the tab does not fill');
  }
}"""
)
SCROLL = (
    "async ([pixels, times]) => {"
    + PAINTED
    + """
  const grid = document.querySelector('.eolab-StudyTab [role=grid]');
  const box = grid.getBoundingClientRect();
  const filled = () => [0.3, 0.6, 0.9].every(part =>
    document.elementFromPoint(box.left + 60, box.top + box.height * part)
      ?.closest('[aria-rowindex]'));
  const all = [];
  for (let i = 0; i < times; i += 1) {
    await painted();
    const start = performance.now();
    grid.scrollTop += i < times / 2 ? pixels : -pixels;
    let now = await painted();
    while (!filled()) now = await painted();
    all.push(now - start);
  }
  return all;
}"""
)
SORT = (
    "async times => {"
    + PAINTED
    + """
  const first = () =>
    document.querySelector('.eolab-StudyTab [aria-rowindex="2"]')?.textContent;
  const heads = [...document.querySelectorAll('.eolab-StudyTab [role=columnheader] button')];
  document.querySelector('.eolab-StudyTab [role=grid]').scrollTop = 0;
  const all = [];
  for (let i = 0; i < times; i += 1) {
    await painted();
    const before = first();
    const start = performance.now();
    heads[[2, 3, 4][i % 3]].click();
    let now = await painted();
    while (first() === before && now - start < 5000) now = await painted();
    all.push(now - start);
  }
  return all;
}"""
)
OPEN_ONLY = "name => window.jupyterapp.commands.execute('eolab:open-study', { name })"
ACT = (
    "async ([word, state]) => {"
    + PAINTED
    + """
  const find = () => [...document.querySelectorAll('.eolab-StudyTab button')]
    .find(button => button.textContent === word && button.ariaDisabled !== 'true');
  while (!find()) await painted();
  const start = performance.now();
  find().click();
  for (;;) {
    const now = await painted();
    if (document.querySelector(`.eolab-StudyTab header [data-state=${state}]`)) return now - start;
    if (now - start > 60000) throw new Error(`never ${state}`);
  }
}"""
)
# Notes when each trial's step was first seen in the table, by the clock of the machine.
WATCH = """() => {
  window.seen = [];
  const grid = document.querySelector('.eolab-StudyTab [role=grid]');
  const column = [...grid.querySelectorAll('[role=columnheader]')]
    .findIndex(head => head.textContent.startsWith('Step'));
  const last = new Map();
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        waiting = false;
        const now = (performance.timeOrigin + performance.now()) / 1000;
        for (const row of grid.querySelectorAll('[aria-rowindex][data-active]')) {
          const trial = Number(row.children[0].textContent);
          const step = Number(row.children[column].textContent.replace(/,/g, ''));
          if (Number.isFinite(step) && (last.get(trial) ?? -1) < step) {
            last.set(trial, step);
            window.seen.push([trial, step, now]);
          }
        }
      };
      channel.port2.postMessage(0);
    });
  }).observe(grid, { childList: true, characterData: true, subtree: true });
}"""


class Bench:
    """One Lab and one browser for all measures."""

    def __init__(self, lab: Lab, browser: Browser, quick: bool) -> None:
        self.lab, self.browser, self.quick = lab, browser, quick
        self.runs = config.find(lab.folder).runs

    @contextlib.contextmanager
    def window(self) -> Iterator[Page]:
        """A window of its own that shows JupyterLab with our panel."""
        context = self.browser.new_context(viewport={"width": 1440, "height": 900})
        try:
            page = context.new_page()
            page.set_default_timeout(120_000)
            # A workspace of its own: nothing of another window is restored.
            page.goto(self.lab.link(f"lab/workspaces/{secrets.token_hex(4)}"))
            page.locator("[data-id=eolab-sidebar]").wait_for()
            page.wait_for_function("window.jupyterapp?.commands.hasCommand('eolab:open-study')")
            yield page
        finally:
            context.close()

    @contextlib.contextmanager
    def live(self, name: str, seconds: float) -> Iterator[Path]:
        """A study with running trials, written by a process of its own."""
        folder = journals.begin(self.runs, name, trials=RUNNING, workers=RUNNING)
        command = [sys.executable, "-m", "tests.e2e.journals", str(folder)]
        process = subprocess.Popen([*command, str(RUNNING), str(seconds)], cwd=ROOT)
        try:
            yield folder
        finally:
            process.terminate()
            process.wait(20)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def table(bench: Bench) -> dict[str, object]:
    """The tab of 10,000 trials: open, scroll, sort."""
    journals.write_finished(bench.runs, BIG, trials=10_000, steps=20)
    opens = []
    for _ in range(1 if bench.quick else 3):
        with bench.window() as page:
            page.wait_for_timeout(2_000)
            opens.append(float(page.evaluate(OPEN, BIG)))
            page.wait_for_timeout(1_000)
            times = 40 if bench.quick else 120
            scrolls = page.evaluate(SCROLL, [700, times])
            sorts = page.evaluate(SORT, 6 if bench.quick else 12)
    return {
        "open_ms": statistics.median(opens),
        "scroll_ms": percentile(scrolls, 0.95),
        "scroll_median_ms": statistics.median(scrolls),
        "sort_ms": percentile(sorts, 0.95),
    }


def live(bench: Bench) -> dict[str, object]:
    """One live view: how late it is, and what it costs the page."""
    watched = 6.0 if bench.quick else 30.0
    name = LIVE.format("one")
    with bench.live(name, watched + 30) as folder, bench.window() as page:
        page.evaluate(OPEN, name)
        page.wait_for_timeout(2_000)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        page.evaluate(WATCH)
        before = metrics(devtools.send("Performance.getMetrics"))
        page.wait_for_timeout(watched * 1000)
        after = metrics(devtools.send("Performance.getMetrics"))
        seen = page.evaluate("window.seen")
        delays = lateness(folder, seen)
    busy = (after["TaskDuration"] - before["TaskDuration"]) / (
        after["Timestamp"] - before["Timestamp"]
    )
    return {
        "event_to_pixel_ms": percentile(delays, 0.95) * 1000,
        "event_to_pixel_median_ms": statistics.median(delays) * 1000,
        "events_seen": len(delays),
        "busy_pct": 100 * busy,
    }


def metrics(answer: dict) -> dict[str, float]:
    return {each["name"]: each["value"] for each in answer["metrics"]}


def lateness(folder: Path, seen: list[list[float]]) -> list[float]:
    """Seconds from each report to the first picture that held it or a later one of its trial."""
    written: dict[tuple[int, int], float] = {}
    for line in (folder / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["e"] == "report":
            written[int(event["n"]), int(event["step"])] = float(event["t"])
    last: dict[int, int] = {}
    delays = []
    for trial, step, at in seen:
        n, until = int(trial), int(step)
        # The first picture tells how the trial stood before anybody looked.
        if n in last:
            delays += [at - written[n, each] for each in range(last[n] + 1, until + 1)]
        last[n] = until
    return delays


def windows(bench: Bench) -> dict[str, object]:
    """Four live views in two windows: how long Lab takes for a contents request meanwhile."""
    watched = 6.0 if bench.quick else 30.0
    names = [LIVE.format("two"), LIVE.format("three")]
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(bench.live(name, watched + 60))
        pages = [stack.enter_context(bench.window()) for _ in range(2)]
        quiet = [contents(bench.lab) for _ in range(20)]
        for page in pages:
            page.evaluate(OPEN, names[0])
            page.evaluate(
                "name => void window.jupyterapp.commands.execute('eolab:open-study',"
                " { name, mode: 'split-right' })",
                names[1],
            )
            page.wait_for_function(
                "() => [...document.querySelectorAll('.eolab-StudyTab')]"
                ".filter(tab => tab.querySelector('.uplot canvas')).length === 2"
            )
        times = []
        end = time.monotonic() + watched
        while time.monotonic() < end:
            times.append(contents(bench.lab))
            time.sleep(0.1)
    return {
        "lab_ms": percentile(times, 0.95),
        "lab_median_ms": statistics.median(times),
        "lab_without_views_ms": percentile(quiet, 0.95),
    }


def sleeper(reporter, *, x):
    import time

    for step in range(1_000):
        reporter.report(step=step, score=x)
        time.sleep(0.2)


def acting(bench: Bench) -> dict[str, object]:
    """From a click on Pause or Resume to the state in the view: through the study and back."""
    name, times = "acted", []
    study = tune(
        config.find(bench.lab.folder), sleeper, name=name, metric="score", trials=8, workers=2,
        space={"x": uniform(0, 1)}, sampler="random", wait=False, tracking=False,
    )  # fmt: skip
    try:
        with bench.window() as page:
            page.evaluate(OPEN_ONLY, name)
            for word, state in [("Pause", "paused"), ("Resume", "running")] * (
                1 if bench.quick else 5
            ):
                times.append(float(page.evaluate(ACT, [word, state])))
    finally:
        study.cancel()
        study.wait(30, quiet=True)
    return {"effect_ms": max(times)}


def contents(lab: Lab) -> float:
    """Milliseconds of one contents request."""
    headers = {"Authorization": f"token {lab.token}"}
    request = urllib.request.Request(f"{lab.url}api/contents?content=1", headers=headers)
    start = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
    return (time.perf_counter() - start) * 1000


MEASURES: dict[str, Callable[[Bench], dict[str, object]]] = {
    "acting": acting,
    "table": table,
    "live": live,
    "windows": windows,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="one tab, shorter watching")
    parser.add_argument("--only", nargs="*", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--figures", action="store_true", help="write benchmarks/results/")
    options = parser.parse_args()
    start, load = time.perf_counter(), os.getloadavg()[0]
    results: dict[str, object] = {"quick": options.quick, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        config.init(Path(folder))
        expose = ["--LabApp.expose_app_in_browser=True"]
        with serve(Path(folder), options=expose) as lab, chromium() as browser:
            bench = Bench(lab, browser, options.quick)
            for name in options.only:
                print(f"... {name}", file=sys.stderr, flush=True)
                figures = MEASURES[name](bench)
                print(f"    {figures}", file=sys.stderr, flush=True)
                results.update(figures)
    results["seconds"] = time.perf_counter() - start
    results["load_average"] = [load, os.getloadavg()[0]]  # a busy machine spoils latencies
    results = {k: round(v, 1) if isinstance(v, float) else v for k, v in results.items()}
    results["missed"] = [name for name, most in REACH.items() if _missed(results, name, most)]
    if options.figures:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "views.json").write_text(json.dumps(results, indent=1) + "\n")
    if options.json:
        print(json.dumps(results))
        return
    for name, value in results.items():
        told = "" if name not in REACH else f"  (reach <= {REACH[name]:g})"
        print(f"{name:<26} {value}{told}{'  MISSED' if name in results['missed'] else ''}")


def _missed(results: dict[str, object], name: str, most: float) -> bool:
    value = results.get(name)
    return isinstance(value, float) and not value <= most


if __name__ == "__main__":
    main()
