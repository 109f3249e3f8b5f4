"""What would give a wrong number is refused by name, or counted and said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from affine import Affine
from rasterio.transform import from_origin

import eolab as eo
from eolab.errors import InvalidInputError, NotFoundError


def halves() -> np.ndarray:
    codes = np.full((20, 20), 1, "uint8")
    codes[10:] = 2
    return codes


def points_at(rows, columns, labels) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": 500_015.0 + 30 * np.asarray(columns),
            "y": 5_299_985.0 - 30 * np.asarray(rows),
            "label": labels,
        }
    )


@pytest.fixture
def land(make_map):
    return make_map(halves())


@pytest.fixture
def points():
    return points_at([0, 1, 2, 12, 13, 14], [0, 1, 2, 0, 1, 2], [1, 1, 2, 2, 2, 2])


def write(path, codes, *, transform=None, crs="EPSG:32633", **options):
    bands = codes if codes.ndim == 3 else codes[None]
    with rasterio.open(
        path, "w", driver="GTiff", height=bands.shape[1], width=bands.shape[2], count=len(bands),
        dtype=bands.dtype, crs=crs,
        transform=transform or from_origin(500_000, 5_300_000, 30, 30), **options,
    ) as file:  # fmt: skip
        file.write(bands)
    return path


# --- the map ---------------------------------------------------------------------------------


def test_a_map_that_is_none_of_classes_is_refused(land, points, make_map):
    cases = [
        (make_map(halves() / 3), "the map holds 0.333333, which is no class code"),
        (
            make_map(halves().astype("float32") + 2**25),
            "the map holds codes above 16,777,216 as float32",
        ),
        (make_map(np.full((4, 4), 2**63, "uint64")), "the map holds codes above 9,223,372"),
        (
            make_map(
                halves(),
                crs='ENGCRS["x",EDATUM["y"],CS[Cartesian,2],AXIS["x",east],'
                'AXIS["y",north],LENGTHUNIT["metre",1]]',
            ),
            "is none of places on the Earth",
        ),
        (land.where(land == 1, np.inf), "the map holds inf, which is no class code"),
        (make_map(np.arange(2000).reshape(40, 50)), "more than 1000 different numbers"),
        (make_map(halves(), crs=None), "the map has no reference system"),
        (land.expand_dims(time=3), "the map has 3 of 'time'"),
        (land.to_dataset(name="class"), r"the map is a dataset with class"),
        (land.to_numpy(), "the map is of type ndarray"),
        (land.rename(y="row"), "the map has the dimensions row, x"),
        (land.drop_vars("x"), "the map has no coordinate 'x'"),
        (land.isel(x=[0, 1, 2, 5, 9]), "the map is uneven along 'x'"),
        (land.isel(x=[0]), "the map has one pixel along 'x'"),
        (land.astype(str), "the map holds <U3, no class codes"),
        (land.isel(x=slice(0, 0)), "the map has no pixels"),
        (land.assign_attrs(nodata=1).where(land == 1), "the map has no pixel with a class"),
    ]
    for given, message in cases:
        with pytest.raises(InvalidInputError, match=message):
            eo.assess(given, points)
        with pytest.raises(InvalidInputError, match=message):
            eo.sample_design(given, n=20)


def test_a_file_that_is_no_map_of_classes_is_refused(tmp_path, points):
    turned = Affine(30, 2, 500_000, -2, -30, 5_300_000)
    two = np.stack([halves(), halves()])
    cases = [
        (write(tmp_path / "bare.tif", halves(), crs=None), "the map has no reference system"),
        (write(tmp_path / "turned.tif", halves(), transform=turned), "the grid of the map is rot"),
        (write(tmp_path / "two.tif", two), "the map has 2 bands"),
        (write(tmp_path / "share.tif", halves() / 3), "which is no class code"),
        (write(tmp_path / "complex.tif", halves().astype("complex64")), "holds complex64"),
    ]
    for path, message in cases:
        with pytest.raises(InvalidInputError, match=message):
            eo.assess(path, points)
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        eo.assess(tmp_path / "text.tif", points)
    with pytest.raises(NotFoundError, match="is not there"):
        eo.assess(tmp_path / "none.tif", points)
    assert eo.assess(tmp_path / "two.tif", points, band=2).overall.value > 0
    with pytest.raises(InvalidInputError, match="the map has no band 3"):
        eo.assess(tmp_path / "two.tif", points, band=3)


def test_nodata_is_what_the_map_says_and_no_class(tmp_path, points, land, make_map):
    codes = halves()
    codes[:, 10:] = 255
    masked = [
        (write(tmp_path / "file.tif", codes, nodata=255), {}),
        (write(tmp_path / "silent.tif", codes), {"nodata": 255}),
        (make_map(codes).assign_attrs(nodata=255), {}),
        (make_map(codes).assign_attrs(_FillValue=255), {}),
        # Every attribute counts, and each code in it.
        (make_map(codes).assign_attrs(nodata=0, _FillValue=np.uint8(255)), {}),
        (make_map(codes).assign_attrs(nodata=None, missing_value=[0, 255]), {}),
        (make_map(codes).assign_attrs(nodata="255"), {}),
        (make_map(codes), {"nodata": 255}),
        (make_map(codes).where(make_map(codes) != 255), {}),  # NaN
        (make_map(codes), {"exclude": [255]}),
        (make_map(codes), {"exclude": np.array([255])}),
        (make_map(codes), {"exclude": np.int64(255)}),
    ]
    with rasterio.open(write(tmp_path / "mask.tif", codes), "r+") as file:
        file.write_mask(codes != 255)
    masked.append((tmp_path / "mask.tif", {}))
    for given, options in masked:
        result = eo.assess(given, points, design="stratified", **options)
        assert [row.name for row in result.classes] == ["1", "2"]
        assert result.hectares == pytest.approx(200 * 0.09)
    for odd in ("255", [255], True):
        with pytest.raises(InvalidInputError, match="is no code"):
            eo.assess(make_map(codes), points, nodata=odd)


def test_large_maps_are_read_in_strips(tmp_path, points, monkeypatch):
    path = write(tmp_path / "map.tif", halves(), tiled=True, blockxsize=16, blockysize=16)
    whole = eo.assess(path, points, design="stratified").to_dict()
    monkeypatch.setattr("eolab.accuracy.class_raster.STRIP", 60)
    assert eo.assess(path, points, design="stratified").to_dict() == whole
    assert eo.assess(path, path).counts.tolist() == [[200, 0], [0, 200]]


def test_a_mask_of_true_and_false_is_a_map(make_map):
    mask = make_map(halves() == 2)
    points = points_at([0, 1, 12, 13], [0, 1, 2, 3], [False, True, True, True])
    result = eo.assess(mask, points, design="stratified", classes={0: "dry", 1: "wet"})
    assert result.counts.tolist() == [[1, 1], [0, 2]]
    with pytest.raises(InvalidInputError, match="holds true and false, the map the codes 1, 2"):
        eo.assess(make_map(halves()), points)


# --- the labels ------------------------------------------------------------------------------


def test_names_and_codes_of_one_class_are_one(land, points):
    names = {1: "wheat", 2: "maize"}
    expected = eo.assess(land, points, classes=names).counts.tolist()
    for labels in (["wheat", "wheat", *["maize"] * 4], ["1", "1.0", *["2"] * 4]):
        assert eo.assess(land, points.assign(label=labels), classes=names).counts[1].sum() == 3
    flags = land.assign_attrs(flag_values=[1, 2], flag_meanings="wheat maize")
    text = points["label"].map(names)
    assert eo.assess(flags, points.assign(label=text)).counts.tolist() == expected
    assert eo.assess(land, points.assign(label=text.astype("category")), classes=names).design


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (list("121212"), {"classes": {1: "2", 2: "b"}}, "'2' is the code 2 and the name of 1"),
        (["wheat"] * 6, {}, "holds names .'wheat'., and the map codes without names"),
        ([1, 1, 2, 2, 2, 1.5], {}, "holds 1.5, which is no class"),
        (["wheat", "Maize "] * 3, {"classes": {1: "wheat", 2: "maize"}}, "only in capitals"),
        ([8] * 6, {}, "no label of 'label' is a class of the map: labels are 8, classes 1, 2"),
        (["rye"] * 6, {"classes": {1: "wheat", 2: "maize"}}, "no label of 'label' is a class"),
        ([1, 1, 2, 2, 2, None], {}, "1 of 6 rows have no label"),
        ([1, 1, 2, 2, 2, " "], {}, "1 of 6 rows have no label"),
        ([1] * 6, {"classes": {1: "wheat"}}, "holds the codes 2, which classes= does not name"),
        ([1] * 6, {"classes": {1: "wheat", 2: "wheat"}}, "calls two codes 'wheat'"),
        ([1] * 6, {"classes": {"wheat": 1, "maize": 2}}, "'wheat': 1, which is no code with a"),
        ([1] * 6, {"classes": ["wheat", "maize"]}, "classes= needs the code of each name"),
        ([1] * 6, {"label": "crop"}, "the reference has no column 'crop'"),
        ([1] * 6, {"design": "random"}, "there is no design 'random'"),
        ([[1]] * 6, {}, "holds .1., which is no class"),
        ([1] * 6, {"confidence": "95 %"}, "confidence='95 %' is no share"),
        ([1] * 6, {"confidence": 95}, "confidence=95 is no share"),
        ([1] * 6, {"collapse": ["1"]}, "which is no group"),
        ([1] * 6, {"collapse": [[1, 5]]}, "collapse= names 5, which is no stratum"),
        ([1] * 6, {"stratum": "zone"}, "the reference has no column 'zone'"),
    ],
)
def test_labels_that_are_no_classes_are_refused(land, points, labels, options, message):
    with pytest.raises(InvalidInputError, match=message):
        eo.assess(land, points.assign(label=labels), **options)


def test_labels_that_the_map_does_not_have_are_a_column_of_their_own(land, points):
    result = eo.assess(
        land,
        points.assign(label=["wheat", "rye", "maize", "maize", "maize", "rye"]),
        classes={1: "wheat", 2: "maize"},
        design="stratified",
    )
    counts = result.to_frame("counts")
    assert list(counts.columns) == ["wheat", "maize", "rye"]
    assert counts["rye"].tolist() == [1, 1]
    assert result["rye"].hectares.value == pytest.approx(400 * 0.09 / 3)
    assert (result["rye"].producers.value, result["rye"].map_hectares) == (0, 0)
    assert np.isnan(result["rye"].users.value)
    assert "rye (2 samples)" in result.notes[0]


# --- the places ------------------------------------------------------------------------------


def test_points_off_the_map_or_on_nodata_are_counted_and_said(land, points):
    more = pd.concat([points, points_at([3, 50, 0], [3, 0, -1], [1, 1, 1])], ignore_index=True)
    gap = land.where((land.x != land.x[3]) | (land.y != land.y[3]))
    with pytest.warns(UserWarning, match="Of 9 labelled samples 2 outside of the map and 1 on nod"):
        result = eo.assess(gap, more, design="stratified")
    assert result.counts.sum() == 6
    assert "2 outside of the map" in repr(result)
    with pytest.raises(InvalidInputError, match="no sample lies on a class of the map: 6 outside"):
        eo.assess(land, points.assign(x=points["x"] + 1e6))


def test_a_class_without_a_sample_is_refused_and_can_be_left_out(make_map, points):
    codes = halves()
    codes[18:] = 9
    land = make_map(codes)
    for design in ("stratified", "post-stratified", None):
        with pytest.raises(InvalidInputError, match=r"classes of the map have no sample: 9 \(3.6"):
            eo.assess(land, points, design=design)
    part = eo.assess(land, points, design="stratified", exclude=[9])
    assert part.hectares == pytest.approx(360 * 0.09)
    more = pd.concat([points, points_at([18, 19], [0, 1], [9, 9])], ignore_index=True)
    again = eo.assess(land, more, design="stratified", exclude=[9])
    assert again.to_frame("counts").equals(part.to_frame("counts"))
    assert "2 on excluded classes" in again.notes[0]
    simple = eo.assess(land, points, design="simple random")
    assert "No sample lies in the map's classes 9" in " ".join(simple.notes)


def test_two_samples_on_one_pixel_are_refused(land, points):
    twice = pd.concat([points, points.iloc[[0]].assign(label=2)], ignore_index=True)
    with pytest.raises(InvalidInputError, match="1 samples lie on a pixel that has one already"):
        eo.assess(land, twice, design="stratified")
    kept = eo.assess(land, twice, design="stratified", duplicates="keep")
    assert kept.counts.sum() == 7
    assert "count" in kept.notes[0]


def test_a_reference_without_places_is_refused(land, points, tmp_path):
    import geopandas as gpd

    shapes = gpd.GeoDataFrame(
        points[["label"]], geometry=gpd.points_from_xy(points["x"], points["y"]), crs=32633
    )
    assert eo.assess(land, shapes.to_crs(4326)).counts.sum() == 6
    cases = [
        (
            gpd.GeoDataFrame(
                shapes[["label"]], geometry=gpd.points_from_xy(points["x"], points["y"])
            ),
            "no reference sys",
        ),
        (shapes.set_geometry(shapes.buffer(10)), "the reference holds Polygon"),
        (shapes.set_geometry(shapes.geometry.where(shapes.index > 0)), "1 rows of the reference"),
        (points.drop(columns="x"), "the reference has no geometry, and no column 'x'"),
        (points.assign(x=np.nan), "6 rows of the reference have no coordinates"),
        (points.iloc[:0], "the reference has no rows"),
        ([1, 2], "the reference is of type list"),
        ("points.csv", "points.csv is a table without a reference system"),
    ]
    for given, message in cases:
        with pytest.raises(InvalidInputError, match=message):
            eo.assess(land, given)
    with pytest.raises(NotFoundError, match="is not there"):
        eo.assess(land, tmp_path / "none.gpkg")


def test_a_map_from_0_to_360_degrees_meets_points_in_the_west(make_map):
    land = make_map(halves(), crs="EPSG:4326", pixel=0.5, left=300.0, top=10.0)
    west = pd.DataFrame(
        {
            "x": [-59.75, -59.25, -58.75, -58.25],
            "y": [9.75, 9.25, 4.75, 4.25],
            "label": [1, 1, 2, 2],
        }
    )
    assert eo.assess(land, west).overall.value == 1


def test_strata_whose_sizes_are_nowhere_said_are_refused(land, points):
    with pytest.raises(InvalidInputError, match="so the strata are not its classes"):
        eo.assess(land, points.assign(zone=[1, 2, 1, 2, 1, 2]), stratum="zone")
    sized = points.assign(zone=["a", "b"] * 3, stratum_pixels=[100, 300] * 3)
    assert eo.assess(land, sized, stratum="zone").to_frame("strata")["n"].tolist() == [3, 3]
    with pytest.raises(InvalidInputError, match=r"the strata cover 18.0 ha, the map 36.0 ha"):
        eo.assess(land, sized.assign(stratum_pixels=100), stratum="zone")
    with pytest.raises(InvalidInputError, match="has 2 pixels and 3 samples"):
        eo.assess(land, sized.assign(stratum_pixels=[2, 398] * 3), stratum="zone")
    with pytest.raises(InvalidInputError, match="1 rows have no 'zone'"):
        eo.assess(land, sized.assign(zone=["a", "b", "a", "b", "a", None]), stratum="zone")


def test_strata_on_unequal_pixels_need_their_area(make_map):
    land = make_map(halves(), crs="EPSG:4326", pixel=0.5, left=10.0, top=60.0)
    assert isinstance(land, xr.DataArray)
    sample = pd.DataFrame(
        {
            "x": 10.25 + 0.5 * np.arange(6),
            "y": [59.75, 59.25, 58.75, 53.75, 53.25, 52.75],
            "label": [1, 2, 1, 2, 2, 1],
            "zone": ["a", "b"] * 3,
            "stratum_pixels": [150, 250] * 3,
        }
    )
    with pytest.raises(InvalidInputError, match="unequal areas, and nothing says those of the str"):
        eo.assess(land, sample, stratum="zone")
    whole = eo.assess(land, land).hectares
    sized = sample.assign(stratum_hectares=[whole * 0.4, whole * 0.6] * 3)
    assert eo.assess(land, sized, stratum="zone").hectares == pytest.approx(whole)
