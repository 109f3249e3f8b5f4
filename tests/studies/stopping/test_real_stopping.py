"""Median stopping on real data (made ones where those are not there): the same best value for
fewer epochs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest

import eolab as eo
from eolab.studies import Study
from eolab.training_data import Split, TrainingData
from tests.studies.conftest import Run

EPOCHS = 60
# A sixth of the epochs as warm-up: before that the order of the curves says little.
RULE = "median:warmup=10"


def load(real_or_made_data: Path) -> Split:
    """The labelled table, its classes of 20 samples or more, split by blocks of 0.05 degrees."""
    table = pd.read_parquet(
        real_or_made_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    )
    counts = table["sampling_label"].value_counts()
    classes = tuple(sorted(counts.index[counts >= 20]))
    table = table[table["sampling_label"].isin(classes)]
    columns = [c for c in table if c.startswith(("OPTICAL-", "SAR-", "METEO-", "DEM-"))]
    X = table[columns].to_numpy("float64")
    X[X == 65535] = np.nan  # nodata
    X = np.where([c.startswith("SAR-") for c in columns], np.log(np.maximum(X, 1)), X)
    mean, spread = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
    X = np.nan_to_num((X - mean) / np.where(spread > 0, spread, 1))
    y = table["sampling_label"].map({c: i for i, c in enumerate(classes)}).to_numpy("int64")
    places = zip(table["lon"], table["lat"], strict=True)
    blocks = [f"{int(a // 0.05)}/{int(b // 0.05)}" for a, b in places]
    held = np.array([hashlib.sha256(b.encode()).digest()[0] < 115 for b in blocks])

    def part(rows: np.ndarray) -> TrainingData:
        groups = np.array(blocks)[rows]
        return TrainingData(X[rows].astype("float32"), y[rows], groups, tuple(columns), classes)

    return Split(part(~held), part(held))


def train(
    data,
    reporter,
    *,
    seed,
    lr: Annotated[float, eo.loguniform(1e-4, 1e-1)] = 1e-2,
    hidden: Annotated[int, eo.integer(4, 48, log=True)] = 16,
    decay: Annotated[float, eo.loguniform(1e-6, 1e-1)] = 1e-3,
    epochs: int = EPOCHS,
):
    """A network with one hidden layer and Adam, in NumPy: nothing to import in each process."""
    import numpy as np

    draw = np.random.default_rng(seed)
    X, y = data.train.X, data.train.y
    k = len(data.train.classes)
    shapes = [(X.shape[1], hidden), (hidden,), (hidden, k), (k,)]
    W = [draw.normal(0, (2 / s[0]) ** 0.5, s) if len(s) == 2 else np.zeros(s) for s in shapes]
    m, v = [np.zeros(s) for s in shapes], [np.zeros(s) for s in shapes]
    weight = (1 / np.bincount(y, minlength=k))[y]
    weight *= len(y) / weight.sum()
    step = 0
    for epoch in range(epochs):
        rate = lr * 0.5 * (1 + np.cos(np.pi * epoch / epochs))  # settles, so that ends compare
        order = draw.permutation(len(y))
        for rows in np.array_split(order, max(1, len(y) // 32)):
            h = np.maximum(X[rows] @ W[0] + W[1], 0)
            p = h @ W[2] + W[3]
            p = np.exp(p - p.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(rows)), y[rows]] -= 1
            p *= weight[rows, None] / len(rows)
            back = (p @ W[2].T) * (h > 0)
            gradients = [X[rows].T @ back, back.sum(0), h.T @ p, p.sum(0)]
            step += 1
            for i, g in enumerate(gradients):
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g * g
                W[i] = W[i] * (1 - rate * decay) - rate * (m[i] / (1 - 0.9**step)) / (
                    np.sqrt(v[i] / (1 - 0.999**step)) + 1e-8
                )
        found = (np.maximum(data.validation.X @ W[0] + W[1], 0) @ W[2] + W[3]).argmax(axis=1)
        truth = data.validation.y
        hits = np.array([((found == c) & (truth == c)).sum() for c in range(k)])
        sizes = np.bincount(found, minlength=k) + np.bincount(truth, minlength=k)
        present = sizes > 0
        reporter.report(step=epoch, val_macro_f1=float(np.mean(2 * hits[present] / sizes[present])))


def epochs(study: Study) -> int:
    return sum(len(t.curve) for t in study.record.trials.values())


# One draw of trials says it every day, three say it before a release.
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_median_stopping_finds_the_same_best_with_fewer_epochs(
    run: Run, real_or_made_data: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    split = load(real_or_made_data)
    assert len(split.train.classes) == 4
    found = {}
    for stop in (None, RULE):
        study = run(
            train, data=split, name=f"{bool(stop)}-{seed}", metric="val_macro_f1", trials=40,
            workers=1, seed=seed, pruner=stop,
        )  # fmt: skip
        found[stop] = study
    whole, stopped = found[None], found[RULE]
    assert [t["params"] for t in whole.trials] == [t["params"] for t in stopped.trials]
    seconds = [s.summary()["ended"] - s.summary()["started"] for s in (whole, stopped)]
    with capsys.disabled():
        print(
            f"\nseed {seed}: best {whole.best_value:.3f} and {stopped.best_value:.3f}, "
            f"epochs {epochs(whole)} and {epochs(stopped)} "
            f"({epochs(stopped) / epochs(whole):.2f}), "
            f"{seconds[0]:.1f} s and {seconds[1]:.1f} s"
        )
    assert epochs(whole) == 40 * EPOCHS
    assert abs(whole.best_value - stopped.best_value) <= 0.01
    assert epochs(stopped) <= 0.7 * epochs(whole)
