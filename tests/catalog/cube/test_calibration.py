"""Numbers of Level-1 scenes become reflectance, radiance or temperature by the scene's metadata."""

from __future__ import annotations

import json
import math
import shutil
from datetime import UTC, datetime

import numpy as np
import pystac
import pytest

import eolab as eo
from benchmarks.archive_cases import Grid, item, write_tif
from eolab.errors import InvalidInputError

GRID = Grid(shape=(8, 8))
TIME = datetime(2021, 5, 20, 10, tzinfo=UTC)
SCENE = "LC08_L1TP_185052_20210520_20210529_02_T1"
HOLE = np.zeros(GRID.shape, bool)
HOLE[0] = True
# As in the MTL file of a scene; that of a Level-2 product has the same keys in a group of its own.
GROUPS = {
    "IMAGE_ATTRIBUTES": {"SUN_ELEVATION": "30.00000000", "SPACECRAFT_ID": "LANDSAT_8"},
    "LEVEL1_RADIOMETRIC_RESCALING": {
        "RADIANCE_MULT_BAND_4": "9.8000E-03", "RADIANCE_ADD_BAND_4": "-49.0",
        "REFLECTANCE_MULT_BAND_4": "2.0000E-05", "REFLECTANCE_ADD_BAND_4": "-0.100000",
        "RADIANCE_MULT_BAND_10": "3.3420E-04", "RADIANCE_ADD_BAND_10": "0.10000",
    },
    "LEVEL1_THERMAL_CONSTANTS": {
        "K1_CONSTANT_BAND_10": "774.8853", "K2_CONSTANT_BAND_10": "1321.0789"
    },
    "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS": {"REFLECTANCE_MULT_BAND_4": "2.75e-05"},
}  # fmt: skip
LINES = "\n".join(
    f"  GROUP = {name}\n" + "\n".join(f"    {k} = {v}" for k, v in group.items())
    + f"\n  END_GROUP = {name}"
    for name, group in GROUPS.items()
)  # fmt: skip
TEXT = f"GROUP = LANDSAT_METADATA_FILE\n{LINES}\nEND_GROUP = LANDSAT_METADATA_FILE\nEND\n"
JSON = json.dumps({"LANDSAT_METADATA_FILE": GROUPS})
RADIANCE = 25_000 * 3.342e-4 + 0.1
VALUES = {
    ("red", "reflectance"): (10_000 * 2e-5 - 0.1) / math.sin(math.radians(30)),
    ("red", "radiance"): 10_000 * 9.8e-3 - 49,
    ("lwir11", "radiance"): RADIANCE,
    ("lwir11", "temperature"): 1321.0789 / math.log(774.8853 / RADIANCE + 1),
}


@pytest.fixture
def landsat(tmp_path):
    """Make a Level-1 scene of two bands and QA_PIXEL; its metadata as an asset, or beside."""

    def make(text=JSON, kind="json", *, asset=True):
        bands = {"red": ("B4", 10_000), "lwir11": ("B10", 25_000), "qa_pixel": ("QA_PIXEL", 21_824)}
        assets = {}
        for key, (band, number) in bands.items():
            numbers = np.where(HOLE, 0, number).astype("uint16")
            path = write_tif(tmp_path / f"{SCENE}_{band}.TIF", [numbers], GRID)
            assets[key] = (path, {"data_type": "uint16"})
        mtl = tmp_path / f"{SCENE}_MTL.{kind}"
        if text:
            mtl.write_text(text)
        made = item(SCENE, TIME, GRID, assets, platform="landsat-8", collection="landsat-c2-l1")
        if asset:
            made.add_asset("mtl", pystac.Asset(str(mtl)))
        return made

    return make


