"""Which raster of an item a band name means.

Names are tried in this order: the asset's key, the band's own name, its common name, and last a
table of the sensor's bands, for items that state no common names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from eolab.catalog.io.allowed_folders import outside_error
from eolab.catalog.items.parsed import Layer, ParsedItem
from eolab.errors import InvalidInputError, nearest

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
# Multispectral Scanner of Landsat 4 and 5: it has no blue. On Landsat 1 to 3 its bands are 4 to 7.
_MSS = {"B1": ("green",), "B2": ("red",), "B3": ("nir08", "nir"), "B4": ("nir09",)}
_MSS_123 = {"B4": ("green",), "B5": ("red",), "B6": ("nir08", "nir"), "B7": ("nir09",)}
_TABLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "sentinel-2": _SENTINEL_2,
    "landsat-oli": _OLI,
    "landsat-tm": _TM,
    "landsat-mss": _MSS,
    "landsat-mss-123": _MSS_123,
    "hls-s30": _SENTINEL_2,
    "hls-l30": _OLI,
}
# Names that several bands of a sensor share; they are asked back.
_AMBIGUOUS = {"rededge": ("rededge1", "rededge2", "rededge3"), "lwir": ("lwir11", "lwir12")}


def find_band(item: ParsedItem, name: str) -> Layer:
    """The layer that ``name`` means in this item.

    Raises:
        InvalidInputError: No such band, or several; the hint names the candidates.
    """
    by_key = item.layers_of(name)  # mostly it is: the others need not be looked at
    if len(by_key) > 1:
        choices = ", ".join(f"{b.asset}.{b.index}" for b in by_key)
        raise InvalidInputError(
            f"asset {name!r} of item {item.id} holds {len(by_key)} bands",
            f"Ask for one: {choices}.",
        )
    if by_key:
        return by_key[0]
    key, _, number = name.rpartition(".")
    if key in item.item.assets and number.isdigit():
        return item.layer(key, int(number), name=name)
    wanted = name.lower()
    table = _TABLES.get(item.sensor or "", {})
    stated = sum(layer.common == wanted for layer in item.layers)
    if wanted in _AMBIGUOUS and stated != 1:
        offered = [c for c in _AMBIGUOUS[wanted] if any(c in names for names in table.values())]
        if offered:
            raise InvalidInputError(
                f"{name!r} could be any of {', '.join(offered)}", "Ask for the one that you mean."
            )
    for candidates in (
        [layer for layer in item.layers if wanted in (layer.name.lower(), layer.common)],
        _by_table(item.layers, table, wanted),
        [
            layer
            for layer in item.side_layers
            if wanted in (layer.asset.lower(), layer.name.lower())
        ],
    ):
        best = _prefer(candidates)
        if len(best) == 1:
            return best[0]
        if best:
            choices = ", ".join(sorted({layer.asset for layer in best}))
            raise InvalidInputError(
                f"{name!r} is the name of several bands of item {item.id}: {choices}",
                "Ask for the asset that you mean.",
            )
    outside = outside_error(item.item)
    if outside is not None:
        raise outside
    known = [layer.common or layer.name for layer in item.layers]
    known += [names[0] for names in table.values() if _by_table(item.layers, table, names[0])]
    raise InvalidInputError(
        f"no band {name!r} in item {item.id}",
        nearest(name, sorted(set(known)), "bands"),
    )


def has_band(item: ParsedItem, name: str) -> bool:
    """Whether `find_band` finds it."""
    try:
        find_band(item, name)
    except InvalidInputError:
        return False
    return True


def common_name(item: ParsedItem, layer: Layer) -> str:
    """What we call a layer: its stated common name, else by the sensor's table, else its name.

    A stated name that several bands share (rededge), or that is the table's other word for this
    band, becomes the table's.
    """
    table = _TABLES.get(item.sensor or "", {})
    for native, names in table.items():
        if _same(native, layer.name) or _same(native, layer.asset):
            if layer.common is None or layer.common in names or layer.common in _AMBIGUOUS:
                return names[0]
            return layer.common if _known(layer.common) else names[0]
    return layer.common or layer.name or layer.asset


def native_name(item: ParsedItem, layer: Layer) -> str | None:
    """What the sensor's table calls a layer, such as "B4"; None where it knows it not."""
    wanted = common_name(item, layer)
    table = _TABLES.get(item.sensor or "", {})
    return next((native for native, names in table.items() if wanted in names), None)


