"""A feature view: labels bound to features, and the training data that come of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from eolab.argument_checks import checked
from eolab.deprecation import renamed_arguments
from eolab.errors import ConflictError, EolabError, InvalidInputError, NotFoundError
from eolab.features.answers import ViewJson
from eolab.features.engines.duckdb import DuckDBEngine
from eolab.features.engines.spark import SparkEngine
from eolab.features.geometry import to_pandas
from eolab.features.groups.registry import Registry, RegistryEntry
from eolab.features.queries.query import GroupHandle, Query, Task, from_dict
from eolab.features.samples import on_demand, samples, transformations
from eolab.features.splits import split as splitting
from eolab.features.splits.assign import By
from eolab.features.splits.blocks import SpatialBlocks
from eolab.features.storage.duckdb import connect, moment
from eolab.features.training import datasets
from eolab.features.training.datasets import TrainingDataset
from eolab.features.views import batch, materialise
from eolab.features.views.options import read_spec
from eolab.features.views.vectors import Missing, VectorReader
from eolab.files import folders, locks
from eolab.records import deleted
from eolab.records.lineage import Ref, around, record, upstream
from eolab.settings.config import Config
from eolab.training_data import Split, TrainingData

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


class FeatureView:
    """Made by `FeatureStore.create_feature_view`: one sample a row of the label group.

    Features are those known at the label's own event time; nothing later is seen.

    Example:
        >>> fv
        <FeatureView season/1: classification of crop from 2 features of crops/1, spectra/1>
        >>> fv.training_data()
        <59 samples x 2 features, 6 classes, 59 blocks>
    """

    def __init__(
        self,
        config: Config,
        entry: RegistryEntry,
        open_group: Callable[[str, int], GroupHandle],
    ) -> None:
        self._config = config
        self.name, self.version, self.created = entry.name, entry.version, entry.created
        spec = read_spec(entry)
        self.description = spec["description"]
        self.labels: Query = from_dict(spec["labels"], open_group)
        self.query: Query = from_dict(spec["query"], open_group)
        self.functions = on_demand.from_specs(spec.get("functions") or ())
        self.weights: str | None = spec.get("weights")
        self.label_source: str | None = spec.get("label_source")
        self._task: Task | None = spec.get("task")
        self._before_tasks = "task" not in spec
        self.features: tuple[str, ...] = on_demand.check(self.functions, self.query.names)
        self.transformations: dict[str, tuple[str, ...]] = transformations.resolve(
            spec.get("transformations") or {}, self.features
        )
        self._reader: VectorReader | None = None

    @property
    def label(self) -> str:
        """``name/version``.

        Example:
            >>> fv.label
            'season/1'
        """
        return f"{self.name}/{self.version}"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that it reads, each once, as ``name/version``.

        Example:
            >>> fv.groups
            ('crops/1', 'spectra/1')
        """
        parts = (self.labels, *(p.query for p in self.query.parts))
        return tuple(dict.fromkeys(q.group.label for q in parts))

    @property
    def task(self) -> Task:
        """As the view was made, or by its labels: "classification" or "regression".

        Raises:
            ConflictError: The label group is empty, and its whole numbers may become either; or the
                view has no labels.

        Example:
            >>> fv.task
            'classification'
        """
        if self._task is not None:
            return self._task
        if not self.labels.columns:
            raise ConflictError(f"{self.label} has no labels", "Make a view with labels=.")
        with connect(self._config.features) as con:
            return samples.task_of(con, self.labels, before_tasks=self._before_tasks)

    def to_dict(self) -> ViewJson:
        """Plain JSON for the panel.

        Example:
            >>> fv.to_dict()["labels"]
            ['crop']
        """
        return {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "labels": list(self.labels.columns),
            "features": len(self.features),
            "groups": list(self.groups),
        }

    def commits(self) -> dict[str, int]:
        """The newest commit of each group that it reads; -1 for one without rows.

        Example:
            >>> fv.commits()
            {'crops/1': 0, 'spectra/1': 0}
        """
        out = {}
        for part in (self.labels, *(p.query for p in self.query.parts)):
            last = part.group.table.last()
            out[part.group.label] = -1 if last is None else last.version
        return out

    def record_lineage(self) -> None:
        """Note in the workspace's lineage which commits the view reads now; each once.

        Example:
            >>> fv.record_lineage()
            >>> [node.id for node in fv.lineage()["upstream"] if node.kind == "commit"]
            ['crops/1@0', 'spectra/1@0']
        """
        node = Ref("view", self.label)
        known = set(upstream(self._config.root, node))
        sources = [
            Ref("commit", f"{group}@{version}")
            for group, version in self.commits().items()
            if version >= 0
        ]
        record(self._config.root, [s for s in sources if s not in known], node)

    def lineage(self) -> dict[str, list[Ref]]:
        """What it was made from ("upstream"), and what of it ("downstream").

        Example:
            >>> {node.kind for node in fv.lineage()["upstream"]} == {"commit", "cube", "item"}
            True
        """
        return around(self._config.root, [Ref("view", self.label)])

    @renamed_arguments(known_at="as_of")
    def read(self, *, as_of: object = None) -> pd.DataFrame:
        """Keys, event time, label and features, one row per label; of sequences the label part
        only.

        No label is lost: where nothing was known, the features are missing.

        Args:
            as_of: Use what was known then: a timestamp with a zone, or text, which is UTC.

        Raises:
            InvalidInputError: A bad time.
            ConflictError: A group is empty.

        Example:
            >>> fv.read()[["parcel_id", "crop", "red_median"]].head(2).round(3)
              parcel_id        crop  red_median
            0     P0000       maize       0.147
            1     P0001  sugar_beet       0.056
        """
        return to_pandas(self.to_arrow(as_of=as_of), self.labels.group.geometry)

    @renamed_arguments(known_at="as_of")
    def to_arrow(self, *, as_of: object = None) -> pa.Table:
        """What `read` gives as an Arrow table (see `FeatureGroup.to_arrow`).

        Example:
            >>> fv.to_arrow().num_rows
            60
        """
        engine = DuckDBEngine(self._config.features)
        return engine.read_view(self.labels, self.query, as_of=as_of)

    @renamed_arguments(known_at="as_of")
    def to_spark(self, spark: SparkSession, *, as_of: object = None) -> DataFrame:
        """What `read` gives as a Spark DataFrame, in no order (see `FeatureGroup.to_spark`).

        Args:
            spark: Any session, classic or Connect, whose executors see the workspace's files.
            as_of: Use what was known then.

        Raises:
            InvalidInputError: A sequence or a join by place, which Spark does not make.

        Example:
            >>> def crops(spark):
            ...     return fv.to_spark(spark).groupBy("crop").count()
        """
        return SparkEngine(spark).read_view(self.labels, self.query, as_of=as_of)

    def get_feature_vector(
        self,
        key: Mapping[str, object],
        *,
        passed: Mapping[str, object] | None = None,
        missing: Missing = "nan",
        split: Split | None = None,
    ) -> list[object]:
        """The newest features of a thing from the online store, in the order of ``features``.

        Args:
            key: Values of the primary keys by name.
            passed: Features that the caller knows better, by name.
            missing: Give NaN for a key that is not there, or raise.
            split: Transform the vector as this split's training part was; its order is then that
                of ``split.train.columns``.

        Raises:
            InvalidInputError: A sequence or a condition, which have no vector; an unknown name.
            NotFoundError: The key is not there, with ``missing="error"``.

        Example:
            >>> _ = fg.sync_online()
            >>> [round(value, 3) for value in fv.get_feature_vector({"parcel_id": "P0000"})]
            [0.147, 0.267]
        """
        vector = self._vectors().get(key, passed, missing)
        if self.functions:
            vector = on_demand.extend_vector(vector, self.query.names, self.functions)
        return vector if split is None else self._transformed(vector, split)

    def get_feature_vectors(
        self,
        keys: Sequence[Mapping[str, object]],
        *,
        passed: Sequence[Mapping[str, object]] | None = None,
        missing: Missing = "nan",
        split: Split | None = None,
    ) -> list[list[object]]:
        """One vector for each key, in their order.

        Args:
            keys: Values of the primary keys by name, one mapping for each vector.
            passed: For each key, features that the caller knows better, by name.
            missing: Give NaN for a key that is not there, or raise.
            split: Transform vectors as this split's training part was.

        Raises:
            InvalidInputError: As `get_feature_vector`, or other numbers of keys and of ``passed``.
            NotFoundError: A key is not there, with ``missing="error"``.

        Example:
            >>> _ = fg.sync_online()
            >>> keys = [{"parcel_id": "P0000"}, {"parcel_id": "nowhere"}]
            >>> len(fv.get_feature_vectors(keys))
            2
        """
        vectors = self._vectors().get_many(keys, passed, missing)
        if self.functions:
            names = self.query.names
            vectors = [on_demand.extend_vector(v, names, self.functions) for v in vectors]
        return vectors if split is None else [self._transformed(v, split) for v in vectors]

    def _transformed(self, vector: Sequence[object], split: Split) -> list[object]:
        fitted = batch.source_of(split).get("transformations") or {}
        assert isinstance(fitted, Mapping)
        return transformations.apply_vector(vector, self.features, fitted)

    def _vectors(self) -> VectorReader:
        if self._reader is None:
            self._reader = VectorReader(self.query)
        return self._reader

    @renamed_arguments(known_at="as_of")
    def training_data(self, *, as_of: object = None) -> TrainingData:
        """All samples, ordered by key; ``groups`` numbers them (each its own unit).

        Samples without a label or without any feature value are left out. Transformations are not
        applied: they are fitted on a training part only.

        Raises:
            InvalidInputError: A feature is no number, or nothing is left.

        Example:
            >>> data = fv.training_data()
            >>> data.X.shape, data.columns
            ((59, 2), ('red_median', 'nir_median'))
        """
        return self.load(as_of).data

    @checked
    def batch_data(
        self,
        entities: object = None,
        *,
        start: object = None,
        end: object = None,
        as_of: object = None,
        split: batch.FittedParts | None = None,
    ) -> batch.BatchData:
        """Features of what has no label, arranged and transformed as in training.

        A row of the label group without a label is a sample at its own time, a thing of the
        features' group without a row there is one at ``end``; nothing later is used. Where training
        has one sample a thing and season (see `Query.sequence`), so has this.
        ``model.predict(view.batch_data().X)`` asks about all of them.

        Args:
            entities: What to ask about: values of the one key, or a table of the keys, in order;
                each once, without those that have a label (a warning counts them). A table that
                has the event time too says the rows themselves, all of which are answered. By
                default all without a label.
            start: First moment of the window: older labels do not count, and of the first group's
                features nothing before it. Text without a zone is UTC.
            end: Last moment, included (of a bare date the whole day, of "2024-06" the month); by
                default the newest row of the features.
            as_of: Use what was known then.
            split: The split or training dataset that the model was trained on; needed where the
                view transforms features. A view without labels takes that of another view.

        Raises:
            InvalidInputError: Keys of another type or missing, a time without a zone, no split
                where features are transformed, a join by place of things without a row.

        Example:
            >>> _ = fg.insert(rows.head(1).assign(parcel_id="P0999"))
            >>> batch = fv.batch_data()  # all others have a label
            >>> batch, batch.rows["parcel_id"].tolist()
            (<1 samples x 2 features, without labels>, ['P0999'])
            >>> asked = pd.DataFrame({"parcel_id": ["P0001", "P0000"]})
            >>> asked["observed"] = pd.Timestamp("2021-07-01", tz="UTC")
            >>> fv.batch_data(asked).X.shape
            (2, 2)
        """
        with connect(self._config.features) as con:
            return batch.batch(con, self, entities, start=start, end=end, as_of=as_of, split=split)

    @renamed_arguments(known_at="as_of")
    @checked
    def observations(self, data: TrainingData | None = None, *, as_of: object = None) -> np.ndarray:
        """How many observations each step of each sample holds, int32, shape (n, t).

        A step with 0 is empty or was filled: ``observations() > 0`` is the mask of valid steps.

        Args:
            data: A part of a split of this view ("split.train"); by default all samples, as in
                `training_data`.
            as_of: Use what was known then.

        Raises:
            InvalidInputError: The view has no sequence, or the samples are not of it.

        Example:
            >>> season = fg.select(["red_median", "nir_median"]).sequence("05-01", "06-30", "15D")
            >>> crop = labels.select("crop")
            >>> view = ws.features.create_feature_view("s", labels=crop, query=season)
            >>> view.observations().sum(axis=0).tolist()
            [0, 43, 59, 0, 0]
        """
        found = self.load(as_of)
        if found.counts is None:
            raise InvalidInputError(
                f"{self.label} has no sequence", "Make its query with sequence()."
            )
        if data is None:
            return found.counts
        return found.counts[materialise.rows_among(found.data, data, self.label)]

    @renamed_arguments(known_at="as_of")
    @checked
    def load(self, as_of: object = None, extra: Sequence[str] = ()) -> samples.Samples:
        """The samples with their label rows, before they are split.

        Args:
            as_of: Use what was known then.
            extra: Further columns of the label rows to carry along.

        Raises:
            InvalidInputError: A feature is no number, or nothing is left.

        Example:
            >>> samples = fv.load(extra=["crop"])
            >>> samples.report["without_features"]
            1
        """
        with connect(self._config.features) as con:
            found = samples.load(
                con,
                self.labels,
                self.query,
                as_of=moment(as_of),
                extra=[*extra, *([self.label_source] if self.label_source else [])],
                texts=[n for n, kinds in self.transformations.items() if "onehot" in kinds],
                weights=self.weights,
                task=self._task,
                before_tasks=self._before_tasks,
            )
        data = on_demand.extended(found.data, self.functions)
        return replace(found, data=data, source=self.label_source)

    @renamed_arguments(known_at="as_of")
    @checked
    def train_test_split(
        self,
        by: By | None = None,
        *,
        test_size: float | None = None,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        as_of: object = None,
        stratify: bool = True,
    ) -> Split:
        """Two parts that share no block.

        Args:
            by: As in `train_validation_test_split`, which has more to say of each argument.
            test_size: Share of each class that is held out, from 0 to below 1; 0.2 by default.
            seed: Another seed, another arrangement.
            unit: Column of the label group whose values stay together within blocks.
            min_samples: Classes with fewer samples are left out.
            as_of: Use what was known then.
            stratify: Give each part its share of each class.

        Raises:
            InvalidInputError: As there.

        Example:
            >>> split = fv.train_test_split(by=eo.SpatialBlocks(300), test_size=0.3)
            >>> len(split.train), len(split.test)
            (41, 18)
        """
        return splitting.split_parts(
            self, by, validation_size=0, test_size=test_size, seed=seed, unit=unit,
            min_samples=min_samples, as_of=as_of, stratify=stratify,
        )  # fmt: skip

    @renamed_arguments(known_at="as_of")
    @checked
    def train_validation_test_split(
        self,
        by: By | None = None,
        *,
        validation_size: float | None = None,
        test_size: float | None = None,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        as_of: object = None,
        stratify: bool = True,
    ) -> Split:
        """Three parts that share no block.

        Args:
            by: `SpatialBlocks` (by default those of `propose_blocks`, or smaller ones, with a
                warning, where they leave no two classes); `TimeSplit` (the newest labels are held
                out); `Column` (a published split: values of a column of the label group by part;
                it takes no sizes); "random" (by hash of the key: flatters, for comparison);
                or the name of a column of the label group whose values stay together.
            validation_size: Share of each class for validation, 0.2 by default.
            test_size: Share of each class that is held out until a model is registered, 0.2 by
                default.
            seed: Another seed, another arrangement. Row order never matters.
            unit: Column of the label group whose values stay together within blocks (a parcel).
            min_samples: Classes with fewer samples are left out; so are those in fewer blocks than
                there are parts.
            as_of: Use what was known then.
            stratify: Give each part its share of each class; where a block lies then depends on
                the others. False goes by a hash of the block alone: shares are rougher, but no
                sample ever changes its part when others are added.

        Returns:
            The parts; ``source["report"]`` says what was left out, and why.

        Raises:
            InvalidInputError: Sizes that leave no training part, no geometry, or no class that can
                be split.

        Example:
            >>> split = fv.train_validation_test_split(by=eo.SpatialBlocks(300, buffer=50), seed=0)
            >>> split.source["report"]["dropped_by_buffer"]
            {'train': 16, 'validation': 5}
        """
        return splitting.split_parts(
            self, by, validation_size=validation_size, test_size=test_size, seed=seed, unit=unit,
            min_samples=min_samples, as_of=as_of, stratify=stratify,
        )  # fmt: skip

    @renamed_arguments(known_at="as_of", n="n_splits")
    @checked
    def folds(
        self,
        by: By | None = None,
        *,
        n_splits: int = 5,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        as_of: object = None,
        stratify: bool = True,
    ) -> list[Split]:
        """Outer folds: each block is held out once.

        In each split one fold is held out, the next is for validation, the rest for training. With
        `TimeSplit` each fold holds out a later period, validates on the one before, and trains on
        all that is older.

        Args:
            by: As in `train_validation_test_split`.
            n_splits: Folds, 3 or more; classes in fewer blocks are left out by name.
            seed: Another seed, another arrangement.
            unit: Column of the label group whose values stay together within blocks.
            min_samples: Classes with fewer samples are left out.
            as_of: Use what was known then.
            stratify: Give each fold its share of each class.

        Raises:
            InvalidInputError: Too few folds, no geometry, or no class that can be split.

        Example:
            >>> folds = fv.folds(by=eo.SpatialBlocks(300), n_splits=3)
            >>> sum(len(fold.test) for fold in folds)
            59
        """
        return splitting.split_folds(
            self, by, n_splits=n_splits, seed=seed, unit=unit,
            min_samples=min_samples, as_of=as_of, stratify=stratify,
        )  # fmt: skip

    @renamed_arguments(known_at="as_of")
    def propose_blocks(self, *, as_of: object = None) -> SpatialBlocks:
        """Blocks as wide as samples are alike, by the variogram of the features, in metres.

        Args:
            as_of: Use what was known then.

        Raises:
            InvalidInputError: Fewer than 30 samples with a place.

        Example:
            >>> fv.propose_blocks().size > 0
            True
        """
        return splitting.propose_blocks(self.load(as_of))

    @checked
    def create_training_dataset(
        self,
        split: Split,
        *,
        description: str = "",
        geoparquet: bool = False,
        format: datasets.Format = "numpy",
    ) -> TrainingDataset:
        """Write a split of this view as its next training dataset, which never changes.

        Args:
            split: What to write, as NumPy files.
            description: One line.
            geoparquet: Write each part as GeoParquet too, for maps and other programs.
            format: "tfrecord" writes each part as TFRecord too (see `TrainingDataset.tfrecords`).

        Raises:
            InvalidInputError: The split is of another view, or sealed; or the labels have no place.
            RemoteError: It cannot be written; nothing is left.

        Example:
            >>> dataset = fv.create_training_dataset(split, description="first")
            >>> dataset
            <TrainingDataset season/1#1: train 28, validation 18, test 13>
            >>> len(dataset.read().train)
            28
        """
        if (split.source.get("view"), split.source.get("version")) != (self.name, self.version):
            raise InvalidInputError(f"the split is not of {self.label}", "Split this view.")
        folders.make(self._datasets)
        with locks.using(self._datasets):  # nobody deletes the view meanwhile
            if Registry(self._config.features).find("view", self.name, self.version) is None:
                with contextlib.suppress(OSError):
                    self._datasets.rmdir()
                raise NotFoundError(
                    f"the feature view {self.label!r} was deleted",
                    f"ws.restore('view {self.label}') brings it back.",
                )
            version = self._next_dataset()
            materialise.write(
                self._config, self.label, self.labels, self._datasets / str(version), split,
                description=description, geoparquet=geoparquet, format=format,
            )  # fmt: skip
        return self.training_dataset(version)

    def _next_dataset(self) -> int:
        """The number of one in the bin is not given again: it may come back."""
        known = [int(folder.name) for folder in self.dataset_folders()]
        for kept in deleted.entries(self._config.root):
            view, _, number = kept.name.partition("#")
            if kept.kind == "dataset" and view == self.label:
                known.append(int(number))
        return 1 + max(known, default=0)

    @checked
    def training_dataset(self, version: int | None = None) -> TrainingDataset:
        """A training dataset of this view; the newest where none is named.

        Raises:
            NotFoundError: There is none.

        Example:
            >>> _ = fv.create_training_dataset(split)
            >>> fv.training_dataset().version
            1
        """
        return materialise.dataset_of(self.training_datasets(), version, self.label)

    def training_datasets(self) -> list[TrainingDataset]:
        """The training datasets of this view, oldest first.

        Example:
            >>> fv.training_datasets()
            []
        """
        return [datasets.load(f) for f in self.dataset_folders()]

    def dataset_folders(self) -> list[Path]:
        """Where its training datasets are, oldest first; one of them may be damaged.

        Example:
            >>> _ = fv.create_training_dataset(split)
            >>> [folder.name for folder in fv.dataset_folders()]
            ['1']
        """
        folders = [f for f in self._datasets.glob("*") if f.name.isdigit()]
        return sorted(folders, key=lambda f: int(f.name))

    @property
    def _datasets(self) -> Path:
        return self._config.features / "datasets" / self.name / str(self.version)

    def split_source(self, *, as_of: object, **detail: object) -> dict[str, object]:
        """Where a split of this view comes from, as plain JSON; lineage is recorded on the way.

        Args:
            as_of: What was known when it was made.
            detail: What else is noted: seed, sizes, number of the fold.

        Example:
            >>> fv.split_source(as_of=None, seed=0)["commits"]
            {'crops/1': 0, 'spectra/1': 0}
        """
        self.record_lineage()
        return {
            "view": self.name,
            "version": self.version,
            "known_at": None if as_of is None else str(as_of),
            "commits": self.commits(),
            **detail,
        }

    def __repr__(self) -> str:
        groups, count = ", ".join(self.groups), len(self.query.names)
        target = next(iter(self.labels.columns), "no labels")
        try:
            target = f"{self.task} of {target}"
        except EolabError:  # an empty or damaged group: a repr never fails
            pass
        return f"<FeatureView {self.label}: {target} from {count} features of {groups}>"
