"""Training datasets: a split that is written once and never changes.

A folder of NumPy files with a `dataset.json`, and GeoParquet where it is asked for; the digest of
each part is checked when it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from eolab.argument_checks import checked
from eolab.errors import ConflictError, InvalidInputError
from eolab.features import arrays
from eolab.features.storage.files import new_folder
from eolab.features.training import tfrecords
from eolab.training_data import Split, StoredSplit, TrainingData

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import tensorflow as tf
    import torch

    from eolab.features.storage.statistics import ColumnStatistics

FORMAT = 1
FILE = "dataset.json"
PartName = Literal["train", "validation", "test"]
Format = Literal["numpy", "tfrecord"]
PARTS: tuple[PartName, ...] = ("train", "validation", "test")
_ARRAYS = ("X", "y", "groups", "ids", "weights")


@dataclass(frozen=True)
class TrainingDataset:
    """A materialised split; made by `FeatureView.create_training_dataset`.

    Attributes:
        folder: Where it is.
        view: Name and version of the view ("crops/1").
        version: Its number among the view's training datasets.
        description: One line.
        created: Seconds since the epoch.
        source: How it was split, from what, and the report.
    """

    folder: Path
    view: str
    version: int
    description: str
    created: float
    source: Mapping[str, object]

    def __repr__(self) -> str:
        report = self.source.get("report")
        sizes = report.get("parts", {}) if isinstance(report, Mapping) else {}
        parts = ", ".join(f"{name} {part['samples']}" for name, part in sizes.items())
        return f"<TrainingDataset {self.view}#{self.version}: {parts or self.description}>"

    def read(self) -> Split:
        """The split, equal to the one that was written.

        Raises:
            ConflictError: A file was changed or is missing.
        """
        document = _document(self.folder)
        data = {p: self._part(p, document) for p in PARTS}
        train = data["train"]
        assert train is not None
        source = {**self.source, "dataset": f"{self.view}#{self.version}"}
        return Split(train, data["validation"], data["test"], source)

    def stored(self) -> StoredSplit:
        """What `ws.tune(train, data=dataset)` gives to workers: they read the files themselves."""
        parts = _document(self.folder)["parts"]
        assert isinstance(parts, Mapping)
        open_parts: dict[str, Mapping[str, Sequence[str]]] = {
            part: parts[part] for part in PARTS[:2] if parts.get(part) is not None
        }
        source = {**self.source, "dataset": f"{self.view}#{self.version}"}
        return StoredSplit((str(self.folder),), open_parts, source)

    def _part(self, part: str, document: Mapping[str, object]) -> TrainingData | None:
        parts = document["parts"]
        assert isinstance(parts, Mapping)
        about = parts.get(part)
        if about is None:
            return None
        try:
            arrays = {
                name: np.load(self.folder / f"{part}.{name}.npy", allow_pickle=False)
                for name in about["arrays"]
            }
        except (OSError, ValueError) as error:
            raise ConflictError(
                f"{self.folder} is damaged: {error}", "Make the training dataset again."
            ) from error
        data = TrainingData(
            arrays["X"],
            arrays["y"],
            arrays["groups"],
            tuple(about["columns"]),
            tuple(about["classes"]),
            tuple(about["steps"]),
            arrays.get("ids"),
            arrays.get("weights"),
        )
        if data.digest() != about["digest"]:
            raise ConflictError(
                f"the {part} part of {self.folder} was changed after it was written",
                "Training datasets never change: make another version.",
            )
        return data

    @checked
    def to_pandas(self, part: PartName = "train") -> pd.DataFrame:
        """One row a sample: id, label, group, a column a feature (``name@step`` in sequences)."""
        return to_pandas(_named(self.read(), part))

    @checked
    def to_geopandas(self, part: PartName = "train") -> gpd.GeoDataFrame:
        """What `to_pandas` gives, with where each sample is.

        Raises:
            InvalidInputError: It was not written with ``geoparquet=True``.
            ConflictError: The file was changed or is missing.
        """
        import geopandas as gpd

        kept = _document(self.folder).get("geoparquet")
        path = self.folder / f"{part}.parquet"
        if not isinstance(kept, Mapping) or part not in kept:
            raise InvalidInputError(
                f"{self.folder} holds no GeoParquet of {part!r}",
                "Make the training dataset with geoparquet=True.",
            )
        if not path.exists() or _sha256(path) != kept[part]:
            raise ConflictError(
                f"{path} was changed or is missing",
                "Training datasets never change: make another version.",
            )
        return gpd.read_parquet(path)

    @checked
    def read_tfrecords(self, part: PartName = "train") -> TrainingData:
        """A part from its TFRecord file, equal to that of `read`.

        Raises:
            InvalidInputError: It was not written with ``format="tfrecord"``.
            ConflictError: The file was changed or is missing.
        """
        return tfrecords.read(self.folder, part)

    @checked
    def tfrecords(self, part: PartName = "train") -> tf.data.Dataset:
        """Samples (X, y) for Keras, read from the TFRecord file one after the other.

        ``dataset.tfrecords().shuffle(1000).batch(64)`` trains on what does not fit in memory.

        Raises:
            InvalidInputError: It was not written with ``format="tfrecord"``.
            ConflictError: The file was changed or is missing.
        """
        return tfrecords.dataset(self.folder, part)

    @checked
    def statistics(self, part: PartName = "train") -> list[ColumnStatistics]:
        """Figures of the label and of each feature of a part, as of a group's columns."""
        import pyarrow as pa

        from eolab.features.storage.duckdb import connect
        from eolab.features.storage.statistics import describe

        frame = self.to_pandas(part).drop(columns=["id", "group"], errors="ignore")
        objects = [n for n in frame if frame[n].dtype == object]
        cells = {n: arrays.from_cells(str(n), frame[n]) if n in objects else None for n in frame}
        table = pa.table({n: frame[n] if c is None else c for n, c in cells.items()})
        # Spilled beside it: the dataset's own folder never changes.
        with connect(self.folder.parent) as con:
            con.register("part", table)
            return describe(con, "part", list(table.schema))

    @checked
    def to_tf_dataset(
        self,
        part: PartName = "train",
        *,
        batch_size: int = 64,
        shuffle: bool = True,
        seed: int = 0,
    ) -> tf.data.Dataset:
        """Batches (X, y) for Keras, prefetched; another order each epoch, the same for a seed."""
        return to_tf_dataset(
            _named(self.read(), part), batch_size=batch_size, shuffle=shuffle, seed=seed
        )

    @checked
    def to_torch(
        self,
        part: PartName = "train",
        *,
        batch_size: int = 64,
        shuffle: bool = True,
        seed: int = 0,
    ) -> torch.utils.data.DataLoader[tuple[torch.Tensor, torch.Tensor]]:
        """Batches (X, y) for PyTorch; another order each epoch, the same for a seed."""
        return to_torch(
            _named(self.read(), part), batch_size=batch_size, shuffle=shuffle, seed=seed
        )


