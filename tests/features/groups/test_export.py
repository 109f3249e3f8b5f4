"""What a group exports is what it holds now, with its places, to readers without eolab."""

import geopandas as gpd
import pandas as pd
import pytest

from eolab.errors import ConflictError, InvalidInputError


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
