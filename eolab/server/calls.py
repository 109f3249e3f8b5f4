"""What the child process answers: calls from the configuration and plain arguments to plain JSON.

The bodies of features and models come from their domains (`snapshot()`); the catalogue's are put
together in `eolab.server.scenes`, since a pystac item is richer than what a panel shows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.config import Config

# The catalogues wait for networks and may run side by side; these two share tables and databases.
_features = threading.Lock()
_models = threading.Lock()


def catalog_collections(config: Config, *, name: str) -> object:
    """The collections of one configured catalogue."""
    from eolab.server import scenes

    return scenes.collections(config, name)


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
    from eolab.server import scenes

    return scenes.items(
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
    """A small picture of one item, as `{"type", "base64"}`."""
    from eolab.server import scenes

    return scenes.thumbnail(config, name, collection, item)


def features(config: Config) -> object:
    """Feature groups and views."""
    from eolab.features import FeatureStore

    with _features:
        return FeatureStore(config).snapshot()


def feature_statistics(config: Config, *, name: str, version: int) -> object:
    """Statistics of the last commit of one group."""
    from eolab.features import FeatureStore

    with _features:
        return FeatureStore(config).statistics_snapshot(name, version)


def models(config: Config) -> object:
    """Registered models and their versions."""
    from eolab.models import ModelRegistry

    with _models:
        return ModelRegistry(config).snapshot()


CALLS: Mapping[str, Callable[..., object]] = {
    "catalog.collections": catalog_collections,
    "catalog.items": catalog_items,
    "catalog.thumbnail": catalog_thumbnail,
    "features": features,
    "features.statistics": feature_statistics,
    "models": models,
}
