"""Time that is no work: machines that sleep, clocks that are set, workers that fell silent."""

from __future__ import annotations

import pytest

from eolab.studies.coordinator.clock import JumpingClock, describe_jump
from eolab.studies.coordinator.coordinator import Coordinator
from eolab.studies.coordinator.trials import Terms, Trials
from eolab.studies.journal.state import Record
from eolab.studies.plans.base import SearchPlan
from eolab.studies.samplers.factory import make_sampler
from eolab.studies.space.parameters import uniform
from eolab.studies.space.space import Space


class Machine:
    """Its time of day, and its steady clock."""

    wall, steady = 1_000_000.0, 50.0

    def pass_(self, seconds):
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def study(machine):
    """A study of 24 trials and an hour."""
    events = []
    space = Space.from_dict({"x": uniform(0, 1)})
    sampler = make_sampler("random", space, direction="maximize", seed=3, trials=24)
    clock = JumpingClock(lambda: machine.wall, lambda: machine.steady)
    record = Record("score", "maximize", 24)
    record.timeout = 3600.0
    record.wanted_workers = 2
    trials = Trials(
        record, SearchPlan(sampler), None, Terms(lease=15), emit=events.append, clock=clock,
        ticks=lambda: machine.steady,
    )  # fmt: skip
    trials.jump = lambda: clock.jump
    coordinator = Coordinator(trials)
    coordinator.open(1, "here")
    coordinator.clock, coordinator.events = clock, events
    return coordinator


@pytest.mark.parametrize("jump", [7200.0, -7200.0])
def test_a_budget_of_time_does_not_run_out_while_the_machine_sleeps(study, machine, jump):
    machine.pass_(600)
    study.clock()
    machine.wall += jump
    machine.pass_(1)
    # A worker asks before anybody looked after the clock.
    assert study.take("w0") is not None
    study.trials.skip(study.clock.jump, describe_jump(study.clock.jump))
    study.clock.settle()
    assert study.record.message in (
        "the machine slept, or its clock was put on, for 2.0 h: that does not count",
        "the clock was put back by 2.0 h: the study's time goes on",
    )
    assert study.record.seconds(study.clock()) == pytest.approx(601)
    # Who reads the journal later counts the same.
    again = Record("score", "maximize", 24)
    for event in study.events:
        again.apply(event)
    assert again.seconds(machine.wall) == pytest.approx(601)
    machine.pass_(3000)
    assert not study.trials.may_ask()


def test_a_clock_that_is_set_right_by_a_little_is_no_jump(machine):
    clock = JumpingClock(lambda: machine.wall, lambda: machine.steady)
    for _ in range(100):
        machine.pass_(10)
        machine.wall += 0.2
        clock()
    assert clock.jump == 0


def test_idle_workers_that_fell_silent_make_room_and_are_told(study, machine):
    for ghost in ("g0", "g1"):
        study.join(ghost, "elsewhere", 7)
    assert study.surplus("w0")  # there are as many as wanted
    machine.pass_(30)
    study.expire(waiting=["g1"])
    assert study.surplus("w0")
    machine.pass_(40)
    study.expire(waiting=["g1"])
    assert not study.surplus("w0")
    assert study.record.message == "1 idle worker fell silent and no longer counts"
    assert study.record.workers["g0"].state == "lost"
    assert study.record.workers["g1"].state == "idle"
    assert study.take("w0") is not None
    # One that speaks again is taken back.
    assert study.take("g0") is not None
    study.forgive(1e6)
    machine.pass_(70)
    study.expire()
    assert study.record.workers["g1"].state == "idle"
