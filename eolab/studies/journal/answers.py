"""A study, its trials and workers as plain JSON: what journals say to faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, TypedDict

from eolab.json_types import Json, Point, Scalar
from eolab.studies.journal.commands import StudyState, TrialState

Params: TypeAlias = dict[str, Scalar]
"""The hyperparameters of one trial."""


class Budget(TypedDict):
    """What a study may use: None for no limit."""

    trials: int
    timeout: float | None
    """Seconds."""
    target: float | None


class BestTrial(TypedDict):
    """The best completed trial, in short."""

    trial: int
    value: float | None
    params: Params


class RecordSummary(TypedDict):
    """The numbers of the studies list; times in seconds since the epoch."""

    state: Annotated[str, StudyState]
    message: str
    started: float | None
    ended: float | None
    now: float
    budget: Budget
    counts: Annotated[dict[str, int], dict[TrialState, int]]
    """Trials by state."""
    best: BestTrial | None
    best_curve: Sequence[Point]
    """At most 50 points of time and best value so far."""
    workers_alive: int
    seq: int
    """Grows with each event of the study's journal."""


class WorkerJson(TypedDict):
    """A worker as the panels get it."""

    id: str
    state: Annotated[str, Literal["starting", "idle", "busy", "lost", "left"]]
    trial: int | None


class TrialHead(TypedDict):
    """A trial without its curve."""

    number: int
    state: Annotated[str, TrialState]
    params: Params
    value: float | None
    started: float | None
    ended: float | None
    attempts: int
    worker: str | None
    error: str | None


class TrialJson(TrialHead):
    """A trial as the panels get it."""

    curve: Sequence[Point]


class Details(TypedDict):
    """Workers and trials."""

    workers: list[WorkerJson]
    trials: list[TrialJson]


class Head(TypedDict):
    """What the studies list says of a study besides its numbers."""

    name: str
    kind: Annotated[str, Literal["tune", "ablation"]]
    metric: str
    direction: Literal["maximize", "minimize"]
    created: float


class StudySummary(Head, RecordSummary):
    """One line of the studies list."""


class ParameterJson(TypedDict):
    """A hyperparameter, as `Parameter.to_json` has it."""

    name: str
    kind: str
    low: float | None
    high: float | None
    step: float | None
    log: bool | None
    choices: Sequence[Scalar] | None
    when: Json
    """Values of other parameters without which there is none of it."""


class StudySnapshot(StudySummary, Details):
    """The summary with parameters, workers and trials."""

    parameters: Annotated[list[dict[str, object]], list[ParameterJson]]
