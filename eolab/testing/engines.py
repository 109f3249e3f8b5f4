"""What every engine promises that inserts and reads features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import pandas as pd
import pytest

from eolab.errors import ConflictError, InvalidInputError
from eolab.features import Commit, FeatureGroup, FeatureStore, FeatureView, Query
from eolab.settings import config as configuration

State: TypeAlias = dict[tuple[int, int], float]
"""(id, day) -> value."""


class FeatureEngine(Protocol):
    """What `QueryContract` asks of an engine: a thin adapter in your test."""

    def insert(self, group: FeatureGroup, rows: pd.DataFrame, **options: object) -> Commit:
        """Insert rows into a group by this engine, with the options of `FeatureGroup.insert`."""

    def read(
        self,
        source: FeatureGroup | Query | FeatureView,
        columns: Sequence[str] | None = None,
        **options: object,
    ) -> pd.DataFrame:
        """What a group, query or view holds by this engine, as a frame ordered by id and time."""


class PublicWays:
    """eolab's own engine, by the public ways of the feature store."""

    def insert(self, group: FeatureGroup, rows: pd.DataFrame, **options: object) -> Commit:
        return group.insert(rows, **options)  # type: ignore[arg-type]

    def read(
        self,
        source: FeatureGroup | Query | FeatureView,
        columns: Sequence[str] | None = None,
        **options: object,
    ) -> pd.DataFrame:
        if columns is not None:
            options["columns"] = columns
        found = pd.DataFrame(source.read(**options))  # type: ignore[arg-type]
        keys = [name for name in ("id", "time") if name in found]
        return found.sort_values(keys).reset_index(drop=True)


DAY = pd.Timedelta("1D")


def day(number: int) -> pd.Timestamp:
    """Midnight in UTC, so many days after the first of January 2024."""
    return pd.Timestamp("2024-01-01", tz="UTC") + number * DAY


def rows_of(state: State) -> pd.DataFrame:
    """A table with a text and a whole number beside the value."""
    return pd.DataFrame(
        {
            "id": pd.Series([k for k, _ in state], dtype="int64"),
            "time": pd.to_datetime([day(d) for _, d in state], utc=True).as_unit("us"),
            "value": pd.Series(list(state.values()), dtype="float64"),
            "note": [f"it's {k} {{}}" for k, _ in state],
            "count": pd.Series([d for _, d in state], dtype="int32"),
        }
    )


def some_history(seed: int, commits: int = 3, size: int = 25) -> list[State]:
    """Commits that bring rows, and bring some of them again with other values."""
    rng = np.random.default_rng(seed)
    out: list[State] = []
    for number in range(commits):
        keys = {(int(rng.integers(6)), int(rng.integers(12))) for _ in range(size)}
        out.append({k: number * 100 + float(rng.integers(50)) for k in sorted(keys)})
    # Known to be missing is known too.
    out[-1][next(iter(out[-1]))] = float("nan")
    return out


def known(commits: Sequence[State]) -> State:
    """What holds after these commits."""
    rows: State = {}
    for commit in commits:
        rows.update(commit)
    return rows


def latest(rows: State, key: int, when: int, *, max_age: int | None = None) -> float:
    """The slow reference of a join as of a time: the newest event not after ``when``."""
    found = max((d for k, d in rows if k == key and d <= when), default=None)
    if found is None or (max_age is not None and when - found > max_age):
        return float("nan")
    return rows[key, found]


def moment(commit: Commit) -> pd.Timestamp:
    """When a commit was made."""
    return pd.Timestamp(commit.ingested, unit="us", tz="UTC")


def with_fault(rows: pd.DataFrame, fault: str) -> pd.DataFrame:
    """The rows with one thing wrong."""
    changes: Mapping[str, pd.DataFrame] = {
        "a key twice": pd.concat([rows, rows.iloc[:1]]),
        "a key missing": rows.assign(id=rows["id"].astype("Int64").where(rows["id"] != 2)),
        "a naive time": rows.assign(time=rows["time"].dt.tz_localize(None)),
        "a column too many": rows.assign(more=1.0),
        "a column too few": rows.drop(columns="note"),
        "another type": rows.assign(note=1.5),
        "an expectation": rows.assign(value=-1.0),
    }
    return changes[fault]


