"""A digest of a graph of values that depends on what they hold, not on who holds whom twice.

Two graphs that unfold into the same (maybe endless) tree have the same digest: recursive functions,
classes whose methods name the class, a helper that was defined again with the same text. What does
not lead to a circle is hashed from the leaves up; the rest is told apart round by round, as
automata are minimised (Moore 1956), until no round tells more apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eolab.studies.identity.atoms import fingerprint, pack, unordered

MOST_ROUNDS = 200
"""Rounds of telling apart; beyond it the order of visits would have to help, which it may not."""


@dataclass
class Node:
    """A value of the graph.

    Attributes:
        label: What it is and holds itself.
        children: Numbers of what it refers to.
        ordered: Whether their order counts.
    """

    label: bytes = b""
    children: list[int] = field(default_factory=list)
    ordered: bool = True


def digest(nodes: Sequence[Node]) -> str:
    """The hash of the first node with all that it leads to."""
    done = _from_the_leaves(nodes)
    left = [n for n in range(len(nodes)) if n not in done]
    if 0 in done:
        return done[0].hex()
    colours = {n: nodes[n].label for n in left}
    apart = 0
    for _ in range(MOST_ROUNDS):
        known = done | colours
        colours = {n: _colour(nodes[n], known) for n in left}
        now = len(set(colours.values()))
        if now == apart:
            break
        apart = now
    # Each colour names those that it leads to: together they are the whole graph.
    return fingerprint(pack(colours[0], unordered(set(colours.values())))).hex()


def _from_the_leaves(nodes: Sequence[Node]) -> dict[int, bytes]:
    """The hashes of all nodes that lead to no circle."""
    parents: dict[int, list[int]] = {}
    open_children = []
    for n, node in enumerate(nodes):
        children = set(node.children)
        open_children.append(len(children))
        for child in children:
            parents.setdefault(child, []).append(n)
    ready = [n for n, count in enumerate(open_children) if not count]
    done: dict[int, bytes] = {}
    while ready:
        n = ready.pop()
        done[n] = _colour(nodes[n], done)
        for parent in parents.get(n, ()):
            open_children[parent] -= 1
            if not open_children[parent]:
                ready.append(parent)
    return done


def _colour(node: Node, known: dict[int, bytes]) -> bytes:
    inner = [known[child] for child in node.children]
    return fingerprint(pack(node.label, pack(*inner) if node.ordered else unordered(inner)))
