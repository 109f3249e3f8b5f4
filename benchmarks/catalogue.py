"""How fast the catalogue is, against pystac's walk and a load by hand.

    python -m benchmarks.catalogue [--json] [--quick] [--only MEASURE ...]

Pairs are measured in turns in the same run and the best of the turns counts, so that a busy
machine slows both. `--quick` takes 200,000 items instead of a million for the file, 500 instead of
10,000 for the crawl and a smaller scene for the preview. The files are made up.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from eolab.catalog import load, open_source
from eolab.catalog.query.query import make_query
from eolab.catalog.simulate.names import COLLECTION, SEASON
from eolab.catalog.simulate.write import write_sample
from eolab.catalog.sources.geoparquet import GeoParquetSource
from eolab.catalog.sources.geoparquet_writer import write_table
from eolab.settings.config import Config

REACH = {
    "page_ms": ("<=", 150.0),
    "histogram_ms": ("<=", 120.0),
    "crawl_vs_pystac": (">=", 8.0),
    "refresh_s": ("<=", 3.0),
    "load_vs_odc": ("<=", 1.05),
    "preview_ms": ("<=", 300.0),
}
LATENCY = 0.02  # seconds that the web server waits before each answer
BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12", "SCL", "thumbnail")


def best(turns: int, *calls: Callable[[], object]) -> list[float]:
    """Best seconds of each call, called in turns."""
    seconds = [float("inf")] * len(calls)
    for _ in range(turns):
        for k, call in enumerate(calls):
            start = time.perf_counter()
            call()
            seconds[k] = min(seconds[k], time.perf_counter() - start)
    return seconds


def make_file(path: Path, count: int) -> None:
    """A stac-geoparquet file of made-up items: the globe, nine years, twelve assets each."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import shapely

    rng = np.random.default_rng(0)
    west, south = rng.uniform(-180, 178, count), rng.uniform(-60, 75, count)
    seconds = rng.integers(0, 9 * 365 * 86_400, count)
    times = np.datetime64("2016-01-01", "us") + seconds.astype("timedelta64[s]")
    # Beforehand in the order in which the writer would put them: sorting structs takes long.
    side = max(1, round(np.sqrt(count / 2_000)))
    column, row = np.empty(count, int), np.empty(count, int)
    column[np.argsort(west)] = np.arange(count) * side // count
    for c in range(side):
        members = np.flatnonzero(column == c)
        row[members[np.argsort(south[members])]] = np.arange(len(members)) * side // len(members)
    order = np.lexsort((times, column * side + row))
    west, south, times = west[order], south[order], times[order]

    def same(value: object) -> pa.Array:
        return pa.array([value]).take(pa.array(np.zeros(count, int)))

    ids = pc.binary_join_element_wise(
        same("S2"), pc.cast(pa.array(np.arange(count)), "string"), "_"
    )
    base = pc.binary_join_element_wise(same("https://example.com/s2"), ids, "/")
    assets = {
        band: pa.StructArray.from_arrays(
            [
                pc.binary_join_element_wise(base, same(f"{band}.tif"), "/"),
                same("image/tiff; application=geotiff; profile=cloud-optimized"),
                same(["data"]),
                same([5490, 5490]),
                same([20.0, 0.0, 399960.0, 0.0, -20.0, 5400000.0]),
            ],
            names=["href", "type", "roles", "proj:shape", "proj:transform"],
        )
        for band in BANDS
    }
    corners = [west, south, west + 1, south + 1]
    table = pa.table(
        {
            "type": same("Feature"),
            "stac_version": same("1.0.0"),
            "stac_extensions": same(["https://stac-extensions.github.io/eo/v1.1.0/schema.json"]),
            "id": ids,
            "geometry": pa.array(shapely.to_wkb(shapely.box(*corners))),
            "bbox": pa.StructArray.from_arrays(
                [pa.array(v) for v in corners], names=["xmin", "ymin", "xmax", "ymax"]
            ),
            "links": same([{"rel": "collection", "href": "./collection.json"}]),
            "assets": pa.StructArray.from_arrays(list(assets.values()), names=list(assets)),
            "collection": same("sentinel-2-l2a"),
            "datetime": pa.array(times, type=pa.timestamp("us", tz="UTC")),
            "eo:cloud_cover": pa.array(rng.uniform(0, 100, count)),
            "platform": pa.array(
                np.array(["sentinel-2a", "sentinel-2b"])[rng.integers(0, 2, count)]
            ),
            "proj:code": same("EPSG:32633"),
        }
    )
    write_table(path, table)


def measure_file(folder: Path, quick: bool) -> dict[str, float]:
    path = folder / "items.parquet"
    make_file(path, 200_000 if quick else 1_000_000)
    source = GeoParquetSource("bench", str(path))
    asked = {"bbox": (-10, 30, 40, 60), "datetime": "2019-03/2021-10", "max_cloud": 40}

    def page() -> None:
        assert len(source.search(limit=100, **asked)) == 100

    def histogram() -> None:
        query = make_query(**asked)
        assert source.count(query) == source.histogram(query)["items"].sum()

    page()
    seconds = best(5, page, histogram)
    return {"page_ms": seconds[0] * 1000, "histogram_ms": seconds[1] * 1000}


