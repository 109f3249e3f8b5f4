"""What may change after a group was made: what is told of it, and batches that lack values."""

from __future__ import annotations

import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features import panel


def test_what_is_told_of_a_group_may_change_and_is_found(store, at):
    options = {"primary_key": ["id"], "columns": {"ndvi": "index"}, "tags": ["old"]}
    group = store.create_feature_group("g", **options)
    group.insert(pd.DataFrame({"id": [1, 2], "ndvi": [0.1, 0.2]}))
    group.update(
        description="Greenness",
        columns={"id": "parcel"},
        units={"ndvi": "1"},
        tags=["crops", "2024"],
        keywords=["vegetation index", "phenology"],
        owner="Ada",
        expectations={"an index": "ndvi BETWEEN -1 AND 1"},
    )
    for found in (group, store.feature_group("g")):
        assert (found.description, found.owner, found.tags) == (
            "Greenness",
            "Ada",
            ("crops", "2024"),
        )
        assert found.keywords == ("vegetation index", "phenology")
        assert found.column_descriptions == {"ndvi": "index", "id": "parcel"}
        assert found.column_units == {"ndvi": "1"}
        with pytest.raises(InvalidInputError, match="break its expectations"):
            found.insert(pd.DataFrame({"id": [3], "ndvi": [7.0]}))
    assert store.search("greenness crops ada parcel phenology") == ["group g/1"]
    assert panel.snapshot(store)["groups"][0]["keywords"] == ["vegetation index", "phenology"]
    assert store.search("old") == []
    assert group.columns == ("id", "ndvi")
    assert len(group.read()) == 2
    for faulty, says in [
        ({"tag": ["x"]}, "tags"),
        ({"primary_key": ["ndvi"]}, "no option"),
        ({"units": {"ndwi": "1"}}, "no column 'ndwi'"),
        ({"policy": "lax"}, "unknown policy"),
        ({"tags": "crops"}, "no words"),
        ({"keywords": ["crops", " "]}, "keywords="),
    ]:
        with pytest.raises(InvalidInputError, match=says):
            group.update(**faulty)
    assert store.feature_group("g").tags == ("crops", "2024")


def test_a_column_without_any_value_has_the_type_that_the_group_knows(store, at):
    """A batch in which nobody wrote a note; and one without rows."""
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(pd.DataFrame({"id": ["a"], "note": ["wet"], "seen": [at("2024-05-01")]}))
    group.insert(pd.DataFrame({"id": ["b"], "note": [None], "seen": [None]}))
    group.insert(pd.DataFrame({"id": [], "note": [], "seen": []}, dtype=object))
    found = group.read()
    assert found["id"].tolist() == ["a", "b"]
    assert found["note"].isna().tolist() == [False, True]
    assert found["seen"].isna().tolist() == [False, True]
    with pytest.raises(InvalidInputError, match="'more' holds no value"):
        group.insert(
            pd.DataFrame({"id": ["c"], "note": [None], "seen": [None], "more": [None]}),
            add_columns=True,
        )
    with pytest.raises(InvalidInputError, match="no value in the key column"):
        group.insert(pd.DataFrame({"id": [None], "note": [None], "seen": [None]}))
