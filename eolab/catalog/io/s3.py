"""Objects of an S3 store as plain web requests, signed by the user's key (AWS Signature Version 4).

GDAL reads such objects by itself; this is for copying them whole, with ranges, by `requests`.
Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header".
"""

from __future__ import annotations

import configparser
import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from eolab.errors import InvalidInputError
from eolab.redaction import note_secret
from eolab.settings.logins import S3Login, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

_EMPTY = hashlib.sha256(b"").hexdigest()
_REGION = "us-east-1"


@dataclass(frozen=True)
class Keys:
    """What signs a request; ``token`` only for keys that end."""

    key: str
    secret: str
    token: str = ""


def object_url(href: str, *, endpoint: str = "", region: str = "") -> str:
    """The web address of "s3://bucket/key": by path at a named endpoint, else AWS's own.

    Raises:
        InvalidInputError: It names no object.
    """
    parts = urlsplit(href)
    if parts.scheme != "s3" or not parts.netloc or len(parts.path) < 2:
        raise InvalidInputError(f"{href!r} names no object of a store", "Give s3://bucket/key.")
    key = quote(parts.path, safe="/~")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{parts.netloc}{key}"
    host = f"s3.{region}.amazonaws.com" if region else "s3.amazonaws.com"
    # A certificate for *.s3.amazonaws.com does not hold for names with more dots.
    if "." in parts.netloc:
        return f"https://{host}/{parts.netloc}{key}"
    return f"https://{parts.netloc}.{host}{key}"


def keys_of(login: S3Login, what: str) -> Keys | None:
    """The login's keys, from where it says that they are; None where it names none.

    Raises:
        InvalidInputError: They are not there.
    """
    if login.key:
        return Keys(secret(login.key, what), secret(login.secret, what))
    if not login.profile:
        return None
    file = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(file, encoding="utf-8")
    try:
        section = parser[login.profile]
        token = note_secret(section.get("aws_session_token", ""))
        hidden = note_secret(section["aws_secret_access_key"])
        return Keys(section["aws_access_key_id"], hidden, token)
    except KeyError as error:
        raise InvalidInputError(
            f"{what} needs the profile {login.profile!r}, which {file} does not hold whole",
            "Add it: `aws configure --profile NAME`.",
        ) from error


def signed_headers(
    url: str,
    keys: Keys | None,
    *,
    region: str = "",
    headers: Mapping[str, str] | None = None,
    pays: bool = False,
    now: datetime | None = None,
) -> dict[str, str]:
    """Headers for a GET of an object, the given ones among them.

    Args:
        url: From `object_url`.
        keys: None asks without a name.
        region: Of the bucket.
        headers: More headers, which are signed too.
        pays: The reader agrees to pay for what is sent.
        now: When it is asked; by default now.
    """
    sent = dict(headers or {})
    if pays:
        sent["x-amz-request-payer"] = "requester"
    if keys is None:
        return sent
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    sent |= {"x-amz-content-sha256": _EMPTY, "x-amz-date": stamp}
    if keys.token:
        sent["x-amz-security-token"] = keys.token
    parts = urlsplit(url)
    lines = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
    lines["host"] = parts.netloc
    names = ";".join(sorted(lines))
    listed = "".join(f"{name}:{lines[name]}\n" for name in sorted(lines))
    request = "\n".join(["GET", parts.path or "/", parts.query, listed, names, _EMPTY])
    scope = f"{stamp[:8]}/{region or _REGION}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    sent["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.key}/{scope},"
        f"SignedHeaders={names},Signature={_mac(key, signature).hex()}"
    )
    return sent


def ask_store(
    send: Callable[[str, Mapping[str, str]], requests.Response],
    href: str,
    store: S3Login,
    what: str,
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """The answer to a GET of an object, from the region where its bucket is.

    Args:
        send: Sends a request to an address with headers; follows no redirect.
        href: "s3://bucket/key".
        store: Where its keys are; without any nobody signs.
        what: Who asks, for messages.
        headers: To send along.

    Raises:
        InvalidInputError: It names no object; the keys are not where the login says.
    """
    keys, region = keys_of(store, what), store.region
    while True:
        url = object_url(href, endpoint=store.endpoint, region=region)
        pays = store.requester_pays
        answer = send(url, signed_headers(url, keys, region=region, headers=headers, pays=pays))
        place = answer.headers.get("x-amz-bucket-region", "")
        # AWS says where the bucket really is; once is enough.
        if region or not place or answer.status_code not in (301, 307, 400):
            return answer
        answer.close()
        region = place


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
