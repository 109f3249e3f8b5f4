"""What a season says, against known curves and scikit-learn's least squares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import CubicSpline
from sklearn.linear_model import LinearRegression

from eolab.errors import InvalidInputError
from eolab.features.extract import seasonal as seasons

DAYS = np.arange(0, 245, 5)


def dated(values, *, first="2024-03-01", days=DAYS, parcel=1):
    when = pd.Timestamp(first, tz="UTC") + pd.to_timedelta(days, unit="D")
    return pd.DataFrame({"parcel_id": parcel, "time": when, "ndvi": np.asarray(values, float)})


def growth(days, start, end, *, low=0.2, high=0.8):
    """A double logistic: half of the rise is on day ``start``, half of the fall on ``end``."""
    return low + (high - low) * (
        1 / (1 + np.exp(-(days - start) / 4)) - 1 / (1 + np.exp(-(days - end) / 4))
    )


def season(rows, **options):
    return seasons.seasonal_features(rows, columns=["ndvi"], start="03-01", end="10-31", **options)


@pytest.mark.parametrize(("start", "end"), [(60, 150), (40, 200)])
def test_growth_starts_and_ends_where_the_known_curve_does(start, end):
    """At a threshold of one half the crossings are the logistics' own middles."""
    found = season(dated(growth(DAYS, start, end)), phenology=True, threshold=0.5).iloc[0]
    assert found["ndvi_start"] == pytest.approx(start, abs=2)
    assert found["ndvi_end"] == pytest.approx(end, abs=2)
    assert found["ndvi_amplitude"] == pytest.approx(0.6, abs=0.01)
    # Between its middles a double logistic of width 4 holds its height times (length - 8 ln 2).
    assert found["ndvi_integral"] == pytest.approx(0.6 * (end - start - 8 * np.log(2)), rel=0.02)
    assert start < found["ndvi_peak"] < end


def test_a_later_sown_district_starts_three_weeks_later():
    rows = pd.concat([dated(growth(DAYS, 60, 150)), dated(growth(DAYS, 81, 171), parcel=2)])
    early, late = season(rows, phenology=True)["ndvi_start"]
    assert late - early == pytest.approx(21, abs=1.5)


def test_growth_outside_the_series_is_missing_not_guessed():
    rising = season(dated(np.linspace(0.2, 0.8, len(DAYS))), phenology=True).iloc[0]
    assert rising["ndvi_start"] == pytest.approx(0.2 * 240, abs=0.1)
    assert np.isnan(rising["ndvi_end"])
    assert np.isnan(rising["ndvi_integral"])
    flat = season(dated(np.full(len(DAYS), 0.5)), phenology=True).iloc[0]
    assert np.isnan(flat["ndvi_start"])
    assert flat["ndvi_amplitude"] == 0


def test_harmonics_equal_scikit_learn():
    rng = np.random.default_rng(0)
    days = np.sort(rng.choice(245, 40, replace=False))
    value = rng.normal(size=40)
    found = season(dated(value, days=days), harmonics=2).iloc[0]
    t = days / 245
    waves = np.column_stack([f(2 * np.pi * k * t) for k in (1, 2) for f in (np.cos, np.sin)])
    oracle = LinearRegression().fit(waves, value)
    names = ["ndvi_cos1", "ndvi_sin1", "ndvi_cos2", "ndvi_sin2"]
    np.testing.assert_allclose(found[names].to_numpy(float), oracle.coef_, rtol=1e-6)
    assert found["ndvi_h0"] == pytest.approx(oracle.intercept_)


def test_statistics_equal_pandas_and_missing_values_do_not_count():
    rng = np.random.default_rng(1)
    rows = pd.concat([dated(rng.random(len(DAYS)), parcel=p) for p in range(5)])
    rows.loc[rng.random(len(rows)) < 0.3, "ndvi"] = np.nan
    found = season(rows, stats=["mean", "median", "std", "q25", "max"]).set_index("parcel_id")
    grouped = rows.groupby("parcel_id")["ndvi"]
    for name, oracle in {
        "mean": grouped.mean(),
        "median": grouped.median(),
        "std": grouped.std(),
        "q25": grouped.quantile(0.25),
        "max": grouped.max(),
    }.items():
        np.testing.assert_allclose(found[f"ndvi_{name}"], oracle)


def test_the_row_is_known_when_the_season_ends_and_each_year_has_its_own():
    rows = pd.concat([dated(growth(DAYS, 60, 150), first=f"{y}-03-01") for y in (2023, 2024)])
    rows.attrs["eolab_items"] = ["A"]
    found = season(rows)
    assert found["season_end"].tolist() == [
        pd.Timestamp(f"{y}-11-01", tz="UTC") for y in (2023, 2024)
    ]
    assert found.attrs["eolab_items"] == ["A"]


def test_a_season_may_cross_new_year():
    days = np.arange(0, 300, 10)
    rows = dated(growth(days, 100, 220), first="2023-10-01", days=days)
    found = seasons.seasonal_features(
        rows, columns=["ndvi"], start="10-01", end="07-31", phenology=True
    )
    assert len(found) == 1
    assert found["season_end"].item() == pd.Timestamp("2024-08-01", tz="UTC")
    assert found["ndvi_start"].item() == pytest.approx(100, abs=10)


def test_too_few_observations_give_nan_not_a_guess():
    rows = dated([0.3, np.nan, 0.5], days=[0, 10, 20])
    found = season(rows, harmonics=1, phenology=True, min_observations=3).iloc[0]
    assert np.isnan(found[["ndvi_median", "ndvi_h0", "ndvi_start"]].to_numpy(float)).all()
    assert found["observations"] == 3
    two = season(rows, harmonics=1, min_observations=2).iloc[0]
    assert two["ndvi_median"] == pytest.approx(0.4)
    assert np.isnan(two["ndvi_h0"]), "two values do not fit three unknowns"


def test_sparse_dates_find_the_same_season_as_dense_ones():
    dense = growth(np.arange(245.0), 70, 160)
    days = np.sort(np.random.default_rng(3).choice(245, 30, replace=False))
    sparse = season(
        dated(CubicSpline(np.arange(245), dense)(days), days=days), phenology=True
    ).iloc[0]
    full = season(dated(dense, days=np.arange(245)), phenology=True).iloc[0]
    for name in ("start", "end"):
        assert sparse[f"ndvi_{name}"] == pytest.approx(full[f"ndvi_{name}"], abs=6)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"columns": ["ndwi"]}, "no column 'ndwi'"),
        ({"stats": ["avg"]}, "unknown statistic 'avg'"),
        ({"start": "March"}, "'March' is no day of a year"),
        ({"start": "12-01", "end": "12-31"}, "no row is between"),
        ({"id": "field"}, "no column 'field'"),
    ],
)
def test_faults_are_reported_with_a_hint(options, says):
    with pytest.raises(InvalidInputError, match=says) as caught:
        seasons.seasonal_features(
            dated(growth(DAYS, 60, 150)),
            **{"columns": ["ndvi"], "start": "03-01", "end": "10-31", **options},
        )
    assert caught.value.hint
    naive = dated(growth(DAYS, 60, 150)).assign(time=lambda f: f["time"].dt.tz_localize(None))
    with pytest.raises(InvalidInputError, match="time zone"):
        season(naive)
