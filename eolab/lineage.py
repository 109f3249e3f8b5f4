"""What was made from what: an append-only graph in the workspace.

Scene -> cube -> commit of a feature group -> view -> study -> model. Domains record edges as they
work; nothing here knows them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FORMAT = 1
FILE = "lineage.jsonl"


@dataclass(frozen=True, order=True)
class Ref:
    """A node: its kind ("item", "labels", "commit", "view", "study", "model", ...) and its id."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class Edge:
    """``target`` was made from ``source``, at ``time`` (seconds since the epoch)."""

    source: Ref
    target: Ref
    time: float
    detail: Mapping[str, object] = field(default_factory=dict)


def record(
    root: Path, sources: Iterable[Ref], target: Ref, detail: Mapping[str, object] | None = None
) -> None:
    """Append one edge a source; processes may append at once (one write a call)."""
    now = time.time()
    lines = [
        json.dumps(
            {
                "v": FORMAT,
                "t": now,
                "from": [s.kind, s.id],
                "to": [target.kind, target.id],
                "detail": dict(detail or {}),
            }
        )
        for s in sources
    ]
    if not lines:
        return
    root.mkdir(parents=True, exist_ok=True)
    handle = os.open(root / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, ("\n".join(lines) + "\n").encode())
    finally:
        os.close(handle)


def edges(root: Path) -> Iterator[Edge]:
    """All edges, oldest first; a torn or foreign line is passed over."""
    try:
        file = (root / FILE).open(encoding="utf-8")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                entry = json.loads(line)
                yield Edge(
                    Ref(*entry["from"]),
                    Ref(*entry["to"]),
                    float(entry["t"]),
                    entry.get("detail", {}),
                )
            except (ValueError, KeyError, TypeError):
                continue


def upstream(root: Path, node: Ref) -> list[Ref]:
    """Everything that ``node`` was made from, nearest first, each once."""
    return walk(node, ((edge.target, edge.source) for edge in edges(root)))


def downstream(root: Path, node: Ref) -> list[Ref]:
    """Everything that was made from ``node``, nearest first, each once."""
    return walk(node, ((edge.source, edge.target) for edge in edges(root)))


def walk(start: Ref, pairs: Iterable[tuple[Ref, Ref]]) -> list[Ref]:
    """Every node reached from ``start`` along ``pairs`` (from, to), nearest first, each once."""
    following: dict[Ref, list[Ref]] = {}
    for a, b in pairs:
        following.setdefault(a, []).append(b)
    seen = {start: None}
    queue = [start]
    while queue:
        for node in following.get(queue.pop(0), []):
            if node not in seen:
                seen[node] = None
                queue.append(node)
    return [node for node in seen if node != start]
