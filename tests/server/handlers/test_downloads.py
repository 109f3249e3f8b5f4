"""Files of scenes are saved by a process of their own, which panels start, watch and end."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from eolab.records import jobs
from tests.far import scene, slow_server

SIZE = 4_000_000


@pytest.fixture
def slow():
    """A server whose file stops half-way until `go` is set: its address and `go`."""
    with slow_server(SIZE, silent_from=SIZE // 2) as (url, go):
        go.set()
        yield url, go


@pytest.fixture
def catalogue(server, slow, tmp_path):
    """A catalogue `far` of one scene in the server's workspace."""
    document = scene({"band": {"href": f"{slow[0]}/band.tif", "roles": ["data"]}})
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(document))
    before = server.config.file.read_text()
    server.config.file.write_text(f'{before}\n[catalogs.far]\nurl = "{path}"\n')
    yield "far"
    server.config.file.write_text(before)


def wait(server, identity, *states):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        body = server.get("downloads").json
        (found,) = [one for one in body["downloads"] if one["id"] == identity]
        if found["state"] in states:
            return found
        time.sleep(0.1)
    pytest.fail(f"still {found}")


def test_a_download_is_watched_cancelled_and_gone_on_with(server, catalogue, slow):
    _, go = slow
    go.clear()
    body = {"catalog": catalogue, "items": [["far", "scene"]], "assets": ["band"]}
    answer = server.post("downloads", body)
    assert answer.status == 201, answer.body
    identity = answer.json["id"]
    folder = server.config.root / "downloads"
    end = time.monotonic() + 60
    while (running := wait(server, identity, "running"))["done"] < 1_000_000:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert running["total"] == 4_000_000
    assert running["files"][0]["path"] == "far/scene/band.tif"
    assert server.post(f"downloads/{identity}/commands", {"command": "forget"}).status == 409
    assert server.post(f"downloads/{identity}/commands", {"command": "cancel"}).status == 202
    # Although the server sends nothing just then.
    wait(server, identity, "cancelled")
    go.set()
    target = folder / "far/scene/band.tif"
    assert not target.exists()

    assert server.post(f"downloads/{identity}/commands", {"command": "resume"}).status == 202
    done = wait(server, identity, "done", "failed")
    assert done["state"] == "done", done
    assert done["done"] == done["total"] == target.stat().st_size == 4_000_000
    assert server.post(f"downloads/{identity}/commands", {"command": "forget"}).status == 202
    assert identity not in [one["id"] for one in server.get("downloads").json["downloads"]]
    assert target.exists()


def test_a_killed_download_is_interrupted_and_resumed(server, catalogue, slow):
    _, go = slow
    go.clear()
    body = {"catalog": catalogue, "items": [["far", "scene"]], "assets": []}
    (server.config.root / "downloads/far/scene/band.tif").unlink(missing_ok=True)
    identity = server.post("downloads", body).json["id"]
    while wait(server, identity, "running")["done"] < 1_000_000:
        time.sleep(0.1)
    folder = server.config.transfers / identity
    os.kill(int((folder / "lock").read_text()), signal.SIGKILL)
    go.set()
    end = time.monotonic() + 10
    while jobs.is_alive(folder):
        assert time.monotonic() < end
        time.sleep(0.05)
    wait(server, identity, "interrupted")
    server.post(f"downloads/{identity}/commands", {"command": "resume"})
    assert wait(server, identity, "done")["done"] == 4_000_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"catalog": "unknown", "items": [["a", "b"]], "assets": []}, 404),
        ({"catalog": "../x", "items": [["a", "b"]], "assets": []}, 400),
        ({"catalog": "sample", "items": [], "assets": []}, 400),
        ({"catalog": "sample", "items": "all", "assets": []}, 400),
        ({"catalog": "sample", "items": [["a"]], "assets": []}, 400),
        ({"catalog": "sample", "items": [["a", 1]], "assets": []}, 400),
        ({"catalog": "sample", "items": [["a", "b"]] * 1_001, "assets": []}, 400),
        ({"catalog": "sample", "items": [["a", "b"]], "assets": "red"}, 400),
        ({"catalog": "sample", "items": [["a", "b"]], "assets": [1]}, 400),
    ],
)
def test_a_request_that_cannot_be_used_is_refused(server, body, status):
    answer = server.post("downloads", body)
    assert answer.status == status, answer.body
    assert answer.json["message"]


def test_commands_go_to_downloads_only(server):
    for identity in ("20260101000000-ffffffff", "..%2Fruns", "x"):
        answer = server.post(f"downloads/{identity}/commands", {"command": "forget"})
        assert answer.status == 404, answer.body


def test_what_fails_says_why(server, catalogue):
    body = {"catalog": catalogue, "items": [["far", "no such"]], "assets": []}
    failed = wait(server, server.post("downloads", body).json["id"], "failed")
    assert failed["message"]
