"""Made samples of radar, optical and terrain columns, of which two decide the class."""

from __future__ import annotations

import numpy as np

from eolab.training_data import TrainingData

COLUMNS = ("VV_03", "VV_04", "VH_03", "B02_03", "B08_03", "slope", "height")


def table(n=120, columns=COLUMNS, seed=0):
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(n, len(columns))).astype(np.float32)
    y = (X[:, 0] + 0.5 * X[:, 3] + chance.normal(scale=0.5, size=n) > 0).astype(np.int64)
    groups = np.array([f"g{i % 12}" for i in range(n)])
    return TrainingData(X, y, groups, tuple(columns), ("no", "yes"))
