"""What groups and views may be told when they are made, and how that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Required, TypedDict

from eolab.errors import InvalidInputError, nearest
from eolab.features.geometry import crs_text
from eolab.features.storage.expectations import Policy, check_expectations
from eolab.settings.config import check_name

if TYPE_CHECKING:
    from eolab.features.groups.group import FeatureGroup
    from eolab.features.queries.query import Query
    from eolab.features.samples.on_demand import Transformation

FORMAT = 1


class Told(TypedDict, total=False):
    """What people say of a group, and expect of its rows; it may change (see `GroupOptions`)."""

    description: str
    columns: Mapping[str, str] | None
    units: Mapping[str, str] | None
    expectations: Mapping[str, str] | None
    policy: Policy
    tags: Sequence[str]
    keywords: Sequence[str]
    owner: str


class GroupOptions(Told, total=False):
    """Options of a feature group.

    Attributes:
        primary_key: The columns that name a thing.
        event_time: The column that says when the values were so; time stamps with a zone.
        partition_key: Columns by whose values the rows of a commit lie together in its files, so
            that a filter on them passes over the rest (a tile, a year).
        description: One line for the panel.
        geometry: The geometry column, or the two columns of x and y (longitude, latitude). Found by
            itself in a GeoDataFrame, in rows from `extract`, and as ``lon``/``lat``.
        crs: The coordinate reference system of ``geometry`` ("EPSG:32633").
        columns: Descriptions of columns by name.
        units: Units of columns by name ("m", "dB"); text for people, nothing is converted.
        online_enabled: Keep the newest row of each thing for `FeatureView.get_feature_vector`.
        expectations: SQL conditions by name that every row must meet ("ndvi BETWEEN -1 AND 1").
        policy: "strict" refuses an insert with rows that break one; "warn" says so.
        statistics: Whether inserts compute statistics; else they are when first asked for.
        tags: Labels by which the panel sorts groups ("crops", "2024"); `search` finds them too.
        keywords: What it is about, in words that a stranger would search for ("phenology").
        owner: Who answers for it.
        parents: Groups that its rows are made from; their newest commits are each insert's origin.
    """

    primary_key: Required[str | Sequence[str]]
    event_time: str | None
    partition_key: str | Sequence[str]
    geometry: str | Sequence[str] | None
    crs: object
    online_enabled: bool
    statistics: bool
    parents: Sequence[FeatureGroup]


class ViewOptions(TypedDict, total=False):
    """Options of a feature view.

    Attributes:
        labels: The label column of its group: one sample a row of that group.
        query: The features; they are matched on keys and, where there are event times, as of the
            label's own time.
        description: One line for the panel.
        transformations: By feature or pattern ("*_median"): "standard", "minmax", "robust",
            "impute", "log1p" or "onehot", or several in order. They are fitted on the training
            part of a split only.
        functions: Features made of others (see `eolab.features.transformation`).
        weights: Column of the label group that says how sure a label is; samples carry it.
        label_source: Column of the label group that says where a label comes from (a survey, a
            register): reports count by it, and `suspect_labels` names it.
    """

    labels: Required[Query]
    query: Required[Query]
    description: str
    transformations: Mapping[str, str | Sequence[str]] | None
    functions: Sequence[Transformation]
    weights: str | None
    label_source: str | None


def _check_version(version: object) -> None:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InvalidInputError(
            f"version={version!r} is not a version", "Versions are 1, 2, 3, ..."
        )


def _words(option: str, words: Sequence[str]) -> list[str]:
    if isinstance(words, str) or not all(isinstance(w, str) and w.strip() for w in words):
        raise InvalidInputError(
            f"{option}={words!r} are no words", f"Give a list: {option}=['crops', '2024']."
        )
    return list(dict.fromkeys(w.strip() for w in words))


def view_spec(name: str, version: int, options: ViewOptions) -> dict[str, object]:
    """A view as it is kept.

    Raises:
        InvalidInputError: A bad name or option, or labels that cannot be matched with the features.
    """
    from eolab.features.samples import on_demand
    from eolab.features.samples.samples import check_view
    from eolab.features.samples.transformations import resolve

    check_name(name, "feature view")
    _check_version(version)
    _check_options(options, ViewOptions, ("labels", "query"))
    labels, query = options["labels"], options["query"]
    made = tuple(options.get("functions") or ())
    for one in made:
        if not isinstance(one, on_demand.Transformation):
            raise InvalidInputError(
                f"functions holds {one!r}", "Decorate the function: @eolab.features.transformation."
            )
    patterns = options.get("transformations") or {}
    names = on_demand.check(made, query.names)
    check_view(labels, query, resolve(patterns, names))
    weights, source = options.get("weights"), options.get("label_source")
    for what, column in (("weights", weights), ("sources", source)):
        if column is not None and column not in labels.group.columns:
            raise InvalidInputError(
                f"{labels.group.label} has no column {column!r} of {what}",
                nearest(column, list(labels.group.columns), "columns"),
            )
    return {
        "format": FORMAT,
        "labels": labels.to_dict(),
        "query": query.to_dict(),
        "description": options.get("description", ""),
        "transformations": {
            pattern: [kinds] if isinstance(kinds, str) else list(kinds)
            for pattern, kinds in patterns.items()
        },
        "functions": [f.to_dict() for f in made],
        "weights": weights,
        "label_source": source,
    }


def group_spec(name: str, version: int, options: GroupOptions) -> dict[str, object]:
    """A group as it is kept.

    Raises:
        InvalidInputError: A bad name, key, option or CRS.
    """
    check_name(name, "feature group")
    _check_version(version)
    _check_options(options, GroupOptions, ("primary_key",))
    keys, event_time = _names(options["primary_key"]), options.get("event_time")
    if not keys:
        raise InvalidInputError(
            "primary_key is empty", "Name the column or columns that tell one thing from another."
        )
    if len(set(keys)) < len(keys) or event_time in keys:
        raise InvalidInputError(
            f"primary_key={keys} and event_time={event_time!r} name a column twice",
            "Name each column once.",
        )
    geometry, crs = options.get("geometry"), options.get("crs")
    if geometry is not None and len(_names(geometry)) not in {1, 2}:
        raise InvalidInputError(
            f"geometry={geometry!r} is not one column or two",
            "Name the geometry column, or ('x', 'y').",
        )
    policy = options.get("policy", "strict")
    return {
        "format": FORMAT,
        "primary_key": keys,
        "event_time": event_time,
        "partition_key": _names(options.get("partition_key", ())),
        "description": options.get("description", ""),
        "declared_geometry": geometry
        if geometry is None or isinstance(geometry, str)
        else list(geometry),
        "declared_crs": None if crs is None else crs_text(crs),
        "descriptions": dict(options.get("columns") or {}),
        "units": dict(options.get("units") or {}),
        "columns": [],
        "geometry": None,
        "online": bool(options.get("online_enabled")),
        "expectations": check_expectations(options.get("expectations"), policy),
        "policy": policy,
        "statistics": bool(options.get("statistics", True)),
        "tags": _words("tags", options.get("tags", ())),
        "keywords": _words("keywords", options.get("keywords", ())),
        "owner": options.get("owner", ""),
        "parents": [parent.label for parent in options.get("parents", ())],
    }


def told_again(
    spec: Mapping[str, object], options: Told, columns: Sequence[str]
) -> dict[str, object]:
    """A group's description with other words in it (see `FeatureGroup.update`)."""
    _check_options(options, Told, ())
    out = dict(spec)
    for option, kept in (("columns", "descriptions"), ("units", "units")):
        given = dict(options.get(option) or {})  # type: ignore[call-overload]
        for name in given if columns else ():
            if name not in columns:
                raise InvalidInputError(
                    f"there is no column {name!r}", nearest(name, list(columns), "columns")
                )
        known = out.get(kept)
        out[kept] = {**(known if isinstance(known, Mapping) else {}), **given}
    for name in ("description", "owner"):
        if name in options:
            out[name] = str(options[name])  # type: ignore[literal-required]
    for name in ("tags", "keywords"):
        if name in options:
            out[name] = _words(name, options[name])  # type: ignore[literal-required]
    policy = options.get("policy", out.get("policy") or "strict")
    conditions = options["expectations"] if "expectations" in options else out.get("expectations")
    assert conditions is None or isinstance(conditions, Mapping)
    out |= {"expectations": check_expectations(conditions, policy), "policy": policy}
    return out


def _names(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _check_options(given: Mapping[str, object], known: type, needed: Sequence[str]) -> None:
    allowed = list(known.__annotations__)
    for name in given:
        if name not in allowed:
            raise InvalidInputError(
                f"there is no option {name!r}", nearest(name, allowed, "options")
            )
    for name in needed:
        if name not in given:
            raise InvalidInputError(f"{name}= is missing", f"Pass {name}=.")
