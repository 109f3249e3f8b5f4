"""Figures of each column after a commit, kept as one small file a commit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eolab.features.storage.duckdb import quote_identifier
from eolab.files import writes

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

FORMAT = 1
BINS = 20
TOP = 10
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Rows up to which different values are counted exactly; above it their number is estimated.
EXACT_ROWS = 100_000
# Values that are in memory at once.
CELLS_IN_MEMORY = 20_000_000
# Rows, drawn evenly, of which quantiles are taken; where there are fewer, all of them.
_SAMPLE = 200_000
# Rows and columns of which correlations are taken: they are for looking at.
_PAIRS = 20_000
_WIDE = 100


@dataclass(frozen=True)
class Histogram:
    """Counts between edges; there is one more edge than counts; the last bin is closed."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class ColumnStatistics:
    """Figures of one column.

    Attributes:
        column: Its name.
        count: Rows.
        nulls: Of these, without a value.
        distinct: Different values; above 100,000 rows an estimate (HyperLogLog, about 2 %).
        min: Smallest value: a number, or text (time stamps in ISO 8601).
        max: Largest value.
        mean: Numbers only.
        std: Sample standard deviation; numbers only.
        quantiles: The 5, 25, 50, 75 and 95 % quantiles; numbers only. Above 200,000 rows of an
            even sample, which is off by less than 0.5 % of the rows.
        histogram: Numbers and time stamps (seconds since the epoch).
        top: The most frequent values with their counts; text and truth values.
    """

    column: str
    count: int
    nulls: int
    distinct: int | None
    min: float | str | None = None
    max: float | str | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] | None = None
    histogram: Histogram | None = None
    top: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True)
