"""Workspaces that call different catalogues by one name: each item is read by its own's login."""

from __future__ import annotations

import copy
import datetime as dt
import json
import logging
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import numpy as np
import pystac
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import box, mapping

import eolab as eo
from eolab.catalog import download, load
from eolab.catalog.io.item_logins import FIELD, login_of
from eolab.catalog.panel.previews import preview, thumbnail
from eolab.catalog.sources.geoparquet_writer import write_items
from eolab.errors import EolabError, RemoteError
from tests.guarded import Store, s3

VALUES = {"A": 1, "B": 2}
OUTLINE = [14.9, 45.0, 15.1, 45.2]


@pytest.fixture(autouse=True)
def no_workspace_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("EOLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    for who in VALUES:
        monkeypatch.setenv(f"KEY_{who}", f"secret-of-{who}")


@pytest.fixture
def serve():
    started = []

    def start(folder, allow):
        started.append(Store(folder, allow))
        return started[-1]

    yield start
    for store in started:
        store.close()


def write_raster(file: Path, value: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        file,
        "w",
        driver="GTiff",
        width=8,
        height=8,
        count=1,
        dtype="uint16",
        crs="EPSG:32633",
        transform=from_origin(5e5, 5e6, 10, 10),
    ) as out:
        out.write(np.full((8, 8), value, "uint16"), 1)


def write_catalog(folder: Path, hrefs: dict[str, str], name: str = "scene") -> None:
    """A static catalogue of one item with these assets."""
    item = pystac.Item(
        name,
        mapping(box(*OUTLINE)),
        OUTLINE,
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        {},
        assets={key: pystac.Asset(href, roles=["data"]) for key, href in hrefs.items()},
    )
    catalog = pystac.Catalog("mine", "-")
    catalog.add_item(item)
    catalog.normalize_and_save(str(folder), pystac.CatalogType.SELF_CONTAINED)


def of_its_path(path, headers):
    """Whose path it is decides which key opens it."""
    who = path.split("/")[1]
    return None if headers.get("x-api-key") == f"secret-of-{who}" else "log in"


class Pair:
    """Workspaces A and B that both call a catalogue `mine`, and what their servers were sent."""

    def __init__(self, root: Path, serve, *, one_server: bool) -> None:
        self.root = root
        first = serve(root / "web", of_its_path)
        second = first if one_server else serve(root / "web", of_its_path)
        self.stores = {"A": first, "B": second}
        self.spaces = {}
        for who, value in VALUES.items():
            names = {"red": "red.tif", "nir": "nir.tif", "late": "late.tif"}
            for file in names.values():
                write_raster(root / "web" / who / file, value)
            base = f"{self.stores[who].url}/{who}"
            write_catalog(root / "web" / who, {k: f"{base}/{f}" for k, f in names.items()}, who)
            self.configure(who, f'headers = {{ "X-Api-Key" = "env:KEY_{who}" }}')
            self.spaces[who] = eo.workspace(root / who)

    def configure(self, who: str, login: str, name: str = "mine") -> None:
        (self.root / who).mkdir(exist_ok=True)
        (self.root / who / "eolab.toml").write_text(
            f'format = 1\n[workspace]\npath = "."\n[catalogs.{name}]\nkind = "static"\n'
            f'url = "{self.stores[who].url}/{who}/catalog.json"\n{login}\n'
        )

    def items(self, who: str, name: str = "mine") -> pystac.ItemCollection:
        found = eo.workspace(self.root / who).catalog(name).search()
        assert [item.id for item in found] == [who]
        return found

    def keys_at(self, who: str) -> set[str | None]:
        """Keys that came to the path of a workspace's catalogue."""
        sent = [r for r in self.stores[who].requests if r[1].startswith(f"/{who}/")]
        return {headers.get("x-api-key") for _, _, headers in sent}

    def check_keys(self) -> None:
        for who in VALUES:
            assert self.keys_at(who) <= {f"secret-of-{who}", None}


@pytest.fixture(params=[False, True], ids=["two servers", "one server"])
def pair(tmp_path, serve, request):
    return Pair(tmp_path, serve, one_server=request.param)


def test_each_item_is_read_by_the_login_of_its_own_catalogue(pair, tmp_path):
    items = {who: pair.items(who) for who in "AB"}
    for who in "ABA":
        cube = load(items[who], bands=["red"], native=True)
        assert (cube.red == VALUES[who]).all()
        assert len(preview(items[who][0], bands=["nir"])) > 50
        assert thumbnail(items[who][0])[0].startswith(b"\x89PNG")
        lazy = load(items[who], bands=["red"], native=True, chunks={"x": 4})
        assert (lazy.red.compute(scheduler="threads") == VALUES[who]).all()
        assert not download(items[who], tmp_path / "got" / who).failed
    pair.check_keys()


def test_items_of_both_make_one_cube_at_once_and_in_threads(pair):
    both = [*pair.items("A"), *pair.items("B")]

    both[1].datetime = both[1].datetime + dt.timedelta(days=1)
    for order in (both, both[::-1]):
        cube = load(order, bands=["red"], native=True)
        np.testing.assert_array_equal(cube.red.max(("x", "y")), [1, 2])
        np.testing.assert_array_equal(cube.red.min(("x", "y")), [1, 2])
    start = threading.Barrier(8)

    def at_once(k):
        who = "AB"[k % 2]
        start.wait()
        cube = load([both[k % 2]], bands=["nir"], native=True)
        return bool((cube.nir == VALUES[who]).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(at_once, range(8)))
    pair.check_keys()


def copies(item):
    yield item.clone()
    yield copy.deepcopy(item)
    yield pickle.loads(pickle.dumps(item))
    yield pystac.Item.from_dict(json.loads(json.dumps(item.to_dict())))
    collection = pystac.ItemCollection([item], clone_items=True)
    yield collection[0]
    yield pystac.ItemCollection.from_dict(collection.to_dict())[0]
    yield from sorted((i for i in collection if i.id), key=lambda i: i.id)


def test_a_copy_of_an_item_keeps_its_login_and_no_secret(pair):
    for who in "AB":
        (item,) = pair.items(who)
        login = login_of(item)
        for same in copies(item):
            assert login_of(same) == login
            assert (load(same, bands=["red"], native=True).red == VALUES[who]).all()
        kept = [pickle.dumps(item), json.dumps(item.to_dict()).encode(), repr(login).encode()]
        kept.append(pickle.dumps(login))
        assert not any(b"secret-of" in text for text in kept)


def test_what_is_exported_leaves_the_reference_out(pair, tmp_path):
    found = pair.items("A")
    assert FIELD in found[0].extra_fields
    done = download(found, tmp_path / "got")
    write_items(tmp_path / "a.parquet", found.to_dict()["features"])
    written = [p for p in tmp_path.rglob("*.json") if (tmp_path / "got") in p.parents]
    assert written
    assert not any(FIELD in p.read_text() for p in written)
    assert FIELD.encode() not in (tmp_path / "a.parquet").read_bytes()
    (here,) = eo.workspace(tmp_path / "A").catalog(str(done.catalogs[0])).search()
    assert FIELD not in here.extra_fields


def test_a_lazy_cube_holds_no_secret_and_is_read_elsewhere(tmp_path, serve):
    """In a process that knows neither workspace, by the keys of its own environment."""
    pair = Pair(tmp_path, serve, one_server=True)
    cubes = [load(pair.items(w), bands=["red"], native=True, chunks={"x": 4}) for w in "AB"]
    raw = cloudpickle.dumps(cubes)
    assert b"secret-of" not in raw
    (tmp_path / "cubes").write_bytes(raw)
    code = (
        "import os, pathlib, pickle, sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        # Each task and what it gives is pickled, as between processes; one process is enough.
        "pool = ThreadPoolExecutor(1)\n"
        "a, b = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "value = (a.red * 10 + b.red.data).compute(scheduler='processes', pool=pool)\n"
        "print('read', value.min().item(), value.max().item())\n"
        "del os.environ['KEY_A']\n"
        "(a.red + 0).compute(scheduler='processes', pool=pool)\n"
    )
    (tmp_path / "away").mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "cubes")],
        cwd=tmp_path / "away",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "read 12.0 12.0" in done.stdout, done.stderr
    assert "catalogue 'mine' needs the environment variable KEY_A" in done.stderr
    pair.check_keys()


