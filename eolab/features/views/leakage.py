"""Looking at a view before training: features that leak the label, doubtful labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.deprecation import old_names
from eolab.errors import InvalidInputError
from eolab.features.samples.samples import without_small_classes
from eolab.progress import track

if TYPE_CHECKING:
    import pandas as pd

    from eolab.features.views.view import FeatureView

_FOLDS = 5


def check_leakage(view: FeatureView, *, threshold: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Features that give the label away by themselves.

    A shallow tree learns the label from one feature alone, and from where it is missing alone,
    by five stratified random folds. Honest features rarely tell a class from all others with a
    balanced accuracy near 1; where one does, see whether that is nature or the survey.

    Args:
        view: The view; its label must be a class.
        threshold: Balanced accuracy from which a feature is suspect.
        seed: Of the folds.

    Returns:
        One row a feature and way ("values", "missing"), the most telling first: ``feature``,
        ``way``, ``tells`` (the class that it tells best), ``score`` (balanced accuracy of that
        class against all others; chance is 0.5), ``suspect``.

    Raises:
        InvalidInputError: The label is a number, or has fewer than two classes of five samples or
            more.

    Example:
        >>> found = eo.check_leakage(fv)
        >>> found[["feature", "tells", "suspect"]]
              feature  tells  suspect
        0  nir_median  maize    False
        1  red_median  maize    False
    """
    import pandas as pd

    data = view.training_data()
    if not data.classes:
        raise InvalidInputError(
            "the label is a number, not a class", "Look at correlations instead."
        )
    counts = np.bincount(data.y, minlength=len(data.classes))
    use = np.isin(data.y, np.flatnonzero(counts >= _FOLDS))
    data = data.subset(use)
    classes = len(np.unique(data.y))
    if classes < 2:
        raise InvalidInputError(
            f"fewer than two classes have {_FOLDS} samples or more", "Insert more labels."
        )
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
            best, score = _best_class(X, data.y, seed)
            rows.append((name, way, data.classes[best], score))
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


def find_label_issues(view: FeatureView, *, seed: int = 0) -> pd.DataFrame:
    """Samples whose label the others contradict, by cross-validation over random folds.

    Classes of fewer than five samples cannot be compared with others and are left out.

    Args:
        view: The view; its label must be a class.
        seed: Of the folds and of the forest.

    Returns:
        One row per sample that a random forest, trained without it, takes for another class:
        ``id``, ``label``, ``likely``, ``confidence`` (its probability minus the label's) and, of
        a view with ``label_source``, the label's ``source``; the most doubtful first.

    Raises:
        InvalidInputError: The label is a number, or fewer than two classes have five samples or
            more.

    Example:
        >>> issues = eo.find_label_issues(fv, seed=0)
        >>> issues.columns.tolist()
        ['id', 'label', 'likely', 'confidence']
    """
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    samples = view.load()
    data = samples.data
    if not data.classes:
        raise InvalidInputError(
            "the label is a number, not a class", "Suspects are looked for in classes."
        )
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
    assert data.ids is not None
    names = np.asarray(data.classes)
    frame = pd.DataFrame(
        {
            "id": data.ids[rows],
            "label": names[data.y[rows]],
            "likely": names[likely[rows]],
            "confidence": chance[rows, likely[rows]] - chance[rows, data.y[rows]],
        }
    )
    if samples.source is not None:
        frame["source"] = samples.texts(samples.source)[rows]
    return frame.sort_values(["confidence", "id"], ascending=[False, True], ignore_index=True)


__getattr__ = old_names(__name__, {"suspect_labels": "find_label_issues"})
