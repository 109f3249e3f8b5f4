"""What is asked through the server happens in a real study, seen in its snapshot soon after."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time

import pytest

from eolab.studies import tune, uniform


def train(reporter, *, seed, x=0.0):
    import time

    for step in range(10):
        reporter.report(step=step, score=x + step)
        time.sleep(0.05)
    return x


@pytest.fixture
def study(server):
    """A study with more trials than it can finish meanwhile; ended after the test."""
    study = tune(
        server.config, train, name="acted", metric="score", trials=500, workers=1,
        space={"x": uniform(0, 1)}, sampler="random", wait=False, tracking=False,
    )  # fmt: skip
    yield study
    with contextlib.suppress(Exception):
        study.cancel()
    _until(lambda: study.state not in {"starting", "running", "paused"})
    shutil.rmtree(study.folder)


def _until(condition, seconds: float = 60.0):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def ask(server, command: str, **more) -> None:
    answer = server.post("studies/acted/commands", {"command": command, **more})
    assert answer.status == 202, answer.body


def test_pause_resume_stop_add_and_cancel(server, study):
    def seen():
        return server.get("studies/acted").json

    def running():
        return next((t for t in seen()["trials"] if t["state"] == "running"), None)

    trial = _until(running)
    ask(server, "stop", number=trial["number"])
    _until(lambda: seen()["trials"][trial["number"]]["state"] == "stopped")
    ask(server, "retry", number=trial["number"])
    _until(lambda: seen()["trials"][trial["number"]]["state"] != "stopped")
    ask(server, "set", trials=600, workers=2)
    _until(lambda: seen()["budget"]["trials"] == 600)
    _until(lambda: seen()["workers_alive"] == 2)
    ask(server, "pause")
    _until(lambda: seen()["state"] == "paused")
    assert server.post("studies/acted/commands", {"command": "pause"}).status == 409
    ask(server, "resume")
    _until(lambda: seen()["state"] == "running")
    ask(server, "cancel")
    _until(lambda: seen()["state"] == "cancelled")
    assert server.post("studies/acted/commands", {"command": "cancel"}).status == 409


def test_a_study_whose_process_was_killed_is_resumed_from_the_panel(server, study):
    _until(lambda: server.get("studies/acted").json["counts"]["completed"] >= 1)
    pid = json.loads((study.folder / "process.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    body = _until(lambda: (b := server.get("studies/acted").json)["state"] == "interrupted" and b)
    done = body["counts"]["completed"]
    ask(server, "resume")
    _until(lambda: server.get("studies/acted").json["state"] == "running")
    _until(lambda: server.get("studies/acted").json["counts"]["completed"] > done)
    spans = server.get("studies/acted/timeline").json["spans"]
    assert [s["trial"] for s in spans if s["outcome"] == "completed"]
