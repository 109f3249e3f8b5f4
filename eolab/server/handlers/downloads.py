"""Files of scenes that are being saved, and what may be done to them."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.records import downloads
from eolab.server.base import Handler, text_of
from eolab.settings.config import check_name


class DownloadsHandler(Handler):
    """GET, POST: files of scenes that are being saved into the configured folder."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"folder", "downloads": [...]}`, the newest first: see `eolab.records.downloads`."""
        config = self.workspace
        found = await asyncio.to_thread(downloads.read_all, config)
        self.answer({"folder": str(config.downloads), "downloads": found})

    @authenticated
    @authorized
    async def post(self) -> None:
        """`{"catalog", "items": [[collection, id]], "assets": [key]}`: 201 `{"id"}`."""
        body, config = self.body(), self.workspace
        catalog = check_name(text_of(body, "catalog"), "catalogue")
        job = downloads.make_job(config, catalog, body.get("items"), body.get("assets", []))
        identity = await asyncio.to_thread(downloads.start, config, job)
        self.set_status(201)
        self.answer({"id": identity})


class DownloadCommandsHandler(Handler):
    """POST: act on a download."""

    @authenticated
    @authorized
    async def post(self, identity: str) -> None:
        """`{"command": "cancel" | "resume" | "forget"}`: 202 `{"accepted": true}`."""
        what = text_of(self.body(), "command")
        await asyncio.to_thread(downloads.command, self.workspace, identity, what)
        self.set_status(202)
        self.answer({"accepted": True})
