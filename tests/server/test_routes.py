"""Each route answers as the contract says, and tells what is wrong with bad input."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from eolab.server.wire import API

SUMMARY = {
    "name", "kind", "state", "message", "metric", "direction", "created", "started", "ended", "now",
    "budget", "counts", "best", "best_curve", "workers_alive", "seq",
}  # fmt: skip


def test_status_names_version_and_workspace(server):
    answer = server.get("status")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json
    assert set(body) == {"version", "api", "workspace", "sample"}
    assert body["api"] == API
    assert body["workspace"] == {
        "id": server.config.identity(),
        "name": "root",
        "path": str(server.config.root),
    }
    assert body["sample"] is False


def test_catalogues_are_those_of_the_configuration(server):
    rows = {row["name"]: row for row in server.get("catalogs").json["catalogs"]}
    assert {"mine", "earth-search", "planetary-computer", "cdse"} <= set(rows)
    assert "sample" not in rows  # it was not made here
    assert rows["earth-search"]["kind"] == "api"
    assert rows["mine"]["kind"] == "static"
    assert rows["mine"]["simulated"] is False


def test_collections_come_with_what_was_skipped(server):
    body = server.get("catalogs/mine/collections").json
    (row,) = body["collections"]
    assert (row["id"], row["title"]) == ("mini", "Mini")
    assert row["bbox"] == [14.9, 44.9, 15.1, 45.1]
    assert row["interval"][0].startswith("2024-05-01")
    assert row["interval"][1] is None
    assert isinstance(body["skipped"], list)


def test_items_are_paged_filtered_and_broken_ones_are_told(server):
    body = server.get("catalogs/mine/items", collection="mini", limit=1).json
    assert len(body["items"]) == 1
    assert body["matched"] == 2
    (skipped,) = body["skipped"]
    assert "broken" in skipped["href"]
    clear = server.get("catalogs/mine/items", collection="mini", max_cloud=5).json["items"]
    assert [item["id"] for item in clear] == ["good"]
    (item,) = clear
    assert item["epsg"] == 32633
    assert item["cloud_cover"] == 0
    assert item["platform"] == "sentinel-2a"
    assert item["bands"] == ["red", "green", "blue"]
    assert item["thumbnail"] is True
    second = server.get("catalogs/mine/items", collection="mini", limit=1, offset=1).json["items"]
    assert {second[0]["id"], body["items"][0]["id"]} == {"good", "gone"}


def test_a_thumbnail_is_a_small_picture(server):
    import numpy as np
    from rasterio.io import MemoryFile

    answer = server.get("catalogs/mine/thumbnail", collection="mini", item="good")
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    with MemoryFile(answer.body) as memory, memory.open() as picture:
        assert max(picture.shape) == 256
        assert np.ptp(picture.read(1)) > 100


def test_a_preview_is_of_the_bands_asked_for(server):
    from rasterio.io import MemoryFile

    asked = {"collection": "mini", "item": "good"}
    answer = server.get("catalogs/mine/preview", **asked, bands="red", size=64, stretch="0,0.4")
    assert answer.headers["content-type"] == "image/png"
    with MemoryFile(answer.body) as memory, memory.open() as picture:
        assert max(picture.shape) == 64
    for wrong in ({"bands": "ultraviolet"}, {"stretch": "1,0"}, {"stretch": "a"}, {"size": 9}):
        answer = server.get("catalogs/mine/preview", **asked, **wrong)
        assert answer.status == 400
        assert answer.json["hint"]


def test_queryables_come_with_types_and_ranges(server):
    found = server.get("catalogs/mine/queryables", collection="mini").json["queryables"]
    assert found["eo:cloud_cover"]["type"] == "number"
    assert server.get("catalogs/mine/queryables", collection="none").status == 404


def test_one_box_finds_what_was_seen(server):
    server.get("catalogs/mine/collections")
    server.get("catalogs/mine/items", collection="mini")
    found = server.get("search", text="mini").json["results"]
    assert {row["detail"]["collection"] for row in found["collection"]} == {"mini"}
    assert {row["detail"]["item"] for row in found["item"]} == {"good", "gone"}
    assert "item" not in server.get("search", text="mini", bbox="0,0,1,1").json["results"]
    assert server.get("search", bbox="0,0").status == 400
    assert server.get("search", datetime="soon").status == 400


@pytest.mark.parametrize(
    ("collection", "item", "status"),
    [
        ("mini", "gone", 404),
        ("mini", "nothing", 404),
        ("mini", "../../etc/passwd", 404),
        ("", "", 400),  # neither an item nor a collection to show one of
    ],
)
def test_a_thumbnail_that_cannot_be_made_is_told(server, collection, item, status):
    answer = server.get("catalogs/mine/thumbnail", collection=collection, item=item)
    assert answer.status == status
    assert answer.json["message"]
    assert answer.json["hint"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"}, {"limit": "many"}, {"limit": "100000"}, {"offset": "-1"}, {"offset": "1.5"},
        {"max_cloud": "101"}, {"max_cloud": "nan"}, {"bbox": "1,2,3"}, {"bbox": "a,b,c,d"},
        {"bbox": "0,50,1,40"}, {"bbox": "0,0,200,1"}, {"bbox": "nan,0,1,1"},
        {"datetime": "yesterday"},
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_used_is_400(server, query):
    answer = server.get("catalogs/mine/items", **query)
    assert answer.status == 400
    assert next(iter(query.values())) in answer.json["message"]
    assert answer.json["hint"]


def test_a_misspelt_name_is_404_with_the_nearest(server):
    for path in ("collections", "items", "thumbnail?collection=c&item=i"):
        answer = server.get(f"catalogs/mien/{path}")
        assert answer.status == 404
        assert "'mine'" in answer.json["hint"]
    answer = server.get("studies/corps")
    assert answer.status == 404
    assert "'crops'" in answer.json["hint"]


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fetc", "%2Fetc", "..", ".hidden", "a%00b", "http%3A%2F%2Fevil", "x" * 300]
)
def test_no_name_leaves_the_workspace(server, name):
    for path in (
        "catalogs/{}/collections", "catalogs/{}/items", "studies/{}", "studies/{}/trials/0/log",
        "features/groups/{}/1/statistics",
    ):  # fmt: skip
        answer = server.get(path.format(name))
        assert answer.status in {400, 404}
        assert set(answer.json) == {"message", "hint"}
        assert "passwd" not in answer.body.decode()


def test_features_show_groups_columns_and_the_last_commit(server):
    body = server.get("features").json
    (group,) = [g for g in body["groups"] if g["name"] == "parcels"]
    assert (group["name"], group["version"], group["rows"], group["commits"]) == (
        "parcels",
        1,
        3,
        1,
    )
    assert group["primary_key"] == ["parcel_id"]
    assert group["event_time"] == "acquired"
    assert {c["name"] for c in group["columns"]} == {"parcel_id", "acquired", "ndvi"}
    assert group["last_commit"]["rows"] == 3
    assert not [v for v in body["views"] if "parcels/1" in v["groups"]]


def test_statistics_are_json_that_a_browser_reads(server):
    answer = server.get("features/groups/parcels/1/statistics")
    rows = {row["column"]: row for row in answer.json["statistics"]}
    assert rows["ndvi"]["nulls"] == 1
    assert rows["ndvi"]["mean"] == pytest.approx(0.5)
    json.loads(answer.body, parse_constant=pytest.fail)  # no NaN in it


@pytest.mark.parametrize("path", ["parcels/2", "parcel/1"])
def test_statistics_of_what_is_not_there(server, path):
    answer = server.get(f"features/groups/{path}/statistics")
    assert answer.status == 404
    assert "parcels" in answer.json["message"] + answer.json["hint"]


def test_models_are_empty_before_the_first_one(server):
    assert server.get("models").json == {"models": []}


def test_an_unknown_route_is_answered_in_json(server):
    for path in ("", "nothing", "studies/crops/nothing", "features/groups/a/b/statistics"):
        answer = server.get(path)
        assert answer.status == 404
        assert "Restart Jupyter" in answer.json["hint"]
    answer = server.post("status", {})
    assert answer.status == 405
    assert answer.json["hint"]


def test_a_fault_in_the_configuration_is_told_and_mends_itself(server):
    text = server.config.file.read_text()
    try:
        server.config.file.write_text(text + "\n[clusers.x]\n")
        for path in ("status", "catalogs", "features", "studies", "models"):
            answer = server.get(path)
            assert answer.status == 400
            assert "clusers" in answer.json["message"]
    finally:
        server.config.file.write_text(text)
    assert server.get("status").status == 200


def test_many_browsers_at_once_get_the_same(server):
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: server.get("features"), range(24)))
    assert {a.status for a in answers} == {200}
    assert len({a.body for a in answers}) == 1


def test_lists_in_lists_without_end_are_bad_input(server):
    answer = server.request("POST", server.api + "saved", b"[" * 50_000)
    assert answer.status == 400
    assert "no JSON object" in answer.json["message"]


@pytest.mark.parametrize(
    "odd",
    [
        {"features": "parcels"}, {"features": [None]}, {"features": [["parcels/1"]]},
        {"labels": {"group": "parcels/\u00b2", "column": "ndvi"}},
        {"labels": {"group": "parcels/" + "9" * 5_000, "column": "ndvi"}},
    ],
)  # fmt: skip
def test_an_odd_form_of_a_view_is_bad_input(server, odd):
    group = {"group": "parcels/1", "columns": ["ndvi"], "prefix": ""}
    form = {
        "name": "odd", "version": 1, "description": "", "features": [group],
        "labels": {"group": "parcels/1", "column": "ndvi"},
    }  # fmt: skip
    answer = server.post("features/views", {**form, **odd})
    assert answer.status == 400
    assert answer.json["hint"]


def test_a_study_that_does_not_say_how_it_is_started_is_not(server, write_study):
    run = write_study(server.config.runs / "cut")
    try:
        answer = server.post("studies/cut/commands", {"command": "set", "trials": 5})
        assert answer.status == 409
        assert "does not say its library" in answer.json["message"]
        assert answer.json["hint"]
    finally:
        shutil.rmtree(run)
