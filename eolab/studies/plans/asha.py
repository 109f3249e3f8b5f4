"""ASHA and Hyperband: many configurations on a small budget, the best ones on more.

A promoted configuration is a new trial with the same parameters and a larger `budget`, which
continues from the checkpoint folder of its `parent`. Nothing is stopped: a trial always runs for
its budget and ends.

- ASHA: Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020
  (arXiv:1810.05934), algorithm 2.
- Hyperband: Li et al., JMLR 18 (2018) 185, algorithm 1; while a rung waits for its last trial,
  the next bracket begins, so that no worker idles.
"""

from __future__ import annotations

import heapq
import math
from abc import abstractmethod
from dataclasses import dataclass, field

from eolab.errors import InvalidInputError
from eolab.studies.plans.base import Job, Plan
from eolab.studies.samplers.base import Sampler, usable
from eolab.studies.space.parameters import Params
from eolab.studies.space.states import Direction, End


@dataclass(frozen=True)
class Ladder:
    """The budgets of the rungs.

    Attributes:
        low: Smallest budget (r in the papers).
        high: Largest budget (R).
        eta: One in ``eta`` configurations is promoted, to ``eta`` times the budget.

    Raises:
        InvalidInputError: Budgets that are not 0 < low <= high, or eta below 2.
    """

    low: float
    high: float
    eta: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high or not math.isfinite(self.high):
            raise InvalidInputError(
                f"budgets from {self.low!r} to {self.high!r}", "Give 0 < min <= max."
            )
        if self.eta < 2:
            raise InvalidInputError(f"eta={self.eta!r}", "Give 2 or more; 3 and 4 are usual.")

    @property
    def top(self) -> int:
        """Number of the highest rung: floor(log_eta(high / low)), in whole steps."""
        rung = 0
        while self.low * self.eta ** (rung + 1) <= self.high * (1 + 1e-9):
            rung += 1
        return rung

    def up(self, rung: int) -> float:
        """Low * eta^rung (ASHA)."""
        return _tidy(self.low * self.eta**rung)

    def down(self, below: int) -> float:
        """High / eta^below (Hyperband); a whole number where both ends are: an epoch is whole."""
        budget = self.high / self.eta**below
        if self.low == int(self.low) and self.high == int(self.high):
            budget = max(1, round(budget))
        return _tidy(budget)


def _tidy(budget: float) -> float:
    """3.0 as 3, so that `range(budget)` works."""
    return int(budget) if budget == int(budget) else budget


class _Ranked(Plan):
    """What ASHA and Hyperband share: running jobs, and what the sampler learns from them."""

    def __init__(self, sampler: Sampler, ladder: Ladder, direction: Direction) -> None:
        self.sampler, self.ladder = sampler, ladder
        self._sign = 1.0 if direction == "minimize" else -1.0
        self._jobs: dict[int, Job] = {}
        self._configs = 0

    def restore(self, job: Job) -> None:
        self._begin(job)
        if job.rung == 0:
            self.sampler.tell(job.config, job.params, None, "running")

    def _begin(self, job: Job) -> None:
        """Remember a job that runs from now on."""
        self._jobs[job.n] = job
        if job.parent is None:
            self._configs = max(self._configs, job.config + 1)

    def _new_params(self) -> Params | None:
        """A configuration that has not run; None where the sampler has no more."""
        limit = self.sampler.limit
        if limit is not None and self._configs >= limit:
            return None
        return self.sampler.ask(self._configs)

    def tell(
        self,
        n: int,
        value: float | None,
        state: End,
        *,
        step: float | None = None,  # noqa: ARG002 - the budget is what counts
    ) -> None:
        job = self._jobs.pop(n)
        loss = (
            None if state == "failed" or value is None or not usable(value) else self._sign * value
        )
        # Below the largest budget a value is a stopped trial's: comparable at its step only.
        known: End = "stopped"
        if loss is None:
            known = "failed"
        elif state == "completed" and self._largest(job):
            known = "completed"
        self.sampler.tell(job.config, job.params, value, known, step=job.budget)
        # Stopped by a user or a rule: it keeps its value here but cannot be promoted.
        self._ended(job, loss, promotable=state == "completed")

    @abstractmethod
    def _largest(self, job: Job) -> bool:
        """Whether the job ran on the largest budget."""

    @abstractmethod
    def _ended(self, job: Job, loss: float | None, *, promotable: bool) -> None:
        """Rank a trial that ended; ``loss`` is None for one without a value."""


