"""A parsed item says what is stated, and where it was found."""

from __future__ import annotations

from datetime import UTC, datetime

import pystac
import pytest

from eolab.catalog import estimate_load, mask, open_source
from eolab.catalog.cube.stored import ask_files
from eolab.catalog.items.bands import find_band
from eolab.catalog.items.parsed import ParsedItem, parse_item
from eolab.catalog.items.quality_masks import quality_layer
from eolab.catalog.items.radiometry import radiometry, to_oli
from eolab.catalog.simulate.names import COLLECTION, RADAR

STATED = ("data_type", "nodata", "scale", "offset", "unit", "crs", "transform", "shape")


def origins(item: ParsedItem, name: str) -> dict[str, str]:
    """Where each fact of a band was found, as its documents state it and as it was decided."""
    layer = find_band(item, name)
    decided = radiometry(item, layer).origins
    return {
        **{f"stated {fact}": layer.origins[fact] for fact in STATED},
        **{f"used {fact}": decided[fact] for fact in ("scale", "offset", "nodata")},
    }


def scene(asset, *, collection="x", **properties):
    item = pystac.Item(
        "X", None, None, datetime(2021, 6, 1, tzinfo=UTC), properties, collection=collection
    )
    item.add_asset("red", pystac.Asset("/x/red.tif", media_type="image/tiff", extra_fields=asset))
    return parse_item(item)


def test_the_samples_scenes_state_their_numbers_and_grids_by_asset(sample_source):
    for item in map(parse_item, sample_source.search(COLLECTION, datetime="2021-05")):
        found = origins(item, "red")
        stated = ("data_type", "nodata", "transform", "shape")
        assert {found[f"stated {fact}"] for fact in stated} == {"asset"}
        assert found["stated crs"] == "item"
        # The offset is a matter of the product, whatever is declared.
        assert item.baseline is not None
        assert found["used nodata"] == "asset"
        assert found["used scale"] in ("asset", "rule")
        assert quality_layer(item) == "SCL"
        assert find_band(item, "SCL").role == "classes"


def test_an_offset_that_nobody_declares_is_found_by_rule(sample_source):
    seen = set()
    for item in map(parse_item, sample_source.search(COLLECTION)):
        layer = find_band(item, "red")
        rule = radiometry(item, layer)
        if layer.offset is None:
            assert rule.origins["offset"] == ("rule" if rule.offset else "none")
        elif layer.offset != rule.offset:
            assert rule.origins["offset"] == "rule"  # declared, though the provider took it out
        else:
            assert rule.origins["offset"] == layer.origins["offset"]
        seen.add((layer.offset is None, rule.origins["offset"]))
    assert len(seen) > 1  # the sample has several kinds: it would prove nothing otherwise


def test_the_samples_radar_states_its_pass(sample_source):
    for item in map(parse_item, sample_source.search(RADAR, limit=4)):
        assert item.is_radar
        assert item.orbit == f"{item.orbit_state} {item.relative_orbit}"
        assert item.baseline is None
        assert {layer.common for layer in item.layers} == {None}
        assert quality_layer(item) == "mask"


def test_the_scenes_of_slovenia_state_no_names_and_no_layer_of_clouds(config, shared_data):
    items = open_source(config, str(shared_data / "eolearn-slovenia-stac")).search()
    assert len(items)
    for item in map(parse_item, items):
        red = find_band(item, "red")
        assert {layer.common for layer in item.layers} == {None}
        assert red.scale == pytest.approx(0.0001)
        assert red.nodata == 0
        assert {red.origins["scale"], red.origins["nodata"]} == {"band"}
        assert red.origins["crs"] in ("asset", "item")
        assert item.baseline is None
        assert quality_layer(item) is None


def test_the_pictures_of_a_disaster_state_next_to_nothing(config, shared_data):
    items = open_source(config, str(shared_data / "stac-planet-disaster")).search()
    assert len(items)
    for item in map(parse_item, items):
        for layer in item.layers:
            found = {layer.origins[fact] for fact in ("scale", "offset", "nodata", "data_type")}
            assert found == {"none"}


