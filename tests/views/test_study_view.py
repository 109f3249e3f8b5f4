"""The static picture of a study: whole, escaped, readable on light and dark; and its live name."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET

import nbformat
import pytest

from eolab.files import writes
from eolab.settings.config import Config
from eolab.studies import Study
from eolab.studies.journal.files import Writer
from eolab.views import study_view, svg
from eolab.views.study import MIME, static_html

EVIL = "<script>alert('x')</script>&\"'"


@pytest.fixture
def run(config):
    folder = config.runs / "crops"
    folder.mkdir(parents=True)
    writes.write_json(
        folder / "study.json",
        {
            "format": 1, "name": "crops", "kind": "tune", "metric": "val_f1", "space": [],
            "direction": "maximize", "trials": 8, "workers": 1, "created": 1_000.0,
        },
    )  # fmt: skip
    return folder


def tell(run, *events):
    writer = Writer(run)
    for number, event in enumerate(events):
        writer.append({"t": 1_000.0 + number, **event})
    writer.close()


def trial(n, value, *, params=None, state="completed", error=None):
    return [
        {"e": "trial", "n": n, "params": params or {"lr": 0.1 * (n + 1)}},
        {"e": "start", "n": n, "a": 1, "w": "w0"},
        {"e": "report", "n": n, "a": 1, "step": 0, "m": {"val_f1": 0.2}},
        {"e": "report", "n": n, "a": 1, "step": 1, "m": {"val_f1": value or 0.1}},
        {"e": "finish", "n": n, "a": 1, "state": state, "value": value, "error": error},
    ]


RUNNING = {"e": "state", "state": "running"}
COMPLETED = {"e": "state", "state": "completed"}


def pictures(text: str) -> list[ET.Element]:
    """The pictures in the HTML, which a strict reader must accept."""
    return [ET.fromstring(s) for s in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def test_the_bundle_names_the_study_and_its_workspace(run, config):
    tell(run, RUNNING, *trial(0, 0.5))
    bundle = study_view(Study(run))
    assert bundle[MIME] == {
        "format": 1,
        "view": "study",
        "name": "crops",
        "workspace": Config(root=config.root).identity(),
    }
    assert "crops" in bundle["text/plain"]


def test_the_picture_shows_state_counts_best_curves_and_the_best_trials(run):
    tell(
        run, RUNNING, *trial(0, 0.5), *trial(1, 0.75, params={"lr": 0.25, "layers": 3}),
        *trial(2, None, state="failed", error="ValueError: no\nmore lines"), COMPLETED,
    )  # fmt: skip
    text = static_html(Study(run).snapshot())
    assert "completed" in text
    assert "3 of 8 trials (2 completed, 1 failed)" in text
    assert "<strong>0.75</strong> in trial 1: lr=0.25, layers=3" in text
    bar, best, curves = pictures(text)
    assert bar.attrib["aria-label"] == "3 of 8 trials finished"
    assert best.attrib["aria-label"] == "Best val_f1 so far"
    paths = [p.attrib["d"] for p in curves.iter("{http://www.w3.org/2000/svg}path")]
    assert len(paths) == 1 + 3  # the axes and one curve a trial
    rows = re.findall(r"<tr>(.*?)</tr>", text)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    assert cells[0] == ["trial", "state", "val_f1", "lr", "layers", "seconds", "error"]
    assert cells[1][:3] == ["1", "completed", "0.75"]
    assert cells[3][0] == "2"
    assert cells[3][-1] == "ValueError: no"


def test_the_smallest_is_best_where_the_study_minimises(run):
    document = {
        "format": 1, "name": "crops", "kind": "tune", "metric": "val_f1", "space": [],
        "direction": "minimize", "trials": 2, "workers": 1, "created": 1_000.0,
    }  # fmt: skip
    writes.write_json(run / "study.json", document)
    tell(run, RUNNING, *trial(0, 0.5), *trial(1, 0.25))
    text = static_html(Study(run).snapshot())
    assert "<strong>0.25</strong> in trial 1" in text
    assert re.search(r"<tbody><tr><td>1</td>", text)


@pytest.mark.parametrize("where", ["param", "value", "error", "message", "metric"])
def test_what_users_wrote_is_escaped(run, where):
    document = json.loads((run / "study.json").read_text())
    if where == "metric":
        document["metric"] = EVIL
    writes.write_json(run / "study.json", document)
    params = {"param": {EVIL: 1}, "value": {"lr": EVIL}}.get(where, {"lr": 1})
    error = EVIL if where == "error" else None
    one = trial(0, 0.5, params=params, error=error)
    for event in one:
        if where == "metric" and "m" in event:
            event["m"] = {EVIL: 0.3}
    tell(run, RUNNING, *one, {"e": "state", "state": "failed", "message": EVIL})
    text = static_html(Study(run).snapshot())
    assert "<script" not in text
    assert html.escape(EVIL) in text
    pictures(text)


def test_no_colour_of_its_own_but_the_accent(run):
    tell(run, RUNNING, *trial(0, 0.5), *trial(1, 0.6))
    text = static_html(Study(run).snapshot())
    colours = set(re.findall(r"(?:fill|stroke|color|background)[=:]\"?([^;\" ]+)", text))
    assert colours <= {"none", "inherit", "currentColor", svg.ACCENT}
    for ground in (0xFF, 0x11):
        assert contrast(svg.ACCENT, ground) >= 3


def contrast(colour: str, grey: int) -> float:
    """WCAG 2.2 contrast ratio of a colour against a grey."""

    def luminance(parts):
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    a = luminance([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    b = luminance([grey / 255] * 3)
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def test_a_study_without_a_trial_has_a_picture_too(run):
    text = static_html(Study(run).snapshot())
    assert "0 of 8 trials" in text
    assert "<table" not in text
    assert len(pictures(text)) == 1


def test_the_picture_of_a_large_study_stays_small(run):
    events = [RUNNING]
    for n in range(2_000):
        events += trial(n, n / 2_000)
        events[-2:-2] = [
            {"e": "report", "n": n, "a": 1, "step": 2 + s, "m": {"val_f1": 0.3}} for s in range(20)
        ]
    tell(run, *events)
    text = static_html(Study(run).snapshot())
    assert len(text) < 100_000
    assert "The best 10 of 2000 trials" in text


def test_curves_that_are_not_finite_are_left_out():
    text = svg.lines([[(0, float("nan")), (1, 2.0)], [(0, float("inf"))]], title="t", x="x", y="y")
    assert "nan" not in text
    assert "inf" not in text
    assert len(pictures(text)) == 1
    assert svg.lines([[]], title="t", x="x", y="y") == ""


def test_thinning_keeps_the_ends():
    points = [(float(i), float(i)) for i in range(1_000)]
    thinned = svg.thin(points)
    assert len(thinned) == svg.POINTS
    assert (thinned[0], thinned[-1]) == (points[0], points[-1])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nbconvert_shows_the_static_picture(run, theme):
    from nbconvert import HTMLExporter

    tell(run, RUNNING, *trial(0, 0.5), *trial(1, 0.75), COMPLETED)
    output = nbformat.v4.new_output("display_data", data=study_view(Study(run)))
    cell = nbformat.v4.new_code_cell("study", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    text, _ = HTMLExporter(theme=theme).from_notebook_node(notebook)
    assert "Learning curves: val_f1 by step" in text
    assert "<strong>0.75</strong> in trial 1" in text


def test_a_dead_study_is_drawn_until_its_last_trial(run):
    tell(run, RUNNING, *trial(0, 0.5), *trial(1, 0.75))
    snapshot = Study(run).snapshot()
    assert snapshot["state"] == "interrupted"
    (_, best, _) = pictures(static_html(snapshot))
    assert "10" in [t.text for t in best.iter("{http://www.w3.org/2000/svg}text")]


NOTEBOOK = """
import time
import eolab as eo
from eolab import progress
from eolab.views import notebook
notebook.install(); notebook.install()
for _ in progress.track(range(3), "<b>slow</b>"):
    time.sleep(0.35)
