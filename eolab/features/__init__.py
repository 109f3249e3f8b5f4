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
    from eolab.features.extract.saved_chips import open_chips as open_chips
    from eolab.features.extract.seasonal import seasonal as seasonal
    from eolab.features.groups.group import FeatureGroup as FeatureGroup
    from eolab.features.queries.query import Query as Query
    from eolab.features.samples.on_demand import transformation as transformation
    from eolab.features.splits.blocks import Blocks as Blocks
    from eolab.features.splits.blocks import Times as Times
    from eolab.features.storage.commits import Commit as Commit
    from eolab.features.store import FeatureStore as FeatureStore
    from eolab.features.views.checks import (
        check_leakage as check_leakage,
    )
    from eolab.features.views.checks import (
        suspect_labels as suspect_labels,
    )
    from eolab.features.views.fold_scores import fold_scores as fold_scores
    from eolab.features.views.view import FeatureView as FeatureView

_HOMES = {
    "Blocks": "splits.blocks",
    "Times": "splits.blocks",
    "check_leakage": "views.checks",
    "suspect_labels": "views.checks",
    "transformation": "samples.on_demand",
    "Commit": "storage.commits",
    "FeatureGroup": "groups.group",
    "FeatureStore": "store",
    "FeatureView": "views.view",
    "Query": "queries.query",
    "fold_scores": "views.fold_scores",
    "open_chips": "extract.saved_chips",
    "seasonal": "extract.seasonal",
}

__all__ = [
    "Blocks",
    "Commit",
    "FeatureGroup",
    "FeatureStore",
    "FeatureView",
    "Query",
    "Times",
    "check_leakage",
    "fold_scores",
    "open_chips",
    "seasonal",
    "suspect_labels",
    "transformation",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'eolab.features' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"eolab.features.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
