"""Rows that Spark's tasks make of a cube, tile by tile, are those that are made here."""

from __future__ import annotations

import contextlib
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import eolab.accessor  # noqa: F401
from eolab.catalog import load, open_source
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import InvalidInputError
from eolab.features import FeatureStore
from eolab.features.extract import points_and_pixels
from eolab.records.lineage import Ref, upstream
from eolab.settings import config as configuration
from tests.features.engines.spark.conftest import CANARY, SECRET

gpd = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")
pytest.importorskip("dask")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def cube():
    """Three dates of 90 x 130 pixels of 10 m with holes, in chunks."""
    import odc.geo.xr  # noqa: F401

    rng = np.random.default_rng(0)
    days = ["2024-03-01", "2024-04-01T10:11:12.123456", "2024-05-01"]
    times = pd.to_datetime(days, format="ISO8601")
    y, x = 5_000_895.0 - 10 * np.arange(90), 500_005.0 + 10 * np.arange(130)
    bands = {}
    for name in ("red", "nir"):
        values = rng.random((3, 90, 130)).astype(np.float32)
        values[rng.random(values.shape) < 0.2] = np.nan
        bands[name] = ("time", "y", "x"), values
    items = ("time", ["one", "two,three", "four"])
    made = xr.Dataset(bands, {"time": times, "y": y, "x": x, "item_id": items})
    return made.odc.assign_crs("EPSG:32633").chunk({"time": 1, "y": 32, "x": 32})


@pytest.fixture(scope="module")
def fields():
    """Fields of all sizes, over the borders of tiles and of the cube, in degrees."""
    rng = np.random.default_rng(1)
    corner = rng.uniform([499_950, 4_999_950], [501_250, 5_000_850], (60, 2))
    wide = rng.uniform(5, 300, (60, 2))
    shapes = [
        shapely.affinity.rotate(shapely.box(x, y, x + w, y + h), 17)
        for (x, y), (w, h) in zip(corner, wide, strict=True)
    ]
    crop = rng.choice(["maize", "rape"], 60)
    frame = gpd.GeoDataFrame({"field": np.arange(60), "crop": crop}, geometry=shapes)
    return frame.set_crs("EPSG:32633").to_crs("EPSG:4326")


def told(frame, keys):
    """A Spark DataFrame as `extract` gives its rows."""
    found = frame.toArrow().to_pandas()
    found["time"] = found["time"].dt.tz_convert("UTC").dt.as_unit("ns")
    return found.sort_values(keys, ignore_index=True)


# The tasks are the same; how they are sent differs, and the one that cells use is tried every day.
@pytest.fixture(params=[pytest.param("classic", marks=pytest.mark.slow), "connect"])
def spark(request):
    return request.getfixturevalue(request.param).spark


