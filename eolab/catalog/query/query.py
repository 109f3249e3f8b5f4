"""What is asked of a source, and whether an item answers it.

Filters go out to services where they understand them and are always applied again here: recorded
answers of a real API asked for little cloud hold cloudy items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from eolab.catalog.areas.areas import Area, boxes, check_bbox, footprint, parse_area
from eolab.catalog.query.cql2 import parse
from eolab.catalog.query.match import matcher
from eolab.catalog.query.times import When, parse_interval, stamp
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pystac
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True)
class SearchQuery:
    """A search, checked and normalised.

    Attributes:
        collections: Ids of collections; empty means all.
        bbox: West, south, east, north in degrees; west > east crosses the antimeridian.
        intersects: Area in longitude and latitude.
        start: First instant (inclusive), UTC; None is open.
        end: Last instant (inclusive), UTC; None is open.
        max_cloud: Highest cloud cover in percent.
        cloud_missing: What happens to items that state no cloud cover, when one is asked for.
        ids: Ids of items; empty means all.
        limit: At most so many items.
        filter: CQL2 JSON made by `eolab.catalog.query.cql2.parse`.
        words: Free text: all must occur in the item, its collection or the catalogues above it.
        sort: Properties with whether they descend; empty means date then id.
        brief: Whether one asset of an item that tells that it can be shown is enough: a map of ten
            thousand footprints needs no more.
        about: What collections say of themselves by id, where there are words to look for.
    """

    collections: tuple[str, ...] = ()
    bbox: tuple[float, float, float, float] | None = None
    intersects: BaseGeometry | None = None
    start: datetime | None = None
    end: datetime | None = None
    max_cloud: float | None = None
    cloud_missing: Literal["keep", "drop"] = "keep"
    ids: tuple[str, ...] = ()
    limit: int | None = None
    filter: Mapping[str, object] | None = None
    words: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    brief: bool = False
    about: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def area(self) -> BaseGeometry | None:
        """The asked area in degrees (bbox and area together), or None."""
        if self.bbox is None:
            return self.intersects
        window = boxes(self.bbox)
        return window if self.intersects is None else window.intersection(self.intersects)

    def accepts(self, item: pystac.Item) -> bool:
        """Whether the item answers the whole query."""
        if self.ids and item.id not in self.ids:
            return False
        if self.collections and item.collection_id not in self.collections:
            return False
        if not (self._accepts_time(item) and self._accepts_cloud(item)):
            return False
        if self._matches is not None and not self._matches(item):
            return False
        return self._accepts_place(item)

    @cached_property
    def _matches(self) -> Callable[[pystac.Item], bool] | None:
        return None if self.filter is None else matcher(self.filter)

    def ordered(self, items: Iterable[pystac.Item]) -> list[pystac.Item]:
        """Items in the order of results: by ``sort``, else by date then id; unknown values last."""
        found = sorted(items, key=order)
        for name, descends in reversed(self.sort):
            known = [item for item in found if _sortable(item, name) is not None]
            unknown = [item for item in found if _sortable(item, name) is None]
            known.sort(key=lambda item: _sortable(item, name) or ("", 0.0), reverse=descends)
            found = known + unknown
        return found

    def _accepts_time(self, item: pystac.Item) -> bool:
        if self.start is None and self.end is None:
            return True
        first, last = item_time(item)
        if first is None and last is None:
            return False
        begins_late = first is not None and self.end is not None and first > self.end
        ends_early = last is not None and self.start is not None and last < self.start
        return not (begins_late or ends_early)

    def _accepts_cloud(self, item: pystac.Item) -> bool:
        if self.max_cloud is None:
            return True
        cover = cloud_cover(item)
        return self.cloud_missing == "keep" if cover is None else cover <= self.max_cloud

    def _accepts_place(self, item: pystac.Item) -> bool:
        area = self.area
        if area is None:
            return True
        shape = footprint(item)
        return shape is not None and bool(area.intersects(shape))

    @property
    def interval(self) -> str | None:
        """The time as STAC APIs write it."""
        if self.start is None and self.end is None:
            return None
        return "/".join(".." if t is None else stamp(t) for t in (self.start, self.end))


def make_query(
    *,
    collections: Sequence[str] | str | None = None,
    bbox: Sequence[float] | None = None,
    intersects: Area | None = None,
    datetime: When | None = None,
    max_cloud: float | None = None,
    cloud_missing: Literal["keep", "drop"] = "keep",
    ids: Sequence[str] | str | None = None,
    limit: int | None = None,
    filter: str | Mapping[str, object] | None = None,
    text: str | None = None,
    sortby: str | Sequence[str] | None = None,
) -> SearchQuery:
    """Check what a user asked.

    Raises:
        InvalidInputError: Naming the argument and what is allowed.
    """
    whole = isinstance(limit, int | np.integer) and not isinstance(limit, bool)
    if limit is not None and (not whole or limit < 1):
        raise InvalidInputError(
            f"limit = {limit!r}", "Give a whole number above 0, or None for all."
        )
    try:
        cloud = None if max_cloud is None else float(max_cloud)
    except (TypeError, ValueError):
        cloud = float("nan")
    if cloud is not None and not 0 <= cloud <= 100:
        raise InvalidInputError(f"max_cloud = {max_cloud!r}", "Give a percentage from 0 to 100.")
    if cloud_missing not in ("keep", "drop"):
        raise InvalidInputError(f"cloud_missing = {cloud_missing!r}", 'Give "keep" or "drop".')
    if text is not None and not isinstance(text, str):
        raise InvalidInputError(f"text = {str(text)[:100]!r}", "Give words as text.")
    start, end = parse_interval(datetime)
    return SearchQuery(
        collections=_names(collections),
        bbox=None if bbox is None else check_bbox(bbox),
        intersects=None if intersects is None else parse_area(intersects),
        start=start,
        end=end,
        max_cloud=cloud,
        cloud_missing=cloud_missing,
        ids=_names(ids),
        limit=None if limit is None else int(limit),
        filter=_filter(filter),
        words=tuple((text or "").split()),
        sort=tuple(_direction(name) for name in _names(sortby)),
    )


def _filter(filter: str | Mapping[str, object] | None) -> Mapping[str, object] | None:
    return None if filter is None else parse(filter)


def _direction(name: str) -> tuple[str, bool]:
    return name.lstrip("+-").removeprefix("properties."), name.startswith("-")


def _sortable(item: pystac.Item, name: str) -> tuple[str, str | float] | None:
    """A value that sorts beside others: kind first, so that numbers and text do not meet."""
    value: object
    if name == "datetime":
        first, last = item_time(item)
        time = first or last
        value = None if time is None else time.timestamp()
    else:
        value = {"id": item.id, "collection": item.collection_id}.get(
            name, item.properties.get(name)
        )
    if isinstance(value, str):
        return "text", value
    if isinstance(value, int | float) and value == value:  # noqa: PLR0124  NaN
        return "number", float(value)
    return None


def _names(value: Sequence[str] | str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise InvalidInputError(
            f"{str(value)[:100]!r} is no name", "Give a name, or a list of names."
        )
    return tuple(str(v) for v in value)


def item_time(item: pystac.Item) -> tuple[datetime | None, datetime | None]:
    """First and last instant of an item, UTC."""
    common = item.common_metadata
    first, last = common.start_datetime or item.datetime, common.end_datetime or item.datetime
    return _utc(first), _utc(last)


def _utc(time: datetime | None) -> datetime | None:
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def cloud_cover(item: pystac.Item) -> float | None:
    """Stated cloud cover in percent, or None."""
    value = item.properties.get("eo:cloud_cover")
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124
        return None
    return float(value)


def order(item: pystac.Item) -> tuple[datetime, str]:
    """Sort key of every result: date, then id."""
    first, last = item_time(item)
    return first or last or datetime.min.replace(tzinfo=UTC) + timedelta(days=1), item.id
