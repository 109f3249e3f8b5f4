"""The REST routes below `<base_url>eolab/api/v1/`: which handler answers which path.

Errors are a status (400, 403, 404, 409, 502) with `{"message", "hint"}`. Times are seconds since
the epoch. Unknown numbers are null.
"""

from __future__ import annotations

from eolab.server.base import Handler
from eolab.server.handlers import (
    catalogs,
    downloads,
    entities,
    features,
    ingests,
    lineage,
    models,
    search,
    status,
    studies,
)

BASE = r"/eolab/api/v1"

ROUTES: list[tuple[str, type[Handler]]] = [
    (rf"{BASE}/status", status.StatusHandler),
    (rf"{BASE}/catalogs", catalogs.CatalogsHandler),
    (rf"{BASE}/search/prepare", search.PrepareHandler),
    (rf"{BASE}/catalogs/([^/]+)", catalogs.CatalogHandler),
    (rf"{BASE}/catalogs/([^/]+)/collections", catalogs.CollectionsHandler),
    (rf"{BASE}/catalogs/([^/]+)/items", catalogs.ItemsHandler),
    (rf"{BASE}/catalogs/([^/]+)/thumbnail", catalogs.ThumbnailHandler),
    (rf"{BASE}/catalogs/([^/]+)/preview", catalogs.PreviewHandler),
    (rf"{BASE}/catalogs/([^/]+)/queryables", catalogs.QueryablesHandler),
    (rf"{BASE}/catalogs/([^/]+)/search", search.CatalogSearchHandler),
    (rf"{BASE}/catalogs/([^/]+)/item", catalogs.ItemHandler),
    (rf"{BASE}/catalogs/([^/]+)/calendar", search.CalendarHandler),
    (rf"{BASE}/catalogs/([^/]+)/curve", search.FieldSeriesHandler),
    (rf"{BASE}/downloads", downloads.DownloadsHandler),
    (rf"{BASE}/downloads/([^/]+)/commands", downloads.DownloadCommandsHandler),
    (rf"{BASE}/ingests", ingests.IngestsHandler),
    (rf"{BASE}/ingests/preview", ingests.IngestPreviewHandler),
    (rf"{BASE}/ingests/folders", ingests.FoldersHandler),
    (rf"{BASE}/ingests/([^/]+)/commands", ingests.IngestCommandsHandler),
    (rf"{BASE}/saved", search.SavedSearchesHandler),
    (rf"{BASE}/search", search.SearchHandler),
    (rf"{BASE}/features", features.FeaturesHandler),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})", features.GroupHandler),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})/statistics", features.StatisticsHandler),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})/rows", features.RowsHandler),
    (rf"{BASE}/features/groups/([^/]+)/(\d{{1,9}})/places", features.PlacesHandler),
    (rf"{BASE}/features/lineage", lineage.GraphHandler),
    (rf"{BASE}/features/views", features.ViewsHandler),
    (rf"{BASE}/studies", studies.StudiesHandler),
    (rf"{BASE}/studies/([^/]+)", studies.StudyHandler),
    (rf"{BASE}/studies/([^/]+)/commands", studies.CommandsHandler),
    (rf"{BASE}/studies/([^/]+)/trials/(\d{{1,9}})/log", studies.LogHandler),
    (rf"{BASE}/studies/([^/]+)/about", studies.AboutHandler),
    (rf"{BASE}/studies/([^/]+)/timeline", studies.TimelineHandler),
    (rf"{BASE}/studies/([^/]+)/importance", studies.ImportanceHandler),
    (rf"{BASE}/studies/([^/]+)/band", studies.StopBoundsHandler),
    (rf"{BASE}/studies/([^/]+)/ablation", studies.AblationHandler),
    (rf"{BASE}/studies/([^/]+)/trials\.csv", studies.TrialsTableHandler),
    (rf"{BASE}/studies/([^/]+)/notes", studies.NotesHandler),
    (rf"{BASE}/studies/([^/]+)/tensorboard", studies.TensorBoardHandler),
    (rf"{BASE}/models", models.ModelsHandler),
    (rf"{BASE}/lineage", lineage.LineageHandler),
    (rf"{BASE}/entities", entities.EntitiesHandler),
    (rf"{BASE}/entities/about", entities.EntityHandler),
    (rf"{BASE}/entities/commands", entities.TidyHandler),
    (rf"{BASE}(?:/.*)?", status.UnknownHandler),
]
