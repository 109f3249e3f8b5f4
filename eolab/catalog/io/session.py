"""Web requests with a catalogue's login: it goes to that catalogue's own addresses only."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from eolab.catalog.io.plain_session import retry_policy, with_retries
from eolab.settings.limits import Limits, in_force

if TYPE_CHECKING:
    import requests
    from urllib3 import Retry

    from eolab.catalog.io.logins import SourceLogin


def session(login: SourceLogin | None = None, limits: Limits | None = None) -> requests.Session:
    """The process's session for a login: retries with back-off; 429 and 5xx are tried again.

    Args:
        login: By which is read; None for none.
        limits: Those of its workspace; None for the environment's.
    """
    return _session(login, limits or in_force())


@lru_cache(maxsize=64)
def _session(login: SourceLogin | None, limits: Limits) -> requests.Session:
    return new_session(retry_policy(limits), login, limits)


def new_session(
    retries: Retry, login: SourceLogin | None = None, limits: Limits | None = None
) -> requests.Session:
    """A session with one login, or none: for readers that keep a session of their own.

    Addresses that the login does not cover are asked without it, and a redirect to one leaves its
    headers behind; there the user's ``.netrc`` counts, as it does for any program.
    """
    import requests
    from requests.auth import AuthBase, HTTPBasicAuth
    from requests.utils import get_netrc_auth

    class LoginAuth(AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            url = str(request.url)
            if login is not None and login.covers(url):
                request.headers.update(login.headers())
                return request
            known = get_netrc_auth(url)
            return HTTPBasicAuth(*known)(request) if known else request

    class LoginSession(requests.Session):
        def rebuild_auth(
            self, prepared_request: requests.PreparedRequest, response: requests.Response
        ) -> None:
            if login is not None and not login.covers(str(prepared_request.url)):
                for name in login.header_names():
                    prepared_request.headers.pop(name, None)
            super().rebuild_auth(prepared_request, response)

    made = LoginSession()
    made.auth = LoginAuth()
    return with_retries(made, retries, limits or in_force())
