"""A fitted model as a refit leaves it, and data with known structure."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from eolab import tracking
from eolab.training_data import TrainingData

COLUMNS, CLASSES = ("ndvi", "red", "nir"), ("grass", "maize", "wheat")


@dataclass(frozen=True)
class Fitted:
    """The attributes that a refit gives; the real one is used where the way through is tested."""

    folder: Path
    flavour: str
    study: str | None = "crops"
    params: dict = field(default_factory=lambda: {"C": 0.5, "penalty": "l2"})
    metrics: dict = field(default_factory=lambda: {"val_macro_f1": 0.8})
    columns: tuple[str, ...] = COLUMNS
    classes: tuple[str, ...] = CLASSES
    steps: tuple[str, ...] = ()
    data_digest: str = "d1"
    source: dict = field(default_factory=lambda: {"view": "crops", "version": 2, "seed": 0})


def make_data(seed: int, units: int = 20) -> TrainingData:
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(units), 10)
    y = random.integers(0, 3, len(groups))
    X = np.eye(3)[y] + random.normal(scale=0.4, size=(len(y), 3))
    return TrainingData(X.astype(np.float32), y, groups, COLUMNS, CLASSES)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """MLflow's database as it is made at first use; making it takes seconds, copying none."""
    root = tmp_path_factory.mktemp("mlflow")
    tracking.open_client(f"sqlite:///{root / 'mlflow.db'}", root)
    return root / "mlflow.db"


@pytest.fixture
def workspace(config, empty_database):
    """A fresh workspace in which MLflow's database is there already."""
    config.root.mkdir(parents=True)
    shutil.copy(empty_database, config.root / "mlflow.db")
    return config


@pytest.fixture
def train():
    return make_data(0)


@pytest.fixture
def test_part():
    return make_data(1)


@pytest.fixture
def make_fitted(tmp_path):
    """Save a model in a folder of its own, as a refit does."""

    def make(model, name: str = "r1", flavour: str = "sklearn", **changes) -> Fitted:
        folder = tmp_path / "refit" / name
        folder.mkdir(parents=True)
        if flavour == "keras":
            model.save(folder / "model.keras")
        else:
            (folder / "model.pkl").write_bytes(cloudpickle.dumps(model))
        (folder / "fitted.json").write_text(json.dumps({"format": 1, "flavour": flavour}))
        return Fitted(folder, flavour, **changes)

    return make


@pytest.fixture
def model(train):
    return LogisticRegression(C=0.5).fit(train.X, train.y)
