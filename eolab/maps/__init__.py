"""From a model to a map: a cube or scenes of a whole area, pixel by pixel or patch by patch.

    crops = model.predict(cube)
    made = model.predict_map(items, "crops.tif", composite="median")

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.maps.predicted_map import PredictedMap as PredictedMap

_HOMES = {"PredictedMap": "predicted_map"}

__all__ = ["PredictedMap"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'eolab.maps' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eolab.maps.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
