"""Samples to label: drawn by a design, written, labelled, and assessed from the file alone."""

from __future__ import annotations

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin

import eolab as eo
from eolab.accuracy.sampling import allocate
from eolab.errors import InvalidInputError

NAMES = {1: "field", 2: "forest", 7: "water"}


def mosaic(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([1, 2, 7], "uint8"), (80, 60), p=[0.6, 0.35, 0.05])


@pytest.fixture
def land(make_map):
    return make_map(mosaic())


def positions(points: gpd.GeoDataFrame) -> list[tuple[float, float, int]]:
    return list(zip(points.geometry.x, points.geometry.y, points["stratum"], strict=True))


def test_the_number_of_samples_is_that_of_cochran_and_good_practices(make_map):
    """Olofsson et al. 2014, section 5.1: U of 0.7, 0.6, 0.9, 0.95 and S(O) = 0.01 give 641."""
    codes = np.repeat(np.array([1, 2, 3, 4], "uint8"), (2000, 1500, 32_000, 64_500))
    points = eo.sample_design(
        make_map(codes.reshape(100, 1000)),
        target_se=0.01,
        expected_accuracy={1: 0.7, 2: 0.6, 3: 0.9, 4: 0.95},
        allocation="optimal",
    )
    weight = np.array([0.02, 0.015, 0.32, 0.645])
    accuracy = np.array([0.7, 0.6, 0.9, 0.95])
    spread = np.sqrt(accuracy * (1 - accuracy))
    assert (weight * spread).sum() ** 2 / 0.01**2 == pytest.approx(641, abs=1)  # N without end
    expected = (weight * spread).sum() ** 2 / (0.01**2 + (weight * spread**2).sum() / 100_000)
    assert len(points) == int(np.ceil(expected))
    assert points.attrs["design"]["expected_se"] == pytest.approx(0.01, rel=2e-3)


def test_an_allocation_that_misses_the_target_says_how_many_reach_it(make_map):
    codes = np.repeat(np.array([1, 2], "uint8"), (98_000, 2000)).reshape(100, 1000)
    asked = {"target_se": 0.01, "expected_accuracy": 0.9, "allocation": "equal"}
    with pytest.warns(
        UserWarning, match="equal one with minimum=2 0.014 is to be expected"
    ) as said:
        eo.sample_design(make_map(codes), **asked)
    n = int(re.findall(r"n=(\d+) reaches", str(said[0].message))[0])
    share = np.array([0.98, 0.02])
    for count, reached in ((n, True), (n - 2, False)):
        drawn = allocate(count, share * 100_000, "equal", 2)
        rest = 1 - drawn / (share * 100_000)
        assert ((share**2 * 0.09 / drawn * rest).sum() ** 0.5 <= 0.01) == reached
    assert len(eo.sample_design(make_map(codes), n=n, allocation="equal")) == n


def test_allocations_share_the_samples_as_they_say():
    sizes = np.array([100_000, 890_000, 10_000])
    assert allocate(1000, sizes, "proportional", 2).tolist() == [100, 890, 10]
    assert allocate(1000, sizes, "proportional", 75).tolist() == [93, 832, 75]
    assert allocate(999, sizes, "equal", 2).tolist() == [333, 333, 333]
    neyman = allocate(1000, sizes, "optimal", 2, np.array([0.5, 0.9, 0.5]))
    share = sizes * np.array([0.5, 0.3, 0.5])
    assert np.abs(neyman - 1000 * share / share.sum()).max() <= 1
    assert allocate(40, np.array([30, 5, 30]), "equal", 10).sum() == 40
    assert allocate(40, np.array([30, 5, 30]), "equal", 10)[1] == 5  # a small class is taken whole
    with pytest.raises(InvalidInputError, match="149 samples are too few: 3 classes need 150"):
        allocate(149, sizes, "equal", 50)


def test_one_seed_draws_the_same_pixels_however_the_map_is_stored(land, tmp_path):
    points = eo.sample_design(land, n=90, minimum=20, seed=4)
    path = tmp_path / "map.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=80, width=60, count=1, dtype="uint8", tiled=True,
        blockxsize=16, blockysize=16, crs="EPSG:32633",
        transform=from_origin(500_000, 5_300_000, 30, 30),
    ) as file:  # fmt: skip
        file.write(mosaic(), 1)
    for other in (land.chunk({"y": 7, "x": 11}), land.expand_dims(time=1), str(path), path):
        assert positions(eo.sample_design(other, n=90, minimum=20, seed=4)) == positions(points)
    assert positions(eo.sample_design(land, n=90, minimum=20, seed=5)) != positions(points)


