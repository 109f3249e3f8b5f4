"""How far MLflow is behind a study whose trials end fast, on a machine that is busy with them.

    python -m benchmarks.feeder [--json] [--quick]

A journal grows by 30 ended trials a second, each with three reported steps; the feeder's own
process follows it into the workspace's SQLite while one process a core computes. Twice a second
MLflow's database is asked which trials it has: the age of the oldest that has ended and is not
there is how far it is behind.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eolab.files import writes
from eolab.studies.journal.files import Writer, take_lock
from eolab.tracking.store import open_client

REACH = {"behind_s": 10.0}
TRIALS, A_SECOND, STEPS = 3_000, 30.0, 3
ENDED = (
    "SELECT t.value FROM tags t JOIN runs r ON r.run_uuid = t.run_uuid "
    "WHERE t.key = 'eolab.trial' AND r.end_time IS NOT NULL"
)


def measure(trials: int, busy: int) -> dict[str, float]:
    """Seconds that MLflow was behind at most and at the end, and trials that it has then."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        root = Path(folder)
        run = root / "runs" / "fast"
        run.mkdir(parents=True)
        writes.write_json(
            run / "study.json",
            {
                "format": 1, "name": "fast", "kind": "tune", "metric": "score", "seed": 0,
                "direction": "maximize", "trials": trials, "workers": 1, "created": 1.0,
                "space": [], "tracking": True,
            },
        )  # fmt: skip
        database = root / "mlflow.db"
        open_client(f"sqlite:///{database}", root)
        lock = take_lock(run)
        assert lock is not None
        others = [[sys.executable, "-c", "while True: pass"]] * busy
        for command in [*others, [sys.executable, "-m", "eolab.tracking", str(run)]]:
            process = subprocess.Popen(command)
            stack.callback(process.wait)
            stack.callback(process.kill)
        writer = Writer(run)
        ended: dict[int, float] = {}
        behind, looked, begun = 0.0, 0.0, time.monotonic()
        while True:
            now = time.monotonic()
            while len(ended) < min(trials, (now - begun) * A_SECOND):
                end_trial(writer, len(ended))
                ended[len(ended)] = now
            if now - looked > 0.5:
                looked = now
                there = read_ended(database)
                oldest = min((at for n, at in ended.items() if n not in there), default=now)
                behind = max(behind, now - oldest)
                if len(there) == trials or now - max(ended.values()) > 300:
                    break
            time.sleep(0.02)
        writer.append({"t": time.time(), "e": "state", "state": "completed"})
        writer.close()
        os.close(lock)
        return {
            "behind_s": round(behind, 1),
            "after_the_last_s": round(now - max(ended.values()), 1),
            "trials_there": len(there),
        }


def end_trial(writer: Writer, n: int) -> None:
    """Write a whole trial into the journal."""
    writer.append({"t": time.time(), "e": "trial", "n": n, "params": {"x": n / 7, "depth": n % 9}})
    writer.append({"t": time.time(), "e": "start", "n": n, "a": 1, "w": "w0"})
    for step in range(STEPS):
        metrics = {"score": n * step / 10, "loss": 1 / (n + 1)}
        writer.append({"t": time.time(), "e": "report", "n": n, "a": 1, "step": step, "m": metrics})
    writer.append(
        {"t": time.time(), "e": "finish", "n": n, "a": 1, "state": "completed", "value": n / 10}
    )


def read_ended(database: Path) -> set[int]:
    """Numbers of the trials whose runs have ended in MLflow."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return {int(n) for (n,) in connection.execute(ENDED)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--quick", action="store_true", help="300 trials, ten seconds")
    options = parser.parse_args()
    start = time.perf_counter()
    figures = measure(300 if options.quick else TRIALS, os.cpu_count() or 1)
    for name, value in figures.items():
        print(f"{name:<20} {value:>8}", file=sys.stderr)
    if options.json:
        print(json.dumps({**figures, "seconds": round(time.perf_counter() - start, 1)}))


if __name__ == "__main__":
    main()
