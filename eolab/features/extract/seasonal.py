"""From dated rows to one row a season: statistics, harmonics and phenology.

What a season says is known when it ends: the event time of its row is the end of its window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.argument_checks import checked
from eolab.deprecation import old_names
from eolab.errors import InvalidInputError, nearest
from eolab.features.frame_attrs import CUBE, ITEMS
from eolab.features.queries.arguments import MONTH_DAY
from eolab.features.queries.time_steps import season_of, season_start

if TYPE_CHECKING:
    import pandas as pd

PHENOLOGY = ("start", "peak", "end", "amplitude", "integral")
_STATS: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda v: float(v.mean()),
    "median": lambda v: float(np.median(v)),
    "min": lambda v: float(v.min()),
    "max": lambda v: float(v.max()),
    "std": lambda v: float(v.std(ddof=1)) if len(v) > 1 else float("nan"),
}
_DAY = np.timedelta64(1, "D")


@checked
def seasonal_features(
    rows: pd.DataFrame,
    *,
    columns: Sequence[str],
    start: str,
    end: str,
    id: str = "parcel_id",
    time: str = "time",
    stats: Sequence[str] = ("median",),
    harmonics: int = 0,
    phenology: bool = False,
    threshold: float = 0.2,
    min_observations: int = 3,
) -> pd.DataFrame:
    """One row a thing and season.

    Args:
        rows: Dated rows, for example from `extract.zonal`.
        columns: What to aggregate.
        start: First day of the season ("03-01").
        end: Its last day, included; before ``start`` it is in the next year ("10-01" to "07-31").
        id: Column that names a thing.
        time: Column of time stamps with a zone.
        stats: "mean", "median", "min", "max", "std", "q25" (any quantile).
        harmonics: Order of a harmonic fit, whose period is the season's length:
            value = mean + sum over k of (cos_k cos(2 pi k t) + sin_k sin(2 pi k t)), t from 0 to 1
            (Jakubauskas, Legates and Kastens 2001, PE&RS 67, 461-470). Gives
            ``<column>_h0``, ``<column>_cos1``, ``<column>_sin1``, ...
        phenology: Give ``<column>_start``, ``_peak``, ``_end`` (days since the season's first),
            ``_amplitude`` and ``_integral`` (see `phenology_of`).
        threshold: Share of the amplitude that begins and ends growth.
        min_observations: With fewer values a thing's figures are NaN.

    Returns:
        ``id``, ``season_end`` (UTC: the moment after the last day), the figures, and
        ``observations`` (dates in the season).

    Raises:
        InvalidInputError: Unknown column or statistic, bad dates, naive time stamps, no row in a
            season.

    Example:
        >>> season = eo.seasonal_features(
        ...     rows, columns=["red_median"], start="05-01", end="06-30", stats=["mean", "std"],
        ...     min_observations=2,
        ... )
        >>> season.columns.tolist()
        ['parcel_id', 'season_end', 'red_median_mean', 'red_median_std', 'observations']
    """
    import pandas as pd

    # In here, not above: digests of the first studies hold the names that our functions use.
    from eolab.features.frame_attrs import LAYERS

    if not columns or not (stats or harmonics or phenology):
        raise InvalidInputError(
            "nothing is asked for: columns= or stats= are empty",
            "Name one or more of both, for example columns=['ndvi'], stats=['median'].",
        )
    for name in (*columns, id, time):
        if name not in rows.columns:
            names = [str(c) for c in rows.columns]
            raise InvalidInputError(
                f"the rows have no column {name!r}", nearest(name, names, "columns")
            )
    for day in (start, end):
        if not MONTH_DAY.match(day):
            raise InvalidInputError(f"{day!r} is no day of a year", "Write month and day: '03-01'.")
    statistics = {s: _statistic(s) for s in stats}
    if getattr(rows[time].dtype, "tz", None) is None:
        raise InvalidInputError(
            f"the time stamps of {time!r} have no time zone", "Use .dt.tz_localize('UTC')."
        )
    moments = rows[time].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    years = season_of(moments, start)
    over = int(end < start)
    unique = np.unique(years)
    first = dict(zip(unique, [season_start(int(y), start) for y in unique], strict=True))
    after = {y: season_start(int(y) + over, end) + _DAY for y in unique}
    begin = np.array([first[y] for y in years], "datetime64[D]").astype("datetime64[us]")
    finish = np.array([after[y] for y in years], "datetime64[D]").astype("datetime64[us]")
    inside = moments < finish
    if not inside.any():
        raise InvalidInputError(f"no row is between {start} and {end}", "Take another season.")
    days = (moments - begin) / _DAY
    frame = pd.DataFrame({id: rows[id].to_numpy(), "_year": years, "_day": days})
    for column in columns:
        frame[column] = rows[column].to_numpy(dtype=np.float64)
    out = []
    for (identity, year), part in frame[inside].groupby([id, "_year"], sort=True):
        length = float((after[year] - first[year]) / _DAY)
        row: dict[str, object] = {id: identity, "season_end": pd.Timestamp(after[year], tz="UTC")}
        for column in columns:
            values = part[column].to_numpy()
            known = ~np.isnan(values)
            enough = known.sum() >= max(min_observations, 1)
            order = np.argsort(part["_day"].to_numpy()[known], kind="stable")
            day, value = part["_day"].to_numpy()[known][order], values[known][order]
            for name, call in statistics.items():
                row[f"{column}_{name}"] = call(value) if enough else np.nan
            if harmonics:
                row |= _harmonics(column, day / length, value, harmonics, enough=bool(enough))
            if phenology:
                found = phenology_of(day, value, threshold=threshold) if enough else {}
                row |= {f"{column}_{n}": found.get(n, np.nan) for n in PHENOLOGY}
        row["observations"] = len(part)
        out.append(row)
    table = pd.DataFrame(out)
    kept = (ITEMS, CUBE, LAYERS)
    table.attrs.update({name: rows.attrs[name] for name in kept if name in rows.attrs})
    return table


def _statistic(name: str) -> Callable[[np.ndarray], float]:
    if name in _STATS:
        return _STATS[name]
    if name.startswith("q") and name[1:].isdigit() and int(name[1:]) <= 100:
        q = int(name[1:]) / 100
        return lambda v: float(np.quantile(v, q))
    raise InvalidInputError(f"unknown statistic {name!r}", nearest(name, [*_STATS, "q25", "q75"]))


def _harmonics(
    column: str, t: np.ndarray, value: np.ndarray, order: int, *, enough: bool
) -> dict[str, object]:
    names = [f"{column}_h0"]
    for k in range(1, order + 1):
        names += [f"{column}_cos{k}", f"{column}_sin{k}"]
    # Fewer values than unknowns would fit anything.
    if not enough or len(np.unique(t)) < len(names):
        return dict.fromkeys(names, np.nan)
    waves = [np.ones_like(t)]
    for k in range(1, order + 1):
        waves += [np.cos(2 * np.pi * k * t), np.sin(2 * np.pi * k * t)]
    found = np.linalg.lstsq(np.column_stack(waves), value, rcond=None)[0]
    return dict(zip(names, map(float, found), strict=True))


def phenology_of(day: np.ndarray, value: np.ndarray, *, threshold: float = 0.2) -> dict[str, float]:
    """Start, peak and end of growth of one series, by share of the amplitude.

    The series is joined by straight lines. Growth starts where the rise from the lowest value
    before the peak reaches ``threshold`` of it, and ends where the fall to the lowest value after
    the peak leaves the same share (Joensson and Eklundh 2004, Computers & Geosciences 30, 833-845).

    Args:
        day: Days, ascending, shape (n,).
        value: Values, shape (n,), none missing.
        threshold: Between 0 and 1.

    Returns:
        ``start``, ``peak``, ``end`` in days; ``amplitude``: the peak above the mean of both
        lowest values; ``integral``: value above that mean times days, from start to end. NaN for
        what is not inside the series.
    """
    top = int(value.argmax())
    left, right = float(value[: top + 1].min()), float(value[top:].min())
    base = (left + right) / 2
    peak = float(value[top])
    out = {"peak": float(day[top]), "amplitude": peak - base}
    rise = _crossing(day[: top + 1][::-1], value[: top + 1][::-1], left + threshold * (peak - left))
    fall = _crossing(day[top:], value[top:], right + threshold * (peak - right))
    out |= {"start": rise, "end": fall, "integral": float("nan")}
    if not (np.isnan(rise) or np.isnan(fall)):
        inner = day[(day > rise) & (day < fall)]
        at = np.concatenate([[rise], inner, [fall]])
        out["integral"] = float(np.trapezoid(np.interp(at, day, value) - base, at))
    return out


def _crossing(day: np.ndarray, value: np.ndarray, level: float) -> float:
    """The first day, walking from the peak, on which the series falls to a level."""
    below = np.flatnonzero(value <= level)
    if not len(below) or below[0] == 0:
        return float("nan")
    i = int(below[0])
    share = (value[i - 1] - level) / (value[i - 1] - value[i])
    return float(day[i - 1] + share * (day[i] - day[i - 1]))


__getattr__ = old_names(__name__, {"seasonal": "seasonal_features"})