ws = eo.workspace({root!r})
def train(reporter, *, seed, x: float = 0.0):
    reporter.report(step=0, score=x)
    return x
study = ws.tune(train, name="tiny", metric="score", trials=2, workers=1, tracking=False,
                space={{"x": eo.uniform(0, 1)}}, sampler="random")
"""


MORE = """
study = ws.tune(train, name="tiny", metric="score", trials=3, workers=1, tracking=False,
                space={"x": eo.uniform(0, 1)}, sampler="random")
study
"""


def test_a_notebook_cell_shows_the_study_and_saves_its_end(config):
    from nbclient import NotebookClient

    cells = [
        nbformat.v4.new_code_cell(NOTEBOOK.format(root=str(config.root))),
        nbformat.v4.new_code_cell("study"),
        nbformat.v4.new_code_cell(MORE),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    bar, view = [o for o in cells[0].outputs if o.output_type == "display_data"]
    assert "&lt;b&gt;slow&lt;/b&gt;" in bar.data["text/html"]
    assert "3/3" in bar.data["text/plain"]
    assert view.data[MIME]["name"] == "tiny"
    # The cell's end is what was saved, not its beginning.
    assert "2 of 2 trials (2 completed)" in view.data["text/html"]
    (result,) = cells[1].outputs
    assert result.data[MIME] == view.data[MIME]
    assert "tiny" in result.data["text/plain"]
    # Shown live and displayed by the cell itself: one view is left.
    (left,) = [o for o in cells[2].outputs if MIME in o.data]
    assert left.output_type == "execute_result"
    assert "3 of 3 trials" in left.data["text/html"]
