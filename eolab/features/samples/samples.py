"""The samples of a view: label rows with the feature values that were known at their time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.engines import point_in_time
from eolab.features.geometry import Geometry, shapes
from eolab.features.queries import time_steps
from eolab.features.queries.query import Query, chosen
from eolab.features.splits.blocks import Places
from eolab.features.storage.duckdb import connect, moment, quoted, run
from eolab.training_data import TrainingData

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from eolab.features.groups.group import FeatureGroup

# Columns of a label group that say for which span its labels hold.
VALID_FROM, VALID_TO = "valid_from", "valid_to"


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
    """

    data: TrainingData
    rows: pa.Table
    geometry: Geometry | None
    report: Mapping[str, object]
    vocabularies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: np.ndarray | None = None
    event_time: str | None = None
    source: str | None = None

    def places(self) -> Places | None:
        """Where the samples are; None where that is not known."""
        if self.geometry is None:
            return None
        frame = self.rows.select(list(self.geometry.columns)).to_pandas()
        return Places(shapes(frame, self.geometry), self.geometry.crs)

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
    known_at: int | None = None,
    extra: Sequence[str] = (),
    texts: Sequence[str] = (),
    weights: str | None = None,
) -> Samples:
    """The samples with a label, any feature value and, where the labels have geometry, a place.

    Args:
        con: From `offline.connect`.
        labels: The label column of its group.
        query: The features.
        known_at: Ingestion time up to which rows are seen, microseconds since the epoch.
        extra: More columns of the label group to carry along.
        texts: Features that may be text.
        weights: Column of the label group with the weight of each sample, 0 or more.

    Raises:
        InvalidInputError: A feature is no number, or nothing is left.
    """
    import pyarrow.compute as pc

    group = labels.group
    check_numbers(query, texts)
    more = [*extra, *keys_needed(query, group.columns), *([weights] if weights else [])]
    rows = label_rows(con, labels, known_at, more)
    total = rows.num_rows
    rows = _without_blanks(rows, labels.columns[0])
    rows = by_season(rows, labels, query)
    has_label = _valid(rows, labels.columns)
    rows = rows.filter(has_label)
    vocabularies: dict[str, tuple[str, ...]] = {}
    counts: np.ndarray | None = None
    if query.steps is None:
        table, kept = point_in_time.flat(con, spine(rows, group), query, known_at)
        columns = []
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name in texts:
                words = sorted(str(v) for v in pc.unique(column.drop_null()).to_pylist())
                vocabularies[name] = tuple(words)
                codes = pc.index_in(column.cast("string"), value_set=_array(words))
                columns.append(_float(codes))
            else:
                columns.append(_float(column))
        X = np.column_stack(columns)
        steps: tuple[str, ...] = ()
    else:
        X, counts = point_in_time.sequences(con, spine(rows, group), query, known_at)
        kept = np.ones(len(X), dtype=bool)
        steps = time_steps.step_names(query.steps)
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
    y, classes = _target(rows.column(labels.columns[0]))
    ids = texts_of(rows, group.keys)
    certain = None if weights is None else _weights(rows, weights)
    data = TrainingData(X[use], y, np.arange(len(y)), query.names, classes, steps, ids, certain)
    seen = None if counts is None else counts[use]
    return Samples(data, rows, group.geometry, report, vocabularies, seen, group.event_time)


def check_view(labels: Query, query: Query, transformed: Mapping[str, Sequence[str]]) -> None:
    """A check that labels and features can be matched.

    Raises:
        InvalidInputError: They cannot.
    """
    if labels.joins or labels.steps:
        raise InvalidInputError(
            "labels come from one group, without joins or sequence",
            "Select the label column of one group.",
        )
    if len(labels.columns) != 1:
        raise InvalidInputError(
            f"labels name {len(labels.columns)} columns", "Select the one label column."
        )
    if not query.names:
        raise InvalidInputError("the query has no feature column", "Select at least one.")
    for part in query.parts:
        keys = point_in_time.keys_of(part, labels.group.columns)
        point_in_time.check_types(labels.group.schema, part.query.group, keys)
        if part.query.group.label == labels.group.label and labels.columns[0] in part.query.columns:
            raise InvalidInputError(
                f"the label {labels.columns[0]!r} is among the features",
                "Leave it out with select_except([...]).",
            )
    texts = [n for n, kinds in transformed.items() if "onehot" in kinds]
    check_numbers(query, texts if query.steps is None else ())


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
        told = [f"{name}: {why}" for name, why in left_out.items()]
        reasons = "; ".join([*told[:4], *(["..."] if len(told) > 4 else [])])
        raise InvalidInputError(
            f"fewer than two classes can be split ({reasons})",
            "Take smaller blocks, fewer parts or a lower min_samples.",
        )
    use = np.isin(data.y, kept)
    data = data.subset(use)
    codes = np.searchsorted(kept, data.y).astype(np.int64)
    data = replace(data, y=codes, classes=tuple(data.classes[c] for c in kept))
    counts = None if samples.counts is None else samples.counts[use]
    return replace(samples, data=data, rows=samples.rows.filter(use), counts=counts), use


