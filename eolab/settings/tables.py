"""Tables of a TOML file, read with errors that name file, key and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from eolab.errors import ConfigError, InvalidInputError, nearest

T = TypeVar("T")


class Section:
    """A table of the file with the names of its keys, so that each error can say where.

    Args:
        file: Named in errors.
        key: The table's own, in full; empty for the whole file.
        value: What stands there.
        allowed: Names of the keys that may stand below it.

    Raises:
        ConfigError: It is no table, or has an unknown key.
    """

    def __init__(self, file: Path, key: str, value: object, allowed: tuple[str, ...]) -> None:
        self.file, self.key = file, key
        self.name = key.rpartition(".")[2]
        if not isinstance(value, dict):
            raise ConfigError(
                f"{file}: {key} is {kind_of(value)}, allowed: a table",
                f"Write [{key}] with keys below it.",
            )
        self.value = value
        for name in value:
            if name not in allowed:
                full = f"{key}.{name}" if key else name
                raise ConfigError(
                    f"{file}: unknown key {full!r}, allowed: {', '.join(allowed)}",
                    nearest(name, allowed, "allowed keys"),
                )

    def get(self, name: str, kind: type[T], default: T | None = None) -> T:
        """The value of a key.

        Raises:
            ConfigError: It is missing without a default, or of another type.
        """
        full = f"{self.key}.{name}" if self.key else name
        if name not in self.value:
            if default is None:
                raise ConfigError(
                    f"{self.file}: {full} is missing", f"Add `{name} = ...` below [{self.key}]."
                )
            return default
        value = self.value[name]
        # In Python True is an int; in the file it is not a number.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            wanted = {"str": "text in quotes", "int": "a whole number", "dict": "a table"}.get(
                kind.__name__, kind.__name__
            )
            raise ConfigError(
                f"{self.file}: {full} is {kind_of(value)}, allowed: {wanted}",
                f"Mend the value of {full}.",
            )
        return value

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """The text of a key that allows only some.

        Raises:
            ConfigError: Another text.
        """
        value = self.get(name, str, default)
        if value not in allowed:
            choices = ", ".join(allowed)
            raise ConfigError(
                f"{self.file}: {self.key}.{name} = {value!r}, allowed: {choices}",
                nearest(value, allowed),
            )
        return value

    def section(self, name: str, allowed: tuple[str, ...]) -> Section:
        """The table below a key; an empty one where there is none."""
        return Section(self.file, name, self.value.get(name, {}), allowed)

    def named(
        self, name: str, allowed: tuple[str, ...], check: Callable[[str, str], object]
    ) -> list[Section]:
        """The tables [name.X], each with the allowed keys.

        Args:
            name: Of the table that holds them.
            allowed: Names of their keys.
            check: Raises InvalidInputError where X is no good name for a thing of this kind.
        """
        tables = self.value.get(name, {})
        if not isinstance(tables, dict):
            raise ConfigError(
                f"{self.file}: {name} is {kind_of(tables)}, allowed: tables [{name}.NAME]",
                f"Write [{name}.NAME].",
            )
        for table in tables:
            try:
                check(table, name[:-1])
            except InvalidInputError as error:
                raise ConfigError(
                    f"{self.file}: [{name}.{table}]: {error.message}", error.hint
                ) from None
        found = []
        for table, value in tables.items():
            section = Section(self.file, f"{name}.{table}", value, allowed)
            section.name = table  # which may have a dot of its own
            found.append(section)
        return found


def kind_of(value: object) -> str:
    """What a value is, in words."""
    return {
        "str": "text",
        "int": "a number",
        "float": "a number",
        "list": "a list",
        "dict": "a table",
        "bool": "true/false",
    }.get(type(value).__name__, type(value).__name__)
