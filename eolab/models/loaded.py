"""A registered model in memory, as maps ask it: class codes or numbers, and probabilities."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.maps.predictor import PixelAnswer
from eolab.models import flavours
from eolab.studies.worker import predicting
from eolab.studies.worker.predicting import Output

if TYPE_CHECKING:
    import pandas as pd

_ONE = 1e-3  # how far probabilities of a sample may be from adding up to 1


@dataclass(frozen=True)
class LoadedModel:
    """A version of a model with its object (see `eolab.maps.predictor.MapModel`).

    Attributes:
        label: Name and version.
        model: The object.
        flavour: Its library.
        columns, classes, steps: As of the version.
        output: How its answers are read.
        source: Where the data came from that it learnt from.
        root: The workspace.
        folder: Where its files lie.
        frame: Whether it learnt from a data frame.
        files: The digest of each file.
        patch: Height and width of the patches that it learnt from; None where none are known.
        patch_ranges: Least and largest value of each band in them.
    """

    label: str
    model: object
    flavour: str
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    steps: tuple[str, ...]
    output: Output
    source: Mapping[str, object]
    root: Path
    folder: Path
    frame: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    patch: tuple[int, int] | None = None
    patch_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def architecture(self) -> str:
        return type(self.model).__name__

    @property
    def framework(self) -> str:
        names = {"sklearn": "scikit-learn", "keras": "Keras", "torch": "PyTorch"}
        return names.get(self.flavour, self.flavour)

    @property
    def digest(self) -> str:
        text = json.dumps(sorted(self.files.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        try:
            with np.load(self.folder / "answers.npz", allow_pickle=False) as file:
                low, high = file["low"], file["high"]
        except (OSError, ValueError, KeyError):  # none was written, or by an older version
            return self.patch_ranges
        if low.shape != (len(self.columns),) or high.shape != low.shape:
            return self.patch_ranges
        return {
            name: (float(a), float(b))
            for name, a, b in zip(self.columns, low, high, strict=True)
            if np.isfinite(a) and np.isfinite(b)
        }

    def ask(self, X: np.ndarray) -> PixelAnswer:
        with flavours.translated():
            samples = predicting.arrange(X, self.columns, frame=self.frame)
        if self.flavour in {"keras", "torch"}:
            with self._turn:  # networks use all cores themselves, and some keep state
                return self._answer(samples)
        return self._answer(samples)

    def _answer(self, samples: np.ndarray | pd.DataFrame) -> PixelAnswer:
        found = self._by_method(samples)
        probabilities = None
        if found is not None:
            given, order = found
            probabilities = _placed(given, order, len(self.classes))
            if _decides_by_probability(self.model):
                # What its own predict() does, ties too, without asking every tree once more.
                return PixelAnswer(order[given.argmax(axis=1)], probabilities)
        answer = flavours.outputs(self.model, self.flavour, samples, self.columns)
        if not self.classes:
            if answer.size != len(samples):
                raise InvalidInputError(
                    f"the model gives {answer.shape[1:]} numbers a sample; a map has one",
                    "Map one of its outputs: register a model that gives it alone.",
                )
            return PixelAnswer(answer.reshape(-1))
        codes = flavours.classes(answer, self.output, self.classes)
        if probabilities is None:
            probabilities = _of_answer(answer, self.output, len(self.classes))
        return PixelAnswer(codes, probabilities)

    def _by_method(
        self, samples: np.ndarray | pd.DataFrame
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Probabilities by the model's own ``predict_proba``, and the class code of each column."""
        method = getattr(self.model, "predict_proba", None)
        learnt = getattr(self.model, "classes_", None)
        kind = self.output.get("kind")
        if not self.classes or method is None or learnt is None or kind not in {"codes", "labels"}:
            return None
        try:
            given = predicting.outputs(method, self.flavour, samples, self.columns)
        except predicting.AnswerError:  # such as a support vector machine without probability=True
            return None
        labels = np.asarray(learnt)
        if kind == "codes":
            order = labels.astype(np.int64)
        else:
            order = predicting.labels_to_codes(labels.astype(str), self.classes)
        if given.ndim != 2 or given.shape[1] != len(order):
            return None
        return given, order

    def patch_shape(self) -> tuple[int | None, ...] | None:
        if self.flavour != "keras":
            return None
        shape = getattr(self.model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) not in {4, 5}:
            return None
        *front, height, width, bands = (None if n is None else int(n) for n in shape[1:])
        known = self.patch or (None, None)
        return (*front, height or known[0], width or known[1], bands)

    def ask_patches(self, X: np.ndarray) -> np.ndarray:
        with self._turn, flavours.translated():
            answer = predicting.outputs(self.model, self.flavour, X)
        count = len(self.classes)
        if answer.ndim != 4 or answer.shape[:3] != (len(X), *X.shape[-3:-1]):
            raise InvalidInputError(
                f"the network answers patches of shape {X.shape[1:]} with {answer.shape[1:]}",
                "A map needs an answer for each pixel of a patch: (h, w, classes).",
            )
        if answer.shape[3] == 1 and count == 2:
            answer = np.concatenate([1 - answer, answer], axis=-1)
        if answer.shape[3] != count:
            raise InvalidInputError(
                f"the network gives {answer.shape[3]} scores a pixel for {count} classes",
                "Say the classes in the order of its outputs: classes=[...].",
            )
        flat = answer.reshape(-1, count)
        if not _are_probabilities(flat):
            raise InvalidInputError(
                "the network's scores are no probabilities: they do not add up to 1 in each pixel, "
                "and scores of overlapping patches cannot be averaged",
                "End it with softmax (or sigmoid for two classes), and register it again.",
            )
        return answer.astype(np.float32)


def _placed(given: np.ndarray, codes: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """Probabilities in the order of all class codes; a class that was never seen has none."""
    out = np.zeros((len(given), count), np.float32)
    out[:, list(codes)] = given
    return out


def _are_probabilities(scores: np.ndarray) -> bool:
    return bool(
        np.isfinite(scores).all()
        and (scores >= -_ONE).all()
        and (np.abs(scores.sum(axis=1) - 1) <= _ONE).all()
    )


def _of_answer(answer: np.ndarray, output: Output, count: int) -> np.ndarray | None:
    """Probabilities that the answer itself holds; scores that are none give none."""
    kind, order = output.get("kind", ""), list(output.get("order") or range(count))
    if kind == "scores" and answer.ndim == 2 and _are_probabilities(answer):
        return _placed(answer, order, count)
    if kind in {"probability", "logit"} and answer.size == len(answer):
        flat = answer.reshape(-1).astype(np.float64)
        second = flat if kind == "probability" else 1 / (1 + np.exp(-np.clip(flat, -500, 500)))
        second = np.clip(second, 0, 1)
        return _placed(np.stack([1 - second, second], axis=1), order, count)
    return None


def _decides_by_probability(model: object) -> bool:
    """Whether a forest's own ``predict`` is the class of its highest probability."""
    import sys

    ensemble = sys.modules.get("sklearn.ensemble")
    if ensemble is None:
        return False
    for forest in (ensemble.RandomForestClassifier, ensemble.ExtraTreesClassifier):
        if getattr(type(model), "predict", None) is forest.predict:
            return True
    return False