class QueryContract:
    """What every engine promises that inserts and reads features.

    Override `engine` with an adapter of yours.

    What it inserts is read by DuckDB, and what DuckDB inserts by it, commit by commit; each label
    gets what was known at its time; deleted rows are not found; bad rows are refused as a whole
    with a hint; `insert` refuses keys that are there.
    """

    @pytest.fixture
    def engine(self) -> FeatureEngine:
        """The engine under test; override it."""
        raise NotImplementedError("override the fixture `engine`")

    @pytest.fixture
    def store(self, tmp_path: Path) -> FeatureStore:
        """A feature store in a fresh workspace."""
        return FeatureStore(configuration.init(tmp_path))

    @pytest.fixture
    def reference(self) -> FeatureEngine:
        """DuckDB, which every engine agrees with."""
        return PublicWays()

    def test_what_any_engine_inserted_is_read_by_all(
        self, engine: FeatureEngine, reference: FeatureEngine, store: FeatureStore
    ) -> None:
        group = store.create_feature_group("g", primary_key=["id"], event_time="time")
        history = some_history(0, commits=2)
        done = [engine.insert(group, rows_of(commit)) for commit in history]
        for number, commit in enumerate(done):
            state = known(history[: number + 1])
            assert (commit.total, commit.rows) == (len(state), len(history[number]))
            for reader in (engine, reference):
                found = reader.read(group, as_of=moment(commit))
                days = (found["time"] - day(0)).dt.days
                assert list(zip(found["id"], days, strict=True)) == sorted(state)
                np.testing.assert_array_equal(found["value"], [state[k] for k in sorted(state)])
                assert found["note"].tolist() == [f"it's {k} {{}}" for k, _ in sorted(state)]
        assert group.changes().groupby("_change").size().to_dict() == {
            "insert": len(known(history)),
            "update": sum(map(len, history)) - len(known(history)),
        }
        assert {f.name: str(f.type) for f in group.schema}["time"] == "timestamp[us, tz=UTC]"
        statistics = {s.column: s for s in group.statistics()}
        assert statistics["value"].count == len(known(history))

    def test_columns_and_conditions_are_those_of_sql(
        self, engine: FeatureEngine, store: FeatureStore
    ) -> None:
        group = store.create_feature_group("g", primary_key=["id"], event_time="time")
        group.insert(rows_of({(1, 0): 1.0, (1, 1): 2.0, (2, 0): 3.0}))
        found = engine.read(group, ["value", "id"], filter="\"note\" = 'it''s 1 {}' AND value > 1")
        assert found.to_dict("list") == {"value": [2.0], "id": [1]}

    @pytest.mark.parametrize("seed", [1, 2])
    def test_each_label_gets_what_was_known_at_its_time(
        self, engine: FeatureEngine, store: FeatureStore, seed: int
    ) -> None:
        """Three groups: reprocessed with a longest age, without times, and with a condition."""
        rng = np.random.default_rng(seed)
        fast, slow, fixed = (
            store.create_feature_group("fast", primary_key=["id"], event_time="time"),
            store.create_feature_group("slow", primary_key=["id"], event_time="time"),
            store.create_feature_group("fixed", primary_key=["id"]),
        )
        history, others = some_history(seed), some_history(seed + 10, commits=1)
        done = [fast.insert(rows_of(commit)) for commit in history]
        slow.insert(rows_of(others[0]))
        fixed.insert(
            pd.DataFrame({"id": np.arange(4, dtype=np.int32), "height": [4.0, 3.0, 2.0, 1.0]})
        )
        asked = sorted({(int(rng.integers(8)), int(rng.integers(14))) for _ in range(30)})
        truth = store.create_feature_group("truth", primary_key=["id"], event_time="time")
        truth.insert(
            pd.DataFrame(
                {"id": [k for k, _ in asked], "time": [day(d) for _, d in asked], "y": "x"}
            )
        )
        query = (
            fast.select(["value", "count"])
            .join(slow.select(["value"]).filter("value > 10"), prefix="slow_", max_age="3D")
            .join(fixed.select(["height"]))
        )
        view = store.create_feature_view("v", labels=truth.select("y"), query=query)
        found = engine.read(view)
        assert list(found.columns) == [
            "id", "time", "y", "value", "count", "slow_value", "height"
        ]  # fmt: skip
        assert found["id"].tolist() == [k for k, _ in asked]
        rows = known(history)
        np.testing.assert_array_equal(found["value"], [latest(rows, *a) for a in asked])
        kept = {k: v for k, v in others[0].items() if v > 10}
        expected = [latest(kept, *a, max_age=3) for a in asked]
        np.testing.assert_array_equal(found["slow_value"], expected)
        heights = [float(4 - k) if k < 4 else np.nan for k, _ in asked]
        np.testing.assert_array_equal(found["height"], heights)
        # As of a commit: labels that came later are not seen, so the group is asked of itself.
        early = engine.read(fast.select("value"), as_of=moment(done[0]))
        np.testing.assert_array_equal(early["value"], [history[0][k] for k in sorted(history[0])])

    def test_deleted_rows_are_not_found_and_an_inner_join_drops_what_meets_nothing(
        self, engine: FeatureEngine, store: FeatureStore
    ) -> None:
        group = store.create_feature_group("g", primary_key=["id"], event_time="time")
        group.insert(rows_of({(1, 0): 1.0, (1, 3): 2.0, (2, 5): 3.0}))
        group.delete_rows(pd.DataFrame({"id": [1], "time": [day(3)]}))
        truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
        truth.insert(pd.DataFrame({"id": [1, 2, 3], "time": [day(4)] * 3, "y": "x"}))
        assert engine.read(group)["value"].tolist() == [1.0, 3.0]
        left = engine.read(truth.select("y").join(group.select("value")))
        np.testing.assert_array_equal(left["value"], [1.0, np.nan, np.nan])
        inner = engine.read(truth.select("y").join(group.select("value"), join_type="inner"))
        assert inner["id"].tolist() == [1]

    @pytest.mark.parametrize(
        "fault",
        [
            "a key twice", "a key missing", "a naive time", "a column too many", "a column too few",
            "another type", "an expectation",
        ],
    )  # fmt: skip
    def test_bad_rows_are_refused_as_a_whole_with_a_hint(
        self, engine: FeatureEngine, store: FeatureStore, fault: str
    ) -> None:
        group = store.create_feature_group(
            "g", primary_key=["id"], event_time="time", expectations={"positive": "value >= 0"}
        )
        before = group.insert(rows_of({(1, 0): 1.0, (2, 0): 2.0}))
        files = set(group.table.path.glob("*.parquet"))
        with pytest.raises(InvalidInputError, match=r"\S") as caught:
            engine.insert(group, with_fault(rows_of({(1, 1): 1.0, (2, 1): 2.0}), fault))
        assert caught.value.hint
        assert group.commits()[-1].version == before.version
        assert set(group.table.path.glob("*.parquet")) == files

    def test_append_refuses_keys_that_are_there_and_columns_are_added_on_request(
        self, engine: FeatureEngine, store: FeatureStore
    ) -> None:
        group = store.create_feature_group("g", primary_key=["id"], event_time="time")
        engine.insert(group, rows_of({(1, 0): 1.0}), mode="insert")
        with pytest.raises(ConflictError, match=r"\S"):
            engine.insert(group, rows_of({(1, 0): 2.0, (5, 0): 1.0}), mode="insert")
        commit = engine.insert(
            group, rows_of({(2, 0): 2.0}).assign(more=7.0), mode="insert", add_columns=True
        )
        assert commit.total == 2
        found = engine.read(group)
        np.testing.assert_array_equal(found["more"], [np.nan, 7.0])
        np.testing.assert_array_equal(group.read()["more"], [np.nan, 7.0])

    def test_rows_feed_the_online_store_and_heal_after_optimize(
        self, engine: FeatureEngine, store: FeatureStore
    ) -> None:
        group = store.create_feature_group(
            "g", primary_key=["id"], event_time="time", online_enabled=True
        )
        engine.insert(group, rows_of({(1, 0): 1.0, (2, 0): 2.0}))
        engine.insert(group, rows_of({(1, 2): 5.0}))
        group.optimize()
        truth = store.create_feature_group("t", primary_key=["id"])
        truth.insert(pd.DataFrame({"id": [1, 2], "y": ["a", "b"]}))
        view = store.create_feature_view("v", labels=truth.select("y"), query=group.select("value"))
        assert view.get_feature_vectors([{"id": 1}, {"id": 2}]) == [[5.0], [2.0]]
        np.testing.assert_array_equal(engine.read(group)["value"], [1.0, 5.0, 2.0])
