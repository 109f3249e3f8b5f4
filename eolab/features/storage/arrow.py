"""From what users have (pandas, GeoDataFrame, pyarrow, ...) to the Arrow table that is kept.

All checks are here: a table is refused as a whole, before anything is written.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError, nearest
from eolab.features import arrays
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import xarray as xr

INGESTED = "_ingested_at"
CHANGE = "_change"
RESERVED = (INGESTED, CHANGE)
# Names that queries make for themselves begin with it; no column of a user does.
OWN = "__eolab_"
# Of decimals whose width is not declared: as Spark takes it for Python's own.
_PRECISION, _SCALE = 38, 18


class NanosecondsCut(UserWarning):
    """Time stamps are kept to the microsecond, and some were finer."""


def to_arrow(
    frame: object,
    geometry: Sequence[str] = (),
    known: pa.Schema | None = None,
    keys: Sequence[str] = (),
) -> pa.Table:
    """An Arrow table with the types that Delta Lake knows.

    Args:
        frame: A pandas DataFrame, GeoDataFrame, pyarrow Table or RecordBatch, anything with
            Arrow's stream interface (polars, DuckDB), an xarray Dataset (one row a
            cell), or a dict of columns, in which a NumPy array (n, ...) is a column of arrays.
        geometry: Names of geometry columns; they become WKB.
        known: The group's columns, which tell the type of a column that holds no value.
        keys: Columns that name a row. Dimensions of an xarray Dataset along which none of them
            changes are the axes of arrays.

    Raises:
        InvalidInputError: Not a table, a column of mixed or unknown type, naive time stamps.
    """
    import pandas as pd
    import pyarrow as pa

    # Who has a Dataset has imported xarray; nobody else should wait for it.
    xarray = sys.modules.get("xarray")
    if xarray is not None and isinstance(frame, xarray.Dataset):
        frame = _from_xarray(frame, keys)
    elif arrays.is_mapping_of_columns(frame):
        frame = arrays.frame_of(frame)
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
    check_names(names)
    for place, name in enumerate(names):
        if known is not None and name in known.names and _empty(table.column(name)):
            nothing = pa.nulls(table.num_rows, known.field(name).type)
            table = table.set_column(place, name, nothing)
    return pa.table([_storable(n, table.column(n)) for n in names], names=names)


def check_names(names: Sequence[str]) -> None:
    """Raises InvalidInputError where columns cannot have these names.

    Delta Lake, DuckDB and Spark take names that differ only by capitals for one.
    """
    first: dict[str, str] = {}
    for name in names:
        if not name.strip() or "\0" in name:
            raise InvalidInputError(
                f"the column name {name!r} is empty or cannot be written", "Rename the column."
            )
        lowered = name.lower()
        if lowered in RESERVED or lowered.startswith(OWN):
            raise InvalidInputError(
                f"the column name {name!r} is used by the store itself", "Rename the column."
            )
        if first.get(lowered) == name:
            raise InvalidInputError(f"the column {name!r} is there twice", "Name each column once.")
        if lowered in first:
            raise InvalidInputError(
                f"the columns {first[lowered]!r} and {name!r} differ only by capitals, "
                "which SQL takes for one name",
                f"Rename one, for example frame.rename(columns={{{name!r}: {name + '_2'!r}}}).",
            )
        first[lowered] = name


def _empty(column: pa.ChunkedArray) -> bool:
    """Whether a column holds no value, so that its type says nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_null(kind):
        return True
    if not len(column):
        return False
    if pa.types.is_dictionary(kind):
        column = _spelt_out(column)
        return bool(pa.types.is_null(column.type) or column.null_count == len(column))
    if column.null_count == len(column):
        return True
    if not pa.types.is_floating(kind):
        return False
    return bool(pc.all(pc.is_null(column, nan_is_null=True)).as_py())


def _from_stream(frame: object) -> pa.Table:
    import pyarrow as pa

    try:
        return pa.table(frame)
    except pa.ArrowInvalid as error:
        raise InvalidInputError(
            f"the {type(frame).__name__} holds a type that Arrow does not know: {error}",
            "Convert the column to a number, text or time stamp.",
        ) from error


def _from_xarray(cube: xr.Dataset, keys: Sequence[str]) -> pd.DataFrame:
    """One row a cell; times of xarray have no zone and are UTC by its own convention."""
    rows = _dims_of_rows(cube, keys)
    names = [n for n in cube.variables if n not in cube.dims and set(cube[n].dims) - set(rows)]
    flat = cube.drop_vars(names) if names else cube
    flat = flat.drop_dims([d for d in flat.dims if d not in rows])
    # Without arrays in the order that xarray itself chooses.
    frame = (flat.to_dataframe(dim_order=rows) if names else cube.to_dataframe()).reset_index()
    for name in names:
        axes = [d for d in cube[name].dims if d not in rows]
        whole = cube[name].broadcast_like(flat)
        values = whole.transpose(*rows, *axes).to_numpy()
        cells = values.reshape(len(frame), *(cube.sizes[d] for d in axes))
        frame[name] = arrays.frame_of({"cells": cells})["cells"].to_numpy()
    for name in frame.columns:
        if str(frame[name].dtype).startswith("datetime64") and frame[name].dt.tz is None:
            frame[name] = frame[name].dt.tz_localize("UTC")
    return frame


