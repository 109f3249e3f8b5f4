"""What the child process answers: calls from the configuration and plain arguments to plain JSON.

The bodies come from the domains, which know what their things look like.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.records.lineage import Ref
from eolab.server.contract import calls
from eolab.server.contract.calls import HelperCall
from eolab.settings.config import check_name

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
    from eolab.features import FeatureStore
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
        TidyCommand,
    )
    from eolab.settings.config import Config
    from eolab.studies.panel.answers import AblationJson, ImportanceJson

T = TypeVar("T")

# The catalogues wait for networks and may run side by side; these two share tables and databases.
_features = threading.Lock()
_models = threading.Lock()
# Two threads that import one library for the first time can meet it half made.
_imports = threading.Lock()
# In small steps: a call that comes meanwhile waits for one of them only.
FIELD = (
    "numpy", "pystac", "rasterio", "shapely", "pandas", "eolab.catalog.panel.browse",
    "eolab.catalog.panel.search", "xarray", "dask.array", "spyndex", "odc.loader", "odc.stac",
    "eolab.catalog.panel.field_series",
)  # fmt: skip


INGEST = (
    "numpy", "pystac", "rasterio", "shapely", "xarray", "odc.geo.geobox",
    "eolab.catalog.ingestion.preview",
)  # fmt: skip


def catalogs(config: Config) -> CatalogsJson:
    """The configured catalogues."""
    _load("eolab.catalog.panel.browse")
    from eolab.catalog.panel import browse

    return browse.catalogs(config)


def catalog_forget(config: Config, *, name: str) -> CatalogsJson:
    """Forget what was noted of a catalogue that was removed or changed: all that there are."""
    _load("eolab.catalog.panel.browse")
    from eolab.catalog.sources import search_entries

    search_entries.forget_catalog(config.root, name)
    return catalogs(config)


def catalog_collections(config: Config, *, name: str) -> CollectionsJson:
    """The collections of one configured catalogue."""
    _check_catalog(config, name)
    from eolab.catalog.panel import browse

    return browse.collections(config, name)


def catalog_items(
    config: Config,
    *,
    name: str,
    collection: str | None = None,
    datetime: str | None = None,
    bbox: list[float] | None = None,
    max_cloud: float | None = None,
    limit: int = 50,
    offset: int = 0,
) -> ItemsJson:
    """A page of the items that match."""
    _check_catalog(config, name)
    from eolab.catalog.panel import browse

    return browse.items(
        config,
        name,
        collection=collection,
        datetime=datetime,
        bbox=bbox,
        max_cloud=max_cloud,
        limit=limit,
        offset=offset,
    )


def catalog_thumbnail(config: Config, *, name: str, collection: str, item: str) -> PictureJson:
    """A small picture of one item, or of a clear one of a collection, as `{"type", "base64"}`."""
    _check_catalog(config, name)
    from eolab.catalog.panel import browse

    data, _ = browse.thumbnail(config, name, collection, item)
    kind = _picture(data)
    if kind is None:
        raise NotFoundError(
            f"the thumbnail of {item!r} is no picture", "PNG and JPEG can be shown."
        )
    return {"type": kind, "base64": base64.b64encode(data).decode()}


def catalog_preview(
    config: Config,
    *,
    name: str,
    collection: str,
    item: str,
    bands: list[str] | None = None,
    size: int = 512,
    stretch: list[float] | None = None,
    index: str | None = None,
    cmap: str = "viridis",
) -> StretchedPictureJson:
    """One or three bands of one item, or an index, as `{"type", "base64", "stretch"}`."""
    _check_catalog(config, name)
    from eolab.catalog.panel import browse

    if index is not None:
        _load("matplotlib", "spyndex")
    made = browse.picture(
        config,
        name,
        collection,
        item,
        bands=bands,
        size=size,
        stretch=stretch,
        index=index,
        cmap=cmap,
    )
    data = base64.b64encode(made.png).decode()
    return {"type": "image/png", "base64": data, "stretch": [made.low, made.high]}


def catalog_queryables(config: Config, *, name: str, collection: str) -> QueryablesJson:
    """What the items of a collection can be filtered by."""
    _check_catalog(config, name)
    from eolab.catalog.panel import browse

    return browse.queryables(config, name, collection)


def catalog_found(config: Config, *, name: str, limit: int, query: dict[str, Any]) -> FoundJson:
    """The items that answer a query, with footprints and times."""
    _check_catalog(config, name)
    _load("pandas", "shapely", "eolab.catalog.panel.search")
    from eolab.catalog.panel import search as finding

    finding.area_of(query.get("intersects"))
    return finding.found(config, name, limit=limit, **query)


def catalog_prepare(config: Config) -> AcceptedJson:
    """Begin to load what drawing a field needs: who opens the search tab draws one soon."""
    del config
    if "eolab.catalog.panel.field_series" not in sys.modules:
        threading.Thread(target=_prepare, daemon=True).start()
    return {"accepted": True}


def _prepare() -> None:
    # Not all under one lock: what is asked for meanwhile goes first.
    for module in FIELD:
        _load(module)
        time.sleep(0.02)


def catalog_detail(config: Config, *, name: str, collection: str, item: str) -> ItemDetailJson:
    """One item whole."""
    _check_catalog(config, name)
    _load("spyndex", "eolab.catalog.panel.search")
    from eolab.catalog.panel import search as finding

    return finding.detail(config, name, collection, item)


def catalog_calendar(
    config: Config, *, name: str, collection: str, geometry: object, datetime: str | None = None
) -> CalendarJson:
    """The overpasses of an area."""
    area = _field(config, name, geometry)
    from eolab.catalog.panel import field_series

    return field_series.calendar(
        config, name, collection=collection, geometry=area, datetime=datetime
    )


def catalog_curve(
    config: Config,
    *,
    name: str,
    collection: str,
    geometry: object,
    datetime: str | None = None,
    max_cloud: float | None = None,
    index: str = "NDVI",
) -> FieldCurveJson:
    """The mean of an index over an area, by date."""
    area = _field(config, name, geometry)
    from eolab.catalog.panel import field_series

    return field_series.curve(
        config,
        name,
        collection=collection,
        geometry=area,
        datetime=datetime,
        max_cloud=max_cloud,
        index=index,
    )


def _field(config: Config, name: str, geometry: object) -> Mapping[str, object]:
    """The area of a request; what reading its pixels needs is loaded."""
    _check_catalog(config, name)
    _load(*FIELD)
    from eolab.catalog.panel import search as finding

    area = finding.area_of(geometry)
    if area is None:
        raise InvalidInputError("geometry is missing", "Draw an area.")
    return area


def search(
    config: Config,
    *,
    text: str = "",
    bbox: list[float] | None = None,
    datetime: str | None = None,
    limit: int = 20,
) -> SearchHitsJson:
    """What the workspace holds and has seen, by words, place and time."""
    _load("pandas", "pystac", "deltalake", "duckdb", "eolab.facade", "eolab.features")
    from eolab.facade import Workspace

    unread: dict[str, str] = {}
    with _features, _models:
        found = Workspace(config).search(
            text, bbox=bbox, datetime=datetime, limit=limit, unread=unread
        )
    return {"results": found, "unread": unread}


def check_ingest(config: Config, *, to: str, collection: str | None = None) -> AcceptedJson:
    """Refuse a collection that `ingest` could not write."""
    _load(*INGEST)
    from eolab.catalog.ingestion.destination import destination

    destination(to, collection, config.file or config.root).check()
    return {"accepted": True}


def preview_ingest(
    config: Config, *, paths: list[str], to: str, words: dict[str, object]
) -> IngestPreviewJson:
    """What `ingest` will understand of files."""
    _load(*INGEST)
    from eolab.catalog.ingestion.collection import words_of
    from eolab.catalog.ingestion.preview import preview_ingest as preview

    workspace = config.file or config.root
    return preview(paths, to=to or None, workspace=workspace, **words_of(words)).to_json()


def features(config: Config) -> FeaturesJson:
    """Feature groups and views."""
    _load("pandas", "eolab.features", "eolab.features.panel")
    from eolab.features import FeatureStore, panel

    with _features:
        return panel.snapshot(FeatureStore(config))


def feature_group(config: Config, *, name: str, version: int) -> GroupDetailsJson:
    """Everything of one group but its rows."""
    with _store(config) as store:
        from eolab.features import panel

        return panel.group(store, name, version)


def feature_lineage(config: Config, *, kind: str, identity: str) -> LineageGraphJson:
    """The lineage around a node."""
    with _store(config) as store:
        from eolab.features import panel

        return panel.lineage(store, kind, identity)


def feature_view(config: Config, *, form: Mapping[str, object]) -> ViewJson:
    """A view out of the panel's form."""
    with _store(config) as store:
        from eolab.features import panel

        return panel.make_view(store, form)


