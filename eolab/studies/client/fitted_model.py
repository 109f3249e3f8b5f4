"""The best trial, fitted once more: a model on disk with where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eolab.errors import ConfigError, ConflictError, InvalidInputError, NotFoundError
from eolab.studies.journal.answers import Params
from eolab.studies.worker.tensorflow_notes import without_notes

FORMAT = 1
FILE = "fitted.json"
CUSTOM_OBJECTS = "custom_objects.pkl"  # as the child writes it
# The file in which each flavour is saved (`refitting` writes it).
FILES = {
    "keras": "model.keras",
    "sklearn": "model.pkl",
    "torch": "model.pkl",
    "pickle": "model.pkl",
}


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
        frame: Whether it learnt from a data frame, which it is given again, its types untouched.

    Example:
        >>> fitted.flavour, fitted.study
        ('sklearn', 'forest')
        >>> type(fitted.load()).__name__
        'RandomForestClassifier'
    """

    folder: Path
    flavour: str
    params: Params
    study: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    data_digest: str = ""
    source: Mapping[str, object] = field(default_factory=dict)
    file: str = "model.pkl"
    frame: bool = False

    @staticmethod
    def read(folder: Path) -> FittedModel:
        """Read `fitted.json`.

        Raises:
            NotFoundError: There is no fitted model in the folder.
            ConflictError: It was written by a newer eolab.
        """
        try:
            document = json.loads((folder / FILE).read_text())
        except FileNotFoundError:
            raise NotFoundError(f"no fitted model in {folder}", "Call study.refit().") from None
        if document.pop("format") != FORMAT:
            raise ConflictError(f"{folder / FILE} has another format", "Upgrade eolab.")
        for name in ("columns", "classes", "steps"):
            document[name] = tuple(document[name])
        return FittedModel(folder=folder, **document)

    def load(self) -> object:
        """The model itself (its library is imported now); see `load_model` for the errors.

        A class of your own module is the one of the fit: ``isinstance`` against yours is False.
        """
        return load_model(self.folder, self.flavour)


def model_file(folder: Path, flavour: str) -> Path:
    """The file of a saved model.

    Raises:
        InvalidInputError: An unknown flavour.
        ConflictError: The file is not there.
    """
    if flavour not in FILES:
        raise InvalidInputError(
            f"models of flavour {flavour!r} are not known", f"Known: {', '.join(FILES)}."
        )
    path = folder / FILES[flavour]
    if not path.is_file():
        raise ConflictError(f"{path} is not there", "Refit the study: study.refit().")
    return path


def _custom_objects(folder: Path) -> dict[str, object]:
    """The layers, losses and functions of the user's own that a Keras model is built of."""
    import pickle

    try:
        with (folder / CUSTOM_OBJECTS).open("rb") as file:
            found: dict[str, object] = pickle.load(file)
    except FileNotFoundError:  # none, or saved by an older version
        return {}
    return found


def load_model(folder: Path, flavour: str) -> object:
    """The model object itself.

    A pickle runs code when it is read: only the workspace's own files come here, and the registry
    checks their digest first.

    Raises:
        ConfigError: The library of this flavour is not installed.
        ConflictError: The file cannot be read.
    """
    path = model_file(folder, flavour)
    try:
        if flavour == "keras":
            with without_notes():
                import keras

            return keras.saving.load_model(path, custom_objects=_custom_objects(folder))
        import pickle

        with path.open("rb") as file:
            return pickle.load(file)
    except ImportError as error:
        raise ConfigError(
            f"this model needs {error.name or error}, which is not installed",
            "Install it, or load the model where it was trained.",
        ) from error
    except (OSError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise ConflictError(
            f"{path} cannot be read: {error}", "Was it made by other versions?"
        ) from error
