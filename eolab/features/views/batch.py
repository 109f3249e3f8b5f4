"""Features of what has no label, arranged as in training: what a model is asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eolab.argument_checks import shown
from eolab.errors import InvalidInputError, nearest
from eolab.features.engines import point_in_time
from eolab.features.engines.spark import is_spark
from eolab.features.engines.spine import (
    VALID_FROM,
    VALID_TO,
    Spine,
    check_types,
    keys_needed,
    label_rows,
    last_of_season,
    spine_of,
)
from eolab.features.queries import time_steps
from eolab.features.queries.query import GroupHandle, Query
from eolab.features.samples import on_demand, samples, transformations
from eolab.features.storage import arrow
from eolab.features.storage.duckdb import moment, quote_identifier, quote_identifiers, run
from eolab.training_data import TrainingData
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_DAY = 86_400_000_000
_MONTHS = {"M": 1, "Q": 3, "Y": 12}


class LabelledEntities(UserWarning):
    """Things that were asked for have a label, and are left out of a batch."""


class FittedParts(Protocol):
    """What knows how a training part was transformed: a split, a training dataset."""

    @property
    def source(self) -> Mapping[str, object]: ...


class BatchView(Protocol):
    """What a batch needs of a view."""

    @property
    def label(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def labels(self) -> Query: ...
    @property
    def query(self) -> Query: ...
    @property
    def functions(self) -> tuple[on_demand.Transformation, ...]: ...
    @property
    def transformations(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True, repr=False)
class BatchData:
    """Samples without labels, as `FeatureView.batch_data` gives them.

    Attributes:
        X: Features, float32, shape (n, f), of sequences (n, t, f), of arrays (n, ..., f); NaN
            where nothing was known.
        columns: Names of the f features, in the order of training.
        rows: The keys of each sample, and its time where it has one; row i is sample i.
        steps: Of sequences, the label of each step.
        report: "rows", "without_features" (nothing was known of them; they are here), "labelled"
            and "repeated" (asked for, and left out).
        known: Of which samples at least one feature was known, shape (n,).
    """

    X: np.ndarray
    columns: tuple[str, ...]
    rows: pd.DataFrame
    steps: tuple[str, ...] = ()
    report: Mapping[str, int] = field(default_factory=dict)
    known: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        steps = f" x {len(self.steps)} steps" if self.steps else ""
        return f"<{len(self)} samples{steps} x {len(self.columns)} features, without labels>"


@dataclass(frozen=True)
class _Asked:
    """Rows that are asked about: their keys, times and since when they hold."""

    keys: pa.Table
    times: np.ndarray
    since: np.ndarray
    place: pa.Table | None = None


def batch(
    con: DuckDBPyConnection,
    view: BatchView,
    entities: object,
    *,
    start: object,
    end: object,
    as_of: object,
    split: FittedParts | None,
) -> BatchData:
    """Features of what has no label (see `FeatureView.batch_data`)."""
    fitted = _fitted(view, split)
    first, last = moment(start), _until(end)
    if first is not None and last is not None and first > last:
        raise InvalidInputError(f"start={start!r} is after end={end!r}", "Swap them.")
    labels, query, at = view.labels, view.query, moment(as_of)
    if first is not None and query.group.event_time is not None:
        event = quote_identifier(query.group.event_time)
        query = query.filter(f"{event} >= make_timestamptz({first})")
    needed = keys_needed(query, labels.group.columns) or list(labels.group.primary_key)
    window = (first, last)
    found = _Rows(con, labels, query, needed, at, window)
    report = {"labelled": 0, "repeated": 0}
    if entities is None:
        asked = found.unlabelled()
    else:
        table, time = _entities(entities, labels.group, query.group, needed)
        if time is not None:
            asked = _Asked(table, time, np.full(len(time), -(2**62)))
        else:
            asked, report = found.of(table)
    if any(part.near is not None for part in query.parts) and asked.place is None:
        raise InvalidInputError(
            f"{view.label} joins by place, and places are those of rows of {labels.group.label}",
            "Insert the rows there without a label, then ask for them by their keys.",
        )
    return _answer(con, view, query, asked, fitted, split, at, report)


def _fitted(view: BatchView, split: FittedParts | None) -> transformations.Fitted:
    if split is None:
        if view.transformations:
            raise InvalidInputError(
                f"{view.label} transforms its features as its training part says",
                "Pass split=, the split or training dataset that the model was trained on.",
            )
        return {}
    source = source_of(split)
    of = (source.get("view"), source.get("version"))
    if view.labels.columns and of != (view.name, view.version):
        raise InvalidInputError(f"the split is not of {view.label}", "Split this view.")
    if not view.labels.columns and not isinstance(getattr(split, "train", None), TrainingData):
        raise InvalidInputError(
            f"{view.label} has no labels, and this says not which features its model takes",
            "Pass the split itself: dataset.read().",
        )
    fitted = source.get("transformations") or {}
    assert isinstance(fitted, Mapping)
    return fitted


def source_of(split: object) -> Mapping[str, object]:
    """Where a split or training dataset comes from.

    Raises:
        InvalidInputError: It is neither.
    """
    source = getattr(split, "source", None)
    if not isinstance(source, Mapping):
        raise InvalidInputError(
            f"split={shown(split)} is no split",
            "Pass the split or training dataset that the model was trained on.",
        )
    return source


def _until(end: object) -> int | None:
    """The last moment that counts; of a bare date the whole day, of a month or year all of it."""
    import pandas as pd

    found = moment(end)
    if found is None or not isinstance(end, str):
        return found
    try:
        span = pd.Period(end.strip()).freqstr[0]  # how much of a calendar the text says
    except ValueError:  # "now"
        return found
    if span == "D":
        return found + _DAY - 1
    if span not in _MONTHS:
        return found
    month = np.datetime64(found, "us").astype("datetime64[M]")
    return int((month + _MONTHS[span]).astype("datetime64[us]").astype(np.int64)) - 1


class _Rows:
    """The things and rows that a batch may be about."""

    def __init__(
        self,
        con: DuckDBPyConnection,
        labels: Query,
        query: Query,
        needed: Sequence[str],
        as_of: int | None,
        window: tuple[int | None, int | None],
    ) -> None:
        self._con, self._labels, self._query = con, labels, query
        self._needed, self._as_of, self._window = list(needed), as_of, window
        self._time = self._default_time()
        self._open, self._labelled = self._label_rows()

    def _default_time(self) -> int:
        """When a row without a time of its own is: the end of the window, or the newest row's."""
        last = self._window[1]
        if last is not None:
            return last
        groups = [p.query.group for p in self._query.parts if p.query.group.event_time is not None]
        seen = [point_in_time.newest(self._con, group, self._as_of) for group in groups]
        return max((time for time in seen if time is not None), default=time_steps.NO_TIME)

    def _label_rows(self) -> tuple[_Asked | None, pa.Table | None]:
        """Rows of the label group in the window: those without a label, and keys of the others."""
        import pyarrow as pa
        import pyarrow.compute as pc

        labels, group = self._labels, self._labels.group
        if not labels.columns or group.table.last() is None:
            return None, None
        rows = label_rows(self._con, labels, self._as_of, self._needed)
        rows = samples.without_blanks(rows, labels.columns[0])
        if group.event_time is not None:
            times = np.asarray(rows.column(group.event_time).cast(pa.int64()).to_numpy())
            first, last = self._window
            inside = np.ones(len(times), bool) if first is None else times >= first
            inside &= True if last is None else times <= last
            rows = rows.filter(pa.array(inside))
        rows = last_of_season(rows, labels, self._query)  # of which training makes one sample, too
        labelled = pc.is_valid(rows.column(labels.columns[0]))
        known = rows.filter(labelled).select(self._needed)
        rows = rows.filter(pc.invert(labelled))
        spine = spine_of(rows, group)
        own = group.event_time is not None or VALID_TO in rows.column_names
        times = spine.times if own else np.full(len(spine.times), self._time)
        since = spine.since if VALID_FROM in rows.column_names else None
        since = np.full(len(times), -(2**62)) if since is None else since
        place = None if group.geometry is None else rows.select(list(group.geometry.columns))
        return _Asked(rows.select(self._needed), times, since, place), known

    def unlabelled(self) -> _Asked:
        """Rows without a label, and things of the features' group that have no row at all."""
        import pyarrow as pa

        group = self._query.group
        by_place = any(part.near is not None for part in self._query.parts)
        if self._open is not None and (by_place or set(self._needed) - set(group.columns)):
            return self._open
        group.table.view(self._con, "things", as_of=self._as_of)
        conditions = [f"({self._query.where})"] if self._query.where else []
        if group.event_time is not None and self._window[1] is not None:
            event = quote_identifier(group.event_time)
            conditions.append(f"{event} <= make_timestamptz({self._window[1]})")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        names = quote_identifiers(self._needed)
        known = run(self._con, f"SELECT DISTINCT {names} FROM things{where} ORDER BY {names}")
        if self._open is None or self._labelled is None:
            return self._at_end(known)
        there = pa.concat_tables([self._open.keys, self._labelled], promote_options="permissive")
        missing = np.flatnonzero(_places(self._con, known, there) < 0)
        rest = self._at_end(known.take(pa.array(missing)))
        keys = [self._open.keys, rest.keys]
        return _Asked(
            pa.concat_tables(keys, promote_options="permissive"),
            np.concatenate([self._open.times, rest.times]),
            np.concatenate([self._open.since, rest.since]),
        )

    def of(self, entities: pa.Table) -> tuple[_Asked, dict[str, int]]:
        """Rows without a label of these things, in their order; each once."""
        import pyarrow as pa

        first = _places(self._con, entities, entities)
        own = np.flatnonzero(first == np.arange(len(first)))
        report = {"labelled": 0, "repeated": len(first) - len(own)}
        entities = entities.take(pa.array(own))
        if self._open is None or self._labelled is None:
            return self._at_end(entities), report
        held = np.full(entities.num_rows, -1)
        which = _places(self._con, self._open.keys, entities)
        held[which[which >= 0]] = 0
        labelled = (_places(self._con, entities, self._labelled) >= 0) & (held < 0)
        report["labelled"] = int(labelled.sum())
        if report["labelled"]:
            warn(
                f"{report['labelled']} of {len(first)} entities have a label in the window and are "
                "left out. Pass their times too to ask about them all the same.",
                LabelledEntities,
            )
        rest = np.flatnonzero((held < 0) & ~labelled)
        asked = np.flatnonzero(which >= 0)
        # In the order of the entities; several rows of one in the order of their times.
        order = np.argsort(np.concatenate([which[asked], rest]), kind="stable")
        end = self._at_end(entities.take(pa.array(rest)))
        keys = pa.concat_tables(
            [self._open.keys.take(pa.array(asked)), end.keys], promote_options="permissive"
        )
        place = None
        if self._open.place is not None and not len(rest):
            place = self._open.place.take(pa.array(asked)).take(pa.array(order))
        return (
            _Asked(
                keys.take(pa.array(order)),
                np.concatenate([self._open.times[asked], end.times])[order],
                np.concatenate([self._open.since[asked], end.since])[order],
                place,
            ),
            report,
        )

    def _at_end(self, keys: pa.Table) -> _Asked:
        n = keys.num_rows
        return _Asked(keys, np.full(n, self._time), np.full(n, -(2**62)))


