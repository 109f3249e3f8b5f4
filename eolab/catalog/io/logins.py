"""A catalogue's login at work: tokens for requests, signed addresses, keys of object stores.

A `SourceLogin` holds where the secrets are, never the secrets: these are read where they are used,
each time, from the environment or the key store of that process. So it may travel to a task of dask
or Spark, which finds them in its own environment. Credentials go to the host that the user
configured and to no other.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from eolab.catalog.io.plain_session import TIMEOUT, plain_session
from eolab.catalog.io.s3 import keys_of
from eolab.errors import InvalidInputError, RemoteError
from eolab.redaction import note_secret, redact
from eolab.settings.logins import Login, is_reference, secret

EARLY = 60.0  # seconds before its end at which a token counts as expired
SAS = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
# Addresses that Planetary Computer signs.
BLOB = re.compile(
    r"^https://(?P<account>[a-z0-9]+)\.blob\.core\.windows\.net/(?P<container>[^/]+)/"
)
_TAIL = re.compile(
    r"([?&])(?:[^\s'\"]*&)?(?:sig|signature|x-amz-signature)=[^\s'\"]*", re.IGNORECASE
)
_DOCUMENTS = (".json", ".geojson", ".parquet", ".geoparquet")
_held: dict[SourceRef, SourceLogin] = {}
_holding = threading.Lock()


@dataclass(frozen=True)
class SourceRef:
    """Which source an item is from; nothing in it is secret.

    Attributes:
        workspace: The workspace's id and a digest of the `eolab.toml` that counts there.
        catalog: The catalogue's name in it.
    """

    workspace: str
    catalog: str

    def __str__(self) -> str:
        return f"{self.workspace}/{self.catalog}"


class SourceLogin:
    """The login of one catalogue of one workspace. Two of the same definition are equal.

    Tokens are kept until shortly before their end; they stay in this process: a pickle holds what
    the definition says.

    Args:
        ref: Whose it is.
        url: The catalogue's address.
        login: Where its secrets are.
        others: Roots of the workspace's other catalogues that have logins: what lies there is not
            ours, though it be on our host.
    """

    def __init__(
        self, ref: SourceRef, url: str, login: Login, others: tuple[str, ...] = ()
    ) -> None:
        self.ref, self.url, self.login, self.others = ref, url, login, others
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return self.ref.catalog

    @property
    def digest(self) -> str:
        """A short name of this definition, by which what was read with it is told apart."""
        said = repr((self.ref, self.url, self.login, self.others))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SourceLogin):
            return NotImplemented
        ours, theirs = ((x.ref, x.url, x.login, x.others) for x in (self, other))
        return ours == theirs

    def __hash__(self) -> int:
        return hash((self.ref, self.url, self.others))

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return held, (self.ref, self.url, self.login, self.others)

    def __repr__(self) -> str:
        return f"<login of catalogue {self.name!r}>"

    def covers(self, url: str) -> bool:
        """Whether requests to an address carry this login's headers."""
        if not url.startswith(("http://", "https://")) or origin(url) != origin(self.url):
            return False
        return lies_under(url, root_of(self.url)) or not any(
            lies_under(url, other) for other in self.others
        )

    def header_names(self) -> list[str]:
        """Names of the headers that `headers` gives; no secret is read."""
        names = list(self.login.headers)
        return [*names, "Authorization"] if self.login.token or self.login.token_url else names

    def headers(self) -> dict[str, str]:
        """What requests to the addresses that it covers carry.

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
            found["Authorization"] = f"Bearer {self._oauth_token()}"
        return found

    def signed(self, href: str) -> str:
        """The address with what its store wants to see; others stay as they are.

        Raises:
            RemoteError: The signing service refuses or does not answer.
        """
        found = BLOB.match(href) if self.login.sign else None
        if found is None or "sig=" in href:
            return href
        path = f"{found['account']}/{found['container']}"
        token = self._kept(path, lambda: self._ask_sas(path))
        return f"{href}{'&' if '?' in href else '?'}{token}"

    def gdal_options(self, href: str) -> dict[str, object]:
        """GDAL options with which an address is read; a store's keys come from `keys`.

        Raises:
            InvalidInputError: A secret is not where the login says.
            RemoteError: The token service refuses or does not answer.
        """
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
        if self.covers(href) and (headers := self.headers()):
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
        # The environment's own session token, or its wish not to sign, belongs to other keys.
        return {
            "AWS_ACCESS_KEY_ID": keys.key,
            "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_SESSION_TOKEN": keys.token,
            "AWS_NO_SIGN_REQUEST": "NO",
        }

    def _kept(self, what: str, ask: Callable[[], tuple[str, float]]) -> str:
        with self._lock:
            token, end = self._tokens.get(what, ("", 0.0))
            if time.time() < end - EARLY:
                return token
            token, end = ask()
            note_secret(token)
            self._tokens[what] = token, end
            return token

    def _oauth_token(self) -> str:
        login, what = self.login, f"catalogue {self.name!r}"
        name = login.client_id
        body = {
            "grant_type": "client_credentials",
            "client_id": secret(name, what) if is_reference(name) else name,
            "client_secret": secret(login.client_secret, what),
        }
        if login.scope:
            body["scope"] = login.scope
        # A token of the secret that was there before is no longer the user's.
        whose = hashlib.sha256(repr(sorted(body.items())).encode()).hexdigest()
        return self._kept(whose, lambda: self._ask_oauth(body))

    def _ask_oauth(self, body: Mapping[str, str]) -> tuple[str, float]:
        login = self.login
        answer = _ask("POST", login.token_url, body)
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


def _ask(method: str, url: str, form: Mapping[str, str] | None = None) -> Mapping[str, object]:
    """The JSON object of a token service; secrets stay out of the errors."""
    import requests

    try:
        # A redirect of 307 or 308 would take the form, and the secret in it, to any host.
        answer = plain_session().request(
            method, url, timeout=TIMEOUT, data=form, allow_redirects=form is None
        )
        if answer.is_redirect:
            raise RemoteError(
                f"{url} leads to another address, to which no secret is sent",
                "Write that address as token_url in eolab.toml, if you trust it.",
            )
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


def held(ref: SourceRef, url: str, login: Login, others: tuple[str, ...] = ()) -> SourceLogin:
    """This process's one object of a definition: its tokens serve all who read by it.

    Args:
        ref: Whose login it is; another definition of the same takes its place.
        url: As for `SourceLogin`.
        login: As for `SourceLogin`.
        others: As for `SourceLogin`.
    """
    made = SourceLogin(ref, url, login, others)
    with _holding:
        known = _held.get(ref)
        if known != made:
            _held[ref] = known = made
        return known


def origin(url: str) -> tuple[str, str]:
    """Scheme and host of an address; the scheme's own port is as good as none.

    What is no address (a bracket without an end) has no scheme.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    host = parts.netloc.rpartition("@")[2].lower()
    return parts.scheme, host.removesuffix(port) if port else host


