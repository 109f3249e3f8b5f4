"""Rows from a cube equal plain NumPy over the same pixels."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from eolab.errors import InvalidInputError, NotFoundError
from eolab.features.extract import points_and_pixels
from eolab.features.extract.labelled_tables import read_labelled_table


def make_cube(*, dates=3, crs="EPSG:32633", size=10.0, seed=0, flip=False):
    import odc.geo.xr  # noqa: F401

    rng = np.random.default_rng(seed)
    y = 5_000_000 - size * (np.arange(40) + 0.5)
    x = 500_000 + size * (np.arange(50) + 0.5)
    shape = (dates, 40, 50)
    red, nir = (rng.random(shape).astype("float32") for _ in range(2))
    red[rng.random(shape) < 0.2] = np.nan
    cube = xr.Dataset(
        {"red": (("time", "y", "x"), red), "nir": (("time", "y", "x"), nir)},
        {
            "time": pd.date_range("2024-05-01", periods=dates, freq="10D"),
            "y": y,
            "x": x,
            "item_id": ("time", ["A,B", "C", "A"][:dates]),
        },
    )
    if crs:
        cube = cube.odc.assign_crs(crs)
    return cube.isel(y=slice(None, None, -1)) if flip else cube


def zones(*boxes, crs="EPSG:32633"):
    return gpd.GeoDataFrame(
        {"parcel_id": np.arange(len(boxes)), "crop": list("abcdef")[: len(boxes)]},
        geometry=[shapely.box(*b) for b in boxes],
        crs=crs,
    )


# Columns 5..14, rows 10..19 of the cube, exactly on pixel borders.
ALIGNED = (500_050, 4_999_800, 500_150, 4_999_900)


@pytest.mark.parametrize("flip", [False, True], ids=["north-up", "south-up"])
def test_zones_on_pixel_borders_equal_numpy(flip):
    cube = make_cube()
    rows = points_and_pixels.zonal(
        make_cube(flip=flip), zones(ALIGNED), stats=["mean", "median", "max", "q25"]
    )
    red, nir = (cube[b].to_numpy()[:, 10:20, 5:15].reshape(3, -1) for b in ("red", "nir"))
    np.testing.assert_allclose(rows["red_mean"], np.nanmean(red, axis=1), rtol=1e-6)
    np.testing.assert_allclose(rows["red_max"], np.nanmax(red, axis=1), rtol=1e-6)
    np.testing.assert_allclose(rows["nir_median"], np.median(nir, axis=1), atol=0.02)
    np.testing.assert_allclose(rows["nir_q25"], np.quantile(nir, 0.25, axis=1), atol=0.02)
    assert rows["count"].tolist() == [int((~np.isnan(r)).sum()) for r in red]
    np.testing.assert_allclose(rows["clear"], rows["count"] / 100)
    assert rows["time"].tolist() == list(
        pd.date_range("2024-05-01", periods=3, freq="10D", tz="UTC")
    )
    assert rows.attrs["eolab_items"] == ["A", "B", "C"]


def test_pixels_on_the_border_count_by_their_share():
    cube = make_cube(dates=1)
    rows = points_and_pixels.zonal(
        cube, zones((500_005, 4_999_980, 500_020, 5_000_000)), stats=["mean"]
    )
    share = np.array([[0.5, 1.0], [0.5, 1.0]])
    nir, red = cube["nir"].to_numpy()[0, :2, :2], cube["red"].to_numpy()[0, :2, :2]
    assert rows["nir_mean"][0] == pytest.approx((nir * share).sum() / 3, rel=1e-5)
    assert rows["count"][0] == pytest.approx((share * ~np.isnan(red)).sum())


def test_passes_of_any_size_give_the_same_rows(monkeypatch):
    cube = make_cube()
    whole = points_and_pixels.zonal(
        cube, zones(ALIGNED, (500_200, 4_999_700, 500_333, 4_999_888)), stats=["median"]
    )
    monkeypatch.setattr("eolab.features.extract.zonal.PASS_BYTES", 1)
    pd.testing.assert_frame_equal(
        whole,
        points_and_pixels.zonal(
            cube, zones(ALIGNED, (500_200, 4_999_700, 500_333, 4_999_888)), stats=["median"]
        ),
    )


def test_one_band_at_one_date_and_no_time_work_too():
    cube = make_cube(dates=1)[["nir"]]
    rows = points_and_pixels.zonal(cube, zones(ALIGNED), stats="mean")
    flat = points_and_pixels.zonal(cube.isel(time=0), zones(ALIGNED), stats="mean")
    assert rows["nir_mean"][0] == flat["nir_mean"][0]
    assert "time" not in flat


def test_a_buffer_is_metres_in_any_crs():
    cube, zone = make_cube(), zones(ALIGNED)
    shrunk = points_and_pixels.zonal(cube, zone, stats=["mean"], buffer=-20)
    by_hand = points_and_pixels.zonal(cube, zone.set_geometry(zone.buffer(-20)), stats=["mean"])
    pd.testing.assert_frame_equal(shrunk, by_hand)
    assert shrunk["clear"].between(0, 1).all()
    with pytest.warns(points_and_pixels.DroppedWarning, match="1 of 2 zones vanish"):
        points_and_pixels.zonal(
            cube, zones(ALIGNED, (500_300, 4_999_800, 500_310, 4_999_810)), buffer=-10
        )


def test_rows_with_too_few_clear_pixels_are_left_out():
    cube = make_cube()
    cube["red"][0] = np.nan
    rows = points_and_pixels.zonal(cube, zones(ALIGNED), min_pixels=1)
    assert len(rows) == 2
    with pytest.raises(InvalidInputError, match="90 clear pixels"):
        points_and_pixels.zonal(cube, zones(ALIGNED), min_pixels=90)


def test_zones_in_another_crs_are_converted():
    cube, zone = make_cube(), zones(ALIGNED)
    near = points_and_pixels.zonal(cube, zone.to_crs(4326), stats=["mean"])
    np.testing.assert_allclose(
        near["nir_mean"], points_and_pixels.zonal(cube, zone, stats=["mean"])["nir_mean"], rtol=1e-3
    )


def test_pixels_equal_the_cube_at_their_centres():
    cube = make_cube()
    shapes = zones(ALIGNED, (500_400, 4_999_900, 500_420, 4_999_930))
    rows = points_and_pixels.pixels(cube, shapes, columns=["crop"])
    assert rows.groupby("pixel_id").size().max() == 3
    assert rows["crop"].value_counts().to_dict() == {"a": 300, "b": 18}
    for row in rows.sample(40, random_state=0).itertuples():
        at = cube.sel(x=row.x, y=row.y, time=row.time.tz_localize(None))
        assert at["nir"].item() == row.nir
        assert at["red"].item() == row.red or (np.isnan(at["red"].item()) and np.isnan(row.red))
    labels = points_and_pixels.pixel_labels(cube, shapes, columns=["crop"])
    assert len(labels) == 106
    assert set(labels["pixel_id"]) == set(rows["pixel_id"])


def test_large_classes_are_thinned_out_always_the_same_way():
    shapes = zones(ALIGNED, (500_400, 4_999_900, 500_420, 4_999_930))
    options = {"stratify": "crop", "per_class": 30}
    labels = points_and_pixels.pixel_labels(make_cube(), shapes, columns=["crop"], **options)
    assert labels["crop"].value_counts().to_dict() == {"a": 30, "b": 6}
    rows = points_and_pixels.pixels(make_cube(seed=5), shapes.iloc[::-1], **options)
    assert set(rows["pixel_id"]) == set(labels["pixel_id"])
    assert "crop" not in rows
    with pytest.raises(InvalidInputError, match="per_class"):
        points_and_pixels.pixels(make_cube(), shapes, stratify="crop", per_class=0)


def test_pixels_that_were_never_seen_give_no_row_but_keep_their_label():
    cube = make_cube(dates=1)
    cube["red"][:] = np.nan
    cube["nir"][:, 10:15] = np.nan
    rows = points_and_pixels.pixels(cube, zones(ALIGNED))
    assert len(rows) == 50
    assert len(points_and_pixels.pixel_labels(cube, zones(ALIGNED), columns=["crop"])) == 100


def test_a_pixel_has_the_same_name_in_every_cube_on_the_grid():
    cube = make_cube()
    window = cube.isel(y=slice(5, 30), x=slice(2, 40))
    one, two = (
        points_and_pixels.pixels(c, zones(ALIGNED))["pixel_id"].tolist() for c in (cube, window)
    )
    assert one == two


def test_a_band_that_comes_later_is_a_feature_too():
    import eolab.accessor  # noqa: F401  registers .eo

    for cube in (make_cube(), make_cube().reset_coords("spatial_ref")):
        before = cube.eo.zonal(zones(ALIGNED), stats=["mean"])
        cube["NDVI"] = cube.eo.spectral_index("NDVI")
        after = cube.eo.zonal(zones(ALIGNED), stats=["mean"])
        assert set(after.columns) - set(before.columns) == {"NDVI_mean"}


def test_faults_are_told_with_a_hint():
    cube, zone = make_cube(), zones(ALIGNED)
    for says, faulty in (
        (
            "the cube has no coordinate reference",
            lambda: points_and_pixels.zonal(make_cube(crs=None), zone),
        ),
        (
            "the zones have no coordinate reference",
            lambda: points_and_pixels.zonal(cube, zone.set_crs(None, allow_override=True)),
        ),
        (
            "none of the 1 zones lies inside the",
            lambda: points_and_pixels.zonal(cube, zones((0, 0, 10, 10))),
        ),
        (
            "unknown statistic 'medain'",
            lambda: points_and_pixels.zonal(cube, zone, stats=["medain"]),
        ),
        (
            "the zones have no column 'parcel'",
            lambda: points_and_pixels.zonal(cube, zone, id="parcel"),
        ),
        (
            "every zone vanishes with buffer=-500 m",
            lambda: points_and_pixels.zonal(cube, zone, buffer=-500),
        ),
        (
            "is there twice",
            lambda: points_and_pixels.zonal(cube, pd.concat([zone, zone])),
        ),
        ("the zones are a DataFrame", lambda: points_and_pixels.zonal(cube, pd.DataFrame(zone))),
        (
            "the labels have no column 'corp'",
            lambda: points_and_pixels.pixels(cube, zone, columns=["corp"]),
        ),
        (
            "no label covers the centre of a pixel",
            lambda: points_and_pixels.pixels(cube, zones((500_001, 4_999_991, 500_002, 4_999_992))),
        ),
        (
            "the label column 'red' has the name of",
            lambda: points_and_pixels.pixels(
                cube, zone.rename(columns={"crop": "red"}), columns=["red"]
            ),
        ),
        (
            "the cube has no band with dimensions y",
            lambda: points_and_pixels.zonal(cube.drop_vars(["red", "nir"]), zone),
        ),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(says)) as caught:
            faulty()
        assert caught.value.hint


def test_labels_partly_outside_are_said():
    import eolab.accessor  # noqa: F401

    labels = zones(ALIGNED, (0, 0, 10, 10))
    for take in (
        lambda cube: points_and_pixels.pixels(cube, labels),
        lambda cube: cube.eo.pixels(labels),
    ):
        with pytest.warns(
            points_and_pixels.DroppedWarning, match="1 of 2 labels lie outside"
        ) as told:
            take(make_cube())
        assert told[0].filename == __file__, "it points to the user's line, not to ours"


# -- real data -------------------------------------------------------------------------------


def test_real_scenes_give_the_ndvi_that_came_with_them(shared_data, config):
    """Pixel NDVI of the slovenia scenes equals the NDVI array of the same patch."""
    import eolab as eo
    from eolab.catalog import open_source

    items = open_source(config, str(shared_data / "eolearn-slovenia-stac")).search(max_cloud=60)
    cube = eo.load(items, bands=["red", "nir"], native=True)
    cube["NDVI"] = (cube["nir"] - cube["red"]) / (cube["nir"] + cube["red"])
    land = gpd.read_file(shared_data / "eolearn-slovenia" / "LULC.gpkg")
    rows = points_and_pixels.pixels(cube[["NDVI"]], land, columns=["LULC_NAME"])
    reference = np.load(shared_data / "eolearn-slovenia" / "NDVI.npy").squeeze()
    stamps = pd.to_datetime(
        pd.read_json(shared_data / "eolearn-slovenia" / "timestamps.json")[0], utc=True
    )
    days = [int(np.argmin(abs(stamps - t))) for t in sorted(rows["time"].unique())]
    x0, y0 = float(cube.x[0]), float(cube.y[0])
    column = ((rows["x"] - x0) / float(cube.x[1] - cube.x[0])).round().astype(int)
    row = ((rows["y"] - y0) / float(cube.y[1] - cube.y[0])).round().astype(int)
    day = rows["time"].map(dict(zip(sorted(rows["time"].unique()), days, strict=True)))
    np.testing.assert_allclose(rows["NDVI"], reference[day, row, column], atol=1e-5)

    parcels = points_and_pixels.zonal(
        cube[["NDVI"]], land, id="index", stats=["mean"], min_pixels=4
    )
    assert parcels["NDVI_mean"].between(-0.2, 1).all()


def test_a_labelled_table_keeps_nodata_and_label_codes_out_of_the_features(shared_data):
    path = shared_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    table = read_labelled_table(path, label="sampling_label")
    raw = pd.read_parquet(path)
    assert (len(table.frame), len(table.features), table.key) == (500, 170, "sample_id")
    assert table.position == ("lon", "lat")
    assert not {"ewoc_code", "year", "quality_score_ct", "valid_position"} & set(table.features)
    values = raw[list(table.features)]
    assert (
        table.frame[list(table.features)].isna().to_numpy() == (values == 65535).to_numpy()
    ).all()
    assert table.frame[list(table.features)].max().max() < 65535
    radar = read_labelled_table(path, label="sampling_label", features=["SAR-*"])
    assert len(radar.features) == 24
    for says, faulty in (
        (
            "test_public_extractions.parquet has no",
            lambda: read_labelled_table(path, label="sampling_labl"),
        ),
        (
            "there is no file",
            lambda: read_labelled_table(path.with_name("nothing.parquet"), label="x"),
        ),
        (
            "no number column matches 'RADAR-*'",
            lambda: read_labelled_table(path, label="sampling_label", features=["RADAR-*"]),
        ),
        (
            "the key 'ewoc_code' is not unique in",
            lambda: read_labelled_table(path, label="sampling_label", key="ewoc_code"),
        ),
    ):
        with pytest.raises((InvalidInputError, NotFoundError), match=re.escape(says)) as caught:
            faulty()
        assert caught.value.hint


def test_blocks_of_the_real_table_merge_the_pairs_of_one_place(shared_data, store):
    """FACTS of the table: 49 pairs of one place from two sources; four classes of 20 or more."""
    from eolab.features import SpatialBlocks

    table = read_labelled_table(
        shared_data / "worldcereal-s1s2" / "test_public_extractions.parquet", label="sampling_label"
    )
    group = store.create_feature_group("worldcereal", primary_key=[table.key])
    group.insert(table.frame)
    view = store.create_feature_view(
        "v", labels=group.select(table.label), query=group.select(list(table.features))
    )
    folds = view.folds(by=SpatialBlocks(0.05, crs="EPSG:4326"), n_splits=5, min_samples=20)
    assert len(folds[0].train.classes) == 4
    place = table.frame.set_index(table.key)[["lon", "lat"]].round(5)
    for fold in folds:
        held = {tuple(p) for p in place.loc[fold.test.ids].to_numpy()}
        assert not held & {tuple(p) for p in place.loc[fold.train.ids].to_numpy()}
    assert folds[0].source["report"]["units"] <= 500 - 49


def test_points_get_the_pixel_that_holds_them():
    cube = make_cube()
    rng = np.random.default_rng(0)
    x, y = 500_000 + rng.uniform(0, 500, 30), 5_000_000 - rng.uniform(0, 400, 30)
    points = gpd.GeoDataFrame(
        {"point_id": np.arange(30), "crop": "a"},
        geometry=gpd.points_from_xy(x, y),
        crs="EPSG:32633",
    )
    rows = points_and_pixels.sample(cube, points, columns=["crop"])
    assert len(rows) == 90
    nearest = cube.sel(x=xr.DataArray(x, dims="p"), y=xr.DataArray(y, dims="p"), method="nearest")
    np.testing.assert_array_equal(
        rows["nir"].to_numpy().reshape(30, 3), nearest["nir"].transpose("p", "time").to_numpy()
    )
    assert set(rows.columns) == {"point_id", "x", "y", "time", "red", "nir", "crop"}
    with pytest.raises(InvalidInputError, match="other shapes"):
        points_and_pixels.sample(cube, zones(ALIGNED), id="parcel_id")


def test_what_a_composite_says_is_known_when_its_period_ends():
    """No join may hand out the median of March in March."""
    from eolab.catalog.cube.composite import composite

    times = pd.to_datetime(["2024-02-27", "2024-03-02", "2024-03-30", "2024-05-05"])
    y, x = 5_000_095.0 - 10 * np.arange(10), 500_005.0 + 10 * np.arange(10)
    values = np.random.default_rng(0).random((4, 10, 10)).astype(np.float32)
    cube = xr.Dataset(
        {"red": (("time", "y", "x"), values)},
        {"time": times, "y": y, "x": x, "item_id": ("time", ["a", "b", "c,d", "e"])},
    ).odc.assign_crs("EPSG:32633")
    zone = gpd.GeoDataFrame(
        {"parcel_id": [1]}, geometry=[shapely.box(500_000, 5_000_000, 500_100, 5_000_100)],
        crs="EPSG:32633",
    )  # fmt: skip
    months = composite(cube, period="1M")[["red"]]
    rows = points_and_pixels.zonal(months, zone, stats=["mean"])
    ends = ["2024-03-01", "2024-04-01", "2024-06-01"]
    assert [str(t.date()) for t in rows["time"]] == ends
    assert sorted(rows.attrs["eolab_items"]) == ["a", "b", "c", "d", "e"]
    assert [str(t.date()) for t in points_and_pixels.pixels(months, zone)["time"].unique()] == ends
    dekads = composite(cube, period="10D")[["red"]]
    last = dekads["time"].to_index()[-1] + pd.Timedelta("10D")
    assert points_and_pixels.zonal(dekads, zone)["time"].iloc[-1] == last.tz_localize("UTC")
