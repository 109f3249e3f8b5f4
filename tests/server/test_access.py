"""No route is open: Jupyter Server's own checks of sign-in, XSRF and origin stand on each."""

from __future__ import annotations

import inspect
import re

import pytest
from jupyter_server.base.handlers import APIHandler
from tornado.web import RequestHandler

from eolab.server.routes import ROUTES, Handler

METHODS = ("get", "head", "post", "put", "patch", "delete")
PATHS = [
    ("GET", "status"),
    ("GET", "catalogs"),
    ("GET", "catalogs/sample/collections"),
    ("GET", "catalogs/sample/items"),
    ("GET", "catalogs/sample/thumbnail"),
    ("GET", "catalogs/sample/preview"),
    ("GET", "catalogs/sample/queryables"),
    ("POST", "catalogs"),
    ("GET", "catalogs/sample"),
    ("PUT", "catalogs/sample"),
    ("DELETE", "catalogs/sample"),
    ("POST", "catalogs/sample/search"),
    ("GET", "catalogs/sample/item"),
    ("POST", "catalogs/sample/calendar"),
    ("POST", "catalogs/sample/curve"),
    ("POST", "search/prepare"),
    ("GET", "downloads"),
    ("POST", "downloads"),
    ("POST", "downloads/20260101000000-00000000/commands"),
    ("GET", "ingests"),
    ("POST", "ingests"),
    ("POST", "ingests/preview"),
    ("GET", "ingests/folders"),
    ("POST", "ingests/20260101000000-00000000/commands"),
    ("GET", "saved"),
    ("POST", "saved"),
    ("GET", "search"),
    ("GET", "features"),
    ("GET", "features/groups/parcels/1"),
    ("GET", "features/groups/parcels/1/statistics"),
    ("GET", "features/groups/parcels/1/rows"),
    ("GET", "features/groups/parcels/1/places"),
    ("GET", "features/lineage"),
    ("POST", "features/views"),
    ("GET", "studies"),
    ("GET", "studies/crops"),
    ("POST", "studies/crops/commands"),
    ("GET", "studies/crops/trials/0/log"),
    ("GET", "studies/crops/about"),
    ("GET", "studies/crops/timeline"),
    ("GET", "studies/crops/importance"),
    ("GET", "studies/crops/band"),
    ("GET", "studies/crops/ablation"),
    ("POST", "studies/crops/tensorboard"),
    ("GET", "studies/crops/trials.csv"),
    ("GET", "studies/crops/notes"),
    ("PUT", "studies/crops/notes"),
    ("GET", "models"),
    ("GET", "lineage"),
    ("GET", "entities"),
    ("GET", "entities/about"),
    ("POST", "entities/commands"),
    ("GET", "nothing/here"),
]


def own_methods(handler):
    return [
        getattr(handler, name)
        for name in METHODS
        if getattr(handler, name) is not getattr(RequestHandler, name)
    ]


@pytest.mark.parametrize("handler", [h for _, h in ROUTES], ids=lambda h: h.__name__)
def test_every_method_asks_for_sign_in_and_permission(handler):
    assert issubclass(handler, Handler)
    methods = own_methods(handler)
    assert methods
    for method in methods:
        source = inspect.getsource(method)
        assert "@authenticated" in source, f"{handler.__name__}.{method.__name__}"
        assert "@authorized" in source
        assert not getattr(method, "__allow_unauthenticated", False)


@pytest.mark.parametrize("handler", [Handler, *(h for _, h in ROUTES)], ids=lambda h: h.__name__)
def test_the_checks_of_jupyter_server_are_not_overridden(handler):
    # `prepare` is extended: tests below show that it refuses more, never less.
    for name in (
        "check_xsrf_cookie", "check_origin", "check_referer", "check_host",
        "get_current_user", "set_default_headers", "set_cors_headers", "options", "get_login_url",
    ):  # fmt: skip
        assert getattr(handler, name) is getattr(APIHandler, name), name


def test_the_list_of_paths_below_covers_every_route():
    reached = {
        next(h for route, h in ROUTES if re.fullmatch(route, f"/eolab/api/v1/{path}"))
        for _, path in PATHS
    }
    assert reached == {handler for _, handler in ROUTES}


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_sign_in_nothing_is_told(server, method, path):
    body = {} if method != "GET" else None
    answer = server.request(method, server.api + path, body, token=False)
    assert answer.status == 403
    assert set(answer.json) == {"message", "hint"}


def test_the_cookie_of_a_signed_in_page_is_enough_to_read(server):
    page = {
        "Cookie": server.sign_in(),
        "Referer": f"http://127.0.0.1:{server.port}{server.base}lab",
    }
    answer = server.request("GET", server.api + "status", headers=page, token=False)
    assert answer.status == 200


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "foreign",
    [{"Origin": "https://evil.example"}, {"Referer": "https://evil.example/page"}, {}],
    ids=["origin", "referer", "neither"],
)
def test_a_foreign_page_with_only_the_cookie_is_refused(server, method, path, foreign):
    headers = {"Cookie": server.sign_in(), **foreign}
    body = {"command": "cancel"} if method != "GET" else None
    answer = server.request(method, server.api + path, body, headers=headers, token=False)
    assert answer.status in {403, 404}
    assert set(answer.json) == {"message", "hint"}
    assert "a different origin" in answer.json["hint"]
    assert "access-control-allow-origin" not in answer.headers


def test_a_command_needs_the_xsrf_token_beside_the_cookie(server):
    cookie = server.sign_in()
    page = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{server.port}"}
    path = server.api + "studies/crops/commands"
    bare = server.request("POST", path, {"command": "pause"}, headers=page, token=False)
    assert bare.status == 403
    assert "_xsrf" in bare.json["message"]
    xsrf = next(p.removeprefix("_xsrf=") for p in cookie.split("; ") if p.startswith("_xsrf="))
    page["X-XSRFToken"] = xsrf
    answer = server.request("POST", path, {"command": "pause"}, headers=page, token=False)
    assert answer.status == 409  # it was heard: the study has ended
    assert "crops" in answer.json["message"]
