"""What a study on a cluster promises, for a table of your `eolab.toml`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from eolab.settings import config as configuration
from eolab.studies.space.parameters import choice, uniform

if TYPE_CHECKING:
    from eolab.studies import Study

Tune: TypeAlias = "Callable[..., Study]"

KINDS = ("plain", "eolab", "test", "crash", "device", "files")


@dataclass(frozen=True)
class ClusterTable:
    """A cluster to test.

    Attributes:
        lines: What stands below ``[clusters.c]`` in `eolab.toml`.
        has_eolab: Whether `import eolab` works where trials run.
        devices: GPU addresses that workers may see.
        mailbox: The path of a mailbox that both sides see; None for HTTP.
    """

    lines: str
    has_eolab: bool = True
    devices: tuple[str, ...] = ()
    mailbox: str | None = None


class ClusterContract:
    """What `tune(on=...)` promises, wherever trials run.

    Override `table` with a cluster of two slots or more, to see whether yours is set up right.

    Trials do there what they do here: what they report, print, raise and return comes back, each
    end is counted once; a trial whose process dies goes on from its checkpoint; the held-out test
    part does not travel; `cancel` ends the study and frees the cluster.
    """

    patience = 120.0
    """Seconds in which workers have joined or left."""

    @pytest.fixture
    def table(self) -> ClusterTable:
        """The cluster under test; override it."""
        raise NotImplementedError("override the fixture `table`")

    @pytest.fixture
    def tune(self, table: ClusterTable, tmp_path: Path) -> Iterator[Tune]:
        """`tune` on the cluster in a fresh workspace; its study is cancelled afterwards."""
        from eolab.studies import tune

        (tmp_path / "eolab.toml").write_text(
            f'format = 1\n[workspace]\npath = "space"\n[clusters.c]\n{table.lines}',
            encoding="utf-8",
        )
        config = configuration.find(tmp_path)
        started: list[Study] = []

        def start(train: Callable[..., object], **options: object) -> Study:
            defaults: dict[str, object] = {
                "name": "contract", "metric": "score", "workers": 2, "tracking": False, "on": "c",
                "lease": 10.0, "mailbox": table.mailbox or False,
            }  # fmt: skip
            started.append(tune(config, train, **{**defaults, **options}))  # type: ignore[arg-type]
            return started[-1]

        yield start
        for study in started:
            if study.state in {"running", "starting", "paused"}:
                study.cancel()
                self.wait(lambda: study.state == "cancelled")  # noqa: B023 - waited for at once

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait for something to become true.

        Raises:
            AssertionError: It has not, in time.
        """
        end = time.monotonic() + self.patience
        while not condition():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.05)

    def processes(self) -> int | None:
        """How many worker processes are alive on the cluster; None where a test cannot see them."""
        return None

    def test_trials_do_there_what_they_do_here(self, tune: Tune, table: ClusterTable) -> None:
        import numpy as np

        from eolab.studies.journal import files as journal
        from eolab.training_data import Split, TrainingData

        part = TrainingData(np.ones((4, 2), "float32"), np.zeros(4), np.arange(4), ("a", "b"))
        study = tune(
            _all_kinds(), data=Split(part, part), space={"kind": choice(*KINDS)},
            sampler="grid", trials=len(KINDS),
        )  # fmt: skip
        found = {t["params"]["kind"]: t for t in study.trials}
        plain, crash = found["plain"], found["crash"]
        assert (plain["value"], plain["curve"]) == (5.0, [[0, 4.0], [1, 5.0]])
        assert "a line of plain" in study.log(plain["number"])
        assert found["eolab"]["value"] == float(table.has_eolab)
        assert found["test"]["state"] == "failed"
        assert "no test part here" in str(found["test"]["error"])
        assert (crash["value"], crash["attempts"]) == (42.0, 2)
        kept = study.folder / "checkpoints" / str(crash["number"]) / "deep" / "state"
        assert kept.read_text() == "42"
        assert found["files"]["value"] == 0.0
        assert f"{found['device']['value']:.0f}" in (table.devices or ("-1",))
        assert study.state == "completed"
        ends = [e for e in journal.read_events(study.folder) if e["e"] == "finish"]
        assert len(ends) == len(KINDS)

    def test_workers_join_and_leave_and_cancel_ends_the_study(self, tune: Tune) -> None:
        study = tune(
            _slow(), space={"x": uniform(0, 1)}, sampler="random", trials=50, workers=1,
            wait=False,
        )  # fmt: skip

        def busy() -> int:
            return sum(w["state"] == "busy" for w in study.snapshot()["workers"])

        self.wait(lambda: busy() == 1)
        study.set_workers(2)
        self.wait(lambda: busy() == 2)
        assert self.processes() in {None, 2}
        study.set_workers(1)
        self.wait(lambda: self.processes() in {None, 1} and busy() == 1)  # after its trial
        study.cancel()
        self.wait(lambda: study.state == "cancelled")
        self.wait(lambda: self.processes() in {None, 0} and busy() == 0)
        assert all(t["state"] in {"queued", "completed"} for t in study.trials)


# Functions inside functions travel by value: where trials run, eolab need not be importable.


def _all_kinds() -> Callable[..., float]:
    def train(data, reporter, *, kind):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        import importlib.util
        import os

        reporter.report(step=0, score=float(len(data.train)))
        print("a line of", kind)
        if kind == "test":
            return len(data.test)
        if kind == "crash":  # its second attempt goes on where the first one was
            file = reporter.checkpoint_dir / "deep" / "state"
            if file.exists():
                return float(file.read_text())
            file.parent.mkdir()
            file.write_text("42")
            os._exit(1)
        if kind == "eolab":
            return float(importlib.util.find_spec("eolab") is not None)
        if kind == "device":
            return float(os.environ.get("CUDA_VISIBLE_DEVICES") or -1)
        if kind == "files":  # a worker has a folder of its own
            return float("study.json" in set(os.listdir()))  # noqa: PTH208
        reporter.report(step=1, score=5.0)
        return 4.0 + data.without(["b"]).train.X.shape[1]

    return train


def _slow() -> Callable[..., float]:
    def train(reporter, *, x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        import time

        for step in range(30):
            reporter.report(step=step, score=x)
            time.sleep(0.1)
        return x

    return train
