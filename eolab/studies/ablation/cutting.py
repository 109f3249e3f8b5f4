"""Who takes parts out of a model: Keras models and PyTorch models have surgeons of their own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from eolab.errors import InvalidInputError
from eolab.studies.surgery.keras import Surgeon, Surgery
from eolab.studies.surgery.torch import TorchSurgeon


class Cutter(Protocol):
    """Tries out removals from one model.

    Attributes:
        names: Names of what can be asked for.
        parameters: Number of parameters of the whole model.
        flops: Floating-point operations of the whole model for one sample.
    """

    names: tuple[str, ...]
    parameters: int
    flops: int

    def remove(
        self, names: Sequence[str], *, project: bool = False, rebuild: bool = False
    ) -> Surgery[object]:
        """The model without these parts.

        Raises:
            InvalidInputError: They cannot go.
        """
        ...


def cutter_for(model: object, data: object) -> Cutter:
    """The surgeon that understands a model.

    Args:
        model: What `build` returned.
        data: What the train function gets, on which a PyTorch model is tried.

    Raises:
        InvalidInputError: Neither a Keras nor a PyTorch model, or one that its surgeon cannot read.
    """
    # Looked up, not imported: what made the model has loaded its library. Keras first, because
    # with PyTorch as its backend a Keras model is a PyTorch module too.
    keras, torch = sys.modules.get("keras"), sys.modules.get("torch")
    if keras is not None and isinstance(model, keras.Model):
        return Surgeon(model)
    if torch is not None and isinstance(model, torch.nn.Module):
        return TorchSurgeon(model, data)
    raise InvalidInputError(
        f"build returned a {type(model).__name__}, whose layers are unknown",
        "Return a Keras model or a torch.nn.Module.",
    )


def size_of(model: object, data: object) -> tuple[int, int] | None:
    """Number of parameters and FLOPs of one sample; None of a model that nobody can read."""
    try:
        cutter = cutter_for(model, data)
    except InvalidInputError:
        return None
    return cutter.parameters, cutter.flops
