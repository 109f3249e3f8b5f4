"""stac-geoparquet files: one row an item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.query import Query
from eolab.catalog.sources import Source, as_items
from eolab.errors import BadInput, NotFound

if TYPE_CHECKING:
    import pystac


class GeoParquetSource(Source):
    """A stac-geoparquet file."""

    @property
    def kind(self) -> str:
        return "geoparquet"

    def collections(self) -> list[pystac.Collection]:
        """Collections made up from the items: their ids, boxes and times."""
        import pystac

        from eolab.catalog.query import item_time

        grouped: dict[str, list[pystac.Item]] = {}
        for item in self._candidates(Query()):
            grouped.setdefault(item.collection_id or Path(self.url).stem, []).append(item)
        made = []
        for name, items in sorted(grouped.items()):
            boxes = [item.bbox for item in items if item.bbox]
            times = [t for item in items for t in item_time(item) if t is not None]
            extent = pystac.Extent(
                pystac.SpatialExtent(
                    [
                        [
                            min(b[0] for b in boxes),
                            min(b[1] for b in boxes),
                            max(b[2] for b in boxes),
                            max(b[3] for b in boxes),
                        ]
                    ]
                    if boxes
                    else [[-180.0, -90.0, 180.0, 90.0]]
                ),
                pystac.TemporalExtent([[min(times, default=None), max(times, default=None)]]),
            )
            keywords = ["simulated"] if items[0].properties.get("eolab:simulated") else None
            made.append(pystac.Collection(name, f"Items of {self.url}", extent, keywords=keywords))
        return made

    def _candidates(self, query: Query) -> Iterator[pystac.Item]:
        del query
        self.skipped = []
        import pyarrow as pa
        import pyarrow.parquet as pq
        from stac_geoparquet.arrow import stac_table_to_items

        if not Path(self.url).is_file():
            raise NotFound(f"{self.url} is not there", "Check the path.")
        try:
            documents = stac_table_to_items(pq.read_table(self.url))
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise BadInput(
                f"{self.url} is no stac-geoparquet file: {error}", "Write one: items -> parquet."
            ) from error
        return as_items(((f"{self.url}#{d.get('id')}", d) for d in documents), self)
