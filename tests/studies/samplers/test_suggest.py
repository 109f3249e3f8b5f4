"""Samplers: the same suggestions for the same seed, whatever happened to the process."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.errors import InvalidInputError
from eolab.studies.plans.base import FixedPlan, Job, SearchPlan
from eolab.studies.plans.factory import make_strategy
from eolab.studies.samplers.base import Sampler
from eolab.studies.samplers.factory import make_sampler
from eolab.studies.space.parameters import choice, integer, loguniform, ordinal, uniform
from eolab.studies.space.space import Space
from eolab.testing import SamplerContract
from eolab.testing.samplers import ToyStudy, suggestions

FLAT = Space.from_dict(
    {
        "lr": loguniform(1e-5, 1e-1),
        "dropout": uniform(0, 0.5, step=0.1),
        "units": integer(8, 64, step=8),
        "batch": ordinal(16, 32, 64),
        "activation": choice("relu", "tanh", None),
    }
)
CONDITIONAL = Space.from_dict({**FLAT, "slope": uniform(0, 1, when={"activation": "relu"})})


def score(params):
    """A surface with its best at lr 1e-3, dropout 0.2, relu."""
    value = -((math.log10(params["lr"]) + 3) ** 2) - abs(params["dropout"] - 0.2)
    return value + (params["activation"] == "relu") + 0.1 * params.get("slope", 0)


def run(plan, trials, *, workers=1, seed=0, events=None, start=0, running=None):
    """Drive a plan with trials that end in a random order; writes a journal into ``events``."""
    events = [] if events is None else events
    chance = random.Random(seed)
    running = {} if running is None else running
    n = start
    while n < trials or running:
        while n < trials and len(running) < workers:
            job = plan.next(n)
            if job is None:
                break
            events.append(("trial", job.to_json()))
            running[n] = job
            n += 1
        if not running:
            break
        end(plan, running, events, chance)
    return events


def end(plan, running, events, chance):
    n = chance.choice(sorted(running))
    job = running.pop(n)
    state = chance.choices(["completed", "stopped", "failed"], [6, 3, 1])[0]
    value = None if state == "failed" else score(job.params)
    step = chance.randrange(20) if state == "stopped" else None
    plan.tell(n, value, state, step=step)
    events.append(("end", n, value, state, step))


def replay(plan, events):
    """What a study process does that finds a journal."""
    running = {}
    for event in json.loads(json.dumps(events)):
        if event[0] == "trial":
            job = Job.from_json(event[1])
            plan.restore(job)
            running[job.n] = job
        else:
            _, n, value, state, step = event
            del running[n]
            plan.tell(n, value, state, step=step)
    return running


def params_of(events):
    return [event[1]["params"] for event in events if event[0] == "trial"]


def plan_of(kind, space, seed=7):
    return SearchPlan(make_sampler(kind, space, direction="maximize", seed=seed, trials=60))


ALL = [
    ("random", FLAT), ("random", CONDITIONAL), ("qmc", FLAT), ("qmc", CONDITIONAL),
    ({"kind": "grid", "points": 3}, FLAT), ({"kind": "grid", "points": 3}, CONDITIONAL),
    ("tpe", FLAT), ("tpe", CONDITIONAL), ("cmaes", FLAT), ("gp", FLAT),
]  # fmt: skip


def label(case):
    kind = case[0] if isinstance(case[0], str) else case[0]["kind"]
    return f"{kind}-{'conditional' if case[1].conditional else 'flat'}"


@pytest.fixture(params=ALL, ids=label)
def kind_and_space(request):
    kind, _space = request.param
    package = {"cmaes": "cmaes", "gp": "torch"}.get(kind if isinstance(kind, str) else "")
    if package:
        pytest.importorskip(package)
    return request.param


class TestOurSamplers(SamplerContract):
    @pytest.fixture
    def sampler(self, kind_and_space):
        return kind_and_space[0]

    @pytest.fixture
    def space(self, kind_and_space):
        return kind_and_space[1]

    def test_another_seed_gives_other_suggestions(self, sampler, space):
        first, second = (ToyStudy(self.plan(sampler, space, seed=s)).run(40) for s in (7, 8))
        assert suggestions(first) != suggestions(second)


def test_a_resumed_study_does_not_repeat_its_suggestions(kind_and_space):
    kind, space = kind_and_space
    events = run(plan_of(kind, space), 20)
    plan = plan_of(kind, space)
    replay(plan, events)
    following = params_of(run(plan, 25, start=20))
    assert not [params for params in following if params in params_of(events)]


def test_a_gaussian_process_takes_one_thread_and_gives_the_others_back():
    pytest.importorskip("torch")
    import torch

    found = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        found.append(params_of(run(plan_of("gp", FLAT), 14)))
        assert torch.get_num_threads() == threads
    assert found[0] == found[1]


def test_random_qmc_and_grid_depend_on_the_number_alone():
    for kind in ("random", "qmc", {"kind": "grid", "points": 4}):
        ahead = make_sampler(kind, FLAT, direction="maximize", seed=3)
        fresh = make_sampler(kind, FLAT, direction="maximize", seed=3)
        in_order = [ahead.ask(n) for n in range(20)]
        assert [fresh.ask(n) for n in reversed(range(20))] == in_order[::-1]


def test_the_grid_has_every_combination_once():
    space = Space.from_dict(
        {
            "a": choice("x", "y"),
            "b": integer(1, 3),
            "c": ordinal(1, 2, when={"a": "x"}),
        }
    )
    sampler = make_sampler("grid", space, direction="maximize", seed=0)
    expected = [{"a": "x", "b": b, "c": c} for b in (1, 2, 3) for c in (1, 2)]
    expected += [{"a": "y", "b": b} for b in (1, 2, 3)]
    found = [sampler.ask(n) for n in range(sampler.limit)]
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert SearchPlan(sampler).next(sampler.limit) is None


def test_qmc_fills_the_space_more_evenly_than_chance():
    from scipy.stats import qmc

    space = Space.from_dict({name: uniform(0, 1) for name in "abc"})
    gap = {}
    for kind in ("qmc", "random"):
        sampler = make_sampler(kind, space, direction="maximize", seed=1)
        gap[kind] = qmc.discrepancy([list(sampler.ask(n).values()) for n in range(128)])
    assert gap["qmc"] < gap["random"] / 4


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_tpe_and_cmaes_find_better_than_chance(direction):
    sign = 1 if direction == "maximize" else -1
    best = {}
    for kind in ("random", "tpe", "cmaes"):
        if kind == "cmaes" and find_spec("cmaes") is None:
            continue
        found = []
        for seed in range(5):
            sampler = make_sampler(kind, FLAT, direction=direction, seed=seed)
            values = []
            for n in range(80):
                params = sampler.ask(n)
                values.append(score(params))
                sampler.tell(n, params, sign * values[-1], "completed")
            found.append(sum(sorted(values)[-10:]) / 10)
        best[kind] = sum(found) / len(found)
    assert best["tpe"] > best["random"] + 0.02
    assert best.get("cmaes", best["tpe"]) > best["random"]


def test_tpe_is_optunas_tpe():
    """One worker, up to the subset: Optuna itself, driven by hand, suggests the same."""
    import optuna

    from eolab.studies.space.seeds import derive_seed

    space = Space.from_dict({"x": uniform(0, 1), "lr": loguniform(1e-4, 1)})
    sampler = make_sampler("tpe", space, direction="minimize", seed=5)
    study = optuna.create_study(direction="minimize")
    for n in range(40):
        study.sampler = optuna.samplers.TPESampler(
            seed=derive_seed(5, n, "sampler"), multivariate=True, constant_liar=True
        )
        trial = study.ask()
        theirs = {
            "x": trial.suggest_float("x", 0, 1),
            "lr": trial.suggest_float("lr", 1e-4, 1, log=True),
        }
        ours = sampler.ask(n)
        assert ours == theirs
        loss = (ours["x"] - 0.3) ** 2 + abs(math.log10(ours["lr"]) + 2)
        study.tell(trial, loss)
        sampler.tell(n, ours, loss, "completed")


def test_parallel_tpe_workers_do_not_try_the_same_corner():
    space = Space.from_dict({"x": uniform(0, 1)})
    sampler = make_sampler("tpe", space, direction="minimize", seed=0)
    for n in range(30):
        params = sampler.ask(n)
        sampler.tell(n, params, (params["x"] - 0.5) ** 2, "completed")
    together = [sampler.ask(n)["x"] for n in range(30, 46)]
    assert len(set(together)) == 16
    assert max(together) - min(together) > 0.1


def test_tpe_beyond_its_full_size_still_learns_and_replays(monkeypatch):
    from eolab.studies.samplers.optuna import TPESampler

    monkeypatch.setattr(TPESampler, "full", 300)
    monkeypatch.setattr(TPESampler, "base", 150)
    space = Space.from_dict({"x": uniform(0, 1), "y": uniform(0, 1)})
    sampler = make_sampler("tpe", space, direction="maximize", seed=0)
    plan = SearchPlan(sampler)
    events = []
    for n in range(560):
        job = plan.next(n)
        value = -((job.params["x"] - 0.7) ** 2) - (job.params["y"] - 0.2) ** 2
        state = "stopped" if n % 5 == 0 else "completed"
        plan.tell(n, value, state, step=3)
        events += [("trial", job.to_json()), ("end", n, value, state, 3)]
    assert sampler.visible < 300
    late = [job["params"]["x"] for _, job in events[-200::2]]
    assert sum(abs(x - 0.7) < 0.2 for x in late) > 70
    again = SearchPlan(make_sampler("tpe", space, direction="maximize", seed=0))
    replay(again, events[:1050])
    for event in events[1050:]:
        if event[0] == "trial":
            assert again.next(event[1]["n"]).to_json() == event[1]
        else:
            again.tell(event[1], event[2], event[3], step=event[4])


def test_a_suggestion_costs_no_more_at_trial_ten_thousand_than_at_one_thousand():
    """The subset bounds what the model sees; the time itself is for the benchmarks."""
    space = Space.from_dict({"x": uniform(0, 1)})
    sampler = make_sampler("tpe", space, direction="maximize", seed=0)
    for n in range(10_000):
        sampler.tell(n, {"x": n / 10_000}, n % 97, "running")
        sampler.tell(n, {"x": n / 10_000}, n % 97, "completed")
    for n in range(10_000, 10_020):
        sampler.ask(n)
    assert sampler.visible <= sampler.base + sampler.renew + 20


def test_nan_and_failed_trials_teach_nothing():
    first = make_sampler("tpe", FLAT, direction="maximize", seed=0)
    second = make_sampler("tpe", FLAT, direction="maximize", seed=0)
    for n in range(40):
        for sampler, bad in ((first, math.nan), (second, None)):
            params = sampler.ask(n)
            if n % 3:
                sampler.tell(n, params, score(params), "completed")
            else:
                sampler.tell(n, params, bad, "completed" if bad else "failed")
    assert first.ask(40) == second.ask(40)


class Diagonal(Sampler):
    """A user's own sampler: this is all it takes."""

    def ask(self, n):
        return {"x": n / 10}


