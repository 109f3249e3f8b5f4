"""What the pictures of a study are drawn from, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias, TypedDict

from eolab.json_types import Point

Outcome: TypeAlias = Literal[
    "running", "completed", "failed", "stopped", "lost", "retried", "interrupted"
]


class SpanJson(TypedDict):
    """One attempt of one trial on one worker."""

    worker: str
    trial: int
    attempt: int
    start: float
    end: float | None
    outcome: Annotated[str, Outcome]


class StayJson(TypedDict):
    """A worker while it was there."""

    id: str
    start: float
    end: float | None
    ended: Annotated[str | None, Literal["left", "lost"] | None]


class TimelineJson(TypedDict):
    spans: Sequence[SpanJson]
    workers: Sequence[StayJson]
    now: float


class BoundJson(TypedDict):
    side: Annotated[str, Literal["below", "above"]]
    """On which side of the bound a trial is stopped."""
    of: Literal["best", "last"]
    """What is compared with the bound: the best value so far, or the newest one."""
    points: Sequence[Point]


class BandJson(TypedDict):
    """Where trials are stopped early: a bound at each step."""

    bounds: Sequence[BoundJson]


class NamedValueJson(TypedDict):
    name: str
    value: float


class ImportanceJson(TypedDict):
    method: str
    trials: int
    """How many trials it was computed from."""
    importance: Sequence[NamedValueJson]
    left_out: Sequence[str]
    """Parameters of which nothing can be said."""


class EstimateJson(TypedDict):
    """A mean of paired differences and how sure it is."""

    value: float
    low: float | None
    high: float | None
    p: float | None
    pairs: int
    level: float


class PairEstimateJson(EstimateJson):
    a: str
    b: str


class NamedEstimateJson(EstimateJson):
    name: str


class AblationRowJson(TypedDict):
    variant: str
    removed: Sequence[str]
    runs: int
    mean: float | None
    std: float | None
    """Standard deviation of the runs."""
    drop: EstimateJson | None
    """How much worse than the baseline on the same folds and seeds; null for the baseline."""
    corrected: float | None
    """p after Holm's correction for all variants."""
    seconds: float | None
    cost: Mapping[str, float]
    words: str | None


class AblationMetricJson(TypedDict):
    name: str
    drops: Mapping[str, float | None]


class AblationJson(TypedDict):
    """What an ablation has shown so far."""

    metric: str
    level: float
    planned: int
    ended: int
    rows: Sequence[AblationRowJson]
    """The baseline, then the others from the largest drop to the smallest."""
    pairs: Sequence[PairEstimateJson]
    shapley: Sequence[NamedEstimateJson]
    """The value of each part where all subsets were run, the largest first."""
    metrics: Sequence[AblationMetricJson]
    """What else each run reported, with the drop of each variant."""
    notes: Sequence[str]
