"""Composites: against NumPy, SciPy and the definition; and what is left of the clouds."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import minimize

from eolab.catalog import clear_fraction, load, mask
from eolab.catalog.cube.composite import composite
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import InvalidInputError


@pytest.fixture
def cube():
    rng = np.random.default_rng(0)
    time = pd.to_datetime(["2021-03-03", "2021-03-09", "2021-03-20", "2021-03-28", "2021-05-02"])
    bands = {}
    for name in ("red", "nir", "swir16"):
        values = rng.uniform(0, 0.6, (5, 4, 6)).astype(np.float32)
        values[rng.random(values.shape) < 0.15] = np.nan
        bands[name] = (("time", "y", "x"), values)
    made = xr.Dataset(bands, coords={"time": time, "y": np.arange(4.0), "x": np.arange(6.0)})
    made["red"][:4, 0, 0] = np.nan  # a pixel that is never clear in March
    return made


def stack(cube, month):
    part = np.stack([cube[n].sel(time=month).data for n in cube.data_vars])
    part[:, ~np.isfinite(part).all(axis=0)] = np.nan
    return part  # bands, dates, y, x


def test_the_median_is_numpys_and_clear_dates_are_counted(cube):
    made = composite(cube, "median", period="1M")
    assert list(made.time.to_index()) == [pd.Timestamp("2021-03-01"), pd.Timestamp("2021-05-01")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels that are never clear
        expected = np.nanmedian(stack(cube, "2021-03"), axis=1)
    for k, name in enumerate(cube.data_vars):
        np.testing.assert_allclose(made[name].data[0], expected[k], rtol=1e-6)
    counts = np.isfinite(stack(cube, "2021-03")).all(axis=0).sum(axis=0)
    assert (made["count"].data[0] == counts).all()
    assert made["count"].data[0, 0, 0] == 0
    assert np.isnan(made["red"].data[0, 0, 0])


def test_the_medoid_is_one_of_the_dates_and_the_nearest(cube):
    made = composite(cube, "medoid", period="1M")
    part = stack(cube, "2021-03")
    for y, x in np.ndindex(4, 6):
        looks = part[:, :, y, x].T
        looks = looks[np.isfinite(looks).all(axis=1)]
        found = np.array([made[n].data[0, y, x] for n in cube.data_vars])
        if not len(looks):
            assert np.isnan(found).all()
            continue
        sums = np.linalg.norm(looks[:, None] - looks[None], axis=-1).sum(axis=1)
        np.testing.assert_allclose(found, looks[sums.argmin()])


def test_the_geomedian_minimises_the_sum_of_distances(cube):
    made = composite(cube, "geomedian", period="1M")
    part = stack(cube, "2021-03").astype(float)
    for y, x in [(1, 1), (2, 4), (3, 0)]:
        looks = part[:, :, y, x].T
        looks = looks[np.isfinite(looks).all(axis=1)]

        def total(point, looks=looks):
            return np.linalg.norm(looks - point, axis=1).sum()

        best = minimize(total, looks.mean(axis=0), method="Nelder-Mead", options={"xatol": 1e-8})
        found = np.array([made[n].data[0, y, x] for n in cube.data_vars])
        assert total(found) <= best.fun + 1e-4


@pytest.mark.parametrize(
    ("period", "starts"),
    [
        ("1Y", ["2021-01-01"]),
        ("2M", ["2021-03-01", "2021-05-01"]),
        ("10D", ["2021-03-03", "2021-03-13", "2021-03-23", "2021-05-02"]),
        ("1W", ["2021-03-03", "2021-03-17", "2021-03-24", "2021-04-28"]),
    ],
)
def test_periods(cube, period, starts):
    made = composite(cube, period=period)
    assert [t.strftime("%Y-%m-%d") for t in made.time.to_index()] == starts


@pytest.mark.parametrize("method", ["median", "mean", "medoid", "geomedian"])
def test_a_lazy_cube_stays_lazy_and_gives_the_same(cube, method):
    lazy = composite(cube.chunk({"time": 2, "y": 3, "x": 4}), method)
    assert all(lazy[name].chunks is not None for name in lazy.data_vars)
    xr.testing.assert_allclose(lazy.compute(), composite(cube, method), rtol=1e-6)
    assert lazy["count"].dtype == "int16"


def test_a_geometric_median_does_not_depend_on_what_is_around_it(cube):
    whole = composite(cube, "geomedian")
    alone = composite(cube.isel(y=[2], x=[3]), "geomedian")
    xr.testing.assert_identical(whole.isel(y=[2], x=[3]), alone)


def test_stored_numbers_count_without_their_nodata(cube):
    """As loaded by raw=True: zero is no dark look at the ground."""
    stored = (cube.fillna(0) * 10_000).round().astype(np.uint16)
    for name in stored.data_vars:
        stored[name].attrs["nodata"] = 0
    made = composite(stored)
    expected = composite(stored.astype(np.float32).where(stored != 0))
    assert np.array_equal(made["count"], expected["count"])
    np.testing.assert_array_equal(made.red, expected.red)


def test_looks_of_two_radar_orbits_are_not_mixed(cube):
    """Optical dates may come from anywhere; radar sees the ground from another side."""
    orbits = ("time", np.array(["95", "117", "95", "117", "95"], dtype=object))
    cube = cube.assign_coords(relative_orbit=orbits)
    assert composite(cube).sizes["time"] == 2
    radar = cube.rename(red="vv", nir="vh")
    with pytest.raises(InvalidInputError, match="2 orbits: 117, 95") as error:
        composite(radar)
    one, all_the_same = (part.split(": ")[-1].rstrip(".") for part in error.value.hint.split(";"))
    assert composite(eval(one, {"cube": radar})).equals(composite(radar.isel(time=[1, 3])))
    assert composite(eval(all_the_same, {"cube": radar})).sizes["time"] == 2


def test_wrong_words_are_helped(cube):
    for wrong in ({"method": "medain"}, {"period": "month"}, {"period": "0D"}, {"period": 30}):
        (value,) = wrong.values()
        with pytest.raises(InvalidInputError, match=str(value)) as error:
            composite(cube, **wrong)
        assert error.value.hint
    with pytest.raises(InvalidInputError, match="no variable with time"):
        composite(cube.isel(time=0, drop=True))


def test_clouds_are_gone_from_a_composite(sample_source):
    items = sample_source.search(COLLECTION, datetime="2021-07/2021-08", max_cloud=60)
    options = {"bands": ["blue", "red", "nir"], "crs": "EPSG:32633", "resolution": 20}
    cloudy = load(items, **options)
    clear = load(items, mask=mask(dilate=60), **options)
    truth = clear.sel(time="2021-08-06").blue.data[0]  # without a cloud
    assert (cloudy.blue.max("time") > 0.3).mean() > 0.3
    made = clear.eo.composite("geomedian", period="1Y")
    assert (made.blue > 0.3).mean() == 0
    assert np.nanmedian(np.abs(made.blue.data[0] - truth)) < 0.03


class TestClearFraction:
    def test_slips_are_told(self, sample_items):
        for wrong in ({"mask": "cloud"}, {"size": 0}, {"size": "big"}):
            (name,) = wrong
            with pytest.raises(InvalidInputError, match=f"^{name} = "):
                clear_fraction(sample_items, **wrong)
        with pytest.raises(InvalidInputError, match="no items"):
            clear_fraction([])
        assert len(clear_fraction(sample_items[0])) == 1

    def test_it_is_what_a_full_load_says(self, sample_items):
        items = [i for i in sample_items if "33UTP" in i.id and "N0300" not in i.id]
        quick = clear_fraction(items, size=128)
        scl = load(items, bands=["SCL"], raw=True).SCL.data
        seen = scl != 0
        clear = [(~np.isin(s[k], (3, 8, 9, 10))).mean() for s, k in zip(scl, seen, strict=True)]
        np.testing.assert_allclose(quick["clear"], clear, atol=0.02)
        assert quick["clear"].iloc[6] < 0.2
        assert quick["clear"].iloc[9] == 1

    def test_an_area_counts_for_itself(self, sample_items):
        items = [i for i in sample_items if "20210410" in i.id]
        west = clear_fraction(items, bbox=(11.93, 48.585, 11.94, 48.615))
        east = clear_fraction(items, bbox=(12.03, 48.585, 12.06, 48.615))
        assert west["seen"].iloc[0] < 0.5  # the nodata edge
        assert east["seen"].iloc[0] > 0.95

    def test_without_a_layer_it_says_so(self, shared_data, config):
        from eolab.catalog import open_source

        items = open_source(config, str(shared_data / "eolearn-slovenia-stac")).search()
        with pytest.raises(InvalidInputError, match="nothing to mask with"):
            clear_fraction(items)
