"""A model as a map asks it, whatever registry or library it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class PixelAnswer:
    """What a model says of some samples.

    Attributes:
        values: Class codes (int64), or numbers of a regression, shape (n,).
        probabilities: Of each class in the order of the codes, float32, shape (n, k); None where
            the model gives none.
    """

    values: np.ndarray
    probabilities: np.ndarray | None = None


class MapModel(Protocol):
    """A loaded model.

    `ask` may be called by several threads at once.
    """

    @property
    def label(self) -> str:
        """Name and version: "crops/1"."""

    @property
    def architecture(self) -> str:
        """What it is: "RandomForestClassifier"."""

    @property
    def framework(self) -> str:
        """Its library, as the MLM extension calls it."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def steps(self) -> tuple[str, ...]: ...
    @property
    def source(self) -> Mapping[str, object]:
        """Where the data came from that it learnt from: view, version, transformations."""

    @property
    def root(self) -> Path:
        """The workspace."""

    @property
    def digest(self) -> str:
        """Of its files."""

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Least and largest value of features that it learnt from; empty where nobody noted it."""

    def ask(self, X: np.ndarray) -> PixelAnswer:
        """Its answers for samples, shape (n, f) or (n, steps, f), without a missing value."""

    def patch_shape(self) -> tuple[int | None, ...] | None:
        """Of a network that looks around: its input without the batch; None of others."""

    def ask_patches(self, X: np.ndarray) -> np.ndarray:
        """Probabilities of each pixel of patches, float32, shape (n, h, w, k)."""
