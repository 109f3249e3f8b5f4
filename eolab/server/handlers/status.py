"""The panels' handshake, and what is no route."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import NotFoundError
from eolab.server.base import RESTART, Handler
from eolab.server.wire import API
from eolab.version import version

if TYPE_CHECKING:
    from eolab.server.contract.answers import StatusJson


class StatusHandler(Handler):
    """GET: version and workspace; the panels' handshake."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"version", "api", "workspace": {"id", "name", "path"}, "sample"}`."""
        config = self.workspace
        name = (config.file.parent if config.file else config.root).name
        status: StatusJson = {
            "version": version(),
            "api": API,
            "workspace": {
                "id": await asyncio.to_thread(config.identity),
                "name": name,
                "path": str(config.root),
            },
            "sample": (config.sample / "sample.json").is_file(),
        }
        self.answer(status)


class UnknownHandler(Handler):
    """Any other path of the API: a clear answer instead of a page."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """404."""
        raise NotFoundError(f"no route {self.request.path!r}", RESTART)

    @authenticated
    @authorized
    async def post(self) -> None:
        """404."""
        raise NotFoundError(f"no route {self.request.path!r}", RESTART)
