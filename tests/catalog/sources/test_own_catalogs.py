"""Catalogues are added, changed and removed by one call each, as the panel does it."""

from __future__ import annotations

import pytest

import eolab as eo
from eolab.errors import ConflictError, NotFoundError, RemoteError
from eolab.settings import config as configuration

URL = "https://stac.example.org/v1"


def test_what_does_not_answer_is_not_added(tmp_path):
    """Without kind= the address is asked what it is."""
    nobody = "http://127.0.0.1:9/stac"
    made = configuration.init(tmp_path)
    ws, before = eo.workspace(made.file), made.file.read_text()
    with pytest.raises(RemoteError, match="does not answer") as error:
        ws.add_catalog("nobody", nobody)
    assert "Nothing was added" in error.value.hint
    assert "nobody" not in ws.config.catalogs
    assert made.file.read_text() == before
    assert ws.add_catalog("nobody", nobody, kind="api").kind == "api"
    assert repr(ws.remove_catalog("nobody")) == "<catalogue 'nobody' is no longer named>"


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
    assert changed.login is not None
    assert changed.login.covers(f"{URL}/search")
    assert "item" not in ws.search("S2_L1C_20150909")
    removed = ws.remove_catalog("mine")
    assert removed.was["login"] == {"token": "env:MINE"}
    assert eo.workspace(tmp_path).catalog(f"{URL}/catalog.json").login is None
    assert made.file.read_text() == before
    assert (folder / "collection.json").exists()
    with pytest.raises(NotFoundError, match="mine"):
        ws.remove_catalog("mine")
    with pytest.raises(ConflictError, match="comes with eolab"):
        ws.remove_catalog("earth-search")


def test_a_name_with_a_dot_is_one_name(tmp_path):
    ws = eo.workspace(configuration.init(tmp_path).file)
    ws.add_catalog("agency.scenes", URL, kind="api")
    assert eo.workspace(tmp_path).config.catalogs["agency.scenes"].url == URL
    ws.remove_catalog("agency.scenes")
    assert "agency.scenes" not in eo.workspace(tmp_path).config.catalogs
