"""The catalogue's notebook runs from its first to its last cell, as its readers will run it."""

from __future__ import annotations

import pytest

from tests.notebooks import run_notebook


@pytest.mark.timeout(400)
def test_the_catalogue_notebook(config, sample, monkeypatch):
    config.root.mkdir(parents=True)
    config.sample.symlink_to(sample)
    ran = run_notebook("04-catalogue.ipynb", config, monkeypatch)
    text, outputs = ran.text, ran.outputs
    assert "24 items" in text
    assert "older processing baseline" in text
    assert "baseline 04.00 or later" in text
    assert "uint16" in text
    assert "2021-04-03 descending" in text
    assert "Flug_Süd_12.09.2021" in text
    assert "broken_20210903.tif" in text
    assert "Contains modified Copernicus" not in text  # they are simulated, and say so
    assert "401" in text
    assert "Check the login" in text
    assert "4 items" in text
    assert "Simulated Sentinel-2 L2A seasons (not real)" in text
    pictures = [o["data"] for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 3
    assert any("<svg" in o["data"].get("text/html", "") for o in outputs if "data" in o)
