"""What workers can ask, whatever the transport: checked, then passed to the coordinator."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

from eolab.files.folders import open_log
from eolab.studies.coordinator.coordinator import Coordinator
from eolab.studies.coordinator.http import Body
from eolab.studies.worker import checkpoints
from eolab.studies.worker.messages import Answer, Ending, Point, Result

LOG_MOST = 1_200_000
WAIT_MOST = 60.0
_LARGEST = 2**53
ENDINGS: Mapping[str, Ending] = {ending: ending for ending in get_args(Ending)}


class Service:
    """What workers can ask: ``join next report finish upload download ping``.

    Args:
        coordinator: Who decides.
        logs: Folder of the trials' logs; that of their checkpoints lies beside it.
    """

    def __init__(self, coordinator: Coordinator, logs: Path) -> None:
        self.coordinator, self.logs = coordinator, logs
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._pieces: dict[int, list[str]] = {}
        self._log_sizes: dict[tuple[int, int], int] = {}
        self.closing = False
        self.on_quiet: Callable[[], None] = lambda: None
        self.joined: set[str] = set()
        logs.mkdir(exist_ok=True)
        coordinator.trials.on_work = self.wake

    def handle(self, op: str, body: Body) -> Answer | asyncio.Future[Answer]:
        """Answer one request.

        Raises:
            KeyError, TypeError, ValueError: A malformed one.
            OSError: The journal cannot be written now; the request may be repeated.
        """
        if op == "ping":
            return {"pong": True}
        worker = body["worker"]
        if not isinstance(worker, str) or not 0 < len(worker) <= 200:
            raise ValueError("worker must be a short text")
        if op == "join":
            self.coordinator.join(worker, str(body["host"])[:200], _whole(body["pid"]))
            self.joined.add(worker)
            return {}
        if op == "next":
            return self._next(worker, min(_number(body.get("wait", 0.0)), WAIT_MOST))
        if op == "report":
            n, attempt = _key(body)
            counts = self.coordinator.current(worker, n, attempt) is not None
            answer = self.coordinator.report(worker, n, attempt, read_reports(body))
            if counts:
                self._log(n, attempt, body.get("log"))
            return answer
        if op == "finish":
            return self._finish(worker, body)
        if op in {"upload", "download"}:
            return self._checkpoint(op, worker, body)
        raise ValueError(f"no operation {op!r}")

    # -- asking for work -------------------------------------------------------------------

    def _offer(self, worker: str) -> Answer | None:
        """A trial, or the word to leave; None if it has to wait."""
        if self.closing or self.coordinator.surplus(worker):
            if worker in self.joined:
                self.joined.discard(worker)
                self.coordinator.leave(worker)
            return {"leave": True}
        job = self.coordinator.take(worker)
        if job is not None and self.coordinator.terms.ask_ahead is not None:
            asyncio.get_running_loop().call_soon(self._look_ahead)
        return None if job is None else {"job": self.coordinator.assignment(job)}

    def _look_ahead(self) -> None:
        # The journal may be full: then the next worker asks.
        with contextlib.suppress(OSError):
            self.coordinator.trials.look_ahead()

    def _next(self, worker: str, wait: float) -> Answer | asyncio.Future[Answer]:
        self.joined.add(worker)
        answer = self._offer(worker)
        if answer is not None or wait <= 0:
            return answer or {}
        old = self._waiting.pop(worker, None)
        if old is not None and not old.done():
            old.set_result({})  # it asked again over a new connection
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting[worker] = future
        timer = loop.call_later(wait, _release, future)

        def forget(done: asyncio.Future[Answer]) -> None:
            timer.cancel()
            if self._waiting.get(worker) is done:
                del self._waiting[worker]

        future.add_done_callback(forget)
        return future

    def waiting(self) -> list[str]:
        """Workers that are connected and wait for a trial."""
        return [worker for worker, future in self._waiting.items() if not future.done()]

    def wake(self) -> None:
        """There may be work: offer it to those who wait."""
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        for worker, future in list(self._waiting.items()):
            if future.done():
                continue
            try:
                answer = self._offer(worker)
            except OSError:
                return  # the journal is full: they go on waiting
            if answer is not None:
                future.set_result(answer)

    # -- results ---------------------------------------------------------------------------

    def _finish(self, worker: str, body: Body) -> Answer:
        n, attempt = _key(body)
        if self.coordinator.current(worker, n, attempt) is not None:
            if body.get("reports"):
                self.coordinator.report(worker, n, attempt, read_reports(body))
            self._log(n, attempt, body.get("log"))
            if body.get("error") and body.get("crashed"):
                self._log(n, attempt, f"\neolab: {body['error']}\n")
        accepted = self.coordinator.finish(worker, n, attempt, read_result(body))
        if not self.coordinator.record.counts["running"]:
            self.on_quiet()  # it may have been the last one
        answer: Answer = {"accepted": accepted}
        if body.get("next"):
            self.joined.add(worker)
            answer.update(self._offer(worker) or {})
        return answer

    def _checkpoint(self, op: str, worker: str, body: Body) -> Answer:
        """A piece of a trial's checkpoint folder, coming home or going out."""
        n, attempt = _key(body)
        part = _whole(body["part"])
        if self.coordinator.current(worker, n, attempt) is None:
            return {}  # somebody else has the trial: neither takes nor gives
        self.coordinator.report(worker, n, attempt, ())
        folder = self.logs.with_name("checkpoints") / str(self.coordinator.trials.root(n))
        if op == "download":
            if part == 0:
                self._pieces[n] = checkpoints.pack(folder)
            pieces = self._pieces.get(n, [])
            if part < len(pieces):
                return {"data": pieces[part]}
            self._pieces.pop(n, None)
            return {}
        if part == 0:
            self._pieces[n] = []
        pieces = self._pieces.setdefault(n, [])
        if part == len(pieces):  # a piece sent again, after a lost answer, is there already
            pieces.append(str(body["data"]))
        if len(pieces) == _whole(body["parts"]):
            checkpoints.unpack(self._pieces.pop(n), folder)
        return {}

    def _log(self, n: int, attempt: int, text: object) -> None:
        if not text or not isinstance(text, str):
            return
        key = (n, attempt)
        size = self._log_sizes.get(key, 0)
        if size >= LOG_MOST:
            return
        self._log_sizes[key] = size + len(text)
        # A log that cannot be written is no reason to lose a result.
        try:
            with open_log(self.logs / f"{n}.{attempt}.log") as file:
                file.write(text.encode("utf-8", "replace"))
        except OSError:
            pass