def feature_places(config: Config, *, name: str, version: int) -> GroupPlacesJson:
    """Where a group's rows are."""
    with _store(config) as store:
        from eolab.features import panel

        return panel.places(store, name, version)


def feature_rows(
    config: Config,
    *,
    name: str,
    version: int,
    offset: int,
    limit: int,
    sort: str | None = None,
    descending: bool = False,
    as_of: str | None = None,
) -> GroupRowsJson:
    """A page of a group's rows."""
    with _store(config) as store:
        from eolab.features import panel

        return panel.rows(
            store,
            name,
            version,
            offset=offset,
            limit=limit,
            sort=sort,
            descending=descending,
            as_of=as_of,
        )


def feature_statistics(
    config: Config, *, name: str, version: int, commit: int | None = None
) -> GroupStatisticsJson:
    """The statistics of a group."""
    with _store(config) as store:
        from eolab.features import panel

        return panel.statistics(store, name, version, commit)


@contextlib.contextmanager
def _store(config: Config) -> Iterator[FeatureStore]:
    """The feature store, for one call at a time."""
    _load("pandas", "eolab.features", "eolab.features.panel")
    from eolab.features import FeatureStore

    with _features:
        yield FeatureStore(config)


def study_importance(config: Config, *, name: str) -> ImportanceJson:
    """How much each hyperparameter of a study matters."""
    _load("numpy", "optuna")
    from eolab.studies.journal.files import Follower
    from eolab.studies.journal.state import ENDED
    from eolab.studies.panel.importance import importance

    snapshot = Follower(config.runs / check_name(name, "study")).snapshot()
    return importance(
        snapshot["parameters"],
        snapshot["trials"],
        direction=snapshot["direction"],
        ended=snapshot["state"] in ENDED,
    )


