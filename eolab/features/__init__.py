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
    from eolab.features.checks import (
        check_leakage as check_leakage,
    )
    from eolab.features.checks import (
        suspect_labels as suspect_labels,
    )
    from eolab.features.commits import Commit as Commit
    from eolab.features.functions import transformation as transformation
    from eolab.features.group import FeatureGroup as FeatureGroup
    from eolab.features.query import Query as Query
    from eolab.features.saved_chips import open_chips as open_chips
    from eolab.features.scores import fold_scores as fold_scores
    from eolab.features.seasons import seasonal as seasonal
    from eolab.features.splits import Blocks as Blocks
    from eolab.features.splits import Times as Times
    from eolab.features.store import FeatureStore as FeatureStore
    from eolab.features.view import FeatureView as FeatureView

_HOMES = {
    "Blocks": "splits",
    "check_leakage": "checks",
    "suspect_labels": "checks",
    "transformation": "functions",
    "Commit": "commits",
    "FeatureGroup": "group",
    "FeatureStore": "store",
    "FeatureView": "view",
    "Query": "query",
    "Times": "splits",
    "fold_scores": "scores",
    "open_chips": "saved_chips",
    "seasonal": "seasons",
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
