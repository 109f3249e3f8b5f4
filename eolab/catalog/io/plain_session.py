"""Web requests without a login: tried again with back-off, never for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from eolab.errors import RemoteError
from eolab.redaction import keep_out_of_log, redact
from eolab.settings.limits import Limits, in_force, raise_hint

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import requests
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPResponse, ProxyManager, Retry
    from urllib3.connection import HTTPConnection
    from urllib3.connectionpool import ConnectionPool

    C = TypeVar("C", bound=HTTPConnection)

# They write headers, and addresses with what signs them, when somebody looks closely.
_LOGGERS = (
    "pystac_client.stac_api_io",
    "urllib3.connectionpool",
    "urllib3.util.retry",
    "urllib3.poolmanager",
)
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes


class Bounded:
    """An answer whose body is read up to a limit of bytes, unpacked, and one of time."""

    def __init__(self, raw: BaseHTTPResponse, url: str, limits: Limits) -> None:
        self._raw, self._url, self._limits = raw, url, limits

    def __getattr__(self, name: str) -> object:
        return getattr(self._raw, name)

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        """The body in pieces.

        Raises:
            RemoteError: It is larger than `Limits.megabytes`, or takes longer than `minutes`.
        """
        size = 0
        with _in_time(self._raw.shutdown, self._url, self._limits):
            for piece in self._raw.stream(amt, decode_content=decode_content):
                size += len(piece)
                if size > self._limits.size:
                    self._raw.close()
                    raise too_large(self._url, self._limits)
                yield piece


def too_large(whose: str, limits: Limits) -> RemoteError:
    """What is said of a document that is larger than allowed."""
    return RemoteError(
        f"{whose} sends more than {limits.megabytes} MB",
        f"Ask for less, or {raise_hint('megabytes')}.",
    )


@contextlib.contextmanager
def _in_time(stop: Callable[[], object], whose: str, limits: Limits) -> Iterator[None]:
    """Read a part of an answer in `Limits.minutes`.

    A read ends with the last byte that it waits for, and each byte starts the clock of the socket
    anew: so another thread looks at the time.

    Args:
        stop: Ends the reading, from that thread.
        whose: Address or host, for the message.
        limits: That count.

    Raises:
        RemoteError: It takes longer.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # closed just now
            stop()

    timer = threading.Timer(limits.seconds, end)
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
            f"{whose} did not send its answer in {limits.minutes:g} minutes",
            f"Ask for less, try again later, or {raise_hint('minutes')}.",
        )


def with_limit(kind: type[C], limits: Limits) -> type[C]:
    """A kind of connections that waits for the head of an answer no longer than for its body."""

    def getresponse(connection: HTTPConnection) -> HTTPResponse:
        def stop() -> None:
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

        with _in_time(stop, connection.host, limits):
            answer = kind.getresponse(connection)
        return answer  # noqa: RET504  within the block mypy takes it for one that may be left

    return type(kind.__name__, (kind,), {"getresponse": getresponse})


@lru_cache(maxsize=16)
def _pools(limits: Limits) -> dict[str, type[HTTPConnectionPool]]:
    """Connections by scheme, with that limit."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Pool(HTTPConnectionPool):
        ConnectionCls = with_limit(HTTPConnection, limits)

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = with_limit(HTTPSConnection, limits)

    return {"http": Pool, "https": SecurePool}


def plain_session() -> requests.Session:
    """A session without logins: for the services that give tokens."""
    return _plain_session(in_force())


@lru_cache(maxsize=16)
def _plain_session(limits: Limits) -> requests.Session:
    import requests

    return with_retries(requests.Session(), retry_policy(limits), limits)


def with_retries(made: requests.Session, retries: Retry, limits: Limits) -> requests.Session:
    """The session, with this policy for every address, and bodies within the limits.

    Some clients read a body whole whatever its size, and a packed one says nothing of it.
    """
    from requests.adapters import HTTPAdapter

    for name in _LOGGERS:
        keep_out_of_log(name)

    class BoundedAdapter(HTTPAdapter):
        def proxy_manager_for(self, proxy: str, **options: object) -> ProxyManager:
            manager: ProxyManager = super().proxy_manager_for(proxy, **options)
            manager.pool_classes_by_scheme = _pools(limits)
            return manager

        def build_response(
            self, req: requests.PreparedRequest, resp: BaseHTTPResponse
        ) -> requests.Response:
            answer = super().build_response(req, resp)
            answer.raw = Bounded(resp, redact(str(req.url)), limits)
            return answer

    adapter = BoundedAdapter(max_retries=retries, pool_maxsize=64)
    adapter.poolmanager.pool_classes_by_scheme = _pools(limits)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


def retry_policy(limits: Limits) -> Retry:
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
            if wait is not None and wait > limits.retry_after:
                raise RemoteError(
                    f"{url}: the service asks to wait {wait:.0f} s",
                    f"Try again after that, or {raise_hint('retry_after')}.",
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