def test_an_own_sampler_is_one_small_class():
    space = Space.from_dict({"x": uniform(0, 1)})
    for given_as in (Diagonal, Diagonal(space, direction="maximize", seed=0)):
        sampler = make_sampler(given_as, space, direction="maximize", seed=0)
        assert [sampler.ask(n)["x"] for n in range(3)] == [0, 0.1, 0.2]
        sampler.tell(0, {"x": 0.0}, 1.0, "completed")
        with pytest.raises(
            InvalidInputError, match=r"Diagonal suggested x = 1\.1, outside uniform"
        ):
            sampler.ask(11)


@pytest.mark.parametrize(
    ("kind", "space", "message", "hint"),
    [
        ("tpee", FLAT, "unknown sampler", "'tpe'"),
        ({"kind": "grid", "pints": 3}, FLAT, "'pints'", "'points'"),
        ({"kind": "tpe", "startup": 0}, FLAT, "startup=0", "whole number"),
        ("grid", FLAT, "'lr' is loguniform", "points"),
        ({"kind": "grid", "points": 1}, FLAT, "points=1", "2 points"),
        ("grid", Space.from_dict({c: integer(0, 99) for c in "abc"}), "100,000", "qmc"),
        (object(), FLAT, "no sampler", "ask(n)"),
        ("tpe", Space({}), "empty", "eo."),
    ],
    # Processes that share the tests must call them alike: no addresses.
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_impossible_sampler_is_told_with_a_hint(kind, space, message, hint):
    with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
        make_sampler(kind, space, direction="maximize", seed=0)
    assert hint in error.value.hint


@pytest.mark.parametrize(("kind", "package"), [("gp", "torch"), ("cmaes", "cmaes")])
def test_a_missing_extra_is_told_before_the_first_trial(kind, package, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == package else find(name, *a)
    )
    with pytest.raises(InvalidInputError, match=rf"needs.*{package}|PyTorch") as error:
        make_sampler(kind, FLAT, direction="maximize", seed=0)
    assert "pip install" in error.value.hint


def test_cmaes_says_what_it_cannot_search():
    pytest.importorskip("cmaes")
    with pytest.raises(InvalidInputError, match="conditions"):
        make_sampler("cmaes", CONDITIONAL, direction="maximize", seed=0)
    with pytest.raises(InvalidInputError, match="two numbers"):
        make_sampler("cmaes", Space.from_dict({"a": choice(1, 2)}), direction="maximize", seed=0)


def test_a_sampler_survives_study_json():
    for kind in ("random", "qmc", {"kind": "grid", "points": 3}, {"kind": "tpe", "startup": 4}):
        sampler = make_sampler(kind, FLAT, direction="maximize", seed=0)
        again = make_sampler(sampler.to_json(), FLAT, direction="maximize", seed=0)
        assert again.to_json() == sampler.to_json()
        assert again.ask(0) == sampler.ask(0)


def test_a_fixed_plan_runs_its_list_and_two_equal_configurations_are_two_trials():
    plan = FixedPlan([{"a": 1}, {"a": 1}, {"a": 2}])
    jobs = list(itertools.takewhile(lambda job: job, (plan.next(n) for n in range(9))))
    assert [(job.n, job.params) for job in jobs] == [(0, {"a": 1}), (1, {"a": 1}), (2, {"a": 2})]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(0, 60))
def test_a_tpe_study_replays_exactly_from_any_point_of_its_journal(seed, workers, cut):
    space = Space.from_dict(
        {"lr": loguniform(1e-4, 1), "dropout": uniform(0, 1), "activation": choice("relu", "tanh")}
    )

    def fresh():
        return make_strategy(space, direction="maximize", metric="m", seed=seed, trials=30)[0]

    whole = run(fresh(), 30, workers=workers, seed=seed)
    plan = fresh()
    replay(plan, whole[:cut])
    for event in whole[cut:]:
        if event[0] == "trial":
            assert plan.next(event[1]["n"]).to_json() == event[1]
        else:
            plan.tell(event[1], event[2], event[3], step=event[4])
