"""Feature groups and views, seen and used: tree, tabs, history, lineage, the form for a view.

The data are made as a user makes them: scenes of the sample region, rows of its parcels, two
commits and a refused one, a view, a study and a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

import eolab as eo
from eolab.facade import Workspace
from eolab.features.frame_attrs import ITEMS
from tests.e2e import accessibility
from tests.e2e.jupyter import Lab, run_by_palette, set_theme
from tests.e2e.studying import drawn, open_lab, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]
PICTURES = ["Schema", "Rows", "Histograms", "Correlations", "Map", "History", "Lineage"]
STUDY, MODEL = "crop-search", "crop-model"


@dataclass(frozen=True)
class Made:
    """What the tests look at.

    Attributes:
        items: The scenes that the rows come from.
        rows: What was inserted first.
        parcels: How many fields there are.
    """

    items: list[str]
    rows: pd.DataFrame
    parcels: int


def train(data, reporter, *, seed, C=1.0):
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, max_iter=500).fit(np.nan_to_num(data.train.X), data.train.y)
    reporter.save_model(model)
    return {"accuracy": model.score(np.nan_to_num(data.validation.X), data.validation.y)}


@pytest.fixture(scope="module")
def made(lab: Lab) -> Made:
    import geopandas as gpd

    ws = eo.workspace(lab.folder)
    parcels = gpd.read_parquet(ws.config.sample / "parcels.parquet")
    items = ws.catalog("sample").search(
        collections=["sentinel-2-l2a-simulated"], datetime="2021-05/2021-07", max_cloud=60
    )
    cube = eo.load(items, bands=["red", "nir", "swir16"], crs="EPSG:32633", resolution=40)
    cube["NDVI"] = cube.eo.spectral_index("NDVI")
    rows = cube.eo.zonal(parcels, id="parcel_id", stats=["median"])
    return _fill(ws, parcels, rows)


def _fill(ws: Workspace, parcels: pd.DataFrame, rows: pd.DataFrame) -> Made:
    spectra = ws.features.create_feature_group(
        "spectra", primary_key="parcel_id", event_time="time", owner="ann",
        description="Median reflectance and NDVI by parcel and date (simulated)",
        columns={"NDVI_median": "Greenness, median of a parcel's pixels"},
        units={"clear": "share", "count": "pixels"},
        expectations={"NDVI is an index": "NDVI_median BETWEEN -1 AND 1"},
        tags=["sentinel-2", "parcels"], keywords=["reflectance", "vegetation index"],
    )  # fmt: skip
    spectra.insert(rows)
    with pytest.raises(eo.EolabError):
        spectra.insert(rows.assign(NDVI_median=rows["NDVI_median"] * 10))
    # The scenes of the last date were processed again.
    again = rows[rows["time"] == rows["time"].max()]
    spectra.insert(again.assign(NDVI_median=again["NDVI_median"] - 0.5))
    labels = ws.features.create_feature_group(
        "fields", primary_key="parcel_id", event_time="observed", tags=["parcels"],
        description="Crops from the farm register (simulated)",
    )  # fmt: skip
    labels.insert(parcels[["parcel_id", "crop", "district", "observed", "geometry"]])
    view = ws.features.create_feature_view(
        "field_crops", labels=labels.select("crop"),
        query=spectra.select(["NDVI_median", "nir_median"]),
        description="Crop of a parcel from its last scene (simulated)",
    )  # fmt: skip
    split = view.train_validation_test_split(by=eo.SpatialBlocks(600), seed=0)
    kept = view.create_training_dataset(split, description="blocks of 600 m").read()
    study = ws.tune(
        train, data=kept, name=STUDY, metric="accuracy", trials=2, workers=1, sampler="random",
        space={"C": eo.loguniform(0.1, 10)}, tracking=False,
    )  # fmt: skip
    ws.models.register(MODEL, study.refit())
    return Made(list(rows.attrs[ITEMS]), rows, len(parcels))


def open_group(page: Page, name: str) -> Locator:
    """The tab of a group, opened by its command."""
    page.evaluate(
        "name => void window.jupyterapp.commands.execute('eolab:open-feature-group', "
        "{ name, version: 1 })",
        name,
    )
    tab = page.locator(".eolab-FeatureTab").filter(has=page.get_by_role("heading", name=name))
    expect(tab.get_by_role("tablist")).to_be_visible()
    return tab


def show(tab: Locator, picture: str) -> Locator:
    tab.get_by_role("tab", name=picture, exact=True).click()
    panel = tab.get_by_role("tabpanel", name=picture, exact=True)
    expect(panel.locator(".eolab-Loading")).to_have_count(0)
    return panel


def test_the_tree(lab: Lab, page: Page, made: Made, shoot: Shoot) -> None:
    """Groups, views and training datasets in the sidebar; searched, by tag, opened."""
    open_lab(page, lab, "features-tree")
    set_theme(page, "Light")
    page.locator("[data-id=eolab-sidebar]").click()
    section = page.get_by_role("region", name="Features")
    tops = section.locator(".eolab-List > li")
    names = tops.locator(".eolab-Disclosure[data-level='1'] > .eolab-Disclosure-row .eolab-Name")
    expect(names.filter(has_text="spectra")).to_be_visible()
    section.get_by_role("button", name="field_crops").first.click()
    expect(section.get_by_text("Dataset 1")).to_be_visible()
    expect(section.locator(".eolab-Datasets")).to_contain_text("blocks of 600 m")
    section.get_by_role("button", name="sentinel-2").click()
    expect(names).to_have_text(["spectra", "field_crops"])
    shoot(page, "features-tree-light")
    assert not accessibility.findings(page)
    section.get_by_role("button", name="sentinel-2").click()
    section.get_by_label("Search features").fill("register crop")
    expect(names).to_have_text(["fields"])
    accessibility.check_tree(tops.first, "features-group-row")
    section.get_by_label("Search features").fill("no such thing")
    expect(section.get_by_text("None fits.")).to_have_count(2)
    section.get_by_label("Search features").fill("vegetation greenness")
    expect(names).to_have_text(["spectra"])
    section.get_by_role("button", name="Open spectra/1").click()
    expect(page.locator(".eolab-FeatureTab").get_by_role("heading", name="spectra")).to_be_visible()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_picture_of_a_group(
    lab: Lab, page: Page, made: Made, theme: str, shoot: Shoot
) -> None:
    open_lab(page, lab, f"group-{theme.lower()}")
    set_theme(page, theme)
    faults = []
    for name, pictures in (("spectra", PICTURES), ("fields", ["Histograms", "Map"])):
        tab = open_group(page, name)
        if name == "spectra":
            expect(tab.locator("header")).to_contain_text("reflectance, vegetation index")
        for picture in pictures:
            if name == "spectra" and picture == "Map":
                expect(tab.get_by_role("tab", name="Map")).to_have_count(0)
                continue
            panel = show(tab, picture)
            expect(panel.locator("table, canvas, svg").first).to_be_visible()
            if picture == "Map":
                expect(panel).to_contain_text(f"{made.parcels} areas")
            drawn(page)
            shoot(page, f"group-{name}-{picture.lower()}-{theme.lower()}")
            faults += [f"{picture}: {fault}" for fault in accessibility.findings(page)]
            # Rows are data: what a table of them reads out is the pager and the heads.
            if theme == "Light" and name == "spectra":
                part = {
                    "Rows": panel.locator("thead"),
                    # Below it stands the script that ran, which is elsewhere on each machine.
                    "History": panel.get_by_role("region", name="Checks of inserts"),
                }.get(picture, panel)
                accessibility.check_tree(part, f"group-{picture.lower()}")
    assert not faults, "\n".join(faults)
    if theme == "Light":
        accessibility.check_tree(tab.locator("header"), "group-header")


def test_reading_as_of_a_commit(lab: Lab, page: Page, made: Made, shoot: Shoot) -> None:
    """Rows, figures and histograms of the newest commit and of the one before it."""
    open_lab(page, lab, "as-of")
    tab = open_group(page, "spectra")
    lowest = made.rows["NDVI_median"].min()
    newest = made.rows.assign(
        NDVI_median=made.rows["NDVI_median"] - 0.5 * (made.rows["time"] == made.rows["time"].max())
    )["NDVI_median"].min()
    assert newest < lowest

    def first_value() -> Locator:
        panel = show(tab, "Rows")
        head = panel.get_by_role("columnheader", name="NDVI_median")
        if head.get_attribute("aria-sort") != "ascending":
            head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", "ascending")
        place = panel.get_by_role("columnheader").all_inner_texts()
        at = next(i for i, text in enumerate(place) if text.startswith("NDVI_median"))
        return panel.locator("tbody tr").first.locator("td").nth(at)

    def close_to(value: float) -> str:
        return f"{float(f'{value:.4g}'):g}"

    expect(first_value()).to_have_text(close_to(newest))
    pager = tab.get_by_role("navigation", name="Pages of rows")
    expect(pager).to_contain_text(f"Rows 1 to 50 of {len(made.rows):,}")
    pager.get_by_role("button", name="Next").click()
    expect(pager).to_contain_text("Rows 51 to 100")
    pager.get_by_role("button", name="Last").click()
    expect(pager).to_contain_text(f"to {len(made.rows):,} of")
    history = show(tab, "History")
    checks = history.get_by_role("region", name="Checks of inserts")
    expect(checks.locator("tbody tr")).to_have_count(3)
    expect(checks).to_contain_text("refused")
    expect(checks).to_contain_text("NDVI is an index:")
    history.get_by_role("button", name="Read as of commit 0", exact=True).click()
    expect(tab.locator(".eolab-AsOf")).to_contain_text("commit 0")
    expect(first_value()).to_have_text(close_to(lowest))
    shoot(page, "group-as-of")
    assert not accessibility.findings(page)
    tab.get_by_role("button", name="Back to the newest").click()
    expect(first_value()).to_have_text(close_to(newest))
    # Both commits over each other, then only the newest.
    histograms = show(tab, "Histograms")
    figure = histograms.get_by_role("img", name="Histogram of NDVI_median, commits 1, 0")
    expect(figure.locator("path")).to_have_count(2)
    shapes = figure.locator("path").evaluate_all("all => all.map(one => one.getAttribute('d'))")
    assert shapes[0] != shapes[1]
    histograms.get_by_text("Commits", exact=True).click()
    histograms.get_by_role("checkbox", name="commit 0").uncheck()
    expect(
        histograms.get_by_role("img", name="Histogram of NDVI_median, commits 1").locator("path")
    ).to_have_count(1)


def test_lineage_from_scene_to_model(lab: Lab, page: Page, made: Made, shoot: Shoot) -> None:
    open_lab(page, lab, "lineage")
    tab = open_group(page, "spectra")
    panel = show(tab, "Lineage")

    def node(kind: str, name: str = "") -> Locator:
        nodes = panel.locator(f".eolab-Node[data-kind={kind}]")
        return (nodes.filter(has_text=name) if name else nodes).first

    for kind, name in (
        ("view", "field_crops/1"),
        ("dataset", "field_crops/1#1"),
        ("study", STUDY),
        ("model", MODEL),
    ):
        expect(node(kind, name)).to_have_attribute("data-side", "downstream")
    # Many scenes stand together until they are opened.
    if len(made.items) > 5:
        node("item", f"{len(made.items)} of them").click()
    expect(node("cube", "red, nir, swir16, NDVI")).to_have_attribute("data-side", "upstream")
    scene = node("item", made.items[0])
    expect(scene).to_have_attribute("data-side", "upstream")
    shoot(page, "lineage-group")
    assert not accessibility.findings(page)
    scene.click()
    status = panel.get_by_role("status")
    expect(status).to_have_text(f"Lineage of item {made.items[0]}")
    expect(node("model", MODEL)).to_have_attribute("data-side", "downstream")
    node("model", MODEL).click()
    expect(status).to_contain_text("Lineage of model")
    expect(node("model", MODEL)).to_be_in_viewport()
    expect(node("commit", "spectra/1@0")).to_have_attribute("data-side", "upstream")
    shoot(page, "lineage-model")
    node("study", STUDY).click()
    panel.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator(".eolab-StudyTab").filter(has_text=STUDY)).to_be_visible()
    page.locator(".lm-TabBar-tab").filter(has_text="spectra/1").click()
    for _ in range(3):
        panel.get_by_role("button", name="Back").click()
    expect(status).to_have_text("Lineage of group spectra/1")


def test_a_view_is_made_by_ticking(lab: Lab, page: Page, made: Made, shoot: Shoot) -> None:
    """The form's faults, the view that comes of it, and its code in a notebook."""
    open_lab(page, lab, "view-form")
    set_theme(page, "Light")
    page.evaluate(
        "path => void window.jupyterapp.commands.execute('docmanager:open', { path })",
        "notebooks/02-tuning.ipynb",
    )
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.evaluate("() => void window.jupyterapp.commands.execute('eolab:make-feature-view')")
    form = page.get_by_role("form", name="A new feature view")
    make = form.get_by_role("button", name="Make the view")
    expect(make).to_have_attribute("aria-disabled", "true")
    expect(form.get_by_role("status")).to_have_text("Choose what is to be predicted.")
    form.get_by_label("Group").select_option("fields/1")
    form.get_by_label("Column").select_option("crop")
    ticks = form.get_by_role("group", name="Features of spectra/1")
    ticks.get_by_role("checkbox", name="NDVI_median").check()
    ticks.get_by_role("checkbox", name="swir16_median").check()
    expect(form.get_by_role("group", name="Features of fields/1")).not_to_contain_text("crop")
    form.get_by_label("Name").fill("field_crops")
    make.click()
    # Another view has the name: said, and nothing lost.
    expect(form.get_by_role("alert")).to_contain_text("differs in its query")
    expect(ticks.get_by_role("checkbox", name="NDVI_median")).to_be_checked()
    form.get_by_label("Name").fill("ticked")
    form.get_by_label("Description").fill("Two features")
    expect(form.get_by_role("status")).to_have_text("2 features")
    shoot(page, "view-form-light")
    assert not accessibility.findings(page)
    accessibility.check_tree(form, "view-form")
    make.click()
    tab = page.locator(".eolab-FeatureTab").filter(has=page.get_by_role("heading", name="ticked"))
    expect(tab.get_by_role("tabpanel", name="Features")).to_contain_text("swir16_median")
    view = eo.workspace(lab.folder).features.feature_view("ticked", 1)
    assert view.features == ("swir16_median", "NDVI_median")
    assert (view.labels.columns, view.description) == (("crop",), "Two features")
    shoot(page, "view-tab-light")
    assert not accessibility.findings(page)
    accessibility.check_tree(tab.locator("header"), "view-header")
    for word, code in {
        "Read": "rows = view.read()",
        "Training data": "data = view.training_data()",
        "Split and save a training dataset": "view.train_validation_test_split(",
    }.items():
        page.evaluate(
            "() => void window.jupyterapp.commands.execute('eolab:open-feature-view', "
            "{ name: 'ticked', version: 1 })"
        )
        tab.get_by_text("Insert code", exact=True).click()
        tab.get_by_role("button", name=word, exact=True).click()
        expect(page.locator(".jp-Notebook")).to_contain_text(code)
    group = open_group(page, "spectra")
    group.get_by_text("Insert code", exact=True).click()
    group.get_by_role("button", name="Make a view").click()
    expect(page.locator(".jp-Notebook")).to_contain_text("query=group.select([")


