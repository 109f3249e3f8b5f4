"""From cubes to rows on Spark, a tile a task: for areas that one machine takes too long over.

Zones and places are found here, once; each task gets the window of the cube that they need, and
measures it as `eolab.features.extract.points_and_pixels` does. A lazy cube
(``eo.load(..., chunks=...)``) travels as the recipe of its window, and each task reads its own
pixels. Executors need eolab and the libraries that it reads with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.extract import points_and_pixels, zonal
from eolab.features.extract.cube_layout import layout, origin
from eolab.features.extract.interface import Extraction
from eolab.features.frame_attrs import CRS_ATTR, PIXELS
from eolab.features.geometry import crs_text
from eolab.features.storage.arrow import to_arrow

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa
    import xarray as xr
    from pyspark.sql import DataFrame, SparkSession

# What is sent to executors along with the tiles: more would not fit into the driver.
_SENT = 100 * 2**20
# Called on an executor with the window of a tile; gives its rows.
Measure = Callable[["xr.Dataset"], "pd.DataFrame"]


class OnSpark(Extraction["DataFrame"]):
    """What `.eo` makes of a cube, made by Spark's tasks; by `EoAccessor.on_spark`.

    The rows are those of the methods of the same name, in no order, as a Spark DataFrame that a
    group takes as it is: ``group.insert(frame)`` records its scenes and its place.

    Args:
        cube: (time, y, x) or (y, x), NaN where nothing was seen; best a lazy one.
        spark: Any session, classic or Connect, whose executors have eolab.
        tile: Side of a tile in pixels.
    """

    def __init__(self, cube: xr.Dataset, spark: SparkSession, tile: int = 512) -> None:
        if isinstance(tile, bool) or not isinstance(tile, int) or tile < 1:
            raise InvalidInputError(f"tile={tile!r} is no number of pixels", "Give 1 or more.")
        self._cube, self._spark, self._tile = cube, spark, tile

    def _zonal(
        self,
        zones_: gpd.GeoDataFrame,
        id: str,
        stats: Sequence[str],
        buffer: float,
        min_pixels: float,
    ) -> DataFrame:
        """A zone is measured whole, by the task in whose tile its middle lies."""
        import pyarrow as pa

        bands, times, transform, crs = layout(self._cube)
        ops = zonal.operations(stats)
        placed = zonal.measurable(zones_, id, crs, buffer, self._cube, transform)
        west, south, east, north = placed.bounds.to_numpy().T
        column = np.sort(np.stack([(x - transform.c) / transform.a for x in (west, east)]), axis=0)
        row = np.sort(np.stack([(y - transform.f) / transform.e for y in (south, north)]), axis=0)
        # A pixel more on each side, so that no rounding cuts off a border.
        low = np.stack([np.floor(row[0]) - 1, np.floor(column[0]) - 1]).astype(int)
        high = np.stack([np.ceil(row[1]) + 1, np.ceil(column[1]) + 1]).astype(int)
        work = []
        for members in self._tiles(row.mean(axis=0), column.mean(axis=0)):
            some = placed.iloc[members]
            window = self._window(low[:, members].min(axis=1), high[:, members].max(axis=1))
            work.append((window, _zonal(some.reset_index(drop=True), id, ops, min_pixels)))
        fields = [to_arrow(placed[[id]]).schema.field(0), *_time(times)]
        fields += [pa.field(f"{b}_{s}", pa.float64()) for b in bands for s in ops]
        fields += [pa.field(n, pa.float64()) for n in ("count", "clear")]
        return self._run(work, fields, origin(self._cube))

    def _pixels(
        self,
        labels: gpd.GeoDataFrame,
        columns: Sequence[str],
        stratify: str | None,
        per_class: int,
    ) -> DataFrame:
        _, _, transform, crs = layout(self._cube)
        found = points_and_pixels.located(
            self._cube, labels, columns, transform, crs, stratify, per_class
        )
        return self._placed(*found, {PIXELS: True})

    def _sample(self, points: gpd.GeoDataFrame, id: str, columns: Sequence[str]) -> DataFrame:
        return self._placed(*points_and_pixels.under(self._cube, points, id, columns), {})

    def _placed(
        self, places: pd.DataFrame, row: np.ndarray, column: np.ndarray, more: dict[str, object]
    ) -> DataFrame:
        import pyarrow as pa

        bands, times, _, crs = layout(self._cube)
        work = []
        for members in self._tiles(row, column):
            low = np.array([row[members].min(), column[members].min()])
            # Two pixels at least: of one alone nobody knows how large it is.
            high = np.maximum(np.array([row[members].max(), column[members].max()]) + 1, low + 2)
            window, (top, left) = self._window(low, high), self._corner(low, high)
            some = places.iloc[members].reset_index(drop=True)
            work.append((window, _dated(some, row[members] - top, column[members] - left)))
        known = list(to_arrow(places).schema)
        fields = [*known[:3], *_time(times), *(pa.field(b, pa.float32()) for b in bands)]
        attrs = {**origin(self._cube), CRS_ATTR: crs_text(crs), **more}
        return self._run(work, [*fields, *known[3:]], attrs)

    def _tiles(self, row: np.ndarray, column: np.ndarray) -> list[np.ndarray]:
        """The positions of the members of each tile that has any."""
        height, width = self._cube.sizes["y"], self._cube.sizes["x"]
        down = np.clip(row, 0, height - 1).astype(int) // self._tile
        right = np.clip(column, 0, width - 1).astype(int) // self._tile
        number = down * (width // self._tile + 1) + right
        order = np.argsort(number, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)

    def _corner(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """First row and column of a window, moved inwards where it would leave the cube."""
        shape = np.array([self._cube.sizes["y"], self._cube.sizes["x"]])
        return np.asarray(np.clip(np.minimum(low, shape - np.minimum(high - low, shape)), 0, None))

    def _window(self, low: np.ndarray, high: np.ndarray) -> xr.Dataset:
        shape = np.array([self._cube.sizes["y"], self._cube.sizes["x"]])
        first = self._corner(low, high)
        last = np.minimum(high, shape)
        cut = {d: slice(int(a), int(b)) for d, a, b in zip(("y", "x"), first, last, strict=True)}
        return self._cube.isel(cut)

    def _run(
        self,
        work: Sequence[tuple[xr.Dataset, Measure]],
        fields: Sequence[pa.Field],
        attrs: dict[str, object],
    ) -> DataFrame:
        import pyarrow as pa
        from pyspark.sql.pandas.types import from_arrow_schema

        sent = [_pickled(window, measure) for window, measure in work]
        size = sum(map(len, sent))
        if size > _SENT:
            raise InvalidInputError(
                f"{size / 2**20:.0f} MB of pixels would go from here to the executors",
                "Load the cube lazily, so that they read it: eo.load(..., chunks={'x': 1024, ...})",
            )
        target = pa.schema(list(fields))
        tiles = self._spark.createDataFrame(pa.table({"tile": pa.array(sent, pa.binary())}))
        frame = tiles.repartition(len(sent)).mapInArrow(_task(target), from_arrow_schema(target))
        # As on rows of `extract`: what their commit is made from, and where they are.
        vars(frame)["attrs"] = attrs
        return frame


def _time(times: np.ndarray) -> list[pa.Field]:
    import pyarrow as pa

    return [pa.field("time", pa.timestamp("us", "UTC"))] if len(times) else []


def _zonal(
    placed: gpd.GeoDataFrame, id: str, ops: dict[str, zonal.Operation], min_pixels: float
) -> Measure:
    return lambda window: zonal.measured(window, placed, id, ops, min_pixels)


def _dated(places: pd.DataFrame, row: np.ndarray, column: np.ndarray) -> Measure:
    def measure(window: xr.Dataset) -> pd.DataFrame:
        import pandas as pd

        bands, times, _, _ = layout(window)
        return pd.concat(points_and_pixels.dated(window, places, row, column, bands, times))

    return measure


def _pickled(window: xr.Dataset, measure: Measure) -> bytes:
    import cloudpickle

    if window.chunks:
        from dask.base import optimize

        # Without the recipes of what lies outside the window.
        (window,) = optimize(window)
    return bytes(cloudpickle.dumps((window, measure)))


def _task(target: pa.Schema) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task does; by value, so that an executor without eolab can say so."""
    kept = target.serialize().to_pybytes()

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import importlib.util
        import pickle

        import pyarrow as pa

        if importlib.util.find_spec("eolab") is None:
            raise RuntimeError("Extraction on Spark needs eolab on the executors: install it.")
        schema = pa.ipc.read_schema(pa.py_buffer(kept))
        for batch in batches:
            for sent in batch.column(0):
                window, measure = pickle.loads(sent.as_py())
                if window.chunks:
                    import dask

                    # The task is the unit of work: threads of its own would take others' cores.
                    with dask.config.set(scheduler="synchronous"):
                        rows = measure(window)
                else:
                    rows = measure(window)
                table = pa.Table.from_pandas(
                    rows[schema.names], schema=schema, preserve_index=False, safe=False
                )
                yield from table.to_batches()

    return run
