"""Tables of other libraries come in by Arrow, and go out by it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from eolab.errors import InvalidInputError

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
# Types as polars hands them over: its texts are views, its lists large, its categories coded.
COLUMNS = {
    "day": pa.array([dt.date(2024, 5, 1), None, dt.date(1950, 1, 1)], pa.date32()),
    "crop": pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1], pa.uint32()), pa.array(["maize", "rape"], pa.string_view())
    ),
    "note": pa.array(["a", None, "ü"], pa.string_view()),
    "small": pa.array([1, None, 255], pa.uint8()),
    "share": pa.array([0.5, None, float("nan")]),
    "season": pa.array([[1.0, 2.0], None, []], pa.large_list(pa.float32())),
    "pair": pa.array([[1.0, 2.0], [3.0, 4.0], None], pa.list_(pa.float32(), 2)),
    "raw": pa.array([b"a", None, b"b"], pa.binary_view()),
}
EXPECTED = {
    "day": [dt.date(2024, 5, 1), None, dt.date(1950, 1, 1)],
    "crop": ["maize", None, "rape"],
    "note": ["a", None, "ü"],
    "small": [1, None, 255],
    "share": [0.5, None, None],
    "season": [[1.0, 2.0], None, []],
    "pair": [[1.0, 2.0], [3.0, 4.0], None],
    "raw": [b"a", None, b"b"],
}


@pytest.fixture
def group(store):
    return store.create_feature_group("g", primary_key=["id"], event_time="time")


def rows():
    return pd.DataFrame({"id": [0, 1, 2], "time": [NOON] * 3, "value": [0.0, 0.5, 1.0]})


class Frame:
    """A table of a library that only speaks Arrow's stream."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def table():
    keys = {"id": [1, 2, 3], "time": pa.array([NOON] * 3, pa.timestamp("ns", "Europe/Paris"))}
    return pa.table({**keys, **COLUMNS})


def test_types_of_other_libraries_come_back_as_they_were_once_and_again(store):
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    for _ in range(2):
        group.insert(Frame(table()))
        found = group.to_arrow()
        assert {name: found.column(name).to_pylist() for name in EXPECTED} == EXPECTED
    assert len(group.commits()) == 2
    # Rows of pandas go into the same columns.
    group.insert(group.read().assign(share=0.25))
    assert group.read()["share"].tolist() == [0.25] * 3


def test_polars_comes_in_and_goes_out(store):
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(table()).with_columns(
        kind=polars.Series(["x", "y", None], dtype=polars.Enum(["x", "y"]))
    )
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(frame)
    found = polars.from_arrow(group.to_arrow())
    assert found["kind"].to_list() == ["x", "y", None]
    assert {name: found[name].to_list() for name in EXPECTED} == EXPECTED
    group.delete_rows(frame.select("id").head(1))
    assert group.to_arrow().num_rows == 2
    with pytest.raises(InvalidInputError, match="LazyFrame") as told:
        group.insert(frame.lazy())
    assert "collect" in told.value.hint


def test_what_is_read_is_the_same_as_arrow(store, parcels, spectra):
    for thing in (
        parcels,
        spectra.select("ndvi"),
        store.create_feature_view("v", labels=parcels.select("crop"), query=spectra.select("ndvi")),
    ):
        read, arrow = thing.read(), thing.to_arrow()
        assert isinstance(arrow, pa.Table)
        plain = [n for n in read.columns if n != "geometry"]
        assert list(read.columns) == arrow.column_names
        pd.testing.assert_frame_equal(
            pd.DataFrame(read[plain]), arrow.select(plain).to_pandas(), check_dtype=False
        )
    assert isinstance(parcels.to_arrow(["geometry"]).column("geometry")[0].as_py(), bytes)


def test_a_named_index_counts_as_columns(group):
    group.insert(rows().set_index(["id", "time"]))
    assert group.read()["id"].tolist() == [0, 1, 2]


def test_arrow_tables_are_taken_and_nan_is_missing(group):
    table = pa.table({"id": [1, 2], "time": pa.array([NOON] * 2), "value": [float("nan"), 1.0]})
    group.insert(table)
    value = next(c for c in group.statistics() if c.column == "value")
    assert (value.count, value.nulls, value.mean) == (2, 1, 1.0)


def test_a_cube_of_xarray_is_one_row_a_cell(store):
    import xarray as xr

    cube = xr.Dataset(
        {"v": (("time", "cell"), np.arange(6.0).reshape(2, 3))},
        {"time": pd.date_range("2024-01-01", periods=2), "cell": [10, 11, 12]},
    )
    group = store.create_feature_group("x", primary_key=["cell"], event_time="time")
    group.insert(cube)
    assert group.read(["v"], filter="cell = 11")["v"].tolist() == [1.0, 4.0]


def test_tables_with_arrows_stream_interface_are_taken(group):
    """Polars and others speak it; DuckDB's relation stands for them here."""
    import duckdb

    frame = rows()
    group.insert(duckdb.sql("SELECT * FROM frame"))
    assert group.read()["value"].tolist() == frame["value"].tolist()
