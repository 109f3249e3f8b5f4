"""The contract is one: its schema is what the types say, and real answers are what it says."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlencode

import geopandas as gpd
import jsonschema
import pandas as pd
import pytest

from eolab.features import FeatureStore
from eolab.json_types import Items
from eolab.server.contract import schema
from eolab.server.contract.table import TABLE
from eolab.server.routes import BASE, ROUTES
from tests.server.promises import FILE, check, check_answer, check_error, document, find_route

POLYGON = {"type": "Polygon", "coordinates": [[[15, 45], [15, 45.1], [15.1, 45.1], [15, 45]]]}
QUERY = {"collection": "mini", "item": "good"}
NEW = {"name": "extra", "url": "https://example.com/stac", "kind": "api", "description": "One"}
VIEW = {
    "name": "crops",
    "version": 1,
    "description": "",
    "labels": {"group": "sites/1", "column": "crop"},
    "features": [{"group": "sites/1", "columns": ["ndvi"], "prefix": ""}],
}
SITES = {"kind": "group", "id": "sites/1"}
# One good way to ask each route, in the order in which they can be asked.
ASKED: list[tuple[str, str, dict | None, dict | None]] = [
    ("GET", "status", None, None),
    ("GET", "catalogs", None, None),
    ("POST", "catalogs", None, NEW),
    ("GET", "catalogs/extra", None, None),
    ("PUT", "catalogs/extra", None, {"url": "https://example.org/stac", "kind": "api"}),
    ("DELETE", "catalogs/extra", None, None),
    ("GET", "catalogs/mine/collections", None, None),
    ("GET", "catalogs/mine/items", None, None),
    ("GET", "catalogs/mine/thumbnail", QUERY, None),
    ("GET", "catalogs/mine/preview", QUERY, None),
    ("GET", "catalogs/mine/queryables", {"collection": "mini"}, None),
    ("GET", "catalogs/mine/item", QUERY, None),
    ("POST", "catalogs/mine/search", None, {"collection": "mini", "limit": 10}),
    ("POST", "catalogs/mine/calendar", None, {"collection": "mini", "geometry": POLYGON}),
    ("POST", "search/prepare", None, {}),
    ("GET", "search", {"text": "parcels"}, None),
    ("GET", "downloads", None, None),
    ("POST", "downloads", None, {"catalog": "mine", "items": [["mini", "good"]], "assets": []}),
    ("GET", "downloads", None, None),
    ("GET", "ingests", None, None),
    ("GET", "ingests/folders", {"path": "scenes"}, None),
    ("GET", "saved", None, None),
    ("POST", "saved", None, {"kind": "area", "name": "here", "value": {"geometry": POLYGON}}),
    ("POST", "saved", None, {"kind": "area", "name": "here", "value": None}),
    ("POST", "features/views", None, VIEW),
    ("GET", "features", None, None),
    ("GET", "features/groups/sites/1", None, None),
    ("GET", "features/groups/sites/1/statistics", None, None),
    ("GET", "features/groups/sites/1/rows", None, None),
    ("GET", "features/groups/sites/1/places", None, None),
    ("GET", "features/lineage", {"kind": "group", "id": "sites/1"}, None),
    ("GET", "lineage", {"kind": "view", "id": "crops/1"}, None),
    ("GET", "studies", None, None),
    ("GET", "studies/crops", None, None),
    ("GET", "studies/crops", {"since": 3, "tails": 1}, None),
    ("GET", "studies/crops/trials/1/log", None, None),
    ("GET", "studies/crops/about", None, None),
    ("GET", "studies/crops/timeline", None, None),
    ("GET", "studies/crops/band", None, None),
    ("GET", "studies/crops/trials.csv", None, None),
    ("GET", "studies/crops/notes", None, None),
    ("PUT", "studies/crops/notes", None, {"text": "good", "modified": None}),
    ("GET", "models", None, None),
    ("GET", "entities/about", {"kind": "group", "id": "sites/1"}, None),
    ("POST", "entities/commands", None, {**SITES, "command": "rename", "title": "Our sites"}),
    ("POST", "entities/commands", None, {**SITES, "command": "archive"}),
    ("POST", "entities/commands", None, {**SITES, "command": "delete", "cascade": True}),
    ("GET", "entities", None, None),
    ("POST", "entities/commands", None, {**SITES, "command": "restore"}),
]
# Asked in tests of their own, through the same fixture, or of parts that this workspace has not.
ELSEWHERE = {
    "catalogs/{name}/curve",
    "downloads/{id}/commands",
    "ingests",
    "ingests/preview",
    "ingests/{id}/commands",
    "studies/{name}/commands",
    "studies/{name}/importance",
    "studies/{name}/ablation",
    "studies/{name}/tensorboard",
}


@pytest.fixture
def sites(server):
    """A group with places and a column to learn."""
    frame = gpd.GeoDataFrame(
        {
            "site": [1, 2],
            "seen": pd.to_datetime(["2024-05-01", "2024-05-02"], utc=True),
            "ndvi": [0.25, 0.75],
            "crop": ["maize", "wheat"],
        },
        geometry=gpd.points_from_xy([15.0, 15.1], [46.0, 46.1]),
        crs="EPSG:4326",
    )
    store = FeatureStore(server.config)
    store.create_feature_group("sites", primary_key="site", event_time="seen").insert(frame)


def starred(path: str) -> str:
    """The path of the server's table or of ours, with a star for each part that varies."""
    plain = path.removeprefix(f"{BASE}/").replace("\\.", ".")
    return re.sub(r"\([^)]*\)|\{\w+\}", "*", plain)


