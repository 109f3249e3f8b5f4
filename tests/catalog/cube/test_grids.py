"""Grids of any pixel shape, direction and unit: every value is there, and metres are metres."""

from __future__ import annotations

import numpy as np
import pyproj
import pystac
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import box, mapping

import eolab as eo
from eolab.catalog.cube.grid import pixel_metres
from eolab.catalog.items.quality_masks import grow

COUNT = np.arange(48, dtype="float32").reshape(8, 6)


def write(path, values, transform, crs="EPSG:32633", nodata=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1,
        dtype=values.dtype, crs=crs, transform=transform, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def load(tmp_path, values, transform, crs="EPSG:32633", **options):
    write(tmp_path / "in" / "v_20210517.tif", values, transform, crs)
    made = eo.ingest(tmp_path / "in", to=tmp_path / "own", collection="own")
    return eo.load(eo.workspace(tmp_path).catalog(str(made.catalog)).search(), **options)


def turned(angle, *, wide=10, high=10):
    at = Affine.translation(500_000, 5_200_000)
    return at @ Affine.rotation(angle) @ Affine.scale(wide, -high)


@pytest.mark.parametrize(
    ("transform", "upright"),
    [
        (turned(0), COUNT),
        (turned(90), np.rot90(COUNT)),
        (turned(180), np.rot90(COUNT, 2)),
        (turned(270), np.rot90(COUNT, 3)),
        (Affine(10, 0, 500_000, 0, 10, 5_200_000), COUNT[::-1]),  # south at the top
        (Affine(0, 10, 500_000, -10, 0, 5_200_000), COUNT.T),  # rows and columns exchanged
    ],
    ids=["upright", "90", "180", "270", "south-up", "transposed"],
)
def test_a_raster_on_its_side_keeps_every_value(tmp_path, transform, upright):
    cube = load(tmp_path, COUNT, transform)
    np.testing.assert_array_equal(cube.data[0], upright)
    assert (cube.odc.geobox.resolution.x, cube.odc.geobox.resolution.y) == (10, -10)


def test_a_raster_turned_by_any_angle_keeps_its_pixel_size(tmp_path):
    cube = load(tmp_path, COUNT, turned(30))
    assert cube.odc.geobox.resolution.x == pytest.approx(10)
    here = float(cube.data[0].sel(x=500_000 + 30 * 0.866 + 15, y=5_200_000 - 20, method="nearest"))
    column, row = ~turned(30) @ (500_000 + 30 * 0.866 + 15, 5_200_000 - 20)
    assert here in COUNT[int(row) - 1 : int(row) + 2, int(column) - 1 : int(column) + 2]


def test_pixels_that_are_not_square_keep_every_row_and_column(tmp_path):
    rows = np.arange(36 * 4, dtype="float32").reshape(36, 4)
    cube = load(tmp_path, rows, Affine(1 / 360, 0, -180, 0, -1 / 3600, -89), "EPSG:4326")
    np.testing.assert_array_equal(cube.data[0], rows)


def test_pixels_that_are_not_square_are_kept_on_their_side_too(tmp_path):
    cube = load(tmp_path, COUNT, turned(90, high=20))
    np.testing.assert_array_equal(cube.data[0], np.rot90(COUNT))
    assert (cube.odc.geobox.resolution.x, cube.odc.geobox.resolution.y) == (20, -10)


def test_the_pixel_size_of_another_system_is_as_large_on_the_ground(tmp_path):
    north = Affine(10, 0, 500_000, 0, -10, 6_650_000)  # 60 degrees
    write(tmp_path / "in" / "v_20210517.tif", COUNT, north)
    made = eo.ingest(tmp_path / "in", to=tmp_path / "own", collection="own")
    items = eo.workspace(tmp_path).catalog(str(made.catalog)).search()

    def size(crs):
        return eo.estimate_load(items, crs=crs).grid.resolution.x

    assert [size(crs) for crs in ("EPSG:32633", "EPSG:32632", "EPSG:3035")] == [10, 10, 10]
    assert size("EPSG:3857") == pytest.approx(20, rel=0.01)
    assert size("+proj=utm +zone=33 +units=us-ft") == pytest.approx(32.81, rel=0.001)
    assert eo.load(items, crs="EPSG:3857").sizes["y"] in (8, 9)


def grid_at(latitude, crs, rows=101):
    x, y = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(15, latitude)
    wide, high = {
        "EPSG:4326": (10 / 111_320 / np.cos(np.radians(latitude)), 10 / 111_320),
        "EPSG:3857": (10 / np.cos(np.radians(latitude)),) * 2,
    }.get(crs, (10 / 0.3048006,) * 2 if "ft" in crs else (10, 10))
    return GeoBox((rows, rows), Affine(wide, 0, x, 0, -high, y), crs)


FEET = "+proj=utm +zone=33 +units=us-ft"


@pytest.mark.parametrize("latitude", [0.1, 45, 60, 70])
@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:3857", "EPSG:4326", FEET])
def test_a_mask_grows_by_metres_on_the_ground(latitude, crs):
    grid = grid_at(latitude, crs)
    cloud = np.zeros(grid.shape, dtype=bool)
    cloud[50, 50] = True
    grown = grow(cloud, metres=405, size=pixel_metres(grid))
    assert grown.sum() == pytest.approx(np.pi * 40.5**2, rel=0.02)


def test_a_mask_grows_with_the_width_of_a_degree():
    grid = GeoBox.from_bbox((0, 0, 1, 80), "EPSG:4326", resolution=0.05)
    height, width = pixel_metres(grid)
    assert width[-1] == pytest.approx(0.05 * 111_320, rel=0.001)
    assert width[0] == pytest.approx(width[-1] * np.cos(np.radians(79.975)), rel=0.01)
    assert height == pytest.approx(0.05 * 111_132, rel=0.006)
    clouds = np.zeros(grid.shape, dtype=bool)
    for row in (400, 1200):  # 60 and 20 degrees north
        clouds[row, 0] = True
    grown = grow(clouds, metres=25_000, size=pixel_metres(grid))
    assert (grown[400].sum(), grown[1200].sum()) == (9, 5)


def test_whole_true_metres_stay_what_the_grid_says():
    height, width = pixel_metres(grid_at(60, "EPSG:32633"))
    assert set(height) == set(width) == {10.0}


def test_a_loaded_mask_is_dilated_in_feet(tmp_path):
    x, y = pyproj.Transformer.from_crs(4326, 2263, always_xy=True).transform(-74, 40.7)
    transform = Affine(10, 0, x, 0, -10, y)
    classes = np.full((41, 41), 4, "uint8")
    classes[20, 20] = 9
    shape = box(-74.01, 40.69, -73.99, 40.71)
    item = pystac.Item(
        "S2A_x",
        mapping(shape),
        list(shape.bounds),
        np.datetime64("2022-05-17T10:10:31").item(),
        {"platform": "sentinel-2a", "proj:code": "EPSG:2263"},
        collection="sentinel-2-l2a",
    )
    for key, values in (("B04", np.full((41, 41), 2000, "uint16")), ("SCL", classes)):
        path = write(tmp_path / f"{key}.tif", values, transform, "EPSG:2263", nodata=0)
        item.add_asset(key, pystac.Asset(str(path), media_type="image/tiff", roles=["data"]))
    cube = eo.load(item, bands=["red"], native=True, mask=eo.mask(dilate=50))
    assert int(cube.red.isnull().sum()) == pytest.approx(np.pi * (50 / 3.048) ** 2, rel=0.03)
