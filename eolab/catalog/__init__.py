"""Find scenes and load them as cubes.

items = open_source(config, "sample").search(datetime="2021-04/2021-09", max_cloud=60)
cube = load(items, bands=["red", "nir"], crs="EPSG:32633", mask=mask(["cloud", "shadow"]))
"""

from __future__ import annotations

from eolab.catalog.cube.clear_fraction import clear_fraction
from eolab.catalog.cube.load import load
from eolab.catalog.cube.plan import Plan, plan
from eolab.catalog.cube.plots import explore_items as explore
from eolab.catalog.downloads.files import Downloaded, download
from eolab.catalog.ingestion.collection import Ingested, ingest
from eolab.catalog.items.duplicates import resolve_duplicates
from eolab.catalog.items.quality_masks import Mask, mask
from eolab.catalog.sources.base import Skipped, Source
from eolab.catalog.sources.open import open_source

__all__ = [
    "Downloaded",
    "Ingested",
    "Mask",
    "Plan",
    "Skipped",
    "Source",
    "clear_fraction",
    "download",
    "explore",
    "ingest",
    "load",
    "mask",
    "open_source",
    "plan",
    "resolve_duplicates",
]
