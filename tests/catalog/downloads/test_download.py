"""Files of scenes are saved whole or not at all, and gone on with where they broke off."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from eolab.catalog import download, load, open_source
from eolab.catalog.downloads.transfer import Part, Stopped
from eolab.catalog.ingestion.collection_files import safe_name
from eolab.catalog.io.rasters import DOWNLOADED
from eolab.catalog.io.s3 import Keys, object_url, signed_headers
from eolab.catalog.simulate.names import COLLECTION
from eolab.cli.app import main
from eolab.errors import InvalidInputError
from tests.far import scene, slow_server

BODY = np.random.default_rng(0).bytes(3_000_000)


class Files:
    """A web server of one file, which behaves as it is told to."""

    def __init__(self) -> None:
        self.body, self.tag, self.cut = BODY, '"one"', []
        self.asked: list[tuple[str, str | None]] = []
        self.ranges, self.kind, self.status = True, "image/tiff", 200
        files = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                wanted = self.headers.get("Range")
                files.asked.append((self.path, wanted))
                start, status = 0, files.status
                if wanted and files.ranges and self.headers.get("If-Range") == files.tag:
                    start, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
                rest = files.body[start:]
                self.send_response(status)
                self.send_header("Content-Type", files.kind)
                self.send_header("Content-Length", str(len(rest)))
                if files.tag:
                    self.send_header("ETag", files.tag)
                if status == 206:
                    last = len(files.body) - 1
                    self.send_header("Content-Range", f"bytes {start}-{last}/{len(files.body)}")
                self.end_headers()
                if files.cut:
                    self.wfile.write(rest[: files.cut.pop(0)])
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self.wfile.write(rest)

            def log_message(self, *args):
                pass

            def handle(self):
                try:
                    super().handle()
                except (OSError, ValueError):
                    pass  # the reader or we have gone

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def files():
    made = Files()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def item(files, tmp_path, config):
    """One item whose file lies on the server."""
    folder = tmp_path / "c"
    folder.mkdir()
    document = scene(
        {
            "band": {"href": f"{files.url}/a/band.tif?x=1", "roles": ["data"]},
            "note": {"href": f"{files.url}/note.txt", "roles": ["metadata"]},
        }
    )
    (folder / "scene.json").write_text(json.dumps(document))
    return open_source(config, str(folder / "scene.json")).item("far", "scene")


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob(".*") if p.name != DOWNLOADED]


def test_the_sample_becomes_a_catalogue_of_its_own(sample_items, tmp_path, config):
    two = [sample_items[0], sample_items[3]]
    done = download(two, tmp_path / "saved", assets=["red", "nir", "SCL"])
    assert not done.failed
    assert [c.parent.name for c in done.catalogs] == [COLLECTION]
    # More assets of one come later: what is there stays, and is not fetched again.
    more = download(two[:1], tmp_path / "saved", assets=["red", "blue"])
    assert [file.state for file in more.files] == ["there", "done"]
    source = open_source(config, str(done.catalogs[0]))
    found = source.search()
    assert [i.id for i in found] == [i.id for i in two]
    assert set(found[0].assets) == {"B04", "B08", "SCL", "B02"}
    assert not source.skipped
    for asset in found[0].assets.values():
        assert Path(asset.href).is_relative_to(tmp_path / "saved")
    ours, theirs = (load(i, bands=["red", "nir"], native=True) for i in (found[:1], two[:1]))
    assert np.array_equal(ours["nir"].data, theirs["nir"].data, equal_nan=True)
    assert not leftovers(tmp_path / "saved")


def test_only_data_unless_asked(item, files, tmp_path):
    done = download([item], tmp_path / "d")
    assert [file.asset for file in done.files] == ["band"]
    assert done.files[0].path == tmp_path / "d/far/scene/band.tif"
    assert done.files[0].path.read_bytes() == BODY
    assert {path for path, _ in files.asked} == {"/a/band.tif?x=1"}
    with pytest.raises(InvalidInputError, match="no item has an asset 'bamd'") as error:
        download([item], tmp_path / "d", assets="bamd")
    assert "band" in error.value.hint


def test_a_broken_line_is_taken_up_where_it_broke(item, files, tmp_path):
    files.cut = [1_000_000, 700_000]
    done = download([item], tmp_path / "d")
    assert done.files[0].path.read_bytes() == BODY
    starts = [int(r.removeprefix("bytes=").rstrip("-")) for _, r in files.asked if r]
    assert len(starts) == 2
    assert 0 < starts[0] <= 1_000_000 < starts[1] <= 1_700_000
    assert not leftovers(tmp_path / "d")


def test_another_call_goes_on_and_a_changed_file_begins_anew(item, files, tmp_path):
    stop = threading.Event()

    def watch(all_files):
        if all_files[0].done > 500_000:
            stop.set()

    files.cut = [1_500_000]
    original = files.body
    with pytest.raises(Stopped, match=r"^$"):
        download([item], tmp_path / "d", watch=watch, stop=stop)
    target = tmp_path / "d/far/scene/band.tif"
    assert not target.exists()
    came = Part(target).data.stat().st_size
    assert came > 0
    seen = len(files.asked)
    assert download([item], tmp_path / "d").files[0].path.read_bytes() == original
    assert files.asked[seen][1] == f"bytes={came}-"

    # The same, but the file is another one meanwhile.
    target.unlink()
    Part(target).data.write_bytes(b"old" * 1000)
    Part(target).begin(item.assets["band"].href, '"zero"')
    files.body = BODY[::-1]
    assert download([item], tmp_path / "d").files[0].path.read_bytes() == BODY[::-1]


@pytest.mark.parametrize("silent_from", [-1, 1_000_000])
@pytest.mark.parametrize("how", [KeyboardInterrupt, "stop"])
def test_an_interrupt_does_not_wait_for_a_silent_server(
    item, tmp_path, monkeypatch, silent_from, how
):
    monkeypatch.setattr("eolab.catalog.downloads.transfer.TIMEOUT", (10, 1000))
    stop = threading.Event()

    def watch(files):
        if files[0].done > 500_000 or (silent_from < 0 and files[0].state == "running"):
            stop.set()
            if how is KeyboardInterrupt:
                raise how

    with slow_server(3_000_000, silent_from=silent_from) as (url, go):
        item.assets["band"].href = f"{url}/band.tif"
        with pytest.raises(Stopped if how == "stop" else how, match=r"^$"):
            download([item], tmp_path / "d", watch=watch, stop=stop if how == "stop" else None)
        # Nothing runs on: the same can begin at once.
        go.set()
        done = download([item], tmp_path / "d")
        assert not done.failed
        assert done.files[0].path.stat().st_size == 3_000_000


def test_an_answer_whose_head_comes_byte_by_byte_is_given_up(item, tmp_path, monkeypatch):
    monkeypatch.setenv("EOLAB_LIMITS_MINUTES", "0.01")
    with slow_server(9, silent_from=-1, drips=True) as (url, _):
        item.assets["band"].href = f"{url}/band.tif"
        start = time.monotonic()
        done = download([item], tmp_path / "d")
        assert time.monotonic() - start < 8
    assert "did not send its answer in 0.01 minutes" in done.failed[0].message


def test_a_file_that_comes_byte_by_byte_is_given_up_and_kept(item, tmp_path, monkeypatch):
    """Each byte starts a socket's clock anew: nothing else would end it."""
    monkeypatch.setenv("EOLAB_LIMITS_SLOWEST", "1000000")
    monkeypatch.setattr("eolab.catalog.downloads.transfer.TIMEOUT", (2, 0.5))
    with slow_server(3_000_000, silent_from=1_000_000, drips=True) as (url, go):
        item.assets["band"].href = f"{url}/band.tif"
        start = time.monotonic()
        done = download([item], tmp_path / "d")
        assert time.monotonic() - start < 8
        go.set()
        assert not download([item], tmp_path / "d").failed
    assert "less than 1,000,000 bytes a second" in done.failed[0].message
    assert "[limits] slowest" in done.failed[0].message


