"""What a user asks of a load, checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from eolab.catalog.items.parsed import ParsedItem, parse_item
from eolab.catalog.items.quality_masks import Mask, is_number
from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    from odc.geo import CRS

_DIMS = ("time", "y", "x")


def check_items(items: object) -> list[ParsedItem]:
    """Items, each read once, as a list; one item counts as a list of one.

    Raises:
        InvalidInputError: Something else, or none.
    """
    import pystac

    if isinstance(items, pystac.Item | ParsedItem):
        return [parse_item(items)]
    hint = "Give what a search returned: cat.search(...)."
    if isinstance(items, str | Mapping) or not isinstance(items, Iterable):
        raise InvalidInputError(f"{type(items).__name__!r} is no collection of items", hint)
    listed = list(items)
    for item in listed:
        if not isinstance(item, pystac.Item | ParsedItem):
            instead = "pystac.Item.from_dict(...) makes one." if isinstance(item, Mapping) else hint
            raise InvalidInputError(f"{type(item).__name__!r} is no STAC item", instead)
    if not listed:
        raise InvalidInputError(
            "there are no items: the search found none",
            "Widen its area, dates or cloud limit.",
        )
    return [parse_item(item) for item in listed]


def check_choice(name: str, value: object, allowed: Sequence[str | None]) -> None:
    """An argument that takes a few words only.

    Raises:
        InvalidInputError: Another word.
    """
    if value not in allowed:
        shown = " or ".join("None" if a is None else f'"{a}"' for a in allowed)
        raise InvalidInputError(f"{name} = {value!r}", f"Give {shown}.")


def check_mask(mask: object) -> None:
    """A mask is made by `eolab.catalog.mask`.

    Raises:
        InvalidInputError: Only its words are given.
    """
    if mask is None or isinstance(mask, Mask):
        return
    words = [mask] if isinstance(mask, str) else mask if isinstance(mask, list | tuple) else None
    example = f"eo.mask({list(words)!r})" if words else 'eo.mask(["cloud", "shadow"])'
    raise InvalidInputError(f"mask = {mask!r} is no mask", f"Make it: mask={example}.")


def check_crs(crs: str | int) -> CRS:
    """A reference system by its code, WKT or object.

    Raises:
        InvalidInputError: There is no such one.
    """
    from odc.geo import CRS

    try:
        return CRS(crs)
    except Exception as error:  # PROJ's, pyproj's and odc's own
        raise InvalidInputError(
            f"crs = {crs!r} is no reference system", 'Write "EPSG:32633", or its WKT.'
        ) from error


def check_resolution(resolution: float) -> float:
    """Raises: InvalidInputError: No number above 0."""
    if not is_number(resolution) or not 0 < resolution < float("inf"):
        raise InvalidInputError(
            f"resolution = {resolution!r}",
            "Give one number above 0, in units of the reference system: metres, or degrees.",
        )
    return float(resolution)


def check_resampling(resampling: str) -> None:
    """Raises: InvalidInputError: GDAL does not know it."""
    from rasterio.warp import SUPPORTED_RESAMPLING

    names = [method.name for method in SUPPORTED_RESAMPLING]
    if resampling not in names:
        raise InvalidInputError(
            f"resampling = {resampling!r}", nearest(str(resampling), names, "methods")
        )


def check_chunks(chunks: Mapping[str, int] | None) -> None:
    """Raises: InvalidInputError: Not sizes by dimension."""
    if chunks is None:
        return
    hint = 'Give sizes, such as {"x": 1024, "y": 1024}.'
    if not isinstance(chunks, Mapping):
        raise InvalidInputError(f"chunks = {chunks!r}", hint)
    for name, size in chunks.items():
        if name not in _DIMS:
            raise InvalidInputError(
                f"chunks has no dimension {name!r}", f"They are: time, y, x. {hint}"
            )
        if not isinstance(size, int) or size == 0 or size < -1:
            raise InvalidInputError(f"chunks: {name} = {size!r}", hint)
