"""Reading what a login guards: tokens for requests, signed addresses, options for object stores.

Credentials go to the host that the user configured and to no other; redirects lose them.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eolab.catalog.io.s3 import keys_of
from eolab.errors import InvalidInputError, RemoteError
from eolab.settings.logins import Login, is_reference, secret

if TYPE_CHECKING:
    import pystac
    import requests

MARK = "eolab:source"  # field of an item that says by whose login its files are read
EARLY = 60.0  # seconds before its end at which a token counts as expired
SAS = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
_BLOB = re.compile(
    r"^https://(?P<account>[a-z0-9]+)\.blob\.core\.windows\.net/(?P<container>[^/]+)/"
)
_ZARR = re.compile(r"^(?P<store>[^?]+\.zarr)/(?P<array>[^?]+)$")
_known: dict[str, Access] = {}


class Access:
    """One catalogue's login at work. Tokens are kept until shortly before their end."""

    def __init__(self, name: str, url: str, login: Login) -> None:
        self.name, self.url, self.login = name, url, login
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        """What requests to the catalogue's own host carry.

        Raises:
            InvalidInputError: A secret is not where the login says.
            RemoteError: The token service refuses or does not answer.
        """
        login, what = self.login, f"catalogue {self.name!r}"
        found = {
            key: secret(value, what) if is_reference(value) else value
            for key, value in login.headers.items()
        }
        if login.token:
            found["Authorization"] = f"Bearer {secret(login.token, what)}"
        elif login.token_url:
            found["Authorization"] = f"Bearer {self._kept('oauth', self._ask_oauth)}"
        return found

    def forget(self) -> None:
        """Drop the tokens held: the service refused one."""
        with self._lock:
            self._tokens.clear()

    def signed(self, href: str) -> str:
        """The address with what its store wants to see; others stay as they are.

        Raises:
            RemoteError: The signing service refuses or does not answer.
        """
        found = _BLOB.match(href) if self.login.sign else None
        if found is None or "sig=" in href:
            return href
        path = f"{found['account']}/{found['container']}"
        token = self._kept(path, lambda: self._ask_sas(path))
        return f"{href}{'&' if '?' in href else '?'}{token}"

    def gdal(self, hrefs: Iterable[str]) -> dict[str, object]:
        """GDAL options with which these addresses are read, without the secrets of a store."""
        options: dict[str, object] = {}
        s3 = self.login.s3
        if s3 is not None:
            if s3.endpoint:
                parts = urlsplit(s3.endpoint)
                options["AWS_S3_ENDPOINT"] = parts.netloc + parts.path.rstrip("/")
                options["AWS_HTTPS"] = "NO" if parts.scheme == "http" else "YES"
                options["AWS_VIRTUAL_HOSTING"] = "FALSE"
            if s3.region:
                options["AWS_REGION"] = s3.region
            if s3.requester_pays:
                options["AWS_REQUEST_PAYER"] = "requester"
        # GDAL sends these headers to every host: only where all files lie on the catalogue's own.
        remote = [h for h in hrefs if h.startswith(("http://", "https://"))]
        if remote and all(origin(h) == origin(self.url) for h in remote):
            headers = self.headers()
            if headers:
                options["GDAL_HTTP_HEADERS"] = "\r\n".join(f"{k}: {v}" for k, v in headers.items())
        return options

    def keys(self) -> dict[str, str]:
        """The store's secrets as GDAL options.

        Raises:
            InvalidInputError: A secret is not where the login says.
        """
        s3, what = self.login.s3, f"reading files of catalogue {self.name!r}"
        if s3 is None:
            return {}
        try:
            keys = keys_of(s3, what)
        except InvalidInputError:
            if s3.key:
                raise
            # A profile of another kind (single sign-on, a role): GDAL may know what to do.
            return {"AWS_PROFILE": s3.profile}
        if keys is None:
            return {}
        found = {"AWS_ACCESS_KEY_ID": keys.key, "AWS_SECRET_ACCESS_KEY": keys.secret}
        return {**found, "AWS_SESSION_TOKEN": keys.token} if keys.token else found

    def _kept(self, what: str, ask: Callable[[], tuple[str, float]]) -> str:
        with self._lock:
            token, end = self._tokens.get(what, ("", 0.0))
            if time.time() < end - EARLY:
                return token
            token, end = ask()
            self._tokens[what] = token, end
            return token

    def _ask_oauth(self) -> tuple[str, float]:
        login, what = self.login, f"catalogue {self.name!r}"
        name = login.client_id
        body = {
            "grant_type": "client_credentials",
            "client_id": secret(name, what) if is_reference(name) else name,
            "client_secret": secret(login.client_secret, what),
        }
        if login.scope:
            body["scope"] = login.scope
        answer = _ask("POST", login.token_url, data=body)
        token, seconds = answer.get("access_token"), answer.get("expires_in", 300)
        if not isinstance(token, str) or not isinstance(seconds, int | float):
            raise RemoteError(f"{login.token_url} sent no access_token", "Check token_url.")
        return token, time.time() + max(float(seconds), EARLY + 1)

    def _ask_sas(self, path: str) -> tuple[str, float]:
        answer = _ask("GET", f"{SAS}/{path}")
        token, expiry = answer.get("token"), answer.get("msft:expiry")
        if not isinstance(token, str) or not isinstance(expiry, str):
            raise RemoteError(f"{SAS}/{path} sent no token", "Try again later.")
        return token, datetime.fromisoformat(expiry).timestamp()