def test_a_changed_key_counts_from_the_next_reading_on(pair, monkeypatch):
    items = pair.items("A")
    monkeypatch.setenv("KEY_A", "expired-key-5")
    with pytest.raises(RemoteError, match="403") as error:
        load(items, bands=["late"], native=True)
    assert "'mine'" in error.value.hint
    assert "expired-key-5" not in str(error.value)
    with pytest.raises(RemoteError, match="403"):
        preview(items[0], bands=["late"])
    monkeypatch.setenv("KEY_A", "secret-of-A")
    assert (load(items, bands=["late"], native=True).late == 1).all()
    assert len(preview(items[0], bands=["late"])) > 50


def test_a_key_store_is_asked_again_for_each_reading(pair, monkeypatch):
    keyring = pytest.importorskip("keyring")
    kept = {}
    monkeypatch.setattr(keyring, "get_password", lambda service, user: kept.get((service, user)))
    pair.configure("A", 'headers = { "X-Api-Key" = "keyring:store/me" }')
    kept["store", "me"] = "secret-of-A"
    items = pair.items("A")
    kept["store", "me"] = "withdrawn"
    with pytest.raises(RemoteError, match="403"):
        load(items, bands=["late"], native=True)
    kept["store", "me"] = "secret-of-A"
    assert (load(items, bands=["late"], native=True).late == 1).all()


