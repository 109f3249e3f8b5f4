"""How the layers of a load are stored, where their items do not say: the files are asked.

Each file is opened once and many at a time, before anything is read: so what is done to the numbers
is decided, checked and told in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eolab.catalog.cube.grid import read_header
from eolab.catalog.cube.plan import MASK, LoadEstimate, Scene
from eolab.catalog.io.rasters import Readers
from eolab.catalog.items.file_facts import FileFacts
from eolab.catalog.items.parsed import stated_bands
from eolab.errors import InvalidInputError

AT_ONCE = 16  # files that are looked at
_DESCRIBED = "eolab:folder"  # field of items that were made from their files: nothing is unsaid
# Units that are written in several ways.
_SAME = {
    "k": "kelvin",
    "kelvins": "kelvin",
    "c": "degree_celsius",
    "°c": "degree_celsius",
    "degc": "degree_celsius",
    "deg c": "degree_celsius",
    "celsius": "degree_celsius",
    "degrees celsius": "degree_celsius",
    "degrees_celsius": "degree_celsius",
    "degree celsius": "degree_celsius",
    "": "1",
    "none": "1",
    "unitless": "1",
    "dimensionless": "1",
    "reflectance": "1",
    "metre": "m",
    "meter": "m",
    "metres": "m",
    "meters": "m",
}


def ask_files(made: LoadEstimate, *, raw: bool, everything: bool = False) -> LoadEstimate:
    """The estimate with every rule decided, by the files' own facts where items are silent.

    Args:
        made: What is to be read.
        raw: As stored: the nodata must be known too.
        everything: Ask also the files of items that state all.

    Raises:
        InvalidInputError: A file cannot be opened; one name stands for two quantities.
        RemoteError: Its server refuses it.
    """
    scenes = [scene for group in made.slices for scene in group]
    asked = {
        (id(scene), name)
        for scene in scenes
        for name in scene.bands
        if everything or _silent(scene, name, raw=raw or name == MASK)
    }
    with Readers(AT_ONCE) as pool:
        files = {
            (id(scene), scene.bands[name].asset): pool.submit(
                read_header, scene.item, scene.bands[name].asset
            )
            for scene in scenes
            for name in scene.bands
            if (id(scene), name) in asked
        }
        for each in files.values():
            each.result()

    def facts(scene: Scene) -> dict[str, FileFacts]:
        found = {}
        for name, band in scene.bands.items():
            header = files.get((id(scene), band.asset))
            if header is not None and (id(scene), name) in asked:
                bands = header.result().bands
                if band.index <= len(bands):  # else reading it says so
                    found[name] = bands[band.index - 1]
                    _check_count(scene, name, len(bands))
        return found

    slices = tuple(tuple(scene.decided(facts(scene)) for scene in group) for group in made.slices)
    made = replace(made, slices=slices)
    if not raw:
        check_quantities([scene for group in slices for scene in group])
    return made


def _silent(scene: Scene, name: str, *, raw: bool) -> bool:
    """Whether the item leaves open how a layer is stored."""
    layer, rule = scene.bands[name], scene.radiometry[name]
    if layer.data_type is None:
        return True
    if _DESCRIBED in scene.item.item.extra_fields:
        return raw and layer.nodata is None
    if raw:
        return rule.nodata is None
    stated = layer.scale is not None or layer.offset is not None
    return not stated and rule.quantity != "classes" and rule.origins.get("scale") != "user"


def _check_count(scene: Scene, name: str, bands: int) -> None:
    """A file of several bands of which the item says nothing is not read for its first."""
    layer = scene.bands[name]
    asset = scene.item.item.assets[layer.asset]
    if bands > 1 and not stated_bands(asset) and layer.name in (layer.asset, name):
        header = read_header(scene.item, layer.asset)
        spectral = [k for k in range(1, bands + 1) if k != header.alpha]
        if len(spectral) > 1 and not layer.numbered:
            choices = ", ".join(f"{layer.asset}.{k}" for k in spectral)
            raise InvalidInputError(
                f"asset {layer.asset!r} of item {scene.item.id} holds {len(spectral)} bands",
                f"Ask for one: {choices}.",
            )


def check_quantities(scenes: Sequence[Scene]) -> None:
    """One name of a cube is one quantity in one unit.

    Raises:
        InvalidInputError: It names two.
    """
    for name in scenes[0].bands:
        if name == MASK:
            continue
        for what, of in (("units", _unit_of), ("quantities", _quantity_of)):
            found: dict[str, str] = {}
            for scene in scenes:
                if (value := of(scene, name)) is not None:
                    found.setdefault(value, scene.item.id)
            if len(found) > 1:
                (one, first), (other, second) = list(found.items())[:2]
                raise InvalidInputError(
                    f"band {name!r} has two {what}: {one} in item {first},"
                    f" {other} in item {second}",
                    "Load them apart, and bring one to the other's; or say yourself, for all of"
                    " them, what the numbers are: scale=, offset=.",
                )


def _unit_of(scene: Scene, name: str) -> str | None:
    rule = scene.radiometry[name]
    if rule.unit is None or rule.origins.get("scale") == "user":
        return None
    text = rule.unit.strip().lower()
    return _SAME.get(text, text)


def _quantity_of(scene: Scene, name: str) -> str | None:
    rule = scene.radiometry[name]
    known = rule.quantity not in (None, "other", "picture")
    return rule.quantity if known and rule.origins.get("scale") != "user" else None
