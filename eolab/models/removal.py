"""Models and their versions to the bin of the workspace, and back.

A model in the bin is another one to MLflow: it is renamed there, which is one step. A version keeps
its number and gets a tag, as MLflow forgets for good what it is told to delete.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from eolab import tracking
from eolab.errors import ConflictError, NotFoundError
from eolab.files import disk, folders, locks
from eolab.records import deleted

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Entry

    from eolab.models.versions import ModelVersion
    from eolab.records.deleted import DeletedEntry, StoredEntry
    from eolab.settings.config import Config

TAG = "eolab.deleted"
_BINNED = re.compile(r" \(deleted [0-9]{14}-[0-9a-f]{6}\)$")


def is_out(name: str) -> bool:
    """Whether a name in MLflow is that of a model in the bin."""
    return _BINNED.search(name) is not None


def is_version_out(entry: Entry) -> bool:
    """Whether a version in MLflow is in the bin."""
    return bool(entry.tags.get(TAG))


class WholeModel:
    """A model in MLflow, with all its versions."""

    def __init__(self, config: Config, name: str) -> None:
        self._config, self._name = config, name

    def take_out(self, entry: str) -> None:
        """Renamed: its own name is free."""
        self._rename(self._name, self._binned(entry))

    def bring_back(self, entry: str) -> None:
        """Its own name again."""
        self._rename(self._binned(entry), self._name)

    def is_out(self, entry: str) -> bool:
        """Whether it has the name of its entry."""
        return _exists(self._config, self._binned(entry))

    def purge(self, entry: str) -> None:
        """For good, in MLflow too."""
        if self.is_out(entry):
            with tracking.session(self._config) as client:
                client.delete_registered_model(self._binned(entry))

    def _binned(self, entry: str) -> str:
        return f"{self._name} (deleted {entry})"

    def _rename(self, name: str, new: str) -> None:
        if not _exists(self._config, name):
            raise NotFoundError(f"no model {name!r} in MLflow", "It was deleted there.")
        if _exists(self._config, new):
            raise ConflictError(f"there is a model {new!r} again", "Delete it first.")
        with tracking.session(self._config) as client:
            client.rename_registered_model(name, new)


class OneVersion:
    """A version of a model in MLflow."""

    def __init__(self, config: Config, name: str, version: str) -> None:
        self._config, self._name, self._version = config, name, version

    def take_out(self, entry: str) -> None:
        """Tagged."""
        with tracking.session(self._config) as client:
            client.set_model_version_tag(self._name, self._version, TAG, entry)

    def bring_back(self, entry: str) -> None:
        """Without the tag."""
        if not self.is_out(entry):
            raise NotFoundError(
                f"no version {self._version} of model {self._name!r} in MLflow",
                "Its model was deleted too: restore that one first.",
            )
        with tracking.session(self._config) as client:
            client.delete_model_version_tag(self._name, self._version, TAG)

    def is_out(self, entry: str) -> bool:
        """Whether it has the tag of its entry."""
        if not _exists(self._config, self._name):
            return False
        with tracking.session(self._config) as client:
            found = client.get_model_version(self._name, self._version)
            return found.tags.get(TAG) == entry

    def purge(self, entry: str) -> None:
        """For good, in MLflow too."""
        if self.is_out(entry):
            with tracking.session(self._config) as client:
                client.delete_model_version(self._name, self._version)


def registered(config: Config, identity: str) -> WholeModel | OneVersion:
    """A model ("crops") or a version of it ("crops/1") as MLflow has it."""
    name, _, version = identity.partition("/")
    return OneVersion(config, name, version) if version else WholeModel(config, name)


def purge(config: Config, stored: StoredEntry) -> None:
    """Let MLflow forget for good what is too old for the bin."""
    registered(config, stored.entry.name).purge(stored.entry.id)


def delete(config: Config, what: str | ModelVersion) -> DeletedEntry:
    """Move a model by name, or one of its versions, to the bin.

    Raises:
        ConflictError: It is just being registered.
        RemoteError: MLflow does not answer.
    """
    name = what if isinstance(what, str) else what.name
    identity = what if isinstance(what, str) else f"{what.name}/{what.version}"
    home = config.models / name
    folder = home if isinstance(what, str) else home / what.folder.name
    with disk.translate_errors(f"model {identity!r} cannot be deleted", config.root):
        folders.make(folder)
        busy = [path for path in home.glob("*") if locks.is_held(path)]
        if busy:
            raise ConflictError(
                f"model {name!r} is just being registered", "Delete it once that has ended."
            )
        entry = deleted.put(
            config.root, "model", identity, folder, registered=registered(config, identity)
        )
        touch(config)
        return entry


def restore(config: Config, entry: DeletedEntry, names: Collection[str] = ()) -> Path:
    """Bring a model or version back (see `eolab.records.deleted.restore`)."""
    place = deleted.restore(config.root, entry, registered(config, entry.name), names)
    touch(config)
    return place


def touch(config: Config) -> None:
    """Let those who watch the folder know."""
    folders.make(config.models)
    (config.models / "changed").touch()


def _exists(config: Config, name: str) -> bool:
    from mlflow.exceptions import MlflowException

    if not tracking.exists(config):
        return False
    with tracking.session(config) as client:
        try:
            client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
    return True
