"""Samplers that fit a model to the results: TPE and GP, by Optuna, in memory.

What Optuna sees follows from what was told and in which order, so that a resumed study goes on
exactly where the first one was. Beyond a number of trials the model is fitted on a subset,
which bounds the cost of a suggestion (a TPE fit on all of 10,000 trials takes 150 ms).
"""

from __future__ import annotations

import heapq
import importlib.util
import math
import random
import sys
import warnings
from typing import TYPE_CHECKING, cast

from eolab.errors import InvalidInputError
from eolab.studies.samplers.base import Sampler, usable
from eolab.studies.space.parameters import Parameter, Params, Value
from eolab.studies.space.seeds import derive_seed
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction
from eolab.studies.space.states import TrialState as State

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial, Trial


class OptunaSampler(Sampler):
    """Any sampler of Optuna's that needs nothing but the trials so far.

    A fresh Optuna sampler with the trial's own seed makes each suggestion. It sees the running
    trials and all results while there are at most ``full``; else a base - the best, the newest
    and a random choice, ``base`` in all, renewed after every ``renew`` results - and everything
    since. Both follow from the order in which results were told, which the journal keeps.

    Attributes:
        full: Up to so many results all are used.
        base: Size of the subset after that.
        renew: The subset is chosen anew after so many results.
    """

    full = 1000
    base = 160
    renew = 80

    def __init__(
        self,
        space: Space,
        *,
        direction: Direction,
        seed: int,
        trials: int | None = None,
        startup: int = 10,
    ) -> None:
        import optuna

        super().__init__(space, direction=direction, seed=seed, trials=trials)
        self.startup = startup
        self._order = space.order()
        self._distributions = {name: _distribution(space[name]) for name in space}
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # "A new study created"
        from eolab.studies.samplers.optuna_storage import TrialTable

        sense = optuna.study.StudyDirection
        self._table = TrialTable(sense.MAXIMIZE if direction == "maximize" else sense.MINIMIZE)
        self._study = optuna.create_study(storage=self._table, direction=direction)
        self._ended: list[FrozenTrial] = []  # in the order told
        self._running: dict[int, int] = {}  # our number -> the table's
        self._base_count = 0  # number of results that the base was chosen from

    @property
    def visible(self) -> int:
        """How many trials the model sees."""
        return len(self._table.trials)

    def _make(self, seed: int) -> BaseSampler:
        raise NotImplementedError

    def ask(self, n: int) -> Params:
        import optuna

        self._choose()
        self._study.sampler = self._make(derive_seed(self.seed, n, "sampler"))
        with warnings.catch_warnings():
            # Experimental parts are used on purpose: "group" is how Optuna treats conditions.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            trial = self._study.ask()
            params: Params = {}
            for name in self._order:
                if self.space.active(name, params):
                    params[name] = self._suggest(trial, name)
        params = {name: params[name] for name in self.space if name in params}
        # As a replay would enter it: with the final parameters and without Optuna's own notes.
        self._enter(trial.number, params, None, None)
        self._running[n] = trial.number
        return params

    def _suggest(self, trial: Trial, name: str) -> Value:
        from optuna import distributions

        parameter, d = self.space[name], self._distributions[name]
        if isinstance(d, distributions.CategoricalDistribution):
            return parameter.choices[cast("int", trial.suggest_categorical(name, d.choices))]
        if isinstance(d, distributions.IntDistribution):
            number = trial.suggest_int(name, d.low, d.high, step=d.step, log=d.log)
            return parameter.choices[number] if parameter.choices else number
        assert isinstance(d, distributions.FloatDistribution)
        value = trial.suggest_float(name, d.low, d.high, step=d.step, log=d.log)
        return parameter.from_unit(parameter.to_unit(value)) if parameter.step else value

    def tell(
        self,
        n: int,
        params: Params,
        value: float | None,
        state: State,
        *,
        step: float | None = None,
    ) -> None:
        if state == "running" or n not in self._running:
            # A replay, or a promotion: the same configuration is observed once more.
            number = self._table.create_new_trial(0)
            self._enter(number, params, None, None)
            self._running[n] = number
        if state == "running":
            return
        number = self._running.pop(n)
        if state == "failed" or value is None or not usable(value):
            del self._table.trials[number]
            return
        at = math.floor(step or 0) if state == "stopped" else None
        self._ended.append(self._enter(number, params, value, at))

    def _enter(
        self, number: int, params: Params, value: float | None, stopped_at: int | None
    ) -> FrozenTrial:
        from optuna.trial import TrialState

        from eolab.studies.samplers.optuna_storage import frozen

        state = TrialState.COMPLETE if stopped_at is None else TrialState.PRUNED
        position = {
            name: self.space[name].choices.index(choice) if self.space[name].choices else choice
            for name, choice in params.items()
        }
        trial = frozen(
            number,
            TrialState.RUNNING if value is None else state,
            value=value,
            params=position,
            distributions={name: self._distributions[name] for name in params},
            curve=None if stopped_at is None or value is None else {stopped_at: value},
        )
        self._table.trials[number] = trial
        return trial

    def _choose(self) -> None:
        """Renew the visible trials where that is due."""
        ended = len(self._ended)
        start = ended // self.renew * self.renew
        if ended <= self.full or start == self._base_count:
            return
        self._base_count = start
        visible = self._subset(start) | {trial.number for trial in self._ended[start:]}
        visible.update(self._running.values())
        known = {trial.number: trial for trial in self._ended}
        trials = self._table.trials
        self._table.trials = {i: known.get(i) or trials[i] for i in sorted(visible)}

    def _subset(self, count: int) -> set[int]:
        """Of the first ``count`` results the best quarter, the newest and a random half."""
        results = self._ended[:count]
        sign = -1.0 if self.direction == "maximize" else 1.0

        def rank(trial: FrozenTrial) -> tuple[int, float]:
            # Optuna's order: completed trials, then stopped ones, those that came farthest first.
            return -(trial.last_step if trial.last_step is not None else sys.maxsize), sign * (
                cast("float", trial.values[0])
            )

        quarter = self.base // 4
        taken = {trial.number for trial in heapq.nsmallest(quarter, results, key=rank)}
        taken.update(trial.number for trial in results[-quarter:])
        rest = [trial.number for trial in results if trial.number not in taken]
        stream = random.Random(derive_seed(self.seed, count, "subset"))
        return taken | set(stream.sample(rest, min(len(rest), self.base - len(taken))))


