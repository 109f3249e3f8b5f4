"""Which configuration to try next: samplers on Optuna's public ask and tell, in memory.

Random, grid and QMC go by the trial's number alone; TPE, GP and CMA-ES look at results. Whatever
is random is seeded by (the study's seed, the trial's number), so that a resumed study never
repeats a suggestion and a study with one worker is always the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal, TypeAlias

from eolab.studies.parameters import Params
from eolab.studies.space import Space

Direction: TypeAlias = Literal["maximize", "minimize"]
TrialState: TypeAlias = Literal["running", "completed", "stopped", "failed"]


class Sampler(ABC):
    """Suggests configurations. A sampler of your own is one small class with `ask`.

    Args:
        space: What may be suggested.
        direction: Whether large or small values are good.
        seed: The study's seed.
        trials: How many trials the study will run, where that is known.
    """

    limit: int | None = None
    """Number of different suggestions; None where there is no end."""

    def __init__(
        self, space: Space, *, direction: Direction, seed: int, trials: int | None = None
    ) -> None:
        self.space, self.direction, self.seed, self.trials = space, direction, seed, trials

    @abstractmethod
    def ask(self, n: int) -> Params:
        """The configuration of trial ``n``, which counts as running from now on."""

    def tell(
        self,
        n: int,
        params: Params,
        value: float | None,
        state: TrialState,
        *,
        step: float | None = None,
    ) -> None:
        """A trial started (state "running": only when replaying) or ended; default: ignore it."""

    def to_json(self) -> dict[str, object]:
        """What `study.json` says about the sampler."""
        return {"kind": type(self).__name__}


def make_sampler(
    kind: str | Mapping[str, object] | type[Sampler] | Sampler,
    space: Space,
    *,
    direction: Direction,
    seed: int,
    trials: int | None = None,
) -> Sampler:
    """A sampler by name ("random", "grid", "qmc", "tpe", "gp", "cmaes"), or your own."""
    raise NotImplementedError
