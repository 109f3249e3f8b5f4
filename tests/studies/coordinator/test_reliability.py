"""Tests that really kill. Each time: every trial counted once, no finished result lost, the study
ends or resumes, and a message says what happened.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.errors import RemoteError
from eolab.settings.config import Config
from eolab.studies import Study, open_study
from eolab.studies.client.launch import read_process
from eolab.studies.journal import files as journal
from tests.proxy import Proxy
from tests.studies.conftest import Run, events, kill_study, send, until, worker_pid


def steady(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    import os
    import time

    reporter.report(step=0, score=0.0, pid=os.getpid())
    time.sleep(0.4)
    return {"score": x}


class Gate:
    """Trials that wait until they may go on: whoever is killed is killed in the middle of one."""

    def __init__(self, folder: Path, free: int = 0) -> None:
        self.path = folder / "go"
        self.path.write_text(str(free))

    def open(self) -> None:
        self.path.write_text("1000000")

    def train(self) -> Callable[..., object]:
        """A function whose first ``free`` trials end at once, and the others once it is open."""
        path = str(self.path)

        def held(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
            import os
            import time
            from pathlib import Path

            reporter.report(step=0, score=0.0, pid=os.getpid())
            while reporter.trial >= int(Path(path).read_text() or 0):
                time.sleep(0.01)
            return {"score": x}

        return held


def running_child(study: Study) -> int:
    """The process id of a child that is in a trial, as it reported itself."""
    found: list[int] = []

    def look() -> bool:
        record = study.record
        found[:] = [
            int(t.metrics["pid"])
            for t in record.trials.values()
            if t.state == "running" and "pid" in t.metrics
        ]
        return bool(found)

    until(look)
    return found[0]


def assert_complete(study: Study, trials: int) -> None:
    assert study.state == "completed"
    assert [t["number"] for t in study.trials] == list(range(trials))
    assert [t["state"] for t in study.trials] == ["completed"] * trials
    assert [t["value"] for t in study.trials] == [t["params"]["x"] for t in study.trials]
    assert len(events(study, "finish")) == trials


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_kill_9_of_a_child_costs_one_attempt(run: Run, gate: Gate) -> None:
    study = run(gate.train(), trials=6, wait=False)
    os.kill(running_child(study), signal.SIGKILL)
    until(lambda: events(study, "requeue"))
    gate.open()
    study.wait()
    assert_complete(study, 6)
    (again,) = events(study, "requeue")
    assert "killed (signal 9" in str(again["reason"])
    assert {e["w"] for e in events(study, "worker")} == {"w0", "w1"}  # the workers stayed
    first = study.folder / "logs" / f"{again['n']}.1.log"
    assert "killed (signal 9" in first.read_text()


def test_kill_9_of_a_supervisor_is_a_worker_lost_and_replaced(run: Run, gate: Gate) -> None:
    study = run(gate.train(), trials=6, wait=False)
    until(lambda: study.record.counts["running"] == 2)
    child = running_child(study)
    os.kill(worker_pid(study.folder, "w0") or 0, signal.SIGKILL)
    until(lambda: events(study, "requeue"))
    gate.open()
    study.wait()
    assert_complete(study, 6)
    (lost,) = [e for e in events(study, "worker") if e["state"] == "lost"]
    assert (lost["w"], lost["reason"]) == ("w0", "killed by SIGKILL")
    assert "w2" in {e["w"] for e in events(study, "worker")}
    until(
        lambda: not Path(f"/proc/{child}").exists()
    )  # no child outlives its worker, nor the study


def test_kill_9_of_the_study_process_loses_nothing(run: Run, tmp_path: Path) -> None:
    gate = Gate(tmp_path, free=2)
    study = run(gate.train(), trials=8, wait=False)
    until(lambda: study.summary()["counts"]["completed"] == 2)
    until(lambda: study.summary()["counts"]["running"] == 2)
    kill_study(study)
    assert study.state == "interrupted"
    with pytest.raises(RemoteError, match="is gone"):
        study.wait()
    finished = {t["number"]: t["value"] for t in study.trials if t["state"] == "completed"}
    params = {t["number"]: t["params"] for t in study.trials}
    study.resume()
    gate.open()
    study.wait()
    assert_complete(study, 8)
    assert len(finished) == 2
    assert finished.items() <= {t["number"]: t["value"] for t in study.trials}.items()
    assert params.items() <= {t["number"]: t["params"] for t in study.trials}.items()
    # Workers that outlived the process came back with what they were running: nothing ran twice.
    assert events(study, "requeue") == []


def test_kill_9_of_the_kernel_does_not_end_its_study(config: Config, tmp_path: Path) -> None:
    script = tmp_path / "kernel.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from typing import Annotated
        import eolab as eo
        from eolab.settings.config import open_path
        from eolab.studies import tune

        def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
            import time
            time.sleep(0.3)
            return {"score": x}

        tune(open_path(sys.argv[1]), train, name="s", metric="score", trials=8, workers=2,
             sampler="random", tracking=False)
        """)
    )
    kernel = subprocess.Popen(
        [sys.executable, str(script), str(config.file)], start_new_session=True
    )
    until((config.runs / "s" / "study.json").exists)
    study = open_study(config, "s")
    until(lambda: study.summary()["counts"]["completed"] >= 1)
    os.killpg(kernel.pid, signal.SIGKILL)
    kernel.wait()
    study.wait()
    assert_complete(study, 8)
    until(lambda: not journal.is_alive(study.folder))