@pytest.mark.parametrize("how", [{}, {"chunks": {"x": 5}}, {"resolution": 20}])
@pytest.mark.parametrize(("band", "wanted"), VALUES)
def test_landsat_becomes_what_is_asked_for_by_its_mtl_file(landsat, band, wanted, how):
    cube = eo.load([landsat()], bands=[band], calibrate=wanted, **how)
    hole = HOLE if "resolution" not in how else HOLE[1::2, 1::2]
    expected = np.where(hole, np.nan, VALUES[band, wanted])
    np.testing.assert_allclose(cube[band][0], expected, rtol=1e-5)
    facts = cube.eo.provenance().iloc[0]
    assert facts.scale_from == "metadata"
    assert facts.rule.startswith(f"{wanted} by the scene's MTL file")


@pytest.mark.parametrize("source", ["json", "text", "beside"])
def test_the_mtl_file_may_be_json_or_text_an_asset_or_beside_its_bands(landsat, source):
    kind = "json" if source == "json" else "txt"
    scene = landsat(JSON if kind == "json" else TEXT, kind, asset=source != "beside")
    words = {"red": "reflectance", "lwir11": "temperature"}
    cube = eo.load([scene], bands=["red", "lwir11", "qa_pixel"], calibrate=words)
    for band, wanted in words.items():
        np.testing.assert_allclose(cube[band][0, 1:], VALUES[band, wanted], rtol=1e-5)
    np.testing.assert_array_equal(cube.qa_pixel[0, 1:], 21_824)


@pytest.mark.parametrize("kind", ["int16", "uint32", "float32"])
def test_fill_stays_unknown_in_whatever_type_it_is_kept(landsat, tmp_path, kind):
    scene = landsat()
    numbers = np.where(HOLE, 0, 10_000).astype(kind)
    write_tif(tmp_path / f"{SCENE}_B4.TIF", [numbers], GRID)
    scene.assets["red"].extra_fields.clear()
    red = eo.load([scene], bands=["red"], calibrate="reflectance").red[0]
    expected = np.where(HOLE, np.nan, VALUES["red", "reflectance"])
    np.testing.assert_allclose(red, expected, rtol=1e-5)


def test_where_there_is_no_radiance_there_is_no_temperature(landsat):
    mtl = JSON.replace("3.3420E-04", "0.5").replace('"0.10000"', '"-12500"')
    cube = eo.load([landsat(mtl)], bands=["lwir11"], calibrate="temperature")
    assert cube.lwir11.isnull().all()


def test_each_scene_of_an_item_has_its_own_mtl_file(landsat, tmp_path):
    scene, other = landsat(), SCENE.replace("20210520", "20210605")
    path = shutil.copy(tmp_path / f"{SCENE}_B4.TIF", tmp_path / f"{other}_B4.TIF")
    mtl = tmp_path / f"{other}_MTL.json"
    mtl.write_text(JSON.replace("30.00000000", "90"))
    scene.add_asset("later", pystac.Asset(str(path), media_type=scene.assets["red"].media_type))
    scene.assets["later"].extra_fields = dict(scene.assets["red"].extra_fields)
    scene.add_asset("mtl_later", pystac.Asset(str(mtl)))
    words = {"red": "reflectance", "later": "reflectance"}
    cube = eo.load([scene], bands=["red", "later"], calibrate=words)
    np.testing.assert_allclose(cube.red[0, 1:], 0.2, rtol=1e-5)
    np.testing.assert_allclose(cube.later[0, 1:], 0.1, rtol=1e-5)


def test_an_mtl_file_that_is_there_as_json_and_as_text_is_one(landsat, tmp_path):
    scene = landsat(asset=False)
    for band, asset in scene.assets.items():
        asset.href = str((tmp_path / asset.href).rename(tmp_path / f"{band}_B4.TIF"))
    for kind, text in (("txt", TEXT), ("json", JSON)):
        (tmp_path / f"MTL.{kind}").write_text(text)
        scene.add_asset(f"mtl.{kind}", pystac.Asset(str(tmp_path / f"MTL.{kind}")))
    red = eo.load([scene], bands=["red"], calibrate="reflectance").red[0]
    np.testing.assert_allclose(red[1:], VALUES["red", "reflectance"], rtol=1e-5)


