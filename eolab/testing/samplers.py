"""What every sampler promises, and a small study to drive one by hand."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest

from eolab.studies.plans.base import Job, SearchPlan
from eolab.studies.samplers.factory import make_sampler
from eolab.studies.space.parameters import Params, choice, integer, loguniform, ordinal, uniform
from eolab.studies.space.space import Space
from eolab.studies.space.states import End

if TYPE_CHECKING:
    from eolab.studies.plans.base import Plan
    from eolab.studies.samplers.factory import SamplerSpec


@dataclass(frozen=True)
class Suggested:
    """A trial was suggested: `job` as the journal has it."""

    job: dict[str, object]


@dataclass(frozen=True)
class Ended:
    """A trial ended."""

    n: int
    value: float | None
    state: End
    step: float | None


TrialEvent: TypeAlias = Suggested | Ended


@dataclass
class ToyStudy:
    """Runs a plan in this process: trials end in a random order, one in ten fails.

    Args:
        plan: Suggests the trials.
        workers: So many run at once.
        seed: Of the order in which they end, and how.
    """

    plan: Plan
    workers: int = 1
    seed: int = 0
    running: dict[int, Job] = field(default_factory=dict)
    events: list[TrialEvent] = field(default_factory=list)

    def run(self, trials: int, *, start: int = 0) -> list[TrialEvent]:
        """Run trials ``start`` to ``trials`` - 1; all events in their order."""
        chance = random.Random(self.seed)
        n = start
        while n < trials or self.running:
            while n < trials and len(self.running) < self.workers:
                job = self.plan.next(n)
                if job is None:
                    break
                self.events.append(Suggested(job.to_json()))
                self.running[n] = job
                n += 1
            if not self.running:
                break
            self._end(chance)
        return self.events

    def _end(self, chance: random.Random) -> None:
        n = chance.choice(sorted(self.running))
        job = self.running.pop(n)
        states: tuple[Literal["completed"], Literal["stopped"], Literal["failed"]]
        states = ("completed", "stopped", "failed")
        state: End = chance.choices(states, [6, 3, 1])[0]
        value = None if state == "failed" else score(job.params)
        step = chance.randrange(20) if state == "stopped" else None
        self.plan.tell(n, value, state, step=step)
        self.events.append(Ended(n, value, state, step))


def score(params: Params) -> float:
    """A surface over numbers and words, the same for the same parameters.

    With `lr` its best is at 1e-3; every other number is best at 0.2, and "relu" is worth 1.
    """
    total = 0.0
    for name, value in params.items():
        if isinstance(value, str):
            total += value == "relu"
        elif isinstance(value, int | float) and not isinstance(value, bool):
            total -= (math.log10(value) + 3) ** 2 if name == "lr" else abs(value - 0.2)
    return total


def replay(plan: Plan, events: Iterable[TrialEvent]) -> dict[int, Job]:
    """What a study process does that finds a journal; the trials that were still running."""
    running: dict[int, Job] = {}
    for event in events:
        if isinstance(event, Suggested):
            job = Job.from_json(json.loads(json.dumps(event.job)))
            plan.restore(job)
            running[job.n] = job
        else:
            del running[event.n]
            plan.tell(event.n, event.value, event.state, step=event.step)
    return running


def follow(plan: Plan, events: Iterable[TrialEvent]) -> None:
    """Ask a plan for the rest of a journal: it suggests what stands there, word for word."""
    for event in events:
        if isinstance(event, Suggested):
            number = event.job["n"]
            assert isinstance(number, int)
            job = plan.next(number)
            assert job is not None
            assert job.to_json() == event.job
        else:
            plan.tell(event.n, event.value, event.state, step=event.step)


def suggestions(events: Iterable[TrialEvent]) -> list[object]:
    """The parameters of all suggested trials."""
    return [event.job["params"] for event in events if isinstance(event, Suggested)]


class SamplerContract:
    """What `tune` needs of a sampler, so that a study may be resumed at any moment.

    Override `sampler` with what a user gives to `tune(sampler=...)`: a class with `ask`, an
    object that was made for the space (a fresh one at each use: override `plan`), or a name.
    Override `space` where it searches no space of all kinds.

    What it suggests is allowed by the space; it follows from the seed and from what it heard, in
    the order in which it heard it, not from a clock or a global random state; after a replay of
    the journal it goes on exactly where it was; trials that fail or report NaN do it no harm.

    Example:
        >>> import pytest
        >>> from eolab.testing import SamplerContract
        >>> class TestRandom(SamplerContract):
        ...     @pytest.fixture
        ...     def sampler(self):
        ...         return "random"
    """

    trials = 40
    """How many trials a test asks for, or as many as the sampler has."""

    @pytest.fixture
    def sampler(self) -> SamplerSpec:
        """The sampler under test; override it."""
        raise NotImplementedError("override the fixture `sampler`")

    @pytest.fixture
    def space(self) -> Space:
        """A space with parameters of all kinds."""
        return Space.from_dict(
            {
                "lr": loguniform(1e-5, 1e-1),
                "dropout": uniform(0, 0.5, step=0.1),
                "units": integer(8, 64, step=8),
                "batch": ordinal(16, 32, 64),
                "activation": choice("relu", "tanh", None),
            }
        )

    def plan(self, sampler: SamplerSpec, space: Space, *, seed: int = 7) -> SearchPlan:
        """A fresh plan of the sampler."""
        made = make_sampler(sampler, space, direction="maximize", seed=seed, trials=60)
        return SearchPlan(made)

    def test_every_suggestion_is_allowed(self, sampler: SamplerSpec, space: Space) -> None:
        found = ToyStudy(self.plan(sampler, space)).run(self.trials)
        for params in suggestions(found):
            assert isinstance(params, dict)
            space.require(params, "the sampler")
        assert found

    def test_equal_seeds_give_equal_suggestions_whatever_else_is_random(
        self, sampler: SamplerSpec, space: Space
    ) -> None:
        import numpy as np

        found = []
        for state in (1, 2):
            random.seed(state)
            np.random.seed(state)  # noqa: NPY002 - the global state that must not matter
            found.append(suggestions(ToyStudy(self.plan(sampler, space)).run(self.trials)))
        assert found[0] == found[1]

    @pytest.mark.parametrize("cut", [1, 17, 50, 71])
    def test_a_resumed_study_goes_on_exactly_where_it_was(
        self, sampler: SamplerSpec, space: Space, cut: int
    ) -> None:
        whole = ToyStudy(self.plan(sampler, space), workers=4).run(self.trials)
        plan = self.plan(sampler, space)
        assert len(replay(plan, whole[:cut])) <= 4
        follow(plan, whole[cut:])

    def test_failed_and_nan_trials_do_no_harm(self, sampler: SamplerSpec, space: Space) -> None:
        plan = self.plan(sampler, space)
        for n in range(self.trials):
            job = plan.next(n)
            if job is None:
                break
            space.require(job.params, "the sampler")
            if n % 2:
                plan.tell(n, None, "failed")
            else:
                plan.tell(n, math.nan, "completed")
