"""ASHA and Hyperband: real promotion, checked against the published pseudo-code."""

from __future__ import annotations

import json
import math
import random
import re
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.errors import InvalidInputError
from eolab.studies.journal import files as journal
from eolab.studies.plans.asha import Ladder
from eolab.studies.plans.base import Job
from eolab.studies.plans.factory import make_strategy
from eolab.studies.space.parameters import choice, uniform
from eolab.studies.space.space import Space

SPACE = Space.from_dict({"x": uniform(0, 1)})


def make(stop, *, direction="maximize", seed=0, trials=None, sampler="random", space=SPACE):
    plan, rule = make_strategy(
        space,
        direction=direction,
        metric="m",
        seed=seed,
        trials=trials,
        sampler=sampler,
        pruner=stop,
    )
    assert rule is None  # nothing is stopped: a trial runs for its budget
    return plan


class ReferenceAsha:
    """Algorithm 2 of Li et al. 2020 as printed: sorts every rung at every call."""

    def __init__(self, low, high, eta):
        self.eta, self.top = eta, int(math.log(high / low, eta) + 1e-9)
        self.rungs = [[] for _ in range(self.top + 1)]  # (loss, trial)
        self.promoted = [set() for _ in range(self.top + 1)]

    def get_job(self):
        for k in range(self.top - 1, -1, -1):
            candidates = sorted(self.rungs[k])[: len(self.rungs[k]) // self.eta]
            promotable = [n for _, n in candidates if n not in self.promoted[k]]
            if promotable:
                self.promoted[k].add(promotable[0])
                return promotable[0], k + 1
        return None, 0


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["maximize", "minimize"]), st.sampled_from([(1, 9, 3), (1, 16, 2), (2, 50, 4)]),
    st.integers(1, 9), st.integers(0, 2**20), st.booleans(),
)  # fmt: skip
def test_asha_is_the_published_algorithm(direction, budgets, workers, seed, ties):
    low, high, eta = budgets
    plan = make(f"asha:{high},min={low},eta={eta}", direction=direction, seed=seed)
    reference = ReferenceAsha(low, high, eta)
    chance = random.Random(seed)
    sign = 1 if direction == "minimize" else -1
    running = []
    for n in range(150):
        parent, rung = reference.get_job()
        job = plan.next(n)
        assert (job.parent, job.rung, job.budget) == (parent, rung, low * eta**rung)
        running.append(job)
        while len(running) >= workers:
            job = running.pop(chance.randrange(len(running)))
            loss = float(chance.randrange(5)) if ties else chance.random()
            if chance.random() < 0.1:
                plan.tell(job.n, None, "failed")
            else:
                plan.tell(job.n, sign * loss, "completed")
                reference.rungs[job.rung].append((loss, job.n))


@pytest.mark.parametrize("stop", ["asha:27", "hyperband:27"])
@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_the_best_are_promoted_in_both_directions(stop, direction, sign):
    plan = make(stop, direction=direction)
    jobs = {}
    for n in range(120):
        job = plan.next(n)
        if job is None:
            break
        jobs[n] = job
        plan.tell(n, sign * job.params["x"], "completed")
    reached = [job.params["x"] for job in jobs.values() if job.budget == 27 and job.rung >= 2]
    others = [job.params["x"] for job in jobs.values() if job.rung == 0]
    assert reached
    assert min(reached) > sorted(others)[len(others) // 2]


def test_a_promotion_continues_its_parent_with_the_same_parameters_and_more_budget():
    plan = make("asha:9")
    jobs = {}
    for n in range(60):
        job = jobs[n] = plan.next(n)
        plan.tell(n, job.params["x"], "completed")
        if job.parent is None:
            assert (job.rung, job.budget) == (0, 1)
        else:
            parent = jobs[job.parent]
            assert job.params == parent.params
            assert (job.rung, job.config) == (parent.rung + 1, parent.config)
            assert job.budget == 3 * parent.budget
    assert {job.budget for job in jobs.values()} == {1, 3, 9}
    assert len({(job.config, job.rung) for job in jobs.values()}) == 60  # none twice


def test_whole_budgets_are_whole_numbers():
    assert isinstance(make("asha:81").next(0).budget, int)
    assert Ladder(1, 81, 3).top == 4
    assert Ladder(1, 100, 3).top == 4
    assert [Ladder(1, 100, 3).down(i) for i in range(5)] == [100, 33, 11, 4, 1]
    assert Ladder(0.1, 0.9, 3).up(1) == pytest.approx(0.3)


def hyperband_table(high, eta):
    """Algorithm 1 of Li et al. 2018: (configurations, budget) by rung, bracket after bracket."""
    s_max = int(math.log(high, eta) + 1e-9)
    table = []
    for s in range(s_max, -1, -1):
        n = math.ceil((s_max + 1) * eta**s / (s + 1))
        r = high * eta**-s
        table.append([(math.floor(n * eta**-i), round(r * eta**i)) for i in range(s + 1)])
    return table


@pytest.mark.parametrize(("high", "eta"), [(81, 3), (27, 3), (16, 4), (8, 2)])
@pytest.mark.parametrize("workers", [1, 4, 100])
def test_hyperband_is_the_published_table(high, eta, workers):
    plan = make(f"hyperband:{high},eta={eta}")
    jobs = drive(plan, 10_000, workers)
    table = hyperband_table(high, eta)
    if (high, eta) == (81, 3):
        assert [rung[0] for rung in table] == [(81, 1), (34, 3), (15, 9), (8, 27), (5, 81)]
    for number, rungs in enumerate(table):
        for i, (count, budget) in enumerate(rungs):
            there = [job for job in jobs if (job.bracket, job.rung) == (number, i)]
            assert len(there) == count
            assert {job.budget for job in there} == {budget}
            if i:
                before = [job for job in jobs if (job.bracket, job.rung) == (number, i - 1)]
                best = sorted(before, key=lambda job: (-job.params["x"], job.n))[:count]
                assert {job.parent for job in there} == {job.n for job in best}
    assert plan.limit == len(jobs)


def drive(plan, trials, workers, seed=0, events=None):
    chance = random.Random(seed)
    running, jobs, n = [], [], 0
    while True:
        while n < trials and len(running) < workers:
            job = plan.next(n)
            if job is None:
                break
            jobs.append(job)
            running.append(job)
            if events is not None:
                events.append(job)
            n += 1
        if not running:
            return jobs
        job = running.pop(chance.randrange(len(running)))
        state = "failed" if chance.random() < 0.05 and events is not None else "completed"
        value = job.params["x"] if state == "completed" else None
        plan.tell(job.n, value, state)
        if events is not None:
            events.append((job.n, value, state))


def test_no_worker_idles_while_a_hyperband_rung_waits_for_its_last_trial():
    plan = make("hyperband:9", trials=100)
    held = plan.next(0)
    for n in range(1, 60):
        job = plan.next(n)
        assert job is not None
        plan.tell(n, job.params["x"], "completed")
    assert held.bracket == 0
    assert job.bracket > 0


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["asha:9", "asha:16,eta=2", "hyperband:9", "hyperband:16,eta=4"]),
    st.sampled_from(["random", "tpe"]),
    st.integers(1, 6),
    st.integers(0, 2**20),
    st.integers(0, 160),
)  # fmt: skip
def test_a_study_with_promotions_replays_exactly_from_any_point(stop, sampler, workers, seed, cut):
    events = []
    drive(make(stop, trials=90, sampler=sampler), 90, workers, seed, events)
    plan = make(stop, trials=90, sampler=sampler)
    for event in events[:cut]:
        if isinstance(event, Job):
            plan.restore(Job.from_json(json.loads(json.dumps(event.to_json()))))
        else:
            plan.tell(*event)
    for event in events[cut:]:
        if isinstance(event, Job):
            assert plan.next(event.n) == event
        else:
            plan.tell(*event)


