"""Numbers that are measured stay measured: not their name, and no neighbour, makes them another."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from rasterio.transform import from_origin

import eolab as eo
from eolab.catalog import ingest, load, resolve_duplicates
from eolab.catalog.cube.composite import composite
from tests.catalog.cube.test_layers import full, scene, write  # noqa: F401  (`write` is a fixture)


def read(item, band, **options):
    return load([item], bands=[band], native=True, **options)[band].to_numpy()[0, 0, 0]


@pytest.mark.parametrize("name", ["snow", "cloud", "qa"])
def test_a_declared_scale_counts_whatever_the_layer_is_called(write, name):  # noqa: F811
    stated = {"raster:bands": [{"data_type": "uint16", "scale": 0.01, "offset": 0}]}
    item = scene("depth", {name: (write(name, full(350, "uint16")), stated)})
    assert read(item, name) == pytest.approx(3.5)
    assert list(load([item], native=True)) == [name]


def test_a_layer_called_cloud_of_which_nothing_is_said_is_classes(write):  # noqa: F811
    item = scene("flags", {"cloud": (write("c", full(3, "uint8")), {"data_type": "uint8"})})
    assert read(item, "cloud") == 3


def test_bands_of_a_file_called_as_classes_keep_their_scale(tmp_path):
    cube = xr.Dataset(
        {
            "cloud": (("y", "x"), np.full((3, 3), 50, "i2"), {"scale_factor": 0.01}),
            "t2m": (("y", "x"), np.full((3, 3), 50, "i2"), {"scale_factor": 0.1}),
        },
        {"y": [50.0, 49.0, 48.0], "x": [10.0, 11.0, 12.0]},
    ).odc.assign_crs("EPSG:4326")
    cube.to_netcdf(tmp_path / "weather_20240501.nc")
    made = load(found(tmp_path), native=True)
    assert made["cloud"].to_numpy()[0, 0, 0] == pytest.approx(0.5)
    assert made["t2m"].to_numpy()[0, 0, 0] == pytest.approx(5.0)


def found(folder, name="weather_20240501.nc"):
    made = ingest(folder / name, to=folder / "made", collection="own")
    return eo.workspace(folder).catalog(str(made.catalog)).search()


@pytest.mark.parametrize(
    ("name", "stated", "value"),
    [
        (
            "S2A_MSIL2A_20220517T101031_N0510_R022_T33TWN_20220517T150000",
            {"scale": 1e-4, "offset": -0.1},
            0.35,
        ),
        (
            "LC09_L2SP_190027_20220517_20220519_02_T1",
            {"scale": 2.75e-5, "offset": -0.2},
            0.35,
        ),
    ],
)
def test_real_numbers_of_a_product_are_never_scaled_again(write, name, stated, value):  # noqa: F811
    key = "B04" if name.startswith("S2") else "SR_B4"
    item = scene(name, {key: (write("real", full(0.35, "float32")), {"raster:bands": [stated]})})
    assert read(item, key) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("ending", ["", ".SAFE"])
@pytest.mark.parametrize(("baseline", "value"), [("N0400", 0.1), ("N0510", 0.1), ("N0301", 0.2)])
def test_the_baseline_in_the_name_of_a_product_counts(write, baseline, value, ending):  # noqa: F811
    name = f"S2A_MSIL2A_20220517T101031_{baseline}_R022_T33TWN_20220517T150000{ending}"
    item = scene(name, {"B04": (write("dn", full(2000, "uint16")), {})})
    assert read(item, "B04") == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "key", "number", "value"),
    [
        ("LC09_L2SP_190027_20220517_20220519_02_T1", "B6", 20_000, 0.35),
        ("LC09_L2SP_190027_20220517_20220519_02_T1", "B04", 20_000, 0.35),
        ("LT05_L2SP_190027_20020517_20200519_02_T1", "B6", 44_000, 299.39288),
    ],
)
def test_bare_bands_of_landsat_are_those_of_their_sensor(write, name, key, number, value):  # noqa: F811
    item = scene(name, {key: (write(key, full(number, "uint16")), {})})
    assert read(item, key) == pytest.approx(value, rel=1e-5)


def test_a_composite_keeps_digits_of_large_numbers(write):  # noqa: F811
    item = scene("ids", {"id": (write("ids", full(16_777_217, "uint32")), {})})
    for chunks in (None, {"x": 4, "y": 4}):
        cube = load([item], bands=["id"], native=True, chunks=chunks)
        assert int(composite(cube, "median")["id"].to_numpy()[0, 0, 0]) == 16_777_217


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
def test_the_lowest_stored_number_is_a_value_where_nobody_says_otherwise(write, dtype):  # noqa: F811
    lowest = np.iinfo(dtype).min
    item = scene("low", {"depth": (write(dtype, full(lowest, dtype)), {"data_type": dtype})})
    cube = load([item], bands=["depth"], native=True, raw=True)
    assert cube["depth"].to_numpy()[0, 0, 0] == lowest
    assert cube["depth"].attrs["nodata"] != lowest


def test_stored_numbers_saved_and_ingested_keep_their_nodata(write, tmp_path):  # noqa: F811
    values = full(1000, "uint16")
    values[0] = 0
    item = scene("dn", {"dn": (write("dn", values, nodata=0), {})})
    load([item], bands=["dn"], native=True, raw=True).to_netcdf(tmp_path / "raw_20210517.nc")
    again = load(found(tmp_path, "raw_20210517.nc"), bands=["dn"], native=True)["dn"]
    assert np.isnan(again.to_numpy()[0, 0]).all()
    assert (again.to_numpy()[0, 1:] == 1000).all()


@pytest.mark.parametrize("factor", [0.1, 10])
def test_packed_axes_are_unpacked(tmp_path, factor):
    degrees = np.array([10.0, 11.0, 12.0])
    cube = xr.Dataset(
        {"t": (("time", "lat", "lon"), np.ones((2, 3, 3), "f4"))},
        {
            "lat": ("lat", [50.0, 49.0, 48.0], {"units": "degrees_north"}),
            "lon": (
                "lon",
                np.round(degrees / factor * 10).astype("i4"),
                {"units": "degrees_east", "scale_factor": factor / 10},
            ),
            "time": ("time", [0, 1], {"units": "hours since 2024-05-01", "scale_factor": 6.0}),
        },
    )
    cube.to_netcdf(tmp_path / "packed.nc")
    made = load(found(tmp_path, "packed.nc"), native=True)
    np.testing.assert_allclose(made.x if "x" in made.coords else made.longitude, degrees)
    assert [str(time)[11:13] for time in made.time.to_numpy()] == ["00", "06"]


def test_all_numbers_that_mean_missing_are_missing(tmp_path):
    attrs = {"_FillValue": np.int16(-32767), "missing_value": np.int16(-9999), "scale_factor": 0.1}
    cube = xr.Dataset(
        {"h": (("y", "x"), np.array([[-9999, -32767], [100, 200]], "i2"), attrs)},
        {"y": [50.0, 49.0], "x": [10.0, 11.0]},
    ).odc.assign_crs("EPSG:4326")
    cube.to_netcdf(tmp_path / "h_20240501.nc")
    made = load(found(tmp_path, "h_20240501.nc"), native=True)["h"].to_numpy()[0]
    np.testing.assert_allclose(made, [[np.nan, np.nan], [10.0, 20.0]])


def test_tags_of_a_scale_count_in_a_collection_of_own_rasters_too(tmp_path):
    path = tmp_path / "height_20240501.tif"
    profile = {"width": 3, "height": 3, "count": 1, "crs": "EPSG:32633"}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="int16",
        transform=from_origin(5e5, 52e5, 10, 10),
        **profile,
    ) as file:
        file.write(np.full((1, 3, 3), 7, "i2"))
        file.update_tags(scale_factor=0.5, add_offset=1)
    made = load(found(tmp_path, path.name), native=True)
    assert float(made[next(iter(made))].to_numpy()[0, 0, 0]) == 4.5


def test_a_mask_turns_with_its_raster(tmp_path):
    path = tmp_path / "global_20240501.tif"
    seen = np.full((18, 36), 255, "u1")
    seen[:, :3] = 0
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", width=36, height=18, count=1, dtype="uint8",
            crs="EPSG:4326", transform=from_origin(0, 90, 10, 10),
        ) as file,
    ):  # fmt: skip
        file.write(np.broadcast_to(np.arange(36, dtype="u1"), (1, 18, 36)))
        file.write_mask(seen)
    made = load(found(tmp_path, path.name), native=True)
    values = made[next(iter(made))].to_numpy()[0, 0]
    assert np.isnan(values[18:21]).all()  # 0 to 30 degrees east
    assert values[:18].tolist() == list(range(18, 36))
    assert values[21:].tolist() == list(range(3, 18))


def another(name, hour, minute=0, **properties):
    time = datetime(2024, 5, 1, hour, minute, tzinfo=UTC)
    item = pystac.Item(name, None, None, time, {"grid:code": "MGRS-33TWN", **properties})
    item.collection_id = properties.get("from", "own")
    return item


@pytest.mark.parametrize(
    "items",
    [
        [
            another("HLS.L30.T33TWN.2024122T095000.v2.0", 9, 50),
            another("HLS.S30.T33TWN.2024122T095500.v2.0", 9, 55),
        ],
        [another("a", 10), another("b", 11, 40, **{"from": "other"})],
        [another(f"h{k}", k, **{"processing:version": f"1.{k}"}) for k in range(3)],
    ],
)
def test_looks_at_other_times_or_by_other_sensors_are_no_duplicates(items):
    kept = resolve_duplicates(items)
    assert len(kept.items) == len(items)
    assert not kept.dropped


def test_another_baseline_of_one_pass_is_still_a_duplicate():
    old = another("old", 10, **{"processing:version": "1.0"})
    new = another("new", 10, 2, **{"processing:version": "1.1"})
    assert [item.id for item in resolve_duplicates([old, new]).items] == ["new"]
