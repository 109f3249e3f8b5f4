"""Reading STAC documents from files and over HTTP, with limits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from eolab.errors import InvalidInputError, NotFoundError, RemoteError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import requests
    from urllib3 import BaseHTTPResponse, Retry
    from urllib3.connectionpool import ConnectionPool

MAX_BYTES = 64 * 1024 * 1024
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes


@lru_cache(maxsize=1)
def session() -> requests.Session:
    """One session for the process: retries with back-off, and each catalogue's login.

    429 and 5xx are tried again. What a login adds goes to its own host only.
    """
    return new_session(retry_policy())


@lru_cache(maxsize=1)
def plain_session() -> requests.Session:
    """A session without logins: for the services that give tokens."""
    import requests

    return _with_retries(requests.Session(), retry_policy())


def new_session(retries: Retry) -> requests.Session:
    """A session with logins, for readers that keep one of their own."""
    import requests
    from requests.auth import AuthBase
    from requests.utils import get_netrc_auth

    from eolab.catalog.io.logins import authorise, for_url

    class Logins(AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            if for_url(str(request.url)) is not None:
                return authorise(request)
            known = get_netrc_auth(str(request.url))
            return requests.auth.HTTPBasicAuth(*known)(request) if known else request

    class Session(requests.Session):
        def rebuild_auth(
            self, prepared_request: requests.PreparedRequest, response: requests.Response
        ) -> None:
            """On redirects, leave behind what was meant for the host before."""
            before = for_url(str(response.request.url))
            if before is not None and before is not for_url(str(prepared_request.url)):
                for name in before.headers():
                    prepared_request.headers.pop(name, None)
            super().rebuild_auth(prepared_request, response)

    made = Session()
    made.auth = Logins()
    return _with_retries(made, retries)


def _with_retries(made: requests.Session, retries: Retry) -> requests.Session:
    from requests.adapters import HTTPAdapter

    adapter = HTTPAdapter(max_retries=retries, pool_maxsize=64)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


def retry_policy() -> Retry:
    """Five tries (two where nobody listens), also for POST: searches change nothing.

    What has been silent for the whole time limit is not asked again: nobody waits for it that long.
    """
    from urllib3 import Retry
    from urllib3.exceptions import ReadTimeoutError

    class Impatient(Retry):
        def increment(
            self,
            method: str | None = None,
            url: str | None = None,
            response: BaseHTTPResponse | None = None,
            error: Exception | None = None,
            _pool: ConnectionPool | None = None,
            _stacktrace: TracebackType | None = None,
        ) -> Self:
            if isinstance(error, ReadTimeoutError):
                raise error
            return super().increment(method, url, response, error, _pool, _stacktrace)

    return Impatient(
        total=5,
        connect=2,
        backoff_factor=0.3,
        backoff_max=20,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
    )


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


def read_bytes(href: str) -> bytes:
    """The bytes at an address.

    Raises:
        NotFoundError: Nothing is there.
        RemoteError: The service fails, is slow or sends too much.
    """
    if not is_remote(href):
        try:
            path = Path(href)
            if path.stat().st_size > MAX_BYTES:
                raise InvalidInputError(
                    f"{href} is larger than {MAX_BYTES >> 20} MB", "It is not read."
                )
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFoundError(f"{href} is not there", "Check the path.") from error
        except OSError as error:
            raise InvalidInputError(
                f"{href} cannot be read: {error.strerror}", "Check the path."
            ) from error
    import requests

    try:
        with session().get(href, timeout=TIMEOUT, stream=True) as answer:
            _check(href, answer)
            chunks, size = [], 0
            for chunk in answer.iter_content(1 << 16):
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BYTES:
                    raise RemoteError(f"{href} sends more than {MAX_BYTES >> 20} MB", "Not read.")
            return b"".join(chunks)
    except requests.RequestException as error:
        raise RemoteError(
            f"{href} does not answer: {type(error).__name__}", "Check the network and the address."
        ) from error


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


def read_changed(href: str, known: Version | None) -> tuple[Mapping[str, object] | None, Version]:
    """The JSON object at an address, or None where it is still the known version.

    Raises:
        NotFoundError: Nothing is there.
        InvalidInputError: It is no JSON object.
        RemoteError: The service fails.
    """
    if not is_remote(href):
        version = file_version(href)
        return (None if version == known else read_json(href)), version
    import requests

    headers = {}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    if known is not None and known.modified:
        headers["If-Modified-Since"] = known.modified
    try:
        answer = session().get(href, timeout=TIMEOUT, headers=headers)
    except requests.RequestException as error:
        raise RemoteError(
            f"{href} does not answer: {type(error).__name__}", "Check the network and the address."
        ) from error
    version = Version(answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
    if answer.status_code == 304 and known is not None:
        return None, known
    _check(href, answer)
    return _object(href, answer.content), version


def read_json(href: str) -> Mapping[str, object]:
    """The JSON object at an address.

    Raises:
        NotFoundError: Nothing is there.
        InvalidInputError: It is no JSON object.
        RemoteError: The service fails.
    """
    return _object(href, read_bytes(href))


def _check(href: str, answer: requests.Response) -> None:
    if answer.status_code in (404, 410):
        raise NotFoundError(f"{href} is not there", "Check the address.")
    if answer.status_code >= 400:
        raise RemoteError(
            f"{href} answered {answer.status_code} {answer.reason}",
            "Check the login of this catalogue in eolab.toml."
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
