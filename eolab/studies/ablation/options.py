"""The options of `ablate`, so that editors and type checkers see those of ``ws.ablate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Required, TypedDict

from eolab.studies.ablation.components import Names
from eolab.studies.ablation.design import Design
from eolab.studies.ablation.trial import Change
from eolab.studies.client.options import Resume
from eolab.studies.space.parameters import Value
from eolab.studies.space.states import Direction


class AblateOptions(TypedDict, total=False):
    """The options of `eolab.studies.ablation.ablate`, which says what each means."""

    data: object
    name: str | None
    metric: Required[str]
    direction: Direction
    features: Names | bool
    groups: Mapping[str, Names] | None
    layers: Names | None
    modules: Mapping[str, Names] | None
    datasets: Mapping[str, object] | None
    models: Mapping[str, Callable[..., object]] | None
    changes: Mapping[str, Change] | None
    build: Callable[..., object] | None
    params: Mapping[str, Value] | None
    design: Design
    folds: int
    repeats: int
    seed: int
    project: bool
    stop_early: bool
    dry_run: bool
    workers: int | None
    on: str
    resume: Resume
    wait: bool
    tracking: bool
    check_metric: bool
    trial_timeout: float | None
    python_modules: Sequence[str]
