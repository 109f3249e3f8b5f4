"""What the child process answers: calls from the configuration and plain arguments to plain JSON.

The bodies come from the domains, which know what their things look like.
"""

from __future__ import annotations

import base64
import importlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.settings.config import check_name

if TYPE_CHECKING:
    from eolab.settings.config import Config

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


def catalogs(config: Config) -> object:
    """The configured catalogues."""
    _load("eolab.catalog.panel.browse")
    from eolab.catalog.panel import browse

    return browse.catalogs(config)


def catalog_forget(config: Config, *, name: str) -> object:
    """Forget what was noted of a catalogue that was removed or changed: all that there are."""
    _load("eolab.catalog.panel.browse")
    from eolab.catalog.sources import search_entries

    search_entries.forget_catalog(config.root, name)
    return catalogs(config)


def catalog_collections(config: Config, *, name: str) -> object:
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
) -> object:
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


def catalog_thumbnail(config: Config, *, name: str, collection: str, item: str) -> object:
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
) -> object:
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


def catalog_queryables(config: Config, *, name: str, collection: str) -> object:
    """What the items of a collection can be filtered by."""
    _check_catalog(config, name)
    from eolab.catalog.panel import browse

    return browse.queryables(config, name, collection)


def catalog_found(config: Config, *, name: str, limit: int, query: dict[str, Any]) -> object:
    """The items that answer a query, with footprints and times."""
    _check_catalog(config, name)
    _load("pandas", "shapely", "eolab.catalog.panel.search")
    from eolab.catalog.panel import search as finding

    finding.area_of(query.get("intersects"))
    return finding.found(config, name, limit=limit, **query)


def catalog_prepare(config: Config) -> object:
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


def catalog_detail(config: Config, *, name: str, collection: str, item: str) -> object:
    """One item whole."""
    _check_catalog(config, name)
    _load("spyndex", "eolab.catalog.panel.search")
    from eolab.catalog.panel import search as finding

    return finding.detail(config, name, collection, item)


def _of_field(call: str) -> Callable[..., object]:
    """A call of `eolab.catalog.panel.field_series`, by its name."""

    def answer(config: Config, *, name: str, geometry: object, **arguments: object) -> object:
        _check_catalog(config, name)
        _load(*FIELD)
        from eolab.catalog.panel import field_series
        from eolab.catalog.panel import search as finding

        area = finding.area_of(geometry)
        if area is None:
            raise InvalidInputError("geometry is missing", "Draw an area.")
        return getattr(field_series, call)(config, name, geometry=area, **arguments)

    return answer


def search(
    config: Config,
    *,
    text: str = "",
    bbox: list[float] | None = None,
    datetime: str | None = None,
    limit: int = 20,
) -> object:
    """What the workspace holds and has seen, by words, place and time."""
    _load("pandas", "pystac", "deltalake", "duckdb", "eolab.facade", "eolab.features")
    from eolab.facade import Workspace

    with _features, _models:
        found = Workspace(config).search(text, bbox=bbox, datetime=datetime, limit=limit)
    return {"results": found}


def features(config: Config) -> object:
    """Feature groups and views."""
    _load("pandas", "eolab.features", "eolab.features.panel")
    from eolab.features import FeatureStore, panel

    with _features:
        return panel.snapshot(FeatureStore(config))


def _of_features(call: str) -> Callable[..., object]:
    """A call of `eolab.features.panel`, by its name."""

    def answer(config: Config, **arguments: object) -> object:
        _load("pandas", "eolab.features", "eolab.features.panel")
        from eolab.features import FeatureStore, panel

        with _features:
            return getattr(panel, call)(FeatureStore(config), **arguments)

    return answer


def study_importance(config: Config, *, name: str) -> object:
    """How much each hyperparameter of a study matters."""
    _load("numpy", "optuna")
    from eolab.studies.journal.files import Follower
    from eolab.studies.panel.importance import importance

    snapshot = Follower(config.runs / check_name(name, "study")).snapshot()
    return importance(snapshot["parameters"], snapshot["trials"], direction=snapshot["direction"])


def study_ablation(config: Config, *, name: str, metric: str | None = None) -> object:
    """What an ablation has shown so far."""
    _load("numpy", "scipy.stats", "eolab.studies.ablation.snapshot")
    from eolab.studies.ablation.snapshot import snapshot

    return snapshot(config, check_name(name, "study"), metric)


def models(config: Config) -> object:
    """Registered models and their versions."""
    _load("pandas", "eolab.models")
    from eolab.models import ModelRegistry

    with _models:
        return ModelRegistry(config).snapshot()


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


CALLS: Mapping[str, Callable[..., object]] = {
    "catalogs": catalogs,
    "catalog.collections": catalog_collections,
    "catalog.forget": catalog_forget,
    "catalog.items": catalog_items,
    "catalog.thumbnail": catalog_thumbnail,
    "catalog.preview": catalog_preview,
    "catalog.found": catalog_found,
    "catalog.detail": catalog_detail,
    "catalog.prepare": catalog_prepare,
    "catalog.calendar": _of_field("calendar"),
    "catalog.curve": _of_field("curve"),
    "catalog.queryables": catalog_queryables,
    "search": search,
    "features": features,
    "features.group": _of_features("group"),
    "features.lineage": _of_features("lineage"),
    "features.make_view": _of_features("make_view"),
    "features.places": _of_features("places"),
    "features.rows": _of_features("rows"),
    "features.statistics": _of_features("statistics"),
    "models": models,
    "studies.importance": study_importance,
    "studies.ablation": study_ablation,
}
