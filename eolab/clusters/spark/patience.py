"""How long Spark's client waits for a server: never for one that is gone, never in an interrupt.

PySpark's client tries for ten minutes whatever the reason, also while it handles Ctrl-C: a server
that was killed under a cell would lock the notebook.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql.connect.client import SparkConnectClient
    from pyspark.sql.connect.client.retries import RetryPolicy

LONGEST_S = 600.0  # a network that does not answer
REFUSED_S = 60.0  # a server elsewhere, at whose address nobody listens: it may be starting anew
OURS_REFUSED_S = 1.5  # a server of ours comes back at another address only
BACKOFF_S, OURS_BACKOFF_S = 5.0, 0.5  # at most, between two tries
INTERRUPT_S = 0.5  # what an interrupt may take to tell the server; it goes on behind
_LOOK_S = 1.0


def refuses(host: str, port: int, *, timeout: float = 10.0) -> bool:
    """Whether nobody can be reached there (a slow network is no refusal)."""
    error = _failure(host, port, timeout)
    return error is not None and not isinstance(error, TimeoutError)


def is_closed(host: str, port: int, *, timeout: float = 10.0) -> bool:
    """Whether nobody listens there any more: what an own network that is down does not say."""
    error = _failure(host, port, timeout)
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_NONAME
    return isinstance(error, ConnectionRefusedError)


def _failure(host: str, port: int, timeout: float) -> OSError | None:
    try:
        socket.create_connection((host, port), timeout=timeout).close()
    except OSError as error:
        return error
    return None


def make_patient(client: SparkConnectClient, place: tuple[str, int], *, ours: bool) -> None:
    """Let a client give up a server that is gone, and let an interrupt end at once.

    Args:
        client: Of a session.
        place: Host and port of its server.
        ours: Whether the server is one that eolab starts.
    """
    client.set_retry_policies([_policy(place, ours=ours)])
    bounded = soon(client.interrupt_operation)

    def interrupt_operation(op_id: str) -> list[str] | None:
        return bounded(op_id)

    # PySpark calls it where it handles Ctrl-C, and would wait for the answer.
    client.interrupt_operation = interrupt_operation  # type: ignore[method-assign]


def soon(call: Callable[[str], list[str] | None]) -> Callable[[str], list[str] | None]:
    """A call to a server that may be dead: after a moment it goes on in a thread of its own."""

    @functools.wraps(call)
    def bounded(what: str) -> list[str] | None:
        found: list[str] | None = None

        def ask() -> None:
            nonlocal found
            with contextlib.suppress(Exception):  # the server has gone, and with it what ran
                found = call(what)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(INTERRUPT_S)
        return found

    return bounded


def _policy(place: tuple[str, int], *, ours: bool) -> RetryPolicy:
    """As PySpark's own, as long as the server may answer and the process has something to do.

    Its own tries on also when the process ends, be it only to tell the server that results were
    read: a kernel whose server has gone before it would not end.
    """
    from pyspark.sql.connect.client.retries import DefaultPolicy

    backoff = OURS_BACKOFF_S if ours else BACKOFF_S
    given_up = _Refusals(place, OURS_REFUSED_S if ours else REFUSED_S)
    pool = ThreadPoolExecutor(1)

    class WhileAlive(DefaultPolicy):
        def can_retry(self, e: BaseException) -> bool:
            try:
                pool.submit(int)  # refused once the process is about to end
            except RuntimeError:
                return False
            return super().can_retry(e) and not given_up()

    return WhileAlive(max_retries=int(LONGEST_S / backoff), max_backoff=int(backoff * 1000))


class _Refusals:
    """Whether nobody has listened for so long, as far as it was looked.

    Args:
        place: Host and port.
        seconds: How long.
    """

    def __init__(self, place: tuple[str, int], seconds: float) -> None:
        self._place, self._seconds = place, seconds
        self._first = self._last = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        refused = is_closed(*self._place, timeout=_LOOK_S)
        now = time.monotonic()
        with self._lock:
            # A look long ago belongs to another time that it was gone.
            if not refused or now - self._last > 2 * BACKOFF_S:
                self._first = now
            self._last = now
            return refused and now - self._first >= self._seconds
