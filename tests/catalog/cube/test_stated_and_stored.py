"""What an item states and what its files hold may differ: no number is wrong in silence."""

from __future__ import annotations

import warnings

import numpy as np
import pystac
import pytest
import rasterio
from affine import Affine

from eolab.catalog import estimate_load, load
from eolab.errors import InvalidInputError
from tests.catalog.cube.test_layers import TRANSFORM, full, scene, write  # noqa: F401

LAZY = {"x": 4, "y": 4}


def first(item, band, **options):
    return load([item], bands=[band], **options)[band].to_numpy()[0, 0, 0]


class TestWhatAnItemSaysOfAllItsAssets:
    def test_it_counts_where_band_and_asset_say_nothing(self, write):  # noqa: F811
        numbers = full(300, "int16")
        numbers[1] = -1
        said = {"data_type": "int16", "nodata": -1, "raster:scale": 0.01, "raster:offset": 2}
        item = scene("field", {"data": (write("data", numbers), {})}, **said)
        cube = load([item], bands=["data"])
        assert cube.data.to_numpy()[0, 0, 0] == pytest.approx(5.0)
        assert np.isnan(cube.data.to_numpy()[0, 1]).all()
        facts = cube.eo.provenance().iloc[0]
        assert (facts["scale_from"], facts["nodata_from"]) == ("item", "item")

    def test_the_asset_counts_before_the_item_and_the_band_before_both(self, write):  # noqa: F811
        path = write("two", np.stack([full(10, "int16"), full(10, "int16")]))
        bands = [{"name": "one"}, {"name": "two", "raster:scale": 3}]
        item = scene(
            "field", {"d": (path, {"bands": bands, "raster:scale": 2})}, **{"raster:scale": 9}
        )
        cube = load([item], bands=["one", "two"])
        assert cube.one.to_numpy()[0, 0, 0] == 20
        assert cube.two.to_numpy()[0, 0, 0] == 30

    def test_classes_beside_measured_layers_stay_classes(self, write):  # noqa: F811
        assets = {
            "SCL": (write("scl", full(4, "uint8")), {}),
            "red": (write("red", full(4, "uint8")), {}),
        }
        item = scene("field", assets, **{"raster:scale": 0.1})
        assert first(item, "SCL") == 4
        assert first(item, "red") == pytest.approx(0.4)


def test_a_measured_layer_with_the_name_of_classes_keeps_its_zeros(write):  # noqa: F811
    stated = {"raster:bands": [{"data_type": "uint8", "unit": "m"}]}
    item = scene("field", {"SCL": (write("scl", full(0, "uint8")), stated)})
    assert first(item, "SCL") == 0


class TestOneFileOfSeveralAssets:
    def item(self, write):  # noqa: F811
        path = write("two", np.stack([full(10, "int16"), full(20, "int16")]))
        told = {"data_type": "int16", "scale": 1, "nodata": -1}
        return scene(
            "field",
            {
                k: (path, {"raster:bands": [told], "eo:bands": [{"name": k}]})
                for k in ("red", "nir")
            },
        )

    def test_whose_band_is_which_is_asked_back(self, write):  # noqa: F811
        with pytest.raises(InvalidInputError, match=r"'nir' and 'red' of item field are one file"):
            load([self.item(write)], bands=["nir"])

    def test_the_number_in_the_file_answers(self, write):  # noqa: F811
        cube = load([self.item(write)], bands={"nir": "nir.2"})
        assert cube.nir.to_numpy()[0, 0, 0] == 20

    def test_two_names_of_a_file_with_one_band_are_one_band(self, write):  # noqa: F811
        path = write("one", full(10, "int16"))
        assert first(scene("field", {"data": (path, {}), "cog": (path, {})}), "cog") == 10


class TestALazyCube:
    def test_numbers_that_are_decoded_already_are_not_scaled_again(self, write):  # noqa: F811
        stated = {"raster:bands": [{"data_type": "uint16", "scale": 0.0001, "nodata": 0}]}
        item = scene("field", {"red": (write("red", full(0.25, "float32")), stated)})
        assert first(item, "red", chunks=LAZY) == first(item, "red") == 0.25

    def test_numbers_that_do_not_fit_are_refused_with_the_way_out(self, write):  # noqa: F811
        stated = {"raster:bands": [{"data_type": "uint8", "scale": 2, "nodata": 0}]}
        item = scene("field", {"red": (write("red", full(2**24 + 1, "int32")), stated)})
        assert first(item, "red") == 2**25 + 2
        with pytest.raises(InvalidInputError, match=r"'red' of item field holds int32") as caught:
            load([item], bands=["red"], chunks=LAZY).compute()
        assert "chunks=" in caught.value.hint


