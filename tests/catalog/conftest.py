"""The simulated region as a catalogue, recorded answers of real APIs, servers on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from eolab.catalog import open_source
from eolab.catalog.io import documents, plain_session
from eolab.catalog.simulate.names import COLLECTION, SEASON
from eolab.settings.config import Config
from eolab.settings.limits import Limits
from tests import postgres


@pytest.fixture(scope="session")
def sample_source(sample: Path):
    return open_source(Config(root=sample.parent), str(sample))


@pytest.fixture(scope="session")
def sample_items(sample_source):
    """The first season of Sentinel-2: the trap course."""
    return sample_source.search(COLLECTION, datetime=SEASON)


@pytest.fixture(scope="session")
def interactions(real_data: Path):
    """Recorded (request, answer) pairs of real APIs by the name of the recording."""
    import gzip

    import yaml

    def body(text):
        raw = text.encode() if isinstance(text, str) else text
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw

    return {
        path.stem: [
            (entry["request"], json.loads(body(entry["response"]["body"]["string"])))
            for entry in yaml.safe_load(path.read_text())["interactions"]
        ]
        for path in sorted((real_data / "stac-api-cassettes").glob("*.yaml"))
    }


@pytest.fixture(scope="session")
def recorded(interactions):
    """The recorded items by the name of the recording."""
    return {
        name: [f for _, answer in pairs for f in answer.get("features", [])]
        for name, pairs in interactions.items()
    }


@pytest.fixture
def serve(monkeypatch):
    """Start HTTP servers on loopback; each answers by a function (method, path, body)."""
    monkeypatch.setattr(documents, "TIMEOUT", (2, 2))
    monkeypatch.setattr("eolab.catalog.sources.api.TIMEOUT", (2, 2))
    policy = plain_session.retry_policy(Limits()).new(backoff_factor=0.01)
    monkeypatch.setattr("eolab.catalog.sources.api.retry_policy", lambda limits: policy)
    started = []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.reply(None)

            def do_POST(self):
                self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def reply(self, body):
                status, document = answer(self.command, self.path, body)
                if status == "cut":
                    self.send_response(200)
                    self.send_header("Content-Length", "100000")
                    self.end_headers()
                    self.wfile.write(b'{"type": "Feat')
                    self.close_connection = True
                    return
                data = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


# --- a STAC API on PostgreSQL, for `make test-more` --------------------------------------------
APP = "stac_fastapi.pgstac.app:create_app"


@pytest.fixture(scope="session")
def pgstac(sample_source):
    """Address of stac-fastapi.pgstac with the sample in it, in an environment of its own."""
    server = None
    with postgres.open_folder() as home, postgres.running(home) as port:
        folder = home / "api"
        folder.mkdir()
        python = folder / "venv/bin/python"
        postgres.quiet(sys.executable, "-m", "uv", "venv", folder / "venv")
        wanted = ("stac-fastapi.pgstac>=7,<8", "pypgstac[psycopg]>=0.9,<0.11", "uvicorn")
        postgres.quiet(sys.executable, "-m", "uv", "pip", "install", "--python", python, *wanted)
        database = {
            "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres",
            "PGPASSWORD": "none", "PGDATABASE": "postgres",
        }  # fmt: skip
        plain = {"env": {**os.environ, **database}, "cwd": folder}
        tool = folder / "venv/bin/pypgstac"
        postgres.quiet(tool, "migrate", **plain)
        for table, things in (
            ("collections", sample_source.collections()),
            ("items", sample_source.search()),
        ):
            lines = [json.dumps(thing.to_dict(transform_hrefs=False)) for thing in things]
            (folder / f"{table}.ndjson").write_text("\n".join(lines))
            postgres.quiet(tool, "load", table, folder / f"{table}.ndjson", **plain)
        web = postgres.free_port()
        try:
            server = subprocess.Popen(
                [python, "-m", "uvicorn", "--factory", "--port", str(web), APP],
                stdout=(folder / "web.log").open("w"),
                stderr=subprocess.STDOUT,
                **plain,
            )
            url = f"http://127.0.0.1:{web}"
            _wait_for(url, server, folder / "web.log")
            yield url
        finally:
            if server is not None:
                server.terminate()
                server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"the STAC API did not start: {log.read_text()[-2000:]}")
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    pytest.fail(f"the STAC API does not answer: {log.read_text()[-2000:]}")
