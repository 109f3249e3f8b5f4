"""How the layers of a load are stored, where their items do not say: the files are asked.

They are opened many at a time, before anything is read: so what is done to the numbers is decided,
checked and told in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eolab.catalog.cube.plan import MASK, LoadEstimate, Scene
from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.items.file_facts import FileFacts
from eolab.catalog.items.headers import look_ahead, read_header
from eolab.catalog.items.parsed import Layer, ParsedItem, stated_bands
from eolab.errors import InvalidInputError

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


def ask_files(
    made: LoadEstimate, *, raw: bool, later: bool = False, everything: bool = False
) -> LoadEstimate:
    """The estimate with every rule decided, by the files' own facts where items are silent.

    Of far files of which the items say the same, two are asked for all; the others are held to
    that when they are read (`LayerRecipe.assumed`): a second journey to each would cost as much as
    the reading.

    Args:
        made: What is to be read.
        raw: As stored: the nodata must be known too.
        later: The files are read when nothing can be planned anew: each is asked.
        everything: Ask each file, also those of items that state all.

    Raises:
        InvalidInputError: A file cannot be opened; one name stands for two quantities.
        RemoteError: Its server refuses it.
    """
    scenes = [scene for group in made.slices for scene in group]
    kinds: dict[object, list[_Band]] = {}
    for scene in scenes:
        for name in scene.bands:
            if everything or _silent(scene, name, raw=raw or name == MASK):
                one = _Band(scene, name)
                kinds.setdefault(id(one) if later or everything else one.kind, []).append(one)
    look_ahead(one.file for alike in kinds.values() for one in (alike[0], alike[-1]))
    facts: dict[int, dict[str, FileFacts]] = {}
    assumed: dict[int, dict[str, tuple[FileFacts, ...]]] = {}
    for alike in kinds.values():
        model = read_header(*alike[0].file).bands
        for one in alike:
            known = one.layer.asset in one.scene.item.opened
            bands = read_header(*one.file).bands if known else model
            if known:
                _check_count(one.scene, one.name, len(bands))
            else:
                assumed.setdefault(id(one.scene), {})[one.name] = bands
            if one.layer.index <= len(bands):  # else reading it says so
                facts.setdefault(id(one.scene), {})[one.name] = bands[one.layer.index - 1]
    slices = tuple(
        tuple(scene.decided(facts.get(id(scene), {}), assumed.get(id(scene))) for scene in group)
        for group in made.slices
    )
    made = replace(made, slices=slices)
    if not raw:
        check_quantities([scene for group in slices for scene in group])
    return made


@dataclass(frozen=True, eq=False)
class _Band:
    """One band of one scene, whose file is to be asked."""

    scene: Scene
    name: str

    @property
    def layer(self) -> Layer:
        return self.scene.bands[self.name]

    @property
    def file(self) -> tuple[ParsedItem, str]:
        return self.scene.item, self.layer.asset

    @property
    def kind(self) -> object:
        """What the items say of it, but for its place; a near file is a kind of its own."""
        if local_files(self.layer.href) or "://" not in self.layer.href:
            return id(self)
        item = self.scene.item
        plain = replace(self.layer, href="", crs=None, transform=None, shape=None, pixel_size=None)
        return self.name, item.collection, item.platform, item.baseline_text, plain


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
