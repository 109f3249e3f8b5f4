"""The sample region: two simulated seasons over made-up fields, with known truth.

Nothing in it was observed. It is a trap course: each trap is there so that a test can show the
naive way failing. A radiometric offset on half of the dates, a duplicate item of another processing
baseline, an item whose declared offset was applied already, two UTM zones, partial clouds with
shadows, a nodata edge, 5 % wrong labels, a second district sown three weeks later. The season after
grows other crops in a late spring; Sentinel-1 sees both seasons from two orbits (see `radar`).
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
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
    rotate,
)
from eolab.catalog.simulate.names import COLLECTION, RADAR, SEASON_END
from eolab.catalog.simulate.product import Ground, Product, Tile, make_tile, sample_ground
from eolab.catalog.simulate.radar import Look
from eolab.catalog.simulate.radar import truth as radar_truth
from eolab.catalog.simulate.seasons import (
    LATE_SPRING,
    ORBITS,
    PASSES,
    PASSES_AFTER,
    RADAR_DAYS,
    YEAR,
    Pass,
)
from eolab.catalog.simulate.sky import STEP, Grid, Sky, make_sky
from eolab.files import folders, writes
from eolab.progress import track

FORMAT = 2
WRONG_LABELS = 0.05


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
    """Simulate the seasons and write them as a static STAC catalogue with parcels and their truth.

    Writes `catalog.json`, two collections with their items and Cloud-Optimized GeoTIFFs,
    `parcels.parquet` (GeoParquet in EPSG:3035; 5 % of the crops are wrong) and `truth.parquet`,
    both with the year in their name for the season after, `truth-radar.parquet` and `sample.json`.
    The folder appears when it is complete; one that is there is replaced.

    Args:
        folder: Target, usually the workspace's `sample`.
        seed: Same seed, same pixels.

    Raises:
        OSError: No space or no permission; nothing is left behind.
    """
    folder = Path(folder)
    folders.make(folder.parent)
    with writes.draft_folder(folder, replace=True) as draft:
        info = _write(draft, seed)
    megabytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    return SampleInfo(
        folder,
        info[0],
        tuple(p.time.date().isoformat() for p in (*PASSES, *PASSES_AFTER)),
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
        sample_ground(land, tile, np.random.default_rng(s))
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
    products = _products(PASSES, tiles, grounds, skies)
    work: list[tuple[Product | Look, Land, np.random.SeedSequence]] = [
        (product, land, s)
        for product, s in zip(products, noise_seed.spawn(len(products)), strict=True)
    ]
    # Spawned later: the first season stays as it was before there was a second.
    rotation_seed, sky_seed, noise_seed, swath_seed, speckle_seed = root.spawn(5)
    after = rotate(np.random.default_rng(rotation_seed), land, late=LATE_SPRING, wrong=WRONG_LABELS)
    skies = [
        make_sky(np.random.default_rng(s), grid, p.cover, *_sun(p.time))
        for p, s in zip(PASSES_AFTER, sky_seed.spawn(len(PASSES_AFTER)), strict=True)
    ]
    more = _products(PASSES_AFTER, tiles, grounds, skies)
    work += [
        (product, after, s) for product, s in zip(more, noise_seed.spawn(len(more)), strict=True)
    ]
    swath = make_tile("IW", 32632, -WIDTH / 2, WIDTH / 2, land.centre)
    ground = sample_ground(land, swath, np.random.default_rng(swath_seed))
    looks = [Look(day, orbit, swath, ground) for day in RADAR_DAYS for orbit in ORBITS]
    work += [
        (one, land if one.time.year == YEAR else after, s)
        for one, s in zip(looks, speckle_seed.spawn(len(looks)), strict=True)
    ]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        started = [pool.submit(_write_item, folder, *job) for job in work]
        try:
            covers = [done.result() for done in track(started, "simulating scenes")]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    optical = [*products, *more]
    write_stac(folder, list(zip(optical, covers, strict=False)), looks)
    _write_parcels(folder, land, YEAR, PASSES)
    _write_parcels(folder, after, YEAR + 1, PASSES_AFTER)
    _write_radar_truth(folder, land, after)
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
                "season_after": YEAR + 1,
                "dates_after": [p.time.date().isoformat() for p in PASSES_AFTER],
                "radar_collection": RADAR,
                "items": len(work),
                "parcels": len(land.parcels),
                "wrong_labels": int((land.label != land.kind[land.parcels]).sum()),
            },
            indent=1,
        )
    )
    return len(work), len(land.parcels)


def _products(
    passes: tuple[Pass, ...],
    tiles: tuple[Tile, ...],
    grounds: list[Ground],
    skies: list[Sky],
) -> list[Product]:
    """The products of a season: each overpass in each tile, some in two baselines."""
    return [
        Product(p, tile, ground, sky, older=older)
        for p, sky in zip(passes, skies, strict=True)
        for tile, ground in zip(tiles, grounds, strict=True)
        for older in ([False, True] if p.older else [False])
    ]


def _write_item(
    folder: Path, job: Product | Look, land: Land, seed: np.random.SeedSequence
) -> float:
    """Write an item's rasters; returns its cloud cover in percent, 0 for radar."""
    if isinstance(job, Look):
        job.write(folder / RADAR / job.id, land, seed)
        return 0.0
    return job.write(folder, land, seed)


def _sun(time: datetime) -> tuple[float, float]:
    """Zenith and azimuth in degrees at the overpass, good enough for shadows."""
    day = time.timetuple().tm_yday
    declination = 23.45 * np.sin(np.radians(360 * (284 + day) / 365))
    return float(48.6 - declination + 6), 160.0


def _write_parcels(folder: Path, land: Land, year: int, passes: tuple[Pass, ...]) -> None:
    """The farm register of a year, and what is true."""
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry import Polygon

    at = land.parcels
    ids = [f"P{number:04d}" for number in range(len(at))]
    end = pd.Timestamp(SEASON_END.replace(year=year))
    register = gpd.GeoDataFrame(
        {
            "parcel_id": ids,
            "crop": land.label.astype(str),
            "district": [DISTRICTS[d] for d in land.district[at]],
            "observed": pd.Series(end, index=range(len(at))),
            "simulated": True,
        },
        geometry=[Polygon(land.polygons[i] + np.array(land.centre)) for i in at],
        crs=GROUND_CRS,
    )
    suffix = "" if year == YEAR else f"-{year}"
    register.to_parquet(folder / f"parcels{suffix}.parquet")
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
    for overpass in passes:
        seen = land.reflectance(float(overpass.time.timetuple().tm_yday))[at]
        red, nir = seen[:, BANDS.index("B04")], seen[:, BANDS.index("B08")]
        truth[f"ndvi_{overpass.time:%Y%m%d}"] = (nir - red) / (nir + red)
    truth.to_parquet(folder / f"truth{suffix}.parquet")


def _write_radar_truth(folder: Path, land: Land, after: Land) -> None:
    import pandas as pd

    first = tuple(day for day in RADAR_DAYS if day[0] == YEAR)
    second = tuple(day for day in RADAR_DAYS if day[0] != YEAR)
    table = pd.concat(
        [
            pd.DataFrame(radar_truth(land, first, ORBITS)),
            pd.DataFrame(radar_truth(after, second, ORBITS)),
        ]
    )
    table.assign(simulated=True).to_parquet(folder / "truth-radar.parquet", index=False)
