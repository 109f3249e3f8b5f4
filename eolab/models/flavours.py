"""Asking a model, whatever library it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Predictor(Protocol):
    """A loaded model as far as it is asked here."""

    def predict(self, X: np.ndarray, /) -> object: ...


def outputs(model: object, flavour: str, X: np.ndarray, columns: Sequence[str] = ()) -> np.ndarray:
    """What the model says of each sample: shape (n,) or (n, outputs).

    Args:
        model: As it was loaded.
        flavour: Its library.
        X: Samples, shape (n, f) or (n, steps, f).
        columns: Names of the features: a model that picks them by name gets a data frame.

    Raises:
        InvalidInputError: It cannot be asked, or does not take data of this shape.
    """
    import numpy as np

    if flavour == "torch":
        import torch

        assert isinstance(model, torch.nn.Module)
        model.eval()
        with torch.no_grad():
            return np.asarray(model(torch.as_tensor(X)).cpu().numpy())
    ask = getattr(model, "predict", None)
    if ask is None and callable(model):
        ask = model
    if ask is None:
        raise InvalidInputError(
            f"a {type(model).__name__} cannot predict",
            "Keep a model with .predict(X), or a function.",
        )
    if flavour == "keras":
        return _asked(lambda: ask(X, verbose=0))
    named = X.ndim == 2 and len(columns) == X.shape[1]
    if named and getattr(model, "feature_names_in_", None) is not None:
        return _asked(lambda: ask(_frame(X, columns)))
    try:
        return _asked(lambda: ask(X))
    except InvalidInputError:
        if not named:
            raise
        try:
            # A pipeline that picks columns by name and does not say which it has seen.
            return _asked(lambda: ask(_frame(X, columns)))
        except InvalidInputError:
            pass
        raise


def _asked(ask: Callable[[], object]) -> np.ndarray:
    import numpy as np

    try:
        return np.asarray(ask())
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise InvalidInputError(
            f"the model does not take this data: {error}", "Give data as it was trained on."
        ) from error


def _frame(X: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(X, columns=list(columns))


def gives_logits(model: object, flavour: str, answer: np.ndarray | None) -> bool | None:
    """Whether a model's one output for two classes is a logit rather than a probability.

    The last layer of a network of layers in a row tells; of others, whose layers stand in the order
    in which they were made, their answers do, as a value outside [0, 1] is no probability. None
    where neither does.
    """
    import numpy as np

    if flavour == "keras" and type(model).__name__ in {"Sequential", "Functional"}:
        last = getattr(model, "layers", [None])[-1]
        name = getattr(getattr(last, "activation", None), "__name__", "")
        if name in {"linear", "sigmoid"}:
            return bool(name == "linear")
    if flavour == "torch" and type(model).__name__ == "Sequential":
        kinds = [type(part).__name__ for part in getattr(model, "modules", list)()]
        if kinds and kinds[-1] in {"Linear", "Sigmoid"}:
            return kinds[-1] == "Linear"
    if answer is None or answer.size == 0 or not np.issubdtype(answer.dtype, np.floating):
        return None
    return bool(((answer < 0) | (answer > 1)).any())


def classes(answer: np.ndarray, names: Sequence[str], *, logits: bool | None = None) -> np.ndarray:
    """Class codes, shape (n,), from what a model says.

    Args:
        answer: Codes, names of classes, a score a class, or one probability or logit (two classes).
        names: The classes in the order of their codes.
        logits: Whether one number for two classes is a logit; None to take it for one where it is
            no probability.

    Raises:
        InvalidInputError: It is none of these, or is not a number.
    """
    import numpy as np

    count = len(names)
    if answer.ndim > 2:
        raise InvalidInputError(
            f"the model's answer has shape {answer.shape}", "One answer a sample is wanted."
        )
    if np.issubdtype(answer.dtype, np.floating) and np.isnan(answer).any():
        lost = int(np.isnan(answer.reshape(len(answer), -1)).any(axis=1).sum())
        raise InvalidInputError(
            f"the model's answer is not a number for {lost} of {len(answer)} samples",
            "Fill missing values in its input, or train it on data with such.",
        )
    if answer.ndim == 2 and answer.shape[1] > 1:
        if count and answer.shape[1] != count:
            raise InvalidInputError(
                f"the model gives {answer.shape[1]} scores for {count} classes",
                "Give its last layer one output a class.",
            )
        return np.asarray(answer.argmax(axis=1), dtype=np.int64)
    flat = answer.reshape(-1)
    if flat.dtype.kind in "OUS":
        return _codes_of(flat, names)
    if count == 2 and np.issubdtype(flat.dtype, np.floating):
        if logits is None:
            logits = bool(((flat < 0) | (flat > 1)).any())
        return np.asarray(flat >= (0 if logits else 0.5), dtype=np.int64)
    codes = flat.astype(np.int64)
    if (codes != flat).any():
        raise InvalidInputError(
            f"the model gives one number such as {flat[codes != flat][0]} for {count} classes",
            "Let it give the class code, or one output a class.",
        )
    if count and ((codes < 0) | (codes >= count)).any():
        # Fitted on numbers that are the classes' names.
        return _codes_of(codes.astype(str), names)
    return np.asarray(codes, dtype=np.int64)


def _codes_of(said: np.ndarray, names: Sequence[str]) -> np.ndarray:
    import numpy as np

    known = {name: code for code, name in enumerate(names)}
    for label in map(str, np.unique(said.astype(str))):
        if label not in known:
            raise InvalidInputError(
                f"the model says {label!r}, which is none of the {len(names)} classes",
                nearest(label, tuple(names), "classes"),
            )
    return np.array([known[str(label)] for label in said], dtype=np.int64)
