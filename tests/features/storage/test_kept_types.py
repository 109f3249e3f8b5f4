"""What a column means stays as it was, or the insert is refused and names the column."""

from __future__ import annotations

import datetime as dt
import uuid
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features.online.sqlite import decimal_text

T = pd.to_datetime(["2024-05-01", "2024-05-02"], utc=True)
TWO_EAST = dt.timezone(dt.timedelta(hours=2))
NOON = dt.datetime(2024, 5, 1, 12, tzinfo=TWO_EAST)
REFUSED = {
    "uuid": [uuid.UUID(int=1), uuid.UUID(int=2)],
    "uuids in lists": [[uuid.UUID(int=1)], [uuid.UUID(int=2)]],
    "period": pd.PeriodIndex(["2024-01", "2024-02"], freq="M"),
    "interval": pd.IntervalIndex.from_breaks([0, 1, 2]),
    "categories of intervals": pd.cut([0.5, 1.5], [0, 1, 2]),
    "naive among aware": [NOON, dt.datetime(2024, 5, 1, 12)],  # noqa: DTZ001
    "naive in lists": [[dt.datetime(2024, 5, 1)], [dt.datetime(2024, 5, 2)]],  # noqa: DTZ001
    "date among stamps": [dt.date(2024, 1, 1), NOON],
    "text among bytes": [b"a", "b"],
    "truth among numbers": [1.5, True],
    "times of day": [dt.time(1), dt.time(2)],
    "durations": pd.to_timedelta([1, 2], unit="D"),
    "complex": [1 + 2j, 2j],
    "above 64 bits": [2**70, 1],
    "unsigned above 63 bits": np.array([2**63 + 1, 1], dtype="uint64"),
}


@pytest.fixture
def group(store):
    return store.create_feature_group("g", primary_key="id", event_time="time")


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_change_its_meaning_is_refused_by_name(group, kind):
    with pytest.raises(InvalidInputError, match="'odd'"):
        group.insert(pd.DataFrame({"id": [1, 2], "time": T, "odd": REFUSED[kind]}))
    assert group.commits() == []


def test_stamps_of_several_zones_stay_the_same_instants(group):
    group.insert(pd.DataFrame({"id": [1, 2], "time": T, "seen": [NOON, NOON.astimezone(dt.UTC)]}))
    assert group.read()["seen"].tolist() == [pd.Timestamp("2024-05-01T10:00Z")] * 2


@pytest.mark.parametrize(
    ("first", "nothing"),
    [
        (["a", "b"], [np.nan, np.nan]),
        (["a", "b"], pd.Categorical([None, None])),
        (["a", "b"], [pd.NaT, pd.NaT]),
        (pd.Categorical(["a", "b"]), [None, None]),
        ([True, False], [np.nan, np.nan]),
        (T, pd.Series([pd.NaT] * 2)),
        (T, [np.nan, np.nan]),
        ([1, 2], pd.array([None, None], dtype="string")),
        ([1.5, 2.5], [None, None]),
        ([Decimal("1.5"), Decimal("2.5")], [np.nan, np.nan]),
        ([dt.date(2024, 1, 1)] * 2, pd.Series([pd.NaT] * 2)),
        ([[1.0], [2.0]], [np.nan, np.nan]),
        ([b"a", b"b"], [np.nan, np.nan]),
    ],
)
def test_a_column_without_any_value_is_one_of_nulls(group, first, nothing):
    group.insert(pd.DataFrame({"id": [1, 2], "time": T, "c": first}))
    group.insert(pd.DataFrame({"id": [3, 4], "time": T, "c": nothing}))
    assert group.read()["c"].isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    "later", [["12.50", "100.25"], ["0.25", "0.5"], ["1.125", "2.5"], ["1", "2"], ["-1e6", "1e-9"]]
)
def test_decimals_of_another_width_are_exact(group, later):
    values = [Decimal("1.25"), Decimal("2.50")]
    group.insert(pd.DataFrame({"id": [1, 2], "time": T, "price": values}))
    more = [Decimal(text) for text in later]
    group.insert(pd.DataFrame({"id": [3, 4], "time": T, "price": more}))
    assert group.read()["price"].tolist() == [*values, *more]


