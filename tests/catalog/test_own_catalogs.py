"""Catalogues are added, changed and removed by one call each, as the panel does it."""

from __future__ import annotations

import pytest

import eolab as eo
from eolab import config as configuration
from eolab.catalog import access
from eolab.errors import Conflict, NotFound

URL = "https://stac.example.org/v1"


def test_one_is_added_changed_and_removed(tmp_path, shared_data):
    made = configuration.init(tmp_path)
    made.root.mkdir()
    before = made.file.read_text()
    ws, other = eo.workspace(tmp_path), eo.workspace(tmp_path)
    folder = shared_data / "eolearn-slovenia-stac"
    source = ws.add_catalog("mine", str(folder), description="Five scenes")
    assert len(source.search()) == 5
    assert ws.search("S2_L1C_20150909")["item"][0]["id"].startswith("mine/")
    # A workspace that was opened before sees it too.
    changed = other.change_catalog("mine", URL, kind="api", login={"token": "env:MINE"})
    assert changed.url == URL
    assert access.for_url(f"{URL}/search") is not None
    assert "item" not in ws.search("S2_L1C_20150909")
    removed = ws.remove_catalog("mine")
    assert removed.was["login"] == {"token": "env:MINE"}
    assert access.for_url(f"{URL}/search") is None
    assert made.file.read_text() == before
    assert (folder / "collection.json").exists()
    with pytest.raises(NotFound, match="mine"):
        ws.remove_catalog("mine")
    with pytest.raises(Conflict, match="comes with eolab"):
        ws.remove_catalog("earth-search")


def test_a_name_with_a_dot_is_one_name(tmp_path):
    ws = eo.workspace(configuration.init(tmp_path).file)
    ws.add_catalog("agency.scenes", URL, kind="api")
    assert eo.workspace(tmp_path).config.catalogs["agency.scenes"].url == URL
    ws.remove_catalog("agency.scenes")
    assert "agency.scenes" not in eo.workspace(tmp_path).config.catalogs
