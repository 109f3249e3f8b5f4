"""One raster of a user's, as its file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from eolab.catalog.ingestion.file_names import DateOrigin, Name


class RasterWriter(Protocol):
    """Writes a raster as a GeoTIFF; by the user's own nodata, where it is given, not the file's."""

    def __call__(self, target: Path, given: float | None = None) -> None: ...


@dataclass(frozen=True)
class Raster:
    """One raster: a file, or a variable or time step of one.

    Attributes:
        path: The file or Zarr store.
        address: How GDAL opens it.
        name: To which item it belongs, as which asset.
        crs: Code, or WKT where it has none.
        transform: Six numbers of the affine transform.
        shape: Rows and columns.
        bands: As STAC lists them.
        time: Acquisition, UTC.
        time_from: Where it was found.
        properties: More of the item.
        write: Writes it as a GeoTIFF, where GDAL cannot open it by an address.
    """

    path: Path
    address: str
    name: Name
    crs: str
    transform: list[float]
    shape: list[int]
    bands: list[dict[str, object]]
    time: datetime
    time_from: DateOrigin
    properties: Mapping[str, object] = field(default_factory=dict)
    write: RasterWriter | None = None

    @property
    def pixel(self) -> float:
        """Pixel size in units of the reference system."""
        return abs(self.transform[0])
