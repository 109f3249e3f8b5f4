"""Radar: what may be loaded, speckle, and decibels as the last step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import BadInput

if TYPE_CHECKING:
    import pystac
    import xarray as xr

POLARISATIONS = ("vv", "vh", "hh", "hv")


def is_sar(item: pystac.Item) -> bool:
    """Whether an item is of a radar."""
    p = item.properties
    return "sar:instrument_mode" in p or "sentinel-1" in str(p.get("platform", "")).lower()


def check_terrain(item: pystac.Item) -> None:
    """Refuse radar that is not corrected for the terrain: its pixels lie elsewhere than they say.

    Raises:
        BadInput: The item is ground range detected (GRD) or single look complex (SLC).
    """
    if not is_sar(item):
        return
    kind = str(item.properties.get("sar:product_type", "")).upper()
    named = f"{item.collection_id} {item.id}".upper()
    corrected = "RTC" in named or "RTC" in kind or kind in ("NRB", "NORMALISED_BACKSCATTER", "GTC")
    if not corrected and (kind in ("GRD", "SLC") or "GRD" in named or "SLC" in named):
        raise BadInput(
            f"item {item.id} is {kind or 'GRD'}, not corrected for the terrain",
            "Take a radiometrically terrain-corrected collection, such as sentinel-1-rtc.",
        )


def orbit(item: pystac.Item) -> str:
    """Direction and relative orbit: looks of different ones are never laid over each other."""
    p = item.properties
    parts = (p.get("sat:orbit_state"), p.get("sat:relative_orbit"))
    return " ".join(str(part) for part in parts if part is not None)


def to_decibels(cube: xr.Dataset) -> xr.Dataset:
    """Linear power to decibels: 10 * log10, NaN where it is not positive. The last step of all."""
    done = [str(n) for n, band in cube.data_vars.items() if band.attrs.get("units") == "dB"]
    if done:
        raise BadInput(f"{', '.join(done)} is in decibels already", "Take it out of the call.")
    return cube.assign(
        {
            name: band.copy(data=_decibels(band.to_numpy())).assign_attrs(units="dB")
            for name, band in cube.data_vars.items()
        }
    )


def _decibels(power: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(power > 0, 10 * np.log10(power), np.nan), dtype=np.float32)


def speckle_filter(cube: xr.Dataset, *, window: int = 7) -> xr.Dataset:
    """Multitemporal speckle filter: keeps each date's local mean, averages speckle over dates.

    J_k = E[I_k] / N * sum_i(I_i / E[I_i]), with E the mean over a window (Quegan and Yu 2001,
    doi:10.1109/36.964972). Dates of one orbit only: others see the ground from another side.

    Args:
        cube: Linear power, (time, y, x), NaN where unknown.
        window: Odd number of pixels a side.

    Returns:
        The same variables, filtered.

    Raises:
        BadInput: Decibels, several orbits, or an even window.
    """
    import xarray as xr

    if window < 3 or window % 2 == 0:
        raise BadInput(f"window = {window}", "Give an odd number from 3 on.")
    if "relative_orbit" in cube.coords:
        orbits = sorted({str(value) for value in cube["relative_orbit"].to_numpy()})
        if len(orbits) > 1:
            raise BadInput(
                f"the cube has {len(orbits)} orbits: {', '.join(orbits)}",
                "Filter one at a time: cube.where(cube.relative_orbit == '...', drop=True).",
            )
    out = {}
    for name, band in cube.data_vars.items():
        if band.attrs.get("units") == "dB":
            raise BadInput(f"{name} is in decibels", "Filter linear power, then take decibels.")
        values = band.transpose("time", "y", "x").to_numpy().astype(np.float64)
        means = np.stack([_local_mean(image, window) for image in values])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = values / means
        known = np.isfinite(ratio)
        count = known.sum(axis=0)
        total = np.where(known, ratio, 0).sum(axis=0)
        filtered = means * (total / np.maximum(count, 1))
        filtered[~np.isfinite(values)] = np.nan
        out[name] = (("time", "y", "x"), filtered.astype(np.float32), band.attrs)
    return xr.Dataset(out, coords=cube.coords, attrs=cube.attrs)


def _local_mean(image: np.ndarray, window: int) -> np.ndarray:
    """Mean of the known pixels in a window around each."""
    from scipy.ndimage import uniform_filter

    known = np.isfinite(image)
    total = uniform_filter(np.where(known, image, 0.0), window, mode="constant")
    share = uniform_filter(known.astype(np.float64), window, mode="constant")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(share > 1e-9, total / share, np.nan))
