"""Patches under a name are numbered, never change, and know what they were made from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from eolab.errors import InvalidInputError, NotFoundError
from eolab.facade import Workspace
from eolab.features.extract.chips import chips
from eolab.features.extract.saved_chips import open_chips
from eolab.records.lineage import Ref, downstream, origins, upstream


@pytest.fixture
def made():
    """16 patches of two scenes."""
    import odc.geo.xr  # noqa: F401

    values = np.random.default_rng(0).random((2, 20, 20), dtype=np.float32)
    values[0, 3, 3] = np.nan
    coords = {
        "time": pd.date_range("2024-05-01", periods=2),
        "item_id": ("time", ["S2A_1", "S2B_2"]),
        "y": 5_000_000 - 10 * (np.arange(20) + 0.5),
        "x": 500_000 + 10 * (np.arange(20) + 0.5),
    }
    cube = xr.Dataset({"red": (("time", "y", "x"), values)}, coords)
    return chips(cube.odc.assign_crs("EPSG:32633"), 5)


@pytest.mark.parametrize("format", ["zarr", "numpy"])
def test_the_same_patches_are_one_version_and_others_the_next(store, made, format):
    if format == "zarr":
        pytest.importorskip("zarr")
    first = store.create_chip_dataset("patches", made, format=format)
    again = store.create_chip_dataset("patches", made, format=format)
    assert first.label == again.label == "patches#1"
    assert repr(first) == "<SavedChips patches#1: 16 of 2 x 5 x 5 x 1, 0 classes>"
    assert repr(made) == "<Chips: 16 of 5 pixels, red, 0 classes>"
    assert first.digest == again.digest == made.digest()
    other = chips(made.cube + 1, 5)
    second = store.create_chip_dataset("patches", other, format=format)
    assert (second.label, len(second)) == ("patches#2", 16)
    assert second.digest != first.digest
    for version, expected in ((1, made), (2, other), (None, other)):
        found = store.chip_dataset("patches", version)
        for (X, mask), (Y, codes) in zip(found, expected, strict=True):
            np.testing.assert_array_equal(X, Y)
            np.testing.assert_array_equal(mask, codes)


def test_lineage_goes_from_the_scenes_to_the_patches(store, made, config):
    saved = store.create_chip_dataset("patches", made, format="numpy")
    node = Ref("chips", saved.label)
    cube, *scenes = upstream(config.root, node)
    assert cube.kind == "cube"
    assert scenes == [Ref("item", "S2A_1"), Ref("item", "S2B_2")]
    assert node in downstream(config.root, scenes[0])
    # A study that trains on some of them names them as where its data came from.
    assert origins(saved.subset(saved.ids[:1]).source) == [node]
    assert origins(open_chips(made.save(config.root / "unnamed")).source) == []


def test_they_are_found_by_name(store, made, config):
    assert store.chip_datasets() == {}
    store.create_chip_dataset("winter_patches", made, format="numpy")
    store.create_chip_dataset("winter_patches", chips(made.cube + 1, 5), format="numpy")
    assert store.chip_datasets() == {"winter_patches": [1, 2]}
    assert store.search("winter") == ["chips winter_patches#2"]
    found = Workspace(config).search("winter")
    assert [row["id"] for row in found["chips"]] == ["winter_patches#2"]


def test_names_versions_and_formats_that_are_not_there(store, made):
    store.create_chip_dataset("patches", made, format="numpy")
    with pytest.raises(NotFoundError, match="'patch'") as told:
        store.chip_dataset("patch")
    assert "patches" in told.value.hint
    with pytest.raises(NotFoundError, match="no version 2"):
        store.chip_dataset("patches", 2)
    with pytest.raises(InvalidInputError, match="format"):
        store.create_chip_dataset("patches", made, format="tiff")
    for name in ("../x", ""):
        with pytest.raises(InvalidInputError, match="dataset of chips"):
            store.create_chip_dataset(name, made)
        with pytest.raises(InvalidInputError, match="dataset of chips"):
            store.chip_dataset(name)
