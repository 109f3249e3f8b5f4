"""An index holds what the catalogue holds, and a refresh reads only what changed."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
import shapely

from eolab.catalog import open_source
from eolab.catalog.panel import browse
from eolab.catalog.panel.previews import can_preview
from eolab.catalog.query.query import make_query
from eolab.catalog.sources import crawled as indexing
from eolab.catalog.sources import geoparquet
from eolab.catalog.sources.crawled import IndexedSource
from eolab.catalog.sources.geoparquet import GeoParquetSource
from eolab.catalog.sources.geoparquet_writer import write_items
from eolab.settings.config import CatalogConfig


@pytest.fixture
def catalogue(sample, tmp_path):
    """The sample's documents, without its rasters, in a folder that may be changed."""
    folder = tmp_path / "catalogue"
    for path in sample.rglob("*.json"):
        target = folder / path.relative_to(sample)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def web(catalogue):
    """The folder on a web server; yields its address and the list of requests."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def send_response(self, code, message=None):
            asked.append((self.path, int(code)))
            super().send_response(code, message)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(catalogue)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/catalog.json", asked
    server.shutdown()
    server.server_close()


def test_a_remote_catalogue_is_indexed_and_answers_like_the_folder(web, config, sample_source):
    url, asked = web
    source = open_source(config, url)
    assert isinstance(source, IndexedSource)
    for query in (
        {},
        {"max_cloud": 10, "datetime": "2021-05/2021-09"},
        {"bbox": (12.05, 48.5, 12.2, 48.7), "limit": 3},
        {"filter": "eo:cloud_cover < 20 AND platform = 'sentinel-2a'"},
        {"text": "farming 32UQU", "sortby": "-eo:cloud_cover"},
    ):
        assert [i.id for i in source.search(**query)] == [
            i.id for i in sample_source.search(**query)
        ]
    assert source.simulated
    assert [c.extra_fields["eolab:items"] for c in source.collections()] == [16, 36]
    item = next(iter(source.search()))
    assert item.assets["B04"].href.startswith(url.removesuffix("catalog.json"))
    assert len(asked) == 55  # each document once, for all of these searches


def test_a_refresh_asks_for_links_only(web, config, catalogue):
    url, asked = web
    source = open_source(config, url)
    source.search()
    asked.clear()
    source.refresh()
    assert sorted(code for _, code in asked) == [304, 304, 304]

    collection = catalogue / "sentinel-2-l2a-simulated" / "collection.json"
    document = json.loads(collection.read_text())
    links = [link for link in document["links"] if link["rel"] == "item"]
    first = links[0]["href"].split("/")[1]
    new = json.loads((collection.parent / first / f"{first}.json").read_text())
    (collection.parent / "new.json").write_text(json.dumps({**new, "id": "new"}))
    document["links"].remove(links[1])
    document["links"].append({"rel": "item", "href": "./new.json"})
    collection.write_text(json.dumps(document))
    later = time.time() + 10
    os.utime(collection, (later, later))
    asked.clear()
    before = {links[1]["href"].split("/")[1]}
    source.refresh()
    assert sorted(code for _, code in asked) == [200, 200, 304, 304]
    names = {i.id for i in source.search()}
    assert "new" in names
    assert not names & before
    assert len(names) == 52


def test_the_panel_pages_through_an_index(web, config, sample_source):
    url, asked = web
    config = replace(config, catalogs={"w": CatalogConfig("w", url)})
    first = browse.items(config, "w", limit=10)
    second = browse.items(config, "w", limit=10, offset=10)
    assert first["matched"] == second["matched"] == 52
    assert len({row["id"] for row in first["items"] + second["items"]}) == 20
    clear = len(sample_source.search(max_cloud=5))
    assert browse.items(config, "w", max_cloud=5, limit=3)["matched"] == clear
    assert len(asked) == 55


def test_an_index_is_used_again_by_the_next_process(web, config):
    url, asked = web
    open_source(config, url).search()
    asked.clear()
    assert len(open_source(config, url).search()) == 52
    assert not asked


def test_a_failing_server_leaves_the_index(web, config, monkeypatch):
    url, _ = web
    source = open_source(config, url)
    source.search()
    monkeypatch.setattr(indexing, "FRESH", 1e9)
    assert len(open_source(config, url).search()) == 52
    with pytest.raises(Exception, match="not there"):
        IndexedSource("x", url.replace("catalog", "nothing"), folder=config.root).search()


def test_files_that_changed_are_read_again(catalogue, tmp_path):
    source = IndexedSource("local", str(catalogue), folder=tmp_path / "index")
    (path,) = catalogue.glob("*/SIM_S2A_32UQU_20210324_N0301/*.json")
    assert len(source.search(max_cloud=0.5, datetime="2021-03")) == 0
    document = json.loads(path.read_text())
    document["properties"]["eo:cloud_cover"] = 0.25
    path.write_text(json.dumps(document))
    source.refresh()
    assert len(source.search(max_cloud=0.5, datetime="2021-03")) == 1


def test_a_new_title_counts_for_items_that_stay(shared_data, tmp_path):
    """The items are not read again, but are below a catalogue of another name."""
    folder = tmp_path / "c"
    shutil.copytree(shared_data / "stac-planet-disaster", folder)
    source = IndexedSource("local", str(folder), folder=tmp_path / "index")
    assert len(source.search(text="harvey")) == 5
    path = folder / "hurricane-harvey" / "catalog.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "id": "irma", "title": "Hurricane Irma"}))
    source.refresh()
    assert len(source.search(text="irma")) == 5
    document = json.loads((folder / "collection.json").read_text())
    (folder / "collection.json").write_text(json.dumps({**document, "links": []}))
    source.refresh()
    assert not len(source.search())


def test_a_damaged_state_is_made_again(catalogue, tmp_path):
    source = IndexedSource("local", str(catalogue), folder=tmp_path / "index")
    source.search()
    (state,) = (tmp_path / "index").glob("*.json")
    state.write_text("{")
    assert len(IndexedSource("l", str(catalogue), folder=tmp_path / "index").search()) == 52


START = pd.Timestamp("2018-01-01", tz="UTC")


def random_items(count: int, seed: int = 0) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        west, south = rng.uniform(-180, 178), rng.uniform(-80, 78)
        day = pd.Timedelta(days=float(rng.uniform(0, 2000)))
        cloud = None if rng.random() < 0.2 else float(rng.uniform(0, 100))
        made.append(
            {
                "type": "Feature",
                "stac_version": "1.0.0",
                "id": f"i{number:05d}",
                "collection": str(rng.choice(["a", "b", "c"])),
                "geometry": shapely.geometry.mapping(shapely.box(west, south, west + 2, south + 2)),
                "bbox": [west, south, west + 2, south + 2],
                "properties": {
                    "datetime": (START + day).isoformat().replace("+00:00", "Z"),
                    "eo:cloud_cover": cloud,
                    "platform": str(rng.choice(["sentinel-2a", "landsat-8"])),
                },
                "links": [],
                "assets": {"B04": {"href": f"https://example.com/{number}.tif"}},
            }
        )
    return made


class TestFile:
    @pytest.fixture(scope="class")
    def documents(self):
        return random_items(6_000)

    @pytest.fixture(scope="class")
    def source(self, documents, tmp_path_factory):
        path = tmp_path_factory.mktemp("file") / "items.parquet"
        assert write_items(path, documents) == []
        return GeoParquetSource("file", str(path))

    @pytest.fixture(scope="class")
    def table(self, documents):
        frame = pd.DataFrame(
            [{"id": d["id"], "collection": d["collection"], **d["properties"]} for d in documents]
        )
        frame["datetime"] = pd.to_datetime(frame["datetime"], format="ISO8601")
        frame["geometry"] = [shapely.box(*d["bbox"]) for d in documents]
        return frame.sort_values(["datetime", "id"])

    def test_boxes_dates_and_clouds_by_pandas(self, source, table):
        window = shapely.box(-20, 10, 40, 60)
        keep = table["geometry"].map(window.intersects)
        keep &= table["datetime"].between("2019-01-01", "2020-06-30 23:59:59.999999")
        keep &= table["eo:cloud_cover"] <= 35
        options = {"max_cloud": 35, "cloud_missing": "drop", "datetime": "2019/2020-06"}
        found = source.search(bbox=(-20, 10, 40, 60), **options)
        assert [i.id for i in found] == table["id"][keep].tolist()
        assert source.count(make_query(bbox=(-20, 10, 40, 60), **options)) == keep.sum()
        assert [i.id for i in source.search(bbox=(-20, 10, 40, 60), limit=7, **options)] == table[
            "id"
        ][keep].tolist()[:7]

    def test_the_antimeridian(self, source, table):
        windows = shapely.union_all(
            [shapely.box(170, -20, 180, 20), shapely.box(-180, -20, -170, 20)]
        )
        keep = table["geometry"].map(windows.intersects)
        assert [i.id for i in source.search(bbox=(170, -20, -170, 20))] == table["id"][
            keep
        ].tolist()

    def test_the_histogram_counts_by_month(self, source, table):
        counted = source.histogram(make_query(max_cloud=50, cloud_missing="drop"))
        keep = table["eo:cloud_cover"] <= 50
        expected = table[keep].groupby(table["datetime"].dt.strftime("%Y-%m")).size()
        assert counted["items"].tolist() == expected.tolist()
        assert [t.strftime("%Y-%m") for t in counted["time"]] == expected.index.tolist()

    def test_a_page_reads_few_row_groups(self, source, monkeypatch):
        groups = []
        read = type(source._file).read_row_groups
        monkeypatch.setattr(
            type(source._file),
            "read_row_groups",
            lambda self, some, **how: groups.extend(some) or read(self, some, **how),
        )
        source.search(bbox=(0, 0, 10, 10), limit=20)
        assert 0 < len(groups) < source._file.num_row_groups

    def test_a_page_is_the_same_however_much_is_read_at_once(self, source, monkeypatch):
        def page():
            return [i.to_dict() for i in source.search(bbox=(-90, -30, 90, 60), limit=300)]

        at_once = page()
        for rows in (1, 4_000):  # a row group at a time; two
            monkeypatch.setattr("eolab.catalog.sources.geoparquet._READ", rows)
            assert page() == at_once

    def test_briefly_the_same_items_can_be_shown(self, documents, tmp_path):
        tif, png = "image/tiff; application=geotiff", "image/png"
        far, near = "https://example.com/x", str(tmp_path / "x.tif")
        kinds: list[dict[str, dict[str, object]]] = [
            {},
            {"a": {"href": f"{far}.xml", "roles": ["metadata"]}, "b": {"href": f"{far}.tif"}},
            {"b": {"href": far, "type": tif, "roles": ["data"]}, "c": {"href": f"{far}.jp2"}},
            {"c": {"href": f"{far}.png", "type": png, "roles": ["thumbnail"]}},
            {"c": {"href": f"{far}.png", "type": png, "roles": ["overview"]}},
            {"a": {"href": near, "type": tif}, "b": {"href": "/elsewhere/x.tif", "type": tif}},
            {"a": {"href": "/elsewhere/x.tif", "type": tif}},
            {"a": {"href": "/elsewhere/x.tif"}, "b": {"href": f"{far}.tif"}},
        ]
        some = [{**d, "assets": kinds[k % len(kinds)]} for k, d in enumerate(documents[:400])]
        assert write_items(tmp_path / "mixed.parquet", some) == []
        source = GeoParquetSource("file", str(tmp_path / "mixed.parquet"))
        query = make_query(bbox=(-120, -60, 150, 80))
        whole, brief = source.run(query), source.run(replace(query, brief=True))
        assert len(whole) > 200
        assert [i.id for i in brief] == [i.id for i in whole]
        shown = [can_preview(item) for item in whole]
        assert [can_preview(item) for item in brief] == shown
        assert {True, False} == set(shown)
        for less, more in zip(brief, whole, strict=True):
            assert less.properties == more.properties
            assert all(more.assets[k].href == a.href for k, a in less.assets.items())
        of = {d["id"]: k % len(kinds) for k, d in enumerate(some)}
        counts = {(of[i.id], len(i.assets)) for i in brief}
        # The first that can be shown, whole where none lies in the network, without what is barred.
        assert counts == {(0, 0), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 0), (7, 1)}

    def test_a_file_stays_open_until_it_is_another(self, documents, tmp_path, monkeypatch):
        paths = [tmp_path / name for name in ("a.parquet", "b.parquet", "c.parquet")]
        for path in paths:
            write_items(path, documents[:50])
        first = GeoParquetSource("a", str(paths[0]))
        assert len(first.search()) == 50
        opened = []
        load = geoparquet._load
        monkeypatch.setattr(geoparquet, "_load", lambda path: opened.append(path) or load(path))
        assert len(GeoParquetSource("a", str(paths[0])).search()) == 50
        assert not opened
        write_items(paths[0], documents[:60])
        assert len(GeoParquetSource("a", str(paths[0])).search()) == 60
        assert len(first.search()) == 50  # one answer is of one state
        assert opened == [str(paths[0])]
        # No more rows are kept than a table may have.
        monkeypatch.setattr(geoparquet, "_HELD", 120)
        for path in (paths[1], paths[0], paths[2], paths[0], paths[1]):
            GeoParquetSource("x", str(path)).search(limit=1)
        assert opened[1:] == [str(paths[1]), str(paths[2]), str(paths[1])]

    def test_items_that_contradict_are_listed(self, documents, tmp_path):
        odd = {
            **documents[0],
            "id": "odd",
            "properties": {**documents[0]["properties"], "eo:cloud_cover": {"much": 1}},
        }
        skipped = write_items(tmp_path / "x.parquet", [*documents[:200], odd])
        found = GeoParquetSource("x", str(tmp_path / "x.parquet")).search()
        assert [s.href for s in skipped] == ["odd"]
        assert "elsewhere a number" in skipped[0].message
        assert len(found) == 200
