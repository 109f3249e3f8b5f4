"""A real Jupyter Server with the extension: wrong sign-ins, traversals, requests that are nearly
right.

    python -m tests.attacks.routes fuzz 5000
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema

from eolab.server.contract.table import TABLE, Route
from tests.attacks import figures
from tests.attacks.figures import Figures
from tests.attacks.junk import JUNK, mutate
from tests.server.conftest import (
    TOKEN,
    Answer,
    Server,
    make_study,
    start,
    stop,
    write_catalog,
    write_features,
)
from tests.server.promises import document

MOST = 15.0  # seconds that an answer may take, on a busy machine too
CANARY = "c4nary-outside-the-workspace"
NAMES = {
    "catalogs": ("mine", "spare", "sample"),
    "groups": ("parcels",),
    "studies": ("crops", "ablated"),
    "downloads": ("20260101000000-00000000",),
    "ingests": ("20260101000000-00000000",),
}
QUERIES: dict[str, tuple[object, ...]] = {
    "collection": ("mini", "none"),
    "path": ("", "rasters/", "../..", "~nobody/x"),
    "item": ("good", "gone", "broken"),
    "datetime": ("2024", "2024-05-01/2024-06-01", "../.."),
    "bbox": ("14,44,16,46", "170,0,-170,1", "0,0,0,0"),
    "max_cloud": (0, 50, 1e-300),
    "limit": (1, 50, 200),
    "offset": (0, 3, 10**9),
    "since": (0, 5, 2**53),
    "tails": (0, 1),
    "metric": ("f1", "none"),
    "text": ("mini", 'a"b*', "%"),
    "kind": ("study", "model", "commit", "group"),
    "id": ("crops", "parcels/1"),
    "commit": (0, 1, 10**9),
    "sort": ("ndvi", "parcel_id", "none"),
    "descending": (0, 1),
    "as_of": ("2024-06-01", "now"),
    "secrets": (0, 1),
    "bands": ("red", "red,green,blue", ",", "red,red,red,red"),
    "size": (16, 64, 2048),
    "stretch": ("0,0.4", "0,inf", "nan,1", "-1e308,1e308"),
    "index": ("NDVI", "red - 1"),
    "map": ("viridis", "none"),
}
GEOMETRY = {
    "type": "Polygon",
    "coordinates": [[[15.0, 45.0], [15.1, 45.0], [15.1, 45.1], [15.0, 45.1], [15.0, 45.0]]],
}
# What is right for a field of this name, beside what its type allows.
FIELDS: dict[str, tuple[object, ...]] = {
    "collection": ("mini",),
    "geometry": (GEOMETRY,),
    "intersects": (GEOMETRY,),
    "datetime": ("2024", "2024-05-01/.."),
    "filter": ({"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]},),
    "catalog": ("mine",),
    "items": ([["mini", "good"]],),
    "assets": (["red"],),
    "kind": ("static", "auto", "search", "area", "study", "group", "model"),
    "url": ("scenes/catalog.json", "http://127.0.0.1:9/"),
    "token_url": ("http://127.0.0.1:9/",),
    "token": ("env:NONE",),
    "client_secret": ("env:NONE",),
    "bbox": ([14, 44, 16, 46],),
    "group": ("parcels/1",),
    "column": ("ndvi",),
    "columns": (["ndvi"],),
    "name": ("spare", "kept"),
    "title": ("Mine", "../x"),
    "entry": ("20260101000000-000000",),
    "modified": (None, 1.0),
}


@contextlib.contextmanager
def served(*options: str) -> Iterator[tuple[Server, Path]]:
    """A server with a catalogue, a group, a study and an ablation; and the folder around it."""
    with tempfile.TemporaryDirectory(prefix="eolab-attack-") as name:
        folder = Path(name)
        (folder / "secret.txt").write_text(CANARY)
        (folder / "home").mkdir()
        (folder / "home" / "secret.txt").write_text(CANARY)
        server = start(folder, *options)
        try:
            write_catalog(server.config.file.parent / "scenes")
            shutil.copytree(server.config.file.parent / "scenes", folder / "root" / "other")
            with server.config.file.open("a") as file:
                file.write('\n[catalogs.mine]\nurl = "scenes/catalog.json"\n')
                file.write('\n[catalogs.spare]\nurl = "other/catalog.json"\n')
            write_features(server.config)
            make_study(server.config.runs / "crops")
            yield server, folder
        finally:
            stop(server)


def ask(
    server: Server, made: Figures, method: str, path: str, body: Any = None, **options: Any
) -> Answer | None:
    """One request; a slow one, a 500 and an answer against the contract are counted."""
    begun, what = time.monotonic(), f"{method} {path[:160]} {str(body)[:200]}"
    made.done += 1
    try:
        answer = server.request(method, path, body, **options)
    except TimeoutError:
        made.fault("waits", f"{what}: no answer")
        return None
    except (AssertionError, ValueError, jsonschema.ValidationError) as error:
        made.fault("tracebacks", f"{what}: not as the contract says: {str(error)[:300]}")
        return None
    except OSError as error:
        made.fault("lost", f"{what}: {error!r}")
        return None
    if (took := time.monotonic() - begun) > MOST:
        made.fault("waits", f"{what}: {took:.0f} s")
    if answer.status == 500:
        made.fault("status_500", f"{what}: {answer.body[:300]!r}", like=f"500 {method} {path[:30]}")
    if b"Traceback (most" in answer.body:
        made.fault("tracebacks", f"{what}: {answer.body[-300:]!r}")
    return answer


def read_log(server: Server, made: Figures) -> None:
    """Tracebacks in the server's log."""
    text = server.log.read_text(errors="replace")
    # A fault of the helper is there twice: its own traceback, and that of the call that had it.
    for found in re.finditer(
        r"^Traceback \(most recent call last\):\n((?:[ ].*\n)*)(\S.*)", text, re.MULTILINE
    ):
        place = [line for line in found[1].splitlines() if line.startswith("  File")][-1:]
        made.fault("tracebacks", f"in the server's log: {found[2][:300]} {place}", like=str(place))


