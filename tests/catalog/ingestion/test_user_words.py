"""What the user says of their own rasters counts, wherever the items are read."""

from __future__ import annotations

import json
import threading
import warnings

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr
from affine import Affine

import eolab as eo
from eolab.catalog import ingest, load, open_source
from eolab.catalog.ingestion import collection_files
from eolab.errors import InvalidInputError
from eolab.facade import Workspace
from eolab.settings import config as configuration

NUMBERS = np.arange(1, 601, dtype=np.uint16).reshape(20, 30)


def write(path, count=1, *, scale=None, nodata=None, names=(), values=NUMBERS):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=30, height=20, count=count, dtype=values.dtype,
        crs="EPSG:32633", transform=Affine(10, 0, 500_000, 0, -10, 5_400_000), nodata=nodata,
    ) as file:  # fmt: skip
        file.write(np.stack([values * (k + 1) for k in range(count)]))
        if scale is not None:
            file.scales = [scale] * count
        if names:
            file.descriptions = names


@pytest.fixture
def ws(tmp_path, monkeypatch):
    """A workspace whose folder is the working directory."""
    (tmp_path / "eolab.toml").write_text('format = 1\n[workspace]\npath = "ws"\n')
    monkeypatch.chdir(tmp_path)
    return Workspace(configuration.find())


def test_names_in_the_order_of_the_file_are_loaded_beside_files_that_have_them(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif", 3)
    write(tmp_path / "in" / "b_20240502.tif", 3, names=("blue", "green", "red"))
    ingest(tmp_path / "in", to="mine", bands=["blue", "green", "red"])
    cube = load(ws.catalog("mine").search(), native=True)
    assert list(cube) == ["blue", "green", "red"]
    for step in (0, 1):
        assert np.array_equal(cube.red.data[step], NUMBERS * 3)


def test_names_by_file_and_by_pattern_leave_other_files_alone(ws, tmp_path):
    write(tmp_path / "in" / "drone_20240501.tif", 2)
    write(tmp_path / "in" / "drone_20240502.tif", 2)
    write(tmp_path / "in" / "dem_20240503.tif", 1)
    write(tmp_path / "in" / "old_20240504.tif", 2, names=("a", "b"))
    ingest(tmp_path / "in", to="mine", bands={"drone_*": ["red", "nir"], "dem_20240503": "height"})
    names = {
        item.id: [band["name"] for band in item.assets["data"].extra_fields["bands"]]
        for item in ws.catalog("mine").search()
    }
    assert names == {
        "drone_20240501": ["red", "nir"],
        "drone_20240502": ["red", "nir"],
        "dem_20240503": ["height"],
        "old_20240504": ["a", "b"],
    }


def test_bands_are_renamed_as_load_renames_them(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif", 3)
    ingest(tmp_path / "in", to="mine", bands={"red": "band3"})
    cube = load(ws.catalog("mine").search(), native=True)
    assert list(cube) == ["band1", "band2", "red"]
    with pytest.raises(InvalidInputError, match="no file has a band 'band4'"):
        ingest(tmp_path / "in", to="mine", bands={"red": "band4"})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["red"], r"a_20240501.tif has 2 bands \(band1, band2\), 1 names are given"),
        (["red", "red"], "a_20240501.tif: band 'red' is named twice"),
        (["red", 4], "bands = "),
        ({"b.tif": ["red", "nir"]}, "there is no file 'b.tif'"),
    ],
)
def test_names_that_do_not_fit_are_refused_before_anything_is_written(ws, tmp_path, names, message):
    write(tmp_path / "in" / "a_20240501.tif", 2)
    with pytest.raises(InvalidInputError, match=message):
        ingest(tmp_path / "in", to="mine", bands=names)
    assert not (ws.root / "catalogs").exists()
    assert "mine" not in configuration.find().catalogs


