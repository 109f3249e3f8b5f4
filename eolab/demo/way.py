"""The way from features to a registered model, the same for every input of the demo."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from eolab.demo import cases, trainers

if TYPE_CHECKING:
    from eolab.demo.cases import Case
    from eolab.facade import Workspace
    from eolab.models import ModelVersion
    from eolab.studies import FittedModel, Study
    from eolab.training_data import Split

# The first is the network's; the forest stands beside it.
MODELS: Mapping[str, Callable[..., None]] = {
    "keras": trainers.train_network,
    "sklearn": trainers.train_forest,
}


class Headline(NamedTuple):
    """Which of the registry's metrics the demo tells.

    Attributes:
        names: The demo's names of them, and the registry's.
        main: The one that ``low`` and ``high`` belong to.
        title: What it is called.
    """

    names: Mapping[str, str]
    main: str
    title: str


CLASSES = Headline(
    {
        "accuracy": "accuracy",
        "macro_f1": "macro_f1",
        "low": "macro_f1_low",
        "high": "macro_f1_high",
    },
    "macro_f1",
    "macro-F1",
)
QUANTITY = Headline(
    {name: name for name in ("rmse", "mae", "bias", "r2")}
    | {"low": "rmse_low", "high": "rmse_high"},
    "rmse",
    "RMSE",
)


def _headline(split: Split) -> Headline:
    return CLASSES if split.train.classes else QUANTITY


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
    metric, direction = trainers.compared_by(split.train)
    return ws.tune(
        MODELS[kind],
        data=split,
        name=name,
        metric=metric,
        direction=direction,
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
    headline = _headline(split)
    metrics: dict[str, dict[str, object]] = {}
    for kind in MODELS:
        say(f"Tuning {kind}: {options.trials} trials on {options.workers} workers")
        study = _tune(ws, kind, split, f"{case.name}-{kind}", options)
        model = ws.models.register(f"{case.name}-{kind}", study.refit(), test=split.test)
        test = {ours: _rounded(model.metrics[theirs]) for ours, theirs in headline.names.items()}
        say(
            f"{kind}: test {headline.title} {test[headline.main]} ({test['low']} to {test['high']})"
        )
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
    headline = _headline(whole)
    metrics: dict[str, dict[str, object]] = {}
    for kind in MODELS:
        # A fold is refitted while the next one is tuned: neither needs the other, and most of
        # both is the start of a process that loads TensorFlow.
        with ThreadPoolExecutor(max_workers=1) as beside:
            waiting = []
            for number, split in enumerate(outer):
                study = _tune(ws, kind, split, f"{case.name}-{kind}-fold{number}", options)
                title = f"{kind} fold {number + 1} of {len(outer)}: {headline.title}"
                waiting.append(beside.submit(_score, study, split, headline.main, title, say))
            study = _tune(ws, kind, whole, f"{case.name}-{kind}", options)
            last = beside.submit(study.refit)
            scores = [each.result() for each in waiting]
            fitted = last.result()
        test = {
            name: round(float(np.mean([score[name] for score in scores])), 4)
            for name in headline.names
            if name not in {"low", "high"}
        }
        ends = [score[headline.main] for score in scores]
        test |= {"low": round(min(ends), 4), "high": round(max(ends), 4)}
        model = ws.models.register(
            f"{case.name}-{kind}",
            fitted,
            metrics={headline.names[name]: metric for name, metric in test.items()},
            description=f"Test metrics: mean, lowest and highest of {len(outer)} outer block folds",
        )
        ends_text = f"{test['low']} to {test['high']}"
        say(f"{kind}: {headline.title} {test[headline.main]} over folds, {ends_text}")
        metrics[kind] = _entry(study, test, model)
    return {**_size(case, whole, options), **metrics["keras"], "sklearn": metrics["sklearn"]}


def _score(study: Study, split: Split, main: str, title: str, say: cases.Say) -> dict[str, float]:
    """Refit a fold's best trial and say its metrics on the held-out fold."""
    score = _metrics(study.refit(), split)
    say(f"{title} {score[main]:.3f}")
    return score


def _metrics(fitted: FittedModel, split: Split) -> dict[str, float]:
    """The metrics of a refitted model on the held-out fold."""
    from eolab.features.splits import block_metrics
    from eolab.models import flavours

    # Each fold is a model of its own and rightly traced anew: a warning of that would only alarm.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    model, test = fitted.load(), split.test
    answer = flavours.outputs(model, fitted.flavour, test.X, fitted.columns)
    if not test.classes:
        return block_metrics.regression(test.y, answer, test.groups)
    output = flavours.decide(model, fitted.flavour, fitted.classes)
    predicted = flavours.classes(answer, output, fitted.classes)
    return {
        "accuracy": block_metrics.accuracy(test.y, predicted),
        "macro_f1": block_metrics.macro_f1(test.y, predicted),
    }


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
    for name, why in report.get("left_out", {}).items():
        say(f"Left out: {name} ({why})")
