"""Small stores with known contents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eolab.features import FeatureStore


@pytest.fixture
def store(config):
    return FeatureStore(config)


@pytest.fixture
def at():
    """A day as a time stamp in UTC."""
    return lambda day: pd.Timestamp(day, tz="UTC")


@pytest.fixture
def parcels(store, at):
    """200 parcels in a 20 km square of UTM 33N: polygons with a crop, seen at the season's end."""
    import geopandas as gpd
    import shapely

    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 20_000, (200, 2)) + np.array([500_000, 5_000_000])
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": np.arange(200),
            "crop": rng.choice(["maize", "rape", "wheat"], 200, p=[0.2, 0.3, 0.5]),
            "district": np.where(corners[:, 0] > 510_000, "east", "west"),
            "observed": at("2024-10-31"),
        },
        geometry=[shapely.box(x, y, x + 80, y + 60) for x, y in corners],
        crs="EPSG:32633",
    )
    group = store.create_feature_group("truth", primary_key=["parcel_id"], event_time="observed")
    group.insert(frame)
    return group


@pytest.fixture
def spectra(store, at):
    """NDVI of the parcels every 20 days from 5 March: parcel + number of the date / 100."""
    days = [at("2024-03-05") + pd.Timedelta(days=20 * k) for k in range(12)]
    rows = pd.DataFrame(
        {
            "parcel_id": np.repeat(np.arange(200), 12),
            "time": np.tile(np.array(days, dtype=object), 200),
            "ndvi": (np.arange(200)[:, None] + np.arange(12) / 100).ravel(),
        }
    )
    rows["time"] = pd.to_datetime(rows["time"], utc=True)
    group = store.create_feature_group("spectra", primary_key=["parcel_id"], event_time="time")
    group.insert(rows)
    return group