def test_the_users_scale_and_nodata_count_before_the_files_tags_and_this_is_told(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif", 2, scale=0.01, nodata=7, names=("red", "nir"))
    with pytest.warns(UserWarning, match=r"a_20240501.tif says scale 0.01 of red: 0.1 as given"):
        made = ingest(
            tmp_path / "in", to="mine", scale={"red": 0.1}, offset={"red": 2.0}, nodata=600
        )
    assert any("says nodata 7" in note for note in made.notes)
    assert "says nodata 7" in repr(made)
    items = ws.catalog("mine").search()
    cube = load(items, native=True)
    wanted = np.where(NUMBERS == 600, np.nan, NUMBERS * 0.1 + 2)
    assert np.allclose(cube.red.data[0], wanted, equal_nan=True)
    # What was not said of the other band stays the file's.
    assert np.allclose(cube.nir.data[0], np.where(NUMBERS * 2 == 600, np.nan, NUMBERS * 0.02),
                       equal_nan=True)  # fmt: skip
    facts = cube.eo.provenance().set_index("band")
    assert facts.loc["red", ["scale_from", "offset_from", "nodata_from"]].tolist() == ["user"] * 3
    assert facts.loc["nir", "scale_from"] == "band"
    # Zones and chips see the same numbers.
    zone = gpd.GeoDataFrame(
        {"id": [1]}, geometry=[shapely.box(500_000, 5_399_800, 500_300, 5_400_000)], crs=32633
    )
    rows = cube[["red"]].eo.zonal(zone, id="id", stats=["mean", "count"])
    assert rows.iloc[0]["red_mean"] == pytest.approx(np.nanmean(wanted), rel=1e-6)
    # The word of the call to load is the last one.
    assert float(load(items, bands="red", native=True, scale=1).red[0, 0, 0]) == 1.0


def test_a_sentinel_name_does_not_undo_the_users_word(ws, tmp_path):
    name = "S2A_MSIL2A_20240501T101031_N0510_R065_T33UVP_20240501T141031_B04.tif"
    write(tmp_path / "in" / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ingest(tmp_path / "in", to="mine", scale=0.0002, nodata=1)
        cube = load(ws.catalog("mine").search(), native=True)
    values = next(iter(cube.data_vars.values())).data[0]
    assert np.isnan(values[0, 0])
    assert np.allclose(values.ravel()[1:], NUMBERS.ravel()[1:] * 0.0002)


@pytest.mark.parametrize("own", [None, 0.5])
def test_the_users_offset_leaves_the_factor_whose_it_was(ws, tmp_path, own):
    name = "field_20240501_red.tif"
    if own is None:  # the published one
        name = "S2A_MSIL2A_20240501T101031_N0510_R065_T33UVP_20240501T141031_B04.tif"
    write(tmp_path / "in" / name, scale=own)
    ingest(tmp_path / "in", to="mine", offset=0.25)
    items = ws.catalog("mine").search()
    values = load(items, bands=["red"], native=True).red.data[0]
    right = NUMBERS * (own or 0.0001) + 0.25
    assert np.allclose(values, right)
    assert np.allclose(values, load(items, bands=["red"], native=True, offset=0.25).red.data[0])


def test_real_numbers_are_scaled_where_the_user_says_so(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif", values=NUMBERS.astype(np.float32))
    ingest(tmp_path / "in", to="mine", scale={"a_20240501.tif": 0.5})
    assert np.array_equal(load(ws.catalog("mine").search(), native=True).data.data[0],
                          NUMBERS * np.float32(0.5))  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"scale": 0}, "scale = 0"),
        ({"scale": {"rde": 1.0}}, "'rde' is no band and no file"),
        ({"nodata": "none"}, "nodata = 'none'"),
        ({"offset": float("inf")}, "offset = inf"),
    ],
)
def test_words_that_mean_nothing_are_refused(ws, tmp_path, words, message):
    write(tmp_path / "in" / "a_20240501.tif", 2, names=("red", "nir"))
    with pytest.raises(InvalidInputError, match=message):
        ingest(tmp_path / "in", to="mine", **words)
    assert not (ws.root / "catalogs").exists()


def test_what_was_said_stays_when_a_later_call_is_silent(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif", 2)
    ingest(tmp_path / "in", to="mine", bands=["red", "nir"], scale=0.5, nodata=9)
    write(tmp_path / "in" / "b_20240502.tif", 2, names=("red", "nir"))
    again = ingest(tmp_path / "in", to="mine")
    assert again.notes == (
        "a_20240501.tif: name, nodata, offset, scale as given in an earlier call",
    )
    cube = load(ws.catalog("mine").search(), native=True)
    assert float(cube.red[0, 0, 0]) == 0.5
    assert float(cube.red[1, 0, 0]) == 1.0
    assert np.isnan(cube.red.data[0].ravel()[8])
    ingest(tmp_path / "in" / "a_20240501.tif", to="mine", scale=2)
    assert float(load(ws.catalog("mine").search(), native=True).red[0, 0, 0]) == 2.0


def test_bands_that_come_in_two_calls_are_one_item(ws, tmp_path):
    for band in ("B04", "B08"):
        write(tmp_path / "in" / f"scene_20240501_{band}.tif")
        ingest(tmp_path / "in" / f"scene_20240501_{band}.tif", to="mine")
    (item,) = ws.catalog("mine").search()
    assert set(item.assets) == {"B04", "B08"}


def test_a_copy_is_averaged_without_the_users_nodata(ws, tmp_path):
    size = 1200
    numbers = np.full((size, size), 20_000, dtype=np.uint16) + np.arange(size, dtype=np.uint16)
    numbers[np.random.default_rng(0).random((size, size)) < 0.5] = 0
    path = tmp_path / "in" / "a_20240501.tif"
    path.parent.mkdir()
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=1, dtype="uint16",
        crs="EPSG:32633", transform=Affine(10, 0, 500_000, 0, -10, 5_400_000),
    ) as file:  # fmt: skip
        file.write(numbers, 1)
    ingest(path, to="mine", cog=True)
    made = ingest(path, to="mine", cog=True, nodata=0)
    assert made.converted == 1  # the copy of the first call knew of no nodata
    with rasterio.open(made.catalog.parent / "a_20240501" / "data.tif") as file:
        assert file.nodata == 0
        coarse = file.read(1, out_shape=(300, 300))
    assert coarse[coarse > 0].min() >= 20_000


