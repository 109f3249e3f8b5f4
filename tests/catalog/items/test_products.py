"""The table of products: what the stored numbers of each layer are by its publisher."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pystac
import pytest

from eolab.catalog.items.bands import find_band
from eolab.catalog.items.file_facts import FileFacts
from eolab.catalog.items.parsed import parse_item
from eolab.catalog.items.products import AS_STORED, PRODUCTS, product_of, table_rows
from eolab.catalog.items.radiometry import UserValues, radiometry

S2 = "S2A_MSIL2A_20220517T101031_N0400_R022_T33UVP_20220517T123456"
L2 = "LC08_L2SP_190027_20210517_20210525_02_T1"
L1 = "LC08_L1TP_190027_20210517_20210525_02_T1"
L30 = "HLS.L30.T33UVP.2022137T101031.v2.0"
S30 = "HLS.S30.T33UVP.2022137T101031.v2.0"
NEW = {"s2:processing_baseline": "04.00"}


def scene(item_id, *, key, asset=None, collection="own", **properties):
    item = pystac.Item(
        item_id, None, None, datetime(2022, 5, 17, tzinfo=UTC), properties, collection=collection
    )
    fields = asset or {}
    item.add_asset(key, pystac.Asset(f"/x/{key}.tif", media_type="image/tiff", extra_fields=fields))
    return parse_item(item)


def rule_of(item, key, data_type, **facts):
    return radiometry(item, find_band(item, key), file=FileFacts(data_type, **facts))


# Item, properties, layer, data type, stored number, what it means, unit, number without a meaning.
MEANT = [
    (S2, NEW, "B04", "uint16", 2500, 0.15, "1", 0),
    (S2, {"s2:processing_baseline": "03.01"}, "B04", "uint16", 2500, 0.25, "1", 0),
    (S2, NEW, "B8A", "uint16", 2500, 0.15, "1", 0),
    (S2, NEW, "AOT", "uint16", 150, 0.150, "1", 0),
    (S2, NEW, "WVP", "uint16", 1500, 1.5, "cm", 0),
    (S2, NEW, "SCL", "uint8", 4, 4, None, 0),
    (S2, NEW, "visual", "uint8", 60, 60, None, None),
    (S2, NEW, "cloud", "uint8", 40, 40, "percent", None),
    (S2.replace("L2A", "L1C"), NEW, "B10", "uint16", 1010, 0.001, "1", 0),
    (L30, {}, "B04", "int16", 2500, 0.25, "1", -9999),
    (L30, {}, "B09", "int16", 25, 0.0025, "1", -9999),
    (L30, {}, "B10", "int16", 2534, 25.34, "degree_Celsius", -9999),
    (L30, {}, "SZA", "uint16", 3512, 35.12, "degree", 40000),
    (L30, {}, "Fmask", "uint8", 64, 64, None, 255),
    (S30, {}, "B10", "int16", 25, 0.0025, "1", -9999),
    (S30, {}, "B8A", "int16", 2500, 0.25, "1", -9999),
    (L2, {}, "SR_B4", "uint16", 12000, 0.13, "1", 0),
    (L2, {}, "red", "uint16", 12000, 0.13, "1", 0),
    (L2, {}, "ST_B10", "uint16", 44000, 299.393, "kelvin", 0),
    (L2, {}, "ST_QA", "int16", 300, 3.0, "kelvin", -9999),
    (L2, {}, "ST_EMIS", "int16", 9800, 0.98, "1", -9999),
    (L2, {}, "ST_TRAD", "int16", 9000, 9.0, "W m-2 sr-1 um-1", -9999),
    (L2, {}, "ST_CDIST", "int16", 250, 2.5, "km", -9999),
    (L2, {}, "QA_PIXEL", "uint16", 21824, 21824, None, 1),
    (L1, {}, "B4", "uint16", 12000, 12000, None, 0),
    ("MOD09A1.A2021137.h18v04.061.2021146033041", {}, "sur_refl_b01", "int16", 2500, 0.25, "1",
     -28672),
    ("MOD11A1.A2021137.h18v04.061.2021138093456", {}, "LST_Day_1km", "uint16", 15000, 300.0,
     "kelvin", 0),
    ("MOD13Q1.A2021137.h18v04.061.2021153012345", {}, "250m_16_days_NDVI", "int16", 7000, 0.7, "1",
     -3000),
    ("VNP09GA.A2021137.h18v04.001.2021138093456", {}, "SurfReflect_I1_1", "int16", 2500, 0.25, "1",
     -28672),
    ("ESA_WorldCover_10m_2021_v200_N45E012", {}, "map", "uint8", 40, 40, None, 0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "says", "key", "dtype", "stored", "meant", "unit", "no"), MEANT)
def test_a_stored_number_of_a_product_is_what_its_publisher_says(
    name, says, key, dtype, stored, meant, unit, no
):
    rule = rule_of(scene(name, key=key, **says), key, dtype)
    assert stored * rule.scale + rule.offset == pytest.approx(meant, rel=1e-5)
    assert (rule.unit, rule.nodata) == (unit, no)


@pytest.mark.parametrize(("name", "says", "key", "dtype", "stored", "meant", "unit", "no"), MEANT)
def test_real_numbers_are_never_scaled_by_a_table(name, says, key, dtype, stored, meant, unit, no):
    rule = rule_of(scene(name, key=key, **says), key, "float32")
    assert (rule.scale, rule.offset) == (1, 0)
    assert rule.nodata is None


@pytest.mark.parametrize(
    "name",
    [
        "S2A_flood_20210517",
        "S2A_20210517_B04",
        "S2_MSIL2A_mosaic",
        "Sentinel2_landcover_20210601",
        "my_S2A_MSIL2A_20220517T101031_R022_T33UVP_20220517T123456_ndvi",
        "LC08_mosaic_L2",
        "landsat_2021",
        "LC08_L2SP_190027_20210517_20210525_01_T1",
        "HLS_composite_L30",
        "HLS.S30.composite",
        "MOD09_mean",
    ],
)
@pytest.mark.parametrize("collection", ["sentinel-2-flood", "landsat-col2-l2", "hls-l30-mine"])
def test_part_of_a_name_proves_nothing(name, collection):
    item = scene(name, key="B04", collection=collection)
    assert item.product is None
    rule = rule_of(item, "B04", "uint16")
    assert (rule.scale, rule.offset, rule.nodata, rule.unit) == (1, 0, None, None)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"platform": "Sentinel-2A"}, "Sentinel-2 Level-2A"),
        ({"platform": "sentinel-2c", "s2:product_type": "S2MSI1C"}, "Sentinel-2 Level-1C"),
        ({"platform": "LANDSAT_8", "landsat:correction": "L2SP"}, "Landsat Collection 2 Level-2"),
        ({"platform": "Landsat 9", "processing:level": "L1"}, "Landsat Collection 2 Level-1"),
        ({"platform": "landsat-8"}, None),
        ({"platform": "drone"}, None),
        ({}, None),
    ],
)
def test_the_platform_says_which_product(said, name):
    found = scene("x", key="B04", **said).product
    assert (found.name if found else None) == name


def test_a_layer_that_the_table_does_not_name_is_left_alone():
    for key in ("ndvi", "B04_uncertainty", "MSK_B04", "SZA_B04", "data"):
        rule = rule_of(scene(S2, key=key, **NEW), key, "int16")
        assert (rule.scale, rule.offset, rule.nodata) == (1, 0, None), key


class TestOrder:
    """The user, the item, the file, the table."""

    def test_the_item_counts_before_the_file_and_the_file_before_the_table(self):
        silent = scene(L2, key="SR_B4")
        spoken = scene(L2, key="SR_B4", asset={"raster:bands": [{"scale": 0.5, "nodata": 7}]})
        file = {"scale": 0.25, "nodata": 9.0}
        said = rule_of(spoken, "SR_B4", "uint16", **file)
        assert (said.scale, said.nodata, said.origins["scale"]) == (0.5, 7, "band")
        read = rule_of(silent, "SR_B4", "uint16", **file)
        assert (read.scale, read.nodata, read.origins["nodata"]) == (0.25, 9, "file")
        ruled = rule_of(silent, "SR_B4", "uint16")
        assert (ruled.scale, ruled.nodata, ruled.origins["scale"]) == (2.75e-5, 0, "rule")

    def test_the_user_counts_before_all(self):
        item = scene(S2, key="B04", **NEW)
        layer = find_band(item, "B04")
        rule = radiometry(item, layer, given=UserValues(scale=0.5))
        assert (rule.scale, rule.offset, rule.origins["offset"]) == (0.5, 0, "user")
        rule = radiometry(item, layer, given=UserValues(offset=0.0, nodata=65535))
        assert (rule.scale, rule.offset, rule.nodata) == (1e-4, 0, 65535)
        assert (rule.origins["scale"], rule.origins["nodata"]) == ("rule", "user")

    def test_what_is_declared_packed_and_arrives_as_real_numbers_is_decoded_already(self):
        packed = {"raster:bands": [{"data_type": "uint16", "scale": 1e-4, "offset": -0.1}]}
        item = scene("x", key="red", asset=packed)
        assert rule_of(item, "red", "float32").scale == 1
        assert rule_of(item, "red", "uint16").scale == 1e-4

    def test_the_scale_of_modis_files_divides(self):
        item = scene("MOD13Q1.A2021137.h18v04.061.2021153012345", key="250m_16_days_EVI")
        assert rule_of(item, "250m_16_days_EVI", "int16", scale=10000.0).scale == 1e-4
        own = scene("x", key="w")
        named = rule_of(own, "w", "int16", scale=10000.0, short_name="MOD13Q1")
        assert named.scale == 1e-4
        assert rule_of(own, "w", "int16", scale=10000.0).scale == 10000

    @pytest.mark.parametrize("word", ["earthsearch", "sentinel", "s2", "x"])
    def test_the_offset_was_taken_out_in_every_spelling(self, word):
        item = scene(S2, key="B04", **NEW, **{f"{word}:boa_offset_applied": True})
        assert rule_of(item, "B04", "uint16").offset == 0

    def test_an_offset_of_nothing_that_is_declared_counts(self):
        item = scene(S2, key="B04", asset={"raster:bands": [{"scale": 1e-4, "offset": 0}]}, **NEW)
        assert rule_of(item, "B04", "uint16").offset == 0

    @pytest.mark.parametrize("wrong", [{"scale": 0}, {"scale": "nan"}, {"scale": None}])
    def test_a_scale_that_is_none_is_not_declared(self, wrong):
        item = scene(L2, key="SR_B4", asset={"raster:bands": [wrong]})
        assert rule_of(item, "SR_B4", "uint16").origins["scale"] == "rule"


def test_the_documentation_shows_the_table_and_its_sources():
    page = (Path(__file__).parents[3] / "docs" / "rooms" / "radiometry.md").read_text("utf-8")
    shown = page.split("## What the publishers say", 1)[1]
    rows = [line for line in shown.splitlines() if line.startswith("| ")]
    assert rows[2:] == table_rows()  # under the head and its rule; a row too many is wrong too
    listed = [line for line in shown.splitlines() if line.startswith("- ")]
    assert listed == [
        *(f"- **{name}**: {what}." for name, what in AS_STORED.items()),
        *(f"- **{product.name}**: {product.source.rstrip('.')}." for product in PRODUCTS),
    ]


def test_products_are_told_apart_by_their_whole_names():
    for name, wanted in (
        (S2, "Sentinel-2 Level-2A"),
        (L30, "HLS L30 v2"),
        (L1, "Landsat Collection 2 Level-1"),
    ):
        item = pystac.Item(name, None, None, datetime(2022, 5, 17, tzinfo=UTC), {})
        assert product_of(item).name == wanted
