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
# Constants of the publications: spyndex has one default by letter for all indices (L = 1 for SAVI
# too), and so others than these where it differs.
_CONSTANTS: Mapping[str, Mapping[str, float]] = {
    # Huete 1988, doi:10.1016/0034-4257(88)90106-X
    "SAVI": {"L": 0.5},
    # Huete et al. 2002, doi:10.1016/S0034-4257(02)00096-2
    "EVI": {"g": 2.5, "C1": 6.0, "C2": 7.5, "L": 1.0},
    # Jiang et al. 2008, doi:10.1016/j.rse.2008.06.006
    "EVI2": {"g": 2.5, "L": 1.0},
    # Kaufman and Tanre 1992, doi:10.1109/36.134076
    "ARVI": {"gamma": 1.0},
    "SARVI": {"L": 0.5},
    # Sripada et al. 2006, doi:10.2134/agronj2005.0200
    "GSAVI": {"L": 0.5},
    # Gong et al. 2003, doi:10.1109/TGRS.2003.812910; Yang et al. 2008
    "MNLI": {"L": 0.5},
    # Xu 2008, doi:10.1080/01431160802039957: with SAVI's factor
    "IBI": {"L": 0.5},
    # Sinha et al. 2016, doi:10.1007/s12524-016-0570-7: with SAVI's factor
    "NBUI": {"L": 0.5},
    # Smith et al. 2007, doi:10.1080/01431160600954704: with SAVI's factor
    "SAVIT": {"L": 0.5},
    # Gitelson 2004, doi:10.1078/0176-1617-01176
    "WDRVI": {"alpha": 0.1},
    # Wang et al. 2017, doi:10.1016/j.rse.2017.04.031
    "NDPI": {"alpha": 0.74},
    "sNIRvNDPI": {"alpha": 0.74},
    # Vincini et al. 2008, doi:10.1007/s11119-008-9075-z
    "OCVI": {"cexp": 1.16},
    # Jiang et al. 2019, doi:10.1080/17538947.2018.1495770
    "SEVI": {"fdelta": 0.581},
    # Wang et al. 2018, doi:10.3390/rs10010161: only so much that nothing is divided by zero
    "WCI1": {"epsilon": 1e-10},
    "WCI2": {"epsilon": 1e-10},
}
# A soil line is that of a place: slope and intercept of no publication hold elsewhere.
_OF_THE_PLACE: Mapping[str, str] = {
    "sla": "slope of the soil line",
    "slb": "intercept of the soil line",
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


def constant(name: str, letter: str) -> float | None:
    """A constant of an index as published, None where the letter is no constant.

    Args:
        name: Of the index, as `find_index` gives it.
        letter: Of the constant.

    Raises:
        InvalidInputError: It is of the place, so that it has no value for all.
    """
    import spyndex

    if letter in LETTERS:
        return None
    if letter in _OF_THE_PLACE:
        raise InvalidInputError(
            f"{name} needs {letter}, the {_OF_THE_PLACE[letter]}, which depends on the place",
            f"Give it: spectral_index({name!r}, {letter}=...).",
        )
    published = _CONSTANTS.get(name, {}).get(letter)
    if published is not None:
        return published
    known = spyndex.constants.get(letter)
    return None if known is None or known.default is None else float(known.default)


def bands_for(name: str, bands: Iterable[str]) -> dict[str, str]:
    """Which of the bands an index takes: band by letter; constants are left out.

    Raises:
        InvalidInputError: No such index, or a band that it needs is not among them.
    """
    import spyndex

    there = set(bands)
    found = {}
    for letter in spyndex.indices[find_index(name)].bands:
        if constant(find_index(name), letter) is not None:
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
            params[letter] = constant(index.short_name, letter)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(spyndex.computeIndex(index=[index.short_name], params=params))
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
