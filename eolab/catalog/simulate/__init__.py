"""The sample region: a simulated season of Sentinel-2 over made-up fields, with known truth.

Nothing in it was observed. It is a trap course: each trap is there so that a test can show the
naive way failing. A radiometric offset on half of the dates, a duplicate item of another processing
baseline, an item whose declared offset was applied already, two UTM zones, partial clouds with
shadows, a nodata edge, 5 % wrong labels, a second district sown three weeks later.
"""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from eolab.catalog.simulate.land import (
    BANDS,
    DISTRICTS,
    GROUND_CRS,
    HEIGHT,
    PAD,
    SEASONS,
    WIDTH,
    Land,
    make_land,
)
from eolab.catalog.simulate.product import (
    FINE,
    Ground,
    Pixels,
    Tile,
    look,
    make_tile,
    render,
    write_cog,
    write_thumbnail,
)
from eolab.catalog.simulate.sky import STEP, Grid, Sky, make_sky
from eolab.progress import track

FORMAT = 1
COLLECTION = "sentinel-2-l2a-simulated"
YEAR = 2021
SEASON_END = datetime(YEAR, 10, 31, tzinfo=UTC)
WRONG_LABELS = 0.05


@dataclass(frozen=True)
class Pass:
    """One overpass of the season.

    Attributes:
        month: Month of 2021.
        day: Day of the month.
        orbit: Relative orbit; 22 sees the region at the edge of its swath.
        cover: Share of sky under cloud.
        baseline: Processing baseline of the products.
        offset: Digital numbers carry the offset of baseline 04.00 and later.
        declared: The items say so in `raster:offset`; else only the baseline tells.
        applied: The items say that a provider has taken the offset out again.
        older: Baseline of a second, older product of the same datatake, or "".
    """

    month: int
    day: int
    orbit: int
    cover: float
    baseline: str = "03.01"
    offset: bool = False
    declared: bool = False
    applied: bool = False
    older: str = ""

    @property
    def time(self) -> datetime:
        return datetime(YEAR, self.month, self.day, 10, 10, 31, tzinfo=UTC)


# The archive of that year is half reprocessed: what decides is the item, never its date.
PASSES = (
    Pass(3, 24, 65, 0.05),
    Pass(4, 10, 22, 0.30, "05.00", offset=True),
    Pass(4, 23, 65, 0.00, "05.00", offset=True, declared=True),
    Pass(5, 8, 65, 0.40),
    Pass(5, 20, 22, 0.15, "05.10", offset=True, older="03.00"),
    Pass(6, 2, 65, 0.10, "05.00", declared=True, applied=True),
    Pass(6, 17, 65, 0.92),
    Pass(7, 4, 22, 0.20, "05.00", offset=True, declared=True),
    Pass(7, 17, 65, 0.35, "05.10", offset=True),
    Pass(8, 6, 65, 0.00),
    Pass(9, 2, 22, 0.25, "05.10", offset=True),
    Pass(9, 25, 65, 0.08),
)


@dataclass(frozen=True)
class SampleInfo:
    """What `write_sample` made.

    Attributes:
        folder: Where it lies.
        items: Number of STAC items.
        dates: Days of the overpasses, ISO.
        parcels: Number of labelled parcels.
        megabytes: Size on disk.
    """

    folder: Path
    items: int
    dates: tuple[str, ...]
    parcels: int
    megabytes: float


