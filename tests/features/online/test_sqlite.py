"""The online store gives the offline newest values, whatever happened on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.features import FeatureStore
from eolab.settings.config import Config


def day(number):
    return pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=number)


@pytest.fixture
def group(store):
    group = store.create_feature_group(
        "g", primary_key=["id"], event_time="time", online_enabled=True
    )
    group.insert(
        pd.DataFrame({"id": [1, 1, 2], "time": [day(5), day(1), day(1)], "v": [5.0, 1.0, 2.0]})
    )
    return group


@pytest.fixture
def view(store, group):
    truth = store.create_feature_group("t", primary_key=["id"])
    truth.insert(pd.DataFrame({"id": [1, 2], "y": ["a", "b"]}))
    return store.create_feature_view("v", labels=truth.select("y"), query=group.select_all())


def test_the_newest_row_by_event_time_is_served(view, group):
    assert view.get_feature_vector({"id": 1}) == [5.0]
    group.insert(pd.DataFrame({"id": [1], "time": [day(3)], "v": [3.0]}))
    assert view.get_feature_vector({"id": 1}) == [5.0], "an older observation came late"
    group.insert(pd.DataFrame({"id": [1], "time": [day(5)], "v": [5.5]}))
    assert view.get_feature_vector({"id": np.int64(1)}) == [5.5], "a reprocessed one counts"
    group.delete_rows(pd.DataFrame({"id": [1], "time": [day(5)]}))
    assert view.get_feature_vectors([{"id": 2}, {"id": 1}]) == [[2.0], [3.0]]
    group.delete_rows(pd.DataFrame({"id": [1]}))
    assert np.isnan(view.get_feature_vector({"id": 1})[0])


def test_missing_keys_and_passed_features(view):
    assert np.isnan(view.get_feature_vectors([{"id": 7}])).all()
    with pytest.raises(NotFoundError, match="'id': 7"):
        view.get_feature_vector({"id": 7}, missing="error")
    assert view.get_feature_vector({"id": 7}, passed={"v": 8.0}) == [8.0]
    with pytest.raises(InvalidInputError, match="no feature 'w'"):
        view.get_feature_vector({"id": 1}, passed={"w": 1})
    with pytest.raises(InvalidInputError, match="has no 'id'"):
        view.get_feature_vector({"parcel": 1})


def test_a_view_of_a_sequence_or_of_an_offline_group_says_so(store, group):
    truth = store.create_feature_group("t", primary_key=["id"])
    truth.insert(pd.DataFrame({"id": [1, 2], "y": ["a", "b"], "w": [1.0, 2.0]}))
    query = group.select("v").sequence("2024-01-01", "2024-02-01", every="10D")
    sequence = store.create_feature_view("s", labels=truth.select("y"), query=query)
    with pytest.raises(InvalidInputError, match="sequence"):
        sequence.get_feature_vector({"id": 1})
    plain = store.create_feature_view("p", labels=truth.select("y"), query=truth.select("w"))
    with pytest.raises(ConflictError, match="no online store") as caught:
        plain.get_feature_vector({"id": 1})
    assert "online_enabled" in caught.value.hint
    assert truth.sync_online() == 2
    assert plain.get_feature_vector({"id": 2}) == [2.0]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["x", None]),
        pd.Series([True, False]),
        pd.to_datetime(pd.Series(["2024-01-01T10:00:00.5", None]), utc=True),
        pd.Series([[1.0, 2.0], None]),
        pd.Series([2**40, -1]),
    ],
    ids=["text", "truth", "time", "list", "integer"],
)
def test_values_of_each_type_are_served_as_they_were(store, column):
    from eolab.features.online.sqlite import OnlineReader

    group = store.create_feature_group("g", primary_key=["a", "b"], online_enabled=True)
    group.insert(pd.DataFrame({"a": ["k", "k"], "b": [1, 2], "v": column}))
    reader = OnlineReader(group.online, ["v"], group.schema)
    for (found,), given_ in zip(
        reader.get_many([{"a": "k", "b": 1}, {"a": "k", "b": 2}]), column, strict=True
    ):
        if isinstance(given_, list):
            assert found == given_
        elif pd.isna(given_):
            assert found is None
        else:
            assert found == given_


_rows = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 4)), st.integers(-9, 9), max_size=6
)
_steps = st.lists(st.one_of(_rows, st.sets(st.integers(0, 3), min_size=1)), min_size=1, max_size=5)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=_steps)
def test_online_equals_the_offline_newest_after_any_history(tmp_path_factory, steps):
    """Inserts in any order, reprocessed rows and deletions of things."""
    store = FeatureStore(Config(root=tmp_path_factory.mktemp("store")))
    group = store.create_feature_group(
        "g", primary_key=["id"], event_time="time", online_enabled=True
    )
    group.insert(pd.DataFrame({"id": [9], "time": [day(0)], "v": [0.0]}), statistics=False)
    from eolab.features.online.sqlite import OnlineReader

    for step in steps:
        if isinstance(step, set):
            group.delete_rows(pd.DataFrame({"id": sorted(step)}))
        else:
            frame = pd.DataFrame(
                {"id": [k for k, _ in step], "v": [float(v) for v in step.values()]}
            )
            frame["id"] = frame["id"].astype("int64")
            frame["time"] = pd.to_datetime([day(d) for _, d in step], utc=True)
            group.insert(frame, statistics=False)
        newest = group.read().groupby("id").last()["v"].to_dict()
        reader = OnlineReader(group.online, ["v"], group.schema)
        found = {k: v[0] for k in range(10) if (v := reader.get({"id": k})) is not None}
        assert found == newest


def test_threads_may_read_while_rows_come_in(view, group):
    faults = []

    def read():
        for _ in range(300):
            a, b = (v[0] for v in view.get_feature_vectors([{"id": 1}, {"id": 2}]))
            if a != b and (a, b) != (5.0, 2.0):
                faults.append((a, b))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for k in range(5):
        group.insert(pd.DataFrame({"id": [1, 2], "time": day(9), "v": float(k)}), statistics=False)
    for reader in readers:
        reader.join()
    assert faults == []


VICTIM = """
import sys
import numpy as np, pandas as pd
from eolab import config
from eolab.features import FeatureStore

