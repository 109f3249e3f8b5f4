"""A map of a whole area, tile by tile: bounded memory, and a killed run goes on where it was."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from eolab.argument_checks import plain
from eolab.catalog.areas.areas import boxes, check_bbox, parse_area
from eolab.catalog.cube.grid import inside_of
from eolab.catalog.cube.odc_adapter import known_values
from eolab.errors import ConflictError, InvalidInputError, NotFoundError, RemoteError
from eolab.features.extract.cube_layout import layout, recipe, scenes
from eolab.files import disk, folders, writes
from eolab.maps.checks import check_facts
from eolab.maps.layers import MapLayers, MapTile
from eolab.maps.map_item import map_item
from eolab.maps.patches import PatchPlan, plan_of, predict_patches
from eolab.maps.pixels import as_cube, predict_window
from eolab.maps.predicted_map import MapEstimate, PredictedMap
from eolab.maps.predictor import MapModel
from eolab.maps.raster_files import colours_of, write_prediction, write_probability
from eolab.maps.recipe import FeatureRecipe, recipe_of, wanted_bands
from eolab.maps.tile_store import TileGrid, TileKey, TileStore
from eolab.progress import track
from eolab.records import lineage
from eolab.records.lineage import Ref

if TYPE_CHECKING:
    import pystac
    import xarray as xr
    from affine import Affine
    from shapely.geometry.base import BaseGeometry

    from eolab.catalog.areas.areas import Area
    from eolab.catalog.items.parsed import ParsedItem
    from eolab.catalog.items.quality_masks import Mask

    Items: TypeAlias = Iterable[pystac.Item | ParsedItem]

Composite = Literal["median", "mean"]
Outcome: TypeAlias = tuple[TileKey, Exception | None]
TileRunner: TypeAlias = Callable[[Sequence[TileKey], Callable[[TileKey], None]], Iterator[Outcome]]
"""Carries out the work of each tile somewhere, and says how each ended, in any order."""
# What one tile may meet and others not; everything else stops the map.
_OF_A_TILE = (RemoteError, NotFoundError, OSError)
_PROBE = 64  # side of the window by which the time is estimated


@dataclass(frozen=True)
class MapSource:
    """What a map is made of, and how each window of it is predicted.

    Attributes:
        cube: Bands (y, x) or, of a sequence, (time, y, x); best a lazy one.
        transform: Of its grid.
        crs: Its reference system as WKT.
        recipe: How features are made of it.
        area: What lies outside is nodata.
        patches: How a network sees it; None for a model of pixels.
        token: Of a lazy cube, by which other values of the same scenes are told apart.
    """

    cube: xr.Dataset
    transform: Affine
    crs: str
    recipe: FeatureRecipe
    area: BaseGeometry | None = None
    patches: PatchPlan | None = None
    token: str = ""

    def predicted(self, predictor: MapModel, key: TileKey, *, force: bool) -> MapTile:
        """The prediction of a tile."""
        if self.patches is not None:
            return predict_patches(
                predictor, self.patches, self.cube, key.rows, key.columns, force=force
            )
        window = self.cube.isel(y=key.rows, x=key.columns)
        return predict_window(predictor, self.recipe, window, force=force)

    def outside(self, key: TileKey) -> np.ndarray | None:
        """Pixels of a tile that are not in the area, (h, w); None where all are."""
        if self.area is None:
            return None
        from affine import Affine
        from odc.geo.geobox import GeoBox

        t = self.transform

        shape = key.rows.stop - key.rows.start, key.columns.stop - key.columns.start
        left, top = t.c + t.a * key.columns.start, t.f + t.e * key.rows.start
        moved = Affine(t.a, 0, left, 0, t.e, top)
        return ~inside_of(GeoBox(shape, moved, self.crs), self.area)


def predict_map(
    predictor: MapModel,
    given: xr.Dataset | xr.DataArray | Items,
    path: Path,
    *,
    area: Area | list[float] | tuple[float, ...] | None,
    features: Mapping[str, str] | None,
    sensor: str | None,
    force: bool,
    crs: str | int | None,
    resolution: float | None,
    mask: Mask | None,
    composite: Composite | None,
    fill: float | None,
    probability: bool,
    colours: Mapping[str, str] | None,
    tile: int,
    workers: int,
    overwrite: bool,
    runner: TileRunner | None = None,
) -> PredictedMap:
    """See `eolab.models.ModelVersion.predict_map`."""
    tile, workers = _count(tile, "tile"), _count(workers, "workers")
    if path.suffix.lower() not in {".tif", ".tiff"}:
        raise InvalidInputError(
            f"a map is a GeoTIFF, and {path.name!r} does not end so", "Write path='crops.tif'."
        )
    layers = MapLayers(predictor.classes)
    layers.check()
    named = colours_of(predictor.classes, colours)
    source = _source(
        predictor, given, area, features, sensor,
        crs=crs, resolution=resolution, mask=mask, composite=composite, fill=fill, tile=tile,
    )  # fmt: skip
    grid = TileGrid(source.cube.sizes["y"], source.cube.sizes["x"], tile)
    identity = {
        **_identity(predictor, source, grid),
        "classes": list(predictor.classes),
        "probability": probability,
        "colours": {name: list(rgb) for name, rgb in named.items()},
    }
    before = _finished(path, identity, overwrite=overwrite)
    if before is not None:
        return before
    store = TileStore(path.with_name(f"{path.name}.tiles"), grid)
    with store.working(identity, overwrite=overwrite):
        _make_tiles(
            predictor, source, store, runner or _threads(workers),
            force=force, probability=probability,
        )  # fmt: skip
        made = _written(predictor, source, store, path, layers, named, identity)
        store.remove()
    sources = [Ref("item", name) for name in scenes(source.cube)]
    sources = sources or [Ref("cube", recipe(source.cube))]
    name, _, number = predictor.label.rpartition("/")
    lineage.record(
        predictor.root,
        [Ref("model", f"{name}/{number}"), *sources],
        Ref("map", _place_in(predictor.root, path)),
        {"classes": list(predictor.classes)},
    )
    return made


def _count(value: object, name: str) -> int:
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InvalidInputError(f"{name}={value!r} is no number of them", "Give 1 or more.")
    return number


def _place_in(root: Path, path: Path) -> str:
    """How lineage calls a map: its path, within the workspace where it lies there."""
    whole = path.resolve()
    with suppress(ValueError):
        return whole.relative_to(root.resolve()).as_posix()
    return whole.as_posix()


# --- what it is made of ----------------------------------------------------------------------


def _source(
    predictor: MapModel,
    given: xr.Dataset | xr.DataArray | Items,
    area: Area | list[float] | tuple[float, ...] | None,
    features: Mapping[str, str] | None,
    sensor: str | None,
    *,
    crs: str | int | None,
    resolution: float | None,
    mask: Mask | None,
    composite: Composite | None,
    fill: float | None,
    tile: int,
) -> MapSource:
    import xarray as xr

    shape = None
    if isinstance(area, list | tuple):
        shape = boxes(check_bbox(area))
    elif area is not None:
        shape = parse_area(area)
    if isinstance(given, xr.Dataset | xr.DataArray):
        said = {"crs": crs, "resolution": resolution, "mask": mask}
        for name, value in said.items():
            if value is not None:
                raise InvalidInputError(
                    f"{name}= is for scenes, and this is a cube", "Load the cube with it."
                )
        cube, token = as_cube(given), _names_of(given)
    else:
        from dask.base import tokenize

        from eolab.catalog.cube.load import load

        # Not the addresses of files: a signed one is another one tomorrow.
        token = str(tokenize(mask))

        cube = load(
            given, bands=wanted_bands(predictor, features), crs=crs, resolution=resolution,
            mask=mask, intersects=shape, chunks={"x": tile, "y": tile},
        )  # fmt: skip
    bands, _, _, _ = layout(cube)
    made = recipe_of(predictor, bands, features)
    check_facts(predictor, made, cube, sensor)
    kept = cube[list(dict.fromkeys(made.bands))]
    if shape is not None:
        kept = _cropped(kept, shape)
    source = _dates(predictor, kept, made, shape, composite)
    patches = plan_of(predictor, made.bands, fill)
    if patches is not None:
        patches.check(source.cube)
    return replace(source, patches=patches, token=f"{composite} {token}")


def _names_of(given: xr.Dataset | xr.DataArray) -> str:
    """What a lazy cube is computed from and how: the names that Dask gives its arrays."""
    bands = [given] if not hasattr(given, "data_vars") else given.data_vars.values()
    return " ".join(str(band.data.name) for band in bands if band.chunks)


def _dates(
    predictor: MapModel,
    cube: xr.Dataset,
    made: FeatureRecipe,
    shape: BaseGeometry | None,
    composite: Composite | None,
) -> MapSource:
    if composite not in {None, "median", "mean"}:
        raise InvalidInputError(f"composite={composite!r}", "Take 'median' or 'mean'.")
    _, _, transform, crs = layout(cube)
    wkt = str(getattr(crs, "to_wkt", lambda: crs)())
    if made.steps is not None:
        if "time" not in cube.dims:
            raise InvalidInputError(
                f"{predictor.label} takes a sequence of {len(predictor.steps)} steps, and this has "
                "no time",
                "Give all dates of the season, not a composite of them.",
            )
        if composite is not None:
            raise InvalidInputError(
                f"{predictor.label} takes a sequence: composite={composite!r} would leave one date",
                "Leave composite= out.",
            )
        return MapSource(cube, transform, wkt, made, shape)
    patch = predictor.patch_shape()
    if patch is not None and len(patch) == 4:  # a network of several dates
        if composite is not None:
            raise InvalidInputError(
                f"{predictor.label} takes {patch[0] or 'several'} dates: composite={composite!r} "
                "would leave one",
                "Leave composite= out.",
            )
        return MapSource(cube, transform, wkt, made, shape)
    if "time" in cube.dims and composite is None:
        if cube.sizes["time"] != 1:
            raise InvalidInputError(
                f"there are {cube.sizes['time']} dates, and {predictor.label} takes one",
                "Select one (cube.isel(time=-1)), or say composite='median'.",
            )
        return MapSource(cube.isel(time=0), transform, wkt, made, shape)
    if "time" in cube.dims:
        # Stored numbers have their nodata in them, and an average may be that number.
        known = cube.assign({name: known_values(cube[name]).copy(deep=False) for name in cube})
        for name in known:
            known[name].attrs = {}
        whole = getattr(known, str(composite))("time", skipna=True, keep_attrs=True)
        # Its scenes and dates are those of all of them.
        texts = {name: ",".join(scenes(cube)) for name in ("item_id",) if name in cube.coords}
        whole = whole.assign_coords(**texts).assign_attrs(eolab_times=_span(cube))
        return MapSource(whole, transform, wkt, made, shape)
    return MapSource(cube, transform, wkt, made, shape)


def _span(cube: xr.Dataset) -> str:
    times = cube["time"].to_numpy()
    return f"{times.min()}/{times.max()}" if times.size else ""


def _cropped(cube: xr.Dataset, area: BaseGeometry) -> xr.Dataset:
    """The rows and columns that hold an area.

    Raises:
        InvalidInputError: The cube has none of it.
    """
    from odc.geo.geom import Geometry

    _, _, transform, crs = layout(cube)
    wkt = str(getattr(crs, "to_wkt", lambda: crs)())
    west, south, east, north = (
        Geometry(area, "EPSG:4326").to_crs(wkt, resolution="auto").boundingbox
    )
    x = sorted((edge - transform.c) / transform.a for edge in (west, east))
    y = sorted((edge - transform.f) / transform.e for edge in (south, north))
    rows = slice(max(int(np.floor(y[0])), 0), min(int(np.ceil(y[1])), cube.sizes["y"]))
    columns = slice(max(int(np.floor(x[0])), 0), min(int(np.ceil(x[1])), cube.sizes["x"]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise InvalidInputError(
            "the area lies outside of the scenes", "See its coordinates: degrees, longitude first."
        )
    return cube.isel(y=rows, x=columns)


def _identity(predictor: MapModel, source: MapSource, grid: TileGrid) -> dict[str, object]:
    """By what a run knows that tiles are of the same map."""
    cube = source.cube
    values = hashlib.sha256(source.token.encode() if cube.chunks else b"")
    values.update(str(cube.attrs.get("eolab_provenance", "")).encode())
    for band in sorted(map(str, cube.data_vars)):
        values.update(band.encode())
        if not cube[band].chunks:
            values.update(np.ascontiguousarray(cube[band].to_numpy()).data)
    area = "" if source.area is None else source.area.wkt
    return {
        "model": predictor.label,
        "files": predictor.digest,
        "tile": grid.side,
        "shape": [grid.height, grid.width],
        "grid": [*list(source.transform)[:6], source.crs],
        "features": dict(zip(source.recipe.names, source.recipe.bands, strict=True)),
        "scenes": hashlib.sha256(json.dumps(scenes(cube)).encode()).hexdigest(),
        "area": hashlib.sha256(area.encode()).hexdigest(),
        "fill": None if source.patches is None else source.patches.fill,
        "made": str(cube.attrs.get("eolab_provenance", "")) and recipe(cube),
        "values": values.hexdigest(),
    }


def _finished(
    path: Path, identity: Mapping[str, object], *, overwrite: bool
) -> PredictedMap | None:
    """The same map, where it was made before.

    Raises:
        ConflictError: Another file stands there.
    """
    item = path.with_suffix(".json")
    if path.exists() and item.exists():
        with suppress(OSError, ValueError, AttributeError):
            document = json.loads(item.read_text(encoding="utf-8"))
            known = document.get("properties", {}).get("eolab:map")
            made = PredictedMap.read(path)
            likely = made.probability_path
            if known == json.loads(json.dumps(identity)) and (likely is None or likely.exists()):
                return made
    if overwrite:
        return None
    for file in (path, item, path.with_name(f"{path.stem}_probability.tif")):
        if file.exists() and not path.with_name(f"{path.name}.tiles").is_dir():
            raise ConflictError(
                f"{file} is there, and is not this map",
                "Write to another path, or say overwrite=True.",
            )
    return None


# --- the queue -------------------------------------------------------------------------------


def _make_tiles(
    predictor: MapModel,
    source: MapSource,
    store: TileStore,
    runner: TileRunner,
    *,
    force: bool,
    probability: bool,
) -> None:
    """Make the tiles that are not there.

    Raises:
        ConflictError: Some failed; the others are done and stay.
        InvalidInputError: No pixel has what the model needs.
    """

    def work(key: TileKey) -> None:
        outside = source.outside(key)
        if outside is not None and outside.all():
            shape = outside.shape
            store.write(key, MapTile(MapLayers(predictor.classes).empty((shape[0], shape[1]))))
            return
        tile = source.predicted(predictor, key, force=force)
        likely = tile.probability if probability else None
        if outside is not None:
            tile.prediction[outside] = MapLayers(predictor.classes).nodata
            if likely is not None:
                likely[:, outside] = np.nan
        with disk.translate_errors("the map stops; tiles that are done stay", store.folder):
            store.write(key, MapTile(tile.prediction, likely))

    todo = store.todo()
    expected = _estimate(predictor, source, todo, force=force, probability=probability)
    for key, error in track(runner(todo, work), f"map: {expected}", len(todo)):
        if error is None:
            continue
        if not isinstance(error, _OF_A_TILE):
            raise error
        store.note_failure(key, f"{type(error).__name__}: {error}")
    failed = store.failed()
    if failed:
        name, why = min(failed.items())
        raise ConflictError(
            f"{len(failed)} of {len(store.grid)} tiles failed; {name}: {why}",
            f"{len(store.done())} tiles are done and stay: call it again to go on.",
        )


def _estimate(
    predictor: MapModel,
    source: MapSource,
    todo: Sequence[TileKey],
    *,
    force: bool,
    probability: bool,
) -> MapEstimate:
    """What the tiles take, by a small window in the middle of the first of them."""
    pixels = sum((k.rows.stop - k.rows.start) * (k.columns.stop - k.columns.start) for k in todo)
    layers = MapLayers(predictor.classes)
    each = layers.dtype.itemsize + (4 * len(predictor.classes) if probability else 0)
    if not todo:
        return MapEstimate(0, 0, 0.0, None)
    key = todo[len(todo) // 2]
    rows = slice(key.rows.start, min(key.rows.start + _PROBE, key.rows.stop))
    columns = slice(key.columns.start, min(key.columns.start + _PROBE, key.columns.stop))
    small = TileKey(key.row, key.column, rows, columns)
    begun = time.perf_counter()
    try:
        source.predicted(predictor, small, force=force)
    except _OF_A_TILE:  # a tile says so itself
        return MapEstimate(len(todo), pixels, pixels * each / 1e6, None)
    seconds = time.perf_counter() - begun
    share = pixels / ((rows.stop - rows.start) * (columns.stop - columns.start))
    return MapEstimate(len(todo), pixels, pixels * each / 1e6, seconds * share / 60)


def _threads(workers: int) -> TileRunner:
    """Threads of this process: libraries of arrays and rasters let others work meanwhile."""

    def run(keys: Sequence[TileKey], work: Callable[[TileKey], None]) -> Iterator[Outcome]:
        if workers == 1 or len(keys) < 2:
            for key in keys:
                yield key, _tried(work, key)
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="eolab-map") as pool:
            futures = {pool.submit(_tried, work, key): key for key in keys}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    return run


def _tried(work: Callable[[TileKey], None], key: TileKey) -> Exception | None:
    try:
        work(key)
    except Exception as error:
        return error
    return None


# --- the files -------------------------------------------------------------------------------


def _written(
    predictor: MapModel,
    source: MapSource,
    store: TileStore,
    path: Path,
    layers: MapLayers,
    colours: Mapping[str, tuple[int, int, int]],
    identity: Mapping[str, object],
) -> PredictedMap:
    """The files of a map, from its tiles; the item last, which says that it is whole."""
    likely = seen = False
    wanted = bool(layers.classes) and bool(identity["probability"])
    for key in store.grid.tiles():
        tile = store.read(key)
        likely |= tile.probability is not None
        empty = (
            np.isnan(tile.prediction) if not layers.classes else tile.prediction == layers.nodata
        )
        seen |= not bool(empty.all())
        if seen and (likely or not wanted):
            break
    if not seen:
        store.remove()
        raise InvalidInputError(
            "no pixel of the area has all features that the model needs",
            "Look at the cube: clouds, a mask that leaves nothing out, an area without scenes.",
        )
    place = source.transform, source.crs
    files = {"prediction": path}
    item_path = path.with_suffix(".json")
    item_path.unlink(missing_ok=True)
    folders.make(path.parent)
    write_prediction(path, store, layers, place, predictor.label, colours)
    if likely:
        files["probability"] = path.with_name(f"{path.stem}_probability.tif")
        write_probability(files["probability"], store, layers, place, predictor.label)
    else:  # those of the map that stood there are none of this one
        path.with_name(f"{path.stem}_probability.tif").unlink(missing_ok=True)
    item = map_item(
        item_path, predictor, layers, files=files, place=place,
        shape=(store.grid.height, store.grid.width), colours=colours,
        features=source.recipe.columns, about=source.cube.attrs, times=_times(source.cube),
        identity=identity,
    )  # fmt: skip
    with disk.translate_errors(f"{item_path.name} cannot be written; tiles stay", path.parent):
        writes.write_json(item_path, item.to_dict(include_self_link=False))
    return PredictedMap(path, files.get("probability"), item_path, predictor.classes)


def _times(cube: xr.Dataset) -> list[dt.datetime]:
    """First and last moment of a cube; none where it has no time."""
    if "time" in cube.coords:
        values = np.atleast_1d(cube["time"].to_numpy())
    else:
        texts = [t for t in str(cube.attrs.get("eolab_times", "")).split("/") if t]
        values = np.array(texts, dtype="datetime64[us]")
    if not values.size or values.dtype.kind != "M":
        return []
    ends = values.min(), values.max()
    return [
        dt.datetime.fromtimestamp(int(end.astype("datetime64[us]").astype(np.int64)) / 1e6, dt.UTC)
        for end in ends
    ]
