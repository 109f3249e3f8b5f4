"""CMA-ES on the package `cmaes`, rebuilt exactly from what was told.

Optuna's wrapper keeps the state of the evolution in attributes of the trials, which a journal of
parameters and values does not hold; here it follows from the told results themselves.
"""

from __future__ import annotations

import importlib.util
import math
import random
from typing import TYPE_CHECKING, cast

import numpy as np

from eolab.errors import InvalidInputError
from eolab.studies.samplers.base import Sampler, usable
from eolab.studies.space.parameters import Params
from eolab.studies.space.seeds import derive_seed
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction, TrialState

if TYPE_CHECKING:
    from cmaes import CMA


class CmaEsSampler(Sampler):
    """Covariance matrix adaptation (Hansen 2016, arXiv:1604.00772) over the numbers of a space.

    Numbers live in the unit cube (logarithmic where the parameter is), start at its middle with a
    standard deviation of 1/6, and are rounded to allowed values; choices are drawn at random. A
    generation ends when ``popsize`` trials that were drawn from it have ended; results of older
    generations, which parallel workers bring late, are not used.

    Args:
        popsize: Trials in a generation; default 4 + floor(3 ln d) for d numbers.

    Raises:
        InvalidInputError: `cmaes` is not installed, conditions, or fewer than two numbers.
    """

    def __init__(
        self,
        space: Space,
        *,
        direction: Direction,
        seed: int,
        trials: int | None = None,
        popsize: int | None = None,
    ) -> None:
        super().__init__(space, direction=direction, seed=seed, trials=trials)
        if importlib.util.find_spec("cmaes") is None:
            raise InvalidInputError(
                'sampler="cmaes" needs the package cmaes, which is not installed',
                'Run `pip install "eolab[cmaes]"`, or use sampler="tpe".',
            )
        if space.conditional:
            raise InvalidInputError(
                "CMA-ES cannot search a space with conditions", 'Use sampler="tpe".'
            )
        self._numbers = [name for name in space if space[name].kind != "choice"]
        if len(self._numbers) < 2:
            raise InvalidInputError(
                f"CMA-ES needs two numbers or more, the space has {len(self._numbers)}",
                'Use sampler="tpe".',
            )
        self.popsize = popsize or 4 + math.floor(3 * math.log(len(self._numbers)))
        self._cma = self._start()
        self._drawn: dict[int, int] = {}  # running trial -> generation that it was drawn from
        self._results: list[tuple[np.ndarray, float]] = []

    def _start(self) -> CMA:
        from cmaes import CMA

        d = len(self._numbers)
        return CMA(
            mean=np.full(d, 0.5),
            sigma=1 / 6,
            bounds=np.array([[0.0, 1.0]] * d),
            seed=derive_seed(self.seed, 0, "cmaes"),
            population_size=self.popsize,
        )

    def ask(self, n: int) -> Params:
        self._cma.reseed_rng(derive_seed(self.seed, n, "cmaes"))
        point = dict(zip(self._numbers, self._cma.ask(), strict=True))
        stream = random.Random(derive_seed(self.seed, n, "choices"))
        self._drawn[n] = self._cma.generation
        return {
            name: parameter.from_unit(float(point[name]) if name in point else stream.random())
            for name, parameter in self.space.items()
        }

    def tell(
        self,
        n: int,
        params: Params,
        value: float | None,
        state: TrialState,
        *,
        step: float | None = None,  # noqa: ARG002
    ) -> None:
        if state == "running":
            self._drawn[n] = self._cma.generation
            return
        generation = self._drawn.pop(n, None)
        if state == "failed" or not usable(value) or generation != self._cma.generation:
            return
        # The rounded point, not the drawn one: it is what a journal can tell again.
        point = np.array([self.space[name].to_unit(params[name]) for name in self._numbers])
        loss = cast("float", value) if self.direction == "minimize" else -cast("float", value)
        self._results.append((point, loss))
        if len(self._results) == self.popsize:
            self._cma.tell(self._results)
            self._results = []
            if self._cma.should_stop():  # converged: begin again, from the middle
                self._cma = self._start()
                self._drawn = dict.fromkeys(self._drawn, -1)

    def to_json(self) -> dict[str, object]:
        return {"kind": "cmaes", "popsize": self.popsize}
