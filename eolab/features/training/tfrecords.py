"""Training datasets as TFRecord: one `tf.train.Example` a sample, features by name.

An Example holds int64, float32 and bytes only. What is none of them (float64 above all, which its
FloatList would cut) is kept as its little-endian bytes; `tfrecord.json` says the type and shape of
each.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import ConflictError, InvalidInputError
from eolab.training_data import TrainingData

if TYPE_CHECKING:
    import tensorflow as tf

FORMAT = 1
FILE = "tfrecord.json"
# What stands beside the features, by its name in the records.
_OWN = {"label": "y", "group": "groups", "id": "ids", "weight": "weights"}


def write(folder: Path, parts: Mapping[str, TrainingData]) -> None:
    """Write the parts of a split beside its other files.

    Raises:
        InvalidInputError: TensorFlow is not installed, or a feature has a name of ours.
    """
    _need_tensorflow()
    import tensorflow as tf

    about: dict[str, object] = {}
    for part, data in parts.items():
        columns = _columns(data)
        path = folder / f"{part}.tfrecord"
        fields = {name: _field(values) for name, values in columns.items()}
        with tf.io.TFRecordWriter(str(path)) as out:
            for row in range(len(data)):
                cells = {n: _feature(v[row], fields[n]["kept"]) for n, v in columns.items()}
                example = tf.train.Example(features=tf.train.Features(feature=cells))
                out.write(example.SerializeToString(deterministic=True))
        about[part] = {
            "records": len(data),
            "sha256": _sha256(path),
            "fields": fields,
            "columns": data.columns,
            "classes": data.classes,
            "steps": data.steps,
        }
    (folder / FILE).write_text(json.dumps({"format": FORMAT, "parts": about}))


def _columns(data: TrainingData) -> dict[str, np.ndarray]:
    for name in data.columns:
        if name in _OWN:
            raise InvalidInputError(
                f"the feature {name!r} has the name of the {name} of a record",
                "Rename it, for example with a prefix in join(), or leave TFRecord out.",
            )
    out = {name: data.X[..., i] for i, name in enumerate(data.columns)}
    for name, attribute in _OWN.items():
        values = getattr(data, attribute)
        if values is not None:
            out[name] = values
    return out


def _field(values: np.ndarray) -> dict[str, object]:
    """Type and shape of a column's cells, and the list of an Example that keeps it exactly."""
    kind = values.dtype.newbyteorder("<")
    if kind.kind in "OUS":
        return {"dtype": "str", "shape": [], "kept": "text"}
    kept = "bytes"
    if kind.kind == "b" or (kind.kind in "iu" and kind != np.uint64):
        kept = "int64"
    elif kind == np.float32:
        kept = "float"
    return {"dtype": kind.str, "shape": list(values.shape[1:]), "kept": kept}


def _feature(cell: np.ndarray, kept: object) -> tf.train.Feature:
    import tensorflow as tf

    if kept == "text":
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[str(cell).encode()]))
    flat = np.ravel(cell)
    if kept == "int64":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=flat.tolist()))
    if kept == "float":
        return tf.train.Feature(float_list=tf.train.FloatList(value=flat.tolist()))
    raw = flat.astype(flat.dtype.newbyteorder("<")).tobytes()
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[raw]))


def dataset(folder: Path, part: str) -> tf.data.Dataset:
    """Samples (X, y) of a part one after the other, read from the records.

    Raises:
        InvalidInputError: There are no records of the part, or TensorFlow is not installed.
        ConflictError: The file was changed or is missing.
    """
    import tensorflow as tf

    about, records = _parsed(folder, part)
    columns = [str(name) for name in about["columns"]]

    def sample(cells: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.stack([cells[name] for name in columns], axis=-1), cells["label"]

    return records.map(sample, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def read(folder: Path, part: str) -> TrainingData:
    """A part from its records, equal to the one that was written.

    Raises:
        InvalidInputError: There are no records of the part, or TensorFlow is not installed.
        ConflictError: The file was changed or is missing.
    """
    about, records = _parsed(folder, part)
    fields, count = about["fields"], int(str(about["records"]))
    whole = next(iter(records.batch(max(count, 1)).as_numpy_iterator()), None)
    if whole is None:  # a part without samples
        spec = records.element_spec
        whole = {name: np.empty((0, *each.shape)) for name, each in spec.items()}
    values = {n: _typed(v, str(fields[n]["dtype"])) for n, v in whole.items()}
    columns = tuple(about["columns"])
    own = {attribute: values.get(name) for name, attribute in _OWN.items()}
    y, groups = own["y"], own["groups"]
    assert y is not None
    assert groups is not None
    return TrainingData(
        np.stack([values[n] for n in columns], axis=-1), y, groups, columns,
        tuple(about["classes"]), tuple(about["steps"]), own["ids"], own["weights"],
    )  # fmt: skip


def _typed(values: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "str":
        return np.array([v.decode() for v in values.tolist()], dtype=str)
    return values.astype(np.dtype(dtype).newbyteorder("="))


def _parsed(folder: Path, part: str) -> tuple[Mapping[str, list[str]], tf.data.Dataset]:
    """What is known of a part, and its samples as tensors by name."""
    _need_tensorflow()
    import tensorflow as tf

    try:
        document = json.loads((folder / FILE).read_text())
        parts = document["parts"]
    except FileNotFoundError:
        parts = {}
    except (OSError, ValueError, KeyError) as error:
        raise ConflictError(f"{folder} is damaged: {error}", "Make it again.") from error
    if part not in parts:
        raise InvalidInputError(
            f"{folder} holds no TFRecord of {part!r}",
            "Make the training dataset with format='tfrecord'.",
        )
    about, path = parts[part], folder / f"{part}.tfrecord"
    if not path.exists() or _sha256(path) != about["sha256"]:
        raise ConflictError(
            f"{path} was changed or is missing",
            "Training datasets never change: make another version.",
        )
    kinds = {"int64": tf.int64, "float": tf.float32, "text": tf.string, "bytes": tf.string}
    fields = about["fields"]
    wanted = {
        n: tf.io.FixedLenFeature([] if f["kept"] in {"text", "bytes"} else f["shape"],
                                 kinds[f["kept"]])
        for n, f in fields.items()
    }  # fmt: skip

    def parse(record: tf.Tensor) -> dict[str, tf.Tensor]:
        cells = tf.io.parse_single_example(record, wanted)
        for name, field in fields.items():
            if field["kept"] == "bytes":
                raw = tf.io.decode_raw(cells[name], np.dtype(field["dtype"]).name)
                cells[name] = tf.reshape(raw, field["shape"])
        return dict(cells)

    records = tf.data.TFRecordDataset(str(path))
    return about, records.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _need_tensorflow() -> None:
    if importlib.util.find_spec("tensorflow") is None:
        raise InvalidInputError("TensorFlow is not installed", "pip install 'eolab[tensorflow]'")