def _release(future: asyncio.Future[Answer]) -> None:
    if not future.done():
        future.set_result({})


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        raise TypeError(f"{str(value)[:100]!r} is no whole number")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:100]!r} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("a number is not finite, or larger than a float64 holds")
    return number


def _key(body: Body) -> tuple[int, int]:
    return _whole(body["n"]), _whole(body["attempt"])


def read_reports(body: Body) -> list[Point]:
    """The points of a request.

    Raises:
        KeyError, TypeError, ValueError: They cannot be read, or are no finite numbers.
    """
    reports = body.get("reports", [])
    if not isinstance(reports, list):
        raise TypeError("reports must be a list")
    return [
        {
            "step": _number(report["step"]),
            "m": {
                str(name): None if value is None else _number(value)
                for name, value in report["m"].items()
            },
        }
        for report in reports
    ]


def read_result(body: Body) -> Result:
    """The end of a trial as a request says it.

    Raises:
        KeyError, TypeError, ValueError: It cannot be read, or holds no finite numbers.
    """
    if body["state"] not in ENDINGS:
        raise ValueError(f"no such end of a trial: {body['state']!r}")
    result: Result = {"state": ENDINGS[str(body["state"])]}
    if body.get("value") is not None:
        result["value"] = _number(body["value"])
    metrics = body.get("m")
    if isinstance(metrics, dict) and metrics:
        result["m"] = {str(name): _number(value) for name, value in metrics.items()}
    if body.get("error"):
        result["error"] = str(body["error"])
    if body.get("note"):
        result["note"] = str(body["note"])[:1000]
    return result
