"""A STAC API whose answers are written by hand, in the shapes of the recorded ones.

It pages by POST with a body to be merged, has queryables of its own, sorts, and reads CQL2: what it
is asked for is looked at, and so is that nothing is believed which it does not do.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from eolab.catalog import open_source
from eolab.errors import NotFoundError, RemoteError
from eolab.settings.limits import Limits
from eolab.testing import SourceContract
from tests.far import Patient

PAGE = 4
CONFORMS = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#sort",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
]
QUERYABLES = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "Queryables of orthophotos",
    "properties": {
        "photo:year": {"type": "string", "enum": ["2019", "2021"]},
        "gsd": {"type": "number", "minimum": 0.3, "maximum": 1},
        "eo:cloud_cover": {"type": "number", "minimum": 0, "maximum": 100},
    },
    "additionalProperties": True,
}
WORDS = {
    "=": lambda a, b: a == b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}


def item(number: int) -> dict[str, object]:
    west, south = 10 + number / 2, 50 + (number % 3) / 2
    ring = [[west, south], [west + 0.4, south], [west + 0.4, south + 0.4], [west, south]]
    year = "2019" if number % 2 else "2021"
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": f"photo-{number:02}",
        "collection": "orthophotos" if number < 10 else "radar",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [west, south, west + 0.4, south + 0.4],
        "properties": {
            "datetime": f"{year}-06-{1 + number:02}T10:00:00Z",
            "photo:year": year,
            "gsd": 0.3 + 0.05 * number,
            **({"eo:cloud_cover": 9 * number} if number < 10 else {}),
        },
        "links": [],
        "assets": {"image": {"href": f"https://example.org/{number}.tif"}},
    }


class WrittenApi:
    """The service; `asked` holds the bodies of its searches."""

    def __init__(self, *, filters: bool = True) -> None:
        self.filters = filters
        self.items = [item(number) for number in (7, 2, 11, 0, 9, 4, 1, 10, 3, 8, 5, 6)]
        self.asked: list[dict[str, object]] = []
        self.url = ""

    def __call__(self, method, path, body):
        match [unquote(part) for part in urlsplit(path).path.split("/") if part]:
            case []:
                return 200, self.landing()
            case ["collections"]:
                names = ("orthophotos", "radar")
                return 200, {"collections": [self.collection(name) for name in names], "links": []}
            case ["collections", ("orthophotos" | "radar") as name]:
                return 200, self.collection(name)
            case ["collections", "orthophotos", "queryables"]:
                return 200, QUERYABLES
            case ["search"] if method == "POST":
                self.asked.append(body)
                return 200, self.page(body)
        return 404, {"code": "NotFound", "description": f"no {path} here"}

    def landing(self):
        links = [
            {"rel": "self", "href": self.url},
            {"rel": "root", "href": self.url},
            {"rel": "data", "href": f"{self.url}/collections"},
            {
                "rel": "search",
                "href": f"{self.url}/search",
                "method": "POST",
                "type": "application/geo+json",
            },
        ]
        shared = {"type": "Catalog", "stac_version": "1.0.0"}
        return {
            **shared, "id": "written", "description": "by hand", "conformsTo": CONFORMS,
            "links": links,
        }  # fmt: skip

    def collection(self, name):
        here = f"{self.url}/collections/{name}"
        links = [{"rel": "self", "href": here}, {"rel": "root", "href": self.url}]
        if name == "orthophotos":
            rel = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
            links.append({"rel": rel, "href": f"{here}/queryables"})
        return {
            "type": "Collection", "stac_version": "1.0.0", "id": name, "license": "other",
            "description": f"Made {name}", "links": links,
            "extent": {
                "spatial": {"bbox": [[10, 50, 17, 52]]},
                "temporal": {"interval": [["2019-06-01T00:00:00Z", None]]},
            },
        }  # fmt: skip

    def page(self, body):
        found = [one for one in self.items if self.fits(one, body)]
        for key in reversed(body.get("sortby", [])):
            name = key["field"].removeprefix("properties.")
            found.sort(
                key=lambda one, name=name: one["properties"].get(name, one.get(name)),
                reverse=key["direction"] == "desc",
            )
        start = int(body.get("token", 0))
        links = []
        if start + PAGE < len(found):
            links = [
                {
                    "rel": "next", "href": f"{self.url}/search", "method": "POST", "merge": True,
                    "body": {"token": str(start + PAGE)},
                }
            ]  # fmt: skip
        features = json.loads(json.dumps(found[start : start + PAGE]))
        return {"type": "FeatureCollection", "features": features, "links": links}

    def fits(self, one, body):
        if body.get("collections") and one["collection"] not in body["collections"]:
            return False
        return not (self.filters and "filter" in body) or self.holds(one, body["filter"])

    def holds(self, one, expression):
        arguments = expression["args"]
        if expression["op"] == "and":
            return all(self.holds(one, part) for part in arguments)
        value = one["properties"].get(arguments[0]["property"])
        return value is not None and WORDS[expression["op"]](value, arguments[1])


@pytest.fixture
def api(serve):
    made = WrittenApi()
    made.url = serve(made)
    return made


class TestWrittenApi(SourceContract):
    @pytest.fixture
    def source(self, api, config):
        return open_source(config, api.url)

    def test_all_pages_are_asked_for_by_post_with_the_merged_body(self, source, api):
        found = source.search(["orthophotos"])
        assert len(found) == 10
        assert [body.get("token") for body in api.asked] == [None, "4", "8"]
        assert all(body["collections"] == ["orthophotos"] for body in api.asked)

    def test_a_limit_asks_for_no_page_more_than_it_needs(self, source, api):
        found = source.search(limit=5)
        assert [i.id for i in found] == [i.id for i in source.search()][:5]
        assert [body.get("token") for body in api.asked[:2]] == [None, "4"]
        assert api.asked[2].get("token") is None  # that was the second search

    def test_queryables_are_those_of_the_service_and_elsewhere_of_the_items(self, source):
        assert source.queryables("orthophotos") == QUERYABLES["properties"]
        assert set(source.queryables("radar")) >= {"gsd", "photo:year"}

    def test_cql2_is_sent_as_json_and_holds_for_what_comes(self, source, api):
        found = source.search(filter="photo:year = '2021' AND gsd <= 0.5")
        assert [i.id for i in found] == ["photo-00", "photo-02", "photo-04"]
        assert api.asked[0]["filter-lang"] == "cql2-json"
        assert api.asked[0]["filter"]["op"] == "and"

    def test_little_cloud_is_asked_for_only_where_no_item_is_lost(self, source, api):
        kept = source.search(max_cloud=20)
        assert {i.id for i in kept} == {"photo-00", "photo-01", "photo-02", "photo-10", "photo-11"}
        assert "filter" not in api.asked[0]
        api.asked.clear()
        dropped = source.search(max_cloud=20, cloud_missing="drop")
        assert {i.id for i in dropped} == {"photo-00", "photo-01", "photo-02"}
        assert api.asked[0]["filter"]["op"] == "<="


def test_a_service_that_reads_no_filter_although_it_says_so_is_not_believed(serve, config):
    api = WrittenApi(filters=False)
    api.url = serve(api)
    found = open_source(config, api.url).search(filter="photo:year = '2021' AND gsd <= 0.5")
    assert [i.id for i in found] == ["photo-00", "photo-02", "photo-04"]
    assert "filter" in api.asked[0]


class OddApi(WrittenApi):
    """The service with one answer that it should not give."""

    def __init__(self, odd):
        super().__init__()
        self.odd = odd

    def __call__(self, method, path, body):
        status, document = super().__call__(method, path, body)
        return status, self.odd(path, document)


def odd(where, change):
    """An answer of one path changed."""
    return lambda path, document: change(document) if urlsplit(path).path == where else document


def test_links_of_a_service_read_no_file_of_this_machine(serve, config, tmp_path):
    """Not by the link to the next page, nor by the one to the collections, which is asked there."""
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"type": "FeatureCollection", "features": [item(0)], "links": []}))
    api = OddApi(odd("/search", lambda answer: {**answer, "links": [next_page(page)]}))
    api.url = serve(api)
    with pytest.raises(RemoteError, match=r"names .*page.json, which is not at a service"):
        open_source(config, api.url).search()

    listed = tmp_path / "collections.json"
    listed.write_text(json.dumps({"collections": [api.collection("radar")], "links": []}))
    api = OddApi(odd("/", lambda answer: {**answer, "links": data_at(answer["links"], listed)}))
    api.url = serve(api)
    with pytest.raises(NotFoundError, match="the collections is not there"):
        open_source(config, api.url).collections()


def next_page(path):
    return {"rel": "next", "href": str(path), "method": "GET"}


def data_at(links, path):
    return [{**link, "href": str(path)} if link["rel"] == "data" else link for link in links]


def test_an_odd_collection_of_a_service_is_skipped_and_listed(serve, config):
    def spoiled(answer):
        return {**answer, "collections": [{"id": 7}, "no object", *answer["collections"]]}

    api = OddApi(odd("/collections", spoiled))
    api.url = serve(api)
    source = open_source(config, api.url)
    assert [c.id for c in source.collections()] == ["orthophotos", "radar"]
    assert [skipped.message for skipped in source.skipped] == [
        "ValueError: the collection has no id"
    ] * 2


def test_a_search_without_end_ends_and_says_so(serve, config):
    """A service that cannot sort is asked page after page: up to a number of them."""
    conforms = [uri for uri in CONFORMS if not uri.endswith("#sort")]
    api = OddApi(odd("/", lambda answer: {**answer, "conformsTo": conforms}))
    api.url = serve(api)
    config = replace(config, limits=Limits(pages=2))
    source = open_source(config, api.url)
    with pytest.warns(
        UserWarning, match="ended after 2 pages .* 8 items .* not the newest"
    ) as told:
        found = source.search(limit=20)
    assert len(found) == 8
    assert "8 items looked at" in str(told[0].message)
    assert "raise [limits] pages in eolab.toml" in str(told[0].message)
    assert "ended after 2 pages" in source.skipped[-1].message
    assert len(open_source(config, api.url, limits={"pages": 9}).search(limit=20)) == 12


def test_a_service_that_asks_for_an_hour_is_not_waited_for(config):
    with (
        busy_server(retry_after=3600) as url,
        pytest.raises(RemoteError, match="to wait 3600 s") as e,
    ):
        open_source(config, url).search()
    assert "raise [limits] retry_after" in e.value.hint


@contextmanager
def busy_server(*, retry_after):
    class Busy(Patient):
        def do_GET(self):
            self.send_response(503)
            self.send_header("Retry-After", str(retry_after))
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
