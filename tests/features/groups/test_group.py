"""A feature group keeps what was inserted, with its history, and refuses what it cannot keep."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.features import FeatureStore, panel
from eolab.records.lineage import Ref, upstream


def rows(at, n=3, **more):
    return pd.DataFrame(
        {"id": np.arange(n), "time": [at("2024-05-01")] * n, "value": np.arange(n) / 2, **more}
    )


@pytest.fixture
def group(store):
    return store.create_feature_group("g", primary_key=["id"], event_time="time")


def test_what_was_inserted_is_read_in_the_order_of_columns_and_keys(group, at):
    frame = rows(at).iloc[::-1][["value", "time", "id"]]
    group.insert(frame)
    found = group.read()
    assert list(found.columns) == ["value", "time", "id"]
    assert found["id"].tolist() == [0, 1, 2]
    assert found["value"].tolist() == [0.0, 0.5, 1.0]
    assert group.read(["id", "value"], filter="value > 0.4")["id"].tolist() == [1, 2]


def test_a_failed_first_insert_leaves_no_trace_in_the_next(store, monkeypatch):
    import geopandas as gpd
    import shapely

    from eolab.errors import RemoteError

    group = store.create_feature_group("g", primary_key=["id"])

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("deltalake.write_deltalake", full)
        with pytest.raises(RemoteError, match="is full"):
            group.insert(pd.DataFrame({"id": [1], "old": [1.0]}))
    frame = gpd.GeoDataFrame({"id": [1]}, geometry=[shapely.Point(14, 46)], crs="EPSG:4326")
    group.insert(frame)
    assert group.geometry.crs == "EPSG:4326"
    assert group.columns == ("id", "geometry")


def test_a_second_process_sees_the_same(group, at, config):
    group.insert(rows(at))
    again = FeatureStore(config).feature_group("g", 1)
    pd.testing.assert_frame_equal(again.read(), group.read())


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 2, 255], dtype="uint8"),
        pd.Series([1, 2, 65535], dtype="uint16"),
        pd.Series([1, 2, 2**32 - 1], dtype="uint32"),
        pd.Series([1.5, None, 2.5], dtype="float32"),
        pd.Series([1.5, np.nan, -1.0], dtype="float64"),
        pd.Series([True, False, True]),
        pd.Series(["a", None, "ü"]),
        pd.Series(["a", "b", "a"], dtype="category"),
        pd.Series([1, None, 3], dtype="Int64"),
        pd.to_datetime(pd.Series(["2024-01-01", None, "1950-06-01"]), utc=True),
        pd.Series([[1.0, 2.0], [3.0], []]),
    ],
    ids=str,
)
def test_values_of_each_type_come_back_equal(group, at, values):
    group.insert(rows(at, extra=values))
    found = group.read()["extra"]
    for given, back in zip(values, found, strict=True):
        if isinstance(given, list):
            assert list(back) == given
        elif pd.isna(given):
            assert pd.isna(back)
        else:
            assert back == given


def test_a_newer_version_of_a_row_is_read_and_the_older_was_known_before(group, at):
    first = group.insert(rows(at))
    second = group.insert(rows(at).assign(value=9.0).iloc[:1])
    assert group.read()["value"].tolist() == [9.0, 0.5, 1.0]
    before = pd.Timestamp(first.ingested, unit="us", tz="UTC")
    assert group.read(as_of=before)["value"].tolist() == [0.0, 0.5, 1.0]
    assert group.read(as_of=before)["value"].tolist() == [0.0, 0.5, 1.0]
    assert group.read(as_of=before - pd.Timedelta("1us")).empty
    assert (second.rows, second.new, second.total) == (1, 0, 3)
    assert [c.operation for c in group.commits()] == ["insert", "insert"]


def test_ingestion_times_grow_even_when_the_clock_goes_back(group, at, monkeypatch):
    first = group.insert(rows(at))
    monkeypatch.setattr("time.time_ns", lambda: 0)
    second = group.insert(rows(at).assign(value=7.0))
    assert second.ingested > first.ingested
    assert group.read()["value"].tolist() == [7.0, 7.0, 7.0]


def test_append_refuses_keys_that_are_there(group, at):
    group.insert(rows(at), mode="insert")
    with pytest.raises(ConflictError, match="1 of 2 keys"):
        group.insert(rows(at, 4).iloc[2:], mode="insert")
    assert len(group.read()) == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: pd.concat([f, f.iloc[:1]]), "more than once"),
        (lambda f: f.assign(time=f["time"].dt.tz_localize(None)), "no time zone"),
        (lambda f: f.assign(time=f["time"].astype(str)), "event time"),
        (lambda f: f.drop(columns="time"), "'time' is not in the table"),
        (lambda f: f.assign(id=[1, None, 2]), "no value in the key column 'id'"),
        (lambda f: f.assign(time=[None, *f["time"][1:]]), "no value in the event time"),
        (lambda f: f.assign(value="text"), "'value' has the type string"),
        (lambda f: f.rename(columns={"value": "valeu"}), "'value' is not in the table"),
        (lambda f: f.assign(vlaue=1.0), "no column 'vlaue'"),
        (lambda f: f.assign(id=f["id"] + 0.5), "'id'"),
        (lambda f: f.assign(value=[1, "a", 2.0]), "mixed"),
        (lambda f: f.assign(_change=1), "used by the store itself"),
        (lambda f: f.assign(value=pd.Timedelta("1D")), "cannot be kept"),
        (lambda f: [f], "cannot insert a list"),
    ],
)
def test_bad_rows_are_refused_as_a_whole_with_a_hint(group, at, change, says):
    group.insert(rows(at))
    before = group.read()
    with pytest.raises(InvalidInputError, match=says) as caught:
        group.insert(change(rows(at)))
    assert caught.value.hint
    assert len(group.commits()) == 1
    pd.testing.assert_frame_equal(group.read(), before)


def test_columns_are_added_on_request_only(group, at):
    group.insert(rows(at))
    group.insert(rows(at, 4, evi=1.0).iloc[3:], add_columns=True)
    assert group.columns == ("id", "time", "value", "evi")
    assert group.read()["evi"].isna().tolist() == [True, True, True, False]


def test_whole_numbers_with_gaps_fit_a_column_of_whole_numbers(store):
    group = store.create_feature_group("n", primary_key=["id"])
    group.insert(pd.DataFrame({"id": [1, 2], "n": [1, 2]}))
    group.insert(pd.DataFrame({"id": [3, 4], "n": [3.0, np.nan]}))
    assert group.read()["n"].tolist()[:3] == [1, 2, 3]
    with pytest.raises(InvalidInputError, match="'n'"):
        group.insert(pd.DataFrame({"id": [5], "n": [3.5]}))


@pytest.mark.parametrize(
    "keys",
    [
        ["a", "b"],
        [1.5, 2.5],
        [True, False],
        pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True),
        [pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-01-02").date()],
    ],
    ids=["text", "float", "truth", "time", "date"],
)
def test_keys_of_every_type_are_told_apart(store, keys):
    group = store.create_feature_group("k", primary_key=["id"])
    group.insert(pd.DataFrame({"id": keys, "v": [1, 2]}))
    commit = group.insert(pd.DataFrame({"id": keys[:1], "v": [3]}))
    assert commit.new == 0
    assert sorted(group.read()["v"]) == [2, 3]


def test_an_empty_frame_with_types_makes_an_empty_group(group, at):
    group.insert(rows(at).iloc[:0])
    assert group.read().empty
    group.insert(rows(at))
    assert len(group.read()) == 3


def test_geometry_comes_back_and_another_crs_is_refused(parcels):
    frame = parcels.read()
    assert frame.crs == "EPSG:32633"
    assert frame.geometry.area.round(6).eq(4800).all()
    with pytest.raises(InvalidInputError, match="EPSG:4326"):
        parcels.insert(frame.to_crs(4326))
    with pytest.raises(InvalidInputError, match="no coordinate reference system"):
        parcels.insert(frame.set_crs(None, allow_override=True))


def test_a_geometry_without_crs_is_refused_at_first_too(store):
    import geopandas as gpd
    import shapely

    group = store.create_feature_group("g", primary_key=["id"])
    with pytest.raises(InvalidInputError, match="no coordinate reference system"):
        group.insert(gpd.GeoDataFrame({"id": [1]}, geometry=[shapely.Point(0, 0)]))
    assert not group.commits()


def test_a_box_gives_the_rows_that_touch_it(parcels, store):
    frame = parcels.read()
    box = (505_000, 5_005_000, 512_000, 5_011_000)
    found = parcels.read(["parcel_id"], bbox=box)
    assert (
        found["parcel_id"].tolist()
        == frame.cx[box[0] : box[2], box[1] : box[3]]["parcel_id"].tolist()
    )
    points = store.create_feature_group("p", primary_key=["id"])
    points.insert(
        pd.DataFrame({"id": [1, 2, 3], "lon": [14.0, 15.0, None], "lat": [46.0, 47.0, 46.0]})
    )
    assert points.read(bbox=(13, 45, 14.5, 46.5))["id"].tolist() == [1]
    with pytest.raises(InvalidInputError, match="bbox"):
        points.read(bbox=(13, 45))


def test_longitude_and_latitude_are_a_geometry_by_themselves(store):
    group = store.create_feature_group("g", primary_key=["id"])
    group.insert(pd.DataFrame({"id": [1], "lon": [14.5], "lat": [46.0], "v": [1.0]}))
    assert group.geometry.crs == "EPSG:4326"
    assert group.features == ("v",)


def test_the_scenes_of_the_rows_are_the_origin_of_the_commit(group, at, config):
    frame = rows(at)
    frame.attrs["eolab_items"] = ["S2A_1", "S2B_2"]
    group.insert(frame)
    assert upstream(config.root, Ref("commit", "g/1@0")) == [
        Ref("item", "S2A_1"),
        Ref("item", "S2B_2"),
    ]
    frame.attrs["eolab_cube"] = "red, 2 dates"
    group.insert(frame)
    found = upstream(config.root, Ref("commit", "g/1@1"))
    assert found[0] == Ref("cube", "red, 2 dates")
    assert upstream(config.root, found[0]) == [Ref("item", "S2A_1"), Ref("item", "S2B_2")]


def test_a_commit_holds_what_earlier_ones_brought(group, at, config):
    for number, scene in enumerate(("S2A_1", "S2B_2", "S2A_3")):
        frame = rows(at).assign(id=np.arange(3) + 10 * number)
        frame.attrs["eolab_items"] = [scene]
        group.insert(frame)
        if number == 1:
            assert group.optimize()
            assert group.delete_rows(pd.DataFrame({"id": [10]}))
            group.vacuum(hours=0)
    last = group.commits()[-1]
    found = {node.id for node in upstream(config.root, group.commit_ref(last.version))}
    assert {"S2A_1", "S2B_2", "S2A_3", "g/1@0"} <= found


def test_names_and_keys_are_checked(store):
    with pytest.raises(InvalidInputError, match=re.escape("'../x'")):
        store.create_feature_group("../x", primary_key=["id"])
    with pytest.raises(InvalidInputError, match="empty"):
        store.create_feature_group("x", primary_key=[])
    store.create_feature_group("parcels", primary_key=["id"])
    with pytest.raises(ConflictError, match="exists"):
        store.create_feature_group("parcels", primary_key=["id"])
    with pytest.raises(ConflictError, match="primary_key"):
        store.get_or_create_feature_group("parcels", primary_key=["other"])
    with pytest.raises(NotFoundError, match="parcel") as caught:
        store.feature_group("parcel")
    assert "parcels" in caught.value.hint
    with pytest.raises(NotFoundError, match="version 3"):
        store.feature_group("parcels", 3)


def test_the_snapshot_is_plain_json(store, parcels, spectra):
    store.create_feature_view("v", labels=parcels.select("crop"), query=spectra.select_all())
    snapshot = json.loads(json.dumps(panel.snapshot(store), allow_nan=False))
    group = next(g for g in snapshot["groups"] if g["name"] == "spectra")
    assert (group["rows"], group["commits"]) == (2400, 1)
    assert group["columns"][2] == {
        "name": "ndvi", "type": "double", "unit": "", "description": ""
    }  # fmt: skip
    (view,) = snapshot["views"]
    assert view["columns"] == [{"name": "ndvi", "group": "spectra/1", "column": "ndvi"}]
    assert (view["label_group"], view["datasets"], view["steps"]) == ("truth/1", [], None)
    assert view["task"] == "classification"
    assert group["last_commit"]["operation"] == "insert"
    assert snapshot["views"][0]["groups"] == ["truth/1", "spectra/1"]
    figures = json.loads(json.dumps(panel.statistics(store, "spectra", 1), allow_nan=False))
    assert figures["commit"] == 0
    assert {c["column"] for c in figures["statistics"]} == {"parcel_id", "time", "ndvi"}


def test_a_group_without_rows_is_in_the_snapshot(store):
    store.create_feature_group("new", primary_key=["id"])
    group = panel.snapshot(store)["groups"][0]
    assert (group["rows"], group["last_commit"]) == (0, None)
    assert panel.statistics(store, "new", 1) == {"commit": -1, "statistics": []}
    with pytest.raises(ConflictError, match="nothing was inserted"):
        store.feature_group("new").read()


def test_a_full_disk_leaves_the_group_as_it_was(group, at, config):
    """A limit on file sizes fails a write part-way, as a full disk does."""
    group.insert(rows(at))
    before = group.read()
    script = textwrap.dedent(
        f"""
        import resource, signal
        import numpy as np, pandas as pd
        from eolab import config
        from eolab.errors import RemoteError
        from eolab.features import FeatureStore

        group = FeatureStore(config.open_path({str(config.root)!r})).feature_group("g")
        n = 200_000
        value = np.random.default_rng(0).random(n)
        frame = pd.DataFrame({{"id": np.arange(n) + 10, "value": value}})
        frame["time"] = pd.Timestamp("2024-06-01", tz="UTC")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            group.insert(frame)
        except RemoteError as error:
            print(error.message)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "is full; nothing was inserted" in done.stdout, done.stderr
    pd.testing.assert_frame_equal(group.read(), before)
    table = config.features / "groups/g/1/table"
    assert len(list(table.glob("*.parquet"))) == 1, "the torn file was taken away"
    group.insert(rows(at, 5))
    assert len(group.read()) == 5


def test_children_name_their_parents_and_rows_of_a_partition_lie_together(store, at):
    parent = store.create_feature_group("p", primary_key=["id"])
    parent.insert(pd.DataFrame({"id": [1], "v": [1.0]}))
    child = store.create_feature_group(
        "c", primary_key=["id"], partition_key="tile", parents=[parent], statistics=False
    )
    frame = pd.DataFrame({"id": range(6), "tile": list("bababa"), "v": 1.0})
    child.insert(frame)
    assert parent.commit_ref(0) in child.lineage()["upstream"]
    assert child.commit_ref(0) in parent.lineage()["downstream"]
    import pyarrow.parquet as pq

    (file,) = child.table.snapshot().files
    assert pq.read_table(file).column("tile").to_pylist() == list("aaabbb")
    pd.testing.assert_frame_equal(child.read(), frame)
    assert not (child.table.folder / "statistics").exists()
    with pytest.raises(InvalidInputError, match="partition_key"):
        store.create_feature_group("d", primary_key=["id"], partition_key="til").insert(frame)
