"""A real Jupyter Server in a process of its own, under a base_url, with the extension switched on
by the configuration file that the wheel ships."""

from __future__ import annotations

import datetime as dt
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

from eolab.files import writes
from eolab.settings import config as configuration
from eolab.settings.config import Config
from eolab.studies.journal.files import Writer
from eolab.studies.space.parameters import uniform
from tests.server.promises import check_answer

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
    config: Config
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
            found = Answer(answer.status, answer.read(), heads)
        finally:
            connection.close()
        if path.startswith(self.api):
            check_answer(method, path.removeprefix(self.api), found.status, heads, found.body)
        return found

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
        # A key store of its own: the machine's is not to be touched.
        "PYTHON_KEYRING_BACKEND": "tests.keystore.FileKeys",
        "KEYS_FILE": str(folder / "keys.json"),
    }
    config = Config(root=folder / "root" / "eolab-workspace", file=folder / "root" / "eolab.toml")
    if not config.file.exists():
        config = configuration.init(folder / "root")
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
    server = Server(port, config, log, process, base)
    end = time.monotonic() + 120  # on a machine that does much else
    while time.monotonic() < end:
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
    """A server whose workspace holds a catalogue, a feature group, a study and a model."""
    server = start(tmp_path_factory.mktemp("jupyter"))
    try:
        write_catalog(server.config.file.parent / "scenes")
        with server.config.file.open("a") as file:
            file.write('\n[catalogs.mine]\nurl = "scenes/catalog.json"\n')
        write_features(server.config)
        make_study(server.config.runs / "crops")
        yield server
    finally:
        stop(server)


def write_catalog(folder: Path) -> None:
    """A static catalogue: an item of three bands, one whose files are gone, one that is broken."""
    import numpy as np
    import pystac
    import rasterio
    from rasterio.transform import from_origin

    folder.mkdir()
    catalog = pystac.Catalog("mine", "Small scenes")
    collection = pystac.Collection(
        "mini",
        "Three small scenes",
        pystac.Extent(
            pystac.SpatialExtent([[14.9, 44.9, 15.1, 45.1]]),
            pystac.TemporalExtent([[dt.datetime(2024, 5, 1, tzinfo=dt.UTC), None]]),
        ),
        title="Mini",
    )
    catalog.add_child(collection)
    for number, name in enumerate(("good", "gone", "broken")):
        item = pystac.Item(
            name,
            {
                "type": "Polygon",
                "coordinates": [[[15, 45], [15.1, 45], [15.1, 45.1], [15, 45.1], [15, 45]]],
            },
            [15, 45, 15.1, 45.1],
            dt.datetime(2024, 5, 1 + number, tzinfo=dt.UTC),
            {"eo:cloud_cover": 10.0 * number, "proj:code": "EPSG:32633", "platform": "sentinel-2a"},
        )
        for band in ("red", "green", "blue"):
            path = folder / f"{name}-{band}.tif"
            if name == "good":
                values = np.random.default_rng(0).integers(1, 3_000, (300, 400))
                with rasterio.open(
                    path, "w", driver="GTiff", width=400, height=300, count=1, dtype="uint16",
                    crs="EPSG:32633", transform=from_origin(500_000, 5_000_000, 10, 10),
                ) as file:  # fmt: skip
                    file.write(values.astype("uint16"), 1)
            item.add_asset(
                band,
                pystac.Asset(
                    str(path),
                    media_type=pystac.MediaType.COG,
                    roles=["data"],
                    extra_fields={"eo:bands": [{"name": band, "common_name": band}]},
                ),
            )
        collection.add_item(item)
    catalog.normalize_and_save(str(folder), pystac.CatalogType.SELF_CONTAINED)
    (folder / "mini" / "broken" / "broken.json").write_text("{ no json")


def write_features(config: Config) -> None:
    import pandas as pd

    from eolab.features import FeatureStore

    store = FeatureStore(config)
    group = store.create_feature_group(
        "parcels", primary_key=["parcel_id"], event_time="acquired", description="By parcel"
    )
    group.insert(
        pd.DataFrame(
            {
                "parcel_id": [1, 2, 3],
                "acquired": pd.to_datetime(["2024-05-01"] * 3, utc=True),
                "ndvi": [0.2, float("nan"), 0.8],
            }
        )
    )


def make_study(run: Path, *, trials: int = 3, state: str = "completed") -> Path:
    """The journal of a study that has ended."""
    run.mkdir(parents=True)
    writes.write_json(
        run / "study.json",
        {
            "format": 1, "name": run.name, "kind": "tune", "metric": "f1", "direction": "maximize",
            "trials": trials, "workers": 1, "created": 1_000.0, "python": sys.executable,
            "space": [{"name": "lr", **uniform(0, 10).to_json()}],
        },
    )  # fmt: skip
    (run / "logs").mkdir()
    writer = Writer(run)
    writer.append({"t": 1_000.0, "e": "state", "state": "running"})
    for n in range(trials):
        t = 1_001.0 + n
        writer.append({"t": t, "e": "trial", "n": n, "params": {"lr": 0.1 * n}})
        writer.append({"t": t, "e": "start", "n": n, "a": 1, "w": "w0"})
        writer.append({"t": t, "e": "report", "n": n, "a": 1, "step": 0, "m": {"f1": 0.5}})
        (run / "logs" / f"{n}.1.log").write_text(f"trial {n} says hello\n")
        writer.append(
            {"t": t, "e": "finish", "n": n, "a": 1, "state": "completed", "value": 0.5 + n}
        )
    writer.append({"t": 2_000.0, "e": "state", "state": state})
    writer.close()
    return run


@pytest.fixture
def write_study():
    """`make_study`, for tests that want a study of their own."""
    return make_study


@pytest.fixture
def start_server():
    """`start`, for tests that want a server of their own; stopped at the end."""
    servers = []

    def make(folder: Path, *options: str, base: str = BASE) -> Server:
        servers.append(start(folder, *options, base=base))
        return servers[-1]

    yield make
    for server in servers:
        stop(server)
