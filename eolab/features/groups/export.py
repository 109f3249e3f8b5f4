"""A group's current rows as a file that other programs read: GeoParquet or GeoPackage."""

from __future__ import annotations

import contextlib
import uuid
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import ConflictError, InvalidInputError, RemoteError
from eolab.features.geometry import RowGeometry, shapes, to_pandas
from eolab.files import disk
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

ENDINGS = (".parquet", ".gpkg")


class MillisecondsKept(UserWarning):
    """A GeoPackage keeps time stamps to the millisecond, and some were finer."""


def export(table: pa.Table, geometry: RowGeometry | None, path: Path) -> Path:
    """Write rows into a new file, whole or not at all; see `FeatureGroup.export`."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InvalidInputError(
            f"{path.name} ends in none of {', '.join(ENDINGS)}",
            "GeoParquet takes every column, GeoPackage is read by every GIS.",
        )
    if path.exists():
        raise ConflictError(f"{path} is there already", "Take another name, or remove it.")
    if not path.parent.is_dir():
        raise RemoteError(f"there is no folder {path.parent}", "Make it, or take another one.")
    if geometry is None and ending == ".gpkg":
        raise InvalidInputError(
            "the group has no geometry, and a GeoPackage needs one", "Export it as .parquet."
        )
    draft = path.with_name(f".{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        if geometry is None:
            import pyarrow.parquet as pq

            pq.write_table(table, draft)
        elif ending == ".parquet":
            _write_geoparquet(table, geometry, draft)
        else:
            _write_geopackage(_storable(table, geometry, path), geometry, draft, path.stem)
        draft.rename(path)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        if reason := disk.trouble(error):
            full = "its disk is full" if reason == "full" else "its folder cannot be written to"
            raise RemoteError(
                f"{path} cannot be written: {full}", "Make room, or take another folder."
            ) from error
        if isinstance(error, OSError):
            raise RemoteError(f"{path} cannot be written: {error}", "Check the folder.") from error
        raise InvalidInputError(
            f"{path.name} cannot hold these columns: {error}", "Take .parquet, which holds all."
        ) from error
    finally:
        for left in (draft, draft.with_name(f"{draft.name}-journal")):
            with contextlib.suppress(OSError):  # what went wrong counts, not tidying up
                left.unlink(missing_ok=True)
    return path


def _storable(table: pa.Table, geometry: RowGeometry, path: Path) -> pa.Table:
    """The columns in types that a GeoPackage has, values unchanged.

    GDAL would write what it does not know as text, cut text at a NUL and round numbers.

    Raises:
        InvalidInputError: It cannot hold one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known: dict[str, str] = {}
    finer = []
    for place, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if len(geometry.columns) == 1 and name == geometry.columns[0]:
            continue
        kind, why = column.type, ""
        if name.casefold() in known:
            why = f"it knows no difference between {known[name.casefold()]!r} and {name!r}"
        elif pa.types.is_nested(kind):
            why = f"{name!r} holds lists ({kind})"
        elif pa.types.is_uint64(kind):
            largest = pc.max(column).as_py() or 0
            if largest >= 2**63:
                why = f"{largest} in {name!r} is larger than its whole numbers"
            else:
                table = table.set_column(place, name, column.cast(pa.int64()))
        elif pa.types.is_decimal(kind):
            values = [each for each in column.to_pylist() if each is not None]
            if any(Decimal(repr(float(each))) != each for each in values):
                why = f"{name!r} holds decimals of more digits than its numbers have"
            else:
                table = table.set_column(place, name, column.cast(pa.float64()))
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            if pc.any(pc.match_substring(column, "\0")).as_py():
                why = f"a text in {name!r} holds a NUL character, which would end it"
        elif pa.types.is_timestamp(kind) and kind.unit in {"us", "ns"}:
            whole = column.cast(pa.timestamp("ms", kind.tz), safe=False)
            if not whole.cast(kind).equals(column):
                finer.append(name)
        if why:
            raise InvalidInputError(
                f"{path.name} cannot hold these columns: {why}", "Take .parquet, which holds all."
            )
        known[name.casefold()] = name
    if finer:
        warn(
            f"{path.name} keeps milliseconds, and time stamps of {', '.join(finer)} are finer: the "
            "rest is cut off. A .parquet keeps them as they are.",
            MillisecondsKept,
        )
    return table


def _write_geoparquet(table: pa.Table, geometry: RowGeometry, path: Path) -> None:
    """By GeoPandas, but for lists, arrays and structs: those stay as Arrow holds them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    _located(table.drop_columns(nested), geometry).to_parquet(path)
    if not nested:
        return
    made = pq.read_table(path)
    known = made.schema.metadata
    for name in nested:
        made = made.append_column(table.schema.field(name), table.column(name))
    others = [name for name in made.column_names if name not in table.column_names]
    made = made.select([*table.column_names, *others])
    # What pandas notes of the columns would lack these.
    pq.write_table(made.replace_schema_metadata({b"geo": known[b"geo"]}), path)


def _write_geopackage(table: pa.Table, geometry: RowGeometry, path: Path, layer: str) -> None:
    frame = _located(table, geometry)
    # By default its own number of a row and the shape take names that columns may have.
    number = "fid"
    while number in {name.casefold() for name in frame.columns}:
        number += "_"
    names = {"FID": number, "GEOMETRY_NAME": str(frame.geometry.name)}
    # Through Arrow: dates, truth values and whole numbers with missing ones stay what they are.
    frame.to_file(path, driver="GPKG", layer=layer, use_arrow=True, layer_options=names)


def _located(table: pa.Table, geometry: RowGeometry) -> gpd.GeoDataFrame:
    """The rows with shapes and CRS; points are made of columns of coordinates."""
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa

    frame = to_pandas(table, geometry)
    if isinstance(frame, gpd.GeoDataFrame):
        located = frame
    else:
        name = "geometry"
        while name in frame.columns:
            name += "_"
        frame = frame.assign(**{name: shapes(frame, geometry)})
        located = gpd.GeoDataFrame(frame, geometry=name, crs=geometry.crs)
    # With missing ones among them pandas makes them floats and objects, which a file would keep.
    kinds = {getattr(pa, f"{k}{n}")(): getattr(pd, f"{t}{n}Dtype")()
             for k, t in (("int", "Int"), ("uint", "UInt")) for n in (8, 16, 32, 64)}  # fmt: skip
    kinds[pa.bool_()] = pd.BooleanDtype()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count and column.type in kinds:
            located[name] = column.to_pandas(types_mapper=kinds.get)
    return located
