"""Each layer of each item is read by what is true of it, not by what is true of the first."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pystac
import pytest
import rasterio
import shapely
import xarray as xr
from affine import Affine
from rasterio.enums import ColorInterp

from eolab.catalog import load, mask
from eolab.catalog.io.overviews import picks_pixels
from eolab.errors import InvalidInputError

SHAPE = (8, 8)
TRANSFORM = [10.0, 0.0, 500_000.0, 0.0, -10.0, 5_200_000.0]
OUTLINE = {
    "type": "Polygon",
    "coordinates": [[[15, 46.94], [15.01, 46.94], [15.01, 46.96], [15, 46.96], [15, 46.94]]],
}


@pytest.fixture
def write(tmp_path):
    """Write arrays as a GeoTIFF and return its path."""

    def make(name, values, *, nodata=None, seen=None, colours=None, scale=None):
        stack = np.asarray(values)
        stack = stack[None] if stack.ndim == 2 else stack
        path = tmp_path / f"{name}.tif"
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(
                path, "w", driver="GTiff", count=len(stack), width=8, height=8, dtype=stack.dtype,
                crs="EPSG:32633", transform=Affine(*TRANSFORM), nodata=nodata,
            ) as file,
        ):  # fmt: skip
            file.write(stack)
            if colours is not None:
                file.colorinterp = colours
            if seen is not None:
                file.write_mask(seen)
            if scale is not None:
                file.scales = [scale] * len(stack)
        return path

    return make


def scene(name, assets, *, day=0, **properties):
    """An item of files, each with what it says of itself."""
    item = pystac.Item(
        name,
        OUTLINE,
        [15, 46.94, 15.01, 46.96],
        datetime(2021, 5, 17, 10, tzinfo=UTC) + timedelta(days=day),
        {
            "proj:code": "EPSG:32633",
            "proj:transform": TRANSFORM,
            "proj:shape": [8, 8],
            **properties,
        },
        collection="own",
    )
    for key, (path, fields) in assets.items():
        roles = fields.pop("roles", ["data"])
        item.add_asset(
            key,
            pystac.Asset(str(path), media_type="image/tiff", roles=roles, extra_fields=fields),
        )
    return item


def full(value, dtype):
    return np.full(SHAPE, value, dtype)


def test_each_item_has_its_own_number_of_a_band(write):
    four = ["blue", "green", "red", "nir"]
    eight = ["coastal", "blue", "green_i", "green", "yellow", "red", "rededge", "nir"]
    items = []
    for day, names in enumerate((four, eight)):
        path = write(f"n{day}", [full(10 * len(names) + k, "u2") for k in range(len(names))])
        bands = {"eo:bands": [{"name": n, "common_name": n} for n in names]}
        items.append(scene(f"n{day}", {"analytic": (path, bands)}, day=day))
    for listed in (items, items[::-1]):
        cube = load(listed, bands=["red", "nir"])
        assert cube.red.values[:, 0, 0].tolist() == [42, 85]
        assert cube.nir.values[:, 0, 0].tolist() == [43, 87]
        raw = load(listed, bands=["red"], raw=True)
        assert raw.red.values[:, 0, 0].tolist() == [42, 85]


@pytest.mark.parametrize("chunks", [None, {"x": 4, "y": 4}])
def test_each_item_has_its_own_nodata_type_and_scale(write, chunks):
    kinds = (("int16", -9999, 100, 1), ("int16", -32768, 200, 1), ("uint8", 255, 7, 0.5),
             ("float32", None, 0.25, 1))  # fmt: skip
    items, wanted = [], []
    for day, (dtype, nodata, value, scale) in enumerate(kinds):
        values = full(value, dtype)
        values[0] = np.nan if nodata is None else nodata
        fields = {"data_type": dtype, "raster:scale": scale}
        if nodata is not None:
            fields["nodata"] = nodata
        items.append(scene(f"i{day}", {"w": (write(f"i{day}", values), fields)}, day=day))
        wanted.append(value * scale)
    for order in (items, items[::-1]):
        cube = load(order, bands=["w"], chunks=chunks).compute()
        assert np.isnan(cube.w.values[:, 0]).all()
        assert cube.w.values[:, 1, 0].tolist() == wanted
    ints = load(items[:3], bands=["w"], raw=True, chunks=chunks).compute()
    assert (ints.w.values[:, 0] == ints.w.attrs["nodata"]).all()
    assert ints.w.values[:, 1, 0].tolist() == [100, 200, 7]


def test_tiles_of_one_pass_with_other_scales_are_one_slice(write):
    """Where the first knows nothing, the second does."""
    west, east = full(1000, "u2"), full(500, "u2")
    west[:, 4:], east[:, :4] = 0, 0
    items = [
        scene(name, {"red": (write(name, v), {"nodata": 0, "data_type": "uint16", "scale": s})})
        for name, v, s in (("a", west, 1e-4), ("b", east, 1e-3))
    ]
    cube = load(items, bands=["red"])
    assert cube.sizes["time"] == 1
    np.testing.assert_allclose(cube.red.values[0, 0], [0.1] * 4 + [0.5] * 4, rtol=1e-6)


@pytest.mark.parametrize(
    ("first", "second"), [("kelvin", "degree_Celsius"), ("m", "ft"), ("K", "degC")]
)
def test_one_name_for_two_units_is_refused(write, first, second):
    fields = {"data_type": "float32", "nodata": "nan", "scale": 1.0}
    items = [
        scene(u, {"t": (write(u, full(290, "f4")), {**fields, "unit": u})}, day=d)
        for d, u in enumerate((first, second))
    ]
    with pytest.raises(InvalidInputError, match="band 't' has two units") as error:
        load(items, bands=["t"])
    assert all(f"item {unit}" in error.value.message for unit in (first, second))


def test_units_that_are_written_in_two_ways_are_one(write):
    fields = {"data_type": "float32", "nodata": "nan", "scale": 1.0}
    items = [
        scene(f"u{d}", {"t": (write(f"u{d}", full(290, "f4")), {**fields, "unit": u})}, day=d)
        for d, u in enumerate(("K", "kelvin"))
    ]
    assert load(items, bands=["t"]).sizes["time"] == 2


def test_thermal_bands_of_two_products_are_not_one_band(write):
    hls = scene("HLS.L30.T33UVP.2022137T101031.v2.0", {"B10": (write("h", full(2534, "i2")), {})})
    usgs = scene(
        "LC08_L2SP_190027_20210517_20210525_02_T1",
        {"ST_B10": (write("l", full(44000, "u2")), {})},
        day=1,
        platform="landsat-8",
    )
    assert load(hls, bands=["lwir11"]).lwir11.values[0, 0, 0] == pytest.approx(25.34)
    assert load(usgs, bands=["lwir11"]).lwir11.values[0, 0, 0] == pytest.approx(299.393, rel=1e-5)
    with pytest.raises(InvalidInputError, match=r"degree_celsius in item HLS.*kelvin in item LC08"):
        load([hls, usgs], bands=["lwir11"])


class TestTheUsersWord:
    def test_it_counts_before_all(self, write):
        item = scene("a", {"red": (write("a", full(50, "u2"), nodata=0, scale=0.1), {})})
        assert load(item, bands=["red"]).red.values[0, 0, 0] == 5
        cube = load(item, bands=["red"], scale=0.5)
        assert cube.red.values[0, 0, 0] == 25
        cube = load(item, bands=["red"], scale={"red": 1}, offset={"red": -20})
        assert cube.red.values[0, 0, 0] == 30
        assert np.isnan(load(item, bands=["red"], nodata=50).red.values).all()
        zero = scene("z", {"red": (write("z", full(0, "u2"), nodata=0), {})})
        assert (load(zero, bands=["red"], nodata=65535).red.values == 0).all()

    @pytest.mark.parametrize(
        ("wish", "said"),
        [
            ({"scale": "x"}, "scale = 'x'"),
            ({"scale": 0}, "scale = 0"),
            ({"scale": True}, "scale = True"),
            ({"offset": float("nan")}, "offset = nan"),
            ({"nodata": {"ret": 1}}, "no band 'ret' is loaded"),
            ({"scale": 2, "raw": True}, "no scale or offset"),
        ],
    )
    def test_slips_are_told(self, write, wish, said):
        item = scene("a", {"red": (write("a", full(50, "u2")), {})})
        with pytest.raises(InvalidInputError, match=said):
            load(item, bands=["red"], **wish)

    def test_bands_are_renamed(self, write):
        path = write("s", [full(k, "u2") for k in (1, 2, 3)])
        item = scene("a", {"data": (path, {})})
        cube = load(item, bands={"red": "data.3", "blue": "data.1"}, scale={"red": 0.5})
        assert {k: float(v[0, 0, 0]) for k, v in cube.items()} == {"red": 1.5, "blue": 1}
        with pytest.raises(InvalidInputError, match="no name of a band"):
            load(item, bands={"red": 3})


class TestFilesOfSeveralBands:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"raster:bands": [{"data_type": "uint16", "nodata": 0}] * 3},
            {"eo:bands": [{"name": "one"}, {"name": "two"}], "raster:bands": [{}] * 3},
            {"eo:bands": [{"name": "same"}] * 3},
        ],
    )
    def test_all_of_them_are_loaded_whatever_is_said_of_them(self, write, fields):
        path = write("s", [full(k, "u2") for k in (1, 2, 3)])
        cube = load(scene("a", {"data": (path, fields)}))
        assert [float(band[0, 0, 0]) for band in cube.values()] == [1, 2, 3]

    def test_one_name_for_all_of_them_is_asked_back(self, write):
        path = write("s", [full(k, "u2") for k in (1, 2)])
        with pytest.raises(InvalidInputError, match="holds 2 bands"):
            load(scene("a", {"data": (path, {})}), bands=["data"])

    def test_a_band_that_is_not_there_is_said(self, write):
        item = scene("a", {"data": (write("s", full(1, "u2")), {"data_type": "uint16"})})
        with pytest.raises(InvalidInputError, match="there is no band 4"):
            load(item, bands=["data.4"])


RGBA = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
HIDDEN = np.zeros(SHAPE, bool)
HIDDEN[:2] = True


@pytest.mark.parametrize("grid", [{}, {"crs": "EPSG:3857", "resolution": 7}])
@pytest.mark.parametrize("resampling", ["nearest", "bilinear"])
class TestValidity:
    """What is masked is not known, on the file's own grid and on others, and nothing else."""

    @staticmethod
    def shares(band):
        values = band.values[0]
        known = values[np.isfinite(values)]
        assert np.allclose(known, 50), np.unique(known)
        return np.isnan(values).mean()

    def test_internal_masks(self, write, grid, resampling):
        values = np.where(HIDDEN, 9, 50).astype("u1")
        item = scene("m", {"w": (write("m", values, seen=~HIDDEN), {"data_type": "uint8"})})
        whole = scene("n", {"w": (write("n", full(50, "u1")), {"data_type": "uint8"})})
        masked = self.shares(load(item, bands=["w"], resampling=resampling, **grid).w)
        rest = self.shares(load(whole, bands=["w"], resampling=resampling, **grid).w)
        assert masked == pytest.approx(0.25 + 0.75 * rest, abs=0.09)

    def test_alpha_bands(self, write, grid, resampling):
        alpha = np.where(HIDDEN, 0, 255)
        stack = np.stack([np.where(HIDDEN, 9, 50)] * 3 + [alpha]).astype("u1")
        item = scene("m", {"w": (write("m", stack, colours=RGBA), {})})
        cube = load(item, resampling=resampling, **grid)
        assert list(cube) == ["w.1", "w.2", "w.3"]
        assert self.shares(cube["w.2"]) > 0.2

    def test_nan_beside_a_nodata(self, write, grid, resampling):
        values = full(50, "f4")
        values[0], values[1] = -9999, np.nan
        item = scene("m", {"w": (write("m", values, nodata=-9999), {"data_type": "float32"})})
        assert self.shares(load(item, bands=["w"], resampling=resampling, **grid).w) > 0.2

    def test_the_files_nodata_beside_the_items(self, write, grid, resampling):
        values = full(50, "i2")
        values[0], values[1] = -9999, -1
        fields = {"data_type": "int16", "nodata": -9999}
        item = scene("m", {"w": (write("m", values, nodata=-1), fields)})
        assert self.shares(load(item, bands=["w"], resampling=resampling, **grid).w) > 0.2


