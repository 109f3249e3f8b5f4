"""Catalogues that somebody added are changed and removed, against a real server."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from eolab.settings import config as configuration
from tests.server.conftest import Server, write_catalog

LOGIN = {
    "client_id": "me",
    "client_secret": "keyring:eolab/secret",
    "token_url": "https://login.example.org/token",
}


@pytest.fixture
def own(server: Server, tmp_path: Path):
    """The server with a catalogue `added`, and its file as it was before."""
    before = server.config.file.read_text()
    write_catalog(tmp_path / "added")
    entry = {"name": "added", "url": str(tmp_path / "added" / "catalog.json")}
    assert server.post("catalogs", {**entry, "description": "For a while"}).status == 201
    yield server, before, tmp_path / "added"
    server.config.file.write_text(before)


def send(server: Server, method: str, path: str, body=None):
    return server.request(method, server.api + path, body)


def names(answer) -> list[str]:
    return [source["name"] for source in answer.json["catalogs"]]


def keys_of(server: Server) -> Path:
    return server.log.parent / "keys.json"


def test_what_can_be_removed_is_told(own):
    server, _, _ = own
    rows = {row["name"]: row["own"] for row in server.get("catalogs").json["catalogs"]}
    assert rows["added"]
    assert rows["mine"]
    assert not rows["earth-search"]  # though the file names it
    assert not rows["cdse"]


def test_a_removed_catalogue_is_gone_but_its_files(own):
    server, before, folder = own
    files = sorted(folder.rglob("*"))
    assert server.post("catalogs/added/search", {}).json["matched"] == 2
    assert server.get("catalogs/added/collections").status == 200
    seen = server.get("search", text="good").json["results"]["item"]
    assert any(item["id"].startswith("added/") for item in seen)
    answer = send(server, "DELETE", "catalogs/added")
    assert answer.status == 200, answer.body
    assert "added" not in names(answer)
    assert server.config.file.read_text() == before
    assert sorted(folder.rglob("*")) == files
    for path in ("catalogs/added/search", "catalogs/added/calendar"):
        assert server.post(path, {"collection": "mini"}).status == 404
    found = server.get("search", text="good").json["results"]
    assert not any(item["id"].startswith("added/") for item in found.get("item", []))
    found = server.get("search", text="mini").json["results"]
    rows = [row["id"] for row in found["collection"]]
    assert "mine/mini" in rows
    assert "added/mini" not in rows
    # A second time, as after a lost answer, it says so.
    assert send(server, "DELETE", "catalogs/added").status == 404


def test_what_was_removed_is_named_again_as_it_was(own):
    server, _, _ = own
    text = server.config.file.read_text()
    was = send(server, "DELETE", "catalogs/added").json["was"]
    assert server.post("catalogs", was).status == 201
    assert server.config.file.read_text() == text


@pytest.mark.parametrize("name", ["earth-search", "sample", "cdse"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_comes_with_eolab_stays(own, name, method):
    server, _, _ = own
    text = server.config.file.read_text()
    body = {"url": "https://stac.example.org"} if method == "PUT" else None
    answer = send(server, method, f"catalogs/{name}", body)
    assert answer.status == 409, answer.body
    assert "comes with eolab" in answer.json["message"]
    assert server.config.file.read_text() == text


def test_a_table_that_is_written_otherwise_is_changed_and_nothing_else(own):
    server, before, _ = own
    odd = before + '\n[catalogs.odd]\nurl = """\nhttps://stac.example.org"""\n'
    server.config.file.write_text(odd)
    answer = send(server, "PUT", "catalogs/odd", {"url": "https://other.example.org"})
    assert answer.status == 200
    text = server.config.file.read_text()
    assert text.startswith(before)
    assert tomllib.loads(text)["catalogs"]["odd"] == {"url": "https://other.example.org"}


