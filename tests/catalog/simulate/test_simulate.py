"""The sample region is valid, simulated and says so, and its traps are in it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pystac
import rasterio
from pystac.validation import validate_dict

from eolab.catalog.simulate.land import make_land
from eolab.catalog.simulate.write import PASSES, write_sample


def test_it_is_small_and_complete(sample_info):
    assert sample_info.megabytes < 60
    assert len(sample_info.dates) == 17
    assert 250 <= sample_info.parcels <= 400


def test_every_document_is_valid_stac(sample):
    catalog = pystac.Catalog.from_file(str(sample / "catalog.json"))
    objects = [catalog, *catalog.get_children(), *catalog.get_items(recursive=True)]
    assert len(objects) == 55
    for thing in objects:
        document = json.loads(Path(thing.self_href).read_text())
        # Without a network the core schema is what can be checked; extensions follow below.
        validate_dict({**document, "stac_extensions": []})


def test_extensions_say_what_the_files_say(sample_items):
    item = next(iter(sample_items))
    names = " ".join(item.stac_extensions)
    assert all(f"/{extension}/" in names for extension in ("projection", "eo", "raster"))
    for key, asset in item.assets.items():
        if key == "thumbnail":
            continue
        with rasterio.open(asset.href) as file:
            assert file.crs.to_string() == item.properties["proj:code"]
            assert list(file.transform)[:6] == asset.extra_fields["proj:transform"]
            assert list(file.shape) == asset.extra_fields["proj:shape"]
            assert file.nodata == asset.extra_fields["nodata"]
            assert file.dtypes[0] == asset.extra_fields["data_type"]
            assert file.transform.a == asset.extra_fields["raster:spatial_resolution"]


def test_rasters_are_cloud_optimized(sample_items):
    for key, asset in next(iter(sample_items)).assets.items():
        with rasterio.open(asset.href) as file:
            if key != "thumbnail":
                assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
                assert file.block_shapes[0] == (512, 512) or max(file.shape) <= 512
                assert file.overviews(1) or max(file.shape) <= 512


def test_it_says_everywhere_that_it_is_simulated(sample, sample_source, sample_items):
    assert sample_source.simulated
    for collection in sample_source.collections():
        assert "imulated" in collection.title
        assert "imulated" in collection.description
    assert all("imulated" in item.properties["title"] for item in sample_items)
    assert json.loads((sample / "sample.json").read_text())["simulated"] is True
    assert gpd.read_parquet(sample / "parcels.parquet")["simulated"].all()
    with rasterio.open(next(iter(sample_items)).assets["B04"].href) as file:
        assert "simulated" in file.tags()["SOURCE"]


def test_five_percent_of_the_labels_are_wrong(sample):
    parcels = gpd.read_parquet(sample / "parcels.parquet")
    truth = pd.read_parquet(sample / "truth.parquet")
    assert (parcels["parcel_id"] == truth["parcel_id"]).all()
    wrong = parcels["crop"] != truth["crop"]
    assert (wrong == truth["label_is_wrong"]).all()
    assert abs(wrong.mean() - 0.05) < 0.005
    assert str(parcels["observed"].dtype).endswith("UTC]")


def test_the_second_district_is_sown_three_weeks_later(sample):
    truth = pd.read_parquet(sample / "truth.parquet")
    sown = truth.groupby(["crop", "district"])["sowing_day"].median()
    late = (sown.xs("Birkfeld", level=1) - sown.xs("Aubach", level=1)).median()
    assert 17 < late < 25


def test_the_traps_are_set(sample_items):
    items = list(sample_items)
    assert {item.properties["proj:code"] for item in items} == {"EPSG:32632", "EPSG:32633"}
    assert sum(p.offset for p in PASSES) == 6
    per_scene = Counter((i.properties["grid:code"], i.datetime.date()) for i in items)
    assert sorted(per_scene.values())[-2:] == [2, 2]
    edge = next(i for i in items if i.id.startswith("SIM_S2B_32UQU_20210410"))
    with rasterio.open(edge.assets["B04"].href) as file:
        assert 0.02 < (file.read(1) == 0).mean() < 0.3
    assert any("earthsearch:boa_offset_applied" in i.properties for i in items)


def test_the_same_seed_lays_out_the_same_land():
    first, again, other = (make_land(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (first.kind == again.kind).all()
    assert np.array_equal(first.reflectance(150), again.reflectance(150))
    assert len(first.kind) != len(other.kind) or (first.kind != other.kind).any()


def test_the_same_seed_writes_the_same_bytes(sample, tmp_path):
    write_sample(tmp_path / "again")
    item = "sentinel-2-l2a-simulated/SIM_S2A_33UTP_20210902_N0510"
    for name in (f"{item}/B08.tif", f"{item}/SCL.tif", "parcels.parquet", "catalog.json"):
        assert (sample / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert not list(tmp_path.glob(".*tmp"))
