"""Small maps of classes on any grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from pyproj import CRS


def class_map(
    codes: np.ndarray,
    *,
    crs: str | None = "EPSG:32633",
    pixel: float = 30.0,
    left: float = 500_000.0,
    top: float = 5_300_000.0,
) -> xr.DataArray:
    """A map as a cube has it: y downwards, the reference system as a coordinate."""
    rows, columns = codes.shape
    coords = {
        "y": top - pixel * (np.arange(rows) + 0.5),
        "x": left + pixel * (np.arange(columns) + 0.5),
    }
    made = xr.DataArray(codes, dims=("y", "x"), coords=coords)
    if crs is None:
        return made
    return made.assign_coords(spatial_ref=xr.DataArray(0, attrs={"crs_wkt": CRS(crs).to_wkt()}))


@pytest.fixture(scope="session")
def make_map() -> Callable[..., xr.DataArray]:
    return class_map
