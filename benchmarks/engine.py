"""How fast the study engine is: sleeping and empty trials, so that cores do not matter.

    python -m benchmarks.engine [--json] [--quick] [--only MEASURE ...] [--figures]

Peers run in the same call: Optuna with eight processes on SQLite, Ray Tune with reused actors in
an environment of its own, `.make/ray`, which is made where it is missing. `--quick` takes fewer and
shorter trials and leaves Ray out; its figures are rougher. Before each measure the machine is
watched for a second: `others_cpu` is the share of it that somebody else had then.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import json
import math
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import eolab as eo
from benchmarks import peers
from benchmarks.figures import RESULTS, draw_scaling
from eolab.files import writes
from eolab.settings import config
from eolab.studies import tune
from eolab.studies.client.launch import read_process, start_process
from eolab.studies.client.study import Study
from eolab.studies.journal import files as journal
from eolab.studies.samplers.base import Sampler

REACH = {
    "vs_ideal": ("<=", 1.05),
    "scaling": (">=", 0.95),
    "per_trial_ms": ("<=", 10.0),
    "handover_ms": ("<=", 5.0),
    "vs_optuna_sqlite": (">=", 8.0),
    "vs_ray": (">=", 15.0),
    "decision_ms": ("<=", 10.0),
    "idle_cpu": ("<=", 2.0),
    "resume_s": ("<=", 3.0),
    "rss_mb": ("<=", 300.0),
}


class Listed(Sampler):
    """Trials that sleep as long as a list says; the first ones wait for a gate to open."""

    def __init__(self, durations: list[float], gates: int) -> None:
        self.durations, self.gates = durations, gates
        self.limit = gates + len(durations)

    def ask(self, n: int) -> dict[str, float]:
        return {"seconds": -1.0 if n < self.gates else self.durations[n - self.gates]}


def sleeper(gate: str) -> Callable[..., object]:
    def sleep(*, seconds: Annotated[float, eo.uniform(-1, 60)] = 0.0):
        import os
        import time

        began = time.time()
        if seconds < 0:
            while not os.path.exists(gate):  # noqa: PTH110  cheap, it is asked 500 times a second
                time.sleep(0.002)
        else:
            time.sleep(seconds)
        return {"score": 1.0, "began": began, "ended": time.time(), "pid": os.getpid()}

    return sleep


def empty(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    return x


def greedy(durations: list[float], workers: int) -> float:
    """Makespan when each trial, in dispatch order, goes to the worker that is free first."""
    free = [0.0] * workers
    for seconds in durations:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)


class Bench:
    """A workspace that is thrown away."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.folder = Path(tempfile.mkdtemp(prefix="eolab-bench-"))
        self.config = config.init(self.folder)
        self.count = 0

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def name(self) -> str:
        self.count += 1
        return f"b{self.count}"

    def sleeping(self, durations: list[float], workers: int) -> tuple[float, float, list[float]]:
        """Seconds from the gate's opening to the end, seconds of joining, and the hand-overs."""
        gate = self.folder / f"gate{self.count}"
        study = tune(
            self.config, sleeper(str(gate)), name=self.name(), metric="score",
            trials=workers + len(durations),
            workers=workers, sampler=Listed(durations, workers), tracking=False, wait=False,
        )  # fmt: skip
        while study.summary()["counts"]["running"] < workers:
            time.sleep(0.02)
        joined = time.time()
        first = next(e["t"] for e in journal.read_events(study.folder))
        time.sleep(0.3)  # the machine calms down after starting processes
        opened = time.time()
        gate.touch()
        study.wait(quiet=True)
        metrics = [t.metrics for t in study.record.trials.values()]
        ended = max(m["ended"] for m in metrics)
        gaps = []
        by_worker: dict[float, list[dict[str, float]]] = {}
        for m in metrics:
            by_worker.setdefault(m["pid"], []).append(m)
        for rows in by_worker.values():
            rows.sort(key=lambda m: m["began"])
            gaps += [b["began"] - a["ended"] for a, b in itertools.pairwise(rows)]
        return ended - opened, joined - first, gaps

    # -- the measures --------------------------------------------------------------------------

    def vs_ideal(self) -> dict[str, object]:
        draw = random.Random(0)
        workers, target = 8, 4.0 if self.quick else 12.0
        mu = -(0.6**2) / 2  # mean 1 s
        durations: list[float] = []
        while greedy(durations, workers) < target:
            durations.append(draw.lognormvariate(mu, 0.6))
        span, join, gaps = self.sleeping(durations, workers)
        ideal = greedy(durations, workers)
        return {
            "vs_ideal": span / ideal, "ideal_s": ideal, "makespan_s": span,
            "trials": len(durations),
            "handover_ms": statistics.median(gaps) * 1e3, "join_s": join,
        }  # fmt: skip

    def scaling(self) -> dict[str, object]:
        sizes, seconds, each = (
            ([1, 8, 32], 0.5, 4) if self.quick else ([1, 2, 4, 8, 16, 32, 64], 1.0, 8)
        )
        found, joins = {}, {}
        for workers in sizes:
            span, join, _ = self.sleeping([seconds] * (each * workers), workers)
            found[str(workers)] = seconds * each / span
            joins[str(workers)] = join
        return {"scaling": found, "scaling_join_s": joins}

    def empties(self) -> dict[str, object]:
        trials = 500 if self.quick else 2000
        study = tune(
            self.config, empty, name=self.name(), metric="score", trials=trials, workers=8,
            sampler="random",
        )  # fmt: skip
        ended = time.time()
        span = self.span(study)
        while (study.folder / "tracking.log").exists() and _feeder_lives(study.folder):
            if time.time() - ended > (5 if self.quick else 120):
                break
            time.sleep(0.05)
        lag = time.time() - ended
        ours = span / trials * 1e3
        peer = peers.optuna_sqlite(40 if self.quick else 160)
        python = None if self.quick else peers.ray_python()
        ray = None if python is None else peers.ray_tune(python, 200)
        return {
            "per_trial_ms": ours, "tracking_lag_s": lag,
            "optuna_sqlite_ms": peer, "vs_optuna_sqlite": peer / ours,
            "ray_ms": ray, "vs_ray": None if ray is None else ray / ours,
        }  # fmt: skip

    @staticmethod
    def span(study: Study) -> float:
        times = [e["t"] for e in journal.read_events(study.folder) if e["e"] in {"start", "finish"}]
        return times[-1] - times[0]

    def old_study(self, trials: int) -> Path:
        """A study whose journal holds many completed trials with learning curves."""
        study = tune(
            self.config, empty, name=self.name(), metric="score", trials=2, workers=1,
            tracking=False, pruner="median",
        )  # fmt: skip
        while journal.is_alive(study.folder):
            time.sleep(0.02)
        run = study.folder
        document = journal.read_study(run)
        writes.write_json(
            run / journal.STUDY,
            {**document, "trials": trials + 10_000, "workers": 64, "cluster": {"kind": "external"}},
        )
        draw = random.Random(1)
        with (run / journal.EVENTS).open("w") as file:

            def emit(e: str, **fields: object) -> None:
                file.write(
                    json.dumps({"v": 1, "t": 1.0, "e": e, **fields}, separators=(",", ":")) + "\n"
                )

            emit("process", pid=1, host="h", resumed=False)
            emit("state", state="running", message="")
            for n in range(trials):
                x = draw.random()
                emit("trial", n=n, params={"x": x}, config=n)
                emit("start", n=n, a=1, w=f"w{n % 64}")
                for step in range(10):
                    emit("report", n=n, a=1, step=step, m={"score": x * step + draw.random()})
                emit("finish", n=n, a=1, state="completed", value=x)
        return run

    def large(self) -> dict[str, object]:
        """Resuming 10,000 trials, and what a report costs then with 64 workers."""
        import psutil

        run = self.old_study(10_000)
        began = time.time()
        follower = journal.Follower(run)
        start_process(run)
        old = (run / journal.PROCESS).stat().st_mtime
        while (run / journal.PROCESS).stat().st_mtime == old or not read_process(run):
            time.sleep(0.005)
        resumed = time.time() - began
        process = read_process(run)
        token = (run / journal.TOKEN).read_text()
        seconds = 4.0 if self.quick else 15.0
        latencies = asyncio.run(_reporting(str(process["url"]), token, 64, seconds))
        pid = int(str(process["pid"]))
        rss = psutil.Process(pid).memory_info().rss / 1e6
        os.kill(pid, 15)
        latencies.sort()
        del follower
        return {
            "resume_s": resumed, "rss_mb": rss,
            "decision_ms": latencies[int(len(latencies) * 0.99)] * 1e3,
            "decision_p50_ms": latencies[len(latencies) // 2] * 1e3, "reports": len(latencies),
        }  # fmt: skip

    def idle(self) -> dict[str, object]:
        import psutil

        gate = self.folder / "never"
        study = tune(
            self.config, sleeper(str(gate)), name=self.name(), metric="score", trials=8, workers=8,
            sampler=Listed([50.0] * 8, 0), tracking=False, wait=False,
        )  # fmt: skip
        while study.summary()["counts"]["running"] < 8:
            time.sleep(0.02)
        time.sleep(1.0)
        process = psutil.Process(int(str(read_process(study.folder)["pid"])))
        before, began = sum(process.cpu_times()[:2]), time.monotonic()
        time.sleep(6 if self.quick else 30)
        used = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
        study.cancel()
        return {"idle_cpu": used * 100}


def _feeder_lives(run: Path) -> bool:
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "eolab.tracking" in words and str(run) in words:
            return True
    return False


async def _reporting(url: str, token: str, workers: int, seconds: float) -> list[float]:
    """Workers that report five times a second each; the seconds that each report took.

    One connection a worker in one thread: threads would measure how they wait for each other.
    """
    host, _, port = url.removeprefix("http://").rpartition(":")
    latencies: list[float] = []

    async def worker(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))

        async def call(op: str, **fields: object) -> dict[str, dict[str, int]]:
            body = json.dumps({"worker": f"bench{number}", **fields}).encode()
            head = f"POST /v1/{op} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(answer.partition(b"content-length: ")[2].split(b"\r\n")[0])
            return json.loads(await reader.readexactly(size))  # type: ignore[no-any-return]

        draw = random.Random(number)
        await call("join", host="h", pid=1)
        job = (await call("next"))["job"]
        await asyncio.sleep(1 + 0.2 * draw.random())  # all have joined; not all at once
        end = time.monotonic() + seconds
        for step in itertools.count():
            if time.monotonic() > end:
                break
            report = {"step": step, "m": {"score": draw.random() + 0.9 * step}, "t": time.time()}
            began = time.perf_counter()
            await call("report", n=job["n"], attempt=job["attempt"], reports=[report])
            latencies.append(time.perf_counter() - began)
            await asyncio.sleep(0.2)
        writer.close()

    await asyncio.gather(*(worker(number) for number in range(workers)))
    return latencies


