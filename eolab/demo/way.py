"""The way from features to a registered model, the same for every input of the demo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.demo import cases, trainers

if TYPE_CHECKING:
    from eolab.data import Split
    from eolab.demo.cases import Case
    from eolab.facade import Workspace
    from eolab.studies import Study

# The headline is the network's; the forest stands beside it.
MODELS: Mapping[str, Callable[..., None]] = {
    "keras": trainers.train_network,
    "sklearn": trainers.train_forest,
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
    """Go the whole way in the workspace ``folder`` and return the figures.

    Returns:
        The JSON object of `eolab demo --json`, without `seconds`.
    """
    from eolab.facade import workspace

    ws = workspace(folder)
    say(f"Workspace: {ws.root}")
    if options.table is not None:
        case = cases.from_table(ws, options.table, str(options.label_column), say)
    elif options.data is not None and options.labels is not None:
        case = cases.from_scenes(
            ws, options.data, options.labels, str(options.label_column), options.seed, say
        )
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
        sampler="random",
        stop=None,
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
    say(f"Split: {split.source}")
    figures: dict[str, object] = {}
    headline: dict[str, object] = {}
    for kind in MODELS:
        say(f"Tuning {kind}: {options.trials} trials on {options.workers} workers")
        study = _tune(ws, kind, split, f"{case.name}-{kind}", options)
        model = ws.models.register(f"{case.name}-{kind}", study.refit(), test=split.test)
        test = _test_figures(model.metrics)
        say(f"{kind}: test macro-F1 {test['macro_f1']} ({test['low']} to {test['high']})")
        entry = {
            "best": {"params": study.best_params, "value": round(study.best_value, 6)},
            "test": test,
            "model": {"name": model.name, "version": model.version},
        }
        figures[kind] = entry
        if kind == "keras":
            headline = entry
    return {**_size(case, split, options), **headline, "sklearn": figures["sklearn"]}


def _folds(ws: Workspace, case: Case, options: Options, say: cases.Say) -> dict[str, object]:
    """Outer block folds, tuning inside each fold's training part; then one model of everything.

    The folds say how good the *procedure* is; the registered model is what the procedure gives on
    all samples, and carries the folds' figures.
    """
    import numpy as np

    from eolab.models.analysis import accuracy, macro_f1

    outer = case.view.folds(
        by=case.blocks, n=case.folds, seed=options.seed, min_samples=case.minimum
    )
    whole = case.view.train_validation_test_split(
        by=case.blocks,
        validation_size=0.2,
        test_size=0.0,
        seed=options.seed,
        min_samples=case.minimum,
    )
    say(f"Folds: {outer[0].source}")
    figures: dict[str, object] = {}
    headline: dict[str, object] = {}
    for kind in MODELS:
        scores = []
        for number, split in enumerate(outer):
            study = _tune(ws, kind, split, f"{case.name}-{kind}-fold{number}", options)
            predicted = study.refit().load().predict(split.test.X)
            scores.append((accuracy(split.test.y, predicted), macro_f1(split.test.y, predicted)))
            say(f"{kind} fold {number + 1} of {len(outer)}: macro-F1 {scores[-1][1]:.3f}")
        table = np.array(scores)
        test = {
            "accuracy": round(float(table[:, 0].mean()), 4),
            "macro_f1": round(float(table[:, 1].mean()), 4),
            "low": round(float(table[:, 1].min()), 4),
            "high": round(float(table[:, 1].max()), 4),
        }
        study = _tune(ws, kind, whole, f"{case.name}-{kind}", options)
        model = ws.models.register(f"{case.name}-{kind}", study.refit(), metrics=test)
        say(f"{kind}: macro-F1 {test['macro_f1']} over folds, {test['low']} to {test['high']}")
        entry = {
            "best": {"params": study.best_params, "value": round(study.best_value, 6)},
            "test": test,
            "model": {"name": model.name, "version": model.version},
        }
        figures[kind] = entry
        if kind == "keras":
            headline = entry
    return {**_size(case, whole, options), **headline, "sklearn": figures["sklearn"]}
