"""Catalogues: which there are, what is in them, pictures of it."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import cast

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from eolab.errors import InvalidInputError, RemoteError
from eolab.server.base import Handler, text_of
from eolab.server.contract import calls
from eolab.settings import edit
from eolab.settings.config import check_name
from eolab.settings.edit import CatalogOptions

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


class CatalogsHandler(Handler):
    """GET: the configured catalogues. POST: one more."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """`{"catalogs": [{"name", "kind", "url", "description", "simulated", "own"}]}`."""
        await self.forward(calls.CATALOGS)

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
        name, url, options = text_of(body, "name"), text_of(body, "url"), options_of(body)
        await asyncio.to_thread(
            lambda: edit.add_catalog(place.config(), start, name=name, url=url, **options)
        )
        self.set_status(201)
        await self.forward(calls.CATALOGS)


class CatalogHandler(Handler):
    """GET, PUT, DELETE: one catalogue that somebody added, as `eolab.toml` says it."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"name", "url", "kind", "description", "login": {...}, "secrets": [...]}`.

        `secrets` are those of the key store that no other catalogue names, by reference. 409 for
        one that comes with eolab.
        """
        config = self.workspace
        said = await asyncio.to_thread(edit.read_catalog, config, name)
        self.answer({**said, "secrets": edit.secrets_of(config, name)})

    @authenticated
    @authorized
    async def put(self, name: str) -> None:
        """As POST `catalogs` without the name: all catalogues; what is not sent is dropped."""
        body, config = self.body(), self.workspace
        url, options = text_of(body, "url"), options_of(body)
        await asyncio.to_thread(lambda: edit.change_catalog(config, name=name, url=url, **options))
        await self.forward(calls.FORGET_CATALOG, name=name)

    @authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """`?secrets=1` deletes its secrets from the key store too. No file is deleted.

        `{"catalogs", "was", "secrets", "left"}`: `was` is what POST `catalogs` takes to name it
        again, `left` what the key store did not give up.
        """
        secrets = bool(self.number("secrets", int, 0, 0, 1))
        removed = await asyncio.to_thread(
            edit.remove_catalog, self.workspace, name, secrets=secrets
        )
        login = removed.was["login"]
        plain = {key: value for key, value in removed.was.items() if key != "login"}
        rest = await self.call(calls.FORGET_CATALOG, name=name)
        assert isinstance(rest, dict)
        self.answer(
            {
                **rest,
                "was": {**plain, **(login if isinstance(login, dict) else {})},
                "secrets": removed.secrets,
                "left": removed.left,
            }
        )


def options_of(body: dict[str, object]) -> CatalogOptions:
    """What a request says of a catalogue beside name and address; `edit` checks the login."""
    texts = {key: text_of(body, key) for key in _TEXTS if body.get(key)}
    login = {key: body[key] for key in _TABLES if body.get(key)}
    return cast("CatalogOptions", {**texts, "login": login})


class CollectionsHandler(Handler):
    """GET: the collections of a catalogue."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`{"collections": [...], "skipped": [{"href", "message"}]}`."""
        await self.forward(calls.COLLECTIONS, name=check_name(name, "catalogue"))


class ItemsHandler(Handler):
    """GET: a page of items."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=&datetime=&bbox=w,s,e,n&max_cloud=&limit=50&offset=0`."""
        await self.forward(
            calls.ITEMS,
            name=check_name(name, "catalogue"),
            collection=self.get_query_argument("collection", "") or None,
            datetime=self.get_query_argument("datetime", "") or None,
            bbox=self.box(),
            max_cloud=self.number("max_cloud", float, None, 0.0, 100.0),
            limit=self.number("limit", int, 50, 1, 500),
            offset=self.number("offset", int, 0, 0, 100_000),
        )


class ItemHandler(Handler):
    """GET: one item whole."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=&item=`: see `eolab.catalog.panel.search.detail`."""
        await self.forward(
            calls.DETAIL,
            name=check_name(name, "catalogue"),
            collection=self.get_query_argument("collection", ""),
            item=self.needed("item"),
        )


class ThumbnailHandler(Handler):
    """GET: a small picture of an item."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=&item=`: image/png or image/jpeg; without an item, one of the collection."""
        collection = self.get_query_argument("collection", "")
        picture = await self.call(
            calls.THUMBNAIL,
            name=check_name(name, "catalogue"),
            collection=collection,
            item=self.get_query_argument("item", "") if collection else self.needed("item"),
        )
        if not isinstance(picture, dict) or picture.get("type") not in {"image/png", "image/jpeg"}:
            raise RemoteError("the picture could not be made", "See the log of Jupyter Server.")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(base64.b64decode(picture["base64"]), set_content_type=picture["type"])


class PreviewHandler(Handler):
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
            calls.PREVIEW,
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


class QueryablesHandler(Handler):
    """GET: what a collection's items can be filtered by."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """`?collection=`: `{"queryables": {PROPERTY: JSON schema}}`."""
        await self.forward(
            calls.QUERYABLES,
            name=check_name(name, "catalogue"),
            collection=self.needed("collection"),
        )
