"""A user's own rasters: what will be understood of them, and adding them to a collection."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import InvalidInputError
from eolab.records import ingests
from eolab.server.base import Handler, text_of
from eolab.server.contract import calls
from eolab.server.folder_listing import list_folder, named_path
from eolab.settings.config import check_name


class IngestHandler(Handler):
    """What both ways to ask share."""

    async def asked(self) -> tuple[list[str], str, dict[str, object]]:
        """Paths, name of the catalogue and what is said of the files.

        Raises:
            InvalidInputError: No paths, or some that the server may not read.
        """
        body = self.body()
        paths, name = body.pop("paths", None), text_of(body, "to", optional=True)
        body.pop("to", None)
        if not isinstance(paths, list) or not 1 <= len(paths) <= ingests.MOST:
            raise InvalidInputError(
                "paths is no list of paths", f"Send 1 to {ingests.MOST} folders or files."
            )
        if not all(isinstance(path, str) for path in paths):
            raise InvalidInputError("a path is no text", "Send texts.")
        config, root_dir = self.workspace, self.services.place.root_dir
        found = await asyncio.to_thread(
            lambda: [str(named_path(config, root_dir, path)) for path in paths]
        )
        return found, name and check_name(name, "catalogue"), body


class IngestPreviewHandler(IngestHandler):
    """POST: what will be understood of files."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """`{"paths": [...], "to": NAME, "bands", "scale", "time", ...}`; nothing is written.

        What is said is as `eolab.ingest` takes it; see `eolab.catalog.ingestion.answers`.
        """
        paths, name, words = await self.asked()
        await self.forward(calls.PREVIEW_INGEST, paths=paths, to=name, words=words)


class IngestsHandler(IngestHandler):
    """GET, POST: rasters that are being added to collections."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"ingests": [...]}`, the newest first: see `eolab.records.ingests`."""
        self.answer({"ingests": await asyncio.to_thread(ingests.read_all, self.workspace)})

    @authenticated
    @authorized
    async def post(self) -> None:
        """As the preview, with a name: 201 `{"id"}`. A name that is taken is refused at once."""
        paths, name, words = await self.asked()
        ingests.check_words(words)
        if not name:
            raise InvalidInputError("the collection has no name", "Give it one.")
        await self.call(calls.CHECK_INGEST, to=name, collection=words.get("collection"))
        config, place = self.workspace, self.services.place
        job = ingests.IngestJob(name, tuple(paths), words, str(config.file or config.root))
        identity = await asyncio.to_thread(ingests.start, config, job, place.root_dir)
        self.set_status(201)
        self.answer({"id": identity})


class IngestCommandsHandler(Handler):
    """POST: act on one."""

    @authenticated
    @authorized
    async def post(self, identity: str) -> None:
        """`{"command": "cancel" | "forget"}`: 202 `{"accepted": true}`."""
        what = text_of(self.body(), "command")
        await asyncio.to_thread(ingests.command, self.workspace, identity, what)
        self.set_status(202)
        self.answer({"accepted": True})


class FoldersHandler(Handler):
    """GET: folders and rasters at a path that is being typed."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`?path=`: see `eolab.server.folder_listing`."""
        config, root_dir = self.workspace, self.services.place.root_dir
        text = self.get_query_argument("path", "", strip=False)
        self.answer(await asyncio.to_thread(list_folder, config, root_dir, text))
