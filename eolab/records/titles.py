"""What people call things, and what they put away: `names.json` in the workspace.

A title is beside the name: folders, ids and everything that was recorded keep the name. Stdlib
only: the Jupyter server reads it without the library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from eolab.errors import ConflictError, InvalidInputError
from eolab.files import folders, locks, writes
from eolab.records.lineage import Ref

FORMAT = 1
FILE = "names.json"
LONGEST = 100


@dataclass(frozen=True)
class Display:
    """How a thing is shown.

    Attributes:
        title: What it is called; "" where that is its name.
        archived: Whether lists leave it out.
    """

    title: str = ""
    archived: bool = False


def read(root: Path) -> dict[Ref, Display]:
    """How things are shown that have a title or are archived; a damaged file says nothing."""
    try:
        return _read(root)
    except ConflictError:
        return {}


def title_of(root: Path, ref: Ref) -> str:
    """What a thing is called; "" where that is its name."""
    return read(root).get(ref, Display()).title


def find(root: Path, kind: str, title: str) -> str | None:
    """The id of the thing of this title."""
    for ref, shown in read(root).items():
        if ref.kind == kind and shown.title == title:
            return ref.id
    return None


def check(title: object) -> str:
    """A title that can be used, without spaces around it.

    Raises:
        InvalidInputError: It is none.
    """
    if not isinstance(title, str) or not title.strip():
        raise InvalidInputError(f"title={title!r}", "Give a title of a letter or more.")
    title = title.strip()
    if len(title) > LONGEST or not title.isprintable():
        raise InvalidInputError(
            f"title={title[:LONGEST]!r}",
            f"A title is one line of at most {LONGEST} characters.",
        )
    return title


def rename(root: Path, ref: Ref, title: str, names: Iterable[str]) -> None:
    """Give a thing a title; its own name takes the title away.

    Args:
        root: The workspace.
        ref: The thing.
        title: What it is called from now on.
        names: Names and ids of all things of its kind.

    Raises:
        InvalidInputError: It is no title.
        ConflictError: Another one has it as its name or title.
    """
    title = check(title)
    own = {ref.id, ref.id.partition("/")[0]} if ref.kind != "dataset" else {ref.id}
    if title in own:
        title = ""
    elif title in set(names):
        raise ConflictError(f"there is a {ref.kind} {title!r}", "Take another title.")

    def change(shown: dict[Ref, Display]) -> None:
        for other, each in shown.items():
            if title and other.kind == ref.kind and other != ref and each.title == title:
                raise ConflictError(
                    f"the {ref.kind} {other.id!r} is called {title!r}", "Take another title."
                )
        shown[ref] = replace(shown.get(ref, Display()), title=title)

    _change(root, change)


def archive(root: Path, ref: Ref, *, archived: bool = True) -> None:
    """Let lists leave a thing out, or show it again."""

    def change(shown: dict[Ref, Display]) -> None:
        shown[ref] = replace(shown.get(ref, Display()), archived=archived)

    _change(root, change)


def parts(root: Path, ref: Ref) -> dict[Ref, Display]:
    """How the parts of a thing are shown, which are deleted with it."""
    return {node: each for node, each in read(root).items() if _is_part(node, ref)}


def forget(root: Path, ref: Ref) -> None:
    """Drop title and mark of a thing that was deleted, and of its parts.

    Another one of its name would have them.
    """

    def dropped(node: Ref) -> bool:
        return node == ref or _is_part(node, ref)

    def change(shown: dict[Ref, Display]) -> None:
        for node in [node for node in shown if dropped(node)]:
            del shown[node]

    if any(map(dropped, read(root))):
        _change(root, change)


def bring_back(root: Path, shown: Mapping[Ref, Display], names: Collection[str] = ()) -> list[Ref]:
    """Give restored things their titles and marks again.

    Args:
        root: The workspace.
        shown: How they were shown.
        names: Of the things of this kind that are there.

    Returns:
        Those whose title is another's now, by its name or title: they are back without.
    """
    without: list[Ref] = []

    def change(all_shown: dict[Ref, Display]) -> None:
        taken = {(node.kind, each.title): node for node, each in all_shown.items() if each.title}
        for node, each in shown.items():
            free = taken.get((node.kind, each.title), node) == node and each.title not in names
            all_shown[node] = each if free else replace(each, title="")
            if not free:
                without.append(node)

    if any(each != Display() for each in shown.values()):
        _change(root, change)
    return without


def _is_part(node: Ref, whole: Ref) -> bool:
    """Whether a node is a training dataset of a view, or a version of a model."""
    if whole.kind == "view":
        return node.kind == "dataset" and node.id.partition("#")[0] == whole.id
    return whole.kind == node.kind == "model" and node.id.startswith(f"{whole.id}/")


def _change(root: Path, change: Callable[[dict[Ref, Display]], object]) -> None:
    folders.make(root)
    with locks.locked(root / ".names.lock"):
        shown = _read(root)
        change(shown)
        kept = {ref: each for ref, each in sorted(shown.items()) if each != Display()}
        writes.write_json(root / FILE, {"format": FORMAT, "entities": to_rows(kept)})


def to_rows(shown: Mapping[Ref, Display]) -> list[dict[str, object]]:
    """As plain JSON."""
    return [{"kind": ref.kind, "id": ref.id, **asdict(each)} for ref, each in shown.items()]


def from_rows(rows: Iterable[Mapping[str, object]]) -> dict[Ref, Display]:
    """What `to_rows` gave.

    Raises:
        KeyError, TypeError: It is something else.
    """
    return {
        Ref(str(each["kind"]), str(each["id"])): Display(str(each["title"]), bool(each["archived"]))
        for each in rows
    }


def _read(root: Path) -> dict[Ref, Display]:
    try:
        document = json.loads((root / FILE).read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ConflictError(
                f"{root / FILE} has format {document['format']}, allowed: {FORMAT}",
                "Upgrade eolab.",
            )
        return from_rows(document["entities"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConflictError(
            f"{root / FILE} is damaged: {error}", "Mend it, or remove it: only titles are in it."
        ) from error
