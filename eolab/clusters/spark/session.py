"""Sessions on a Spark cluster, by Connect or classic; nothing else in eolab opens one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

from eolab.clusters.base import ClusterSpec
from eolab.clusters.spark import kept_sessions, server
from eolab.clusters.spark.java import check_java
from eolab.clusters.spark.patience import make_patient, refuses
from eolab.errors import ConfigError, RemoteError
from eolab.redaction import redact

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_SPARK = (4, 0)
MEMORY_DEFAULT = "1g"
MARK = "eolab.session"  # an option that a session of a notebook has: its own id
TABLE = "eolab.conf"  # and this, a digest of the options that the cluster's table gave it
Found = Literal["new", "back", "lost"]


def is_ours(cluster: ClusterSpec) -> bool:
    """Whether eolab starts the server itself."""
    return not cluster.get("connect") and not cluster.get("master")


def is_here(cluster: ClusterSpec) -> bool:
    """Whether all of it runs on this machine and sees its files."""
    master = str(cluster.get("master") or "")
    return is_ours(cluster) or (master.startswith("local") and not cluster.get("connect"))


def server_folder(cluster: ClusterSpec) -> Path:
    """Where a server of ours keeps its files."""
    return Path(str(cluster["home"]))


def open_session(
    cluster: ClusterSpec, *, name: str, workers: int = 0, session_id: str = ""
) -> SparkSession:
    """A session of its own on the cluster; a server of ours is started if it does not run.

    Args:
        cluster: ``home`` and the options of `[clusters.NAME]`.
        name: What Spark's pages call it.
        workers: How many tasks at a time a server of ours should carry, if it is started now.
        session_id: With Connect, the session to come back to.

    Raises:
        ConfigError: PySpark, Java or a token is missing.
        RemoteError: The cluster does not answer, or its Spark is too old.
    """
    server.spark_home()
    if cluster.get("master"):
        return _classic(cluster, name)
    session = _connect(_url(cluster, workers), session_id, cluster)
    _set_up(session, cluster)
    return session


def open_for_cells(cluster: ClusterSpec, notebook: str) -> tuple[SparkSession, Found]:
    """The session of a notebook: the one that it had, with its views, as long as there is one.

    A session that a living process has is not shared: it gets a new one.

    Args:
        cluster: ``home`` and the options of `[clusters.NAME]`.
        notebook: Its path; "" for shells without one.

    Returns:
        The session, and whether it is "new", is the one of before ("back"), or is new because that
        one has gone with its views and settings ("lost").

    Raises:
        ConfigError, RemoteError: As `open_session`.
    """
    if cluster.get("master"):
        return open_session(cluster, name="eolab"), "new"
    server.spark_home()
    folder, url = server_folder(cluster), _url(cluster, 0)
    kept = kept_sessions.read(folder, notebook)
    if kept is not None and not kept_sessions.hold(folder, kept):
        kept = None  # another process works in it
    if kept is not None:
        with contextlib.suppress(_ClosedError):
            session = _connect(url, kept, cluster)
            if session.conf.get(MARK, "") == kept:
                if session.conf.get(TABLE, "") != _digest(cluster):  # eolab.toml was changed since
                    _set_up(session, cluster)
                return session, "back"
    made = str(uuid.uuid4())
    session = _connect(url, made, cluster)
    _set_up(session, cluster)
    session.conf.set("spark.connect.progress.reportInterval", "200ms")
    session.conf.set(MARK, made)
    kept_sessions.write(folder, notebook, made)
    return session, "new" if kept is None else "lost"


class _ClosedError(RemoteError):
    """The session of this id was closed, and the id can never be used again."""


def start_server(cluster: ClusterSpec, *, workers: int = 0) -> server.Server:
    """The server of ours for this cluster; started if it does not run."""
    slots = max(workers, int(cluster.get("workers") or 0), 2 * (os.cpu_count() or 1), 8)
    return server.ensure(
        server_folder(cluster), slots=slots, conf=dict(cluster.get("conf") or {}),
        python=str(cluster.get("python") or ""),
    )  # fmt: skip


def _url(cluster: ClusterSpec, workers: int) -> str:
    if is_ours(cluster):
        return start_server(cluster, workers=workers).url
    url = str(cluster["connect"])
    variable = str(cluster.get("token_env") or "")
    if not variable:
        return url
    token = os.environ.get(variable)
    if not token:
        raise ConfigError(
            f"the environment variable {variable} with the token of {_place(url)} is not set",
            f"Set {variable}, then try again; it is never written down.",
        )
    return f"{url.rstrip('/;')}{';' if '/;' in url else '/;'}token={token}"


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 15002}"


def _connect(url: str, session_id: str, cluster: ClusterSpec) -> SparkSession:
    from pyspark.sql.connect.session import SparkSession as RemoteSession

    # Functions of pyspark.sql pick their side by it.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    parts = urlsplit(url)
    place = parts.hostname or "", parts.port or 15002
    if refuses(*place):  # Spark's client would try for minutes
        raise RemoteError(f"no Spark Connect server answers at {_place(url)}", _advice(cluster))
    base = url if "/;" in url else url.rstrip("/") + "/"
    whole = f"{base};session_id={session_id}" if session_id else url
    try:
        session = RemoteSession.builder.remote(whole).create()
        make_patient(session.client, place, ours=is_ours(cluster))
        version = session.version
    except Exception as error:
        closed = "INVALID_HANDLE.SESSION" in str(error)
        raise (_ClosedError if closed else RemoteError)(
            f"Spark Connect at {_place(url)} does not answer: {_first_line(error)}",
            _advice(cluster),
        ) from error
    check_version(version)
    return cast("SparkSession", session)  # the same interface, another class


def _set_up(session: SparkSession, cluster: ClusterSpec) -> None:
    """The options of the cluster's table, for a session."""
    session.conf.set(TABLE, _digest(cluster))
    conf = dict(cluster.get("conf") or {})
    session.conf.set(server.ZONE, conf.pop(server.ZONE, "UTC"))
    for key, value in conf.items():
        if is_ours(cluster):
            break  # the server was started with them
        session.conf.set(key, value)


