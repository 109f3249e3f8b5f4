"""The trap course: for each trap the naive way fails and ours does not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import odc.stac
import pandas as pd
import pytest
from rasterio.features import rasterize

from eolab.catalog import load, mask
from eolab.catalog.items.duplicates import resolve_duplicates
from eolab.catalog.simulate.names import COLLECTION, SEASON

CRS = "EPSG:32633"


@pytest.fixture(scope="module")
def truth(sample):
    return pd.read_parquet(sample / "truth.parquet").set_index("parcel_id")


@pytest.fixture(scope="module")
def parcels(sample):
    frame = gpd.read_parquet(sample / "parcels.parquet").to_crs(CRS)
    return frame.set_geometry(frame.buffer(-15)).set_index("parcel_id")


def by_parcel(image, transform, parcels) -> pd.Series:
    """Median of an image (y, x) by parcel; NaN where fewer than 10 pixels are known."""
    zones = rasterize(
        zip(parcels.geometry, range(1, len(parcels) + 1), strict=True),
        out_shape=image.shape,
        transform=transform,
    )
    values = pd.Series(image[zones > 0]).groupby(zones[zones > 0])
    medians = values.median().where(values.count() >= 10)
    return medians.reindex(range(1, len(parcels) + 1)).set_axis(parcels.index)


def ndvi_error(cube, parcels, truth) -> pd.DataFrame:
    """Absolute error of NDVI by parcel (rows) and date (columns)."""
    ndvi = ((cube.nir - cube.red) / (cube.nir + cube.red)).transpose("time", "y", "x").data
    columns = {}
    for image, time in zip(ndvi, cube.time.values, strict=True):
        day = str(time)[:10].replace("-", "")
        seen = by_parcel(image, cube.odc.geobox.transform, parcels)
        columns[day] = (seen - truth[f"ndvi_{day}"]).abs()
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def ours(sample_source):
    items = sample_source.search(COLLECTION, datetime=SEASON, max_cloud=60)
    return load(items, bands=["red", "nir"], crs=CRS, mask=mask(["cloud", "shadow"], dilate=60))


def naive(items, **options):
    """What a tutorial does: load, divide by 10,000."""
    cube = odc.stac.load(items, bands=["B04", "B08"], crs=CRS, resolution=10, **options)
    cube = cube.rename(B04="red", B08="nir").astype("float32")
    return cube.where(cube > 0) / 10_000


def test_our_cube_is_true_on_every_date(ours, parcels, truth):
    errors = ndvi_error(ours, parcels, truth)
    assert list(errors.columns) == [
        c.removeprefix("ndvi_") for c in truth if c.startswith("ndvi_") and c != "ndvi_20210617"
    ]
    assert errors.median().max() < 0.02
    assert errors.quantile(0.95).max() < 0.05
    assert (errors.notna().mean() > 0.2).all()


def test_offset_on_half_of_the_dates(sample_items, ours, parcels, truth):
    kept = resolve_duplicates(sample_items).items
    offset = ["20210410", "20210423", "20210520", "20210704", "20210717", "20210902"]
    items = [i for i in kept if i.id.split("_")[3] in offset and i.properties["proj:code"] == CRS]
    wrong = ndvi_error(naive(items), parcels, truth).median()
    assert (wrong > 0.05).all()
    right = ndvi_error(ours, parcels, truth).median()
    assert (right[offset] < wrong / 4).all()


def test_an_offset_that_was_applied_already(sample_items, ours, parcels, truth):
    items = [i for i in sample_items if "20210602" in i.id and i.properties["proj:code"] == CRS]
    assert items[0].assets["B04"].extra_fields["raster:offset"] == -0.1
    twice = ndvi_error(naive(items) - 0.1, parcels, truth)["20210602"].median()
    assert twice > 0.2
    assert ndvi_error(ours, parcels, truth)["20210602"].median() < 0.02


def test_duplicate_item_of_another_baseline(sample_items, ours):
    both = [i for i in sample_items if "20210520" in i.id]
    assert len(both) == 4
    # One instant, two products: the naive mosaic takes the first of them, the misplaced old one.
    first = naive([i for i in both if i.properties["proj:code"] == CRS], groupby="solar_day")
    old = naive([i for i in both if i.id.endswith("33UTP_20210520_N0300")])
    assert np.array_equal(first.red, old.red, equal_nan=True)
    resolved = resolve_duplicates(sample_items)
    assert {d.item[-5:] for d in resolved.dropped} == {"N0300"}
    assert len(resolved.items) == 24
    assert "N0300" not in " ".join(ours.item_id.values)
    assert "older processing baseline" in ours.attrs["eolab_dropped"]


def test_two_utm_zones_are_one_overpass(sample_items, ours):
    items = [i for i in sample_items if "20210806" in i.id]
    assert odc.stac.load(items, bands=["B04"], crs=CRS, resolution=60).sizes["time"] == 2
    assert ours.sizes["time"] == 11
    # By default the first item's zone counts; ours is the one that covers most.
    east = load(items, bands=["red"], resolution=60, bbox=(12.03, 48.58, 12.07, 48.62))
    west = load(items, bands=["red"], resolution=60, bbox=(11.93, 48.58, 11.97, 48.62))
    assert (east.odc.geobox.crs.epsg, west.odc.geobox.crs.epsg) == (32633, 32632)
    assert np.isfinite(ours.red.sel(time="2021-08-06").values).mean() > 0.85


def test_clouds_and_shadows(sample_items, parcels, truth, ours):
    day = "20210717"
    items = [i for i in resolve_duplicates(sample_items).items if day in i.id]
    cloudy = ndvi_error(load(items, bands=["red", "nir"], crs=CRS), parcels, truth)[day]
    flagged = ndvi_error(load(items, bands=["red", "nir"], crs=CRS, mask=mask()), parcels, truth)[
        day
    ]
    grown = ndvi_error(ours, parcels, truth)[day]
    assert cloudy.quantile(0.9) > 0.2
    # The classification misses the thin edges; growing it catches them.
    assert grown.quantile(0.97) < flagged.quantile(0.97) < cloudy.quantile(0.97)
    assert grown.max() < 0.1


def test_the_nodata_edge_is_unknown_not_dark(sample_items):
    items = [i for i in sample_items if i.id.startswith("SIM_S2B_32UQU_20210410")]
    cube = load(items, bands=["red"], native=True)
    raw = load(items, bands=["red"], native=True, raw=True)
    edge = raw.red.data == 0
    assert 0.02 < edge.mean() < 0.3
    assert np.isnan(cube.red.data[edge]).all()
    assert np.isfinite(cube.red.data[~edge]).all()
    # Scaled before nodata is taken out, the edge would be a reflectance of -0.1.
    assert (raw.red.data[edge] * 0.0001 - 0.1 < 0).all()
    assert cube.red.min() > 0
