"""Leaving out what is not land: clouds, shadows, snow, by the scene classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.bands import has_band
from eolab.errors import BadInput, nearest

if TYPE_CHECKING:
    import pystac
    import xarray as xr

# Sen2Cor's scene classification by what users call it.
SCL = {
    "nodata": (0,),
    "saturated": (1,),
    "dark": (2,),
    "shadow": (3,),
    "vegetation": (4,),
    "bare": (5,),
    "water": (6,),
    "unclassified": (7,),
    "cloud": (8, 9, 10),
    "cirrus": (10,),
    "snow": (11,),
}


@dataclass(frozen=True)
class Mask:
    """What `eo.load` leaves out.

    Attributes:
        drop: Kinds of pixels.
        dilate: Metres by which they grow, since classifications miss the thin edges.
    """

    drop: tuple[str, ...]
    dilate: float = 0.0

    def band(self, items: Sequence[pystac.Item]) -> str:
        """Name of the layer to mask with.

        Raises:
            BadInput: An item has none.
        """
        without = [item.id for item in items if not has_band(item, "SCL")]
        if without:
            some = ", ".join(without[:3]) + (", ..." if len(without) > 3 else "")
            raise BadInput(
                f"{len(without)} of {len(items)} items have no scene classification: there is "
                f"nothing to mask with ({some})",
                "Load with mask=None and keep cloudy scenes out with search(max_cloud=...).",
            )
        return "SCL"

    def bad(self, classes: xr.DataArray, resolution: float) -> xr.DataArray:
        """Where to leave pixels out.

        Args:
            classes: Scene classification, dims (time, y, x).
            resolution: Pixel size in metres.

        Returns:
            Booleans of the same shape.
        """
        import xarray as xr

        codes = sorted({code for kind in self.drop for code in SCL[kind]})
        found = classes.isin(codes)
        if self.dilate <= 0:
            return found
        grown: xr.DataArray = xr.apply_ufunc(
            grow,
            found,
            kwargs={"pixels": self.dilate / resolution},
            input_core_dims=[["y", "x"]],
            output_core_dims=[["y", "x"]],
            vectorize=True,
            dask="parallelized",
            dask_gufunc_kwargs={"allow_rechunk": True},
            output_dtypes=[bool],
        )
        return grown


def mask(drop: Sequence[str] = ("cloud", "shadow"), *, dilate: float = 0.0) -> Mask:
    """What to leave out when loading.

    Args:
        drop: Kinds: cloud, cirrus, shadow, snow, water, saturated, dark, unclassified, ...
        dilate: Metres by which they grow.

    Raises:
        BadInput: An unknown kind, or a negative distance.
    """
    kinds = (drop,) if isinstance(drop, str) else tuple(drop)
    for kind in kinds:
        if kind not in SCL:
            raise BadInput(f"mask(drop): unknown kind {kind!r}", nearest(kind, list(SCL), "kinds"))
    if not kinds:
        raise BadInput("mask(drop) is empty", "Name a kind, or leave mask out.")
    if dilate < 0:
        raise BadInput(f"mask(dilate={dilate})", "Give metres, 0 or more.")
    return Mask(kinds, float(dilate))


def grow(found: np.ndarray, *, pixels: float) -> np.ndarray:
    """True within ``pixels`` of a true pixel, by Euclidean distance, shape (y, x)."""
    from scipy.ndimage import distance_transform_edt

    if not found.any():
        return found
    return np.asarray(distance_transform_edt(~found) <= pixels)