def study_ablation(config: Config, *, name: str, metric: str | None = None) -> AblationJson:
    """What an ablation has shown so far."""
    _load("numpy", "scipy.stats", "eolab.studies.ablation.snapshot")
    from eolab.studies.ablation.snapshot import snapshot

    return snapshot(config, check_name(name, "study"), metric)


def models(config: Config) -> ModelsJson:
    """Registered models and their versions."""
    _load("pandas", "eolab.models")
    from eolab.models import ModelRegistry

    with _models:
        return ModelRegistry(config).snapshot()


def entity(config: Config, *, kind: str, identity: str) -> DependentsJson:
    """What can be done with a thing, and what hangs on it."""
    with _tidying():
        from eolab import tidying

        ref = tidying.ref_of(config, Ref(kind, identity))
        hang = tidying.dependents(config, ref)
        refusal = tidying.refusal(config, ref, hang)
        archived = ref in tidying.archived(config)
    commands: list[TidyCommand] = ["rename", "restore" if archived else "archive"]
    return {
        "kind": ref.kind,
        "id": ref.id,
        "commands": commands if refusal else [*commands, "delete"],
        "refusal": refusal,
        "broken": [{"kind": each.kind, "id": each.id} for each in hang.broken],
        "made": [{"kind": each.kind, "id": each.id} for each in hang.made],
    }


