"""What `%%tune` and `%%ablate` share: a cell with a train function, flags that name variables."""

from __future__ import annotations

import argparse
import ast
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError

from eolab.errors import BadInput, EolabError, nearest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.facade import Workspace


class StudyParser(argparse.ArgumentParser):
    """The flags of a study's cell; those that every study has are there from the start."""

    def __init__(self, magic: str, description: str | None, *, output: str) -> None:
        super().__init__(prog=magic, description=description, add_help=False, allow_abbrev=False)
        add = self.add_argument
        add("--help", "-h", action="store_true", help="show the flags")
        add("--metric", help="the figure that train returns or reports")
        add("--direction", default="maximize", choices=["maximize", "minimize"])
        add("--data", help="variable (or expression) that holds the data")
        add("--workers", type=int, help="trials at a time (default: one a core)")
        add("--on", default="local", help="cluster from eolab.toml")
        add("--python-modules", default="", help='your own, to travel to a cluster: "a b"')
        add("--seed", type=int, default=0)
        add("--trial-timeout", type=float, help="seconds that one trial may take")
        add("--resume", default="yes", choices=["yes", "no", "anyway"])
        add("--no-wait", action="store_true", help="go on to the next cell at once")
        add("--no-tracking", action="store_true", help="leave MLflow out")
        add("--no-check-metric", action="store_true", help="a loss is maximised on purpose")
        add("--function", help="which function of the cell (default: train, or the last)")
        add("--workspace", help="variable that holds the workspace (default: ws)")
        add("--output", "-o", default=output, help="variable for the result")

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. {self.prog} --help lists the flags.")

    def read(self, line: str) -> argparse.Namespace | None:
        """The flags of a cell's first line; None where they ask for help, which is shown.

        Raises:
            UsageError: Unknown or missing flags.
        """
        try:
            options, unknown = self.parse_known_args(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"{self.prog}: {error}") from None
        refuse_unknown(self, unknown)
        if options.help:
            print(self.format_help())
            return None
        if not options.metric:
            self.error("say --metric, the figure that train returns or reports")
        return options


def refuse_unknown(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> None:
    """Tell what a magic's first line holds that is no flag of it, with the nearest flags.

    Raises:
        UsageError: There is something.
    """
    if not unknown:
        return
    flags = [flag for flag in parser._option_string_actions if flag.startswith("--")]  # noqa: SLF001
    # A word without dashes belongs to a flag's value: it was not in quotes.
    hint = (
        nearest(unknown[0].partition("=")[0], flags, "flags")
        if unknown[0].startswith("-")
        else "Put values of several words in quotes."
    )
    raise UsageError(
        f"{parser.prog}: no flag {unknown[0]}. {hint} {parser.prog} --help lists the flags."
    )


def run_cell(
    shell: InteractiveShell, cell: str, options: argparse.Namespace
) -> Callable[..., object] | None:
    """Run the cell and find its train function; None where it failed, which the shell has shown."""
    if not shell.run_cell(cell, store_history=False).success:  # type: ignore[no-untyped-call]
        return None
    return train_function(cell, shell.user_ns, options.function)


def shared_options(options: argparse.Namespace, names: Mapping[str, Any]) -> dict[str, Any]:
    """What the flags that every study has mean, as arguments of `ws.tune` and `ws.ablate`."""
    return {
        "metric": options.metric,
        "direction": options.direction,
        "data": value_of(options.data, names, "--data"),
        "workers": options.workers,
        "on": options.on,
        "seed": options.seed,
        "trial_timeout": options.trial_timeout,
        "resume": {"yes": True, "no": False, "anyway": "anyway"}[options.resume],
        "wait": not options.no_wait,
        "tracking": not options.no_tracking,
        "check_metric": not options.no_check_metric,
    }


def value_of(text: str | None, names: Mapping[str, Any], flag: str) -> object:
    """What a flag names: a variable, or an expression of variables."""
    if text is None:
        return None
    if text in names:
        return names[text]
    try:
        # The user's own expression in the user's own kernel.
        return eval(text, dict(names))  # noqa: S307
    except NameError:
        shown = [n for n in names if not n.startswith("_")]
        raise BadInput(
            f"{flag} {text}: there is no such variable", nearest(text, shown, "variables")
        ) from None
    except EolabError:
        raise
    except Exception as error:
        raise BadInput(
            f"{flag} {text}: {type(error).__name__}: {error}", "Name a variable of the notebook."
        ) from error


def train_function(
    cell: str, names: Mapping[str, Any], wanted: str | None
) -> Callable[..., object]:
    """The train function that the cell defines."""
    defined = [node.name for node in ast.parse(cell).body if isinstance(node, ast.FunctionDef)]
    if wanted is None and not defined:
        raise BadInput(
            "the cell defines no function",
            "Define `def train(data, reporter, *, seed, ...)` in it.",
        )
    name = wanted or ("train" if "train" in defined else defined[-1])
    if wanted is not None and wanted not in defined and wanted not in names:
        raise BadInput(
            f"the cell defines no function {wanted!r}", nearest(wanted, defined, "functions")
        )
    function: Callable[..., object] = names[name]
    return function


def workspace_of(names: Mapping[str, Any], variable: str | None) -> Workspace:
    """The notebook's workspace: the named variable, `ws`, else the one that counts here."""
    from eolab.facade import Workspace, workspace

    found = names.get(variable or "ws")
    if isinstance(found, Workspace):
        return found
    if variable is not None:
        raise BadInput(
            f"--workspace {variable} is no workspace", "Write ws = eo.workspace() first."
        )
    return workspace()
