"""Searches and areas that people keep by a name: `saved.json` in the workspace.

Stdlib only: the Jupyter server reads and writes it without the library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypedDict, get_args

from eolab.errors import ConfigError, ConflictError, InvalidInputError
from eolab.files import folders, locks, writes
from eolab.json_types import Json

FORMAT = 1
FILE = "saved.json"
Kind = Literal["search", "area"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST_NAME = 80
LARGEST = 200_000  # bytes of one entry
MOST = 500
_TRIES = 20  # while an editor saves the file again and again


class SavedEntryJson(TypedDict):
    name: str
    value: Json


class SavedJson(TypedDict):
    """What people keep, by kind, each by name."""

    search: list[SavedEntryJson]
    area: list[SavedEntryJson]


def read(root: Path) -> SavedJson:
    """`{"search": [{"name", "value"}], "area": [...]}`, each by name.

    Raises:
        ConfigError: The file is damaged or was written by a newer eolab.
    """
    return _parse(root / FILE, writes.content(root / FILE))[1]


def _parse(path: Path, text: bytes | None) -> tuple[dict[str, object], SavedJson]:
    """All that the file holds, and of it what is ours."""
    if text is None:
        return {}, {"search": [], "area": []}
    try:
        document = json.loads(text.decode("utf-8-sig"))
        if document["format"] != FORMAT:
            raise ConfigError(f"{path} was written by another eolab", "Upgrade eolab.")
        lists: SavedJson = {"search": document["search"], "area": document["area"]}
        for kind in KINDS:
            for entry in _listed(lists[kind], kind):
                if not isinstance(entry, dict) or not isinstance(entry["name"], str):
                    raise TypeError(f"an entry of {kind} has no name")
                entry["value"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"{path} is damaged: {error}", "Mend it, or delete it.") from error
    return document, lists


def _listed(value: object, kind: str) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{kind} is no list")
    return value


def keep(root: Path, kind: str, name: str, value: object) -> SavedJson:
    """Keep an entry, in place of one of the same name; None drops it.

    Raises:
        InvalidInputError: Unknown kind, a bad name, or what is no entry of this kind.
        ConflictError: There are too many, or the file cannot be written.
    """
    if kind not in KINDS:
        raise InvalidInputError(f"kind = {kind!r}", f"Give one of: {', '.join(KINDS)}.")
    list_: Kind = "area" if kind == "area" else "search"
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(
            f"{name!r} is no good name", f"Give 1 to {LONGEST_NAME} characters."
        )
    if value is not None:
        _check(kind, value)
    with _turn(root):
        for _ in range(_TRIES):
            with suppress(writes.Changed):  # somebody edits the file by hand
                return _keep_once(root, list_, name, value)
    raise ConflictError(
        f"{root / FILE} is being changed by another program", "Close it there, then try again."
    )


def _keep_once(root: Path, list_: Kind, name: str, value: object) -> SavedJson:
    before = writes.content(root / FILE)
    document, everything = _parse(root / FILE, before)
    rest = [entry for entry in everything[list_] if entry.get("name") != name]
    if value is not None:
        rest.append({"name": name, "value": value})
    if len(rest) > MOST:
        raise ConflictError(f"there are {MOST} of them already", "Drop some that nobody needs.")
    everything[list_] = sorted(rest, key=lambda entry: str(entry["name"]).lower())
    # What somebody wrote beside our lists stays.
    _write(root, {"format": FORMAT, **document, **everything}, instead_of=before)
    return everything


def _check(kind: str, value: object) -> None:
    if not isinstance(value, Mapping) or len(json.dumps(value)) > LARGEST:
        raise InvalidInputError("the value is no object, or too large", f"At most {LARGEST} bytes.")
    if kind == "area":
        geometry = value.get("geometry")
        if not isinstance(geometry, Mapping) or geometry.get("type") != "Polygon":
            raise InvalidInputError("the area is no polygon", "Send {geometry: a GeoJSON Polygon}.")


@contextmanager
def _turn(root: Path) -> Iterator[None]:
    """One change at a time: of this process's threads, and of all servers on the workspace."""
    try:
        folders.make(root)
        with locks.locked(root / ".saved.lock", required=False):
            yield
    except OSError as error:
        raise ConflictError(f"{root} cannot be written: {error}", "Check its folder.") from error


def _write(root: Path, document: Mapping[str, object], *, instead_of: bytes | None) -> None:
    path = root / FILE
    try:
        with writes.draft(path, instead_of=instead_of) as beside:
            beside.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConflictError(f"{path} cannot be written: {error}", "Check its folder.") from error
