"""On real scenes and a real table: rows equal plain NumPy, blocks beside random folds, serving."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from eolab.features import SpatialBlocks
from eolab.features.extract import points_and_pixels
from eolab.features.extract.labelled_tables import read_labelled_table
from eolab.features.views.fold_scores import cross_validate, summary

gpd = pytest.importorskip("geopandas")

BANDS = {"red": "B04", "nir": "B08"}


@pytest.fixture(scope="module")
def scenes(shared_data):
    """Band arrays read by rasterio alone, by day: reflectance, NaN where the file says nodata."""
    import rasterio

    folder = shared_data / "eolearn-slovenia-stac"
    out, transform = {}, None
    for item in sorted(folder.glob("S2_L1C_*")):
        day = item.name.rpartition("_")[2]
        out[day] = {}
        for name, band in BANDS.items():
            with rasterio.open(item / f"{band}.tif") as file:
                raw, transform = file.read(1).astype(float), file.transform
            out[day][name] = np.where(raw == 0, np.nan, raw * 0.0001)
    return out, transform


@pytest.fixture
def cube(shared_data, config):
    import eolab as eo
    from eolab.catalog import open_source

    items = open_source(config, str(shared_data / "eolearn-slovenia-stac")).search(max_cloud=60)
    return eo.load(items, bands=list(BANDS), native=True)


@pytest.fixture
def land(shared_data):
    frame = gpd.read_file(shared_data / "eolearn-slovenia" / "LULC.gpkg").to_crs("EPSG:32633")
    return frame[frame["LULC_NAME"].notna()]


def coverage(shape, transform, height, width):
    """The share of each pixel that lies in a polygon, by shapely's intersections."""
    import shapely

    wide, high = transform.a, -transform.e
    west, south, east, north = shape.bounds
    columns = np.arange(
        max(int((west - transform.c) // wide), 0), min(int((east - transform.c) // wide) + 1, width)
    )
    rows = np.arange(
        max(int((transform.f - north) // high), 0),
        min(int((transform.f - south) // high) + 1, height),
    )
    out = np.zeros((height, width))
    if len(columns) and len(rows):
        x, y = np.meshgrid(transform.c + columns * wide, transform.f - rows * high)
        cells = shapely.box(x, y - high, x + wide, y)
        share = shapely.area(shapely.intersection(cells, shape)) / (wide * high)
        out[np.ix_(rows, columns)] = share
    return out


def test_parcel_features_of_real_scenes_equal_plain_numpy(scenes, cube, land):
    arrays, transform = scenes
    rows = points_and_pixels.zonal(
        cube, land, id="index", stats=["mean", "max", "stdev"], min_pixels=4
    )
    assert rows["index"].nunique() > 20
    height, width = next(iter(arrays.values()))["red"].shape
    shares = {
        number: coverage(shape, transform, height, width)
        for number, shape in zip(land["index"], land.geometry, strict=True)
    }
    for row in rows.itertuples():
        share, bands = shares[row[1]], arrays[f"{row.time:%Y%m%d}"]
        for name, values in bands.items():
            seen = (share > 1e-6) & ~np.isnan(values)
            mean = np.average(values[seen], weights=share[seen])
            spread = np.sqrt(np.average((values[seen] - mean) ** 2, weights=share[seen]))
            assert getattr(row, f"{name}_mean") == pytest.approx(mean, rel=1e-5)
            assert getattr(row, f"{name}_max") == pytest.approx(values[seen].max(), rel=1e-6)
            assert getattr(row, f"{name}_stdev") == pytest.approx(spread, rel=1e-3, abs=1e-7)
        both = (share > 0) & ~np.isnan(bands["red"]) & ~np.isnan(bands["nir"])
        assert row.count == pytest.approx(share[both].sum(), rel=1e-5)


def test_pixel_features_of_real_scenes_equal_plain_numpy(scenes, cube, land):
    import shapely

    arrays, transform = scenes
    rows = points_and_pixels.pixels(cube, land, columns=["LULC_NAME"])
    height, width = next(iter(arrays.values()))["red"].shape
    x = transform.c + (np.arange(width) + 0.5) * transform.a
    y = transform.f + (np.arange(height) + 0.5) * transform.e
    centres = shapely.points(*np.meshgrid(x, y))
    inside = np.zeros((height, width), dtype=bool)
    for shape in land.geometry:
        inside |= shapely.contains(shape, centres)
    found = rows[["x", "y"]].drop_duplicates()
    # A centre exactly on a border is in by one rule and out by another.
    assert abs(len(found) - inside.sum()) <= 0.002 * inside.sum()
    column = ((rows["x"] - transform.c) / transform.a).astype(int)
    line = ((rows["y"] - transform.f) / transform.e).astype(int)
    for day, part in rows.groupby(rows["time"].dt.strftime("%Y%m%d")):
        at = line[part.index], column[part.index]
        for name in BANDS:
            np.testing.assert_allclose(part[name], arrays[day][name][at], rtol=1e-6)


def test_online_vectors_of_real_pixels_equal_their_newest_rows(cube, land, store):
    rows = points_and_pixels.pixels(cube, land)
    truth = points_and_pixels.pixel_labels(cube, land, columns=["LULC_NAME"])
    pixels = store.create_feature_group(
        "pixels", primary_key=["pixel_id"], event_time="time", online_enabled=True
    )
    # The scenes come in by date, and one of them again, reprocessed: it is not the newest.
    days = sorted(rows["time"].unique())
    for day in days:
        pixels.insert(rows[rows["time"] == day])
    again = rows[rows["time"] == days[0]].assign(red=0.5)
    pixels.insert(again)
    labels = store.create_feature_group("labels", primary_key=["pixel_id"])
    labels.insert(truth)
    view = store.create_feature_view(
        "v", labels=labels.select("LULC_NAME"), query=pixels.select(["red", "nir"])
    )
    newest = rows.loc[rows.groupby("pixel_id")["time"].idxmax()].set_index("pixel_id")
    only_first = newest["time"] == days[0]
    newest.loc[only_first, "red"] = 0.5
    keys = list(newest.index)
    vectors = view.get_feature_vectors([{"pixel_id": k} for k in keys])
    np.testing.assert_array_equal(np.array(vectors, dtype=np.float32), newest[["red", "nir"]])


def test_block_folds_of_a_table_beside_random_folds_with_their_spread(
    real_or_made_data, data_are_real, store
):
    """Seen before: 0.71 by random folds, 0.57 by blocks of 0.05 degrees (spread 0.02)."""
    path = real_or_made_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    table = read_labelled_table(path, label="sampling_label")
    group = store.create_feature_group("w", primary_key=[table.key])
    group.insert(table.frame)
    values = group.read(list(table.features))
    assert values.max().max() < 65535
    raw = pd.read_parquet(path)[list(table.features)]
    assert values.isna().sum().sum() == (raw == 65535).sum().sum() > 0

    view = store.create_feature_view(
        "w", labels=group.select(table.label), query=group.select(list(table.features))
    )
    blocks = SpatialBlocks(0.05, crs="EPSG:4326")
    forest = RandomForestClassifier(100, random_state=0, n_jobs=2)
    found = cross_validate(view, by=[blocks, "random"], model=forest, n_splits=5, min_samples=20)
    assert set(found) == {"blocks", "random"}
    assert all(len(f.scores) == 5 and f.std > 0 for f in found.values())
    if data_are_real:
        assert found["random"].mean == pytest.approx(0.71, abs=0.06)
        assert found["blocks"].mean == pytest.approx(0.57, abs=0.06)
        assert "random folds flatter by 0.1" in summary(found)


def test_months_of_a_table_are_one_sequence_a_point_not_twelve_samples(real_or_made_data, store):
    """Labels stand in each of its rows; judged by rows, the same table looks much worse."""
    path = real_or_made_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    table = read_labelled_table(path, label="sampling_label")
    months: dict[int, dict[str, str]] = {}
    for name in table.features:
        band, step, _ = re.fullmatch(r"(.+?)(?:-ts(\d+))?(-\d+m)", name).groups()
        if step is not None:
            months.setdefault(int(step), {})[name] = band.replace("-", "_")
    head = [table.key, table.label, *table.position]
    start = pd.Timestamp("2023-01-15", tz="UTC")
    parts = [
        table.frame[[*head, *names]]
        .rename(columns=names)
        .assign(time=start + pd.DateOffset(months=step))
        for step, names in months.items()
    ]
    group = store.create_feature_group("m", primary_key=[table.key], event_time="time")
    group.insert(pd.concat(parts, ignore_index=True))
    bands = group.select(sorted(months[0].values()))
    blocks = SpatialBlocks(0.05, crs="EPSG:4326")
    found = {}
    for name, query, least in (
        ("rows", bands, 240),
        ("sequences", bands.sequence("2023-01-01", "2023-12-31", every="31D"), 20),
    ):
        view = store.create_feature_view(name, labels=group.select(table.label), query=query)
        assert len(view.training_data()) == (6000 if name == "rows" else 500)
        forest = RandomForestClassifier(50, random_state=0, n_jobs=2)
        found[name] = cross_validate(
            view, by=[blocks], model=forest, n_splits=5, min_samples=least
        )["blocks"]
    assert found["sequences"].mean > found["rows"].mean + 0.05
    # Two sources tell of 49 places: no two of a place may be on both sides.
    split = view.train_test_split(by=SpatialBlocks(5_000))
    assert split.source["report"]["units"] <= 500 - 49
