"""Places to search: one contract for STAC APIs, static catalogues and GeoParquet files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from eolab.catalog.query import Area, Query, When, footprint, item_time, make_query
from eolab.errors import BadInput, NotFound, RemoteError, nearest

if TYPE_CHECKING:
    import pystac

    from eolab.config import CatalogConfig, Config


@dataclass(frozen=True)
class Skipped:
    """A document that could not be used: where it is and what is wrong with it."""

    href: str
    message: str


class PartialAnswer(RemoteError):
    """A service failed on the way; ``items`` keeps what it had sent.

    Attributes:
        items: The matching items of the pages before.
    """

    def __init__(self, message: str, hint: str, items: pystac.ItemCollection) -> None:
        kept = f" {len(items)} items came before: `error.items`." if len(items) else ""
        super().__init__(message, hint + kept)
        self.items = items

    def __reduce__(self) -> tuple[type[RemoteError], tuple[str, str]]:
        # Across processes the error goes without the items.
        return RemoteError, (self.message, self.hint)


class Source(ABC):
    """A place to search.

    Contract, which every kind passes the same tests for:

    * `search` returns only items that answer the whole query, whatever the service sent, ordered
      by date then id, each once; a limit takes the first of that order where the place can sort.
    * A broken document is listed in `skipped` and never stops a search; a place that does not
      answer at all raises.
    * Asset hrefs of results are absolute.
    * A source may be used from several threads; `skipped` tells of the latest call.
    """

    def __init__(self, name: str, url: str, description: str = "") -> None:
        self.name = name
        self.url = url
        self.description = description
        self.skipped: list[Skipped] = []

    @property
    @abstractmethod
    def kind(self) -> str:
        """Which of "api", "static" and "geoparquet" it is."""

    @abstractmethod
    def collections(self) -> list[pystac.Collection]:
        """All collections, ordered by id.

        Raises:
            NotFound: Nothing is at the address.
            RemoteError: The service fails or does not answer.
        """

    @abstractmethod
    def _candidates(self, query: Query) -> Iterator[pystac.Item]:
        """Items that may answer the query: all that do, perhaps more."""

    @property
    def simulated(self) -> bool:
        """Whether the place says that its scenes were made up."""
        return any(is_simulated(collection) for collection in self.collections())

    def search(
        self,
        collections: Sequence[str] | str | None = None,
        *,
        bbox: Sequence[float] | None = None,
        intersects: Area | None = None,
        datetime: When | None = None,
        max_cloud: float | None = None,
        cloud_missing: Literal["keep", "drop"] = "keep",
        ids: Sequence[str] | str | None = None,
        limit: int | None = None,
        filter: str | Mapping[str, object] | None = None,
        text: str | None = None,
        sortby: str | Sequence[str] | None = None,
    ) -> pystac.ItemCollection:
        """Find items.

        Args:
            collections: Ids of collections; None for all.
            bbox: West, south, east, north in degrees; west > east crosses the antimeridian.
            intersects: Area in longitude and latitude: GeoJSON, shapely or a GeoDataFrame.
            datetime: "2024-03/2024-10", "2024-03", a date, a pair; a month means all of it.
            max_cloud: Highest cloud cover in percent.
            cloud_missing: Keep or drop items that state no cloud cover (radar) when
                ``max_cloud`` is given.
            ids: Ids of items.
            limit: At most so many items, the earliest ones.
            filter: CQL2 text or JSON; a null property never matches a comparison.
            text: Words that must all occur in the item or in its collection's title, description
                or keywords.
            sortby: Properties, such as "-eo:cloud_cover" (descending); unknown values last.

        Returns:
            The items, ordered by date then id unless ``sortby`` says otherwise; empty where
            nothing matches.

        Raises:
            BadInput: An argument that cannot be used.
            NotFound: Nothing is at the address.
            RemoteError: The service fails or does not answer.
        """
        query = make_query(
            collections=collections,
            bbox=bbox,
            intersects=intersects,
            datetime=datetime,
            max_cloud=max_cloud,
            cloud_missing=cloud_missing,
            ids=ids,
            limit=limit,
            filter=filter,
            text=text,
            sortby=sortby,
        )
        return self.run(query)

    def run(self, query: Query) -> pystac.ItemCollection:
        """Find the items that answer a query made by `make_query`."""
        import pystac

        found: dict[tuple[str | None, str], pystac.Item] = {}

        def result() -> pystac.ItemCollection:
            items = query.ordered(found.values())
            return pystac.ItemCollection(items[: query.limit], clone_items=False)

        about = self._about_collections() if query.words else {}
        try:
            for item in self._candidates(query):
                try:
                    accepted = query.accepts(item) and _mentions(item, query.words, about)
                except Exception as error:  # a document can be wrong in ways nobody listed
                    self._skip(item.self_href or item.id, error)
                    continue
                if accepted:
                    found.setdefault((item.collection_id, item.id), item)
                    if query.limit and len(found) >= query.limit and self._sorted(query):
                        break
        except RemoteError as error:
            raise PartialAnswer(error.message, error.hint, result()) from error
        return result()

    def _about_collections(self) -> dict[str, str]:
        """Title, description and keywords of each collection."""
        return {
            c.id: " ".join([c.id, c.title or "", c.description or "", *(c.keywords or [])])
            for c in self.collections()
        }

    def _sorted(self, query: Query) -> bool:
        """Whether `_candidates` come in the order of results, so that a limit may stop early."""
        del query
        return False

    def item(self, collection: str, identity: str) -> pystac.Item:
        """One item.

        Raises:
            NotFound: No such item.
        """
        found = list(self.search([collection], ids=[identity], limit=1))
        if not found:
            raise NotFound(
                f"no item {identity!r} in collection {collection!r} of {self.name!r}",
                "Search the collection to see its items.",
            )
        return found[0]

    def queryables(self, collection: str) -> dict[str, dict[str, object]]:
        """What the items of a collection can be filtered by, as JSON schemas by property.

        A service is asked; elsewhere types, ranges and up to 20 values come from the items.

        Raises:
            NotFound: No such collection.
            RemoteError: The service fails.
        """
        seen: dict[str, list[object]] = {}
        for item in self.search([collection], limit=1_000):
            for name, value in item.properties.items():
                if isinstance(value, str | int | float | bool):
                    seen.setdefault(name, []).append(value)
        if not seen:
            raise NotFound(
                f"no items of a collection {collection!r} in {self.name!r}",
                nearest(collection, [c.id for c in self.collections()], "collections"),
            )
        return {name: _schema(values) for name, values in sorted(seen.items())}

    def _skip(self, href: str, error: Exception | str) -> None:
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self.skipped.append(Skipped(href, text.split("\n")[0][:300]))

    def __repr__(self) -> str:
        return f"<{self.kind} catalogue {self.name!r}: {self.url}>"


def _schema(values: Sequence[object]) -> dict[str, object]:
    """A JSON schema that the values satisfy."""
    if all(isinstance(v, bool) for v in values):
        return {"type": "boolean"}
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(values):
        return {"type": "number", "minimum": min(numbers), "maximum": max(numbers)}
    texts = sorted({v for v in values if isinstance(v, str)})
    return {"type": "string", "enum": texts} if len(texts) <= 20 else {"type": "string"}


def _mentions(item: pystac.Item, words: Sequence[str], about: Mapping[str, str]) -> bool:
    """Whether all words occur in the item or in what its collection says of itself."""
    if not words:
        return True
    values = [str(v) for v in item.properties.values() if isinstance(v, str | int | float)]
    text = " ".join([item.id, about.get(item.collection_id or "", ""), *values]).lower()
    return all(word.lower() in text for word in words)


def is_simulated(thing: pystac.Collection | pystac.Item) -> bool:
    """Whether a document says that it is made up."""
    import pystac

    if isinstance(thing, pystac.Collection):
        return "simulated" in (thing.keywords or [])
    return thing.properties.get("eolab:simulated") is True


def open_source(config: Config, name_or_url: str) -> Source:
    """A source by its name in `eolab.toml`, its URL, folder or ``.parquet`` file.

    Nothing is read yet, except where only the service's answer tells what it is.

    Raises:
        NotFound: Neither a configured name nor an address; the sample is not made yet.
        BadInput: An address of a kind that cannot be searched.
    """
    from eolab.config import CatalogConfig

    entry = config.catalogs.get(name_or_url)
    if entry is None:
        path = Path(name_or_url).expanduser()
        if "://" in name_or_url:
            entry = CatalogConfig(name_or_url, name_or_url)
        elif path.exists():
            entry = CatalogConfig(path.stem if path.is_file() else path.name, str(path.resolve()))
        else:
            raise NotFound(
                f"no catalogue {name_or_url!r}",
                nearest(name_or_url, list(config.catalogs), "catalogues"),
            )
    sample = config.sample / "catalog.json"
    if entry.url == str(sample) and not sample.exists():
        raise NotFound("the sample region is not made yet", "Make it: `eolab sample`.")
    return _open(config, entry)


def _open(config: Config, entry: CatalogConfig) -> Source:
    from eolab.catalog.api import ApiSource
    from eolab.catalog.fetch import is_remote
    from eolab.catalog.geoparquet import GeoParquetSource
    from eolab.catalog.index import IndexedSource
    from eolab.catalog.static import StaticSource

    kind = entry.kind if entry.kind != "auto" else guess_kind(entry.url)
    if kind == "api":
        return ApiSource(entry.name, entry.url, entry.description)
    if kind == "geoparquet":
        return GeoParquetSource(entry.name, entry.url, entry.description)
    if is_remote(entry.url):
        return IndexedSource(entry.name, entry.url, entry.description, folder=config.root / "index")
    return StaticSource(entry.name, entry.url, entry.description)


def guess_kind(url: str) -> str:
    """What an address holds, by its look, else by the links of the document that is there."""
    plain = url.partition("?")[0].rstrip("/").lower()
    if plain.endswith((".parquet", ".geoparquet")):
        return "geoparquet"
    if "://" not in url or plain.endswith((".json", ".geojson")):
        return "static"
    if not plain.startswith(("http://", "https://")):
        scheme = url.partition("://")[0]
        raise BadInput(f"{url!r} cannot be searched: {scheme}", "Give http(s) or a local path.")
    from eolab.catalog.fetch import read_json

    document = read_json(url)
    links = document.get("links")
    listed = links if isinstance(links, list) else []
    rels = {link.get("rel") for link in listed if isinstance(link, Mapping)}
    return "api" if "conformsTo" in document or "search" in rels else "static"


def as_items(
    documents: Iterable[tuple[str, Mapping[str, object]]], source: Source
) -> Iterator[pystac.Item]:
    """Items of (address, document) pairs; what is no valid item is skipped with a message."""
    for href, document in documents:
        try:
            yield make_item(document, href)
        except Exception as error:  # a document can be wrong in ways nobody listed
            source._skip(href, error)  # noqa: SLF001  a helper of this class


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


def _objects(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def make_item(document: Mapping[str, object], href: str) -> pystac.Item:
    """An item from its document, with absolute asset hrefs.

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
    if "://" in href or Path(href).is_absolute():
        item.set_self_href(href)
        # Taking addresses apart costs more than all the rest.
        if not all("://" in asset.href for asset in item.assets.values()):
            item.make_asset_hrefs_absolute()
    return item
