"""Ratios of radar are of mean power; decibels come last."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features.extract.points_and_pixels import radar
from eolab.features.frame_attrs import ITEMS


@pytest.fixture
def rows():
    """Mean power of two fields of 5,000 pixels with single-look speckle (exponential)."""
    rng = np.random.default_rng(0)
    vv, vh = rng.exponential([0.1, 0.2], (5000, 2)), rng.exponential([0.02, 0.05], (5000, 2))
    frame = pd.DataFrame({"parcel_id": [1, 2], "vv_mean": vv.mean(0), "vh_mean": vh.mean(0)})
    frame.attrs[ITEMS] = ["S1A"]
    return frame, vv, vh


def test_decibels_and_ratios_are_those_of_mean_power(rows):
    frame, vv, vh = rows
    found = radar(frame)
    np.testing.assert_allclose(found["vv_db"], 10 * np.log10(vv.mean(0)), rtol=1e-5)
    ratio = vh.mean(0) / vv.mean(0)
    np.testing.assert_allclose(found["vh_vv_db"], 10 * np.log10(ratio), rtol=1e-5)
    np.testing.assert_allclose(found["vh_vv_rvi"], 4 * ratio / (1 + ratio), rtol=1e-5)
    # What it must not be: the mean of decibels is 10 * gamma / ln 10 = 2.51 dB lower.
    wrong = 10 * np.log10(vv).mean(0)
    np.testing.assert_allclose(found["vv_db"] - wrong, 2.51, atol=0.15)
    assert list(found.columns) == ["parcel_id", "vv_db", "vh_db", "vh_vv_db", "vh_vv_rvi"]
    assert found.attrs[ITEMS] == ["S1A"]
    assert "vv_mean" in radar(frame, keep_power=True)


def test_no_power_gives_nan_and_decibels_are_refused(rows):
    frame, _, _ = rows
    found = radar(frame.assign(vh_mean=[0.0, np.nan]))
    assert found[["vh_db", "vh_vv_db", "vh_vv_rvi"]].isna().all().all()
    assert found["vv_db"].notna().all()
    with pytest.raises(InvalidInputError, match="decibels already"):
        radar(frame.assign(vv_mean=-10.0))
    with pytest.raises(InvalidInputError, match="no column of radar power"):
        radar(frame[["parcel_id"]])
