"""Answers of the server's own: what no domain makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias, TypedDict

from eolab.catalog.panel.answers import CatalogsJson
from eolab.json_types import Json, Point
from eolab.records.downloads import DownloadJson
from eolab.records.ingests import IngestJson
from eolab.records.lineage import LineageJson, RefJson
from eolab.records.search_index import SearchHitJson
from eolab.server.contract.requests import NewCatalogRequest
from eolab.studies.journal.answers import (
    ParameterJson,
    StudySummary,
    TrialHead,
    TrialJson,
    WorkerJson,
)
from eolab.studies.journal.commands import Command, TrialState
from eolab.studies.journal.spec import Digests

TidyCommand: TypeAlias = Literal["delete", "rename", "archive", "restore"]


class WorkspaceJson(TypedDict):
    id: str
    name: str
    path: str


class StatusJson(TypedDict):
    version: str
    api: int
    """The version of this contract."""
    workspace: WorkspaceJson
    sample: bool
    """Whether the workspace holds the simulated sample region."""


class AcceptedJson(TypedDict):
    accepted: bool


class MadeJson(TypedDict):
    id: str


class ErrorJson(TypedDict):
    """Any error: a status of 400 or above with this body."""

    message: str
    hint: str


class ShownJson(RefJson):
    """A thing with a title, or one that lists leave out."""

    title: str
    archived: bool


class BinEntryJson(RefJson):
    """What was deleted."""

    entry: str
    title: str
    deleted: float


class EntitiesJson(TypedDict):
    """How things are shown, and the bin."""

    shown: Sequence[ShownJson]
    bin: Sequence[BinEntryJson]
    """The latest first."""
    days: int
    """How long it keeps them."""


class DependentsJson(RefJson):
    """What can be done with a thing, and what hangs on it."""

    commands: Sequence[TidyCommand]
    refusal: str
    """Why it cannot be deleted now; empty where it can."""
    broken: Sequence[RefJson]
    """What cannot be used any more without it: deleted with it."""
    made: Sequence[RefJson]
    """What was made from it and stays."""


class TidiedJson(RefJson):
    """A thing after a command."""

    entries: Sequence[str]
    """Its entry in the bin where it was deleted, then those of what went with it."""


class PictureJson(TypedDict):
    """A picture on its way from the helper process."""

    type: str
    base64: str


class StretchedPictureJson(PictureJson):
    stretch: Sequence[float]
    """The values drawn darkest and brightest."""


class CatalogEntryJson(TypedDict):
    """A catalogue as `eolab.toml` names it."""

    name: str
    url: str
    kind: str
    description: str
    login: Mapping[str, Json]


class OwnCatalogJson(CatalogEntryJson):
    secrets: Sequence[str]
    """What of the key store it alone names, by reference."""


class RemovedCatalogJson(CatalogsJson):
    was: Annotated[Mapping[str, object], NewCatalogRequest]
    """What names it again: its keys and those of its login."""
    secrets: Sequence[str]
    """What was deleted from the key store."""
    left: Sequence[str]
    """What could not be deleted there, and why."""


class SearchHitsJson(TypedDict):
    results: Mapping[str, Sequence[SearchHitJson]]
    """By kind: collection, item, group, view, chips, study, model."""
    unread: Mapping[str, str]
    """Catalogues that could not be read, and why: what they hold now is not among the results."""


class AboutJson(TypedDict):
    """What a study runs, as its `study.json` says it."""

    function: str | None
    source: str | None
    data: Json
    seed: int | None
    plan: Json
    stop: Json
    trials: int | None
    workers: int | None
    timeout: float | None
    target: float | None
    trial_timeout: float | None
    retries: int | None
    memory: Json
    cluster: Json
    digest: Digests | None
    python: str | None
    lineage: LineageJson


class NotesJson(TypedDict):
    text: str
    modified: float | None
    """Null where nobody wrote anything yet."""


class TensorBoardJson(TypedDict):
    """Where TensorBoard listens, on the server's own machine."""

    port: int
    proxy: bool
    """Whether the Jupyter server passes `proxy/PORT/` on."""


class DownloadsJson(TypedDict):
    folder: str
    """Where files go."""
    downloads: Sequence[DownloadJson]


class IngestsJson(TypedDict):
    ingests: Sequence[IngestJson]


class StudySummaryJson(StudySummary):
    """One line of the studies list, with what can be asked of the study."""

    workers: Sequence[WorkerJson]
    """Those that are alive."""
    allowed: Sequence[Command]
    """Commands that it takes in its state."""


class StudiesJson(TypedDict):
    studies: Sequence[StudySummaryJson]


class StudyHeadJson(StudySummaryJson):
    """A study without its trials."""

    parameters: Annotated[Sequence[Mapping[str, object]], Sequence[ParameterJson]]
    allowed_of_trials: Mapping[TrialState, Sequence[Command]]
    """Commands about one trial that it takes, by the trial's state."""


class StudySnapshotJson(StudyHeadJson):
    """A study whole."""

    trials: Sequence[TrialJson]


class GrownTrialJson(TrialHead):
    """A trial of which only the new end of the curve is sent."""

    tail: Sequence[Point]


class StudyAnswerJson(StudyHeadJson):
    """A study, of which perhaps only the trials that changed since a `seq`."""

    trials: Sequence[TrialJson | GrownTrialJson]
    partial: bool
    """Whether `trials` holds only those that changed."""


class TrialLogJson(TypedDict):
    """The end of what a trial printed."""

    text: str
    truncated: bool
