"""Patches are windows of the cube, their masks what lies in the shapes, on disk or not."""

from __future__ import annotations

import json
import re
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.features import open_chips
from eolab.features.extract.chips import chips


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
        {"crop": ["wheat", "maize", None, " "]},
        geometry=[
            shapely.box(500_000, 4_999_900, 500_100, 5_000_000),
            shapely.box(500_200, 4_999_800, 500_250, 4_999_900),
            shapely.box(500_400, 4_999_600, 500_500, 4_999_700),
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
    found = chips(cube, 10, masks=fields, column="crop")
    assert found.classes == ("maize", "wheat")
    expected = np.full((40, 50), -1)
    expected[0:10, 0:10], expected[10:20, 20:25] = 1, 0
    np.testing.assert_array_equal(found.mask, expected)
    assert len(chips(cube, 10, masks=fields, column="crop", min_labelled=0.5)) == 2
    assert len(chips(cube, 10, masks=fields, column="crop", min_labelled=0.6)) == 1


def test_what_is_saved_is_what_was_cut(cube, fields, tmp_path):
    found = chips(cube, 20, masks=fields, column="crop")
    folder = found.save(tmp_path / "chips")
    X, mask = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("X", "mask"))
    assert X.shape == (4, 3, 20, 20, 2)
    for i, (patch, codes) in enumerate(found):
        np.testing.assert_array_equal(X[i], patch)
        np.testing.assert_array_equal(mask[i], codes)
    about = json.loads((folder / "chips.json").read_text())
    assert about["classes"] == ["maize", "wheat"]
    with pytest.raises(ConflictError, match="already"):
        found.save(folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chips"]


def test_a_zarr_group_holds_one_chunk_a_patch(cube, fields, tmp_path):
    zarr = pytest.importorskip("zarr")
    found = chips(cube, 20, masks=fields, column="crop")
    group = zarr.open_group(str(found.save(tmp_path / "chips.zarr")), mode="r")
    assert group["X"].chunks == (1, 3, 20, 20, 2)
    for i, (patch, codes) in enumerate(found):
        np.testing.assert_array_equal(group["X"][i], patch)
        np.testing.assert_array_equal(group["mask"][i], codes)
    assert group.attrs["classes"] == ["maize", "wheat"]
    with pytest.raises(ConflictError, match="already"):
        found.save(tmp_path / "chips.zarr")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chips.zarr"]


def test_without_zarr_it_says_what_to_install(cube, fields, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(InvalidInputError, match="Zarr is not installed") as caught:
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
    for says, faulty in (
        ("size=0 is no number of pixels", lambda: chips(cube, 0)),
        ("patches of 41 pixels do not fit into 40", lambda: chips(cube, 41)),
        ("stride=-1 is no number of pixels", lambda: chips(cube, 10, stride=-1)),
        ("masks of shapes need a column of", lambda: chips(cube, 10, masks=fields)),
        ("the masks have no column 'corp'", lambda: chips(cube, 10, masks=fields, column="corp")),
        (
            "no patch has 110% of its pixels",
            lambda: chips(cube, 10, masks=fields, column="crop", min_labelled=1.1),
        ),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(says)) as caught:
            faulty()
        assert caught.value.hint


def test_masks_may_be_a_raster_of_classes_on_the_cubes_grid(cube):
    raster = cube["red"].isel(time=0, drop=True) * np.nan
    raster[:5, :5], raster[5:10, :] = 3, 10
    found = chips(cube, 10, 5, masks=raster)
    assert found.classes == ("3", "10")
    expected = np.where(raster.to_numpy() == 3, 0, np.where(raster.to_numpy() == 10, 1, -1))
    np.testing.assert_array_equal(found.mask, expected)
    whole = raster.fillna(0).astype("int16")
    whole.attrs["nodata"] = 0
    np.testing.assert_array_equal(chips(cube, 10, masks=whole).mask, expected)
    assert len(chips(cube, 10, masks=raster, min_labelled=0.3)) == (expected.shape[1] // 10)
    for other in (raster.isel(x=slice(0, -1)), raster.assign_coords(x=raster["x"] + 10)):
        with pytest.raises(InvalidInputError, match="not on the cube's grid"):
            chips(cube, 10, masks=other)


@pytest.mark.parametrize("name", ["chips.zarr", "chips"])
def test_saved_patches_are_opened_for_training_one_at_a_time(cube, fields, tmp_path, name):
    if name.endswith("zarr"):
        pytest.importorskip("zarr")
    made = chips(cube, 10, masks=fields, column="crop")
    saved = open_chips(made.save(tmp_path / name))
    assert (saved.bands, saved.classes, saved.crs) == (made.bands, made.classes, made.crs)
    assert list(saved.ids) == made.places()["chip_id"].tolist()
    for (X, mask), (Y, other) in zip(made, saved, strict=True):
        np.testing.assert_array_equal(X, Y)
        np.testing.assert_array_equal(mask, other)
    some = saved.subset(["10_20", "0_0"])
    np.testing.assert_array_equal(some[1][0], made[0][0])
    assert len(some) == 2
    with pytest.raises(NotFoundError, match="no patch '5_5'"):
        saved.subset(["5_5"])


def test_batches_of_patches_hold_each_once_in_a_seeded_order(cube, fields, tmp_path):
    pytest.importorskip("tensorflow")
    made = chips(cube, 10, masks=fields, column="crop")
    saved = open_chips(made.save(tmp_path / "chips"))

    def epochs(seed, count=2):
        batches = saved.to_tf_dataset(batch_size=6, seed=seed)
        out = []
        for _ in range(count):
            pairs = [(X.numpy(), mask.numpy()) for X, mask in batches]
            assert [len(X) for X, _ in pairs] == [6, 6, 6, 2]
            out.append(np.concatenate([X for X, _ in pairs]))
        return out

    first, second = epochs(1)
    assert not np.array_equal(first, second)
    for found in (first, second):
        everything = np.stack([X for X, _ in made])
        assert sorted(map(bytes, found)) == sorted(map(bytes, everything))
    np.testing.assert_array_equal(first, epochs(1)[0])
    assert not np.array_equal(first, epochs(2)[0])
    straight = np.concatenate([m.numpy() for _, m in saved.to_tf_dataset(shuffle=False)])
    np.testing.assert_array_equal(straight, np.stack([m for _, m in made]))


def test_batches_of_patches_for_torch_are_seeded(cube, tmp_path):
    pytest.importorskip("torch")
    saved = open_chips(chips(cube, 10).save(tmp_path / "chips"))
    one, two = (
        np.concatenate([X.numpy() for X, _ in saved.to_torch(batch_size=6, seed=4)])
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    everything = np.stack([X for X, _ in saved])
    assert sorted(map(bytes, one)) == sorted(map(bytes, everything))
    assert not np.array_equal(one, everything)


def test_damaged_patches_say_so(cube, tmp_path):
    folder = chips(cube, 10).save(tmp_path / "chips")
    (folder / "mask.npy").write_bytes(b"no array")
    with pytest.raises(ConflictError, match="damaged"):
        open_chips(folder)
    with pytest.raises(NotFoundError, match="no folder"):
        open_chips(tmp_path / "nowhere")


def test_damage_to_a_patch_is_told_when_it_is_read(cube, tmp_path):
    folder = chips(cube, 10).save(tmp_path / "chips")
    values = np.load(folder / "X.npy", mmap_mode="r+")
    values[3, 0, 0, 0, 0] += 1
    values.flush()
    saved = open_chips(folder)
    np.testing.assert_array_equal(saved[2][0], chips(cube, 10)[2][0])
    with pytest.raises(ConflictError, match=f"patch {saved.ids[3]} .* was changed"):
        saved[3]