def test_secrets_that_nobody_else_names_leave_the_key_store(own):
    server, _, _ = own
    keys = keys_of(server)
    keys.write_text(json.dumps({"eolab/secret": "a", "eolab/shared": "b", "other/me": "c"}))
    shared = {"token": "keyring:eolab/shared"}
    for name, login in (("guarded", LOGIN), ("one", shared), ("two", shared)):
        entry = {"name": name, "url": f"https://{name}.example.org", **login}
        assert server.post("catalogs", entry).status == 201
    assert server.get("catalogs/guarded").json["secrets"] == ["keyring:eolab/secret"]
    assert server.get("catalogs/one").json["secrets"] == []
    # Only when it is asked for.
    assert send(server, "DELETE", "catalogs/one").json["secrets"] == []
    answer = send(server, "DELETE", "catalogs/guarded?secrets=1")
    assert answer.json["secrets"] == ["keyring:eolab/secret"]
    assert json.loads(keys.read_text()) == {"eolab/shared": "b", "other/me": "c"}
    assert send(server, "DELETE", "catalogs/two?secrets=1").json["secrets"] == [
        "keyring:eolab/shared"
    ]
    assert json.loads(keys.read_text()) == {"other/me": "c"}


def test_a_locked_key_store_keeps_no_catalogue(own):
    server, before, _ = own
    keys_of(server).write_text(json.dumps({"locked": True}))
    entry = {"name": "guarded", "url": "https://guarded.example.org", **LOGIN}
    assert server.post("catalogs", entry).status == 201
    answer = send(server, "DELETE", "catalogs/guarded?secrets=1")
    keys_of(server).unlink()
    assert answer.status == 200
    assert "guarded" not in names(answer)
    assert answer.json["secrets"] == []
    assert "nobody unlocked it" in answer.json["left"][0]
    assert "example.org/token" not in server.config.file.read_text()
    assert before.splitlines()[0] in server.config.file.read_text()


def test_address_and_login_are_changed(own, tmp_path):
    server, _, folder = own
    said = server.get("catalogs/added").json
    assert said == {
        "name": "added",
        "url": str(folder / "catalog.json"),
        "kind": "auto",
        "description": "For a while",
        "login": {},
        "secrets": [],
    }
    assert server.post("catalogs/added/search", {}).json["matched"] == 2
    text = server.config.file.read_text()
    body = {"url": "https://stac.example.org/v1", "kind": "api", **LOGIN}
    answer = send(server, "PUT", "catalogs/added", body)
    assert answer.status == 200, answer.body
    row = next(row for row in answer.json["catalogs"] if row["name"] == "added")
    assert (row["url"], row["kind"], row["description"]) == (body["url"], "api", "")
    assert configuration.load(server.config.file).catalogs["added"].login.client_id == "me"
    assert server.get("catalogs/added").json["login"] == LOGIN
    found = server.get("search", text="good").json["results"]
    assert not any(item["id"].startswith("added/") for item in found.get("item", []))
    # And back: to the letter.
    back = {key: said[key] for key in ("url", "kind", "description")}
    assert send(server, "PUT", "catalogs/added", back).status == 200
    assert configuration.load(server.config.file).catalogs["added"].url == said["url"]
    assert sorted(server.config.file.read_text().splitlines()) == sorted(text.splitlines())
    assert server.post("catalogs/added/search", {}).json["matched"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "no/such/folder"},
        {"url": "ftp://stac.example.org"},
        {"url": "https://ann:secret@stac.example.org"},
        {"url": "https://stac.example.org", "token": "a-secret"},
        {"url": "https://stac.example.org", "kind": "odd"},
        {"url": "https://stac.example.org", "client_id": "me"},
    ],
)
def test_a_bad_change_is_refused_and_leaves_the_file(own, body):
    server, _, _ = own
    text = server.config.file.read_text()
    answer = send(server, "PUT", "catalogs/added", body)
    assert answer.status == 400, answer.body
    assert answer.json["hint"]
    assert server.config.file.read_text() == text


def test_a_login_that_is_taken_away_is_sent_no_more(tmp_path: Path, monkeypatch):
    """To nobody on its host, not even for another catalogue there."""
    from eolab.catalog import open_source

    monkeypatch.setenv("HELD_TOKEN", "hush")
    file, url = tmp_path / "eolab.toml", "https://held.example.org/v1"
    head = f'format = 1\n[catalogs.held]\nkind = "api"\nurl = "{url}"\n'
    file.write_text(f'{head}token = "env:HELD_TOKEN"\n')
    login = open_source(configuration.load(file), "held").login
    assert login is not None
    assert login.headers() == {"Authorization": "Bearer hush"}
    file.write_text(head)
    assert open_source(configuration.load(file), "held").login is None
    assert open_source(configuration.load(file), f"{url}/catalog.json").login is None
