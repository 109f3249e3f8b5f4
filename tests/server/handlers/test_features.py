"""What the panel asks of the feature store."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from eolab.errors import EolabError
from eolab.features import FeatureStore
from eolab.records.lineage import Ref


@pytest.fixture(scope="module")
def fields(server):
    """A group of fields with a place and two commits, made of a scene."""
    store = FeatureStore(server.config)
    frame = gpd.GeoDataFrame(
        {
            "field": np.arange(60),
            "seen": pd.Timestamp("2024-05-01", tz="UTC"),
            "green": np.arange(60) / 60,
            "dry": 1 - np.arange(60) / 60,
            "crop": ["maize", "wheat"] * 30,
        },
        geometry=[shapely.box(15 + k / 100, 46, 15.005 + k / 100, 46.01) for k in range(60)],
        crs="EPSG:4326",
    )
    group = store.create_feature_group(
        "fields", primary_key="field", event_time="seen", tags=["alpine"], owner="ann",
        expectations={"share": "green BETWEEN 0 AND 2"},
    )  # fmt: skip
    first = group.insert(frame, sources=[Ref("item", "SCENE_1")])
    group.insert(frame.assign(green=frame["green"] + 1))
    return group, first


def test_a_group_is_told_with_its_history(server, fields):
    body = server.get("features/groups/fields/1").json
    assert (body["tags"], body["owner"]) == (["alpine"], "ann")
    assert body["expectations"] == {"share": "green BETWEEN 0 AND 2"}
    assert [c["version"] for c in body["history"]] == [1, 0]
    assert body["geometry"]["crs"] == "EPSG:4326"
    names = body["correlations"]["columns"]
    assert body["correlations"]["values"][names.index("green")][
        names.index("dry")
    ] == pytest.approx(-1)


def test_rows_are_paged_sorted_and_told_as_of_a_time(server, fields):
    _, first = fields
    page = server.get("features/groups/fields/1/rows", sort="green", descending=1, limit=2).json
    at = page["columns"].index("green")
    assert (page["total"], len(page["rows"])) == (60, 2)
    assert [row[at] for row in page["rows"]] == pytest.approx([1 + 59 / 60, 1 + 58 / 60])
    assert page["rows"][0][page["columns"].index("geometry")].startswith("POLYGON")
    assert page["rows"][0][page["columns"].index("seen")] == pytest.approx(1714521600)
    then = pd.Timestamp(first.ingested, unit="us", tz="UTC").isoformat()
    old = server.get("features/groups/fields/1/rows", as_of=then, offset=59).json
    assert [row[at] for row in old["rows"]] == pytest.approx([59 / 60])
    for wrong in ({"sort": "gren"}, {"limit": 1000}, {"offset": -1}, {"as_of": "then"}):
        answer = server.get("features/groups/fields/1/rows", **wrong)
        assert answer.status == 400
        assert answer.json["hint"]


def test_statistics_of_each_commit_can_be_laid_over_each_other(server, fields):
    means = {}
    for commit in (0, 1):
        body = server.get("features/groups/fields/1/statistics", commit=commit).json
        rows = {row["column"]: row for row in body["statistics"]}
        means[commit] = rows["green"]["mean"]
        assert sum(rows["green"]["histogram"]["counts"]) == 60
    assert means[1] == pytest.approx(means[0] + 1)
    assert server.get("features/groups/fields/1/statistics", commit=9).status == 404


def test_places_are_on_the_map(server, fields):
    body = server.get("features/groups/fields/1/places").json
    assert body["total"] == len(body["points"]) == 60
    assert body["kind"] == "area"
    np.testing.assert_allclose(body["points"][0], [15.0025, 46.005], atol=1e-9)
    assert server.get("features/groups/parcels/1/places").status == 404


def test_a_view_is_made_by_form_and_its_lineage_goes_both_ways(server, fields):
    form = {
        "name": "ticked",
        "labels": {"group": "fields/1", "column": "crop"},
        "features": [{"group": "fields/1", "columns": ["green", "dry"]}],
    }
    made = server.post("features/views", form)
    assert made.status == 201
    assert (made.json["features"], made.json["labels"]) == (2, ["crop"])
    assert server.post("features/views", form).json == made.json
    other = server.post(
        "features/views", {**form, "features": [{"group": "fields/1", "columns": ["dry"]}]}
    )
    assert other.status == 409
    for wrong in (
        {}, {**form, "features": []}, {**form, "labels": {"group": "fields", "column": "crop"}},
        {**form, "name": "../x"},
        {**form, "features": [{"group": "fields/1", "columns": ["gren"]}]},
    ):  # fmt: skip
        assert server.post("features/views", wrong).status in {400, 404}
    graph = server.get("features/lineage", kind="group", id="fields/1").json
    sides = {node["id"]: node["side"] for node in graph["nodes"]}
    assert sides["item:SCENE_1"] == "upstream"
    assert sides["commit:fields/1@0"] == "self"
    assert sides["view:ticked/1"] == "downstream"
    assert ["item:SCENE_1", "commit:fields/1@0"] in graph["edges"]
    assert graph["left_out"] == 0
    assert server.get("features/lineage", kind="groups", id="fields/1").status == 400


def test_the_panel_gets_datasets_checks_and_outlines(server, fields):
    from eolab.features import SpatialBlocks

    store = FeatureStore(server.config)
    group, _ = fields
    with pytest.raises(EolabError):
        group.insert(group.read().assign(green=5.0))
    body = server.get("features/groups/fields/1").json
    assert [c["outcome"] for c in body["validations"]] == ["refused", "met", "met"]
    assert body["validations"][0]["failed"] == {"share": 60}
    places = server.get("features/groups/fields/1/places").json
    assert len(places["outlines"]) == 60
    np.testing.assert_allclose(np.ptp(places["outlines"][0], axis=0), [0.005, 0.01], atol=1e-6)
    view = store.create_feature_view("kept", labels=group.select("crop"), query=group.select("dry"))
    split = view.train_validation_test_split(by=SpatialBlocks(2_000))
    for _ in range(2):
        made = view.create_training_dataset(split, description="by blocks")
    (made.folder / "dataset.json").write_text("{")
    (kept,) = (v for v in server.get("features").json["views"] if v["name"] == "kept")
    good, bad = kept["datasets"]
    assert (good["version"], good["description"], good["fault"]) == (1, "by blocks", None)
    assert good["parts"]["train"] == len(split.train)
    assert "damaged" in bad["fault"]
