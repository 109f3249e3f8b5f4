"""`%%ablate`: what the cell's train function loses without features, groups or layers.

    %%ablate --name crops-abl --data folds --metric val_macro_f1 --group "sar=VV* VH*" --repeats 3
    def train(data, reporter, *, seed):
        ...

The flags are the options of `ws.ablate`.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.display import display

from eolab.errors import BadInput
from eolab.magics import tune as cells

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%ablate: {message}. %%ablate --help lists the flags.")


def _parser() -> _Parser:
    parser = _Parser(prog="%%ablate", description=__doc__, add_help=False, allow_abbrev=False)
    parser.add_argument("--help", "-h", action="store_true", help="show the flags")
    parser.add_argument("--name", help="the study's name (default: the function's, -ablation)")
    parser.add_argument("--metric", help="the figure that train returns or reports")
    parser.add_argument("--direction", default="maximize", choices=["maximize", "minimize"])
    parser.add_argument("--data", help="variable (or expression) that holds the data or folds")
    parser.add_argument("--features", help='columns to leave out one by one, or "all"')
    parser.add_argument("--group", action="append", default=[], help='"sar=VV* VH*", repeatable')
    parser.add_argument("--layers", help="layers to take out one by one")
    parser.add_argument("--module", action="append", default=[], help='"block=conv2_*"')
    parser.add_argument("--build", help="function that makes the model")
    parser.add_argument("--params", help="variable (or expression) with fixed hyperparameters")
    parser.add_argument(
        "--design",
        default="leave-one-out",
        choices=["leave-one-out", "add-one-in", "pairs", "subsets"],
    )
    parser.add_argument("--folds", type=int, default=5, help="if the data is not in folds yet")
    parser.add_argument("--repeats", type=int, default=3, help="seeds for each fold")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--project", action="store_true", help="allow projections for layers")
    parser.add_argument("--dry-run", action="store_true", help="list the variants, run nothing")
    parser.add_argument("--workers", type=int, help="runs at a time (default: one a core)")
    parser.add_argument("--on", default="local", help="cluster from eolab.toml")
    parser.add_argument("--resume", default="yes", choices=["yes", "no", "anyway"])
    parser.add_argument("--no-wait", action="store_true", help="go on to the next cell at once")
    parser.add_argument("--no-tracking", action="store_true", help="leave MLflow out")
    parser.add_argument("--function", help="which function of the cell (default: train)")
    parser.add_argument("--workspace", help="variable that holds the workspace (default: ws)")
    parser.add_argument("--output", "-o", default="ablation", help="variable for the ablation")
    return parser


def register(shell: InteractiveShell) -> None:
    """Make `%%ablate` known to the shell."""

    def ablate(line: str, cell: str) -> None:
        _ablate(shell, line, cell)

    ablate.__doc__ = _parser().format_help()
    shell.register_magic_function(ablate, "cell", "ablate")  # type: ignore[arg-type]


def _ablate(shell: InteractiveShell, line: str, cell: str) -> None:
    parser = _parser()
    try:
        options = parser.parse_args(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"%%ablate: {error}") from None
    if options.help:
        print(parser.format_help())
        return
    if not options.metric:
        raise UsageError("%%ablate: say --metric, the figure that train returns or reports.")
    outcome = shell.run_cell(cell, store_history=False)  # type: ignore[no-untyped-call]
    if not outcome.success:
        return  # the shell has shown the error of the cell
    names: dict[str, Any] = shell.user_ns
    train = cells._function(cell, names, options.function)  # noqa: SLF001 - the sister magic
    resume: Any = {"yes": True, "no": False, "anyway": "anyway"}[options.resume]
    found = cells._workspace(names, options.workspace).ablate(  # noqa: SLF001
        train,
        data=_value(options.data, names, "--data"),
        name=options.name or f"{train.__name__}-ablation",
        metric=options.metric,
        direction=options.direction,
        features=True if options.features == "all" else options.features or False,
        groups=_named(options.group, "--group"),
        layers=options.layers,
        modules=_named(options.module, "--module"),
        build=_value(options.build, names, "--build"),
        params=_value(options.params, names, "--params"),
        design=options.design,
        folds=options.folds,
        repeats=options.repeats,
        seed=options.seed,
        project=options.project,
        dry_run=options.dry_run,
        workers=options.workers,
        on=options.on,
        resume=resume,
        wait=not options.no_wait,
        tracking=not options.no_tracking,
    )
    names[options.output] = found
    display(found)  # type: ignore[no-untyped-call]


def _value(text: str | None, names: dict[str, Any], flag: str) -> object:
    return cells._value(text, names, flag)  # noqa: SLF001


def _named(texts: Sequence[str], flag: str) -> dict[str, str]:
    """Name -> selection, from texts such as "sar=VV* VH*"."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, selection = text.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"{flag} {text!r} has no name", f'Write {flag} "sar=VV* VH*".')
        if name.strip() in found:
            raise BadInput(f"{flag} {name.strip()!r} is given twice", "Give each name once.")
        found[name.strip()] = selection
    return found
