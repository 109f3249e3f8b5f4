"""Routes of the search tab: searching, one item whole, a place over the time, what is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import InvalidInputError
from eolab.records import downloads as transfers
from eolab.records import saved_searches
from eolab.server.base import Handler
from eolab.settings import edit as config_file
from eolab.settings.config import check_name

_TEXTS = (
    "kind",
    "description",
    "token",
    "sign",
    "client_id",
    "client_secret",
    "token_url",
    "scope",
)
_TABLES = ("headers", "s3")


class Catalogs(Handler):
    """GET: the configured catalogues. POST: one more."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"catalogs": [{"name", "kind", "url", "description", "simulated", "own"}]}`."""
        self.answer(await self.call("catalogs"))

    @authenticated
    @authorized
    async def post(self) -> None:
        """`{"name", "url", "kind", "description"}` and a login: 201 and all catalogues.

        It is written into `eolab.toml`, whose comments stay. The login's keys are those of
        `eolab.settings.logins`; secrets are named (`env:NAME`, `keyring:SERVICE/USER`). The same
        again changes nothing.
        """
        body, place = self.body(), self.services.place
        start = Path(place.root_dir or ".")
        named = {"name": text_of(body, "name"), **_said(body)}
        await asyncio.to_thread(
            lambda: config_file.add_catalog(place.config(), start, **named)  # type: ignore[arg-type]
        )
        self.set_status(201)
        self.answer(await self.call("catalogs"))


class Catalog(Handler):
    """GET, PUT, DELETE: one catalogue that somebody added, as `eolab.toml` says it."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"name", "url", "kind", "description", "login": {...}, "secrets": [...]}`.

        `secrets` are those of the key store that no other catalogue names, by reference. 409 for
        one that comes with eolab.
        """
        config = self.workspace
        said = await asyncio.to_thread(config_file.read_catalog, config, name)
        self.answer({**said, "secrets": config_file.secrets_of(config, name)})

    @authenticated
    @authorized
    async def put(self, name: str) -> None:
        """As POST `catalogs` without the name: all catalogues; what is not sent is dropped."""
        named = {"name": name, **_said(self.body())}
        config = self.workspace
        await asyncio.to_thread(
            lambda: config_file.change_catalog(config, **named)  # type: ignore[arg-type]
        )
        self.answer(await self.call("catalog.forget", name=name))

    @authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """`?secrets=1` deletes its secrets from the key store too. No file is deleted.

        `{"catalogs", "was", "secrets", "left"}`: `was` is what POST `catalogs` takes to name it
        again, `left` what the key store did not give up.
        """
        secrets = bool(self.number("secrets", int, 0, 0, 1))
        removed = await asyncio.to_thread(
            config_file.remove_catalog, self.workspace, name, secrets=secrets
        )
        login = removed.was["login"]
        plain = {key: value for key, value in removed.was.items() if key != "login"}
        rest = await self.call("catalog.forget", name=name)
        assert isinstance(rest, dict)
        self.answer(
            {
                **rest,
                "was": {**plain, **(login if isinstance(login, dict) else {})},
                "secrets": removed.secrets,
                "left": removed.left,
            }
        )


def _said(body: dict[str, object]) -> dict[str, object]:
    """What a request says of a catalogue, in the arguments of `config_file`."""
    said: dict[str, object] = {key: text_of(body, key) for key in _TEXTS if body.get(key)}
    said["login"] = {key: body[key] for key in _TABLES if body.get(key)}
    return {"url": text_of(body, "url"), **said}


class Prepare(Handler):
    """POST: somebody opened the search tab."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """202 `{"accepted": true}`: libraries are loaded while they look around."""
        self.set_status(202)
        self.answer(await self.call("catalog.prepare"))


class Found(Handler):
    """POST: the items that answer a query, with their footprints and their times."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """A query, every part optional; see `eolab.catalog.panel.search.found` for the answer.

        `{"collection", "bbox", "intersects", "datetime", "max_cloud", "filter", "text", "limit"}`
        """
        body = self.body()
        limit = body.pop("limit", 500)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 10_000:
            raise InvalidInputError(f"limit={limit!r} cannot be used", "Give a number, 1 to 10000.")
        known = ("collection", "bbox", "intersects", "datetime", "max_cloud", "filter", "text")
        for key in body:
            if key not in known:
                raise InvalidInputError(f"a query has no {key!r}", f"It has: {', '.join(known)}.")
        self.answer(
            await self.call(
                "catalog.found", name=check_name(name, "catalogue"), limit=limit, query=body
            )
        )


class Detail(Handler):
    """GET: one item whole."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=&item=`: see `eolab.catalog.panel.search.detail`."""
        self.answer(
            await self.call(
                "catalog.detail",
                name=check_name(name, "catalogue"),
                collection=self.get_query_argument("collection", ""),
                item=self.needed("item"),
            )
        )