def read_query(query: Query, *, known_at: object = None) -> pa.Table:
    """Rows of the base group with the joined columns (see `Query.to_arrow`)."""
    if query.steps is not None:
        raise InvalidInputError(
            "a sequence needs labels",
            "Make a feature view of it; or read the query without sequence().",
        )
    at = moment(known_at)
    group = query.group
    with connect(group.table.folder) as con:
        group.table.view(con, "base", known_at=at)
        where = f" WHERE {query.where}" if query.where else ""
        place = group.geometry.columns if group.geometry else ()
        names = list(
            dict.fromkeys([*group.keys, *keys_needed(query, group.columns), *query.columns, *place])
        )
        rows = run(con, f"SELECT {quoted(names)} FROM base{where} ORDER BY {quoted(group.keys)}")
        table, kept = point_in_time.flat(con, spine(rows, group), replace(query, where=None), at)
    found = rows.select(list(group.keys))
    for name in table.column_names:
        if name not in group.keys:
            found = found.append_column(name, table.column(name))
    return found if kept.all() else found.filter(kept)


def keys_needed(query: Query, available: Sequence[str]) -> list[str]:
    return list(
        dict.fromkeys(k for part in query.parts for k in point_in_time.keys_of(part, available))
    )


def label_rows(
    con: DuckDBPyConnection, labels: Query, known_at: int | None, extra: Sequence[str]
) -> pa.Table:
    group = labels.group
    columns, geometry = group.columns, group.geometry
    chosen(list(dict.fromkeys(extra)), columns, group.label)
    place = geometry.columns if geometry else ()
    valid = [n for n in (VALID_FROM, VALID_TO) if n in columns]
    names = list(dict.fromkeys([*group.keys, *labels.columns, *place, *valid, *extra]))
    group.table.view(con, "labels", known_at=known_at)
    where = f" WHERE {labels.where}" if labels.where else ""
    return run(con, f"SELECT {quoted(names)} FROM labels{where} ORDER BY {quoted(group.keys)}")


def by_season(rows: pa.Table, labels: Query, query: Query) -> pa.Table:
    """One row a thing and season, where a sequence's labels are a column of its own group.

    Its values, and the label, are the last known ones of the season. Other labels stay as they
    are: a row of a label group is a sample.

    Args:
        rows: From `label_rows`, in the order of the keys.
        labels: The label column.
        query: The features.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    group, steps = labels.group, query.steps
    if steps is None or group.event_time is None or group.label != query.group.label:
        return rows
    times = np.asarray(rows.column(group.event_time).cast(pa.int64()).to_numpy())
    low, high = time_steps.windows(times, steps, None)
    inside = pa.array((times >= low) & (times < high))
    rows = rows.filter(inside).append_column("_season", pa.array(low).filter(inside))
    name = labels.columns[0]
    names = [*group.primary_key, "_season"]
    number = pa.array(np.arange(rows.num_rows))
    labelled = pc.if_else(pc.is_valid(rows.column(name)), number, pa.scalar(None, pa.int64()))
    numbered = rows.select(names).append_column("_last", number).append_column("_label", labelled)
    # Rows are in the order of their times, so that the largest number is the last.
    found = numbered.group_by(names).aggregate([("_last", "max"), ("_label", "max")])
    found = found.sort_by("_last_max")
    last, label = found.column("_last_max"), found.column("_label_max")
    known = rows.column(name).take(label)
    out = rows.drop_columns("_season").take(last)
    return out.set_column(out.schema.get_field_index(name), name, known)


def spine(rows: pa.Table, group: FeatureGroup) -> point_in_time.Spine:
    """The rows of a group as those to which values are looked up.

    Values are those known at a row's event time; or, where the group has columns ``valid_from``
    and ``valid_to``, those of that span.
    """
    import pyarrow as pa

    def micros(name: str, missing: int) -> np.ndarray:
        column = rows.column(name)
        if not pa.types.is_timestamp(column.type):
            raise InvalidInputError(
                f"the column {name!r} of {group.label} holds no time stamps ({column.type})",
                "Give it time stamps with a zone, or another name.",
            )
        return np.asarray(column.cast(pa.int64()).fill_null(missing).to_numpy())

    times = np.full(rows.num_rows, time_steps.NO_TIME, dtype=np.int64)
    if group.event_time is not None:
        times = micros(group.event_time, time_steps.NO_TIME)
    if VALID_TO in rows.column_names:
        until = micros(VALID_TO, -1)
        times = np.where(until < 0, times, until)
    since = micros(VALID_FROM, -(2**62)) if VALID_FROM in rows.column_names else None
    return point_in_time.Spine(rows, times, group.geometry, since)


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
            )
            if not number and part.prefix + name not in texts:
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


def _without_blanks(rows: pa.Table, name: str) -> pa.Table:
    """The rows with null where a text holds nothing to read: nobody named that class."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = rows.column(name)
    if not pa.types.is_string(column.type):
        return rows
    blank = pc.equal(pc.utf8_trim_whitespace(column), "")
    known = pc.if_else(blank, pa.scalar(None, column.type), column)
    return rows.set_column(rows.schema.get_field_index(name), name, known)


def _array(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(list(values), pa.string())


def _float(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.to_pandas().to_numpy(dtype=np.float32, na_value=np.nan))


def _target(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class codes and names; a column of decimals is a regression."""
    import pyarrow as pa

    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return column.to_pandas().to_numpy(dtype=np.float64), ()
    names, codes = np.unique(column.to_numpy(), return_inverse=True)
    return codes.astype(np.int64), tuple(str(n) for n in names)
