"""A feature group: rows of one kind of thing, with their history."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from eolab.argument_checks import checked
from eolab.deprecation import renamed_arguments, warn_renamed
from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.features import arrays
from eolab.features.engines.duckdb import DuckDBEngine
from eolab.features.engines.spark import SparkEngine
from eolab.features.geometry import RowGeometry, shapes, to_pandas
from eolab.features.groups.export import export
from eolab.features.groups.insert import Inserter
from eolab.features.groups.options import GroupDetails, GroupSpec
from eolab.features.groups.record import GroupRecord
from eolab.features.online.postgres import PostgresSchema, PostgresTable
from eolab.features.online.sqlite import OnlineTable
from eolab.features.queries.arguments import require_columns
from eolab.features.queries.query import Query
from eolab.features.storage import arrow
from eolab.features.storage import expectations as validation
from eolab.features.storage import statistics as figures
from eolab.features.storage.commits import Commit
from eolab.features.storage.delta_table import OfflineTable
from eolab.features.storage.duckdb import connect, moment, quote_identifiers, run
from eolab.files import disk
from eolab.records.lineage import Ref, around

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


class FeatureGroup:
    """Made by `FeatureStore.get_or_create_feature_group`.

    A row is identified by its primary key and, where the group has one, its event time: when the
    thing was so. Each row also keeps its ingestion time: when we learnt it. Inserting a row that is
    there already adds a newer version of it; ``read(as_of=...)`` answers what was known before.

    Attributes:
        name: Its name.
        version: Its version.
        primary_key: The columns that identify a thing.
        event_time: The column that says when the values were so; None without one.
        partition_key: Columns by whose values the rows of a commit lie together.
        parents: Groups (``name/version``) that its rows are made from.
        created: When it was made, seconds since the epoch.
        description: One line.
        column_descriptions: Descriptions of columns by name.
        column_units: Units of columns by name.
        expectations: SQL conditions by name that every row must meet.
        policy: "strict" or "warn".
        tags: Labels by which the panel sorts groups.
        keywords: What it is about.
        owner: Who answers for it.
        online_enabled: Whether inserts keep the newest row of each thing online.
        statistics_at_insert: Whether inserts compute statistics.
        table: Its rows on disk.
        online: Its newest rows for serving.

    Example:
        >>> fg
        <FeatureGroup spectra/1: 102 rows, 6 columns, commit 0>
        >>> fg.read(["parcel_id", "red_median"], filter="red_median > 0.19").round(2)
          parcel_id  red_median
        0     P0045        0.19
    """

    def __init__(self, record: GroupRecord, spec: GroupSpec, online: PostgresSchema | None) -> None:
        self._record = record
        self.name, self.version, self.created = record.name, record.version, record.created
        self.primary_key, self.event_time = spec.primary_key, spec.event_time
        self.partition_key, self.parents = spec.partition_key, spec.parents
        self._describe(spec)
        self.table = OfflineTable(record.folder, self.keys, together=self.partition_key)
        how = (self.table, self.primary_key, self.event_time)
        self.online: OnlineTable | PostgresTable = (
            OnlineTable(*how) if online is None else PostgresTable(online, self.label, *how)
        )
        self.online_enabled, self.statistics_at_insert = spec.online, spec.statistics

    def _describe(self, spec: GroupSpec) -> None:
        """Take over what people say of the group, and what they expect of its rows."""
        self._spec = spec
        self.description, self.owner = spec.description, spec.owner
        self.column_descriptions: dict[str, str] = dict(spec.descriptions)
        self.column_units: dict[str, str] = dict(spec.units)
        self.expectations: dict[str, str] = dict(spec.expectations)
        self.policy: validation.Policy = spec.policy
        self.tags, self.keywords = spec.tags, spec.keywords

    @property
    def label(self) -> str:
        """``name/version``.

        Example:
            >>> fg.label
            'spectra/1'
        """
        return self._record.label

    def commit_ref(self, version: int) -> Ref:
        """The node of a commit in the lineage.

        Example:
            >>> fg.commit_ref(0)
            Ref(kind='commit', id='spectra/1@0')
        """
        return self._record.commit_ref(version)

    @property
    def engine(self) -> DuckDBEngine:
        """DuckDB in this process, which reads queries of this group.

        Example:
            >>> fg.engine.read_group(fg, ["red_median"]).num_rows
            102
        """
        return DuckDBEngine(self._record.folder)

    def spark_engine(self, spark: SparkSession) -> SparkEngine:
        """Spark, in a session that is handed in.

        Example:
            >>> def read_red(spark):
            ...     return fg.spark_engine(spark).read_group(fg, ["red_median"])
        """
        return SparkEngine(spark)

    def update(self, **options: Unpack[GroupDetails]) -> None:
        """Change the description of the group; its rows, keys and history stay as they are.

        Args:
            options: Any of ``description``, ``columns``, ``units``, ``tags``, ``keywords``,
                ``owner``, ``expectations``, ``policy``. Descriptions and units of columns are
                added to those that there are, all else takes the place of what was there.

        Raises:
            InvalidInputError: Another option, a column that is not there, or a bad condition.

        Example:
            >>> fg.update(description="Reflectance", units={"red_median": "1"}, tags=["2021"])
            >>> ws.features.feature_group("spectra").tags
            ('2021',)
        """
        spec = self._record.spec().updated(options, self.columns)
        self._record.save(spec)
        self._describe(spec)

    @checked
    def insert(
        self,
        frame: object,
        *,
        mode: Literal["upsert", "insert"] = "upsert",
        add_columns: bool = False,
        statistics: bool | None = None,
        sources: Iterable[Ref] = (),
    ) -> Commit:
        """Add rows, all or none.

        Args:
            frame: pandas, polars or Spark DataFrame, GeoDataFrame, pyarrow Table, xarray Dataset,
                or a dict of columns. A NumPy array (n, ...) in a dict, cells of NumPy arrays,
                Arrow's lists of a fixed size, and variables of a Dataset along dimensions that no
                key has, are columns of arrays: one shape a column, which later rows must have.
                The scenes that rows made from a cube name in ``frame.attrs`` are recorded as the
                commit's origin. Spark's executors write the rows themselves and must see the
                workspace.
            mode: "upsert" keeps a row whose key is there as its newer version; "insert" refuses it.
            add_columns: Add columns that the group does not have; older rows get nulls.
            statistics: Compute the group's statistics once the rows are in, else they are when
                they are first asked for; by default as the group was made.
            sources: What else the rows were made from.

        Returns:
            The commit: its version, rows, and how many of them are new.

        Raises:
            InvalidInputError: Keys missing or twice, naive timestamps, another schema or CRS, rows
                that break an expectation. Nothing is written.
            ConflictError: Keys are there already, with mode "insert".
            RemoteError: The disk is full or cannot be written. Nothing is written.

        Example:
            >>> yields = ws.features.create_feature_group("yields", primary_key="parcel_id")
            >>> rows = pd.DataFrame({"parcel_id": ["P1", "P2"], "t_per_ha": [7.1, 8.4]})
            >>> commit = yields.insert(rows)
            >>> commit.rows, commit.new
            (2, 2)
            >>> commit = yields.insert(rows.tail(1).assign(t_per_ha=8.6))
            >>> commit.new, commit.total
            (0, 2)

            >>> chips = ws.features.create_feature_group("chips", primary_key="chip_id")
            >>> bands = np.zeros((2, 8, 8, 3), dtype="float32")
            >>> _ = chips.insert({"chip_id": ["a", "b"], "bands": bands})
            >>> chips.read()["bands"][0].shape
            (8, 8, 3)
        """
        wanted: str = mode
        if wanted == "append":
            warn_renamed('mode="append"', 'mode="insert"')
            wanted = "insert"
        if wanted not in {"upsert", "insert"}:
            raise InvalidInputError(f"unknown mode {mode!r}", "Use 'upsert' or 'insert'.")
        closed = disk.translate_errors(f"nothing was inserted into {self.name!r}", self.table.path)
        with closed, self._record.writing():
            commit = Inserter(self, self._record, self._spec).insert(
                frame, only_new=wanted == "insert", add_columns=add_columns, sources=sources
            )
        if self.online_enabled:
            self.online.sync()
        if self.statistics_at_insert if statistics is None else statistics:
            self._keep_statistics(commit)
        return commit

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key, then the event time where there is one: what names a row.

        Example:
            >>> fg.keys
            ('parcel_id', 'time')
        """
        return (*self.primary_key, *([self.event_time] if self.event_time else []))

    @property
    def geometry(self) -> RowGeometry | None:
        """How its rows know where they are; None where they do not.

        Example:
            >>> labels.geometry
            RowGeometry(columns=('geometry',), crs='EPSG:3035', pixels=False)
        """
        return self._record.spec().geometry

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types; only what was declared before the first insert.

        Example:
            >>> fg.schema.field("red_median").type
            DataType(double)
        """
        import pyarrow as pa

        found = self.table.schema()
        if found is None:
            return pa.schema([])
        order = self._record.spec().columns
        names = [n for n in found.names if n not in arrow.RESERVED]
        # The table has keys first; users see their own order.
        names = [n for n in order if n in names] + [n for n in names if n not in order]
        return pa.schema([found.field(n) for n in names])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the order in which they came.

        Example:
            >>> fg.columns
            ('parcel_id', 'time', 'red_median', 'nir_median', 'count', 'clear')
        """
        return tuple(self.schema.names)

    @property
    def words(self) -> tuple[str, ...]:
        """All texts by which `FeatureStore.search` finds it.

        Example:
            >>> fg.update(keywords=["reflectance"])
            >>> "reflectance" in fg.words
            True
        """
        own = (self.label, self.description, self.owner, *self.tags, *self.keywords)
        return (*own, *self.columns, *self.column_descriptions.values())

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that are no key, event time or geometry.

        Example:
            >>> fg.features
            ('red_median', 'nir_median', 'count', 'clear')
        """
        geometry = self.geometry
        own = {*self.keys, *(geometry.columns if geometry else ())}
        return tuple(n for n in self.columns if n not in own)

    @checked
    def delete_rows(self, keys: object) -> Commit | None:
        """Delete rows from now on; what was known before stays readable with ``as_of``.

        Args:
            keys: A table with the primary key's columns, and the event time's to delete single
                rows of a thing.

        Returns:
            The commit; None where no such row is there.

        Raises:
            InvalidInputError: Columns are missing, unknown or of another type.

        Example:
            >>> before = fg.commits()[-1]
            >>> fg.delete_rows(pd.DataFrame({"parcel_id": ["P0000"]})).rows
            2
            >>> then = pd.Timestamp(before.ingested, unit="us", tz="UTC")
            >>> len(fg.read()), len(fg.read(as_of=then))
            (100, 102)
        """
        existing = self.table.schema()
        if existing is None:
            raise ConflictError(f"nothing was inserted into {self.label} yet", "Call insert first.")
        table = arrow.to_arrow(keys)
        wanted = [n for n in self.keys if n in table.column_names]
        require_columns(table.column_names, self.keys, f"the keys of {self.label}")
        for name in self.primary_key:
            require_columns([name], wanted, "the table of keys")
        fields = pa_schema([existing.field(n) for n in wanted])
        with self._record.chained(self.table, f"no rows of {self.label!r} were deleted"):
            commit = self.table.delete(arrow.cast_to_schema(table, fields, add_columns=False))
        if commit is not None and self.online_enabled:
            self.online.sync()
        return commit

    def sync_online(self) -> int:
        """Bring the online store up to the newest commit; how many keys changed.

        `insert` and `delete_rows` do it for a group with ``online_enabled``; call it for another
        group, or when one of them was cut off.

        Example:
            >>> fg.sync_online()
            59
        """
        return self.online.sync()

    @checked
    def changes(self, since: object = None) -> pd.DataFrame:
        """Every version of every row that came in after ``since``, oldest first.

        Args:
            since: A `Commit`, or a point in time; default: from the beginning.

        Returns:
            The columns, ``_ingested_at`` and ``_change`` ("insert", "update", "delete").

        Example:
            >>> first = fg.commits()[-1]
            >>> _ = fg.insert(rows.head(1).assign(red_median=0.2))
            >>> fg.changes(since=first)[["parcel_id", "red_median", "_change"]]
              parcel_id  red_median _change
            0     P0000         0.2  update
        """
        after = since.ingested if isinstance(since, Commit) else moment(since)
        names = self.columns
        with connect(self._record.folder) as con:
            self.table.view(con, "every", resolve=False)
            own = f"{arrow.INGESTED}, {arrow.CHANGE}"
            where = "" if after is None else f" WHERE {arrow.INGESTED} > make_timestamptz({after})"
            table = run(
                con,
                f"SELECT {quote_identifiers(names)}, {own} FROM every{where} "
                f"ORDER BY {arrow.INGESTED}, {quote_identifiers(self.keys)}",
            )
        frame = to_pandas(arrays.back(table, self.schema), self.geometry)
        frame[arrow.CHANGE] = frame[arrow.CHANGE].map({0: "insert", 1: "update", 2: "delete"})
        return frame

    def optimize(self) -> Commit | None:
        """Put many small files into few large ones; None where there is nothing to do.

        Every version of every row stays.

        Example:
            >>> fg.optimize() is None  # one file already
            True
        """
        with self._record.chained(self.table, f"files of {self.label!r} cannot be put together"):
            return self.table.optimize()

    @checked
    def vacuum(self, *, hours: int = 168) -> int:
        """Delete files that nothing has read for some time: left over by `optimize` or a crash.

        Args:
            hours: How long, 0 or more.

        Returns:
            How many files were deleted.

        Raises:
            InvalidInputError: Not a number of hours.

        Example:
            >>> fg.vacuum()
            0
        """
        if isinstance(hours, bool) or not isinstance(hours, int) or hours < 0:
            raise InvalidInputError(f"hours={hours!r} is not a number of hours", "Give 0 or more.")
        with self._record.chained(self.table, f"files of {self.label!r} cannot be tidied up"):
            return self.table.vacuum(hours)

    def lineage(self) -> dict[str, list[Ref]]:
        """What its rows were made from ("upstream"), and what of them ("downstream").

        Example:
            >>> [node.kind for node in fg.lineage()["upstream"]]
            ['cube', 'item', 'item', 'item', 'item']
        """
        last = self.table.last()
        count = 0 if last is None else last.version + 1
        return around(self._record.root, [self.commit_ref(version) for version in range(count)])

    def commits(self) -> list[Commit]:
        """The group's history, oldest first.

        Example:
            >>> [(c.version, c.operation, c.rows) for c in fg.commits()]
            [(0, 'insert', 102)]
        """
        return self.table.commits()

    def validations(self) -> list[validation.Check]:
        """How each insert met the expectations, oldest first; refused ones too.

        Example:
            >>> fg.update(expectations={"bright": "red_median > 0.03"})
            >>> _ = fg.insert(rows.head(5))
            >>> fg.validations()[-1].outcome
            'met'
        """
        return validation.history(self._record.folder)

    @renamed_arguments(known_at="as_of")
    @checked
    def read(
        self,
        columns: Sequence[str] | None = None,
        *,
        as_of: object = None,
        filter: str | None = None,
        bbox: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """The newest version of each row, ordered by key and event time.

        Args:
            columns: Names, in the order wanted; all by default.
            as_of: Use what was known then: a timestamp with a time zone, or text, which is UTC
                ("2024-07-01").
            filter: An SQL condition, for example ``"ndvi > 0.3 AND crop = 'maize'"``.
            bbox: West, south, east, north in the group's CRS; rows whose geometry touches it.

        Returns:
            A DataFrame; a GeoDataFrame where the geometry column is among the columns.

        Raises:
            InvalidInputError: Unknown column, bad condition or time.
            ConflictError: Nothing was inserted yet.

        Example:
            >>> fg.read(["red_median", "nir_median"], filter="parcel_id = 'P0000'").round(3)
               red_median  nir_median
            0       0.148       0.252
            1       0.147       0.267
        """
        table = self.to_arrow(columns, as_of=as_of, filter=filter, bbox=bbox)
        return to_pandas(table, self.geometry)

    @checked
    def export(
        self,
        path: str | os.PathLike[str],
        *,
        as_of: object = None,
        filter: str | None = None,
    ) -> Path:
        """Write the newest version of each row into a file for other programs.

        Args:
            path: A new file: ".parquet" (GeoParquet where rows have a place) or ".gpkg".
            as_of: Use what was known then.
            filter: An SQL condition.

        Returns:
            The file; rows carry their shapes and CRS.

        Raises:
            InvalidInputError: Another ending, no geometry for a GeoPackage, a column that it
                cannot hold, or as in `read`.
            ConflictError: The file is there, or nothing was inserted yet.
            RemoteError: There is no such folder, or it cannot be written; nothing is left.

        A GeoPackage keeps times to the millisecond; where that cuts some, a warning says so.

        Example:
            >>> path = labels.export("crops.gpkg", filter="crop = 'maize'")
            >>> set(gpd.read_file(path)["crop"]), gpd.read_file(path).crs == labels.geometry.crs
            ({'maize'}, True)
        """
        table = self.to_arrow(as_of=as_of, filter=filter)
        return export(table, self.geometry, Path(path))

    @renamed_arguments(known_at="as_of")
    @checked
    def to_arrow(
        self,
        columns: Sequence[str] | None = None,
        *,
        as_of: object = None,
        filter: str | None = None,
        bbox: Sequence[float] | None = None,
    ) -> pa.Table:
        """What `read` gives with these arguments as an Arrow table; geometries are WKB.

        Other libraries take it without a copy: ``polars.from_arrow(group.to_arrow())``.

        Args:
            columns: Names, in the order wanted; all by default.
            as_of: Use what was known then.
            filter: An SQL condition.
            bbox: West, south, east, north in the group's CRS; rows whose geometry touches it.

        Raises:
            InvalidInputError: Unknown column, bad condition or time, a box without a geometry.
            ConflictError: Nothing was inserted yet.

        Example:
            >>> fg.to_arrow(["parcel_id", "red_median"]).num_rows
            102
        """
        if bbox is None:
            return self.engine.read_group(self, columns, as_of=as_of, filter=filter)
        import shapely

        known, geometry = self.columns, self.geometry
        names = known if columns is None else require_columns(list(columns), known, self.label)
        if geometry is None or len(bbox) != 4:
            raise InvalidInputError(
                f"bbox={bbox!r} cannot be used on {self.label}",
                "Give four numbers; the group must have a geometry.",
            )
        wanted = list(dict.fromkeys([*names, *geometry.columns]))
        table = self.engine.read_group(self, wanted, as_of=as_of, filter=filter)
        places = shapes(table.select(list(geometry.columns)).to_pandas(), geometry)
        inside = shapely.intersects(places, shapely.box(*bbox))
        return table.filter(inside).select(list(names))

    @renamed_arguments(known_at="as_of")
    @checked
    def to_spark(
        self,
        spark: SparkSession,
        columns: Sequence[str] | None = None,
        *,
        as_of: object = None,
        filter: str | None = None,
    ) -> DataFrame:
        """What `read` gives with these arguments as a Spark DataFrame, in no order.

        Args:
            spark: Any session, classic or Connect, whose executors see the workspace's files.
            columns: Names, in the order wanted; all by default.
            as_of: Use what was known then.
            filter: An SQL condition, as for DuckDB.

        Returns:
            A Spark DataFrame; geometries are WKB.

        Raises:
            InvalidInputError: Unknown column, bad time; two columns that differ only by capitals.
            ConflictError: Nothing was inserted yet.

        Example:
            >>> def means(spark):
            ...     frame = fg.to_spark(spark, ["parcel_id", "red_median"], filter="clear > 0.5")
            ...     return frame.groupBy("parcel_id").mean("red_median")
        """
        return self.spark_engine(spark).read_group(self, columns, as_of=as_of, filter=filter)

    @checked
    def select(self, columns: Sequence[str] | str) -> Query:
        """A query of these columns, to read, to join and to make a view of.

        Args:
            columns: One name or several, in the order wanted.

        Raises:
            InvalidInputError: One is not there.
            ConflictError: Nothing was inserted yet.

        Example:
            >>> fg.select(["red_median", "nir_median"])
            <Query of 2 columns of spectra/1>
        """
        names = [columns] if isinstance(columns, str) else list(columns)
        self._need_rows()
        return Query(self, require_columns(names, self.columns, self.label))

    @checked
    def select_all(self) -> Query:
        """A query of all columns but keys, event time and geometry.

        Example:
            >>> fg.select_all().names
            ('red_median', 'nir_median', 'count', 'clear')
        """
        self._need_rows()
        return Query(self, self.features)

    @checked
    def select_except(self, columns: Sequence[str] | str) -> Query:
        """A query of all columns but keys, event time, geometry and these.

        Args:
            columns: What to leave out: one name or several.

        Raises:
            InvalidInputError: One is not there.
            ConflictError: Nothing was inserted yet.

        Example:
            >>> fg.select_except("count").names
            ('red_median', 'nir_median', 'clear')
        """
        names = [columns] if isinstance(columns, str) else list(columns)
        self._need_rows()
        left_out = require_columns(names, self.columns, self.label)
        return Query(self, tuple(n for n in self.features if n not in left_out))

    def _need_rows(self) -> None:
        if self.table.open() is None:
            raise ConflictError(
                f"the feature group {self.name!r} has no columns yet", "Insert rows first."
            )

    @checked
    def statistics(self, version: int | None = None) -> list[figures.ColumnStatistics]:
        """Statistics of each column as of a commit; computed once and kept.

        Args:
            version: The commit's; by default the newest.

        Returns:
            One `ColumnStatistics` per column but the geometry, in their order.

        Raises:
            NotFoundError: No such commit.

        Example:
            >>> red = fg.statistics()[2]
            >>> red.column, red.count, round(red.mean, 3), round(red.std, 3)
            ('red_median', 102, 0.087, 0.041)
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
        return figures.load(self._record.folder, commit.version) or self._keep_statistics(commit)

    def correlations(self) -> figures.Correlations:
        """Correlations of the columns of numbers at the newest commit.

        Example:
            >>> found = fg.correlations()
            >>> found.columns[:2], round(found.values[0][1], 2)
            (('red_median', 'nir_median'), -0.65)
        """
        commit = self.table.last()
        if commit is None:
            return figures.Correlations((), (), 0)
        with connect(self._record.folder) as con:
            self.table.view(con, "resolved", as_of=commit.ingested)
            fields = [f for f in self.schema if f.name in self.features]
            return figures.correlations(con, "resolved", fields, rows=commit.total)

    def _keep_statistics(self, commit: Commit) -> list[figures.ColumnStatistics]:
        geometry = self.geometry
        skip = geometry.columns if geometry and len(geometry.columns) == 1 else ()
        with connect(self._record.folder) as con:
            self.table.view(con, "resolved", as_of=commit.ingested)
            found = figures.describe(
                con, "resolved", [f for f in self.schema if f.name not in skip]
            )
        figures.keep(self._record.folder, commit.version, found)
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
