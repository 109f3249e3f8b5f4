"""The best trial, fitted once more: a model on disk with where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eolab.errors import Conflict, NotFound

FORMAT = 1
FILE = "fitted.json"


@dataclass(frozen=True)
class FittedModel:
    """A model in ``folder``, written by the child that trained it.

    Attributes:
        folder: Where the model's files and `fitted.json` are.
        flavour: "keras", "sklearn", "torch" or "pickle": how it was saved.
        params: Hyperparameters of the best trial.
        study: Name of the study, or None.
        metrics: What the best trial measured while tuning (the refit itself measures nothing).
        columns: Names of the features, in order.
        classes: Names of the classes, in the order of their codes.
        steps: For sequences, the label of each step.
        data_digest: Digest of the data that it learnt from.
        source: Where that data comes from: view, version, split.
        file: The model's file in ``folder``.
    """

    folder: Path
    flavour: str
    params: Mapping[str, Any]
    study: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    data_digest: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    file: str = "model.pkl"

    @staticmethod
    def read(folder: Path) -> FittedModel:
        """Read `fitted.json`.

        Raises:
            NotFound: There is no fitted model in the folder.
            Conflict: It was written by a newer eolab.
        """
        try:
            document = json.loads((folder / FILE).read_text())
        except FileNotFoundError:
            raise NotFound(f"no fitted model in {folder}", "Call study.refit().") from None
        if document.pop("format") != FORMAT:
            raise Conflict(f"{folder / FILE} has another format", "Upgrade eolab.")
        for name in ("columns", "classes", "steps"):
            document[name] = tuple(document[name])
        return FittedModel(folder=folder, **document)

    def load(self) -> object:
        """The model itself (its library is imported now)."""
        path = self.folder / self.file
        if self.flavour == "keras":
            import keras

            return keras.models.load_model(path)
        import cloudpickle

        with path.open("rb") as file:
            return cloudpickle.load(file)
