"""One group's place in a workspace: its entry in the registry, its folder, its lineage."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eolab.errors import ConflictError, NotFoundError
from eolab.features.frame_attrs import FrameAttrs, source_refs
from eolab.features.groups.options import GroupSpec
from eolab.features.groups.registry import Registry, RegistryEntry
from eolab.features.storage.commits import Commit
from eolab.features.storage.delta_table import OfflineTable
from eolab.files import disk, folders, locks
from eolab.records.lineage import Ref, record


class GroupRecord:
    """What a workspace keeps of a group beside its rows.

    Args:
        root: The workspace's folder, which holds the lineage.
        features: The folder of the feature store.
        registry: The registry that holds the group.
        entry: The group in it.
    """

    def __init__(
        self, root: Path, features: Path, registry: Registry, entry: RegistryEntry
    ) -> None:
        self.root, self.folder = root, features / "groups" / entry.name / str(entry.version)
        self.name, self.version, self.created = entry.name, entry.version, entry.created
        self._registry, self._entry = registry, entry

    @property
    def label(self) -> str:
        """``name/version``."""
        return f"{self.name}/{self.version}"

    def spec(self) -> GroupSpec:
        """The group's description as it is now; another process may have changed it."""
        return GroupSpec.from_dict(self._stored())

    def save(self, spec: GroupSpec) -> None:
        """Replace the description; what a newer version of eolab added to it stays."""
        self._registry.update(self._entry, {**self._stored(), **spec.to_dict()})

    def _stored(self) -> dict[str, object]:
        return dict(self._registry.get("group", self.name, self.version).spec)

    def commit_ref(self, version: int) -> Ref:
        """The node of a commit in the lineage."""
        return Ref("commit", f"{self.label}@{version}")

    def record_insert(
        self, commit: Commit, attrs: FrameAttrs, parents: Sequence[str], sources: Iterable[Ref]
    ) -> None:
        """Record what a commit was made from.

        Args:
            commit: The commit.
            attrs: What its rows say of themselves.
            parents: Groups (``name/version``) whose newest commits are its origin.
            sources: What else it was made from.
        """
        record(
            self.root,
            [
                *source_refs(self.root, attrs),
                *([Ref("model", attrs.model)] if attrs.model else []),
                *sources,
                *self._newest_commits(parents),
                # The table after a commit holds what earlier ones brought.
                *([self.commit_ref(commit.version - 1)] if commit.version else []),
            ],
            self.commit_ref(commit.version),
            {"rows": commit.rows, **({"layers": dict(attrs.layers)} if attrs.layers else {})},
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write to the group's folder inside, which nobody deletes meanwhile.

        Raises:
            NotFoundError: The group was deleted.
            ConflictError: It was declared anew with other keys.
        """
        self._check_there()
        folders.make(self.folder)
        with locks.using(self.folder):
            try:
                self._check_there()
            except NotFoundError:
                with contextlib.suppress(OSError):  # made a moment ago in its old place
                    self.folder.rmdir()
                raise
            yield

    def _check_there(self) -> None:
        found = self._registry.find("group", self.name, self.version)
        if found is None or found.created != self.created:
            raise NotFoundError(
                f"the feature group {self.label!r} was deleted",
                f"ws.restore('group {self.label}') brings it back; "
                "ws.features opens or makes the one of this name.",
            )
        for key in ("primary_key", "event_time"):
            if found.spec.get(key) != self._entry.spec.get(key):
                raise ConflictError(
                    f"the feature group {self.label!r} was declared anew with "
                    f"{key}={found.spec.get(key)!r}",
                    "Open it again: ws.features.feature_group(...).",
                )

    @contextmanager
    def chained(self, table: OfflineTable, what: str) -> Iterator[None]:
        """Record that the commits made inside hold what came before them.

        Deleting and tidying up bring nothing, but what reads the table after them reads it all.

        Args:
            table: The group's.
            what: What cannot be done where the disk is full or closed, as a sentence begins.
        """
        before = table.last()
        with disk.translate_errors(what, self.folder), self.writing():
            yield
        after = table.last()
        if before is not None and after is not None:
            for version in range(before.version, after.version):
                record(self.root, [self.commit_ref(version)], self.commit_ref(version + 1))

    def _newest_commits(self, groups: Sequence[str]) -> list[Ref]:
        out = []
        for label in groups:
            name, _, version = label.rpartition("/")
            entry = self._registry.find("group", name, int(version))
            if entry is not None:
                folder = self.folder.parents[1] / name / version
                last = OfflineTable(folder, ()).last()
                out += [] if last is None else [Ref("commit", f"{label}@{last.version}")]
        return out
