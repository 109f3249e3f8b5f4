"""Areas of pixels on the ground, against pyproj's geodesic polygons."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS, Geod, Transformer

from eolab.accuracy.pixel_areas import row_hectares
from eolab.errors import InvalidInputError


def geodesic_hectares(transform: Affine, row: int, crs: CRS) -> float:
    """A pixel with its edges cut in 100, by geodesics."""
    t = np.linspace(0, 1, 101)
    ring = np.concatenate(
        [
            np.stack([t, np.zeros(101)], 1),
            np.stack([np.ones(101), t], 1),
            np.stack([1 - t, np.ones(101)], 1),
            np.stack([np.zeros(101), 1 - t], 1),
        ]
    )
    x = transform.c + transform.a * ring[:, 0]
    y = transform.f + transform.e * (row + ring[:, 1])
    lon, lat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
    ellipsoid = crs.ellipsoid
    geod = Geod(a=ellipsoid.semi_major_metre, b=ellipsoid.semi_minor_metre)
    return abs(geod.polygon_area_perimeter(lon, lat)[0]) / 1e4


@pytest.mark.parametrize(
    ("crs", "pixel", "left", "top"),
    [
        ("EPSG:4326", 0.25, 16.0, 48.0),
        ("EPSG:4326", 0.25, 16.0, 90.0),
        ("EPSG:4314", 0.25, 10.0, 52.0),  # DHDN: another ellipsoid (Bessel 1841)
        ("EPSG:3857", 20_000.0, 1_800_000.0, 6_100_000.0),
        ("EPSG:3395", 20_000.0, 1_800_000.0, 6_100_000.0),
        ("EPSG:4087", 20_000.0, 1_800_000.0, 5_300_000.0),
        ("EPSG:6933", 20_000.0, 1_500_000.0, 5_300_000.0),
        ("EPSG:3035", 10_000.0, 4_321_000.0, 3_210_000.0),
        ("EPSG:32633", 1_000.0, 330_000.0, 5_300_000.0),
    ],
)
def test_a_pixel_is_as_large_as_on_the_ground(crs, pixel, left, top):
    system = CRS(crs)
    transform = Affine(pixel, 0, left, 0, -pixel, top)
    found = row_hectares(transform, (8, 6), system)
    near = 2e-3 if crs == "EPSG:32633" else 1e-5  # the grid's own metres, within its true scale
    for row in (0, 3, 7):
        assert found[row] == pytest.approx(geodesic_hectares(transform, row, system), rel=near)


def test_feet_are_no_metres():
    feet = row_hectares(Affine(100, 0, 1e6, 0, -100, 2e5), (2, 2), CRS("EPSG:2263"))
    assert feet == pytest.approx(100**2 * (1200 / 3937) ** 2 / 1e4)


def test_a_projection_whose_pixels_differ_along_a_row_is_refused():
    transform = Affine(100_000, 0, -3e6, 0, -100_000, 3e6)
    with pytest.raises(InvalidInputError, match="are not of one area: the projection shows"):
        row_hectares(transform, (60, 60), CRS("EPSG:3413"))
