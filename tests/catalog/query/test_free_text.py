"""Free text over a file: the same items as word by word over all of them, without reading all."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import numpy as np
import pytest

from eolab.catalog.query.free_text import ABOVE, mentions, words_to_sql
from eolab.catalog.sources.geoparquet import GeoParquetSource
from eolab.catalog.sources.geoparquet_writer import write_items

TITLES = ["Wien", "Köln", "ÅRHUS", "İzmir", "it's 5 o'clock", "50% \\_"]
START = dt.datetime(2021, 2, 28, 22, 30, 15, 123_450, tzinfo=dt.UTC)
COLLECTIONS = [
    {
        "type": "Collection", "id": name, "stac_version": "1.0.0", "license": "other",
        "title": title, "description": text, "keywords": keys, "links": [],
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
                   "temporal": {"interval": [[None, None]]}},
    }
    for name, title, text, keys in [
        ("s2", "Sentinel-2 Überflüge", "optical, 12 bands", ["Copernicus"]),
        ("s1", "Radar", "backscatter of 2021", ["it's SAR"]),
    ]
]  # fmt: skip


def documents(count=1_500):
    rng = np.random.default_rng(3)
    made = []
    for number in range(count):
        later = int(rng.integers(0, 20_000)) if number else 0
        moment = START + dt.timedelta(hours=later, microseconds=number)
        properties = {
            "datetime": moment.isoformat().replace("+00:00", "Z"),
            "eo:cloud_cover": float(rng.choice([0.0, 100.0, 1e-7, 3e18, rng.uniform(0, 100)])),
            "orbit": int(rng.integers(1, 140)),
            "night": bool(rng.integers(0, 2)),
            "title": str(rng.choice(TITLES)),
            "places": ["never", "searched"],
        }
        if number % 3 == 0:
            properties[ABOVE] = ["Hurricane Harvey", "Überblick"]
        if number % 5 == 0:
            del properties["title"]
        x, y = rng.uniform(-170, 170), rng.uniform(-80, 80)
        made.append(
            {
                "type": "Feature", "stac_version": "1.0.0", "id": f"S{number % 3}_{number:05d}",
                "collection": ["s2", "s1"][number % 2], "bbox": [x, y, x + 1, y + 1],
                "geometry": {"type": "Polygon", "coordinates": [
                    [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]]},
                "properties": properties, "links": [], "assets": {},
            }
        )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "items.parquet"
    assert write_items(path, documents(), collections=COLLECTIONS) == []
    return GeoParquetSource("words", str(path))


@pytest.mark.parametrize(
    "text",
    [
        "wien", "WIEN s1_", "köln", "Århus", "izmir", "i̇zmir", "it's", "5 o'clock", "50%", "\\_",
        "harvey", "überblick", "hurricane sentinel-2", "copernicus", "radar 2021", "sar wien",
        "never", "00012", "s0_0001", "100.0", "3e+18", "1e-07", "e-", "true", "false night",
        "2021-03", "2021-03-01t", "t22:30", "22:30:15.1", "15.12345", "123450z", "45z", "z", ".",
        "-", "12", "139", "nan", "none", "%", "_", "nothing at all",
    ],
)  # fmt: skip
def test_the_file_finds_what_the_items_mention(source, text):
    everything = source.search()
    about = source._about_collections()
    words = text.split()
    wanted = [item.id for item in everything if mentions(item, words, about)]
    assert [item.id for item in source.search(text=text)] == wanted


def test_any_part_of_any_value_is_found(source):
    everything = list(source.search())
    rng = np.random.default_rng(4)
    for _ in range(60):
        item = everything[rng.integers(len(everything))]
        values = [v for v in item.properties.values() if isinstance(v, str | int | float)]
        value = str([item.id, *values][rng.integers(len(values) + 1)])
        first = rng.integers(len(value))
        part = value[first : first + rng.integers(2, 9)].strip().split(" ")[0]
        if part:
            found = source.search(text=part, collections=[item.collection_id])
            assert item.id in {each.id for each in found}, part


def test_few_rows_are_read_for_a_rare_word(source, monkeypatch):
    read = []
    table = GeoParquetSource._table

    def counted(self, rows, columns=None):
        read.extend(rows)
        return table(self, rows, columns)

    monkeypatch.setattr(GeoParquetSource, "_table", counted)
    (item,) = source.search(text="s1_00100")
    assert item.id == "S1_00100"
    assert not len(source.search(text="unheard-of"))
    assert len(read) == 1


def test_without_columns_for_a_word_there_is_nothing_to_find():
    assert words_to_sql(["a"], {}, {"bbox": "STRUCT(xmin DOUBLE)"}) == ["(false)"]
    assert words_to_sql(["ä"], {}, {"id": "VARCHAR"}) == []


def test_months_are_those_of_utc_wherever_one_is(source):
    """An item of the last hours of February in UTC, where March has begun."""
    code = (
        "import sys; from eolab.catalog.sources.geoparquet import GeoParquetSource as S;"
        "from eolab.catalog.query.query import make_query as q;"
        "s = S('x', sys.argv[1]); h = s.histogram(q());"
        "print([(f'{t:%Y-%m}', int(n)) for t, n in zip(h['time'], h['items'])],"
        " len(s.search(datetime='2021-02')), len(s.search(text='2021-02-28t22')))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, source.url],
            env={**os.environ, "TZ": zone}, stdout=subprocess.PIPE, text=True,
        )
        for zone in ("UTC", "Asia/Kathmandu", "America/Los_Angeles")
    ]  # fmt: skip
    told = {one.communicate()[0] for one in started}
    assert [one.returncode for one in started] == [0, 0, 0]
    assert len(told) == 1
    assert "('2021-02'," in told.pop()
