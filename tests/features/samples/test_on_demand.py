"""Features that functions make: the same for training and for serving, in any process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.features.samples.on_demand import from_source


@eo.on_demand_transformation
def ratio(nir, red):
    small = 1e-6
    return nir / np.maximum(red, small)


@eo.on_demand_transformation
def log_ratio(ratio):
    return np.log(ratio)


@pytest.fixture
def view(store, at):
    group = store.create_feature_group(
        "g", primary_key=["id"], event_time="time", online_enabled=True
    )
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"id": np.arange(40), "time": at("2024-06-01"), "nir": rng.random(40), "red": 0.2}
    )
    frame.loc[3, "nir"] = np.nan
    group.insert(frame)
    truth = store.create_feature_group("t", primary_key=["id"], event_time="seen")
    truth.insert(
        pd.DataFrame(
            {
                "id": np.arange(40),
                "seen": pd.date_range("2024-07-01", periods=40, tz="UTC"),
                "y": ["a", "b"] * 20,
                "sure": np.linspace(0.1, 1, 40),
            }
        )
    )
    return store.create_feature_view(
        "v",
        labels=truth.select("y"),
        query=group.select(["nir", "red"]),
        functions=[ratio, log_ratio],
        transformations={"log_ratio": "standard"},
        weights="sure",
    )


def test_training_and_serving_compute_the_same(view):
    data = view.training_data()
    assert data.columns == view.features == ("nir", "red", "ratio", "log_ratio")
    np.testing.assert_allclose(data.X[:, 2], data.X[:, 0] / np.float32(0.2), rtol=1e-6)
    vectors = view.get_feature_vectors([{"id": k} for k in range(40)])
    np.testing.assert_allclose(np.array(vectors, dtype=np.float32), data.X, rtol=1e-5)
    # A function of a passed feature sees what was passed.
    passed = view.get_feature_vector({"id": 1}, passed={"nir": 0.4})
    assert passed[2] == pytest.approx(2.0)


def test_scalers_are_fitted_on_what_functions_give(view):
    split = view.train_test_split(by="random", test_size=0.25)
    scaled = split.train.X[:, split.train.columns.index("log_ratio")]
    assert np.nanmean(scaled) == pytest.approx(0, abs=1e-5)
    assert split.validation is None
    key = {"id": int(split.test.ids[0].split("|")[0])}
    served = view.get_feature_vector(key, split=split)
    np.testing.assert_allclose(np.array(served, dtype=np.float32), split.test.X[0], rtol=1e-4)


def test_another_process_computes_the_same(view, config):
    code = (
        "import sys; from eolab.settings.config import Config;"
        "from eolab.features import FeatureStore;"
        "from pathlib import Path; store = FeatureStore(Config(root=Path(sys.argv[1])));"
        "print(store.feature_view('v').training_data().digest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(config.root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == view.training_data().digest()


def test_weights_go_with_their_samples(view):
    data = view.training_data()
    np.testing.assert_allclose(data.weights, np.linspace(0.1, 1, 40), rtol=1e-6)
    split = view.train_test_split(by="random", test_size=0.25)
    number = [int(i.split("|")[0]) for i in split.test.ids]
    np.testing.assert_allclose(split.test.weights, np.linspace(0.1, 1, 40)[number], rtol=1e-6)
    dataset = view.create_training_dataset(split)
    np.testing.assert_array_equal(dataset.read().train.weights, split.train.weights)
    without = view.training_data().subset(np.arange(40))
    assert without.digest() == data.digest()


def test_a_datasets_statistics_are_those_of_its_part(view):
    split = view.train_test_split(by="random", test_size=0.25)
    figures = {s.column: s for s in view.create_training_dataset(split).statistics("train")}
    column = pd.Series(split.train.X[:, 0].astype(float))
    assert figures["nir"].count == len(split.train)
    assert figures["nir"].nulls == column.isna().sum()
    assert figures["nir"].mean == pytest.approx(column.mean(), rel=1e-6)
    assert (
        dict(figures["label"].top or ())
        == pd.Series(split.train.y)
        .map(dict(enumerate(split.train.classes)))
        .value_counts()
        .to_dict()
    )


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def f(x):\n    return pd.Series(x)", "uses 'pd', which is defined outside"),
        ("def f():\n    return 1", "has no parameter"),
        ("def g(x):\n    return x", "defines no such function"),
        ("def f(x) return x", "cannot be read"),
    ],
)
def test_functions_that_cannot_be_kept_are_refused(source, told):
    with pytest.raises(InvalidInputError, match=told) as caught:
        from_source("f", source)
    assert caught.value.hint


def test_functions_that_do_not_fit_a_view_are_refused(store, view):
    labels, query = view.labels, view.query
    for functions, told in (
        ([log_ratio], "needs 'ratio'"),
        ([ratio, ratio], "a feature 'ratio' already"),
        ([len], "functions holds"),
    ):
        with pytest.raises(InvalidInputError, match=told):
            store.create_feature_view("w", labels=labels, query=query, functions=functions)
    with pytest.raises(InvalidInputError, match="no column"):
        store.create_feature_view("w", labels=labels, query=query, weights="certain")
    with pytest.raises(InvalidInputError, match="no option"):
        store.create_feature_view("w", labels=labels, query=query, weight="sure")
    with pytest.raises(InvalidInputError, match="gives shape"):
        from_source("f", "def f(x):\n    return x.mean()")(np.ones(3))


# -- splits by time --------------------------------------------------------------------------


def test_the_newest_labels_are_held_out(view):
    split = view.train_validation_test_split(
        by=eo.TimeSplit(), validation_size=0.25, test_size=0.25
    )
    days = [
        sorted(i.split("|")[1] for i in p.ids) for p in (split.train, split.validation, split.test)
    ]
    assert [len(d) for d in days] == [20, 10, 10]
    assert days[0][-1] < days[1][0] <= days[1][-1] < days[2][0]
    dated = view.train_validation_test_split(by=eo.TimeSplit("2024-07-11", "2024-08-01"))
    assert [len(p) for p in (dated.train, dated.validation, dated.test)] == [10, 21, 9]
    assert dated.source["by"] == {
        "kind": "times", "validation": "2024-07-11", "test": "2024-08-01"
    }  # fmt: skip


def test_folds_in_time_train_on_the_past_only(view):
    folds = view.folds(by=eo.TimeSplit(), n_splits=3)
    for fold in folds:
        ends = [
            sorted(i.split("|")[1] for i in p.ids) for p in (fold.train, fold.validation, fold.test)
        ]
        assert ends[0][-1] < ends[1][0] <= ends[1][-1] < ends[2][0]
    assert [len(f.train) for f in folds] == [8, 16, 24]
    with pytest.raises(InvalidInputError, match="cut the time themselves"):
        view.folds(by=eo.TimeSplit("2024-07-11"), n_splits=3)


def test_labels_without_a_time_are_not_split_by_it(store, view, parcels):
    truth = store.create_feature_group("u", primary_key=["id"])
    truth.insert(pd.DataFrame({"id": np.arange(40), "y": ["a", "b"] * 20}))
    timeless = store.create_feature_view("w", labels=truth.select("y"), query=view.query)
    with pytest.raises(InvalidInputError, match="no event time"):
        timeless.train_test_split(by=eo.TimeSplit())