@dataclass
class _Rung:
    """Results at one budget, split so that the best 1 / eta are at hand.

    Two heaps: ``top`` holds the best floor(size / eta) with the worst of them first, ``rest`` the
    others with the best first. A result moves at most once each way a report: log(size).
    """

    eta: int
    size: int = 0
    top: list[tuple[float, int]] = field(default_factory=list)
    rest: list[tuple[float, int]] = field(default_factory=list)
    waiting: list[tuple[float, int]] = field(default_factory=list)  # in top, not promoted
    in_top: set[int] = field(default_factory=set)
    promoted: set[int] = field(default_factory=set)

    def add(self, loss: float, n: int) -> None:
        self.size += 1
        heapq.heappush(self.rest, (loss, n))
        if self.top and (loss, n) < (-self.top[0][0], -self.top[0][1]):
            self._enter(*heapq.heappop(self.rest))
            self._leave()
        while len(self.top) < self.size // self.eta:
            self._enter(*heapq.heappop(self.rest))

    def _enter(self, loss: float, n: int) -> None:
        heapq.heappush(self.top, (-loss, -n))
        self.in_top.add(n)
        heapq.heappush(self.waiting, (loss, n))

    def _leave(self) -> None:
        loss, n = heapq.heappop(self.top)
        self.in_top.discard(-n)
        heapq.heappush(self.rest, (-loss, -n))

    def best(self) -> int | None:
        """The best trial of the top that has not been promoted."""
        while self.waiting:
            n = self.waiting[0][1]
            if n in self.in_top and n not in self.promoted:
                return n
            heapq.heappop(self.waiting)  # left the top (it is pushed again if it comes back)
        return None


class AshaPlan(_Ranked):
    """Asynchronous successive halving: whenever a worker is free, promote, else begin anew.

    Args:
        sampler: Where new configurations come from.
        ladder: Budgets; ``eta`` defaults to 3.
        direction: Whether large or small values are good.
    """

    def __init__(self, sampler: Sampler, ladder: Ladder, direction: Direction) -> None:
        super().__init__(sampler, ladder, direction)
        self._rungs = [_Rung(ladder.eta) for _ in range(ladder.top + 1)]
        self._done: dict[int, Job] = {}

    def next(self, n: int) -> Job | None:
        job = self._promotion(n)
        if job is None:
            params = self._new_params()
            if params is None:
                return None
            job = Job(n, params, self.ladder.up(0), config=self._configs)
        self._begin(job)
        return job

    def _promotion(self, n: int) -> Job | None:
        for rung in range(self.ladder.top - 1, -1, -1):
            best = self._rungs[rung].best()
            if best is not None:
                parent = self._done[best]
                return Job(
                    n,
                    parent.params,
                    self.ladder.up(rung + 1),
                    parent=best,
                    rung=rung + 1,
                    config=parent.config,
                )
        return None

    def _largest(self, job: Job) -> bool:
        return job.rung == self.ladder.top

    def _begin(self, job: Job) -> None:
        super()._begin(job)
        if job.parent is not None:
            self._rungs[job.rung - 1].promoted.add(job.parent)
            self._done.pop(job.parent, None)

    def _ended(self, job: Job, loss: float | None, *, promotable: bool) -> None:
        if loss is None or not promotable:
            return
        self._done[job.n] = job
        self._rungs[job.rung].add(loss, job.n)

    def to_json(self) -> dict[str, object]:
        ladder = self.ladder
        return {
            "kind": "asha",
            "min": ladder.low,
            "max": ladder.high,
            "eta": ladder.eta,
            "sampler": self.sampler.to_json(),
        }


@dataclass
class _Bracket:
    """One run of successive halving: ``sizes[i]`` trials in its i-th rung."""

    s: int  # rungs below the top at which it starts
    sizes: list[int]
    rung: int = 0
    given: int = 0  # jobs of this rung handed out
    results: list[tuple[float, int]] = field(default_factory=list)
    ended: int = 0
    queue: list[Job] = field(default_factory=list)  # promoted, not handed out yet


