"""Seasons, their steps, and filling the empty ones."""

from __future__ import annotations

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.queries.arguments import seconds
from eolab.features.queries.query import Steps

# A time later than all others, for labels without one: 9999-12-31, microseconds since the epoch.
NO_TIME = 253402214400000000


def windows(
    times: np.ndarray, steps: Steps, seen: tuple[int, int] | None
) -> tuple[np.ndarray, np.ndarray]:
    """First and last moment (excluded) of each row's season, microseconds, shape (n,).

    Args:
        times: Event times of the rows; `NO_TIME` where they have none.
        steps: The sequence.
        seen: Earliest and latest observation, for rows without a time.

    Raises:
        InvalidInputError: Rows without a time, and observations of several seasons.
    """
    import pandas as pd

    if steps.last is not None:
        if (times == NO_TIME).any():
            raise InvalidInputError(
                f"last={steps.last!r}, and some labels have no event time",
                "Make the label group with event_time=, or write dates in sequence().",
            )
        # What was observed at the label's very time belongs to it, what a whole window before not.
        span = seconds(steps.last, "last") * 1_000_000
        return times - span + 1, times + 1
    day = np.timedelta64(1, "D")
    if len(steps.start) != 5:
        first = pd.Timestamp(steps.start)
        last = pd.Timestamp(steps.end)
        stamps = [
            s.tz_localize("UTC") if s.tzinfo is None else s.tz_convert("UTC") for s in (first, last)
        ]
        low, high = (int(s.timestamp() * 1e6) for s in stamps)
        # A bare date is the whole day.
        high += 86_400_000_000 if len(steps.end) <= 10 else 0
        return np.full(len(times), low), np.full(len(times), high)
    stamps_np = times.astype("datetime64[us]")
    if len(times) and (times == NO_TIME).any():
        if seen is None:
            return np.zeros(len(times), np.int64), np.zeros(len(times), np.int64)
        low_year = season_of(np.array([seen[0]], "datetime64[us]"), steps.start)[0]
        high_year = season_of(np.array([seen[1]], "datetime64[us]"), steps.start)[0]
        if low_year != high_year:
            raise InvalidInputError(
                "the labels have no event time and the observations are of several seasons "
                f"({low_year} to {high_year})",
                "Give the label group an event_time, or write full dates in sequence().",
            )
        years = np.full(len(times), low_year)
    else:
        years = season_of(stamps_np, steps.start)
    over = 1 if steps.end < steps.start else 0
    begin = np.array([season_start(int(y), steps.start) for y in years], "datetime64[D]").astype(
        "datetime64[us]"
    )
    finish = np.array(
        [season_start(int(y) + over, steps.end) + day for y in years], "datetime64[D]"
    ).astype("datetime64[us]")
    return begin.astype(np.int64), finish.astype(np.int64)


def season_of(times: np.ndarray, start: str) -> np.ndarray:
    """The year in which the season began that began last at or before each time."""
    years = times.astype("datetime64[Y]").astype(int) + 1970
    begins = np.array([season_start(int(y), start) for y in years], "datetime64[D]")
    return np.asarray(np.where(times.astype("datetime64[D]") < begins, years - 1, years))


def season_start(year: int, month_day: str) -> np.datetime64:
    """A day of a year; 29 February is the 28th in other years."""
    if month_day == "02-29" and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        month_day = "02-28"
    return np.datetime64(f"{year:04d}-{month_day}", "D")


def step_names(steps: Steps) -> tuple[str, ...]:
    """A name for each step: its first day; of windows up to the label, how long before."""
    if steps.last is not None:
        unit = steps.every.strip()[-1]
        size = 86400 if unit == "D" else 3600
        length = seconds(steps.every, "every")
        count = seconds(steps.last, "last") // length
        return tuple(f"-{(count - i) * length // size}{unit}" for i in range(count))
    # A year without a 29 February, so that a season has the same number of steps in each year.
    first = (
        season_start(2001, steps.start)
        if len(steps.start) == 5
        else np.datetime64(steps.start[:10], "D")
    )
    if len(steps.start) == 5:
        last = season_start(2002 if steps.end < steps.start else 2001, steps.end)
    else:
        last = np.datetime64(steps.end[:10], "D")
    span = int((last - first).astype(int) + 1) * 86400
    every = seconds(steps.every, "every")
    count = -(-span // every)
    moments = [first.astype("datetime64[s]") + np.timedelta64(every * i, "s") for i in range(count)]
    unit, cut = (
        ("D", 5 if len(steps.start) == 5 else 0)
        if every % 86400 == 0
        else ("m", 5 if len(steps.start) == 5 else 0)
    )
    return tuple(str(m.astype(f"datetime64[{unit}]"))[cut:] for m in moments)


def filled(X: np.ndarray, how: str, gap: int, last: np.ndarray) -> np.ndarray:
    """Fill empty steps of arrays (n, t, f).

    Args:
        X: Values, NaN where empty.
        how: "previous" or "linear".
        gap: Longest run of empty steps that is filled.
        last: For each row the last step that had begun at its event time, shape (n,); nothing
            later is filled.
    """
    n, t, f = X.shape
    index = np.arange(t)[None, :, None]
    known = ~np.isnan(X)
    before = np.maximum.accumulate(np.where(known, index, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, index, t)[:, ::-1], axis=1)[:, ::-1]
    rows, _, columns = np.ogrid[:n, :t, :f]
    left = X[rows, np.clip(before, 0, t - 1), columns]
    run_length = np.where(after < t, after, np.clip(last, 0, t - 1)[:, None, None] + 1) - before - 1
    usable = ~known & (before >= 0) & (run_length <= gap) & (index <= last[:, None, None])
    if how == "previous":
        return np.where(usable, left, X)
    right = X[rows, np.clip(after, 0, t - 1), columns]
    weight = (index - before) / np.maximum(after - before, 1)
    return np.where(usable & (after < t), left + (right - left) * weight, X).astype(X.dtype)
