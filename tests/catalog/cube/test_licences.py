"""Provenance and licence of the inputs go with a cube, and into what is saved."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pystac
import rasterio
import xarray as xr
from rasterio.transform import from_origin

import eolab as eo
from eolab.catalog.cube import licences
from eolab.catalog.items.parsed import parse_item


def described(**properties):
    return parse_item(pystac.Item("a", None, None, datetime(2024, 5, 17, tzinfo=UTC), properties))


def said(item):
    return dict(licences.by_item(licences.as_text([item]))[0])


def test_publishers_are_named_as_they_ask_for():
    wanted = "Contains modified Copernicus Sentinel data 2024"
    assert said(described(platform="sentinel-2a"))["attribution"] == wanted
    assert "U.S. Geological Survey" in said(described(platform="landsat-8"))["attribution"]
    simulated = described(platform="sentinel-2a", **{"eolab:simulated": True})
    assert said(simulated)["attribution"].startswith("simulated")
    other = described(license="CC-BY-4.0", providers=[{"name": "Survey of Ä"}, {"roles": []}])
    assert said(other) == {"license": "CC-BY-4.0", "attribution": "Survey of Ä"}
    assert said(described()) == {"license": "", "attribution": ""}


def test_a_licence_may_be_a_link():
    item = described(license="proprietary")
    item.item.add_link(pystac.Link("license", "https://example.org/terms"))
    assert said(item)["license"] == "https://example.org/terms"


def test_licence_and_provenance_come_back_from_files_and_stand_in_the_cell(tmp_path):
    with rasterio.open(
        tmp_path / "a_20240517.tif", "w", driver="GTiff", width=10, height=10, count=1,
        dtype="uint8", crs="EPSG:32633", transform=from_origin(500_000, 5_400_000, 10, 10),
    ) as file:  # fmt: skip
        file.write(np.full((1, 10, 10), 4, dtype="uint8"))
    made = eo.ingest(
        tmp_path / "a_20240517.tif", to=tmp_path / "c", collection="mine", bands=["red<b>"],
        scale=0.5, license="CC-BY-4.0",
    )  # fmt: skip
    item = pystac.Item.from_file(str(made.catalog.parent / "a_20240517" / "a_20240517.json"))
    cube = eo.load(item, bands={"red": "red<b>"}, native=True)
    table = cube.eo.provenance()
    assert table.loc[0, ["license", "scale_from"]].tolist() == ["CC-BY-4.0", "user"]
    html = cube.eo._repr_html_()
    assert "<details>" in html
    assert "0.5 (user)" in html
    assert "CC-BY-4.0" in html
    cube.to_netcdf(tmp_path / "cube.nc")
    cube.to_zarr(tmp_path / "cube.zarr")
    for back in (xr.open_dataset(tmp_path / "cube.nc"), xr.open_zarr(tmp_path / "cube.zarr")):
        assert back.eo.provenance().equals(table)
        shown = back.eo._repr_html_()
        assert shown[shown.index("<details>") :] == html[html.index("<details>") :]
    # A cube of an earlier version says no licence, and is read all the same.
    del cube.attrs[licences.ATTR]
    assert "license" not in cube.eo.provenance()
    assert "not stated" in cube.eo._repr_html_()
    bare = cube.drop_attrs()
    assert "<details>" not in bare.eo._repr_html_()
    assert json.loads(json.dumps(bare.eo._repr_html_()))
