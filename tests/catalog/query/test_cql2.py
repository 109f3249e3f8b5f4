"""CQL2 means on items, in DuckDB and on paper the same."""

from __future__ import annotations

import operator
from datetime import UTC, datetime

import pystac
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.catalog.query.cql2 import classes, parse, within
from eolab.catalog.query.match import matcher
from eolab.catalog.sources.geoparquet import GeoParquetSource
from eolab.catalog.sources.geoparquet_writer import write_items
from eolab.errors import InvalidInputError


def item(name="a", **properties) -> pystac.Item:
    geometry = {"type": "Point", "coordinates": [10, 50]}
    time = datetime(2024, 5, 1, tzinfo=UTC)
    return pystac.Item(name, geometry, [10, 50, 10, 50], time, properties, collection="c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eo:cloud_cover < 20", True),
        ("eo:cloud_cover >= 20", False),
        ("properties.eo:cloud_cover = 10.5", True),
        ("platform = 'sentinel-2a' AND eo:cloud_cover <= 10.5", True),
        ("platform <> 'sentinel-2a' OR gsd > 5", True),
        ("NOT (platform = 'sentinel-2a')", False),
        ("platform LIKE 'sentinel%'", True),
        ("platform NOT LIKE '%2_'", False),
        ("eo:cloud_cover BETWEEN 10 AND 11", True),
        ("platform IN ('x', 'sentinel-2a')", True),
        ("gsd NOT IN (10, 20)", False),
        ("missing IS NULL", True),
        ("platform IS NOT NULL", True),
        ("missing < 5", False),
        ("NOT missing < 5", False),
        ("missing < 5 OR gsd = 10", True),
        ("datetime > TIMESTAMP('2024-04-30T23:00:00Z')", True),
        ("datetime < DATE('2024-05-01')", False),
        ("id = 'a' and collection = 'c'", True),
        ("title = 'it''s'", True),
        ('"eo:cloud_cover" > 1', True),
        ("S_INTERSECTS(geometry, POLYGON((9 49, 11 49, 11 51, 9 51, 9 49)))", True),
        ("S_INTERSECTS(geometry, POINT(-10.5 3))", False),
        ("platform < 5", False),
        ("flag = TRUE", True),
    ],
)
def test_text(text, expected):
    properties = {"eo:cloud_cover": 10.5, "platform": "sentinel-2a", "gsd": 10, "title": "it's"}
    assert matcher(parse(text))(item(flag=True, missing=None, **properties)) is expected


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "eo:cloud_cover <",
        "eo:cloud_cover < 20 AND",
        "< 20",
        "a = 1 b = 2",
        "a LIKE",
        "(a = 1",
        "a ~ 3",
        "S_INTERSECTS(geometry, BLOB(1 2))",
        {"op": "within", "args": [1, 2]},
        {"op": "=", "args": [1]},
        {"args": []},
        {"op": "in", "args": [{"property": "a"}, 3]},
        {"op": "and", "args": [5]},
        7,
        "upper(platform) = 'X'",
        '{"op": "=", "args"',
        "T_AFTER(datetime, 'soon')",
        "T_AFTER(datetime, INTERVAL('2024-01-01', 'soon'))",
        "S_WITHIN(geometry, BBOX(9, 95, 11, 96))",
        {"op": "s_within", "args": [{"property": "geometry"}, 5]},
        {"op": "a_contains", "args": [{"property": "tags"}, "x"]},
        {"op": "=", "args": [{"op": "casei", "args": []}, "x"]},
        "identity = 12345678901234567890",
        "(" * 5_000 + "a = 1" + ")" * 5_000,
        "NOT " * 5_000 + "a = 1",
        "a = " + "-" * 5_000 + "b",
    ],
)
def test_what_is_not_understood_is_said(wrong):
    with pytest.raises(InvalidInputError, match=r"^the filter|^bbox") as error:
        parse(wrong)
    assert error.value.hint


