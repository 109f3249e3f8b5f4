"""Stopping the comparison of a variant as soon as it is clear, without spoiling its interval.

After each pass (one more fold, or one more seed of a single split) every variant is looked at.
Each look may spend a part of the error alpha, given by the spending function of Lan and DeMets
(Biometrika 70 (1983) 659-663) in the form that resembles O'Brien and Fleming's bounds:
2 - 2 Phi(z / sqrt(t)) up to the fraction t of the looks. A variant whose interval at the level of
its look leaves out zero needs no further runs. Since the errors of the looks add up to alpha at
most, the interval reported - the one of its last look - holds with 1 - alpha wherever that was
(a union bound: simpler and wider than the exact bounds, which would need independent increments).
"""

from __future__ import annotations

from collections.abc import Sequence

from eolab.studies.ablation.components import BASELINE
from eolab.studies.ablation.design import Run, Variant
from eolab.studies.ablation.inference import estimate, independent, spending
from eolab.studies.samplers.base import Sampler, usable
from eolab.studies.space.parameters import Params
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction, TrialState


class SequentialRuns(Sampler):
    """Suggests the runs of a plan; runs of a variant that has become clear are left out.

    Args:
        space: Of variant, fold and repeat.
        listed: All runs in their order.
        variants: The variants, the baseline among them.
        direction: Whether large or small values are good.
        overlap: n_test / n_train of the folds.
        stop_early: Whether to look at all; without it every run is made.
        alpha: Error of each variant's interval, shared between its looks. What is claimed is
            also corrected for the number of variants.
    """

    def __init__(
        self,
        space: Space,
        listed: Sequence[Run],
        variants: Sequence[Variant],
        *,
        direction: Direction,
        overlap: float,
        stop_early: bool = False,
        alpha: float = 0.05,
    ) -> None:
        super().__init__(space, direction=direction, seed=0, trials=len(listed))
        self.limit = len(listed)
        self._rest = list(listed)
        self._asked: dict[int, Run] = {}
        self._values: dict[Run, float] = {}
        self._open = {v.name for v in variants if v.name != BASELINE}
        self._overlap, self._stop_early = overlap, stop_early
        self._comparisons = len(self._open)
        self._passes = sorted(
            {(run.fold, run.repeat) for run in listed}, key=lambda pair: (pair[1], pair[0])
        )
        self._several_folds = len({run.fold for run in listed}) > 1
        self._error = spending(len(self._passes), alpha)

    def ask(self, n: int) -> Params:
        run = self._rest.pop(0)
        self._asked[n] = run
        return {"variant": run.variant, "fold": run.fold, "repeat": run.repeat}

    def tell(
        self,
        n: int,
        params: Params,
        value: float | None,
        state: TrialState,
        *,
        step: float | None = None,  # noqa: ARG002
    ) -> None:
        run = Run(str(params["variant"]), int(str(params["fold"])), int(str(params["repeat"])))
        if state == "running":  # a replay
            self._rest.remove(run)
            self._asked[n] = run
            return
        if state == "completed" and value is not None and usable(value):
            self._values[run] = value
        if self._stop_early:
            self._look()
            self.limit = len(self._asked) + len(self._rest)

    def _look(self) -> None:
        """Close each variant that is clear after its complete passes."""
        for name in sorted(self._open):
            if self._clear(name):
                self._open.discard(name)
        if not self._open:
            self._rest = []
        else:
            self._rest = [r for r in self._rest if r.variant in self._open | {BASELINE}]

    def _clear(self, name: str) -> bool:
        differences: dict[tuple[int, int], float] = {}
        for fold, repeat in self._passes:  # only whole passes, in their order: one look each
            base = self._values.get(Run(BASELINE, fold, repeat))
            value = self._values.get(Run(name, fold, repeat))
            if base is None or value is None:
                break
            differences[fold, repeat] = base - value
        if len(differences) < 2:
            return False
        error = self._error[len(differences) - 1] / self._comparisons
        one_split = not self._several_folds
        known = estimate(
            independent(differences, one_split=one_split), overlap=self._overlap, level=1 - error,
            scale=max(map(abs, self._values.values())), one_split=one_split,
        )  # fmt: skip
        return known is not None and known.p is not None and known.p < error
