"""Every kind of source keeps the same contract."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from eolab.catalog import open_source
from eolab.catalog.query.free_text import ABOVE
from eolab.catalog.sources.crawled import IndexedSource
from eolab.catalog.sources.open import guess_kind
from eolab.errors import InvalidInputError, NotFoundError, RemoteError
from eolab.settings.config import Config
from eolab.testing import SourceContract


class StaticContract(SourceContract):
    """A static catalogue, the index of it and a file of its items give the same answers."""

    words: tuple[str, ...] = ()

    def test_free_text_finds_the_same_in_the_crawl_the_index_and_the_file(
        self, source, config, tmp_path
    ):
        index = IndexedSource("index", source.url, folder=tmp_path)
        index.refresh()
        file = open_source(replace(config, roots=source.folders()), str(index.file))
        found = {}
        for text in (*self.words, "no such word"):
            found[text] = [i.id for i in source.search(text=text)]
            for other in (index, file):
                assert [i.id for i in other.search(text=text)] == found[text], (other, text)
        assert all(found[text] for text in self.words)
        assert not found["no such word"]


class TestSample(SourceContract):
    @pytest.fixture
    def source(self, sample, config):
        return open_source(config, str(sample))


class TestSlovenia(StaticContract):
    words = ("slovenia", "sentinel-2a 20150711")

    @pytest.fixture
    def source(self, shared_data, config):
        return open_source(config, str(shared_data / "eolearn-slovenia-stac"))

    def test_the_cloud_filter_keeps_the_three_clear_dates(self, source):
        assert [i.id[-8:] for i in source.search(max_cloud=50)] == [
            "20150711",
            "20150830",
            "20150909",
        ]


class TestPlanetDisaster(StaticContract):
    """Its catalogues stand between the collection and the items."""

    words = ("harvey", "Hurricane 08-31-2017", "harvey disaster SS02")

    @pytest.fixture
    def source(self, shared_data, config):
        return open_source(config, str(shared_data / "stac-planet-disaster" / "collection.json"))


class TestNested(StaticContract):
    words = ("area-1-1", "country-1", "Country 2 area")

    @pytest.fixture
    def source(self, shared_data, config):
        return open_source(config, str(shared_data / "stac-api-cassettes/data/test-case-1"))

    def test_items_belong_to_the_nearest_collection(self, source):
        assert {i.collection_id for i in source.search()} == {c.id for c in source.collections()}
        assert len(source.search()) == 8

    def test_the_country_is_a_catalogue_above_the_area(self, source):
        areas = {i.collection_id for i in source.search(text="country-1")}
        assert areas == {"area-1-1", "area-1-2"}


class TestGeoParquet(SourceContract):
    @pytest.fixture
    def source(self, sample, sample_items, tmp_path, config):
        from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

        table = parse_stac_items_to_arrow([i.to_dict() for i in sample_items])
        to_parquet(table, tmp_path / "items.parquet")
        # Its items name files of another folder.
        told = replace(config, roots=(sample,))
        return open_source(told, str(tmp_path / "items.parquet"))

    def test_it_holds_what_the_catalogue_holds(self, source, sample_items):
        found = source.search()
        assert [i.id for i in found] == [i.id for i in sample_items]
        assert [set(i.assets) for i in found] == [set(i.assets) for i in sample_items]
        assert source.simulated


@pytest.mark.slow
class TestPgstac(SourceContract):
    """A real STAC API on PostgreSQL, and the same answers as the folder and the file."""

    @pytest.fixture
    def source(self, pgstac, config):
        return open_source(config, pgstac)

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"max_cloud": 20, "collections": ["sentinel-2-l2a-simulated"]},
            {"max_cloud": 20, "cloud_missing": "drop"},
            {"datetime": "2021-05/2021-07", "bbox": (12.05, 48.5, 12.2, 48.7)},
            {"bbox": (12.05, 48.5, -170, 48.7), "limit": 7},
            {"filter": "eo:cloud_cover < 20 AND platform = 'sentinel-2a'"},
            {"filter": "sat:orbit_state = 'ascending'", "datetime": "2022"},
            {"text": "farming 32UQU", "sortby": "-eo:cloud_cover"},
        ],
    )
    def test_it_agrees_with_the_folder_and_the_file(
        self, source, sample_source, config, tmp_path, asked
    ):
        from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

        assert source.kind == "api"
        expected = [i.id for i in sample_source.search(**asked)]
        assert [i.id for i in source.search(**asked)] == expected
        if "text" in asked:
            return  # the file's collections do not carry the words of the catalogue's
        table = parse_stac_items_to_arrow([i.to_dict() for i in sample_source.search()])
        to_parquet(table, tmp_path / "items.parquet")
        file = open_source(config, str(tmp_path / "items.parquet"))
        assert [i.id for i in file.search(**asked)] == expected


def _item(name: str, **change: object) -> dict[str, object]:
    document: dict[str, object] = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": {"type": "Point", "coordinates": [10, 50]},
        "bbox": [10, 50, 10, 50],
        "properties": {"datetime": "2024-05-01T00:00:00Z"},
        "links": [],
        "assets": {},
    }
    return {**document, **change}


def _catalog(folder: Path, links: list[tuple[str, str]]) -> Path:
    path = folder / "catalog.json"
    path.write_text(
        json.dumps(
            {
                "type": "Catalog",
                "stac_version": "1.0.0",
                "id": "c",
                "description": "d",
                "links": [{"rel": rel, "href": href} for rel, href in links],
            }
        )
    )
    return path


def test_all_ways_to_an_item_count_whichever_is_walked_first(tmp_path, config):
    """By place and by year; in circles too. The root's title is in no item's way."""
    for folder, title in (("places", "Bavaria"), ("years", "Season"), ("years/late", "Autumn")):
        (tmp_path / folder).mkdir()
        up = "../" * (folder.count("/") + 1)
        links = [("item", f"{up}a.json"), ("child", f"{up}places/catalog.json")]
        if folder == "years":
            links = [("child", "late/catalog.json")]
        path = _catalog(tmp_path / folder, links)
        path.write_text(json.dumps({**json.loads(path.read_text()), "title": title}))
    (tmp_path / "a.json").write_text(json.dumps(_item("a")))
    (tmp_path / "b.json").write_text(json.dumps(_item("b")))
    ways = [("child", "years/catalog.json"), ("child", "places/catalog.json"), ("item", "b.json")]
    for links in (ways, ways[::-1]):
        root = _catalog(tmp_path, links)
        root.write_text(json.dumps({**json.loads(root.read_text()), "title": "Everything"}))
        source = open_source(config, str(root))
        for word in ("bavaria", "season", "autumn"):
            assert [i.id for i in source.search(text=word)] == ["a"], word
        assert not len(source.search(text="everything"))
        assert ABOVE not in source.search(ids=["b"])[0].properties


def test_broken_documents_are_skipped_and_listed(tmp_path, config):
    good = _item("good")
    broken = {
        "text.json": "not json",
        "list.json": "[]",
        "noid.json": json.dumps({**good, "id": 3}),
        "nodate.json": json.dumps(_item("nodate", properties={})),
        "props.json": json.dumps(_item("props", properties=[1])),
        "assets.json": json.dumps(_item("assets", assets={"a": "b"})),
        "shape.json": json.dumps(_item("shape", geometry={"type": "Polygon", "coordinates": 5})),
        "when.json": json.dumps(_item("when", properties={"datetime": "yesterday"})),
        "empty.json": "",
    }
    for name, text in broken.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "good.json").write_text(json.dumps(good))
    links = [("item", name) for name in [*broken, "good.json", "missing.json"]]
    source = open_source(config, str(_catalog(tmp_path, [*links, ("child", "catalog.json")])))
    found = source.search(bbox=(9, 49, 11, 51))
    assert [i.id for i in found] == ["good"]
    assert {Path(s.href).name for s in source.skipped} == {*broken, "missing.json"}
    assert all(s.message for s in source.skipped)


def test_a_local_catalogue_reads_nothing_outside_its_folder(tmp_path, config):
    (tmp_path / "secret.json").write_text(json.dumps(_item("secret")))
    inner = tmp_path / "inner"
    inner.mkdir()
    for href in ("../secret.json", str(tmp_path / "secret.json"), f"file://{tmp_path}/secret.json"):
        source = open_source(config, str(_catalog(inner, [("item", href)])))
        assert not len(source.search())
        assert "outside" in source.skipped[0].message


def test_links_in_circles_end(tmp_path, config):
    folder = tmp_path / "a"
    folder.mkdir()
    _catalog(folder, [("child", "../catalog.json")])
    root = _catalog(tmp_path, [("child", "a/catalog.json"), ("child", "./catalog.json")])
    assert not len(open_source(config, str(root)).search())


def test_a_feature_collection_is_a_source(shared_data, config):
    path = shared_data / "stac-api-cassettes/data/sample-item-collection.json"
    source = open_source(config, str(path))
    assert len(source.search()) == len(json.loads(path.read_text())["features"])


def test_names_are_found_misspelt_ones_are_helped(config, sample):
    with pytest.raises(NotFoundError, match="eolab sample"):
        open_source(config, "sample")
    with pytest.raises(NotFoundError, match="no catalogue 'earth-serach'") as error:
        open_source(config, "earth-serach")
    assert "earth-search" in error.value.hint
    shutil.copytree(sample, config.sample, ignore=shutil.ignore_patterns("*.tif"))
    assert len(open_source(config, "sample").search()) == 52


def test_what_is_no_catalogue_is_said(tmp_path, config):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InvalidInputError, match="no STAC document"):
        open_source(config, str(tmp_path / "a.json")).search()
    with pytest.raises(NotFoundError, match=r"catalog.json or collection.json"):
        open_source(config, str(tmp_path)).search()
    with pytest.raises(InvalidInputError, match="cannot be searched"):
        guess_kind("ftp://example.org/x")


def test_an_address_that_does_not_answer_is_an_error(config):
    # Port 9 (discard) is closed on any sane machine.
    with pytest.raises(RemoteError, match="does not answer") as error:
        open_source(config, "http://127.0.0.1:9/catalog.json").search()
    assert error.value.hint


def test_a_config_is_all_it_takes(tmp_path, sample):
    assert len(open_source(Config(root=tmp_path), str(sample)).search(limit=1)) == 1
