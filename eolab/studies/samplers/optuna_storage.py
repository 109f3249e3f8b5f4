# ruff: noqa: ARG002 - the arguments are the interface's; there is one study
"""The trials that a sampler sees, as a storage of Optuna's.

Optuna's own in-memory storage copies every trial on the way in (0.1 ms each), which is too slow
where the visible trials are chosen anew, and cannot take one away. This one holds one study, is
used by one thread and copies nothing.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from eolab.studies.space.parameters import Value

_BEGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - Optuna's times are naive; no sampler looks at them


def frozen(
    number: int,
    state: TrialState,
    *,
    value: float | None = None,
    params: dict[str, Value] | None = None,
    distributions: dict[str, BaseDistribution] | None = None,
    curve: dict[int, float] | None = None,
) -> FrozenTrial:
    """A trial without the checks that cost more than the trial."""
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=state,
        value=value,
        datetime_start=_BEGIN,
        datetime_complete=_BEGIN if state.is_finished() else None,
        params=params or {},
        distributions=distributions or {},
        user_attrs={},
        system_attrs={},
        intermediate_values=curve or {},
    )


class TrialTable(BaseStorage):
    """One study in memory.

    Attributes:
        trials: The visible trials by number, in rising order.
        asked: The number that the next trial gets.
    """

    def __init__(self, direction: StudyDirection) -> None:
        self.direction = direction
        self.trials: dict[int, FrozenTrial] = {}
        self.asked = 0
        self._attributes: dict[str, object] = {}

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        number = self.asked
        self.asked += 1
        self.trials[number] = template_trial or frozen(number, TrialState.RUNNING)
        return number

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        trial = self.trials[trial_id]
        trial.params[param_name] = distribution.to_external_repr(param_value_internal)
        trial.distributions[param_name] = distribution

    def set_trial_system_attr(self, trial_id: int, key: str, value: object) -> None:
        self.trials[trial_id].system_attrs[key] = value

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self.trials[trial_id]

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,  # the samplers only read
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        if states == (TrialState.WAITING,):
            return []  # asked for at every suggestion; nothing ever waits here
        if states is None:
            return list(self.trials.values())
        return [trial for trial in self.trials.values() if trial.state in states]

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        return 0

    def get_study_id_from_name(self, study_name: str) -> int:
        return 0

    def get_study_name_from_id(self, study_id: int) -> str:
        return "eolab"

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return [self.direction]

    def get_study_user_attrs(self, study_id: int) -> dict[str, object]:
        return {}

    def get_study_system_attrs(self, study_id: int) -> dict[str, object]:
        return self._attributes

    def set_study_system_attr(self, study_id: int, key: str, value: object) -> None:
        self._attributes[key] = value

    # What no sampler calls.

    def delete_study(self, study_id: int) -> None:
        raise NotImplementedError

    def set_study_user_attr(self, study_id: int, key: str, value: object) -> None:
        raise NotImplementedError

    def get_all_studies(self) -> list[FrozenStudy]:
        raise NotImplementedError

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        raise NotImplementedError

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        raise NotImplementedError

    def set_trial_user_attr(self, trial_id: int, key: str, value: object) -> None:
        raise NotImplementedError
