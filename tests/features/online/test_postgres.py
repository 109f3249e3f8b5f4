"""The online store on a real PostgreSQL keeps the promises of the one on SQLite."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eolab.errors import ConfigError, ConflictError, InvalidInputError, NotFoundError, RemoteError
from eolab.features import FeatureStore
from eolab.settings.config import load
from tests import postgres


def day(number):
    return pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=number)


@pytest.fixture(scope="module")
def url():
    pytest.importorskip("psycopg")
    with postgres.open_folder() as folder, postgres.running(folder) as port:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


@pytest.fixture
def shared(config, url):
    """A store whose online tables are in PostgreSQL."""
    return FeatureStore(replace(config, online_url=url))


def test_where_it_is_stands_in_the_configuration_without_a_password(tmp_path):
    file = tmp_path / "eolab.toml"
    file.write_text('format = 1\n[features]\nonline = "postgresql://ann@db/eo"\n')
    assert load(file).online_url == "postgresql://ann@db/eo"
    for wrong, says in (
        ("postgresql://ann:secret@db/eo", "holds a password"),
        ("postgresql://db/eo?password=secret", "holds a password"),
        ("mysql://db/eo", "allowed: postgresql"),
    ):
        file.write_text(f'format = 1\n[features]\nonline = "{wrong}"\n')
        with pytest.raises(ConfigError, match=says) as caught:
            load(file)
        assert caught.value.hint
    file.write_text("format = 1\n")
    assert load(file).online_url is None


def test_a_database_out_of_reach_says_so_and_keeps_the_rows(config):
    pytest.importorskip("psycopg")
    nowhere = f"postgresql://ann@127.0.0.1:{postgres.free_port()}/eo"
    store = FeatureStore(replace(config, online_url=nowhere))
    group = store.create_feature_group("g", primary_key="id", online_enabled=True)
    with pytest.raises(RemoteError, match=r"online store at 127\.0\.0\.1") as caught:
        group.insert(pd.DataFrame({"id": [1], "v": [1.0]}))
    assert "sync_online" in caught.value.hint
    assert len(group.read()) == 1


def test_long_names_of_groups_stay_apart(config):
    store = FeatureStore(replace(config, online_url="postgresql://ann@db/eo"))
    names = {
        store.create_feature_group("long" * 25 + end, primary_key="id").online.table
        for end in ("a", "b")
    }
    assert len(names) == 2
    assert all(len(name.split(".")[1].strip('"')) <= 63 for name in names)


@pytest.mark.slow
def test_it_equals_the_offline_newest_after_any_history(shared, config):
    """Random inserts, older observations, reprocessing and deletions; both stores side by side."""
    rng = np.random.default_rng(0)
    beside = FeatureStore(config)
    group = shared.create_feature_group("g", primary_key=["id", "part"], event_time="time")
    same = beside.feature_group("g")
    for step in range(12):
        if step % 4 == 3:
            gone = group.read()[["id", "part"]].drop_duplicates().head(3)
            group.delete_rows(gone)
        else:
            keys = rng.integers(0, 8, (20, 3))
            frame = pd.DataFrame(
                {"id": keys[:, 0], "part": [f"p{k}" for k in keys[:, 1] % 2],
                 "time": [day(int(k)) for k in keys[:, 2]], "v": rng.random(20)}
            ).drop_duplicates(["id", "part", "time"])  # fmt: skip
            group.insert(frame.assign(flag=frame["v"] > 0.5), statistics=False)
        group.sync_online()
        same.sync_online()
        columns = ["time", "v", "flag"]
        asked = [{"id": i, "part": f"p{p}"} for i in range(9) for p in range(2)]
        ours = group.online.reader(columns, group.schema)
        theirs = same.online.reader(columns, same.schema)
        found = ours.get_many(asked)
        assert found == theirs.get_many(asked) == [ours.get(key) for key in asked]
        newest = group.read().sort_values("time").groupby(["id", "part"]).tail(1)
        known = {(r.id, r.part): (r.time, r.v, r.flag) for r in newest.itertuples()}
        assert {(k["id"], k["part"]): v for k, v in zip(asked, found, strict=True) if v} == known
    assert group.sync_online() == 0


@pytest.mark.slow
def test_vectors_are_served_with_missing_keys_and_added_columns(shared):
    group = shared.create_feature_group(
        "g", primary_key="id", event_time="time", online_enabled=True
    )
    group.insert(
        pd.DataFrame({"id": [1, 1, 2], "time": [day(5), day(1), day(1)], "v": [5.0, 1, 2]})
    )
    truth = shared.create_feature_group("t", primary_key="id")
    truth.insert(pd.DataFrame({"id": [1, 2], "y": ["a", "b"]}))
    view = shared.create_feature_view("v", labels=truth.select("y"), query=group.select("v"))
    assert view.get_feature_vectors([{"id": 2}, {"id": 1}]) == [[2.0], [5.0]]
    assert np.isnan(view.get_feature_vector({"id": np.int64(9)})[0])
    with pytest.raises(NotFoundError, match="no row of"):
        view.get_feature_vector({"id": 9}, missing="error")
    with pytest.raises(InvalidInputError, match="has no 'id'"):
        view.get_feature_vector({"key": 1})
    late = pd.DataFrame({"id": [1], "time": [day(9)], "v": [9.0], "note": ["it's"]})
    group.insert(late, add_columns=True)
    assert view.get_feature_vector({"id": 1}) == [9.0]
    reader = group.online.reader(["note", "time"], group.schema)
    assert reader.get_many([{"id": 1}, {"id": 2}]) == [("it's", day(9)), (None, day(1))]
    with pytest.raises(InvalidInputError, match="too long"):
        group.insert(late.assign(**{"x" * 64: 1.0}), add_columns=True)
    plain = shared.create_feature_group("plain", primary_key="id")
    plain.insert(pd.DataFrame({"id": [1], "x": [1.0]}))
    other = shared.create_feature_view("o", labels=truth.select("y"), query=plain.select("x"))
    with pytest.raises(ConflictError, match="no online table"):
        other.get_feature_vector({"id": 1})


@pytest.mark.slow
def test_two_workspaces_share_a_database_and_threads_a_reader(shared, url, tmp_path):
    from eolab.settings.config import Config

    other = FeatureStore(Config(root=tmp_path / "other", online_url=url))
    for store, value in ((shared, 1.0), (other, 2.0)):
        group = store.create_feature_group("g", primary_key="id", online_enabled=True)
        group.insert(pd.DataFrame({"id": np.arange(200), "v": value}))
    readers = [s.feature_group("g").online for s in (shared, other)]
    told: list[set[object]] = [set(), set()]

    def read(number):
        group = (shared, other)[number].feature_group("g")
        reader = readers[number].reader(["v"], group.schema)
        for k in range(200):
            told[number].add(reader.get({"id": k}))

    threads = [threading.Thread(target=read, args=(n % 2,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [{(1.0,)}, {(2.0,)}]


VICTIM = """
import sys
from dataclasses import replace
import numpy as np, pandas as pd
from eolab import config
from eolab.features import FeatureStore

