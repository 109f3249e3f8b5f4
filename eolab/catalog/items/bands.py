"""Which raster of an item a band name means.

Names are tried in this order: the asset's key, the band's own name, its common name, and last a
table of the sensor's bands, for items that state no common names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eolab.catalog.io.allowed_folders import outside_error
from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import pystac

# Common names by band, of the STAC EO extension 1 and 2; the first is what we call it.
_SENTINEL_2 = {
    "B01": ("coastal",),
    "B02": ("blue",),
    "B03": ("green",),
    "B04": ("red",),
    "B05": ("rededge1", "rededge071"),
    "B06": ("rededge2", "rededge075"),
    "B07": ("rededge3", "rededge078"),
    "B08": ("nir",),
    "B8A": ("nir08", "rededge4"),
    "B09": ("nir09", "water_vapour"),
    "B10": ("cirrus",),
    "B11": ("swir16",),
    "B12": ("swir22",),
    "SCL": ("scl",),
}
_OLI = {
    "B1": ("coastal",),
    "B2": ("blue",),
    "B3": ("green",),
    "B4": ("red",),
    "B5": ("nir08", "nir"),
    "B6": ("swir16",),
    "B7": ("swir22",),
    "B8": ("pan",),
    "B9": ("cirrus",),
    "B10": ("lwir11",),
    "B11": ("lwir12",),
}
_TM = {
    "B1": ("blue",),
    "B2": ("green",),
    "B3": ("red",),
    "B4": ("nir08", "nir"),
    "B5": ("swir16",),
    "B6": ("lwir",),
    "B7": ("swir22",),
}
_TABLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "sentinel-2": _SENTINEL_2,
    "landsat-oli": _OLI,
    "landsat-tm": _TM,
    "hls-s30": _SENTINEL_2,
    "hls-l30": _OLI,
}
# Names that several bands of a sensor share; they are asked back.
_AMBIGUOUS = {"rededge": ("rededge1", "rededge2", "rededge3"), "lwir": ("lwir11", "lwir12")}
CATEGORIES = {
    "scl",
    "qa_pixel",
    "qa_radsat",
    "qa_aerosol",
    "sr_qa_aerosol",
    "sr_cloud_qa",
    "qa",
    "visual_qa",
    "fmask",
    "clm",
    "clp",
    "cld",
    "cloud",
    "cloud_probability",
    "snow",
    "mask",
}


@dataclass(frozen=True)
class Band:
    """One band of one item.

    Attributes:
        asset: Key of the asset.
        index: Number of the band in the file, from 1.
        count: Bands in the file, as far as the item says.
        name: The band's name at the provider.
    """

    asset: str
    index: int = 1
    count: int = 1
    name: str = ""


def sensor(item: pystac.Item) -> str | None:
    """Key of the sensor's band table, or None where it is unknown."""
    text = " ".join(
        str(v).lower()
        for v in (
            item.properties.get("platform"),
            item.properties.get("constellation"),
            item.collection_id,
            item.id,
        )
        if v
    )
    if "hls" in text:
        return "hls-l30" if "l30" in text else "hls-s30"
    product = item.id.lower().startswith(("s2a_", "s2b_", "s2c_", "s2_"))
    if "sentinel-2" in text or "sentinel2" in text or product:
        return "sentinel-2"
    if "landsat" in text:
        old = any(f"landsat-{n}" in text or f"lt0{n}" in text or f"le0{n}" in text for n in "457")
        return "landsat-tm" if old else "landsat-oli"
    return None


def bands_of(item: pystac.Item) -> list[tuple[Band, str | None]]:
    """Every band of the item's data assets with its stated common name, in order of the assets."""
    return [one for key, asset in item.assets.items() for one in _bands_of_asset(key, asset)]


def _bands_of_asset(key: str, asset: pystac.Asset) -> list[tuple[Band, str | None]]:
    if not _is_raster(asset):
        return []
    found = []
    stated = stated_bands(asset)
    count = max(len(stated), 1)
    for number, entry in enumerate(stated or [{}], 1):
        common = entry.get("common_name") or entry.get("eo:common_name")
        name = entry.get("name")
        band = Band(key, number, count, name if isinstance(name, str) else key)
        found.append((band, common.lower() if isinstance(common, str) else None))
    return found


def has_raster(item: pystac.Item) -> bool:
    """Whether an item has a data asset with bands: quicker than all of them."""
    return any(_is_raster(asset) for asset in item.assets.values())


def stated_bands(asset: pystac.Asset) -> list[Mapping[str, object]]:
    """Band objects of an asset, of STAC 1.1 (`bands`) or 1.0 (`eo:bands`, `raster:bands`)."""
    lists = [asset.extra_fields.get(key) for key in ("bands", "eo:bands", "raster:bands")]
    rows = [entries for entries in lists if isinstance(entries, list) and entries]
    length = max((len(entries) for entries in rows), default=0)
    merged: list[Mapping[str, object]] = []
    for number in range(length):
        band: dict[str, object] = {}
        for entries in reversed(rows):
            if number < len(entries) and isinstance(entries[number], Mapping):
                band.update(entries[number])
        merged.append(band)
    return merged


def _is_raster(asset: pystac.Asset) -> bool:
    return is_raster(asset.media_type, asset.roles, asset.href)