def test_a_login_that_is_said_anew_counts_for_items_found_before(pair, monkeypatch):
    items = pair.items("A")
    monkeypatch.setenv("NEW_KEY", "secret-of-A")
    monkeypatch.delenv("KEY_A")
    address = f"{pair.stores['A'].url}/A/catalog.json"
    login = {"headers": {"X-Api-Key": "env:NEW_KEY"}}
    pair.spaces["A"].change_catalog("mine", address, kind="static", login=login)
    assert (load(items, bands=["red"], native=True).red == 1).all()
    # By hand, as an editor does it.
    monkeypatch.setenv("NEWEST", "secret-of-A")
    monkeypatch.delenv("NEW_KEY")
    pair.configure("A", 'headers = { "X-Api-Key" = "env:NEWEST" }')
    assert (load(items, bands=["nir"], native=True).nir == 1).all()
    assert (load(pair.items("B"), bands=["red"], native=True).red == 2).all()


def test_a_catalogue_under_another_name_still_reads_its_items(pair):
    items = pair.items("A")
    pair.configure("A", 'headers = { "X-Api-Key" = "env:KEY_A" }', name="ours")
    assert (load(items, bands=["red"], native=True).red == 1).all()
    assert (load(pair.items("A", "ours"), bands=["nir"], native=True).nir == 1).all()


def test_the_same_name_without_a_login_is_read_without(pair):
    pair.configure("B", "")
    with pytest.raises(RemoteError, match="403") as error:
        eo.workspace(pair.root / "B").catalog("mine").search()
    assert "has no login: give it one" in error.value.hint
    assert "[catalogs.mine]" in error.value.hint
    assert (load(pair.items("A"), bands=["red"], native=True).red == 1).all()
    assert pair.keys_at("B") == {None}


def without_reference(items):
    made = pystac.ItemCollection.from_dict(items.to_dict())
    for item in made:
        del item.extra_fields[FIELD]
    return made


def test_an_item_without_a_reference_is_matched_by_its_address(pair, monkeypatch):
    lost = {who: without_reference(pair.items(who)) for who in "AB"}
    with pytest.raises(RemoteError, match="403") as error:
        load(lost["A"], bands=["late"], native=True)
    assert "'mine'" in error.value.hint
    assert str(pair.root / "A" / "eolab.toml") in error.value.hint
    monkeypatch.setenv("EOLAB_WORKSPACE", str(pair.root / "A"))
    assert (load(lost["A"], bands=["late"], native=True).late == 1).all()
    with pytest.raises(RemoteError, match="403"):
        load(lost["B"], bands=["late"], native=True)
    pair.check_keys()


def test_two_catalogues_at_one_address_are_not_guessed_between(pair, monkeypatch):
    lost = without_reference(pair.items("A"))
    file = pair.root / "A" / "eolab.toml"
    again = file.read_text().partition("[catalogs.mine]")[2].replace("KEY_A", "KEY_B")
    file.write_text(f"{file.read_text()}[catalogs.twice]{again}")
    monkeypatch.setenv("EOLAB_WORKSPACE", str(file))
    with pytest.raises(RemoteError, match="403") as error:
        load(lost, bands=["red"], native=True)
    assert "'mine'" in error.value.hint
    assert "'twice'" in error.value.hint
    assert "does not say which" in error.value.hint
    assert pair.keys_at("A") == {"secret-of-A", None}


