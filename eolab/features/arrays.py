"""Columns of arrays: embeddings (k,) and chips (h, w, c) as lists of one size within each other.

Delta Lake knows lists without a size only. The shape of a column stands beside its type in the
Delta log, so that every program reads the lists, and Arrow and NumPy get the arrays back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SHAPE = b"eolab.shape"
_TENSOR = "arrow.fixed_shape_tensor"
_EXACT = 2**53  # up to here float64 holds every whole number


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any kind."""
    import pyarrow as pa

    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def leaf(kind: pa.DataType) -> tuple[int, pa.DataType]:
    """How many lists lie within each other, and what the innermost holds."""
    axes = 0
    while is_list(kind):
        axes, kind = axes + 1, kind.value_type
    return axes, kind


def axes_of(kind: pa.DataType) -> int:
    """The axes of arrays of numbers or truth values; 0 where a column holds none."""
    import pyarrow as pa

    axes, value = leaf(kind)
    number = pa.types.is_integer(value) or pa.types.is_floating(value) or pa.types.is_boolean(value)
    return axes if number else 0


def shape_of(kind: pa.DataType) -> tuple[int, ...] | None:
    """The one shape of all arrays of a column; None where its type does not fix it."""
    import pyarrow as pa

    if not axes_of(kind):
        return None
    shape = []
    while is_list(kind):
        if not pa.types.is_fixed_size_list(kind) or not kind.list_size:
            return None
        shape.append(int(kind.list_size))
        kind = kind.value_type
    return tuple(shape)


def shaped(value: pa.DataType, shape: Sequence[int]) -> pa.DataType:
    """The type of arrays of a shape."""
    import pyarrow as pa

    for size in reversed(shape):
        value = pa.list_(pa.field("element", value), size)
    return value


def unshaped(kind: pa.DataType) -> pa.DataType:
    """The same lists without their sizes, as Delta Lake keeps them."""
    import pyarrow as pa

    if not is_list(kind):
        return kind
    return pa.list_(pa.field("element", unshaped(kind.value_type)))


def with_shapes(schema: pa.Schema) -> pa.Schema:
    """The columns of a Delta table, with the shapes that stand beside their types."""
    import pyarrow as pa

    def field(found: pa.Field) -> pa.Field:
        kept = (found.metadata or {}).get(SHAPE)
        if kept is None:
            return found
        kind = shaped(leaf(found.type)[1], json.loads(kept))
        return pa.field(found.name, kind, found.nullable)

    return pa.schema([field(found) for found in schema])


def as_lists(table: pa.Table) -> pa.Table:
    """The table as Delta Lake keeps it: shapes beside the types."""
    import pyarrow as pa

    fields, columns = [], []
    for found, column in zip(table.schema, table.columns, strict=True):
        shape = shape_of(found.type)
        if shape is None:
            fields.append(found)
            columns.append(column)
            continue
        kind = unshaped(found.type)
        about = {SHAPE: json.dumps(shape).encode()}
        fields.append(pa.field(found.name, kind, metadata=about))
        columns.append(column.cast(kind))
    return pa.table(columns, schema=pa.schema(fields))


def schema_of_lists(schema: pa.Schema) -> pa.Schema:
    """The columns with lists that have no size, for engines that know no other."""
    import pyarrow as pa

    return pa.schema([f.with_type(unshaped(f.type)) if is_list(f.type) else f for f in schema])


