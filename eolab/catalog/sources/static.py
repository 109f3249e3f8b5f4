"""Static catalogues: JSON documents that link to each other, in a folder or on a web server."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.io.documents import is_remote, read_json, resolve
from eolab.catalog.query.free_text import ABOVE
from eolab.catalog.query.query import SearchQuery
from eolab.catalog.sources.base import Capabilities, Source
from eolab.catalog.sources.parse_items import as_collections, as_items
from eolab.errors import EolabError, InvalidInputError, NotFoundError
from eolab.settings.edit import ROOTS, ingest_hint
from eolab.settings.roots import prefixes

if TYPE_CHECKING:
    import pystac

READERS = 32  # documents read at once; they wait for the network, not for the processor
MAX_DOCUMENTS = 1_000_000


@dataclass
class Crawl:
    """What a walk over the links found: documents with their addresses.

    Attributes:
        collections: By address, in order of the walk.
        items: By address; an item without a collection id has got that of its parent.
        parents: Documents that link to a document, by its address.
        labels: Ids and titles of catalogues and collections below the root, by address.
    """

    collections: dict[str, Mapping[str, object]] = field(default_factory=dict)
    items: dict[str, Mapping[str, object]] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def with_above(self, href: str, item: Mapping[str, object]) -> Mapping[str, object]:
        """The item with what the catalogues above it are called, for searches in free text.

        All ways from the root count, whichever was walked first; the root is in no item's way, and
        its own collection is searched anyway.
        """
        above: set[str] = set()
        document = href if href in self.parents else href.rpartition("#")[0]
        left = list(self.parents.get(document, ()))
        while left:
            parent = left.pop()
            if parent not in above:
                above.add(parent)
                left += self.parents.get(parent, ())
        own = [h for h in above & self.collections.keys() if _same_id(self.collections[h], item)]
        names = sorted(
            {self.labels[parent] for parent in above.difference(own) if parent in self.labels}
        )
        properties = item.get("properties")
        if not isinstance(properties, Mapping) or not (names or ABOVE in properties):
            return item
        bare = {key: value for key, value in properties.items() if key != ABOVE}
        return {**item, "properties": {**bare, ABOVE: names} if names else bare}


class StaticSource(Source):
    """A static catalogue by its root: a catalogue, collection, item or feature collection.

    Cyclic links, missing and broken documents are passed over with a message. A local catalogue
    reads nothing outside its own folder and the workspace's roots, a remote one no local file.
    """

    @property
    def kind(self) -> str:
        return "static"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(whole=True, waits=False)

    def collections(self) -> list[pystac.Collection]:
        crawl = self.crawl()
        counts = Counter(str(item.get("collection")) for item in crawl.items.values())
        found = list(as_collections(crawl.collections.items(), self))
        for collection in found:
            collection.extra_fields["eolab:items"] = counts[collection.id]
        return sorted(found, key=lambda collection: collection.id)

    def candidates(self, query: SearchQuery) -> Iterator[pystac.Item]:
        del query
        return as_items(self.crawl().items.items(), self)

    def root(self) -> str:
        """Address of the root document.

        Raises:
            NotFoundError: The folder holds none.
        """
        if is_remote(self.url):
            return self.url
        path = Path(self.url)
        if not path.is_dir():
            return str(path)
        for name in ROOTS:
            if (path / name).is_file():
                return str(path / name)
        raise NotFoundError(f"{path} holds no {' or '.join(ROOTS)}", ingest_hint(path))

    def crawl(self) -> Crawl:
        """Walk all links below the root.

        Raises:
            NotFoundError: There is no root document.
            InvalidInputError: The root is no STAC document.
            RemoteError: The server fails at the root.
        """
        self.skipped = []
        root = self.root()
        allowed = prefixes(self.folders())
        real = lru_cache(maxsize=None)(os.path.realpath)  # of this walk: links may change
        found = Crawl()
        document = self._document(root)
        if document.get("type") not in _STAC_TYPES and "stac_version" not in document:
            raise InvalidInputError(
                f"{root} is no STAC document", "Name a catalogue, collection or item."
            )
        seen = {root}
        with ThreadPoolExecutor(READERS if is_remote(root) else 4) as pool:
            waiting: dict[Future[Mapping[str, object]], tuple[str, str | None]] = {}

            def visit(href: str, document: Mapping[str, object], parent: str | None) -> None:
                for rel, link in self._read(found, href, document, parent):
                    try:
                        target = resolve(href, link, real)
                        local = not is_remote(root) and not is_remote(target)
                        if local and not f"{target}{os.sep}".startswith(allowed):
                            raise InvalidInputError(
                                f"{target} lies outside the catalogue's folder and of "
                                "[workspace] roots in eolab.toml",
                                "",
                            )
                    except (EolabError, ValueError) as error:
                        self.skip(link, getattr(error, "message", str(error)))
                        continue
                    found.parents.setdefault(target, set()).add(href)
                    if target not in seen and len(seen) < MAX_DOCUMENTS:
                        seen.add(target)
                        if rel == "item" and self._known(target):
                            continue
                        inner = document.get("id") if _is_collection(document) else parent
                        waiting[pool.submit(self._document, target)] = (
                            target,
                            inner if isinstance(inner, str) else None,
                        )

            visit(root, document, None)
            try:
                while waiting:
                    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        href, parent = waiting.pop(future)
                        try:
                            visit(href, future.result(), parent)
                        except EolabError as error:
                            self.skip(href, error.message)
                        except Exception as error:  # wrong in ways nobody listed
                            self.skip(href, error)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        found.labels.pop(root, None)
        found.items = {h: found.with_above(h, item) for h, item in sorted(found.items.items())}
        found.collections = dict(sorted(found.collections.items()))
        return found

    def _document(self, href: str) -> Mapping[str, object]:
        """One document; an index overrides it to read only what changed."""
        return read_json(href, self.login, self.limits)

    def _known(self, href: str) -> bool:
        """Whether an item need not be read again."""
        del href
        return False

    def _read(
        self, found: Crawl, href: str, document: Mapping[str, object], parent: str | None
    ) -> list[tuple[str, str]]:
        """Keep one document; returns the links to follow with what they are."""
        kind = document.get("type")
        if kind == "Feature":
            found.items[href] = _with_collection(document, parent)
            return []
        if kind == "FeatureCollection":
            features = document.get("features")
            for number, feature in enumerate(features if isinstance(features, list) else []):
                if isinstance(feature, Mapping):
                    # Several items in one file: the fragment keeps their addresses apart.
                    found.items[f"{href}#{number}"] = _with_collection(feature, parent)
            return []
        if _is_collection(document):
            found.collections[href] = document
        links = document.get("links")
        # Before 1.0 catalogues had no type.
        catalog = kind in ("Catalog", "Collection") or (
            "type" not in document and "description" in document and "geometry" not in document
        )
        if not catalog or not isinstance(links, list):
            self.skip(href, "no STAC document" if not catalog else "links is no list")
            return []
        names = (document.get("id"), document.get("title"))
        found.labels[href] = " ".join(name for name in names if isinstance(name, str))
        return [
            (link["rel"], link["href"])
            for link in links
            if isinstance(link, Mapping)
            and link.get("rel") in ("child", "item", "items")
            and isinstance(link.get("href"), str)
        ]


_STAC_TYPES = ("Catalog", "Collection", "Feature", "FeatureCollection")


def _is_collection(document: Mapping[str, object]) -> bool:
    # Before 1.0 a collection was told from a catalogue by its extent alone.
    return document.get("type") == "Collection" or ("type" not in document and "extent" in document)


def _same_id(collection: Mapping[str, object], item: Mapping[str, object]) -> bool:
    return collection.get("id") == item.get("collection")


def _with_collection(document: Mapping[str, object], parent: str | None) -> Mapping[str, object]:
    if document.get("collection") is None and parent is not None:
        return {**document, "collection": parent}
    return document
