"""Curves reported without a line of user code: Keras, scikit-learn, Lightning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

import eolab as eo
from eolab.training_data import Split, TrainingData
from tests.studies.conftest import Run


def make_split() -> Split:
    def part(n: int, seed: int) -> TrainingData:
        X = np.random.default_rng(seed).normal(size=(n, 3)).astype("float32")
        return TrainingData(
            X, (X[:, 0] > 0).astype("int64"), np.arange(n), ("a", "b", "c"), ("n", "y")
        )

    return Split(part(200, 0), part(80, 1))


def by_sklearn(data, reporter, *, seed, alpha: Annotated[float, eo.loguniform(1e-5, 1e-2)] = 1e-4):
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(alpha=alpha, random_state=seed)
    parts = (data.validation.X, data.validation.y)
    reporter.fit(
        model, data.train.X, data.train.y, validation=parts, steps=5, metric="val_accuracy"
    )


def test_scikit_learn_by_partial_fit(run: Run) -> None:
    study = run(by_sklearn, data=make_split(), metric="val_accuracy", trials=2, workers=1)
    for trial in study.trials:
        assert [step for step, _ in trial["curve"]] == [1, 2, 3, 4, 5]
        assert trial["value"] == trial["curve"][-1][1] > 0.8
    assert study.refit().flavour == "sklearn"


def test_a_growing_forest_equals_one_grown_at_once() -> None:
    from sklearn.ensemble import RandomForestClassifier

    split = make_split()
    assert split.validation is not None
    parts = (split.validation.X, split.validation.y)
    reporter = eo.Reporter()
    grown = reporter.fit(
        RandomForestClassifier(n_estimators=20, random_state=0), split.train.X, split.train.y,
        validation=parts, steps=4,
    )  # fmt: skip
    whole = RandomForestClassifier(n_estimators=20, random_state=0).fit(
        split.train.X, split.train.y
    )
    assert len(grown.estimators_) == 20
    assert reporter.step == 4
    np.testing.assert_array_equal(grown.predict(parts[0]), whole.predict(parts[0]))
    # Under ASHA the budget takes the place of the number of steps.
    reporter = eo.Reporter()
    reporter.budget = 2
    reporter.fit(
        RandomForestClassifier(n_estimators=20),
        split.train.X,
        split.train.y,
        validation=parts,
        steps=4,
    )
    assert reporter.step == 2


def by_keras(data, reporter, *, seed, lr: Annotated[float, eo.loguniform(1e-3, 1e-1)] = 1e-2):
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    for _ in range(2):  # epochs count on over calls of fit
        model.fit(
            data.train.X, data.train.y, epochs=2, verbose=0,
            callbacks=[reporter_callback(reporter)],
            validation_data=(data.validation.X, data.validation.y),
        )  # fmt: skip


def reporter_callback(reporter):
    if not hasattr(reporter, "callback"):
        reporter.callback = reporter.keras()
    return reporter.callback


@pytest.mark.keras
@pytest.mark.timeout(900)  # imports TensorFlow in five processes
def test_keras_by_its_callback(run: Run) -> None:
    pytest.importorskip("keras")
    study = run(by_keras, data=make_split(), metric="val_accuracy", trials=2, workers=1)
    for trial in study.trials:
        assert [step for step, _ in trial["curve"]] == [0, 1, 2, 3]
        assert 0 <= trial["value"] <= 1
    first = study.trials[0]
    again = run(
        by_keras, data=make_split(), metric="val_accuracy", name="t", trials=2, workers=2
    ).trials[0]
    assert again["curve"] == first["curve"]  # seeded before each trial, TensorFlow's draws too
    fitted = study.refit(on="train")
    assert fitted.flavour == "keras"
    assert fitted.load().predict(make_split().train.X, verbose=0).shape == (200, 2)  # type: ignore[attr-defined]


def by_lightning(data, reporter, *, seed, lr: Annotated[float, eo.loguniform(1e-3, 1e-1)] = 0.01):
    import lightning
    import torch

    class Tiny(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)

        def training_step(self, batch, index):
            loss = torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])
            self.log("train/loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr)

    parts = (torch.tensor(data.train.X.copy()), torch.tensor(data.train.y.copy()))
    rows = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*parts), batch_size=50)
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, callbacks=[reporter.lightning()],
    )  # fmt: skip
    trainer.fit(Tiny(), rows)


def by_torch(data, reporter, *, seed, lr: Annotated[float, eo.loguniform(1e-3, 1e-1)] = 0.01):
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr)
    X, y = torch.tensor(data.train.X.copy()), torch.tensor(data.train.y.copy())
    for epoch in range(3):
        loss = torch.nn.functional.cross_entropy(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        reporter.report(step=epoch, train_loss=loss.item())
    reporter.save_model(model)


# Looked for, not imported: torch and TensorFlow do not get on in one process.
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
needs_lightning = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("lightning") is None,
    reason="Lightning is not installed",
)


def predictions(folder: Path) -> list[list[float]]:
    """What a refitted model says of the first five training rows, in a process of its own."""
    program = (
        "import json, pathlib, sys, torch\n"
        "from eolab.studies.client.fitted_model import FittedModel\n"
        "model = FittedModel.read(pathlib.Path(sys.argv[1])).load().eval()\n"
        "weights = torch.load(pathlib.Path(sys.argv[1]) / 'state.pt', weights_only=True)\n"
        "model.load_state_dict(weights)\n"
        "net = getattr(model, 'layer', model)\n"
        "print(json.dumps(net(torch.tensor(json.loads(sys.argv[2]))).tolist()))\n"
    )
    rows = json.dumps(make_split().train.X[:5].tolist())
    root = Path(eo.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), rows],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    return json.loads(done.stdout)


@needs_torch
@pytest.mark.timeout(600)
def test_a_pytorch_loop_is_tuned_seeded_and_refitted(run: Run) -> None:
    options = {"data": make_split(), "metric": "train_loss", "direction": "minimize", "trials": 3}
    study = run(by_torch, workers=1, **options)
    again = run(by_torch, name="t", workers=2, **options)
    for trial, same in zip(study.trials, again.trials, strict=True):
        assert [step for step, _ in trial["curve"]] == [0, 1, 2]
        assert trial["value"] == trial["curve"][-1][1]
        assert trial["curve"] == same["curve"]  # torch's own generator is seeded too
    fitted = study.refit(on="train")
    assert fitted.flavour == "torch"
    assert np.shape(predictions(fitted.folder)) == (5, 2)


@needs_lightning
@pytest.mark.timeout(600)
def test_lightning_by_its_callback(run: Run) -> None:
    study = run(
        by_lightning, data=make_split(), metric="train_loss", direction="minimize", trials=1,
        workers=1,
    )  # fmt: skip
    (trial,) = study.trials
    assert [step for step, _ in trial["curve"]] == [0, 1, 2]
    assert trial["value"] == trial["curve"][-1][1]
    fitted = study.refit(on="train")
    assert fitted.flavour == "torch"
    assert np.shape(predictions(fitted.folder)) == (5, 2)
