"""The pixel grid of a cube: reference system, pixel size, extent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.io.item_logins import is_refusal, login_of, refusal_hint
from eolab.catalog.io.logins import without_signature
from eolab.catalog.io.rasters import opened
from eolab.catalog.items.file_facts import FileFacts, alpha_band, file_facts
from eolab.catalog.items.parsed import Layer, ParsedItem
from eolab.errors import InvalidInputError, RemoteError

if TYPE_CHECKING:
    from odc.geo import CRS, XY
    from odc.geo.geobox import GeoBox
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True)
class Header:
    """What a raster file says about itself.

    Attributes:
        crs: Reference system.
        transform: Six numbers.
        shape: Rows and columns.
        bands: Each band's own facts.
        alpha: Number of the band that says what is transparent, 0 for none.
    """

    crs: str | None
    transform: tuple[float, ...]
    shape: tuple[int, int]
    bands: tuple[FileFacts, ...]
    alpha: int = 0

    @property
    def dtype(self) -> str:
        """Data type of the first band."""
        return self.bands[0].data_type


def read_header(item: ParsedItem, key: str) -> Header:
    """Open a raster for its header, once for each parsed item.

    Raises:
        InvalidInputError: It cannot be opened.
        RemoteError: Its server refuses it, with this login or without one.
    """
    import rasterio

    known = item.opened.get(key)
    if isinstance(known, Header):
        return known
    try:
        with opened(item.item, key) as file:
            header = Header(
                None if file.crs is None else file.crs.to_string(),
                tuple(file.transform)[:6],
                file.shape,
                file_facts(file),
                alpha_band(file),
            )
    except rasterio.errors.RasterioError as error:
        message = f"asset {key!r} of item {item.id} cannot be opened: "
        message += without_signature(str(error))
        leave_out = "leave the item out, or load with missing='skip'."
        if is_refusal(message):
            hint = refusal_hint(item.item.assets[key].href, login_of(item.item))
            raise RemoteError(message, f"{hint} Or {leave_out}") from error
        raise InvalidInputError(message, f"Check the file; {leave_out}") from error
    item.opened[key] = header
    return header


def item_crs(item: ParsedItem, layer: Layer) -> str:
    """Reference system of an item's raster, as stated, else from the file.

    Raises:
        InvalidInputError: Neither says one.
    """
    if layer.crs is not None:
        return layer.crs
    crs = read_header(item, layer.asset).crs
    if crs is None:
        raise InvalidInputError(
            f"asset {layer.asset!r} of item {item.id} has no reference system",
            "Write one into the file (gdal_edit.py -a_srs EPSG:...), or into the item (proj:code).",
        )
    return crs


def item_geobox(item: ParsedItem, layer: Layer) -> GeoBox | None:
    """The grid of one raster, as stated; None where the item does not say it."""
    from affine import Affine
    from odc.geo.geobox import GeoBox

    if layer.transform is None or layer.shape is None:
        return None
    return GeoBox(layer.shape, Affine(*layer.transform), item_crs(item, layer))


def header_geobox(item: ParsedItem, layer: Layer) -> GeoBox:
    """The grid of one raster from its file."""
    from affine import Affine
    from odc.geo.geobox import GeoBox

    header = read_header(item, layer.asset)
    return GeoBox(header.shape, Affine(*header.transform), item_crs(item, layer))


def native_grid(picks: Sequence[tuple[ParsedItem, Layer]], area: BaseGeometry | None) -> GeoBox:
    """The items' own grid, cropped to an area in degrees.

    Raises:
        InvalidInputError: The items do not share one grid.
    """
    from odc.geo.geobox import geobox_union_conservative
    from odc.geo.geom import Geometry

    grids = [item_geobox(item, b) or header_geobox(item, b) for item, b in picks]
    first = grids[0]
    for (item, _), grid in zip(picks, grids, strict=True):
        shift = first.wld2pix(grid.transform.c, grid.transform.f)
        aligned = all(abs(v - round(v)) < 1e-3 for v in shift)
        same = all(
            abs(a - b) < 1e-9 * max(abs(a), 1)
            for a, b in zip(_linear(grid), _linear(first), strict=True)
        )
        if grid.crs != first.crs or not same or not aligned:
            raise InvalidInputError(
                f"native=True needs one grid; {item.id} ({grid.crs}) differs from "
                f"{picks[0][0].id} ({first.crs})",
                "Give crs= and resolution= instead, or load one zone at a time.",
            )
    grid = geobox_union_conservative(list(dict.fromkeys(grids)))
    if area is None:
        return grid
    inside = grid.enclosing(Geometry(area, "EPSG:4326"))
    return grid & inside


def _linear(grid: GeoBox) -> tuple[float, float, float, float]:
    t = grid.transform
    return t.a, t.b, t.d, t.e


def choose_grid(
    picks: Sequence[tuple[ParsedItem, Mapping[str, Layer]]],
    *,
    crs: str | int | None,
    resolution: float | None,
    area: BaseGeometry | None,
) -> GeoBox:
    """The grid of a cube.

    Args:
        picks: Items with the bands to load.
        crs: Reference system; None takes the one whose items cover most of the area.
        resolution: Pixel size in its units; None takes the finest band's.
        area: Extent in degrees; None takes all of the items.

    Raises:
        InvalidInputError: The area misses the items; no pixel size can be told.
    """
    from odc.geo import CRS
    from odc.geo.geobox import GeoBox
    from odc.geo.geom import BoundingBox, Geometry

    own: dict[str, float] = {}
    for item, bands in picks:
        code = item_crs(item, next(iter(bands.values())))
        own[code] = own.get(code, 0.0) + _overlap(item, area)
    if area is not None and not any(own.values()):
        raise InvalidInputError("the area lies outside of all items", _hint_for(picks, area))
    # Most overlap first, then by name, so that the order of the items does not count.
    target = CRS(crs if crs is not None else min(own, key=lambda code: (-own[code], code)))
    native = {CRS(code) for code in own}
    if resolution is None:
        if target not in native and target.geographic != next(iter(native)).geographic:
            raise InvalidInputError(
                f"no pixel size for {target}", "Give resolution= in units of the reference system."
            )
        resolution = finest(picks)
    if area is not None:
        window = Geometry(area, "EPSG:4326").to_crs(target).boundingbox
    else:
        corners = []
        for item, bands in picks:
            grid = item_geobox(item, next(iter(bands.values())))
            shape = item.outline if grid is None else None
            if grid is not None:
                corners.append(grid.extent.to_crs(target, resolution=500, wrapdateline=False))
            elif shape is not None:
                corners.append(Geometry(shape, "EPSG:4326").to_crs(target))
            else:
                first = next(iter(bands.values()))
                corners.append(header_geobox(item, first).extent.to_crs(target))
        bounds = [g.boundingbox for g in corners]
        window = BoundingBox(
            min(b.left for b in bounds),
            min(b.bottom for b in bounds),
            max(b.right for b in bounds),
            max(b.top for b in bounds),
            target,
        )
    if target.geographic and resolution > max(1.0, window.span_x, window.span_y):
        raise InvalidInputError(
            f"resolution = {resolution:g}: a pixel of so many degrees holds the whole area",
            f"In {target} it is in degrees: 10 m are about 0.0001.",
        )
    return GeoBox.from_bbox(
        window, target, resolution=resolution, anchor=_anchor(picks, target, resolution)
    )


def _overlap(item: ParsedItem, area: BaseGeometry | None) -> float:
    shape = item.outline
    if shape is None:
        return 0.0
    return float(shape.area if area is None else shape.intersection(area).area)


def _hint_for(picks: Sequence[tuple[ParsedItem, Mapping[str, Layer]]], area: BaseGeometry) -> str:
    """What to do about an area that no item touches."""
    import shapely

    turned = shapely.transform(area, lambda xy: xy[:, ::-1])
    if any(_overlap(item, turned) for item, _ in picks):
        return "It is latitude first: give west, south, east, north; longitude before latitude."
    return "Search with the same area first."


def finest(picks: Sequence[tuple[ParsedItem, Mapping[str, Layer]]]) -> float:
    """Smallest pixel size of the bands to load."""
    sizes = set()
    for item, bands in picks:
        for band in bands.values():
            size = band.pixel_size
            if size is None:
                size = abs(read_header(item, band.asset).transform[0])
            sizes.add(size)
    return min(sizes)


def _anchor(
    picks: Sequence[tuple[ParsedItem, Mapping[str, Layer]]], crs: CRS, resolution: float
) -> XY[float]:
    """Where pixel edges lie: on the products' own where they have this pixel size, else on 0."""
    from odc.geo import xy_

    for item, bands in picks:
        for band in bands.values():
            grid = item_geobox(item, band)
            if grid is None or grid.crs != crs:
                continue
            t = grid.transform
            if abs(t.a - resolution) < 1e-9 and abs(t.e + resolution) < 1e-9:
                return xy_((t.c / resolution) % 1, (t.f / resolution) % 1)
    return xy_(0.0, 0.0)


def pixel_metres(grid: GeoBox) -> float:
    """Pixel size in metres; degrees are taken at the equator."""
    size = abs(grid.resolution.x)
    return float(size * 111_320 if grid.crs is not None and grid.crs.geographic else size)


def inside_of(grid: GeoBox, area: BaseGeometry) -> np.ndarray:
    """Which pixel centres lie in an area given in degrees, bool (y, x)."""
    from odc.geo.geom import Geometry
    from rasterio.features import geometry_mask

    assert grid.crs is not None
    shape = Geometry(area, "EPSG:4326").to_crs(grid.crs)
    return np.asarray(geometry_mask([shape.geom], grid.shape, grid.transform, invert=True))
