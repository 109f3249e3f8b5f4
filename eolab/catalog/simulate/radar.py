"""Simulated Sentinel-1 backscatter, radiometrically terrain-corrected (gamma nought, linear power).

Three traps: two orbits of one day see the same fields at other angles; the descending swath ends in
a border of noise; a ridge is laid over on the side that faces the antenna.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from eolab.catalog.simulate.land import HEIGHT, Land
from eolab.catalog.simulate.product import Ground, Tile, write_cog
from eolab.catalog.simulate.seasons import Orbit

SIZE = 20.0  # metres of a pixel
LOOKS = 4.0  # of each of the four 10 m looks that a pixel averages
POLARISATIONS = ("vv", "vh")
SWATH_END = 4_350.0  # metres east of the centre, where the descending swath ends
BORDER = 240.0  # metres of noise inside its end
RIDGE = 2_700.0  # metres east of the centre
SLOPE = 90.0  # metres that the ridge's slopes are wide
NORMAL, SHADOW, LAYOVER, OUTSIDE = 0, 1, 2, 255  # values of the mask, as OPERA's RTC products have

# Decibels at 38 degrees of bare soil and of a full canopy: after crop studies with Sentinel-1,
# rounded (Veloso et al. 2017, doi:10.1016/j.rse.2017.07.015).
_SOIL = {"vv": -11.5, "vh": -19.0}
_CANOPY = {
    "winter_wheat": (-14.0, -21.5),
    "winter_rapeseed": (-9.0, -14.0),
    "spring_barley": (-11.5, -18.5),
    "maize": (-9.8, -15.3),
    "sugar_beet": (-8.8, -15.0),
    "grassland": (-12.0, -18.0),
}
_FIXED = {"forest": (-8.5, -13.5), "built": (-5.0, -12.0)}
_TRACK = (-11.0, -18.5)


def backscatter(land: Land, day: float, orbit: Orbit, rows: np.ndarray) -> np.ndarray:
    """Noise-free power of each field, and of the tracks between as the last row.

    Args:
        land: The fields.
        day: Day of the year.
        orbit: From where they are seen.
        rows: Direction of each field's rows, about standard normal: what one orbit sees along, the
            other sees across.

    Returns:
        Linear power, shape (fields + 1, 2), VV and VH.
    """
    green, dry, _ = land.fractions(day)
    cover = np.clip(green + 0.5 * dry, 0, 1)[:, None]
    soil = 10 ** (np.array([_SOIL["vv"], _SOIL["vh"]]) / 10) * land.soil[:, None] ** 2
    canopy = np.array([_CANOPY.get(str(kind), _FIXED["forest"]) for kind in land.kind])
    power = (1 - cover) * soil + cover * 10 ** (canopy / 10)
    for kind, decibels in _FIXED.items():
        power[land.kind == kind] = 10 ** (np.array(decibels) / 10)
    power = np.vstack([power, 10 ** (np.array([_TRACK]) / 10)])
    # 0.13 dB a degree, as time series over crops show it, and the rows' direction on top.
    turn = 0.5 * np.append(rows, 0.0)[:, None] * (1 if orbit.looks_east else -1)
    return np.asarray(power * 10 ** ((0.13 * (38.0 - orbit.incidence) + turn) / 10))


@dataclass(frozen=True)
class Look:
    """One radar item: an overpass of one orbit over the whole region."""

    day: tuple[int, int, int]
    orbit: Orbit
    tile: Tile
    ground: Ground

    @property
    def time(self) -> datetime:
        year, month, day = self.day
        return datetime(year, month, day, self.orbit.hour, self.orbit.minute, 12, tzinfo=UTC)

    @property
    def id(self) -> str:
        letter = self.orbit.state[0].upper()
        return f"SIM_S1A_IW_RTC_{self.time:%Y%m%dT%H%M%S}_{letter}{self.orbit.number:03d}"

    def write(self, home: Path, land: Land, seed: np.random.SeedSequence) -> None:
        """Render and write the rasters `vv.tif`, `vh.tif` and `mask.tif`."""
        home.mkdir(parents=True)
        power, mask = self._render(land, np.random.default_rng(seed))
        for name, values in zip(POLARISATIONS, power, strict=True):
            write_cog(home / f"{name}.tif", _rounded(values), self.tile, SIZE, plain=True)
        write_cog(home / "mask.tif", mask, self.tile, SIZE, categories=True, nodata=OUTSIDE)

    def _render(self, land: Land, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Linear power (2, y, x), NaN outside of the swath, and the mask (y, x)."""
        day = float(self.time.timetuple().tm_yday)
        # The rows lie as they lie: the same in every look.
        rows = np.random.default_rng(len(land.kind)).standard_normal(len(land.kind))
        seen = backscatter(land, day, self.orbit, rows)[self.ground.field]
        x, y = self.ground.x, self.ground.y
        away = (x - RIDGE) * (1 if self.orbit.looks_east else -1)
        layover = (away > -SLOPE) & (away <= 0) & (np.abs(y) < 0.35 * HEIGHT)
        shadow = (away > 0) & (away <= SLOPE) & (np.abs(y) < 0.35 * HEIGHT)
        seen = np.moveaxis(seen, -1, 0) * np.where(layover, 6.0, np.where(shadow, 0.08, 1.0))
        seen = seen * rng.gamma(LOOKS, 1 / LOOKS, seen.shape)
        power = _average(seen)
        mask = np.full(power.shape[1:], NORMAL, np.uint8)
        mask[shadow[::2, ::2]], mask[layover[::2, ::2]] = SHADOW, LAYOVER
        if self.orbit.noisy:
            along = (x + 0.2 * y)[::2, ::2]
            border = along > SWATH_END - BORDER
            # Far below what any ground returns, and no nodata: statistics take it for water.
            noise = 10 ** (rng.normal(-36, 2, power.shape) / 10)
            power = np.where(border, noise, power)
            power[:, along > SWATH_END] = np.nan
            mask[along > SWATH_END] = OUTSIDE
        return power, mask


