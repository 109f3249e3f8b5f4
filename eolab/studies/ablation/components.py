"""What can be taken away: features, groups of features, layers, modules, named changes."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from eolab.errors import BadInput, nearest

Kind: TypeAlias = Literal["feature", "group", "layer", "module", "change"]

Names: TypeAlias = "str | Sequence[str]"
"""Names of features or layers: a list, or text such as "VV* VH*" (names, prefixes, globs)."""


@dataclass(frozen=True)
class Component:
    """One thing whose worth is asked for.

    Attributes:
        name: What the result calls it.
        kind: "feature" and "group" are columns of the data, "layer" and "module" are layers of
            the model, "change" is a named change of data or parameters.
        members: Names of the columns or layers that go.
    """

    name: str
    kind: Kind
    members: tuple[str, ...] = ()

    @property
    def of_model(self) -> bool:
        """Whether it is a part of the model."""
        return self.kind in ("layer", "module")

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "kind": self.kind, "members": list(self.members)}

    @staticmethod
    def from_json(document: Mapping[str, object]) -> Component:
        """The component that `to_json` described."""
        members = cast("list[str]", document["members"])
        return Component(str(document["name"]), cast("Kind", document["kind"]), tuple(members))


def select(names: Names, known: Sequence[str], what: str) -> tuple[str, ...]:
    """The known names that a selection means, in their own order.

    Each part is an exact name, a glob (``VV*``, ``B0?_*``), or else a prefix that some name
    starts with.

    Args:
        names: The selection.
        known: All names.
        what: What they are ("features"), for the message.

    Raises:
        BadInput: A part that means nothing, with the nearest names; or no part at all.
    """
    parts = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    if not parts:
        raise BadInput(f"an empty selection of {what}", "Name one or more, or use a glob.")
    chosen: set[str] = set()
    for part in parts:
        if not isinstance(part, str):
            raise BadInput(f"{part!r} is no name of {what}", "Give text.")
        if part in known:
            found = [part]
        elif any(sign in part for sign in "*?["):
            found = fnmatch.filter(known, part)
        else:
            found = [name for name in known if name.startswith(part)]
        if not found:
            raise BadInput(f"no {what} {part!r}", _near(part, known, what))
        chosen.update(found)
    return tuple(name for name in known if name in chosen)


def _near(part: str, known: Sequence[str], what: str) -> str:
    """Nearest names; where names share beginnings (bands over dates), the nearest of those."""
    plain = part.strip("*?")
    stems = sorted({re.split(r"[_.\-/ ]", name)[0] for name in known})
    hint = nearest(plain, list(known), what)
    return hint if hint.startswith("Did") else nearest(plain, stems, what)


def features(chosen: Names | bool, columns: Sequence[str]) -> list[Component]:
    """One component for each selected column; True means all.

    Raises:
        BadInput: An unknown column, or the only one there is.
    """
    if chosen is False:
        return []
    names = tuple(columns) if chosen is True else select(chosen, columns, "features")
    _not_all(names[:1], columns, "the only feature")
    return [Component(name, "feature", (name,)) for name in names]


def groups(chosen: Mapping[str, Names], columns: Sequence[str]) -> list[Component]:
    """One component for each named group of columns.

    Raises:
        BadInput: A misspelt name, an empty group, or one that is everything.
    """
    found = []
    for name, members in chosen.items():
        try:
            resolved = select(members, columns, "features")
        except BadInput as error:
            raise BadInput(f"group {name!r}: {error.message}", error.hint) from None
        _not_all(resolved, columns, f"group {name!r}")
        found.append(Component(name, "group", resolved))
    return found


def _not_all(members: Sequence[str], columns: Sequence[str], what: str) -> None:
    if len(members) == len(columns):
        raise BadInput(
            f"{what} is all {len(columns)} features: nothing would be left",
            "Leave some features out of it.",
        )


def layers(chosen: Names, known: Sequence[str]) -> list[Component]:
    """One component for each selected layer."""
    return [Component(name, "layer", (name,)) for name in select(chosen, known, "layers")]


def modules(chosen: Mapping[str, Names], known: Sequence[str]) -> list[Component]:
    """One component for each named group of layers, which goes as a whole."""
    found = []
    for name, members in chosen.items():
        try:
            found.append(Component(name, "module", select(members, known, "layers")))
        except BadInput as error:
            raise BadInput(f"module {name!r}: {error.message}", error.hint) from None
    return found


def check_distinct(components: Sequence[Component]) -> None:
    """Whether each component has a name of its own and removes something of its own.

    Raises:
        BadInput: Otherwise, or where there is nothing to ablate.
    """
    if not components:
        raise BadInput(
            "there is nothing to ablate",
            "Give features=, groups=, layers=, modules= or variants=.",
        )
    names: set[str] = set()
    removed: dict[tuple[bool, frozenset[str]], str] = {}
    for component in components:
        if component.name in names or component.name == BASELINE:
            raise BadInput(f"two components are called {component.name!r}", "Rename one.")
        names.add(component.name)
        key = (component.of_model, frozenset(component.members))
        if component.members and key in removed:
            raise BadInput(
                f"{component.name!r} and {removed[key]!r} remove the same",
                "Leave one of them out.",
            )
        removed[key] = component.name


BASELINE = "baseline"
"""Name of the variant from which nothing is removed."""
