"""What happens to a table over its life: deletions, changes, compaction, crowds and crashes."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features import FeatureStore


def stamp(commit):
    return pd.Timestamp(commit.ingested, unit="us", tz="UTC")


@pytest.fixture
def group(store, at):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    frame = pd.DataFrame(
        {"id": [1, 1, 2], "time": [at("2024-05-01"), at("2024-05-11"), at("2024-05-01")]}
    )
    group.insert(frame.assign(v=[1.0, 2.0, 3.0]))
    return group


def test_deleted_rows_are_gone_now_and_there_before(group):
    before = group.commits()[-1]
    commit = group.delete_rows(pd.DataFrame({"id": [1, 7]}))
    assert (commit.rows, commit.total) == (2, 1)
    assert group.read()["v"].tolist() == [3.0]
    assert group.read(as_of=stamp(before))["v"].tolist() == [1.0, 2.0, 3.0]
    assert group.delete_rows(pd.DataFrame({"id": [1]})) is None
    assert next(c for c in group.statistics() if c.column == "v").count == 1


def test_a_single_row_is_deleted_by_its_time_and_may_come_back(group, at, store):
    key = pd.DataFrame({"id": [1], "time": [at("2024-05-11")]})
    group.delete_rows(key)
    assert group.read()["v"].tolist() == [1.0, 3.0]
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    truth.insert(pd.DataFrame({"id": [1], "time": [at("2024-06-01")], "y": ["a"]}))
    query = truth.select("y").join(group.select("v"))
    assert query.read()["v"].tolist() == [1.0], "the join falls back on the row before"
    commit = group.insert(key.assign(v=9.0))
    assert (commit.new, commit.total) == (1, 3)
    assert query.read()["v"].tolist() == [9.0]


def test_changes_tell_every_version_with_its_kind(group, at):
    first = group.commits()[-1]
    group.insert(pd.DataFrame({"id": [2, 3], "time": at("2024-05-01"), "v": [4.0, 5.0]}))
    group.delete_rows(pd.DataFrame({"id": [3]}))
    later = group.changes(since=first)
    assert later[["id", "_change"]].to_numpy().tolist() == [
        [2, "update"],
        [3, "insert"],
        [3, "delete"],
    ]
    assert len(group.changes()) == 6
    assert len(group.changes(since=stamp(group.commits()[-1]))) == 0


def test_deletions_with_other_columns_are_refused(group, at):
    for says, keys in (
        ("no column 'v' in the keys of g/1", pd.DataFrame({"v": [1.0]})),
        ("no column 'id' in the table of keys", pd.DataFrame({"time": [at("2024-05-01")]})),
        ("the column 'id' has the type string,", pd.DataFrame({"id": ["one"]})),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(says)):
            group.delete_rows(keys)


def test_compaction_keeps_every_version(group, at, config):
    for k in range(6):
        group.insert(
            pd.DataFrame({"id": [1, 10 + k], "time": at("2024-05-01"), "v": [10.0 + k, 0.0]})
        )
    group.delete_rows(pd.DataFrame({"id": [12]}))
    stamps = [stamp(c) for c in group.commits()]
    before = [group.read(as_of=s) for s in stamps]
    last = group.commits()[-1]
    commit = group.optimize()
    assert commit.operation == "optimize"
    assert (commit.total, commit.changed, commit.deleted, commit.ingested) == (
        last.total,
        True,
        True,
        last.ingested,
    )
    assert group.optimize() is None
    assert group.vacuum(hours=0) >= 8
    assert len(list((config.features / "groups/g/1/table").glob("*.parquet"))) == 1
    for s, frame in zip(stamps, before, strict=True):
        pd.testing.assert_frame_equal(group.read(as_of=s), frame)
    assert group.insert(pd.DataFrame({"id": [1], "time": at("2024-05-01"), "v": [0.0]})).new == 0
    assert [c.operation for c in group.commits()][-4:] == ["optimize", "vacuum", "vacuum", "insert"]


WRITER = """
import sys
import numpy as np, pandas as pd
from eolab import config
from eolab.features import FeatureStore

