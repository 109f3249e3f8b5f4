"""Studies on Spark against bulk-synchronous Spark on the same server, in the same run.

    python -m benchmarks.spark_studies [--json] [--quick] [--only MEASURE ...] [--figure]

64 sleeping trials with durations of a committed list (lognormal, sigma 0.6, about 1 s), 8 workers:
`vs_waves` is the wall clock over waves of 8 (a Spark job for each wave, as tuning with Spark alone
goes), `vs_one_job` over one Spark job of 64 tasks on 8 slots, which knows no suggestions, no
stopping and no lost trials. `vs_waves_stop`: the same durations, cut into 40 epochs each, with the
learning curves of 64 real configurations (`benchmarks.record_curves`) and median stopping.
`vs_ideal` and `scaling` count from the moment that all workers have joined; joining is printed.

Sleeping, so that the cores of the machine do not matter, only who waits for whom.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import eolab as eo
from benchmarks.engine import Listed, empty, greedy, sleeper
from benchmarks.figures import RESULTS
from eolab.clusters.spark import server
from eolab.clusters.spark.session import open_session
from eolab.settings import config
from eolab.studies import Study, tune
from eolab.studies.journal import files as journal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DURATIONS = RESULTS / "durations.json"
CURVES = RESULTS / "curves.json"
REACH = {
    "vs_waves": ("<=", 0.65),
    "vs_waves_stop": ("<=", 0.45),
    "vs_ideal": ("<=", 1.06),
    "scaling": (">=", 0.95),
    "per_trial_ms": ("<=", 15.0),
    "mailbox_ms": ("<=", 300.0),
    "free_s": ("<=", 2.0),
    "free_connect_s": ("<=", 4.0),
}
WORKERS, SLOTS = 8, 16
PUBLISHED = (0.33, 0.58)  # less time than bulk-synchronous Spark, by Maggy's paper
RULE = "median:warmup=10"


def player(curves: Sequence[Sequence[float]], durations: Sequence[float]) -> Callable[..., object]:
    """Plays recorded learning curves: each epoch takes its share of the trial's duration."""

    def play(reporter: eo.Reporter, *, row: Annotated[int, eo.integer(0, 63)] = 0):
        import time

        began, curve = time.time(), curves[row]
        for step, value in enumerate(curve):
            # By the clock: what a report takes is no part of the training.
            time.sleep(max(0.0, began + durations[row] * (step + 1) / len(curve) - time.time()))
            reporter.report(step=step, score=value)
        return curve[-1]

    return play


class Rows(Listed):
    """The recorded configurations in their order."""

    def __init__(self, rows: int) -> None:
        self.limit = rows

    def ask(self, n: int) -> dict[str, float]:
        return {"row": n}


def waves(durations: Sequence[float], workers: int) -> float:
    """Makespan of the bulk-synchronous way: each wave lasts as long as its longest trial."""
    return sum(max(durations[i : i + workers]) for i in range(0, len(durations), workers))


