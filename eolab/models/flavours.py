"""Asking a model, and deciding once what its answers are: at registration, never per batch.

What a model is built of counts first (scikit-learn's ``classes_``, the last layer and the loss of a
network), then what it says of labelled samples.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from eolab.errors import InvalidInputError, nearest
from eolab.studies.worker import predicting
from eolab.studies.worker.predicting import AnswerError, Output

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

OutputKind = Literal["codes", "labels", "scores", "probability", "logit"]
KINDS: tuple[str, ...] = get_args(OutputKind)
INDICATOR_LOSSES = {
    "mse", "mae", "mean_squared_error", "mean_absolute_error", "huber", "log_cosh",
    "binary_crossentropy",  # of what is taken for a probability
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What a model says of labelled samples: its answers and their true class codes."""

    answer: np.ndarray
    y: np.ndarray


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """What a model refuses, as an error of eolab's."""
    try:
        yield
    except AnswerError as error:
        raise InvalidInputError(str(error), error.hint) from error


def outputs(
    model: object, flavour: str, X: np.ndarray | pd.DataFrame, columns: Sequence[str] = ()
) -> np.ndarray:
    """What the model says of each sample: shape (n,) or (n, outputs).

    Raises:
        InvalidInputError: It cannot be asked, or does not take data of this shape.
    """
    with translated():
        return predicting.outputs(model, flavour, X, columns)


def classes(answer: np.ndarray, output: Output, names: Sequence[str]) -> np.ndarray:
    """Class codes, shape (n,), from what a model says; see `predicting.decode`.

    Raises:
        InvalidInputError: It is not what was decided, or is not a number.
    """
    with translated():
        return predicting.decode(answer, output, names)


def decide(
    model: object,
    flavour: str,
    names: Sequence[str],
    *,
    declared: str | None = None,
    evidence: Evidence | None = None,
    seen: Sequence[int] = (),
) -> Output:
    """How a model's answers are read.

    Args:
        model: As it was loaded.
        flavour: Its library.
        names: The classes in the order of their codes; empty for a model without.
        declared: What its user says it gives, one of `KINDS`.
        evidence: What it says of labelled samples.
        seen: The class codes that it learnt from.

    Raises:
        InvalidInputError: Its answers can be read in two ways and nothing tells which, or in none.
    """
    if declared is not None and declared not in KINDS:
        raise InvalidInputError(f"output={declared!r}", nearest(declared, KINDS, "outputs"))
    if not names:
        if declared is not None:
            raise InvalidInputError(
                f"output={declared!r}, and the model has no classes", "Leave output away."
            )
        return {"kind": "value"}
    if declared in {"probability", "logit"} and len(names) != 2:
        raise InvalidInputError(
            f"output={declared!r} for {len(names)} classes", "One number decides between two only."
        )
    if evidence is not None:
        with translated():
            predicting.check_numbers(evidence.answer)
        seen = seen or sorted({int(code) for code in evidence.y})
    owner, method = _owner(model)
    learnt = _learnt(owner)
    if learnt is not None:
        known = _of_classifier(learnt, method, names, declared, evidence, seen)
        if declared is not None or evidence is None or _readable(evidence, known, names):
            return known
        return _of_answers(evidence, names, seen)  # one that translates what it has learnt
    if declared is not None:
        return {"kind": declared, "order": list(range(len(names)))}
    if flavour in {"keras", "torch"}:
        said = _of_network(model, flavour, names, evidence)
        if said is not None:
            return said
    if len(names) == 2 and method == "predict" and _regressor(owner):
        signs = evidence is not None and _closest(evidence, ("indicator", "sign")) == "logit"
        return {"kind": "logit" if signs else "indicator", "order": [0, 1]}
    return {} if evidence is None else _of_answers(evidence, names, seen)


def _owner(model: object) -> tuple[object, str]:
    """Whose method a saved function is, and its name: of ``forest.predict_proba`` the forest."""
    while isinstance(model, functools.partial):
        model = model.func
    owner = getattr(model, "__self__", None)
    if owner is not None and callable(model):
        return owner, str(getattr(model, "__name__", ""))
    return model, "predict"


def _learnt(owner: object) -> np.ndarray | None:
    """The labels that a classifier of scikit-learn's kind was fitted on, in its order."""
    import numpy as np

    with contextlib.suppress(Exception):  # a property that needs what is not fitted
        found = getattr(owner, "classes_", None)
        if found is not None:
            labels = np.asarray(found)
            if labels.ndim == 1 and len(labels):
                return labels
    return None


