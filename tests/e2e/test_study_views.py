"""The views of studies, seen and used: every picture, every action, light, dark and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from eolab.settings import config
from tests.e2e import accessibility, journals
from tests.e2e.jupyter import Lab, run_by_palette, set_theme
from tests.e2e.studying import THEMES, drawn, open_lab, open_study, row, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

FINISHED = "finished-search"
PICTURES = {
    "curves": "Curves",
    "together": "Parallel coordinates",
    "one-by-one": "Slices",
    "importance": "Importance",
    "workers": "Workers",
    "about": "About",
}
Shoot = Callable[[Page, str], Path]


@pytest.fixture(scope="module")
def finished(lab: Lab) -> str:
    """A study that has ended, with curves of every kind."""
    runs = config.find(lab.folder).runs
    journals.write_finished(runs, FINISHED, trials=60, steps=12, workers=4)
    return FINISHED


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_picture_of_a_study(
    lab: Lab, page: Page, finished: str, theme: str, shoot: Shoot
) -> None:
    open_lab(page, lab, f"pictures-{theme.lower()}")
    set_theme(page, theme)
    tab = open_study(page, finished)
    # One selection in all pictures.
    row(tab, 59).click()
    row(tab, 58).click()
    expect(tab.get_by_text("2 trials compared")).to_be_visible()
    # What is to find nothing must find what is there.
    page.evaluate(
        "document.querySelector('.eolab-StudyTab').prepend(document.createElement('img'))"
    )
    (planted,) = accessibility.findings(page)
    assert planted.startswith("image-alt")
    page.evaluate("document.querySelector('.eolab-StudyTab > img').remove()")
    faults = []
    for name, word in PICTURES.items():
        tab.get_by_role("tab", name=word, exact=True).click()
        panel = tab.get_by_role("tabpanel", name=word, exact=True)
        picture = panel.locator("canvas, .eolab-Importance, pre").first
        expect(picture).to_be_visible()
        expect(panel.locator(".eolab-Loading")).to_have_count(0)
        drawn(page)
        shoot(page, f"study-{name}-{theme.lower()}")
        faults += [f"{name}: {fault}" for fault in accessibility.findings(page)]
        if theme == "Light":
            accessibility.check_tree(panel, f"study-{name}")
    assert not faults, "\n".join(faults)
    if theme == "Light":
        accessibility.check_tree(tab.locator("header"), "study-header")
        accessibility.check_tree(tab.locator("aside"), "study-trials-compared")


@pytest.mark.parametrize("theme", THEMES)
def test_the_studies_section(lab: Lab, page: Page, finished: str, theme: str, shoot: Shoot) -> None:
    """In the sidebar, as narrow as it comes: a study in short, and opened."""
    open_lab(page, lab, f"section-{theme.lower()}")
    set_theme(page, theme)
    page.locator("[data-id=eolab-sidebar]").click()
    section = page.get_by_role("region", name="Studies")
    study = section.get_by_role("listitem").filter(has_text=finished)
    opener = study.get_by_role("button", name=finished).first
    expect(opener).to_be_visible()
    search = section.get_by_label("Search studies")
    if search.count():  # only where there are many
        search.fill(finished)
        expect(section.get_by_role("listitem")).to_have_count(1)
    opener.click()
    expect(study.get_by_text("Best trial")).to_be_visible()
    study.scroll_into_view_if_needed()
    shoot(page, f"studies-section-{theme.lower()}")
    assert not accessibility.findings(page)
    if theme == "Light":
        accessibility.check_tree(study, "studies-section")
    study.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator(".eolab-StudyTab").get_by_role("grid")).to_be_visible()


def test_filter_sort_columns_and_export(lab: Lab, page: Page, finished: str, shoot: Shoot) -> None:
    open_lab(page, lab, "table")
    tab = open_study(page, finished)
    grid = tab.get_by_role("grid")
    everything = int(grid.get_attribute("aria-rowcount") or 0)
    tab.get_by_label("Filter trials").fill("value > 0.5 and state == completed")
    expect(grid).not_to_have_attribute("aria-rowcount", str(everything))
    kept = int(grid.get_attribute("aria-rowcount") or 0) - 1
    assert 0 < kept < everything - 1
    head = tab.get_by_role("columnheader", name=journals.METRIC)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    first = grid.locator("[aria-rowindex='2'] [role=gridcell]").nth(2)
    best = max(
        trial["value"] or 0 for trial in lab.get(f"eolab/api/v1/studies/{finished}")["trials"]
    )
    assert float(first.inner_text()) == pytest.approx(best, rel=1e-3)
    tab.get_by_text("Columns", exact=True).click()
    tab.get_by_role("checkbox", name="Worker").uncheck()
    expect(tab.get_by_role("columnheader", name="Worker")).to_have_count(0)
    shoot(page, "study-columns")
    tab.get_by_text("Columns", exact=True).click()
    with page.expect_download() as download:
        tab.get_by_role("button", name="Export CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == kept + 1
    assert lines[0].startswith(f"trial,state,{journals.METRIC},params.lr")
    tab.get_by_label("Filter trials").fill("valu > 1")
    expect(tab.get_by_role("alert")).to_contain_text("valu")
    shoot(page, "study-filter-fault")


def test_the_pointer_tells_what_it_is_over(
    lab: Lab, page: Page, finished: str, shoot: Shoot
) -> None:
    """A tip in each picture, and a click that chooses the trial it names."""
    open_lab(page, lab, "pointer")
    tab = open_study(page, finished)
    aside = tab.get_by_role("complementary", name="The selected trials")
    for name, word in {"curves": "Curves", "one-by-one": "Slices", "workers": "Workers"}.items():
        tab.get_by_role("tab", name=word, exact=True).click()
        panel = tab.get_by_role("tabpanel", name=word, exact=True)
        expect(panel.locator("canvas").first).to_be_visible()
        expect(panel.locator(".eolab-Legend").first).to_be_visible()
        drawn(page)
        tip = panel.locator(".eolab-Tip")
        over(page, panel.locator(".u-over, .eolab-Canvas canvas").first, tip)
        # All of it can be read.
        inside = page.locator(".eolab-StudyTab-main").bounding_box()
        box = tip.bounding_box()
        assert box is not None
        assert inside is not None
        assert inside["x"] <= box["x"]
        assert box["x"] + box["width"] <= inside["x"] + inside["width"]
        expect(tip).to_contain_text("optimizer")
        number = tip.locator("b").inner_text().split(",")[0]
        shoot(page, f"study-tip-{name}")
        page.mouse.down()
        page.mouse.up()
        expect(aside.get_by_role("heading", name=number, exact=True)).to_be_visible()
        aside.get_by_role("button", name="Close").click()


def over(page: Page, picture: Locator, tip: Locator) -> None:
    """Move the pointer over a picture until it says what is there."""
    box = picture.bounding_box()
    assert box is not None
    for across in range(4, int(box["width"]), 6):
        for down in (0.15, 0.3, 0.5, 0.7):
            page.mouse.move(box["x"] + across, box["y"] + box["height"] * down)
            if tip.count():
                drawn(page)
                if tip.count():
                    return
    pytest.fail("nothing in the picture says what it is")


def test_a_study_without_a_trial(lab: Lab, page: Page, shoot: Shoot) -> None:
    """Each picture says what is missing; nothing is an empty frame."""
    journals.begin(config.find(lab.folder).runs, "not-begun", trials=20, workers=2)
    open_lab(page, lab, "empty")
    tab = open_study(page, "not-begun")
    expect(tab.get_by_role("grid")).to_contain_text("No trial has started yet.")
    words = [
        "No trial has reported",
        "No trial has a value",
        "No trial has a value",
        "",
        "No worker",
    ]
    for (name, word), told in zip(PICTURES.items(), words, strict=False):
        tab.get_by_role("tab", name=word, exact=True).click()
        panel = tab.get_by_role("tabpanel", name=word, exact=True)
        expect(panel).to_contain_text(told or "needed")
        expect(panel.locator("canvas")).to_have_count(0)
        shoot(page, f"study-empty-{name}")
    assert not accessibility.findings(page)


def test_insert_code(lab: Lab, page: Page, finished: str, shoot: Shoot) -> None:
    open_lab(page, lab, "code")
    page.evaluate(
        "path => void window.jupyterapp.commands.execute('docmanager:open', { path })",
        "notebooks/02-tuning.ipynb",
    )
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    tab = open_study(page, finished)
    for word, code in {
        "attach": f'study = ws.study("{finished}")',
        "best parameters": "params = study.best_params",
        "refit and register": "fitted = study.refit()",
        "trials as a data frame": "trials = study.to_dataframe()",
    }.items():
        open_study(page, finished)
        tab.get_by_text("More", exact=True).click()
        tab.get_by_role("button", name=f"Insert code: {word}").click()
        expect(page.locator(".jp-Notebook")).to_contain_text(code)
    shoot(page, "study-code")


def test_tabs_come_back_after_a_reload(lab: Lab, page: Page, finished: str, shoot: Shoot) -> None:
    open_lab(page, lab, "reload")
    with page.expect_response(
        lambda answer: (
            "api/workspaces/" in answer.url
            and answer.request.method == "PUT"
            and "eolab-comparison" in (answer.request.post_data or "")
            and f"eolab-studies:{finished}" in (answer.request.post_data or "")
        )
    ):
        open_study(page, finished)
        page.evaluate("() => void window.jupyterapp.commands.execute('eolab:compare-studies')")
        expect(page.locator(".eolab-Compare table")).to_be_visible()
    drawn(page)
    shoot(page, "studies-compared")
    assert not accessibility.findings(page)
    accessibility.check_tree(page.locator(".eolab-Compare thead"), "studies-compared")
    page.reload()
    expect(page.locator(".eolab-Compare table")).to_be_visible()
    page.locator(".lm-TabBar-tab").filter(has_text=finished).click()
    expect(page.locator(".eolab-StudyTab").get_by_role("grid")).to_be_visible()
    assert page.locator(".jp-Dialog").count() == 0


def test_by_keyboard_alone(lab: Lab, page: Page, finished: str, shoot: Shoot) -> None:
    """From the palette to a trial's log and back, without a pointer."""
    open_lab(page, lab, "keyboard")
    run_by_palette(page, "compare studies", "Compare Studies")
    expect(page.locator(".eolab-Compare table")).to_be_visible()
    tab_to(page, f".eolab-Compare .eolab-Link >> text={finished}")
    page.keyboard.press("Enter")
    tab = page.locator(".eolab-StudyTab").filter(has_text=finished)
    expect(tab.get_by_role("grid")).to_be_visible()
    tab_to(page, ".eolab-StudyTab [role=tab][aria-selected=true]")
    page.keyboard.press("ArrowRight")
    expect(tab.get_by_role("tab", name="Parallel coordinates")).to_be_focused()
    page.keyboard.press("End")
    expect(tab.get_by_role("tab", name="About")).to_have_attribute("aria-selected", "true")
    shoot(page, "study-keyboard-tabs")
    tab_to(page, ".eolab-StudyTab input[type=search]")
    page.keyboard.type("state == failed")
    tab_to(page, ".eolab-StudyTab [role=columnheader] button")
    page.keyboard.press("Enter")
    expect(tab.get_by_role("columnheader", name="Trial")).to_have_attribute(
        "aria-sort", "ascending"
    )
    page.keyboard.press("Shift+Tab")
    expect(tab.get_by_role("grid")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    details = tab.get_by_role("complementary", name="The selected trials")
    expect(details).to_contain_text("failed")
    expect(details).to_contain_text("the loss is not finite")
    shoot(page, "study-keyboard-trial")
    tab_to(page, ".eolab-Details button[aria-label=Close]")
    page.keyboard.press("Enter")
    expect(details).to_have_count(0)
