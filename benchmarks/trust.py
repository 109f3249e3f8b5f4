"""Whether studies and ablations say what is so, and what that costs.

    python -m benchmarks.trust [--json] [--quick]

- stale, false_changed: 300 random edits of code and data that change what a train function returns,
  reached by many ways, and 300 that cannot (comments, formatting, the order of imports): how many
  of the first leave the study's identity as it was, and how many of the second change it.
- digest_vs_hash: the identity of a function that reaches 200 objects and 1 GB of float32, over
  BLAKE3 of those bytes alone.
- isolation_ms: what a trial with 1 GB of arrays takes longer than one without, in milliseconds,
  until the function runs.
- false_certainty, power: 4,000 ablations without effect, those of models that no seed touches among
  them, and how many claim p < 0.05; and 1,000 with an effect of 1.5 standard deviations of a run
  and 5 seeds (runs of a seed share 7 tenths of the variance), and how many are found.

`--quick` takes 120 edits of each kind, 256 MB and a quarter of the ablations.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import numpy as np
from blake3 import blake3

from benchmarks import edits
from eolab.studies.ablation.design import Run, Variant
from eolab.studies.ablation.result import summarise
from eolab.studies.identity.walk import identify
from eolab.studies.worker.isolation import Fresh

REACH = {
    "stale": ("<=", 0.0),
    "false_changed": ("<=", 3.0),
    "digest_vs_hash": ("<=", 1.5),
    "isolation_ms": ("<=", 2.0),
    "false_certainty": ("<=", 0.06),
    "power": (">=", 0.8),
}


def identities(count: int) -> dict[str, float]:
    """Edits that are not seen, and edits that are seen for nothing."""
    rng = random.Random(0)
    stale = false = 0
    with tempfile.TemporaryDirectory() as folder, edits.programs(0, Path(folder)) as made:
        for _, program in zip(range(count * 3 // 4), made, strict=False):
            other = edits.changed(program, rng)
            stale += known(program.make()) == known(other.make())
        for _, program in zip(range(count), made, strict=False):
            other = edits.neutral(program, rng)
            false += known(program.make()) != known(other.make())
        pairs = edits.data_pairs(0, Path(folder))
        for _, (_, one, edited) in zip(range(count // 4), pairs, strict=False):
            stale += known(one) == known(edited)
    return {"stale": float(stale), "false_changed": float(false)}


def known(value: object) -> str:
    return identify(value, "train").digest


def digest_vs_hash(size: int) -> float:
    """The least of three ratios: other work on the machine only adds."""
    array = np.random.default_rng(0).random(size // 4, dtype="float32")
    helpers = "\n".join(f"def h{i}(x): return x + {i}" for i in range(200))
    calls = " + ".join(f"h{i}(1)" for i in range(200))
    train = edits.run_cell(f"{helpers}\nX = None\ndef train(): return {calls} + len(X)\n")
    train.__globals__["X"] = array  # type: ignore[attr-defined]
    ratios = []
    for _ in range(3):
        hashing = seconds(lambda: blake3(memoryview(array).cast("B")).digest())
        ratios.append(seconds(lambda: identify(train, "train")) / hashing)
    return min(ratios)


def isolation_ms(size: int) -> float:
    function = cloudpickle.dumps(lambda data: data)
    array = np.ones(size // 4, dtype="float32")
    found = []
    for data in ({"x": array[:1]}, {"x": array}):
        fresh = Fresh(function, cloudpickle.dumps(data, protocol=5), 3.0 * size)
        found.append(min(seconds(fresh.make) for _ in range(20)))
    return 1000 * (found[1] - found[0])


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def simulated(rng: random.Random, *, effect: float, folds: int, seeds: int, fixed: bool) -> bool:
    """Whether an ablation of one component claims a difference.

    Args:
        rng: Chance.
        effect: What the component is worth, in standard deviations of a run.
        folds: How many.
        seeds: On each.
        fixed: The model is one that no seed touches.
    """
    planned = [Variant("baseline"), Variant("without a", ("a",))]
    values: dict[Run, float] = {}
    for fold in range(folds):
        level = 0.7 + rng.gauss(0, 0.1)
        own = {variant.name: rng.gauss(0, 0.3**0.5) for variant in planned}
        for seed in range(seeds):
            shared = rng.gauss(0, 0.7**0.5)
            for variant in planned:
                noise = own[variant.name] if fixed else shared + rng.gauss(0, 0.3**0.5)
                gain = effect if not variant.removed else 0.0
                values[Run(variant.name, fold, seed)] = level + 0.01 * (gain + noise)
    result = summarise(
        planned, values, metric="f1", direction="maximize", one_split=folds == 1,
        overlap=0.0 if folds == 1 else 1 / (folds - 1),
    )  # fmt: skip
    drop = result.rows[1].drop
    return drop is not None and drop.p is not None and drop.p < 0.05


def ablations(count: int) -> dict[str, float]:
    rng = random.Random(0)
    kinds = [(1, 3, True), (1, 5, False), (5, 1, True), (5, 3, False)]
    false = sum(
        simulated(rng, effect=0.0, folds=folds, seeds=seeds, fixed=fixed)
        for folds, seeds, fixed in kinds
        for _ in range(count // len(kinds))
    )
    found = [simulated(rng, effect=1.5, folds=1, seeds=5, fixed=False) for _ in range(count // 4)]
    return {"false_certainty": false / count, "power": sum(found) / len(found)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    size = 256_000_000 if args.quick else 1_000_000_000
    figures = {
        **identities(120 if args.quick else 300),
        "digest_vs_hash": digest_vs_hash(size),
        "isolation_ms": isolation_ms(size),
        **ablations(1_000 if args.quick else 4_000),
    }
    met = {
        name: figures[name] <= limit if sign == "<=" else figures[name] >= limit
        for name, (sign, limit) in REACH.items()
    }
    if args.json:
        print(json.dumps({"figures": figures, "reach": REACH, "met": met}))
    else:
        for name, figure in figures.items():
            sign, limit = REACH[name]
            print(f"{name:16} {figure:10.4g}  {sign} {limit:g}  {'met' if met[name] else 'MISSED'}")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
