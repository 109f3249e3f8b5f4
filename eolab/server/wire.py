"""JSON that every browser reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

API = 3
"""Version of what the panels and the server say to each other; `v1` in the address stays, so that
halves of two versions can say that they differ."""


def to_json(value: object) -> str:
    """Compact JSON; NaN and infinities become null, NumPy's scalars plain numbers."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError):
        return json.dumps(plain(value), allow_nan=False, separators=(",", ":"))


def plain(value: object) -> object:
    """``value`` with only what JSON has.

    Raises:
        TypeError: Something that has no JSON form.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} has no JSON form")