def test_masks_in_a_side_file(write):
    path = write("m", full(50, "u1"))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as file:
        file.write_mask(~HIDDEN)
    assert path.with_name("m.tif.msk").exists()
    cube = load(scene("m", {"w": (path, {})}), bands=["w"])
    assert np.array_equal(np.isnan(cube.w.values[0]), HIDDEN)


def test_complex_numbers_are_not_cut_to_real_ones(write):
    item = scene("slc", {"w": (write("c", full(1 + 2j, "c8")), {})})
    for raw in (False, True):
        with pytest.raises(InvalidInputError, match="w of item slc holds complex numbers"):
            load(item, bands=["w"], raw=raw)


def test_pictures_of_bands_are_none_of_all(write):
    picture = write("p", [full(k, "u1") for k in (60, 70, 80)])
    item = scene(
        "m", {"visual": (picture, {"roles": ["visual"]}), "w": (write("w", full(5, "u2")), {})}
    )
    assert list(load(item)) == ["w"]
    assert load(item, bands=["visual.2"])["visual.2"].values[0, 0, 0] == 70


def test_the_near_infrared_is_no_alpha_band(write):
    """GDAL calls the fourth of four bands of bytes so."""
    stack = np.stack([full(k, "u1") for k in (1, 2, 3, 0)])
    names = [{"name": n, "common_name": n} for n in ("red", "green", "blue", "nir")]
    item = scene("m", {"w": (write("m", stack, colours=RGBA), {"eo:bands": names})})
    assert load(item, bands=["red", "nir"]).red.values[0, 0, 0] == 1


