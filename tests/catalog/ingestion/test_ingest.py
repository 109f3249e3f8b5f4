"""A user's files become a valid collection that loads like any other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
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

from eolab.catalog import download, ingest, load, mask, open_source
from eolab.catalog.panel.previews import preview, thumbnail
from eolab.catalog.sources.api import ApiSource
from eolab.errors import InvalidInputError, NotFoundError
from eolab.settings import config as configuration


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


@pytest.fixture(autouse=True)
def here(config, tmp_path, monkeypatch):
    """The workspace of the tests is the one that counts."""
    monkeypatch.chdir(tmp_path)


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
        # PlanetScope: date, clock and numbers that are none.
        ("20230517_101010_12_2426_3B_AnalyticMS_SR_8b", None, "2023-05-17T10:10:10"),
        ("20230517_20230525_pair", None, "2023-05-17T00:00:00"),
        ("ortho_17May2023", None, "2023-05-17T00:00:00"),
        ("NDVI_2023_02", None, "2023-02-01T00:00:00"),
        ("v201012_2023-05-17", None, "2023-05-17T00:00:00"),
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


def test_a_folder_of_landsat_is_one_item_with_its_mask(tmp_path, config):
    """As USGS delivers it; a date in the folder's name is not that of the scene."""
    scene, folder = "LC09_L2SP_190027_20230517_20230525_02_T1", tmp_path / "2023-06-01"
    stored = np.where(VALUES < 300, 0, VALUES + 8000).astype(np.uint16)
    for layer, values in (
        ("SR_B4", stored),
        ("SR_B5", stored + 1000),
        ("ST_B10", stored + 36_000),
        ("QA_PIXEL", np.where(VALUES % 7, 64, 8).astype(np.uint16)),
        ("SR_QA_AEROSOL", (VALUES % 200).astype(np.uint8)),
    ):
        write(folder / f"{scene}_{layer}.TIF", values)
    done = ingest(folder, to=tmp_path / "c", collection="mine")
    assert done.items == (scene,)
    (item,) = open_source(config, str(done.catalog)).search()
    assert (item.datetime.day, item.properties["platform"]) == (17, "landsat-9")
    cube = load([item], bands=["red", "nir", "lwir11"], native=True, mask=mask("cloud"))
    clear = (stored > 0) & (VALUES % 7 > 0)
    assert np.array_equal(np.isfinite(cube.red.data[0]), clear)
    assert (cube.red.units, cube.lwir11.units) == ("1", "kelvin")
    red, kelvin = cube.red.data[0][clear], cube.lwir11.data[0][clear]
    np.testing.assert_allclose(red, stored[clear] * 2.75e-5 - 0.2, atol=1e-6)
    np.testing.assert_allclose(kelvin, (stored[clear] + 36_000) * 0.00341802 + 149, rtol=1e-6)
    assert set(load([item], native=True).data_vars) == {"red", "nir08", "lwir11"}
    flags = load(
        [item], bands=["SR_QA_AEROSOL"], crs="EPSG:32633", resolution=7, resampling="cubic"
    )
    inside = flags.SR_QA_AEROSOL.values[0, 1:-1, 1:-1]
    assert set(np.unique(inside)) <= {*range(255)}


def test_a_picture_of_planet_and_its_mask_are_one_item(tmp_path, config):
    """As two items of one day they would be laid over each other."""
    scene = "20230517_101010_12_2426_3B"
    write(tmp_path / "in" / f"{scene}_AnalyticMS_SR_8b_clip.tif", np.stack([VALUES] * 4))
    write(tmp_path / "in" / f"{scene}_udm2_clip.tif", np.stack([VALUES] * 4))
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine")
    (item,) = open_source(config, str(done.catalog)).search()
    assert (item.id, f"{item.datetime:%H:%M:%S}") == (scene, "10:10:10")
    assert set(item.assets) == {"AnalyticMS_SR_8b_clip", "udm2_clip"}
    with pytest.raises(InvalidInputError, match="several bands"):
        load([item], bands=["band1"], native=True)
    load([item], bands=["AnalyticMS_SR_8b_clip.4", "udm2_clip.1"], native=True)


