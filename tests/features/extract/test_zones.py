"""Zones as users have them: beyond the cube, of any shape, in any reference system."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import odc.geo.xr  # noqa: F401
import pytest
import shapely
import xarray as xr

from eolab.errors import InvalidInputError
from eolab.features.extract.cube_layout import DroppedWarning
from eolab.features.extract.points_and_pixels import pixels, zonal
from eolab.features.extract.terrain import terrain
from eolab.features.geometry import buffered, metres

UTM = "EPSG:32633"


def cube_of(values, *, size=10.0, crs=UTM, west=500_000.0, north=5_200_000.0):
    rows, columns = values.shape
    made = xr.Dataset(
        {"v": (("y", "x"), values.astype("float32"))},
        {
            "y": north - size * (np.arange(rows) + 0.5),
            "x": west + size * (np.arange(columns) + 0.5),
        },
    )
    return made.odc.assign_crs(crs)


def zones_of(*shapes, crs=UTM):
    return gpd.GeoDataFrame(
        {"parcel_id": list("abcdefgh"[: len(shapes)])}, geometry=[*shapes], crs=crs
    )


def square(x0=0.0, y0=0.0, side=40.0):
    return shapely.box(500_000 + x0, 5_200_000 - y0 - side, 500_000 + x0 + side, 5_200_000 - y0)


CUBE = cube_of(np.arange(64).reshape(8, 8))


def test_clear_is_the_share_of_the_whole_zone_where_the_cube_ends():
    half = shapely.box(499_960, 5_199_920, 500_040, 5_200_000)
    tenth = shapely.box(499_910, 5_199_990, 500_010, 5_200_000)
    rows = zonal(CUBE, zones_of(half, tenth, square()), stats=["mean"])
    np.testing.assert_allclose(rows["clear"], [0.5, 0.1, 1.0])
    np.testing.assert_allclose(rows["count"], [32, 1, 16])


def test_of_a_collection_the_polygons_count_and_the_lines_do_not():
    line = shapely.LineString([(500_040, 5_199_990), (500_060, 5_199_990)])
    mixed = shapely.GeometryCollection([square(side=20), line])
    for buffer in (0, 0.001):
        rows = zonal(CUBE, zones_of(mixed), stats=["mean"], buffer=buffer)
        assert rows["v_mean"][0] == pytest.approx(4.5, abs=1e-3)
        assert rows["count"][0] == pytest.approx(4, abs=1e-2)


def test_a_ring_that_crosses_itself_is_measured_without_its_hole():
    bow = shapely.Polygon([(500_000, 5_200_000), (500_040, 5_199_960), (500_040, 5_200_000),
                           (500_000, 5_199_960)])  # fmt: skip
    assert zonal(CUBE, zones_of(bow), stats=["mean"])["count"][0] == pytest.approx(8, abs=0.01)


def test_lines_are_named_among_zones_and_refused_alone():
    line = shapely.LineString([(500_000, 5_200_000), (500_080, 5_199_920)])
    with pytest.warns(DroppedWarning, match="1 of 2 zones have no area.*'b'"):
        rows = zonal(CUBE, zones_of(square(), line), stats=["mean"])
    assert rows["parcel_id"].tolist() == ["a"]
    with pytest.raises(InvalidInputError, match="the zones have no area"):
        zonal(CUBE, zones_of(line, shapely.Point(500_010, 5_199_990)), stats=["mean"])
    # With a buffer they have one.
    assert zonal(CUBE, zones_of(line), stats=["mean"], buffer=5)["count"][0] > 8


def test_zones_and_labels_without_geometry_are_counted():
    far = square(10_000)
    words = "1 of 4 zones lie outside the scenes; 2 of 4 zones have no geometry"
    with pytest.warns(DroppedWarning, match=words):
        zonal(CUBE, zones_of(square(), far, None, shapely.Polygon()), stats=["mean"])
    with pytest.warns(DroppedWarning, match="1 of 2 labels have no geometry"):
        pixels(CUBE, zones_of(square(), None), columns=["parcel_id"])


def test_metres_said_to_be_degrees_are_refused_by_their_system():
    with pytest.raises(InvalidInputError, match="are in EPSG:4326, whose coordinates are degrees"):
        zonal(CUBE, zones_of(square(), crs="EPSG:4326"), stats=["mean"])


def test_uneven_axes_are_refused_and_rounded_ones_are_not():
    uneven = CUBE.assign_coords(y=CUBE.y.to_numpy() - np.array([0, 0, 0, 0, 3, 0, 0, 0]))
    with pytest.raises(InvalidInputError, match="the steps of the axis 'y' differ"):
        zonal(uneven, zones_of(square()), stats=["mean"])
    rounded = CUBE.assign_coords(x=CUBE.x.astype("float32"), y=CUBE.y.astype("float32"))
    assert zonal(rounded, zones_of(square()), stats=["mean"])["count"][0] == pytest.approx(16)


@pytest.mark.parametrize("latitude", [0.01, 45, 60, 70])
@pytest.mark.parametrize("distance", [-20, 50])
@pytest.mark.parametrize(
    "crs", ["EPSG:3857", "EPSG:4326", "EPSG:6933", "+proj=utm +zone=33 +units=us-ft"]
)
def test_a_buffer_is_in_metres_on_the_ground(latitude, distance, crs):
    place = gpd.GeoSeries([shapely.Point(15.2, latitude)], crs="EPSG:4326").to_crs(UTM)
    plot = gpd.GeoSeries([shapely.box(0, 0, 400, 400)]).translate(place.x[0], place.y[0])
    plot = plot.set_crs(UTM)
    there = plot.to_crs(crs)
    grown = buffered(there.geometry.to_numpy(), there.crs.to_wkt(), distance)
    back = gpd.GeoSeries(grown, crs=there.crs).to_crs(UTM)
    # A map's own scale in UTM is off by up to 0.04 %.
    assert back.area[0] == pytest.approx(plot.buffer(distance).area[0], rel=0.005)


def test_zones_far_apart_each_grow_by_metres_of_their_place():
    plots = [shapely.Point(15, latitude).buffer(0.01) for latitude in (1, 60)]
    there = gpd.GeoSeries(plots, crs="EPSG:4326").to_crs("EPSG:3857")
    grown = buffered(there.geometry.to_numpy(), "EPSG:3857", 1000)
    for before, after in zip(there, grown, strict=True):
        here = gpd.GeoSeries([before, after], crs="EPSG:3857").to_crs(UTM)
        west, other = here.bounds["minx"]
        assert west - other == pytest.approx(1000, rel=0.01)


def test_distances_in_web_mercator_are_those_on_the_ground():
    there = gpd.GeoSeries(gpd.points_from_xy([15, 15], [60, 60.01]), crs=4326).to_crs(3857)
    points = metres(np.column_stack([there.x, there.y]), "EPSG:3857")
    assert np.linalg.norm(points[0] - points[1]) == pytest.approx(1114, rel=0.001)


def test_slopes_in_web_mercator_are_refused_away_from_the_equator():
    rise = np.tile(np.arange(8.0) * 10, (8, 1))
    elevation = cube_of(rise, crs="EPSG:3857", west=1_670_000, north=8_400_000)
    with pytest.raises(InvalidInputError, match="slopes need a CRS in metres, and true ones"):
        terrain(elevation, "v")
