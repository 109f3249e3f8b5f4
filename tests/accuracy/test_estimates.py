"""Estimates against published examples, a computation by hand, and samples of a known map."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import eolab as eo
from eolab.accuracy.assessment import SampleEstimate
from eolab.accuracy.estimators import SampleCells, SampleStratum, StratifiedEstimator
from eolab.accuracy.pixel_areas import row_hectares

# Olofsson et al. 2014, Good practices, table 8: samples by map class (rows) and reference.
NAMES = {1: "deforestation", 2: "forest gain", 3: "stable forest", 4: "stable non-forest"}
PIXELS = (200_000, 150_000, 3_200_000, 6_450_000)  # Landsat pixels of 0.09 ha
TABLE_8 = ((66, 0, 5, 4), (0, 55, 8, 12), (1, 0, 153, 11), (2, 1, 9, 313))

# Stehman 2014, table 2: strata, map classes and reference of 40 pixels.
STRATA = "A" * 10 + "B" * 10 + "C" * 10 + "D" * 10
MAPPED = "A" * 7 + "B" * 3 + "A" + "B" * 11 + "C" * 6 + "BB" + "D" * 10
TRUE = "AAAAACBABC" + "ABBBBBAABB" + "CCCCCDDBBA" + "DDDDDDDCCB"
STRATUM_PIXELS = {"A": 40_000, "B": 30_000, "C": 20_000, "D": 10_000}


@pytest.fixture(scope="module")
def good_practices(make_map):
    codes = np.repeat(np.array([1, 2, 3, 4], "uint8"), PIXELS).reshape(2500, 4000)
    labels = [
        (start + k, j + 1)
        for start, row in zip(np.cumsum((0, *PIXELS)), TABLE_8, strict=False)
        for k, j in enumerate(np.repeat(range(4), row))
    ]
    flat, label = np.array(labels).T
    points = gpd.points_from_xy(
        500_000 + 30 * (flat % 4000 + 0.5), 5_300_000 - 30 * (flat // 4000 + 0.5), crs=32633
    )
    return eo.assess(
        make_map(codes),
        gpd.GeoDataFrame({"label": label}, geometry=points),
        design="stratified",
        classes=NAMES,
        finite_correction=False,
    )


def test_the_example_of_good_practices_comes_out_as_published(good_practices):
    """Olofsson et al. 2014, tables 8 and 9 and section 5.2: areas +- 95 %, accuracies +- 95 %."""
    table = good_practices.to_frame()
    assert good_practices.to_frame("counts").to_numpy().tolist() == [list(r) for r in TABLE_8]
    assert table["hectares"].round().tolist() == [21_158, 11_686, 285_770, 581_386]
    assert (1.96 * table["hectares_se"]).round().tolist() == [6_158, 3_756, 15_510, 16_282]
    assert table["map_hectares"].round().tolist() == [18_000, 13_500, 288_000, 580_500]
    assert table["users"].round(2).tolist() == [0.88, 0.73, 0.93, 0.96]
    assert (1.96 * table["users_se"]).round(2).tolist() == [0.07, 0.10, 0.04, 0.02]
    assert table["producers"].round(2).tolist() == [0.75, 0.85, 0.93, 0.96]
    assert good_practices.overall.value == pytest.approx(0.947, abs=5e-4)
    assert 1.96 * good_practices.overall.se == pytest.approx(0.018, abs=5e-4)
    shares = good_practices.to_frame("proportions").to_numpy()
    assert shares[0].round(4).tolist() == [0.0176, 0, 0.0013, 0.0011]


def test_the_errors_are_those_of_the_equations_of_good_practices(good_practices):
    """Olofsson et al. 2014, eqs 5, 6, 7 and 10, written out."""
    n = np.array(TABLE_8, float)
    total, N = n.sum(axis=1), np.array(PIXELS, float)
    W = N / N.sum()
    U = np.diag(n) / total
    share = n / total[:, None]
    assert good_practices.overall.se**2 == pytest.approx((W**2 * U * (1 - U) / (total - 1)).sum())
    for j, row in enumerate(good_practices.classes):
        assert row.users.se**2 == pytest.approx(U[j] * (1 - U[j]) / (total[j] - 1))
        spread = share[:, j] * (1 - share[:, j]) / (total - 1)
        N_j = (N * share[:, j]).sum()
        P = N[j] * U[j] / N_j
        others = np.arange(4) != j
        first = N[j] ** 2 * (1 - P) ** 2 * U[j] * (1 - U[j]) / (total[j] - 1)
        assert row.producers.se**2 == pytest.approx(
            (first + P**2 * (N**2 * spread)[others].sum()) / N_j**2
        )
        assert (row.hectares.se / 900_000) ** 2 == pytest.approx((W**2 * spread).sum())


def test_strata_that_are_not_the_maps_classes_come_out_as_published(make_map):
    """Stehman 2014, pages 4932 to 4936: estimates and standard errors to three digits."""
    place = {letter: i for i, letter in enumerate("ABCD")}
    codes = np.zeros(100_000, "uint8")
    codes[:40] = [place[c] for c in MAPPED]
    frame = pd.DataFrame(
        {
            "x": 500_000 + 30 * (np.arange(40) + 0.5),
            "y": 5_300_000 - 15.0,
            "group": list(STRATA),
            "stratum_pixels": [STRATUM_PIXELS[c] for c in STRATA],
            "truth": list(TRUE),
        }
    )
    result = eo.assess(
        make_map(codes.reshape(100, 1000)),
        frame,
        stratum="group",
        label="truth",
        classes=dict(enumerate("ABCD")),
    )
    assert result.design == "stratified random"
    assert (round(result.overall.value, 2), round(result.overall.se, 3)) == (0.63, 0.085)
    b = result["B"]
    assert (round(b.users.value, 3), round(b.users.se, 3)) == (0.574, 0.125)
    assert (round(b.producers.value, 3), round(b.producers.se, 3)) == (0.794, 0.117)
    shares = [result[c].hectares.value / result.hectares for c in "AC"]
    errors = [result[c].hectares.se / result.hectares for c in "AC"]
    assert np.round(shares, 2).tolist() == [0.35, 0.20]
    assert np.round(errors, 3).tolist() == [0.082, 0.064]
    assert result.to_frame("proportions").loc["B", "C"] == pytest.approx(0.08)


# --- pixels of unequal area ------------------------------------------------------------------


def known_map(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Map class, truth and hectares of the pixels of a map in degrees, from the equator to 60 N."""
    rng = np.random.default_rng(seed)
    shape = (120, 100)
    mapped = (rng.random(shape) < np.linspace(0.15, 0.6, 120)[:, None]).astype(int)
    mapped[rng.random(shape) < 0.2] = 2
    wrong = rng.random(shape) < np.linspace(0.25, 0.08, 120)[:, None]
    truth = np.where(wrong, rng.integers(0, 3, shape), mapped)
    return mapped, truth, np.repeat(np.cos(np.linspace(0, np.pi / 3, 120)), 100).reshape(shape)


