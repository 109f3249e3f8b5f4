"""How columns of arrays become the X of samples: vectors (n, k), grids (n, h, w, c)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features import arrays

if TYPE_CHECKING:
    from eolab.features.queries.query import Query

Shape = tuple[int, ...]


def axes_of_features(query: Query) -> dict[str, int]:
    """The axes of the arrays of each feature; 0 for numbers."""
    return {
        part.prefix + name: arrays.axes_of(part.query.group.schema.field(name).type)
        for part in query.parts
        for name in part.query.columns
    }


def check(query: Query, transformed: Mapping[str, Sequence[str]], inputs: Sequence[str]) -> None:
    """A check that features that are arrays fit together, and with what a view makes of them.

    Args:
        query: The features.
        transformed: Transformations by feature.
        inputs: Features that functions ask for.

    Raises:
        InvalidInputError: They do not, or arrays are to be cut into steps.
    """
    axes = axes_of_features(query)
    found = [name for name, count in axes.items() if count]
    if not found:
        return
    if query.steps is not None:
        raise InvalidInputError(
            f"the feature {found[0]!r} is an array, and a sequence has one number a step",
            "Leave it out of the sequence, or insert its parts as columns.",
        )
    for name in found:
        if "onehot" in transformed.get(name, ()):
            raise InvalidInputError(
                f"'onehot' of the feature {name!r}, which holds arrays",
                "Arrays take the transformations of numbers, each channel by itself.",
            )
    known = {
        part.prefix + name: arrays.shape_of(part.query.group.schema.field(name).type) or ()
        for part in query.parts
        for name in part.query.columns
    }
    if all(known[name] for name in found):
        split_up = columns_of(known)
        for name in inputs:
            if split_up.get(name, (name,)) != (name,):
                raise InvalidInputError(
                    f"a function asks for {name!r}, of which each element is a feature",
                    "Functions take numbers, or arrays (h, w) of which each is one feature.",
                )


def columns_of(shapes: Mapping[str, Shape]) -> dict[str, tuple[str, ...]]:
    """The columns of X that each feature becomes; () is the shape of a number.

    Numbers and one array of one axis lie side by side, (n, f). Several arrays of one axis and one
    length, or of more axes on one grid, are the features of each of its places: (n, k, f) or
    (n, h, w, f), where an array (h, w, c) brings c of them.

    Raises:
        InvalidInputError: Shapes that make no one array.
    """
    vectors = [name for name, shape in shapes.items() if len(shape) == 1]
    grids = [name for name, shape in shapes.items() if len(shape) > 1]
    if grids or len(vectors) > 1:
        first = (grids or vectors)[0]
        # The last of three axes and more is that of the channels.
        place = {n: s[:-1] if len(s) > 2 else s for n, s in shapes.items()}
        for name, shape in shapes.items():
            if place[name] != place[first]:
                raise InvalidInputError(
                    f"the features {first!r} of shape {shapes[first]} and {name!r} of shape "
                    f"{shape or 'one number'} make no one array",
                    "Select arrays of one shape, or join them into one array before they are "
                    "inserted; numbers go with one array of one axis.",
                )
        if grids:
            return _distinct(
                {n: _channels(n, s[-1] if len(s) > 2 else 1) for n, s in shapes.items()}
            )
        return {name: (name,) for name in shapes}
    return _distinct({n: _channels(n, s[0]) if s else (n,) for n, s in shapes.items()})


def _channels(name: str, count: int) -> tuple[str, ...]:
    return (name,) if count == 1 else tuple(f"{name}_{i}" for i in range(count))


def _distinct(columns: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    seen: set[str] = set()
    for name, own in columns.items():
        twice = next((n for n in own if n in seen), None)
        if twice is not None:
            raise InvalidInputError(
                f"an element of an array and a feature are both called {twice!r}",
                f"Join {name!r} with a prefix, or rename the column.",
            )
        seen.update(own)
    return columns


def assembled(features: Mapping[str, np.ndarray]) -> tuple[np.ndarray, dict[str, tuple[str, ...]]]:
    """X of the features' values (n,) or (n, ...), and the columns that each became.

    Raises:
        InvalidInputError: Shapes that make no one array.
    """
    shapes = {name: values.shape[1:] for name, values in features.items()}
    columns = columns_of(shapes)
    several = len([s for s in shapes.values() if s]) > 1
    layers = []
    for shape, values in zip(shapes.values(), features.values(), strict=True):
        # One number a place is a channel of its own; vectors beside others are their elements.
        flat = len(shape) == 2 or not shape or (len(shape) == 1 and several)
        layers.append(values[..., None] if flat else values)
    return np.concatenate(layers, axis=-1), columns
