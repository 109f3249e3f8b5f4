"""The feature store of a workspace: feature groups and feature views by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from eolab.config import check_name
from eolab.errors import BadInput, Conflict
from eolab.features.geometry import crs_text
from eolab.features.registry import Registry
from eolab.features.validation import Policy, check_expectations

if TYPE_CHECKING:
    from eolab.config import Config
    from eolab.features.group import FeatureGroup
    from eolab.features.query import Query
    from eolab.features.view import FeatureView


class FeatureStore:
    """``ws.features``: everything that is kept below the workspace's ``features`` folder.

    Several processes may use one store at once.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._registry = Registry(config.features)

    def create_feature_group(
        self,
        name: str,
        version: int = 1,
        *,
        primary_key: Sequence[str],
        event_time: str | None = None,
        description: str = "",
        geometry: str | Sequence[str] | None = None,
        crs: object = None,
        columns: Mapping[str, str] | None = None,
        online_enabled: bool = False,
        expectations: Mapping[str, str] | None = None,
        policy: Policy = "strict",
        tags: Sequence[str] = (),
        owner: str = "",
    ) -> FeatureGroup:
        """Make a group; its columns and types come with the first insert.

        Args:
            name: Letters, digits, ``_ . -``.
            version: A number; a change of schema makes a new one.
            primary_key: The columns that name a thing.
            event_time: The column that says when the values were so; time stamps with a zone.
            description: One line for the panel.
            geometry: The geometry column, or the two columns of x and y (longitude, latitude).
                Found by itself in a GeoDataFrame, in rows from `extract`, and as ``lon``/``lat``.
            crs: The coordinate reference system of ``geometry`` ("EPSG:32633").
            columns: Descriptions of columns by name.
            online_enabled: Keep the newest row of each thing for `FeatureView.get_feature_vector`.
            expectations: SQL conditions by name that every row must meet ("ndvi BETWEEN -1 AND 1").
            policy: "strict" refuses an insert with rows that break one; "warn" says so.
            tags: Words by which `search` finds the group.
            owner: Who answers for it.

        Raises:
            Conflict: The name and version are taken.
            BadInput: A bad name, key or CRS.
        """
        from eolab.features.group import FeatureGroup

        spec = _group_spec(
            name, version, primary_key, event_time, description, geometry, crs, columns
        )
        spec |= {
            "online": bool(online_enabled),
            "expectations": check_expectations(expectations, policy),
            "policy": policy,
            "tags": _tags(tags),
            "owner": owner,
        }
        entry = self._registry.add("group", name, version, spec)
        return FeatureGroup(self.config.root, self.config.features, self._registry, entry)

    def get_or_create_feature_group(
        self,
        name: str,
        version: int = 1,
        *,
        primary_key: Sequence[str],
        event_time: str | None = None,
        description: str = "",
        geometry: str | Sequence[str] | None = None,
        crs: object = None,
        columns: Mapping[str, str] | None = None,
        online_enabled: bool = False,
        expectations: Mapping[str, str] | None = None,
        policy: Policy = "strict",
        tags: Sequence[str] = (),
        owner: str = "",
    ) -> FeatureGroup:
        """The group with the same keys if there is one, else a new one.

        See `create_feature_group` for the arguments.

        Raises:
            Conflict: There is one with other keys.
        """
        spec = _group_spec(
            name, version, primary_key, event_time, description, geometry, crs, columns
        )
        found = self._registry.find("group", name, version)
        if found is None:
            try:
                return self.create_feature_group(
                    name,
                    version,
                    primary_key=primary_key,
                    event_time=event_time,
                    description=description,
                    geometry=geometry,
                    crs=crs,
                    columns=columns,
                    online_enabled=online_enabled,
                    expectations=expectations,
                    policy=policy,
                    tags=tags,
                    owner=owner,
                )
            except Conflict:  # another process was first
                found = self._registry.get("group", name, version)
        for key in ("primary_key", "event_time"):
            if found.spec[key] != spec[key]:
                raise Conflict(
                    f"the feature group {name!r}, version {version}, "
                    f"has {key}={found.spec[key]!r}, not {spec[key]!r}",
                    f"Use its {key}, or make version {version + 1}.",
                )
        return self.feature_group(name, version)

    def feature_group(self, name: str, version: int | None = None) -> FeatureGroup:
        """A group by name; its newest version where none is named.

        Raises:
            NotFound: With the names that there are.
        """
        from eolab.features.group import FeatureGroup

        entry = self._registry.get("group", name, version)
        return FeatureGroup(self.config.root, self.config.features, self._registry, entry)

    def feature_groups(self) -> list[FeatureGroup]:
        """All groups, by name and version."""
        from eolab.features.group import FeatureGroup

        return [
            FeatureGroup(self.config.root, self.config.features, self._registry, e)
            for e in self._registry.all("group")
        ]

    def create_feature_view(
        self,
        name: str,
        version: int = 1,
        *,
        labels: Query,
        query: Query,
        description: str = "",
        transformations: Mapping[str, str | Sequence[str]] | None = None,
    ) -> FeatureView:
        """Bind labels to features: what a model is trained on.

        Args:
            name: Letters, digits, ``_ . -``.
            version: A number.
            labels: The label column of its group: one sample a row of that group.
            query: The features; they are matched on keys and, where there are event times, as of
                the label's own time.
            description: One line for the panel.
            transformations: By feature or pattern ("*_median"): "standard", "minmax", "robust",
                "impute", "log1p" or "onehot", or several in order. They are fitted on the
                training part of a split only.

        Raises:
            Conflict: The name and version are taken.
            BadInput: The labels cannot be matched with the features.
        """
        from eolab.features.transformations import resolve
        from eolab.features.view import FeatureView, check_view

        check_name(name, "feature view")
        _check_version(version)
        check_view(labels, query, resolve(transformations or {}, query.names))
        spec = _view_spec(labels, query, description, transformations)
        entry = self._registry.add("view", name, version, spec)
        view = FeatureView(self, entry)
        view.record_lineage()
        return view

    def get_or_create_feature_view(
        self,
        name: str,
        version: int = 1,
        *,
        labels: Query,
        query: Query,
        description: str = "",
        transformations: Mapping[str, str | Sequence[str]] | None = None,
    ) -> FeatureView:
        """The view if there is an equal one, else a new one (see `create_feature_view`).

        Raises:
            Conflict: There is one with other labels, transformations or another query.
        """
        found = self._registry.find("view", name, version)
        if found is None:
            return self.create_feature_view(
                name,
                version,
                labels=labels,
                query=query,
                description=description,
                transformations=transformations,
            )
        wanted = _view_spec(labels, query, description, transformations)
        for key in ("labels", "query", "transformations"):
            if found.spec.get(key) != wanted[key]:
                raise Conflict(
                    f"the feature view {name!r}, version {version}, differs in its {key}",
                    f"Make version {version + 1}.",
                )
        return self.feature_view(name, version)

    def feature_view(self, name: str, version: int | None = None) -> FeatureView:
        """A view by name; its newest version where none is named.

        Raises:
            NotFound: With the names that there are.
        """
        from eolab.features.view import FeatureView

        return FeatureView(self, self._registry.get("view", name, version))

    def feature_views(self) -> list[FeatureView]:
        """All views, by name and version."""
        from eolab.features.view import FeatureView

        return [FeatureView(self, e) for e in self._registry.all("view")]

    def search(self, text: str) -> list[str]:
        """Groups and views ("kind name/version") that hold every word of ``text``.

        Names, descriptions, tags, owners, columns and their descriptions are looked at.
        """
        words = text.lower().split()
        found = []
        for group in self.feature_groups():
            texts = [group.label, group.description, group.owner, *group.tags, *group.columns]
            found.append((f"group {group.label}", texts + list(group.column_descriptions.values())))
        for view in self.feature_views():
            texts = [view.label, view.description, *view.labels.columns, *view.query.names]
            found.append((f"view {view.label}", texts))
        return [name for name, texts in found if all(w in " ".join(texts).lower() for w in words)]

    def snapshot(self) -> dict[str, object]:
        """Groups and views as plain JSON, for the panel."""
        return {
            "groups": [_group_json(g) for g in self.feature_groups()],
            "views": [v.to_dict() for v in self.feature_views()],
        }

    def statistics_snapshot(self, name: str, version: int) -> dict[str, object]:
        """The statistics of a group's newest commit as plain JSON, for the panel.

        Raises:
            NotFound: No such group.
        """
        group = self.feature_group(name, version)
        commit = group.table.last()
        return {
            "commit": -1 if commit is None else commit.version,
            "statistics": [asdict(c) for c in group.statistics()],
        }

    def __repr__(self) -> str:
        return f"<FeatureStore {self.config.features}>"