def by_hand(stratum, mapped, truth, area, sizes, hectares, y, x):
    """A ratio and its variance, unit by unit (Cochran 1977, eqs 6.50 and 5.6 with residuals)."""
    weight = np.array([hectares[h] / area[stratum == h].sum() for h in stratum]) * area
    above = sum(w * y(m, t) for w, m, t in zip(weight, mapped, truth, strict=True))
    below = sum(w * x(m, t) for w, m, t in zip(weight, mapped, truth, strict=True))
    ratio = above / below
    variance = 0.0
    for h, N in sizes.items():
        members = np.flatnonzero(stratum == h)
        z = np.array([(y(mapped[u], truth[u]) - ratio * x(mapped[u], truth[u])) for u in members])
        w = weight[members]
        residual = w * (z - (w * z).sum() / w.sum())
        n = len(members)
        variance += (1 - n / N) * n / (n - 1) * (residual**2).sum()
    return ratio, np.sqrt(variance) / below


def test_pixels_of_unequal_area_count_by_their_area(make_map):
    mapped, truth, _ = known_map()
    land = make_map(mapped.astype("uint8"), crs="EPSG:4326", pixel=0.5, left=10.0, top=60.0)
    points = eo.sample_design(land, n=200, minimum=40, seed=3)
    row = ((60 - points.geometry.y) / 0.5).astype(int).to_numpy()
    column = ((points.geometry.x - 10) / 0.5).astype(int).to_numpy()
    points["label"] = truth[row, column]
    result = eo.assess(land, points)
    area = row_hectares(eo_transform(), (120, 100), land_crs())
    sizes = {c: int((mapped == c).sum()) for c in range(3)}
    hectares = {c: float((area[:, None] * (mapped == c)).sum()) for c in range(3)}
    at = mapped[row, column]
    expected = {
        "overall": (lambda m, t: m == t, lambda m, t: True),
        "users": (lambda m, t: m == t == 1, lambda m, t: m == 1),
        "producers": (lambda m, t: m == t == 1, lambda m, t: t == 1),
        "f1": (lambda m, t: 2 * int(m == t == 1), lambda m, t: int(m == 1) + int(t == 1)),
    }
    for name, (y, x) in expected.items():
        found = result.overall if name == "overall" else getattr(result["1"], name)
        hand = by_hand(at, at, truth[row, column], area[row], sizes, hectares, y, x)
        assert (found.value, found.se) == pytest.approx(hand), name
    share, error = by_hand(
        at, at, truth[row, column], area[row], sizes, hectares,
        lambda m, t: t == 2, lambda m, t: True,
    )  # fmt: skip
    total = sum(hectares.values())
    assert (result["2"].hectares.value, result["2"].hectares.se) == pytest.approx(
        (share * total, error * total)
    )
    assert result.hectares == pytest.approx(total)


