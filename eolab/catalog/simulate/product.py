"""One simulated Sentinel-2 Level-2A product of one tile: pixels and Cloud-Optimized GeoTIFFs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from eolab.catalog.simulate.land import BANDS, GROUND_CRS, HEIGHT, PAD, WIDTH, Land
from eolab.catalog.simulate.names import COLLECTION
from eolab.catalog.simulate.seasons import YEAR, Pass
from eolab.catalog.simulate.sky import Sky, smooth_noise

FINE = ("B02", "B03", "B04", "B08")  # 10 m; the others and SCL 20 m
_DARK = ("B02", "B03", "B04", "B05")  # over vegetation: their steps are the finer ones
QUANTIFICATION = 10_000
OFFSET = 1_000  # digital numbers added since processing baseline 04.00
NODATA = 0
CELL = 5.0  # metres of the field map on the ground


@dataclass(frozen=True)
class Tile:
    """A granule's grid: 10 m pixels from (west, north) in its UTM zone, an even number of them."""

    name: str
    epsg: int
    west: float
    north: float
    columns: int
    rows: int

    def transform(self, size: float) -> list[float]:
        """Affine of pixels of ``size`` metres, as STAC writes it."""
        return [size, 0.0, self.west, 0.0, -size, self.north]

    def shape(self, size: float) -> list[int]:
        return [int(self.rows * 10 / size), int(self.columns * 10 / size)]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        return self.west, self.north - 10.0 * self.rows, self.west + 10.0 * self.columns, self.north


@dataclass(frozen=True)
class Ground:
    """What a tile's 10 m pixels see: field number (-1 for none) and place on the ground."""

    field: np.ndarray
    x: np.ndarray
    y: np.ndarray
    texture: np.ndarray


def make_tile(name: str, epsg: int, west: float, east: float, centre: tuple[float, float]) -> Tile:
    """The tile that covers ground from ``west`` to ``east`` (metres from the centre)."""
    from pyproj import Transformer

    to_utm = Transformer.from_crs(GROUND_CRS, f"EPSG:{epsg}", always_xy=True)
    half = HEIGHT / 2
    x, y = to_utm.transform(
        np.array([west, west, east, east]) + centre[0],
        np.array([-half, half, -half, half]) + centre[1],
    )
    # Granules start on multiples of 20 m, so that the 10 m and the 20 m grid share their edges.
    left, top = np.floor(np.min(x) / 20) * 20, np.ceil(np.max(y) / 20) * 20
    return Tile(
        name,
        epsg,
        float(left),
        float(top),
        int(np.ceil((np.max(x) - left) / 20)) * 2,
        int(np.ceil((top - np.min(y)) / 20)) * 2,
    )


def sample_ground(land: Land, tile: Tile, rng: np.random.Generator) -> Ground:
    """Find what each pixel of the tile sees."""
    from affine import Affine
    from pyproj import Transformer
    from rasterio.features import rasterize

    west, north = -WIDTH / 2 - PAD, HEIGHT / 2 + PAD
    shape = (int(2 * north / CELL), int(-2 * west / CELL))
    fields = rasterize(
        (
            ({"type": "Polygon", "coordinates": [[*p.tolist(), p[0].tolist()]]}, i + 1)
            for i, p in enumerate(land.polygons)
        ),
        out_shape=shape,
        transform=Affine(CELL, 0, west, 0, -CELL, north),
        dtype="int32",
    )
    to_ground = Transformer.from_crs(f"EPSG:{tile.epsg}", GROUND_CRS, always_xy=True)
    columns = tile.west + 10.0 * (np.arange(tile.columns) + 0.5)
    rows = tile.north - 10.0 * (np.arange(tile.rows) + 0.5)
    x, y = to_ground.transform(*np.meshgrid(columns, rows))
    x, y = x - land.centre[0], y - land.centre[1]
    i = np.clip(((north - y) / CELL).astype(int), 0, shape[0] - 1)
    j = np.clip(((x - west) / CELL).astype(int), 0, shape[1] - 1)
    return Ground(fields[i, j] - 1, x, y, smooth_noise(rng, (tile.rows, tile.columns), 4.0))


