"""How fast the feature store is, against raw DuckDB, raw Delta writes and one exactextract call.

    python -m benchmarks.features [--json] [--quick] [--only MEASURE ...]

Each pair is measured in turns in the same run and the best of the turns counts, so that a busy
machine slows both. Feast stands in an environment of its own (pandas < 3), `.make/feast`; where it
cannot be installed its figure is null. `--quick` leaves the 50 million rows out, takes fewer
parcels, and Feast only where it is installed already.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks import peers
from eolab.features import FeatureStore
from eolab.settings.config import Config

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

REACH = {
    "pit_vs_duckdb": ("<=", 1.3),
    "pit_vs_feast": (">=", 8.0),
    "pit_rss_gb": ("<=", 6.0),
    "insert_vs_raw": ("<=", 1.6),
    "online1_us": ("<=", 60.0),
    "online100_us": ("<=", 900.0),
    "zonal_vs_one_call": ("<=", 1.2),
    "zonal_rss_ratio": ("<=", 1.15),
    "stats_s": ("<=", 3.0),
}
NAMES = [f"f{i}" for i in range(10)]
START = pd.Timestamp("2024-01-01", tz="UTC")
LATER = START + pd.Timedelta(days=1)
FEAST = peers.ROOT / ".make" / "feast" / "installed.txt"


def best(turns: int, *calls: Callable[[], object]) -> list[float]:
    """Seconds of the quickest turn of each call; the calls take turns."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(turns):
        for call, found in zip(calls, times, strict=True):
            started = time.perf_counter()
            call()
            found.append(time.perf_counter() - started)
    return [min(found) for found in times]


def observations(rows: int, entities: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    per = rows // entities
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(entities), per),
            "time": START + pd.to_timedelta(np.tile(np.arange(per) * 5, entities), unit="D"),
        }
    )
    values = rng.random((len(frame), 10), dtype=np.float32)
    return frame.assign(**{n: values[:, i] for i, n in enumerate(NAMES)})


