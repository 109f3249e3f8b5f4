"""Leaks, wrong labels and the reach of alikeness are found where they were put."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features import SpatialBlocks, check_leakage, find_label_issues
from eolab.features.splits.split import NarrowBlocks


def field(points, reach, seed):
    """A Gaussian field whose covariance is exp(-3 h / reach), shape (n,)."""
    h = np.linalg.norm(points[:, None] - points, axis=2)
    covariance = np.exp(-3 * h / reach) + 1e-9 * np.eye(len(points))
    return np.linalg.cholesky(covariance) @ np.random.default_rng(seed).normal(size=len(points))


@pytest.fixture
def make(store):
    def build(frame, features, *, geometry=None, name="g", label="crop", task=None):
        group = store.create_feature_group(
            name, primary_key=["id"], geometry=geometry, crs=geometry and "EPSG:32633"
        )
        group.insert(frame)
        return store.create_feature_view(
            name, labels=group.select(label), query=group.select(features), task=task
        )

    return build


def test_a_code_and_a_missing_pattern_that_give_the_label_away_are_found(make):
    rng = np.random.default_rng(0)
    n = 300
    crop = rng.choice(["maize", "rape", "wheat"], n)
    code = pd.Series(crop).map({"maize": 11.0, "rape": 7.0, "wheat": 3.0}).to_numpy()
    frame = pd.DataFrame({"id": np.arange(n), "crop": crop, "code": code})
    frame["ndvi"] = rng.normal(size=n) + (crop == "maize")
    # The survey measured moisture in wheat fields only.
    frame["moisture"] = np.where(crop == "wheat", rng.random(n), np.nan)
    found = check_leakage(make(frame, ["code", "ndvi", "moisture"]), threshold=0.95)
    suspects = found[found["suspect"]].set_index(["feature", "way"])
    assert set(suspects.index) == {
        ("code", "values"),
        ("moisture", "missing"),
        ("moisture", "values"),
    }
    assert suspects.loc[("moisture", "missing"), "tells"] == "wheat"
    assert found["feature"].iloc[-1] == "ndvi"


def test_wrong_labels_are_at_the_top_of_the_suspects(make):
    rng = np.random.default_rng(1)
    n = 400
    true = rng.integers(0, 2, n)
    wrong = rng.choice(n, 20, replace=False)
    given = true.copy()
    given[wrong] = 1 - given[wrong]
    frame = pd.DataFrame({"id": np.arange(n), "crop": np.array(["a", "b"])[given]})
    for k in range(4):
        frame[f"f{k}"] = true * 3 + rng.normal(size=n)
    found = find_label_issues(make(frame, [f"f{k}" for k in range(4)]))
    assert len(set(found["id"].head(20).astype(int)) & set(wrong)) >= 17
    assert (found["label"] != found["likely"]).all()


@pytest.mark.parametrize("reach", [800, 3_000])
def test_blocks_are_proposed_as_wide_as_a_known_field_is_alike(make, reach):
    points = np.random.default_rng(2).uniform(0, 20_000, (900, 2))
    frame = pd.DataFrame({"id": np.arange(900), "x": 5e5 + points[:, 0], "y": 5e6 + points[:, 1]})
    for k in range(6):
        frame[f"f{k}"] = field(points, reach, seed=k)
    frame["crop"] = np.where(frame["f0"] > 0, "a", "b")
    view = make(frame, [f"f{k}" for k in range(1, 6)], geometry=("x", "y"))
    proposed = view.propose_blocks()
    assert reach / 2 <= proposed.size <= reach * 2
    assert view.train_validation_test_split().source["by"] == proposed.to_dict()


def test_without_a_place_or_enough_labels_the_checks_say_what_is_missing(make):
    frame = pd.DataFrame({"id": np.arange(40), "crop": np.arange(40) / 7, "f": np.arange(40.0)})
    view, small = make(frame, ["f"]), make(frame[:9], ["f"], name="small")
    for says, faulty in (
        ("crop has 9 labels, fewer than 10", lambda: check_leakage(small)),
        ("crop has 9 labels, fewer than 10", lambda: find_label_issues(small)),
        ("no geometry", view.propose_blocks),
        ("no geometry", view.train_validation_test_split),
    ):
        with pytest.raises(InvalidInputError, match=says) as caught:
            faulty()
        assert caught.value.hint


def test_the_real_table_holds_no_single_feature_that_gives_crops_away(shared_data, store):
    from eolab.features.extract.labelled_tables import read_labelled_table

    path = shared_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    table = read_labelled_table(path, label="sampling_label")
    group = store.create_feature_group("w", primary_key=[table.key])
    group.insert(table.frame, statistics=False)
    some = [f for f in table.features if f.endswith(("ts3-10m", "ts6-20m"))]
    view = store.create_feature_view(
        "w", labels=group.select(table.label), query=group.select(some)
    )
    assert not check_leakage(view)["suspect"].any()
    assert 100 <= view.propose_blocks().size <= 500_000
    assert isinstance(view.propose_blocks(), SpatialBlocks)
    # Alike over hundreds of kilometres: such blocks cannot be shared out, and it is said.
    with pytest.warns(NarrowBlocks, match="may flatter") as told:
        folds = view.folds(min_samples=20)
    assert told[0].filename == __file__
    size = folds[0].source["by"]["size"]
    assert 1_000 < size < view.propose_blocks().size
    assert {"maize", "sorghum"} <= set(folds[0].train.classes)
    # A class of one sample can be told from none; the others are looked at.
    suspects = find_label_issues(view)
    assert "built_up" not in set(suspects["label"]) | set(suspects["likely"])
    assert len(suspects) > 10


def harvests(kind, n=400):
    """A yield that x tells half of, as decimals or whole numbers; some are wrong by a factor."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"id": np.arange(n), "x": rng.random(n), "z": rng.random(n)})
    frame["harvest"] = np.exp(8 + frame["x"] + rng.normal(0, 0.1, n))
    # The same in other units, and where the scale broke: it was weighed only above a limit.
    frame["log_kg"] = np.log(frame["harvest"]) + 3
    if kind == "whole":
        frame["harvest"] = frame["harvest"].round().astype(int)
    return frame


