"""Damaged stac-geoparquet files: what can be read is found, the rest is listed or refused."""

from __future__ import annotations

import datetime as dt
import json
import os
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eolab.catalog import open_source
from eolab.catalog.panel import search
from eolab.catalog.query.query import make_query
from eolab.catalog.sources import geoparquet
from eolab.catalog.sources.parse_items import make_collection
from eolab.errors import InvalidInputError
from eolab.settings.config import CatalogConfig
from tests.attacks import geoparquet as attack


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "items.parquet"
    attack.write(path, random.Random(0))
    return pq.read_table(path)


@pytest.fixture
def source(config, tmp_path):
    """A source of a table."""

    def make(table):
        pq.write_table(table, tmp_path / "items.parquet")
        return open_source(config, str(tmp_path / "items.parquet"))

    return make


def replaced(table, name, values):
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))


def test_the_whole_file_is_read(source, whole):
    found = source(whole)
    assert len(found.search()) == attack.ITEMS
    assert found.skipped == []


def test_a_file_with_two_columns_of_a_name_is_refused(source, whole):
    names = ["id" if name == "links" else name for name in whole.schema.names]
    with pytest.raises(InvalidInputError, match="more than one column 'id'") as error:
        source(whole.rename_columns(names)).search()
    assert "write_items" in error.value.hint


def test_what_is_missing_is_named(source, whole):
    with pytest.raises(InvalidInputError, match="it lacks bbox"):
        source(whole.drop_columns(["bbox"])).search()
    with pytest.raises(InvalidInputError, match="it lacks datetime"):
        source(whole.drop_columns(["datetime"])).search()


def test_times_that_cannot_be_compared_are_refused(source, whole):
    odd = replaced(whole, "datetime", [[n] for n in range(attack.ITEMS)])
    with pytest.raises(InvalidInputError, match="no times"):
        source(odd).search(datetime="2024-05")


def test_a_time_beyond_all_calendars_is_counted_in_no_histogram(config, tmp_path, whole, source):
    late = [dt.datetime(2024, 5, 1, tzinfo=dt.UTC)] * attack.ITEMS
    column = pa.array(late, pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    column[0] = 3 * 10**17  # the year 11476
    table = whole.set_column(
        whole.schema.get_field_index("datetime"),
        "datetime",
        pa.array(column, pa.int64()).cast(pa.timestamp("us", "UTC")),
    )
    counted = source(table).histogram(make_query(), period="year")
    assert counted["items"].tolist() == [attack.ITEMS - 1]
    config.catalogs["m"] = CatalogConfig("m", str(tmp_path / "items.parquet"))
    found = search.found(config, "m", limit=10)
    assert [count for _, count in found["histogram"]["bins"]] == [attack.ITEMS - 1]


def test_a_column_of_another_kind_is_refused_with_what_reads_it(source, whole):
    odd = replaced(whole, "id", [float(n) for n in range(attack.ITEMS)])
    with pytest.raises(InvalidInputError, match="cannot be read"):
        source(odd).search(ids=["i3"])


def test_damaged_pages_are_refused(config, tmp_path, whole):
    path = tmp_path / "items.parquet"
    pq.write_table(whole, path)
    content = bytearray(path.read_bytes())
    content[4:2_000] = bytes(1_996)
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        open_source(config, str(path)).search()


def test_an_odd_row_is_listed_and_the_others_are_found(source, whole):
    shapes = whole["geometry"].to_pylist()
    shapes[7] = b"\x01\x02"
    at = whole.schema.get_field_index("geometry")
    column = pa.array(shapes, whole.schema.field("geometry").type)
    odd = source(whole.set_column(at, whole.schema.field("geometry"), column))
    found = odd.search()
    assert {item.id for item in found} == {f"i{n}" for n in range(attack.ITEMS)} - {"i7"}
    (skipped,) = odd.skipped
    assert skipped.message


def test_the_panel_shows_a_file_without_rows(config, tmp_path, whole):
    path = tmp_path / "items.parquet"
    pq.write_table(whole.slice(0, 0), path)
    config.catalogs["m"] = CatalogConfig("m", str(path))
    body = search.found(config, "m", limit=10)
    assert body["items"] == []
    assert body["histogram"]["bins"] == []
    assert open_source(config, str(path)).count(make_query()) == 0


def test_collections_that_the_file_states_may_be_odd(source, whole):
    said = json.loads(whole.schema.metadata[b"stac-geoparquet"])
    said["collections"]["c"] |= {"type": [[1]], "stac_version": {"no": 1}}
    odd = whole.replace_schema_metadata(
        {**whole.schema.metadata, b"stac-geoparquet": json.dumps(said).encode()}
    )
    (collection,) = source(odd).collections()
    assert collection.extra_fields["eolab:items"] == attack.ITEMS
    assert make_collection({"id": "c", "stac_version": "1.1.0"}).id == "c"


def test_collections_with_numbers_for_names_are_searched_by_words(source, whole):
    odd = source(replaced(whole, "collection", [1.5] * attack.ITEMS))
    assert [collection.id for collection in odd.collections()] == ["1.5"]
    assert len(odd.search()) + len(odd.skipped) == attack.ITEMS
    assert {item.id for item in odd.search(text="i3")} <= {"i3"}


def test_a_file_that_is_written_while_it_is_opened_is_read_as_it_is_then(
    source, whole, tmp_path, monkeypatch
):
    found, load = source(whole.slice(0, 3)), geoparquet._load
    path, times = tmp_path / "items.parquet", iter([1, 2])

    def meanwhile(name):
        made = load(name)
        if next(times, None) == 1:
            pq.write_table(whole, tmp_path / "new.parquet")
            (tmp_path / "new.parquet").replace(path)
        return made

    monkeypatch.setattr(geoparquet, "_load", meanwhile)
    assert len(found.search()) == attack.ITEMS


def test_a_file_that_is_always_being_written_is_refused(source, whole, tmp_path, monkeypatch):
    found, load = source(whole), geoparquet._load
    numbers = iter(range(1, 100))

    def meanwhile(name):
        made = load(name)
        os.utime(tmp_path / "items.parquet", (next(numbers),) * 2)
        return made

    monkeypatch.setattr(geoparquet, "_load", meanwhile)
    with pytest.raises(InvalidInputError, match="is being written"):
        found.search()


def test_a_file_too_large_for_memory_is_not_mixed_with_the_one_that_takes_its_place(
    source, whole, tmp_path, monkeypatch
):
    monkeypatch.setattr(geoparquet, "_HELD", 0)
    found = source(whole)
    assert len(found.search()) == attack.ITEMS
    pq.write_table(whole.slice(3), tmp_path / "new.parquet")
    (tmp_path / "new.parquet").replace(tmp_path / "items.parquet")
    with pytest.raises(InvalidInputError, match="written anew since it was opened"):
        found.search()
