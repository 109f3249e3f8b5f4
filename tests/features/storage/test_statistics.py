"""Figures of a group's columns equal pandas', are kept, and are of one commit each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eolab.errors import NotFoundError
from eolab.features.storage.duckdb import connect
from eolab.features.storage.statistics import describe


def rows(at, n=3, **more):
    return pd.DataFrame(
        {"id": np.arange(n), "time": [at("2024-05-01")] * n, "value": np.arange(n) / 2, **more}
    )


@pytest.fixture
def group(store):
    return store.create_feature_group("g", primary_key=["id"], event_time="time")


def test_statistics_equal_pandas(group, at):
    rng = np.random.default_rng(0)
    values = np.where(rng.random(1000) < 0.1, np.nan, rng.normal(5, 2, 1000))
    crops = rng.choice(["a", "b", "c"], 1000, p=[0.5, 0.3, 0.2])
    frame = rows(at, 1000).assign(value=values, crop=crops)
    group.insert(frame)
    found = {c.column: c for c in group.statistics()}
    value = found["value"]
    assert (value.count, value.nulls) == (1000, int(np.isnan(values).sum()))
    assert value.mean == pytest.approx(frame["value"].mean())
    assert value.std == pytest.approx(frame["value"].std())
    assert (value.min, value.max) == (frame["value"].min(), frame["value"].max())
    assert value.quantiles == pytest.approx(
        frame["value"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]), abs=0.1
    )
    counts, edges = np.histogram(values[~np.isnan(values)], 20)
    assert value.histogram.counts == tuple(counts)
    assert value.histogram.edges == pytest.approx(edges)
    assert dict(found["crop"].top) == frame["crop"].value_counts().to_dict()
    assert found["crop"].distinct == 3
    assert found["time"].min == "2024-05-01T00:00:00+00:00"


@pytest.mark.parametrize("cells", [1, 500, 2500], ids=["engine", "one by one", "two at once"])
def test_statistics_are_the_same_however_columns_are_read(group, at, tmp_path, monkeypatch, cells):
    rng = np.random.default_rng(0)
    frame = rows(at, 1000, a=rng.normal(size=1000), b=5.0, c=rng.integers(0, 9, 1000))
    frame.loc[::7, "a"] = np.nan
    group.insert(frame)
    whole = group.statistics()
    monkeypatch.setattr("eolab.features.storage.statistics.CELLS_IN_MEMORY", cells)
    monkeypatch.setattr("eolab.features.storage.statistics.EXACT_ROWS", 10**9)
    with connect(tmp_path) as con:
        group.table.view(con, "seen")
        found = describe(con, "seen", list(group.schema))
    for one, other in zip(found, whole, strict=True):
        # The engine estimates quantiles; the rest is the same to the last digit.
        assert one == replace(other, quantiles=one.quantiles)
        assert (one.quantiles is None) == (other.quantiles is None)
        if one.column == "a":
            assert one.quantiles == pytest.approx(other.quantiles, abs=0.02 * (one.max - one.min))
    by = {c.column: c for c in found}
    assert by["b"].histogram.counts == (1000,)
    assert sum(by["a"].histogram.counts) == frame["a"].notna().sum()
    assert [by[n].distinct for n in ("id", "b", "c")] == [1000, 1, 9]


def test_statistics_are_of_the_newest_versions_only(group, at):
    group.insert(rows(at))
    group.insert(rows(at).assign(value=4.0))
    value = next(c for c in group.statistics() if c.column == "value")
    assert (value.count, value.min, value.max) == (3, 4.0, 4.0)


def test_lost_statistics_are_computed_again(group, at, config):
    group.insert(rows(at))
    before = group.statistics()
    for file in (config.features / "groups/g/1/statistics").iterdir():
        file.write_text("{")
    assert group.statistics() == before


def test_correlations_equal_pandas_and_past_commits_keep_their_statistics(store):
    rng = np.random.default_rng(0)
    a = rng.normal(size=500)
    frame = pd.DataFrame({"id": range(500), "a": a, "b": -a + 0.1, "c": rng.normal(size=500)})
    frame.loc[:9, "b"] = np.nan
    group = store.create_feature_group("g", primary_key=["id"])
    first = group.insert(frame)
    group.insert(frame.assign(a=frame["a"] + 100))
    found = group.correlations()
    assert (found.columns, found.rows) == (("a", "b", "c"), 500)
    np.testing.assert_allclose(found.values, frame[["a", "b", "c"]].corr(), atol=1e-9)
    means = [{s.column: s.mean for s in group.statistics(version)}["a"] for version in (0, 1, None)]
    assert means[0] == pytest.approx(a.mean())
    assert means[1] == means[2] == pytest.approx(a.mean() + 100)
    assert first.version == 0
    with pytest.raises(NotFoundError, match="no commit 7"):
        group.statistics(7)


def test_quantiles_of_many_rows_are_those_of_an_even_sample(store):
    values = np.sort(np.random.default_rng(0).gamma(2, size=300_000))
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(pd.DataFrame({"id": np.arange(len(values)), "v": values}))
    figures = {s.column: s for s in group.statistics()}["v"]
    ranks = np.searchsorted(values, figures.quantiles) / len(values)
    np.testing.assert_allclose(ranks, [0.05, 0.25, 0.5, 0.75, 0.95], atol=0.005)
