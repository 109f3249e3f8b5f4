"""Callbacks that report a training's curve: Keras, scikit-learn, Lightning.

Used through the reporter (`reporter.keras()`, `reporter.fit(...)`, `reporter.lightning()`). Like
`trial_process.py` this file travels alone: nothing of ours is imported, libraries only where used.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, SupportsFloat, TypeVar

if TYPE_CHECKING:
    import keras


class Reports(Protocol):
    """What these need of a reporter."""

    budget: float | None

    def report(self, *, step: float | None = None, **metrics: float) -> None: ...

    def save_model(self, model: object) -> None: ...


class Estimator(Protocol):
    """What scikit-learn's estimators have."""

    def fit(self, X: object, y: object, /) -> object: ...

    def get_params(self) -> Mapping[str, object]: ...

    def set_params(self, **parameters: object) -> object: ...


class Trainer(Protocol):
    """What the callback looks at of Lightning's trainer."""

    sanity_checking: bool
    val_dataloaders: object
    callback_metrics: Mapping[str, SupportsFloat]
    current_epoch: int


E = TypeVar("E", bound=Estimator)


def keras_callback(reporter: Reports) -> keras.callbacks.Callback:
    """A Keras callback that reports the logs of each epoch and saves the model at the end.

    ``model.fit(..., validation_data=..., callbacks=[reporter.keras()])`` reports ``loss``,
    ``val_loss``, ``val_accuracy`` and whatever else the model was compiled with. Epochs count on
    over several calls of fit.
    """
    import keras

    class Report(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.epochs = 0

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            metrics = {_identifier(k): float(v) for k, v in (logs or {}).items()}
            self.epochs += 1
            if metrics:
                reporter.report(step=max(epoch, self.epochs - 1), **metrics)

        def on_train_end(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  Keras's
            reporter.save_model(self.model)

    return Report()


def lightning_callback(reporter: Reports) -> object:
    """A Lightning callback that reports the logged metrics after each validation (or epoch)."""
    try:
        Callback = importlib.import_module("lightning.pytorch.callbacks").Callback
    except ImportError:
        Callback = importlib.import_module("pytorch_lightning.callbacks").Callback

    class Report(Callback):  # type: ignore[misc, valid-type]
        def on_validation_epoch_end(self, trainer: Trainer, *_: object) -> None:
            if not trainer.sanity_checking:
                self._report(trainer)

        def on_train_epoch_end(self, trainer: Trainer, *_: object) -> None:
            if not trainer.val_dataloaders:
                self._report(trainer)

        def on_fit_end(self, _: object, pl_module: object) -> None:
            reporter.save_model(pl_module)

        def _report(self, trainer: Trainer) -> None:
            metrics = {_identifier(k): float(v) for k, v in trainer.callback_metrics.items()}
            if metrics:
                reporter.report(step=trainer.current_epoch, **metrics)

    return Report()


def fit_in_steps(
    reporter: Reports,
    estimator: E,
    X: object,
    y: object,
    *,
    validation: tuple[object, object],
    steps: int,
    scoring: str | Callable[..., float],
    metric: str,
) -> E:
    """Fit a scikit-learn estimator bit by bit and report its score on the validation part.

    Estimators with ``partial_fit`` see the data once a step; ensembles with ``warm_start`` grow by
    an equal share of their trees a step; anything else is fitted at once and reported once.

    Args:
        reporter: Hears the score after each step and saves the fitted estimator.
        estimator: Not fitted yet.
        X: Features, shape (n, f).
        y: Labels, shape (n,).
        validation: (X, y) to score on.
        steps: How many times to report; a budget, where the study hands one out, takes its place.
        scoring: A name that scikit-learn knows, or a scorer(estimator, X, y).
        metric: The name under which the score is reported.

    Returns:
        The fitted estimator.
    """
    from sklearn.metrics import get_scorer

    score = get_scorer(scoring) if isinstance(scoring, str) else scoring
    steps = max(1, int(reporter.budget or steps))
    for step in _stages(estimator, X, y, steps):
        reporter.report(step=step, **{metric: float(score(estimator, *validation))})
    reporter.save_model(estimator)
    return estimator


def _stages(estimator: Estimator, X: object, y: object, steps: int) -> Iterator[int]:
    if hasattr(estimator, "partial_fit"):
        import numpy as np
        from sklearn.base import is_classifier

        more = {"classes": np.unique(np.asarray(y))} if is_classifier(estimator) else {}
        for step in range(1, steps + 1):
            estimator.partial_fit(X, y, **more)
            yield step
        return
    parameters = estimator.get_params()
    size = next((k for k in ("n_estimators", "max_iter") if k in parameters), None)
    if "warm_start" in parameters and size == "n_estimators":
        whole = int(str(parameters[size]))
        for step in range(1, steps + 1):
            estimator.set_params(warm_start=True, **{size: math.ceil(whole * step / steps)})
            estimator.fit(X, y)
            yield step
        return
    estimator.fit(X, y)
    yield steps


def _identifier(name: str) -> str:
    """A metric's name as a keyword: ``val/f1-score`` as ``val_f1_score``."""
    return "".join(c if c.isalnum() or c == "_" else "_" for c in str(name))
