"""TensorBoard on what trials wrote: kept with the study, opened by a request, gone with the server.

The process is TensorBoard where it is installed, else a stand-in that says the same line.
"""

from __future__ import annotations

import importlib.util
import sys
import urllib.request

import pytest

from eolab.errors import Conflict, RemoteError
from eolab.server.tensorboard import TensorBoards, has_logs
from eolab.studies.reporter import Reporter

STAND_IN = """
import http.server, sys
assert sys.argv[1] == "--logdir" and sys.argv[3:5] == ["--host", "127.0.0.1"]
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("a word before", file=sys.stderr)
print(f"TensorBoard 2 at http://localhost:{server.server_port}/ (Press CTRL+C)", file=sys.stderr)
sys.stderr.flush()
server.serve_forever()
"""


@pytest.fixture
def run(tmp_path):
    """A study whose trial 3 wrote what TensorBoard reads."""
    reporter = Reporter()
    reporter._folder = tmp_path / "crops" / "checkpoints" / "3"
    (reporter.tensorboard_dir / "events.out.tfevents.1.host").write_bytes(b"")
    return tmp_path / "crops"


def test_a_study_without_logs_says_what_to_do(tmp_path):
    assert not has_logs(tmp_path)
    with pytest.raises(Conflict, match="wrote logs"):
        TensorBoards().port(tmp_path)


def test_without_tensorboard_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Conflict, match="not installed"):
        TensorBoards().port(run)


def test_one_process_a_study_until_the_server_ends(run, monkeypatch):
    command = (sys.executable, "-m", "tensorboard.main")
    if importlib.util.find_spec("tensorboard") is None:
        command = (sys.executable, "-c", STAND_IN)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    boards = TensorBoards(command)
    port = boards.port(run)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        assert answer.status == 200
    assert boards.port(run) == port
    (process, _) = boards._running[run]
    boards.close()
    assert process.poll() is not None


def test_one_that_does_not_start_says_why(run, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    with pytest.raises(RemoteError, match="no such port"):
        TensorBoards((sys.executable, "-c", "raise SystemExit('no such port')")).port(run)
