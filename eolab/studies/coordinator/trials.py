"""What is decided on trials: which comes next, which counts, which is tried again.

Nothing here knows a worker's words; `eolab.studies.coordinator.coordinator` holds the conversation.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eolab.studies.coordinator.strategies import Advice
from eolab.studies.journal.state import Event, Record, Trial
from eolab.studies.plans.base import Job, Plan
from eolab.studies.space.states import End
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
        models: Whether the study is there to find a model: an ablation is not.
    """

    lease: float = 15.0
    retries: int = 2
    trial_timeout: float | None = None
    seed: int = 0
    ask_ahead: int | None = None
    stop_grace: float = 5.0
    models: bool = True


class Trials:
    """The trials of a study: the queue, the leases, and what their ends mean.

    Args:
        record: The study so far; `replay` fills it.
        plan: What to run next.
        rule: When to stop a trial early, or None.
        terms: Leases and retries.
        emit: Makes an event last, or raises OSError and has changed nothing.
        clock: Seconds since the epoch, for the journal.
        ticks: Seconds that never jump, for leases.

    Attributes:
        live: Whether a study process has taken over; a replay decides nothing.
        guard: Whether the study pauses when its first trials all fail.
        stopping: Why a running trial is to stop, by its number.
        ticks: Seconds that never jump.
        jump: How far the time of day has moved, as far as `skip` was not told yet.
        on_work: Called when there may be work for a waiting worker.
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
        self._write, self._clock, self.ticks = emit, clock, ticks
        self._queue: deque[int] = deque()
        self._leases: dict[int, float] = {}
        self.stopping: dict[int, str] = {}
        self._asked: Job | None = None
        self._dry = False
        self._noted = False
        self.guard = True
        self.live = False
        self.on_work: Callable[[], None] = lambda: None
        self.jump: Callable[[], float] = lambda: 0.0

    @property
    def queued(self) -> tuple[int, ...]:
        """Numbers of the trials that wait for a worker, the next one first."""
        return tuple(self._queue)

    @property
    def leased(self) -> frozenset[int]:
        """Numbers of the trials that a worker has for a while."""
        return frozenset(self._leases)

    @property
    def judges(self) -> bool:
        """Whether a stop rule looks at reports, so that trials wait for its decision."""
        return self._advice.judges

    def emit(self, kind: str, **fields: object) -> None:
        """Write an event down, then fold it.

        Raises:
            OSError: It could not be written; nothing has changed.
        """
        event = {"t": self._clock(), "e": kind, **fields}
        self._write(event)
        self.record.apply(event)

    def announce(self, message: str) -> None:
        """Say something about a study that goes on."""
        self.emit("state", state=self.record.state, message=message)

    @property
    def wants_a_look(self) -> bool:
        """Whether a trial's end should tell of the model that it keeps: until the first has.

        What was told holds no more where the study goes on with other code, as a new process does.
        """
        known = not self.record.note and self.record.counts["completed"]
        return self.terms.models and not (self._noted or known)

    def note(self, text: str) -> None:
        """Say something of the study that holds from now on, nothing too; the first one counts."""
        if not self._noted:
            if text != self.record.note:
                self.emit("note", text=text)
            self._noted = True

    def pause(self, why: str) -> None:
        """Give out no more trials until somebody looks."""
        self.emit("state", state="paused", message=why)

    def _on_trouble(self, why: str) -> None:
        if self.live and self.record.state == "running":
            self.pause(why)

    def replay(self, events: Iterable[Event]) -> None:
        """Fold a journal: afterwards everything is as when its last line was written."""
        for event in events:
            if event.get("e") == "finish":
                trial = self.record.trials[event["n"]]
                self._advice.ended(trial, event["state"], event.get("value"))
            self.record.apply(event)
            self._advice.replay(event)
        now = self.ticks()
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

    def next_trial(self) -> Trial | None:
        """The trial that the next worker gets, asked from the plan where none is queued."""
        if not self._queue:
            if not self.may_ask():
                return None
            n = len(self.record.trials)
            # A job that could not be written down (a full disk) must not be asked for twice.
            job = self._asked or self._advice.ask(n)
            self._asked, self._dry = job, job is None
            if job is None:
                return None
            self.emit("trial", **job.to_json())
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
            self.next_trial()

    def begin(self, trial: Trial, worker: str) -> None:
        """Give the next trial to a worker."""
        self.emit("start", n=trial.n, a=trial.attempts + 1, w=worker)
        self._queue.popleft()

    def extend_lease(self, n: int) -> None:
        """Somebody works on trial ``n``."""
        self._leases[n] = self.ticks() + self.terms.lease

    def overdue(self) -> list[Trial]:
        """Trials of which nobody has been heard for the time of a lease."""
        now = self.ticks()
        return [self.record.trials[n] for n, until in self._leases.items() if now >= until]

    def forgive(self, seconds: float) -> None:
        """This process itself slept: the workers are not to blame."""
        self._leases = {n: until + seconds for n, until in self._leases.items()}

    def judge(self, n: int, step: float, metrics: Mapping[str, float | None]) -> None:
        """Let the stop rule look at a report."""
        reason = self._advice.judge(n, step, metrics)
        if reason is not None:
            self.stopping.setdefault(n, reason)

    def stop_queued(self, numbers: Iterable[int], why: str) -> None:
        """Stop trials that no worker has yet."""
        for n in list(numbers):
            self.conclude(self.record.trials[n], "stopped", None, why)
            self._queue.remove(n)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is queued and the plan has no more to ask."""
        return not self._queue and (self._dry or not self.may_ask())

    def ask_again(self) -> None:
        """The budget changed: a plan that had no more is asked once more."""
        self._dry = False

    def may_ask(self) -> bool:
        """Whether the budget of trials and time allows another one."""
        record = self.record
        if len(record.trials) >= record.budget_trials:
            return False
        if record.timeout is not None and self._seconds() >= record.timeout:
            return False
        return not self.reached()

    def _seconds(self) -> float:
        """How long the study has been running."""
        now = self._clock()
        return self.record.seconds(now) - self.jump()

    def skip(self, seconds: float, message: str) -> None:
        """Leave out time by which the time of day has moved."""
        self.emit("state", state=self.record.state, message=message, skipped=seconds)

    def reached(self) -> bool:
        """Whether the target is reached."""
        best, target = self.record.best, self.record.target
        return (
            best is not None
            and best.value is not None
            and target is not None
            and not self.record.better(target, best.value)
        )

    def conclude(
        self,
        trial: Trial,
        state: End,
        value: float | None,
        error: str | None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """The end of a trial."""
        if state == "completed" and (
            isinstance(value, bool) or not isinstance(value, (int, float))
        ):
            raise ValueError("a completed trial needs a value")
        self.emit(
            "finish", n=trial.n, a=trial.attempts, state=state,
            **({"value": value} if value is not None else {}),
            **({"m": dict(metrics)} if metrics else {}),
            **({"error": str(error)[:4000]} if error else {}),
        )  # fmt: skip
        self._leases.pop(trial.n, None)
        self.stopping.pop(trial.n, None)
        self._advice.ended(trial, state, value)
        self._check_failures()
        if self.reached():
            for other in list(self.record.trials.values()):
                if other.state == "running":
                    self.stopping.setdefault(other.n, "the target is reached")
        if self._dry:
            self.on_work()

    def _check_failures(self) -> None:
        counts = self.record.counts
        only = counts["completed"] == 0 and counts["stopped"] == 0
        if (
            self.guard
            and only
            and counts["failed"] >= FIRST_FAILURES
            and self.record.state == "running"
        ):
            failed = [t for t in self.record.trials.values() if t.state == "failed"]
            self.emit(
                "state",
                state="paused",
                message=f"the first {counts['failed']} trials all failed: {_reasons(failed)}",
            )

    def attempt_over(self, trial: Trial, reason: str) -> None:
        """An attempt was lost without a result: try again, or give the trial up."""
        n = trial.n
        if n in self.stopping:
            self.conclude(
                trial, "stopped", trial.curve[-1][1] if trial.curve else None, self.stopping[n]
            )
        elif trial.losses >= self.terms.retries:
            self.conclude(
                trial, "failed", None, f"{reason}; given up after {trial.attempts} attempts"
            )
        else:
            self.requeue(trial, reason, lost=True)

    def requeue(self, trial: Trial, reason: str, **more: bool) -> None:
        """Let a trial start again."""
        self.emit("requeue", n=trial.n, a=trial.attempts, reason=reason, **more)
        self._leases.pop(trial.n, None)
        self.stopping.pop(trial.n, None)
        self._advice.forget(trial.n)
        self._queue.append(trial.n)
        self.on_work()


def _reasons(failed: Sequence[Trial]) -> str:
    """Why trials failed, and how many of each reason where there are several."""
    first = [(trial.error or "see its log").partition("\n")[0] for trial in failed]
    counts = Counter(first).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return "; ".join(f"{count} with {reason}" for reason, count in counts)
