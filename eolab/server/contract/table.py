"""Which route takes and answers what: the contract in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from eolab.catalog.ingestion import answers as ingestion
from eolab.catalog.panel import answers as catalog
from eolab.features import answers as features
from eolab.models import answers as models
from eolab.records import lineage, saved_searches
from eolab.server.contract import answers, requests
from eolab.server.folder_listing import FolderJson
from eolab.studies.panel import answers as studies

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
PNG, CSV = "image/png", "text/csv"


@dataclass(frozen=True)
class Route:
    """One way to ask the server.

    Attributes:
        method: The HTTP method.
        path: Below `<base_url>eolab/api/v1/`; names in braces stand for a part each.
        answer: The type of its JSON answer, or the media type of another one.
        request: The type of its JSON body; None without one.
        status: Of a good answer.
    """

    method: Method
    path: str
    answer: object
    request: object = None
    status: int = 200


TABLE: tuple[Route, ...] = (
    Route("GET", "status", answers.StatusJson),
    Route("GET", "catalogs", catalog.CatalogsJson),
    Route("POST", "catalogs", catalog.CatalogsJson, requests.NewCatalogRequest, 201),
    Route("GET", "catalogs/{name}", answers.OwnCatalogJson),
    Route("PUT", "catalogs/{name}", catalog.CatalogsJson, requests.ChangeCatalogRequest),
    Route("DELETE", "catalogs/{name}", answers.RemovedCatalogJson),
    Route("GET", "catalogs/{name}/collections", catalog.CollectionsJson),
    Route("GET", "catalogs/{name}/items", catalog.ItemsJson),
    Route("GET", "catalogs/{name}/thumbnail", PNG),
    Route("GET", "catalogs/{name}/preview", PNG),
    Route("GET", "catalogs/{name}/queryables", catalog.QueryablesJson),
    Route("POST", "catalogs/{name}/search", catalog.FoundJson, requests.ItemQueryRequest),
    Route("GET", "catalogs/{name}/item", catalog.ItemDetailJson),
    Route("POST", "catalogs/{name}/calendar", catalog.CalendarJson, requests.CalendarRequest),
    Route("POST", "catalogs/{name}/curve", catalog.FieldCurveJson, requests.FieldCurveRequest),
    Route("POST", "search/prepare", answers.AcceptedJson, requests.EmptyRequest, 202),
    Route("GET", "search", answers.SearchHitsJson),
    Route("GET", "downloads", answers.DownloadsJson),
    Route("POST", "downloads", answers.MadeJson, requests.DownloadRequest, 201),
    Route(
        "POST",
        "downloads/{id}/commands",
        answers.AcceptedJson,
        requests.DownloadCommandRequest,
        202,
    ),
    Route("GET", "ingests", answers.IngestsJson),
    Route("POST", "ingests", answers.MadeJson, requests.IngestRequest, 201),
    Route("POST", "ingests/preview", ingestion.IngestPreviewJson, requests.IngestRequest),
    Route("GET", "ingests/folders", FolderJson),
    Route(
        "POST",
        "ingests/{id}/commands",
        answers.AcceptedJson,
        requests.IngestCommandRequest,
        202,
    ),
    Route("GET", "saved", saved_searches.SavedJson),
    Route("POST", "saved", saved_searches.SavedJson, requests.SaveRequest),
    Route("GET", "features", features.FeaturesJson),
    Route("GET", "features/groups/{name}/{version}", features.GroupDetailsJson),
    Route("GET", "features/groups/{name}/{version}/statistics", features.GroupStatisticsJson),
    Route("GET", "features/groups/{name}/{version}/rows", features.GroupRowsJson),
    Route("GET", "features/groups/{name}/{version}/places", features.GroupPlacesJson),
    Route("GET", "features/lineage", features.LineageGraphJson),
    Route("POST", "features/views", features.ViewJson, requests.ViewRequest, 201),
    Route("GET", "studies", answers.StudiesJson),
    Route("GET", "studies/{name}", answers.StudyAnswerJson),
    Route("POST", "studies/{name}/commands", answers.AcceptedJson, requests.CommandRequest, 202),
    Route("GET", "studies/{name}/trials/{number}/log", answers.TrialLogJson),
    Route("GET", "studies/{name}/about", answers.AboutJson),
    Route("GET", "studies/{name}/timeline", studies.TimelineJson),
    Route("GET", "studies/{name}/importance", studies.ImportanceJson),
    Route("GET", "studies/{name}/band", studies.BandJson),
    Route("GET", "studies/{name}/ablation", studies.AblationJson),
    Route("GET", "studies/{name}/trials.csv", CSV),
    Route("GET", "studies/{name}/notes", answers.NotesJson),
    Route("PUT", "studies/{name}/notes", answers.NotesJson, requests.NotesRequest),
    Route("POST", "studies/{name}/tensorboard", answers.TensorBoardJson, requests.EmptyRequest),
    Route("GET", "models", models.ModelsJson),
    Route("GET", "lineage", lineage.LineageJson),
    Route("GET", "entities", answers.EntitiesJson),
    Route("GET", "entities/about", answers.DependentsJson),
    Route("POST", "entities/commands", answers.TidiedJson, requests.TidyRequest),
)