def test_the_schema_is_that_of_the_types() -> None:
    assert FILE.read_text(encoding="utf-8") == schema.text(), "run python scripts/contract.py"


def test_it_is_a_good_schema() -> None:
    jsonschema.Draft7Validator.check_schema(document())


def test_the_server_has_the_routes_and_methods_of_the_contract_and_no_others() -> None:
    said = {(route.method, starred(route.path)) for route in TABLE}
    served = {
        (method.upper(), starred(path))
        for path, handler in ROUTES[:-1]
        for method in ("get", "post", "put", "delete")
        if method in vars(handler)
    }
    assert said == served


def test_every_route_is_asked_here_or_named_as_asked_elsewhere() -> None:
    asked = {(m, find_route(m, path).path) for m, path, _, _ in ASKED}
    rest = {(route.method, route.path) for route in TABLE} - asked
    assert {path for _, path in rest} == ELSEWHERE


def test_real_answers_are_those_of_the_contract(server, sites) -> None:
    for method, path, query, body in ASKED:
        route = find_route(method, path)
        assert route is not None
        if body is not None:
            check("request", route, body)
        where = server.api + path + ("?" + urlencode(query) if query else "")
        answer = server.request(method, where, body)  # which holds it to the contract
        assert answer.status == route.status, (method, path, answer.body)
    (server.config.runs / "crops" / "notes.md").unlink()


def test_errors_are_those_of_the_contract(server) -> None:
    for path in ("studies/none", "catalogs/none/items", "nothing"):
        answer = server.get(path)
        assert answer.status == 404
        check_error(answer.json)


def test_a_damaged_study_takes_no_commands(server) -> None:
    run = server.config.runs / "torn"
    run.mkdir()
    (run / "study.json").write_text("{ torn")
    try:
        answer = server.get("studies").json
    finally:
        (run / "study.json").unlink()
        run.rmdir()
    assert next(row for row in answer["studies"] if row["name"] == "torn")["allowed"] == []


def test_an_answer_that_is_not_of_the_contract_is_found() -> None:
    route = find_route("POST", "downloads")
    with pytest.raises(jsonschema.ValidationError, match="'status' was unexpected"):
        check("answer", route, {"id": "x", "status": 1})
    with pytest.raises(jsonschema.ValidationError, match="'id' is a required property"):
        check("answer", route, {})
    json_ = {"content-type": "application/json"}
    with pytest.raises(AssertionError):
        check_answer("POST", "downloads", 200, json_, b'{"id": "x"}')
    with pytest.raises(jsonschema.ValidationError, match="'hint' is a required property"):
        check_answer("POST", "downloads", 400, json_, b'{"message": "x"}')


def test_a_type_that_json_does_not_have_is_refused() -> None:
    writer = schema.SchemaWriter()
    with pytest.raises(TypeError, match="no type of the contract"):
        writer.of(set[str])
    assert writer.of(Annotated[list[object], Items(str, int)]) == {
        "type": "array",
        "items": [{"type": "string"}, {"type": "integer"}],
        "minItems": 2,
        "maxItems": 2,
    }
