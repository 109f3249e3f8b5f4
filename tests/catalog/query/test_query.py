"""A search means the same everywhere: dates, areas, clouds, against shapely and pandas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pystac
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eolab.catalog.areas.areas import boxes, footprint
from eolab.catalog.cube.checks import check_resolution
from eolab.catalog.items.quality_masks import mask
from eolab.catalog.query.query import make_query
from eolab.catalog.query.times import parse_interval
from eolab.errors import InvalidInputError

START = datetime(2020, 1, 1, tzinfo=UTC)


def make(number: int, west: float, south: float, size: float, day: float, cloud: float | None):
    east, north = min(west + size, 180), min(south + size, 90)
    properties = {} if cloud is None else {"eo:cloud_cover": cloud}
    return pystac.Item(
        f"i{number}",
        shapely.box(west, south, east, north).__geo_interface__,
        [west, south, east, north],
        START + timedelta(days=day),
        properties,
        collection="c" if number % 2 else "d",
    )


items = st.lists(
    st.tuples(
        st.floats(-180, 179),
        st.floats(-90, 89),
        st.floats(0.1, 20),
        st.floats(0, 700),
        st.none() | st.floats(0, 100),
    ),
    max_size=12,
)
box = st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90))


@settings(max_examples=150, deadline=None)
@given(items, box, st.floats(0, 700), st.floats(0, 300), st.none() | st.floats(0, 100))
@example([(0.0, 0.0, 1.0, 0.0, None)], (1.0, 0.0, 0.0, 0.0), 0.0, 0.0, None)
@example([(0.0, 0.0, 1.0, 0.0, None)], (1.0, 1.0, 1.0, 1.0), 0.0, 0.0, None)
def test_a_query_accepts_what_shapely_and_pandas_accept(rows, corner, first, days, cloud):
    west, s, east, n = corner
    bbox = (west, min(s, n), east, max(s, n))
    start, end = START + timedelta(days=first), START + timedelta(days=first + days)
    query = make_query(bbox=bbox, datetime=(start, end), max_cloud=cloud)
    made = [make(number, *row) for number, row in enumerate(rows)]
    table = pd.DataFrame(
        {
            "time": pd.to_datetime([i.datetime for i in made], utc=True),
            "cloud": pd.Series([i.properties.get("eo:cloud_cover") for i in made], dtype=float),
        }
    )
    keep = table["time"].between(pd.Timestamp(start), pd.Timestamp(end))
    if cloud is not None:
        keep &= ~(table["cloud"] > cloud)  # an item that states none is kept
    if west <= east:
        windows = [shapely.box(*bbox)]
    else:  # across the antimeridian
        windows = [
            shapely.box(west, bbox[1], 180, bbox[3]),
            shapely.box(-180, bbox[1], east, bbox[3]),
        ]
    for number, item in enumerate(made):
        near = any(shapely.box(*item.bbox).intersects(window) for window in windows)
        assert query.accepts(item) == (near and bool(keep[number]))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-02", "2024-02-01T00:00:00", "2024-02-29T23:59:59.999999"),
        ("2024", "2024-01-01T00:00:00", "2024-12-31T23:59:59.999999"),
        ("2024-03/2024-10", "2024-03-01T00:00:00", "2024-10-31T23:59:59.999999"),
        ("2024-03-05", "2024-03-05T00:00:00", "2024-03-05T23:59:59.999999"),
        ("2024-03-05T10:00:00+02:00/..", "2024-03-05T08:00:00", None),
        ("../2024-03-05T10:00:00Z", None, "2024-03-05T10:00:00"),
        # As xarray and NumPy write times.
        (slice("2024-03", "2024-10"), "2024-03-01T00:00:00", "2024-10-31T23:59:59.999999"),
        (slice("2024-03", None), "2024-03-01T00:00:00", None),
        (np.datetime64("2024-02"), "2024-02-01T00:00:00", "2024-02-29T23:59:59.999999"),
        (
            np.array(["2024-02-01T10:00:00.123456789", "2024-03-01"], "datetime64[ns]"),
            "2024-02-01T10:00:00.123456",
            "2024-03-01T00:00:00",
        ),
    ],
)
def test_a_month_means_all_of_it(text, first, last):
    start, end = parse_interval(text)
    assert (None if start is None else start.replace(tzinfo=None).isoformat()) == first
    assert (None if end is None else end.replace(tzinfo=None).isoformat()) == last


@pytest.mark.parametrize(
    "wrong",
    [
        {"datetime": "soon"},
        {"datetime": "2024-13"},
        {"datetime": "2024-02-30"},
        {"datetime": "2024-05/2024-03"},
        {"datetime": "2024/2025/2026"},
        {"bbox": (0, 0, 1)},
        {"bbox": (0, 10, 1, 5)},
        {"bbox": (0, 0, 500, 5)},
        {"bbox": "here"},
        {"max_cloud": 101},
        {"limit": 0},
        {"limit": True},
        {"intersects": {"type": "Blob"}},
        {"intersects": {"type": "Point", "coordinates": [500_000, 5_000_000]}},
        {"intersects": {"type": "Polygon", "coordinates": []}},
        {"cloud_missing": "maybe"},
    ],
)
def test_what_cannot_be_asked_is_said_with_a_hint(wrong):
    names = {"intersects": "the area"}  # what a message calls it
    (name,) = wrong
    with pytest.raises(InvalidInputError, match=f"^{names.get(name, name)}") as error:
        make_query(**wrong)
    assert error.value.hint


@pytest.mark.parametrize("when", [2024, np.datetime64("NaT"), [], {}, object()])
def test_what_is_no_time(when):
    with pytest.raises(InvalidInputError, match="datetime = "):
        parse_interval(when)


@pytest.mark.parametrize(
    ("area", "hint"),
    [
        ("POLYGON((11 48, 13 48, 13 49, 11 48))", "from_wkt"),
        ("parcels.gpkg", "read_file"),
        ([11, 48, 13, 49], "bbox="),
        (7, "GeoJSON"),
    ],
)
def test_what_is_no_area_is_told_what_was_meant(area, hint):
    with pytest.raises(InvalidInputError, match="is no area") as error:
        make_query(intersects=area)
    assert hint in error.value.hint


def test_an_area_in_another_reference_system_is_reprojected():
    frame = gpd.GeoDataFrame(
        geometry=[shapely.box(500_000, 5_400_000, 501_000, 5_401_000)], crs=32633
    )
    area = make_query(intersects=frame).intersects
    assert 14.9 < area.centroid.x < 15.1
    assert 48 < area.centroid.y < 49
    with pytest.raises(InvalidInputError, match="no reference system"):
        make_query(intersects=frame.set_crs(None, allow_override=True))


def test_a_box_across_the_antimeridian_is_two():
    assert boxes((170, -10, -170, 10)).area == pytest.approx(400)


@pytest.mark.parametrize("bbox", [(1, 0, 0, 0), (1, -5, 1, 5), (0.5, 1, 0.5, 1), (1, 1, -170, 1)])
def test_what_only_touches_a_box_without_width_or_height_is_found(bbox):
    item = make(0, 0.0, 0.0, 1.0, 0.0, None)
    assert make_query(bbox=bbox).accepts(item)
    aside = make(0, 0.0, 20.0, 1.0, 0.0, None)
    assert not make_query(bbox=bbox).accepts(aside)
    area = shapely.box(-5, -5, 5, 5)
    assert make_query(bbox=bbox, intersects=area).accepts(item)


def test_numbers_of_numpy_are_numbers():
    assert make_query(limit=np.int64(5)).limit == 5
    assert mask(dilate=np.int32(20)).dilate == 20.0
    assert check_resolution(np.int64(10)) == 10.0
    for wrong in (np.bool_(True), np.float64(2.5)):
        with pytest.raises(InvalidInputError, match="limit"):
            make_query(limit=wrong)
    with pytest.raises(InvalidInputError, match="resolution"):
        check_resolution(np.bool_(True))


def outlined(*corners):
    ring = [list(corner) for corner in (*corners, corners[0])]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return pystac.Item("a", geometry, None, datetime(2024, 1, 1, tzinfo=UTC), {})


@pytest.mark.parametrize(
    ("corners", "inside", "outside"),
    [
        # Jumping at 180 degrees, as many catalogues write it; Kenya is not in the Pacific.
        ([(175, 0), (-172, 2), (-172, 12), (175, 10)], [(177, 3), (-175, 6)], [(25, 3), (-160, 5)]),
        ([(178, 0), (184, 0), (184, 5), (178, 5)], [(179, 1), (-177, 1)], [(-179, 6), (170, 1)]),
        ([(-184, 0), (-178, 0), (-178, 5), (-184, 5)], [(177, 1), (-179, 1)], [(170, 1)]),
        # The whole Earth, or most of it.
        ([(-180, -90), (180, -90), (180, 90), (-180, 90)], [(0, 0), (179, 80)], []),
        ([(-180, -90), (179.75, -90), (179.75, 90), (-180, 90)], [(0, 0), (100, -80)], []),
        ([(-120, 10), (120, 10), (120, 20), (-120, 20)], [(0, 15)], [(170, 15)]),
        # Around a pole.
        ([(-100, 70), (-10, 70), (80, 70), (170, 70)], [(-100, 80), (30, 89)], [(30, 60)]),
    ],
)
def test_outlines_over_180_degrees_lie_where_they_are(corners, inside, outside):
    item = outlined(*corners)
    for x, y in inside:
        assert make_query(bbox=(x, y, x + 0.5, y + 0.5)).accepts(item), (x, y)
    for x, y in outside:
        assert not make_query(bbox=(x, y, x + 0.5, y + 0.5)).accepts(item), (x, y)
    west, south, east, north = footprint(item).bounds
    assert -180 <= west <= east <= 180
    assert -90 <= south <= north <= 90
