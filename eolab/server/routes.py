"""The REST routes below `<base_url>eolab/api/v1/`; the contract is the table at the end.

Errors are a status (400, 403, 404, 409, 502) with `{"message", "hint"}`. Times are seconds since
the epoch. Unknown numbers are null.
"""

from __future__ import annotations

import asyncio
import base64

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

import eolab
from eolab.errors import InvalidInputError, NotFoundError, RemoteError
from eolab.server.base import RESTART, Handler
from eolab.server.handlers import catalogs, features
from eolab.server.handlers.studies import (
    Ablation,
    About,
    Band,
    Importance,
    Lineage,
    Notes,
    Table,
    TensorBoard,
    Timeline,
)
from eolab.settings.config import check_name

API = 1
BASE = r"/eolab/api/v1"
# The commands and the whole numbers that each may carry.
COMMANDS: dict[str, tuple[str, ...]] = {
    "pause": (),
    "resume": (),
    "cancel": (),
    "stop": ("n",),
    "retry": ("n",),
    "set": ("trials", "workers"),
}


class Status(Handler):
    """GET: version and workspace; the panels' handshake."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"version", "api", "workspace": {"id", "name", "path"}, "sample"}`."""
        config = self.workspace
        name = (config.file.parent if config.file else config.root).name
        self.answer(
            {
                "version": eolab.__version__,
                "api": API,
                "workspace": {
                    "id": await asyncio.to_thread(config.identity),
                    "name": name,
                    "path": str(config.root),
                },
                "sample": (config.sample / "sample.json").is_file(),
            }
        )


class Collections(Handler):
    """GET: the collections of a catalogue."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"collections": [...], "skipped": [{"href", "message"}]}`."""
        self.answer(await self.call("catalog.collections", name=check_name(name, "catalogue")))


class Items(Handler):
    """GET: a page of items."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=&datetime=&bbox=w,s,e,n&max_cloud=&limit=50&offset=0`."""
        self.answer(
            await self.call(
                "catalog.items",
                name=check_name(name, "catalogue"),
                collection=self.get_query_argument("collection", "") or None,
                datetime=self.get_query_argument("datetime", "") or None,
                bbox=box_of(self),
                max_cloud=self.number("max_cloud", float, None, 0.0, 100.0),
                limit=self.number("limit", int, 50, 1, 500),
                offset=self.number("offset", int, 0, 0, 100_000),
            )
        )


def box_of(handler: Handler) -> list[float] | None:
    """The argument `bbox=w,s,e,n` in degrees.

    Raises:
        InvalidInputError: It is no box.
    """
    text = handler.get_query_argument("bbox", "")
    if not text:
        return None
    try:
        box = [float(part) for part in text.split(",")]
    except ValueError:
        box = []
    if len(box) == 4:
        west, south, east, north = box
        if -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90:
            return box
    raise InvalidInputError(
        f"bbox={text!r} cannot be used", "Give west,south,east,north in degrees."
    )


class Preview(Handler):
    """GET: one or three bands of an item, or an index, as a picture."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=&item=&bands=red,green,blue&size=512&stretch=low,high`: image/png.

        `index=NDVI&map=viridis` in place of bands. The header `Eolab-Stretch` tells the values
        drawn darkest and brightest, so that another date can be drawn with the same.
        """
        stretch = self.get_query_argument("stretch", "")
        try:
            limits = [float(part) for part in stretch.split(",")] if stretch else None
        except ValueError:
            limits = []
        if limits is not None and (len(limits) != 2 or not limits[0] < limits[1]):
            raise InvalidInputError(
                f"stretch={stretch!r} cannot be used", "Give low,high as reflectance."
            )
        bands = self.get_query_argument("bands", "")
        picture = await self.call(
            "catalog.preview",
            name=check_name(name, "catalogue"),
            collection=self.get_query_argument("collection", ""),
            item=self.needed("item"),
            bands=bands.split(",") if bands else None,
            size=self.number("size", int, 512, 16, 2048),
            stretch=limits,
            index=self.get_query_argument("index", "") or None,
            cmap=self.get_query_argument("map", "") or "viridis",
        )
        assert isinstance(picture, dict)
        self.set_header("Cache-Control", "private, max-age=3600")
        self.set_header("Eolab-Stretch", ",".join(map(str, picture["stretch"])))
        self.finish(base64.b64decode(picture["base64"]), set_content_type=picture["type"])


class Queryables(Handler):
    """GET: what a collection's items can be filtered by."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=`: `{"queryables": {PROPERTY: JSON schema}}`."""
        self.answer(
            await self.call(
                "catalog.queryables",
                name=check_name(name, "catalogue"),
                collection=self.needed("collection"),
            )
        )


class Search(Handler):
    """GET: one box over everything in the workspace and seen in catalogues."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`?text=&bbox=w,s,e,n&datetime=&limit=20`: `{"results": {KIND: [...]}}`.

        Kinds are collection, item, group, view, chips, study, model; a result has `id`, `title`,
        `detail` (how to reach it), `bbox`, `start` and `end` (seconds or null).
        """
        self.answer(
            await self.call(
                "search",
                text=self.get_query_argument("text", ""),
                bbox=box_of(self),
                datetime=self.get_query_argument("datetime", "") or None,
                limit=self.number("limit", int, 20, 1, 100),
            )
        )


