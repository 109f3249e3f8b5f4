"""The samples of a view: label rows with the feature values that were known at their time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features import arrays
from eolab.features.engines import point_in_time
from eolab.features.engines.spine import (
    check_types,
    keys_needed,
    keys_of,
    label_rows,
    last_of_season,
    spine_of,
)
from eolab.features.geometry import RowGeometry, SampleLocations, shapes
from eolab.features.queries import time_steps
from eolab.features.queries.query import Query, Task
from eolab.features.samples import array_features, transformations
from eolab.features.samples import task as tasks
from eolab.training_data import TrainingData

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Samples:
    """All samples of a view, before they are split.

    Attributes:
        data: Features and labels; text features as positions in their vocabulary.
        rows: The label rows, in the same order.
        geometry: How the label rows know where they are; None where they do not.
        report: How many rows were left out, and why.
        vocabularies: The values of each text feature, by name.
        counts: For sequences, how many observations each step holds, shape (n, t).
        event_time: The label rows' column of event times; None where they have none.
        source: The label rows' column that says where a label comes from; None without one.
        columns: The columns of X that each feature became, by name: several of arrays.
    """

    data: TrainingData
    rows: pa.Table
    geometry: RowGeometry | None
    report: Mapping[str, object]
    vocabularies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: np.ndarray | None = None
    event_time: str | None = None
    source: str | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def places(self) -> SampleLocations | None:
        """Where the samples are; None where that is not known."""
        if self.geometry is None:
            return None
        frame = self.rows.select(list(self.geometry.columns)).to_pandas()
        return SampleLocations(shapes(frame, self.geometry), self.geometry.crs)

    def times(self) -> np.ndarray:
        """Event time of each label, microseconds since the epoch, shape (n,).

        Raises:
            InvalidInputError: The labels have none.
        """
        import pyarrow as pa

        if self.event_time is None:
            raise InvalidInputError(
                "the labels have no event time, so they cannot be split by it",
                "Make the label group with event_time=, or split by another way.",
            )
        return np.asarray(self.rows.column(self.event_time).cast(pa.int64()).to_numpy())

    def texts(self, column: str) -> np.ndarray:
        """A column of the label rows as text, shape (n,)."""
        return np.asarray(self.rows.column(column).to_pandas().astype(str), dtype=str)


def load(
    con: DuckDBPyConnection,
    labels: Query,
    query: Query,
    *,
    as_of: int | None = None,
    extra: Sequence[str] = (),
    texts: Sequence[str] = (),
    weights: str | None = None,
    task: Task | None = None,
    before_tasks: bool = False,
) -> Samples:
    """The samples with a label, any feature value and, where the labels have geometry, a place.

    Args:
        con: From `offline.connect`.
        labels: The label column of its group.
        query: The features.
        as_of: Ingestion time up to which rows are seen, microseconds since the epoch.
        extra: More columns of the label group to carry along.
        texts: Features that may be text.
        weights: Column of the label group with the weight of each sample, 0 or more.
        task: Whether labels are classes or a quantity; None to find it.
        before_tasks: The view is older than tasks: whole numbers are classes.

    Raises:
        InvalidInputError: A feature is no number, or nothing is left.
    """
    group = labels.group
    if not labels.columns:
        raise InvalidInputError(
            f"a view of {group.label} without labels has no training data",
            "Take batch_data(), or make a view with labels=.",
        )
    check_numbers(query, texts)
    more = [*extra, *keys_needed(query, group.columns), *([weights] if weights else [])]
    rows = label_rows(con, labels, as_of, more)
    total = rows.num_rows
    label = labels.columns[0]
    rows = without_blanks(rows, label)
    meant = tasks.of(task, rows.column(label).drop_null(), label, before=before_tasks)
    rows = last_of_season(rows, labels, query)
    has_label = _valid(rows, labels.columns)
    rows = rows.filter(has_label)
    vocabularies: dict[str, tuple[str, ...]] = {}
    counts: np.ndarray | None = None
    if query.steps is None:
        table, kept = point_in_time.flat(con, spine_of(rows, group), query, as_of)
        X, columns = flat_values(table, texts, vocabularies)
        steps: tuple[str, ...] = ()
    else:
        X, counts = point_in_time.sequences(con, spine_of(rows, group), query, as_of)
        kept = np.ones(len(X), dtype=bool)
        steps = time_steps.step_names(query.steps)
        columns = {name: (name,) for name in query.names}
    known = kept & ~np.isnan(X).reshape(len(X), -1).all(axis=1) if len(X) else kept
    placed = _valid(rows, group.geometry.columns if group.geometry else ())
    use = known & placed
    report = {
        "rows": total,
        "without_label": int((~has_label).sum()),
        "without_features": int((~known).sum()),
        "without_place": int((known & ~placed).sum()),
    }
    if not use.any():
        raise InvalidInputError(
            f"no sample has a label and a feature value ({report})",
            "Check that keys and times of labels and features meet.",
        )
    rows = rows.filter(use)
    y, classes = tasks.target(rows.column(label), meant, label)
    ids = texts_of(rows, group.keys)
    certain = None if weights is None else _weights(rows, weights)
    names = tuple(n for own in columns.values() for n in own)
    data = TrainingData(X[use], y, np.arange(len(y)), names, classes, steps, ids, certain)
    seen = None if counts is None else counts[use]
    return Samples(
        data, rows, group.geometry, report, vocabularies, seen, group.event_time, columns=columns
    )


def flat_values(
    table: pa.Table, texts: Sequence[str], vocabularies: dict[str, tuple[str, ...]]
) -> tuple[np.ndarray, dict[str, tuple[str, ...]]]:
    """X of joined columns, float32, and the columns of it that each feature became.

    Args:
        table: The features.
        texts: Those that may be text; their values become positions in ``vocabularies``.
        vocabularies: The values of each text feature, by name; those that are new are added.

    Raises:
        InvalidInputError: Arrays of several shapes.
    """
    values: dict[str, np.ndarray] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in texts:
            values[name], vocabularies[name] = _coded(column, vocabularies.get(name, ()))
        elif arrays.axes_of(column.type):
            values[name] = arrays.to_numpy(name, column)
        else:
            values[name] = _float(column)
    return array_features.assembled(values)


def _coded(column: pa.ChunkedArray, known: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions of a column's values among all words, NaN where one is missing; and the words."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    encoded = column.combine_chunks().dictionary_encode()
    own = [transformations.word_of(v) for v in encoded.dictionary.to_pylist()]
    words = tuple(sorted({*own, *known}))
    places = {word: place for place, word in enumerate(words)}
    positions = np.array([*(places[word] for word in own), np.nan], np.float32)
    return positions[encoded.indices.fill_null(len(own)).to_numpy()], words


def task_of(con: DuckDBPyConnection, labels: Query, *, before_tasks: bool) -> Task:
    """What labels are, by their type and, of whole numbers, by the values (see `task.infer`).

    Args:
        con: From `connect`.
        labels: The label column of its group.
        before_tasks: The view is older than tasks: whole numbers are classes.
    """
    import pyarrow as pa

    name = labels.columns[0]
    kind = labels.group.schema.field(name).type
    column = pa.chunked_array([], kind)
    if pa.types.is_integer(kind) and not before_tasks:
        column = label_rows(con, labels, None, ()).column(name).drop_null()
    return tasks.infer(column)


def check_view(
    labels: Query,
    query: Query,
    transformed: Mapping[str, Sequence[str]],
    task: str | None = None,
    inputs: Sequence[str] = (),
) -> None:
    """A check that labels and features can be matched, and labels are those of a task.

    Args:
        labels: The label column of its group.
        query: The features.
        transformed: Transformations by feature.
        task: Whether labels are classes or a quantity.
        inputs: Features that functions ask for.

    Raises:
        InvalidInputError: They cannot.
    """
    if labels.joins or labels.steps:
        raise InvalidInputError(
            "labels come from one group, without joins or sequence",
            "Select the label column of one group.",
        )
    if len(labels.columns) > 1:
        raise InvalidInputError(
            f"labels name {len(labels.columns)} columns", "Select the one label column."
        )
    label = labels.columns[0] if labels.columns else None
    if labels.group.geometry is not None and label in labels.group.geometry.columns:
        raise InvalidInputError(
            f"the label {label!r} says where a row is, not what it is",
            "Select the column of classes or of the quantity.",
        )
    if label is not None:
        tasks.check(task, labels.group.schema.field(label).type, label)
    if not query.names:
        raise InvalidInputError("the query has no feature column", "Select at least one.")
    for part in query.parts:
        keys = keys_of(part, labels.group.columns)
        check_types(labels.group.schema, part.query.group, keys)
        if part.query.group.label == labels.group.label and label in part.query.columns:
            raise InvalidInputError(
                f"the label {label!r} is among the features",
                "Leave it out with select_except([...]).",
            )
    texts = [n for n, kinds in transformed.items() if "onehot" in kinds]
    check_numbers(query, texts if query.steps is None else ())
    array_features.check(query, transformed, inputs)


def without_small_classes(
    samples: Samples, left_out: Mapping[str, str]
) -> tuple[Samples, np.ndarray]:
    """Without the classes named, codes counted anew; and the mask of samples that stay, shape (n,).

    Raises:
        InvalidInputError: Fewer than two classes stay.
    """
    data = samples.data
    kept = [c for c, name in enumerate(data.classes) if name not in left_out]
    if len(kept) < 2:
        reasons = [f"{name}: {why}" for name, why in left_out.items()]
        shown = "; ".join([*reasons[:4], *(["..."] if len(reasons) > 4 else [])])
        raise InvalidInputError(
            f"fewer than two classes can be split ({shown})",
            "Take smaller blocks, fewer parts or a lower min_samples.",
        )
    use = np.isin(data.y, kept)
    data = data.subset(use)
    codes = np.searchsorted(kept, data.y).astype(np.int64)
    data = replace(data, y=codes, classes=tuple(data.classes[c] for c in kept))
    counts = None if samples.counts is None else samples.counts[use]
    return replace(samples, data=data, rows=samples.rows.filter(use), counts=counts), use


def check_numbers(query: Query, texts: Sequence[str] = ()) -> None:
    """Raises InvalidInputError where a feature is neither a number nor among ``texts``."""
    import pyarrow as pa

    for part in query.parts:
        schema = part.query.group.schema
        for name in part.query.columns:
            kind = schema.field(name).type
            number = (
                pa.types.is_integer(kind)
                or pa.types.is_floating(kind)
                or pa.types.is_boolean(kind)
                or pa.types.is_decimal(kind)
                or arrays.axes_of(kind) > 0
            )
            if not number and part.prefix + name not in texts:
                if pa.types.is_nested(kind):
                    raise InvalidInputError(
                        f"the feature {part.prefix + name!r} is no number ({kind})",
                        "A view takes arrays of numbers, all of one shape: insert lists of them, "
                        "NumPy arrays, or chips (eo.Chips.from_arrays).",
                    )
                raise InvalidInputError(
                    f"the feature {part.prefix + name!r} is no number ({kind})",
                    "Leave it out with select_except([...]), or encode it: "
                    f"transformations={{{part.prefix + name!r}: 'onehot'}}.",
                )


def _weights(rows: pa.Table, name: str) -> np.ndarray:
    found = _float(rows.column(name))
    if np.isnan(found).any() or (found < 0).any():
        raise InvalidInputError(
            f"weights in {name!r} are missing or below 0", "Give each label a weight, 0 or more."
        )
    return found


def _valid(rows: pa.Table, columns: Sequence[str]) -> np.ndarray:
    import pyarrow.compute as pc

    out = np.ones(rows.num_rows, dtype=bool)
    for name in columns:
        out &= np.asarray(pc.is_valid(rows.column(name)).to_numpy(), dtype=bool)
    return out


def texts_of(rows: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """The columns of each row as one text: how a sample is named by its keys, shape (n,)."""
    parts = [
        rows.column(c).to_pandas().astype(str).to_numpy(dtype=object).astype(str) for c in columns
    ]
    out = np.asarray(parts[0])
    for part in parts[1:]:
        out = np.char.add(np.char.add(out, "|"), part)
    return out


def without_blanks(rows: pa.Table, name: str) -> pa.Table:
    """The rows with null where a label is a text with nothing to read, or not a number (NaN)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = rows.column(name)
    if pa.types.is_floating(column.type):
        blank = pc.is_nan(column)
    elif pa.types.is_string(column.type):
        blank = pc.equal(pc.utf8_trim_whitespace(column), "")
    else:
        return rows
    known = pc.if_else(blank, pa.scalar(None, column.type), column)
    return rows.set_column(rows.schema.get_field_index(name), name, known)


def _float(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.to_pandas().to_numpy(dtype=np.float32, na_value=np.nan))
