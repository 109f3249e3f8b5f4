"""Radar features of rows: ratios of mean power, decibels last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

POLARISATIONS = ("vv", "vh", "hh", "hv")
# Cross-polarised over co-polarised, as each instrument pairs them.
_PAIRS = (("vh", "vv"), ("hv", "hh"))


def radar(rows: pd.DataFrame, *, keep_power: bool = False) -> pd.DataFrame:
    """Ratios and decibels of rows of linear power; call it last, after all averaging.

    The mean of decibels is not the decibel of the mean (speckle makes it about 2.5 dB lower for a
    single look), and a mean of ratios is not a ratio of means: so `zonal(stats=["mean"])` of linear
    power, means over time if wanted, and then this.

    Args:
        rows: Columns ``vv_mean``, ``vh_mean``, ... (or ``vv``, ``vh`` of pixels), linear power.
        keep_power: Whether the columns of power stay.

    Returns:
        The rows with ``<pol>_db`` (10 log10), ``vh_vv_db`` (the ratio of powers in dB) and, of each
        pair, ``vh_vv_rvi``: the radar vegetation index 4 * cross / (co + cross), 0..4
        (Nasirzadehdizaji et al. 2019, doi:10.3390/app9040655). NaN where power is not positive.

    Raises:
        InvalidInputError: No column of power, or one is in decibels already.
    """
    power = {
        pol: name for pol in POLARISATIONS for name in (f"{pol}_mean", pol) if name in rows.columns
    }
    if not power:
        raise InvalidInputError(
            f"the rows have no column of radar power ({', '.join(map(str, rows.columns[:8]))})",
            'Take zonal(cube[["vv", "vh"]], ..., stats=["mean"]) of linear power.',
        )
    out = rows if keep_power else rows.drop(columns=list(power.values()))
    found: dict[str, np.ndarray] = {}
    for pol, name in power.items():
        values = rows[name].to_numpy(dtype=np.float64)
        if (values < 0).any():
            raise InvalidInputError(
                f"{name} has values below 0: it is in decibels already, which must not be averaged",
                "Load linear power, and leave cube.eo.decibels() out.",
            )
        found[pol] = np.where(values > 0, values, np.nan)
    made = {f"{pol}_db": 10 * np.log10(values) for pol, values in found.items()}
    for cross, co in _PAIRS:
        if cross in found and co in found:
            made[f"{cross}_{co}_db"] = 10 * np.log10(found[cross] / found[co])
            made[f"{cross}_{co}_rvi"] = 4 * found[cross] / (found[co] + found[cross])
    out = out.assign(**{name: values.astype(np.float32) for name, values in made.items()})
    out.attrs.update(rows.attrs)
    return out
