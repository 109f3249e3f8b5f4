"""Servers on loopback that ask for a login, and a workspace that names one."""

from __future__ import annotations

import pytest

from eolab.settings import config as configuration
from tests.guarded import Store


@pytest.fixture
def guarded(sample):
    """Start servers of the sample region; `allow(path, headers)` refuses by a text."""
    started = []

    def start(allow=lambda path, headers: None):
        started.append(Store(sample, allow))
        return started[-1]

    yield start
    for store in started:
        store.close()


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """A workspace with one catalogue `mine`, by lines of `eolab.toml`."""

    def write(text):
        (tmp_path / "eolab.toml").write_text(f"format = 1\n[catalogs.mine]\n{text}\n")
        monkeypatch.setenv("EOLAB_WORKSPACE", str(tmp_path / "eolab.toml"))
        return configuration.find()

    return write
