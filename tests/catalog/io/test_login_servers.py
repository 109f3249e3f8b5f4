"""Logins, signed addresses and object stores, against servers on loopback: not tried live."""

from __future__ import annotations

import json
import pickle
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pystac
import pytest

from benchmarks.archive_cases import Grid, write_tif
from benchmarks.archive_cases import item as scene_of
from eolab.catalog import load, open_source
from eolab.catalog.io import logins
from eolab.catalog.io.item_logins import FIELD, mark, reference
from eolab.catalog.panel.previews import preview, thumbnail
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import InvalidInputError, NotFoundError, RemoteError
from eolab.settings import config as configuration
from tests.guarded import bearer, s3

ITEM = "SIM_S2A_33UTP_20210902_N0510"


def test_a_token_opens_catalogue_thumbnails_and_files(
    guarded, configured, monkeypatch, sample_items
):
    store = guarded(bearer("xyzzy"))
    config = configured(f'url = "{store.url}/catalog.json"\ntoken = "env:MINE_TOKEN"')
    monkeypatch.delenv("MINE_TOKEN", raising=False)
    with pytest.raises(InvalidInputError, match="MINE_TOKEN") as error:
        open_source(config, "mine").search()
    assert "export MINE_TOKEN" in error.value.hint
    monkeypatch.setenv("MINE_TOKEN", "xyzzy")
    source = open_source(config, "mine")
    (item,) = source.search(COLLECTION, ids=[ITEM])
    assert thumbnail(item)[0][:2] == b"\xff\xd8"
    cube = load([item], bands=["red"], native=True)
    own = load([i for i in sample_items if i.id == ITEM], bands=["red"], native=True)
    np.testing.assert_array_equal(cube.red, own.red)
    lazy = load([item], bands=["red"], native=True, chunks={"x": 300, "y": 300})
    np.testing.assert_array_equal(lazy.red.compute(scheduler="threads"), own.red)
    assert len(preview(item, size=64)) > 500
    # Nothing that is kept or shown holds the secret.
    told = [json.dumps(item.to_dict()), repr(source), repr(source.__dict__), repr(cube)]
    assert not any("xyzzy" in text for text in told)
    monkeypatch.setenv("MINE_TOKEN", "no-such-key-2")
    with pytest.raises((RemoteError, InvalidInputError), match="cannot be opened") as error:
        load([item], bands=["B12"], native=True)  # not read before, so not in GDAL's cache
    assert "no-such-key-2" not in str(error.value)


@pytest.mark.parametrize("kept", [True, False])
def test_saved_items_find_their_login_again(guarded, configured, monkeypatch, kept):
    """By the reference that they carry, and by where they lie."""
    store = guarded(bearer("xyzzy"))
    config = configured(f'url = "{store.url}/catalog.json"\ntoken = "env:MINE_TOKEN"')
    monkeypatch.setenv("MINE_TOKEN", "xyzzy")
    saved = json.dumps(open_source(config, "mine").search(COLLECTION, ids=[ITEM]).to_dict())
    items = pystac.ItemCollection.from_dict(json.loads(saved))
    for item in items:
        assert item.extra_fields[FIELD].endswith("/mine")
        if not kept:
            del item.extra_fields[FIELD]
    assert load(items, bands=["B11"], native=True).B11.max() > 0


def test_credentials_go_to_their_own_host_only(guarded, configured, monkeypatch):
    other = guarded()
    store = guarded(bearer("xyzzy"))
    moved = {"Location": f"{other.url}/catalog.json"}
    document = json.dumps({}).encode()
    store.extra["/catalog.json"] = lambda sent, headers: (302, document)
    config = configured(
        f'url = "{store.url}/catalog.json"\ntoken = "env:MINE_TOKEN"\n'
        'headers = {"X-Team" = "soils"}'
    )
    monkeypatch.setenv("MINE_TOKEN", "xyzzy")

    handler = store.server.RequestHandlerClass
    send = handler.send

    def redirect(self, code, document, *, body=True, **headers):
        more = moved if code == 302 else {}
        return send(self, code, document, body=body, **{**headers, **more})

    monkeypatch.setattr(handler, "send", redirect)
    open_source(config, "mine").search()
    assert any(h.get("x-team") == "soils" for _, _, h in store.requests)
    assert other.requests
    assert not any("authorization" in h or "x-team" in h for _, _, h in other.requests)