def tidy(
    config: Config,
    *,
    command: str,
    kind: str,
    identity: str,
    title: str = "",
    cascade: bool = False,
    entry: str = "",
) -> TidiedJson:
    """Delete, rename, archive or restore a thing."""
    from eolab.records import deleted

    entries: list[str] = []
    with _tidying():
        from eolab import tidying

        if command == "restore":
            ref = tidying.bring_back(config, f"{kind} {entry or identity}")
        else:
            ref = tidying.ref_of(config, Ref(kind, identity))
            if command == "rename":
                tidying.rename(config, ref, title)
            elif command == "archive":
                tidying.archive(config, ref)
            else:
                before = {each.id for each in deleted.entries(config.root)}
                entries = [tidying.delete(config, ref, cascade=cascade).id]
                now = [each.id for each in deleted.entries(config.root)]
                entries += [each for each in now if each not in {*before, *entries}]
    return {"kind": ref.kind, "id": ref.id, "entries": entries}


@contextlib.contextmanager
def _tidying() -> Iterator[None]:
    _load("pandas", "eolab.features", "eolab.models", "eolab.tidying")
    with _features, _models, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _load(*modules: str) -> None:
    with _imports:
        for module in modules:
            importlib.import_module(module)


def _check_catalog(config: Config, name: str) -> None:
    """A request names a configured catalogue, never a free address or path."""
    if name not in config.catalogs:
        raise NotFoundError(
            f"no catalogue {name!r}", nearest(name, list(config.catalogs), "catalogues")
        )
    _load("numpy", "pystac", "rasterio", "eolab.catalog.panel.browse")


def _picture(data: bytes) -> str | None:
    """The type by the file's first bytes: what an item says of its picture is not believed."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return None


def _serve(call: HelperCall[T], function: Callable[..., T]) -> tuple[str, Callable[..., object]]:
    """A row of the table: the function must answer what the call promises."""
    return call.name, function


CALLS: Mapping[str, Callable[..., object]] = dict(
    [
        _serve(calls.CATALOGS, catalogs),
        _serve(calls.COLLECTIONS, catalog_collections),
        _serve(calls.FORGET_CATALOG, catalog_forget),
        _serve(calls.ITEMS, catalog_items),
        _serve(calls.THUMBNAIL, catalog_thumbnail),
        _serve(calls.PREVIEW, catalog_preview),
        _serve(calls.FOUND, catalog_found),
        _serve(calls.DETAIL, catalog_detail),
        _serve(calls.PREPARE, catalog_prepare),
        _serve(calls.CALENDAR, catalog_calendar),
        _serve(calls.CURVE, catalog_curve),
        _serve(calls.QUERYABLES, catalog_queryables),
        _serve(calls.CHECK_INGEST, check_ingest),
        _serve(calls.PREVIEW_INGEST, preview_ingest),
        _serve(calls.SEARCH, search),
        _serve(calls.FEATURES, features),
        _serve(calls.GROUP, feature_group),
        _serve(calls.LINEAGE, feature_lineage),
        _serve(calls.MAKE_VIEW, feature_view),
        _serve(calls.PLACES, feature_places),
        _serve(calls.ROWS, feature_rows),
        _serve(calls.STATISTICS, feature_statistics),
        _serve(calls.MODELS, models),
        _serve(calls.ENTITY, entity),
        _serve(calls.TIDY, tidy),
        _serve(calls.IMPORTANCE, study_importance),
        _serve(calls.ABLATION, study_ablation),
    ]
)
