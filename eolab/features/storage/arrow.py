"""From what users have (pandas, GeoDataFrame, pyarrow, ...) to the Arrow table that is kept.

All checks are here: a table is refused as a whole, before anything is written.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import xarray as xr

INGESTED = "_ingested_at"
CHANGE = "_change"
RESERVED = (INGESTED, CHANGE)


def to_arrow(
    frame: object, geometry: Sequence[str] = (), known: pa.Schema | None = None
) -> pa.Table:
    """An Arrow table with the types that Delta Lake knows.

    Args:
        frame: A pandas DataFrame, GeoDataFrame, pyarrow Table or RecordBatch, anything with
            Arrow's stream interface (polars, DuckDB), or an xarray Dataset (one row a cell).
        geometry: Names of geometry columns; they become WKB.
        known: The group's columns, which tell the type of a column that holds no value.

    Raises:
        InvalidInputError: Not a table, a column of mixed or unknown type, naive time stamps.
    """
    import pandas as pd
    import pyarrow as pa

    # Who has a Dataset has imported xarray; nobody else should wait for it.
    xarray = sys.modules.get("xarray")
    if xarray is not None and isinstance(frame, xarray.Dataset):
        frame = _from_xarray(frame)
    if isinstance(frame, pd.DataFrame):
        table = _from_pandas(frame, geometry)
    elif isinstance(frame, pa.Table):
        table = frame
    elif isinstance(frame, pa.RecordBatch):
        table = pa.Table.from_batches([frame])
    elif hasattr(frame, "__arrow_c_stream__"):
        table = _from_stream(frame)
    else:
        # polars' LazyFrame and its like
        first = "Call .collect() first. " if hasattr(frame, "collect") else ""
        raise InvalidInputError(
            f"cannot insert a {type(frame).__name__}",
            f"{first}Give a pandas DataFrame, GeoDataFrame, polars DataFrame or pyarrow Table.",
        )
    names = table.column_names
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InvalidInputError(f"the column {twice[0]!r} is there twice", "Name each column once.")
    for place, name in enumerate(names):
        if known is not None and name in known.names and pa.types.is_null(table.field(name).type):
            nothing = pa.nulls(table.num_rows, known.field(name).type)
            table = table.set_column(place, name, nothing)
    return pa.table([_storable(n, table.column(n)) for n in names], names=names)


def _from_stream(frame: object) -> pa.Table:
    import pyarrow as pa

    try:
        return pa.table(frame)
    except pa.ArrowInvalid as error:
        raise InvalidInputError(
            f"the {type(frame).__name__} holds a type that Arrow does not know: {error}",
            "Convert the column to a number, text or time stamp.",
        ) from error


def _from_xarray(cube: xr.Dataset) -> pd.DataFrame:
    """One row a cell; times of xarray have no zone and are UTC by its own convention."""
    frame = cube.to_dataframe().reset_index()
    for name in frame.columns:
        if str(frame[name].dtype).startswith("datetime64") and frame[name].dt.tz is None:
            frame[name] = frame[name].dt.tz_localize("UTC")
    return frame


def _from_pandas(frame: pd.DataFrame, geometry: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    if any(name is not None for name in frame.index.names):
        # A named index holds columns that someone moved there, often the key.
        frame = frame.reset_index()
    arrays, names = [], []
    for position, name in enumerate(frame.columns):
        if not isinstance(name, str):
            raise InvalidInputError(
                f"the column name {name!r} is not text", "Rename the columns to text."
            )
        column = frame.iloc[:, position]
        if name in geometry or str(column.dtype) == "geometry":
            arrays.append(_wkb(column))
        else:
            try:
                arrays.append(pa.Array.from_pandas(column))
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
                raise InvalidInputError(
                    f"the column {name!r} holds values of mixed or unknown types: {error}",
                    "Give the column one type, for example with .astype(...).",
                ) from error
        names.append(name)
    return pa.table(arrays, names=names)


def _wkb(column: pd.Series) -> pa.Array:
    import pyarrow as pa
    import shapely

    values = column.to_numpy(dtype=object)
    try:
        return pa.array(
            [v if v is None or isinstance(v, bytes) else shapely.to_wkb(v) for v in values],
            pa.binary(),
        )
    except TypeError as error:
        raise InvalidInputError(
            f"the column {column.name!r} does not hold geometries: {error}",
            "Give a GeoDataFrame, or WKB.",
        ) from error


def _spelt_out(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values that the codes of a categorical column stand for."""
    import pyarrow as pa

    values = column.type.value_type
    # The text of polars' categories; Arrow has no cast from codes to it.
    wanted = pa.string() if pa.types.is_string_view(values) else values
    chunks = [part.dictionary.cast(wanted).take(part.indices) for part in column.chunks]
    return pa.chunked_array(chunks, wanted)


