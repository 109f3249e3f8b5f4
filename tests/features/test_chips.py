"""Patches are windows of the cube, their masks what lies in the shapes, on disk or not."""

from __future__ import annotations

import json
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from eolab.errors import BadInput, Conflict
from eolab.features.chips import chips


@pytest.fixture
def cube():
    import odc.geo.xr  # noqa: F401

    rng = np.random.default_rng(0)
    values = {
        b: (("time", "y", "x"), rng.random((3, 40, 50), dtype=np.float32)) for b in ("red", "nir")
    }
    coords = {
        "time": pd.date_range("2024-05-01", periods=3),
        "y": 5_000_000 - 10 * (np.arange(40) + 0.5),
        "x": 500_000 + 10 * (np.arange(50) + 0.5),
    }
    return xr.Dataset(values, coords).odc.assign_crs("EPSG:32633")


@pytest.fixture
def fields():
    return gpd.GeoDataFrame(
        {"crop": ["wheat", "maize", None]},
        geometry=[
            shapely.box(500_000, 4_999_900, 500_100, 5_000_000),
            shapely.box(500_200, 4_999_800, 500_250, 4_999_900),
            shapely.box(500_400, 4_999_600, 500_500, 4_999_700),
        ],
        crs="EPSG:32633",
    ).to_crs(4326)


def test_patches_are_windows_of_the_cube(cube):
    found = chips(cube, 16, stride=8)
    assert len(found) == 4 * 5
    for (row, column), (X, mask) in zip(found.corners, found, strict=True):
        window = cube.isel(y=slice(row, row + 16), x=slice(column, column + 16))
        np.testing.assert_array_equal(X[..., 0], window["red"])
        np.testing.assert_array_equal(X[..., 1], window["nir"])
        assert (mask == -1).all()


def test_masks_hold_the_class_under_each_pixels_centre(cube, fields):
    found = chips(cube, 10, labels=fields, column="crop")
    assert found.classes == ("maize", "wheat")
    expected = np.full((40, 50), -1)
    expected[0:10, 0:10], expected[10:20, 20:25] = 1, 0
    np.testing.assert_array_equal(found.mask, expected)
    assert len(chips(cube, 10, labels=fields, column="crop", min_labelled=0.5)) == 2
    assert len(chips(cube, 10, labels=fields, column="crop", min_labelled=0.6)) == 1


def test_what_is_saved_is_what_was_cut(cube, fields, tmp_path):
    found = chips(cube, 20, labels=fields, column="crop")
    folder = found.save(tmp_path / "chips")
    X, mask = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("X", "mask"))
    assert X.shape == (4, 3, 20, 20, 2)
    for i, (patch, codes) in enumerate(found):
        np.testing.assert_array_equal(X[i], patch)
        np.testing.assert_array_equal(mask[i], codes)
    about = json.loads((folder / "chips.json").read_text())
    assert about["classes"] == ["maize", "wheat"]
    with pytest.raises(Conflict, match="already"):
        found.save(folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chips"]


def test_a_zarr_group_holds_one_chunk_a_patch(cube, fields, tmp_path):
    zarr = pytest.importorskip("zarr")
    found = chips(cube, 20, labels=fields, column="crop")
    group = zarr.open_group(str(found.save(tmp_path / "chips.zarr")), mode="r")
    assert group["X"].chunks == (1, 3, 20, 20, 2)
    for i, (patch, codes) in enumerate(found):
        np.testing.assert_array_equal(group["X"][i], patch)
        np.testing.assert_array_equal(group["mask"][i], codes)
    assert group.attrs["classes"] == ["maize", "wheat"]
    with pytest.raises(Conflict, match="already"):
        found.save(tmp_path / "chips.zarr")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chips.zarr"]


def test_without_zarr_it_says_what_to_install(cube, fields, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(BadInput) as caught:
        chips(cube, 20).save(tmp_path / "chips.zarr")
    assert "eolab[zarr]" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_places_of_patches_make_a_label_group_that_is_split_by_blocks(cube, fields, store):
    places = chips(cube, 10).places()
    assert places["x"].iloc[0] == 500_050
    assert places["y"].iloc[0] == 4_999_950
    group = store.create_feature_group("chips", primary_key=["chip_id"])
    group.insert(places)
    assert group.geometry.crs == "EPSG:32633"


def test_faults_are_told_with_a_hint(cube, fields):
    for faulty in (
        lambda: chips(cube, 0),
        lambda: chips(cube, 41),
        lambda: chips(cube, 10, stride=-1),
        lambda: chips(cube, 10, labels=fields),
        lambda: chips(cube, 10, labels=fields, column="corp"),
        lambda: chips(cube, 10, labels=fields, column="crop", min_labelled=1.1),
    ):
        with pytest.raises(BadInput) as caught:
            faulty()
        assert caught.value.hint
