"""Asking a saved model, and reading its answers as was decided when it was registered.

This file travels: with `trial_process.py` to machines without eolab, and with each registered model
(as `code/eolab_predicting.py`, by which MLflow asks it). Standard library and NumPy only.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Output(TypedDict, total=False):
    """What a model says of a sample, decided once.

    Attributes:
        kind: "codes" (of classes), "labels" (their names), "scores" (one a class), "probability"
            or "logit" (of the second of two classes), "indicator" (a number about 0 or 1, as a
            regression on codes gives it), "value" (no classes), or "" where nobody has seen it:
            its shape and type decide, never its values.
        order: Class codes in the order of scores; for one number the two codes it stands between.
    """

    kind: str
    order: Sequence[int]


class AnswerError(ValueError):
    """A model does not take this data, or says what it should not; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Predictor(Protocol):
    """A loaded model as far as it is asked here."""

    def predict(self, X: np.ndarray, /) -> object: ...


def outputs(
    model: object, flavour: str, X: np.ndarray | pd.DataFrame, columns: Sequence[str] = ()
) -> np.ndarray:
    """What the model says of each sample: shape (n,) or (n, outputs).

    Args:
        model: As it was loaded.
        flavour: Its library.
        X: Samples, shape (n, f) or (n, steps, f), or a data frame for models that learnt from one.
        columns: Names of the features: a model that picks them by name gets a data frame.

    Raises:
        AnswerError: It cannot be asked, or does not take data of this shape.
    """
    import numpy as np

    if flavour == "torch":
        import torch

        assert isinstance(model, torch.nn.Module)
        model.eval()

        def forward() -> object:
            with torch.no_grad():
                return model(torch.as_tensor(np.asarray(X))).cpu().numpy()

        return _asked(forward)
    ask = getattr(model, "predict", None)
    if ask is None and callable(model):
        ask = model
    if ask is None:
        raise AnswerError(
            f"a {type(model).__name__} cannot predict",
            "Keep a model with .predict(X), or a function.",
        )
    if flavour == "keras":
        return _asked(lambda: ask(X, verbose=0))
    if not isinstance(X, np.ndarray):
        return _asked(lambda: ask(X))
    named = X.ndim == 2 and len(columns) == X.shape[1]
    owner = getattr(ask, "__self__", model)
    if named and getattr(owner, "feature_names_in_", None) is not None:
        return _asked(lambda: ask(_frame(X, columns)))
    try:
        return _asked(lambda: ask(X))
    except AnswerError:
        if not named:
            raise
        try:
            # A pipeline that picks columns by name and does not say which it has seen.
            return _asked(lambda: ask(_frame(X, columns)))
        except AnswerError:
            pass
        raise


def _asked(ask: Callable[[], object]) -> np.ndarray:
    import numpy as np

    try:
        return np.asarray(ask())
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError) as error:
        raise AnswerError(
            f"the model does not take this data: {error}", "Give data as it was trained on."
        ) from error


