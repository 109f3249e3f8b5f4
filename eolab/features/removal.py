"""Groups, views and training datasets to the bin of the workspace, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.features.groups.registry import Registry, RegistryEntry
from eolab.features.online.postgres import PostgresSchema, PostgresTable
from eolab.features.queries.query import GroupHandle
from eolab.features.storage.delta_table import OfflineTable
from eolab.features.views.view import FeatureView
from eolab.files import disk, folders, locks
from eolab.records import deleted
from eolab.records.lineage import Ref

if TYPE_CHECKING:
    from eolab.records.deleted import DeletedEntry, StoredEntry
    from eolab.settings.config import Config

Kind = Literal["group", "view"]
_PLACES: Mapping[Kind, str] = {"group": "groups", "view": "datasets"}


class InRegistry:
    """A group or view as it stands in the registry, and on the online database where there is one.

    Args:
        config: The workspace.
        entry: Its row.
    """

    def __init__(self, config: Config, entry: RegistryEntry) -> None:
        self._config, self._entry = config, entry
        self._registry = Registry(config.features)

    @classmethod
    def of(cls, config: Config, stored: StoredEntry) -> InRegistry:
        """As the bin keeps it.

        Raises:
            ConflictError: Its entry is damaged.
        """
        record, (name, version) = stored.record, split_label(stored.entry.name)
        try:
            document, created = str(record["document"]), float(str(record["created"]))
        except (KeyError, ValueError) as error:
            raise ConflictError(
                f"the entry of {stored.entry.kind} {stored.entry.name!r} in the bin is damaged:"
                f" {error}",
                f"Its files are in {stored.entry.folder}.",
            ) from error
        return cls(config, RegistryEntry(stored.entry.kind, name, version, document, created))

    def take_out(self, entry: str) -> None:
        """Out of the registry."""
        del entry
        self.drop_online()
        self._registry.remove(self._entry)

    def bring_back(self, entry: str) -> None:
        """Into the registry, as it was."""
        del entry
        self.drop_online()  # of a group of this name that was there meanwhile
        self._registry.bring_back(self._entry)

    def is_out(self, entry: str) -> bool:
        """Whether the registry does not have it, or another one by now."""
        del entry
        found = self._registry.find(self._entry.kind, self._entry.name, self._entry.version)
        return found is None or found.created != self._entry.created

    def check_view(self, open_group: Callable[[str, int], GroupHandle]) -> None:
        """A view reads groups, which must be there.

        Raises:
            NotFoundError: One is not.
        """
        try:
            FeatureView(self._config, self._entry, open_group)
        except NotFoundError as error:
            raise NotFoundError(
                f"the view {self._entry.name!r} cannot be restored: {error.message}",
                "Restore the group that it reads first.",
            ) from error

    def drop_online(self) -> None:
        """What is served by key is made anew from the rows (`sync_online`)."""
        if self._entry.kind == "group":
            drop_online(self._config, self._entry)


def drop_online(config: Config, entry: RegistryEntry) -> None:
    """Remove the online table of a group where PostgreSQL has it; else it lies in its folder."""
    place = postgres(config)
    if place is not None:
        label = f"{entry.name}/{entry.version}"
        offline = OfflineTable(config.features / "groups" / entry.name / str(entry.version), ())
        PostgresTable(place, label, offline, (), None).drop()


def postgres(config: Config) -> PostgresSchema | None:
    """Where online tables are, if not in files: a schema a workspace, as several may share one."""
    url = config.online_url
    return None if url is None else PostgresSchema(url, f"eolab_{config.identity()[:12]}")


def delete(config: Config, kind: Kind, label: str) -> DeletedEntry:
    """Move a group with its rows, or a view with its training datasets, to the bin.

    Raises:
        NotFoundError: It is not there (any more).
        ConflictError: Somebody writes to it.
    """
    entry = Registry(config.features).get(kind, *split_label(label))
    folder = _folder(config, kind, entry)
    word = f"{kind} {label!r}"
    with disk.translate_errors(f"{word} cannot be deleted", config.root):
        folders.make(folder)
        with _unused(folder, word):
            return deleted.put(
                config.root,
                kind,
                label,
                folder,
                registered=InRegistry(config, entry),
                record={"document": entry.document, "created": entry.created},
            )


def delete_dataset(config: Config, label: str) -> DeletedEntry:
    """Move a training dataset ("season/1#2") to the bin.

    Raises:
        NotFoundError: It is not there (any more).
    """
    folder = dataset_folder(config, label)
    if not folder.is_dir():
        raise NotFoundError(f"no training dataset {label!r}", "The view lists those that it has.")
    with disk.translate_errors(f"training dataset {label!r} cannot be deleted", folder):
        return deleted.put(config.root, "dataset", label, folder)


def dataset_folder(config: Config, label: str) -> Path:
    """Where a training dataset is."""
    view, _, number = label.partition("#")
    name, version = split_label(view)
    if not number.isdigit():
        raise InvalidInputError(
            f"{label!r} names no training dataset", "Write it as VIEW/VERSION#NUMBER."
        )
    return config.features / "datasets" / name / str(version) / number


def finish(config: Config, kind: Kind, label: str) -> None:
    """Bring a deletion to its end that was cut off, before something of this name is made."""
    for stored in deleted.unsettled(config.root):
        if stored.ref == Ref(kind, label):
            deleted.settle(config.root, stored, InRegistry.of(config, stored))


def split_label(label: str) -> tuple[str, int]:
    """Name and version.

    Raises:
        InvalidInputError: It is written otherwise.
    """
    name, _, version = label.rpartition("/")
    if not name or not version.isdigit():
        raise InvalidInputError(f"{label!r} has no version", "Write it as NAME/VERSION.")
    return name, int(version)


def _folder(config: Config, kind: Kind, entry: RegistryEntry) -> Path:
    return config.features / _PLACES[kind] / entry.name / str(entry.version)


@contextlib.contextmanager
def _unused(folder: Path, word: str) -> Iterator[None]:
    with locks.moving(folder) as free:
        if not free:
            raise ConflictError(f"{word} is being written to", "Delete it once that has ended.")
        yield
