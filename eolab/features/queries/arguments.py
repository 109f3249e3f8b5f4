"""Checks of what users name: columns, lengths of time, days of a year."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eolab.errors import InvalidInputError, nearest

MONTH_DAY = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
_DAYS = re.compile(r"^\s*(\d+)\s*(D|h)\s*$")


def seconds(length: str, what: str) -> int:
    """A length of time as text, in seconds.

    Args:
        length: Days ("10D") or hours ("12h").
        what: The name of the argument, for the message.

    Raises:
        InvalidInputError: Neither.
    """
    match = _DAYS.match(length) if isinstance(length, str) else None
    if match is None or int(match[1]) == 0:
        raise InvalidInputError(
            f"{what}={length!r} is not a length of time", "Write days or hours: '10D', '12h'."
        )
    return int(match[1]) * (86400 if match[2] == "D" else 3600)


def require_columns(names: Sequence[str], available: Sequence[str], what: str) -> tuple[str, ...]:
    """The names, all of which must be available.

    Args:
        names: What was asked for.
        available: The columns that there are.
        what: What has these columns, for the message.

    Raises:
        InvalidInputError: One is not available, or one is named twice.
    """
    for name in names:
        if name not in available:
            raise InvalidInputError(
                f"no column {name!r} in {what}", nearest(str(name), list(available), "columns")
            )
    if len(set(names)) < len(names):
        raise InvalidInputError(f"a column is named twice in {list(names)}", "Name each once.")
    return tuple(names)