@dataclass(frozen=True)
class Pixels:
    """Digital numbers by band and the scene classification of one product."""

    dn: dict[str, np.ndarray]
    scl: np.ndarray

    @property
    def cloud_cover(self) -> float:
        """Percent of the valid pixels that the classification calls cloud."""
        valid = self.scl != 0
        return round(100 * float(np.isin(self.scl[valid], (8, 9, 10)).mean()), 2)


def render(
    land: Land,
    ground: Ground,
    sky: Sky,
    day: float,
    rng: np.random.Generator,
    *,
    offset: bool,
    edge: float | None,
    shift: int = 0,
    coarse: bool = False,
) -> Pixels:
    """What the sensor delivers.

    Args:
        land: The fields.
        ground: What the tile's pixels see.
        sky: Clouds at that time.
        day: Day of the year.
        rng: Source of the sensor's noise.
        offset: Add 1,000 to the digital numbers (processing baseline 04.00 and later).
        edge: Nodata west of this slanted line, metres from the region's centre; None for none.
        shift: Pixels by which an old baseline misplaces the image.
        coarse: Keep the numbers in large steps, below what is needed to tell crops apart.
    """
    by_field = np.vstack([land.reflectance(day), _track()])
    field = ground.field
    texture = ground.texture
    row, column = sky.grid.index(ground.x, ground.y)
    opacity, shadow = sky.opacity[row, column], sky.shadow[row, column]
    beyond = (
        np.zeros(field.shape, dtype=bool) if edge is None else ground.x + 0.25 * ground.y < edge
    )
    today = smooth_noise(rng, field.shape, 3.0)
    fertile = 1 + 0.035 * texture + 0.02 * today
    reflectance = {}
    for k, band in enumerate(BANDS):
        seen = by_field[field, k] * fertile
        seen = seen * (1 - shadow)
        seen = seen * (1 - opacity) + opacity * (0.62 - 0.025 * k) * (1 + 0.05 * today)
        reflectance[band] = np.roll(seen + sky.haze[k], shift, axis=(0, 1))
    beyond, opacity, shadow = (
        np.roll(layer, shift, axis=(0, 1)) for layer in (beyond, opacity, shadow)
    )
    dn = {}
    for band, seen in reflectance.items():
        values = seen if band in FINE else _coarsen(seen)
        values = values * QUANTIFICATION + rng.normal(0, 10 if band in FINE else 7, values.shape)
        # Steps within the sensor's noise; finer ones would only cost disk.
        step = 4 if not coarse else 32 if band in _DARK else 64
        values = step * np.rint(values / step) + (OFFSET if offset else 0)
        values = np.clip(values, step, 65_535).astype(np.uint16)
        values[beyond if band in FINE else beyond[::2, ::2]] = NODATA
        dn[band] = values
    return Pixels(dn, _classify(reflectance, _coarsen(opacity), _coarsen(shadow), beyond[::2, ::2]))


def _track() -> np.ndarray:
    """Grass verge and gravel between fields: index -1 of the fields."""
    return np.array([[0.06, 0.085, 0.085, 0.12, 0.20, 0.235, 0.26, 0.275, 0.25, 0.17]])


