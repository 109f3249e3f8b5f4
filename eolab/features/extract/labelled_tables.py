"""Labelled tables made elsewhere: what are features, what is nodata, where samples are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.argument_checks import checked
from eolab.errors import InvalidInputError, NotFoundError, nearest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LabelledTable:
    """A table that is ready for a feature group.

    Attributes:
        frame: Key, label, position columns and features (float32, NaN for nodata).
        key: The column that names a sample.
        label: The label column.
        features: The feature columns.
        position: The columns of longitude and latitude; empty where there are none.
    """

    frame: pd.DataFrame
    key: str
    label: str
    features: tuple[str, ...]
    position: tuple[str, ...]


@checked
def read_labelled_table(
    path: str | os.PathLike[str],
    *,
    label: str,
    nodata: float | None = 65535,
    features: Sequence[str] | None = None,
    key: str | None = None,
) -> LabelledTable:
    """Read a parquet or CSV file with one labelled sample a row.

    Args:
        path: The file.
        label: The label column; rows without one are kept (a view leaves them out).
        nodata: The value that means "not seen" in the features; it becomes NaN.
        features: Patterns of feature columns ("OPTICAL-*"). By default the columns whose type has
            ``nodata`` as its largest value (65535: uint16), so that ids, years and codes that
            give the label away stay out; where there are none, all columns of decimals.
        key: The column that names a sample; by default ``sample_id`` where it does, else the
            row's number.

    Raises:
        NotFoundError: No such file or column.
        InvalidInputError: No table, no feature column, or a key that is there twice.
    """
    import pandas as pd

    path = Path(path)
    if not path.exists():
        raise NotFoundError(f"there is no file {path}", "Check the path.")
    try:
        frame = pd.read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"{path} cannot be read as a table: {error}", "Give a parquet or CSV file."
        ) from error
    names = [str(c) for c in frame.columns]
    for name in (label, *([key] if key else [])):
        if name not in names:
            raise NotFoundError(
                f"{path.name} has no column {name!r}", nearest(name, names, "columns")
            )
    position = next(
        (p for p in (("lon", "lat"), ("longitude", "latitude")) if set(p) <= set(names)), ()
    )
    selected = _features(frame, features, nodata, {label, key or "", *position})
    if key is None:
        key = "sample_id"
        if key not in names or not frame[key].is_unique or frame[key].isna().any():
            key = "sample"
            frame[key] = np.arange(len(frame))
    elif not frame[key].is_unique:
        raise InvalidInputError(
            f"the key {key!r} is not unique in {path.name}", "Name another column with key=."
        )
    values = frame[selected].astype("float32")
    if nodata is not None:
        values = values.mask(values == np.float32(nodata))
    head = frame[[key, label, *position]].reset_index(drop=True)
    return LabelledTable(
        pd.concat([head, values.reset_index(drop=True)], axis=1),
        key,
        label,
        tuple(selected),
        position,
    )


def _features(
    frame: pd.DataFrame, patterns: Sequence[str] | None, nodata: float | None, taken: set[str]
) -> list[str]:
    from fnmatch import fnmatchcase

    import pandas as pd

    numeric = [
        c for c in frame.columns if c not in taken and pd.api.types.is_numeric_dtype(frame[c])
    ]
    if patterns is not None:
        found = []
        for pattern in patterns:
            matched = [c for c in numeric if fnmatchcase(c, pattern)]
            if not matched:
                raise NotFoundError(
                    f"no number column matches {pattern!r}",
                    nearest(pattern, numeric, "number columns"),
                )
            found += matched
        return list(dict.fromkeys(found))
    sentinel = [
        c
        for c in numeric
        if nodata is not None
        and frame[c].dtype.kind in "iu"
        and np.iinfo(str(frame[c].dtype)).max == nodata
    ]
    found = sentinel or [c for c in numeric if frame[c].dtype.kind == "f"]
    if not found:
        raise InvalidInputError(
            "the table has no feature column", "Name them with features=['pattern*']."
        )
    return found
