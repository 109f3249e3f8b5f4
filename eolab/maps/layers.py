"""What a map holds: codes or numbers of each pixel, probabilities, and what means nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eolab.accuracy.class_raster import CLASS_NAMES
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import xarray as xr

_MOST = 65_535


@dataclass(frozen=True)
class MapLayers:
    """The types of a map of these classes; without classes it is one of numbers.

    Attributes:
        classes: Names of the classes in the order of their codes.
    """

    classes: tuple[str, ...]

    @property
    def dtype(self) -> np.dtype:
        """Of the predictions: unsigned numbers for classes, float32 for a quantity."""
        if not self.classes:
            return np.dtype("float32")
        return np.dtype("uint8" if len(self.classes) <= 255 else "uint16")

    @property
    def nodata(self) -> float:
        """What stands where nothing is predicted: 255 (or 65535), of numbers NaN."""
        return float(np.iinfo(self.dtype).max) if self.classes else float("nan")

    def check(self) -> None:
        """Raises: InvalidInputError: More classes than a map has codes."""
        if len(self.classes) > _MOST:
            raise InvalidInputError(
                f"{len(self.classes)} classes are more than a map has codes", "Merge some."
            )

    def empty(self, shape: tuple[int, int]) -> np.ndarray:
        """An array of nodata."""
        return np.full(shape, self.nodata, self.dtype)

    def attributes(self, label: str) -> dict[str, object]:
        """Of the predictions: nodata, and CF's flags for classes, by which `eolab.assess` reads
        their names.
        """
        attrs: dict[str, object] = {"long_name": f"prediction of {label}", "eolab_model": label}
        if self.classes:
            attrs["nodata"] = self.dtype.type(self.nodata)
            attrs["flag_values"] = np.arange(len(self.classes), dtype=self.dtype)
            attrs["flag_meanings"] = " ".join(name.replace(" ", "_") for name in self.classes)
            attrs[CLASS_NAMES] = json.dumps(list(self.classes), ensure_ascii=False)
        return attrs


@dataclass(frozen=True)
class MapTile:
    """A part of a map.

    Attributes:
        prediction: Class codes or numbers, shape (h, w).
        probability: Of each class, float32, shape (k, h, w), NaN where nothing is predicted; None
            where the model gives none.
    """

    prediction: np.ndarray
    probability: np.ndarray | None = None


def as_dataset(
    tiles: Sequence[MapTile],
    layers: MapLayers,
    label: str,
    cube: xr.Dataset,
    more: Mapping[str, object],
    *,
    dated: bool = False,
) -> xr.Dataset:
    """A map as xarray, on the grid of a cube.

    Args:
        tiles: The whole map, or one of each date.
        layers: What it holds.
        label: Name and version of the model.
        cube: Whose grid it is.
        more: Attributes of the whole.
        dated: Whether there is one of each date of the cube.
    """
    import xarray as xr

    axes = ({"y"}, {"x"}, set(), *([{"time"}] if dated else []))
    coords: dict[str, object] = {
        str(name): coord for name, coord in cube.coords.items() if set(coord.dims) in axes
    }
    front = ("time",) if dated else ()

    def whole(parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(parts) if dated else parts[0]

    made = xr.Dataset(coords=coords, attrs=dict(more))
    about = layers.attributes(label)
    made["prediction"] = (*front, "y", "x"), whole([t.prediction for t in tiles]), about
    likely = [t.probability for t in tiles if t.probability is not None]
    if likely:
        unseen = np.full((len(layers.classes), *tiles[0].prediction.shape), np.nan, np.float32)
        planes = [unseen if t.probability is None else t.probability for t in tiles]
        about = {"long_name": f"probability of each class by {label}", "units": "1"}
        made["probability"] = (*front, "class", "y", "x"), whole(planes), about
        made = made.assign_coords({"class": ("class", np.asarray(layers.classes, dtype=object))})
    if "spatial_ref" in made.coords:
        for name in made.data_vars:
            made[name].attrs["grid_mapping"] = "spatial_ref"
    return made
