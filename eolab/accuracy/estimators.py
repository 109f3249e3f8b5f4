"""Estimates of proportions and ratios from a stratified sample of pixels, with their variances.

Each sampled pixel u of stratum h stands for an area w_u = A_h a_u / sum(a of the stratum's sample):
the separate ratio estimator (Cochran 1977, section 6.10), with A_h the area of the stratum and a_u
that of the pixel. All that is reported is a ratio of two such totals, R = sum(w y) / sum(w x) with
y and x between 0 and 2 by map class and reference label. Its variance is that of the linearised
residuals z = (y - R x) / X (Stehman 2014, eqs 27 to 29; Cochran 1977, eqs 6.50 and 6.52):

    V(R) = sum over h of (1 - f_h) n_h / (n_h - 1) * sum over u of (w_u (z_u - zbar_h))^2

with zbar_h the mean weighted by w and f_h = n_h / N_h. Where pixels are of equal area, w is
A_h / n_h for all of a stratum, and this is Stehman 2014 to the letter; where moreover the strata
are the map's classes, it is Olofsson et al. 2014 eqs 5 (overall), 6 (user's), 7 (producer's) and
10 (areas), but for the finite population correction 1 - f_h, which those leave out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SampleStratum:
    """One stratum of the design.

    Attributes:
        name: As results name it.
        pixels: In all of the stratum, N_h.
        hectares: Area of the stratum, A_h.
        map_class: The row of the only map class that it holds; None where it may hold several.
    """

    name: str
    pixels: int
    hectares: float
    map_class: int | None = None


@dataclass(frozen=True)
class SampleCells:
    """A sample, summed by stratum, map class and reference label.

    All arrays have the shape (strata, map classes + 1, labels + 1); the last row and column count
    sampled pixels on which the map has no class, which belong to the sample and to no class.

    Attributes:
        n: Sampled pixels.
        area: Sum of their areas in hectares.
        area_squared: Sum of the squares of their areas.
    """

    n: np.ndarray
    area: np.ndarray
    area_squared: np.ndarray

    @staticmethod
    def of(
        stratum: np.ndarray,
        mapped: np.ndarray,
        labelled: np.ndarray,
        hectares: np.ndarray,
        shape: tuple[int, int, int],
    ) -> SampleCells:
        """Sums of a sample by indices; -1 is the last place of an axis.

        Args:
            stratum: Index of each sampled pixel's stratum, shape (n,).
            mapped: Of its map class.
            labelled: Of its label.
            hectares: Its area.
            shape: Of the sums.
        """
        mapped, labelled = mapped % shape[1], labelled % shape[2]
        flat = np.ravel_multi_index((stratum, mapped, labelled), shape)
        size = int(np.prod(shape))

        def summed(weights: np.ndarray | None) -> np.ndarray:
            return np.bincount(flat, weights, minlength=size).reshape(shape)

        return SampleCells(summed(None), summed(hectares), summed(hectares**2))


class StratifiedEstimator:
    """Ratios of totals over a stratified sample.

    Args:
        cells: The sample.
        strata: The design, in the order of the first axis of ``cells``.
        groups: Number of the group in which each stratum's variance is estimated: strata of one
            unit share theirs with others (collapsed strata, Cochran 1977, section 5A.12). None
            keeps each by itself.
        finite: Whether pixels were drawn without replacement from ``pixels`` of each stratum.
    """

    def __init__(
        self,
        cells: SampleCells,
        strata: Sequence[SampleStratum],
        *,
        groups: Sequence[int] | None = None,
        finite: bool = True,
    ) -> None:
        self._n = cells.n.sum(axis=(1, 2)).astype(float)
        sampled = cells.area.sum(axis=(1, 2))
        factor = np.array([s.hectares for s in strata]) / sampled
        self._weight = cells.area * factor[:, None, None]
        self._squared = cells.area_squared * (factor**2)[:, None, None]
        population = np.array([s.pixels for s in strata], dtype=float)
        share = self._n / population if finite else np.zeros_like(self._n)
        self._rest = np.clip(1 - share, 0, None)
        self._classes = [s.map_class for s in strata]
        self._groups = np.arange(len(strata)) if groups is None else np.asarray(groups)

    @property
    def proportions(self) -> np.ndarray:
        """Estimated hectares by map class and reference label, shape (classes, labels)."""
        return np.asarray(self._weight.sum(axis=0)[:-1, :-1])

    def ratio(self, y: np.ndarray, x: np.ndarray) -> tuple[float, float]:
        """An estimate and its standard error, NaN where the sample says nothing of them.

        Args:
            y: Values by map class and reference label, shape (classes, labels), whose total is
                above the line.
            x: Those whose total is below it.
        """
        y, x = (np.pad(v.astype(float), ((0, 1), (0, 1))) for v in (y, x))
        total = float((self._weight * x).sum())
        if total <= 0:
            return float("nan"), float("nan")
        value = float((self._weight * y).sum()) / total
        return value, float(np.sqrt(self._variance((y - value * x) / total)))

    def total(self, y: np.ndarray) -> tuple[float, float]:
        """An area in hectares and its standard error.

        Args:
            y: 1 for cells of the matrix that count, shape (classes, labels).
        """
        y = np.pad(y.astype(float), ((0, 1), (0, 1)))
        return float((self._weight * y).sum()), float(np.sqrt(self._variance(y)))

    def _variance(self, z: np.ndarray) -> float:
        variance = 0.0
        for group in np.unique(self._groups):
            of = np.flatnonzero(self._groups == group)
            weight, squared = self._weight[of], self._squared[of]
            n = self._n[of].sum()
            rest = self._rest[of]
            if not rest.any() or not self._varies(z, of):
                continue  # every pixel was looked at, or none of them counts here
            if n < 2:
                return float("nan")
            middle = (weight * z).sum() / weight.sum()
            spread = (squared * (z - middle) ** 2).sum(axis=(1, 2))
            variance += float((rest * spread).sum()) * n / (n - 1)
        return variance

    def _varies(self, z: np.ndarray, strata: np.ndarray) -> bool:
        """Whether any pixel that these strata can hold counts in ``z``."""
        classes = [self._classes[i] for i in strata]
        rows = [z if c is None else z[c] for c in classes]
        return any(bool(np.any(row)) for row in rows)
