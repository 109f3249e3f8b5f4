"""`%%tune`: the cell's function becomes a study, the flags its options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from eolab.errors import InvalidInputError
from eolab.facade import Workspace
from eolab.magics import tune
from eolab.magics.signatures import show_options
from eolab.settings.config import Config
from eolab.studies import tune as tune_study
from eolab.studies.ablation import ablate

CELL = """
from typing import Annotated
import eolab as eo

def train(data, *, seed, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    return {"score": x + data}
"""


@pytest.fixture
def shell(config: Config) -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    tune.register(made)
    made.user_ns["ws"] = Workspace(config)
    yield made
    InteractiveShell.clear_instance()


def test_the_cell_becomes_a_study(shell: InteractiveShell) -> None:
    shell.user_ns["offset"] = 10
    line = (
        "--name s --metric score --trials 3 --workers 1 --sampler random --data offset --cpus 1 "
        "--no-tracking"
    )
    shell.run_cell_magic("tune", line, CELL)
    study = shell.user_ns["study"]
    assert study.state == "completed"
    assert len(study.trials) == 3
    assert study.best_value == 10 + study.best_params["x"]
    assert "def train" in study.spec["source"]
    assert study.spec["cluster"]["cpus"] == 1
    assert study.spec["environment"]["OMP_NUM_THREADS"] == "1"
    # Another cell that holds the same text attaches to the same study.
    shell.run_cell_magic("tune", line, "\n\n" + CELL)
    assert shell.user_ns["study"].trials == study.trials


def test_what_is_wrong_is_said_in_a_line(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="--trails"):
        shell.run_cell_magic("tune", "--metric score --trails 3", CELL)
    with pytest.raises(UsageError, match="--metric"):
        shell.run_cell_magic("tune", "--name s", CELL)
    with pytest.raises(InvalidInputError, match="no such variable"):
        shell.run_cell_magic("tune", "--metric score --data offsett", CELL)
    with pytest.raises(InvalidInputError, match="defines no function"):
        shell.run_cell_magic("tune", "--metric score", "x = 1")


def test_the_magic_alone_lists_its_flags_with_an_example(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("tune", "")
    said = capsys.readouterr().out
    assert said.startswith("usage: %%tune --metric METRIC")
    assert "    def train(data, reporter" in said  # as it is typed, not run together
    assert "--trials TRIALS" in said


@pytest.mark.filterwarnings("ignore:`Completer.complete`:PendingDeprecationWarning")
def test_tab_offers_flags_and_what_they_take(shell: InteractiveShell) -> None:
    def offered(line: str) -> list[str]:
        return list(shell.complete(None, line, len(line))[1])

    shell.user_ns["split_of_may"] = object()
    assert set(offered("%%tune --tri")) == {"--trials", "--trial-timeout"}
    assert "--data" not in offered("%%tune --data split_of_may --")
    assert offered("%%tune --data spl") == ["split_of_may"]
    assert offered("%%tune --direction m") == ["maximize", "minimize"]
    assert "local" in offered("%%tune --on ")


def test_only_the_notebooks_own_variables_are_named(shell: InteractiveShell) -> None:
    shell.run_cell("import math\nfields = 3")
    with pytest.raises(InvalidInputError, match="no such variable") as caught:
        shell.run_cell_magic("tune", "--metric score --data qqq", CELL)
    assert "fields" in caught.value.hint
    for other in ("get_ipython", "math", "In,"):
        assert other not in caught.value.hint


def test_shift_tab_shows_the_options(shell: InteractiveShell) -> None:
    show_options()
    for method, function in ((Workspace.tune, tune_study), (Workspace.ablate, ablate)):
        shown = inspect.signature(method).parameters
        meant = inspect.signature(function).parameters
        assert list(shown)[1:] == list(meant)[1:]
        assert "The workspace.\n" not in (method.__doc__ or "")
        assert "metric: " in (method.__doc__ or "")
