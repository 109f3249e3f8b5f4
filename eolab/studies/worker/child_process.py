"""The process that runs the function, seen from outside: started, talked to, watched, killed.

This file travels with `supervisor.py` to machines without eolab: standard library only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.studies.worker.messages import ChildMessage, ChildSettings

FOR_CHILD = ("function", "data", "sys_path", "imports", "memory", "workers")
LOG_MOST = 1024 * 1024


class ChildProcess:
    """The process that runs the function, seen from the worker.

    Args:
        settings: ``function``, ``data``, ``sys_path``, ``imports``, ``environment``, ``cwd``.
    """

    def __init__(self, settings: ChildSettings) -> None:
        down, self._down = os.pipe()
        self.messages, up = os.pipe()
        self.prints, out = os.pipe()
        environment = {
            **os.environ,
            **{k: str(v) for k, v in settings.get("environment", {}).items()},
        }
        for name in ("EOLAB_LOCK", "PYTHONSTARTUP"):
            environment.pop(name, None)
        try:
            self.process = subprocess.Popen(
                # -P: this folder must not become importable, its names are common ones.
                [sys.executable, "-P", "-u", str(Path(__file__).with_name("trial_process.py")),
                 str(down), str(up),
                 json.dumps({k: v for k, v in settings.items() if k in FOR_CHILD and v})],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=(down, up),
                env=environment, cwd=settings.get("cwd") or None, start_new_session=True,
            )  # fmt: skip
        finally:
            for handle in (down, up, out):
                os.close(handle)
        os.set_blocking(self.prints, False)
        os.set_blocking(self.messages, False)
        self._buffer = b""
        self._held = b""
        self.exit_handle = _pidfd(self.process.pid)

    def send(self, message: Mapping[str, object]) -> None:
        try:
            os.write(self._down, json.dumps(message).encode() + b"\n")
        except OSError:
            pass  # it is dead; its exit is noticed elsewhere

    def receive(self) -> list[ChildMessage]:
        """What it said since the last call."""
        while True:
            try:
                block = os.read(self.messages, 1 << 16)
            except BlockingIOError:
                break
            if not block:
                break
            self._buffer += block
        *lines, self._buffer = self._buffer.split(b"\n")
        return [json.loads(line) for line in lines]

    def hold_prints(self) -> None:
        """Keep what it prints for `printed`, while nobody takes it: a full pipe would stop it."""
        try:
            block = os.read(self.prints, 1 << 18)
        except BlockingIOError:
            return
        self._held = (self._held + block)[:LOG_MOST]

    def printed(self) -> bytes:
        """Some of what it printed since the last call."""
        if self._held:
            held, self._held = self._held, b""
            return held
        try:
            return os.read(self.prints, 1 << 18)
        except BlockingIOError:
            return b""

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def memory(self) -> float:
        """Bytes of memory that it holds, where the system tells."""
        try:
            with open(f"/proc/{self.process.pid}/statm") as file:
                return int(file.read().split()[1]) * float(os.sysconf("SC_PAGE_SIZE"))
        except (OSError, ValueError, IndexError):
            return 0.0

    def how_it_died(self) -> str:
        code = self.process.wait()
        if code == -signal.SIGKILL:
            return "its process was killed (signal 9; out of memory?)"
        if code < 0:
            return f"its process died of signal {-code} ({signal.Signals(-code).name})"
        return f"its process exited with code {code}"

    def kill(self) -> None:
        """End it and whatever it started in its session."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()
        handles = [self._down, self.messages, self.prints]
        if self.exit_handle is not None:
            handles.append(self.exit_handle)
        for handle in handles:
            os.close(handle)


class LogCap:
    """Lets the first megabyte of a trial's output through, and the last lines of the rest."""

    def __init__(self) -> None:
        self.passed = 0
        self.skipped = 0
        self._tail = b""

    @property
    def full(self) -> bool:
        return self.passed >= LOG_MOST

    def take(self, block: bytes) -> bytes:
        head = block[: max(0, LOG_MOST - self.passed)]
        rest = block[len(head) :]
        self.passed += len(head)
        self.skipped += len(rest)
        self._tail = (self._tail + rest)[-16384:]
        return head

    def end(self) -> bytes:
        if not self.skipped:
            return b""
        cut = self.skipped - len(self._tail)
        return b"\n... %d bytes left out ...\n" % cut + self._tail


def _pidfd(pid: int) -> int | None:
    """A handle that becomes readable when the process exits, where the system has such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
