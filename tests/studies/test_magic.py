"""`%%tune`: the cell's function becomes a study, the flags its options."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from eolab.config import Config
from eolab.errors import BadInput
from eolab.facade import Workspace
from eolab.magics import tune

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
    assert "def train" in study._follower.study["source"]
    assert study._follower.study["cluster"]["cpus"] == 1
    assert study._follower.study["environment"]["OMP_NUM_THREADS"] == "1"
    # Another cell that holds the same text attaches to the same study.
    shell.run_cell_magic("tune", line, "\n\n" + CELL)
    assert shell.user_ns["study"].trials == study.trials


def test_what_is_wrong_is_said_in_a_line(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="--trails"):
        shell.run_cell_magic("tune", "--metric score --trails 3", CELL)
    with pytest.raises(UsageError, match="--metric"):
        shell.run_cell_magic("tune", "--name s", CELL)
    with pytest.raises(BadInput, match="no such variable"):
        shell.run_cell_magic("tune", "--metric score --data offsett", CELL)
    with pytest.raises(BadInput, match="defines no function"):
        shell.run_cell_magic("tune", "--metric score", "x = 1")
