"""kill -9 of whatever stands between a study and its trials on Spark."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.clusters.spark import server
from eolab.errors import RemoteError
from eolab.settings import config
from eolab.studies import Study, open_study
from eolab.studies.client.launch import read_process
from tests.clusters.spark.conftest import Cluster, Start, client_pid, parent, supervisors
from tests.proxy import Proxy
from tests.studies.conftest import _end, events, until, worker_pid


def steady(reporter, *, seed, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    import time

    for step in range(4):
        reporter.report(step=step, score=x + step)
        time.sleep(0.15)
    return x


def running(study: Study) -> str | None:
    """A worker that is in the middle of a trial."""
    for worker in study.snapshot()["workers"]:
        if worker["state"] == "busy":
            return str(worker["id"])
    return None


def assert_complete(study: Study, trials: int) -> None:
    """Every trial has ended once, with the value of its parameters."""
    ended = [e["n"] for e in events(study, "finish")]
    assert sorted(ended) == list(range(trials))
    assert all(t["value"] == t["params"]["x"] for t in study.trials)
    until(lambda: not supervisors(), 30)


def test_kill_9_of_a_python_worker_costs_one_attempt(connect: Cluster, study_on: Start) -> None:
    study = study_on(connect, steady, trials=10, wait=False)
    until(lambda: running(study), 120)
    supervisor = worker_pid(study.folder, running(study) or "")
    os.kill(parent(supervisor or 0), signal.SIGKILL)
    study.wait(timeout=120, quiet=True)
    assert_complete(study, 10)
    assert len(events(study, "requeue")) == 1


def test_kill_9_of_the_placement_process_starts_another(connect: Cluster, study_on: Start) -> None:
    study = study_on(connect, steady, trials=10, wait=False)
    until(lambda: running(study), 120)
    first = client_pid(study)
    os.kill(first or 0, signal.SIGKILL)
    until(lambda: client_pid(study) not in {None, first}, 60)
    study.wait(timeout=120, quiet=True)
    assert_complete(study, 10)


def test_kill_9_of_the_kernel_changes_nothing(connect: Cluster, tmp_path: Path) -> None:
    (tmp_path / "eolab.toml").write_text(
        f'format = 1\n[workspace]\npath = "space"\n[clusters.c]\nkind = "spark"\n{connect.table}'
    )
    program = (
        "from eolab import config\n"
        "from eolab.studies import tune\n"
        "from tests.clusters.spark.test_faults import steady\n"
        f"tune(config.find({str(tmp_path)!r}), steady, name='s', metric='score', trials=10,\n"
        "     workers=2, sampler='random', tracking=False, on='c')\n"
    )
    kernel = subprocess.Popen(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    made = config.find(tmp_path)
    until(lambda: read_process(made.runs / "s"), 60)
    study = open_study(made, "s")
    try:
        until(lambda: running(study), 120)
        kernel.kill()
        study.wait(timeout=120, quiet=True)
        assert_complete(study, 10)
    finally:
        kernel.kill()
        _end(study.folder)


def test_kill_9_of_the_study_process_resumes_with_nothing_lost(
    connect: Cluster, study_on: Start
) -> None:
    study = study_on(connect, steady, trials=10, wait=False)
    until(lambda: study.summary()["counts"]["completed"] >= 2, 120)
    os.kill(int(str(read_process(study.folder)["pid"])), signal.SIGKILL)
    until(lambda: study.state == "interrupted")
    with pytest.raises(RemoteError, match="resume"):
        study.wait(quiet=True)
    study.resume()
    study.wait(timeout=120, quiet=True)
    assert_complete(study, 10)


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_kill_9_of_our_connect_server_starts_another(study_on: Start) -> None:
    ours = Cluster('conf = { "spark.driver.memory" = "600m" }\n')
    study = study_on(ours, steady, trials=10, wait=False)
    folder = study.folder.parents[1] / "clusters" / "c"
    try:
        until(lambda: running(study), 150)
        first = server.find(folder)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        study.wait(timeout=200, quiet=True)
        assert_complete(study, 10)
        second = server.find(folder)
        assert second is not None
        assert second.pid != first.pid
    finally:
        server.stop(folder)


@pytest.mark.slow
def test_kill_9_of_an_executor_costs_its_workers_one_attempt(
    standalone: Cluster, study_on: Start
) -> None:
    study = study_on(standalone, steady, trials=24, workers=4, wait=False)
    until(lambda: len(supervisors()) == 4, 150)
    until(lambda: running(study), 60)
    task = parent(worker_pid(study.folder, running(study) or "") or 0)
    os.kill(parent(parent(task)), signal.SIGKILL)  # task, its daemon, the executor's JVM
    study.wait(timeout=200, quiet=True)
    assert_complete(study, 24)
    assert events(study, "requeue")


def test_a_kernel_ends_at_once_although_its_server_has_gone_before_it(connect: Cluster) -> None:
    """PySpark's client would try to reach it for ten minutes."""
    url, variable = re.findall(r'"(.*?)"', connect.table)
    proxy = Proxy(int(url.rpartition(":")[2]))
    program = (
        "import sys\n"
        "from eolab.clusters.spark.session import open_session\n"
        "cluster = {'connect': sys.argv[1], 'token_env': sys.argv[2], 'home': '.'}\n"
        "spark = open_session(cluster, name='kernel')\n"
        "print(spark.range(3).count(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    kernel = subprocess.Popen(
        [sys.executable, "-c", program, f"sc://localhost:{proxy.port}", variable],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "3\n"
        proxy.close()
        kernel.communicate(timeout=60)
        assert kernel.returncode == 0
    finally:
        kernel.kill()


def test_a_server_that_is_gone_is_named_and_the_study_can_go_on(
    study_on: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from eolab.errors import InvalidInputError

    gone = Cluster('connect = "sc://localhost:9"\n')
    with pytest.raises(InvalidInputError, match="no Spark Connect server answers at localhost:9"):
        study_on(gone, steady)