store = FeatureStore(replace(config.open_path(sys.argv[1]), online_url=sys.argv[2]))
group = store.feature_group("g")
print("ready", flush=True)
k = 0
while True:
    k += 1
    frame = pd.DataFrame({"id": np.arange(30_000)})
    group.insert(frame.assign(v=float(k)), statistics=False)
    print(k, flush=True)
"""


@pytest.mark.slow
def test_a_sync_killed_at_any_moment_is_whole_and_heals_with_the_next_insert(shared, config, url):
    rng = np.random.default_rng(1)
    group = shared.create_feature_group("g", primary_key="id", online_enabled=True)
    group.insert(pd.DataFrame({"id": np.arange(30_000), "v": 0.0}), statistics=False)
    for _ in range(3):
        victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, str(config.root), url],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert victim.stdout.readline() == "ready\n"
        started = time.monotonic()
        assert victim.stdout.readline(), "one insert is done"
        # Somewhere in the next insert or its sync, however slow the machine is.
        time.sleep(rng.uniform(0.1, 1.2) * (time.monotonic() - started))
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        reader = group.online.reader(["v"], group.schema)
        asked = [{"id": k} for k in range(10, 30_000, 50)]
        assert len(set(reader.get_many(asked))) == 1
        group.insert(pd.DataFrame({"id": [1], "v": [0.5]}), statistics=False)
        newest = group.read(filter="id = 20")["v"].item()
        assert reader.get({"id": 20}) == (newest,)
        assert reader.get({"id": 1}) == (0.5,)