def write(
    folder: Path,
    split: Split,
    about: Mapping[str, object],
    places: Callable[[TrainingData], gpd.GeoSeries] | None = None,
    *,
    format: Format = "numpy",
) -> None:
    """Write a split into a new folder, all or nothing.

    Args:
        folder: The new folder.
        split: What to write.
        about: What else stands in its description.
        places: Where the samples of a part are, in their order; writes GeoParquet too.
        format: "tfrecord" writes TFRecord files too.

    Raises:
        ConflictError: The folder is there.
        RemoteError: It cannot be written; nothing is left.
    """
    with new_folder(folder) as temporary:
        parts: dict[str, object] = {}
        for name, data in _parts(split):
            arrays = [a for a in _ARRAYS if getattr(data, a) is not None]
            for array in arrays:
                values = getattr(data, array)
                # Text of dtype object could only be read back by unpickling.
                values = values.astype(str) if values.dtype == object else values
                np.save(temporary / f"{name}.{array}.npy", values, allow_pickle=False)
            parts[name] = {
                "arrays": arrays,
                "columns": data.columns,
                "classes": data.classes,
                "steps": data.steps,
                "digest": data.digest(),
            }
        document = {"format": FORMAT, **about, "source": split.source, "parts": parts}
        if places is not None:
            document["geoparquet"] = {
                name: _to_geoparquet(temporary / f"{name}.parquet", data, places(data))
                for name, data in _parts(split)
            }
        if format == "tfrecord":
            tfrecords.write(temporary, dict(_parts(split)))
        (temporary / FILE).write_text(json.dumps(document, default=str))


