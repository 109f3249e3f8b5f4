"""A canary in each kind of login: whatever fails, nothing that people read or send on quotes it."""

from __future__ import annotations

import json
import logging
import os
import pickle
import traceback
from pathlib import Path

import numpy as np
import pystac
import pytest

import eolab as eo
from eolab import errors
from eolab.catalog import download, load, open_source
from eolab.catalog.io import redirects
from eolab.catalog.panel.previews import preview, thumbnail
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import ConfigError, EolabError, InvalidInputError, RemoteError
from eolab.redaction import keep_out_of_log, note_secret, redact
from eolab.settings import config as configuration
from eolab.settings import edit
from tests.guarded import SIGNATURE, bearer

ITEM = "SIM_S2A_33UTP_20210902_N0510"
CANARY = "c4nary-in-the-mine"
KINDS = {
    "a header": 'headers = {"X-Api-Key" = "env:MINE"}',
    "two headers": 'token = "env:MINE"\nheaders = {"X-Team" = "env:MINE"}',
    "a token": 'token = "env:MINE"',
}


def quoted(store):
    """Requests to a server that carried the secret."""
    return [r for r in store.requests if CANARY in json.dumps(r)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_secret_stays_with_its_host_whatever_reads(
    guarded, configured, monkeypatch, tmp_path, sample_items, kind
):
    """Files are handed over to another host: every reader finds them, none takes the secret."""
    monkeypatch.setenv("MINE", f"{CANARY}\n")  # as files of secrets end
    store, other = (
        guarded(lambda path, headers: None if CANARY in str(headers) else "log in"),
        guarded(),
    )
    store.elsewhere = other.url
    config = configured(f'url = "{store.url}/catalog.json"\n{kind}')
    (item,) = open_source(config, "mine").search(COLLECTION, ids=[ITEM])
    own = load([i for i in sample_items if i.id == ITEM], bands=["red", "B11"], native=True)
    cube = load([item], bands=["red", "B11"], native=True)
    np.testing.assert_array_equal(cube.red, own.red)
    lazy = load([item], bands=["red"], native=True, chunks={"x": 300, "y": 300})
    np.testing.assert_array_equal(lazy.red.compute(scheduler="threads"), own.red)
    assert thumbnail(item)[0][:2] == b"\xff\xd8"
    assert len(preview(item, size=64)) > 500
    done = download([item], tmp_path / "here", assets=["red"])
    assert [file.state for file in done.files] == ["done"]
    assert quoted(store)
    assert other.requests
    assert not quoted(other)
    assert CANARY not in repr((item.to_dict(), cube, lazy, pickle.dumps(lazy.red.__dask_graph__())))


def test_redirects_are_followed_once_a_file_and_found_anew_when_refused(
    guarded, configured, monkeypatch
):
    monkeypatch.setenv("MINE", CANARY)
    refusing = []
    store = guarded()
    other = guarded(lambda path, headers: "expired" if refusing else None)
    store.elsewhere = other.url
    config = configured(f'url = "{store.url}/catalog.json"\n{KINDS["a header"]}')
    (item,) = open_source(config, "mine").search(COLLECTION, ids=[ITEM])
    store.requests.clear()
    load([item], bands=["B02"], native=True)
    asked = len(store.requests)
    # The file, and once for all of its kind whether a mask lies beside it.
    assert [path.rpartition("/")[2] for _, path, _ in store.requests] == ["B02.tif.msk", "B02.tif"]
    load([item], bands=["B02"], resolution=40)
    assert len(store.requests) == asked
    refusing.append(1)
    with pytest.raises(RemoteError) as error:
        load([item], bands=["B03"], native=True)
    assert SIGNATURE not in str(error.value)
    refusing.clear()
    load([item], bands=["B03"], native=True)
    assert not quoted(other)


def test_a_folder_of_many_files_that_another_host_hands_out_is_not_read_by_a_header(
    guarded, configured, monkeypatch
):
    monkeypatch.setenv("MINE", CANARY)
    store, other = guarded(), guarded()
    store.elsewhere = other.url
    store.extra["/cube.zarr/ndvi/zarr.json"] = lambda sent, headers: (404, {})
    config = configured(f'url = "{store.url}/catalog.json"\n{KINDS["a header"]}')
    item = pystac.Item("a", None, None, __import__("datetime").datetime(2024, 1, 1), {})
    item.add_asset("ndvi", pystac.Asset(f"{store.url}/cube.zarr/ndvi", roles=["data"]))
    login = open_source(config, "mine").login
    with pytest.raises(RemoteError, match="another host"):
        redirects.resolved(login, item.assets["ndvi"].href)
    assert not quoted(other)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_failure_quotes_a_secret(guarded, configured, monkeypatch, tmp_path, caplog, kind):
    """Refused, cut off, odd: errors with their causes, logs and the workspace's own log."""
    caplog.set_level(logging.DEBUG)  # of all libraries
    caplog.set_level(logging.WARNING, "stac_geoparquet")  # pytest takes its odd lines for errors
    monkeypatch.setenv("MINE", CANARY)
    letting_in = [True]
    store = guarded(lambda path, headers: None if letting_in else f"no, not {headers}")
    config = configured(f'url = "{store.url}/catalog.json"\n{kind}')
    errors.set_log(config.logs)
    source = open_source(config, "mine")
    (item,) = source.search(COLLECTION, ids=[ITEM])
    letting_in.clear()
    acts = [
        lambda: open_source(config, "mine").refresh(),
        lambda: load([item], bands=["B06"], native=True),
        lambda: thumbnail(item),
        lambda: preview(item, size=32),
    ]
    for value in (CANARY, f"{CANARY}\n", f"{CANARY}\nsecond"):
        monkeypatch.setenv("MINE", value)
        for act in acts:
            with pytest.raises(EolabError) as error:
                act()
            told = "".join(traceback.format_exception(error.value.with_traceback(None)))
            assert CANARY not in str(error.value)
            assert CANARY not in told
            errors.write_log(error.value)
        done = download([item], tmp_path / "here", assets=["red"])
        assert done.failed
        assert CANARY not in f"{done} {done.files}"
    assert CANARY not in caplog.text
    log = config.logs / "errors.log"
    assert CANARY not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


def test_what_a_service_quotes_is_quoted_by_no_cause_and_no_log(
    guarded, configured, monkeypatch, caplog
):
    """A traceback shows the errors of libraries below ours, and their logs show what was sent."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MINE", CANARY)
    store = guarded()
    # Whatever part of the answer is shown, it shows no half of the secret.
    cut = iter((168, 173, 178))
    store.extra["/stac"] = lambda sent, headers: (
        400, {"sent": "x" * next(cut) + headers["authorization"]}
    )  # fmt: skip
    config = configured(f'url = "{store.url}/stac"\nkind = "api"\ntoken = "env:MINE"')
    for _ in range(3):
        with pytest.raises(RemoteError, match="landing page failed: 400") as error:
            open_source(config, "mine").search()
        assert CANARY[:6] not in str(error.value)
    assert quoted(store)
    one, told = error.value, []
    while one is not None:
        told.append(f"{one!r} {one}")
        one = one.__cause__ or one.__context__
    assert len(told) > 1
    assert CANARY not in " ".join(told)
    assert "Bearer ..." in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("kind", ["api", "static", "auto"])
def test_a_redirect_to_what_is_no_address_is_a_clear_error(
    guarded, configured, monkeypatch, tmp_path, kind
):
    store = guarded()
    handler = store.server.RequestHandlerClass
    send = handler.send
    monkeypatch.setattr(
        handler, "send", lambda self, code, document, *, body=True, **headers: send(
            self, 302, {}, body=body, Location="http://[::1"
        )
    )  # fmt: skip
    config = configured(f'url = "{store.url}/stac"\nkind = "{kind}"')
    with pytest.raises(RemoteError, match=r"Invalid IPv6 URL|does not answer"):
        open_source(config, "mine").search()
    item = pystac.Item("a", None, None, __import__("datetime").datetime(2024, 1, 1), {})
    item.add_asset("red", pystac.Asset(f"{store.url}/red.tif", roles=["data"]))
    done = download([item], tmp_path / "d")
    assert "no address" in done.failed[0].message


def test_a_secret_with_a_line_feed_within_is_refused_by_the_name_of_its_variable(
    guarded, configured, monkeypatch
):
    store = guarded(bearer(CANARY))
    config = configured(f'url = "{store.url}/catalog.json"\ntoken = "env:MINE"')
    monkeypatch.setenv("MINE", f" {CANARY}\r\n")
    assert open_source(config, "mine").refresh().items
    monkeypatch.setenv("MINE", f"{CANARY}\nX-Other: 1")
    with pytest.raises(InvalidInputError, match="environment variable MINE") as error:
        open_source(config, "mine").refresh()
    assert CANARY not in str(error.value)
    monkeypatch.setenv("MINE", " \n")
    with pytest.raises(InvalidInputError, match="MINE, which is not set"):
        open_source(config, "mine").refresh()


def test_a_client_secret_and_its_token_are_quoted_nowhere(guarded, configured, monkeypatch):
    monkeypatch.setenv("MINE", CANARY)
    tokens = guarded()
    tokens.extra["/token"] = lambda sent, headers: (200, {"access_token": f"{CANARY}-t"})
    store = guarded(lambda path, headers: f"no: {headers}")
    config = configured(
        f'url = "{store.url}/catalog.json"\nclient_id = "me"\nclient_secret = "env:MINE"\n'
        f'token_url = "{tokens.url}/token"'
    )
    with pytest.raises(RemoteError) as error:
        open_source(config, "mine").search()
    assert CANARY not in "".join(traceback.format_exception(error.value))
    tokens.extra["/token"] = lambda sent, headers: (403, {"why": sent})
    open_source(config, "mine").login._tokens.clear()
    with pytest.raises(RemoteError, match="gives no token") as error:
        open_source(config, "mine").search()
    assert CANARY not in "".join(traceback.format_exception(error.value))


def test_a_client_secret_goes_to_no_host_that_its_service_leads_to(
    guarded, configured, monkeypatch
):
    monkeypatch.setenv("MINE", CANARY)
    forms, other, tokens = [], guarded(), guarded()
    other.extra["/token"] = lambda sent, headers: (200, forms.append(sent) or {"access_token": "t"})
    handler = tokens.server.RequestHandlerClass
    send = handler.send

    def redirect(self, code, document, *, body=True, **headers):
        send(self, 307, {}, body=body, Location=f"{other.url}/token")

    monkeypatch.setattr(handler, "send", redirect)
    config = configured(
        f'url = "{other.url}/catalog.json"\nclient_id = "me"\nclient_secret = "env:MINE"\n'
        f'token_url = "{tokens.url}/token"'
    )
    with pytest.raises(RemoteError, match="leads to another address"):
        open_source(config, "mine").search()
    assert forms == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": f"https://example.org/stac?api_key={CANARY}"}, "api_key"),
        ({"url": f"https://me:{CANARY}@example.org/stac"}, "holds a login"),
        ({"headers": {"X-Auth": CANARY}}, "plain text"),
        ({"headers": {"X-Session-Id": CANARY}}, "plain text"),
        ({"headers": {"X-Team": f"{CANARY}\n"}}, "odd character"),
        ({"headers": {"X Team": CANARY}}, "name of a header"),
        (
            {"client_id": "a", "client_secret": "env:A", "token_url": f"https://x/?key={CANARY}"},
            "its address",
        ),
        ({"s3": {"endpoint": f"https://u:{CANARY}@x"}}, "its address"),
        (
            {"client_id": "a", "client_secret": "env:A", "token_url": f"https://[{CANARY}/x"},
            "no address",
        ),
    ],
)
def test_no_secret_is_written_into_the_file(tmp_path, options, says):
    file = tmp_path / "eolab.toml"
    file.write_text("format = 1\n")
    config = configuration.load(file)
    given = {"url": "https://example.org/stac", **options}
    with pytest.raises(InvalidInputError, match=says) as error:
        edit.add_catalog(config, tmp_path, name="mine", **given)
    assert error.value.hint
    assert CANARY not in str(error.value)
    assert file.read_text() == "format = 1\n"


def test_a_secret_that_stands_in_a_file_of_before_is_told_and_hidden(tmp_path):
    file = tmp_path / "eolab.toml"
    file.write_text(
        'format = 1\n[catalogs.mine]\nurl = "https://example.org/stac?collection=a&api_key='
        f'{CANARY}"\nheaders = {{"X-Auth" = "{CANARY}-2"}}\n'
    )
    with pytest.warns(UserWarning, match="secret") as told:
        config = configuration.load(file)
    assert len(told) == 2
    assert not any(CANARY in str(warning.message) for warning in told)
    shown = str(RemoteError(f"{config.catalogs['mine'].url} failed: {CANARY}-2"))
    assert CANARY not in shown
    assert "example.org" in shown
    file.write_text(f'format = 1\n[catalogs.mine]\nurl = "https://x"\ntoken = ["{CANARY}"]\n')
    with pytest.raises(ConfigError, match="text in quotes") as error:
        configuration.load(file)
    assert CANARY not in str(error.value)


def test_a_new_workspace_is_its_owners_alone_unless_it_is_shared(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", os.umask)
    before = os.umask(0o022)
    try:
        own = eo.workspace(tmp_path / "own")
        own.search("wheat")
        shared_file = tmp_path / "team" / "eolab.toml"
        shared_file.parent.mkdir()
        shared_file.write_text('format = 1\n[workspace]\npath = "space"\nshared = true\n')
        team = eo.workspace(shared_file)
        team.search("wheat")
        errors.set_log(team.config.logs, mode=0o666)
        assert errors.write_log(ValueError("x")) == team.config.logs / "errors.log"
        older = tmp_path / "older"
        older.mkdir()
        eo.workspace(older).search("wheat")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (own.root, team.root, older)}
    assert modes == {"own": 0o700, "space": 0o755, "older": 0o755}
    assert (team.config.logs / "errors.log").stat().st_mode & 0o777 == 0o644


def test_the_log_of_errors_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(errors, "LOG_MOST", 4_000)
    errors.set_log(tmp_path / "logs")
    for number in range(100):
        errors.write_log(ValueError(f"{number}" * 100))
    sizes = [path.stat().st_size for path in (tmp_path / "logs").iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < 5_000
    assert "99" * 20 in Path(tmp_path / "logs" / "errors.log").read_text()


@pytest.mark.parametrize(
    "address",
    [
        f"https://{CANARY}-and-more-of-it@example.org/x",
        f"https://{CANARY}:@example.org/x",
        f"https://me:{CANARY}@{CANARY}@example.org/x",
        f"https://example.org/x#access_token={CANARY}",
        f"https://example.org/x?a=1&jwt={CANARY}",
        f"https://example.org/x?access_key={CANARY}",
        f"sc://example.org:15002/;use_ssl=true;token={CANARY};user_id=me",
        f"/vsicurl?url=https%3A%2F%2Fexample.org%2Fx%3Fa%3D1%26sig%3D{CANARY}",
    ],
)
def test_what_lets_in_at_an_address_is_shown_in_none_of_its_forms(address):
    shown = str(RemoteError(f"{address} does not answer"))
    assert CANARY not in shown
    assert "example.org" in shown


@pytest.mark.parametrize("address", ["https://example.org:8080/a@b", "postgresql://me@host/data"])
def test_an_address_that_holds_no_secret_is_shown_whole(address):
    assert redact(address) == address


def test_a_log_shows_no_secret_of_an_exception_and_a_slip_in_it_breaks_nothing(caplog):
    note_secret(CANARY)
    keep_out_of_log("eolab.tests.log")
    log = logging.getLogger("eolab.tests.log")
    log.warning("%d requests", f"of {CANARY}")
    try:
        raise ValueError(f"sent {CANARY}")
    except ValueError:
        log.exception("failed")
    assert "%d requests ('of ...',)" in caplog.text
    assert "ValueError: sent ..." in caplog.text
    assert CANARY not in caplog.text
