"""A map as Cloud-Optimized GeoTIFFs: one of the predictions, one of the probabilities."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.accuracy.class_raster import CLASS_NAMES
from eolab.errors import InvalidInputError, nearest
from eolab.files import disk, writes
from eolab.maps.layers import MapLayers
from eolab.maps.tile_store import TileStore

if TYPE_CHECKING:
    import rasterio
    from affine import Affine

_BLOCK = 512
_CACHE = 64_000_000  # bytes that GDAL keeps while it writes: a map may be larger than memory
# Told apart also by most who see colours differently (Tol 2021, "Colour schemes", muted and light).
PALETTE = (
    "#117733", "#ddcc77", "#88ccee", "#cc6677", "#332288", "#aa4499", "#44aa99", "#999933",
    "#882255", "#bbcc33", "#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#aaaa00",
)  # fmt: skip


def colours_of(
    classes: Sequence[str], given: Mapping[str, str] | None
) -> dict[str, tuple[int, int, int]]:
    """The colour of each class: as given ("#aabbcc"), else of a palette.

    Raises:
        InvalidInputError: A name that is no class, or a colour that is none.
    """
    for name, text in (given or {}).items():
        if name not in classes:
            raise InvalidInputError(
                f"colours= names {name!r}, which is no class",
                nearest(name, list(classes), "classes"),
            )
        digits = text.removeprefix("#") if isinstance(text, str) else ""
        if len(digits) != 6 or set(digits.lower()) - set("0123456789abcdef"):
            raise InvalidInputError(
                f"{text!r} of {name!r} is no colour", "Write red, green and blue: '#3388cc'."
            )
    made = {}
    for place, name in enumerate(classes):
        text = (given or {}).get(name) or PALETTE[place % len(PALETTE)]
        number = int(text.removeprefix("#"), 16)
        made[name] = (number >> 16, number >> 8 & 255, number & 255)
    return made


def write_prediction(
    path: Path,
    store: TileStore,
    layers: MapLayers,
    place: tuple[Affine, str],
    label: str,
    colours: Mapping[str, tuple[int, int, int]],
) -> None:
    """Write the tiles' predictions as one file, with names and colours of the classes.

    Args:
        path: The file.
        store: All tiles, done.
        layers: What the map holds.
        place: Its transform, and its reference system as WKT.
        label: Name and version of the model.
        colours: Of the classes.
    """
    with _written(path, store, layers.dtype, 1, layers.nodata, place, label) as file:
        for key in store.grid.tiles():
            file.write(store.read(key).prediction, 1, window=_window(key.rows, key.columns))
        if layers.classes:
            file.update_tags(1, **{CLASS_NAMES: json.dumps(list(layers.classes))})
            if layers.dtype == np.uint8:
                table = {c: (*colours[n], 255) for c, n in enumerate(layers.classes)}
                file.write_colormap(1, {**table, 255: (0, 0, 0, 0)})
        file.set_band_description(1, "prediction")


def write_probability(
    path: Path, store: TileStore, layers: MapLayers, place: tuple[Affine, str], label: str
) -> None:
    """Write the tiles' probabilities as one file of a band for each class, float32."""
    count = len(layers.classes)
    with _written(path, store, np.dtype("float32"), count, float("nan"), place, label) as file:
        for key in store.grid.tiles():
            likely = store.read(key).probability
            if likely is None:  # of a tile without any pixel that is known
                shape = key.rows.stop - key.rows.start, key.columns.stop - key.columns.start
                likely = np.full((count, *shape), np.nan, np.float32)
            file.write(likely, window=_window(key.rows, key.columns))
        for number, name in enumerate(layers.classes, 1):
            file.set_band_description(number, name)


def _window(rows: slice, columns: slice) -> rasterio.windows.Window:
    from rasterio.windows import Window

    return Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)


@contextmanager
def _written(
    path: Path,
    store: TileStore,
    dtype: np.dtype,
    count: int,
    nodata: float,
    place: tuple[Affine, str],
    label: str,
) -> Iterator[rasterio.io.DatasetWriter]:
    """A file to write into, which becomes a COG at ``path`` when the block ends well."""
    import rasterio
    import rasterio.shutil

    transform, crs = place
    classes = dtype.kind == "u"
    plain = store.folder / f"{path.stem}.work.tif"
    with (
        disk.translate_errors(f"{path.name} cannot be written; its tiles stay", path.parent),
        rasterio.Env(GDAL_CACHEMAX=_CACHE),
    ):
        try:
            with rasterio.open(
                plain, "w", driver="GTiff", width=store.grid.width, height=store.grid.height,
                count=count, dtype=dtype, crs=crs, transform=transform, nodata=nodata, tiled=True,
                blockxsize=_BLOCK, blockysize=_BLOCK, BIGTIFF="IF_SAFER",
                interleave="band",
            ) as file:  # fmt: skip
                yield file
                file.update_tags(eolab_model=label)
            with writes.draft(path) as beside:
                rasterio.shutil.copy(
                    plain, beside, driver="COG", BLOCKSIZE=_BLOCK, COMPRESS="DEFLATE",
                    PREDICTOR="NO" if classes else "YES", BIGTIFF="IF_SAFER",
                    # Classes that are averaged are classes that nobody mapped.
                    OVERVIEW_RESAMPLING="NEAREST" if classes else "AVERAGE",
                )  # fmt: skip
        finally:
            plain.unlink(missing_ok=True)
