"""What a train function gets: arrays with names that cannot come apart, and a sealed test part."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

from eolab.errors import ConflictError, InvalidInputError
from eolab.training_data import Split, TrainingData


def make(n=6, *, steps=(), seed=0, ids=True):
    rng = np.random.default_rng(seed)
    shape = (n, len(steps), 3) if steps else (n, 3)
    return TrainingData(
        rng.random(shape, dtype=np.float32),
        np.arange(n) % 2,
        np.array([f"b{i // 2}" for i in range(n)]),
        ("red", "nir", "slope"),
        ("maize", "wheat"),
        tuple(steps),
        np.array([str(i) for i in range(n)]) if ids else None,
    )


@pytest.mark.parametrize("rows", [[0, 2], np.array([True, False] * 3)], ids=["positions", "mask"])
def test_a_subset_keeps_samples_whole(rows):
    data = make()
    part = data.subset(np.asarray(rows))
    chosen = np.arange(6)[np.asarray(rows)]
    np.testing.assert_array_equal(part.X, data.X[chosen])
    assert part.ids.tolist() == [str(i) for i in chosen]
    assert part.groups.tolist() == [f"b{i // 2}" for i in chosen]


def test_leaving_features_out_works_for_rows_and_sequences():
    for data in (make(), make(steps=("a", "b"))):
        part = data.without(["nir"])
        assert part.columns == ("red", "slope")
        np.testing.assert_array_equal(part.X, data.X[..., [0, 2]])
    with pytest.raises(InvalidInputError) as caught:
        make().without(["nri"])
    assert "nir" in caught.value.hint
    with pytest.raises(InvalidInputError, match="no feature"):
        make().without(["red", "nir", "slope"])


def test_arrays_that_do_not_fit_are_refused():
    data = make()
    with pytest.raises(InvalidInputError, match="samples"):
        TrainingData(data.X, data.y[:-1], data.groups, data.columns)
    with pytest.raises(InvalidInputError, match="columns"):
        TrainingData(data.X, data.y, data.groups, data.columns[:2])


def test_equal_data_have_equal_digests_and_any_change_another():
    data = make()
    assert data.digest() == make().digest()
    assert data.digest() == pickle.loads(pickle.dumps(data)).digest()
    other = data.X.copy()
    other[0, 0] += 1
    for changed in (
        TrainingData(other, data.y, data.groups, data.columns, data.classes),
        TrainingData(data.X, 1 - data.y, data.groups, data.columns, data.classes),
        TrainingData(data.X, data.y, data.groups[::-1], data.columns, data.classes),
        TrainingData(data.X, data.y, data.groups, ("a", "b", "c"), data.classes),
        TrainingData(data.X, data.y, data.groups, data.columns, ("wheat", "maize")),
    ):
        assert changed.digest() != data.digest()


def test_the_digest_of_text_of_objects_is_the_same_in_another_process():
    script = (
        "import numpy as np; from eolab.training_data import TrainingData;"
        "y = np.array(['a', 'b'], object);"
        "print(TrainingData(np.zeros((2, 1), 'f4'), np.zeros(2), y, ('x',)).digest())"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_two_parts_are_put_together_in_order():
    whole = TrainingData.concatenate(make(4), make(2, seed=1))
    assert len(whole) == 6
    assert whole.ids.tolist() == ["0", "1", "2", "3", "0", "1"]
    assert TrainingData.concatenate(make(4), make(2, ids=False)).ids is None
    with pytest.raises(InvalidInputError, match="differ"):
        TrainingData.concatenate(make(4), make(4).without(["nir"]))


def test_the_test_part_is_kept_away_from_train_functions():
    split = Split(make(), make(seed=1), make(seed=2), {"view": "crops"})
    assert len(split.test) == 6
    sealed = pickle.loads(pickle.dumps(split.sealed()))
    with pytest.raises(ConflictError, match="no test part") as caught:
        _ = sealed.test
    assert "validation" in caught.value.hint
    assert sealed.digest() == split.digest()
    assert "held_out" not in repr(split)


def test_a_split_loses_a_feature_in_every_part():
    split = Split(make(), make(seed=1), make(seed=2)).without(["slope"])
    assert {d.columns for d in (split.train, split.validation, split.test)} == {("red", "nir")}
    assert Split(make()).without(["slope"]).validation is None


def test_scores_are_those_of_scikit_learn():
    from sklearn.metrics import accuracy_score, f1_score

    chance = np.random.default_rng(0)
    y, said = chance.integers(0, 3, 90), chance.integers(0, 3, 90)
    y[y == 2] = 1  # the third class is said, never there
    regions = np.repeat(["north", "south"], 45)
    data = TrainingData(np.zeros((90, 1)), y, np.arange(90), ("a",), ("maize", "rye", "wheat", "x"))
    found = data.scores(said, regions=regions)
    each = f1_score(y, said, average=None, zero_division=0)
    expected = dict(zip(("f1_maize", "f1_rye", "f1_wheat"), each, strict=True))
    expected |= {
        "accuracy": accuracy_score(y, said),
        "macro_f1": f1_score(y, said, average="macro", zero_division=0),
        "macro_f1_in_north": f1_score(y[:45], said[:45], average="macro", zero_division=0),
        "macro_f1_in_south": f1_score(y[45:], said[45:], average="macro", zero_division=0),
    }
    assert found == pytest.approx(expected)
    numbers = TrainingData(np.zeros((2, 1)), np.array([1.0, 2.0]), np.arange(2), ("a",))
    assert numbers.scores([1.0, 4.0], regions=["n", "s"]) == pytest.approx(
        {
            "rmse": 2**0.5,
            "mae": 1,
            "bias": 1,
            "r2": -7,
            "rmse_in_n": 0,
            "mae_in_n": 0,
            "bias_in_n": 0,
            "rmse_in_s": 2,
            "mae_in_s": 2,
            "bias_in_s": 2,
        }
    )
    with pytest.raises(InvalidInputError, match="answers of shape"):
        data.scores(np.zeros((90, 3)))
