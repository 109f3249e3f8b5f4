"""The simulated region, made once for the room's tests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import requests

from eolab.catalog import open_source
from eolab.catalog.simulate import COLLECTION, SEASON, SampleInfo, write_sample
from eolab.config import Config


@pytest.fixture(scope="session")
def sample_info(tmp_path_factory: pytest.TempPathFactory) -> SampleInfo:
    return write_sample(tmp_path_factory.mktemp("workspace") / "sample")


@pytest.fixture(scope="session")
def sample(sample_info: SampleInfo) -> Path:
    return sample_info.folder


@pytest.fixture(scope="session")
def sample_source(sample: Path):
    return open_source(Config(root=sample.parent), str(sample))


@pytest.fixture(scope="session")
def sample_items(sample_source):
    """The first season of Sentinel-2: the trap course."""
    return sample_source.search(COLLECTION, datetime=SEASON)


@pytest.fixture(scope="session")
def interactions(shared_data: Path):
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
        for path in sorted((shared_data / "stac-api-cassettes").glob("*.yaml"))
    }


@pytest.fixture(scope="session")
def recorded(interactions):
    """The recorded items by the name of the recording."""
    return {
        name: [f for _, answer in pairs for f in answer.get("features", [])]
        for name, pairs in interactions.items()
    }


# --- a STAC API on PostgreSQL, for `make test-more` --------------------------------------------
APP = "stac_fastapi.pgstac.app:create_app"


def _quiet(*command: object, **options: object) -> str:
    """Run a set-up step; where it cannot run here, the test is skipped, saying so."""
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=True, **options
        )
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", "") or str(error)
        pytest.skip(f"no PostgreSQL with PostGIS can be set up here: {told.strip()[-300:]}")
    return done.stdout


@pytest.fixture(scope="session")
def open_folder():
    """A folder that other users may enter: pytest closes its own to them."""
    with tempfile.TemporaryDirectory(prefix="eolab-postgres-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def postgres_home(open_folder: Path) -> Path:
    """Programs of PostgreSQL and PostGIS, unpacked for the tests: nothing is installed."""
    home = open_folder / "programs"
    home.mkdir(mode=0o755)
    about = _quiet("apt-cache", "show", "postgresql")
    version = next(line for line in about.splitlines() if line.startswith("Version:"))
    major = version.split()[1].partition("+")[0]
    ask = ("apt-get", "install", "--print-uris", "-y", "-qq", "-o", "Debug::NoLocking=1")
    lines = _quiet(*ask, f"postgresql-{major}-postgis-3").splitlines()
    packages = [line.split()[1].partition("_")[0] for line in lines if line.startswith("'")]
    if packages:
        _quiet("apt-get", "download", *packages, cwd=home)
    # What is installed already is copied: PostgreSQL looks for its extensions beside itself.
    for part in (f"lib/postgresql/{major}", f"share/postgresql/{major}"):
        if (Path("/usr") / part).is_dir():
            shutil.copytree(f"/usr/{part}", home / "usr" / part, dirs_exist_ok=True, symlinks=True)
    for archive in sorted(home.glob("*.deb")):
        _quiet("dpkg", "-x", archive, home)
        archive.unlink()
    extensions = home / "usr/share/postgresql" / major / "extension"
    named = extensions / "postgis.control"
    if not named.exists():
        shutil.copy(extensions / "postgis-3.control", named)
    return home


@pytest.fixture(scope="session")
def pgstac(postgres_home, sample_source, open_folder):
    """Address of stac-fastapi.pgstac with the sample in it, in an environment of its own."""
    folder = open_folder / "server"
    folder.mkdir(mode=0o755)
    (bin_,) = (postgres_home / "usr/lib/postgresql").glob("*/bin")
    libraries = sorted({str(p.parent) for p in postgres_home.rglob("*.so.*")})
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries), "HOME": str(folder)}
    options: dict[str, object] = {"env": environment, "cwd": folder}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        options |= {"user": "nobody", "extra_groups": []}
        _quiet("chown", "nobody", folder)
    python = folder / "venv/bin/python"
    _quiet(sys.executable, "-m", "uv", "venv", folder / "venv")
    wanted = ("stac-fastapi.pgstac>=7,<8", "pypgstac[psycopg]>=0.9,<0.11", "uvicorn")
    _quiet(sys.executable, "-m", "uv", "pip", "install", "--python", python, *wanted)
    data, port = folder / "data", _free_port()
    _quiet(bin_ / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", **options)
    settings = f"-k {folder} -h 127.0.0.1 -p {port} -c fsync=off"
    start = (bin_ / "pg_ctl", "-D", data, "-w", "-o", settings, "-l", folder / "log", "start")
    _quiet(*start, **options)
    server = None
    try:
        database = {
            "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres",
            "PGPASSWORD": "none", "PGDATABASE": "postgres",
        }  # fmt: skip
        plain = {"env": {**os.environ, **database}, "cwd": folder}
        tool = folder / "venv/bin/pypgstac"
        _quiet(tool, "migrate", **plain)
        for table, things in (
            ("collections", sample_source.collections()),
            ("items", sample_source.search()),
        ):
            lines = [json.dumps(thing.to_dict(transform_hrefs=False)) for thing in things]
            (folder / f"{table}.ndjson").write_text("\n".join(lines))
            _quiet(tool, "load", table, folder / f"{table}.ndjson", **plain)
        web = _free_port()
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
        stop = (str(bin_ / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        subprocess.run(stop, check=False, capture_output=True, **options)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