def test_the_nodata_of_one_band_is_none_of_another_that_is_warped(tmp_path):
    source = tmp_path / "two.tif"
    grid = {"crs": "EPSG:32633", "transform": Affine(*TRANSFORM), "width": 8, "height": 8}
    with rasterio.open(source, "w", driver="GTiff", count=2, dtype="uint8", **grid) as file:
        file.write(np.full((2, 8, 8), 1, "uint8"))
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{k}">{extra}<SimpleSource><SourceFilename>{source}'
        f"</SourceFilename><SourceBand>{k}</SourceBand></SimpleSource></VRTRasterBand>"
        for k, extra in ((1, "<NoDataValue>1</NoDataValue>"), (2, ""))
    )
    path = tmp_path / "two.vrt"
    path.write_text(
        '<VRTDataset rasterXSize="8" rasterYSize="8"><SRS>EPSG:32633</SRS><GeoTransform>'
        f"500000, 10, 0, 5200000, 0, -10</GeoTransform>{bands}</VRTDataset>"
    )
    stated = {"eo:bands": [{"name": "one"}, {"name": "two"}]}
    cube = load([scene("field", {"d": (path, stated)})], bands=["one", "two"], crs="EPSG:32632")
    assert not np.isfinite(cube.one).any()
    assert np.nanmin(cube.two) == 1


def test_real_numbers_without_nodata_keep_those_beside_a_hole(write):  # noqa: F811
    numbers = full(3.0, "float32")
    numbers[::3, ::3] = np.nan
    stated = {"raster:bands": [{"data_type": "float32"}]}
    item = scene("field", {"red": (write("red", numbers), stated)})
    cube = load([item], bands=["red"], resolution=40, resampling="bilinear")
    assert (cube.red == 3.0).sum() >= 3


class TestAnItemThatStatesAnotherPlace:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"proj:transform": [10.0, 0.0, 600_000.0, 0.0, -10.0, 5_200_000.0]},
            {"proj:code": "EPSG:32634"},
            {"proj:shape": [8, 4]},
        ],
    )
    def test_it_is_refused_rather_than_cut_or_empty(self, write, wrong):  # noqa: F811
        item = scene("field", {"red": (write("red", full(5, "uint8")), {})}, **wrong)
        with pytest.raises(InvalidInputError, match=r"'red' of item field does not lie") as caught:
            load([item], bands=["red"])
        assert "geobox=" in caught.value.hint

    def test_the_grid_of_the_call_counts(self, write):  # noqa: F811
        good = scene("good", {"red": (write("red", full(5, "uint8")), {})})
        grid = load([good], bands=["red"]).odc.geobox
        place = {"proj:transform": [10.0, 0.0, 600_000.0, 0.0, -10.0, 5_200_000.0]}
        item = pystac.Item.from_dict({**good.to_dict(), "id": "bad"})
        item.properties |= place
        assert (load([item], bands=["red"], geobox=grid).red == 5).all()

    def test_a_grid_of_other_pixels_in_the_same_place_is_none(self, write):  # noqa: F811
        place = {
            "proj:transform": [5.0, 0.0, 500_000.0, 0.0, -5.0, 5_200_000.0],
            "proj:shape": [16, 16],
        }
        item = scene("field", {"red": (write("red", full(5, "uint8")), {})}, **place)
        assert (load([item], bands=["red"]).red == 5).all()


def test_the_estimate_counts_eight_bytes_where_values_need_them(write):  # noqa: F811
    sizes = []
    for name, dtype in (("a", "uint16"), ("b", "uint32"), ("c", "float64")):
        stated = {"raster:bands": [{"data_type": dtype}]}
        item = scene(name, {"red": (write(name, full(5, dtype)), stated)})
        estimate = estimate_load([item], bands=["red"])
        assert load([item], bands=["red"]).red.nbytes == pytest.approx(estimate.megabytes * 1e6)
        sizes.append(estimate.megabytes)
    assert sizes[1] == sizes[2] == 2 * sizes[0]


def test_items_left_out_as_duplicates_are_named(write):  # noqa: F811
    def of(baseline):
        said = {"s2:processing_baseline": baseline, "s2:datatake_id": "GS2A_20210517T101031_022"}
        path = write(f"b{baseline}", full(5000, "uint16"))
        about = {"platform": "sentinel-2a", "grid:code": "MGRS-33TWN", **said}
        return scene(f"with_{baseline}", {"B04": (path, {})}, **about)

    with pytest.warns(UserWarning, match=r"1 items are left out.*with_03.01.*with_05.00 is kept"):
        load([of("03.01"), of("05.00")], bands=["B04"])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*left out.*")
        load([of("03.01"), of("05.00")], bands=["B04"], duplicates="keep")