class TestWholeNumbers:
    @pytest.mark.parametrize("dtype", ["int32", "uint32", "float64", "int64"])
    def test_large_ones_keep_their_digits(self, write, dtype):
        ids = (np.arange(64) + 2**24).reshape(SHAPE).astype(dtype)
        cube = load(scene("m", {"w": (write("m", ids), {})}), bands=["w"])
        assert np.array_equal(cube.w.values[0], ids)

    def test_those_that_no_real_number_holds_are_refused(self, write):
        ids = (np.arange(64) + 2**60).reshape(SHAPE)
        item = scene("m", {"w": (write("m", ids), {})})
        with pytest.raises(InvalidInputError, match="above 2\\^53"):
            load(item, bands=["w"])
        assert np.array_equal(load(item, bands=["w"], raw=True).w.values[0], ids)

    @pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
    def test_stored_numbers_without_a_nodata_are_all_values(self, write, dtype):
        values = (np.arange(64) % 3).reshape(SHAPE).astype(dtype)
        values[0, 0] = 255
        item = scene("m", {"w": (write("m", values), {})})
        raw = load(item, bands=["w"], raw=True)
        assert np.array_equal(raw.w.values[0], values)
        nodata = raw.w.attrs.get("nodata", np.nan)
        assert not (raw.w.values == nodata).any()
        assert np.array_equal(load(item, bands=["w"]).w.values[0], values)


