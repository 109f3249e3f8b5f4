"""Registered models."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.server.base import Handler
from eolab.server.contract import calls


class ModelsHandler(Handler):
    """GET: registered models."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"models": [{"name", "versions": [...]}]}`, see `ModelRegistry.snapshot`."""
        await self.forward(calls.MODELS)
