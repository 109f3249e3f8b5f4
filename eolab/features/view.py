"""A feature view: labels bound to features, and the training data that come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from eolab.data import Split, TrainingData
from eolab.errors import BadInput
from eolab.features import join, splits
from eolab.features.geometry import Geometry, shapes
from eolab.features.group import moment, run, to_pandas
from eolab.features.offline import connect, quoted
from eolab.features.query import Query, chosen, from_dict
from eolab.features.serving import Missing, VectorReader
from eolab.features.splits import Blocks, Places
from eolab.lineage import Ref, record

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from eolab.features.registry import Entry
    from eolab.features.store import FeatureStore


@dataclass(frozen=True)
class _Samples:
    """All samples of a view, before they are split."""

    data: TrainingData
    rows: pa.Table
    geometry: Geometry | None
    report: Mapping[str, object]


class FeatureView:
    """Made by `FeatureStore.create_feature_view`: one sample a row of the label group.

    Features are those known at the label's own event time; nothing later is seen.
    """

    def __init__(self, store: FeatureStore, entry: Entry) -> None:
        self._store = store
        self.name, self.version, self.created = entry.name, entry.version, entry.created
        self.description = str(entry.spec["description"])
        self.labels: Query = from_dict(entry.spec["labels"], store.feature_group)  # type: ignore[arg-type]
        self._reader: VectorReader | None = None
        self.query: Query = from_dict(entry.spec["query"], store.feature_group)  # type: ignore[arg-type]

    @property
    def label(self) -> str:
        """``name/version``."""
        return f"{self.name}/{self.version}"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that it reads, each once, as ``name/version``."""
        parts = (self.labels, *(p.query for p in self.query.parts))
        return tuple(dict.fromkeys(q.group.label for q in parts))

    def to_dict(self) -> dict[str, object]:
        """Plain JSON for the panel."""
        return {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "labels": list(self.labels.columns),
            "features": len(self.query.names),
            "groups": list(self.groups),
        }

    def commits(self) -> dict[str, int]:
        """The newest commit of each group."""
        out = {}
        for part in (self.labels, *(p.query for p in self.query.parts)):
            last = part.group.table.last()
            out[part.group.label] = -1 if last is None else last.version
        return out

    def record_lineage(self) -> None:
        """Note in the workspace's lineage which commits the view reads now; each once."""
        from eolab.lineage import upstream

        node = Ref("view", self.label)
        known = set(upstream(self._store.config.root, node))
        sources = [
            Ref("commit", f"{group}@{version}")
            for group, version in self.commits().items()
            if version >= 0
        ]
        record(self._store.config.root, [s for s in sources if s not in known], node)

    def read(self, *, known_at: object = None) -> pd.DataFrame:
        """Keys, event time, label and features, one row a label; of sequences the label part only.

        No label is lost: where nothing was known, the features are missing.
        """
        at = moment(known_at)
        group = self.labels.group
        with connect(self._store.config.features) as con:
            rows = _label_rows(con, self.labels, at, _keys_needed(self.query, group.columns))
            if self.query.steps is not None:
                return to_pandas(rows, group.geometry)
            table, kept = join.flat(con, _spine(rows, group.event_time), self.query, at)
        for number, name in enumerate(table.column_names):
            if name not in group.keys:
                free = name if name not in rows.column_names else f"{name}_feature"
                rows = rows.append_column(free, table.column(number))
        return to_pandas(rows if kept.all() else rows.filter(kept), group.geometry)

    def get_feature_vector(
        self,
        key: Mapping[str, object],
        *,
        passed: Mapping[str, object] | None = None,
        missing: Missing = "nan",
    ) -> list[object]:
        """The newest features of a thing from the online store, in the order of ``query.names``.

        Args:
            key: Values of the primary keys by name.
            passed: Features that the caller knows better, by name.
            missing: Give NaN for a key that is not there, or raise.

        Raises:
            BadInput: A sequence or a condition, which have no vector; an unknown name.
            NotFound: The key is not there, with ``missing="error"``.
        """
        return self._vectors().get(key, passed, missing)

    def get_feature_vectors(
        self,
        keys: Sequence[Mapping[str, object]],
        *,
        passed: Sequence[Mapping[str, object]] | None = None,
        missing: Missing = "nan",
    ) -> list[list[object]]:
        """One vector a key (see `get_feature_vector`)."""
        return self._vectors().get_many(keys, passed, missing)

    def _vectors(self) -> VectorReader:
        if self._reader is None:
            self._reader = VectorReader(self.query)
        return self._reader

    def training_data(self, *, known_at: object = None) -> TrainingData:
        """All samples, ordered by key; ``groups`` numbers them (each its own unit).

        Samples without a label or without any feature value are left out.

        Raises:
            BadInput: A feature is no number, or nothing is left.
        """
        return self._samples(known_at, []).data

    def train_validation_test_split(
        self,
        by: Blocks | str | None = None,
        *,
        validation_size: float = 0.2,
        test_size: float = 0.2,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        known_at: object = None,
    ) -> Split:
        """Three parts that share no block.

        Args:
            by: `Blocks`; "random" (by hash of the key: flatters, for comparison); or a column of
                the label group whose values stay together.
            validation_size: Share of each class for validation.
            test_size: Share of each class that is held out until a model is registered.
            seed: Another seed, another arrangement. Row order never matters.
            unit: Column of the label group whose values stay together within blocks (a parcel).
            min_samples: Classes with fewer samples are left out; so are those in fewer blocks than
                there are parts.
            known_at: Use what was known then.

        Returns:
            The parts; ``source["report"]`` says what was left out, and why.

        Raises:
            BadInput: Sizes that leave no training part, no geometry, or no class that can be split.
        """
        for name, size in (("validation_size", validation_size), ("test_size", test_size)):
            if not 0 <= size < 1:
                raise BadInput(
                    f"{name}={size!r} is not a share", "Give a number from 0 to below 1."
                )
        if validation_size + test_size >= 1:
            raise BadInput(
                "validation_size + test_size leave no training part", "Make them smaller."
            )
        samples, cell, by = self._cells(by, unit, known_at)
        sizes = {
            "train": 1 - validation_size - test_size,
            "validation": validation_size,
            "test": test_size,
        }
        parts = [p for p, size in sizes.items() if size > 0]
        samples, cell, left_out = _leave_out(samples, cell, min_samples, len(parts))
        side = splits.assign(cell, _codes(samples.data), [sizes[p] for p in parts], seed)
        names = np.asarray(parts)[side]
        return self._split(
            samples, cell, by, names, left_out, {"seed": seed, "known_at": known_at, **sizes}
        )

    def folds(
        self,
        by: Blocks | str | None = None,
        *,
        n: int = 5,
        seed: int = 0,
        unit: str | None = None,
        min_samples: int = 0,
        known_at: object = None,
    ) -> list[Split]:
        """``n`` outer folds: each block is held out once.

        In each split one fold is held out, the next is for validation, the rest for training.
        See `train_validation_test_split` for the arguments; classes in fewer than ``n`` blocks are
        left out by name.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 3:
            raise BadInput(
                f"n={n!r} folds cannot hold training, validation and test", "Take 3 or more."
            )
        samples, cell, by = self._cells(by, unit, known_at)
        samples, cell, left_out = _leave_out(samples, cell, min_samples, n)
        side = splits.assign(cell, _codes(samples.data), [1 / n] * n, seed)
        out = []
        for fold in range(n):
            names = np.where(
                side == fold, "test", np.where(side == (fold + 1) % n, "validation", "train")
            )
            detail = {"seed": seed, "known_at": known_at, "fold": fold, "folds": n}
            out.append(self._split(samples, cell, by, names, left_out, detail))
        return out

    def _cells(
        self, by: Blocks | str | None, unit: str | None, known_at: object
    ) -> tuple[_Samples, np.ndarray, Blocks | str]:
        if by is None:
            raise BadInput(
                "by= is missing: how are the parts kept apart?",
                "Pass by=eo.Blocks(5_000), or by='random'.",
            )
        extra = [c for c in (unit, by if isinstance(by, str) and by != "random" else None) if c]
        samples = self._samples(known_at, extra)
        if by == "random":
            assert samples.data.ids is not None
            return samples, samples.data.ids.astype(str), by
        if isinstance(by, str):
            return (
                samples,
                np.asarray(samples.rows.column(by).to_pandas().astype(str), dtype=str),
                by,
            )
        if not isinstance(by, Blocks):
            raise BadInput(
                f"by={by!r} is no way to split",
                "Pass eo.Blocks(...), 'random', or a column of the label group.",
            )
        if samples.geometry is None:
            raise BadInput(
                f"the labels of {self.label} have no geometry, so there are no blocks",
                "Insert a GeoDataFrame, or make the label group with geometry=('lon', 'lat').",
            )
        shape = shapes(
            samples.rows.select(list(samples.geometry.columns)).to_pandas(), samples.geometry
        )
        places = Places(shape, samples.geometry.crs)
        reach = by.reach(samples.geometry)
        near = splits.units(places, reach)
        splits.check_units(by, places, near)
        together = (
            None if unit is None else samples.rows.column(unit).to_pandas().astype(str).to_numpy()
        )
        joined = near if together is None else splits.units(places, reach, together)
        report = {**samples.report, "units": len(np.unique(joined))}
        return replace(samples, report=report), splits.cells(by, places, joined), by

    def _split(
        self,
        samples: _Samples,
        cell: np.ndarray,
        by: Blocks | str,
        part: np.ndarray,
        left_out: Mapping[str, str],
        detail: Mapping[str, object],
    ) -> Split:
        data = replace(samples.data, groups=cell)
        masks = {name: part == name for name in ("train", "validation", "test")}
        dropped = {"train": 0, "validation": 0}
        if isinstance(by, Blocks) and by.buffer > 0 and samples.geometry is not None:
            shape = shapes(
                samples.rows.select(list(samples.geometry.columns)).to_pandas(), samples.geometry
            )
            places = Places(shape, samples.geometry.crs)
            # The test part stays whole; then validation; training gives way to both.
            close = splits.near(places, masks["validation"], masks["test"], by)
            masks["validation"] &= ~close
            dropped["validation"] = int(close.sum())
            close = splits.near(places, masks["train"], masks["test"] | masks["validation"], by)
            masks["train"] &= ~close
            dropped["train"] = int(close.sum())
        if not masks["train"].any():
            raise BadInput(
                "the buffer leaves no training sample", "Take larger blocks or a smaller buffer."
            )
        sealed = {name: data.subset(mask) for name, mask in masks.items()}
        self.record_lineage()
        how: object = (
            by.to_dict()
            if isinstance(by, Blocks)
            else {"kind": "random" if by == "random" else "column", "column": by}
        )
        report = {
            **samples.report,
            "left_out": dict(left_out),
            "samples": len(data),
            "blocks": len(np.unique(cell)),
            "dropped_by_buffer": dropped,
            "parts": {name: _count(d) for name, d in sealed.items()},
        }
        known = detail.get("known_at")
        source = {
            "view": self.name,
            "version": self.version,
            "by": how,
            **detail,
            "known_at": None if known is None else str(known),
            "commits": self.commits(),
            "report": report,
        }
        return Split(
            sealed["train"],
            sealed["validation"] if masks["validation"].any() else None,
            sealed["test"] if masks["test"].any() else None,
            source,
        )

    def _samples(self, known_at: object, extra: Sequence[str]) -> _Samples:
        import pyarrow.compute as pc

        at = moment(known_at)
        group = self.labels.group
        needed = [*extra, *_keys_needed(self.query, group.columns)]
        _check_numbers(self.query)
        with connect(self._store.config.features) as con:
            rows = _label_rows(con, self.labels, at, needed)
            total = rows.num_rows
            has_label = np.asarray(
                pc.is_valid(rows.column(self.labels.columns[0])).to_numpy(), dtype=bool
            )
            rows = rows.filter(has_label)
            spine = _spine(rows, group.event_time)
            if self.query.steps is None:
                table, kept = join.flat(con, spine, self.query, at)
                X = np.column_stack([_float(table.column(i)) for i in range(table.num_columns)])
                steps: tuple[str, ...] = ()
            else:
                X, _ = join.sequences(con, spine, self.query, at)
                kept = np.ones(len(X), dtype=bool)
                steps = join.step_names(self.query.steps)
        known = kept & ~np.isnan(X).reshape(len(X), -1).all(axis=1) if len(X) else kept
        geometry = group.geometry
        placed = np.ones(len(X), dtype=bool)
        if geometry is not None:
            for name in geometry.columns:
                placed &= np.asarray(pc.is_valid(rows.column(name)).to_numpy(), dtype=bool)
        use = known & placed
        report = {
            "rows": total,
            "without_label": int((~has_label).sum()),
            "without_features": int((~known).sum()),
            "without_place": int((known & ~placed).sum()),
        }
        if not use.any():
            raise BadInput(
                f"the view {self.label} has no sample with a label and a feature value ({report})",
                "Check that keys and times of labels and features meet.",
            )
        rows = rows.filter(use)
        y, classes = _target(rows.column(self.labels.columns[0]))
        keys = [rows.column(k).to_pandas().astype(str) for k in group.keys]
        ids = keys[0].to_numpy(dtype=object).astype(str)
        for key in keys[1:]:
            ids = np.char.add(np.char.add(ids, "|"), key.to_numpy(dtype=object).astype(str))
        data = TrainingData(X[use], y, np.arange(len(y)), self.query.names, classes, steps, ids)
        return _Samples(data, rows, geometry, report)

    def __repr__(self) -> str:
        target, groups = ", ".join(self.labels.columns), ", ".join(self.groups)
        count = len(self.query.names)
        return f"<FeatureView {self.label}: {target} from {count} features of {groups}>"


def check_view(labels: Query, query: Query) -> None:
    """Raises BadInput where labels and features cannot be matched."""
    if labels.joins or labels.steps:
        raise BadInput(
            "labels come from one group, without joins or sequence",
            "Select the label column of one group.",
        )
    if len(labels.columns) != 1:
        raise BadInput(f"labels name {len(labels.columns)} columns", "Select the one label column.")
    if not query.names:
        raise BadInput("the query has no feature column", "Select at least one.")
    for part in query.parts:
        keys = join.keys_of(part, labels.group.columns)
        join.check_types(labels.group.schema, part.query.group, keys)
        if part.query.group.label == labels.group.label and labels.columns[0] in part.query.columns:
            raise BadInput(
                f"the label {labels.columns[0]!r} is among the features",
                "Leave it out with select_except([...]).",
            )
    _check_numbers(query)


def read_query(query: Query, *, known_at: object = None) -> pd.DataFrame:
    """Rows of the base group with the joined columns (see `Query.read`)."""
    if query.steps is not None:
        raise BadInput(
            "a sequence needs labels",
            "Make a feature view of it; or read the query without sequence().",
        )
    at = moment(known_at)
    group = query.group
    with connect(group.table.folder) as con:
        group.table.view(con, "base", known_at=at)
        where = f" WHERE {query.where}" if query.where else ""
        names = list(
            dict.fromkeys([*group.keys, *_keys_needed(query, group.columns), *query.columns])
        )
        rows = run(con, f"SELECT {quoted(names)} FROM base{where} ORDER BY {quoted(group.keys)}")
        table, kept = join.flat(con, _spine(rows, group.event_time), replace(query, where=None), at)
    frame = rows.select(list(group.keys)).to_pandas()
    for name in table.column_names:
        if name not in group.keys:
            frame[name] = table.column(name).to_pandas().to_numpy()
    found: pd.DataFrame = frame[kept].reset_index(drop=True)
    return found


def _keys_needed(query: Query, available: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(k for part in query.parts for k in join.keys_of(part, available)))


def _label_rows(
    con: DuckDBPyConnection, labels: Query, known_at: int | None, extra: Sequence[str]
) -> pa.Table:
    group = labels.group
    chosen(list(dict.fromkeys(extra)), group.columns, group.label)
    place = group.geometry.columns if group.geometry else ()
    names = list(dict.fromkeys([*group.keys, *labels.columns, *place, *extra]))
    group.table.view(con, "labels", known_at=known_at)
    where = f" WHERE {labels.where}" if labels.where else ""
    return run(con, f"SELECT {quoted(names)} FROM labels{where} ORDER BY {quoted(group.keys)}")


def _spine(rows: pa.Table, event_time: str | None) -> join.Spine:
    import pyarrow as pa

    if event_time is None:
        return join.Spine(rows, np.full(rows.num_rows, join.NO_TIME, dtype=np.int64))
    return join.Spine(rows, rows.column(event_time).cast(pa.int64()).to_numpy())


def _check_numbers(query: Query) -> None:
    import pyarrow as pa

    for part in query.parts:
        schema = part.query.group.schema
        for name in part.query.columns:
            kind = schema.field(name).type
            if not (
                pa.types.is_integer(kind)
                or pa.types.is_floating(kind)
                or pa.types.is_boolean(kind)
                or pa.types.is_decimal(kind)
            ):
                raise BadInput(
                    f"the feature {name!r} is no number ({kind})",
                    "Leave it out with select_except([...]), or turn it into numbers first.",
                )


def _float(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.to_pandas().to_numpy(dtype=np.float32, na_value=np.nan))


def _target(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class codes and names; a column of decimals is a regression."""
    import pyarrow as pa

    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return column.to_pandas().to_numpy(dtype=np.float64), ()
    names, codes = np.unique(column.to_numpy(), return_inverse=True)
    return codes.astype(np.int64), tuple(str(n) for n in names)


