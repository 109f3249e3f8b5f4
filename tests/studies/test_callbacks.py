"""Curves reported without a line of user code: Keras, scikit-learn, Lightning."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import numpy as np
import pytest

import eolab as eo
from eolab.data import Split, TrainingData
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
    assert reporter._step == 4
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
    assert reporter._step == 2


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


@pytest.mark.timeout(600)
def test_lightning_by_its_callback(run: Run) -> None:
    # Looked for, not imported: torch and TensorFlow do not get on in one process.
    if importlib.util.find_spec("lightning") is None or importlib.util.find_spec("torch") is None:
        pytest.skip("Lightning is not installed")
    study = run(
        by_lightning, data=make_split(), metric="train_loss", direction="minimize", trials=1,
        workers=1,
    )  # fmt: skip
    (trial,) = study.trials
    assert [step for step, _ in trial["curve"]] == [0, 1, 2]
    assert trial["value"] == trial["curve"][-1][1]
    fitted = study.refit(on="train")
    assert fitted.flavour == "torch"
    assert (fitted.folder / "state.pt").exists()
