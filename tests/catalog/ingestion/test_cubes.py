"""Cubes in netCDF, Zarr and GeoTIFF as other programs write them come in whole, or are refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import odc.geo.xr  # noqa: F401
import pandas as pd
import pystac
import pytest
import rasterio
import rasterio.shutil
import xarray as xr
from rasterio.transform import from_origin

import eolab as eo
from eolab.catalog.ingestion.file_names import DATES, Dating, time_of
from eolab.errors import InvalidInputError, NotFoundError

DAYS = pd.date_range("2021-05-01", periods=3)


def weather(time="time", lat=(50.0, 49.0, 48.0), lon=(10.0, 11.0, 12.0, 13.0), times=DAYS):
    values = np.arange(len(times) * len(lat) * len(lon), dtype="float32")
    cube = xr.Dataset(
        {"t2m": ((time, "latitude", "longitude"), values.reshape(len(times), len(lat), len(lon)))},
        {time: times, "latitude": list(lat), "longitude": list(lon)},
    )
    cube.latitude.attrs = {"units": "degrees_north"}
    cube.longitude.attrs = {"units": "degrees_east"}
    return cube


def counted(values, units, calendar="standard"):
    return weather().assign_coords(
        time=("time", values, {"units": units, "calendar": calendar, "standard_name": "time"})
    )


def ingested(tmp_path, cube, name="cube.nc", encoding=None):
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zarr":
        cube.to_zarr(path, encoding=encoding, consolidated=False)
    else:
        cube.to_netcdf(path, encoding=encoding)
    return eo.ingest(path, to=tmp_path / "own", collection="own")


def load(tmp_path, made, **options):
    return eo.load(eo.workspace(tmp_path).catalog(str(made.catalog)).search(), **options)


@pytest.mark.parametrize("axis", ["time", "valid_time", "t", "date"])
@pytest.mark.parametrize("name", ["cube.nc", "cube_20200101.nc", "cube.zarr"])
def test_a_time_axis_of_any_name_counts_before_the_file_s_name(tmp_path, axis, name):
    cube = load(tmp_path, ingested(tmp_path, weather(axis), name))
    assert (cube.time.to_numpy() == DAYS.to_numpy()).all()
    np.testing.assert_array_equal(cube.t2m, weather().t2m)


@pytest.mark.parametrize(
    ("values", "units", "calendar", "days"),
    [
        ([0.0, 1.0, 2.0], "days since 2021-02-27", "noleap", "02-27 02-28 03-01"),
        ([58.0, 59.0, 60.0], "days since 2020-01-01", "365_day", "02-28 03-01 03-02"),
        ([57.0, 58.0, 60.0], "days since 2020-01-01 00:00:00", "360_day", "02-28 02-29 03-01"),
        ([0.0, 24.0, 48.0], "hours since 2020-02-28T00:00:00Z", "all_leap", "02-28 02-29 03-01"),
        ([0.0, 1.0, 2.0], "months since 2020-01-01", "standard", "01-01 02-01 03-01"),
        ([20200101, 20200102, 20200103], "", "", "01-01 01-02 01-03"),
    ],
)
def test_times_of_other_calendars_are_the_days_of_their_names(
    tmp_path, values, units, calendar, days
):
    cube = counted(values, units, calendar)
    if not units:
        cube.time.attrs = {}
    made = ingested(tmp_path, cube, "tas_20210101.nc")
    loaded = load(tmp_path, made)
    assert " ".join(str(t)[5:10] for t in loaded.time.to_numpy()) == days
    assert loaded.t2m.data[:, 0, 0].tolist() == [0, 12, 24]


def test_days_written_as_numbers_keep_the_part_of_the_day(tmp_path):
    """As CDO writes absolute times; two of one day are two."""
    cube = counted([20210115.25, 20210115.75, 20210116.0], "day as %Y%m%d.%f")
    times = load(tmp_path, ingested(tmp_path, cube)).time.to_numpy()
    assert [str(time)[8:16] for time in times] == ["15T06:00", "15T18:00", "16T00:00"]


@pytest.mark.parametrize(
    ("cube", "message"),
    [
        (counted([0.0, 1.0, 59.0], "days since 2021-01-01", "360_day"), "2021-02-30 is no day"),
        (counted([0.0, 1.0, 2.0], "days since 2021-01-01", "julian"), "'time'.*'julian'"),
        (counted([0.0, 1.0, 2.0], "fortnights since 2021-01-01"), "'time' in 'fortnights"),
        (weather().assign_coords(time=[0, 1, 2]), "'time' holds 0 without units"),
        (
            counted(np.array([20210115, 20210116, 20210118], "float32"), "day as %Y%m%d.%f"),
            "'time' holds days such as 20210116 as float32, which tells no day from the next",
        ),
        (weather().drop_vars("time"), "'time' has no times"),
        (weather(lat=(50.0, 49.0, 47.0)), "steps of its axis 'latitude' differ"),
        (weather(lon=(10.0, 11.0, 12.0, 14.0)), "steps of its axis 'longitude' differ"),
    ],
    ids=[
        "30 February",
        "julian",
        "unit",
        "numbers",
        "coarse",
        "nameless",
        "latitudes",
        "longitudes",
    ],
)
def test_what_cannot_be_placed_in_time_or_space_is_refused_by_its_axis(tmp_path, cube, message):
    """The date in the file's name does not stand in for it."""
    with pytest.raises(NotFoundError) as error:
        ingested(tmp_path, cube, "tas_20210101.nc")
    assert re.search(message, error.value.hint)


