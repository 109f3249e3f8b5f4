"""What the sample's collections and its season are called."""

from __future__ import annotations

from datetime import UTC, datetime

from eolab.catalog.simulate.seasons import YEAR

COLLECTION = "sentinel-2-l2a-simulated"
RADAR = "sentinel-1-rtc-simulated"
SEASON = str(YEAR)  # the season that `parcels.parquet` tells of, as a search writes it
SEASON_END = datetime(YEAR, 10, 31, tzinfo=UTC)
