"""Values of rows by where they lie: the file, and the row's number in it.

A join searches keys and times only. Of the rows that it found, and of nothing else, values are
taken here, from one row group of a file after the other, so that memory holds little more than
the answer; row groups without such a row are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from eolab.features.storage.arrow import OWN

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from eolab.features.storage.commits import TableSnapshot

# A row_number is a row's place in one number: which of the files, then which of its rows.
ROW_NUMBER = f"{OWN}row_number"
_BITS = 40
# DuckDB's own names of the two.
VIRTUAL = ("file_index", "file_row_number")
ROW_NUMBER_SQL = f"CAST({VIRTUAL[0]} AS BIGINT) * {2**_BITS} + {VIRTUAL[1]}"
NO_ROW = -1


def fetch(columns: Sequence[str], seen: TableSnapshot, row_numbers: np.ndarray) -> pa.Table:
    """The rows at some row_numbers.

    Args:
        columns: What is wanted of the rows; files that were written before a column was added
            have nulls in it.
        seen: The files to which the row_numbers belong.
        row_numbers: int64, shape (n,); `NO_ROW` for no row.

    Returns:
        The columns with n rows, in the order of the row_numbers; nulls for no row.
    """
    import pyarrow as pa

    fields = [seen.schema.field(name) for name in columns]
    there = np.flatnonzero(row_numbers != NO_ROW)
    order = there[np.argsort(row_numbers[there], kind="stable")]
    work = list(_by_row_group(seen.files, row_numbers[order]))
    with ThreadPoolExecutor(min(max(len(work), 1), pa.cpu_count())) as pool:
        parts = list(pool.map(lambda one: _taken(one, fields), work))
    place = np.zeros(len(row_numbers), dtype=np.int64)
    place[order] = np.arange(len(order))
    index = pa.array(place, mask=row_numbers == NO_ROW)
    found = pa.concat_tables(parts) if parts else pa.schema(fields).empty_table()
    return found.combine_chunks().take(index)


class _Work(NamedTuple):
    """What to take from one row group: the rows' numbers in it, ordered."""

    path: str
    footer: pq.FileMetaData
    group: int
    rows: np.ndarray


def _by_row_group(files: Sequence[str], row_numbers: np.ndarray) -> Iterator[_Work]:
    """Ordered row_numbers, a row group at a time."""
    import pyarrow.parquet as pq

    file, row = row_numbers >> _BITS, row_numbers & (2**_BITS - 1)
    for number, start, end in _runs(file):
        footer = pq.read_metadata(files[number])
        sizes = [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
        first = np.cumsum([0, *sizes])
        inside = row[start:end]
        for group, low, high in _runs(np.searchsorted(first, inside, side="right") - 1):
            yield _Work(files[number], footer, group, inside[low:high] - first[group])


def _runs(values: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Each value of an ordered array with where it starts and ends."""
    found, starts = np.unique(values, return_index=True)
    for value, start, end in zip(found, starts, [*starts, len(values)][1:], strict=True):
        yield int(value), int(start), int(end)


def _taken(work: _Work, fields: Sequence[pa.Field]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(work.path, metadata=work.footer) as file:
        known = set(file.schema_arrow.names)
        names = [f.name for f in fields if f.name in known]
        # Threads of its own would take those of other row groups.
        table = file.read_row_group(work.group, columns=names, use_threads=False)
    taken = table.take(pa.array(work.rows))

    def column(field: pa.Field) -> pa.ChunkedArray | pa.Array:
        if field.name not in known:
            return pa.nulls(len(work.rows), field.type)
        return taken.column(field.name).cast(field.type)

    return pa.table([column(f) for f in fields], schema=pa.schema(list(fields)))