def _ask(method: str, url: str, **options: Mapping[str, str]) -> Mapping[str, object]:
    """The JSON object of a token service; secrets stay out of the errors."""
    import requests

    from eolab.catalog.io.documents import TIMEOUT, plain_session

    try:
        answer = plain_session().request(method, url, timeout=TIMEOUT, **options)  # type: ignore[arg-type]
        document = answer.json() if answer.status_code < 400 else None
    except (requests.RequestException, ValueError) as error:
        raise RemoteError(
            f"{url} gives no token: {type(error).__name__}", "Check the network and the address."
        ) from None
    if not isinstance(document, dict):
        raise RemoteError(
            f"{url} gives no token: {answer.status_code} {answer.reason}",
            "Check the login of this catalogue in eolab.toml.",
        )
    return document


def register(name: str, url: str, login: Login) -> Access | None:
    """Make a login known; None where there is nothing to know."""
    held = _known.get(name)
    if not login:
        if held is not None and held.url == url:
            forget(name)
        return None
    if held is None or (held.url, held.login) != (url, login):
        held = _known[name] = Access(name, url, login)
    return held


def forget(name: str) -> None:
    """Know a catalogue's login no more: it is gone, or another one now."""
    _known.pop(name, None)


def for_url(url: str) -> Access | None:
    """The login for an address: that of the catalogue on the same host with most of the path."""
    fitting = [a for a in _known.values() if origin(a.url) == origin(url)]
    return max(fitting, key=lambda a: _shared(a.url, url), default=None)


def of_item(item: pystac.Item) -> Access | None:
    """The login by which an item's files are read."""
    name = item.extra_fields.get(MARK)
    if not isinstance(name, str):
        return None
    if name not in _known:
        from eolab.settings import config

        entry = config.find().catalogs.get(name)
        if entry is not None:
            register(name, entry.url, entry.login)
    return _known.get(name)


def of_items(items: Iterable[pystac.Item]) -> Access | None:
    """The one login of items that are read together.

    Raises:
        InvalidInputError: They come by several.
    """
    found = {a.name: a for item in items if (a := of_item(item)) is not None}
    if len(found) > 1:
        raise InvalidInputError(
            f"the items come by several logins: {', '.join(sorted(found))}",
            "Load each catalogue's items on their own.",
        )
    return next(iter(found.values()), None)


def href_of(item: pystac.Item, key: str) -> str:
    """An asset's address as it is read: signed where its catalogue signs."""
    access, href = of_item(item), item.assets[key].href
    return gdal_address(href if access is None else access.signed(href))


def gdal_address(href: str) -> str:
    """An address as GDAL reads it: an array inside of a Zarr store is named apart from the store.

    "folder/cube.zarr/ndvi" is the array "ndvi" of "folder/cube.zarr".
    """
    found = _ZARR.match(href)
    if found is None:
        return href
    store = found["store"]
    if store.startswith(("http://", "https://")):
        store = f"/vsicurl/{store}"
    elif store.startswith("s3://"):
        store = f"/vsis3/{store.removeprefix('s3://')}"
    return f'ZARR:"{store}":/{found["array"].rstrip("/")}'


def store_session(access: Access) -> object:
    """A session of rasterio that gives GDAL the keys; it travels without them."""
    return _session_class()(access.name, access.url, access.login)


@lru_cache(maxsize=1)
def _session_class() -> type:
    from rasterio.session import Session

    class StoreSession(Session):  # type: ignore[misc]  # rasterio has no types
        """rasterio's own AWS session needs boto3; GDAL needs the keys only."""

        def __init__(self, name: str, url: str, login: Login) -> None:
            self.arguments = name, url, login

        def __reduce__(self) -> tuple[object, tuple[str, str, Login]]:
            return _store_session, self.arguments

        @classmethod
        def hascreds(cls, config: Mapping[str, object]) -> bool:
            return "AWS_ACCESS_KEY_ID" in config

        def get_credential_options(self) -> dict[str, str]:
            return Access(*self.arguments).keys()

    return StoreSession


def _store_session(name: str, url: str, login: Login) -> object:
    return store_session(Access(name, url, login))


def origin(url: str) -> tuple[str, str]:
    """Scheme and host of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _shared(first: str, second: str) -> int:
    """Characters that two addresses share at their start."""
    count = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        count += 1
    return count


def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add the login's headers to a request, if the address is of a catalogue that has one."""
    access = for_url(str(request.url))
    if access is not None:
        request.headers.update(access.headers())
    return request
