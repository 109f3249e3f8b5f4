"""Local workers: processes that end when told, with the reason where they did not."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from eolab.clusters import make_placement
from eolab.clusters.local import LocalPlacement, fitting_workers, thread_caps
from eolab.errors import ConfigError


def _program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text)
    return path


def _gone(placement: LocalPlacement) -> list[tuple[str, str]]:
    end = time.monotonic() + 60  # a busy machine takes its time to start a Python
    while time.monotonic() < end:
        found = list(placement.gone())
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("nothing ended")


def test_a_worker_that_ends_is_told_with_the_reason(tmp_path: Path) -> None:
    text = (
        "import os, signal, sys\nif 'w0' in sys.argv[1]: raise ValueError('no disk')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    placement = LocalPlacement(tmp_path, _program(tmp_path, text), {}, python=sys.executable)
    placement.add("w0")
    assert _gone(placement) == [("w0", "exited with code 1: ValueError: no disk")]
    placement.add("w1")
    assert _gone(placement) == [("w1", "killed by SIGKILL")]
    assert list(placement.gone()) == []


def test_stop_ends_workers_that_do_not_listen(tmp_path: Path) -> None:
    text = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(__file__ + '.up', 'w')\ntime.sleep(60)\n"
    )
    program = _program(tmp_path, text)
    placement = LocalPlacement(tmp_path, program, {})
    placement.add("w0")
    process = placement._processes["w0"]
    while not Path(f"{program}.up").exists():
        time.sleep(0.02)
    placement.stop()
    assert process.poll() == -9


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
