"""Files on a web server that are missing, broken, refused for a while, or never come."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from eolab.catalog import load, open_source
from eolab.catalog.io.rasters import Readers
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import EolabError, RemoteError
from tests.far import Patient

GRID = {"crs": "EPSG:32633", "resolution": 40}


class Ranges(Patient, SimpleHTTPRequestHandler):
    """A folder's files in ranges; `faults` are the answers to the next requests for a raster."""

    faults: list[int]
    silent: threading.Event
    asked: threading.Event
    go: threading.Event

    def do_HEAD(self) -> None:
        if not self.fails():
            super().do_HEAD()

    def do_GET(self) -> None:
        if self.fails():
            return
        path, wanted = Path(self.translate_path(self.path)), self.headers.get("Range")
        if not wanted or not path.is_file():
            super().do_GET()
            return
        body = path.read_bytes()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = body[int(first) : int(last or len(body)) + 1]
        self.send_response(206)
        end = int(first) + len(part) - 1
        self.send_header("Content-Range", f"bytes {first}-{end}/{len(body)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def fails(self) -> bool:
        if not self.path.endswith(".tif"):
            return False
        if self.silent.is_set():
            self.asked.set()
            self.go.wait(1000)
        if self.faults:
            self.send_error(self.faults.pop())
            return True
        return False


@pytest.fixture
def far(sample, tmp_path, config):
    """Two dates of the sample on a web server: items, the folder and the handler."""
    folder = tmp_path / "far"
    shutil.copytree(sample, folder)
    handler = type(
        "Handler",
        (Ranges,),
        {"faults": [], **{name: threading.Event() for name in ("silent", "asked", "go")}},
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    source = open_source(config, f"http://127.0.0.1:{server.server_port}/catalog.json")
    found = source.search(COLLECTION, datetime="2021-04", max_cloud=60)
    items = [item for item in found if "33UTP" in item.id][:2]
    assert len(items) == 2
    yield items, folder, handler
    handler.go.set()
    server.shutdown()
    server.server_close()


def file_of(folder, item, key):
    return folder / urlsplit(item.assets[key].href).path.lstrip("/")


@pytest.mark.parametrize("fault", ["missing", "broken"])
def test_a_file_that_cannot_be_had_is_named_or_its_item_left_out(far, fault):
    items, folder, _ = far
    path = file_of(folder, items[1], "B04")
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes(b"no raster" * 100)
    with pytest.raises(RemoteError, match=f"'B04' of item {items[1].id}") as error:
        load(items, bands=["red"], **GRID)
    assert "missing='skip'" in error.value.hint
    cube = load(items, bands=["red"], missing="skip", **GRID)
    assert cube.item_id.data.tolist() == [items[0].id]
    assert cube.attrs["eolab_missing"] == items[1].id
    with pytest.raises(EolabError, match="B04"):
        load(items[1:], bands=["red"], missing="skip", **GRID)


def test_all_of_many_files_are_looked_at(far, monkeypatch):
    """One thread, so that most still wait when the last is handed over."""
    items, folder, _ = far
    monkeypatch.setattr("eolab.catalog.cube.odc_adapter.AT_ONCE", 1)
    bands = ["blue", "green", "red", "nir", "SCL"]
    file_of(folder, items[1], "SCL").unlink()
    cube = load(items, bands=bands, missing="skip", **GRID)
    assert cube.attrs["eolab_missing"] == items[1].id
    with pytest.raises(RemoteError, match=f"'SCL' of item {items[1].id}"):
        load(items, bands=bands, **GRID)


def test_readers_end_what_was_handed_over_unless_it_breaks_off():
    done = []
    with Readers(1) as pool:
        for number in range(20):
            pool.submit(lambda n: (time.sleep(0.002), done.append(n)), number)
    assert done == list(range(20))
    gate, handed = threading.Event(), []

    def break_off() -> None:
        with Readers(1) as pool:
            handed.extend([pool.submit(gate.wait, 30), pool.submit(done.append, 20)])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        break_off()
    assert handed[1].cancelled()
    gate.set()
    assert handed[0].result(30)
    assert 20 not in done


def test_a_server_that_is_busy_is_asked_again(far, sample_items):
    items, _, handler = far
    handler.faults[:] = [503, 429]
    cube = load(items[:1], bands=["nir"], **GRID)
    assert not handler.faults
    (same,) = [item for item in sample_items if item.id == items[0].id]
    np.testing.assert_array_equal(cube.nir, load([same], bands=["nir"], **GRID).nir)


def test_an_interrupt_does_not_wait_for_a_silent_server(far, monkeypatch):
    """Were it waited for, the test would run out of time."""
    monkeypatch.setenv("GDAL_HTTP_LOW_SPEED_TIME", "1000")
    items, _, handler = far
    handler.silent.set()

    def interrupt() -> None:
        # Not before the server is asked: while libraries are imported an interrupt may be lost in
        # one of their `except:`, and the load would go on.
        if handler.asked.wait(120):
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        load(items, bands=["blue"], **GRID)
