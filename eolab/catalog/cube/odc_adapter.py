"""What odc-stac is told to read: our bands by our names, how they are stored, nothing to guess."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.cube.grid import item_crs, item_geobox
from eolab.catalog.cube.odc_reader import RECIPES, LayerRecipe, NumberRule, source_address
from eolab.catalog.cube.plan import MASK, LoadEstimate, Scene, needs_doubles
from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.item_logins import is_refusal, login_of
from eolab.catalog.io.logins import SourceLogin, without_signature
from eolab.catalog.io.rasters import Readers, gdal_address
from eolab.catalog.items.bands import spectral_bands
from eolab.catalog.items.file_facts import FileFacts, held_nodata
from eolab.catalog.items.headers import AT_ONCE, read_header
from eolab.catalog.items.parsed import Layer, ParsedItem
from eolab.catalog.items.radiometry import Radiometry
from eolab.errors import EolabError, InvalidInputError, RemoteError

if TYPE_CHECKING:
    import pystac
    import xarray as xr
    from odc.geo.geobox import GeoBox

_GEOTIFF = "image/tiff; application=geotiff"
_RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_EO = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
TYPES = (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64",
)  # fmt: skip


@dataclass(frozen=True)
class VariableType:
    """One variable of a cube while it is read.

    Attributes:
        dtype: Data type that holds the numbers of all scenes.
        fill: What stands in it where nothing is known; None where every number is a value.
        classes: Its numbers are names: they are never averaged.
    """

    dtype: str
    fill: float | None
    classes: bool


def column(scenes: Sequence[Scene], name: str, *, as_stored: bool) -> VariableType:
    """How a variable is held, for all scenes.

    Args:
        scenes: With their data types known.
        name: Of the variable.
        as_stored: Numbers as they are stored, or values.
    """
    rules = [scene.radiometry[name] for scene in scenes]
    types = [np.dtype(rule.data_type or "float32") for rule in rules]
    classes = any(rule.quantity == "classes" for rule in rules)
    for scene, kind in zip(scenes, types, strict=True):
        if kind.kind == "c":
            raise InvalidInputError(
                f"{name} of item {scene.item.id} holds complex numbers, which have no one value",
                "Take a product of intensities, or write their absolute values into a file; or load"
                " other bands: bands=[...].",
            )
    if not as_stored:
        # Whole numbers of 32 bits, such as those of parcels, have more digits than float32.
        wide = any(needs_doubles(kind.name) for kind in types)
        return VariableType("float64" if wide else "float32", math.nan, classes)
    common = np.result_type(*types)
    stated = {held_nodata(rule.nodata, kind) for rule, kind in zip(rules, types, strict=True)}
    if len(stated) == 1 and None not in stated:
        (fill,) = stated
        return VariableType(common.name, fill, classes)
    if common.kind not in "iu":
        return VariableType(common.name, math.nan, classes)
    # Every number of this type may be a value in one of the scenes: the next type has others.
    wider = {1: "int16", 2: "int32", 4: "int64"}.get(common.itemsize)
    if wider is None and common.kind == "i" and stated == {None}:
        wider = common.name  # the lowest of 64 bits is nobody's number
    if wider is None:
        raise InvalidInputError(
            f"raw=True: no number of {common} is free to mark the pixels of {name} without data"
            f" (item {scenes[0].item.id})",
            f"Say which means nothing: nodata={{{name!r}: ...}}.",
        )
    return VariableType(wider, float(np.iinfo(wider).min), classes)


def known_values(band: xr.DataArray) -> xr.DataArray:
    """Real numbers, NaN where unknown: stored numbers without their nodata.

    Integers would wrap around in differences (uint16), and their nodata count as a value.
    """
    nodata = band.attrs.get("nodata")
    plain = nodata is None or math.isnan(nodata)
    if band.dtype.kind not in "iub":
        return band if plain else band.where(band != nodata)
    values = band.astype("float32" if band.dtype.itemsize <= 2 else "float64")
    return values if plain else values.where(band != nodata)


def strip(
    scene: Scene,
    columns: Mapping[str, str],
    types: Mapping[str, VariableType],
    stored: Collection[str],
    *,
    later: bool = False,
    cube: CubeGrid | None = None,
) -> pystac.Item:
    """The item as odc-stac needs it: our bands, our names, one band a file, nothing to guess.

    Args:
        scene: With its rules decided.
        columns: What odc calls each variable.
        types: How each is held.
        stored: Variables of numbers as they are stored.
        later: The files are read when nothing can be planned anew.
        cube: Grid of the cube, where the call says it; else what the items state made it.
    """
    import pystac
    from shapely.geometry import mapping

    item = scene.item
    outline = item.outline
    assert outline is not None  # without one the scene has no day
    bare = pystac.Item(
        item.id,
        item.item.geometry or mapping(outline),
        item.item.bbox,
        item.time,
        {},
        stac_extensions=[_RASTER, _EO],
        collection="eolab",
    )
    login = login_of(item.item)
    grids = {name: item_geobox(item, scene.bands[name]) for name in columns}
    if cube is not None:
        # What an item states beside its files would hide them: then its outline counts.
        grids = {
            k: box if box and cube.meets(box, scene.bands[k]) else None for k, box in grids.items()
        }
    if all(grids.values()):
        # With the grids odc need not bring the outline, point by point, to the cube's system.
        bare.stac_extensions.append(_PROJECTION)
        bare.properties["proj:code"] = item_crs(item, next(iter(scene.bands.values())))
    recipes = {}
    for name, key in columns.items():
        band = scene.bands[name]
        grid: dict[str, object] = {}
        if (box := grids[name]) is not None:
            grid = {"proj:transform": list(box.transform)[:6], "proj:shape": list(box.shape)}
        entry: dict[str, object] = {"data_type": types[name].dtype}
        fill = types[name].fill
        if fill is not None:
            entry["nodata"] = "nan" if math.isnan(fill) else fill
        recipes[key] = recipe = _recipe(
            scene,
            name,
            login,
            as_stored=name in stored,
            later=later,
            stated=grids[name] if cube is None else None,
        )
        bare.add_asset(
            key,
            pystac.Asset(
                source_address(item.item.assets[band.asset].href, recipe),
                media_type=_GEOTIFF,
                roles=["data"],
                extra_fields={"raster:bands": [entry], **grid},
            ),
        )
    bare.extra_fields[RECIPES] = recipes
    return bare


class CubeGrid:
    """The grid of a cube as its call says it, and which grids of items lie on it."""

    def __init__(self, grid: GeoBox) -> None:
        self._grid = grid
        self._known: dict[object, bool] = {}

    def meets(self, box: GeoBox, layer: Layer) -> bool:
        """Whether the grid that an item states of a layer lies on the same ground.

        Args:
            box: That grid.
            layer: Whose facts tell it from others: to hash reference systems takes long.
        """
        key = layer.crs, layer.transform, layer.shape
        if key not in self._known:
            self._known[key] = _meets(box, self._grid)
        return self._known[key]


@lru_cache(maxsize=4096)
def _meets(one: GeoBox, other: GeoBox) -> bool:
    """Whether two grids lie on the same ground."""
    assert other.crs is not None, "a cube has one"
    try:
        return bool(one.extent.to_crs(other.crs).intersects(other.extent))
    except (ValueError, AssertionError):  # beyond the edge of a reference system
        return False


def _recipe(
    scene: Scene,
    name: str,
    login: SourceLogin | None,
    *,
    as_stored: bool,
    later: bool,
    stated: GeoBox | None,
) -> LayerRecipe:
    band, rule = scene.bands[name], scene.radiometry[name]
    return LayerRecipe(
        item=scene.item.id,
        asset=band.asset,
        band=band.index,
        data_type=rule.data_type or "",
        nodata=rule.nodata,
        only=rule.origins.get("nodata") == "user",
        scale=rule.scale,
        offset=rule.offset,
        spectral=spectral_bands(scene.item, band.asset),
        as_stored=as_stored,
        login=login,
        by_type=_by_type(scene, name) if later else None,
        stated=stated,
        assumed=scene.assumed.get(name),
        # GDAL finds the system of a GeoTIFF; of arrays of EOPF it does not know where to look.
        crs=band.crs if gdal_address(band.href).startswith("ZARR:") else None,
        thermal=rule.thermal,
        side_mask=scene.masks.get(name),
        more_nodata=rule.more_nodata,
        picked=name == MASK or _may_be_classes(band, rule),
    )


def _may_be_classes(layer: Layer, rule: Radiometry) -> bool:
    """Whether numbers are names, or may be: single bytes of which nobody says what they measure."""
    plain = rule.quantity is None and rule.unit is None and (rule.scale, rule.offset) == (1.0, 0.0)
    bytes_ = rule.data_type in ("uint8", "int8") and layer.count == 1
    return rule.quantity == "classes" or (plain and bytes_)


def _by_type(scene: Scene, name: str) -> dict[str, NumberRule]:
    """What is done to a layer's numbers where its file holds another type than its item states."""
    found = {}
    for dtype in TYPES:
        rule = scene.decided({name: FileFacts(dtype)}).radiometry[name]
        found[dtype] = NumberRule(rule.nodata, rule.scale, rule.offset)
    return found


