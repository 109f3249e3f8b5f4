"""How a worker reaches its study: the worker's half of each transport. Standard library only."""

from __future__ import annotations

import http.client
import json
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Message = dict[str, Any]


class Refused(Exception):
    """The study answered and will have nothing more from this worker: leave."""


class Unreachable(Exception):
    """No answer; the study may be restarting, or the network is cut."""


class Link(ABC):
    """One connection to the study, used by one thread at a time.

    Contract: `call` delivers at least once, the study acts at most once on what was delivered
    twice; an answer belongs to its call.
    """

    @abstractmethod
    def call(self, op: str, body: Message, *, timeout: float = 10.0) -> Message:
        """Send ``body`` and wait for the answer.

        Raises:
            Unreachable: No answer within ``timeout`` seconds.
            Refused: The study refuses this worker.
        """

    @abstractmethod
    def fork(self) -> Link:
        """A second connection, for another thread."""

    def close(self) -> None:
        """Let go of the connection."""

    def insist(
        self,
        op: str,
        body: Message,
        *,
        timeout: float = 10.0,
        patience: float = 60.0,
        give_up: Callable[[], bool] = lambda: False,
    ) -> Message:
        """`call`, again and again for ``patience`` seconds while nobody answers."""
        end, pause = time.monotonic() + patience, 0.05
        while True:
            try:
                return self.call(op, body, timeout=timeout)
            except Unreachable:
                if time.monotonic() > end or give_up():
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 1.0)


class HttpLink(Link):
    """JSON over one kept-alive HTTP/1.1 connection.

    Args:
        url: http://host:port of the study.
        token: Its bearer token.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._connection: http.client.HTTPConnection | None = None

    def fork(self) -> HttpLink:
        return HttpLink(self.url, self.token)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, op: str, body: Message, *, timeout: float = 10.0) -> Message:
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=timeout
                )
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.sock.settimeout(timeout)
            self._connection.request(
                "POST",
                f"/v1/{op}",
                json.dumps(body).encode(),
                {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            )
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error
        if response.status == 503:
            raise Unreachable(content.decode("utf-8", "replace")[:200])
        if response.status != 200:
            raise Refused(f"{response.status}: {content.decode('utf-8', 'replace')[:500]}")
        try:
            answer: Message = json.loads(content)
        except ValueError as error:
            self.close()
            raise Unreachable("an answer that is no JSON") from error
        return answer


def make_link(address: Message) -> Link:
    """The link that an address describes: ``{"url", "token"}``."""
    return HttpLink(str(address["url"]), str(address["token"]))
