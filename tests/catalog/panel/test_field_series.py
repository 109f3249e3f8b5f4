"""What the search tab shows of one place, against the same sums by other means."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
import xarray as xr

import eolab as eo
from eolab.catalog import clear_fraction
from eolab.catalog.items.spectral_indices import bands_for, compute, offered
from eolab.catalog.panel import field_series
from eolab.catalog.panel import search as finding
from eolab.catalog.panel.previews import picture, read_small
from eolab.catalog.simulate.names import COLLECTION
from eolab.catalog.sources.open import open_source
from eolab.errors import InvalidInputError, NotFoundError
from eolab.settings.config import CatalogConfig

AREA = shapely.box(11.99, 48.60, 11.995, 48.603)
GEOMETRY = json.loads(shapely.to_geojson(AREA))


@pytest.fixture
def configured(config, sample):
    return replace(config, catalogs={"mine": CatalogConfig("mine", str(sample))})


@pytest.fixture
def items(configured):
    return open_source(configured, "mine").search([COLLECTION], intersects=GEOMETRY)


def test_the_curve_is_the_mean_of_clear_pixels(configured, items):
    body = field_series.curve(configured, "mine", collection=COLLECTION, geometry=GEOMETRY)
    assert body["masked"] is True
    assert body["simulated"] is True
    assert not body["older"]
    cube = eo.load(
        items, bands=["red", "nir"], intersects=GEOMETRY, mask=eo.mask(drop=["cloud", "shadow"])
    )
    ndvi = (cube["nir"] - cube["red"]) / (cube["nir"] + cube["red"])
    by_date = {
        str(np.datetime_as_string(t, unit="D")): float(ndvi.sel(time=t).mean())
        for t in ndvi["time"].to_numpy()
    }
    assert len(body["points"]) + body["cloudy"] == len(by_date)
    assert len(body["points"]) >= 5
    for point in body["points"]:
        assert point["value"] == pytest.approx(by_date[point["date"]], abs=1e-4)
        assert point["valid"] >= field_series.CLEAR


def test_a_large_area_is_read_coarsely_and_means_the_same(configured):
    whole = json.loads(shapely.to_geojson(shapely.box(11.95, 48.585, 12.05, 48.615)))
    body = field_series.curve(configured, "mine", collection=COLLECTION, geometry=whole)
    assert 0 < body["pixels"] <= field_series.SIZE**2
    fine = open_source(configured, "mine").search([COLLECTION], intersects=whole)
    cube = eo.load(
        fine, bands=["red", "nir"], intersects=whole, mask=eo.mask(drop=["cloud", "shadow"])
    )
    ndvi = xr.DataArray((cube["nir"] - cube["red"]) / (cube["nir"] + cube["red"]))
    first = body["points"][0]
    exact = float(ndvi.sel(time=first["date"]).mean())
    assert first["value"] == pytest.approx(exact, abs=0.02)


def test_a_curve_of_nothing_is_refused(configured):
    far = json.loads(shapely.to_geojson(shapely.box(0, 0, 1, 1)))
    with pytest.raises(NotFoundError, match="no scene"):
        field_series.curve(configured, "mine", collection=COLLECTION, geometry=far)
    tiny = json.loads(shapely.to_geojson(shapely.box(11.99, 48.6, 11.990001, 48.600001)))
    with pytest.raises(InvalidInputError, match=r"no pixel|empty"):
        field_series.curve(configured, "mine", collection=COLLECTION, geometry=tiny)


def test_the_calendar_has_one_line_an_overpass(configured, items):
    body = field_series.calendar(configured, "mine", collection=COLLECTION, geometry=GEOMETRY)
    table = clear_fraction(items, intersects=GEOMETRY, size=field_series.SIZE)
    assert len(body["passes"]) == len(table)
    assert [row["date"] for row in body["passes"]] == [f"{t:%Y-%m-%d}" for t in table["time"]]
    for row, clear in zip(body["passes"], table["clear"], strict=True):
        assert row["valid"] == pytest.approx(clear)
        assert row["orbit"] in (22, 65)
        assert row["baseline"]
    assert body["reason"] == ""


def test_an_index_is_what_its_formula_says():
    red, nir = np.float32([[0.1, 0.0]]), np.float32([[0.5, 0.0]])
    values = compute("ndvi", {"R": red, "N": nir})
    assert values[0, 0] == pytest.approx(0.4 / 0.6)
    assert np.isnan(values[0, 1])
    # A constant that nobody names is as published: EVI's 2.5, 6, 7.5 and 1.
    blue = np.float32([[0.05, 0.05]])
    evi = compute("EVI", {"R": red, "N": nir, "B": blue})
    assert evi[0, 0] == pytest.approx(2.5 * 0.4 / (0.5 + 6 * 0.1 - 7.5 * 0.05 + 1))
    assert bands_for("NDVI", ["red", "nir08"]) == {"N": "nir08", "R": "red"}
    assert offered(["red", "nir"])[0] == "NDVI"
    assert "EVI" not in offered(["red", "nir"])
    with pytest.raises(InvalidInputError, match="swir16"):
        bands_for("NDMI", ["red", "nir"])


def test_a_picture_of_an_index_follows_its_limits(items):
    from eolab.catalog.items.bands import find_band
    from eolab.catalog.items.parsed import parse_item

    item = next(iter(items))
    made = picture(item, index="NDVI", size=64, cmap="viridis")
    parsed = parse_item(item)
    red, nir = (read_small(parsed, find_band(parsed, name), 64) for name in ("red", "nir"))
    with np.errstate(invalid="ignore", divide="ignore"):
        ndvi = (nir - red) / (nir + red)
    clear = ~np.isin(read_small(parsed, find_band(parsed, "SCL"), 64), (3, 8, 9, 10))
    low, high = np.nanpercentile(ndvi[np.isfinite(ndvi) & clear], (2, 98))
    assert (made.low, made.high) == pytest.approx((low, high), abs=1e-5)
    locked = picture(item, index="NDVI", size=64, stretch=(made.low, made.high))
    assert locked.png == made.png


def test_footprints_are_rings_in_degrees_and_the_newest_come_first(configured):
    body = finding.found(configured, "mine", collection=COLLECTION, limit=10)
    assert body["matched"] == 36
    times = [item["datetime"] for item in body["items"]]
    assert len(times) == 10
    assert times == sorted(times, reverse=True)
    source = open_source(configured, "mine")
    for row in body["items"]:
        item = source.item(COLLECTION, row["id"])
        assert shapely.Polygon(np.reshape(row["rings"][0], (-1, 2))).equals_exact(
            shapely.geometry.shape(item.geometry), 2e-5
        )
    assert sum(count for _, count in body["histogram"]["bins"]) == 36
    json.dumps(body, allow_nan=False)
    detail = finding.detail(configured, "mine", COLLECTION, body["items"][0]["id"])
    assert detail["mask"] is True
    assert detail["indices"][0] == "NDVI"
    red = next(band for band in detail["bands"] if band["common"] == "red")
    assert red["scale"] == pytest.approx(1e-4)
    json.dumps(detail, allow_nan=False)
    radar = finding.found(configured, "mine", text="sentinel-1", limit=1)["items"][0]
    told = finding.detail(configured, "mine", radar["collection"], radar["id"])
    assert told["mask"] is False  # its mask knows nothing of clouds
    assert told["indices"] == []