class Calendar(Handler):
    """POST: the overpasses of an area, and what is clear of each."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """`{"collection", "geometry", "datetime"}`: see `eolab.catalog.panel.field_series`."""
        body = self.body()
        self.answer(
            await self.call(
                "catalog.calendar",
                name=check_name(name, "catalogue"),
                collection=text_of(body, "collection"),
                geometry=body.get("geometry"),
                datetime=text_of(body, "datetime", optional=True) or None,
            )
        )


class Curve(Handler):
    """POST: the mean of an index over an area, by clear date."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """`{"collection", "geometry", "datetime", "max_cloud", "index"}`.

        See `eolab.catalog.panel.field_series.curve`.
        """
        body = self.body()
        cloud = body.get("max_cloud")
        if cloud is not None and (isinstance(cloud, bool) or not isinstance(cloud, int | float)):
            raise InvalidInputError(
                f"max_cloud={cloud!r} cannot be used", "Give percent, 0 to 100."
            )
        self.answer(
            await self.call(
                "catalog.curve",
                name=check_name(name, "catalogue"),
                collection=text_of(body, "collection"),
                geometry=body.get("geometry"),
                datetime=text_of(body, "datetime", optional=True) or None,
                max_cloud=cloud,
                index=text_of(body, "index", optional=True) or "NDVI",
            )
        )


class Saved(Handler):
    """GET, POST: searches and areas that are kept by a name, for all who share the workspace."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"search": [{"name", "value"}], "area": [{"name", "value": {"geometry"}}]}`."""
        self.answer(await asyncio.to_thread(saved_searches.read, self.workspace.root))

    @authenticated
    @authorized
    async def post(self) -> None:
        """`{"kind": "search"|"area", "name", "value"}`, null to drop it: all of them."""
        body = self.body()
        if "value" not in body:
            raise InvalidInputError("value is missing", "Send what is kept, or null to drop it.")
        kind, name = text_of(body, "kind"), text_of(body, "name")
        root = self.workspace.root
        self.answer(await asyncio.to_thread(saved_searches.keep, root, kind, name, body["value"]))


class Downloads(Handler):
    """GET, POST: files of scenes that are being saved into the configured folder."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"folder", "downloads": [...]}`, the newest first: see `eolab.records.downloads`."""
        config = self.workspace
        found = await asyncio.to_thread(transfers.read_all, config)
        self.answer({"folder": str(config.downloads), "downloads": found})

    @authenticated
    @authorized
    async def post(self) -> None:
        """`{"catalog", "items": [[collection, id]], "assets": [key]}`: 201 `{"id"}`."""
        body, config = self.body(), self.workspace
        catalog = check_name(text_of(body, "catalog"), "catalogue")
        job = transfers.make_job(config, catalog, body.get("items"), body.get("assets", []))
        identity = await asyncio.to_thread(transfers.start, config, job)
        self.set_status(201)
        self.answer({"id": identity})


class DownloadCommands(Handler):
    """POST: act on a download."""

    @authenticated
    @authorized
    async def post(self, identity: str) -> None:
        """`{"command": "cancel" | "resume" | "forget"}`: 202 `{"accepted": true}`."""
        what = text_of(self.body(), "command")
        await asyncio.to_thread(transfers.command, self.workspace, identity, what)
        self.set_status(202)
        self.answer({"accepted": True})


def text_of(body: dict[str, object], key: str, *, optional: bool = False) -> str:
    """A text of the request.

    Raises:
        InvalidInputError: It is missing, or no text.
    """
    value = body.get(key)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not (value or optional):
        raise InvalidInputError(f"{key} is missing or no text", f"Send {key} as text.")
    return value
