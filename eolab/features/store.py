"""The feature store of a workspace: feature groups and feature views by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Unpack

from eolab.argument_checks import checked
from eolab.errors import ConflictError
from eolab.features import removal
from eolab.features.groups.options import GroupOptions, GroupSpec, group_spec
from eolab.features.groups.registry import Registry, RegistryEntry
from eolab.features.removal import Kind
from eolab.features.views.options import ViewOptions, differing_key, read_spec, view_spec
from eolab.files import folders, locks
from eolab.records import titles
from eolab.records.lineage import Ref
from eolab.user_warnings import warn

if TYPE_CHECKING:
    from eolab.features.extract.chips import Chips
    from eolab.features.extract.saved_chips import SavedChips
    from eolab.features.groups.group import FeatureGroup
    from eolab.features.online.postgres import PostgresSchema
    from eolab.features.views.view import FeatureView
    from eolab.settings.config import Config

_WORDS: Mapping[Kind, str] = {"group": "feature group", "view": "feature view"}


class FeatureStore:
    """``ws.features``: everything that is kept below the workspace's ``features`` folder.

    Several processes may use one store at once.

    Example:
        >>> store = ws.features
        >>> yields = store.get_or_create_feature_group("yields", primary_key="parcel_id")
        >>> _ = yields.insert(pd.DataFrame({"parcel_id": ["P1", "P2"], "t_per_ha": [7.1, 8.4]}))
        >>> store.feature_group("yields")
        <FeatureGroup yields/1: 2 rows, 2 columns, commit 0>
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._registry = Registry(config.features)

    @checked
    def create_feature_group(
        self, name: str, version: int = 1, **options: Unpack[GroupOptions]
    ) -> FeatureGroup:
        """Make a group; its columns and types come with the first insert.

        One that is there and has no rows yet is declared anew, where it was declared otherwise.

        Args:
            name: Letters, digits, ``_ . -``.
            version: A number; a change of schema makes a new one.
            options: ``primary_key`` (columns that identify a thing) and what else `GroupOptions`
                lists: ``event_time``, ``partition_key``, ``description``, ``geometry``, ``crs``,
                ``columns``, ``units``, ``online_enabled``, ``expectations``, ``policy``,
                ``statistics``, ``tags``, ``keywords``, ``owner``, ``parents``.

        Raises:
            ConflictError: The name and version are taken.
            InvalidInputError: A bad name, key, option or CRS.

        Example:
            >>> weather = ws.features.create_feature_group(
            ...     "weather",
            ...     primary_key="station",
            ...     event_time="time",
            ...     units={"temperature": "degC"},
            ...     expectations={"possible": "temperature BETWEEN -60 AND 60"},
            ... )
            >>> weather
            <FeatureGroup weather/1: empty>
        """
        spec = group_spec(name, version, options)
        found = self._registry.find("group", name, version)
        if found is not None and {**found.spec} != spec.to_dict():
            anew = self._declare_anew(found, spec)
            if anew is not None:
                return anew
        return self._group(self._add("group", name, version, spec))

    def _add(
        self, kind: Kind, name: str, version: int, spec: GroupSpec | Mapping[str, object]
    ) -> RegistryEntry:
        """Register a new group or view."""
        holder = titles.find(self.config.root, kind, name)
        if holder is not None:
            raise ConflictError(
                f"the {_WORDS[kind]} {holder!r} is called {name!r}", "Take another name."
            )
        removal.finish(self.config, kind, f"{name}/{version}")
        document = spec.to_dict() if isinstance(spec, GroupSpec) else spec
        return self._registry.add(kind, name, version, document)

    def _get(self, kind: Kind, name: str, version: int | None) -> RegistryEntry:
        """A group or view by its name, or by its title."""
        if self._registry.find(kind, name, version) is None:
            called = titles.find(self.config.root, kind, name)
            if called is not None:
                own, number = removal.split_label(called)
                if version in {None, number}:
                    return self._registry.get(kind, own, number)
        return self._registry.get(kind, name, version)

    def _tell_title(self, kind: Kind, name: str, entry: RegistryEntry) -> None:
        label = f"{entry.name}/{entry.version}"
        title = titles.title_of(self.config.root, Ref(kind, label))
        if title and name != title:
            warn(f"the {_WORDS[kind]} {label!r} is called {title!r} now; both open it", UserWarning)

    @checked
    def get_or_create_feature_group(
        self, name: str, version: int = 1, **options: Unpack[GroupOptions]
    ) -> FeatureGroup:
        """The group with the same keys if there is one, else a new one.

        Args:
            name: Letters, digits, ``_ . -``.
            version: A number.
            options: As for `create_feature_group`; of a group that is there only keys are compared.

        Raises:
            ConflictError: There is one with other keys.
            InvalidInputError: A bad name, key, option or CRS.

        Example:
            >>> again = ws.features.get_or_create_feature_group(
            ...     "spectra", primary_key="parcel_id", event_time="time"
            ... )
            >>> again.label
            'spectra/1'
        """
        spec = group_spec(name, version, options)
        found = self._registry.find("group", name, version)
        if found is None:
            try:
                return self._group(self._add("group", name, version, spec))
            except ConflictError:  # another process was first
                found = self._get("group", name, version)
        kept = GroupSpec.from_dict(found.spec)
        for key, there, wanted in (
            ("primary_key", list(kept.primary_key), list(spec.primary_key)),
            ("event_time", kept.event_time, spec.event_time),
        ):
            if there != wanted:
                raise ConflictError(
                    f"the feature group {name!r}, version {version}, "
                    f"has {key}={there!r}, not {wanted!r}",
                    f"Use its {key}, or make version {version + 1}."
                    if self._group(found).table.last() is not None
                    else "It is empty: create_feature_group declares it anew.",
                )
        return self._group(found)

    def _declare_anew(self, entry: RegistryEntry, spec: GroupSpec) -> FeatureGroup | None:
        """An empty group, declared as somebody wants it now; None where it has rows."""
        group = self._group(entry)
        folder = group.table.folder
        folders.make(folder)
        with locks.moving(folder) as free:  # nobody inserts meanwhile
            if not free or group.table.last() is not None:
                return None
            return self._group(self._registry.update(entry, spec.to_dict()))

    def _group(self, entry: RegistryEntry) -> FeatureGroup:
        from eolab.features.groups.group import FeatureGroup
        from eolab.features.groups.record import GroupRecord

        config = self.config
        record = GroupRecord(config.root, config.features, self._registry, entry)
        return FeatureGroup(record, GroupSpec.from_dict(entry.spec), self._online())

    def _online(self) -> PostgresSchema | None:
        return removal.postgres(self.config)

    @checked
    def feature_group(self, name: str, version: int | None = None) -> FeatureGroup:
        """A group by name.

        Args:
            name: Its name, or the title that `Workspace.rename` gave it.
            version: Its version; by default the newest.

        Raises:
            NotFoundError: With the names that there are.

        Example:
            >>> ws.features.feature_group(fg.name).version
            1
        """
        entry = self._get("group", name, version)
        self._tell_title("group", name, entry)
        return self._group(entry)

    @checked
    def open_group(self, name: str, version: int) -> FeatureGroup:
        """A group by its own name and version.

        Args:
            name: Its name; no title.
            version: Its version.

        Raises:
            NotFoundError: It is not there.

        Example:
            >>> ws.features.open_group(fg.name, 1).label
            'spectra/1'
        """
        return self._group(self._registry.get("group", name, version))

    def feature_groups(self) -> list[FeatureGroup]:
        """All groups, by name and version.

        Example:
            >>> [group.label for group in ws.features.feature_groups()] == [labels.label, fg.label]
            True
        """
        return [self._group(entry) for entry in self._registry.all("group")]

    @checked
    def create_feature_view(
        self, name: str, version: int = 1, **options: Unpack[ViewOptions]
    ) -> FeatureView:
        """Bind labels to features: what a model is trained on.

        Args:
            name: Letters, digits, ``_ . -``.
            version: A number.
            options: ``labels`` (the label column of its group), ``query`` (the features) and what
                else `ViewOptions` lists: ``description``, ``transformations``, ``functions``,
                ``weights``, ``label_source``.

        Raises:
            ConflictError: The name and version are taken.
            InvalidInputError: The labels cannot be matched with the features.

        Example:
            >>> view = ws.features.create_feature_view(
            ...     "scaled",
            ...     labels=labels.select("crop"),
            ...     query=fg.select(["red_median", "nir_median"]),
            ...     transformations={"*_median": "standard"},
            ... )
            >>> view
            <FeatureView scaled/1: classification of crop from 2 features of crops/1, spectra/1>
        """
        spec = view_spec(name, version, options)
        view = self._view(self._add("view", name, version, {**spec}))
        view.record_lineage()
        return view

    @checked
    def get_or_create_feature_view(
        self, name: str, version: int = 1, **options: Unpack[ViewOptions]
    ) -> FeatureView:
        """The view if there is an equal one, else a new one.

        Args:
            name: Letters, digits, ``_ . -``.
            version: A number.
            options: As for `create_feature_view`.

        Raises:
            ConflictError: There is one with other labels, transformations or another query.
            InvalidInputError: As there.

        Example:
            >>> store = ws.features
            >>> store.get_or_create_feature_view("season", labels=fv.labels, query=fv.query).label
            'season/1'
        """
        found = self._registry.find("view", name, version)
        if found is None:
            return self.create_feature_view(name, version, **options)
        key = differing_key(read_spec(found), view_spec(name, version, options))
        if key is not None:
            raise ConflictError(
                f"the feature view {name!r}, version {version}, differs in its {key}",
                f"Make version {version + 1}.",
            )
        return self._view(found)

    def _view(self, entry: RegistryEntry) -> FeatureView:
        from eolab.features.views.view import FeatureView

        return FeatureView(self.config, entry, self.open_group)

    @checked
    def feature_view(self, name: str, version: int | None = None) -> FeatureView:
        """A view by name.

        Args:
            name: Its name, or the title that `Workspace.rename` gave it.
            version: Its version; by default the newest.

        Raises:
            NotFoundError: With the names that there are.

        Example:
            >>> ws.features.feature_view(fv.name).features
            ('red_median', 'nir_median')
        """
        entry = self._get("view", name, version)
        self._tell_title("view", name, entry)
        return self._view(entry)

    def feature_views(self) -> list[FeatureView]:
        """All views, by name and version.

        Example:
            >>> [view.label for view in ws.features.feature_views()] == [fv.label]
            True
        """
        return [self._view(entry) for entry in self._registry.all("view")]

    @checked
    def create_chip_dataset(
        self,
        name: str,
        chips: Chips,
        *,
        description: str = "",
        format: Literal["zarr", "numpy"] = "zarr",
    ) -> SavedChips:
        """Write patches as the next version of a dataset of chips, which never changes.

        The same patches again are the version that is there. Lineage goes from the cube to it.

        Args:
            name: Letters, digits, ``_ . -``.
            chips: From `cube.eo.chips`.
            description: One line.
            format: A Zarr group with one chunk a patch, or NumPy files.

        Raises:
            InvalidInputError: A bad name or format, or Zarr is not installed.
            RemoteError: It cannot be written; nothing is left.

        Example:
            >>> chips = cube.eo.chips(64)
            >>> patches = ws.features.create_chip_dataset("small", chips, format="numpy")
            >>> patches
            <SavedChips small#1: 24 of 2 x 64 x 64 x 2, 0 classes>
        """
        from eolab.features.training import chip_datasets

        return chip_datasets.create(
            self.config, name, chips, description=description, format=format
        )

    @checked
    def chip_dataset(self, name: str, version: int | None = None) -> SavedChips:
        """A dataset of patches by name.

        Args:
            name: Its name.
            version: Its version; by default the newest.

        Raises:
            NotFoundError: With the names or versions that there are.

        Example:
            >>> _ = ws.features.create_chip_dataset("small", cube.eo.chips(64), format="numpy")
            >>> ws.features.chip_dataset("small").label
            'small#1'
        """
        from eolab.features.training import chip_datasets

        return chip_datasets.load(self.config, name, version)

    def chip_datasets(self) -> dict[str, list[int]]:
        """Datasets of chips that there are: versions by name, in order.

        Example:
            >>> _ = ws.features.create_chip_dataset("small", cube.eo.chips(64), format="numpy")
            >>> ws.features.chip_datasets()
            {'small': [1]}
        """
        from eolab.features.training import chip_datasets

        return chip_datasets.listed(self.config)

    @checked
    def search(self, text: str) -> list[str]:
        """What holds every word: "group name/version", "view name/version", "chips name#version".

        Names, descriptions, tags, keywords, owners, columns and their descriptions are looked at.

        Example:
            >>> fg.update(tags=["2021"])
            >>> ws.features.search("red 2021")
            ['group spectra/1']
        """
        words = text.lower().split()
        found = [(f"group {group.label}", group.words) for group in self.feature_groups()]
        for view in self.feature_views():
            texts = (view.label, view.description, *view.labels.columns, *view.query.names)
            found.append((f"view {view.label}", texts))
        for name, versions in self.chip_datasets().items():
            found.append((f"chips {name}#{versions[-1]}", (name,)))
        return [name for name, texts in found if all(w in " ".join(texts).lower() for w in words)]

    def __repr__(self) -> str:
        return f"<FeatureStore {self.config.features}>"
