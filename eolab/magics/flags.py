"""What magics with flags share: reading a cell's first line, help, completion, slips."""

from __future__ import annotations

import argparse
import shlex
import types
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

from IPython.core.error import UsageError

from eolab.errors import EolabError, InvalidInputError, nearest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

VARIABLE = "VARIABLE"
"""The metavar of a flag that names a variable: Tab offers those of the notebook."""
CLUSTER = "CLUSTER"
_SHELLS = ("In", "Out", "get_ipython", "exit", "quit", "open")


class FlagParser(argparse.ArgumentParser):
    """The flags on the first line of a cell."""

    def __init__(self, magic: str, description: str | None) -> None:
        super().__init__(
            prog=magic,
            description=description,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,  # it shows an example
        )
        self.add_argument("--help", "-h", action="store_true", help="show the flags")

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. {self.prog[1:]} lists the flags.")

    def read(self, line: str) -> argparse.Namespace | None:
        """The flags of a cell's first line; None where they ask for help, which is shown.

        Raises:
            UsageError: Unknown flags, or a quote that is not closed.
        """
        try:
            options, unknown = self.parse_known_args(split_flags(line))
        except ValueError as error:
            raise UsageError(f"{self.prog}: {error}") from None
        self._refuse(unknown)
        if options.help:
            print(self.format_help())
            return None
        return options

    def _refuse(self, unknown: Sequence[str]) -> None:
        if not unknown:
            return
        # A word without dashes belongs to a flag's value: it was not in quotes.
        hint = (
            nearest(unknown[0].partition("=")[0], self.flags, "flags")
            if unknown[0].startswith("-")
            else "Put values of several words in quotes."
        )
        raise UsageError(
            f"{self.prog}: no flag {unknown[0]}. {hint} {self.prog[1:]} lists the flags."
        )

    @property
    def flags(self) -> list[str]:
        """Each flag by its long name."""
        return [flag for flag in self._option_string_actions if flag.startswith("--")]

    def offer(self, given: Sequence[str], names: Mapping[str, object]) -> list[str]:
        """What may come after the words that are there: values of the last flag, else flags."""
        action = self._option_string_actions.get(given[-1]) if given else None
        if action is not None and action.nargs != 0:
            if action.choices:
                return [str(choice) for choice in action.choices]
            if action.metavar == VARIABLE:
                return variables(names)
            return _clusters() if action.metavar == CLUSTER else []
        return [flag for flag in self.flags if flag not in given]


def split_flags(line: str) -> list[str]:
    """The words of a line of flags; quotes and brackets inside a word belong to it.

    ``--params dict(lr="a b")`` is two words, ``--group "sar=VV* VH*"`` too, without its quotes.

    Raises:
        ValueError: A quote that is not closed.
    """
    words: list[str] = []
    word, inside, depth, begun = "", "", 0, False
    for sign in line:
        if sign.isspace() and not inside and not depth:
            if begun:
                words.append(word)
            word, begun = "", False
            continue
        begun = True
        word += sign
        if inside:
            inside = "" if sign == inside and not word.endswith(f"\\{sign}") else inside
        elif sign in "\"'":
            inside = sign
        else:
            depth = max(0, depth + (sign in "([{") - (sign in ")]}"))
    if inside:
        raise ValueError("No closing quotation")
    return [_unquoted(each) for each in ([*words, word] if begun else words)]


def _unquoted(word: str) -> str:
    """A word without the quotes around it, or around the value of ``--flag="a value"``."""
    flag, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    if value[:1] in {"'", '"'} and value[-1:] == value[:1]:
        parts = shlex.split(value)
        value = parts[0] if len(parts) == 1 else value
    return f"{flag}{equals}{value}"


def register_cell(
    shell: InteractiveShell,
    name: str,
    run: Callable[[str, str], object],
    parser: Callable[[], FlagParser],
) -> None:
    """Make ``%%name`` known to the shell, with Tab for its flags; ``%name`` lists them.

    Where another extension or the user has a magic of that name, ours is ``%%eo_name``: neither
    takes the other's place in silence, whichever comes first.
    """

    def magic(line: str, cell: str | None = None) -> object:
        if cell is None:
            print(parser().format_help())
            return None
        return run(line, cell)

    def complete(shell: InteractiveShell, event: SimpleNamespace) -> list[str]:
        words = event.line.split()[1:]
        given = words if event.line.endswith(" ") else words[:-1]
        try:
            offered = parser().offer(given, shell.user_ns)
        except EolabError:  # a key was pressed, nothing was run: a faulty file is told when it is
            return []
        return [text for text in offered if text.startswith(event.symbol)]

    def register(under: str) -> None:
        shell.register_magic_function(magic, "line_cell", under)  # type: ignore[arg-type]
        # The hook gets the shell as its first argument, whatever it is called.
        shell.set_hook("complete_command", complete, str_key=f"%%{under}")

    def is_free() -> bool:
        there = shell.find_cell_magic(name)
        return there is None or getattr(there, "__module__", None) == __name__

    def look(*_: object) -> None:
        if not is_free() and shell.find_cell_magic(f"eo_{name}") is None:
            register(f"eo_{name}")
            print(f"%%{name} is not eolab's here: eolab's is %%eo_{name}")

    magic.__doc__ = parser().format_help()
    if is_free():
        register(name)
        shell.events.register("post_run_cell", look)  # an extension may be loaded later
    else:
        look()


def variables(names: Mapping[str, object]) -> list[str]:
    """The notebook's own variables: no modules, and nothing that the shell put there."""
    return [
        name
        for name, value in names.items()
        if not (name.startswith("_") or name in _SHELLS or isinstance(value, types.ModuleType))
    ]


def _clusters() -> list[str]:
    from eolab.settings import config

    return list(config.find().clusters)


def value_of(text: str | None, names: Mapping[str, object], flag: str) -> object:
    """What a flag names: a variable, or an expression of variables.

    Raises:
        InvalidInputError: There is no such variable, or the expression fails.
    """
    if text is None:
        return None
    if text in names:
        return names[text]
    try:
        # The user's own expression in the user's own kernel.
        return eval(text, dict(names))  # noqa: S307
    except NameError:
        raise InvalidInputError(
            f"{flag} {text}: there is no such variable",
            nearest(text, variables(names), "variables"),
        ) from None
    except EolabError:
        raise
    except Exception as error:
        raise InvalidInputError(
            f"{flag} {text}: {type(error).__name__}: {error}", "Name a variable of the notebook."
        ) from error