class Web:
    """A static catalogue of one collection on loopback, each answer late by `LATENCY`."""

    def __init__(self, count: int) -> None:
        self.documents: dict[str, bytes] = {}
        links = [{"rel": "item", "href": f"./i{k}.json"} for k in range(count)]
        head = {"stac_version": "1.0.0", "description": "made up", "license": "CC0-1.0"}
        extent = {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]},
        }
        child = {"rel": "child", "href": "./collection.json"}
        self._put("catalog", {"type": "Catalog", "id": "bench", **head, "links": [child]})
        self._put(
            "collection",
            {"type": "Collection", "id": "c", **head, "extent": extent, "links": links},
        )
        for k in range(count):
            x, y = k % 300 - 150, k // 300 % 100 - 50
            ring = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]
            self._put(
                f"i{k}",
                {
                    "type": "Feature",
                    "stac_version": "1.0.0",
                    "id": f"i{k}",
                    "collection": "c",
                    "geometry": {"type": "Polygon", "coordinates": [ring]},
                    "bbox": [x, y, x + 1, y + 1],
                    "properties": {"datetime": f"2020-01-{k % 28 + 1:02d}T00:00:00Z"},
                    "links": [{"rel": "collection", "href": "./collection.json"}],
                    "assets": {"B04": {"href": f"./{k}.tif", "type": "image/tiff"}},
                },
            )
        documents = self.documents

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                time.sleep(LATENCY)
                body = documents.get(self.path)
                tag = f'"{len(body or b"")}"'
                same = self.headers.get("If-None-Match") == tag
                self.send_response(404 if body is None else 304 if same else 200)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(0 if same or body is None else len(body)))
                self.end_headers()
                if body is not None and not same:
                    self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/catalog.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _put(self, name: str, document: dict[str, object]) -> None:
        self.documents[f"/{name}.json"] = json.dumps(document).encode()


def measure_crawl(folder: Path, quick: bool) -> dict[str, float]:
    """The walks run in processes of their own, apart from the web server."""
    count = 500 if quick else 10_000
    web = Web(count)
    walk = f"""
import time, pystac
start = time.perf_counter()
assert sum(1 for _ in pystac.Catalog.from_file({web.url!r}).get_items(recursive=True)) == {count}
print(time.perf_counter() - start)
"""
    ours = f"""
import time, pyarrow.parquet, pystac, requests, shapely, stac_geoparquet.arrow
from pathlib import Path
from eolab.catalog.sources.crawled import IndexedSource
source = IndexedSource("bench", {web.url!r}, folder=Path({str(folder / "index")!r}))
start = time.perf_counter()
source.refresh()
print(time.perf_counter() - start)
assert len(source._load().items) == {count}
"""
    theirs = _process(walk)
    crawl = _process(ours)
    refresh = _process(ours)
    web.server.shutdown()
    return {"crawl_vs_pystac": theirs / crawl, "refresh_s": refresh}


def _process(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def measure_load(folder: Path, quick: bool) -> dict[str, float]:
    import odc.stac

    write_sample(folder / "sample")
    items = list(
        open_source(Config(root=folder), str(folder / "sample")).search(COLLECTION, datetime=SEASON)
    )
    items = [i for i in items if i.properties["proj:code"] == "EPSG:32633"]
    items = [i for i in items if "N0300" not in i.id]
    bands = ["B02", "B03", "B04", "B08"]
    ours = load(items, bands=bands, raw=True)
    grid = ours.odc.geobox

    def by_hand() -> None:
        odc.stac.load(items, bands=bands, geobox=grid, groupby="solar_day", pool=4)

    def with_us() -> None:
        load(items, bands=bands, geobox=grid, raw=True)

    seconds = best(5 if quick else 15, by_hand, with_us)
    return {"load_vs_odc": seconds[1] / seconds[0]}


def measure_preview(folder: Path, quick: bool) -> dict[str, float]:
    """A fresh process each time; its imports are not counted."""
    import rasterio
    from affine import Affine

    size = 5_490 if quick else 10_980
    rng = np.random.default_rng(0)
    tile = rng.integers(200, 3_000, (610, 610), dtype=np.uint16)
    values = np.tile(tile, (size // 610, size // 610))
    for band in ("B02", "B03", "B04"):
        with rasterio.open(
            folder / f"{band}.tif",
            "w",
            driver="COG",
            width=size,
            height=size,
            count=1,
            dtype="uint16",
            crs="EPSG:32633",
            transform=Affine(10, 0, 4e5, 0, -10, 5.4e6),
            nodata=0,
            compress="DEFLATE",
            level=1,
            num_threads="ALL_CPUS",
        ) as file:
            file.write(values, 1)
    code = f"""
import time, datetime, pystac, rasterio, numpy, rasterio.io, rasterio.enums
from eolab.catalog.panel.previews import preview
time_ = datetime.datetime(2024, 1, 1)
item = pystac.Item("S2A_x", None, None, time_, {{"platform": "sentinel-2a"}})
for band in ("B02", "B03", "B04"):
    item.add_asset(band, pystac.Asset({str(folder)!r} + f"/{{band}}.tif", media_type="image/tiff"))
start = time.perf_counter()
assert len(preview(item, size=512)) > 1000
print(time.perf_counter() - start)
"""
    return {"preview_ms": min(_process(code) for _ in range(3)) * 1000}


MEASURES = {
    "file": (measure_file, ("page_ms", "histogram_ms")),
    "crawl": (measure_crawl, ("crawl_vs_pystac", "refresh_s")),
    "load": (measure_load, ("load_vs_odc",)),
    "preview": (measure_preview, ("preview_ms",)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="smaller, under 50 s")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    for name in asked.only:
        with tempfile.TemporaryDirectory() as folder:
            figures |= MEASURES[name][0](Path(folder), asked.quick)
    rounded = {name: float(f"{value:.4g}") for name, value in figures.items()}
    if asked.json:
        print(json.dumps(rounded))
        return
    for name, value in rounded.items():
        sign, reach = REACH[name]
        met = value <= reach if sign == "<=" else value >= reach
        print(f"{name:<18} {value:>10g}   {sign} {reach:<6g} {'reached' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
