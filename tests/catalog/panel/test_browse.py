"""Bodies of the panel's answers, and pictures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile

from eolab.catalog.items.bands import find_band
from eolab.catalog.items.parsed import parse_item
from eolab.catalog.panel import browse
from eolab.catalog.panel.previews import picture, preview, read_small
from eolab.catalog.simulate.names import COLLECTION
from eolab.catalog.sources.open import open_source
from eolab.errors import InvalidInputError, NotFoundError
from eolab.settings.config import CatalogConfig


@pytest.fixture
def configured(config, sample):
    return replace(config, catalogs={"mine": CatalogConfig("mine", str(sample))})


def test_only_what_is_there_is_listed(config, configured):
    assert [c["name"] for c in browse.catalogs(config)["catalogs"]] == [
        "earth-search",
        "planetary-computer",
        "cdse",
    ]
    assert browse.catalogs(configured)["catalogs"][0] == {
        "name": "mine",
        "kind": "static",
        "url": configured.catalogs["mine"].url,
        "description": "",
        "simulated": False,
        "own": True,
    }


def test_collections(configured):
    body = browse.collections(configured, "mine")
    radar, collection = body["collections"]
    assert (radar["items"], collection["items"]) == (16, 36)
    assert collection["simulated"] is True
    assert collection["interval"][0] == "2021-03-24T10:10:31Z"
    assert body["skipped"] == []
    json.dumps(body, allow_nan=False)


def test_items_come_in_pages_with_notes(configured):
    asked = {"collection": COLLECTION, "datetime": "2021"}
    whole = browse.items(configured, "mine", limit=100, **asked)
    assert whole["matched"] == 26
    page = browse.items(configured, "mine", limit=5, offset=10, **asked)
    assert page["items"] == whole["items"][10:15]
    assert page["items"][0]["epsg"] in (32632, 32633)
    assert "red" in page["items"][0]["bands"]
    notes = {i["id"]: i["notes"] for i in whole["items"]}
    assert all("simulated" in note for note in notes.values())
    assert any("older" in note for note in notes["SIM_S2B_33UTP_20210520_N0300"])
    clear = browse.items(configured, "mine", collection=COLLECTION, max_cloud=5, datetime="2021-08")
    assert {i["datetime"][:10] for i in clear["items"]} == {"2021-08-06"}
    json.dumps(whole, allow_nan=False)


def test_a_thumbnail_is_the_items_own(configured, sample_items):
    item = next(iter(sample_items))
    body, kind = browse.thumbnail(configured, "mine", item.collection_id, item.id)
    assert kind == "image/png"
    with MemoryFile(body) as memory, memory.open() as file:
        assert max(file.shape) <= 256
    with pytest.raises(NotFoundError, match="no item 'nothing'"):
        browse.thumbnail(configured, "mine", item.collection_id, "nothing")


def test_slovenia_is_drawn_from_its_bands(config, shared_data):
    folder = shared_data / "eolearn-slovenia-stac"
    config = replace(config, catalogs={"s": CatalogConfig("s", str(folder))})
    row = browse.items(config, "s")["items"][0]
    assert row["thumbnail"]
    assert row["notes"] == ["no layer to mask clouds with"]
    body, kind = browse.thumbnail(config, "s", row["collection"], row["id"])
    assert kind == "image/png"
    with MemoryFile(body) as memory, memory.open() as file:
        assert file.shape == (101, 100)
        assert file.count == 4
        assert file.read(1).std() > 20


def test_planet_thumbnails(config, shared_data):
    folder = shared_data / "stac-planet-disaster"
    config = replace(config, catalogs={"p": CatalogConfig("p", str(folder))})
    for row in browse.items(config, "p")["items"]:
        body, _ = browse.thumbnail(config, "p", row["collection"], row["id"])
        with MemoryFile(body) as memory, memory.open() as file:
            assert max(file.shape) <= 256


def test_a_file_that_calls_its_bands_red_green_blue_is_drawn_in_colour(config, shared_data):
    """Its item says nothing of them: the picture is that of GDAL's own reader."""
    folder = shared_data / "stac-planet-disaster"
    (item,) = open_source(config, str(folder)).search(ids=["2017831_195552_SS02"])
    made = picture(item, bands=["visual"], size=256, stretch=(0, 255))
    with MemoryFile(made.png) as memory, memory.open() as image:
        drawn, seen = image.read((1, 2, 3)).astype(int), image.read(4) > 0
    with rasterio.open(item.assets["visual"].get_absolute_href()) as file:
        stored = file.read().astype(int)
    assert (stored[0] != stored[2]).any()
    assert np.abs(drawn - stored)[:, seen].max() <= 1


def values_of(item, name, size):
    parsed = parse_item(item)
    return read_small(parsed, find_band(parsed, name), size)


def test_clouds_do_not_darken_the_land(sample_items):
    clouds = {}
    for item in sample_items:
        if "33UTP" in item.id:
            layer = values_of(item, "SCL", 256)
            known = np.isfinite(layer)
            clouds[item.id] = np.isin(layer, (3, 8, 9, 10))[known].mean()
    for item in sample_items:
        share = clouds.get(item.id, 0.0)
        if not 0.1 < share < 0.9:
            continue
        layers = [values_of(item, n, 256) for n in ("red", "green", "blue")]
        colours = np.stack(layers)
        seen = np.isfinite(colours).all(axis=0)
        bad = np.isin(values_of(item, "SCL", 256), (3, 8, 9, 10))
        bad = np.kron(bad, np.ones((2, 2), bool)) if bad.shape != seen.shape else bad
        made = picture(item, size=256)
        brightest = np.percentile(colours[:, seen & ~bad], 98)
        assert made.high == pytest.approx(brightest, rel=0.05)
        # By all pixels the picture is of the clouds.
        assert np.percentile(colours[:, seen], 98) > 1.5 * made.high
        break
    else:
        pytest.fail("the sample has no scene in part under clouds")
    # Where everything is under clouds they are drawn.
    scene = max(clouds, key=lambda name: clouds[name])
    assert clouds[scene] > 0.98
    (all_cloud,) = [item for item in sample_items if item.id == scene]
    assert picture(all_cloud, size=64).high > 0.3


def test_a_locked_stretch_makes_dates_comparable(sample_items):
    items = [i for i in sample_items if "33UTP" in i.id and "N0300" not in i.id]
    spring, summer = items[0], items[8]

    def mean(item):
        with (
            MemoryFile(preview(item, bands=["nir"], stretch=(0, 0.5))) as memory,
            memory.open() as file,
        ):
            return file.read(1)[file.read(4) > 0].mean()

    ratio = np.nanmean(values_of(summer, "nir", 256)) / np.nanmean(values_of(spring, "nir", 256))
    assert mean(summer) / mean(spring) == pytest.approx(ratio, rel=0.1)
    with pytest.raises(InvalidInputError, match="2 bands cannot be drawn"):
        preview(spring, bands=["red", "nir"])


def test_a_preview_of_values_is_the_files(sample_items):
    item = next(i for i in sample_items if "20210410" in i.id)
    small = values_of(item, "red", 4000)
    with rasterio.open(item.assets["B04"].href) as file:
        numbers = file.read(1)
    np.testing.assert_allclose(small[numbers > 0], numbers[numbers > 0] * 1e-4 - 0.1, atol=1e-6)
    assert np.isnan(small[numbers == 0]).all()
