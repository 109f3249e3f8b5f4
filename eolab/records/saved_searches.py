"""Searches and areas that people keep by a name: `saved.json` in the workspace.

Stdlib only: the Jupyter server reads and writes it without the library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    path = root / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ConfigError(f"{path} was written by another eolab", "Upgrade eolab.")
        return {"search": list(document["search"]), "area": list(document["area"])}
    except FileNotFoundError:
        return {"search": [], "area": []}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is damaged: {error}", "Mend it, or delete it.") from error


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
        everything = read(root)
        rest = [entry for entry in everything[list_] if entry.get("name") != name]
        if value is not None:
            rest.append({"name": name, "value": value})
        if len(rest) > MOST:
            raise ConflictError(f"there are {MOST} of them already", "Drop some that nobody needs.")
        everything[list_] = sorted(rest, key=lambda entry: str(entry["name"]).lower())
        _write(root, {"format": FORMAT, **everything})
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


def _write(root: Path, document: Mapping[str, object]) -> None:
    path = root / FILE
    try:
        writes.write_text(path, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise ConflictError(f"{path} cannot be written: {error}", "Check its folder.") from error
