"""Three inputs of the demo, each brought to the same thing: a feature view and its blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import BadInput, nearest

if TYPE_CHECKING:
    import pandas as pd

    from eolab.facade import Workspace
    from eolab.features import Blocks, FeatureView

Say = Callable[[str], None]


@dataclass(frozen=True)
class Case:
    """What an input gave, ready to be tuned on.

    Attributes:
        name: Name of study and model.
        view: Features with labels.
        blocks: How the region is cut for train, validation and test.
        items: Scenes used after the cloud filter; None for a table.
        pixels: Valid pixel observations that the features were made from; None for a table.
        rows: Rows in the feature groups.
        folds: Number of outer block folds; 0 means one held-out test part.
        minimum: A class with fewer samples is left out by name.
        caution: A sentence that must stand beside the figures.
    """

    name: str
    view: FeatureView
    blocks: Blocks
    items: int | None
    pixels: int | None
    rows: int
    folds: int
    minimum: int
    caution: str