def test_a_worker_stopped_past_its_lease_is_replaced_and_its_late_result_refused(
    run: Run, gate: Gate
) -> None:
    study = run(gate.train(), trials=6, wait=False, lease=1.0)
    until(lambda: study.record.counts["running"] == 2)
    pid = worker_pid(study.folder, "w0") or 0
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: any(e["w"] == "w0" and e["state"] == "lost" for e in events(study, "worker")))
        (lost,) = [e for e in events(study, "worker") if e["state"] == "lost"]
        assert lost["reason"] == "not heard of for 1 s"
        taken = [e for e in events(study, "requeue") if "w0" in str(e["reason"])]
        assert taken
        gate.open()
    finally:
        send(pid, signal.SIGCONT)
    study.wait()
    assert_complete(study, 6)
    for event in taken:  # it ran again, and the second attempt is the one that counts
        (end,) = [e for e in events(study, "finish") if e["n"] == event["n"]]
        assert end["a"] == int(event["a"]) + 1  # type: ignore[call-overload]


def test_a_full_disk_holds_the_study_up_and_loses_nothing(run: Run, tmp_path: Path) -> None:
    gate = Gate(tmp_path, free=1)
    study = run(gate.train(), trials=8, wait=False)
    until(lambda: study.summary()["counts"]["completed"] >= 1)
    until(lambda: study.summary()["counts"]["running"] == 2)
    pid = read_process(study.folder)["pid"]
    assert isinstance(pid, int)
    path = study.folder / journal.EVENTS
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (path.stat().st_size + 30, limits[1]))
    gate.open()
    until(lambda: "cannot be written" in (study.folder / "process.log").read_text())
    time.sleep(1.0)
    size = path.stat().st_size
    assert path.read_bytes().endswith(b"\n")
    assert journal.is_alive(study.folder)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    study.wait()
    assert path.stat().st_size > size
    assert_complete(study, 8)


# -- functions that misbehave ----------------------------------------------------------------


def test_functions_that_misbehave_fail_alone(run: Run) -> None:
    def misbehaves(reporter, *, kind: Annotated[str, eo.choice(
        "exit", "leak", "hang", "fork", "print", "large", "many", "gil", "thread", "closes", "good"
    )] = "good"):  # fmt: skip
        import ctypes
        import os
        import sys
        import threading
        import time

        if kind == "exit":
            os._exit(3)
        if kind == "leak":
            hoard = []
            while True:
                hoard.append(bytearray(20_000_000))
                time.sleep(0.01)
        if kind == "hang":
            while True:
                time.sleep(1)
        if kind == "fork":
            if os.fork() == 0:
                reporter.report(step=99, score=-1.0)
                return -1.0  # the forked half comes back too
            os.wait()
        if kind == "print":
            line = "x" * 999
            for _ in range(100_000):
                print(line)
            print("the end")
        if kind == "large":
            return bytearray(10_000_000)
        if kind == "many":
            return {str(i): 1.0 for i in range(100_000)}
        if kind == "gil":
            ctypes.PyDLL(None).sleep(3)  # C code that holds the GIL
        if kind == "thread":
            threading.Thread(target=time.sleep, args=(1000,)).start()
        if kind == "closes":
            sys.stdout.close()
            os.close(1)
            os.close(2)
        return 1.0

    study = run(
        misbehaves, sampler="grid", trials=11, workers=2, retries=1, trial_timeout=8.0,
        memory=0.5, lease=1.5,
    )  # fmt: skip
    by_kind = {t["params"]["kind"]: t for t in study.trials}
    assert study.state == "completed"
    assert len(by_kind) == 11
    failed = {k: str(t["error"]) for k, t in by_kind.items() if t["state"] == "failed"}
    assert set(failed) == {"exit", "leak", "hang", "large", "many"}, failed
    assert "exited with code 3; given up after 2 attempts" in failed["exit"]
    assert "more than 0.5 GB" in failed["leak"]
    assert "longer than 8 s" in failed["hang"]
    assert "bytearray" in failed["large"]
    assert "100000 metrics" in failed["many"]
    assert all(
        by_kind[k]["value"] == 1.0 for k in ("fork", "print", "gil", "thread", "closes", "good")
    )
    assert by_kind["fork"]["curve"] == []
    assert by_kind["gil"]["attempts"] == 1  # the worker spoke while the function could not
    log = study.log(by_kind["print"]["number"])
    assert log.endswith("the end\n")
    assert "bytes left out" in log
    assert sum(p.stat().st_size for p in (study.folder / "logs").iterdir()) < 2_000_000
    assert {e["state"] for e in events(study, "worker")} <= {
        "starting",
        "joined",
        "left",
    }  # none was lost


