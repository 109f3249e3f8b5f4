"""The options of `tune`, so that editors and type checkers see those of ``ws.tune``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Required, TypeAlias, TypedDict

from eolab.studies.samplers.factory import SamplerSpec
from eolab.studies.space.parameters import Parameter
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction
from eolab.studies.stopping.factory import RuleSpec

Resume: TypeAlias = bool | Literal["force", "anyway"]
"""What happens to a study of the same name; "anyway" is the old name of "force"."""


class TuneOptions(TypedDict, total=False):
    """The options of `eolab.studies.tune`, which says what each means."""

    data: object
    name: str | None
    metric: Required[str]
    direction: Direction
    trials: int
    workers: int | None
    on: str
    space: Mapping[str, Parameter] | Space | None
    sampler: SamplerSpec
    pruner: RuleSpec
    seed: int
    resume: Resume
    overwrite: bool
    wait: bool
    timeout: float | None
    target: float | None
    trial_timeout: float | None
    retries: int
    cpus: int | None
    threads: int | None
    memory: float | None
    lease: float
    tracking: bool
    mailbox: str | bool
    modules: Sequence[str]
    check_metric: bool