def test_an_item_of_a_workspace_that_is_not_known_here_is_matched_by_its_address(pair, monkeypatch):
    (item,) = pair.items("A")
    item.extra_fields[FIELD] = f"{'0' * 32}-{'0' * 8}/mine"
    with pytest.raises(RemoteError, match="403"):
        load(item, bands=["late"], native=True)
    monkeypatch.setenv("EOLAB_WORKSPACE", str(pair.root / "A"))
    assert (load(item, bands=["late"], native=True).late == 1).all()


def test_a_copied_workspace_is_another_one(pair, monkeypatch):
    """It has its original's id; what its file says is its own."""
    before = pair.items("A")
    copied = pair.root / "copied"
    copied.mkdir()
    (copied / "workspace.json").write_text((pair.root / "A" / "workspace.json").read_text())
    text = (pair.root / "A" / "eolab.toml").read_text()
    (copied / "eolab.toml").write_text(text.replace("KEY_A", "KEY_C"))
    monkeypatch.setenv("KEY_C", "secret-of-A")
    after = eo.workspace(copied).catalog("mine").search()
    monkeypatch.setenv("KEY_C", "gone-key-6")
    assert (load(before, bands=["late"], native=True).late == 1).all()
    with pytest.raises((EolabError, RemoteError), match="403"):
        thumbnail_of_new_file(pair, after)


def thumbnail_of_new_file(pair, items):
    """Of a file that GDAL has not read before."""
    write_raster(pair.root / "web" / "A" / "new.tif", 1)
    items[0].add_asset("new", pystac.Asset(f"{pair.stores['A'].url}/A/new.tif", roles=["data"]))
    return preview(items[0], bands=["new"])


def test_a_redirect_to_the_path_of_another_catalogue_goes_without_the_key(tmp_path, serve):
    """Two catalogues on one host, in one workspace."""
    store = serve(tmp_path / "web", lambda path, headers: None)
    for who in "AB":
        write_raster(tmp_path / "web" / who / "red.tif", VALUES[who])
        write_catalog(tmp_path / "web" / who, {"red": f"{store.url}/{who}/moved.tif"}, who)
    handler = store.server.RequestHandlerClass
    answer = handler.answer

    def redirecting(self, sent, *, body=True):
        if not self.path.endswith("moved.tif"):
            answer(self, sent, body=body)
            return
        store.requests.append((self.command, self.path, dict(self.headers)))
        self.send_response(302)
        self.send_header("Location", f"{store.url}/B/red.tif")
        self.send_header("Content-Length", "0")
        self.end_headers()

    handler.answer = redirecting
    (tmp_path / "eolab.toml").write_text(
        "format = 1\n"
        + "".join(
            f'[catalogs.{who.lower()}]\nkind = "static"\nurl = "{store.url}/{who}/catalog.json"\n'
            f'headers = {{ "X-Api-Key" = "env:KEY_{who}" }}\n'
            for who in "AB"
        )
    )
    items = eo.workspace(tmp_path).catalog("a").search()
    assert not download(items, tmp_path / "got").failed
    at_b = [h.get("x-api-key") for _, path, h in store.requests if path == "/B/red.tif"]
    assert at_b == [None]


class Stores:
    """Workspaces whose catalogues name one object, of two stores with keys of their own."""

    def __init__(self, root: Path, serve, monkeypatch) -> None:
        self.root, self.stores = root, {}
        for who, value in VALUES.items():
            write_raster(root / f"store-{who}" / "scene.tif", value)
            self.stores[who] = serve(root / f"store-{who}", s3(f"ID-{who}", payer=False))
            space = root / who
            write_catalog(space / "scenes", {"red": "s3://bucket/scene.tif"}, who)
            (space / "eolab.toml").write_text(
                'format = 1\n[workspace]\npath = "."\n[catalogs.mine]\n'
                'url = "scenes/catalog.json"\n[catalogs.mine.s3]\n'
                f'endpoint = "{self.stores[who].url}"\n'
                f'key = "env:ID_{who}"\nsecret = "env:KEY_{who}"\n'
            )
            monkeypatch.setenv(f"ID_{who}", f"ID-{who}")

    def items(self, who: str) -> pystac.ItemCollection:
        return eo.workspace(self.root / who).catalog("mine").search()

    def check_keys(self) -> None:
        for who, store in self.stores.items():
            signed = [h.get("authorization", "") for _, _, h in store.requests]
            assert signed
            assert all(f"Credential=ID-{who}/" in text for text in signed)


