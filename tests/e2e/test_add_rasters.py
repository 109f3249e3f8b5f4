"""Own rasters from the panel: seen before, said what they are, added, found again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from playwright.sync_api import Locator, Page, expect

from tests.e2e import accessibility
from tests.e2e.jupyter import Lab, set_theme
from tests.e2e.searching import count, open_lab, post
from tests.e2e.test_search_sources import open_panel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Shoot = Callable[[Page, str], Path]


def write(path: Path, count: int = 1, dtype: str = "uint16", crs: str | None = "EPSG:32633",
          **facts: object) -> None:  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=60, height=50, count=count, dtype=dtype, crs=crs,
        transform=Affine(10, 0, 280_000, 0, -10, 5_390_000), nodata=facts.get("nodata"),
    ) as file:  # fmt: skip
        file.write(np.full((count, 50, 60), 2000, dtype))
        file.descriptions = facts.get("names") or [None] * count


@pytest.fixture
def rasters(lab: Lab) -> Iterator[Path]:
    """A mixed folder in the file browser; at the end workspace and settings are as they were."""
    settings = lab.folder / "eolab.toml"
    before = settings.read_text(encoding="utf-8")
    folder = lab.folder / "my-rasters"
    write(folder / "Feld Süd 12.06.2021.tif", 3)
    write(folder / "drone_20210620.tif", 2, "float32", names=("red", "nir"))
    write(folder / "height.tif", 1, "float32", nodata=-9999)
    write(folder / "nowhere_20210703.tif", crs=None)
    (folder / "broken_20210903.tif").write_text("no raster")
    yield folder
    settings.write_text(before, encoding="utf-8")
    shutil.rmtree(folder)
    for made in ("catalogs", "ingests"):
        shutil.rmtree(lab.folder / "eolab-workspace" / made, ignore_errors=True)


def open_form(page: Page) -> Locator:
    open_panel(page).get_by_role("button", name="Add rasters…").click()
    form = page.locator(".eolab-Ingest")
    expect(form).to_be_visible()
    return form


def row(form: Locator, name: str) -> Locator:
    return form.get_by_role("row").filter(has=form.page.get_by_role("rowheader", name=name))


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_mixed_folder_is_seen_named_added_and_found(
    lab: Lab, page: Page, rasters: Path, theme: str, shoot: Shoot
) -> None:
    open_lab(page, lab, f"rasters-{theme.lower()}")
    set_theme(page, theme)
    form = open_form(page)
    expect(form.get_by_role("button", name="Add", exact=True)).to_be_disabled()
    form.get_by_label("Folder or file").fill("my-rasters")
    expect(form.get_by_text("5 rasters here")).to_be_visible()
    expect(form.get_by_label("Collection")).to_have_value("my-rasters")
    form.get_by_label("Folder or file").press("Enter")
    # What each file says of itself, and what is left out.
    expect(form).to_contain_text("2 of 5 files can be used.")
    expect(form).to_contain_text("The collection “my-rasters” is new.")
    expect(row(form, "Feld Süd 12.06.2021.tif")).to_contain_text("2021-06-12file name")
    expect(row(form, "Feld Süd 12.06.2021.tif")).to_contain_text("band1, band2, band3")
    expect(row(form, "drone_20210620.tif")).to_contain_text("red, nir")
    expect(row(form, "drone_20210620.tif")).to_contain_text("EPSG:32633")
    expect(row(form, "height.tif")).to_contain_text("missing")
    expect(form).to_contain_text("no date in its name or tags")
    expect(row(form, "nowhere_20210703.tif")).to_contain_text("no reference system")
    expect(row(form, "broken_20210903.tif")).to_contain_text("Left out:")
    assert not (lab.folder / "eolab-workspace" / "catalogs").exists()
    shoot(page, f"rasters-preview-{theme.lower()}")
    # What only the user knows.
    form.get_by_label("For the files").fill("Feld*")
    form.get_by_label("Bands, in order").fill("blue, green, red")
    form.get_by_label("Scale").fill("0.0001")
    form.get_by_label("Date of files without one").fill("2000-01-01")
    expect(form.get_by_text("Something changed: preview it again.")).to_be_visible()
    form.get_by_label("Scale").press("Enter")
    expect(row(form, "Feld Süd 12.06.2021.tif")).to_contain_text("blue, green, red")
    expect(row(form, "Feld Süd 12.06.2021.tif")).to_contain_text("0.0001you")
    expect(row(form, "height.tif")).to_contain_text("2000-01-01your default")
    expect(form).to_contain_text("3 of 5 files can be used. They make 3 items.")
    assert not accessibility.findings(page)
    shoot(page, f"rasters-named-{theme.lower()}")
    form.get_by_role("button", name="Add to “my-rasters”").click()
    added = form.get_by_role("region", name="Added")
    expect(added).to_contain_text("3 items added; the collection holds 3")
    expect(added).to_contain_text("2 entries were skipped")
    # It stands in the panel, and its scenes are found.
    panel = open_panel(page)
    panel.get_by_role("button", name="my-rasters", exact=False).first.click()
    expect(panel).to_contain_text("my-rasters")
    shoot(page, f"rasters-added-{theme.lower()}")
    added.get_by_role("button", name="Search it on a map").click()
    expect(count(page.locator(".eolab-SearchTab"))).to_contain_text("3 scenes")


def test_a_folder_of_the_file_browser_is_looked_at_by_its_menu(
    lab: Lab, page: Page, rasters: Path, shoot: Shoot
) -> None:
    open_lab(page, lab, "rasters-menu")
    page.evaluate("() => window.jupyterapp.restored")
    page.evaluate("() => void window.jupyterapp.commands.execute('filebrowser:activate')")
    page.locator(".jp-DirListing-item", has_text="my-rasters").click(button="right")
    page.get_by_text("Add to eolab").click()
    form = page.locator(".eolab-Ingest")
    expect(form.get_by_label("Folder or file")).to_have_value("my-rasters/")
    expect(form).to_contain_text("2 of 5 files can be used.")
    # Beside a wide side panel the table scrolls in its own frame.
    page.set_viewport_size({"width": 900, "height": 700})
    shoot(page, "rasters-narrow")
    assert page.evaluate("() => document.body.scrollWidth <= window.innerWidth")


def test_what_cannot_be_added_is_refused_with_the_way_on(
    lab: Lab, page: Page, rasters: Path, shoot: Shoot
) -> None:
    open_lab(page, lab, "rasters-refused")
    form = open_form(page)
    form.get_by_label("Folder or file").fill("my-rasters")
    form.get_by_label("Collection").fill("earth-search")
    form.get_by_role("button", name="Preview").click()
    alert = form.get_by_role("alert")
    expect(alert).to_contain_text("catalogue 'earth-search' was not made by `ingest`")
    expect(alert).to_contain_text("Take another name")
    shoot(page, "rasters-refused")
    form.get_by_label("Collection").fill("mine")
    pattern = form.get_by_label("Pattern of dates in names")
    pattern.fill(r"(?P<month>\d\d)")
    form.get_by_role("button", name="Preview").click()
    expect(alert).to_contain_text("has no group `year`")
    # It counts before the usual spellings: here the month stands first.
    pattern.fill(r"(?P<month>\d\d)\.(?P<day>\d\d)\.(?P<year>\d{4})")
    form.get_by_role("button", name="Preview").click()
    expect(row(form, "Feld Süd 12.06.2021.tif")).to_contain_text("2021-12-06file name")
    pattern.fill("")
    form.get_by_label("Bands, in order").fill("red, nir")
    form.get_by_role("button", name="Preview").click()
    expect(alert).to_contain_text("2 names are given")
    form.get_by_label("Folder or file").fill("/etc")
    form.get_by_role("button", name="Preview").click()
    expect(alert).to_contain_text("/etc lies outside of the folders")
    expect(alert).to_contain_text("roots = [")


def test_a_folder_without_stac_is_offered_as_rasters(
    lab: Lab, page: Page, rasters: Path, shoot: Shoot
) -> None:
    open_lab(page, lab, "rasters-offered")
    panel = open_panel(page)
    panel.get_by_role("button", name="Add a catalogue").click()
    form = panel.get_by_role("form", name="Add a catalogue")
    form.get_by_label("Name").fill("fields")
    form.get_by_label("Address").fill("my-rasters")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("it is no STAC catalogue")
    form.get_by_role("button", name="Add its rasters…").scroll_into_view_if_needed()
    shoot(page, "rasters-offered")
    form.get_by_role("button", name="Add its rasters…").click()
    tab = page.locator(".eolab-Ingest")
    expect(tab.get_by_label("Folder or file")).to_have_value("my-rasters")
    expect(tab).to_contain_text("2 of 5 files can be used.")


def test_a_search_over_everything_names_the_broken_catalogue_and_shows_the_rest(
    lab: Lab, page: Page, rasters: Path, shoot: Shoot
) -> None:
    torn = rasters / "torn"
    torn.mkdir()
    (torn / "catalog.json").write_text("{}")
    post(lab, "catalogs", {"name": "torn", "url": str(torn), "kind": "static"})
    (torn / "catalog.json").write_text("{")
    open_lab(page, lab, "rasters-torn")
    panel = open_panel(page)
    panel.get_by_label("Find in the workspace").fill("sentinel")
    expect(panel.get_by_text("“torn” could not be read:")).to_be_visible()
    expect(panel).to_contain_text("is no JSON")
    expect(panel.get_by_role("region", name="Collections")).to_contain_text("Sentinel-2")
    shoot(page, "rasters-torn")
