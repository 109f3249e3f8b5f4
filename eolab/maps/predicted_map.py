"""A map that was written: its files, opened as xarray, and the areas of its classes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.accuracy.class_raster import count_classes, open_map
from eolab.accuracy.population import MapPopulation
from eolab.errors import InvalidInputError, NotFoundError
from eolab.maps.layers import MapLayers, MapTile, as_dataset

if TYPE_CHECKING:
    import pandas as pd
    import pystac
    import xarray as xr


@dataclass(frozen=True)
class MapEstimate:
    """What making a map takes, before it is made.

    Attributes:
        tiles: Tiles that are not done.
        pixels: Pixels in them.
        megabytes: That the finished map's tiles take on disk while it is made, at most.
        minutes: By the time of a sample of pixels; None where nothing is left to do, or the sample
            could not be read.
    """

    tiles: int
    pixels: int
    megabytes: float
    minutes: float | None

    def __str__(self) -> str:
        if not self.tiles:
            return "all tiles are done"
        if self.minutes is None:
            time = "for how long is not known"
        else:
            time = "under a minute" if self.minutes < 1 else f"about {self.minutes:,.0f} min"
        return (
            f"{self.tiles} tiles, {self.pixels / 1e6:,.1f} million pixels, up to "
            f"{self.megabytes:,.0f} MB, {time}"
        )


@dataclass(frozen=True)
class PredictedMap:
    """A map on disk, as `ModelVersion.predict_map` writes it.

    Attributes:
        path: Cloud-Optimized GeoTIFF of the predictions, with names and colours of classes.
        probability_path: One of a band of probabilities for each class; None without.
        item_path: The STAC item that describes both.
        classes: Names of the classes in the order of their codes; empty for a quantity.

    Example:
        >>> bands = {"red_median": "red", "nir_median": "nir"}
        >>> made = model.predict_map(cube.isel(time=1), "crops.tif", features=bands)
        >>> made.path.name, made.item.id
        ('crops.tif', 'crops')
    """

    path: Path
    probability_path: Path | None
    item_path: Path
    classes: tuple[str, ...]

    @staticmethod
    def read(path: Path) -> PredictedMap:
        """A map that was written before.

        Args:
            path: The GeoTIFF of the predictions.

        Raises:
            NotFoundError: It, or the item beside it, is not there.

        Example:
            >>> bands = {"red_median": "red", "nir_median": "nir"}
            >>> _ = model.predict_map(cube.isel(time=1), "crops.tif", features=bands)
            >>> from pathlib import Path
            >>> from eolab.maps import PredictedMap
            >>> PredictedMap.read(Path("crops.tif")).classes == model.classes
            True
        """
        item = path.with_suffix(".json")
        for file in (path, item):
            if not file.is_file():
                raise NotFoundError(f"there is no {file}", "Make the map: model.predict_map(...).")
        document = json.loads(item.read_text(encoding="utf-8"))
        likely = path.with_name(f"{path.stem}_probability.tif")
        known = document.get("properties", {}).get("eolab:map", {})
        return PredictedMap(
            path,
            likely if "probability" in document.get("assets", {}) else None,
            item,
            tuple(known.get("classes", ())),
        )

    @property
    def item(self) -> pystac.Item:
        """The STAC item: classes, model, scenes, licence and attribution.

        Example:
            >>> bands = {"red_median": "red", "nir_median": "nir"}
            >>> made = model.predict_map(cube.isel(time=1), "crops.tif", features=bands)
            >>> made.item.properties["mlm:name"]
            'crops/1'
        """
        import pystac

        return pystac.Item.from_file(str(self.item_path))

    @property
    def areas(self) -> pd.DataFrame:
        """Pixels and hectares of each class, by the true area of pixels in degrees and Mercator.

        They are areas of the map, with its errors in them: `eolab.assess` gives those of the ground
        with standard errors.

        Raises:
            InvalidInputError: A map of a quantity, or none of its pixels has a class.

        Example:
            >>> bands = {"red_median": "red", "nir_median": "nir"}
            >>> made = model.predict_map(cube.isel(time=1), "crops.tif", features=bands)
            >>> made.areas.columns.tolist()
            ['class', 'pixels', 'hectares']
        """
        import pandas as pd

        if not self.classes:
            raise InvalidInputError(
                f"{self.path.name} is a map of a quantity, which has no classes",
                "Open it, and count what you want: made.open().prediction.",
            )
        raster = open_map(self.path)
        population = MapPopulation.of(raster, count_classes(raster), None, ())
        found = dict(zip(population.codes, range(len(population.codes)), strict=True))
        rows = []
        for code, name in enumerate(self.classes):
            at = found.get(code)
            pixels = 0 if at is None else int(population.pixels[at])
            hectares = 0.0 if at is None else float(population.hectares[at])
            rows.append({"class": name, "pixels": pixels, "hectares": hectares})
        return pd.DataFrame(rows)

    def open(self, *, probability: bool = True) -> xr.Dataset:
        """The map in memory, as `ModelVersion.predict` gives it.

        Args:
            probability: Read the probabilities, too.

        Example:
            >>> bands = {"red_median": "red", "nir_median": "nir"}
            >>> made = model.predict_map(cube.isel(time=1), "crops.tif", features=bands)
            >>> made.open().prediction.dims, made.open().probability.dims
            (('y', 'x'), ('class', 'y', 'x'))
        """
        import rasterio
        import xarray as xr
        from odc.geo.geobox import GeoBox
        from odc.geo.xr import xr_coords

        with rasterio.open(self.path) as file:
            geobox = GeoBox(file.shape, file.transform, file.crs)
            prediction, label = file.read(1), file.tags().get("eolab_model", "")
        likely: np.ndarray | None = None
        if probability and self.probability_path is not None:
            with rasterio.open(self.probability_path) as file:
                likely = file.read()
        grid = xr.Dataset(coords=xr_coords(geobox, dims=("y", "x")))
        layers = MapLayers(self.classes)
        tile = MapTile(prediction, likely)
        return as_dataset([tile], layers, label, grid, {"eolab_model": label})

    def __repr__(self) -> str:
        what = f"{len(self.classes)} classes" if self.classes else "a quantity"
        return f"<PredictedMap {self.path}: {what}>"
