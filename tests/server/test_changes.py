"""Every change of the workspace is told, soon, once an interval, to every window."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

import eolab.server
from eolab.errors import EolabError
from eolab.server.watcher import REST, Watcher
from eolab.settings import config as configuration
from eolab.studies.journal.files import Writer, take_lock

SCHEMA_FILE = Path(eolab.server.__file__).parent / "workspace_changed.yaml"
SCHEMA = "https://eolab.dev/events/workspace_changed/v1"


@asynccontextmanager
async def window(server):
    """A browser window's event stream: topics as they come."""
    address = f"ws://127.0.0.1:{server.port}{server.base}api/events/subscribe"
    headers = {"Authorization": "token a-token-for-tests"}
    socket = await websocket_connect(HTTPRequest(address, headers=headers))
    try:
        yield socket
    finally:
        socket.close()


async def until(socket, topic: str, seconds: float = 15.0) -> list[set[str]]:
    """The events up to the first that names a topic."""
    events = []
    while True:
        text = await asyncio.wait_for(socket.read_message(), seconds)
        event = json.loads(text)
        if event["schema_id"] != SCHEMA:
            continue
        events.append(set(event["topics"]))
        if topic in events[-1]:
            return events


@pytest.fixture
def busy(server, write_study):
    """A study of its own in the server's workspace."""
    run = write_study(server.config.runs / "busy")
    yield run
    shutil.rmtree(run)


def test_two_windows_hear_of_a_new_trial(server, busy):
    async def story():
        async with window(server) as first, window(server) as second:
            await asyncio.sleep(0.2)
            writer = Writer(busy)
            writer.append({"t": 5_000.0, "e": "trial", "n": 500, "params": {}})
            writer.close()
            for socket in (first, second):
                assert {"studies", "studies/busy"} <= (await until(socket, "studies/busy"))[-1]

    asyncio.run(story())


def test_a_flood_of_events_comes_as_a_trickle(server, busy):
    async def story():
        async with window(server) as socket:
            await asyncio.sleep(0.2)
            writer = Writer(busy)
            end = time.monotonic() + 3
            written = 0
            while time.monotonic() < end:
                for _ in range(100):
                    writer.append({"t": 6_000.0, "e": "report", "n": 0, "a": 1, "step": 1, "m": {}})
                    written += 1
                await asyncio.sleep(0.01)
            writer.close()
            heard = 0
            while True:
                try:
                    await until(socket, "studies/busy", 1.5)
                    heard += 1
                except TimeoutError:
                    return written, heard

    written, heard = asyncio.run(story())
    assert written > 1_000
    assert 2 <= heard <= 12


def test_a_client_that_was_not_there_misses_nothing_in_the_snapshot(server, write_study):
    run = write_study(server.config.runs / "later", trials=2)
    try:
        body = server.get("studies/later").json
        assert body["counts"]["completed"] == 2
    finally:
        shutil.rmtree(run)


def test_after_a_restart_the_server_tells_the_same(tmp_path, start_server, write_study):
    first = start_server(tmp_path)
    write_study(first.config.runs / "crops")
    before = first.get("studies/crops").json
    identity = first.get("status").json["workspace"]["id"]
    first.process.terminate()
    first.process.wait()
    second = start_server(tmp_path)
    after = second.get("studies/crops").json
    assert {k: v for k, v in after.items() if k != "now"} == {
        k: v for k, v in before.items() if k != "now"
    }
    assert second.get("status").json["workspace"]["id"] == identity


# -- the watcher itself --------------------------------------------------------------------


@pytest.fixture
def watcher(config):
    """A watcher that has looked once."""
    watcher = Watcher()
    assert watcher.scan(config) == []
    return watcher


def test_nothing_changed_is_nothing_told(watcher, config, write_study):
    write_study(config.runs / "crops")
    watcher.scan(config)
    assert watcher.scan(config) == []
    assert watcher.scan(config) == []


def test_a_new_study_and_its_end_are_told(watcher, config, write_study):
    run = write_study(config.runs / "crops")
    assert watcher.scan(config) == ["studies", "studies/crops"]
    shutil.rmtree(run)
    assert watcher.scan(config) == ["studies", "studies/crops"]


def test_the_death_of_a_study_process_is_told_though_it_writes_nothing(
    watcher, config, write_study
):
    run = write_study(config.runs / "crops", state="running")
    lock = take_lock(run)
    watcher.scan(config)
    assert watcher.scan(config) == []
    os.close(lock)
    assert watcher.scan(config) == ["studies", "studies/crops"]


def test_features_models_and_catalogues_have_their_topics(watcher, config):
    import pandas as pd

    from eolab.features import FeatureStore
    from eolab.models import ModelRegistry

    store = FeatureStore(config)
    group = store.create_feature_group("parcels", primary_key=["id"], event_time="time")
    assert "features" in watcher.scan(config)
    rows = {"id": [1], "time": pd.to_datetime(["2024-05-01"], utc=True), "ndvi": [0.2]}
    for _ in range(2):
        group.insert(pd.DataFrame(rows))
        assert watcher.scan(config) == ["features"]
    strict = store.create_feature_group(
        "strict", primary_key=["id"], event_time="time", expectations={"share": "ndvi < 0"}
    )
    watcher.scan(config)
    for _ in range(2):
        # Nothing comes in, but the history of checks grows.
        with pytest.raises(EolabError):
            strict.insert(pd.DataFrame(rows))
        assert watcher.scan(config) == ["features"]
    ModelRegistry(config)._touch()
    assert watcher.scan(config) == ["models"]
    with config.file.open("a") as file:
        file.write("\n")
    assert watcher.scan(config) == ["catalog"]
    config.sample.mkdir()
    (config.sample / "catalog.json").write_text("{}")
    assert watcher.scan(config) == ["catalog"]


def test_a_study_that_rested_long_is_looked_at_again(watcher, config, write_study):
    run = write_study(config.runs / "crops")
    for _ in range(REST + 5):
        watcher.scan(config)
    writer = Writer(run)
    writer.append({"t": 3_000.0, "e": "state", "state": "running"})
    writer.close()
    told = [watcher.scan(config) for _ in range(REST + 1)]
    assert told.count(["studies", "studies/crops"]) == 1


def test_another_workspace_changes_everything(watcher, config, tmp_path):
    other = configuration.open_path(tmp_path / "other")
    everything = ["catalog", "saved", "downloads", "features", "studies", "models", "entities"]
    assert watcher.scan(other) == everything
    # What the event may not carry would be told to nobody.
    pattern = yaml.safe_load(SCHEMA_FILE.read_text())["properties"]["topics"]["items"]["pattern"]
    assert all(re.match(pattern, topic) for topic in everything)
    assert watcher.scan(other) == []


def test_folders_that_are_no_studies_are_passed_over(watcher, config, write_study):
    for name in (".crops.tmp", "a b", "x" * 200):
        (config.runs / name).mkdir(parents=True)
        (config.runs / name / "study.json").write_text("{}")
    assert watcher.scan(config) == []


def test_a_thousand_finished_studies_cost_little(watcher, config, monkeypatch):
    for number in range(1_000):
        (config.runs / f"s{number}").mkdir(parents=True)
        (config.runs / f"s{number}" / "study.json").write_text("{}")
    for _ in range(REST + 3):
        watcher.scan(config)
    looks = []
    original = Path.stat

    def counted(path, **more):
        looks.append(path)
        return original(path, **more)

    monkeypatch.setattr(Path, "stat", counted)
    watcher.scan(config)
    assert 0 < len(looks) < 400