def unreadable(made: LoadEstimate) -> dict[str, EolabError]:
    """Items of which a file cannot be opened or lies nowhere, with why."""
    found: dict[str, EolabError] = {}

    def check(item: ParsedItem, key: str) -> None:
        try:
            header = read_header(item, key)
        except EolabError as error:
            found.setdefault(item.id, error)
            return
        if header.crs is None:
            found[item.id] = InvalidInputError(
                f"asset {key!r} of item {item.id} has no reference system",
                "Write one into the file: gdal_edit.py -a_srs EPSG:...",
            )

    with Readers(AT_ONCE) as pool:
        checks = [
            pool.submit(check, scene.item, band.asset)
            for group in made.slices
            for scene in group
            for band in scene.bands.values()
        ]
        for each in checks:
            each.result()
    return found


def failure(made: LoadEstimate, error: Exception) -> EolabError:
    """Which file it was: GDAL does not always name it."""
    broken = unreadable(made)
    for group in made.slices:
        for scene in group:
            why = broken.get(scene.item.id)
            if why is None:
                continue
            hrefs = [band.href for band in scene.bands.values()]
            if all(local_files(href) for href in hrefs):
                return why
            if is_refusal(why.message):
                return why
            hint = (
                "Check the network and the login; leave the item out, or load with missing='skip'."
            )
            return RemoteError(why.message, hint)
    return RemoteError(
        f"a raster cannot be read: {without_signature(str(error))}",
        "Check the network and the login.",
    )
