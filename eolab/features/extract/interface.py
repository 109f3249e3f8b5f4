"""What rows can be made of a cube: one set of methods, wherever they are carried out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from eolab.argument_checks import checked

if TYPE_CHECKING:
    import geopandas as gpd

Rows = TypeVar("Rows")


class Extraction(ABC, Generic[Rows]):
    """Rows of a cube, the same for every implementation but for their order and their frame."""

    @checked
    def zonal(
        self,
        zones: gpd.GeoDataFrame,
        *,
        id: str = "parcel_id",
        stats: Sequence[str] = ("median",),
        buffer: float = 0.0,
        min_pixels: float = 1,
    ) -> Rows:
        """Statistics of each band by zone and date, with exact shares of the pixels on the border.

        Args:
            zones: Polygons with a CRS; they are converted to the cube's.
            id: Column that names a zone.
            stats: "mean", "median", "min", "max", "std", "variance", "sum", "majority", "minority",
                "coefficient_of_variation", "count", "q25" (any quantile) of the valid pixels,
                weighted by the share of a pixel that is inside.
            buffer: Metres by which zones grow; negative shrinks them, away from mixed border
                pixels.
            min_pixels: Rows with fewer clear pixels are left out.

        Returns:
            One row per zone and date: ``id``, ``time`` (UTC; where the cube has times),
            ``<band>_<stat>``, ``count`` (pixels clear in all bands), ``clear`` (their share of the
            whole zone, 0..1, also where the cube ends within it).

        Raises:
            InvalidInputError: No CRS, unknown statistic, zones without an id or an area, no zone
                inside the cube.

        Example:
            >>> stats = ["mean", "std", "q25"]
            >>> rows = cube.eo.zonal(parcels, stats=stats, buffer=-10, min_pixels=4)
            >>> rows.columns.tolist()[:5]
            ['parcel_id', 'time', 'red_mean', 'red_std', 'red_q25']
        """
        return self._zonal(zones, id, stats, buffer, min_pixels)

    @checked
    def pixels(
        self,
        labels: gpd.GeoDataFrame,
        *,
        columns: Sequence[str] = (),
        stratify: str | None = None,
        per_class: int = 1000,
    ) -> Rows:
        """The bands of each pixel inside labelled shapes, by date.

        A pixel belongs to the shape that holds its centre; where shapes overlap, to the last one.
        Rows in which every band is NaN are left out.

        Args:
            labels: Polygons or points with a CRS; they are converted to the cube's.
            columns: Columns of the shapes to carry along.
            stratify: Column of the shapes by whose values pixels are thinned out, so that no class
                drowns the others; by a hash of the pixel, so that the same ones are always taken.
            per_class: Pixels that are kept of each value of ``stratify``.

        Returns:
            One row per pixel and date: ``pixel_id`` (CRS and centre, the same in every cube on this
            grid), ``x``, ``y`` (centre in the cube's CRS), ``time`` (UTC), the bands, the columns.

        Raises:
            InvalidInputError: No CRS, unknown column, no shape inside the cube or on a pixel's
                centre.

        Example:
            >>> rows = cube.eo.pixels(parcels, columns=["crop"], stratify="crop", per_class=20)
            >>> rows.columns.tolist()
            ['pixel_id', 'x', 'y', 'time', 'red', 'nir', 'crop']
        """
        return self._pixels(labels, columns, stratify, per_class)

    @checked
    def sample(
        self, points: gpd.GeoDataFrame, *, id: str = "point_id", columns: Sequence[str] = ()
    ) -> Rows:
        """The bands of the pixel under each point, by date.

        Rows in which every band is NaN are left out.

        Args:
            points: Points with a CRS; they are converted to the cube's.
            id: Column that names a point.
            columns: Columns of the points to carry along.

        Returns:
            One row per point and date: ``id``, ``x``, ``y`` (of the point, in the cube's CRS),
            ``time`` (UTC), the bands, the columns.

        Raises:
            InvalidInputError: No CRS, unknown column, other shapes than points, none inside the
                cube.

        Example:
            >>> points = parcels.set_geometry(parcels.centroid)
            >>> rows = cube.eo.sample(points, id="parcel_id", columns=["crop"])
            >>> rows.columns.tolist()
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
