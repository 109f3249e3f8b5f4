"""Cubes hold what the files hold, and refuse clearly what cannot be loaded."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import odc.stac
import pystac
import pytest
import rasterio
import shapely
import xarray as xr
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from eolab.catalog import estimate_load, load, mask, open_source, resolve_duplicates
from eolab.catalog.cube import load as cube_module
from eolab.catalog.cube.free_memory import free_megabytes
from eolab.catalog.items.parsed import stated_bands
from eolab.catalog.items.quality_masks import grow
from eolab.errors import EolabError, InvalidInputError, NotFoundError


@pytest.fixture
def slovenia(shared_data, config):
    return open_source(config, str(shared_data / "eolearn-slovenia-stac")).search(max_cloud=50)


class TestSlovenia:
    """Real Sentinel-2 scenes with a reference made by others."""

    def test_ndvi_equals_the_reference(self, slovenia, shared_data):
        cube = load(slovenia, bands=["red", "nir"], native=True)
        reference = np.load(shared_data / "eolearn-slovenia/NDVI.npy")[..., 0]
        days = [
            t[:10]
            for t in json.loads((shared_data / "eolearn-slovenia/timestamps.json").read_text())
        ]
        wanted = reference[[days.index(str(t)[:10]) for t in cube.time.values]]
        ndvi = cube.eo.spectral_index("NDVI").values
        valid = np.isfinite(ndvi) & np.isfinite(wanted)
        assert valid.mean() > 0.99
        assert np.abs(ndvi - wanted)[valid].max() < 1e-6

    def test_raw_numbers_on_the_native_grid_equal_odc_stac(self, slovenia):
        items = list(slovenia)
        ours = load(items, bands=["B04", "B11"], native=True, raw=True)
        theirs = odc.stac.load(items, bands=["B04", "B11"], like=ours)
        for band in ("B04", "B11"):
            assert ours[band].dtype == np.uint16
            assert np.array_equal(ours[band].values, theirs[band].values)
            with rasterio.open(items[0].assets[band].href) as file:
                assert np.array_equal(ours[band].values[0], file.read(1))

    def test_there_is_nothing_to_mask_with_and_it_says_so(self, slovenia):
        with pytest.raises(InvalidInputError, match="nothing to mask with"):
            load(slovenia, bands=["red"], mask=mask(["cloud"]))

    def test_bands_default_to_all_by_common_name(self, slovenia):
        cube = load(slovenia, native=True)
        assert {"coastal", "blue", "green", "red", "nir", "swir16", "swir22"} <= set(cube.data_vars)
        assert len(cube.data_vars) == 13


class TestShape:
    def test_dims_types_and_provenance(self, sample_items):
        cube = load(sample_items, bands=["red", "nir"], crs="EPSG:32633", resolution=60)
        assert cube.red.dims == ("time", "y", "x")
        assert all(cube[band].dtype == np.float32 for band in ("red", "nir"))
        assert cube.sizes["time"] == 12
        difference = (cube.nir - cube.red).isel(time=[1, 4])
        assert difference.baseline.values.tolist() == ["05.00", "05.10"]
        assert "SIM_S2B_33UTP_20210410_N0500" in str(difference.item_id.values[0])
        assert difference.relative_orbit.values.tolist() == ["22", "22"]

    def test_the_order_of_the_items_does_not_count(self, sample_items):
        items = list(sample_items)[:10]
        rng = np.random.default_rng(0)
        first = load(items, bands=["red"], resolution=40)
        for _ in range(3):
            again = load([items[k] for k in rng.permutation(10)], bands=["red"], resolution=40)
            xr.testing.assert_identical(first, again)

    def test_pixel_edges_lie_on_the_products_own(self, sample_items):
        items = [i for i in sample_items if i.properties["proj:code"] == "EPSG:32632"][:2]
        cube = load(items, bands=["red"], bbox=(11.95, 48.59, 11.97, 48.60))
        transform = items[0].assets["B04"].extra_fields["proj:transform"]
        offset = (cube.x.values[0] - 5 - transform[2]) / 10
        assert offset == round(offset)
        with rasterio.open(items[0].assets["B04"].href) as file:
            window = file.read(1)
            row, column = file.index(cube.x.values[0], cube.y.values[0])
        raw = load(
            items[:1], bands=["red"], bbox=(11.95, 48.59, 11.97, 48.60), raw=True
        ).red.values[0]
        assert np.array_equal(raw, window[row : row + raw.shape[0], column : column + raw.shape[1]])

    def test_a_geometry_crops_and_clips(self, sample_items):
        area = shapely.Point(12.0, 48.6).buffer(0.01)
        cube = load(list(sample_items)[:2], bands=["red"], intersects=area, crs="EPSG:32633")
        share = np.isfinite(cube.red.values[0]).mean()
        assert share == pytest.approx(np.pi / 4, abs=0.03)

    def test_stored_numbers_stay_what_they_are_in_a_geometry(self, sample_items):
        area = shapely.Point(12.0, 48.6).buffer(0.005)
        cube = load(sample_items, bands=["red"], intersects=area, raw=True)
        assert cube.red.dtype == np.uint16
        assert (cube.red.values[:, 0, 0] == cube.red.attrs["nodata"]).all()

    def test_an_exact_grid_is_kept(self, sample_items):
        grid = GeoBox.from_bbox(
            (275_000, 5_386_000, 276_000, 5_387_000), "EPSG:32633", resolution=20
        )
        cube = load(list(sample_items)[:2], bands=["red"], geobox=grid)
        assert cube.odc.geobox == grid

    def test_degrees_are_y_and_x_too(self, sample_items):
        cube = load(list(sample_items)[:2], bands=["red"], crs="EPSG:4326", resolution=0.0005)
        assert cube.red.dims == ("time", "y", "x")
        assert cube.odc.geobox.crs.epsg == 4326

    def test_lazy_and_eager_agree(self, sample_items):
        items = [i for i in sample_items if "33UTP" in i.id][:4]
        options = {"bands": ["red", "B11"], "crs": "EPSG:32633", "resolution": 20}
        eager = load(items, mask=mask(dilate=40), **options)
        lazy = load(items, mask=mask(dilate=40), chunks={"x": 256, "y": 256}, **options)
        assert lazy.chunks
        for band in options["bands"]:
            assert np.array_equal(eager[band], lazy[band].compute(), equal_nan=True)

    def test_a_lazy_cube_of_two_zones_is_read_without_a_warning(self, sample_items):
        """In a process of its own: another test may have told Python what to leave unsaid."""
        code = (
            "import sys, eolab as eo; from eolab.settings.config import Config;"
            "from pathlib import Path;"
            "from eolab.catalog import open_source;"
            "cat = open_source(Config(root=Path(sys.argv[1])), sys.argv[1]);"
            "items = cat.search(datetime='2021-08', max_cloud=10, cloud_missing='drop');"
            "cube = eo.load(items, bands=['red'], chunks={'x': 256});"
            "assert len(cube.eolab_tiles.split(', ')) == 2; cube.compute()"
        )
        folder = Path(sample_items[0].self_href).parents[2]
        command = [sys.executable, "-c", code, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "Warning" not in done.stderr

    def test_of_another_zone_both_are_the_nearest_pixel_but_for_ties(self, sample_items):
        """GDAL interpolates positions over what it warps at once: the cube, or a chunk of it."""
        item = next(i for i in sample_items if "33UTP" in i.id)
        options = {"bands": ["red"], "crs": "EPSG:32632", "resolution": 10, "raw": True}
        eager = load([item], **options).red[0]
        lazy = load([item], chunks={"x": 64, "y": 64}, **options).red[0].compute()
        with rasterio.open(item.assets["B04"].href) as file:
            stored, back = file.read(1), ~file.transform
        there = Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True)
        column, row = back * there.transform(*np.meshgrid(eager.x.data, eager.y.data))
        inside = (column > 0) & (row > 0) & (column < stored.shape[1]) & (row < stored.shape[0])
        nearest = np.zeros(eager.shape, stored.dtype)
        nearest[inside] = stored[row[inside].astype(int), column[inside].astype(int)]
        # How far from the border to the next pixel of the file, in its pixels.
        to_border = np.minimum(abs(column - column.round()), abs(row - row.round()))
        for cube in (eager, lazy):
            other = cube.data != nearest
            assert other.mean() < 0.01
            assert to_border[other].max() < 0.02
        assert inside.mean() > 0.8

    def test_a_plan_states_the_megabytes(self, sample_items):
        made = estimate_load(sample_items, bands=["red", "nir"], crs="EPSG:32633", resolution=20)
        cube = load(sample_items, bands=["red", "nir"], crs="EPSG:32633", resolution=20)
        assert made.megabytes * 1e6 == sum(cube[band].nbytes for band in cube.data_vars)
        assert made.reads == 2 * 24
        assert "12 dates" in str(made)

    def test_what_is_planned_is_shown_short(self, sample_items):
        shown = repr(estimate_load(sample_items, bands=["red"], mask=mask()))
        assert shown.startswith(f"<{estimate_load(sample_items, bands=['red'], mask=mask())}>")
        assert "red on EPSG:32633 at 10\n" in shown
        assert "masked by SCL" in shown
        assert "N0300, an older processing baseline" in shown
        assert len(shown) < 700
        resolved = resolve_duplicates(sample_items)
        assert repr(resolved).startswith(f"<{len(resolved.items)} items, 2 left out>")
        cube = load(sample_items[0], bands=["red"], resolution=40)
        assert ".composite" in repr(cube.eo)

    def test_a_huge_cube_is_asked_back(self, sample_items):
        with pytest.raises(InvalidInputError, match="large") as error:
            load(sample_items, bands=["red"], crs="EPSG:32633", resolution=0.2)
        assert "force=True" in error.value.hint

    def test_a_cube_that_the_memory_does_not_hold_is_asked_back(
        self, sample_items, tmp_path, monkeypatch
    ):
        """In a hub's pod the kernel would be killed without a word."""
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 4000000 kB\n")
        assert free_megabytes(tmp_path) == 4096
        group = tmp_path / "sys" / "fs" / "cgroup"
        group.mkdir(parents=True)
        (group / "memory.current").write_text("190000000\n")
        (group / "memory.max").write_text("max\n")
        assert free_megabytes(tmp_path) == 4096
        (group / "memory.max").write_text("200000000\n")
        assert free_megabytes(tmp_path) == 10
        # What files are held in memory can be let go of.
        (group / "memory.stat").write_text("anon 7\ninactive_file 90000000\nactive_file 1\n")
        assert free_megabytes(tmp_path) == 100
        (group / "memory.stat").unlink()
        assert free_megabytes(tmp_path / "nothing") == float("inf")
        monkeypatch.setattr(cube_module, "free_megabytes", lambda: free_megabytes(tmp_path))
        with pytest.raises(InvalidInputError, match="10 MB of memory are free") as error:
            load(sample_items, bands=["red"])
        assert "chunks=" in error.value.hint
        load(sample_items[0], bands=["red"])
        load(sample_items, bands=["red"], chunks={})
        load(sample_items, bands=["red"], force=True)

    def test_bands_of_one_file_are_told_apart(self, shared_data, config):
        source = open_source(config, str(shared_data / "stac-planet-disaster"))
        item = source.item("planet-disaster-data", "20170831_172754_101c")
        asset = item.assets["analytic"]
        with rasterio.open(asset.href) as file:
            wanted, count = file.read(), file.count
        assert count == 4
        asset.extra_fields["eo:bands"] = [
            {"name": name, "common_name": name} for name in ("blue", "green", "red", "nir")
        ]
        item.assets = {"analytic": asset}
        item.properties = {k: v for k, v in item.properties.items() if not k.startswith("proj:")}
        cube = load([item], bands=["red", "nir"], native=True, raw=True)
        assert np.array_equal(cube.red.values[0], wanted[2])
        assert np.array_equal(cube.nir.values[0], wanted[3])


