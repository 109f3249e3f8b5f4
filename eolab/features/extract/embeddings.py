"""Vectors that a model gives of patches, as rows of a feature group."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.frame_attrs import MODEL
from eolab.progress import track

if TYPE_CHECKING:
    import pandas as pd

    from eolab.features.extract.chips import Chips


def embeddings(
    chips: Chips,
    encode: Callable[[np.ndarray], object],
    *,
    model: str,
    batch_size: int = 32,
) -> pd.DataFrame:
    """One row a patch and model with the vector that the model gives of it.

    Make their group with ``primary_key=["chip_id", "model"]``: vectors of another version are other
    rows, so a new version never overwrites or mixes with what an old one saw.

    Args:
        chips: The patches.
        encode: From patches (n, t, size, size, bands), float32 with NaN where nothing was seen, to
            vectors (n, d); the part of a network before its last layer, for example.
        model: Which model in which version: "prithvi/2", or a registered one's name and version.
        batch_size: Patches at once in memory.

    Returns:
        ``chip_id``, ``model``, ``x``, ``y`` (the patch's centre) and ``e0`` ... ``e<d-1>``,
        float32. The scenes and the model are recorded as the origin of the commit.

    Raises:
        InvalidInputError: A model without a version, or vectors of a wrong shape.
    """
    import pandas as pd

    name, _, version = model.rpartition("/")
    if not name or not version:
        raise InvalidInputError(
            f"model={model!r} names no version", "Write name and version: model='prithvi/2'."
        )
    if batch_size < 1:
        raise InvalidInputError(f"batch_size={batch_size}", "Give 1 or more.")
    parts: list[np.ndarray] = []
    for start in track(range(0, len(chips), batch_size), "Embeddings"):
        batch = np.stack([chips[i][0] for i in range(start, min(start + batch_size, len(chips)))])
        vectors = np.asarray(encode(batch), dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(batch):
            raise InvalidInputError(
                f"encode gave shape {vectors.shape} for {len(batch)} patches",
                "It must give one vector a patch: shape (n, d).",
            )
        if parts and parts[0].shape[1] != vectors.shape[1]:
            raise InvalidInputError(
                f"encode gave vectors of {parts[0].shape[1]} and of {vectors.shape[1]} numbers",
                "All vectors of a model have one length.",
            )
        parts.append(vectors)
    places = chips.places()
    places.insert(1, "model", model)
    values = np.concatenate(parts)
    columns = pd.DataFrame(values, columns=[f"e{i}" for i in range(values.shape[1])])
    out = pd.concat([places, columns], axis=1)
    out.attrs.update({**places.attrs, MODEL: model})
    return out
