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
        """Statistics of each zone by date, pixels weighted by the share of them that lies in it.

        Args:
            zones: Polygons with a CRS.
            id: Column that names a zone.
            stats: "mean", "median", "min", "max", "std", "sum", "q25" (any quantile), ...
            buffer: Metres by which zones grow; negative shrinks them, away from mixed pixels.
            min_pixels: Rows with fewer clear pixels are left out.

        Returns:
            One row per zone and date: ``id``, ``time`` (UTC), ``<band>_<stat>``, ``count`` (pixels
            clear in all bands), ``clear`` (their share of the zone, 0..1).

        Raises:
            InvalidInputError: No CRS, unknown column or statistic, no zone inside the cube.

        Example:
            >>> rows = cube.eo.zonal(parcels, stats=["median", "std"])
            >>> list(rows.columns)[:4], rows.shape[0] > len(parcels)
            (['parcel_id', 'time', 'red_median', 'red_std'], True)
        """
        return self._zonal(zones, id, stats, buffer, min_pixels)

    def pixels(
        self,
        labels: gpd.GeoDataFrame,
        *,
        columns: Sequence[str] = (),
        stratify: str | None = None,
        per_class: int = 1000,
    ) -> Rows:
        """The bands of each pixel inside the labelled shapes, by date.

        A pixel belongs to the shape that holds its centre; where shapes overlap, to the last one.

        Args:
            labels: Polygons or points with a CRS; they are converted to the cube's.
            columns: Columns of the shapes to carry along.
            stratify: Column by whose values pixels are thinned out, so that no class drowns the
                others; by a hash of the pixel, so that the choice is always the same.
            per_class: Pixels that are kept of each value of ``stratify``.

        Returns:
            One row per pixel and date: ``pixel_id``, ``x``, ``y`` (its centre in the cube's CRS),
            ``time`` (UTC), the bands, the columns. Rows in which every band is NaN are left out.

        Raises:
            InvalidInputError: No CRS, unknown column, no shape inside the cube.

        Example:
            >>> rows = cube.eo.pixels(parcels, columns=["crop"], stratify="crop", per_class=10)
            >>> list(rows.columns)
            ['pixel_id', 'x', 'y', 'time', 'red', 'nir', 'crop']
        """
        return self._pixels(labels, columns, stratify, per_class)

    def sample(
        self, points: gpd.GeoDataFrame, *, id: str = "point_id", columns: Sequence[str] = ()
    ) -> Rows:
        """The bands of the pixel under each point, by date.

        Args:
            points: Points with a CRS; they are converted to the cube's.
            id: Column that names a point.
            columns: Columns of the points to carry along.

        Returns:
            One row per point and date: ``id``, ``x``, ``y`` (in the cube's CRS), ``time`` (UTC),
            the bands, the columns. Rows in which every band is NaN are left out.

        Raises:
            InvalidInputError: No CRS, unknown column, other shapes than points, none inside.

        Example:
            >>> points = parcels.set_geometry(parcels.representative_point())
            >>> rows = cube.eo.sample(points, id="parcel_id", columns=["crop"])
            >>> list(rows.columns)
            ['parcel_id', 'x', 'y', 'time', 'red', 'nir', 'crop']
        """
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
