"""Thousands of damaged STAC documents: shown, skipped with a message, or a clear error."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import replace

import pytest

from eolab.catalog import estimate_load, load, open_source
from eolab.catalog.panel import browse
from eolab.catalog.panel.previews import thumbnail
from eolab.catalog.sources.crawled import IndexedSource
from eolab.catalog.sources.parse_items import make_collection
from eolab.catalog.sources.static import StaticSource
from eolab.errors import EolabError
from eolab.facade import Workspace
from eolab.settings.config import CatalogConfig
from tests.attacks.junk import mutate


@pytest.fixture
def config(config, sample):
    """The documents lie elsewhere than the files that they name."""
    return replace(config, roots=(sample,))


@pytest.fixture(scope="module")
def mutants(sample_items):
    rng = random.Random(0)
    originals = [item.to_dict(transform_hrefs=False) for item in list(sample_items)[:6]]
    made = []
    for number in range(5_000):
        original = {**rng.choice(originals), "id": f"m{number}"}
        version = rng.choice(["1.0.0", "1.1.0"])
        made.append(mutate({**original, "stac_version": version}, rng))
    return made


@pytest.fixture(scope="module")
def catalogue(mutants, tmp_path_factory):
    path = tmp_path_factory.mktemp("mutants") / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": mutants}))
    return path


def test_each_is_shown_or_skipped_with_a_message(catalogue, mutants, config):
    source = open_source(config, str(catalogue))
    found = source.search()
    skipped = {s.href for s in source.skipped}
    assert all(s.message for s in source.skipped)
    assert len(found) + len(skipped) >= 0.97 * len(mutants)  # some share an id by now
    assert 500 < len(skipped) < 4_000


@pytest.mark.parametrize(
    "asked",
    [
        {"bbox": (11, 48, 13, 49)},
        {"datetime": "2021", "max_cloud": 50},
        {"filter": "eo:cloud_cover < 20 AND platform LIKE 's%'"},
        {"text": "simulated", "sortby": ["-eo:cloud_cover", "platform"]},
    ],
)
def test_searches_come_to_an_end(catalogue, config, asked):
    assert len(open_source(config, str(catalogue)).search(**asked)) > 100


def test_the_panel_shows_them(catalogue, config):
    config = replace(config, catalogs={"m": CatalogConfig("m", str(catalogue))})
    body = browse.items(config, "m", limit=10_000)
    assert len(body["items"]) > 1_000
    json.dumps(body, allow_nan=False)
    pictures = 0
    for item in open_source(config, str(catalogue)).search(limit=60):
        with contextlib.suppress(EolabError):
            thumbnail(item)
            pictures += 1
    assert pictures > 10


def test_loading_them_works_or_says_why(catalogue, config):
    for item in list(open_source(config, str(catalogue)).search(limit=100)):
        with contextlib.suppress(EolabError):
            estimate_load([item], bands=["red"])
    items = open_source(config, str(catalogue)).search(limit=20)
    with contextlib.suppress(EolabError):
        load(items, bands=["red"], crs="EPSG:32633", resolution=200, missing="skip")


def test_they_can_be_indexed(mutants, tmp_path, sample):
    collection = json.loads(next(sample.glob("*/collection.json")).read_text())
    links = []
    for number, document in enumerate(mutants[:300]):
        (tmp_path / f"{number}.json").write_text(json.dumps(document))
        links.append({"rel": "item", "href": f"./{number}.json"})
    (tmp_path / "collection.json").write_text(json.dumps({**collection, "links": links}))
    source = IndexedSource("m", str(tmp_path), folder=tmp_path / "index")
    found = source.search()
    shown = {i.id for i in StaticSource("m", str(tmp_path)).search()}
    # A file has one type a field: more is left out, and listed, than where each stands alone.
    assert len(found) > 0.4 * len(shown)
    assert len(found) + len(source.skipped) >= 295


def test_damaged_catalogues_and_collections(sample, tmp_path, config):
    rng = random.Random(1)
    good = [
        json.loads(p.read_text())
        for p in (sample / "catalog.json", next(sample.glob("*/collection.json")))
    ]
    for _ in range(150):
        for name, document in zip(("catalog.json", "collection.json"), good, strict=True):
            broken = mutate(document, rng) if rng.random() < 0.7 else document
            text = json.dumps(broken).replace(f"./{good[1]['id']}/", "./")
            (tmp_path / name).write_text(text)
        source = open_source(config, str(tmp_path / "catalog.json"))
        with contextlib.suppress(EolabError):
            source.collections()
            source.search(limit=3)


def test_an_odd_collection_spoils_no_list(sample, tmp_path, config):
    """Its neighbour is listed and found, whatever stands in it; so is what is right of its own."""
    good = json.loads(next(sample.glob("*/collection.json")).read_text())
    good |= {"id": "good", "links": []}
    links = [{"rel": "child", "href": f"./{name}.json"} for name in ("good", "odd")]
    root = {"type": "Catalog", "id": "c", "description": "d", "stac_version": "1.0.0"}
    (tmp_path / "catalog.json").write_text(json.dumps({**root, "links": links}))
    (tmp_path / "good.json").write_text(json.dumps(good))
    config = replace(config, catalogs={"m": CatalogConfig("m", str(tmp_path))})
    rng = random.Random(2)
    for _ in range(250):
        odd = mutate({**good, "id": "odd", "providers": [{"name": "us", "roles": ["host"]}]}, rng)
        (tmp_path / "odd.json").write_text(json.dumps(odd))
        body = browse.collections(config, "m")
        json.dumps(body, allow_nan=False)
        names = {entry["id"] for entry in body["collections"]}
        assert "good" in names
        # Without type and extent it is a catalogue, as catalogues were before 1.0.
        if {"type", "extent"} & set(odd):
            assert len(names) + len(body["skipped"]) >= 2
    assert "m/good" in [found["id"] for found in Workspace(config).search("good")["collection"]]


@pytest.mark.parametrize(
    "odd",
    [
        {"extent": {"spatial": {"bbox": [["west", 1, 2, 3]]}, "temporal": {"interval": [[1, 2]]}}},
        {"keywords": ["crop", 7, None]},
        {"title": {"en": "Fields"}, "description": None},
        {"extent": None, "summaries": [], "providers": "us"},
    ],
)
def test_what_only_describes_a_collection_may_be_odd(odd, sample):
    good = json.loads(next(sample.glob("*/collection.json")).read_text())
    made = make_collection({**good, **odd})
    assert made.id == good["id"]
    assert all(isinstance(word, str) for word in made.keywords or [])