def _digest(cluster: ClusterSpec) -> str:
    conf = sorted((cluster.get("conf") or {}).items())
    return hashlib.sha256(json.dumps(conf).encode()).hexdigest()


def address_of(cluster: ClusterSpec) -> tuple[str, int] | None:
    """Host and port of a cluster's Connect server; None for classic Spark or where none runs."""
    if cluster.get("master"):
        return None
    if is_ours(cluster):
        found = server.find(server_folder(cluster))
        return None if found is None else ("localhost", found.port)
    parts = urlsplit(str(cluster["connect"]))
    return parts.hostname or "", parts.port or 15002


def _advice(cluster: ClusterSpec) -> str:
    more = " (`%clusters start`)" if is_ours(cluster) else ""
    return f"Check the address, the token and that the server runs{more}; then resume."


def _classic(cluster: ClusterSpec, name: str) -> SparkSession:
    check_java()
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
    from pyspark.sql import SparkSession

    python = str(cluster.get("python") or "")
    if is_here(cluster):
        os.environ["PYSPARK_PYTHON"] = python or sys.executable
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    elif python:
        os.environ["PYSPARK_PYTHON"] = python
    conf = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        server.ZONE: "UTC",
        **_classic_resources(cluster),
        **({"spark.executor.memory": str(cluster["memory"])} if cluster.get("memory") else {}),
        **({"spark.driver.host": str(cluster["advertise"])} if cluster.get("advertise") else {}),
        **dict(cluster.get("conf") or {}),
    }
    builder = SparkSession.builder.master(str(cluster["master"])).appName(name)
    for key, value in conf.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        raise RemoteError(
            f"no Spark session on {cluster['master']}: {_first_line(error)}",
            "Check the master's address and that its Spark is of our version.",
        ) from error
    check_version(session.version)
    session.sparkContext.setLogLevel("ERROR")
    return session


def _classic_resources(cluster: ClusterSpec) -> dict[str, str]:
    """Cores and GPUs of each worker, as options of a classic application."""
    conf = {}
    if cluster.get("cpus"):
        conf["spark.task.cpus"] = str(cluster["cpus"])
    if cluster.get("gpus") and not is_here(cluster):
        conf["spark.task.resource.gpu.amount"] = str(cluster["gpus"])
        conf["spark.executor.resource.gpu.amount"] = str(cluster["gpus"])
    return conf


def check_version(version: str) -> None:
    """Refuse a server whose Spark lacks what placement needs.

    Raises:
        RemoteError: It is older than 4.0, which brought tags and resources for `mapInArrow`.
    """
    found = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if found < LEAST_SPARK:
        least = ".".join(map(str, LEAST_SPARK))
        raise RemoteError(
            f"the cluster runs Spark {version}", f"eolab needs Spark {least} or later there."
        )


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return redact((lines or [type(error).__name__])[0])[:300]
