"""The feature store's notebook runs from its first to its last cell, as readers will run it."""

from __future__ import annotations

import pytest

from eolab.features import FeatureStore
from eolab.settings.config import Config
from tests.notebooks import run_notebook


@pytest.mark.timeout(600)
def test_the_notebook_of_the_feature_store(config: Config, monkeypatch) -> None:
    text = run_notebook("05-features.ipynb", config, monkeypatch).text
    assert "break its expectations: NDVI is an index" in text
    assert "random: macro-F1" in text
    assert "first = spectra.insert(rows)" in text  # the cell that made the commit
    store = FeatureStore(config)
    assert [g.label for g in store.feature_groups()] == [
        "labels/1",
        "patches/1",
        "seasons/1",
        "spectra/1",
    ]
    view = store.feature_view("crops_by_parcel")
    assert view.features[-1] == "greening_days"
    split = view.training_dataset(1).read()
    assert split.train.weights is not None
    assert {"item", "cube", "commit"} <= {node.kind for node in view.lineage()["upstream"]}
    # The group of seasons names the group that it was made from.
    assert any("spectra/1@" in n.id for n in store.feature_group("seasons").lineage()["upstream"])
