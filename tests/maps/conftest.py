"""A workspace with a model that learnt from pixels of a cube, by a view, as users do it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cloudpickle
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from pyproj import CRS
from sklearn.ensemble import RandomForestClassifier

import eolab as eo
import eolab.accessor
from eolab.facade import Workspace
from eolab.models import ModelVersion
from eolab.settings import config as configuration
from eolab.studies.worker.trial_process import write_answers

CLASSES = ("bare soil", "crop", "forest")
REFLECTANCE = {"quantity": "surface reflectance", "unit": "1"}


@dataclass(frozen=True)
class Refit:
    """The attributes that a refit gives."""

    folder: Path
    flavour: str = "sklearn"
    study: str | None = None
    params: dict = field(default_factory=dict)
    metrics: dict = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    data_digest: str = "d1"
    source: dict = field(default_factory=dict)


def make_cube(
    rows: int = 40,
    columns: int = 60,
    *,
    seed: int = 0,
    dates: tuple[str, ...] = (),
    crs: str = "EPSG:32633",
    pixel: float = 10.0,
    corner: tuple[float, float] = (500_000.0, 5_300_000.0),
    facts: dict[str, str] | None = None,
    platform: str = "sentinel-2a",
) -> xr.Dataset:
    """A cube as `eolab.load` gives it: land in three kinds, with noise."""
    draw = np.random.default_rng(seed)
    land = np.add.outer(np.arange(rows) // 7, np.arange(columns) // 9) % 3
    shape = (len(dates), rows, columns) if dates else (rows, columns)
    dims = ("time", "y", "x") if dates else ("y", "x")
    coords = {
        "y": corner[1] - pixel * (np.arange(rows) + 0.5),
        "x": corner[0] + pixel * (np.arange(columns) + 0.5),
        "spatial_ref": xr.DataArray(0, attrs={"crs_wkt": CRS(crs).to_wkt()}),
    }
    if dates:
        coords["time"] = np.array(dates, "datetime64[ns]")
        coords["item_id"] = ("time", [f"S2_{d}" for d in dates])
        coords["platform"] = ("time", [platform] * len(dates))
    else:
        coords["platform"] = platform
    levels = {"red": (0.30, 0.10, 0.05), "nir": (0.35, 0.45, 0.25)}
    bands = {
        name: (dims, (np.take(level, land) + draw.normal(0, 0.03, shape)).astype("float32"))
        for name, level in levels.items()
    }
    cube = xr.Dataset(bands, coords=coords)
    entry = {**REFLECTANCE, **(facts or {})}
    cube.attrs["eolab_provenance"] = json.dumps([{"band": b, **entry} for b in bands])
    return cube


def fields(cube: xr.Dataset) -> gpd.GeoDataFrame:
    """One shape for each kind of land."""
    x, y, shapes = cube.x.to_numpy(), cube.y.to_numpy(), []
    for row in range(0, 33, 7):
        for column in range(0, 54, 9):
            kind = CLASSES[(row // 7 + column // 9) % 3]
            box = shapely.box(x[column], y[row + 6], x[column + 8], y[row])
            shapes.append({"kind": kind, "geometry": box})
    return gpd.GeoDataFrame(shapes, crs=cube.spatial_ref.attrs["crs_wkt"])


class Maker:
    """Registers models as a refit leaves them."""

    def __init__(self, ws: Workspace, folder: Path) -> None:
        self.ws, self._folder, self._count = ws, folder, 0

    def register(self, name: str, model: object, data: object = None, **about) -> ModelVersion:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir(parents=True)
        if about.get("flavour") == "keras":
            model.save(folder / "model.keras")
        else:
            (folder / "model.pkl").write_bytes(cloudpickle.dumps(model))
        (folder / "fitted.json").write_text(json.dumps({"format": 1}))
        if data is not None:
            train = data.train
            about = {"columns": train.columns, "classes": train.classes, **about}
            about = {"steps": train.steps, "source": dict(data.source), **about}
            write_answers(model, about.get("flavour", "sklearn"), data, {"folder": str(folder)})
        return self.ws.models.register(name, Refit(folder, **about))


@pytest.fixture(scope="session")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    folder = tmp_path_factory.mktemp("maps")
    return Maker(eo.workspace(configuration.init(folder).root), folder / "refits")


@pytest.fixture(scope="session")
def pixel_view(maker: Maker) -> object:
    """A view of pixels by reflectance, with a function and a scaler."""
    cube, store = make_cube(), maker.ws.features
    dated = cube.expand_dims(time=np.array(["2024-06-01"], "datetime64[ns]"))
    rows = dated.eo.pixels(fields(cube), columns=["kind"])
    spectra = store.create_feature_group("spectra", primary_key=["pixel_id"], event_time="time")
    spectra.insert(rows.drop(columns="kind"))
    truth = store.create_feature_group("truth", primary_key=["pixel_id"])
    labels = dated.eo.pixels(fields(cube), columns=["kind"])[["pixel_id", "x", "y", "kind"]]
    truth.insert(labels)
    from eolab.features.samples.on_demand import from_source

    ratio = from_source("ratio", "def ratio(red, nir):\n    return (nir - red) / (nir + red)")
    return store.create_feature_view(
        "pixels",
        labels=truth.select("kind"),
        query=spectra.select(["red", "nir"]),
        functions=[ratio],
        transformations={"red": "standard"},
    )


@pytest.fixture(scope="session")
def forest(maker: Maker, pixel_view) -> ModelVersion:
    """A forest of the view's features."""
    split = pixel_view.train_test_split(by="random", test_size=0.2)
    model = RandomForestClassifier(10, random_state=0).fit(split.train.X, split.train.y)
    return maker.register("land", model, split)


@pytest.fixture(scope="session")
def by_hand(forest: ModelVersion) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """What the forest says of reflectance, written out: the scaler and the ratio as in training."""
    about = json.loads((forest.folder / "model.json").read_text())["source"]["transformations"]
    step = about["red"][0]
    model = forest.load()

    def said(red: np.ndarray, nir: np.ndarray) -> np.ndarray:
        red, nir = red.astype(np.float64), nir.astype(np.float64)
        columns = {
            "red": (red - step["center"]) / step["scale"],
            "nir": nir,
            "ratio": ((nir - red) / (nir + red)).astype(np.float32),
        }
        X = np.stack([columns[name] for name in forest.columns], axis=1).astype(np.float32)
        return model.predict(X)

    return said
