"""What can be taken away: features, groups of features, layers, modules, named changes."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from eolab.errors import InvalidInputError, nearest

Kind: TypeAlias = Literal["feature", "group", "layer", "module", "change"]

Names: TypeAlias = "str | Sequence[str]"
"""Names of features or layers: a list, or text such as "VV* VH*" (names, prefixes, globs)."""


@dataclass(frozen=True)
class Component:
    """One thing whose worth is asked for.

    Attributes:
        name: What the result calls it.
        kind: "feature" and "group" are columns of the data, "layer" and "module" are layers of
            the model, "change" is a named change of data, model or parameters.
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
        what: What one of them is ("feature"), for the message.

    Raises:
        InvalidInputError: A part that means nothing, with the nearest names; or no part at all.
    """
    if not hasattr(names, "__iter__") or getattr(names, "ndim", 1) == 0:
        raise InvalidInputError(
            f"{names!r} selects no {what}s", 'Give a list of names, or text ("VV* VH*").'
        )
    parts = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    if not parts:
        raise InvalidInputError(
            f"an empty selection of {what}s", "Name one or more, or use a glob."
        )
    selected: set[str] = set()
    for part in parts:
        if not isinstance(part, str):
            raise InvalidInputError(f"{part!r} is no name of a {what}", "Give text.")
        if part in known:
            found = [part]
        elif any(sign in part for sign in "*?["):
            found = fnmatch.filter(known, part)
        else:
            found = [name for name in known if name.startswith(part)]
        if not found:
            raise InvalidInputError(f"no {what} {part!r}", _near(part, known, f"{what}s"))
        selected.update(found)
    return tuple(name for name in known if name in selected)


def _near(part: str, known: Sequence[str], what: str) -> str:
    """Nearest names; where names share beginnings (bands over dates), the nearest of those."""
    plain = part.strip("*?")
    stems = sorted({re.split(r"[_.\-/ ]", name)[0] for name in known})
    hint = nearest(plain, list(known), what)
    return hint if hint.startswith("Did") else nearest(plain, stems, what)


def features(selected: Names | bool, columns: Sequence[str]) -> list[Component]:
    """One component for each selected column; True means all.

    Raises:
        InvalidInputError: An unknown column, or the only one there is.
    """
    if selected is False:
        return []
    names = tuple(columns) if selected is True else select(selected, columns, "feature")
    if len(columns) == 1:
        raise InvalidInputError(
            f"the data has one feature, {columns[0]!r}: without it nothing would be left",
            "Give data with two features or more.",
        )
    return [Component(name, "feature", (name,)) for name in names]


def groups(selected: Mapping[str, Names], columns: Sequence[str]) -> list[Component]:
    """One component for each named group of columns.

    Raises:
        InvalidInputError: A misspelt name, an empty group, or one that is everything.
    """
    return _named(selected, columns, kind="group", what="feature", option="groups")


def layers(selected: Names, known: Sequence[str]) -> list[Component]:
    """One component for each selected layer.

    Raises:
        InvalidInputError: A misspelt name.
    """
    return [Component(name, "layer", (name,)) for name in select(selected, known, "layer")]


def modules(selected: Mapping[str, Names], known: Sequence[str]) -> list[Component]:
    """One component for each named group of layers, which goes as a whole.

    Raises:
        InvalidInputError: A misspelt name, an empty module, or one that is everything.
    """
    return _named(selected, known, kind="module", what="layer", option="modules")


def _named(
    selected: Mapping[str, Names], known: Sequence[str], *, kind: Kind, what: str, option: str
) -> list[Component]:
    check_names(selected, option)
    found = []
    for name, members in selected.items():
        try:
            resolved = select(members, known, what)
        except InvalidInputError as error:
            raise InvalidInputError(f"{kind} {name!r}: {error.message}", error.hint) from None
        _not_all(resolved, known, f"{kind} {name!r}", what)
        found.append(Component(name, kind, resolved))
    return found


EXAMPLES = {
    "groups": '{"sar": "VV* VH*"}',
    "modules": '{"block": "conv2_*"}',
    "datasets": '{"with clouds": other_split}',
    "models": '{"wider": build_wider}',
    "changes": '{"small steps": {"lr": 1e-4}}',
}


def check_names(selected: object, option: str) -> None:
    """Whether an option is a mapping from names, none of them empty.

    Raises:
        InvalidInputError: Otherwise.
    """
    hint = f"Write {option}={EXAMPLES[option]}."
    if not isinstance(selected, Mapping):
        raise InvalidInputError(f"{option}= is a {type(selected).__name__} without names", hint)
    for name in selected:
        if not isinstance(name, str) or not name.strip():
            raise InvalidInputError(f"{option}= holds the name {name!r}", hint)


def _not_all(members: Sequence[str], known: Sequence[str], what: str, one: str = "feature") -> None:
    if len(members) == len(known):
        raise InvalidInputError(
            f"{what} is all {len(known)} {one}s: nothing would be left",
            f"Leave some {one}s out of it.",
        )


def check_distinct(components: Sequence[Component]) -> None:
    """Whether each component has a name of its own and removes something of its own.

    Raises:
        InvalidInputError: Otherwise, or where there is nothing to ablate.
    """
    if not components:
        raise InvalidInputError(
            "there is nothing to ablate",
            "Give features=, groups=, layers=, modules=, datasets=, models= or changes=.",
        )
    names: set[str] = set()
    removed: dict[tuple[bool, frozenset[str]], str] = {}
    for component in components:
        if component.name in names or component.name == BASELINE:
            raise InvalidInputError(f"two components are called {component.name!r}", "Rename one.")
        names.add(component.name)
        key = (component.of_model, frozenset(component.members))
        if component.members and key in removed:
            raise InvalidInputError(
                f"{component.name!r} and {removed[key]!r} remove the same",
                "Leave one of them out.",
            )
        removed[key] = component.name


BASELINE = "baseline"
"""Name of the variant from which nothing is removed."""