group = FeatureStore(config.open_path(sys.argv[1])).feature_group("g")
print("ready", flush=True)
k = 0
while True:
    k += 1
    frame = pd.DataFrame({"id": np.arange(30_000), "time": pd.Timestamp("2024-05-01", tz="UTC")})
    group.insert(frame.assign(v=float(k)), statistics=False)
    print(k, flush=True)
"""


def test_a_sync_killed_at_any_moment_is_whole_and_heals_with_the_next_insert(group, config):
    from eolab.features.online.sqlite import OnlineReader

    rng = np.random.default_rng(1)
    for _ in range(3):
        victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, str(config.root)], stdout=subprocess.PIPE, text=True
        )
        assert victim.stdout.readline() == "ready\n"
        started = time.monotonic()
        assert victim.stdout.readline(), "one insert is done"
        # Somewhere in the next insert or its sync, however slow the machine is.
        time.sleep(rng.uniform(0.1, 1.2) * (time.monotonic() - started))
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        reader = OnlineReader(group.online, ["v"], group.schema)
        served = {
            row[0] for row in reader.get_many([{"id": k} for k in range(10, 30_000, 50)]) if row
        }
        assert len(served) <= 1
        group.insert(pd.DataFrame({"id": [1], "time": [day(200)], "v": [0.5]}), statistics=False)
        reader = OnlineReader(group.online, ["v"], group.schema)
        newest = group.read(filter="id = 20")["v"].tolist()
        row = reader.get({"id": 20})
        assert ([] if row is None else [row[0]]) == newest[-1:]
