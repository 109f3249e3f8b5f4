"""SQL on DuckDB: names, connections, and clear errors for a user's conditions."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


_WILD = re.compile(r"[*?\[]")


def quote_identifier(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_identifiers(names: Sequence[str], prefix: str = "") -> str:
    """SQL identifiers with commas between."""
    return ", ".join(prefix + quote_identifier(name) for name in names)


def quote_literal(value: str) -> str:
    """An SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


# Starting and ending an engine takes longer than a small read, so that the last few stay, by the
# folder into which they spill. What they hold between queries is threads that sleep.
_ENGINES = 4
_engines: dict[Path, DuckDBPyConnection] = {}
_guard = threading.Lock()


@contextmanager
def connect(folder: Path) -> Iterator[DuckDBPyConnection]:
    """A DuckDB connection in memory, in UTC, that spills below ``folder`` when memory is short.

    Only what is TEMP is the connection's own, and goes with it.
    """
    con = _cursor(folder)
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET enable_progress_bar = false")
        yield con
    finally:
        con.close()


def engine_folders() -> tuple[Path, ...]:
    """The folders whose engines are kept for the next connection, the newest last."""
    return tuple(_engines)


def _cursor(folder: Path) -> DuckDBPyConnection:
    with _guard:
        engine = _engines.pop(folder, None) or _engine(folder)
        _engines[folder] = engine
        while len(_engines) > _ENGINES:
            # Forgotten, not closed: that would close its connections, and those in use keep it.
            del _engines[next(iter(_engines))]
        return engine.cursor()


def _engine(folder: Path) -> DuckDBPyConnection:
    import duckdb

    engine = duckdb.connect()
    engine.execute(f"SET temp_directory = {quote_literal(str(folder / 'spill'))}")
    # It would hold files that were read in memory until that is short.
    engine.execute("SET enable_external_file_cache = false")
    return engine


def _before_fork() -> None:
    """Ends the engines: a child process would inherit them without their threads, and hang."""
    _guard.acquire()
    _engines.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_before_fork, after_in_parent=_guard.release, after_in_child=_guard.release
    )


def parquet(files: Sequence[str]) -> str:
    """The rows of Parquet files, of which some may lack columns."""
    # A bracket in a folder's name is no pattern, and "year=2024" is no column.
    names = (quote_literal(_WILD.sub(r"[\g<0>]", file)) for file in files)
    return f"read_parquet([{', '.join(names)}], union_by_name=true, hive_partitioning=false)"


# Both may be months: pandas takes the first for it.
_BOTH_WAYS = re.compile(r"\s*0?([1-9]|1[0-2])[-/. ](?!0?\1\b)0?([1-9]|1[0-2])[-/. ]\d{2,4}\b")


def moment(value: object) -> int | None:
    """A point in time as microseconds since the epoch; text without a zone is UTC.

    Raises:
        InvalidInputError: Not a time, a day that may be a month, or a time stamp object without a
            zone.
    """
    import pandas as pd

    if value is None:
        return None
    if isinstance(value, str) and _BOTH_WAYS.match(value):
        raise InvalidInputError(
            f"{value!r} is one day where the day comes first, and another where the month does",
            "Write the year first: '2024-07-01'.",
        )
    try:
        # With the zone "now" is that of UTC, too.
        zone = "UTC" if isinstance(value, str) else None
        stamp = pd.Timestamp(value, tz=zone)  # type: ignore[arg-type]  # what is no time is refused
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"{value!r} is not a point in time: {error}",
            "Write for example '2024-07-01T12:00:00Z'.",
        ) from error
    if pd.isna(stamp):
        raise InvalidInputError(
            f"{value!r} is not a point in time", "Write for example '2024-07-01T12:00:00Z'."
        )
    if stamp.tzinfo is None:
        raise InvalidInputError(
            f"{value!r} has no time zone", "Give it one, for example .tz_localize('UTC')."
        )
    # Not by nanoseconds, which end in 2262.
    return int(stamp.tz_convert(None).asm8.astype("datetime64[us]").astype("int64"))


def run(con: DuckDBPyConnection, sql: str) -> pa.Table:
    """The answer of a query that holds a user's condition.

    Raises:
        InvalidInputError: The condition is not valid.
    """
    with translate_condition_errors():
        return con.sql(sql).to_arrow_table()


@contextmanager
def translate_condition_errors() -> Iterator[None]:
    """Report a fault of a user's SQL condition as an `InvalidInputError`."""
    import duckdb

    try:
        yield
    except (duckdb.BinderException, duckdb.ParserException, duckdb.ConversionException) as error:
        raise InvalidInputError(
            f"the condition cannot be used: {str(error).splitlines()[0]}",
            'Write SQL on the group\'s columns, for example "ndvi > 0.3".',
        ) from error