def test_no_pixel_is_drawn_twice_and_each_lies_in_its_stratum(land):
    points = eo.sample_design(land, n=400, minimum=100, classes=NAMES, blind=False)
    assert not pd.Series(positions(points)).duplicated().any()
    held = land.sel(
        x=points.geometry.x.to_xarray(), y=points.geometry.y.to_xarray(), method="nearest"
    )
    assert [NAMES[c] for c in held.to_numpy().tolist()] == points["map_class"].tolist()
    assert points.crs == "EPSG:32633"
    sizes = points.groupby("map_class")["stratum_pixels"].first()
    assert sizes["water"] == (land == 7).sum()
    assert (points["inclusion"] * points["weight"]).to_numpy() == pytest.approx(1)
    weights = points.groupby("map_class")["weight"].sum()
    assert weights["forest"] == pytest.approx(sizes["forest"])


def test_each_pixel_of_a_stratum_has_the_same_chance(make_map):
    codes = np.random.default_rng(1).choice(np.array([1, 2], "uint8"), (100, 100), p=[0.8, 0.2])
    points = eo.sample_design(make_map(codes), n=2000, allocation="equal", blind=False, seed=8)
    row = (5_300_000 - points.geometry.y) // 300  # ten bands of ten rows, ten of ten columns
    column = (points.geometry.x - 500_000) // 300
    for name, code in (("1", 1), ("2", 2)):
        mine = (points["map_class"] == name).to_numpy()
        assert mine.sum() == 1000
        here = np.histogram2d(row[mine], column[mine], bins=10)[0]
        there = (codes == code).reshape(10, 10, 10, 10).sum(axis=(1, 3))
        chance = 1000 / (codes == code).sum()
        error = (here - chance * there) / np.sqrt(there * chance * (1 - chance))
        assert np.abs(error).max() < 4
        assert error.std() == pytest.approx(1, abs=0.2)


def test_a_labelled_geopackage_is_all_that_an_assessment_needs(land, tmp_path):
    points = eo.sample_design(land, n=120, minimum=30, classes=NAMES, seed=2)
    assert "map_class" not in points  # who labels does not see it
    assert points["label"].isna().all()
    json.dumps(points.attrs["design"])
    path = tmp_path / "to_label.gpkg"
    points.to_file(path)
    labelled = gpd.read_file(path)
    truth = land.sel(
        x=labelled.geometry.x.to_xarray(), y=labelled.geometry.y.to_xarray(), method="nearest"
    ).to_numpy()
    labelled["label"] = [NAMES[int(c)] for c in truth]
    labelled.loc[::10, "label"] = "forest"
    labelled.to_crs(4326).to_file(path)
    result = eo.assess(land, path, classes=NAMES)
    assert result.design == "stratified random"
    assert "user's accuracy of forest (n = 33)" in result.notes[0]
    assert len(result.notes) == 1
    strata = result.to_frame("strata")
    assert strata["n"].sum() == 120
    assert strata.loc["water", "pixels"] == (land == 7).sum()
    assert result.to_frame("counts").to_numpy().sum() == 120
    assert 0.9 < result.overall.value < 1
    # Another map of the same ground, assessed by the same sample: its classes are no strata.
    other = land.where(land != 7, 2)
    again = eo.assess(other, path, classes={1: "field", 2: "forest"})
    assert again.design == "stratified random"
    assert again.to_frame("strata")["pixels"].sum() == land.size
    assert "water" in " ".join(again.notes)


@pytest.mark.filterwarnings("ignore:Normalized/laundered field name:RuntimeWarning")
def test_a_shapefile_cuts_the_names_and_keeps_the_design(land, tmp_path):
    points = eo.sample_design(land, n=60, minimum=10, blind=False, seed=2)
    points["label"] = points["map_class"]
    points.loc[::9, "label"] = "2"
    path = tmp_path / "labelled.shp"
    with pytest.warns(UserWarning, match="Column names longer than 10 characters"):
        points.to_file(path)
    found, expected = eo.assess(land, path), eo.assess(land, points)
    assert found.design == "stratified random"
    assert found.overall.se == pytest.approx(expected.overall.se)
    with pytest.raises(InvalidInputError, match="the columns of the reference say that it is str"):
        eo.assess(land, points, design="simple random")
    # Sizes of strata are kept, not guessed from the rows that are left.
    cut = gpd.read_file(path).drop(index=points.index[points["map_class"] == "7"][:5])
    cut.to_file(tmp_path / "cut.gpkg")
    for reference in (cut, tmp_path / "cut.gpkg"):
        with pytest.warns(UserWarning, match="drew other numbers of samples in strata"):
            found = eo.assess(land, reference)
        assert found["7"].map_hectares == expected["7"].map_hectares
        assert found.to_frame("strata").loc["7", "pixels"] == (mosaic() == 7).sum()