def _coarsen(fine: np.ndarray) -> np.ndarray:
    return np.asarray(fine.reshape(fine.shape[0] // 2, 2, fine.shape[1] // 2, 2).mean(axis=(1, 3)))


def _classify(
    reflectance: dict[str, np.ndarray], opacity: np.ndarray, shadow: np.ndarray, beyond: np.ndarray
) -> np.ndarray:
    """Sen2Cor's classes 0, 3, 4, 5, 8, 9, 10; like the original it misses thin cloud edges."""
    red, nir = _coarsen(reflectance["B04"]), _coarsen(reflectance["B08"])
    scl = np.where((nir - red) / (nir + red) > 0.4, 4, 5)
    scl[shadow > 0.20] = 3
    scl[opacity > 0.30] = 10
    scl[opacity > 0.45] = 8
    scl[opacity > 0.75] = 9
    scl[beyond] = 0
    return scl.astype(np.uint8)


def write_cog(
    path: Path,
    values: np.ndarray,
    tile: Tile,
    size: float,
    *,
    categories: bool = False,
    plain: bool = False,
    nodata: float = NODATA,
) -> None:
    """Write one band as a Cloud-Optimized GeoTIFF with overviews, marked as simulated.

    Args:
        path: Target.
        values: Numbers (y, x); float for radar, whose nodata is NaN.
        tile: The grid.
        size: Pixel size in metres.
        categories: Classes, which must not be averaged.
        plain: Take single pixels for the overviews: means have more digits, which cost disk.
        nodata: Number that means nothing.
    """
    import rasterio
    from affine import Affine

    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=values.shape[1],
        height=values.shape[0],
        count=1,
        dtype=values.dtype,
        crs=f"EPSG:{tile.epsg}",
        transform=Affine(*tile.transform(size)),
        nodata=float("nan") if values.dtype.kind == "f" else nodata,
        blocksize=512,  # overviews of what fits into one block would cost a third more
        compress="ZSTD",
        level=6,
        predictor="NO" if categories else "YES",
        overview_resampling="NEAREST" if categories or plain else "AVERAGE",
    ) as file:
        file.write(values, 1)
        file.update_tags(SOURCE="simulated by eolab; not a real observation")


def write_thumbnail(path: Path, pixels: Pixels, offset: bool) -> None:
    """A true-colour JPEG of at most 256 pixels a side."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    step = int(np.ceil(max(pixels.dn["B04"].shape) / 256))
    stack = np.stack([pixels.dn[band][::step, ::step] for band in ("B04", "B03", "B02")]).astype(
        np.float32
    )
    stack = np.where(stack > 0, (stack - (OFFSET if offset else 0)) / QUANTIFICATION, 0)
    image = np.clip(255 * (stack / 0.35) ** 0.8, 0, 255).astype(np.uint8)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path,
            "w",
            driver="JPEG",
            width=image.shape[2],
            height=image.shape[1],
            count=3,
            dtype="uint8",
        ) as file:
            file.write(image)


@dataclass(frozen=True)
class Product:
    """One item: an overpass, a tile, the newest or the older product."""

    overpass: Pass
    tile: Tile
    ground: Ground
    sky: Sky
    older: bool

    @property
    def baseline(self) -> str:
        return self.overpass.older if self.older else self.overpass.baseline

    @property
    def offset(self) -> bool:
        return self.overpass.offset and not self.older

    @property
    def platform(self) -> str:
        return "sentinel-2a" if self.overpass.time.timetuple().tm_yday % 2 else "sentinel-2b"

    @property
    def time(self) -> datetime:
        """Tiles of one datatake are seen some seconds apart, as in reality."""
        return self.overpass.time + timedelta(seconds=14 if self.tile.epsg == 32633 else 0)

    @property
    def id(self) -> str:
        letter = self.platform[-1].upper()
        return (
            f"SIM_S2{letter}_{self.tile.name}_{self.time:%Y%m%d}_N{self.baseline.replace('.', '')}"
        )

    @property
    def assets(self) -> dict[str, float]:
        """Pixel size in metres of each raster."""
        return {**{band: 10.0 if band in FINE else 20.0 for band in BANDS}, "SCL": 20.0}

    @property
    def _fine(self) -> bool:
        """Whether its numbers are kept finely: those of the first season that loads take."""
        return self.overpass.year == YEAR and not self.older and self.overpass.cover < 0.9

    def write(self, folder: Path, land: Land, seed: np.random.SeedSequence) -> float:
        """Render and write the rasters; returns the cloud cover in percent."""
        pixels = render(
            land,
            self.ground,
            self.sky,
            float(self.overpass.time.timetuple().tm_yday),
            np.random.default_rng(seed),
            offset=self.offset,
            edge=-4_300.0 if self.overpass.orbit == 22 and self.tile.epsg == 32632 else None,
            shift=3 if self.older else 0,
            coarse=not self._fine,
        )
        home = folder / COLLECTION / self.id
        home.mkdir(parents=True)
        for band, size in self.assets.items():
            values = pixels.scl if band == "SCL" else pixels.dn[band]
            path = home / f"{band}.tif"
            write_cog(path, values, self.tile, size, categories=band == "SCL", plain=not self._fine)
        write_thumbnail(home / "thumbnail.jpg", pixels, self.offset)
        return pixels.cloud_cover
