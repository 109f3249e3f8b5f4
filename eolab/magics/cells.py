"""What `%%tune` and `%%ablate` share: a cell with a train function, flags that name variables."""

from __future__ import annotations

import argparse
import ast
import asyncio
import contextlib
import re
import sys
import threading
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eolab.errors import EolabError, InvalidInputError, nearest
from eolab.magics.flags import CLUSTER, VARIABLE, FlagParser, value_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.facade import Workspace


class CellFailedError(Exception):
    """A cell inside a cell failed, and the shell has shown why.

    It is raised so that the notebook stops: what was computed before must not pass for the result.
    """

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class StudyParser(FlagParser):
    """The flags of a study's cell; those that every study has are there from the start."""

    def __init__(self, magic: str, description: str | None, *, output: str) -> None:
        super().__init__(magic, description)
        self.usage = f"{magic.replace('%', '%%')} --metric METRIC [--flag VALUE ...]"
        add = self.add_argument
        add("--metric", help="the metric that train returns or reports")
        add("--direction", default="maximize", choices=["maximize", "minimize"])
        add("--data", metavar=VARIABLE, help="variable (or expression) that holds the data")
        add("--workers", type=int, help="trials at a time (default: one a core)")
        add("--on", default="local", metavar=CLUSTER, help="cluster from eolab.toml, or spark")
        add("--python-modules", default="", help='your own, to travel to a cluster: "a b"')
        add("--seed", type=int, default=0, help="everything random follows from it (default: 0)")
        add("--trial-timeout", type=float, help="seconds that one trial may take")
        add(
            "--resume",
            default="yes",
            choices=["yes", "no", "force", "anyway"],
            help='a study of this name: go on with it ("force": although something changed)',
        )
        add("--overwrite", action="store_true", help="begin anew; the old study goes to the bin")
        add("--no-wait", action="store_true", help="go on to the next cell at once")
        add("--no-tracking", action="store_true", help="leave MLflow out")
        add("--no-check-metric", action="store_true", help="a loss is maximised on purpose")
        add("--function", help="which function of the cell (default: train, or the last)")
        add("--workspace", metavar=VARIABLE, help="holds the workspace (default: ws)")
        add("--output", "-o", default=output, help=f"variable for the result (default: {output})")

    def read(self, line: str) -> argparse.Namespace | None:
        """The flags of a cell's first line; None where they ask for help, which is shown.

        Raises:
            UsageError: Unknown or missing flags.
        """
        options = super().read(line)
        if options is not None and not options.metric:
            self.error("say --metric, the metric that train returns or reports")
        return options


def run_cell(
    shell: InteractiveShell, cell: str, options: argparse.Namespace
) -> Callable[..., object]:
    """Run the cell and find its train function.

    Raises:
        CellFailedError: It raised, or was interrupted.
        InvalidInputError: It defines no such function.
    """
    shell.user_ns.setdefault("Annotated", typing.Annotated)
    shell.user_ns.setdefault("eo", sys.modules["eolab"])
    # Magics, shell commands and top-level await are what a notebook's cell may hold.
    plain = str(shell.transform_cell(cell))
    if not _run(shell, cell, plain):
        raise CellFailedError("The cell ended with an error: no study was started.")
    return train_function(plain, shell.user_ns, options.function)


def _run(shell: InteractiveShell, cell: str, plain: str) -> bool:
    """Run a cell inside a cell, whether or not it awaits something; False where it failed."""
    if not shell.should_run_async(cell, transformed_cell=plain):
        return bool(shell.run_cell(cell, store_history=False).success)
    found: list[bool] = []

    def run() -> None:  # the kernel's own loop is busy with the cell that we are in
        running = shell.run_cell_async(cell, store_history=False, transformed_cell=plain)
        found.append(bool(asyncio.run(running).success))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return bool(found) and found[0]


@contextlib.contextmanager
def in_a_cell(
    names: dict[str, Any],
    options: argparse.Namespace,
    flags: Sequence[str],
    attach: Callable[[], object],
) -> Iterator[None]:
    """What a study's cell does whatever happens: its variable is set, hints speak of flags.

    Args:
        names: The notebook's variables.
        options: The cell's flags.
        flags: All flags that there are.
        attach: Opens the study as it is.
    """
    try:
        yield
    except KeyboardInterrupt:
        _set(names, options.output, attach)  # the sentence has been printed, the study goes on
    except EolabError as error:
        _set(names, options.output, attach)
        error.message, error.hint = (in_flags(t, flags) for t in (error.message, error.hint))
        error.args = (error.message,)
        raise


def _set(names: dict[str, Any], output: str, attach: Callable[[], object]) -> None:
    with contextlib.suppress(EolabError):
        names[output] = attach()


def in_flags(text: str, flags: Sequence[str]) -> str:
    """A message about options as one about flags: ``resume="force"`` as ``--resume force``."""

    def flag(match: re.Match[str]) -> str:
        name, value = match["name"].replace("_", "-"), match["value"].strip("\"'")
        if f"--no-{name}" in flags and value == "False":
            return f"--no-{name}"
        if f"--{name}" not in flags:
            return match[0]
        return f"--{name}" if value in {"True", "..."} else f"--{name} {value}".rstrip()

    pattern = r"(?<![\w.(])(?P<name>[a-z]\w*)=(?P<value>\"[^\"]*\"|'[^']*'|[\w.]*)"
    return re.sub(pattern, flag, text)


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
        "resume": {"yes": True, "no": False}.get(options.resume, options.resume),
        "overwrite": options.overwrite,
        "wait": not options.no_wait,
        "tracking": not options.no_tracking,
        "check_metric": not options.no_check_metric,
    }


def values_of(options: argparse.Namespace, names: Mapping[str, Any], *flags: str) -> dict[str, Any]:
    """What flags that name variables mean, as arguments of `ws.tune` and `ws.ablate`."""
    return {flag: value_of(getattr(options, flag), names, f"--{flag}") for flag in flags}


def train_function(
    cell: str, names: Mapping[str, Any], wanted: str | None
) -> Callable[..., object]:
    """The train function that the cell defines."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    defined = [node.name for node in ast.parse(cell).body if isinstance(node, functions)]
    if wanted is None and not defined:
        raise InvalidInputError(
            "the cell defines no function",
            "Define `def train(data, reporter, *, seed, ...)` in it.",
        )
    name = wanted or ("train" if "train" in defined else defined[-1])
    if wanted is not None and wanted not in defined and wanted not in names:
        raise InvalidInputError(
            f"the cell defines no function {wanted!r}", nearest(wanted, defined, "functions")
        )
    function: Callable[..., object] = names[name]
    return function


def function_name(train: object) -> str:
    """The name that a study has by default."""
    return str(getattr(train, "__name__", type(train).__name__))


def workspace_of(names: Mapping[str, Any], variable: str | None) -> Workspace:
    """The notebook's workspace: the named variable, `ws`, else the one that counts here."""
    from eolab.facade import Workspace, workspace

    found = names.get(variable or "ws")
    if isinstance(found, Workspace):
        return found
    if variable is not None:
        raise InvalidInputError(
            f"--workspace {variable} is no workspace", "Write ws = eo.workspace() first."
        )
    return workspace()
