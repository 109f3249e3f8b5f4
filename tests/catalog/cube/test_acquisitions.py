"""What shares a slice of a cube: items of one acquisition, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr
from rasterio.transform import from_origin
from shapely.geometry import box, mapping

import eolab as eo
from eolab.catalog.cube.acquisitions import acquisitions, hidden, slices_of
from eolab.catalog.items.parsed import parse_item
from eolab.errors import InvalidInputError

NOON = datetime(2024, 5, 17, 12, tzinfo=UTC)


def item(name, minutes=0.0, west=0.0, width=1.0, **properties):
    shape = box(west, 45, west + width, 46)
    made = pystac.Item(
        name,
        mapping(shape),
        list(shape.bounds),
        NOON + timedelta(minutes=minutes),
        {key.replace("__", ":"): value for key, value in properties.items()},
    )
    return parse_item(made)


def together(*items):
    return [[items[number].id for number in group] for group in acquisitions(items)]


def test_hours_and_passes_over_the_same_ground_are_slices_of_their_own():
    assert together(*(item(f"h{h:02d}", 60 * h) for h in range(24))) == [
        [f"h{h:02d}"] for h in range(24)
    ]
    assert together(item("a"), item("b", 5)) == [["a"], ["b"]]
    assert together(item("a"), item("b", 420, platform="p")) == [["a"], ["b"]]


def test_neighbours_of_less_than_ten_minutes_are_one_slice():
    # Rows of a strip overlap by a tenth, and each is less than ten minutes from the one before.
    strip = [item(f"r{k}", 4 * k, west=0.9 * k) for k in range(6)]
    assert together(*strip) == [[f"r{k}" for k in range(6)]]
    assert together(item("a"), item("b", 10, west=1)) == [["a"], ["b"]]


def test_two_flights_over_tiles_are_two_slices_of_all_their_tiles():
    flown = [item(f"{f}{t}", 5 * f + 0.1 * t, west=t) for f in (0, 1) for t in (0, 1, 2)]
    assert together(*flown) == [["00", "01", "02"], ["10", "11", "12"]]


def test_one_datatake_or_orbit_is_one_slice_however_its_tiles_overlap():
    take = "GS2A_20240517T101031_000022_N05.10"
    tiles = [item("a", s2__datatake_id=take), item("b", 14, west=0.1, s2__datatake_id=take)]
    assert together(*tiles) == [["a", "b"]]
    tiles = [item("a", sat__relative_orbit=22), item("b", 14, sat__relative_orbit=22)]
    assert together(*tiles) == [["a", "b"]]
    rows = [item("a", landsat__wrs_path="044"), item("b", 0.4, 0.9, landsat__wrs_path="044")]
    assert together(*rows) == [["a", "b"]]
    assert together(*tiles, item("c", 14, sat__relative_orbit=51)) == [["a", "b"], ["c"]]
    # The same number a day later is another pass.
    assert len(together(*tiles, item("c", 60 * 24, sat__relative_orbit=22))) == 2


def test_tiles_of_a_grid_overlap_where_two_zones_meet():
    codes = {"a": "MGRS-32UQU", "b": "MGRS-33UTP"}
    tiles = [item(n, k, west=0.1 * k, grid__code=c) for k, (n, c) in enumerate(codes.items())]
    assert together(*tiles) == [["a", "b"]]
    assert len(together(item("a", grid__code="MGRS-32UQU"), item("b", 1, grid__code="32UQU"))) == 2


def test_a_day_without_a_clock_is_one_slice_on_both_sides_of_the_solar_midnight():
    midnight = -60 * 12
    assert together(item("a", midnight, west=-1.0), item("b", midnight)) == [["a", "b"]]


def test_of_the_same_ground_at_the_same_time_the_hidden_item_is_named():
    first, second = item("a"), item("b")
    assert together(first, second) == [["a", "b"]]
    assert [(d.item, d.kept) for d in hidden([first, second])] == [("b", "a")]
    assert hidden([first, item("c", west=0.9)]) == []


def test_an_item_without_time_is_refused_by_its_id():
    nowhere = pystac.Item("x", None, None, NOON, {})
    with pytest.raises(InvalidInputError, match="item x has no time or no outline"):
        acquisitions([parse_item(nowhere)])


def test_every_hour_of_a_day_is_loaded(tmp_path):
    hours = np.datetime64("2021-05-01T00", "ns") + np.arange(24).astype("timedelta64[h]")
    values = np.arange(24 * 12, dtype="float32").reshape(24, 3, 4)
    cube = xr.Dataset(
        {"t2m": (("time", "latitude", "longitude"), values)},
        {
            "time": hours,
            "latitude": ("latitude", [50.0, 49.0, 48.0], {"units": "degrees_north"}),
            "longitude": ("longitude", [10.0, 11.0, 12.0, 13.0], {"units": "degrees_east"}),
        },
    )
    cube.to_netcdf(tmp_path / "hourly.nc")
    made = eo.ingest(tmp_path / "hourly.nc", to=tmp_path / "own", collection="era")
    loaded = eo.load(eo.workspace(tmp_path).catalog(str(made.catalog)).search())
    assert (loaded.time.to_numpy() == hours).all()
    np.testing.assert_array_equal(loaded.t2m, values)


def test_what_lies_under_another_item_is_told_when_it_is_loaded(tmp_path):
    for name, value in (("field_20210517_a", 1), ("field_20210517_b", 2)):
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", width=8, height=8, count=1,
            dtype="float32", crs="EPSG:32633", transform=from_origin(500000, 5200000, 10, 10),
        ) as file:  # fmt: skip
            file.write(np.full((8, 8), value, "float32"), 1)
    made = eo.ingest(tmp_path, to=tmp_path / "own", collection="own")
    items = eo.workspace(tmp_path).catalog(str(made.catalog)).search()
    with pytest.warns(UserWarning, match="show only where that has no value: field_20210517_b"):
        assert float(eo.load(items).data.max()) == 1
    assert "hidden where field_20210517_a has values" in repr(eo.estimate_load(items))


def grouped(group_by, *items):
    return [[items[number].id for number in group] for group in slices_of(items, group_by)]


def test_a_solar_day_lays_neighbours_together_and_never_two_passes():
    flights = [item("a"), item("b", 40, west=1), item("c", 80, west=2)]
    assert grouped("acquisition", *flights) == [["a"], ["b"], ["c"]]
    assert grouped("solar_day", *flights) == [["a", "b", "c"]]
    # The same ground two hours later, another platform, another orbit: slices of their own.
    assert grouped("solar_day", *flights, item("again", 120)) == [["a", "b", "c"], ["again"]]
    others = [item("p", 1, west=1, platform="p"), item("o", 2, west=2, sat__relative_orbit=7)]
    assert grouped("solar_day", item("a"), *others) == [["a"], ["p"], ["o"]]
    hours = [item(f"h{h:02d}", 60 * h) for h in range(24)]
    assert len(grouped("solar_day", *hours)) == 24


def test_a_solar_day_goes_by_the_sun_not_by_the_clock():
    # At 150 E local noon is 2 UTC: 13 and 15 UTC are before and after the sun's midnight there.
    east = [item("before", 60, west=150), item("after", 180, west=151)]
    assert grouped("solar_day", *east) == [["before"], ["after"]]
    night = [item("before", 11.5 * 60, west=-150), item("after", 12.5 * 60, west=-149)]
    assert grouped("solar_day", *night) == [["before", "after"]]


def test_slices_by_time_and_by_item():
    items = [item("a"), item("b", west=5), item("c", 1, west=1)]
    assert grouped("acquisition", *items) == [["a", "b", "c"]]
    assert grouped("time", *items) == [["a", "b"], ["c"]]
    assert grouped("id", *items) == [["a"], ["b"], ["c"]]


def test_an_unknown_grouping_is_refused_with_those_that_there_are():
    with pytest.raises(InvalidInputError, match="group_by = 'day'") as caught:
        eo.load([item("a").item], group_by="day")
    assert "solar_day" in caught.value.hint


def test_what_a_grouping_by_time_hides_is_told(tmp_path):
    for name, number in (("a", 1), ("b", 2)):
        values = np.full((1, 10, 10), number, dtype="uint8")
        with rasterio.open(
            tmp_path / f"{name}_20240517.tif", "w", driver="GTiff", width=10, height=10, count=1,
            dtype="uint8", crs="EPSG:32633", transform=from_origin(500_000, 5_400_000, 10, 10),
        ) as file:  # fmt: skip
            file.write(values)
    made = eo.ingest(tmp_path, to=tmp_path / "c", collection="mine")
    items = [pystac.Item.from_file(str(tmp_path / "c" / i / f"{i}.json")) for i in made.items]
    with pytest.warns(UserWarning, match="a_20240517"):
        assert eo.load(items, group_by="time", native=True).sizes["time"] == 1
    cube = eo.load(items, group_by="id", native=True)
    assert [float(step.data.max()) for step in cube.data] == [1.0, 2.0]
