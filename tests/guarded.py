"""Web servers on loopback that let in whom they know: catalogues, files and object stores."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

SIGNATURE = "s1gnature-of-a-store"


class Store:
    """A web server for a folder that lets in whom `allow` does (a reason otherwise)."""

    def __init__(self, folder: Path, allow) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.extra: dict[str, object] = {}
        self.elsewhere = ""  # a server to which files, not documents, are handed over
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self):
                self.answer(b"", body=False)

            def do_GET(self):
                self.answer(b"")

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def answer(self, sent, *, body=True):
                headers = {k.lower(): v for k, v in self.headers.items()}
                store.requests.append((self.command, self.path, headers))
                path = urlsplit(self.path).path
                made = store.extra.get(path)
                if callable(made):
                    return self.send(*made(sent.decode(), headers), body=body)
                reason = allow(self.path, headers)
                if reason:
                    return self.send(403, {"message": reason}, body=body)
                if store.elsewhere and not path.endswith(".json"):
                    moved = f"{store.elsewhere}{path}?X-Amz-Signature={SIGNATURE}"
                    return self.send(302, {}, body=body, Location=moved)
                if made is not None:
                    return self.send(200, made, body=body)
                file = folder / path.lstrip("/").removeprefix("bucket/")
                if not file.is_file():
                    return self.send(404, {}, body=body)
                data, code, more = file.read_bytes(), 200, {}
                if "range" in headers:
                    first, _, last = headers["range"].removeprefix("bytes=").partition("-")
                    end = min(int(last or len(data) - 1), len(data) - 1)
                    more = {"Content-Range": f"bytes {first}-{end}/{len(data)}"}
                    data, code = data[int(first) : end + 1], 206
                return self.send(code, data, body=body, **more)

            def send(self, code, document, *, body=True, **headers):
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def bearer(token):
    wanted = f"Bearer {token}"
    return lambda path, headers: None if headers.get("authorization") == wanted else "log in"


def s3(key, payer):
    def allow(path, headers):
        if f"Credential={key}/" not in headers.get("authorization", ""):
            return "SignatureDoesNotMatch"
        return None if not payer or headers.get("x-amz-request-payer") == "requester" else "pay"

    return allow
