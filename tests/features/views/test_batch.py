"""What a model is asked about: rows without a label, as of their time, arranged as in training."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from eolab.errors import ConflictError, InvalidInputError
from eolab.features import FeatureStore
from eolab.features.views.batch import LabelledEntities
from eolab.settings.config import Config

DAYS = [pd.Timestamp("2024-03-05", tz="UTC") + pd.Timedelta(days=20 * k) for k in range(12)]
NEWEST = DAYS[-1]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """NDVI of 10 fields: field + number of the date / 100; six have a row for a label."""
    store = FeatureStore(Config(tmp_path_factory.mktemp("batch")))
    ndvi = (np.arange(10)[:, None] + np.arange(12) / 100).ravel()
    rows = {"id": np.repeat(np.arange(10), 12), "time": DAYS * 10, "ndvi": ndvi}
    spectra = store.create_feature_group("f", primary_key="id", event_time="time")
    spectra.insert(pd.DataFrame(rows))
    soil = store.create_feature_group("soil", primary_key="id")
    soil.insert({"id": range(10), "kind": ["clay", "sand"] * 5, "v": np.eye(10, 3)})
    labels = store.create_feature_group("l", primary_key="id", event_time="seen")
    seen = [pd.Timestamp("2024-06-01", tz="UTC")] * 6
    labels.insert({"id": range(6), "seen": seen, "y": ["a", "b", None, "a", "b", " "]})
    return store


def view(store, query, name="v", **options):
    name += str(len(store.feature_views()))
    labels = store.feature_group("l").select("y")
    return store.create_feature_view(name, **{"labels": labels, "query": query, **options})


@pytest.fixture(scope="module")
def ndvi(store):
    return store.feature_group("f").select("ndvi")


@pytest.fixture(scope="module")
def plain(store, ndvi):
    return view(store, ndvi)


def answered(batch):
    return dict(zip(batch.rows["id"], batch.X.ravel().round(2).tolist(), strict=True))


def test_what_has_no_label_is_answered_as_of_its_time(plain):
    found = plain.batch_data()
    # Rows without a label at their own time (the fifth date), things without a row at the newest.
    assert answered(found) == pytest.approx({2: 2.04, 5: 5.04, 6: 6.11, 7: 7.11, 8: 8.11, 9: 9.11})
    assert found.rows["seen"].tolist() == [pd.Timestamp("2024-06-01", tz="UTC")] * 2 + [NEWEST] * 4
    assert found.columns == plain.training_data().columns
    assert found.X.dtype == np.float32
    found = plain.batch_data(end="2024-05-04")
    assert answered(found) == pytest.approx({i: i + 0.03 for i in range(10)})


def test_entities_are_answered_in_their_order_each_once(plain):
    with pytest.warns(LabelledEntities, match="1 of 5 entities have a label"):
        found = plain.batch_data([7, 2, 7, 0, 99])
    assert found.rows["id"].tolist() == [7, 2, 99]
    np.testing.assert_allclose(found.X.ravel(), [7.11, 2.04, np.nan], rtol=1e-6)
    wanted = {"rows": 3, "without_features": 1, "labelled": 1, "repeated": 1}
    assert found.report == wanted
    # Before the window nothing counts: neither values nor labels.
    found = plain.batch_data([7, 0], start="2024-10-01")
    assert answered(found) == pytest.approx({7: 7.11, 0: 0.11})
    assert np.isnan(plain.batch_data([7], start="2024-10-12", end="2024-10-20").X).all()


def test_rows_with_times_are_answered_one_by_one_whatever_their_zone(plain):
    days = pd.to_datetime(["2024-03-26", "2024-03-25", "2020-01-01", "2024-03-26"])
    rows = pd.DataFrame({"id": [0, 0, 7, 0], "seen": days.tz_localize("Asia/Tokyo")})
    found = plain.batch_data(rows)
    # Nine hours before midnight of the 25th in UTC its observation was not there yet.
    np.testing.assert_allclose(found.X.ravel(), [0.01, 0.0, np.nan, 0.01], atol=1e-6)
    assert found.rows["id"].tolist() == [0, 0, 7, 0]
    later = plain.batch_data(rows.rename(columns={"seen": "time"}), as_of="2000-01-01")
    assert np.isnan(later.X).all()


@pytest.mark.parametrize(
    "entities",
    [[7], np.array([7], ">i4"), pd.Series([7]), pa.table({"id": pa.array([7], pa.int32())}),
     pd.DataFrame({"id": [7]})],
)  # fmt: skip
def test_entities_come_in_any_form(plain, entities):
    assert answered(plain.batch_data(entities)) == pytest.approx({7: 7.11})


@pytest.mark.parametrize("entities", [[], pd.DataFrame({"id": []}), np.array([])])
def test_no_entities_are_no_samples(plain, entities):
    assert plain.batch_data(entities).X.shape == (0, 1)


@pytest.mark.parametrize(
    ("entities", "said"),
    [
        (["7"], "is string in the rows and a whole number"),
        ([7.5], "is double"),
        ("7", "one text"),
        ([7, None], "is double|have no 'id'"),
        (pd.DataFrame({"name": [7]}), "no column 'id'"),
        (pd.DataFrame({"id": [7], "seen": pd.to_datetime(["2024-03-25"])}), "no time zone"),
        (pd.DataFrame({"id": [7, 8], "seen": [NEWEST, pd.NaT]}), "missing or no time stamps"),
    ],
)
def test_entities_that_name_nothing_are_refused(plain, entities, said):
    with pytest.raises(InvalidInputError, match=said):
        plain.batch_data(entities)


def test_a_window_that_ends_before_it_begins_is_refused(plain):
    with pytest.raises(InvalidInputError, match="is after"):
        plain.batch_data(start="2024-07-01", end="2024-06-01")


def test_sequences_are_those_of_training(store, ndvi):
    season = view(store, ndvi.sequence("03-01", "04-30", "20D"))
    found = season.batch_data([7, 2])
    assert (found.X.shape, found.steps) == ((2, 4, 1), season.training_data().steps)
    np.testing.assert_allclose(found.X[0, :, 0], [7.0, 7.01, 7.02, np.nan], rtol=1e-6)
    assert season.batch_data([]).X.shape == (0, 4, 1)
    before = view(store, ndvi.sequence(last="60D", every="20D"))
    found = before.batch_data([7, 2], end="2024-06-05")
    np.testing.assert_allclose(
        found.X[:, :, 0], [[7.02, 7.03, 7.04], [2.02, 2.03, 2.04]], rtol=1e-6
    )
    split = season.train_test_split(by="random")
    shorter = view(store, ndvi.sequence("03-01", "04-10", "20D"), labels=None)
    with pytest.raises(InvalidInputError, match=r"shape \(4, 1\), of .* \(3, 1\)"):
        shorter.batch_data([7], split=split)
    # Of labelled rows the same numbers as in training.
    rows = store.feature_group("l").read(["id", "seen"], filter="y IN ('a', 'b')")
    np.testing.assert_array_equal(before.batch_data(rows).X, before.training_data().X)


def test_features_are_transformed_as_the_training_part_was(store, ndvi):
    query = ndvi.join(store.feature_group("soil").select("kind"))
    kinds = {"ndvi": "standard", "kind": "onehot"}
    made = view(store, query, transformations=kinds)
    with pytest.raises(InvalidInputError, match="Pass split="):
        made.batch_data()
    split = made.train_test_split(by="random", test_size=0.3)
    found = made.batch_data([7, 8], split=split)
    fitted = split.source["transformations"]["ndvi"][0]
    expected = (np.array([7.11, 8.11]) - fitted["center"]) / fitted["scale"]
    assert found.columns == split.train.columns == ("ndvi", "kind=clay", "kind=sand")
    np.testing.assert_allclose(found.X, np.column_stack([expected, [0, 1], [1, 0]]), rtol=1e-5)
    dataset = made.create_training_dataset(split)
    np.testing.assert_array_equal(made.batch_data([7, 8], split=dataset).X, found.X)
    unlabelled = view(store, query, transformations=kinds, labels=None)
    np.testing.assert_array_equal(unlabelled.batch_data([7, 8], split=dataset.read()).X, found.X)
    with pytest.raises(InvalidInputError, match="not of"):
        view(store, ndvi).batch_data(split=split)


def test_a_view_without_labels_reads_and_batches_and_trains_nothing(store, ndvi):
    made = view(store, ndvi, labels=None)
    assert store.feature_view(made.name).to_dict()["labels"] == []
    assert "no labels" in repr(made)
    assert len(made.read()) == 120
    assert answered(made.batch_data()) == pytest.approx({i: i + 0.11 for i in range(10)})
    for wrong in (made.training_data, lambda: made.train_test_split(by="random")):
        with pytest.raises(InvalidInputError, match="no training data"):
            wrong()
    with pytest.raises(ConflictError, match="no labels"):
        _ = made.task
    with pytest.raises(InvalidInputError, match="task='regression' of a view without labels"):
        view(store, ndvi, labels=None, task="regression")


def test_arrays_are_batched_and_inner_joins_leave_out(store, ndvi):
    soil = store.feature_group("soil")
    made = view(store, soil.select("v"), labels=None)
    np.testing.assert_array_equal(made.batch_data([2, 0]).X, np.eye(10, 3)[[2, 0]])
    inner = view(
        store, ndvi.join(soil.select("v").filter("id < 8"), join_type="inner"), labels=None
    )
    assert inner.batch_data([9, 7]).rows["id"].tolist() == [7]


def test_labels_of_the_same_group_make_one_sample_a_thing_and_season_as_in_training(tmp_path):
    store = FeatureStore(Config(tmp_path))
    group = store.create_feature_group("own", primary_key="id", event_time="time")
    time = pd.to_datetime(["2024-04-01", "2024-05-01", "2024-06-01", "2025-04-01"], utc=True)
    rows = pd.DataFrame({"id": np.repeat(["a", "b"], 4), "time": [*time, *time]})
    rows["ndvi"] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    rows["crop"] = [None, None, "wheat", None] + [None] * 4
    group.insert(rows)
    season = group.select("ndvi").sequence("04-01", "06-30", "30D", how="last")
    made = store.create_feature_view("own", labels=group.select("crop"), query=season)
    assert len(made.training_data()) == 1
    # Neither the wheat's earlier rows, nor the halves of the other's season.
    found = made.batch_data()
    assert found.rows["id"].tolist() == ["a", "b", "b"]
    assert found.rows["time"].tolist() == [time[3], time[2], time[3]]
    np.testing.assert_allclose(found.X[1, :3, 0], [0.5, 0.6, 0.7], rtol=1e-6)
    with pytest.warns(LabelledEntities, match="1 of 1"):
        assert len(made.batch_data(["a"], end="2024")) == 0
    # Before the label was known the season has none.
    assert made.batch_data(["a"], end="2024-05").rows["time"].tolist() == [time[1]]


@pytest.mark.parametrize(
    ("end", "day"),
    [(end, "2024-06-01") for end in ("2024-06-01", "20240601", "2024/06/01", "2024-6-1",
                                     "June 1, 2024", "2024-06-01T23:59:59")]
    + [(end, "2024-06-30") for end in ("2024-06", "2024-6", "June 2024", "2024Q2")]
    + [("2024", "2024-12-31"), ("9999-12-31", "9999-12-31")],
)  # fmt: skip
def test_a_bare_date_is_the_whole_day_however_it_is_written(plain, end, day):
    last = plain.batch_data([7], end=end).rows["seen"][0]
    assert str(last)[:19] == f"{day} 23:59:59"


def test_text_that_may_be_two_days_is_refused_and_now_is_now_in_every_zone(plain, monkeypatch):
    for odd in ("01/06/2024", "1.6.2024", " 06-01-24"):
        with pytest.raises(InvalidInputError, match="one day where the day comes first, and an"):
            plain.batch_data([7], end=odd)
    for sure in ("06/06/2024", "13/06/2024", "2024-06-01T00:00", "2024-06-01T02:00+02:00"):
        plain.batch_data([7], start=sure)
    same = [plain.batch_data([7], end=end).rows["seen"][0].hour
            for end in ("2024-06-01T00:00", "2024-06-01T02:00+02:00")]  # fmt: skip
    assert same == [0, 0]
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        now = plain.batch_data([7], end="now").rows["seen"][0]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert abs(now - pd.Timestamp.now("UTC")) < pd.Timedelta("1h")


def test_things_without_a_time_see_the_newest_row_of_every_group(store, ndvi):
    weather = store.create_feature_group("rain", primary_key="id", event_time="hour")
    later = [NEWEST, NEWEST + pd.Timedelta(days=9)]
    weather.insert({"id": [7, 7], "hour": later, "mm": [1.0, 2.0]})
    both = view(store, ndvi.join(weather.select("mm")), labels=None)
    np.testing.assert_allclose(both.batch_data([7]).X, [[7.11, 2]], rtol=1e-6)
    np.testing.assert_allclose(both.batch_data([7], end=later[0]).X, [[7.11, 1]], rtol=1e-6)
