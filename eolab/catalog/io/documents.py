"""Reading STAC documents from files and over HTTP, with limits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from eolab.catalog.io.item_logins import refusal_hint
from eolab.catalog.io.logins import SourceLogin, without_signature
from eolab.catalog.io.plain_session import TIMEOUT, plain_session, too_large
from eolab.catalog.io.s3 import ask_store
from eolab.catalog.io.session import session
from eolab.errors import InvalidInputError, NotFoundError, RemoteError
from eolab.files.folders import is_endless
from eolab.settings.limits import Limits, in_force, raise_hint
from eolab.settings.logins import S3Login

if TYPE_CHECKING:
    import requests


def is_remote(href: str) -> bool:
    return href.startswith(("http://", "https://"))


def resolve(base: str, href: str, real: Callable[[str], str] = os.path.realpath) -> str:
    """``href`` as seen from the document at ``base``; absolute ones stay.

    Args:
        base: Address of a document.
        href: What it says.
        real: Where a folder really lies; for many documents one that remembers.

    Raises:
        InvalidInputError: A remote document names a local file: it is not to be read.
    """
    if is_remote(base):
        joined = href if is_remote(href) else urljoin(base, href)
        if not is_remote(joined) and not urlsplit(joined).scheme.startswith("s3"):
            raise InvalidInputError(f"{base} names {href!r}, a local file", "It is not read.")
        return joined
    if is_remote(href):
        return href
    plain = unquote(urlsplit(href).path) if href.startswith("file://") else href
    named = Path(base).parent / plain
    path = Path(real(str(named.parent))) / named.name
    followed = named.name in ("", "..") or path.is_symlink()
    return str(path.resolve() if followed else path)


def read_bytes(href: str, login: SourceLogin | None = None, limits: Limits | None = None) -> bytes:
    """The bytes at an address.

    Args:
        href: Its address; signed, where its store wants that.
        login: By which it is read.
        limits: Of size and time; None for the environment's.

    Raises:
        NotFoundError: Nothing is there.
        RemoteError: The service fails, is slow or sends too much.
    """
    limits = limits or in_force()
    if not is_remote(href):
        try:
            path = Path(href)
            if is_endless(path):
                raise InvalidInputError(f"{href} is no file", "Check the path.")
            if path.stat().st_size > limits.size:
                raise InvalidInputError(
                    f"{href} is larger than {limits.megabytes} MB",
                    f"It is not read. To read it, {raise_hint('megabytes')}.",
                )
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFoundError(f"{href} is not there", "Check the path.") from error
        except (OSError, ValueError) as error:
            raise InvalidInputError(
                f"{href} cannot be read: {getattr(error, 'strerror', error)}", "Check the path."
            ) from error
    import requests

    shown = without_signature(href)
    try:
        with session(login, limits).get(href, timeout=TIMEOUT, stream=True) as answer:
            _check(shown, answer, login)
            chunks, size = [], 0
            for chunk in answer.iter_content(1 << 16):
                chunks.append(chunk)
                size += len(chunk)
                if size > limits.size:
                    raise too_large(shown, limits)
            return b"".join(chunks)
    except (requests.RequestException, ValueError) as error:  # a redirect to what is no address
        raise RemoteError(
            f"{shown} does not answer: {type(error).__name__}", "Check the network and the address."
        ) from error


def read_object(href: str, login: SourceLogin | None = None) -> bytes:
    """The bytes of an object of a store, "s3://bucket/key".

    Args:
        href: Its address.
        login: By whose keys it is read, where it has some; else without any.

    Raises:
        NotFoundError: Nothing is there.
        InvalidInputError: It names no object; the keys are not where the login says.
        RemoteError: The store refuses it, fails or sends too much.
    """
    import requests

    limits = in_force()
    store = S3Login() if login is None or login.login.s3 is None else login.login.s3
    what = "reading a document" if login is None else f"catalogue {login.name!r}"
    plain = plain_session()  # a store has logins of its own
    chunks, size = [], 0
    try:
        with ask_store(
            lambda url, sent: plain.get(
                url, headers=sent, timeout=TIMEOUT, stream=True, allow_redirects=False
            ),
            href,
            store,
            what,
        ) as answer:
            _check(href, answer, login)
            if answer.status_code >= 300:  # what it sends says so, and is no object
                raise RemoteError(
                    f"{href} answered {answer.status_code} {answer.reason}: it is elsewhere",
                    "Say where: s3 = {endpoint = ..., region = ...} in the catalogue's table in"
                    " eolab.toml.",
                )
            for chunk in answer.iter_content(1 << 16):
                chunks.append(chunk)
                size += len(chunk)
                if size > limits.size:
                    raise too_large(href, limits)
    except requests.RequestException as error:
        raise RemoteError(
            f"{href} does not answer: {type(error).__name__}", "Check the network and the address."
        ) from error
    return b"".join(chunks)


@dataclass(frozen=True)
class Version:
    """What tells whether a document changed: a server's tags, or a file's time and size."""

    etag: str = ""
    modified: str = ""


def file_version(href: str) -> Version:
    """The version of a local file.

    Raises:
        NotFoundError: Nothing is there.
    """
    try:
        status = Path(href).stat()
    except OSError as error:
        raise NotFoundError(f"{href} is not there", "Check the path.") from error
    return Version(modified=f"{status.st_mtime_ns}-{status.st_size}")


def read_changed(
    href: str,
    known: Version | None,
    login: SourceLogin | None = None,
    limits: Limits | None = None,
) -> tuple[Mapping[str, object] | None, Version]:
    """The JSON object at an address, or None where it is still the known version.

    Args:
        href: Its address.
        known: The version that is there already.
        login: By which it is read.
        limits: As for `read_bytes`.

    Raises:
        NotFoundError: Nothing is there.
        InvalidInputError: It is no JSON object.
        RemoteError: The service fails.
    """
    if not is_remote(href):
        version = file_version(href)
        return (None if version == known else read_json(href, limits=limits)), version
    import requests

    headers = {}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    if known is not None and known.modified:
        headers["If-Modified-Since"] = known.modified
    try:
        answer = session(login, limits).get(href, timeout=TIMEOUT, headers=headers)
    except (requests.RequestException, ValueError) as error:
        raise RemoteError(
            f"{href} does not answer: {type(error).__name__}", "Check the network and the address."
        ) from error
    version = Version(answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
    if answer.status_code == 304 and known is not None:
        return None, known
    _check(href, answer, login)
    return _object(href, answer.content), version


def read_json(
    href: str, login: SourceLogin | None = None, limits: Limits | None = None
) -> Mapping[str, object]:
    """The JSON object at an address.

    Args:
        href: Its address.
        login: By which it is read.
        limits: As for `read_bytes`.

    Raises:
        NotFoundError: Nothing is there.
        InvalidInputError: It is no JSON object.
        RemoteError: The service fails.
    """
    return _object(href, read_bytes(href, login, limits))


def _check(href: str, answer: requests.Response, login: SourceLogin | None) -> None:
    if answer.status_code in (404, 410):
        raise NotFoundError(f"{href} is not there", "Check the address.")
    if answer.status_code >= 400:
        raise RemoteError(
            f"{href} answered {answer.status_code} {answer.reason}",
            refusal_hint(href, login)
            if answer.status_code in (401, 403)
            else "Try again later; check the address.",
        )


def _object(href: str, body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        start = body[:40].decode("utf-8", "replace").strip()
        raise InvalidInputError(
            f"{href} is no JSON: it starts with {start!r}", "Check the address."
        ) from error
    if not isinstance(document, dict):
        raise InvalidInputError(f"{href} is no JSON object", "Check the address.")
    return document