class TestIndices:
    def test_indices_and_constants(self, sample_items):
        cube = load(list(sample_items)[:2], bands=["blue", "red", "nir", "swir16"], resolution=40)
        r, n, b = cube.red, cube.nir, cube.blue
        np.testing.assert_allclose(cube.eo.spectral_index("ndvi"), (n - r) / (n + r), atol=1e-6)
        evi = 2.5 * (n - r) / (n + 6 * r - 7.5 * b + 1)
        np.testing.assert_allclose(cube.eo.spectral_index("EVI"), evi, rtol=1e-4)
        savi = cube.eo.spectral_index("SAVI", L=0.25)
        np.testing.assert_allclose(savi, 1.25 * (n - r) / (n + r + 0.25), rtol=1e-4)
        with pytest.raises(InvalidInputError, match="needs green"):
            cube.eo.spectral_index("NDWI")
        with pytest.raises(InvalidInputError, match="no spectral index 'NDVII'") as error:
            cube.eo.spectral_index("NDVII")
        assert "NDVI" in error.value.hint
        with pytest.raises(InvalidInputError, match="takes no"):
            cube.eo.spectral_index("NDVI", L=1)
        with pytest.raises(InvalidInputError, match="no name of an index"):
            cube.eo.spectral_index(["NDVI", "EVI"])

    def test_stored_numbers_do_not_wrap_around(self, sample_items):
        items = list(sample_items)[:2]
        raw = load(items, bands=["red", "nir"], raw=True)
        assert (raw.red > raw.nir).any(), "where a difference of unsigned numbers would wrap"
        with pytest.warns(UserWarning, match="stored numbers") as told:
            index = raw.eo.spectral_index("NDVI")
        assert len(told) == 1
        red, nir = (raw[name].values.astype(float) for name in ("red", "nir"))
        seen = (red > 0) & (nir > 0)
        assert np.array_equal(np.isfinite(index), seen)
        np.testing.assert_allclose(
            index.values[seen], ((nir - red) / np.where(seen, nir + red, 1))[seen], rtol=1e-5
        )