@pytest.mark.filterwarnings("ignore::eolab.features.extract.cube_layout.DroppedWarning")
@pytest.mark.parametrize("lazily", [True, False])
def test_statistics_by_zone_are_the_same(spark, cube, fields, lazily):
    options = {"id": "field", "stats": ["median", "stdev"], "buffer": -5, "min_pixels": 3}
    cube = cube if lazily else cube.compute()
    found = told(cube.eo.on_spark(spark, tile=40).zonal(fields, **options), ["field", "time"])
    here = points_and_pixels.zonal(cube, fields, **options)
    assert found["field"].nunique() > 40
    pd.testing.assert_frame_equal(found, here, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::eolab.features.extract.cube_layout.DroppedWarning")
def test_pixels_go_into_a_group_with_their_scenes_and_place(spark, cube, fields, config):
    options = {"columns": ["crop"], "stratify": "crop", "per_class": 300}
    frame = cube.eo.on_spark(spark, tile=33).pixels(fields, **options)
    here = points_and_pixels.pixels(cube, fields, **options)
    pd.testing.assert_frame_equal(told(frame, ["pixel_id", "time"]), here)

    store = FeatureStore(config)
    group = store.create_feature_group("pixels", primary_key="pixel_id", event_time="time")
    group.insert(frame)
    assert group.geometry.columns == ("x", "y")
    assert (group.geometry.crs, group.geometry.pixels) == ("EPSG:32633", True)
    scenes = {Ref("item", name) for name in ("one", "two", "three", "four")}
    assert scenes <= set(upstream(config.root, group.commit_ref(0)))
    assert len(group.read()) == len(here)


def test_points_are_sampled_the_same_on_the_last_row_and_column_too(spark, cube):
    edge = [(500_000.5, 5_000_899.5), (501_299.5, 5_000_000.5), (501_299.5, 5_000_899.5)]
    inner = np.random.default_rng(2).uniform([500_000, 5_000_000], [501_300, 5_000_900], (80, 2))
    points = gpd.GeoDataFrame(
        {"point_id": [f"p{k:02d}" for k in range(83)], "plot": np.arange(83)},
        geometry=shapely.points([*edge, *inner.tolist()]),
        crs="EPSG:32633",
    )
    for tile in (7, 1000):
        frame = cube.eo.on_spark(spark, tile=tile).sample(points, columns=["plot"])
        here = points_and_pixels.sample(cube, points, columns=["plot"])
        pd.testing.assert_frame_equal(told(frame, ["point_id", "time"]), here)


def test_executors_read_by_their_own_secret_which_goes_to_its_host_alone(
    connect, stores, sample, tmp_path, monkeypatch
):
    """Files are handed over to another host; nothing that is sent, kept or shown holds it."""
    own, other = stores
    (tmp_path / "eolab.toml").write_text(
        f'format = 1\n[catalogs.mine]\nurl = "{own.url}/catalog.json"\n'
        f'headers = {{"X-Api-Key" = "env:{SECRET}"}}\n'
    )
    monkeypatch.setenv("EOLAB_WORKSPACE", str(tmp_path / "eolab.toml"))
    monkeypatch.setenv(SECRET, CANARY)
    wanted = {"collections": COLLECTION, "ids": ["SIM_S2A_33UTP_20210902_N0510"]}
    here = load(open_source(configuration.find(), str(sample)).search(**wanted), bands=["red"])
    there = open_source(configuration.find(), "mine").search(**wanted)
    lazy = load(there, bands=["red"], chunks={"x": 300, "y": 300})
    assert CANARY.encode() not in cloudpickle.dumps(lazy)
    middle = list(zip(here.x.to_numpy()[[150, 250]], here.y.to_numpy()[[150, 250]], strict=True))
    points = gpd.GeoDataFrame(
        {"point_id": ["a", "b"]}, geometry=shapely.points(middle), crs=here.odc.crs.wkt
    )
    own.requests.clear()
    other.requests.clear()
    monkeypatch.delenv(SECRET)  # from here on only executors know it
    frame = lazy.eo.on_spark(connect.spark, tile=512).sample(points)
    pd.testing.assert_frame_equal(
        told(frame, ["point_id", "time"]), points_and_pixels.sample(here, points, columns=[])
    )
    assert CANARY in str(own.requests)
    assert other.requests
    assert CANARY not in str(other.requests)
    commands = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(process.read_bytes())
    assert not any(CANARY.encode() in command for command in commands)
    written = [path for path in connect.folder.rglob("*") if path.is_file()]
    assert any("events" in path.parts for path in written)
    assert not [path for path in written if CANARY.encode() in path.read_bytes()]


def test_faults_are_told_before_spark_starts(cube, fields):
    with pytest.raises(InvalidInputError, match="no number of pixels"):
        cube.eo.on_spark(None, tile=0)
    with pytest.raises(InvalidInputError, match="unknown statistic"):
        cube.eo.on_spark(None).zonal(fields, id="field", stats=["mediann"])