def test_files_without_a_time_are_given_one(tmp_path, config):
    write(tmp_path / "files" / "dem.tif", VALUES)
    with pytest.raises(NotFoundError, match="none of 1 files could be used") as error:
        ingest(tmp_path / "files", to=tmp_path / "c", collection="mine")
    assert "time=" in error.value.hint
    done = ingest(tmp_path / "files", to=tmp_path / "c", collection="mine", time="2021-05")
    (item,) = open_source(config, str(done.catalog)).search()
    assert item.datetime == datetime(2021, 5, 1, tzinfo=UTC)
    assert repr(done) == f"<1 items in {done.catalog}>\n  dem"


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("kind", ["nc", "zarr"])
def test_cubes_as_xarray_writes_them(tmp_path, config, kind, upside_down):
    """Without the names that GDAL wants, in Zarr's version 3; packed, and with south above."""
    cube = cf_cube()
    for axis in "xy":
        cube[axis].attrs = {}
    cube.ndvi[0, 0, 0] = np.nan
    packed = {"scale_factor": 1e-4, "add_offset": 0.1, "dtype": "int16", "_FillValue": -999}
    if upside_down:
        cube = cube.isel(y=slice(None, None, -1))
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / f"cube.{kind}"
    if kind == "nc":
        cube.to_netcdf(path, encoding={"ndvi": packed})
    else:
        cube.to_zarr(path, encoding={"ndvi": packed})
    done = ingest(path, to=tmp_path / "c", collection="cubes")
    assert (len(done.items), done.skipped) == (3, ())
    items = open_source(config, str(tmp_path / "c")).search()
    made = load(items, bands=["ndvi", "lai"], native=True)
    assert made.y[0] > made.y[-1]
    assert made.odc.crs.epsg == 32633
    assert (made.time == cube.time).all()
    cube = cube.sortby("y", ascending=False)
    np.testing.assert_allclose(made.ndvi, cube.ndvi, atol=6e-5)
    np.testing.assert_array_equal(made.lai, cube.lai)
    again = ingest(path, to=tmp_path / "c", collection="cubes")
    assert again.converted == 0


def cf_cube(times=3):
    """Variables (time, y, x) by the CF conventions, in a UTM zone."""
    ndvi = np.random.default_rng(0).uniform(0, 1, (times, 20, 30)).astype("f4")
    days = np.arange(times) * np.timedelta64(5, "D")
    cube = xr.Dataset(
        {"ndvi": (("time", "y", "x"), ndvi), "lai": (("time", "y", "x"), ndvi * 6)},
        coords={
            "time": np.datetime64("2021-05-01T10:30", "ns") + days,
            "y": 5_399_995 - 10.0 * np.arange(20),
            "x": 500_005 + 10.0 * np.arange(30),
        },
    )
    wkt = CRS("EPSG:32633").to_wkt()
    cube["crs"] = xr.DataArray(0, attrs={"crs_wkt": wkt, "spatial_ref": wkt})
    for axis in "xy":
        cube[axis].attrs = {"standard_name": f"projection_{axis}_coordinate", "units": "m"}
    for name in ("ndvi", "lai"):
        cube[name].attrs["grid_mapping"] = "crs"
    return cube


def test_a_netcdf_cube_becomes_an_item_a_time_step(tmp_path, config):
    cube = cf_cube()
    (tmp_path / "my files").mkdir()
    cube.to_netcdf(tmp_path / "my files" / "fields.nc", engine="scipy")
    done = ingest(tmp_path / "my files", to=tmp_path / "c", collection="mine")
    assert done.skipped == ()
    items = open_source(config, str(done.catalog)).search(datetime="2021-05-06")
    assert [f"{i.datetime:%Y-%m-%dT%H:%M}" for i in items] == ["2021-05-06T10:30"]
    loaded = load(open_source(config, str(done.catalog)).search(), native=True)
    assert set(loaded.data_vars) == {"ndvi", "lai"}
    np.testing.assert_allclose(loaded.lai.data, cube.lai.data, rtol=1e-6)


