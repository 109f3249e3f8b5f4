"""Radar: what is refused, what is kept apart, and what the filter keeps."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
import xarray as xr
from affine import Affine

from eolab.catalog import load
from eolab.catalog.cube.radar import speckle_filter, to_decibels
from eolab.errors import InvalidInputError

SHAPE = (40, 50)
TRANSFORM = [10.0, 0.0, 500_000.0, 0.0, -10.0, 5_400_000.0]
RING = [[15, 48.73], [15.01, 48.73], [15.01, 48.76], [15, 48.76], [15, 48.73]]


@pytest.fixture
def scene(tmp_path):
    def make(power, state, number, hour, kind="RTC", collection="sentinel-1-rtc"):
        item = pystac.Item(
            f"S1A_{state}_{number}_{hour}",
            {"type": "Polygon", "coordinates": [RING]},
            [15, 48.73, 15.01, 48.76],
            datetime(2022, 6, 1, hour, tzinfo=UTC),
            {
                "platform": "sentinel-1a",
                "sar:instrument_mode": "IW",
                "sar:product_type": kind,
                "sat:orbit_state": state,
                "sat:relative_orbit": number,
                "proj:code": "EPSG:32633",
                "proj:transform": TRANSFORM,
                "proj:shape": list(SHAPE),
            },
            collection=collection,
        )
        path = tmp_path / f"{item.id}.tif"
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": float("nan")}
        with rasterio.open(
            path,
            "w",
            width=SHAPE[1],
            height=SHAPE[0],
            crs="EPSG:32633",
            transform=Affine(*TRANSFORM),
            **profile,
        ) as file:
            file.write(np.full(SHAPE, power, np.float32), 1)
        item.add_asset("vv", pystac.Asset(str(path), media_type="image/tiff"))
        return item

    return make


def test_two_orbits_of_one_day_are_two_slices(scene):
    items = [scene(0.2, "ascending", 117, 17), scene(0.05, "descending", 22, 5)]
    cube = load(items, bands=["vv"], native=True)
    assert cube.sizes["time"] == 2
    assert cube.orbit_state.to_numpy().tolist() == ["descending", "ascending"]
    assert cube.vv.mean(("y", "x")).to_numpy() == pytest.approx([0.05, 0.2])
    import odc.stac

    # The naive mosaic of the day is one slice of whichever came first.
    naive = odc.stac.load(items, bands=["vv"], like=cube, groupby="solar_day")
    assert naive.sizes["time"] == 1


def test_radar_without_terrain_correction_is_refused(scene):
    item = scene(0.2, "ascending", 117, 17, kind="GRD", collection="sentinel-1-grd")
    with pytest.raises(InvalidInputError, match="not corrected for the terrain") as error:
        load([item], bands=["vv"], native=True)
    assert "sentinel-1-rtc" in error.value.hint


def make_cube(dates=12, seed=0):
    """A step in the ground, seen with fully developed speckle of four looks."""
    rng = np.random.default_rng(seed)
    truth = np.where(np.arange(60) < 30, 0.05, 0.2)[None, None] * np.ones((dates, 50, 60))
    speckle = rng.gamma(4, 1 / 4, truth.shape)
    time = pd.date_range("2022-01-01", periods=dates, freq="12D")
    data = (("time", "y", "x"), (truth * speckle).astype(np.float32))
    return xr.Dataset({"vv": data}, coords={"time": time}), truth


def test_the_filter_takes_speckle_and_keeps_the_mean():
    cube, truth = make_cube()
    out = speckle_filter(cube).vv.data
    inside = np.s_[:, 5:-5, 5:24]
    before = (cube.vv.data / truth)[inside]
    after = (out / truth)[inside]
    assert after.mean() == pytest.approx(1, abs=0.03)
    # Equivalent number of looks: mean squared over variance.
    looks = [v.mean() ** 2 / v.var() for v in (before, after)]
    assert looks[0] == pytest.approx(4, rel=0.1)
    assert looks[1] > 5 * looks[0]


def test_the_filter_follows_its_formula_and_leaves_gaps():
    cube, _ = make_cube(dates=3)
    values = cube.vv.data.astype(float)
    y, x, w = 20, 33, 2
    means = values[:, y - w : y + w + 1, x - w : x + w + 1].mean(axis=(1, 2))
    expected = means[1] * (values[:, y, x] / means).mean()
    assert speckle_filter(cube, window=5).vv.data[1, y, x] == pytest.approx(expected, rel=1e-5)
    cube["vv"][1, y, x] = np.nan
    out = speckle_filter(cube, window=5).vv.data
    assert np.isnan(out[1, y, x])
    assert np.isfinite(out[0, y, x])


def test_decibels_are_the_last_step():
    cube, _ = make_cube(dates=2)
    cube["vv"][0, 0, 0] = 0
    db = cube.eo.decibels() if hasattr(cube, "eo") else to_decibels(cube)
    np.testing.assert_allclose(db.vv.data[1], 10 * np.log10(cube.vv.data[1]), rtol=1e-5)
    assert np.isnan(db.vv.data[0, 0, 0])
    with pytest.raises(InvalidInputError, match="already"):
        to_decibels(db)
    with pytest.raises(InvalidInputError, match="decibels"):
        speckle_filter(db)


def test_decibels_leave_counts_alone_and_stay_lazy():
    cube, _ = make_cube(dates=2)
    count = np.isnan(cube.vv).astype("int16")
    db = to_decibels(cube.chunk({"y": 8}).assign(count=count, angle=cube.vv + 30))
    assert db.vv.chunks is not None
    assert db["count"].dtype == "int16"
    np.testing.assert_array_equal(db.angle, cube.vv + 30)
    np.testing.assert_array_equal(db.vv, to_decibels(cube).vv)


def test_orbits_are_not_mixed_in_the_filter():
    cube, _ = make_cube(dates=4)
    cube = cube.assign_coords(relative_orbit=("time", ["22", "117", "22", "117"]))
    with pytest.raises(InvalidInputError, match="2 orbits"):
        speckle_filter(cube)
    one = cube.where(cube.relative_orbit == "22", drop=True)
    assert speckle_filter(one).sizes["time"] == 2
