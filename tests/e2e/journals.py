"""Studies as their journals tell them, written in one go: sizes that no test can wait for.

The study process writes the same lines with the same writer; only the trials did not run.
"""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from eolab.files import writes
from eolab.studies.journal import files as journal
from eolab.studies.journal.state import Event

SPACE = [
    {"name": "lr", "kind": "loguniform", "low": 1e-5, "high": 0.1, "log": True, "choices": None},
    {"name": "depth", "kind": "integer", "low": 2, "high": 12, "log": False, "choices": None},
    {
        "name": "optimizer", "kind": "choice", "low": None, "high": None, "log": None,
        "choices": ["adam", "sgd", "rmsprop"],
    },
]  # fmt: skip
METRIC = "val_macro_f1"
EVERY = 0.1


def begin(runs: Path, name: str, *, trials: int, workers: int) -> Path:
    """The folder of a new study."""
    folder = runs / name
    folder.mkdir(parents=True)
    study = {
        "format": 1, "name": name, "kind": "tune", "metric": METRIC, "direction": "maximize",
        "trials": trials, "workers": workers, "timeout": None, "target": None, "space": SPACE,
        "created": time.time(), "function": "train", "source": "def train(reporter): ...",
        "seed": 0,
    }  # fmt: skip
    writes.write_json(folder / journal.STUDY, study)
    return folder


def draw(rng: random.Random) -> dict[str, object]:
    """One configuration."""
    return {
        "lr": 10 ** rng.uniform(-5, -1),
        "depth": rng.randint(2, 12),
        "optimizer": rng.choice(["adam", "sgd", "rmsprop"]),
    }


def score(params: dict[str, object], step: int, rng: random.Random) -> float:
    """A learning curve's point: best near lr 0.003 and depth 7."""
    lr, depth = float(str(params["lr"])), int(str(params["depth"]))
    final = 0.9 - 0.1 * abs(math.log10(lr) + 2.5) - 0.02 * abs(depth - 7)
    return round(final * (1 - math.exp(-(step + 1) / 4)) + rng.gauss(0, 0.01), 6)


def opening(workers: int, start: float) -> Iterator[Event]:
    """A study takes up its work."""
    yield {"t": start, "e": "process", "pid": os.getpid(), "host": "here", "resumed": False}
    yield {"t": start, "e": "state", "state": "running"}
    for worker in range(workers):
        yield {"t": start, "e": "worker", "w": f"w{worker}", "state": "joined", "host": "here"}


def finished_trials(
    count: int, *, steps: int, workers: int, start: float, seed: int = 0
) -> Iterator[Event]:
    """Trials one after the other on each worker: most complete, some are stopped, a few fail."""
    rng = random.Random(seed)
    clocks = [start] * workers
    for n in range(count):
        worker = min(range(workers), key=clocks.__getitem__)
        params = draw(rng)
        yield {"t": clocks[worker], "e": "trial", "n": n, "params": params}
        yield {"t": clocks[worker], "e": "start", "n": n, "a": 1, "w": f"w{worker}"}
        fate = rng.random()
        last = steps if fate > 0.3 else max(2, steps // 3)
        value = None
        for step in range(last):
            clocks[worker] += 1.0
            value = score(params, step, rng)
            report = {"n": n, "a": 1, "step": step, "m": {METRIC: value}}
            yield {"t": clocks[worker], "e": "report", **report}
        end: dict[str, object] = {"state": "completed", "value": value}
        if fate < 0.03:
            end = {"state": "failed", "error": "ValueError: the loss is not finite"}
        elif fate < 0.3:
            end = {"state": "stopped", "error": "below the median at this step"}
        yield {"t": clocks[worker], "e": "finish", "n": n, "a": 1, **end}


def write(folder: Path, events: Iterable[Event]) -> None:
    """Append events to the journal of a study that nobody else writes."""
    writer = journal.Writer(folder)
    for event in events:
        writer.append(event)
    writer.close()


def write_finished(runs: Path, name: str, *, trials: int, steps: int, workers: int = 8) -> Path:
    """A completed study with so many trials of up to ``steps`` reports each."""
    folder = begin(runs, name, trials=trials, workers=workers)
    # It ended a moment ago.
    start = time.time() - (trials / workers + 1) * steps
    write(folder, opening(workers, start))
    write(folder, finished_trials(trials, steps=steps, workers=workers, start=start))
    write(folder, [{"t": time.time(), "e": "state", "state": "completed", "message": ""}])
    return folder


def report_for(folder: Path, *, running: int, seconds: float) -> None:
    """Be a study process whose ``running`` trials report ten times a second."""
    lock = journal.take_lock(folder)
    assert lock is not None
    writer = journal.Writer(folder)
    rng = random.Random(1)
    now = time.time()
    for event in opening(running, now):
        writer.append(event)
    params = [draw(rng) for _ in range(running)]
    for n in range(running):
        writer.append({"t": now, "e": "trial", "n": n, "params": params[n]})
        writer.append({"t": now, "e": "start", "n": n, "a": 1, "w": f"w{n}"})
    begun = time.monotonic()
    step = 0
    while (at := time.monotonic() - begun) < seconds:
        for n in range(running):
            figures = {METRIC: score(params[n], step, rng)}
            report = {"n": n, "a": 1, "step": step, "m": figures}
            writer.append({"t": time.time(), "e": "report", **report})
        step += 1
        time.sleep(max(0.0, step * EVERY - at))
    for n in range(running):
        done = {"n": n, "a": 1, "state": "completed", "value": score(params[n], step, rng)}
        writer.append({"t": time.time(), "e": "finish", **done})
    writer.append({"t": time.time(), "e": "state", "state": "completed", "message": ""})
    writer.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    report_for(Path(sys.argv[1]), running=int(sys.argv[2]), seconds=float(sys.argv[3]))
