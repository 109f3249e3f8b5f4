"""Studies: all of them, one whole, what is asked of it, and what its tab shows beside."""

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
from eolab.records.lineage import Ref
from eolab.server.base import Handler
from eolab.server.contract import calls
from eolab.server.handlers.lineage import around

if TYPE_CHECKING:
    from eolab.server.contract.answers import AboutJson, NotesJson, TensorBoardJson
    from eolab.server.study_readers import Reader

NOTES, LONGEST = "notes.md", 100_000
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class StudiesHandler(Handler):
    """GET: all studies, short."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"studies": [SUMMARY]}`."""
        rows = await asyncio.to_thread(self.services.followers.summaries, self.workspace)
        self.answer({"studies": rows})


class StudyHandler(Handler):
    """GET: one study, everything."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """SNAPSHOT: the summary with parameters, workers, trials and `"partial": false`.

        `?since=SEQ`, with the `seq` of the snapshot that the client has, sends only the trials that
        changed since then and `"partial": true`: the client puts them, by their `n`, in place of
        its own; everything else is whole. With `&tails=1` too, a trial may have `tail` in place of
        `curve`: points that go to the end of the curve that the client has. Where `created` is
        another than that of the client's snapshot, the study was made again under its name: ask
        once more without `since`.
        """
        folder = self.services.followers.folder(self.workspace, name)
        since = self.number("since", int, None, 0, 2**53)
        tails = bool(self.number("tails", int, 0, 0, 1))
        reader = self.services.followers.reader(folder)
        self.answer(await asyncio.to_thread(reader.snapshot, since, tails=tails))


class CommandsHandler(Handler):
    """POST: act on a study."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """`{"command", ...}`: 202 `{"accepted": true}`, or 409 when it cannot apply.

        Commands: pause, resume (an interrupted study too: its process is started again), cancel;
        stop and retry with `number`, that of a trial; set with `trials` and/or `workers`.
        """
        folder = self.services.followers.folder(self.workspace, name)
        body = self.body()
        from eolab.studies.client.launch import send_command
        from eolab.studies.journal.commands import COMMANDS, find_command

        command = find_command(body.pop("command", None))
        numbers = COMMANDS[command].numbers
        args = {key: _whole(key, body.pop(key)) for key in numbers if key in body}
        if body:
            raise InvalidInputError(f"{command!r} takes no {min(body)!r}", f"It takes: {numbers}.")
        if numbers and not args:
            raise InvalidInputError(
                f"{command!r} needs {' or '.join(numbers)}", "Send a whole number."
            )
        await asyncio.to_thread(send_command, folder, command, **args)
        self.set_status(202)
        self.answer({"accepted": True})


def _whole(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise InvalidInputError(
            f"{key}={value!r} cannot be used", "Send a whole number, 0 or more."
        )
    return value


class LogHandler(Handler):
    """GET: the log of a trial."""

    @authenticated
    @authorized
    async def get(self, name: str, trial: str) -> None:
        """`{"text", "truncated"}`: the end of the last attempt's log."""
        folder = self.services.followers.folder(self.workspace, name)
        self.answer(await asyncio.to_thread(self.services.followers.reader(folder).log, int(trial)))


class AboutHandler(Handler):
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
        graph = await asyncio.to_thread(around, config.root, Ref("study", name))
        # What `study.json` holds beside these is of this machine: paths, environment, lease.
        about: AboutJson = {
            "function": study.get("function"),
            "source": study.get("source"),
            "data": study.get("data"),
            "seed": study.get("seed"),
            "plan": study.get("plan"),
            "stop": study.get("stop"),
            "trials": study.get("trials"),
            "workers": study.get("workers"),
            "timeout": study.get("timeout"),
            "target": study.get("target"),
            "trial_timeout": study.get("trial_timeout"),
            "retries": study.get("retries"),
            "memory": study.get("memory"),
            "cluster": study.get("cluster"),
            "digest": study.get("digest"),
            "python": study.get("python"),
            "lineage": graph,
        }
        self.answer(about)


class TimelineHandler(Handler):
    """GET: who ran what when."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"spans", "workers", "now"}`, see `eolab.studies.panel.timeline.Timeline.to_dict`."""
        folder = self.services.followers.folder(self.workspace, name)
        reader = self.services.followers.reader(folder)
        self.answer(await asyncio.to_thread(reader.timeline))


class StopBoundsHandler(Handler):
    """GET: where trials are stopped early."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"bounds": [{"side", "of", "points"}]}`, see `eolab.studies.panel.stop_bounds`."""
        folder = self.services.followers.folder(self.workspace, name)
        reader = self.services.followers.reader(folder)
        self.answer(await asyncio.to_thread(reader.band))


class ImportanceHandler(Handler):
    """GET: how much each hyperparameter matters."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"method", "trials", "importance": [{"name", "value"}], "left_out"}`; 409 while too few.

        Computed in the helper process; see `eolab.studies.panel.importance`.
        """
        self.services.followers.folder(self.workspace, name)
        await self.forward(calls.IMPORTANCE, name=name)


class AblationHandler(Handler):
    """GET: what an ablation has shown so far."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """See `eolab.studies.ablation.snapshot`; `?metric=` for another metric. 404 for others."""
        self.services.followers.folder(self.workspace, name)
        metric = self.get_query_argument("metric", "") or None
        await self.forward(calls.ABLATION, name=name, metric=metric)


class TrialsTableHandler(Handler):
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


class TensorBoardHandler(Handler):
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
        where: TensorBoardJson = {"port": port, "proxy": proxy}
        self.answer(where)


class NotesHandler(Handler):
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


def _read_notes(path: Path) -> NotesJson:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        return {"text": text, "modified": path.stat().st_mtime}
    except FileNotFoundError:
        return {"text": "", "modified": None}


def _write_notes(path: Path, text: str, seen: object) -> NotesJson:
    if _read_notes(path)["modified"] != seen:
        raise ConflictError("somebody else has written these notes", "Read them again, then write.")
    writes.write_bytes(path, text.encode("utf-8", "replace"))
    return _read_notes(path)


def _table(reader: Reader) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in reader.table():
        writer.writerow(map(_cell, row))
    # An error may quote the name of a file, which need not be UTF-8.
    return out.getvalue().encode("utf-8", "backslashreplace").decode()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value
