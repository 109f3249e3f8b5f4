"""Options of a feature view, and the view as the registry keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NotRequired, Required, TypedDict

from eolab.errors import InvalidInputError, nearest
from eolab.features.groups.options import check_options, check_version
from eolab.features.groups.registry import RegistryEntry
from eolab.features.queries.query import Query, QuerySpec, Task
from eolab.features.samples import on_demand
from eolab.features.samples.on_demand import FunctionSpec, Transformation
from eolab.features.samples.samples import check_view
from eolab.features.samples.transformations import resolve
from eolab.settings.config import check_name

FORMAT = 1


class ViewOptions(TypedDict, total=False):
    """Options of a feature view.

    Attributes:
        labels: The label column of its group: one sample a row of that group. None for a view
            without labels, of which there is `FeatureView.batch_data` only.
        query: The features; they are matched on keys and, where there are event times, as of the
            label's own time.
        description: One line for the panel.
        transformations: By feature or pattern ("*_median"): "standard", "minmax", "robust",
            "impute", "log1p" or "onehot", or several in order. They are fitted on the training
            part of a split only.
        functions: Features made of others (see `eolab.on_demand_transformation`).
        weights: Column of the label group that says how sure a label is, 0 or more; samples carry
            it.
        label_source: Column of the label group that says where a label comes from (a survey, a
            register): reports count by it, and `find_label_issues` names it.
        task: "classification" or "regression". By default text and truth values are classes,
            decimals a quantity, and whole numbers classes where at most 100 differ; where that is
            not plain a warning says what was taken.
    """

    labels: Query | None
    query: Required[Query]
    description: str
    transformations: Mapping[str, str | Sequence[str]] | None
    functions: Sequence[Transformation] | None
    weights: str | None
    label_source: str | None
    task: Task | None


class ViewSpec(TypedDict):
    """A view as plain JSON, as the registry keeps it; older ones lack what came later."""

    format: int
    labels: QuerySpec
    query: QuerySpec
    description: str
    transformations: NotRequired[dict[str, list[str]] | None]
    functions: NotRequired[list[FunctionSpec] | None]
    weights: NotRequired[str | None]
    label_source: NotRequired[str | None]
    task: NotRequired[Task | None]


def read_spec(entry: RegistryEntry) -> ViewSpec:
    """The description of a registered view."""
    spec: ViewSpec = json.loads(entry.document)
    return spec


def differing_key(one: ViewSpec, other: ViewSpec) -> str | None:
    """The first part in which two views differ; None where they give the same samples."""
    keys = ("labels", "query", "transformations", "functions", "weights", "label_source", "task")
    for key in keys:
        if (one.get(key) or None) != (other.get(key) or None):
            return key
    return None


def view_spec(name: str, version: int, options: ViewOptions) -> ViewSpec:
    """A new view from its options.

    Args:
        name: The view's name.
        version: Its version.
        options: As the user gave them.

    Raises:
        InvalidInputError: A bad name or option, or labels that cannot be matched with the features.
    """
    check_name(name, "feature view")
    check_version(version)
    check_options(options, ViewOptions, ("query",))
    query = options["query"]
    labels = options.get("labels")
    if labels is None:
        for option in ("weights", "label_source", "task"):
            if options.get(option) is not None:
                raise InvalidInputError(
                    f"{option}={options[option]!r} of a view without labels", "Pass labels= too."
                )
        # Rows are those of the features' own group.
        labels = Query(query.group, ())
    made = tuple(options.get("functions") or ())
    for one in made:
        if not isinstance(one, on_demand.Transformation):
            raise InvalidInputError(
                f"functions holds {one!r}",
                "Decorate the function: @eolab.on_demand_transformation.",
            )
    patterns = options.get("transformations") or {}
    names = on_demand.check(made, query.names)
    task = options.get("task")
    asked = [name for one in made for name in one.inputs]
    check_view(labels, query, resolve(patterns, names), task, asked)
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
        "task": task,
    }
