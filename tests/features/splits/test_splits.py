"""Parts share no block, no place and no neighbour within the buffer, whatever the order of rows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from eolab.errors import ConflictError, InvalidInputError
from eolab.features import SpatialBlocks
from eolab.features.splits.blocks import SampleLocations, assign, cells, near, units


def parts(split):
    return {"train": split.train, "validation": split.validation, "test": split.test}


@pytest.fixture
def view(store, parcels, spectra):
    query = spectra.select(["ndvi"]).sequence("03-01", "10-31", every="20D")
    return store.create_feature_view("crops", labels=parcels.select("crop"), query=query)


def test_parts_share_no_block_and_hold_their_share_of_each_class(view):
    split = view.train_validation_test_split(
        by=SpatialBlocks(3_000), validation_size=0.2, test_size=0.2
    )
    blocks = [set(d.groups) for d in parts(split).values()]
    assert not (blocks[0] & blocks[1])
    assert not (blocks[0] & blocks[2])
    assert not (blocks[1] & blocks[2])
    assert sum(len(d) for d in parts(split).values()) == 200
    for data, share in zip(parts(split).values(), (0.6, 0.2, 0.2), strict=True):
        for code in range(3):
            whole = sum((d.y == code).sum() for d in parts(split).values())
            assert (data.y == code).sum() / whole == pytest.approx(share, abs=0.12)


def test_the_buffer_holds_between_polygons_in_metres(view, parcels):
    split = view.train_validation_test_split(by=SpatialBlocks(4_000, buffer=500))
    shape = parcels.read().set_index("parcel_id").geometry
    ids = {n: [int(i.split("|")[0]) for i in d.ids] for n, d in parts(split).items()}
    tested, validated, trained = (
        shape[ids[n]].union_all() for n in ("test", "validation", "train")
    )
    assert shape[ids["train"]].distance(tested).min() > 500
    assert shape[ids["train"]].distance(validated).min() > 500
    assert shape[ids["validation"]].distance(tested).min() > 500
    dropped = split.source["report"]["dropped_by_buffer"]
    assert sum(map(len, ids.values())) + sum(dropped.values()) == 200
    assert dropped["train"] > 0
    assert trained.area > 0


def test_folds_hold_each_block_out_once(view):
    folds = view.folds(by=SpatialBlocks(3_000, buffer=100), n_splits=5)
    held = [i for f in folds for i in f.test.ids]
    assert len(held) == len(set(held)) == 200
    for fold in folds:
        blocks = [set(d.groups) for d in parts(fold).values()]
        assert not (blocks[0] & blocks[1])
        assert not (blocks[0] & blocks[2])
        assert not (blocks[1] & blocks[2])
        assert {len(np.unique(d.y)) for d in parts(fold).values()} == {3}
        with pytest.raises(ConflictError, match="no test part here"):
            _ = fold.sealed().test


def test_the_split_does_not_depend_on_the_order_of_rows(store, parcels, spectra, view):
    shuffled = store.create_feature_group("again", primary_key=["parcel_id"], event_time="observed")
    shuffled.insert(parcels.read().sample(frac=1, random_state=5))
    query = spectra.select(["ndvi"]).sequence("03-01", "10-31", every="20D")
    other = store.create_feature_view("again", labels=shuffled.select("crop"), query=query)
    one = view.train_validation_test_split(by=SpatialBlocks(3_000, buffer=200), seed=3)
    two = other.train_validation_test_split(by=SpatialBlocks(3_000, buffer=200), seed=3)
    assert one.digest() == two.digest()
    assert one.test.digest() == two.test.digest()
    assert (
        one.digest() != view.train_validation_test_split(by=SpatialBlocks(3_000), seed=4).digest()
    )


def test_without_stratifying_no_sample_changes_its_part_when_others_come(store):
    rng = np.random.default_rng(0)
    n = 600
    frame = pd.DataFrame(
        {"id": np.arange(n), "lon": rng.uniform(14, 16, n), "lat": rng.uniform(45, 47, n)}
    )
    frame["c"], frame["v"] = rng.choice(["a", "b"], n), 1.0
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(frame.iloc[:300])
    view = store.create_feature_view("v", labels=group.select("c"), query=group.select("v"))

    def sides():
        split = view.train_validation_test_split(by=SpatialBlocks(10_000), stratify=False, seed=2)
        return {i: n for n, d in parts(split).items() for i in d.ids}

    before = sides()
    group.insert(frame.iloc[300:])
    after = sides()
    assert len(after) == 600
    assert {i: after[i] for i in before} == before
    for name, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
        assert np.mean([v == name for v in after.values()]) == pytest.approx(share, abs=0.12)


def test_values_of_a_unit_column_stay_together(view):
    split = view.train_validation_test_split(by="district", validation_size=0, test_size=0.5)
    assert set(split.train.groups).isdisjoint(split.test.groups)
    assert set(split.train.groups) | set(split.test.groups) == {"east", "west"}
    assert split.validation is None


def test_a_random_split_by_key_is_there_for_comparison(view):
    split = view.train_validation_test_split(by="random")
    assert (len(split.train), len(split.validation), len(split.test)) == pytest.approx(
        (120, 40, 40), abs=4
    )
    assert split.source["by"] == {"kind": "random"}


def test_small_classes_are_left_out_by_name_with_the_reason(store):
    rng = np.random.default_rng(0)
    n = 300
    crop = np.where(np.arange(n) < 5, "rare", np.where(np.arange(n) < 30, "lumped", "common"))
    crop[200:] = "other"
    lon, lat = rng.uniform(14, 15, n), rng.uniform(45, 46, n)
    lon[5:30], lat[5:30] = 14.55 + rng.uniform(0, 0.01, 25), 45.55 + rng.uniform(0, 0.01, 25)
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(pd.DataFrame({"id": np.arange(n), "lon": lon, "lat": lat, "crop": crop, "v": 1.0}))
    view = store.create_feature_view("v", labels=group.select("crop"), query=group.select("v"))
    fold = view.folds(by=SpatialBlocks(0.1, crs="EPSG:4326", merge=0), n_splits=5, min_samples=20)[
        0
    ]
    left_out = fold.source["report"]["left_out"]
    assert left_out == {"rare": "5 samples, fewer than 20", "lumped": "in 1 blocks, fewer than 5"}
    assert fold.train.classes == ("common", "other")
    assert set(np.unique(fold.train.y)) == {0, 1}


def test_samples_of_one_place_are_one_unit_anywhere_on_earth():
    geod = Geod(ellps="WGS84")
    lon, lat, expected = [], [], []
    for number, (x, y) in enumerate(
        [(14.5, 46.0), (33.5, 4.8), (-70.0, -52.0), (25.0, 69.0), (179.99999, 0.0)]
    ):
        for metres, same in [(0, True), (9.5, True), (10.5, False)]:
            a, b, _ = geod.fwd(x, y, 90.0, metres)
            lon.append(a)
            lat.append(b)
            # The third is within 10 m of the second, so all three chain.
            expected.append(number if same or metres == 10.5 else None)
    unit = units(SampleLocations(shapely.points(lon, lat), "EPSG:4326"), 10.0)
    assert len(set(unit)) == 5
    assert [list(unit).index(u) // 3 for u in unit] == expected
    apart = units(
        SampleLocations(
            shapely.points([14.5, geod.fwd(14.5, 46, 90, 10.5)[0]], [46, 46]), "EPSG:4326"
        ),
        10.0,
    )
    assert len(set(apart)) == 2


def test_pixels_ten_metres_apart_are_units_of_their_own():
    x, y = np.meshgrid(np.arange(30) * 10 + 500_005.0, np.arange(30) * 10 + 5_000_005.0)
    unit = units(SampleLocations(shapely.points(x.ravel(), y.ravel()), "EPSG:32633"), 10.0)
    assert len(set(unit)) == 900


def test_dense_points_that_chain_over_a_block_are_refused_with_the_way_out(store):
    group = store.create_feature_group(
        "g", primary_key=["id"], geometry=("x", "y"), crs="EPSG:32633"
    )
    n = 200
    group.insert(
        pd.DataFrame(
            {
                "id": np.arange(n),
                "x": 500_000 + 5.0 * np.arange(n),
                "y": 5e6,
                "c": ["a", "b"] * 100,
                "v": 1.0,
            }
        )
    )
    view = store.create_feature_view("v", labels=group.select("c"), query=group.select("v"))
    with pytest.raises(InvalidInputError, match="chain") as caught:
        view.folds(by=SpatialBlocks(100, crs="EPSG:32633"))
    assert "merge=0" in caught.value.hint
    assert len(view.folds(by=SpatialBlocks(100, crs="EPSG:32633", merge=0))) == 5


def test_a_unit_column_joins_samples_of_different_places(store):
    group = store.create_feature_group(
        "g", primary_key=["id"], geometry=("x", "y"), crs="EPSG:32633"
    )
    rng = np.random.default_rng(2)
    n = 400
    frame = pd.DataFrame(
        {"id": np.arange(n), "x": rng.uniform(5e5, 5.1e5, n), "y": rng.uniform(5e6, 5.01e6, n)}
    )
    frame["farm"], frame["c"], frame["v"] = rng.integers(0, 80, n), rng.choice(["a", "b"], n), 1.0
    group.insert(frame)
    view = store.create_feature_view("v", labels=group.select("c"), query=group.select("v"))
    split = view.train_validation_test_split(by=SpatialBlocks(1_000), unit="farm")
    farm = frame.set_index("id")["farm"]
    held = [set(farm[d.ids.astype(int)]) for d in parts(split).values()]
    assert not (held[0] & held[1])
    assert not (held[0] & held[2])
    assert not (held[1] & held[2])
    assert split.source["report"]["units"] == 80


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-170, 170), st.floats(-70, 70)), min_size=2, max_size=40, unique=True
    ),
    st.integers(0, 5),
    st.floats(100, 1e6),
)
def test_cells_and_parts_follow_the_sample_not_its_row(points, seed, size):
    shape = shapely.points(points)
    y = np.arange(len(points)) % 3
    order = np.random.default_rng(seed).permutation(len(points))

    def run(index):
        places = SampleLocations(shape[index], "EPSG:4326")
        cell = cells(SpatialBlocks(size), places, units(places, 10.0))
        return cell, assign(cell, y[index], [0.6, 0.2, 0.2], seed)

    cell, side = run(np.arange(len(points)))
    shuffled_cell, shuffled_side = run(order)
    assert (cell[order] == shuffled_cell).all()
    assert (side[order] == shuffled_side).all()
    for name in np.unique(cell):
        assert len(np.unique(side[cell == name])) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(1, 5_000), st.booleans())
def test_near_equals_all_distances(seed, buffer, degrees):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(5e5, 5.1e5, 30), rng.uniform(5e6, 5.01e6, 30)
    one = rng.random(30) < 0.5
    if degrees:
        lon, lat = x / 1e5, y / 1e5
        blocks, places = (
            SpatialBlocks(1.0, buffer=buffer / 1e5, crs="EPSG:4326"),
            SampleLocations(shapely.points(lon, lat), "EPSG:4326"),
        )
        distance = np.hypot(lon[:, None] - lon, lat[:, None] - lat)
    else:
        blocks, places = (
            SpatialBlocks(100, buffer=buffer),
            SampleLocations(shapely.points(x, y), "EPSG:32633"),
        )
        distance = np.hypot(x[:, None] - x, y[:, None] - y)
    expected = one & (distance[:, ~one] <= blocks.buffer).any(axis=1)
    assert (near(places, one, ~one, blocks) == expected).all()


@pytest.mark.parametrize(
    ("faulty", "says"),
    [
        (lambda: SpatialBlocks(0), "has no cells"),
        (lambda: SpatialBlocks(-1), "size=-1"),
        (lambda: SpatialBlocks(float("nan")), "size=nan"),
        (lambda: SpatialBlocks(100, buffer=-1), "buffer=-1"),
        (lambda: SpatialBlocks(100, crs="EPSG:nowhere"), "EPSG:nowhere"),
    ],
)
def test_faulty_blocks_are_refused(faulty, says):
    with pytest.raises(InvalidInputError, match=says):
        faulty()


def test_faulty_splits_are_refused(view, store, spectra):
    for says, faulty in (
        ("by=5000 is no way to split", lambda: view.train_validation_test_split(by=5_000)),
        (
            "no column 'distrcit' in truth/1",
            lambda: view.train_validation_test_split(by="distrcit"),
        ),
        (
            "validation_size + test_size leave no",
            lambda: view.train_validation_test_split(by=SpatialBlocks(3_000), test_size=0.9),
        ),
        (
            "test_size=-0.1 is not a share",
            lambda: view.train_validation_test_split(by=SpatialBlocks(3_000), test_size=-0.1),
        ),
        (
            "n_splits=2 folds cannot hold training,",
            lambda: view.folds(by=SpatialBlocks(3_000), n_splits=2),
        ),
        ("fewer than two classes can be split", lambda: view.folds(by=SpatialBlocks(1_000_000))),
        (
            "no training sample is left",
            lambda: view.train_validation_test_split(by=SpatialBlocks(3_000, buffer=1e6)),
        ),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(says)) as caught:
            faulty()
        assert caught.value.hint
    plain = store.create_feature_group("plain", primary_key=["parcel_id"])
    plain.insert(pd.DataFrame({"parcel_id": [1, 2], "crop": ["a", "b"]}))
    other = store.create_feature_view(
        "plain", labels=plain.select("crop"), query=spectra.select_all()
    )
    with pytest.raises(InvalidInputError, match="no geometry"):
        other.folds(by=SpatialBlocks(1_000))
