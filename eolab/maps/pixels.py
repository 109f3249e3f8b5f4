"""Maps in memory: a model asked for each pixel of a cube."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.extract.cube_layout import layout
from eolab.maps.checks import check_facts, check_range
from eolab.maps.layers import MapLayers, MapTile, as_dataset
from eolab.maps.patches import plan_of, predict_patches
from eolab.maps.predictor import MapModel
from eolab.maps.recipe import FeatureRecipe, recipe_of

if TYPE_CHECKING:
    import xarray as xr

ROWS = 65_536
"""Pixels that a model is asked about at once."""
SIDE = 512
_KEPT = ("eolab_items", "eolab_licences", "eolab_provenance")


def as_cube(given: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """A cube whose bands have names.

    Args:
        given: A cube, or one array of several bands along an axis that names them.

    Raises:
        InvalidInputError: Bands that are told apart by their position only.
    """
    import xarray as xr

    if isinstance(given, xr.Dataset):
        systems = [n for n, v in given.data_vars.items() if not v.dims and "crs_wkt" in v.attrs]
        return given.set_coords(systems)
    axes = [name for name in given.dims if name not in {"time", "y", "x"}]
    if not axes:
        if given.name is None:
            raise InvalidInputError(
                "the array has no name, so nobody knows which band it is",
                "Name it: array.rename('red'), or give a cube.",
            )
        return given.to_dataset()
    axis = axes[0]
    if len(axes) > 1 or axis not in given.coords or given[axis].dtype.kind not in "OUST":
        raise InvalidInputError(
            f"the bands of the array stand along {', '.join(map(str, axes))} by position only, and "
            "another order would give a wrong map",
            f"Name them: array.assign_coords({axis}=['red', 'nir']), or give a cube.",
        )
    names = [str(name) for name in given[axis].to_numpy()]
    if len(set(names)) < len(names):
        raise InvalidInputError(
            f"two bands along {axis!r} have one name: {', '.join(names)}", "Name them apart."
        )
    return given.assign_coords({axis: names}).to_dataset(dim=axis)


def predict_cube(
    predictor: MapModel,
    given: xr.Dataset | xr.DataArray,
    *,
    features: Mapping[str, str] | None = None,
    sensor: str | None = None,
    force: bool = False,
    fill: float | None = None,
) -> xr.Dataset:
    """A map of a cube in memory or of Dask; see `eolab.models.ModelVersion.predict`."""
    cube = as_cube(given)
    bands, _, _, _ = layout(cube)
    recipe = recipe_of(predictor, bands, features)
    check_facts(predictor, recipe, cube, sensor)
    layers = MapLayers(predictor.classes)
    layers.check()
    if recipe.steps is not None and "time" not in cube.dims:
        raise InvalidInputError(
            f"{predictor.label} takes a sequence of {len(predictor.steps)} steps, the cube has no "
            "time",
            "Give all dates of the season, not a composite of them.",
        )
    more = {name: cube.attrs[name] for name in _KEPT if name in cube.attrs}
    more["eolab_model"] = predictor.label
    plan = plan_of(predictor, recipe.bands, fill)
    dated = recipe.steps is None and "time" in cube.dims and (plan is None or plan.dates is None)
    if dated and not cube.sizes["time"]:
        raise InvalidInputError("the cube has no date", "Load some.")
    dates = [cube.isel(time=n) for n in range(cube.sizes["time"])] if dated else [cube]
    if plan is None:
        tiles = [predict_window(predictor, recipe, date, force=force) for date in dates]
    else:
        for date in dates:
            plan.check(date)
        whole = slice(0, cube.sizes["y"]), slice(0, cube.sizes["x"])
        tiles = [predict_patches(predictor, plan, date, *whole, force=force) for date in dates]
    return as_dataset(tiles, layers, predictor.label, cube, more, dated=dated)


def predict_window(
    predictor: MapModel, recipe: FeatureRecipe, window: xr.Dataset, *, force: bool = False
) -> MapTile:
    """The prediction of each pixel of a window.

    Args:
        predictor: The model.
        recipe: How its features are made.
        window: Bands (y, x), of a sequence (time, y, x); read part by part where it is lazy.
        force: Also where features are far from all that the model has seen.

    Raises:
        InvalidInputError: They are, and ``force`` is not said.
    """
    layers = MapLayers(predictor.classes)
    height, width = window.sizes["y"], window.sizes["x"]
    prediction = layers.empty((height, width))
    probability: np.ndarray | None = None
    for rows, columns in parts(height, width, SIDE):
        part = window[list(dict.fromkeys(recipe.bands))].isel(y=rows, x=columns)
        X, known = recipe.samples(part.compute() if part.chunks else part)
        if not force:
            check_range(predictor, recipe.columns, X, known)
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        at = np.flatnonzero(known)
        flat = layers.empty(shape).ravel()
        likely: np.ndarray | None = None
        for first in range(0, len(at), ROWS):
            some = at[first : first + ROWS]
            answer = predictor.ask(X[some])
            flat[some] = answer.values.astype(layers.dtype)
            if answer.probabilities is not None:
                if likely is None:
                    likely = np.full((len(flat), len(layers.classes)), np.nan, np.float32)
                likely[some] = answer.probabilities
        prediction[rows, columns] = flat.reshape(shape)
        if likely is not None:
            if probability is None:
                count = len(layers.classes)
                probability = np.full((count, height, width), np.nan, np.float32)
            probability[:, rows, columns] = likely.T.reshape(-1, *shape)
    return MapTile(prediction, probability)


def parts(height: int, width: int, side: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of squares that cover a grid, from the top left."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield slice(top, min(top + side, height)), slice(left, min(left + side, width))
