"""Items and collections from their documents, whatever is wrong with them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from eolab.catalog.areas.areas import footprint
from eolab.catalog.io.allowed_folders import OUTSIDE, may_open
from eolab.catalog.io.documents import is_remote
from eolab.catalog.io.item_logins import FIELD
from eolab.catalog.query.query import item_time
from eolab.settings.roots import prefixes

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


def as_collections(
    documents: Iterable[tuple[str, Mapping[str, object]]], source: Source
) -> Iterator[pystac.Collection]:
    """Collections of (address, document) pairs; what cannot be one is skipped with a message."""
    for href, document in documents:
        try:
            collection = make_collection(document)
        except Exception as error:  # a document can be wrong in ways nobody listed
            source.skip(href, error)
            continue
        collection.set_self_href(href)
        yield collection


def make_collection(document: Mapping[str, object]) -> pystac.Collection:
    """A collection from its document, which no reader of it can stumble over.

    What only describes it (title, keywords, a box) is left out where it is not what STAC says: its
    items can be searched all the same.

    Raises:
        ValueError: It has no id.
    """
    import pystac

    name = document.get("id")
    if not isinstance(name, str) or not name:
        raise ValueError("the collection has no id")
    body = {**document, "type": "Collection", "links": []}
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", str(body.get("stac_version"))):
        body["stac_version"] = "1.0.0"
    for key in ("title", "description", "license"):
        value = body.get(key)
        body[key] = value if isinstance(value, str) else None if key == "title" else ""
    for key in ("keywords", "stac_extensions"):
        if key in body:
            body[key] = [v for v in _list(body[key]) if isinstance(v, str)]
    body["providers"] = [
        {**p, "roles": [role for role in _list(p.get("roles")) if isinstance(role, str)]}
        for p in _list(body.get("providers"))
        if isinstance(p, Mapping) and isinstance(p.get("name"), str)
    ]
    extent = _objects(body.get("extent"))
    boxes = _list(_objects(extent.get("spatial")).get("bbox"))
    times = _list(_objects(extent.get("temporal")).get("interval"))
    body["extent"] = {
        "spatial": {"bbox": [_WORLD]},
        "temporal": {"interval": [_interval(pair) for pair in times] or [[None, None]]},
    }
    for key in ("summaries", "assets", "item_assets"):
        if key in body:
            body[key] = dict(_objects(body[key]))
    body["assets"] = {
        key: asset
        for key, asset in _objects(body.get("assets")).items()
        if isinstance(asset, Mapping) and isinstance(asset.get("href"), str)
    }
    made = pystac.Collection.from_dict(body, preserve_dict=False)
    # pystac makes none without a box; one that is wrong must not read as the whole world.
    made.extent.spatial.bboxes = [list(map(float, box)) for box in boxes if _is_box(box)]
    return made


_WORLD = [-180.0, -90.0, 180.0, 90.0]


def _is_box(box: object) -> TypeGuard[list[float]]:
    numbers = _list(box)
    return len(numbers) in (4, 6) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= 1e6 for v in numbers
    )


def _interval(pair: object) -> list[str | None]:
    """An interval of a collection, open where an end is no time."""
    ends = [*_list(pair), None, None][:2]
    return [end if isinstance(end, str) and _is_time(end) else None for end in ends]


def _is_time(text: str) -> bool:
    from pystac.utils import str_to_datetime

    try:
        str_to_datetime(text)
    except (ValueError, OverflowError):
        return False
    return True


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


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


def _make_absolute(item: pystac.Item, href: str) -> None:
    """Asset addresses as seen from the item's document."""
    if is_remote(href) or "://" in href:
        item.make_asset_hrefs_absolute()
        return
    # A file's name may hold what cuts an address: # and ?.
    folder = os.path.dirname(href)  # noqa: PTH120  href is text, and a path costs ten times more
    for asset in item.assets.values():
        if "://" not in asset.href and not asset.href.startswith("/vsi"):
            asset.href = os.path.normpath(os.path.join(folder, asset.href))  # noqa: PTH118


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
            _make_absolute(item, href)
    if not is_remote(href):
        outside = {k: a.href for k, a in item.assets.items() if not may_open(a.href, allowed)}
        for key in outside:
            del item.assets[key]
        if outside:
            item.extra_fields[OUTSIDE] = outside
    return item
