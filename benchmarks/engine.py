"""How fast the study engine is: sleeping and empty trials, so that cores do not matter.

    python -m benchmarks.engine [--json] [--quick] [--only MEASURE ...] [--figures]

Peers run in the same call: Optuna with eight processes on SQLite, Ray Tune with reused actors
where it is installed. `--quick` takes fewer and shorter trials; its figures are rougher.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
import multiprocessing
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import eolab as eo
from eolab import config
from eolab.studies import journal, tune
from eolab.studies.detach import read_process, start_process
from eolab.studies.link import HttpLink
from eolab.studies.study import Study
from eolab.studies.suggest import Sampler

RESULTS = Path(__file__).parent / "results"
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
        workers, target = 8, 12.0
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
            if time.time() - ended > (10 if self.quick else 120):
                break
            time.sleep(0.05)
        lag = time.time() - ended
        ours = span / trials * 1e3
        peer = optuna_sqlite(40 if self.quick else 160)
        ray = ray_tune(64 if self.quick else 200)
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
            tracking=False, stop="median",
        )  # fmt: skip
        while journal.is_alive(study.folder):
            time.sleep(0.02)
        run = study.folder
        document = journal.read_study(run)
        journal.write_json(
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
        latencies: list[float] = []
        seconds = 4.0 if self.quick else 15.0
        threads = [
            threading.Thread(
                target=_reporting,
                args=(str(process["url"]), token, range(k * 8, k * 8 + 8), seconds, latencies),
            )
            for k in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
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


def _reporting(
    url: str, token: str, numbers: range, seconds: float, latencies: list[float]
) -> None:
    """Eight workers in turn: join, take a trial, report now and then."""
    draw = random.Random(numbers.start)
    workers = []
    for i in numbers:
        link = HttpLink(url, token)
        worker = {"worker": f"bench{i}"}
        link.call("join", {**worker, "host": "h", "pid": 1})
        job = link.call("next", worker)["job"]
        workers.append([link, worker, job, 0])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for entry in workers:
            link, worker, job, step = entry
            report = {"step": step, "m": {"score": draw.random() + 0.9 * step}, "t": time.time()}
            began = time.perf_counter()
            link.call(
                "report", {**worker, "n": job["n"], "attempt": job["attempt"], "reports": [report]}
            )
            latencies.append(time.perf_counter() - began)
            entry[3] += 1
            time.sleep(0.02)


# -- peers -------------------------------------------------------------------------------------


def _optuna_worker(url: str, trials: int) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="s", storage=url, sampler=optuna.samplers.RandomSampler())
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=trials)


def optuna_sqlite(trials: int) -> float:
    """Milliseconds a trial of Optuna with eight processes on SQLite."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/optuna.db"
        study = optuna.create_study(study_name="s", storage=url)
        context = multiprocessing.get_context("spawn")
        processes = [
            context.Process(target=_optuna_worker, args=(url, trials // 8)) for _ in range(8)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        # Their own record, so that starting processes does not count against them.
        done = [t for t in study.trials if t.datetime_complete]
        span = max(t.datetime_complete for t in done) - min(t.datetime_start for t in done)  # type: ignore[type-var,operator]
        return span.total_seconds() / len(done) * 1e3


def ray_tune(trials: int) -> float | None:
    """Milliseconds a trial of Ray Tune, eight reused actors; None where it is not installed."""
    try:
        import ray
        from ray import tune as ray_tune
    except ImportError:
        return None
    ray.init(num_cpus=8, logging_level="ERROR", log_to_driver=False)

    class Trainable(ray_tune.Trainable):
        def setup(self, config):
            self.x = config["x"]

        def step(self):
            return {"score": self.x, "done": True}

        def reset_config(self, new_config):
            self.x = new_config["x"]
            return True

    began = time.time()
    tuner = ray_tune.Tuner(
        Trainable, param_space={"x": ray_tune.uniform(0, 1)},
        tune_config=ray_tune.TuneConfig(
            num_samples=trials, reuse_actors=True, max_concurrent_trials=8
        ),
    )  # fmt: skip
    tuner.fit()
    ray.shutdown()
    return (time.time() - began) / trials * 1e3


def draw(results: dict[str, object]) -> None:
    """Scaling as a picture in `benchmarks/results/`."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    RESULTS.mkdir(exist_ok=True)
    scaling = {int(k): v for k, v in results["scaling"].items()}  # type: ignore[attr-defined]
    figure, axes = plt.subplots(figsize=(5, 3.4))
    axes.plot(list(scaling), [k * v for k, v in scaling.items()], "o-", label="measured")
    axes.plot(list(scaling), list(scaling), "--", label="linear")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="workers",
        ylabel="speed-up",
        title="Sleeping trials of 1 s",
    )
    axes.legend()
    figure.tight_layout()
    figure.savefig(RESULTS / "engine_scaling.svg")


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
    before = os.getloadavg()[0]
    results: dict[str, object] = {"quick": options.quick, "cores": os.cpu_count()}
    try:
        for name in options.only:
            print(f"... {name}", file=sys.stderr, flush=True)
            results.update(MEASURES[name](bench))
    finally:
        bench.close()
    results["load_average"] = [before, os.getloadavg()[0]]  # a busy machine spoils latencies
    results["missed"] = [k for k, v in results.items() if meets(k, v) is False]
    if options.figures:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "engine.json").write_text(json.dumps(results, indent=1) + "\n")
        if "scaling" in results:
            draw(results)
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
