"""Where a file of a catalogue with a login really lies: found by us, before GDAL reads it.

GDAL follows redirects by itself and takes headers along to whatever host they lead to; only
`Authorization` stays behind. Stores hand their files out by redirects to signed addresses every
day. So these are followed here, once a file, with the headers where the login covers the address,
and GDAL gets the address at which they end.
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from eolab.catalog.io.plain_session import TIMEOUT
from eolab.catalog.io.session import session
from eolab.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eolab.catalog.io.logins import SourceLogin

KEPT = 300.0  # seconds: addresses that are signed end
_MOST_HOPS = 10
_MOST = 10_000  # of those that are kept
_ENDS = re.compile(r"[?&]x-(?:amz|goog)-expires=(\d+)", re.IGNORECASE)
_ZARR = re.compile(r"^(?P<store>[^?]+\.zarr)(?:/(?P<array>[^?]+))?$")
_DOCUMENTS = ("zarr.json", ".zarray", ".zmetadata")
_found: dict[tuple[SourceLogin, str], tuple[str, float]] = {}
_lock = threading.Lock()


def resolved(login: SourceLogin, href: str) -> str:
    """The address at which a file's redirects end, which is kept for a while.

    Args:
        login: By which the file is read.
        href: Where its catalogue says that it lies.

    Raises:
        InvalidInputError: A secret is not where the login says.
        RemoteError: Redirects without end; or the file is a folder of many (Zarr) that are handed
            out by another host, each of which GDAL would ask for with the login's headers.
    """
    if not login.covers(href) or not has_other_headers(login):
        return href
    store = _ZARR.match(href)
    if store is not None:
        _check_store(login, store["store"], store["array"])
        return href
    key = login, href
    with _lock:
        address, end = _found.get(key, ("", 0.0))
    if time.monotonic() < end:
        return address
    address, sure = _follow(login, href)
    if sure:
        signed = _ENDS.search(address)
        lasts = min(KEPT, int(signed[1]) / 2) if signed else KEPT
        with _lock:
            if len(_found) >= _MOST:
                _found.clear()
            _found[key] = address, time.monotonic() + lasts
    return address


def forget(login: SourceLogin, href: str) -> None:
    """Look again next time: what a redirect led to was refused."""
    with _lock:
        _found.pop((login, href), None)


def has_other_headers(login: SourceLogin) -> bool:
    """Whether a login has headers that GDAL would take along on a redirect."""
    return any(name.lower() != "authorization" for name in login.header_names())


def _check_store(login: SourceLogin, store: str, array: str | None) -> None:
    folder = f"{store}/{array.rstrip('/')}" if array else store
    for document in _DOCUMENTS:
        address, _ = _follow(login, f"{folder}/{document}")
        if not login.covers(address):
            raise RemoteError(
                f"{store} sends its readers to another host, {address.split('/')[2]}: GDAL would"
                " take the login's headers along",
                "Let the items name that host themselves, or log in by token.",
            )


def _follow(login: SourceLogin, href: str) -> tuple[str, bool]:
    """Where redirects lead to from an address, and whether the host there answered for it."""
    import requests

    address = href
    for _ in range(_MOST_HOPS):
        try:
            place = _next(login, address)
            if place is None:
                return address, True
            address = urljoin(address, place)
        except (requests.RequestException, ValueError):  # or it leads to what is no address
            return address, False  # GDAL, which asks again, says what is wrong
        if not login.covers(address):
            return address, True
    raise RemoteError(f"{href} leads from one address to the next", "Not read.")


def _next(login: SourceLogin, address: str) -> str | None:
    """Where an address sends its readers; None where it answers itself.

    GDAL asks in both ways.
    """
    ways: Mapping[str, Mapping[str, str]] = {"HEAD": {}, "GET": {"Range": "bytes=0-16383"}}
    for method, headers in ways.items():
        with session(login).request(
            method, address, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            if answer.is_redirect:
                return str(answer.headers["Location"])
    return None
