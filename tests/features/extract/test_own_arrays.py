"""Chips of a user's own arrays: any layout, the same values, and what is not plain is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.features import Chips

X = np.random.default_rng(0).integers(0, 200, (6, 5, 4, 3), dtype=np.uint8)
MASKS = (X[..., 0] > 100).astype(np.uint8)
DEGREES = gpd.GeoSeries([shapely.Point(15, 48)] * 6, crs=4326)


@pytest.mark.parametrize(
    ("x", "options"),
    [
        (X, {"layout": "nhwc"}),
        (X, {"bands": ["r", "g", "n"]}),
        (X.transpose(0, 3, 1, 2), {"bands": ["r", "g", "n"]}),
        (X.transpose(0, 3, 1, 2), {"y": MASKS}),
        (np.asfortranarray(X.transpose(0, 3, 1, 2)), {"layout": "nchw"}),
        (X.transpose(1, 2, 3, 0).astype(">f8"), {"layout": "hwcn"}),
        (X[:, None].astype(np.float16), {"layout": "nthwc", "times": ["2024-05-01"]}),
        (X.tolist(), {"layout": "nhwc"}),
    ],
)
def test_every_layout_gives_the_same_chips(x, options):
    found = Chips.from_arrays(x, **options)
    assert len(found) == 6
    patch, mask = found[2]
    np.testing.assert_array_equal(patch, X[2][None])
    assert (patch.dtype, mask.dtype, mask.shape) == (np.float32, np.int16, (5, 4))
    patch += 1  # a copy: the user's array stays
    np.testing.assert_array_equal(found[2][0], X[2][None])


def test_numbers_are_names_of_bands_and_classes():
    found = Chips.from_arrays(X, MASKS, bands=range(4, 7), classes=[10, 20])
    assert (found.bands, found.classes) == (("4", "5", "6"), ("10", "20"))


@pytest.mark.parametrize(
    ("x", "options", "said"),
    [
        (X, {}, "may be nhwc or nchw"),
        (X, {"bands": ["a", "b"]}, "neither fits"),
        (np.zeros((2, 3, 4, 3)), {"bands": ["a", "b", "c"]}, "may be"),
        (X, {"layout": "nhw"}, "layout='nhw' for an array of shape"),
        (X, {"layout": "nhwx"}, "unknown axis"),
        (X, {"layout": "nhwc", "bands": ["a", "a", "b"]}, "for 3 bands"),
        (X, {"layout": "nhwc", "times": ["2024-05-01"] * 2}, "2 values for 1 slices"),
        (X, {"layout": "nhwc", "times": ["May?"]}, "no times"),
        (X, {"layout": "nhwc", "ids": ["a"] * 6}, "twice"),
        (X, {"layout": "nhwc", "geometries": [[0, 0]] * 6}, "no coordinate reference system"),
        (X, {"layout": "nhwc", "geometries": [[0, 0]] * 5, "crs": 4326}, "5 values for 6"),
        (X, {"layout": "nhwc", "geometries": DEGREES, "crs": 32633}, "says otherwise"),
        (X, {"layout": "nhwc", "y": np.full(6, np.inf)}, "y holds decimals"),
        (X, {"layout": "nhwc", "geometries": [[0, np.nan]] * 6, "crs": 4326}, "no place"),
        (X, {"layout": "nhwc", "geometries": [None] * 6, "crs": 4326}, "neither shapes nor pairs"),
        (X.astype(np.int64) + 2**24, {"layout": "nhwc"}, "exact up to 16777216"),
        (X.astype(object), {"layout": "nhwc"}, "no numbers"),
        (X.astype(complex), {"layout": "nhwc"}, "no numbers"),
        (X[:0], {"layout": "nhwc"}, "no value"),
        (X, {"layout": "nhwc", "y": MASKS[:3]}, r"y of shape \(3, 5, 4\)"),
        (X, {"layout": "nhwc", "y": MASKS + 0.5}, "decimals"),
        (X, {"layout": "nhwc", "y": MASKS + 4, "classes": ["a", "b"]}, "code 4"),
        (X, {"layout": "nhwc", "y": list("abcabc"), "classes": ["a", "b"]}, "'c', which is not"),
        (X, {"layout": "nhwc", "y": np.array([0, 1, 1, 0, 2, 1], complex)}, "neither names nor"),
        (X, {"layout": "nhwc", "y": np.array(list("abcabc"), "S1")}, "neither names nor codes"),
        (X, {"layout": "nhwc", "y": ["a", 1, 1, "a", None, "b"]}, "several types"),
        (X, {"layout": "nhwc", "y": np.array([0, 1, 2, 3, 4, 2**63], "u8")}, "holds the code 9.2"),
        (X, {"layout": "nhwc", "y": [0, 1e300, 1, 1, 0, 0]}, r"holds the code 1e\+300"),
        (X, {"layout": "nhwc", "y": list("121212"), "nodata": 2}, "nodata=2 is a code, and y"),
        (X, {"layout": "nhwc", "y": MASKS, "classes": ["a", "a"]}, "no list of different names"),
        (X, {"layout": "nhwc", "y": MASKS, "classes": "ab"}, "there are 1 classes"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused_by_name(x, options, said):
    with pytest.raises(InvalidInputError, match=said):
        Chips.from_arrays(x, **options)


def masks(y, **options):
    found = Chips.from_arrays(X, y, layout="nhwc", **options)
    return found.classes, np.stack([mask for _, mask in found])


def test_masks_of_any_kind_hold_the_classes_and_minus_one():
    codes = np.where(MASKS == 1, 7, 2)
    codes[0, 0, 0] = -1
    expected = MASKS.astype(np.int16)
    expected[0, 0, 0] = -1
    for y in (codes, codes[..., None], np.where(codes < 0, np.nan, codes),
              np.ma.array(codes, mask=codes < 0)):  # fmt: skip
        names, found = masks(y)
        assert names == ("2", "7")
        np.testing.assert_array_equal(found, expected)
    names, found = masks(np.where(codes < 0, 255, MASKS), nodata=255, classes=["low", "high"])
    assert names == ("low", "high")
    np.testing.assert_array_equal(found, expected)
    # Of classes that are named, one may be nowhere.
    names, found = masks(np.ones_like(MASKS), classes=["low", "high"])
    assert set(found.ravel()) == {1}
    for whole in (["wood", None, "lake", "lake", "wood", "wood"],
                  np.array(["wood", np.nan, "lake", "lake", "wood", "wood"], object)):  # fmt: skip
        names, found = masks(whole)
        assert (names, found[:, 4, 3].tolist()) == (("lake", "wood"), [1, -1, 0, 0, 1, 1])


@pytest.mark.parametrize(
    "gap", [pd.NA, pd.NaT, None, np.float32("nan"), float("nan"), np.ma.masked]
)
def test_a_gap_of_any_kind_is_no_class(gap):
    names, found = masks(["wood", gap, "lake", "", "wood", " "])
    assert (names, found[:, 0, 0].tolist()) == (("lake", "wood"), [1, -1, 0, -1, 1, -1])
    if not np.ma.is_masked(gap):
        # Codes beside gaps are codes: in the order of numbers, and named by classes=.
        codes = np.array([10, gap, 2, 2, 10, 2], object)
        names, found = masks(codes)
        assert (names, found[:, 0, 0].tolist()) == (("2", "10"), [1, -1, 0, 0, 1, 0])
        names, found = masks(codes, classes=[*"abcdefghijk"], nodata=10)
        assert (len(names), found[:, 0, 0].tolist()) == (11, [-1, -1, 2, 2, -1, 2])


def test_gaps_of_pandas_and_numbers_beyond_float32_are_noticed():
    names, found = masks(pd.Series(["a", pd.NA, "b", "a", "a", "b"], dtype="string"))
    assert (names, found[:, 0, 0].tolist()) == (("a", "b"), [0, -1, 1, 0, 0, 1])
    assert masks([None] * 6, classes=["a"])[1].max() == -1
    far = Chips.from_arrays(X * np.where(np.arange(6) == 4, 1e300, 1)[:, None, None, None],
                            layout="nhwc")  # fmt: skip
    assert far[3][0].max() < 200
    with pytest.raises(InvalidInputError, match="chip '4' holds numbers beyond float32"):
        far[4]
    none = Chips.from_arrays(np.ma.array(X.astype("i4"), mask=True), layout="nhwc")
    assert np.isnan(none[0][0]).all()


def test_masked_values_are_missing():
    found = Chips.from_arrays(np.ma.array(X, mask=X[0, 0, 0, 0] == X), layout="nhwc")
    assert np.isnan(found[0][0][0, 0, 0, 0])
    assert np.isnan(np.stack([x for x, _ in found])).sum() == (X[0, 0, 0, 0] == X).sum()
    # A list of masked chips, and of masked masks.
    chips, masks = ([np.ma.array(a, mask=a == a.flat[0]) for a in s] for s in (X, MASKS))
    listed = Chips.from_arrays(chips, masks, layout="nhwc")
    assert np.isnan(listed[1][0][0, 0, 0, 0])
    assert listed[1][1][0, 0] == -1


def test_own_chips_save_split_by_blocks_and_come_back(store, tmp_path):
    squares = gpd.GeoSeries(
        [shapely.box(500_000 + 400 * i, 0, 500_050 + 400 * i, 40) for i in range(6)], crs=32633
    )
    own = eo.Chips.from_arrays(
        X, MASKS, layout="nhwc", geometries=squares, ids=list("abcdef"), classes=["low", "high"]
    )
    places = own.places()
    assert places["x"].tolist() == [500_025 + 400 * i for i in range(6)]
    group = store.create_feature_group("chips", primary_key="chip_id")
    group.insert(places.assign(kind=["p", "q"] * 3, mean=X.mean((1, 2, 3))))
    view = store.create_feature_view("v", labels=group.select("kind"), query=group.select("mean"))
    split = view.train_test_split(by=eo.SpatialBlocks(100), test_size=0.3)
    saved = store.create_chip_dataset("own", own)
    assert saved.digest == own.digest()
    assert store.create_chip_dataset("own", own).label == "own#1"
    train = saved.subset(split.train.ids)
    assert len(train) + len(split.test) == 6
    row = "abcdef".index(train.ids[0])
    np.testing.assert_array_equal(train[0][0][0], X[row])
    np.testing.assert_array_equal(train[0][1], MASKS[row])
    again = eo.open_chips(own.save(tmp_path / "plain"))
    assert (again.ids, again.classes, again.crs) == (tuple("abcdef"), ("low", "high"), "EPSG:32633")
    with pytest.raises(InvalidInputError, match="where these chips are"):
        Chips.from_arrays(X, layout="nhwc").places()