def test_forecasts_have_the_time_when_they_are_valid(tmp_path):
    ahead = pd.to_timedelta([1, 2, 3], unit="h")
    cube = (
        weather()
        .rename(time="step")
        .assign_coords(step=ahead, time=DAYS[0], valid_time=("step", DAYS[0] + ahead))
    )
    loaded = load(tmp_path, ingested(tmp_path, cube))
    assert [str(t)[11:13] for t in loaded.time.to_numpy()] == ["01", "02", "03"]


@pytest.mark.parametrize(
    "encoding",
    [None, {"t2m": {"dtype": "i2", "scale_factor": 0.01, "add_offset": 9.0, "_FillValue": -32767}}],
    ids=["float", "packed"],
)
def test_both_halves_of_era5_are_one_series(tmp_path, encoding):
    cube = weather()
    last = cube.time == cube.time[2]
    halves = [cube.t2m.where(~last), cube.t2m.where(last)]
    both = xr.concat(halves, pd.Index([1, 5], name="expver")).to_dataset(name="t2m")
    made = ingested(tmp_path, both.transpose("time", ...), encoding=encoding)
    np.testing.assert_allclose(load(tmp_path, made).t2m, cube.t2m, atol=0.01)


@pytest.mark.parametrize("name", ["stack.nc", "stack.zarr"])
def test_bands_of_an_axis_are_called_by_their_labels(tmp_path, name):
    y, x = 5_199_995 - 10 * np.arange(8.0), 500_005 + 10 * np.arange(8.0)
    values = np.stack(
        [np.stack([np.full((8, 8), 10 * t + b, "f4") for b in (1, 2)]) for t in (0, 1)]
    )
    cube = xr.DataArray(
        values,
        dims=("time", "band", "y", "x"),
        name="stack",
        coords={"time": DAYS[:2], "band": ["red", "nir"], "y": y, "x": x},
    ).odc.assign_crs("EPSG:32633")
    loaded = load(tmp_path, ingested(tmp_path, cube, name))
    assert loaded.red.data[:, 0, 0].tolist() == [1, 11]
    assert loaded.nir.data[:, 0, 0].tolist() == [2, 12]


def test_levels_and_members_are_bands_by_variable(tmp_path):
    members = xr.concat([weather(), weather() + 100], pd.Index([0, 1], name="number"))
    levels = xr.concat([members, members + 1000], pd.Index([1000.0, 850.0], name="level"))
    for name in ("latitude", "longitude"):
        levels[name].attrs = weather()[name].attrs
    loaded = load(tmp_path, ingested(tmp_path, levels))
    first = {name: float(band[0, 0, 0]) for name, band in loaded.data_vars.items()}
    assert first == {"t2m_1000_0": 0, "t2m_1000_1": 100, "t2m_850_0": 1000, "t2m_850_1": 1100}


def test_longitudes_to_360_meet_boxes_to_180(tmp_path):
    cube = weather(lat=np.arange(89.5, -90, -1), lon=np.arange(0.5, 360, 1), times=DAYS[:1])
    cube["t2m"] = cube.t2m * 0 + cube.longitude.astype("f4")
    made = ingested(tmp_path, cube)
    loaded = load(tmp_path, made, bbox=(-102, 48, -98, 50))
    assert loaded.t2m.data[0, 0].tolist() == [258.5, 259.5, 260.5, 261.5]
    assert load(tmp_path, made, bbox=(-1, 0, 1, 1)).t2m.data[0, 0].tolist() == [359.5, 0.5]


