"""What a search found says what is in it."""

from __future__ import annotations

import pickle
import re

import pystac
import pytest

from eolab.catalog.simulate.names import COLLECTION
from eolab.catalog.sources.base import UnknownProperty
from eolab.errors import InvalidInputError


def test_a_notebook_shows_a_table_and_not_each_items_json(sample_source):
    found = sample_source.search(COLLECTION, datetime="2021-05/2021-06")
    html = found._repr_html_()
    assert len(html) < 10_000
    assert "10 items of sentinel-2-l2a-simulated, 2021-05-08 to 2021-06-17" in html
    assert all(f"<td>{item.id}</td>" in html for item in found)
    assert re.search(r"<td>\d+ %</td><td>sentinel-2b</td>", html)
    assert "2 of them are other versions of a scene" in html, "old baselines of 20 May"
    assert "10 items" in repr(found)


def test_many_are_counted_and_none_is_said(sample_source):
    found = sample_source.search()
    assert f"and {len(found) - 12} more" in repr(found)
    assert len(found._repr_html_()) < 10_000
    assert repr(sample_source.search(datetime="1999")) == "<0 items>"
    assert "0 items" in sample_source.search(datetime="1999")._repr_html_()


def test_it_is_an_item_collection_that_adds_copies_and_travels(sample_source):
    found = sample_source.search(COLLECTION, limit=3)
    both = found + sample_source.search(limit=2)
    for made in (found, both, found.clone(), pickle.loads(pickle.dumps(found))):
        assert isinstance(made, pystac.ItemCollection)
        assert "items of" in repr(made)
    assert len(both) == 5
    assert pystac.ItemCollection.from_dict(found.to_dict()).to_dict() == found.to_dict()


def test_text_of_documents_is_no_html(sample_source):
    found = sample_source.search(limit=1).clone()
    found[0].properties["platform"] = "<script>alert(1)</script>"
    assert "<script>" not in found._repr_html_()


def test_a_misspelt_property_is_told(sample_source, recwarn):
    with pytest.warns(UnknownProperty, match=r"'eo:cloudcover'. Did you mean 'eo:cloud_cover'\?"):
        assert not len(sample_source.search(COLLECTION, filter="eo:cloudcover < 10"))
    with pytest.warns(UnknownProperty, match="'cloud_cover'. Did you mean 'eo:cloud_cover'"):
        assert len(sample_source.search(COLLECTION, sortby="-cloud_cover"))
    recwarn.clear()
    assert not len(sample_source.search(COLLECTION, filter="eo:cloud_cover < 0"))
    sample_source.search(sortby=["-properties.eo:cloud_cover", "id", "datetime"])
    area = "S_INTERSECTS(geometry, POINT(0 0))"
    assert not len(sample_source.search(COLLECTION, filter=area))
    assert not recwarn.list


@pytest.mark.parametrize("wrong", ["many", [10], -1, float("nan")])
def test_a_cloud_limit_is_a_percentage(sample_source, wrong):
    with pytest.raises(InvalidInputError, match="max_cloud"):
        sample_source.search(max_cloud=wrong)
