"""Which items are one acquisition: a slice of a cube holds one, and nothing hides anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from eolab.catalog.items.duplicates import Dropped
from eolab.catalog.items.parsed import ParsedItem
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# Neighbours in one pass without a stated orbit. Tiles of a swath are seconds apart, the next pass
# of a satellite over the same ground is at least 90 minutes later.
NEIGHBOURS = timedelta(minutes=10)
# Of one stated relative orbit: the lit half of an orbit takes 50 minutes.
ORBIT = timedelta(hours=1)
# Of the smaller footprint. Frames of a strip overlap by a tenth (rows of Landsat, tiles of MGRS).
OVERLAP = 0.25

GroupBy: TypeAlias = Literal["acquisition", "solar_day", "time", "id"]
GROUPINGS: tuple[str, ...] = get_args(GroupBy)


@dataclass
class _Pass:
    """Items of one acquisition, by their number."""

    members: list[int]
    last: datetime
    times: set[datetime] = field(default_factory=set)


def slices_of(items: Sequence[ParsedItem], group_by: GroupBy) -> list[list[int]]:
    """Numbers of the items of each slice, by time.

    Args:
        items: With time and outline, in any order.
        group_by: "acquisition"; "solar_day" lays acquisitions of one day by the sun and of one
            platform and orbit together, as long as they show other ground: two passes over the
            same ground are two slices; "time" those of the very same time; "id" none.

    Raises:
        InvalidInputError: An item has no time or no outline.
    """
    passes = acquisitions(items)
    if group_by == "acquisition":
        return passes
    if group_by == "solar_day":
        return _by_solar_day(items, passes)
    order = sorted(range(len(items)), key=lambda number: items[number].order)
    if group_by == "id":
        return [[number] for number in order]
    times: dict[datetime | None, list[int]] = {}
    for number in order:
        times.setdefault(items[number].time, []).append(number)
    return list(times.values())


def _by_solar_day(items: Sequence[ParsedItem], passes: list[list[int]]) -> list[list[int]]:
    """Passes of one solar day, platform and orbit that show other ground, as one slice each."""
    days: dict[tuple[str, str, date], list[list[int]]] = {}
    made: list[list[int]] = []
    for members in passes:
        first = items[members[0]]
        key = first.platform or "", _orbit(first), _solar_day(first)
        there = next(
            (
                day
                for day in days.setdefault(key, [])
                if not any(overlap(items[a], items[b]) for a in day for b in members)
            ),
            None,
        )
        if there is None:
            there = []
            made.append(there)
            days[key].append(there)
        there += members
    return made


def _solar_day(item: ParsedItem) -> date:
    """The day by the sun at the middle of the outline: 15 degrees are an hour."""
    assert item.time is not None
    assert item.outline is not None
    return (item.time + timedelta(hours=float(item.outline.centroid.x) / 15)).date()


def acquisitions(items: Sequence[ParsedItem]) -> list[list[int]]:
    """Numbers of the items that belong together, by time.

    Items of one platform are one acquisition where they state the same datatake or relative orbit,
    or have the very same time. Others are where they are less than ten minutes apart and show
    different ground: tiles of a grid, or outlines that overlap by no more than a quarter.

    Args:
        items: With time and outline, in any order.

    Raises:
        InvalidInputError: One has no time or no outline.
    """
    order = sorted(range(len(items)), key=lambda number: items[number].order)
    found: list[_Pass] = []
    open_: dict[tuple[str, str], list[_Pass]] = {}
    takes: dict[tuple[str, str, str], _Pass] = {}
    for number in order:
        item = items[number]
        time = item.time
        if time is None or item.outline is None:
            raise InvalidInputError(f"item {item.id} has no time or no outline", "Leave it out.")
        orbit = _orbit(item)
        look = item.platform or "", orbit
        span = ORBIT if orbit else NEIGHBOURS
        recent = [p for p in open_.get(look, []) if time - p.last < span or time in p.times]
        take = (*look, _datatake(item))
        joined = takes.get(take) if take[2] else None
        if joined is None:
            joined = next((p for p in recent if time in p.times), None)
        if joined is None and orbit and recent:
            joined = recent[-1]
        if joined is None:
            joined = next(
                (
                    p
                    for p in reversed(recent)
                    if not any(overlap(item, items[k]) for k in p.members)
                ),
                None,
            )
        if joined is None:
            joined = _Pass([], time)
            found.append(joined)
        joined.members.append(number)
        joined.times.add(time)
        joined.last = max(joined.last, time)
        open_[look] = recent if any(p is joined for p in recent) else [*recent, joined]
        if take[2]:
            takes[take] = joined
    return [p.members for p in found]


def _orbit(item: ParsedItem) -> str:
    """Direction and relative orbit as stated, of Landsat the path; "" where neither is."""
    path = item.item.properties.get("landsat:wrs_path")
    return item.orbit or ("" if path is None else f"path {path}")


def _datatake(item: ParsedItem) -> str:
    """Name of the datatake where one is stated."""
    return item.overpass if item.item.properties.get("s2:datatake_id") else ""


def overlap(one: ParsedItem, other: ParsedItem) -> bool:
    """Whether two items show much of the same ground; tiles of a grid overlap by its rules."""
    if one.tile is not None and other.tile is not None and one.tile != other.tile:
        return False
    first, second = one.outline, other.outline
    return first is not None and second is not None and _share(first, second) > OVERLAP


def _share(first: BaseGeometry, second: BaseGeometry) -> float:
    """How much of the smaller outline lies in the other, 0..1."""
    a, b = first.bounds, second.bounds
    if a[0] > b[2] or b[0] > a[2] or a[1] > b[3] or b[1] > a[3]:
        return 0.0
    smaller = min(first.area, second.area)
    if smaller == 0:
        return float(first.intersects(second))
    return float(first.intersection(second).area / smaller)


def hidden(items: Sequence[ParsedItem]) -> list[Dropped]:
    """Items of one slice that lie on the same ground as an earlier one of it.

    Where both have values only the first is seen.
    """
    import shapely

    shapes = [item.outline for item in items]
    if len(items) < 2 or any(shape is None for shape in shapes):
        return []
    ones, others = shapely.STRtree(shapes).query(np.asarray(shapes), predicate="intersects")
    found: dict[int, Dropped] = {}
    for a, b in sorted(zip(ones.tolist(), others.tolist(), strict=True)):
        if a < b and b not in found and overlap(items[a], items[b]):
            reason = "it lies on the same ground at the same time"
            found[b] = Dropped(items[b].id, items[a].id, reason)
    return [found[b] for b in sorted(found)]
