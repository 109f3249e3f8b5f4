"""A user's files become a valid collection that loads like any other."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
import rasterio
import rasterio.shutil
import shapely
import xarray as xr
from affine import Affine
from odc.geo import CRS
from pystac.validation import validate_dict

from eolab.catalog import ingest, load, open_source
from eolab.errors import BadInput, NotFound


def write(path, values, *, crs="EPSG:32633", tags=None, **profile):
    path.parent.mkdir(parents=True, exist_ok=True)
    stack = values if values.ndim == 3 else values[None]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=stack.shape[2],
        height=stack.shape[1],
        count=stack.shape[0],
        dtype=stack.dtype,
        crs=crs,
        transform=Affine(10, 0, 500_000, 0, -10, 5_400_000),
        **profile,
    ) as file:
        file.write(stack)
        file.update_tags(**(tags or {}))


VALUES = np.arange(600, dtype=np.uint16).reshape(20, 30) + 1


def test_the_slovenia_files_become_the_slovenia_catalogue(shared_data, tmp_path, config):
    folder = shared_data / "eolearn-slovenia-stac"
    done = ingest(folder, to=tmp_path / "c", collection="mine")
    assert len(done.items) == 5
    assert done.skipped == ()
    source = open_source(config, str(tmp_path / "c"))
    theirs = open_source(config, str(folder)).search()
    ours = source.search()
    assert [i.datetime.date() for i in ours] == [i.datetime.date() for i in theirs]
    mine, reference = (load(i, bands=["red", "B11"], native=True, raw=True) for i in (ours, theirs))
    for band in ("red", "B11"):
        assert np.array_equal(mine[band].data, reference[band].data)
    for document in [done.catalog, *(tmp_path / "c").glob("*/*.json")]:
        validate_dict({**json.loads(document.read_text()), "stac_extensions": []})


def test_bad_files_are_listed_and_copies_are_cloud_optimized(tmp_path, config):
    files = tmp_path / "files"
    write(files / "scene_20240501_B04.tif", VALUES, nodata=0)
    write(files / "scene_20240501_B08.tif", VALUES * 2, nodata=0)
    write(files / "other_2024-06-02.tif", np.stack([VALUES] * 3))
    write(files / "tagged.tif", VALUES, tags={"TIFFTAG_DATETIME": "2024:07:03 10:11:12"})
    write(files / "dateless.tif", VALUES)
    write(files / "nowhere_20240101.tif", VALUES, crs=None)
    (files / "broken_20240101.tif").write_bytes(b"II*\0nonsense")
    done = ingest(files, to=tmp_path / "c", collection="mine", cog=True)
    assert set(done.items) == {"scene_20240501", "other_2024-06-02", "tagged"}
    assert done.converted == 4
    names = {s.href.rpartition("/")[2]: s.message for s in done.skipped}
    assert set(names) == {"dateless.tif", "nowhere_20240101.tif", "broken_20240101.tif"}
    assert "no date" in names["dateless.tif"]
    assert "reference system" in names["nowhere_20240101.tif"]

    source = open_source(config, str(tmp_path / "c"))
    times = {i.id: i.datetime.isoformat()[:19] for i in source.search()}
    assert times["scene_20240501"] == "2024-05-01T00:00:00"
    assert times["tagged"] == "2024-07-03T10:11:12"
    item = source.item("mine", "scene_20240501")
    assert set(item.assets) == {"B04", "B08"}
    with rasterio.open(item.assets["B04"].href) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert np.array_equal(file.read(1), VALUES)
    cube = load([item], bands=["B04", "B08"], native=True)
    assert np.array_equal(cube.B08.data[0], VALUES * 2)


def test_a_second_call_takes_up_what_is_new(tmp_path):
    files, to = tmp_path / "files", tmp_path / "c"
    write(files / "a_20240501.tif", VALUES)
    assert ingest(files, to=to, collection="mine", cog=True).converted == 1
    write(files / "b_20240502.tif", VALUES)
    again = ingest(files, to=to, collection="mine", cog=True)
    assert again.converted == 1
    shutil.rmtree(files)
    write(files / "c_20240503.tif", VALUES)
    ingest(files, to=to, collection="mine", cog=True)
    collection = pystac.Collection.from_file(str(to / "collection.json"))
    assert sorted(i.id for i in collection.get_items()) == [
        "a_20240501",
        "b_20240502",
        "c_20240503",
    ]
    assert collection.extent.temporal.intervals[0][1].day == 3


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("S2A_MSIL2A_20240501T101031_N0510_R065_T33UVP_B04", None, "2024-05-01T10:10:31"),
        ("LC08_2024122_red", None, "2024-05-01T00:00:00"),
        ("x_05-03-24", r"(?P<day>\d\d)-(?P<month>\d\d)-(?P<year>\d\d)", None),
        (
            "run7_d03m04y2023",
            r"d(?P<day>\d+)m(?P<month>\d+)y(?P<year>\d{4})",
            "2023-04-03T00:00:00",
        ),
    ],
)
def test_dates_in_names(tmp_path, config, name, pattern, expected):
    write(tmp_path / "files" / f"{name}.tif", VALUES)
    done = ingest(tmp_path / "files", to=tmp_path / "c", collection="mine", pattern=pattern)
    (item,) = open_source(config, str(done.catalog)).search()
    if expected is not None:
        assert item.datetime.isoformat()[:19] == expected
    if name.startswith("S2A"):
        assert item.properties["s2:processing_baseline"] == "05.10"
        assert item.properties["grid:code"] == "MGRS-33UVP"
        # The offset is decided from the name.
        cube = load([item], bands=["red"], native=True)
        np.testing.assert_allclose(cube.red.data[0], VALUES * 1e-4 - 0.1, atol=1e-6)


def test_netcdf_files(tmp_path, config):
    write(tmp_path / "ndvi.tif", VALUES.astype("float32"))
    (tmp_path / "files").mkdir()
    target = tmp_path / "files" / "ndvi_20240501.nc"
    rasterio.shutil.copy(tmp_path / "ndvi.tif", target, driver="netCDF")
    # Variables with a reference system but no coordinates lie nowhere.
    cube = xr.Dataset({"a": (("y", "x"), VALUES * 1.0), "b": (("y", "x"), VALUES * 2.0)})
    cube = cube.assign_coords(spatial_ref=xr.DataArray(0, attrs={"spatial_ref": CRS(32633).wkt}))
    for band in ("a", "b"):
        cube[band].attrs["grid_mapping"] = "spatial_ref"
    cube.to_netcdf(tmp_path / "files" / "lost_20240601.nc", engine="scipy")
    done = ingest(tmp_path / "files", to=tmp_path / "c", collection="mine")
    assert [s.href.rpartition("/")[2] for s in done.skipped] == ["lost_20240601.nc"]
    (item,) = open_source(config, str(done.catalog)).search()
    loaded = load([item], native=True).isel(time=0).sortby("y", ascending=False)
    (name,) = loaded.data_vars
    assert loaded.y.data[0] == 5_399_995
    assert np.array_equal(loaded[name].data, VALUES)


def test_what_cannot_be_ingested_is_said(tmp_path):
    with pytest.raises(NotFound, match="not there"):
        ingest(tmp_path / "none", to=tmp_path / "c", collection="mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="no raster"):
        ingest(tmp_path / "empty", to=tmp_path / "c", collection="mine")
    write(tmp_path / "files" / "x.tif", VALUES)
    with pytest.raises(NotFound) as error:
        ingest(tmp_path / "files", to=tmp_path / "c", collection="mine")
    assert "no date" in error.value.hint
    for wrong in ({"pattern": "("}, {"pattern": "x"}, {"collection": "../x"}):
        with pytest.raises(BadInput):
            ingest(tmp_path / "files", **{"to": tmp_path / "c", "collection": "mine", **wrong})


def write_zarr(folder, values, times):
    """A Zarr store of version 2, by hand: values (time, y, x), CF conventions."""
    import zlib

    folder.mkdir(parents=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}')

    def array(name, data, dims, **attributes):
        home = folder / name
        home.mkdir()
        about = {
            "zarr_format": 2, "shape": list(data.shape), "chunks": list(data.shape),
            "dtype": data.dtype.str, "compressor": {"id": "zlib", "level": 4},
            "fill_value": None, "filters": None, "order": "C",
        }  # fmt: skip
        (home / ".zarray").write_text(json.dumps(about))
        (home / ".zattrs").write_text(json.dumps({"_ARRAY_DIMENSIONS": dims, **attributes}))
        chunk = ".".join("0" * data.ndim) or "0"
        (home / chunk).write_bytes(zlib.compress(np.ascontiguousarray(data).tobytes()))

    _, rows, columns = values.shape
    array("x", 500_005 + 10.0 * np.arange(columns), ["x"])
    array("y", 5_399_995 - 10.0 * np.arange(rows), ["y"])
    array("time", np.array(times, "<i8"), ["time"], units="hours since 2021-05-01")
    array("spatial_ref", np.array(0, "<i8"), [], crs_wkt=CRS("EPSG:32633").to_wkt())
    array("ndvi", values, ["time", "y", "x"], grid_mapping="spatial_ref")
    array("soil", values[0] * 2, ["y", "x"], grid_mapping="spatial_ref")


def test_a_zarr_store_becomes_an_item_a_time_step(tmp_path, config):
    values = np.random.default_rng(0).uniform(0, 1, (3, 20, 30)).astype("<f4")
    write_zarr(tmp_path / "in" / "cube_20210501.zarr", values, [0, 36, 12])
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="cubes")
    assert done.skipped == ()
    items = open_source(config, str(tmp_path / "c")).search()
    with_ndvi = [i for i in items if "ndvi" in i.assets]
    times = [f"{i.datetime:%Y-%m-%dT%H}" for i in with_ndvi]
    assert times == ["2021-05-01T00", "2021-05-01T12", "2021-05-02T12"]
    for item, k in zip(with_ndvi, (0, 2, 1), strict=True):
        cube = load([item], bands=["ndvi"], native=True)
        np.testing.assert_allclose(cube.ndvi.data[0], values[k], rtol=1e-6)
    (soil,) = [i for i in items if "soil" in i.assets]
    np.testing.assert_allclose(load([soil], native=True).soil.data[0], values[0] * 2, rtol=1e-6)


def test_an_asset_may_be_an_array_of_a_zarr_store(tmp_path):
    values = np.random.default_rng(1).uniform(0, 1, (1, 20, 30)).astype("<f4")
    write_zarr(tmp_path / "cube.zarr", values, [0])
    item = pystac.Item(
        "z",
        shapely.box(14.99, 48.7, 15.01, 48.8).__geo_interface__,
        [14.99, 48.7, 15.01, 48.8],
        datetime(2021, 5, 1, tzinfo=UTC),
        {"proj:code": "EPSG:32633"},
    )
    media = "application/vnd.zarr; version=2"
    item.add_asset("soil", pystac.Asset(str(tmp_path / "cube.zarr" / "soil"), media_type=media))
    cube = load([item], bands=["soil"], native=True)
    np.testing.assert_allclose(cube.soil.data[0], values[0] * 2, rtol=1e-6)
    item.assets["soil"].href = str(tmp_path / "cube.zarr" / "nothing")
    with pytest.raises(NotFound):
        load([item], bands=["soil"], native=True)