def test_netcdf_in_degrees_needs_no_reference_system(tmp_path, config):
    """The CF conventions know latitude and longitude by their units."""
    cube = cf_cube(1).drop_vars(["lai", "crs"]).rename(y="lat", x="lon", ndvi="t2m")
    cube = cube.assign_coords(lat=50 - 0.25 * np.arange(20), lon=10 + 0.25 * np.arange(30))
    cube.t2m.attrs = {}
    cube.lat.attrs, cube.lon.attrs = {"units": "degrees_north"}, {"units": "degrees_east"}
    (tmp_path / "in").mkdir()
    cube.to_netcdf(tmp_path / "in" / "weather.nc", engine="scipy")
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine")
    (item,) = open_source(config, str(done.catalog)).search(bbox=(10, 48, 11, 50))
    assert item.properties["proj:code"] == "EPSG:4326"
    np.testing.assert_allclose(load([item], native=True).t2m.data[0], cube.t2m.data[0], rtol=1e-6)


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
    with pytest.raises(NotFoundError, match="not there"):
        ingest(tmp_path / "none", to=tmp_path / "c", collection="mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no raster"):
        ingest(tmp_path / "empty", to=tmp_path / "c", collection="mine")
    write(tmp_path / "files" / "x.tif", VALUES)
    with pytest.raises(NotFoundError, match="none of 1 files could be used") as error:
        ingest(tmp_path / "files", to=tmp_path / "c", collection="mine")
    assert "no date" in error.value.hint
    for wrong in ({"pattern": "("}, {"pattern": "x"}, {"collection": "../x"}):
        (name,) = wrong
        with pytest.raises(InvalidInputError, match=name):
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
    with pytest.raises(NotFoundError, match=r"asset 'soil' .* is missing"):
        load([item], bands=["soil"], native=True)


METADATA = """<?xml version="1.0"?><n1:Level-2A_User_Product xmlns:n1="urn:x">
<Datatake datatakeIdentifier="GS2A_20240501T101031_046274_N05.10"/>
<Cloud_Coverage_Assessment>12.345</Cloud_Coverage_Assessment></n1:Level-2A_User_Product>"""


