"""What a journal says: events folded into trials, workers and the state of a study.

The one place that knows what an event means. The study process folds its own events as it writes
them, the Jupyter server folds what it reads: both see the same study. Standard library only.

Events are JSON objects with ``v`` (format), ``t`` (seconds since the epoch) and ``e``, one of:

========== ================================================== ====================================
``e``      further keys                                       meaning
========== ================================================== ====================================
process    pid, host, resumed                                 a study process took over
state      state, message                                     the study's state changed
set        trials?, workers?, timeout?, target?               the budget changed
trial      n, params, budget, parent, rung, bracket, config   a job of the plan, queued
start      n, a(ttempt), w(orker)                             a worker took it
report     n, a, step, m(etrics)                              a learning curve's point
requeue    n, a, reason, lost?, fresh?                        queued again
finish     n, a, state, value?, m?, error?                    completed, failed or stopped
worker     w, state, host?, pid?, n?, reason?                 starting, joined, lost or left
command    command, at, args                                  a command was carried out
note       text                                               what holds of the study from now on
========== ================================================== ====================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from eolab.deprecation import warn_renamed
from eolab.studies.journal.answers import (
    Details,
    Params,
    RecordSummary,
    TrialHead,
    TrialJson,
)

FORMAT = 1
ENDED = frozenset({"completed", "failed", "cancelled"})
PAUSED_BY_USER = "paused by user"
CURVE_POINTS = 200
BEST_POINTS = 50

Event: TypeAlias = dict[str, Any]
"""A line of the journal: which keys it has follows from its kind, ``e``."""


@dataclass(slots=True)
class Trial:
    """One configuration and what became of it."""

    n: int
    params: Params
    state: str = "queued"
    value: float | None = None
    curve: list[tuple[float, float]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    losses: int = 0
    worker: str | None = None
    error: str | None = None
    budget: float | None = None
    parent: int | None = None

    @property
    def finished(self) -> bool:
        return self.state in {"completed", "failed", "stopped"}


@dataclass(slots=True)
class Worker:
    """A place that runs one trial at a time."""

    id: str
    state: str = "starting"
    trial: int | None = None
    host: str | None = None
    pid: int | None = None


class Record:
    """A study as its journal tells it.

    Args:
        metric: The reported metric that is optimised; its points make the learning curves.
        direction: "maximize" or "minimize".
        trials: How many trials the study may make.
    """

    def __init__(self, metric: str, direction: str, trials: int) -> None:
        self.metric, self.direction = metric, direction
        self.budget_trials = trials
        self.timeout: float | None = None
        self.target: float | None = None
        self.wanted_workers: int | None = None
        self.state, self.message = "starting", ""
        # Of its function, said once: shown wherever its state has nothing to say.
        self.note = ""
        self.started: float | None = None
        self.ended: float | None = None
        self.trials: dict[int, Trial] = {}
        self.workers: dict[str, Worker] = {}
        self.counts = dict.fromkeys(("queued", "running", "completed", "failed", "stopped"), 0)
        self.best: Trial | None = None
        self.improvements: list[tuple[float, float]] = []
        self.finish_order: list[int] = []
        self.seq = 0
        # When each trial last changed, so that faces fetch only what is new.
        self.touched: dict[int, int] = {}
        self.commands_read = 0
        self.running_since: float | None = None
        self.run_seconds = 0.0
        self.last_time = 0.0
        kinds = "process state set command note trial start report requeue finish worker"
        self._handlers: dict[str, Callable[[Event], None]] = {
            kind: getattr(self, f"_{kind}") for kind in kinds.split()
        }

    def apply(self, event: Event) -> None:
        """Fold one event; an event of a newer kind is counted and passed over."""
        self.seq += 1
        self.last_time = float(event.get("t", self.last_time))
        handler = self._handlers.get(event.get("e", ""))
        if handler is not None:
            handler(event)
            if event.get("n") is not None:
                self.touched[int(event["n"])] = self.seq

    def better(self, a: float, b: float) -> bool:
        return a > b if self.direction == "maximize" else a < b

    # -- the study -------------------------------------------------------------------------

    def _process(self, _: Event) -> None:
        for worker in self.workers.values():
            worker.state, worker.trial = "left", None
        # Only time during which a process lived counts for a budget of time.
        self.running_since = None

    def _state(self, event: Event) -> None:
        now = float(event["t"])
        if self.running_since is not None:
            # The machine slept, or its clock was set: that is no time of the study.
            skipped = float(event.get("skipped", 0.0))
            self.run_seconds += max(0.0, now - self.running_since - skipped)
        self.state, self.message = str(event["state"]), str(event.get("message", ""))
        self.running_since = now if self.state == "running" else None
        if self.state == "running" and self.started is None:
            self.started = now
        self.ended = now if self.state in ENDED else None

    def _note(self, event: Event) -> None:
        self.note = str(event["text"])

    def _set(self, event: Event) -> None:
        if event.get("trials") is not None:
            self.budget_trials = int(event["trials"])
        if event.get("workers") is not None:
            self.wanted_workers = int(event["workers"])
        if "timeout" in event:
            self.timeout = event["timeout"]
        if "target" in event:
            self.target = event["target"]

    def _command(self, event: Event) -> None:
        self.commands_read = int(event["at"])

    def seconds(self, now: float) -> float:
        """How long the study has been running, pauses and dead times left out."""
        return self.run_seconds + (now - self.running_since if self.running_since else 0.0)

    # -- trials ----------------------------------------------------------------------------

    def _move(self, trial: Trial, state: str) -> None:
        self.counts[trial.state] -= 1
        self.counts[state] += 1
        trial.state = state

    def _release(self, trial: Trial) -> None:
        worker = self.workers.get(trial.worker or "")
        if worker is not None and worker.trial == trial.n:
            worker.trial = None
            if worker.state == "busy":
                worker.state = "idle"

    def _trial(self, event: Event) -> None:
        n = int(event["n"])
        self.trials[n] = Trial(
            n, dict(event["params"]), budget=event.get("budget"), parent=event.get("parent")
        )
        self.counts["queued"] += 1

    def _start(self, event: Event) -> None:
        trial = self.trials[int(event["n"])]
        self._move(trial, "running")
        trial.attempts, trial.worker = int(event["a"]), str(event["w"])
        trial.started, trial.ended, trial.error = trial.started or float(event["t"]), None, None
        worker = self.workers.setdefault(trial.worker, Worker(trial.worker))
        worker.state, worker.trial = "busy", trial.n

    def _report(self, event: Event) -> None:
        trial = self.trials[int(event["n"])]
        metrics: Mapping[str, float | None] = event["m"]  # None where it was not finite
        for name, number in metrics.items():
            if number is not None:
                trial.metrics[name] = number
        value = metrics.get(self.metric)
        if value is None:
            return
        step = float(event["step"])
        # A retried attempt starts again at an earlier step: its points take the old ones' place.
        while trial.curve and trial.curve[-1][0] >= step:
            trial.curve.pop()
        trial.curve.append((step, float(value)))

    def _requeue(self, event: Event) -> None:
        trial = self.trials[int(event["n"])]
        self._release(trial)
        self._move(trial, "queued")
        trial.worker = None
        trial.error = event.get("reason")
        trial.losses = trial.losses + 1 if event.get("lost") else trial.losses
        if event.get("fresh"):
            trial.losses, trial.value, trial.curve, trial.metrics = 0, None, [], {}
            trial.ended = None

    def _finish(self, event: Event) -> None:
        trial = self.trials[int(event["n"])]
        self._release(trial)
        self._move(trial, str(event["state"]))
        trial.ended, trial.error = float(event["t"]), event.get("error")
        trial.value = event.get("value")
        trial.metrics.update(event.get("m") or {})
        self.finish_order.append(trial.n)
        if trial.state == "completed" and trial.value is not None:
            best = None if self.best is None else self.best.value
            if best is None or self.better(trial.value, best):
                self.best = trial
                self.improvements.append((trial.ended, trial.value))

    # -- workers ---------------------------------------------------------------------------

    def _worker(self, event: Event) -> None:
        worker = self.workers.setdefault(str(event["w"]), Worker(str(event["w"])))
        state = str(event["state"])
        worker.host, worker.pid = event.get("host", worker.host), event.get("pid", worker.pid)
        if state == "joined" and event.get("n") is not None:
            worker.trial = int(event["n"])  # came back with the trial that it was given before
        worker.state = {"joined": "busy" if worker.trial is not None else "idle"}.get(state, state)
        if worker.state in {"lost", "left"}:
            worker.trial = None

    def alive(self) -> list[Worker]:
        return [w for w in self.workers.values() if w.state in {"starting", "idle", "busy"}]

    # -- what faces read -------------------------------------------------------------------

    def summary(self, now: float) -> RecordSummary:
        """The numbers of the studies list (times in seconds since the epoch)."""
        best = self.best
        return {
            "state": self.state,
            "message": self.message or self.note,
            "started": self.started,
            "ended": self.ended,
            "now": now,
            "budget": {
                "trials": self.budget_trials,
                "timeout": self.timeout,
                "target": self.target,
            },
            "counts": dict(self.counts),
            "best": None
            if best is None
            else {"trial": best.n, "value": best.value, "params": best.params},
            "best_curve": [list(p) for p in _thin(self.improvements, BEST_POINTS)],
            "workers_alive": len(self.alive()),
            "seq": self.seq,
        }

    def details(self) -> Details:
        """Workers and trials, each as plain JSON."""
        return {
            "workers": [
                {"id": w.id, "state": w.state, "trial": w.trial} for w in self.workers.values()
            ],
            "trials": [trial_row(t) for t in self.trials.values()],
        }


def is_paused_by_user(message: str) -> bool:
    """Whether a paused study waits for its user only (journals of before say "by command")."""
    return message in {PAUSED_BY_USER, "by command"}


class TrialRow(TrialJson):
    """A trial as Python users get it.

    Attributes:
        number: Counted from 0.
        state: "queued", "running", "completed", "failed" or "stopped".
        params: Its hyperparameters.
        value: The metric at its end; None before, or without one.
        curve: The reported metric as [step, value], thinned to 200 points.
        started: Seconds since the epoch.
        ended: Seconds since the epoch.
        attempts: How often it was started.
        worker: Which one has it, or had it last.
        error: Why it failed or was stopped; the first line is the reason.
    """


class _Row(dict[str, object]):
    """A `TrialRow` that still knows its number as "n"."""

    def __missing__(self, key: str) -> object:
        if key != "n":
            raise KeyError(key)
        warn_renamed('trial["n"]', 'trial["number"]')
        return self["number"]


def trial_row(trial: Trial) -> TrialRow:
    """A trial as users and panels get it; long curves are thinned, unknown numbers are None."""
    curve = [
        [step, value if math.isfinite(value) else None]
        for step, value in _thin(trial.curve, CURVE_POINTS)
    ]
    return cast("TrialRow", _Row({**trial_head(trial), "curve": curve}))


def trial_head(trial: Trial) -> TrialHead:
    """A trial without its curve."""
    return {
        "number": trial.n,
        "state": trial.state,
        "params": trial.params,
        "value": trial.value,
        "started": trial.started,
        "ended": trial.ended,
        "attempts": trial.attempts,
        "worker": trial.worker,
        "error": trial.error,
    }


def _thin(points: list[tuple[float, float]], most: int) -> Iterable[tuple[float, float]]:
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(i * step)] for i in range(most)]
