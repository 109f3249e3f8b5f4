"""Spectral indices (spyndex, the Awesome Spectral Indices) by the names of our bands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import numpy as np

# Letters of the Awesome Spectral Indices, which spyndex computes, by our band names.
LETTERS: Mapping[str, tuple[str, ...]] = {
    "A": ("coastal", "B01"),
    "B": ("blue", "B02"),
    "G": ("green", "B03"),
    "R": ("red", "B04"),
    "RE1": ("rededge1", "rededge071", "B05"),
    "RE2": ("rededge2", "rededge075", "B06"),
    "RE3": ("rededge3", "rededge078", "B07"),
    "N": ("nir", "B08", "nir08", "B8A"),
    "N2": ("nir08", "B8A"),
    "S1": ("swir16", "B11"),
    "S2": ("swir22", "B12"),
}
# What the panels offer, in their order; a call may name any other.
OFFERED = ("NDVI", "EVI", "NDWI", "NDMI", "NDRE", "NBR", "NDSI", "NDBI", "BSI", "SAVI")


def find_index(name: str) -> str:
    """The index's name as spyndex writes it; capitals do not count.

    Raises:
        InvalidInputError: There is no such index.
    """
    import spyndex

    if not isinstance(name, str):
        raise InvalidInputError(f"{name!r} is no name of an index", "Ask for one index a call.")
    known = {key.upper(): key for key in spyndex.indices}
    if name.upper() not in known:
        raise InvalidInputError(
            f"no spectral index {name!r}", nearest(name, list(known), "indices")
        )
    return str(known[name.upper()])


def bands_for(name: str, bands: Iterable[str]) -> dict[str, str]:
    """Which of the bands an index takes: band by letter; constants are left out.

    Raises:
        InvalidInputError: No such index, or a band that it needs is not among them.
    """
    import spyndex

    there = set(bands)
    found = {}
    for letter in spyndex.indices[find_index(name)].bands:
        if letter not in LETTERS:
            constant = spyndex.constants.get(letter)
            if constant is not None and constant.default is not None:
                continue
        fitting = [band for band in LETTERS.get(letter, ()) if band in there]
        if not fitting:
            wanted = " or ".join(LETTERS.get(letter, (letter,))[:2])
            raise InvalidInputError(
                f"{name} needs {wanted}, which is not there", "Take an index of the item's bands."
            )
        found[letter] = fitting[0]
    return found


def offered(bands: Iterable[str]) -> list[str]:
    """The common indices that can be computed from these bands."""
    there, found = set(bands), []
    for name in OFFERED:
        try:
            bands_for(name, there)
        except InvalidInputError:
            continue
        found.append(name)
    return found


def compute(name: str, layers: Mapping[str, np.ndarray]) -> np.ndarray:
    """An index of layers by letter, all of one shape; float32, NaN where it is undefined.

    Raises:
        InvalidInputError: No such index.
    """
    import numpy as np
    import spyndex

    index = spyndex.indices[find_index(name)]
    params: dict[str, object] = dict(layers)
    for letter in index.bands:
        if letter not in params:
            params[letter] = float(spyndex.constants[letter].default)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(spyndex.computeIndex(index=[index.short_name], params=params))
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