class Thumbnail(Handler):
    """GET: a small picture of an item."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=&item=`: image/png or image/jpeg; without an item, one of the collection."""
        collection = self.get_query_argument("collection", "")
        picture = await self.call(
            "catalog.thumbnail",
            name=check_name(name, "catalogue"),
            collection=collection,
            item=self.get_query_argument("item", "") if collection else self.needed("item"),
        )
        if not isinstance(picture, dict) or picture.get("type") not in {"image/png", "image/jpeg"}:
            raise RemoteError("the picture could not be made", "See the log of Jupyter Server.")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(base64.b64decode(picture["base64"]), set_content_type=picture["type"])


class Studies(Handler):
    """GET: all studies, short."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"studies": [SUMMARY]}`."""
        rows = await asyncio.to_thread(self.services.followers.summaries, self.workspace)
        self.answer({"studies": rows})


class Study(Handler):
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


class Commands(Handler):
    """POST: act on a study."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """`{"command", ...}`: 202 `{"accepted": true}`, or 409 when it cannot apply.

        Commands: pause, resume (an interrupted study too: its process is started again), cancel;
        stop and retry with `n`, the number of a trial; set with `trials` and/or `workers`.
        """
        folder = self.services.followers.folder(self.workspace, name)
        body = self.body()
        command = body.pop("command", None)
        if not isinstance(command, str) or command not in COMMANDS:
            raise InvalidInputError(
                f"no command {command!r}", f"Send one of: {', '.join(COMMANDS)}."
            )
        numbers = COMMANDS[command]
        args = {key: _whole(key, body.pop(key)) for key in numbers if key in body}
        if body:
            raise InvalidInputError(f"{command!r} takes no {min(body)!r}", f"It takes: {numbers}.")
        if numbers and not args:
            raise InvalidInputError(
                f"{command!r} needs {' or '.join(numbers)}", "Send a whole number."
            )
        from eolab.studies.client.launch import send_command

        await asyncio.to_thread(send_command, folder, command, **args)
        self.set_status(202)
        self.answer({"accepted": True})


def _whole(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise InvalidInputError(
            f"{key}={value!r} cannot be used", "Send a whole number, 0 or more."
        )
    return value


class Log(Handler):
    """GET: the log of a trial."""

    @authenticated
    @authorized
    async def get(self, name: str, trial: str) -> None:
        """`{"text", "truncated"}`: the end of the last attempt's log."""
        folder = self.services.followers.folder(self.workspace, name)
        self.answer(await asyncio.to_thread(self.services.followers.reader(folder).log, int(trial)))


class Models(Handler):
    """GET: registered models."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"models": [{"name", "versions": [...]}]}`, see `ModelRegistry.snapshot`."""
        self.answer(await self.call("models"))


class Unknown(Handler):
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


ROUTES: list[tuple[str, type[Handler]]] = [
    (rf"{BASE}/status", Status),
    (rf"{BASE}/catalogs", catalogs.Catalogs),
    (rf"{BASE}/search/prepare", catalogs.Prepare),
    (rf"{BASE}/catalogs/([^/]+)", catalogs.Catalog),
    (rf"{BASE}/catalogs/([^/]+)/collections", Collections),
    (rf"{BASE}/catalogs/([^/]+)/items", Items),
    (rf"{BASE}/catalogs/([^/]+)/thumbnail", Thumbnail),
    (rf"{BASE}/catalogs/([^/]+)/preview", Preview),
    (rf"{BASE}/catalogs/([^/]+)/queryables", Queryables),
    (rf"{BASE}/catalogs/([^/]+)/search", catalogs.Found),
    (rf"{BASE}/catalogs/([^/]+)/item", catalogs.Detail),
    (rf"{BASE}/catalogs/([^/]+)/calendar", catalogs.Calendar),
    (rf"{BASE}/catalogs/([^/]+)/curve", catalogs.Curve),
    (rf"{BASE}/downloads", catalogs.Downloads),
    (rf"{BASE}/downloads/([^/]+)/commands", catalogs.DownloadCommands),
    (rf"{BASE}/saved", catalogs.Saved),
    (rf"{BASE}/search", Search),
    (rf"{BASE}/features", features.Features),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})", features.Group),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})/statistics", features.Statistics),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})/rows", features.Rows),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})/places", features.Places),
    (rf"{BASE}/features/lineage", features.Graph),
    (rf"{BASE}/features/views", features.Views),
    (rf"{BASE}/studies", Studies),
    (rf"{BASE}/studies/([^/]+)", Study),
    (rf"{BASE}/studies/([^/]+)/commands", Commands),
    (rf"{BASE}/studies/([^/]+)/trials/(\d{{1,9}})/log", Log),
    (rf"{BASE}/studies/([^/]+)/about", About),
    (rf"{BASE}/studies/([^/]+)/timeline", Timeline),
    (rf"{BASE}/studies/([^/]+)/importance", Importance),
    (rf"{BASE}/studies/([^/]+)/band", Band),
    (rf"{BASE}/studies/([^/]+)/ablation", Ablation),
    (rf"{BASE}/studies/([^/]+)/trials\.csv", Table),
    (rf"{BASE}/studies/([^/]+)/notes", Notes),
    (rf"{BASE}/studies/([^/]+)/tensorboard", TensorBoard),
    (rf"{BASE}/models", Models),
    (rf"{BASE}/lineage", Lineage),
    (rf"{BASE}(?:/.*)?", Unknown),
]
