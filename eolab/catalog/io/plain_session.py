"""Web requests without a login: tried again with back-off, never for ever."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from eolab.errors import RemoteError
from eolab.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    import requests
    from urllib3 import BaseHTTPResponse, Retry
    from urllib3.connectionpool import ConnectionPool

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes
MAX_BYTES = 64 << 20  # of a document, unpacked
MAX_SECONDS = 600.0  # for the whole body of an answer, however little comes at a time
LONGEST_WAIT = 60.0  # seconds that a service may ask us to wait


class Bounded:
    """An answer whose body is read up to a limit of bytes, unpacked, and one of time."""

    def __init__(self, raw: BaseHTTPResponse, url: str) -> None:
        self._raw, self._url = raw, url

    def __getattr__(self, name: str) -> object:
        return getattr(self._raw, name)

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        """The body in pieces.

        Raises:
            RemoteError: It is larger than `MAX_BYTES`, or takes longer than `MAX_SECONDS`.
        """
        size = 0
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._raw.shutdown()

        # A read ends with the last byte that it waits for, and each byte starts the clock of the
        # socket anew.
        timer = threading.Timer(MAX_SECONDS, stop)
        timer.daemon = True
        timer.start()
        try:
            for piece in self._raw.stream(amt, decode_content=decode_content):
                size += len(piece)
                if size > MAX_BYTES:
                    self._raw.close()
                    raise RemoteError(
                        f"{self._url} sends more than {MAX_BYTES >> 20} MB", "Ask for less."
                    )
                yield piece
        except Exception:
            if not late.is_set():
                raise
        finally:
            timer.cancel()
        if late.is_set():
            raise RemoteError(
                f"{self._url} did not send its answer in {MAX_SECONDS:.0f} s",
                "Ask for less, or try again later.",
            )


@lru_cache(maxsize=1)
def plain_session() -> requests.Session:
    """A session without logins: for the services that give tokens."""
    import requests

    return with_retries(requests.Session(), retry_policy())


def with_retries(made: requests.Session, retries: Retry) -> requests.Session:
    """The session, with this policy for every address, and bodies of `MAX_BYTES` at most.

    Some clients read a body whole whatever its size, and a packed one says nothing of it.
    """
    from requests.adapters import HTTPAdapter

    class BoundedAdapter(HTTPAdapter):
        def build_response(
            self, req: requests.PreparedRequest, resp: BaseHTTPResponse
        ) -> requests.Response:
            answer = super().build_response(req, resp)
            answer.raw = Bounded(resp, redact(str(req.url)))
            return answer

    adapter = BoundedAdapter(max_retries=retries, pool_maxsize=64)
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
