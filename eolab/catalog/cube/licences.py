"""Under which licence the scenes of a cube are, and whom their publishers ask to name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from eolab.catalog.items.parsed import ParsedItem

ATTR = "eolab_licences"
FACTS = ("license", "attribution")


def as_text(items: Sequence[ParsedItem]) -> str:
    """Licence and attribution of each item as JSON, which every file format keeps.

    Args:
        items: In the order of ``attrs["eolab_items"]``.
    """
    made: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        facts = {"license": _license(item), "attribution": _attribution(item)}
        made.setdefault(json.dumps(facts, ensure_ascii=False), []).append(number)
    return json.dumps(
        [{**json.loads(facts), "items": numbers} for facts, numbers in made.items()],
        ensure_ascii=False,
    )


def by_item(text: object) -> dict[int, Mapping[str, str]]:
    """Licence and attribution by the item's number; nothing where the cube does not say."""
    if not isinstance(text, str):
        return {}
    return {
        number: {fact: str(entry[fact]) for fact in FACTS}
        for entry in json.loads(text)
        for number in entry["items"]
    }


def _license(item: ParsedItem) -> str:
    """As the item states it, by name or by its link; "" where it is left to the collection."""
    stated = item.item.properties.get("license")
    if isinstance(stated, str) and stated not in ("", "other", "proprietary", "various"):
        return stated
    links = [link.href for link in item.item.links if link.rel == "license" and link.href]
    return links[0] if links else str(stated or "")


def _attribution(item: ParsedItem) -> str:
    """The words that a publisher asks for, else the item's own word, else its providers.

    Copernicus: Legal notice on the use of Copernicus Sentinel Data and Service Information.
    Landsat: USGS, "Landsat data ... courtesy of the U.S. Geological Survey".
    """
    properties = item.item.properties
    if properties.get("eolab:simulated") is True:
        return "simulated, no real data"
    own = properties.get("attribution")
    if isinstance(own, str) and own:
        return own
    platform = (item.platform or "").lower()
    if item.time is not None and platform.startswith("sentinel-"):
        return f"Contains modified Copernicus Sentinel data {item.time.year}"
    if platform.startswith("landsat-"):
        return "Landsat data courtesy of the U.S. Geological Survey"
    providers = properties.get("providers")
    listed = providers if isinstance(providers, list) else []
    names = [str(p["name"]) for p in listed if isinstance(p, Mapping) and p.get("name")]
    return ", ".join(names)