@pytest.mark.parametrize(
    ("longitudes", "expected"),
    [
        (np.arange(0, 360, 30.0), np.r_[np.arange(180, 360, 30), np.arange(0, 180, 30)]),
        (np.arange(0, 361, 30.0), np.r_[np.arange(180, 360, 30), np.arange(0, 180, 30)]),
        ([200.0, 201.0, 202.0], [200, 201, 202]),
    ],
    ids=["centres on 180", "first meridian twice", "beyond 180"],
)
def test_rasters_beyond_180_are_turned_at_a_pixel(tmp_path, longitudes, expected):
    cube = weather(lat=(1.0, 0.0), lon=longitudes, times=DAYS[:1])
    cube["t2m"] = cube.t2m * 0 + cube.longitude.astype("f4")
    loaded = load(tmp_path, ingested(tmp_path, cube), native=True)
    np.testing.assert_array_equal(loaded.t2m.data[0, 0], expected)
    np.testing.assert_allclose((loaded.x + 360) % 360, expected)


def test_a_raster_across_180_is_two_items_of_one_slice(tmp_path):
    values = np.arange(8, dtype="float32").reshape(2, 4)
    (tmp_path / "in").mkdir()
    with rasterio.open(
        tmp_path / "in" / "gfs_20210517.tif", "w", driver="GTiff", width=4, height=2, count=1,
        dtype="float32", crs="EPSG:4326", transform=from_origin(178, 1, 1, 1),
    ) as file:  # fmt: skip
        file.write(values, 1)
    made = eo.ingest(tmp_path / "in", to=tmp_path / "own", collection="own")
    assert made.items == ("gfs_20210517", "gfs_20210517_west")
    east = load(tmp_path, made, bbox=(178, -1, 180, 1))
    west = load(tmp_path, made, bbox=(-180, -1, -178, 1))
    np.testing.assert_array_equal(np.hstack([east.data[0], west.data[0]]), values)