@pytest.mark.parametrize("kind", ["decimal", "whole"])
@pytest.mark.filterwarnings("ignore::eolab.features.samples.task.InferredTask")
def test_a_feature_that_is_the_quantity_in_other_units_leaks(make, kind):
    view = make(harvests(kind), ["x", "z", "log_kg"], label="harvest")
    found = check_leakage(view).set_index("feature")
    assert found["suspect"].to_dict() == {"log_kg": True, "x": False, "z": False}
    assert found.loc["log_kg", "score"] > 0.99
    assert found.loc["z", "score"] < 0.2
    assert set(found["tells"]) == {"harvest"}


@pytest.mark.parametrize("kind", ["decimal", "whole"])
@pytest.mark.filterwarnings("ignore::eolab.features.samples.task.InferredTask")
def test_quantities_with_a_shifted_decimal_point_are_at_the_top_of_the_suspects(make, kind):
    frame = harvests(kind)
    wrong = np.random.default_rng(8).choice(len(frame), 8, replace=False)
    frame.loc[wrong, "harvest"] *= 10
    found = find_label_issues(make(frame, ["x", "z"], label="harvest"))
    assert set(found["id"].head(8).astype(int)) == set(wrong)
    assert (found["label"].head(8) > 3 * found["likely"].head(8)).all()
    assert found["confidence"].is_monotonic_decreasing
    assert (found["confidence"] > 3.5).all()


@pytest.mark.parametrize("look", [check_leakage, find_label_issues])
def test_a_quantity_that_never_changes_is_refused(make, look):
    frame = harvests("decimal").assign(harvest=4.5)
    with pytest.raises(InvalidInputError, match=r"harvest is 4\.5 everywhere"):
        look(make(frame, ["x"], label="harvest"))
