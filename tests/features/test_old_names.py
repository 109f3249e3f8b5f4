"""Old names of the feature store work for one release, and say the new one."""

from __future__ import annotations

import pandas as pd
import pytest

import eolab
from eolab import features
from eolab.errors import ConflictError

RENAMED = {
    "Blocks": "SpatialBlocks",
    "Times": "TimeSplit",
    "fold_scores": "cross_validate",
    "seasonal": "seasonal_features",
    "suspect_labels": "find_label_issues",
    "transformation": "on_demand_transformation",
}


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
@pytest.mark.parametrize("package", [eolab, features], ids=["eolab", "features"])
def test_an_old_name_is_the_new_one(package, old, new):
    with pytest.warns(DeprecationWarning, match=rf"{old} is now .*{new}"):
        assert getattr(package, old) is getattr(package, new)
    assert old not in package.__all__


def test_append_is_insert_now(store):
    group = store.create_feature_group("g", primary_key="id")
    rows = pd.DataFrame({"id": [1], "v": [1.0]})
    with pytest.warns(DeprecationWarning, match='mode="append" is now mode="insert"') as told:
        group.insert(rows, mode="append")
    assert told[0].filename == __file__  # Python shows it nowhere but at the user's own line
    with (
        pytest.warns(DeprecationWarning, match="append"),
        pytest.raises(ConflictError, match="1 of 1 keys are in the group already"),
    ):
        group.insert(rows, mode="append")


def test_known_at_is_as_of_now(parcels, spectra, store):
    view = store.create_feature_view(
        "v", labels=parcels.select("crop"), query=spectra.select("ndvi")
    )
    for read in (parcels.read, parcels.to_arrow, spectra.select("ndvi").read, view.read):
        with pytest.warns(DeprecationWarning, match="known_at= is now as_of="):
            found = read(known_at="2100-01-01")
        assert len(found) == len(read(as_of="2100-01-01"))
    with pytest.raises(TypeError, match="got both as_of= and known_at="):
        parcels.read(known_at="2100-01-01", as_of="2100-01-01")


def test_n_is_n_splits_now(parcels, spectra, store):
    view = store.create_feature_view(
        "v", labels=parcels.select("crop"), query=spectra.select("ndvi")
    )
    with pytest.warns(DeprecationWarning, match="n= is now n_splits="):
        assert len(view.folds(by="random", n=3)) == 3