def test_what_gdal_made_from_netcdf_keeps_its_times_and_levels(tmp_path):
    with rasterio.open(
        tmp_path / "t_from_nc.tif", "w", driver="GTiff", width=4, height=3, count=4,
        dtype="float32", crs="EPSG:4326", transform=from_origin(10, 50, 1, 1),
    ) as file:  # fmt: skip
        file.update_tags(**{"time#units": "days since 2021-05-01", "time#calendar": "standard"})
        for number in range(4):
            file.write(np.full((3, 4), number, "float32"), number + 1)
            day, level = str(number // 2), ("1000", "850")[number % 2]
            file.update_tags(
                number + 1, NETCDF_VARNAME="t", NETCDF_DIM_time=day, NETCDF_DIM_level=level
            )
    made = eo.ingest(tmp_path / "t_from_nc.tif", to=tmp_path / "own", collection="own")
    loaded = load(tmp_path, made)
    assert [str(t)[:10] for t in loaded.time.to_numpy()] == ["2021-05-01", "2021-05-02"]
    assert loaded.t_1000.data[:, 0, 0].tolist() == [0, 2]
    assert loaded.t_850.data[:, 0, 0].tolist() == [1, 3]


def test_a_saved_cube_keeps_the_place_of_every_variable(tmp_path):
    values = np.random.default_rng(0).random((8, 8)).astype("float32")
    (tmp_path / "in").mkdir()
    for day in (17, 22):
        for name, more in (("red", 0), ("nir", 1)):
            with rasterio.open(
                tmp_path / "in" / f"x_202105{day}_{name}.tif", "w", driver="GTiff", width=8,
                height=8, count=1, dtype="float32", crs="EPSG:32633",
                transform=from_origin(500_000, 5_200_000, 10, 10),
            ) as file:  # fmt: skip
                file.write(values + more, 1)
    cube = load(tmp_path, eo.ingest(tmp_path / "in", to=tmp_path / "own", collection="own"))
    cube["NDVI"] = cube.eo.spectral_index("NDVI")
    cube["half"] = cube.red / 2
    saved = {"cube": cube, "months": cube.eo.composite("median"), "mean": cube.mean("time")}
    for name, made in saved.items():
        made.to_netcdf(tmp_path / f"{name}.nc")
        for band in map(str, made.data_vars):
            with rasterio.open(f"NETCDF:{tmp_path / name}.nc:{band}") as file:
                assert file.crs.to_epsg() == 32633, (name, band)
    cube.to_zarr(tmp_path / "cube.zarr", consolidated=False)
    for name in ("cube.nc", "cube.zarr"):
        made = eo.ingest(tmp_path / name, to=tmp_path / f"again_{name}", collection="again")
        assert made.skipped == ()
        again = load(tmp_path, made)
        assert set(again) == {"red", "nir", "NDVI", "half"}
        np.testing.assert_array_equal(again.NDVI, cube.NDVI)


def test_variables_of_a_file_that_cannot_be_used_are_listed(tmp_path):
    cube = weather()
    cube["other"] = (("lat2", "longitude"), np.ones((3, 4), "f4"))
    cube = cube.assign_coords(lat2=("lat2", [50.0, 49.0, 47.0], {"units": "degrees_north"}))
    made = ingested(tmp_path, cube, "cube_20210501.nc")
    assert len(made.items) == 3
    assert [s.message.partition(":")[0] for s in made.skipped] == ["variable 'other'"]


@pytest.mark.parametrize("cog", [False, True])
def test_a_coarser_load_of_a_class_map_shows_only_its_classes(tmp_path, cog):
    classes = [10, 20, 200]
    values = np.random.default_rng(0).choice(classes, (60, 60)).astype("uint8")
    values = values.repeat(20, 0).repeat(20, 1)
    (tmp_path / "in").mkdir()
    with rasterio.open(
        tmp_path / "in" / "cover_20240601.tif", "w", driver="GTiff", width=1200, height=1200,
        count=1, dtype="uint8", crs="EPSG:32633",
        transform=from_origin(500_000, 5_000_000, 10, 10), nodata=0,
    ) as file:  # fmt: skip
        file.write(values, 1)
    made = eo.ingest(tmp_path / "in", to=tmp_path / "own", collection="own", cog=cog)
    seen = load(tmp_path, made, crs="EPSG:32633", resolution=40).data.to_numpy()
    assert set(np.unique(seen[np.isfinite(seen)])) == set(classes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HLS.L30.T10SEG.2021137T184531.v2.0.B04", "2021-05-17T18:45:31"),
        ("20210517101031", "2021-05-17T10:10:31"),
        ("ortho_17.05.2021", "2021-05-17T00:00:00"),
        ("drone_2021-05-17_14-30-05", "2021-05-17T14:30:05"),
        ("drone_2021-05-17T14:30", "2021-05-17T14:30:00"),
        ("img_20210517_143005123", "2021-05-17T14:30:05"),
        ("3B-HHR.MS.MRG.3IMERG.20210517-S103000-E105959", "2021-05-17T10:30:00"),
        ("MOD021KM.A2021137.1035.061.2021138010203", "2021-05-17T10:35:00"),
        ("MOD09GA.A2021137.h18v03.061.2021139034512", "2021-05-17T00:00:00"),
        ("OR_ABI-L2-CMIPF-M6C01_G16_s20211371200207_e20211371209515", "2021-05-17T12:00:20"),
        # Numbers of tiles are no clocks.
        ("export_2021-05-17-0000000000-0000000008", "2021-05-17T00:00:00"),
        ("tile_20210517_0012", "2021-05-17T00:00:00"),
    ],
)
def test_clocks_in_names_are_read_whole(name, expected):
    dating = Dating([re.compile(expression) for expression in DATES])
    assert time_of(Path(f"/data/{name}.tif"), {}, dating).time.isoformat()[:19] == expected


def test_folders_may_be_called_by_what_cuts_an_address(tmp_path):
    (tmp_path / "in").mkdir()
    with rasterio.open(
        tmp_path / "in" / "v_20210517.tif", "w", driver="GTiff", width=8, height=8, count=1,
        dtype="float32", crs="EPSG:32633", transform=from_origin(500_000, 5_000_000, 10, 10),
    ) as file:  # fmt: skip
        file.write(np.full((8, 8), 7, "float32"), 1)
    for folder in ("Site #1", "a?b", "Site 1 (50%) ü", "#"):
        made = eo.ingest(tmp_path / "in", to=tmp_path / folder / "own", collection="own", cog=True)
        assert float(load(tmp_path, made).data.max()) == 7


