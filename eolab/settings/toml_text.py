"""The text of a TOML file with one table more, another or less; all else stays as people wrote it.

The standard library reads TOML and writes none. What is changed here is checked by reading it: text
whose meaning would not be exactly the wanted one is never given back.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

Path = tuple[str, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class CannotChange(ValueError):
    """The table is written in a way that is not changed line by line."""


def add_table(text: str, path: Path, values: Mapping[str, object]) -> str:
    """A table below what is there: TOML lets tables stand in any order.

    Args:
        text: What the file holds.
        path: Names from the top, `("catalogs", "mine")`.
        values: Texts, truths and tables of them.

    Raises:
        CannotChange: The outcome would not be what is wanted.
    """
    lines = [f"[{'.'.join(map(_key, path))}]", *(_line(k, v) for k, v in values.items())]
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return _checked(text, text + gap + "\n".join(lines) + "\n", path, dict(values))


def change_table(text: str, path: Path, values: Mapping[str, object]) -> str:
    """A table with other values, in its place; comments and the lines of unchanged keys stay.

    Raises:
        CannotChange: As `add_table`; for example a table that is written in one line.
    """
    lines = text.split("\n")
    found = _at(tomllib.loads(text), path)
    same = {key for key, value in values.items() if key in found and found[key] == value}
    own = [section for section in _sections(lines) if section.path[: len(path)] == path]
    if not own or own[0].path != path:
        raise CannotChange(".".join(path))
    done = set(same)
    head = [lines[own[0].first]]
    for line in lines[own[0].first + 1 : own[0].end]:
        key = _key_of(line)
        if key is None or key in same:
            head.append(line)
        elif key in values and key not in done:
            head.append(_line(key, values[key]))
            done.add(key)
    head += [_line(key, value) for key, value in values.items() if key not in done]
    # From the end, so that the places of the others hold.
    for section in reversed(own[1:]):
        if section.path[len(path)] not in same:
            _cut(lines, section)
    lines[own[0].first : own[0].end] = head
    return _checked(text, "\n".join(lines), path, dict(values))


def drop_table(text: str, path: Path) -> str:
    """The text without a table and what is below it; comments around it stay.

    Raises:
        CannotChange: As `change_table`.
    """
    lines = text.split("\n")
    own = [section for section in _sections(lines) if section.path[: len(path)] == path]
    for section in reversed(own):
        _cut(lines, section)
    return _checked(text, "\n".join(lines), path, None)


class _Section(NamedTuple):
    path: Path
    first: int
    end: int  # after its last key: comments below that belong to what follows


def _sections(lines: list[str]) -> list[_Section]:
    heads = [(at, path) for at, line in enumerate(lines) if (path := _head(line)) is not None]
    found = []
    for number, (first, path) in enumerate(heads):
        end = heads[number + 1][0] if number + 1 < len(heads) else len(lines)
        while end > first + 1 and _is_quiet(lines[end - 1]):
            end -= 1
        found.append(_Section(path, first, end))
    return found


def _head(line: str) -> Path | None:
    """The names of a line that opens a table."""
    if not line.lstrip().startswith("["):
        return None
    value: Any = _parsed(line)
    names: list[str] = []
    while isinstance(value, dict) and len(value) == 1:
        ((name, value),) = value.items()
        names.append(name)
    return tuple(names) or None


def _key_of(line: str) -> str | None:
    """The key of a line; None for a comment or an empty one."""
    if _is_quiet(line):
        return None
    found = _parsed(line)
    if len(found) != 1:
        raise CannotChange(line)  # a value of several lines
    return next(iter(found))


def _parsed(line: str) -> dict[str, Any]:
    try:
        return tomllib.loads(line.rstrip("\r"))
    except tomllib.TOMLDecodeError:
        return {}


def _is_quiet(line: str) -> bool:
    return line.strip() == "" or line.lstrip().startswith("#")


def _cut(lines: list[str], section: _Section) -> None:
    """Take a section out, and one of the two gaps that would then meet."""
    at = section.first
    del lines[at : section.end]
    while 0 < at < len(lines) and not lines[at - 1].strip() and not lines[at].strip():
        at -= 1
        del lines[at]


def _checked(before: str, after: str, path: Path, value: dict[str, object] | None) -> str:
    """``after``, if it says what ``before`` says with ``value`` at ``path`` and nothing else."""
    wanted = copy.deepcopy(tomllib.loads(before))
    place = wanted
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place.pop(path[-1], None)
    if value is not None:
        place[path[-1]] = value
    try:
        said = tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise CannotChange(str(error)) from error
    if _full(said) != _full(wanted):
        raise CannotChange(".".join(path))
    return after


def _full(document: dict[str, Any]) -> dict[str, Any]:
    """Without empty tables: one that only holds others goes with the last of them."""
    return {key: value for key, value in document.items() if value != {}}


def _at(document: dict[str, Any], path: Path) -> dict[str, Any]:
    for name in path:
        document = document.get(name, {})
        if not isinstance(document, dict):
            raise CannotChange(".".join(path))
    return document


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _line(key: str, value: object) -> str:
    return f"{_key(key)} = {_toml(value)}"


def _toml(value: object) -> str:
    """A text, a truth or a table of them in one line."""
    if isinstance(value, Mapping):
        inner = (f"{_text(str(key))} = {_toml(part)}" for key, part in value.items())
        return "{" + ", ".join(inner) + "}"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    # JSON's escapes are TOML's, which wants one more.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
