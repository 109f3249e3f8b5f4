"""The study's HTTP endpoint: POST /v1/<op> with a bearer token and JSON, kept alive, long-polled.

A small HTTP/1.1 server on asyncio's transports: a request costs a tenth of a millisecond, and what
it accepts is bounded, so that malformed, oversized or slow requests cost nothing but themselves.
"""

from __future__ import annotations

import asyncio
import hmac
import http
import json
import traceback
from collections.abc import Callable
from typing import TypeAlias

from eolab.studies.worker.messages import Answer

HEAD_MOST = 16 * 1024
BODY_MOST = 8 * 1024 * 1024
CONNECTIONS_MOST = 2048
STRANGERS_MOST = 256  # of these: those that have not shown the token
REQUEST_SECONDS = 30.0
FIRST_SECONDS = 10.0  # to show the token, from the connection on
SILENT_SECONDS = 600.0  # between two requests of one that has: it connects again

Body: TypeAlias = dict[str, object]
Handler = Callable[[str, Body], "Answer | asyncio.Future[Answer]"]

_REASONS = {status.value: status.phrase for status in http.HTTPStatus}


class Reject(Exception):
    """A request that is answered with a status other than 200."""

    def __init__(self, status: int, message: str, *, close: bool = False) -> None:
        super().__init__(message)
        self.status, self.close = status, close


class Endpoint:
    """Listens for workers.

    Args:
        handler: Called with (op, body); answers at once, or later by a future, which is cancelled
            when the asker hangs up.
        token: What workers must show.
    """

    def __init__(self, handler: Handler, token: str) -> None:
        self.handler = handler
        self._expected = f"Bearer {token}".encode()
        self._server: asyncio.Server | None = None
        self.connections: set[_Connection] = set()
        self.strangers: dict[_Connection, None] = {}  # the oldest first

    async def listen(self, host: str, port: int) -> int:
        """Open the port (0: any free one); the port that it became."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    def authorised(self, header: bytes) -> bool:
        return hmac.compare_digest(header, self._expected)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.drop()


class _Connection(asyncio.Protocol):
    """One worker's connection: one request at a time.

    A clock runs from the connection on; who has not shown the token makes room for the next one.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._head: tuple[str, int] | None = None
        self._pending: asyncio.Future[Answer] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._unread = False  # what it was answered lies here still

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        endpoint = self._endpoint
        if len(endpoint.connections) >= CONNECTIONS_MOST:
            transport.abort()
            return
        if len(endpoint.strangers) >= STRANGERS_MOST:
            next(iter(endpoint.strangers)).abort()
        endpoint.connections.add(self)
        endpoint.strangers[self] = None
        self._allow(FIRST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's
        self._forget()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._pending is not None:
            self._pending.cancel()

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once, and give the place free."""
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    def _forget(self) -> None:
        self._endpoint.connections.discard(self)
        self._endpoint.strangers.pop(self, None)

    def _allow(self, seconds: float | None) -> None:
        """Time until the next thing that must happen; None for as long as we keep it waiting."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        if seconds is not None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.abort)

    def pause_writing(self) -> None:
        """It asks and does not read: nothing more is done for it until it does."""
        self._unread = True
        self._allow(REQUEST_SECONDS)

    def resume_writing(self) -> None:
        self._unread = False
        self._allow(SILENT_SECONDS)
        asyncio.get_running_loop().call_soon(self._advance)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._pending is not None or self._unread:
            if len(self._buffer) > HEAD_MOST:  # nobody who waits for an answer says that much
                self.abort()
            return
        if len(self._buffer) > BODY_MOST + 2 * HEAD_MOST:  # many requests at once
            self.abort()
            return
        if self not in self._endpoint.strangers:  # whose first clock runs on
            self._allow(REQUEST_SECONDS)
        self._advance()

    def _advance(self) -> None:
        if self._pending is not None or self._unread:
            return
        try:
            if self._head is None:
                end = self._buffer.find(b"\r\n\r\n")
                if end < 0:
                    if len(self._buffer) > HEAD_MOST:
                        raise Reject(431, "the header is too large", close=True)
                    return
                if end > HEAD_MOST:
                    raise Reject(431, "the header is too large", close=True)
                head = bytes(self._buffer[:end])
                del self._buffer[: end + 4]
                self._head = self._read_head(head)
            op, length = self._head
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._head = None
            self._allow(None)
            self._dispatch(op, body)
        except Reject as reject:
            self._answer(reject.status, {"error": str(reject)}, close=reject.close)

    def _read_head(self, head: bytes) -> tuple[str, int]:
        lines = head.split(b"\r\n")
        words = lines[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            raise Reject(400, "no HTTP request", close=True)
        headers: dict[bytes, bytes] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            name = name.strip().lower()
            if not colon or name in headers:
                raise Reject(400, "a malformed or repeated header", close=True)
            headers[name] = value.strip()
        # Who has no token learns nothing, not even which paths there are.
        if not self._endpoint.authorised(headers.get(b"authorization", b"")):
            raise Reject(401, "wrong or missing token", close=True)
        self._endpoint.strangers.pop(self, None)
        self._allow(REQUEST_SECONDS)
        if words[0] != b"POST":
            raise Reject(405, "only POST", close=True)
        if not words[1].startswith(b"/v1/"):
            raise Reject(404, "no such path", close=True)
        if b"transfer-encoding" in headers or b"content-length" not in headers:
            raise Reject(411, "give a Content-Length", close=True)
        length = headers[b"content-length"]
        if not length.isdigit() or len(length) > 12:
            raise Reject(400, "a malformed Content-Length", close=True)
        if int(length) > BODY_MOST:
            raise Reject(413, f"more than {BODY_MOST} bytes", close=True)
        return words[1][4:].decode("ascii", "replace"), int(length)

    def _dispatch(self, op: str, content: bytes) -> None:
        try:
            body = json.loads(content)
            if not isinstance(body, dict):
                raise TypeError("the body is no object")
            answer = self._endpoint.handler(op, body)
        except Reject:
            raise
        except OSError as error:
            raise Reject(503, f"not now: {error}") from error
        except (
            ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError
        ) as error:  # fmt: skip
            raise Reject(400, f"{type(error).__name__}: {error}") from error
        except Exception as error:  # a fault of ours: the worker must not wait for ever
            traceback.print_exc()
            raise Reject(500, f"{type(error).__name__}: {error}") from error
        if isinstance(answer, asyncio.Future):
            self._pending = answer
            answer.add_done_callback(self._resolved)
        else:
            self._answer(200, answer)

    def _resolved(self, future: asyncio.Future[Answer]) -> None:
        self._pending = None
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self._answer(503 if isinstance(error, OSError) else 500, {"error": str(error)})
        else:
            self._answer(200, future.result())

    def _answer(self, status: int, answer: Answer, *, close: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        body = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            + ("Connection: close\r\n\r\n" if close else "\r\n")
        )
        if not close:
            self._allow(SILENT_SECONDS)
        self._transport.write(head.encode() + body)
        if close:
            self._transport.close()
        elif self._buffer:
            asyncio.get_running_loop().call_soon(self._advance)
