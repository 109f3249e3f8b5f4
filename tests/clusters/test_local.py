"""Local workers: processes that end when told, with the reason where they did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from eolab.clusters import make_placement
from eolab.clusters.local import LocalPlacement, fitting_workers, thread_caps
from eolab.errors import ConfigError
from eolab.testing import ClusterContract, PlacementContract
from eolab.testing.clusters import ClusterTable
from eolab.testing.placements import Start


def _program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text)
    return path


class TestLocal(PlacementContract):
    @pytest.fixture
    def start(self, tmp_path: Path) -> Start:
        return lambda program: LocalPlacement(tmp_path, program, {})

    def test_the_reason_is_the_exit_code_and_the_last_line_or_the_signal(
        self, start: Start, tmp_path: Path
    ) -> None:
        text = (
            "import os, signal, sys\nif 'w0.json' in sys.argv[1]: raise ValueError('no disk')\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        placement = start(_program(tmp_path, text))
        for worker in ("w0", "w1"):
            placement.add(worker)
        assert self.ended(placement, 2) == {
            "w0": "exited with code 1: ValueError: no disk",
            "w1": "killed by SIGKILL",
        }


class TestStudyHere(ClusterContract):
    @pytest.fixture
    def table(self) -> ClusterTable:
        return ClusterTable('kind = "local"\n')


def test_settings_hold_the_token_and_are_private(tmp_path: Path) -> None:
    placement = LocalPlacement(tmp_path, _program(tmp_path, ""), {"address": {"token": "secret"}})
    placement.add("w0")
    placement.stop()
    path = tmp_path / "workers" / "w0.json"
    assert "secret" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_defaults_from_cores_and_an_unknown_kind(tmp_path: Path) -> None:
    assert fitting_workers() >= fitting_workers(cpus=2) >= 1
    assert fitting_workers(cpus=10_000) == fitting_workers(memory=1e6) == 1
    assert thread_caps(10_000)["OMP_NUM_THREADS"] == "1"
    with pytest.raises(ConfigError, match="'locale'"):
        make_placement({"kind": "locale"}, tmp_path, tmp_path, {})
