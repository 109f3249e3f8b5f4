"""What a search found, as a notebook shows it."""

from __future__ import annotations

from html import escape

import pystac

from eolab.catalog.items.duplicates import resolve_duplicates
from eolab.catalog.query.query import cloud_cover, item_time

SHOWN = 12


class FoundItems(pystac.ItemCollection):
    """A `pystac.ItemCollection` that says what is in it: pystac's own shows each item's JSON."""

    def __add__(self, other: object) -> pystac.ItemCollection:
        if not isinstance(other, pystac.ItemCollection):
            return NotImplemented
        return FoundItems([*self.items, *other.items])

    def __repr__(self) -> str:
        rows = ["  ".join(cell for cell in _row(item) if cell) for item in self.items[:SHOWN]]
        return "\n  ".join([f"<{self._title()}>", *rows, *self._notes()])

    def _repr_html_(self) -> str:
        names = ("time (UTC)", "id", "collection", "cloud", "platform")
        head = "".join(f"<th>{name}</th>" for name in names)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(item)) + "</tr>"
            for item in self.items[:SHOWN]
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes())
        return f"<div><b>{escape(self._title())}</b></div>{table if rows else ''}{notes}"

    def _title(self) -> str:
        if not self.items:
            return "0 items"
        ids = sorted({item.collection_id or "no collection" for item in self.items})
        of = ids[0] if len(ids) == 1 else f"{len(ids)} collections"
        times = [time for item in self.items for time in item_time(item) if time is not None]
        when = ""
        if times:
            first, last = f"{min(times):%Y-%m-%d}", f"{max(times):%Y-%m-%d}"
            when = f", {first}" if first == last else f", {first} to {last}"
        return f"{len(self)} item{'s' if len(self) > 1 else ''} of {of}{when}"

    def _notes(self) -> list[str]:
        notes = []
        if len(self) > SHOWN:
            notes.append(f"and {len(self) - SHOWN} more")
        if dropped := len(resolve_duplicates(self.items).dropped):
            is_other = "is another version" if dropped == 1 else "are other versions"
            notes.append(f"{dropped} of them {is_other} of a scene: loading takes the newest")
        return notes


def _row(item: pystac.Item) -> tuple[str, str, str, str, str]:
    first, last = item_time(item)
    time = first or last
    cover = cloud_cover(item)
    return (
        "" if time is None else f"{time:%Y-%m-%d %H:%M}",
        item.id,
        item.collection_id or "",
        "" if cover is None else f"{cover:.0f} %",
        str(item.properties.get("platform") or ""),
    )
