"""What rows can be made of a cube: one set of methods, wherever they are carried out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import geopandas as gpd

Rows = TypeVar("Rows")


class Extraction(ABC, Generic[Rows]):
    """Rows of a cube, the same for every implementation but for their order and their frame."""

    def zonal(
        self,
        zones: gpd.GeoDataFrame,
        *,
        id: str = "parcel_id",
        stats: Sequence[str] = ("median",),
        buffer: float = 0.0,
        min_pixels: float = 1,
    ) -> Rows:
        """Statistics by zone and date (see `eolab.features.extract.points_and_pixels.zonal`)."""
        return self._zonal(zones, id, stats, buffer, min_pixels)

    def pixels(
        self,
        labels: gpd.GeoDataFrame,
        *,
        columns: Sequence[str] = (),
        stratify: str | None = None,
        per_class: int = 1000,
    ) -> Rows:
        """Pixels inside labelled shapes (see `eolab.features.extract.points_and_pixels.pixels`)."""
        return self._pixels(labels, columns, stratify, per_class)

    def sample(
        self, points: gpd.GeoDataFrame, *, id: str = "point_id", columns: Sequence[str] = ()
    ) -> Rows:
        """The pixel under each point, by date (see `eolab.features.extract.points_and_pixels`)."""
        return self._sample(points, id, columns)

    @abstractmethod
    def _zonal(
        self,
        zones: gpd.GeoDataFrame,
        id: str,
        stats: Sequence[str],
        buffer: float,
        min_pixels: float,
    ) -> Rows: ...

    @abstractmethod
    def _pixels(
        self,
        labels: gpd.GeoDataFrame,
        columns: Sequence[str],
        stratify: str | None,
        per_class: int,
    ) -> Rows: ...

    @abstractmethod
    def _sample(self, points: gpd.GeoDataFrame, id: str, columns: Sequence[str]) -> Rows: ...
