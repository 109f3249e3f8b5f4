"""STAC APIs: recorded answers of real ones, and a loopback server that misbehaves."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections import Counter
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from eolab.catalog import open_source
from eolab.catalog.query.query import order
from eolab.catalog.simulate.names import COLLECTION, RADAR
from eolab.catalog.sources.base import PartialAnswer
from eolab.errors import EolabError, RemoteError
from eolab.settings.config import CatalogConfig, Config
from tests.guarded import Store


def landing(url, *conforms, methods=("GET", "POST")):
    return {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "loopback",
        "description": "stand-in for a STAC API; answers any search with everything it has",
        "conformsTo": [
            "https://api.stacspec.org/v1.0.0/core",
            "https://api.stacspec.org/v1.0.0/collections",
            "https://api.stacspec.org/v1.0.0/item-search",
            *conforms,
        ],
        "links": [
            {"rel": "self", "href": url},
            {"rel": "root", "href": url},
            {"rel": "data", "href": f"{url}/collections"},
            *({"rel": "search", "href": f"{url}/search", "method": m} for m in methods),
        ],
    }


class StandIn:
    """A STAC API that honours paging and no filter at all; a stand-in, as no real one runs here."""

    def __init__(self, documents, collections=(), page=4, methods=("GET", "POST")):
        self.documents, self.collections = documents, list(collections)
        self.page, self.methods = page, methods
        self.url, self.requests, self.faults = "", [], {}

    def __call__(self, method, path, body):
        self.requests.append((method, path, body))
        split = urlsplit(path)
        if split.path == "/search":
            asked = parse_qs(split.query)
            token = int((body or {}).get("token") or asked.get("token", ["0"])[0])
            fault = self.faults.get(token, [])
            if fault:
                return fault.pop(0)
            rest = self.documents[token : token + self.page]
            links = []
            if token + self.page < len(self.documents):
                after = token + self.page
                if method == "POST":
                    links = [
                        {
                            "rel": "next",
                            "href": f"{self.url}/search",
                            "method": "POST",
                            "merge": True,
                            "body": {"token": str(after)},
                        }
                    ]
                else:
                    links = [{"rel": "next", "href": f"{self.url}/search?token={after}"}]
            return 200, {"type": "FeatureCollection", "features": rest, "links": links}
        if split.path == "/collections":
            return 200, {"collections": self.collections, "links": []}
        return 200, landing(self.url, methods=self.methods)


@pytest.fixture
def documents(sample_items):
    return [item.to_dict(transform_hrefs=False) for item in sample_items]


@pytest.fixture
def stand_in(serve, documents, sample_source):
    collections = [c.to_dict(transform_hrefs=False) for c in sample_source.collections()]
    made = StandIn(documents, collections)
    made.url = serve(made)
    return made


class TestLikeTheStaticCatalogue:
    """A service that ignores every filter still gives the same results."""

    @pytest.fixture
    def documents(self, sample_source):
        return [item.to_dict(transform_hrefs=False) for item in sample_source.search()]

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"max_cloud": 10},
            {"datetime": "2021-05/2021-07", "max_cloud": 30},
            {"bbox": (12.05, 48.5, 12.1, 48.7)},
            {"bbox": (12.05, 48.5, -170, 48.7)},
            {"ids": ["SIM_S2B_33UTP_20210410_N0500"]},
            {"collections": ["sentinel-2-l2a-simulated"], "limit": 3},
            {"collections": ["another"]},
        ],
    )
    @pytest.mark.parametrize("methods", [("GET",), ("GET", "POST")])
    def test_searches_agree(self, stand_in, sample_source, config, asked, methods):
        stand_in.methods = methods
        ours = open_source(config, stand_in.url).search(**asked)
        assert [i.id for i in ours] == [i.id for i in sample_source.search(**asked)]
        assert all(m in methods for m, path, _ in stand_in.requests if path.startswith("/search"))

    def test_collections(self, stand_in, config):
        source = open_source(config, stand_in.url)
        assert source.kind == "api"
        assert [c.id for c in source.collections()] == [RADAR, COLLECTION]


class TestFaults:
    @pytest.mark.parametrize("methods", [("GET",), ("GET", "POST")])
    def test_paging_goes_on_after_errors(self, stand_in, config, methods):
        stand_in.methods = methods
        stand_in.faults = {
            0: [(429, {})],
            4: [(503, b"<html>busy</html>"), (500, {})],
            8: [(502, {}), (504, {})],
        }
        found = open_source(config, stand_in.url).search()
        assert len(found) == 26
        asked = Counter(
            (body or {}).get("token") or re.sub(r".*token=", "", path)
            for _, path, body in stand_in.requests
            if path.startswith("/search") and ((body or {}).get("token") or "token=" in path)
        )
        # The page that failed is asked again, never the ones before.
        assert asked == {"4": 3, "8": 3, "12": 1, "16": 1, "20": 1, "24": 1}

    def test_a_page_that_never_comes_is_named_and_the_others_kept(self, stand_in, config):
        stand_in.faults = {8: [(500, {"description": "out of order"})] * 20}
        with pytest.raises(PartialAnswer, match="page 3") as error:
            open_source(config, stand_in.url).search()
        assert len(error.value.items) == 8
        assert "8 items came before" in error.value.hint

    def test_a_page_on_which_a_server_falls_silent_is_asked_for_once(
        self, serve, documents, config
    ):
        stand_in, asked, gate = StandIn(documents), [], threading.Event()

        def answer(method, path, body):
            if path.startswith("/search"):
                asked.append(path)
                if len(asked) > 2:
                    gate.wait(30)
            return stand_in(method, path, body)

        stand_in.url = serve(answer)
        start = time.monotonic()
        with pytest.raises(PartialAnswer, match="page 3") as error:
            open_source(config, stand_in.url).search()
        gate.set()
        assert time.monotonic() - start < 10  # five times the limit of these tests
        assert len(asked) == 3
        assert len(error.value.items) == 8

    @pytest.mark.parametrize(
        "fault",
        [
            ("cut", None),
            (200, b"<html>a proxy's page</html>"),
            (200, b""),
            (401, {"description": "log in"}),
        ],
    )
    def test_nonsense_is_an_error_never_a_crash(self, stand_in, config, fault):
        stand_in.faults = {4: [fault] * 20}
        with pytest.raises(RemoteError, match="page 2") as error:
            open_source(config, stand_in.url).search()
        assert error.value.hint

    def test_paging_in_circles_ends(self, serve, documents, config):
        stand_in = StandIn(documents)

        def answer(method, path, body):
            status, told = stand_in(method, path, body)
            if path.startswith("/search"):
                told["links"] = [{"rel": "next", "href": f"{stand_in.url}/search?token=0"}]
            return status, told

        stand_in.url = serve(answer)
        with pytest.raises(PartialAnswer, match="repeats") as error:
            open_source(config, stand_in.url).search()
        assert len(error.value.items) == 4

    def test_no_stac_at_all(self, serve, config):
        url = serve(lambda *_: (200, {"hello": "world"}))
        with pytest.raises(EolabError, match="no STAC document"):
            open_source(config, url).search()

    def test_broken_items_are_skipped(self, stand_in, config):
        stand_in.documents[3] = {**stand_in.documents[3], "properties": None}
        stand_in.documents[5] = {**stand_in.documents[5], "geometry": {"type": "Polygon"}}
        source = open_source(config, stand_in.url)
        assert len(source.search(bbox=(11, 48, 13, 49))) == 24
        assert len(source.skipped) == 2


class TestRecorded:
    """Answers that Earth Search and Planetary Computer really gave."""

    @pytest.fixture
    def replay(self, interactions, serve):
        def start(name, host):
            pairs = [(r, a) for r, a in interactions[name] if host in r["uri"]]
            root = next((r["uri"] for r, _ in pairs), "")
            base = re.match(rf"https://{re.escape(host)}[^?]*?(?=/search|/collections|$)", root)[0]
            asked = []

            def answer(method, path, body):
                asked.append((method, path, body))
                for request, recorded in pairs:
                    sent = json.loads(request["body"]) if request["body"] else None
                    same_path = urlsplit(request["uri"]).path.removeprefix(
                        urlsplit(base).path
                    ).rstrip("/") == urlsplit(path).path.rstrip("/")
                    first = not {"next", "token"} & set(body or {})
                    recorded_first = not {"next", "token"} & set(sent or {})
                    if method == request["method"] and same_path and first == recorded_first:
                        told = json.loads(json.dumps(recorded).replace(base, url))
                        if not first:  # what came after was not recorded
                            told["links"] = []
                        return 200, told
                if urlsplit(path).path in ("", "/"):
                    return 200, landing(url)
                return 404, {}

            url = serve(answer)
            return url, asked

        return start

    def test_little_cloud_means_little_cloud(self, replay, recorded, config):
        name = "TestCLISearch.test_filter[inprocess]"
        sent = [f["properties"].get("eo:cloud_cover") for f in recorded[name]]
        assert max(c for c in sent if c is not None) > 40  # the service did not filter
        url, _ = replay(name, "earth-search.aws.element84.com")
        source = open_source(config, url)
        found = list(source.search(max_cloud=40, cloud_missing="drop"))
        covers = [item.properties["eo:cloud_cover"] for item in found]
        assert covers
        assert max(covers) <= 40
        assert [order(i) for i in found] == sorted(order(i) for i in found)
        # Sentinel-1 states no cloud cover: kept by default, dropped when asked.
        kept = {i.collection_id for i in source.search(max_cloud=40)}
        assert kept - {i.collection_id for i in found} == {"sentinel-1-grd"}

    def test_filters_go_out_where_the_service_knows_them(self, replay, config):
        url, asked = replay(
            "TestCLISearch.test_filter[inprocess]", "earth-search.aws.element84.com"
        )
        open_source(config, url).search(["sentinel-2-l2a"], max_cloud=40)
        body = next(body for method, path, body in asked if path.endswith("/search"))
        assert body["query"] == {"eo:cloud_cover": {"lte": 40}}
        assert body["sortby"][0] == {"field": "properties.datetime", "direction": "asc"}

    def test_paging_of_planetary_computer(self, replay, recorded, config):
        name = "TestItemSearch.test_result_paging"
        url, asked = replay(name, "planetarycomputer.microsoft.com")
        found = open_source(config, url).search(["naip"], bbox=(-73.21, 43.99, -73.12, 44.05))
        assert {i.id for i in found} == {f["id"] for f in recorded[name]}
        assert sum(path.endswith("/search") for _, path, _ in asked) == 2

    def test_queryables_of_planetary_computer(self, replay, interactions, config):
        name = "TestQueryables.test_get_queryables_collections"
        url, _ = replay(name, "planetarycomputer.microsoft.com")
        offered = open_source(config, url).queryables("3dep-seamless")
        told, *_ = [
            answer
            for request, answer in interactions[name]
            if request["uri"].endswith("3dep-seamless/queryables")
        ]
        assert set(offered) == set(told["properties"])

    def test_one_scene_of_three_collections_is_one(self, replay, config):
        from eolab.catalog import resolve_duplicates

        url, _ = replay("TestCLISearch.test_filter[inprocess]", "earth-search.aws.element84.com")
        resolved = resolve_duplicates(open_source(config, url).search(bbox=(-180, -90, 180, 90)))
        scenes = [i for i in resolved.items if "sentinel-2" in i.collection_id]
        assert {i.collection_id for i in scenes} == {"sentinel-2-c1-l2a"}
        assert len({i.properties["grid:code"] for i in scenes}) == len(scenes)
        assert any("the same scene is in sentinel-2-c1-l2a" in d.reason for d in resolved.dropped)


def test_a_packed_document_is_unpacked_up_to_a_limit(sample, monkeypatch):
    """A few kilobytes on the way may be gigabytes here: by search, by list and by crawl."""
    store = Store(sample, lambda path, headers: None)
    packed = gzip.compress(b'{"features": "' + b" " * (3 << 20) + b'"}')
    handler = store.server.RequestHandlerClass
    send = handler.send
    monkeypatch.setattr(
        handler, "send", lambda self, code, document, *, body=True, **headers: send(
            self, code, packed, body=body, Content_Encoding="gzip"
        )
    )  # fmt: skip
    try:
        for kind in ("api", "static"):
            config = Config(root=sample.parent / "none")
            config = replace(config, catalogs={"m": CatalogConfig("m", store.url, kind)})
            with pytest.raises(RemoteError, match="sends more than 1 MB") as error:
                open_source(config, "m", limits={"megabytes": 1}).search(limit=1)
            assert "raise [limits] megabytes in eolab.toml" in error.value.hint
    finally:
        store.close()


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_comes_byte_by_byte_ends(sample, monkeypatch, part):
    """Each byte starts a socket's clock anew: head and body as a whole have one each, too."""
    store = Store(sample, lambda path, headers: None)
    monkeypatch.setenv("EOLAB_LIMITS_MINUTES", "0.01")
    handler = store.server.RequestHandlerClass

    def drip(self, code, document, *, body=True, **headers):
        end = b"\r\n\r\n" if part == "body" else b"\r\nX-Slow: "
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000" + end)
        for _ in range(400):
            try:
                self.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.05)

    monkeypatch.setattr(handler, "send", drip)
    try:
        for kind in ("api", "static"):
            config = Config(root=sample.parent / "none")
            config = replace(config, catalogs={"m": CatalogConfig("m", store.url, kind)})
            start = time.monotonic()
            with pytest.raises(RemoteError, match="did not send its answer in") as error:
                open_source(config, "m").search(limit=1)
            assert time.monotonic() - start < 10
            assert "raise [limits] minutes in eolab.toml" in error.value.hint
    finally:
        store.close()
