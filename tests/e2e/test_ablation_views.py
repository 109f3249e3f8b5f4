"""An ablation in its tab and under a cell: bars, worths, pairs, classes, the runs behind a bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from eolab.settings import config
from eolab.studies.ablation import Ablation, ablate
from eolab.training_data import TrainingData
from eolab.views.ablation import ablation_view
from tests.e2e import accessibility
from tests.e2e.jupyter import Lab, set_theme, write_notebook
from tests.e2e.studying import THEMES, open_lab, open_study

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NAME = "what-counts"
GROUPS = {"radar": ["VV", "VH"], "optical": ["red", "nir"], "terrain": ["slope"]}


def judge(data, *, seed):
    """The share of right answers by the nearest class mean, in all and of each class."""
    import numpy as np

    train, test = data.train, data.validation
    means = np.stack([train.X[train.y == c].mean(axis=0) for c in (0, 1, 2)])
    noise = np.random.default_rng(seed).normal(scale=0.05, size=means.shape)
    distance = ((test.X[:, None, :] - (means + noise)[None]) ** 2).sum(axis=2)
    right = distance.argmin(axis=1) == test.y
    return {
        "accuracy": float(right.mean()),
        **{f"recall_{c}": float(right[test.y == c].mean()) for c in (0, 1, 2)},
    }


@pytest.fixture(scope="module")
def ablation(lab: Lab) -> Ablation:
    """Radar and optical tell the same, terrain tells nothing."""
    chance = np.random.default_rng(0)
    y = np.arange(180) % 3
    signal = y[:, None] + chance.normal(scale=0.8, size=(180, 4))
    X = np.hstack([signal, chance.normal(size=(180, 1))]).astype(np.float32)
    groups = np.array([f"block-{i // 3 % 12}" for i in range(180)])
    data = TrainingData(X, y, groups, ("VV", "VH", "red", "nir", "slope"), ("a", "b", "c"))
    made = ablate(
        config.find(lab.folder), judge, data=data, name=NAME, metric="accuracy", groups=GROUPS,
        design="subsets", folds=3, repeats=2, workers=2, wait=False, tracking=False,
    )  # fmt: skip
    assert isinstance(made, Ablation)
    return made


@pytest.mark.parametrize("theme", THEMES)
def test_the_tab_of_an_ablation(
    lab: Lab, page: Page, ablation: Ablation, theme: str, shoot: Callable[[Page, str], Path]
) -> None:
    open_lab(page, lab, f"ablation-{theme.lower()}")
    set_theme(page, theme)
    tab = open_study(page, NAME)
    panel = tab.get_by_role("tabpanel", name="Effects")
    bars = panel.get_by_role("table").first
    expect(bars).to_contain_text("without radar")
    expect(tab.locator("header")).to_contain_text("completed")
    # Live: what the last run changed is there, and it is what the library says.
    result = ablation.result()
    worst = result.rows[1]
    assert worst.drop
    first = bars.locator("tbody tr").first
    expect(first).to_contain_text(worst.variant.name)
    expect(first).to_contain_text(f"+{worst.drop.value:.4g}")
    expect(first.locator("td").last).to_have_text(str(worst.runs))
    expect(panel.get_by_role("table")).to_have_count(4)
    worth = result.shapley()["terrain"]
    shapley = panel.get_by_role("table").nth(1)
    part = shapley.locator("tbody tr").filter(has=page.get_by_role("rowheader", name="terrain"))
    expect(part).to_contain_text(f"{abs(worth.value):.4g}")
    (pair,) = (v for k, v in result.interactions().items() if set(k) == {"radar", "optical"})
    together = panel.get_by_role("table").nth(2)
    cell = together.locator("tbody tr").filter(has=page.get_by_role("rowheader", name="radar"))
    expect(cell).to_contain_text(f"{abs(pair.value):.4g}")
    expect(panel.get_by_role("table").nth(3)).to_contain_text("recall_0")
    shoot(page, f"ablation-{theme.lower()}")
    assert not accessibility.findings(page)
    # The runs behind a bar.
    bars.get_by_role("button", name="without radar", exact=True).click()
    grid = tab.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "7")
    expect(grid.locator("[aria-rowindex='2']")).to_contain_text("without radar")
    shoot(page, f"ablation-runs-{theme.lower()}")
    tab.get_by_role("button", name="Show all").click()
    expect(grid).not_to_have_attribute("aria-rowcount", "7")
    if theme == "Light":
        accessibility.check_tree(bars.locator("thead"), "ablation-bars")
        accessibility.check_tree(together, "ablation-pairs")


def test_an_ablation_under_a_cell(
    lab: Lab, page: Page, ablation: Ablation, shoot: Callable[[Page, str], Path]
) -> None:
    ablation.wait(120)
    shown = ablation_view(ablation)
    write_notebook(lab.folder / "ablation.ipynb", f"ws.ablation({NAME!r})", shown)
    open_lab(page, lab, "ablation-cell")
    page.evaluate(
        "path => void window.jupyterapp.commands.execute('docmanager:open', { path })",
        "ablation.ipynb",
    )
    view = page.locator(".jp-Notebook").get_by_role("region", name=f"Study {NAME}")
    bars = view.get_by_role("table").first
    expect(bars).to_contain_text("without optical")
    bars.get_by_role("button", name="without optical", exact=True).click()
    expect(view.get_by_role("grid")).to_have_attribute("aria-rowcount", "7")
    shoot(page, "ablation-cell")
    assert not accessibility.findings(page)