def test_a_server_without_ranges_begins_anew(item, files, tmp_path):
    files.ranges, files.cut = False, [900_000]
    assert download([item], tmp_path / "d").files[0].path.read_bytes() == BODY
    files.tag, files.cut = "", [900_000]
    assert download([item], tmp_path / "e").files[0].path.read_bytes() == BODY


def test_a_checksum_is_held_to(item, files, tmp_path):
    digest = hashlib.sha256(BODY).hexdigest()
    item.assets["band"].extra_fields["file:checksum"] = f"1220{digest}"
    assert not download([item], tmp_path / "d").failed
    item.assets["band"].extra_fields["file:checksum"] = f"1220{digest[::-1]}"
    (failed,) = download([item], tmp_path / "e").failed
    assert "checksum" in failed.message
    assert not list((tmp_path / "e").rglob("*band*"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "text/html"}, "web page"),
        ({"status": 403}, "403"),
        ({"status": 404}, "not there"),
        (
            {"body": b'<?xml version="1.0"?>\n<VRTDataset rasterXSize="9">...'},
            "list of other files",
        ),
    ],
)
def test_what_is_no_file_is_said_and_stops_no_other(
    item, files, sample_items, tmp_path, change, says
):
    for name, value in change.items():
        setattr(files, name, value)
    done = download([item, sample_items[0]], tmp_path / "d", assets=["band", "red"])
    (failed,) = done.failed
    assert says in failed.message
    assert [file.state for file in done.files if file.asset == "B04"] == ["done"]
    assert not list((tmp_path / "d").rglob("*band*"))


