"""Bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from eolab.json_types import BBox, Items, Json

ItemKey: TypeAlias = Annotated[Sequence[str], Items(str, str)]
"""Collection and id."""


class LoginRequest(TypedDict):
    """The keys of a login; secrets are named (`env:NAME`, `keyring:SERVICE/USER`)."""

    token: NotRequired[str]
    sign: NotRequired[str]
    client_id: NotRequired[str]
    client_secret: NotRequired[str]
    token_url: NotRequired[str]
    scope: NotRequired[str]
    headers: NotRequired[Mapping[str, Json]]
    s3: NotRequired[Mapping[str, Json]]


class ChangeCatalogRequest(LoginRequest):
    url: str
    kind: NotRequired[str]
    description: NotRequired[str]


class NewCatalogRequest(ChangeCatalogRequest):
    name: str


class ItemQueryRequest(TypedDict):
    collection: NotRequired[str | None]
    bbox: NotRequired[BBox | None]
    intersects: NotRequired[Mapping[str, Json] | None]
    """A GeoJSON polygon in degrees."""
    datetime: NotRequired[str | None]
    max_cloud: NotRequired[float | None]
    """Percent."""
    filter: NotRequired[Mapping[str, Json] | None]
    """CQL2 as JSON."""
    text: NotRequired[str | None]
    limit: NotRequired[int]


class CalendarRequest(TypedDict):
    collection: str
    geometry: Json
    """A GeoJSON polygon in degrees."""
    datetime: NotRequired[str | None]


class FieldCurveRequest(CalendarRequest):
    max_cloud: NotRequired[float | None]
    """Percent."""
    index: NotRequired[str | None]


class SaveRequest(TypedDict):
    kind: Literal["search", "area"]
    name: str
    value: Json
    """Null drops the entry."""


class DownloadRequest(TypedDict):
    catalog: str
    items: Sequence[ItemKey]
    assets: NotRequired[Sequence[str]]
    """Keys; none takes those that hold the data."""


class DownloadCommandRequest(TypedDict):
    command: Literal["cancel", "resume", "forget"]


class IngestRequest(TypedDict):
    """Rasters, and what the user says of them, as `eolab.ingest` takes it."""

    paths: Sequence[str]
    """Folders and files: absolute, or as the file browser shows them."""
    to: NotRequired[str]
    """Name of the catalogue in the workspace."""
    collection: NotRequired[str | None]
    pattern: NotRequired[str | None]
    time: NotRequired[Json]
    """Of files that tell none; or of some, by file name."""
    bands: NotRequired[Json]
    """Names, or names by file or pattern."""
    scale: NotRequired[Json]
    """A number, or numbers by file, pattern or band."""
    offset: NotRequired[Json]
    nodata: NotRequired[Json]


class IngestCommandRequest(TypedDict):
    command: Literal["cancel", "forget"]


class ViewLabelsRequest(TypedDict):
    group: str
    """Written as `name/version`."""
    column: str


class ViewFeaturesRequest(TypedDict):
    group: str
    columns: Sequence[str]
    prefix: str


class ViewRequest(TypedDict):
    """The form that makes a view."""

    name: str
    version: int
    description: str
    labels: ViewLabelsRequest
    features: Sequence[ViewFeaturesRequest]


class StudyCommandRequest(TypedDict):
    command: Literal["pause", "resume", "cancel"]


class TrialCommandRequest(TypedDict):
    command: Literal["stop", "retry"]
    number: int
    """The trial's number."""


class SetCommandRequest(TypedDict):
    command: Literal["set"]
    trials: NotRequired[int]
    workers: NotRequired[int]


CommandRequest: TypeAlias = StudyCommandRequest | TrialCommandRequest | SetCommandRequest


class EntityRequest(TypedDict):
    """A study, group, view, training dataset, model or version."""

    kind: str
    id: str


class TidyRequest(EntityRequest):
    command: Literal["delete", "rename", "archive", "restore"]
    title: NotRequired[str]
    """What it is called from now on, for rename."""
    cascade: NotRequired[bool]
    """Delete what cannot be read without it, too."""
    entry: NotRequired[str]
    """Which entry of the bin is restored; by default the last of this name."""


class NotesRequest(TypedDict):
    text: str
    modified: float | None
    """As it was read: 409 where somebody else wrote meanwhile."""


class EmptyRequest(TypedDict):
    pass