def _codes(data: TrainingData) -> np.ndarray:
    return data.y if data.classes else np.zeros(len(data), dtype=np.int64)


def _count(data: TrainingData) -> dict[str, object]:
    out: dict[str, object] = {"samples": len(data), "blocks": len(np.unique(data.groups))}
    if data.classes:
        out["classes"] = {
            name: {
                "samples": int((data.y == c).sum()),
                "blocks": len(np.unique(data.groups[data.y == c])),
            }
            for c, name in enumerate(data.classes)
        }
    return out


def _leave_out(
    samples: _Samples, cell: np.ndarray, min_samples: int, min_cells: int
) -> tuple[_Samples, np.ndarray, Mapping[str, str]]:
    """Without the classes that have too few samples or blocks; codes are counted anew."""
    data = samples.data
    if not data.classes:
        return samples, cell, {}
    left_out = splits.too_few(data.y, data.classes, cell, min_samples, min_cells)
    if not left_out:
        return samples, cell, {}
    kept = [c for c, name in enumerate(data.classes) if name not in left_out]
    if len(kept) < 2:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise BadInput(
            f"fewer than two classes can be split ({reasons})",
            "Take smaller blocks, fewer parts or a lower min_samples.",
        )
    use = np.isin(data.y, kept)
    data = data.subset(use)
    codes = np.searchsorted(kept, data.y).astype(np.int64)
    data = replace(data, y=codes, classes=tuple(data.classes[c] for c in kept))
    return replace(samples, data=data, rows=samples.rows.filter(use)), cell[use], left_out