def point_in_time(
    folder: Path, *, labels: int, rows: int, install: bool = True
) -> dict[str, float]:
    import duckdb

    store = FeatureStore(Config(root=folder))
    entities = rows // 100
    frame = observations(rows, entities)
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(frame, statistics=False)
    again = frame.sample(frac=0.1, random_state=1)
    group.insert(again.assign(f0=again["f0"] + 1), statistics=False)
    rng = np.random.default_rng(2)
    spine = pd.DataFrame({"id": rng.integers(0, entities, labels)})
    spine["time"] = START + pd.to_timedelta(np.arange(labels) * 500 * 86400 // labels, unit="s")
    spine["y"] = rng.choice(["a", "b"], labels)
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    truth.insert(spine.drop_duplicates(["id", "time"]), statistics=False)
    view = store.create_feature_view("v", labels=truth.select("y"), query=group.select(NAMES))
    left = truth.table.open().file_uris()
    right = group.table.open().file_uris()
    columns = ", ".join(f"f.{n}" for n in NAMES)

    # Kept open, as ours is: starting an engine is no join.
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")

    def raw() -> pd.DataFrame:
        found = con.sql(
            f"SELECT l.id, l.time, l.y, {columns} FROM read_parquet({left}) l "
            f"ASOF LEFT JOIN read_parquet({right}) f ON l.id = f.id AND l.time >= f.time"
        ).to_arrow_table()
        return found.to_pandas()

    raw(), view.read()
    ours, theirs = best(11, view.read, raw)
    found = {"pit_s": ours, "pit_duckdb_s": theirs, "pit_vs_duckdb": ours / theirs}
    python = peers.feast_python() if install or FEAST.exists() else None
    if python is None:
        return found
    # The same rows, the reprocessed ones with a later time of creation.
    every = [frame.assign(created=START), again.assign(f0=again["f0"] + 1, created=LATER)]
    pd.concat(every).to_parquet(folder / "rows.parquet", index=False)
    asked = truth.read().rename(columns={"time": "event_timestamp"})
    asked.to_parquet(folder / "labels.parquet", index=False)
    feast, returned = peers.feast_join(python, folder, 5)
    (ours,) = best(5, view.read)
    print(f"Feast gave {returned} of {len(asked)} rows", file=sys.stderr)
    return {**found, "pit_feast_s": feast, "pit_vs_feast": feast / ours}


def insert(folder: Path) -> dict[str, float]:
    import pyarrow as pa
    from deltalake import write_deltalake

    store = FeatureStore(Config(root=folder))
    frame = observations(1_000_000, 10_000)
    count = [0]

    def raw() -> None:
        count[0] += 1
        write_deltalake(str(folder / f"raw{count[0]}"), pa.Table.from_pandas(frame))

    def ours() -> None:
        count[0] += 1
        group = store.create_feature_group(f"g{count[0]}", primary_key=["id"], event_time="time")
        group.insert(frame, statistics=False)

    a, b = best(5, ours, raw)
    group = store.feature_group("g1") if store.feature_groups()[0].name == "g1" else None
    group = group or store.feature_groups()[0]
    (figures,) = best(1, group.statistics)
    return {
        "insert_s": a,
        "insert_raw_s": b,
        "insert_vs_raw": a / b,
        "insert_statistics_s": figures,
    }


def statistics(folder: Path) -> dict[str, float]:
    store = FeatureStore(Config(root=folder))
    frame = observations(1_000_000, 10_000)
    more = observations(1_000_000, 10_000, seed=1)[NAMES[:8]].add_prefix("g")
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(pd.concat([frame, more], axis=1), statistics=False)
    (seconds,) = best(1, group.statistics)
    return {"stats_s": seconds}


def make_cube(dates: int, size: int = 2000, bands: int = 10) -> xr.Dataset:
    import odc.geo.xr  # noqa: F401
    import xarray as xr

    rng = np.random.default_rng(0)
    values = {
        f"b{i}": (("time", "y", "x"), rng.random((dates, size, size), dtype=np.float32))
        for i in range(bands)
    }
    coords = {
        "time": pd.date_range("2024-01-01", periods=dates),
        "y": 5_000_000 - 10 * (np.arange(size) + 0.5),
        "x": 500_000 + 10 * (np.arange(size) + 0.5),
    }
    return xr.Dataset(values, coords).odc.assign_crs("EPSG:32633")


def make_zones(count: int, size: int = 2000) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import shapely

    rng = np.random.default_rng(1)
    x = 500_000 + rng.uniform(0, 10 * size - 200, count)
    y = 5_000_000 - rng.uniform(200, 10 * size, count)
    shapes = [shapely.box(a, b, a + 150, b + 110) for a, b in zip(x, y, strict=True)]
    return gpd.GeoDataFrame({"parcel_id": np.arange(count)}, geometry=shapes, crs="EPSG:32633")


def zonal(*, parcels: int, turns: int = 2, dates: int = 12) -> dict[str, float]:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    from eolab.features.extract import points_and_pixels

    size = 1000
    cube, zones = make_cube(dates, size), make_zones(parcels, size)
    west, north = 500_000, 5_000_000
    bounds = (west, north - 10 * size, west + 10 * size, north)

    def raw() -> object:
        layers = [
            NumPyRasterSource(
                cube[b].to_numpy()[t],
                *bounds,
                nodata=np.nan,
                name=f"{b}_{t}",
                srs_wkt=zones.crs.to_wkt(),
            )
            for b in cube.data_vars
            for t in range(dates)
        ]
        return exact_extract(layers, zones, ["median"], include_cols=["parcel_id"], output="pandas")

    ours, theirs = best(turns, lambda: points_and_pixels.zonal(cube, zones), raw)
    return {"zonal_s": ours, "zonal_one_call_s": theirs, "zonal_vs_one_call": ours / theirs}


def zonal_memory(folder: Path, *, dates: int) -> dict[str, float]:
    """Peak memory with twice the dates, the cube itself on disk and read lazily."""
    peaks = [_child("zonal_peak", folder, count) for count in (dates, 2 * dates)]
    return {"zonal_rss_gb": peaks[0], "zonal_rss_ratio": peaks[1] / peaks[0]}


def zonal_peak(folder: Path, dates: int) -> float:
    import xarray as xr

    from eolab.features.extract import points_and_pixels

    rng = np.random.default_rng(0)
    path = folder / f"cube{dates}"
    path.mkdir(exist_ok=True)
    size = 1000
    bands = {}
    for band in range(4):
        file = np.lib.format.open_memmap(
            path / f"{band}.npy", "w+", np.float32, (dates, size, size)
        )
        for t in range(dates):
            file[t] = rng.random((size, size), dtype=np.float32)
        file.flush()
        del file
        bands[f"b{band}"] = (("time", "y", "x"), _Lazy(path / f"{band}.npy"))
    template = make_cube(1, size, 1)
    variables = {}
    for name, (dims, lazy) in bands.items():
        from xarray.core import indexing

        variables[name] = xr.Variable(dims, indexing.LazilyIndexedArray(lazy))
    cube = xr.Dataset(variables, {"y": template.y, "x": template.x})
    cube = cube.assign_coords(time=pd.date_range("2024-01-01", periods=dates)).odc.assign_crs(
        "EPSG:32633"
    )
    points_and_pixels.zonal(cube, make_zones(300, size))
    return _peak()


def _lazy_class() -> type:
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Lazy(BackendArray):
        """A file of NumPy that is read a slice at a time, and forgotten."""

        def __init__(self, path: Path) -> None:
            self.path = path
            self.shape = np.load(path, mmap_mode="r").shape
            self.dtype = np.dtype(np.float32)

        def __getitem__(self, key: object) -> np.ndarray:
            return indexing.explicit_indexing_adapter(
                key, self.shape, indexing.IndexingSupport.BASIC, self._read
            )

        def _read(self, key: tuple[object, ...]) -> np.ndarray:
            # Read, not mapped: mapped pages would count as this process's memory.
            first = key[0] if isinstance(key[0], slice) else slice(key[0], key[0] + 1)
            start, stop, _ = first.indices(self.shape[0])
            head = np.lib.format.open_memmap(self.path, "r")
            plane = int(np.prod(self.shape[1:]))
            block = np.fromfile(
                self.path,
                np.float32,
                (stop - start) * plane,
                offset=head.offset + 4 * start * plane,
            ).reshape(stop - start, *self.shape[1:])
            return (
                block[(slice(None), *key[1:])] if isinstance(key[0], slice) else block[0][key[1:]]
            )

    return Lazy


def _Lazy(path: Path) -> object:
    return _lazy_class()(path)


def online(folder: Path, *, rows: int) -> dict[str, float]:
    store = FeatureStore(Config(root=folder))
    group = store.create_feature_group("g", primary_key=["id"], event_time="time")
    group.insert(observations(rows, 10_000), statistics=False)
    # What an insert into an online group waits for, too.
    (sync,) = best(1, group.sync_online)
    truth = store.create_feature_group("t", primary_key=["id"])
    truth.insert(pd.DataFrame({"id": np.arange(100), "y": ["a", "b"] * 50}), statistics=False)
    view = store.create_feature_view("v", labels=truth.select("y"), query=group.select(NAMES))
    keys = np.random.default_rng(0).integers(0, 10_000, 2000)

    def median(calls: list[Callable[[], object]]) -> float:
        times = []
        for call in calls:
            started = time.perf_counter_ns()
            call()
            times.append(time.perf_counter_ns() - started)
        return float(np.median(times)) / 1000

    view.get_feature_vector({"id": 1})
    many = [{"id": int(k)} for k in keys[:100]]
    single = [partial(view.get_feature_vector, {"id": int(k)}) for k in keys]
    return {
        "online_sync_s": sync,
        "online1_us": median(single),
        "online100_us": median([partial(view.get_feature_vectors, many)] * 200),
    }


def memory(folder: Path) -> dict[str, float]:
    started = time.perf_counter()
    peak = _child("pit_peak", folder, 0)
    return {"pit_rss_gb": peak, "pit_50m_s": time.perf_counter() - started}


def pit_peak(folder: Path, _: int) -> float:
    """1M labels against three groups of 50M rows in all; the peak of the join alone."""
    store = FeatureStore(Config(root=folder / "large"))
    for number, million in enumerate((40, 8, 2)):
        group = store.create_feature_group(f"g{number}", primary_key=["id"], event_time="time")
        for part in range(million):
            frame = observations(1_000_000, 10_000, seed=part)
            frame["id"] += 10_000 * part
            group.insert(frame, statistics=False)
    rng = np.random.default_rng(0)
    truth = store.create_feature_group("t", primary_key=["id"], event_time="time")
    spine = pd.DataFrame({"id": rng.integers(0, 400_000, 1_000_000)})
    spine["time"] = START + pd.to_timedelta(rng.integers(0, 500 * 86400, len(spine)), unit="s")
    truth.insert(spine.drop_duplicates().assign(y="a"), statistics=False)
    groups = [store.feature_group(f"g{k}") for k in range(3)]
    query = groups[0].select(NAMES[:4])
    for k in (1, 2):
        query = query.join(groups[k].select(NAMES[:4]), prefix=f"g{k}_")
    store.create_feature_view("v", labels=truth.select("y"), query=query)
    return _child("pit_join", folder, 0)


def pit_join(folder: Path, _: int) -> float:
    view = FeatureStore(Config(root=folder / "large")).feature_view("v")
    started = time.perf_counter()
    frame = view.read()
    print(f"joined {len(frame)} rows in {time.perf_counter() - started:.1f} s", file=sys.stderr)
    return _peak()


def _peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _child(name: str, folder: Path, argument: int) -> float:
    """A function's figure in a process of its own, for its memory's sake."""
    code = (
        "import sys; from pathlib import Path; from benchmarks import features;"
        f"print(features.{name}(Path(sys.argv[1]), int(sys.argv[2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(argument)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=None)
    options = parser.parse_args()
    measures: dict[str, Callable[[Path], dict[str, float]]] = {
        "pit": lambda f: point_in_time(
            f, labels=100_000, rows=1_000_000, install=not options.quick
        ),
        "insert": insert,
        "stats": statistics,
        "online": partial(online, rows=200_000 if options.quick else 1_000_000),
        "zonal": lambda _: zonal(parcels=500 if options.quick else 10_000),
        "zonal_memory": partial(zonal_memory, dates=12 if options.quick else 24),
    }
    if not options.quick:
        measures["memory"] = memory
    figures: dict[str, float | None] = {"pit_vs_feast": None}
    for name, measure in measures.items():
        if options.only is not None and name not in options.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = measure(Path(folder))
        figures.update(found)
        if not options.json:
            for key, value in found.items():
                sign, reach = REACH.get(key, ("", None))
                print(f"{key:>22} {value:10.3f}" + (f"   reach {sign} {reach}" if reach else ""))
    if options.json:
        print(json.dumps({k: None if v is None else round(v, 4) for k, v in figures.items()}))


if __name__ == "__main__":
    main()
