"""Times as users, STAC documents and CQL2 write them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np

from eolab.errors import InvalidInputError

_DATE = re.compile(
    r"^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)"
    r"(Z|z|[+-]\d{2}:?\d{2})?)?)?)?$"
)


Moment = str | date | datetime | np.datetime64
When = Moment | Sequence[Moment | None] | slice


def parse_interval(when: When | None) -> tuple[datetime | None, datetime | None]:
    """First and last instant of "2024-03/2024-10", "2024-03", a date, a pair, "../2024", a slice.

    A year, month or day means all of it; a datetime is an instant. Times without a zone are UTC.

    Raises:
        InvalidInputError: Not a time, or the end before the start.
    """
    if when is None:
        return None, None
    parts: Sequence[Moment | None]
    if isinstance(when, str):
        parts = when.split("/")
    elif isinstance(when, date | np.datetime64):  # a datetime is a date
        parts = [when]
    elif isinstance(when, slice):
        parts = [when.start, when.stop]
    else:
        parts = list(when) if hasattr(when, "__iter__") else []
    if len(parts) not in (1, 2):
        raise InvalidInputError(
            f"datetime = {when!r}", 'Write "2024-03/2024-10", "2024-03-05" or a pair.'
        )
    start = _moment(parts[0], when)[0]
    end = _moment(parts[-1], when)[1]
    if start is not None and end is not None and end < start:
        raise InvalidInputError(
            f"datetime = {when!r} ends before it starts", "Give the earlier time first."
        )
    return start, end


def _moment(value: Moment | None, when: object) -> tuple[datetime | None, datetime | None]:
    """First and last instant of what one side of an interval says."""
    if isinstance(value, np.datetime64):
        fine = np.datetime_data(value)[0] in ("ns", "ps", "fs", "as")
        # As fine as a datetime is; a day, month or year means all of it.
        value = str(value.astype("datetime64[us]") if fine else value)
    if value is None or value in ("", ".."):
        return None, None
    if isinstance(value, datetime):
        time = value if value.tzinfo else value.replace(tzinfo=UTC)
        return time.astimezone(UTC), time.astimezone(UTC)
    text = value.isoformat() if isinstance(value, date) else str(value).strip()
    found = _DATE.match(text)
    try:
        if not found:
            raise ValueError("not a date")
        year, month, day, clock, zone = found.groups()
        if clock:
            zone = "+00:00" if zone in (None, "Z", "z") else zone
            time = datetime.fromisoformat(f"{year}-{month}-{day}T{clock}{zone}").astimezone(UTC)
            return time, time
        first = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        last_month = int(month or 12)
        last_day = int(day or calendar.monthrange(int(year), last_month)[1])
        last = datetime(int(year), last_month, last_day, 23, 59, 59, 999_999, tzinfo=UTC)
        return first, last
    except ValueError as error:
        raise InvalidInputError(
            f"datetime = {when!r}: {text!r} is no time ({error})",
            'Write "2024-03/2024-10", "2024-03-05" or "2024-03-05T10:00:00Z/..".',
        ) from None


def stamp(time: datetime) -> str:
    """RFC 3339 in UTC, as STAC wants it."""
    text = time.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z"
