"""A process that writes is killed at a random moment, again and again: nothing is corrupt, lost or
twice.

    python -m tests.attacks.writing insert 10
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.attacks import figures
from tests.attacks.figures import Figures

ROWS, FILES, SIDE = 40, 24, 32
START = 120.0  # seconds for a child to import what it needs on a busy machine


def _workspace(folder: Path) -> Any:
    import eolab as eo
    from eolab.settings import config as configuration

    if not (folder / "eolab.toml").exists():
        configuration.init(folder)
    return eo.workspace(folder)


def _say(word: object) -> None:
    """Acknowledge: what was said is there for good."""
    print(word, flush=True)


# -- insert --------------------------------------------------------------------------------------


def _group(folder: Path) -> Any:
    features = _workspace(folder).features
    if features.feature_groups():
        return features.feature_group("fields")
    return features.create_feature_group("fields", primary_key=["field"], event_time="t")


def insert(folder: Path) -> Iterator[int]:
    """Batch after batch of rows; the next begins where the last one that is there ends."""
    import pandas as pd

    group = _group(folder)
    n = _batches(group)
    while True:
        keys = range(n * ROWS, (n + 1) * ROWS)
        when = pd.Timestamp("2024-01-01", tz="UTC")
        group.insert(pd.DataFrame({"field": list(keys), "t": when, "v": float(n)}))
        yield n
        n += 1


def _batches(group: Any) -> int:
    return 0 if group.table.last() is None else len(group.read()) // ROWS


def check_insert(folder: Path, said: list[str], made: Figures) -> None:
    group = _group(folder)
    frame = group.read() if group.table.last() is not None else None
    keys = [] if frame is None else sorted(frame["field"].tolist())
    if len(set(keys)) != len(keys):
        made.fault("twice", f"{len(keys) - len(set(keys))} keys twice")
    if keys != list(range(len(keys))) or len(keys) % ROWS:
        made.fault("lost", f"{len(keys)} rows: a batch is there in part")
    if said and len(keys) < (int(said[-1]) + 1) * ROWS:
        made.fault("lost", f"batch {said[-1]} was acknowledged, {len(keys)} rows are there")
    if frame is not None and (frame["v"] != frame["field"] // ROWS).any():
        made.fault("lost", "rows have other values than were written")
    if frame is not None:
        group.statistics()


# -- ingest --------------------------------------------------------------------------------------


def _rasters(folder: Path) -> Path:
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    home = folder / "rasters"
    if not home.exists():
        home.mkdir()
        for n in range(FILES):
            with rasterio.open(
                home / f"field_202405{n + 1:02d}_red.tif", "w", driver="GTiff", width=SIDE,
                height=SIDE, count=1, dtype="uint16", crs="EPSG:32633",
                transform=from_origin(500_000, 5_000_000, 10, 10),
            ) as file:  # fmt: skip
                file.write(np.full((SIDE, SIDE), n + 1, "uint16"), 1)
    return home


def ingest(folder: Path) -> Iterator[int]:
    """One raster more with each call, as copies; then again from the first."""
    import shutil

    import eolab as eo

    ws = _workspace(folder)
    files = sorted(_rasters(folder).glob("*.tif"))
    while True:
        home = folder / "made"
        there = len(list(home.glob("*/*.json"))) if home.exists() else 0
        if there >= FILES:
            shutil.rmtree(home)
            there = 0
            yield -1
        for n in range(there, FILES):
            eo.ingest(files[: n + 1], to=home, collection="made", cog=True, workspace=ws.root)
            yield n


def check_ingest(folder: Path, said: list[str], made: Figures) -> None:
    import eolab as eo

    ws, home = _workspace(folder), folder / "made"
    files = sorted(_rasters(folder).glob("*.tif"))
    if said and int(said[-1]) >= 0:
        _check_items(ws, home, int(said[-1]) + 1, made, exact=False)
    eo.ingest(files, to=home, collection="made", cog=True, workspace=ws.root)
    _check_items(ws, home, FILES, made, exact=True)
    # The next kill meets a collection that grows.
    import shutil

    shutil.rmtree(home)


def _check_items(ws: Any, home: Path, least: int, made: Figures, *, exact: bool) -> None:
    import rasterio

    source = ws.catalog(str(home))
    ids = [item.id for item in source.search()]
    if len(set(ids)) != len(ids):
        made.fault("twice", f"items twice: {ids}")
    if len(ids) < least or (exact and len(ids) != least) or source.skipped:
        made.fault("lost", f"{len(ids)} of {least} items, skipped: {source.skipped[:2]}")
    for item in source.search():
        for asset in item.assets.values():
            try:
                with rasterio.open(asset.href) as file:
                    if file.read(1).min() != int(item.id[-2:]):
                        made.fault("lost", f"{item.id} holds another file's pixels")
            except rasterio.RasterioIOError as error:
                made.fault("lost", f"{item.id}: {error}")


# -- index ---------------------------------------------------------------------------------------


def _documents(folder: Path, count: int, version: int) -> Path:
    """A static catalogue of so many items."""
    home = folder / "static"
    home.mkdir(exist_ok=True)
    links = [{"rel": "item", "href": f"./{n}.json"} for n in range(count)]
    for n in range(count):
        box = [n / 10, 0, n / 10 + 1, 1]
        ring = [[box[0], 0], [box[2], 0], [box[2], 1], [box[0], 1], [box[0], 0]]
        document = {
            "type": "Feature", "stac_version": "1.0.0", "id": f"i{n}", "bbox": box, "links": [],
            "geometry": {"type": "Polygon", "coordinates": [ring]}, "collection": "c",
            "properties": {"datetime": "2024-05-01T00:00:00Z", "version": version}, "assets": {},
        }  # fmt: skip
        path = home / f"{n}.json"
        if n % 3 == version % 3 or not path.exists():
            path.write_text(json.dumps(document))
    collection = {
        "type": "Collection", "id": "c", "stac_version": "1.0.0", "description": str(version),
        "license": "other", "links": links, "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["2024-05-01T00:00:00Z", None]]}},
    }  # fmt: skip
    (home / "collection.json").write_text(json.dumps(collection))
    return home / "collection.json"


def index(folder: Path) -> Iterator[int]:
    """The catalogue changes, and its index follows."""
    from eolab.catalog.sources.crawled import IndexedSource

    version = int(time.time() * 1000)
    while True:
        version += 1
        path = _documents(folder, 40 + version % 40, version)
        IndexedSource("m", str(path), folder=folder / "index").refresh()
        yield version


def check_index(folder: Path, said: list[str], made: Figures) -> None:
    from eolab.catalog.sources.crawled import IndexedSource
    from eolab.catalog.sources.static import StaticSource

    del said
    path = folder / "static" / "collection.json"
    with contextlib.suppress(ValueError):
        # The catalogue itself is the child's, half written perhaps: then there is no right answer.
        json.loads(path.read_text())
        plain = StaticSource("m", str(path))
        right = sorted((i.id, i.properties["version"]) for i in plain.search())
        source = IndexedSource("m", str(path), folder=folder / "index")
        found = sorted((i.id, i.properties["version"]) for i in source.search())
        if len({name for name, _ in found}) != len(found):
            made.fault("twice", f"items twice: {found}")
        if found != right:
            made.fault("lost", f"the index says {found[:3]}..., the catalogue {right[:3]}...")


# -- download ------------------------------------------------------------------------------------


def _content(n: int) -> bytes:
    return random.Random(n).randbytes(300_000 + n)


def download(folder: Path) -> Iterator[int]:
    """Scenes from a slow server; what came of one that broke off is gone on with."""
    import eolab as eo

    ws = _workspace(folder)
    url = (folder / "server").read_text()
    n = 0
    while True:
        # Another goal a round, that of a killed one first.
        goals = sorted((folder / "goals").glob("*")) if (folder / "goals").exists() else []
        goal = goals[-1] if goals and not n else folder / "goals" / f"{len(goals):04d}"
        goal.mkdir(parents=True, exist_ok=True)
        eo.download(ws.catalog(f"{url}/collection.json").search(), goal)
        yield n
        n += 1


def check_download(folder: Path, said: list[str], made: Figures) -> None:
    import eolab as eo

    ws = _workspace(folder)
    url = (folder / "server").read_text()
    for goal in sorted((folder / "goals").glob("*")):
        for path in goal.rglob("*.bin"):
            if path.name.startswith("."):
                continue
            if path.read_bytes() != _content(int(path.stem)):
                made.fault("lost", f"{path.name} stands under its name and is not whole")
    last = sorted((folder / "goals").glob("*"))[-1:]
    for goal in last if not said or len(said) % 2 else ():
        done = eo.download(ws.catalog(f"{url}/collection.json").search(), goal)
        if done.failed or len(done.files) != 6:
            made.fault("lost", f"a second call: {done.failed}")
        for file in done.files:
            if file.path.read_bytes() != _content(int(file.path.stem)):
                made.fault("lost", f"{file.path.name}: other bytes after it was gone on with")
        if left := [p.name for p in goal.rglob(".*.part*")]:
            made.fault("lost", f"pieces stay: {left}")


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[None]:
    """Six files of 300 kB at 4 MB a second each, in ranges too."""
    home = folder / "far"
    home.mkdir()
    for n in range(6):
        (home / f"{n}.bin").write_bytes(_content(n))
        document = {
            "type": "Feature", "stac_version": "1.0.0", "id": f"i{n}", "bbox": [0, 0, 1, 1],
            "geometry": {"type": "Point", "coordinates": [0.5, 0.5]}, "links": [],
            "properties": {"datetime": "2024-05-01T00:00:00Z"}, "collection": "c",
            "assets": {"data": {"href": f"./{n}.bin", "roles": ["data"]}},
        }  # fmt: skip
        (home / f"{n}.json").write_text(json.dumps(document))
    collection = {
        "type": "Collection", "id": "c", "stac_version": "1.0.0", "description": "d",
        "license": "other", "links": [{"rel": "item", "href": f"./{n}.json"} for n in range(6)],
        "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]},
        "temporal": {"interval": [["2024-05-01T00:00:00Z", None]]}},
    }  # fmt: skip
    (home / "collection.json").write_text(json.dumps(collection))

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.endswith(".bin"):
                super().do_GET()
                return
            whole = (home / self.path.lstrip("/")).read_bytes()
            first = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
            self.send_response(206 if first else 200)
            self.send_header("ETag", f'"{len(whole)}"')
            self.send_header("Content-Length", str(len(whole) - first))
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(whole) - 1}/{len(whole)}")
            self.end_headers()
            for at in range(first, len(whole), 20_000):
                self.wfile.write(whole[at : at + 20_000])
                time.sleep(0.005)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # who asked was killed
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(home)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    (folder / "server").write_text(f"http://127.0.0.1:{server.server_port}")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


# -- register ------------------------------------------------------------------------------------


def _fitted(folder: Path, n: int) -> Any:
    """A fitted model as a refit leaves it, unlike all others."""
    import cloudpickle
    from sklearn.dummy import DummyClassifier

    home = folder / "refits" / str(n)
    home.mkdir(parents=True, exist_ok=True)
    model = DummyClassifier(strategy="constant", constant=n % 2).fit([[0.0], [1.0]], [0, 1])
    model.number_ = n
    (home / "model.pkl").write_bytes(cloudpickle.dumps(model))
    (home / "fitted.json").write_text(json.dumps({"format": 1, "flavour": "sklearn"}))
    return SimpleNamespace(
        folder=home, flavour="sklearn", params={"n": n}, study=None, metrics={"score": float(n)},
        columns=("ndvi",), classes=("no", "yes"), steps=(), data_digest="d", source={},
    )  # fmt: skip


def register(folder: Path) -> Iterator[int]:
    """Version after version of one model."""
    models = _workspace(folder).models
    n = 1 + max((int(v.params["n"]) for v in models.list()), default=-1)
    while True:
        models.register("crops", _fitted(folder, n), output="codes")
        yield n
        n += 1


def check_register(folder: Path, said: list[str], made: Figures) -> None:
    models = _workspace(folder).models
    found = models.list()
    numbers = sorted(int(v.params["n"]) for v in found)
    if len(set(numbers)) != len(numbers) or len({v.version for v in found}) != len(found):
        made.fault("twice", f"models {numbers}, versions {[v.version for v in found]}")
    if said and int(said[-1]) not in numbers:
        made.fault("lost", f"{said[-1]} was acknowledged, there are {numbers}")
    for version in found[:3]:
        if version.load().number_ != int(version.params["n"]):
            made.fault("lost", f"version {version.version} loads another model")
    if found and models.get("crops", "champion").version != 1:
        made.fault("lost", "the champion is another one")


# -- the kills -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """What is written, how long it takes about, how it is judged, what it needs beside it."""

    write: Callable[[Path], Iterator[int]]
    check: Callable[[Path, list[str], Figures], None]
    seconds: float
    beside: Callable[[Path], contextlib.AbstractContextManager[None]] = lambda _: (
        contextlib.nullcontext()
    )


ACTS = {
    "insert": Act(insert, check_insert, 0.5),
    "ingest": Act(ingest, check_ingest, 2.0),
    "index": Act(index, check_index, 0.5),
    "download": Act(download, check_download, 1.5, _served),
    "register": Act(register, check_register, 1.0),
}


def kill(name: str, count: int, rng: random.Random) -> Figures:
    """So many kills of an act, each in a process of its own, all in one folder."""
    act, made, came = ACTS[name], Figures(), 0
    with tempfile.TemporaryDirectory(prefix="eolab-attack-") as home:
        folder = Path(home)
        _workspace(folder)
        with act.beside(folder):
            for number in range(count):
                log = (folder / "said").open("w+")
                child = subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-m", __spec__.name, "--child", name, home],
                    stdout=log, stderr=(folder / "errors").open("w"), start_new_session=True,
                )  # fmt: skip
                # Now and then in the very first write, which makes what later ones find.
                _wait(child, folder / "said", words=1 if number % 5 == 0 else 2)
                time.sleep(rng.uniform(0, act.seconds))
                gone = child.poll() is not None
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                made.done += 1
                said = (folder / "said").read_text().split()[1:]
                came += len(said)
                if gone:
                    text = (folder / "errors").read_text()
                    made.fault("tracebacks", f"{name} {number}: it ended itself: {text[-500:]}")
                try:
                    act.check(folder, said, made)
                except Exception as error:
                    made.fault(
                        "lost", f"{name} after kill {number}: {type(error).__name__}: {error}"
                    )
    made.told = f"{came} writes acknowledged"
    return made


def _wait(child: subprocess.Popen[bytes], said: Path, words: int) -> None:
    """Until its libraries are loaded, and the first write is done: a kill before says little."""
    end = time.monotonic() + START
    while len(said.read_text().split()) < words and child.poll() is None:
        assert time.monotonic() < end, "the child does not start"
        time.sleep(0.01)


def child(name: str, folder: str) -> None:
    import eolab.catalog
    import eolab.features
    import eolab.models

    assert eolab.models
    _workspace(Path(folder))
    _say("ready")
    for n in ACTS[name].write(Path(folder)):
        _say(n)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        figures.main(**{name: functools.partial(kill, name) for name in ACTS})
