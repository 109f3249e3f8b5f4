"""What the feature panel gets, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from eolab.features.geometry import GroupGeometryJson, PlaceKind
from eolab.features.queries.query import StepsSpec, Task
from eolab.json_types import Items, Position, Scalar

Outcome: TypeAlias = Literal["met", "warned", "refused"]
Link: TypeAlias = Annotated[Sequence[str], Items(str, str)]
Top: TypeAlias = Annotated[Sequence[object], Items(str, int)]


class ColumnJson(TypedDict):
    name: str
    type: str
    unit: str
    """Empty where nobody said it."""
    description: str


class CommitJson(TypedDict):
    version: int
    time: float
    rows: int
    operation: str


class FeatureGroupJson(TypedDict):
    name: str
    version: int
    description: str
    primary_key: Sequence[str]
    event_time: str | None
    rows: int
    columns: Sequence[ColumnJson]
    commits: int
    last_commit: CommitJson | None
    tags: Sequence[str]
    keywords: Sequence[str]
    owner: str
    online: bool
    """Whether its newest rows are served by key."""


class GroupCommitJson(CommitJson):
    """One commit of a group, in full."""

    new: int
    """Of its rows, those whose key was not there."""
    ingested: int
    """The newest ingestion time after it, microseconds since the epoch."""
    total: int
    """Rows of the group after it."""
    changed: bool
    """Whether the table holds several rows of one key."""
    deleted: bool
    """Whether rows were ever deleted."""


class ValidationJson(TypedDict):
    """How one insert met the expectations of its group."""

    time: float
    rows: int
    outcome: Outcome
    failed: Mapping[str, int]
    """How many rows broke each expectation that was broken."""
    expectations: int
    commit: int | None


class CorrelationsJson(TypedDict):
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    rows: int


class MadeByJson(TypedDict):
    """The cell or script of a commit."""

    notebook: NotRequired[str]
    code: NotRequired[str]
    script: NotRequired[str]


class GroupDetailsJson(FeatureGroupJson):
    """Everything of a group but its rows."""

    created: float
    geometry: GroupGeometryJson | None
    expectations: Mapping[str, str]
    policy: str
    parents: Sequence[str]
    history: Sequence[GroupCommitJson]
    """Newest first."""
    validations: Sequence[ValidationJson]
    """Newest first."""
    correlations: CorrelationsJson
    made_by: Annotated[Mapping[str, str], MadeByJson]
    """The cell or script of the newest commit."""


class GroupRowsJson(TypedDict):
    """A page of a group's rows: times in seconds, geometries as WKT."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Scalar]]
    total: int


class GroupPlacesJson(TypedDict):
    """Where a group's rows are, longitude before latitude."""

    points: Sequence[Position]
    outlines: Sequence[Sequence[Position]]
    """The outer rings of areas, in the order of the points; empty where not all are areas."""
    total: int
    """How many have a place; the points are a sample where these are more."""
    kind: Annotated[str, PlaceKind]


class HistogramJson(TypedDict):
    edges: Sequence[float]
    counts: Sequence[int]


class ColumnStatisticsJson(TypedDict):
    column: str
    count: int
    nulls: int
    distinct: int | None
    min: Scalar
    max: Scalar
    mean: float | None
    std: float | None
    quantiles: Sequence[float] | None
    """The 5, 25, 50, 75 and 95 % quantiles."""
    histogram: HistogramJson | None
    top: Sequence[Top] | None
    """The most frequent values with their counts."""


class GroupStatisticsJson(TypedDict):
    commit: int
    statistics: Sequence[ColumnStatisticsJson]


class LineageNodeJson(TypedDict):
    id: str
    kind: str
    name: str
    side: Annotated[str, Literal["self", "upstream", "downstream"]]


class LineageGraphJson(TypedDict):
    """What something was made from, and what of it."""

    nodes: Sequence[LineageNodeJson]
    edges: Sequence[Link]
    """Ids: the second was made from the first."""
    left_out: int


class TrainingDatasetJson(TypedDict):
    version: int
    description: str
    created: float | None
    by: NotRequired[str]
    parts: NotRequired[Mapping[str, int | None]]
    """Samples of each part."""
    fault: str | None
    """Why it cannot be read; null where it can."""


class ViewColumnJson(TypedDict):
    name: str
    group: str
    column: str


class ViewJson(TypedDict):
    """A view as it was made."""

    name: str
    version: int
    description: str
    labels: Sequence[str]
    features: int
    groups: Sequence[str]
    """Written as `name/version`."""


class FeatureViewJson(ViewJson):
    created: float
    label_group: str
    """The group whose rows are the samples, written as `name/version`."""
    task: Task | None
    """What its labels are; null where it has none, or nothing tells yet."""
    columns: Sequence[ViewColumnJson]
    steps: StepsSpec | None
    """The steps of sequences; null where there are none."""
    datasets: Sequence[TrainingDatasetJson]


class FeaturesJson(TypedDict):
    groups: Sequence[FeatureGroupJson]
    views: Sequence[FeatureViewJson]
