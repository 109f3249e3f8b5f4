"""Facts that documents and files state in odd but valid ways count as those of the usual way."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

import eolab as eo
from benchmarks.archive_cases import Grid, item, write_tif
from eolab.catalog import open_source
from eolab.catalog.items.parsed import parse_item
from eolab.catalog.panel.previews import read_small

GRID = Grid(shape=(8, 8))
TIME = datetime(2021, 5, 20, 10, tzinfo=UTC)
HOLE = np.zeros(GRID.shape, bool)
HOLE[0] = True


@pytest.fixture
def made(tmp_path):
    """Make an item of one asset `w` from its numbers, its fields and what its file says."""

    def make(numbers, fields=None, *, name="one.tif", **file):
        options = {k: file.pop(k) for k in ("nodata", "tags", "palette") if k in file}
        path = write_tif(tmp_path / name, np.asarray(numbers).reshape(-1, 8, 8), GRID, **options)
        key = file.pop("key", "w")
        return item("own", TIME, GRID, {key: (path, fields or {})}, **file)

    return make


def full(value, dtype, hole=None):
    numbers = np.full(GRID.shape, value, dtype)
    if hole is not None:
        numbers[HOLE] = hole
    return numbers


def values(one, band="w", **options):
    return eo.load([one], bands=[band], **options)[band].to_numpy()[0]


@pytest.mark.parametrize("said", [("0.0001", "-0.1"), ([1e-4], [-0.1]), (1e-4, "-1e-1")])
def test_factors_that_an_item_writes_as_text_or_as_a_list_count(made, said):
    scale, offset = said
    fields = {"raster:bands": [{"data_type": "uint16", "scale": scale, "offset": offset}]}
    np.testing.assert_allclose(values(made(full(5000, "uint16"), fields)), 0.4, atol=1e-6)


@pytest.mark.parametrize("said", ["0.0001f", "[0.0001]", " 1.0E-4 ", "{0.0001}"])
def test_factors_that_a_file_writes_in_its_own_way_count(made, said):
    one = made(full(5000, "int16"), tags={"scale_factor": said})
    np.testing.assert_allclose(values(one), 0.5, atol=1e-6)


def test_factors_of_all_bands_in_one_tag_are_those_of_each(made):
    one = made([full(5000, "int16"), full(5000, "int16")], tags={"scale_factor": "0.0001, 0.01"})
    np.testing.assert_allclose(values(one, "w.1"), 0.5, atol=1e-6)
    np.testing.assert_allclose(values(one, "w.2"), 50, atol=1e-4)


def test_the_fill_value_that_a_files_tags_state_is_no_value(made):
    numbers = full(5000, "int16", hole=-28672)
    one = made(numbers, tags={"_FillValue": "-28672", "scale_factor": "0.0001"})
    np.testing.assert_allclose(values(one), np.where(HOLE, np.nan, 0.5), atol=1e-6)


@pytest.mark.parametrize("how", [{}, {"chunks": {"x": 5}}, {"raw": True}, {"resolution": 20}])
@pytest.mark.parametrize(
    ("fields", "file"),
    [
        ({"nodata": -1}, {"tags": {"_FillValue": "-2"}}),
        ({}, {"tags": {"_FillValue": "-1", "missing_value": "-2"}}),
        ({"data_type": "int16", "nodata": -1}, {"tags": {"missing_value": "[-2]"}}),
        ({}, {"nodata": -1, "tags": {"missing_value": "-2"}}),
        ({"raster:bands": [{"nodata": [-1, -2]}]}, {}),
        ({"bands": [{"nodata": "-1, -2"}]}, {}),
    ],
)
def test_every_number_that_an_item_or_a_file_calls_nodata_is_none(made, fields, file, how):
    numbers = full(5000, "int16", hole=-1)
    numbers[6:] = -2
    one = made(numbers, fields, **file)
    cube = eo.load([one], bands=["w"], **how).w
    found = cube.where(cube != cube.attrs["nodata"])[0] if "raw" in how else cube[0]
    expected = np.where(numbers < 0, np.nan, numbers)
    step = how.get("resolution", 10) // 10
    np.testing.assert_array_equal(found, expected[step // 2 :: step, step // 2 :: step])
    parsed = parse_item(one)
    np.testing.assert_array_equal(read_small(parsed, parsed.layers_of("w")[0], 8), expected)


def test_a_decoded_file_hides_nothing_by_tags_that_stayed_behind(made):
    numbers = full(0.5, "float32", hole=np.nan)
    numbers[6:] = 0
    one = made(numbers, nodata=math.nan, tags={"_FillValue": "0"})
    np.testing.assert_array_equal(values(one), numbers)


@pytest.mark.parametrize("chunks", [None, {"x": 5}])
@pytest.mark.parametrize("kind", ["mask beside alpha", "a mask for each band", "one for all"])
def test_every_mask_of_a_file_counts(made, kind, chunks):
    """GDAL: a mask of the whole file, of each band (no flags), and an alpha band are three."""
    alpha, rows = np.full(GRID.shape, 255, "uint8"), np.where(HOLE, 0, 255).astype("uint8")
    numbers = np.arange(1, 65, dtype="uint8").reshape(8, 8)
    alpha[:, 0] = 0
    second = alpha if kind == "mask beside alpha" else numbers
    fields = {"bands": [{"name": "own"}, {"name": "alpha" if second is alpha else "other"}]}
    one = made([numbers, second], fields)
    path = one.assets["w"].href
    if second is alpha:
        with rasterio.open(path, "r+") as file:
            file.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
    masks = [rows, rows.T] if kind == "a mask for each band" else [rows]
    flags = "2" if len(masks) == 1 else "0"
    with rasterio.open(
        f"{path}.msk", "w", driver="GTiff", width=8, height=8, count=len(masks), dtype="uint8"
    ) as file:
        file.write(np.stack(masks))
        file.update_tags(INTERNAL_MASK_FLAGS_1=flags, INTERNAL_MASK_FLAGS_2=flags)
    hidden = {"own": HOLE | (alpha == 0) if second is alpha else HOLE}
    if second is numbers:
        hidden["other"] = HOLE.T if len(masks) == 2 else HOLE
    for band, hole in hidden.items():
        expected = np.where(hole, np.nan, numbers)
        np.testing.assert_array_equal(values(one, band, chunks=chunks), expected)
        parsed = parse_item(one)
        layer = next(layer for layer in parsed.layers_of("w") if layer.name == band)
        np.testing.assert_array_equal(read_small(parsed, layer, 8), expected)


@pytest.mark.parametrize(
    "fields",
    [
        {"raster:bands": {"scale": 0.1, "offset": 5, "statistics": {"minimum": 0}}},
        {"bands": {"w": {"raster:scale": 0.1, "raster:offset": 5}}},
        {"raster:bands": [{"statistics": {}, "scale": 0.1, "offset": 5}]},
    ],
)
def test_a_band_that_stands_in_no_list_is_one_all_the_same(made, fields):
    np.testing.assert_allclose(values(made(full(50, "uint8"), fields)), 10, rtol=1e-6)


def test_the_class_that_is_marked_as_no_data_is_no_value(made):
    classes = [{"value": 44, "name": "sea"}, {"value": 48, "name": "none", "nodata": True}]
    one = made(full(44, "uint8", hole=48), {"classification:classes": classes})
    np.testing.assert_array_equal(values(one), np.where(HOLE, np.nan, 44))


@pytest.mark.parametrize("stated", [None, 9])
@pytest.mark.parametrize("chunks", [None, {"time": 1}])
def test_all_classes_that_are_marked_as_no_data_are_no_values(made, stated, chunks):
    """Each of them, and the one that is stated beside them."""
    numbers = np.repeat(np.array([44, 44, 9, 44, 200, "201", 44, 44], "uint8")[:, None], 8, axis=1)
    classes = [{"value": 44, "name": "sea"}]
    classes += [{"value": value, "nodata": True} for value in (200, "201")]
    fields = {"classification:classes": classes}
    hidden = [200, 201]
    if stated is not None:
        fields["nodata"] = stated
        hidden.append(stated)
    one = made(numbers, fields)
    expected = np.where(np.isin(numbers, hidden), np.nan, numbers)
    np.testing.assert_array_equal(values(one, chunks=chunks), expected)
    stored = eo.load([one], bands=["w"], raw=True, chunks=chunks).w
    np.testing.assert_array_equal(stored.where(stored != stored.attrs["nodata"])[0], expected)
    coarse = values(one, chunks=chunks, resolution=20)  # by GDAL's warper
    assert not np.isin(coarse, hidden).any()
    parsed = parse_item(one)
    np.testing.assert_array_equal(read_small(parsed, parsed.layers_of("w")[0], 8), expected)
    found = eo.load([one], bands=["w"])
    assert found.eo.provenance().more_nodata[0] == ("201" if stated is None else "200, 201")
    own = eo.load([one], bands=["w"], nodata=44)
    np.testing.assert_array_equal(own.w[0], np.where(numbers == 44, np.nan, numbers))


@pytest.mark.parametrize("by", ["item", "ingest"])
def test_places_in_a_palette_are_never_averaged(made, tmp_path, config, by):
    numbers = full(10, "uint8")
    numbers[:, ::2] = 40
    one = made(numbers, {"data_type": "uint8"}, name="cover_20210520.tif", palette=True)
    if by == "ingest":
        eo.ingest(one.assets["w"].href, to=tmp_path / "covers", collection="cover", cog=True)
        (one,) = open_source(config, str(tmp_path / "covers" / "collection.json")).search()
    name = next(iter(one.assets))
    found = values(one, name, resolution=20, resampling="average")
    assert set(np.unique(found)) <= {10, 40}


def test_one_object_of_raster_bands_speaks_for_all_bands_of_its_file(made):
    fields = {
        "eo:bands": [{"name": name} for name in ("blue", "green", "red")],
        "raster:bands": [{"data_type": "uint16", "scale": 1e-4, "nodata": 0}],
    }
    one = made([full(5000, "uint16", hole=0)] * 3, fields)
    for band in ("blue", "red"):
        np.testing.assert_allclose(values(one, band), np.where(HOLE, np.nan, 0.5), atol=1e-6)


SCENE = "LC08_L2SP_185052_20210520_20210529_02_T1"


@pytest.mark.parametrize(
    ("name", "number", "value", "fields"),
    [
        (f"{SCENE}_SR_B4.TIF", 10_000, 0.075, {"platform": "landsat-8"}),
        (f"{SCENE}_ST_B10.TIF", 30_000, 251.5406, {"platform": "landsat-8"}),
        ("T33UWP_20210520T100559_B04_10m.tif", 5000, 0.5, {"platform": "sentinel-2b"}),
    ],
)
def test_an_asset_called_in_the_archives_own_way_is_what_its_file_is_called(
    made, name, number, value, fields
):
    """A name of one's own for the asset changes neither its factors nor its fill."""
    numbers = full(number, "uint16", hole=0)
    landsat = fields["platform"] == "landsat-8"
    collection = "landsat-c2-l2" if landsat else "sentinel-2-l2a"
    one = made(numbers, name=name, key="own_one", collection=collection, **fields)
    found = values(one, "own_one")
    np.testing.assert_allclose(found, np.where(HOLE, np.nan, value), rtol=1e-6)
    other = made(numbers, name=f"mean_{name}", key="own_one", collection=collection, **fields)
    np.testing.assert_array_equal(values(other, "own_one"), numbers)


@pytest.mark.parametrize(
    ("name", "stated"),
    [(f"{SCENE}_SR_B4.TIF", {}), ("red.tif", {"title": SCENE})],
    ids=["by its files", "by its title"],
)
def test_landsat_under_an_id_of_the_archives_own_is_landsat(made, name, stated):
    """As Digital Earth Africa keeps it: the collection is called ls8_sr, the id is a number."""
    one = made(
        full(10_000, "uint16", hole=0), {"eo:bands": [{"name": "SR_B4", "common_name": "red"}]},
        name=name, nodata=0, key="SR_B4", platform="LANDSAT_8", collection="ls8_sr", **stated,
    )  # fmt: skip
    np.testing.assert_allclose(values(one, "red"), np.where(HOLE, np.nan, 0.075), atol=1e-6)


def test_a_map_beside_the_name_of_a_scene_is_none(made):
    one = made(full(3, "uint16"), name=f"{SCENE}_flood.tif", key="flood", platform="LANDSAT_8")
    np.testing.assert_array_equal(values(one, "flood"), 3)