def test_an_item_read_from_a_file_names_its_files_by_relation(tmp_path, monkeypatch):
    import pystac

    (tmp_path / "in #1").mkdir()
    with rasterio.open(
        tmp_path / "in #1" / "v_20210517.tif", "w", driver="GTiff", width=8, height=8, count=1,
        dtype="uint16", crs="EPSG:32633", transform=from_origin(500_000, 5_000_000, 10, 10),
    ) as file:  # fmt: skip
        file.write(np.full((8, 8), 7, "uint16"), 1)
    made = eo.ingest(tmp_path / "in #1", to=tmp_path / "own", collection="own", cog=True)
    monkeypatch.chdir(tmp_path / "in #1")
    item = pystac.Item.from_file(str(made.catalog.parent / "v_20210517" / "v_20210517.json"))
    assert item.assets["data"].href == "./data.tif"
    assert float(eo.load(item).data.max()) == 7


def test_boxes_a_hair_outside_the_globe_are_accepted():
    from eolab.catalog.areas.areas import check_bbox, parse_area

    assert check_bbox((-180.125, -90.125, 179.875, 90.125)) == (-180, -90, 179.875, 90)
    with pytest.raises(InvalidInputError) as error:
        check_bbox((258, 48, 262, 50))
    assert error.value.hint == "Longitudes go from -180 to 180: take 360 from those above 180."
    bow = [[[0, 0], [0.9, 0.9], [0.9, 0], [0, 0.9], [0, 0]]]
    square = [[[0.5, 0], [1.5, 0], [1.5, 0.9], [0.5, 0.9], [0.5, 0]]]
    area = parse_area({"type": "MultiPolygon", "coordinates": [bow, square]})
    assert area.bounds == (0, 0, 1.5, 0.9)
    assert area.is_valid


def test_times_are_given_by_file_or_by_a_function_in_one_call(tmp_path):
    for name in ("a", "b", "c_20210519", "p-05-20-2021"):
        (tmp_path / "in").mkdir(exist_ok=True)
        with rasterio.open(
            tmp_path / "in" / f"{name}.tif", "w", driver="GTiff", width=8, height=8, count=1,
            dtype="float32", crs="EPSG:32633", transform=from_origin(500_000, 5_000_000, 10, 10),
        ) as file:  # fmt: skip
            file.write(np.full((8, 8), 7, "float32"), 1)
    pattern = r"(?P<month>\d\d)-(?P<day>\d\d)-(?P<year>\d{4})"
    times = {"a.tif": "2021-05-17", "b": pd.Timestamp("2021-05-18 10:00").to_pydatetime()}

    def days(to, **options):
        made = eo.ingest(tmp_path / "in", to=to, collection="own", **options)
        found = eo.workspace(tmp_path).catalog(str(made.catalog)).search()
        return {item.id: item.datetime.isoformat()[5:13] for item in found}, made

    expected = {"a": "05-17T00", "b": "05-18T10", "c_20210519": "05-19T00"}
    found, made = days(tmp_path / "1", time=times, pattern=pattern)
    assert found == {**expected, "p-05-20-2021": "05-20T00"}
    assert (made.skipped, made.total) == ((), 4)
    found, made = days(tmp_path / "2", time=lambda path: times.get(path.name))
    assert found == {"a": "05-17T00", "c_20210519": "05-19T00"}
    assert [Path(s.href).name for s in made.skipped] == ["b.tif", "p-05-20-2021.tif"]
    more = eo.ingest(tmp_path / "in" / "b.tif", to=tmp_path / "2", collection="own", time="2021")
    assert repr(more).startswith("<1 of 3 items in ")
    with pytest.raises(InvalidInputError, match=r"time: there is no file 'd.tif'"):
        days(tmp_path / "3", time={"d.tif": "2021"})


def test_one_broken_catalogue_breaks_no_search(tmp_path):
    (tmp_path / "empty").mkdir()
    text = '[workspace]\npath = "ws"\n[catalogs.bad]\nurl = "empty"\n'
    (tmp_path / "eolab.toml").write_text(f"format = 1\n{text}")
    ws = eo.workspace(tmp_path)
    frame = pd.DataFrame({"id": ["a"], "time": DAYS[:1].tz_localize("UTC"), "ndvi": [0.5]})
    group = ws.features.create_feature_group("ndvi_things", primary_key=["id"], event_time="time")
    group.insert(frame)
    with pytest.warns(UserWarning, match="catalogue 'bad' could not be read and is left out"):
        found = ws.search("ndvi")
    assert [row["title"] for row in found["group"]] == ["ndvi_things"]


