"""TensorBoard on what a study's trials wrote, where it is installed: one process a study.

Trials write below `reporter.tensorboard_dir`, which stays with the study.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from eolab.errors import ConflictError, RemoteError

COMMAND = (sys.executable, "-m", "tensorboard.main")
START_SECONDS = 60.0
END_SECONDS = 2.0
# TensorBoard says on its error output where it listens, once it does.
ADDRESS = re.compile(rb"http://(?:localhost|127\.0\.0\.1):(\d+)/")


def has_logs(run: Path) -> bool:
    """Whether any trial of a study wrote logs for TensorBoard."""
    return next((run / "checkpoints").glob("*/tensorboard/**/*tfevents*"), None) is not None


class TensorBoards:
    """The TensorBoard processes of one server; used from threads."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self.command = command
        self._lock = threading.Lock()
        self._running: dict[Path, tuple[subprocess.Popen[bytes], int]] = {}

    def port(self, run: Path) -> int:
        """The port on which TensorBoard shows a study's logs; started where it does not run yet.

        Raises:
            ConflictError: The study has no logs for it, or it is not installed.
            RemoteError: It does not start.
        """
        if not has_logs(run):
            raise ConflictError(
                f"no trial of {run.name!r} wrote logs for TensorBoard",
                "Let the train function write below reporter.tensorboard_dir.",
            )
        with self._lock:
            process, port = self._running.get(run, (None, 0))
            if process is not None and process.poll() is None:
                return port
            if importlib.util.find_spec("tensorboard") is None:
                raise ConflictError(
                    "TensorBoard is not installed where the Jupyter server runs",
                    "pip install tensorboard",
                )
            process = subprocess.Popen(
                [
                    *self.command, "--logdir", str(run / "checkpoints"),
                    "--host", "127.0.0.1", "--port", "0",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
            port = _await_port(process)
            self._running[run] = (process, port)
            return port

    def close(self) -> None:
        """Stop them all."""
        with self._lock:
            processes = [process for process, _ in self._running.values()]
            self._running.clear()
        for process in processes:
            process.terminate()
        end = time.monotonic() + END_SECONDS
        for process in processes:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                # With the helper that reads its logs: they are a group of their own.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _await_port(process: subprocess.Popen[bytes]) -> int:
    """Where a process that was just started listens; its output is read on as long as it lives."""
    found: list[int] = []
    lines: list[bytes] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            match = ADDRESS.search(line)
            if match and not found:
                found.append(int(match[1]))
                ready.set()
            elif not found:
                lines.append(line)
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    ready.wait(START_SECONDS)
    if not found:
        process.kill()
        last = b"".join(lines[-3:]).decode("utf-8", "replace").strip()
        raise RemoteError(f"TensorBoard did not start: {last}", "See if `tensorboard` runs alone.")
    return found[0]
