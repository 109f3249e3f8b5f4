"""Random faults over random schedules against a model of the protocol.

The coordinator decides without a clock, a network or a disk, so hypothesis can drive days of lost
answers, silent workers, kills and full disks in a second, and look after each step whether every
trial is counted once and no finished result is lost.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from eolab.studies.coordinator.coordinator import Coordinator
from eolab.studies.coordinator.trials import Terms, Trials
from eolab.studies.journal.state import Event, Record
from eolab.studies.plans.base import SearchPlan
from eolab.studies.samplers.factory import make_sampler
from eolab.studies.space.parameters import uniform
from eolab.studies.space.space import Space
from eolab.studies.stopping.rules import PercentileRule

TRIALS = 5
WORKERS = ["w0", "w1", "w2"]


class Protocol(RuleBasedStateMachine):
    """Workers, their messages (delivered never, once or twice, late), kills, a full disk, time."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.journal: list[Event] = []
        self.now = 1000.0
        self.full = False
        # The model: results that a worker was told are accepted, by trial.
        self.accepted: dict[int, tuple[int, float]] = {}
        self._open()

    def _emit(self, event: Event) -> None:
        if self.full:
            raise OSError("no space left on device")
        self.journal.append(event)

    def _open(self) -> None:
        space = Space.from_dict({"x": uniform(0, 1)})
        sampler = make_sampler("random", space, direction="maximize", seed=3, trials=TRIALS)
        self.trials = Trials(
            Record("score", "maximize", TRIALS), SearchPlan(sampler),
            PercentileRule(50.0, direction="maximize", startup=2), Terms(lease=10, retries=2),
            emit=self._emit, clock=lambda: self.now, ticks=lambda: self.now,
        )  # fmt: skip
        self.trials.replay(list(self.journal))
        self.coordinator = Coordinator(self.trials)
        full, self.full = self.full, False
        self.coordinator.open(1, "host")
        self.full = full

    @property
    def record(self) -> Record:
        return self.trials.record

    def _try(self, call: Any) -> Any:
        try:
            return call()
        except OSError:
            assert self.full
            return None

    @rule(target=jobs, worker=st.sampled_from(WORKERS))
    def take(self, worker: str) -> Any:
        job = self._try(lambda: self.coordinator.take(worker))
        return (worker, job.n, self.record.trials[job.n].attempts) if job else (worker, -1, 0)

    @rule(worker=st.sampled_from(WORKERS))
    def take_but_the_answer_is_lost(self, worker: str) -> None:
        first = self._try(lambda: self.coordinator.take(worker))
        again = self._try(lambda: self.coordinator.take(worker))
        if first is not None:
            assert again is not None
            assert again.n == first.n

    @rule(job=jobs, step=st.integers(0, 3), value=st.floats(-1, 1) | st.none())
    def report(self, job: tuple[str, int, int], step: int, value: float | None) -> None:
        worker, n, attempt = job
        counts = self.coordinator.current(worker, n, attempt) is not None
        answer = self._try(
            lambda: self.coordinator.report(
                worker, n, attempt, [{"step": step, "m": {"score": value}}]
            )
        )
        if answer is not None and not counts:
            assert answer == {"abandon": True}

    @rule(
        job=jobs, state=st.sampled_from(["completed", "failed", "stopped", "crashed"]),
        value=st.floats(-1, 1), twice=st.booleans(),
    )  # fmt: skip
    def finish(self, job: tuple[str, int, int], state: str, value: float, twice: bool) -> None:
        worker, n, attempt = job
        result = {"state": state, "value": value if state == "completed" else None, "error": "e"}
        for _ in range(1 + twice):
            newest = self._newest_start(n)
            before = self._standing(n)
            accepted = self._try(lambda: self.coordinator.finish(worker, n, attempt, result))
            if (worker, attempt) != newest or before[0] != "running":
                assert self._standing(n) == before  # late, or told before: it changes nothing
                assert not accepted or n in self.accepted or before[0] in {"failed", "stopped"}
            elif accepted and state == "completed":
                self.accepted[n] = (attempt, value)

    def _newest_start(self, n: int) -> tuple[str, int] | None:
        """Who has the trial, read from the journal alone."""
        starts = [(e["w"], e["a"]) for e in self.journal if e["e"] == "start" and e["n"] == n]
        return starts[-1] if starts else None

    def _standing(self, n: int) -> tuple[object, ...]:
        trial = self.record.trials.get(n)
        return ("", None, 0) if trial is None else (trial.state, trial.value, trial.attempts)

    @rule(worker=st.sampled_from(WORKERS))
    def worker_dies(self, worker: str) -> None:
        self._try(lambda: self.coordinator.lose(worker, "killed"))

    @rule(seconds=st.floats(0.1, 25))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._try(self.coordinator.expire)

    @rule()
    def the_study_process_is_killed_and_resumed(self) -> None:
        before = {n: (t.state, t.value, t.params) for n, t in self.record.trials.items()}
        self._open()
        after = {n: (t.state, t.value, t.params) for n, t in self.record.trials.items()}
        assert after == before

    @rule()
    def the_disk_fills_or_is_freed(self) -> None:
        self.full = not self.full

    @rule(command=st.sampled_from(["pause", "resume", "cancel"]))
    def command(self, command: str) -> None:
        self._try(lambda: self.coordinator.command(command, 0, {}))

    @rule(command=st.sampled_from(["stop", "retry"]), n=st.integers(0, TRIALS))
    def command_on_a_trial(self, command: str, n: int) -> None:
        self._try(lambda: self.coordinator.command(command, 0, {"n": n}))

    @rule()
    def settle(self) -> None:
        self._try(self.coordinator.settle)

    @invariant()
    def every_trial_is_counted_once(self) -> None:
        record = self.record
        assert sum(record.counts.values()) == len(record.trials) <= TRIALS
        for state, count in record.counts.items():
            assert count == sum(t.state == state for t in record.trials.values())

    @invariant()
    def no_accepted_result_is_lost_or_changed(self) -> None:
        for n, (attempt, value) in self.accepted.items():
            trial = self.record.trials[n]
            assert (trial.state, trial.attempts, trial.value) == ("completed", attempt, value)

    @invariant()
    def a_queued_trial_is_queued_once_and_a_running_one_has_a_lease(self) -> None:
        queued = sorted(t.n for t in self.record.trials.values() if t.state == "queued")
        assert sorted(self.trials.queued) == queued
        running = {t.n for t in self.record.trials.values() if t.state == "running"}
        assert running == self.trials.leased

    @invariant()
    def no_worker_has_two_trials_and_no_trial_two_workers(self) -> None:
        owners = [w.trial for w in self.record.workers.values() if w.trial is not None]
        assert len(owners) == len(set(owners))
        for worker in self.record.workers.values():
            if worker.trial is not None:
                trial = self.record.trials[worker.trial]
                assert (trial.state, trial.worker) == ("running", worker.id)

    @invariant()
    def an_ended_study_has_nothing_left_and_a_replay_agrees(self) -> None:
        if self.record.state in {"completed", "failed"}:
            assert self.record.counts["queued"] == self.record.counts["running"] == 0
        again = Record("score", "maximize", TRIALS)
        for event in self.journal:
            again.apply(event)
        assert again.details() == self.record.details()
        assert again.counts == self.record.counts

    def teardown(self) -> None:
        """Whatever happened: once the faults are over, the study ends."""
        self.full = False
        if self.record.state in {"paused", "cancelled"}:
            self.coordinator.command("resume", 0, {})
        for _ in range(200):
            self.now += 30
            self.coordinator.expire()
            if self.coordinator.settle():
                break
            if self.record.state == "paused":
                self.coordinator.command("resume", 0, {})
            job = self.coordinator.take("w-last")
            if job is not None:
                attempt = self.record.trials[job.n].attempts
                assert self.coordinator.finish(
                    "w-last", job.n, attempt, {"state": "completed", "value": 0.5}
                )
        assert self.record.state in {"completed", "failed"}
        assert len(self.record.trials) == TRIALS


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
