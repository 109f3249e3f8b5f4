"""What every stop rule promises."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest

if TYPE_CHECKING:
    from eolab.studies.space.states import Direction
    from eolab.studies.stopping.base import Rule

MakeRule: TypeAlias = "Callable[[Direction], Rule]"
Report: TypeAlias = tuple[int, int, float]


def interleaved(seed: int, *, trials: int = 6, steps: int = 12) -> Iterator[Report]:
    """(trial, step, value) as parallel workers report: some steps are skipped, some are NaN."""
    chance = random.Random(seed)
    at = dict.fromkeys(range(trials), 0)
    while at:
        n = chance.choice(list(at))
        value = math.nan if chance.random() < 0.05 else chance.gauss(n / 4, 1)
        yield n, at[n], value
        at[n] += chance.choice([1, 1, 1, 2])
        if at[n] >= steps:
            del at[n]


class StopRuleContract:
    """What `tune` needs of a stop rule, so that a study may be resumed at any moment.

    Override `rule` with a function that makes a fresh rule for "maximize" or "minimize".

    It answers None or a reason in words; a second report at a step changes nothing; hearing the
    past from the journal (`observe`, `forget`, `end`) leads to the same answers as having been
    there; a trial that starts again is judged as if it had never reported.

    Example:
        >>> from eolab.studies.stopping.factory import make_rule
        >>> import pytest
        >>> from eolab.testing import StopRuleContract
        >>> class TestMedian(StopRuleContract):
        ...     @pytest.fixture
        ...     def rule(self):
        ...         return lambda direction: make_rule("median", direction=direction)
    """

    @pytest.fixture
    def rule(self) -> MakeRule:
        """A maker of rules under test; override it."""
        raise NotImplementedError("override the fixture `rule`")

    @pytest.fixture(params=["maximize", "minimize"])
    def direction(self, request: pytest.FixtureRequest) -> Direction:
        """Whether large or small values are good."""
        found: Literal["maximize", "minimize"] = request.param
        return found

    @pytest.mark.parametrize("seed", range(5))
    def test_a_replayed_rule_answers_as_the_one_that_was_there(
        self, rule: MakeRule, direction: Direction, seed: int
    ) -> None:
        reports = list(interleaved(seed))
        for cut in (0, len(reports) // 3, len(reports) // 2):
            present, resumed = rule(direction), rule(direction)
            ended: set[int] = set()
            for i, (n, step, value) in enumerate(reports):
                if n in ended:
                    continue
                reason = present.report(n, step, value)
                assert reason is None or (isinstance(reason, str) and reason)
                if i < cut:
                    resumed.observe(n, step, value)
                else:
                    assert resumed.report(n, step, value) == reason
                if reason or step >= 10:
                    ended.add(n)
                    for one in (present, resumed):
                        one.end(n, "stopped" if reason else "completed")

    @pytest.mark.parametrize("seed", range(5))
    def test_a_second_report_at_a_step_changes_nothing(
        self, rule: MakeRule, direction: Direction, seed: int
    ) -> None:
        once, twice = rule(direction), rule(direction)
        ended: set[int] = set()
        for n, step, value in interleaved(seed):
            if n in ended:
                continue
            reason = once.report(n, step, value)
            assert twice.report(n, step, value) == reason
            if reason or step >= 10:
                ended.add(n)
                for one in (once, twice):
                    one.end(n, "stopped" if reason else "completed")
            else:
                twice.report(n, step, -value)

    @pytest.mark.parametrize("seed", range(5))
    def test_a_trial_that_starts_again_is_judged_as_if_it_had_never_reported(
        self, rule: MakeRule, direction: Direction, seed: int
    ) -> None:
        fresh, used = rule(direction), rule(direction)
        for one in (fresh, used):
            for n in range(6):
                for step in range(12):
                    one.report(n, step, float(n))
                one.end(n, "completed")
        for _, step, value in interleaved(seed, trials=1):
            used.observe(99, step, value)
        used.forget(99)
        for _, step, value in interleaved(seed + 100, trials=1):
            assert used.report(99, step, value) == fresh.report(99, step, value)

    def test_nan_alone_and_a_trial_that_never_reported_do_no_harm(
        self, rule: MakeRule, direction: Direction
    ) -> None:
        made = rule(direction)
        for step in range(5):
            made.report(0, step, math.nan)
        made.end(0, "completed")
        made.end(1, "failed")
        made.forget(2)
        made.report(2, 0, 1.0)

    def test_what_study_json_says_is_json(self, rule: MakeRule, direction: Direction) -> None:
        said = rule(direction).to_json()
        assert json.loads(json.dumps(said)) == said