def _group_json(group: FeatureGroup) -> dict[str, object]:
    commit = group.table.last()
    descriptions = group.column_descriptions
    return {
        "name": group.name,
        "version": group.version,
        "description": group.description,
        "primary_key": list(group.primary_key),
        "event_time": group.event_time,
        "rows": 0 if commit is None else commit.total,
        "columns": [
            {"name": f.name, "type": str(f.type), "description": descriptions.get(f.name, "")}
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


def _check_version(version: object) -> None:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadInput(f"version={version!r} is not a version", "Versions are 1, 2, 3, ...")


def _tags(tags: Sequence[str]) -> list[str]:
    if isinstance(tags, str) or not all(isinstance(t, str) and t.strip() for t in tags):
        raise BadInput(f"tags={tags!r} are no words", "Give a list: tags=['crops', '2024'].")
    return list(dict.fromkeys(t.strip() for t in tags))


def _view_spec(
    labels: Query,
    query: Query,
    description: str,
    transformations: Mapping[str, str | Sequence[str]] | None,
) -> dict[str, object]:
    return {
        "format": 1,
        "labels": labels.to_dict(),
        "query": query.to_dict(),
        "description": description,
        "transformations": {
            name: [kinds] if isinstance(kinds, str) else list(kinds)
            for name, kinds in (transformations or {}).items()
        },
    }


def _group_spec(
    name: str,
    version: int,
    primary_key: Sequence[str],
    event_time: str | None,
    description: str,
    geometry: str | Sequence[str] | None,
    crs: object,
    columns: Mapping[str, str] | None,
) -> dict[str, object]:
    check_name(name, "feature group")
    _check_version(version)
    keys = [primary_key] if isinstance(primary_key, str) else list(primary_key)
    if not keys:
        raise BadInput(
            "primary_key is empty", "Name the column or columns that tell one thing from another."
        )
    if len(set(keys)) < len(keys) or event_time in keys:
        raise BadInput(
            f"primary_key={keys} and event_time={event_time!r} name a column twice",
            "Name each column once.",
        )
    if geometry is not None and not isinstance(geometry, str) and len(list(geometry)) not in {1, 2}:
        raise BadInput(
            f"geometry={geometry!r} is not one column or two",
            "Name the geometry column, or ('x', 'y').",
        )
    return {
        "format": 1,
        "primary_key": keys,
        "event_time": event_time,
        "description": description,
        "declared_geometry": geometry
        if geometry is None or isinstance(geometry, str)
        else list(geometry),
        "declared_crs": None if crs is None else crs_text(crs),
        "descriptions": dict(columns or {}),
        "columns": [],
        "geometry": None,
    }
