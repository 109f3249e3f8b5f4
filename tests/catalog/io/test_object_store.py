"""Scenes in a guarded S3 store: moto, which checks signatures, in an environment of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from eolab.catalog import download, load, open_source
from eolab.catalog.cube.clear_fraction import clear_fraction
from eolab.catalog.panel.previews import thumbnail
from eolab.catalog.simulate.names import COLLECTION
from eolab.errors import EolabError
from eolab.settings import config as configuration
from tests import postgres

pytestmark = pytest.mark.slow

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}],
}
IAM = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request"}


def iam(url: str, action: str, **arguments: str) -> str:
    body = {"Action": action, "Version": "2010-05-08", **arguments}
    answer = requests.post(url, data=body, headers=IAM, timeout=30)
    assert answer.ok, answer.text
    return answer.text


@pytest.fixture(scope="module")
def store(tmp_path_factory, sample_items):
    """Address, key and secret of a store with two scenes, whose assets are named as objects."""
    folder = tmp_path_factory.mktemp("moto")
    python = folder / "venv/bin/python"
    postgres.quiet(sys.executable, "-m", "uv", "venv", folder / "venv")
    postgres.quiet(
        sys.executable, "-m", "uv", "pip", "install", "--python", python, "moto[s3,server]>=5,<6"
    )
    port = postgres.free_port()
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [folder / "venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + 60
        while True:
            try:
                requests.get(f"{url}/moto-api/", timeout=5)
                break
            except requests.ConnectionError:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.2)
        iam(url, "CreateUser", UserName="reader")
        told = iam(url, "CreateAccessKey", UserName="reader")
        key, secret = (
            re.search(f"<{name}>(.+?)</{name}>", told)[1]
            for name in ("AccessKeyId", "SecretAccessKey")
        )
        policy = json.dumps(POLICY)
        iam(url, "PutUserPolicy", UserName="reader", PolicyName="all", PolicyDocument=policy)
        assert requests.put(f"{url}/scenes", timeout=30).ok
        documents = []
        for item in sample_items[:2]:
            document = item.to_dict(transform_hrefs=False)
            for name, asset in document["assets"].items():
                file = Path(asset["href"])
                place = f"scenes/{item.id}/{name}{file.suffix}"
                assert requests.put(f"{url}/{place}", data=file.read_bytes(), timeout=30).ok
                asset["href"] = f"s3://{place}"
            documents.append(document)
        # From now on it lets in whom it knows only.
        assert requests.post(f"{url}/moto-api/reset-auth", data=b"0", timeout=30).ok
        assert not requests.get(f"{url}/scenes?list-type=2", timeout=30).ok
        yield url, key, secret, documents
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def source(store, tmp_path, monkeypatch):
    """The scenes as a catalogue `mine` whose files are objects; opened with key and secret."""
    url, key, secret, documents = store
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    monkeypatch.setenv("STORE_KEY", key)
    monkeypatch.setenv("STORE_SECRET", secret)
    collection = {"type": "FeatureCollection", "features": documents}
    (tmp_path / "scenes.json").write_text(json.dumps(collection))

    def opened(login='key = "env:STORE_KEY"\nsecret = "env:STORE_SECRET"\n'):
        (tmp_path / "eolab.toml").write_text(
            'format = 1\n[catalogs.mine]\nurl = "scenes.json"\n'
            f'[catalogs.mine.s3]\nendpoint = "{url}"\nrequester_pays = true\n{login}'
        )
        monkeypatch.setenv("EOLAB_WORKSPACE", str(tmp_path))
        return open_source(configuration.find(), "mine")

    return opened


def test_objects_are_searched_seen_and_loaded(source, sample_items):
    found = source().search([COLLECTION])
    assert [i.id for i in found] == [i.id for i in sample_items[:2]]
    assert found[0].assets["B04"].href.startswith("s3://scenes/")
    ours, theirs = (
        load(items, bands=["red", "nir"], native=True) for items in (found[:1], sample_items[:1])
    )
    assert np.array_equal(ours["red"].data, theirs["red"].data, equal_nan=True)
    assert thumbnail(found[0])[0].startswith(b"\x89PNG")
    assert len(clear_fraction(found[:1])) == 1


def test_objects_are_downloaded_by_a_signature_that_the_store_checks(
    source, sample_items, tmp_path
):
    found = source().search([COLLECTION])
    done = download(found[:1], tmp_path / "d", assets=["red", "SCL"])
    assert not done.failed, done.failed
    for file in done.files:
        original = sample_items[0].assets[file.asset].href
        assert file.path.read_bytes() == Path(original).read_bytes()


def test_a_profile_opens_the_store_too(source, store, sample_items, tmp_path, monkeypatch):
    _, key, secret, _ = store
    file = tmp_path / "credentials"
    file.write_text(f"[mine]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    found = source('profile = "mine"\n').search([COLLECTION])
    assert not download(found[:1], tmp_path / "d", assets=["red"]).failed
    cube = load(found[:1], bands=["swir16"], native=True)
    theirs = load(sample_items[:1], bands=["swir16"], native=True)
    assert np.array_equal(cube["swir16"].data, theirs["swir16"].data, equal_nan=True)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    (failed,) = download(found[:1], tmp_path / "e", assets=["red"]).failed
    assert "profile" in failed.message


def test_a_wrong_key_is_refused_and_said(source, tmp_path, monkeypatch):
    monkeypatch.setenv("STORE_SECRET", "no-such-key-1")
    found = source().search([COLLECTION])
    # A band that no test read before: GDAL remembers what it has read.
    with pytest.raises(EolabError, match=r"cannot be (opened|read)"):
        load(found[:1], bands=["swir22"], native=True)
    (failed,) = download(found[:1], tmp_path / "d", assets=["red"]).failed
    assert "403" in failed.message
    assert not list((tmp_path / "d").rglob("*.tif"))