def test_a_stopped_trial_that_does_not_listen_is_killed(run: Run) -> None:
    def deaf(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import ctypes

        reporter.report(step=0, score=x)
        ctypes.PyDLL(None).sleep(60)

    study = run(deaf, trials=1, workers=1, wait=False, lease=2.0)
    until(lambda: study.trials and study.trials[0]["curve"])
    study.stop_trial(0)
    until(lambda: study.trials[0]["state"] == "stopped")
    until(lambda: study.state == "completed")


# -- the network -----------------------------------------------------------------------------


def test_the_port_cut_for_20_seconds_delays_and_loses_nothing(tmp_path: Path) -> None:
    """A real worker and the real service; between them a port that goes dead and comes back."""
    import cloudpickle

    from eolab.clusters.local import LocalPlacement
    from eolab.studies.coordinator.coordinator import Coordinator
    from eolab.studies.coordinator.http import Endpoint
    from eolab.studies.coordinator.requests import Service
    from eolab.studies.coordinator.trials import Terms, Trials
    from eolab.studies.journal.state import Event, Record
    from eolab.studies.plans.base import FixedPlan
    from eolab.studies.worker import supervisor as worker_module

    def train(reporter, *, x):
        import time

        for step in range(20):
            reporter.report(step=step, score=float(step))
            time.sleep(0.1)
        return {"score": x}

    (tmp_path / "train.pkl").write_bytes(cloudpickle.dumps(train))
    record = Record("score", "maximize", 3)
    written: list[Event] = []
    trials = Trials(
        record, FixedPlan([{"x": float(i)} for i in range(3)]), None, Terms(lease=60.0),
        emit=written.append, clock=time.time, ticks=time.monotonic,
    )  # fmt: skip
    coordinator = Coordinator(trials)
    coordinator.open(os.getpid(), "here")
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def listen() -> int:
        service = Service(coordinator, tmp_path / "logs")
        return await Endpoint(service.handle, "token").listen("127.0.0.1", 0)

    proxy = Proxy(asyncio.run_coroutine_threadsafe(listen(), loop).result(5))
    placement = LocalPlacement(
        tmp_path, Path(worker_module.__file__),
        {"address": {"url": f"http://127.0.0.1:{proxy.port}", "token": "token"}, "metric": "score",
         "function": str(tmp_path / "train.pkl"), "scratch": str(tmp_path), "beat": 1.0,
         "patience": 60.0},
    )  # fmt: skip
    try:
        placement.add("w0")
        until(lambda: any(e["e"] == "report" for e in written))
        proxy.cut = True
        for end in proxy.pairs:
            end.close()
        time.sleep(20)
        assert record.counts["completed"] == 0
        proxy.cut = False
        until(lambda: record.counts["completed"] == 3)
    finally:
        placement.stop()
        proxy.close()
        loop.call_soon_threadsafe(loop.stop)
    assert [t.attempts for t in record.trials.values()] == [1, 1, 1]
    assert [t.value for t in record.trials.values()] == [0.0, 1.0, 2.0]
    assert all(len(t.curve) == 20 for t in record.trials.values())


def test_several_studies_at_once_do_not_disturb_each_other(run: Run) -> None:
    studies = [run(steady, name=f"s{i}", trials=4, workers=1, seed=i, wait=False) for i in range(3)]
    for study in studies:
        study.wait()
        assert_complete(study, 4)


def feeder_of(study: Study) -> int:
    """The process that feeds MLflow, or 0."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"eolab.tracking" in words and os.fsencode(study.folder) in words:
            return int(folder.name)
    return 0


def test_kill_9_of_the_process_that_feeds_mlflow_is_made_good(run: Run, gate: Gate) -> None:
    study = run(gate.train(), trials=3, workers=1, wait=False, tracking=True)
    until(lambda: feeder_of(study) != 0)
    first = feeder_of(study)
    os.kill(first, signal.SIGKILL)
    until(lambda: feeder_of(study) not in (0, first))
    os.kill(feeder_of(study), signal.SIGKILL)  # and once more, at the end
    gate.open()
    study.wait()
    assert_complete(study, 3)
    until(lambda: not journal.is_alive(study.folder))
    until(lambda: feeder_of(study) == 0, seconds=120)
    from eolab import tracking

    root = study.folder.parents[1]
    client = tracking.open_client(f"sqlite:///{root / 'mlflow.db'}", root)
    experiment = client.get_experiment_by_name(f"eolab/{study.name}")
    found = client.search_runs([experiment.experiment_id])
    assert sorted(r.data.tags["eolab.trial"] for r in found if "eolab.trial" in r.data.tags) == [
        "0", "1", "2",
    ]  # fmt: skip
    assert {r.info.status for r in found} == {"FINISHED"}
    assert "feeds MLflow ended" in (study.folder / "process.log").read_text()
