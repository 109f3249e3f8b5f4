"""Places to search: one contract for STAC APIs, static catalogues and GeoParquet files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from eolab import gc_pause
from eolab.catalog.areas.areas import Area
from eolab.catalog.io.documents import is_remote
from eolab.catalog.io.item_logins import mark
from eolab.catalog.query.cql2 import properties
from eolab.catalog.query.free_text import mentions
from eolab.catalog.query.query import SearchQuery, make_query
from eolab.catalog.query.times import When
from eolab.catalog.sources.search_entries import note_items
from eolab.deprecation import warn_renamed
from eolab.errors import InvalidInputError, NotFoundError, RemoteError, nearest
from eolab.redaction import redact
from eolab.settings import limits
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pandas as pd
    import pystac

    from eolab.catalog.io.logins import SourceLogin, SourceRef


@dataclass(frozen=True)
class Skipped:
    """A document that could not be used.

    Attributes:
        href: Where it is.
        message: What is wrong with it.

    Example:
        >>> from eolab.catalog import Skipped
        >>> Skipped("items/a.json", "the item has no datetime").message
        'the item has no datetime'
    """

    href: str
    message: str


class UnknownCollection(UserWarning):
    """A search asked for a collection that the source does not have."""


class UnknownProperty(UserWarning):
    """A search filters or sorts by a property that no item has."""


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


@dataclass(frozen=True)
class Capabilities:
    """What a place can do by itself; what it cannot is done here, on the items that it sends.

    Attributes:
        count: It counts the items of a query without reading them: `Source.count` works.
        histogram: It counts them over time: `Source.histogram` works.
        queryables: It states by what its items can be filtered; else the items are looked at.
        free_text: It narrows a search by its words; else all items are read for them.
        whole: Every answer costs reading all of its items, whatever the limit.
        waits: It may wait for a network between two items.
    """

    count: bool = False
    histogram: bool = False
    queryables: bool = False
    free_text: bool = False
    whole: bool = False
    waits: bool = True


class Source(ABC):
    """A place to search.

    Contract, which every kind passes the same tests for:

    * `capabilities` says what the place does by itself. Callers decide by it, never by the class;
      a call that it does not support raises `InvalidInputError`.
    * `search` returns only items that answer the whole query, whatever the service sent, ordered
      by date then id, each once; a limit takes the first of that order where the place can sort.
    * A broken document is listed in `skipped` and never stops a search; a place that does not
      answer at all raises.
    * Asset hrefs of results are absolute.
    * A source may be used from several threads; `skipped` tells of the latest call.
    * A kind implements `kind`, `collections` and `candidates`; `capabilities` with the calls that
      they promise where it can do more, and `sorts` where candidates come in the order of results.

    Example:
        >>> source = ws.catalog("sample")
        >>> source
        <static catalogue 'sample': ...catalog.json>
        >>> source.search(datetime="2021-06-02", limit=1)[0].id
        'SIM_S2A_32UQU_20210602_N0500'
    """

    def __init__(self, name: str, url: str, description: str = "") -> None:
        self.name = name
        self.url = url
        self.description = description
        self.skipped: list[Skipped] = []
        self.ref: SourceRef | None = None  # that its items carry
        self.login: SourceLogin | None = None
        self.workspace: Path | None = None  # where what was seen is noted for the search of all
        self.limits = limits.in_force()  # of what it may send
        self.roots: tuple[Path, ...] = ()  # more folders in which a local one may name files

    def folders(self) -> tuple[Path, ...]:
        """Where its documents may name files of this machine: for a remote one, nowhere.

        Example:
            >>> ws.root / "sample" in ws.catalog().folders()
            True
        """
        if is_remote(self.url):
            return ()
        path = Path(self.url).resolve()
        return (path if path.is_dir() else path.parent, *self.roots)

    ingester: ClassVar[Callable[..., object]]  # two floors above, which puts itself here

    @property
    @abstractmethod
    def kind(self) -> str:
        """Which of "api", "static" and "geoparquet" it is.

        Example:
            >>> ws.catalog().kind
            'static'
        """

    @abstractmethod
    def collections(self) -> list[pystac.Collection]:
        """All collections, ordered by id.

        Raises:
            NotFoundError: Nothing is at the address.
            RemoteError: The service fails or does not answer.

        Example:
            >>> [collection.id for collection in ws.catalog().collections()]
            ['sentinel-1-rtc-simulated', 'sentinel-2-l2a-simulated']
        """

    @property
    def capabilities(self) -> Capabilities:
        """What the place can do by itself, beyond what every source can; by default nothing.

        Example:
            >>> ws.catalog().capabilities.whole  # a folder of documents, read for each answer
            True
        """
        return Capabilities()

    @abstractmethod
    def candidates(self, query: SearchQuery) -> Iterator[pystac.Item]:
        """Items that may answer the query: all that do, perhaps more; what is broken is skipped.

        For kinds of sources, which `search` asks and filters again.

        Example:
            >>> from eolab.catalog.query.query import make_query
            >>> len(list(ws.catalog().candidates(make_query(max_cloud=0))))
            52
        """

    def count(self, query: SearchQuery) -> int:
        """Number of items whose box, time and properties answer the query, without reading them.

        Exact for boxes; an area of another shape is taken by its box, words are not looked at.

        Args:
            query: From `make_query`.

        Raises:
            InvalidInputError: The place cannot count (see `capabilities`).

        Example:
            >>> from eolab.catalog.query.query import make_query
            >>> from eolab.catalog.sources.geoparquet_writer import write_items
            >>> write_items(ws.root / "scenes.parquet", [i.to_dict() for i in items])
            []
            >>> ws.catalog(str(ws.root / "scenes.parquet")).count(make_query(max_cloud=10))
            3
        """
        del query
        raise self._cannot("count its items", "Count what a search returns: len(items).")

    def histogram(self, query: SearchQuery, *, period: str = "month") -> pd.DataFrame:
        """Items over time without reading them, by what `count` looks at.

        Args:
            query: From `make_query`.
            period: "day", "week", "month" or "year".

        Returns:
            Columns ``time`` (the period's start) and ``items``, ordered by time.

        Raises:
            InvalidInputError: The place cannot count (see `capabilities`), or another period.

        Example:
            >>> from eolab.catalog.query.query import make_query
            >>> from eolab.catalog.sources.geoparquet_writer import write_items
            >>> _ = write_items(ws.root / "scenes.parquet", [i.to_dict() for i in items])
            >>> source = ws.catalog(str(ws.root / "scenes.parquet"))
            >>> source.histogram(make_query(), period="month")["items"].tolist()
            [4, 2]
        """
        del query, period
        raise self._cannot("count its items over time", "Count the dates of what a search returns.")

    def _cannot(self, what: str, hint: str) -> InvalidInputError:
        return InvalidInputError(f"{self.kind} catalogue {self.name!r} cannot {what}", hint)

    @property
    def simulated(self) -> bool:
        """Whether the place says that its scenes were made up.

        Example:
            >>> ws.catalog("sample").simulated
            True
        """
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
            text: Words that must all occur in the item, in its collection's title, description or
                keywords, or in the titles of a static catalogue's parts above it.
            sortby: Properties, such as "-eo:cloud_cover" (descending); unknown values last.

        Returns:
            The items, ordered by date then id unless ``sortby`` says otherwise; empty where
            nothing matches. A collection that does not exist at all gives a warning, and so does
            a property that no item has: in a filter that finds nothing, or to sort by.

        Raises:
            InvalidInputError: An argument that cannot be used.
            NotFoundError: Nothing is at the address.
            RemoteError: The service fails or does not answer.

        Example:
            >>> found = ws.catalog().search(
            ...     "sentinel-2-l2a-simulated",
            ...     datetime="2021-05/2021-06",
            ...     filter="eo:cloud_cover < 10 AND platform = 'sentinel-2a'",
            ... )
            >>> [item.id for item in found]
            ['SIM_S2A_32UQU_20210602_N0500']
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
        found = self.run(query)
        if query.collections and not query.ids and not len(found):
            self._tell_unknown(query.collections)
        self._tell_unknown_properties(query, found)
        return found

    def _tell_unknown(self, asked: Sequence[str]) -> None:
        """A collection that does not exist holds nothing: no fault, but seldom what is meant."""
        try:
            known = [c.id for c in self.collections()]
        except RemoteError:
            return
        for name in asked:
            if name not in known:
                hint = nearest(name, known, "collections")
                warn(f"{self.name!r} has no collection {name!r}. {hint}", UnknownCollection)

    def _tell_unknown_properties(self, query: SearchQuery, found: pystac.ItemCollection) -> None:
        """A misspelt property matches nothing, and sorts nothing: no fault, but never meant."""
        asked, items = {name for name, _ in query.sort}, found
        if query.filter is not None and not len(found):
            # What a hundred items have that answer the rest of the query.
            asked |= properties(query.filter)
            try:
                items = self.run(replace(query, filter=None, sort=(), limit=100, brief=True))
            except RemoteError:
                return
        known = {"id", "collection", "datetime", "geometry"}
        known |= {name for item in items for name in item.properties}
        for name in sorted(asked):
            plain = name.removeprefix("properties.")
            if len(items) and plain not in known:
                hint = nearest(plain, sorted(known), "properties")
                warn(f"no item has a property {plain!r}. {hint}", UnknownProperty)

    def run(self, query: SearchQuery) -> pystac.ItemCollection:
        """Find the items that answer a query, as `search` does, without its warnings.

        Args:
            query: From `make_query`.

        Raises:
            PartialAnswer: A service failed on the way.

        Example:
            >>> from eolab.catalog.query.query import make_query
            >>> len(ws.catalog().run(make_query(datetime="2021-06-02")))
            2
        """
        from eolab.catalog.sources.item_collection import FoundItems

        found: dict[tuple[str | None, str], pystac.Item] = {}

        def result() -> FoundItems:
            items = query.ordered(found.values())
            return FoundItems(items[: query.limit], clone_items=False)

        about = self._about_collections() if query.words else {}
        try:
            offered = self.candidates(replace(query, about=about))
            with nullcontext() if self.capabilities.waits else gc_pause.put_off():
                for item in offered:
                    try:
                        accepted = query.accepts(item) and mentions(item, query.words, about)
                    except Exception as error:  # a document can be wrong in ways nobody listed
                        self.skip(item.self_href or item.id, error)
                        continue
                    if accepted:
                        if self.ref is not None:
                            mark(item, self.ref)
                        found.setdefault((item.collection_id, item.id), item)
                        if query.limit and len(found) >= query.limit and self.sorts(query):
                            break
        except RemoteError as error:
            raise PartialAnswer(error.message, error.hint, result()) from error
        answer = result()
        note_items(self.workspace, self.name, answer)
        return answer

    def _about_collections(self) -> dict[str, str]:
        """Title, description and keywords of each collection."""
        return {
            c.id: " ".join([c.id, c.title or "", c.description or "", *(c.keywords or [])])
            for c in self.collections()
        }

    def sorts(self, query: SearchQuery) -> bool:
        """Whether `candidates` come in the order of results, so that a limit may stop early.

        Args:
            query: From `make_query`.

        Example:
            >>> from eolab.catalog.query.query import make_query
            >>> ws.catalog().sorts(make_query())
            False
        """
        del query
        return False

    def item(self, collection: str, identity: str) -> pystac.Item:
        """One item.

        Args:
            collection: Id of its collection.
            identity: Its own id.

        Raises:
            NotFoundError: No such item.

        Example:
            >>> item = ws.catalog().item("sentinel-2-l2a-simulated", items[0].id)
            >>> item.properties["platform"]
            'sentinel-2b'
        """
        found = list(self.search([collection], ids=[identity], limit=1))
        if not found:
            raise NotFoundError(
                f"no item {identity!r} in collection {collection!r} of {self.name!r}",
                "Search the collection to see its items.",
            )
        return found[0]

    def queryables(self, collection: str) -> dict[str, dict[str, object]]:
        """What the items of a collection can be filtered by, as JSON schemas by property.

        A service is asked; elsewhere types, ranges and up to 20 values come from the items.

        Args:
            collection: Id of the collection.

        Raises:
            NotFoundError: No such collection.
            RemoteError: The service fails.

        Example:
            >>> ws.catalog().queryables("sentinel-2-l2a-simulated")["eo:cloud_cover"]
            {'type': 'number', 'minimum': 0.0, 'maximum': 94.6}
        """
        seen: dict[str, list[object]] = {}
        query = make_query(collections=[collection], limit=1_000)
        for item in self.run(replace(query, brief=True)):
            for name, value in item.properties.items():
                if isinstance(value, str | int | float | bool):
                    seen.setdefault(name, []).append(value)
        if not seen:
            raise NotFoundError(
                f"no items of a collection {collection!r} in {self.name!r}",
                nearest(collection, [c.id for c in self.collections()], "collections"),
            )
        return {name: _schema(values) for name, values in sorted(seen.items())}

    def skip(self, href: str, error: Exception | str) -> None:
        """List a document in `skipped`.

        Args:
            href: Where it is.
            error: Why it cannot be used.

        Example:
            >>> source = ws.catalog()
            >>> source.skip("a.json", "no STAC document")
            >>> source.skipped
            [Skipped(href='a.json', message='no STAC document')]
        """
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self.skipped.append(Skipped(href, redact(text.split("\n")[0])[:300]))

    if not TYPE_CHECKING:  # else every misspelt attribute would have a type

        def __getattr__(self, name: str) -> Callable[..., object]:
            """Until the next release: ``source.ingest(files)``.

            Raises:
                AttributeError: Another name.
            """
            if name != "ingest":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            warn_renamed("source.ingest(files)", "eo.ingest(files, to=source)")
            return partial(self.ingester, to=self)

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


def is_simulated(document: pystac.Collection | pystac.Item) -> bool:
    """Whether a document says that it is made up."""
    import pystac

    if isinstance(document, pystac.Collection):
        return "simulated" in (document.keywords or [])
    return document.properties.get("eolab:simulated") is True
