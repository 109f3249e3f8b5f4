"""One picture a period out of many dates, with the number of clear looks at each pixel."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from eolab.catalog.cube.odc_adapter import known_values
from eolab.catalog.cube.radar import check_one_orbit, radar_bands
from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import dask.array as da
    import pandas as pd
    import xarray as xr

METHODS = ("median", "medoid", "geomedian", "mean")
_BLOCK = 32_768  # pixels of which the dates are gathered at once
_NETWORK = 40  # dates up to which comparing whole rows is quicker than sorting each pixel's
_TURN = 4_096  # pixels at once: as many as stay near the processor
_PERIOD = re.compile(r"^(\d+)(D|W|M|Y)$")


def composite(
    cube: xr.Dataset,
    method: Literal["median", "medoid", "geomedian", "mean"] = "median",
    *,
    period: str = "1M",
) -> xr.Dataset:
    """Reduce the dates of each period to one.

    * ``median``, ``mean``: band by band; a pixel's bands may come from different dates.
    * ``medoid``: the date whose bands are nearest to all others, so that bands stay consistent
      (Flood 2013, doi:10.3390/rs5126481).
    * ``geomedian``: the point in band space with the least sum of distances to all dates
      (Roberts et al. 2017, doi:10.1109/TGRS.2017.2723896), by Weiszfeld's iteration.

    Args:
        cube: Variables (time, y, x), NaN where masked (stored integers: their nodata). Radar of
            one orbit: others see the ground from another side.
        method: How dates are reduced; a date counts for a pixel where all bands are known.
        period: Such as "10D", "2W", "1M", "1Y"; months and years begin with the calendar's.

    Returns:
        The variables by period (time is its first day, the coordinate ``time_end`` the moment
        after its last), NaN where no date is clear, and ``count``, the number of clear dates,
        int16. The scenes of a period are named in ``item_id``, who took them in ``platform``. Of a
        lazy cube it is lazy.

    Raises:
        InvalidInputError: Another method or period, variables without time, radar of several
            orbits.
    """
    import pandas as pd
    import xarray as xr

    if method not in METHODS:
        raise InvalidInputError(f"no composite {method!r}", nearest(method, METHODS, "methods"))
    names = [str(name) for name, band in cube.data_vars.items() if "time" in band.dims]
    if not names:
        raise InvalidInputError("the cube has no variable with time", "Load it with eo.load.")
    if radar_bands(cube):
        check_one_orbit(cube, "Compose")
    times = pd.DatetimeIndex(cube["time"].values)
    starts = _starts(times, period)
    bands = [known_values(cube[name]).transpose("time", "y", "x").data for name in names]
    dates = [starts == start for start in starts.unique()]
    lazy = any(cube[name].chunks is not None for name in names)
    made = _lazily(bands, dates, method) if lazy else _at_once(bands, dates, method)
    coords = {"time": starts.unique(), **{k: cube[k] for k in ("y", "x")}}
    coords["time_end"] = "time", _ends(starts.unique(), period)
    if "item_id" in cube.coords:
        # Zarr gives them back in a type of NumPy's that cannot be cast.
        names_of = np.array([str(v) for v in np.atleast_1d(cube["item_id"].to_numpy())])
        scenes = [",".join(names_of[starts == s]) for s in starts.unique()]
        coords["item_id"] = "time", np.array(scenes, dtype=object)
    if "platform" in cube.coords:
        said = [str(v) for v in np.atleast_1d(cube["platform"].to_numpy())]
        flown = np.broadcast_to(np.array(said), len(times))
        each = [sorted({p for p in flown[starts == s] if p}) for s in starts.unique()]
        coords["platform"] = "time", np.array([",".join(names) for names in each], dtype=object)
    if "spatial_ref" in cube.coords:
        coords["spatial_ref"] = cube["spatial_ref"]
    periods = xr.concat([xr.DataArray(part, dims=("band", "y", "x")) for part in made], "time")
    out = {name: periods.isel(band=k) for k, name in enumerate(names)}
    out["count"] = periods.isel(band=-1).astype(np.int16)
    if "spatial_ref" in coords:  # by which a saved file says where it lies
        out = {name: band.assign_attrs(grid_mapping="spatial_ref") for name, band in out.items()}
    return xr.Dataset(
        out,
        coords=coords,
        attrs={**cube.attrs, "composite": f"{method} over {period}"},
    )


def _reduce(part: np.ndarray, method: str) -> np.ndarray:
    """One period: (bands, dates, y, x) -> (bands and the count of clear dates, y, x).

    float32, or float64 where a band has more digits than that.
    """
    kind = np.result_type(part.dtype, np.float32)
    # A median is exact in its own type; what adds up is not.
    part = part.astype(kind if method == "median" else np.float64)
    clear = np.isfinite(part).all(axis=0)
    part[:, ~clear] = np.nan
    return np.concatenate([_REDUCE[method](part), clear.sum(axis=0)[None]]).astype(kind)


def _at_once(bands: list[np.ndarray], dates: list[np.ndarray], method: str) -> list[np.ndarray]:
    """Some rows at a time: beside the cube no more is in memory than what is made of it."""
    kind = np.result_type(*bands, np.float32)
    high, wide = bands[0].shape[1:]
    made = []
    for of_period in dates:
        numbers = np.flatnonzero(of_period)
        out = np.empty((len(bands) + 1, high, wide), kind)
        step = max(1, _BLOCK // max(1, wide))
        for first in range(0, high, step):
            rows = slice(first, first + step)
            part = np.stack([np.asarray(band[numbers, rows], kind) for band in bands])
            out[:, rows] = _reduce(part, method)
        made.append(out)
    return made


def _lazily(bands: list[da.Array], dates: list[np.ndarray], method: str) -> list[da.Array]:
    """The same on dask: chunk by chunk of the area, when it is asked for."""
    import dask.array as da

    stack = da.stack(bands)
    made = []
    for of_period in dates:
        part = stack[:, of_period].rechunk({0: -1, 1: -1})
        made.append(
            da.map_blocks(
                _reduce,
                part,
                method,
                drop_axis=1,
                chunks=((len(bands) + 1,), *part.chunks[2:]),
                meta=np.empty((0, 0, 0), dtype=np.result_type(stack.dtype, np.float32)),
            )
        )
    return made


def _starts(times: pd.DatetimeIndex, period: str) -> pd.DatetimeIndex:
    """First day of the period of each time."""
    import pandas as pd

    found = _PERIOD.match(str(period))
    if not found or int(found[1]) < 1:
        raise InvalidInputError(f"period = {period!r}", 'Write "10D", "2W", "1M" or "1Y".')
    count, unit = int(found[1]), found[2]
    if unit in "DW":
        days = count * (7 if unit == "W" else 1)
        first = times.min().normalize()
        steps = (times.normalize() - first).days // days
        return pd.DatetimeIndex([first + pd.Timedelta(days=int(s) * days) for s in steps])
    months = count * (12 if unit == "Y" else 1)
    number = (times.year * 12 + times.month - 1) // months * months
    return pd.DatetimeIndex([pd.Timestamp(int(n) // 12, int(n) % 12 + 1, 1) for n in number])


def _ends(starts: pd.DatetimeIndex, period: str) -> pd.DatetimeIndex:
    """The moment at which the period that begins then is over."""
    import pandas as pd

    found = _PERIOD.match(period)
    assert found is not None, "_starts has checked it"
    count, unit = int(found[1]), found[2]
    if unit in "DW":
        return starts + pd.Timedelta(days=count * (7 if unit == "W" else 1))
    return starts + pd.DateOffset(months=count * (12 if unit == "Y" else 1))


def _median(part: np.ndarray) -> np.ndarray:
    """(bands, dates, y, x) -> (bands, y, x); of a pixel all bands are known at a date, or none."""
    known = np.isfinite(part[0]).sum(axis=0)
    looks = np.where(np.isfinite(part), part, np.inf)  # what is unknown comes last
    dates = [looks[:, k] for k in range(looks.shape[1])]
    if len(dates) <= _NETWORK:
        for a, b in _comparisons(len(dates)):
            low = np.minimum(dates[a], dates[b])
            np.maximum(dates[a], dates[b], out=dates[b])
            dates[a] = low
    else:
        dates = list(np.sort(looks, axis=1).swapaxes(0, 1))
    out = np.full(dates[0].shape, np.nan, dtype=np.float64)
    for count in np.unique(known):
        if count:
            at = known == count
            one, two = dates[int(count - 1) // 2], dates[int(count) // 2]
            np.copyto(out, (one.astype(np.float64) + two) / 2, where=at)
    return out


@lru_cache(maxsize=64)
def _comparisons(count: int) -> tuple[tuple[int, int], ...]:
    """Pairs whose comparison in this order sorts so many numbers: Batcher's odd-even merge sort.

    Knuth, The Art of Computer Programming 3, section 5.2.2, algorithm M.
    """
    pairs = []
    top = 1 << max(0, (count - 1).bit_length() - 1)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(count - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    return tuple(pairs)


def _mean(part: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(part, axis=1))


def _medoid(part: np.ndarray) -> np.ndarray:
    """The date nearest to all others: (bands, dates, y, x) -> (bands, y, x)."""
    sums = np.zeros(part.shape[1:])
    for k in range(part.shape[1]):
        # One date against all keeps memory at the size of the cube.
        sums[k] = np.nansum(np.sqrt(((part - part[:, k : k + 1]) ** 2).sum(axis=0)), axis=0)
    sums[~np.isfinite(part).all(axis=0)] = np.inf
    best = sums.argmin(axis=0)
    return np.asarray(np.take_along_axis(part, best[None, None], axis=1)[:, 0])


def _geomedian(part: np.ndarray) -> np.ndarray:
    shape = part.shape[2:]
    looks = part.reshape(*part.shape[:2], -1)
    made = np.empty((part.shape[0], looks.shape[2]))
    for first in range(0, looks.shape[2], _TURN):
        turn = slice(first, first + _TURN)
        made[:, turn] = _weiszfeld(looks[:, :, turn])
    return made.reshape(-1, *shape)


def _weiszfeld(looks: np.ndarray, *, steps: int = 300, enough: float = 1e-6) -> np.ndarray:
    """From the mean, for each pixel until it moves by less than ``enough``: (bands, dates, pixels).

    What surrounds a pixel does not count, so that any cut of the area gives the same.
    """
    known = np.isfinite(looks).all(axis=0)
    values = np.where(known, looks, 0.0)
    counts = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = values.sum(axis=1) / counts
    left = np.flatnonzero(counts > 2)  # of one or two looks the mean is a median
    for _ in range(steps):
        if not left.size:
            break
        near, seen = values[:, :, left], known[:, left]
        distance = np.sqrt(((near - centre[:, None, left]) ** 2).sum(axis=0))
        # A date that is hit exactly would get infinite weight.
        weight = np.where(seen, 1.0 / np.maximum(distance, 1e-9), 0.0)
        after = (near * weight).sum(axis=1) / weight.sum(axis=0)
        moved = np.abs(after - centre[:, left]).max(axis=0)
        centre[:, left] = after
        left = left[moved >= enough]
    return np.asarray(centre)


_REDUCE = {"median": _median, "mean": _mean, "medoid": _medoid, "geomedian": _geomedian}
