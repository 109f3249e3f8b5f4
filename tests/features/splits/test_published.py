"""Published splits: a column of the label group says the part of each row, whatever the seed."""

import numpy as np
import pandas as pd
import pytest

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.features.splits.split import EmptyPart


@pytest.fixture
def view(store):
    rng = np.random.default_rng(0)
    number = np.arange(120)
    frame = pd.DataFrame(
        {
            "id": number,
            "x": rng.random(120),
            "y": rng.random(120),
            "is_test": number % 3 > 0,
            "fold": number % 4,
            "subset": np.array(["train", "val", "test"])[number % 3],
            "half": np.where(number % 2 == 0, 0.0, np.nan),
        }
    )
    group = store.create_feature_group("labels", primary_key="id")
    group.insert(frame)
    return store.create_feature_view("v", labels=group.select("y"), query=group.select("x"))


def ids(part):
    return {int(i) for i in part.ids}


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize(
    "by",
    [
        eo.Column("is_test", train=[False], test=[True]),
        eo.Column("is_test", train=[0], test=[np.int64(1)]),
        eo.Column("subset", train=["train"], test=["val", "test"]),
    ],
)
def test_sides_follow_the_column_with_every_seed(view, by, seed):
    split = view.train_test_split(by=by, seed=seed)
    assert ids(split.train) == {i for i in range(120) if i % 3 == 0}
    assert ids(split.test) == {i for i in range(120) if i % 3 > 0}
    assert split.source["by"]["kind"] == "published"


def test_three_parts_are_those_of_the_column(view):
    by = eo.Column("fold", train=range(2), validation=[2], test=[3])
    split = view.train_validation_test_split(by=by)
    assert ids(split.validation) == {i for i in range(120) if i % 4 == 2}
    assert ids(split.test) == {i for i in range(120) if i % 4 == 3}
    assert len(split.train) == 60


@pytest.mark.parametrize("size", ["test_size", "validation_size"])
def test_a_size_beside_a_published_split_is_refused(view, size):
    by = eo.Column("fold", train=range(2), validation=[2], test=[3])
    with pytest.raises(InvalidInputError, match=f"{size}=0.2, and eo.Column says") as caught:
        view.train_validation_test_split(by=by, **{size: 0.2})
    assert f"Leave {size} away" in caught.value.hint


def test_a_part_without_rows_is_told(view):
    by = eo.Column("is_test", train=[0], test=[1])
    with pytest.warns(EmptyPart, match="the validation part is empty: no row of is_test"):
        split = view.train_validation_test_split(by=by)
    assert split.validation is None


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (eo.Column("fold", train=[0], test=[1]), r"fold = 2 \(30 rows\) belongs to no part"),
        (eo.Column("fold", train=["0"], test=["1"]), r"fold = 0 \(30 rows\) belongs to no part"),
        (eo.Column("half", train=[1], test=[0]), r"half = None \(60 rows\) belongs to no part"),
        (
            eo.Column("fold", train=[0, 1], validation=[2], test=[3]),
            r"fold = 2 \(30 rows\) is of the validation part, which this split does not have",
        ),
        (eo.Column("folt", train=[0], test=[1]), "folt"),
    ],
)
def test_rows_of_no_part_are_refused_by_value(view, by, says):
    with pytest.raises(InvalidInputError, match=says):
        view.train_test_split(by=by)


def test_folds_of_one_published_split_are_refused(view):
    with pytest.raises(InvalidInputError, match="one split, and folds make several"):
        view.folds(by=eo.Column("fold", train=[0, 1, 2], test=[3]))


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"train": [0], "test": [0]}, "stands in train and in test"),
        ({"train": [0]}, "needs values for train, and for validation or test"),
        ({"test": [1]}, "needs values for train"),
        ({"train": "train", "test": ["test"]}, "is no list of values"),
        ({"train": 0, "test": [1]}, "is no list of values"),
    ],
)
def test_faulty_parts_are_refused(parts, says):
    with pytest.raises(InvalidInputError, match=says):
        eo.Column("is_test", **parts)
