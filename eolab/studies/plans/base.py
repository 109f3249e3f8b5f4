"""Which trial to run next: the one interface between the study process and every strategy.

The study process asks a `Plan` for jobs and tells it results. A plain search, ASHA, Hyperband and
an ablation's fixed list are all plans, so that the process knows none of them.

The contract of a plan:

- It is used by one thread.
- It never looks at a clock or a global random state: what it answers follows from its arguments,
  the study's seed and the order of the calls, so that the journal replays it exactly. To replay,
  call `restore(job)` where the journal has the suggestion and `tell(...)` where it has the end of
  a trial, in the journal's order; `next` then goes on as if nothing had happened.
- A job counts as running from `next` or `restore` on, whether or not a worker has it: asking
  ahead is allowed. A trial that is queued again after a lost worker is not asked for again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eolab.studies.samplers.base import Sampler
from eolab.studies.space.parameters import Params
from eolab.studies.space.states import End


@dataclass(frozen=True)
class Job:
    """One trial to run; JSON-able, and written to the journal as it is.

    Attributes:
        n: The trial's number.
        params: Arguments for the train function.
        budget: How long to train (epochs, rows, ... as the user's function understands it);
            injected as `budget`. None where the strategy hands out none.
        parent: The trial whose checkpoint folder this one continues from, or None.
        rung: How often this configuration has been promoted.
        bracket: Hyperband's bracket; 0 elsewhere.
        config: Number of the configuration: promotions of one configuration share it.
    """

    n: int
    params: Params
    budget: float | None = None
    parent: int | None = None
    rung: int = 0
    bracket: int = 0
    config: int = 0

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, object]) -> Job:
        names = Job.__dataclass_fields__
        known: dict[str, Any] = {k: v for k, v in document.items() if k in names}
        return Job(**known)


class Plan(ABC):
    """What to run next; see the contract at the top of this file.

    Attributes:
        limit: Number of jobs after which the plan is exhausted; None for one without end.
    """

    limit: int | None = None

    @abstractmethod
    def next(self, n: int) -> Job | None:
        """The job to run as trial ``n``; each number is used once, in rising order.

        None means: nothing now. Ask again after the next `tell`; when no trial is running any
        more, None means that the plan is finished. A number answered with None may be asked again.
        """

    @abstractmethod
    def restore(self, job: Job) -> None:
        """Replay: the journal says that `next` answered this."""

    @abstractmethod
    def tell(self, n: int, value: float | None, state: End, *, step: float | None = None) -> None:
        """The end of trial ``n``.

        Args:
            n: The trial's number.
            value: The final value of the metric (of a stopped trial, the last one reported); None
                or NaN for a trial without one.
            state: How it ended.
            step: The last reported step, where there was one.
        """

    @abstractmethod
    def to_json(self) -> dict[str, object]:
        """What `study.json` says about the strategy."""


class FixedPlan(Plan):
    """A list of configurations, run in order: an ablation, a grid of one's own, a repetition."""

    def __init__(self, configurations: Sequence[Params], *, kind: str = "fixed") -> None:
        self.configurations = [dict(params) for params in configurations]
        self.kind = kind
        self.limit = len(self.configurations)

    def next(self, n: int) -> Job | None:
        if n >= len(self.configurations):
            return None
        return Job(n, dict(self.configurations[n]), config=n)

    def restore(self, job: Job) -> None:
        """Nothing to remember: a job follows from its number."""

    def tell(self, n: int, value: float | None, state: End, *, step: float | None = None) -> None:
        """Results change nothing."""

    def to_json(self) -> dict[str, object]:
        return {"kind": self.kind, "configurations": len(self.configurations)}


class SearchPlan(Plan):
    """Each trial is a new configuration from a sampler."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.limit = sampler.limit
        self._params: dict[int, Params] = {}

    def next(self, n: int) -> Job | None:
        limit = self.sampler.limit  # looked up each time: a sampler may find that it is done
        if limit is not None and n >= limit:
            return None
        job = Job(n, self.sampler.ask(n), config=n)
        self._params[n] = job.params
        return job

    def restore(self, job: Job) -> None:
        self._params[job.n] = job.params
        self.sampler.tell(job.n, job.params, None, "running")

    def tell(self, n: int, value: float | None, state: End, *, step: float | None = None) -> None:
        self.sampler.tell(n, self._params.pop(n), value, state, step=step)

    def to_json(self) -> dict[str, object]:
        return {"kind": "search", "sampler": self.sampler.to_json()}
