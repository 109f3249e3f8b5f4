"""The offset is decided by what each item says, and never applied twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pystac
import pytest

from eolab.catalog.items import radiometry as rules
from eolab.catalog.items.bands import find_band
from eolab.catalog.items.parsed import parse_item
from eolab.errors import InvalidInputError


def scene(assets, *, collection="sentinel-2-l2a", **properties):
    item = pystac.Item(
        properties.pop("id", "S2B_X"),
        None,
        None,
        datetime(2021, 6, 1, tzinfo=UTC),
        {"platform": "sentinel-2b", **properties},
        collection=collection,
    )
    for key, fields in assets.items():
        item.add_asset(
            key, pystac.Asset(f"/x/{key}.tif", media_type="image/tiff", extra_fields=fields)
        )
    return item


def rule_of(item, name):
    """How the numbers of a band become values."""
    parsed = parse_item(item)
    return rules.radiometry(parsed, find_band(parsed, name))


# As Earth Search writes it: an offset is declared whether it was applied or not.
EARTH_SEARCH = {
    "red": {
        "eo:bands": [{"name": "B04", "common_name": "red"}],
        "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": -0.1}],
    }
}
# As Planetary Computer writes it: nothing is declared.
PLANETARY = {"B04": {"eo:bands": [{"name": "B04", "common_name": "red"}]}}
BASELINE = "s2:processing_baseline"


@pytest.mark.parametrize(
    ("assets", "properties", "expected"),
    [
        (EARTH_SEARCH, {BASELINE: "05.11", "earthsearch:boa_offset_applied": True}, 0.2),
        (EARTH_SEARCH, {BASELINE: "05.11", "earthsearch:boa_offset_applied": False}, 0.1),
        (EARTH_SEARCH, {BASELINE: "05.11"}, 0.1),
        (EARTH_SEARCH, {BASELINE: "02.14"}, 0.2),
        (EARTH_SEARCH, {}, 0.1),
        (PLANETARY, {BASELINE: "04.00"}, 0.1),
        (PLANETARY, {BASELINE: "03.01"}, 0.2),
        (PLANETARY, {BASELINE: 5.11}, 0.1),
        (PLANETARY, {}, 0.2),
    ],
)
def test_two_thousand_becomes_the_reflectance_that_was_meant(assets, properties, expected):
    item = scene(assets, **properties)
    rule = rule_of(item, "red")
    assert 2000 * rule.scale + rule.offset == pytest.approx(expected)
    assert rule.nodata == 0
    assert rule.rule


def test_it_is_never_the_date():
    old = scene(PLANETARY, **{BASELINE: "05.00"})
    old.datetime = datetime(2016, 1, 1, tzinfo=UTC)
    new = scene(PLANETARY, **{BASELINE: "03.01"})
    new.datetime = datetime(2025, 1, 1, tzinfo=UTC)
    assert rule_of(old, "red").offset == -0.1
    assert rule_of(new, "red").offset == 0


def test_the_recorded_answer_of_earth_search(recorded):
    """Both products of one scene give the same surface: the flag and the offset are one thing."""
    by_collection = {}
    for document in recorded["TestCLISearch.test_filter[inprocess]"]:
        if document["collection"].startswith("sentinel-2"):
            item = pystac.Item.from_dict(document)
            rule = rule_of(item, "red")
            by_collection.setdefault(item.collection_id, set()).add((rule.scale, rule.offset))
    assert by_collection == {
        "sentinel-2-l2a": {(0.0001, 0.0)},
        "sentinel-2-c1-l2a": {(0.0001, -0.1)},
        "sentinel-2-l1c": {(0.0001, -0.1)},
    }


def test_classes_are_never_scaled():
    item = scene(
        {"scl": {"raster:bands": [{"scale": 0.0001, "offset": -0.1}]}}, **{BASELINE: "05.00"}
    )
    rule = rule_of(item, "SCL")
    assert (rule.scale, rule.offset) == (1, 0)


def test_other_layers_keep_their_own_scale():
    item = scene({"aot": {"raster:bands": [{"scale": 0.001, "offset": 0}]}}, **{BASELINE: "05.00"})
    assert rule_of(item, "aot").scale == 0.001


def test_landsat_without_a_declaration():
    item = scene(
        {"SR_B4": {"eo:bands": [{"name": "OLI_B4", "common_name": "red"}]}},
        collection="landsat-c2-l2",
        platform="landsat-8",
        id="LC08_L2SP_1",
    )
    rule = rule_of(item, "red")
    assert 10_000 * rule.scale + rule.offset == pytest.approx(0.075)


@pytest.mark.parametrize(
    ("text", "expected"), [("05.11", (5, 11)), ("N0301", (3, 1)), (2.14, (2, 14))]
)
def test_baselines_are_read(text, expected):
    assert parse_item(scene({}, **{BASELINE: text})).baseline == expected


class TestBands:
    def test_a_sensor_table_names_what_the_item_does_not(self):
        item = scene({"B04": {"bands": [{"name": "B04"}]}, "B8A": {"bands": [{"name": "B8A"}]}})
        assert find_band(parse_item(item), "red").asset == "B04"
        assert find_band(parse_item(item), "nir08").asset == "B8A"

    @pytest.mark.parametrize("key", ["B04_10m", "b04", "B4", "T33UVP_20210601_B04", "red"])
    def test_providers_call_red_by_many_names(self, key):
        assert find_band(parse_item(scene({key: {}, "B08": {}})), "red").asset == key

    def test_the_same_name_means_another_band_on_another_sensor(self):
        item = scene({"B5": {}, "B4": {}}, collection="landsat-c2-l1", platform="landsat-8", id="L")
        assert parse_item(item).sensor == "landsat-oli"
        assert find_band(parse_item(item), "nir").asset == "B5"
        item = scene({"B4": {}, "B3": {}}, collection="landsat-c2-l1", platform="landsat-5", id="L")
        assert find_band(parse_item(item), "nir").asset == "B4"

    def test_an_ambiguous_name_is_asked_back(self):
        item = scene({"B05": {}, "B06": {}, "B07": {}})
        with pytest.raises(InvalidInputError, match="rededge1, rededge2, rededge3"):
            find_band(parse_item(item), "rededge")

    def test_a_picture_does_not_pass_for_a_band(self):
        item = scene(
            {
                "visual": {"eo:bands": [{"common_name": c, "name": c} for c in ("red", "green")]},
                "B04": {"eo:bands": [{"name": "B04", "common_name": "red"}]},
            }
        )
        assert find_band(parse_item(item), "red").asset == "B04"

    def test_cogs_are_taken_before_jp2(self):
        item = scene({"red-jp2": EARTH_SEARCH["red"], "red": EARTH_SEARCH["red"]})
        item.assets["red-jp2"].media_type = "image/jp2"
        del item.assets["red"]
        item.add_asset(
            "B04",
            pystac.Asset("/x.tif", media_type="image/tiff", extra_fields=EARTH_SEARCH["red"]),
        )
        assert find_band(parse_item(item), "red").asset == "B04"

    def test_a_misspelt_band_is_helped(self):
        with pytest.raises(InvalidInputError, match="no band 'redd'") as error:
            find_band(parse_item(scene({"B04": {}, "B08": {}})), "redd")
        assert "'red'" in error.value.hint
