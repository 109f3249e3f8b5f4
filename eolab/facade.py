"""The workspace as users hold it: one object, one attribute a domain."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from eolab import errors, tidying
from eolab.argument_checks import checked
from eolab.deprecation import renamed_arguments
from eolab.files import disk, folders
from eolab.files.folders import file_mode
from eolab.records import deleted
from eolab.records.lineage import Ref, downstream, upstream
from eolab.redaction import redact
from eolab.settings import config as configuration
from eolab.user_warnings import warn

if TYPE_CHECKING:
    from eolab.catalog import Source
    from eolab.catalog.query.times import When
    from eolab.clusters.manage import Clusters
    from eolab.features import FeatureStore
    from eolab.models import ModelRegistry
    from eolab.records.deleted import DeletedEntry
    from eolab.records.search_index import SearchHitJson
    from eolab.settings.config import Config
    from eolab.settings.edit import CatalogOptions, RemovalResult
    from eolab.settings.limits import LimitOptions
    from eolab.studies import Study
    from eolab.studies.ablation import Ablation, Preview
    from eolab.studies.ablation.study import AblateOptions
    from eolab.studies.client.options import TuneOptions
    from eolab.studies.journal.answers import StudySummary
    from eolab.tidying import Dependents


def workspace(path: str | os.PathLike[str] | None = None) -> Workspace:
    """Open the workspace that counts here.

    Args:
        path: An `eolab.toml`, a folder that holds one, or the workspace folder. By default
            EOLAB_WORKSPACE, else the nearest `eolab.toml` upward, else the user's data folder.

    Raises:
        ConfigError: The `eolab.toml` that counts has a fault; the message names file and key.

    Example:
        >>> ws = eo.workspace(ws.root.parent)
        >>> ws.catalog("sample").collections()
        [<Collection id=sentinel-1-rtc-simulated>, <Collection id=sentinel-2-l2a-simulated>]
    """
    config = configuration.find() if path is None else configuration.open_path(path)
    return Workspace(config)


class Workspace:
    """Catalogues, features, studies and models of one folder.

    Anything that a panel or a magic does is a call on this object. `eolab.workspace` opens one.

    Example:
        >>> items = ws.catalog().search(datetime="2021-05", max_cloud=20)
        >>> [group.name for group in ws.features.feature_groups()]
        []
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        errors.set_log(config.logs, mode=file_mode(shared=config.shared))
        if (config.root / deleted.FOLDER).is_dir():
            tidying.settle(config)
        from eolab.studies.journal.files import sweep_refits
        from eolab.tracking import moved

        sweep_refits(config.root, config.runs)
        if config.tracking_uri is None:
            moved.repair(config.root)

    @property
    def root(self) -> Path:
        """The folder in which everything is kept.

        Example:
            >>> ws.root.name
            'eolab-workspace'
        """
        return self.config.root

    def catalog(self, name: str = "sample", *, limits: LimitOptions | None = None) -> Source:
        """A catalogue to search.

        Args:
            name: Its name in `eolab.toml`, or the address of a STAC API or `catalog.json`, a
                folder, or a ``.parquet`` file of items.
            limits: Other limits than ``[limits]`` in `eolab.toml` for what a service may send:
                ``minutes``, ``pages`` of a search, ``megabytes`` of a document, ``retry_after``
                seconds. A search that reached one says so, and keeps what came.

        Raises:
            NotFoundError: No such catalogue, or nothing is there.
            InvalidInputError: Limits that are none.

        Example:
            >>> ws.catalog("sample").kind
            'static'
            >>> ws.catalog("sample", limits={"pages": 1_000}).limits.pages
            1000
        """
        from eolab.catalog import open_source

        if name not in self.config.catalogs and configuration.is_name(name):
            self._read_again()  # `eo.ingest` may have named it
        return open_source(self.config, name, limits=limits)

    def add_catalog(self, name: str, url: str, **options: Unpack[CatalogOptions]) -> Source:
        """Name one more catalogue in `eolab.toml`; what people wrote there stays.

        Args:
            name: What you will call it.
            url: http(s) address, or a path of this machine.
            **options: ``kind`` ("auto", "api", "static", "geoparquet"), ``description``, and how it
                lets us in: ``token``, ``sign``, ``headers``, ``client_id``, ``client_secret``,
                ``token_url``, ``scope``, ``s3``. Secrets are named ("env:NAME",
                "keyring:SERVICE/USER"), never given.

        Raises:
            InvalidInputError: A name, address or login that cannot be used.
            ConflictError: The name is taken, or the file cannot be written.
            RemoteError: The address does not answer what it is (asked only without ``kind``);
                nothing is added then.

        Example:
            >>> source = ws.add_catalog("mine", str(ws.root / "sample"), description="my fields")
            >>> source.name, len(source.collections())
            ('mine', 2)
        """
        from eolab.settings.edit import add_catalog

        self._read_again()
        self.config = add_catalog(self.config, Path.cwd(), name=name, url=url, **options)
        try:
            return self.catalog(name)
        except errors.RemoteError as error:
            self.remove_catalog(name)
            hint = "Nothing was added; with kind='api' or kind='static' the address is not asked."
            raise errors.RemoteError(error.message, f"{error.hint} {hint}") from error

    def change_catalog(self, name: str, url: str, **options: Unpack[CatalogOptions]) -> Source:
        """Give a catalogue that was added another address or login.

        Args:
            name: Which one; a name stays.
            url: http(s) address, or a path of this machine.
            **options: As in `add_catalog`; what is not given is dropped.

        Raises:
            NotFoundError: No such catalogue.
            InvalidInputError: An address or login that cannot be used.
            ConflictError: It comes with eolab, or the file cannot be changed.

        Example:
            >>> source = ws.add_catalog("mine", str(ws.root / "sample"))
            >>> ws.change_catalog("mine", source.url, description="two seasons").description
            'two seasons'
        """
        from eolab.settings.edit import change_catalog

        self._read_again()
        self.config = change_catalog(self.config, name=name, url=url, **options)
        self._forget(name)
        return self.catalog(name)

    def remove_catalog(self, name: str, *, secrets: bool = False) -> RemovalResult:
        """Take a catalogue that was added out of `eolab.toml`; no file is deleted.

        Args:
            name: Which one.
            secrets: Delete from the key store, too, what only this catalogue names there.

        Raises:
            NotFoundError: No such catalogue.
            ConflictError: It comes with eolab, or the file cannot be changed.

        Example:
            >>> source = ws.add_catalog("mine", str(ws.root / "sample"))
            >>> ws.remove_catalog("mine")
            <catalogue 'mine' is no longer named>
        """
        from eolab.settings.edit import remove_catalog

        self._read_again()
        removed = remove_catalog(self.config, name, secrets=secrets)
        self.config = removed.config
        self._forget(name)
        return removed

    def _read_again(self) -> None:
        """A panel or another process may have changed the file."""
        if self.config.file is not None:
            self.config = configuration.load(self.config.file)

    def _forget(self, name: str) -> None:
        from eolab.catalog.sources import search_entries

        search_entries.forget_catalog(self.root, name)

    @property
    def features(self) -> FeatureStore:
        """The feature store.

        Example:
            >>> fg.label in [group.label for group in ws.features.feature_groups()]
            True
        """
        from eolab.features import FeatureStore

        return FeatureStore(self.config)

    @property
    def clusters(self) -> Clusters:
        """The clusters on which studies and cells run.

        Example:
            >>> [row["name"] for row in ws.clusters.snapshot()]
            ['local', 'spark']
        """
        from eolab.clusters.manage import Clusters

        return Clusters(self.config)

    @property
    def models(self) -> ModelRegistry:
        """The model registry.

        Example:
            >>> ws.models.get("crops").metrics["macro_f1"] == model.metrics["macro_f1"]
            True
        """
        from eolab.models import ModelRegistry

        return ModelRegistry(self.config)

    def search(
        self,
        text: str = "",
        *,
        bbox: Sequence[float] | None = None,
        datetime: When | None = None,
        kinds: Sequence[str] = (),
        limit: int = 20,
        unread: dict[str, str] | None = None,
    ) -> dict[str, list[SearchHitJson]]:
        """Search collections, scenes, groups, views, patches, studies and models by keywords.

        Args:
            text: Keywords that must all occur, each as the start of a word.
            bbox: West, south, east, north in degrees: what has a place there.
            datetime: As in a catalogue's search: what has a time then.
            kinds: Only these: "collection", "item", "group", "view", "chips", "study",
                "model".
            limit: At most so many of each kind.
            unread: Gets the catalogues that could not be read, by name, with the reason; without
                it a warning says so.

        Returns:
            Results by kind, the best first (see `eolab.records.search_index.find`).

        Raises:
            InvalidInputError: An argument that cannot be used.

        Example:
            >>> found = ws.search("sentinel 2")
            >>> [row["id"] for row in found["collection"]]
            ['sample/sentinel-2-l2a-simulated']
        """
        from eolab.catalog.areas.areas import check_bbox
        from eolab.catalog.query.times import parse_interval
        from eolab.records import search_index

        start, end = parse_interval(datetime)
        box = None if bbox is None else check_bbox(bbox)
        left_out: dict[str, str] = {}
        try:
            folders.make(self.root)
            self._publish(self.root, left_out)
        except (OSError, sqlite3.Error) as error:
            if not disk.trouble(error):
                raise
            # What cannot be written to is searched by an index elsewhere.
            with tempfile.TemporaryDirectory() as home:
                search_index.copy(self.root, Path(home))
                self._publish(Path(home), left_out)
                self._tell_unread(left_out, unread)
                return search_index.find(
                    Path(home), text, bbox=box, start=start, end=end, kinds=kinds, limit=limit
                )
        self._tell_unread(left_out, unread)
        return search_index.find(
            self.root, text, bbox=box, start=start, end=end, kinds=kinds, limit=limit
        )

    def _tell_unread(self, left_out: dict[str, str], asked: dict[str, str] | None) -> None:
        if asked is not None:
            asked.update(left_out)
            return
        for name, reason in left_out.items():
            warn(f"catalogue {name!r} could not be read and is left out: {reason}", UserWarning)

    def _publish(self, home: Path, unread: dict[str, str]) -> None:
        """Bring up to date what is quickly read; catalogues note what they show by themselves."""
        from datetime import UTC, datetime

        from eolab.catalog.sources.search_entries import note_collections
        from eolab.records.search_index import Entry, publish

        for name, entry in self.config.catalogs.items():
            if "://" in entry.url:
                continue
            if not Path(entry.url).exists():
                if name not in configuration.built_in(self.config):  # such as an unmounted disk
                    unread[name] = f"there is no {entry.url}"
                continue
            try:
                note_collections(home, name, self.catalog(name).collections())
            except errors.EolabError as error:  # the others are searched all the same
                unread[name] = f"{error.message}. {error.hint}".strip()
            except Exception as error:  # documents can be wrong in ways nobody listed
                reason = f"{type(error).__name__}: {redact(str(error))[:200]}"
                unread[name] = f"{reason}. Look at {entry.url}."
        features, entries = self.features, []
        for group in features.feature_groups():
            about = " ".join(group.words)
            identity = f"{group.name}/{group.version}"
            entries.append(Entry("group", identity, group.name, about, detail={"group": identity}))
        for view in features.feature_views():
            identity = f"{view.name}/{view.version}"
            entries.append(
                Entry("view", identity, view.name, view.description, detail={"view": identity})
            )
        for name, versions in features.chip_datasets().items():
            identity = f"{name}#{versions[-1]}"
            entries.append(Entry("chips", identity, name, "patches", detail={"chips": identity}))
        for study in self.studies():
            name = str(study["name"])
            begun = study.get("started") or study.get("created")
            time = None if begun is None else datetime.fromtimestamp(float(str(begun)), UTC)
            about = f"{study['kind']} {study['metric']} {study['state']}"
            entries.append(
                Entry("study", name, name, about, start=time, end=time, detail={"study": name})
            )
        # Opening the registry imports MLflow: not for one that is not there.
        there = self.config.tracking_uri or (self.root / "mlflow.db").exists()
        for version in self.models.list() if there else ():
            identity = f"{version.name}/{version.version}"
            about = f"{version.description} {version.study or ''}"
            entries.append(
                Entry("model", identity, version.name, about, detail={"model": identity})
            )
        publish(home, entries, whole=("group", "view", "chips", "study", "model"))

    @checked
    def study(self, name: str) -> Study:
        """Attach to a study by name, from any process.

        Raises:
            NotFoundError: No study of this name in the workspace.

        Example:
            >>> ws.study(study.name).state
            'completed'
        """
        from eolab.studies import open_study

        return open_study(self.config, name)

    def studies(self) -> list[StudySummary]:
        """A summary of each study, newest first.

        Example:
            >>> [each["name"] for each in ws.studies() if each["name"] == study.name]
            ['forest']
        """
        from eolab.studies import list_studies

        return list_studies(self.config)

    def deleted(self) -> list[DeletedEntry]:
        """What was deleted in the last 30 days and can be restored, the latest first.

        What is older goes for good when the workspace is next opened.

        Example:
            >>> ws.deleted()
            []
        """
        return deleted.entries(self.root)

    @checked
    def delete(self, entity: object, *, cascade: bool = False) -> DeletedEntry:
        """Move a study, feature group, view, training dataset, model or version to the bin.

        Its name is free then; for 30 days `restore` brings it back with all that it holds. What was
        made from it stays, and its lineage goes on naming it. `dependents` says first what hangs on
        it.

        Args:
            entity: An object, or words: "study forest", "group spectra/1", "view season/1",
                "dataset season/1#2", "model crops" (with all versions), "model crops/1".
            cascade: Delete the views of a group, too, which cannot be read without it.

        Returns:
            Its entry in the bin.

        Raises:
            NotFoundError: It is not there (any more).
            ConflictError: Something is at work on it, or views read it; or the workspace cannot be
                written to. Nothing is deleted then.

        Example:
            >>> entry = ws.delete(fv)
            >>> entry.kind, entry.name
            ('view', 'season/1')
            >>> ws.restore(entry)
            Ref(kind='view', id='season/1')
        """
        return tidying.delete(self.config, tidying.ref_of(self.config, entity), cascade=cascade)

    @checked
    def dependents(self, entity: object) -> Dependents:
        """What hangs on a thing: what breaks without it, what was made of it, what runs on it.

        Args:
            entity: As in `delete`.

        Raises:
            NotFoundError: It is not there.

        Example:
            >>> ws.dependents(fg).broken
            (Ref(kind='view', id='season/1'),)
        """
        return tidying.dependents(self.config, tidying.ref_of(self.config, entity))

    @checked
    def rename(self, entity: object, title: str) -> None:
        """Give a thing a title, which the panel shows and by which it is opened, too.

        Folder, id and what was recorded stay, and the old name still opens it (and says the new
        one). Its own name as the title takes the title away.

        Args:
            entity: As in `delete`.
            title: One line, at most 100 characters; no other of its kind has it.

        Raises:
            InvalidInputError: It is no title.
            ConflictError: Another one has this name or title; or the workspace cannot be written
                to.

        Example:
            >>> ws.rename(fv, "Crops of one season")
            >>> ws.features.feature_view("Crops of one season").label
            'season/1'
            >>> ws.rename(fv, "season")
        """
        tidying.rename(self.config, tidying.ref_of(self.config, entity), title)

    @checked
    def archive(self, entity: object) -> None:
        """Put a thing away: lists of the panel and command line leave it out, `restore` undoes it.

        Args:
            entity: As in `delete`.

        Raises:
            NotFoundError: It is not there.
            ConflictError: The workspace cannot be written to.

        Example:
            >>> ws.archive(fv)
            >>> ws.archived()
            [Ref(kind='view', id='season/1')]
            >>> ws.restore("view season/1")
            Ref(kind='view', id='season/1')
        """
        tidying.archive(self.config, tidying.ref_of(self.config, entity))

    def archived(self) -> list[Ref]:
        """What was put away with `archive`.

        Example:
            >>> ws.archived()
            []
        """
        return tidying.archived(self.config)

    @checked
    def restore(self, entry: DeletedEntry | str) -> Ref:
        """Undo a deletion or archiving: everything is again where it was.

        Args:
            entry: One of `deleted`; or words as in `delete`: what is archived is shown again, else
                the last deleted of the name comes back. A name alone is that of a study.

        Returns:
            What is there again.

        Raises:
            NotFoundError: The bin does not hold it (any more).
            ConflictError: There is another one of this name or title by now; or the workspace
                cannot be written to.

        Example:
            >>> ws.restore("no-such-study")
            Traceback (most recent call last):
                ...
            eolab.errors.NotFoundError: no study 'no-such-study' was deleted in the last 30 days
            ...
        """
        return tidying.bring_back(self.config, entry)

    @checked
    def lineage(self, kind: str, identity: str) -> Mapping[str, list[Ref]]:
        """What something was made from ("upstream") and what was made from it ("downstream").

        Args:
            kind: "item", "cube", "commit", "view", "study", "model", ...
            identity: Its id: ``NAME/VERSION`` of a view or model, the name of a study.

        Example:
            >>> ws.lineage("study", study.name)["upstream"][0]
            Ref(kind='view', id='season/1')
        """
        node = Ref(kind, identity)
        return {
            "upstream": upstream(self.root, node),
            "downstream": downstream(self.root, node),
        }

    @renamed_arguments(stop="pruner")
    def tune(self, train: Callable[..., object], **options: Unpack[TuneOptions]) -> Study:
        """Run trials of ``train`` in parallel, and wait for the best.

        A study is its name: called again with the same code, space and data it attaches to the
        running study, resumes a stopped one or returns the finished one.

        Args:
            train: ``def train(data, reporter, *, seed, <hyperparameters>)``, any argument optional;
                it returns the metric, or reports it.
            **options: ``metric`` (needed), ``data``, ``name``, ``direction``, ``trials``,
                ``workers``, ``space``, ``sampler``, ``pruner``, ``seed``, ``resume``,
                ``overwrite``, ``wait`` and more; `eolab.studies.tune` explains each.

        Raises:
            InvalidInputError: A misspelt option, or whatever `tune` finds.

        Example:
            >>> def parabola(*, x):
            ...     return -((x - 0.3) ** 2)
            >>> study = ws.tune(
            ...     parabola, name="parabola", metric="score", trials=4, workers=1,
            ...     space={"x": eo.uniform(0, 1)}, sampler="qmc", tracking=False,
            ... )
            >>> study.state, len(study.trials)
            ('completed', 4)
        """
        from eolab.studies import tune
        from eolab.studies.client.checks import check_options

        check_options(tune, options)
        return tune(self.config, train, **options)

    def ablate(
        self, train: Callable[..., object], **options: Unpack[AblateOptions]
    ) -> Ablation | Preview:
        """Measure what features, groups, layers and modules are worth, by leaving them out.

        Args:
            train: ``def train(data, reporter, *, seed)`` as in a study; it gets ``data`` already
                without the feature.
            **options: ``metric`` (needed), ``data``, ``features``, ``groups``, ``layers``,
                ``design``, ``folds``, ``repeats``, ...; `eolab.studies.ablation.ablate` explains
                each. With ``dry_run=True`` nothing runs: a preview of the runs is returned.

        Raises:
            InvalidInputError: A misspelt option, or whatever `ablate` finds.

        Example:
            >>> preview = ws.ablate(
            ...     train, data=split, metric="accuracy", features=True, repeats=1,
            ...     dry_run=True,
            ... )
            >>> type(preview).__name__
            'Preview'
        """
        from eolab.studies.ablation import ablate
        from eolab.studies.client.checks import check_options

        check_options(ablate, options)
        return ablate(self.config, train, **options)

    @checked
    def ablation(self, name: str) -> Ablation:
        """Attach to an ablation by name, from any process.

        Raises:
            NotFoundError: No study of this name, or one that is no ablation.

        Example:
            >>> ws.ablation(ablation.name).state
            'completed'
        """
        from eolab.studies.ablation import open_ablation

        return open_ablation(self.config, name)

    def __repr__(self) -> str:
        return f"<eolab workspace {self.root}>"
