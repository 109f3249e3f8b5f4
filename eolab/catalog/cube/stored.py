"""How the layers of a load are stored, where their items do not say: the files are asked.

They are opened many at a time, before anything is read: so what is done to the numbers is decided,
checked and told in one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eolab.catalog.cube.plan import MASK, LoadEstimate, Scene
from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.rasters import Readers, opened
from eolab.catalog.items.bands import find_band
from eolab.catalog.items.file_facts import FileFacts
from eolab.catalog.items.headers import AT_ONCE, look_ahead, read_header
from eolab.catalog.items.parsed import Layer, ParsedItem, stated_bands
from eolab.catalog.items.side_masks import side_masks
from eolab.errors import InvalidInputError
from eolab.user_warnings import warn

_SHIFT = -0.1  # of reflectance, with which baseline 04.00 and later is stored
_MANY = 0.05  # share of the known numbers
_COARSE = 256  # pixels of a look at a whole scene
_NEAR = 8  # times as many may be read without an overview
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
    masks = side_masks(
        (scene.item, layer.asset) for scene in scenes for layer in scene.bands.values()
    )
    slices = tuple(
        tuple(
            replace(
                scene.decided(facts.get(id(scene), {}), assumed.get(id(scene))),
                masks=_masks_of(scene, masks),
            )
            for scene in group
        )
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


def _masks_of(scene: Scene, masks: Mapping[tuple[int, str], str]) -> dict[str, str]:
    """Where masks lie beside the files of a scene, by variable."""
    found = {name: masks.get((id(scene.item), band.asset)) for name, band in scene.bands.items()}
    return {name: href for name, href in found.items() if href is not None}


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


def warn_of_shift(made: LoadEstimate) -> None:
    """Where a provider says that Sentinel-2's 1000 is still in, but the numbers do not look so.

    Earth Search's `boa_offset_applied: false` is wrong of many items (its issues 66 and 71). Of
    numbers with the 1000 in them hardly one of the green band lies below; a coarse overview of the
    whole scene tells, whatever part of it is loaded.
    """
    doubted = []
    for scene in (scene for group in made.slices for scene in group):
        denied = scene.item.offset_applied is False
        if denied and any(
            rule.offset == _SHIFT and rule.origins.get("offset") != "user"
            for rule in scene.radiometry.values()
        ):
            doubted.append(scene.item)
    if not doubted:
        return
    with Readers(AT_ONCE) as pool:
        shares = list(pool.map(_share_below, doubted))
    low = [item.id for item, share in zip(doubted, shares, strict=True) if share > _MANY]
    if low:
        warn(
            f"{max(shares):.0%} of the numbers of item {low[0]} are under 1000"
            f"{f' ({len(low)} items are like it)' if len(low) > 1 else ''}, though its provider"
            " says (boa_offset_applied: false) that 1000 is still added to them: that is wrong of"
            " some items, and reflectance would be 0.1 too low. Look at it, and load such items"
            " with offset=0.",
            UserWarning,
        )


def _share_below(item: ParsedItem) -> float:
    """Share of the known numbers under 1000 in a coarse look at the green band; 0 without one."""
    import rasterio

    try:
        layer = find_band(item, "green")
    except InvalidInputError:
        try:
            layer = find_band(item, "red")
        except InvalidInputError:
            return 0.0
    try:
        with opened(item.item, layer.asset) as file:
            step = max(1, max(file.shape) // _COARSE)
            if step > _NEAR and not file.overviews(layer.index):
                return 0.0  # to read it whole would take longer than the load
            shape = tuple(max(1, side // step) for side in file.shape)
            numbers = file.read(layer.index, out_shape=shape)
    except rasterio.errors.RasterioError:
        return 0.0  # reading it says so
    known = numbers[(numbers != 0) & np.isfinite(numbers)]
    return float((known < 1000).mean()) if known.size else 0.0
