"""Masks that lie beside far rasters: `red.tif.msk` tells which pixels of `red.tif` are valid.

GDAL writes them, and finds those of local files by itself. Far ones it would look for file by file,
so it is told not to. Here it is looked once for each kind of file whether they have such masks: an
item that names the mask among its assets needs no look at all.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from urllib.parse import urlsplit

from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.item_logins import login_of
from eolab.catalog.io.rasters import Readers, is_downloaded, opened_href
from eolab.catalog.items.headers import AT_ONCE
from eolab.catalog.items.parsed import ParsedItem

SUFFIX = ".msk"
_TIFF = (".tif", ".tiff")
_MOST = 4096  # kinds that are remembered
_looked: dict[object, bool] = {}


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

    new = [kind for kind in unsaid if kind not in _looked]
    with warnings.catch_warnings(), Readers(AT_ONCE) as pool:
        # Masks need not say where they lie: their files do.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        answers = list(pool.map(_is_there, [unsaid[kind][0] for kind in new]))
        if len(_looked) > _MOST:
            _looked.clear()
        _looked.update(zip(new, answers, strict=True))
        # Where one has a mask others of its kind may, or may not.
        masked = [one for kind, alike in unsaid.items() if _looked[kind] for one in alike]
        for (item, key), there in zip(masked, pool.map(_is_there, masked), strict=True):
            if there:
                found[id(item), key] = mask_address(item.item.assets[key].href)
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


def _is_there(file: tuple[ParsedItem, str]) -> bool:
    """Whether a file has a mask beside it: one question, by the login of the file."""
    import rasterio

    item, key = file
    try:
        with opened_href(mask_address(item.item.assets[key].href), login_of(item.item)):
            return True
    except rasterio.errors.RasterioError:
        return False  # stores that hide what they lack refuse, others answer with a page
