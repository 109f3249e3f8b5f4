"""Masks that lie beside far rasters: `red.tif.msk` tells which pixels of `red.tif` are valid.

GDAL writes them, and finds those of local files by itself. Far ones it would look for file by file,
so it is told not to. Here a few files of each kind are looked at: where none of them has a mask
none is looked for any more, else that of each is. An item that names the mask among its assets
needs no look at all.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.item_logins import login_of
from eolab.catalog.io.rasters import Readers, is_downloaded, opened_href
from eolab.catalog.items.headers import AT_ONCE
from eolab.catalog.items.parsed import ParsedItem
from eolab.redaction import redact
from eolab.user_warnings import warn

SUFFIX = ".msk"
_TIFF = (".tif", ".tiff")
_MOST = 4096  # kinds that are remembered
_LOOKS = 8  # files of a kind that are looked at
# What says nothing of the file: its server is busy or away.
_UNSAID = re.compile(r"response code: (?:429|5\d\d)|CURL error|timed out|timeout", re.IGNORECASE)


@dataclass
class _Kind:
    """What is known of files that are written alike.

    Attributes:
        masked: Whether one of them has a mask.
        bare: Addresses of those that have none, as far as it was looked.
    """

    masked: bool = False
    bare: set[str] = field(default_factory=set)

    def unseen(self, alike: Sequence[tuple[ParsedItem, str]]) -> list[tuple[ParsedItem, str]]:
        """Files to look at, from all over a list of such files."""
        left = _LOOKS - len(self.bare)
        if self.masked or left <= 0:
            return []
        new = [one for one in alike if _address(one) not in self.bare]
        step = (len(new) - 1) / (left - 1) if left > 1 else 0.0
        return new if len(new) <= left else [new[round(k * step)] for k in range(left)]


_looked: dict[object, _Kind] = {}


def side_masks(files: Iterable[tuple[ParsedItem, str]]) -> dict[tuple[int, str], str]:
    """Where the masks lie that files have beside them, as far as GDAL does not look by itself.

    Args:
        files: Items with the keys of the assets.

    Returns:
        Addresses, by the `id` of the item and the asset's key; only of files that have one.
    """
    found: dict[tuple[int, str], str] = {}
    unsaid: dict[object, list[tuple[ParsedItem, str]]] = {}
    for item, key in files:
        href = item.item.assets[key].href
        named = mask_asset(item, href)
        if named is not None and not _found_by_gdal(href):
            found[id(item), key] = item.item.assets[named].href
        elif named is None and not local_files(href) and _is_tiff(href):
            unsaid.setdefault(_kind(item, key), []).append((item, key))
    if not unsaid:
        return found
    import rasterio

    if len(_looked) > _MOST:
        _looked.clear()
    kinds = [(_looked.setdefault(kind, _Kind()), alike) for kind, alike in unsaid.items()]
    said: dict[str, bool | str] = {}
    with warnings.catch_warnings(), Readers(AT_ONCE) as pool:
        # Masks need not say where they lie: their files do.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)

        def look(files: Iterable[tuple[ParsedItem, str]]) -> None:
            new = {_address(file): file for file in files if _address(file) not in said}
            said.update(zip(new, pool.map(_is_there, new.values()), strict=True))

        look(file for kind, alike in kinds for file in kind.unseen(alike))
        for kind, alike in kinds:
            kind.masked |= any(said.get(_address(file)) is True for file in alike)
            if not kind.masked:
                kind.bare |= {each for each in map(_address, alike) if said.get(each) is False}
        # Where one has a mask others of its kind may, or may not.
        look(file for kind, alike in kinds if kind.masked for file in alike)
    unknown: dict[str, str] = {}
    for item, key in (file for alike in unsaid.values() for file in alike):
        answer = said.get(_address((item, key)))
        if answer is True:
            found[id(item), key] = mask_address(item.item.assets[key].href)
        elif isinstance(answer, str):
            unknown[f"asset {key!r} of item {item.id}"] = answer
    if unknown:
        (first, why), more = next(iter(unknown.items())), len(unknown) - 1
        warn(
            f"nobody says whether a mask (.msk) lies beside {first}"
            f"{f' and {more} more' if more else ''} ({why}): loaded without. Load again to be sure",
            UserWarning,
        )
    return found


def mask_address(href: str) -> str:
    """Where the mask of a file would lie."""
    path, mark, query = href.partition("?")
    return f"{path}{SUFFIX}{mark}{query}"


def mask_asset(item: ParsedItem, href: str) -> str | None:
    """Key of the asset that is the mask of a file, where its item names it.

    Args:
        item: The item.
        href: Address of the file.
    """
    wanted = href.partition("?")[0] + SUFFIX
    assets = item.item.assets.items()
    return next((key for key, asset in assets if asset.href.partition("?")[0] == wanted), None)


def _found_by_gdal(href: str) -> bool:
    """Whether it looks for the masks of this file: not of those from elsewhere."""
    files = local_files(href)
    return bool(files) and not any(is_downloaded(file) for file in files)


def _is_tiff(href: str) -> bool:
    return href.partition("?")[0].lower().endswith(_TIFF)


def _kind(item: ParsedItem, key: str) -> object:
    """Files that are written alike: the same asset of a collection, in the same place but numbers.

    Parts of a path that name the scene, its tile or its day hold a digit, or two letters at most.
    """
    parts = urlsplit(item.item.assets[key].href)
    folders = parts.path.split("/")[:-1]
    plain = tuple("*" if len(f) < 3 or re.search(r"\d", f) else f for f in folders)
    return parts.scheme, parts.netloc, plain, key, item.collection, item.platform


def _address(file: tuple[ParsedItem, str]) -> str:
    """Address of a file without what signs it."""
    item, key = file
    return item.item.assets[key].href.partition("?")[0]


def _is_there(file: tuple[ParsedItem, str]) -> bool | str:
    """Whether a file has a mask beside it, by the login of the file; else why nobody says."""
    import rasterio

    item, key = file
    address, login, why = mask_address(item.item.assets[key].href), login_of(item.item), ""
    for afresh in (False, True):  # what GDAL remembers of a failure is asked again
        try:
            with opened_href(address, login, afresh=afresh):
                return True
        except rasterio.errors.RasterioError as error:
            why = str(error)
        # Stores that hide what they lack refuse, others answer with a page.
        if _UNSAID.search(why) is None:
            return False
    return redact(why)
