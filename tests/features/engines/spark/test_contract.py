"""Every engine passes one contract: DuckDB, classic Spark and Spark Connect, on the same tables."""

from __future__ import annotations

import pandas as pd
import pytest

from eolab.errors import EolabError, InvalidInputError
from eolab.testing import QueryContract
from eolab.testing.engines import day, rows_of

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
