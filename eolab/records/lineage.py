"""What was made from what: an append-only graph in the workspace.

Scene -> cube -> commit of a feature group -> view -> study -> model. Domains record edges as they
work; nothing here knows them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from eolab.files import folders, writes
from eolab.user_warnings import warn

FORMAT = 1
FILE = "lineage.jsonl"


@dataclass(frozen=True, order=True)
class Ref:
    """A node: its kind ("item", "cube", "commit", "view", "study", "model", ...) and its id."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class RefJson(TypedDict):
    """A node as plain JSON."""

    kind: str
    id: str


class LineageJson(TypedDict):
    """What a node was made from, and what was made from it; nearest first."""

    upstream: list[RefJson]
    downstream: list[RefJson]


@dataclass(frozen=True)
class Edge:
    """``target`` was made from ``source``.

    Attributes:
        source: What was there before.
        target: What was made.
        time: When, seconds since the epoch.
        detail: What its maker tells of it.
        by: What made it: ``notebook`` and ``code`` (its cell), or ``script``; the first of the
            edges that were made at once has it.
    """

    source: Ref
    target: Ref
    time: float
    detail: Mapping[str, object] = field(default_factory=dict)
    by: Mapping[str, str] = field(default_factory=dict)


# An edge, or that something was deleted or is there again.
_Line = TypedDict(
    "_Line",
    {
        "from": list[str],
        "to": list[str],
        "t": float,
        "detail": dict[str, object],
        "by": dict[str, str],
        "deleted": list[str],
        "restored": list[str],
    },
    total=False,
)

# A cell's text is kept up to here; longer ones are programs that live elsewhere too.
_CODE = 4000


def maker() -> dict[str, str]:
    """The notebook and the cell that run now, or the script."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return {"script": sys.argv[0]} if sys.argv and sys.argv[0] not in {"", "-c"} else {}
    cells = shell.user_ns.get("In") or [""]
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    return {"notebook": notebook, "code": str(cells[-1])[:_CODE]}


def record(
    root: Path, sources: Iterable[Ref], target: Ref, detail: Mapping[str, object] | None = None
) -> None:
    """Append one edge a source; processes may append at once (one write a call).

    The target is there by now: where the disk is full a warning says what is missing.
    """
    now = time.time()
    by = maker()
    lines = [
        json.dumps(
            {
                "v": FORMAT,
                "t": now,
                "from": [s.kind, s.id],
                "to": [target.kind, target.id],
                "detail": dict(detail or {}),
                **({"by": by} if by and not number else {}),
            }
        )
        for number, s in enumerate(sources)
    ]
    if not lines:
        return
    try:
        _append(root, "\n".join(lines))
    except OSError as error:  # what it says of is there already
        warn(
            f"what {target.kind} {target.id} was made from could not be noted in {root / FILE}: "
            f"{error.strerror or error}. It is there; make room before the next one.",
            UserWarning,
        )


def _append(root: Path, text: str) -> None:
    folders.make(root)
    writes.append(root / FILE, text)


def edges(root: Path) -> Iterator[Edge]:
    """All edges, oldest first; a torn or foreign line is passed over."""
    for entry in _lines(root):
        try:
            yield Edge(
                Ref(*entry["from"]),
                Ref(*entry["to"]),
                float(entry["t"]),
                entry.get("detail", {}),
                entry.get("by", {}),
            )
        except (ValueError, KeyError, TypeError):
            continue


def _lines(root: Path) -> Iterator[_Line]:
    """The JSON objects of the file."""
    try:
        file = (root / FILE).open(encoding="utf-8")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                entry: _Line = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry


def note_deleted(root: Path, node: Ref) -> None:
    """Record that a thing was deleted: what was made of it keeps naming it."""
    _note(root, "deleted", node)


def note_restored(root: Path, node: Ref) -> None:
    """Record that a deleted thing is there again, or another one of its name."""
    if node in _deleted(root):
        _note(root, "restored", node)


def deleted_among(root: Path, nodes: Iterable[Ref]) -> set[Ref]:
    """Those of some nodes that were deleted, also with what they are a part of."""
    marked = _deleted(root)
    return {node for node in nodes if marked and not marked.isdisjoint(_owners(node))}


def _deleted(root: Path) -> set[Ref]:
    found: set[Ref] = set()
    for entry in _lines(root):
        try:
            if "deleted" in entry:
                found.add(Ref(*map(str, entry["deleted"])))
            elif "restored" in entry:
                found.discard(Ref(*map(str, entry["restored"])))
            elif found:  # made again under its name
                found.difference_update(_owners(Ref(*entry["to"])))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _owners(node: Ref) -> set[Ref]:
    """A node and the things that it goes with: a commit with its group."""
    name, _, number = node.id.partition("@")
    if node.kind == "commit" and number:
        return {node, Ref("group", name)}
    if node.kind == "dataset":
        return {node, Ref("view", node.id.partition("#")[0])}
    if node.kind == "model":
        return {node, Ref("model", node.id.partition("/")[0])}
    return {node}


def _note(root: Path, what: str, node: Ref) -> None:
    entry = {"v": FORMAT, "t": time.time(), what: [node.kind, node.id]}
    _append(root, json.dumps(entry))


def upstream(root: Path, node: Ref) -> list[Ref]:
    """Everything that ``node`` was made from, nearest first, each once."""
    return walk(node, ((edge.target, edge.source) for edge in edges(root)))


def downstream(root: Path, node: Ref) -> list[Ref]:
    """Everything that was made from ``node``, nearest first, each once."""
    return walk(node, ((edge.source, edge.target) for edge in edges(root)))


def around(root: Path, nodes: Sequence[Ref]) -> dict[str, list[Ref]]:
    """What some nodes were made from ("upstream"), and what of them ("downstream")."""
    pairs = [(edge.source, edge.target) for edge in edges(root)]
    return {
        "upstream": _walk(nodes, [(b, a) for a, b in pairs]),
        "downstream": _walk(nodes, pairs),
    }


def origins(source: object) -> list[Ref]:
    """The dataset, else the feature view, that data came from; ``source`` is theirs.

    Empty where they do not say it.
    """
    if not isinstance(source, Mapping):
        return []
    chips, dataset, view = source.get("chips"), source.get("dataset"), source.get("view")
    if isinstance(chips, str):
        return [Ref("chips", chips)]
    if isinstance(dataset, str):
        return [Ref("dataset", dataset)]
    return [Ref("view", f"{view}/{source.get('version', 1)}")] if isinstance(view, str) else []


def made_by(root: Path, node: Ref) -> Mapping[str, str]:
    """The notebook and code, or script, that made a node last; empty where that is not known."""
    found: Mapping[str, str] = {}
    for edge in edges(root):
        if edge.target == node and edge.by:
            found = edge.by
    return found


def walk(start: Ref, pairs: Iterable[tuple[Ref, Ref]]) -> list[Ref]:
    """Every node reached from ``start`` along ``pairs`` (from, to), nearest first, each once."""
    return _walk([start], pairs)


def _walk(starts: Sequence[Ref], pairs: Iterable[tuple[Ref, Ref]]) -> list[Ref]:
    following: dict[Ref, list[Ref]] = {}
    for a, b in pairs:
        following.setdefault(a, []).append(b)
    seen = dict.fromkeys(starts)
    queue = list(starts)
    while queue:
        for node in following.get(queue.pop(0), []):
            if node not in seen:
                seen[node] = None
                queue.append(node)
    return [node for node in seen if node not in starts]
