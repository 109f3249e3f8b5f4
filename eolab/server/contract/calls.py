"""Calls to the helper process: each by its name, with the type of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
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
        PictureJson,
        SearchHitsJson,
        StretchedPictureJson,
    )
    from eolab.studies.panel.answers import AblationJson, ImportanceJson

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """A call whose answer is a T."""

    name: str


CATALOGS: Call[CatalogsJson] = Call("catalogs")
COLLECTIONS: Call[CollectionsJson] = Call("catalog.collections")
FORGET_CATALOG: Call[CatalogsJson] = Call("catalog.forget")
ITEMS: Call[ItemsJson] = Call("catalog.items")
THUMBNAIL: Call[PictureJson] = Call("catalog.thumbnail")
PREVIEW: Call[StretchedPictureJson] = Call("catalog.preview")
FOUND: Call[FoundJson] = Call("catalog.found")
DETAIL: Call[ItemDetailJson] = Call("catalog.detail")
PREPARE: Call[AcceptedJson] = Call("catalog.prepare")
CALENDAR: Call[CalendarJson] = Call("catalog.calendar")
CURVE: Call[FieldCurveJson] = Call("catalog.curve")
QUERYABLES: Call[QueryablesJson] = Call("catalog.queryables")
SEARCH: Call[SearchHitsJson] = Call("search")
FEATURES: Call[FeaturesJson] = Call("features")
GROUP: Call[GroupDetailsJson] = Call("features.group")
LINEAGE: Call[LineageGraphJson] = Call("features.lineage")
MAKE_VIEW: Call[ViewJson] = Call("features.make_view")
PLACES: Call[GroupPlacesJson] = Call("features.places")
ROWS: Call[GroupRowsJson] = Call("features.rows")
STATISTICS: Call[GroupStatisticsJson] = Call("features.statistics")
MODELS: Call[ModelsJson] = Call("models")
IMPORTANCE: Call[ImportanceJson] = Call("studies.importance")
ABLATION: Call[AblationJson] = Call("studies.ablation")