def back(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """What an engine read, with the arrays of the group's columns as such."""
    for place, name in enumerate(table.column_names):
        wanted = schema.field(name).type if name in schema.names else None
        if wanted is not None and shape_of(wanted) is not None:
            column = table.column(place)
            if column.type != wanted:
                table = table.set_column(place, name, column.cast(wanted))
    return table


def kept_as(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Arrow's tensors as lists of one size within each other; other columns as they are."""
    import pyarrow as pa

    kind = column.type
    if not isinstance(kind, pa.BaseExtensionType) or kind.extension_name != _TENSOR:
        return column
    if kind.permutation is not None and list(kind.permutation) != sorted(kind.permutation):
        raise InvalidInputError(
            f"the tensors of {name!r} are laid out by the permutation {list(kind.permutation)}",
            "Give them in the order of their axes: FixedShapeTensorArray.from_numpy_ndarray(X).",
        )
    wanted = shaped(kind.value_type, kind.shape)
    size = int(np.prod(kind.shape))
    chunks = []
    for part in column.chunks:
        storage = part.storage
        first = storage.offset * size
        values = storage.values[first : first + len(storage) * size]  # noqa: PD011  (of Arrow)
        chunks.append(_nested(values, kind.shape, storage.is_null()))
    return pa.chunked_array(chunks, wanted)


def _nested(values: pa.Array, shape: Sequence[int], missing: pa.Array | None) -> pa.Array:
    """Flat values as arrays of a shape; of rows that are missing the values do not count."""
    import pyarrow as pa

    for number, size in enumerate(reversed(shape)):
        kind = pa.list_(pa.field("element", values.type), size)
        outermost = number == len(shape) - 1
        mask = missing if outermost else None
        values = pa.FixedSizeListArray.from_arrays(values, type=kind, mask=mask)
    return values


def from_cells(name: str, column: pd.Series) -> pa.Array | None:
    """A column of pandas whose cells are NumPy arrays; None where there are none.

    Arrays of one shape become lists of that size; of one axis and several lengths, plain lists.
    Masked values are missing; byte order and memory order do not matter.

    Raises:
        InvalidInputError: Several shapes or meanings in one column.
    """
    import pyarrow as pa

    cells = [c[()] if isinstance(c, np.ndarray) and not c.ndim else c for c in column]
    arrays = [c for c in cells if isinstance(c, np.ndarray) and c.ndim]
    if not arrays:
        return _by_arrow(cells, column)
    others = [c for c in cells if not isinstance(c, np.ndarray) or not c.ndim]
    shapes = list(dict.fromkeys(a.shape for a in arrays))
    numbers = all(a.dtype.kind in "biuf" for a in arrays)
    if numbers and len(shapes) > 1 and any(len(s) > 1 for s in shapes):
        raise InvalidInputError(
            f"the arrays of {name!r} have the shapes {shapes[0]} and {shapes[1]}",
            "Give all arrays of a column one shape: pad or crop them.",
        )
    if numbers and len(shapes[0]) > 1 and not all(shapes[0]):
        raise InvalidInputError(
            f"the arrays of {name!r} have the shape {shapes[0]}, which holds no value",
            "Leave the column out.",
        )
    if not numbers or len(shapes) > 1 or not all(shapes[0]) or any(not _missing(c) for c in others):
        return _by_arrow(cells, column)
    kind = _one_type(name, arrays)
    shape = shapes[0]
    values = np.zeros((len(cells), *shape), kind)
    masked = np.zeros(values.shape, bool)
    absent = np.ones(len(cells), bool)
    for row, cell in enumerate(cells):
        if isinstance(cell, np.ndarray) and cell.ndim:
            values[row] = np.ma.getdata(cell)
            masked[row] = np.ma.getmaskarray(cell)
            absent[row] = False
    flat = pa.array(values.reshape(-1), mask=masked.reshape(-1) if masked.any() else None)
    return _nested(flat, shape, pa.array(absent) if absent.any() else None)


def _by_arrow(cells: Sequence[object], column: pd.Series) -> pa.Array | None:
    """As Arrow reads cells once they are plain; None where they are already."""
    import pyarrow as pa

    plain = [_plain(cell) for cell in cells]
    if all(a is b for a, b in zip(plain, column, strict=True)):
        return None
    return pa.array(plain, from_pandas=True)


def _one_type(name: str, arrays: Sequence[np.ndarray]) -> np.dtype:
    """The type that holds the values of all arrays as they are."""
    kinds = list(dict.fromkeys(a.dtype.newbyteorder("=") for a in arrays))
    letters = {k.kind for k in kinds}
    found = np.result_type(*kinds)
    if ("b" in letters and len(letters) > 1) or found.kind == "O" or found.itemsize > 8:
        raise InvalidInputError(
            f"the arrays of {name!r} have the types {', '.join(map(str, kinds))}",
            "Give all arrays of a column one type of up to 64 bits: .astype('float64').",
        )
    for one in arrays if len(kinds) > 1 and found.kind == "f" else ():
        values = np.ma.getdata(one)
        if values.dtype.kind in "iu" and ((values > _EXACT) | (values < -_EXACT)).any():
            raise InvalidInputError(
                f"the arrays of {name!r} hold decimals, and whole numbers too large for them",
                "Give all arrays of a column one type.",
            )
    return found


def _missing(value: object) -> bool:
    """Whether a cell of pandas holds nothing."""
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or value != value  # noqa: PLR0124


def _plain(value: object) -> object:
    """A cell that Arrow reads right: masks as missing, this machine's byte order, nested lists."""
    if value is np.ma.masked:
        return None
    if not isinstance(value, np.ndarray):
        return value
    if isinstance(value, np.ma.MaskedArray):
        return value.tolist()
    if value.dtype.kind == "O" or value.ndim > 1:
        return [_plain(part) for part in value]
    return value.astype(value.dtype.newbyteorder("="), copy=False)


def cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Numbers, or arrays of them, in another type: digits may go, whole numbers stay exact.

    Raises:
        ArrowInvalid: A value or a shape does not fit.
    """
    import pyarrow as pa

    # float64 to float32 loses digits, which is meant; 1.5 to an integer is not.
    decimals = pa.types.is_floating(leaf(wanted)[1])
    try:
        found = column.cast(wanted, safe=not decimals)
    except pa.ArrowTypeError as error:  # another size, by another name
        raise pa.ArrowInvalid(str(error)) from error
    if decimals:
        _check_decimals(column, found)
    return found


def _check_decimals(given: pa.ChunkedArray, kept: pa.ChunkedArray) -> None:
    """Raises ArrowInvalid where decimals round a whole number, or have no room for a value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    value = leaf(given.type)[1]
    if not (pa.types.is_integer(value) or pa.types.is_floating(value)):
        return
    before, after = (_values(each) for each in (given, kept))
    if pa.types.is_integer(value):
        wrong = pc.not_equal(before, after.cast(value, safe=False))
    else:
        wrong = pc.and_(pc.is_inf(after), pc.is_finite(before))
    lost = before.filter(pc.fill_null(wrong, fill_value=False))
    if len(lost):
        raise pa.ArrowInvalid(f"{lost[0].as_py()} would become {after.type}, which cannot hold it")


def _values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The innermost values of lists, one after the other."""
    import pyarrow.compute as pc

    while is_list(column.type):
        column = pc.list_flatten(column)
    return column


def described(kind: pa.DataType) -> str:
    """A type in words: "arrays of shape (3, 3) of float", or as Arrow says it."""
    shape = shape_of(kind)
    return str(kind) if shape is None else f"arrays of shape {shape} of {leaf(kind)[1]}"


def to_numpy(name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Arrays of a column, float32, shape (n, ...); NaN where an element or a row is missing.

    Raises:
        InvalidInputError: Rows of several shapes, or none from which to know it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.combine_chunks()
    known = np.asarray(whole.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    values = whole.filter(pa.array(known))
    fixed = shape_of(column.type)
    shape = [] if fixed is None else list(fixed)
    while is_list(values.type):
        if values.null_count:
            raise InvalidInputError(
                f"arrays of {name!r} lack whole lines",
                "Give each array all its lines, with NaN where nothing is known.",
            )
        if fixed is None:
            lengths = pc.unique(pc.list_value_length(values)).to_pylist()
            if len(lengths) != 1 or not lengths[0]:
                said = "no array" if not lengths else f"arrays of {_lengths(lengths)} values"
                raise InvalidInputError(
                    f"the feature {name!r} holds {said}, and a view needs one shape",
                    "Pad or crop the arrays to one shape before they are inserted, or filter() "
                    "the rows.",
                )
            shape.append(int(lengths[0]))
        values = values.flatten()
    out = np.full((len(known), *shape), np.nan, np.float32)
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    out[known] = (
        values.cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False).reshape(-1, *shape)
    )
    return out


def _lengths(lengths: Sequence[int]) -> str:
    return " and ".join(map(str, sorted(lengths)[:2])) if len(lengths) > 1 else str(lengths[0])


def cells_of(column: pa.ChunkedArray) -> list[object] | None:
    """Cells for pandas where its own would change values; None where they would not.

    Arrays of one shape are NumPy arrays of that shape. Whole numbers and truth values beside
    missing ones stay what they are, the gap is None.
    """
    shape = shape_of(column.type)
    gaps = _whole_with_gaps(column)
    if shape is None and not gaps:
        return None
    if shape is None:
        import pyarrow as pa

        if pa.types.is_struct(column.type):
            return list(column.to_pylist())
        return [_cell(row, column.type) for row in column.to_pylist()]
    out: list[object] = []
    for part in column.chunks:
        known = np.asarray(part.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        values = part.filter(part.is_valid())
        while is_list(values.type):
            values = values.flatten()
        if gaps:
            flat = np.array(values.to_pylist(), dtype=object)
        else:
            flat = values.to_numpy(zero_copy_only=False)
        arrays = iter(flat.reshape(-1, *shape))
        kind = values.type.to_pandas_dtype() if gaps else None
        out += [_settled(next(arrays), kind) if there else None for there in known]
    return out


def _settled(cell: np.ndarray, kind: type[np.generic] | None) -> np.ndarray:
    """A cell of a column in which some have gaps: without one it has its numbers' own type."""
    if kind is None or any(v is None for v in cell.flat):
        return cell
    return cell.astype(kind)


def _cell(value: object, kind: pa.DataType) -> object:
    """A list as pandas holds it, a NumPy array, but with None for what is missing in it."""
    if not isinstance(value, list) or not is_list(kind):
        return value
    inner = kind.value_type
    if axes_of(inner) or is_list(inner) or any(v is None for v in value):
        out = np.empty(len(value), dtype=object)
        out[:] = [_cell(v, inner) for v in value]
        return out
    return np.array(value, dtype=inner.to_pandas_dtype())


def _whole_with_gaps(column: pa.ChunkedArray) -> bool:
    """Whether lists or structs hold whole numbers or truth values beside missing ones."""
    import pyarrow as pa

    def within(array: pa.Array) -> Iterator[pa.Array]:
        if pa.types.is_struct(array.type):
            for part in array.flatten():
                yield part
                yield from within(part)
        elif is_list(array.type):
            values = array.flatten()
            yield values
            yield from within(values)

    if not pa.types.is_nested(column.type) or pa.types.is_map(column.type):
        return False
    return any(
        found.null_count and (pa.types.is_integer(found.type) or pa.types.is_boolean(found.type))
        for part in column.chunks
        for found in within(part)
    )


def is_mapping_of_columns(frame: object) -> TypeGuard[dict[str, object]]:
    """Whether a frame is plain columns by name: lists and NumPy arrays."""
    return isinstance(frame, dict)


def _would_be_rounded(values: object) -> TypeGuard[Sequence[object]]:
    """Whether a list holds whole numbers that pandas rounds, as it makes decimals of all beside."""
    if not isinstance(values, list | tuple) or all(isinstance(v, int) for v in values):
        return False
    return any(isinstance(v, int) and abs(v) > _EXACT for v in values)


def frame_of(columns: dict[str, object]) -> pd.DataFrame:
    """Columns by name as a DataFrame; an array (n, ...) is a column of n arrays.

    Raises:
        InvalidInputError: Columns of several lengths.
    """
    import pandas as pd

    def cells(values: object) -> object:
        if isinstance(values, np.ndarray):
            return one_cell_each(list(values)) if values.ndim > 1 else values
        return one_cell_each(values) if _would_be_rounded(values) else values

    def one_cell_each(values: Sequence[object]) -> np.ndarray:
        out = np.empty(len(values), dtype=object)
        for row, cell in enumerate(values):
            out[row] = cell
        return out

    try:
        return pd.DataFrame({name: cells(values) for name, values in columns.items()})
    except ValueError as error:
        raise InvalidInputError(
            f"the columns make no table: {error}", "Give each column one value a row."
        ) from error
