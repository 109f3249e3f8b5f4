"""What a catalogue's documents can make us open: from the network nothing of this machine."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from eolab.catalog import clear_fraction, download, load, open_source
from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.documents import resolve
from eolab.catalog.io.item_logins import FIELD
from eolab.catalog.panel.previews import preview, thumbnail
from eolab.errors import EolabError
from eolab.settings.roots import is_inside
from tests.catalog.sources.test_api import landing

SECRET = 77
PROJECTION = {
    "proj:code": "EPSG:32633",
    "proj:shape": [64, 64],
    "proj:transform": [10, 0, 500_000, 0, -10, 5_400_000],
}
LIST = """<VRTDataset rasterXSize="64" rasterYSize="64"><SRS>EPSG:32633</SRS>
<GeoTransform>500000,10,0,5400000,0,-10</GeoTransform><VRTRasterBand dataType="Byte" band="1">
<SimpleSource><SourceFilename relativeToVRT="0">{}</SourceFilename><SourceBand>1</SourceBand>
</SimpleSource></VRTRasterBand></VRTDataset>"""


def raster(path, value):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=64,
        height=64,
        count=1,
        dtype="uint8",
        crs="EPSG:32633",
        transform=Affine(10, 0, 500_000, 0, -10, 5_400_000),
    ) as file:
        file.write(np.full((1, 64, 64), value, np.uint8))
    return path


@pytest.fixture
def secret(tmp_path_factory):
    """A raster of this machine that no catalogue may name."""
    return raster(tmp_path_factory.mktemp("private") / "secret.tif", SECRET)


def forms(secret):
    return {
        "file": f"file://{secret}",
        "short": f"file:{secret}",
        "shout": f"FILE://{secret}",
        "path": str(secret),
        "up": "../../../../../../../.." + str(secret),
        "gdal": f"GTIFF_RAW:{secret}",
        "vrt": f"vrt://{secret}",
        "inline": LIST.format(secret),
        "zip": f"/vsizip/{secret}",
        "list": "list.tif",  # on the server, but a list of files of this machine
    }


def make_item(hrefs, identity="evil", **more):
    media = "image/tiff; application=geotiff"
    assets = {
        key: {"href": href, "type": media, "roles": ["data"], **PROJECTION}
        for key, href in hrefs.items()
    }
    picture = hrefs.get("path", "https://example.com/x.png")
    assets["thumbnail"] = {"href": picture, "type": "image/png", "roles": ["thumbnail"]}
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": identity,
        "collection": "c",
        "geometry": {
            "type": "Polygon",
            "coordinates": [
                [[15, 48.74], [15.009, 48.74], [15.009, 48.746], [15, 48.746], [15, 48.74]]
            ],
        },
        "bbox": [15, 48.74, 15.009, 48.746],
        "properties": {"datetime": "2024-05-01T00:00:00Z", "proj:code": "EPSG:32633"},
        "links": [],
        "assets": assets,
        **more,
    }


@pytest.fixture
def web(tmp_path, secret):
    """A web server of a folder; its address and the folder."""
    folder = tmp_path / "web"
    folder.mkdir()
    raster(folder / "honest.tif", 5)
    (folder / "list.tif").write_text(LIST.format(secret))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def static(web, document, config):
    url, folder = web
    (folder / "item.json").write_text(json.dumps(document))
    return open_source(config, f"{url}/item.json")


def api(web, document, config, serve):
    url = ""

    def answer(method, path, body):
        if path == "/":
            return 200, landing(url)
        if path.startswith("/search"):
            return 200, {"type": "FeatureCollection", "features": [document], "links": []}
        return 404, {}

    url = serve(answer)
    return open_source(config, url)


@pytest.mark.parametrize("kind", ["static", "api", "an API that says it lies here"])
def test_a_remote_item_never_opens_a_local_file(kind, web, secret, config, serve, tmp_path):
    document = make_item(forms(secret))
    if kind == "static":
        source = static(web, document, config)
    else:
        if kind != "api":
            document["links"] = [{"rel": "self", "href": str(secret.parent / "item.json")}]
        for key, href in forms(secret).items():
            if key == "list":
                document["assets"][key]["href"] = f"{web[0]}/{href}"
        source = api(web, document, config, serve)
    (item,) = source.search()
    for key in forms(secret):
        for use in (
            lambda key: load([item], bands=[key]),
            lambda key: load([item], bands=[key], native=True, raw=True),
            lambda key: preview(item, bands=[key]),
            lambda key: [
                file
                for file in download([item], tmp_path / "d", assets=[key]).files
                if file.asset != "list" and file.state != "failed"
            ],
        ):
            try:
                got = use(key)
            except EolabError as error:
                assert error.message  # noqa: PT017  it may also be refused later
            else:
                assert got == [], f"{key} was opened"
    with pytest.raises(EolabError, match=r"\S"):
        clear_fraction([item])
    with pytest.raises(EolabError, match=r"\S"):
        thumbnail(item)
    for path in (tmp_path / "d").rglob("*"):
        assert path.is_dir() or path.read_bytes() != secret.read_bytes()


def test_what_lies_on_the_server_is_read(web, config, secret):
    (item,) = static(web, make_item({"honest": "honest.tif"}), config).search()
    assert (load([item], bands=["honest"], native=True).honest.data == 5).all()
    assert (load([item], bands=["honest"], chunks={}).honest.compute() == 5).all()


def test_a_lazy_cube_refuses_a_list_of_files_too(web, config, secret):
    (item,) = static(web, make_item({"list": "list.tif"}), config).search()
    with pytest.raises(Exception, match="not recognized"):
        load([item], bands=["list"], chunks={"x": 32}).compute()


def naming_files(folder, secret):
    """Files of formats that name others; each is given the private one."""
    import geopandas as gpd
    from shapely import box

    place = box(500_000, 5_399_360, 500_640, 5_400_000)
    index = gpd.GeoDataFrame({"location": [str(secret)]}, geometry=[place], crs="EPSG:32633")
    index.to_file(folder / "index.gti.gpkg", driver="GPKG", layer="index")
    (folder / "index.gti").write_text(
        f"<GDALTileIndexDataset><IndexDataset>{folder / 'index.gti.gpkg'}</IndexDataset>"
        "<IndexLayer>index</IndexLayer></GDALTileIndexDataset>"
    )
    (folder / "raw.mrf").write_text(
        '<MRF_META><Raster><Size x="64" y="64" c="1"/><PageSize x="64" y="64"/>'
        f"<Compression>NONE</Compression><DataFile>{secret}</DataFile></Raster></MRF_META>"
    )
    with rasterio.open(raster(folder / "overviews.tif", 5), "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(secret))
    (folder / "late.tif").write_text(" " * 600 + LIST.format(secret))
    names = ("index.gti.gpkg", "index.gti", "raw.mrf", "overviews.tif", "late.tif")
    return {name.partition(".")[0] + str(k): name for k, name in enumerate(names)}


def test_no_format_that_names_files_shows_one_of_this_machine(web, config, secret, tmp_path):
    """From the network, and once it was downloaded and lies here."""
    hrefs = naming_files(web[1], secret)
    with rasterio.open(web[1] / "overviews.tif") as file:  # GDAL itself would
        assert (file.read(1, out_shape=(32, 32)) == SECRET).any() or file.overviews(1)
    (item,) = static(web, make_item(hrefs), config).search()
    done = download([item], tmp_path / "d", assets=list(hrefs))
    (here,) = open_source(config, str(done.catalogs[0])).search()
    brought = set(here.assets)
    assert {"overviews3", "raw2", "index0"} <= brought
    for each in (item, here):
        for key in hrefs:
            for use in (
                lambda key, each=each: load([each], bands=[key], native=True),
                lambda key, each=each: load([each], bands=[key], resolution=20, raw=True),
                lambda key, each=each: preview(each, bands=[key], size=16),
            ):
                with pytest.raises(EolabError, match=r"\S") as error:
                    use(key)
                assert error.value.hint


def test_what_was_downloaded_and_holds_its_own_pixels_is_read(web, config, tmp_path):
    (item,) = static(web, make_item({"honest": "honest.tif"}), config).search()
    done = download([item], tmp_path / "d", assets=["honest"])
    (here,) = open_source(config, str(done.catalogs[0])).search()
    assert (load([here], bands=["honest"], native=True).honest.data == 5).all()
    # What lies beside it came from elsewhere too, and counts no more than on the network.
    (done.files[0].path.with_suffix(".tif.aux.xml")).write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>5</NoDataValue></PAMRasterBand>'
        "</PAMDataset>"
    )
    assert (load([here], bands=["honest"], native=True, raw=True).honest.data == 5).all()


def test_a_document_does_not_choose_by_whose_login_it_is_read(web, config):
    document = make_item({"honest": "honest.tif"}, **{FIELD: "copernicus"})
    (item,) = static(web, document, config).search()
    assert FIELD not in item.extra_fields


class TestLocalCatalogue:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "catalogue"
        (folder / "inner").mkdir(parents=True)
        raster(folder / "inner" / "own.tif", 5)
        return folder

    @pytest.mark.parametrize("form", ["file", "path", "up", "zip", "vrt"])
    def test_what_lies_outside_is_an_error_that_names_the_setting(
        self, form, folder, secret, config
    ):
        document = make_item({"bad": forms(secret)[form], "own": "inner/own.tif"})
        (folder / "item.json").write_text(json.dumps(document))
        source = open_source(config, str(folder / "item.json"))
        (item,) = source.search()
        assert (load([item], bands=["own"], native=True).own.data == 5).all()
        assert "outside" in source.skipped[0].message
        with pytest.raises(EolabError, match="outside") as error:
            load([item], bands=["bad"])
        assert "[workspace]" in error.value.hint

    @pytest.mark.parametrize("form", ["gdal", "inline"])
    def test_what_is_no_path_is_the_name_of_a_missing_file(self, form, folder, secret, config):
        (folder / "item.json").write_text(json.dumps(make_item({"bad": forms(secret)[form]})))
        (item,) = open_source(config, str(folder / "item.json")).search()
        with pytest.raises(EolabError, match="missing"):
            load([item], bands=["bad"])

    def test_configured_roots_and_links_of_the_users_own_are_followed(self, folder, secret, config):
        (folder / "link.tif").symlink_to(secret)
        (folder / "item.json").write_text(
            json.dumps(make_item({"link": "link.tif", "far": f"file://{secret}"}))
        )
        url = str(folder / "item.json")
        (item,) = open_source(config, url).search()
        assert (load([item], bands=["link"], native=True).link.data == SECRET).all()
        told = replace(config, roots=(secret.parent,))
        (item,) = open_source(told, url).search()
        assert (load([item], bands=["far"], native=True).far.data == SECRET).all()

    def test_a_root_is_a_folder_not_the_start_of_a_name(self, tmp_path):
        assert is_inside(tmp_path / "a" / "b", [tmp_path / "a"])
        assert is_inside(tmp_path / "a", [tmp_path / "a"])
        assert not is_inside(tmp_path / "ab", [tmp_path / "a"])
        assert not is_inside(tmp_path / "a" / ".." / "b", [tmp_path / "a"])


@pytest.mark.parametrize(
    ("href", "files"),
    [
        ("/data/a.tif", ["/data/a.tif"]),
        ("file:///data/a%20b.tif", ["/data/a b.tif"]),
        ('NETCDF:"/data/a.nc":ndvi', ["/data/a.nc"]),
        ("NETCDF:/data/a.nc:ndvi", ["/data/a.nc:ndvi"]),
        ("vrt:///data/a.tif?bands=1", ["/data/a.tif?bands=1"]),
        ("/vsizip//data/a.zip/b.tif", ["/data/a.zip/b.tif"]),
        ("/vsizip/{/data/a.zip}/b.tif", ["/data/a.zip}/b.tif"]),
        ("/vsizip//vsicurl/https://x/a.zip/b.tif", []),
        ("https://x/a.tif", []),
        ("s3://bucket/a.tif", []),
        ('ZARR:"/vsicurl/https://x/a.zarr":/b', []),
        ('ZARR:"/data/://":/b', ["/data/://"]),
    ],
)
def test_files_in_gdals_addresses(href, files):
    assert local_files(href) == files


def test_addresses_are_followed_to_where_they_lead(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "b.json").symlink_to("a.json")
    base = str(tmp_path / "link" / "catalog.json")
    for href in (
        "a.json", "./b.json", "../link/./a.json", "../real/../real/b.json", "..", ".", "",
        "no/such/../a.json", str(tmp_path / "link" / "b.json"), "sub/a.json", "/", "a.json/",
    ):  # fmt: skip
        assert resolve(base, href) == str((Path(base).parent / href).resolve()), href
    plain = (tmp_path / "real" / "a.json").as_uri()
    assert resolve(base, plain) == str((tmp_path / "real" / "a.json").resolve())