@pytest.fixture
def stores(tmp_path, serve, monkeypatch):
    # What the environment says for other stores must not get in between.
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-other-keys")
    return Stores(tmp_path, serve, monkeypatch)


def test_one_object_name_in_two_stores_is_two_files(stores, tmp_path):
    items = {who: stores.items(who) for who in "AB"}
    for who in "ABAB":
        assert (load(items[who], bands=["red"], native=True).red == VALUES[who]).all()
        assert not download(items[who], tmp_path / "got" / who).failed
    both = [load(items[w], bands=["red"], native=True, chunks={"x": 4}).red for w in "AB"]
    # In one graph dask takes what has one name for the same.
    difference = (both[1] - both[0]).compute(scheduler="threads")
    assert (difference == 1).all()
    stores.check_keys()


def test_items_of_two_stores_make_one_cube(stores):
    first, second = stores.items("A")[0], stores.items("B")[0]
    second.datetime = second.datetime + dt.timedelta(days=1)
    for chunks in (None, {"x": 4}):
        cube = load([first, second], bands=["red"], native=True, chunks=chunks)
        np.testing.assert_array_equal(cube.red.isel(x=0, y=0), [1, 2])
        np.testing.assert_array_equal(cube.red.max(("x", "y")), [1, 2])
    stores.check_keys()


def test_an_item_of_a_local_catalogue_that_lost_its_reference(stores, monkeypatch):
    lost = pystac.Item.from_file(str(stores.root / "A" / "scenes" / "A" / "A.json"))
    assert FIELD not in lost.extra_fields
    monkeypatch.setenv("EOLAB_WORKSPACE", str(stores.root / "A"))
    assert (load(lost, bands=["red"], native=True).red == 1).all()
    stores.items("B")
    monkeypatch.setenv("EOLAB_WORKSPACE", str(stores.root / "B"))
    assert login_of(lost) is None


def test_signatures_stay_out_of_errors_and_logs(tmp_path, serve, monkeypatch, caplog):
    import re

    from eolab.catalog.io import logins

    store = serve(tmp_path / "web", lambda path, headers: None if ".json" in path else "no")
    tokens = {"token": "sv=1&sig=hush%3D", "msft:expiry": "2999-01-01T00:00:00Z"}
    store.extra["/token//"] = lambda sent, headers: (200, tokens)
    monkeypatch.setattr(logins, "SAS", f"{store.url}/token")
    here = re.compile(r"^http://127\.0\.0\.1:\d+/(?P<account>)(?P<container>)")
    monkeypatch.setattr(logins, "BLOB", here)
    write_catalog(tmp_path / "web", {"red": f"{store.url}/red.tif"})
    (tmp_path / "eolab.toml").write_text(
        f'format = 1\n[catalogs.mine]\nurl = "{store.url}/catalog.json"\n'
        'sign = "planetary-computer"\n'
    )
    (item,) = eo.workspace(tmp_path).catalog("mine").search()
    picture = item.clone()
    picture.assets["red"].media_type = "image/png"
    picture.assets["red"].roles = ["thumbnail"]
    errors = []
    with caplog.at_level(logging.DEBUG):
        for call in (
            lambda: thumbnail(picture),
            lambda: preview(item, bands=["red"]),
            lambda: load(item, bands=["red"], native=True),
            lambda: load(item, bands=["red"], resolution=10, crs="EPSG:32633"),
        ):
            with pytest.raises(EolabError, match=r"asset|answered") as error:
                call()
            errors.append(str(error.value))
    assert any("sig=hush" in path for _, path, _ in store.requests)
    assert not any("hush" in text for text in errors)
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("urllib3")]
    assert not any("hush" in text for text in ours)