def write_sample(folder: Path, *, seed: int = 0) -> SampleInfo:
    """Simulate the season and write it as a static STAC catalogue with parcels and their truth.

    Writes `catalog.json`, a collection with its items and Cloud-Optimized GeoTIFFs,
    `parcels.parquet` (GeoParquet in EPSG:3035; 5 % of the crops are wrong), `truth.parquet` and
    `sample.json`. The folder appears when it is complete; one that is there is replaced.

    Args:
        folder: Target, usually the workspace's `sample`.
        seed: Same seed, same pixels.

    Raises:
        OSError: No space or no permission; nothing is left behind.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        info = _write(draft, seed)
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    megabytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    return SampleInfo(
        folder,
        info[0],
        tuple(p.time.date().isoformat() for p in PASSES),
        info[1],
        round(megabytes, 1),
    )


def _write(folder: Path, seed: int) -> tuple[int, int]:
    from eolab.catalog.simulate.stac import write_stac

    root = np.random.SeedSequence(seed)
    land_seed, sky_seed, look_seed, noise_seed = root.spawn(4)
    land = make_land(np.random.default_rng(land_seed), wrong=WRONG_LABELS)
    tiles = (
        make_tile("32UQU", 32632, -WIDTH / 2, 600.0, land.centre),
        make_tile("33UTP", 32633, -600.0, WIDTH / 2, land.centre),
    )
    grounds = [
        look(land, tile, np.random.default_rng(s))
        for tile, s in zip(tiles, look_seed.spawn(2), strict=True)
    ]
    grid = Grid(
        -WIDTH / 2 - PAD,
        HEIGHT / 2 + PAD,
        (int((HEIGHT + 2 * PAD) / STEP), int((WIDTH + 2 * PAD) / STEP)),
    )
    skies = [
        make_sky(np.random.default_rng(s), grid, p.cover, *_sun(p.time))
        for p, s in zip(PASSES, sky_seed.spawn(len(PASSES)), strict=True)
    ]
    jobs = [
        Product(p, tile, ground, sky, older=older)
        for p, sky in zip(PASSES, skies, strict=True)
        for tile, ground in zip(tiles, grounds, strict=True)
        for older in ([False, True] if p.older else [False])
    ]
    seeds = noise_seed.spawn(len(jobs))
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        work = [pool.submit(job.write, folder, land, s) for job, s in zip(jobs, seeds, strict=True)]
        try:
            covers = [done.result() for done in track(work, "simulating scenes")]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    write_stac(folder, [(job, cover) for job, cover in zip(jobs, covers, strict=True)])
    _write_parcels(folder, land)
    (folder / "sample.json").write_text(
        json.dumps(
            {
                "format": FORMAT,
                "simulated": True,
                "note": "A made-up region: simulated by eolab, nothing in it was observed.",
                "seed": seed,
                "collection": COLLECTION,
                "season_end": SEASON_END.isoformat(),
                "dates": [p.time.date().isoformat() for p in PASSES],
                "items": len(jobs),
                "parcels": len(land.parcels),
                "wrong_labels": int((land.label != land.kind[land.parcels]).sum()),
            },
            indent=1,
        )
    )
    return len(jobs), len(land.parcels)


def _sun(time: datetime) -> tuple[float, float]:
    """Zenith and azimuth in degrees at the overpass, good enough for shadows."""
    day = time.timetuple().tm_yday
    declination = 23.45 * np.sin(np.radians(360 * (284 + day) / 365))
    return float(48.6 - declination + 6), 160.0


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

    def write(self, folder: Path, land: Land, seed: np.random.SeedSequence) -> float:
        """Render and write the rasters; returns the cloud cover in percent."""
        pixels: Pixels = render(
            land,
            self.ground,
            self.sky,
            float(self.overpass.time.timetuple().tm_yday),
            np.random.default_rng(seed),
            offset=self.offset,
            edge=-4_300.0 if self.overpass.orbit == 22 and self.tile.epsg == 32632 else None,
            shift=3 if self.older else 0,
        )
        home = folder / COLLECTION / self.id
        home.mkdir(parents=True)
        for band, size in self.assets.items():
            values = pixels.scl if band == "SCL" else pixels.dn[band]
            write_cog(home / f"{band}.tif", values, self.tile, size, categories=band == "SCL")
        write_thumbnail(home / "thumbnail.png", pixels, self.offset)
        return pixels.cloud_cover


def _write_parcels(folder: Path, land: Land) -> None:
    """The farm register, and what is true."""
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry import Polygon

    at = land.parcels
    ids = [f"P{number:04d}" for number in range(len(at))]
    register = gpd.GeoDataFrame(
        {
            "parcel_id": ids,
            "crop": land.label.astype(str),
            "district": [DISTRICTS[d] for d in land.district[at]],
            "observed": pd.Series(pd.Timestamp(SEASON_END), index=range(len(at))),
            "simulated": True,
        },
        geometry=[Polygon(land.polygons[i] + np.array(land.centre)) for i in at],
        crs=GROUND_CRS,
    )
    register.to_parquet(folder / "parcels.parquet")
    truth = pd.DataFrame(
        {
            "parcel_id": ids,
            "crop": land.kind[at].astype(str),
            "label_is_wrong": land.kind[at] != land.label,
            "district": [DISTRICTS[d] for d in land.district[at]],
            "sowing_day": [
                SEASONS[str(k)].sown + s for k, s in zip(land.kind[at], land.shift[at], strict=True)
            ],
            "simulated": True,
        }
    )
    for overpass in PASSES:
        seen = land.reflectance(float(overpass.time.timetuple().tm_yday))[at]
        red, nir = seen[:, BANDS.index("B04")], seen[:, BANDS.index("B08")]
        truth[f"ndvi_{overpass.time:%Y%m%d}"] = (nir - red) / (nir + red)
    truth.to_parquet(folder / "truth.parquet")
