"""How right a map is and how large its classes are: samples, error matrices, areas with errors.

    points = eo.sample_design(map, target_se=0.01, expected_accuracy=0.9)
    result = eo.assess(map, points)  # once they are labelled

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.accuracy.assessing import assess as assess
    from eolab.accuracy.assessment import Assessment as Assessment
    from eolab.accuracy.sampling import sample_design as sample_design

_HOMES = {
    "Assessment": "assessment",
    "assess": "assessing",
    "sample_design": "sampling",
}

__all__ = ["Assessment", "assess", "sample_design"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'eolab.accuracy' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eolab.accuracy.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