FULL = {
    "platform": "Sentinel-2A",
    "title": "Crème brûlée",
    "gsd": 10,
    "eo:cloud_cover": 10.5,
    "tags": ["msi", "l2a"],
    "start_datetime": "2024-05-01T00:00:00Z",
    "end_datetime": "2024-05-31T12:00:00Z",
    "missing": None,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Letters: capitals and marks, on both sides, nested, in lists and patterns.
        ("casei(platform) = casei('SENTINEL-2a')", True),
        ("casei(platform) = 'SENTINEL-2A'", False),
        ("platform = casei('Sentinel-2A')", False),
        ("casei(platform) LIKE casei('SENTI%')", True),
        ("casei(platform) NOT LIKE 'landsat%'", True),
        ("casei(platform) IN (casei('LANDSAT-8'), casei('SENTINEL-2A'))", True),
        ("casei(platform) NOT IN (casei('LANDSAT-8'))", True),
        ("casei(platform) BETWEEN 'sentinel-1' AND 'sentinel-3'", True),
        ("accenti(title) = accenti('Creme brûlee')", True),
        ("accenti(title) = accenti('creme brulee')", False),
        ("casei(accenti(title)) = accenti(casei('CREME BRULEE'))", True),
        ("accenti(casei(title)) LIKE 'creme%'", True),
        ("casei(missing) = 'x'", False),
        ("NOT casei(missing) = 'x'", False),
        ("casei(gsd) = '10'", False),
        # Patterns.
        ("platform LIKE 'Sentinel-2_'", True),
        ("platform LIKE 'Sentinel-2\\\\_'", False),
        ("title LIKE '(%'", False),
        # Times: instants, days, intervals with open ends.
        ("T_AFTER(datetime, TIMESTAMP('2024-04-30T23:59:59Z'))", True),
        ("T_AFTER(datetime, DATE('2024-05-01'))", False),
        ("T_INTERSECTS(datetime, DATE('2024-05-01'))", True),
        ("T_BEFORE(datetime, DATE('2024-05-02'))", True),
        ("T_DURING(datetime, INTERVAL('2024-04-01', '..'))", True),
        ("T_DURING(datetime, INTERVAL('..', '2024-04-30'))", False),
        ("T_EQUALS(datetime, TIMESTAMP('2024-05-01T02:00:00+02:00'))", True),
        ("T_DISJOINT(datetime, INTERVAL('2024-06-01', '2024-07-01'))", True),
        (("T_OVERLAPS(INTERVAL(start_datetime, end_datetime), "
         "INTERVAL('2024-05-15', '2024-06-15'))"), True),
        ("T_CONTAINS(INTERVAL(start_datetime, end_datetime), DATE('2024-05-10'))", True),
        (("T_STARTS(INTERVAL(start_datetime, end_datetime), "
         "INTERVAL('2024-05-01T00:00:00Z', '..'))"), True),
        (("T_MEETS(INTERVAL(start_datetime, end_datetime), "
         "INTERVAL('2024-05-31T12:00:00Z', '..'))"), True),
        ("T_AFTER(missing, DATE('2020-01-01'))", False),
        ("NOT T_AFTER(missing, DATE('2020-01-01'))", False),
        ("NOT T_DURING(INTERVAL(start_datetime, missing), INTERVAL('2020-01-01', '..'))", False),
        # Places.
        ("S_WITHIN(geometry, POLYGON((9 49, 11 49, 11 51, 9 51, 9 49)))", True),
        ("S_WITHIN(geometry, BBOX(9, 49, 11, 51))", True),
        ("S_CONTAINS(BBOX(9, 49, 11, 51), geometry)", True),
        ("S_DISJOINT(geometry, POINT(0 0))", True),
        ("S_EQUALS(geometry, POINT(10 50))", True),
        ("S_TOUCHES(geometry, LINESTRING(10 50, 11 51))", True),
        ("S_OVERLAPS(geometry, BBOX(9, 49, 11, 51))", False),
        ("S_WITHIN(missing, BBOX(9, 49, 11, 51))", False),
        ("NOT S_WITHIN(missing, BBOX(9, 49, 11, 51))", False),
        # Sums.
        ("eo:cloud_cover / 2 < 6", True),
        ("gsd * 2 + 1 = 21", True),
        ("gsd - 4 - 3 = 3", True),
        ("gsd ^ 2 = 100 AND gsd % 3 = 1 AND gsd DIV 3 = 3", True),
        ("-gsd < 0", True),
        ("eo:cloud_cover > gsd", True),
        ("gsd / 0 > 1", False),
        ("NOT gsd / 0 > 1", False),
        ("platform + 1 > 0 OR NOT platform + 1 > 0", False),
        # Lists.
        ("A_CONTAINS(tags, ('msi'))", True),
        ("A_CONTAINEDBY(tags, ('msi', 'l2a', 'x'))", True),
        ("A_OVERLAPS(tags, ('x', 'l2a'))", True),
        ("A_EQUALS(tags, ('l2a', 'msi'))", False),
        ("NOT A_CONTAINS(missing, ('msi'))", False),
        ("tags IS NULL", False),
        # What is null is neither in nor out of a list, unless the list settles it.
        ("gsd IN (10, missing)", True),
        ("gsd NOT IN (20, missing)", False),
        ("missing IN (1, 2) OR NOT missing IN (1, 2)", False),
        ("5 < gsd", True),
        ("geometry IS NULL", False),
        ('{"op": "eq", "args": [{"property": "gsd"}, 10]}', True),
    ],
)  # fmt: skip
def test_all_of_the_language(text, expected):
    assert matcher(parse(text))(item(**FULL)) is expected


