"""Looking at cubes and items in a cell: small multiples, an explorer, a map of footprints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.cube.checks import check_items
from eolab.catalog.items.parsed import ParsedItem, parse_item
from eolab.catalog.items.quality_masks import is_number
from eolab.errors import InvalidInputError, NotFoundError, nearest

if TYPE_CHECKING:
    import pystac
    import xarray as xr
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

TRUE_COLOUR = ("red", "green", "blue")
MOST = 60  # pictures of one figure; more are unreadable and slow


def plot(
    cube: xr.Dataset,
    bands: Sequence[str] | str | None = None,
    *,
    stretch: tuple[float, float] | None = None,
    columns: int = 4,
    cmap: str = "viridis",
) -> Figure:
    """One small picture a date, all with the same stretch, so that dates can be compared.

    Args:
        cube: Dims (time, y, x).
        bands: Three for colour, one for a colour map; by default true colour, else the first.
        stretch: Values drawn darkest and brightest; by default the 2nd and 98th percentile.
        columns: Pictures side by side.
        cmap: Colour map of matplotlib for one band.

    Raises:
        InvalidInputError: An unknown band or colour map, not one or three bands, a stretch that is
            no pair of numbers, or too many dates.
    """
    _check_looks(cmap, stretch)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    names = _bands(cube, bands)
    if "time" not in cube.dims:
        cube = cube.expand_dims("time")
    count = cube.sizes["time"]
    if count > MOST:
        raise InvalidInputError(
            f"{count} dates are too many", f"Select at most {MOST}: cube.isel(time=...)"
        )
    stack = np.stack([cube[n].transpose("time", "y", "x").to_numpy() for n in names], axis=-1)
    stack = stack.astype(np.float32)
    low, high = stretch or _percentiles(stack)
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    shape = stack.shape[1] / stack.shape[2]
    size = (3.0 * columns, 3.0 * rows * shape + 0.35 * rows)
    figure = _figure_class()(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    drawn = None
    for number, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if number >= count:
            continue
        image = stack[number]
        if len(names) == 3:
            known = np.isfinite(image).all(axis=-1, keepdims=True)
            colour = np.clip((np.nan_to_num(image) - low) / max(high - low, 1e-9), 0, 1)
            axis.imshow(np.concatenate([colour, known], axis=-1))
        else:
            drawn = axis.imshow(image[..., 0], vmin=low, vmax=high, cmap=cmap)
        axis.set_title(_date(cube, number), fontsize=9)
    if drawn is not None:
        figure.colorbar(drawn, ax=axes, shrink=0.7, label=names[0])
    return figure


@lru_cache(maxsize=1)
def _figure_class() -> type[Figure]:
    from matplotlib.figure import Figure

    class CellFigure(Figure):
        """A figure that cells show, also where pyplot was never imported."""

        def _repr_png_(self) -> bytes:
            out = BytesIO()
            self.savefig(out, format="png", dpi=80)
            return out.getvalue()

    return CellFigure


def _bands(cube: xr.Dataset, bands: Sequence[str] | str | None) -> list[str]:
    known = [str(name) for name in cube.data_vars]
    if bands is None:
        found = list(TRUE_COLOUR) if set(TRUE_COLOUR) <= set(known) else known[:1]
    else:
        found = [bands] if isinstance(bands, str) else list(bands)
    for name in found:
        if name not in known:
            raise InvalidInputError(f"no band {name!r} in the cube", nearest(name, known, "bands"))
    if len(found) not in (1, 3):
        raise InvalidInputError(f"{len(found)} bands cannot be drawn", "Name one or three.")
    return found


def _check_looks(cmap: str, stretch: object = None) -> None:
    import matplotlib as mpl

    if cmap not in mpl.colormaps:
        names = list(mpl.colormaps)
        raise InvalidInputError(f"no colour map {cmap!r}", nearest(str(cmap), names, "colour maps"))
    if stretch is None:
        return
    pair = list(stretch) if isinstance(stretch, tuple | list) else []
    if len(pair) != 2 or not all(map(is_number, pair)) or not pair[0] < pair[1]:
        raise InvalidInputError(
            f"stretch = {stretch!r}", "Give the darkest and the brightest value."
        )


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(known, (2, 98))
    return float(low), float(high)


def _date(cube: xr.Dataset, number: int) -> str:
    if "time" not in cube.coords:
        return ""
    return str(np.datetime_as_string(cube["time"].to_numpy()[number], unit="D"))


def explore(cube: xr.Dataset, *, cmap: str = "viridis", width: int = 420) -> object:
    """Sliders for time and band over the image; a click draws the pixel's time series.

    Args:
        cube: Dims (time, y, x).
        cmap: Colour map.
        width: Of the image in pixels.

    Returns:
        A layout of HoloViews, live while the kernel runs.

    Raises:
        InvalidInputError: hvplot is not installed, or an unknown colour map.
    """
    _check_looks(cmap)
    try:
        import holoviews as hv
        import hvplot.xarray  # noqa: F401  registers itself
    except ImportError as error:
        raise InvalidInputError(
            "exploring needs hvplot, which is not installed",
            "Install it: pip install 'eolab[explore]'; or use cube.eo.plot().",
        ) from error
    array = cube.to_array("band", name="value").astype("float32")
    low, high = _percentiles(array.to_numpy())
    image = array.hvplot.image(
        x="x", y="y", groupby=["time", "band"], cmap=cmap, clim=(low, high),
        data_aspect=1, frame_width=width, dynamic=True,
    )  # fmt: skip
    middle = (float(array["x"].mean()), float(array["y"].mean()))
    tap = hv.streams.Tap(source=image, x=middle[0], y=middle[1])

    def series(x: float, y: float) -> object:
        pixel = array.sel(x=x, y=y, method="nearest")
        curves = {
            str(band): hv.Curve((pixel["time"], pixel.sel(band=band)), "time", "value")
            for band in pixel["band"].to_numpy()
        }
        return hv.NdOverlay(curves, "band").opts(title=f"x {x:,.0f}, y {y:,.0f}", width=width)

    return image + hv.DynamicMap(series, streams=[tap])


@dataclass(frozen=True)
class Footprints:
    """Items on a map, for a cell: outlines by cloud cover, each with its name and date."""

    items: tuple[pystac.Item, ...]
    svg: str

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(item.id)}</td><td>{escape(item.collection or '')}</td>"
            f"<td>{_day(item)}</td><td>{_cloud(item)}</td></tr>"
            for item in map(parse_item, self.items[:10])
        )
        more = f"<p>and {len(self.items) - 10} more</p>" if len(self.items) > 10 else ""
        head = "<tr><th>item</th><th>collection</th><th>date</th><th>cloud %</th></tr>"
        return f"<div>{self.svg}<table>{head}{rows}</table>{more}</div>"

    def __repr__(self) -> str:
        return f"<map of {len(self.items)} footprints>"


def explore_items(items: Iterable[pystac.Item] | pystac.Item, *, width: int = 640) -> Footprints:
    """A map of items in a cell, without a network: hover an outline for its name and date.

    Args:
        items: Items with an outline.
        width: In pixels.

    Raises:
        InvalidInputError: Something else than items, or none.
        NotFoundError: No item has an outline.

    Example:
        >>> eo.explore(items)
        <map of 6 footprints>
    """
    listed = check_items(items)
    shaped = [(item, shape) for item in listed if (shape := item.outline) is not None]
    if not shaped:
        raise NotFoundError("there is nothing to draw", "No item has an outline.")
    bounds = np.array([shape.bounds for _, shape in shaped])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    pad = max(east - west, north - south, 0.01) * 0.06
    west, south, east, north = west - pad, south - pad, east + pad, north + pad
    # A degree of longitude is shorter than one of latitude, by the cosine of the latitude.
    narrow = max(np.cos(np.radians((south + north) / 2)), 0.05)
    scale = width / ((east - west) * narrow)
    height = float((north - south) * scale)

    def place(x: float, y: float) -> str:
        return f"{(x - west) * narrow * scale:.1f} {(north - y) * scale:.1f}"

    drawn = []
    for item, shape in shaped:
        rings = [ring for part in getattr(shape, "geoms", [shape]) for ring in _rings(part)]
        path = " ".join(f"M{' L'.join(place(x, y) for x, y in ring)}" for ring in rings)
        label = escape(f"{item.id}, {_day(item)}, {_cloud(item)} % cloud")
        drawn.append(
            f'<path d="{path}" fill="{_colour(item)}" fill-opacity="0.12" '
            f'stroke="{_colour(item)}" stroke-width="1.5"><title>{label}</title></path>'
        )
    lines = _graticule(west, south, east, north, place)
    title = f"{len(shaped)} footprints, {west:.2f} to {east:.2f} E, {south:.2f} to {north:.2f} N"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
        f'width="{width}" role="img" aria-label="{escape(title)}" '
        f'style="max-width:100%;border:1px solid">{lines}{"".join(drawn)}</svg>'
    )
    return Footprints(tuple(item.item for item, _ in shaped), svg)


def _rings(shape: BaseGeometry) -> list[list[tuple[float, float]]]:
    """Outer lines of a polygon, a line or a point as coordinates."""
    line = getattr(shape, "exterior", shape)
    points = [(float(x), float(y)) for x, y, *_ in line.coords]
    if len(points) == 1:  # a point becomes a small cross
        (x, y) = points[0]
        return [[(x - 0.01, y), (x + 0.01, y)], [(x, y - 0.01), (x, y + 0.01)]]
    return [points]


def _graticule(
    west: float, south: float, east: float, north: float, place: Callable[[float, float], str]
) -> str:
    """Lines of longitude and latitude with their degrees."""
    span = max(east - west, north - south)
    step = next((s for s in (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20) if span / s <= 6), 45)
    style = 'stroke="currentColor" stroke-opacity="0.2"'
    parts = []
    for x in np.arange(np.ceil(west / step) * step, east, step):
        parts.append(f'<path d="M{place(x, south)} L{place(x, north)}" {style}/>')
        left, top = place(x, north).split()
        parts.append(_text(left, str(float(top) + 10), f"{x:g}°"))
    for y in np.arange(np.ceil(south / step) * step, north, step):
        parts.append(f'<path d="M{place(west, y)} L{place(east, y)}" {style}/>')
        left, top = place(west, y).split()
        parts.append(_text(left, top, f"{y:g}°"))
    return "".join(parts)


def _text(x: str, y: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="9" fill="currentColor">{text}</text>'


def _colour(item: ParsedItem) -> str:
    """Blue for clear, grey for cloudy, orange where no cloud cover is stated."""
    cover = item.cloud_cover
    if cover is None:
        return "#d07a1f"
    return "#3a86d0" if cover <= 30 else "#7a93ad" if cover <= 70 else "#8a8a8a"


def _day(item: ParsedItem) -> str:
    return "" if item.time is None else f"{item.time:%Y-%m-%d}"


def _cloud(item: ParsedItem) -> str:
    cover = item.cloud_cover
    return "-" if cover is None else f"{cover:.0f}"