def test_two_downloads_do_not_write_into_one_file(item, tmp_path):
    target = tmp_path / "d/far/scene/band.tif"
    target.parent.mkdir(parents=True)
    with Part(target).locked():
        (failed,) = download([item], tmp_path / "d").failed
    assert "another download" in failed.message


@pytest.mark.parametrize(
    "text", ["../../etc/passwd", "a/b", ".hidden", "", "x" * 500, "é:1", "a b"]
)
def test_names_of_items_never_leave_the_folder(text):
    name = safe_name(text)
    assert name
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name) < 120
    assert safe_name(text + "?") != name


def test_a_full_disk_is_said_before(item, tmp_path, monkeypatch):
    import shutil

    usage = shutil.disk_usage(tmp_path)._replace(free=70 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert not download([item], tmp_path / "d").failed
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    (failed,) = download([item], tmp_path / "e").failed
    assert "free" in failed.message


def test_the_command_line(sample, tmp_path, capsys, config):
    first = open_source(config, str(sample)).search(COLLECTION, limit=1)[0]
    words = ["download", str(sample), first.id, "--assets", "red"]
    assert main([*words, "--workspace", str(tmp_path)]) == 0
    assert f"1 files in {config.downloads}" in capsys.readouterr().out
    assert (config.downloads / COLLECTION / first.id / "B04.tif").exists()
    assert main([*words[:-1], "rde", "--workspace", str(tmp_path)]) == 1


def test_requests_to_a_store_are_signed_as_its_documentation_shows():
    """The example "GET Object" of Amazon S3's API reference."""
    url = object_url("s3://examplebucket/test.txt")
    assert url == "https://examplebucket.s3.amazonaws.com/test.txt"
    sent = signed_headers(
        url,
        Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        headers={"Range": "bytes=0-9"},
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert sent["Authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_addresses_of_objects():
    assert object_url("s3://b/k/ü m.tif", region="eu-central-1") == (
        "https://b.s3.eu-central-1.amazonaws.com/k/%C3%BC%20m.tif"
    )
    assert object_url("s3://b.with.dots/k").startswith("https://s3.amazonaws.com/b.with.dots/")
    assert object_url("s3://b/k", endpoint="http://127.0.0.1:1/") == "http://127.0.0.1:1/b/k"
    with pytest.raises(InvalidInputError, match="names no object"):
        object_url("s3://b")
