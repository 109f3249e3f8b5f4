"""From the bands of a cube to the features that a model learnt from, made as they were then."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.items.spectral_indices import find_index
from eolab.errors import ConflictError, InvalidInputError, NotFoundError, nearest
from eolab.features.extract.cube_layout import known_numbers, layout
from eolab.features.queries import time_steps
from eolab.features.queries.arguments import seconds
from eolab.features.samples import on_demand, transformations
from eolab.maps.predictor import MapModel
from eolab.training_data import TrainingData
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import xarray as xr

    from eolab.features.queries.query import Steps

# Of a zone of one pixel these are the pixel's value.
_OF_A_ZONE = re.compile(r"(.+)_(median|mean)")


@dataclass(frozen=True)
class FeatureRecipe:
    """How features are made of a cube's bands.

    Attributes:
        names: Features as the view reads them, before functions and transformations.
        bands: The band of the cube that each of them is.
        columns: What the model takes, in order.
        functions: Features made of others.
        fitted: Transformations as they were fitted on the training part.
        steps: Of a sequence; None for one value a feature.
    """

    names: tuple[str, ...]
    bands: tuple[str, ...]
    columns: tuple[str, ...]
    functions: tuple[on_demand.Transformation, ...] = ()
    fitted: transformations.Fitted | None = None
    steps: Steps | None = None

    def samples(self, window: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Features of each pixel of a window, row by row.

        Args:
            window: Bands (y, x), of a sequence (time, y, x).

        Returns:
            Features, float32, shape (n, f), of a sequence (n, t, f); and which pixels have what the
            model needs, shape (n,): every feature, of a sequence at least one observation.
        """
        if self.steps is None:
            raw = np.stack([_flat(window, band) for band in self.bands], axis=-1)
        else:
            raw = self._sequence(window, self.steps)
        n, finite = len(raw), np.isfinite(raw)
        whole = bool(finite.all())
        if not whole:
            raw[~finite] = np.nan
        data = TrainingData(raw, np.zeros(n), np.arange(n), self.names)
        data = on_demand.extended(data, self.functions)
        seen = np.ones(n, bool) if whole else finite.reshape(n, -1).any(axis=1)
        data = transformations.apply(data, self.fitted or {}, {})
        if not set(self.columns) <= set(data.columns):
            raise ConflictError(
                f"the view gives {', '.join(data.columns)}, the model takes "
                f"{', '.join(self.columns)}: the view was changed since",
                "Restore the view of that time, or train the model on the one of now.",
            )
        X = data.X
        if data.columns != self.columns:  # a function took a feature that the model does without
            X = X[..., [data.columns.index(name) for name in self.columns]]
        if self.steps is None and not (whole and X is raw):
            seen &= ~np.isnan(X).any(axis=1)
        return X, seen

    def _sequence(self, window: xr.Dataset, steps: Steps) -> np.ndarray:
        """Shape (n, t, f): each step's mean or last observation, as a view cuts them."""
        _, moments, _, _ = layout(window)
        times = moments.astype("datetime64[us]").astype(np.int64)
        names = time_steps.step_names(steps)
        every = seconds(steps.every, "every") * 1_000_000
        now = times.max()
        low, high = (int(v[0]) for v in time_steps.windows(np.array([now]), steps, None))
        n, t = window.sizes["y"] * window.sizes["x"], len(names)
        out = np.full((n, t, len(self.bands)), np.nan, np.float32)
        inside = (times >= low) & (times < high)
        at = np.minimum((times - low) // every, t - 1)
        for step in range(t):
            dates = np.flatnonzero(inside & (at == step))
            if not dates.size:
                continue
            dates = dates[np.argsort(times[dates], kind="stable")]
            for place, band in enumerate(self.bands):
                values = known_numbers(window[band].isel(time=dates), "time", "y", "x")
                out[:, step, place] = _of_step(values.reshape(len(dates), -1), steps.how)
        if steps.fill is not None:
            gap = t if steps.max_gap is None else seconds(steps.max_gap, "max_gap") * 10**6 // every
            last = np.full(n, (int(now) - low) // every)
            out = time_steps.filled(out, steps.fill, gap, last)
        return out


def _flat(window: xr.Dataset, band: str) -> np.ndarray:
    return known_numbers(window[band], "y", "x").astype(np.float32, copy=False).ravel()


def _of_step(values: np.ndarray, how: str) -> np.ndarray:
    """Of each pixel, from its dates (d, n) in order: NaN where none is known."""
    numbers = values.astype(np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    known = ~np.isnan(numbers)
    count = known.sum(axis=0)
    if how == "last":
        newest = len(numbers) - 1 - known[::-1].argmax(axis=0)
        return np.where(count > 0, numbers[newest, np.arange(numbers.shape[1])], np.nan)
    total = np.where(known, numbers, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def recipe_of(
    predictor: MapModel, bands: Sequence[str], features: Mapping[str, str] | None = None
) -> FeatureRecipe:
    """How a model's features are made of these bands.

    Args:
        predictor: The model.
        bands: Names of the cube's bands.
        features: Bands of features that are called otherwise: {"red_median": "red"}.

    Raises:
        InvalidInputError: The model does not know its features by name, or a feature has no band.
        ConflictError: The view that it was trained on is another one by now.
    """
    if not predictor.columns:
        raise InvalidInputError(
            f"{predictor.label} does not know its features by name, so bands cannot be matched",
            "Train it on a view, or on TrainingData with columns=, and register it again.",
        )
    names, functions, steps = _view(predictor)
    fitted = predictor.source.get("transformations")
    found = {name: _band_of(name, bands, features or {}) for name in dict.fromkeys(names)}
    missing = [name for name, band in found.items() if band is None]
    if missing:
        raise _missing(missing, bands)
    for name in features or {}:
        if name not in names:
            raise InvalidInputError(
                f"features= names {name!r}, which is no feature of {predictor.label}",
                nearest(name, names, "features"),
            )
    zones = [name for name, band in found.items() if band != name and name not in (features or {})]
    if zones:
        warn(
            f"{predictor.label} learnt from statistics of zones ({', '.join(zones[:4])}"
            f"{', ...' if len(zones) > 4 else ''}): each pixel counts as a zone of its own, which "
            "varies more than a mean. features={...} says so and keeps this quiet.",
            UserWarning,
        )
    return FeatureRecipe(
        names=names,
        bands=tuple(str(found[name]) for name in names),
        columns=predictor.columns,
        functions=functions,
        fitted=fitted if isinstance(fitted, Mapping) else {},
        steps=steps,
    )


def wanted_bands(predictor: MapModel, features: Mapping[str, str] | None = None) -> list[str]:
    """The bands that a model's features are, by their names alone, for what is yet to be loaded.

    Args:
        predictor: The model.
        features: Bands of features that are called otherwise.
    """
    names, _, _ = _view(predictor)
    given = features or {}
    zones = {name: _OF_A_ZONE.fullmatch(name) for name in names}
    return list(
        dict.fromkeys(given.get(n) or (zone[1] if (zone := zones[n]) else n) for n in names)
    )


def _view(
    predictor: MapModel,
) -> tuple[tuple[str, ...], tuple[on_demand.Transformation, ...], Steps | None]:
    """The features that the model's view reads, its functions and steps."""
    source = predictor.source
    name, version = source.get("view"), source.get("version")
    if not isinstance(name, str):
        if predictor.steps:
            raise InvalidInputError(
                f"{predictor.label} takes {len(predictor.steps)} steps, and no view says which "
                "dates each of them holds",
                "Train it on a view with sequence(), and register it again.",
            )
        return predictor.columns, (), None
    from eolab.features.store import FeatureStore
    from eolab.settings.config import Config

    number = version if isinstance(version, int) else 1
    try:
        view = FeatureStore(Config(root=predictor.root)).feature_view(name, number)
    except NotFoundError as error:
        raise NotFoundError(
            f"{predictor.label} was trained on the view {name}/{number}, which is not there: "
            "nothing else says how its features are made",
            f"ws.restore('view {name}/{number}') brings it back.",
        ) from error
    names, steps = view.query.names, view.query.steps
    known = () if steps is None else time_steps.step_names(steps)
    if known != predictor.steps:
        raise ConflictError(
            f"the view {view.label} has the steps {', '.join(known) or 'none'}, {predictor.label} "
            f"{', '.join(predictor.steps) or 'none'}: the view was changed since",
            "Train the model on the view of now, or restore the one of that time.",
        )
    made = (*names, *(f.name for f in view.functions))
    stems = {column.partition("=")[0] for column in predictor.columns}
    if not stems <= set(made):
        lost = ", ".join(sorted(stems - set(made)))
        raise ConflictError(
            f"{predictor.label} takes {lost}, which the view {view.label} does not give: it was "
            "changed since",
            "Train the model on the view of now, or restore the one of that time.",
        )
    if not set(made) <= stems:  # an ablation, or data.without(...): fewer are needed
        needed = _needed(stems, view.functions)
        functions = tuple(f for f in view.functions if f.name in needed)
        return tuple(n for n in names if n in needed), functions, steps
    return names, view.functions, steps


def _needed(wanted: set[str], functions: Sequence[on_demand.Transformation]) -> set[str]:
    needed = set(wanted)
    for made in reversed(functions):
        if made.name in needed:
            needed |= set(made.inputs)
    return needed


def _band_of(name: str, bands: Sequence[str], features: Mapping[str, str]) -> str | None:
    if name in features:
        band = features[name]
        if band not in bands:
            raise InvalidInputError(
                f"features= says that {name!r} is the band {band!r}, which is not in the cube",
                nearest(str(band), list(bands), "bands"),
            )
        return band
    if name in bands:
        return name
    zone = _OF_A_ZONE.fullmatch(name)
    return zone[1] if zone and zone[1] in bands else None


def _missing(missing: Sequence[str], bands: Sequence[str]) -> InvalidInputError:
    indices = []
    for name in missing:
        try:
            indices.append(find_index(name))
        except InvalidInputError:
            continue
    hint = nearest(missing[0], list(bands), "bands")
    if indices:
        hint = f"Compute it first: cube[{indices[0]!r}] = cube.eo.spectral_index({indices[0]!r})."
    elif not any(missing[0] in band or band in missing[0] for band in bands):
        hint = f"Load it, or say which band it is: features={{{missing[0]!r}: ...}}. {hint}"
    return InvalidInputError(f"the cube has no band for {', '.join(map(repr, missing))}", hint)
