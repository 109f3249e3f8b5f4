"""What is decided on trials: which comes next, which counts, which is tried again.

Nothing here knows a worker's words; `eolab.studies.coordinator.coordinator` holds the conversation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eolab.studies.coordinator.strategies import Advice
from eolab.studies.journal.state import Event, Record, Trial
from eolab.studies.plans.base import Job, Plan
from eolab.studies.stopping.base import Rule

FIRST_FAILURES = 5


@dataclass(frozen=True)
class Terms:
    """How long to wait for whom.

    Attributes:
        lease: Seconds without a word after which a running trial is given to another worker.
        retries: How often a trial is started again after its process or its worker was lost.
        trial_timeout: Seconds that an attempt may take, or None.
        seed: The study's seed.
        ask_ahead: From this many trials on the next suggestion is made ahead, or None.
        stop_grace: Seconds that a stopped trial has to end by itself.
    """

    lease: float = 15.0
    retries: int = 2
    trial_timeout: float | None = None
    seed: int = 0
    ask_ahead: int | None = None
    stop_grace: float = 5.0


class Ledger:
    """The trials of a study: the queue, the leases, and what their ends mean.

    Args:
        record: The study so far; `replay` fills it.
        plan: What to run next.
        rule: When to stop a trial early, or None.
        terms: Leases and retries.
        emit: Makes an event last, or raises OSError and has changed nothing.
        clock: Seconds since the epoch, for the journal.
        ticks: Seconds that never jump, for leases.
    """

    def __init__(
        self,
        record: Record,
        plan: Plan,
        rule: Rule | None,
        terms: Terms,
        *,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        ticks: Callable[[], float],
    ) -> None:
        self.record, self.terms = record, terms
        self._advice = Advice(plan, rule, record.metric, self._on_trouble)
        self._write, self._clock, self._ticks = emit, clock, ticks
        self._queue: deque[int] = deque()
        self._leases: dict[int, float] = {}
        self._heard: dict[str, float] = {}
        self._stopping: dict[int, str] = {}
        self._asked: Job | None = None
        self._dry = False
        self._guard = True
        self._live = False  # nothing is written while the journal is replayed
        self.on_work: Callable[[], None] = lambda: None

    def _emit(self, kind: str, **fields: Any) -> None:
        event = {"t": self._clock(), "e": kind, **fields}
        self._write(event)
        self.record.apply(event)

    def tell(self, message: str) -> None:
        """Say something about a study that goes on."""
        self._emit("state", state=self.record.state, message=message)

    def pause(self, why: str) -> None:
        """Give out no more trials until somebody looks."""
        self._emit("state", state="paused", message=why)

    def _on_trouble(self, why: str) -> None:
        if self._live and self.record.state == "running":
            self.pause(why)

    def replay(self, events: Iterable[Event]) -> None:
        """Fold a journal: afterwards everything is as when its last line was written."""
        for event in events:
            if event.get("e") == "finish":
                trial = self.record.trials[event["n"]]
                self._advice.ended(trial, event["state"], event.get("value"))
            self.record.apply(event)
            self._advice.replay(event)
        now = self._ticks()
        for trial in self.record.trials.values():
            if trial.state == "queued":
                self._queue.append(trial.n)
            elif trial.state == "running":
                # Its worker may live and come back: it has one lease's time to say so.
                self._leases[trial.n] = now + self.terms.lease

    def root(self, n: int) -> int:
        """The first trial of the configuration that trial ``n`` continues."""
        while (parent := self.record.trials[n].parent) is not None:
            n = parent
        return n

    def _next_trial(self) -> Trial | None:
        if not self._queue:
            if not self._may_ask():
                return None
            n = len(self.record.trials)
            # A job that could not be written down (a full disk) must not be asked for twice.
            job = self._asked or self._advice.ask(n)
            self._asked, self._dry = job, job is None
            if job is None:
                return None
            self._emit("trial", **job.to_json())
            self._asked = None
            self._queue.append(n)
        return self.record.trials[self._queue[0]]

    def look_ahead(self) -> None:
        """Ask for the next trial before a worker does, once asking has become slow.

        It is written down at once as queued, so that a replay asks in the same order. With a budget
        of time or a target the last one asked for might never run: then not.
        """
        record = self.record
        due = self.terms.ask_ahead is not None and len(record.trials) >= self.terms.ask_ahead
        open_ended = record.timeout is None and record.target is None
        if due and open_ended and not self._queue and record.state == "running":
            self._next_trial()

    def _may_ask(self) -> bool:
        record = self.record
        if len(record.trials) >= record.budget_trials:
            return False
        if record.timeout is not None and record.seconds(self._clock()) >= record.timeout:
            return False
        return not self._reached()

    def _reached(self) -> bool:
        best, target = self.record.best, self.record.target
        return (
            best is not None
            and best.value is not None
            and target is not None
            and not self.record.better(target, best.value)
        )

    def _conclude(
        self,
        trial: Trial,
        state: str,
        value: float | None,
        error: str | None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        if state == "completed" and (
            isinstance(value, bool) or not isinstance(value, (int, float))
        ):
            raise ValueError("a completed trial needs a value")
        self._emit(
            "finish", n=trial.n, a=trial.attempts, state=state,
            **({"value": value} if value is not None else {}),
            **({"m": dict(metrics)} if metrics else {}),
            **({"error": str(error)[:4000]} if error else {}),
        )  # fmt: skip
        self._leases.pop(trial.n, None)
        self._stopping.pop(trial.n, None)
        self._advice.ended(trial, state, value)
        self._check_failures(trial)
        if self._reached():
            for other in list(self.record.trials.values()):
                if other.state == "running":
                    self._stopping.setdefault(other.n, "the target is reached")
        if self._dry:
            self.on_work()

    def _check_failures(self, trial: Trial) -> None:
        counts = self.record.counts
        only = counts["completed"] == 0 and counts["stopped"] == 0
        if (
            self._guard
            and only
            and counts["failed"] >= FIRST_FAILURES
            and self.record.state == "running"
        ):
            first = (trial.error or "").splitlines()[0] if trial.error else "see its log"
            self._emit(
                "state",
                state="paused",
                message=f"the first {counts['failed']} trials all failed: {first}",
            )

    def _attempt_over(self, trial: Trial, reason: str) -> None:
        """An attempt was lost without a result: try again, or give the trial up."""
        n = trial.n
        if n in self._stopping:
            self._conclude(
                trial, "stopped", trial.curve[-1][1] if trial.curve else None, self._stopping[n]
            )
        elif trial.losses >= self.terms.retries:
            self._conclude(
                trial, "failed", None, f"{reason}; given up after {trial.attempts} attempts"
            )
        else:
            self._requeue(trial, reason, lost=True)

    def _requeue(self, trial: Trial, reason: str, **more: bool) -> None:
        self._emit("requeue", n=trial.n, a=trial.attempts, reason=reason, **more)
        self._leases.pop(trial.n, None)
        self._stopping.pop(trial.n, None)
        self._advice.forget(trial.n)
        self._queue.append(trial.n)
        self.on_work()
