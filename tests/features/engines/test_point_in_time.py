"""The point-in-time join against a reference in plain Python and pandas' own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eolab.features import FeatureStore
from eolab.settings.config import Config

DAY = pd.Timedelta("1D")


def day(number):
    return pd.Timestamp("2024-01-01", tz="UTC") + number * DAY


_keys = st.integers(0, 3)
_kinds = st.sampled_from(["int64", "int32", "int8", "text"])
# Of the rows that are inserted: a moment is the same in every zone.
_zones = st.sampled_from(["UTC", "America/Lima", "Asia/Kathmandu", "Europe/Ljubljana"])
_days = st.integers(0, 8)
_value = st.one_of(st.none(), st.integers(-5, 5).map(float))
_commits = st.lists(
    st.dictionaries(st.tuples(_keys, _days), _value, max_size=8), min_size=1, max_size=4
)
_labels = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(-1, 9)), st.just("x"), min_size=1, max_size=8
)


def key_column(keys, kind):
    if kind == "text":
        return pd.Series([f"it's {k} \U0001f33e" for k in keys], dtype="string")
    return pd.Series(list(keys), dtype=kind)


def insert(group, commit, kind="int64", zone="UTC"):
    frame = pd.DataFrame(
        {
            "id": key_column([k for k, _ in commit], kind),
            "time": pd.to_datetime([day(d) for _, d in commit], utc=True).tz_convert(zone),
            "value": pd.Series(list(commit.values()), dtype="float64"),
        }
    )
    return group.insert(frame)


def newest_by_hand(rows, labels, max_age):
    """For each label the value of its key's last day up to its own, by plain Python."""
    out = []
    for key, when in sorted(labels):
        candidates = [(d, v) for (k, d), v in rows.items() if k == key and d <= when]
        best = max(candidates, default=None, key=lambda c: c[0])
        fresh = best is not None and (max_age is None or when - best[0] <= max_age)
        out.append(best[1] if fresh and best[1] is not None else np.nan)
    return out


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    commits=_commits,
    labels=_labels,
    known=st.integers(0, 3),
    max_age=st.sampled_from([None, 2]),
    kind=_kinds,
    zones=st.tuples(_zones, _zones),
    many=st.sampled_from([0, 20]),
    gone=st.sets(_keys),
)
def test_the_join_equals_a_slow_reference_and_merge_asof(
    tmp_path_factory, commits, labels, known, max_age, kind, zones, many, gone
):
    """Commits in any order, some of them reprocessing rows, seen as of any commit.

    Some commits bring nothing; keys are numbers or texts; times are told in zones of their own;
    keys that no label has are left out before the search or not; in the end some are deleted.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eolab.features.engines.point_in_time.PREFILTER_RATIO", many)
        _check_join(tmp_path_factory, commits, labels, known, max_age, kind, zones, gone)


def _check_join(tmp_path_factory, commits, labels, known, max_age, kind, zones, gone):
    store = FeatureStore(Config(root=tmp_path_factory.mktemp("store")))
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    times = pd.DatetimeIndex([day(d) for _, d in labels]).tz_convert(zones[0])
    truth.insert(
        pd.DataFrame({"id": key_column([k for k, _ in labels], kind), "time": times, "y": "x"})
    )
    done = [insert(group, c, kind, zones[i % 2]) for i, c in enumerate(commits)]
    upto = min(known, len(done) - 1)
    query = truth.select("y").join(
        group.select(["value"]), max_age=None if max_age is None else f"{max_age}D"
    )
    found = query.read(as_of=pd.Timestamp(done[upto].ingested, unit="us", tz="UTC"))

    rows = {}
    for commit in commits[: upto + 1]:
        rows.update(commit)
    slow = newest_by_hand(rows, labels, max_age)
    np.testing.assert_array_equal(found["value"].to_numpy(dtype=float), slow)
    if gone and any(commits):
        group.delete_rows(pd.DataFrame({"id": key_column(sorted(gone), kind)}))
        left = {k: v for commit in commits for k, v in commit.items() if k[0] not in gone}
        slow = newest_by_hand(left, labels, max_age)
        np.testing.assert_array_equal(query.read()["value"].to_numpy(dtype=float), slow)
        # A condition decides what is newest, too.
        some = {k: v for k, v in left.items() if v is not None and v > 0}
        query = truth.select("y").join(
            group.select(["value"]).filter("value > 0"), max_age=query.joins[0].max_age
        )
        slow = newest_by_hand(some, labels, max_age)
        np.testing.assert_array_equal(query.read()["value"].to_numpy(dtype=float), slow)

    if rows:
        right = pd.DataFrame(
            {
                "id": key_column([k for k, _ in rows], kind),
                "time": pd.to_datetime([day(d) for _, d in rows], utc=True).as_unit("us"),
                "value": pd.Series(list(rows.values()), dtype="float64"),
            }
        ).sort_values("time")
        right["id"] = right["id"].astype(found["id"].dtype)
        left = found[["id", "time"]].sort_values("time")
        left["time"] = left["time"].dt.as_unit("us")
        oracle = pd.merge_asof(
            left, right, on="time", by="id", tolerance=None if max_age is None else max_age * DAY
        ).sort_values(["id", "time"])
        np.testing.assert_array_equal(found["value"].to_numpy(dtype=float), oracle["value"])


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(commits=_commits)
def test_reading_as_of_a_commit_equals_replaying_the_commits(tmp_path_factory, commits):
    store = FeatureStore(Config(root=tmp_path_factory.mktemp("store")))
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    rows = {}
    expected = []
    for commit in commits:
        done = insert(group, commit)
        rows.update(commit)
        expected.append((done, dict(rows)))
    for done, state in expected:
        found = group.read(as_of=pd.Timestamp(done.ingested, unit="us", tz="UTC"))
        assert done.total == len(state) == len(found)
        for row in found.itertuples():
            value = state[row.id, (row.time - day(0)).days]
            assert row.value == value or (value is None and np.isnan(row.value))