def test_ids_keep_their_letters_and_stay_apart(ws, tmp_path):
    names = ["Feld Süd (final) 12.06.2021", "Feld_Süd_final_12.06.2021", "поле 20210613", "con"]
    for name in names:
        write(tmp_path / "in" / f"{name}.tif")
    made = ingest(tmp_path / "in", to="mine", time={"con": "2021-06-14"})
    assert len(set(made.items)) == 4
    assert {"Feld_Süd_final_12.06.2021", "поле_20210613", "_con"} < set(made.items)
    assert made.total == 4
    again = ingest(tmp_path / "in", to="mine", time={"con": "2021-06-14"})
    assert again.items == made.items
    assert again.total == 4
    for item in ws.catalog("mine").search():
        assert load([item], native=True).data.shape == (1, 20, 30)


def test_an_item_of_an_earlier_version_keeps_its_id(ws, tmp_path):
    write(tmp_path / "in" / "Feld Süd 12.06.2021.tif")
    old = collection_files.safe_name("Feld Süd 12.06.2021")
    made = ingest(tmp_path / "in", to="mine")
    home = made.catalog.parent
    (new,) = made.items
    document = json.loads((home / new / f"{new}.json").read_text())
    document["id"] = old
    del document["eolab:name"]
    (home / new).rename(home / old)
    (home / old / f"{new}.json").unlink()
    (home / old / f"{old}.json").write_text(json.dumps(document))
    again = ingest(tmp_path / "in", to="mine")
    assert again.items == (old,)
    assert again.total == 1


