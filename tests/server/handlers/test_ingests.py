"""A user's rasters become a collection: seen before, added by another process, registered."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from urllib.parse import urlencode

import numpy as np
import pytest
import rasterio
from affine import Affine

from eolab.facade import Workspace
from eolab.server.folder_listing import list_folder
from eolab.settings import config as configuration
from eolab.settings.config import Config
from eolab.settings.limits import Limits


def write(path, count=1, **facts):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=6, height=5, count=count, dtype="uint16",
        crs="EPSG:32633", transform=Affine(10, 0, 500_000, 0, -10, 5_400_000), **facts,
    ) as file:  # fmt: skip
        file.write(np.full((count, 5, 6), 2000, "uint16"))


@pytest.fixture
def rasters(server):
    """A mixed folder in the one that Jupyter shows; the settings are at last as they were."""
    folder = server.config.file.parent / "rasters"
    write(folder / "Feld Süd 12.06.2021.tif", 2)
    write(folder / "height.tif")
    (folder / "broken_20210903.tif").write_text("no raster")
    before = server.config.file.read_text()
    yield folder
    server.config.file.write_text(before)
    shutil.rmtree(folder)


def wait(server, identity, *states):
    end = time.monotonic() + 90
    while time.monotonic() < end:
        (found,) = [one for one in server.get("ingests").json["ingests"] if one["id"] == identity]
        if found["state"] in states:
            return found
        time.sleep(0.1)
    pytest.fail(f"still {found}")


def test_what_will_be_understood_is_shown_and_nothing_is_written(server, rasters):
    words = {
        "bands": {"Feld*": ["red", "nir"]},
        "scale": {"Feld*": 0.5},
        "nodata": {"Feld*": "nan"},
    }
    answer = server.post("ingests/preview", {"paths": ["rasters"], "to": "fields", **words})
    assert answer.status == 200, answer.body
    body = answer.json
    assert (body["found"], body["items"], body["new"], body["there"]) == (3, 1, 1, 0)
    field, broken, height = body["files"]
    assert field["path"] == str(rasters / "Feld Süd 12.06.2021.tif")
    assert (field["start"], field["time_from"]) == ("2021-06-12T00:00:00Z", "name")
    assert [band["name"] for band in field["bands"]] == ["red", "nir"]
    assert {band["scale_from"] for band in field["bands"]} == {"user"}
    assert field["bands"][0]["nodata"] == "nan"
    assert (broken["items"], height["start"]) == ([], None)
    assert "no date" in height["skipped"][0]
    assert not (server.config.root / "catalogs" / "fields").exists()


def test_rasters_are_added_and_the_catalogue_stands_in_the_workspace(server, rasters):
    words = {"bands": {"Feld*": ["red", "nir"]}, "scale": {"Feld*": 0.5}, "time": "2000-01-01"}
    answer = server.post("ingests", {"paths": [str(rasters)], "to": "fields", **words})
    assert answer.status == 201, answer.body
    done = wait(server, answer.json["id"], "done", "failed")
    assert done["state"] == "done", done
    assert (done["items"], done["holds"], done["skipped_count"]) == (2, 2, 1)
    assert "broken_20210903.tif" in done["skipped"][0]["href"]
    rows = {row["name"]: row for row in server.get("catalogs").json["catalogs"]}
    assert rows["fields"]["own"]
    (collection,) = server.get("catalogs/fields/collections").json["collections"]
    assert (collection["id"], collection["items"]) == ("fields", 2)
    ws = Workspace(configuration.load(server.config.file))
    found = {item.id: item.datetime.year for item in ws.catalog("fields").search()}
    assert found == {"Feld_Süd_12.06.2021": 2021, "height": 2000}
    # Once more: nothing new.
    body = server.post("ingests/preview", {"paths": ["rasters"], "to": "fields"}).json
    assert (body["new"], body["there"]) == (0, 2)
    assert server.post(f"ingests/{done['id']}/commands", {"command": "forget"}).status == 202
    assert done["id"] not in [one["id"] for one in server.get("ingests").json["ingests"]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"paths": [], "to": "a"}, "no list of paths"),
        ({"paths": [3], "to": "a"}, "no text"),
        ({"paths": ["rasters"], "to": "../a"}, "name"),
        ({"paths": ["rasters"]}, "no name"),
        ({"paths": ["/etc"], "to": "a"}, "outside of the folders"),
        ({"paths": ["rasters/../../../etc"], "to": "a"}, "outside of the folders"),
        ({"paths": ["rasters"], "to": "a", "words": 3}, "files have no 'words'"),
        ({"paths": ["rasters"], "to": "a", "pattern": 3}, "no text"),
        ({"paths": ["rasters"], "to": "earth-search"}, "was not made by `ingest`"),
        ({"paths": ["rasters"], "to": "mine"}, "was not made by `ingest`"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(server, rasters, body, message):
    answer = server.post("ingests", body)
    assert answer.status == 400
    assert message in answer.json["message"]
    assert answer.json["hint"]


@pytest.mark.parametrize("words", [{"bands": 3}, {"scale": "x"}, {"time": "no time"},
                                   {"bands": ["a", "b", "c"]}, {"nodata": []}])  # fmt: skip
def test_words_that_cannot_be_are_refused_by_the_preview(server, rasters, words):
    answer = server.post("ingests/preview", {"paths": ["rasters/height.tif"], **words})
    assert answer.status == 400, answer.body
    assert answer.json["hint"]


def test_a_folder_of_many_is_looked_at_up_to_a_number_and_it_is_said(tmp_path):
    """All folders together: 5,000 of 5,000 names each would take a minute."""
    for number in range(30):
        (tmp_path / f"f{number:02}").mkdir()
        for name in range(10):
            (tmp_path / f"f{number:02}" / f"{name}.tif").touch()
    config = Config(root=tmp_path)
    seen = list_folder(config, str(tmp_path), "")
    assert (seen["rasters"], seen["whole"], len(seen["entries"])) == (300, True, 30)
    seen = list_folder(replace(config, limits=Limits(folder_entries=100)), str(tmp_path), "")
    assert (seen["rasters"], seen["whole"], len(seen["entries"])) == (70, False, 30)
    late = replace(config, limits=Limits(folder_seconds=0.0))
    assert list_folder(late, str(tmp_path), "") == {**seen, "rasters": 0, "entries": []}


def test_a_body_that_is_too_large_is_refused(server, rasters):
    body = json.dumps({"paths": ["rasters"], "pattern": "x" * (1 << 20)}).encode()
    assert server.request("POST", f"{server.api}ingests/preview", body).status == 413


def test_what_fails_later_says_why(server, rasters):
    answer = server.post("ingests", {"paths": ["rasters/height.tif"], "to": "none"})
    failed = wait(server, answer.json["id"], "done", "failed")
    assert failed["state"] == "failed"
    assert "none of 1 files could be used" in failed["message"]
    assert "no date" in failed["hint"]
    assert server.post(f"ingests/{failed['id']}/commands", {"command": "dance"}).status == 400
    assert (
        server.post("ingests/20000101000000-00000000/commands", {"command": "cancel"}).status == 404
    )


def test_a_running_one_is_cancelled_between_two_files(server, rasters):
    for number in range(60):
        write(rasters / "many" / f"x{number}_20210101.tif")
    answer = server.post("ingests", {"paths": ["rasters"], "to": "many"})
    identity = answer.json["id"]
    assert server.post(f"ingests/{identity}/commands", {"command": "cancel"}).status == 202
    assert wait(server, identity, "cancelled", "done")["state"] == "cancelled"
    assert "many" not in configuration.load(server.config.file).catalogs


def listed(server, text):
    return server.get("ingests/folders?" + urlencode({"path": text}))


def test_a_typed_path_is_completed_inside_the_folders_that_are_shown(server, rasters):
    body = listed(server, "").json
    assert body["path"] == str(rasters.parent)
    assert "rasters/" in body["entries"]
    body = listed(server, "ras").json
    assert body["entries"] == ["rasters/"]
    body = listed(server, "rasters/").json
    assert body["entries"] == [
        "rasters/Feld Süd 12.06.2021.tif", "rasters/broken_20210903.tif", "rasters/height.tif",
    ]  # fmt: skip
    assert (body["rasters"], body["stac"]) == (3, False)
    assert listed(server, "scenes").json["stac"]
    assert listed(server, str(rasters.parent)).json["path"] == str(rasters.parent)
    assert listed(server, "/etc/").status == 400
    assert listed(server, "nowhere/x").status == 404
    for odd in ("~no-such-user/x", f"rasters/{'x' * 300}", "rasters/" * 900):
        answer = listed(server, odd)
        assert (answer.status, bool(answer.json["hint"])) == (400, True)


def test_a_link_that_leads_to_itself_hides_no_other_folder(server, rasters):
    (rasters / "loop").symlink_to("loop")
    assert "rasters/height.tif" in listed(server, "rasters/").json["entries"]


def test_a_search_over_everything_names_the_catalogue_that_is_broken(server, rasters):
    torn = rasters.parent / "torn"
    torn.mkdir(exist_ok=True)
    (torn / "catalog.json").write_text("{")
    more = f'[catalogs.torn]\nurl = "{torn}"\n[catalogs.away]\nurl = "/media/away/catalog.json"\n'
    server.config.file.write_text(f"{server.config.file.read_text()}\n{more}")
    body = server.get("search", text="mini").json
    assert "mine/mini" in [hit["id"] for hit in body["results"]["collection"]]
    assert {"torn", "away"} <= set(body["unread"])
    assert "no JSON" in body["unread"]["torn"]
    assert "/media/away" in body["unread"]["away"]