# -- wrong sign-ins ------------------------------------------------------------------------------


def _credentials() -> Iterator[tuple[str, dict[str, str]]]:
    """Query and headers of who may not come in."""
    yield "", {}
    wrong = [
        "", " ", "wrong", TOKEN[:-1], TOKEN[1:], f"{TOKEN}x", f"x{TOKEN}", TOKEN.upper(),
        TOKEN.swapcase(), TOKEN[::-1], f"{TOKEN}%00", f"{TOKEN},{TOKEN}", "null", "None", "*",
        "true", "0", "' OR 1=1 --", "../../token", f"{TOKEN[:-1]}\u00a7".encode().decode("latin-1"),
    ]  # fmt: skip
    for word in wrong:
        yield "", {"Authorization": f"token {word}"}
        yield "", {"Authorization": f"Bearer {word}"}
        yield f"?token={quote(word)}" if word.strip() else "?token=", {}
    for scheme in ("Basic", "Digest", "tokens", "", "Negotiate"):
        yield "", {"Authorization": f"{scheme} {TOKEN}"}
    for cookie in (
        f"token={TOKEN}", "_xsrf=1", f"username-127-0-0-1={TOKEN}", f"jupyter-user={TOKEN}",
        "username-127-0-0-1=2|1:0|10:1|4:user|4:bnVs|" + "0" * 64, "session=admin",
    ):  # fmt: skip
        yield "", {"Cookie": cookie}
    for header in ("X-Forwarded-User", "Remote-User", "X-XSRFToken", "X-Auth-Token", "X-Real-IP"):
        yield "", {header: TOKEN}


def _sign_ins(server: Server, folder: Path, count: int, rng: random.Random, made: Figures) -> str:
    del folder
    tries = list(itertools.product(TABLE, _credentials()))
    rng.shuffle(tries)
    before = _files(server.config.file.parent)
    for route, (query, headers) in tries[:count]:
        path = server.api + _path(route, rng, right=True) + query
        body = None if route.request is None else {"command": "cancel", "text": "x"}
        answer = ask(server, made, route.method, path, body, headers=headers, token=False)
        if answer is not None and (answer.status != 403 or set(answer.json) != {"message", "hint"}):
            made.fault("leaks", f"{route.method} {path} {headers}: {answer.status}")
    if _files(server.config.file.parent) != before:
        made.fault("leaks", "a wrong sign-in changed the workspace")
    return f"of {len(tries)} kinds"


