"""When to stop a trial early: rules that compare trials at equal step, whatever the wall clock.

Each report costs the same at trial 10,000 as at trial 10.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

from eolab.studies.plan import End


class Rule(ABC):
    """Decides on each report whether a trial should stop.

    Replay: calling `report`, `forget` and `end` in the journal's order leads to the same state.
    """

    @abstractmethod
    def report(self, n: int, step: float, value: float) -> str | None:
        """Trial ``n`` reported the metric; answers why it should stop, or None to go on.

        A second report at the same step is ignored. NaN counts as the worst value.
        """

    @abstractmethod
    def end(self, n: int, state: End) -> None:
        """Trial ``n`` ended; only completed trials are compared with."""

    def forget(self, n: int) -> None:
        """Trial ``n`` starts again from its first step (a new attempt without a checkpoint)."""

    @abstractmethod
    def to_json(self) -> dict[str, object]:
        """What `study.json` says about the rule; `make_rule` reads it."""


RuleSpec = str | Mapping[str, object] | Rule | Sequence["str | Mapping[str, object] | Rule"] | None


def make_rule(
    spec: RuleSpec, *, direction: Literal["maximize", "minimize"], metric: str = "value"
) -> Rule:
    """A rule by text: "none", "median", "percentile:25", "patient:5", "threshold:lower=0.2"."""
    raise NotImplementedError
