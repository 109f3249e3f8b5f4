"""How well a classifier does on blocks it has not seen, beside the figure that random folds give.

Random folds put neighbours on both sides and flatter; the gap between the two is what a model
knows of its neighbours only. Both figures come with their standard deviation over the folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eolab.deprecation import old_names, renamed_arguments, warn_renamed
from eolab.errors import InvalidInputError
from eolab.features.splits.blocks import SpatialBlocks

if TYPE_CHECKING:
    from eolab.features.views.view import FeatureView
    from eolab.training_data import Split, TrainingData


class Classifier(Protocol):
    """Anything with scikit-learn's two methods."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> object: ...

    def predict(self, X: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class FoldScores:
    """Macro-F1 of one way to split.

    Attributes:
        by: "blocks", "random" or the column.
        scores: One a held-out fold, shape (n,).
        samples: Held-out samples of each fold, shape (n,).
    """

    by: str
    scores: np.ndarray
    samples: np.ndarray

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
        n = len(self.scores)
        return f"{self.by}: macro-F1 {self.mean:.2f} ± {self.std:.2f} ({n} folds)"


@renamed_arguments(n="n_splits")
def cross_validate(
    view: FeatureView,
    *,
    by: Sequence[SpatialBlocks | str | None] = (None, "random"),
    model: Classifier | None = None,
    n_splits: int = 5,
    seed: int = 0,
    min_samples: int = 0,
    unit: str | None = None,
) -> dict[str, FoldScores]:
    """Macro-F1 of a classifier on held-out folds, by each way to split.

    Training and validation part of each fold are trained on; the held-out part is judged. A
    sequence is laid flat. Missing values become the training part's median.

    Args:
        view: Its label is a class.
        by: Ways to split (see `FeatureView.folds`); None proposes blocks by the variogram.
        model: A classifier of scikit-learn's kind; default: a random forest of 300 trees.
        n_splits: Folds, 3 or more.
        seed: Of the folds and of the default model.
        min_samples: Classes with fewer samples are left out.
        unit: Column whose values stay together (not for "random").

    Returns:
        By the name of the way: "blocks", "random", or the column.

    Raises:
        InvalidInputError: The label is a number, or two ways have one name.

    Example:
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> tree = DecisionTreeClassifier(random_state=0)
        >>> blocks = eo.SpatialBlocks(300)
        >>> scores = eo.cross_validate(fv, by=[blocks, "random"], model=tree, n_splits=3)
        >>> sorted(scores), len(scores["blocks"].scores)
        (['blocks', 'random'], 3)
    """
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
        if not folds[0].train.classes:
            raise InvalidInputError(
                f"the label of {view.label} is a number, so there is no macro-F1",
                "Compare regressions with view.folds() and a metric of your own.",
            )
        scores = [_score(fold, model, seed) for fold in folds]
        sizes = [len(fold.test) for fold in folds]
        out[name] = FoldScores(name, np.array(scores), np.array(sizes))
    return out


def _score(fold: Split, model: Classifier | None, seed: int) -> float:
    from sklearn.base import clone
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline

    classifier = (
        RandomForestClassifier(300, random_state=seed, n_jobs=1) if model is None else clone(model)
    )
    whole = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), classifier)
    parts = [fold.train, *([] if fold.validation is None else [fold.validation])]
    whole.fit(np.concatenate([_flat(p) for p in parts]), np.concatenate([p.y for p in parts]))
    predicted = whole.predict(_flat(fold.test))
    return float(f1_score(fold.test.y, predicted, average="macro"))


def _flat(data: TrainingData) -> np.ndarray:
    return data.X.reshape(len(data), -1)


def summary(found: Mapping[str, FoldScores]) -> str:
    """The figures as lines, with the gap between random and block folds where both are there."""
    lines = [str(score) for score in found.values()]
    if {"blocks", "random"} <= set(found):
        gap = found["random"].mean - found["blocks"].mean
        lines.append(f"random folds flatter by {gap:.2f}")
    return "\n".join(lines)


__getattr__ = old_names(__name__, {"fold_scores": "cross_validate"})
