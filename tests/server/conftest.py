"""A real Jupyter Server in a process of its own, under a base_url, with the extension switched on
by the configuration file that the wheel ships."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

from eolab import config as configuration

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-tests"
BASE = "/user/ann/"


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Server:
    port: int
    config: configuration.Config
    log: Path
    process: subprocess.Popen[bytes]
    base: str = BASE

    @property
    def api(self) -> str:
        return f"{self.base}eolab/api/v1/"

    def request(self, method: str, path: str, body=None, headers=None, *, token=True) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"token {TOKEN}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            heads = {key.lower(): value for key, value in answer.getheaders()}
            return Answer(answer.status, answer.read(), heads)
        finally:
            connection.close()

    def sign_in(self) -> str:
        """The Cookie header of a browser that signed in with the token."""
        cookies = SimpleCookie()
        # The form's page hands out the XSRF token, the token's page the signed-in cookie.
        for page in ("login", f"login?token={TOKEN}"):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request("GET", self.base + page)
            for line in connection.getresponse().headers.get_all("Set-Cookie") or []:
                cookies.load(line)
            connection.close()
        return "; ".join(f"{c.key}={c.coded_value}" for c in cookies.values())

    def get(self, path: str, **query) -> Answer:
        return self.request("GET", self.api + path + ("?" + urlencode(query) if query else ""))

    def post(self, path: str, body) -> Answer:
        return self.request("POST", self.api + path, body)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(folder: Path, *options: str, base: str = BASE) -> Server:
    """Start Jupyter Server in ``folder`` and wait until it answers."""
    for name in ("etc/jupyter_server_config.d", "home", "root"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(
        ROOT / "jupyter-config" / "server-config" / "eolab.json",
        folder / "etc" / "jupyter_server_config.d",
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "EOLAB"))}
    environment |= {
        "HOME": str(folder / "home"),
        "JUPYTER_CONFIG_PATH": str(folder / "etc"),
        "JUPYTER_NO_CONFIG": "",
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "PYTHONPATH": str(ROOT),
    }
    port = free_port()
    log = folder / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root",
                f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
                f"--ServerApp.base_url={base}", f"--ServerApp.root_dir={folder / 'root'}",
                f"--IdentityProvider.token={TOKEN}", *options,
            ],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    config = configuration.init(folder / "root")
    server = Server(port, config, log, process, base)
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            if server.request("GET", f"{base}api").status == 200:
                return server
        except OSError:
            time.sleep(0.1)
    stop(server)
    raise RuntimeError(log.read_text())


def stop(server: Server) -> None:
    server.process.terminate()
    try:
        server.process.wait(10)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    server = start(tmp_path_factory.mktemp("jupyter"))
    yield server
    stop(server)