def spectral_bands(item: ParsedItem, asset: str) -> tuple[int, ...]:
    """Numbers of the bands of a file that have a name of their own: none of them is an alpha band.

    GDAL calls the fourth of four bands of bytes alpha, though it may be the near infrared.
    """
    return tuple(
        layer.index
        for layer in item.layers_of(asset)
        if layer.common is not None or not _is_alpha(layer)
    )


def _is_alpha(layer: Layer) -> bool:
    """Whether a band has the name of an alpha band, or none."""
    plain = {"", "alpha", "a", "mask", layer.asset.lower(), f"band{layer.index}"}
    return layer.name.lower() in plain or layer.name == f"{layer.asset}.{layer.index}"


def _known(name: str) -> bool:
    """Whether a stated name is a common name of the field at all."""
    return any(name in names for table in _TABLES.values() for names in table.values())


def common_names(item: ParsedItem) -> list[str]:
    """What we call its layers, in their order.

    Bands of files with several that share a name go by their numbers; where a file of one band has
    that name too, it is the one that is meant.
    """
    names = [common_name(item, layer) for layer in item.layers]
    alone = {name for name, layer in zip(names, item.layers, strict=True) if layer.count == 1}
    return [
        name if name in alone or names.count(name) == 1 else f"{layer.asset}.{layer.index}"
        for name, layer in zip(names, item.layers, strict=True)
    ]


def _by_table(
    layers: Iterable[Layer], table: Mapping[str, Sequence[str]], wanted: str
) -> list[Layer]:
    natives = [native for native, names in table.items() if wanted in names]
    natives += [native for native in table if _same(native, wanted)]
    listed = list(layers)
    for names in table.values():
        if wanted in names:  # an asset may be called by a sister name: nir08 for rededge4
            hits = [
                layer for layer in listed if layer.asset.lower() in names or layer.common in names
            ]
            if hits:
                return hits
    return [
        layer
        for layer in listed
        if any(_same(native, layer.name) or _same(native, layer.asset) for native in natives)
    ]


# Parts of the names of layers that are about a band, and not the band.
_ABOUT = {"SZA", "SAA", "VZA", "VAA", "MSK", "MASK", "QA", "QUALITY", "UNC", "UNCERTAINTY", "STD"}


def _same(native: str, name: str) -> bool:
    """B04, B4, b04, SR_B4, OLI_B4, B04_10m and T33UVP_..._B04 are one band; MSK_B04 is none."""
    parts = name.upper().replace("-", "_").split("_")
    if len(parts) > 1 and re.fullmatch(r"\d+M", parts[-1]):
        parts.pop()
    plain = native.upper().replace("B0", "B")
    return parts[-1].replace("B0", "B") == plain and not _ABOUT & set(parts)


def _prefer(candidates: list[Layer]) -> list[Layer]:
    """Of several assets with one band: files of one band, then COG over JP2, then the finest."""
    unique = list(dict.fromkeys(candidates))

    def rank(layer: Layer) -> tuple[bool, bool, float]:
        jp2 = "jp2" in (layer.media_type or "") or layer.href.lower().endswith(".jp2")
        return layer.count > 1, jp2, layer.pixel_size or 0.0

    if not unique:
        return []
    best = min(rank(layer) for layer in unique)
    return [layer for layer in unique if rank(layer) == best]
