"""A Spark Connect server of our own: on this machine, found again by every process.

It listens on loopback only and asks for a token, outlives whoever started it, keeps idle sessions
for a day, and has slots to spare, so that studies leave room for cells. A task that fails is not
tried again: there is one executor, so that a function that raises would raise each time, and a
study starts workers that it lost itself. PySpark has an experimental server of its own to reuse
(`spark.local.connect.reuse`); it does not let the time-outs be set for a second caller.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eolab.errors import ConfigError, RemoteError
from eolab.files import locks, writes
from eolab.redaction import redact

CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
FORMAT = 1
START_SECONDS = 120.0
STOP_SECONDS = 10.0
ZONE = "spark.sql.session.timeZone"
CELL_SLOTS = 2
LOG = "server.log"
FILE = "server.json"
LOCK = "server.lock"


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: Where it listens, on loopback.
        token: What it asks for.
        pid: Its process.
        version: Its Spark.
        slots: Tasks that it runs at a time.
    """

    port: int
    token: str
    pid: int
    version: str
    slots: int

    @property
    def url(self) -> str:
        """The address for Spark's client, which sends a token without TLS to localhost only."""
        return f"sc://localhost:{self.port}/;token={self.token}"

    @property
    def worker_slots(self) -> int:
        """Slots that studies may take; the others are for cells."""
        return max(1, self.slots - CELL_SLOTS)


def find(folder: Path) -> Server | None:
    """The server of this folder if it runs and answers."""
    try:
        document = json.loads((folder / FILE).read_text())
        server = Server(
            int(document["port"]), str(document["token"]), int(document["pid"]),
            str(document["version"]), int(document["slots"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server if _is_server(server.pid) and _listens(server.port) else None


def ensure(folder: Path, *, slots: int, conf: Mapping[str, str], python: str = "") -> Server:
    """The running server of this folder; started if there is none.

    Args:
        folder: Where it keeps its address (0600), its log and its scratch files.
        slots: Tasks at a time that studies may take; cells get two more.
        conf: Spark options that go before ours.
        python: Interpreter of its tasks; by default this one.

    Raises:
        ConfigError: PySpark or Java is missing.
        RemoteError: It does not start; its last words are in the message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locks.locked(folder / LOCK):
        found = find(folder)
        if found is not None:
            return found
        return _start(folder, slots + CELL_SLOTS, conf, python or sys.executable)


def stop(folder: Path) -> bool:
    """Stop the server of this folder; False where none runs."""
    if not (folder / FILE).exists():
        return False
    with locks.locked(folder / LOCK):
        server = find(folder)
        (folder / FILE).unlink(missing_ok=True)
        if server is None:
            return False
        os.kill(server.pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while _is_server(server.pid):
            if time.monotonic() > end:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(server.pid, signal.SIGKILL)
                break
            time.sleep(0.05)
        return True


def spark_home() -> Path:
    """PySpark's folder, with Spark in it.

    Raises:
        ConfigError: PySpark is not installed.
    """
    import importlib.util

    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ConfigError("PySpark is not installed", 'Install it: pip install "eolab[spark]".')
    return Path(spec.origin).parent


def _start(folder: Path, slots: int, conf: Mapping[str, str], python: str) -> Server:
    home = spark_home()
    from eolab.clusters.spark.java import check_java

    check_java()
    token, port = secrets.token_urlsafe(32), _free_port()
    cores = str(os.cpu_count() or 1)
    options = {
        "spark.master": f"local[{slots}]",
        "spark.app.name": "eolab",
        # More slots than cores: they are for trials, which cells' jobs must not be cut into.
        "spark.default.parallelism": cores,
        "spark.sql.shuffle.partitions": cores,
        "spark.sql.leafNodeDefaultParallelism": cores,
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.python.task.killTimeout": "200ms",
        "spark.connect.session.manager.defaultSessionTimeout": "24h",
        "spark.connect.session.manager.maxSessionTimeout": "24h",
        # What a killed kernel ran is ended within two minutes, and a network may be cut for less
        # than the time-out: the server notices at the end of a stream, and looks by the interval.
        "spark.connect.execute.reattachable.senderMaxStreamDuration": "30s",
        "spark.connect.execute.manager.detachedTimeout": "60s",
        "spark.connect.execute.manager.maintenanceInterval": "10s",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "scratch"),
        # As DuckDB here: the machine's zone would shift what a time without a zone means.
        ZONE: "UTC",
        **conf,
        # Never open to others, whatever is configured.
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }
    properties = folder / "server.conf"
    lines = "".join(f"{k} {v}\n" for k, v in options.items())
    writes.write_text(properties, lines, mode=0o600)
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        # By environment, so that no list of processes shows it.
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
    }
    for name in ("SPARK_REMOTE", "EOLAB_LOCK", "SPARK_LOCAL_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):
        environment.pop(name, None)
    log = folder / LOG
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(home / "bin" / "spark-submit"), "--properties-file", str(properties),
             "--class", CLASS, "--name", "eolab"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder, env=environment,
            start_new_session=True,
        )  # fmt: skip
    end = time.monotonic() + START_SECONDS
    try:
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RemoteError(
                    f"the Spark Connect server does not start: {_last_words(log)}",
                    f"Its log is {log}.",
                )
            time.sleep(0.1)
    except BaseException:
        process.kill()
        process.wait()
        raise
    _children[:] = [child for child in _children if child.poll() is None] + [process]
    server = Server(port, token, process.pid, _version(home), slots)
    document = {
        "format": FORMAT, "port": port, "token": token, "pid": process.pid,
        "version": server.version, "slots": slots, "started": time.time(),
    }  # fmt: skip
    writes.write_json(folder / FILE, document, indent=None, mode=0o600)
    return server


# Kept, so that a server that was stopped is reaped.
_children: list[subprocess.Popen[bytes]] = []


def _is_server(pid: int) -> bool:
    """Whether this process is (still) a Connect server: a number may have been given anew."""
    for child in _children:
        child.poll()
    try:
        os.kill(pid, 0)
        return CLASS.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # a system without /proc cannot tell
    except OSError:
        return False


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _version(home: Path) -> str:
    for line in (home / "version.py").read_text().splitlines():
        if line.startswith("__version__"):
            return line.partition("=")[2].strip().strip("\"'").partition('"')[0]
    return ""


def _last_words(log: Path) -> str:
    try:
        lines = [x for x in log.read_text(errors="replace").splitlines() if x.strip()]
    except OSError:
        lines = []
    errors = [x for x in lines if "Exception" in x or "ERROR" in x or "Error" in x]
    return redact((errors or lines or ["it said nothing"])[-1])[:300]
