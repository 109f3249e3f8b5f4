"""Workers as processes of this machine: no JVM, no daemon."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from eolab.clusters.base import Placement
from eolab.files.folders import open_log

GRACE_SECONDS = 2.0


class LocalPlacement(Placement):
    """One supervisor process a worker, each with a child that runs the function.

    Args:
        run: The study's folder; what a worker prints goes to ``workers/<name>.log``.
        program: The file that is the worker.
        settings: What each worker is told (how to reach the study, the function, limits).
        python: Interpreter of the workers.
    """

    def __init__(
        self,
        run: Path,
        program: Path,
        settings: Mapping[str, object],
        *,
        python: str = sys.executable,
    ) -> None:
        self._folder = run / "workers"
        self._folder.mkdir(exist_ok=True)
        self._program, self._settings, self._python = program, settings, python
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def add(self, worker: str) -> None:
        path = self._folder / f"{worker}.json"
        # The settings hold the token: only their owner may read them.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({**self._settings, "worker": worker}, file)
        with open_log(self._folder / f"{worker}.log") as log:
            self._processes[worker] = subprocess.Popen(
                [self._python, "-P", str(self._program), str(path)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def ended_workers(self) -> Iterator[tuple[str, str]]:
        for worker, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[worker]
            yield worker, self._why(worker, code)

    def _why(self, worker: str, code: int) -> str:
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"killed by {signal.Signals(-code).name}"
        last = ""
        with contextlib.suppress(OSError, IndexError):
            last = (
                (self._folder / f"{worker}.log")
                .read_text(errors="replace")
                .strip()
                .splitlines()[-1]
            )
        return f"exited with code {code}" + (f": {last[:300]}" if last else "")

    def stop(self) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
                # A stopped process hears nothing until it goes on.
                process.send_signal(signal.SIGCONT)
        end = time.monotonic() + GRACE_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()


def fitting_workers(*, cpus: int = 1, memory: float | None = None) -> int:
    """How many workers this machine carries.

    Args:
        cpus: Cores of each.
        memory: Gigabytes of each; 1.5 where nothing is said.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        by_memory = int(pages * size / 1e9 / (memory or 1.5))
    except (ValueError, OSError, AttributeError):
        by_memory = cores
    return max(1, min(cores // cpus, by_memory))


def thread_caps(workers: int) -> dict[str, str]:
    """Environment that keeps ``workers`` numerical libraries from fighting for the cores."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return thread_environment(max(1, cores // max(1, workers)))


def thread_environment(threads: int) -> dict[str, str]:
    """Environment that caps each numerical library at ``threads``."""
    names = (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
    )  # fmt: skip
    return dict.fromkeys(names, str(threads))
