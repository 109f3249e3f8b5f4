"""How far apart samples are alike: the range of a variogram, from which blocks are proposed."""

from __future__ import annotations

import math

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features import geometry as geo
from eolab.features.samples.samples import Samples

# Pairs of samples that a variogram looks at; more change it little.
_PAIRS = 200_000


def variogram_range(samples: Samples, *, seed: int = 0) -> float:
    """The distance in metres up to which samples are alike: the range of a variogram.

    Half the mean squared difference of pairs (features scaled to deviation 1, or the label where
    no feature is complete) grows with their distance h and levels off as nugget + sill
    (1 - exp(-3 h / range)), the exponential model with its practical range (Cressie 1993, 2.3).
    Blocks at least that wide keep test samples independent of training ones (Roberts et al. 2017,
    Ecography 40, 913-929).

    Raises:
        InvalidInputError: The samples have no place, or fewer than 30 of them do.
    """
    from scipy.optimize import curve_fit

    places = samples.places()
    if places is None or len(places) < 30:
        raise InvalidInputError(
            "a variogram needs 30 samples with a place",
            "Give the label group a geometry, or choose the size of blocks yourself.",
        )
    points = geo.metres(places.points, places.crs)
    Z = _scaled(samples)
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, len(points), (2, _PAIRS))
    one, other = one[one != other], other[one != other]
    distance = np.linalg.norm(points[one] - points[other], axis=1)
    with np.errstate(invalid="ignore"):
        half = np.nanmean((Z[one] - Z[other]) ** 2, axis=1) / 2
    use = np.isfinite(half)
    distance, half = distance[use], half[use]
    # Beyond half the extent there are few pairs, and those of the corners only.
    longest = np.quantile(distance, 0.5)
    edges = np.geomspace(max(np.quantile(distance, 0.002), 1.0), longest, 16)
    bins = np.digitize(distance, edges)
    means = [
        (distance[bins == b].mean(), half[bins == b].mean(), (bins == b).sum())
        for b in range(len(edges))
        if (bins == b).sum() >= 30
    ]
    if len(means) < 4:
        raise InvalidInputError(
            "the samples lie too close for a variogram", "Choose the size yourself."
        )
    h, g, count = (np.asarray(v) for v in zip(*means, strict=True))

    def model(x: np.ndarray, nugget: float, sill: float, reach: float) -> np.ndarray:
        return np.asarray(nugget + sill * (1 - np.exp(-3 * x / reach)))

    top = max(float(g.max()), 1e-9)
    found, _ = curve_fit(
        model,
        h,
        g,
        p0=(g.min() / 2, top, longest / 3),
        sigma=1 / np.sqrt(count),
        bounds=([0, 0, h.min() / 10], [top, 2 * top, longest * 3]),
        maxfev=20_000,
    )
    nugget, sill, reach = (float(v) for v in found)
    # Nothing to level off: the samples are no more alike nearby than afar.
    return float(h.min()) if sill < 0.05 * (nugget + sill) else reach


def _scaled(samples: Samples) -> np.ndarray:
    X = samples.data.X
    values = X.reshape(len(X), -1).astype(np.float64)
    values = values[:, ~np.isnan(values).all(axis=0)]
    deviation = np.nanstd(values, axis=0)
    values = values[:, deviation > 0] / deviation[deviation > 0]
    if values.shape[1]:
        return np.asarray(values)
    y = samples.data.y.astype(np.float64)
    return np.asarray((y / (y.std() or 1))[:, None])


def round_up(length: float) -> float:
    """A length with one or two digits, not shorter: 1, 1.5, 2, 3, 5 or 7 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(float(m * power) for m in (1, 1.5, 2, 3, 5, 7, 10) if m * power >= length * 0.999)
