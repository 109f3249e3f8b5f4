"""Whether a cube is of the kind that a model learnt from: sensor, quantity, unit, range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.extract.layer_facts import LayerFacts, layer_facts, sensor_of
from eolab.maps.predictor import MapModel
from eolab.maps.recipe import FeatureRecipe
from eolab.records import lineage
from eolab.records.lineage import Ref

if TYPE_CHECKING:
    import xarray as xr

FAR = 10.0
"""How many times the training range a median may lie beyond its ends."""
_ENOUGH = 20
_MOST = 20_000  # samples of which a median is as good as that of all


def learnt_facts(predictor: MapModel) -> LayerFacts:
    """What the commits and chips say that a model was made of."""
    name, _, version = predictor.label.rpartition("/")
    edges = list(lineage.edges(predictor.root))
    above = set(
        lineage.walk(Ref("model", f"{name}/{version}"), [(e.target, e.source) for e in edges])
    )
    said = [e.detail.get("layers") for e in edges if e.target in above]
    return LayerFacts.joined(LayerFacts.from_dict(each) for each in said if each)


def check_facts(
    predictor: MapModel, recipe: FeatureRecipe, cube: xr.Dataset, sensor: str | None
) -> None:
    """That a cube is of the sensor, quantity and unit that the model learnt from.

    What neither side says is not compared.

    Args:
        predictor: The model.
        recipe: Its features.
        cube: The cube, or a window of it.
        sensor: The sensor that the caller takes for as good as that of the training data.

    Raises:
        InvalidInputError: They differ.
    """
    learnt, here = learnt_facts(predictor), layer_facts(cube)
    others = here.sensors - learnt.sensors
    if sensor is not None:
        others -= {sensor_of(sensor)}
    if learnt.sensors and others:
        raise InvalidInputError(
            f"{predictor.label} learnt from {', '.join(sorted(learnt.sensors))}, the cube is of "
            f"{', '.join(sorted(others))}",
            f"Load scenes of the same sensor; where bands are alike, say sensor={min(others)!r}.",
        )
    for name, band in zip(recipe.names, recipe.bands, strict=True):
        before = learnt.bands.get(band) or learnt.bands.get(name) or {}
        now: Mapping[str, frozenset[str]] = here.bands.get(band) or {}
        for fact, word in (("quantity", "as"), ("unit", "in")):
            known, found = before.get(fact), now.get(fact)
            if known and found and not found <= known:
                raise InvalidInputError(
                    f"{predictor.label} learnt from {band} {word} {', '.join(sorted(known))}, the "
                    f"cube has it {word} {', '.join(sorted(found))}",
                    "Load it as for training: cube.eo.provenance() shows what was done to the "
                    "numbers.",
                )


def check_range(
    predictor: MapModel, columns: Sequence[str], X: np.ndarray, known: np.ndarray
) -> None:
    """That features are of the size that the model learnt from; a few samples say nothing.

    Args:
        predictor: The model.
        columns: Names of the features.
        X: Samples, shape (n, f) or (n, t, f).
        known: Which of them count, shape (n,).

    Raises:
        InvalidInputError: A feature's median lies far beyond all that the model has seen.
    """
    ranges, at = predictor.ranges, np.flatnonzero(known)
    if not ranges or len(at) < _ENOUGH:
        return
    some = X[at[:: max(len(at) // _MOST, 1)]].reshape(-1, X.shape[-1])
    for place, name in enumerate(columns):
        if name not in ranges:
            continue
        low, high = ranges[name]
        values = some[:, place]
        values = values[~np.isnan(values)]
        if not values.size:
            continue
        middle, span = float(np.median(values)), max(high - low, 1e-6 * max(abs(low), abs(high)))
        if not span:
            continue
        if not low - FAR * span <= middle <= high + FAR * span:
            raise InvalidInputError(
                f"{name} is about {middle:.4g} in the cube; {predictor.label} learnt from values "
                f"between {low:.4g} and {high:.4g}",
                "A scale, an offset or a unit differs: cube.eo.provenance() shows what was done to "
                "the numbers. force=True maps it all the same.",
            )