def _of_classifier(
    learnt: np.ndarray,
    method: str,
    names: Sequence[str],
    declared: str | None,
    evidence: Evidence | None,
    seen: Sequence[int],
) -> Output:
    wide = evidence is not None and evidence.answer.ndim == 2 and evidence.answer.shape[1] > 1
    scores = method in {"predict_proba", "predict_log_proba", "decision_function"} or wide
    kind, codes = _codes_of(learnt, names, declared, seen)
    if not scores and declared not in {"scores", "probability", "logit"}:
        if kind is None and evidence is not None:
            kind, codes = _by_accuracy(evidence, names)
        if kind is None:
            raise _two_readings(names)
        return {"kind": kind}
    if kind is None and evidence is not None and wide:
        kind, codes = _order_by_accuracy(evidence, learnt, names)
    if kind is None:
        raise _two_readings(names)
    one = len(learnt) == 2 and (
        method == "decision_function" or declared in {"probability", "logit"}
    )
    if one and not wide:
        return {"kind": declared or "logit", "order": codes}
    return {"kind": "scores", "order": codes}


def _readable(evidence: Evidence, output: Output, names: Sequence[str]) -> bool:
    try:
        predicting.decode(evidence.answer, output, names)
    except AnswerError:
        return False
    return True


def _codes_of(
    labels: np.ndarray, names: Sequence[str], declared: str | None, seen: Sequence[int]
) -> tuple[str | None, list[int]]:
    """Whether labels are codes or names of classes, and their codes; None where both may be.

    Raises:
        InvalidInputError: They are neither.
    """
    readings: dict[str, list[int]] = {}
    refused: AnswerError | None = None
    for kind in ("codes", "labels"):
        if declared in {"codes", "labels"} and kind != declared:
            continue
        try:
            readings[kind] = [
                int(code) for code in predicting.decode(labels, {"kind": kind}, names)
            ]
        except AnswerError as error:
            refused = refused or error
    if not readings:
        assert refused is not None
        raise InvalidInputError(str(refused), refused.hint) from refused
    if len(readings) == 2 and readings["codes"] != readings["labels"]:
        fits = [k for k, codes in readings.items() if seen and set(codes) == set(seen)]
        if len(fits) != 1:
            return None, []
        return fits[0], readings[fits[0]]
    kind = next(iter(readings))
    return kind, readings[kind]


def _two_readings(names: Sequence[str]) -> InvalidInputError:
    return InvalidInputError(
        "the model's answers may be codes of classes or their names, which are other numbers: "
        f"{', '.join(names[:6])}",
        'Say which: register(output="codes") or register(output="labels").',
    )


def _by_accuracy(evidence: Evidence, names: Sequence[str]) -> tuple[str | None, list[int]]:
    """Codes or names, by which of them the model is right more often."""
    right: dict[str, float] = {}
    for kind in ("codes", "labels"):
        with contextlib.suppress(AnswerError):
            said = predicting.decode(evidence.answer, {"kind": kind}, names)
            right[kind] = float((said == evidence.y).mean())
    if len(right) == 2 and right["codes"] == right["labels"]:
        return None, []
    return max(right, key=lambda kind: right[kind]) if right else None, []


def _order_by_accuracy(
    evidence: Evidence, learnt: np.ndarray, names: Sequence[str]
) -> tuple[str | None, list[int]]:
    best: tuple[float, str | None, list[int]] = (-1.0, None, [])
    for kind in ("codes", "labels"):
        codes = [int(code) for code in predicting.decode(learnt, {"kind": kind}, names)]
        right = _accuracy(evidence, codes)
        if right == best[0]:
            return None, []
        best = max(best, (right, kind, codes), key=lambda found: found[0])
    return best[1], best[2]


def _accuracy(evidence: Evidence, order: Sequence[int]) -> float:
    import numpy as np

    said = np.asarray(order)[evidence.answer.argmax(axis=1)]
    return float((said == evidence.y).mean())


