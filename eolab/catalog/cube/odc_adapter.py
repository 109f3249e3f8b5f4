"""What odc-stac is told to read: our bands by our names, how they are stored, nothing to guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.cube.grid import item_crs, item_geobox, read_header
from eolab.catalog.cube.odc_reader import LOGIN, source_address
from eolab.catalog.cube.plan import LoadEstimate, Scene
from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.item_logins import is_refusal, login_of
from eolab.catalog.io.logins import without_signature
from eolab.catalog.io.rasters import Readers
from eolab.catalog.items.parsed import CATEGORIES, Layer, Origin, ParsedItem
from eolab.catalog.items.quality_masks import PROBABILITY
from eolab.errors import EolabError, InvalidInputError, RemoteError

if TYPE_CHECKING:
    import pystac
    import xarray as xr

_GEOTIFF = "image/tiff; application=geotiff"
_RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_EO = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
AT_ONCE = 16  # files that are looked at


@dataclass(frozen=True)
class Storage:
    """How a band is stored.

    Attributes:
        dtype: Data type of the numbers.
        nodata: Number that means nothing.
        origins: Where both were found, under "data_type" and "nodata".
    """

    dtype: str
    nodata: float | None
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)


def storage(scene: Scene, name: str) -> Storage:
    """Data type and nodata of a band as stored; the file is asked where the item does not say."""
    band, rule = scene.bands[name], scene.radiometry[name]
    dtype, nodata = band.data_type, rule.nodata
    origins: dict[str, Origin] = {
        "data_type": band.origins.get("data_type", "none"),
        "nodata": rule.origins.get("nodata", "none"),
    }
    if dtype is None:
        header = read_header(scene.item, band.asset)
        dtype, origins["data_type"] = header.dtype, "file"
        if nodata is None and header.nodata is not None:
            nodata, origins["nodata"] = header.nodata, "file"
    if nodata is None and np.dtype(dtype).kind in "iu":
        nodata, origins["nodata"] = _filler(band, np.dtype(dtype)), "rule"
    return Storage(dtype, nodata, origins)


def _filler(band: Layer, dtype: np.dtype) -> float:
    """What fills the pixels that no item covers, where nobody states a nodata.

    Zero in images, as is the custom of sensors; but zero metres, a cloud probability of zero and a
    class of that number are values.
    """
    limits = np.iinfo(dtype)
    if dtype.kind == "i":
        return float(limits.min)
    names = {band.asset.lower(), band.name.lower()}
    chance = {band.asset, band.name} & set(PROBABILITY)
    classes = names & CATEGORIES and not names & {"scl"}  # whose zero is no data
    return float(limits.max) if chance or classes else 0.0


def common_storage(scenes: Sequence[Scene], name: str) -> Storage:
    """A type that holds the numbers of all scenes, with the nodata of the first.

    In the first scene's own type a reflectance would be rounded, or a large number cut. Scenes
    that do not state theirs are taken to be like the first: opening all would cost too much.
    """
    first = storage(scenes[0], name)
    stated = {scene.bands[name].data_type for scene in scenes[1:]} - {None, first.dtype}
    if not stated:
        return first
    types = [np.dtype(dtype) for dtype in (first.dtype, *sorted(filter(None, stated)))]
    return replace(first, dtype=np.result_type(*types).name)


def known_values(band: xr.DataArray) -> xr.DataArray:
    """Real numbers, NaN where unknown: stored integers without their nodata.

    Integers would wrap around in differences (uint16), and their nodata count as a value.
    """
    if band.dtype.kind not in "iub":
        return band
    nodata = band.attrs.get("nodata")
    values = band.astype("float32" if band.dtype.itemsize <= 2 else "float64")
    return values if nodata is None else values.where(band != nodata)


def band_key(scene: Scene, name: str, column: str) -> str:
    index = scene.bands[name].index
    return column if index == 1 else f"{column}.{index}"


def strip(scene: Scene, columns: Mapping[str, str], types: Mapping[str, Storage]) -> pystac.Item:
    """The item as odc-stac needs it: our bands, our names, nothing to guess."""
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
    if (login := login_of(item.item)) is not None:
        bare.extra_fields[LOGIN] = login
    grids = {name: item_geobox(item, scene.bands[name]) for name in columns}
    if all(grids.values()):
        # With the grids odc need not bring the outline, point by point, to the cube's system.
        bare.stac_extensions.append(_PROJECTION)
        bare.properties["proj:code"] = item_crs(item, next(iter(scene.bands.values())))
    for name, column in columns.items():
        band = scene.bands[name]
        grid: dict[str, object] = {}
        if (box := grids[name]) is not None:
            grid = {"proj:transform": list(box.transform)[:6], "proj:shape": list(box.shape)}
        entry: dict[str, object] = {"data_type": types[name].dtype}
        if types[name].nodata is not None:
            entry["nodata"] = types[name].nodata
        bare.add_asset(
            column,
            pystac.Asset(
                source_address(item.item, band.asset),
                media_type=_GEOTIFF,
                roles=["data"],
                extra_fields={"raster:bands": [entry] * max(band.count, band.index), **grid},
            ),
        )
    return bare


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
