"""The routes of one study beyond its snapshot: what ran, who ran it, what matters, a table."""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import ConflictError, InvalidInputError
from eolab.files import writes
from eolab.records import lineage
from eolab.records.lineage import Ref
from eolab.server.base import Handler

if TYPE_CHECKING:
    from eolab.server.study_readers import Reader

# What `study.json` holds beside these is of this machine: paths, environment, lease.
ABOUT = (
    "function", "source", "data", "seed", "plan", "stop", "trials", "workers", "timeout", "target",
    "trial_timeout", "retries", "memory", "cluster", "digest", "python",
)  # fmt: skip
NOTES, LONGEST = "notes.md", 100_000
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class About(Handler):
    """GET: what a study runs."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """The train function's `source`, `data`, `seed`, `plan`, ..., and `lineage` of the study.

        `lineage` is `{"upstream": [{"kind", "id"}], "downstream": [...]}`, nearest first.
        """
        config = self.workspace
        folder = self.services.followers.folder(config, name)
        reader = self.services.followers.reader(folder)
        study = reader.follower.study
        graph = await asyncio.to_thread(_lineage, config.root, Ref("study", name))
        self.answer({**{key: study.get(key) for key in ABOUT}, "lineage": graph})


class Timeline(Handler):
    """GET: who ran what when."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"spans", "workers", "now"}`, see `eolab.studies.panel.timeline.Timeline.to_dict`."""
        folder = self.services.followers.folder(self.workspace, name)
        reader = self.services.followers.reader(folder)
        self.answer(await asyncio.to_thread(reader.timeline))


class Band(Handler):
    """GET: where trials are stopped early."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"bounds": [{"side", "of", "points"}]}`, see `eolab.studies.panel.stop_bounds`."""
        folder = self.services.followers.folder(self.workspace, name)
        reader = self.services.followers.reader(folder)
        self.answer(await asyncio.to_thread(reader.band))


class Importance(Handler):
    """GET: how much each hyperparameter matters."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"method", "trials", "importance": [{"name", "value"}], "left_out"}`; 409 while too few.

        Computed in the helper process; see `eolab.studies.panel.importance`.
        """
        self.services.followers.folder(self.workspace, name)
        self.answer(await self.call("studies.importance", name=name))


class Ablation(Handler):
    """GET: what an ablation has shown so far."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """See `eolab.studies.ablation.snapshot`; `?metric=` for another figure. 404 for others."""
        self.services.followers.folder(self.workspace, name)
        metric = self.get_query_argument("metric", "") or None
        self.answer(await self.call("studies.ablation", name=name, metric=metric))


class Table(Handler):
    """GET: the trials as CSV."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`text/csv`, one row a trial: number, state, value, parameters, times, worker, error."""
        folder = self.services.followers.folder(self.workspace, name)
        reader = self.services.followers.reader(folder)
        text = await asyncio.to_thread(_table, reader)
        self.set_header("Content-Disposition", f'attachment; filename="{name}-trials.csv"')
        self.finish(text, set_content_type="text/csv; charset=utf-8")


class TensorBoard(Handler):
    """POST: show what the trials wrote for TensorBoard."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """`{"port", "proxy"}`: where it listens, on the server's loopback.

        `proxy`: whether Jupyter Server passes `<base_url>proxy/PORT/` on. 409 where there is
        nothing to show, or TensorBoard is not installed.
        """
        folder = self.services.followers.folder(self.workspace, name)
        port = await asyncio.to_thread(self.services.boards.port, folder)
        proxy = importlib.util.find_spec("jupyter_server_proxy") is not None
        self.answer({"port": port, "proxy": proxy})


class Notes(Handler):
    """GET, PUT: what people wrote about a study, kept as `notes.md` in its folder."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"text", "modified"}`; `modified` is null where nobody wrote anything yet."""
        folder = self.services.followers.folder(self.workspace, name)
        self.answer(await asyncio.to_thread(_read_notes, folder / NOTES))

    @authenticated
    @authorized
    async def put(self, name: str) -> None:
        """`{"text", "modified"}`, with the `modified` that was read: the notes as they are now.

        409 where somebody else wrote meanwhile: nothing is lost unseen.
        """
        folder = self.services.followers.folder(self.workspace, name)
        body = self.body()
        text, seen = body.get("text"), body.get("modified")
        if not isinstance(text, str) or len(text) > LONGEST:
            raise InvalidInputError("text must be text", f"At most {LONGEST} characters.")
        self.answer(await asyncio.to_thread(_write_notes, folder / NOTES, text, seen))


class Lineage(Handler):
    """GET: what a thing was made from, and what was made from it."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`?kind=&id=`: `{"upstream": [{"kind", "id"}], "downstream": [...]}`, nearest first."""
        node = Ref(self.needed("kind"), self.needed("id"))
        self.answer(await asyncio.to_thread(_lineage, self.workspace.root, node))


def _read_notes(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        return {"text": text, "modified": path.stat().st_mtime}
    except FileNotFoundError:
        return {"text": "", "modified": None}


def _write_notes(path: Path, text: str, seen: object) -> dict[str, object]:
    if _read_notes(path)["modified"] != seen:
        raise ConflictError("somebody else has written these notes", "Read them again, then write.")
    writes.write_text(path, text)
    return _read_notes(path)


def _lineage(root: Path, node: Ref) -> dict[str, list[dict[str, str]]]:
    return {
        "upstream": [{"kind": r.kind, "id": r.id} for r in lineage.upstream(root, node)],
        "downstream": [{"kind": r.kind, "id": r.id} for r in lineage.downstream(root, node)],
    }


def _table(reader: Reader) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in reader.table():
        writer.writerow(map(_cell, row))
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value
