"""A feature group: rows of one kind of thing, with their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.features.geometry import Geometry, shapes, to_pandas
from eolab.features.groups.insert import Inserting, texts
from eolab.features.online.postgres import Place, PostgresTable
from eolab.features.online.sqlite import OnlineTable
from eolab.features.queries.query import Query, chosen
from eolab.features.storage import arrow
from eolab.features.storage import expectations as validation
from eolab.features.storage import statistics as figures
from eolab.features.storage.commits import Commit
from eolab.features.storage.delta_table import OfflineTable
from eolab.features.storage.duckdb import connect, moment, quoted, run
from eolab.features.views.options import Told, told_again
from eolab.records.lineage import Ref, around

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from eolab.features.groups.registry import Entry, Registry


class FeatureGroup(Inserting):
    """Made by `FeatureStore.get_or_create_feature_group`.

    A row is named by its primary key and, where the group has one, its event time: when the thing
    was so. Each row also keeps its ingestion time: when we learnt it. Inserting a row that is
    there already adds a newer version of it; ``read(known_at=...)`` answers what was known before.
    """

    def __init__(
        self,
        root: Path,
        features: Path,
        registry: Registry,
        entry: Entry,
        online: Place | None = None,
    ) -> None:
        self._root, self._registry, self._entry = root, registry, entry
        self.name, self.version = entry.name, entry.version
        self._folder = features / "groups" / self.name / str(self.version)
        spec = entry.spec
        self.primary_key: tuple[str, ...] = tuple(spec["primary_key"])  # type: ignore[arg-type]
        self.event_time: str | None = spec["event_time"]  # type: ignore[assignment]
        self.created = entry.created
        self._tell(spec)
        self.partition_key: tuple[str, ...] = tuple(texts(spec.get("partition_key")))
        self.parents = tuple(texts(spec.get("parents")))
        self.table = OfflineTable(self._folder, self.keys, together=self.partition_key)
        how = (self.table, self.primary_key, self.event_time)
        self.online: OnlineTable | PostgresTable = (
            OnlineTable(*how) if online is None else PostgresTable(online, self.label, *how)
        )
        self.online_enabled = bool(spec.get("online"))
        self.statistics_at_insert = bool(spec.get("statistics", True))

    def _tell(self, spec: Mapping[str, object]) -> None:
        """Take over what people say of the group, and what they expect of its rows."""
        self.description = str(spec["description"])
        self.column_descriptions: dict[str, str] = dict(spec.get("descriptions") or {})  # type: ignore[call-overload]
        self.column_units: dict[str, str] = dict(spec.get("units") or {})  # type: ignore[call-overload]
        self.expectations: dict[str, str] = dict(spec.get("expectations") or {})  # type: ignore[call-overload]
        self.policy = str(spec.get("policy") or "strict")
        self.tags = tuple(texts(spec.get("tags")))
        self.keywords = tuple(texts(spec.get("keywords")))
        self.owner = str(spec.get("owner") or "")

    def update(self, **options: Unpack[Told]) -> None:
        """Change what is told of the group; its rows, keys and history stay as they are.

        Args:
            options: Any of ``description``, ``columns``, ``units``, ``tags``, ``keywords``,
                ``owner``, ``expectations``, ``policy``. Descriptions and units of columns are
                added to those that there are, all else takes the place of what was there.

        Raises:
            InvalidInputError: Another option, a column that is not there, or a bad condition.
        """
        spec = dict(self._registry.get("group", self.name, self.version).spec)
        told = told_again(spec, options, self.columns)
        self._registry.update(self._entry, told)
        self._tell(told)

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key, then the event time where there is one: what names a row."""
        return (*self.primary_key, *([self.event_time] if self.event_time else []))

    @property
    def geometry(self) -> Geometry | None:
        """How its rows know where they are; None where they do not."""
        spec = self._registry.get("group", self.name, self.version).spec
        return Geometry.from_dict(spec.get("geometry"))  # type: ignore[arg-type]

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types; only what was declared before the first insert."""
        import pyarrow as pa

        found = self.table.schema()
        if found is None:
            return pa.schema([])
        order = self._registry.get("group", self.name, self.version).spec.get("columns") or []
        assert isinstance(order, list)
        names = [n for n in found.names if n not in arrow.RESERVED]
        # The table has keys first; users see their own order.
        names = [n for n in order if n in names] + [n for n in names if n not in order]
        return pa.schema([found.field(n) for n in names])

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.schema.names)

    @property
    def words(self) -> tuple[str, ...]:
        """All texts by which `FeatureStore.search` finds it."""
        told = (self.label, self.description, self.owner, *self.tags, *self.keywords)
        return (*told, *self.columns, *self.column_descriptions.values())

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that are no key, event time or geometry."""
        geometry = self.geometry
        own = {*self.keys, *(geometry.columns if geometry else ())}
        return tuple(n for n in self.columns if n not in own)

    def delete_rows(self, keys: object) -> Commit | None:
        """Delete rows from now on; what was known before stays readable with ``known_at``.

        Args:
            keys: A table with the primary key's columns, and the event time's to delete single
                rows of a thing.

        Returns:
            The commit; None where no such row is there.

        Raises:
            InvalidInputError: Columns are missing, unknown or of another type.
        """
        existing = self.table.schema()
        if existing is None:
            raise ConflictError(f"nothing was inserted into {self.label} yet", "Call insert first.")
        table = arrow.to_arrow(keys)
        wanted = [n for n in self.keys if n in table.column_names]
        chosen(table.column_names, self.keys, f"the keys of {self.label}")
        for name in self.primary_key:
            chosen([name], wanted, "the table of keys")
        fields = pa_schema([existing.field(n) for n in wanted])
        with self._followed():
            commit = self.table.delete(arrow.conform(table, fields, add_columns=False))
        if commit is not None and self.online_enabled:
            self.online.sync()
        return commit

    def sync_online(self) -> int:
        """Bring the online store up to the newest commit; how many keys changed.

        `insert` and `delete_rows` do it for a group with ``online_enabled``; call it for another
        group, or when one of them was cut off.
        """
        return self.online.sync()

    def changes(self, since: object = None) -> pd.DataFrame:
        """Every version of every row that came in after ``since``, oldest first.

        Args:
            since: A `Commit`, or a point in time; default: from the beginning.

        Returns:
            The columns, ``_ingested_at`` and ``_change`` ("insert", "update", "delete").
        """
        after = since.ingested if isinstance(since, Commit) else moment(since)
        names = self.columns
        with connect(self._folder) as con:
            self.table.view(con, "every", resolve=False)
            own = f"{arrow.INGESTED}, {arrow.CHANGE}"
            where = "" if after is None else f" WHERE {arrow.INGESTED} > make_timestamptz({after})"
            table = run(
                con,
                f"SELECT {quoted(names)}, {own} FROM every{where} "
                f"ORDER BY {arrow.INGESTED}, {quoted(self.keys)}",
            )
        frame = to_pandas(table, self.geometry)
        frame[arrow.CHANGE] = frame[arrow.CHANGE].map({0: "insert", 1: "update", 2: "delete"})
        return frame

    def optimize(self) -> Commit | None:
        """Put many small files into few large ones; None where there is nothing to do.

        Every version of every row stays.
        """
        with self._followed():
            return self.table.optimize()

    def vacuum(self, *, hours: int = 168) -> int:
        """Delete files that nothing has read for ``hours``: left over by `optimize` or a crash.

        Returns:
            How many files went.
        """
        if isinstance(hours, bool) or not isinstance(hours, int) or hours < 0:
            raise InvalidInputError(f"hours={hours!r} is not a number of hours", "Give 0 or more.")
        with self._followed():
            return self.table.vacuum(hours)

    def lineage(self) -> dict[str, list[Ref]]:
        """What its rows were made from ("upstream"), and what of them ("downstream")."""
        last = self.table.last()
        count = 0 if last is None else last.version + 1
        return around(self._root, [self.commit_ref(version) for version in range(count)])

    def commits(self) -> list[Commit]:
        """The group's history, oldest first."""
        return self.table.commits()

    def validations(self) -> list[validation.Check]:
        """How each insert met the expectations, oldest first; refused ones too."""
        return validation.history(self._folder)

    def read(
        self,
        columns: Sequence[str] | None = None,
        *,
        known_at: object = None,
        as_of: object = None,
        filter: str | None = None,
        bbox: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """The newest version of each row, ordered by key and event time.

        Args:
            columns: Names, in the order wanted; all by default.
            known_at: What was known then: a time stamp with a time zone, or text, which is UTC
                ("2024-07-01").
            as_of: The same, by its other name.
            filter: An SQL condition, for example ``"ndvi > 0.3 AND crop = 'maize'"``.
            bbox: West, south, east, north in the group's CRS; rows whose geometry touches it.

        Returns:
            A DataFrame; a GeoDataFrame where the geometry column is among the columns.

        Raises:
            InvalidInputError: Unknown column, bad condition or time.
            ConflictError: Nothing was inserted yet.
        """
        if known_at is not None and as_of is not None:
            raise InvalidInputError("known_at and as_of are the same", "Give one of them.")
        known_at = known_at if as_of is None else as_of
        table = self.to_arrow(columns, known_at=known_at, filter=filter, bbox=bbox)
        return to_pandas(table, self.geometry)

    def to_arrow(
        self,
        columns: Sequence[str] | None = None,
        *,
        known_at: object = None,
        filter: str | None = None,
        bbox: Sequence[float] | None = None,
    ) -> pa.Table:
        """What `read` gives with these arguments as an Arrow table; geometries are WKB.

        Other libraries take it without a copy: ``polars.from_arrow(group.to_arrow())``.
        """
        names = self.columns if columns is None else chosen(list(columns), self.columns, self.label)
        geometry = self.geometry
        wanted = names
        if bbox is not None:
            if geometry is None or len(bbox) != 4:
                raise InvalidInputError(
                    f"bbox={bbox!r} cannot be used on {self.label}",
                    "Give four numbers; the group must have a geometry.",
                )
            wanted = tuple(dict.fromkeys([*names, *geometry.columns]))
        with connect(self._folder) as con:
            self.table.view(con, "resolved", known_at=moment(known_at))
            where = "" if filter is None else f" WHERE {filter}"
            table = run(
                con, f"SELECT {quoted(wanted)} FROM resolved{where} ORDER BY {quoted(self.keys)}"
            )
        if bbox is not None and geometry is not None:
            import shapely

            places = shapes(table.select(list(geometry.columns)).to_pandas(), geometry)
            table = table.filter(shapely.intersects(places, shapely.box(*bbox))).select(list(names))
        return table

    def to_spark(
        self,
        spark: SparkSession,
        columns: Sequence[str] | None = None,
        *,
        known_at: object = None,
        filter: str | None = None,
    ) -> DataFrame:
        """What `read` gives with these arguments as a Spark DataFrame, in no order.

        ``spark`` is any session, classic or Connect, whose executors see the workspace's files.
        Geometries are WKB.
        """
        from eolab.features.engines.spark import group_on_spark

        return group_on_spark(self, spark, columns, known_at=known_at, filter=filter)

    def select(self, columns: Sequence[str] | str) -> Query:
        """A query of these columns."""
        names = [columns] if isinstance(columns, str) else list(columns)
        self._need_rows()
        return Query(self, chosen(names, self.columns, self.label))

    def select_all(self) -> Query:
        """A query of all columns but keys, event time and geometry."""
        self._need_rows()
        return Query(self, self.features)

    def select_except(self, columns: Sequence[str] | str) -> Query:
        """A query of all columns but keys, event time, geometry and these."""
        names = [columns] if isinstance(columns, str) else list(columns)
        self._need_rows()
        left_out = chosen(names, self.columns, self.label)
        return Query(self, tuple(n for n in self.features if n not in left_out))

    def _need_rows(self) -> None:
        if self.table.open() is None:
            raise ConflictError(
                f"the feature group {self.name!r} has no columns yet", "Insert rows first."
            )

    def statistics(self, version: int | None = None) -> list[figures.ColumnStatistics]:
        """Figures of each column as of a commit, by default the newest; computed once.

        Raises:
            NotFoundError: No such commit.
        """
        commit = self.table.last()
        if commit is None:
            return []
        if version is not None and version != commit.version:
            known = {c.version: c for c in self.commits()}
            if version not in known:
                raise NotFoundError(
                    f"{self.label} has no commit {version}", f"There are 0 to {commit.version}."
                )
            commit = known[version]
        return figures.load(self._folder, commit.version) or self._keep_statistics(commit)

    def correlations(self) -> figures.Correlations:
        """Correlations of the columns of numbers at the newest commit."""
        commit = self.table.last()
        if commit is None:
            return figures.Correlations((), (), 0)
        with connect(self._folder) as con:
            self.table.view(con, "resolved", known_at=commit.ingested)
            fields = [f for f in self.schema if f.name in self.features]
            return figures.correlations(con, "resolved", fields, rows=commit.total)

    def _keep_statistics(self, commit: Commit) -> list[figures.ColumnStatistics]:
        geometry = self.geometry
        skip = geometry.columns if geometry and len(geometry.columns) == 1 else ()
        with connect(self._folder) as con:
            self.table.view(con, "resolved", known_at=commit.ingested)
            found = figures.describe(
                con, "resolved", [f for f in self.schema if f.name not in skip]
            )
        figures.keep(self._folder, commit.version, found)
        return found

    def __repr__(self) -> str:
        commit = self.table.last()
        rows = (
            "empty"
            if commit is None
            else f"{commit.total} rows, {len(self.columns)} columns, commit {commit.version}"
        )
        return f"<FeatureGroup {self.label}: {rows}>"


def pa_schema(fields: Sequence[pa.Field]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema(list(fields))