class HyperbandPlan(_Ranked):
    """Successive halving over brackets that trade the number of configurations for budget.

    Bracket s = top, ..., 0 starts ceil((top + 1) / (s + 1) * eta^s) configurations at the budget
    high / eta^s and keeps one in eta at each rung. After the last bracket the next round begins,
    until the study's trials are used up.

    Args:
        sampler: Where new configurations come from.
        ladder: Budgets; the largest is handed out exactly.
        direction: Whether large or small values are good.
        rounds: Number of rounds over all brackets; None for as many as the study has trials.
    """

    def __init__(
        self,
        sampler: Sampler,
        ladder: Ladder,
        direction: Direction,
        *,
        rounds: int | None = None,
    ) -> None:
        super().__init__(sampler, ladder, direction)
        self.rounds = rounds
        self._brackets: list[_Bracket] = []
        self._jobs_done: dict[int, Job] = {}
        self._open: list[int] = []  # numbers of the brackets that are not finished
        if rounds is not None:
            self.limit = rounds * sum(sum(self._make(i).sizes) for i in range(ladder.top + 1))

    def _make(self, number: int) -> _Bracket:
        top, eta = self.ladder.top, self.ladder.eta
        s = top - number % (top + 1)
        first = -(-(top + 1) * eta**s // (s + 1))  # the ceiling, in whole numbers
        return _Bracket(s, [first // eta**i for i in range(s + 1)])

    def next(self, n: int) -> Job | None:
        job = self._promotion(n) or self._fresh(n)
        if job is not None:
            self._begin(job)
        return job

    def _promotion(self, n: int) -> Job | None:
        for number in self._open:
            bracket = self._brackets[number]
            if bracket.queue:
                parent = bracket.queue[0]
                budget = self._budget(bracket, bracket.rung)
                return Job(n, parent.params, budget, parent.n, bracket.rung, number, parent.config)
        return None

    def _fresh(self, n: int) -> Job | None:
        number = next(
            (
                i
                for i in self._open
                if self._brackets[i].rung == 0
                and self._brackets[i].given < self._brackets[i].sizes[0]
            ),
            len(self._brackets),
        )
        if self.rounds is not None and number >= self.rounds * (self.ladder.top + 1):
            return None
        params = self._new_params()
        if params is None:
            return None
        self._ensure(number)
        budget = self._budget(self._brackets[number], 0)
        return Job(n, params, budget, bracket=number, config=self._configs)

    def _ensure(self, number: int) -> None:
        while len(self._brackets) <= number:
            self._open.append(len(self._brackets))
            self._brackets.append(self._make(len(self._brackets)))

    def _budget(self, bracket: _Bracket, rung: int) -> float:
        return self.ladder.down(bracket.s - rung)

    def _largest(self, job: Job) -> bool:
        return job.rung == self._brackets[job.bracket].s

    def _begin(self, job: Job) -> None:
        super()._begin(job)
        self._ensure(job.bracket)
        bracket = self._brackets[job.bracket]
        bracket.given += 1
        if job.parent is not None:
            bracket.queue = [waiting for waiting in bracket.queue if waiting.n != job.parent]

    def _ended(self, job: Job, loss: float | None, *, promotable: bool) -> None:
        bracket = self._brackets[job.bracket]
        bracket.ended += 1
        if loss is not None and promotable:
            bracket.results.append((loss, job.n))
            self._jobs_done[job.n] = job
        exhausted = self.sampler.limit is not None and self._configs >= self.sampler.limit
        expected = bracket.sizes[bracket.rung]
        if bracket.rung > 0 or exhausted:
            expected = min(expected, bracket.given + len(bracket.queue))
        if bracket.ended < expected:
            return
        keep = bracket.sizes[bracket.rung + 1] if bracket.rung < bracket.s else 0
        best = [self._jobs_done[n] for _, n in sorted(bracket.results)[:keep]]
        for _, n in bracket.results:
            self._jobs_done.pop(n, None)
        bracket.queue, bracket.results = best, []
        bracket.rung, bracket.given, bracket.ended = bracket.rung + 1, 0, 0
        if not best:  # the top, or everything failed
            self._open.remove(job.bracket)

    def to_json(self) -> dict[str, object]:
        ladder = self.ladder
        return {
            "kind": "hyperband",
            "min": ladder.low,
            "max": ladder.high,
            "eta": ladder.eta,
            "rounds": self.rounds,
            "sampler": self.sampler.to_json(),
        }