def _average(fine: np.ndarray) -> np.ndarray:
    """Mean of two by two pixels, in power as it must be."""
    bands, height, width = fine.shape
    return np.asarray(fine.reshape(bands, height // 2, 2, width // 2, 2).mean(axis=(2, 4)))


def _rounded(power: np.ndarray) -> np.ndarray:
    """Float32 with six bits of the mantissa: 0.06 dB, the rest would only cost disk."""
    bits = power.astype(np.float32).view(np.uint32)
    kept = ((bits + np.uint32(1 << 16)) >> np.uint32(17)) << np.uint32(17)
    return np.where(np.isfinite(power), kept.view(np.float32), np.float32("nan"))


def truth(
    land: Land, days: tuple[tuple[int, int, int], ...], orbits: tuple[Orbit, ...]
) -> dict[str, list[object]]:
    """What is true of each parcel: columns parcel_id, time, relative_orbit, vv, vh (power)."""
    rows = np.random.default_rng(len(land.kind)).standard_normal(len(land.kind))
    columns: dict[str, list[object]] = {
        name: [] for name in ("parcel_id", "day", "relative_orbit", "vv", "vh")
    }
    for year, month, day in days:
        number = float(datetime(year, month, day, tzinfo=UTC).timetuple().tm_yday)
        for orbit in orbits:
            power = backscatter(land, number, orbit, rows)[:-1][land.parcels]
            columns["parcel_id"] += [f"P{k:04d}" for k in range(len(power))]
            columns["day"] += [f"{year}-{month:02d}-{day:02d}"] * len(power)
            columns["relative_orbit"] += [orbit.number] * len(power)
            columns["vv"] += power[:, 0].tolist()
            columns["vh"] += power[:, 1].tolist()
    return columns