def _to_geoparquet(path: Path, data: TrainingData, places: gpd.GeoSeries) -> str:
    """Write a part with its places; the file's SHA-256."""
    import geopandas as gpd

    frame = to_pandas(data)
    for name in data.columns if data.X.ndim > 2 and not data.steps else ():
        frame[name] = [cell.tolist() for cell in frame[name]]
    gpd.GeoDataFrame(frame, geometry=places.to_numpy(), crs=places.crs).to_parquet(path)
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(folder: Path) -> TrainingDataset:
    """Open a training dataset.

    Raises:
        ConflictError: It is damaged, or of another version of eolab.
    """
    document = _document(folder)
    source = document["source"]
    assert isinstance(source, Mapping)
    return TrainingDataset(
        folder,
        str(document["view"]),
        int(str(document["version"])),
        str(document["description"]),
        float(str(document["created"])),
        source,
    )


def _document(folder: Path) -> Mapping[str, object]:
    try:
        document = json.loads((folder / FILE).read_text())
        found = document["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConflictError(
            f"{folder} is damaged: {error}", "Make the training dataset again."
        ) from error
    if found != FORMAT:
        raise ConflictError(f"{folder} has format {found}, allowed: {FORMAT}", "Upgrade eolab.")
    assert isinstance(document, Mapping)
    return document


def _parts(split: Split) -> Iterator[tuple[str, TrainingData]]:
    for name, data in zip(PARTS, (split.train, split.validation, split.held_out), strict=True):
        if data is not None:
            yield name, data


def _named(split: Split, part: PartName) -> TrainingData:
    found = dict(_parts(split)).get(part)
    if found is None:
        raise InvalidInputError(
            f"there is no part {part!r}", f"Its parts are: {', '.join(dict(_parts(split)))}."
        )
    return found


@checked
def to_pandas(data: TrainingData) -> pd.DataFrame:
    """One row a sample: id, label, group and a column a feature (``name@step`` in sequences).

    Features of arrays (n, h, w, f) are arrays (h, w), one a cell.
    """
    import pandas as pd

    if not data.steps and data.X.ndim > 2:
        planes = {n: data.X[..., i] for i, n in enumerate(data.columns)}
        frame = arrays.frame_of(dict(planes))
    else:
        names = [f"{c}@{s}" for s in data.steps for c in data.columns] or list(data.columns)
        frame = pd.DataFrame(data.X.reshape(len(data), -1), columns=names)
    label = np.asarray(data.classes)[data.y] if data.classes else data.y
    frame.insert(0, "group", data.groups)
    frame.insert(0, "label", label)
    if data.ids is not None:
        frame.insert(0, "id", data.ids)
    return frame


@checked
def to_tf_dataset(
    data: TrainingData, *, batch_size: int = 64, shuffle: bool = True, seed: int = 0
) -> tf.data.Dataset:
    """Batches (X, y) for Keras, prefetched; another order each epoch, the same for a seed.

    Raises:
        InvalidInputError: TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise InvalidInputError(
            "TensorFlow is not installed", "pip install 'eolab[tensorflow]'"
        ) from error
    out = tf.data.Dataset.from_tensor_slices((data.X, data.y))
    if shuffle:
        # The whole set is in memory already: a buffer of its size is a true permutation.
        out = out.shuffle(len(data), seed=seed, reshuffle_each_iteration=True)
    return out.batch(batch_size).prefetch(tf.data.AUTOTUNE)


@checked
def to_torch(
    data: TrainingData, *, batch_size: int = 64, shuffle: bool = True, seed: int = 0
) -> torch.utils.data.DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    """Batches (X, y) for PyTorch; another order each epoch, the same for a seed.

    Raises:
        InvalidInputError: PyTorch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise InvalidInputError("PyTorch is not installed", "pip install 'eolab[torch]'") from error
    samples = torch.utils.data.TensorDataset(torch.from_numpy(data.X), torch.from_numpy(data.y))
    order = torch.Generator().manual_seed(seed)
    return torch.utils.data.DataLoader(
        samples, batch_size=batch_size, shuffle=shuffle, generator=order
    )
