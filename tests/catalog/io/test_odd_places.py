"""Addresses and places that are none: refused with a reason, and never waited for."""

from __future__ import annotations

import datetime as dt
import os

import pystac
import pytest
import rasterio

import eolab as eo
from eolab.catalog import download, load
from eolab.catalog.io import logins
from eolab.catalog.io.documents import read_bytes
from eolab.catalog.io.rasters import open_raster
from eolab.catalog.panel.previews import preview
from eolab.errors import ConfigError, EolabError, NotFoundError
from eolab.settings import config as configuration
from eolab.settings.logins import Login

pytestmark = pytest.mark.timeout(60)


def item_of(href: str) -> pystac.Item:
    """An item with one asset."""
    made = pystac.Item(
        "a", {"type": "Point", "coordinates": [15.0, 45.1]}, [14.9, 45.0, 15.1, 45.2],
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC), {}, collection="c",
    )  # fmt: skip
    made.add_asset("red", pystac.Asset(href, media_type="image/tiff", roles=["data"]))
    return made


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, config, kind):
    place = tmp_path / "scenes" / "field_20240501_red.tif"
    place.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero")
    item = item_of(str(place))
    for act in (lambda: load([item], bands=["red"], native=True), lambda: preview(item, size=16)):
        with pytest.raises(EolabError, match="is no file"):
            act()
    done = download([item], tmp_path / "here")
    assert "is no file" in done.failed[0].message
    assert not [path for path in done.folder.rglob("*red*") if path.is_file()]
    for files in (place.parent, place):
        with pytest.raises(NotFoundError):
            eo.ingest(files, to="mine", workspace=config.root)


def test_what_cannot_be_looked_at_is_refused_by_who_opens_it(tmp_path, config):
    far = tmp_path / f"{'x' * 300}.tif"  # no file system has such names
    with pytest.raises(ConfigError, match="cannot be read: File name too long"):
        configuration.load(far)
    with pytest.raises(rasterio.errors.RasterioIOError, match="xxx"):
        open_raster(str(far))
    with pytest.raises(EolabError, match="File name too long"):
        read_bytes(str(far))


def test_a_link_that_leads_nowhere_is_told_among_what_was_skipped(tmp_path):
    (tmp_path / "field_20240501_red.tif").symlink_to(tmp_path / "gone.tif")
    with pytest.raises(NotFoundError, match="none of 1 files could be used"):
        eo.ingest(tmp_path, to=tmp_path / "mine", collection="c")


def test_a_configuration_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "other.toml")
    with pytest.raises(ConfigError, match="is no file"):
        configuration.open_path(tmp_path / "other.toml")


@pytest.mark.parametrize("href", ["http://h\uff0f@host/red.tif", "http://[::1/red.tif"])
def test_an_address_that_is_none_is_a_reason_and_no_traceback(tmp_path, config, href):
    item = item_of(href)
    done = download([item], tmp_path / "here")
    assert done.failed[0].message
    for act in (lambda: load([item], bands=["red"], native=True), lambda: preview(item, size=16)):
        with pytest.raises(EolabError):
            act()


@pytest.mark.parametrize(
    ("href", "own"),
    [
        ("https://host/a.tif", True),
        ("https://HOST:443/a.tif", True),
        ("https://me:pass@host/a.tif", True),
        ("http://host/a.tif", False),
        ("https://host:8443/a.tif", False),
        ("https://host@other/a.tif", False),
        ("https://host:443@other/a.tif", False),
        ("https://host%2f@other/a.tif", False),
        ("https://host.other/a.tif", False),
        ("https://host./a.tif", False),
        ("https://other/https://host/a.tif", False),
        ("https://other?@host/a.tif", False),
        ("https://other#@host/a.tif", False),
        ("https://[::1]/a.tif", False),
        ("/vsicurl/https://host/a.tif", False),
        ("//host/a.tif", False),
    ],
)
def test_headers_are_for_the_configured_host_however_an_address_is_written(href, own):
    login = logins.SourceLogin(
        logins.SourceRef("here", "mine"), "https://host/catalog.json", Login(token="env:MINE")
    )
    assert login.covers(href) is own
