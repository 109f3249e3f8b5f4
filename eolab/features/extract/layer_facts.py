"""What the numbers of a cube are: by which sensor they were measured, as what and in which unit.

Rows made from a cube carry it in ``frame.attrs``, their commit records it, and a map is refused
where its cube says otherwise. What nobody says is left out: no fact is guessed from values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

STORED = "stored numbers"
_FACTS = ("quantity", "unit")
# Platforms whose bands differ by less than other corrections do are one sensor.
_SENSORS = (
    (re.compile(r"landsat-?[89]$"), "landsat-oli"),
    (re.compile(r"landsat-?7$"), "landsat-etm"),
    (re.compile(r"landsat-?[45]$"), "landsat-tm"),
    (re.compile(r"(sentinel-?\d)[a-d]$"), ""),
)


@dataclass(frozen=True)
class LayerFacts:
    """Facts of a cube's layers, or of all cubes that a model learnt from.

    Attributes:
        sensors: Names such as "sentinel-2"; empty where they are not known.
        bands: By band, then by fact ("quantity", "unit"), what was said of it.
    """

    sensors: frozenset[str] = frozenset()
    bands: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Plain JSON; empty where nothing is known."""
        bands = {
            name: {fact: sorted(values) for fact, values in facts.items()}
            for name, facts in self.bands.items()
        }
        out: dict[str, object] = {"sensors": sorted(self.sensors)} if self.sensors else {}
        return {**out, "bands": bands} if bands else out

    @staticmethod
    def from_dict(document: object) -> LayerFacts:
        """Those of plain JSON; what is none of them is passed over."""
        if not isinstance(document, Mapping):
            return LayerFacts()
        bands = document.get("bands")
        found = {
            str(name): {
                fact: frozenset(map(str, facts[fact])) for fact in _FACTS if facts.get(fact)
            }
            for name, facts in (bands.items() if isinstance(bands, Mapping) else ())
            if isinstance(facts, Mapping)
        }
        return LayerFacts(frozenset(map(str, document.get("sensors") or ())), found)

    @staticmethod
    def joined(several: Iterable[LayerFacts]) -> LayerFacts:
        """What any of several say."""
        sensors: frozenset[str] = frozenset()
        bands: dict[str, dict[str, frozenset[str]]] = {}
        for each in several:
            sensors |= each.sensors
            for name, facts in each.bands.items():
                known = bands.setdefault(name, {})
                for fact, values in facts.items():
                    known[fact] = known.get(fact, frozenset()) | values
        return LayerFacts(sensors, bands)


def sensor_of(platform: str) -> str:
    """The sensor of a platform: "sentinel-2a" is "sentinel-2"; others are their own."""
    name = platform.strip().lower().replace("_", "-").replace(" ", "-")
    for pattern, sensor in _SENSORS:
        found = pattern.match(name)
        if found:
            return sensor or found[1]
    return name


def layer_facts(cube: xr.Dataset) -> LayerFacts:
    """What a cube says of its layers; attributes that arithmetic dropped say nothing."""
    sensors: frozenset[str] = frozenset()
    if "platform" in cube.coords:
        values = np.atleast_1d(cube["platform"].to_numpy()).tolist()
        names = {name for value in values for name in str(value).split(",")}
        sensors = frozenset(
            sensor_of(n) for n in names if n.strip() and n.strip().lower() not in {"none", "nan"}
        )
    raw = cube.attrs.get("eolab_radiometry") == "raw"
    bands: dict[str, dict[str, set[str]]] = {}
    text = cube.attrs.get("eolab_provenance")
    try:
        entries = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        entries = []
    for entry in entries if isinstance(entries, list) else []:
        name = str(entry.get("band") or "")
        if name not in cube.data_vars:
            continue
        said = {"quantity": STORED} if raw else {f: str(entry.get(f) or "") for f in _FACTS}
        for fact, value in said.items():
            if value:
                bands.setdefault(name, {}).setdefault(fact, set()).add(value)
    frozen = {
        name: {fact: frozenset(values) for fact, values in facts.items()}
        for name, facts in bands.items()
    }
    return LayerFacts(sensors, frozen)
