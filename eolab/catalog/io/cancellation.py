"""Web requests that end at once when the work that they are for is broken off.

A thread that waits for a silent server cannot be stopped in Python; its connection can be shut, and
then the wait is over.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

from eolab.catalog.io.plain_session import with_limit
from eolab.catalog.io.session import new_session
from eolab.settings.limits import Limits, in_force

if TYPE_CHECKING:
    import requests
    from urllib3.connection import HTTPConnection

    from eolab.catalog.io.logins import SourceLogin


class Line:
    """The sessions of one piece of work.

    Args:
        limits: Of what comes; None for the environment's.

    Attributes:
        plain: Without logins, for stores whose requests are signed.
        limits: That count.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        import requests

        self.limits = limits or in_force()

        self._cut = threading.Event()
        self._open: WeakSet[socket.socket] = WeakSet()
        self._lock = threading.Lock()
        self._sessions: dict[SourceLogin | None, requests.Session] = {}
        self.plain = requests.Session()
        _listen(self.plain, self)

    def session(self, login: SourceLogin | None = None) -> requests.Session:
        """The session of a login (see `session.new_session`); nothing is asked twice."""
        from urllib3 import Retry

        with self._lock:
            known = self._sessions.get(login)
            if known is None:
                known = new_session(Retry(0, raise_on_status=False), login)
                _listen(known, self)
                self._sessions[login] = known
            return known

    def is_cut(self) -> bool:
        """Whether the work was broken off."""
        return self._cut.is_set()

    def cut(self) -> None:
        """Break off: what waits now fails, and so does what is asked later."""
        self._cut.set()
        with self._lock:
            sockets = list(self._open)
        for each in sockets:
            _shut(each)

    def opened(self, connection: HTTPConnection) -> None:
        """A connection was made; it is shut when the line is cut."""
        # Its socket outlives the connection where the answer is read to the end of the line.
        made = connection.sock
        if made is not None:
            with self._lock:
                self._open.add(made)
            if self.is_cut():
                _shut(made)


def _shut(made: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed meanwhile
        made.shutdown(socket.SHUT_RDWR)


def _listen(session: requests.Session, line: Line) -> None:
    """Let a session tell the line of its connections."""
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            line.opened(self)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            line.opened(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = with_limit(Plain, line.limits)

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = with_limit(Secure, line.limits)

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: int, **options: object) -> None:
            super().init_poolmanager(*args, **options)  # type: ignore[arg-type]
            _teach(self.poolmanager)

        def proxy_manager_for(self, proxy: str, **options: object) -> PoolManager:
            manager: PoolManager = super().proxy_manager_for(proxy, **options)
            _teach(manager)
            return manager

    def _teach(manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter(max_retries=0))