def test_whole_numbers_become_decimals_and_what_does_not_fit_is_refused(group):
    import pyarrow as pa

    declared = pa.array([Decimal("1.25"), Decimal("2.50")], pa.decimal128(5, 2))
    group.insert(pa.table({"id": [1, 2], "time": pa.array(T), "price": declared}))
    group.insert(pd.DataFrame({"id": [3, 4], "time": T, "price": [3, 4]}))
    assert group.schema.field("price").type == pa.decimal128(5, 2)
    for price in (Decimal("1.125"), Decimal("12345.6"), 1.5):
        with pytest.raises(InvalidInputError, match="'price' has the type"):
            group.insert(pd.DataFrame({"id": [5], "time": T[:1], "price": [price]}))
    assert group.read()["price"].tolist() == [Decimal(v) for v in ("1.25", "2.50", "3", "4")]


def test_a_decimal_key_is_found_online_however_it_is_written(store):
    keys = [Decimal("1.10"), Decimal("0.1"), Decimal("0.100000000000000006")]
    group = store.create_feature_group("k", primary_key="k", event_time="time", online_enabled=True)
    truth = store.create_feature_group("t", primary_key="k", event_time="time")
    rows = pd.DataFrame({"k": keys, "time": T[[0, 1, 1]], "x": [1.0, 2.0, 3.0]})
    group.insert(rows)
    truth.insert(rows[["k", "time"]].assign(y="a"))
    view = store.create_feature_view("v", labels=truth.select("y"), query=group.select("x"))
    assert view.read()["x"].tolist() == [2.0, 3.0, 1.0]
    for key in (Decimal("1.1"), Decimal("1.100"), 1.1, np.float64(1.1)):
        assert view.get_feature_vector({"k": key}) == [1.0]
    # As floating-point numbers these two are one.
    found = view.get_feature_vectors([{"k": keys[2]}, {"k": keys[1]}])
    assert found == [[3.0], [2.0]]
    with pytest.raises(InvalidInputError, match="is no number"):
        view.get_feature_vector({"k": "one"})
    group.delete_rows(pd.DataFrame({"k": keys[1:2]}))
    assert np.isnan(view.get_feature_vector({"k": keys[1]}, missing="nan")).all()


def test_keys_of_decimals_join_whatever_their_width(store):
    import pyarrow as pa

    narrow = pa.array([Decimal("1.5")], pa.decimal128(4, 1))
    group = store.create_feature_group("g", primary_key="k", event_time="time")
    group.insert(pa.table({"k": narrow, "time": pa.array(T[:1]), "x": [7.0]}))
    truth = store.create_feature_group("t", primary_key="k", event_time="time")
    truth.insert(pd.DataFrame({"k": [Decimal("1.50")], "time": T[1:], "y": ["a"]}))
    view = store.create_feature_view("v", labels=truth.select("y"), query=group.select("x"))
    assert view.read()["x"].tolist() == [7.0]


@pytest.mark.parametrize("text", ["0", "-0", "0.00", "1E+3", "-1.50", "1e-18"])
def test_one_number_has_one_text(text):
    assert Decimal(decimal_text(Decimal(text))) == Decimal(text)
    assert decimal_text(Decimal(text)) == decimal_text(Decimal(text) + Decimal("0.000"))


@pytest.mark.parametrize("keys", ["id", "time", ["id", "time"], ["time", "id"]])
def test_an_index_that_is_a_column_too_counts_once(group, keys):
    frame = pd.DataFrame({"id": [1, 2], "time": T, "x": [1.0, 2.0]})
    group.insert(frame.set_index(keys, drop=False))
    assert group.read()["x"].tolist() == [1.0, 2.0]
    assert sorted(group.columns) == ["id", "time", "x"]


def test_an_index_that_differs_from_the_column_of_its_name_is_refused(group):
    frame = pd.DataFrame({"id": [1, 2], "time": T, "x": [1.0, 2.0]})
    frame.index = pd.Index([5, 6], name="id")
    with pytest.raises(InvalidInputError, match=r"index and a column are both called 'id'"):
        group.insert(frame)


