"""Web requests without a login: tried again with back-off, never for ever."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from eolab.errors import RemoteError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import requests
    from urllib3 import BaseHTTPResponse, Retry
    from urllib3.connectionpool import ConnectionPool

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes
LONGEST_WAIT = 60.0  # seconds that a service may ask us to wait


@lru_cache(maxsize=1)
def plain_session() -> requests.Session:
    """A session without logins: for the services that give tokens."""
    import requests

    return with_retries(requests.Session(), retry_policy())


def with_retries(made: requests.Session, retries: Retry) -> requests.Session:
    """The session, with this policy for every address."""
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
            wait = None if response is None else self.get_retry_after(response)
            if wait is not None and wait > LONGEST_WAIT:
                raise RemoteError(
                    f"{url}: the service asks to wait {wait:.0f} s", "Try again after that."
                )
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