def test_values_are_in_what_the_item_says(sample_items):
    item = sample_items[0].clone()
    before = load([item], bands=["red"], resolution=60)
    assert before.red.units == "1"
    (entry,) = stated_bands(item.assets["B04"])
    item.assets["B04"].extra_fields["raster:bands"] = [{**entry, "unit": "W m-2 sr-1"}]
    cube = load([item], bands=["red", "nir"], resolution=60)
    assert (cube.red.units, cube.nir.units) == ("W m-2 sr-1", "1")


class TestSaving:
    """What xarray writes comes back, in the formats that people use."""

    @pytest.mark.parametrize("raw", [False, True])
    def test_netcdf(self, sample_items, tmp_path, raw):
        cube = load(list(sample_items)[:4], bands=["red"], resolution=40, raw=raw)
        cube.to_netcdf(tmp_path / "cube.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "cube.nc", decode_coords="all") as back:
            xr.testing.assert_equal(back.load(), cube)
            assert back.attrs == cube.attrs
        with xr.open_dataset(tmp_path / "cube.nc") as back:  # spatial_ref is a variable here
            assert back.odc.geobox == cube.odc.geobox
            assert list(back.eo.composite().data_vars) == ["red", "count"]
            assert back.eo.plot() is not None
        with rasterio.open(f"netcdf:{tmp_path / 'cube.nc'}:red") as file:
            assert file.crs.to_epsg() == cube.odc.crs.epsg

    def test_the_oldest_netcdf(self, sample_items, tmp_path):
        cube = load(list(sample_items)[:4], bands=["red"], resolution=40)
        cube.to_netcdf(tmp_path / "cube.nc", engine="scipy")
        with xr.open_dataset(tmp_path / "cube.nc", engine="scipy") as back:
            assert back.attrs == cube.attrs

    def test_zarr_without_a_warning(self, sample_items, tmp_path):
        cube = load(list(sample_items)[:4], bands=["red"], resolution=40)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            cube.to_zarr(tmp_path / "cube.zarr", consolidated=False)
            back = xr.open_zarr(tmp_path / "cube.zarr", consolidated=False, decode_coords="all")
        xr.testing.assert_equal(back.load(), cube)
        assert (
            back.eo.composite().item_id.values.tolist()
            == cube.eo.composite().item_id.values.tolist()
        )
        assert back.item_id.values.tolist() == cube.item_id.values.tolist()


class TestMask:
    @pytest.mark.parametrize("pixels", [1, 1.5, 2.3])
    def test_growing_is_by_distance(self, pixels):
        rng = np.random.default_rng(1)
        found = rng.random((25, 31)) < 0.02
        rows, columns = np.nonzero(found)
        y, x = np.mgrid[:25, :31]
        near = np.hypot(y[..., None] - rows, x[..., None] - columns).min(axis=-1) <= pixels
        assert np.array_equal(grow(found, metres=pixels * 10, size=10), near)

    def test_dilation_is_in_metres_at_any_resolution(self, sample_items):
        items = [i for i in sample_items if "20210704" in i.id]
        shares = []
        for resolution in (10, 20):
            options = {"bands": ["red"], "crs": "EPSG:32633", "resolution": resolution}
            cube = load(items, mask=mask(["cloud"], dilate=100), **options)
            shares.append(float(np.isnan(cube.red.values).mean()))
        assert shares[0] == pytest.approx(shares[1], abs=0.01)

    def test_unknown_kinds_are_helped(self):
        with pytest.raises(InvalidInputError, match="unknown kind 'clouds'") as error:
            mask(["clouds"])
        assert "'cloud'" in error.value.hint
        for wrong in ({"drop": []}, {"dilate": -1}):
            (name,) = wrong
            with pytest.raises(InvalidInputError, match=rf"^mask\({name}"):
                mask(**wrong)

    def test_raw_takes_no_mask(self, sample_items):
        with pytest.raises(InvalidInputError, match="raw"):
            load(sample_items, bands=["red"], raw=True, mask=mask())


class TestArguments:
    """A slip is named with what is allowed, before anything is read."""

    @pytest.mark.parametrize(
        ("wrong", "message", "hint"),
        [
            ({"crs": "EPSG:3266666"}, "crs = 'EPSG:3266666'", "EPSG:32633"),
            ({"resolution": -10}, "resolution = -10", "above 0"),
            ({"resolution": (10, 10)}, "resolution", "one number"),
            ({"resolution": "10"}, "resolution", "one number"),
            ({"crs": "EPSG:4326", "resolution": 10}, "holds the whole area", "0.0001"),
            ({"resampling": "bilinaer"}, "resampling = 'bilinaer'", "'bilinear'"),
            ({"chunks": "auto"}, "chunks = 'auto'", '"x": 1024'),
            ({"chunks": {"lat": 100}}, "no dimension 'lat'", "time, y, x"),
            ({"chunks": {"x": 0}}, "x = 0", '"x": 1024'),
            ({"missing": "ignore"}, "missing = 'ignore'", '"raise" or "skip"'),
            ({"duplicates": "drop"}, "duplicates = 'drop'", '"resolve" or "keep"'),
            ({"harmonise": "HLS"}, "harmonise = 'HLS'", '"hls" or None'),
            ({"mask": "cloud"}, "is no mask", "eo.mask(['cloud'])"),
            ({"mask": ["cloud", "snow"]}, "is no mask", "eo.mask(['cloud', 'snow'])"),
            ({"mask": True}, "is no mask", 'eo.mask(["cloud", "shadow"])'),
            ({"geobox": (10, 10)}, "'tuple' is no grid", "cube.odc.geobox"),
            ({"bbox": (48.59, 11.96, 48.61, 12.02)}, "outside of all", "longitude before"),
            ({"bbox": (1, 2, 3, 4)}, "outside of all", "same area"),
        ],
    )
    def test_a_slip_is_helped(self, sample_items, wrong, message, hint):
        with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
            load(sample_items, **{"bands": ["red"], **wrong})
        assert hint in error.value.hint

    def test_a_geobox_takes_no_second_grid(self, sample_items):
        box = GeoBox.from_bbox(
            (280_000, 5_385_000, 281_000, 5_386_000), "EPSG:32633", resolution=10
        )
        for more in (
            {"crs": "EPSG:32633"},
            {"resolution": 10},
            {"native": True},
            {"bbox": [1] * 4},
        ):
            with pytest.raises(InvalidInputError, match="whole grid"):
                load(sample_items, bands=["red"], geobox=box, **more)

    @pytest.mark.parametrize("thing", ["sample", {"type": "FeatureCollection"}, 3])
    def test_what_is_no_items(self, thing, sample_items):
        with pytest.raises(InvalidInputError, match="no collection of items"):
            load(thing)
        with pytest.raises(InvalidInputError, match="no STAC item") as error:
            load([sample_items[0].to_dict()])
        assert "from_dict" in error.value.hint

    def test_one_item_is_a_list_of_one(self, sample_items):
        one = load(sample_items[0], bands=["red"], resolution=40)
        xr.testing.assert_identical(one, load([sample_items[0]], bands=["red"], resolution=40))

    def test_a_reference_system_by_number(self, sample_items):
        options = {"bands": ["red"], "resolution": 40}
        by_number = load(sample_items[0], crs=32633, **options)
        xr.testing.assert_identical(by_number, load(sample_items[0], crs="EPSG:32633", **options))


class TestFaults:
    """Two-line errors that name the thing."""

    @pytest.fixture
    def item(self, sample_items, tmp_path):
        original = next(iter(sample_items))
        item = pystac.Item.from_dict(original.to_dict(transform_hrefs=False))
        for key in ("B04", "B08", "SCL"):
            path = tmp_path / f"{key}.tif"
            shutil.copy(original.assets[key].href, path)
            item.assets[key].href = str(path)
        return item

    def test_an_empty_search(self):
        with pytest.raises(InvalidInputError, match="search found none"):
            load([], bands=["red"])

    def test_a_missing_file_is_named_or_skipped(self, item, sample_items, tmp_path):
        (tmp_path / "B04.tif").unlink()
        with pytest.raises(NotFoundError, match="'B04'"):
            load([item], bands=["red"])
        others = [i for i in sample_items if "20210806" in i.id]
        cube = load([item, *others], bands=["red"], missing="skip", resolution=40)
        assert cube.sizes["time"] == 1
        assert cube.attrs["eolab_missing"] == item.id

    def test_a_raster_without_a_reference_system(self, item, tmp_path):
        with rasterio.open(tmp_path / "B04.tif") as file:
            values, profile = file.read(), file.profile
        profile.update(driver="GTiff", crs=None)
        with rasterio.open(tmp_path / "B04.tif", "w", **profile) as file:
            file.write(values)
        with pytest.raises(InvalidInputError, match="no reference system"):
            load([item], bands=["red"])
        del item.properties["proj:code"]
        with pytest.raises(InvalidInputError, match="no reference system"):
            load([item], bands=["red"])

    def test_a_broken_raster(self, item, tmp_path):
        (tmp_path / "B04.tif").write_bytes(b"II*\0 not a tiff at all")
        with pytest.raises(EolabError, match="B04"):
            load([item], bands=["red"])

    def test_an_area_outside(self, item):
        with pytest.raises(InvalidInputError, match="outside"):
            load([item], bands=["red"], bbox=(0, 0, 1, 1))

    def test_an_unknown_band(self, item):
        with pytest.raises(InvalidInputError, match="no band 'nirr'") as error:
            load([item], bands=["nirr"])
        assert "nir" in error.value.hint

    def test_native_needs_one_grid(self, sample_items):
        with pytest.raises(InvalidInputError, match="native"):
            load(list(sample_items)[:2], bands=["red"], native=True)
