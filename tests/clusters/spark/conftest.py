"""Spark for the tests: each kind is started once, when the first test asks for it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eolab.clusters.spark import java, server
from eolab.settings import config as configuration
from eolab.settings.config import Config
from eolab.studies import Study, tune
from eolab.studies.journal import files as journal
from tests import jvm
from tests.studies.conftest import _end, until

Start = Callable[..., Study]


@pytest.fixture(scope="session", autouse=True)
def _needs_spark() -> None:
    if importlib.util.find_spec("pyspark") is None or (java.java_version() or 0) < java.LEAST:
        pytest.skip("Spark needs PySpark and Java 17 or later")


@dataclass(frozen=True)
class Cluster:
    """A cluster to test on.

    Attributes:
        table: What stands below [clusters.c].
        bare: Whether executors lack eolab.
        devices: GPU addresses that workers may see.
    """

    table: str
    bare: bool = False
    devices: tuple[str, ...] = ()


@pytest.fixture(scope="session")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Connect server that knows nothing of our files, reached by its address and token."""
    folder = tmp_path_factory.mktemp("connect")
    started = server.ensure(folder, slots=6, conf={"spark.driver.memory": "700m", **jvm.DRIVER})
    os.environ["EOLAB_TEST_TOKEN"] = started.token
    yield Cluster(f'connect = "sc://localhost:{started.port}"\ntoken_env = "EOLAB_TEST_TOKEN"\n')
    del os.environ["EOLAB_TEST_TOKEN"]
    assert server.stop(folder)


@pytest.fixture(scope="session")
def local() -> Cluster:
    """Classic Spark inside the study's client process."""
    return Cluster(
        'master = "local[4,50]"\nconf = { "spark.driver.memory" = "600m", '
        f'"spark.driver.extraJavaOptions" = "{jvm.OPTIONS}" }}\n'
    )


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An interpreter and a folder of libraries, with which `import eolab` fails."""
    base = getattr(sys, "_base_executable", sys.executable)
    site = tmp_path_factory.mktemp("site")
    for name in ("numpy", "cloudpickle", "pyarrow", "pandas", "pytz", "dateutil", "six"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        here = Path(spec.origin)
        source = here.parent if here.name == "__init__.py" else here
        (site / source.name).symlink_to(source)
        libs = source.with_name(f"{name}.libs")
        if libs.is_dir():
            (site / libs.name).symlink_to(libs)
    found = subprocess.run(
        [base, "-c", "import numpy, cloudpickle, pyarrow, eolab"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(site)}, cwd=site, check=False,
    )  # fmt: skip
    if "No module named 'eolab'" not in found.stderr:
        pytest.skip(f"no interpreter without eolab here: {found.stderr[-200:]}")
    return base, site


@pytest.fixture(scope="session")
def standalone(
    bare: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A standalone cluster: two executors of two slots and two (fake) GPUs, without eolab."""
    python, site = bare
    folder = tmp_path_factory.mktemp("standalone")
    home = server.spark_home()
    port = _free_port()
    base = {
        **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOG_DIR": str(folder), "PYSPARK_PYTHON": python,
        "SPARK_DAEMON_JAVA_OPTS": jvm.OPTIONS,
    }  # fmt: skip
    base.pop("SPARK_CONNECT_MODE_ENABLED", None)
    processes = []

    def start(name: str, words: list[str], environment: dict[str, str]) -> None:
        with (folder / f"{name}.log").open("wb") as log:
            processes.append(
                subprocess.Popen(
                    [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{words[0]}",
                     *words[1:]], env=environment, stdout=log, stderr=log, cwd=folder,
                    start_new_session=True,
                )
            )  # fmt: skip

    start(
        "master",
        ["master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"],
        base,
    )
    until(lambda: _listens(port), 60)
    for number in range(2):
        script = folder / f"gpus{number}.sh"
        names = ", ".join(f'"{2 * number + i}"' for i in range(2))
        script.write_text(f'#!/bin/sh\necho \'{{"name": "gpu", "addresses": [{names}]}}\'\n')
        script.chmod(0o755)
        options = f"-Dspark.worker.resource.gpu.amount=2 -Dspark.worker.resource.gpu.discoveryScript={script}"  # noqa: E501
        start(
            f"worker{number}",
            ["worker.Worker", "--cores", "2", "--memory", "1g", "--host", "127.0.0.1",
             "--webui-port", "0", "--work-dir", str(folder / f"work{number}"),
             f"spark://127.0.0.1:{port}"],
            {**base, "SPARK_WORKER_OPTS": options},
        )  # fmt: skip
    until(lambda: (folder / "master.log").read_text().count("Registering worker") == 2, 60)
    yield Cluster(
        f'master = "spark://127.0.0.1:{port}"\npython = "{python}"\ngpus = 1\nmemory = "512m"\n'
        "[clusters.c.conf]\n"
        f'"spark.executorEnv.PYTHONPATH" = "{site}"\n"spark.driver.host" = "127.0.0.1"\n'
        '"spark.executor.cores" = "2"\n"spark.executor.resource.gpu.amount" = "2"\n'
        '"spark.driver.memory" = "600m"\n'
        f'"spark.driver.extraJavaOptions" = "{jvm.OPTIONS}"\n'
        f'"spark.executor.extraJavaOptions" = "{jvm.OPTIONS}"\n',
        bare=True,
        devices=("0", "1", "2", "3"),
    )
    for process in reversed(processes):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def study_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """`tune` on a cluster, in a fresh workspace; nothing is left of it afterwards."""
    monkeypatch.delenv("EOLAB_WORKSPACE", raising=False)
    configs: list[Config] = []

    def start(cluster: Cluster, train: Callable[..., object], **options: object) -> Study:
        extra = str(options.pop("table", ""))
        (tmp_path / "eolab.toml").write_text(
            'format = 1\n[workspace]\npath = "space"\n'
            f'[clusters.c]\nkind = "spark"\n{extra}{cluster.table}'
        )
        configs.append(configuration.find(tmp_path))
        defaults: dict[str, object] = {
            "name": "s", "metric": "score", "trials": 6, "workers": 2, "sampler": "random",
            "tracking": False, "on": "c", "lease": 10.0,
        }  # fmt: skip
        return tune(configs[-1], train, **{**defaults, **options})  # type: ignore[arg-type]

    yield start
    for config in configs:
        if config.runs.is_dir():
            for folder in config.runs.iterdir():
                if (folder / journal.STUDY).exists():
                    _end(folder)


def client_pid(study: Study) -> int | None:
    """The process that holds the study's Spark tasks."""
    wanted = str(study.folder / "spark.json").encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if wanted in words and b"eolab.clusters.spark.client" in words:
                    return int(folder.name)
    return None


def supervisors() -> list[int]:
    """Worker processes on executors that are alive."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes()
                if b"launch.py" in words and b"/eolab-" in words and b"probe" not in words:
                    found.append(int(folder.name))
    return found


def parent(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    time.sleep(0.2)
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