store = FeatureStore(config.open_path(sys.argv[1]))
me, commits = int(sys.argv[2]), int(sys.argv[3])
group = store.get_or_create_feature_group("crowd", primary_key=["id"], event_time="time")
print("ready", flush=True)
sys.stdin.readline()
for k in range(commits):
    ids = np.append(np.arange(5) + 1000 * me + 10 * k, -1)  # all write the row -1
    frame = pd.DataFrame({"id": ids, "time": pd.Timestamp("2024-05-01", tz="UTC")})
    group.insert(frame.assign(writer=me, value=float(k)), statistics=False)
"""


def start(config, me, commits):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(config.root), str(me), str(commits)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("writers", "commits"), [(4, 6), pytest.param(8, 50, marks=pytest.mark.slow)]
)
def test_a_crowd_of_writers_loses_and_doubles_nothing(config, writers, commits):
    """They make the group, choose its columns and write the same row, all at once."""
    crowd = [start(config, me, commits) for me in range(writers)]
    for writer in crowd:
        assert writer.stdout.readline() == "ready\n"
    for writer in crowd:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.wait() for writer in crowd] == [0] * writers
    group = FeatureStore(config).feature_group("crowd")
    history = group.commits()
    assert len(history) == writers * commits
    assert all(a.ingested < b.ingested for a, b in itertools.pairwise(history))
    frame = group.read()
    assert len(frame) == writers * commits * 5 + 1 == history[-1].total
    expected = {
        1000 * m + 10 * k + i for m in range(writers) for k in range(commits) for i in range(5)
    }
    assert set(frame["id"]) == expected | {-1}
    assert sum(c.new for c in history) == len(frame)
    last = group.changes()
    newest = last[last["id"] == -1].iloc[-1]
    assert frame.loc[frame["id"] == -1, "writer"].item() == newest["writer"]


VICTIM = """
import sys
import numpy as np, pandas as pd
from eolab import config
from eolab.features import FeatureStore

group = FeatureStore(config.open_path(sys.argv[1])).feature_group("g")
k = int(sys.argv[2])
print("ready", flush=True)
while True:
    k += 1
    frame = pd.DataFrame({"id": np.arange(40_000), "time": pd.Timestamp("2024-05-01", tz="UTC")})
    group.insert(frame.assign(v=float(k)), statistics=k % 2 == 0)
    print(k, flush=True)
    if k % 3 == 0:
        group.optimize()
"""


def test_a_writer_killed_at_any_moment_leaves_whole_commits(group, config):
    """Each commit sets all 40,000 rows to one value: a mixture would be a torn commit."""
    rng = np.random.default_rng(0)
    group.insert(
        pd.DataFrame(
            {"id": np.arange(40_000), "time": pd.Timestamp("2024-05-01", tz="UTC"), "v": 0.0}
        )
    )
    for attempt in range(4):
        victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, str(config.root), str(attempt * 100)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert victim.stdout.readline() == "ready\n"
        started = time.monotonic()
        assert victim.stdout.readline(), "one insert is done"
        # Somewhere in the next insert or compaction, however slow the machine is.
        time.sleep(rng.uniform(0.1, 1.2) * (time.monotonic() - started))
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        frame = group.read(filter="time = TIMESTAMPTZ '2024-05-01'")
        assert len(frame) == 40_000
        assert frame["v"].min() == frame["v"].max()
        for commit in group.commits()[-3:]:
            if commit.operation == "insert" and commit.version > 0:
                assert commit.rows == 40_000
        assert group.statistics()
    done = group.insert(frame.assign(v=-1.0))
    assert (done.new, group.read(filter="v = -1").shape[0]) == (0, 40_000)
