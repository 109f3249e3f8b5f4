"""How well a model does on blocks it has not seen, beside the figure that random folds give.

Random folds put neighbours on both sides and flatter; the gap between the two is what a model
knows of its neighbours only. Figures come with their standard deviation over the folds, and with
intervals by the blocks of the samples that were held out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eolab.argument_checks import checked, shown
from eolab.deprecation import old_names, renamed_arguments, warn_renamed
from eolab.errors import InvalidInputError
from eolab.features.splits import block_metrics
from eolab.features.splits.blocks import SpatialBlocks

if TYPE_CHECKING:
    from eolab.features.views.view import FeatureView
    from eolab.training_data import Split, TrainingData

TITLES = {"macro_f1": "macro-F1", "rmse": "RMSE"}


class FoldModel(Protocol):
    """Anything with scikit-learn's two methods."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> object: ...

    def predict(self, X: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class FoldScores:
    """Figures of one way to split.

    Attributes:
        by: "blocks", "random" or the column.
        scores: Macro-F1, or RMSE of a regression, one a held-out fold, shape (n,).
        samples: Held-out samples of each fold, shape (n,).
        metric: What ``scores`` are: "macro_f1" or "rmse" (in units of the label).
        metrics: Of all held-out samples together: ``accuracy`` and ``macro_f1``, or ``rmse``,
            ``mae``, ``bias`` and ``r2``, each with ``_low`` and ``_high`` of a 95 % bootstrap of
            blocks, as of a registered model.
    """

    by: str
    scores: np.ndarray
    samples: np.ndarray
    metric: str = "macro_f1"
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return float(self.scores.mean())

    @property
    def std(self) -> float:
        """Sample standard deviation over the folds."""
        return float(self.scores.std(ddof=1))

    @property
    def spread(self) -> float:
        """The old name of ``std``."""
        warn_renamed("FoldScores.spread", "FoldScores.std")
        return self.std

    def __str__(self) -> str:
        n, title = len(self.scores), TITLES[self.metric]
        if self.metric == "macro_f1":
            return f"{self.by}: {title} {self.mean:.2f} ± {self.std:.2f} ({n} folds)"
        r2 = self.metrics.get("r2", float("nan"))
        return f"{self.by}: {title} {self.mean:.4g} ± {self.std:.2g} ({n} folds), R2 {r2:.2f}"


@renamed_arguments(n="n_splits")
@checked
def cross_validate(
    view: FeatureView,
    *,
    by: Sequence[SpatialBlocks | str | None] = (None, "random"),
    model: FoldModel | None = None,
    n_splits: int = 5,
    seed: int = 0,
    min_samples: int = 0,
    unit: str | None = None,
) -> dict[str, FoldScores]:
    """Macro-F1 of a classifier, or errors of a regression, on held-out folds by each way to split.

    Training and validation part of each fold are trained on; the held-out part is judged. A
    sequence is laid flat. Missing values become the training part's median.

    Args:
        view: Its label is a class or a quantity (see `FeatureView.task`).
        by: Ways to split (see `FeatureView.folds`); None proposes blocks by the variogram.
        model: A model of scikit-learn's kind for the task; default: a random forest of 300 trees.
        n_splits: Folds, 3 or more.
        seed: Of the folds and of the default model.
        min_samples: Classes with fewer samples are left out.
        unit: Column whose values stay together (not for "random").

    Returns:
        By the name of the way: "blocks", "random", or the column.

    Raises:
        InvalidInputError: Two ways have one name, or the model is one of the other task.

    Example:
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> tree = DecisionTreeClassifier(random_state=0)
        >>> blocks = eo.SpatialBlocks(300)
        >>> scores = eo.cross_validate(fv, by=[blocks, "random"], model=tree, n_splits=3)
        >>> sorted(scores), len(scores["blocks"].scores)
        (['blocks', 'random'], 3)
        >>> found = scores["blocks"].metrics
        >>> found["macro_f1_low"] <= found["macro_f1"] <= found["macro_f1_high"]
        True
    """
    if not by:
        raise InvalidInputError("by= names no way to split", "Pass by=[None, 'random'].")
    if model is not None and (isinstance(model, type) or not hasattr(model, "get_params")):
        raise InvalidInputError(
            f"model={shown(model)} is no model of scikit-learn's kind",
            "Pass one that is made: RandomForestClassifier(300).",
        )
    out: dict[str, FoldScores] = {}
    for way in by:
        name = way if isinstance(way, str) else "blocks"
        if name in out:
            raise InvalidInputError(
                f"{name!r} is asked for twice", "Call cross_validate once for each."
            )
        folds = view.folds(
            by=way,
            n_splits=n_splits,
            seed=seed,
            min_samples=min_samples,
            unit=None if way == "random" else unit,
        )
        out[name] = _judged(name, folds, model, seed)
    return out


def _judged(by: str, folds: Sequence[Split], model: FoldModel | None, seed: int) -> FoldScores:
    classes = bool(folds[0].train.classes)
    evaluate = block_metrics.classification if classes else block_metrics.regression
    metric = "macro_f1" if classes else "rmse"
    said = [_predicted(fold, model, seed) for fold in folds]
    tests = [fold.test for fold in folds]
    scores = [
        block_metrics.macro_f1(test.y, answer)
        if classes
        else float(np.sqrt(np.mean((answer - test.y) ** 2)))
        for test, answer in zip(tests, said, strict=True)
    ]
    together = evaluate(
        np.concatenate([test.y for test in tests]),
        np.concatenate(said),
        np.concatenate([test.groups for test in tests]),
        seed,
    )
    sizes = np.array([len(test) for test in tests])
    return FoldScores(by, np.array(scores), sizes, metric, together)


def _predicted(fold: Split, model: FoldModel | None, seed: int) -> np.ndarray:
    """What a model, fitted on the fold's other parts, says of its held-out part, shape (n,)."""
    from sklearn.base import clone, is_classifier, is_regressor
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    task = fold.train.task
    forest = RandomForestClassifier if task == "classification" else RandomForestRegressor
    base = forest(300, random_state=seed, n_jobs=1) if model is None else clone(model)
    other = is_regressor if task == "classification" else is_classifier
    if other(base):
        raise InvalidInputError(
            f"{type(base).__name__} is no model for a {task}",
            f"Pass a model for it, or make the view with another task= (it is {task!r}).",
        )
    whole = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), base)
    parts = [fold.train, *([] if fold.validation is None else [fold.validation])]
    whole.fit(np.concatenate([_flat(p) for p in parts]), np.concatenate([p.y for p in parts]))
    return np.asarray(whole.predict(_flat(fold.test))).reshape(len(fold.test))


def _flat(data: TrainingData) -> np.ndarray:
    return data.X.reshape(len(data), -1)


def summary(found: Mapping[str, FoldScores]) -> str:
    """The figures as lines, with the gap between random and block folds where both are there."""
    lines = [str(score) for score in found.values()]
    if {"blocks", "random"} <= set(found):
        gap = found["random"].mean - found["blocks"].mean
        if found["blocks"].metric == "macro_f1":
            lines.append(f"random folds flatter by {gap:.2f}")
        else:
            lines.append(f"random folds flatter by {-gap:.4g}")
    return "\n".join(lines)


__getattr__ = old_names(__name__, {"fold_scores": "cross_validate"})
