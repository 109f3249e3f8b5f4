"""TFRecord holds what the other files hold: every value, type and shape."""

from __future__ import annotations

import json

import numpy as np
import pytest

from eolab.errors import ConflictError, InvalidInputError
from eolab.features.training import datasets, tfrecords
from eolab.features.training.datasets import TrainingDataset
from eolab.training_data import Split, TrainingData

RNG = np.random.default_rng(0)


def data(shape, y, **more):
    X = RNG.normal(size=shape).astype(np.float32)
    X.flat[0] = np.nan
    groups = np.arange(len(X)) + 2**60  # what float64 cannot hold
    columns = tuple(f"f{i}" for i in range(shape[-1]))
    return TrainingData(X, y, groups, columns, **more)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A regression on numbers, classes of sequences, and arrays with text for groups."""
    pytest.importorskip("tensorflow")
    amounts = data((5, 3), np.array([1 / 3, 1e-300, 2.0**60 + 2**9, -0.0, np.pi]),
                   weights=np.float32([0, 0.1, 1, 2, 3]))  # fmt: skip
    series = data((4, 6, 2), np.array([0, 1, 1, 0]), classes=("a", "ü"), steps=tuple("abcdef"),
                  ids=np.array(["p|1", "ö", "", "x"]))  # fmt: skip
    grids = data((3, 4, 2, 2), np.array([2, 0, 1]), classes=("a", "b", "c"))
    grids = TrainingData(grids.X, grids.y, np.array(["u", "v", "w"]), grids.columns, grids.classes)
    folder = tmp_path_factory.mktemp("records") / "1"
    about = {"view": "v/1", "version": 1, "description": "", "created": 0.0}
    datasets.write(folder, Split(amounts, series, grids), about, format="tfrecord")
    return datasets.load(folder)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_records_come_back_equal_as_numpy_and_as_tensors(dataset: TrainingDataset, part):
    split = dataset.read()
    expected = {"train": split.train, "validation": split.validation, "test": split.test}[part]
    found = dataset.read_tfrecords(part)
    assert found.digest() == expected.digest()
    assert (found.ids is None) == (expected.ids is None)
    if expected.ids is not None:
        assert found.ids.tolist() == expected.ids.tolist()
    samples = list(dataset.tfrecords(part).as_numpy_iterator())
    np.testing.assert_array_equal(np.stack([x for x, _ in samples]), expected.X)
    y = np.stack([y for _, y in samples])
    assert (y.dtype, y.tolist()) == (expected.y.dtype, expected.y.tolist())


def test_records_are_plain_examples_with_features_by_name(dataset):
    tf = pytest.importorskip("tensorflow")
    record = next(iter(tf.data.TFRecordDataset(str(dataset.folder / "validation.tfrecord"))))
    cells = tf.train.Example.FromString(record.numpy()).features.feature
    assert set(cells) == {"f0", "f1", "label", "group", "id"}
    values = dataset.read().validation.X[0, :, 1]
    np.testing.assert_array_equal(np.float32(cells["f1"].float_list.value), values)
    about = json.loads((dataset.folder / "tfrecord.json").read_text())["parts"]
    assert about["train"]["fields"]["label"] == {"dtype": "<f8", "shape": [], "kept": "bytes"}
    assert about["test"]["fields"]["f0"]["shape"] == [4, 2]


def test_a_part_without_samples_comes_back_as_such(tmp_path):
    pytest.importorskip("tensorflow")
    none = data((1, 4, 2), np.array([1]), classes=("a", "b"), ids=np.array(["x"]))
    none = none.subset(np.array([False]))
    tfrecords.write(tmp_path, {"test": none})
    found = tfrecords.read(tmp_path, "test")
    assert (found.X.shape, found.X.dtype, found.y.dtype) == ((0, 4, 2), np.float32, np.int64)
    assert found.ids.tolist() == []
    assert list(tfrecords.dataset(tmp_path, "test")) == []


def test_a_changed_file_and_a_missing_one_are_noticed(dataset, tmp_path):
    with pytest.raises(InvalidInputError, match="holds no TFRecord of 'train'"):
        tfrecords.read(tmp_path, "train")
    path = dataset.folder / "test.tfrecord"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"x")
    with pytest.raises(ConflictError, match="was changed"):
        dataset.read_tfrecords("test")
    path.write_bytes(kept)


def test_a_feature_with_a_name_of_a_record_is_refused(tmp_path):
    pytest.importorskip("tensorflow")
    wrong = TrainingData(np.ones((1, 1), np.float32), np.zeros(1), np.zeros(1), ("label",))
    with pytest.raises(InvalidInputError, match="the feature 'label'"):
        tfrecords.write(tmp_path, {"train": wrong})
