"""Files on a web server that are missing, broken, refused for a while, or never come."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pystac
import pytest
import rasterio
import xarray as xr

from benchmarks.archive_cases import Grid, item, write_tif
from eolab.catalog import load, open_source
from eolab.catalog.io.rasters import Readers, opened
from eolab.catalog.items import side_masks
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import EolabError, InvalidInputError, RemoteError
from tests.far import Patient

GRID = {"crs": "EPSG:32633", "resolution": 40}


class Ranges(Patient, SimpleHTTPRequestHandler):
    """A folder's files in ranges; `faults` are the answers to the next requests for a raster."""

    faults: list[int]
    broken: tuple[str, ...] = ()
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
        if self.path.endswith(self.broken):
            self.send_error(503)
            return True
        if not self.path.endswith(".tif"):
            return False
        if self.silent.is_set():
            self.asked.set()
            self.go.wait(1000)
        if self.faults:
            self.send_error(self.faults.pop())
            return True
        return False


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, type[Ranges]]]:
    """A web server of a folder: its address, and its handler with the faults to come."""
    handler = type(
        "Handler",
        (Ranges,),
        {"faults": [], **{name: threading.Event() for name in ("silent", "asked", "go")}},
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        handler.go.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def far(sample, tmp_path, config):
    """Two dates of the sample on a web server: items, the folder and the handler."""
    folder = tmp_path / "far"
    shutil.copytree(sample, folder)
    with served(folder) as (url, handler):
        found = open_source(config, f"{url}/catalog.json").search(
            COLLECTION, datetime="2021-04", max_cloud=60
        )
        items = [item for item in found if "33UTP" in item.id][:2]
        assert len(items) == 2
        yield items, folder, handler


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


@pytest.mark.parametrize("fault", ["missing", "failing"])
def test_a_file_that_could_not_be_had_once_is_had_later(far, fault):
    """GDAL alone would say for as long as the process lives that it is not there."""
    items, folder, handler = far
    path = file_of(folder, items[0], "B04")
    away = path.with_suffix(".away")
    if fault == "missing":
        path.rename(away)
    else:
        handler.faults[:] = [400] * 100
    with pytest.raises(RemoteError, match=f"'B04' of item {items[0].id}"):
        load(items[:1], bands=["red"], **GRID)
    handler.faults.clear()
    if fault == "missing":
        away.rename(path)
    assert np.isfinite(load(items[:1], bands=["red"], **GRID).red).any()


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


class TestSilentItems:
    """Items that say nothing of their numbers: of files far away few are opened beforehand."""

    @pytest.fixture
    def scenes(self, tmp_path):
        """Five scenes on a web server, and the same ones as files; `write` makes one anew."""
        grid = Grid()
        folder = tmp_path / "far"
        folder.mkdir()

        def write(number: int, dtype: str = "uint16", bands: int = 1, **more: object) -> None:
            numbers = np.arange(144).reshape(12, 12).astype(dtype) + number
            stack = [numbers] * bands
            write_tif(folder / f"{number}.tif", stack, grid, **{"nodata": 7, **more})

        def items(where: str) -> list[pystac.Item]:
            days = [datetime(2021, 1, 1 + k, tzinfo=UTC) for k in range(5)]
            return [
                item(f"s{k}", day, grid, {"red": (f"{where}/{k}.tif", {})})
                for k, day in enumerate(days)
            ]

        for number in range(5):
            write(number)
        with served(folder) as (url, _):
            yield write, items(url), items(str(folder))

    def test_two_files_are_asked_for_all_of_their_kind(self, scenes, monkeypatch):
        _, far, near = scenes
        asked = []

        def counted(item, key):
            asked.append(item.id)
            return opened(item, key)

        monkeypatch.setattr("eolab.catalog.items.headers.opened", counted)
        cube = load(far, bands=["red"])
        assert sorted(asked) == ["s0", "s4"]
        xr.testing.assert_equal(cube, load(near, bands=["red"]))
        assert cube.eo.provenance().nodata_from.tolist() == ["file"] * 5

    @pytest.mark.parametrize(
        "other",
        [
            {"dtype": "int16"},
            {"dtype": "float64"},
            {"nodata": 30},
            {"nodata": None},
            {"scales": [0.5], "offsets": [3.0]},
            {"tags": {"scale_factor": "0.5", "add_offset": "3"}},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("raw", [False, True])
    def test_one_that_differs_is_read_by_what_its_own_file_says(self, scenes, other, raw):
        write, far, near = scenes
        write(2, **other)
        xr.testing.assert_equal(load(far, raw=raw), load(near, raw=raw))

    def test_each_is_asked_of_a_cube_that_is_read_later(self, scenes):
        write, far, near = scenes
        write(2, scales=[0.5], offsets=[3.0])
        lazy = load(far, chunks={"x": 6})
        xr.testing.assert_equal(lazy.compute(), load(near))

    def test_one_of_several_bands_is_refused_by_name(self, scenes):
        write, far, _ = scenes
        write(2, bands=2)
        with pytest.raises(InvalidInputError, match="'red' of item s2 holds 2 bands"):
            load(far, bands=["red"])

    def test_one_whose_second_band_is_not_transparency_is_refused_by_name(self, scenes):
        write, far, _ = scenes
        for number in range(5):
            write(number, bands=2, alpha=number != 2)
        with pytest.raises(InvalidInputError, match="'red' of item s2 holds 2 bands"):
            load(far, bands=["red"])

    def test_one_in_another_unit_is_refused_by_name(self, scenes):
        write, far, _ = scenes
        for number in range(5):
            write(number, unit="K" if number == 2 else "m")
        with pytest.raises(InvalidInputError, match=r"two units: m in item s0, .* in item s2"):
            load(far, bands=["red"])

    def test_files_that_alone_say_where_they_lie_are_opened_many_at_a_time(
        self, scenes, monkeypatch
    ):
        _, far, near = scenes
        for one in (*far, *near):
            one.properties.pop("proj:epsg")
            for asset in one.assets.values():
                asset.extra_fields.clear()
        together = threading.Barrier(5, timeout=30)

        def meeting(item, key):
            if far[0].assets[key].href.startswith("http"):
                together.wait()  # were they opened one by one, nobody would come
            return opened(item, key)

        monkeypatch.setattr("eolab.catalog.items.headers.opened", meeting)
        cube = load(far, bands=["red"])
        monkeypatch.undo()
        xr.testing.assert_equal(cube, load(near, bands=["red"]))


class TestMasksBesideFiles:
    """`red.tif.msk` on a web server counts as it does on a disk."""

    @pytest.fixture
    def scenes(self, tmp_path):
        """Three far scenes, two with a mask; what is asked of the server; the folder."""
        grid = Grid(shape=(64, 64))
        folder = tmp_path / "far"
        folder.mkdir()
        hidden = np.zeros(grid.shape, bool)
        hidden[:32, :40] = True
        for number in range(3):
            path = folder / f"{number}.tif"
            numbers = np.full(grid.shape, 50 + number, "uint16")
            mask = None if number == 1 else hidden
            write_tif(path, [numbers], grid, mask=mask, internal=False)
            with rasterio.open(path, "r+") as file:
                file.build_overviews([2, 4])
        asked: list[str] = []
        with served(folder) as (url, handler):
            handler.log_request = lambda self, *_: asked.append(f"{self.command} {self.path}")

            def items(**more):
                return [
                    item(f"s{k}", datetime(2021, 1, 1 + k, tzinfo=UTC), grid,
                         {"red": (f"{url}/{k}.tif", {"data_type": "uint16", "raster:scale": 1.0}),
                          **{key: (href.format(url=url, k=k), {}) for key, href in more.items()}})
                    for k in range(3)
                ]  # fmt: skip

            yield items, hidden, asked, folder

    @pytest.mark.parametrize("options", [{}, {"chunks": {"x": 40}}, {"raw": True, "nodata": 0}])
    def test_it_hides_what_it_says_of_each_file_that_has_one(self, scenes, options):
        items, hidden, _, _ = scenes
        red = load(items(), bands=["red"], **options).red.compute()
        none = red == 0 if "raw" in options else red.isnull()
        for number in (0, 2):
            np.testing.assert_array_equal(none[number], hidden)
        assert not none[1].any()

    def test_it_hides_in_an_overview_too(self, scenes):
        items, hidden, _, _ = scenes
        red = load(items(), bands=["red"], resolution=40).red
        np.testing.assert_array_equal(red[0].isnull(), hidden[2::4, 2::4])

    def test_a_few_of_a_kind_are_looked_at_each_once(self, scenes, monkeypatch):
        items, hidden, asked, folder = scenes
        monkeypatch.setattr(side_masks, "_LOOKS", 2)
        kept = (folder / "2.tif.msk").rename(folder / "kept")
        (folder / "0.tif.msk").unlink()
        for _ in range(2):
            load(items()[:1], bands=["red"])
        load(items()[:2], bands=["red"])
        load(items(), bands=["red"])
        looks = [one for one in asked if one.endswith(".msk")]
        assert looks == ["HEAD /0.tif.msk", "HEAD /1.tif.msk"]
        side_masks._looked.clear()
        kept.rename(folder / "2.tif.msk")
        red = load(items(), bands=["red"]).red  # the last one of them has one
        np.testing.assert_array_equal(red[2].isnull(), hidden)
        assert not red[:2].isnull().any()

    def test_a_server_that_fails_is_told_and_asked_again(self, scenes, monkeypatch):
        items, hidden, _, _ = scenes
        monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
        with monkeypatch.context() as patch:
            patch.setattr(Ranges, "broken", (".msk",))
            with pytest.warns(UserWarning, match=r"beside asset 'red' of item s0 .*code: 503"):
                load(items()[:1], bands=["red"])
        red = load(items()[:1], bands=["red"]).red
        np.testing.assert_array_equal(red[0].isnull(), hidden)

    def test_one_that_the_item_names_is_read_without_a_look(self, scenes):
        items, hidden, _, folder = scenes
        (folder / "0.tif.msk").unlink()  # the first one, which would be looked for
        red = load(items(valid="{url}/{k}.tif.msk")[2:], bands=["red"]).red
        np.testing.assert_array_equal(red[0].isnull(), hidden)

    def test_one_of_another_size_is_refused_by_name(self, scenes):
        items, _, _, folder = scenes
        write_tif(folder / "0.tif.msk", [np.zeros((3, 3), "uint8")], Grid(shape=(3, 3)))
        with pytest.raises(InvalidInputError, match="mask beside asset 'red' of item s0 has 3 x 3"):
            load(items()[:1], bands=["red"])