def test_by_keyboard_from_the_palette_and_back_after_a_reload(
    lab: Lab, page: Page, made: Made, shoot: Shoot
) -> None:
    open_lab(page, lab, "features-keyboard")
    run_by_palette(page, "open feature group", "Open Feature Group")
    dialog = page.get_by_role("dialog")
    dialog.locator("select, input").first.focus()
    page.keyboard.type("spectra/1")
    with page.expect_response(
        lambda answer: (
            "api/workspaces/" in answer.url
            and answer.request.method == "PUT"
            and "eolab-feature-groups" in (answer.request.post_data or "")
        )
    ):
        page.keyboard.press("Enter")
        tab = page.locator(".eolab-FeatureTab")
        expect(tab.get_by_role("tablist")).to_be_visible()
    tab_to(page, ".eolab-FeatureTab [role=tab][aria-selected=true]")
    page.keyboard.press("ArrowRight")
    expect(tab.get_by_role("tab", name="Rows")).to_be_focused()
    tab_to(page, ".eolab-FeatureTab .eolab-Sort")
    page.keyboard.press("Enter")
    expect(tab.get_by_role("columnheader").first).to_have_attribute("aria-sort", "ascending")
    tab_to(page, ".eolab-FeatureTab .eolab-Pager button >> text=Next")
    page.keyboard.press("Enter")
    expect(tab.get_by_role("navigation")).to_contain_text("Rows 51 to 100")
    shoot(page, "group-keyboard")
    page.reload()
    expect(page.locator(".eolab-FeatureTab").get_by_role("heading", name="spectra")).to_be_visible()
    assert page.locator(".jp-Dialog").count() == 0
