"""The plan and the stop rule of a study, as the coordinator asks and tells them.

Both may be a user's own: what they raise pauses the study and never costs a result.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping

from eolab.studies.journal.state import Event, Trial
from eolab.studies.plans.base import Job, Plan
from eolab.studies.space.states import End
from eolab.studies.stopping.base import Rule


class Advice:
    """Asks the plan, tells it results, and has the rule judge learning curves.

    Args:
        plan: What to run next.
        rule: When to stop a trial early, or None.
        metric: The metric that the rule looks at.
        on_trouble: Hears what failed and how.
    """

    def __init__(
        self, plan: Plan, rule: Rule | None, metric: str, on_trouble: Callable[[str], None]
    ) -> None:
        self._plan, self._rule, self._metric = plan, rule, metric
        self._on_trouble = on_trouble
        self._reported: set[int] = set()

    @property
    def judges(self) -> bool:
        """Whether reports are waited for."""
        return self._rule is not None

    def replay(self, event: Event) -> None:
        """Follow one event of the journal."""
        kind = event.get("e")
        if kind == "trial":
            self._plan.restore(Job.from_json(event))
        elif kind == "report":
            self._hear(event["n"], event["step"], event["m"], judge=False)
        elif kind == "requeue":
            self.forget(event["n"])

    def ask(self, n: int) -> Job | None:
        """The job to run as trial ``n``, or None for nothing now."""
        try:
            return self._plan.next(n)
        except Exception as error:
            self._trouble("the sampler failed", error)
            return None

    def judge(self, n: int, step: float, metrics: Mapping[str, float | None]) -> str | None:
        """Why trial ``n`` should stop, or None."""
        return self._hear(n, step, metrics, judge=True)

    def _hear(
        self, n: int, step: float, metrics: Mapping[str, float | None], *, judge: bool
    ) -> str | None:
        if self._rule is None or self._metric not in metrics:
            return None
        found = metrics[self._metric]
        value = math.nan if found is None else found
        try:
            if judge:
                return self._rule.report(n, step, value)
            self._rule.observe(n, step, value)
        except Exception as error:
            self._trouble("the stop rule failed", error)
        return None

    def ended(self, trial: Trial, state: End, value: float | None) -> None:
        """A trial has ended; one that is run again by a user is told of once."""
        try:
            if trial.n not in self._reported:
                self._reported.add(trial.n)
                step = trial.curve[-1][0] if trial.curve else None
                self._plan.tell(trial.n, value, state, step=step)
            if self._rule is not None:
                self._rule.end(trial.n, state)
        except Exception as error:  # the result itself is safe in the journal
            self._trouble("the sampler or the stop rule failed", error)

    def forget(self, n: int) -> None:
        """Trial ``n`` starts again."""
        if self._rule is not None:
            self._rule.forget(n)

    def _trouble(self, what: str, error: Exception) -> None:
        traceback.print_exception(error)  # into the process's log
        text = str(error).partition("\n")[0]
        self._on_trouble(f"{what}: {type(error).__name__}: {text}")
