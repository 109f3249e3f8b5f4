"""Calls to the helper process: each by its name, with the type of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeGuard, TypeVar

if TYPE_CHECKING:
    from eolab.catalog.ingestion.answers import IngestPreviewJson
    from eolab.catalog.panel.answers import (
        CalendarJson,
        CatalogsJson,
        CollectionsJson,
        FieldCurveJson,
        FoundJson,
        ItemDetailJson,
        ItemsJson,
        QueryablesJson,
    )
    from eolab.features.answers import (
        FeaturesJson,
        GroupDetailsJson,
        GroupPlacesJson,
        GroupRowsJson,
        GroupStatisticsJson,
        LineageGraphJson,
        ViewJson,
    )
    from eolab.models.answers import ModelsJson
    from eolab.server.contract.answers import (
        AcceptedJson,
        DependentsJson,
        PictureJson,
        SearchHitsJson,
        StretchedPictureJson,
        TidiedJson,
    )
    from eolab.studies.panel.answers import AblationJson, ImportanceJson

T = TypeVar("T")


@dataclass(frozen=True)
class HelperCall(Generic[T]):
    """A call whose answer is a T."""

    name: str


def is_answer(value: object, call: HelperCall[T]) -> TypeGuard[T]:
    """Whether this can be the answer of a call: all are JSON objects.

    That it has the keys of its type, mypy holds the functions of the child process to.
    """
    del call
    return isinstance(value, dict)


CATALOGS: HelperCall[CatalogsJson] = HelperCall("catalogs")
COLLECTIONS: HelperCall[CollectionsJson] = HelperCall("catalog.collections")
FORGET_CATALOG: HelperCall[CatalogsJson] = HelperCall("catalog.forget")
ITEMS: HelperCall[ItemsJson] = HelperCall("catalog.items")
THUMBNAIL: HelperCall[PictureJson] = HelperCall("catalog.thumbnail")
PREVIEW: HelperCall[StretchedPictureJson] = HelperCall("catalog.preview")
FOUND: HelperCall[FoundJson] = HelperCall("catalog.found")
DETAIL: HelperCall[ItemDetailJson] = HelperCall("catalog.detail")
PREPARE: HelperCall[AcceptedJson] = HelperCall("catalog.prepare")
CALENDAR: HelperCall[CalendarJson] = HelperCall("catalog.calendar")
CURVE: HelperCall[FieldCurveJson] = HelperCall("catalog.curve")
QUERYABLES: HelperCall[QueryablesJson] = HelperCall("catalog.queryables")
CHECK_INGEST: HelperCall[AcceptedJson] = HelperCall("catalog.check_ingest")
PREVIEW_INGEST: HelperCall[IngestPreviewJson] = HelperCall("catalog.preview_ingest")
SEARCH: HelperCall[SearchHitsJson] = HelperCall("search")
FEATURES: HelperCall[FeaturesJson] = HelperCall("features")
GROUP: HelperCall[GroupDetailsJson] = HelperCall("features.group")
LINEAGE: HelperCall[LineageGraphJson] = HelperCall("features.lineage")
MAKE_VIEW: HelperCall[ViewJson] = HelperCall("features.make_view")
PLACES: HelperCall[GroupPlacesJson] = HelperCall("features.places")
ROWS: HelperCall[GroupRowsJson] = HelperCall("features.rows")
STATISTICS: HelperCall[GroupStatisticsJson] = HelperCall("features.statistics")
MODELS: HelperCall[ModelsJson] = HelperCall("models")
IMPORTANCE: HelperCall[ImportanceJson] = HelperCall("studies.importance")
ABLATION: HelperCall[AblationJson] = HelperCall("studies.ablation")
ENTITY: HelperCall[DependentsJson] = HelperCall("entities.about")
TIDY: HelperCall[TidiedJson] = HelperCall("entities.tidy")