@pytest.mark.parametrize("sizes", [{"y": 1, "x": 4}, {"y": 4, "x": 1}, {"y": 1, "x": 1}])
def test_one_row_or_column_has_the_pixel_size_that_its_file_states(tmp_path, sizes):
    cube = xr.Dataset(
        {"red": (("y", "x"), np.arange(4.0).reshape(1, 4)[:, : sizes["x"]] + np.zeros((4, 1)))},
        {"y": 5_200_000.0 - 10 - 20 * np.arange(4), "x": 500_005.0 + 10 * np.arange(sizes["x"])},
    ).isel(y=slice(0, sizes["y"]))
    cube = cube.odc.assign_crs("EPSG:32633")
    cube.spatial_ref.attrs["GeoTransform"] = "500000 10 0 5200000 0 -20"
    made = load(tmp_path, ingested(tmp_path, cube, "strip_20210517.nc"), native=True)
    transform = made.odc.geobox.transform
    assert (transform.a, transform.e, transform.c, transform.f) == (10, -20, 500_000, 5_200_000)
    np.testing.assert_array_equal(made.red[0], cube.red)


@pytest.mark.parametrize(
    ("attrs", "right"),
    [
        ({"valid_range": np.array([2, 4], "i2")}, [np.nan, np.nan, 2, 3, 4, np.nan]),
        ({"valid_min": np.int16(2)}, [np.nan, np.nan, 2, 3, 4, 5]),
        ({"valid_max": np.int16(2), "_FillValue": np.int16(-1)}, [0, 1, 2, *[np.nan] * 3]),
        # Of packed numbers: whole limits are stored numbers, real ones values.
        (
            {"valid_range": np.array([2, 4], "i2"), "scale_factor": 0.1},
            [np.nan, np.nan, 0.2, 0.3, 0.4, np.nan],
        ),
        (
            {"valid_range": [0.2, 0.4], "scale_factor": 0.1},
            [np.nan, np.nan, 0.2, 0.3, 0.4, np.nan],
        ),
        (
            {"valid_min": 10.3, "scale_factor": 0.1, "add_offset": 10.0},
            [np.nan] * 3 + [10.3, 10.4, 10.5],
        ),
        ({"valid_range": "2, 4", "scale_factor": 0.1}, [np.nan, np.nan, 0.2, 0.3, 0.4, np.nan]),
        ({"valid_min": "2"}, [np.nan, np.nan, 2, 3, 4, 5]),
        # By a negative factor the lowest value is the highest number, and an open end turns too.
        ({"valid_min": -0.2, "scale_factor": -0.1}, [0, -0.1, -0.2, *[np.nan] * 3]),
        ({"valid_max": -0.2, "scale_factor": -0.1}, [np.nan, np.nan, -0.2, -0.3, -0.4, -0.5]),
    ],
    ids=str,
)
def test_numbers_outside_of_the_valid_range_are_missing(tmp_path, attrs, right):
    cube = xr.Dataset(
        {"h": (("lat", "lon"), np.arange(6, dtype="i2").reshape(2, 3), attrs)},
        {"lat": [50.0, 49.0], "lon": [10.0, 11.0, 12.0]},
    )
    made = load(tmp_path, ingested(tmp_path, cube, "h_20240501.nc")).h.to_numpy()
    np.testing.assert_allclose(made.ravel(), right, rtol=1e-6)


def test_real_numbers_outside_of_the_valid_range_are_missing_too(tmp_path):
    attrs = {"valid_range": np.array([0.0, 3.0], "f4")}
    values = np.array([[-9.5, 0.0, 1.5], [3.0, 3.25, np.nan]], "f4")
    coords = {"lat": [50.0, 49.0], "lon": [10.0, 11.0, 12.0]}
    cube = xr.Dataset({"h": (("lat", "lon"), values, attrs)}, coords)
    made = load(tmp_path, ingested(tmp_path, cube, "h_20240501.nc")).h.to_numpy()
    right = [np.nan, 0.0, 1.5, 3.0, np.nan, np.nan]
    np.testing.assert_array_equal(made.ravel(), right)