def _files(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


# -- traversals ----------------------------------------------------------------------------------


def _upward() -> list[str]:
    """Names that lead elsewhere, as they stand in an address."""
    ups = ("../", "..%2f", "%2e%2e%2f", "%2e%2e/", "..%5c", "%252e%252e%252f", "....//", "..;/")
    goals = ("secret.txt", "home/secret.txt", "etc/passwd", "eolab.toml")
    made = [f"{up * n}{goal}" for up in ups for n in (1, 3, 8) for goal in goals]
    made += [
        "..",
        ".",
        "%2e",
        "%2e%2e",
        "~",
        "~root",
        "%00",
        "a%00b",
        "%2fetc%2fpasswd",
        "x" * 3000,
    ]
    made += ["file%3A%2F%2F%2Fetc%2Fpasswd", "%5C%5Chost%5Cshare", "C%3A%5C", "%c0%ae%c0%ae%2f"]
    made += ["%ff%fe", "%0d%0aX-Evil%3A1", ".hidden", "NUL", "-rf", "%24HOME", "%60id%60", "%7B%7D"]
    return made


def _traversals(server: Server, folder: Path, count: int, rng: random.Random, made: Figures) -> str:
    names, outside = _upward(), _outside(folder)
    places = [(r, part) for r in TABLE for part in re.findall(r"\{(\w+)\}", r.path)]
    keys = [(r, key) for r in TABLE if r.method == "GET" for key in _asked(r)]
    bodies = [(r, key) for r in TABLE if r.request and not _acts(r) for key in _schema(r)]
    tries = list(itertools.product([*places, *keys, *bodies], names))
    rng.shuffle(tries)
    for (route, part), name in tries[:count]:
        body = _example(route, rng) if route.request else None
        path = _path(route, rng, right=True, **{part: name})
        if (route, part) in keys:
            path = f"{path}?{part}={name}"
        elif (route, part) in bodies:
            body = {**(body or {}), part: name}
        answer = ask(server, made, route.method, server.api + path, body)
        if answer is None:
            continue
        if CANARY.encode() in answer.body or b"root:x:" in answer.body:
            made.fault("leaks", f"{route.method} {path} {body}: {answer.body[:200]!r}")
        if (route, part) in places and answer.status < 400:
            made.fault("leaks", f"{route.method} {path}: {answer.status}")
    if _outside(folder) != outside:
        made.fault("leaks", f"written outside: {set(_outside(folder)) ^ set(outside)}")
    return f"of {len(tries)} kinds"


def _outside(folder: Path) -> dict[str, int]:
    """Files outside of the workspace's own folder and what Jupyter keeps."""
    left_out = ("root/", "runtime/", "server.log", "home/.local", "home/.jupyter", "home/.cache")
    left_out = (*left_out, "home/.ipython", "home/.mpl", "home/.config")
    return {k: v for k, v in _files(folder).items() if not k.startswith(left_out)}


# -- requests that are nearly right --------------------------------------------------------------


def _acts(route: Route) -> bool:
    """Whether a good request starts a process."""
    return route.path in {"downloads", "studies/{name}/tensorboard"} and route.method == "POST"


def _schema(route: Route) -> dict[str, Any]:
    """Fields of a route's body by name."""
    (row,) = (
        r for r in document()["routes"] if (r["method"], r["path"]) == (route.method, route.path)
    )
    return _resolve(row["request"]).get("properties", {})


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document()["definitions"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _path(route: Route, rng: random.Random, *, right: bool = False, **given: str) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1] in given:
            return given[match[1]]
        if match[1] in {"version", "number"}:
            return "1" if right or rng.random() < 0.9 else str(rng.choice((0, 7, 999_999_999)))
        if not right and rng.random() < 0.1:
            return quote(
                (str(rng.choice(JUNK)) or "-")[:200].encode("utf-8", "surrogatepass"), safe=""
            )
        return rng.choice(NAMES[route.path.split("/")[1 if "groups" in route.path else 0]])

    return re.sub(r"\{(\w+)\}", fill, route.path)


def _example(route: Route, rng: random.Random) -> Any:
    """A body as the route's schema has it."""
    (row,) = (
        r for r in document()["routes"] if (r["method"], r["path"]) == (route.method, route.path)
    )
    return _value(row["request"], rng)


def _value(schema: dict[str, Any], rng: random.Random, name: str = "", depth: int = 0) -> Any:
    schema = _resolve(schema)
    if name in FIELDS and depth < 3 and rng.random() < 0.9:
        return rng.choice(FIELDS[name])
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    for of in ("anyOf", "oneOf", "allOf"):
        if of in schema:
            return _value(rng.choice(schema[of]), rng, name, depth)
    kind = schema.get("type", "string")
    kind = rng.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        fields, needed = schema.get("properties", {}), schema.get("required", [])
        return {
            key: _value(part, rng, key, depth + 1)
            for key, part in fields.items()
            if key in needed or rng.random() < 0.5
        }
    if kind == "array":
        parts = schema.get("items", {})
        if isinstance(parts, list):
            return [_value(part, rng, "", depth + 1) for part in parts]
        return [_value(parts, rng, "", depth + 1) for _ in range(rng.randint(0, 3))]
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "integer":
        return rng.choice((0, 1, 7, -1, 10**6, 2**63, 10**30))
    if kind == "number":
        return rng.choice((0, 1, 50, -1.5, 1e308, 1e-308))
    return (
        None if kind == "null" else rng.choice(("a", "mini", "good", "", "\u00e4\u200f", "x" * 300))
    )


_RAW = (
    b"", b"null", b"[]", b"{", b"\xff\xfe{}", b'{"a": 1e999}', b'{"a": NaN}', b"[" * 20_000,
    b'{"a": ' + b"9" * 5_000 + b"}", b'{"name": "\\ud800"}', b"{}" * 3, b'"' + b"x" * 70_000,
    b'{"a": "' + b"x" * 1_500_000 + b'"}',
)  # fmt: skip


def _asked(route: Route) -> tuple[str, ...]:
    """Names of a route's query arguments: those that its handler reads."""
    import inspect

    from eolab.server.routes import ROUTES

    sample = "/eolab/api/v1/" + re.sub(r"\{(\w+)\}", "1", route.path)
    handler = next(h for pattern, h in ROUTES if re.fullmatch(pattern, sample))
    text = inspect.getsource(getattr(handler, route.method.lower()))
    found = re.findall(r'(?:get_query_argument|number|needed)\(\s*"(\w+)"', text)
    return tuple(dict.fromkeys([*found, *(["bbox"] if "self.box()" in text else [])]))


def _query(route: Route, rng: random.Random) -> str:
    asked: dict[str, object] = {}
    for key in _asked(route):
        if rng.random() < 0.7:
            junk = rng.random() < 0.2
            asked[key] = rng.choice(JUNK) if junk else rng.choice(QUERIES[key])
    texts = {k: str(v)[:3000].encode("utf-8", "surrogatepass") for k, v in asked.items()}
    return f"?{urlencode(texts)}" if texts else ""


def _fuzz(server: Server, folder: Path, count: int, rng: random.Random, made: Figures) -> str:
    del folder
    statuses: dict[int, int] = {}
    slowest = 0.0
    server.post("search/prepare", {})
    server.get("features")
    # A good one of those that start a process costs seconds: few of them are.
    acting = [r for r in TABLE if _acts(r)]
    routes = [r for r in TABLE if not _acts(r)]
    for number in range(count):
        route = rng.choice(acting if number % 100 == 50 else routes)
        body = None
        if route.request is not None:
            body = _example(route, rng)
            if rng.random() < 0.1:
                body = rng.choice(_RAW)
            elif rng.random() < 0.7:
                body = mutate(body, rng)
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
        path = server.api + _path(route, rng) + _query(route, rng)
        if route.path == "catalogs/{name}" and route.method != "GET":
            path = path.replace("/mine", "/spare")  # the others need it
        begun = time.monotonic()
        answer = ask(server, made, route.method, path, body)
        slowest = max(slowest, time.monotonic() - begun)
        if answer is not None:
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if answer.status == 405:
                made.fault("lost", f"{route.method} {path}: wasted on 405")
    answer = server.get("catalogs/mine/items", collection="mini")
    if answer.status != 200 or not answer.json["items"]:
        made.fault("lost", f"afterwards the catalogue does not answer: {answer.body[:200]!r}")
    if len(server.get("studies/crops").json["trials"]) != 3:
        made.fault("lost", "afterwards the study has lost trials")
    each = ", ".join(f"{n} x {status}" for status, n in sorted(statuses.items()))
    return f"{each}; slowest {slowest:.1f} s"


Part = Callable[[Server, Path, int, random.Random, Figures], str]


def _alone(count: int, rng: random.Random, *parts: Part) -> Figures:
    made = Figures()
    with served() as (server, folder):
        made.told = "; ".join(part(server, folder, count, rng, made) for part in parts)
        read_log(server, made)
    return made


def sign_ins(count: int, rng: random.Random) -> Figures:
    """Each route with each wrong sign-in: always 403, and nothing said."""
    return _alone(count, rng, _sign_ins)


def traversals(count: int, rng: random.Random) -> Figures:
    """Each name of a path, query and body is given a name that leads elsewhere."""
    return _alone(count, rng, _traversals)


def fuzz(count: int, rng: random.Random) -> Figures:
    """Requests by the right method to the right route, damaged in one to three places."""
    return _alone(count, rng, _fuzz)


def each(count: int, rng: random.Random) -> Figures:
    """So many of each kind, on one server."""
    return _alone(count, rng, _sign_ins, _traversals, _fuzz)


if __name__ == "__main__":
    figures.main(sign_ins=sign_ins, traversals=traversals, fuzz=fuzz, each=each)
