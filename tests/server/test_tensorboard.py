"""TensorBoard on what trials wrote: opened by a request, gone with the server."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import urllib.error
import urllib.request

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from eolab.errors import ConflictError, RemoteError
from eolab.server.tensorboard import TensorBoards, has_logs
from eolab.studies.worker.reporter import Reporter
from tests.studies.conftest import until


@pytest.fixture
def run(tmp_path):
    """A study whose trial 3 wrote what TensorBoard reads."""
    reporter = Reporter()
    reporter._folder = tmp_path / "crops" / "checkpoints" / "3"
    writer = EventFileWriter(str(reporter.tensorboard_dir))
    value = Summary.Value(tag="loss", simple_value=0.25)
    writer.add_event(Event(wall_time=1.0, step=1, summary=Summary(value=[value])))
    writer.close()
    return tmp_path / "crops"


def test_a_study_without_logs_says_what_to_do(tmp_path):
    assert not has_logs(tmp_path)
    with pytest.raises(ConflictError, match="wrote logs"):
        TensorBoards().port(tmp_path)


def test_without_tensorboard_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConflictError, match="not installed"):
        TensorBoards().port(run)


@pytest.mark.timeout(300)
def test_one_process_a_study_until_the_server_ends(run):
    boards = TensorBoards()
    port = boards.port(run)

    def shown() -> list[list[float]]:
        query = "scalars/scalars?tag=loss&run=3%2Ftensorboard"
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/data/plugin/{query}", timeout=60
        ) as answer:
            return json.load(answer)

    def read() -> bool:
        with contextlib.suppress(urllib.error.HTTPError):  # it reads the logs after its start
            return shown() == [[1.0, 1, 0.25]]
        return False

    until(read)
    assert boards.port(run) == port
    (process, _) = boards._running[run]
    boards.close()
    assert process.poll() is not None


def test_one_that_does_not_start_says_why(run, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    with pytest.raises(RemoteError, match="no such port"):
        TensorBoards((sys.executable, "-c", "raise SystemExit('no such port')")).port(run)
