"""What trials learn in these tests: a class by one of three columns, by logistic regression."""

from __future__ import annotations

from typing import Annotated

import numpy as np

import eolab as eo
from eolab.training_data import Split, TrainingData


def make_split() -> Split:
    def part(n: int, seed: int) -> TrainingData:
        r = np.random.default_rng(seed)
        X = r.normal(size=(n, 3)).astype("float32")
        return TrainingData(
            X, (X[:, 0] > 0).astype("int64"), np.arange(n) // 10, ("a", "b", "c"), ("no", "yes")
        )

    return Split(part(80, 0), part(40, 1), part(40, 2), {"view": "crops/1"})


def logistic(data, reporter, *, seed, C: Annotated[float, eo.loguniform(1e-3, 1e3)] = 1.0):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, random_state=seed).fit(data.train.X, data.train.y)
    reporter.report(
        step=len(data.train), val_accuracy=model.score(data.validation.X, data.validation.y)
    )
    reporter.save_model(model)