@lru_cache(maxsize=1_000)
def root_of(url: str) -> str:
    """The folder of a catalogue's address, in which what is its own lies.

    "https://host/a/catalog.json" is the document of "https://host/a/"; an API and a folder are
    their own.
    """
    plain = url.partition("?")[0].partition("#")[0]
    if plain.lower().endswith(_DOCUMENTS):
        plain = plain.rpartition("/")[0]
    return f"{plain.rstrip('/')}/"


@lru_cache(maxsize=10_000)
def lies_under(address: str, root: str) -> bool:
    """Whether an address or a path is inside of a root (from `root_of`)."""
    if "://" not in root:
        here = address.removeprefix("file://")
        return "://" not in here and f"{os.path.normpath(here)}{os.sep}".startswith(
            f"{Path(root)}{os.sep}"
        )
    whose = origin(address)
    if "://" not in address or not whose[0] or whose != origin(root):
        return False
    # As a server takes it: "/a/../b" is "/b".
    path = os.path.normpath(unquote(urlsplit(address).path) or "/")
    return f"{path}/".startswith(unquote(urlsplit(root).path))


def without_signature(text: str) -> str:
    """A text in which no address shows the token that signs it."""
    return redact(_TAIL.sub(r"\1...", text))


def hide_signatures(record: logging.LogRecord) -> bool:
    """A filter for the logs of libraries that write addresses into them."""
    record.msg, record.args = without_signature(record.getMessage()), None
    return True
