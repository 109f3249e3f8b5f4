"""The routes of the search tab, against a real server and its helper process."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eolab.errors import ConfigError, ConflictError, InvalidInputError
from eolab.records import saved_searches
from eolab.settings import config as configuration
from eolab.settings import edit as config_file

FIELD = {
    "type": "Polygon",
    "coordinates": [
        [[15.0, 45.0], [15.05, 45.0], [15.05, 45.05], [15.0, 45.05], [15.0, 45.0]]
    ],
}  # fmt: skip


def test_a_search_gives_footprints_times_and_what_was_skipped(server):
    answer = server.post("catalogs/mine/search", {"collection": "mini"})
    assert answer.status == 200, answer.body
    body = answer.json
    # The newest first; the broken one is named.
    assert [item["id"] for item in body["items"]] == ["gone", "good"]
    assert body["matched"] == 2
    assert body["items"][0]["rings"][0][:2] == [15.0, 45.0]
    assert body["histogram"] == {
        "period": "day",
        "bins": [["2024-05-01", 1], ["2024-05-02", 1]],
        "whole": True,
    }
    assert "broken" in body["skipped"][0]["href"]


def test_every_part_of_a_query_counts(server):
    def ids(**query):
        answer = server.post("catalogs/mine/search", query)
        assert answer.status == 200, answer.body
        return [item["id"] for item in answer.json["items"]]

    assert ids(max_cloud=5) == ["good"]
    assert ids(datetime="2024-05-02/..") == ["gone"]
    assert ids(bbox=[0, 0, 1, 1]) == []
    assert ids(intersects=FIELD) == ["gone", "good"]
    assert ids(text="good") == ["good"]
    assert ids(filter={"op": ">", "args": [{"property": "eo:cloud_cover"}, 5]}) == ["gone"]
    assert ids(limit=1) == ["gone"]


def test_dates_leave_the_histogram_whole(server):
    body = server.post("catalogs/mine/search", {"datetime": "2024-05-02"}).json
    assert [count for _, count in body["histogram"]["bins"]] == [1, 1]
    assert body["matched"] == 1


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": "many"},
        {"limit": 20_000},
        {"unknown": 1},
        {"intersects": {"type": "Point", "coordinates": [0, 0]}},
        {"intersects": "everywhere"},
        {"bbox": [1, 2]},
        {"datetime": "yesterday"},
        {"filter": {"op": "exec", "args": []}},
    ],
)
def test_a_query_that_cannot_be_used_is_refused(server, query):
    answer = server.post("catalogs/mine/search", query)
    assert answer.status == 400
    assert answer.json["message"]
    assert answer.json["hint"]


def test_one_item_whole(server):
    answer = server.get("catalogs/mine/item", collection="mini", item="good")
    assert answer.status == 200, answer.body
    body = answer.json
    assert [band["common"] for band in body["bands"]] == ["red", "green", "blue"]
    assert {asset["key"]: asset["roles"] for asset in body["assets"]}["red"] == ["data"]
    assert body["properties"]["platform"] == "sentinel-2a"
    assert body["mask"] is False
    assert "NDVI" not in body["indices"]  # it has no near infrared
    assert server.get("catalogs/mine/item", collection="mini", item="none").status == 404
    assert server.get("catalogs/mine/item", collection="mini").status == 400


def test_a_picture_tells_its_stretch_and_takes_it_again(server):
    asked = {"collection": "mini", "item": "good", "bands": "red", "size": 64}
    first = server.get("catalogs/mine/preview", **asked)
    stretch = first.headers["eolab-stretch"]
    low, high = map(float, stretch.split(","))
    assert low < high
    again = server.get("catalogs/mine/preview", **asked, stretch=stretch)
    assert again.body == first.body
    assert again.headers["eolab-stretch"] == stretch


def test_an_index_is_drawn_with_a_colour_map(server):
    asked = {"collection": "mini", "item": "good", "size": 64}
    # Of red, green and blue.
    answer = server.get("catalogs/mine/preview", **asked, index="VARI", map="RdYlGn")
    assert answer.status == 200, answer.body
    assert answer.body.startswith(b"\x89PNG")
    other = server.get("catalogs/mine/preview", **asked, index="VARI", map="gray")
    assert other.body != answer.body
    assert server.get("catalogs/mine/preview", **asked, index="NDVI").status == 400
    assert server.get("catalogs/mine/preview", **asked, index="VARI", map="odd").status == 400


def test_the_calendar_of_an_area_and_why_clear_sky_is_not_known(server):
    answer = server.post("catalogs/mine/calendar", {"collection": "mini", "geometry": FIELD})
    assert answer.status == 200, answer.body
    body = answer.json
    assert [row["date"] for row in body["passes"]] == ["2024-05-01", "2024-05-02"]
    assert body["passes"][0]["valid"] is None
    assert "nothing to mask with" in body["reason"]
    assert server.post("catalogs/mine/calendar", {"collection": "mini"}).status == 400
    wrong = {"collection": "mini", "geometry": {"type": "Point", "coordinates": [15, 45]}}
    assert server.post("catalogs/mine/calendar", wrong).status == 400


def test_a_curve_says_what_it_lacks(server):
    answer = server.post("catalogs/mine/curve", {"collection": "mini", "geometry": FIELD})
    assert answer.status == 400
    assert "NDVI needs nir" in answer.json["message"]


def test_saved_searches_and_areas_stay(server):
    area = {"geometry": FIELD}
    kept = server.post("saved", {"kind": "area", "name": " my  field ", "value": area})
    assert kept.status == 200, kept.body
    search = {"catalog": "mine", "collection": "mini"}
    server.post("saved", {"kind": "search", "name": "spring", "value": search})
    body = server.get("saved").json
    assert body["area"] == [{"name": "my field", "value": area}]
    assert body["search"] == [{"name": "spring", "value": search}]
    document = json.loads((server.config.root / "saved.json").read_text())
    assert document["format"] == 1
    server.post("saved", {"kind": "area", "name": "my field", "value": None})
    assert server.get("saved").json["area"] == []


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "file", "name": "x", "value": {}},
        {"kind": "area", "name": "", "value": {"geometry": FIELD}},
        {"kind": "area", "name": "x" * 200, "value": {"geometry": FIELD}},
        {"kind": "area", "name": "x", "value": {"geometry": {"type": "Point"}}},
        {"kind": "search", "name": "x", "value": "text"},
        {"kind": "search", "name": "x", "value": {"text": "y" * 300_000}},
        {"kind": "search", "name": "x"},
    ],
)
def test_what_is_no_entry_is_not_kept(server, entry):
    assert server.post("saved", entry).status == 400


def test_entries_of_many_at_once_all_land(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda n: saved_searches.keep(tmp_path, "search", f"s{n:02d}", {"n": n}), range(30)
            )
        )
    assert len(saved_searches.read(tmp_path)["search"]) == 30
    (tmp_path / "saved.json").write_text("{ no json")
    with pytest.raises(ConfigError, match="damaged"):
        saved_searches.keep(tmp_path, "search", "more", {})
    assert (tmp_path / "saved.json").read_text() == "{ no json"


def test_a_catalogue_is_added_and_searched(server, tmp_path):
    from tests.server.conftest import write_catalog

    write_catalog(tmp_path / "more")
    entry = {"name": "more", "url": str(tmp_path / "more" / "catalog.json")}
    before = server.config.file.read_text()
    answer = server.post("catalogs", entry)
    assert answer.status == 201, answer.body
    assert "more" in [source["name"] for source in answer.json["catalogs"]]
    assert server.config.file.read_text().startswith(before)
    assert server.post("catalogs/more/search", {}).json["matched"] == 2
    # The same again, as after a lost answer.
    assert server.post("catalogs", entry).status == 201
    assert server.config.file.read_text().count("[catalogs.more]") == 1
    other = {"name": "more", "url": "https://stac.example.org"}
    assert server.post("catalogs", other).status == 409


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "x"},
        {"name": "../x", "url": "https://stac.example.org"},
        {"name": "x", "url": ""},
        {"name": "x", "url": "ftp://stac.example.org"},
        {"name": "x", "url": "file:///etc"},
        {"name": "x", "url": "https://ann:secret@stac.example.org"},
        {"name": "x", "url": "no/such/folder"},
        {"name": "x", "url": "https://stac.example.org\n[catalogs.y]"},
        {"name": "x", "url": "https://stac.example.org", "kind": "odd"},
        {"name": "x", "url": "https://stac.example.org", "token": "a-secret"},
        {"name": "x", "url": "https://stac.example.org", "sign": "somebody"},
    ],
)
def test_a_bad_catalogue_is_refused_and_leaves_the_file(server, entry):
    before = server.config.file.read_text()
    answer = server.post("catalogs", entry)
    assert answer.status == 400, answer.body
    assert answer.json["hint"]
    assert server.config.file.read_text() == before


def test_adding_asks_nothing_of_the_address(server):
    """A service is asked when somebody looks at it, not when it is named."""
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{listener.server_port}/secret"
        # Not configured: no route takes an address.
        for path in (url, "catalogs"):
            name = path.replace("/", "%2F")
            assert server.post(f"catalogs/{name}/search", {}).status in (400, 404)
            assert server.get(f"catalogs/{name}/item", item="x").status in (400, 404)
        assert server.post("catalogs", {"name": "near", "url": url}).status == 201
        assert asked == []
    finally:
        listener.shutdown()
        listener.server_close()


def test_comments_and_order_of_the_file_stay(tmp_path):
    made = configuration.init(tmp_path)
    made.file.chmod(0o640)
    text = "# mine\n" + made.file.read_text().rstrip("\n")  # no line end at its end
    made.file.write_text(text)
    url = "https://stac.example.org/v1"
    after = config_file.add_catalog(
        made, tmp_path, name="mine", url=url, description='With "quotes"\nand lines',
        token="env:MINE",
    )  # fmt: skip
    assert made.file.read_text().startswith(text)
    assert after.catalogs["mine"].url == url
    assert after.catalogs["mine"].description == 'With "quotes" and lines'
    assert after.catalogs["mine"].login.token == "env:MINE"
    assert made.file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["eolab.toml"]


def test_without_a_file_one_is_made_that_names_the_same_workspace(tmp_path, monkeypatch):
    workspace, project = tmp_path / "workspace", tmp_path / "project"
    project.mkdir()
    before = configuration.open_path(workspace)
    monkeypatch.delenv("EOLAB_WORKSPACE", raising=False)
    after = config_file.add_catalog(before, project, name="mine", url="https://stac.example.org")
    assert after.root == workspace
    assert configuration.find(project).catalogs["mine"].url == "https://stac.example.org"


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path):
    made = configuration.init(tmp_path)
    made.file.write_text("format = [")
    with pytest.raises(ConflictError, match="cannot be changed"):
        config_file.add_catalog(made, tmp_path, name="mine", url="https://stac.example.org")
    assert made.file.read_text() == "format = ["
    with pytest.raises(InvalidInputError, match="name"):
        config_file.add_catalog(made, tmp_path, name="a b", url="https://stac.example.org")


@pytest.mark.parametrize(
    ("login", "holds"),
    [
        ({"headers": {"X-Api-Key": "env:KEY"}}, 'headers = {X-Api-Key = "env:KEY"}'),
        (
            {
                "client_id": "me",
                "client_secret": "keyring:eolab/me",
                "token_url": "https://login.example.org/token",
            },
            'client_secret = "keyring:eolab/me"',
        ),
        (
            {"s3": {"profile": "mine", "requester_pays": True}},
            's3 = {profile = "mine", requester_pays = true}',
        ),
        ({"sign": "planetary-computer"}, 'sign = "planetary-computer"'),
    ],
)
def test_every_login_can_be_named(server, login, holds):
    before = server.config.file.read_text()
    try:
        body = {"name": "guarded", "url": "https://stac.example.org", **login}
        assert server.post("catalogs", body).status == 201
        assert holds in server.config.file.read_text()
        made = configuration.load(server.config.file).catalogs["guarded"].login
        for key, value in login.items():
            if key == "s3":
                assert made.s3 is not None
                assert (made.s3.profile, made.s3.requester_pays) == ("mine", True)
            else:
                assert getattr(made, key) == value
    finally:
        server.config.file.write_text(before)


@pytest.mark.parametrize(
    "login",
    [
        {"headers": {"X-Api-Key": "plain text"}},
        {"headers": "X-Api-Key"},
        {"client_id": "me"},
        {"client_id": "me", "client_secret": "open", "token_url": "https://a.example.org"},
        {"client_id": "me", "client_secret": "env:A", "token_url": "file:///etc/passwd"},
        {"s3": {"key": "env:A"}},
        {"s3": {"key": "AKIA", "secret": "env:B"}},
        {"s3": {"endpoint": "file:///etc"}},
        {"s3": {"bucket": "a"}},
        {"sign": "somebody"},
    ],
)
def test_half_a_login_or_an_open_secret_is_refused(server, login):
    before = server.config.file.read_text()
    answer = server.post("catalogs", {"name": "no", "url": "https://stac.example.org", **login})
    assert answer.status == 400, answer.body
    assert answer.json["hint"]
    assert server.config.file.read_text() == before
