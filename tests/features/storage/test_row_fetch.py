"""Rows are found again by where they lie, in any order, in files of any shape."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eolab.features.storage.commits import TableSnapshot
from eolab.features.storage.delta_table import OfflineTable
from eolab.features.storage.duckdb import parquet
from eolab.features.storage.row_fetch import NO_ROW, ROW_NUMBER, ROW_NUMBER_SQL, fetch

SCHEMA = pa.schema(
    [
        ("a.b", pa.int64()),
        ("text", pa.string()),
        ("when", pa.timestamp("us", "UTC")),
        ("list", pa.list_(pa.field("element", pa.float32()))),
        ("late", pa.float64()),
        ("a", pa.int32()),
    ]
)


def written(folder, sizes, row_group):
    """Files of so many rows, the first of them without the column that came late."""
    import duckdb

    files, start = [], 0
    for number, size in enumerate(sizes):
        value = np.arange(start, start + size)
        table = pa.table(
            {
                "a.b": value,
                "text": [None if v % 3 == 0 else f"row {v}" for v in value],
                "when": pa.array(value * 1_000_003, pa.timestamp("us", "UTC")),
                "list": [[float(v)] * (v % 4) for v in value],
                "late": value / 2,
                "a": value % 7,
            },
            schema=SCHEMA,
        )
        files.append(str(folder / f"{number} [x]*?.parquet"))
        early = number == 0 and len(sizes) > 1
        pq.write_table(table.drop_columns("late") if early else table, files[-1], row_group)
        start += size
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    table = con.sql(
        f"SELECT *, {ROW_NUMBER_SQL} AS row_number FROM {parquet(files)}"
    ).to_arrow_table()
    return files, table


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    row_group=st.integers(1, 50),
    seed=st.integers(0, 99),
    count=st.integers(0, 60),
)
def test_rows_are_those_that_lie_there(tmp_path_factory, sizes, row_group, seed, count):
    files, table = written(tmp_path_factory.mktemp("files"), sizes, row_group)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, table.num_rows, count)
    row_numbers = table.column("row_number").to_numpy()[rows]
    lost = rng.random(count) < 0.2
    row_numbers[lost] = NO_ROW
    names = list(rng.permutation(SCHEMA.names)[: rng.integers(1, 7)])
    found = fetch(names, TableSnapshot(files, SCHEMA, None), row_numbers)
    expected = table.select(names).take(pa.array(rows, mask=lost))
    assert found.schema.names == names
    assert found.to_pylist() == expected.to_pylist()
    assert found.schema == pa.schema([SCHEMA.field(n) for n in names])


def test_row_groups_without_a_wanted_row_are_not_read(tmp_path, monkeypatch):
    files, table = written(tmp_path, [30, 30], 10)
    row_numbers = table.column("row_number").to_numpy()[[45, 41, 3]]
    read = []
    plain = pq.ParquetFile.read_row_group

    def watched(self, number, **options):
        read.append(number)
        return plain(self, number, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", watched)
    found = fetch(["a.b"], TableSnapshot(files, SCHEMA, None), row_numbers)
    assert found.column("a.b").to_pylist() == [45, 41, 3]
    assert sorted(read) == [0, 1]


@pytest.mark.parametrize("rows", [0, 5])
def test_a_view_tells_where_its_rows_lie(tmp_path, rows):
    from eolab.features.storage.duckdb import connect

    table = OfflineTable(tmp_path, ["id"])
    for start in (0, 100):
        ids = np.arange(start, start + rows)
        table.append(lambda _, ids=ids: pa.table({"id": ids, "v": ids * 2.0}))
    with connect(tmp_path) as con:
        seen = table.view(con, "here", row_numbers=True)
        found = con.sql("SELECT * FROM here ORDER BY id").to_arrow_table()
    row_numbers = found.column(ROW_NUMBER).to_numpy()
    assert fetch(["v"], seen, row_numbers).column("v").to_pylist() == found.column("v").to_pylist()
    assert len(found) == 2 * rows