@pytest.mark.parametrize("stop", ["asha:9", "hyperband:9"])
def test_a_grid_that_runs_out_ends_with_its_best_promoted(stop):
    space = Space.from_dict({"x": choice(*[i / 20 for i in range(20)])})
    plan = make(stop, trials=1000, sampler="grid", space=space)
    jobs = drive(plan, 1000, 3)
    first = [job for job in jobs if job.rung == 0]
    assert sorted(job.params["x"] for job in first) == [i / 20 for i in range(20)]
    assert any(job.budget == 9 and job.rung == 2 for job in jobs)
    assert plan.next(len(jobs)) is None


def test_failed_trials_are_never_promoted():
    plan = make("asha:9")
    for n in range(60):
        assert plan.next(n).parent is None
        plan.tell(n, math.nan if n % 2 else None, "completed" if n % 2 else "failed")


def test_a_rung_where_everything_failed_ends_its_bracket():
    plan = make("hyperband:9", trials=100)
    for n in range(100):
        job = plan.next(n)
        assert job is not None
        assert job.rung == 0
        plan.tell(n, None, "failed")


@pytest.mark.parametrize(
    ("stop", "message", "hint"),
    [
        ("asha", "largest budget", "asha:27"),
        ("asha:1,min=3", "from 3 to 1", "min <= max"),
        ("asha:27,eta=1", "eta=1", "2 or more"),
        ("asha:27,eta=2.5", "eta=2.5", "whole"),
        ("hyperband:27,rounds=0", "rounds=0", "whole"),
        ("asah:27", "'asah'", "'asha'"),
        ("asha:27,mni=2", "'mni'", "min"),
    ],
)
def test_impossible_budgets_are_told_with_a_hint(stop, message, hint):
    with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
        make(stop)
    assert hint in error.value.hint


# -- on the engine ---------------------------------------------------------------------------


def descend(reporter, *, budget, x: Annotated[float, uniform(0, 1)] = 0.5):
    """A loss that falls with each epoch to a floor; remembers its epochs in the checkpoint."""
    memory = reporter.checkpoint_dir / "epochs"
    done = int(memory.read_text()) if memory.exists() else 0
    for epoch in range(done, budget):
        reporter.report(step=epoch, loss=abs(x - 0.3) + 1 / (epoch + 1))
    memory.write_text(str(budget))
    return {"loss": abs(x - 0.3) + 1 / budget, "begun_at": float(done)}


def test_asha_on_the_engine_minimises_and_continues_from_the_checkpoint(run):
    study = run(descend, metric="loss", direction="minimize", trials=40, pruner="asha:9", workers=2)
    follower = journal.Follower(study.folder)
    follower.refresh()
    trials = list(follower.record.trials.values())
    assert {trial.state for trial in trials} == {"completed"}
    promoted = [trial for trial in trials if trial.metrics["begun_at"] > 0]
    assert {trial.metrics["begun_at"] for trial in promoted} == {1.0, 3.0}
    first = sorted(abs(t.params["x"] - 0.3) for t in trials if t.metrics["begun_at"] == 0)
    furthest = [abs(t.params["x"] - 0.3) for t in trials if t.metrics["begun_at"] == 3]
    assert max(furthest) <= first[len(first) // 3]
    assert abs(study.best_params["x"] - 0.3) == min(furthest)
