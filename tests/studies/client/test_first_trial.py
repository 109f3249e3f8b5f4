"""After the first trial it is told whether what a train function keeps can be registered."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
import pytest

import eolab as eo
from eolab.settings.config import Config
from eolab.studies.ablation.study import ablate
from eolab.studies.client.study import ModelNote
from eolab.studies.worker.trial_process import look_at_model
from eolab.training_data import Split
from tests.studies.client.learning import logistic, make_split
from tests.studies.conftest import Run


def test_a_function_that_keeps_no_model_is_told_once_and_stays_told(run: Run, recwarn) -> None:
    def scores(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return x

    study = run(scores, trials=3)
    told = [w for w in recwarn if issubclass(w.category, ModelNote)]
    assert len(told) == 1
    assert "keeps no model: its trials can be compared, none can be registered" in str(
        told[0].message
    )
    assert told[0].filename == __file__ or told[0].filename.endswith("conftest.py")
    # What the panel and the magic show:
    assert study.message.startswith("this function keeps no model")
    assert study.snapshot()["message"] == study.message
    assert study.state == "completed"


def test_a_model_that_takes_the_data_is_not_talked_of(run: Run, recwarn) -> None:
    study = run(logistic, data=make_split(), metric="val_accuracy", trials=1, workers=1)
    assert study.message == ""
    assert not [w for w in recwarn if issubclass(w.category, ModelNote)]


def test_a_scaler_that_stands_outside_the_model_is_found_at_the_first_trial(run: Run) -> None:
    def train(data, reporter, *, k: Annotated[int, eo.integer(1, 3)] = 1):
        from sklearn.neighbors import KNeighborsClassifier

        def reshaped(X):
            return X[:, :2]

        model = KNeighborsClassifier(k).fit(reshaped(data.train.X), data.train.y)
        reporter.save_model(model)
        return model.score(reshaped(data.validation.X), data.validation.y)

    with pytest.warns(ModelNote, match=r"cannot be asked for a sample of shape \(1, 3\).*Pipeline"):
        study = run(train, data=make_split(), trials=2, workers=1)
    assert study.summary()["counts"]["completed"] == 2


def test_an_ablation_is_not_asked_for_a_model(config: Config, recwarn) -> None:
    def scores(data, *, x: float = 0.5):
        return float(data.train.X.shape[1])

    found = ablate(
        config, scores, data=make_split(), metric="score", name="a", features=True, repeats=1,
        workers=1, tracking=False,
    )  # fmt: skip
    assert found.study.summary()["counts"]["completed"] > 1
    assert found.study.message == ""
    assert not [w for w in recwarn if issubclass(w.category, ModelNote)]


def test_what_was_told_goes_when_the_study_goes_on_with_code_that_keeps_a_model(run: Run) -> None:
    def bare(data, *, c: Annotated[float, eo.loguniform(1e-2, 10)] = 1.0):
        return 0.5

    def keeps(data, reporter, *, c: Annotated[float, eo.loguniform(1e-2, 10)] = 1.0):
        from sklearn.linear_model import LogisticRegression

        reporter.save_model(LogisticRegression(C=c).fit(data.train.X, data.train.y))
        return 0.6

    options = {"data": make_split(), "name": "kept", "workers": 1}
    with pytest.warns(ModelNote, match="keeps no model"):
        run(bare, trials=1, **options)
    study = run(keeps, trials=2, resume="force", **options)
    assert (study.summary()["counts"]["completed"], study.message) == (2, "")


def test_a_model_that_works_in_place_changes_no_data_and_is_not_talked_of() -> None:
    class InPlace:
        def predict(self, X: np.ndarray) -> np.ndarray:
            X -= 0.5
            return X.sum(axis=(1, 2))

    part = make_split().train
    part = replace(part, X=part.X[:, None, :].copy(), steps=("05-01",))
    known = part.X.copy()
    part.X.setflags(write=False)  # as data that the trials of a worker share
    assert look_at_model([InPlace()], Split(part, part, None)) == ""
    assert np.array_equal(part.X, known)


class Flat:
    """A model that forgets the axis of the samples."""

    def predict(self, X: object) -> list[float]:
        return [0.1, 0.9]


def test_an_answer_that_is_not_one_a_sample_is_told() -> None:
    assert "answers one sample with shape (2,)" in look_at_model([Flat()], make_split())


@pytest.mark.parametrize("data", [None, {"x": [1, 2]}, 3])
def test_data_that_eolab_did_not_make_are_not_guessed_at(data) -> None:
    assert look_at_model([Flat()], data) == ""
