"""Rows that break an expectation do not come in, or are said."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features.storage.expectations import Unexpected, UnexpectedRows

RULES = {"ndvi in range": "ndvi BETWEEN -1 AND 1", "known crop": "crop IN ('maize', 'wheat')"}


def frame(ndvi, crop="maize"):
    return pd.DataFrame({"id": np.arange(len(ndvi)), "ndvi": np.asarray(ndvi, float), "crop": crop})


def test_a_strict_insert_writes_nothing_and_shows_the_ten_worst_rows(store):
    group = store.create_feature_group("g", primary_key=["id"], expectations=RULES)
    group.insert(frame([0.5, np.nan, -1.0]))
    bad = frame(np.linspace(0, 2, 41))
    bad.loc[30, "crop"] = "palm"
    with pytest.raises(
        UnexpectedRows, match="ndvi in range: 20 rows; known crop: 1 rows"
    ) as caught:
        group.insert(bad)
    assert len(caught.value.rows) == 10
    assert caught.value.rows["id"].iloc[0] == 30, "it breaks both"
    assert "Nothing was inserted" in caught.value.hint
    assert len(group.commits()) == 1


def test_with_policy_warn_the_rows_come_in_and_it_is_said(store):
    group = store.create_feature_group("g", primary_key=["id"], expectations=RULES, policy="warn")
    with pytest.warns(Unexpected, match="1 rows"):
        group.insert(frame([0.5, 3.0]))
    assert len(group.read()) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group.insert(frame([0.6, 0.7]))


def test_faulty_expectations_are_told(store):
    with pytest.raises(InvalidInputError, match="no condition"):
        store.create_feature_group("a", primary_key=["id"], expectations={"x": ""})
    with pytest.raises(InvalidInputError, match="policy"):
        store.create_feature_group("a", primary_key=["id"], policy="stern")
    group = store.create_feature_group("b", primary_key=["id"], expectations={"x": "ndwi > 0"})
    with pytest.raises(InvalidInputError, match="condition"):
        group.insert(frame([0.5]))
    assert group.commits() == []


def test_groups_and_views_are_found_by_any_of_their_words(store, parcels):
    group = store.create_feature_group(
        "weather",
        primary_key=["id"],
        description="Daily rain",
        tags=["ERA5"],
        owner="Ann",
        columns={"tp": "total precipitation in mm"},
    )
    group.insert(pd.DataFrame({"id": [1], "tp": [2.0]}))
    for text in ("rain", "era5", "ann", "PRECIPITATION mm", "weather daily"):
        assert store.search(text) == ["group weather/1"]
    assert store.search("district") == ["group truth/1"]
    assert store.search("rain snow") == []
    assert store.feature_group("weather").tags == ("ERA5",)


def test_each_check_stays_in_the_history_refused_ones_too(store):
    group = store.create_feature_group(
        "seen", primary_key="field", expectations={"share": "green BETWEEN 0 AND 1"},
        policy="strict", units={"green": "1"},
    )  # fmt: skip
    frame = pd.DataFrame({"field": [1, 2, 3], "green": [0.1, 0.2, 0.3]})
    group.insert(frame)
    with pytest.raises(UnexpectedRows, match="share: 2 rows"):
        group.insert(frame.assign(green=[0.1, 2.0, 3.0]))
    lax = store.create_feature_group(
        "lax", primary_key="field", expectations={"share": "green BETWEEN 0 AND 1"}, policy="warn"
    )
    with pytest.warns(Unexpected):
        lax.insert(frame.assign(green=[0.1, 0.2, 3.0]))
    told = [(c.outcome, c.rows, dict(c.failed), c.commit) for c in group.validations()]
    assert told == [("met", 3, {}, 0), ("refused", 3, {"share": 2}, None)]
    assert [(c.outcome, c.commit) for c in lax.validations()] == [("warned", 0)]
    assert group.column_units == {"green": "1"}
    # A torn line, as a crash leaves it, hides nothing else.
    with (group.table.folder / "validation.jsonl").open("a") as file:
        file.write('{"v": 1, "ti')
    assert len(group.validations()) == 2
