"""What to take from which group: a description that a view keeps and an engine carries out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NotRequired, Protocol, TypedDict, TypeVar

from eolab.argument_checks import checked
from eolab.deprecation import renamed_arguments
from eolab.errors import InvalidInputError
from eolab.features.geometry import RowGeometry, exact_frame
from eolab.features.queries.arguments import MONTH_DAY, seconds
from eolab.features.storage.delta_table import OfflineTable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

RowsT_co = TypeVar("RowsT_co", covariant=True)
Fill = Literal["previous", "linear"]
How = Literal["mean", "last"]
JoinKind = Literal["left", "inner"]
NearHow = Literal["within", "nearest", "tile"]
Task = Literal["classification", "regression"]


class OnlineRows(Protocol):
    """Reads columns of one group by key; safe to use from several threads."""

    def get(self, key: Mapping[str, object]) -> tuple[object, ...] | None:
        """The newest values of a key; None where it is not there."""

    def get_many(self, keys: Sequence[Mapping[str, object]]) -> list[tuple[object, ...] | None]:
        """The newest values of each key, in order."""


class OnlineStore(Protocol):
    """The newest row of each key of one group: SQLite or PostgreSQL."""

    def reader(self, columns: Sequence[str], schema: pa.Schema) -> OnlineRows:
        """Reads these columns by key."""

    def sync(self) -> int:
        """Bring in what was ingested since the last time; returns how many keys changed."""


class GroupHandle(Protocol):
    """What a query and an engine know of a feature group; `FeatureGroup` is one."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def primary_key(self) -> tuple[str, ...]: ...
    @property
    def event_time(self) -> str | None: ...
    @property
    def keys(self) -> tuple[str, ...]: ...
    @property
    def partition_key(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def schema(self) -> pa.Schema: ...
    @property
    def geometry(self) -> RowGeometry | None: ...
    @property
    def table(self) -> OfflineTable: ...
    @property
    def online(self) -> OnlineStore: ...
    @property
    def engine(self) -> QueryEngine[pa.Table]:
        """DuckDB in this process."""

    def spark_engine(self, spark: SparkSession) -> QueryEngine[DataFrame]:
        """Spark, in a session that is handed in."""


class QueryEngine(Protocol[RowsT_co]):
    """Reads groups, queries and views: the same rows from every engine, each in its own frame.

    ``as_of`` is a point in time: what was known then. Every method raises InvalidInputError for a
    bad time, condition or column, and ConflictError where nothing was inserted yet.
    """

    def read_group(
        self,
        group: GroupHandle,
        columns: Sequence[str] | None = None,
        *,
        as_of: object = None,
        filter: str | None = None,
    ) -> RowsT_co:
        """The newest version of each row that meets an SQL condition."""

    def read_query(self, query: Query, *, as_of: object = None) -> RowsT_co:
        """The base group's rows with the joined columns, each as of its own event time."""

    def read_view(self, labels: Query, query: Query, *, as_of: object = None) -> RowsT_co:
        """The label rows with the query's columns, each as of its own event time."""


class NearSpec(TypedDict):
    """`Near` as plain JSON."""

    how: NearHow
    max_distance: float | None
    tile: float | None


class StepsSpec(TypedDict):
    """`Steps` as plain JSON."""

    start: str
    end: str
    every: str
    how: How
    fill: Fill | None
    max_gap: str | None
    last: NotRequired[str | None]


class JoinSpec(TypedDict):
    """`Join` as plain JSON."""

    query: QuerySpec
    on: list[str] | None
    prefix: str
    kind: JoinKind
    max_age: str | None
    repeat: bool
    near: NearSpec | None


class QuerySpec(TypedDict):
    """`Query` as plain JSON, as a view keeps it; ``group`` is name and version."""

    group: list[str | int]
    columns: list[str]
    where: str | None
    steps: StepsSpec | None
    joins: list[JoinSpec]


@dataclass(frozen=True)
class Steps:
    """A window of time cut in equal steps (see `Query.sequence`).

    With ``last`` it ends at each label's own time, and ``start`` and ``end`` are empty.
    """

    start: str
    end: str
    every: str
    how: How = "mean"
    fill: Fill | None = None
    max_gap: str | None = None
    last: str | None = None

    def to_dict(self) -> StepsSpec:
        spec: StepsSpec = {
            "start": self.start,
            "end": self.end,
            "every": self.every,
            "how": self.how,
            "fill": self.fill,
            "max_gap": self.max_gap,
        }
        # Views of before have no such key: an equal one stays equal.
        return spec if self.last is None else {**spec, "last": self.last}


@dataclass(frozen=True)
class Near:
    """Matched by place: a row's middle lies "within" a thing, is "nearest", or shares its "tile".

    ``max_distance`` (for "nearest") and ``tile`` (a tile's side) are in metres.
    """

    how: NearHow
    max_distance: float | None = None
    tile: float | None = None

    def to_dict(self) -> NearSpec:
        return {"how": self.how, "max_distance": self.max_distance, "tile": self.tile}


@dataclass(frozen=True)
class Join:
    """Another query's columns, matched by key and, where its group has event times, as of a time.

    With ``repeat`` its values at the label's time are repeated along a sequence's steps.
    """

    query: Query
    on: tuple[str, ...] | None = None
    prefix: str = ""
    kind: JoinKind = "left"
    max_age: str | None = None
    repeat: bool = False
    near: Near | None = None

    def to_dict(self) -> JoinSpec:
        return {
            "query": self.query.to_dict(),
            "on": None if self.on is None else list(self.on),
            "prefix": self.prefix,
            "kind": self.kind,
            "max_age": self.max_age,
            "repeat": self.repeat,
            "near": None if self.near is None else self.near.to_dict(),
        }


@dataclass(frozen=True)
class Query:
    """Columns of a group and of what is joined to it; made by `FeatureGroup.select` and its kin.

    Attributes:
        group: The base group.
        columns: Its columns, in order.
        joins: What is joined, in order.
        where: An SQL condition on the base group's columns.
        steps: Set by `sequence`.

    Example:
        >>> query = fg.select(["red_median", "nir_median"]).filter("clear > 0.9")
        >>> len(query.read())
        67
    """

    group: GroupHandle
    columns: tuple[str, ...]
    joins: tuple[Join, ...] = ()
    where: str | None = None
    steps: Steps | None = field(default=None)

    @checked
    def join(
        self,
        other: Query,
        *,
        on: Sequence[str] | None = None,
        prefix: str = "",
        join_type: JoinKind = "left",
        max_age: str | None = None,
    ) -> Query:
        """Add another query's columns.

        Rows are matched on the other group's primary key. Where that group has event times, each
        row gets the newest values that were so at its own time, never later ones. Joined before
        `sequence`, such a group is cut into steps too; joined after it, its values at the label's
        time are repeated along the steps.

        Args:
            other: What to join; without joins of its own.
            on: Columns to match on; default: the other group's primary key.
            prefix: Put before the other's column names.
            join_type: "left" keeps every row; "inner" drops those without a match.
            max_age: Older values count as missing ("30D", "12h").

        Raises:
            InvalidInputError: Two columns would have the same name, or nested joins.

        Example:
            >>> red = fg.select("red_median")
            >>> query = labels.select("crop").join(red, prefix="spectra_", max_age="200D")
            >>> query.names
            ('crop', 'spectra_red_median')
            >>> len(query.read())
            60
        """
        if other.joins or other.steps:
            raise InvalidInputError(
                "a query with joins or a sequence cannot be joined itself",
                "Join its parts one after the other.",
            )
        if join_type not in {"left", "inner"}:
            raise InvalidInputError(f"unknown join_type={join_type!r}", "Use 'left' or 'inner'.")
        if max_age is not None:
            seconds(max_age, "max_age")
        part = Join(
            other,
            None if on is None else tuple(on),
            prefix,
            join_type,
            max_age,
            self.steps is not None,
        )
        joined = replace(self, joins=(*self.joins, part))
        names = joined.names
        twice = [n for n in names if names.count(n) > 1]
        if twice:
            raise InvalidInputError(
                f"two joined columns are called {twice[0]!r}", f"Pass prefix='{other.group.name}_'."
            )
        return joined

    @checked
    def join_spatial(
        self,
        other: Query,
        *,
        how: NearHow = "within",
        max_distance: float | None = None,
        tile: float | None = None,
        prefix: str = "",
        join_type: JoinKind = "left",
        max_age: str | None = None,
    ) -> Query:
        """Add another query's columns of what lies at the same place.

        Both groups need a geometry, in any CRS. Of a row that is an area its middle counts. Where
        the other group has event times, its things are found by where they last were, and their
        values are those of the row's time.

        Args:
            other: What to join; without joins of its own.
            how: What the row lies "within" (a point in a polygon), is "nearest" to, or shares a
                "tile" with: a cell of an absolute equal-area grid; of several there the nearest.
            max_distance: Metres beyond which nothing is near.
            tile: Side of a tile in metres, with how="tile".
            prefix: Put before the other's column names.
            join_type: "left" keeps every row; "inner" drops those that meet nothing.
            max_age: Older values count as missing ("30D", "12h").

        Raises:
            InvalidInputError: Two columns would have the same name, a group without geometry, bad
                options.

        Example:
            >>> towns = ws.features.create_feature_group("towns", primary_key="town")
            >>> where = {"town": ["A", "B"], "lon": [12.0, 12.1], "lat": [48.6, 48.7]}
            >>> _ = towns.insert(pd.DataFrame(where))
            >>> query = labels.select("crop").join_spatial(towns.select("town"), how="nearest")
            >>> query.read()["town"].notna().all()
            np.True_
        """
        if how not in {"within", "nearest", "tile"}:
            raise InvalidInputError(f"unknown how={how!r}", "Use 'within', 'nearest' or 'tile'.")
        if (tile is not None) != (how == "tile") or (tile is not None and not tile > 0):
            raise InvalidInputError(
                f"tile={tile!r} with how={how!r}", "Give a tile's side in metres, with how='tile'."
            )
        if max_distance is not None and (how != "nearest" or not max_distance > 0):
            raise InvalidInputError(
                f"max_distance={max_distance!r} with how={how!r}",
                "Give metres, with how='nearest'.",
            )
        if other.group.geometry is None:
            raise InvalidInputError(
                f"{other.group.label} has no geometry, so it cannot be joined by place",
                "Insert a GeoDataFrame, or make the group with geometry=('lon', 'lat').",
            )
        joined = self.join(other, prefix=prefix, join_type=join_type, max_age=max_age)
        part = replace(joined.joins[-1], near=Near(how, max_distance, tile))
        return replace(joined, joins=(*joined.joins[:-1], part))

    @checked
    def filter(self, condition: str) -> Query:
        """Only rows of the base group that meet an SQL condition; several must all hold.

        Args:
            condition: SQL on the columns of the base group, for example ``"clear > 0.5"``.

        Example:
            >>> fg.select("red_median").filter("clear = 1").filter("red_median < 0.05").where
            '(clear = 1) AND (red_median < 0.05)'
        """
        return replace(
            self, where=condition if self.where is None else f"({self.where}) AND ({condition})"
        )

    @checked
    def sequence(
        self,
        start: str = "",
        end: str = "",
        every: str = "10D",
        *,
        last: str | None = None,
        how: How = "mean",
        fill: Fill | None = None,
        max_gap: str | None = None,
    ) -> Query:
        """One array (steps, features) a label instead of one row.

        Groups with event times are cut into steps; columns of groups without, and of groups joined
        later, are repeated along them. Steps without an observation are NaN. Nothing later than
        the label's event time is used. Where the labels are a column of this same group there is
        one sample a thing and season (its last label of that season), not one a row; with ``last``
        each row is a sample.

        Args:
            start: First day: "2024-03-01", or "03-01" for the season that began last at or before
                the label's event time.
            end: Last day, included; a season may cross New Year ("10-01" to "07-31").
            every: Length of a step ("10D").
            last: Length of a window that ends at each label's own event time ("90D"), in place of
                ``start`` and ``end``; a multiple of ``every``. Steps are called by their begin
                ("-90D", "-60D", "-30D"); an observation at the label's very time is in the last
                one, one at the window's begin in none.
            how: "mean" of a step's observations, or the "last" one.
            fill: Fill empty steps from the "previous" step, or "linear" in between.
            max_gap: Longest gap that is filled ("30D"); default: any.

        Raises:
            InvalidInputError: Bad dates or steps, or the base group has no event time.

        Example:
            >>> before = fg.select("red_median").sequence(last="240D", every="80D")
            >>> view = ws.features.create_feature_view(
            ...     "before", labels=labels.select("crop"), query=before
            ... )
            >>> view.training_data().steps
            ('-240D', '-160D', '-80D')

            >>> season = fg.select(["red_median", "nir_median"]).sequence("05-01", "06-30", "15D")
            >>> crop = labels.select("crop")
            >>> view = ws.features.create_feature_view("s", labels=crop, query=season)
            >>> view.training_data()
            <59 samples x 5 steps x 2 features, 6 classes, 59 blocks>
        """
        import pandas as pd

        if self.group.event_time is None:
            raise InvalidInputError(
                f"the group {self.group.name!r} has no event time, so there is no sequence",
                "Make the group with event_time=.",
            )
        if last is not None:
            if start or end:
                raise InvalidInputError(
                    f"last={last!r} beside start and end",
                    "Give last= for windows up to each label, or start and end for a season.",
                )
            if seconds(last, "last") % seconds(every, "every"):
                raise InvalidInputError(
                    f"last={last!r} is no whole number of steps of {every!r}",
                    "Take a multiple: last='90D', every='30D'.",
                )
        elif not start or not end:
            raise InvalidInputError(
                "sequence() without a window",
                "Write sequence('03-01', '10-31'), or sequence(last='90D').",
            )
        elif bool(MONTH_DAY.match(start)) != bool(MONTH_DAY.match(end)):
            raise InvalidInputError(
                f"start {start!r} and end {end!r} are of two kinds",
                "Write both as '03-01' or both as '2024-03-01'.",
            )
        if last is None and not MONTH_DAY.match(start):
            try:
                first, final = pd.Timestamp(start), pd.Timestamp(end)
            except ValueError as error:
                raise InvalidInputError(
                    f"not a date: {error}", "Write '2024-03-01', or '03-01' for any year."
                ) from error
            if final < first:
                raise InvalidInputError(
                    f"the sequence ends ({end}) before it starts ({start})", "Swap the dates."
                )
        seconds(every, "every")
        if how not in {"mean", "last"}:
            raise InvalidInputError(f"unknown how={how!r}", "Use 'mean' or 'last'.")
        if fill not in {None, "previous", "linear"}:
            raise InvalidInputError(f"unknown fill={fill!r}", "Use 'previous', 'linear' or None.")
        if max_gap is not None:
            seconds(max_gap, "max_gap")
        return replace(self, steps=Steps(start, end, every, how, fill, max_gap, last))

    @property
    def parts(self) -> tuple[Join, ...]:
        """The base group and the joined ones, alike.

        Example:
            >>> query = labels.select("crop").join(fg.select("red_median"))
            >>> [part.query.group.label for part in query.parts]
            ['crops/1', 'spectra/1']
        """
        base = Join(replace(self, joins=(), steps=None))
        return (base, *self.joins)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, with their prefixes.

        Example:
            >>> labels.select("crop").join(fg.select("red_median"), prefix="s_").names
            ('crop', 's_red_median')
        """
        return tuple(p.prefix + c for p in self.parts for c in p.query.columns)

    @renamed_arguments(known_at="as_of")
    def read(self, *, as_of: object = None) -> pd.DataFrame:
        """The base group's rows with the joined columns, each row as of its own event time.

        Args:
            as_of: Use what was known then: a time stamp with a zone, or text, which is UTC.

        Raises:
            InvalidInputError: A sequence, which needs labels; a bad condition or time.

        Example:
            >>> query = labels.select("crop").join(fg.select("red_median"))
            >>> query.read().columns.tolist()
            ['parcel_id', 'observed', 'crop', 'red_median']
        """
        return exact_frame(self.to_arrow(as_of=as_of))

    @renamed_arguments(known_at="as_of")
    def to_arrow(self, *, as_of: object = None) -> pa.Table:
        """What `read` gives as an Arrow table (see `FeatureGroup.to_arrow`).

        Args:
            as_of: Use what was known then.

        Raises:
            InvalidInputError: As `read`.

        Example:
            >>> fg.select("red_median").to_arrow().column_names
            ['parcel_id', 'time', 'red_median']
        """
        return self.group.engine.read_query(self, as_of=as_of)

    @renamed_arguments(known_at="as_of")
    def to_spark(self, spark: SparkSession, *, as_of: object = None) -> DataFrame:
        """What `read` gives as a Spark DataFrame, in no order (see `FeatureGroup.to_spark`).

        Args:
            spark: Any session, classic or Connect, whose executors see the workspace's files.
            as_of: Use what was known then.

        Raises:
            InvalidInputError: A sequence or a join by place, which Spark does not make.

        Example:
            >>> def joined(spark):
            ...     return labels.select("crop").join(fg.select("red_median")).to_spark(spark)
        """
        return self.group.spark_engine(spark).read_query(self, as_of=as_of)

    def to_dict(self) -> QuerySpec:
        """Plain JSON; `from_dict` reads it.

        Example:
            >>> fg.select("red_median").to_dict()["group"]
            ['spectra', 1]
        """
        steps = self.steps
        return {
            "group": [self.group.name, self.group.version],
            "columns": list(self.columns),
            "where": self.where,
            "steps": None if steps is None else steps.to_dict(),
            "joins": [j.to_dict() for j in self.joins],
        }

    def __repr__(self) -> str:
        groups = ", ".join(p.query.group.label for p in self.parts)
        return f"<Query of {len(self.names)} columns of {groups}>"


def from_dict(spec: QuerySpec, open_group: Callable[[str, int], GroupHandle]) -> Query:
    """A query from its plain JSON.

    Args:
        spec: From `Query.to_dict`.
        open_group: Opens a group by name and version.
    """
    name, version = spec["group"]
    steps = spec.get("steps")
    return Query(
        open_group(str(name), int(version)),
        tuple(spec["columns"]),
        tuple(_join_from_dict(j, open_group) for j in spec.get("joins") or ()),
        spec.get("where"),
        None if steps is None else Steps(**steps),
    )


def _join_from_dict(spec: JoinSpec, open_group: Callable[[str, int], GroupHandle]) -> Join:
    on, near = spec["on"], spec["near"]
    return Join(
        from_dict(spec["query"], open_group),
        None if on is None else tuple(on),
        spec["prefix"],
        spec["kind"],
        spec["max_age"],
        spec["repeat"],
        None if near is None else Near(**near),
    )
