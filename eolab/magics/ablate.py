"""`%%ablate`: what the cell's train function loses without features, groups or layers.

    %%ablate --name crops-abl --data folds --metric val_macro_f1 --group "sar=VV* VH*" --repeats 3
    def train(data, reporter, *, seed):
        ...

The flags are the options of `ws.ablate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from IPython.display import display

from eolab.errors import InvalidInputError
from eolab.magics.cells import (
    StudyParser,
    function_name,
    in_a_cell,
    run_cell,
    shared_options,
    values_of,
    workspace_of,
)
from eolab.magics.flags import VARIABLE, register_cell, value_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


# Those of `eolab.studies.ablation.design`, which a notebook need not load for its flags.
DESIGNS = ("leave-one-out", "leave-group-out", "add-one-in", "pairs", "subsets")
EXAMPLES = {
    "--group": '"sar=VV* VH*"',
    "--module": '"block=conv2_*"',
    "--dataset": '"with clouds=cloudy"',
    "--model": '"wider=build_wider"',
    "--change": '"small steps=dict(lr=1e-4)"',
}


def _parser() -> StudyParser:
    parser = StudyParser("%%ablate", __doc__, output="ablation")
    add = parser.add_argument
    add("--name", help="the study's name (default: the function's, -ablation)")
    add("--features", help='columns to leave out one by one, or "all"')
    add("--group", action="append", default=[], help='"sar=VV* VH*", repeatable')
    add("--layers", help="layers to take out one by one")
    add("--module", action="append", default=[], help='"block=conv2_*", repeatable')
    add("--dataset", action="append", default=[], help='"name=variable" of other data, repeatable')
    add("--model", action="append", default=[], help='"name=function" of another model, repeatable')
    add("--change", action="append", default=[], help='"name=variable": parameters or a function')
    add("--build", metavar=VARIABLE, help="function that makes the model")
    add("--params", metavar=VARIABLE, help="holds fixed hyperparameters (or an expression)")
    add("--design", default="leave-one-out", choices=DESIGNS, help="what goes together")
    add("--folds", type=int, help="if the data is not in folds yet (default: 5)")
    add("--repeats", type=int, default=3, help="seeds for each fold (default: 3)")
    add("--project", action="store_true", help="the same as --shapes project")
    add("--shapes", default="rebuild", choices=("rebuild", "project", "keep"),
        help="of layers that cannot go without changing others (default: rebuild)")  # fmt: skip
    add("--stop-early", action="store_true", help="no more runs of a variant that is clear")
    add("--dry-run", action="store_true", help="list the variants, run nothing")
    return parser


def register(shell: InteractiveShell) -> None:
    """Make `%%ablate` known to the shell."""

    def ablate(line: str, cell: str) -> None:
        _ablate(shell, line, cell)

    register_cell(shell, "ablate", ablate, _parser)


def _ablate(shell: InteractiveShell, line: str, cell: str) -> None:
    options = _parser().read(line)
    if options is None:
        return
    train = run_cell(shell, cell, options)
    names = shell.user_ns
    workspace = workspace_of(names, options.workspace)
    name = options.name or f"{function_name(train)}-ablation"
    with in_a_cell(names, options, _parser().flags, lambda: workspace.ablation(name)):
        found = workspace.ablate(
            train,
            name=options.name,
            features=True if options.features == "all" else options.features or False,
            groups=_named(options.group, "--group"),
            layers=options.layers,
            modules=_named(options.module, "--module"),
            datasets=_valued(options.dataset, names, "--dataset"),
            models=_valued(options.model, names, "--model"),
            changes=_valued(options.change, names, "--change"),
            design=options.design,
            folds=options.folds,
            repeats=options.repeats,
            project=options.project,
            shapes=options.shapes,
            stop_early=options.stop_early,
            dry_run=options.dry_run,
            python_modules=options.python_modules.split(),
            **values_of(options, names, "build", "params"),
            **shared_options(options, names),
        )
        names[options.output] = found
        display(found)


def _valued(texts: Sequence[str], names: Mapping[str, Any], flag: str) -> dict[str, Any]:
    """Name -> value, from texts such as "small steps=dict(lr=1e-4)"."""
    return {
        name: value_of(text, names, f'{flag} "{name}"')
        for name, text in _named(texts, flag).items()
    }


def _named(texts: Sequence[str], flag: str) -> dict[str, str]:
    """Name -> what it means, from texts such as "sar=VV* VH*"."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, selection = text.partition("=")
        if not equals or not name.strip():
            raise InvalidInputError(
                f"{flag} {text!r} has no name", f"Write {flag} {EXAMPLES[flag]}."
            )
        if name.strip() in found:
            raise InvalidInputError(
                f"{flag} {name.strip()!r} is given twice", "Give each name once."
            )
        found[name.strip()] = selection
    return found
