"""Vectors of a model are rows of their own for each version of the model."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from eolab.errors import InvalidInputError
from eolab.features.extract.chips import chips
from eolab.features.extract.points_and_pixels import embeddings
from eolab.records.lineage import Ref


@pytest.fixture
def patches():
    """Nine patches of 4 x 4 pixels of a random cube with two dates and two bands."""
    import odc.geo.xr  # noqa: F401

    rng = np.random.default_rng(0)
    coords = {
        "time": pd.to_datetime(["2024-05-01", "2024-06-01"]),
        "y": 5_000_000 - 10 * np.arange(12) - 5.0,
        "x": 500_000 + 10 * np.arange(12) + 5.0,
        "item_id": ("time", ["A", "B"]),
    }
    bands = {b: (("time", "y", "x"), rng.random((2, 12, 12), np.float32)) for b in ("red", "nir")}
    return chips(xr.Dataset(bands, coords).odc.assign_crs("EPSG:32633"), 4)


def encode(batch):
    """Mean and spread of each band over dates and pixels, as a network's last layer might."""
    return np.concatenate([batch.mean(axis=(1, 2, 3)), batch.std(axis=(1, 2, 3))], axis=1)


def test_vectors_of_each_version_stay_side_by_side(patches, store, config):
    group = store.create_feature_group("vectors", primary_key=["chip_id", "model"])
    first = embeddings(patches, encode, model="net/1", batch_size=4)
    group.insert(first)
    group.insert(embeddings(patches, lambda batch: encode(batch) + 1, model="net/2"))
    frame = group.read(filter="model = 'net/1'").set_index("chip_id")
    assert len(group.read()) == 2 * len(patches) == 18
    oracle = np.stack([encode(patch[None])[0] for patch, _ in patches])
    ids = patches.places()["chip_id"]
    np.testing.assert_allclose(frame.loc[ids, ["e0", "e1", "e2", "e3"]], oracle, rtol=1e-6)
    assert group.geometry.columns == ("x", "y")
    made_from = {str(node) for node in group.lineage()["upstream"]}
    assert {"item:A", "item:B", "model:net/1", "model:net/2"} <= made_from
    assert Ref("model", "net/1") in group.lineage()["upstream"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": "net"}, "names no version"),
        ({"encode": lambda batch: batch}, "one vector a patch"),
        ({"encode": lambda batch: np.zeros((len(batch), len(batch)))}, "of 4 and of 1 numbers"),
    ],
)
def test_what_does_not_fit_is_refused(patches, options, says):
    given = {"encode": encode, "model": "net/1", "batch_size": 4, **options}
    with pytest.raises(InvalidInputError, match=re.escape(says)):
        embeddings(patches, **given)
