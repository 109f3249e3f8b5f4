"""The feature store: groups of features, joined as of a time, split by space.

    fs = eo.workspace().features
    fg = fs.get_or_create_feature_group("parcels", primary_key=["parcel_id"], event_time="acquired")
    fg.insert(rows)

Rows are kept in Delta Lake tables with two times: when a thing was so (event time) and when we
learnt it (ingestion time). Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.features.extract.chips import Chips as Chips
    from eolab.features.extract.saved_chips import open_chips as open_chips
    from eolab.features.extract.seasonal import seasonal_features as seasonal_features
    from eolab.features.groups.group import FeatureGroup as FeatureGroup
    from eolab.features.queries.query import Query as Query
    from eolab.features.samples.on_demand import (
        on_demand_transformation as on_demand_transformation,
    )
    from eolab.features.splits.blocks import Column as Column
    from eolab.features.splits.blocks import SpatialBlocks as SpatialBlocks
    from eolab.features.splits.blocks import TimeSplit as TimeSplit
    from eolab.features.storage.commits import Commit as Commit
    from eolab.features.store import FeatureStore as FeatureStore
    from eolab.features.views.fold_scores import cross_validate as cross_validate
    from eolab.features.views.leakage import check_leakage as check_leakage
    from eolab.features.views.leakage import find_label_issues as find_label_issues
    from eolab.features.views.view import FeatureView as FeatureView

_HOMES = {
    "Chips": "extract.chips",
    "Column": "splits.blocks",
    "Commit": "storage.commits",
    "FeatureGroup": "groups.group",
    "FeatureStore": "store",
    "FeatureView": "views.view",
    "Query": "queries.query",
    "SpatialBlocks": "splits.blocks",
    "TimeSplit": "splits.blocks",
    "check_leakage": "views.leakage",
    "cross_validate": "views.fold_scores",
    "find_label_issues": "views.leakage",
    "on_demand_transformation": "samples.on_demand",
    "open_chips": "extract.saved_chips",
    "seasonal_features": "extract.seasonal",
}
_RENAMED = {
    "Blocks": "SpatialBlocks",
    "Times": "TimeSplit",
    "fold_scores": "cross_validate",
    "seasonal": "seasonal_features",
    "suspect_labels": "find_label_issues",
    "transformation": "on_demand_transformation",
}

__all__ = [
    "Chips",
    "Column",
    "Commit",
    "FeatureGroup",
    "FeatureStore",
    "FeatureView",
    "Query",
    "SpatialBlocks",
    "TimeSplit",
    "check_leakage",
    "cross_validate",
    "find_label_issues",
    "on_demand_transformation",
    "open_chips",
    "seasonal_features",
]


def __getattr__(name: str) -> object:
    if name in _RENAMED:
        from eolab.deprecation import warn_renamed

        warn_renamed(f"eolab.features.{name}", f"eolab.features.{_RENAMED[name]}")
        name = _RENAMED[name]
    if name not in _HOMES:
        raise AttributeError(f"module 'eolab.features' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eolab.features.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
