"""Looking at a view before training: leaks, doubtful labels, how far alikeness reaches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features import geometry as geo
from eolab.features.samples.samples import without_small_classes
from eolab.progress import track

if TYPE_CHECKING:
    import pandas as pd

    from eolab.features.samples.samples import Samples
    from eolab.features.views.view import FeatureView

# Pairs of samples that a variogram looks at; more change it little.
_PAIRS = 200_000
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
            best, score = _told(X, data.y, seed)
            rows.append((name, way, data.classes[best], score))
    frame = pd.DataFrame(rows, columns=["feature", "way", "tells", "score"])
    frame["suspect"] = frame["score"] >= threshold
    order = ["score", "feature", "way"]
    return frame.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _told(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[int, float]:
    """The class that is told best from all others, with its balanced accuracy."""
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


def suspect_labels(view: FeatureView, *, seed: int = 0) -> pd.DataFrame:
    """Samples whose label the others contradict, by cross-validation over random folds.

    Classes of fewer than five samples cannot be told from others and are left out.

    Returns:
        One row a sample that a random forest, trained without it, takes for another class:
        ``id``, ``label``, ``likely``, ``confidence`` (its probability minus the label's) and, of
        a view with ``label_source``, the label's ``source``; the most doubtful first.

    Raises:
        InvalidInputError: The label is a number, or fewer than two classes have five samples or
            more.
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


def reach_of_alikeness(samples: Samples, *, seed: int = 0) -> float:
    """The distance in metres up to which samples are alike: the range of a variogram.

    Half the mean squared difference of pairs (features scaled to deviation 1, or the label where
    no feature is complete) grows with their distance h and levels off as nugget + sill
    (1 - exp(-3 h / range)), the exponential model with its practical range (Cressie 1993, 2.3).
    Blocks at least that wide keep test samples independent of training ones (Roberts et al. 2017,
    Ecography 40, 913-929).

    Raises:
        InvalidInputError: The samples have no place, or fewer than 30 of them do.
    """
    from scipy.optimize import curve_fit

    places = samples.places()
    if places is None or len(places) < 30:
        raise InvalidInputError(
            "a variogram needs 30 samples with a place",
            "Give the label group a geometry, or choose the size of blocks yourself.",
        )
    points = geo.metres(places.points, places.crs)
    Z = _scaled(samples)
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, len(points), (2, _PAIRS))
    one, other = one[one != other], other[one != other]
    distance = np.linalg.norm(points[one] - points[other], axis=1)
    with np.errstate(invalid="ignore"):
        half = np.nanmean((Z[one] - Z[other]) ** 2, axis=1) / 2
    use = np.isfinite(half)
    distance, half = distance[use], half[use]
    # Beyond half the extent there are few pairs, and those of the corners only.
    longest = np.quantile(distance, 0.5)
    edges = np.geomspace(max(np.quantile(distance, 0.002), 1.0), longest, 16)
    bins = np.digitize(distance, edges)
    means = [
        (distance[bins == b].mean(), half[bins == b].mean(), (bins == b).sum())
        for b in range(len(edges))
        if (bins == b).sum() >= 30
    ]
    if len(means) < 4:
        raise InvalidInputError(
            "the samples lie too close for a variogram", "Choose the size yourself."
        )
    h, g, count = (np.asarray(v) for v in zip(*means, strict=True))

    def model(x: np.ndarray, nugget: float, sill: float, reach: float) -> np.ndarray:
        return np.asarray(nugget + sill * (1 - np.exp(-3 * x / reach)))

    top = max(float(g.max()), 1e-9)
    found, _ = curve_fit(
        model,
        h,
        g,
        p0=(g.min() / 2, top, longest / 3),
        sigma=1 / np.sqrt(count),
        bounds=([0, 0, h.min() / 10], [top, 2 * top, longest * 3]),
        maxfev=20_000,
    )
    nugget, sill, reach = (float(v) for v in found)
    # Nothing to level off: the samples are no more alike nearby than afar.
    return float(h.min()) if sill < 0.05 * (nugget + sill) else reach


def _scaled(samples: Samples) -> np.ndarray:
    X = samples.data.X
    values = X.reshape(len(X), -1).astype(np.float64)
    values = values[:, ~np.isnan(values).all(axis=0)]
    deviation = np.nanstd(values, axis=0)
    values = values[:, deviation > 0] / deviation[deviation > 0]
    if values.shape[1]:
        return np.asarray(values)
    y = samples.data.y.astype(np.float64)
    return np.asarray((y / (y.std() or 1))[:, None])


def round_up(length: float) -> float:
    """A length with one or two digits, not shorter: 1, 1.5, 2, 3, 5 or 7 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(float(m * power) for m in (1, 1.5, 2, 3, 5, 7, 10) if m * power >= length * 0.999)
