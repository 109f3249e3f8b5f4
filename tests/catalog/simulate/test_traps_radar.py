"""The trap course of radar and of the second season: the naive way fails, ours does not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import odc.stac
import pandas as pd
import pytest
from rasterio.features import rasterize

from eolab.catalog import load, mask
from eolab.catalog.cube.radar import speckle_filter, to_decibels, trim_border
from eolab.catalog.simulate.names import COLLECTION, RADAR
from eolab.errors import InvalidInputError

DAY = "2021-06-14"


@pytest.fixture(scope="module")
def looks(sample_source):
    return sample_source.search(RADAR, datetime="2021")


@pytest.fixture(scope="module")
def cube(looks):
    return load(looks, bands=["vv", "vh"], mask=mask(["layover", "shadow"]))


@pytest.fixture(scope="module")
def truth(sample):
    table = pd.read_parquet(sample / "truth-radar.parquet")
    return table.set_index(["day", "relative_orbit", "parcel_id"])


def medians(image, grid, frame) -> pd.Series:
    """Mean power of an image by parcel: speckle leaves the mean as it is."""
    shapes = frame.to_crs(grid.crs.to_epsg()).buffer(-25)
    zones = rasterize(
        ((s, k) for k, s in enumerate(shapes, 1) if not s.is_empty),
        out_shape=image.shape,
        transform=grid.transform,
    )
    values = pd.Series(image[zones > 0]).groupby(zones[zones > 0])
    means = values.mean().where(values.count() >= 12)
    return means.reindex(range(1, len(frame) + 1)).set_axis(list(frame["parcel_id"]))


@pytest.fixture(scope="module")
def parcels(sample):
    return gpd.read_parquet(sample / "parcels.parquet")


def error(image, cube, parcels, truth, orbit, day=DAY) -> pd.Series:
    """Decibels between the seen and the true mean of each parcel."""
    seen = medians(image, cube.odc.geobox, parcels)
    return 10 * np.log10(seen / truth.loc[(day, orbit), "vv"])


def test_a_look_of_one_orbit_is_true(cube, parcels, truth):
    for orbit in (117, 95):
        (image,) = cube.vv.sel(time=DAY).where(cube.relative_orbit == str(orbit), drop=True).data
        found = error(image, cube, parcels, truth, orbit).dropna()
        assert len(found) > 100
        assert abs(found.median()) < 0.15
        assert found.abs().quantile(0.9) < 1


def test_two_orbits_of_one_day(looks, cube, parcels, truth):
    """A mosaic by day takes pixels of both: a step where one swath ends, none of it real."""
    day = [item for item in looks if item.datetime.date().isoformat() == DAY]
    assert len(day) == 2
    naive = odc.stac.load(day, bands=["vv"], like=cube.odc.geobox, groupby="solar_day")
    assert naive.sizes["time"] == 1
    ours = cube.vv.sel(time=DAY)
    assert ours.sizes["time"] == 2
    assert sorted(ours.relative_orbit.to_numpy().tolist()) == ["117", "95"]
    # What differs between the orbits by their angles alone is more than half a decibel.
    steep = truth.loc[(DAY, 117), "vv"] / truth.loc[(DAY, 95), "vv"]
    assert 10 * np.log10(steep).median() > 0.5
    # The naive image says one look and is two: of one orbit as far as its swath goes, then of the
    # other. What it says of the fields is a decibel off from the look whose time it does not have.
    image = naive.vv.isel(time=0).to_numpy()
    bare = load(day, bands=["vv"])
    looks_of = dict(zip(bare.relative_orbit.to_numpy(), bare.vv.to_numpy(), strict=True))
    shares = {orbit: float((image == look).mean()) for orbit, look in looks_of.items()}
    assert min(shares.values()) > 0.05
    assert sum(shares.values()) > 0.99
    other = min(shares, key=lambda orbit: shares[orbit])
    found = error(image, cube, parcels, truth, int(other))
    (own,) = ours.where(ours.relative_orbit == other, drop=True).to_numpy()
    right = error(own, cube, parcels, truth, int(other))
    assert found.abs().median() > 2 * right.abs().median()
    with pytest.raises(InvalidInputError, match="2 orbits"):
        speckle_filter(cube)


def test_border_noise(looks, cube):
    descending = cube.where(cube.relative_orbit == "95", drop=True)
    noise = 10 * np.log10(descending.vv) < -28
    # Nodata it is not: who takes everything finite for ground finds dark water there.
    assert noise.any(dim=("y", "x")).all()
    trimmed = trim_border(descending)
    assert float((10 * np.log10(trimmed.vv) < -28).sum()) == 0
    lost = np.isfinite(descending.vv).sum() - np.isfinite(trimmed.vv).sum()
    assert int(noise.sum()) <= int(lost) < 1.5 * int(noise.sum())
    ascending = cube.where(cube.relative_orbit == "117", drop=True)
    assert trim_border(ascending).vv.equals(ascending.vv)  # nothing to trim, nothing lost
    with pytest.raises(InvalidInputError, match="decibels"):
        trim_border(to_decibels(ascending))


def test_dark_water_inside_the_image_stays(cube):
    one = cube.where(cube.relative_orbit == "95", drop=True).isel(time=[0]).copy(deep=True)
    one["vv"][0, 80:120, 100:160] = 10**-3.6
    trimmed = trim_border(one)
    assert np.isfinite(trimmed.vv.data[0, 80:120, 100:160]).all()


def test_layover_is_masked_where_each_orbit_has_it(looks, cube):
    bare = load(looks, bands=["vv", "vh"])
    hidden = np.isfinite(bare.vv) & ~np.isfinite(cube.vv)
    places = {}
    for orbit in ("117", "95"):
        at = hidden.where(hidden.relative_orbit == orbit, drop=True).isel(time=0).astype(bool)
        inside = bare.vv.where(bare.relative_orbit == orbit, drop=True).isel(time=0).data
        bright = inside[at.data]
        # Layover is far brighter than any field, its shadow far darker.
        assert np.quantile(bright, 0.75) > 4 * np.nanmedian(inside)
        assert np.quantile(bright, 0.25) < 0.3 * np.nanmedian(inside)
        places[orbit] = np.nonzero(bright > 3 * np.nanmedian(inside))[0].size
        assert places[orbit] > 50
    with pytest.raises(InvalidInputError, match="cloud"):
        load(looks, bands=["vv"], mask=mask(["cloud"]))


def test_the_filter_comes_nearer_to_the_truth(cube, parcels, truth):
    one = cube.where(cube.relative_orbit == "117", drop=True)
    filtered = speckle_filter(one, window=5)
    field = np.s_[0, 90:120, 60:400]
    assert np.nanstd(filtered.vv.data[field]) < np.nanstd(one.vv.data[field])
    image = filtered.vv.sel(time=DAY).data[0]
    assert abs(error(image, one, parcels, truth, 117).median()) < 0.2


def test_the_second_season_is_another_year_on_the_same_fields(sample, sample_source, parcels):
    after = gpd.read_parquet(sample / "parcels-2022.parquet")
    assert (after["parcel_id"] == parcels["parcel_id"]).all()
    assert after.geometry.geom_equals(parcels.geometry).all()
    assert (after["crop"] != parcels["crop"]).mean() > 0.6
    truth = pd.read_parquet(sample / "truth-2022.parquet")
    before = pd.read_parquet(sample / "truth.parquet")
    meadow = before["crop"] == "grassland"
    assert (truth.loc[meadow, "crop"] == "grassland").all()
    late = (
        truth.groupby("crop")["sowing_day"].median() - before.groupby("crop")["sowing_day"].median()
    )
    assert 5 < late.median() < 13
    items = sample_source.search(COLLECTION, datetime="2022")
    cube = load(items, bands=["red", "nir"], crs="EPSG:32633", mask=mask(dilate=60))
    assert cube.sizes["time"] == 5
    ndvi = (cube.nir - cube.red) / (cube.nir + cube.red)
    for image, time in zip(ndvi.transpose("time", "y", "x").data, cube.time.values, strict=True):
        seen = medians(image, cube.odc.geobox, parcels)
        wrong = (
            seen - truth.set_index("parcel_id")[f"ndvi_{str(time)[:10].replace('-', '')}"]
        ).abs()
        assert wrong.median() < 0.03


def test_radar_items_say_what_the_files_say(looks):
    import rasterio

    item = looks[0]
    assert any("/sar/" in name for name in item.stac_extensions)
    assert any("/sat/" in name for name in item.stac_extensions)
    for name in ("vv", "vh", "mask"):
        asset = item.assets[name]
        with rasterio.open(asset.href) as file:
            assert list(file.transform)[:6] == asset.extra_fields["proj:transform"]
            assert list(file.shape) == asset.extra_fields["proj:shape"]
            assert file.dtypes[0] == asset.extra_fields["data_type"]
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
