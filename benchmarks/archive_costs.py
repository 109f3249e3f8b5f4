"""What right numbers cost: time and memory of composites and loads, beside others in one run."""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pystac
import rasterio
import xarray as xr

TURNS = 3
_SELF = (sys.executable, "-W", "ignore", "-m", "benchmarks.archive_costs")
LATENCY = 0.04  # seconds that the server waits before each answer


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


def median_vs_xarray(turns: int = TURNS) -> dict[str, float]:
    """Our monthly median over xarray's by month with bottleneck, in one process.

    Eolab does without bottleneck: where it is not installed it is put into a folder for this run.
    Where that cannot be had either, that is said and there is no figure.
    """
    if find_spec("bottleneck") is not None:
        return {"median_vs_xarray": _median_ratio(turns)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        made = subprocess.run(
            [*command, folder, "--disable-pip-version-check", "bottleneck>=1.4,<2"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            print(f"no median_vs_xarray, for want of bottleneck: {made.stderr}", file=sys.stderr)
            return {}
        paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [*_SELF, "median", folder, str(turns)],
            capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
    return {"median_vs_xarray": float(done.stdout.split()[-1])}


def _median_ratio(turns: int) -> float:
    from eolab.catalog.cube.composite import composite

    cube = season()

    def ours() -> object:
        return composite(cube, "median", period="1M")

    def theirs() -> object:
        return cube.groupby("time.month").median()

    # In turns: a machine that is busy for a while slows both.
    seconds = [[_seconds(work) for work in (ours, theirs)] for _ in range(turns)]
    one, other = (min(times) for times in zip(*seconds, strict=True))
    return one / other


def _median(folder: Path, turns: str) -> None:
    assert str(find_spec("bottleneck").origin).startswith(str(folder))
    print(_median_ratio(int(turns)))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Far(BaseHTTPRequestHandler):
    """A folder's files in ranges, each answer late; the first part of an address is left out.

    By it one file has another address each time, so that no reader remembers it.
    """

    folder: Path
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        time.sleep(LATENCY)
        path = self.folder / self.path.split("/", 2)[-1]
        if not path.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        held = path.read_bytes()
        wanted = self.headers.get("Range")
        first, _, last = (wanted or "bytes=0-").removeprefix("bytes=").partition("-")
        part = held[int(first) : int(last or len(held)) + 1]
        self.send_response(206 if wanted else 200)
        if wanted:
            end = int(first) + len(part) - 1
            self.send_header("Content-Range", f"bytes {first}-{end}/{len(held)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if body:
            self.wfile.write(part)

    def log_message(self, *args: object) -> None:
        pass


def silent_items_ratio(
    folder: Path, scenes: int = 12, bands: int = 3, turns: int = TURNS
) -> dict[str, float]:
    """A load of far items that say nothing of their numbers, over one of items that say all."""
    import eolab as eo
    from benchmarks.archive_cases import Draw, Grid, band_fields, item

    side = 512
    draw = Draw(0, folder)
    grid = Grid(shape=(side, side))
    for number in range(scenes * bands):
        with rasterio.open(
            folder / f"{number}.tif", "w", driver="COG", count=1, dtype="uint16", height=side,
            width=side, crs=grid.crs, transform=grid.transform, nodata=0, compress="deflate",
            blocksize=256,
        ) as file:  # fmt: skip
            file.write(draw.rng.integers(1, 9000, (side, side), dtype="uint16"), 1)
    times = [draw.time() for _ in range(scenes)]

    def items(turn: str, *, speak: bool) -> list[pystac.Item]:
        address = f"http://127.0.0.1:{port}/{turn}"
        made = []
        for k, time_ in enumerate(times):
            assets = {}
            for b in range(bands):
                told = {"name": f"b{b}", "data_type": "uint16", "nodata": 0, "scale": 0.0001}
                fields = band_fields("1.0.0", "band", [told])[0] if speak else {}
                assets[f"b{b}"] = (f"{address}/{k * bands + b}.tif", fields)
            made.append(item(f"s{k}", time_, grid, assets))
        return made

    def seconds(turn: str, *, speak: bool) -> float:
        asked = items(turn, speak=speak)
        return _seconds(lambda: eo.load(asked, bands=["b0", "b1", "b2"][:bands]))

    # In a process of its own: a far server takes nothing from the one that reads.
    with subprocess.Popen(
        [*_SELF, "serve", str(folder)],
        stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        try:
            port = int(server.stdout.readline())
            seconds("warm", speak=False)
            silent = said = math.inf
            for turn in range(turns):
                said = min(said, seconds(f"said{turn}", speak=True))
                silent = min(silent, seconds(f"silent{turn}", speak=False))
        finally:
            server.terminate()
    return {"silent_items_ratio": silent / said}


def _serve(folder: Path) -> None:
    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64  # as many come at once

    server = Server(("127.0.0.1", 0), type("Handler", (Far,), {"folder": folder}))
    print(server.server_port, flush=True)
    server.serve_forever()


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
        [*_SELF, "peak", str(folder)],
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
    {"serve": _serve, "peak": _peak, "median": _median}[sys.argv[1]](
        Path(sys.argv[2]), *sys.argv[3:]
    )
