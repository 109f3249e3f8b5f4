"""A training dataset is what was written, or an error; never something else."""

from __future__ import annotations

import errno

import numpy as np
import pandas as pd
import pytest

from eolab.errors import ConflictError, InvalidInputError, NotFoundError, RemoteError
from eolab.features import FeatureStore, SpatialBlocks
from eolab.records.lineage import Ref, origins, upstream


@pytest.fixture
def view(store, parcels, spectra):
    query = spectra.select(["ndvi"]).sequence("03-01", "10-31", every="20D")
    return store.create_feature_view(
        "crops", labels=parcels.select("crop"), query=query, transformations={"ndvi": "standard"}
    )


def test_a_split_comes_back_equal_in_another_process(view, config):
    split = view.train_validation_test_split(by=SpatialBlocks(3_000))
    made = view.create_training_dataset(split, description="first")
    assert (made.version, made.view) == (1, "crops/1")
    again = FeatureStore(config).feature_view("crops").training_dataset().read()
    assert again.digest() == split.digest()
    assert again.test.digest() == split.test.digest()
    assert again.train.ids.tolist() == split.train.ids.tolist()
    assert again.source["transformations"] == split.source["transformations"]
    assert upstream(config.root, Ref("dataset", "crops/1#1"))[0] == Ref("view", "crops/1")
    # A study of either knows what it was fed.
    assert origins(again.source) == [Ref("dataset", "crops/1#1")]
    assert origins(split.source) == [Ref("view", "crops/1")]
    assert origins(None) == origins({}) == []


def test_versions_follow_and_old_ones_stay(view, spectra):
    first = view.create_training_dataset(view.train_validation_test_split(by=SpatialBlocks(3_000)))
    before = first.read().digest()
    spectra.insert(spectra.read().assign(ndvi=1.0))
    second = view.create_training_dataset(view.train_validation_test_split(by=SpatialBlocks(3_000)))
    assert [d.version for d in view.training_datasets()] == [1, 2]
    assert view.training_dataset(1).read().digest() == before != second.read().digest()
    with pytest.raises(NotFoundError, match="no training dataset 3"):
        view.training_dataset(3)


def test_a_changed_file_is_noticed(view):
    made = view.create_training_dataset(view.train_validation_test_split(by=SpatialBlocks(3_000)))
    path = made.folder / "train.y.npy"
    labels = np.load(path)
    labels[0] = 1 - labels[0]
    np.save(path, labels)
    with pytest.raises(ConflictError, match="was changed"):
        made.read()
    path.unlink()
    with pytest.raises(ConflictError, match="damaged"):
        made.read()


def test_a_failed_write_leaves_nothing(view, config, monkeypatch):
    split = view.train_validation_test_split(by=SpatialBlocks(3_000))

    def full(path, *_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("eolab.features.training.datasets.np.save", full)
    with pytest.raises(RemoteError, match="No space left"):
        view.create_training_dataset(split)
    assert view.training_datasets() == []
    assert [p for p in (config.features / "datasets").rglob("*") if p.is_file()] == []


def test_a_split_of_another_view_is_refused(view, store, parcels, spectra):
    other = store.create_feature_view(
        "o", labels=parcels.select("crop"), query=spectra.select_all()
    )
    with pytest.raises(InvalidInputError, match="not of crops/1"):
        view.create_training_dataset(other.train_validation_test_split(by=SpatialBlocks(3_000)))


def test_rows_name_features_by_step(view):
    split = view.train_validation_test_split(by=SpatialBlocks(3_000))
    made = view.create_training_dataset(split)
    frame = made.to_pandas("validation")
    assert list(frame.columns[:4]) == ["id", "label", "group", "ndvi@03-01"]
    assert len(frame) == len(split.validation)
    np.testing.assert_array_equal(frame["ndvi@03-21"], split.validation.X[:, 1, 0])


@pytest.mark.keras
def test_batches_for_keras_hold_every_sample_once_in_a_seeded_order(view):
    pytest.importorskip("tensorflow")
    split = view.train_validation_test_split(by=SpatialBlocks(3_000))
    made = view.create_training_dataset(split)
    one, two = (
        np.concatenate(
            [y for _, y in made.to_tf_dataset(batch_size=16, seed=4).as_numpy_iterator()]
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    assert sorted(one) == sorted(split.train.y)
    plain = made.to_tf_dataset(shuffle=False, batch_size=1000)
    X, _ = next(iter(plain.as_numpy_iterator()))
    np.testing.assert_array_equal(X, split.train.X)


def test_batches_for_torch_hold_every_sample_once_in_a_seeded_order(view):
    pytest.importorskip("torch")
    split = view.train_validation_test_split(by=SpatialBlocks(3_000))
    made = view.create_training_dataset(split)
    one, two = (np.concatenate([y for _, y in made.to_torch(seed=4)]) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert sorted(one) == sorted(split.train.y)


def test_samples_stand_in_geoparquet_where_they_are(view, parcels):
    split = view.train_validation_test_split(by=SpatialBlocks(3_000))
    made = view.create_training_dataset(split, geoparquet=True)
    shapes = parcels.read().set_index("parcel_id").geometry
    frame = made.to_geopandas("train")
    assert frame.crs == shapes.crs
    pd.testing.assert_frame_equal(
        pd.DataFrame(frame.drop(columns="geometry")), made.to_pandas("train")
    )
    keys = [int(name.split("|")[0]) for name in frame["id"]]
    assert (
        frame.geometry.reset_index(drop=True)
        .geom_equals(shapes.loc[keys].reset_index(drop=True))
        .all()
    )
    path = made.folder / "train.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ConflictError, match="was changed"):
        made.to_geopandas("train")
    with pytest.raises(InvalidInputError, match="holds no GeoParquet"):
        view.create_training_dataset(split).to_geopandas()
