"""The text of a TOML file with one table more, another or less; all else stays as people wrote it.

tomlkit keeps comments, order and line ends. What it gives is read again by the standard library:
text whose meaning would not be exactly the wanted one is never given back.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tomlkit
    from tomlkit.items import Item, Key, Table

Path = tuple[str, ...]


class CannotChange(ValueError):
    """The table is written in a way that cannot be changed without touching anything else."""


def add_table(text: str, path: Path, values: Mapping[str, object]) -> str:
    """A table below what is there: TOML lets tables stand in any order.

    Args:
        text: What the file holds.
        path: Names from the top, `("catalogs", "mine")`.
        values: Texts, truths and tables of them.

    Raises:
        CannotChange: The outcome would not be what is wanted.
    """
    import tomlkit

    table = tomlkit.table()
    for key, value in values.items():
        table.add(key, _value(value))
    for name in reversed(path):
        outer = tomlkit.table(is_super_table=True)
        outer.add(name, table)
        table = outer
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return _checked(text, text + gap + table.as_string(), path, dict(values))


def change_table(text: str, path: Path, values: Mapping[str, object]) -> str:
    """A table with other values, in its place; comments and the lines of unchanged keys stay.

    Raises:
        CannotChange: As `add_table`.
    """
    from tomlkit.items import Table

    document = _parsed(text)
    table, was = _at(document, path), _at(tomllib.loads(text), path)
    last = _last_table(table) if isinstance(table, Table) else None
    quiet = [] if last is None else _cut_end(last)
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        if was.get(key) != value:
            table[key] = _value(value)
    if isinstance(table, Table):
        _add_end(_last_table(table), quiet)
    return _checked(text, document.as_string(), path, dict(values))


def drop_table(text: str, path: Path) -> str:
    """The text without a table and what is below it; comments around it stay.

    Raises:
        CannotChange: As `add_table`.
    """
    from tomlkit.items import Table

    document = _parsed(text)
    parent = _at(document, path[:-1])
    table = parent.get(path[-1])
    if not isinstance(table, Mapping):
        raise CannotChange(".".join(path))
    quiet = _cut_end(_last_table(table)) if isinstance(table, Table) else []
    before = _table_before(document, table) if isinstance(table, Table) else None
    del parent[path[-1]]
    if before is not None:
        _add_end(before, quiet)
        after = document.as_string()
    else:  # it was the first: what stands above all tables is in none
        top = _without_tables(document)
        rest = document.as_string().removeprefix(top)
        end = "".join(item.as_string() for item in quiet)
        gap = top.endswith(("\n\n", "\r\n\r\n")) and end.startswith(("\n", "\r\n"))
        after = top + (end.lstrip("\r\n") if gap else end) + rest
    return _checked(text, after.rstrip("\r\n") + text[len(text.rstrip("\r\n")) :], path, None)


def _last_table(table: Table) -> Table:
    """The one below it that stands last in the file, or itself."""
    from tomlkit.items import Table

    inner = [item for _, item in table.value.body if isinstance(item, Table)]
    return _last_table(inner[-1]) if inner else table


def _cut_end(table: Table) -> list[Item]:
    """Take out comments and empty lines below a table's last key: they announce what follows.

    tomlkit counts them to the table: they would go with it, and keys be added below them.
    """
    from tomlkit.items import Comment, Whitespace

    body = table.value.body
    quiet: list[Item] = []
    while body and isinstance(body[-1][1], Comment | Whitespace):
        quiet.insert(0, body.pop()[1])
    return quiet


def _add_end(table: Table, quiet: Sequence[Item]) -> None:
    """Put below a table what was cut, with one empty line where two would meet."""
    from tomlkit.items import Comment, Whitespace

    body = table.value.body
    two = body and quiet and all(isinstance(i, Whitespace) for i in (body[-1][1], quiet[0]))
    for item in quiet[1:] if two else quiet:
        if isinstance(item, Comment | Whitespace):
            table.add(item)


def _table_before(document: tomlkit.TOMLDocument, table: Table) -> Table | None:
    """The table above in the file, into which what stands between them is to go."""
    above: Table | None = None
    for other in _tables(document.body):
        if other is table:
            return above
        above = other
    return above


def _tables(body: Sequence[tuple[Key | None, Item]]) -> Iterator[Table]:
    """Tables with a head of their own, as they stand in the file."""
    from tomlkit.items import AoT, Table

    for _, item in body:
        for table in item.body if isinstance(item, AoT) else [item]:
            if isinstance(table, Table):
                if not table.is_super_table():
                    yield table
                yield from _tables(table.value.body)


def _without_tables(document: tomlkit.TOMLDocument) -> str:
    from tomlkit.items import AoT, Table

    top = _parsed(document.as_string())
    for key in [key for key, item in top.items() if isinstance(item, Table | AoT)]:
        del top[key]
    return top.as_string()


def _parsed(text: str) -> tomlkit.TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise CannotChange(str(error)) from error


def _at(document: MutableMapping[str, Any], path: Path) -> MutableMapping[str, Any]:
    for name in path:
        document = document.get(name, {})
        if not isinstance(document, MutableMapping):
            raise CannotChange(".".join(path))
    return document


def _value(value: object) -> Item:
    """A text, a truth or a table of them in one line."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, part in value.items():
            table.add(str(key), _value(part))
        return table
    return tomlkit.item(value)


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
        found = tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise CannotChange(str(error)) from error
    if _without_empty(found) != _without_empty(wanted):
        raise CannotChange(".".join(path))
    return after


def _without_empty(document: dict[str, object]) -> dict[str, object]:
    """Without empty tables: one that only holds others goes with the last of them."""
    return {key: value for key, value in document.items() if value != {}}