def test_codes_that_come_back_as_text_are_codes(land):
    points = eo.sample_design(land, n=60, minimum=10, blind=False)
    points["label"] = points.pop("map_class").astype(str)
    assert eo.assess(land, points).overall.value == 1
    points["label"] = points["label"].astype(float)  # as a table with gaps reads them
    assert eo.assess(land, points).overall.value == 1


def test_samples_that_are_lost_are_said(land):
    points = eo.sample_design(land, n=60, minimum=10, blind=False)
    points["label"] = points["map_class"]
    with pytest.warns(UserWarning, match="The design drew other numbers of samples in strata"):
        eo.assess(land, points.iloc[1:])
    with pytest.raises(InvalidInputError, match=r"the strata cover .* ha, the map .* ha"):
        eo.assess(land, points[points["map_class"] != "1"])
    points.loc[3, "label"] = None
    with pytest.raises(InvalidInputError, match="1 of 60 rows have no label in 'label'"):
        eo.assess(land, points)
    with pytest.warns(UserWarning, match="The design drew"):
        dropped = eo.assess(land, points, unlabelled="drop")
    assert "missing at random" in dropped.notes[0]
    points["label"] = None
    with pytest.raises(InvalidInputError, match="no row has a label in 'label' yet"):
        eo.assess(land, points)


def test_inclusion_probabilities_alone_give_the_sizes_of_strata(land):
    points = eo.sample_design(land, n=60, minimum=10, blind=False)
    points["label"] = points["map_class"]
    points.loc[::7, "label"] = "2"
    full = eo.assess(land, points)
    bare = points.rename(columns={"stratum": "s", "inclusion": "p"})[
        ["s", "p", "label", "geometry"]
    ]
    again = eo.assess(land, bare, stratum="s", inclusion="p")
    assert again.overall.se == pytest.approx(full.overall.se)
    named = points[["map_class", "label", "geometry"]]
    assert eo.assess(land, named, stratum="map_class").overall.se == pytest.approx(full.overall.se)
    with pytest.raises(InvalidInputError, match="inclusion probabilities alone do not say"):
        eo.assess(land, bare, inclusion="p")
    with pytest.raises(InvalidInputError, match=r"'p' holds 1.* to"):
        eo.assess(land, bare.assign(p=bare["p"] * 100), stratum="s", inclusion="p")
    with pytest.raises(InvalidInputError, match="'p' is not one number in all rows of stratum"):
        eo.assess(land, bare.assign(p=np.linspace(0.1, 0.2, 60)), stratum="s", inclusion="p")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give n= or target_se="),
        ({"n": 50, "target_se": 0.01}, "give n= or target_se="),
        ({"n": 2}, "2 samples are too few: 3 classes need 6"),
        ({"n": 5000}, "n=5000 is more than the 4800 pixels"),
        ({"n": True}, "n=True is no number of samples"),
        ({"n": 10.5}, "n=10.5 is no number of samples"),
        ({"target_se": 0.01}, "target_se= needs expected_accuracy="),
        ({"target_se": 1, "expected_accuracy": 0.9}, "target_se=1 is no standard error"),
        ({"n": 50, "allocation": "optimal"}, "the optimal allocation needs expected_accuracy="),
        ({"n": 50, "allocation": "neyman"}, "there is no allocation 'neyman'"),
        ({"n": 50, "expected_accuracy": 90}, "expected_accuracy=90 is no share"),
        ({"n": 50, "expected_accuracy": {1: 0.9}}, "expected_accuracy= says nothing of 2, 7"),
        ({"n": 50, "expected_accuracy": {3: 0.9}}, "names 3, which the map does not hold"),
        ({"n": 50, "minimum": 1}, "minimum=1: a stratum of fewer than two"),
        ({"n": 50, "minimum": "few"}, "minimum='few': a stratum of fewer than two"),
        ({"target_se": "1 %", "expected_accuracy": 0.9}, "target_se='1 %' is no standard error"),
        ({"n": 50, "expected_accuracy": "high"}, "expected_accuracy='high' is no share"),
        ({"n": 50, "seed": -1}, "seed=-1 is no seed"),
        ({"n": 50, "exclude": [3]}, "exclude= names 3, which the map does not hold"),
        ({"n": 50, "exclude": [1, 2, 7]}, "exclude= leaves no class"),
    ],
)
def test_a_design_that_cannot_be_drawn_is_refused(land, options, message):
    with pytest.raises(InvalidInputError, match=message):
        eo.sample_design(land, **options)