def test_recorded_items_of_a_service(recorded):
    found = {}
    for document in recorded["TestCLISearch.test_filter[inprocess]"]:
        if document["collection"].startswith("sentinel-2"):
            item = parse_item(pystac.Item.from_dict(document))
            facts = origins(item, "red")
            found.setdefault(item.collection, set()).add(
                (facts["stated offset"], facts["used offset"])
            )
    # The one declares an offset that it took out; of the others it holds as declared.
    assert ("band", "rule") in found["sentinel-2-l2a"]
    assert found["sentinel-2-c1-l2a"] == {("band", "band")}


class TestPlaces:
    def test_the_band_counts_before_its_asset(self):
        item = scene({"nodata": 1, "scale": 2, "bands": [{"nodata": 7}]})
        red = find_band(item, "red")
        assert (red.nodata, red.origins["nodata"]) == (7, "band")
        assert (red.scale, red.origins["scale"]) == (2, "asset")
        assert (red.offset, red.origins["offset"]) == (None, "none")

    def test_old_and_new_band_objects_are_one(self):
        item = scene(
            {
                "eo:bands": [{"name": "B04", "common_name": "RED"}],
                "raster:bands": [{"data_type": "uint16", "unit": "1"}],
            }
        )
        (red,) = item.layers
        assert (red.name, red.common, red.data_type, red.unit) == ("B04", "red", "uint16", "1")

    def test_a_grid_of_the_item_holds_for_its_assets(self):
        grid = {"proj:code": "EPSG:32633", "proj:transform": [10, 0, 5, 0, -10, 7]}
        item = scene({"proj:shape": [3, 4]}, **grid)
        red = find_band(item, "red")
        assert (red.crs, red.transform, red.shape) == ("EPSG:32633", (10, 0, 5, 0, -10, 7), (3, 4))
        assert [red.origins[k] for k in ("crs", "transform", "shape")] == ["item", "item", "asset"]
        assert (red.pixel_size, red.origins["pixel_size"]) == (10, "item")

    @pytest.mark.parametrize(
        "wrong", [{"data_type": "colour"}, {"nodata": "none"}, {"scale": True}, {"unit": 5}]
    )
    def test_what_is_no_fact_is_not_found(self, wrong):
        red = find_band(scene({"bands": [wrong]}), "red")
        (fact,) = wrong
        assert getattr(red, fact) is None
        assert red.origins[fact] == "none"

    def test_what_a_call_asks_for_is_the_users(self):
        item = scene({}, collection="sentinel-2-l2a", platform="sentinel-2a")
        red = find_band(item, "red")
        plain = radiometry(item, red)
        assert plain.origins["scale"] == "rule"
        assert to_oli(item, red, plain).origins["scale"] == "user"

    def test_the_file_says_what_the_item_does_not(self, sample_source):
        (item,) = sample_source.search(COLLECTION, limit=1)
        planned = estimate_load(item, bands=["red"], mask=mask(["cloud"]))
        ((one,),) = ask_files(planned, raw=False).slices
        assert one.radiometry["red"].data_type == "uint16"
        assert not parse_item(one.item).opened  # nothing was open
        for asset in one.item.item.assets.values():
            asset.extra_fields = {
                key: value
                for key, value in asset.extra_fields.items()
                if key not in ("data_type", "nodata")
            }
        silent = estimate_load(one.item.item, bands=["red"])
        ((asked,),) = ask_files(silent, raw=False).slices
        assert set(asked.item.opened) == {"B04"}
        assert asked.radiometry["red"].data_type == "uint16"
        assert asked.radiometry["red"].origins["nodata"] == "file"


def test_an_item_is_read_once(sample_source):
    (item,) = sample_source.search(COLLECTION, limit=1)
    parsed = parse_item(item)
    assert parse_item(parsed) is parsed
    assert parsed.layers is parsed.layers
    assert find_band(parsed, "red") is find_band(parsed, "red")
    assert parsed == parse_item(item)
