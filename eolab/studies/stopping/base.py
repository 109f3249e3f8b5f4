"""When to stop a trial early: rules that compare trials at equal step, whatever the wall clock.

Each report costs the same at trial 10,000 as at trial 10: what is compared with is kept sorted
per step (`eolab.studies.stopping.rules`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from eolab.studies.space.states import End


class Rule(ABC):
    """Decides on each report whether a trial should stop.

    Replay: calling `observe`, `forget` and `end` in the journal's order leads to the same state as
    `report` in the place of `observe`.
    """

    @abstractmethod
    def report(self, n: int, step: float, value: float) -> str | None:
        """Trial ``n`` reported the metric; answers why it should stop, or None to go on.

        A second report at a step is ignored. NaN is no value: it never helps a trial.
        """

    def observe(self, n: int, step: float, value: float) -> None:
        """Replay: hear a report that was decided on long ago."""
        self.report(n, step, value)

    @abstractmethod
    def end(self, n: int, state: End) -> None:
        """Trial ``n`` ended; only completed trials are compared with."""

    @abstractmethod
    def forget(self, n: int) -> None:
        """Trial ``n`` starts again from its first step (a new attempt without a checkpoint)."""

    @abstractmethod
    def to_json(self) -> object:
        """What `study.json` says about the rule; `make_rule` reads it."""


class NoRule(Rule):
    """Every trial runs to its end."""

    def report(self, n: int, step: float, value: float) -> str | None:  # noqa: ARG002
        return None

    def end(self, n: int, state: End) -> None:
        pass

    def forget(self, n: int) -> None:
        pass

    def to_json(self) -> object:
        return None


class AnyRule(Rule):
    """Stops a trial when any of several rules says so; each hears every report."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules

    def report(self, n: int, step: float, value: float) -> str | None:
        answers = [rule.report(n, step, value) for rule in self.rules]
        return "; ".join(answer for answer in answers if answer) or None

    def observe(self, n: int, step: float, value: float) -> None:
        for rule in self.rules:
            rule.observe(n, step, value)

    def end(self, n: int, state: End) -> None:
        for rule in self.rules:
            rule.end(n, state)

    def forget(self, n: int) -> None:
        for rule in self.rules:
            rule.forget(n)

    def to_json(self) -> object:
        return [rule.to_json() for rule in self.rules]
