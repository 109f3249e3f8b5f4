"""Web requests without a login: tried again with back-off, never for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from eolab.errors import RemoteError
from eolab.redaction import redact

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import requests
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPResponse, ProxyManager, Retry
    from urllib3.connection import HTTPConnection
    from urllib3.connectionpool import ConnectionPool

    C = TypeVar("C", bound=HTTPConnection)

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes
MAX_BYTES = 64 << 20  # of a document, unpacked
MAX_SECONDS = 600.0  # for the head of an answer, and for its body, however little comes at a time
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
        with _in_time(self._raw.shutdown, self._url):
            for piece in self._raw.stream(amt, decode_content=decode_content):
                size += len(piece)
                if size > MAX_BYTES:
                    self._raw.close()
                    raise RemoteError(
                        f"{self._url} sends more than {MAX_BYTES >> 20} MB", "Ask for less."
                    )
                yield piece


@contextlib.contextmanager
def _in_time(stop: Callable[[], object], whose: str) -> Iterator[None]:
    """Read a part of an answer in `MAX_SECONDS`.

    A read ends with the last byte that it waits for, and each byte starts the clock of the socket
    anew: so another thread looks at the time.

    Args:
        stop: Ends the reading, from that thread.
        whose: Address or host, for the message.

    Raises:
        RemoteError: It takes longer.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # closed just now
            stop()

    timer = threading.Timer(MAX_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if late.is_set():
        raise RemoteError(
            f"{whose} did not send its answer in {MAX_SECONDS:.0f} s",
            "Ask for less, or try again later.",
        )


def _with_limit(kind: type[C]) -> type[C]:
    """A kind of connections that waits for the head of an answer no longer than for its body."""

    def getresponse(connection: HTTPConnection) -> HTTPResponse:
        def stop() -> None:
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

        with _in_time(stop, connection.host):
            answer = kind.getresponse(connection)
        return answer  # noqa: RET504  within the block mypy takes it for one that may be left

    return type(kind.__name__, (kind,), {"getresponse": getresponse})


@lru_cache(maxsize=1)
def _pools() -> dict[str, type[HTTPConnectionPool]]:
    """Connections by scheme, with that limit."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Pool(HTTPConnectionPool):
        ConnectionCls = _with_limit(HTTPConnection)

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = _with_limit(HTTPSConnection)

    return {"http": Pool, "https": SecurePool}


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
        def proxy_manager_for(self, proxy: str, **options: object) -> ProxyManager:
            manager: ProxyManager = super().proxy_manager_for(proxy, **options)
            manager.pool_classes_by_scheme = _pools()
            return manager

        def build_response(
            self, req: requests.PreparedRequest, resp: BaseHTTPResponse
        ) -> requests.Response:
            answer = super().build_response(req, resp)
            answer.raw = Bounded(resp, redact(str(req.url)))
            return answer

    adapter = BoundedAdapter(max_retries=retries, pool_maxsize=64)
    adapter.poolmanager.pool_classes_by_scheme = _pools()
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
