"""The feature store: groups, their rows, places and statistics, making views."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.server.base import Handler
from eolab.server.contract import calls
from eolab.settings.config import check_name


class FeaturesHandler(Handler):
    """GET: feature groups and views."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"groups", "views"}`, see `eolab.features.panel.snapshot`."""
        await self.forward(calls.FEATURES)


class GroupHandler(Handler):
    """GET: everything of one feature group but its rows."""

    @authenticated
    @authorized
    async def get(self, name: str, version: str) -> None:
        """Schema, history, correlations, the cell that made it (`eolab.features.panel`)."""
        name = check_name(name, "feature group")
        await self.forward(calls.GROUP, name=name, version=int(version))


class StatisticsHandler(Handler):
    """GET: statistics of a feature group."""

    @authenticated
    @authorized
    async def get(self, name: str, version: str) -> None:
        """`{"commit", "statistics": [...]}` of `?commit=`, by default the newest."""
        await self.forward(
            calls.STATISTICS,
            name=check_name(name, "feature group"),
            version=int(version),
            commit=self.number("commit", int, None, 0, 10**9),
        )


class RowsHandler(Handler):
    """GET: a page of a feature group's rows."""

    @authenticated
    @authorized
    async def get(self, name: str, version: str) -> None:
        """`?offset=0&limit=50&sort=&descending=0|1&as_of=`: `{"columns", "rows", "total"}`."""
        await self.forward(
            calls.ROWS,
            name=check_name(name, "feature group"),
            version=int(version),
            offset=self.number("offset", int, 0, 0, 10**12),
            limit=self.number("limit", int, 50, 1, 200),
            sort=self.get_query_argument("sort", "") or None,
            descending=bool(self.number("descending", int, 0, 0, 1)),
            as_of=self.get_query_argument("as_of", "") or None,
        )


class PlacesHandler(Handler):
    """GET: where a feature group's things are."""

    @authenticated
    @authorized
    async def get(self, name: str, version: str) -> None:
        """`{"points": [[longitude, latitude]], "total"}`."""
        name = check_name(name, "feature group")
        await self.forward(calls.PLACES, name=name, version=int(version))


class ViewsHandler(Handler):
    """POST: make a feature view of ticked features."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """The form of `eolab.features.panel.make_view`: 201 and the view.

        The same form again gives the same view, so that it may be sent again after a crash.
        """
        made = await self.call(calls.MAKE_VIEW, form=self.body())
        self.set_status(201)
        self.answer(made)
