"""Arrays are features: vectors (n, k), bands (n, h, w, f), in views, splits and datasets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features import FeatureStore
from eolab.features.samples.on_demand import from_source
from eolab.settings.config import Config

N = 20
RNG = np.random.default_rng(0)
CHIPS = RNG.normal(size=(N, 4, 3, 2)).astype(np.float32)
VECTORS = RNG.normal(size=(N, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def groups(tmp_path_factory):
    store = FeatureStore(Config(tmp_path_factory.mktemp("arrays")))
    at = pd.to_datetime(["2024-01-01"] * N, utc=True)
    features = store.create_feature_group("f", primary_key="id", event_time="t")
    features.insert({
        "id": range(N), "t": at, "chip": CHIPS, "b1": CHIPS[..., 0], "b2": CHIPS[..., 1],
        "v": VECTORS, "w": -VECTORS, "s": VECTORS[:, 0], "lists": CHIPS[..., 0].tolist(),
        "ragged": [[1.0, 2.0]] * (N - 1) + [[1.0]], "v_0": VECTORS[:, 0],
    })  # fmt: skip
    # Later than any label: nothing of it may be seen.
    shapes = {"chip": (4, 3, 2), "b1": (4, 3), "b2": (4, 3), "v": (5,), "w": (5,)}
    later = {name: np.full((1, *shape), 9.0, np.float32) for name, shape in shapes.items()}
    later |= {"id": [0], "t": at[:1] + pd.Timedelta("99D"), "s": [9.0], "v_0": [9.0]}
    features.insert({**later, "lists": [[[9.0]]], "ragged": [[9.0]]})
    labels = store.create_feature_group("l", primary_key="id", event_time="t")
    labels.insert({"id": range(N), "t": at + pd.Timedelta("9D"), "lon": RNG.uniform(9, 10, N),
                   "lat": RNG.uniform(50, 51, N), "y": ["p", "q"] * (N // 2)})  # fmt: skip
    return store, features, labels.select("y")


def view(groups, columns, name="v", **options):
    store, features, labels = groups
    return store.create_feature_view(
        f"{name}{len(store.feature_views())}",
        labels=labels,
        query=features.select(columns),
        **options,
    )


def data(groups, columns, **options):
    found = view(groups, columns, **options).training_data()
    order = np.argsort([int(i.split("|")[0]) for i in found.ids])
    return found.X[order], found.columns


@pytest.mark.parametrize(
    ("columns", "expected", "names"),
    [
        (["v"], VECTORS, tuple(f"v_{i}" for i in range(5))),
        (["s", "v"], np.column_stack([VECTORS[:, 0], VECTORS]),
         ("s", *(f"v_{i}" for i in range(5)))),
        (["v", "w"], np.stack([VECTORS, -VECTORS], -1), ("v", "w")),
        (["b1"], CHIPS[..., :1], ("b1",)),
        (["b1", "b2"], CHIPS, ("b1", "b2")),
        (["lists", "b2"], CHIPS, ("lists", "b2")),
        (["chip"], CHIPS, ("chip_0", "chip_1")),
        (["b2", "chip"], np.concatenate([CHIPS[..., 1:], CHIPS], -1), ("b2", "chip_0", "chip_1")),
    ],
)  # fmt: skip
def test_x_holds_the_arrays_as_of_the_labels(groups, columns, expected, names):
    X, found = data(groups, columns)
    assert found == names
    np.testing.assert_array_equal(X, expected)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["chip", "s"], "make no one array"),
        (["chip", "v"], "make no one array"),
        (["ragged"], "arrays of 1 and 2 values, and a view needs one shape"),
        (["v_0", "v"], "both called 'v_0'"),
    ],
)
def test_arrays_that_make_no_x_are_refused_by_name(groups, columns, said):
    with pytest.raises(InvalidInputError, match=said):
        view(groups, columns).training_data()


def test_what_arrays_cannot_be_is_said_when_the_view_is_made(groups):
    store, features, labels = groups
    with pytest.raises(InvalidInputError, match="'onehot' of the feature 'v'"):
        view(groups, ["v"], transformations={"v": "onehot"})
    with pytest.raises(InvalidInputError, match="each element is a feature"):
        view(groups, ["v"], functions=[from_source("f", "def f(v): return v")])
    steps = features.select("v").sequence(last="90D", every="30D")
    with pytest.raises(InvalidInputError, match="is an array, and a sequence"):
        store.create_feature_view("s", labels=labels, query=steps)
    with pytest.raises(InvalidInputError, match="is an array, and an online vector"):
        view(groups, ["v"]).get_feature_vector({"id": 1})


def test_each_channel_is_scaled_by_the_training_part_and_a_dataset_gives_the_same(groups):
    ratio = from_source("ratio", "def ratio(b1, b2): return b1 / (1 + b2 * b2)")
    made = view(groups, ["b1", "b2"], transformations={"b*": "standard"}, functions=[ratio])
    split = made.train_test_split(by="random", test_size=0.3)
    np.testing.assert_allclose(split.train.X[..., :2].mean((0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(split.train.X[..., :2].std((0, 1, 2)), 1, atol=1e-5)
    dataset = made.create_training_dataset(split, geoparquet=True)
    np.testing.assert_array_equal(dataset.read().test.X, split.test.X)
    np.testing.assert_array_equal(dataset.to_pandas("test")["b2"][0], split.test.X[0, ..., 1])
    assert [s.nulls for s in dataset.statistics()] == [0] * 4
    assert np.array(dataset.to_geopandas("test")["b1"][0].tolist()).shape == (4, 3)


def test_a_row_without_its_array_is_missing_and_counted(store):
    group = store.create_feature_group("g", primary_key="id")
    group.insert(
        pd.DataFrame({"id": [1, 2], "v": [np.array([1.5, np.nan]), None], "y": [0.5, 1.5]})
    )
    found = store.create_feature_view("v", labels=group.select("y"), query=group.select("v")).load()
    np.testing.assert_array_equal(found.data.X, [[1.5, np.nan]])
    assert found.report["without_features"] == 1
