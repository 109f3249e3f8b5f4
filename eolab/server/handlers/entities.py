"""Tidying up: what things are called, the bin, and deleting, renaming, archiving, restoring."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import InvalidInputError, nearest
from eolab.records import deleted, titles
from eolab.server.base import Handler, text_of
from eolab.server.contract import calls

if TYPE_CHECKING:
    from eolab.server.contract.answers import EntitiesJson

_COMMANDS = ("delete", "rename", "archive", "restore")


class EntitiesHandler(Handler):
    """GET: titles, what is archived, and the bin."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"shown": [{"kind", "id", "title", "archived"}], "bin": [...], "days"}`."""
        self.answer(await asyncio.to_thread(_entities, self.workspace.root))


class EntityHandler(Handler):
    """GET: what can be done with a thing."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`?kind=&id=`: `{"commands", "refusal", "broken", "made"}`; asked before it is deleted."""
        kind = _kind(self.needed("kind"))
        await self.forward(calls.ENTITY, kind=kind, identity=self.needed("id"))


class TidyHandler(Handler):
    """POST: act on a thing."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """`{"command", "kind", "id", ...}`: `{"kind", "id", "entries"}`.

        Commands: delete (with `cascade` also what cannot be read without it), rename with `title`,
        archive, restore (of an `entry` of the bin, else what was deleted last or archived).
        """
        body = self.body()
        command, kind = text_of(body, "command"), _kind(text_of(body, "kind"))
        if command not in _COMMANDS:
            raise InvalidInputError(f"no command {command!r}", f"It is one of: {_COMMANDS}.")
        await self.forward(
            calls.TIDY,
            command=command,
            kind=kind,
            identity=text_of(body, "id"),
            title=text_of(body, "title", optional=command != "rename"),
            cascade=body.get("cascade") is True,
            entry=text_of(body, "entry", optional=True),
        )


def _kind(kind: str) -> str:
    if kind not in deleted.KINDS:
        raise InvalidInputError(f"no kind {kind!r}", nearest(kind, deleted.KINDS, "kinds"))
    return kind


def _entities(root: Path) -> EntitiesJson:
    return {
        "shown": [
            {"kind": ref.kind, "id": ref.id, "title": each.title, "archived": each.archived}
            for ref, each in titles.read(root).items()
        ],
        "bin": [
            {
                "kind": each.kind,
                "id": each.name,
                "entry": each.id,
                "title": each.title,
                "deleted": each.deleted.timestamp(),
            }
            for each in deleted.entries(root)
        ],
        "days": deleted.DAYS,
    }
