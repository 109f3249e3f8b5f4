"""Which source an address is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.io.documents import is_remote
from eolab.catalog.io.item_logins import entry_at, login_of_entry, reference
from eolab.catalog.sources.base import Source
from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.settings.limits import in_force
from eolab.settings.roots import roots_of

if TYPE_CHECKING:
    from eolab.catalog.io.logins import SourceLogin
    from eolab.settings.config import CatalogConfig, Config
    from eolab.settings.limits import LimitOptions, Limits


def open_source(config: Config, name_or_url: str, *, limits: LimitOptions | None = None) -> Source:
    """A source by its name in `eolab.toml`, its URL, folder or ``.parquet`` file.

    Nothing is read yet, except where only the service's answer tells what it is.

    Args:
        config: The workspace's configuration, ``ws.config``.
        name_or_url: A configured name, a URL, a folder or a ``.parquet`` file.
        limits: Other limits than ``[limits]`` in `eolab.toml`, as ``{"pages": 1_000}``: for a
            search that ends too early (see `eolab.settings.limits`).

    Raises:
        NotFoundError: Neither a configured name nor an address; the sample is not made yet.
        InvalidInputError: An address of a kind that cannot be searched, or limits that are none.

    Example:
        >>> from eolab.catalog import open_source
        >>> open_source(ws.config, "sample").kind
        'static'
    """
    from eolab.settings.config import CatalogConfig

    entry = named = config.catalogs.get(name_or_url)
    if entry is None:
        path = None if "://" in name_or_url else _existing(name_or_url)
        if "://" in name_or_url:
            entry = CatalogConfig(name_or_url, name_or_url)
        elif path is not None:
            entry = CatalogConfig(path.stem if path.is_file() else path.name, str(path.resolve()))
        else:
            raise NotFoundError(
                f"no catalogue {name_or_url!r}",
                nearest(name_or_url, list(config.catalogs), "catalogues"),
            )
    sample = config.sample / "catalog.json"
    if entry.url == str(sample) and not sample.exists():
        raise NotFoundError("the sample region is not made yet", "Make it: `eolab sample`.")
    # An address that is given in place of a name is read by the login of the catalogue there.
    whose = named or (entry_at(config, entry.url) if is_remote(entry.url) else None)
    # Before anything is asked: finding out what an address is may need the login.
    login = None if whose is None else login_of_entry(config, whose)
    bounds = in_force(config.limits, limits)
    source = _open(config, entry, login, bounds)
    source.login, source.limits = login, bounds
    # Items of an open catalogue on this machine keep what they say: they may be from elsewhere.
    if whose is not None and (whose.login or is_remote(whose.url)):
        source.ref = reference(config, whose)
    source.workspace = config.root
    source.roots = roots_of(config)
    return source


def _existing(text: str) -> Path | None:
    """The path that a text names; None where nothing is there, or nothing can be called that."""
    try:
        path = Path(text).expanduser()
        return path if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, odd characters, ~nobody
        return None


def _open(
    config: Config, entry: CatalogConfig, login: SourceLogin | None, limits: Limits
) -> Source:
    from eolab.catalog.sources.api import ApiSource
    from eolab.catalog.sources.crawled import IndexedSource
    from eolab.catalog.sources.geoparquet import GeoParquetSource
    from eolab.catalog.sources.static import StaticSource

    kind = entry.kind if entry.kind != "auto" else guess_kind(entry.url, login, limits)
    if kind == "api":
        return ApiSource(entry.name, entry.url, entry.description)
    if kind == "geoparquet":
        return GeoParquetSource(entry.name, entry.url, entry.description)
    if is_remote(entry.url):
        return IndexedSource(entry.name, entry.url, entry.description, folder=config.root / "index")
    return StaticSource(entry.name, entry.url, entry.description)


def guess_kind(url: str, login: SourceLogin | None = None, limits: Limits | None = None) -> str:
    """What an address holds, by its look, else by the links of the document that is there.

    Args:
        url: The address.
        login: By which the document is read.
        limits: Of what it may send; None for the environment's.
    """
    plain = url.partition("?")[0].rstrip("/").lower()
    if plain.endswith((".parquet", ".geoparquet")):
        return "geoparquet"
    if "://" not in url or plain.endswith((".json", ".geojson")):
        return "static"
    if not plain.startswith(("http://", "https://")):
        scheme = url.partition("://")[0]
        raise InvalidInputError(
            f"{url!r} cannot be searched: {scheme}", "Give http(s) or a local path."
        )
    from eolab.catalog.io.documents import read_json

    document = read_json(url, login, limits)
    links = document.get("links")
    listed = links if isinstance(links, list) else []
    rels = {link.get("rel") for link in listed if isinstance(link, Mapping)}
    return "api" if "conformsTo" in document or "search" in rels else "static"