def test_an_item_that_states_another_type_than_its_file_has_is_read_by_the_file(write):
    fields = {"data_type": "uint16", "nodata": 0, "scale": 1e-4}
    item = scene("m", {"red": (write("m", full(0.7, "f4")), fields)})
    assert load(item, bands=["red"]).red.values[0, 0, 0] == pytest.approx(0.7)


def test_two_lazy_cubes_of_one_file_are_not_one(write):
    item = scene("m", {"w": (write("m", full(8, "u2")), {})})
    one, other = (load(item, bands=["w"], scale=s, chunks={"x": 8, "y": 8}) for s in (1, 0.5))
    assert float((one.w - other.w).compute()[0, 0, 0]) == 4


def test_quality_layers_are_loaded_by_name_and_are_none_of_all(write):
    item = scene(
        "LC08_L2SP_190027_20210517_20210525_02_T1",
        {
            "red": (write("r", full(12000, "u2")), {}),
            "qa_aerosol": (write("q", full(96, "u1")), {"roles": ["metadata", "data-mask"]}),
        },
    )
    assert list(load(item)) == ["red"]
    assert load(item, bands=["qa_aerosol"]).qa_aerosol.values[0, 0, 0] == 96


def test_layers_that_say_their_classes_are_never_scaled(write):
    fields = {"scale": 0.01, "classification:classes": [{"value": 1, "name": "water"}]}
    item = scene("m", {"w": (write("m", full(1, "u1")), fields)})
    assert (load(item, bands=["w"], resampling="average", resolution=20).w.values == 1).all()


