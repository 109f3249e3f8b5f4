"""Transformations are learnt from the training part alone and are the same when serving."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from eolab.errors import ConflictError, InvalidInputError
from eolab.features import SpatialBlocks
from eolab.features.samples.transformations import resolve


@pytest.fixture
def group(store):
    rng = np.random.default_rng(0)
    n = 300
    group = store.create_feature_group("g", primary_key=["id"], online_enabled=True)
    frame = pd.DataFrame(
        {
            "id": np.arange(n),
            "lon": rng.uniform(14, 15, n),
            "lat": rng.uniform(45, 46, n),
            "crop": rng.choice(["a", "b"], n),
            "soil": rng.choice(["clay", "loam", None], n),
            "slope": rng.exponential(5, n),
            "red": np.where(rng.random(n) < 0.2, np.nan, rng.normal(100, 20, n)),
            "nir": rng.normal(300, 50, n),
            "flat": 7.0,
        }
    )
    group.insert(frame)
    return group


def view_of(store, group, transformations, name="v"):
    return store.create_feature_view(
        name,
        labels=group.select("crop"),
        query=group.select(["soil", "slope", "red", "nir", "flat"]),
        transformations=transformations,
    )


@pytest.mark.parametrize(
    ("kind", "oracle"),
    [("standard", StandardScaler()), ("minmax", MinMaxScaler()), ("robust", RobustScaler())],
)
def test_scalers_equal_scikit_learn_fitted_on_the_training_part(store, group, kind, oracle):
    plain = view_of(store, group, {"soil": "onehot"}, "plain")
    scaled = view_of(store, group, {"soil": "onehot", "*": kind, "[s]oil": "onehot"})
    by = SpatialBlocks(20_000)
    before, after = (v.train_validation_test_split(by=by) for v in (plain, scaled))
    columns = [before.train.columns.index(c) for c in ("slope", "red", "nir")]
    oracle.fit(before.train.X[:, columns].astype(np.float64))
    for name in ("train", "validation", "test"):
        one, two = getattr(before, name), getattr(after, name)
        assert one.ids.tolist() == two.ids.tolist()
        expected = oracle.transform(one.X[:, columns].astype(np.float64))
        np.testing.assert_allclose(two.X[:, columns], expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(after.train.X[:, after.train.columns.index("flat")]).all()


def test_onehot_knows_the_training_parts_values_only(store, group):
    split = view_of(store, group, {"soil": "onehot"}).train_validation_test_split(
        by=SpatialBlocks(20_000)
    )
    assert split.train.columns == ("soil=clay", "soil=loam", "slope", "red", "nir", "flat")
    frame = group.read().set_index("id")
    soil = frame.loc[split.test.ids.astype(int), "soil"]
    np.testing.assert_array_equal(split.test.X[:, 0], soil == "clay")
    np.testing.assert_array_equal(split.test.X[:, :2].sum(axis=1), soil.notna())


def test_steps_go_in_order_and_travel_as_json(store, group):
    view = view_of(
        store, group, {"soil": "onehot", "red": ["impute", "standard"], "slope": "log1p"}
    )
    split = view.train_validation_test_split(by=SpatialBlocks(20_000))
    red = split.train.X[:, split.train.columns.index("red")]
    assert np.isfinite(red).all()
    assert red.mean() == pytest.approx(0, abs=1e-5)
    fitted = json.loads(json.dumps(split.source["transformations"], allow_nan=False))
    assert [s["kind"] for s in fitted["red"]] == ["impute", "standard"]


def test_online_vectors_are_transformed_as_the_training_part_was(store, group):
    view = view_of(store, group, {"soil": "onehot", "red": ["impute", "robust"], "nir": "standard"})
    split = view.train_validation_test_split(by=SpatialBlocks(20_000))
    for part in (split.train, split.test):
        keys = [{"id": int(i)} for i in part.ids[:20]]
        served = np.array(view.get_feature_vectors(keys, split=split), dtype=np.float32)
        np.testing.assert_allclose(served, part.X[:20], rtol=1e-5, atol=1e-6)
        one = view.get_feature_vector(keys[3], split=split)
        np.testing.assert_allclose(np.array(one, dtype=np.float32), part.X[3], rtol=1e-5, atol=1e-6)


def test_sequences_are_scaled_over_all_steps(store, parcels, spectra):
    query = spectra.select(["ndvi"]).sequence("03-01", "10-31", every="20D")
    view = store.create_feature_view(
        "s", labels=parcels.select("crop"), query=query, transformations={"ndvi": "standard"}
    )
    X = view.train_validation_test_split(by=SpatialBlocks(3_000)).train.X
    assert np.nanmean(X) == pytest.approx(0, abs=1e-5)
    assert np.nanstd(X) == pytest.approx(1, abs=1e-4)


def test_the_last_pattern_that_meets_a_feature_counts():
    assert resolve({"*": "standard", "red": "minmax"}, ["red", "nir"]) == {
        "red": ("minmax",),
        "nir": ("standard",),
    }


def test_faulty_transformations_are_refused(store, group):
    for says, faulty in (
        ("unknown transformation 'one-hot'", {"soil": "one-hot"}),
        ("no feature 'rde' to transform", {"rde": "standard"}),
        ("'onehot' goes with no other", {"soil": ["onehot", "standard"]}),
        ("the feature 'soil' is no number", {"soil": "standard"}),
        ("the feature 'soil' is no number", {}),
    ):
        with pytest.raises(InvalidInputError, match=says) as caught:
            view_of(store, group, faulty)
        assert caught.value.hint
    view_of(store, group, {"soil": "onehot"})
    with pytest.raises(ConflictError, match="differs in its transformations"):
        store.get_or_create_feature_view(
            "v",
            labels=group.select("crop"),
            query=group.select(["soil", "slope", "red", "nir", "flat"]),
            transformations={"soil": "onehot", "red": "standard"},
        )


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1.0, None, 2.5], ("v=1", "v=2.5")),
        ([3, 1, 2], ("v=1", "v=2", "v=3")),
        ([True, False, True], ("v=False", "v=True")),
        (np.array([0.5, 7, 7], "float32"), ("v=0.5", "v=7")),
        (["2", "b", "2"], ("v=2", "v=b")),
    ],
)
def test_onehot_takes_values_of_any_type_alike_in_training_batches_and_online(store, values, names):
    group = store.create_feature_group("kinds", primary_key="id", online_enabled=True)
    frame = pd.DataFrame({"id": range(12), "y": ["a", "b"] * 6, "v": list(values) * 4})
    group.insert(frame.astype({"v": np.asarray(values).dtype if None not in values else float}))
    view = store.create_feature_view(
        "kinds", labels=group.select("y"), query=group.select("v"), transformations={"v": "onehot"}
    )
    split = view.train_test_split(by="random", test_size=0.3)
    assert split.train.columns == names
    known = [v is not None for v in values]
    assert len(split.train) + len(split.test) == 4 * sum(known)
    assert (split.train.X.sum(axis=1) == 1).all()
    words = [f"v={v:g}" if isinstance(v, float | np.floating) else f"v={v}" for v in values]
    expected = [[float(name == word) for name in names] for word in words]
    online = view.get_feature_vectors([{"id": i} for i in range(3)], split=split)
    assert online == expected
    unlabelled = store.create_feature_view(
        "asked", labels=None, query=group.select("v"), transformations={"v": "onehot"}
    )
    assert unlabelled.batch_data([0, 1, 2], split=split).X.tolist() == expected


def test_onehot_online_tells_decimals_missing_text_and_numbers_of_numpy_as_in_training(store):
    group = store.create_feature_group("kinds", primary_key="id", online_enabled=True)
    rows = {"id": range(12), "y": ["a", "b"] * 6, "word": ["nan", "None", None] * 4}
    rows |= {"price": [Decimal("1.00"), Decimal("2.50"), Decimal("-3.10")] * 4}
    rows |= {"x": np.array([1, 0.1, 2.5] * 4, "float32")}
    group.insert(rows)
    onehot = dict.fromkeys(["word", "price", "x"], "onehot")
    view = store.create_feature_view(
        "kinds", labels=group.select("y"), query=group.select([*onehot]), transformations=onehot
    )
    split = view.train_test_split(by="random", test_size=0.3)
    assert split.train.columns[:2] == ("word=None", "word=nan")
    trained = {int(i): x.tolist() for part in (split.train, split.test)
               for i, x in zip(part.ids, part.X, strict=True)}  # fmt: skip
    assert trained[0] == [0, 1, 0, 1, 0, 0, 1, 0]
    assert trained[2][:2] == [0, 0]
    online = view.get_feature_vectors([{"id": i} for i in range(12)], split=split)
    assert online == [trained[i] for i in range(12)]
    passed = {"price": Decimal("2.5"), "x": np.float32(0.1), "word": np.str_("None")}
    assert view.get_feature_vector({"id": 0}, passed=passed, split=split) == trained[1]
