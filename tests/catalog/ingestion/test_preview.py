"""What `preview_ingest` shows is what `ingest` then does; it writes nothing."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine

from eolab.catalog import ingest, load, preview_ingest
from eolab.catalog.ingestion import preview
from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.facade import Workspace
from eolab.settings import config as configuration

SAFE = "S2A_MSIL2A_20220510T101031_N0400_R022_T33UTP_20220510T140000.SAFE"


def write(path, count=1, *, dtype="uint16", crs="EPSG:32633", pixel=10, **facts):
    path.parent.mkdir(parents=True, exist_ok=True)
    tags, names, scales = (facts.pop(key, None) for key in ("tags", "names", "scales"))
    with rasterio.open(
        path, "w", driver="GTiff", width=6, height=5, count=count, dtype=dtype, crs=crs,
        transform=Affine(pixel, 0, 500_000, 0, -pixel, 5_400_000), **facts,
    ) as file:  # fmt: skip
        file.write(np.full((count, 5, 6), 2000, dtype))
        file.update_tags(**(tags or {}))
        if names:
            file.descriptions = names
        if scales:
            file.scales = scales


@pytest.fixture
def folder(tmp_path):
    """Files as people have them: each says something else of itself, some nothing."""
    home = tmp_path / "in"
    write(home / "Feld Süd 12.06.2021.tif", 2)
    write(home / "drone_20210620.tif", 2, dtype="float32", names=("red", "nir"))
    write(home / "2019-04" / "dem.tif", dtype="float32", nodata=-9999)
    write(home / "scan.tif", tags={"TIFFTAG_DATETIME": "2021:07:01 10:00:00"}, scales=[0.01])
    write(home / "height.tif", dtype="int16")
    write(home / "lost_20210101.tif", crs=None)
    (home / "broken_20210903.tif").write_text("no raster")
    write(home / SAFE / "T33UTP_20220510T101031_B04_10m.tif")
    cube = xr.Dataset(
        {"t2m": (("time", "lat", "lon"), np.ones((3, 2, 4), "float32"))},
        coords={
            "time": np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "datetime64[ns]"),
            "lat": [1.0, 0.0],
            "lon": [0.0, 1.0, 2.0, 3.0],
        },
    )
    cube.to_netcdf(home / "era.nc")
    return home


@pytest.fixture
def ws(tmp_path, monkeypatch):
    """A workspace whose folder is the working directory."""
    (tmp_path / "eolab.toml").write_text('format = 1\n[workspace]\npath = "ws"\n')
    monkeypatch.chdir(tmp_path)
    return Workspace(configuration.find())


def by_name(seen):
    return {file.path.name: file for file in seen.files}


def test_each_file_says_its_date_and_where_that_was_found(folder):
    files = by_name(preview_ingest(folder, time={"height.tif": "2000-01-01"}))
    found = {name: (file.time_from, file.times and f"{file.times[0]:%Y-%m-%d}")
             for name, file in files.items()}  # fmt: skip
    assert found == {
        "Feld Süd 12.06.2021.tif": ("name", "2021-06-12"),
        "drone_20210620.tif": ("name", "2021-06-20"),
        "dem.tif": ("folder", "2019-04-01"),
        "scan.tif": ("tags", "2021-07-01"),
        "height.tif": ("given", "2000-01-01"),
        "lost_20210101.tif": ("missing", None),
        "broken_20210903.tif": ("missing", None),
        "T33UTP_20220510T101031_B04_10m.tif": ("name", "2022-05-10"),
        "era.nc": ("axis", "2020-01-01"),
    }
    (axis,) = (file for file in files.values() if file.time_from == "axis")
    assert len(axis.items) == 3
    assert f"{axis.times[1]:%Y-%m-%d}" == "2020-01-03"


def test_a_file_without_a_date_shows_the_rest_and_takes_the_default(folder):
    file = by_name(preview_ingest(folder))["height.tif"]
    assert (file.times, file.items, file.time_from) == (None, (), "missing")
    assert [band.data_type for band in file.bands] == ["int16"]
    assert (file.crs, file.resolution, file.unit) == ("EPSG:32633", 10, "m")
    assert "no date in its name or tags" in file.skipped[0]
    file = by_name(preview_ingest(folder, time="2000-01-01"))["height.tif"]
    assert (file.items, file.time_from, file.skipped) == (("height",), "default", ())


def test_numbers_are_shown_as_they_are_read_with_who_says_so(folder, ws):
    words = {"scale": {"Feld*": 0.5}, "nodata": {"Feld*": 7}, "time": "2000-01-01"}
    files = by_name(preview_ingest(folder, **words))
    said = {}
    for name in ("Feld Süd 12.06.2021.tif", "scan.tif", "dem.tif", "drone_20210620.tif",
                 "T33UTP_20220510T101031_B04_10m.tif"):  # fmt: skip
        band = files[name].bands[0]
        said[name] = (band.scale, band.offset, band.nodata, *band.origins.values())
    assert said == {
        "Feld Süd 12.06.2021.tif": (0.5, 0, 7, "user", "user", "user"),
        "scan.tif": (0.01, 0, None, "file", "file", "none"),
        "dem.tif": (1, 0, -9999, "none", "none", "file"),
        "drone_20210620.tif": (1, 0, None, "none", "none", "none"),
        "T33UTP_20220510T101031_B04_10m.tif": (0.0001, -0.1, 0, "rule", "rule", "rule"),
    }
    made = ingest(folder, to="mine", **words)
    items = {item.id: item for item in ws.catalog("mine").search()}
    assert set(items) == set(made.items)
    for file in files.values():
        if file.items and file.resolution == 10:
            for band in file.bands:
                cube = load([items[file.items[0]]], bands=[band.name], native=True)
                value = float(cube[band.name].max())
                assert value == pytest.approx(2000 * band.scale + band.offset)


def test_the_preview_and_the_ingest_skip_the_same_for_the_same_reasons(folder, ws):
    seen = preview_ingest(folder, to="mine")
    assert not (ws.root / "catalogs").exists()
    assert "mine" not in configuration.find().catalogs
    made = ingest(folder, to="mine")
    assert set(made.skipped) == set(seen.skipped)
    assert set(made.items) == set(seen.items)
    assert {skipped.href.rpartition("/")[2] for skipped in seen.skipped} == {
        "broken_20210903.tif", "height.tif", "lost_20210101.tif",
    }  # fmt: skip


def test_it_says_what_the_collection_holds_already(folder, ws):
    write(folder / "a" / "one_20210101.tif")
    ingest(folder / "a", to="mine", scale=0.5)
    seen = preview_ingest(folder, to="mine")
    files = by_name(seen)
    assert (len(seen.there), files["one_20210101.tif"].known) == (1, True)
    assert not files["drone_20210620.tif"].known
    # What was said in the earlier call stays, and is told.
    assert files["one_20210101.tif"].bands[0].scale == 0.5
    assert any("as given in an earlier call" in note for note in seen.notes)
    assert "1 of them there already; collection 'mine' holds 1" in repr(seen)


def test_a_coarser_raster_of_the_same_band_is_told(folder):
    write(folder / SAFE / "T33UTP_20220510T101031_B04_20m.tif", pixel=20)
    files = by_name(preview_ingest(folder))
    assert files["T33UTP_20220510T101031_B04_20m.tif"].skipped == (preview._FINER,)


def test_of_many_files_the_first_are_opened_and_all_are_counted(folder):
    for day in range(10, 30):
        write(folder / "many" / f"x_202101{day}.tif")
    seen = preview_ingest(folder / "many", limit=5, bands={"b": "only in others"})
    assert (len(seen.files), seen.found, seen.whole) == (5, 20, True)
    assert repr(seen).startswith("<first 5 of 20 files, 5 can be used")
    with pytest.raises(InvalidInputError, match="no file has a band"):
        preview_ingest(folder / "many", bands={"b": "only in others"})


def test_an_archive_is_not_walked_to_its_end(folder, monkeypatch):
    monkeypatch.setattr(preview, "LOOKED_AT", 3)
    seen = preview_ingest(folder)
    assert not seen.whole
    assert "of more than" in repr(seen)


def test_what_ingest_refuses_the_preview_refuses(folder, ws):
    with pytest.raises(InvalidInputError, match="3 names are given") as told:
        preview_ingest(folder / "drone_20210620.tif", bands=["a", "b", "c"])
    assert "Give names by file" in told.value.hint
    with pytest.raises(InvalidInputError, match="was not made by `ingest`") as told:
        preview_ingest(folder, to="earth-search")
    assert "another name" in told.value.hint
    (folder / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no raster"):
        preview_ingest(folder / "empty")
    with pytest.raises(InvalidInputError, match="limit"):
        preview_ingest(folder, limit=0)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(folder, tmp_path):
    place = tmp_path / "closed"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", place], capture_output=True
    )
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        for call in (preview_ingest, ingest):
            with pytest.raises(ConflictError, match="closed cannot be written") as told:
                call(folder, to=place / "mine", collection="mine")
            assert "Name a folder" in told.value.hint
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_the_table_is_the_same_in_a_terminal_a_notebook_and_a_frame(folder):
    seen = preview_ingest(folder)
    table = seen.to_dataframe().set_index("file")
    assert table.loc["era.nc", "date"] == "2020-01-01 to 2020-01-03 (3)"
    assert table.loc["scan.tif", ["date_from", "scale"]].tolist() == ["file's tags", "0.01 (file)"]
    assert table.loc["dem.tif", "nodata"] == "-9999 (file)"
    for text in ("Feld Süd 12.06.2021.tif", "0.0001 (rule)", "2020-01-01 to 2020-01-03 (3)"):
        assert text in repr(seen)
        assert text in seen._repr_html_()


def test_the_origin_of_a_date_goes_into_the_item(folder, ws):
    ingest(folder, to="mine", time="2000-01-01")
    found = {
        item.id: item.extra_fields["eolab:datetime_from"] for item in ws.catalog("mine").search()
    }
    assert (found["dem"], found["scan"], found["height"]) == ("folder", "tags", "default")


def test_a_long_nodata_is_shown_with_all_its_digits(tmp_path):
    write(tmp_path / "a_20240501.tif", dtype="uint32", nodata=4294967294)
    (file,) = preview_ingest(tmp_path).to_json()["files"]
    assert file["bands"][0]["nodata"] == "4294967294"
    assert "4294967294 (file)" in repr(preview_ingest(tmp_path))
