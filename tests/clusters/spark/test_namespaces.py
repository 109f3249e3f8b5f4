"""Executors that really see neither the study's port nor its workspace: namespaces of their own.

Spark's Python workers are started through a wrapper that leaves this machine's network and hides
the workspace; they talk to their JVM over a Unix socket, as Spark 4.1 and later can.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.clusters.spark import server
from eolab.errors import InvalidInputError
from tests.clusters.spark.conftest import Cluster, Start

pytestmark = pytest.mark.slow


@pytest.fixture
def apart(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    words = ["unshare", "--map-root-user", "--net", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("namespaces are not allowed here")
    folder = tmp_path_factory.mktemp("apart")
    (tmp_path / "space").mkdir()
    wrapper = folder / "python"
    wrapper.write_text(
        "#!/bin/sh\n"
        f"exec {' '.join(words)} sh -c 'mount -t tmpfs none {tmp_path / 'space'} && "
        f'exec {sys.executable} "$@"\' python "$@"\n'
    )
    wrapper.chmod(0o755)
    conf = {
        "spark.python.unix.domain.socket.enabled": "true",
        "spark.driver.memory": "600m",
        # Their own session folder would lie in the hidden workspace otherwise.
        "spark.local.dir": str(folder / "scratch"),
    }
    found = server.ensure(folder, slots=2, conf=conf, python=str(wrapper))
    os.environ["EOLAB_APART_TOKEN"] = found.token
    yield Cluster(f'connect = "sc://localhost:{found.port}"\ntoken_env = "EOLAB_APART_TOKEN"\n')
    del os.environ["EOLAB_APART_TOKEN"]
    server.stop(folder)


def test_the_mailbox_carries_a_study_that_nothing_else_reaches(
    apart: Cluster, study_on: Start, tmp_path: Path
) -> None:
    space = tmp_path / "space"

    def train(data, reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import os

        (reporter.checkpoint_dir / "state").write_text(str(x))
        reporter.report(step=0, score=x)
        print("hidden:", os.listdir(data))  # noqa: PTH208
        return x

    with pytest.raises(InvalidInputError, match="does not reach") as caught:
        study_on(apart, train, data=str(space), name="blocked")
    assert "mailbox" in str(caught.value)
    (tmp_path / "box").mkdir()
    study = study_on(
        apart, train, data=str(space), name="boxed", table=f'mailbox = "{tmp_path / "box"}"\n'
    )
    assert study.summary()["counts"]["completed"] == 6
    assert [t["value"] for t in study.trials] == [t["params"]["x"] for t in study.trials]
    assert "hidden: []" in study.log(0)  # it saw an empty folder where the workspace is
    assert (study.folder / "checkpoints" / "0" / "state").read_text()  # which came home