class TPESampler(OptunaSampler):
    """Tree-structured Parzen estimator (Bergstra et al. 2011), multivariate, with constant liar.

    Running trials count as bad ones, so that parallel workers do not all try the same corner.

    Args:
        startup: So many random trials come first.
    """

    def _make(self, seed: int) -> BaseSampler:
        import optuna

        # Without conditions every trial has every parameter; looking that up in all trials is
        # most of what a suggestion costs.
        shared = {name: d for name, d in sorted(self._distributions.items()) if not d.single()}

        class FixedSpaceTPE(optuna.samplers.TPESampler):
            def infer_relative_search_space(
                self,
                study: Study,  # noqa: ARG002
                trial: FrozenTrial,  # noqa: ARG002
            ) -> dict[str, BaseDistribution]:
                return shared

        conditional = self.space.conditional
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            kind = optuna.samplers.TPESampler if conditional else FixedSpaceTPE
            return kind(
                seed=seed,
                n_startup_trials=self.startup,
                multivariate=True,
                group=conditional,
                constant_liar=True,
            )

    def to_json(self) -> dict[str, object]:
        return {"kind": "tpe", "startup": self.startup}


class GPSampler(OptunaSampler):
    """Gaussian process with expected improvement on the logarithm; needs PyTorch.

    Its cost grows with the cube of the trials, so the subset starts early.
    """

    full = 200
    base = 120
    renew = 40

    def __init__(
        self,
        space: Space,
        *,
        direction: Direction,
        seed: int,
        trials: int | None = None,
        startup: int = 10,
    ) -> None:
        if importlib.util.find_spec("torch") is None:
            raise InvalidInputError(
                'sampler="gp" needs PyTorch, which is not installed',
                'Run `pip install "eolab[torch]"`, or use sampler="tpe".',
            )
        super().__init__(space, direction=direction, seed=seed, trials=trials, startup=startup)

    def ask(self, n: int) -> Params:
        import torch

        # Matrices this small gain nothing from threads: they wait for each other (ten times the
        # time on a busy machine), and sums in another order would be another suggestion.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return super().ask(n)
        finally:
            torch.set_num_threads(threads)

    def _make(self, seed: int) -> BaseSampler:
        import optuna

        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=self.startup)

    def to_json(self) -> dict[str, object]:
        return {"kind": "gp", "startup": self.startup}


def _distribution(parameter: Parameter) -> BaseDistribution:
    """Optuna's counterpart; choices by position, since Optuna knows no equal 1 and "1"."""
    from optuna import distributions

    if parameter.kind == "choice":
        return distributions.CategoricalDistribution(range(len(parameter.choices)))
    if parameter.kind == "discrete":
        return distributions.IntDistribution(0, len(parameter.choices) - 1)
    assert parameter.low is not None
    assert parameter.high is not None
    count = parameter.count
    if parameter.kind == "integer":
        step = int(parameter.step or 1)
        low = int(parameter.low)
        high = low + step * (cast("int", count) - 1)
        return distributions.IntDistribution(low, high, log=parameter.log, step=step)
    if parameter.step is not None and count is not None:
        end = parameter.low + parameter.step * (count - 1)
        return distributions.FloatDistribution(parameter.low, end, step=parameter.step)
    return distributions.FloatDistribution(
        parameter.low, parameter.high, log=parameter.kind == "loguniform"
    )


def export_distribution(parameter: Parameter) -> BaseDistribution:
    """Optuna's counterpart with the values themselves, for studies that leave eolab."""
    from optuna import distributions

    if parameter.choices:
        return distributions.CategoricalDistribution(parameter.choices)
    return _distribution(parameter)