class Bench:
    """A Connect server and a workspace that are thrown away."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.folder = Path(tempfile.mkdtemp(prefix="eolab-bench-"))
        started = time.monotonic()
        found = server.ensure(
            self.folder / "server", slots=SLOTS - server.CELL_SLOTS, conf={}, python=sys.executable
        )
        self.server_s = time.monotonic() - started
        os.environ["EOLAB_BENCH_TOKEN"] = found.token
        (self.folder / "eolab.toml").write_text(
            'format = 1\n[workspace]\npath = "space"\n[clusters.bench]\nkind = "spark"\n'
            f'connect = "sc://localhost:{found.port}"\ntoken_env = "EOLAB_BENCH_TOKEN"\n'
            f'[clusters.ours]\nkind = "spark"\nworkers = {WORKERS}\n'
        )
        self.config = config.find(self.folder)
        self.count = 0
        self.spark: SparkSession = open_session(
            {"name": "peer", "kind": "spark", "workers": 0,
             "connect": f"sc://localhost:{found.port}",
             "token_env": "EOLAB_BENCH_TOKEN", "home": str(self.folder)}, name="peer",
        )  # fmt: skip
        document = json.loads(DURATIONS.read_text())
        self.durations: list[float] = document["seconds"]
        self._waves_s: float | None = None

    def close(self) -> None:
        self.spark.stop()
        server.stop(self.folder / "server")
        shutil.rmtree(self.folder, ignore_errors=True)

    def tune(self, train: Callable[..., object], **options: object) -> Study:
        self.count += 1
        defaults: dict[str, object] = {
            "name": f"b{self.count}", "metric": "score", "on": "bench", "tracking": False,
            "workers": WORKERS,
        }  # fmt: skip
        return tune(self.config, train, **{**defaults, **options})  # type: ignore[arg-type]

    def gated(self, durations: list[float], workers: int) -> tuple[float, float]:
        """Seconds from the gate's opening, when all have joined, to the end; and of joining."""
        gate = self.folder / f"gate{self.count}"
        study = self.tune(
            sleeper(str(gate)), trials=workers + len(durations), workers=workers,
            sampler=Listed(durations, workers), wait=False,
        )  # fmt: skip
        while study.summary()["counts"]["running"] < workers:
            if study.state in {"paused", "failed", "interrupted"}:
                raise SystemExit(f"the study does not run: {study.summary()['message']}")
            time.sleep(0.05)
        joined = time.time()
        first = next(e["t"] for e in journal.read_events(study.folder))
        time.sleep(0.5)
        opened = time.time()
        gate.touch()
        study.wait(quiet=True)
        ended = max(t.metrics["ended"] for t in study.record.trials.values())
        return ended - opened, joined - first

    # -- the peers -----------------------------------------------------------------------------

    def job(self, durations: Sequence[float]) -> float:
        """Seconds of one Spark job with a task for each duration."""
        seconds = list(durations)

        def sleep(batches):
            import time

            for batch in batches:
                for row in batch["id"].to_pylist():
                    time.sleep(seconds[row])
                yield batch

        n = len(seconds)
        began = time.monotonic()
        self.spark.range(0, n, 1, n).mapInArrow(sleep, "id long").collect()
        return time.monotonic() - began

    def waves_s(self) -> float:
        """Wall clock of waves of 8 on warm Python workers, measured once."""
        if self._waves_s is None:
            self.job([0.0] * WORKERS)
            chunks = range(0, len(self.durations), WORKERS)
            self._waves_s = sum(self.job(self.durations[i : i + WORKERS]) for i in chunks)
        return self._waves_s

    def one_job_s(self) -> float:
        """One job of 64 tasks on 8 slots: the other slots are kept busy meanwhile."""
        import threading

        stop = self.folder / "stop"

        def hold(batches):
            import os
            import time

            while not os.path.exists(path):  # noqa: PTH110  executors have no eolab and no types
                time.sleep(0.05)
            yield from batches

        path, rest = str(stop), SLOTS - WORKERS
        frame = self.spark.range(0, rest, 1, rest).mapInArrow(hold, "id long")
        thread = threading.Thread(target=frame.collect)
        thread.start()
        time.sleep(3.0)
        try:
            return self.job(self.durations)
        finally:
            stop.touch()
            thread.join()

    # -- the measures --------------------------------------------------------------------------

    def wall(self) -> dict[str, object]:
        span, join = self.gated(self.durations, WORKERS)
        peer, ideal = self.waves_s(), greedy(self.durations, WORKERS)
        found: dict[str, object] = {
            "vs_waves": span / peer, "vs_ideal": span / ideal, "study_s": span, "waves_s": peer,
            "join_s": join, "ideal_s": ideal,
            "ideal_ratio": ideal / waves(self.durations, WORKERS),
        }  # fmt: skip
        if not self.quick:
            one = self.one_job_s()
            found |= {"one_job_s": one, "vs_one_job": span / one}
        return found

    def stopping(self) -> dict[str, object]:
        document = json.loads(CURVES.read_text())
        curves = [row["curve"] for row in document["trials"]]
        study = self.tune(
            player(curves, self.durations),
            trials=len(curves),
            sampler=Rows(len(curves)),
            pruner=RULE,
        )
        record = study.record
        # From the moment that all have joined, as for the waves.
        joined: dict[str, float] = {}
        for event in journal.read_events(study.folder):
            if event["e"] == "worker" and event["state"] == "joined":
                joined.setdefault(event["w"], event["t"])
        last = max(t.ended or 0.0 for t in record.trials.values())
        best = max(curve[-1] for curve in curves)
        first = min(joined.values())
        return {
            "vs_waves_stop": (last - first) / self.waves_s(), "stop_s": last - first,
            "stopped": record.counts["stopped"], "stop_best": study.best_value, "true_best": best,
            "stop_join_s": max(joined.values()) - first,
        }  # fmt: skip

    def scaling(self) -> dict[str, object]:
        sizes, each, seconds = ([1, 8], 4, 0.75) if self.quick else ([1, 2, 4, 8, 16], 8, 1.0)
        found, joins = {}, {}
        for workers in sizes:
            span, join = self.gated([seconds] * (each * workers), workers)
            found[str(workers)] = seconds * each / span
            joins[str(workers)] = join
        return {"scaling": found, "scaling_join_s": joins}

    def freeing(self) -> dict[str, object]:
        """Seconds from cancelling a study until no task of it runs any more.

        On a server that the study has started itself, and on one that it knows by its address.
        """
        found = {"free_s": self._free("ours"), "free_connect_s": self._free("bench")}
        server.stop(self.config.root / "clusters" / "ours")
        return found

    def _free(self, cluster: str) -> float:
        gate = self.folder / "never"
        study = self.tune(
            sleeper(str(gate)), trials=WORKERS, sampler=Listed([60.0] * WORKERS, 0), wait=False,
            on=cluster,
        )  # fmt: skip
        while study.summary()["counts"]["running"] < WORKERS:
            time.sleep(0.05)
        began = time.monotonic()
        study.cancel()
        while _workers_here():
            time.sleep(0.02)
        return time.monotonic() - began

    def overhead(self) -> dict[str, object]:
        trials = 300 if self.quick else 1000
        few = 40 if self.quick else 120
        http = self.tune(empty, trials=trials, sampler="random")
        box = self.tune(empty, trials=few, sampler="random", mailbox=str(self.folder / "box"))
        return {"per_trial_ms": _span(http) / trials * 1e3, "mailbox_ms": _span(box) / few * 1e3}


