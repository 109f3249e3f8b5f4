"""Deleting, renaming and undoing in the panel, to what then lies in the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from sklearn.linear_model import LogisticRegression

from eolab.facade import Workspace
from eolab.settings import config
from eolab.studies import tune, uniform
from eolab.training_data import TrainingData
from tests.e2e.jupyter import Lab
from tests.e2e.studying import open_lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

STUDY, MODEL = "to-tidy", "tidied"
Shoot = Callable[[Page, str], Path]


def train(data: TrainingData, reporter: object, *, C: float = 1.0) -> float:
    model = LogisticRegression(C=C).fit(data.X, data.y)
    reporter.save_model(model)  # type: ignore[attr-defined]
    return float(model.score(data.X, data.y))


@pytest.fixture
def ws(lab: Lab) -> Workspace:
    """A workspace with a study and the model that came of it."""
    found = config.find(lab.folder)
    data = TrainingData(
        np.repeat([[0.0], [1.0]], 5, axis=0), np.repeat([0, 1], 5), np.arange(10), ("a",)
    )
    study = tune(
        found, train, data=data, name=STUDY, metric="score", trials=1, workers=1,
        space={"C": uniform(0.1, 1)}, sampler="random", tracking=False,
    )  # fmt: skip
    made = Workspace(found)
    made.models.register(MODEL, study.refit())
    return made


def choose(page: Page, item: Locator, word: str) -> None:
    """Click an entry of the menu of a thing, which its own button opens."""
    item.get_by_role("button", name=re.compile("^More for")).first.click()
    page.get_by_role("menuitem", name=word).click()


def test_a_study_and_a_model_are_deleted_brought_back_and_renamed(
    lab: Lab, page: Page, ws: Workspace, shoot: Shoot
) -> None:
    """What hangs on a thing is said first, and each step has its way back."""
    open_lab(page, lab, "tidying")
    page.locator("[data-id=eolab-sidebar]").click()
    panel = page.locator("#eolab-sidebar")
    study = panel.locator(f"li[data-kind=study][data-id={STUDY}]")
    choose(page, study, "Delete…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"model {MODEL}/1")
    shoot(page, "tidy-question")
    dialog.get_by_role("button", name="Delete").click()
    expect(study).to_have_count(0)
    assert not (ws.config.runs / STUDY).exists()
    page.get_by_role("button", name="Undo").click()
    expect(study).to_be_visible()
    assert ws.study(STUDY).state == "completed"

    choose(page, study, "Rename…")
    page.get_by_role("dialog").get_by_role("textbox").fill("Of one season")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(study).to_contain_text("Of one season")
    assert ws.study("Of one season").folder.name == STUDY

    model = panel.locator(f"li[data-kind=model][data-id={MODEL}]")
    model.click(button="right", position={"x": 40, "y": 10})
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(model).to_have_count(0)
    models = panel.locator("#eolab-sidebar-models")
    models.get_by_role("button", name=re.compile(r"^Bin \(1\)")).click()
    shoot(page, "tidy-bin")
    models.get_by_role("button", name=f"Restore {MODEL}").click()
    expect(model).to_be_visible()
    assert ws.models.get(MODEL).aliases == ("champion",)
