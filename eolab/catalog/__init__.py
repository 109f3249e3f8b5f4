"""Find scenes and load them as cubes.

items = open_source(config, "sample").search(datetime="2021-04/2021-09", max_cloud=60)
cube = load(items, bands=["red", "nir"], crs="EPSG:32633", mask=mask(["cloud", "shadow"]))
"""

from __future__ import annotations

from eolab.catalog.clear import clear_fraction
from eolab.catalog.cube import load
from eolab.catalog.downloading import Downloaded, download
from eolab.catalog.ingestion import Ingested, ingest
from eolab.catalog.masks import Mask, mask
from eolab.catalog.opening import open_source
from eolab.catalog.pictures import explore_items as explore
from eolab.catalog.planning import Plan, plan
from eolab.catalog.resolve import resolve_duplicates
from eolab.catalog.sources import Skipped, Source

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