CHANCE = np.linspace(0, 0.98, 64).reshape(SHAPE)


@pytest.mark.parametrize("chunks", [None, {"x": 8, "y": 8}])
@pytest.mark.parametrize(
    ("dtype", "highest", "key", "fields"),
    [
        ("float32", 1, "cloud_probability", {"data_type": "float32"}),
        ("uint8", 100, "cloud", {"data_type": "uint8"}),
        ("uint8", 255, "CLP", {"data_type": "uint8"}),
        ("uint8", 200, "cloud", {"data_type": "uint8", "scale": 0.005}),
        ("float32", 100, "cloud", {"data_type": "float32", "unit": "%"}),
    ],
)
def test_a_cloud_probability_is_in_percent_whatever_its_scale(
    write, dtype, highest, key, fields, chunks
):
    cloud = write("c", (CHANCE * highest).astype(dtype))
    red = write("r", full(0.2, "f4"))
    item = scene("m", {"red": (red, {"data_type": "float32"}), key: (cloud, fields)})
    cube = load(item, bands=["red"], mask=mask(probability=40), chunks=chunks).compute()
    share = float(np.isnan(cube.red.values).mean())
    assert share == pytest.approx((CHANCE >= 0.4).mean(), abs=0.02)


def test_a_probability_of_nobody_knows_what_is_told_by_its_numbers_or_asked_back(write):
    values = (CHANCE * 255).astype("u1")
    red = write("r", full(0.2, "f4"))
    item = scene("m", {"red": (red, {}), "cloud": (write("c", values), {"data_type": "uint8"})})
    wanted = mask(probability=40)
    cube = load(item, bands=["red"], mask=wanted)
    assert np.array_equal(np.isnan(cube.red.values[0]), values >= 102)
    with pytest.raises(InvalidInputError, match="reaches 249: is it of 100"):
        load(item, bands=["red"], mask=wanted, chunks={"x": 8, "y": 8}).compute()
    said = mask(probability=40, maximum=255)
    lazy = load(item, bands=["red"], mask=said, chunks={"x": 8, "y": 8}).compute()
    assert np.array_equal(lazy.red, cube.red, equal_nan=True)


