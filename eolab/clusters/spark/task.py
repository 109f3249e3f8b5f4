"""What runs inside a Spark task: it unpacks the worker, starts it, and waits for its end.

The functions of this module travel by value to executors without eolab: at module level there is
the standard library only, and nothing of ours is imported.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import TaskContext

ANSWER = "answer string"
LOST = "its Python process or its executor was lost"

Batches = Iterator["pa.RecordBatch"]


class SparkWorker(TypedDict, total=False):
    """What this end reads and changes of a worker's settings; the others pass through."""

    worker: str
    addresses: list[Mapping[str, object]]
    modules: list[str]
    count: int
    workers: int
    function: str
    data: str
    sys_path: list[str]
    cwd: str
    environment: dict[str, str]
    scratch: str
    bring_home: bool


class Payload(TypedDict):
    """What a task is given.

    Attributes:
        files: The worker's program: name to text.
        settings: What the worker is told.
        shipped: Setting to name of a file that Spark has brought.
        wanted: A file here whose end is the worker's, or None.
        probe: Whether to probe in place of working.
    """

    files: Mapping[str, str]
    settings: SparkWorker
    shipped: Mapping[str, str]
    wanted: NotRequired[str | None]
    probe: bool


def make_task(payload: Payload) -> Callable[[Batches], Batches]:
    """The function for ``mapInArrow``: one worker, or one probe, from start to end.

    Args:
        payload: What to start.
    """

    def task(batches: Batches) -> Batches:
        import pyarrow as pa

        for _ in batches:
            pass
        answer = run(payload)
        yield pa.RecordBatch.from_arrays([pa.array([answer])], ["answer"])

    return task


def run(payload: Payload) -> str:
    """Start the worker and wait; JSON with ``reason``, or a probe's answer."""
    from pyspark import TaskContext

    context = TaskContext.get()
    if context is not None and context.attemptNumber() and not payload["probe"]:
        # Spark started a lost task again. The study has new workers of its own for that: under
        # the old name, two processes might run one attempt of a trial.
        return json.dumps({"reason": LOST})
    folder = tempfile.mkdtemp(prefix="eolab-")
    try:
        for name, text in payload["files"].items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:  # noqa: PTH118
                file.write(text)
        return _start(payload, folder, gpu_addresses(context))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def gpu_addresses(context: TaskContext | None) -> list[str] | None:
    """Addresses of the GPUs that Spark gave this task; None where it gave none."""
    resources = context.resources() if context is not None else {}
    return list(resources["gpu"].addresses) if "gpu" in resources else None


def _start(payload: Payload, folder: str, gpus: list[str] | None) -> str:
    settings = payload["settings"].copy()
    if settings.get("bring_home"):
        settings["scratch"] = os.path.join(folder, "checkpoints")  # noqa: PTH118
    if payload["shipped"]:
        from pyspark import SparkFiles

        if "function" in payload["shipped"]:
            settings["function"] = SparkFiles.get(payload["shipped"]["function"])
        if "data" in payload["shipped"]:
            settings["data"] = SparkFiles.get(payload["shipped"]["data"])
    if gpus is not None:
        # Before any child starts: a library that has seen all devices once keeps them.
        settings["environment"] = {
            **settings.get("environment", {}),
            "CUDA_VISIBLE_DEVICES": ",".join(gpus),
        }
    path = os.path.join(folder, "settings.json")  # noqa: PTH118
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds the token
    with os.fdopen(handle, "w") as file:
        json.dump(settings, file)
    words = ["probe"] if payload["probe"] else []
    environment = dict(os.environ)
    if gpus is not None:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    log = os.path.join(folder, "log")  # noqa: PTH118
    with open(log, "wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", os.path.join(folder, "launch.py"), path, *words],  # noqa: PTH118
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            cwd=settings.get("cwd") or folder, env=environment,
        )  # fmt: skip
    assert process.stdout is not None
    if payload.get("wanted"):
        threading.Thread(target=_let_go, args=(process, payload["wanted"]), daemon=True).start()
    said = process.stdout.read()
    code = process.wait()
    if payload["probe"] and code == 0:
        return said.decode()
    return json.dumps({"reason": _why(code, log)})


def _let_go(process: subprocess.Popen[bytes], wanted: str) -> None:
    """End a worker soon after a file is gone: Spark itself looks every two seconds only."""
    while process.poll() is None:
        if not os.path.exists(wanted):  # noqa: PTH110
            assert process.stdin is not None
            process.stdin.close()
            return
        time.sleep(0.1)


def _why(code: int, log: str) -> str:
    last = ""
    with contextlib.suppress(OSError, IndexError), open(log, errors="replace") as file:
        last = file.read()[-4000:].strip().splitlines()[-1][:300]
    if code < 0:
        return f"killed by signal {-code}"
    return last or (f"exited with code {code}" if code else "")
