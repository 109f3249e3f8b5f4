"""What right numbers cost: time and memory of composites and loads, beside others in one run."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

TURNS = 3


def season(scenes: int = 30, bands: int = 4, side: int = 640) -> xr.Dataset:
    """Scenes three days apart, three tenths of each pixel's dates unknown."""
    rng = np.random.default_rng(0)
    times = pd.date_range("2021-01-01", periods=scenes, freq="3D")
    unknown = rng.random((scenes, side, side)) < 0.3
    cube = {}
    for k in range(bands):
        values = rng.random((scenes, side, side), dtype="float32")
        values[unknown] = np.nan
        cube[f"b{k}"] = (("time", "y", "x"), values)
    places = {"y": np.arange(side) * -10.0, "x": np.arange(side) * 10.0}
    return xr.Dataset(cube, {"time": times, **places})


def median_vs_xarray() -> dict[str, float]:
    """Our monthly median over xarray's by month with bottleneck; nothing without that."""
    if find_spec("bottleneck") is None:
        return {}
    from eolab.catalog.cube.composite import composite

    cube = season()

    def ours() -> object:
        return composite(cube, "median", period="1M")

    def theirs() -> object:
        return cube.groupby("time.month").median()

    seconds = [min(_seconds(work) for _ in range(TURNS)) for work in (ours, theirs)]
    return {"median_vs_xarray": seconds[0] / seconds[1]}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_gb(folder: Path, gigabytes: float = 2.0) -> dict[str, float]:
    """Most memory of a process that loads, composes and takes statistics, its imports taken off."""
    from benchmarks.archive_cases import Draw, Grid, band_fields, item, write_tif

    side, bands = 1440, 4
    scenes = max(2, round(gigabytes * 1e9 / (side * side * bands * 4)))
    draw = Draw(0, folder)
    grid = Grid(shape=(side, side))
    base = draw.rng.integers(1, 9000, (side, side), dtype="uint16")
    assets = {}
    for k in range(bands):
        told = [{"name": f"b{k}", "data_type": "uint16", "nodata": 0, "scale": 0.0001}]
        fields, _ = band_fields("1.0.0", "band", told)
        assets[f"b{k}"] = (write_tif(draw.path(), [base], grid), fields)
    made = [item(f"s{k}", draw.time(), grid, assets).to_dict() for k in range(scenes)]
    (folder / "items.json").write_text(json.dumps(made))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.archive_costs", str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {"peak_gb": float(done.stdout.split()[-1])}


def _peak(folder: Path) -> None:
    import geopandas as gpd
    import pystac
    import shapely

    import eolab as eo

    items = [pystac.Item.from_dict(one) for one in json.loads((folder / "items.json").read_text())]
    zone = gpd.GeoDataFrame(
        {"parcel_id": ["a"]}, geometry=[shapely.box(500500, 5187000, 513000, 5199000)],
        crs="EPSG:32633",
    )  # fmt: skip
    small = eo.load(items[:1], bbox=(15.0, 46.9, 15.01, 46.91), force=True)
    small.eo.composite("median")
    before = _highest()
    cube = eo.load(items, force=True)
    made = cube.eo.composite("median", period="1M")
    made.eo.zonal(zone, stats=["mean"])
    cube.eo.zonal(zone, stats=["mean"])
    print((_highest() - before) / 1e9)


def _highest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


if __name__ == "__main__":
    _peak(Path(sys.argv[1]))
