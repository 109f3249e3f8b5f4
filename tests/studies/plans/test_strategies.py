"""Strategies in a real study: budgets that promote, suggestions that a resume does not repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.errors import InvalidInputError
from tests.studies.conftest import Run, events, kill_study, until


def budgeted(reporter, *, budget=9, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    state = reporter.checkpoint_dir / "epochs"
    first = int(state.read_text()) if state.exists() else 0
    for epoch in range(first, int(budget)):
        reporter.report(step=epoch, penalty=x + 1 / (epoch + 1), first=first)
        state.write_text(str(epoch + 1))


def test_asha_with_minimize_promotes_the_smallest_and_continues_from_checkpoints(run: Run) -> None:
    study = run(
        budgeted,
        metric="penalty",
        direction="minimize",
        pruner="asha:9",
        trials=40,
        seed=1,
        workers=1,
    )
    made = {e["n"]: e for e in events(study, "trial")}
    record = study.record
    promoted = [n for n, e in made.items() if e["parent"] is not None]
    assert len(promoted) > 5
    by_rung: dict[object, list[float]] = {}
    for n, event in made.items():
        by_rung.setdefault(event["rung"], []).append(record.trials[n].params["x"])
    assert set(by_rung) == {0, 1, 2}
    # The old tool promoted the worst here: each rung must be better than the one below.
    means = [sum(by_rung[r]) / len(by_rung[r]) for r in (0, 1, 2)]
    assert means[0] > means[1] > means[2]
    assert study.best_params["x"] == pytest.approx(min(by_rung[2]))
    for n in promoted:
        parent = made[n]["parent"]
        assert record.trials[n].metrics["first"] == made[parent]["budget"]  # type: ignore[index]
        assert record.trials[n].params == record.trials[parent].params  # type: ignore[index]


def test_budgets_need_a_function_that_takes_them(run: Run) -> None:
    def deaf(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return x

    with pytest.raises(InvalidInputError, match="takes no budget") as caught:
        run(deaf, pruner="asha:9")
    assert "budget" in caught.value.hint


def curve(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    import time

    for step in range(4):
        reporter.report(step=step, score=x * step)
        time.sleep(0.02)


def test_a_stop_rule_stops_the_worse_ones_and_says_why(run: Run) -> None:
    study = run(curve, trials=24, pruner="median:startup=4", workers=2)
    stopped = [t for t in study.trials if t["state"] == "stopped"]
    assert 3 <= len(stopped) <= 20
    assert all("median" in t["error"] for t in stopped)
    assert all(t["value"] == t["curve"][-1][1] for t in stopped)
    assert study.best["state"] == "completed"


@pytest.mark.parametrize("sampler", ["random", "tpe", "qmc"])
def test_a_killed_and_resumed_study_is_the_one_that_was_never_killed(
    run: Run, sampler: str, tmp_path: Path
) -> None:
    go = tmp_path / "go"

    def gated(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import time

        while reporter.trial == 13 and not go.exists():
            time.sleep(0.01)
        curve(reporter, x=x)

    options = {"sampler": sampler, "trials": 20, "workers": 1, "seed": 2}
    whole = run(curve, name="whole", **options)
    killed = run(gated, name="killed", wait=False, **options)
    until(lambda: killed.record.counts["completed"] == 13, 60)
    kill_study(killed)
    go.touch()
    killed.resume()
    killed.wait()
    assert [t["params"] for t in killed.trials] == [t["params"] for t in whole.trials]
    assert [t["value"] for t in killed.trials] == [t["value"] for t in whole.trials]
    assert len({t["params"]["x"] for t in killed.trials}) == 20


def test_a_sampler_of_ones_own(run: Run) -> None:
    class Descending:
        def ask(self, n: int) -> dict[str, float]:
            return {"x": 1 / (n + 1)}

    study = run(curve, trials=4, sampler=Descending())
    assert [t["params"]["x"] for t in study.trials] == [1, 1 / 2, 1 / 3, 1 / 4]


def test_a_sampler_that_fails_pauses_the_study_and_says_why(run: Run) -> None:
    class Fails:
        def ask(self, n: int) -> dict[str, float]:
            if n == 3:
                raise LookupError("no more ideas")
            return {"x": 0.5} if n < 5 else {"y": 0.5}

    with pytest.raises(InvalidInputError, match="the sampler failed: LookupError: no more ideas"):
        run(curve, trials=6, sampler=Fails())


def test_a_sampler_that_suggests_nonsense_is_told_so(run: Run) -> None:
    class Odd:
        def ask(self, n: int) -> dict[str, float]:
            return {"x": 7.0}

    with pytest.raises(InvalidInputError, match="the sampler failed"):
        run(curve, trials=6, sampler=Odd())