def _dims_of_rows(cube: xr.Dataset, keys: Sequence[str]) -> list[str]:
    """The dimensions along which rows differ: all, or those of the keys where more are left."""
    every = [str(d) for d in cube.sizes]
    if not keys or any(k not in cube.variables for k in keys):
        return every
    of_keys = {str(d) for k in keys for d in cube[k].dims}
    rest = [d for d in every if d not in of_keys]
    if not of_keys or all(cube.sizes[d] == 1 for d in rest):
        return every
    return [d for d in every if d in of_keys]


def _from_pandas(frame: pd.DataFrame, geometry: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    if any(name is not None for name in frame.index.names):
        # A named index holds columns that someone moved there, often the key.
        frame = _without_index(frame)
    columns, names = [], []
    for position, name in enumerate(frame.columns):
        if not isinstance(name, str):
            raise InvalidInputError(
                f"the column name {name!r} is not text", "Rename the columns to text."
            )
        column = frame.iloc[:, position]
        if name in geometry or str(column.dtype) == "geometry":
            columns.append(_wkb(column))
        else:
            try:
                made = arrays.from_cells(name, column) if column.dtype == object else None
                if made is None:
                    made = pa.Array.from_pandas(column)
            except (
                pa.ArrowInvalid,
                pa.ArrowTypeError,
                pa.ArrowNotImplementedError,
                OverflowError,
                TypeError,
            ) as error:
                raise InvalidInputError(
                    f"the column {name!r} holds values of mixed or unknown types: {error}",
                    "Give the column one type, for example with .astype(...).",
                ) from error
            if column.dtype == object:
                _check_one_meaning(name, column, made.type)
                if pa.types.is_decimal(made.type):
                    made = _roomy(made)
            columns.append(made)
        names.append(name)
    return pa.table(columns, names=names)


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its index as columns; a level that is a column already counts once."""
    import pandas as pd

    for level in [name for name in frame.index.names if name is not None and name in frame]:
        place = frame.index.names.index(level)
        index, column = frame.index.get_level_values(place), frame[level]
        if isinstance(column, pd.Series) and index.equals(pd.Index(column)):
            frame = (
                frame.droplevel(level) if frame.index.nlevels > 1 else frame.reset_index(drop=True)
            )
            continue
        raise InvalidInputError(
            f"the index and a column are both called {level!r} and differ",
            "Rename one, or leave the index out: frame.reset_index(drop=True).",
        )
    return frame.reset_index() if any(n is not None for n in frame.index.names) else frame


def _check_one_meaning(name: str, column: pd.Series, kind: pa.DataType) -> None:
    """Raises InvalidInputError where Arrow would make values of several meanings one type.

    It takes a naive time stamp for UTC, cuts a time stamp among dates to its day, and makes bytes
    of text among bytes.
    """
    import datetime as dt

    import pyarrow as pa

    if pa.types.is_string(kind) or pa.types.is_nested(kind):
        return
    values = column[column.notna()]
    if pa.types.is_timestamp(kind):
        found = {getattr(v, "tzinfo", None) is None for v in values}
        if len(found) > 1:
            raise InvalidInputError(
                f"some time stamps of {name!r} have a time zone and some have none",
                "Give each one a zone before they come into one column.",
            )
    if pa.types.is_date(kind) and any(isinstance(v, dt.datetime) for v in values):
        raise InvalidInputError(
            f"the column {name!r} holds dates and time stamps",
            f"Make all of them one kind: pandas.to_datetime(frame[{name!r}], utc=True).",
        )
    if pa.types.is_binary(kind) and any(isinstance(v, str) for v in values):
        raise InvalidInputError(
            f"the column {name!r} holds text and bytes", "Decode the bytes: value.decode()."
        )
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and any(
        isinstance(v, (bool, np.bool_)) for v in values
    ):
        raise InvalidInputError(
            f"the column {name!r} holds numbers and truth values",
            "Give the column one type, for example with .astype('float64').",
        )


def _roomy(column: pa.Array) -> pa.Array:
    """Decimals with room for those to come: Arrow takes a width that these just fit."""
    import pyarrow as pa

    kind = column.type
    whole = kind.precision - kind.scale
    scale = kind.scale if kind.scale > _SCALE else min(_SCALE, _PRECISION - max(whole, 0))
    if kind.precision > _PRECISION or max(whole, 0) + scale > _PRECISION:
        return column
    return column.cast(pa.decimal128(_PRECISION, max(scale, kind.scale)))


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

    column = arrays.kept_as(name, column)
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = _spelt_out(column)
        kind = column.type
    strange = _strange(kind)
    if strange is not None:
        raise InvalidInputError(
            f"the column {name!r} has the type {strange}, which the store would not give back",
            f"Convert it, for example to text: frame[{name!r}].astype(str).",
        )
    if isinstance(kind, pa.BaseExtensionType):
        column = pa.chunked_array([part.storage for part in column.chunks], kind.storage_type)
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
        cut = column.cast(pa.timestamp("us", "UTC"), safe=False)
        if kind.unit == "ns" and not cut.cast(pa.timestamp("ns", "UTC"), safe=False).equals(
            column.cast(pa.timestamp("ns", "UTC"))
        ):
            warn(
                f"the time stamps of {name!r} have nanoseconds, which are cut off: microseconds "
                f"are kept. To say so yourself: frame[{name!r}].dt.floor('us').",
                NanosecondsCut,
            )
        return cut
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


def _strange(kind: pa.DataType) -> pa.DataType | None:
    """The type in a column's type whose meaning Delta Lake would lose: periods, UUIDs, ranges."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        name = kind.extension_name
        plain = name.startswith(("geoarrow.", "ogc.")) or name == "arrow.json"
        return _strange(kind.storage_type) if plain else kind
    inner = [kind.field(i).type for i in range(kind.num_fields)]
    for part in inner:
        naive = pa.types.is_timestamp(part) and part.tz is None
        if naive or pa.types.is_time(part) or pa.types.is_duration(part) or pa.types.is_map(part):
            return part
    found = next((found for found in map(_strange, inner) if found is not None), None)
    # Delta Lake's decimals have up to 38 digits.
    return kind if found is None and pa.types.is_decimal256(kind) else found


def _kept_as(kind: pa.DataType) -> pa.DataType:
    """The type of Delta Lake that a type is kept as; itself where there is none other."""
    import pyarrow as pa

    shape = arrays.shape_of(kind)
    if shape is not None:
        return arrays.shaped(_kept_as(arrays.leaf(kind)[1]), shape)
    if arrays.is_list(kind):
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
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC")
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
    _check_unique(table, [*primary_key, *([event_time] if event_time else [])])


def _check_unique(table: pa.Table, keys: list[str]) -> None:
    if _surely_unique(table, keys):
        return
    # Named anew, so that no key can be mistaken for the count.
    own = [f"k{i}" for i in range(len(keys))]
    named = table.select(keys).rename_columns(own)
    counted = named.group_by(own, use_threads=True).aggregate([([], "count_all")])
    if counted.num_rows == table.num_rows:
        return
    import pyarrow.compute as pc

    worst = counted.sort_by([("count_all", "descending")]).slice(0, 1).to_pylist()[0]
    extra = table.num_rows - counted.num_rows
    shown = ", ".join(f"{k}={worst[name]}" for k, name in zip(keys, own, strict=True))
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
    check_names([*names, *unknown])
    if unknown and not add_columns:
        raise InvalidInputError(
            f"the group has no column {unknown[0]!r}",
            nearest(unknown[0], names, "group's columns")
            + " Pass add_columns=True to add it (older rows get nulls).",
        )
    columns = []
    for name in names:
        column, wanted = table.column(name), schema.field(name).type
        if column.type != wanted:
            whole = pa.types.is_decimal(wanted) and pa.types.is_integer(column.type)
            if _family(column.type) != _family(wanted) and not whole:
                raise _wrong_type(name, column.type, wanted)
            try:
                if whole:
                    # Arrow asks for room for the longest number of its type.
                    column = column.cast(pa.decimal128(_PRECISION, wanted.scale))
                column = arrays.cast(column, wanted)
            except pa.ArrowInvalid as error:
                raise _wrong_type(name, column.type, wanted, str(error)) from error
        columns.append(column)
    return pa.table([*columns, *(table.column(n) for n in unknown)], names=[*names, *unknown])


def _family(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    axes, value = arrays.leaf(kind)
    if axes and (pa.types.is_integer(value) or pa.types.is_floating(value)):
        return f"arrays of {axes} axes"
    if axes and pa.types.is_boolean(value):
        return f"truth values of {axes} axes"
    return "decimal" if pa.types.is_decimal(kind) else str(kind)


def _wrong_type(
    name: str, found: pa.DataType, wanted: pa.DataType, detail: str = ""
) -> InvalidInputError:
    return InvalidInputError(
        f"the column {name!r} has the type {arrays.described(found)}, "
        f"the group keeps {arrays.described(wanted)}" + (f": {detail}" if detail else ""),
        "Convert the column, or make a new version of the group.",
    )
