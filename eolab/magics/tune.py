"""`%%tune`: the cell's train function becomes a study.

    %%tune --name crops --data split --metric val_macro_f1 --trials 16 --workers 2
    def train(data, reporter, *, seed, lr: Annotated[float, eo.loguniform(1e-4, 1e-1)] = 1e-2):
        ...

The flags are the options of `ws.tune`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eolab.magics.cells import (
    StudyParser,
    function_name,
    in_a_cell,
    run_cell,
    shared_options,
    values_of,
    workspace_of,
)
from eolab.magics.flags import VARIABLE, register_cell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def _parser() -> StudyParser:
    parser = StudyParser("%%tune", __doc__, output="study")
    add = parser.add_argument
    add("--name", help="the study's name (default: the function's)")
    add("--trials", type=int, default=16, help="how many (default: 16)")
    add("--space", metavar=VARIABLE, help="holds the space (default: the annotations)")
    add("--sampler", default="tpe", help="random, grid, qmc, tpe, gp, cmaes")
    add("--pruner", "--stop", help="rule for stopping early: median, percentile:25, ...")
    add("--timeout", type=float, help="seconds after which no trial is started")
    add("--target", type=float, help="value at which the study has found enough")
    add("--retries", type=int, default=2, help="after a killed process")
    add("--cpus", type=int, help="cores that each worker takes")
    add("--threads", type=int, help="threads that one trial may use")
    add("--memory", type=float, help="gigabytes that one trial may take")
    add("--lease", type=float, default=15.0, help="seconds until a worker is lost")
    add("--mailbox", help="folder or URL, where workers cannot dial the study")
    return parser


def register(shell: InteractiveShell) -> None:
    """Make `%%tune` known to the shell."""

    def tune(line: str, cell: str) -> None:
        _tune(shell, line, cell)

    register_cell(shell, "tune", tune, _parser)


def _tune(shell: InteractiveShell, line: str, cell: str) -> None:
    options = _parser().read(line)
    if options is None:
        return
    train = run_cell(shell, cell, options)
    names = shell.user_ns
    workspace = workspace_of(names, options.workspace)
    name = options.name or function_name(train)
    with in_a_cell(names, options, _parser().flags, lambda: workspace.study(name)):
        names[options.output] = workspace.tune(
            train,
            name=options.name,
            trials=options.trials,
            sampler=options.sampler,
            pruner=options.pruner,
            timeout=options.timeout,
            target=options.target,
            retries=options.retries,
            cpus=options.cpus,
            threads=options.threads,
            memory=options.memory,
            lease=options.lease,
            mailbox=options.mailbox or False,
            modules=options.python_modules.split(),
            **values_of(options, names, "space"),
            **shared_options(options, names),
        )
