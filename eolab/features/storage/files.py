"""Writing to disk: one writer at a time, and failures reported in words that help."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import ConflictError, RemoteError
from eolab.files import writes

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import WriterProperties


# Readers share a file's work by its row groups, and pass over those out of range: this many rows.
_ROW_GROUP = 122_880


def writer(schema: pa.Schema) -> WriterProperties:
    """Decimals without a dictionary: few repeat, and looking for repeats costs half a write."""
    import pyarrow as pa
    from deltalake import ColumnProperties, WriterProperties

    plain = ColumnProperties(dictionary_enabled=False)
    return WriterProperties(
        max_row_group_size=_ROW_GROUP,
        column_properties={f.name: plain for f in schema if pa.types.is_floating(f.type)},
    )


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which is ``folder`` in the end: all or nothing.

    Raises:
        ConflictError: The folder is there.
        RemoteError: It cannot be written; nothing is left.
    """
    try:
        with writes.draft_folder(folder) as draft:
            yield draft
    except FileExistsError as error:
        raise ConflictError(f"{folder} is there already", "Take another name.") from error
    except OSError as error:
        raise RemoteError(
            f"{folder} cannot be written: {error.strerror or error}",
            "Nothing is left of it; free some space and try again.",
        ) from error


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Report a failed write as a `RemoteError`."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> RemoteError:
    words = str(error)
    full = (
        getattr(error, "errno", None) == errno.ENOSPC
        or "No space left" in words
        or "os error 28" in words
    )
    large = "File too large" in words or "os error 27" in words or "quota" in words.lower()
    if full or large:
        return RemoteError(
            f"the disk that holds {path} is full; nothing was inserted",
            "Free some space and insert again.",
        )
    return RemoteError(
        f"{path} cannot be written: {words.splitlines()[0]}",
        "Nothing was inserted; check the folder and insert again.",
    )
