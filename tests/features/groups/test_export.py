"""What a group exports is what it holds now, with its places, to readers without eolab."""

import datetime as dt
import sqlite3
from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eolab.errors import ConflictError, InvalidInputError, RemoteError
from eolab.features.geometry import RowGeometry
from eolab.features.groups.export import MillisecondsKept, export


@pytest.mark.parametrize("ending", ["parquet", "gpkg"])
def test_current_rows_go_with_their_crs(parcels, tmp_path, ending):
    changed = parcels.read()[:3].assign(crop="oats")
    parcels.insert(changed)
    path = parcels.export(tmp_path / f"parcels.{ending}")
    read = gpd.read_parquet(path) if ending == "parquet" else gpd.read_file(path)
    known = parcels.read()
    assert (len(read), read.crs) == (200, known.crs)
    assert read["crop"].tolist() == known["crop"].tolist()
    assert read.geometry.geom_equals(known.geometry).all()
    assert [p.name for p in tmp_path.glob("*parcels*")] == [path.name]
    with pytest.raises(ConflictError, match="is there already"):
        parcels.export(path)


def test_columns_of_coordinates_become_points(store, tmp_path):
    group = store.create_feature_group("pts", primary_key="id", geometry=("lon", "lat"))
    group.insert(pd.DataFrame({"id": [1, 2], "lon": [10.0, 11.0], "lat": [50.0, 51.0]}))
    read = gpd.read_file(group.export(tmp_path / "pts.gpkg"))
    assert read.crs.to_epsg() == 4326
    assert [(p.x, p.y) for p in read.geometry] == [(10.0, 50.0), (11.0, 51.0)]


def test_what_has_no_place_goes_into_parquet_only(spectra, tmp_path):
    rows = pd.read_parquet(spectra.export(tmp_path / "s.parquet", filter="parcel_id < 2"))
    assert len(rows) == 24
    with pytest.raises(InvalidInputError, match="has no geometry"):
        spectra.export(tmp_path / "s.gpkg")
    with pytest.raises(InvalidInputError, match=r"ends in none of \.parquet, \.gpkg"):
        spectra.export(tmp_path / "s.csv")


PLACED = RowGeometry(("lon", "lat"), "EPSG:4326")


def rows_with(**columns: pa.Array) -> pa.Table:
    count = len(next(iter(columns.values())))
    return pa.table({"lon": pa.array([1.0] * count), "lat": pa.array([2.0] * count), **columns})


@pytest.mark.parametrize(
    ("column", "kept", "kind"),
    [
        (pa.array([2**60 + 1, None]), [2**60 + 1, None], "INTEGER"),
        (pa.array([1, None], pa.int32()), [1, None], "MEDIUMINT"),
        (pa.array([2**63 - 1, None], pa.uint64()), [2**63 - 1, None], "INTEGER"),
        (pa.array([True, None]), [1, None], "BOOLEAN"),
        (pa.array([dt.date(2024, 5, 1), None]), ["2024-05-01", None], "DATE"),
        (pa.array([b"\x00a", None]), [b"\x00a", None], "BLOB"),
        (pa.array([Decimal("1.10"), None], pa.decimal128(38, 18)), [1.1, None], "REAL"),
    ],
)
def test_a_geopackage_holds_values_in_their_own_types(tmp_path, column, kept, kind):
    path = export(rows_with(known=column), PLACED, tmp_path / "a.gpkg")
    with sqlite3.connect(path) as database:
        kinds = {row[1]: row[2] for row in database.execute("PRAGMA table_info(a)")}
        found = [row[0] for row in database.execute("SELECT known FROM a ORDER BY fid")]
    assert (kinds["known"], found) == (kind, kept)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"big": pa.array([2**64 - 1], pa.uint64())}, "larger than its whole numbers"),
        ({"fine": pa.array([Decimal("12345678901234567890.123")])}, "decimals of more digits"),
        ({"text": pa.array(["a\0b"])}, "NUL character"),
        ({"many": pa.array([[1, 2]])}, "holds lists"),
        ({"A": pa.array([1]), "a": pa.array([2])}, "no difference between 'A' and 'a'"),
    ],
)
def test_what_a_geopackage_would_change_is_refused(tmp_path, columns, why):
    with pytest.raises(InvalidInputError, match=why):
        export(rows_with(**columns), PLACED, tmp_path / "a.gpkg")
    assert not list(tmp_path.iterdir())


def test_columns_may_have_the_names_that_a_geopackage_takes_for_itself(tmp_path):
    same = dict.fromkeys(("fid", "geom", "geometry"), pa.array([8, 7]))
    path = export(rows_with(**same), PLACED, tmp_path / "a.gpkg")
    with sqlite3.connect(path) as database:
        found = database.execute("SELECT fid, geom, geometry FROM a").fetchall()
    assert found == [(8, 8, 8), (7, 7, 7)]
    assert [(p.x, p.y) for p in gpd.read_file(path, columns=["fid"]).geometry] == [(1.0, 2.0)] * 2


def test_finer_times_than_a_geopackage_keeps_are_told(tmp_path):
    times = pa.array([1_123_456, 1_000_000], pa.timestamp("us", "UTC"))
    with pytest.warns(MillisecondsKept, match=r"time stamps of seen are finer"):
        export(rows_with(seen=times), PLACED, tmp_path / "a.gpkg")


def test_whole_numbers_with_missing_ones_stay_whole_in_geoparquet(tmp_path):
    columns = {"count": pa.array([1, None], pa.int32()), "wet": pa.array([True, None])}
    path = export(rows_with(**columns), PLACED, tmp_path / "a.parquet")
    found = pa.parquet.read_schema(path)
    assert (found.field("count").type, found.field("wet").type) == (pa.int32(), pa.bool_())


def test_geoparquet_keeps_arrays_lists_and_structs_as_they_are(store, tmp_path):
    chips = np.arange(12, dtype="int8").reshape(2, 3, 2)
    group = store.create_feature_group("chips", primary_key="id")
    group.insert(
        gpd.GeoDataFrame(
            {"id": [1, 2], "chip": list(chips), "words": [["a"], []], "about": [{"n": 1}] * 2},
            geometry=gpd.points_from_xy([15, 16], [48, 49]),
            crs=4326,
        )
    )
    path = group.export(tmp_path / "chips.parquet")
    written = pq.read_schema(path)
    assert [written.field(n).type for n in group.columns] == [
        group.schema.field(n).type for n in group.columns
    ]
    read = gpd.read_parquet(path)
    assert read.crs.to_epsg() == 4326
    assert read.columns.tolist() == list(group.columns)
    assert [[line.tolist() for line in cell] for cell in read["chip"]] == chips.tolist()
    assert (read["about"][0], read.geometry[1].y) == ({"n": 1}, 49)
    with pytest.raises(InvalidInputError, match="'chip' holds lists"):
        group.export(tmp_path / "chips.gpkg")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RemoteError, match=r"there is no folder .*nowhere"):
        export(rows_with(a=pa.array([1])), PLACED, tmp_path / "nowhere" / "a.gpkg")
