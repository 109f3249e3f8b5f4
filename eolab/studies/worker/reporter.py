"""The reporter that a train function gets.

This file travels with `trial_process.py` to machines without eolab: standard library only.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex, TypeVar

if TYPE_CHECKING:
    import keras

    from eolab.studies.worker.callbacks import Estimator

E = TypeVar("E", bound="Estimator")


class StopTrial(BaseException):
    """Ends a trial that a stop rule (or a user) stopped.

    No `Exception`, so that a train function's own error handling lets it pass.
    """


class TrialError(Exception):
    """A fault of a train function that needs no traceback: what it returned or reported."""


class Reporter:
    """What a train function tells while it works.

    This plain one prints, so that a train function runs alone; in a study each trial gets one that
    tells the study, with the same methods.

    Attributes:
        trial: The trial's number; 0 when run alone.
        step: The last reported step; -1 before.
        last: The newest value of each reported metric.
        saved: The model that was handed over, in a list; empty before.
        budget: What the study grants this run (epochs, say) under ASHA or Hyperband, else None.

    Example:
        >>> reporter = eo.Reporter()
        >>> for epoch in range(2):
        ...     reporter.report(step=epoch, val_accuracy=0.7 + 0.1 * epoch)
        step 0: val_accuracy=0.7
        step 1: val_accuracy=0.8
    """

    trial: int = 0
    budget: float | None = None

    def __init__(self) -> None:
        self.step: float = -1
        self.last: dict[str, float] = {}
        self.saved: list[object] = []
        self._folder: Path | None = None

    def report(self, *, step: float | None = None, **metrics: float) -> None:
        """Report metrics at a step (an epoch, a number of trees); without one, steps count from 0.

        Raises:
            TrialError: A metric is no number, or a step goes backwards.
        """
        values = {name: number(value, f"metric {name!r}") for name, value in metrics.items()}
        if not values:
            raise TrialError(
                "report() without a metric\nWrite reporter.report(step=epoch, val_accuracy=...)."
            )
        self.step = self.step + 1 if step is None else number(step, "step")
        self.last.update(values)
        self._tell(self.step, values)

    def log(self, text: str) -> None:
        """A line in the trial's log."""
        print(text, flush=True)

    def save_model(self, model: object) -> None:
        """Hand over the fitted model; only a refit of the best trial writes it to disk.

        Example:
            >>> from eolab.studies import Reporter
            >>> reporter = Reporter()
            >>> reporter.save_model({"weights": [0.5, 1.5]})
            >>> reporter.saved
            [{'weights': [0.5, 1.5]}]
        """
        self.saved = [model]

    def keep(self, model: object) -> None:
        """The old name of `save_model`."""
        # No help of ours: this file travels alone.
        warnings.warn(
            "reporter.keep is now reporter.save_model; the old name goes with the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        self.save_model(model)

    @property
    def checkpoint_dir(self) -> Path:
        """A folder that stays with the trial over retries and promotions."""
        if self._folder is None:
            import tempfile

            self._folder = Path(tempfile.mkdtemp(prefix="eolab-checkpoint-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    @property
    def tensorboard_dir(self) -> Path:
        """Where TensorBoard's logs go: they stay with the study, and JupyterLab opens them."""
        folder = self.checkpoint_dir / "tensorboard"
        folder.mkdir(exist_ok=True)
        return folder

    def keras(self) -> keras.callbacks.Callback:
        """A Keras callback that reports each epoch's logs and saves the model."""
        return _callbacks().keras_callback(self)

    def lightning(self) -> object:
        """A Lightning callback that reports the logged metrics and saves the module."""
        return _callbacks().lightning_callback(self)

    def fit(
        self,
        estimator: E,
        X: object,
        y: object,
        *,
        validation: tuple[object, object],
        steps: int = 10,
        scoring: str | Callable[..., float] = "accuracy",
        metric: str = "val_score",
    ) -> E:
        """Fit a scikit-learn estimator in steps, report its score after each, save it.

        Args:
            estimator: Not fitted yet.
            X: Features, shape (n, f).
            y: Labels, shape (n,).
            validation: (X, y) to score on.
            steps: How many times to report; a budget takes its place.
            scoring: A name that scikit-learn knows, or a scorer(estimator, X, y).
            metric: The name under which the score is reported.

        Returns:
            The fitted estimator.
        """
        fitted: E = _callbacks().fit_in_steps(
            self,
            estimator,
            X,
            y,
            validation=validation,
            steps=steps,
            scoring=scoring,
            metric=metric,
        )
        return fitted

    def _tell(self, step: float, metrics: Mapping[str, float]) -> None:
        print(
            f"step {step:g}: " + ", ".join(f"{k}={v:.6g}" for k, v in metrics.items()), flush=True
        )


def _callbacks() -> ModuleType:
    """The file beside this one, wherever both have been shipped to."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "eolab_callbacks", Path(__file__).with_name("callbacks.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def number(value: object, what: str) -> float:
    """The value as a float; arrays of one element and framework scalars count as numbers.

    Raises:
        TrialError: It is none.
    """
    if isinstance(value, bool) or value is None or isinstance(value, (str, bytes)):
        raise TrialError(f"{what} is {type(value).__name__} {str(value)[:80]!r}\nGive a number.")
    if isinstance(value, (SupportsFloat, SupportsIndex)):
        with contextlib.suppress(Exception):  # an array of several elements, say
            return float(value)
    raise TrialError(
        f"{what} is a {type(value).__name__}, not a number\nGive one number, float(...)."
    )