def _places(con: DuckDBPyConnection, rows: pa.Table, among: pa.Table) -> np.ndarray:
    """For each row the first place among others with the same values, int64; -1 where none is."""
    import pyarrow as pa

    names = [f"c{i}" for i in range(rows.num_columns)]
    numbered = [
        table.rename_columns(names).append_column("n", pa.array(np.arange(table.num_rows)))
        for table in (rows, among)
    ]
    con.register("left_rows", numbered[0])
    con.register("right_rows", numbered[1])
    found = run(
        con,
        f"SELECT l.n, min(r.n) AS place FROM left_rows l JOIN right_rows r "
        f"USING ({', '.join(names)}) GROUP BY 1",
    )
    out = np.full(rows.num_rows, -1, dtype=np.int64)
    out[found.column("n").to_numpy()] = found.column("place").to_numpy()
    return out


def _entities(
    entities: object, group: GroupHandle, base: GroupHandle, needed: Sequence[str]
) -> tuple[pa.Table, np.ndarray | None]:
    """The keys of what is asked about, in the group's types, and times where they are given."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_spark(entities):
        entities = entities.toArrow()
    if isinstance(entities, str | bytes):
        raise InvalidInputError(f"entities={entities!r} is one text", "Give a list or a table.")
    if isinstance(entities, Iterator | AbstractSet):  # read once; of a set any order is as good
        entities = list(entities)
    if isinstance(entities, Sequence | np.ndarray) or (
        hasattr(entities, "to_numpy") and not hasattr(entities, "columns")
    ):
        values = np.asarray(entities, dtype=object)
        if len(needed) != 1 or values.ndim != 1:
            raise InvalidInputError(
                f"entities are named by {', '.join(needed)}",
                "Give a table with these columns.",
            )
        kind = group.schema.field(needed[0]).type
        empty = not len(values)
        entities = {needed[0]: pa.array([], kind).to_pandas() if empty else list(values)}
    table = arrow.to_arrow(entities, known=group.schema)
    for name in needed:
        if name not in table.column_names:
            raise InvalidInputError(
                f"the entities have no column {name!r}",
                nearest(name, table.column_names, "columns"),
            )
        if table.column(name).null_count:
            raise InvalidInputError(
                f"{table.column(name).null_count} entities have no {name!r}", "Drop them."
            )
    if not table.num_rows:  # whose types say nothing
        return pa.schema([group.schema.field(n) for n in needed]).empty_table(), None
    check_types(table.schema, group, needed)
    keys = pa.table({n: table.column(n).cast(group.schema.field(n).type) for n in needed})
    for name in dict.fromkeys(n for n in (group.event_time, base.event_time) if n):
        if name in table.column_names and name not in needed:
            times = table.column(name)
            if not pa.types.is_timestamp(times.type) or times.null_count:
                raise InvalidInputError(
                    f"the times {name!r} of the entities are missing or no time stamps",
                    "Give each a time stamp with a zone, or leave the column out.",
                )
            return keys, np.asarray(pc.cast(times, pa.int64()).to_numpy())
    return keys, None


def _answer(
    con: DuckDBPyConnection,
    view: BatchView,
    query: Query,
    asked: _Asked,
    fitted: transformations.Fitted,
    split: FittedParts | None,
    as_of: int | None,
    report: Mapping[str, int],
) -> BatchData:
    import pyarrow as pa

    group = view.labels.group
    rows = asked.keys
    geometry = None
    if asked.place is not None:
        geometry = group.geometry
        for name in asked.place.column_names:
            if name not in rows.column_names:
                rows = rows.append_column(name, asked.place.column(name))
    spine = Spine(rows, asked.times, geometry, asked.since)
    vocabularies: dict[str, tuple[str, ...]] = {
        name: tuple(str(v) for v in values)
        for name, step in fitted.items()
        if step and isinstance(values := step[0].get("values"), list)
    }
    steps: tuple[str, ...] = ()
    if query.steps is None:
        texts = [n for n, kinds in view.transformations.items() if "onehot" in kinds]
        table, kept = point_in_time.flat(con, spine, query, as_of)
        X, columns = samples.flat_values(table, texts, vocabularies)
        names = tuple(n for own in columns.values() for n in own)
    else:
        X, _ = point_in_time.sequences(con, spine, query, as_of)
        kept, names = np.ones(len(X), dtype=bool), query.names
        steps = time_steps.step_names(query.steps)
    n = len(X)
    data = TrainingData(X, np.zeros(n), np.arange(n), names, (), steps)
    data = on_demand.extended(data, view.functions)
    unknown = np.isnan(data.X.reshape(n, -1)).all(axis=1) if n else np.zeros(0, bool)
    data = transformations.apply(data, fitted, vocabularies)
    train = getattr(split, "train", None)
    if isinstance(train, TrainingData) and train.columns != data.columns:
        raise InvalidInputError(
            f"the split has the features {list(train.columns)}, {view.label} {list(data.columns)}",
            "Take a view of the same features, in the same order.",
        )
    if isinstance(train, TrainingData) and train.X.shape[1:] != data.X.shape[1:]:
        raise InvalidInputError(
            f"samples of the split have the shape {train.X.shape[1:]}, of {view.label} "
            f"{data.X.shape[1:]}",
            "Take a view of as many steps, or of arrays of the same shape.",
        )
    own = asked.keys
    time = group.event_time or query.group.event_time
    if time is not None and time not in own.column_names:
        at = pa.array(asked.times, mask=asked.times == time_steps.NO_TIME)
        own = own.append_column(time, at.cast(pa.timestamp("us", "UTC")))
    frame = own.filter(pa.array(kept)).to_pandas()
    counted = {"rows": int(kept.sum()), "without_features": int(unknown[kept].sum()), **report}
    return BatchData(data.X[kept], data.columns, frame, steps, counted, ~unknown[kept])