class Correlations:
    """Pearson's coefficients of the columns of numbers, by pairs of rows that have both.

    Attributes:
        columns: Up to 100 of them, in order.
        values: Their coefficients, each row one column; None where one of a pair never changes.
        rows: Rows that were looked at: all, or an even sample.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    rows: int


def describe(
    con: DuckDBPyConnection, view: str, fields: Sequence[pa.Field]
) -> list[ColumnStatistics]:
    """Statistics of the columns of a view, in their order."""
    if not fields:
        return []
    total = int(con.sql(f"SELECT count(*) FROM {view}").fetchall()[0][0])
    distinct = "count(DISTINCT {})" if total <= EXACT_ROWS else "approx_count_distinct({})"
    parts = [part for field in fields for part in _aggregates(field, distinct, total)]
    row = con.sql(f"SELECT {', '.join(parts)} FROM {view}").fetchall()[0]
    aggregates = {f.name: row[7 * i : 7 * i + 7] for i, f in enumerate(fields)}
    shapes = _shapes(con, view, fields, aggregates, total)
    return [
        _column(con, view, f, total, aggregates[f.name], *shapes.get(f.name, ())) for f in fields
    ]


def correlations(
    con: DuckDBPyConnection, view: str, fields: Sequence[pa.Field], *, rows: int
) -> Correlations:
    """Correlations of the columns of numbers of a view with so many rows."""
    names = [f.name for f in fields if _kind(f.type) == "number"][:_WIDE]
    if not names or not rows:
        return Correlations((), (), 0)
    some = ", ".join(
        f"CAST({quote_identifier(n)} AS DOUBLE) AS {quote_identifier(n)}" for n in names
    )
    # Chosen by a fixed seed, so that the same rows give the same aggregates.
    sample = "" if rows <= _PAIRS else f" USING SAMPLE reservoir({_PAIRS} ROWS) REPEATABLE (0)"
    frame = con.sql(f"SELECT {some} FROM (SELECT * FROM {view}){sample}").to_arrow_table()
    found = frame.to_pandas().corr(min_periods=3).to_numpy()
    values = tuple(
        tuple(float(v) if math.isfinite(v) else None for v in line) for line in found.tolist()
    )
    return Correlations(tuple(names), values, frame.num_rows)


def _value(field: pa.Field) -> str | None:
    """SQL of a column as a number; None where it is none."""
    name = quote_identifier(field.name)
    return {
        "number": f"CAST({name} AS DOUBLE)",
        "time": f"epoch_us(CAST({name} AS TIMESTAMPTZ)) / 1e6",
    }.get(_kind(field.type))


def _aggregates(field: pa.Field, distinct: str, total: int) -> list[str]:
    """SQL of the seven aggregates of a column; quantiles where it does not fit in memory."""
    import pyarrow as pa

    name, value = quote_identifier(field.name), _value(field)
    if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
        return [f"count({name})", *["NULL"] * 6]
    shape = ["NULL"] * 3
    if value:
        quantiles = (
            f"approx_quantile({value}, {list(_QUANTILES)})" if total > CELLS_IN_MEMORY else "NULL"
        )
        shape = [f"avg({value})", f"stddev_samp({value})", quantiles]
    ends = [f"min({value or name})", f"max({value or name})"]
    return [f"count({name})", distinct.format(name), *ends, *shape]


def _column(
    con: DuckDBPyConnection,
    view: str,
    field: pa.Field,
    total: int,
    aggregates: Sequence[object],
    histogram: Histogram | None = None,
    quantiles: Sequence[float] | None = None,
) -> ColumnStatistics:
    known, distinct, low, high, mean, std, estimated = aggregates
    if quantiles is None and isinstance(estimated, list):
        quantiles = estimated
    kind = _kind(field.type)
    nulls = total - int(str(known))
    if distinct is None:
        return ColumnStatistics(field.name, total, nulls, None)
    different = min(int(str(distinct)), total - nulls)
    if kind == "time":
        ends = _iso(_number(low)), _iso(_number(high))
        return ColumnStatistics(field.name, total, nulls, different, *ends, histogram=histogram)
    if kind == "number":
        return ColumnStatistics(
            field.name,
            total,
            nulls,
            different,
            _number(low),
            _number(high),
            _number(mean),
            _number(std),
            None if quantiles is None else tuple(map(float, quantiles)),
            histogram,
        )
    name = quote_identifier(field.name)
    top = con.sql(
        f"SELECT CAST({name} AS VARCHAR), count(*) FROM {view} WHERE {name} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {TOP}"
    ).fetchall()
    return ColumnStatistics(
        field.name,
        total,
        nulls,
        different,
        None if low is None else str(low),
        None if high is None else str(high),
        top=tuple((str(v), int(n)) for v, n in top),
    )


def _shapes(
    con: DuckDBPyConnection,
    view: str,
    fields: Sequence[pa.Field],
    aggregates: Mapping[str, Sequence[object]],
    total: int,
) -> dict[str, tuple[Histogram, tuple[float, ...] | None]]:
    """Histogram and quantiles of each number and time; as many columns at once as memory allows."""
    spans: dict[str, tuple[str, float, float]] = {}
    for field in fields:
        value = _value(field)
        low, high = (_number(v) for v in aggregates[field.name][2:4]) if value else (None, None)
        if value and low is not None and high is not None:
            spans[field.name] = (value, low, high)
    out: dict[str, tuple[Histogram, tuple[float, ...] | None]] = {}
    names = list(spans)
    rng = np.random.default_rng(0)
    drawn = (
        rng.choice(total, _SAMPLE, replace=False) if _SAMPLE < total <= CELLS_IN_MEMORY else None
    )
    at_once = max(1, CELLS_IN_MEMORY // max(total, 1))
    for start in range(0, len(names), at_once):
        some = names[start : start + at_once]
        if total > CELLS_IN_MEMORY:
            out |= {name: (_counted(con, view, *spans[name]), None) for name in some}
            continue
        selected = ", ".join(f"{spans[n][0]} AS c{i}" for i, n in enumerate(some))
        table = con.sql(f"SELECT {selected} FROM {view}").to_arrow_table()
        for i, name in enumerate(some):
            values = table.column(i).to_numpy()
            some_values = values if drawn is None else values[drawn]
            some_values = some_values[np.isfinite(some_values)]
            quantiles = None
            if len(some_values):
                quantiles = tuple(map(float, np.quantile(some_values, _QUANTILES)))
            values = values[np.isfinite(values)]
            _, low, high = spans[name]
            width = (high - low) / BINS
            if _flat(low, width):
                out[name] = Histogram((low, high), (len(values),)), quantiles
                continue
            bins = np.minimum(((values - low) / width).astype(np.int64), BINS - 1)
            counts = np.bincount(bins, minlength=BINS).tolist()
            out[name] = _made(low, high, counts), quantiles
    return out


def _counted(con: DuckDBPyConnection, view: str, value: str, low: float, high: float) -> Histogram:
    """A histogram counted by the engine, for columns that do not fit in memory."""
    width = (high - low) / BINS
    if _flat(low, width):
        known = con.sql(f"SELECT count({value}) FROM {view}").fetchall()[0]
        return Histogram((low, high), (int(known[0]),))
    rows = con.sql(
        f"SELECT least(CAST(floor(({value} - {low!r}::DOUBLE) / {width!r}::DOUBLE) AS INTEGER), "
        f"{BINS - 1}) AS bin, count(*) FROM {view} "
        f"WHERE {value} IS NOT NULL AND isfinite({value}) GROUP BY 1"
    ).fetchall()
    counts = [0] * BINS
    for index, count in rows:
        counts[max(int(index), 0)] += int(count)
    return _made(low, high, counts)


def _flat(low: float, width: float) -> bool:
    """Whether all values are (nearly) the same, so that there is one bin."""
    return not math.isfinite(width) or width <= 0 or low + width == low


def _made(low: float, high: float, counts: Sequence[int]) -> Histogram:
    return Histogram(tuple(map(float, np.linspace(low, high, BINS + 1))), tuple(counts))


def _kind(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    return "text"


def _number(value: object) -> float | None:
    number = None if value is None else float(str(value))
    return number if number is not None and math.isfinite(number) else None


def _iso(seconds: float | None) -> str | None:
    from datetime import UTC, datetime, timedelta

    if seconds is None:
        return None
    # fromtimestamp() fails before 1970 on some systems.
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()


def keep(folder: Path, version: int, found: Sequence[ColumnStatistics]) -> None:
    """Write the statistics of a commit."""
    path = _path(folder, version)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"format": FORMAT, "statistics": [asdict(c) for c in found]}
    writes.write_text(path, json.dumps(document))


def load(folder: Path, version: int) -> list[ColumnStatistics] | None:
    """The statistics of a commit; None where they were not (or not fully) written."""
    try:
        document = json.loads(_path(folder, version).read_text())
        if document["format"] != FORMAT:
            return None
        return [_from_dict(c) for c in document["statistics"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _from_dict(values: dict[str, Any]) -> ColumnStatistics:
    histogram, top, quantiles = values.pop("histogram"), values.pop("top"), values.pop("quantiles")
    return ColumnStatistics(
        **values,
        quantiles=tuple(quantiles) if isinstance(quantiles, list) else None,
        histogram=Histogram(tuple(histogram["edges"]), tuple(histogram["counts"]))
        if isinstance(histogram, dict)
        else None,
        top=tuple((v, n) for v, n in top) if isinstance(top, list) else None,
    )


def _path(folder: Path, version: int) -> Path:
    return folder / "statistics" / f"{version}.json"
