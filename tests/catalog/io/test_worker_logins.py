"""Redirects and secrets where other processes and object stores read."""

from __future__ import annotations

import numpy as np
from rasterio.errors import RasterioIOError

from eolab.catalog import download, load, open_source
from eolab.catalog.io.item_logins import mark, reference
from eolab.catalog.panel.previews import preview
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import EolabError
from tests.catalog.io.test_canary import CANARY, ITEM, KINDS, quoted
from tests.catalog.io.test_login_servers import on_s3
from tests.guarded import s3


def test_a_secret_stays_with_its_host_where_processes_read(
    guarded, configured, monkeypatch, sample_items
):
    monkeypatch.setenv("MINE", CANARY)
    store, other = guarded(lambda path, sent: None if CANARY in str(sent) else "no"), guarded()
    store.elsewhere = other.url
    config = configured(f'url = "{store.url}/catalog.json"\n{KINDS["a header"]}')
    (item,) = open_source(config, "mine").search(COLLECTION, ids=[ITEM])
    own = load([i for i in sample_items if i.id == ITEM], bands=["red"], native=True)
    lazy = load([item], bands=["red"], native=True, chunks={"x": 1000, "y": 1000})
    got = lazy.red.compute(scheduler="processes", num_workers=1)
    np.testing.assert_array_equal(got, own.red)
    assert other.requests
    assert not quoted(other)


def test_a_store_that_hands_over_gets_no_key_to_the_other_host(
    guarded, configured, monkeypatch, sample_items, tmp_path
):
    monkeypatch.setenv("MINE_KEY", CANARY)
    monkeypatch.setenv("MINE_SECRET", f"{CANARY}-s")
    store, other = guarded(s3(CANARY, payer=False)), guarded()
    store.elsewhere = other.url
    keys = 'key = "env:MINE_KEY", secret = "env:MINE_SECRET"'
    config = configured(
        f'url = "https://example.org/stac"\ns3 = {{endpoint = "{store.url}", {keys}}}'
    )
    item = on_s3(sample_items)
    mark(item, reference(config, config.catalogs["mine"]))
    for read in (
        lambda: load([item], bands=["red"], native=True),
        lambda: load([item], bands=["B03"], native=True, chunks={}).compute(),
        lambda: preview(item, size=32),
        lambda: download([item], tmp_path / "d", assets=["red"]),
    ):
        said = ""
        try:
            read()
        except (EolabError, RasterioIOError) as error:  # GDAL follows no redirect of a store
            said = str(error)
        assert CANARY not in said
    assert store.requests
    assert not quoted(other)
