"""One Sentinel-2 scene as its providers publish it is one surface, or is refused or told."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime

import numpy as np
import pytest
import xarray as xr

import eolab as eo
from benchmarks.archive_cases import Grid, item, write_tif
from eolab.catalog import open_source
from eolab.errors import InvalidInputError, NotFoundError
from eolab.settings import config as configuration

TIME = datetime(2023, 4, 7, 10, 10, 31, tzinfo=UTC)
PRODUCT = "S2A_MSIL2A_20230407T101031_N0509_R022_T33UWP_20230407T141302"
GRID = Grid(shape=(32, 32))
SURFACE = np.linspace(0.01, 0.5, 32 * 32).reshape(32, 32).round(4)  # dark places too
WITH = np.rint(SURFACE * 10_000 + 1000).astype("uint16")  # as ESA publishes it
WITHOUT = np.rint(SURFACE * 10_000).astype("uint16")
NEW = {"s2:processing_baseline": "05.09", "platform": "sentinel-2a"}
DECLARED = {
    "eo:bands": [{"name": "B04", "common_name": "red"}],
    "raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}],
}


@pytest.fixture
def scene(tmp_path):
    """Make an item of one red file, with green beside it."""

    def make(name, key, numbers, fields, time=TIME, **properties):
        made = {}
        for asset in (key, {"red": "green", "B04": "B03", "B04_10m": "B03_10m"}[key]):
            path = tmp_path / f"{name}_{asset}.tif"
            plain = {k: v for k, v in fields.items() if "bands" not in k or asset == key}
            made[asset] = (write_tif(path, [numbers], GRID), plain)
        return item(name, time, GRID, made, collection="sentinel-2-l2a", **properties)

    return make


def surface(one, **options):
    return eo.load([one], bands=["red"], **options).red.to_numpy()[0]


@pytest.mark.parametrize(
    ("name", "key", "numbers", "fields", "properties"),
    [
        # Earth Search v1 and v0: taken out, and the offset is declared all the same.
        ("S2A_33UWP_20230407_0_L2A", "red", WITHOUT, DECLARED,
         {**NEW, "earthsearch:boa_offset_applied": True}),
        ("S2A_33UWP_20230407_1_L2A", "B04", WITHOUT, {},
         {"platform": "sentinel-2a", "sentinel:processing_baseline": "05.09",
          "sentinel:boa_offset_applied": True}),
        # Earth Search where the flag is false, and right.
        ("S2A_33UWP_20230407_2_L2A", "red", WITH, DECLARED,
         {**NEW, "earthsearch:boa_offset_applied": False}),
        # Planetary Computer: ESA's numbers, nothing declared.
        (PRODUCT.replace("_N0509", ""), "B04", WITH,
         {"eo:bands": [{"name": "B04", "common_name": "red"}]}, NEW),
        # Copernicus Data Space: the product's whole name, its own keys, both ways of STAC.
        (PRODUCT, "B04_10m", WITH, DECLARED,
         {"processing:version": "05.09", "platform": "sentinel-2a"}),
        (PRODUCT, "B04_10m", WITH,
         {"bands": [{"name": "B04", "eo:common_name": "red"}], "raster:scale": 0.0001,
          "raster:offset": -0.1, "data_type": "uint16", "nodata": 0},
         {"processing:version": "05.09", "platform": "sentinel-2a"}),
        (f"{PRODUCT}.SAFE", "B04_10m", WITH, {}, {}),
    ],
)  # fmt: skip
def test_one_scene_is_one_surface_whoever_publishes_it(
    scene, name, key, numbers, fields, properties
):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "neither item")  # the rule of last resort, told once
        made = surface(scene(name, key, numbers, fields, **properties))
    np.testing.assert_allclose(made, SURFACE, atol=1e-6)


@pytest.mark.parametrize("part", ["whole", "bright"])
def test_a_flag_that_is_wrong_is_told_by_the_whole_scene_whatever_is_loaded(scene, part):
    one = scene(
        "S2A_33UWP_20230407_0_L2A", "red", WITHOUT, DECLARED,
        **NEW, **{"earthsearch:boa_offset_applied": False},
    )  # fmt: skip
    west, south, east, north = one.bbox
    box = (west, south, east, south + (north - south) / 4)  # nothing under 0.35 in it
    options = {} if part == "whole" else {"bbox": box}
    with pytest.warns(UserWarning, match=r"S2A_33UWP_20230407_0_L2A .* offset=0") as told:
        surface(one, **options)
    assert any("are under 1000" in str(warning.message) for warning in told)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        np.testing.assert_allclose(surface(one, offset=0), SURFACE, atol=1e-6)


@pytest.fixture
def eopf(tmp_path):
    """A product of EOPF as it is laid out, without its reference system where GDAL looks for it."""
    store = tmp_path / f"{PRODUCT}.zarr"
    packing = {"dtype": "uint16", "scale_factor": 0.0001, "add_offset": -0.1, "_FillValue": 0}
    for size, bands in ((10, ("b03", "b04")), (20, ("b04", "b05"))):
        steps = size * (np.arange(320 // size) + 0.5)
        values = SURFACE[:: size // 10, :: size // 10].astype("float32")
        group = xr.Dataset(
            {band: (("y", "x"), values, {"proj:epsg": 32633}) for band in bands},
            {"x": 500_000 + steps, "y": 5_200_000 - steps},
        )
        group.to_zarr(
            store, group=f"measurements/reflectance/r{size}m", zarr_format=2, consolidated=False,
            encoding=dict.fromkeys(bands, packing),
        )  # fmt: skip
    said = {"id": PRODUCT, "properties": {"datetime": f"{TIME:%Y-%m-%dT%H:%M:%S.024Z}"}}
    (store / ".zattrs").write_text(json.dumps({"stac_discovery": said, "other_metadata": {}}))
    return store


@pytest.mark.parametrize("resolution", [None, 20])
@pytest.mark.parametrize("declared", [{}, {"raster:scale": 0.0001, "raster:offset": -0.1}])
def test_a_zarr_of_eopf_is_the_same_surface(eopf, declared, resolution):
    group = f"{eopf}/measurements/reflectance/r10m"
    bands = [{"name": "B03", "eo:common_name": "green"}, {"name": "B04", "eo:common_name": "red"}]
    made = item(
        PRODUCT, TIME, GRID,
        {"SR_10m": (group, {"bands": bands}),
         **{f"{b['name']}_10m": (f"{group}/{b['name'].lower()}", {"bands": [b], **declared})
            for b in bands}},
        version="1.1.0", **{"processing:version": "05.09", "platform": "sentinel-2a"},
    )  # fmt: skip
    for asset in made.assets.values():
        asset.media_type = "application/vnd+zarr"
    step = (resolution or 10) // 10
    found = surface(made, resolution=resolution)
    np.testing.assert_allclose(found, SURFACE[step // 2 :: step, step // 2 :: step], atol=1e-6)
    assert sorted(eo.load([made], resolution=resolution)) == ["green", "red"]  # not the group's too
    with pytest.raises(InvalidInputError, match="'SR_10m' of item S2A_MSIL2A") as refused:
        eo.load([made], bands=["SR_10m.1"])
    assert "r10m/b04" in refused.value.hint


@pytest.mark.parametrize("cog", [False, True])
def test_a_product_of_eopf_is_ingested_as_the_same_surface(eopf, tmp_path, monkeypatch, cog):
    (tmp_path / "eolab.toml").write_text('format = 1\n[workspace]\npath = "ws"\n')
    monkeypatch.chdir(tmp_path)
    eo.ingest(eopf, to="mine", cog=cog)
    (made,) = open_source(configuration.find(), "mine").search()
    assert made.id == PRODUCT
    assert made.datetime == TIME.replace(microsecond=24_000)
    assert made.assets["B04"].extra_fields["raster:spatial_resolution"] == 10  # the finest
    assert made.assets["B05"].extra_fields["raster:spatial_resolution"] == 20
    np.testing.assert_allclose(surface(made), SURFACE, atol=1e-6)


def test_a_product_of_eopf_in_zarr_3_is_refused_with_the_way_on(tmp_path):
    store = tmp_path / f"{PRODUCT}.zarr"
    store.mkdir()
    said = {"zarr_format": 3, "node_type": "group", "attributes": {"stac_discovery": {}}}
    (store / "zarr.json").write_text(json.dumps(said))
    with pytest.raises(NotFoundError) as refused:
        eo.ingest(store, to=tmp_path / "mine", collection="c")
    assert "Zarr store of version 3" in refused.value.hint
    assert "zarr_format=2" in refused.value.hint


def test_factors_that_eopf_keeps_by_itself_count(eopf, tmp_path, monkeypatch):
    """Without those of CF, and in a product of which the name says no baseline."""
    for file in eopf.glob("measurements/reflectance/r*m/b*/.zattrs"):
        said = json.loads(file.read_text())
        own = {key: said.pop(key) for key in ("scale_factor", "add_offset")}
        file.write_text(json.dumps({**said, "_eopf_attrs": own}))
    (tmp_path / "eolab.toml").write_text('format = 1\n[workspace]\npath = "ws"\n')
    monkeypatch.chdir(tmp_path)
    eo.ingest(eopf.rename(tmp_path / "mine.zarr"), to="mine")
    (made,) = open_source(configuration.find(), "mine").search()
    np.testing.assert_allclose(eo.load([made], bands=["B04"]).B04[0], SURFACE, atol=1e-6)


def test_a_constant_target_is_flat_across_january_2022_and_across_the_satellites(scene):
    """Before the offset, after it, reprocessed, and by the third satellite."""
    target = np.full((32, 32), 1500, "uint16")
    moments = [
        ("S2A", datetime(2021, 12, 30, 10, tzinfo=UTC), "0301", target),
        ("S2B", datetime(2022, 1, 24, 10, tzinfo=UTC), "0301", target),
        ("S2A", datetime(2022, 1, 29, 10, tzinfo=UTC), "0400", target + 1000),
        ("S2A", datetime(2019, 1, 29, 10, tzinfo=UTC), "0500", target + 1000),
        ("S2A", datetime(2024, 12, 29, 10, tzinfo=UTC), "0511", target + 1000),
        ("S2C", datetime(2025, 2, 3, 10, tzinfo=UTC), "0511", target + 1000),
    ]
    items = [
        scene(
            f"{who}_MSIL2A_{at:%Y%m%dT%H%M%S}_N{version}_R022_T33UWP_{at:%Y%m%dT%H%M%S}",
            "B04", numbers, {}, time=at, platform=f"sentinel-2{who[-1].lower()}",
        )
        for who, at, version, numbers in moments
    ]  # fmt: skip
    plain = eo.load(items, bands=["red"]).red
    assert plain.sizes["time"] == len(moments)
    np.testing.assert_allclose(plain, 0.15, atol=1e-6)
    alike = eo.load(items, bands=["red"], harmonise="hls").red.mean(("y", "x"))
    assert float(alike.max() - alike.min()) < 0.005
