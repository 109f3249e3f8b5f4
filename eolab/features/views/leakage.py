"""Looking at a view before training: features that leak the label, doubtful labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.argument_checks import checked
from eolab.deprecation import old_names
from eolab.errors import InvalidInputError
from eolab.features.samples.samples import without_small_classes
from eolab.progress import track

if TYPE_CHECKING:
    import pandas as pd

    from eolab.features.samples.samples import Samples
    from eolab.features.views.view import FeatureView
    from eolab.training_data import TrainingData

_FOLDS = 5
# Robust standard deviations from which a quantity is doubtful.
_DOUBTFUL = 3.5


@checked
def check_leakage(view: FeatureView, *, threshold: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Features that give the label away by themselves.

    A shallow tree learns the label from one feature alone, and from where it is missing alone,
    by five random folds (stratified by class). Honest features rarely tell a class from all others
    with a balanced accuracy near 1, or the order of a quantity with an R2 near 1; where one does,
    see whether that is nature or the survey.

    Args:
        view: The view; its label is a class or a quantity.
        threshold: Score from which a feature is suspect.
        seed: Of the folds.

    Returns:
        One row a feature and way ("values", "missing"), the most telling first: ``feature``,
        ``way``, ``tells`` (the class that it tells best), ``score`` (balanced accuracy of that
        class against all others; chance is 0.5), ``suspect``. Of a quantity ``tells`` is the label
        and ``score`` R2 of its ranks, which neither a scale nor a logarithm changes; chance is 0 or
        below.

    Raises:
        InvalidInputError: Fewer than two classes have five samples or more; or a quantity has
            fewer than ten samples, or never changes.

    Example:
        >>> found = eo.check_leakage(fv)
        >>> found[["feature", "tells", "suspect"]]
              feature  tells  suspect
        0  nir_median  maize    False
        1  red_median  maize    False
    """
    import pandas as pd

    data = view.training_data()
    if data.classes:
        counts = np.bincount(data.y, minlength=len(data.classes))
        data = data.subset(np.isin(data.y, np.flatnonzero(counts >= _FOLDS)))
        if len(np.unique(data.y)) < 2:
            raise InvalidInputError(
                f"fewer than two classes have {_FOLDS} samples or more", "Insert more labels."
            )
    else:
        _check_quantity(data, view)
    rows = []
    for i, name in enumerate(track(data.columns, "Leakage")):
        values = data.X[..., i].reshape(len(data), -1).astype(np.float64)
        missing = np.isnan(values)
        # A value that no data hold, so that a tree can tell missing from any value.
        filled = np.where(missing, -1e30, values)
        ways = {"values": filled}
        if missing.any() and not missing.all():
            ways["missing"] = missing.astype(np.float64)
        for way, X in ways.items():
            if data.classes:
                best, score = _best_class(X, data.y, seed)
                rows.append((name, way, data.classes[best], score))
            else:
                rows.append((name, way, view.labels.columns[0], _rank_r2(X, data.y, seed)))
    frame = pd.DataFrame(rows, columns=["feature", "way", "tells", "score"])
    frame["suspect"] = frame["score"] >= threshold
    order = ["score", "feature", "way"]
    return frame.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _best_class(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[int, float]:
    """The class that is best told apart from all others, with its balanced accuracy."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_depth=8, min_samples_leaf=2, class_weight="balanced", random_state=seed
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    found = cross_val_predict(tree, X, y, cv=folds)
    scores = {
        int(c): float(((found[y == c] == c).mean() + (found[y != c] != c).mean()) / 2)
        for c in np.unique(y)
    }
    best = max(scores, key=lambda c: scores[c])
    return best, scores[best]


def _check_quantity(data: TrainingData, view: FeatureView) -> None:
    name = view.labels.columns[0]
    if len(data) < 2 * _FOLDS:
        raise InvalidInputError(
            f"{name} has {len(data)} labels, fewer than {2 * _FOLDS}", "Insert more labels."
        )
    if np.ptp(data.y) == 0:
        raise InvalidInputError(
            f"{name} is {data.y[0]:g} everywhere", "There is nothing to tell apart in it."
        )


def _rank_r2(X: np.ndarray, y: np.ndarray, seed: int) -> float:
    """R2 of a shallow tree on the ranks of a quantity, by random folds.

    Ranks, so that a few large values do not decide, and a leak through a logarithm counts as much.
    """
    from scipy.stats import rankdata
    from sklearn.metrics import r2_score
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.tree import DecisionTreeRegressor

    ranks = rankdata(y)
    tree = DecisionTreeRegressor(max_depth=8, min_samples_leaf=2, random_state=seed)
    found = cross_val_predict(tree, X, ranks, cv=KFold(_FOLDS, shuffle=True, random_state=seed))
    return float(r2_score(ranks, found))


@checked
def find_label_issues(view: FeatureView, *, seed: int = 0) -> pd.DataFrame:
    """Samples whose label the others contradict, by cross-validation over random folds.

    Classes of fewer than five samples cannot be compared with others and are left out. A quantity
    is doubtful where its error is more than 3.5 robust standard deviations from the median error
    (1.4826 times the median absolute deviation; Iglewicz and Hoaglin 1993).

    Args:
        view: The view; its label is a class or a quantity.
        seed: Of the folds and of the forest.

    Returns:
        One row per sample that a random forest, trained without it, takes for another class:
        ``id``, ``label``, ``likely``, ``confidence`` (its probability minus the label's) and, of
        a view with ``label_source``, the label's ``source``; the most doubtful first. Of a quantity
        ``label`` and ``likely`` are numbers, and ``confidence`` is the error in robust standard
        deviations.

    Raises:
        InvalidInputError: Fewer than two classes have five samples or more; or a quantity has
            fewer than ten samples, or never changes.

    Example:
        >>> issues = eo.find_label_issues(fv, seed=0)
        >>> issues.columns.tolist()
        ['id', 'label', 'likely', 'confidence']
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    samples = view.load()
    data = samples.data
    if not data.classes:
        _check_quantity(data, view)
        return _odd_quantities(samples, seed)
    counts = np.bincount(data.y, minlength=len(data.classes))
    small = {data.classes[c]: f"{n} samples" for c, n in enumerate(counts) if n < _FOLDS}
    if small:
        samples, _ = without_small_classes(samples, small)
        data = samples.data
    X = np.nan_to_num(data.X.reshape(len(data), -1), nan=-1e30)
    forest = RandomForestClassifier(200, min_samples_leaf=2, random_state=seed, n_jobs=-1)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    chance = cross_val_predict(forest, X, data.y, cv=folds, method="predict_proba")
    likely = chance.argmax(axis=1)
    rows = np.flatnonzero(likely != data.y)
    names = np.asarray(data.classes)
    confidence = chance[rows, likely[rows]] - chance[rows, data.y[rows]]
    return _table(samples, rows, names[data.y[rows]], names[likely[rows]], confidence)


def _odd_quantities(samples: Samples, seed: int) -> pd.DataFrame:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold, cross_val_predict

    data = samples.data
    X = np.nan_to_num(data.X.reshape(len(data), -1), nan=-1e30)
    forest = RandomForestRegressor(200, min_samples_leaf=2, random_state=seed, n_jobs=-1)
    folds = KFold(_FOLDS, shuffle=True, random_state=seed)
    likely = cross_val_predict(forest, X, data.y, cv=folds)
    error = data.y - likely
    away = np.abs(error - np.median(error))
    # Where more than half are met exactly, the mean absolute deviation stands for the median one.
    scale = 1.4826 * np.median(away) or 1.2533 * away.mean()
    deviations = away / scale if scale else np.zeros(len(away))
    rows = np.flatnonzero(deviations > _DOUBTFUL)
    return _table(samples, rows, data.y[rows], likely[rows], deviations[rows])


def _table(
    samples: Samples,
    rows: np.ndarray,
    label: np.ndarray,
    likely: np.ndarray,
    confidence: np.ndarray,
) -> pd.DataFrame:
    """The doubtful samples, the most doubtful first."""
    import pandas as pd

    assert samples.data.ids is not None
    frame = pd.DataFrame(
        {
            "id": samples.data.ids[rows],
            "label": label,
            "likely": likely,
            "confidence": confidence,
        }
    )
    if samples.source is not None:
        frame["source"] = samples.texts(samples.source)[rows]
    return frame.sort_values(["confidence", "id"], ascending=[False, True], ignore_index=True)


__getattr__ = old_names(__name__, {"suspect_labels": "find_label_issues"})