def eo_transform():
    from affine import Affine

    return Affine(0.5, 0, 10.0, 0, -0.5, 60.0)


def land_crs():
    from pyproj import CRS

    return CRS("EPSG:4326")


def coverage(draws: int) -> tuple[np.ndarray, np.ndarray]:
    """How often intervals hold the truth, and the mean error of areas in standard errors."""
    mapped, truth, area = known_map()
    place = [np.flatnonzero(mapped.ravel() == c) for c in range(3)]
    strata = [
        SampleStratum(str(c), p.size, float(area.ravel()[p].sum()), c) for c, p in enumerate(place)
    ]
    m, t = np.indices((3, 3))
    every = np.ones((3, 3))
    ratios = [(m == t, every)]
    ratios += [((m == t) & (m == c), m == c) for c in range(3)]
    ratios += [((m == t) & (t == c), t == c) for c in range(3)]
    ratios += [(t == c, every) for c in range(3)]
    cell = np.array(
        [[(area * (mapped == i) * (truth == j)).sum() for j in range(3)] for i in range(3)]
    )
    true = np.array([(cell * y).sum() / (cell * x).sum() for y, x in ratios])
    rng = np.random.default_rng(11)
    held, errors = np.zeros(len(ratios)), np.zeros((draws, len(ratios)))
    kinds = [SampleEstimate.of_share] * 7 + [SampleEstimate.of_area] * 3
    for draw in range(draws):
        drawn = np.concatenate([rng.choice(p, 100, replace=False) for p in place])
        index = np.repeat(np.arange(3), 100)
        cells = SampleCells.of(index, index, truth.ravel()[drawn], area.ravel()[drawn], (3, 4, 4))
        estimator = StratifiedEstimator(cells, strata)
        value, se = np.array([estimator.ratio(y, x) for y, x in ratios]).T
        intervals = [kind(v, e, 1.96) for kind, v, e in zip(kinds, value, se, strict=True)]
        held += [i.low <= t <= i.high for i, t in zip(intervals, true, strict=True)]
        errors[draw] = value - true
    return held / draws, errors.mean(axis=0) / errors.std(axis=0) * np.sqrt(draws)


def test_intervals_of_samples_of_a_known_map_hold_the_truth():
    held, bias = coverage(300)
    assert (held > 0.91).all(), held
    assert held.mean() == pytest.approx(0.95, abs=0.015)
    assert np.abs(bias).max() < 3.5


@pytest.mark.slow
def test_95_of_100_intervals_hold_the_truth():
    held, bias = coverage(2000)
    assert ((held >= 0.93) & (held <= 0.97)).all(), held
    assert np.abs(bias).max() < 3.5


# --- strata of one, and what else is said ----------------------------------------------------


def lone_map(make_map):
    codes = np.zeros((20, 20), "uint8")
    codes[:5], codes[5:8] = 1, 2
    rows, columns = [0, 1, 2, 3, 6, 10, 12, 14, 16], [0] * 9
    points = pd.DataFrame(
        {
            "x": 500_015.0 + 30 * np.array(columns),
            "y": 5_299_985.0 - 30 * np.array(rows),
            "label": [1, 1, 0, 1, 2, 0, 0, 1, 0],
        }
    )
    return make_map(codes), points


def test_a_stratum_of_one_sample_has_no_variance_and_says_so(make_map):
    land, points = lone_map(make_map)
    with pytest.warns(UserWarning, match="Strata of one sample have no variance: 2"):
        result = eo.assess(land, points, design="stratified")
    assert np.isnan(result.overall.se)
    assert np.isnan(result["2"].users.se)
    assert result["1"].users.se > 0  # stratum 2 holds nothing that is mapped as 1
    assert any("collapse=" in note for note in result.notes)
    assert json.loads(result.to_json())["overall"]["se"] is None


def test_collapsed_strata_keep_the_estimate_and_have_an_error(make_map):
    land, points = lone_map(make_map)
    with pytest.warns(UserWarning, match="Strata of one"):
        lone = eo.assess(land, points, design="stratified")
    joined = eo.assess(land, points, design="stratified", collapse=[[1, 2]])
    assert joined.overall.value == pytest.approx(lone.overall.value)
    assert joined.overall.se > 0


def test_all_that_are_right_are_called_uncertain(make_map):
    land = make_map(np.repeat(np.array([[1], [2]], "uint8"), 50, axis=1).repeat(20, axis=0))
    points = eo.sample_design(land, n=20, blind=False)
    points["label"] = points["map_class"]
    result = eo.assess(land, points)
    assert result.overall.value == 1.0
    assert "user's accuracy of 1 (n = 10), producer's accuracy of 1 (n = 10)" in result.notes[0]


