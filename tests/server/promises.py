"""Bodies of the REST routes held to their contract, whichever test asks for them."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Literal

import jsonschema

from eolab.server.contract import schema
from eolab.server.contract.table import TABLE, Route

FILE = Path(schema.__file__).with_name("schema.json")


@functools.cache
def document() -> dict:
    """The contract as the labextension reads it."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def find_route(method: str, path: str) -> Route | None:
    """The route of a path below the API's address; None where there is none."""
    plain = path.partition("?")[0]
    for route in TABLE:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route.path))
        if route.method == method and re.fullmatch(pattern, plain):
            return route
    return None


def check(kind: Literal["answer", "request"], route: Route, value: object) -> None:
    """Raise where a body is not what the contract says of its route."""
    _validator(kind, route.method, route.path).validate(value)


def check_error(value: object) -> None:
    """Raise where the body of an error is not what the contract says of all errors."""
    _of({"$ref": "#/definitions/IError"}).validate(value)


def check_answer(method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Raise where an answer of the server is not what the contract says."""
    route = find_route(method, path)
    if status >= 400:
        if headers.get("content-type", "").startswith("application/json"):
            check_error(json.loads(body))
    elif route is not None:
        assert status == route.status, (method, path, status)
        if isinstance(route.answer, str):
            assert headers["content-type"].startswith(route.answer), (method, path, headers)
        else:
            check("answer", route, json.loads(body))


@functools.cache
def _validator(kind: str, method: str, path: str) -> jsonschema.Draft7Validator:
    (row,) = (r for r in document()["routes"] if (r["method"], r["path"]) == (method, path))
    return _of(row[kind])


def _of(part: dict) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator({**part, "definitions": document()["definitions"]})