def _of_network(
    model: object, flavour: str, names: Sequence[str], evidence: Evidence | None
) -> Output | None:
    """What the last layer and the loss of a network tell of one output for two classes."""
    width = evidence.answer.shape[1] if evidence is not None and evidence.answer.ndim == 2 else None
    if width is not None and width > 1:
        return {"kind": "scores", "order": list(range(len(names)))}
    if len(names) != 2:
        return None
    if flavour == "keras" and type(model).__name__ in {"Sequential", "Functional"}:
        last = getattr(model, "layers", [None])[-1]
        name = getattr(getattr(last, "activation", None), "__name__", "")
        units = getattr(last, "units", 1)
        if units == 1 and name == "sigmoid":
            return {"kind": "probability", "order": [0, 1]}
        if units == 1 and name == "linear":
            loss = getattr(model, "loss", None)
            said = loss if isinstance(loss, str) else getattr(loss, "name", "")
            if getattr(loss, "from_logits", None) is True:
                return {"kind": "logit", "order": [0, 1]}
            if str(said) in INDICATOR_LOSSES:
                return {"kind": "indicator", "order": [0, 1]}
            return {"kind": _closest(evidence, ("logit", "indicator")), "order": [0, 1]}
    if flavour == "torch" and type(model).__name__ == "Sequential":
        last = list(getattr(model, "modules", list)())[-1]
        if getattr(last, "out_features", 1) != 1:
            return None
        kind = {"Linear": "logit", "Sigmoid": "probability"}.get(type(last).__name__)
        if kind == "logit":
            kind = _closest(evidence, ("logit", "indicator"))
        if kind is not None:
            return {"kind": kind, "order": [0, 1]}
    return None


def _regressor(owner: object) -> bool:
    base = sys.modules.get("sklearn.base")
    if base is not None and isinstance(owner, base.BaseEstimator):
        with contextlib.suppress(Exception):
            return bool(base.is_regressor(owner))
    return getattr(owner, "_estimator_type", "") == "regressor"


def _of_answers(evidence: Evidence, names: Sequence[str], seen: Sequence[int]) -> Output:
    """By the answers alone: their shape, their type, and how well they fit the labels."""
    import numpy as np

    answer = evidence.answer
    everyone = list(range(len(names)))
    if answer.ndim == 2 and answer.shape[1] > 1:
        if answer.shape[1] == len(names):
            by_name = sorted(everyone, key=lambda code: names[code])
            # scikit-learn puts the classes that it learnt by name into the order of their names.
            better = _accuracy(evidence, by_name) > _accuracy(evidence, everyone)
            return {"kind": "scores", "order": by_name if better else everyone}
        order = list(seen) if answer.shape[1] == len(seen) else everyone
        with translated():
            predicting.decode(answer, {"kind": "scores", "order": order}, names)
        return {"kind": "scores", "order": order}
    flat = answer.reshape(-1)
    said = np.unique(flat.astype(str) if flat.dtype.kind in "OUS" else flat)
    whole = flat.dtype.kind in "iub" or (
        flat.dtype.kind == "f" and bool((flat == flat.round()).all())
    )
    fewest = 2 if flat.dtype.kind == "f" else 1  # a number that happens to be whole says little
    if flat.dtype.kind in "OUS" or (whole and len(said) >= fewest) or len(names) != 2:
        kind, _ = _codes_of(said, names, None, [] if len(said) < len(seen) else seen)
        if kind is None:
            kind, _ = _by_accuracy(evidence, names)
        if kind is None:
            raise _two_readings(names)
        return {"kind": kind}
    return {
        "kind": _closest(evidence, ("probability", "logit", "sign", "indicator")),
        "order": [0, 1],
    }


def _closest(evidence: Evidence | None, readings: Sequence[str]) -> str:
    """What one number for two classes is: as which its Brier score is the lowest.

    Numbers within 0 and 1 are probabilities where that may be: an overconfident one has a worse
    score than its sigmoid, and is still none. "sign", a score around 0 as of a regression on -1 and
    1, is decided as a logit is.
    """
    import numpy as np

    if evidence is None:
        return readings[0]
    a, y = evidence.answer.reshape(-1).astype(float), evidence.y.astype(float)
    if "probability" in readings and bool(((a >= 0) & (a <= 1)).all()):
        return "probability"
    as_probability = {
        "logit": 1 / (1 + np.exp(-np.clip(a, -50, 50))),
        "indicator": np.clip(a, 0, 1),
        "sign": np.clip((a + 1) / 2, 0, 1),
    }
    brier = {
        kind: float(((as_probability[kind] - y) ** 2).mean())
        for kind in readings
        if kind in as_probability
    }
    best = min(brier, key=lambda kind: brier[kind])
    return "logit" if best == "sign" else best
