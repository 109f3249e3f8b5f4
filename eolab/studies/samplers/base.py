"""Which configuration to try next.

Random, grid and QMC go by the trial's number alone; TPE, GP and CMA-ES look at results
(`eolab.studies.samplers.optuna`, `eolab.studies.samplers.cmaes`). Whatever is random is seeded by
(the study's seed, the trial's number), so that a resumed study never repeats a suggestion and a
study with one worker is always the same.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Mapping

from eolab.errors import InvalidInputError
from eolab.studies.space.parameters import Parameter, Params, Value, describe
from eolab.studies.space.seeds import derive_seed
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction, TrialState

GRID_LIMIT = 100_000
"""More points than that are no grid that anybody runs; listing them would cost memory."""


class Sampler(ABC):
    """Suggests configurations. One of your own is a small class with `ask`.

    The contract: `ask` answers only from its arguments, the seed and what was told, in the order
    in which it was told; it looks at no clock and no global random state (`derive_seed` gives a
    seed for each trial). On a resumed study `tell` is called for each event of the journal in
    order - state "running" where the first process called `ask` - and then `ask` goes on.

    Args:
        space: What may be suggested.
        direction: Whether large or small values are good.
        seed: The study's seed.
        trials: How many trials the study will run, where that is known.

    Example:
        A sampler of your own, ``tune(..., sampler=Middle)``:

        >>> from eolab.studies import Sampler, Space
        >>> class Middle(Sampler):
        ...     def ask(self, n):
        ...         return self.space.from_unit([0.5] * len(self.space))
        >>> space = Space.from_dict({"x": eo.uniform(0, 1)})
        >>> Middle(space, direction="maximize", seed=0).ask(0)
        {'x': 0.5}
    """

    limit: int | None = None
    """Number of suggestions; `ask` is called with 0 <= n < limit. None: no end.

    `tell` may lower it: a sampler that has nothing more to ask sets it to what it has asked.
    """

    def __init__(
        self, space: Space, *, direction: Direction, seed: int, trials: int | None = None
    ) -> None:
        self.space, self.direction, self.seed, self.trials = space, direction, seed, trials

    @abstractmethod
    def ask(self, n: int) -> Params:
        """The configuration of trial ``n``, which counts as running from now on."""

    def tell(  # noqa: B027 - a sampler may ignore results
        self,
        n: int,
        params: Params,
        value: float | None,
        state: TrialState,
        *,
        step: float | None = None,
    ) -> None:
        """A trial started (state "running": only when replaying) or ended.

        Args:
            n: The trial's number. A number told again is a further, longer run of the same
                configuration (a promotion).
            params: Its configuration.
            value: The final value; of a stopped trial the last one reported; None for none.
            state: How it stands.
            step: The last reported step, or the budget of a promoted configuration.
        """

    def to_json(self) -> dict[str, object]:
        """What `study.json` says about the sampler; `make_sampler` reads it."""
        return {"kind": type(self).__name__}


class RandomSampler(Sampler):
    """Independent draws; trial ``n`` depends on nothing but the seed and ``n``."""

    def ask(self, n: int) -> Params:
        stream = random.Random(derive_seed(self.seed, n, "random"))
        return self.space.from_unit([stream.random() for _ in self.space])

    def to_json(self) -> dict[str, object]:
        return {"kind": "random"}


class QMCSampler(Sampler):
    """Points of a scrambled Sobol sequence: they fill the space more evenly than random draws."""

    def __init__(
        self, space: Space, *, direction: Direction, seed: int, trials: int | None = None
    ) -> None:
        super().__init__(space, direction=direction, seed=seed, trials=trials)
        self._position = -1

    def ask(self, n: int) -> Params:
        if n != self._position:  # the first call, or one out of order
            from scipy.stats import qmc

            self._engine = qmc.Sobol(
                len(self.space), scramble=True, rng=derive_seed(self.seed, 0, "qmc")
            )
            if n:
                self._engine.fast_forward(n)
        self._position = n + 1
        return self.space.from_unit([float(u) for u in self._engine.random(1)[0]])

    def to_json(self) -> dict[str, object]:
        return {"kind": "qmc"}


class GridSampler(Sampler):
    """Every combination once, in an order shuffled by the seed.

    Shuffled, so that a study that is stopped early has seen all corners.

    Args:
        points: Number of values of a continuous parameter without a step, evenly spread (over the
            logarithm where it is logarithmic), both ends included.

    Raises:
        InvalidInputError: A continuous parameter and no ``points``, or more than 100,000
            combinations.
    """

    def __init__(
        self,
        space: Space,
        *,
        direction: Direction,
        seed: int,
        trials: int | None = None,
        points: int | None = None,
    ) -> None:
        super().__init__(space, direction=direction, seed=seed, trials=trials)
        if points is not None and points < 2:
            raise InvalidInputError(f"a grid with points={points}", "Give 2 points or more.")
        self.points = points
        values = {name: self._values(name, space[name]) for name in space}
        self._grid: list[Params] = [{}]
        for name in space.order():
            grown: list[Params] = []
            for params in self._grid:
                if not space.active(name, params):
                    grown.append(params)
                    continue
                grown.extend({**params, name: value} for value in values[name])
                if len(grown) > GRID_LIMIT:
                    raise InvalidInputError(
                        f"the grid has more than {GRID_LIMIT:,} combinations",
                        'Take coarser steps, or sampler="qmc" or "random".',
                    )
            self._grid = grown
        random.Random(derive_seed(seed, 0, "grid")).shuffle(self._grid)
        self.limit = len(self._grid)

    def _values(self, name: str, parameter: Parameter) -> tuple[Value, ...]:
        if parameter.count is not None:
            return parameter.values()
        if self.points is None:
            raise InvalidInputError(
                f"a grid needs steps: {name!r} is {describe(parameter)}",
                "Give it a step, use eo.ordinal, or sampler={'kind': 'grid', 'points': 5}.",
            )
        # from_unit spreads over the range, ends included at 0 and 1.
        return tuple(parameter.from_unit(i / (self.points - 1)) for i in range(self.points))

    def ask(self, n: int) -> Params:
        params = self._grid[n]
        return {name: params[name] for name in self.space if name in params}

    def to_json(self) -> dict[str, object]:
        return {"kind": "grid"} | ({} if self.points is None else {"points": self.points})


class CheckedSampler(Sampler):
    """A sampler of a user's, whose suggestions are checked before a worker sees them."""

    def __init__(self, inner: Sampler, space: Space) -> None:
        super().__init__(space, direction="maximize", seed=0)
        self.inner = inner
        self.limit = getattr(inner, "limit", None)

    def ask(self, n: int) -> Params:
        name = type(self.inner).__name__
        params = self.inner.ask(n)
        if not isinstance(params, Mapping):
            raise InvalidInputError(
                f"{name}.ask({n}) answered {params!r}", "Answer a dict of name -> value."
            )
        params = dict(params)
        self.space.require(params, name)
        return params

    def tell(
        self,
        n: int,
        params: Params,
        value: float | None,
        state: TrialState,
        *,
        step: float | None = None,
    ) -> None:
        if hasattr(self.inner, "tell"):
            self.inner.tell(n, params, value, state, step=step)
            self.limit = getattr(self.inner, "limit", None)

    def to_json(self) -> dict[str, object]:
        own = type(self.inner)
        return {"kind": "own", "class": f"{own.__module__}.{own.__qualname__}"}


def usable(value: float | None) -> bool:
    """Whether a model can learn from this value."""
    return value is not None and math.isfinite(value)