def _storable(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in a type of Delta Lake: signed integers, microseconds in UTC, plain text."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = _spelt_out(column)
        kind = column.type
    if pa.types.is_null(kind):
        raise InvalidInputError(
            f"the column {name!r} holds no value, so its type is not known",
            "Leave it out, or give it a type: .astype('float64').",
        )
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise InvalidInputError(
                f"the time stamps of {name!r} have no time zone",
                f"Say which one they are in, for example frame[{name!r}].dt.tz_localize('UTC').",
            )
        # Nanoseconds are cut off, not rounded: an event must not move into the future.
        return column.cast(pa.timestamp("us", "UTC"), safe=False)
    if pa.types.is_floating(kind):
        import pyarrow.compute as pc

        # One notion of missing: null. A NaN would be a value to every aggregate.
        if kind != pa.float16() and pc.any(pc.is_nan(column)).as_py():
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    kept = _kept_as(kind)
    if kept != kind:
        try:
            return column.cast(kept)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InvalidInputError(
                f"the column {name!r} ({kind}) does not fit into {kept}: {error}",
                "Convert the column.",
            ) from error
    if (
        pa.types.is_time(kind)
        or pa.types.is_duration(kind)
        or pa.types.is_interval(kind)
        or pa.types.is_union(kind)
    ):
        raise InvalidInputError(
            f"the column {name!r} has the type {kind}, which cannot be kept",
            "Convert it to a number, text or time stamp.",
        )
    return column


def _kept_as(kind: pa.DataType) -> pa.DataType:
    """The type of Delta Lake that a type is kept as; itself where there is none other."""
    import pyarrow as pa

    if (
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
    ):
        return pa.list_(pa.field("element", _kept_as(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([f.with_type(_kept_as(f.type)) for f in kind])
    wider = {
        pa.uint8(): pa.int16(),
        pa.uint16(): pa.int32(),
        pa.uint32(): pa.int64(),
        pa.uint64(): pa.int64(),
        pa.float16(): pa.float32(),
        pa.large_string(): pa.string(),
        pa.string_view(): pa.string(),
        pa.large_binary(): pa.binary(),
        pa.binary_view(): pa.binary(),
        pa.date64(): pa.date32(),
    }
    return wider.get(kind, kind)


def check_keys(table: pa.Table, primary_key: Sequence[str], event_time: str | None) -> None:
    """Raises InvalidInputError where keys are missing, null, NaN or there twice."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = table.column_names
    for name in (*primary_key, *([event_time] if event_time else [])):
        what = "event time" if name == event_time else "key"
        if name not in names:
            raise InvalidInputError(
                f"the {what} column {name!r} is not in the table", nearest(name, names, "columns")
            )
        column = table.column(name)
        if pa.types.is_nested(column.type):
            raise InvalidInputError(
                f"the {what} column {name!r} has the type {column.type}",
                "A key is a number, text, date or time stamp.",
            )
        missing = (
            pc.sum(pc.is_null(column, nan_is_null=pa.types.is_floating(column.type))).as_py() or 0
        )
        if missing:
            raise InvalidInputError(
                f"{missing} rows have no value in the {what} column {name!r}",
                f"Drop them: frame.dropna(subset=[{name!r}]).",
            )
    if event_time and not pa.types.is_timestamp(table.schema.field(event_time).type):
        raise InvalidInputError(
            f"the event time {event_time!r} has the type {table.schema.field(event_time).type}",
            "Give time stamps with a time zone: "
            f"pandas.to_datetime(frame[{event_time!r}], utc=True).",
        )
    for name in RESERVED:
        if name in names:
            raise InvalidInputError(
                f"the column name {name!r} is used by the store itself", "Rename the column."
            )
    _check_unique(table, [*primary_key, *([event_time] if event_time else [])])


def _check_unique(table: pa.Table, keys: list[str]) -> None:
    if _surely_unique(table, keys):
        return
    counted = table.select(keys).group_by(keys, use_threads=True).aggregate([([], "count_all")])
    if counted.num_rows == table.num_rows:
        return
    import pyarrow.compute as pc

    worst = counted.sort_by([("count_all", "descending")]).slice(0, 1).to_pylist()[0]
    extra = table.num_rows - counted.num_rows
    shown = ", ".join(f"{k}={worst[k]}" for k in keys)
    rows = pc.sum(pc.greater(counted.column("count_all"), 1)).as_py()
    raise InvalidInputError(
        f"{rows} keys are there more than once ({extra} rows too many), "
        f"for example {shown} {worst['count_all']} times",
        f"Keep one row a key, for example frame.drop_duplicates({keys!r}), "
        "or add a column to primary_key or an event_time.",
    )


def _surely_unique(table: pa.Table, keys: Sequence[str]) -> bool:
    """Whether 64-bit hashes of the keys all differ; False says nothing (a clash is possible).

    Sorting hashes takes a fraction of grouping rows.
    """
    import pyarrow as pa

    mixed = np.zeros(table.num_rows, dtype=np.uint64)
    for key in keys:
        column = table.column(key)
        if pa.types.is_integer(column.type):
            numbers = column.to_numpy()
        elif pa.types.is_timestamp(column.type):
            numbers = column.cast(pa.int64()).to_numpy()
        else:
            codes = column.combine_chunks().dictionary_encode()
            codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
            numbers = codes.indices.to_numpy(zero_copy_only=False)
        mixed = _mix(mixed ^ numbers.astype(np.int64).view(np.uint64))
    mixed.sort()
    return bool((mixed[1:] != mixed[:-1]).all())


def _mix(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection, so one key never clashes."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def cast_to_schema(table: pa.Table, schema: pa.Schema, *, add_columns: bool) -> pa.Table:
    """The table in the types of the group's columns.

    Args:
        table: What is to be inserted, from `to_arrow`.
        schema: The group's columns.
        add_columns: Whether columns that the group does not have are added to it.

    Raises:
        InvalidInputError: A column is missing, unknown or of another type.
    """
    import pyarrow as pa

    names = [n for n in schema.names if n not in RESERVED]
    for name in names:
        if name not in table.column_names:
            raise InvalidInputError(
                f"the group's column {name!r} is not in the table",
                nearest(
                    name, [n for n in table.column_names if n not in names], "table's other columns"
                )
                + " Fill it with nulls, or make a new version of the group.",
            )
    unknown = [n for n in table.column_names if n not in names]
    if unknown and not add_columns:
        raise InvalidInputError(
            f"the group has no column {unknown[0]!r}",
            nearest(unknown[0], names, "group's columns")
            + " Pass add_columns=True to add it (older rows get nulls).",
        )
    arrays = []
    for name in names:
        column, wanted = table.column(name), schema.field(name).type
        if column.type != wanted:
            if _family(column.type) != _family(wanted):
                raise _wrong_type(name, column.type, wanted)
            try:
                # float64 to float32 loses digits, which is meant; 1.5 to an integer is not.
                column = column.cast(wanted, safe=not pa.types.is_floating(wanted))
            except pa.ArrowInvalid as error:
                raise _wrong_type(name, column.type, wanted, str(error)) from error
        arrays.append(column)
    return pa.table([*arrays, *(table.column(n) for n in unknown)], names=[*names, *unknown])


def _family(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    return str(kind)


def _wrong_type(
    name: str, found: pa.DataType, wanted: pa.DataType, detail: str = ""
) -> InvalidInputError:
    return InvalidInputError(
        f"the column {name!r} has the type {found}, the group keeps {wanted}"
        + (f": {detail}" if detail else ""),
        "Convert the column, or make a new version of the group.",
    )
