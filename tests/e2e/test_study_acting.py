"""Acting on a study that runs, from its views: every button, to its effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from eolab.settings import config
from eolab.studies import Study, tune, uniform
from eolab.studies.client.launch import send_command
from tests.e2e.jupyter import Lab, open_palette
from tests.e2e.studying import drawn, open_lab, open_study, row
from tests.studies.conftest import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ACTED = "acted-upon"
Shoot = Callable[[Page, str], Path]
LONG = 0.3
"""Trials with x from here on do not end while a test looks at them."""


def train(reporter, *, x=0.5):
    import time

    # Some end soon, the others outlast whoever is looking at them.
    for step in range(8 if x < LONG else 400):
        reporter.log(f"at step {step} with {x:.3f}")
        reporter.report(step=step, score=x + step / 100)
        time.sleep(0.25)


@pytest.fixture
def acted(lab: Lab) -> Iterator[Study]:
    """A study at work, longer than anybody looks; ended after the test."""
    study = tune(
        config.find(lab.folder), train, name=ACTED, metric="score", trials=200, workers=2,
        space={"x": uniform(0, 1)}, sampler="random", wait=False, tracking=False,
    )  # fmt: skip
    yield study
    if study.state in {"starting", "running", "paused"}:
        study.cancel()
    study.wait(60)


def long_running(lab: Lab) -> list[int]:
    """Running trials that will not end by themselves in the meantime."""
    trials = lab.get(f"eolab/api/v1/studies/{ACTED}")["trials"]
    return [t["number"] for t in trials if t["state"] == "running" and t["params"]["x"] >= LONG]


def test_acting_on_a_study_and_its_trials(lab: Lab, page: Page, acted: Study, shoot: Shoot) -> None:
    """Each action from its button to its effect, seen in two windows."""
    open_lab(page, lab, "acting")
    tab = open_study(page, ACTED)
    other = page.context.new_page()
    open_lab(other, lab, "watching")
    watched = open_study(other, ACTED)

    # One trial: chosen, its log, stopped, tried again.
    expect(tab.locator("[role=row] [data-state=running]").first).to_be_visible()
    until(lambda: long_running(lab))
    trial = long_running(lab)[0]
    row(tab, trial).click()
    details = tab.get_by_role("complementary", name="The selected trials")
    expect(details.get_by_role("log")).to_contain_text("at step")
    details.get_by_label("Find in the log").fill("step 1 ")
    expect(details.get_by_role("log")).not_to_contain_text("step 0 ")
    shoot(page, "study-trial-log")
    details.get_by_role("button", name="Stop this trial").click()
    shoot(page, "study-stop-question")
    page.get_by_role("dialog").get_by_role("button", name="Stop the trial").click()
    stopped = "stopped early"
    expect(details.locator(".eolab-State")).to_contain_text(stopped)
    expect(row(watched, trial)).to_contain_text(stopped)
    details.get_by_role("button", name="Try again").click()
    expect(details.locator(".eolab-State")).not_to_contain_text(stopped)
    details.get_by_role("button", name="Close").click()

    # The study: more trials and workers, pause, resume, cancel.
    tab.get_by_text("More", exact=True).click()
    shoot(page, "study-menu")
    tab.get_by_role("button", name="Change trials and workers").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Trials").fill("205")
    form.get_by_label("Workers").fill("3")
    shoot(page, "study-change")
    form.get_by_role("button", name="Change").click()
    expect(tab.locator("header")).to_contain_text("of 205")
    expect(watched.locator("header")).to_contain_text("of 205")
    assert acted.snapshot()["budget"]["trials"] == 205
    figure = tab.locator(".eolab-Figure").filter(has_text="Workers")
    expect(figure).to_contain_text("3")
    tab.get_by_role("button", name="Pause").click()
    expect(tab.locator("header")).to_contain_text("paused")
    expect(watched.locator("header")).to_contain_text("paused")
    tab.get_by_role("button", name="Resume").click()
    expect(tab.locator("header")).to_contain_text("running")
    tab.get_by_role("button", name="Cancel", exact=True).click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("finished trials are kept")
    question.get_by_role("button", name="Go on").click()
    assert acted.state == "running"
    watched.get_by_role("button", name="Cancel", exact=True).click()
    other.get_by_role("dialog").get_by_role("button", name="Cancel the study").click()
    expect(watched.locator("header")).to_contain_text("cancelled")
    expect(tab.locator("header")).to_contain_text("cancelled")
    # What cannot work says why.
    cancel = tab.get_by_role("button", name="Cancel", exact=True)
    expect(cancel).to_have_attribute("aria-disabled", "true")
    expect(cancel).to_have_attribute("title", "Not possible: the study is cancelled")
    shoot(page, "study-cancelled")
    other.close()


def test_around_a_running_study(lab: Lab, page: Page, acted: Study, shoot: Shoot) -> None:
    """Running panel with workers, status bar, palette, launcher card, the end's notification."""
    open_lab(page, lab, "around")
    status = page.get_by_role("button", name="Running studies")
    expect(status).to_contain_text(ACTED)
    page.locator(".jp-LauncherCard").filter(has_text="EO Panel").wait_for()
    page.get_by_role("tab", name="Running Terminals and Kernels").click()
    panel = page.locator("#jp-running-sessions")
    expect(panel.get_by_text(ACTED, exact=True)).to_be_visible()
    worker = panel.get_by_role("treeitem").filter(has_text="trial").last
    expect(worker).to_be_visible()
    drawn(page)
    shoot(page, "study-running-panel")
    status.click()
    tab = page.locator(".eolab-StudyTab").filter(has_text=ACTED)
    expect(tab.get_by_role("grid")).to_be_visible()
    open_palette(page)
    page.keyboard.type("study")
    expect(page.locator(".lm-CommandPalette-item").filter(has_text="Open Study")).to_be_visible()
    shoot(page, "study-palette")
    page.keyboard.press("Escape")
    described = page.evaluate(
        "async () => (await window.jupyterapp.commands.describedBy('eolab:open-study')).args"
    )
    assert set(described["properties"]) == {"name", "mode"}
    # It ends: one notification for the study.
    made = len(acted.trials)
    send_command(acted.folder, "set", trials=made)
    asked: set[tuple[int, int]] = set()

    def ended() -> bool:
        for trial in acted.trials:
            attempt = (int(trial["number"]), int(trial["attempts"]))
            if trial["state"] == "running" and attempt not in asked:
                asked.add(attempt)
                acted.stop_trial(attempt[0])
        return acted.state == "completed"

    until(ended)
    toast = page.locator(".Toastify__toast").filter(has_text=ACTED)
    expect(toast).to_contain_text("completed")
    toast.evaluate("node => Promise.all(node.getAnimations().map(each => each.finished))")
    shoot(page, "study-notification")
    expect(status).to_have_count(0)