def test_only_one_level_of_the_index_is_a_column(group):
    frame = pd.DataFrame({"id": [1, 2], "time": T, "x": [1.0, 2.0]})
    frame = frame.set_index("time").set_index("id", append=True, drop=False)
    group.insert(frame)
    assert group.read()["time"].tolist() == list(T)


def test_whole_numbers_beyond_float64_stay_whole_among_missing_ones(store):
    large = 2**60 + 1
    rows = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "large": pd.array([large, None, -large], dtype="Int64"),
            "small": pd.array([7, None, 9], dtype="Int64"),
        }
    )
    group = store.create_feature_group("large", primary_key="id")
    group.insert(rows)
    labels = store.create_feature_group("labelled", primary_key="id")
    labels.insert(pd.DataFrame({"id": [1, 2, 3], "y": [0.1, 0.2, 0.3]}))
    view = store.create_feature_view(
        "v", labels=labels.select("y"), query=group.select(["large", "small"])
    )
    for frame in (group.read(), group.select(["large", "small"]).read(), view.read()):
        found = frame.sort_values("id")
        assert found["large"].tolist() == [large, pd.NA, -large]
        # What float64 holds exactly stays as pandas reads it.
        assert found["small"].dtype == "float64"


@pytest.mark.parametrize("large", [2**53 + 1, -(2**53) - 1, 2**62 + 1])
def test_large_whole_numbers_in_lists_are_not_rounded_by_what_stands_beside_them(store, large):
    group = store.create_feature_group("lists", primary_key="id")
    group.insert({"id": range(3), "v": [large, None, 3], "w": (large, float("nan"), 3)})
    found = group.read()
    assert found["v"].tolist() == found["w"].tolist() == [large, pd.NA, 3]
    mixed = store.create_feature_group("mixed", primary_key="id")
    for odd in ([large, 0.5], [np.array([large, 1]), np.array([0.5, 1])]):
        with pytest.raises(InvalidInputError, match="'v' hold"):
            mixed.insert({"id": range(2), "v": odd})
    fits = store.create_feature_group("fits", primary_key="id")
    fits.insert({"id": range(2), "v": [np.array([2**53, -(2**53)]), np.array([0.5, 1])]})
    assert fits.read()["v"][0].tolist() == [2.0**53, -(2.0**53)]


def test_nanoseconds_that_are_cut_are_told(store):
    from eolab.features.storage.arrow import NanosecondsCut

    fine = pd.DataFrame({"id": [1], "time": pd.to_datetime(["2024-05-01T00:00:00.123456789Z"])})
    group = store.create_feature_group("fine", primary_key="id", event_time="time")
    with pytest.warns(NanosecondsCut, match="'time' have nanoseconds, which are cut off"):
        group.insert(fine.assign(x=1.0))
    assert group.read()["time"][0] == pd.Timestamp("2024-05-01T00:00:00.123456Z")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group.insert(fine.assign(id=2, x=1.0, time=fine["time"].dt.floor("us")))


@pytest.mark.parametrize("shape", [(), (2,), (2, 2)])
@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("float64", 2**53 + 1, "9007199254740993 would become double"),
        ("float32", 2**24 + 1, "16777217 would become float"),
        ("float32", 1e300, r"1e\+300 would become float"),
    ],
)
def test_decimals_round_no_whole_number_and_hold_what_they_are_given(
    store, shape, kind, value, said
):
    group = store.create_feature_group("decimals", primary_key="id")

    def rows(ids, value, kind):
        return {"id": ids, "v": np.full((len(ids), *shape), value, kind)}

    group.insert(rows(["a", "b"], 1.5, kind))
    group.insert({"id": ["b"], "v": [None]} if shape else rows(["b"], np.inf, "float64"))
    with pytest.raises(InvalidInputError, match=said):
        group.insert(rows(["c", "d"], value, type(value)))
    group.insert(rows(["c"], 0.1, "float64"))  # whose digits may go
    group.insert(rows(["d"], 2**24, int))
    assert group.read()["id"].tolist() == ["a", "b", "c", "d"]
    assert (group.read()["v"].iloc[3] == np.full(shape, 2.0**24)).all()
