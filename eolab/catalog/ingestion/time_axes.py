"""Times of a cube's axis by the CF conventions, whatever the axis is called and its calendar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import xarray as xr


class UnreadableAxisError(InvalidInputError):
    """An axis of a cube that no other reader reads better: GDAL would lose what is wrong of it."""


NAMES = ("time", "valid_time", "t", "date", "datetime", "dates", "times")
# Not when something was so, but when somebody computed it, and how far ahead.
_OTHERS = ("forecast_reference_time", "forecast_period")
_SINCE = re.compile(
    r"^\s*(\w+)\s+since\s+(\d+-\d+-\d+)(?:[T ]+([\d:.]+))?(?:\s*(?:Z|UTC|GMT|[+-]00?:?0*))?\s*$",
    re.IGNORECASE,
)
_REAL = ("standard", "gregorian", "proleptic_gregorian")
_YEARS = {"noleap": 365, "365_day": 365, "all_leap": 366, "366_day": 366}
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def is_time(axis: xr.DataArray) -> bool:
    """Whether an axis tells times: by its type, units or standard name, last by its own name."""
    if axis.attrs.get("standard_name") in _OTHERS or axis.dtype.kind == "m":
        return False
    if axis.dtype.kind == "M" or " since " in str(axis.attrs.get("units", "")):
        return True
    named = axis.attrs.get("standard_name") == "time" or axis.attrs.get("axis") == "T"
    return named or str(axis.name) in NAMES


def times_of(axis: xr.DataArray) -> list[datetime]:
    """The instants of an axis, UTC, to the second.

    Dates of calendars without leap years, with 360 days or a leap day every year are the days of
    the same name; what no real calendar has is refused.

    Raises:
        InvalidInputError: It cannot be read; the axis is named.
    """
    values = np.atleast_1d(axis.to_numpy())
    units, calendar = (str(axis.attrs.get(key, "")) for key in ("units", "calendar"))
    if " since " in units:
        return decode(values, units, calendar, str(axis.name))
    if values.dtype.kind == "f" and values.dtype.itemsize < 8 and (values > 2**24).any():
        raise UnreadableAxisError(
            f"its time axis {str(axis.name)!r} holds days such as {float(values[0]):.0f} as"
            f" {values.dtype}, which tells no day from the next",
            "Write them as float64, or by the CF conventions: units = 'days since 2000-01-01'.",
        )
    try:
        return [_plain(value) for value in values]
    except (ValueError, TypeError, OverflowError) as error:
        raise UnreadableAxisError(
            f"its time axis {str(axis.name)!r} holds {values[0]} without units",
            "Write them by the CF conventions, such as units = 'days since 2000-01-01'.",
        ) from error


def decode(values: np.ndarray, units: str, calendar: str, name: str) -> list[datetime]:
    """Numbers by the CF conventions.

    Args:
        values: Numbers.
        units: "hours since 1900-01-01", ...
        calendar: As CF names it; "" is the standard one.
        name: Of the axis, for messages.

    Raises:
        InvalidInputError: No such unit or calendar, or a day that no real calendar has.
    """
    calendar = calendar.lower() or "standard"
    found = _SINCE.match(units)
    hint = "Convert its times first: xarray.Dataset.convert_calendar('standard')."
    if calendar not in (*_REAL, *_YEARS, "360_day") or found is None:
        raise UnreadableAxisError(
            f"its time axis {name!r} in {units!r} (calendar {calendar!r}) cannot be read", hint
        )
    try:
        numbers = np.asarray(values, dtype=float)
        if found[1].lower().startswith(("month", "year")):
            return [_months_on(found, number) for number in numbers]
        if calendar in _REAL:
            return _real(values, units, calendar)
        return [_counted(found, number, calendar) for number in numbers]
    except (ValueError, TypeError, OverflowError, KeyError) as error:
        raise UnreadableAxisError(
            f"its time axis {name!r} in {units!r} (calendar {calendar!r}) cannot be read: {error}",
            hint,
        ) from error


def _real(values: np.ndarray, units: str, calendar: str) -> list[datetime]:
    import pandas as pd
    import xarray as xr

    raw = xr.Dataset({"t": ("t", values, {"units": units, "calendar": calendar})})
    decoded = xr.decode_cf(raw)["t"].to_numpy()
    times = pd.DatetimeIndex(decoded).round("s")
    if times.hasnans:
        raise ValueError("a time is missing")
    return [time.to_pydatetime().replace(tzinfo=UTC) for time in times]


def _months_on(units: re.Match[str], number: float) -> datetime:
    """Whole months or years after a date."""
    if number != round(number):
        raise ValueError("parts of months and years have no length")
    start = _start(units)
    months = int(number) * (12 if units[1].lower().startswith("year") else 1)
    total = start.year * 12 + start.month - 1 + months
    return start.replace(year=total // 12, month=total % 12 + 1)


def _start(units: re.Match[str]) -> datetime:
    year, month, day = (int(part) for part in units[2].split("-"))
    clock = [float(part) for part in (units[3] or "0:0:0").rstrip("Z").split(":")]
    hour, minute, second = (*clock, 0.0, 0.0)[:3]
    time = datetime(year, month, day, tzinfo=UTC)
    return time + timedelta(hours=hour, minutes=minute, seconds=second)


def _counted(units: re.Match[str], number: float, calendar: str) -> datetime:
    """A time of a calendar whose years are all alike, as the day of the same name."""
    unit = units[1].lower()
    key = next(k for k in _SECONDS if unit == k or unit.startswith({"min": "minute", "s": "sec",
               "h": "h", "d": "day", "w": "week"}[k]))  # fmt: skip
    year, month, day = (int(part) for part in units[2].split("-"))
    clock = [float(part) for part in (units[3] or "0:0:0").rstrip("Z").split(":")]
    hour, minute, second = (*clock, 0.0, 0.0)[:3]
    length = _YEARS.get(calendar, 360)
    lengths = [30] * 12
    if calendar in _YEARS:
        lengths = [days + (length == 366 and k == 1) for k, days in enumerate(_MONTHS)]
    seconds = round(hour * 3600 + minute * 60 + second + number * _SECONDS[key])
    days = year * length + sum(lengths[: month - 1]) + day - 1 + seconds // 86_400
    year, rest = divmod(days, length)
    month = 1
    for of_month in lengths:
        if rest < of_month:
            break
        rest -= of_month
        month += 1
    try:
        date = datetime(year, month, rest + 1, tzinfo=UTC)
    except ValueError:
        raise ValueError(
            f"{year:04d}-{month:02d}-{rest + 1:02d} is no day of the real one"
        ) from None
    return date + timedelta(seconds=seconds % 86_400)


def _plain(value: object) -> datetime:
    """A time that needs no units: a datetime, text, or a number such as 20210517."""
    import pandas as pd

    if isinstance(value, bytes):
        value = value.decode()
    part = pd.Timedelta(0)
    if isinstance(value, int | float | np.integer | np.floating):
        if not 19_000_101 <= value < 21_001_232:
            raise ValueError("no date")
        # CDO writes "day as %Y%m%d.%f": what stands behind the point is a part of the day.
        part = pd.Timedelta(days=float(value) % 1)
        value = f"{int(value)}"
    time = pd.Timestamp(value if isinstance(value, np.datetime64) else str(value)) + part
    if pd.isna(time):
        raise ValueError("no date")
    time = time.tz_localize("UTC") if time.tzinfo is None else time.tz_convert("UTC")
    return time.round("s").to_pydatetime()


def step_time(band: Mapping[str, str], whole: Mapping[str, str]) -> tuple[datetime, str] | None:
    """Time of a band and name of its axis by the tags that GDAL gives it, None without."""
    for key, value in band.items():
        for lead, trail in (("NETCDF_DIM_", ""), ("DIM_", "_VALUE")):
            if not (key.startswith(lead) and key.endswith(trail)):
                continue
            name = key[len(lead) : len(key) - len(trail)]
            unit = band.get(f"DIM_{name}_UNIT") or whole.get(f"{name}#units", "")
            if " since " in unit:
                calendar = whole.get(f"{name}#calendar", "")
                return decode(np.array([float(value)]), unit, calendar, name)[0], name
    return None
