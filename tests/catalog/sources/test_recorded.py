"""What real APIs answered, in the contract that every source keeps.

Recorded are pages of items, collections and queryables of Earth Search and Planetary Computer; a
loopback service sends them again, in pages of the recorded size. It filters nothing, as Earth
Search did when it was recorded, but sorts where it is asked to and the API says that it can.
"""

from __future__ import annotations

import json
from urllib.parse import unquote, urlsplit

import pytest

from eolab.catalog import open_source
from tests.catalog.sources.test_sources import SourceContract

PAGE = 10


class Replay:
    """A service that has what was recorded of one host."""

    def __init__(self, interactions, host):
        pairs = [
            (request, answer)
            for recorded in interactions.values()
            for request, answer in recorded
            if host in request["uri"]
        ]
        self.items: dict[tuple[str, str], dict[str, object]] = {}
        self.collections: dict[str, dict[str, object]] = {}
        self.queryables: dict[str, dict[str, object]] = {}
        self.conforms: list[str] = []
        self.url = ""
        for request, answer in pairs:
            path = urlsplit(request["uri"]).path
            if "conformsTo" in answer:
                self.conforms = answer["conformsTo"]
            for item in answer.get("features", []):
                self.items[item["collection"], item["id"]] = item
            for collection in answer.get("collections", []):
                self.collections[collection["id"]] = collection
            if path.endswith("/queryables"):
                self.queryables[path.split("/")[-2]] = answer
            elif answer.get("type") == "Collection":
                self.collections[answer["id"]] = answer
        with_items = {collection for collection, _ in self.items}
        self.collections = {
            name: document
            for name, document in self.collections.items()
            if name in with_items or name in self.queryables
        }

    def __call__(self, method, path, body):
        parts = [unquote(part) for part in urlsplit(path).path.split("/") if part]
        match parts:
            case []:
                return 200, self.landing()
            case ["collections"]:
                return 200, {"collections": list(self.collections.values()), "links": []}
            case ["collections", name] if name in self.collections:
                return 200, self.at_home(name)
            case ["collections", name, "queryables"] if name in self.queryables:
                return 200, self.queryables[name]
            case ["search"]:
                return 200, self.page(body or {})
        return 404, {"code": "NotFound", "description": path}

    def landing(self):
        link = {"href": f"{self.url}/search", "type": "application/geo+json"}
        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "recorded",
            "description": "recorded",
            "conformsTo": self.conforms,
            "links": [
                {"rel": "self", "href": self.url},
                {"rel": "root", "href": self.url},
                {"rel": "data", "href": f"{self.url}/collections"},
                {"rel": "search", **link, "method": "GET"},
                {"rel": "search", **link, "method": "POST"},
            ],
        }

    def at_home(self, name):
        """A collection whose links lead back to us."""
        here = f"{self.url}/collections/{name}"
        links = [{"rel": "self", "href": here}, {"rel": "root", "href": self.url}]
        rel = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
        if name in self.queryables:
            links.append({"rel": rel, "href": f"{here}/queryables"})
        return {**self.collections[name], "links": links}

    def page(self, body):
        documents = list(self.items.values())
        if "sortby" in body:
            documents.sort(key=lambda d: d["id"])
            descends = body["sortby"][0]["direction"] == "desc"
            documents.sort(key=lambda d: d["properties"]["datetime"], reverse=descends)
        start = int(body.get("token", 0))
        links = []
        if start + PAGE < len(documents):
            after = {"token": str(start + PAGE)}
            href = f"{self.url}/search"
            links = [{"rel": "next", "href": href, "method": "POST", "merge": True, "body": after}]
        features = json.loads(json.dumps(documents[start : start + PAGE]))
        return {"type": "FeatureCollection", "features": features, "links": links}


@pytest.fixture
def replay(interactions, serve):
    def start(host):
        made = Replay(interactions, host)
        made.url = serve(made)
        return made

    return start


class TestEarthSearch(SourceContract):
    @pytest.fixture
    def source(self, replay, config):
        return open_source(config, replay("earth-search.aws.element84.com").url)

    def test_it_is_what_was_recorded(self, source, recorded):
        name = "TestCLISearch.test_filter[inprocess]"
        sent = {(f["collection"], f["id"]) for f in recorded[name]}
        assert source.kind == "api"
        assert {(i.collection_id, i.id) for i in source.search()} == sent
        assert not source.skipped
        little = source.search(max_cloud=40, cloud_missing="drop")
        assert little
        assert all(i.properties["eo:cloud_cover"] <= 40 for i in little)
        assert len(little) < len(sent)


class TestPlanetaryComputer(SourceContract):
    @pytest.fixture
    def source(self, replay, config):
        return open_source(config, replay("planetarycomputer.microsoft.com").url)

    def test_it_is_what_was_recorded(self, source):
        found = source.search()
        assert len(found) >= 42
        assert {i.collection_id for i in found} == {"naip"}
        # An item of two versions of the recording is there once.
        assert len({i.id for i in found}) == len(found)
        assert not source.skipped
        assert {c.id for c in source.collections()} == {"3dep-seamless", "fia"}
        # CQL2 on what was recorded, against the properties themselves.
        years = [i.id for i in found if i.properties["naip:year"] == "2021"]
        assert years
        assert [i.id for i in source.search(filter="naip:year = '2021'")] == years