def is_raster(media_type: str | None, roles: Iterable[str] | None, href: str) -> bool:
    """Whether an asset that says this of itself holds data with bands."""
    if not {"thumbnail", "overview", "metadata"}.isdisjoint(roles or ()):
        return False
    kind = (media_type or "").lower()
    if kind.startswith("image/") or "zarr" in kind or "netcdf" in kind:
        return "png" not in kind and "jpeg" not in kind
    path = href.partition("?")[0].lower()
    return path.endswith((".tif", ".tiff", ".jp2", ".vrt", ".img"))


def find_band(item: pystac.Item, name: str) -> Band:
    """The band that ``name`` means in this item.

    Raises:
        InvalidInputError: No such band, or several; the hint names the candidates.
    """
    asset = item.assets.get(name)  # mostly it is: the others need not be looked at
    by_key = [] if asset is None else [band for band, _ in _bands_of_asset(name, asset)]
    if len(by_key) > 1:
        choices = ", ".join(f"{b.asset}.{b.index}" for b in by_key)
        raise InvalidInputError(
            f"asset {name!r} of item {item.id} holds {len(by_key)} bands",
            f"Ask for one: {choices}.",
        )
    if by_key:
        return by_key[0]
    key, _, number = name.rpartition(".")
    if key in item.assets and number.isdigit():
        count = max(len(stated_bands(item.assets[key])), int(number))
        return Band(key, int(number), count, name)
    all_bands = bands_of(item)
    wanted = name.lower()
    table = _TABLES.get(sensor(item) or "", {})
    if wanted in _AMBIGUOUS and sum(common == wanted for _, common in all_bands) != 1:
        offered = [c for c in _AMBIGUOUS[wanted] if any(c in names for names in table.values())]
        if offered:
            raise InvalidInputError(
                f"{name!r} could be any of {', '.join(offered)}", "Ask for the one that you mean."
            )
    for candidates in (
        [band for band, common in all_bands if wanted in (band.name.lower(), common)],
        _by_table(all_bands, table, wanted),
    ):
        best = _prefer(item, candidates)
        if len(best) == 1:
            return best[0]
        if best:
            choices = ", ".join(sorted({band.asset for band in best}))
            raise InvalidInputError(
                f"{name!r} is the name of several bands of item {item.id}: {choices}",
                "Ask for the asset that you mean.",
            )
    outside = outside_error(item)
    if outside is not None:
        raise outside
    offered = [common or band.name for band, common in all_bands]
    offered += [names[0] for band, names in table.items() if _by_table(all_bands, table, names[0])]
    raise InvalidInputError(
        f"no band {name!r} in item {item.id}",
        nearest(name, sorted(set(offered)), "bands"),
    )


def has_band(item: pystac.Item, name: str) -> bool:
    """Whether `find_band` finds it."""
    try:
        find_band(item, name)
    except InvalidInputError:
        return False
    return True


def common_name(item: pystac.Item, band: Band) -> str:
    """What we call the band: by the sensor's table, else its stated common name, else its name."""
    table = _TABLES.get(sensor(item) or "", {})
    for native, names in table.items():
        if _same(native, band.name) or _same(native, band.asset):
            return names[0]
    for other, common in bands_of(item):
        if other == band and common:
            return common
    return band.name or band.asset


def _by_table(
    all_bands: Iterable[tuple[Band, str | None]], table: Mapping[str, Sequence[str]], wanted: str
) -> list[Band]:
    natives = [native for native, names in table.items() if wanted in names]
    natives += [native for native in table if _same(native, wanted)]
    listed = list(all_bands)
    for names in table.values():
        if wanted in names:  # an asset may be called by a sister name: nir08 for rededge4
            hits = [
                band for band, common in listed if band.asset.lower() in names or common in names
            ]
            if hits:
                return hits
    return [
        band
        for band, _ in listed
        if any(_same(native, band.name) or _same(native, band.asset) for native in natives)
    ]


def _same(native: str, name: str) -> bool:
    """B04, B4, b04, SR_B4, OLI_B4, B04_10m and T33UVP_..._B04 are one band."""
    parts = name.upper().replace("-", "_").split("_")
    plain = native.upper().replace("B0", "B")
    return any(part.replace("B0", "B") == plain for part in parts)


def _prefer(item: pystac.Item, candidates: list[Band]) -> list[Band]:
    """Of several assets with one band: files of one band, then COG over JP2, then the finest."""
    unique = list(dict.fromkeys(candidates))

    def rank(band: Band) -> tuple[bool, bool, float]:
        asset = item.assets[band.asset]
        jp2 = "jp2" in (asset.media_type or "") or asset.href.lower().endswith(".jp2")
        return band.count > 1, jp2, pixel_size(item, band.asset) or 0.0

    if not unique:
        return []
    best = min(rank(band) for band in unique)
    return [band for band in unique if rank(band) == best]


def pixel_size(item: pystac.Item, key: str) -> float | None:
    """Pixel size of an asset in units of its reference system, as stated."""
    asset = item.assets[key]
    for owner in (asset.extra_fields, item.properties):
        transform = owner.get("proj:transform")
        if isinstance(transform, list) and len(transform) >= 6:
            return abs(float(transform[0]))
    for value in (
        asset.extra_fields.get("raster:spatial_resolution"),
        *(band.get("spatial_resolution") for band in stated_bands(asset)),
        asset.extra_fields.get("gsd"),
        item.properties.get("gsd"),
    ):
        if isinstance(value, int | float):
            return float(value)
    return None