def write_safe(home, baseline="0510", made="20240501T153000"):
    """A Sentinel-2 product as ESA delivers it: each band in several pixel sizes, as JPEG 2000."""
    product = f"S2A_MSIL2A_20240501T101031_N{baseline}_R022_T33UVP_{made}"
    folder = home / f"{product}.SAFE"
    granule = folder / "GRANULE" / "L2A_T33UVP_A046274_20240501T101032"
    layers = {
        "R10m": ("B02", "B04", "AOT", "TCI"),
        "R20m": ("B02", "B04", "B05", "SCL", "AOT"),
        "R60m": ("B01", "B02", "B04", "B05", "SCL"),
    }
    for place, bands in [*((f"IMG_DATA/{k}", v) for k, v in layers.items()), ("QI_DATA", ("SCL",))]:
        size = int(place[-3:-1]) if "R" in place else 20
        for band in bands:
            path = granule / place / f"T33UVP_20240501T101031_{band}_{size}m.jp2"
            path.parent.mkdir(parents=True, exist_ok=True)
            values = np.full((3 if band == "TCI" else 1, 1200 // size, 1200 // size), 3000 + size)
            with rasterio.open(
                path,
                "w",
                driver="JP2OpenJPEG",
                width=values.shape[2],
                height=values.shape[1],
                count=len(values),
                dtype="uint16",
                crs="EPSG:32633",
                transform=Affine(size, 0, 500_000, 0, -size, 5_400_000),
                REVERSIBLE="YES",
                QUALITY="100",
            ) as file:
                file.write(values.astype("uint16"))
    (folder / "MTD_MSIL2A.xml").write_text(METADATA)
    return product


def test_a_safe_folder_is_one_item_of_its_finest_bands(tmp_path, config):
    product = write_safe(tmp_path / "in")
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine")
    assert done.items == (product,)
    assert done.skipped == ()
    (item,) = open_source(config, str(done.catalog)).search(max_cloud=20)
    assert item.properties["eo:cloud_cover"] == 12.345
    sizes = {k: a.extra_fields["raster:spatial_resolution"] for k, a in item.assets.items()}
    assert sizes == {
        "B01": 60, "B02": 10, "B04": 10, "B05": 20, "SCL": 20, "AOT": 10, "TCI": 10,
    }  # fmt: skip
    cube = load([item], bands=["red", "AOT"])
    assert cube.red.shape == (1, 120, 120)
    # Offset of the baseline for reflectance; aerosol is stored in thousandths.
    np.testing.assert_allclose(cube.red, 3010 * 1e-4 - 0.1, atol=1e-6)
    np.testing.assert_allclose(cube.AOT, 3.010, atol=1e-6)


def test_two_baselines_of_one_product_are_two_items_and_one_scene(tmp_path, config):
    old = write_safe(tmp_path / "in", "0400", "20240502T000000")
    new = write_safe(tmp_path / "in")
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine")
    assert set(done.items) == {old, new}
    cube = load(open_source(config, str(done.catalog)).search(), bands=["B01"])
    assert cube.item_id.data.tolist() == [new]
    assert old in cube.attrs["eolab_dropped"]


def test_the_same_name_in_two_folders_is_two_scenes(tmp_path, config):
    write(tmp_path / "in" / "a" / "scene_20240501.tif", VALUES)
    first = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine", cog=True)
    assert first.items == ("scene_20240501",)
    # A folder that comes later and before it in order does not take its place.
    write(tmp_path / "in" / "A" / "scene_20240501.tif", VALUES * 2)
    for _ in range(2):
        again = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine", cog=True)
        assert set(again.items) == {"scene_20240501", "A_scene_20240501"}
    items = {i.id: i for i in open_source(config, str(again.catalog)).search()}
    for name, factor in (("scene_20240501", 1), ("A_scene_20240501", 2)):
        cube = load([items[name]], native=True)
        assert np.array_equal(next(iter(cube.data_vars.values())).data[0], VALUES * factor)
    # The same asset twice in one folder: the second is listed.
    write(tmp_path / "in" / "A" / "scene_20240501.tiff", VALUES)
    (skipped,) = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine", cog=True).skipped
    assert skipped.href.endswith("scene_20240501.tiff")
    assert "already" in skipped.message


@pytest.mark.parametrize("name", ["x" * 240 + "_20240501", "é 20240501", "ü 20240501", "-20240501"])
def test_odd_and_long_names(tmp_path, config, name):
    write(tmp_path / "in" / f"{name}.tif", VALUES)
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine", cog=True)
    (item,) = open_source(config, str(done.catalog)).search(datetime="2024-05-01")
    assert np.array_equal(load([item], native=True).data.data[0], VALUES)


def test_bands_in_folders_of_their_own_are_one_item(tmp_path, config):
    for band, factor in (("B04", 1), ("B08", 2)):
        write(tmp_path / "in" / band / "scene_20240501.tif", VALUES * factor)
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine")
    (item,) = open_source(config, str(done.catalog)).search()
    assert np.array_equal(load([item], bands="B08", native=True).B08.data[0], VALUES * 2)


def test_a_reference_system_without_a_code(tmp_path, config):
    albers = "+proj=aea +lat_1=31.5 +lat_2=44.5 +lon_0=-97 +lat_0=23 +datum=NAD83 +units=m"
    write(tmp_path / "in" / "field_20240501.tif", VALUES, crs=albers)
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine")
    (item,) = open_source(config, str(done.catalog)).search()
    assert item.properties["proj:code"] is None
    assert "Albers" in item.properties["proj:wkt2"]
    assert np.array_equal(load([item], native=True).data.data[0], VALUES)


def test_radar_by_tie_points_is_refused_with_a_reason(tmp_path):
    path = tmp_path / "in" / "s1a-iw-grd-vv-20240501t051030.tiff"
    write(path, VALUES)
    write(tmp_path / "in" / "good_20240501.tif", VALUES)
    with rasterio.open(path, "r+") as file:
        corners = [
            (0, 0, 15.0, 48.8),
            (0, 30, 15.1, 48.8),
            (20, 0, 15.0, 48.7),
            (20, 30, 15.1, 48.7),
        ]
        points = [rasterio.control.GroundControlPoint(r, c, x, y) for r, c, x, y in corners]
        file.gcps = points, CRS("EPSG:4326")
    (skipped,) = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine").skipped
    assert "terrain" in skipped.message or "tie points" in skipped.message


def test_a_killed_call_is_gone_on_with(tmp_path):
    """Killed in the middle of its copies: the next call writes only what is missing."""
    for day in range(1, 25):
        write(tmp_path / "in" / f"scene_202405{day:02}.tif", np.tile(VALUES, (40, 40)))
    code = (
        "from eolab.catalog import ingest\n"
        f"ingest({str(tmp_path / 'in')!r}, to={str(tmp_path / 'c')!r}, collection='mine', cog=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    try:
        end = time.monotonic() + 120
        while len(list(tmp_path.glob("c/*/data.tif"))) < 3:
            assert time.monotonic() < end
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()
    whole = {path: path.stat().st_mtime_ns for path in tmp_path.glob("c/*/data.tif")}
    assert 3 <= len(whole) < 24
    (tmp_path / "c" / "scene_20240520").mkdir(exist_ok=True)
    draft = tmp_path / "c" / "scene_20240520" / f".data.tif.{process.pid}.tmp"
    draft.write_bytes(b"half")
    done = ingest(tmp_path / "in", to=tmp_path / "c", collection="mine", cog=True)
    assert len(done.items) == 24
    assert done.converted == 24 - len(whole)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in whole.items())
    assert not list(tmp_path.glob("c/**/.*"))


class TestWhereFilesLie:
    """Files outside of the catalogue's folder are read because the user named them to `ingest`."""

    @pytest.fixture
    def far(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("far")
        write(folder / "field_20240501.tif", VALUES)
        return folder

    def test_what_was_ingested_is_read_where_it_is(self, far, tmp_path, config):
        done = ingest(far, to=tmp_path / "c", collection="mine")
        source = open_source(config, str(done.catalog))
        assert np.array_equal(load(source.search(), native=True).data.data[0], VALUES)
        assert not source.skipped

    def test_else_the_error_names_the_setting(self, far, tmp_path, config):
        done = ingest(far, to=tmp_path / "c", collection="mine")
        (config.root / "roots.json").unlink()
        source = open_source(config, str(done.catalog))
        items = source.search()
        assert "outside" in source.skipped[0].message
        for use in (load, preview, thumbnail, download):
            with pytest.raises(InvalidInputError, match="outside") as error:
                use(items[0] if use in (preview, thumbnail) else items)
            assert f'roots = ["{far}"]' in error.value.hint
        text = config.file.read_text()
        config.file.write_text(text.replace("[workspace]", f'[workspace]\nroots = ["{far}"]'))
        source = open_source(configuration.load(config.file), str(done.catalog))
        assert np.array_equal(load(source.search(), native=True).data.data[0], VALUES)

    def test_more_is_taken_up_by_the_catalogue(self, far, tmp_path, config):
        done = ingest(far, to=tmp_path / "c", collection="mine")
        source = open_source(config, str(done.catalog))
        write(tmp_path / "more" / "other_20240601.tif", VALUES)
        assert ingest(tmp_path / "more", to=source).items == ("other_20240601",)
        assert [i.id for i in source.search()] == ["field_20240501", "other_20240601"]
        with pytest.raises(InvalidInputError, match="ingest"):
            ingest(tmp_path / "more", to=ApiSource("far", "https://example.com/v1"))
