"""CQL2 means on items, in DuckDB and on paper the same."""

from __future__ import annotations

import operator
from datetime import UTC, datetime

import pystac
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.catalog.query.cql2 import matches, parse
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
    assert matches(parse(text), item(flag=True, missing=None, **properties)) is expected


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "eo:cloud_cover <",
        "eo:cloud_cover < 20 AND",
        "< 20",
        "a = 1 b = 2",
        "a LIKE",
        "a IN 1",
        "(a = 1",
        "a ~ 3",
        "S_INTERSECTS(geometry, BLOB(1 2))",
        {"op": "within", "args": [1, 2]},
        {"op": "=", "args": [1]},
        {"args": []},
        {"op": "in", "args": [{"property": "a"}, 3]},
        {"op": "and", "args": [5]},
        7,
    ],
)
def test_what_is_not_understood_is_said(wrong):
    with pytest.raises(InvalidInputError) as error:
        parse(wrong)
    assert error.value.hint


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
    parsed = parse(expression)
    assert [
        f"{k:02d}" for k, (x, y) in enumerate(ROWS) if matches(parsed, item(x=x, y=y))
    ] == expected
    assert [i.id for i in file.search(filter=expression)] == expected
