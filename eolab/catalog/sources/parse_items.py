"""Items from their documents, whatever is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.areas.areas import footprint
from eolab.catalog.io.allowed_folders import OUTSIDE, may_open, prefixes
from eolab.catalog.io.documents import is_remote
from eolab.catalog.io.item_logins import FIELD
from eolab.catalog.query.query import item_time

if TYPE_CHECKING:
    import pystac

    from eolab.catalog.sources.base import Source


def as_items(
    documents: Iterable[tuple[str, Mapping[str, object]]], source: Source
) -> Iterator[pystac.Item]:
    """Items of (address, document) pairs; what is no valid item is skipped with a message."""
    allowed = prefixes(source.folders())
    for href, document in documents:
        try:
            item = make_item(document, href, allowed)
        except Exception as error:  # a document can be wrong in ways nobody listed
            source.skip(href, error)
            continue
        left_out = len(_objects(document.get("assets"))) - len(item.assets)
        if left_out and OUTSIDE in item.extra_fields:
            where = "outside of the catalogue's folder and of [workspace] roots"
            source.skip(href, f"{left_out} assets name files {where}: left out")
        elif left_out:
            source.skip(href, f"{left_out} assets name files of this machine: left out")
        yield item


def self_href(document: Mapping[str, object]) -> str | None:
    """Where a document says that it lies."""
    links = document.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("rel") == "self":
            href = link.get("href")
            return href if isinstance(href, str) else None
    return None


def check_document(document: Mapping[str, object]) -> None:
    """The shape of an item's document.

    Raises:
        ValueError: What is missing or wrong.
    """
    if document.get("type") != "Feature":
        raise ValueError(f"type is {document.get('type')!r}, not 'Feature'")
    if not isinstance(document.get("id"), str) or not document["id"]:
        raise ValueError("the item has no id")
    for key, kind in (("properties", dict), ("assets", dict), ("links", list)):
        value = document.get(key, kind())
        if not isinstance(value, kind):
            raise ValueError(f"{key} is {type(value).__name__}, not {kind.__name__}")  # noqa: TRY004
    collection = document.get("collection")
    if collection is not None and not isinstance(collection, str):
        raise ValueError(f"collection is {type(collection).__name__}, no text")
    for key, asset in _objects(document.get("assets")).items():
        if not isinstance(asset, Mapping) or not isinstance(asset.get("href"), str):
            raise ValueError(f"asset {key!r} has no href")  # noqa: TRY004
        roles = asset.get("roles") or []
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise ValueError(f"asset {key!r}: roles is no list of words")
        if not isinstance(asset.get("type") or "", str):
            raise ValueError(f"asset {key!r}: type is no text")  # noqa: TRY004
    bbox = document.get("bbox")
    numbers = isinstance(bbox, list) and all(
        isinstance(v, int | float) and abs(v) <= 1e6 for v in bbox
    )
    if bbox is not None and not numbers:
        raise ValueError("bbox is no list of numbers")


# Schemes of what lies on other machines, by which GDAL and we read.
_OPEN = {"http", "https", "s3", "gs", "az", "adl", "abfs", "abfss", "oss", "swift", "ftp"}
_DRIVER = re.compile(r"^[A-Za-z][A-Za-z0-9_+.-]*:")


def _is_open(href: str) -> bool:
    """Whether an address of a remote document names something on another machine.

    A relative one does; "file:", GDAL's own prefixes ("ZARR:...", "/vsizip/...") do not.
    """
    scheme = _DRIVER.match(href)
    if scheme is not None:
        return scheme[0][:-1].lower() in _OPEN and "://" in href
    return not href.startswith("/vsi") and "<" not in href


def _objects(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def make_item(
    document: Mapping[str, object], href: str, allowed: tuple[str, ...] = ()
) -> pystac.Item:
    """An item from its document, with absolute asset hrefs and those assets that it may name.

    Args:
        document: As it was read.
        href: Where it lies.
        allowed: Where a document on this machine may name files, from `roots.prefixes`.

    Raises:
        ValueError: What is missing or wrong.
    """
    import pystac

    check_document(document)
    # Links cost most of the reading and lead nowhere that is needed later.
    body = {"assets": {}, "stac_version": "1.0.0", **document, "links": []}
    # Bringing a document up to date copies it: only those that need it.
    old = not str(body["stac_version"]).startswith(("1.0.", "1.1."))
    item = pystac.Item.from_dict(body, migrate=old, preserve_dict=False)
    if item.datetime is None and not (
        item.common_metadata.start_datetime or item.common_metadata.end_datetime
    ):
        raise ValueError("the item has no datetime")
    # Read what every search asks for, so that what is wrong shows here and not later.
    footprint(item)
    item_time(item)
    item.extra_fields.pop(OUTSIDE, None)
    if is_remote(href):
        # What comes from the network must not make us read files of this machine, nor anything by
        # another catalogue's login.
        item.extra_fields.pop(FIELD, None)
        for key in [key for key, asset in item.assets.items() if not _is_open(asset.href)]:
            del item.assets[key]
    if "://" in href or Path(href).is_absolute():
        item.set_self_href(href)
        # Taking addresses apart costs more than all the rest.
        if not all("://" in asset.href for asset in item.assets.values()):
            item.make_asset_hrefs_absolute()
    if not is_remote(href):
        outside = {k: a.href for k, a in item.assets.items() if not may_open(a.href, allowed)}
        for key in outside:
            del item.assets[key]
        if outside:
            item.extra_fields[OUTSIDE] = outside
    return item
