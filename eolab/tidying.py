"""Deleting, renaming and archiving of whatever a workspace holds, and undoing it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from eolab.errors import ConflictError, EolabError, InvalidInputError, NotFoundError, nearest
from eolab.files import disk
from eolab.records import deleted, lineage, titles
from eolab.records.deleted import DeletedEntry, Kind
from eolab.records.lineage import Ref

if TYPE_CHECKING:
    from eolab.records.deleted import Registered, StoredEntry
    from eolab.settings.config import Config

KINDS: tuple[Kind, ...] = get_args(Kind)
WORDS: Mapping[str, str] = {
    "study": "study",
    "group": "feature group",
    "view": "feature view",
    "dataset": "training dataset",
    "model": "model",
}
_CLASSES: Mapping[str, Kind] = {
    "Study": "study",
    "Ablation": "study",
    "FeatureGroup": "group",
    "FeatureView": "view",
    "TrainingDataset": "dataset",
    "ModelVersion": "model",
}
# What is told of what hangs on a thing.
_SHOWN = (*KINDS, "chips", "deployment")


@dataclass(frozen=True)
class Dependents:
    """What hangs on a thing.

    Attributes:
        broken: What cannot be used any more without it.
        made: What was made from it and goes on without it.
        running: Studies that are at work on it: it is not deleted while they are.

    Example:
        >>> ws.dependents(fg).broken
        (Ref(kind='view', id='season/1'),)
    """

    broken: tuple[Ref, ...] = ()
    made: tuple[Ref, ...] = ()
    running: tuple[Ref, ...] = ()


def ref_of(config: Config, entity: object) -> Ref:
    """The node of a thing: an object, or words such as "group spectra/1" or "model crops".

    A group or view without a version is its newest one; titles are understood too.

    Raises:
        InvalidInputError: Nothing of the sort can be deleted, renamed or archived.
        NotFoundError: It is not there.
    """
    if isinstance(entity, Ref):
        return _there(config, _kind(entity.kind), entity.id)
    if isinstance(entity, str):
        kind, _, name = entity.partition(" ")
        if not name:
            raise InvalidInputError(
                f"{entity!r} names no thing", 'Write kind and name, such as "study forest".'
            )
        return _there(config, _kind(kind), name.strip())
    for cls in type(entity).__mro__:
        known = _CLASSES.get(cls.__name__)
        if known is not None and cls.__module__.startswith("eolab."):
            return _there(config, known, _identity(known, entity))
    raise InvalidInputError(
        f"a {type(entity).__name__} cannot be deleted, renamed or archived",
        f"Give one of: {', '.join(WORDS.values())}.",
    )


def _identity(kind: Kind, entity: object) -> str:
    if kind == "study":
        return str(getattr(entity, "name", ""))
    if kind == "dataset":
        return f"{getattr(entity, 'view', '')}#{getattr(entity, 'version', '')}"
    return f"{getattr(entity, 'name', '')}/{getattr(entity, 'version', '')}"


def _kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise InvalidInputError(f"no kind {name!r}", nearest(name, list(KINDS), "kinds"))


def _there(config: Config, kind: Kind, name: str) -> Ref:
    """The node of a thing that is there: by its id or name, else by its title."""
    try:
        return _named(config, kind, name)
    except (InvalidInputError, NotFoundError):
        called = titles.find(config.root, kind, name)
        if called is None or called == name:
            raise
        return _named(config, kind, called)


def _named(config: Config, kind: Kind, name: str) -> Ref:
    if kind == "study":
        from eolab.studies.client.tune import open_study

        return Ref(kind, open_study(config, name).folder.name)
    if kind == "dataset":
        from eolab.features.removal import dataset_folder

        if not dataset_folder(config, name).is_dir():
            raise NotFoundError(f"no training dataset {name!r}", "Its view lists them.")
        return Ref(kind, name)
    if kind == "model":
        from eolab.models import ModelRegistry

        model, _, version = name.partition("/")
        found = ModelRegistry(config).get(model, version or None)
        return Ref(kind, f"{found.name}/{found.version}" if version else found.name)
    from eolab.features.groups.registry import Registry

    own, _, version = name.partition("/")
    number = int(version) if version.isdigit() else None
    entry = Registry(config.features).get(kind, own if number is not None else name, number)
    return Ref(kind, f"{entry.name}/{entry.version}")


def dependents(config: Config, ref: Ref) -> Dependents:
    """What hangs on a thing, by the lineage and by what views read."""
    starts = [ref]
    broken: list[Ref] = []
    if ref.kind == "group":
        from eolab.features import FeatureStore

        views = FeatureStore(config).feature_views()
        broken = [Ref("view", view.label) for view in views if ref.id in view.groups]
    if ref.kind in {"group", "model", "view"}:
        starts += [edge.target for edge in lineage.edges(config.root) if _part(edge.target, ref)]
        starts += [edge.source for edge in lineage.edges(config.root) if _part(edge.source, ref)]
    starts = list(dict.fromkeys(starts))
    found = lineage.around(config.root, starts)["downstream"]
    found = [node for node in found if node.kind in _SHOWN and node not in broken]
    away = lineage.deleted_among(config.root, found)
    made = [node for node in found if node not in away]
    running = [] if ref.kind == "study" else [node for node in made if _runs(config, node)]
    return Dependents(
        tuple(broken), tuple(node for node in made if node not in running), tuple(running)
    )


def _part(node: Ref, whole: Ref) -> bool:
    """Whether a node goes with a thing: a commit of a group, a version of a model."""
    if whole.kind == "group":
        return node.kind == "commit" and node.id.partition("@")[0] == whole.id
    if whole.kind == "view":
        return node.kind == "dataset" and node.id.partition("#")[0] == whole.id
    return node.kind == "model" and node.id.partition("/")[0] == whole.id


def _runs(config: Config, node: Ref) -> bool:
    from eolab.studies.journal.files import is_alive

    return node.kind == "study" and is_alive(config.runs / node.id)


def delete(config: Config, ref: Ref, *, cascade: bool = False) -> DeletedEntry:
    """Move a thing to the bin (see `Workspace.delete`)."""
    hang = dependents(config, ref)
    why = refusal(config, ref, hang)
    if why:
        raise ConflictError(why, "Wait for its end, or cancel it; then delete.")
    if hang.broken and not cascade:
        raise ConflictError(
            f"the {WORDS[ref.kind]} {ref.id!r} is read by {said(hang.broken)}",
            "Delete that first, or all at once with cascade=True (--cascade).",
        )
    what = f"{WORDS[ref.kind]} {ref.id!r} cannot be deleted"
    with contextlib.ExitStack() as undo:
        for other in hang.broken:
            undo.callback(_put_back, config, delete(config, other))
        with disk.translate_errors(what, config.root):
            entry = _delete(config, ref)
        undo.pop_all()  # all of it goes, or nothing
    return entry


def _put_back(config: Config, entry: DeletedEntry) -> None:
    with contextlib.suppress(OSError, EolabError):  # else it stays in the bin
        restore(config, entry)


def _delete(config: Config, ref: Ref) -> DeletedEntry:
    if ref.kind == "study":
        from eolab.studies.client import launch

        return launch.delete(config.runs / ref.id)
    if ref.kind == "model":
        from eolab.models import ModelRegistry, removal

        name, _, version = ref.id.partition("/")
        return removal.delete(config, ModelRegistry(config).get(name, version) if version else name)
    from eolab.features import removal as features

    if ref.kind == "dataset":
        return features.delete_dataset(config, ref.id)
    return features.delete(config, "group" if ref.kind == "group" else "view", ref.id)


def refusal(config: Config, ref: Ref, hang: Dependents) -> str:
    """Why a thing cannot be deleted now; "" where it can, as far as that is seen from outside."""
    if hang.running:
        return f"{said(hang.running)} is running on the {WORDS[ref.kind]} {ref.id!r}"
    if _runs(config, ref):
        from eolab.studies.journal.files import Follower
        from eolab.studies.journal.state import ENDED

        state = Follower(config.runs / ref.id).summary()["state"]
        return "" if state in ENDED else f"study {ref.id!r} is {state}"
    return ""


def said(refs: tuple[Ref, ...]) -> str:
    """Things in words: "the feature view 'season/1' and 2 more"."""
    first = f"the {WORDS.get(refs[0].kind, refs[0].kind)} {refs[0].id!r}"
    return first if len(refs) == 1 else f"{first} and {len(refs) - 1} more"


def restore(config: Config, entry: DeletedEntry) -> None:
    """Bring something back from the bin (see `Workspace.restore`)."""
    what = f"{entry.kind} {entry.name!r} cannot be restored"
    with disk.translate_errors(what, config.root):
        if entry.kind == "model":
            from eolab.models import removal

            removal.restore(config, entry, _names(config, entry.kind))
            return
        found = deleted.stored(config.root, entry)
        if entry.kind == "view":
            _check_groups(config, found)
        if entry.kind == "dataset":
            _there(config, "view", entry.name.partition("#")[0])
        names = _names(config, entry.kind)
        deleted.restore(config.root, entry, _registered(config, found), names)
        if entry.kind == "group":
            from eolab.features import FeatureStore

            name, _, version = entry.name.rpartition("/")
            store = FeatureStore(config)
            for group in store.feature_groups():
                if group.name == name and str(group.version) == version and group.online_enabled:
                    group.sync_online()


def _check_groups(config: Config, stored: StoredEntry) -> None:
    """A view comes back only where the groups that it reads are there."""
    from eolab.features import FeatureStore
    from eolab.features.removal import InRegistry

    InRegistry.of(config, stored).check_view(FeatureStore(config).open_group)


def _registered(config: Config, stored: StoredEntry) -> Registered | None:
    """Where a thing of the bin is registered, too."""
    if stored.entry.kind == "model":
        from eolab.models import removal

        return removal.registered(config, stored.entry.name)
    if stored.entry.kind in {"group", "view"}:
        from eolab.features.removal import InRegistry

        return InRegistry.of(config, stored)
    return None


def find(config: Config, kind: str, name: str) -> DeletedEntry:
    """What was deleted last under a name or title; the newest version where none is said.

    Raises:
        NotFoundError: The bin has none of this name.
    """
    ways: dict[int, DeletedEntry] = {}
    for entry in deleted.entries(config.root):
        if entry.kind != kind:
            continue
        if name in {entry.name, entry.id}:
            return entry
        if kind in {"group", "view"} and entry.name.rpartition("/")[0] == name:
            ways.setdefault(1, entry)
        elif entry.title == name:
            ways.setdefault(2, entry)
    if ways:
        return ways[min(ways)]
    return deleted.find(config.root, kind, name)


def rename(config: Config, ref: Ref, title: str) -> None:
    """Give a thing a title (see `Workspace.rename`)."""
    with disk.translate_errors(f"{ref.kind} {ref.id!r} cannot be renamed", config.root):
        titles.rename(config.root, ref, title, _names(config, ref.kind))


def archive(config: Config, ref: Ref, *, archived: bool = True) -> None:
    """Let lists leave a thing out, or show it again."""
    what = "archived" if archived else "restored"
    with disk.translate_errors(f"{ref.kind} {ref.id!r} cannot be {what}", config.root):
        titles.archive(config.root, ref, archived=archived)


def archived(config: Config) -> list[Ref]:
    """What lists leave out."""
    return sorted(ref for ref, shown in titles.read(config.root).items() if shown.archived)


def bring_back(config: Config, entry: DeletedEntry | str) -> Ref:
    """Undo an archiving, else a deletion (see `Workspace.restore`).

    What is archived is there: a deleted one of its name could not come back beside it.
    """
    if not isinstance(entry, str | DeletedEntry):
        raise InvalidInputError(
            f"{entry!r} is no deleted entry", "Give its name, or one of ws.deleted()."
        )
    if not isinstance(entry, str):
        restore(config, entry)
        return Ref(entry.kind, entry.name)
    first, _, rest = entry.partition(" ")
    kind, name = (first, rest.strip()) if rest and first in KINDS else ("study", entry)
    away = {ref.id for ref in archived(config) if ref.kind == kind}
    if away:
        with contextlib.suppress(InvalidInputError, NotFoundError):
            ref = _there(config, _kind(kind), name)
            if ref.id in away:
                archive(config, ref, archived=False)
                return ref
    found = find(config, kind, name)
    restore(config, found)
    return Ref(found.kind, found.name)


def _names(config: Config, kind: str) -> set[str]:
    if kind == "study":
        folder = config.runs
        return {each.name for each in folder.iterdir()} if folder.is_dir() else set()
    if kind == "model":
        from eolab.models import ModelRegistry

        return {version.name for version in ModelRegistry(config).list()}
    if kind == "dataset":
        return set()
    from eolab.features.groups.registry import Registry

    entries = Registry(config.features).all(kind)
    return {name for e in entries for name in (e.name, f"{e.name}/{e.version}")}


def settle(config: Config) -> None:
    """Finish what was cut off, and remove for good what is too old."""
    with contextlib.suppress(OSError):  # a bin that nobody may read shuts no workspace
        for stored in deleted.unsettled(config.root):
            with contextlib.suppress(OSError, EolabError):
                deleted.settle(config.root, stored, _registered(config, stored))

    def purge(stored: StoredEntry) -> None:
        if stored.entry.kind == "model":
            from eolab.models import removal

            removal.purge(config, stored)

    deleted.sweep(config.root, purge)
