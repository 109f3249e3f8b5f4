"""What was made from what."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import InvalidInputError
from eolab.records import lineage
from eolab.records.lineage import LineageJson, Ref
from eolab.server.base import Handler
from eolab.server.contract import calls

_KINDS = (
    "group",
    "view",
    "commit",
    "cube",
    "item",
    "labels",
    "dataset",
    "chips",
    "study",
    "model",
    "deployment",
)


class LineageHandler(Handler):
    """GET: what a thing was made from, and what was made from it."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`?kind=&id=`: `{"upstream": [{"kind", "id"}], "downstream": [...]}`, nearest first."""
        node = Ref(self.needed("kind"), self.needed("id"))
        self.answer(await asyncio.to_thread(around, self.workspace.root, node))


class GraphHandler(Handler):
    """GET: the lineage around a thing, as a graph."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`?kind=group&id=parcels/1`: `{"nodes", "edges", "left_out"}`."""
        kind = self.needed("kind")
        if kind not in _KINDS:
            raise InvalidInputError(f"no kind {kind!r}", f"Name one of: {', '.join(_KINDS)}.")
        await self.forward(calls.LINEAGE, kind=kind, identity=self.needed("id"))


def around(root: Path, node: Ref) -> LineageJson:
    return {
        "upstream": [{"kind": r.kind, "id": r.id} for r in lineage.upstream(root, node)],
        "downstream": [{"kind": r.kind, "id": r.id} for r in lineage.downstream(root, node)],
    }
