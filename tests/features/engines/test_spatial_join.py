"""Joins by place equal GeoPandas' own, with no row doubled or lost."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from eolab.errors import InvalidInputError
from eolab.features import FeatureStore


@pytest.fixture
def fields(store):
    """300 points in a 20 km square, in longitude and latitude."""
    rng = np.random.default_rng(0)
    x, y = 5e5 + rng.uniform(0, 20_000, 300), 5e6 + rng.uniform(0, 20_000, 300)
    places = gpd.GeoSeries(gpd.points_from_xy(x, y), crs="EPSG:32633").to_crs(4326)
    group = store.create_feature_group("fields", primary_key=["field"], event_time="seen")
    group.insert(
        pd.DataFrame(
            {
                "field": np.arange(300),
                "lon": places.x,
                "lat": places.y,
                "crop": rng.choice(["a", "b"], 300),
                "seen": pd.Timestamp("2024-07-01", tz="UTC"),
            }
        )
    )
    return group


@pytest.fixture
def soils(store):
    """Squares of 4 km, a gap between them, in UTM."""
    frame = gpd.GeoDataFrame(
        {"soil": [f"s{i}{j}" for i in range(4) for j in range(4)], "clay": np.arange(16.0)},
        geometry=[
            shapely.box(
                5e5 + i * 5000, 5e6 + j * 5000, 5e5 + i * 5000 + 4000, 5e6 + j * 5000 + 4000
            )
            for i in range(4)
            for j in range(4)
        ],
        crs="EPSG:32633",
    )
    group = store.create_feature_group("soils", primary_key=["soil"])
    group.insert(frame)
    return group


def points_of(fields):
    frame = fields.read()
    return gpd.GeoDataFrame(
        frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs="EPSG:4326"
    ).to_crs("EPSG:32633")


def test_points_in_polygons_equal_geopandas(fields, soils):
    found = fields.select("crop").join_spatial(soils.select("clay")).read()
    oracle = gpd.sjoin(points_of(fields), soils.read(), predicate="within", how="left")
    assert found["field"].tolist() == list(range(300))
    np.testing.assert_array_equal(found["clay"], oracle.sort_values("field")["clay"])
    assert found["clay"].isna().any(), "some lie in the gaps"
    inner = fields.select("crop").join_spatial(soils.select("clay"), join_type="inner").read()
    assert len(inner) == found["clay"].notna().sum()


def test_the_nearest_station_is_found_with_its_values_as_of_the_row(fields, store):
    rng = np.random.default_rng(1)
    stations = gpd.GeoDataFrame(
        {"station": np.arange(12)},
        geometry=gpd.points_from_xy(5e5 + rng.uniform(0, 2e4, 12), 5e6 + rng.uniform(0, 2e4, 12)),
        crs="EPSG:32633",
    )
    days = pd.date_range("2024-06-28", periods=6, tz="UTC")
    rows = stations.merge(pd.DataFrame({"time": days, "rain": np.arange(6.0)}), how="cross")
    rows["rain"] += rows["station"] * 100
    group = store.create_feature_group("weather", primary_key=["station"], event_time="time")
    group.insert(rows)
    query = fields.select("crop").join_spatial(
        group.select("rain"), how="nearest", max_distance=4000
    )
    found = query.read()
    oracle = gpd.sjoin_nearest(
        points_of(fields), stations, how="left", max_distance=4000
    ).sort_values("field")
    # 1 July is the fourth day: what fell later is not known yet.
    np.testing.assert_array_equal(found["rain"], oracle["station"] * 100 + 3)
    assert found["rain"].isna().any()


def test_what_shares_a_tile_is_found_nearest_first(fields, store):
    rng = np.random.default_rng(2)
    stations = gpd.GeoDataFrame(
        {"station": np.arange(9), "height": np.arange(9.0)},
        geometry=gpd.points_from_xy(5e5 + rng.uniform(0, 2e4, 9), 5e6 + rng.uniform(0, 2e4, 9)),
        crs="EPSG:32633",
    )
    group = store.create_feature_group("stations", primary_key=["station"])
    group.insert(stations)
    query = fields.select("crop").join_spatial(group.select("height"), how="tile", tile=5000)
    found = query.read()

    def cells(points):
        at = points.to_crs("EPSG:6933")
        return np.floor(np.column_stack([at.geometry.x, at.geometry.y]) / 5000)

    points = points_of(fields).sort_values("field")
    mine, theirs = cells(points), cells(stations)
    for row, (cell, point) in enumerate(zip(mine, points.geometry, strict=True)):
        same = stations[(theirs == cell).all(axis=1)]
        if same.empty:
            assert np.isnan(found["height"][row])
        else:
            assert found["height"][row] == same["height"][same.distance(point).idxmin()]
    assert 0 < found["height"].isna().sum() < 300
    for wrong in ({"how": "tile"}, {"tile": 5000}, {"how": "tile", "tile": -1}):
        with pytest.raises(InvalidInputError, match="tile="):
            fields.select("crop").join_spatial(group.select("height"), **wrong)


def test_overlaps_take_the_first_by_key_and_double_no_row(store, fields, soils):
    again = soils.read().assign(soil=lambda f: "a" + f["soil"], clay=lambda f: f["clay"] + 100)
    soils.insert(again)
    found = fields.select("crop").join_spatial(soils.select("clay")).read()
    assert len(found) == 300
    assert (found["clay"].dropna() >= 100).all()


def test_a_view_remembers_a_join_by_place_and_trains_on_it(store, config, fields, soils):
    extra = store.create_feature_group("f", primary_key=["field"], event_time="time")
    days = pd.date_range("2024-04-01", periods=3, freq="30D", tz="UTC")
    extra.insert(
        pd.DataFrame({"field": np.repeat(np.arange(300), 3), "time": np.tile(days, 300), "v": 1.0})
    )
    query = (
        extra.select("v").sequence("04-01", "06-30", every="30D").join_spatial(soils.select("clay"))
    )
    view = store.create_feature_view("v", labels=fields.select("crop"), query=query)
    again = FeatureStore(config).feature_view("v")
    data = again.training_data()
    assert data.X.shape == (300, 4, 2)
    flat = fields.select("crop").join_spatial(soils.select("clay")).read()["clay"]
    np.testing.assert_array_equal(data.X[:, 0, 1], flat)
    assert view.query.to_dict() == again.query.to_dict()
    flat_view = store.create_feature_view(
        "flat",
        labels=fields.select("crop"),
        query=extra.select("v").join_spatial(soils.select("clay")),
    )
    with pytest.raises(InvalidInputError, match="no online vector"):
        flat_view.get_feature_vector({"field": 1})


def test_groups_without_a_place_say_so(store, fields, soils):
    plain = store.create_feature_group("plain", primary_key=["id"])
    plain.insert(pd.DataFrame({"id": [1], "v": [1.0]}))
    for says, faulty in (
        (
            "plain/1 has no geometry, so it cannot",
            lambda: fields.select("crop").join_spatial(plain.select("v")),
        ),
        (
            "the group that it is joined to has no",
            lambda: plain.select("v").join_spatial(soils.select("clay")).read(),
        ),
        (
            "unknown how='inside'",
            lambda: fields.select("crop").join_spatial(soils.select("clay"), how="inside"),
        ),
        (
            "max_distance=5 with how='within'",
            lambda: fields.select("crop").join_spatial(soils.select("clay"), max_distance=5),
        ),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(says)) as caught:
            faulty()
        assert caught.value.hint
