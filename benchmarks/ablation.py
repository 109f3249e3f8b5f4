"""How fast ablations run in parallel, whether their intervals are true, and their surgery right.

    python -m benchmarks.ablation [--json] [--quick] [--only MEASURE ...]

- speedup: 12 variants and a baseline, three times, sleeping, on 8 workers: the sum of the runs'
  durations over the wall clock from the first start to the last end.
- planted: data in which features matter by known amounts. Coverage is the share of 95 % intervals
  that hold the truth, the least over the features; false alarms is how often pure noise is
  claimed to matter after correction.
- surgery: each layer of architectures from keras.applications is taken out, and compared with an
  independent check that edits the model's configuration. Counts whatever is wrong.

`--quick` takes two architectures and every tenth layer.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eolab.errors import InvalidInputError
from eolab.settings import config
from eolab.studies.ablation import ablate
from eolab.studies.ablation.components import Component
from eolab.studies.ablation.design import Run, variants
from eolab.studies.ablation.folds import group_folds, without
from eolab.studies.ablation.result import summarise
from eolab.training_data import TrainingData

REACH = {
    "speedup": (">=", 7.2),
    "coverage": (">=", 0.91),
    "false_alarms": ("<=", 0.09),
    "surgery_wrong": ("<=", 0),
}
FEATURES = ("a", "b", "c", "d")
ARCHITECTURES = {
    "MobileNet": 64, "MobileNetV2": 64, "ResNet50": 64, "VGG16": 64, "MobileNetV3Small": 64,
    "ResNet50V2": 64, "DenseNet121": 64, "EfficientNetB0": 64, "EfficientNetV2B0": 64,
    "Xception": 96, "InceptionV3": 96, "NASNetMobile": 64,
}  # fmt: skip


# -- speedup ---------------------------------------------------------------------------------


def sleeping(data: object, *, pause: float) -> dict[str, float]:
    time.sleep(pause)
    return {"score": float(data is not None)}


def speedup(*, quick: bool) -> dict[str, object]:
    pause = 1.5 if quick else 4.0
    columns = tuple(f"f{i:02}" for i in range(12))
    X = np.zeros((30, 12), dtype=np.float32)
    data = TrainingData(X, np.zeros(30), np.arange(30) % 3, columns)
    with tempfile.TemporaryDirectory() as folder:
        done = ablate(
            config.open_path(folder), sleeping, data=data, name="speed", metric="score",
            features=True, folds=3, repeats=1, params={"pause": pause}, workers=8, tracking=False,
        )  # fmt: skip
        trials = done.study.trials
    assert len(trials) == 39
    wall = max(t["ended"] for t in trials) - min(t["started"] for t in trials)
    total = sum(t["ended"] - t["started"] for t in trials)
    # What one worker would need: the sleeping itself, without any overhead.
    return {"speedup": 39 * pause / wall, "speedup_wall_s": wall, "speedup_runs_s": total}


# -- planted truth ---------------------------------------------------------------------------


def planted(n: int, seed: int) -> TrainingData:
    """a and b matter, c duplicates a up to a little noise, d is noise; blocks of 4 samples."""
    chance = np.random.default_rng(seed)
    a, b, d = chance.normal(size=(3, n))
    c = a + 0.2 * chance.normal(size=n)
    y = a + 0.5 * b + chance.normal(size=n)
    X = np.stack([a, b, c, d], axis=1).astype(np.float32)
    return TrainingData(X, y, np.arange(n) // 4, FEATURES)


def r2(train: TrainingData, test: TrainingData) -> float:
    """Variance of ``test`` explained by least squares on ``train``."""
    design = np.c_[np.ones(len(train)), train.X]
    weights = np.linalg.lstsq(design, train.y, rcond=None)[0]
    left = test.y - np.c_[np.ones(len(test)), test.X] @ weights
    return 1 - float(np.mean(left**2) / np.var(test.y))


def truth(size: int) -> dict[str, float]:
    """Drop without each feature for training parts of this size, from one very large sample."""
    large = planted(400_000, seed=10**6)
    test = Moments.of(large.subset(np.arange(300_000, 400_000)))
    drops: dict[str, list[float]] = {name: [] for name in FEATURES}
    for start in range(0, 300_000, size):
        train = Moments.of(large.subset(np.arange(start, start + size)))
        base = train.r2(test, FEATURES)
        for name in FEATURES:
            drops[name].append(base - train.r2(test, [f for f in FEATURES if f != name]))
    return {name: float(np.mean(values)) for name, values in drops.items()}


@dataclass(frozen=True)
class Moments:
    """What least squares needs of a sample: sums of products instead of its rows."""

    n: int
    products: np.ndarray
    with_y: np.ndarray
    y: float
    yy: float

    @staticmethod
    def of(data: TrainingData) -> Moments:
        design = np.c_[np.ones(len(data)), data.X.astype(np.float64)]
        y = data.y
        return Moments(len(y), design.T @ design, design.T @ y, float(y.sum()), float(y @ y))

    def r2(self, test: Moments, features: Sequence[str]) -> float:
        """As `r2` of these features, fitted on this sample."""
        at = [0, *(1 + FEATURES.index(name) for name in features)]
        square = np.ix_(at, at)
        weights = np.linalg.solve(self.products[square], self.with_y[at])
        left = test.yy - 2 * weights @ test.with_y[at] + weights @ test.products[square] @ weights
        return 1 - float(left / (test.yy - test.y**2 / test.n))


def coverage(*, quick: bool) -> dict[str, object]:
    n, folds, repetitions = 400, 10, 60 if quick else 200
    known = truth(n - n // folds)
    components = [Component(name, "feature", (name,)) for name in FEATURES]
    plan = variants(components, "leave-one-out")
    inside = dict.fromkeys(FEATURES, 0)
    alarms = found = 0
    for repetition in range(repetitions):
        parts = group_folds(planned := planted(n, repetition), folds, repetition)
        values = {}
        for fold, part in enumerate(parts):
            for variant in plan:
                less: Any = without(part, variant.removed)
                values[Run(variant.name, fold, 0)] = r2(less.train, less.validation)
        overlap = float(np.mean([len(p.validation or ()) / len(p.train) for p in parts]))
        result = summarise(plan, values, metric="r2", direction="maximize", overlap=overlap)
        assert len(planned) == n
        for name in FEATURES:
            drop = result.row(f"without {name}").drop
            assert drop is not None
            assert drop.low is not None
            assert drop.high is not None
            inside[name] += drop.low <= known[name] <= drop.high
        alarms += (result.row("without d").corrected or 0) <= 0.05
        found += (result.row("without b").corrected or 0) <= 0.05
    return {
        "coverage": min(inside.values()) / repetitions,
        "coverage_each": {name: count / repetitions for name, count in inside.items()},
        "false_alarms": alarms / repetitions,
        "power_b": found / repetitions,
        "truth": known,
    }


# -- surgery ---------------------------------------------------------------------------------


def surgery(*, quick: bool, every: int = 0, models: Sequence[str] = ()) -> dict[str, object]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    from eolab.studies.surgery.keras import Surgeon

    chosen = list(models) or list(ARCHITECTURES)[: 2 if quick else None]
    step = every or (10 if quick else 1)
    tried = removed = 0
    wrong: list[str] = []
    for name in chosen:
        size = ARCHITECTURES[name]
        keras.utils.clear_session()
        model = getattr(keras.applications, name)(
            weights=None, input_shape=(size, size, 3), classes=10
        )
        surgeon = Surgeon(model)
        batch = np.random.default_rng(0).uniform(size=(1, size, size, 3)).astype(np.float32)
        for layer in surgeon.names[::step]:
            tried += 1
            allowed = independent(model, layer)
            try:
                new = surgeon.remove([layer]).model
            except InvalidInputError as error:
                if allowed:
                    wrong.append(f"{name}: {layer} refused: {error.message}")
                continue
            removed += 1
            fault = faults(model, new, layer, batch)
            if fault or not allowed:
                wrong.append(f"{name}: {layer}: {fault or 'removed against the shapes'}")
        said = f"{name}: {tried} tried, {removed} removed, {len(wrong)} wrong so far"
        print(f"    {said}", file=sys.stderr, flush=True)
    return {
        "surgery_wrong": len(wrong),
        "surgery_tried": tried,
        "surgery_removed": removed,
        "surgery_models": len(chosen),
        "surgery_every": step,
        "surgery_faults": wrong[:10],
    }


def faults(model: Any, new: Any, layer: str, batch: np.ndarray) -> str:
    """What is wrong with a model that a layer was taken out of."""
    before = {x.name: [tuple(w.shape) for w in x.weights] for x in model.layers}
    after = {x.name: [tuple(w.shape) for w in x.weights] for x in new.layers}
    if layer in after:
        return "still there"
    inputs = {x.name for x in model.layers if type(x).__name__ == "InputLayer"}
    kept = {k: v for k, v in before.items() if k != layer and k not in inputs}
    if {k: v for k, v in after.items() if v or k in kept} | kept != {**kept}:
        return "other layers changed"
    if not np.isfinite(np.asarray(new(batch, training=False))).all():
        return "output not finite"
    return ""


def independent(model: Any, layer: str) -> bool:
    """Whether the configuration without the layer is a model with all the others as they were."""
    import keras

    document = model.get_config()
    target = next(entry for entry in document["layers"] if entry["name"] == layer)
    width = max(len(list(tensors(node))) for node in target["inbound_nodes"])
    return any(_rebuilds(keras, model, document, layer, i) for i in range(width))


def _rebuilds(keras: Any, model: Any, document: dict[str, Any], layer: str, choice: int) -> bool:
    edited = copy.deepcopy(document)
    target = next(entry for entry in edited["layers"] if entry["name"] == layer)
    inputs = [list(tensors(node)) for node in target["inbound_nodes"]]
    edited["layers"].remove(target)
    for entry in edited["layers"]:
        # Built anew from the shapes that come: a layer that takes itself for built does not check
        # them (Concatenate lets through what its forward pass then refuses).
        entry.pop("build_config", None)
    rest = [node for entry in edited["layers"] for node in entry["inbound_nodes"]]
    for tensor in tensors(rest):
        if tensor["keras_history"][0] == layer:
            tensor.update(copy.deepcopy(inputs[tensor["keras_history"][1]][choice]))
    outputs = edited["output_layers"]
    single = isinstance(outputs[0], str)
    ends = [outputs] if single else outputs
    for end in ends:
        if end[0] == layer:
            end[:] = inputs[end[1]][choice]["keras_history"]
    try:
        new = keras.Model.from_config(edited)
    except Exception:  # a shape does not fit
        return False
    names = {x.name: [tuple(w.shape) for w in x.weights] for x in new.layers}
    for x in model.layers:
        if x.name != layer and names.get(x.name) != [tuple(w.shape) for w in x.weights]:
            return False
    return [tuple(o.shape) for o in new.outputs] == [tuple(o.shape) for o in model.outputs]


def tensors(value: object) -> Iterator[dict[str, Any]]:
    """All references to tensors in a part of a configuration."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]
            return
        for part in value.values():
            yield from tensors(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors(part)


MEASURES: dict[str, Callable[..., dict[str, object]]] = {
    "speedup": speedup,
    "planted": coverage,
    "surgery": surgery,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and models")
    parser.add_argument("--only", nargs="*", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--every", type=int, default=0, help="surgery on every n-th layer only")
    parser.add_argument("--models", nargs="*", choices=list(ARCHITECTURES), default=[])
    options = parser.parse_args()
    results: dict[str, Any] = {"quick": options.quick, "cores": os.cpu_count()}
    for name in options.only:
        print(f"... {name}", file=sys.stderr, flush=True)
        started = time.perf_counter()
        extra = {"every": options.every, "models": options.models} if name == "surgery" else {}
        results.update(MEASURES[name](quick=options.quick, **extra))
        results[f"{name}_took_s"] = time.perf_counter() - started
    results["missed"] = [
        name
        for name, (sign, mark) in REACH.items()
        if name in results
        and not (results[name] <= mark if sign == "<=" else results[name] >= mark)
    ]
    if options.json:
        print(json.dumps(results))
        return 0
    for name, value in results.items():
        mark = f"  (reach {REACH[name][0]} {REACH[name][1]:g})" if name in REACH else ""
        missed = "  MISSED" if name in results["missed"] else ""
        print(
            f"{name:<18} {value:.3g}" if isinstance(value, float) else f"{name:<18} {value}", end=""
        )
        print(mark + missed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