def others_cpu() -> float:
    """Percent of the machine that is in use now, while we do nothing."""
    import psutil

    return float(psutil.cpu_percent(interval=1.0))


MEASURES = {
    "vs_ideal": Bench.vs_ideal, "scaling": Bench.scaling, "empties": Bench.empties,
    "large": Bench.large, "idle": Bench.idle,
}  # fmt: skip


def meets(name: str, value: object) -> bool | None:
    """Whether a figure reaches its mark; None where there is none."""
    if name not in REACH or value is None:
        return None
    sign, mark = REACH[name]
    values = list(value.values()) if isinstance(value, dict) else [value]
    return all(v <= mark if sign == "<=" else v >= mark for v in values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter trials")
    parser.add_argument("--only", nargs="*", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--figures", action="store_true", help="write benchmarks/results/")
    options = parser.parse_args()
    bench = Bench(options.quick)
    before, busy = os.getloadavg()[0], {}
    results: dict[str, object] = {"quick": options.quick, "cores": os.cpu_count()}
    try:
        for name in options.only:
            print(f"... {name}", file=sys.stderr, flush=True)
            busy[name] = others_cpu()  # a busy machine spoils latencies
            results.update(MEASURES[name](bench))
    finally:
        bench.close()
    results["others_cpu"] = busy
    results["load_average"] = [before, os.getloadavg()[0]]
    results["missed"] = [k for k, v in results.items() if meets(k, v) is False]
    if options.figures:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "engine.json").write_text(json.dumps(results, indent=1) + "\n")
        if "scaling" in results:
            draw_scaling(results["scaling"])  # type: ignore[arg-type]
    if options.json:
        print(json.dumps(results))
        return 0
    for name, value in results.items():
        mark = "" if name not in REACH else f"  (reach {REACH[name][0]} {REACH[name][1]:g})"
        verdict = {True: "", False: "  MISSED", None: ""}[meets(name, value)]
        print(f"{name:<20} {_text(value)}{mark}{verdict}")
    return 0


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return "  ".join(f"{k}: {_text(v)}" for k, v in value.items())
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
