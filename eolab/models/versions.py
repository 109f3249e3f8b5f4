"""A version of a registered model: its facts, its files, its predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from eolab.errors import ConflictError, InvalidInputError, nearest
from eolab.records import lineage
from eolab.records.lineage import Ref
from eolab.studies.worker.predicting import Output

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from eolab.training_data import TrainingData

FILE = "model.json"


@runtime_checkable
class Fitted(Protocol):
    """What is registered: `eolab.studies.FittedModel`, or anything with the same attributes."""

    @property
    def folder(self) -> Path: ...
    @property
    def flavour(self) -> str: ...
    @property
    def params(self) -> Mapping[str, object]: ...
    @property
    def study(self) -> str | None: ...
    @property
    def metrics(self) -> Mapping[str, float]: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def steps(self) -> tuple[str, ...]: ...
    @property
    def data_digest(self) -> str: ...
    @property
    def source(self) -> Mapping[str, object]: ...


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model.

    Attributes:
        name: The model's name.
        version: Counted from 1.
        aliases: Names that point at this version ("champion").
        description: One line for the panel.
        flavour: "keras", "sklearn", "torch" or "pickle".
        study: The study that it comes from, or None.
        params: The hyperparameters.
        metrics: Metrics on the held-out test set (``accuracy``, ``macro_f1``, each with ``_low``
            and ``_high``; ``test_openings`` counts the evaluations on this test set), and those of
            the study, prefixed ``study_``.
        columns: Names of the features, in order.
        classes: Names of the classes in the order of their codes.
        steps: For sequences, the labels of the steps.
        created: Seconds since the epoch.
        folder: Where its files lie.
        root: The workspace.

    Example:
        >>> model.name, model.version, model.flavour
        ('crops', 1, 'sklearn')
        >>> model.columns
        ('red_median', 'nir_median')
    """

    name: str
    version: int
    aliases: tuple[str, ...]
    description: str
    flavour: str
    study: str | None
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    steps: tuple[str, ...]
    created: float
    folder: Path
    root: Path

    def load(self) -> object:
        """The model object, after a check that its files are as they were registered.

        A class of your own module is the one that went with the model, as it was when it was
        fitted, also where the module is there: ``isinstance(model.load(), Mine)`` is False.

        Raises:
            ConflictError: A file was changed or is gone.

        Example:
            >>> type(model.load()).__name__
            'RandomForestClassifier'
        """
        from eolab.studies.client.fitted_model import load_model

        document = read(self.folder)
        files = document.get("files")
        for name, known in (files if isinstance(files, dict) else {}).items():
            path = self.folder / name
            if not path.is_file() or digest(path) != known:
                raise ConflictError(
                    f"{path} is not the file that was registered",
                    "Restore it, or register the model again.",
                )
        return load_model(self.folder, self.flavour)

    def predict(self, X: TrainingData | np.ndarray | pd.DataFrame) -> np.ndarray:
        """Class codes (int64), or values for a regression, shape (n,).

        A model that was trained on arrays without names of classes answers in its own way.

        Args:
            X: Samples: features in the order of ``columns`` (n, f) or (n, steps, f), or anything
                with columns of these names. A model without ``columns`` takes what it was trained
                on.

        Raises:
            InvalidInputError: Features are missing or the shape does not fit.

        Example:
            >>> len(model.predict(split.test)) == len(split.test.y)
            True
            >>> model.predict(pd.DataFrame({"red_median": [0.05], "nir_median": [0.4]})).shape
            (1,)
        """
        from eolab.models import flavours

        document = read(self.folder)
        frame = bool(document.get("frame"))
        samples = features(X, self.columns, frame=frame)
        model = self.load()
        answer = flavours.outputs(model, self.flavour, samples, self.columns)
        if self.classes:
            return flavours.classes(answer, self._output(document, model), self.classes)
        return answer.reshape(-1) if answer.size == len(samples) else answer

    def _output(self, document: Mapping[str, object], model: object) -> Output:
        """How its answers are read, as was decided; of older models by what they are built of."""
        from eolab.models import flavours

        output, logits = document.get("output"), document.get("logits")
        if isinstance(output, dict):
            return Output(kind=str(output.get("kind", "")), order=output.get("order") or ())
        declared = None
        if isinstance(logits, bool) and len(self.classes) == 2:
            declared = "logit" if logits else None
        return flavours.decide(model, self.flavour, self.classes, declared=declared)

    def predict_labels(self, X: TrainingData | np.ndarray | pd.DataFrame) -> np.ndarray:
        """Names of the predicted classes, shape (n,).

        Args:
            X: As in `predict`.

        Raises:
            ConflictError: The model has no classes (a regression).

        Example:
            >>> set(model.predict_labels(split.test)) <= set(model.classes)
            True
        """
        import numpy as np

        if not self.classes:
            raise ConflictError(f"{self.name!r} has no classes", "Use predict().")
        return np.take(np.asarray(self.classes), self.predict(X))

    def lineage(self) -> list[Ref]:
        """What it was made from, nearest first: study, view, commits, scenes.

        Example:
            >>> model.lineage()[0]
            Ref(kind='study', id='forest')
        """
        return lineage.upstream(self.root, self.ref)

    @property
    def ref(self) -> Ref:
        """Its node in the lineage graph.

        Example:
            >>> model.ref
            Ref(kind='model', id='crops/1')
        """
        return Ref("model", f"{self.name}/{self.version}")

    def _repr_html_(self) -> str:
        from html import escape

        metrics = "".join(
            f"<tr><td>{escape(name)}</td><td>{value:.4g}</td></tr>"
            for name, value in self.metrics.items()
        )
        aliases = f" ({', '.join(self.aliases)})" if self.aliases else ""
        title = f"{self.name} version {self.version}{aliases}"
        return f"<b>{escape(title)}</b><table>{metrics}</table>"


def read(folder: Path) -> dict[str, object]:
    """What `model.json` says; empty where the files are on another machine."""
    try:
        document = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def features(
    X: TrainingData | np.ndarray | pd.DataFrame, columns: tuple[str, ...], *, frame: bool = False
) -> np.ndarray | pd.DataFrame:
    """The features of ``X`` in the order in which the model learnt them; see `predicting.arrange`.

    Raises:
        InvalidInputError: One is missing or no number, or the shape does not fit.
    """
    from eolab.models import flavours
    from eolab.studies.worker import predicting
    from eolab.training_data import TrainingData

    given = tuple(str(name) for name in getattr(X, "columns", ()))
    for name in columns if given else ():
        if name not in given:
            raise InvalidInputError(
                f"feature {name!r} is missing", nearest(name, given, "features")
            )
    if isinstance(X, TrainingData):
        X = X.X[..., [given.index(name) for name in columns]] if columns else X.X
    with flavours.translated():
        return predicting.arrange(X, columns, frame=frame)
