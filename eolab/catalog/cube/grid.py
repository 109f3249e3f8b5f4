"""The pixel grid of a cube: reference system, pixel size, extent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.items.headers import read_header
from eolab.catalog.items.parsed import Layer, ParsedItem
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    from odc.geo import CRS, XY
    from odc.geo.geobox import GeoBox
    from shapely.geometry.base import BaseGeometry


TRUE_SCALE = 0.01  # by how much a map's metre may differ from one on the ground


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
        resolution: Pixel size in its units; None takes the finest band's, height and width each.
        area: Extent in degrees; None takes all of the items.

    Raises:
        InvalidInputError: The area misses the items; no pixel size can be told.
    """
    from odc.geo import CRS, resxy_
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
        high, wide = finest(picks, target, area)
    else:
        high = wide = resolution
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
    if target.geographic and resolution and resolution > max(1.0, window.span_x, window.span_y):
        raise InvalidInputError(
            f"resolution = {resolution:g}: a pixel of so many degrees holds the whole area",
            f"In {target} it is in degrees: 10 m are about 0.0001.",
        )
    return GeoBox.from_bbox(
        window,
        target,
        resolution=resxy_(wide, -high),
        anchor=_anchor(picks, target, (high, wide)),
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


def finest(
    picks: Sequence[tuple[ParsedItem, Mapping[str, Layer]]],
    target: CRS,
    area: BaseGeometry | None,
) -> tuple[float, float]:
    """Smallest height and width of the pixels of the bands to load, in units of the target."""
    from odc.geo import CRS

    sizes: dict[tuple[str, tuple[float, float]], ParsedItem] = {}
    for item, bands in picks:
        for band in bands.values():
            # What is the same for a thousand items is looked at once.
            key = item_crs(item, band), _pixel_of(item, band)
            sizes.setdefault(key, item)
    made = []
    for (code, (high, wide)), item in sizes.items():
        down, right = _units(CRS(code), target, item, area)
        made.append((_rounded(high, down), _rounded(wide, right)))
    return min(high for high, _ in made), min(wide for _, wide in made)


def _pixel_of(item: ParsedItem, band: Layer) -> tuple[float, float]:
    """Height and width of a raster's pixels, along the axes that its rows and columns follow."""
    transform = band.transform
    if transform is None:
        if band.pixel_size:
            return band.pixel_size, band.pixel_size
        transform = read_header(item, band.asset).transform
    return upright_pixel(transform)


def upright_pixel(transform: Sequence[float]) -> tuple[float, float]:
    """Height and width of a pixel by an affine transform (six numbers), however it is turned.

    Of a raster that lies on its side, rows run along x.
    """
    a, b, _, d, e, _ = transform[:6]
    along_column, along_row = float(np.hypot(a, d)), float(np.hypot(b, e))
    return (along_row, along_column) if abs(a) >= abs(b) else (along_column, along_row)


def _rounded(size: float, factor: float) -> float:
    return size if factor == 1.0 else float(f"{size * factor:.4g}")


def _units(
    source: CRS, target: CRS, item: ParsedItem, area: BaseGeometry | None
) -> tuple[float, float]:
    """How many units of the target are one of the source, along y and x: 1 among UTM zones."""
    if source == target:
        return 1.0, 1.0
    shape = area if area is not None else item.outline
    if shape is None:
        return 1.0, 1.0
    place = shape.representative_point()
    here, there = (_metres_of_a_unit(crs, place.x, place.y) for crs in (source, target))
    plain = _unit(source) / _unit(target)
    down, right = (one / two for one, two in zip(here, there, strict=True))
    # A zone beside the one that it was made for: 10 m stay 10 m.
    alike = not (source.geographic or target.geographic) and all(
        abs(ratio / plain - 1) < 0.05 for ratio in (down, right)
    )
    if alike:
        return plain, plain
    both = (down + right) / 2  # what is square on the ground to a hundredth stays square
    return (both, both) if abs(down / right - 1) < TRUE_SCALE else (down, right)


def _unit(crs: CRS) -> float:
    """What a unit of a projected reference system is in metres, 1 of others."""
    return 1.0 if crs.geographic else float(crs.proj.axis_info[0].unit_conversion_factor)


def _metres_of_a_unit(crs: CRS, lon: float, lat: float) -> tuple[float, float]:
    """Metres on the ground of one unit of a reference system at a place, along y and x."""
    from odc.geo.geobox import GeoBox
    from pyproj import Transformer

    x, y = Transformer.from_crs("EPSG:4326", crs.proj, always_xy=True).transform(lon, lat)
    size = 1e-4 if crs.geographic else 10.0
    if not np.isfinite(x) or not np.isfinite(y):
        return 1.0, 1.0
    window = (x - size, y - size, x + size, y + size)
    tall, wide = pixel_metres(GeoBox.from_bbox(window, crs, resolution=size, tight=True))
    return float(tall.mean()) / size, float(wide.mean()) / size


def _anchor(
    picks: Sequence[tuple[ParsedItem, Mapping[str, Layer]]],
    crs: CRS,
    size: tuple[float, float],
) -> XY[float]:
    """Where pixel edges lie: on the products' own where they have this pixel size, else on 0."""
    from odc.geo import xy_

    high, wide = size
    for item, bands in picks:
        for band in bands.values():
            grid = item_geobox(item, band)
            if grid is None or grid.crs != crs:
                continue
            t = grid.transform
            turned = min(abs(t.a) + abs(t.e), abs(t.b) + abs(t.d))
            own = upright_pixel(tuple(t))
            if turned < 1e-9 and abs(own[1] - wide) < 1e-9 and abs(own[0] - high) < 1e-9:
                return xy_((t.c / wide) % 1, (t.f / high) % 1)
    return xy_(0.0, 0.0)


def pixel_metres(grid: GeoBox) -> tuple[np.ndarray, np.ndarray]:
    """Height and width of the pixels on the ground in metres, both by row, along the middle column.

    A unit of a reference system is a metre in few of them: it may be a foot, a degree, or a metre
    of a map (Web Mercator) that is half as long at 60 degrees. Where the scale of the map is 1 to
    one part in a hundred, the sizes are the grid's own numbers.
    """
    rows, columns = grid.shape
    height, width = _own_sizes(grid)
    rows_at = np.linspace(0, rows, min(rows + 1, 65))
    tall, wide = _ground_sizes(grid, rows_at, columns / 2)
    known = np.isfinite(tall) & np.isfinite(wide)
    if not known.any():
        return np.full(rows, height), np.full(rows, width)
    tall, wide = (np.interp(np.arange(rows) + 0.5, rows_at[known], v[known]) for v in (tall, wide))
    true = np.abs(tall / height - 1).max() < TRUE_SCALE > np.abs(wide / width - 1).max()
    return (np.full(rows, height), np.full(rows, width)) if true else (tall, wide)


def _own_sizes(grid: GeoBox) -> tuple[float, float]:
    """Height and width of a pixel in the grid's numbers, in metres where its units are lengths."""
    t = grid.transform
    unit = 1.0 if grid.crs is None else _unit(grid.crs)
    return float(np.hypot(t.b, t.e)) * unit, float(np.hypot(t.a, t.d)) * unit


def _ground_sizes(grid: GeoBox, rows: np.ndarray, column: float) -> tuple[np.ndarray, np.ndarray]:
    """Height and width on the ellipsoid of the pixels around some rows, NaN off the globe."""
    from pyproj import Geod, Transformer

    if grid.crs is None:
        return np.full(rows.size, np.nan), np.full(rows.size, np.nan)
    to_degrees = Transformer.from_crs(grid.crs.proj, "EPSG:4326", always_xy=True)
    geod = Geod(ellps="WGS84")

    def places(at_rows: np.ndarray, at_column: float) -> tuple[np.ndarray, np.ndarray]:
        t = grid.transform
        x = t.a * at_column + t.b * at_rows + t.c
        y = t.d * at_column + t.e * at_rows + t.f
        lon, lat = to_degrees.transform(x, y)
        off = ~np.isfinite(lon) | ~np.isfinite(lat) | (np.abs(lat) > 90)
        return np.where(off, np.nan, lon), np.where(off, np.nan, lat)

    def apart(one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        known = np.isfinite(one[0]) & np.isfinite(two[0])
        out = np.full(rows.size, np.nan)
        ends = [v[known] for v in (*one, *two)]
        out[known] = geod.inv(ends[0], ends[1], ends[2], ends[3])[2]
        return out

    # Half a pixel on both sides, inside of the grid: beyond a pole there is no ground.
    low, high = np.clip(rows - 0.5, 0, None), np.clip(rows + 0.5, None, grid.shape[0])
    tall = apart(places(low, column), places(high, column)) / (high - low)
    # A pixel of a coarse grid may reach around the globe: the way along a tenth of it.
    wide = apart(places(rows, column - 0.05), places(rows, column + 0.05)) * 10
    return tall, wide


def inside_of(grid: GeoBox, area: BaseGeometry) -> np.ndarray:
    """Which pixel centres lie in an area given in degrees, bool (y, x)."""
    from odc.geo.geom import Geometry
    from rasterio.features import geometry_mask

    assert grid.crs is not None
    shape = Geometry(area, "EPSG:4326").to_crs(grid.crs)
    return np.asarray(geometry_mask([shape.geom], grid.shape, grid.transform, invert=True))
