"""Figures of each column after a commit, kept as one small file a commit."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.features.offline import quote

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

FORMAT = 1
BINS = 20
TOP = 10


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
        distinct: Different values; above some thousands an estimate (HyperLogLog, about 2 %).
        min: Smallest value: a number, or text (time stamps in ISO 8601).
        max: Largest value.
        mean: Numbers only.
        std: Sample standard deviation; numbers only.
        quantiles: The 5, 25, 50, 75 and 95 % quantiles (t-digest); numbers only.
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


def describe(
    con: DuckDBPyConnection, view: str, fields: Sequence[pa.Field]
) -> list[ColumnStatistics]:
    """Statistics of the columns of a view, in their order."""
    import pyarrow as pa

    if not fields:
        return []
    parts = ["count(*)"]
    for field in fields:
        name = quote(field.name)
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            parts += [f"count({name})", *["NULL"] * 6]
            continue
        kind = _kind(field.type)
        value = {
            "number": f"CAST({name} AS DOUBLE)",
            "time": f"epoch_us(CAST({name} AS TIMESTAMPTZ)) / 1e6",
        }.get(kind)
        parts += [
            f"count({name})",
            f"approx_count_distinct({name})",
            f"min({value or name})",
            f"max({value or name})",
        ]
        if value:
            parts += [
                f"avg({value})",
                f"stddev_samp({value})",
                f"approx_quantile({value}, [0.05, 0.25, 0.5, 0.75, 0.95])",
            ]
        else:
            parts += ["NULL", "NULL", "NULL"]
    row = con.sql(f"SELECT {', '.join(parts)} FROM {view}").fetchall()[0]
    total, figures = int(row[0]), [row[1 + 7 * i : 8 + 7 * i] for i in range(len(fields))]
    return [_column(con, view, f, total, v) for f, v in zip(fields, figures, strict=True)]


def _column(
    con: DuckDBPyConnection, view: str, field: pa.Field, total: int, figures: Sequence[object]
) -> ColumnStatistics:
    known, distinct, low, high, mean, std, quantiles = figures
    kind = _kind(field.type)
    nulls = total - int(str(known))
    if distinct is None:
        return ColumnStatistics(field.name, total, nulls, None)
    distinct = int(str(distinct))
    if kind in {"number", "time"}:
        lowest, highest = _number(low), _number(high)
        histogram = None
        if lowest is not None and highest is not None:
            histogram = _histogram(con, view, field.name, kind, lowest, highest)
        return ColumnStatistics(
            field.name,
            total,
            nulls,
            min(distinct, total - nulls),
            lowest if kind == "number" else _iso(lowest),
            highest if kind == "number" else _iso(highest),
            _number(mean) if kind == "number" else None,
            _number(std) if kind == "number" else None,
            tuple(float(q) for q in quantiles)
            if kind == "number" and isinstance(quantiles, list)
            else None,
            histogram,
        )
    name = quote(field.name)
    top = con.sql(
        f"SELECT CAST({name} AS VARCHAR), count(*) FROM {view} WHERE {name} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {TOP}"
    ).fetchall()
    return ColumnStatistics(
        field.name,
        total,
        nulls,
        min(distinct, total - nulls),
        None if low is None else str(low),
        None if high is None else str(high),
        top=tuple((str(v), int(n)) for v, n in top),
    )


def _histogram(
    con: DuckDBPyConnection, view: str, column: str, kind: str, low: float, high: float
) -> Histogram:
    name = quote(column)
    value = (
        f"CAST({name} AS DOUBLE)"
        if kind == "number"
        else f"epoch_us(CAST({name} AS TIMESTAMPTZ)) / 1e6"
    )
    width = (high - low) / BINS
    if not math.isfinite(width) or width <= 0 or low + width == low:
        known = con.sql(f"SELECT count({name}) FROM {view}").fetchall()[0]
        return Histogram((low, high), (int(known[0]),))
    rows = con.sql(
        f"SELECT least(CAST(floor(({value} - {low!r}::DOUBLE) / {width!r}::DOUBLE) AS INTEGER), "
        f"{BINS - 1}) AS bin, count(*) "
        f"FROM {view} WHERE {name} IS NOT NULL AND isfinite({value}) GROUP BY 1"
    ).fetchall()
    counts = [0] * BINS
    for index, count in rows:
        counts[max(int(index), 0)] += int(count)
    edges = np.linspace(low, high, BINS + 1)
    return Histogram(tuple(float(e) for e in edges), tuple(counts))


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
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps({"format": FORMAT, "statistics": [asdict(c) for c in found]}))
    os.replace(temporary, path)  # noqa: PTH105


def load(folder: Path, version: int) -> list[ColumnStatistics] | None:
    """The statistics of a commit; None where they were not (or not fully) written."""
    try:
        document = json.loads(_path(folder, version).read_text())
        if document["format"] != FORMAT:
            return None
        return [_from_dict(c) for c in document["statistics"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _from_dict(values: dict[str, object]) -> ColumnStatistics:
    histogram, top, quantiles = values.pop("histogram"), values.pop("top"), values.pop("quantiles")
    return ColumnStatistics(
        **values,  # type: ignore[arg-type]
        quantiles=tuple(quantiles) if isinstance(quantiles, list) else None,
        histogram=Histogram(tuple(histogram["edges"]), tuple(histogram["counts"]))
        if isinstance(histogram, dict)
        else None,
        top=tuple((v, n) for v, n in top) if isinstance(top, list) else None,
    )


def _path(folder: Path, version: int) -> Path:
    return folder / "statistics" / f"{version}.json"
