"""Training data know what was known at the label's time, nothing later, and lose no label."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from eolab.errors import ConflictError, InvalidInputError
from eolab.features import FeatureStore
from eolab.records.lineage import Ref, upstream

DAY = pd.Timedelta("1D")


def day(number):
    return pd.Timestamp("2024-01-01", tz="UTC") + number * DAY


def test_no_label_is_lost_and_nothing_later_is_seen(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(pd.DataFrame({"id": [1, 1], "time": [day(1), day(5)], "v": [1.0, 5.0]}))
    truth = store.create_feature_group("t", primary_key=["id"], event_time="seen")
    truth.insert(
        pd.DataFrame(
            {"id": [1, 1, 1, 2], "seen": [day(0), day(1), day(4), day(9)], "y": list("abab")}
        )
    )
    view = store.create_feature_view("v", labels=truth.select("y"), query=group.select_all())
    assert view.read()["v"].fillna(-1).tolist() == [-1, 1, 1, -1]
    data = view.training_data()
    assert data.X.ravel().tolist() == [1.0, 1.0]
    assert data.ids.tolist() == ["1|2024-01-02 00:00:00+00:00", "1|2024-01-05 00:00:00+00:00"]


def test_columns_of_several_groups_are_joined_each_as_of_the_label(store):
    fast = store.create_feature_group("fast", primary_key=["id"], event_time="time")
    fast.insert(
        pd.DataFrame({"id": [1, 1, 2], "time": [day(1), day(3), day(2)], "v": [1.0, 3.0, 2.0]})
    )
    slow = store.create_feature_group("slow", primary_key=["id"], event_time="time")
    slow.insert(pd.DataFrame({"id": [1, 2], "time": [day(2), day(3)], "v": [10.0, 20.0]}))
    fixed = store.create_feature_group("fixed", primary_key=["id"])
    fixed.insert(pd.DataFrame({"id": [1], "w": [7]}))
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    truth.insert(pd.DataFrame({"id": [1, 2], "time": [day(2), day(2)], "y": ["a", "b"]}))
    query = fast.select(["v"]).join(slow.select(["v"]), prefix="slow_").join(fixed.select_all())
    view = store.create_feature_view("v", labels=truth.select("y"), query=query)
    data = view.training_data()
    assert data.columns == ("v", "slow_v", "w")
    np.testing.assert_array_equal(data.X, [[1, 10, 7], [2, np.nan, np.nan]])
    assert data.classes == ("a", "b")
    with pytest.raises(InvalidInputError, match="two joined columns"):
        fast.select(["v"]).join(slow.select(["v"]))


def test_an_inner_join_drops_rows_without_a_match(store):
    a = store.create_feature_group("a", primary_key=["id"])
    a.insert(pd.DataFrame({"id": [1, 2], "v": [1.0, 2.0]}))
    b = store.create_feature_group("b", primary_key=["id"])
    b.insert(pd.DataFrame({"id": [2], "w": [5.0]}))
    assert a.select("v").join(b.select("w"), join_type="inner").read()["id"].tolist() == [2]
    assert a.select("v").join(b.select("w")).read()["id"].tolist() == [1, 2]


def test_a_condition_is_seen_before_the_newest_is_chosen(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(
        pd.DataFrame({"id": [1, 1], "time": [day(1), day(2)], "v": [1.0, 2.0], "clear": [0.9, 0.1]})
    )
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    truth.insert(pd.DataFrame({"id": [1], "time": [day(3)], "y": ["a"]}))
    query = group.select("v").filter("clear > 0.5")
    assert truth.select("y").join(query).read()["v"].tolist() == [1.0]
    with pytest.raises(InvalidInputError, match="condition"):
        truth.select("y").join(group.select("v").filter("claer > 0.5")).read()


def test_a_sequence_is_an_array_of_steps_with_later_joins_repeated(store, parcels, spectra):
    season = store.create_feature_group("season", primary_key=["parcel_id"], event_time="end")
    season.insert(
        pd.DataFrame({"parcel_id": np.arange(200), "end": day(200), "slope": np.arange(200.0)})
    )
    query = (
        spectra.select(["ndvi"]).sequence("03-01", "10-31", every="10D").join(season.select_all())
    )
    view = store.create_feature_view("v", labels=parcels.select("crop"), query=query)
    data = view.training_data()
    assert data.X.shape == (200, 25, 2)
    assert data.X.dtype == np.float32
    assert data.steps[:3] == ("03-01", "03-11", "03-21")
    # Every other step holds one observation: parcel + number / 100.
    np.testing.assert_allclose(data.X[7, ::2, 0][:12], 7 + np.arange(12) / 100, rtol=1e-6)
    assert np.isnan(data.X[:, 1::2, 0]).all()
    assert (data.X[:, :, 1] == np.arange(200)[:, None]).all()


def test_a_sequence_sees_nothing_after_the_label(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    days = np.arange(0, 60, 5)
    group.insert(
        pd.DataFrame({"id": 1, "time": [day(int(d)) for d in days], "v": days.astype(float)})
    )
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    truth.insert(pd.DataFrame({"id": [1, 2], "time": [day(22), day(22)], "y": ["a", "b"]}))
    for fill, expected in [
        (None, [2.5, 12.5, 20, np.nan, np.nan, np.nan]),
        ("previous", [2.5, 12.5, 20, np.nan, np.nan, np.nan]),
    ]:
        query = group.select("v").sequence("2024-01-01", "2024-02-29", every="10D", fill=fill)
        view = store.create_feature_view(f"v{fill}", labels=truth.select("y"), query=query)
        np.testing.assert_array_equal(view.training_data().X[0, :, 0], expected)


def test_gaps_are_filled_as_pandas_does(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    rng = np.random.default_rng(3)
    keep = rng.random((20, 12)) < 0.5
    keep[:, 0] = True
    i, d = np.nonzero(keep)
    group.insert(
        pd.DataFrame({"id": i, "time": [day(int(x)) for x in d], "v": rng.normal(size=len(i))})
    )
    truth = store.create_feature_group("t", primary_key=["id"])
    truth.insert(pd.DataFrame({"id": np.arange(20), "y": ["a", "b"] * 10}))

    def arrays(fill, gap):
        query = group.select("v").sequence(
            "2024-01-01", "2024-01-12", every="1D", fill=fill, max_gap=gap
        )
        name = f"v-{fill}-{gap}"
        view = store.create_feature_view(name, labels=truth.select("y"), query=query)
        return view.training_data().X[:, :, 0]

    bare = pd.DataFrame(arrays(None, None).T)
    np.testing.assert_allclose(arrays("previous", None), bare.ffill().T, rtol=1e-6)
    inside = bare.interpolate(limit_area="inside").T
    np.testing.assert_allclose(arrays("linear", None), inside, rtol=1e-5)
    short = arrays("linear", "1D")
    runs = bare.isna().T.to_numpy()
    lone = runs & ~np.roll(runs, 1, axis=1) & ~np.roll(runs, -1, axis=1)
    assert np.isnan(short)[runs & ~lone].all()


def test_a_season_may_cross_new_year_and_goes_by_the_labels_year(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    when = [
        pd.Timestamp(t, tz="UTC") for t in ("2022-11-01", "2023-06-01", "2023-11-01", "2024-06-01")
    ]
    group.insert(pd.DataFrame({"id": 1, "time": when, "v": [1.0, 2.0, 3.0, 4.0]}))
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    labels = [pd.Timestamp(t, tz="UTC") for t in ("2023-08-01", "2024-08-01")]
    truth.insert(pd.DataFrame({"id": 1, "time": labels, "y": ["a", "b"]}))
    query = group.select("v").sequence("10-01", "07-31", every="10D")
    X = store.create_feature_view("v", labels=truth.select("y"), query=query).training_data().X
    assert [sorted(x[~np.isnan(x)]) for x in X] == [[1.0, 2.0], [3.0, 4.0]]


def test_labels_without_a_time_take_the_one_season_that_was_seen(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(pd.DataFrame({"id": 1, "time": [day(70), day(100)], "v": [1.0, 2.0]}))
    truth = store.create_feature_group("t", primary_key=["id"])
    truth.insert(pd.DataFrame({"id": [1], "y": ["a"]}))
    query = group.select("v").sequence("03-01", "10-31", every="30D")
    view = store.create_feature_view("v", labels=truth.select("y"), query=query)
    X = view.training_data().X
    assert X[~np.isnan(X)].tolist() == [1.0, 2.0]
    group.insert(pd.DataFrame({"id": [1], "time": [day(500)], "v": [3.0]}))
    with pytest.raises(InvalidInputError, match="several seasons"):
        view.training_data()


def test_labels_may_say_for_which_span_they_hold(store):
    """A field visited in June grew its crop from March to August."""
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    months = pd.date_range("2024-01-15", periods=12, freq="MS", tz="UTC")
    group.insert(pd.DataFrame({"id": 1, "time": months, "v": months.month.astype(float)}))
    truth = store.create_feature_group("t", primary_key=["id"], event_time="visited")
    stamps = {
        k: [pd.Timestamp(v, tz="UTC")]
        for k, v in {
            "visited": "2024-06-10",
            "valid_from": "2024-03-01",
            "valid_to": "2024-08-31",
        }.items()
    }
    truth.insert(pd.DataFrame({"id": [1], "y": ["a"], **stamps}))
    query = group.select("v").sequence("2024-01-01", "2024-12-31", every="30D")
    view = store.create_feature_view("v", labels=truth.select("y"), query=query)
    X = view.training_data().X
    assert X[~np.isnan(X)].tolist() == [3, 4, 5, 6, 7, 8]
    counts = view.observations()
    assert counts.shape == X.shape[:2]
    assert ((counts > 0) == ~np.isnan(X[:, :, 0])).all()
    assert counts.sum() == 6


def test_training_data_can_be_had_as_known_before(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    truth = store.create_feature_group("t", primary_key=["id"])
    truth.insert(pd.DataFrame({"id": [1, 2], "y": ["a", "b"]}))
    first = group.insert(pd.DataFrame({"id": [1, 2], "time": day(1), "v": [1.0, 2.0]}))
    view = store.create_feature_view("v", labels=truth.select("y"), query=group.select_all())
    before = view.training_data()
    group.insert(pd.DataFrame({"id": [1], "time": day(1), "v": [9.0]}))
    assert view.training_data().X.ravel().tolist() == [9.0, 2.0]
    then = view.training_data(as_of=pd.Timestamp(first.ingested, unit="us", tz="UTC"))
    assert then.digest() == before.digest()


def test_a_label_of_decimals_is_a_regression(store):
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(pd.DataFrame({"id": [1, 2, 3], "v": [1.0, 2.0, 3.0], "yield": [5.5, None, 7.5]}))
    view = store.create_feature_view("v", labels=group.select("yield"), query=group.select("v"))
    data = view.training_data()
    assert data.classes == ()
    assert data.y.tolist() == [5.5, 7.5]


def test_faulty_views_are_refused(store, parcels, spectra):
    fixed = store.create_feature_group("fixed", primary_key=["field_id"])
    fixed.insert(pd.DataFrame({"field_id": [1], "w": [1.0], "soil": ["clay"]}))
    as_text = store.create_feature_group("text", primary_key=["parcel_id"])
    as_text.insert(pd.DataFrame({"parcel_id": ["1"], "u": [1.0]}))
    crop = parcels.select("crop")
    for labels, query, says in [
        (crop, fixed.select("w"), "field_id"),
        (crop, as_text.select("u"), "whole number"),
        (crop, parcels.select("crop"), "among the features"),
        (crop, parcels.select("district"), "is no number"),
        (parcels.select(["crop", "district"]), spectra.select_all(), "2 columns"),
    ]:
        with pytest.raises(InvalidInputError, match=says) as caught:
            store.create_feature_view("bad", labels=labels, query=query)
        assert caught.value.hint
    assert store.feature_views() == []
    for says, faulty in (
        ("no column 'ndwi' in spectra/1", lambda: spectra.select("ndwi")),
        (
            "start '03-01' and end '2024-10-31' are",
            lambda: spectra.select("ndvi").sequence("03-01", "2024-10-31"),
        ),
        (
            "the sequence ends (2024-03-01) before",
            lambda: spectra.select("ndvi").sequence("2024-10-31", "2024-03-01"),
        ),
        (
            "every='1M' is not a length of time",
            lambda: spectra.select("ndvi").sequence("03-01", "10-31", every="1M"),
        ),
        (
            "the group 'fixed' has no event time, so",
            lambda: fixed.select("w").sequence("03-01", "10-31"),
        ),
        (
            "not a date: Unknown datetime string",
            lambda: spectra.select("ndvi").sequence("soon", "later"),
        ),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(says)):
            faulty()


def test_views_are_found_again_and_remember_their_commits(store, config, parcels, spectra):
    query = spectra.select(["ndvi"]).sequence(
        "03-01", "10-31", every="10D", fill="linear", max_gap="30D"
    )
    view = store.create_feature_view("crops", labels=parcels.select("crop"), query=query)
    again = FeatureStore(config).feature_view("crops")
    assert (again.labels.to_dict(), again.query.to_dict()) == (
        view.labels.to_dict(),
        view.query.to_dict(),
    )
    assert again.training_data().digest() == view.training_data().digest()
    assert set(upstream(config.root, Ref("view", "crops/1"))) == {
        Ref("commit", "truth/1@0"),
        Ref("commit", "spectra/1@0"),
    }
    same = store.get_or_create_feature_view("crops", labels=parcels.select("crop"), query=query)
    assert same.label == "crops/1"
    with pytest.raises(ConflictError, match="differs in its query"):
        store.get_or_create_feature_view(
            "crops", labels=parcels.select("crop"), query=spectra.select_all()
        )