def test_a_plain_name_stands_in_the_workspace(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif")
    (tmp_path / "eolab.toml").write_text(
        '# mine\nformat = 1\n[workspace]\npath = "ws"\n', encoding="utf-8"
    )
    made = ingest(tmp_path / "in", to="fields")
    assert made.catalog == ws.root / "catalogs" / "fields" / "collection.json"
    assert made.name == "fields"
    assert "ws.catalog('fields')" in repr(made)
    # Also in a workspace that was opened before.
    (item,) = ws.catalog("fields").search()
    assert item.collection_id == "fields"
    text = (tmp_path / "eolab.toml").read_text()
    assert text.startswith("# mine")
    assert 'url = "ws/catalogs/fields"' in text
    ingest(tmp_path / "in", to="fields")
    assert (tmp_path / "eolab.toml").read_text() == text
    assert ws.catalog("fields").collections()[0].extra_fields["eolab:items"] == 1


def test_a_name_of_another_catalogue_is_refused(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif")
    with pytest.raises(InvalidInputError, match="'earth-search' was not made by `ingest`"):
        ingest(tmp_path / "in", to="earth-search")


def test_a_folder_of_before_goes_on_by_its_name(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif")
    write(tmp_path / "more" / "b_20240502.tif")
    ingest(tmp_path / "in", to=tmp_path / "fields", collection="mine")
    made = ingest(tmp_path / "more", to="fields", collection="mine")
    assert made.catalog == tmp_path / "fields" / "collection.json"
    assert (made.total, made.name) == (2, "fields")
    assert len(ws.catalog("fields").search()) == 2


@pytest.mark.parametrize("what", ["folder", "file"])
def test_rasters_without_stac_are_no_catalogue_but_offered_for_ingest(ws, tmp_path, what):
    path = tmp_path / "my fields" / "a_20240501.tif"
    write(path)
    named = path.parent if what == "folder" else path
    with pytest.raises(InvalidInputError, match=r"no (STAC )?catalogue") as caught:
        ws.add_catalog("fields", str(named))
    assert "fields" not in configuration.find().catalogs
    call = caught.value.hint[caught.value.hint.index("eolab.ingest(") :].partition("; the")[0]
    made = eval(call, {"eolab": eo})
    assert ws.catalog(made.name).search()[0].id == "a_20240501"


def test_a_search_over_everything_survives_a_broken_catalogue(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif")
    ingest(tmp_path / "in", to="fields", title="Fields of mine")
    for name, text in (("torn", "{"), ("odd", '{"type": "Catalog", "links": 5}'), ("list", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "catalog.json").write_text(text)
        ws.add_catalog(name, str(tmp_path / name), kind="static")
    (tmp_path / "list" / "catalog.json").unlink()
    with pytest.warns(UserWarning, match="'list' could not be read and is left out"):
        found = ws.search("fields")
    assert [row["id"] for row in found["collection"]] == ["fields/fields"]
    assert open_source(ws.config, "fields").collections()[0].title == "Fields of mine"


def test_bands_of_two_times_are_no_one_item(ws, tmp_path):
    for band in ("red", "nir"):
        write(tmp_path / "in" / f"field_{band}.tif")
    times = {"field_red": "2021-05-17", "field_nir": "2021-06-17"}
    made = ingest(tmp_path / "in", to="mine", time=times)
    (skipped,) = made.skipped
    assert "it is of 2021-05-17T00:00:00Z, field_nir.tif of the same item" in skipped.message
    assert load(ws.catalog("mine").search(), native=True).time.dt.month.data.tolist() == [6]
    assert [one.message for one in eo.preview_ingest(tmp_path / "in", time=times).skipped] == [
        skipped.message
    ]


def test_a_band_of_an_earlier_call_that_is_left_out_is_told(ws, tmp_path):
    for band in ("red", "nir"):
        write(tmp_path / "in" / f"field_{band}.tif")
    ingest(tmp_path / "in" / "field_red.tif", to="mine", time="2021-05-17")
    made = ingest(tmp_path / "in" / "field_nir.tif", to="mine", time="2021-06-17")
    assert "item field: red of an earlier call left out: of another time" in made.notes[0]


def test_numbers_outside_of_the_limits_are_not_the_files_nodata_once_the_user_says_another(
    ws, tmp_path
):
    numbers = np.array([[1, 12000, 3], [0, 2, 10000]], "i2")
    attrs = {"_FillValue": np.int16(-9), "valid_max": np.int16(10000), "scale_factor": 0.5}
    place = {"lat": [50.0, 49.0], "lon": [10.0, 11.0, 12.0]}
    path = tmp_path / "h_20240501.nc"
    xr.Dataset({"h": (("lat", "lon"), numbers, attrs)}, place).to_netcdf(path)
    with pytest.warns(UserWarning, match="Yours counts"):
        ingest(path, to="mine", nodata=0)
    right = [0.5, np.nan, 1.5, np.nan, 1, 5000]
    cube = load(ws.catalog("mine").search())
    np.testing.assert_array_equal(cube.h.data.ravel(), right)


def test_one_band_gets_one_name(ws, tmp_path):
    write(tmp_path / "in" / "a_20240501.tif", 2)
    with pytest.raises(InvalidInputError, match="'band1' gets two names"):
        ingest(tmp_path / "in", to="mine", bands={"red": "band1", "nir": "band1"})


def test_two_calls_at_once_leave_no_item_out(ws, tmp_path, monkeypatch):
    for day in (1, 2):
        write(tmp_path / f"a_2024050{day}.tif")
    read, first, slow = collection_files.read_items, threading.Event(), threading.Event()

    def late(home, name=""):
        items = read(home, name)
        if threading.current_thread().name == "slow" and home.joinpath("a_20240501").is_dir():
            first.set()
            slow.wait(0.3)  # the other call would have written its list by then
        return items

    monkeypatch.setattr(collection_files, "read_items", late)
    here = {"to": tmp_path / "own", "collection": "own"}
    one = threading.Thread(
        target=ingest, args=(tmp_path / "a_20240501.tif",), kwargs=here, name="slow"
    )
    one.start()
    assert first.wait(30)
    ingest(tmp_path / "a_20240502.tif", **here)
    one.join()
    listed = json.loads((tmp_path / "own" / "collection.json").read_text())["links"]
    assert [link["href"] for link in listed if link["rel"] == "item"] == [
        "./a_20240501/a_20240501.json", "./a_20240502/a_20240502.json",
    ]  # fmt: skip
