"""The HTTP endpoint under fire: it answers or hangs up, and goes on serving."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from eolab.studies.coordinator import http, requests
from eolab.studies.coordinator.http import BODY_MOST, HEAD_MOST, Endpoint
from eolab.studies.worker.link import HttpLink, Refused

TOKEN = "secret"
HEAD = f"POST /v1/echo HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n"
GOOD = f"{HEAD}Content-Length: 2\r\n\r\n{{}}".encode()


@pytest.fixture
def served() -> Iterator[tuple[int, list[str]]]:
    loop = asyncio.new_event_loop()
    calls: list[str] = []

    def handle(op: str, body: dict[str, object]) -> dict[str, object]:
        calls.append(op)
        return {"n": int(body.get("n", 0))}  # type: ignore[call-overload]

    endpoint = Endpoint(handle, TOKEN)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    port = asyncio.run_coroutine_threadsafe(endpoint.listen("127.0.0.1", 0), loop).result(5)
    yield port, calls
    loop.call_soon_threadsafe(endpoint.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def send(port: int, *parts: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while block := connection.recv(65536):
                answer += block
        except OSError:
            return b""
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1]) if answer else 0


def test_what_is_refused_and_how(served: tuple[int, list[str]]) -> None:
    port, calls = served
    auth = f"Authorization: Bearer {TOKEN}\r\n".encode()
    cases = [
        (b"POST /v1/echo HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 401),
        (
            b"POST /v1/echo HTTP/1.1\r\nAuthorization: Bearer wrong\r\nContent-Length: 2\r\n\r\n{}",
            401,
        ),
        (b"GET /nothing HTTP/1.1\r\n\r\n", 401),
        (b"GET /v1/echo HTTP/1.1\r\n" + auth + b"\r\n", 405),
        (b"POST /admin HTTP/1.1\r\n" + auth + b"Content-Length: 2\r\n\r\n{}", 404),
        (b"POST /v1/echo HTTP/1.1\r\n" + auth + b"\r\n", 411),
        (
            b"POST /v1/echo HTTP/1.1\r\n" + auth + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
        ),
        (b"POST /v1/echo HTTP/1.1\r\n" + auth + b"Content-Length: -1\r\n\r\n", 400),
        (
            b"POST /v1/echo HTTP/1.1\r\n"
            + auth
            + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            400,
        ),
        (
            b"POST /v1/echo HTTP/1.1\r\n"
            + auth
            + f"Content-Length: {BODY_MOST + 1}\r\n\r\n".encode(),
            413,
        ),
        (b"POST /v1/echo HTTP/1.1\r\n" + auth + b"X: " + b"x" * HEAD_MOST + b"\r\n\r\n", 431),
        (b"POST /v1/echo HTTP/1.1\r\n" + auth + b"Content-Length: 3\r\n\r\n{,}", 400),
        (b"POST /v1/echo HTTP/1.1\r\n" + auth + b"Content-Length: 2\r\n\r\n[]", 400),
        (b"hello\r\n\r\n", 400),
    ]
    for request, expected in cases:
        assert status(send(port, request)) == expected, request[:80]
    assert calls == []
    nested = b"[" * 100_000
    body = b'{"n": ' + nested + b"}"
    request = (
        b"POST /v1/echo HTTP/1.1\r\n"
        + auth
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    assert status(send(port, request)) == 400
    assert status(send(port, GOOD)) == 200


def test_a_request_in_single_bytes_and_two_in_one_packet(served: tuple[int, list[str]]) -> None:
    port, calls = served
    assert status(send(port, *[bytes([b]) for b in GOOD])) == 200
    assert send(port, GOOD + GOOD).count(b"200 OK") == 2
    assert calls == ["echo"] * 3


def test_ten_thousand_malformed_requests_leave_it_serving(served: tuple[int, list[str]]) -> None:
    port, calls = served
    draw = random.Random(0)
    started = time.monotonic()
    for i in range(10_000):
        request = bytearray(GOOD)
        for _ in range(draw.randint(1, 6)):
            request[draw.randrange(len(request))] = draw.randrange(256)
        if i % 3 == 0:
            del request[draw.randrange(len(request)) :]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            try:
                connection.sendall(request)
            except OSError:
                continue
    link = HttpLink(f"http://127.0.0.1:{port}", TOKEN)
    assert link.call("echo", {"n": 7}) == {"n": 7}
    # Damage in harmless places leaves a good request; most must have been refused.
    assert len(calls) < 5_000
    assert time.monotonic() - started < 60


def test_a_wrong_token_is_refused_without_a_retry(served: tuple[int, list[str]]) -> None:
    with pytest.raises(Refused, match="401"):
        HttpLink(f"http://127.0.0.1:{served[0]}", "other").insist("echo", {}, patience=60)


def test_connections_that_say_nothing_make_room_and_are_hung_up(
    served: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has no token cannot shut the door to those who have: the clock starts at once."""
    port, calls = served
    monkeypatch.setattr(http, "STRANGERS_MOST", 8)
    monkeypatch.setattr(http, "FIRST_SECONDS", 0.3)
    link = HttpLink(f"http://127.0.0.1:{port}", TOKEN)
    assert link.call("echo", {"n": 1}) == {"n": 1}
    silent = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(40)]
    try:
        assert HttpLink(f"http://127.0.0.1:{port}", TOKEN).call("echo", {"n": 2}) == {"n": 2}
        for connection in silent:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert link.call("echo", {"n": 3}) == {"n": 3}  # the first one was never hung up
    finally:
        for connection in silent:
            connection.close()
    assert len(calls) == 3


def test_a_slow_first_request_does_not_get_time_by_each_byte(
    served: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, calls = served
    monkeypatch.setattr(http, "FIRST_SECONDS", 0.4)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        with contextlib.suppress(OSError):
            for byte in HEAD.encode():
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        assert time.monotonic() - started < 2
    assert calls == []


def flood(connection: socket.socket) -> None:
    """Ask and never read, up to more than anybody buffers."""
    for _ in range(64 << 20, 0, -len(GOOD) * 500):
        connection.sendall(GOOD * 500)


def test_requests_without_end_whose_answers_nobody_reads_are_bounded(
    served: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, calls = served
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.5)
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    with connection, pytest.raises(OSError, match=r"reset|Broken|timed out"):
        flood(connection)
    before = len(calls)
    assert before < 400_000
    assert HttpLink(f"http://127.0.0.1:{port}", TOKEN).call("echo", {"n": 2}) == {"n": 2}
    assert len(calls) == before + 1


@pytest.mark.parametrize("text", ["1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 400, "true"])
def test_a_number_that_a_journal_cannot_hold_is_refused(text: str) -> None:
    value = json.loads(text)
    report = {"reports": [{"step": 1, "m": {"score": value}}]}
    for call in (
        lambda: requests.read_reports(report),
        lambda: requests.read_result({"state": "completed", "value": value}),
        lambda: requests.read_result({"state": "completed", "value": 1.0, "m": {"score": value}}),
    ):
        with pytest.raises((ValueError, TypeError), match="number"):
            call()
