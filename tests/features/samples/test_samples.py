"""What is one sample, what was seen of it, and where its label comes from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eolab.errors import ConflictError, InvalidInputError
from eolab.features import find_label_issues


def test_labels_of_the_same_table_are_one_sample_a_thing_and_season(store):
    """A row is a date; the label stands in each, in two years with two crops."""
    months = pd.date_range("2023-03-15", periods=20, freq="MS", tz="UTC")
    frame = pd.DataFrame({"id": np.repeat([1, 2, 3], 20), "time": list(months) * 3})
    frame["v"] = frame["time"].dt.month + 100.0 * frame["id"]
    frame["crop"] = np.where(frame["time"].dt.year == 2023, "maize", "rape")
    # The last row of a season need not be labelled; one thing never is in its second season.
    frame.loc[frame["time"].dt.month == 10, "crop"] = None
    frame.loc[(frame["id"] == 3) & (frame["time"].dt.year == 2024), "crop"] = None
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(frame)
    query = group.select("v").sequence("03-01", "10-31", every="30D")
    view = store.create_feature_view("v", labels=group.select("crop"), query=query)
    data = view.training_data()
    assert [i.split("|")[0] for i in data.ids] == ["1", "1", "2", "2", "3"]
    names = [data.classes[c] for c in data.y]
    assert names == ["maize", "rape", "maize", "rape", "maize"]
    for k, (thing, first) in enumerate([(1, 4), (1, 3), (2, 4), (2, 3), (3, 4)]):
        seen = data.X[k][~np.isnan(data.X[k])]
        assert seen.tolist() == [100 * thing + m for m in range(first, 11)]
    assert len(view.read()) == 6

    whole = group.select("v").sequence("2023-03-01", "2024-12-31", every="30D")
    both = store.create_feature_view("w", labels=group.select("crop"), query=whole)
    data = both.training_data()
    assert len(data) == 3
    assert [data.classes[c] for c in data.y] == ["rape", "rape", "maize"]


def test_observations_of_a_part_are_those_of_its_samples(store, parcels, spectra):
    query = spectra.select(["ndvi"]).sequence("03-01", "10-31", every="10D", fill="linear")
    view = store.create_feature_view("v", labels=parcels.select("crop"), query=query)
    split = view.train_test_split(by="random", seed=1)
    everything = dict(zip(view.training_data().ids, view.observations(), strict=True))
    found = view.observations(split.train)
    assert len(found) == len(split.train) < 200
    for name, counts in zip(split.train.ids, found, strict=True):
        np.testing.assert_array_equal(counts, everything[name])
    # Filled steps hold a value, and no observation.
    assert ((found == 0) & ~np.isnan(split.train.X[:, :, 0])).any()
    other = store.create_feature_view("o", labels=parcels.select("district"), query=query)
    stranger = replace(split.train, ids=np.array([f"x{i}" for i in split.train.ids]))
    with pytest.raises(InvalidInputError, match="not of o/1"):
        other.observations(stranger)


def test_reports_and_suspects_name_where_labels_come_from(store):
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, 200)
    source = np.where(rng.random(200) < 0.3, "survey", "register")
    # The survey mixes up the classes of ten things.
    given = true.copy()
    wrong = np.flatnonzero(source == "survey")[:10]
    given[wrong] = 1 - given[wrong]
    frame = pd.DataFrame({"id": np.arange(200), "crop": np.array(["a", "b"])[given]})
    frame = frame.assign(source=source, f=true * 5 + rng.normal(size=200))
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(frame)
    options = {"labels": group.select("crop"), "query": group.select("f")}
    view = store.create_feature_view("v", **options, label_source="source")
    report = view.train_validation_test_split(by="random").source["report"]
    assert set(report["sources"]) == {"train", "validation", "test"}
    totals = pd.DataFrame(report["sources"]).sum(axis=1).to_dict()
    assert totals == frame["source"].value_counts().to_dict()
    worst = find_label_issues(view)
    assert worst["source"].tolist() == source[worst["id"].astype(int)].tolist()
    assert set(wrong) <= set(worst["id"].astype(int))
    with pytest.raises(InvalidInputError, match="no column 'sourze' of sources"):
        store.create_feature_view("w", **options, label_source="sourze")
    with pytest.raises(ConflictError, match="differs in its label_source"):
        store.get_or_create_feature_view("v", **options)


def test_a_blank_name_is_no_class(store):
    """As in real registers of land cover: some shapes have the name ''."""
    frame = pd.DataFrame(
        {"id": range(6), "v": 1.0, "cover": ["wood", "", "grass", " ", None, "wood"]}
    )
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(frame)
    view = store.create_feature_view("v", labels=group.select("cover"), query=group.select("v"))
    data = view.training_data()
    assert data.classes == ("grass", "wood")
    assert data.ids.tolist() == ["0", "2", "5"]
    assert view.load().report["without_label"] == 3
    assert view.read()["cover"].tolist()[1] == ""
