"""Networks that look around: patches on one grid for the whole map, probabilities feathered.

Patches overlap, and where they do their probabilities are averaged with weights that fall towards a
patch's edge; the class is that of the highest average, and classes are never averaged. Where
patches lie goes by the cube alone, so that a map is the same however it is tiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.argument_checks import plain
from eolab.errors import InvalidInputError
from eolab.features.extract.cube_layout import known_numbers
from eolab.maps.checks import check_range
from eolab.maps.layers import MapLayers, MapTile
from eolab.maps.predictor import MapModel

if TYPE_CHECKING:
    import xarray as xr

_BATCH = 16


@dataclass(frozen=True)
class PatchPlan:
    """How a network sees a cube.

    Attributes:
        height, width: Of a patch in pixels.
        dates: That it takes; None where it takes no time.
        bands: Of the cube, in the network's order.
        fill: What stood for missing values in training; None leaves out patches with any.
    """

    height: int
    width: int
    dates: int | None
    bands: tuple[str, ...]
    fill: float | None = None

    def check(self, cube: xr.Dataset) -> None:
        """Raises: InvalidInputError: The cube is smaller than a patch, or has other dates."""
        if cube.sizes["y"] < self.height or cube.sizes["x"] < self.width:
            raise InvalidInputError(
                f"the network sees patches of {self.height} x {self.width} pixels, and there are "
                f"only {cube.sizes['y']} x {cube.sizes['x']}",
                "Map a larger area.",
            )
        found = cube.sizes.get("time")
        if found != self.dates:
            wanted = "one date" if self.dates is None else f"{self.dates} dates"
            raise InvalidInputError(
                f"the network takes {wanted}, and there are {found or 'none'}",
                "Select the dates that it was trained on: cube.isel(time=...).",
            )


def plan_of(predictor: MapModel, bands: tuple[str, ...], fill: float | None) -> PatchPlan | None:
    """How a network sees a cube; None for a model that takes pixels.

    Args:
        predictor: The model.
        bands: Of the cube, in the order of its features.
        fill: What stood for missing values in training.

    Raises:
        InvalidInputError: Its patches have no size, or other bands; ``fill`` for another model.
    """
    shape = predictor.patch_shape()
    if shape is None:
        if fill is not None:
            raise InvalidInputError(
                f"fill={fill!r} is for networks on patches, and {predictor.label} takes pixels",
                "Leave it out: a view's transformation 'impute' fills, as it did in training.",
            )
        return None
    if fill is not None:
        number = plain(fill)
        if not isinstance(number, int | float) or not np.isfinite(number):
            raise InvalidInputError(f"fill={fill!r} is no number", "Give what stood there: fill=0.")
        fill = float(number)
    *front, height, width, count = shape
    if height is None or width is None or not predictor.classes:
        what = "no classes" if not predictor.classes else "patches of any size"
        raise InvalidInputError(
            f"{predictor.label} has {what}, so nobody knows what to ask it",
            "Train it on a dataset of chips (create_chip_dataset), which says both.",
        )
    if count is not None and count != len(bands):
        raise InvalidInputError(
            f"the network takes {count} bands, and {len(bands)} are named: {', '.join(bands)}",
            "Train it on chips of the bands that it takes.",
        )
    return PatchPlan(height, width, front[0] if front else None, bands, fill)


def predict_patches(
    predictor: MapModel,
    plan: PatchPlan,
    cube: xr.Dataset,
    rows: slice,
    columns: slice,
    *,
    force: bool = False,
) -> MapTile:
    """The prediction of a part of a cube, from all patches of the cube that reach into it.

    Args:
        predictor: The network.
        plan: How it sees the cube.
        cube: All of it, best lazy: only what is needed is read.
        rows: Those of the part.
        columns: Those of the part.
        force: Also where values are far from all that the network has seen.

    Raises:
        InvalidInputError: They are, and ``force`` is not said.
    """
    layers = MapLayers(predictor.classes)
    tops = _starts(cube.sizes["y"], plan.height, rows)
    lefts = _starts(cube.sizes["x"], plan.width, columns)
    around = {
        "y": slice(tops[0], tops[-1] + plan.height),
        "x": slice(lefts[0], lefts[-1] + plan.width),
    }
    window = cube[list(dict.fromkeys(plan.bands))].isel(around)
    values = _stacked(window.compute() if window.chunks else window, plan)
    missing = ~np.isfinite(values)
    unknown = missing.any(axis=(0, -1) if plan.dates is not None else -1)
    if not force:
        seen = values.reshape(-1, len(plan.bands))
        check_range(predictor, predictor.columns, seen, ~np.isnan(seen).any(axis=-1))
    if plan.fill is not None:
        values[missing] = plan.fill
    shape = rows.stop - rows.start, columns.stop - columns.start
    total = np.zeros((*shape, len(layers.classes)))
    weight = np.zeros(shape)
    ramp = np.outer(_ramp(plan.height), _ramp(plan.width))
    places = [(top, left) for top in tops for left in lefts]
    if plan.fill is None:
        places = [
            (top, left)
            for top, left in places
            if not unknown[
                top - tops[0] : top - tops[0] + plan.height,
                left - lefts[0] : left - lefts[0] + plan.width,
            ].any()
        ]
    for first in range(0, len(places), _BATCH):
        some = places[first : first + _BATCH]
        batch = np.stack(
            [
                values[
                    ...,
                    top - tops[0] : top - tops[0] + plan.height,
                    left - lefts[0] : left - lefts[0] + plan.width,
                    :,
                ]
                for top, left in some
            ]
        )
        for (top, left), answer in zip(some, predictor.ask_patches(batch), strict=True):
            low, high = max(top, rows.start), min(top + plan.height, rows.stop)
            start, stop = max(left, columns.start), min(left + plan.width, columns.stop)
            inner = (slice(low - top, high - top), slice(start - left, stop - left))
            there = (
                slice(low - rows.start, high - rows.start),
                slice(start - columns.start, stop - columns.start),
            )
            total[there] += answer[inner] * ramp[inner][..., None]
            weight[there] += ramp[inner]
    seen = weight > 0
    seen &= ~unknown[
        rows.start - tops[0] : rows.stop - tops[0],
        columns.start - lefts[0] : columns.stop - lefts[0],
    ]
    prediction = layers.empty(shape)
    likely = np.full((len(layers.classes), *shape), np.nan, np.float32)
    if seen.any():
        means = total[seen] / weight[seen][:, None]
        prediction[seen] = means.argmax(axis=1).astype(layers.dtype)
        likely[:, seen] = means.T.astype(np.float32)
    return MapTile(prediction, likely)


def _starts(length: int, side: int, part: slice) -> list[int]:
    """Where patches begin along an axis that reach into a part of it; the last ends with it."""
    step = max(side - side // 4, 1)
    starts = list(range(0, length - side + 1, step))
    if starts[-1] + side < length:
        starts.append(length - side)
    return [start for start in starts if start < part.stop and start + side > part.start]


def _ramp(side: int) -> np.ndarray:
    """Weights along a patch: 1 in the middle, falling evenly over the outer quarters."""
    reach = max(side // 4, 1)
    at = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    return np.minimum(at / (reach + 1), 1.0)


def _stacked(window: xr.Dataset, plan: PatchPlan) -> np.ndarray:
    dims = ("time", "y", "x") if plan.dates is not None else ("y", "x")
    layers = [known_numbers(window[band], *dims) for band in plan.bands]
    return np.stack(layers, axis=-1).astype(np.float32)