def _frame(X: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(X, columns=list(columns))


# -- what goes in --------------------------------------------------------------------------


def arrange(X: object, columns: Sequence[str], *, frame: bool) -> np.ndarray | pd.DataFrame:
    """The features of ``X`` in the order in which the model learnt them.

    Args:
        X: A data frame, or anything that becomes an array of shape (n, f) or (n, steps, f).
        columns: Names of the features; without names ``X`` is taken as it is.
        frame: Whether the model learnt from a data frame: it gets one, its types untouched;
            else float32.

    Raises:
        AnswerError: A feature is missing, there twice or no number, or the shape does not fit.
    """
    import numpy as np

    if isinstance(X, np.ma.MaskedArray) and X.dtype.kind in "biuf":
        # What is masked is missing, never the number below it.
        X = np.ma.filled(X.astype(np.result_type(X.dtype, np.float32)), np.nan)
    if not columns:
        return np.asarray(X)
    labels = getattr(X, "columns", None)
    if labels is None:
        X = _in_order(X, columns)
        array = np.asarray(X) if frame else _numbers(X, columns)
        if array.ndim < 2 or array.shape[-1] != len(columns):
            raise AnswerError(
                f"data of shape {array.shape} does not fit {len(columns)} features",
                "Give one row a sample, one column a feature: " + ", ".join(columns[:12]),
            )
        return _frame(array, columns) if frame else array
    given = [str(label) for label in labels]
    for name in columns:
        if given.count(name) != 1:
            times = "is missing" if name not in given else f"is there {given.count(name)} times"
            raise AnswerError(f"feature {name!r} {times}", "Name each feature once.")
    places = [given.index(name) for name in columns]
    import pandas as pd

    # A polars frame, say, has columns and no places.
    known = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    picked = known.iloc[:, places]
    return picked.set_axis(list(columns), axis=1) if frame else _numbers(picked, columns)


def _in_order(X: object, columns: Sequence[str]) -> object:
    """A labelled array (of xarray) whose last axis names the features, in their order."""
    import numpy as np

    dims, coords = getattr(X, "dims", None), getattr(X, "coords", None)
    if not dims or coords is None or dims[-1] not in coords:
        return X
    given = [str(label) for label in np.asarray(coords[dims[-1]]).tolist()]
    if not set(given) & set(columns):  # numbers, or names of something else
        return X
    for name in columns:
        if given.count(name) != 1:
            times = "is missing" if name not in given else f"is there {given.count(name)} times"
            raise AnswerError(f"feature {name!r} {times}", "Name each feature once.")
    return np.asarray(X)[..., [given.index(name) for name in columns]]


def _numbers(X: object, columns: Sequence[str]) -> np.ndarray:
    import numpy as np

    if np.asarray(X).dtype.kind == "c":
        raise AnswerError("the data are complex numbers", "Give real ones: np.abs(X), X.real.")
    try:
        return np.asarray(X, dtype=np.float32)
    except (ValueError, TypeError) as error:
        for place, name in enumerate(columns):
            try:
                values = X.iloc[:, place] if hasattr(X, "iloc") else np.asarray(X)[..., place]
                np.asarray(values, dtype=np.float32)
            except (ValueError, TypeError, IndexError):
                raise AnswerError(
                    f"feature {name!r} is not a number throughout: {error}",
                    "The model learnt from numbers: encode text as it was encoded then, "
                    "and give missing values as NaN.",
                ) from error
        raise AnswerError(f"the data are no numbers: {error}", "Give an array.") from error


# -- what comes out ------------------------------------------------------------------------


def decode(answer: np.ndarray, output: Output, names: Sequence[str]) -> np.ndarray:
    """Class codes, shape (n,), from what a model says.

    Args:
        answer: What `outputs` gives.
        output: How it is read.
        names: The classes in the order of their codes.

    Raises:
        AnswerError: It is not what was decided, or is not a number.
    """
    import numpy as np

    check_numbers(answer)
    kind, order = output.get("kind", ""), np.asarray(output.get("order") or range(len(names)))
    wide = answer.ndim == 2 and answer.shape[1] > 1
    if kind == "scores" or (not kind and wide):
        if answer.ndim != 2 or answer.shape[1] != len(order):
            count = answer.shape[1] if answer.ndim == 2 else 1
            raise AnswerError(
                f"the model gives {count} scores for {len(order)} classes",
                "Give its last layer one output a class.",
            )
        return np.asarray(order[answer.argmax(axis=1)], dtype=np.int64)
    if wide:
        raise AnswerError(
            f"the model's answer has shape {answer.shape}", "One answer a sample is wanted."
        )
    flat = answer.reshape(-1)
    if kind == "labels" or (not kind and flat.dtype.kind in "OUS"):
        return labels_to_codes(flat, names)
    if kind in {"probability", "logit", "indicator"}:
        return _between(flat, kind, order)
    if not kind and flat.dtype.kind == "f" and len(names) == 2:
        return _between(flat, "probability", order)
    if not kind and flat.dtype.kind in "iu" and numbered(names):
        raise AnswerError(
            "the model says whole numbers, and the classes are named by other ones: "
            f"{', '.join(names[:6])}",
            'Register it with output="codes" or output="labels", or with test=.',
        )
    if flat.dtype.kind not in "iufb":
        return labels_to_codes(flat, names)
    codes = flat.astype(np.int64)
    if (codes != flat).any():
        raise AnswerError(
            f"the model gives one number such as {flat[codes != flat][0]} for {len(names)} classes",
            "Let it give the class code, or one output a class.",
        )
    if ((codes < 0) | (codes >= len(names))).any():
        wrong = codes[(codes < 0) | (codes >= len(names))][0]
        raise AnswerError(
            f"the model says '{wrong}', which is none of the {len(names)} classes",
            f"Codes go from 0 to {len(names) - 1}.",
        )
    return codes


def check_numbers(answer: np.ndarray) -> None:
    """That there is one answer a sample, or some, and no NaN among them."""
    import numpy as np

    if answer.ndim > 2 or answer.ndim == 0:
        raise AnswerError(
            f"the model's answer has shape {answer.shape}", "One answer a sample is wanted."
        )
    if answer.dtype.kind == "f" and np.isnan(answer).any():
        lost = int(np.isnan(answer.reshape(len(answer), -1)).any(axis=1).sum())
        raise AnswerError(
            f"the model's answer is not a number for {lost} of {len(answer)} samples",
            "Fill missing values in its input, or train it on data with such.",
        )


def _between(flat: np.ndarray, kind: str, order: np.ndarray) -> np.ndarray:
    import numpy as np

    if flat.dtype.kind not in "iufb":
        raise AnswerError(
            f"the model says {flat[0]!r}, and was registered as one that gives a {kind}",
            'Register it again with output="labels".',
        )
    outside = flat[(flat < -1e-4) | (flat > 1 + 1e-4)]
    if kind == "probability" and len(outside):
        raise AnswerError(
            f"the model says {outside[0]}, which is no probability, as it was registered",
            "If its output is a logit, register it again with logits=True.",
        )
    said = flat >= (0 if kind == "logit" else 0.5)
    return np.asarray(order[said.astype(int)], dtype=np.int64)


def numbered(names: Sequence[str]) -> bool:
    """Whether some class is named by a whole number that is not its code."""
    values = [_value(name) for name in names]
    return any(v is not None and v == int(v) and v != code for code, v in enumerate(values))


def _value(text: str) -> float | None:
    folded = text.strip().casefold()
    if folded in {"true", "false"}:
        return float(folded == "true")
    try:
        value = float(folded)
    except ValueError:
        return None
    return value if abs(value) < 2**53 else None


def labels_to_codes(said: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The codes of labels: by the very text, else by the number that both are (1.0 is "1").

    Raises:
        AnswerError: One is no class.
    """
    import numpy as np

    exact = {name: code for code, name in enumerate(names)}
    numbers: dict[float, list[int]] = {}
    for name, code in exact.items():
        value = _value(name)
        if value is not None:
            numbers.setdefault(value, []).append(code)
    found: dict[str, int] = {}
    for label in map(str, np.unique(said.astype(str))):
        value = _value(label)
        alike = numbers.get(value, []) if value is not None else []
        if label not in exact and len(alike) != 1:
            raise AnswerError(
                f"the model says {label!r}, which is none of the {len(names)} classes",
                f"Classes: {', '.join(names[:12])}.",
            )
        found[label] = exact[label] if label in exact else alike[0]
    return np.array([found[str(label)] for label in said.astype(str)], dtype=np.int64)


# -- a registered model in an environment without eolab ------------------------------------


class Portable:
    """A registered model as MLflow asks it: what `ModelVersion.predict` says, without eolab."""

    def __init__(self, folder: Path) -> None:
        about: Mapping[str, object] = json.loads((folder / "model.json").read_text())
        self._flavour = str(about["flavour"])
        self._columns = _texts(about.get("columns"))
        self._names = _texts(about.get("classes"))
        output = about.get("output")
        self._output = Output()
        if isinstance(output, dict) and "kind" in output:
            self._output["kind"] = output["kind"]
        if isinstance(output, dict) and "order" in output:
            self._output["order"] = output["order"]
        self._frame = bool(about.get("frame"))
        self._model = load(folder, self._flavour)

    def predict(self, X: object, params: object = None) -> np.ndarray:
        """Class codes, or values of a regression, shape (n,)."""
        del params  # MLflow gives them; there are none
        samples = arrange(X, self._columns, frame=self._frame)
        answer = outputs(self._model, self._flavour, samples, self._columns)
        if self._names:
            return decode(answer, self._output, self._names)
        return answer.reshape(-1) if answer.size == len(samples) else answer


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, (list, tuple)) else ()


def load(folder: Path, flavour: str) -> object:
    """The model in a folder (its library is imported now)."""
    if flavour == "keras":
        import keras

        custom: dict[str, object] = {}
        if (folder / "custom_objects.pkl").is_file():
            with (folder / "custom_objects.pkl").open("rb") as file:
                custom = pickle.load(file)
        return keras.saving.load_model(folder / "model.keras", custom_objects=custom)
    with (folder / "model.pkl").open("rb") as file:
        return pickle.load(file)


def _load_pyfunc(path: str) -> Portable:
    """What MLflow calls."""
    return Portable(Path(path))
