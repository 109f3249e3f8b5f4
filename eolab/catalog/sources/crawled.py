"""Static catalogues with an index: crawled once into stac-geoparquet, then only what changed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.io.documents import Version, file_version, is_remote, read_changed
from eolab.catalog.query.query import SearchQuery
from eolab.catalog.sources.base import Capabilities, Skipped, Source
from eolab.catalog.sources.geoparquet import GeoParquetSource
from eolab.catalog.sources.geoparquet_writer import write_items
from eolab.catalog.sources.parse_items import as_collections, self_href
from eolab.catalog.sources.static import Crawl, StaticSource
from eolab.errors import EolabError, NotFoundError
from eolab.files import folders, writes

if TYPE_CHECKING:
    import pandas as pd
    import pystac

FORMAT = 2  # 2: items tell what the catalogues above them are called
FRESH = 300.0  # seconds for which a remote catalogue is not asked again


@dataclass
class State:
    """What the index knows of the catalogue it was made from.

    Attributes:
        url: Address of the root.
        checked: When it was last compared with the catalogue, seconds since the epoch.
        versions: Version of each document read, by address.
        documents: Catalogues and collections, by address.
        items: Addresses of the items in the file.
        skipped: Documents that could not be used.
    """

    url: str
    checked: float = 0.0
    versions: dict[str, Version] = field(default_factory=dict)
    documents: dict[str, Mapping[str, object]] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)


class IndexedSource(Source):
    """A static catalogue whose items lie in a stac-geoparquet file beside the workspace.

    A refresh reads catalogues and collections that changed and the items that are new in them;
    items of a web server are taken not to change under the same address, files are compared.
    """

    def __init__(self, name: str, url: str, description: str = "", *, folder: Path) -> None:
        super().__init__(name, url, description)
        key = hashlib.sha256(url.encode()).hexdigest()[:16]
        self.file = folder / f"{key}.parquet"
        self._state_file = folder / f"{key}.json"
        self._checked = False

    @property
    def kind(self) -> str:
        return "static"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(count=True, histogram=True, free_text=True, waits=False)

    def collections(self) -> list[pystac.Collection]:
        state = self._fresh()
        counts = {c.id: c.extra_fields["eolab:items"] for c in self._table_collections()}
        documents = [(h, d) for h, d in state.documents.items() if d.get("type") == "Collection"]
        found = list(as_collections(documents, self))
        for collection in found:
            collection.extra_fields["eolab:items"] = counts.get(collection.id, 0)
        return sorted(found, key=lambda collection: collection.id)

    def _table_collections(self) -> list[pystac.Collection]:
        return self._table().collections() if self.file.exists() else []

    def _table(self) -> GeoParquetSource:
        table = GeoParquetSource(self.name, str(self.file))
        table.roots = self.folders()
        return table

    def sorts(self, query: SearchQuery) -> bool:
        return self.file.exists() and self._table().sorts(query)

    def candidates(self, query: SearchQuery) -> Iterator[pystac.Item]:
        self._fresh()
        return self._rows(query) if self.file.exists() else iter(())

    def _rows(self, query: SearchQuery) -> Iterator[pystac.Item]:
        table = self._table()
        yield from table.candidates(query)
        self.skipped += table.skipped

    def count(self, query: SearchQuery) -> int:
        self._fresh()
        return self._table().count(query) if self.file.exists() else 0

    def histogram(self, query: SearchQuery, *, period: str = "month") -> pd.DataFrame:
        self._fresh()
        return self._table().histogram(query, period=period)

    def _fresh(self) -> State:
        """The state, compared with the catalogue if that was long ago."""
        state = self._load()
        if state is None or (is_remote(self.url) and time.time() - state.checked > FRESH):
            return self.refresh()
        if not is_remote(self.url) and not self._checked:
            return self.refresh()
        self.skipped = list(state.skipped)
        return state

    def refresh(self) -> State:
        """Compare with the catalogue and take over what changed.

        Raises:
            NotFoundError: There is no root document.
            InvalidInputError: The root is no STAC document.
            RemoteError: The server fails at the root; the index stays as it was.
        """
        state = self._load() or State(self.url)
        walk = _Walk(self.name, self.url, state)
        walk.login, walk.limits = self.login, self.limits
        found = walk.crawl()
        self._checked = True
        self.skipped = walk.skipped
        removed = state.items - walk.kept - set(found.items)
        after = State(
            url=self.url,
            checked=time.time(),
            versions=walk.versions,
            documents=walk.documents,
            items=walk.kept | set(found.items),
            skipped=walk.skipped,
        )
        # A new title or link counts for items that stay the same.
        moved = walk.documents != state.documents
        if found.items or removed or moved or not self._state_file.exists():
            kept = self._kept(walk.kept, found) if walk.kept else []
            documents = [*kept, *_with_address(found)]
            if documents:
                try:
                    left_out = write_items(
                        self.file, documents, collections=_collections(walk.documents)
                    )
                except EolabError as error:
                    left_out = [Skipped(self.url, error.message)]
                after.skipped = [*walk.skipped, *left_out]
                self.skipped = after.skipped
            else:
                self.file.unlink(missing_ok=True)
        self._save(after)
        return after

    def _kept(self, hrefs: set[str], found: Crawl) -> list[Mapping[str, object]]:
        """Items of the file that are still linked, below catalogues as they are called now."""
        import pyarrow.parquet as pq
        from stac_geoparquet.arrow import stac_table_to_items

        if not self.file.exists():
            return []
        documents = stac_table_to_items(pq.read_table(self.file))
        addressed = ((self_href(document), document) for document in documents)
        return [found.with_above(href, document) for href, document in addressed if href in hrefs]

    def _load(self) -> State | None:
        try:
            raw = json.loads(self._state_file.read_text(encoding="utf-8"))
            if raw["format"] != FORMAT or raw["url"] != self.url:
                return None
            return State(
                url=raw["url"],
                checked=float(raw["checked"]),
                versions={href: Version(**v) for href, v in raw["versions"].items()},
                documents=raw["documents"],
                items=set(raw["items"]),
                skipped=[Skipped(**s) for s in raw["skipped"]],
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # damaged or of another version: made again

    def _save(self, state: State) -> None:
        folders.make(self._state_file.parent)
        body = {
            "format": FORMAT,
            **asdict(state),
            "items": sorted(state.items),
        }
        writes.write_json(self._state_file, body, indent=None)


class _Walk(StaticSource):
    """A crawl that asks only for what changed since ``before``."""

    def __init__(self, name: str, url: str, before: State) -> None:
        super().__init__(name, url)
        self.before = before
        self.versions: dict[str, Version] = {}
        self.documents: dict[str, Mapping[str, object]] = {}
        self.kept: set[str] = set()

    def _document(self, href: str) -> Mapping[str, object]:
        old = self.before.documents.get(href)
        known = self.before.versions.get(href) if old else None
        document, version = read_changed(href, known, self.login, self.limits)
        if document is None:
            assert old is not None
            document = old
        self.versions[href] = version
        if document.get("type") not in ("Feature", "FeatureCollection"):
            self.documents[href] = document
        return document

    def _known(self, href: str) -> bool:
        if href not in self.before.items:
            return False
        if not is_remote(href):
            try:
                version = file_version(href)
            except NotFoundError:
                return False
            if version != self.before.versions.get(href):
                return False
            self.versions[href] = version
        self.kept.add(href)
        return True


def _with_address(found: Crawl) -> Iterator[Mapping[str, object]]:
    """Items with a self link, by which relative asset hrefs are resolved later."""
    for href, document in found.items.items():
        yield {**document, "links": [{"rel": "self", "href": href}]}


def _collections(documents: Mapping[str, Mapping[str, object]]) -> Iterable[Mapping[str, object]]:
    for document in documents.values():
        if document.get("type") == "Collection" and isinstance(document.get("id"), str):
            yield {**document, "links": []}