def test_client_credentials_are_exchanged_once_and_again_when_they_end(
    guarded, configured, monkeypatch
):
    issued, lasts = [], [3600]

    def exchange(sent, headers):
        asked = {k: v[0] for k, v in parse_qs(sent).items()}
        if asked.get("client_secret") != "s3cret":
            return 401, {"error": "invalid_client", "sent": sent}
        issued.append(asked)
        return 200, {"access_token": f"t{len(issued)}", "expires_in": lasts[0]}

    tokens = guarded()
    tokens.extra["/token"] = exchange
    store = guarded(
        lambda path, headers: (
            None if headers.get("authorization") == f"Bearer t{len(issued)}" else "log in"
        )
    )
    config = configured(
        f'url = "{store.url}/catalog.json"\nclient_id = "me"\nclient_secret = "env:MINE_SECRET"\n'
        f'token_url = "{tokens.url}/token"\nscope = "read"'
    )
    monkeypatch.setenv("MINE_SECRET", "no-such-key-3")
    with pytest.raises(RemoteError, match="gives no token: 401") as error:
        open_source(config, "mine").search()
    assert "no-such-key-3" not in str(error.value)
    monkeypatch.setenv("MINE_SECRET", "s3cret")
    source = open_source(config, "mine")
    assert len(source.search(COLLECTION, limit=3)) == 3
    assert len(open_source(config, "mine").search(COLLECTION, limit=2)) == 2
    assert issued == [
        {
            "grant_type": "client_credentials",
            "client_id": "me",
            "client_secret": "s3cret",
            "scope": "read",
        }
    ]
    (item,) = source.search(COLLECTION, ids=[ITEM])
    lasts[0] = 0  # the next one counts as ended after a second
    monkeypatch.setenv("MINE_ID", "also me")
    configured(
        f'url = "{store.url}/catalog.json"\nclient_id = "env:MINE_ID"\n'
        f'client_secret = "env:MINE_SECRET"\ntoken_url = "{tokens.url}/token"'
    )
    assert load([item], bands=["B11"], native=True).B11.max() > 0
    assert issued[1]["client_id"] == "also me"
    before = len(issued)
    time.sleep(1.1)
    assert load([item], bands=["B12"], native=True).B12.max() > 0
    assert len(issued) > before


def test_addresses_are_signed_with_one_token_a_container(guarded, configured, monkeypatch):
    """As Planetary Computer does: a token from its service, appended to blob addresses."""
    tokens = guarded()
    asked = []

    def sign(sent, headers):
        asked.append(1)
        return 200, {"token": "sv=1&sig=abc%3D", "msft:expiry": "2999-01-01T00:00:00Z"}

    tokens.extra["/token/account/container"] = sign
    store = guarded(
        lambda path, headers: (
            None if "sig=abc" in path or path.endswith(".json") else "AuthenticationFailed"
        )
    )
    config = configured(f'url = "{store.url}/catalog.json"\nsign = "planetary-computer"')
    monkeypatch.setattr(logins, "SAS", f"{tokens.url}/token")
    here = re.compile(r"^http://127\.0\.0\.1:\d+/(?P<account>)(?P<container>)")
    monkeypatch.setattr(logins, "BLOB", here)
    tokens.extra["/token//"] = sign
    items = open_source(config, "mine").search(COLLECTION, datetime="2021-09", max_cloud=60)
    assert len(items) == 4
    cube = load(items, bands=["B11", "B12"], crs="EPSG:32633", resolution=60)
    assert np.isfinite(cube.B11).mean() > 0.5
    assert thumbnail(items[0])[0][:2] == b"\xff\xd8"
    assert len(asked) == 1
    # The items stay as they were: a signed address ends, and it is a secret while it lasts.
    assert "sig=" not in json.dumps(items.to_dict())
    assert FIELD in items[0].extra_fields


def test_recorded_items_of_planetary_computer_are_signed(recorded, guarded, monkeypatch):
    paths = []

    def allow(path, headers):
        paths.append(path)

    tokens = guarded(allow)
    blobs = {
        asset["href"]
        for documents in recorded.values()
        for document in documents
        for asset in document["assets"].values()
        if ".blob.core.windows.net/" in asset["href"]
    }
    if not blobs:
        pytest.skip("the recordings hold no item on Azure")
    monkeypatch.setattr(logins, "SAS", f"{tokens.url}/token")
    for href in blobs:
        parts = urlsplit(href)
        key = f"/token/{parts.netloc.partition('.')[0]}/{parts.path.split('/')[1]}"
        tokens.extra[key] = {"token": "st=1&sig=x", "msft:expiry": "2999-01-01T00:00:00Z"}
    held = logins.SourceLogin(
        logins.SourceRef("here", "pc"),
        "https://example.org",
        configuration.logins.PLANETARY_COMPUTER,
    )
    for href in blobs:
        signed = held.signed(href)
        assert signed.endswith("st=1&sig=x")
        assert held.signed(signed) == signed
    assert len(paths) == len(set(paths))
    assert held.signed("https://example.org/a.tif") == "https://example.org/a.tif"


def on_s3(sample_items):
    """An item whose files are objects."""
    item = next(i for i in sample_items if i.id == ITEM).clone()
    for name, asset in item.assets.items():
        asset.href = f"s3://bucket/{COLLECTION}/{ITEM}/{Path(asset.href).name}"
        del name
    return item


