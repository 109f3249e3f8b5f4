"""Asking a model, whatever library it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np


class Predictor(Protocol):
    """A loaded model as far as it is asked here."""

    def predict(self, X: np.ndarray, /) -> object: ...


def outputs(model: object, flavour: str, X: np.ndarray) -> np.ndarray:
    """What the model says of each sample: shape (n,) or (n, outputs).

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
    try:
        result = ask(X, verbose=0) if flavour == "keras" else ask(X)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"the model does not take this data: {error}", "Give data as it was trained on."
        ) from error
    return np.asarray(result)


def classes(answer: np.ndarray, count: int) -> np.ndarray:
    """Class codes, shape (n,), from codes, scores a class, or one probability (two classes).

    Raises:
        InvalidInputError: The shape fits neither.
    """
    import numpy as np

    if answer.ndim == 2 and answer.shape[1] > 1:
        if count and answer.shape[1] != count:
            raise InvalidInputError(
                f"the model gives {answer.shape[1]} scores for {count} classes",
                "Give its last layer one output a class.",
            )
        return np.asarray(answer.argmax(axis=1), dtype=np.int64)
    flat = answer.reshape(-1) if answer.ndim <= 2 else None
    if flat is None:
        raise InvalidInputError(
            f"the model's answer has shape {answer.shape}", "One answer a sample is wanted."
        )
    if count == 2 and np.issubdtype(flat.dtype, np.floating) and ((flat >= 0) & (flat <= 1)).all():
        return np.asarray(flat >= 0.5, dtype=np.int64)
    return np.asarray(flat, dtype=np.int64)