class TestStoredNumbersInStatistics:
    """The nodata of a cube of stored numbers is no value, wherever it is counted."""

    @pytest.fixture
    def raw(self, write):
        values = full(1000, "u2")
        values[:4] = 0
        item = scene("m", {"w": (write("m", values, nodata=0), {})})
        return load(item, bands=["w"], raw=True)

    def test_zones(self, raw):
        box = shapely.box(500_000, 5_199_920, 500_080, 5_200_000)
        zones = gpd.GeoDataFrame({"id": ["a"]}, geometry=[box], crs="EPSG:32633")
        row = raw.eo.zonal(zones, id="id", stats=["mean", "min"]).iloc[0]
        assert (row["w_mean"], row["w_min"], row["clear"]) == (1000, 1000, 0.5)

    def test_points_and_pixels(self, raw):
        places = [shapely.Point(500_005, y) for y in (5_199_995, 5_199_925)]
        points = gpd.GeoDataFrame({"id": [1, 2]}, geometry=places, crs="EPSG:32633")
        assert raw.eo.sample(points, id="id")["w"].tolist() == [1000]
        shapes = points.set_geometry(points.buffer(30))
        assert set(raw.eo.pixels(shapes)["w"]) == {1000}

    def test_chips(self, raw):
        patch, _ = raw.eo.chips(8)[0]
        assert np.isnan(patch[0, :4]).all()
        assert (patch[0, 4:] == 1000).all()

    def test_large_whole_numbers_in_zones(self, write):
        item = scene("m", {"w": (write("m", full(2**24 + 1, "i4")), {})})
        box = shapely.box(500_000, 5_199_920, 500_080, 5_200_000)
        zones = gpd.GeoDataFrame({"id": ["a"]}, geometry=[box], crs="EPSG:32633")
        for raw in (False, True):
            cube = load(item, bands=["w"], raw=raw)
            assert cube.eo.zonal(zones, id="id", stats=["max"])["w_max"].tolist() == [2**24 + 1]


class TestConstantsOfIndices:
    N, R, G, B = 0.4, 0.05, 0.08, 0.04

    @pytest.fixture
    def cube(self, write):
        values = {"nir": self.N, "red": self.R, "green": self.G, "blue": self.B}
        return load(scene("m", {k: (write(k, full(v, "f4")), {}) for k, v in values.items()}))

    def test_each_index_has_its_publications(self, cube):
        n, r, g, b = self.N, self.R, self.G, self.B
        wanted = {
            "SAVI": 1.5 * (n - r) / (n + r + 0.5),
            "EVI": 2.5 * (n - r) / (n + 6 * r - 7.5 * b + 1),
            "EVI2": 2.5 * (n - r) / (n + 2.4 * r + 1),
            "GSAVI": 1.5 * (n - g) / (n + g + 0.5),
            "MNLI": 1.5 * (n**2 - r) / (n**2 + r + 0.5),
            "WDRVI": (0.1 * n - r) / (0.1 * n + r),
        }
        for name, value in wanted.items():
            found = float(cube.eo.spectral_index(name)[0, 0, 0])
            assert found == pytest.approx(value, rel=1e-5), name

    def test_what_depends_on_the_place_is_asked_for(self, cube):
        with pytest.raises(InvalidInputError, match="WDVI needs sla, the slope of the soil line"):
            cube.eo.spectral_index("WDVI")
        found = float(cube.eo.spectral_index("WDVI", sla=1.2)[0, 0, 0])
        assert found == pytest.approx(self.N - 1.2 * self.R, rel=1e-5)


