"""Radar: what may be loaded, speckle, and decibels as the last step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.items.parsed import ParsedItem
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import xarray as xr

POLARISATIONS = ("vv", "vh", "hh", "hv")


def check_terrain(item: ParsedItem, bands: str = "") -> None:
    """Refuse radar that is not corrected for the terrain: its pixels lie elsewhere than they say.

    Args:
        item: An item.
        bands: What is asked of it, for the message.

    Raises:
        InvalidInputError: The item is ground range detected (GRD) or single look complex (SLC).
    """
    if not item.is_radar:
        return
    kind = item.product_type
    named = f"{item.collection} {item.id}".upper()
    corrected = "RTC" in named or "RTC" in kind or kind in ("NRB", "NORMALISED_BACKSCATTER", "GTC")
    if not corrected and (kind in ("GRD", "SLC") or "GRD" in named or "SLC" in named):
        raise InvalidInputError(
            f"item {item.id}{f' ({bands})' if bands else ''} is {kind or 'GRD'}, not corrected for"
            " the terrain",
            "Take a radiometrically terrain-corrected collection, such as sentinel-1-rtc; among"
            " others leave it out: missing='skip'.",
        )


def radar_bands(cube: xr.Dataset) -> list[str]:
    """Variables that hold a polarisation, by their names."""
    return [str(name) for name in cube.data_vars if str(name).lower() in POLARISATIONS]


def check_one_orbit(cube: xr.Dataset, verb: str) -> None:
    """Refuse to lay looks of several orbits over each other.

    Raises:
        InvalidInputError: Radar of several orbits.
    """
    if "relative_orbit" not in cube.coords:
        return
    orbits = sorted({str(value) for value in np.atleast_1d(cube["relative_orbit"].to_numpy())})
    if len(orbits) > 1:
        raise InvalidInputError(
            f"the cube has {len(orbits)} orbits: {', '.join(orbits)}",
            f"{verb} one at a time: cube.where(cube.relative_orbit == {orbits[0]!r}, drop=True); "
            "to mix them all the same, take their name away: cube.drop_vars('relative_orbit').",
        )


def to_decibels(cube: xr.Dataset) -> xr.Dataset:
    """Linear power to decibels: 10 * log10, NaN where it is not positive. The last step of all.

    Polarisations (vv, vh, ...) are converted, and where none is so named all variables of real
    numbers; counts and classes stay. A lazy cube stays lazy.

    Raises:
        InvalidInputError: Some are in decibels already.
    """
    named = radar_bands(cube) or [str(n) for n, b in cube.data_vars.items() if b.dtype.kind == "f"]
    done = [name for name in named if cube[name].attrs.get("units") == "dB"]
    if done:
        raise InvalidInputError(
            f"{', '.join(done)} is in decibels already", "Take it out of the call."
        )
    return cube.assign({name: _decibels(cube[name]) for name in named})


def _decibels(power: xr.DataArray) -> xr.DataArray:
    import xarray as xr

    def convert(values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, 10 * np.log10(values), np.nan).astype(np.float32)

    made: xr.DataArray = xr.apply_ufunc(
        convert, power, dask="parallelized", output_dtypes=[np.float32], keep_attrs=True
    )
    return made.assign_attrs(units="dB")


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
        InvalidInputError: Decibels, several orbits, or an even window.
    """
    import xarray as xr

    if window < 3 or window % 2 == 0:
        raise InvalidInputError(f"window = {window}", "Give an odd number from 3 on.")
    check_one_orbit(cube, "Filter")
    out = {}
    for name, band in cube.data_vars.items():
        if band.attrs.get("units") == "dB":
            raise InvalidInputError(
                f"{name} is in decibels", "Filter linear power, then take decibels."
            )
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


def trim_border(cube: xr.Dataset, *, floor: float = -30.0, margin: int = 2) -> xr.Dataset:
    """Leave out the noise that processors leave in at the ends of a swath.

    What is darker than the floor and hangs together with the end of the data is no ground; dark
    water inside the image stays. (After Ali et al. 2018, doi:10.3390/rs10050775, by connection to
    the end instead of by lines.)

    Args:
        cube: Linear power, (time, y, x), NaN where unknown.
        floor: Decibels below which the local mean (5 x 5 pixels) is noise: what the darkest ground
            returns lies above the sensor's noise floor.
        margin: Pixels beside the noise that go with it.

    Returns:
        The same variables; a pixel that is noise in one of them is NaN in all.

    Raises:
        InvalidInputError: Decibels.
    """
    bands = [band.transpose("time", "y", "x") for band in cube.data_vars.values()]
    for band in bands:
        if band.attrs.get("units") == "dB":
            raise InvalidInputError(
                f"{band.name} is in decibels", "Trim linear power, then take decibels."
            )
    level = 10 ** (floor / 10)
    noise = np.zeros(bands[0].shape, dtype=bool)
    for number in range(len(noise)):
        images = [band.to_numpy()[number] for band in bands]
        noise[number] = _border(images, level, margin)
    return cube.where(bands[0].copy(data=~noise))


def _border(images: list[np.ndarray], level: float, margin: int) -> np.ndarray:
    """Which pixels are border noise, bool (y, x)."""
    from scipy.ndimage import binary_dilation, label

    known: np.ndarray = np.isfinite(np.stack(images)).all(axis=0)
    with np.errstate(invalid="ignore"):
        means = np.stack([_local_mean(image, 5) for image in images])
        dark: np.ndarray = (means < level).any(axis=0) & known
    if not dark.any():
        return dark
    # A rim of unknown around the image: the swath may end outside of what was loaded.
    reach = np.pad(dark | ~known, 1, constant_values=True)
    regions, _ = label(reach)
    outside = np.unique(regions[np.pad(~known, 1, constant_values=True)])
    touching = np.isin(regions, outside[outside > 0])[1:-1, 1:-1]
    found: np.ndarray = dark & touching
    if not found.any():
        return found
    # Means over a window see bright ground beside the noise: two pixels more make up for that.
    return np.asarray(binary_dilation(found, iterations=margin + 2) & known)


def _local_mean(image: np.ndarray, window: int) -> np.ndarray:
    """Mean of the known pixels in a window around each."""
    from scipy.ndimage import uniform_filter

    known = np.isfinite(image)
    total = uniform_filter(np.where(known, image, 0.0), window, mode="constant")
    share = uniform_filter(known.astype(np.float64), window, mode="constant")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(share > 1e-9, total / share, np.nan))
