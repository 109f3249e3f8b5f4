"""Slopes of planes whose slope is known, whatever the grid's direction."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

from eolab import accessor  # noqa: F401  registers .eo
from eolab.errors import InvalidInputError


def plane(east, north, *, southwards=True, crs="EPSG:32633"):
    """An elevation that rises so many metres by metre to the east and to the north."""
    import odc.geo.xr  # noqa: F401

    x = 500_000 + 10 * (np.arange(12) + 0.5)
    y = 5_000_000 + 20 * (np.arange(9) + 0.5)
    y = y[::-1] if southwards else y
    z = east * (x - x.min())[None, :] + north * (y - y.min())[:, None]
    cube = xr.Dataset({"elevation": (("y", "x"), z.astype("float32"))}, {"y": y, "x": x})
    return cube.odc.assign_crs(crs)


@pytest.mark.parametrize("southwards", [True, False])
@pytest.mark.parametrize(("east", "north"), [(0.5, 0.0), (0.0, 0.5), (-0.3, 0.2), (0.0, 0.0)])
def test_planes_have_the_slope_and_face_that_they_were_given(east, north, southwards):
    found = plane(east, north, southwards=southwards).eo.terrain()
    inner = found.isel(y=slice(1, -1), x=slice(1, -1))
    steep = np.hypot(east, north)
    np.testing.assert_allclose(inner["slope"], np.degrees(np.arctan(steep)), atol=1e-2)
    facing = (0, 0) if steep == 0 else (-north / steep, -east / steep)
    np.testing.assert_allclose(inner["northness"], facing[0], atol=1e-3)
    np.testing.assert_allclose(inner["eastness"], facing[1], atol=1e-3)
    assert np.isnan(found["slope"].isel(y=0)).all()


def test_beside_a_missing_pixel_nothing_is_guessed():
    cube = plane(0.1, 0.1)
    cube["elevation"][4, 5] = np.nan
    # Horn's differences leave the middle out: the pixel itself is known, its neighbours are not.
    missing = np.isnan(cube.eo.terrain()["slope"].to_numpy()[1:-1, 1:-1])
    assert missing.sum() == 8


def test_faults_are_told_with_a_hint():
    for says, faulty in (
        ("no band 'elevatoin' in the cube", lambda: plane(0.1, 0.1).eo.terrain("elevatoin")),
        ("slopes need a CRS in metres", plane(0.1, 0.1, crs="EPSG:4326").eo.terrain),
        (
            "'elevation' has the dimensions ('time',",
            plane(0.1, 0.1).expand_dims(time=[np.datetime64("2024-01-01")]).eo.terrain,
        ),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(says)) as caught:
            faulty()
        assert caught.value.hint
