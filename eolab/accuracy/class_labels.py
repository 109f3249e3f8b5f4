"""Names of a map's classes, and labels of a reference matched to them: never by guessing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eolab.errors import InvalidInputError, nearest

_WHOLE = re.compile(r"[+-]?\d+(\.0+)?")


@dataclass(frozen=True)
class ClassNames:
    """How codes are called.

    Attributes:
        by_code: Names by code.
        named: Whether somebody said them; else they are the codes as text.
    """

    by_code: dict[int, str]
    named: bool

    def of(self, code: int) -> str:
        return self.by_code.get(code, str(code))

    def code_of(self, key: object) -> int | None:
        """The code of a class given by name or code; None where it is neither."""
        if isinstance(key, str):
            named = [code for code, name in self.by_code.items() if name == key]
            if named:
                return named[0]
            return int(float(key)) if _WHOLE.fullmatch(key.strip()) else None
        return _whole(key)


def class_names(
    classes: Mapping[int, str] | None, stated: Mapping[int, str], codes: np.ndarray
) -> ClassNames:
    """Names as the user says them, else as the map does, else the codes.

    Args:
        classes: The user's, by code.
        stated: The map's own.
        codes: Codes of the map.

    Raises:
        InvalidInputError: Names without codes, two codes of one name, a code of the map without
            a name.
    """
    if classes is None:
        if stated and len(set(stated.values())) == len(stated):
            return ClassNames({int(c): stated.get(int(c), str(c)) for c in codes}, named=True)
        return ClassNames({int(c): str(c) for c in codes}, named=False)
    if not isinstance(classes, Mapping):
        raise InvalidInputError(
            "classes= needs the code of each name", "Write classes={1: 'wheat', 2: 'maize'}."
        )
    names: dict[int, str] = {}
    for key, name in classes.items():
        code = _whole(key)
        if code is None or not isinstance(name, str) or not name.strip():
            raise InvalidInputError(
                f"classes= has {key!r}: {name!r}, which is no code with a name",
                "Write classes={1: 'wheat', 2: 'maize'}: codes of the map first.",
            )
        if name in names.values():
            raise InvalidInputError(
                f"classes= calls two codes {name!r}",
                "Merge them in the map first (map.where(map != 2, 1)), or name them apart.",
            )
        names[code] = name
    missing = [int(c) for c in codes if int(c) not in names]
    if missing:
        raise InvalidInputError(
            f"the map holds the codes {', '.join(map(str, missing))}, which classes= does not name",
            "Name them, say nodata= if one means nothing, or leave them out by exclude=[...].",
        )
    return ClassNames(names, named=True)


def _whole(value: object) -> int | None:
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating) and math.isfinite(value) and value == int(value):
        return int(value)
    return None


def codes_of(keys: Sequence[object], names: ClassNames, codes: np.ndarray, what: str) -> list[int]:
    """Codes of classes given by name or code.

    Raises:
        InvalidInputError: One that the map does not hold.
    """
    found = []
    for key in keys if isinstance(keys, Iterable) and not isinstance(keys, str) else [keys]:
        code = names.code_of(key)
        if code is None or code not in codes:
            raise InvalidInputError(
                f"{what} names {key!r}, which the map does not hold",
                nearest(str(key), [names.of(int(c)) for c in codes], "classes"),
            )
        found.append(code)
    return found


@dataclass(frozen=True)
class MatchedLabels:
    """Labels as places in one list of classes.

    Attributes:
        index: Place of each label, -1 where there is none, shape (n,).
        classes: The map's classes, then those that only the reference has.
    """

    index: np.ndarray
    classes: tuple[str, ...]


def match_labels(
    labels: np.ndarray, names: ClassNames, codes: Sequence[int], column: str
) -> MatchedLabels:
    """Labels of a reference, by code or by name, as classes.

    Args:
        labels: One for each sampled pixel, dtype object; missing or blank ones have none.
        names: Of the map's classes.
        codes: Of the map's classes that are assessed, in the order of the matrix.
        column: Where the labels stand.

    Raises:
        InvalidInputError: A label is neither a code nor a name, or hardly differs from a name; or
            none is a class of the map.
    """
    import pandas as pd

    classes = [names.of(code) for code in codes]
    places: dict[object, int] = {}
    extra: list[str] = []
    index = np.full(len(labels), -1, dtype=np.int64)
    for i, value in enumerate(labels):
        if not pd.api.types.is_scalar(value):
            raise InvalidInputError(
                f"{column!r} holds {value!r}, which is no class", "Labels are codes or names."
            )
        if pd.isna(value):
            continue
        if isinstance(value, str) and not value.strip():
            continue
        key = (type(value).__name__, value)
        if key not in places:
            name = _class_of(value, names, codes, column)
            if name not in classes and name not in extra:
                extra.append(name)
            places[key] = (classes + extra).index(name)
        index[i] = places[key]
    known = index >= 0
    if known.any() and not (index[known] < len(classes)).any():
        raise InvalidInputError(
            f"no label of {column!r} is a class of the map: labels are {_some(extra)}, "
            f"classes {_some(classes)}",
            "Say how the map's codes are called: classes={1: 'wheat', ...}.",
        )
    return MatchedLabels(index, (*classes, *extra))


def _class_of(value: object, names: ClassNames, codes: Sequence[int], column: str) -> str:
    if isinstance(value, bool | np.bool_):
        if not set(codes) <= {0, 1}:
            raise InvalidInputError(
                f"{column!r} holds true and false, the map the codes {_some(list(codes))}",
                "Write the class of each sample, by code or name.",
            )
        return names.of(int(value))
    if isinstance(value, str):
        return _class_of_text(value, names, column)
    code = _whole(value)
    if code is None:
        raise InvalidInputError(
            f"{column!r} holds {value!r}, which is no class", "Labels are codes or names."
        )
    return names.of(code)


def _class_of_text(value: str, names: ClassNames, column: str) -> str:
    known = list(names.by_code.values())
    code = int(value.partition(".")[0]) if _WHOLE.fullmatch(value.strip()) else None
    if value in known:
        if code is not None and names.by_code.get(code, value) != value:
            other = next(c for c, name in names.by_code.items() if name == value)
            raise InvalidInputError(
                f"{column!r}: {value!r} is the code {code} and the name of {other}",
                f"Give codes as numbers (reference[{column!r}].astype(int)), or names apart.",
            )
        return value
    if code is not None:
        return names.of(code)
    if not names.named:
        raise InvalidInputError(
            f"{column!r} holds names ({value!r}), and the map codes without names",
            "Say how the codes are called: classes={1: 'wheat', 2: 'maize'}.",
        )
    alike = [name for name in known if folded(name) == folded(value)]
    if alike:
        raise InvalidInputError(
            f"the label {value!r} differs from the class {alike[0]!r} only in capitals or blanks",
            f"Write it alike: reference[{column!r}].replace({value!r}, {alike[0]!r}).",
        )
    return value


def folded(text: str) -> str:
    """A name without what capitals, blanks, underscores and hyphens tell apart."""
    return re.sub(r"[\s_-]+", " ", text).strip().casefold()


def _some(values: Sequence[object]) -> str:
    return ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")
