"""What every placement promises: how workers are started and what is heard of their end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from eolab.clusters.base import Placement

Start: TypeAlias = "Callable[[Path], Placement]"


class PlacementContract:
    """What `eolab.clusters.Placement` promises.

    Override `start` with a function that makes a placement whose workers run a Python program;
    the program finds the path of a JSON file in ``sys.argv[1]``, whose ``worker`` is its name.

    Workers run under the names that they were added under; one that ended is reported once, with
    its last words where it failed; `stop` returns when all are gone, those too that do not listen;
    a call never blocks for longer than a moment.
    """

    patience = 60.0
    """Seconds in which a worker has started or ended; a busy machine takes its time."""

    @pytest.fixture
    def start(self) -> Start:
        """A maker of placements under test; override it."""
        raise NotImplementedError("override the fixture `start`")

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait for something to become true.

        Raises:
            AssertionError: It has not, in time.
        """
        end = time.monotonic() + self.patience
        while not condition():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.02)

    def ended(self, placement: Placement, count: int) -> dict[str, str]:
        """Why each of ``count`` workers ended, by its name."""
        reasons: dict[str, str] = {}

        def enough() -> bool:
            for worker, reason in placement.ended_workers():
                assert worker not in reasons, f"{worker} is reported twice"
                reasons[worker] = reason
            return len(reasons) == count

        self.wait(enough)
        return reasons

    def test_each_worker_runs_under_its_name(self, start: Start, tmp_path: Path) -> None:
        placement = start(
            _program(
                tmp_path,
                "import json, pathlib, sys, time\n"
                "name = json.loads(pathlib.Path(sys.argv[1]).read_text())['worker']\n"
                f"(pathlib.Path({str(tmp_path)!r}) / f'{{name}}.up').touch()\n"
                "time.sleep(60)\n",
            )
        )
        for worker in ("w0", "w1"):
            placement.add(worker)
        try:
            self.wait(lambda: {p.stem for p in tmp_path.glob("*.up")} == {"w0", "w1"})
            assert list(placement.ended_workers()) == []
        finally:
            placement.stop()

    def test_a_worker_that_ends_is_reported_once_with_the_reason(
        self, start: Start, tmp_path: Path
    ) -> None:
        placement = start(
            _program(
                tmp_path,
                "import os, pathlib, signal, sys\n"
                "if 'w0' in pathlib.Path(sys.argv[1]).read_text(): raise ValueError('no disk')\n"
                "os.kill(os.getpid(), signal.SIGKILL)\n",
            )
        )
        try:
            for worker in ("w0", "w1"):
                placement.add(worker)
            reasons = self.ended(placement, 2)
            assert "ValueError: no disk" in reasons["w0"]
            assert "SIGKILL" in reasons["w1"]
            assert list(placement.ended_workers()) == []
        finally:
            placement.stop()

    def test_stop_ends_workers_that_do_not_listen(self, start: Start, tmp_path: Path) -> None:
        placement = start(
            _program(
                tmp_path,
                "import os, pathlib, signal, time\n"
                "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                f"pathlib.Path({str(tmp_path)!r}, 'pid').write_text(str(os.getpid()))\n"
                "time.sleep(60)\n",
            )
        )
        placement.add("w0")
        pid = tmp_path / "pid"
        self.wait(lambda: pid.exists() and pid.read_text())
        placement.stop()
        with pytest.raises(ProcessLookupError, match=r"\S"):
            os.kill(int(pid.read_text()), 0)

    def test_a_placement_without_workers_stops_and_stops_again(
        self, start: Start, tmp_path: Path
    ) -> None:
        placement = start(_program(tmp_path, ""))
        assert list(placement.ended_workers()) == []
        placement.stop()
        placement.stop()


def _program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return path
