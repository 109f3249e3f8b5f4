"""One box finds everything, by words, place and time; what is damaged is made again."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eolab.errors import InvalidInputError
from eolab.facade import workspace
from eolab.records.search_index import FILE, Entry, find, publish


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ENTRIES = [
    Entry("item", "a", "Wheat near Maribor", "red nir", (15, 46, 16, 47), day("2021-05-01")),
    Entry("item", "b", "Maize", "after wheat", (16, 46, 17, 47), day("2022-05-01")),
    Entry("item", "c", "Fidschi", "Süßkartoffel", (179, -18, 180, -17), day("2022-06-01")),
    Entry("study", "crops", "crops", "val_macro_f1 completed", None, day("2023-01-01")),
]
ENTRIES = [Entry(e.kind, e.id, e.title, e.text, e.bbox, e.start, e.start) for e in ENTRIES]


@pytest.fixture
def root(tmp_path):
    publish(tmp_path, ENTRIES)
    return tmp_path


def ids(found):
    return {kind: [row["id"] for row in rows] for kind, rows in found.items()}


def test_words_in_titles_come_first_and_all_must_occur(root):
    assert ids(find(root, "wheat")) == {"item": ["a", "b"]}
    assert ids(find(root, "wheat maize")) == {"item": ["b"]}
    assert ids(find(root, "WHE")) == {"item": ["a", "b"]}
    assert ids(find(root, "susskartoffel")) in ({}, {"item": ["c"]})
    assert ids(find(root, "sußkart")) == {"item": ["c"]}
    assert ids(find(root, "wheat rye")) == {}


def test_place_and_time_narrow(root):
    assert ids(find(root, bbox=(14, 45, 15.5, 48))) == {"item": ["a"]}
    assert ids(find(root, bbox=(170, -20, -170, 0))) == {"item": ["c"]}
    assert ids(find(root, start=day("2022-01-01"), end=day("2022-12-31"))) == {"item": ["c", "b"]}
    assert ids(find(root, "wheat", start=day("2022-01-01"))) == {"item": ["b"]}
    assert ids(find(root, kinds=["study"])) == {"study": ["crops"]}
    assert ids(find(root, limit=1)) == {"item": ["c"], "study": ["crops"]}
    with pytest.raises(InvalidInputError):
        find(root, limit=0)


def test_publishing_again_brings_up_to_date_and_whole_kinds_forget(root):
    publish(root, [Entry("item", "a", "Rye")])
    assert ids(find(root, "wheat")) == {"item": ["b"]}
    assert ids(find(root, "rye")) == {"item": ["a"]}
    publish(root, [], whole=["item"])
    assert ids(find(root)) == {"study": ["crops"]}


@given(st.text(max_size=30))
def test_no_text_is_a_syntax_error(tmp_path_factory, text):
    root = tmp_path_factory.getbasetemp() / "search"
    if not root.exists():
        root.mkdir()
        publish(root, ENTRIES)
    find(root, text)


def test_a_damaged_file_is_made_again(root):
    (root / FILE).write_bytes(b"no database at all" * 100)
    publish(root, ENTRIES[:1])
    assert ids(find(root)) == {"item": ["a"]}
    assert find(root / "elsewhere") == {}


def test_several_threads_publish_at_once(root):
    def write(number):
        publish(root, [Entry("item", f"n{number}-{k}", "busy") for k in range(20)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(8)))
    assert len(find(root, "busy", limit=500)["item"]) == 160


def test_a_workspace_finds_what_its_domains_hold(config, shared_data):
    source = shared_data / "eolearn-slovenia-stac"
    config.file.write_text(
        config.file.read_text() + f'\n[catalogs.slovenia]\nurl = "{source}"\n', encoding="utf-8"
    )
    ws = workspace(config.file)
    group = ws.features.get_or_create_feature_group(
        "meadows", primary_key=["id"], event_time="time", description="Mowing of grassland"
    )
    group.insert(
        pd.DataFrame({"id": [1], "time": [pd.Timestamp("2021-05-01", tz="UTC")], "NDVI": [0.5]})
    )
    assert ids(ws.search("grassland")) == {"group": ["meadows/1"]}
    assert ids(ws.search("ndvi mowing")) == {"group": ["meadows/1"]}
    found = ws.search("slovenia", bbox=(14, 45, 16, 47))
    assert list(found) == ["collection"]
    # Items are found once they were seen.
    seen = ws.catalog("slovenia").search(max_cloud=50)
    again = ws.search(datetime="2015-08", kinds=["item"])
    assert [r["detail"]["item"] for r in again["item"]] == [seen[1].id]
    shutil.rmtree(ws.root / "features")
    assert "group" not in ws.search("grassland")


def test_what_cannot_be_written_leaves_the_rest(root):
    publish(root, [Entry("item", "a", "moorland")])
    with pytest.raises(sqlite3.Error):
        publish(root, [Entry("item", "b", "moorland", detail={}, bbox=(object(), 0, 1, 1))])
    publish(root, [Entry("item", "c\ud800", "half \udc00 a character of moorland")])
    assert {found["id"] for found in find(root, "moorland")["item"]} == {"a", "c?"}
