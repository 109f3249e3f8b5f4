"""How rows come into a group: what `FeatureGroup` offers for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from eolab.errors import InvalidInputError
from eolab.features.geometry import CUBE, ITEMS, MODEL, Geometry, check_same_crs, detect, notes
from eolab.features.online.postgres import PostgresTable
from eolab.features.online.sqlite import OnlineTable
from eolab.features.queries.query import chosen
from eolab.features.storage import arrow
from eolab.features.storage import expectations as validation
from eolab.features.storage.commits import Commit
from eolab.features.storage.delta_table import OfflineTable
from eolab.features.storage.statistics import ColumnStatistics
from eolab.records.lineage import Ref, record
from eolab.user_warnings import warn

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from eolab.features.groups.registry import Entry, Registry


class Inserting:
    """The part of `FeatureGroup` that takes rows in."""

    name: str
    version: int
    primary_key: tuple[str, ...]
    event_time: str | None
    partition_key: tuple[str, ...]
    parents: tuple[str, ...]
    expectations: dict[str, str]
    policy: str
    online_enabled: bool
    statistics_at_insert: bool
    table: OfflineTable
    online: OnlineTable | PostgresTable
    _root: Path
    _folder: Path
    _registry: Registry
    _entry: Entry

    @property
    def label(self) -> str:
        """``name/version``."""
        return f"{self.name}/{self.version}"

    def commit_ref(self, version: int) -> Ref:
        """The node of a commit in the lineage."""
        return Ref("commit", f"{self.label}@{version}")

    def _keep_statistics(self, commit: Commit) -> list[ColumnStatistics]:
        raise NotImplementedError

    def insert(
        self,
        frame: object,
        *,
        mode: Literal["upsert", "append"] = "upsert",
        add_columns: bool = False,
        statistics: bool | None = None,
        sources: Iterable[Ref] = (),
    ) -> Commit:
        """Add rows, all or none.

        Args:
            frame: pandas, polars or Spark DataFrame, GeoDataFrame, pyarrow Table, xarray Dataset.
                The scenes that `extract` names in ``frame.attrs`` are recorded as the commit's
                origin. Spark's executors write the rows themselves and must see the workspace.
            mode: "upsert" keeps a row whose key is there as its newer version; "append" refuses it.
            add_columns: Add columns that the group does not have; older rows get nulls.
            statistics: Compute the group's statistics once the rows are in, else they are when
                they are first asked for; by default as the group was made.
            sources: What else the rows were made from.

        Raises:
            InvalidInputError: Keys missing or twice, naive time stamps, another schema or CRS, rows
                that break an expectation. Nothing is written.
            ConflictError: Keys are there already, with mode "append".
            RemoteError: The disk is full or cannot be written. Nothing is written.
        """
        from eolab.features.engines import spark

        if mode not in {"upsert", "append"}:
            raise InvalidInputError(f"unknown mode {mode!r}", "Use 'upsert' or 'append'.")
        if spark.is_spark(frame):
            commit, failed = self._insert_from_spark(frame, mode=mode, add_columns=add_columns)
        else:
            geometry = self._place_of(frame, notes(frame))
            shapes = geometry.columns if geometry and len(geometry.columns) == 1 else ()
            rows = arrow.to_arrow(frame, shapes, self.table.schema())
            arrow.check_keys(rows, self.primary_key, self.event_time)
            self._check_place(rows, frame, geometry)
            failed = self._meet_expectations(rows)
            commit = self.table.append(
                lambda existing: self._fit(rows, existing, geometry, add_columns=add_columns),
                only_new=mode == "append",
            )
        if self.expectations:
            total = len(self.expectations)
            validation.note(self._folder, commit.rows, failed, total, commit.version)
        self._record(commit, frame, sources)
        if self.online_enabled:
            self.online.sync()
        if self.statistics_at_insert if statistics is None else statistics:
            self._keep_statistics(commit)
        return commit

    def _insert_from_spark(
        self, frame: object, *, mode: str, add_columns: bool
    ) -> tuple[Commit, dict[str, int]]:
        from eolab.features.engines import spark

        failed: dict[str, int] = {}

        def prepare(empty: pa.Table, existing: pa.Schema | None) -> pa.Table:
            geometry = self._place_of(empty, notes(frame))
            self._check_place(empty, empty, geometry)
            return self._fit(empty, existing, geometry, add_columns=add_columns)

        commit = spark.insert_from_spark(
            self,  # type: ignore[arg-type]
            frame,  # type: ignore[arg-type]
            only_new=mode == "append",
            add_columns=add_columns,
            prepare=prepare,
            check=lambda files: failed.update(self._meet_expectations(files)),
        )
        return commit, failed

    def _place_of(self, frame: object, attrs: Mapping[str, object]) -> Geometry | None:
        """How the group's rows know where they are, or will after this first insert."""
        spec = self._registry.get("group", self.name, self.version).spec
        geometry = Geometry.from_dict(spec.get("geometry"))  # type: ignore[arg-type]
        if geometry is None and self.table.open() is None:
            declared = spec["declared_geometry"], spec["declared_crs"]
            return detect(frame, *declared, attrs)  # type: ignore[arg-type]
        return geometry

    @staticmethod
    def _check_place(rows: pa.Table, frame: object, geometry: Geometry | None) -> None:
        if geometry is not None:
            for name in geometry.columns:
                chosen([name], rows.column_names, "the table (its geometry)")
            check_same_crs(frame, geometry)

    def _meet_expectations(self, rows: pa.Table | Sequence[str]) -> dict[str, int]:
        """Check rows; how many break each expectation where the policy lets them in."""
        found = validation.validate(rows, self.expectations, self._folder)
        if found is None:
            return {}
        message = f"rows for {self.label} break its expectations: {found}"
        if self.policy == "warn":
            warn(message, validation.Unexpected)
            return dict(found.failed)
        validation.note(self._folder, found.total, found.failed, len(self.expectations), None)
        error = validation.UnexpectedRows(
            message, "Nothing was inserted. Mend or drop the rows; error.rows holds the ten worst."
        )
        error.rows = found.rows
        raise error

    def _fit(
        self,
        rows: pa.Table,
        existing: pa.Schema | None,
        geometry: Geometry | None,
        *,
        add_columns: bool,
    ) -> pa.Table:
        """The rows in the group's types; columns and geometry are noted in its description."""
        chosen(self.partition_key, rows.column_names, "the table (its partition_key)")
        if existing is not None:
            rows = arrow.conform(rows, existing, add_columns=add_columns)
        spec = dict(self._registry.get("group", self.name, self.version).spec)
        order = [n for n in texts(spec.get("columns")) if existing and n in existing.names]
        names = order + [n for n in rows.column_names if n not in order]
        described = geometry.to_dict() if geometry else None
        if names != spec.get("columns") or spec.get("geometry") != described:
            # The description first: without a table it is harmless, the next insert mends it.
            self._registry.update(self._entry, {**spec, "columns": names, "geometry": described})
        return rows

    def _record(self, commit: Commit, frame: object, sources: Iterable[Ref]) -> None:
        attrs = notes(frame)
        model = attrs.get(MODEL)
        record(
            self._root,
            [
                *made_of(self._root, attrs),
                *([Ref("model", str(model))] if model else []),
                *sources,
                *self._parent_commits(),
                # The table after a commit holds what earlier ones brought.
                *([self.commit_ref(commit.version - 1)] if commit.version else []),
            ],
            self.commit_ref(commit.version),
            {"rows": commit.rows},
        )

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """Note that the commits made inside hold what came before them.

        Deleting and tidying up bring nothing, but what reads the table after them reads it all.
        """
        before = self.table.last()
        yield
        after = self.table.last()
        if before is not None and after is not None:
            for version in range(before.version, after.version):
                record(self._root, [self.commit_ref(version)], self.commit_ref(version + 1))

    def _parent_commits(self) -> list[Ref]:
        """The newest commit of each parent."""
        out = []
        for label in self.parents:
            name, _, version = label.rpartition("/")
            entry = self._registry.find("group", name, int(version))
            if entry is not None:
                folder = self._folder.parents[1] / name / version
                last = OfflineTable(folder, ()).last()
                out += [] if last is None else [Ref("commit", f"{label}@{last.version}")]
        return out


def made_of(root: Path, attrs: Mapping[str, object]) -> list[Ref]:
    """The cube, else the scenes, that notes name; that the cube is made of scenes is recorded."""
    items, cube = attrs.get(ITEMS, []), attrs.get(CUBE)
    assert isinstance(items, list)
    scenes = [Ref("item", str(i)) for i in items]
    if cube is None:
        return scenes
    node = Ref("cube", str(cube))
    record(root, scenes, node)
    return [node]


def texts(value: object) -> list[str]:
    """The texts of a list in a description; none where it has no such list."""
    return [str(v) for v in value] if isinstance(value, list) else []
