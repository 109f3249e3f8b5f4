"""STAC APIs by pystac-client, with what each says it can do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eolab.catalog.io.documents import is_remote
from eolab.catalog.io.item_logins import refusal_hint
from eolab.catalog.io.plain_session import TIMEOUT, retry_policy
from eolab.catalog.io.session import new_session
from eolab.catalog.query.cql2 import within
from eolab.catalog.query.query import SearchQuery
from eolab.catalog.query.times import stamp
from eolab.catalog.sources.base import Capabilities, Source
from eolab.catalog.sources.parse_items import as_collections, as_items, self_href
from eolab.errors import EolabError, NotFoundError, RemoteError, nearest
from eolab.redaction import redact
from eolab.settings.limits import raise_hint
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pystac
    import pystac_client
    from pystac_client.stac_api_io import StacApiIO

PAGE = 100


class ApiSource(Source):
    """A STAC API. Its conformance is read, not assumed; filters are applied again on our side."""

    @property
    def kind(self) -> str:
        return "api"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(queryables=True)

    @property
    def simulated(self) -> bool:
        return False

    @cached_property
    def client(self) -> pystac_client.Client:
        """The opened API.

        Raises:
            RemoteError: It does not answer, or not with a STAC document.
        """
        import pystac_client

        with self._failures("the landing page"):
            # Opening sets the time limit anew.
            return pystac_client.Client.open(self.url, stac_io=self._io, timeout=TIMEOUT)

    @cached_property
    def _io(self) -> StacApiIO:
        import pystac
        from pystac_client.stac_api_io import StacApiIO

        class OnlyThere(StacApiIO):
            """Reads what lies at the service; its documents name no file of this machine."""

            def read_text(self, source: pystac.link.HREF, *args: Any, **options: Any) -> str:
                href = source.href if isinstance(source, pystac.Link) else str(source)
                if not is_remote(href):
                    raise RemoteError(
                        f"a link of the service names {href}, which is not at a service",
                        "It was not read. Tell those who run the service.",
                    )
                text: str = super().read_text(source, *args, **options)
                return text

        io = OnlyThere()
        io.session = new_session(retry_policy(self.limits), self.login, self.limits)
        return io

    def collections(self) -> list[pystac.Collection]:
        self.skipped = []
        with self._failures("the collections"):
            link = self.client.get_single_link("data")
            if link is None:  # a service without collections of its own
                return sorted(self.client.get_collections(), key=lambda collection: collection.id)
            # By documents: the client gives up the whole list for one that is odd.
            found = list(as_collections(self._collection_documents(link.absolute_href), self))
            return sorted(found, key=lambda collection: collection.id)

    def _collection_documents(self, href: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        for page in self._io.get_pages(href):
            documents = page.get("collections")
            if not isinstance(documents, list):
                raise RemoteError(f"{href} holds no list of collections", "Check its address.")
            for number, document in enumerate(documents):
                body = document if isinstance(document, Mapping) else {}
                yield self_href(body) or f"{href}#{number}", body

    def queryables(self, collection: str) -> dict[str, dict[str, object]]:
        from pystac_client.collection_client import CollectionClient
        from pystac_client.exceptions import APIError
        from pystac_client.warnings import DoesNotConformTo

        with self._failures(f"collection {collection}"):
            found = self.client.get_collection(collection)
        if found is None:
            raise NotFoundError(
                f"no collection {collection!r} in {self.name!r}",
                nearest(collection, [c.id for c in self.collections()], "collections"),
            )
        if not isinstance(found, CollectionClient):  # a service without collections of its own
            return super().queryables(collection)
        try:
            answer = found.get_queryables()
        except (APIError, DoesNotConformTo, NotImplementedError):
            return super().queryables(collection)
        properties = answer.get("properties", {})
        return {str(k): dict(v) for k, v in properties.items() if isinstance(v, Mapping)}

    def _conforms(self, *endings: str) -> bool:
        offered = [str(uri) for uri in self.client.get_conforms_to()]
        return any(uri.endswith(ending) for uri in offered for ending in endings)

    def sorts(self, query: SearchQuery) -> bool:
        by_time = not query.sort or [name for name, _ in query.sort] == ["datetime"]
        return by_time and self._conforms("item-search#sort")

    def candidates(self, query: SearchQuery) -> Iterator[pystac.Item]:
        self.skipped = []
        return as_items(self._documents(query), self)

    def _documents(self, query: SearchQuery) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Items as the service sends them, page by page."""
        body: dict[str, object] = {"limit": min(PAGE, query.limit or PAGE)}
        if query.collections:
            body["collections"] = list(query.collections)
        if query.ids:
            body["ids"] = list(query.ids)
        if query.intersects is not None:
            body["intersects"] = query.intersects.__geo_interface__
        elif query.bbox is not None and query.bbox[0] <= query.bbox[2]:
            body["bbox"] = list(query.bbox)
        elif query.area is not None:  # services differ in how they read a box across 180 degrees
            body["intersects"] = query.area.__geo_interface__
        if query.interval:
            body["datetime"] = _interval(query)
        if query.max_cloud is not None and _all_state_clouds(query):
            if self._conforms("item-search#query"):
                body["query"] = {"eo:cloud_cover": {"lte": query.max_cloud}}
            elif self._conforms("item-search#filter"):
                clouds = {"property": "eo:cloud_cover"}
                body["filter"] = {"op": "<=", "args": [clouds, query.max_cloud]}
                body["filter_lang"] = "cql2-json"
        if query.filter is not None and "filter" not in body and self._conforms("#filter"):
            sent = within(query.filter, lambda name: self._conforms(f"/{name}"))
            if sent is not None:
                body["filter"] = dict(sent)
                body["filter_lang"] = "cql2-json"
        if self.sorts(query):
            newest = any(descends for _, descends in query.sort)
            body["sortby"] = [
                {"field": "properties.datetime", "direction": "desc" if newest else "asc"},
                {"field": "id", "direction": "asc"},
            ]
        with self._failures("the search"):
            search = self.client.search(
                max_items=None,
                method=self._method(),
                **body,  # type: ignore[arg-type]
            )
            pages = search.pages_as_dicts()
        number, begun = 0, time.monotonic()
        seen: set[tuple[object, object]] = set()
        while True:
            number += 1
            with self._failures(f"page {number} of the search"):
                page = next(pages, None)
            if page is None:
                return
            bit = self._limit_reached(number, time.monotonic() - begun)
            if bit:
                self._tell_partial(bit, len(seen), sorted_there=self.sorts(query))
                return
            features = page.get("features")
            documents = [f for f in features or [] if isinstance(f, Mapping)]
            keys = {(document.get("collection"), str(document.get("id"))) for document in documents}
            if keys and keys <= seen:
                raise RemoteError(
                    f"{self.url}: page {number} of the search repeats what came before",
                    "The service's paging runs in circles; ask for less.",
                )
            seen |= keys
            for document in documents:
                # Whatever it says of itself, it came from there.
                where = self_href(document) or ""
                yield where if is_remote(where) else f"{self.url}#{document.get('id')}", document

    def _limit_reached(self, page: int, seconds: float) -> str:
        """The name of the limit that a page of a search lies beyond; "" for none."""
        if page > self.limits.pages:
            return "pages"
        return "minutes" if seconds > self.limits.seconds else ""

    def _tell_partial(self, bit: str, count: int, *, sorted_there: bool) -> None:
        """Say that a search ended before the service did, with what came kept."""
        order = "" if sorted_there else "; the service does not sort: they are not the newest"
        reason = (
            f"the search was ended after {getattr(self.limits, bit):,.10g} {bit} with "
            f"{count} items looked at{order}"
        )
        hint = f"Ask for fewer dates or a smaller area, or {raise_hint(bit)}."
        self.skip(self.url, f"{reason}. {hint}")
        warn(f"{self.name}: {reason}. {hint}", UserWarning)

    def _method(self) -> str:
        """POST where the service offers it: areas do not fit into every address."""
        offered = {
            str(link.extra_fields.get("method", "GET")).upper()
            for link in self.client.get_links("search")
        }
        return "POST" if "POST" in offered else "GET"

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Turn what the client raises into our errors."""
        import pystac
        import requests
        from pystac_client.exceptions import APIError

        try:
            yield
        except EolabError:
            raise
        except APIError as error:
            # The client wraps what our own session says, such as a limit with its way on.
            inner = error.__cause__ or error.__context__
            if isinstance(inner, EolabError):
                reason = f"{self.url}: {what} failed: {inner.message}"
                raise RemoteError(reason, inner.hint) from error
            # Before it is cut: half a secret is found no more.
            text = redact(" ".join(str(error).split()))[:200]
            status = getattr(error, "status_code", None)
            if status == 404:
                raise NotFoundError(
                    f"{self.url}: {what} is not there", "Check the address."
                ) from error
            hint = "Try again later, or ask for less."
            if status in (401, 403):
                hint = refusal_hint(self.url, self.login)
            reason = f"{status}: {text}" if status and str(status) not in text else text
            raise RemoteError(f"{self.url}: {what} failed: {reason}", hint) from error
        except json.JSONDecodeError as error:
            raise RemoteError(
                f"{self.url}: {what} failed: what came is no JSON",
                "Open the address in a browser: it may ask for a sign-in, or be no STAC API.",
            ) from error
        except (requests.RequestException, pystac.errors.STACError, ValueError, KeyError) as error:
            raise RemoteError(
                f"{self.url}: {what} failed: {type(error).__name__}: {redact(str(error))[:200]}",
                "Check the network and that the address is a STAC API.",
            ) from error


def _all_state_clouds(query: SearchQuery) -> bool:
    """Whether asking the service for little cloud loses no item that the query wants to keep."""
    optical = ("sentinel-2", "landsat", "hls")
    known = bool(query.collections) and all(c.startswith(optical) for c in query.collections)
    return known or query.cloud_missing == "drop"


def _interval(query: SearchQuery) -> str:
    return "/".join(".." if t is None else stamp(t) for t in (query.start, query.end))
