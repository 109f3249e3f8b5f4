"""Masks of other sensors, probabilities and functions; harmonised bands; a warning."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox

from eolab.catalog import clear_fraction, load, mask
from eolab.errors import InvalidInputError

SHAPE = (20, 30)
TRANSFORM = [30.0, 0.0, 500_000.0, 0.0, -30.0, 5_400_000.0]


@pytest.fixture
def scene(tmp_path):
    """Make an item of arrays."""

    def make(arrays, *, collection, platform, **properties):
        outline = {
            "type": "Polygon",
            "coordinates": [[[15, 48.7], [15.02, 48.7], [15.02, 48.8], [15, 48.8], [15, 48.7]]],
        }
        item = pystac.Item(
            f"{platform}-{len(list(tmp_path.iterdir()))}",
            outline,
            [15, 48.7, 15.02, 48.8],
            datetime(2022, 6, 1, 10, tzinfo=UTC),
            {
                "platform": platform,
                "proj:code": "EPSG:32633",
                "proj:transform": TRANSFORM,
                "proj:shape": list(SHAPE),
                **properties,
            },
            collection=collection,
        )
        for key, (values, nodata) in arrays.items():
            path = tmp_path / f"{item.id}-{key}.tif"
            with rasterio.open(
                path,
                "w",
                driver="GTiff",
                width=SHAPE[1],
                height=SHAPE[0],
                count=1,
                dtype=values.dtype,
                crs="EPSG:32633",
                transform=Affine(*TRANSFORM),
                nodata=nodata,
            ) as file:
                file.write(values, 1)
            item.add_asset(key, pystac.Asset(str(path), media_type="image/tiff"))
        return item

    return make


RNG = np.random.default_rng(0)
RED = RNG.integers(7_500, 20_000, SHAPE).astype(np.uint16)


def test_landsat_bits(scene):
    bits = RNG.integers(0, 256, SHAPE).astype(np.uint16)
    item = scene(
        {"red": (RED, 0), "qa_pixel": (bits, 1)}, collection="landsat-c2-l2", platform="landsat-9"
    )
    cube = load([item], bands=["red"], native=True, mask=mask(["cloud", "shadow"]))
    bad = (bits & (1 << 1 | 1 << 2 | 1 << 3 | 1 << 4)) != 0
    assert np.array_equal(np.isnan(cube.red.data[0]), bad)
    np.testing.assert_allclose(cube.red.data[0][~bad], RED[~bad] * 2.75e-5 - 0.2, rtol=1e-4)
    snow = load([item], bands=["red"], native=True, mask=mask("snow"))
    assert np.array_equal(np.isnan(snow.red.data[0]), (bits & (1 << 5)) != 0)
    with pytest.raises(InvalidInputError, match="does not know 'vegetation'"):
        load([item], bands=["red"], native=True, mask=mask("vegetation"))


def test_the_clear_fraction_knows_landsats_fill(scene):
    """Bit 0 is fill, whatever the item declares."""
    bits = np.full(SHAPE, 64, dtype=np.uint16)  # clear
    bits[:, :9] = 1
    bits[:, 9:12] = 8  # cloud
    item = scene({"qa_pixel": (bits, None)}, collection="landsat-c2-l2", platform="landsat-9")
    (row,) = clear_fraction([item]).itertuples()
    assert row.seen == pytest.approx(0.7)
    assert row.clear == pytest.approx(18 / 21)


def test_two_sensors_have_two_masks(scene):
    """Each is loaded by its own layer; together they are one series of harmonised bands."""
    ours = scene(
        {"B04": (RED, 0), "SCL": (np.full(SHAPE, 9, np.uint8), 0)},
        collection="sentinel-2-l2a",
        platform="sentinel-2a",
    )
    theirs = scene(
        {"red": (RED, 0), "qa_pixel": (np.full(SHAPE, 64, np.uint16), 1)},
        collection="landsat-c2-l2",
        platform="landsat-9",
    )
    with pytest.raises(InvalidInputError, match="one quality layer: SCL, qa_pixel") as error:
        load([ours, theirs], bands=["red"], native=True, mask=mask())
    assert "concat" in error.value.hint
    parts = [
        load(item, bands=["red"], native=True, mask=mask(), harmonise="hls")
        for item in (ours, theirs)
    ]
    both = xr.concat(parts, "time").sortby("time")
    share = dict(
        zip(both.platform.values, np.isfinite(both.red).mean(("y", "x")).values, strict=True)
    )
    assert share == {"sentinel-2a": 0, "landsat-9": 1}


def test_a_probability_of_zero_is_clear(scene):
    chance = np.zeros(SHAPE, dtype=np.uint8)
    chance[:10] = 80
    item = scene({"cloud": (chance, None)}, collection="sentinel-2-l2a", platform="sentinel-2a")
    (row,) = clear_fraction([item], mask=mask(probability=40)).itertuples()
    assert (row.seen, row.clear) == (1, 0.5)


def test_growing_is_in_metres_on_a_grid_of_degrees(scene):
    bits = np.full(SHAPE, 4, dtype=np.uint8)
    bits[10, 15] = 9
    item = scene({"SCL": (bits, 0)}, collection="sentinel-2-l2a", platform="sentinel-2a")
    degrees = 30 / 111_320
    item.properties["proj:code"] = "EPSG:4326"
    item.properties["proj:transform"] = [degrees, 0.0, 15.0, 0.0, -degrees, 48.75]
    with rasterio.open(item.assets["SCL"].href, "r+") as file:
        file.crs, file.transform = "EPSG:4326", Affine(degrees, 0.0, 15.0, 0.0, -degrees, 48.75)
    (row,) = clear_fraction([item], mask=mask("cloud", dilate=35)).itertuples()
    assert row.clear == pytest.approx(1 - 5 / 600)  # the pixel and its four neighbours


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"drop": "cloud", "layer": "QA"}, "goes with a function"),
        ({"probability": "30"}, "probability='30'"),
        ({"dilate": "20"}, "dilate='20'"),
        ({"dilate": float("nan")}, "dilate=nan"),
    ],
)
def test_slips_in_a_mask_are_told(wrong, message):
    with pytest.raises(InvalidInputError, match=message):
        mask(**wrong)


@pytest.mark.parametrize("answer", [True, np.ones(SHAPE, bool)])
def test_a_function_that_returns_no_pixels(scene, answer):
    item = scene({"B04": (RED, 0)}, collection="sentinel-2-l2a", platform="sentinel-2a")
    with pytest.raises(InvalidInputError, match="not a value for each pixel"):
        load([item], bands=["red"], native=True, mask=mask(lambda _: answer, layer="B04"))


def test_scenes_stored_in_other_types_keep_their_numbers(scene):
    """In the type of the first a reflectance would be rounded, a large number cut."""
    item = {}
    for dtype, number, nodata in (("uint16", 60_000, 0), ("int16", 7, -1), ("float32", 0.25, -99)):
        values = np.full(SHAPE, number, dtype=dtype)
        values[0] = nodata
        made = scene({"w": (values, nodata)}, collection="own", platform=dtype)
        made.assets["w"].extra_fields["raster:bands"] = [{"data_type": dtype, "nodata": nodata}]
        item[dtype] = made
    for pair in (["uint16", "int16"], ["uint16", "float32"], ["int16", "float32"]):
        for order in (pair, pair[::-1]):
            cube = load([item[dtype] for dtype in order], bands=["w"], native=True)
            assert np.isnan(cube.w.values[:, 0]).all()
            for values, platform in zip(cube.w.values, cube.platform.values, strict=True):
                expected = {"uint16": 60_000, "int16": 7, "float32": 0.25}[platform]
                assert (values[1:] == expected).all(), (order, platform)


@pytest.mark.parametrize(
    ("key", "dtype", "zero"),
    [
        ("elevation", "int16", 0.0),  # metres
        ("CLM", "uint8", 0.0),  # a class: clear
        ("cloud", "uint8", 0.0),  # a probability
        ("SCL", "uint8", np.nan),  # no data
        ("band1", "uint16", 0.0),  # nobody says that it means nothing
        ("flood", "uint8", 0.0),
    ],
)
def test_what_zero_means_where_no_nodata_is_stated(scene, key, dtype, zero):
    values = np.zeros(SHAPE, dtype=dtype)
    values[:10] = 7
    item = scene({key: (values, None)}, collection="own", platform="drone")
    west = TRANSFORM[2] - 300
    box = GeoBox(SHAPE, Affine(30.0, 0.0, west, 0.0, -30.0, TRANSFORM[5]), "EPSG:32633")
    cube = load([item], bands=[key], geobox=box)
    assert np.isnan(cube[key].values[0, :, :10]).all(), "outside of the scene"
    assert (cube[key].values[0, :10, 10:] == 7).all()
    np.testing.assert_array_equal(cube[key].values[0, 10:, 10:], zero)


def test_a_band_is_not_called_like_a_coordinate(scene):
    item = scene({"x": (RED, 0)}, collection="own", platform="drone")
    with pytest.raises(InvalidInputError, match="a coordinate of the cube"):
        load([item], native=True)


def test_hls_bits(scene):
    bits = RNG.integers(0, 64, SHAPE).astype(np.uint8)
    red = RNG.integers(100, 5_000, SHAPE).astype(np.int16)
    red[0, 0] = -9999
    item = scene(
        {"B04": (red, -9999), "Fmask": (bits, 255)},
        collection="HLSS30.v2.0",
        platform="sentinel-2a",
    )
    cube = load([item], bands=["red"], native=True, mask=mask(["cloud"]))
    bad = ((bits & 0b110) != 0) | (red == -9999)
    assert np.array_equal(np.isnan(cube.red.data[0]), bad)
    np.testing.assert_allclose(cube.red.data[0][~bad], red[~bad] * 1e-4, rtol=1e-5)


def test_probabilities_and_functions(scene):
    chance = RNG.integers(0, 101, SHAPE).astype(np.uint8)
    layers = {"B04": (RED, 0), "cloud": (chance, None)}
    item = scene(layers, collection="sentinel-2-l2a", platform="sentinel-2a")
    cube = load([item], bands=["red"], native=True, mask=mask(probability=40))
    assert np.array_equal(np.isnan(cube.red.data[0]), chance >= 40)
    own = mask(lambda layer: layer < 10, layer="cloud")
    cube = load([item], bands=["red"], native=True, mask=own)
    assert np.array_equal(np.isnan(cube.red.data[0]), chance < 10)
    with pytest.raises(InvalidInputError, match="layer="):
        mask(lambda layer: layer > 1)
    with pytest.raises(InvalidInputError, match="knows clouds only"):
        mask(["snow"], probability=40)


class TestHarmonise:
    def test_sentinel_2_comes_to_olis_bands(self, scene):
        numbers = {"B04": (RED, 0), "B8A": (RED, 0)}
        version = {"s2:processing_baseline": "05.10"}
        for letter, slope, intercept in (("a", 0.9765, 0.0009), ("b", 0.9761, 0.0010)):
            item = scene(
                numbers, collection="sentinel-2-l2a", platform=f"sentinel-2{letter}", **version
            )
            cube = load([item], bands=["red", "nir08"], native=True, harmonise="hls")
            surface = RED * 1e-4 - 0.1
            np.testing.assert_allclose(cube.red.data[0], surface * slope + intercept, rtol=1e-4)
        assert "brought to OLI" in cube.attrs["eolab_radiometry"]

    def test_sentinel_2c_is_known_and_what_is_not_is_named(self, scene):
        version = {"s2:processing_baseline": "05.11"}
        kind = {"collection": "sentinel-2-l2a", **version}
        item = scene({"B04": (RED, 0)}, platform="sentinel-2c", **kind)
        cube = load([item], bands=["red"], native=True, harmonise="hls")
        wanted = (RED * 1e-4 - 0.1) * 0.9718 + 0.0011
        np.testing.assert_allclose(cube.red.data[0], wanted, rtol=1e-4)
        later = scene({"B04": (RED, 0)}, platform="sentinel-2d", **kind)
        with pytest.raises(InvalidInputError, match="red of sentinel-2d") as error:
            load([item, later], bands=["red"], native=True, harmonise="hls")
        assert "sentinel-2a, -2b and -2c" in error.value.hint

    def test_landsat_stays(self, scene):
        item = scene({"red": (RED, 0)}, collection="landsat-c2-l2", platform="landsat-9")
        one, other = (load([item], bands=["red"], native=True, harmonise=h) for h in (None, "hls"))
        assert np.array_equal(one.red, other.red)

    def test_a_band_without_coefficients_is_refused(self, scene):
        item = scene({"B08": (RED, 0)}, collection="sentinel-2-l2a", platform="sentinel-2a")
        with pytest.raises(InvalidInputError, match="no HLS coefficients for nir"):
            load([item], bands=["nir"], native=True, harmonise="hls")
        with pytest.raises(InvalidInputError, match="harmonise"):
            load([item], bands=["nir"], native=True, harmonise="hsl")


def test_much_negative_red_warns(scene):
    dark = RNG.integers(300, 1_200, SHAPE).astype(np.uint16)
    version = {"s2:processing_baseline": "05.10"}
    item = scene({"B04": (dark, 0)}, collection="x", platform="sentinel-2a", **version)
    with pytest.warns(UserWarning, match="negative"):
        load([item], bands=["red"], native=True)