class TestProvenance:
    SCENE = "S2A_MSIL2A_20220517T101031_N0400_R022_T33UVP_20220517T123456"

    def test_it_says_for_each_layer_what_was_done_and_who_said_so(self, write, tmp_path):
        said = scene("a", {"red": (write("a", full(50, "u2"), nodata=7, scale=0.1), {})})
        fields = {"data_type": "uint16", "nodata": 0, "scale": 1e-4, "unit": "1"}
        other = scene("b", {"red": (write("b", full(9000, "u2")), fields)}, day=1)
        cube = load([said, other], bands=["red"], offset=0.5)
        table = cube.eo.provenance()
        assert table["item"].tolist() == ["a", "b"]
        assert table["scale"].tolist() == [0.1, 1e-4]
        assert table["scale_from"].tolist() == ["file", "asset"]
        assert table["offset_from"].tolist() == ["user", "user"]
        assert table["nodata"].tolist() == [7, 0]
        assert table["nodata_from"].tolist() == ["file", "asset"]
        cube.to_netcdf(tmp_path / "c.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "c.nc", decode_coords="all") as back:
            assert back.eo.provenance().equals(table)
        with pytest.raises(InvalidInputError, match="does not say"):
            (cube + 1).drop_attrs().eo.provenance()

    def test_a_rule_of_last_resort_is_told_once(self, write, monkeypatch):
        monkeypatch.setattr("eolab.catalog.cube.provenance.WARNED", set())
        item = scene(
            self.SCENE,
            {"B04": (write("a", full(2500, "u2")), {})},
            **{"s2:processing_baseline": "04.00"},
        )
        with pytest.warns(UserWarning, match=r"publishes it, numbers x 0\.0001 -0\.1") as told:
            load(item, bands=["red"])
        assert sum("publishes it" in str(one.message) for one in told) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            load(item, bands=["red"])

    @pytest.mark.parametrize(
        ("number", "wish", "said"),
        [
            (500, {}, "negative: an offset may have been applied twice"),
            (30_000, {"offset": 0.0}, r"over 1\.6"),
        ],
    )
    def test_reflectance_that_cannot_be_is_told(self, write, number, wish, said):
        item = scene(
            self.SCENE,
            {"B04": (write("a", full(number, "u2")), {"scale": 1e-4, "data_type": "uint16"})},
            **{"s2:processing_baseline": "04.00", "earthsearch:boa_offset_applied": False},
        )
        with pytest.warns(UserWarning, match=said):
            load(item, bands=["red"], **wish)

    def test_temperatures_that_cannot_be_are_told(self, write):
        name = "LC08_L2SP_190027_20210517_20210525_02_T1"
        fields = {"data_type": "uint16", "scale": 0.00341802}
        item = scene(name, {"ST_B10": (write("a", full(40000, "u2")), fields)})
        with pytest.warns(UserWarning, match="under 150"):
            load(item, bands=["lwir11"])


@pytest.mark.parametrize("side", [64, 63])
@pytest.mark.parametrize("made", ["average", "nearest"])
@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"classification:classes": [{"value": 10, "name": "tree"}]}, {"resampling": "average"}),
        ({}, {}),  # nobody says what these bytes are
        ({}, {"raw": True}),
    ],
)
def test_a_coarser_map_of_classes_shows_none_that_are_averages_of_its_overviews(
    tmp_path, fields, options, made, side
):
    """Overviews are read where they are seen to hold numbers of the map, which saves the rest."""
    numbers = np.where(np.random.default_rng(0).random((side, side)) < 0.5, 10, 40).astype("uint8")
    path = tmp_path / "map.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=1, width=side, height=side, dtype="uint8",
        crs="EPSG:32633", transform=Affine(*TRANSFORM), tiled=True, blockxsize=16, blockysize=16,
    ) as file:  # fmt: skip
        file.write(numbers, 1)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], rasterio.enums.Resampling[made])
    with rasterio.open(path, overview_level=1) as file:
        overview = file.read(1)
    item = scene("a", {"map": (path, fields)})
    item.assets["map"].extra_fields |= {"proj:shape": [side, side], "proj:transform": TRANSFORM}
    found = load([item], bands=["map"], resolution=40, **options)["map"].to_numpy()[0]
    assert set(np.unique(found)) <= {10, 40}
    if side == 64:
        assert np.array_equal(found, overview) == (made == "nearest")


def test_what_one_map_s_overviews_hold_says_nothing_of_another_one(tmp_path):
    """Not of what is written in its place, nor of one that only the end of its address tells."""
    numbers = np.where(np.random.default_rng(0).random((64, 64)) < 0.5, 10, 40).astype("uint8")

    def picks(name: str, made: str) -> bool:
        path = tmp_path / name
        with rasterio.open(
            path, "w", driver="GTiff", count=1, width=64, height=64, dtype="uint8",
            crs="EPSG:32633", transform=Affine(*TRANSFORM),
        ) as file:  # fmt: skip
            file.write(numbers, 1)
        with rasterio.open(path, "r+") as file:
            file.build_overviews([2], rasterio.enums.Resampling[made])
        with rasterio.open(path) as file, rasterio.open(path, overview_level=0) as first:
            return picks_pixels(file, first, 1, (32, 32))

    assert picks("map.tif", "nearest")
    assert not picks("map.tif", "average")
    assert picks("get?id=1", "nearest")
    assert not picks("get?id=2", "average")
