"""Types of plain JSON: the words in which answers of the server are written down.

Domains say with them what their bodies look like (`TypedDict`s, beside what makes them);
`eolab.server.contract` collects these. A body's class ends in `Json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias


class Items:
    """Marks a sequence of a fixed length: one type for each place.

    Args:
        types: What stands at each place.
    """

    def __init__(self, *types: object) -> None:
        self.types = types


Json: TypeAlias = Annotated[object, "any JSON value"]
Scalar: TypeAlias = str | float | bool | None
Point: TypeAlias = Annotated[Sequence[float | None], Items(float, float | None)]
"""A step (or a time) and a value, which is unknown where it is None."""
Position: TypeAlias = Annotated[Sequence[float], Items(float, float)]
"""Longitude and latitude."""
BBox: TypeAlias = Annotated[Sequence[float], Items(float, float, float, float)]
"""West, south, east, north in degrees."""
