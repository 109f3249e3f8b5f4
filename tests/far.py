"""A scene whose files lie on a web server of this machine, which stops sending when it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 100_000


class Patient(BaseHTTPRequestHandler):
    """A handler that says nothing, and does not mind readers who leave."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            pass  # the reader has gone

    def log_message(self, *args: object) -> None:
        pass


def scene(assets: Mapping[str, object], identity: str = "scene") -> dict[str, object]:
    """Document of an item of the collection "far"."""
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": identity,
        "collection": "far",
        "geometry": {"type": "Point", "coordinates": [10, 50]},
        "bbox": [10, 50, 10, 50],
        "properties": {"datetime": "2024-05-01T00:00:00Z"},
        "links": [],
        "assets": assets,
    }


@contextmanager
def slow_server(
    size: int, *, silent_from: int, drips: bool = False
) -> Iterator[tuple[str, threading.Event]]:
    """Serve one file; yields the server's address and `go`.

    Args:
        size: Bytes of the file.
        silent_from: From this byte on nothing comes until `go` is set; -1: not even an answer.
        drips: From there on come single bytes instead.
    """
    go = threading.Event()

    class Slow(Patient):
        def do_GET(self) -> None:
            if silent_from < 0 and drips:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not go.wait(0.05):
                    self.wfile.write(b"x")
            elif silent_from < 0:
                go.wait(120)
            start = int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(size - start))
            self.send_header("ETag", '"one"')
            if start:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.end_headers()
            for at in range(start, size, PIECE):
                while at > silent_from and not go.wait(0.05 if drips else 120) and drips:
                    self.wfile.write(b"x")
                self.wfile.write(b"x" * min(PIECE, size - at))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", go
    finally:
        go.set()
        server.shutdown()
        server.server_close()