@pytest.mark.parametrize(
    "attrs",
    [
        {"flag_values": np.array([0, 1, 8], "i1"), "flag_meanings": "water land snow"},
        {"flag_masks": np.array([1, 8], "i1"), "flag_meanings": "land snow"},
    ],
    ids=["values", "masks"],
)
def test_flags_are_names_and_never_averaged(tmp_path, attrs):
    values = np.array([[0, 8, 0, 8], [8, 0, 8, 0], [1, 8, 1, 8], [8, 1, 8, 1]], "i1")
    place = {"lat": [50.5, 50.0, 49.5, 49.0], "lon": [10.0, 10.5, 11.0, 11.5]}
    cube = xr.Dataset({"cover": (("lat", "lon"), values, attrs)}, place)
    source = ingested(tmp_path, cube, "cover_20240501.nc")
    made = load(tmp_path, source, resolution=1.0, resampling="average").cover.to_numpy()
    assert set(made[np.isfinite(made)].tolist()) <= {0.0, 1.0, 8.0}


def small(values, attrs):
    coords = {"lat": [50.0, 49.0], "lon": [10.0, 11.0, 12.0]}
    return xr.Dataset({"h": (("lat", "lon"), values.reshape(2, 3), attrs)}, coords)


@pytest.mark.parametrize("number", [32767, 20000, -32768])
@pytest.mark.parametrize("scale", [0.0001, 0.01, 0.00341802])
def test_a_limit_that_was_rounded_does_not_cut_off_itself(tmp_path, number, scale):
    kind = np.float32
    numbers = np.array([number, 0, 1, 2, 3, 4], "i2")
    end = "valid_max" if number > 0 else "valid_min"
    attrs = {"scale_factor": kind(scale), end: kind(number * float(kind(scale)))}
    made = load(tmp_path, ingested(tmp_path, small(numbers, attrs), "h_20240501.nc")).h.to_numpy()
    np.testing.assert_allclose(made.ravel(), numbers * scale, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "attrs", "right"),
    [
        ("f4", {"_FillValue": np.float32(-9), "missing_value": 1e20}, [1, np.nan, np.nan, 2, 3, 4]),
        ("i2", {"missing_value": "-9"}, [1, np.nan, 100, 2, 3, 4]),
        ("u1", {"missing_value": np.int16(-9999)}, [1, 247, 100, 2, 3, 4]),
        ("u1", {"_Unsigned": "false"}, [1, -9, 100, 2, 3, 4]),
        ("i1", {"_Unsigned": "true", "_FillValue": np.int8(-9)}, [1, np.nan, 100, 2, 3, 4]),
    ],
    ids=str,
)
def test_what_means_nothing_is_so_in_the_variables_own_type(tmp_path, kind, attrs, right):
    third = 1e20 if kind == "f4" else 100
    numbers = np.array([1, 247 if kind == "u1" else -9, third, 2, 3, 4], kind)
    source = ingested(tmp_path, small(numbers, attrs), "h_20240501.nc")
    np.testing.assert_array_equal(load(tmp_path, source).h.to_numpy().ravel(), right)


def test_a_factor_that_is_no_number_is_refused_by_the_variables_name(tmp_path):
    cube = small(np.arange(6, dtype="i2"), {"scale_factor": "0.1x"})
    with pytest.raises(NotFoundError, match="none of 1 files") as error:
        ingested(tmp_path, cube, "h_20240501.nc")
    assert "variable 'h': its scale_factor is '0.1x', no number" in error.value.hint


def band_of(made):
    (document,) = made.catalog.parent.glob("*/*.json")
    ((asset),) = pystac.Item.from_file(document).assets.values()
    return asset.extra_fields["bands"][0]


def test_flags_keep_their_highest_bit_and_their_values(tmp_path):
    numbers = np.array([0, 1, 4, 8, 12, 13], "i1")
    attrs = {
        "_Unsigned": "true",
        "flag_masks": np.array([1, 12, 12, -128], "i1"),
        "flag_values": np.array([1, 4, 8, -128], "i1"),
        "flag_meanings": "land thin thick odd",
    }
    made = ingested(tmp_path, small(numbers, attrs), "h_20240501.nc")
    found = [
        (bits["offset"], bits["length"], [(c["value"], c["name"]) for c in bits["classes"]])
        for bits in band_of(made)["classification:bitfields"]
    ]
    assert found == [
        (0, 1, [(1, "land")]),
        (2, 2, [(1, "thin"), (2, "thick")]),
        (7, 1, [(1, "odd")]),
    ]


@pytest.mark.parametrize("stated", ["0b, 1b, 0x08", np.array([0.0, 1.0, 8.0])], ids=str)
def test_flag_values_are_read_as_other_programs_write_them(tmp_path, stated):
    attrs = {"flag_values": stated, "flag_meanings": "water land snow"}
    made = ingested(tmp_path, small(np.array([0, 1, 8, 0, 1, 8], "i1"), attrs), "h_20240501.nc")
    classes = [(c["value"], c["name"]) for c in band_of(made)["classification:classes"]]
    assert classes == [(0, "water"), (1, "land"), (8, "snow")]