@pytest.mark.parametrize("payer", [False, True])
def test_objects_are_read_by_key_and_on_the_readers_bill(
    guarded, configured, monkeypatch, sample_items, payer
):
    store = guarded(s3("AKID", payer))
    keys = 'key = "env:MINE_KEY", secret = "env:MINE_SECRET"'
    config = configured(
        'url = "https://example.org/stac"\n'
        f's3 = {{endpoint = "{store.url}", {keys}, requester_pays = {str(payer).lower()}}}'
    )
    monkeypatch.setenv("MINE_KEY", "AKID")
    monkeypatch.setenv("MINE_SECRET", "shh")
    item = on_s3(sample_items)
    mark(item, reference(config, config.catalogs["mine"]))
    own = load([i for i in sample_items if i.id == ITEM], bands=["red", "B11"], resolution=20)
    cube = load([item], bands=["red", "B11"], resolution=20)
    np.testing.assert_array_equal(cube.red, own.red)
    lazy = load([item], bands=["red"], resolution=20, chunks={"x": 100, "y": 100})
    np.testing.assert_array_equal(lazy.red.compute(scheduler="threads"), own.red)
    assert len(preview(item, size=64)) > 500
    signed = [h["authorization"] for _, _, h in store.requests]
    assert signed
    assert all(text.startswith("AWS4-HMAC-SHA256") for text in signed)


def test_a_refused_object_is_an_error_that_names_the_login(
    guarded, configured, monkeypatch, sample_items
):
    store = guarded(s3("ANOTHER", payer=False))
    config = configured(
        'url = "https://example.org/stac"\n'
        f's3 = {{endpoint = "{store.url}", key = "env:MINE_KEY", secret = "env:MINE_SECRET"}}'
    )
    item = on_s3(sample_items)
    mark(item, reference(config, config.catalogs["mine"]))
    with pytest.raises(InvalidInputError, match="MINE_KEY"):
        load([item], bands=["B11"], native=True)
    monkeypatch.setenv("MINE_KEY", "AKID2")
    monkeypatch.setenv("MINE_SECRET", "shh")
    with pytest.raises(RemoteError, match="cannot be opened") as error:
        load([item], bands=["B11"], native=True)
    assert "login" in error.value.hint
    assert "shh" not in str(error.value)


def test_metadata_in_a_store_calibrate_by_the_login_s_keys(
    guarded, configured, monkeypatch, tmp_path
):
    store = guarded(s3("AKID", payer=False))
    config = configured(
        'url = "https://example.org/stac"\n'
        f's3 = {{endpoint = "{store.url}", key = "env:MINE_KEY", secret = "env:MINE_SECRET"}}'
    )
    monkeypatch.setenv("MINE_KEY", "AKID")
    monkeypatch.setenv("MINE_SECRET", "shh")
    grid, name = Grid(shape=(4, 4)), "LC08_L1TP_185052_20210520_20210529_02_T1"
    path = write_tif(tmp_path / f"{name}_B4.TIF", [np.full((4, 4), 10_000, "uint16")], grid)
    when = datetime(2021, 5, 20, 10, tzinfo=UTC)
    one = scene_of(name, when, grid, {"red": (path, {})}, platform="landsat-8")
    one.add_asset("mtl", pystac.Asset(f"s3://bucket/{name}_MTL.json"))
    mark(one, reference(config, config.catalogs["mine"]))
    with pytest.raises(NotFoundError, match=r"calibrate=: s3://bucket/\S+_MTL.json is not there"):
        load([one], bands=["red"], calibrate="radiance")
    scaling = {"RADIANCE_MULT_BAND_4": "0.01", "RADIANCE_ADD_BAND_4": "-50"}
    store.extra[f"/bucket/{name}_MTL.json"] = {"LMF": {"LEVEL1_RADIOMETRIC_RESCALING": scaling}}
    red = load([one], bands=["red"], calibrate="radiance").red
    np.testing.assert_allclose(red, 50, rtol=1e-6)
    store.extra[f"/bucket/{name}_MTL.json"] = lambda *_: (301, {"Code": "PermanentRedirect"})
    with pytest.raises(RemoteError, match=r"answered 301 .* it is elsewhere") as refused:
        load([one], bands=["red"], calibrate="radiance")
    assert "region" in refused.value.hint
    del store.extra[f"/bucket/{name}_MTL.json"]
    monkeypatch.setenv("MINE_KEY", "ANOTHER")
    with pytest.raises(RemoteError, match="403") as refused:
        load([one], bands=["red"], calibrate="radiance")
    assert "shh" not in str(refused.value)


def test_a_login_travels_without_its_keys(monkeypatch):
    monkeypatch.setenv("CDSE_S3_KEY", "AKID")
    monkeypatch.setenv("CDSE_S3_SECRET", "shh")
    ref = logins.SourceRef("here", "cdse")
    held = logins.held(ref, "https://example.org", configuration.logins.COPERNICUS)
    assert held.keys()["AWS_SECRET_ACCESS_KEY"] == "shh"
    raw = pickle.dumps(held)
    assert b"shh" not in raw
    assert "shh" not in repr(held)
    again = pickle.loads(raw)
    assert again is held
    monkeypatch.setenv("CDSE_S3_SECRET", "no-such-key-4")
    assert again.keys()["AWS_SECRET_ACCESS_KEY"] == "no-such-key-4"
