"""A worker: a supervisor that talks to the study, and a child that runs the function.

A trial that hangs, is killed or runs out of memory costs one attempt, not the worker. This file
travels with the others of its folder to machines without eolab: standard library only.

    python supervisor.py SETTINGS.json
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from eolab.studies.worker import checkpoints
    from eolab.studies.worker.child_process import LOG_MOST, ChildProcess, LogCap
    from eolab.studies.worker.link import Link, Refused, Unreachable, make_link
else:  # a bare file beside its helpers, maybe where there is no eolab
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import checkpoints
    from child_process import LOG_MOST, ChildProcess, LogCap
    from link import Link, Refused, Unreachable, make_link

    del sys.path[0]

if TYPE_CHECKING:
    from eolab.studies.worker.messages import (
        Answer,
        ChildMessage,
        Decision,
        Point,
        Result,
        TrialOrder,
        WorkerSettings,
    )

BATCH_SECONDS = 0.2
GRACE_SECONDS = 5.0
POLL_SECONDS = 20.0
MEMORY_SECONDS = 0.25
HOME_SECONDS = 30.0


class Outbox(threading.Thread):
    """Sends reports, output and heartbeats of the running trial, and hears the study's decisions.

    A thread of its own, so that a slow network holds up neither the child's output nor the watch
    over the child.
    """

    def __init__(self, link: Link, worker: str, beat: float, wake: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._link, self._worker, self._beat, self._wake = link, worker, beat, wake
        self._lock = threading.Condition()
        self._sending = threading.Lock()
        self._job: tuple[int, int] | None = None
        self._reports: list[Point] = []
        self._log: list[bytes] = []
        self._urgent = False
        self._closed = False
        self.decisions: list[Decision] = []

    def begin(self, n: int, attempt: int) -> None:
        with self._lock:
            self._job, self._reports, self._log, self.decisions = (n, attempt), [], [], []
            self._lock.notify()

    def add(self, *, report: Point | None = None, log: bytes = b"", urgent: bool = False) -> None:
        with self._lock:
            if report is not None:
                self._reports.append(report)
            if log:
                self._log.append(log)
            self._urgent = self._urgent or urgent
            if urgent:
                self._lock.notify()

    def end(self) -> Result:
        """Stop sending for this trial; what has not been sent goes with the result."""
        with self._lock:
            self._job = None
        with self._sending:  # a batch on its way must arrive before the result
            return self._take()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._lock.notify()

    def _has_left(self, job: tuple[int, int]) -> bool:
        return self._job != job

    def _take(self) -> Result:
        with self._lock:
            batch: Result = {}
            if self._reports:
                batch["reports"], self._reports = self._reports, []
            if self._log:
                batch["log"] = b"".join(self._log).decode("utf-8", "replace")
                self._log = []
            self._urgent = False
            return batch

    def run(self) -> None:
        last = time.monotonic()
        while True:
            with self._lock:
                if not self._urgent and not self._closed:
                    waiting = self._job is not None and (self._reports or self._log)
                    self._lock.wait(BATCH_SECONDS if waiting else self._beat if self._job else None)
                if self._closed:
                    return
            with self._sending:
                with self._lock:
                    job = self._job
                    idle = not self._reports and not self._log
                if job is None or (idle and time.monotonic() - last < self._beat * 0.9):
                    continue
                batch = self._take()
                last = time.monotonic()
                body = {"worker": self._worker, "n": job[0], "attempt": job[1], **batch}
                try:
                    answer = self._link.insist(
                        "report",
                        body,
                        patience=3600.0,
                        give_up=partial(self._has_left, job),
                    )
                except (Unreachable, Refused):
                    # The result takes the points along that could not be sent.
                    with self._lock:
                        self._reports = batch.get("reports", []) + self._reports
                    continue
            with self._lock:
                if self._job == job:
                    self.decisions.append({**answer, "answers": len(batch.get("reports", ()))})
            self._wake()


class Supervisor:
    """Takes trials one by one until the study says leave, or is gone for good.

    Args:
        settings: How to reach the study (``address``), who this is (``worker``), how the child is
            started (see `ChildProcess`), ``metric``, ``patience`` (seconds to wait for a study
            that does not answer), ``scratch`` (where checkpoints live).
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.worker = str(settings["worker"])
        self.link = make_link(settings["address"])
        self.patience = float(settings.get("patience", 60.0))
        self.child: ChildProcess | None = None
        self.ready = False
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)
        self._ring.setblocking(False)
        self.outbox = Outbox(
            self.link.fork(), self.worker, float(settings.get("beat", 3.0)), self._wake
        )
        self.leaving = False
        self._home: tuple[tuple[str, int, int], ...] = ()
        self._home_at = time.monotonic()

    def _wake(self) -> None:
        try:
            self._ring.send(b"!")
        except BlockingIOError:
            pass

    def _unring(self) -> None:
        try:
            self._bell.recv(4096)
        except BlockingIOError:
            pass

    def main(self) -> None:
        signal.signal(signal.SIGTERM, self._terminate)
        self.outbox.start()
        try:
            self.start_child()
            self.await_child()
            self._insist("join", {"host": socket.gethostname(), "pid": os.getpid()})
            job = None
            while not self.leaving:
                if job is None:
                    answer = self._insist("next", {"wait": POLL_SECONDS}, timeout=POLL_SECONDS + 10)
                else:
                    answer = self._insist("finish", {**self._run(job), "next": True})
                if answer.get("leave"):
                    break
                job = answer.get("job")
        except Refused as error:
            print(f"{self.worker} leaves: {error}", file=sys.stderr)
        except Unreachable as error:
            print(f"{self.worker} gives up, the study does not answer: {error}", file=sys.stderr)
        finally:
            self.outbox.close()
            if self.child is not None:
                self.child.kill()

    def _terminate(self, *_: object) -> None:
        self.leaving = True
        if self.child is not None:
            try:
                os.killpg(self.child.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os._exit(0)

    def _insist(self, op: str, body: Mapping[str, object], timeout: float = 10.0) -> Answer:
        return self.link.insist(
            op, {"worker": self.worker, **body}, timeout=timeout, patience=self.patience
        )

    # -- the child -------------------------------------------------------------------------

    def start_child(self) -> ChildProcess:
        """Start the process that runs the function, in place of one that is there."""
        if self.child is not None:
            self.child.kill()
        self.child, self.ready = ChildProcess(self.settings), False
        return self.child

    def await_child(self) -> None:
        """Wait until it has loaded the function, or has died of it (the first trial tells)."""
        child = self.child
        assert child is not None
        with selectors.DefaultSelector() as selector:
            self._watch(selector, child)
            while not self.ready and child.alive:
                selector.select(1.0)
                # TensorFlow talks while it loads: what nobody takes would wake us again and again.
                child.hold_prints()
                self._unring()
                for message in child.receive():
                    self.ready = self.ready or message["op"] == "ready"
                    if message["op"] == "broken":
                        self._broken = str(message["error"])
                        return

    _broken: str | None = None

    def _watch(self, selector: selectors.BaseSelector, child: ChildProcess) -> None:
        selector.register(child.messages, selectors.EVENT_READ)
        selector.register(child.prints, selectors.EVENT_READ)
        selector.register(self._bell, selectors.EVENT_READ)
        if child.exit_handle is not None:
            selector.register(child.exit_handle, selectors.EVENT_READ)

    # -- one trial -------------------------------------------------------------------------

    def _run(self, job: TrialOrder) -> Result:
        """Run one trial to its end, whatever that is; the body of the result."""
        n, attempt = int(job["n"]), int(job["attempt"])
        child = self.child
        if child is None or not child.alive or self._broken:
            self._broken = None
            child = self.start_child()
        self.outbox.begin(n, attempt)
        checkpoint = Path(self.settings["scratch"]) / str(job.get("checkpoint", n))
        self._fetch(job, checkpoint)
        child.send(
            {"op": "run", **job, "metric": self.settings["metric"], "checkpoint": str(checkpoint)}
        )
        result = self._attend(child, job, checkpoint)
        self._bring_home(job, checkpoint)
        rest = self.outbox.end()
        if result.get("state") == "failed" or result.get("crashed"):
            child.kill()
            self.child = None
            self.start_child()  # loads while the study is told
        return {"n": n, "attempt": attempt, **rest, **result}

    # -- checkpoints, where study and worker share no files ----------------------------------

    def _fetch(self, job: TrialOrder, folder: Path) -> None:
        """Get what an earlier attempt, or the trial that this one continues, has left."""
        self._home = ()
        if not self.settings.get("bring_home"):
            return
        if job["attempt"] > 1 or job["checkpoint"] != job["n"]:
            pieces: list[str] = []
            while True:
                about = {"n": job["n"], "attempt": job["attempt"], "part": len(pieces)}
                answer = self._insist("download", about, timeout=60.0)
                if answer.get("data") is None:
                    break
                pieces.append(answer["data"])
            if pieces:
                checkpoints.unpack(pieces, folder)
        self._home = checkpoints.signature(folder)

    def _bring_home(self, job: TrialOrder, folder: Path) -> None:
        """Send the checkpoint folder to the study if it changed."""
        if not self.settings.get("bring_home"):
            return
        self._home_at = time.monotonic()
        now = checkpoints.signature(folder)
        if now == self._home:
            return
        try:
            pieces = checkpoints.pack(folder)
        except (OSError, ValueError) as error:  # it is being written, or too large
            self.outbox.add(log=f"eolab: the checkpoint stays here: {error}\n".encode())
            return
        for part, data in enumerate(pieces):
            about = {"n": job["n"], "attempt": job["attempt"], "part": part, "parts": len(pieces)}
            self._insist("upload", {**about, "data": data}, timeout=60.0)
        self._home = now

    def _attend(self, child: ChildProcess, job: TrialOrder, checkpoint: Path) -> Result:
        limit = job.get("timeout")
        deadline = time.monotonic() + float(limit) if limit else None
        log = LogCap()
        kill_at: float | None = None
        why_killed: Result = {}
        memory = float(self.settings.get("memory") or 0)
        result: Result | None = None
        with selectors.DefaultSelector() as selector:
            self._watch(selector, child)
            while result is None:
                times = [t for t in (deadline, kill_at) if t is not None]
                wait = max(0.0, min(times) - time.monotonic()) if times else 5.0
                selector.select(min(wait, MEMORY_SECONDS if memory else 5.0))
                dead = not child.alive
                self._unring()
                self.outbox.add(log=log.take(child.printed()))
                for message in child.receive():
                    if message["op"] == "report":
                        self.outbox.add(
                            report={"step": message["step"], "m": message["m"], "t": message["t"]},
                            urgent=True,
                        )
                    elif message["op"] == "done":
                        result = _ending(message)
                    elif message["op"] == "broken":
                        result = {"state": "failed", "error": message["error"], "crashed": True}
                decisions, self.outbox.decisions = self.outbox.decisions, []
                for decision in decisions:
                    if decision.get("abandon"):  # the trial is somebody else's now
                        result = result or {"state": "abandoned", "crashed": True}
                    elif decision.get("stop"):
                        child.send({"op": "stop"})
                        if kill_at is None:
                            kill_at = time.monotonic() + float(decision.get("grace", GRACE_SECONDS))
                            why_killed = {"state": "stopped", "value": None, "crashed": True}
                    else:
                        for _ in range(decision["answers"]):
                            child.send({"op": "go"})
                now = time.monotonic()
                if now - self._home_at > HOME_SECONDS:
                    self._bring_home(job, checkpoint)
                if result is None and dead:
                    result = why_killed or {
                        "state": "crashed",
                        "error": child.how_it_died(),
                        "crashed": True,
                    }
                if result is None and deadline is not None and now > deadline:
                    result = {
                        "state": "failed",
                        "error": f"the trial took longer than {limit:g} s",
                        "crashed": True,
                    }
                if result is None and kill_at is not None and now > kill_at:
                    result = why_killed
                if result is None and memory and child.memory() > memory:
                    words = f"the trial took more than {memory / 1e9:g} GB of memory"
                    result = {"state": "failed", "error": words, "crashed": True}
            while True:  # what it printed last
                block = child.printed()
                if not block or (log.full and log.skipped > 64 * LOG_MOST):
                    break
                self.outbox.add(log=log.take(block))
            self.outbox.add(log=log.end())
        return result


def _ending(message: ChildMessage) -> Result:
    """What a child says of its end, for the study."""
    result: Result = {"state": message["state"]}
    if "value" in message:
        result["value"] = message["value"]
    if "m" in message:
        result["m"] = {name: v for name, v in message["m"].items() if v is not None}
    if "error" in message:
        result["error"] = message["error"]
    if message.get("note"):
        result["note"] = message["note"]
    return result


def main(path: str) -> None:
    """Run the worker that a settings file describes."""
    Supervisor(json.loads(Path(path).read_text())).main()


if __name__ == "__main__":
    main(sys.argv[1])
