"""The way from features to a registered model, the same for every input of the demo."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.demo import cases, trainers

if TYPE_CHECKING:
    from eolab.demo.cases import Case
    from eolab.facade import Workspace
    from eolab.models import ModelVersion
    from eolab.studies import FittedModel, Study
    from eolab.training_data import Split

# The headline is the network's; the forest stands beside it.
MODELS: Mapping[str, Callable[..., None]] = {
    "keras": trainers.train_network,
    "sklearn": trainers.train_forest,
}

# The demo's names of the test metrics, and the registry's.
_REGISTRY = {
    "accuracy": "accuracy",
    "macro_f1": "macro_f1",
    "low": "macro_f1_low",
    "high": "macro_f1_high",
}


@dataclass(frozen=True)
class Options:
    """What the command line says; paths are None where an input is not used."""

    data: Path | None = None
    labels: Path | None = None
    table: Path | None = None
    label_column: str | None = None
    trials: int = 4
    workers: int = 2
    seed: int = 0


def go(folder: Path, options: Options, *, say: cases.Say) -> dict[str, object]:
    """Go the whole way in the workspace ``folder`` and return the metrics.

    Returns:
        The JSON object of `eolab demo --json`, without `seconds`.
    """
    from eolab.facade import workspace

    ws = workspace(folder)
    say(f"Workspace: {ws.root}")
    if options.table is not None:
        case = cases.from_table(ws, options.table, str(options.label_column), say)
    elif options.data is not None and options.labels is not None:
        case = cases.from_scenes(ws, options.data, options.labels, str(options.label_column), say)
    else:
        case = cases.from_sample(ws, options.seed, say)
    if case.caution:
        say(f"Note: {case.caution}")
    return _folds(ws, case, options, say) if case.folds else _one_test(ws, case, options, say)


def _tune(ws: Workspace, kind: str, split: Split, name: str, options: Options) -> Study:
    """A fixed plan of trials without stopping: the same on any number of workers."""
    return ws.tune(
        MODELS[kind],
        data=split,
        name=name,
        metric=trainers.METRIC,
        direction="maximize",
        trials=options.trials,
        workers=options.workers,
        threads=1,  # sums in another order round otherwise
        sampler="random",
        pruner=None,
        seed=options.seed,
    )


def _one_test(ws: Workspace, case: Case, options: Options, say: cases.Say) -> dict[str, object]:
    """Tune, refit, register; one held-out test part with a block bootstrap."""
    split = case.view.train_validation_test_split(
        by=case.blocks,
        validation_size=0.2,
        test_size=0.2,
        seed=options.seed,
        min_samples=case.minimum,
    )
    _tell_split(split, say)
    metrics: dict[str, dict[str, object]] = {}
    for kind in MODELS:
        say(f"Tuning {kind}: {options.trials} trials on {options.workers} workers")
        study = _tune(ws, kind, split, f"{case.name}-{kind}", options)
        model = ws.models.register(f"{case.name}-{kind}", study.refit(), test=split.test)
        test = _test_metrics(model.metrics)
        say(f"{kind}: test macro-F1 {test['macro_f1']} ({test['low']} to {test['high']})")
        metrics[kind] = _entry(study, test, model)
    return {**_size(case, split, options), **metrics["keras"], "sklearn": metrics["sklearn"]}


def _folds(ws: Workspace, case: Case, options: Options, say: cases.Say) -> dict[str, object]:
    """Outer block folds, tuning inside each fold's training part; then one model of everything.

    The folds say how good the *procedure* is; the registered model is what the procedure gives on
    all samples, and carries the folds' metrics.
    """
    import numpy as np

    outer = case.view.folds(
        by=case.blocks, n_splits=case.folds, seed=options.seed, min_samples=case.minimum
    )
    whole = case.view.train_validation_test_split(
        by=case.blocks,
        validation_size=0.2,
        test_size=0.0,
        seed=options.seed,
        min_samples=case.minimum,
    )
    _tell_split(whole, say)
    metrics: dict[str, dict[str, object]] = {}
    for kind in MODELS:
        scores = []
        for number, split in enumerate(outer):
            study = _tune(ws, kind, split, f"{case.name}-{kind}-fold{number}", options)
            scores.append(_score(study.refit(), split))
            say(f"{kind} fold {number + 1} of {len(outer)}: macro-F1 {scores[-1][1]:.3f}")
        table = np.array(scores)
        test = {
            "accuracy": round(float(table[:, 0].mean()), 4),
            "macro_f1": round(float(table[:, 1].mean()), 4),
            "low": round(float(table[:, 1].min()), 4),
            "high": round(float(table[:, 1].max()), 4),
        }
        study = _tune(ws, kind, whole, f"{case.name}-{kind}", options)
        model = ws.models.register(
            f"{case.name}-{kind}",
            study.refit(),
            metrics={_REGISTRY[name]: metric for name, metric in test.items()},
            description=f"Test metrics: mean, lowest and highest of {len(outer)} outer block folds",
        )
        say(f"{kind}: macro-F1 {test['macro_f1']} over folds, {test['low']} to {test['high']}")
        metrics[kind] = _entry(study, test, model)
    return {**_size(case, whole, options), **metrics["keras"], "sklearn": metrics["sklearn"]}


def _score(fitted: FittedModel, split: Split) -> tuple[float, float]:
    """Accuracy and macro-F1 of a refitted model on the held-out fold."""
    from eolab.models import flavours
    from eolab.models.analysis import accuracy, macro_f1

    # Each fold is a model of its own and rightly traced anew: a warning of that would only alarm.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    model = fitted.load()
    answer = flavours.outputs(model, fitted.flavour, split.test.X, fitted.columns)
    output = flavours.decide(model, fitted.flavour, fitted.classes)
    predicted = flavours.classes(answer, output, fitted.classes)
    return accuracy(split.test.y, predicted), macro_f1(split.test.y, predicted)


def _test_metrics(metrics: Mapping[str, float | None]) -> dict[str, object]:
    """The registry's metrics of the test part under the demo's names."""
    return {ours: _rounded(metrics[theirs]) for ours, theirs in _REGISTRY.items()}


def _rounded(metric: float | None) -> float | None:
    return None if metric is None else round(float(metric), 4)


def _entry(study: Study, test: Mapping[str, object], model: ModelVersion) -> dict[str, object]:
    return {
        "best": {"params": study.best_params, "value": round(study.best_value, 6)},
        "test": dict(test),
        "model": {"name": model.name, "version": model.version},
    }


def _size(case: Case, split: Split, options: Options) -> dict[str, object]:
    """How much went in: the counts that say what the result stands on."""
    report = split.source["report"]
    assert isinstance(report, Mapping)
    return {
        "items": case.items,
        "pixels": case.pixels,
        "rows": case.rows,
        "features": len(split.train.columns),
        "units": report["units"],
        "blocks": report["blocks"],
        "trials": options.trials,
    }


def _tell_split(split: Split, say: cases.Say) -> None:
    """Say how large the parts are and which classes were left out, and why."""
    report = split.source["report"]
    assert isinstance(report, Mapping)
    parts = ", ".join(
        f"{name} {part['samples']} in {part['blocks']}" for name, part in report["parts"].items()
    )
    say(f"{report['samples']} samples in {report['blocks']} blocks ({parts})")
    for name, why in report["left_out"].items():
        say(f"Left out: {name} ({why})")
