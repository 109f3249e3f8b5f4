"""What the search tab shows: footprints of all that was found, items over time, one item whole."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from eolab import gc_pause
from eolab.catalog.items.bands import common_name
from eolab.catalog.items.duplicates import resolve
from eolab.catalog.items.parsed import CATEGORIES, Layer, ParsedItem, parse_item, stated_bands
from eolab.catalog.items.quality_masks import mask
from eolab.catalog.items.radiometry import radiometry
from eolab.catalog.items.spectral_indices import offered
from eolab.catalog.panel import previews
from eolab.catalog.panel.answers import (
    FoundItemJson,
    FoundJson,
    ItemBandJson,
    ItemDetailJson,
    ItemHistogramJson,
    Period,
)
from eolab.catalog.query.query import SearchQuery, item_time, make_query
from eolab.catalog.query.times import stamp
from eolab.catalog.sources.base import PartialAnswer, Source, is_simulated
from eolab.catalog.sources.open import open_source
from eolab.errors import EolabError, InvalidInputError

if TYPE_CHECKING:
    import pystac
    from shapely import LineString

    from eolab.settings.config import Config

MOST = 10_000
DIGITS = 5  # of a degree: a metre
CORNERS = 200  # of a footprint


def found(
    config: Config,
    name: str,
    *,
    collection: str | None = None,
    bbox: Sequence[float] | None = None,
    intersects: Mapping[str, object] | None = None,
    datetime: str | None = None,
    max_cloud: float | None = None,
    filter: Mapping[str, object] | None = None,
    text: str | None = None,
    limit: int = 500,
) -> FoundJson:
    """Body of `catalogs/{name}/search`.

    The newest come first. ``matched`` is null where nobody counted; ``message`` tells why an answer
    stops short. The histogram counts the items over time that answer all but the dates; ``whole``
    is false where only what came is counted.

    Raises:
        InvalidInputError: A filter that cannot be used.
        NotFoundError: No such catalogue, or nothing at its address.
        RemoteError: The service fails before anything came.
    """
    source = open_source(config, name)
    query = make_query(
        collections=None if collection is None else [collection],
        bbox=bbox,
        intersects=intersects,
        datetime=datetime,
        max_cloud=max_cloud,
        filter=filter,
        text=text,
        sortby="-datetime",
    )
    query = replace(query, brief=True)
    message = ""
    whole = source.capabilities.whole
    anytime: list[pystac.Item] | None = None
    try:
        if whole:
            # Read once: what the dates leave out is in the histogram still.
            anytime = list(source.run(replace(query, start=None, end=None)))
            items = [item for item in anytime if query.accepts(item)]
        else:
            items = list(source.run(replace(query, limit=min(limit, MOST) + 1)))
    except PartialAnswer as error:
        if not len(error.items):
            raise
        # The hint tells Python how to get at what came: here it is shown.
        items, message = list(error.items), error.message
    more = len(items) > limit
    matched = None if more and not whole else len(items)
    if more and source.capabilities.count and _countable(query):
        matched = source.count(query)
    shown = items[:limit]
    with gc_pause.put_off():
        parsed = [parse_item(item) for item in shown]
        older = {dropped.item: dropped.reason for dropped in resolve(parsed)[1]}
        rows = [_row(item, older) for item in parsed]
    return {
        "items": rows,
        "matched": matched,
        "histogram": _histogram(source, query, shown if anytime is None else anytime),
        "message": message,
        "skipped": [{"href": s.href, "message": s.message} for s in source.skipped],
    }


def _countable(query: SearchQuery) -> bool:
    return not query.words and query.intersects is None


def _row(item: ParsedItem, older: Mapping[str, str]) -> FoundItemJson:
    return {
        "id": item.id,
        "collection": item.collection or "",
        "datetime": _time(item.time),
        "cloud_cover": item.cloud_cover,
        "platform": item.platform,
        "orbit": item.relative_orbit if isinstance(item.relative_orbit, int) else None,
        "rings": _rings(item),
        "thumbnail": previews.can_preview(item.item),
        "simulated": is_simulated(item.item),
        "note": older.get(item.id, ""),
    }


def _rings(item: ParsedItem) -> list[list[float]]:
    """Outer rings of the footprint: longitude, latitude, longitude, latitude and so on."""
    import shapely

    shape = item.outline
    if shape is None:
        return []
    rings = []
    for part in getattr(shape, "geoms", [shape]):
        line = cast("LineString", part.exterior if part.geom_type == "Polygon" else part)
        if len(line.coords) > CORNERS:
            line = cast("LineString", shapely.simplify(line, 0.001))
        rings.append([round(value, DIGITS) for x, y, *_ in line.coords for value in (x, y)])
    return rings


def _histogram(
    source: Source, query: SearchQuery, items: Iterable[pystac.Item]
) -> ItemHistogramJson:
    free = replace(query, start=None, end=None)
    days: dict[dt.date, int]
    whole = source.capabilities.whole or query.interval is None
    if source.capabilities.histogram and _countable(query):
        table = source.histogram(free, period="day")
        table = table.dropna(subset=["time"])
        # Without rows, and beyond the years that pandas counts, these are times of Python.
        counts = zip(table["time"], table["items"].tolist(), strict=True)
        days = {time.date(): count for time, count in counts}
        whole = True
    else:
        seen = [item_time(item)[0] for item in items]
        days = dict(Counter(time.date() for time in seen if time is not None))
    period, bins = _bins(days)
    return {"period": period, "bins": bins, "whole": whole}


def _bins(days: Mapping[dt.date, int]) -> tuple[Period, list[list[object]]]:
    """Counts by day, week, month or year: at most about a hundred bars, gaps left out."""
    if not days:
        return "day", []
    span = (max(days) - min(days)).days
    period: Period = "day" if span <= 100 else "week" if span <= 700 else "month"
    period = "year" if span > 3_000 else period
    counts: Counter[dt.date] = Counter()
    for day, count in days.items():
        counts[_first(day, period)] += count
    return period, [[day.isoformat(), counts[day]] for day in sorted(counts)]


def _first(day: dt.date, period: str) -> dt.date:
    """The first day of the period that a day is in."""
    if period == "week":
        return day - dt.timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if period == "year" else day


def detail(config: Config, name: str, collection: str, item: str) -> ItemDetailJson:
    """Body of `catalogs/{name}/item`: properties, assets, the table of bands, what can be drawn.

    Raises:
        NotFoundError: No such item.
        RemoteError: The service fails.
    """
    one = open_source(config, name).item(collection, item)
    parsed = parse_item(one)
    bands = [_band(parsed, layer) for layer in parsed.layers]
    names = [str(band["common"]) for band in bands]
    return {
        "id": one.id,
        "collection": one.collection_id or "",
        "datetime": _time(parsed.time),
        "bbox": one.bbox,
        "properties": {key: one.properties[key] for key in sorted(one.properties)},
        "assets": [
            {
                "key": key,
                "title": asset.title or "",
                "type": asset.media_type or "",
                "roles": list(asset.roles or []),
                "href": asset.href,
                "size": _number(asset.extra_fields.get("file:size")),
            }
            for key, asset in one.assets.items()
        ],
        "bands": bands,
        "indices": offered(names),
        "mask": _clouds_known(parsed),
        "simulated": is_simulated(one),
    }


def _clouds_known(item: ParsedItem) -> bool:
    """Whether its clouds can be masked: radar has a mask too, of something else."""
    try:
        mask(("cloud", "shadow")).band([item])
    except InvalidInputError:
        return False
    return True


def _band(item: ParsedItem, layer: Layer) -> ItemBandJson:
    asset = item.item.assets[layer.asset]
    stated = stated_bands(asset)
    said = stated[layer.index - 1] if len(stated) >= layer.index else {}
    # Only shown, not loaded by.
    every = {**asset.extra_fields, **said}
    try:
        rule = radiometry(item, layer)
        scale, offset, nodata = rule.scale, rule.offset, rule.nodata
    except EolabError:
        scale, offset, nodata = 1.0, 0.0, None
    return {
        "asset": layer.asset,
        "index": layer.index,
        "name": layer.name,
        "common": common_name(item, layer),
        "wavelength": _number(every.get("eo:center_wavelength", every.get("center_wavelength"))),
        "resolution": _number(
            every.get(
                "raster:spatial_resolution", every.get("spatial_resolution", every.get("gsd"))
            )
        ),
        "type": _text(every.get("data_type")),
        "scale": scale,
        "offset": offset,
        "nodata": None if nodata is None or nodata != nodata else nodata,  # noqa: PLR0124  NaN
        "classes": layer.asset.lower() in CATEGORIES,
    }


def area_of(value: object) -> Mapping[str, object] | None:
    """A GeoJSON geometry out of a request.

    Raises:
        InvalidInputError: It is none.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.get("type") not in ("Polygon", "MultiPolygon"):
        raise InvalidInputError("the area is no polygon", "Send a GeoJSON Polygon in degrees.")
    return value


def _time(time: dt.datetime | None) -> str | None:
    return None if time is None else stamp(time)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