def test_a_coarser_look_at_bits_shows_only_numbers_that_are_there(tmp_path):
    size = 1100  # enough that the copy has overviews
    numbers = np.random.default_rng(0).integers(0, 1024, (size, size)).astype("u2")
    attrs = {"flag_masks": np.array([1, 2, 512], "u2"), "flag_meanings": "a b c"}
    place = {"lat": 50 - 0.001 * np.arange(size), "lon": 10 + 0.001 * np.arange(size)}
    cube = xr.Dataset({"quality": (("lat", "lon"), numbers, attrs)}, place)
    made = ingested(tmp_path, cube, "q_20240501.nc")
    (copy,) = made.catalog.parent.glob("*/*.tif")
    with rasterio.open(copy, overview_level=0) as file:
        coarse = file.read(1)
    half = size // 2
    four = numbers.reshape(half, 2, half, 2).transpose(0, 2, 1, 3).reshape(half, half, 4)
    assert (four == coarse[..., None]).any(axis=-1).all()


def test_a_copy_as_earlier_versions_made_it_is_made_anew(tmp_path):
    numbers = np.array([1, 2, 3, 4, 5, 6], "i2")
    attrs = {"valid_max": np.int16(4), "_FillValue": np.int16(-9)}
    made = ingested(tmp_path, small(numbers, attrs), "h_20240501.nc")
    (copy,) = made.catalog.parent.glob("*/*.tif")
    with rasterio.open(copy) as file:
        profile = {**file.profile, "driver": "GTiff"}
    with rasterio.open(copy, "w", **profile) as file:
        file.write(numbers.reshape(1, 2, 3))
    again = ingested(tmp_path, small(numbers, attrs), "h_20240501.nc").converted
    os.utime(tmp_path / "in" / "h_20240501.nc", (1, 1))
    last = eo.ingest(tmp_path / "in", to=tmp_path / "own", collection="own")
    assert (again, last.converted) == (1, 0)
    right = [1, 2, 3, 4, np.nan, np.nan]
    np.testing.assert_array_equal(load(tmp_path, last).h.to_numpy().ravel(), right)


def test_new_numbers_in_a_store_are_taken_up(tmp_path):
    values = weather()
    made = ingested(tmp_path, values, "cube.zarr")
    (copy, *_) = made.catalog.parent.glob("*/*.tif")
    later = copy.stat().st_mtime + 5
    values.t2m[:] += 100
    store = tmp_path / "in" / "cube.zarr"
    values[["t2m"]].drop_vars(list(values.coords)).to_zarr(store, mode="r+", consolidated=False)
    for chunk in (store / "t2m").rglob("*"):
        os.utime(chunk, (later, later))
    made = eo.ingest(store, to=tmp_path / "own", collection="own")
    assert made.converted == 3
    np.testing.assert_array_equal(load(tmp_path, made).t2m, values.t2m)


def test_flags_in_groups_and_in_what_gdal_made_of_them_are_names_too(tmp_path):
    numbers = np.array([[0, 8, 0, 8], [8, 0, 8, 0], [1, 8, 1, 8], [8, 1, 8, 1]], "i1")
    attrs = {"flag_values": np.array([0, 1, 8], "i1"), "flag_meanings": "water land snow"}
    place = {"lat": [50.5, 50.0, 49.5, 49.0], "lon": [10.0, 10.5, 11.0, 11.5]}
    cube = xr.Dataset({"cover": (("lat", "lon"), numbers, attrs)}, place)
    cube = cube.odc.assign_crs("EPSG:4326")
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "cover_20240501.nc"
    cube.to_netcdf(path, group="land")
    rasterio.shutil.copy(f"NETCDF:{path}:/land/cover", tmp_path / "in" / "kind_20240501.tif")
    made = eo.ingest(tmp_path / "in", to=tmp_path / "own", collection="own")
    for name in ("cover", "kind"):
        (asset,) = [
            asset
            for document in made.catalog.parent.glob("*/*.json")
            for asset in pystac.Item.from_file(document).assets.values()
            if name in document.stem
        ]
        names = [c["name"] for c in asset.extra_fields["bands"][0]["classification:classes"]]
        assert names == ["water", "land", "snow"]
