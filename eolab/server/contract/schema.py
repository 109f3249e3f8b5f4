"""The contract as a JSON schema (draft 7), made from its `TypedDict`s.

A class `StudySummaryJson` becomes the definition `IStudySummary`, `ViewRequest` becomes
`IViewRequest`; aliases of `NAMED` keep their names. Strings below a key are its description.
`python -m eolab.server.contract.schema` prints it.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import itertools
import json
import types
from collections.abc import Mapping, Sequence
from typing import (
    Annotated,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from eolab.catalog.panel.answers import FlatRing, Period
from eolab.json_types import BBox, Items, Json, Point, Position, Scalar
from eolab.server.contract import answers, requests
from eolab.server.contract.table import TABLE
from eolab.server.wire import API
from eolab.studies.journal.answers import Params
from eolab.studies.journal.commands import Command, StudyState, TrialState

Schema = dict[str, object]
DRAFT = "http://json-schema.org/draft-07/schema#"
NAMED: dict[str, object] = {
    "Json": Json,
    "Scalar": Scalar,
    "Params": Params,
    "Point": Point,
    "Position": Position,
    "BBox": BBox,
    "FlatRing": FlatRing,
    "Period": Period,
    "StudyState": StudyState,
    "TrialState": TrialState,
    "Command": Command,
    "CommandRequest": requests.CommandRequest,
}
# Beside what the routes name: the errors of all, and what clients make of partial answers.
ALSO = (answers.ErrorJson, answers.StudySnapshotJson)
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null"}


def contract() -> Schema:
    """The whole contract: `definitions`, and `routes` with what each takes and answers."""
    writer = SchemaWriter()
    routes = []
    for route in TABLE:
        row: Schema = {"method": route.method, "path": route.path, "status": route.status}
        row["answer"] = route.answer if isinstance(route.answer, str) else writer.of(route.answer)
        if route.request is not None:
            row["request"] = writer.of(route.request)
        routes.append(row)
    for kind in (*NAMED.values(), *ALSO):
        writer.of(kind)
    return {
        "$schema": DRAFT,
        "title": "Contract",
        "type": "object",
        "api": API,
        "routes": routes,
        "definitions": dict(sorted(writer.definitions.items())),
    }


def text() -> str:
    """The contract as `schema.json` holds it: a line for each route and each definition."""
    document = contract()
    parts = []
    for key, value in document.items():
        if isinstance(value, list):
            rows = ",\n".join(f"    {_line(row)}" for row in value)
            parts.append(f"  {_line(key)}: [\n{rows}\n  ]")
        elif isinstance(value, dict):
            rows = ",\n".join(f"    {_line(name)}: {_line(row)}" for name, row in value.items())
            parts.append(f"  {_line(key)}: {{\n{rows}\n  }}")
        else:
            parts.append(f"  {_line(key)}: {_line(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class SchemaWriter:
    """Schemas of types; what has a name becomes a definition."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, kind: object) -> Schema:
        """The schema of a type.

        Raises:
            TypeError: JSON has no such type, or the contract does not say it.
        """
        name = _name(kind)
        if name is None:
            return self._plain(kind)
        if name not in self.definitions:
            self.definitions[name] = {}  # it may name itself
            self.definitions[name] = (
                self._object(kind)
                if isinstance(kind, type) and is_typeddict(kind)
                else self._json()
                if name == "Json"
                else self._plain(kind)
            )
        return {"$ref": f"#/definitions/{name}"}

    def _plain(self, kind: object) -> Schema:
        origin, args = get_origin(kind), get_args(kind)
        if isinstance(kind, type) and kind in _PLAIN:
            return {"type": _PLAIN[kind]}
        if origin is Annotated:
            (said,) = args[1:]
            return self._items(said) if isinstance(said, Items) else self.of(said)
        if origin is Literal:
            return {"enum": list(args)}
        if origin in {Union, types.UnionType}:
            return self._any([self.of(part) for part in args])
        if origin in {list, Sequence}:
            return {"type": "array", "items": self.of(args[0])}
        if origin in {dict, Mapping}:
            return self._mapping(args[0], args[1])
        raise TypeError(f"{kind} is no type of the contract")

    @staticmethod
    def _any(parts: list[Schema]) -> Schema:
        types_ = [part["type"] for part in parts if set(part) == {"type"}]
        if len(types_) == len(parts):
            kept = [t for t in types_ if t != "integer" or "number" not in types_]
            return {"type": kept[0] if len(kept) == 1 else kept}
        return {"anyOf": parts}

    def _mapping(self, keys: object, values: object) -> Schema:
        if get_origin(keys) is Literal:
            names = list(get_args(keys))
            return {
                "type": "object",
                "properties": {name: self.of(values) for name in names},
                "required": names,
                "additionalProperties": False,
            }
        return {"type": "object", "additionalProperties": self.of(values)}

    def _items(self, items: Items) -> Schema:
        places = [self.of(place) for place in items.types]
        return {
            "type": "array",
            "items": places,
            "minItems": len(places),
            "maxItems": len(places),
        }

    @staticmethod
    def _json() -> Schema:
        itself: Schema = {"$ref": "#/definitions/Json"}
        return {
            "description": "Any JSON value.",
            "anyOf": [
                {"type": ["string", "number", "boolean", "null"]},
                {"type": "array", "items": itself},
                {"type": "object", "additionalProperties": itself},
            ],
        }

    def _object(self, kind: type) -> Schema:
        properties: dict[str, Schema] = {}
        required = []
        said = _descriptions(kind)
        for key, hint in get_type_hints(kind, include_extras=True).items():
            free = get_origin(hint) is NotRequired
            schema = self.of(get_args(hint)[0] if free else hint)
            if key in said:
                # Beside a reference nothing else counts in draft 7.
                schema = {"allOf": [schema]} if "$ref" in schema else schema
                schema = {"description": said[key], **schema}
            properties[key] = schema
            if not free:
                required.append(key)
        head: Schema = {"type": "object"}
        if kind.__doc__ and kind.__doc__ != dict.__doc__:
            head["description"] = inspect.cleandoc(kind.__doc__).split("\n\n")[0]
        return {
            **head,
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


def _name(kind: object) -> str | None:
    if isinstance(kind, type) and is_typeddict(kind):
        return f"I{kind.__name__.removesuffix('Json').removesuffix('Spec')}"
    return next((name for name, known in NAMED.items() if known == kind), None)


def _descriptions(kind: type) -> dict[str, str]:
    """The strings below the keys of a class and of those that it extends."""
    module = importlib.import_module(kind.__module__)
    bases, own = _classes(kind.__module__)[kind.__name__]
    found: dict[str, str] = {}
    for base in (getattr(module, name) for name in bases):
        if is_typeddict(base):
            found |= _descriptions(base)
    return found | own


@functools.cache
def _classes(module: str) -> dict[str, tuple[list[str], dict[str, str]]]:
    """The classes of a module: what each extends, and the strings below its keys."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        below = {}
        for above, line in itertools.pairwise(node.body):
            if (
                isinstance(above, ast.AnnAssign)
                and isinstance(above.target, ast.Name)
                and isinstance(line, ast.Expr)
                and isinstance(line.value, ast.Constant)
                and isinstance(line.value.value, str)
            ):
                below[above.target.id] = " ".join(line.value.value.split())
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        found[node.name] = (bases, below)
    return found


if __name__ == "__main__":
    print(text(), end="")
