"""What every source of scenes promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eolab.catalog.query.query import item_time, make_query, order
from eolab.catalog.sources.base import UnknownCollection
from eolab.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from eolab.catalog.sources.base import Source


class SourceContract:
    """What `eolab.catalog.Source` promises, whatever stands behind it.

    Override `source` with one that holds at least three items of at least two dates, each with a
    geometry, a bbox and one property of plain type beside its date.

    Results come by date then id and each once, as an ItemCollection; ids, dates, areas and limits
    find exactly what they say; a misspelt collection holds nothing and the right one is named;
    what `queryables` says is true of the items; asset hrefs are absolute; a result that a user
    changes changes no other; what it counts (see `Source.capabilities`) is what a search finds.

    Example:
        >>> import pytest
        >>> from eolab.testing import SourceContract
        >>> class TestSample(SourceContract):
        ...     @pytest.fixture
        ...     def source(self):
        ...         return ws.catalog("sample")
    """

    @pytest.fixture
    def source(self) -> Source:
        """The source under test; override it."""
        raise NotImplementedError("override the fixture `source`")

    def test_results_come_by_date_then_id_each_once(self, source: Source) -> None:
        found = list(source.search())
        assert found
        assert [order(i) for i in found] == sorted(order(i) for i in found)
        assert len({(i.collection_id, i.id) for i in found}) == len(found)

    def test_a_search_returns_an_item_collection_of_the_named_collection(
        self, source: Source
    ) -> None:
        import pystac

        name = source.collections()[0].id
        found = source.search([name])
        assert isinstance(found, pystac.ItemCollection)
        assert {i.collection_id for i in found} <= {name}

    def test_ids_find_exactly_these(self, source: Source) -> None:
        first = next(iter(source.search()))
        assert first.collection_id is not None
        assert [i.id for i in source.search(ids=[first.id])] == [first.id]
        assert source.item(first.collection_id, first.id).id == first.id
        with pytest.raises(NotFoundError, match="no item 'no such item'"):
            source.item(first.collection_id, "no such item")

    def test_a_misspelt_collection_holds_nothing_and_the_right_one_is_named(
        self, source: Source
    ) -> None:
        name = source.collections()[0].id
        with pytest.warns(UnknownCollection, match="Did you mean .*" + re.escape(repr(name))):
            assert not len(source.search([name + "-x"]))

    def test_dates_are_a_closed_interval(self, source: Source) -> None:
        found = list(source.search())
        times = {i.id: item_time(i)[0] for i in found}
        middle = times[found[len(found) // 2].id]
        early = [i for i in found if middle is not None and (times[i.id] or middle) <= middle]
        assert [i.id for i in source.search(datetime=(None, middle))] == [i.id for i in early]

    def test_areas_are_intersected(self, source: Source) -> None:
        import shapely

        found = list(source.search())
        assert found[0].bbox is not None
        window = shapely.box(*found[0].bbox).buffer(1e-4)
        expected = {i.id for i in found if shapely.geometry.shape(i.geometry).intersects(window)}
        assert {i.id for i in source.search(intersects=window)} == expected
        assert {i.id for i in source.search(bbox=window.bounds)} == expected
        assert not len(source.search(bbox=(-30, -60, -29, -59)))

    def test_a_limit_takes_the_first(self, source: Source) -> None:
        found = [i.id for i in source.search()]
        assert [i.id for i in source.search(limit=2)] == found[:2]

    def test_queryables_hold_for_the_items(self, source: Source) -> None:
        name = source.collections()[0].id
        offered = source.queryables(name)
        assert offered
        for item in source.search([name]):
            for key, schema in offered.items():
                value = item.properties.get(key)
                if value is None:
                    continue
                if "minimum" in schema:
                    assert schema["minimum"] <= value <= schema["maximum"]
                choices = schema.get("enum")
                if choices is not None:
                    assert isinstance(choices, list)
                    assert value in choices
        with pytest.raises(NotFoundError, match="no such collection"):
            source.queryables("no such collection")

    def test_asset_hrefs_are_absolute(self, source: Source) -> None:
        for item in source.search():
            for asset in item.assets.values():
                assert "://" in asset.href or Path(asset.href).is_absolute()

    def test_results_are_independent_of_each_other(self, source: Source) -> None:
        for item in source.search():
            item.properties["changed"] = True
        assert not any("changed" in item.properties for item in source.search())

    def test_what_it_counts_is_what_a_search_finds(self, source: Source) -> None:
        able, query = source.capabilities, make_query()
        found = source.search()
        if able.count:
            assert source.count(query) == len(found)
        else:
            with pytest.raises(InvalidInputError, match="cannot count its items"):
                source.count(query)
        if able.histogram:
            assert source.histogram(query, period="year")["items"].sum() == len(found)
        else:
            with pytest.raises(InvalidInputError, match="cannot count its items over time"):
                source.histogram(query)
