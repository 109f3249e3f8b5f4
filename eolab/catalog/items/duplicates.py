"""One product a tile and datatake: archives offer the same scene several times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eolab.catalog.items.radiometry import baseline
from eolab.catalog.query.query import item_time, order

if TYPE_CHECKING:
    import pystac

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
    """
    groups: dict[tuple[str, ...], list[pystac.Item]] = {}
    for item in sorted(items, key=order):
        groups.setdefault(scene(item), []).append(item)
    kept: list[pystac.Item] = []
    dropped = []
    for group in groups.values():
        best = max(group, key=_rank)
        seen = set()
        for item in group:
            same = _rank(item) == _rank(best) and item.collection_id == best.collection_id
            if same and item.id not in seen:
                seen.add(item.id)
                kept.append(item)
            else:
                dropped.append(Dropped(item.id, best.id, _reason(item, best)))
    return Resolved(sorted(kept, key=order), dropped)


def _rank(item: pystac.Item) -> tuple[int, tuple[int, ...], bool, str]:
    name = (item.collection_id or "").lower()
    level = next((value for text, value in _LEVELS if text in name), 0)
    return level, baseline(item) or (), "c1" in name, name


def _reason(item: pystac.Item, best: pystac.Item) -> str:
    if item.id == best.id and item.collection_id == best.collection_id:
        return "offered twice"
    if item.collection_id != best.collection_id:
        return f"the same scene is in {best.collection_id}"
    return "an older processing baseline of the same tile and datatake"


def scene(item: pystac.Item) -> tuple[str, ...]:
    """Key of tile and datatake; the id alone where the item does not name its tile."""
    tile = tile_of(item)
    if tile is None:
        return ("id", item.id)
    return ("scene", tile, overpass(item))


def tile_of(item: pystac.Item) -> str | None:
    """MGRS tile or WRS path and row, or None."""
    p = item.properties
    for value in (p.get("grid:code"), p.get("s2:mgrs_tile"), p.get("s2:tile")):
        if isinstance(value, str) and value:
            return value.upper().removeprefix("MGRS-").removeprefix("T").lstrip("0")
    zone, band, square = (p.get(f"mgrs:{k}") for k in ("utm_zone", "latitude_band", "grid_square"))
    if zone and band and square:
        return f"{zone}{band}{square}".upper()
    path, row = p.get("landsat:wrs_path"), p.get("landsat:wrs_row")
    if path and row:
        return f"WRS-{path}-{row}"
    return None


def overpass(item: pystac.Item) -> str:
    """Key of one pass of a satellite: the datatake without its baseline, else platform and day."""
    datatake = item.properties.get("s2:datatake_id")
    if isinstance(datatake, str) and datatake:
        # GS2A_20210520T101031_000022_N05.10: product, start, absolute orbit, baseline
        return re.sub(r"_N\d\d\.\d\d$", "", datatake)
    time, _ = item_time(item)
    p = item.properties
    day = "" if time is None else f"{time:%Y%m%d}"
    return f"{p.get('platform', '')}_{day}_{p.get('sat:relative_orbit', '')}"