def test_a_sample_at_random_is_one_stratum_or_is_stratified_afterwards(make_map):
    mapped, truth, _ = known_map()
    land = make_map(mapped.astype("uint8"))
    rng = np.random.default_rng(5)
    flat = rng.choice(mapped.size, 400, replace=False)
    points = pd.DataFrame(
        {
            "x": 500_015.0 + 30 * (flat % 100),
            "y": 5_299_985.0 - 30 * (flat // 100),
            "label": truth.ravel()[flat],
        }
    )
    simple = eo.assess(land, points, design="simple random")
    p = (mapped.ravel()[flat] == points["label"]).mean()
    assert simple.overall.value == pytest.approx(p)
    assert simple.overall.se == pytest.approx(np.sqrt(p * (1 - p) / 399 * (1 - 400 / mapped.size)))
    after = eo.assess(land, points, design="post-stratified")
    assert after.design == "post-stratified"
    assert after["1"].hectares.se < simple["1"].hectares.se


def test_a_reference_of_no_design_has_figures_without_errors(make_map):
    land, points = lone_map(make_map)
    result = eo.assess(land, points)
    assert (result.design, result.design_based) == ("not design-based", False)
    assert 0 < result.overall.value < 1
    assert np.isnan(result.to_frame()[["hectares_se", "users_se", "producers_low"]]).all(axis=None)
    for shown in (repr(result), result._repr_html_()):
        assert "Not design-based" in shown
        assert "eo.sample_design" in shown
        assert "±" not in shown
    assert json.loads(result.to_json())["design_based"] is False


def test_a_reference_raster_is_a_census_without_sampling_error(make_map):
    mapped, truth, _ = known_map()
    place = {"crs": "EPSG:4326", "pixel": 0.5, "left": 10.0, "top": 60.0}
    result = eo.assess(make_map(mapped.astype("uint8"), **place), make_map(truth, **place))
    area = np.broadcast_to(
        row_hectares(eo_transform(), (120, 100), land_crs())[:, None], (120, 100)
    )
    assert result.design == "census"
    assert result.overall.value == pytest.approx(area[mapped == truth].sum() / area.sum())
    assert (result.overall.se, result["2"].hectares.se) == (0, 0)
    assert result["2"].hectares.value == pytest.approx(area[truth == 2].sum())
    assert result.counts[1, 2] == ((mapped == 1) & (truth == 2)).sum()
    assert "no sampling error" in repr(result)


def test_a_code_of_two_names_in_map_and_reference_is_refused(make_map):
    codes = np.array([[1, 2], [2, 1]], "uint8")
    flags = {"flag_values": [1, 2], "flag_meanings": "wheat maize"}
    mapped = make_map(codes).assign_attrs(flags)
    turned = mapped.assign_attrs(flag_meanings="Maize Wheat")
    with pytest.raises(eo.EolabError, match="the code 1 is 'wheat' in the map and 'Maize' in the"):
        eo.assess(mapped, turned)
    assert eo.assess(mapped, turned, classes={1: "a", 2: "b"}).overall.value == 1
    assert eo.assess(mapped, mapped.assign_attrs(flag_meanings="Wheat MAIZE"))["wheat"].n_map == 2
    # Codes that are no numbers name nothing.
    odd = mapped.assign_attrs(flag_values="1b, 2b")
    assert [row.name for row in eo.assess(odd, mapped).classes] == ["1", "2"]


def test_a_reference_raster_with_gaps_says_for_which_part_it_holds(make_map):
    mapped, truth, _ = known_map()
    gaps = make_map(truth.astype(float)).where(make_map(mapped) != 1)
    with pytest.warns(UserWarning, match="The reference covers .* of the map's pixels"):
        result = eo.assess(make_map(mapped), gaps)
    assert result.hectares == pytest.approx((mapped != 1).sum() * 0.09)
    with pytest.raises(eo.EolabError, match="has another grid"):
        eo.assess(make_map(mapped), make_map(truth, left=500_030.0))
    with pytest.raises(eo.EolabError, match="the reference raster lies in"):
        eo.assess(make_map(mapped), make_map(truth, crs="EPSG:32634"))
    with pytest.raises(eo.EolabError, match="no code of the reference raster"):
        eo.assess(make_map(mapped), make_map(truth + 10))


def test_a_result_is_read_in_a_cell_as_html_without_markup_of_others(make_map):
    land, points = lone_map(make_map)
    names = {0: "<script>", 1: "b", 2: "c"}
    page = eo.assess(land, points, classes=names)._repr_html_()
    assert "<script>" not in page
    assert "Error matrix" in page
