"""What the panel shows of the store, as plain JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eolab.errors import EolabError, InvalidInputError, NotFoundError
from eolab.features import arrays
from eolab.features import geometry as geo
from eolab.features.answers import (
    ColumnStatisticsJson,
    FeatureGroupJson,
    FeaturesJson,
    FeatureViewJson,
    GroupCommitJson,
    GroupDetailsJson,
    GroupPlacesJson,
    GroupRowsJson,
    GroupStatisticsJson,
    LineageGraphJson,
    TrainingDatasetJson,
    ValidationJson,
    ViewJson,
)
from eolab.features.groups.group import FeatureGroup
from eolab.features.queries.arguments import require_columns
from eolab.features.queries.query import Query, Task
from eolab.features.storage.arrow import INGESTED
from eolab.features.storage.commits import Commit
from eolab.features.storage.duckdb import connect, moment, quote_identifier, quote_identifiers, run
from eolab.features.storage.expectations import Check
from eolab.features.storage.statistics import ColumnStatistics
from eolab.features.store import FeatureStore
from eolab.features.training import datasets
from eolab.features.views.options import ViewOptions
from eolab.features.views.view import FeatureView
from eolab.records.lineage import Ref, around, edges, made_by

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


PAGE = 200
# Places that a small map can show.
SHOWN = 5000
# What shapely's numbers of types stand for on a map.
_KINDS = {0: "point", 1: "line", 2: "line", 3: "area", 4: "point", 5: "line", 6: "area"}
# Nodes of a lineage that a person can look at.
NODES = 200


def snapshot(store: FeatureStore) -> FeaturesJson:
    """All groups and views, one line each."""
    return {
        "groups": [summary(g) for g in store.feature_groups()],
        "views": [view_summary(v) for v in store.feature_views()],
    }


def summary(group: FeatureGroup) -> FeatureGroupJson:
    """One line of the list of groups."""
    commit = group.table.last()
    descriptions, units = group.column_descriptions, group.column_units
    return {
        "name": group.name,
        "version": group.version,
        "description": group.description,
        "primary_key": list(group.primary_key),
        "event_time": group.event_time,
        "rows": 0 if commit is None else commit.total,
        "tags": list(group.tags),
        "keywords": list(group.keywords),
        "owner": group.owner,
        "online": group.online_enabled,
        "columns": [
            {
                "name": f.name,
                "type": arrays.described(f.type),
                "unit": units.get(f.name, ""),
                "description": descriptions.get(f.name, ""),
            }
            for f in group.schema
        ],
        "commits": 0 if commit is None else commit.version + 1,
        "last_commit": None
        if commit is None
        else {
            "version": commit.version,
            "time": commit.time,
            "rows": commit.rows,
            "operation": commit.operation,
        },
    }


def view_summary(view: FeatureView) -> FeatureViewJson:
    """One line of the list of views.

    ``columns`` tells where each feature comes from, ``datasets`` its training datasets with how
    many samples each part has; a damaged one with ``fault``.
    """
    parts = view.query.parts
    return {
        **view.to_dict(),
        "created": view.created,
        "steps": None if view.query.steps is None else view.query.steps.to_dict(),
        "label_group": view.labels.group.label,
        "task": _task(view),
        "columns": [
            {"name": p.prefix + c, "group": p.query.group.label, "column": c}
            for p in parts
            for c in p.query.columns
        ],
        "datasets": [_dataset(folder) for folder in view.dataset_folders()],
    }


def _task(view: FeatureView) -> Task | None:
    """What its labels are; a list of views is none the shorter for one that cannot be read."""
    try:
        return view.task
    except EolabError:
        return None


def _dataset(folder: Path) -> TrainingDatasetJson:
    version = int(folder.name)
    try:
        found = datasets.load(folder)
    except EolabError as error:
        return {"version": version, "description": "", "created": None, "fault": error.message}
    report = found.source.get("report")
    parts = report.get("parts") if isinstance(report, Mapping) else None
    return {
        "version": version,
        "description": found.description,
        "created": found.created,
        "by": str(found.source.get("by") or ""),
        "parts": {name: part.get("samples") for name, part in (parts or {}).items()},
        "fault": None,
    }


def group(store: FeatureStore, name: str, version: int) -> GroupDetailsJson:
    """Everything of one group but its rows.

    The summary with ``geometry``, ``expectations``, ``policy``, ``parents``, ``history`` (its
    commits, newest first), ``validations`` (newest first), ``correlations`` and ``made_by`` (the
    cell of the newest commit).
    """
    found = store.feature_group(name, version)
    place = found.geometry
    commits = found.commits()
    correlations = found.correlations()
    return {
        **summary(found),
        "created": found.created,
        "geometry": None if place is None else place.to_dict(),
        "expectations": dict(found.expectations),
        "policy": found.policy,
        "parents": list(found.parents),
        "history": [_commit(commit) for commit in reversed(commits)],
        "validations": [_validation(check) for check in reversed(found.validations())],
        "correlations": {
            "columns": correlations.columns,
            "values": correlations.values,
            "rows": correlations.rows,
        },
        "made_by": made_by(store.config.root, found.commit_ref(commits[-1].version))
        if commits
        else {},
    }


def _commit(commit: Commit) -> GroupCommitJson:
    return {
        "version": commit.version,
        "time": commit.time,
        "operation": commit.operation,
        "rows": commit.rows,
        "new": commit.new,
        "ingested": commit.ingested,
        "total": commit.total,
        "changed": commit.changed,
        "deleted": commit.deleted,
    }


def _validation(check: Check) -> ValidationJson:
    return {
        "time": check.time,
        "rows": check.rows,
        "outcome": check.outcome,
        "failed": check.failed,
        "expectations": check.expectations,
        "commit": check.commit,
    }


def statistics(
    store: FeatureStore, name: str, version: int, commit: int | None = None
) -> GroupStatisticsJson:
    """The statistics of a group as of a commit, by default the newest.

    Raises:
        NotFoundError: No such group or commit.
    """
    found = store.feature_group(name, version)
    last = found.table.last()
    newest = -1 if last is None else last.version
    return {
        "commit": newest if commit is None else commit,
        "statistics": [_statistics(c) for c in found.statistics(commit)],
    }


def _statistics(one: ColumnStatistics) -> ColumnStatisticsJson:
    histogram = one.histogram
    return {
        "column": one.column,
        "count": one.count,
        "nulls": one.nulls,
        "distinct": one.distinct,
        "min": one.min,
        "max": one.max,
        "mean": one.mean,
        "std": one.std,
        "quantiles": one.quantiles,
        "histogram": None
        if histogram is None
        else {"edges": histogram.edges, "counts": histogram.counts},
        "top": one.top,
    }


def rows(
    store: FeatureStore,
    name: str,
    version: int,
    *,
    offset: int = 0,
    limit: int = 50,
    sort: str | None = None,
    descending: bool = False,
    as_of: object = None,
    filter: str | None = None,
) -> GroupRowsJson:
    """A page of a group's rows: ``columns``, ``rows`` (lists in their order) and ``total``.

    Times are seconds since the epoch, geometries WKT; ``as_of`` is a time in ISO 8601.
    """
    found = store.feature_group(name, version)
    if not offset >= 0 or not 1 <= limit <= PAGE:
        raise InvalidInputError(f"offset={offset}, limit={limit}", f"A page has 1 to {PAGE} rows.")
    if sort is not None:
        require_columns([sort], found.columns, found.label)
    direction = "DESC" if descending else "ASC"
    order = f"{quote_identifier(sort)} {direction} NULLS LAST, " if sort else ""
    place = found.geometry
    shapes = set(place.columns) if place is not None and len(place.columns) == 1 else set()
    where = "" if filter is None else f" WHERE {filter}"
    with connect(store.config.features) as con:
        found.table.view(con, "resolved", as_of=moment(as_of))
        total = run(con, f"SELECT count(*) AS n FROM resolved{where}").column("n")[0].as_py()
        page = run(
            con,
            f"SELECT {quote_identifiers(found.columns)} FROM resolved{where} "
            f"ORDER BY {order}{quote_identifiers(found.keys)} LIMIT {limit} OFFSET {offset}",
        )
    columns = [
        [_wkt(v) if n in shapes else _plain(v) for v in page.column(n).to_pylist()]
        for n in page.column_names
    ]
    return {
        "columns": page.column_names,
        "rows": [list(row) for row in zip(*columns, strict=True)],
        "total": int(total),
    }


def places(store: FeatureStore, name: str, version: int) -> GroupPlacesJson:
    """Where a group's things are: ``points`` (longitude, latitude), of how many ``total``.

    One point for each thing that has a place; of very many an even sample, always the same.
    ``kind`` is what they are: "point", "line", "area", or "mixed". ``outlines`` holds the outer
    ring of each area in the order of ``points``, coarse enough for a map; none where not all are
    areas.

    Raises:
        NotFoundError: The group has no geometry.
    """
    import numpy as np
    import shapely

    found = store.feature_group(name, version)
    place = found.geometry
    if place is None:
        raise NotFoundError(
            f"{found.label} has no geometry", "Insert a GeoDataFrame, or lon and lat."
        )
    keys = quote_identifiers(found.primary_key)
    placed = " AND ".join(f"{quote_identifier(c)} IS NOT NULL" for c in place.columns)
    with connect(store.config.features) as con:
        found.table.view(con, "resolved")
        table = run(
            con,
            f"SELECT {quote_identifiers(place.columns)} FROM (SELECT * FROM resolved "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {INGESTED} DESC) = 1) "
            f"WHERE {placed} ORDER BY {keys}",
        )
    total = table.num_rows
    if total > SHOWN:
        drawn = np.random.default_rng(0).choice(total, SHOWN, replace=False)
        table = table.take(np.sort(drawn))
    shapes = geo.shapes(table.to_pandas(), place)
    # An empty geometry is nowhere.
    known = shapes[~shapely.is_empty(shapes)]
    total = len(known) if total <= SHOWN else total
    kinds = {_KINDS.get(int(number), "mixed") for number in shapely.get_type_id(known)}
    kind = kinds.pop() if len(kinds) == 1 else "mixed"
    if not len(known):
        return {"points": [], "outlines": [], "total": 0, "kind": kind}
    points = geo.project(geo.positions(known), place.crs, "EPSG:4326").round(6)
    degrees = geo.reproject(known, place.crs, "EPSG:4326")
    rings = _outlines(degrees) if kind == "area" else []
    return {"points": points.tolist(), "outlines": rings, "total": total, "kind": kind}


def _outlines(shapes: np.ndarray) -> list[list[list[float]]]:
    """The outer rings of areas, of the largest part where there are several."""
    import shapely

    west, south, east, north = shapely.total_bounds(shapes)
    coarse = shapely.simplify(shapes, max(east - west, north - south) / 4000)
    rings = []
    for shape in coarse:
        whole = max(getattr(shape, "geoms", [shape]), key=lambda part: part.area)
        rings.append(shapely.get_coordinates(whole.exterior).round(6).tolist())
    return rings


def lineage(store: FeatureStore, kind: str, identity: str) -> LineageGraphJson:
    """The graph around a group ("group"), or any node, as ``nodes`` and ``edges``.

    A group stands for its commits. Nodes are told with their ``side``: "self", "upstream" or
    "downstream"; beyond 200 the nearest are kept and ``left_out`` says how many were not.
    """
    root = store.config.root
    if kind == "group":
        name, _, version = identity.rpartition("/")
        found = store.feature_group(name, _number(version))
        last = found.table.last()
        count = 0 if last is None else last.version + 1
        starts = [found.commit_ref(v) for v in range(count)]
    else:
        starts = [Ref(kind, identity)]
    reached = around(root, starts)
    sides = [*((n, "self") for n in starts)]
    sides += [(n, side) for side in ("downstream", "upstream") for n in reached[side]]
    kept = dict(sides[:NODES])
    links = dict.fromkeys(
        (str(e.source), str(e.target)) for e in edges(root) if e.source in kept and e.target in kept
    )
    return {
        "nodes": [
            {"id": str(n), "kind": n.kind, "name": n.id, "side": side} for n, side in kept.items()
        ],
        "edges": [list(link) for link in links],
        "left_out": max(0, len(sides) - NODES),
    }


def make_view(store: FeatureStore, form: Mapping[str, object]) -> ViewJson:
    """A view from the panel's form; the same form again gives the same view.

    Args:
        store: Where.
        form: ``name``, ``version``, ``description``; ``labels``: {"group": "name/version",
            "column"}; ``features``: a list of {"group", "columns", "prefix"}, the first the base.

    Raises:
        InvalidInputError: Something is missing, or does not fit.
    """
    labels, features = form.get("labels"), form.get("features")
    if not isinstance(labels, Mapping) or not isinstance(features, Sequence) or not features:
        raise InvalidInputError(
            "the form lacks labels or features", "Choose a label and a feature."
        )
    query: Query | None = None
    for part in features:
        if not isinstance(part, Mapping):
            raise InvalidInputError(
                f"{str(part)[:100]!r} is no choice of features",
                'Write {"group", "columns", "prefix"} for each group.',
            )
        group_, columns = _named(store, part.get("group")), part.get("columns")
        if not isinstance(columns, list) or not columns:
            raise InvalidInputError(f"no column of {group_.label} is chosen", "Choose one or more.")
        selected = group_.select(columns)
        prefix = str(part.get("prefix") or "")
        query = selected if query is None else query.join(selected, prefix=prefix)
    assert query is not None
    options: ViewOptions = {
        "labels": _named(store, labels.get("group")).select(str(labels.get("column"))),
        "query": query,
        "description": str(form.get("description") or ""),
    }
    version = form.get("version") or 1
    view = store.get_or_create_feature_view(
        str(form.get("name") or ""), version if isinstance(version, int) else 0, **options
    )
    return view.to_dict()


def _number(version: str) -> int | None:
    """A version as a label writes it; None where that is no number of one."""
    return int(version) if re.fullmatch("[0-9]{1,9}", version) else None


def _named(store: FeatureStore, label: object) -> FeatureGroup:
    name, _, version = str(label).rpartition("/")
    number = _number(version)
    if number is None:
        raise InvalidInputError(
            f"{str(label)[:100]!r} is no group", "Write name and version: 'parcels/1'."
        )
    return store.feature_group(name, number)


def _wkt(value: object) -> str | None:
    import shapely

    return None if value is None else str(shapely.to_wkt(shapely.from_wkb(value)))


def _plain(value: object) -> object:
    """A value as JSON has it: unknown numbers null, times in seconds, the rest as text."""
    stamp = getattr(value, "timestamp", None)
    if stamp is not None:
        return stamp()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