@pytest.mark.parametrize(
    ("mtl", "options", "said"),
    [
        ("", {"calibrate": "reflectance"}, f"{SCENE} has no MTL file"),
        (JSON, {"calibrate": "temperature"}, "states no K1_CONSTANT_BAND_4"),
        (JSON.replace("30.00000000", "-2.5"), {"calibrate": "reflectance"}, "sun is at -2.5"),
        ("{}", {"calibrate": "radiance"}, "states no LEVEL1_RADIOMETRIC_RESCALING"),
        (JSON, {"calibrate": "sigma"}, "calibrate = 'sigma'"),
        (JSON, {"calibrate": {"nir": "radiance"}}, "no band 'nir' is loaded"),
        (JSON, {"calibrate": "radiance", "scale": 2}, "both calibrate= and scale="),
        (JSON, {"calibrate": "radiance", "raw": True}, "no calibrate"),
    ],
)
def test_what_is_missing_is_named(landsat, mtl, options, said):
    with pytest.raises(InvalidInputError, match=said):
        eo.load([landsat(mtl, asset=bool(mtl))], bands=["red"], **options)


def test_a_product_that_is_calibrated_already_is_refused_by_name(tmp_path):
    path = write_tif(tmp_path / "a.tif", [np.full(GRID.shape, 9000, "uint16")], GRID)
    scene = item(SCENE.replace("L1TP", "L2SP"), TIME, GRID, {"red": (path, {})})
    with pytest.raises(InvalidInputError, match="it is Landsat Collection 2 Level-2"):
        eo.load([scene], bands=["red"], calibrate="reflectance")


@pytest.mark.parametrize("clip", ["", "_clip"])
def test_planetscope_becomes_reflectance_or_radiance_by_its_metadata_file(tmp_path, clip):
    name = "20230517_101010_03_2414_3B_AnalyticMS"
    blocks = "".join(
        "<ps:bandSpecificMetadata>"
        f"<ps:bandNumber>{k}</ps:bandNumber>"
        '<ps:radiometricScaleFactor uom="W/(m^2 sr um)">0.01</ps:radiometricScaleFactor>'
        f"<ps:reflectanceCoefficient>{k}e-05</ps:reflectanceCoefficient>"
        "</ps:bandSpecificMetadata>"
        for k in (1, 2, 3, 4)
    )
    (tmp_path / f"{name}_metadata{clip}.xml").write_text(
        f"<ps:EO>{blocks}<!-- {blocks.replace('0.01', '7').replace('e-05', 'e-01')} --></ps:EO>"
    )
    stack = [np.where(HOLE, 0, 5000).astype("uint16")] * 4
    path = write_tif(tmp_path / f"{name}{clip}.tif", stack, GRID, nodata=0)
    bands = [{"name": n, "common_name": n} for n in ("blue", "green", "red", "nir")]
    scene = item("20230517_101010_03_2414", TIME, GRID, {"analytic": (path, {"eo:bands": bands})})
    for wanted, value in (("reflectance", 0.15), ("radiance", 50)):
        red = eo.load([scene], bands=["red"], calibrate=wanted).red[0]
        np.testing.assert_allclose(red, np.where(HOLE, np.nan, value), rtol=1e-5)
    with pytest.raises(InvalidInputError, match="no thermal band"):
        eo.load([scene], bands=["red"], calibrate="temperature")


def test_surface_reflectance_of_planetscope_is_not_calibrated_again(tmp_path):
    name = "20230517_101010_03_2414_3B_AnalyticMS"
    path = write_tif(tmp_path / f"{name}_SR.tif", [np.full(GRID.shape, 5, "uint16")], GRID)
    scene = item("20230517_101010_03_2414", TIME, GRID, {"red": (path, {})})
    with pytest.raises(InvalidInputError, match="its product is not known"):
        eo.load([scene], bands=["red"], calibrate="reflectance")
