"""One box over everything, the search tab, and the searches that are saved."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import InvalidInputError
from eolab.records import saved_searches
from eolab.server.base import Handler, text_of
from eolab.server.contract import calls
from eolab.settings.config import check_name


class SearchHandler(Handler):
    """GET: one box over everything in the workspace and seen in catalogues."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`?text=&bbox=w,s,e,n&datetime=&limit=20`: `{"results": {KIND: [...]}}`.

        Kinds are collection, item, group, view, chips, study, model; a result has `id`, `title`,
        `detail` (how to reach it), `bbox`, `start` and `end` (seconds or null).
        """
        await self.forward(
            calls.SEARCH,
            text=self.get_query_argument("text", ""),
            bbox=self.box(),
            datetime=self.get_query_argument("datetime", "") or None,
            limit=self.number("limit", int, 20, 1, 100),
        )


class PrepareHandler(Handler):
    """POST: somebody opened the search tab."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """202 `{"accepted": true}`: libraries are loaded while they look around."""
        self.set_status(202)
        await self.forward(calls.PREPARE)


class CatalogSearchHandler(Handler):
    """POST: the items that answer a query, with their footprints and their times."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """A query, every part optional; see `eolab.catalog.panel.search.found` for the answer.

        `{"collection", "bbox", "intersects", "datetime", "max_cloud", "filter", "text", "limit"}`
        """
        body = self.body()
        limit = body.pop("limit", 500)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 10_000:
            raise InvalidInputError(f"limit={limit!r} cannot be used", "Give a number, 1 to 10000.")
        known = ("collection", "bbox", "intersects", "datetime", "max_cloud", "filter", "text")
        for key in body:
            if key not in known:
                raise InvalidInputError(f"a query has no {key!r}", f"It has: {', '.join(known)}.")
        await self.forward(calls.FOUND, name=check_name(name, "catalogue"), limit=limit, query=body)


class CalendarHandler(Handler):
    """POST: the overpasses of an area, and what is clear of each."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """`{"collection", "geometry", "datetime"}`: see `eolab.catalog.panel.field_series`."""
        body = self.body()
        await self.forward(
            calls.CALENDAR,
            name=check_name(name, "catalogue"),
            collection=text_of(body, "collection"),
            geometry=body.get("geometry"),
            datetime=text_of(body, "datetime", optional=True) or None,
        )


class FieldSeriesHandler(Handler):
    """POST: the mean of an index over an area, by clear date."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """`{"collection", "geometry", "datetime", "max_cloud", "index"}`.

        See `eolab.catalog.panel.field_series.curve`.
        """
        body = self.body()
        cloud = body.get("max_cloud")
        if cloud is not None and (isinstance(cloud, bool) or not isinstance(cloud, int | float)):
            raise InvalidInputError(
                f"max_cloud={cloud!r} cannot be used", "Give percent, 0 to 100."
            )
        await self.forward(
            calls.CURVE,
            name=check_name(name, "catalogue"),
            collection=text_of(body, "collection"),
            geometry=body.get("geometry"),
            datetime=text_of(body, "datetime", optional=True) or None,
            max_cloud=cloud,
            index=text_of(body, "index", optional=True) or "NDVI",
        )


class SavedSearchesHandler(Handler):
    """GET, POST: searches and areas that are kept by a name, for all who share the workspace."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"search": [{"name", "value"}], "area": [{"name", "value": {"geometry"}}]}`."""
        self.answer(await asyncio.to_thread(saved_searches.read, self.workspace.root))

    @authenticated
    @authorized
    async def post(self) -> None:
        """`{"kind": "search"|"area", "name", "value"}`, null to drop it: all of them."""
        body = self.body()
        if "value" not in body:
            raise InvalidInputError("value is missing", "Send what is kept, or null to drop it.")
        kind, name = text_of(body, "kind"), text_of(body, "name")
        root = self.workspace.root
        self.answer(await asyncio.to_thread(saved_searches.keep, root, kind, name, body["value"]))