def test_whole_numbers_stay_whole():
    assert parse("gsd IN (10, 2.5) AND eo:cloud_cover <= 20") == {
        "op": "and",
        "args": [
            {"op": "in", "args": [{"property": "gsd"}, [10, 2.5]]},
            {"op": "<=", "args": [{"property": "eo:cloud_cover"}, 20]},
        ],
    }


def test_a_service_is_asked_for_what_it_knows_only():
    asked = parse("gsd = 10 AND casei(platform) = 'x' AND T_AFTER(datetime, DATE('2024-01-01'))")
    assert classes(asked) == {"case-insensitive-comparison", "temporal-functions"}
    assert within(asked, lambda name: True) == asked
    assert within(asked, lambda name: False) == parse("gsd = 10")
    assert within(asked, lambda name: name == "temporal-functions") == parse(
        "gsd = 10 AND T_AFTER(datetime, DATE('2024-01-01'))"
    )
    # Of a negation or an alternative no part is wider than the whole.
    assert within(parse("gsd = 10 OR casei(platform) = 'x'"), lambda name: False) is None
    assert within(parse("NOT (gsd = 10 AND gsd / 2 = 5)"), lambda name: False) is None


def test_a_file_gives_what_matches_beyond_comparisons(tmp_path):
    made = [item("a", platform="S2A", gsd=10), item("b", platform="s2a", gsd=20)]
    assert write_items(tmp_path / "x.parquet", [i.to_dict() for i in made]) == []
    source = GeoParquetSource("x", str(tmp_path / "x.parquet"))
    for text, expected in (
        ("casei(platform) = casei('S2a')", ["a", "b"]),
        ("casei(platform) = 's2a' AND gsd / 2 > 5", ["b"]),
        ("S_WITHIN(geometry, BBOX(9, 49, 11, 51)) AND platform = 'S2A'", ["a"]),
        ("T_AFTER(datetime, DATE('2024-05-02'))", []),
    ):
        assert [i.id for i in source.search(filter=text)] == expected, text


names = st.sampled_from(["x", "y"])
value = st.integers(-3, 3)
comparison = st.builds(
    lambda op, name, v: {"op": op, "args": [{"property": name}, v]},
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    names,
    value,
)
other = st.one_of(
    st.builds(lambda n: {"op": "isNull", "args": [{"property": n}]}, names),
    st.builds(lambda n, v: {"op": "in", "args": [{"property": n}, v]}, names, st.lists(value)),
    st.builds(
        lambda n, a, b: {"op": "between", "args": [{"property": n}, a, b]}, names, value, value
    ),
)
expressions = st.recursive(
    comparison | other,
    lambda inner: st.one_of(
        st.builds(lambda a: {"op": "not", "args": [a]}, inner),
        st.builds(
            lambda op, a: {"op": op, "args": a},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=6,
)


def by_hand(expression, row):
    """SQL's logic of three values, written down once more."""
    op, args = expression["op"], expression["args"]
    if op == "not":
        inner = by_hand(args[0], row)
        return None if inner is None else not inner
    if op in ("and", "or"):
        found = [by_hand(a, row) for a in args]
        rank = {True: 2, None: 1, False: 0}
        return (min if op == "and" else max)(found, key=rank.get)
    left = row[args[0]["property"]]
    if op == "isNull":
        return left is None
    if left is None:
        return None
    if op == "in":
        return left in args[1]
    if op == "between":
        return args[1] <= left <= args[2]
    symbols = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
    return getattr(operator, symbols[op])(left, args[1])


ROWS = [(x, y) for x in (None, -2, 0, 1, 3) for y in (None, -1, 0, 2)]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("cql") / "x.parquet"
    made = [item(f"{k:02d}", x=x, y=y) for k, (x, y) in enumerate(ROWS)]
    assert write_items(path, [i.to_dict() for i in made]) == []
    return GeoParquetSource("x", str(path))


@settings(max_examples=120, deadline=None)
@given(expressions)
def test_items_and_the_file_agree_with_the_logic_by_hand(file, expression):
    expected = [
        f"{k:02d}" for k, (x, y) in enumerate(ROWS) if by_hand(expression, {"x": x, "y": y}) is True
    ]
    matches = matcher(parse(expression))
    assert [f"{k:02d}" for k, (x, y) in enumerate(ROWS) if matches(item(x=x, y=y))] == expected
    assert [i.id for i in file.search(filter=expression)] == expected
