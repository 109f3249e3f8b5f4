"""What an ablation takes along is enough where eolab is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from eolab.studies.ablation import components
from eolab.studies.ablation.carried import CARRIED
from eolab.studies.ablation.design import variants
from eolab.studies.ablation.folds import make_folds
from eolab.studies.ablation.trial import Recipe, make_trial
from eolab.studies.client import packing
from eolab.training_data import TrainingData

ELSEWHERE = """
import sys
sys.modules["eolab"] = None  # importing it fails, as where it is not installed
import cloudpickle
with open("train.pkl", "rb") as file:
    train = cloudpickle.load(file)
with open("data.pkl", "rb") as file:
    data = cloudpickle.load(file)
assert data.digest()
print([train(data, None, variant=name, fold=0, repeat=0) for name in ("baseline", "without a")])
"""


def count(data, *, seed):
    return data.train.X.shape[1] + 0 * seed


def test_a_run_of_an_ablation_needs_no_eolab(tmp_path: Path) -> None:
    data = TrainingData(np.ones((6, 2), "float32"), np.zeros(6), np.arange(6), ("a", "b"))
    folds = make_folds(data, folds=3, seed=0)
    known = components.features(True, folds.columns)
    planned = variants(known, "leave-one-out")
    recipe = Recipe(
        count,
        components={component.name: component for component in known},
        variants={variant.name: variant for variant in planned},
    )
    along = (*packing.CARRIED, *CARRIED)
    (tmp_path / "train.pkl").write_bytes(packing.pack_function(make_trial(recipe), carried=along))
    (tmp_path / "data.pkl").write_bytes(packing.pack_data(folds, carried=along))
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[2, 1]\n", "")
