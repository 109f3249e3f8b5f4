"""Peers on the same machine: what an empty trial, or a point-in-time join, costs elsewhere.

Trials count from the start of the first trial to the end of the last one by its own record, so that
starting processes does not count against it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RAY = "ray[tune]>=2.50,<3"
FEAST = "feast[duckdb]>=0.50,<1"


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
        done = [t for t in study.trials if t.datetime_complete]
        span = max(t.datetime_complete for t in done) - min(t.datetime_start for t in done)  # type: ignore[type-var,operator]
        return span.total_seconds() / len(done) * 1e3


def ray_python() -> Path | None:
    """The Python of an environment with Ray Tune; None where it cannot be installed."""
    return python_with("ray", RAY)


def feast_python() -> Path | None:
    """The Python of an environment with Feast, which wants pandas < 3; None as above."""
    return python_with("feast", FEAST)


def python_with(name: str, requirement: str) -> Path | None:
    """The Python of an environment of its own with a peer; None where it cannot be installed.

    Peers want other versions of what we use, so they never stand in our own environment.
    `.make/<name>` is made where it is missing (up to half a gigabyte, a minute).
    """
    folder = ROOT / ".make" / name
    command = [sys.executable, str(ROOT / "scripts" / "environment.py"), str(folder), requirement]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        print(f"{requirement} cannot be installed here", file=sys.stderr)
    python = folder / "bin" / "python"
    return python if (folder / "installed.txt").is_file() else None


def feast_join(python: Path, folder: Path, turns: int) -> tuple[float, int]:
    """Seconds of the quickest point-in-time join by Feast's DuckDB store, and its rows.

    Args:
        python: A Python that has Feast.
        folder: Holds `labels.parquet` and `rows.parquet` (see `feast_join.py`).
        turns: How often.
    """
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("feast_join.py")), str(folder), str(turns)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FEAST_USAGE": "False"},
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return float(found["seconds"]), int(found["rows"])


def ray_tune(python: Path, trials: int) -> float:
    """Milliseconds a trial of Ray Tune with eight reused actors and without its log files.

    Args:
        python: A Python that has Ray Tune.
        trials: How many.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(python), str(Path(__file__).with_name("ray_trials.py")), str(trials), folder],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        )
    return float(json.loads(done.stdout.strip().splitlines()[-1])["per_trial_ms"])
