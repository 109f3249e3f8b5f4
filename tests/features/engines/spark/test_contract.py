"""Every engine passes one contract: DuckDB, classic Spark and Spark Connect, on the same tables."""

from __future__ import annotations

import pandas as pd
import pytest

from eolab.errors import EolabError, InvalidInputError
from eolab.testing import QueryContract
from eolab.testing.engines import day, rows_of
from tests.features.engines.test_odd_names import GROUPS, KEYS, tables

pytestmark = pytest.mark.timeout(600)


class TestEngines(QueryContract):
    @pytest.fixture(params=["duckdb", "classic", "connect"])
    def engine(self, request):
        return request.getfixturevalue(request.param)


def test_what_spark_cannot_do_is_said_with_a_way_out(classic, store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    with pytest.raises(EolabError, match=r"\S"):
        group.to_spark(classic.spark)
    group.insert(rows_of({(1, 0): 1.0}))
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    truth.insert(pd.DataFrame({"id": [1], "time": [day(4)], "y": "x"}))
    query = group.select("value").sequence("01-01", "02-01")
    view = store.create_feature_view("v", labels=truth.select("y"), query=query)
    with pytest.raises(InvalidInputError, match="sequence"):
        view.to_spark(classic.spark)


# Both plan the same SQL: one of them is enough for every day.
@pytest.mark.parametrize("engine", [pytest.param("classic", marks=pytest.mark.slow), "connect"])
def test_no_name_of_a_column_disturbs_a_join_on_spark(engine, store, request):
    engine = request.getfixturevalue(engine)
    for number, names in enumerate(GROUPS):
        rows, labels, features = tables(names, number)
        key, time = names[:KEYS], names[KEYS]
        group = store.create_feature_group(f"g{number}", primary_key=key, event_time=time)
        truth = store.create_feature_group(f"t{number}", primary_key=key, event_time=time)
        group.insert(rows)
        truth.insert(labels)
        if number % 2:  # versions of a row are told apart
            group.insert(rows.head(3).assign(**{features[0]: -1.0}))
        view = store.create_feature_view(
            f"v{number}", labels=truth.select("a label"), query=group.select(features)
        )
        frame = view.to_spark(engine.spark)
        if number % 3 == 0:
            found = frame.toArrow().to_pandas().sort_values(key)
            expected = view.read().sort_values(key)
            for name in features:
                assert found[name].tolist() == expected[name].tolist(), name
        else:  # planned only: the names are all resolved by then
            assert frame.columns == list(view.read().columns)


def test_spark_inserts_columns_of_any_name_and_refuses_those_of_the_store(classic, store):
    names = ["id", "_n", "_was", "{x}", "a b", "a`b", "file_row_number"]
    group = store.create_feature_group("g", primary_key=["id", "_n"])
    rows = pd.DataFrame([[1, 2, *map(float, range(5))]], columns=names)
    group.insert(classic.frame(rows))
    group.insert(classic.frame(rows.assign(_was=7.0)))
    assert group.read().to_dict("list") == rows.assign(_was=7.0).to_dict("list")
    with pytest.raises(InvalidInputError, match="'__eolab_x' is used by the store itself"):
        group.insert(classic.frame(rows.assign(__eolab_x=1)), add_columns=True)


def test_a_condition_on_times_means_the_same_rows_or_is_refused(classic, store):
    """The classic session of these tests works in Lima's time."""
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(rows_of({(1, 0): 1.0, (2, 1): 2.0}))
    middle = day(0) + pd.Timedelta(hours=2)
    for asked in (f"time <= '{middle:%Y-%m-%d %H:%M:%S}'", "hour(time) = 0", "time::DATE IS NULL"):
        with pytest.raises(
            InvalidInputError, match=r"(?s)Spark session works in America/Lima.*UTC"
        ):
            group.to_spark(classic.spark, filter=asked)
    for asked in (f"time <= '{middle.isoformat()}'", "time IS NOT NULL AND value < 2"):
        there = group.to_spark(classic.spark, filter=asked).count()
        assert there == len(group.read(filter=asked)) == 1
    zone = classic.spark.conf.get("spark.sql.session.timeZone")
    classic.spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        for asked in (f"time <= '{middle:%Y-%m-%d %H:%M:%S}'", "hour(time) = 0 AND id = 1"):
            there = group.to_spark(classic.spark, filter=asked).count()
            assert there == len(group.read(filter=asked)) == 1
    finally:
        classic.spark.conf.set("spark.sql.session.timeZone", zone)


def test_sessions_of_our_servers_work_in_utc(connect):
    assert connect.spark.conf.get("spark.sql.session.timeZone") == "UTC"
