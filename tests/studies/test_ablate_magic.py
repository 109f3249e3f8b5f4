"""`%%ablate`: the cell's function is run without what the flags name."""

from __future__ import annotations

import typing
from collections.abc import Iterator

import numpy as np
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from eolab.errors import InvalidInputError
from eolab.facade import Workspace
from eolab.magics import ablate
from eolab.settings.config import Config
from eolab.training_data import TrainingData

CELL = """
def train(data, *, seed, weight=1.0):
    return {"score": weight * data.train.X.shape[1]}
"""


@pytest.fixture
def shell(config: Config) -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    ablate.register(made)
    made.user_ns["ws"] = Workspace(config)
    made.user_ns["table"] = TrainingData(
        np.zeros((12, 4), dtype=np.float32), np.zeros(12), np.arange(12), ("VV", "VH", "B2", "B8")
    )
    yield made
    InteractiveShell.clear_instance()


def test_the_cell_is_ablated_by_groups(shell: InteractiveShell) -> None:
    line = (
        '--name a --metric score --data table --group "sar=VV VH" --group "red=B2" --folds 2 '
        "--repeats 1 --workers 1 --no-tracking --params 'dict(weight=2.0)'"
    )
    shell.run_cell_magic("ablate", line, CELL)
    result = shell.user_ns["ablation"].result()
    means = {row.variant.name: row.mean for row in result.rows}
    assert means == {"baseline": 8.0, "without sar": 4.0, "without red": 6.0}
    again = shell.user_ns["ws"].ablation("a").result()
    assert again.to_markdown() == result.to_markdown()


def test_a_dry_run_starts_nothing(shell: InteractiveShell, config: Config) -> None:
    line = "--name a --metric score --data table --features all --dry-run"
    shell.run_cell_magic("ablate", line, CELL)
    assert len(shell.user_ns["ablation"].variants) == 5
    assert not (config.runs / "a").exists()


def test_what_is_wrong_is_said_in_a_line(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="--metric"):
        shell.run_cell_magic("ablate", "--name a", CELL)
    with pytest.raises(UsageError, match=r"no flag --repeat. Did you mean '--repeats'"):
        shell.run_cell_magic("ablate", "--metric score --repeat 3", CELL)
    with pytest.raises(UsageError, match=r"no flag VH. Put values of several words in quotes"):
        shell.run_cell_magic("ablate", "--metric score --group sar=VV VH", CELL)
    with pytest.raises(InvalidInputError, match="has no name"):
        shell.run_cell_magic("ablate", "--metric score --data table --group VV", CELL)
    with pytest.raises(InvalidInputError, match="group 'sar': no feature 'VX'"):
        shell.run_cell_magic("ablate", "--metric score --data table --group sar=VX", CELL)


def test_other_data_and_changes_are_flags_too(shell: InteractiveShell) -> None:
    shell.user_ns["less"] = shell.user_ns["table"].without(["VV"])
    line = (
        '--name a --metric score --data table --dataset "no VV=less" --folds 2 --repeats 1 '
        "--change 'twice=dict(weight=2.0)' --workers 1 --no-tracking"
    )
    shell.run_cell_magic("ablate", line, CELL)
    rows = shell.user_ns["ablation"].result().rows
    assert {row.variant.name: row.mean for row in rows} == {"baseline": 4, "no VV": 3, "twice": 8}
    assert {row.variant.name: row.cost for row in rows}["no VV"] == {"columns": 3}
    with pytest.raises(InvalidInputError, match="there is no such variable"):
        shell.run_cell_magic("ablate", f"{line} --change other=dct()", CELL)


def test_the_designs_of_the_flag_are_those_of_the_library() -> None:
    from eolab.studies.ablation.design import Design

    assert typing.get_args(Design) == ablate.DESIGNS
