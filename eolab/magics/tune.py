"""`%%tune`: the cell's train function becomes a study.

    %%tune --name crops --data split --metric val_macro_f1 --trials 16 --workers 2
    def train(data, reporter, *, seed, lr: Annotated[float, eo.loguniform(1e-4, 1e-1)] = 1e-2):
        ...

The flags are the options of `ws.tune`.
"""

from __future__ import annotations

import argparse
import ast
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError

from eolab.errors import BadInput, EolabError, nearest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.facade import Workspace
    from eolab.studies import Study


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%tune: {message}. %%tune --help lists the flags.")


def _parser() -> _Parser:
    parser = _Parser(prog="%%tune", description=__doc__, add_help=False, allow_abbrev=False)
    parser.add_argument("--help", "-h", action="store_true", help="show the flags")
    parser.add_argument("--name", help="the study's name (default: the function's)")
    parser.add_argument("--metric", help="the figure that train returns or reports")
    parser.add_argument("--direction", default="maximize", choices=["maximize", "minimize"])
    parser.add_argument("--data", help="variable (or expression) that holds the data")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--workers", type=int, help="trials at a time (default: one a core)")
    parser.add_argument("--on", default="local", help="cluster from eolab.toml")
    parser.add_argument("--space", help="variable that holds the space (default: annotations)")
    parser.add_argument("--sampler", default="tpe", help="random, grid, qmc, tpe, gp, cmaes")
    parser.add_argument("--stop", help="rule for stopping early: median, percentile:25, ...")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, help="seconds after which no trial is started")
    parser.add_argument("--target", type=float, help="value at which the study has found enough")
    parser.add_argument("--trial-timeout", type=float, help="seconds that one trial may take")
    parser.add_argument("--retries", type=int, default=2, help="after a killed process")
    parser.add_argument("--cpus", type=int, help="cores that each worker takes")
    parser.add_argument("--threads", type=int, help="threads that one trial may use")
    parser.add_argument("--memory", type=float, help="gigabytes that one trial may take")
    parser.add_argument("--lease", type=float, default=15.0, help="seconds until a worker is lost")
    parser.add_argument("--mailbox", help="folder or URL, where workers cannot dial the study")
    parser.add_argument("--resume", default="yes", choices=["yes", "no", "anyway"])
    parser.add_argument("--no-wait", action="store_true", help="go on to the next cell at once")
    parser.add_argument("--no-tracking", action="store_true", help="leave MLflow out")
    parser.add_argument(
        "--no-check-metric", action="store_true", help="a loss is maximised on purpose"
    )
    parser.add_argument(
        "--function", help="which function of the cell (default: train, or the last)"
    )
    parser.add_argument("--workspace", help="variable that holds the workspace (default: ws)")
    parser.add_argument("--output", "-o", default="study", help="variable that gets the study")
    return parser


def register(shell: InteractiveShell) -> None:
    """Make `%%tune` known to the shell."""

    def tune(line: str, cell: str) -> None:
        _tune(shell, line, cell)

    tune.__doc__ = _parser().format_help()
    shell.register_magic_function(tune, "cell", "tune")  # type: ignore[arg-type]


def _tune(shell: InteractiveShell, line: str, cell: str) -> None:
    parser = _parser()
    try:
        options = parser.parse_args(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"%%tune: {error}") from None
    if options.help:
        print(parser.format_help())
        return
    if not options.metric:
        raise UsageError("%%tune: say --metric, the figure that train returns or reports.")
    outcome = shell.run_cell(cell, store_history=False)  # type: ignore[no-untyped-call]
    if not outcome.success:
        return  # the shell has shown the error of the cell
    names: dict[str, Any] = shell.user_ns
    train = _function(cell, names, options.function)
    study = _start(_workspace(names, options.workspace), train, names, options)
    names[options.output] = study


def _start(
    ws: Workspace,
    train: Callable[..., object],
    names: Mapping[str, Any],
    options: argparse.Namespace,
) -> Study:
    resume: Any = {"yes": True, "no": False, "anyway": "anyway"}[options.resume]
    return ws.tune(
        train,
        data=_value(options.data, names, "--data"),
        name=options.name or train.__name__,
        metric=options.metric,
        direction=options.direction,
        trials=options.trials,
        workers=options.workers,
        on=options.on,
        space=_value(options.space, names, "--space"),
        sampler=options.sampler,
        stop=options.stop,
        seed=options.seed,
        timeout=options.timeout,
        target=options.target,
        trial_timeout=options.trial_timeout,
        retries=options.retries,
        cpus=options.cpus,
        threads=options.threads,
        memory=options.memory,
        lease=options.lease,
        mailbox=options.mailbox or False,
        resume=resume,
        wait=not options.no_wait,
        tracking=not options.no_tracking,
        check_metric=not options.no_check_metric,
    )


def _value(text: str | None, names: Mapping[str, Any], flag: str) -> object:
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


def _function(cell: str, names: Mapping[str, Any], wanted: str | None) -> Callable[..., object]:
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


def _workspace(names: Mapping[str, Any], variable: str | None) -> Workspace:
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
