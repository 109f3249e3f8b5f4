"""Cross-validation of classes and of quantities, with figures that scikit-learn confirms."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline

from eolab.errors import InvalidInputError
from eolab.features import SpatialBlocks, cross_validate
from eolab.features.splits.split import EmptyPart, NarrowBlocks
from eolab.features.views.fold_scores import summary

BLOCKS = SpatialBlocks(2_000)


@pytest.fixture
def harvest(store):
    """A view of a yield in t/ha over 20 km; x tells most of it."""
    rng = np.random.default_rng(3)
    n = 240
    frame = pd.DataFrame({"id": range(n), "x": rng.random(n)})
    frame["e"], frame["n"] = rng.uniform(5e5, 5.2e5, n), rng.uniform(5e6, 5.02e6, n)
    frame["t_ha"] = 3 + 2 * frame["x"] + rng.normal(0, 0.2, n)
    frame["good"] = frame["t_ha"] > 4
    group = store.create_feature_group("g", primary_key="id", geometry=("e", "n"), crs="EPSG:32633")
    group.insert(frame)
    return store.create_feature_view("v", labels=group.select("t_ha"), query=group.select("x"))


def test_errors_of_a_quantity_are_those_of_scikit_learn_over_the_same_folds(harvest):
    found = cross_validate(harvest, by=[BLOCKS], model=LinearRegression(), n_splits=4)["blocks"]
    assert found.metric == "rmse"
    said, y, rmse = [], [], []
    for fold in harvest.folds(by=BLOCKS, n_splits=4):
        parts = [fold.train, fold.validation]
        X, labels = (np.concatenate([getattr(p, a) for p in parts]) for a in "Xy")
        said.append(LinearRegression().fit(X, labels).predict(fold.test.X))
        y.append(fold.test.y)
        rmse.append(root_mean_squared_error(y[-1], said[-1]))
    assert found.scores == pytest.approx(rmse)
    said, y = np.concatenate(said), np.concatenate(y)
    assert found.metrics["mae"] == pytest.approx(mean_absolute_error(y, said))
    assert found.metrics["r2"] == pytest.approx(r2_score(y, said))
    assert found.metrics["bias"] == pytest.approx((said - y).mean())
    for name in ("rmse", "mae", "bias", "r2"):
        low, high = found.metrics[f"{name}_low"], found.metrics[f"{name}_high"]
        assert low < found.metrics[name] < high


def test_classes_keep_macro_f1_and_get_intervals_too(harvest, store):
    group = harvest.labels.group
    view = store.create_feature_view("c", labels=group.select("good"), query=group.select("x"))
    found = cross_validate(view, by=["random"], model=LogisticRegression(), n_splits=3)["random"]
    assert found.metric == "macro_f1"
    assert found.metrics["macro_f1_low"] < found.metrics["macro_f1"] < 1
    assert "random: macro-F1" in str(found)


def test_the_summary_of_a_quantity_says_by_how_much_random_folds_flatter(harvest):
    found = cross_validate(harvest, by=[BLOCKS, "random"], model=LinearRegression(), n_splits=3)
    flattered = found["blocks"].mean - found["random"].mean
    text = summary(found)
    assert "blocks: RMSE 0." in text
    assert f"random folds flatter by {flattered:.4g}" in text


@pytest.mark.parametrize("model", [LogisticRegression(), make_pipeline(LogisticRegression())])
def test_a_classifier_is_refused_for_a_quantity(harvest, model):
    with pytest.raises(InvalidInputError, match="is no model for a regression"):
        cross_validate(harvest, by=["random"], model=model, n_splits=3)


def test_the_default_blocks_of_a_quantity_leave_samples_in_every_part(store):
    rng = np.random.default_rng(0)
    n = 200
    frame = pd.DataFrame({"id": range(n), "e": 5e5 + rng.uniform(0, 900, n)})
    frame["n"] = 5e6 + rng.uniform(0, 900, n)
    frame["x"] = frame["e"] + frame["n"] + rng.normal(0, 1, n)  # alike over the whole extent
    frame["q"] = frame["x"] / 7 + rng.random(n)
    group = store.create_feature_group(
        "near", primary_key="id", geometry=("e", "n"), crs="EPSG:32633"
    )
    group.insert(frame)
    view = store.create_feature_view("near", labels=group.select("q"), query=group.select("x"))
    proposed = view.propose_blocks()
    with pytest.warns(NarrowBlocks, match="too few of them for 12 parts"):
        folds = view.folds(n_splits=12)
    assert folds[0].source["by"]["size"] < proposed.size
    assert folds[0].source["task"] == "regression"
    assert all(len(fold.test) for fold in folds)
    with pytest.raises(InvalidInputError, match="lie in 1 blocks, fewer than 3 parts"):
        view.train_validation_test_split(by=SpatialBlocks(10_000_000))


def test_a_part_that_the_buffer_empties_is_told(store):
    east = np.repeat([500_500.0, 550_100.0, 551_050.0], [60, 20, 20])
    frame = pd.DataFrame({"id": range(100), "e": east, "n": 5_000_500.0})
    frame["x"] = frame["q"] = np.arange(100) / 7
    group = store.create_feature_group(
        "three", primary_key="id", geometry=("e", "n"), crs="EPSG:32633"
    )
    group.insert(frame)
    view = store.create_feature_view("three", labels=group.select("q"), query=group.select("x"))
    by = SpatialBlocks(900, buffer=2_000)
    with pytest.warns(EmptyPart, match="the validation part is empty: all its samples lie within"):
        split = view.train_validation_test_split(by=by)
    assert split.validation is None
    assert (len(split.train), len(split.test)) == (60, 20)
