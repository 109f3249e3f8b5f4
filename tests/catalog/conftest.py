"""The simulated region, made once for the room's tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eolab.catalog import open_source
from eolab.catalog.simulate import COLLECTION, SEASON, SampleInfo, write_sample
from eolab.config import Config


@pytest.fixture(scope="session")
def sample_info(tmp_path_factory: pytest.TempPathFactory) -> SampleInfo:
    return write_sample(tmp_path_factory.mktemp("workspace") / "sample")


@pytest.fixture(scope="session")
def sample(sample_info: SampleInfo) -> Path:
    return sample_info.folder


@pytest.fixture(scope="session")
def sample_source(sample: Path):
    return open_source(Config(root=sample.parent), str(sample))


@pytest.fixture(scope="session")
def sample_items(sample_source):
    """The first season of Sentinel-2: the trap course."""
    return sample_source.search(COLLECTION, datetime=SEASON)


@pytest.fixture(scope="session")
def interactions(shared_data: Path):
    """Recorded (request, answer) pairs of real APIs by the name of the recording."""
    import gzip

    import yaml

    def body(text):
        raw = text.encode() if isinstance(text, str) else text
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw

    return {
        path.stem: [
            (entry["request"], json.loads(body(entry["response"]["body"]["string"])))
            for entry in yaml.safe_load(path.read_text())["interactions"]
        ]
        for path in sorted((shared_data / "stac-api-cassettes").glob("*.yaml"))
    }


@pytest.fixture(scope="session")
def recorded(interactions):
    """The recorded items by the name of the recording."""
    return {
        name: [f for _, answer in pairs for f in answer.get("features", [])]
        for name, pairs in interactions.items()
    }
