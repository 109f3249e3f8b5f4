"""One product a tile and datatake: archives offer the same scene several times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from eolab.catalog.items.parsed import ParsedItem, parse_item

if TYPE_CHECKING:
    import pystac

_ONE_PASS = timedelta(minutes=10)  # products of one pass over a tile begin within
# Of the same scene in several collections the one that is most processed, then most harmonised.
_LEVELS = (("l2a", 2), ("l2", 2), ("l1c", 1), ("l1", 1))


@dataclass(frozen=True)
class Dropped:
    """An item that was left out, and why."""

    item: str
    kept: str
    reason: str


@dataclass(frozen=True, repr=False)
class Resolved:
    """What is left to load, ordered by date then id, and what was left out."""

    items: list[pystac.Item]
    dropped: list[Dropped]

    def __repr__(self) -> str:
        lines = [f"<{len(self.items)} items, {len(self.dropped)} left out>"]
        lines += [f"{d.item}: {d.reason} ({d.kept} is kept)" for d in self.dropped]
        return "\n  ".join(lines)


def resolve_duplicates(items: Iterable[pystac.Item]) -> Resolved:
    """Keep the newest baseline of each tile and datatake, in one collection.

    Items of the same baseline all stay: an overpass may be cut in two products of one tile.
    Items that name no tile are told apart by id only.

    Example:
        >>> from eolab.catalog import resolve_duplicates
        >>> kept = resolve_duplicates(items)
        >>> len(items), len(kept.items), kept.dropped[0].item
        (6, 4, 'SIM_S2B_32UQU_20210520_N0300')
    """
    kept, dropped = resolve(parse_item(item) for item in items)
    return Resolved([one.item for one in kept], dropped)


def resolve(items: Iterable[ParsedItem]) -> tuple[list[ParsedItem], list[Dropped]]:
    """As `resolve_duplicates`, of parsed items."""
    groups: dict[tuple[str, ...], list[ParsedItem]] = {}
    latest: dict[tuple[str, ...], tuple[str, ...]] = {}
    for item in sorted(items, key=_order):
        key = scene(item)
        group = groups.get(latest.get(key, key))
        if group and item.order[0] - group[0].order[0] >= _ONE_PASS:
            # Another look at the same tile on that day, of an item that names no datatake.
            latest[key] = (*key, item.order[0].isoformat())
        groups.setdefault(latest.get(key, key), []).append(item)
    kept: list[ParsedItem] = []
    dropped = []
    for group in groups.values():
        best = max(group, key=_rank)
        seen = set()
        for item in group:
            same = _rank(item) == _rank(best) and item.collection == best.collection
            if same and item.id not in seen:
                seen.add(item.id)
                kept.append(item)
            else:
                dropped.append(Dropped(item.id, best.id, _reason(item, best)))
    return sorted(kept, key=_order), dropped


def _order(item: ParsedItem) -> tuple[datetime, str]:
    return item.order


def _rank(item: ParsedItem) -> tuple[int, tuple[int, ...], bool, str]:
    name = (item.collection or "").lower()
    level = next((value for text, value in _LEVELS if text in name), 0)
    return level, item.baseline or (), "c1" in name, name


def _reason(item: ParsedItem, best: ParsedItem) -> str:
    if item.id == best.id and item.collection == best.collection:
        return "offered twice"
    if item.collection != best.collection:
        return f"the same scene is in {best.collection}"
    return "an older processing baseline of the same tile and datatake"


def scene(item: ParsedItem) -> tuple[str, ...]:
    """Key of tile and datatake; the id alone where the item does not name its tile."""
    if item.tile is None:
        return ("id", item.id)
    # L30 and S30 of HLS are two sensors on one grid, minutes apart at times.
    sensor = item.product.name if item.product is not None and "HLS" in item.product.name else ""
    return ("scene", item.tile, item.overpass, sensor)
