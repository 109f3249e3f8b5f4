"""Find scenes and load them as cubes.

items = open_source(config, "sample").search(datetime="2021-04/2021-09", max_cloud=60)
cube = load(items, bands=["red", "nir"], crs="EPSG:32633", mask=mask(["cloud", "shadow"]))
"""

from __future__ import annotations

from eolab.catalog.cube.clear_fraction import clear_fraction
from eolab.catalog.cube.load import load
from eolab.catalog.cube.plan import LoadEstimate, estimate_load
from eolab.catalog.cube.plots import explore_items as explore
from eolab.catalog.downloads.files import DownloadResult, download
from eolab.catalog.ingestion.collection import IngestResult, ingest
from eolab.catalog.ingestion.preview import IngestPreview, preview_ingest
from eolab.catalog.items.duplicates import resolve_duplicates
from eolab.catalog.items.quality_masks import Mask, mask
from eolab.catalog.sources.base import Skipped, Source
from eolab.catalog.sources.open import open_source
from eolab.deprecation import old_names

__all__ = [
    "DownloadResult",
    "IngestPreview",
    "IngestResult",
    "LoadEstimate",
    "Mask",
    "Skipped",
    "Source",
    "clear_fraction",
    "download",
    "estimate_load",
    "explore",
    "ingest",
    "load",
    "mask",
    "open_source",
    "preview_ingest",
    "resolve_duplicates",
]

__getattr__ = old_names(
    __name__,
    {
        "Downloaded": "DownloadResult",
        "Ingested": "IngestResult",
        "Plan": "LoadEstimate",
        "plan": "estimate_load",
    },
)
