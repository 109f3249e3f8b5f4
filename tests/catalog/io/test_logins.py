"""Logins as `eolab.toml` states them, the key store, and services that need no file."""

from __future__ import annotations

from typing import ClassVar

import pystac
import pytest

from eolab.catalog.items.bands import find_band
from eolab.catalog.items.parsed import parse_item
from eolab.catalog.items.radiometry import radiometry
from eolab.errors import ConfigError, InvalidInputError
from eolab.settings import config as configuration
from eolab.settings.logins import parse, secret


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('token = "abc"', "plain text"),
        ('client_id = "a"\nclient_secret = "env:B"', "only"),
        ('client_id = "a"\nclient_secret = "b"\ntoken_url = "https://x"', "plain text"),
        ('headers = {Authorization = "Bearer abc"}', "plain text"),
        ('headers = {"X-Api-Key" = "abc"}', "plain text"),
        ("headers = {a = 1}", "no text"),
        ('sign = "planetary"', "allowed: planetary-computer"),
        ('s3 = {keys = "env:A"}', "unknown key"),
        ('s3 = {key = "env:A"}', "one of key and secret"),
        ('s3 = {key = "abc", secret = "def"}', "plain text"),
        ('s3 = {requester_pays = "yes"}', "true or false"),
        ("token = 3", "text in quotes"),
    ],
)
def test_a_wrong_login_is_said_and_no_secret_stands_in_the_file(tmp_path, text, says):
    file = tmp_path / "eolab.toml"
    file.write_text(f'format = 1\n[catalogs.mine]\nurl = "https://example.org"\n{text}\n')
    with pytest.raises(ConfigError, match=says) as error:
        configuration.load(file)
    assert "catalogs.mine" in error.value.message
    assert error.value.hint


def test_secrets_from_the_key_store(monkeypatch):
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend

    class Memory(KeyringBackend):
        priority = 1
        kept: ClassVar = {("cdse", "me"): "hush"}

        def get_password(self, service, username):
            return self.kept.get((service, username))

        def set_password(self, service, username, password):
            self.kept[service, username] = password

        def delete_password(self, service, username):
            del self.kept[service, username]

    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        assert secret("keyring:cdse/me", "a test") == "hush"
        with pytest.raises(InvalidInputError, match="cdse/you"):
            secret("keyring:cdse/you", "a test")
    finally:
        keyring.set_keyring(before)


def test_the_presets_are_there_without_a_file(config):
    assert config.catalogs["planetary-computer"].login.sign == "planetary-computer"
    assert config.catalogs["cdse"].login.s3.endpoint.startswith("https://eodata.")
    assert not config.catalogs["earth-search"].login
    assert not parse({}, "x")


def cdse_item():
    """In the shape that the Copernicus Data Space gives its Sentinel-2 L2A items."""
    item = pystac.Item(
        "S2B_MSIL2A_20240605T100559_N0510_R022_T33UUP_20240605T130000",
        {"type": "Point", "coordinates": [15, 48]},
        [15, 48, 15, 48],
        __import__("datetime").datetime(2024, 6, 5),
        {"platform": "sentinel-2b", "processing:version": "05.10", "proj:code": "EPSG:32633"},
        collection="sentinel-2-l2a",
    )
    for size in (10, 20, 60):
        for name, common in (("B02", "blue"), ("B04", "red"), ("B8A", "nir08"), ("B08", "nir")):
            if (name, size) in (("B8A", 10), ("B08", 20), ("B08", 60)):
                continue
            item.add_asset(
                f"{name}_{size}m",
                pystac.Asset(
                    f"s3://eodata/Sentinel-2/x/R{size}m/T33UUP_{name}_{size}m.jp2",
                    media_type="image/jp2",
                    roles=["data", "reflectance"],
                    extra_fields={
                        "gsd": size,
                        "nodata": 0,
                        "raster:scale": 0.0001,
                        "raster:offset": -0.1,
                        "bands": [{"name": name, "eo:common_name": common}],
                    },
                ),
            )
        if size > 10:
            item.add_asset(
                f"SCL_{size}m",
                pystac.Asset(
                    f"s3://eodata/Sentinel-2/x/R{size}m/T33UUP_SCL_{size}m.jp2",
                    media_type="image/jp2",
                    roles=["data"],
                    extra_fields={"gsd": size, "bands": [{"name": "SCL"}]},
                ),
            )
    return item


def test_names_of_the_copernicus_data_space():
    """The finest of its several sizes is taken; the offset once; classes stay classes."""
    item = parse_item(cdse_item())
    assert find_band(item, "red").asset == "B04_10m"
    assert find_band(item, "B04").asset == "B04_10m"
    assert find_band(item, "B04_20m").asset == "B04_20m"
    assert find_band(item, "nir08").asset == "B8A_20m"
    assert find_band(item, "SCL").asset == "SCL_20m"
    rule = radiometry(item, find_band(item, "red"))
    assert (rule.scale, rule.offset, rule.nodata) == (0.0001, -0.1, 0.0)
    assert radiometry(item, find_band(item, "SCL")).rule == "classes"