def _workers_here() -> int:
    """Worker processes of Spark tasks on this machine."""
    import psutil

    found = 0
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        found += any(word.endswith("launch.py") for word in words)
    return found


def _span(study: Study) -> float:
    times = [e["t"] for e in journal.read_events(study.folder) if e["e"] in {"start", "finish"}]
    return float(times[-1] - times[0])


def make_durations() -> None:
    """Draw the list that is committed: 64 lognormal durations, scaled to a mean of 1 s."""
    draw = random.Random(2022)
    seconds = [draw.lognormvariate(0.0, 0.6) for _ in range(64)]
    mean = sum(seconds) / len(seconds)
    text = json.dumps({"sigma": 0.6, "seconds": [round(s / mean, 4) for s in seconds]})
    DURATIONS.write_text(text + "\n")


def draw(results: dict[str, object]) -> None:
    """Wall clock against bulk-synchronous Spark with the published band; speed-up."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "eolab"
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    low, high = 1 - PUBLISHED[1], 1 - PUBLISHED[0]
    left.axhspan(low, high, alpha=0.2, label="published: 33-58 % less")
    ratios = {"waves": 1.0, "study": results["vs_waves"], "with stopping": results["vs_waves_stop"]}
    left.bar(list(ratios), list(ratios.values()), width=0.5, color=["0.6", "tab:blue", "tab:green"])
    left.axhline(float(str(results["ideal_ratio"])), ls="--", color="k", lw=1, label="ideal study")
    left.set(ylabel="wall clock / waves of 8", title="64 trials, 8 workers")
    left.legend(fontsize=8)
    scaling = results["scaling"]
    assert isinstance(scaling, dict)
    sizes = [int(k) for k in scaling]
    right.plot(sizes, [k * v for k, v in zip(sizes, scaling.values(), strict=True)], "o-")
    right.plot(sizes, sizes, "--", color="0.5", label="linear")
    right.set(xscale="log", yscale="log", xlabel="workers on Spark", ylabel="speed-up")
    right.legend()
    figure.tight_layout()
    figure.savefig(RESULTS / "spark_studies.svg", metadata={"Date": None})


MEASURES = {
    "wall": Bench.wall, "stopping": Bench.stopping, "scaling": Bench.scaling,
    "overhead": Bench.overhead, "freeing": Bench.freeing,
}  # fmt: skip


def meets(name: str, value: object) -> bool | None:
    """Whether a figure reaches its mark; None where it has none."""
    if name not in REACH:
        return None
    sign, mark = REACH[name]
    values = list(value.values()) if isinstance(value, dict) else [value]
    return all(v <= mark if sign == "<=" else v >= mark for v in values)  # type: ignore[operator]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter trials")
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--figure", action="store_true", help="write benchmarks/results/")
    options = parser.parse_args()
    bench = Bench(options.quick)
    results: dict[str, object] = {}
    load_before = os.getloadavg()[0]
    began = time.monotonic()
    try:
        for name in options.only:
            print(f"... {name}", file=sys.stderr, flush=True)
            found = MEASURES[name](bench)
            print(_text(found), file=sys.stderr, flush=True)  # kept, whatever comes after
            results |= found
    finally:
        bench.close()
    results |= {
        "seconds": time.monotonic() - began, "server_start_s": bench.server_s,
        "load_before": load_before, "cores": os.cpu_count(),
    }  # fmt: skip
    misses = [name for name, value in results.items() if meets(name, value) is False]
    document = {**results, "reach": REACH, "misses": misses}
    if options.json:
        print(json.dumps(document))
    else:
        for name, value in results.items():
            mark = " ".join(map(str, REACH[name])) if name in REACH else ""
            print(f"{name:16} {_text(value)} {mark}")
    if options.figure:
        (RESULTS / "spark_studies.json").write_text(json.dumps(document, indent=1) + "\n")
        draw(results)
    return 1 if misses else 0


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{k}: {_text(v)}" for k, v in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
